//! Rows and folds: which phase computes what.
//!
//! A value has a *level*: how many passes over the row must be done before it is known. Stage `s` first
//! computes the row's scalars of level `s`, then makes the pass that reduces values of level `s`; when
//! all passes are done, one more walk stores what each point has. A costly value that two walks need is
//! kept in a row of scratch.

use rustc_hash::FxHashMap;

use super::Lower;
use super::launch::{Draft, finish_body};
use super::value::{PhaseBody, RegionCx, float, map_value, to_word};
use crate::base::bug;
use crate::fuse::RegionKind;
use crate::fuse::node::reduces_rows;
use crate::fuse::view::{Index, Place, divides, identity, linear};
use crate::ir::expand::Emit;
use crate::ir::scalar::{Bin, Cc, Comb, ScalarTy, Un};
use crate::ir::{Dim, NodeId};
use crate::kernel::build::BodyBuilder;
use crate::kernel::ir::{BufArg, Dst, Launch, Phase, Slot, V};
use crate::ops::{ArgOp, MapOp, Op, ReduceOp};

/// The longest row of which scratch rows are kept, in elements: several stay in L1.
const MAX_KEPT_ROW: i64 = 6144;

/// One reduction of a pass.
struct Pass {
    node: NodeId,
    kind: PassKind,
}

/// What a pass combines.
#[derive(Clone, Copy)]
enum PassKind {
    /// The node's own reduction.
    Whole(Comb),
    /// The extreme of the row, before its position or its exponentials.
    Extreme(Comb),
    /// The first position of the extreme.
    Position,
    /// The sum of exponentials below the maximum.
    Exponentials,
    /// The element at an index.
    Picked,
}

impl<'a> Lower<'a> {
    /// A region of rows as a kernel.
    pub(super) fn rows(&mut self, at: usize) -> Launch {
        let region = &self.fused.regions[at];
        let mut cx = RegionCx::new(self, at, region.domain.clone());
        let (levels, passes) = cx.levels();
        let last = passes.len();
        let mut extremes: FxHashMap<NodeId, Slot> = FxHashMap::default();
        cx.keep = cx.kept(&passes);
        for stage in 0..=last {
            cx.scalar_phase(stage, &levels, &extremes);
            if let Some(pass) = passes.get(stage) {
                cx.reduce_phase(pass, &mut extremes);
            }
        }
        cx.store_phase();
        let draft = cx.draft;
        self.launch(draft.finish())
    }

    /// A reduction along an axis that is not the last, and elementwise work on its result.
    pub(super) fn fold(&mut self, at: usize) -> Launch {
        let region = &self.fused.regions[at];
        let RegionKind::Fold { axis } = region.kind else { bug!("region {at} is no fold") };
        let graph = &self.fused.graph;
        let rank = region.domain.len();
        let mut cx = RegionCx::new(self, at, region.domain.clone());
        let mut body = PhaseBody::new(&cx.draft);
        let mut over = Dim::ONE;
        // Elementwise work that the fold took in may stand before or between.
        let (mut folds, mut roots) = (Vec::new(), Vec::new());
        for &id in &region.nodes {
            let Op::Reduce(op, _) = graph.node(id).op else { continue };
            let arg = graph.node(id).args[0];
            over = graph.ty(arg).dims[axis].clone();
            // The folded axis of the argument is the position in the fold.
            let place = (0..=rank).map(|other| match other {
                other if other == axis => Index::axis(rank),
                other if other < axis => Index::axis(other),
                other => Index::axis(other - 1),
            });
            roots.push(cx.value(&mut body, arg, place.collect()));
            folds.push((id, op));
        }
        if folds.is_empty() {
            bug!("region {at} has no fold");
        }
        let is_alone = folds.len() == region.nodes.len();
        let mut dsts = Vec::new();
        for ((id, _), root) in folds.iter().zip(&roots) {
            dsts.push(match is_alone {
                true => {
                    let (buf, index) = cx.home(*id);
                    Dst::Buf(buf, cx.draft.affine(&index))
                }
                false => {
                    let row = cx.draft.rowbuf(body.builder.ty(*root));
                    cx.rows.insert(*id, row);
                    Dst::Row(row)
                }
            });
        }
        let body = finish_body(body.builder, &mut roots);
        let over = cx.draft.coef(&over);
        let acc = folds.iter().zip(roots).zip(dsts).map(|(((_, op), root), dst)| (comb(*op), root, dst));
        let acc = acc.collect();
        cx.draft.phases.push(Phase::Fold { over, body, acc });
        if !is_alone {
            cx.store_phase();
        }
        let draft = cx.draft;
        self.launch(draft.finish())
    }

