//! Functions of elements.

use super::{Cmp, Grads, MapOp, Value};
use crate::ir::special::{bf16, erf, f16};
use crate::ir::{DType, NodeId, Ty};
use crate::ops::Builder;

use MapOp::*;

impl MapOp {
    /// Every function; the casts and comparisons one by one.
    pub const ALL: [MapOp; 33] = [
        Add,
        Sub,
        Mul,
        Div,
        Pow,
        Min,
        Max,
        Neg,
        Abs,
        Sqrt,
        Exp,
        Log,
        Tanh,
        Erf,
        Sin,
        Cos,
        Floor,
        Round,
        Bf16,
        F16,
        Cmp(Cmp::Lt),
        Cmp(Cmp::Le),
        Cmp(Cmp::Eq),
        Cmp(Cmp::Ne),
        And,
        Or,
        Not,
        Select,
        Cast(DType::F32),
        Cast(DType::F64),
        Cast(DType::I32),
        Cast(DType::I64),
        Cast(DType::Bool),
    ];

    /// The name in the text form.
    pub fn name(self) -> &'static str {
        match self {
            Add => "add",
            Sub => "sub",
            Mul => "mul",
            Div => "div",
            Pow => "pow",
            Min => "min",
            Max => "max",
            Neg => "neg",
            Abs => "abs",
            Sqrt => "sqrt",
            Exp => "exp",
            Log => "log",
            Tanh => "tanh",
            Erf => "erf",
            Sin => "sin",
            Cos => "cos",
            Floor => "floor",
            Round => "round",
            Bf16 => "bf16",
            F16 => "f16",
            Cmp(Cmp::Lt) => "lt",
            Cmp(Cmp::Le) => "le",
            Cmp(Cmp::Eq) => "eq",
            Cmp(Cmp::Ne) => "ne",
            And => "and",
            Or => "or",
            Not => "not",
            Select => "select",
            Cast(DType::F32) => "to_f32",
            Cast(DType::F64) => "to_f64",
            Cast(DType::I32) => "to_i32",
            Cast(DType::I64) => "to_i64",
            Cast(DType::Bool) => "to_bool",
        }
    }

    /// How many arguments.
    pub fn arity(self) -> usize {
        match self {
            Add | Sub | Mul | Div | Pow | Min | Max | Cmp(_) | And | Or => 2,
            Neg | Abs | Sqrt | Exp | Log | Tanh | Erf | Sin | Cos | Floor | Round | Bf16 | F16 | Not | Cast(_) => 1,
            Select => 3,
        }
    }
}

pub(super) fn infer(map: MapOp, args: &[&Ty]) -> Result<Ty, String> {
    if args.iter().any(|ty| ty.dims != args[0].dims) {
        return Err("elementwise arguments of different sizes".to_owned());
    }
    let all = |dtype: DType| args.iter().all(|ty| ty.dtype == dtype);
    let float = args[0].dtype;
    let (fits, dtype) = match map {
        Add | Sub | Mul | Div | Pow | Min | Max => (float.is_float() && all(float), float),
        Neg | Abs | Sqrt | Exp | Log | Tanh | Erf | Sin | Cos | Floor | Round => (float.is_float(), float),
        Bf16 | F16 => (all(DType::F32), DType::F32),
        Cmp(_) => (args[0].dtype == args[1].dtype, DType::Bool),
        And | Or | Not => (all(DType::Bool), DType::Bool),
        Select => (args[0].dtype == DType::Bool && args[1].dtype == args[2].dtype, args[1].dtype),
        Cast(to) => (true, to),
    };
    if fits {
        Ok(Ty { dtype, dims: args[0].dims.clone() })
    } else {
        Err("elementwise arguments of a wrong dtype".to_owned())
    }
}

pub(super) fn eval(map: MapOp, args: &[&Value], dims: &[usize]) -> Value {
    let element = |at: usize| match args {
        [a] => eval_element(map, &[a.data[at]]),
        [a, b] => eval_element(map, &[a.data[at], b.data[at]]),
        _ => eval_element(map, &args.iter().map(|arg| arg.data[at]).collect::<Vec<_>>()),
    };
    Value::new(dims, (0..args[0].data.len()).map(element).collect::<Vec<_>>())
}

