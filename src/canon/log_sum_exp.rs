//! Log-sum-exp, plain or with its maximum taken out by hand.

use crate::ir::NodeId;
use crate::ops::Builder;
use crate::ops::{MapOp, Op, ReduceOp};

/// log(Σ exp(x)) = logsumexp(x), over several axes one after the other.
pub(super) fn of_log(b: &mut Builder, of: NodeId) -> Option<NodeId> {
    let sum = b.graph.node(of);
    let Op::Reduce(ReduceOp::Sum, axes) = &sum.op else { return None };
    let exp = b.graph.node(sum.args[0]);
    let Op::Map(MapOp::Exp) = exp.op else { return None };
    let (axes, x) = (axes.clone(), exp.args[0]);
    // From the last axis on, so that the places of the others hold.
    Some(axes.iter().rev().fold(x, |x, &axis| b.log_sum_exp(x, axis)))
}

/// logsumexp(x - m) + m = logsumexp(x), where m is repeated along the axes: the maximum as a rule, which
/// by hand keeps the exponentials in range.
///
/// The gradient is the same too, whether m is stopped or not, since both of its uses are the same node.
pub(super) fn of_shifted(b: &mut Builder, left: NodeId, right: NodeId) -> Option<NodeId> {
    [(left, right), (right, left)].into_iter().find_map(|(shifted, m)| of_shifted_by(b, shifted, m))
}

fn of_shifted_by(b: &mut Builder, shifted: NodeId, m: NodeId) -> Option<NodeId> {
    // Outermost first, which is ascending; see `of_log`.
    let mut axes = Vec::new();
    let mut inner = b.graph.node(shifted);
    while let Op::LogSumExp(axis) = inner.op {
        if axes.last().is_some_and(|last| *last >= axis) {
            return None;
        }
        axes.push(axis);
        inner = b.graph.node(inner.args[0]);
    }
    let Op::Map(MapOp::Sub) = inner.op else { return None };
    let x = inner.args[0];
    let repeated = b.graph.node(inner.args[1]);
    let Op::Broadcast { dims: _, axes: from } = &repeated.op else { return None };
    let new = (0..from.len()).filter(|&at| from[at].is_none());
    if axes.is_empty() || repeated.args[0] != m || !new.eq(axes.iter().copied()) {
        return None;
    }
    Some(axes.iter().rev().fold(x, |x, &axis| b.log_sum_exp(x, axis)))
}
