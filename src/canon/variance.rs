//! The mean of the squared distances to the mean is a variance.

use crate::ir::{Dim, HostOp, NodeId};
use crate::ops::{Builder, MapOp, Op, ReduceOp};

/// Σ_S (x - Σ_S x / n)² / n = variance_S(x), where n counts the elements along S.
pub(super) fn of_mean(b: &mut Builder, sum: NodeId, n: NodeId) -> Option<NodeId> {
    let (x_minus_mean, axes) = match &b.graph.node(sum).op {
        Op::Reduce(ReduceOp::Sum, axes) if !axes.is_empty() => (squared(b, b.graph.node(sum).args[0])?, axes.clone()),
        _ => return None,
    };
    let node = b.graph.node(x_minus_mean);
    let Op::Map(MapOp::Sub) = node.op else { return None };
    let (x, repeated) = (node.args[0], b.graph.node(node.args[1]));
    let Op::Broadcast { dims, axes: from } = &repeated.op else { return None };
    let new = (0..from.len()).filter(|&at| from[at].is_none());
    let mean = b.graph.node(repeated.args[0]);
    let counts = Dim::product(axes.iter().map(|&axis| &dims[axis])).is_ok_and(|count| is_count(b, n, &count));
    if !new.eq(axes.iter().copied()) || mean.op != Op::Map(MapOp::Div) || mean.args[1] != n || !counts {
        return None;
    }
    let summed = b.graph.node(mean.args[0]);
    let is_its_mean = summed.op == Op::Reduce(ReduceOp::Sum, axes.clone()) && summed.args[0] == x;
    is_its_mean.then(|| b.variance(x, &axes))
}

/// What a value is the square of.
fn squared(b: &Builder, id: NodeId) -> Option<NodeId> {
    let node = b.graph.node(id);
    match node.op {
        Op::Map(MapOp::Mul) if node.args[0] == node.args[1] => Some(node.args[0]),
        Op::Map(MapOp::Pow) if b.splat_value(node.args[1])?.value() == 2.0 => Some(node.args[0]),
        _ => None,
    }
}

/// Whether a value is a number of elements, everywhere.
fn is_count(b: &Builder, mut id: NodeId, count: &Dim) -> bool {
    while let Op::Broadcast { .. } | Op::Map(MapOp::Cast(_)) = b.graph.node(id).op {
        id = b.graph.node(id).args[0];
    }
    match b.graph.node(id).op {
        Op::Scalar(host) => b.graph.host.ops[host.0 as usize] == HostOp::Size(count.clone()),
        Op::Const(number) => count.as_const().is_some_and(|count| number.value() == count as f64),
        _ => false,
    }
}
