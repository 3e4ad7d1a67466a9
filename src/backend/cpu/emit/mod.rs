//! A kernel as a function of Cranelift's IR (CLIF).
//!
//! In: a verified kernel. Out: a function that runs a range of its rows, and of a row's elements when
//! the kernel is elementwise. The row is walked by 128-bit vectors, several at a time, and the rest one
//! by one, or all of it where a value has 64 bits; `plan` says what runs where, `body` emits arithmetic, `memory` addresses, loads and stores,
//! `reduce` the accumulators. Nothing here knows threads, tiles or how code becomes executable.

mod body;
mod memory;
mod plan;
mod reduce;

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32, I32, I64};
use cranelift_codegen::ir::{
    AbiParam, Function, InstBuilder, MemFlagsData, StackSlot, StackSlotData, StackSlotKind, Value,
};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use rustc_hash::FxHashMap;

use crate::kernel::ir::{Affine, Body, BufArg, Coef, Dst, Elem, Inst, Kernel, Phase};
use crate::kernel::verify::uses_tile;
use body::{Recent, Values};
use memory::RowPart;
use plan::{Level, Plan};

/// The function's arguments beside the ranges; `call` fills it.
#[repr(C)]
pub struct Args {
    /// For each buffer: its words, and how many.
    pub bufs: *const Buf,
    /// The size table.
    pub sizes: *const i64,
    /// The scalar arguments.
    pub scalars: *const u64,
    /// The kernel's table of constants.
    pub constants: *const Splat,
    /// Room for the rows of scratch, `scratch_words` of it.
    pub scratch: *mut u32,
    /// The results an epilogue runs on: element (first row, first element) of the range.
    pub tile: *const u32,
    /// From one row of it to the next, in elements.
    pub tile_stride: i64,
}

/// A constant as a vector.
#[repr(C, align(16))]
#[derive(Clone, Copy, Debug)]
pub struct Splat(pub [u32; 4]);

/// A buffer as the function sees it.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Buf {
    /// Its words.
    pub words: *mut u32,
    /// How many.
    pub len: i64,
}

const BUFS: i32 = std::mem::offset_of!(Args, bufs) as i32;
const SIZES: i32 = std::mem::offset_of!(Args, sizes) as i32;
const SCALARS: i32 = std::mem::offset_of!(Args, scalars) as i32;
const CONSTANTS: i32 = std::mem::offset_of!(Args, constants) as i32;
const SCRATCH: i32 = std::mem::offset_of!(Args, scratch) as i32;
const TILE: i32 = std::mem::offset_of!(Args, tile) as i32;
const TILE_STRIDE: i32 = std::mem::offset_of!(Args, tile_stride) as i32;

/// How many words of scratch a kernel wants for rows of some length: each row starts at a cache line.
pub fn scratch_words(kernel: &Kernel, row: u64) -> usize {
    usize::from(kernel.rowbufs) * (row as usize * row_elem(kernel).words()).next_multiple_of(16)
}

/// Rows of scratch are as far from each other as the widest of them asks for.
fn row_elem(kernel: &Kernel) -> Elem {
    if kernel.wide.rows.is_empty() { Elem::Word } else { Elem::Wide }
}

/// Memory that is there, of any alignment; `Args` and the stack are aligned too.
const DATA: MemFlagsData = MemFlagsData::new().with_notrap();
const OWN: MemFlagsData = MemFlagsData::trusted();

/// The function of a kernel: `fn(args: *const Args, lo, hi, first, end)`, rows `lo..hi` of the
/// flattened grid and elements `first..end` of each. With it comes the table of its constants.
pub fn function(kernel: &Kernel, isa: &dyn TargetIsa, context: &mut FunctionBuilderContext) -> (Function, Vec<Splat>) {
    let mut function = Function::new();
    function.signature.call_conv = isa.default_call_conv();
    for _ in 0..5 {
        function.signature.params.push(AbiParam::new(I64));
    }
    let b = FunctionBuilder::new(&mut function, context);
    let mut emit = Emit::new(b, kernel);
    emit.rows();
    emit.b.ins().return_(&[]);
    emit.b.seal_all_blocks();
    let constants = emit.constants.iter().map(|bits| Splat([*bits; 4])).collect();
    emit.b.finalize(isa.frontend_config());
    (function, constants)
}

/// A number of elements: known now, or only by the running code.
#[derive(Clone, Copy)]
enum Num {
    Known(i64),
    Value(Value),
}

