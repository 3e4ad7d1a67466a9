//! The walk that every pass from graph to graph shares.
//!
//! In: a graph and a rule for one node. Out: a new graph in the same order, in which equal nodes are one
//! (common subexpressions) and what no output needs is left out (dead code). A rule sees the arguments
//! of a node already rewritten and answers with the node that stands for it.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{Builder, Op};
use crate::base::bug;
use crate::ir::{Attention, Graph, NodeId, Output, Scan};

/// A node that a rule may rewrite.
pub struct Site<'a> {
    /// The graph that is read.
    pub old: &'a Graph,
    /// The node there.
    pub id: NodeId,
    /// Its arguments in the graph that is built.
    pub args: &'a [NodeId],
    uses: &'a [u32],
}

impl Site<'_> {
    /// Whether an argument has no user but this one: work merged with it is not done twice.
    pub fn is_sole_user(&self, arg: usize) -> bool {
        self.uses[self.old.node(self.id).args[arg].index()] == 1
    }
}

/// Rebuilds a graph by a rule. Where it answers none, the node stays as it is.
pub fn rebuild(graph: &Graph, mut rule: impl FnMut(&mut Builder, &Site<'_>) -> Option<NodeId>) -> Graph {
    let uses = uses(graph);
    let mut b = Builder::interning(graph.empty_like());
    let mut new: Vec<Option<NodeId>> = vec![None; graph.nodes.len()];
    for id in graph.ids().filter(|id| uses[id.index()] > 0) {
        let node = graph.node(id);
        b.origin = node.origin;
        let args: SmallVec<[NodeId; 3]> = node.args.iter().filter_map(|arg| new[arg.index()]).collect();
        let site = Site { old: graph, id, args: &args, uses: &uses };
        let result = rule(&mut b, &site).unwrap_or_else(|| b.node(node.op.clone(), &args));
        if *b.ty(result) != node.ty {
            bug!("{:?} became a {:?}, not a {:?}", node.op, b.ty(result), node.ty);
        }
        new[id.index()] = Some(result);
    }
    let mut result = b.finish();
    result.outputs = renamed(&graph.outputs, &new);
    result
}

/// Rebuilds a graph by a rule until nothing changes, `max_rounds` times at most.
pub fn to_fixpoint(
    graph: &Graph,
    max_rounds: usize,
    mut rule: impl FnMut(&mut Builder, &Site<'_>) -> Option<NodeId>,
) -> Graph {
    let mut graph = without_dead(graph);
    for _ in 0..max_rounds {
        let next = without_dead(&rebuild(&graph, &mut rule));
        let same = is_same(&next, &graph);
        graph = next;
        if same {
            break;
        }
    }
    graph
}

/// Whether two graphs have the same nodes.
pub fn is_same(a: &Graph, b: &Graph) -> bool {
    a.nodes.len() == b.nodes.len() && a.nodes.iter().zip(&b.nodes).all(|(a, b)| a.op == b.op && a.args == b.args)
}

/// The graph with the body of each of its loops and the score of each attention rewritten.
pub fn in_bodies(graph: &Graph, mut rule: impl FnMut(&Graph) -> Graph) -> Graph {
    let (scans, attentions) = (graph.scans(), graph.attentions());
    if scans.is_empty() && attentions.is_empty() {
        return graph.clone();
    }
    let new: Vec<Arc<Scan>> =
        scans.iter().map(|scan| Arc::new(Scan { body: rule(&scan.body), ..Scan::clone(scan) })).collect();
    let scored: Vec<Arc<Attention>> = attentions
        .iter()
        .map(|known| Arc::new(Attention { score: rule(&known.score), each: known.each.clone() }))
        .collect();
    let mut graph = graph.clone();
    for node in &mut graph.nodes {
        match &mut node.op {
            Op::Scan(scan, _) => {
                if let Some(at) = scans.iter().position(|known| known == scan) {
                    *scan = new[at].clone();
                }
            }
            Op::Attention(attention, _) | Op::AttentionGrad(attention, _) => {
                if let Some(at) = attentions.iter().position(|known| known == attention) {
                    *attention = scored[at].clone();
                }
            }
            _ => {}
        }
    }
    graph
}

/// The graph without nodes that no output needs; nothing else changes.
pub fn without_dead(graph: &Graph) -> Graph {
    let uses = uses(graph);
    let mut result = graph.empty_like();
    let mut new: Vec<Option<NodeId>> = vec![None; graph.nodes.len()];
    for id in graph.ids().filter(|id| uses[id.index()] > 0) {
        let mut node = graph.node(id).clone();
        node.args = node.args.iter().filter_map(|arg| new[arg.index()]).collect();
        new[id.index()] = Some(NodeId(result.nodes.len() as u32));
        result.nodes.push(node);
    }
    result.outputs = renamed(&graph.outputs, &new);
    result
}

/// How many live nodes and outputs read each node; 0 where it is dead.
pub fn uses(graph: &Graph) -> Vec<u32> {
    let mut uses = vec![0; graph.nodes.len()];
    for output in &graph.outputs {
        uses[output.node.index()] += 1;
    }
    for id in graph.ids().rev() {
        if uses[id.index()] > 0 {
            for arg in &graph.node(id).args {
                uses[arg.index()] += 1;
            }
        }
    }
    uses
}

fn renamed(outputs: &[Output], new: &[Option<NodeId>]) -> Vec<Output> {
    let output = |old: &Output| Some(Output { role: old.role.clone(), node: new[old.node.index()]? });
    outputs.iter().filter_map(output).collect()
}
