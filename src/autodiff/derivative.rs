//! The derivatives that a program asks for: `grad(y, x)`.
//!
//! In: a recognised graph with `Derivative` nodes. Out: an equal one without them, nor the `Variable` marks that
//! they go by. The nodes are taken in their order, so a derivative that another one is made from is operations
//! like any other by then, and derivatives of derivatives need no rule of their own. Where all gradients are taken,
//! the ones that a program gives (`WithGradient`) have done their work and go as well.

use super::grad;
use crate::ir::{Graph, NodeId, Output};
use crate::ops::rewrite::{in_bodies, rebuild};
use crate::ops::{Builder, Op};

/// Takes all derivatives; none when the graph asks for none.
pub fn derivatives(graph: &Graph) -> Option<Graph> {
    if !holds(graph, &|op| matches!(op, Op::Derivative | Op::Variable(_))) {
        return None;
    }
    let graph = &in_bodies(graph, |body| derivatives(body).unwrap_or_else(|| body.clone()));
    let mut b = Builder::new(graph.empty_like());
    let mut new: Vec<NodeId> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let args: Vec<NodeId> = node.args.iter().map(|arg| new[arg.index()]).collect();
        new.push(match node.op {
            // The walk asks only what depends on the mark, so all else that the value was made of stands still.
            Op::Derivative => grad(&mut b, args[0], &args[1..])[0],
            _ => b.push(node.op.clone(), &args, node.origin),
        });
    }
    let output = |old: &Output| Output { role: old.role.clone(), node: new[old.node.index()] };
    b.graph.outputs = graph.outputs.iter().map(output).collect();
    Some(rebuild(&b.finish(), |_, site| matches!(site.old.node(site.id).op, Op::Variable(_)).then(|| site.args[0])))
}

/// The graph without the gradients that the program gives: what no gradient is taken of any more.
pub fn without_given(graph: &Graph) -> Graph {
    if !holds(graph, &|op| *op == Op::WithGradient) {
        return graph.clone();
    }
    rebuild(&in_bodies(graph, without_given), |_, site| {
        (site.old.node(site.id).op == Op::WithGradient).then(|| site.args[0])
    })
}

/// Whether a graph, or the body of a loop in it, has such an operation.
fn holds(graph: &Graph, is: &dyn Fn(&Op) -> bool) -> bool {
    graph.nodes.iter().any(|node| match &node.op {
        Op::Scan(scan, _) => holds(&scan.body, is),
        op => is(op),
    })
}
