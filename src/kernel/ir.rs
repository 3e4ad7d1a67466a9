//! The kernel IR: loops over a row with straight-line bodies, and the steps of a program.
//!
//! A `Scan` runs steps for each position of an axis. A `Loop` kernel runs its phases for each point of a grid. A phase walks the row, which is the
//! vector axis. Sizes and strides are numbers baked in or entries of a table bound at run time, so
//! one kernel serves every value of a symbolic size.
//!
//! **Reductions are part of the meaning**, the same in every backend: element `i` of a row goes to
//! accumulator `(i / 16) % 4`, lane `i % 16`, each starting from the neutral element; in the end
//! `(acc0 · acc1) · (acc2 · acc3)` lane by lane, then the upper half of the lanes joins the lower,
//! 16 to 8 to 4 to 2 to 1. A `Fold` runs in order of its index. `Fma` rounds once and is only where it
//! is written. `Min` and `Max` return NaN when an operand is one and order -0 below +0.
//!
//! The payload of a NaN is not part of the meaning; everything else is, to the bit.

use crate::ir::scalar::{Bin, Cc, Comb, ScalarTy, Un};
use crate::ir::{DType, Dim, HostId, InputId, ParamId, Role, StateId};
use crate::ops::ConvRole;

/// An instruction of a body, by its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct V(pub u32);

/// A buffer argument of a kernel, by its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct BufArg(pub u16);

/// A scalar argument of a kernel, by its place; its type stands in `Kernel::scalars`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ScalarArg(pub u16);

/// An entry of a kernel's size table, by its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SizeArg(pub u16);

/// A row of scratch that lives in L1, one element for each of the row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct RowBuf(pub u16);

/// A scalar of the current row: the result of a reduction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Slot(pub u16);

/// A size or a stride: known, or bound at run time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Coef {
    /// Known when the kernel is compiled.
    Const(i64),
    /// Read from the size table.
    Size(SizeArg),
}

/// `base + Σ grid[d]·index(d) + row·i + fold·k`, in elements.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Affine {
    /// The constant part.
    pub base: Coef,
    /// One for each dim of the grid.
    pub grid: Vec<Coef>,
    /// Of the position in the row: 0 repeats, 1 is contiguous, the rest is strided.
    pub row: Coef,
    /// Of the position in a `Fold`; `Const(0)` elsewhere.
    pub fold: Coef,
}

/// How wide an element in memory is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Elem {
    /// 32 bits.
    #[default]
    Word,
    /// 64 bits: two words, the lower half first.
    Wide,
}

impl Elem {
    /// Of a value of a type.
    pub fn of(ty: ScalarTy) -> Elem {
        if ty.is_wide() { Elem::Wide } else { Elem::Word }
    }

    /// Of a value of a dtype.
    pub fn of_dtype(dtype: DType) -> Elem {
        if dtype.bytes() == 8 { Elem::Wide } else { Elem::Word }
    }

    /// What is read from memory.
    pub fn ty(self) -> ScalarTy {
        match self {
            Elem::Word => ScalarTy::F32,
            Elem::Wide => ScalarTy::F64,
        }
    }

    /// How many words it has.
    pub fn words(self) -> usize {
        match self {
            Elem::Word => 1,
            Elem::Wide => 2,
        }
    }
}

/// What of a kernel has wide elements, each list in order; whatever is not named has words.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Wide {
    /// Buffers.
    pub bufs: Vec<BufArg>,
    /// Rows of scratch.
    pub rows: Vec<RowBuf>,
    /// Scalars of the row.
    pub slots: Vec<Slot>,
    /// The tile of the contraction.
    pub tile: bool,
}

impl Wide {
    /// The elements of a buffer.
    pub fn buf(&self, buf: BufArg) -> Elem {
        elem(self.bufs.contains(&buf))
    }

    /// Those of a row of scratch.
    pub fn row(&self, row: RowBuf) -> Elem {
        elem(self.rows.contains(&row))
    }

    /// A scalar of the row.
    pub fn slot(&self, slot: Slot) -> Elem {
        elem(self.slots.contains(&slot))
    }

    /// Those of the tile.
    pub fn tile(&self) -> Elem {
        elem(self.tile)
    }

    /// Whether nothing is wide.
    pub fn is_empty(&self) -> bool {
        self.bufs.is_empty() && self.rows.is_empty() && self.slots.is_empty() && !self.tile
    }
}

fn elem(is_wide: bool) -> Elem {
    if is_wide { Elem::Wide } else { Elem::Word }
}

