//! One expression to nodes.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::bug;
use crate::ir::{
    DType, Dim, Graph, HostBinary, HostId, HostOp, HostUnary, InputId, NodeId, ParamId, Scan, StateId, Ty,
};
use crate::ops::Builder;
use crate::ops::{Cmp, MapOp, Number, Op, ReduceOp, Taps, WindowAxis};
use crate::sema::typed::{Along, Axis, AxisId, Expr, ExprId, ExprKind, Fun, Tap};

use super::{gradient_input, origin};

/// The lowering of one graph: expressions in the order needed, each once.
pub(super) struct Lowering<'a> {
    exprs: &'a [Expr],
    /// How many inputs the data has; gradients come behind them.
    n_inputs: usize,
    pub builder: Builder,
    made: Made,
    /// The loops so far, in the graph at hand.
    pub(super) loops: FxHashMap<u32, Lowered>,
    /// What the body of each loop reads from outside.
    pub(super) reads: FxHashMap<u32, Arc<Reads>>,
    /// Which expressions a derivative is taken by.
    variables: FxHashSet<ExprId>,
}

/// What there is of each expression in one graph.
struct Made {
    nodes: Vec<Option<NodeId>>,
    /// What has been lowered or is about to be.
    seen: Vec<bool>,
    hosts: Vec<Option<HostId>>,
}

impl Made {
    fn new(count: usize) -> Made {
        Made { nodes: vec![None; count], seen: vec![false; count], hosts: vec![None; count] }
    }
}

/// What the body of a loop reads from outside.
#[derive(Default)]
pub(super) struct Reads {
    /// Read row by row: each row, and what it is a row of.
    pub rows: Vec<(ExprId, ExprId)>,
    /// Random draws of the block.
    pub draws: Vec<ExprId>,
    /// Read whole.
    pub wholes: Vec<ExprId>,
}

/// A loop that has been lowered.
pub(super) struct Lowered {
    pub scan: Arc<Scan>,
    pub args: Vec<NodeId>,
}

/// A graph that waits while the body of a loop is lowered.
pub(super) struct Outside {
    builder: Builder,
    made: Made,
    loops: FxHashMap<u32, Lowered>,
}

impl<'a> Lowering<'a> {
    pub(super) fn new(exprs: &'a [Expr], n_inputs: usize, graph: Graph) -> Lowering<'a> {
        let made = Made::new(exprs.len());
        Lowering {
            exprs,
            n_inputs,
            builder: Builder::new(graph),
            made,
            loops: FxHashMap::default(),
            reads: FxHashMap::default(),
            variables: exprs.iter().filter_map(variable).collect(),
        }
    }

    /// Goes on in the body of a loop.
    pub(super) fn enter(&mut self, builder: Builder) -> Outside {
        let made = Made::new(self.exprs.len());
        Outside {
            builder: std::mem::replace(&mut self.builder, builder),
            made: std::mem::replace(&mut self.made, made),
            loops: std::mem::take(&mut self.loops),
        }
    }

    /// Goes on outside of the body of a loop, which is done.
    pub(super) fn leave(&mut self, outside: Outside) -> Graph {
        let Outside { builder, made, loops } = outside;
        (self.made, self.loops) = (made, loops);
        std::mem::replace(&mut self.builder, builder).finish()
    }

    /// A node with the mark of what a derivative is taken by, where one is.
    fn marked(&mut self, id: ExprId, node: NodeId) -> NodeId {
        if self.variables.contains(&id) { self.builder.node(Op::Variable(id.0), &[node]) } else { node }
    }

    /// Has a node stand for an expression.
    pub(super) fn give(&mut self, id: ExprId, node: NodeId) {
        let node = self.marked(id, node);
        self.made.nodes[id.0 as usize] = Some(node);
        self.made.seen[id.0 as usize] = true;
    }

    /// The node of an expression and of everything it needs. A deep program needs no deep stack: an
    /// expression's parts have smaller ids, so what is new is lowered in the order of its ids.
    pub(super) fn root(&mut self, root: ExprId) -> NodeId {
        let mut stack = vec![root];
        let mut new = Vec::new();
        while let Some(id) = stack.pop() {
            if std::mem::replace(&mut self.made.seen[id.0 as usize], true) {
                continue;
            }
            new.push(id);
            self.parts(id, &mut |part| stack.push(part));
        }
        new.sort_unstable();
        for id in new {
            let node = self.expr(id);
            let node = self.marked(id, node);
            self.made.nodes[id.0 as usize] = Some(node);
        }
        self.node(root)
    }

    pub(super) fn node(&self, id: ExprId) -> NodeId {
        self.made.nodes[id.0 as usize].expect("parts are lowered before what is made of them")
    }

    pub(super) fn typed(&self, id: ExprId) -> &'a Expr {
        &self.exprs[id.0 as usize]
    }

