//! All knowledge of an operation in one place: its rule of types, its gradient, its reference value.
//!
//! The words stand in `ir::op`, which this folder hands on. Each class file answers four questions about its operations:
//! - `infer`: the type of the result, or why the arguments do not fit;
//! - `grad`: the gradients by the arguments, built from other operations;
//! - `eval`: the value in f64, slow and plain, which judges everything else;
//! - `probes`: arguments at which finite differences judge `grad`.
//!
//! No other folder matches on an operation to learn its meaning: `canon`, `opt` and `fuse` match to
//! recognise a shape of graph, `kernel` to write a loop.
//!
//! `build` makes nodes by these rules, `batch` does an operation for many values at once, `verify` holds a graph to them, `rewrite` is the walk that passes from
//! graph to graph share.
//!
//! See Note [Zero gradients] in `map` for what a gradient is where a derivative is infinite.

mod attention;
mod batch;
mod build;
mod contract;
mod conv;
mod flops;
mod given_gradient;
mod index;
mod leaf;
mod map;
mod moments;
mod prefix;
mod probe;
mod reduce;
pub mod resize;
pub mod rewrite;
mod scan;
mod sort;
mod value;
mod values;
pub mod verify;
mod view;
mod window;

use smallvec::SmallVec;

use crate::base::bug;
use crate::ir::{AttentionResult, DType, Dim, Graph, NodeId, SizeId, SizeOverflow, Ty};

pub use crate::ir::op::{ArgOp, Cmp, Dist, MapOp, Number, Op, ReduceOp, Taps, WindowAxis};
pub use attention::attention_by_definition;
pub use batch::{Batched, batch};
pub use build::{Builder, splat_value};
pub use contract::MAX_LABELS;
pub use conv::{ConvRole, conv_counts, conv_role};
pub use flops::flops;
pub use moments::{variance_by_definition, variance_in_one_walk};
pub use prefix::{Prefix, prefix_by_definition};
pub use probe::probes;
pub use sort::{Order, order_by_definition};
pub use value::{Value, for_each_index};
pub use values::value_of;
pub use window::{place_in_result, tap_in_result};

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
        Op::ArgReduce(_, axes) => reduce::infer_arg(axes, of(0)?),
        Op::Order { axis, descending, count } => sort::infer(&order(*axis, *descending, count), of(0)?),
        Op::LogSumExp(axis) => reduce::infer_reduce(&[*axis], of(0)?),
        Op::Variance(axes) => reduce::infer_reduce(axes, of(0)?),
        &Op::Prefix { op, axis, reversed, exclusive } => {
            prefix::infer(Prefix { op, axis, reversed, exclusive }, of(0)?)
        }
        Op::Contract { a, b, out } => contract::infer([a, b, out], of(0)?, of(1)?),
        Op::Take(axis) => index::infer_take(*axis, of(0)?, of(1)?),
        Op::ScatterAdd(axis, n) => index::infer_scatter_add(*axis, n, of(0)?, of(1)?),
        Op::Pick(axis) => index::infer_pick(*axis, of(0)?, of(1)?),
        Op::Attention(attention, result) => {
            let types = (0..args.len()).map(of).collect::<Result<Vec<&Ty>, _>>()?;
            attention::infer(attention, *result, &types)
        }
        Op::AttentionGrad(attention, arg) => {
            let types = (0..args.len()).map(of).collect::<Result<Vec<&Ty>, _>>()?;
            attention::infer_grad(attention, *arg, &types)
        }
        Op::Scan(scan, result) => {
            let types = (0..args.len()).map(of).collect::<Result<Vec<&Ty>, _>>()?;
            scan::infer(scan, *result, &types)
        }
        Op::StopGradient | Op::Remat | Op::Variable(_) => Ok(of(0)?.clone()),
        Op::Derivative => given_gradient::infer_derivative(of(0)?, of(1)?),
        Op::WithGradient => {
            let types = (0..args.len()).map(of).collect::<Result<Vec<&Ty>, _>>()?;
            given_gradient::infer(&types)
        }
        Op::Incoming { name: _, ty } => Ok(ty.clone()),
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
        Op::Incoming { .. } => Grads::new(),
        Op::WithGradient => given_gradient::grad(b, &args, dy, wanted),
        Op::Map(map) => map::grad(b, *map, &args, y, dy, wanted),
        Op::Permute(perm) => one(Some(view::grad_permute(b, perm, dy))),
        Op::Reshape(_) => one(Some(view::grad_reshape(b, args[0], dy))),
        Op::Broadcast { dims: _, axes } => one(Some(view::grad_broadcast(b, axes, dy))),
        Op::Window { axes, fill: _ } => one(Some(window::grad(b, axes, args[0], dy))),
        Op::Concat(axis) => view::grad_concat(b, *axis, &args, dy, wanted),
        Op::Reduce(reduce, axes) => one(Some(reduce::grad_reduce(b, *reduce, axes, args[0], dy))),
        Op::LogSumExp(axis) => one(Some(reduce::grad_log_sum_exp(b, *axis, args[0], y, dy))),
        &Op::Prefix { op, axis, reversed, exclusive } => {
            one(Some(prefix::grad(b, Prefix { op, axis, reversed, exclusive }, args[0], y, dy)))
        }
        Op::Variance(axes) => one(Some(moments::grad_variance(b, axes, args[0], dy))),
        Op::Contract { a, b: other, out } => contract::grad(b, [a, other, out], &args, dy, wanted),
        Op::Take(axis) => index::grad_take(b, *axis, &args, dy, wanted),
        Op::ScatterAdd(axis, _) => index::grad_scatter_add(b, *axis, &args, dy, wanted),
        Op::Pick(axis) => index::grad_pick(b, *axis, &args, dy, wanted),
        Op::Attention(attention, AttentionResult::Mean) => attention::grad(b, attention, &args, y, dy, wanted),
        Op::Attention(_, AttentionResult::LogSumExp) | Op::AttentionGrad(..) => {
            bug!("the gradient of a gradient is that of its definition: `autodiff::reverse`")
        }
        Op::Scan(..) => bug!("a loop has its gradient for all its results at once: `autodiff::scan`"),
        Op::Remat | Op::Variable(_) => one(Some(dy)),
        Op::Derivative => bug!("the gradient of a derivative that is not taken yet"),
        Op::ArgReduce(..) | Op::Order { .. } | Op::StopGradient => one(None),
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
        Op::ArgReduce(arg, axes) => reduce::eval_arg(*arg, axes, args[0], dims),
        Op::Order { axis, descending, count } => sort::eval(&order(*axis, *descending, count), args[0], dims),
        Op::LogSumExp(axis) => reduce::eval_log_sum_exp(*axis, args[0], dims),
        Op::Variance(axes) => moments::eval_variance(axes, args[0], dims),
        &Op::Prefix { op, axis, reversed, exclusive } => {
            prefix::eval(Prefix { op, axis, reversed, exclusive }, args[0], dims)
        }
        Op::Contract { a, b, out } => contract::eval([a, b, out], args[0], args[1], dims),
        Op::Take(axis) => index::eval_take(*axis, args[0], args[1], dims),
        Op::ScatterAdd(axis, _) => index::eval_scatter_add(*axis, args[0], args[1], dims),
        Op::Pick(axis) => index::eval_pick(*axis, args[0], args[1], dims),
        Op::Attention(..) | Op::AttentionGrad(..) => attention::eval(op, args, env)?,
        Op::Scan(scan, result) => scan::eval(scan, *result, args, env)?,
        Op::StopGradient | Op::Remat | Op::Variable(_) | Op::WithGradient => args[0].clone(),
        Op::Incoming { .. } => Value::full(dims, 0.0),
        // It is no function of its two arguments: the whole graph says how one depends on the other.
        Op::Derivative => bug!("the value of a derivative by itself"),
    })
}

