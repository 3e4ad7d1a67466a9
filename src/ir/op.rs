//! The operations of the graph, as words. What each means (its type, its gradient, its value) stands in
//! `ops`; `Op` is closed.

use std::sync::Arc;

use super::{Attention, AttentionArg, AttentionResult, DType, Dim, HostId, InputId, ParamId, Scan, StateId, Ty};

/// An operation of the graph. Axes are positions in the type of the (first) argument unless said
/// otherwise.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Op {
    // ---- leaves: no arguments
    /// A value given with each batch.
    Input(InputId),
    /// A trained tensor as it is before the step.
    Param(ParamId),
    /// A kept tensor as it is before the step.
    State(StateId),
    /// A number without axes: f32 from its f64 bits, i32 or bool from 0, 1, ….
    Const(Number),
    /// A value of the host program, f32 without axes.
    Scalar(HostId),
    /// Positions `0..n` as i32, along the one axis of the result.
    Iota(Dim),
    /// Random numbers, a pure function of (seed, step, site, linear index of the element).
    Random {
        /// Of which distribution.
        dist: Dist,
        /// Which place in the program draws; equal sites draw equal numbers.
        site: u32,
        /// The sizes of the result.
        dims: Vec<Dim>,
    },

    // ---- elementwise: all arguments have the dims of the result
    /// A function of each element.
    Map(MapOp),

    // ---- views: no arithmetic, the index of an element changes
    /// Result axis `i` is argument axis `perm[i]`.
    Permute(Vec<usize>),
    /// The same elements in row-major order under other sizes (equal product): splits and merges axes.
    Reshape(Vec<Dim>),
    /// Repeats: result axis `i` is argument axis `axes[i]`, or new with the size given. Argument axes
    /// keep their order.
    Broadcast {
        /// The sizes of the result.
        dims: Vec<Dim>,
        /// For each result axis: the argument's axis, or none when it is new.
        axes: Vec<Option<usize>>,
    },
    /// Reads along axes by the relation `m·i = a·o + d·k + b`, exactly solvable, else `fill`: slices,
    /// paddings, strides and windows, closed under transposition.
    Window {
        /// One relation per axis that is not read as it is.
        axes: Vec<WindowAxis>,
        /// Outside.
        fill: Number,
    },
    /// Joins along one axis.
    Concat(usize),

    // ---- reductions
    /// Combines along axes, which go; they ascend. Of none it is the neutral element.
    Reduce(ReduceOp, Vec<usize>),
    /// The first position of the largest (smallest) element along axes, i32: in row-major order of these,
    /// which ascend. The first NaN is larger and smaller than all; of none it is 0.
    ArgReduce(ArgOp, Vec<usize>),
    /// The positions of the elements along an axis in the order of their size, i32: the first `count` of them. Of
    /// equal ones the first comes first either way; NaN is larger than all.
    Order {
        /// Along which axis.
        axis: usize,
        /// From the largest on.
        descending: bool,
        /// The size of the axis in the result, at most that of the argument.
        count: Dim,
    },
    /// `log(sum(exp(x)))` along an axis, computed without overflow.
    LogSumExp(usize),
    /// The mean of the squared distances to the mean, along axes, which go; they ascend.
    Variance(Vec<usize>),

    /// Each element combined with those before it along an axis.
    Prefix {
        /// How.
        op: ReduceOp,
        /// Along which axis.
        axis: usize,
        /// With those behind it instead.
        reversed: bool,
        /// Without the element itself: the neutral element comes first.
        exclusive: bool,
    },

    // ---- contractions
    /// `result[out] = sum over the labels in a and b alone of a[a] * b[b]`: an einsum of two operands.
    /// A label in both and in the result is a batch axis; in both and not in the result it is summed;
    /// each label of the result is in `a` or `b`; no label repeats within an operand, and one that is in
    /// one operand alone is in the result (`canon` sums it before), which closes gradients.
    Contract {
        /// A label for each axis of the first operand.
        a: Vec<u8>,
        /// A label for each axis of the second operand.
        b: Vec<u8>,
        /// A label for each axis of the result.
        out: Vec<u8>,
    },

    // ---- data-dependent indices (i32); an index is in range, or the element is unspecified
    /// `Take(axis)(table, index)`: rows of `table` along `axis`; the index's axes stand in its place.
    Take(usize),
    /// `ScatterAdd(axis, n)(index, update)`: the transpose of `Take`: a tensor with size `n` at
    /// `axis`, zero but for the sums of what `update` holds for each index.
    ScatterAdd(usize, Dim),
    /// `Pick(axis)(x, index)`: the index has all axes of `x` but `axis`, which goes.
    Pick(usize),

    // ---- attention: see `ir::attention`
    /// A result of it.
    Attention(Arc<Attention>, AttentionResult),
    /// The gradient by an argument.
    AttentionGrad(Arc<Attention>, AttentionArg),

    // ---- loops
    /// One result of a loop, by its number: see `ir::scan`.
    Scan(Arc<Scan>, usize),

    // ---- marks
    /// The value itself, through which no gradient flows.
    StopGradient,
    /// The value itself. What is computed from it is computed again: it is equal to nothing that is computed
    /// from the value without this mark.
    Remat,
    /// The value itself, under a name by which the program takes a derivative: equal to no other, so that what
    /// is made from the name is told from what is made from an equal value. Gone after `autodiff`.
    Variable(u32),
    /// `Derivative(y, x)`: of `y`, a float without axes, by `x`, a `Variable`. Gone after `autodiff`.
    Derivative,
    /// `WithGradient(y, dy, x, g, …)`: `y`, with a gradient that the program gives: by each `x` it is the `g` behind
    /// it, where `dy`, an `Incoming`, stands for the gradient by `y`. Nothing flows through `y` itself.
    WithGradient,
    /// A gradient that is not there yet, by a name that tells it from all others; 0 where it is computed.
    Incoming {
        /// Which.
        name: u32,
        /// The type of the result.
        ty: Ty,
    },
}

