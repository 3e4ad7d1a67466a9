//! Which nodes share a region.
//!
//! Nodes are visited in topological order and join the region of an operand when they run over the same
//! points, read what it computes at their own point only, and no path leads out of the region and back.
//! What needs no memory (constants, positions, random numbers, arithmetic on these) belongs to no region:
//! each reader computes it again.

use crate::ir::{Dim, Graph, NodeId};
use crate::ops::Op;

use super::free::Free;
use super::node::{domain, is_memory, reduces_rows};
use super::view::{Index, Place, Read, divides, identity, is_view, resolve};
use super::{RegionKind, operand};

/// Buffers that one region may touch, so that its pointers stay in registers.
const MAX_BUFFERS: usize = 14;
/// Values from memory that an epilogue may read and write beside its tile.
const MAX_PORTS: usize = 8;
/// Regions that a search for a path visits before it takes one to be there.
const SEARCH: usize = 64;

/// A region in the making.
#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub kind: RegionKind,
    pub domain: Vec<Dim>,
    pub nodes: Vec<NodeId>,
    /// Clusters whose values it reads.
    pub before: Vec<usize>,
    /// Values from memory that it reads.
    reads: Vec<NodeId>,
    /// Set when it went into another.
    merged_into: Option<usize>,
}

/// All regions of a graph, in no order.
pub(super) struct Clusters {
    pub all: Vec<Cluster>,
    /// The cluster of each computed node.
    pub of: Vec<Option<usize>>,
    /// Views that are copied because someone reads them in a way no index map gives.
    pub copied: Vec<bool>,
}

/// Puts every node that computes into a cluster.
pub(super) fn cluster(graph: &Graph, free: &Free) -> Clusters {
    let mut cx = Cx {
        graph,
        free,
        clusters: Clusters {
            all: Vec::new(),
            of: vec![None; graph.nodes.len()],
            copied: vec![false; graph.nodes.len()],
        },
        live: live_nodes(graph),
    };
    // Copies come first: each reader must see the same views as copied.
    for id in graph.ids().filter(|&id| cx.computes(id) || !cx.free.is_pure(id) && cx.free.is(id)).collect::<Vec<_>>() {
        cx.copy_unreadable(id);
    }
    // An output that nothing computes by itself is copied.
    for output in &graph.outputs {
        let op = &graph.node(output.node).op;
        if cx.free.is(output.node) || is_view(op) {
            cx.copy(output.node);
        }
    }
    for id in graph.ids() {
        if cx.clusters.copied[id.index()] {
            cx.place_copy(id);
        } else if cx.computes(id) {
            cx.place(id);
        }
    }
    let mut clusters = cx.clusters;
    for at in 0..clusters.of.len() {
        if let Some(cluster) = clusters.of[at] {
            clusters.of[at] = Some(clusters.find(cluster));
        }
    }
    clusters
}

impl Clusters {
    fn find(&self, mut at: usize) -> usize {
        while let Some(other) = self.all[at].merged_into {
            at = other;
        }
        at
    }

    /// Whether a cluster went into another.
    pub fn is_merged(&self, at: usize) -> bool {
        self.all[at].merged_into.is_some()
    }

    /// The clusters that come before one.
    pub fn before(&self, at: usize) -> Vec<usize> {
        let mut before: Vec<usize> = self.all[at].before.iter().map(|&other| self.find(other)).collect();
        before.sort_unstable();
        before.dedup();
        before.retain(|&other| other != at);
        before
    }
}

struct Cx<'a> {
    graph: &'a Graph,
    /// Nodes that need no memory.
    free: &'a Free,
    clusters: Clusters,
    live: Vec<bool>,
}

