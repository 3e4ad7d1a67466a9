//! Signatures against arguments: which axis of an argument is which axis of the definition, and back.
//!
//! Inside a definition each axis it names is an axis of its own (a *binder*), so that `Dense(d)` on
//! `[.., d]` has two. The axes of the row keep their identity: the definition cannot name them. On the
//! way out every binder becomes the axis of the caller that it stands for.

use rustc_hash::FxHashMap;

use crate::base::{Span, Symbol};
use crate::diag::{kind, name, shape, value as told};
use crate::ir::{Dim, Fact, Truth};
use crate::sema::dims::Mismatch;
use crate::sema::dtype::DType;
use crate::sema::typed::{Axis, AxisId, ExprId, ExprKind, Kind, Type};
use crate::sema::value::{Given, Scope, Value};
use crate::syntax::ast::{self, AxisDecl, TypeKind};

use super::checker::Checker;

/// An axis of a definition and what it stands for at this use.
#[derive(Clone)]
pub(super) struct Binder {
    pub inner: AxisId,
    /// The caller's axis; none for one that only the result has.
    pub outer: Option<AxisId>,
    /// How long it is.
    pub size: Dim,
    /// Where that was chosen.
    pub from: Span,
    /// How long it is in the result, where the signature says so.
    pub result: Option<(Dim, Span)>,
}

/// The axes of a definition by name.
pub(super) type Binders = FxHashMap<Symbol, Binder>;

/// A size written in a signature, checked when all names are bound.
pub(super) struct WrittenSize<'a> {
    expr: &'a ast::Expr,
    axis: Axis,
    /// The argument.
    given: Span,
}

/// What a signature asks of tensors: a parameter, or a field of one.
#[derive(Clone, Copy)]
pub(super) struct Slot<'a> {
    pub(super) name: Symbol,
    pub(super) ty: &'a TypeKind,
    pub(super) span: Span,
}

impl<'a> Slot<'a> {
    /// A parameter of tensors; of another sort none.
    pub(super) fn of(param: &'a ast::Param) -> Option<Slot<'a>> {
        let ty = &param.ty.as_ref()?.kind;
        let is = matches!(ty, TypeKind::Tensor { .. } | TypeKind::Record(_));
        is.then_some(Slot { name: param.name.name, ty, span: param.span })
    }
}

impl<'a> Checker<'a> {
    /// The axes given in brackets: `softmax[s](x)`.
    pub(super) fn bind_brackets(
        &mut self,
        caller: &mut Scope<'a>,
        def: &'a ast::Def,
        brackets: Option<&'a ast::Brackets>,
        scope: &mut Scope<'a>,
        binders: &mut Binders,
    ) -> bool {
        let Some(brackets) = brackets else { return true };
        if brackets.from.len() > def.axes.len() || brackets.to.is_some() {
            // Those before the last ones.
            let kept = brackets.from.len() - def.axes.len();
            let surplus = match (brackets.to.is_some() || def.axes.is_empty(), brackets.from.get(kept)) {
                (false, Some(first)) => Some(Span { end: first.span().start, ..brackets.from[0].span() }),
                _ => None,
            };
            self.report(name::too_many_axes(def.name.name, def.axes.len(), brackets.span, surplus));
            return false;
        }
        for (param, given) in def.axes.iter().zip(&brackets.from) {
            let Some(outer) = self.axis_at(caller, given, None) else { return false };
            // A slice or a window of a tensor may be of another size than the axis has by itself.
            let size = self.sizes.open(param.name.as_str());
            self.add_binder(scope, binders, param.name, Some(outer), (size, brackets.span));
        }
        true
    }

    /// An axis from the brackets that no argument has is as long as it is by itself.
    pub(super) fn size_brackets(&mut self, binders: &Binders) {
        for binder in binders.values() {
            if let Some(outer) = binder.outer
                && self.sizes.is_open(&binder.size)
            {
                let size = self.axes.size(outer);
                // An open size takes any.
                let _ = self.sizes.unify(&binder.size, &size);
            }
        }
    }

    pub(super) fn add_binder(
        &mut self,
        scope: &mut Scope<'a>,
        binders: &mut Binders,
        name: Symbol,
        outer: Option<AxisId>,
        (size, from): (Dim, Span),
    ) -> AxisId {
        let inner = self.axes.add(Some(name), size.clone());
        scope.axes.insert(name, inner);
        binders.insert(name, Binder { inner, outer, size, from, result: None });
        inner
    }

