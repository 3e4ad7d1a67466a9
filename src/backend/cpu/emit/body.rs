//! The instructions of a body: arithmetic for one element and for vectors, from the same table.
//!
//! A mask is an i32 of all ones or zero, as an element and as a lane.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::types::{F32, F32X4, F64, I8X16, I32, I32X4, I64};
use cranelift_codegen::ir::{
    AbiParam, Block, ConstantData, Endianness, InstBuilder, MemFlagsData, Signature, Type, Value,
};
use smallvec::SmallVec;

use super::plan::Plan;
use super::{Emit, OWN, Place, Width};
use crate::ir::scalar::{Bin, Cc, ScalarTy, Un, host};
use crate::kernel::ir::{Body, Coef, Inst, V};

/// The values of a body so far.
pub(super) struct Values {
    all: Vec<Known>,
}

#[derive(Clone)]
enum Known {
    Nothing,
    /// The same for all elements: computed once, and spread where that is wanted.
    Uniform(Value, Spread),
    /// For each copy: a vector, or one element.
    Lanes(SmallVec<[Value; 4]>),
}

/// A value for all elements as a vector.
#[derive(Clone, Copy)]
enum Spread {
    Unused,
    Vector(Value),
    /// A constant: an entry of the table of constants, loaded where it is used.
    Table(Type, i32),
}

/// A constant that was loaded in a block.
#[derive(Clone, Copy)]
pub(super) struct Recent {
    pub block: Option<Block>,
    pub ty: Type,
    pub offset: i32,
    pub value: Value,
}

impl Values {
    pub fn new(body: &Body) -> Values {
        Values { all: vec![Known::Nothing; body.insts.len()] }
    }

    /// The value for one element, or the vector of a copy when it varies.
    pub fn lane(&self, v: V, copy: usize) -> Value {
        match &self.all[v.0 as usize] {
            Known::Nothing => unreachable!("an operand comes before its user"),
            Known::Uniform(value, _) => *value,
            Known::Lanes(values) => values[copy],
        }
    }
}

/// The CLIF type of a value.
pub(super) fn clif(ty: ScalarTy, vector: bool) -> Type {
    match (ty, vector) {
        (ScalarTy::F32, false) => F32,
        (ScalarTy::F32, true) => F32X4,
        (ScalarTy::I32 | ScalarTy::Mask, false) => I32,
        (ScalarTy::I32 | ScalarTy::Mask, true) => I32X4,
        (ScalarTy::F64, false) => F64,
        (ScalarTy::I64, false) => I64,
        (ScalarTy::F64 | ScalarTy::I64, true) => unreachable!("a kernel with values of 64 bits has no vectors"),
    }
}

/// A change of type between lanes of 32 bits, where the order of bytes within a lane stays.
const SAME_LANES: MemFlagsData = MemFlagsData::new().with_endianness(Endianness::Little);

impl Emit<'_, '_> {
    /// Emits an instruction for each copy, or once when it does not vary.
    pub(super) fn inst(&mut self, at: usize, inst: &Inst, body: &Body, plan: &Plan, place: Place, values: &mut Values) {
        values.all[at] = if plan.varies[at] {
            let copies = 0..place.width.copies();
            // Most loads: one pointer serves all copies.
            let wide = &self.kernel.wide;
            let pointer = match inst {
                Inst::Load { buf, at, row: None, valid: None } if at.row == Coef::Const(1) => {
                    Some((self.pointer(*buf, at, place.i, place.k), wide.buf(*buf)))
                }
                Inst::Row(row) => Some((self.row_pointer(*row, place), wide.row(*row))),
                Inst::Tile => Some((self.element_pointer(self.tile_row, place, wide.tile()), wide.tile())),
                _ => None,
            };
            if let Some((pointer, elem)) = pointer {
                let loads = copies.map(|copy| self.load_contiguous(pointer, place, copy, elem));
                values.all[at] = Known::Lanes(loads.collect());
                return;
            }
            Known::Lanes(copies.map(|copy| self.varying(inst, body, plan, place, copy, values)).collect())
        } else {
            let value = self.uniform(inst, body, plan, place, values);
            let spread = if plan.spread[at] { self.spread(inst, value) } else { Spread::Unused };
            Known::Uniform(value, spread)
        };
    }