/// One instruction. Floats are f32 or f64, integers i32, wrapping, or i64. What comes from memory (`Load`, `Row`,
/// `Slot`, `Tile`) is an f32, or where elements are wide an f64; an i32 there is read by `AsInt` of it, an i64 by
/// `AsI64`, and all are stored as they are.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Inst {
    /// The bits of a constant. A mask is 0 or 32 ones.
    Const(u64, ScalarTy),
    /// A scalar argument.
    Arg(ScalarArg),
    /// An affine function of the loop positions as i32, wrapping.
    Index(Affine),
    /// A function of one value.
    Un(Un, V),
    /// A function of two values.
    Bin(Bin, V, V),
    /// `a * b + c`, rounded once.
    Fma(V, V, V),
    /// A comparison of two values of one type, giving a mask.
    Cmp(Cc, V, V),
    /// `if mask { a } else { b }`
    Sel(V, V, V),
    /// An element of a buffer.
    Load {
        /// Which.
        buf: BufArg,
        /// Where.
        at: Affine,
        /// Plus this i32 times the stride: a data-dependent row, already in range.
        row: Option<(V, Coef)>,
        /// Read only where the mask holds, else 0.
        valid: Option<V>,
    },
    /// The current element of a row of scratch, written by an earlier phase.
    Row(RowBuf),
    /// A scalar of the row, written by an earlier phase.
    Slot(Slot),
    /// The current element of the contraction tile this epilogue runs on.
    Tile,
}

/// Where a value goes.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Dst {
    /// An element of a buffer. Two points of a kernel never write the same element.
    Buf(BufArg, Affine),
    /// The current element of a row of scratch.
    Row(RowBuf),
    /// A scalar of the row; only from a `Scalar` phase.
    Slot(Slot),
}

/// Straight-line code for one element.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Body {
    /// In order; an operand comes before its user.
    pub insts: Vec<Inst>,
    /// After all of them.
    pub stores: Vec<(Dst, V)>,
}

/// One walk.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Phase {
    /// For each element of the row.
    Map(Body),
    /// For each element of the row, and combine into slots.
    Reduce {
        /// The values; it may store too.
        body: Body,
        /// What is combined how, and where the result goes.
        acc: Vec<(Comb, V, Slot)>,
    },
    /// For each element of the row: run the body for `k` in `0..over` in order and combine, starting
    /// from the neutral element; then store the result.
    Fold {
        /// How many.
        over: Coef,
        /// The values for one `k`; it stores nothing.
        body: Body,
        /// What is combined how, and where the result goes (a buffer or a row).
        acc: Vec<(Comb, V, Dst)>,
    },
    /// Once for the row, at position 0: slots in, slots and elements out.
    Scalar(Body),
}

impl Phase {
    /// Its code for one element.
    pub fn body(&self) -> &Body {
        match self {
            Phase::Map(body) | Phase::Scalar(body) | Phase::Reduce { body, .. } | Phase::Fold { body, .. } => body,
        }
    }
}

/// How a kernel uses a buffer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Access {
    /// It only reads.
    Read,
    /// It only writes.
    Write,
    /// It reads an element and then writes the same one, in one phase, which is the only one to use it.
    Update,
}

/// A loop nest over a grid of rows.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Kernel {
    /// The sizes of the grid, outermost first; a point is a row.
    pub grid: Vec<Coef>,
    /// The length of a row.
    pub row: Coef,
    /// What runs for each row, in order.
    pub phases: Vec<Phase>,
    /// How many rows of scratch; each is as long as the row.
    pub rowbufs: u16,
    /// How many scalars of the row.
    pub slots: u16,
    /// Its buffers.
    pub bufs: Vec<Access>,
    /// The types of its scalar arguments.
    pub scalars: Vec<ScalarTy>,
    /// How long its size table is.
    pub sizes: u16,
    /// Which of its memory has wide elements.
    pub wide: Wide,
}

impl Kernel {
    /// Whether it has values of 64 bits anywhere.
    pub fn is_wide(&self) -> bool {
        let computes = |body: &Body| {
            body.insts.iter().any(|inst| match inst {
                Inst::Const(_, ty) => ty.is_wide(),
                Inst::Un(un, _) => matches!(un, Un::Widen | Un::I2D | Un::I2L),
                _ => false,
            })
        };
        !self.wide.is_empty()
            || self.scalars.iter().any(|ty| ty.is_wide())
            || self.phases.iter().any(|phase| computes(phase.body()))
    }

    /// Whether the row itself may be cut into ranges that run apart: nothing is kept across it. Such a
    /// kernel with an empty grid is split over elements, any other over rows.
    pub fn is_elementwise(&self) -> bool {
        self.slots == 0
            && self.rowbufs == 0
            && self.phases.iter().all(|phase| matches!(phase, Phase::Map(_) | Phase::Fold { .. }))
    }
}

/// A kernel of a program, by its place; equal kernels are one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct KernelId(pub u32);

