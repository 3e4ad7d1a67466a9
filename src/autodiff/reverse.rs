//! The reverse walk and its accumulation.

use smallvec::SmallVec;

use crate::base::bug;
use crate::ir::{AttentionResult, NodeId, Origin};
use crate::ops::{self, Builder, Grads, Op};

use super::scan;

/// The gradients of `y`, a float without axes, by the values `xs`: one node for each, zeros where `y` does not
/// depend on it.
pub fn grad(b: &mut Builder, y: NodeId, xs: &[NodeId]) -> Vec<NodeId> {
    if b.rank(y) > 0 || !b.ty(y).dtype.is_float() {
        bug!("the gradient of a {:?}, which is no float without axes", b.ty(y));
    }
    let passed_origin = b.origin;
    b.origin = b.graph.node(y).origin;
    let one = b.number_of(y, 1.0);
    let grads = pull_back(b, &[(y, one)], xs);
    b.origin = Origin::default();
    let grads = xs.iter().zip(grads).map(|(x, grad)| grad.unwrap_or_else(|| b.zeros_like(*x))).collect();
    b.origin = passed_origin;
    grads
}

/// The gradients by the values `xs` of what has the gradients `seeds` by some values: none where none of these depends
/// on it.
pub fn pull_back(b: &mut Builder, seeds: &[(NodeId, NodeId)], xs: &[NodeId]) -> Vec<Option<NodeId>> {
    let Some(last) = seeds.iter().map(|(y, _)| *y).max() else { return vec![None; xs.len()] };
    let passed_origin = b.origin;
    let on_the_way = reaches(b, last, xs);
    let mut gradients = Accumulator { terms: vec![SmallVec::new(); last.index() + 1] };
    for &(y, dy) in seeds.iter().filter(|(y, _)| on_the_way[y.index()]) {
        gradients.add(y, dy);
    }
    let mut totals: Vec<Option<NodeId>> = vec![None; last.index() + 1];
    for id in (0..=last.0).rev().map(NodeId) {
        // A node that nothing on the way to a seed uses has no terms.
        if !on_the_way[id.index()] {
            continue;
        }
        b.origin = b.graph.node(id).origin;
        totals[id.index()] = gradients.total(b, id);
        let args = b.graph.node(id).args.clone();
        let wanted: SmallVec<[bool; 3]> = args.iter().map(|arg| on_the_way[arg.index()]).collect();
        let terms = match &b.graph.node(id).op {
            Op::Scan(..) => scan::grad(b, id, &totals, &wanted, pull_back),
            op if is_by_definition(op, &wanted) => match totals[id.index()] {
                Some(dy) => of_definition(b, id, dy, &wanted),
                None => continue,
            },
            _ => match totals[id.index()] {
                Some(dy) => ops::grad(b, id, dy, &wanted),
                None => continue,
            },
        };
        for (&arg, term) in args.iter().zip(terms) {
            if let Some(term) = term {
                gradients.add(arg, term);
            }
        }
    }
    b.origin = passed_origin;
    xs.iter().map(|x| totals.get(x.index()).copied().flatten()).collect()
}

/// Whether a gradient is that of the definition: of an attention by what its score reads further, and of what is a
/// gradient of an attention already.
fn is_by_definition(op: &Op, wanted: &[bool]) -> bool {
    match op {
        Op::Attention(_, AttentionResult::Mean) => wanted[3..].contains(&true),
        Op::Attention(_, AttentionResult::LogSumExp) | Op::AttentionGrad(..) => true,
        _ => false,
    }
}

fn of_definition(b: &mut Builder, id: NodeId, dy: NodeId, wanted: &[bool]) -> Grads {
    let (op, args) = (b.graph.node(id).op.clone(), b.graph.node(id).args.clone());
    // Behind marks, so that an argument that is given twice has two gradients and no other node is on the way.
    let marks: Vec<NodeId> = args.iter().map(|&arg| b.node(Op::Remat, &[arg])).collect();
    let defined = ops::attention_by_definition(b, &op, &marks);
    let xs: Vec<NodeId> = marks.iter().zip(wanted).filter(|(_, wanted)| **wanted).map(|(mark, _)| *mark).collect();
    let mut grads = pull_back(b, &[(defined, dy)], &xs).into_iter();
    wanted.iter().map(|wanted| if *wanted { grads.next().flatten() } else { None }).collect()
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
        reaches[at] = depends && node.ty.dtype.is_float();
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
