//! The order of regions, and which outputs may overwrite what they replace.
//!
//! A region runs after those it reads. One that makes a new parameter waits, where it can, until every
//! other reader of the old one has run: then it writes in place. Where a reader needs the new value's
//! region itself, it cannot wait, and the new value is copied over at the end of the step.

use rustc_hash::FxHashSet;

use crate::ir::{Graph, NodeId, Role};
use crate::ops::Op;

use super::cluster::Clusters;
use super::free::Free;
use super::node::is_memory;
use super::view::is_view;
use super::{Fused, Region, RegionKind};

/// Orders the clusters of a graph.
pub(super) fn order(graph: Graph, free: Free, clusters: Clusters) -> Fused {
    let count = clusters.all.len();
    let before: Vec<Vec<usize>> =
        (0..count).map(|at| if clusters.is_merged(at) { Vec::new() } else { clusters.before(at) }).collect();
    let readers = readers(&graph, &clusters);
    let waits = waits(&graph, &clusters, &readers);

    let mut after: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut missing: Vec<usize> = vec![0; count];
    for (at, needs) in before.iter().enumerate() {
        missing[at] = needs.len();
        needs.iter().for_each(|&other| after[other].push(at));
    }
    let mut waited_by: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut waiting: Vec<usize> = vec![0; count];
    for (at, others) in waits.iter().enumerate() {
        waiting[at] = others.len();
        others.iter().for_each(|&other| waited_by[other].push(at));
    }

    // Ready regions by their first node, which keeps the order of the program; those that wait come
    // only when nothing else can run.
    let first = |at: usize| (clusters.all[at].nodes.first().copied(), at);
    let mut ready: std::collections::BTreeSet<(Option<NodeId>, usize)> = Default::default();
    let mut held: std::collections::BTreeSet<(Option<NodeId>, usize)> = Default::default();
    for at in (0..count).filter(|&at| !clusters.is_merged(at) && missing[at] == 0) {
        if waiting[at] == 0 {
            ready.insert(first(at))
        } else {
            held.insert(first(at))
        };
    }
    let mut position = vec![usize::MAX; count];
    let mut ordered = Vec::new();
    while let Some((_, at)) = ready.pop_first().or_else(|| held.pop_first()) {
        position[at] = ordered.len();
        ordered.push(at);
        for &next in &after[at] {
            missing[next] -= 1;
            if missing[next] == 0 {
                if waiting[next] == 0 {
                    ready.insert(first(next))
                } else {
                    held.insert(first(next))
                };
            }
        }
        for &next in &waited_by[at] {
            waiting[next] -= 1;
            if waiting[next] == 0 && held.remove(&first(next)) {
                ready.insert(first(next));
            }
        }
    }

    let region_of: Vec<Option<usize>> = clusters.of.iter().map(|of| of.map(|at| position[at])).collect();
    let in_place = in_place(&graph, &region_of, &readers, &position);
    let stored = stored(&graph, &clusters);
    let regions: Vec<Region> = ordered
        .into_iter()
        .map(|at| {
            let cluster = &clusters.all[at];
            Region { kind: cluster.kind, domain: cluster.domain.clone(), nodes: cluster.nodes.clone() }
        })
        .collect();
    Fused { graph, regions, free, region_of, stored, in_place }
}

/// For each parameter and state, the clusters that read it.
struct Readers {
    params: Vec<Vec<usize>>,
    states: Vec<Vec<usize>>,
}

