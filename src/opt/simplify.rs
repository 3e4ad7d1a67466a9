//! The algebra of elements. Above each rule stands what it says; see the module for what it may change.

use crate::ir::{DType, Graph, NodeId};
use crate::ops::Builder;
use crate::ops::{Cmp, MapOp, Number, Op};

use MapOp::*;

/// A simpler node for an elementwise operation.
pub(super) fn element(b: &mut Builder, op: &Op, args: &[NodeId]) -> Option<NodeId> {
    match op {
        Op::Map(map) => match (*map, args) {
            (Add, &[x, y]) => add(b, x, y),
            (Sub, &[x, y]) => sub(b, x, y),
            (Mul, &[x, y]) => mul(b, x, y),
            (Div, &[x, y]) => div(b, x, y),
            (Pow, &[x, y]) => pow(b, x, y),
            (Min, &[x, y]) => extreme(b, f64::INFINITY, x, y),
            (Max, &[x, y]) => extreme(b, f64::NEG_INFINITY, x, y),
            (Neg, &[x]) => neg(b, x),
            (Abs, &[x]) => abs(b, x),
            (And, &[x, y]) => junction(b, x, y, 1.0),
            (Or, &[x, y]) => junction(b, x, y, 0.0),
            (Not, &[x]) => not(b, x),
            (Select, &[c, x, y]) => select(b, c, x, y),
            (Cast(to), &[x]) => cast(b, to, x),
            _ => None,
        },
        // Gradients have been taken.
        Op::StopGradient => Some(args[0]),
        _ => None,
    }
}

fn add(b: &mut Builder, x: NodeId, y: NodeId) -> Option<NodeId> {
    // x + 0 = 0 + x = x
    if is(b, y, 0.0) {
        return Some(x);
    }
    if is(b, x, 0.0) {
        return Some(y);
    }
    // x + (-y) = x - y, (-x) + y = y - x
    if let Some(y) = negated(b, y) {
        return Some(b.sub(x, y));
    }
    negated(b, x).map(|x| b.sub(y, x))
}

fn sub(b: &mut Builder, x: NodeId, y: NodeId) -> Option<NodeId> {
    // x - 0 = x
    if is(b, y, 0.0) {
        return Some(x);
    }
    // 0 - x = -x
    if is(b, x, 0.0) {
        return Some(b.neg(y));
    }
    // x - (-y) = x + y
    negated(b, y).map(|y| b.add(x, y))
}

fn mul(b: &mut Builder, x: NodeId, y: NodeId) -> Option<NodeId> {
    for (x, y) in [(x, y), (y, x)] {
        match splat(b, y) {
            // x·1 = x
            Some(1.0) => return Some(x),
            // x·(-1) = -x
            Some(-1.0) => return Some(b.neg(x)),
            // x·0 = 0, where x is known to be no NaN and no ±∞
            Some(0.0) if is_finite(&b.graph, x, 4) => return Some(y),
            // (-x)·c = x·(-c)
            Some(c) => {
                if let Some(x) = negated(b, x) {
                    return Some(b.scale(x, -c));
                }
            }
            None => {}
        }
    }
    // (-x)·(-y) = x·y
    let (x, y) = (negated(b, x)?, negated(b, y)?);
    Some(b.mul(x, y))
}

fn div(b: &mut Builder, x: NodeId, y: NodeId) -> Option<NodeId> {
    // (-x) / (-y) = x / y
    if let (Some(x), Some(y)) = (negated(b, x), negated(b, y)) {
        return Some(b.div(x, y));
    }
    match splat(b, y)? {
        // x / 1 = x
        1.0 => Some(x),
        // x / -1 = -x
        -1.0 => Some(b.neg(x)),
        // x / 2ⁿ = x·2⁻ⁿ, to the bit
        c => is_power_of_two(c).then(|| b.scale(x, 1.0 / c)),
    }
}

/// Whether a number and its inverse are exact in f32 and no denormals.
fn is_power_of_two(c: f64) -> bool {
    let mantissa = c.to_bits() & ((1 << 52) - 1);
    c.is_normal() && mantissa == 0 && (2f64.powi(-100)..2f64.powi(100)).contains(&c.abs())
}

fn pow(b: &mut Builder, x: NodeId, y: NodeId) -> Option<NodeId> {
    let n = splat(b, y)?;
    let one = b.full_like(x, 1.0);
    Some(match n {
        // x⁰ = 1, for NaN too
        0.0 => one,
        // x¹ = x, x² = x·x, x³ = x²·x, x⁴ = x²·x², …
        1.0..=16.0 if n.fract() == 0.0 => whole_power(b, x, n as u32),
        // x⁻¹ = 1 / x, x⁻² = 1 / x²
        -1.0 | -2.0 => {
            let power = whole_power(b, x, -n as u32);
            b.div(one, power)
        }
        // x^½ = √x, x^-½ = 1 / √x, x^(3/2) = x·√x
        0.5 => b.map(Sqrt, &[x]),
        -0.5 => {
            let root = b.map(Sqrt, &[x]);
            b.div(one, root)
        }
        1.5 => {
            let root = b.map(Sqrt, &[x]);
            b.mul(x, root)
        }
        _ => return None,
    })
}

/// x^n by squaring, for n of at least 1.
fn whole_power(b: &mut Builder, x: NodeId, n: u32) -> NodeId {
    if n == 1 {
        return x;
    }
    let half = whole_power(b, x, n / 2);
    let square = b.mul(half, half);
    if n.is_multiple_of(2) { square } else { b.mul(square, x) }
}