    fn expr(&mut self, id: ExprId) -> NodeId {
        let expr = self.typed(id);
        self.builder.origin = origin(expr);
        if expr.host {
            return self.host_node(id);
        }
        match &expr.kind {
            ExprKind::Const(_) | ExprKind::Size(_) | ExprKind::Step | ExprKind::StepsPerEpoch => self.host_node(id),
            ExprKind::Input(at) => self.builder.node(Op::Input(InputId(*at as u32)), &[]),
            ExprKind::Param(at) => self.builder.node(Op::Param(ParamId(*at as u32)), &[]),
            ExprKind::State(at) => self.builder.node(Op::State(StateId(*at as u32)), &[]),
            ExprKind::Grad(at) => self.builder.node(Op::Input(gradient_input(self.n_inputs, *at)), &[]),
            ExprKind::Map(fun, parts) => {
                let args: Vec<NodeId> = parts.iter().map(|&part| self.aligned(part, &expr.ty.axes)).collect();
                let Fun::Map(op) = *fun else {
                    bug!("{fun:?} of a tensor reached lowering");
                };
                self.builder.map(op, &args)
            }
            ExprKind::Reduce(op, axes, x) => {
                let axes: Vec<usize> = axes.iter().map(|&axis| self.position(*x, axis)).collect();
                self.builder.reduce(*op, self.node(*x), &axes)
            }
            ExprKind::ArgReduce(op, axis, x) => {
                self.builder.arg_reduce(*op, self.node(*x), &[self.position(*x, *axis)])
            }
            ExprKind::Sorted { x, axis, descending } => {
                let at = self.position(*x, *axis);
                let count = expr.ty.axes[at].size.clone();
                self.builder.node(Op::Order { axis: at, descending: *descending, count }, &[self.node(*x)])
            }
            ExprKind::LogSumExp(axis, x) => self.builder.log_sum_exp(self.node(*x), self.position(*x, *axis)),
            ExprKind::CumSum(axis, x) => {
                let axis = self.position(*x, *axis);
                let prefix = Op::Prefix { op: ReduceOp::Sum, axis, reversed: false, exclusive: false };
                self.builder.node(prefix, &[self.node(*x)])
            }
            ExprKind::Relabel(x) => self.node(*x),
            ExprKind::Order(x) => {
                let perm: Vec<usize> = expr.ty.axes.iter().map(|axis| self.position(*x, axis.id)).collect();
                self.builder.permute(self.node(*x), &perm)
            }
            ExprKind::Expand(x) => self.aligned(*x, &expr.ty.axes),
            ExprKind::Reshape(x) => self.builder.reshape(self.node(*x), &sizes(&expr.ty.axes)),
            ExprKind::Gather { table, axis, index } => self.gather(*table, *axis, *index),
            ExprKind::Scatter { x, to, index } => {
                let at = expr.ty.axes.iter().position(|axis| axis.id == *to).expect("the new axis is in the result");
                self.scatter(*x, *index, at, expr.ty.axes[at].size.clone())
            }
            ExprKind::Slice { x, axis, start } => {
                let at = self.position(*x, *axis);
                let len = expr.ty.axes[at].size.clone();
                self.builder.slice(self.node(*x), at, start.clone(), len)
            }
            ExprKind::Select { x, axis, at: start } => {
                let at = self.position(*x, *axis);
                let one = self.builder.slice(self.node(*x), at, start.clone(), Dim::ONE);
                self.builder.reshape(one, &sizes(&expr.ty.axes))
            }
            ExprKind::Window { x, along, fill } => self.window(*x, along, *fill, &expr.ty.axes),
            ExprKind::Concat(axis, parts) => {
                let at =
                    expr.ty.axes.iter().position(|other| other.id == *axis).expect("the joined axis is in the result");
                let args: Vec<NodeId> = parts
                    .iter()
                    .map(|&part| {
                        let perm: Vec<usize> = expr.ty.axes.iter().map(|axis| self.position(part, axis.id)).collect();
                        self.builder.permute(self.node(part), &perm)
                    })
                    .collect();
                self.builder.concat(&args, at)
            }
            ExprKind::Pos => self.builder.node(Op::Iota(expr.ty.axes[0].size.clone()), &[]),
            ExprKind::Random(dist, site) => {
                self.builder.node(Op::Random { dist: *dist, site: *site, dims: sizes(&expr.ty.axes) }, &[])
            }
            ExprKind::StopGradient(x) => self.builder.node(Op::StopGradient, &[self.node(*x)]),
            ExprKind::Incoming => self
                .builder
                .node(Op::Incoming { name: id.0, ty: Ty::new(expr.ty.dtype.carrier(), sizes(&expr.ty.axes)) }, &[]),
            ExprKind::WithGradient { value, dy, grads } => {
                let pairs = grads.iter().flat_map(|(x, g)| [*x, *g]);
                let args: Vec<NodeId> = [*value, *dy].into_iter().chain(pairs).map(|part| self.node(part)).collect();
                self.builder.node(Op::WithGradient, &args)
            }
            ExprKind::Derivative { of, by } => self.builder.node(Op::Derivative, &[self.node(*of), self.node(*by)]),
            ExprKind::Scan { .. } => self.scan(id),
            ExprKind::Row { .. } | ExprKind::Carry { .. } => bug!("{id:?} stands outside of its loop"),
        }
    }

