//! The reverse walk and its accumulation.

use smallvec::SmallVec;

use crate::base::bug;
use crate::ir::{DType, NodeId, Origin, Ty};
use crate::ops;
use crate::ops::Builder;

/// The gradients of `y`, f32 without axes, by the values `xs`: one node for each, zeros where `y` does not
/// depend on it.
pub fn grad(b: &mut Builder, y: NodeId, xs: &[NodeId]) -> Vec<NodeId> {
    if *b.ty(y) != Ty::scalar(DType::F32) {
        bug!("the gradient of a {:?}, which is no f32 without axes", b.ty(y));
    }
    let passed_origin = b.origin;
    let on_the_way = reaches(b, y, xs);
    let mut gradients = Accumulator { terms: vec![SmallVec::new(); y.index() + 1] };
    if on_the_way[y.index()] {
        b.origin = b.graph.node(y).origin;
        let one = b.f32(1.0);
        gradients.add(y, one);
    }
    let mut totals: Vec<Option<NodeId>> = vec![None; y.index() + 1];
    for id in (0..=y.0).rev().map(NodeId) {
        // A node that nothing on the way to `y` uses has no terms.
        if !on_the_way[id.index()] {
            continue;
        }
        b.origin = b.graph.node(id).origin;
        let Some(dy) = gradients.total(b, id) else { continue };
        totals[id.index()] = Some(dy);
        let args = b.graph.node(id).args.clone();
        let wanted: SmallVec<[bool; 3]> = args.iter().map(|arg| on_the_way[arg.index()]).collect();
        for (&arg, term) in args.iter().zip(ops::grad(b, id, dy, &wanted)) {
            if let Some(term) = term {
                gradients.add(arg, term);
            }
        }
    }
    b.origin = Origin::default();
    let total = |x: &NodeId| totals.get(x.index()).copied().flatten();
    let grads = xs.iter().map(|x| total(x).unwrap_or_else(|| b.zeros_like(*x))).collect();
    b.origin = passed_origin;
    grads
}

/// For each node up to `y` whether it is a float that depends on one of `xs`.
fn reaches(b: &Builder, y: NodeId, xs: &[NodeId]) -> Vec<bool> {
    let mut reaches = vec![false; y.index() + 1];
    for x in xs {
        if let Some(reached) = reaches.get_mut(x.index()) {
            *reached = true;
        }
    }
    for at in 0..reaches.len() {
        let node = &b.graph.nodes[at];
        let depends = reaches[at] || node.args.iter().any(|arg| reaches[arg.index()]);
        reaches[at] = depends && node.ty.dtype == DType::F32;
    }
    reaches
}

/// The gradients that arrived at each node from its users.
struct Accumulator {
    terms: Vec<SmallVec<[NodeId; 2]>>,
}

impl Accumulator {
    fn add(&mut self, node: NodeId, term: NodeId) {
        self.terms[node.index()].push(term);
    }

    /// Their sum, in the order in which they arrived.
    fn total(&mut self, b: &mut Builder, node: NodeId) -> Option<NodeId> {
        std::mem::take(&mut self.terms[node.index()]).into_iter().reduce(|sum, term| b.add(sum, term))
    }
}
