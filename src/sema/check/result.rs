//! The value of a definition as its caller sees it: its declared axes in the declared order, its kind, and
//! every binder as the caller's axis that it stands for.

use crate::base::{Span, Symbol};
use crate::diag::{kind, shape, value as told};
use crate::ir::Dim;
use crate::sema::dims::Mismatch;
use crate::sema::dtype::DType;
use crate::sema::typed::{Axis, AxisId, ExprId, ExprKind, Kind, Type};
use crate::sema::value::{Scope, Value};
use crate::syntax::ast::{self, AxisDecl, TypeKind};

use super::bind::{Binder, Binders, show_decls};
use super::checker::Checker;

impl<'a> Checker<'a> {
    /// The axes that the result type names, with the sizes it gives them; those that only it names are as large
    /// as the body makes them.
    pub(super) fn declare_result_axes(
        &mut self,
        scope: &mut Scope<'a>,
        binders: &mut Binders,
        def: &'a ast::Def,
    ) -> bool {
        let mut decls: Vec<&'a AxisDecl> = Vec::new();
        def.result.iter().for_each(|ty| ty.kind.each_axis(&mut |decl| decls.push(decl)));
        for decl in decls {
            let AxisDecl::Axis { name: ident, size } = decl else { continue };
            let written = match size {
                Some(expr) => match self.int_expr(scope, expr) {
                    Some(size) => Some((size, expr.span)),
                    None => return false,
                },
                None => None,
            };
            match (binders.get_mut(&ident.name), written) {
                (Some(binder), written) => binder.result = written,
                (None, Some((size, _))) => {
                    self.add_binder(scope, binders, ident.name, None, (size, ident.span));
                }
                (None, None) => {
                    let size = self.sizes.open(ident.name.as_str());
                    self.add_binder(scope, binders, ident.name, None, (size, ident.span));
                }
            }
        }
        true
    }

    /// The value of a definition as its caller sees it.
    pub(super) fn result(
        &mut self,
        caller: &mut Scope<'a>,
        scope: &mut Scope<'a>,
        binders: &Binders,
        def: &'a ast::Def,
        value: Value<'a>,
        span: Span,
    ) -> Value<'a> {
        match value {
            Value::Record(fields) => {
                let Some(types) = self.declared_fields(scope, def, &fields) else { return Value::Error };
                let out = |((name, value), ty): ((Symbol, Value<'a>), Option<&'a ast::Type>)| {
                    (name, self.result_part(caller, scope, binders, def, value, ty, span))
                };
                Value::Record(fields.into_iter().zip(types).map(out).collect())
            }
            Value::List(items) => {
                let out = |item| self.result_part(caller, scope, binders, def, item, None, span);
                Value::List(items.into_iter().map(out).collect())
            }
            value => self.result_part(caller, scope, binders, def, value, def.result.as_ref(), span),
        }
    }