    fn spread(&mut self, inst: &Inst, value: Value) -> Spread {
        if let Inst::Const(bits, ty) = inst {
            let bits = *bits as u32;
            let known = self.constants.iter().position(|constant| *constant == bits);
            let at = known.unwrap_or_else(|| {
                self.constants.push(bits);
                self.constants.len() - 1
            });
            return Spread::Table(clif(*ty, true), 16 * at as i32);
        }
        let ty = self.b.func.dfg.value_type(value);
        Spread::Vector(self.b.ins().splat(if ty == F32 { F32X4 } else { I32X4 }, value))
    }

    /// A value as a vector. A constant is loaded anew where it is used, unless that was just done: twenty
    /// constants in registers push everything else out of them.
    pub(super) fn vector(&mut self, v: V, copy: usize, values: &Values) -> Value {
        match &values.all[v.0 as usize] {
            Known::Uniform(_, Spread::Vector(vector)) => *vector,
            Known::Uniform(_, Spread::Table(ty, offset)) => {
                let block = self.b.current_block();
                let same = |old: &&Recent| old.block == block && (old.ty, old.offset) == (*ty, *offset);
                if let Some(old) = self.recent.iter().find(same) {
                    return old.value;
                }
                let value = self.b.ins().load(*ty, OWN, self.constants_at, *offset);
                self.recent.rotate_right(1);
                self.recent[0] = Recent { block, ty: *ty, offset: *offset, value };
                value
            }
            Known::Uniform(_, Spread::Unused) | Known::Nothing => unreachable!("the plan spreads what varies"),
            Known::Lanes(values) => values[copy],
        }
    }

    /// A value as wide as the place asks for.
    pub(super) fn wide(&mut self, v: V, place: Place, copy: usize, values: &Values) -> Value {
        match place.width {
            Width::Vectors(_) => self.vector(v, copy, values),
            Width::Scalar => values.lane(v, copy),
        }
    }

    /// A constant.
    pub(super) fn constant(&mut self, bits: u64, ty: ScalarTy, vector: bool) -> Value {
        if vector {
            let bytes: Vec<u8> = (bits as u32).to_le_bytes().repeat(4);
            let handle = self.b.func.dfg.constants.insert(ConstantData::from(bytes));
            return self.b.ins().vconst(clif(ty, true), handle);
        }
        match ty {
            ScalarTy::F32 => self.b.ins().f32const(Ieee32::with_bits(bits as u32)),
            ScalarTy::F64 => self.b.ins().f64const(Ieee64::with_bits(bits)),
            ScalarTy::I32 | ScalarTy::Mask => self.b.ins().iconst(I32, bits as i64),
            ScalarTy::I64 => self.b.ins().iconst(I64, bits as i64),
        }
    }

    fn uniform(&mut self, inst: &Inst, body: &Body, plan: &Plan, place: Place, values: &Values) -> Value {
        match inst {
            Inst::Const(bits, ty) => self.constant(*bits, *ty, false),
            Inst::Arg(arg) => self.scalars[usize::from(arg.0)],
            Inst::Slot(slot) => {
                let value = self.slots[usize::from(slot.0)].expect("a slot is written before it is read");
                // A whole number in a slot is read as the float of its bits.
                match self.b.func.dfg.value_type(value) {
                    I32 => self.b.ins().bitcast(F32, SAME_LANES, value),
                    I64 => self.b.ins().bitcast(F64, SAME_LANES, value),
                    _ => value,
                }
            }
            Inst::Index(affine) => {
                let element = self.element(affine, None, place.k);
                self.b.ins().ireduce(I32, element)
            }
            Inst::Load { buf, at, row, valid } => {
                let row = row.map(|(v, stride)| (values.lane(v, 0), stride));
                let valid = valid.map(|v| values.lane(v, 0));
                self.load_one(*buf, at, row, valid, None, place.k)
            }
            Inst::Un(..) | Inst::Bin(..) | Inst::Fma(..) | Inst::Cmp(..) | Inst::Sel(..) => {
                self.arithmetic(inst, body, plan, false, &mut |_, v| values.lane(v, 0))
            }
            Inst::Row(_) | Inst::Tile => unreachable!("what is read by element varies"),
        }
    }