impl Cx<'_> {
    /// Whether a node is neither a view nor there without a region.
    fn computes(&self, id: NodeId) -> bool {
        let op = &self.graph.node(id).op;
        self.live[id.index()] && !self.free.is(id) && !is_view(op) && !is_memory(op)
    }

    fn place(&mut self, id: NodeId) {
        let graph = self.graph;
        let node = graph.node(id);
        let kind = match &node.op {
            Op::Contract { .. } => RegionKind::Gemm,
            Op::ScatterAdd(..) => RegionKind::Segments,
            Op::Scan(..) => RegionKind::Scan,
            Op::Reduce(_, axes) if !reduces_rows(graph, id) => RegionKind::Fold { axis: axes[0] },
            _ => RegionKind::Rows,
        };
        let reads = self.reads(id);
        let joins = matches!(node.op, Op::Map(_)) || reduces_rows(graph, id);
        let mut candidates: Vec<usize> = Vec::new();
        if joins {
            candidates.extend(reads.iter().filter_map(|read| self.cluster_of(read.node)));
            // The latest first: it has most of what the node reads behind it.
            candidates.sort_unstable_by(|a, b| b.cmp(a));
            candidates.dedup();
        }
        let home = candidates.iter().copied().find(|&at| self.may_join(id, &reads, at));
        let sibling = |cx: &Cx<'_>| cx.same_loop(id).or_else(|| cx.sibling(id, kind, &reads));
        let home = home.or_else(|| sibling(self)).unwrap_or_else(|| self.open(id, kind));
        self.enter(id, &reads, home);
        for other in candidates {
            let (home, other) = (self.clusters.find(home), self.clusters.find(other));
            if home == other {
                continue;
            }
            if self.may_merge(other, home) {
                self.merge(other, home);
            } else if self.may_absorb(other, home) {
                self.merge(home, other);
            } else if self.may_absorb(home, other) {
                self.merge(other, home);
            }
        }
    }

    /// A new region for a node.
    fn open(&mut self, id: NodeId, kind: RegionKind) -> usize {
        self.clusters.all.push(Cluster {
            kind,
            domain: domain(self.graph, id),
            nodes: Vec::new(),
            before: Vec::new(),
            reads: Vec::new(),
            merged_into: None,
        });
        self.clusters.all.len() - 1
    }

    /// The region of the loop that a node is a result of, when another result of it is there.
    fn same_loop(&self, id: NodeId) -> Option<usize> {
        let node = self.graph.node(id);
        let Op::Scan(scan, _) = &node.op else { return None };
        let same = |cluster: &Cluster| {
            let Some(&first) = cluster.nodes.first().filter(|_| cluster.kind == RegionKind::Scan) else { return false };
            let other = self.graph.node(first);
            matches!(&other.op, Op::Scan(known, _) if known == scan) && other.args == node.args
        };
        self.clusters.all.iter().position(same)
    }

    /// For a fold, another fold over the same elements, of which nothing is made yet: the two are one walk.
    fn sibling(&self, id: NodeId, kind: RegionKind, reads: &[Read]) -> Option<usize> {
        let RegionKind::Fold { .. } = kind else { return None };
        let over = |id: NodeId| &self.graph.ty(self.graph.node(id).args[0]).dims;
        let recent = (0..self.clusters.all.len()).rev().filter(|&at| !self.clusters.is_merged(at)).take(SEARCH);
        let fits = |&at: &usize| {
            let cluster = &self.clusters.all[at];
            let folds =
                |&other: &NodeId| matches!(self.graph.node(other).op, Op::Reduce(..)) && over(other) == over(id);
            let shared = reads.iter().any(|read| cluster.reads.contains(&read.node));
            let more = reads.iter().filter(|read| !cluster.reads.contains(&read.node)).count();
            cluster.kind == kind
                && cluster.nodes.iter().all(folds)
                && shared
                && cluster.reads.len() + more <= MAX_BUFFERS
                && reads.iter().filter_map(|read| self.cluster_of(read.node)).all(|other| !self.reaches(at, other))
        };
        recent.into_iter().find(fits)
    }

    /// What a node reads, behind views and through what is inlined.
    fn reads(&self, id: NodeId) -> Vec<Read> {
        let mut reads = Vec::new();
        for &arg in &self.graph.node(id).args {
            self.read_at(arg, identity(self.graph.ty(arg).rank()), &mut reads);
        }
        reads
    }

    /// What reading a value at a place reads.
    fn read_at(&self, id: NodeId, place: Vec<Index>, reads: &mut Vec<Read>) {
        let graph = self.graph;
        let copied = &self.clusters.copied;
        let Ok(read) = resolve(graph, id, place, &|id| copied[id.index()]) else { return };
        let base = graph.node(read.node);
        if copied[read.node.index()] {
            reads.push(read);
        } else if self.free.is(read.node) {
            let Place::Axes(place) = &read.place else { return };
            let inner = base.args.iter().filter(|arg| !self.free.is_pure(**arg));
            inner.for_each(|&arg| self.read_at(arg, place.clone(), reads));
        } else if divides(&base.op) {
            // Elsewhere than at the reader's own point, wherever that is.
            let place = Place::Linear(Index::fixed(Dim::ZERO));
            reads.push(Read { node: base.args[0], place, guards: Vec::new() });
        } else {
            reads.push(read);
        }
    }

    /// Has the views copied that an operand of a node cannot be read through.
    fn copy_unreadable(&mut self, id: NodeId) {
        let graph = self.graph;
        let node = graph.node(id);
        for (at, &arg) in node.args.iter().enumerate() {
            if let Op::Contract { .. } = node.op {
                self.make_operand_readable(id, at);
                continue;
            }
            // A table, a list of updates or what a loop is given is read whole: in memory.
            let whole = matches!((&node.op, at), (Op::Take(_), 0) | (Op::ScatterAdd(..) | Op::Scan(..), _));
            let in_memory = !is_view(&graph.node(arg).op) && !self.free.is(arg);
            if whole && !in_memory {
                self.copy(arg);
                continue;
            }
            self.make_readable(arg);
        }
    }

    /// Copies what stands in the way of reading an operand of a contraction: by strides, or as patches.
    fn make_operand_readable(&mut self, id: NodeId, at: usize) {
        let graph = self.graph;
        let arg = graph.node(id).args[at];
        let (copied, free) = (&self.clusters.copied, self.free);
        let stop = |id: NodeId| copied[id.index()];
        let in_memory = |id: NodeId| copied[id.index()] || (!is_view(&graph.node(id).op) && !free.is(id));
        let is_matrix = |at: usize| operand::matrix(graph, id, at, &stop).is_some_and(|read| in_memory(read.node));
        if is_matrix(at) {
            return;
        }
        if at == 1 {
            // Beside patches it has a stride for each axis.
            let by_steps = operand::steps_from_start(graph, arg, &stop).is_some_and(|(node, _)| in_memory(node));
            if !by_steps || is_matrix(0) {
                self.copy(arg);
            }
            return;
        }
        let patches = operand::patches(graph, id, &stop).is_some_and(|read| in_memory(read.node));
        if patches {
            return;
        }
        // A window of what is written out, or the window itself.
        match operand::window_source(graph, id) {
            Some(source) if !copied[source.index()] && (is_view(&graph.node(source).op) || free.is(source)) => {
                self.copy(source);
                self.make_operand_readable(id, at);
            }
            _ => self.copy(arg),
        }
    }

    /// Copies what stands in the way of reading a value by index.
    fn make_readable(&mut self, arg: NodeId) {
        let graph = self.graph;
        if self.free.is(arg) {
            return;
        }
        loop {
            let copied = &self.clusters.copied;
            let place = identity(graph.ty(arg).rank());
            let Ok(read) = resolve(graph, arg, place, &|id| copied[id.index()]) else { return };
            let base = read.node;
            let is_copied = copied[base.index()];
            let is_linear = matches!(read.place, Place::Linear(_));
            let blocks = is_view(&graph.node(base).op) && !is_copied && !self.free.is(base);
            if blocks && !is_linear && divides(&graph.node(base).op) {
                // Its source is read at positions that are computed: as a table is.
                let source = graph.node(base).args[0];
                if is_view(&graph.node(source).op) || self.free.is(source) {
                    self.copy(source);
                }
                return;
            }
            if blocks {
                // No index map leads on from here.
                self.copy(base);
                continue;
            }
            if self.free.is(base) && !is_copied && is_linear {
                // Only memory has a linear index.
                self.copy(base);
                continue;
            }
            return;
        }
    }

    /// Decides that a view, or a value that needs no memory, is written out.
    fn copy(&mut self, id: NodeId) {
        if self.clusters.copied[id.index()] {
            return;
        }
        self.clusters.copied[id.index()] = true;
        if self.free.is(id) {
            return;
        }
        let node = self.graph.node(id);
        let source = node.args[0];
        if divides(&node.op) {
            // Its source is read at positions that are computed: as a table is.
            if is_view(&self.graph.node(source).op) || self.free.is(source) {
                self.copy(source);
            }
            return;
        }
        // What it reads behind itself, and not behind its source alone, must lead to memory.
        loop {
            let Some(read) = self.behind(id) else { return };
            let base = read.node;
            let is_copied = self.clusters.copied[base.index()] && base != id;
            let is_linear = matches!(read.place, Place::Linear(_));
            if base == id || is_copied {
                return;
            }
            let blocks = is_view(&self.graph.node(base).op) && !self.free.is(base);
            if !(blocks || self.free.is(base) && is_linear) {
                return;
            }
            self.copy(base);
        }
    }

    /// What a copied view reads.
    fn behind(&self, id: NodeId) -> Option<Read> {
        let copied = &self.clusters.copied;
        let place = identity(self.graph.ty(id).rank());
        resolve(self.graph, id, place, &|other| other != id && copied[other.index()]).ok()
    }

    /// Gives what is written out a region of its own.
    fn place_copy(&mut self, id: NodeId) {
        let graph = self.graph;
        let reads: Vec<NodeId> = match self.behind(id).map(|read| read.node) {
            Some(base) if self.free.is(base) && (base == id || !self.clusters.copied[base.index()]) => {
                self.reads(base).into_iter().map(|read| read.node).collect()
            }
            // A window that divides leads no further, and reads its source.
            Some(base) if base == id => vec![graph.node(id).args[0]],
            Some(base) => vec![base],
            None => Vec::new(),
        };
        let before = reads.iter().filter_map(|&read| self.cluster_of(read)).collect();
        self.clusters.of[id.index()] = Some(self.clusters.all.len());
        self.clusters.all.push(Cluster {
            kind: RegionKind::Rows,
            domain: graph.ty(id).dims.to_vec(),
            nodes: vec![id],
            before,
            reads,
            merged_into: None,
        });
    }

    fn cluster_of(&self, id: NodeId) -> Option<usize> {
        self.clusters.of[id.index()].map(|at| self.clusters.find(at))
    }

    /// Whether a node may run in the region of an operand.
    fn may_join(&self, id: NodeId, reads: &[Read], at: usize) -> bool {
        let graph = self.graph;
        let cluster = &self.clusters.all[at];
        let rank = cluster.domain.len();
        let is_map = matches!(graph.node(id).op, Op::Map(_));
        let full = domain(graph, id) == cluster.domain;
        let of_row = is_map && rank > 0 && graph.ty(id).dims[..] == cluster.domain[..rank - 1];
        let fits = match cluster.kind {
            RegionKind::Rows => full || of_row,
            RegionKind::Gemm | RegionKind::Fold { .. } => full && is_map,
            RegionKind::Segments | RegionKind::Scan => false,
        };
        // A copied view or a gather is a value of memory to everyone else.
        let copies = cluster.nodes.iter().any(|&node| self.clusters.copied[node.index()]);
        if !fits || copies {
            return false;
        }
        let mine = reads.iter().filter(|read| self.cluster_of(read.node) == Some(at));
        let mut aligned = true;
        for read in mine {
            let dims = &graph.ty(read.node).dims;
            let per_row = cluster.kind == RegionKind::Rows
                && rank > 0
                && dims[..] == cluster.domain[..rank - 1]
                && self.is_of_row(read.node, cluster);
            let per_point = dims[..] == cluster.domain[..] && !self.is_of_row(read.node, cluster);
            let own_point = read.guards.is_empty()
                && matches!(&read.place, Place::Axes(place) if place.iter().enumerate().all(|(axis, index)| index.is_axis(axis) || dims[axis] == Dim::ONE));
            // Work on a row's scalars reads no element of the row.
            aligned &= own_point && (per_row || (per_point && full));
        }
        let ports = cluster.reads.len() + reads.iter().filter(|read| !cluster.reads.contains(&read.node)).count();
        let limit = if cluster.kind == RegionKind::Gemm { MAX_PORTS } else { MAX_BUFFERS };
        aligned
            && ports <= limit
            && reads.iter().all(|read| match self.cluster_of(read.node) {
                Some(other) => other == at || !self.reaches(at, other),
                None => true,
            })
    }

    /// Whether a node of a cluster has one value per row rather than one per point.
    fn is_of_row(&self, id: NodeId, cluster: &Cluster) -> bool {
        cluster.kind == RegionKind::Rows
            && (reduces_rows(self.graph, id) || self.graph.ty(id).dims[..] != cluster.domain[..])
    }

    /// Whether `to` depends on `from`; taken to be so when the search gets long.
    fn reaches(&self, from: usize, to: usize) -> bool {
        // An argument comes before its user, so nothing older than all of `from` depends on it.
        let oldest = self.clusters.all[from].nodes.first();
        let mut stack = vec![to];
        let mut seen: Vec<usize> = Vec::new();
        while let Some(at) = stack.pop() {
            if at == from {
                return true;
            }
            if seen.contains(&at) || self.clusters.all[at].nodes.last() < oldest {
                continue;
            }
            seen.push(at);
            if seen.len() > SEARCH {
                return true;
            }
            stack.extend(self.clusters.before(at));
        }
        false
    }

    fn enter(&mut self, id: NodeId, reads: &[Read], home: usize) {
        self.clusters.of[id.index()] = Some(home);
        for read in reads {
            let other = self.cluster_of(read.node).filter(|&other| other != home);
            let cluster = &mut self.clusters.all[home];
            cluster.before.extend(other);
            let inside = other.is_none() && !is_memory(&self.graph.node(read.node).op);
            if !inside && !cluster.reads.contains(&read.node) {
                cluster.reads.push(read.node);
            }
        }
        self.clusters.all[home].nodes.push(id);
    }

    /// Whether two regions of rows of one shape may be one.
    fn may_merge(&self, a: usize, b: usize) -> bool {
        let (x, y) = (&self.clusters.all[a], &self.clusters.all[b]);
        let rows = |cluster: &Cluster| {
            cluster.kind == RegionKind::Rows && !cluster.nodes.iter().any(|&id| self.clusters.copied[id.index()])
        };
        if !rows(x) || !rows(y) || x.domain != y.domain {
            return false;
        }
        let reads = x.reads.len() + y.reads.iter().filter(|read| !x.reads.contains(read)).count();
        if reads > MAX_BUFFERS {
            return false;
        }
        // What one reads of the other must be of its own point, and no third region may lie between.
        self.reads_own_points(a, b)
            && self.reads_own_points(b, a)
            && !self.clusters.before(b).iter().any(|&other| other != a && self.reaches(a, other))
            && !self.clusters.before(a).iter().any(|&other| other != b && self.reaches(b, other))
    }

    /// Whether elementwise work that reads a contraction's or a fold's result may run on it.
    fn may_absorb(&self, anchor: usize, rows: usize) -> bool {
        let (a, r) = (&self.clusters.all[anchor], &self.clusters.all[rows]);
        let limit = match a.kind {
            RegionKind::Gemm => MAX_PORTS,
            RegionKind::Fold { .. } => MAX_BUFFERS,
            RegionKind::Rows | RegionKind::Segments | RegionKind::Scan => return false,
        };
        let elementwise =
            |&id: &NodeId| matches!(self.graph.node(id).op, Op::Map(_)) && self.graph.ty(id).dims[..] == a.domain[..];
        if r.kind != RegionKind::Rows || r.domain != a.domain || !r.nodes.iter().all(elementwise) {
            return false;
        }
        let foreign = |read: &&NodeId| self.cluster_of(**read) != Some(anchor) && !a.reads.contains(read);
        a.reads.len() + r.reads.iter().filter(foreign).count() <= limit
            && self.reads_own_points(anchor, rows)
            && !self.reaches(rows, anchor)
            && !self.clusters.before(rows).iter().any(|&other| other != anchor && self.reaches(anchor, other))
    }

    /// Whether `reader` reads what `source` computes at its own points only.
    fn reads_own_points(&self, source: usize, reader: usize) -> bool {
        let graph = self.graph;
        let (source_cluster, reader_cluster) = (&self.clusters.all[source], &self.clusters.all[reader]);
        let rank = source_cluster.domain.len();
        reader_cluster.nodes.iter().all(|&id| {
            let special = matches!(graph.node(id).op, Op::Take(_) | Op::Concat(_));
            self.reads(id).iter().all(|read| {
                if self.cluster_of(read.node) != Some(source) {
                    return true;
                }
                let dims = &graph.ty(read.node).dims;
                let of_row = self.is_of_row(read.node, source_cluster);
                let shape_fits = if of_row { rank > 0 && dims[..] == source_cluster.domain[..rank - 1] } else { dims[..] == source_cluster.domain[..] };
                let reader_full = domain(graph, id) == reader_cluster.domain;
                !special
                    && shape_fits
                    && (of_row || reader_full)
                    && read.guards.is_empty()
                    && matches!(&read.place, Place::Axes(place) if place.iter().enumerate().all(|(axis, index)| index.is_axis(axis) || dims[axis] == Dim::ONE))
            })
        })
    }

    fn merge(&mut self, from: usize, into: usize) {
        let gone = std::mem::take(&mut self.clusters.all[from].nodes);
        let (before, reads) =
            (std::mem::take(&mut self.clusters.all[from].before), std::mem::take(&mut self.clusters.all[from].reads));
        self.clusters.all[from].merged_into = Some(into);
        let own = std::mem::take(&mut self.clusters.all[into].reads);
        let outside = |id: &NodeId| self.cluster_of(*id) != Some(into);
        let reads: Vec<NodeId> = own.into_iter().chain(reads).filter(outside).collect();
        let cluster = &mut self.clusters.all[into];
        cluster.nodes.extend(gone);
        cluster.nodes.sort_unstable();
        cluster.before.extend(before);
        cluster.reads.extend(reads);
        cluster.reads.sort_unstable();
        cluster.reads.dedup();
    }
}

fn live_nodes(graph: &Graph) -> Vec<bool> {
    let mut live = vec![false; graph.nodes.len()];
    for output in &graph.outputs {
        live[output.node.index()] = true;
    }
    for id in graph.ids().rev() {
        if live[id.index()] {
            for arg in &graph.node(id).args {
                live[arg.index()] = true;
            }
        }
    }
    live
}
