//! Reductions.

use super::map::{max, min};
use super::{ArgOp, Cmp, MapOp, Number, Op, ReduceOp, Value, WindowAxis, for_each_index, view};
use crate::base::bug;
use crate::ir::{DType, Dim, NodeId, Ty};
use crate::ops::Builder;

impl ReduceOp {
    /// The value of a reduction of nothing.
    pub fn neutral(self) -> f64 {
        match self {
            ReduceOp::Sum => 0.0,
            ReduceOp::Max => f64::NEG_INFINITY,
            ReduceOp::Min => f64::INFINITY,
            ReduceOp::Prod => 1.0,
        }
    }

    /// Two elements combined.
    pub fn combine(self, a: f64, b: f64) -> f64 {
        match self {
            ReduceOp::Sum => a + b,
            ReduceOp::Max => max(a, b),
            ReduceOp::Min => min(a, b),
            ReduceOp::Prod => a * b,
        }
    }
}

pub(super) fn infer_reduce(axes: &[usize], x: &Ty) -> Result<Ty, String> {
    if !x.dtype.is_float() {
        return Err("a reduction of whole numbers".to_owned());
    }
    if axes.iter().any(|&axis| axis >= x.rank()) || axes.windows(2).any(|two| two[0] >= two[1]) {
        return Err("axes of a reduction that are not there or do not ascend".to_owned());
    }
    let kept = (0..x.rank()).filter(|axis| !axes.contains(axis));
    Ok(Ty::new(x.dtype, kept.map(|axis| x.dims[axis].clone())))
}

pub(super) fn infer_arg(axes: &[usize], x: &Ty) -> Result<Ty, String> {
    if axes.is_empty() {
        return Err("a position along no axis".to_owned());
    }
    Ok(Ty { dtype: DType::I32, ..infer_reduce(axes, x)? })
}

pub(super) fn eval_reduce(op: ReduceOp, axes: &[usize], x: &Value, dims: &[usize]) -> Value {
    let mut result = Value::full(dims, op.neutral());
    let mut kept = Vec::new();
    let mut at = 0;
    for_each_index(&x.dims, |index| {
        kept.clear();
        kept.extend((0..index.len()).filter(|axis| !axes.contains(axis)).map(|axis| index[axis]));
        let place = result.offset(&kept);
        result.data[place] = op.combine(result.data[place], x.data[at]);
        at += 1;
    });
    result
}

pub(super) fn eval_arg(op: ArgOp, axes: &[usize], x: &Value, dims: &[usize]) -> Value {
    along(x, axes, dims, |row| {
        let better = |new: f64, old: f64| match op {
            _ if old.is_nan() => false,
            _ if new.is_nan() => true,
            ArgOp::Max => new > old,
            ArgOp::Min => new < old,
        };
        let best = (1..row.len()).fold(0, |best, at| if better(row[at], row[best]) { at } else { best });
        best as f64
    })
}

pub(super) fn eval_log_sum_exp(axis: usize, x: &Value, dims: &[usize]) -> Value {
    along(x, &[axis], dims, |row| {
        let largest = row.iter().copied().fold(f64::NEG_INFINITY, max);
        if !largest.is_finite() {
            return largest;
        }
        largest + row.iter().map(|x| (x - largest).exp()).sum::<f64>().ln()
    })
}

/// A function of each row along axes, in row-major order of these.
pub(super) fn along(x: &Value, axes: &[usize], dims: &[usize], mut of: impl FnMut(&[f64]) -> f64) -> Value {
    let sizes: Vec<usize> = axes.iter().map(|&axis| x.dims[axis]).collect();
    let mut row = Vec::new();
    Value::from_fn(dims, |index| {
        let mut full = index.to_vec();
        axes.iter().for_each(|&axis| full.insert(axis, 0));
        row.clear();
        for_each_index(&sizes, |at| {
            axes.iter().zip(at).for_each(|(&axis, &at)| full[axis] = at);
            row.push(x.at(&full));
        });
        of(&row)
    })
}

pub(super) fn grad_reduce(b: &mut Builder, op: ReduceOp, axes: &[usize], x: NodeId, dy: NodeId) -> NodeId {
    let dims = b.dims(x);
    match op {
        // d sum(x) = sum(dx)
        ReduceOp::Sum => b.expand(dy, &dims, axes),
        ReduceOp::Max | ReduceOp::Min | ReduceOp::Prod if axes.is_empty() => dy,
        ReduceOp::Max => grad_extreme(b, ArgOp::Max, axes, x, dy),
        ReduceOp::Min => grad_extreme(b, ArgOp::Min, axes, x, dy),
        ReduceOp::Prod => on_one_axis(b, axes, x, |b, x| {
            let others = product_of_others(b, x);
            let dims = b.dims(x);
            let spread = b.expand(dy, &dims, &[dims.len() - 1]);
            b.mul(spread, others)
        }),
    }
}

/// d logsumexp(x) = sum(exp(x - lse)·dx); 0 where the whole row is -∞.
pub(super) fn grad_log_sum_exp(b: &mut Builder, axis: usize, x: NodeId, lse: NodeId, dy: NodeId) -> NodeId {
    let dims = b.dims(x);
    // x - lse would be NaN in a row of -∞; x - 0 is -∞ there, and its exponential 0.
    let lowest = b.full_like(lse, f64::NEG_INFINITY);
    let zero = b.zeros_like(lse);
    let empty = b.cmp(Cmp::Eq, lse, lowest);
    let level = b.select(empty, zero, lse);
    let level = b.expand(level, &dims, &[axis]);
    let below = b.sub(x, level);
    let weight = b.map(MapOp::Exp, &[below]);
    let spread = b.expand(dy, &dims, &[axis]);
    b.mul(spread, weight)
}

