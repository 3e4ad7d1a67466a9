//! How an element is computed: values behind views, arithmetic, gathers, joins.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Lower;
use super::launch::Draft;
use crate::base::bug;
use crate::fuse::Region;
use crate::fuse::node::reduces_rows;
use crate::fuse::view::{Guard, Index, Place, Read, divides, is_view, linear, resolve, strides};
use crate::ir::expand::{self, Emit};
use crate::ir::scalar::{Bin, Cc, MASK, ScalarTy, Un};
use crate::ir::{DType, Dim, HostId, NodeId, SizeOverflow};
use crate::kernel::BodyBuilder;
use crate::kernel::ir::{BufArg, Coef, Dst, Inst, RowBuf, ScalarValue, Slot, V};
use crate::ops::{Cmp, Dist, MapOp, Number, Op, place_in_result, tap_in_result};

/// The lowering of one region.
pub(super) struct RegionCx<'l, 'a> {
    pub lower: &'l mut Lower<'a>,
    pub region: &'a Region,
    pub at: usize,
    pub draft: Draft,
    /// The node whose value is the tile of a contraction.
    pub tile: Option<NodeId>,
    /// Scalars of the row that have been computed.
    pub slots: FxHashMap<NodeId, Slot>,
    /// Rows of scratch that have been written.
    pub rows: FxHashMap<NodeId, RowBuf>,
    /// Nodes whose row is kept for later phases.
    pub keep: Vec<NodeId>,
}

/// One phase in the making.
pub(super) struct PhaseBody {
    pub builder: BodyBuilder,
    memo: FxHashMap<NodeId, V>,
    /// What needs no memory, by where it was computed.
    free: FxHashMap<(NodeId, Vec<Index>), V>,
    /// Rows written in this phase, to be read in later ones.
    pub written: Vec<(NodeId, RowBuf)>,
}

impl PhaseBody {
    pub(super) fn new(draft: &Draft) -> PhaseBody {
        let mut builder = BodyBuilder::new(&draft.scalar_types());
        builder.declare_wide(draft.wide());
        PhaseBody { builder, memo: FxHashMap::default(), free: FxHashMap::default(), written: Vec::new() }
    }
}

impl RegionCx<'_, '_> {
    /// The positions of the region's own point along the first axes of its domain.
    pub(super) fn own(&self, rank: usize) -> Vec<Index> {
        (0..rank).map(Index::axis).collect()
    }

    pub(super) fn dims(&self, id: NodeId) -> Vec<Dim> {
        self.lower.fused.graph.ty(id).dims.to_vec()
    }

    /// Whether a node of the region has one value per row.
    pub(super) fn is_of_row(&self, id: NodeId) -> bool {
        let graph = &self.lower.fused.graph;
        self.region.kind == crate::fuse::RegionKind::Rows
            && (reduces_rows(graph, id) || graph.ty(id).dims[..] != self.region.domain[..])
    }

    /// Whether this region computes a node.
    pub(super) fn computes(&self, id: NodeId) -> bool {
        self.lower.fused.region_of[id.index()] == Some(self.at)
    }

    /// What reading a node at a place reads behind views.
    pub(super) fn read(&self, id: NodeId, place: Vec<Index>) -> Read {
        let region_of = &self.lower.fused.region_of;
        resolve(&self.lower.fused.graph, id, place, &|id| region_of[id.index()].is_some())
            .unwrap_or_else(|_| bug!("an index of {id:?} overflows"))
    }

    /// The element of an operand at a place of the domain.
    pub(super) fn value(&mut self, body: &mut PhaseBody, id: NodeId, place: Vec<Index>) -> V {
        // What is inlined and yet written out is read where it was written.
        let is_written = self.lower.fused.region_of[id.index()].is_some() && !self.lower.free.is_pure(id);
        if self.lower.free.is(id) && !is_written {
            return self.free_value(body, id, place);
        }
        let read = self.read(id, place);
        self.read_value(body, read)
    }