/// Where in the loops code is emitted.
#[derive(Clone, Copy)]
struct Place {
    /// The element of the row, the first of the vectors; none before the loop.
    i: Option<Value>,
    /// The position in the fold.
    k: Option<Value>,
    /// Vectors at a time, or one element.
    width: Width,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Width {
    /// So many vectors of 4 elements.
    Vectors(usize),
    /// One element.
    Scalar,
}

impl Width {
    fn elements(self) -> i64 {
        match self {
            Width::Vectors(copies) => 4 * copies as i64,
            Width::Scalar => 1,
        }
    }

    fn copies(self) -> usize {
        match self {
            Width::Vectors(copies) => copies,
            Width::Scalar => 1,
        }
    }
}

/// The function in the making.
struct Emit<'a, 'f> {
    b: FunctionBuilder<'f>,
    kernel: &'a Kernel,
    /// Whether it has values of 64 bits, and so no vectors.
    is_wide: bool,
    /// For each buffer where it is, and how many elements it has.
    bufs: Vec<(Value, Value)>,
    sizes: Vec<Value>,
    scalars: Vec<Value>,
    /// The constants that vectors need, and where they lie when the code runs.
    constants: Vec<u32>,
    constants_at: Value,
    /// The constants loaded last.
    recent: [Recent; 3],
    scratch: Value,
    tile: Value,
    tile_stride: Value,
    lo: Value,
    hi: Value,
    first: Value,
    end: Value,
    /// Words between two rows of scratch.
    row_pitch: Value,
    /// An element of zero: what a masked load reads where it may not read its buffer.
    zeros: Option<StackSlot>,
    /// Room for the accumulators of a reduction.
    sums: Option<StackSlot>,
    /// The position in each dim of the grid, and the tile's row, of the current row.
    index: Vec<Value>,
    tile_row: Value,
    slots: Vec<Option<Value>>,
    /// Of the current phase: the row's part of each address, as a number and as a pointer, and the
    /// pointers to the current element that a fold steps on from.
    parts: FxHashMap<RowPart, Num>,
    starts: FxHashMap<(BufArg, RowPart), Value>,
    near: FxHashMap<(BufArg, Affine), Value>,
}

impl<'a, 'f> Emit<'a, 'f> {
    fn new(mut b: FunctionBuilder<'f>, kernel: &'a Kernel) -> Emit<'a, 'f> {
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        let [args, lo, hi, first, end] = b.block_params(entry)[..] else { unreachable!("five parameters") };
        let field = |b: &mut FunctionBuilder<'_>, offset| b.ins().load(I64, OWN, args, offset);
        let table = field(&mut b, BUFS);
        let mut buf = |at: i32| {
            let (words, len) = (b.ins().load(I64, OWN, table, 16 * at), b.ins().load(I64, OWN, table, 16 * at + 8));
            match kernel.wide.buf(BufArg(at as u16)) {
                Elem::Word => (words, len),
                Elem::Wide => (words, b.ins().ushr_imm_s(len, 1)),
            }
        };
        let bufs = (0..kernel.bufs.len() as i32).map(&mut buf).collect();
        let table = field(&mut b, SIZES);
        let sizes: Vec<Value> = (0..i32::from(kernel.sizes)).map(|at| b.ins().load(I64, OWN, table, 8 * at)).collect();
        let table = field(&mut b, SCALARS);
        let scalars = kernel.scalars.iter().enumerate();
        let scalars = scalars.map(|(at, ty)| b.ins().load(body::clif(*ty, false), OWN, table, 8 * at as i32)).collect();
        let constants_at = field(&mut b, CONSTANTS);
        let scratch = field(&mut b, SCRATCH);
        let (tile, tile_stride) = (field(&mut b, TILE), field(&mut b, TILE_STRIDE));
        let row_pitch = match (kernel.row, row_elem(kernel)) {
            (Coef::Const(row), elem) => b.ins().iconst(I64, (row * elem.words() as i64 + 15) & !15),
            (Coef::Size(size), elem) => {
                let row = sizes[usize::from(size.0)];
                let words = if elem == Elem::Wide { b.ins().ishl_imm_s(row, 1) } else { row };
                let up = b.ins().iadd_imm_s(words, 15);
                b.ins().band_imm_s(up, !15)
            }
        };
        let is_wide = kernel.is_wide();
        let slot = |b: &mut FunctionBuilder<'_>, bytes| {
            b.create_sized_stack_slot(StackSlotData::new(StackSlotKind::ExplicitSlot, bytes, 4))
        };
        let zeros = masks(kernel).then(|| {
            let ty = if is_wide { I64 } else { I32 };
            let zeros = slot(&mut b, ty.bytes());
            let zero = b.ins().iconst(ty, 0);
            b.ins().stack_store(I64, zero, zeros, 0);
            zeros
        });
        let most = kernel.phases.iter().map(|phase| match phase {
            Phase::Reduce { acc, .. } => acc.len() as u32,
            Phase::Map(_) | Phase::Fold { .. } | Phase::Scalar(_) => 0,
        });
        let most = most.max().unwrap_or(0);
        let sums = (most > 0).then(|| slot(&mut b, reduce::bytes(is_wide) * most));
        let slots = vec![None; usize::from(kernel.slots)];
        Emit {
            b,
            kernel,
            is_wide,
            bufs,
            sizes,
            scalars,
            constants: Vec::new(),
            constants_at,
            recent: [Recent { block: None, ty: F32, offset: 0, value: args }; 3],
            scratch,
            tile,
            tile_stride,
            lo,
            hi,
            first,
            end,
            row_pitch,
            zeros,
            sums,
            index: Vec::new(),
            tile_row: tile,
            slots,
            parts: FxHashMap::default(),
            starts: FxHashMap::default(),
            near: FxHashMap::default(),
        }
    }