/// A buffer of a program, by its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct BufId(pub u32);

/// What a scalar argument is at run time.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ScalarValue {
    /// A value of the host program, rounded to f32.
    Host(HostId),
    /// A value of the host program, an f64 as it is.
    HostWide(HostId),
    /// A word of the random key and counter: seed low, seed high, step.
    Seed,
    /// The upper half of the seed.
    SeedHigh,
    /// The number of the update, as a counter.
    Step,
    /// A number that differs between equal kernels: a random site.
    Word(u32),
}

/// A use of a kernel: its arguments.
#[derive(Clone, PartialEq, Debug)]
pub struct Launch {
    /// Which kernel.
    pub kernel: KernelId,
    /// Its buffers.
    pub bufs: Vec<BufId>,
    /// Its scalars.
    pub scalars: Vec<ScalarValue>,
    /// Its size table.
    pub sizes: Vec<Dim>,
}

/// A strided matrix in a buffer, in elements.
#[derive(Clone, PartialEq, Debug)]
pub struct Matrix {
    /// Where.
    pub buf: BufId,
    /// From one row to the next.
    pub row_stride: Dim,
    /// From one column to the next.
    pub col_stride: Dim,
    /// From one position of each loop of the batch to the next.
    pub batch_strides: Vec<Dim>,
    /// Where it begins.
    pub offset: Dim,
}

/// `c[batch, m, n] = Σ_k a[batch, m, k] · b[batch, k, n]`, where each of `batch`, `m` and `k` is any number of
/// loops and `a` is nowhere in memory: its elements are read through a window.
#[derive(Clone, PartialEq, Debug)]
pub struct Conv {
    /// What for; it changes nothing.
    pub role: ConvRole,
    /// The sizes of the batch's loops.
    pub batch: Vec<Dim>,
    /// Of the rows'.
    pub m: Vec<Dim>,
    /// Of those that are summed.
    pub k: Vec<Dim>,
    /// How many columns.
    pub n: Dim,
    /// The left operand.
    pub a: Patches,
    /// Where the right operand is.
    pub b: BufId,
    /// How far a step of each loop of the batch and of `k` goes in it, in elements, then one of the columns.
    pub b_steps: Vec<Dim>,
    /// Where the plain result goes, row-major; none when only the epilogue wants it.
    pub c: Option<BufId>,
    /// A kernel whose points are the rows in order and whose row is `n`; it reads the result through `Tile`.
    pub epilogue: Option<Launch>,
}

/// A matrix that a window makes of a tensor.
#[derive(Clone, PartialEq, Debug)]
pub struct Patches {
    /// The tensor.
    pub buf: BufId,
    /// Its axes.
    pub axes: Vec<PatchAxis>,
}

/// One axis of the tensor: its position is `(base + Σ step·index) / divisor` over the loops. Where that is not
/// whole, or outside of the axis, the element is 0.
#[derive(Clone, PartialEq, Debug)]
pub struct PatchAxis {
    /// How many positions.
    pub size: Dim,
    /// From one position to the next, in elements.
    pub stride: Dim,
    /// The constant part.
    pub base: Dim,
    /// By which it is divided; positive.
    pub divisor: i64,
    /// For each loop of the batch, of `m`, of `k`.
    pub steps: Vec<Dim>,
}

/// One step of a program.
#[derive(Clone, PartialEq, Debug)]
#[expect(clippy::large_enum_variant, reason = "a program has a few hundred of them")]
pub enum Step {
    /// A loop kernel.
    Loop(Launch),
    /// `c[b, m, n] = Σ_k a[b, m, k] · b[b, k, n]`, and the epilogue on each finished tile.
    Gemm {
        /// The sizes of the batch's loops.
        batch: Vec<Dim>,
        /// m, n, k.
        dims: [Dim; 3],
        /// The left operand.
        a: Matrix,
        /// The right operand: its rows are k.
        b: Matrix,
        /// Where the plain result goes, row-major; none when only the epilogue wants it.
        c: Option<Matrix>,
        /// A kernel whose points are the rows of all batch entries in order and whose row is `n`; it reads the
        /// result through `Tile`.
        epilogue: Option<Launch>,
    },
    /// A contraction of patches.
    Conv(Box<Conv>),
    /// `out[index[j], ..] += update[j, ..]` over zeros: the rows of equal index are summed in order of
    /// `j`. Sizes: how many updates, how many rows of the result, how long a row.
    Segments {
        /// How many updates, rows of the result, elements of a row.
        dims: [Dim; 3],
        /// i32, one for each update.
        index: BufId,
        /// Row-major.
        update: BufId,
        /// Row-major; every element is written.
        out: BufId,
    },
    /// Copies a whole buffer: for an output that aliases what others still read.
    Copy {
        /// From.
        from: BufId,
        /// To.
        to: BufId,
    },
    /// Steps that run for each position of an axis.
    Scan(Box<Scan>),
}