    fn read_value(&mut self, body: &mut PhaseBody, read: Read) -> V {
        if self.computes(read.node) {
            return match self.is_of_row(read.node) {
                true => self.row_value(body, read.node),
                false => self.full_value(body, read.node),
            };
        }
        let masks: Vec<V> = read.guards.iter().map(|guard| self.guard(body, guard)).collect();
        let valid = masks.iter().copied().reduce(|all, mask| body.builder.bin(Bin::And, all, mask));
        let mut value = match (self.lower.free.is(read.node), &read.place) {
            (true, Place::Axes(place)) => self.free_value(body, read.node, place.clone()),
            (false, Place::Axes(place)) if self.is_read_by_division(read.node) => {
                self.divided(body, read.node, &place.clone(), valid)
            }
            // What has a linear index is in memory, whatever it is.
            _ => self.load(body, read.node, &read.place, valid),
        };
        for (guard, mask) in read.guards.iter().zip(masks).rev() {
            let fill = constant(&mut body.builder, guard.fill);
            value = select(&mut body.builder, mask, value, fill);
        }
        value
    }

    /// Whether a value is a window that each reader divides for.
    fn is_read_by_division(&self, id: NodeId) -> bool {
        let fused = self.lower.fused;
        fused.region_of[id.index()].is_none() && divides(&fused.graph.node(id).op)
    }

    /// A mask that holds where a window reads inside.
    fn guard(&mut self, body: &mut PhaseBody, guard: &Guard) -> V {
        let position = self.draft.affine(&guard.index);
        let size = self.draft.affine(&Index::fixed(guard.size.clone()));
        let b = &mut body.builder;
        let (position, size, zero) = (b.index(position), b.index(size), b.i32(0));
        let (from, to) = (b.cmp(Cc::Le, zero, position), b.cmp(Cc::Lt, position, size));
        b.bin(Bin::And, from, to)
    }

    /// The argument for a value in memory that a body reads.
    fn operand(&mut self, body: &mut PhaseBody, id: NodeId) -> BufArg {
        let buffer = self.lower.buffer(id);
        let buf = self.draft.buf(buffer, self.lower.program.buffers[buffer.0 as usize].elem);
        body.builder.declare_wide(self.draft.wide());
        buf
    }

    fn load(&mut self, body: &mut PhaseBody, id: NodeId, place: &Place, valid: Option<V>) -> V {
        let ty = self.lower.fused.graph.ty(id).clone();
        let index = match place {
            Place::Axes(place) => linear(place, &ty.dims).unwrap_or_else(|_| bug!("an index of {id:?} overflows")),
            Place::Linear(index) => index.clone(),
        };
        let at = self.draft.affine(&index);
        let buf = self.operand(body, id);
        let word = body.builder.push(Inst::Load { buf, at, row: None, valid });
        from_word(&mut body.builder, word, ty.dtype)
    }

    // ---- values that need no memory

    fn free_value(&mut self, body: &mut PhaseBody, id: NodeId, place: Vec<Index>) -> V {
        let key = (id, place);
        if let Some(&known) = body.free.get(&key) {
            return known;
        }
        let value = self.free_value_at(body, id, key.1.clone());
        body.free.insert(key, value);
        value
    }

    fn free_value_at(&mut self, body: &mut PhaseBody, id: NodeId, place: Vec<Index>) -> V {
        let graph = &self.lower.fused.graph;
        let node = graph.node(id);
        match &node.op {
            Op::Const(number) => constant(&mut body.builder, *number),
            Op::Scalar(host) => self.scalar(body, ScalarTy::F32, ScalarValue::Host(HostId(host.0))),
            Op::Iota(_) => {
                let at = self.draft.affine(&place[0]);
                body.builder.index(at)
            }
            Op::Random { dist, site, dims } => self.random(body, *dist, *site, dims, &place),
            Op::Map(map) => {
                if let Some(host) = self.host_wide(id) {
                    return self.scalar(body, ScalarTy::F64, ScalarValue::HostWide(host));
                }
                let args: Vec<V> =
                    node.args.clone().into_iter().map(|arg| self.value(body, arg, place.clone())).collect();
                map_value(&mut body.builder, *map, &args)
            }
            op if is_view(op) => {
                let read = resolve(graph, id, place, &|id| !is_view(&graph.node(id).op))
                    .unwrap_or_else(|_| bug!("an index of {id:?} overflows"));
                self.read_value(body, read)
            }
            op => bug!("{op:?} needs memory"),
        }
    }