    /// Where an axis stands in an expression.
    pub(super) fn position(&self, id: ExprId, axis: AxisId) -> usize {
        let axes = &self.typed(id).ty.axes;
        axes.iter().position(|other| other.id == axis).expect("the checker found this axis")
    }

    /// A value permuted and repeated to the given axes.
    fn aligned(&mut self, id: ExprId, axes: &[Axis]) -> NodeId {
        let own = &self.typed(id).ty.axes;
        let node = self.node(id);
        let order: Vec<usize> =
            axes.iter().filter_map(|axis| own.iter().position(|other| other.id == axis.id)).collect();
        let ordered = self.builder.permute(node, &order);
        if own.len() == axes.len() {
            return ordered;
        }
        let mut next = 0;
        let from: Vec<Option<usize>> = axes
            .iter()
            .map(|axis| {
                own.iter().any(|other| other.id == axis.id).then(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect();
        self.builder.broadcast(ordered, &sizes(axes), &from)
    }

    /// `table[axis = index]`: a take when the index has no other axis of the table, else a pick.
    fn gather(&mut self, table: ExprId, axis: AxisId, index: ExprId) -> NodeId {
        let (table_axes, index_axes) = (&self.typed(table).ty.axes, &self.typed(index).ty.axes);
        let at = self.position(table, axis);
        let others: Vec<&Axis> = table_axes.iter().filter(|other| other.id != axis).collect();
        let shares = |axis: &Axis| index_axes.iter().any(|other| other.id == axis.id);
        let own = table_axes[at].clone();
        if !others.iter().any(|other| shares(other)) {
            // The index's axes stand where the table's axis was; the result has them first.
            let taken = self.builder.take(self.node(table), at, self.node(index));
            let n = index_axes.len();
            let perm: Vec<usize> = (at..at + n).chain(0..at).chain(at + n..n + others.len()).collect();
            return self.builder.permute(taken, &perm);
        }
        // One element for each place of the index and of what only the table has, its own axis last, both repeated
        // along what they lack.
        let mut wanted: Vec<Axis> = index_axes.clone();
        wanted.extend(others.into_iter().filter(|axis| !shares(axis)).cloned());
        let index = self.aligned(index, &wanted);
        let at = wanted.len();
        wanted.push(own);
        let table = self.aligned(table, &wanted);
        self.builder.pick(table, at, index)
    }

    /// `sum[a -> to = index](x)`: the axes that go side by side, in the order of the index, where the first stands.
    fn scatter(&mut self, x: ExprId, index: ExprId, to: usize, size: Dim) -> NodeId {
        let index_axes = &self.typed(index).ty.axes;
        let goes = |axis: &Axis| index_axes.iter().any(|other| other.id == axis.id);
        let rest: Vec<Axis> = self.typed(x).ty.axes.iter().filter(|axis| !goes(axis)).cloned().collect();
        let ordered: Vec<Axis> = rest[..to].iter().chain(index_axes).chain(&rest[to..]).cloned().collect();
        let update = self.aligned(x, &ordered);
        self.builder.scatter_add(to, size, self.node(index), update)
    }

    /// A window with its sizes, which stand in the type: each axis that is read became that of the result,
    /// and that of the taps behind it.
    fn window(&mut self, x: ExprId, along: &[Along], fill: f64, axes: &[Axis]) -> NodeId {
        let mut sizes = axes.iter().map(|axis| axis.size.clone());
        let mut next = || sizes.next().expect("the checker made an axis for each relation");
        let mut relations = Vec::new();
        for (at, axis) in self.typed(x).ty.axes.iter().enumerate() {
            let out = next();
            if let Some(along) = along.iter().find(|along| along.axis == axis.id) {
                let taps = match along.tap {
                    Tap::None => Taps::None,
                    Tap::New => Taps::New(next()),
                    Tap::Shared(shared) => Taps::Shared(self.position(x, shared)),
                };
                let Along { m, a, d, ref b, .. } = *along;
                relations.push(WindowAxis { axis: at, out, taps, m, a, d, b: b.clone() });
            }
        }
        self.builder.window(self.node(x), relations, fill)
    }

    // ---- scalars of the host

    fn host_node(&mut self, id: ExprId) -> NodeId {
        let expr = self.typed(id);
        if let ExprKind::Const(value) = expr.kind {
            return self.builder.constant(Number::new(expr.ty.dtype.carrier(), value));
        }
        let host = self.host(id);
        let scalar = self.builder.scalar(host);
        match expr.ty.dtype.carrier() {
            DType::F32 => scalar,
            dtype => self.builder.cast(scalar, dtype),
        }
    }

    fn host(&mut self, id: ExprId) -> HostId {
        if let Some(known) = self.made.hosts[id.0 as usize] {
            return known;
        }
        let expr = self.typed(id);
        let op = match &expr.kind {
            ExprKind::Const(value) => HostOp::Const(*value),
            ExprKind::Size(dim) => HostOp::Size(dim.clone()),
            ExprKind::Step => HostOp::Step,
            ExprKind::StepsPerEpoch => HostOp::StepsPerEpoch,
            ExprKind::Relabel(x) | ExprKind::StopGradient(x) => {
                let value = self.host(*x);
                self.made.hosts[id.0 as usize] = Some(value);
                return value;
            }
            ExprKind::Map(fun, parts) => {
                let args: Vec<HostId> = parts.iter().map(|&part| self.host(part)).collect();
                self.host_map(*fun, &args)
            }
            other => bug!("{other:?} is no scalar of the host"),
        };
        let host = self.builder.graph.host.push(op);
        self.made.hosts[id.0 as usize] = Some(host);
        host
    }

    fn host_map(&mut self, fun: Fun, args: &[HostId]) -> HostOp {
        let unary = |function| HostOp::Unary(function, args[0]);
        let binary = |function| HostOp::Binary(function, args[0], args[1]);
        match fun {
            Fun::FloorDiv => binary(HostBinary::FloorDiv),
            Fun::Mod => binary(HostBinary::Mod),
            Fun::Map(op) => match op {
                MapOp::Add => binary(HostBinary::Add),
                MapOp::Sub => binary(HostBinary::Sub),
                MapOp::Mul => binary(HostBinary::Mul),
                MapOp::Div => binary(HostBinary::Div),
                MapOp::Pow => binary(HostBinary::Pow),
                MapOp::Min => binary(HostBinary::Min),
                MapOp::Max => binary(HostBinary::Max),
                MapOp::Neg => unary(HostUnary::Neg),
                MapOp::Abs => unary(HostUnary::Abs),
                MapOp::Sqrt => unary(HostUnary::Sqrt),
                MapOp::Exp => unary(HostUnary::Exp),
                MapOp::Log => unary(HostUnary::Log),
                MapOp::Tanh => unary(HostUnary::Tanh),
                MapOp::Erf => unary(HostUnary::Erf),
                MapOp::Sin => unary(HostUnary::Sin),
                MapOp::Cos => unary(HostUnary::Cos),
                MapOp::Floor => unary(HostUnary::Floor),
                MapOp::Round => unary(HostUnary::Round),
                MapOp::Bf16 => unary(HostUnary::Bf16),
                MapOp::F16 => unary(HostUnary::F16),
                MapOp::Cmp(Cmp::Lt) => binary(HostBinary::Lt),
                MapOp::Cmp(Cmp::Le) => binary(HostBinary::Le),
                MapOp::Cmp(Cmp::Eq) => binary(HostBinary::Eq),
                MapOp::Cmp(Cmp::Ne) => binary(HostBinary::Ne),
                MapOp::And => binary(HostBinary::And),
                MapOp::Or => binary(HostBinary::Or),
                MapOp::Not => unary(HostUnary::Not),
                MapOp::Select => HostOp::Select(args[0], args[1], args[2]),
                MapOp::Cast(DType::I32 | DType::I64) => unary(HostUnary::Trunc),
                // Numbers of the host are f64; a truth value is 0 or 1 already.
                MapOp::Cast(_) => {
                    let zero = self.builder.graph.host.push(HostOp::Const(0.0));
                    HostOp::Binary(HostBinary::Add, args[0], zero)
                }
            },
        }
    }
}

/// What an expression takes a derivative by.
fn variable(expr: &Expr) -> Option<ExprId> {
    match expr.kind {
        ExprKind::Derivative { by, .. } => Some(by),
        _ => None,
    }
}

pub(super) fn sizes(axes: &[Axis]) -> Vec<Dim> {
    axes.iter().map(|axis| axis.size.clone()).collect()
}
