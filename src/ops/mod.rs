//! All knowledge of an operation in one place: its rule of types, its gradient, its reference value.
//!
//! `Op` is closed. Each class file answers four questions about its operations:
//! - `infer`: the type of the result, or why the arguments do not fit;
//! - `grad`: the gradients by the arguments, built from other operations;
//! - `eval`: the value in f64, slow and plain, which judges everything else;
//! - `probes`: arguments at which finite differences judge `grad`.
//!
//! No other folder matches on an operation to learn its meaning: `canon`, `opt` and `fuse` match to
//! recognise a shape of graph, `kernel` to write a loop.
//!
//! See Note [Zero gradients] in `map` for what a gradient is where a derivative is infinite.

mod contract;
mod index;
mod leaf;
mod map;
mod probe;
mod reduce;
mod value;
mod view;
mod window;

use smallvec::SmallVec;

use crate::ir::{Builder, DType, Dim, Graph, HostId, InputId, NodeId, ParamId, SizeId, SizeOverflow, StateId, Ty};

pub use contract::MAX_LABELS;
pub use probe::probes;
pub use value::{Value, for_each_index};

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
    /// The first position of the largest (smallest) element along an axis, i32. The first NaN is
    /// larger and smaller than all; of none it is 0.
    ArgReduce(ArgOp, usize),
    /// `log(sum(exp(x)))` along an axis, computed without overflow.
    LogSumExp(usize),

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

    // ---- marks
    /// The value itself, through which no gradient flows.
    StopGradient,
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
    Floor,
    /// To the nearest, ties to even.
    Round,
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

/// One axis of a `Window`: position `i` of the argument for position `o` of the result (and `k` of a
/// new axis right behind it) where `m·i = a·o + d·k + b`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct WindowAxis {
    /// The axis of the argument.
    pub axis: usize,
    /// The size of the result's axis.
    pub out: Dim,
    /// The size of the new axis `k`, when there is one.
    pub taps: Option<Dim>,
    /// Of the argument's position.
    pub m: i64,
    /// Of the result's position; not 0.
    pub a: i64,
    /// Of the tap.
    pub d: i64,
    /// The offset.
    pub b: Dim,
}

/// The gradient by each argument; none where there is none or none is wanted.
pub type Grads = SmallVec<[Option<NodeId>; 3]>;

/// What the reference reads besides arguments.
pub struct Env<'a> {
    /// By `InputId`.
    pub inputs: &'a [Value],
    /// By `ParamId`.
    pub params: &'a [Value],
    /// By `StateId`.
    pub states: &'a [Value],
    /// By `HostId`.
    pub host: &'a [f64],
    /// The bound sizes.
    pub sizes: &'a dyn Fn(SizeId) -> i64,
    /// The key of random numbers.
    pub seed: u64,
    /// The number of the update, which counts in random numbers.
    pub step: u64,
}

/// The type of the result, or why the arguments do not fit.
pub fn infer(graph: &Graph, op: &Op, args: &[NodeId]) -> Result<Ty, String> {
    if args.len() != op.arity().unwrap_or(args.len()) {
        return Err(format!("{} arguments", args.len()));
    }
    let of = |at: usize| graph.nodes.get(args[at].index()).map(|node| &node.ty).ok_or("an argument that is not there");
    match op {
        Op::Input(id) => leaf::infer_given(graph.inputs.get(id.index()).map(|input| &input.ty)),
        Op::Param(id) => leaf::infer_given(graph.params.get(id.index()).map(|param| &param.ty)),
        Op::State(id) => leaf::infer_given(graph.states.get(id.index()).map(|state| &state.ty)),
        Op::Const(number) => leaf::infer_const(*number),
        Op::Scalar(id) => leaf::infer_scalar(graph.host.ops.len(), *id),
        Op::Iota(dim) => Ok(Ty::new(DType::I32, [dim.clone()])),
        Op::Random { dist: _, site: _, dims } => Ok(Ty::new(DType::F32, dims.iter().cloned())),
        Op::Map(map) => {
            let types = (0..args.len()).map(of).collect::<Result<SmallVec<[&Ty; 3]>, _>>()?;
            map::infer(*map, &types)
        }
        Op::Permute(perm) => view::infer_permute(perm, of(0)?),
        Op::Reshape(dims) => view::infer_reshape(dims, of(0)?),
        Op::Broadcast { dims, axes } => view::infer_broadcast(dims, axes, of(0)?),
        Op::Window { axes, fill } => window::infer(axes, *fill, of(0)?),
        Op::Concat(axis) => {
            let types = (0..args.len()).map(of).collect::<Result<Vec<&Ty>, _>>()?;
            view::infer_concat(*axis, &types)
        }
        Op::Reduce(_, axes) => reduce::infer_reduce(axes, of(0)?),
        Op::ArgReduce(_, axis) => reduce::infer_arg(*axis, of(0)?),
        Op::LogSumExp(axis) => reduce::infer_reduce(&[*axis], of(0)?),
        Op::Contract { a, b, out } => contract::infer([a, b, out], of(0)?, of(1)?),
        Op::Take(axis) => index::infer_take(*axis, of(0)?, of(1)?),
        Op::ScatterAdd(axis, n) => index::infer_scatter_add(*axis, n, of(0)?, of(1)?),
        Op::Pick(axis) => index::infer_pick(*axis, of(0)?, of(1)?),
        Op::StopGradient => Ok(of(0)?.clone()),
    }
}