/// A constant: the bits of an f64, so that operations compare and hash exactly.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Number {
    /// Of the value it stands for.
    pub dtype: DType,
    bits: u64,
}

impl Number {
    /// An f32 constant; computed with as f64 where a reference is, rounded once in a kernel.
    pub fn f32(value: f64) -> Number {
        Number { dtype: DType::F32, bits: value.to_bits() }
    }

    /// An i32 constant.
    pub fn i32(value: i32) -> Number {
        Number { dtype: DType::I32, bits: f64::from(value).to_bits() }
    }

    /// A truth value.
    pub fn bool(value: bool) -> Number {
        Number { dtype: DType::Bool, bits: f64::from(u8::from(value)).to_bits() }
    }

    /// A number of any dtype.
    pub fn new(dtype: DType, value: f64) -> Number {
        Number { dtype, bits: value.to_bits() }
    }

    /// The value.
    pub fn value(self) -> f64 {
        f64::from_bits(self.bits)
    }
}

impl std::fmt::Debug for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}:{}", self.value(), self.dtype.as_str())
    }
}

/// A distribution.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Dist {
    /// In `[0, 1)`, 24 random bits.
    Uniform,
    /// Mean 0, variance 1, by the inverse of the distribution function.
    Normal,
}

/// A function of elements. Arguments and result are f32 unless said otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "each is its function; the odd ones say so")]
pub enum MapOp {
    Add,
    Sub,
    Mul,
    Div,
    /// `a^b`, at special values as in IEEE 754; `opt` turns constant small powers into products.
    Pow,
    /// NaN wins.
    Min,
    /// NaN wins.
    Max,
    Neg,
    Abs,
    Sqrt,
    Exp,
    Log,
    Tanh,
    Erf,
    /// In f32, NaN beyond ±2^20.
    Sin,
    /// In f32, NaN beyond ±2^20.
    Cos,
    Floor,
    /// To the nearest, ties to even.
    Round,
    /// To the nearest number of 8 significant bits, ties to even: what bfloat16 holds. Its gradient is that of the value.
    Bf16,
    /// To the nearest number of 11 significant bits and of the exponents that binary16 has, ties to even. Its gradient
    /// is that of the value.
    F16,
    /// Two of one dtype to bool; for NaN only `Ne` holds.
    Cmp(Cmp),
    /// bool, bool to bool.
    And,
    /// bool, bool to bool.
    Or,
    /// bool to bool.
    Not,
    /// (bool, x, y) of one dtype: `x` where true.
    Select,
    /// To a dtype: a bool counts as 0 or 1, an f32 is cut towards zero and saturates, NaN is 0, a
    /// number is true when it is not 0.
    Cast(DType),
}

/// A comparison; `>` and `>=` are these with the operands exchanged.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "each is its sign")]
pub enum Cmp {
    Lt,
    Le,
    Eq,
    Ne,
}

/// How a reduction combines.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "each is its function")]
pub enum ReduceOp {
    Sum,
    Max,
    Min,
    Prod,
}

/// Which position an `ArgReduce` finds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "each is its word")]
pub enum ArgOp {
    Max,
    Min,
}

/// One axis of a `Window`: position `i` of the argument for position `o` of the result and a tap `k`
/// where `m·i = a·o + d·k + b`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct WindowAxis {
    /// The axis of the argument.
    pub axis: usize,
    /// The size of the result's axis.
    pub out: Dim,
    /// What `k` is.
    pub taps: Taps,
    /// Of the argument's position; not 0.
    pub m: i64,
    /// Of the result's position; not 0.
    pub a: i64,
    /// Of the tap.
    pub d: i64,
    /// The offset.
    pub b: Dim,
}

/// The tap of a window's relation.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Taps {
    /// There is none, and `d` is 0.
    None,
    /// The position along a new axis of this size, right behind the result's axis.
    New(Dim),
    /// The position along another axis of the argument, which is read as it is: each of its positions has
    /// a relation of its own. The transpose of a window with `New` taps is one with these, and a sum.
    Shared(usize),
}