    /// A parameter of a static type, or of none.
    pub(super) fn bind_value(&mut self, scope: &mut Scope<'a>, param: &'a ast::Param, given: &Given<'a>) -> bool {
        let value = given.value.clone();
        let wanted = match param.ty.as_ref().map(|ty| &ty.kind) {
            None | Some(TypeKind::Error) => None,
            Some(TypeKind::Named(ident)) => match (ident.name.as_str(), &value) {
                ("int", Value::Int(_) | Value::Axis(_)) => None,
                ("float", Value::Float(_) | Value::Int(_) | Value::Tensor(_) | Value::Function(_)) => None,
                // One that nobody knows, where a definition is on its own.
                ("bool" | "string" | "layer", Value::Error) => None,
                ("bool", Value::Bool(_)) | ("string", Value::Str(_)) | ("layer", Value::Function(_)) => None,
                ("int", _) => Some("a whole number"),
                ("float", _) => Some("a number"),
                ("bool", _) => Some("true or false"),
                ("string", _) => Some("a text"),
                ("layer", _) => Some("a layer"),
                (word, _) => {
                    let is_of_a_tensor = DType::parse(word).is_some() || matches!(word, "logit" | "prob" | "index");
                    self.report(match is_of_a_tensor {
                        true => name::type_lacks_axes(*ident),
                        false => name::unknown_type(*ident, None),
                    });
                    return false;
                }
            },
            // Tensors and axes are bound before; `index(a)` alone says no axes.
            Some(TypeKind::Record(_) | TypeKind::Of(..) | TypeKind::Tensor { .. }) => {
                self.report(told::type_without_axes(
                    param.name.name,
                    param.ty.as_ref().map_or(param.span, |ty| ty.span),
                ));
                return false;
            }
        };
        if let Some(wanted) = wanted {
            let told = told::argument_type(param.name.name, wanted, value.describe(), given.span, param.span);
            let is_count = wanted == "a whole number";
            self.report(if is_count { self.no_whole(told, &value, given.span) } else { told });
            return false;
        }
        scope.bind(param.name.name, value);
        true
    }

    /// A parameter that was not given.
    pub(super) fn bind_default(
        &mut self,
        scope: &mut Scope<'a>,
        binders: &mut Binders,
        def: &'a ast::Def,
        param: &'a ast::Param,
    ) -> bool {
        // A missing argument without default was reported when arguments were put in place.
        let Some(default) = &param.default else { return false };
        let value = self.expr(scope, default);
        if value.is_error() {
            return false;
        }
        let given = Given { name: None, value, span: default.span };
        match (param.ty.as_ref().map(|ty| &ty.kind), &given.value) {
            // A number stands for itself, whatever axes a given tensor would have; its `rank` tells that none was.
            (Some(TypeKind::Tensor { .. }), Value::Int(_) | Value::Float(_)) => {
                scope.bind(param.name.name, given.value);
                true
            }
            _ if let Some(slot) = Slot::of(param) => {
                let Some(value) = self.bind_tensors(scope, binders, def, slot, &given, &mut Vec::new()) else {
                    return false;
                };
                scope.bind(param.name.name, value);
                true
            }
            _ => self.bind_value(scope, param, &given),
        }
    }

    /// `out: axis(i)`: an axis with a name of its own, or the axis `i` stands for in another size.
    pub(super) fn bind_axis(
        &mut self,
        scope: &mut Scope<'a>,
        binders: &mut Binders,
        param: &'a ast::Param,
        given: &Given<'a>,
    ) -> bool {
        let replaced = match param.ty.as_ref().map(|ty| &ty.kind) {
            Some(TypeKind::Of(_, of)) => binders.get(&of.name).and_then(|binder| binder.outer),
            _ => None,
        };
        let (outer, size) = match (&given.value, replaced) {
            (Value::Axis(axis), _) => (axis.id, axis.size.clone()),
            (Value::Int(size), Some(outer)) => (outer, size.clone()),
            (Value::Int(_), None) => {
                self.report(shape::axis_needs_name(param.name.name, given.span));
                return false;
            }
            (other, _) => {
                self.report(told::argument_type(param.name.name, "an axis", other.describe(), given.span, param.span));
                return false;
            }
        };
        if self.sizes.resolve(&size).as_const().is_some_and(|size| size < 0) {
            self.report(shape::negative_size(&self.sizes.show(&size), given.span, self.turned(given.span)));
            return false;
        }
        // A tensor may have bound it already: it has the axis that is given.
        if let Some(binder) = binders.get(&param.name.name).cloned() {
            let known = binder.outer.unwrap_or(binder.inner);
            if !self.axes.unite(outer, known) {
                let told = (self.axes.show(outer), self.axes.show(known));
                self.report(shape::axis_of_other(param.name.name, &told.0, &told.1, given.span, param.span));
                return false;
            }
            if let Err(mismatch) = self.sizes.unify(&binder.size, &size) {
                let told = shape::TwoSizes {
                    axis: self.axes.show(outer),
                    left: (self.sizes.show(&size), String::new(), given.span),
                    right: (self.sizes.show(&binder.size), String::new(), binder.from),
                };
                let literal = self.literal_of(given.span, &size).map(|literal| literal.span);
                let told = shape::declared_size(told, mismatch == Mismatch::Open, given.span, literal);
                self.unequal(mismatch, (&binder.size, &size), told);
                return false;
            }
            return true;
        }
        self.add_binder(scope, binders, param.name.name, Some(outer), (size, given.span));
        true
    }

