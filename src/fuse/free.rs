//! Nodes that no region computes: each reader does, wherever it reads.
//!
//! *Pure* ones read no memory: constants, positions, random numbers, arithmetic and views on these. *Inlined*
//! ones are elementwise work that a fold alone reads, each element once: made on the way into its sum, they are
//! never written out.

use super::cluster::reduces_rows;
use super::view::divides;
use crate::ir::{Graph, NodeId, Role};
use crate::ops::Op;
use crate::ops::rewrite::uses;

/// How many values from memory one fold may read through what is inlined in it.
const MAX_LEAVES: usize = 8;

/// Which nodes no region computes.
#[derive(Clone, Debug)]
pub struct Free {
    pure: Vec<bool>,
    inlined: Vec<bool>,
}

impl Free {
    /// Of a graph in its legal form.
    pub fn of(graph: &Graph) -> Free {
        let pure = pure(graph);
        let inlined = inlined(graph, &pure);
        Free { pure, inlined }
    }

    /// Whether each reader computes a node.
    pub fn is(&self, id: NodeId) -> bool {
        self.pure[id.index()] || self.inlined[id.index()]
    }

    /// Whether a node reads no memory at all.
    pub fn is_pure(&self, id: NodeId) -> bool {
        self.pure[id.index()]
    }

    /// What a free node reads of what is not free: behind views, perhaps.
    pub fn leaves(&self, graph: &Graph, id: NodeId) -> Vec<NodeId> {
        let mut leaves = Vec::new();
        let mut stack = vec![id];
        while let Some(id) = stack.pop() {
            for &arg in &graph.node(id).args {
                if self.inlined[arg.index()] {
                    stack.push(arg);
                } else if !self.pure[arg.index()] {
                    leaves.push(arg);
                }
            }
        }
        leaves
    }
}

fn pure(graph: &Graph) -> Vec<bool> {
    let mut pure = vec![false; graph.nodes.len()];
    for id in graph.ids() {
        let node = graph.node(id);
        pure[id.index()] = match &node.op {
            Op::Const(_) | Op::Scalar(_) | Op::Iota(_) | Op::Random { .. } => true,
            // A merge of axes needs a linear index, which only memory has.
            Op::Reshape(_) => pure[node.args[0].index()] && graph.ty(node.args[0]).rank() == 0,
            // Its source is read at computed positions, which only memory has.
            op if divides(op) => false,
            Op::Map(_) | Op::Permute(_) | Op::Broadcast { .. } | Op::Window { .. } | Op::StopGradient => {
                node.args.iter().all(|arg| pure[arg.index()])
            }
            _ => false,
        };
    }
    pure
}

fn inlined(graph: &Graph, pure: &[bool]) -> Vec<bool> {
    let uses = uses(graph);
    // A new value is written where the old one is, by a region that can be asked what it reads.
    let is_new = |id: NodeId| {
        let replaces = |role: &Role| matches!(role, Role::NewParam(_) | Role::NewState(_));
        graph.outputs.iter().any(|output| output.node == id && replaces(&output.role))
    };
    let mut inlined = vec![false; graph.nodes.len()];
    for id in graph.ids().filter(|&id| uses[id.index()] > 0) {
        let folds = matches!(graph.node(id).op, Op::Reduce(..)) && !reduces_rows(graph, id) && !is_new(id);
        if folds {
            let mut leaves = Vec::new();
            let mut chain = Vec::new();
            let mut stack = vec![graph.node(id).args[0]];
            while let Some(id) = stack.pop() {
                let elementwise = matches!(graph.node(id).op, Op::Map(_));
                if elementwise && uses[id.index()] == 1 && !pure[id.index()] {
                    chain.push(id);
                    stack.extend(graph.node(id).args.iter().copied());
                } else if !pure[id.index()] {
                    leaves.push(id);
                }
            }
            leaves.sort_unstable();
            leaves.dedup();
            if leaves.len() <= MAX_LEAVES {
                chain.iter().for_each(|id| inlined[id.index()] = true);
            }
        }
    }
    inlined
}