    /// The loop over the rows. The position in the grid is kept like the wheels of a counter. The caller
    /// has at least one row, so that no size of the grid is 0.
    fn rows(&mut self) {
        let mut start = vec![self.lo];
        let mut rest = self.lo;
        let mut wheels = Vec::new();
        for dim in (1..self.kernel.grid.len()).rev() {
            let size = self.coef(self.kernel.grid[dim]);
            wheels.push(self.b.ins().urem(rest, size));
            rest = self.b.ins().udiv(rest, size);
        }
        if !self.kernel.grid.is_empty() {
            wheels.push(rest);
        }
        wheels.reverse();
        start.extend(wheels);

        let (head, body, exit) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        for _ in &start {
            self.b.append_block_param(head, I64);
        }
        let start: Vec<_> = start.into_iter().map(Into::into).collect();
        self.b.ins().jump(head, &start);
        self.b.switch_to_block(head);
        let params = self.b.block_params(head).to_vec();
        let more = self.b.ins().icmp(IntCC::SignedLessThan, params[0], self.hi);
        self.b.ins().brif(more, body, &[], exit, &[]);
        self.b.switch_to_block(body);
        let point = params[0];
        self.index = params[1..].to_vec();
        if uses_tile(self.kernel) {
            let rows = self.b.ins().isub(point, self.lo);
            let words = self.b.ins().imul(rows, self.tile_stride);
            let words = self.b.ins().isub(words, self.first);
            self.tile_row = self.bytes(self.tile, words, self.kernel.wide.tile());
        }
        let kernel = self.kernel;
        for phase in &kernel.phases {
            self.phase(phase);
        }
        let mut next = vec![self.b.ins().iadd_imm_s(point, 1)];
        let mut index = self.index.clone();
        let mut carry = None;
        for dim in (0..index.len()).rev() {
            let up = self.b.ins().iadd_imm_s(index[dim], 1);
            let turned = match carry {
                None => up,
                Some(carry) => self.b.ins().select(carry, up, index[dim]),
            };
            index[dim] = turned;
            if dim > 0 {
                let size = self.coef(self.kernel.grid[dim]);
                let full = self.b.ins().icmp(IntCC::Equal, turned, size);
                let zero = self.b.ins().iconst(I64, 0);
                index[dim] = self.b.ins().select(full, zero, turned);
                carry = Some(full);
            }
        }
        next.extend(index);
        let next: Vec<_> = next.into_iter().map(Into::into).collect();
        self.b.ins().jump(head, &next);
        self.b.switch_to_block(exit);
    }

