//! Reading where a tensor says: `wte[vocab = ids]`, `x[n = i - 1, fill = 1]`, `x[h = pos(h: 2 * h) // 2]`, and
//! `index[a](x)`, which makes such a tensor of numbers.
//!
//! In: a tensor, an axis of it, a tensor of places. Out: one `Gather`, of which every place is known to be one of the
//! axis: by its kind, by the bounds of what is written, because a number outside reads `fill`, or because a run checks it.

use crate::base::Span;
use crate::diag::{kind, name, reading, shape};
use crate::ir::{Dim, Fact, SizeOverflow, Truth};
use crate::ops::{Cmp, MapOp, ReduceOp};
use crate::sema::dtype::DType;
use crate::sema::typed::{Axis, AxisId, Check, ExprId, ExprKind, Fun, Kind, Type};
use crate::sema::value::{AxisArg, Scope, Value};
use crate::syntax::ast::{self, BinaryOp, ExprKind as Ast, Ix, UnaryOp};

use super::builtin::PrimitiveCall;
use super::checker::{Checker, scalar_type};
use super::window::can_hold;

impl<'a> Checker<'a> {
    /// The value of `fill` among the entries of brackets.
    pub(super) fn fill(&mut self, scope: &mut Scope<'a>, fills: &[&'a Ix]) -> Result<Option<f64>, ()> {
        let mut fill: Option<(f64, Span)> = None;
        let mut before: Option<Span> = None;
        for ix in fills {
            let Ix::Set(ident, at) = ix else { continue };
            let value = self.expr(scope, at);
            if let Value::Tensor(_) = value {
                let told = crate::diag::value::expected("a number", value.describe(), at.span);
                self.report(crate::diag::offer::fill_of_zero(told, at.span));
                return Err(());
            }
            let number = self.static_number(&value, at.span).ok_or(())?;
            if let Some((_, first)) = fill.replace((number, at.span)) {
                let told = name::argument_twice(ident.name, at.span, first);
                self.report(name::leave_out(told, before, at.span));
                return Err(());
            }
            before = Some(at.span);
        }
        Ok(fill.map(|(number, _)| number))
    }

    /// `x[axis = index]`
    pub(super) fn read_at(
        &mut self,
        scope: &mut Scope<'a>,
        x: ExprId,
        axis: &Axis,
        (index, at): (ExprId, &'a ast::Expr),
        fill: Option<f64>,
        span: Span,
    ) -> Value<'a> {
        if self.is_streamed(axis.id) {
            self.sees_along(span);
            return Value::Error;
        }
        if let Some(fill) = fill {
            return self.read_or_fill(x, axis, (index, at.span), fill, span);
        }
        let is_computed = self.computes_with_pos(scope, at);
        if !is_computed {
            return self.gather(x, axis, index, at.span, span);
        }
        match self.bounds(scope, at) {
            Some(Ok((low, high))) => {
                let left = axis.size.sub(&Dim::ONE).and_then(|last| last.sub(&high));
                let inside = left.is_ok_and(|left| {
                    self.sizes.facts.is_nonnegative(&self.sizes.resolve(&low))
                        && self.sizes.facts.is_nonnegative(&self.sizes.resolve(&left))
                });
                if !inside {
                    let places = Some((self.sizes.show(&low), self.sizes.show(&high)));
                    let last = axis.size.sub(&Dim::ONE).map_or_else(|_| String::new(), |last| self.sizes.show(&last));
                    let name = self.axes.show(axis.id);
                    return self.fail(reading::window_outside(&name, places, &last, false, at.span, span));
                }
            }
            Some(Err(SizeOverflow)) => return self.fail(shape::overflow(at.span)),
            None => {
                let told = kind::index_needs_kind(&self.axes.show(axis.id), &self.show_type(self.ty(index)), at.span);
                return self.fail(told);
            }
        }
        let index = self.as_index(index, axis.id, at.span);
        self.gather(x, axis, index, at.span, span)
    }

    /// `x[axis = index, fill = 0]`: what is outside is the fill.
    pub(super) fn read_or_fill(
        &mut self,
        x: ExprId,
        axis: &Axis,
        (index, index_span): (ExprId, Span),
        fill: f64,
        span: Span,
    ) -> Value<'a> {
        let ty = self.ty(x).clone();
        let x = if can_hold(&ty, Some(fill)) { x } else { self.computed(x, span) };
        let Some((inside, clamped)) = self.clamped(index, axis, index_span) else { return Value::Error };
        let Value::Tensor(read) = self.gather(x, axis, clamped, index_span, span) else { return Value::Error };
        let Type { axes, dtype, kind } = self.ty(read).clone();
        let is_zero = fill == 0.0;
        let fill = self.number(fill, dtype, span);
        let chosen = self.map(Fun::Map(MapOp::Select), vec![inside, read, fill], axes, dtype, span);
        // Only 0 is known to be below the size of every axis.
        if !matches!(kind, Kind::Index(_)) || is_zero {
            self.exprs[chosen.0 as usize].ty.kind = kind;
        }
        Value::Tensor(chosen)
    }

    /// Whether each number is a place of an axis, and the nearest place to it.
    fn clamped(&mut self, x: ExprId, axis: &Axis, span: Span) -> Option<(ExprId, ExprId)> {
        let number = self.computed(x, span);
        let axes = self.ty(number).axes.clone();
        let size = self.tensor(Value::Int(axis.size.clone()), span)?;
        let (zero, one) = (self.number(0.0, DType::F32, span), self.number(1.0, DType::F32, span));
        let last = self.map(Fun::Map(MapOp::Sub), vec![size, one], Vec::new(), DType::F32, span);
        let mut truth = |op, parts| self.map(Fun::Map(MapOp::Cmp(op)), parts, axes.clone(), DType::Bool, span);
        let (above, below) = (truth(Cmp::Le, vec![zero, number]), truth(Cmp::Lt, vec![number, size]));
        let inside = self.map(Fun::Map(MapOp::And), vec![above, below], axes.clone(), DType::Bool, span);
        let low = self.map(Fun::Map(MapOp::Max), vec![number, zero], axes.clone(), DType::F32, span);
        let place = self.map(Fun::Map(MapOp::Min), vec![low, last], axes, DType::F32, span);
        Some((inside, self.as_index(place, axis.id, span)))
    }

    /// Numbers that are known to be places of an axis, as such.
    fn as_index(&mut self, x: ExprId, axis: AxisId, span: Span) -> ExprId {
        let axes = self.ty(x).axes.clone();
        let place = self.as_dtype(x, DType::I32, span);
        self.push(ExprKind::Relabel(place), Type { dtype: DType::I32, kind: Kind::Index(axis), axes }, span)
    }

    /// `index[a](x)`: numbers as places of an axis, each cut to a whole number; a run in which one is outside ends.
    pub(super) fn checked_index(&mut self, scope: &mut Scope<'a>, call: PrimitiveCall<'_, 'a>) -> Value<'a> {
        let PrimitiveCall { f, mut args, span } = call;
        let Some(axes) = self.written_axes(scope, f.brackets, span) else { return Value::Error };
        let ([axis], Some(given)) = (&axes[..], args.pop()) else {
            let known = if axes.is_empty() { self.input_axes(scope, f.span) } else { axes };
            return self.fail(self.no_axis(f, &known));
        };
        if let Value::Int(place) = &given.value {
            if !self.in_range(place, axis, false, given.span) {
                return Value::Error;
            }
            let Some(place) = self.tensor(given.value, given.span) else { return Value::Error };
            return Value::Tensor(self.as_index(place, axis.id, span));
        }
        let Some(x) = self.tensor(given.value, given.span) else { return Value::Error };
        let number = self.computed(x, given.span);
        let Some((_, index)) = self.clamped(number, axis, span) else { return Value::Error };
        if !self.alone {
            let all: Vec<AxisId> = self.ty(number).axes.iter().map(|axis| axis.id).collect();
            // Nothing that is computed is made of the extremes, so they may look along a sequence that is being written.
            let stream = self.stream.take();
            let mut extreme = |op| match all.is_empty() {
                true => number,
                false => {
                    let ty = scalar_type(self.ty(number).dtype);
                    self.push(ExprKind::Reduce(op, all.clone(), number), ty, span)
                }
            };
            let extremes = [extreme(ReduceOp::Min), extreme(ReduceOp::Max)];
            // What the run looks at is an f32; just below a size an f64 would become the size.
            let [least, most] = extremes.map(|extreme| {
                let whole = self.map(Fun::Map(MapOp::Floor), vec![extreme], Vec::new(), DType::F32, span);
                let whole = if self.ty(extreme).dtype == DType::F64 { whole } else { extreme };
                self.as_dtype(whole, DType::F32, span)
            });
            self.stream = stream;
            let (axis, size) = (self.axes.show(axis.id), axis.size.clone());
            let (of, span) = (self.asker, self.user_span(span));
            self.check_places(Check { least, most, axis, size, of, span });
        }
        Value::Tensor(index)
    }

    /// The least and the greatest value of arithmetic on positions; none where this does not say it.
    fn bounds(&mut self, scope: &mut Scope<'a>, expr: &'a ast::Expr) -> Option<Result<(Dim, Dim), SizeOverflow>> {
        if !self.computes_with_pos(scope, expr) {
            let (Value::Int(size) | Value::Axis(AxisArg { size, .. })) = self.expr(scope, expr) else { return None };
            return Some(Ok((size.clone(), size)));
        }
        match &expr.kind {
            Ast::Call(_, args) => {
                let axis = self.pos_axis(scope, args, expr.span)?;
                let size = match &self.stream {
                    Some(stream) if self.is_streamed(axis.id) => stream.size.clone(),
                    _ => axis.size,
                };
                Some(size.sub(&Dim::ONE).map(|last| (Dim::ZERO, last)))
            }
            Ast::Unary(UnaryOp::Neg, x) => {
                Some(self.bounds(scope, x)?.and_then(|(low, high)| Ok((Dim::ZERO.sub(&high)?, Dim::ZERO.sub(&low)?))))
            }
            Ast::Chain(first, rest) => {
                let mut sum = self.bounds(scope, first)?;
                for (op, _, operand) in rest {
                    let right = self.bounds(scope, operand)?;
                    sum = match (sum, right) {
                        (Ok(left), Ok(right)) => self.combined(*op, left, right)?,
                        (Err(overflow), _) | (_, Err(overflow)) => Err(overflow),
                    };
                }
                Some(sum)
            }
            _ => None,
        }
    }

    /// The bounds of one operation, where they follow.
    fn combined(&self, op: BinaryOp, a: (Dim, Dim), b: (Dim, Dim)) -> Option<Result<(Dim, Dim), SizeOverflow>> {
        let both = |low: Result<Dim, SizeOverflow>, high: Result<Dim, SizeOverflow>| {
            Some(low.and_then(|low| Ok((low, high?))))
        };
        let is_positive = || b.0 == b.1 && self.sizes.judge(&Fact::AtMost(Dim::ONE, b.0.clone())) == Truth::Proved;
        match op {
            BinaryOp::Add => both(a.0.add(&b.0), a.1.add(&b.1)),
            BinaryOp::Sub => both(a.0.sub(&b.1), a.1.sub(&b.0)),
            BinaryOp::Mul if is_positive() => both(a.0.mul(&b.0), a.1.mul(&b.0)),
            BinaryOp::FloorDiv if is_positive() => both(a.0.floor_div(&b.0), a.1.floor_div(&b.0)),
            BinaryOp::Mod if is_positive() => both(Ok(Dim::ZERO), b.0.sub(&Dim::ONE)),
            _ => None,
        }
    }

    /// `table[axis = index]`, where the index counts the axis.
    fn gather(&mut self, table: ExprId, axis: &Axis, index: ExprId, index_span: Span, span: Span) -> Value<'a> {
        let (ty, index_ty) = (self.ty(table).clone(), self.ty(index).clone());
        let Kind::Index(counts) = index_ty.kind else {
            return self.fail(kind::index_needs_kind(&self.axes.show(axis.id), &self.show_type(&index_ty), index_span));
        };
        if index_ty.dtype != DType::I32 || !self.axes.counts(counts, axis.id) {
            let told = (self.axes.show(counts), self.axes.show(axis.id));
            let places = self.index_places(index_span);
            return self.fail(kind::index_of_other("the index", (&told.0, &told.1), index_span, span, places));
        }
        let size = self.axes.size(counts);
        if self.sizes.unify(&axis.size, &size).is_err() {
            let told = (self.sizes.show(&size), self.sizes.show(&axis.size));
            return self.fail(kind::index_size(
                "the index".into(),
                &self.axes.show(axis.id),
                told,
                index_span,
                span,
                (None, self.literal_of(axis.from, &axis.size).map(|literal| literal.span)),
            ));
        }
        // The axis of the places may be the one that is read, as in an order of it: while both are there, it is another.
        if let Some(at) = index_ty.axes.iter().position(|own| self.same_axis(own.id, axis.id)) {
            let own = index_ty.axes[at].clone();
            let mut renamed = index_ty;
            renamed.axes[at].id = self.axes.add(self.axes.name(own.id), own.size.clone());
            let index = self.push(ExprKind::Relabel(index), renamed.clone(), span);
            let Value::Tensor(read) = self.gather(table, axis, index, index_span, span) else { return Value::Error };
            let mut ty = self.ty(read).clone();
            for axis in ty.axes.iter_mut().filter(|axis| axis.id == renamed.axes[at].id) {
                *axis = own.clone();
            }
            return Value::Tensor(self.push(ExprKind::Relabel(read), ty, span));
        }
        let others: Vec<Axis> = ty.axes.iter().filter(|other| other.id != axis.id).cloned().collect();
        for other in &others {
            if let Some(axis) = self.find_axis(&index_ty.axes, other.id).cloned()
                && !self.same_size(other, &axis, &ty, &index_ty, span)
            {
                return Value::Error;
            }
        }
        let own = others.iter().filter(|other| self.find_axis(&index_ty.axes, other.id).is_none()).cloned();
        let axes = index_ty.axes.iter().cloned().chain(own).collect();
        Value::Tensor(self.push(ExprKind::Gather { table, axis: axis.id, index }, Type { axes, ..ty }, span))
    }
}

/// Whether an entry of brackets is `fill = …`.
pub(super) fn is_fill(ix: &Ix) -> bool {
    matches!(ix, Ix::Set(ident, _) if ident.name.as_str() == "fill")
}
