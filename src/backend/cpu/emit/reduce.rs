//! Accumulators: the 64 lanes of a reduction, and the sums of a fold.
//!
//! Element `i` of a row goes to accumulator `(i / 16) % 4`, lane `i % 16`, which is word `i % 64` of a
//! table on the stack: sixteen vectors are too many to hold in registers, and each is used again only
//! after sixteen others, so that going through memory costs no waiting.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::I64;
use cranelift_codegen::ir::{InstBuilder, Value};

use super::body::{Values, clif};
use super::plan::{Level, Plan};
use super::{Emit, OWN, Place, Width};
use crate::ir::scalar::{Comb, ScalarTy};
use crate::kernel::ir::{Body, Coef, Dst, Elem, Slot, V};

/// Bytes of one accumulator table.
pub(super) fn bytes(is_wide: bool) -> u32 {
    if is_wide { 64 * 8 } else { 64 * 4 }
}

/// Bytes of a lane.
fn lane_bytes(ty: ScalarTy) -> i32 {
    4 * Elem::of(ty).words() as i32
}

impl Emit<'_, '_> {
    /// How many of the 16 groups of four lanes a row touches. The others stay neutral, and a neutral lane changes
    /// nothing: a lane is never -0, since it starts from +0.
    fn touched(&self) -> usize {
        match self.kernel.row {
            Coef::Const(row) => usize::try_from((row + 3) / 4).map_or(16, |vectors| vectors.min(16)),
            Coef::Size(_) => 16,
        }
    }

    fn sums(&mut self, at: usize) -> Value {
        let slot = self.sums.expect("a kernel that reduces has room for sums");
        self.b.ins().stack_addr(I64, slot, at as i32 * bytes(self.is_wide) as i32)
    }

    pub(super) fn start_sums(&mut self, acc: &[(Comb, V, Slot)], plan: &Plan) {
        let vector = !self.is_wide;
        for (at, (comb, v, _)) in acc.iter().enumerate() {
            let ty = plan.types[v.0 as usize];
            let (neutral, table) = (self.constant(comb.neutral(ty), ty, vector), self.sums(at));
            let (count, each) = if vector { (self.touched(), 16) } else { (4 * self.touched(), lane_bytes(ty)) };
            for part in 0..count {
                self.b.ins().store(OWN, neutral, table, each * part as i32);
            }
        }
    }

    pub(super) fn add_to_sums(&mut self, acc: &[(Comb, V, Slot)], plan: &Plan, place: Place, values: &Values) {
        let i = place.i.expect("a sum is over elements");
        let lane = self.b.ins().band_imm_s(i, 63);
        for (at, (comb, v, _)) in acc.iter().enumerate() {
            let table = self.sums(at);
            let ty = plan.types[v.0 as usize];
            let pointer = self.bytes(table, lane, Elem::of(ty));
            let vector = place.width != Width::Scalar;
            for copy in 0..place.width.copies() {
                let offset = 16 * copy as i32;
                let old = self.b.ins().load(clif(ty, vector), OWN, pointer, offset);
                let value = self.wide(*v, place, copy, values);
                let new = self.binary(comb.bin(), old, value, vector);
                self.b.ins().store(OWN, new, pointer, offset);
            }
        }
    }

    /// `(acc0 · acc1) · (acc2 · acc3)` lane by lane, then the upper half of the lanes joins the lower.
    pub(super) fn finish_sums(&mut self, acc: &[(Comb, V, Slot)], plan: &Plan) {
        for (at, (comb, v, slot)) in acc.iter().enumerate() {
            let table = self.sums(at);
            let ty = plan.types[v.0 as usize];
            if self.is_wide {
                self.slots[usize::from(slot.0)] = Some(self.finish_by_element(*comb, ty, table));
                continue;
            }
            let touched = self.touched();
            let load = |emit: &mut Self, vector: usize| {
                (vector < touched).then(|| emit.b.ins().load(clif(ty, true), OWN, table, 16 * vector as i32))
            };
            let lanes: [Option<Value>; 4] = std::array::from_fn(|part| {
                let accs: [Option<Value>; 4] = std::array::from_fn(|acc| load(self, 4 * acc + part));
                let (low, high) = (self.both(*comb, accs[0], accs[1], true), self.both(*comb, accs[2], accs[3], true));
                self.both(*comb, low, high, true)
            });
            let low = self.both(*comb, lanes[0], lanes[2], true);
            let high = self.both(*comb, lanes[1], lanes[3], true);
            let result = match self.both(*comb, low, high, true) {
                None => self.constant(comb.neutral(ty), ty, false),
                Some(four) => {
                    let lane = |emit: &mut Self, lane: u8| emit.b.ins().extractlane(four, lane);
                    let [a, b, c, d] = [0, 1, 2, 3].map(|at| lane(self, at));
                    let (even, odd) = (self.binary(comb.bin(), a, c, false), self.binary(comb.bin(), b, d, false));
                    self.binary(comb.bin(), even, odd, false)
                }
            };
            self.slots[usize::from(slot.0)] = Some(result);
        }
    }