    fn phase(&mut self, phase: &'a Phase) {
        match phase {
            Phase::Map(body) => {
                let plan = Plan::new(self.kernel, body, None, body.stores.iter().map(|(_, v)| *v));
                let dsts = body.stores.iter().map(|(dst, _)| dst);
                self.walk(body, &plan, dsts, |emit, place, values| {
                    emit.level(body, &plan, Level::Element, place, values);
                    emit.stores(body, place, values);
                });
            }
            Phase::Reduce { body, acc } => {
                let roots = body.stores.iter().map(|(_, v)| *v).chain(acc.iter().map(|(_, v, _)| *v));
                let plan = Plan::new(self.kernel, body, None, roots);
                self.start_sums(acc, &plan);
                let dsts = body.stores.iter().map(|(dst, _)| dst);
                self.walk(body, &plan, dsts, |emit, place, values| {
                    emit.level(body, &plan, Level::Element, place, values);
                    emit.stores(body, place, values);
                    emit.add_to_sums(acc, &plan, place, values);
                });
                self.finish_sums(acc, &plan);
            }
            Phase::Fold { over, body, acc } => {
                let plan = Plan::new(self.kernel, body, Some(*over), acc.iter().map(|(_, v, _)| *v));
                let dsts = acc.iter().map(|(_, _, dst)| dst);
                self.walk(body, &plan, dsts, |emit, place, values| {
                    emit.level(body, &plan, Level::Element, place, values);
                    emit.prepare_fold(body, place);
                    emit.fold(*over, body, &plan, acc, place, values);
                });
            }
            Phase::Scalar(body) => {
                let plan = Plan::new(self.kernel, body, None, std::iter::empty());
                let zero = self.b.ins().iconst(I64, 0);
                let place = Place { i: Some(zero), k: None, width: Width::Scalar };
                let mut values = Values::new(body);
                self.prepare(body, body.stores.iter().map(|(dst, _)| dst));
                self.level(body, &plan, Level::Row, place, &mut values);
                self.level(body, &plan, Level::Element, place, &mut values);
                for (dst, v) in &body.stores {
                    match dst {
                        Dst::Slot(slot) => self.slots[usize::from(slot.0)] = Some(values.lane(*v, 0)),
                        Dst::Buf(..) | Dst::Row(_) => self.store(dst, *v, place, &values),
                    }
                }
            }
        }
    }

    /// The range of elements: the whole row, or what the caller asks for.
    fn range(&mut self) -> (Value, Value, Option<i64>) {
        if self.kernel.is_elementwise() {
            return (self.first, self.end, None);
        }
        let start = self.b.ins().iconst(I64, 0);
        let known = match self.kernel.row {
            Coef::Const(row) => Some(row),
            Coef::Size(_) => None,
        };
        (start, self.coef(self.kernel.row), known)
    }