/// Runs a rule of the last axis on `x` with the reduced axes merged into one behind the others.
fn on_one_axis(
    b: &mut Builder,
    axes: &[usize],
    x: NodeId,
    rule: impl FnOnce(&mut Builder, NodeId) -> NodeId,
) -> NodeId {
    let dims = b.dims(x);
    let kept = (0..dims.len()).filter(|axis| !axes.contains(axis));
    let perm: Vec<usize> = kept.chain(axes.iter().copied()).collect();
    let moved = b.permute(x, &perm);
    let moved_dims = b.dims(moved);
    let (outer, inner) = moved_dims.split_at(dims.len() - axes.len());
    let row = Dim::product(inner).unwrap_or_else(|_| bug!("the size of a reduction overflows"));
    let flat_dims: Vec<Dim> = outer.iter().cloned().chain([row]).collect();
    let flat = b.reshape(moved, &flat_dims);
    let grad = rule(b, flat);
    let grad = b.reshape(grad, &moved_dims);
    b.permute(grad, &view::inverse(&perm))
}

/// The whole gradient goes to the first of the largest (smallest). What is kept for it is one position for
/// each result, whatever the number of axes: that of a pool's window.
fn grad_extreme(b: &mut Builder, op: ArgOp, axes: &[usize], x: NodeId, dy: NodeId) -> NodeId {
    let dims = b.dims(x);
    let arg = b.arg_reduce(op, x, axes);
    let spread_arg = b.expand(arg, &dims, axes);
    let Some(first) = is_at(b, &dims, axes, spread_arg) else {
        return on_one_axis(b, axes, x, |b, x| {
            let last = b.rank(x) - 1;
            grad_extreme(b, op, &[last], x, dy)
        });
    };
    let spread = b.expand(dy, &dims, axes);
    let zero = b.zeros_like(spread);
    b.select(first, spread, zero)
}

/// Where the position in row-major order of some axes is a given one; none where it may be no f32 exactly.
fn is_at(b: &mut Builder, dims: &[Dim], axes: &[usize], arg: NodeId) -> Option<NodeId> {
    if let [axis] = *axes {
        let here = b.positions(dims, axis);
        return Some(b.cmp(Cmp::Eq, here, arg));
    }
    let sizes: Vec<i64> = axes.iter().map(|&axis| dims[axis].as_const()).collect::<Option<_>>()?;
    let mut stride = sizes.iter().try_fold(1i64, |product, size| product.checked_mul(*size))?;
    if stride > 1 << 24 {
        return None;
    }
    let mut sum = b.full(dims, Number::f32(0.0));
    for (&axis, size) in axes.iter().zip(sizes) {
        stride /= size.max(1);
        let here = b.positions(dims, axis);
        let here = b.cast(here, DType::F32);
        let here = b.scale(here, stride as f64);
        sum = b.add(sum, here);
    }
    let arg = b.cast(arg, DType::F32);
    Some(b.cmp(Cmp::Eq, sum, arg))
}

/// For each element the product of all others of its row, without dividing: right with zeros, and
/// in every derivative. See Note [Products of others].
fn product_of_others(b: &mut Builder, x: NodeId) -> NodeId {
    let dims = b.dims(x);
    let last = dims.len() - 1;
    let Some(n) = dims[last].as_const() else { return product_by_mask(b, x) };
    // The neighbour `by` places before (after), or 1.
    let shift = |b: &mut Builder, x: NodeId, by: i64| {
        let axis = WindowAxis::shift(last, dims[last].clone(), Dim::constant(by));
        b.window(x, vec![axis], 1.0)
    };
    let mut before = shift(b, x, -1);
    let mut after = shift(b, x, 1);
    let mut reach = 1;
    while reach < n - 1 {
        let farther = shift(b, before, -reach);
        before = b.mul(before, farther);
        let farther = shift(b, after, reach);
        after = b.mul(after, farther);
        reach *= 2;
    }
    b.mul(before, after)
}

/// The same for a row of unknown length: the product of the row with a 1 in place of the element.
fn product_by_mask(b: &mut Builder, x: NodeId) -> NodeId {
    let mut square = b.dims(x);
    let last = square.len() - 1;
    square.insert(last, square[last].clone());
    let others = b.expand(x, &square, &[last]);
    let left_out = b.positions(&square, last);
    let here = b.positions(&square, last + 1);
    let same = b.cmp(Cmp::Eq, left_out, here);
    let one = b.full_like(others, 1.0);
    let factors = b.select(same, one, others);
    b.node(Op::Reduce(ReduceOp::Prod, vec![last + 1]), &[factors])
}

// Note [Products of others]
//
// d prod(x) = Σ_i (Π_{j≠i} x_j)·dx_i. Dividing the product by x_i fails at zeros, and a case for one zero is
// right once but not in the second derivative. The product of those before i is built by doubling, where
// p_r(i) is the product of the r before i:
//
//     p_1(i) = x(i - 1),    p_2r(i) = p_r(i) · p_r(i - r)
//
// and those after i likewise: 2·log2(n) windows and products. A row of unknown length does not know how
// often to double, and pays n² for a mask.
