//! From one dtype to another, and the dtype of what is computed of several.
//!
//! `sema/dtype` says the rules. Here is who keeps them: `map` brings the operands of a function to one dtype and
//! rounds what it gives to a narrow one, so that no caller thinks of it; `as_dtype` is every conversion.

use crate::base::Span;
use crate::diag::kind;
use crate::ops::MapOp;
use crate::sema::dtype::DType;
use crate::sema::typed::{Axis, ExprId, ExprKind, Fun, Kind, Type};
use crate::sema::value::Given;
use crate::syntax::ast::Ident;

use super::bind::Slot;
use super::checker::Checker;

/// What a function of elements does with dtypes.
enum Rule {
    /// Floats in, the same out; whether each result is one of its operands or as exact as they are.
    Float { exact: bool },
    /// Two of one dtype in, a truth out.
    Compare,
    /// A truth and two of one dtype in, that dtype out.
    Choose,
    /// As the caller says.
    Given,
}

fn rule(fun: Fun) -> Rule {
    match fun {
        Fun::Map(map) => match map {
            MapOp::Neg | MapOp::Abs | MapOp::Floor | MapOp::Round | MapOp::Min | MapOp::Max => {
                Rule::Float { exact: true }
            }
            MapOp::Add
            | MapOp::Sub
            | MapOp::Mul
            | MapOp::Div
            | MapOp::Pow
            | MapOp::Sqrt
            | MapOp::Exp
            | MapOp::Log
            | MapOp::Tanh
            | MapOp::Erf
            | MapOp::Sin
            | MapOp::Cos => Rule::Float { exact: false },
            MapOp::Cmp(_) => Rule::Compare,
            MapOp::Select => Rule::Choose,
            MapOp::And | MapOp::Or | MapOp::Not | MapOp::Cast(_) | MapOp::Bf16 | MapOp::F16 => Rule::Given,
        },
        Fun::FloorDiv | Fun::Mod => Rule::Float { exact: false },
    }
}

impl<'a> Checker<'a> {
    /// An elementwise expression whose operands fit but for their dtypes. `dtype` is that of the result where no
    /// operand decides it.
    pub(super) fn map(&mut self, fun: Fun, parts: Vec<ExprId>, axes: Vec<Axis>, dtype: DType, span: Span) -> ExprId {
        let push = |this: &mut Self, parts, dtype, axes| {
            this.push(ExprKind::Map(fun, parts), Type { dtype, kind: Kind::Plain, axes }, span)
        };
        match rule(fun) {
            Rule::Given => push(self, parts, dtype, axes),
            Rule::Compare => {
                let parts = self.alike(&parts);
                push(self, parts, DType::Bool, axes)
            }
            Rule::Choose => {
                let chosen = self.alike(&parts[1..]);
                let dtype = self.ty(chosen[0]).dtype;
                push(self, [&parts[..1], &chosen].concat(), dtype, axes)
            }
            Rule::Float { exact } => {
                let met = self.met(&parts);
                // Of numbers of the dtype come such, and a number of the program beside them is made one.
                if exact {
                    let parts = self.each_as(&parts, met);
                    return push(self, parts, met, axes);
                }
                let parts = self.each_as(&parts, met.computed());
                let value = push(self, parts, met.computed(), axes);
                self.as_dtype(value, met, span)
            }
        }
    }

    /// The float in which some values compute. A number of the host goes by the tensors beside it.
    pub(super) fn met(&self, parts: &[ExprId]) -> DType {
        let dtypes = |host: bool| {
            let those = parts.iter().filter(move |part| self.exprs[part.0 as usize].host == host);
            those.map(|&part| self.ty(part).dtype).reduce(DType::met)
        };
        let met = dtypes(false).or_else(|| dtypes(true)).unwrap_or(DType::F32);
        if met.is_float() { met } else { met.computed() }
    }

    /// Values of one dtype: their own when they agree, else the wider whole number or the float in which they compute.
    pub(super) fn alike(&mut self, parts: &[ExprId]) -> Vec<ExprId> {
        let first = self.ty(parts[0]).dtype;
        if parts.iter().all(|&part| self.ty(part).dtype == first) {
            return parts.to_vec();
        }
        let all_whole = parts.iter().all(|&part| self.ty(part).dtype.is_int());
        let dtype = match all_whole {
            true if parts.iter().any(|&part| self.ty(part).dtype == DType::I64) => DType::I64,
            true => DType::I32,
            false => self.met(parts),
        };
        self.each_as(parts, dtype)
    }

    /// Each value in a dtype, converted where it stands.
    fn each_as(&mut self, parts: &[ExprId], dtype: DType) -> Vec<ExprId> {
        let one = |&part: &ExprId| self.as_dtype(part, dtype, self.exprs[part.0 as usize].span);
        parts.iter().map(one).collect()
    }

    /// The value with elements of a float: its own, and for whole numbers and truths that in which they compute.
    #[expect(clippy::wrong_self_convention, reason = "it converts an expression of the checker, not the checker")]
    pub(super) fn to_float(&mut self, x: ExprId, span: Span) -> ExprId {
        let dtype = self.ty(x).dtype;
        if dtype.is_float() { x } else { self.as_dtype(x, dtype.computed(), span) }
    }