    fn varying(&mut self, inst: &Inst, body: &Body, plan: &Plan, place: Place, copy: usize, values: &Values) -> Value {
        match inst {
            Inst::Index(affine) => self.index_lanes(affine, place, copy),
            Inst::Load { buf, at, row, valid } => self.load(*buf, at, *row, *valid, plan, place, copy, values),
            Inst::Un(..) | Inst::Bin(..) | Inst::Fma(..) | Inst::Cmp(..) | Inst::Sel(..) => {
                let vector = place.width != Width::Scalar;
                self.arithmetic(inst, body, plan, vector, &mut |emit, v| emit.wide(v, place, copy, values))
            }
            Inst::Row(_) | Inst::Tile => unreachable!("loaded for all copies at once"),
            Inst::Const(..) | Inst::Arg(_) | Inst::Slot(_) => unreachable!("equal for all elements"),
        }
    }

    /// The table of the primitives: each in CLIF, for an element and for a vector.
    fn arithmetic(
        &mut self,
        inst: &Inst,
        body: &Body,
        plan: &Plan,
        vector: bool,
        get: &mut dyn FnMut(&mut Self, V) -> Value,
    ) -> Value {
        match inst {
            Inst::Un(un, a) => {
                let ty = plan.types[a.0 as usize];
                let a = get(self, *a);
                self.unary(*un, ty, a, vector)
            }
            Inst::Bin(bin @ (Bin::Shl | Bin::Shr), a, by) => {
                let (a, by) = (get(self, *a), shift(body, *by));
                if *bin == Bin::Shl { self.b.ins().ishl_imm_s(a, by) } else { self.b.ins().ushr_imm_s(a, by) }
            }
            Inst::Bin(bin, a, b) => {
                let constant = |v: &V| match body.insts[v.0 as usize] {
                    Inst::Const(bits, _) => Some(f32::from_bits(bits as u32)),
                    _ => None,
                };
                let limits = vector && matches!(bin, Bin::Min | Bin::Max);
                let (x, y) = (get(self, *a), get(self, *b));
                match (constant(a), constant(b)) {
                    (_, Some(bound)) if limits => self.limit(*bin, x, y, bound),
                    (Some(bound), _) if limits => self.limit(*bin, y, x, bound),
                    _ => self.binary(*bin, x, y, vector),
                }
            }
            Inst::Fma(a, b, c) => {
                let (a, b, c) = (get(self, *a), get(self, *b), get(self, *c));
                self.b.ins().fma(a, b, c)
            }
            Inst::Cmp(cc, a, b) => {
                let float = plan.types[a.0 as usize].is_float();
                let (a, b) = (get(self, *a), get(self, *b));
                self.compare(*cc, a, b, float, vector)
            }
            Inst::Sel(mask, a, b) => {
                let ty = clif(plan.types[a.0 as usize], vector);
                let (mask, a, b) = (get(self, *mask), get(self, *a), get(self, *b));
                if !vector {
                    return self.b.ins().select(mask, a, b);
                }
                let mask = if ty == I32X4 { mask } else { self.b.ins().bitcast(ty, SAME_LANES, mask) };
                self.b.ins().bitselect(mask, a, b)
            }
            Inst::Const(..)
            | Inst::Arg(_)
            | Inst::Index(_)
            | Inst::Load { .. }
            | Inst::Row(_)
            | Inst::Slot(_)
            | Inst::Tile => unreachable!("no arithmetic"),
        }
    }