    /// Whether a new value may be written over the old one: the region reads the old one only at its own
    /// point, in the walk that writes.
    pub(super) fn may_overwrite(&self, id: NodeId, op: &Op) -> bool {
        let graph = &self.fused.graph;
        let Some(at) = self.fused.region_of[id.index()] else { return false };
        let region = &self.fused.regions[at];
        let domain = &region.domain;
        if graph.ty(id).dims[..] != domain[..] || region.nodes.iter().any(|&node| reduces_rows(graph, node)) {
            return false;
        }
        let region_of = &self.fused.region_of;
        region.nodes.iter().all(|&node| {
            let of_points = matches!(graph.node(node).op, Op::Map(_));
            graph.node(node).args.iter().all(|&arg| {
                let place = identity(graph.ty(arg).rank());
                let read = crate::fuse::view::resolve(graph, arg, place, &|id| region_of[id.index()].is_some());
                let Ok(read) = read else { return false };
                let own = matches!(&read.place, Place::Axes(place) if place.iter().enumerate().all(|(axis, index)| index.is_axis(axis)));
                if region_of[read.node.index()].is_none() && divides(&graph.node(read.node).op) {
                    return graph.node(graph.node(read.node).args[0]).op != *op;
                }
                if region_of[read.node.index()].is_none() && self.free.is(read.node) {
                    // What is inlined reads at the same point as its reader.
                    let leaves = self.free.leaves(graph, read.node);
                    let reads_old = leaves.iter().any(|&leaf| {
                        let leaf = crate::fuse::view::resolve(graph, leaf, identity(graph.ty(leaf).rank()), &|id| region_of[id.index()].is_some());
                        leaf.map_or(true, |leaf| graph.node(leaf.node).op == *op)
                    });
                    return !reads_old;
                }
                graph.node(read.node).op != *op || (of_points && own && read.guards.is_empty() && graph.ty(read.node).dims[..] == domain[..])
            })
        })
    }
}

impl<'l, 'a> RegionCx<'l, 'a> {
    pub(super) fn new(lower: &'l mut Lower<'a>, at: usize, domain: Vec<Dim>) -> RegionCx<'l, 'a> {
        let region = &lower.fused.regions[at];
        RegionCx {
            lower,
            region,
            at,
            draft: Draft::new(domain),
            tile: None,
            slots: FxHashMap::default(),
            rows: FxHashMap::default(),
            keep: Vec::new(),
        }
    }

    /// The nodes of this region that a node reads.
    pub(super) fn parts(&self, id: NodeId) -> Vec<NodeId> {
        let graph = &self.lower.fused.graph;
        let free = self.lower.free;
        let mut parts = Vec::new();
        let mut stack = graph.node(id).args.to_vec();
        while let Some(arg) = stack.pop() {
            let base = self.read(arg, identity(graph.ty(arg).rank())).node;
            if self.computes(base) {
                if base != id {
                    parts.push(base);
                }
            } else if free.is(base) && !free.is_pure(base) {
                stack.extend(graph.node(base).args.iter().copied());
            }
        }
        parts
    }

    /// The level of each node, and the reductions of each pass.
    fn levels(&self) -> (FxHashMap<NodeId, usize>, Vec<Vec<Pass>>) {
        let graph = &self.lower.fused.graph;
        let mut levels: FxHashMap<NodeId, usize> = FxHashMap::default();
        let mut passes: Vec<Vec<Pass>> = Vec::new();
        for &id in &self.region.nodes {
            let ready = self.parts(id).iter().map(|part| levels[part]).max().unwrap_or(0);
            let kinds: Vec<PassKind> = match &graph.node(id).op {
                Op::Reduce(op, _) if self.is_of_row(id) => vec![PassKind::Whole(comb(*op))],
                Op::ArgReduce(ArgOp::Max, _) => vec![PassKind::Extreme(Comb::Max), PassKind::Position],
                Op::ArgReduce(ArgOp::Min, _) => vec![PassKind::Extreme(Comb::Min), PassKind::Position],
                Op::LogSumExp(_) => vec![PassKind::Extreme(Comb::Max), PassKind::Exponentials],
                Op::Pick(_) => vec![PassKind::Picked],
                _ => Vec::new(),
            };
            levels.insert(id, ready + kinds.len());
            for (stage, kind) in kinds.into_iter().enumerate() {
                let stage = ready + stage;
                passes.resize_with(passes.len().max(stage + 1), Vec::new);
                passes[stage].push(Pass { node: id, kind });
            }
        }
        (levels, passes)
    }

