//! Addresses, loads and stores.
//!
//! What of an address depends on the row alone is computed before the loops, what depends on the element
//! before that of a fold: Cranelift compiles these functions without its optimizer, see `jit`.
//!
//! A load whose address does not depend on data was checked when sizes were bound. One that does is
//! checked here, element by element: a masked load out of range reads zero, a chosen row out of range
//! is row 0. In a correct program neither happens; the check makes the code safe whatever the data.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32, F32X4, I32, I32X4, I64};
use cranelift_codegen::ir::{ConstantData, InstBuilder, Value};

use super::body::{Values, clif};
use super::plan::Plan;
use super::{DATA, Emit, Num, OWN, Place, Width};
use crate::kernel::ir::{Affine, Body, BufArg, Coef, Dst, Elem, Inst, RowBuf, V};

/// What two addresses share when the row decides them alike.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct RowPart(Coef, Vec<Coef>);

impl Emit<'_, '_> {
    /// Before the loops of a phase: what of its addresses depends on the row alone.
    pub(super) fn prepare<'d>(&mut self, body: &Body, dsts: impl Iterator<Item = &'d Dst>) {
        self.parts.clear();
        self.starts.clear();
        self.near.clear();
        for inst in &body.insts {
            match inst {
                Inst::Load { buf, at, .. } => self.prepare_address(Some(*buf), at),
                Inst::Index(at) => self.prepare_address(None, at),
                _ => {}
            }
        }
        for dst in dsts {
            if let Dst::Buf(buf, at) = dst {
                self.prepare_address(Some(*buf), at);
            }
        }
    }

    fn prepare_address(&mut self, buf: Option<BufArg>, at: &Affine) {
        let key = RowPart(at.base, at.grid.clone());
        if !self.parts.contains_key(&key) {
            let part = self.row_part(at);
            self.parts.insert(key.clone(), part);
        }
        if let Some(buf) = buf
            && !self.starts.contains_key(&(buf, key.clone()))
        {
            let start = self.start(buf, at);
            self.starts.insert((buf, key), start);
        }
    }

    /// In the loop over the elements, before that of a fold: the pointers that the fold steps on from.
    pub(super) fn prepare_fold(&mut self, body: &Body, place: Place) {
        self.near.clear();
        for inst in &body.insts {
            if let Inst::Load { buf, at, row: None, valid: None } = inst
                && at.fold != Coef::Const(0)
                && at.row != Coef::Const(0)
            {
                let pointer = self.pointer(*buf, at, place.i, None);
                self.near.insert((*buf, at.clone()), pointer);
            }
        }
    }

    /// The part of an address that the row decides: `base + Σ grid[d]·index(d)`.
    fn row_part(&mut self, at: &Affine) -> Num {
        if let Some(part) = self.parts.get(&RowPart(at.base, at.grid.clone())) {
            return *part;
        }
        let mut sum = self.num(at.base);
        for (dim, coef) in at.grid.iter().enumerate() {
            let stride = self.num(*coef);
            let part = self.times(stride, self.index[dim]);
            sum = self.plus(sum, part);
        }
        sum
    }

    /// The pointer to that part.
    fn start(&mut self, buf: BufArg, at: &Affine) -> Value {
        if let Some(start) = self.starts.get(&(buf, RowPart(at.base, at.grid.clone()))) {
            return *start;
        }
        let part = self.row_part(at);
        self.offset(self.bufs[usize::from(buf.0)].0, part, self.kernel.wide.buf(buf))
    }

    /// An address in elements, at an element of the row and a position in the fold.
    pub(super) fn element(&mut self, at: &Affine, i: Option<Value>, k: Option<Value>) -> Value {
        let mut sum = self.row_part(at);
        for (coef, position) in [(at.row, i), (at.fold, k)] {
            if let Some(position) = position {
                let stride = self.num(coef);
                let part = self.times(stride, position);
                sum = self.plus(sum, part);
            }
        }
        self.value(sum)
    }

    /// The same as a pointer.
    pub(super) fn pointer(&mut self, buf: BufArg, at: &Affine, i: Option<Value>, k: Option<Value>) -> Value {
        let elem = self.kernel.wide.buf(buf);
        let near = k.and_then(|_| self.near.get(&(buf, at.clone())).copied());
        let pointer = match near {
            Some(near) => near,
            None => {
                let start = self.start(buf, at);
                self.step(start, at.row, i, elem)
            }
        };
        self.step(pointer, at.fold, k, elem)
    }

    fn step(&mut self, pointer: Value, coef: Coef, position: Option<Value>, elem: Elem) -> Value {
        let Some(position) = position else { return pointer };
        let stride = self.num(coef);
        let part = self.times(stride, position);
        self.offset(pointer, part, elem)
    }

    fn offset(&mut self, pointer: Value, count: Num, elem: Elem) -> Value {
        match count {
            Num::Known(0) => pointer,
            Num::Known(count) => self.b.ins().iadd_imm_s(pointer, count.wrapping_mul(4 * elem.words() as i64)),
            Num::Value(count) => self.bytes(pointer, count, elem),
        }
    }

    /// The pointer to the current element of something contiguous.
    pub(super) fn element_pointer(&mut self, start: Value, place: Place, elem: Elem) -> Value {
        match place.i {
            Some(i) => self.bytes(start, i, elem),
            None => start,
        }
    }

    pub(super) fn row_pointer(&mut self, row: RowBuf, place: Place) -> Value {
        let words = self.b.ins().imul_imm_s(self.row_pitch, i64::from(row.0));
        let start = self.bytes(self.scratch, words, Elem::Word);
        self.element_pointer(start, place, self.kernel.wide.row(row))
    }

    pub(super) fn load_contiguous(&mut self, pointer: Value, place: Place, copy: usize, elem: Elem) -> Value {
        match place.width {
            Width::Vectors(_) => self.b.ins().load(F32X4, DATA, pointer, 16 * copy as i32),
            Width::Scalar => self.b.ins().load(clif(elem.ty(), false), DATA, pointer, 0),
        }
    }

    /// The positions as i32: `base + row · (i, i+1, i+2, i+3)`.
    pub(super) fn index_lanes(&mut self, at: &Affine, place: Place, copy: usize) -> Value {
        let element = self.element(at, place.i, place.k);
        let first = self.b.ins().ireduce(I32, element);
        if place.width == Width::Scalar {
            return first;
        }
        let lanes: Vec<u8> = (0..4i32).flat_map(|lane| (lane + 4 * copy as i32).to_le_bytes()).collect();
        let handle = self.b.func.dfg.constants.insert(ConstantData::from(lanes));
        let lanes = self.b.ins().vconst(I32X4, handle);
        let steps = match self.num(at.row) {
            Num::Known(1) => lanes,
            other => {
                let stride = self.value(other);
                let stride = self.b.ins().ireduce(I32, stride);
                let stride = self.b.ins().splat(I32X4, stride);
                self.b.ins().imul(lanes, stride)
            }
        };
        let first = self.b.ins().splat(I32X4, first);
        self.b.ins().iadd(first, steps)
    }

    /// One element at a time: address, check, load.
    pub(super) fn load_one(
        &mut self,
        buf: BufArg,
        at: &Affine,
        row: Option<(Value, Coef)>,
        valid: Option<Value>,
        i: Option<Value>,
        k: Option<Value>,
    ) -> Value {
        let elem = self.kernel.wide.buf(buf);
        let ty = clif(elem.ty(), false);
        if row.is_none() && valid.is_none() {
            let pointer = self.pointer(buf, at, i, k);
            return self.b.ins().load(ty, DATA, pointer, 0);
        }
        let plain = self.element(at, i, k);
        let chosen = match row {
            Some((v, stride)) => {
                let shift = self.chosen(v, stride);
                self.b.ins().iadd(plain, shift)
            }
            None => plain,
        };
        let (words, len) = self.bufs[usize::from(buf.0)];
        let inside = self.b.ins().icmp(IntCC::UnsignedLessThan, chosen, len);
        let pointer = match valid {
            None => {
                let element = self.b.ins().select(inside, chosen, plain);
                self.bytes(words, element, elem)
            }
            Some(valid) => {
                let holds = self.b.ins().icmp_imm_s(IntCC::NotEqual, valid, 0);
                let holds = self.b.ins().band(holds, inside);
                let there = self.bytes(words, chosen, elem);
                let zeros = self.zeros();
                self.b.ins().select(holds, there, zeros)
            }
        };
        self.b.ins().load(ty, DATA, pointer, 0)
    }

    fn zeros(&mut self) -> Value {
        let slot = self.zeros.expect("a kernel with masked loads has zeros");
        self.b.ins().stack_addr(I64, slot, 0)
    }

    fn chosen(&mut self, v: Value, stride: Coef) -> Value {
        let v = self.b.ins().sextend(I64, v);
        let stride = self.num(stride);
        let shift = self.times(stride, v);
        self.value(shift)
    }

    /// A load that varies along the row.
    #[expect(clippy::too_many_arguments, reason = "the fields of the instruction and where it stands")]
    pub(super) fn load(
        &mut self,
        buf: BufArg,
        at: &Affine,
        row: Option<(V, Coef)>,
        valid: Option<V>,
        plan: &Plan,
        place: Place,
        copy: usize,
        values: &Values,
    ) -> Value {
        let uniform_row = row.is_none_or(|(v, _)| !plan.varies[v.0 as usize]);
        if place.width == Width::Scalar {
            let row = row.map(|(v, stride)| (values.lane(v, 0), stride));
            let valid = valid.map(|v| values.lane(v, 0));
            return self.load_one(buf, at, row, valid, place.i, place.k);
        }
        let contiguous = at.row == Coef::Const(1) && uniform_row;
        match (row, valid) {
            (None, None) => {
                let start = self.pointer(buf, at, place.i, place.k);
                let lanes = std::array::from_fn(|lane| self.load_strided(start, at.row, 4 * copy + lane));
                self.gather(lanes)
            }
            // A row chosen once for all elements: one check for both of its ends.
            (Some((v, stride)), None) if contiguous => {
                let shift = self.chosen(values.lane(v, 0), stride);
                let shift = self.checked_row(buf, at, shift, place);
                let pointer = self.pointer(buf, at, place.i, place.k);
                let pointer = self.bytes(pointer, shift, Elem::Word);
                self.load_contiguous(pointer, place, copy, Elem::Word)
            }
            (_, Some(valid)) if contiguous => {
                let shift = row.map(|(v, stride)| self.chosen(values.lane(v, 0), stride));
                let mask = self.vector(valid, copy, values);
                self.load_masked(buf, at, shift, mask, place, copy)
            }
            _ => {
                let mask = valid.map(|v| self.vector(v, copy, values));
                let lanes = std::array::from_fn(|lane| {
                    let i = self.lane_position(place, copy, lane);
                    let row = row.map(|(v, stride)| {
                        let index = match plan.varies[v.0 as usize] {
                            true => {
                                let rows = self.vector(v, copy, values);
                                self.b.ins().extractlane(rows, lane as u8)
                            }
                            false => values.lane(v, 0),
                        };
                        (index, stride)
                    });
                    let valid = mask.map(|mask| self.b.ins().extractlane(mask, lane as u8));
                    self.load_one(buf, at, row, valid, i, place.k)
                });
                self.gather(lanes)
            }
        }
    }

    fn lane_position(&mut self, place: Place, copy: usize, lane: usize) -> Option<Value> {
        place.i.map(|i| self.b.ins().iadd_imm_s(i, (4 * copy + lane) as i64))
    }

    /// How far to shift to a chosen row: not at all when its first or last element is out of range.
    fn checked_row(&mut self, buf: BufArg, at: &Affine, shift: Value, place: Place) -> Value {
        let (start, end, _) = self.range();
        let last = self.b.ins().iadd_imm_s(end, -1);
        let len = self.bufs[usize::from(buf.0)].1;
        let mut inside = |i: Value| {
            let plain = self.element(at, Some(i), place.k);
            let chosen = self.b.ins().iadd(plain, shift);
            self.b.ins().icmp(IntCC::UnsignedLessThan, chosen, len)
        };
        let (first, last) = (inside(start), inside(last));
        let both = self.b.ins().band(first, last);
        let zero = self.b.ins().iconst(I64, 0);
        self.b.ins().select(both, shift, zero)
    }

    /// Four elements in a row where a mask holds: a vector when it holds for all, else one by one.
    fn load_masked(
        &mut self,
        buf: BufArg,
        at: &Affine,
        shift: Option<Value>,
        mask: Value,
        place: Place,
        copy: usize,
    ) -> Value {
        let i = self.lane_position(place, copy, 0);
        let mut first = self.element(at, i, place.k);
        if let Some(shift) = shift {
            first = self.b.ins().iadd(first, shift);
        }
        let (words, len) = self.bufs[usize::from(buf.0)];
        let last = self.b.ins().iadd_imm_s(first, 3);
        let start_inside = self.b.ins().icmp(IntCC::UnsignedLessThan, first, len);
        let end_inside = self.b.ins().icmp(IntCC::UnsignedLessThan, last, len);
        let all = self.b.ins().vall_true(mask);
        let fast = self.b.ins().band(start_inside, end_inside);
        let fast = self.b.ins().band(fast, all);
        let (whole, apart, done) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        let result = self.b.append_block_param(done, F32X4);
        self.b.ins().brif(fast, whole, &[], apart, &[]);

        self.b.switch_to_block(whole);
        let pointer = self.bytes(words, first, Elem::Word);
        let vector = self.b.ins().load(F32X4, DATA, pointer, 0);
        self.b.ins().jump(done, &[vector.into()]);

        self.b.switch_to_block(apart);
        self.b.set_cold_block(apart);
        let lanes = std::array::from_fn(|lane| {
            let element = self.b.ins().iadd_imm_s(first, lane as i64);
            let inside = self.b.ins().icmp(IntCC::UnsignedLessThan, element, len);
            let holds = self.b.ins().extractlane(mask, lane as u8);
            let holds = self.b.ins().icmp_imm_s(IntCC::NotEqual, holds, 0);
            let holds = self.b.ins().band(holds, inside);
            let there = self.bytes(words, element, Elem::Word);
            let zeros = self.zeros();
            let pointer = self.b.ins().select(holds, there, zeros);
            self.b.ins().load(F32, DATA, pointer, 0)
        });
        let vector = self.gather(lanes);
        self.b.ins().jump(done, &[vector.into()]);

        self.b.switch_to_block(done);
        result
    }

    /// Element `steps` strides behind a pointer.
    fn load_strided(&mut self, start: Value, stride: Coef, steps: usize) -> Value {
        let (pointer, offset) = self.strided(start, stride, steps);
        self.b.ins().load(F32, DATA, pointer, offset)
    }

    fn strided(&mut self, start: Value, stride: Coef, steps: usize) -> (Value, i32) {
        let known = match stride {
            Coef::Const(stride) => stride.checked_mul(4 * steps as i64),
            Coef::Size(_) => None,
        };
        if let Some(offset) = known.and_then(|offset| i32::try_from(offset).ok()) {
            return (start, offset);
        }
        let stride = self.coef(stride);
        let words = self.b.ins().imul_imm_s(stride, steps as i64);
        (self.bytes(start, words, Elem::Word), 0)
    }

    fn gather(&mut self, lanes: [Value; 4]) -> Value {
        let mut vector = self.b.ins().scalar_to_vector(F32X4, lanes[0]);
        for (lane, value) in lanes.into_iter().enumerate().skip(1) {
            vector = self.b.ins().insertlane(vector, value, lane as u8);
        }
        vector
    }

    /// Stores a value for all elements of a place.
    pub(super) fn store(&mut self, dst: &Dst, v: V, place: Place, values: &Values) {
        let copies: Vec<Value> = (0..place.width.copies()).map(|copy| self.wide(v, place, copy, values)).collect();
        self.store_values(dst, &copies, place);
    }

    /// Stores the vectors of each copy, or one element.
    pub(super) fn store_values(&mut self, dst: &Dst, copies: &[Value], place: Place) {
        let contiguous = match dst {
            Dst::Buf(_, at) => at.row == Coef::Const(1),
            Dst::Row(_) => true,
            Dst::Slot(_) => unreachable!("a slot is no memory"),
        };
        let (pointer, stride) = match dst {
            Dst::Buf(buf, at) => (self.pointer(*buf, at, place.i, None), at.row),
            Dst::Row(row) => (self.row_pointer(*row, place), Coef::Const(1)),
            Dst::Slot(_) => unreachable!("a slot is no memory"),
        };
        let flags = if matches!(dst, Dst::Row(_)) && place.width != Width::Scalar { OWN } else { DATA };
        for (copy, value) in copies.iter().enumerate() {
            if place.width == Width::Scalar || contiguous {
                self.b.ins().store(flags, *value, pointer, 16 * copy as i32);
                continue;
            }
            for lane in 0..4 {
                let element = self.b.ins().extractlane(*value, lane as u8);
                let (pointer, offset) = self.strided(pointer, stride, 4 * copy + lane);
                self.b.ins().store(DATA, element, pointer, offset);
            }
        }
    }
}
