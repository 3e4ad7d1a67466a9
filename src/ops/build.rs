//! The one way to make a node: typed constructors that check as they build.
//!
//! In: operations and arguments. Out: a graph in which every node has the type its operation gives it.
//! Arguments that do not fit are a mistake of the compiler, since sema has judged the program: they
//! stop it through `bug!`. There is no algebra here: `add(x, 0)` makes a node. Only a view that changes
//! nothing returns its argument.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};
use smallvec::SmallVec;

use super::{ArgOp, Cmp, MapOp, Number, Op, ReduceOp, Taps, WindowAxis};
use crate::base::bug;
use crate::ir::{DType, Dim, Dims, Graph, HostId, HostOp, Node, NodeId, Origin, Ty};

/// Builds a graph.
pub struct Builder {
    /// What is built so far.
    pub graph: Graph,
    /// Where the nodes made by the helpers come from.
    pub origin: Origin,
    /// The nodes by the hash of what they compute, when equal ones are to be one.
    interned: Option<FxHashMap<u64, SmallVec<[NodeId; 1]>>>,
}

impl Builder {
    /// Adds nodes to a graph.
    pub fn new(graph: Graph) -> Builder {
        Builder { graph, origin: Origin::default(), interned: None }
    }

    /// Adds nodes to an empty graph, and makes equal nodes one node. Operands of a commutative operation
    /// are equal in either order.
    pub fn interning(graph: Graph) -> Builder {
        debug_assert!(graph.nodes.is_empty(), "nodes that are there already would not be found");
        Builder { graph, origin: Origin::default(), interned: Some(FxHashMap::default()) }
    }

    /// The graph.
    pub fn finish(self) -> Graph {
        self.graph
    }

    /// Adds a node.
    pub fn push(&mut self, op: Op, args: &[NodeId], origin: Origin) -> NodeId {
        let hash = self.interned.is_some().then(|| hash_of(&op, args));
        if let Some(found) = hash.and_then(|hash| self.find(hash, &op, args)) {
            return found;
        }
        let ty = match super::infer(&self.graph, &op, args) {
            Ok(ty) => ty,
            Err(why) => {
                let types: Vec<&Ty> =
                    args.iter().filter_map(|id| self.graph.nodes.get(id.index())).map(|n| &n.ty).collect();
                bug!("{op:?} of {types:?}: {why}")
            }
        };
        let id = NodeId(self.graph.nodes.len() as u32);
        self.graph.nodes.push(Node { op, args: args.into(), ty, origin });
        if let (Some(interned), Some(hash)) = (&mut self.interned, hash) {
            interned.entry(hash).or_default().push(id);
        }
        id
    }

    fn find(&self, hash: u64, op: &Op, args: &[NodeId]) -> Option<NodeId> {
        let candidates = self.interned.as_ref()?.get(&hash)?;
        candidates.iter().copied().find(|&id| {
            let node = self.graph.node(id);
            node.op == *op && (node.args[..] == *args || op.is_commutative() && node.args.iter().rev().eq(args))
        })
    }

    /// Adds a node that comes from where `origin` says.
    pub fn node(&mut self, op: Op, args: &[NodeId]) -> NodeId {
        self.push(op, args, self.origin)
    }

    /// The type of a node.
    pub fn ty(&self, id: NodeId) -> &Ty {
        self.graph.ty(id)
    }

    /// The sizes of a node.
    pub fn dims(&self, id: NodeId) -> Dims {
        self.graph.ty(id).dims.clone()
    }

    /// How many axes a node has.
    pub fn rank(&self, id: NodeId) -> usize {
        self.graph.ty(id).rank()
    }

    // ---- leaves

    /// A number without axes.
    pub fn constant(&mut self, number: Number) -> NodeId {
        self.node(Op::Const(number), &[])
    }

    /// An f32 without axes.
    pub fn f32(&mut self, value: f64) -> NodeId {
        self.constant(Number::f32(value))
    }

    /// One number everywhere.
    pub fn full(&mut self, dims: &[Dim], number: Number) -> NodeId {
        let scalar = self.constant(number);
        self.splat(scalar, dims)
    }

    /// One number everywhere, with the type of another node.
    pub fn full_like(&mut self, like: NodeId, value: f64) -> NodeId {
        let ty = self.ty(like).clone();
        self.full(&ty.dims, Number::new(ty.dtype, value))
    }

    /// Zero everywhere, with the type of another node.
    pub fn zeros_like(&mut self, like: NodeId) -> NodeId {
        self.full_like(like, 0.0)
    }

    /// A value of the host program.
    pub fn scalar(&mut self, id: HostId) -> NodeId {
        self.node(Op::Scalar(id), &[])
    }