impl Step {
    /// Names every buffer that a step uses, those inside of a loop too.
    pub fn visit(&self, use_of: &mut dyn FnMut(BufId)) {
        let launch = |launch: &Launch, use_of: &mut dyn FnMut(BufId)| launch.bufs.iter().for_each(|buf| use_of(*buf));
        match self {
            Step::Loop(one) => launch(one, use_of),
            Step::Gemm { a, b, c, epilogue, .. } => {
                [Some(a), Some(b), c.as_ref()].into_iter().flatten().for_each(|matrix| use_of(matrix.buf));
                epilogue.iter().for_each(|one| launch(one, use_of));
            }
            Step::Conv(conv) => {
                [Some(conv.a.buf), Some(conv.b), conv.c].into_iter().flatten().for_each(&mut *use_of);
                conv.epilogue.iter().for_each(|one| launch(one, use_of));
            }
            Step::Segments { index, update, out, .. } => [index, update, out].into_iter().for_each(|buf| use_of(*buf)),
            Step::Copy { from, to } => [from, to].into_iter().for_each(|buf| use_of(*buf)),
            Step::Scan(scan) => {
                use_of(scan.memory);
                scan.rows.iter().chain(&scan.made).for_each(|buf| use_of(*buf));
                for Carry { first, old, new, last } in &scan.carries {
                    [Some(*first), Some(*old), Some(*new), *last].into_iter().flatten().for_each(&mut *use_of);
                }
                scan.body.iter().for_each(|step| step.visit(use_of));
            }
        }
    }
}

/// A loop over steps. It is serial where something is carried; else its iterations are independent and run on
/// several threads, each iteration on one.
///
/// The buffers of an iteration are *rows* of others, which move on from iteration to iteration, and *locals*,
/// which lie in the `memory` of the loop and are worth nothing after an iteration, but for those of carries. A
/// step of the body may read any buffer from outside but those that rows are made in, and writes none.
#[derive(Clone, PartialEq, Debug)]
pub struct Scan {
    /// How many iterations.
    pub count: Dim,
    /// From the last position to the first.
    pub reversed: bool,
    /// Buffers at `Place::Row` that are read: at position `i` the words from `i` times their length on.
    pub rows: Vec<BufId>,
    /// Such that are written, each element.
    pub made: Vec<BufId>,
    /// What goes from one iteration to the next.
    pub carries: Vec<Carry>,
    /// Buffers at `Place::Local`, those of carries among them.
    pub locals: Vec<BufId>,
    /// Where the locals lie, once for each thread; its length comes when sizes are bound.
    pub memory: BufId,
    /// One iteration.
    pub body: Vec<Step>,
}

impl Scan {
    /// How many of so many threads run its iterations.
    pub fn lanes(&self, threads: usize) -> usize {
        if self.carries.is_empty() { threads } else { 1 }
    }
}

/// Two locals that are exchanged after each iteration.
#[derive(Clone, PartialEq, Debug)]
pub struct Carry {
    /// Copied to `old` before the first.
    pub first: BufId,
    /// What an iteration reads.
    pub old: BufId,
    /// What it writes.
    pub new: BufId,
    /// Where the value goes at the end.
    pub last: Option<BufId>,
}

/// Where the memory of a buffer is.
#[derive(Clone, PartialEq, Debug)]
pub enum Place {
    /// In the arena of the step: alive from its first writer to its last reader.
    Arena,
    /// A batch's input.
    Input(InputId),
    /// A parameter, updated in place.
    Param(ParamId),
    /// A state, updated in place.
    State(StateId),
    /// A result that is copied out after the step; it lives to the end.
    Result(Role),
    /// A row of another buffer, which the loop that names it moves on.
    Row(BufId),
    /// In the memory of the loop that names it.
    Local,
}

/// A buffer of a program.
#[derive(Clone, PartialEq, Debug)]
pub struct Buffer {
    /// How many elements.
    pub len: Dim,
    /// How wide each is. Positions and strides count elements; where a buffer lies, words.
    pub elem: Elem,
    /// Where.
    pub place: Place,
}

/// A whole step as kernels in order over buffers.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Program {
    /// Each different kernel once.
    pub kernels: Vec<Kernel>,
    /// In order of execution.
    pub steps: Vec<Step>,
    /// All buffers.
    pub buffers: Vec<Buffer>,
    /// The scalars of the host, run before the steps.
    pub host: crate::ir::HostProgram,
    /// Names of the symbolic sizes.
    pub sizes: Vec<String>,
}
