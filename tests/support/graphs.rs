//! Random well-typed graphs with values to run them on.

mod loops;

use tensa::backend::interp::graph::Given;
use tensa::base::philox::philox;
use tensa::ir::{DType, Dim, Graph, Input, InputId, NodeId, Origin, Output, Param, ParamId, Role, SizeId, Ty};
use tensa::ops::{ArgOp, Cmp, Dist, MapOp, Number, Op, ReduceOp, Taps, Value, WindowAxis};
use tensa::ops::{Builder, verify};

/// Random numbers by counting.
pub struct Rng {
    seed: u32,
    counter: u32,
}

impl Rng {
    pub fn new(seed: u32) -> Rng {
        Rng { seed, counter: 0 }
    }

    pub fn word(&mut self) -> u32 {
        self.counter += 1;
        philox([self.counter, 0, 0, 0], [self.seed, 7])[0]
    }

    pub fn below(&mut self, n: usize) -> usize {
        self.word() as usize % n
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// In (-1.5, 1.5), away from 0.
    pub fn real(&mut self) -> f64 {
        let u = f64::from(self.word()) / f64::from(u32::MAX);
        (0.2 + 1.3 * u) * if self.chance(50) { 1.0 } else { -1.0 }
    }
}

const BATCH: SizeId = SizeId(0);
/// The size that every index input is below.
const ROWS: i64 = 3;

/// A random graph with a loss, a few further outputs, and values to run it on. It holds no point where
/// rounding decides: only inputs are compared, floored or ranked, and nothing overflows.
pub fn random_graph(seed: u32) -> (Graph, Given) {
    random(seed, Kind::Plain)
}

/// The same with loops in it.
pub fn random_loops(seed: u32) -> (Graph, Given) {
    random(seed, Kind::Loops)
}

/// What a graph may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// No loops.
    Plain,
    /// Loops.
    Loops,
    /// What the body of a loop may, so deep inside.
    Body(usize),
}

fn random(seed: u32, kind: Kind) -> (Graph, Given) {
    let mut rng = Rng::new(seed);
    let batch = [1, 2, 3, 4, 0][rng.below(5)];
    let mut given = Given { sizes: vec![batch], seed: 11, step: 3, steps_per_epoch: 10, ..Given::default() };
    let graph = Graph { sizes: vec!["batch".to_owned()], ..Graph::default() };
    let mut maker = Maker { rng, batch, kind, b: Builder::new(graph), floats: Vec::new(), leaves: Vec::new() };
    maker.leaves(&mut given);
    for _ in 0..8 + maker.rng.below(30) {
        maker.step();
    }
    maker.outputs();
    let graph = maker.b.finish();
    verify::verify(&graph).unwrap_or_else(|why| panic!("random graph {seed}: {why}"));
    (graph, given)
}

struct Maker {
    rng: Rng,
    batch: i64,
    kind: Kind,
    b: Builder,
    /// All floats so far.
    floats: Vec<NodeId>,
    /// Those that are given.
    leaves: Vec<NodeId>,
}

impl Maker {
    fn dim(&mut self) -> Dim {
        match self.rng.below(6) {
            0 | 1 => Dim::size(BATCH),
            2 => Dim::constant(1),
            3 => Dim::constant(2),
            4 => Dim::constant(ROWS),
            _ => Dim::constant(4),
        }
    }

    fn bound(&self, dims: &[Dim]) -> Vec<usize> {
        dims.iter().map(|dim| dim.eval(&|_| self.batch).unwrap() as usize).collect()
    }