pub(super) fn eval_element(map: MapOp, x: &[f64]) -> f64 {
    let truth = |value: bool| f64::from(u8::from(value));
    match map {
        Add => x[0] + x[1],
        Sub => x[0] - x[1],
        Mul => x[0] * x[1],
        Div => x[0] / x[1],
        Pow => x[0].powf(x[1]),
        Min => min(x[0], x[1]),
        Max => max(x[0], x[1]),
        Neg => -x[0],
        Abs => x[0].abs(),
        Sqrt => x[0].sqrt(),
        Exp => x[0].exp(),
        Log => x[0].ln(),
        Tanh => x[0].tanh(),
        Erf => erf(x[0]),
        Sin => x[0].sin(),
        Cos => x[0].cos(),
        Floor => x[0].floor(),
        Round => x[0].round_ties_even(),
        Bf16 => bf16(x[0]),
        F16 => f16(x[0]),
        Cmp(Cmp::Lt) => truth(x[0] < x[1]),
        Cmp(Cmp::Le) => truth(x[0] <= x[1]),
        Cmp(Cmp::Eq) => truth(x[0] == x[1]),
        Cmp(Cmp::Ne) => truth(x[0] != x[1]),
        And => truth(x[0] != 0.0 && x[1] != 0.0),
        Or => truth(x[0] != 0.0 || x[1] != 0.0),
        Not => truth(x[0] == 0.0),
        Select => {
            if x[0] != 0.0 {
                x[1]
            } else {
                x[2]
            }
        }
        Cast(DType::F32 | DType::F64) => x[0],
        // `as` cuts towards zero, saturates and takes NaN to 0.
        Cast(DType::I32) => f64::from(x[0] as i32),
        Cast(DType::I64) => x[0].trunc().clamp(i64::MIN as f64, i64::MAX as f64),
        Cast(DType::Bool) => truth(x[0] != 0.0),
    }
}

