//! What regions ask of a node by itself.

use crate::ir::{Dim, Graph, NodeId};
use crate::ops::Op;

/// Whether a value is in memory before the step.
pub fn is_memory(op: &Op) -> bool {
    matches!(op, Op::Input(_) | Op::Param(_) | Op::State(_))
}

/// The points a node runs over: those of its argument for a reduction, its own for the rest.
pub fn domain(graph: &Graph, id: NodeId) -> Vec<Dim> {
    let node = graph.node(id);
    match &node.op {
        Op::Reduce(_, axes) if axes[0] + 1 != graph.ty(node.args[0]).rank() => node.ty.dims.to_vec(),
        Op::Reduce(..) | Op::ArgReduce(..) | Op::LogSumExp(_) | Op::Pick(_) => graph.ty(node.args[0]).dims.to_vec(),
        _ => node.ty.dims.to_vec(),
    }
}

/// Whether a node reduces the rows of its domain.
pub fn reduces_rows(graph: &Graph, id: NodeId) -> bool {
    let node = graph.node(id);
    match &node.op {
        Op::Reduce(_, axes) => axes[0] + 1 == graph.ty(node.args[0]).rank(),
        Op::ArgReduce(..) | Op::LogSumExp(_) | Op::Pick(_) => true,
        _ => false,
    }
}
