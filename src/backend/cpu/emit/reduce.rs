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
use crate::ir::scalar::Comb;
use crate::kernel::ir::{Body, Coef, Dst, Slot, V};

/// Bytes of one accumulator table.
pub(super) const BYTES: u32 = 64 * 4;

impl Emit<'_, '_> {
    /// How many of the 16 vectors a row touches. The others stay neutral, and a neutral lane changes
    /// nothing: a lane is never -0, since it starts from +0.
    fn touched(&self) -> usize {
        match self.kernel.row {
            Coef::Const(row) => usize::try_from((row + 3) / 4).map_or(16, |vectors| vectors.min(16)),
            Coef::Size(_) => 16,
        }
    }

    fn sums(&mut self, at: usize) -> Value {
        let slot = self.sums.expect("a kernel that reduces has room for sums");
        self.b.ins().stack_addr(I64, slot, at as i32 * BYTES as i32)
    }

    pub(super) fn start_sums(&mut self, acc: &[(Comb, V, Slot)]) {
        for (at, (comb, _, _)) in acc.iter().enumerate() {
            let (neutral, table) = (self.constant(comb.neutral(), comb.ty(), true), self.sums(at));
            for vector in 0..self.touched() {
                self.b.ins().store(OWN, neutral, table, 16 * vector as i32);
            }
        }
    }

    pub(super) fn add_to_sums(&mut self, acc: &[(Comb, V, Slot)], place: Place, values: &Values) {
        let i = place.i.expect("a sum is over elements");
        let lane = self.b.ins().band_imm_s(i, 63);
        for (at, (comb, v, _)) in acc.iter().enumerate() {
            let table = self.sums(at);
            let pointer = self.bytes(table, lane);
            let vector = place.width != Width::Scalar;
            for copy in 0..place.width.copies() {
                let offset = 16 * copy as i32;
                let old = self.b.ins().load(clif(comb.ty(), vector), OWN, pointer, offset);
                let value = self.wide(*v, place, copy, values);
                let new = self.binary(comb.bin(), old, value, vector);
                self.b.ins().store(OWN, new, pointer, offset);
            }
        }
    }

    /// `(acc0 · acc1) · (acc2 · acc3)` lane by lane, then the upper half of the lanes joins the lower.
    pub(super) fn finish_sums(&mut self, acc: &[(Comb, V, Slot)]) {
        for (at, (comb, _, slot)) in acc.iter().enumerate() {
            let table = self.sums(at);
            let touched = self.touched();
            let load = |emit: &mut Self, vector: usize| {
                (vector < touched).then(|| emit.b.ins().load(clif(comb.ty(), true), OWN, table, 16 * vector as i32))
            };
            let lanes: [Option<Value>; 4] = std::array::from_fn(|part| {
                let accs: [Option<Value>; 4] = std::array::from_fn(|acc| load(self, 4 * acc + part));
                let (low, high) = (self.both(*comb, accs[0], accs[1]), self.both(*comb, accs[2], accs[3]));
                self.both(*comb, low, high)
            });
            let (low, high) = (self.both(*comb, lanes[0], lanes[2]), self.both(*comb, lanes[1], lanes[3]));
            let result = match self.both(*comb, low, high) {
                None => self.constant(comb.neutral(), comb.ty(), false),
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

    /// Two vectors combined; one that no element touched is neutral.
    fn both(&mut self, comb: Comb, a: Option<Value>, b: Option<Value>) -> Option<Value> {
        match (a, b) {
            (Some(a), Some(b)) => Some(self.binary(comb.bin(), a, b, true)),
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
        for (comb, _, _) in acc {
            let neutral = self.constant(comb.neutral(), comb.ty(), vector);
            for _ in 0..copies {
                first.push(neutral);
                sums.push(self.b.append_block_param(head, clif(comb.ty(), vector)));
                results.push(self.b.append_block_param(done, clif(comb.ty(), vector)));
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