    /// The scalar of the host that a node converts to f64: it is one already, and need not be rounded on the way.
    fn host_wide(&self, id: NodeId) -> Option<HostId> {
        let graph = &self.lower.fused.graph;
        let node = graph.node(id);
        let mut arg = *node.args.first().filter(|_| node.op == Op::Map(MapOp::Cast(DType::F64)))?;
        while is_view(&graph.node(arg).op) && !matches!(graph.node(arg).op, Op::Window { .. }) {
            arg = *graph.node(arg).args.first()?;
        }
        match graph.node(arg).op {
            Op::Scalar(host) => Some(host),
            _ => None,
        }
    }

    fn scalar(&mut self, body: &mut PhaseBody, ty: ScalarTy, value: ScalarValue) -> V {
        let arg = self.draft.scalar(ty, value);
        body.builder.declare(&self.draft.scalar_types());
        body.builder.arg(arg)
    }

    /// The number drawn for an element: Philox of (element, site, step, 0) under the seed.
    fn random(&mut self, body: &mut PhaseBody, dist: Dist, site: u32, dims: &[Dim], place: &[Index]) -> V {
        let index = linear(place, dims).unwrap_or_else(|_| bug!("a random tensor with 2^63 elements"));
        let at = self.draft.affine(&index);
        let element = body.builder.index(at);
        let site = self.scalar(body, ScalarTy::I32, ScalarValue::Word(site));
        let step = self.scalar(body, ScalarTy::I32, ScalarValue::Step);
        let key = [ScalarValue::Seed, ScalarValue::SeedHigh].map(|word| self.scalar(body, ScalarTy::I32, word));
        let b = &mut body.builder;
        let zero = b.i32(0);
        let word = expand::philox(b, [element, site, step, zero], key);
        match dist {
            Dist::Uniform => expand::uniform(b, word),
            Dist::Normal => expand::normal(b, word),
        }
    }

    // ---- values of this region

    /// Computes what these nodes need of this region at its own point, operands first: so that no long
    /// chain is walked down on the call stack.
    pub(super) fn prepare(&mut self, body: &mut PhaseBody, roots: &[NodeId]) {
        let mut stack = roots.to_vec();
        let mut needed: Vec<NodeId> = Vec::new();
        let mut seen: FxHashSet<NodeId> = FxHashSet::default();
        while let Some(id) = stack.pop() {
            let known = self.is_of_row(id) || self.rows.contains_key(&id) || self.tile == Some(id);
            if known || !seen.insert(id) {
                continue;
            }
            needed.push(id);
            stack.extend(self.parts(id));
        }
        needed.sort_unstable();
        for id in needed {
            self.full_value(body, id);
        }
    }

    /// The value of a node at the region's own point.
    pub(super) fn full_value(&mut self, body: &mut PhaseBody, id: NodeId) -> V {
        if let Some(&known) = body.memo.get(&id) {
            return known;
        }
        let value = match self.rows.get(&id) {
            Some(&row) => {
                let word = body.builder.row(row);
                from_word(&mut body.builder, word, self.lower.fused.graph.ty(id).dtype)
            }
            None => {
                let value = self.compute(body, id);
                if self.keep.contains(&id) {
                    let word = to_word(&mut body.builder, value);
                    let row = self.draft.rowbuf(body.builder.ty(word));
                    body.builder.store(Dst::Row(row), word);
                    body.written.push((id, row));
                }
                value
            }
        };
        body.memo.insert(id, value);
        value
    }

    /// The value of a node that each row has once.
    pub(super) fn row_value(&mut self, body: &mut PhaseBody, id: NodeId) -> V {
        if let Some(&known) = body.memo.get(&id) {
            return known;
        }
        let Some(&slot) = self.slots.get(&id) else { bug!("{id:?} is read before its row is reduced") };
        let word = body.builder.slot(slot);
        let value = from_word(&mut body.builder, word, self.lower.fused.graph.ty(id).dtype);
        body.memo.insert(id, value);
        value
    }