    fn leaves(&mut self, given: &mut Given) {
        for at in 0..3 {
            let dims: Vec<Dim> = (0..1 + self.rng.below(3)).map(|_| self.dim()).collect();
            let ty = Ty::new(DType::F32, dims.clone());
            given.inputs.push(self.reals(&dims));
            self.b.graph.inputs.push(Input { name: format!("x{at}"), ty, below: None });
            let node = self.b.node(Op::Input(InputId(at)), &[]);
            self.floats.push(node);
            self.leaves.push(node);
        }
        for at in 3..5 {
            let dims: Vec<Dim> = (0..self.rng.below(2)).map(|_| self.dim()).collect();
            let n = self.bound(&dims).iter().product::<usize>();
            let data: Vec<f64> = (0..n).map(|_| self.rng.below(ROWS as usize) as f64).collect();
            given.inputs.push(Value::new(self.bound(&dims), data));
            let ty = Ty::new(DType::I32, dims);
            let below = Some(Dim::constant(ROWS));
            self.b.graph.inputs.push(Input { name: format!("i{at}"), ty, below });
        }
        for at in 0..3 {
            // Parameters do not depend on the batch.
            let dims: Vec<Dim> = (0..self.rng.below(4)).map(|_| Dim::constant(1 + self.rng.below(4) as i64)).collect();
            let ty = Ty::new(DType::F32, dims.clone());
            given.params.push(self.reals(&dims));
            self.b.graph.params.push(Param { path: format!("p{at}"), ty, axes: Vec::new() });
            let node = self.b.node(Op::Param(ParamId(at)), &[]);
            self.floats.push(node);
            self.leaves.push(node);
        }
    }

    fn reals(&mut self, dims: &[Dim]) -> Value {
        let bound = self.bound(dims);
        let data: Vec<f64> = (0..bound.iter().product()).map(|_| self.rng.real()).collect();
        Value::new(bound, data)
    }

    fn any(&mut self) -> NodeId {
        // Later ones more often, so that graphs are deep.
        let n = self.floats.len();
        let at = self.rng.below(n).max(self.rng.below(n));
        self.floats[at]
    }

    fn leaf(&mut self) -> NodeId {
        let at = self.rng.below(self.leaves.len());
        self.leaves[at]
    }

    /// A value of given sizes.
    fn like(&mut self, x: NodeId) -> NodeId {
        let dims = self.b.dims(x);
        let fitting: Vec<NodeId> = self.floats.iter().copied().filter(|&y| self.b.dims(y) == dims).collect();
        if self.rng.chance(60) {
            return fitting[self.rng.below(fitting.len())];
        }
        let value = [0.0, 1.0, -1.0, 2.0, 0.3][self.rng.below(5)];
        let prefix = self.floats.iter().copied().find(|&y| {
            let small = self.b.dims(y);
            !small.is_empty() && small.len() < dims.len() && small[..] == dims[..small.len()]
        });
        match prefix {
            Some(small) if self.rng.chance(70) => {
                let places: Vec<usize> = (0..self.b.rank(small)).collect();
                self.b.place(small, &dims, &places)
            }
            _ => self.b.full(&dims, Number::f32(value)),
        }
    }

    fn tame(&mut self, x: NodeId) -> NodeId {
        self.b.map(MapOp::Tanh, &[x])
    }

    fn positive(&mut self, x: NodeId) -> NodeId {
        let abs = self.b.map(MapOp::Abs, &[x]);
        let half = self.b.full_like(abs, 0.5);
        self.b.add(abs, half)
    }

    fn step(&mut self) {
        let x = self.any();
        let loops = match self.kind {
            Kind::Plain => 0,
            Kind::Loops => 25,
            // No deeper than two.
            Kind::Body(depth) => {
                if depth < 2 {
                    8
                } else {
                    0
                }
            }
        };
        if loops > 0 && self.rng.chance(loops) {
            return self.scan(x);
        }
        let kinds = if let Kind::Body(_) = self.kind { 15 } else { 20 };
        let made = match self.rng.below(kinds) {
            0 | 1 => self.unary(x),
            2..=4 => self.binary(x),
            5 => self.repeat(x),
            6 | 7 => self.view(x),
            8 => self.window(x),
            9 => self.concat(x),
            10 | 11 => self.reduce(x),
            12 | 13 => self.product_sum(x),
            14 if kinds == 15 && self.rng.chance(50) => self.matrix_product(x),
            14 => self.contract(x),
            17 | 18 => self.matrix_product(x),
            15 => self.index(x),
            16 => self.choose(x),
            _ => self.source(x),
        };
        let ty = self.b.ty(made);
        assert_eq!(ty.dtype, DType::F32);
        if ty.rank() <= 4 {
            self.floats.push(made);
        }
    }