    fn unary(&mut self, un: Un, ty: ScalarTy, a: Value, vector: bool) -> Value {
        let result = clif(un.ty(ty).expect("a verified kernel"), vector);
        match un {
            Un::Neg => self.b.ins().fneg(a),
            Un::Abs => self.b.ins().fabs(a),
            Un::Sqrt => self.b.ins().sqrt(a),
            Un::Round => self.b.ins().nearest(a),
            Un::Floor => self.b.ins().floor(a),
            Un::F2I => self.b.ins().fcvt_to_sint_sat(result, a),
            Un::I2F => self.b.ins().fcvt_from_sint(result, a),
            Un::Exp => self.call(host::exp as *const () as usize, &[a]),
            Un::Log => self.call(host::log as *const () as usize, &[a]),
            Un::Tanh => self.call(host::tanh as *const () as usize, &[a]),
            Un::Erf => self.call(host::erf as *const () as usize, &[a]),
            Un::Sin => self.call(host::sin as *const () as usize, &[a]),
            Un::Cos => self.call(host::cos as *const () as usize, &[a]),
            Un::D2L => self.b.ins().fcvt_to_sint_sat(result, a),
            Un::I2D | Un::L2D => self.b.ins().fcvt_from_sint(result, a),
            Un::Widen => self.b.ins().fpromote(result, a),
            Un::Narrow => self.b.ins().fdemote(result, a),
            Un::I2L => self.b.ins().sextend(result, a),
            Un::L2I => self.b.ins().ireduce(result, a),
            Un::AsInt | Un::AsFloat | Un::AsI64 | Un::AsF64 => self.b.ins().bitcast(result, SAME_LANES, a),
            Un::MaskToInt => self.b.ins().ushr_imm_s(a, 31),
            Un::Not => self.b.ins().bnot(a),
        }
    }

    /// Calls a function of the host on f64, which lives as long as the process.
    fn call(&mut self, address: usize, args: &[Value]) -> Value {
        let mut signature = Signature::new(self.b.func.signature.call_conv);
        signature.params.resize(args.len(), AbiParam::new(F64));
        signature.returns.push(AbiParam::new(F64));
        let signature = self.b.import_signature(signature);
        let callee = self.b.ins().iconst(I64, address as i64);
        let call = self.b.ins().call_indirect(signature, callee, args);
        self.b.inst_results(call)[0]
    }

    /// A function of two values, but for the shifts.
    pub(super) fn binary(&mut self, bin: Bin, a: Value, b: Value, vector: bool) -> Value {
        match bin {
            Bin::Add => self.b.ins().fadd(a, b),
            Bin::Sub => self.b.ins().fsub(a, b),
            Bin::Mul => self.b.ins().fmul(a, b),
            Bin::Div => self.b.ins().fdiv(a, b),
            Bin::Min | Bin::Max if vector => self.extreme(bin, a, b),
            // As in WebAssembly, and so as in the kernel IR: NaN wins and zeros are ordered.
            Bin::Min => self.b.ins().fmin(a, b),
            Bin::Max => self.b.ins().fmax(a, b),
            Bin::Pow => self.call(host::pow as *const () as usize, &[a, b]),
            Bin::And => self.b.ins().band(a, b),
            Bin::Or => self.b.ins().bor(a, b),
            Bin::Xor => self.b.ins().bxor(a, b),
            Bin::IAdd => self.b.ins().iadd(a, b),
            Bin::ISub => self.b.ins().isub(a, b),
            Bin::IMul => self.b.ins().imul(a, b),
            Bin::MulHi if vector => self.mul_hi(a, b),
            Bin::MulHi => self.b.ins().umulhi(a, b),
            Bin::IMin => self.b.ins().smin(a, b),
            Bin::IMax => self.b.ins().smax(a, b),
            Bin::Shl | Bin::Shr => unreachable!("a shift is by a constant"),
        }
    }