    /// Computes a row's scalar from others, in a phase that runs once for the row.
    pub(super) fn row_map(&mut self, body: &mut PhaseBody, id: NodeId) -> V {
        let node = self.lower.fused.graph.node(id).clone();
        let Op::Map(map) = node.op else { bug!("{:?} is no arithmetic on scalars of the row", node.op) };
        let place = self.own(node.ty.rank());
        let value = match self.host_wide(id) {
            Some(host) => self.scalar(body, ScalarTy::F64, ScalarValue::HostWide(host)),
            None => {
                let args: Vec<V> = node.args.iter().map(|&arg| self.value(body, arg, place.clone())).collect();
                map_value(&mut body.builder, map, &args)
            }
        };
        body.memo.insert(id, value);
        value
    }

    /// Remembers a value of this phase.
    pub(super) fn remember(&mut self, body: &mut PhaseBody, id: NodeId, value: V) {
        body.memo.insert(id, value);
    }

    fn compute(&mut self, body: &mut PhaseBody, id: NodeId) -> V {
        if self.tile == Some(id) {
            return body.builder.tile();
        }
        let node = self.lower.fused.graph.node(id).clone();
        let own = self.own(node.ty.rank());
        match &node.op {
            Op::Map(map) => {
                if let Some(host) = self.host_wide(id) {
                    return self.scalar(body, ScalarTy::F64, ScalarValue::HostWide(host));
                }
                let args: Vec<V> = node.args.iter().map(|&arg| self.value(body, arg, own.clone())).collect();
                map_value(&mut body.builder, *map, &args)
            }
            Op::Take(axis) => self.take(body, &node.args, *axis, node.ty.dtype, &own),
            Op::Concat(axis) => self.concat(body, &node.args, *axis, &own),
            op if divides(op) => self.divided(body, id, &own, None),
            // A region that copies: of a view, or of a value that needs no memory.
            _ if self.lower.free.is(id) => self.free_value(body, id, own),
            op if is_view(op) => {
                let region_of = &self.lower.fused.region_of;
                let stop = |other: NodeId| other != id && region_of[other.index()].is_some();
                let read = resolve(&self.lower.fused.graph, id, own, &stop)
                    .unwrap_or_else(|_| bug!("an index of {id:?} overflows"));
                if read.node == id {
                    bug!("no index map reads {:?}", node.op);
                }
                self.read_value(body, read)
            }
            op => bug!("{op:?} does not run in rows"),
        }
    }

    /// A row of a table chosen by an index, which is cut to the table: memory is safe whatever it is.
    fn take(&mut self, body: &mut PhaseBody, args: &[NodeId], axis: usize, dtype: DType, own: &[Index]) -> V {
        let (table, index) = (args[0], args[1]);
        let dims = self.dims(table);
        let n_index = self.dims(index).len();
        let chosen = self.value(body, index, own[axis..axis + n_index].to_vec());
        let mut place: Vec<Index> = own[..axis].to_vec();
        place.push(Index::fixed(Dim::ZERO));
        place.extend(own[axis + n_index..].iter().cloned());
        let (Ok(base), Ok(strides), Ok(last)) = (linear(&place, &dims), strides(&dims), dims[axis].sub(&Dim::ONE))
        else {
            bug!("an index of {table:?} overflows")
        };
        let stride = strides[axis].clone();
        let (at, stride) = (self.draft.affine(&base), self.draft.coef(&stride));
        let last = self.draft.affine(&Index::fixed(last));
        let buf = self.operand(body, table);
        let b = &mut body.builder;
        let (last, zero) = (b.index(last), b.i32(0));
        let below = b.bin(Bin::IMin, chosen, last);
        let row = b.bin(Bin::IMax, below, zero);
        let word = b.load_row(buf, at, (row, stride));
        from_word(b, word, dtype)
    }

