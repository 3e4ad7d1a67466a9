//! What a recursion gives whose end nobody knows: what its signature says.
//!
//! In: a use of a definition within itself, where it is elaborated on its own. Out: a value of the declared type.

use crate::base::Span;
use crate::sema::dtype::DType;
use crate::sema::typed::{Axis, ExprKind, Kind};
use crate::sema::value::{Scope, Value};
use crate::syntax::ast::{self, AxisDecl, TypeKind};

use super::bind::Binders;
use super::checker::{Checker, plain};

impl<'a> Checker<'a> {
    /// Whether a use stands inside a use of the same definition, with a whole number that nobody knows: it has no end.
    /// What it gives is then what its signature says, as in a proof by induction; the facts are judged where the
    /// number is known.
    pub(super) fn is_assumed(&self, scope: &Scope<'a>, def: &ast::Def) -> bool {
        let is_inside = || self.calls.iter().rev().skip(1).any(|call| call.def == def.name.span);
        let is_unknown = |param: &ast::Param| match scope.find(param.name.name) {
            Some(Value::Int(size)) => size.as_const().is_none(),
            _ => false,
        };
        self.alone && is_inside() && def.config.iter().flatten().chain(&def.inputs).any(is_unknown)
    }

    /// What the signature of a definition says of its result.
    pub(super) fn assumed(
        &mut self,
        caller: &mut Scope<'a>,
        scope: &mut Scope<'a>,
        binders: &Binders,
        def: &'a ast::Def,
        span: Span,
    ) -> Value<'a> {
        let declared = def.result.as_ref().and_then(|ty| self.assumed_tensors(scope, binders, &ty.kind, span));
        match declared {
            Some(value) => self.result(caller, scope, binders, def, value, span),
            None => Value::Error,
        }
    }

    fn assumed_tensors(
        &mut self,
        scope: &Scope<'a>,
        binders: &Binders,
        ty: &TypeKind,
        span: Span,
    ) -> Option<Value<'a>> {
        let decls = match ty {
            TypeKind::Tensor { axes, .. } => axes,
            TypeKind::Record(fields) => {
                let fields = fields
                    .iter()
                    .map(|(name, ty)| Some((name.name, self.assumed_tensors(scope, binders, &ty.kind, span)?)));
                return fields.collect::<Option<_>>().map(Value::Record);
            }
            _ => return None,
        };
        let mut axes = Vec::new();
        for decl in decls {
            match decl {
                AxisDecl::Row(_) => axes.extend(scope.row.clone()?),
                AxisDecl::Axis { name, .. } => {
                    let binder = binders.get(&name.name)?;
                    let size = binder.result.as_ref().map_or(&binder.size, |(size, _)| size).clone();
                    axes.push(Axis { id: binder.inner, size, from: span });
                }
            }
        }
        let mut of_type = plain(axes);
        // Any value may be a class where a signature says so, but for one that counts something else.
        if let TypeKind::Tensor { prefix: Some(prefix), of: Some(of), .. } = ty
            && prefix.name.as_str() == "index"
        {
            (of_type.dtype, of_type.kind) = (DType::I32, Kind::Index(binders.get(&of.name)?.inner));
        }
        Some(Value::Tensor(self.push(ExprKind::Input(0), of_type, span)))
    }
}
