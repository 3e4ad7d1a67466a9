//! `topk[a -> k: 2](x)` and `sort[a](x)`: values in order, and which elements they are.
//!
//! In: a tensor and one of its axes. Out: a record of the values and of their places, an index of the axis. Which
//! element comes where is one expression, and the values are read by it.

use crate::base::Span;
use crate::diag::{name, reading, shape, value as told};
use crate::sema::dtype::DType;
use crate::sema::typed::{Axis, AxisId, ExprId, ExprKind, Kind, Type};
use crate::sema::value::{Given, Scope, Value};
use crate::syntax::ast::{Brackets, Ix};

use super::builtin::PrimitiveCall;
use super::checker::Checker;

impl<'a> Checker<'a> {
    /// `topk[a -> k: 2](x)`: the largest first.
    pub(super) fn top_k(&mut self, scope: &mut Scope<'a>, call: PrimitiveCall<'_, 'a>) -> Value<'a> {
        let PrimitiveCall { f, args, span } = call;
        let Some(x) = self.first_tensor(args) else { return Value::Error };
        let x = self.to_float(x, span);
        let ty = self.ty(x).clone();
        let Some(Brackets { from, to: Some(to), .. }) = f.brackets else {
            let last = f.brackets.and_then(|brackets| brackets.from.last());
            let wanted = last.map(|last| (last.span(), " -> k: 1".to_owned()));
            return self.fail(name::arrow_expected(f.span.to(span), wanted));
        };
        let ([from], [to]) = (&from[..], &to[..]) else {
            return self.fail(told::wrong_count(1, from.len().max(to.len()), f.span));
        };
        let Some(axis) = self.axis_of(scope, from, &ty) else { return Value::Error };
        let place = match to {
            Ix::Axis(ident, size, None) => {
                let Some(size) = self.int_expr(scope, size) else { return Value::Error };
                Axis { id: self.intern_axis(scope, ident.name, &size), size, from: ident.span }
            }
            other => match self.axis_at(scope, other, None) {
                Some(id) => Axis { id, size: self.axes.size(id), from: other.span() },
                None => return Value::Error,
            },
        };
        let left = self.sizes.resolve(&axis.size).sub(&self.sizes.resolve(&place.size)).ok();
        let below = self.sizes.resolve(&place.size).as_const().is_some_and(|count| count < 0);
        if below || left.and_then(|left| left.as_const()).is_some_and(|left| left < 0) {
            let sizes = (self.sizes.show(&place.size), self.sizes.show(&axis.size));
            let count = match to {
                Ix::Axis(_, count, _) => count.span,
                other => other.span(),
            };
            return self.fail(reading::too_many_places(&self.axes.show(axis.id), sizes, count));
        }
        let value = self.ordered(x, &axis, place.clone(), true, span);
        let Value::Record(fields) = &value else { return value };
        let Some((_, Value::Tensor(first))) = fields.first() else { return value };
        match self.repeated(&self.ty(*first).axes) {
            Some(axis) => {
                let renamed = shape::Renamed::There(place.from);
                self.fail(shape::duplicate_axis(&axis, "`topk`".into(), span, renamed))
            }
            None => value,
        }
    }

    /// `sort[a](x)`, `sort[a](x, descending = true)`
    pub(super) fn sort(
        &mut self,
        scope: &mut Scope<'a>,
        call: PrimitiveCall<'_, 'a>,
        options: Vec<Given<'a>>,
    ) -> Value<'a> {
        let descending = match options.first().map(|option| (&option.value, option.span)) {
            None => false,
            Some((Value::Bool(value), _)) => *value,
            Some((Value::Error, _)) => return Value::Error,
            Some((other, span)) => {
                let known = match other {
                    Value::Int(dim) => self.sizes.resolve(dim).as_const().map(|value| value != 0),
                    _ => None,
                };
                let told = match known {
                    Some(_) => told::truth_expected(other.describe(), span, known),
                    None => told::expected("true or false", other.describe(), span),
                };
                return self.fail(told);
            }
        };
        let span = call.span;
        let Some((x, axis, _)) = self.along_one(scope, call) else { return Value::Error };
        let Some(axis) = self.find_axis(&self.ty(x).axes, axis).cloned() else { return Value::Error };
        // While values are read by places, the places have an axis of their own.
        let own = self.axes.add(self.axes.name(axis.id), axis.size.clone());
        let value = self.ordered(x, &axis, Axis { id: own, ..axis.clone() }, descending, span);
        let Value::Record(fields) = value else { return value };
        let named = fields.into_iter().map(|(field, value)| match value {
            Value::Tensor(id) => (field, Value::Tensor(self.under(id, own, axis.id, span))),
            other => (field, other),
        });
        Value::Record(named.collect())
    }

    /// The record of what stands at the places of an order.
    fn ordered(&mut self, x: ExprId, axis: &Axis, place: Axis, descending: bool, span: Span) -> Value<'a> {
        let ty = self.ty(x).clone();
        let axes: Vec<Axis> =
            ty.axes.iter().map(|own| if own.id == axis.id { place.clone() } else { own.clone() }).collect();
        let index_ty = Type { dtype: DType::I32, kind: Kind::Index(axis.id), axes: axes.clone() };
        let index = self.push(ExprKind::Sorted { x, axis: axis.id, descending }, index_ty, span);
        let value = self.push(ExprKind::Gather { table: x, axis: axis.id, index }, Type { axes, ..ty }, span);
        Value::Record(vec![("value".into(), Value::Tensor(value)), ("index".into(), Value::Tensor(index))])
    }

    /// The same tensor with one axis under another identity.
    fn under(&mut self, x: ExprId, from: AxisId, to: AxisId, span: Span) -> ExprId {
        let mut ty = self.ty(x).clone();
        ty.axes.iter_mut().filter(|axis| axis.id == from).for_each(|axis| axis.id = to);
        self.push(ExprKind::Relabel(x), ty, span)
    }
}