    fn unary(&mut self, x: NodeId) -> NodeId {
        match self.rng.below(9) {
            0 => self.b.neg(x),
            1 => self.b.map(MapOp::Abs, &[x]),
            2 => {
                let x = self.tame(x);
                self.b.map(MapOp::Exp, &[x])
            }
            3 => {
                let x = self.positive(x);
                self.b.map(MapOp::Log, &[x])
            }
            4 => {
                let x = self.positive(x);
                self.b.map(MapOp::Sqrt, &[x])
            }
            5 => self.b.map(MapOp::Erf, &[x]),
            6 => self.b.node(Op::StopGradient, &[x]),
            7 if !self.leaves.is_empty() => {
                let leaf = self.leaf();
                let map = if self.rng.chance(50) { MapOp::Floor } else { MapOp::Round };
                self.b.map(map, &[leaf])
            }
            _ => self.tame(x),
        }
    }

    fn binary(&mut self, x: NodeId) -> NodeId {
        let y = self.like(x);
        match self.rng.below(8) {
            0 | 1 => self.b.add(x, y),
            2 => self.b.sub(x, y),
            3 => {
                let product = self.b.mul(x, y);
                if self.rng.chance(50) { self.tame(product) } else { product }
            }
            4 => {
                let y = if self.rng.chance(70) { self.positive(y) } else { self.b.full_like(y, 4.0) };
                self.b.div(x, y)
            }
            5 => {
                let n = [0.0, 1.0, 2.0, 3.0, 0.5, -1.0, 1.7][self.rng.below(7)];
                let x = self.tame(x);
                let x = self.positive(x);
                let n = self.b.full_like(x, n);
                self.b.map(MapOp::Pow, &[x, n])
            }
            6 => self.b.map(MapOp::Min, &[x, y]),
            _ => self.b.map(MapOp::Max, &[x, y]),
        }
    }

    fn repeat(&mut self, x: NodeId) -> NodeId {
        let mut dims = self.b.dims(x).to_vec();
        let at = self.rng.below(dims.len() + 1);
        let dim = self.dim();
        dims.insert(at, dim);
        self.b.expand(x, &dims, &[at])
    }

    fn view(&mut self, x: NodeId) -> NodeId {
        let dims = self.b.dims(x).to_vec();
        if dims.is_empty() {
            return x;
        }
        let at = self.rng.below(dims.len());
        match self.rng.below(3) {
            // Merge with the next axis.
            0 if at + 1 < dims.len() => {
                let mut merged = dims.clone();
                merged[at] = dims[at].mul(&dims[at + 1]).unwrap();
                merged.remove(at + 1);
                self.b.reshape(x, &merged)
            }
            // Split, or add an axis of one.
            1 => {
                let inner = if dims[at] == Dim::constant(4) { Dim::constant(2) } else { Dim::ONE };
                let mut split = dims.clone();
                split[at] = dims[at].div_exact(&inner).unwrap();
                split.insert(at + 1, inner);
                self.b.reshape(x, &split)
            }
            _ => {
                let mut perm: Vec<usize> = (0..dims.len()).collect();
                for i in (1..perm.len()).rev() {
                    perm.swap(i, self.rng.below(i + 1));
                }
                self.b.permute(x, &perm)
            }
        }
    }

    fn window(&mut self, x: NodeId) -> NodeId {
        let dims = self.b.dims(x);
        if dims.is_empty() {
            return x;
        }
        let axis = self.rng.below(dims.len());
        let out = Dim::constant(1 + self.rng.below(4) as i64);
        let taps = match self.rng.below(10) {
            0..4 => Taps::New(Dim::constant(1 + self.rng.below(3) as i64)),
            4..6 if dims.len() > 1 => Taps::Shared((axis + 1 + self.rng.below(dims.len() - 1)) % dims.len()),
            _ => Taps::None,
        };
        let d = if taps == Taps::None { 0 } else { self.rng.below(4) as i64 - 1 };
        let m = 1 + i64::from(self.rng.chance(20));
        let a = [1, 1, 2, -1, 3][self.rng.below(5)];
        let b = Dim::constant(self.rng.below(4) as i64 - 1);
        let fill = if self.rng.chance(70) { 0.0 } else { 0.7 };
        self.b.window(x, vec![WindowAxis { axis, out, taps, m, a, d, b }], fill)
    }