    /// A window between whose elements others are left out: `m·i = n`, so `i = n / m` where that is whole
    /// and inside, else the fill. Its source is in memory, and read where `valid` holds.
    fn divided(&mut self, body: &mut PhaseBody, id: NodeId, place: &[Index], valid: Option<V>) -> V {
        let node = self.lower.fused.graph.node(id).clone();
        let Op::Window { axes, fill } = &node.op else { bug!("{:?} is no window", node.op) };
        let source = node.args[0];
        let dims = self.dims(source);
        let fits =
            |result: Result<Index, SizeOverflow>| result.unwrap_or_else(|_| bug!("an index of {id:?} overflows"));
        let steps = strides(&dims).unwrap_or_else(|_| bug!("an index of {id:?} overflows"));
        let mut plain = vec![Index::fixed(Dim::ZERO); dims.len()];
        let mut masks: Vec<V> = Vec::new();
        let mut shift: Option<V> = None;
        for (axis, size) in dims.iter().enumerate() {
            let position = &place[place_in_result(axes, axis)];
            let Some(window) = axes.iter().find(|window| window.axis == axis) else {
                plain[axis] = position.clone();
                continue;
            };
            let (sign, m) = (window.m.signum(), window.m.abs());
            let mut n = fits(position.scale(&Dim::constant(sign * window.a)));
            n = fits(n.add(&fits(Index::fixed(window.b.clone()).scale(&Dim::constant(sign)))));
            if let Some(tap) = tap_in_result(axes, window) {
                n = fits(n.add(&fits(place[tap].scale(&Dim::constant(sign * window.d)))));
            }
            if m == 1 {
                plain[axis] = n.clone();
                masks.push(self.guard(body, &Guard { index: n, size: size.clone(), fill: *fill }));
                continue;
            }
            let n = self.draft.affine(&n);
            let size = self.draft.affine(&Index::fixed(size.clone()));
            let step = self.draft.affine(&Index::fixed(steps[axis].clone()));
            let b = &mut body.builder;
            let (n, size, step, zero) = (b.index(n), b.index(size), b.index(step), b.i32(0));
            // The upper half of n · ⌈2³² / m⌉ is n / m exactly where m divides n, for 0 ≤ n < 2³¹.
            let inverse = b.i32((1u64 << 32).div_ceil(m as u64) as u32 as i32);
            let factor = b.i32(m as i32);
            let i = b.bin(Bin::MulHi, n, inverse);
            let back = b.bin(Bin::IMul, i, factor);
            masks.push(b.cmp(Cc::Eq, back, n));
            masks.push(b.cmp(Cc::Le, zero, n));
            masks.push(b.cmp(Cc::Lt, i, size));
            let words = b.bin(Bin::IMul, i, step);
            shift = Some(shift.map_or(words, |sum| b.bin(Bin::IAdd, sum, words)));
        }
        let index = fits(linear(&plain, &dims));
        let at = self.draft.affine(&index);
        let buf = self.operand(body, source);
        let b = &mut body.builder;
        let inside = masks.into_iter().reduce(|all, mask| b.bin(Bin::And, all, mask));
        let read = inside.into_iter().chain(valid).reduce(|all, mask| b.bin(Bin::And, all, mask));
        let word = b.push(Inst::Load { buf, at, row: shift.map(|shift| (shift, Coef::Const(1))), valid: read });
        let value = from_word(b, word, node.ty.dtype);
        let fill = constant(b, *fill);
        inside.map_or(value, |inside| select(b, inside, value, fill))
    }

    fn concat(&mut self, body: &mut PhaseBody, parts: &[NodeId], axis: usize, own: &[Index]) -> V {
        let mut start = Dim::ZERO;
        let mut result: Option<V> = None;
        for &part in parts {
            let dims = self.dims(part);
            let overflow = |_| -> Index { bug!("an index of {part:?} overflows") };
            let mut place = own.to_vec();
            let back = Index::fixed(Dim::ZERO.sub(&start).unwrap_or_else(|_| bug!("a size overflows")));
            place[axis] = place[axis].add(&back).unwrap_or_else(overflow);
            let guard = Guard { index: place[axis].clone(), size: dims[axis].clone(), fill: Number::f32(0.0) };
            let mask = self.guard(body, &guard);
            let value = match self.lower.free.is(part) {
                true => self.free_value(body, part, place),
                false => {
                    let mut read = self.read(part, place);
                    let dtype = self.lower.fused.graph.ty(part).dtype;
                    read.guards.insert(0, Guard { fill: Number::new(dtype, 0.0), ..guard });
                    self.read_value(body, read)
                }
            };
            result = Some(match result {
                None => value,
                Some(before) => select(&mut body.builder, mask, value, before),
            });
            start = start.add(&dims[axis]).unwrap_or_else(|_| bug!("a size overflows"));
        }
        result.unwrap_or_else(|| bug!("a join of nothing"))
    }
}