    /// The value in the dtype in which it computes: f32, or f64.
    pub(super) fn computed(&mut self, x: ExprId, span: Span) -> ExprId {
        let dtype = self.ty(x).dtype.computed();
        self.as_dtype(x, dtype, span)
    }

    /// Products before they were rounded to 16 bits: a sum of them is rounded itself, and is a matrix product.
    pub(super) fn before_rounding(&self, x: ExprId) -> ExprId {
        let part = |id: ExprId| match &self.exprs[id.0 as usize].kind {
            ExprKind::Map(Fun::Map(map), parts) => Some((*map, parts[0])),
            _ => None,
        };
        match part(x) {
            // What the program rounds by name is rounded.
            Some((MapOp::Bf16 | MapOp::F16, product)) if !self.store.meant.contains(&x) => match part(product) {
                Some((MapOp::Mul, _)) => product,
                _ => x,
            },
            _ => x,
        }
    }

    /// The value with elements of another dtype: the nearest float, ties to even; the whole number towards zero, the
    /// nearest there is, 0 for NaN; true for what is not 0. What a value means stays with a float.
    pub(super) fn as_dtype(&mut self, x: ExprId, to: DType, span: Span) -> ExprId {
        let ty = self.ty(x).clone();
        let from = ty.dtype;
        if from == to {
            return x;
        }
        if let ExprKind::Const(value) = self.exprs[x.0 as usize].kind {
            // A number of f32 is kept as it was written, for what it meets may be of f64.
            let value = if matches!(to, DType::F32 | DType::F64) { value } else { to.nearest(value) };
            return self.number(value, to, span);
        }
        let kind = if from.is_float() && to.is_float() { ty.kind } else { Kind::Plain };
        let of = |dtype| Type { dtype, kind, axes: ty.axes.clone() };
        let step = |this: &mut Self, op, x, dtype| this.push(ExprKind::Map(Fun::Map(op), vec![x]), of(dtype), span);
        let is_same_carrier = from.carrier() == to.carrier();
        match to {
            DType::F16 | DType::Bf16 => {
                let wide = self.as_dtype(x, DType::F32, span);
                let round = if to == DType::F16 { MapOp::F16 } else { MapOp::Bf16 };
                match to.holds(from) {
                    true => self.push(ExprKind::Relabel(wide), of(to), span),
                    false => step(self, round, wide, to),
                }
            }
            DType::I8 | DType::U8 if !to.holds(from) => {
                let [least, most] = limits(to);
                let number = self.computed(x, span);
                let dtype = self.ty(number).dtype;
                let bound = |this: &mut Self, op, x, limit| {
                    let limit = this.number(limit, dtype, span);
                    this.push(ExprKind::Map(Fun::Map(op), vec![x, limit]), of(dtype), span)
                };
                let above = bound(self, MapOp::Max, number, least);
                let inside = bound(self, MapOp::Min, above, most);
                step(self, MapOp::Cast(to.carrier()), inside, to)
            }
            _ if is_same_carrier => self.push(ExprKind::Relabel(x), of(to), span),
            _ => step(self, MapOp::Cast(to.carrier()), x, to),
        }
    }

    /// An argument in the dtype that a signature asks for: converted where nothing is lost, and where a truth or a whole
    /// number counts as a float; else it is refused.
    pub(super) fn dtype_given(
        &mut self,
        slot: Slot<'a>,
        prefix: Option<&Ident>,
        x: ExprId,
        span: Span,
    ) -> Option<ExprId> {
        let Some(wanted) = prefix.and_then(|word| DType::parse(word.name.as_str())) else { return Some(x) };
        let ty = self.ty(x).clone();
        let counts = |float: DType| float == ty.dtype.computed() && !ty.dtype.is_float();
        let is_number = self.exprs[x.0 as usize].host && wanted.is_float() && ty.dtype != DType::Bool;
        if wanted == ty.dtype || wanted.holds(ty.dtype) && wanted != DType::Bool || counts(wanted) || is_number {
            return Some(self.as_dtype(x, wanted, span));
        }
        let place = (span, self.is_stage(span));
        self.report(kind::dtype(slot.name, wanted.as_str(), &self.show_type(&ty), place, slot.span));
        None
    }

    /// A result in the dtype that a signature declares, if there is such a conversion that a reader expects: no float
    /// is cut to a whole number, and no whole number to fewer bits, without a word.
    pub(super) fn dtype_declared(&mut self, x: ExprId, wanted: DType, span: Span) -> Option<ExprId> {
        let dtype = self.ty(x).dtype;
        let fits = wanted.is_float() || wanted == dtype || wanted.holds(dtype) && wanted != DType::Bool;
        fits.then(|| self.as_dtype(x, wanted, span))
    }

    /// `bf16(x)`: what a dtype is called as.
    pub(super) fn conversion(&mut self, to: DType, args: Vec<Given<'a>>, span: Span) -> Option<ExprId> {
        let x = self.first_tensor(args)?;
        Some(self.as_dtype(x, to, span))
    }
}

/// The whole numbers of 8 bits.
fn limits(dtype: DType) -> [f64; 2] {
    if dtype == DType::U8 { [0.0, 255.0] } else { [-128.0, 127.0] }
}