    /// A number without axes, of the dtype of another node.
    pub fn number_of(&mut self, like: NodeId, value: f64) -> NodeId {
        let dtype = self.ty(like).dtype;
        self.constant(Number::new(dtype, value))
    }

    /// A size as a float without axes, of the dtype of another node.
    pub fn size_of(&mut self, like: NodeId, dim: &Dim) -> NodeId {
        match dim.as_const() {
            Some(value) => self.number_of(like, value as f64),
            None => {
                let id = self.graph.host.push(HostOp::Size(dim.clone()));
                let (size, dtype) = (self.scalar(id), self.ty(like).dtype);
                self.cast(size, dtype)
            }
        }
    }

    /// The positions along one axis, i32, repeated over the others.
    pub fn positions(&mut self, dims: &[Dim], axis: usize) -> NodeId {
        let iota = self.node(Op::Iota(dims[axis].clone()), &[]);
        self.place(iota, dims, &[axis])
    }

    // ---- elementwise

    /// A function of each element.
    pub fn map(&mut self, map: MapOp, args: &[NodeId]) -> NodeId {
        self.node(Op::Map(map), args)
    }

    /// `a + b`
    pub fn add(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.map(MapOp::Add, &[a, b])
    }

    /// `a - b`
    pub fn sub(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.map(MapOp::Sub, &[a, b])
    }

    /// `a * b`
    pub fn mul(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.map(MapOp::Mul, &[a, b])
    }

    /// `a / b`
    pub fn div(&mut self, a: NodeId, b: NodeId) -> NodeId {
        self.map(MapOp::Div, &[a, b])
    }

    /// `-a`
    pub fn neg(&mut self, a: NodeId) -> NodeId {
        self.map(MapOp::Neg, &[a])
    }

    /// `a * value`
    pub fn scale(&mut self, a: NodeId, value: f64) -> NodeId {
        let factor = self.full_like(a, value);
        self.mul(a, factor)
    }

    /// `condition ? x : y`
    pub fn select(&mut self, condition: NodeId, x: NodeId, y: NodeId) -> NodeId {
        self.map(MapOp::Select, &[condition, x, y])
    }

    /// A comparison.
    pub fn cmp(&mut self, cmp: Cmp, a: NodeId, b: NodeId) -> NodeId {
        self.map(MapOp::Cmp(cmp), &[a, b])
    }

    /// To another dtype.
    pub fn cast(&mut self, a: NodeId, dtype: DType) -> NodeId {
        if self.ty(a).dtype == dtype { a } else { self.map(MapOp::Cast(dtype), &[a]) }
    }

    // ---- views

    /// Axes in another order.
    pub fn permute(&mut self, a: NodeId, perm: &[usize]) -> NodeId {
        if perm.iter().copied().eq(0..perm.len()) && perm.len() == self.rank(a) {
            return a;
        }
        self.node(Op::Permute(perm.to_vec()), &[a])
    }

    /// The same elements in row-major order under other sizes.
    pub fn reshape(&mut self, a: NodeId, dims: &[Dim]) -> NodeId {
        if self.ty(a).dims[..] == *dims {
            return a;
        }
        self.node(Op::Reshape(dims.to_vec()), &[a])
    }

    /// Repeats along the axes of the result that name no axis of the argument.
    pub fn broadcast(&mut self, a: NodeId, dims: &[Dim], axes: &[Option<usize>]) -> NodeId {
        if axes.len() == self.rank(a) && axes.iter().all(Option::is_some) && self.ty(a).dims[..] == *dims {
            return a;
        }
        self.node(Op::Broadcast { dims: dims.to_vec(), axes: axes.to_vec() }, &[a])
    }

    /// Broadcasts to sizes: argument axis `i` becomes axis `at[i]`, where `at` ascends.
    pub fn place(&mut self, a: NodeId, dims: &[Dim], at: &[usize]) -> NodeId {
        let mut axes = vec![None; dims.len()];
        for (axis, &position) in at.iter().enumerate() {
            axes[position] = Some(axis);
        }
        self.broadcast(a, dims, &axes)
    }

    /// Repeats a node without axes everywhere.
    pub fn splat(&mut self, scalar: NodeId, dims: &[Dim]) -> NodeId {
        self.place(scalar, dims, &[])
    }

    /// Puts reduced axes back by repetition: the view whose transpose is the sum over `axes` of a value
    /// with these sizes.
    pub fn expand(&mut self, a: NodeId, dims: &[Dim], axes: &[usize]) -> NodeId {
        let kept: Vec<usize> = (0..dims.len()).filter(|axis| !axes.contains(axis)).collect();
        self.place(a, dims, &kept)
    }

    /// Reads by relations; outside is `fill`.
    pub fn window(&mut self, a: NodeId, axes: Vec<WindowAxis>, fill: f64) -> NodeId {
        let fill = Number::new(self.ty(a).dtype, fill);
        self.node(Op::Window { axes, fill }, &[a])
    }