    /// The loops over the elements: several vectors, one vector, one element. What does not depend on
    /// the element comes before them, but only runs when there is an element.
    fn walk<'d>(
        &mut self,
        body: &Body,
        plan: &Plan,
        dsts: impl Iterator<Item = &'d Dst>,
        mut each: impl FnMut(&mut Self, Place, &mut Values),
    ) {
        let (start, end, known) = self.range();
        if known == Some(0) {
            return;
        }
        let (inside, done) = (self.b.create_block(), self.b.create_block());
        if known.is_some() {
            self.b.ins().jump(inside, &[]);
        } else {
            let some = self.b.ins().icmp(IntCC::SignedLessThan, start, end);
            self.b.ins().brif(some, inside, &[], done, &[]);
        }
        self.b.switch_to_block(inside);
        let before = Place { i: None, k: None, width: Width::Vectors(1) };
        let mut values = Values::new(body);
        self.prepare(body, dsts);
        self.level(body, plan, Level::Row, before, &mut values);
        let widths = if self.is_wide { vec![Width::Scalar] } else { widths(plan) };
        let most = match self.kernel.row {
            Coef::Const(row) => row,
            Coef::Size(_) => i64::MAX,
        };
        let mut at = start;
        let mut left = known;
        for width in widths {
            let step = width.elements();
            if left.unwrap_or(most) < step {
                continue;
            }
            left = left.map(|left| left % step);
            at = self.every(at, end, step, |emit, i| {
                each(emit, Place { i: Some(i), k: None, width }, &mut values);
            });
        }
        self.b.ins().jump(done, &[]);
        self.b.switch_to_block(done);
    }

    /// `for i in (start..).step_by(step)` while a whole step fits before `end`; the position after it.
    fn every(&mut self, start: Value, end: Value, step: i64, mut each: impl FnMut(&mut Self, Value)) -> Value {
        let last = self.b.ins().iadd_imm_s(end, -step);
        let (body, exit) = (self.b.create_block(), self.b.create_block());
        let i = self.b.append_block_param(body, I64);
        let after = self.b.append_block_param(exit, I64);
        let fits = self.b.ins().icmp(IntCC::SignedLessThanOrEqual, start, last);
        self.b.ins().brif(fits, body, &[start.into()], exit, &[start.into()]);
        self.b.switch_to_block(body);
        each(self, i);
        let next = self.b.ins().iadd_imm_s(i, step);
        let fits = self.b.ins().icmp(IntCC::SignedLessThanOrEqual, next, last);
        self.b.ins().brif(fits, body, &[next.into()], exit, &[next.into()]);
        self.b.switch_to_block(exit);
        after
    }

    fn stores(&mut self, body: &Body, place: Place, values: &Values) {
        for (dst, v) in &body.stores {
            self.store(dst, *v, place, values);
        }
    }

    /// The instructions of one level.
    fn level(&mut self, body: &Body, plan: &Plan, level: Level, place: Place, values: &mut Values) {
        for (at, inst) in body.insts.iter().enumerate() {
            if plan.levels[at] == level {
                self.inst(at, inst, body, plan, place, values);
            }
        }
    }

    fn coef(&mut self, coef: Coef) -> Value {
        match coef {
            Coef::Const(value) => self.b.ins().iconst(I64, value),
            Coef::Size(size) => self.sizes[usize::from(size.0)],
        }
    }

    fn num(&self, coef: Coef) -> Num {
        match coef {
            Coef::Const(value) => Num::Known(value),
            Coef::Size(size) => Num::Value(self.sizes[usize::from(size.0)]),
        }
    }

    fn times(&mut self, num: Num, v: Value) -> Num {
        match num {
            Num::Known(0) => Num::Known(0),
            Num::Known(1) => Num::Value(v),
            Num::Known(factor) if factor > 0 && factor & (factor - 1) == 0 => {
                Num::Value(self.b.ins().ishl_imm_s(v, i64::from(factor.trailing_zeros())))
            }
            Num::Known(factor) => Num::Value(self.b.ins().imul_imm_s(v, factor)),
            Num::Value(factor) => Num::Value(self.b.ins().imul(factor, v)),
        }
    }

    fn plus(&mut self, a: Num, b: Num) -> Num {
        match (a, b) {
            (Num::Known(0), other) | (other, Num::Known(0)) => other,
            (Num::Known(a), Num::Known(b)) => Num::Known(a.wrapping_add(b)),
            (Num::Known(a), Num::Value(b)) | (Num::Value(b), Num::Known(a)) => {
                Num::Value(self.b.ins().iadd_imm_s(b, a))
            }
            (Num::Value(a), Num::Value(b)) => Num::Value(self.b.ins().iadd(a, b)),
        }
    }

    fn value(&mut self, num: Num) -> Value {
        match num {
            Num::Known(value) => self.b.ins().iconst(I64, value),
            Num::Value(value) => value,
        }
    }

    /// A pointer and a number of elements.
    fn bytes(&mut self, pointer: Value, count: Value, elem: Elem) -> Value {
        let bytes = self.b.ins().ishl_imm_s(count, if elem == Elem::Wide { 3 } else { 2 });
        self.b.ins().iadd(pointer, bytes)
    }
}

/// How many elements the loops take at a time, from wide to narrow. A short body is dominated by the loop
/// around it, and each copy of a longer one reads its constants once less; more copies of a long one only
/// take time to compile. A fold walks all of `k` for each of its steps, and the wider these are, the more
/// of each cache line it uses.
fn widths(plan: &Plan) -> Vec<Width> {
    let mut widths = match (plan.folds, plan.cost) {
        (true, 0..=6) => vec![Width::Vectors(8), Width::Vectors(2)],
        (_, 0..=24) => vec![Width::Vectors(4)],
        (_, 25..=120) => vec![Width::Vectors(2)],
        _ => vec![],
    };
    widths.extend([Width::Vectors(1), Width::Scalar]);
    widths
}

/// Whether a kernel loads where a mask holds.
fn masks(kernel: &Kernel) -> bool {
    let in_body = |body: &Body| body.insts.iter().any(|inst| matches!(inst, Inst::Load { valid: Some(_), .. }));
    kernel.phases.iter().any(|phase| match phase {
        Phase::Map(body) | Phase::Scalar(body) => in_body(body),
        Phase::Reduce { body, .. } | Phase::Fold { body, .. } => in_body(body),
    })
}
