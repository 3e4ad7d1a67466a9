//! Groups nodes into regions that run as one step.
//!
//! In: an optimised graph. Out: `Fused`: the graph in the few forms that regions know (`legal`), its
//! computing nodes in regions in order of execution, and which of them are written to memory. A region is
//! a contraction with the elementwise work on its tile (level 1), rows of one shape with their reductions
//! and neighbours (level 2), or a chain of elementwise work in one pass (level 3).
//!
//! `legal` rewrites what no region does directly · `taps` writes out reductions over windows · `node` what regions
//! ask of a node by itself · `view` index maps through views · `operand` what contractions read · `free` which nodes
//! belong to no region · `cluster` which share one · `order` the order of regions and which outputs go in place ·
//! `text` the printed form. Loops, buffers and sizes at run time are for `kernel`.

mod cluster;
pub mod free;
mod legal;
pub mod node;
pub mod operand;
mod order;
mod taps;
mod text;
pub mod view;

use crate::ir::{Dim, Graph, NodeId};

use free::Free;
pub use text::print;

/// A graph in regions.
pub struct Fused {
    /// The graph that the regions speak of.
    pub graph: Graph,
    /// In order of execution.
    pub regions: Vec<Region>,
    /// Which of its nodes belong to no region.
    pub free: Free,
    /// For each node, the region that computes it.
    pub region_of: Vec<Option<usize>>,
    /// Whether a node's value is written to memory; inputs, parameters and states are there already.
    pub stored: Vec<bool>,
    /// For each output, whether it may be written over the parameter or state that it replaces: every
    /// other reader of the old value has run by then.
    pub in_place: Vec<bool>,
}

/// Nodes that run as one step.
#[derive(Clone, PartialEq, Debug)]
pub struct Region {
    /// How it runs.
    pub kind: RegionKind,
    /// The sizes of its loops, the row last.
    pub domain: Vec<Dim>,
    /// What it computes, in topological order. A view among them copies.
    pub nodes: Vec<NodeId>,
}

/// How a region runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RegionKind {
    /// For each row of the domain: elementwise work and reductions along the row.
    Rows,
    /// A reduction along this axis of its argument, the other axes being the domain.
    Fold {
        /// The reduced axis.
        axis: usize,
    },
    /// A contraction, then elementwise work on its tile.
    Gemm,
    /// A `ScatterAdd`.
    Segments,
    /// A loop: all its results.
    Scan,
}

/// How often regions are found again without what is cheaper to do again than to write out.
const MAX_ROUNDS: usize = 3;

/// Groups the nodes of a graph.
pub fn fuse(graph: &Graph) -> Fused {
    let graph = legal::rewrite(graph);
    let mut free = Free::of(&graph);
    let mut clusters = cluster::cluster(&graph, &free);
    for _ in 0..MAX_ROUNDS {
        let Some(sparing) = free.sparing(&graph, &order::stored(&graph, &clusters)) else { break };
        free = sparing;
        clusters = cluster::cluster(&graph, &free);
    }
    order::order(graph, free, clusters)
}