fn extreme(b: &mut Builder, neutral: f64, x: NodeId, y: NodeId) -> Option<NodeId> {
    // max(x, x) = max(x, -∞) = max(-∞, x) = x, and min likewise
    if x == y || is(b, y, neutral) {
        return Some(x);
    }
    is(b, x, neutral).then_some(y)
}

fn neg(b: &mut Builder, x: NodeId) -> Option<NodeId> {
    let inner = b.graph.node(x);
    match (&inner.op, &inner.args[..]) {
        // -(-x) = x
        (Op::Map(Neg), &[x]) => Some(x),
        // -(x - y) = y - x
        (Op::Map(Sub), &[x, y]) => Some(b.sub(y, x)),
        // -(x·c) = x·(-c)
        (Op::Map(Mul), &[x, y]) => match (splat(b, x), splat(b, y)) {
            (_, Some(c)) => Some(b.scale(x, -c)),
            (Some(c), _) => Some(b.scale(y, -c)),
            _ => None,
        },
        _ => None,
    }
}

fn abs(b: &mut Builder, x: NodeId) -> Option<NodeId> {
    let inner = b.graph.node(x);
    match (&inner.op, &inner.args[..]) {
        // ||x|| = |x|
        (Op::Map(Abs), _) => Some(x),
        // |-x| = |x|
        (Op::Map(Neg), &[x]) => Some(b.map(Abs, &[x])),
        _ => None,
    }
}

/// `and` with the neutral element true, `or` with false.
fn junction(b: &mut Builder, x: NodeId, y: NodeId, neutral: f64) -> Option<NodeId> {
    for (x, y) in [(x, y), (y, x)] {
        match splat(b, y) {
            // x and true = x, x or false = x
            Some(value) if value == neutral => return Some(x),
            // x and false = false, x or true = true
            Some(_) => return Some(y),
            None => {}
        }
    }
    // x and x = x or x = x
    (x == y).then_some(x)
}

fn not(b: &mut Builder, x: NodeId) -> Option<NodeId> {
    let inner = b.graph.node(x);
    match (&inner.op, &inner.args[..]) {
        // not not x = x
        (Op::Map(Not), &[x]) => Some(x),
        // not x = y is x ≠ y, for NaN too; not x < y is not y <= x, for NaN
        (Op::Map(Cmp(Cmp::Eq)), &[x, y]) => Some(b.cmp(Cmp::Ne, x, y)),
        (Op::Map(Cmp(Cmp::Ne)), &[x, y]) => Some(b.cmp(Cmp::Eq, x, y)),
        _ => None,
    }
}

fn select(b: &mut Builder, c: NodeId, x: NodeId, y: NodeId) -> Option<NodeId> {
    // select(c, x, x) = x
    if x == y {
        return Some(x);
    }
    // select(true, x, y) = x, select(false, x, y) = y
    if let Some(condition) = splat(b, c) {
        return Some(if condition != 0.0 { x } else { y });
    }
    // select(not c, x, y) = select(c, y, x)
    let inner = b.graph.node(c);
    match (&inner.op, &inner.args[..]) {
        (Op::Map(Not), &[c]) => Some(b.select(c, y, x)),
        _ => None,
    }
}

fn cast(b: &mut Builder, to: DType, x: NodeId) -> Option<NodeId> {
    let node = b.graph.node(x);
    // To the dtype it has.
    if node.ty.dtype == to {
        return Some(x);
    }
    // A bool as a number, and back or on to another dtype; likewise an i32 as a truth value.
    let (Op::Map(Cast(_)), &[inner]) = (&node.op, &node.args[..]) else { return None };
    let from = b.ty(inner).dtype;
    match (from, to) {
        (DType::Bool, _) => Some(b.cast(inner, to)),
        _ => None,
    }
}

/// `y`, when `x` is `-y`, possibly repeated. Constants stay: their sign costs nothing.
fn negated(b: &mut Builder, x: NodeId) -> Option<NodeId> {
    let node = b.graph.node(x).clone();
    match node.op {
        Op::Map(Neg) => Some(node.args[0]),
        Op::Broadcast { dims, axes } => {
            let inner = b.graph.node(node.args[0]);
            let Op::Map(Neg) = inner.op else { return None };
            let inner = inner.args[0];
            Some(b.broadcast(inner, &dims, &axes))
        }
        _ => None,
    }
}

/// Whether no element is NaN or ±∞, as far as a short look tells.
fn is_finite(graph: &Graph, id: NodeId, depth: usize) -> bool {
    let node = graph.node(id);
    let all = || depth > 0 && node.args.iter().all(|&arg| is_finite(graph, arg, depth - 1));
    match &node.op {
        Op::Const(number) => number.value().is_finite(),
        Op::Random { .. } => true,
        // An f64 may be beyond the greatest f32.
        Op::Map(Cast(to)) => match graph.ty(node.args[0]).dtype {
            DType::F64 => *to == DType::F64 && all(),
            DType::F32 => all(),
            DType::I32 | DType::I64 | DType::Bool => true,
        },
        Op::Map(Neg | Abs | Min | Max | Floor | Round | Tanh | Erf) => all(),
        Op::Map(Select) => depth > 0 && node.args[1..].iter().all(|&arg| is_finite(graph, arg, depth - 1)),
        Op::Broadcast { .. } | Op::Permute(_) | Op::Reshape(_) => all(),
        _ => false,
    }
}

/// The f32 or truth value that a node holds everywhere.
fn splat(b: &Builder, id: NodeId) -> Option<f64> {
    b.splat_value(id).map(Number::value)
}

fn is(b: &Builder, id: NodeId, value: f64) -> bool {
    splat(b, id) == Some(value)
}