/// The gradients by the arguments of node `y`, given `dy`, the gradient by its result. An argument that
/// is not wanted gets none and costs nothing.
pub fn grad(b: &mut Builder, y: NodeId, dy: NodeId, wanted: &[bool]) -> Grads {
    let node = b.graph.node(y);
    let (op, args) = (node.op.clone(), node.args.clone());
    let one = |of: Option<NodeId>| Grads::from_elem(of, 1);
    if !wanted.contains(&true) {
        return Grads::from_elem(None, args.len());
    }
    match &op {
        Op::Input(_) | Op::Param(_) | Op::State(_) | Op::Const(_) | Op::Scalar(_) | Op::Iota(_) | Op::Random { .. } => {
            Grads::new()
        }
        Op::Map(map) => map::grad(b, *map, &args, y, dy, wanted),
        Op::Permute(perm) => one(Some(view::grad_permute(b, perm, dy))),
        Op::Reshape(_) => one(Some(view::grad_reshape(b, args[0], dy))),
        Op::Broadcast { dims: _, axes } => one(Some(view::grad_broadcast(b, axes, dy))),
        Op::Window { axes, fill: _ } => one(Some(window::grad(b, axes, args[0], dy))),
        Op::Concat(axis) => view::grad_concat(b, *axis, &args, dy, wanted),
        Op::Reduce(reduce, axes) => one(Some(reduce::grad_reduce(b, *reduce, axes, args[0], dy))),
        Op::LogSumExp(axis) => one(Some(reduce::grad_log_sum_exp(b, *axis, args[0], y, dy))),
        Op::Contract { a, b: other, out } => contract::grad(b, [a, other, out], &args, dy, wanted),
        Op::Take(axis) => index::grad_take(b, *axis, &args, dy, wanted),
        Op::ScatterAdd(axis, _) => index::grad_scatter_add(b, *axis, &args, dy, wanted),
        Op::Pick(axis) => index::grad_pick(b, *axis, &args, dy, wanted),
        Op::ArgReduce(..) | Op::StopGradient => one(None),
    }
}

/// The value in f64. `dims` are the sizes of the result, bound.
pub fn eval(op: &Op, args: &[&Value], dims: &[usize], env: &Env<'_>) -> Result<Value, SizeOverflow> {
    Ok(match op {
        Op::Input(id) => env.inputs[id.index()].clone(),
        Op::Param(id) => env.params[id.index()].clone(),
        Op::State(id) => env.states[id.index()].clone(),
        Op::Const(number) => Value::scalar(number.value()),
        Op::Scalar(id) => Value::scalar(env.host[id.0 as usize]),
        Op::Iota(_) => Value::from_fn(dims, |index| index[0] as f64),
        Op::Random { dist, site, dims: _ } => leaf::eval_random(*dist, *site, dims, env),
        Op::Map(map) => map::eval(*map, args, dims),
        Op::Permute(perm) => view::eval_permute(perm, args[0], dims),
        Op::Reshape(_) => Value::new(dims, args[0].data.clone()),
        Op::Broadcast { dims: _, axes } => view::eval_broadcast(axes, args[0], dims),
        Op::Window { axes, fill } => window::eval(axes, *fill, args[0], dims, env)?,
        Op::Concat(axis) => view::eval_concat(*axis, args, dims),
        Op::Reduce(reduce, axes) => reduce::eval_reduce(*reduce, axes, args[0], dims),
        Op::ArgReduce(arg, axis) => reduce::eval_arg(*arg, *axis, args[0], dims),
        Op::LogSumExp(axis) => reduce::eval_log_sum_exp(*axis, args[0], dims),
        Op::Contract { a, b, out } => contract::eval([a, b, out], args[0], args[1], dims),
        Op::Take(axis) => index::eval_take(*axis, args[0], args[1], dims),
        Op::ScatterAdd(axis, _) => index::eval_scatter_add(*axis, args[0], args[1], dims),
        Op::Pick(axis) => index::eval_pick(*axis, args[0], args[1], dims),
        Op::StopGradient => args[0].clone(),
    })
}

/// The value of an elementwise function.
pub fn eval_map(map: MapOp, args: &[f64]) -> f64 {
    map::eval_element(map, args)
}

impl Op {
    /// How many arguments; `Concat` has any number but none.
    pub fn arity(&self) -> Option<usize> {
        Some(match self {
            Op::Input(_) | Op::Param(_) | Op::State(_) | Op::Const(_) => 0,
            Op::Scalar(_) | Op::Iota(_) | Op::Random { .. } => 0,
            Op::Map(map) => map.arity(),
            Op::Permute(_) | Op::Reshape(_) | Op::Broadcast { .. } | Op::Window { .. } => 1,
            Op::Concat(_) => return None,
            Op::Reduce(..) | Op::ArgReduce(..) | Op::LogSumExp(_) | Op::StopGradient => 1,
            Op::Contract { .. } | Op::Take(_) | Op::ScatterAdd(..) | Op::Pick(_) => 2,
        })
    }

    /// Whether its two arguments may be exchanged without changing a bit of the result.
    pub fn is_commutative(&self) -> bool {
        use MapOp::{Add, And, Max, Min, Mul, Or};
        matches!(self, Op::Map(Add | Mul | Min | Max | And | Or | MapOp::Cmp(Cmp::Eq | Cmp::Ne)))
    }
}
