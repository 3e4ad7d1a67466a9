//! Moments: the variance along axes. The mean is a sum, divided; a node has one result.

use super::reduce::along;
use super::{Op, Value};
use crate::base::bug;
use crate::ir::{Dim, NodeId};
use crate::ops::Builder;

pub(super) fn eval_variance(axes: &[usize], x: &Value, dims: &[usize]) -> Value {
    along(x, axes, dims, |row| {
        let n = row.len() as f64;
        let mean = row.iter().sum::<f64>() / n;
        row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n
    })
}

/// dv = Σ 2 (x - m)/n dx. What goes by way of the mean is `Σ (x - m) dm`, which is nothing, and left out.
pub(super) fn grad_variance(b: &mut Builder, axes: &[usize], x: NodeId, dy: NodeId) -> NodeId {
    let dims = b.dims(x);
    let (mean, n) = mean(b, x, axes);
    let mean = b.expand(mean, &dims, axes);
    let distance = b.sub(x, mean);
    let dy = b.scale(dy, 2.0);
    let share = b.div(dy, n);
    let share = b.expand(share, &dims, axes);
    b.mul(distance, share)
}

/// `Σ (x - mean)² / n`, in other operations.
pub fn variance_by_definition(b: &mut Builder, x: NodeId, axes: &[usize]) -> NodeId {
    let dims = b.dims(x);
    let (mean, n) = mean(b, x, axes);
    let mean = b.expand(mean, &dims, axes);
    let distance = b.sub(x, mean);
    let square = b.mul(distance, distance);
    let sum = b.sum(square, axes);
    b.div(sum, n)
}

/// The same in one walk: the moments about the first element. See Note [One walk].
pub fn variance_in_one_walk(b: &mut Builder, x: NodeId, axes: &[usize]) -> NodeId {
    let dims = b.dims(x);
    let first = axes.iter().map(|&axis| super::WindowAxis::shift(axis, Dim::ONE, Dim::ZERO)).collect();
    let first = b.window(x, first, 0.0);
    let kept: Vec<Dim> = (0..dims.len()).filter(|axis| !axes.contains(axis)).map(|axis| dims[axis].clone()).collect();
    let first = b.reshape(first, &kept);
    let first = b.expand(first, &dims, axes);
    let distance = b.sub(x, first);
    let square = b.mul(distance, distance);
    let n = count(b, x, axes);
    let n = b.splat(n, &kept);
    let [mean, square] = [distance, square].map(|value| {
        let sum = b.sum(value, axes);
        b.div(sum, n)
    });
    let mean = b.mul(mean, mean);
    let variance = b.sub(square, mean);
    let zero = b.zeros_like(variance);
    b.map(super::MapOp::Max, &[variance, zero])
}

/// The mean along axes, and the count for each element of it.
fn mean(b: &mut Builder, x: NodeId, axes: &[usize]) -> (NodeId, NodeId) {
    let sum = b.node(Op::Reduce(super::ReduceOp::Sum, axes.to_vec()), &[x]);
    let n = count(b, x, axes);
    let kept = b.dims(sum);
    let n = b.splat(n, &kept);
    (b.div(sum, n), n)
}

/// How many elements of a value there are along axes, as a number of its dtype.
fn count(b: &mut Builder, x: NodeId, axes: &[usize]) -> NodeId {
    let dims = b.dims(x);
    let n = Dim::product(axes.iter().map(|&axis| &dims[axis]));
    b.size_of(x, &n.unwrap_or_else(|_| bug!("the size of a mean overflows")))
}

// Note [One walk]
//
// By definition the mean must be known before a distance is, so a value that does not fit the first-level cache is
// walked twice. With any s, d = x - s, the mean of d is m - s and
//
//     v = mean(d²) - mean(d)²
//
// which loses digits where s is far from the mean: the relative error is about ε · (1 + (s - m)²/v). No element
// of n is farther from the mean than √((n-1)·v), so with an element for s it is below ε·n at worst, and a few ε
// as a rule. Rows, which stay in cache, take the definition.