    /// The costly values that more than one walk computes.
    fn kept(&self, passes: &[Vec<Pass>]) -> Vec<NodeId> {
        let row = self.region.domain.last().and_then(Dim::as_const);
        if passes.is_empty() || row.is_some_and(|row| row > MAX_KEPT_ROW) {
            return Vec::new();
        }
        let graph = &self.lower.fused.graph;
        let mut walks: Vec<Vec<NodeId>> =
            passes.iter().map(|pass| pass.iter().flat_map(|pass| self.parts(pass.node)).collect()).collect();
        walks.push(
            self.region
                .nodes
                .iter()
                .copied()
                .filter(|&id| !self.is_of_row(id) && self.lower.fused.stored[id.index()])
                .collect(),
        );
        let mut counts: FxHashMap<NodeId, usize> = FxHashMap::default();
        for mut stack in walks {
            let mut seen: Vec<NodeId> = Vec::new();
            while let Some(id) = stack.pop() {
                if seen.contains(&id) || self.is_of_row(id) {
                    continue;
                }
                seen.push(id);
                *counts.entry(id).or_insert(0) += 1;
                stack.extend(self.parts(id));
            }
        }
        let costly = |id: NodeId| {
            matches!(
                graph.node(id).op,
                Op::Map(MapOp::Exp | MapOp::Log | MapOp::Tanh | MapOp::Erf | MapOp::Sin | MapOp::Cos | MapOp::Pow)
                    | Op::Take(_)
                    | Op::Concat(_)
            )
        };
        self.region
            .nodes
            .iter()
            .copied()
            .filter(|&id| costly(id) && counts.get(&id).is_some_and(|&count| count > 1))
            .collect()
    }

    /// The row's scalars that are known after `stage` passes.
    fn scalar_phase(&mut self, stage: usize, levels: &FxHashMap<NodeId, usize>, extremes: &FxHashMap<NodeId, Slot>) {
        let nodes: Vec<NodeId> =
            self.region.nodes.iter().copied().filter(|&id| self.is_of_row(id) && levels[&id] == stage).collect();
        let mut body = PhaseBody::new(&self.draft);
        let mut stores = false;
        for id in nodes {
            let op = self.lower.fused.graph.node(id).op.clone();
            let is_reduced = self.slots.contains_key(&id);
            let value = match op {
                Op::LogSumExp(_) => {
                    let (Some(&m), Some(&sum)) = (extremes.get(&id), self.slots.get(&id)) else {
                        bug!("{id:?} is not reduced")
                    };
                    // log(sum(exp(x - m))) + m
                    let sum = body.builder.slot(sum);
                    let m = finite_maximum(&mut body, m);
                    let log = map_value(&mut body.builder, MapOp::Log, &[sum]);
                    let value = body.builder.add(log, m);
                    self.remember(&mut body, id, value);
                    self.slots.remove(&id);
                    value
                }
                // The position in a row of nothing is 0.
                Op::ArgReduce(..) if is_reduced && self.may_be_empty() => {
                    let found = self.row_value(&mut body, id);
                    let b = &mut body.builder;
                    let (none, zero) = (b.i32(i32::MAX), b.i32(0));
                    let is_none = b.cmp(Cc::Eq, found, none);
                    let value = b.sel(is_none, zero, found);
                    self.remember(&mut body, id, value);
                    self.slots.remove(&id);
                    value
                }
                _ if is_reduced => self.row_value(&mut body, id),
                _ => self.row_map(&mut body, id),
            };
            let word = to_word(&mut body.builder, value);
            if !self.slots.contains_key(&id) {
                let slot = self.draft.slot(body.builder.ty(word));
                self.slots.insert(id, slot);
                body.builder.store(Dst::Slot(slot), word);
                stores = true;
            }
            if self.lower.fused.stored[id.index()] {
                let (buf, index) = self.home(id);
                let at = self.draft.affine(&index);
                body.builder.store(Dst::Buf(buf, at), word);
                stores = true;
            }
        }
        if stores {
            self.draft.phases.push(Phase::Scalar(finish_body(body.builder, &mut [])));
        }
    }

    /// Whether a row of the domain may have no element.
    fn may_be_empty(&self) -> bool {
        self.region.domain.last().is_none_or(|row| row.as_const().is_none_or(|row| row == 0))
    }