fn readers(graph: &Graph, clusters: &Clusters) -> Readers {
    let mut readers =
        Readers { params: vec![Vec::new(); graph.params.len()], states: vec![Vec::new(); graph.states.len()] };
    // What a value reads of memory through views, and through arithmetic that belongs to no region.
    let mut seen: Vec<Vec<NodeId>> = vec![Vec::new(); graph.nodes.len()];
    for id in graph.ids() {
        let node = graph.node(id);
        let mut memory: Vec<NodeId> = Vec::new();
        if is_memory(&node.op) {
            memory.push(id);
        }
        for arg in &node.args {
            let through = clusters.of[arg.index()].is_none();
            if through {
                memory.extend(seen[arg.index()].iter().copied());
            }
        }
        memory.sort_unstable();
        memory.dedup();
        if let Some(cluster) = clusters.of[id.index()] {
            for read in &memory {
                match graph.node(*read).op {
                    Op::Param(param) => readers.params[param.index()].push(cluster),
                    Op::State(state) => readers.states[state.index()].push(cluster),
                    _ => {}
                }
            }
        } else {
            seen[id.index()] = memory;
        }
    }
    readers
}

impl Readers {
    fn of(&self, role: &Role) -> &[usize] {
        match role {
            Role::NewParam(param) => &self.params[param.index()],
            Role::NewState(state) => &self.states[state.index()],
            _ => &[],
        }
    }
}

/// For each cluster, the clusters it should let run first.
fn waits(graph: &Graph, clusters: &Clusters, readers: &Readers) -> Vec<Vec<usize>> {
    let mut waits: Vec<Vec<usize>> = vec![Vec::new(); clusters.all.len()];
    for output in &graph.outputs {
        if let Some(writer) = clusters.of[output.node.index()] {
            waits[writer].extend(readers.of(&output.role).iter().copied().filter(|&reader| reader != writer));
        }
    }
    for list in &mut waits {
        list.sort_unstable();
        list.dedup();
    }
    waits
}

/// Which outputs may be written over what they replace.
fn in_place(graph: &Graph, region_of: &[Option<usize>], readers: &Readers, position: &[usize]) -> Vec<bool> {
    let mut taken: FxHashSet<NodeId> = FxHashSet::default();
    let allowed = graph.outputs.iter().map(|output| {
        let replaces = matches!(output.role, Role::NewParam(_) | Role::NewState(_));
        let Some(writer) = region_of[output.node.index()].filter(|_| replaces) else { return false };
        // A node that is the new value of two tensors is written once and copied.
        if taken.contains(&output.node) {
            return false;
        }
        let is_free = readers.of(&output.role).iter().all(|&reader| position[reader] <= writer);
        if is_free {
            taken.insert(output.node);
        }
        is_free
    });
    allowed.collect()
}

/// Which nodes are written to memory: outputs, and what another region reads.
pub(super) fn stored(graph: &Graph, clusters: &Clusters) -> Vec<bool> {
    let mut stored = vec![false; graph.nodes.len()];
    for output in &graph.outputs {
        stored[output.node.index()] = clusters.of[output.node.index()].is_some();
    }
    // The computed nodes behind the views that a node is.
    let mut behind: Vec<Vec<NodeId>> = vec![Vec::new(); graph.nodes.len()];
    for id in graph.ids() {
        let node = graph.node(id);
        let own = clusters.of[id.index()];
        let mut reads: Vec<NodeId> = Vec::new();
        for arg in &node.args {
            match clusters.of[arg.index()] {
                Some(_) => reads.push(*arg),
                None => reads.extend(behind[arg.index()].iter().copied()),
            }
        }
        reads.sort_unstable();
        reads.dedup();
        match own {
            None => behind[id.index()] = reads,
            Some(cluster) => {
                for read in reads {
                    let other = clusters.of[read.index()];
                    // A copy reads its source from memory even in a region of its own kind.
                    stored[read.index()] |=
                        other != Some(cluster) || is_view(&node.op) && other.is_some() && read != id;
                }
            }
        }
    }
    let in_regions = |id: usize| clusters.of[id].is_some();
    let whole = |kind: RegionKind| matches!(kind, RegionKind::Segments | RegionKind::Scan);
    for region in clusters.all.iter().filter(|cluster| whole(cluster.kind)) {
        region.nodes.iter().for_each(|id| stored[id.index()] = true);
    }
    (0..stored.len()).map(|id| stored[id] && in_regions(id)).collect()
}
