//! A sum of which a mask leaves one term is that term.

use crate::ir::{Dim, NodeId};
use crate::ops::Builder;
use crate::ops::{Cmp, MapOp, Op};

/// Σ_a (pos(a) = i ? x : 0) = x at a = i, where i is known to be a position of `a`: an input that is
/// checked to be below its size. Outside of it the sum is 0, and the pick is not.
pub(super) fn of_masked_sum(b: &mut Builder, sum_of: NodeId, axes: &[usize]) -> Option<NodeId> {
    let [axis] = *axes else { return None };
    let select = b.graph.node(sum_of);
    let Op::Map(MapOp::Select) = select.op else { return None };
    let (mask, x) = (b.graph.node(select.args[0]), select.args[1]);
    let Op::Map(MapOp::Cmp(Cmp::Eq)) = mask.op else { return None };
    if b.splat_value(select.args[2])?.value() != 0.0 {
        return None;
    }
    let [left, right] = [mask.args[0], mask.args[1]];
    let index = match (is_positions(b, left, axis), is_positions(b, right, axis)) {
        (true, false) => right,
        (false, true) => left,
        _ => return None,
    };
    let repeated = b.graph.node(index);
    let Op::Broadcast { dims, axes: from } = &repeated.op else { return None };
    if from[axis].is_some() || !is_below(b, repeated.args[0], &dims[axis]) {
        return None;
    }
    let (mut dims, mut from, source) = (dims.clone(), from.clone(), repeated.args[0]);
    dims.remove(axis);
    from.remove(axis);
    let index = b.broadcast(source, &dims, &from);
    Some(b.pick(x, axis, index))
}

/// Whether a value is its position along an axis.
fn is_positions(b: &Builder, id: NodeId, axis: usize) -> bool {
    let node = b.graph.node(id);
    match &node.op {
        Op::Iota(_) => axis == 0,
        Op::Broadcast { dims: _, axes } => {
            axes[axis] == Some(0) && matches!(b.graph.node(node.args[0]).op, Op::Iota(_))
        }
        _ => false,
    }
}

/// Whether every element of an index is known to be below a size.
fn is_below(b: &Builder, mut id: NodeId, size: &Dim) -> bool {
    loop {
        let node = b.graph.node(id);
        match &node.op {
            Op::Input(input) => return b.graph.inputs[input.index()].below.as_ref() == Some(size),
            Op::Permute(_) | Op::Reshape(_) | Op::Broadcast { .. } => id = node.args[0],
            _ => return false,
        }
    }
}