    /// A parameter of tensors: one, or a record of them, as what it is inside.
    pub(super) fn bind_tensors(
        &mut self,
        scope: &mut Scope<'a>,
        binders: &mut Binders,
        def: &'a ast::Def,
        slot: Slot<'a>,
        given: &Given<'a>,
        sizes: &mut Vec<WrittenSize<'a>>,
    ) -> Option<Value<'a>> {
        let TypeKind::Record(types) = slot.ty else {
            return self.bind_tensor(scope, binders, def, slot, given, sizes);
        };
        let fields = match &given.value {
            Value::Record(fields) => fields,
            Value::Error => return None,
            other => {
                let told = told::argument_type(slot.name, "a record", other.describe(), given.span, slot.span);
                self.report(told);
                return None;
            }
        };
        // A record may have more than is asked for: what a model gives fits a loss of one part.
        let mut parts = Vec::new();
        for (name, ty) in types {
            let Some((_, value)) = fields.iter().find(|(field, _)| *field == name.name) else {
                let known: Vec<&str> = fields.iter().map(|(field, _)| field.as_str()).collect();
                self.report(told::argument_lacks_field(slot.name, *name, &known, given.span));
                return None;
            };
            let part = Slot { name: name.name, ty: &ty.kind, span: name.span };
            let given = Given { name: None, value: value.clone(), span: given.span };
            parts.push((name.name, self.bind_tensors(scope, binders, def, part, &given, sizes)?));
        }
        Some(Value::Record(parts))
    }

    /// A tensor parameter: its axes get the identities they have inside.
    fn bind_tensor(
        &mut self,
        scope: &mut Scope<'a>,
        binders: &mut Binders,
        def: &'a ast::Def,
        slot: Slot<'a>,
        given: &Given<'a>,
        sizes: &mut Vec<WrittenSize<'a>>,
    ) -> Option<Value<'a>> {
        let TypeKind::Tensor { prefix, of, axes: decls } = slot.ty else { return None };
        let id = self.tensor(given.value.clone(), given.span)?;
        let id = self.dtype_given(slot, prefix.as_ref(), id, given.span)?;
        let ty = self.ty(id).clone();
        if !self.kind_fits(binders, scope, slot, prefix.as_ref(), of.as_ref(), id, given.span) {
            return None;
        }
        let taken = self.match_axes(scope, binders, def, slot, decls, &ty, given.span)?;