    fn concat(&mut self, x: NodeId) -> NodeId {
        let rank = self.b.rank(x);
        if rank == 0 {
            return x;
        }
        let y = self.like(x);
        let axis = self.rng.below(rank);
        self.b.concat(&[x, y], axis)
    }

    /// Axes that are not empty, of which a maximum exists.
    fn some_axes(&mut self, x: NodeId, not_empty: bool) -> Vec<usize> {
        let bound = self.bound(&self.b.dims(x));
        (0..bound.len()).filter(|&axis| (bound[axis] > 0 || !not_empty) && self.rng.chance(60)).collect()
    }

    fn reduce(&mut self, x: NodeId) -> NodeId {
        match self.rng.below(8) {
            6 => {
                let (axes, x) = (self.some_axes(x, true), self.tame(x));
                self.b.variance(x, &axes)
            }
            7 if self.b.rank(x) > 0 => {
                let x = self.tame(x);
                let axis = self.rng.below(self.b.rank(x));
                let op = [ReduceOp::Sum, ReduceOp::Prod, ReduceOp::Max, ReduceOp::Min][self.rng.below(4)];
                let (reversed, wants) = (self.rng.chance(50), self.rng.chance(30));
                // Of none an extreme is infinite.
                let exclusive = wants && matches!(op, ReduceOp::Sum | ReduceOp::Prod);
                self.b.node(Op::Prefix { op, axis, reversed, exclusive }, &[x])
            }
            0 | 1 => {
                let axes = self.some_axes(x, false);
                self.b.sum(x, &axes)
            }
            2 => {
                let x = self.tame(x);
                let axes = self.some_axes(x, false);
                self.b.reduce(ReduceOp::Prod, x, &axes)
            }
            3 => {
                let reduce = if self.rng.chance(50) { ReduceOp::Max } else { ReduceOp::Min };
                let axes = self.some_axes(x, true);
                self.b.reduce(reduce, x, &axes)
            }
            4 => match self.some_axes(x, true).first() {
                Some(&axis) => self.b.log_sum_exp(x, axis),
                None => x,
            },
            _ => self.log_sum_exp_by_hand(x),
        }
    }

    fn log_sum_exp_by_hand(&mut self, x: NodeId) -> NodeId {
        let x = self.tame(x);
        let axes = self.some_axes(x, true);
        if axes.is_empty() {
            return x;
        }
        let dims = self.b.dims(x);
        let mut m = self.b.reduce(ReduceOp::Max, x, &axes);
        if self.rng.chance(50) {
            m = self.b.node(Op::StopGradient, &[m]);
        }
        let level = self.b.expand(m, &dims, &axes);
        let below = if self.rng.chance(70) { self.b.sub(x, level) } else { x };
        let exp = self.b.map(MapOp::Exp, &[below]);
        let sum = self.b.sum(exp, &axes);
        let log = self.b.map(MapOp::Log, &[sum]);
        self.b.add(log, m)
    }