fn order(axis: usize, descending: bool, count: &Dim) -> Order {
    Order { axis, descending, count: count.clone() }
}

/// The value of an elementwise function.
pub fn eval_map(map: MapOp, args: &[f64]) -> f64 {
    map::eval_element(map, args)
}

impl Op {
    /// How many arguments; `Concat`, `Scan` and `WithGradient` have any number.
    pub fn arity(&self) -> Option<usize> {
        Some(match self {
            Op::Input(_) | Op::Param(_) | Op::State(_) | Op::Const(_) => 0,
            Op::Scalar(_) | Op::Iota(_) | Op::Random { .. } | Op::Incoming { .. } => 0,
            Op::Map(map) => map.arity(),
            Op::Permute(_) | Op::Reshape(_) | Op::Broadcast { .. } | Op::Window { .. } => 1,
            Op::Concat(_) | Op::Scan(..) | Op::WithGradient => return None,
            Op::Attention(..) | Op::AttentionGrad(..) => return None,
            Op::Reduce(..)
            | Op::ArgReduce(..)
            | Op::Order { .. }
            | Op::LogSumExp(_)
            | Op::Variance(_)
            | Op::Prefix { .. }
            | Op::StopGradient
            | Op::Remat
            | Op::Variable(_) => 1,
            Op::Contract { .. } | Op::Take(_) | Op::ScatterAdd(..) | Op::Pick(_) | Op::Derivative => 2,
        })
    }

    /// Whether its two arguments may be exchanged without changing a bit of the result.
    pub fn is_commutative(&self) -> bool {
        use MapOp::{Add, And, Max, Min, Mul, Or};
        matches!(self, Op::Map(Add | Mul | Min | Max | And | Or | MapOp::Cmp(Cmp::Eq | Cmp::Ne)))
    }
}