/// A word of memory as a value.
fn from_word(b: &mut BodyBuilder, word: V, dtype: DType) -> V {
    match dtype {
        DType::F32 | DType::F64 => word,
        DType::I64 => b.un(Un::AsI64, word),
        DType::I32 => b.un(Un::AsInt, word),
        DType::Bool => {
            let (int, zero) = (b.un(Un::AsInt, word), b.i32(0));
            b.cmp(Cc::Ne, int, zero)
        }
    }
}

/// A value as a word of memory: a truth value is 0 or 1.
pub(super) fn to_word(b: &mut BodyBuilder, value: V) -> V {
    match b.ty(value) {
        ScalarTy::F32 | ScalarTy::I32 | ScalarTy::F64 | ScalarTy::I64 => value,
        ScalarTy::Mask => b.un(Un::MaskToInt, value),
    }
}

pub(super) fn constant(b: &mut BodyBuilder, number: Number) -> V {
    match number.dtype {
        DType::F32 => b.f32(number.value() as f32),
        DType::F64 => b.f64(number.value()),
        DType::I64 => b.i64(number.value() as i64),
        DType::I32 => b.i32(number.value() as i32),
        DType::Bool => b.constant(MASK[usize::from(number.value() != 0.0)], ScalarTy::Mask),
    }
}

/// A constant of the float type that a value has.
pub(super) fn float(b: &mut BodyBuilder, like: V, value: f32) -> V {
    if b.ty(like) == ScalarTy::F64 { b.f64(f64::from(value)) } else { b.f32(value) }
}

/// `if mask { x } else { y }` of any type.
pub(super) fn select(b: &mut BodyBuilder, mask: V, x: V, y: V) -> V {
    if b.ty(x) != ScalarTy::Mask {
        return b.sel(mask, x, y);
    }
    // (mask and x) or (not mask and y)
    let inverse = b.un(Un::Not, mask);
    let (left, right) = (b.bin(Bin::And, mask, x), b.bin(Bin::And, inverse, y));
    b.bin(Bin::Or, left, right)
}