    /// A contraction as the language writes it: repeat, multiply, sum.
    fn product_sum(&mut self, x: NodeId) -> NodeId {
        let factors: Vec<NodeId> = [x].into_iter().chain((0..1 + self.rng.below(3)).map(|_| self.any())).collect();
        // The axes of the product: those of the first, then of each other one that fits no earlier.
        let mut dims = self.b.dims(x).to_vec();
        let mut places = Vec::new();
        for &factor in &factors {
            let mut at: Vec<usize> = Vec::new();
            for dim in self.b.dims(factor) {
                let fits = |axis: &usize| dims[*axis] == dim && !at.contains(axis);
                let free: Vec<usize> = (0..dims.len()).filter(fits).collect();
                let axis = if !free.is_empty() && self.rng.chance(70) {
                    free[self.rng.below(free.len())]
                } else {
                    dims.push(dim);
                    dims.len() - 1
                };
                at.push(axis);
            }
            places.push(at);
        }
        if dims.len() > 5 {
            return x;
        }
        let mut product = None;
        for (&factor, at) in factors.iter().zip(&places) {
            let mut perm: Vec<usize> = (0..at.len()).collect();
            perm.sort_by_key(|&axis| at[axis]);
            let sorted: Vec<usize> = perm.iter().map(|&axis| at[axis]).collect();
            let moved = self.b.permute(factor, &perm);
            let mut placed = self.b.place(moved, &dims, &sorted);
            if self.rng.chance(15) {
                placed = self.b.neg(placed);
            }
            product = Some(match product {
                None => placed,
                Some(product) if self.rng.chance(15) => {
                    let divisor = self.positive(placed);
                    self.b.div(product, divisor)
                }
                Some(product) => self.b.mul(product, placed),
            });
        }
        let product = product.unwrap();
        let axes = self.some_axes(product, false);
        let sum = self.b.sum(product, &axes);
        if self.rng.chance(60) { self.tame(sum) } else { sum }
    }

    /// A product over the last axis with a matrix, each operand elementwise work on its own.
    fn matrix_product(&mut self, x: NodeId) -> NodeId {
        let Some(k) = self.b.dims(x).last().cloned() else { return x };
        let has_k = |b: &Builder, y: &NodeId| b.rank(*y) >= 2 && b.dims(*y).contains(&k);
        let fitting: Vec<NodeId> = self.floats.iter().copied().filter(|y| has_k(&self.b, y)).collect();
        if fitting.is_empty() {
            return x;
        }
        let y = fitting[self.rng.below(fitting.len())];
        let (rank, axes) = (self.b.rank(x), self.b.dims(y));
        let at = axes.iter().position(|dim| *dim == k).unwrap();
        let mut dims = self.b.dims(x).to_vec();
        let mut places = Vec::new();
        for (axis, dim) in axes.iter().enumerate() {
            if axis == at {
                places.push(rank - 1);
            } else {
                places.push(dims.len());
                dims.push(dim.clone());
            }
        }
        if dims.len() > 4 {
            return x;
        }
        let mut perm: Vec<usize> = (0..axes.len()).collect();
        perm.sort_by_key(|&axis| places[axis]);
        places.sort_unstable();
        let moved = self.b.permute(y, &perm);
        let right = self.b.place(moved, &dims, &places);
        let left = self.b.place(x, &dims, &(0..rank).collect::<Vec<_>>());
        let product = if self.rng.chance(50) { self.b.mul(left, right) } else { self.b.mul(right, left) };
        let sum = self.b.sum(product, &[rank - 1]);
        self.tame(sum)
    }

    fn contract(&mut self, x: NodeId) -> NodeId {
        let y = self.any();
        let (xs, ys) = (self.b.dims(x), self.b.dims(y));
        let a: Vec<u8> = (0..xs.len() as u8).collect();
        let mut b = Vec::new();
        for (at, dim) in ys.iter().enumerate() {
            let fits = |label: &u8| xs[usize::from(*label)] == *dim && !b.contains(label);
            let free: Vec<u8> = a.iter().copied().filter(fits).collect();
            let own = 10 + at as u8;
            b.push(if !free.is_empty() && self.rng.chance(70) { free[self.rng.below(free.len())] } else { own });
        }
        let mut out: Vec<u8> = Vec::new();
        for &label in a.iter().chain(&b) {
            let shared = a.contains(&label) && b.contains(&label);
            let summed = shared && self.rng.chance(60);
            if !summed && !out.contains(&label) {
                let at = self.rng.below(out.len() + 1);
                out.insert(at, label);
            }
        }
        if out.len() > 4 {
            return x;
        }
        let product = self.b.contract((x, &a), (y, &b), &out);
        self.tame(product)
    }

