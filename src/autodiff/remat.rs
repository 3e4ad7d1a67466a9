//! Values that are computed again for the gradient instead of kept.
//!
//! In: a graph with gradients, and how many of its nodes were there before. Out: an equal one, in which the
//! gradients read no value of a `remat` block but its results: they read copies, computed from what the block
//! reads behind `Remat` marks, so that no pass finds them equal to the first ones.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::ir::{Graph, NodeId, Output};
use crate::ops::{Builder, Op};

/// Has the gradients compute again what they are told to.
pub(super) fn again(graph: Graph, forward: usize) -> Graph {
    if graph.nodes[..forward].iter().all(|node| node.origin.remat.is_none()) {
        return graph;
    }
    let results = results(&graph, forward);
    let is_dropped = |id: NodeId| {
        id.index() < forward && graph.node(id).origin.remat.is_some() && !results[id.index()] && !is_leaf(&graph, id)
    };
    let mut b = Builder::new(graph.empty_like());
    let mut new: Vec<NodeId> = Vec::with_capacity(graph.nodes.len());
    let mut copies: FxHashMap<NodeId, NodeId> = FxHashMap::default();
    for id in graph.ids() {
        let node = graph.node(id);
        let mut args = Vec::with_capacity(node.args.len());
        for &arg in &node.args {
            args.push(match id.index() >= forward && is_dropped(arg) {
                true => copy(&mut b, &graph, &new, &mut copies, arg, &is_dropped),
                false => new[arg.index()],
            });
        }
        new.push(b.push(node.op.clone(), &args, node.origin));
    }
    let output = |old: &Output| Output { role: old.role.clone(), node: new[old.node.index()] };
    b.graph.outputs = graph.outputs.iter().map(output).collect();
    b.finish()
}

/// What a block is there for, and stays: values that are read outside of it before the gradients.
fn results(graph: &Graph, forward: usize) -> Vec<bool> {
    let mut results = vec![false; graph.nodes.len()];
    for node in &graph.nodes[..forward] {
        for arg in &node.args {
            results[arg.index()] |= graph.node(*arg).origin.remat != node.origin.remat;
        }
    }
    graph.outputs.iter().for_each(|output| results[output.node.index()] = true);
    results
}

/// Whether a node is there without being computed.
fn is_leaf(graph: &Graph, id: NodeId) -> bool {
    graph.node(id).args.is_empty()
}

/// The copy of a value, with all that it is made of in the blocks, operands first.
fn copy(
    b: &mut Builder,
    graph: &Graph,
    new: &[NodeId],
    copies: &mut FxHashMap<NodeId, NodeId>,
    wanted: NodeId,
    is_dropped: &dyn Fn(NodeId) -> bool,
) -> NodeId {
    let mut needed: BTreeSet<NodeId> = BTreeSet::new();
    let mut stack = vec![wanted];
    while let Some(id) = stack.pop() {
        if !copies.contains_key(&id) && needed.insert(id) {
            stack.extend(graph.node(id).args.iter().copied().filter(|&arg| is_dropped(arg)));
        }
    }
    for id in needed {
        let node = graph.node(id);
        let mut args = Vec::with_capacity(node.args.len());
        for &arg in &node.args {
            args.push(match copies.get(&arg) {
                Some(&copied) => copied,
                None if matches!(graph.node(arg).op, Op::Const(_) | Op::Scalar(_) | Op::Iota(_)) => new[arg.index()],
                None => b.push(Op::Remat, &[new[arg.index()]], node.origin),
            });
        }
        let copied = b.push(node.op.clone(), &args, node.origin);
        copies.insert(id, copied);
    }
    copies[&wanted]
}