    /// The types that a signature declares for the fields of a record, which has just these.
    fn declared_fields(
        &mut self,
        scope: &Scope<'a>,
        def: &'a ast::Def,
        fields: &[(Symbol, Value<'a>)],
    ) -> Option<Vec<Option<&'a ast::Type>>> {
        let Some(declared) = &def.result else { return Some(vec![None; fields.len()]) };
        let TypeKind::Record(types) = &declared.kind else {
            self.report(told::expected("a tensor, as declared,", "a record", def.body.value.span));
            return None;
        };
        let missing = types.iter().find(|(name, _)| fields.iter().all(|(field, _)| *field != name.name));
        let extra = fields.iter().find(|(field, _)| types.iter().all(|(name, _)| name.name != *field));
        if let Some(name) = missing.map(|(name, _)| name.name).or(extra.map(|(name, _)| *name)) {
            let value = &def.body.value;
            let written = match &value.kind {
                ast::ExprKind::Record(written) => &written[..],
                _ => &[],
            };
            let declare = match (missing, extra) {
                (Some(_), _) => without_field(types.iter().map(|(name, ty)| (*name, ty.span)), name),
                (None, Some((_, Value::Tensor(id)))) => {
                    let ty = self.show_type(&self.ty(*id).clone());
                    types.last().map(|(_, last)| (last.span.after(), format!(", {name}: {ty}")))
                }
                _ => None,
            };
            let give = match missing {
                Some(_) => written.last().map(|(_, last)| (last.span.after(), format!(", {name}: {name}"))),
                None => without_field(written.iter().map(|(name, value)| (*name, value.span)), name),
            };
            let give = give.filter(|_| missing.is_none() || scope.find(name).is_some());
            let places = (value.span, declared.span);
            let field = (name, missing.is_some());
            let told = told::record_fields(def.name.name, field, places.0, places.1, declare, give);
            self.report(told);
            return None;
        }
        let of = |field: Symbol| types.iter().find(|(name, _)| name.name == field).map(|(_, ty)| ty);
        Some(fields.iter().map(|(field, _)| of(*field)).collect())
    }

    #[expect(clippy::too_many_arguments, reason = "both sides of a call and its place")]
    fn result_part(
        &mut self,
        caller: &mut Scope<'a>,
        scope: &mut Scope<'a>,
        binders: &Binders,
        def: &'a ast::Def,
        value: Value<'a>,
        declared: Option<&'a ast::Type>,
        span: Span,
    ) -> Value<'a> {
        let declared_axes = match declared.map(|ty| &ty.kind) {
            Some(TypeKind::Tensor { prefix, of, axes }) => Some((prefix, of, axes)),
            _ => None,
        };
        let mut id = match value {
            Value::Tensor(id) => id,
            // A number stands for itself, but where the signature promises a tensor.
            Value::Int(_) | Value::Float(_) | Value::Bool(_)
                if declared_axes.is_some_and(|(_, _, axes)| !axes.is_empty()) =>
            {
                let Some(id) = self.tensor(value, def.body.value.span) else { return Value::Error };
                id
            }
            value => return value,
        };
        if let Some((prefix, of, decls)) = declared_axes {
            let Some(ordered) = self.declared_result(scope, binders, def, (id, declared.map(|ty| ty.span)), decls)
            else {
                return Value::Error;
            };
            let Some(kinded) = self.declared_kind(binders, ordered, prefix.as_ref(), of.as_ref(), def.body.value.span)
            else {
                return Value::Error;
            };
            id = kinded;
        }
        let mut ty = self.ty(id).clone();
        let outside = |this: &mut Self, caller: &mut Scope<'a>, id: AxisId, size: &Dim| -> AxisId {
            let binder = binders.iter().find(|(_, binder)| binder.inner == id);
            if let Some((_, Binder { outer: Some(outer), .. })) = binder {
                return this.axes.find(*outer);
            }
            // Made inside: under its name it is the caller's, unless it came in through the row.
            let made_inside = binder.is_some() || scope.axes.values().any(|&inner| inner == id);
            match this.axes.name(id) {
                Some(name) if made_inside => this.intern_axis(caller, name, size),
                _ => id,
            }
        };
        let is_std = self.is_std(def.span);
        for at in 0..ty.axes.len() {
            let axis = ty.axes[at].clone();
            ty.axes[at].id = outside(self, caller, axis.id, &axis.size);
            if is_std && self.is_std(axis.from) {
                ty.axes[at].from = self.user_span(axis.from);
            }
            let earlier = ty.axes[..at].iter().any(|other| self.same_axis(other.id, ty.axes[at].id));
            if earlier {
                let name = self.axes.show(ty.axes[at].id);
                return self.fail(shape::duplicate_axis(&name, def.name.name, span, shape::Renamed::Nowhere));
            }
        }
        if let Kind::Index(axis) = ty.kind {
            let size = self.axes.size(axis);
            ty.kind = Kind::Index(outside(self, caller, axis, &size));
        }
        Value::Tensor(self.push(ExprKind::Relabel(id), ty, span))
    }

    /// The body's value in the declared order, when it has the declared axes.
    fn declared_result(
        &mut self,
        scope: &Scope<'a>,
        binders: &Binders,
        def: &'a ast::Def,
        (id, declared): (ExprId, Option<Span>),
        decls: &[AxisDecl],
    ) -> Option<ExprId> {
        let ty = self.ty(id).clone();
        let mut named: Vec<AxisId> = Vec::new();
        for decl in decls {
            if let AxisDecl::Axis { name: ident, .. } = decl {
                named.push(binders.get(&ident.name).map(|binder| binder.inner)?);
            }
        }
        let wrong = |this: &mut Self| {
            let told = shape::result_axes(
                def.name.name,
                &show_decls(decls),
                &this.show_type(&ty),
                def.body.value.span,
                (def.name.span, declared),
            );
            this.report(told);
            None
        };
        let mut axes: Vec<Axis> = Vec::new();
        let mut names = named.iter();
        for decl in decls {
            match decl {
                AxisDecl::Axis { .. } => {
                    let &inner = names.next()?;
                    let Some(axis) = self.find_axis(&ty.axes, inner).cloned() else { return wrong(self) };
                    axes.push(axis);
                }
                AxisDecl::Row(_) => {
                    let row = match &scope.row {
                        Some(row) => row.clone(),
                        None => ty.axes.iter().filter(|axis| !named.contains(&axis.id)).cloned().collect(),
                    };
                    for axis in row {
                        let Some(axis) = self.find_axis(&ty.axes, axis.id).cloned() else { return wrong(self) };
                        axes.push(axis);
                    }
                }
            }
        }
        if axes.len() != ty.axes.len() {
            return wrong(self);
        }
        for (decl, inner) in decls.iter().filter(|decl| matches!(decl, AxisDecl::Axis { .. })).zip(&named) {
            let AxisDecl::Axis { name: ident, size: written } = decl else { continue };
            let axis = self.find_axis(&axes, *inner)?.clone();
            let binder = binders.get(&ident.name)?;
            let (size, place) = binder.result.clone().unwrap_or_else(|| (binder.size.clone(), ident.span));
            if let Err(mismatch) = self.sizes.unify(&size, &axis.size) {
                let sizes = shape::TwoSizes {
                    axis: ident.name.to_string(),
                    left: (self.sizes.show(&size), String::new(), place),
                    right: (self.sizes.show(&axis.size), String::new(), axis.from),
                };
                let known = self.known_axes(axes.iter().filter(|other| other.id != axis.id));
                let span = def.body.value.span;
                let literal = self.literal_of(axis.from, &axis.size).filter(|literal| !literal.is_declared);
                let places =
                    (written.as_ref().map(|size| (ident.span, size.span)), literal.map(|literal| literal.span));
                let told = shape::result_size(sizes, mismatch == Mismatch::Open, places, span, known);
                self.unequal(mismatch, (&axis.size, &size), told);
                return None;
            }
        }
        if axes.iter().zip(&ty.axes).all(|(a, b)| a.id == b.id) {
            return Some(id);
        }
        Some(self.push(ExprKind::Order(id), Type { axes, ..ty }, def.body.value.span))
    }

    /// The value with the kind and dtype a signature declares.
    fn declared_kind(
        &mut self,
        binders: &Binders,
        id: ExprId,
        prefix: Option<&ast::Ident>,
        of: Option<&ast::Ident>,
        span: Span,
    ) -> Option<ExprId> {
        let Some(prefix) = prefix else { return Some(id) };
        let ty = self.ty(id).clone();
        let kind = match prefix.name.as_str() {
            "logit" => Kind::Logit,
            "prob" => Kind::Prob,
            "index" => match of.and_then(|of| binders.get(&of.name)) {
                Some(binder) => Kind::Index(binder.inner),
                None => return Some(id),
            },
            word => {
                let Some(dtype) = DType::parse(word) else {
                    self.not_a_type(*prefix);
                    return None;
                };
                let made = self.dtype_declared(id, dtype, span);
                if made.is_none() {
                    self.report(kind::result_kind(prefix.name, &self.show_type(&ty), span, prefix.span));
                }
                return made;
            }
        };
        // Probabilities are no logits, and only whole numbers count an axis; anything else a signature may say of its result.
        let contradicts = match kind {
            Kind::Logit => ty.kind == Kind::Prob,
            Kind::Index(_) => !matches!(ty.kind, Kind::Index(_)),
            Kind::Plain | Kind::Prob => false,
        };
        if contradicts {
            let told = kind::result_kind(prefix.name, &self.show_type(&ty), span, prefix.span);
            self.report(told);
            return None;
        }
        let id = if matches!(kind, Kind::Index(_)) { id } else { self.to_float(id, span) };
        let dtype = self.ty(id).dtype;
        Some(self.push(ExprKind::Relabel(id), Type { dtype, kind, axes: ty.axes }, span))
    }
}

/// What to leave out for a list of fields without one of them, which is not the only one.
fn without_field(fields: impl Iterator<Item = (ast::Ident, Span)>, name: Symbol) -> Option<(Span, String)> {
    let fields: Vec<(ast::Ident, Span)> = fields.collect();
    let at = fields.iter().position(|(field, _)| field.name == name)?;
    let (field, value) = fields[at];
    let place = match (at.checked_sub(1), fields.get(at + 1)) {
        (Some(before), _) => fields[before].1.after().to(value),
        (None, Some((next, _))) => Span { end: next.span.start, ..field.span },
        (None, None) => return None,
    };
    Some((place, String::new()))
}