/// The larger; NaN wins.
pub(super) fn max(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// The smaller; NaN wins.
pub(super) fn min(a: f64, b: f64) -> f64 {
    -max(-a, -b)
}

pub(super) fn grad(b: &mut Builder, map: MapOp, args: &[NodeId], y: NodeId, dy: NodeId, wanted: &[bool]) -> Grads {
    match map {
        // d(a + b) = da + db
        Add => each(wanted, |_| Some(dy)),
        // d(a - b) = da - db
        Sub => each(wanted, |at| Some(if at == 0 { dy } else { b.neg(dy) })),
        // d(a·b) = da·b + a·db
        Mul => each(wanted, |at| Some(b.mul(dy, args[1 - at]))),
        // d(a / b) = da / b - y·db / b
        Div => {
            let over = divide(b, dy, args[1]);
            each(wanted, |at| {
                Some(if at == 0 {
                    over
                } else {
                    let against = b.neg(over);
                    multiply(b, against, y)
                })
            })
        }
        Pow => each(wanted, |at| if at == 0 { grad_base(b, args, dy) } else { Some(grad_exponent(b, args, y, dy)) }),
        // The one that is strictly ahead takes it all, a tie is split evenly.
        Min => each(wanted, |at| Some(share(b, args[at], args[1 - at], [args[0], args[1]], dy))),
        Max => each(wanted, |at| Some(share(b, args[1 - at], args[at], [args[0], args[1]], dy))),
        Neg => each(wanted, |_| Some(b.neg(dy))),
        // d|x| = sign(x)·dx, 0 at 0
        Abs => each(wanted, |_| {
            let zero = b.zeros_like(dy);
            let against = b.neg(dy);
            let above = b.cmp(Cmp::Lt, zero, args[0]);
            let below = b.cmp(Cmp::Lt, args[0], zero);
            let rest = b.select(below, against, zero);
            Some(b.select(above, dy, rest))
        }),
        // d√x = dx / 2y
        Sqrt => each(wanted, |_| {
            let half = b.scale(dy, 0.5);
            Some(divide(b, half, y))
        }),
        // d exp(x) = y·dx
        Exp => each(wanted, |_| Some(multiply(b, dy, y))),
        // d log(x) = dx / x
        Log => each(wanted, |_| Some(divide(b, dy, args[0]))),
        // d tanh(x) = (1 - y²)·dx
        Tanh => each(wanted, |_| {
            let one = b.full_like(y, 1.0);
            let square = b.mul(y, y);
            let slope = b.sub(one, square);
            Some(b.mul(dy, slope))
        }),
        // d erf(x) = 2/√π · exp(-x²)·dx
        Erf => each(wanted, |_| {
            let square = b.mul(args[0], args[0]);
            let below = b.neg(square);
            let bell = b.map(Exp, &[below]);
            let slope = b.scale(bell, std::f64::consts::FRAC_2_SQRT_PI);
            Some(b.mul(dy, slope))
        }),
        // d sin(x) = cos(x)·dx
        Sin => each(wanted, |_| {
            let slope = b.map(Cos, &[args[0]]);
            Some(b.mul(dy, slope))
        }),
        // d cos(x) = -sin(x)·dx
        Cos => each(wanted, |_| {
            let slope = b.map(Sin, &[args[0]]);
            let against = b.neg(slope);
            Some(b.mul(dy, against))
        }),
        // d select(c, x, y) = select(c, dx, dy)
        Select => each(wanted, |at| {
            let zero = b.zeros_like(dy);
            match at {
                0 => None,
                1 => Some(b.select(args[0], dy, zero)),
                _ => Some(b.select(args[0], zero, dy)),
            }
        }),
        Cast(_) => {
            let from = b.ty(args[0]).dtype;
            let between_floats = from.is_float() && b.ty(y).dtype.is_float();
            each(wanted, |_| between_floats.then(|| b.cast(dy, from)))
        }
        // What is rounded stands for the value.
        Bf16 | F16 => each(wanted, |_| Some(dy)),
        // Constant between their jumps.
        Floor | Round | Cmp(_) | And | Or | Not => each(wanted, |_| None),
    }
}

/// The gradient by the base: d a^b = b·a^(b-1)·da. At a = 0 it is 0 for b > 1, 1 for b = 1, since 0⁰ = 1.
fn grad_base(b: &mut Builder, args: &[NodeId], dy: NodeId) -> Option<NodeId> {
    let [base, exponent] = [args[0], args[1]];
    let Some(number) = b.splat_value(exponent) else {
        let one = b.full_like(exponent, 1.0);
        let less = b.sub(exponent, one);
        let power = b.map(Pow, &[base, less]);
        let slope = b.mul(exponent, power);
        return Some(multiply(b, dy, slope));
    };
    let n = number.value();
    if n == 0.0 {
        return None;
    }
    if n == 1.0 {
        return Some(dy);
    }
    let power = if n == 2.0 {
        base
    } else {
        let less = b.full_like(exponent, n - 1.0);
        b.map(Pow, &[base, less])
    };
    let slope = b.scale(power, n);
    // From the first power up, a finite base has a finite slope.
    Some(if n >= 1.0 { b.mul(dy, slope) } else { multiply(b, dy, slope) })
}

/// The gradient by the exponent: d a^b = y·log(a)·db; 0 at a = 0, the limit for b > 0.
fn grad_exponent(b: &mut Builder, args: &[NodeId], y: NodeId, dy: NodeId) -> NodeId {
    let zero = b.zeros_like(args[0]);
    let one = b.full_like(args[0], 1.0);
    let at_zero = b.cmp(Cmp::Eq, args[0], zero);
    let base = b.select(at_zero, one, args[0]);
    let log = b.map(Log, &[base]);
    let slope = b.mul(y, log);
    multiply(b, dy, slope)
}

/// What the operand of a minimum or maximum gets that is chosen where `small < large`.
fn share(b: &mut Builder, small: NodeId, large: NodeId, both: [NodeId; 2], dy: NodeId) -> NodeId {
    let zero = b.zeros_like(dy);
    let half = b.scale(dy, 0.5);
    let chosen = b.cmp(Cmp::Lt, small, large);
    let tied = b.cmp(Cmp::Eq, both[0], both[1]);
    let rest = b.select(tied, half, zero);
    b.select(chosen, dy, rest)
}

/// `dy · slope`; see Note [Zero gradients].
fn multiply(b: &mut Builder, dy: NodeId, slope: NodeId) -> NodeId {
    let zero = b.zeros_like(dy);
    let infinity = b.full_like(dy, f64::INFINITY);
    let magnitude = b.map(Abs, &[slope]);
    let finite = b.cmp(Cmp::Lt, magnitude, infinity);
    let wild = b.map(Not, &[finite]);
    let safe = guard(b, dy, wild, zero, slope);
    b.mul(dy, safe)
}

/// `dy / divisor`; see Note [Zero gradients].
fn divide(b: &mut Builder, dy: NodeId, divisor: NodeId) -> NodeId {
    if b.splat_value(divisor).is_some_and(|number| number.value().abs() > 0.0) {
        return b.div(dy, divisor);
    }
    let zero = b.zeros_like(dy);
    let one = b.full_like(dy, 1.0);
    let magnitude = b.map(Abs, &[divisor]);
    let apart = b.cmp(Cmp::Lt, zero, magnitude);
    let wild = b.map(Not, &[apart]);
    let safe = guard(b, dy, wild, one, divisor);
    b.div(dy, safe)
}

/// `value`, but `instead` where it is wild and no gradient arrives.
fn guard(b: &mut Builder, dy: NodeId, wild: NodeId, instead: NodeId, value: NodeId) -> NodeId {
    let zero = b.zeros_like(dy);
    let silent = b.cmp(Cmp::Eq, dy, zero);
    let masked = b.map(And, &[silent, wild]);
    b.select(masked, instead, value)
}

/// A gradient for each argument that wants one.
fn each(wanted: &[bool], mut grad: impl FnMut(usize) -> Option<NodeId>) -> Grads {
    wanted.iter().enumerate().map(|(at, &wanted)| if wanted { grad(at) } else { None }).collect()
}

// Note [Zero gradients]
//
// `where(x > 0, sqrt(x), 0)` is constant at x = 0, so its gradient there is 0. The chain rule computes
// 0 · ∞ on the way: the select sends 0 into the square root, whose slope is infinite. The rule here is
// that a gradient of zero stays zero whatever the slope: a value that nothing depends on passes nothing on,
// and a guarded singularity needs no second guard written by hand.
//
// The slope is masked, not the product: `dy · (dy = 0 and slope is wild ? 0 : slope)`. Masking the product
// by `dy = 0` would be the same value with a wrong second derivative, since d(dy·slope) by dy is the slope
// also where dy happens to be 0, as it is at every minimum.