    /// One walk that reduces.
    fn reduce_phase(&mut self, pass: &[Pass], extremes: &mut FxHashMap<NodeId, Slot>) {
        let mut body = PhaseBody::new(&self.draft);
        let mut roots: Vec<V> = Vec::new();
        let mut into: Vec<(Comb, Slot)> = Vec::new();
        let parts: Vec<NodeId> = pass.iter().flat_map(|pass| self.parts(pass.node)).collect();
        self.prepare(&mut body, &parts);
        for Pass { node, kind } in pass {
            let args = self.lower.fused.graph.node(*node).args.clone();
            let own = self.own(self.region.domain.len());
            let x = self.value(&mut body, args[0], own.clone());
            let (comb, value) = match *kind {
                PassKind::Whole(comb) => (comb, x),
                PassKind::Extreme(comb) => (comb, x),
                PassKind::Position => {
                    let extreme = body.builder.slot(extremes[node]);
                    let b = &mut body.builder;
                    let position = self.draft.affine(&own[own.len() - 1]);
                    let (position, far) = (b.index(position), b.i32(i32::MAX));
                    // A NaN is the extreme wherever it stands.
                    let (equal, unordered) = (b.cmp(Cc::Eq, x, extreme), b.cmp(Cc::Ne, x, x));
                    let found = b.bin(Bin::Or, equal, unordered);
                    (Comb::IMin, b.sel(found, position, far))
                }
                PassKind::Exponentials => {
                    let m = finite_maximum(&mut body, extremes[node]);
                    let below = body.builder.sub(x, m);
                    (Comb::Sum, map_value(&mut body.builder, MapOp::Exp, &[below]))
                }
                PassKind::Picked => {
                    let outer = own[..own.len() - 1].to_vec();
                    let index = self.value(&mut body, args[1], outer);
                    let position = self.draft.affine(&own[own.len() - 1]);
                    let b = &mut body.builder;
                    let position = b.index(position);
                    let here = b.cmp(Cc::Eq, position, index);
                    let x = to_word(b, x);
                    picked(b, here, x)
                }
            };
            let slot = self.draft.slot(body.builder.ty(value));
            match kind {
                PassKind::Extreme(_) => extremes.insert(*node, slot),
                _ => self.slots.insert(*node, slot),
            };
            roots.push(value);
            into.push((comb, slot));
        }
        let written = std::mem::take(&mut body.written);
        let body = finish_body(body.builder, &mut roots);
        let acc = into.into_iter().zip(roots).map(|((comb, slot), value)| (comb, value, slot)).collect();
        self.draft.phases.push(Phase::Reduce { body, acc });
        self.rows.extend(written);
    }

    /// The walk that stores what each point has.
    pub(super) fn store_phase(&mut self) {
        let nodes: Vec<NodeId> = self
            .region
            .nodes
            .iter()
            .copied()
            .filter(|&id| !self.is_of_row(id) && self.lower.fused.stored[id.index()])
            .collect();
        self.store_nodes(nodes);
    }

    /// A walk that stores these nodes.
    pub(super) fn store_nodes(&mut self, nodes: Vec<NodeId>) {
        if nodes.is_empty() {
            return;
        }
        // Nothing comes after this walk.
        self.keep.clear();
        let mut body = PhaseBody::new(&self.draft);
        self.prepare(&mut body, &nodes);
        for id in nodes {
            let value = self.full_value(&mut body, id);
            let word = to_word(&mut body.builder, value);
            let (buf, index) = self.home(id);
            let at = self.draft.affine(&index);
            body.builder.store(Dst::Buf(buf, at), word);
        }
        self.draft.phases.push(Phase::Map(finish_body(body.builder, &mut [])));
    }

    /// Where a node of this region is stored.
    pub(super) fn home(&mut self, id: NodeId) -> (BufArg, Index) {
        let dims = self.dims(id);
        let index = linear(&self.own(dims.len()), &dims).unwrap_or_else(|_| bug!("an index of {id:?} overflows"));
        let buffer = self.lower.buffer(id);
        (self.draft.buf(buffer, self.lower.program.buffers[buffer.0 as usize].elem), index)
    }
}

/// What a walk keeps of the one element that stands `here`: a sum with zeros, and of whole numbers, which are never
/// added, the least among the largest.
fn picked(b: &mut BodyBuilder, here: V, x: V) -> (Comb, V) {
    let (comb, other) = match b.ty(x) {
        ScalarTy::I32 => (Comb::IMin, b.i32(i32::MAX)),
        ScalarTy::I64 => (Comb::IMin, b.i64(i64::MAX)),
        ScalarTy::F64 => (Comb::Sum, b.f64(0.0)),
        ScalarTy::F32 | ScalarTy::Mask => (Comb::Sum, b.f32(0.0)),
    };
    (comb, b.sel(here, x, other))
}

/// The maximum of a row, or 0 when it is infinite: what exponentials are taken below.
fn finite_maximum(body: &mut PhaseBody, slot: Slot) -> V {
    let b = &mut body.builder;
    let m = b.slot(slot);
    let size = b.un(Un::Abs, m);
    let (infinite, zero) = (float(b, m, f32::INFINITY), float(b, m, 0.0));
    let is_infinite = b.cmp(Cc::Eq, size, infinite);
    b.sel(is_infinite, zero, m)
}

fn comb(op: ReduceOp) -> Comb {
    match op {
        ReduceOp::Sum => Comb::Sum,
        ReduceOp::Max => Comb::Max,
        ReduceOp::Min => Comb::Min,
        ReduceOp::Prod => Comb::Prod,
    }
}