    fn index(&mut self, x: NodeId) -> NodeId {
        let input = InputId(3 + self.rng.below(2) as u32);
        let index = self.b.node(Op::Input(input), &[]);
        let rows = Dim::constant(ROWS);
        let dims = self.b.dims(x);
        let index_dims = self.b.dims(index);
        if self.rng.chance(40)
            && let Some(at) = (0..=dims.len()).find(|&at| dims[at..].starts_with(&index_dims))
        {
            return self.b.scatter_add(at, rows, index, x);
        }
        let Some(axis) = dims.iter().position(|dim| *dim == rows) else { return x };
        let mut others = dims.clone();
        others.remove(axis);
        let repeated = |maker: &mut Maker| {
            let places: Vec<usize> = (0..index_dims.len()).collect();
            others.starts_with(&index_dims).then(|| maker.b.place(index, &others, &places))
        };
        match repeated(self) {
            Some(repeated) if self.rng.chance(50) => self.b.pick(x, axis, repeated),
            // A pick as the language may write it.
            Some(repeated) => {
                let chosen = self.b.expand(repeated, &dims, &[axis]);
                let here = self.b.positions(&dims, axis);
                let mask = self.b.cmp(Cmp::Eq, here, chosen);
                let zero = self.b.zeros_like(x);
                let left = self.b.select(mask, x, zero);
                self.b.sum(left, &[axis])
            }
            None => self.b.take(x, axis, index),
        }
    }

    fn choose(&mut self, x: NodeId) -> NodeId {
        // Conditions come from leaves, whose values no pass rounds.
        let leaf = self.leaf();
        let zero = self.b.zeros_like(leaf);
        let mut mask = self.b.cmp([Cmp::Lt, Cmp::Le, Cmp::Eq, Cmp::Ne][self.rng.below(4)], leaf, zero);
        match self.rng.below(4) {
            0 => mask = self.b.map(MapOp::Not, &[mask]),
            1 => {
                let one = self.b.full_like(leaf, 0.5);
                let other = self.b.cmp(Cmp::Lt, one, leaf);
                let map = if self.rng.chance(50) { MapOp::And } else { MapOp::Or };
                mask = self.b.map(map, &[mask, other]);
            }
            _ => {}
        }
        if self.b.dims(leaf) == self.b.dims(x) {
            let y = self.like(x);
            return self.b.select(mask, x, y);
        }
        self.b.cast(mask, DType::F32)
    }

    fn source(&mut self, x: NodeId) -> NodeId {
        let dims = self.b.dims(x);
        match self.rng.below(5) {
            0 => {
                let dist = if self.rng.chance(50) { Dist::Uniform } else { Dist::Normal };
                let site = self.rng.below(3) as u32;
                self.b.node(Op::Random { dist, site, dims: dims.to_vec() }, &[])
            }
            1 if !dims.is_empty() => {
                let axis = self.rng.below(dims.len());
                let positions = self.b.positions(&dims, axis);
                self.b.cast(positions, DType::F32)
            }
            2 => {
                let zero = self.b.f32(0.0);
                let size = self.b.size_of(zero, &Dim::size(BATCH));
                self.b.splat(size, &dims)
            }
            3 => {
                let leaf = self.leaf();
                let bound = self.bound(&self.b.dims(leaf));
                let Some(axis) = (0..bound.len()).find(|&axis| bound[axis] > 0) else { return leaf };
                let arg = if self.rng.chance(50) { ArgOp::Max } else { ArgOp::Min };
                let place = self.b.arg_reduce(arg, leaf, &[axis]);
                self.b.cast(place, DType::F32)
            }
            _ => self.b.full(&dims, Number::f32(-0.5)),
        }
    }

    fn outputs(&mut self) {
        let mut loss = self.b.f32(0.0);
        for _ in 0..4 {
            let x = self.any();
            let x = self.tame(x);
            let axes: Vec<usize> = (0..self.b.rank(x)).collect();
            let sum = self.b.sum(x, &axes);
            loss = self.b.add(loss, sum);
        }
        self.b.graph.outputs.push(Output { role: Role::Loss, node: loss });
        for at in 0..4 {
            let node = self.any();
            self.b.graph.outputs.push(Output { role: Role::Value(format!("v{at}")), node });
        }
        self.b.origin = Origin::default();
    }
}