    /// `minps(x, y)` or `maxps(x, y)`: the second operand where either is NaN and where both are zeros.
    fn machine_extreme(&mut self, bin: Bin, x: Value, y: Value) -> Value {
        let (low, high) = if bin == Bin::Min { (x, y) } else { (y, x) };
        let first = self.b.ins().fcmp(FloatCC::LessThan, low, high);
        let first = self.b.ins().bitcast(F32X4, SAME_LANES, first);
        self.b.ins().bitselect(first, x, y)
    }

    /// `min` or `max` of vectors, from the machine's in both orders. These differ only for two zeros and
    /// with a NaN: `or` makes -0 of a -0 and any zero, and a NaN of a NaN and anything; `and` makes +0 of
    /// a +0 and any zero, and a NaN is put in for `max`.
    fn extreme(&mut self, bin: Bin, a: Value, b: Value) -> Value {
        let (one, other) = (self.machine_extreme(bin, a, b), self.machine_extreme(bin, b, a));
        if bin == Bin::Min {
            return self.b.ins().bor(one, other);
        }
        let both = self.b.ins().band(one, other);
        let unordered = self.b.ins().fcmp(FloatCC::Unordered, a, b);
        let unordered = self.b.ins().bitcast(F32X4, SAME_LANES, unordered);
        self.b.ins().bor(both, unordered)
    }

    /// `min` or `max` of a vector and a constant: one machine instruction.
    fn limit(&mut self, bin: Bin, x: Value, limit: Value, bound: f32) -> Value {
        // With x second, NaN wins and a zero x stays: wrong only where the bound is the zero that
        // should win, +0 for max (mended by adding +0, which turns -0 alone) and -0 for min.
        let zero_wins = bound == 0.0 && bound.is_sign_positive() == (bin == Bin::Max);
        if bound.is_nan() || (zero_wins && bin == Bin::Min) {
            return self.binary(bin, x, limit, true);
        }
        let limited = self.machine_extreme(bin, limit, x);
        if zero_wins { self.b.ins().fadd(limited, limit) } else { limited }
    }

    fn compare(&mut self, cc: Cc, a: Value, b: Value, float: bool, vector: bool) -> Value {
        let truth = if float {
            let cc = match cc {
                Cc::Lt => FloatCC::LessThan,
                Cc::Le => FloatCC::LessThanOrEqual,
                Cc::Eq => FloatCC::Equal,
                Cc::Ne => FloatCC::NotEqual,
            };
            self.b.ins().fcmp(cc, a, b)
        } else {
            let cc = match cc {
                Cc::Lt => IntCC::SignedLessThan,
                Cc::Le => IntCC::SignedLessThanOrEqual,
                Cc::Eq => IntCC::Equal,
                Cc::Ne => IntCC::NotEqual,
            };
            self.b.ins().icmp(cc, a, b)
        };
        if vector { truth } else { self.b.ins().bmask(I32, truth) }
    }

    /// The upper halves of four products of 64 bits: two at a time, then every second lane of both.
    fn mul_hi(&mut self, a: Value, b: Value) -> Value {
        let (a_low, b_low) = (self.b.ins().uwiden_low(a), self.b.ins().uwiden_low(b));
        let (a_high, b_high) = (self.b.ins().uwiden_high(a), self.b.ins().uwiden_high(b));
        let (low, high) = (self.b.ins().imul(a_low, b_low), self.b.ins().imul(a_high, b_high));
        let low = self.b.ins().bitcast(I8X16, SAME_LANES, low);
        let high = self.b.ins().bitcast(I8X16, SAME_LANES, high);
        let odd_lanes: Vec<u8> =
            [1u8, 3, 5, 7].iter().flat_map(|lane| (0..4).map(move |byte| 4 * lane + byte)).collect();
        let mask = self.b.func.dfg.immediates.push(ConstantData::from(odd_lanes));
        let picked = self.b.ins().shuffle(low, high, mask);
        self.b.ins().bitcast(I32X4, SAME_LANES, picked)
    }
}

fn shift(body: &Body, by: V) -> i64 {
    match body.insts[by.0 as usize] {
        Inst::Const(bits, _) => bits as i64,
        _ => unreachable!("a shift is by a constant"),
    }
}
