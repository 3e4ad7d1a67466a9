//! Parameters that no gradient reaches, by the form of the graph alone.
//!
//! In: the graph of a loss as it was written, before anything in it is simplified. Out: the parameters on which the loss
//! does not depend in a way that has a derivative, each with what ends the way. What is said is sure: the gradient is
//! zero whatever the numbers are; a loop, which is not looked into, is taken to pass one to all it is given. The rules of the derivatives stand in `ops`; here is only which arguments have none.

use crate::ir::{Graph, NodeId, ParamId, Role};
use crate::ops::{MapOp, Op, splat_value};

/// Why a parameter has no gradient.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Untouched {
    /// What is made of it is not in the loss.
    Outside,
    /// The operation on the way to the loss behind which nothing depends on it smoothly.
    EndsAt(NodeId),
}

/// The parameters without a gradient, in order.
pub fn untouched(graph: &Graph) -> Vec<(ParamId, Untouched)> {
    let Some(loss) = graph.output(&Role::Loss) else { return Vec::new() };
    let behind = |flows: &dyn Fn(NodeId, usize) -> bool| -> Vec<bool> {
        let mut behind = vec![false; graph.nodes.len()];
        behind[loss.index()] = true;
        for id in graph.ids().rev().filter(|id| id.index() <= loss.index()) {
            if behind[id.index()] {
                let args = graph.node(id).args.iter().enumerate();
                args.filter(|(at, _)| flows(id, *at)).for_each(|(_, arg)| behind[arg.index()] = true);
            }
        }
        behind
    };
    let smooth = behind(&|id, at| passes(graph, id, at));
    let needed = behind(&|_, _| true);
    let mut readers: Vec<Vec<NodeId>> = vec![Vec::new(); graph.params.len()];
    for id in graph.ids() {
        if let Op::Param(param) = graph.node(id).op {
            readers[param.index()].push(id);
        }
    }
    let all = (0..graph.params.len() as u32).map(ParamId).zip(readers);
    all.filter(|(_, readers)| !readers.iter().any(|id| smooth[id.index()]))
        .map(|(param, mut readers)| {
            readers.retain(|id| needed[id.index()]);
            (param, end(graph, &needed, &readers).map_or(Untouched::Outside, Untouched::EndsAt))
        })
        .collect()
}

/// The last operation that the loss needs, that takes what depends smoothly on some nodes, and that passes no gradient to
/// it. An earlier one may stand beside the way, as the comparison in a relu does.
fn end(graph: &Graph, needed: &[bool], from: &[NodeId]) -> Option<NodeId> {
    let first = *from.first()?;
    let mut smooth = vec![false; graph.nodes.len()];
    from.iter().for_each(|id| smooth[id.index()] = true);
    let mut last = None;
    for id in graph.ids().skip(first.index()).filter(|id| needed[id.index()]) {
        let args = &graph.node(id).args;
        let given = || (0..args.len()).filter(|&at| smooth[args[at].index()]);
        if given().any(|at| passes(graph, id, at)) {
            smooth[id.index()] = true;
        } else if given().next().is_some() {
            last = Some(id);
        }
    }
    last
}

/// Whether the derivative of a node by an argument can be other than zero.
fn passes(graph: &Graph, id: NodeId, at: usize) -> bool {
    let node = graph.node(id);
    let is_float = |id: NodeId| graph.ty(id).dtype.is_float();
    let is_zero = |id: NodeId| splat_value(graph, id).is_some_and(|number| number.value() == 0.0);
    let smooth = match node.op {
        Op::StopGradient | Op::ArgReduce(..) => false,
        Op::Map(map) => match map {
            MapOp::Floor | MapOp::Round | MapOp::Cmp(_) | MapOp::And | MapOp::Or | MapOp::Not => false,
            // 0·x is 0 for every x that has a gradient.
            MapOp::Mul => !is_zero(node.args[1 - at]),
            // x⁰ is 1.
            MapOp::Pow => at == 1 || !is_zero(node.args[1]),
            _ => true,
        },
        _ => true,
    };
    smooth && is_float(id) && is_float(node.args[at])
}