/// A function of elements in primitives.
pub(super) fn map_value(b: &mut BodyBuilder, map: MapOp, args: &[V]) -> V {
    let ty = args.first().map(|&arg| b.ty(arg));
    let bin = |float, int| if ty == Some(ScalarTy::I32) { int } else { float };
    match map {
        MapOp::Add => b.bin(bin(Bin::Add, Bin::IAdd), args[0], args[1]),
        MapOp::Sub => b.bin(bin(Bin::Sub, Bin::ISub), args[0], args[1]),
        MapOp::Mul => b.bin(bin(Bin::Mul, Bin::IMul), args[0], args[1]),
        MapOp::Div => b.div(args[0], args[1]),
        MapOp::Min => b.bin(bin(Bin::Min, Bin::IMin), args[0], args[1]),
        MapOp::Max => b.bin(bin(Bin::Max, Bin::IMax), args[0], args[1]),
        MapOp::Neg => b.un(Un::Neg, args[0]),
        MapOp::Abs => b.un(Un::Abs, args[0]),
        MapOp::Sqrt => b.un(Un::Sqrt, args[0]),
        MapOp::Pow if ty == Some(ScalarTy::F64) => b.bin(Bin::Pow, args[0], args[1]),
        MapOp::Exp if ty == Some(ScalarTy::F64) => b.un(Un::Exp, args[0]),
        MapOp::Log if ty == Some(ScalarTy::F64) => b.un(Un::Log, args[0]),
        MapOp::Tanh if ty == Some(ScalarTy::F64) => b.un(Un::Tanh, args[0]),
        MapOp::Erf if ty == Some(ScalarTy::F64) => b.un(Un::Erf, args[0]),
        MapOp::Sin if ty == Some(ScalarTy::F64) => b.un(Un::Sin, args[0]),
        MapOp::Cos if ty == Some(ScalarTy::F64) => b.un(Un::Cos, args[0]),
        MapOp::Pow => expand::pow(b, args[0], args[1]),
        MapOp::Exp => expand::exp(b, args[0]),
        MapOp::Log => expand::log(b, args[0]),
        MapOp::Tanh => expand::tanh(b, args[0]),
        MapOp::Erf => expand::erf(b, args[0]),
        MapOp::Sin => expand::sin(b, args[0]),
        MapOp::Cos => expand::cos(b, args[0]),
        MapOp::Floor => b.un(Un::Floor, args[0]),
        MapOp::Round => b.un(Un::Round, args[0]),
        MapOp::Bf16 => expand::bf16(b, args[0]),
        MapOp::F16 => expand::f16(b, args[0]),
        MapOp::Cmp(cmp) => {
            let cc = match cmp {
                Cmp::Lt => Cc::Lt,
                Cmp::Le => Cc::Le,
                Cmp::Eq => Cc::Eq,
                Cmp::Ne => Cc::Ne,
            };
            // Truth values compare as the numbers 0 and 1.
            let numbers: Vec<V> = args
                .iter()
                .map(|&arg| if b.ty(arg) == ScalarTy::Mask { b.un(Un::MaskToInt, arg) } else { arg })
                .collect();
            b.cmp(cc, numbers[0], numbers[1])
        }
        MapOp::And => b.bin(Bin::And, args[0], args[1]),
        MapOp::Or => b.bin(Bin::Or, args[0], args[1]),
        MapOp::Not => b.un(Un::Not, args[0]),
        MapOp::Select => select(b, args[0], args[1], args[2]),
        MapOp::Cast(to) => cast(b, args[0], to),
    }
}

fn cast(b: &mut BodyBuilder, x: V, to: DType) -> V {
    let from = b.ty(x);
    let step = |b: &mut BodyBuilder, un: Un, to: DType| {
        let x = b.un(un, x);
        cast(b, x, to)
    };
    match (from, to) {
        (ScalarTy::F32, DType::F32) | (ScalarTy::F64, DType::F64) => x,
        (ScalarTy::I32, DType::I32) | (ScalarTy::I64, DType::I64) | (ScalarTy::Mask, DType::Bool) => x,
        (ScalarTy::F32 | ScalarTy::F64, DType::I32) => b.un(Un::F2I, x),
        (ScalarTy::F32, DType::F64) => b.un(Un::Widen, x),
        (ScalarTy::F64, DType::F32) => b.un(Un::Narrow, x),
        (ScalarTy::F64, DType::I64) => b.un(Un::D2L, x),
        (ScalarTy::I32, DType::F32) => b.un(Un::I2F, x),
        (ScalarTy::I32, DType::F64) => b.un(Un::I2D, x),
        (ScalarTy::I32, DType::I64) => b.un(Un::I2L, x),
        (ScalarTy::I64, DType::F64) => b.un(Un::L2D, x),
        (ScalarTy::I64, DType::I32) => b.un(Un::L2I, x),
        // By way of what lies between.
        (ScalarTy::F32, DType::I64) => step(b, Un::Widen, to),
        (ScalarTy::I64, DType::F32) => step(b, Un::L2D, to),
        (ScalarTy::Mask, DType::F32 | DType::F64) => {
            let (one, zero) = match to {
                DType::F64 => (b.f64(1.0), b.f64(0.0)),
                _ => (b.f32(1.0), b.f32(0.0)),
            };
            b.sel(x, one, zero)
        }
        (ScalarTy::Mask, DType::I32) => b.un(Un::MaskToInt, x),
        (ScalarTy::Mask, DType::I64) => step(b, Un::MaskToInt, to),
        (ScalarTy::F32 | ScalarTy::F64 | ScalarTy::I32 | ScalarTy::I64, DType::Bool) => {
            let zero = b.constant(0, from);
            b.cmp(Cc::Ne, x, zero)
        }
    }
}
