//! Numbers that are known, and elementwise operations on those that are not: products join axes, sums
//! agree on them.

use crate::base::Span;
use crate::diag::{shape, value as told};
use crate::ir::{Dim, Fact, Truth};
use crate::ops::{Cmp, MapOp};
use crate::sema::dims::Mismatch;
use crate::sema::dtype::DType;
use crate::sema::typed::{Axis, ExprId, ExprKind, Fun, Kind, Type};
use crate::sema::value::{AxisArg, Value};
use crate::syntax::ast::{BinaryOp, UnaryOp};

use super::checker::Checker;

impl<'a> Checker<'a> {
    /// `-x`, `not x`
    pub(super) fn unary(&mut self, op: UnaryOp, value: Value<'a>, span: Span) -> Value<'a> {
        match (op, value) {
            (_, Value::Error) => Value::Error,
            (UnaryOp::Neg, Value::Float(value)) => Value::Float(-value),
            (UnaryOp::Neg, Value::Int(dim)) => match Dim::ZERO.sub(&dim) {
                Ok(dim) => Value::Int(dim),
                Err(_) => self.fail(shape::overflow(span)),
            },
            (UnaryOp::Not, Value::Bool(value)) => Value::Bool(!value),
            (UnaryOp::Neg, value) => {
                let Some(x) = self.tensor(value, span) else { return Value::Error };
                let axes = self.ty(x).axes.clone();
                Value::Tensor(self.map(Fun::Map(MapOp::Neg), vec![x], axes, DType::F32, span))
            }
            (UnaryOp::Not, value) => {
                let Some(x) = self.truth(value, span) else { return Value::Error };
                let axes = self.ty(x).axes.clone();
                Value::Tensor(self.map(Fun::Map(MapOp::Not), vec![x], axes, DType::Bool, span))
            }
        }
    }

    /// One operator between two values.
    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        (left, left_span): (Value<'a>, Span),
        (right, right_span): (Value<'a>, Span),
    ) -> Value<'a> {
        let span = left_span.to(right_span);
        if left.is_error() || right.is_error() {
            return Value::Error;
        }
        if let Some(value) = self.fold(op, &left, &right, span) {
            return value;
        }
        if matches!(op, BinaryOp::And | BinaryOp::Or) {
            let (Some(a), Some(b)) = (self.truth(left, left_span), self.truth(right, right_span)) else {
                return Value::Error;
            };
            let Some(axes) = self.union(&[a, b], span) else { return Value::Error };
            let op = if op == BinaryOp::And { MapOp::And } else { MapOp::Or };
            return Value::Tensor(self.map(Fun::Map(op), vec![a, b], axes, DType::Bool, span));
        }
        let (Some(a), Some(b)) = (self.tensor(left, left_span), self.tensor(right, right_span)) else {
            return Value::Error;
        };
        let spans = [left_span, right_span];
        let compare = |op, swap: bool| (Fun::Map(MapOp::Cmp(op)), swap);
        let (fun, swap) = match op {
            BinaryOp::Add => (Fun::Map(MapOp::Add), false),
            BinaryOp::Sub => (Fun::Map(MapOp::Sub), false),
            BinaryOp::Mul => (Fun::Map(MapOp::Mul), false),
            BinaryOp::Div => (Fun::Map(MapOp::Div), false),
            BinaryOp::FloorDiv => (Fun::FloorDiv, false),
            BinaryOp::Mod => (Fun::Mod, false),
            BinaryOp::Pow => (Fun::Map(MapOp::Pow), false),
            BinaryOp::Lt => compare(Cmp::Lt, false),
            BinaryOp::Le => compare(Cmp::Le, false),
            BinaryOp::Gt => compare(Cmp::Lt, true),
            BinaryOp::Ge => compare(Cmp::Le, true),
            BinaryOp::Eq => compare(Cmp::Eq, false),
            BinaryOp::Ne => compare(Cmp::Ne, false),
            BinaryOp::And | BinaryOp::Or => return Value::Error,
            BinaryOp::Divides => return self.fail(self.divides_elements((left_span, right_span), span)),
        };
        let is_comparison = matches!(fun, Fun::Map(MapOp::Cmp(_)));
        let axes = match op {
            BinaryOp::Mul => self.union(&[a, b], span),
            _ if is_comparison => self.union(&[a, b], span),
            _ => self.contain(&[a, b], &spans, op.sign(), op_span),
        };
        let Some(axes) = axes else { return Value::Error };
        let dtype = if is_comparison { DType::Bool } else { DType::F32 };
        let parts = if swap { vec![b, a] } else { vec![a, b] };
        Value::Tensor(self.elementwise(fun, parts, axes, dtype, span))
    }

    /// The result when both are known.
    fn fold(&mut self, op: BinaryOp, left: &Value<'a>, right: &Value<'a>, span: Span) -> Option<Value<'a>> {
        if let (Value::Bool(a), Value::Bool(b)) = (left, right) {
            let value = match op {
                BinaryOp::And => *a && *b,
                BinaryOp::Or => *a || *b,
                BinaryOp::Eq => a == b,
                BinaryOp::Ne => a != b,
                _ => return None,
            };
            return Some(Value::Bool(value));
        }
        if let (Value::Str(a), Value::Str(b)) = (left, right) {
            return match op {
                BinaryOp::Eq => Some(Value::Bool(a == b)),
                BinaryOp::Ne => Some(Value::Bool(a != b)),
                _ => None,
            };
        }
        let size = |value: &Value<'a>| match value {
            Value::Int(dim) | Value::Axis(AxisArg { size: dim, .. }) => Some(self.sizes.resolve(dim)),
            _ => None,
        };
        if let (Some(a), Some(b)) = (size(left), size(right)) {
            return self.fold_sizes(op, &a, &b, span);
        }
        let number = |value: &Value<'a>| match value {
            Value::Float(value) => Some(*value),
            other => size(other).and_then(|dim| dim.as_const()).map(|value| value as f64),
        };
        let (a, b) = (number(left)?, number(right)?);
        Some(match op {
            BinaryOp::Add => Value::Float(a + b),
            BinaryOp::Sub => Value::Float(a - b),
            BinaryOp::Mul => Value::Float(a * b),
            BinaryOp::Div => Value::Float(a / b),
            BinaryOp::FloorDiv => Value::Float((a / b).floor()),
            BinaryOp::Mod => Value::Float(a - b * (a / b).floor()),
            BinaryOp::Pow => Value::Float(a.powf(b)),
            BinaryOp::Lt => Value::Bool(a < b),
            BinaryOp::Le => Value::Bool(a <= b),
            BinaryOp::Gt => Value::Bool(a > b),
            BinaryOp::Ge => Value::Bool(a >= b),
            BinaryOp::Eq => Value::Bool(a == b),
            BinaryOp::Ne => Value::Bool(a != b),
            BinaryOp::And | BinaryOp::Or | BinaryOp::Divides => return None,
        })
    }

    fn fold_sizes(&mut self, op: BinaryOp, a: &Dim, b: &Dim, span: Span) -> Option<Value<'a>> {
        if let Some(fact) = fact_of(op, a, b) {
            return match self.sizes.judge(&fact) {
                Truth::Proved => Some(Value::Bool(true)),
                Truth::Refuted => Some(Value::Bool(false)),
                // A comparison that only the run decides is a number of the run; no such number says what divides.
                Truth::Open if op == BinaryOp::Divides => Some(self.undecided(&fact, span)),
                Truth::Open => None,
            };
        }
        let dim = match op {
            BinaryOp::Add => a.add(b),
            BinaryOp::Sub => a.sub(b),
            BinaryOp::Mul => a.mul(b),
            BinaryOp::FloorDiv => a.floor_div(b),
            BinaryOp::Mod => a.modulo(b),
            BinaryOp::Div => {
                return match (self.sizes.facts.exact(a, b), a.as_const(), b.as_const()) {
                    (_, Some(a), Some(0)) => Some(Value::Float(a as f64 / 0.0)),
                    (Some(quotient), ..) => Some(Value::Int(quotient)),
                    (None, Some(a), Some(b)) => Some(Value::Float(a as f64 / b as f64)),
                    _ => None,
                };
            }
            BinaryOp::Pow if a.as_const().is_none() || b.as_const().is_none() => return self.power(a, b),
            BinaryOp::Pow => {
                let (base, exponent) = (a.as_const()?, b.as_const()?);
                let power = u32::try_from(exponent).ok().and_then(|exponent| base.checked_pow(exponent));
                return Some(match power {
                    Some(power) => Value::Int(Dim::constant(power)),
                    None => Value::Float((base as f64).powf(exponent as f64)),
                });
            }
            BinaryOp::Divides
            | BinaryOp::Lt
            | BinaryOp::Le
            | BinaryOp::Gt
            | BinaryOp::Ge
            | BinaryOp::Eq
            | BinaryOp::Ne
            | BinaryOp::And
            | BinaryOp::Or => return None,
        };
        Some(match dim {
            Ok(dim) => Value::Int(dim),
            Err(_) => self.fail(shape::overflow(span)),
        })
    }

    /// `b^n` of sizes that are symbols, where a definition is on its own and the power is a whole number.
    fn power(&self, base: &Dim, exponent: &Dim) -> Option<Value<'a>> {
        let is_whole = self.sizes.facts.is_nonnegative(base) && self.sizes.facts.is_nonnegative(exponent);
        if !self.alone || !is_whole || *base == Dim::ZERO {
            return None;
        }
        Some(Value::Int(base.power(exponent).ok()?))
    }

    // ---- elementwise operations

    /// As `map`, with what only the host has spelled out for tensors.
    pub(super) fn elementwise(
        &mut self,
        fun: Fun,
        parts: Vec<ExprId>,
        axes: Vec<Axis>,
        dtype: DType,
        span: Span,
    ) -> ExprId {
        let host = parts.iter().all(|part| self.exprs[part.0 as usize].host);
        if host || !matches!(fun, Fun::FloorDiv | Fun::Mod) {
            return self.map(fun, parts, axes, dtype, span);
        }
        // Rounded once, in the end.
        let met = self.met(&parts);
        let [a, b] = [parts[0], parts[1]].map(|part| self.as_dtype(part, met.computed(), span));
        // a // b = floor(a / b)
        let ratio = self.map(Fun::Map(MapOp::Div), vec![a, b], axes.clone(), dtype, span);
        let mut value = self.map(Fun::Map(MapOp::Floor), vec![ratio], axes.clone(), dtype, span);
        if fun == Fun::Mod {
            // a % b = a - b · floor(a / b)
            let multiple = self.map(Fun::Map(MapOp::Mul), vec![b, value], axes.clone(), dtype, span);
            value = self.map(Fun::Map(MapOp::Sub), vec![a, multiple], axes, dtype, span);
        }
        self.as_dtype(value, met, span)
    }

    /// A value as a tensor of truth values.
    pub(super) fn truth(&mut self, value: Value<'a>, span: Span) -> Option<ExprId> {
        let what = value.describe();
        let id = self.tensor(value, span)?;
        if self.ty(id).dtype != DType::Bool {
            let is_tensor = !self.exprs[id.0 as usize].host;
            self.report(match is_tensor {
                true => told::truth_expected(what, span, None),
                false => told::expected("true or false", what, span),
            });
            return None;
        }
        Some(id)
    }

    /// The union of the operands' axes: left, then what right adds.
    pub(super) fn union(&mut self, parts: &[ExprId], span: Span) -> Option<Vec<Axis>> {
        let types: Vec<Type> = parts.iter().map(|&part| self.ty(part).clone()).collect();
        // The side that holds all others gives the order.
        let holder = (0..types.len()).find(|&at| types.iter().all(|other| self.holds(&types[at], other)));
        let mut axes = types[holder.unwrap_or(0)].axes.clone();
        let mut fits = true;
        for (at, ty) in types.iter().enumerate() {
            for axis in &ty.axes {
                match axes.iter().find(|known| self.same_axis(known.id, axis.id)).cloned() {
                    Some(known) => fits &= at == 0 || self.same_size(&known, axis, &types[0], ty, span),
                    None => axes.push(axis.clone()),
                }
            }
        }
        fits.then_some(axes)
    }

    /// The axes of the operand that holds those of all others.
    pub(super) fn contain(&mut self, parts: &[ExprId], spans: &[Span], sign: &str, op_span: Span) -> Option<Vec<Axis>> {
        let types: Vec<Type> = parts.iter().map(|&part| self.ty(part).clone()).collect();
        let span = spans[0].to(spans[spans.len() - 1]);
        if (0..types.len()).any(|at| types.iter().all(|other| self.holds(&types[at], other))) {
            return self.union(parts, span);
        }
        // Two of them each have an axis the other lacks; name the first such pair.
        let pair = (0..types.len()).flat_map(|a| (a + 1..types.len()).map(move |b| (a, b)));
        let (a, b) = { pair }
            .find(|&(a, b)| !self.holds(&types[a], &types[b]) && !self.holds(&types[b], &types[a]))
            .unwrap_or((0, 1));
        let only = |mine: &Type, other: &Type| -> Vec<String> {
            let missing = mine.axes.iter().filter(|axis| self.find_axis(&other.axes, axis.id).is_none());
            missing.map(|axis| self.axes.show(axis.id)).collect()
        };
        let told = shape::Sides {
            left: (self.show_type(&types[a]), spans[a]),
            right: (self.show_type(&types[b]), spans[b]),
            only_left: only(&types[a], &types[b]),
            only_right: only(&types[b], &types[a]),
        };
        let known = self.known_sizes(&types);
        self.report(shape::sides_disagree(sign, op_span, told, known));
        None
    }

    fn holds(&self, outer: &Type, inner: &Type) -> bool {
        inner.axes.iter().all(|axis| self.find_axis(&outer.axes, axis.id).is_some())
    }

    /// Makes one axis as long in both tensors, or tells where each length was chosen.
    pub(super) fn same_size(&mut self, known: &Axis, axis: &Axis, left: &Type, right: &Type, span: Span) -> bool {
        match self.sizes.unify(&known.size, &axis.size) {
            Ok(()) => true,
            Err(mismatch) => {
                let told = shape::TwoSizes {
                    axis: self.axes.show(axis.id),
                    left: (self.sizes.show(&known.size), self.show_type(left), known.from),
                    right: (self.sizes.show(&axis.size), self.show_type(right), axis.from),
                };
                let types = self.known_sizes(&[left.clone(), right.clone()]);
                let mended = self.mended((known.from, &known.size), (axis.from, &axis.size));
                self.unequal(
                    mismatch,
                    (&known.size, &axis.size),
                    match mismatch {
                        Mismatch::Refuted => shape::two_sizes(told, span, types, mended),
                        Mismatch::Open => shape::sizes_unproved(told, span, types),
                    },
                );
                false
            }
        }
    }

    /// `batch symbolic; d = 768`: the axes of some types with their sizes.
    pub(super) fn known_sizes(&self, types: &[Type]) -> Vec<(String, Option<String>)> {
        self.known_axes(types.iter().flat_map(|ty| &ty.axes))
    }

    /// Axes with their sizes, each once.
    pub(super) fn known_axes<'t>(&self, axes: impl IntoIterator<Item = &'t Axis>) -> Vec<(String, Option<String>)> {
        let mut known: Vec<(String, Option<String>)> = Vec::new();
        for axis in axes {
            let name = self.axes.show(axis.id);
            let size = self.sizes.show(&axis.size);
            let entry = (name.clone(), (size != name).then_some(size));
            if !known.contains(&entry) {
                known.push(entry);
            }
        }
        known
    }

    /// A tensor filled with one number.
    pub(super) fn filled(&mut self, value: f64, dtype: DType, axes: Vec<Axis>, span: Span) -> ExprId {
        let number = self.number(value, dtype, span);
        let ty = Type { dtype, kind: Kind::Plain, axes };
        if ty.axes.is_empty() { number } else { self.push(ExprKind::Expand(number), ty, span) }
    }
}

/// What a comparison of two sizes says.
pub(super) fn fact_of(op: BinaryOp, a: &Dim, b: &Dim) -> Option<Fact> {
    let (a, b) = (a.clone(), b.clone());
    Some(match op {
        BinaryOp::Divides => Fact::Divides(a, b),
        BinaryOp::Eq => Fact::Equal(a, b),
        BinaryOp::Ne => Fact::Differ(a, b),
        BinaryOp::Le => Fact::AtMost(a, b),
        BinaryOp::Lt => Fact::Below(a, b),
        BinaryOp::Ge => Fact::AtMost(b, a),
        BinaryOp::Gt => Fact::Below(b, a),
        BinaryOp::Add
        | BinaryOp::Sub
        | BinaryOp::Mul
        | BinaryOp::Div
        | BinaryOp::FloorDiv
        | BinaryOp::Mod
        | BinaryOp::Pow
        | BinaryOp::And
        | BinaryOp::Or => return None,
    })
}