    /// The positions `start..start + len` of an axis.
    pub fn slice(&mut self, a: NodeId, axis: usize, start: Dim, len: Dim) -> NodeId {
        self.window(a, vec![WindowAxis::shift(axis, len, start)], 0.0)
    }

    /// Joins along an axis.
    pub fn concat(&mut self, parts: &[NodeId], axis: usize) -> NodeId {
        self.node(Op::Concat(axis), parts)
    }

    // ---- reductions and contractions

    /// Combines along axes, which go. The order in which they are given does not matter.
    pub fn reduce(&mut self, op: ReduceOp, a: NodeId, axes: &[usize]) -> NodeId {
        if axes.is_empty() {
            return a;
        }
        let mut axes = axes.to_vec();
        axes.sort_unstable();
        self.node(Op::Reduce(op, axes), &[a])
    }

    /// The sum along axes.
    pub fn sum(&mut self, a: NodeId, axes: &[usize]) -> NodeId {
        self.reduce(ReduceOp::Sum, a, axes)
    }

    /// The first position of the largest or smallest element.
    pub fn arg_reduce(&mut self, op: ArgOp, a: NodeId, axes: &[usize]) -> NodeId {
        self.node(Op::ArgReduce(op, axes.to_vec()), &[a])
    }

    /// `log(sum(exp(a)))`
    pub fn log_sum_exp(&mut self, a: NodeId, axis: usize) -> NodeId {
        self.node(Op::LogSumExp(axis), &[a])
    }

    /// The mean of the squared distances to the mean.
    pub fn variance(&mut self, a: NodeId, axes: &[usize]) -> NodeId {
        self.node(Op::Variance(axes.to_vec()), &[a])
    }

    /// An einsum of two operands. Labels are renamed in order of appearance, so that equal contractions
    /// are equal operations.
    pub fn contract(&mut self, a: (NodeId, &[u8]), b: (NodeId, &[u8]), out: &[u8]) -> NodeId {
        let mut seen: SmallVec<[u8; 8]> = SmallVec::new();
        for &label in a.1.iter().chain(b.1) {
            if !seen.contains(&label) {
                seen.push(label);
            }
        }
        let rename = |labels: &[u8]| -> Vec<u8> {
            let place = |label: &u8| seen.iter().position(|known| known == label);
            labels.iter().map(|label| place(label).map_or(u8::MAX, |at| at as u8)).collect()
        };
        self.node(Op::Contract { a: rename(a.1), b: rename(b.1), out: rename(out) }, &[a.0, b.0])
    }

    // ---- indices

    /// Rows of a table.
    pub fn take(&mut self, table: NodeId, axis: usize, index: NodeId) -> NodeId {
        self.node(Op::Take(axis), &[table, index])
    }

    /// Sums what `update` holds for each index.
    pub fn scatter_add(&mut self, axis: usize, n: Dim, index: NodeId, update: NodeId) -> NodeId {
        self.node(Op::ScatterAdd(axis, n), &[index, update])
    }

    /// One element along an axis for each position of the others.
    pub fn pick(&mut self, a: NodeId, axis: usize, index: NodeId) -> NodeId {
        self.node(Op::Pick(axis), &[a, index])
    }

    /// The number a node holds everywhere, when it is a constant seen through views.
    pub fn splat_value(&self, id: NodeId) -> Option<Number> {
        splat_value(&self.graph, id)
    }
}

/// The number a node holds everywhere, when it is a constant seen through views.
pub fn splat_value(graph: &Graph, mut id: NodeId) -> Option<Number> {
    loop {
        let node = graph.node(id);
        match &node.op {
            Op::Const(number) => return Some(*number),
            Op::Broadcast { .. } | Op::Permute(_) | Op::Reshape(_) => id = node.args[0],
            _ => return None,
        }
    }
}

impl WindowAxis {
    /// Position `o` of the result is position `o + start` of the argument: a slice, or a padding.
    pub fn shift(axis: usize, out: Dim, start: Dim) -> WindowAxis {
        WindowAxis { axis, out, taps: Taps::None, m: 1, a: 1, d: 0, b: start }
    }

    /// Whether it reads an axis of this size as it is.
    pub fn is_identity(&self, size: &Dim) -> bool {
        self.m == self.a && self.b == Dim::ZERO && self.taps == Taps::None && self.out == *size
    }
}

fn hash_of(op: &Op, args: &[NodeId]) -> u64 {
    let mut hasher = FxHasher::default();
    op.hash(&mut hasher);
    match args {
        // Either order has one hash.
        [a, b] if op.is_commutative() => (a.min(b), a.max(b)).hash(&mut hasher),
        _ => args.hash(&mut hasher),
    }
    hasher.finish()
}