    /// The same, lane by lane.
    fn finish_by_element(&mut self, comb: Comb, ty: ScalarTy, table: Value) -> Value {
        let touched = 4 * self.touched();
        let load = |emit: &mut Self, lane: usize| {
            (lane < touched).then(|| emit.b.ins().load(clif(ty, false), OWN, table, lane_bytes(ty) * lane as i32))
        };
        let mut lanes: Vec<Option<Value>> = Vec::with_capacity(16);
        for lane in 0..16 {
            let accs: [Option<Value>; 4] = std::array::from_fn(|acc| load(self, 16 * acc + lane));
            let low = self.both(comb, accs[0], accs[1], false);
            let high = self.both(comb, accs[2], accs[3], false);
            lanes.push(self.both(comb, low, high, false));
        }
        while lanes.len() > 1 {
            let upper = lanes.split_off(lanes.len() / 2);
            lanes = lanes.into_iter().zip(upper).map(|(a, b)| self.both(comb, a, b, false)).collect();
        }
        lanes[0].unwrap_or_else(|| self.constant(comb.neutral(ty), ty, false))
    }

    /// Two vectors or lanes combined; one that no element touched is neutral.
    fn both(&mut self, comb: Comb, a: Option<Value>, b: Option<Value>, vector: bool) -> Option<Value> {
        match (a, b) {
            (Some(a), Some(b)) => Some(self.binary(comb.bin(), a, b, vector)),
            (one, None) | (None, one) => one,
        }
    }

    /// The inner loop of a fold, in the order of `k`, and the stores after it.
    pub(super) fn fold(
        &mut self,
        over: Coef,
        body: &Body,
        plan: &Plan,
        acc: &[(Comb, V, Dst)],
        place: Place,
        values: &mut Values,
    ) {
        let vector = place.width != Width::Scalar;
        let copies = place.width.copies();
        let over = self.coef(over);
        let (head, done) = (self.b.create_block(), self.b.create_block());
        let k = self.b.append_block_param(head, I64);
        let zero = self.b.ins().iconst(I64, 0);
        let mut first = vec![];
        let (mut sums, mut results) = (vec![], vec![]);
        for (comb, v, _) in acc {
            let ty = plan.types[v.0 as usize];
            let neutral = self.constant(comb.neutral(ty), ty, vector);
            for _ in 0..copies {
                first.push(neutral);
                sums.push(self.b.append_block_param(head, clif(ty, vector)));
                results.push(self.b.append_block_param(done, clif(ty, vector)));
            }
        }
        let leave: Vec<_> = first.iter().map(|v| (*v).into()).collect();
        let enter: Vec<_> = std::iter::once(zero).chain(first).map(Into::into).collect();
        let some = self.b.ins().icmp(IntCC::SignedLessThan, zero, over);
        self.b.ins().brif(some, head, &enter, done, &leave);

        self.b.switch_to_block(head);
        self.level(body, plan, Level::Fold, Place { k: Some(k), ..place }, values);
        let mut next = vec![];
        for (at, (comb, v, _)) in acc.iter().enumerate() {
            for copy in 0..copies {
                let value = self.wide(*v, place, copy, values);
                next.push(self.binary(comb.bin(), sums[at * copies + copy], value, vector));
            }
        }
        let up = self.b.ins().iadd_imm_s(k, 1);
        let more = self.b.ins().icmp(IntCC::SignedLessThan, up, over);
        let leave: Vec<_> = next.iter().map(|v| (*v).into()).collect();
        let again: Vec<_> = std::iter::once(up).chain(next).map(Into::into).collect();
        self.b.ins().brif(more, head, &again, done, &leave);

        self.b.switch_to_block(done);
        for (at, (_, _, dst)) in acc.iter().enumerate() {
            self.store_values(dst, &results[at * copies..][..copies], place);
        }
    }
}