        // Each axis of the argument, in its order, under the identity it has inside.
        let mut axes = ty.axes.clone();
        let mut fits = true;
        for (decl, at) in &taken {
            let AxisDecl::Axis { name: ident, size } = decl else { continue };
            let actual = ty.axes[*at].clone();
            let inner = match binders.get(&ident.name).cloned() {
                Some(binder) => {
                    if let Err(mismatch) = self.sizes.unify(&binder.size, &actual.size) {
                        let told = shape::TwoSizes {
                            axis: self.axes.show(actual.id),
                            left: (self.sizes.show(&binder.size), def.name.name.to_string(), slot.span),
                            right: (self.sizes.show(&actual.size), self.show_type(&ty), actual.from),
                        };
                        let known = self.known_sizes(std::slice::from_ref(&ty));
                        let mended = self.mended((slot.span, &binder.size), (actual.from, &actual.size));
                        let both = (&*told.axis, &binder.size, &actual.size);
                        let mended = mended.or_else(|| self.mended_in_signature(given.span, both));
                        let told = match mismatch {
                            Mismatch::Refuted => shape::two_sizes(told, given.span, known, mended),
                            Mismatch::Open => shape::sizes_unproved(told, given.span, known),
                        };
                        self.unequal(mismatch, (&actual.size, &binder.size), told);
                        fits = false;
                    }
                    if let Some(outer) = binder.outer {
                        self.axes.unite(outer, actual.id);
                    }
                    binder.inner
                }
                None => {
                    self.axes.name_if_open(actual.id, ident.name);
                    self.add_binder(scope, binders, ident.name, Some(actual.id), (actual.size.clone(), actual.from))
                }
            };
            axes[*at].id = inner;
            if let Some(expr) = size {
                sizes.push(WrittenSize { expr, axis: actual, given: given.span });
            }
        }
        if !fits {
            return None;
        }
        let kind = match (prefix.as_ref().map(|prefix| prefix.name.as_str()), of) {
            (Some("index"), Some(of)) => match binders.get(&of.name) {
                Some(binder) => Kind::Index(binder.inner),
                None => ty.kind,
            },
            (Some("logit"), _) => Kind::Logit,
            (Some("prob"), _) => Kind::Prob,
            _ => ty.kind,
        };
        let inside = self.push(ExprKind::Relabel(id), Type { dtype: ty.dtype, kind, axes }, given.span);
        Some(Value::Tensor(inside))
    }

    /// Which axis of the argument each declared axis is: one already bound, else by name, else by
    /// position from the right; what is left is the row.
    #[expect(clippy::too_many_arguments, reason = "the places a message speaks of")]
    fn match_axes<'t>(
        &mut self,
        scope: &mut Scope<'a>,
        binders: &Binders,
        def: &ast::Def,
        slot: Slot<'a>,
        decls: &'t [AxisDecl],
        ty: &Type,
        span: Span,
    ) -> Option<Vec<(&'t AxisDecl, usize)>> {
        let mut free: Vec<usize> = (0..ty.axes.len()).collect();
        let mut taken: Vec<(&AxisDecl, usize)> = Vec::new();
        let mut open: Vec<&AxisDecl> = Vec::new();
        for decl in decls {
            let AxisDecl::Axis { name: ident, .. } = decl else { continue };
            let bound = binders.get(&ident.name).and_then(|binder| binder.outer);
            let at = match bound {
                Some(outer) => free.iter().position(|&at| self.same_axis(ty.axes[at].id, outer)),
                None => free.iter().position(|&at| self.axes.name(ty.axes[at].id) == Some(ident.name)),
            };
            match at {
                Some(at) => taken.push((decl, free.remove(at))),
                None => open.push(decl),
            }
        }
        // A row at the end leaves the left; otherwise axes are counted from the right.
        let row_last = matches!(decls.last(), Some(AxisDecl::Row(_)));
        let has_row = decls.iter().any(|decl| matches!(decl, AxisDecl::Row(_)));
        let in_row = |axis: &Axis, row: &Option<Vec<Axis>>| match row {
            Some(row) => self.find_axis(row, axis.id).is_some(),
            None => false,
        };
        // The examples of a batch are no places to compute along, unless a signature means all axes there are.
        let batch = Symbol::new("batch");
        let in_row = |axis: &Axis, row| in_row(axis, row) || has_row && self.axes.name(axis.id) == Some(batch);
        let mut candidates: Vec<usize> = free.iter().copied().filter(|&at| !in_row(&ty.axes[at], &scope.row)).collect();
        if candidates.len() < open.len() || (!has_row && candidates.len() != open.len()) {
            // An axis that is bound already is the one to speak of.
            let bound = open.iter().find_map(|decl| match decl {
                AxisDecl::Axis { name, .. } => {
                    binders.get(&name.name)?.outer.filter(|&id| self.axes.name(id).is_some())
                }
                AxisDecl::Row(_) => None,
            });
            if let Some(outer) = bound {
                let told = (self.axes.show(outer), self.show_type(ty));
                let place = (span, self.is_stage(span));
                self.report(shape::lacks_axis(slot.name, &told.0, &told.1, place, slot.span));
                return None;
            }
            let wanted = show_decls(decls);
            let missing = open.last().filter(|_| candidates.len() < open.len()).and_then(|decl| match decl {
                AxisDecl::Axis { name, .. } => Some(name.name),
                AxisDecl::Row(_) => None,
            });
            let told = (&*wanted, &*self.show_type(ty));
            let place = (span, self.is_stage(span));
            self.report(shape::signature(def.name.name, slot.name, told, missing, place, slot.span));
            return None;
        }
        let picked: Vec<usize> = match row_last {
            true => candidates.drain(..open.len()).collect(),
            false => candidates.drain(candidates.len() - open.len()..).collect(),
        };
        for (decl, at) in open.into_iter().zip(picked) {
            let AxisDecl::Axis { name: ident, .. } = decl else { continue };
            // An axis already bound to another cannot be this one, unless the data left it unnamed.
            if let Some(outer) = binders.get(&ident.name).and_then(|binder| binder.outer)
                && self.axes.name(outer).is_some()
                && self.axes.name(ty.axes[at].id).is_some()
            {
                let told = (self.axes.show(outer), self.axes.show(ty.axes[at].id));
                let as_long =
                    Fact::Equal(self.sizes.resolve(&self.axes.size(outer)), self.sizes.resolve(&ty.axes[at].size));
                let named = match self.sizes.judge(&as_long) {
                    Truth::Proved => Some(shape::Named::Around(span, self.is_stage(span))),
                    _ => self.named_in_data(&told.1, None).map(shape::Named::There),
                };
                let actual = self.show_type(ty);
                let axes = (&*told.0, &*told.1);
                self.report(shape::another_axis(slot.name, axes, &actual, (span, named), slot.span));
                return None;
            }
            free.retain(|&other| other != at);
            taken.push((decl, at));
        }
        if !has_row {
            return Some(taken);
        }
        let rest: Vec<Axis> = free.iter().map(|&at| ty.axes[at].clone()).collect();
        match scope.row.clone() {
            None => scope.row = Some(rest),
            Some(row) => {
                if !self.same_row(&row, &rest) {
                    let shown = (&*self.show_axes(&row), &*self.show_axes(&rest));
                    let only = |these: &[Axis], others: &[Axis]| -> Vec<String> {
                        let lacks = |axis: &&Axis| self.find_axis(others, axis.id).is_none();
                        these.iter().filter(lacks).map(|axis| self.axes.show(axis.id)).collect()
                    };
                    let only = (&*only(&row, &rest), &*only(&rest, &row));
                    let place = (span, self.is_stage(span));
                    self.report(shape::rows_differ(def.name.name, slot.name, shown, only, place, slot.span));
                    return None;
                }
                for (a, b) in row.iter().zip(&rest) {
                    let other = self.find_axis(&rest, a.id).unwrap_or(b).clone();
                    if !self.same_size(a, &other, ty, ty, span) {
                        return None;
                    }
                }
            }
        }
        Some(taken)
    }

    /// Whether two rows have the same axes; one the data left unnamed becomes the one it lines up with.
    fn same_row(&mut self, a: &[Axis], b: &[Axis]) -> bool {
        if a.len() != b.len() {
            return false;
        }
        for (x, y) in a.iter().zip(b) {
            if self.find_axis(b, x.id).is_none() && !self.axes.unite(x.id, y.id) {
                return false;
            }
        }
        a.iter().all(|axis| self.find_axis(b, axis.id).is_some())
    }

    /// Whether an argument stands at the place of its call: it comes from the stage of a pipe before this one.
    pub(super) fn is_stage(&self, span: Span) -> bool {
        self.calls.last().is_some_and(|call| call.span == span)
    }

    /// What to leave out of the text, and the part of it to keep, for the scores of which probabilities were made.
    fn scores_of(&self, id: ExprId, span: Span) -> Option<(Span, Span)> {
        let made = self.exprs[id.0 as usize].span;
        let scores = *self.made_probable.get(&made)?;
        if made != scores {
            return Some((made, scores));
        }
        // A stage of a pipe, and the next one is at `span`.
        (self.is_stage(span) && made.start < span.start).then(|| (made.to(span), span))
    }

    /// Whether the kind of an argument fits what a parameter asks for.
    #[expect(clippy::too_many_arguments, reason = "the places a message speaks of")]
    fn kind_fits(
        &mut self,
        binders: &mut Binders,
        scope: &mut Scope<'a>,
        slot: Slot<'a>,
        prefix: Option<&ast::Ident>,
        of: Option<&ast::Ident>,
        id: ExprId,
        span: Span,
    ) -> bool {
        let Some(prefix) = prefix else { return true };
        let ty = &self.ty(id).clone();
        let actual = self.show_type(ty);
        match (prefix.name.as_str(), ty.kind) {
            ("logit", Kind::Plain | Kind::Logit) if ty.dtype.is_float() => true,
            ("prob", Kind::Prob) => true,
            ("index", Kind::Index(axis)) => {
                let Some(of) = of else { return true };
                match binders.get(&of.name).cloned() {
                    // The index says which axis it counts, and with it the size.
                    None => {
                        self.axes.name_if_open(axis, of.name);
                        let size = self.axes.size(axis);
                        self.add_binder(scope, binders, of.name, Some(axis), (size, span));
                        true
                    }
                    Some(binder) => {
                        let outer = binder.outer.unwrap_or(binder.inner);
                        let size = self.axes.size(axis);
                        if !self.axes.counts(axis, outer) {
                            let (counts, wanted) = (self.axes.show(axis), self.axes.show(outer));
                            let param = format!("`{}`", slot.name);
                            let places = self.index_places(span);
                            let told = kind::index_of_other(&param, (&counts, &wanted), span, slot.span, places);
                            self.report_once(told);
                            return false;
                        }
                        if self.sizes.unify(&binder.size, &size).is_err() {
                            let told = (self.sizes.show(&size), self.sizes.show(&binder.size));
                            let chosen = Some(binder.from).filter(|&from| !self.is_std(from));
                            let axis = self.axes.show(outer);
                            let literal = chosen
                                .and_then(|place| self.literal_of(place, &binder.size))
                                .map(|literal| literal.span);
                            let told = kind::index_size(slot.name, &axis, told, span, slot.span, (chosen, literal));
                            self.report(told);
                            return false;
                        }
                        true
                    }
                }
            }
            // It was converted to the dtype, or refused.
            (word, _) if DType::parse(word).is_some() => true,
            ("logit" | "prob" | "index", _) => {
                let outer = of.and_then(|of| binders.get(&of.name)?.outer);
                let counted = outer.map(|outer| self.axes.show(outer));
                // In the words of the caller, where its axis is known.
                let wanted = match (of, &counted) {
                    (Some(_), Some(axis)) => format!("index({axis})"),
                    (Some(of), None) => format!("index({})", of.name),
                    (None, _) => prefix.name.to_string(),
                };
                let made = self.scores_of(id, span);
                let place = (span, self.is_stage(span));
                self.report(kind::kind(slot.name, &wanted, &actual, place, (made, counted.as_deref()), slot.span));
                false
            }
            _ => {
                self.not_a_type(*prefix);
                false
            }
        }
    }

    /// Tells of a word before brackets that says neither a kind nor a dtype.
    pub(super) fn not_a_type(&mut self, prefix: ast::Ident) {
        self.report(name::unknown_type(prefix, Some(prefix.span)));
    }

    /// The sizes written in a signature against those of the arguments.
    pub(super) fn check_sizes(&mut self, scope: &mut Scope<'a>, sizes: Vec<WrittenSize<'a>>) -> bool {
        let mut fits = true;
        for WrittenSize { expr, axis, given } in sizes {
            let Some(written) = self.int_expr(scope, expr) else { return false };
            if let Err(mismatch) = self.sizes.unify(&written, &axis.size) {
                // In the definition it is a fact like those behind `where`.
                if mismatch == Mismatch::Open && self.own.is_some() && self.calls.len() == 1 {
                    self.sizes.suppose(&Fact::Equal(axis.size, written));
                    continue;
                }
                let told = shape::TwoSizes {
                    axis: self.axes.show(axis.id),
                    left: (self.sizes.show(&written), String::new(), expr.span),
                    right: (self.sizes.show(&axis.size), String::new(), axis.from),
                };
                let told = shape::declared_size(told, mismatch == Mismatch::Open, given, None);
                self.unequal(mismatch, (&axis.size, &written), told);
                fits = false;
            }
        }
        fits
    }
}

/// A written list of axes: `[.., i]`.
pub(super) fn show_decls(decls: &[AxisDecl]) -> String {
    let parts: Vec<String> = decls
        .iter()
        .map(|decl| match decl {
            AxisDecl::Row(_) => "..".to_owned(),
            AxisDecl::Axis { name, .. } => name.name.to_string(),
        })
        .collect();
    format!("[{}]", parts.join(", "))
}
