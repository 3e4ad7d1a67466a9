//! Nodes that no region computes: each reader does, wherever it reads.
//!
//! *Pure* ones read no memory: constants, positions, random numbers, arithmetic and views on these. *Inlined*
//! ones are elementwise work that is cheaper to do again than to write out:
//! - what a fold alone reads, each element once, on the way into its sum;
//! - what would be written out and takes but a few operations on what is written out anyway: `x - mean` of a
//!   convolution's result, forward and in its gradient.

use super::node::{is_memory, reduces_rows};
use super::view::{divides, is_view};
use crate::ir::{Graph, NodeId, Output, Role};
use crate::ops::rewrite::uses;
use crate::ops::{MapOp, Op};

/// How many values from memory one node may read through what is inlined in it.
const MAX_LEAVES: usize = 8;
/// What doing it again may cost, in additions, and what a read costs that may be outside.
const MAX_COST: u32 = 12;
const GUARDED: u32 = 4;

/// Which nodes no region computes.
#[derive(Clone, Debug)]
pub struct Free {
    pure: Vec<bool>,
    inlined: Vec<bool>,
}

impl Free {
    /// Of a graph in its legal form: pure nodes, and what folds take in.
    pub fn of(graph: &Graph) -> Free {
        let pure = pure(graph);
        let inlined = into_folds(graph, &pure, &uses(graph));
        Free { pure, inlined }
    }

    /// With what is cheaper to do again than to write out, when `stored` is what regions would write; none where
    /// there is nothing more.
    pub fn sparing(&self, graph: &Graph, stored: &[bool]) -> Option<Free> {
        let mut free = self.clone();
        let elsewhere = read_elsewhere(graph);
        let mut light: Vec<Option<Light>> = vec![None; graph.nodes.len()];
        for id in graph.ids().filter(|&id| !self.is_pure(id) && !elsewhere[id.index()]) {
            light[id.index()] = weigh(graph, id, &self.pure, stored, &light);
        }
        for id in graph.ids().rev() {
            let is_light = light[id.index()].is_some();
            free.inlined[id.index()] |= stored[id.index()] && is_light;
            // What it is made of comes with it.
            if free.inlined[id.index()] && is_light {
                for &arg in &graph.node(id).args {
                    free.inlined[arg.index()] |= light[arg.index()].is_some();
                }
            }
        }
        (free.inlined != self.inlined).then_some(free)
    }

    /// Whether each reader computes a node.
    pub fn is(&self, id: NodeId) -> bool {
        self.pure[id.index()] || self.inlined[id.index()]
    }

    /// Whether a node reads no memory at all.
    pub fn is_pure(&self, id: NodeId) -> bool {
        self.pure[id.index()]
    }

    /// What a node reads of what is not pure, through what is inlined in it: behind views, perhaps.
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
        leaves.sort_unstable();
        leaves.dedup();
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
            Op::Map(_) | Op::Permute(_) | Op::Broadcast { .. } | Op::Window { .. } | Op::StopGradient | Op::Remat => {
                node.args.iter().all(|arg| pure[arg.index()])
            }
            _ => false,
        };
    }
    pure
}

/// Whether a node is a reduction along an axis that is no row.
fn folds(graph: &Graph, id: NodeId) -> bool {
    matches!(graph.node(id).op, Op::Reduce(..)) && !reduces_rows(graph, id)
}

/// Elementwise work that a fold alone reads.
fn into_folds(graph: &Graph, pure: &[bool], uses: &[u32]) -> Vec<bool> {
    // A new value is written where the old one is, by a region that can be asked what it reads.
    let mut is_new = vec![false; graph.nodes.len()];
    let replacing = |output: &&Output| matches!(output.role, Role::NewParam(_) | Role::NewState(_));
    graph.outputs.iter().filter(replacing).for_each(|output| is_new[output.node.index()] = true);
    let mut inlined = vec![false; graph.nodes.len()];
    for id in graph.ids().filter(|&id| uses[id.index()] > 0 && folds(graph, id) && !is_new[id.index()]) {
        let (mut leaves, mut chain) = (Vec::new(), Vec::new());
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
    inlined
}

/// What doing a node again takes.
#[derive(Clone, Debug)]
struct Light {
    cost: u32,
    leaves: Vec<NodeId>,
}

fn weigh(graph: &Graph, id: NodeId, pure: &[bool], stored: &[bool], light: &[Option<Light>]) -> Option<Light> {
    let node = graph.node(id);
    let Op::Map(map) = node.op else { return None };
    let own = match map {
        MapOp::Div | MapOp::Sqrt => 4,
        MapOp::Pow | MapOp::Exp | MapOp::Log | MapOp::Tanh | MapOp::Erf | MapOp::Sin | MapOp::Cos => {
            return None;
        }
        _ => 1,
    };
    let mut sum = Light { cost: own, leaves: Vec::new() };
    for &arg in node.args.iter().filter(|arg| !pure[arg.index()]) {
        if let Some(inner) = &light[arg.index()] {
            sum.cost += inner.cost;
            sum.leaves.extend(&inner.leaves);
            continue;
        }
        let base = behind_views(graph, arg);
        sum.cost += windows(graph, arg) * GUARDED;
        // A value for each row is a scalar of the region that makes it.
        let dims = &graph.ty(base).dims;
        let of_row = node.ty.rank() > 0 && dims[..] == node.ty.dims[..node.ty.rank() - 1];
        let in_memory = is_memory(&graph.node(base).op) || stored[base.index()] && !of_row;
        if !in_memory || light[base.index()].is_some() {
            return None;
        }
        sum.leaves.push(base);
    }
    sum.leaves.sort_unstable();
    sum.leaves.dedup();
    (sum.cost <= MAX_COST && sum.leaves.len() <= MAX_LEAVES).then_some(sum)
}

fn behind_views(graph: &Graph, mut id: NodeId) -> NodeId {
    while is_view(&graph.node(id).op) {
        id = graph.node(id).args[0];
    }
    id
}

/// How many windows a value is read through.
fn windows(graph: &Graph, mut id: NodeId) -> u32 {
    let mut windows = 0;
    while is_view(&graph.node(id).op) {
        windows += u32::from(matches!(graph.node(id).op, Op::Window { .. }));
        id = graph.node(id).args[0];
    }
    windows
}

/// Values that someone reads elsewhere than at its own point, or whole: they stay in memory.
fn read_elsewhere(graph: &Graph) -> Vec<bool> {
    let mut elsewhere = vec![false; graph.nodes.len()];
    graph.outputs.iter().for_each(|output| elsewhere[behind_views(graph, output.node).index()] = true);
    for node in &graph.nodes {
        let moves = matches!(
            node.op,
            Op::Contract { .. }
                | Op::ScatterAdd(..)
                | Op::Take(_)
                | Op::Window { .. }
                | Op::Reshape(_)
                | Op::Concat(_)
                | Op::Scan(..)
        );
        if moves {
            node.args.iter().for_each(|&arg| elsewhere[behind_views(graph, arg).index()] = true);
        }
    }
    elsewhere
}
