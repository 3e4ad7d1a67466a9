//! Convolutions written as windows, products and sums: forward, gradient and gradient of the gradient against
//! plain loops, and that all of them stay convolutions.

use tensa::backend::interp::graph::{Given, run};
use tensa::ir::text::print;
use tensa::ir::{DType, Dim, Graph, NodeId, Output, Role, Ty};
use tensa::ops::{self, Builder, Op, Taps, Value, WindowAxis, conv_counts, for_each_index};
use tensa::{autodiff, canon, opt};

use super::gradients::{Harness, check, input, of_gradients, param};
use crate::support::graphs::Rng;

/// `m·i = a·o + d·k + b` along one axis, with the sizes of all three.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relation {
    pub(crate) i: i64,
    pub(crate) o: i64,
    pub(crate) k: i64,
    pub(crate) m: i64,
    pub(crate) a: i64,
    pub(crate) d: i64,
    pub(crate) b: i64,
}

/// A convolution of `x[n, i.., g, c]` with `f[k.., g, c, q]`, to `y[n, o.., g, q]`.
#[derive(Clone, Debug)]
pub(crate) struct Conv {
    pub(crate) axes: Vec<Relation>,
    pub(crate) n: i64,
    pub(crate) g: i64,
    pub(crate) c: i64,
    pub(crate) q: i64,
}

impl Relation {
    /// As a layer writes it: kernel `k`, stride, dilation and padding, or the transpose of that.
    fn random(rng: &mut Rng) -> Relation {
        let (k, stride, dilation) = (1 + rng.below(4) as i64, 1 + rng.below(3) as i64, 1 + rng.below(2) as i64);
        let pad = rng.below(k as usize) as i64;
        let i = 1 + rng.below(7) as i64;
        let reach = dilation * (k - 1) + 1;
        if rng.chance(30) {
            let o = ((i - 1) * stride + reach - 2 * pad).max(1);
            return Relation { i, o, k, m: stride, a: 1, d: -dilation, b: pad };
        }
        let o = ((i + 2 * pad - reach).div_euclid(stride) + 1).max(1);
        Relation { i, o, k, m: 1, a: stride, d: dilation, b: -pad }
    }

    /// The position that is read, by search.
    fn reads(&self, o: usize, k: usize) -> Option<usize> {
        let wanted = self.a * o as i64 + self.d * k as i64 + self.b;
        (0..self.i).find(|i| self.m * i == wanted).map(|i| i as usize)
    }
}

impl Conv {
    pub(crate) fn random(rng: &mut Rng) -> Conv {
        let axes = (0..1 + rng.below(2)).map(|_| Relation::random(rng)).collect();
        let mut few = |most: usize| 1 + rng.below(most) as i64;
        Conv { axes, n: few(2), g: few(2), c: few(3), q: few(3) }
    }

    fn sizes(&self, size: fn(&Relation) -> i64) -> Vec<i64> {
        self.axes.iter().map(size).collect()
    }

    fn x(&self) -> Vec<i64> {
        [vec![self.n], self.sizes(|axis| axis.i), vec![self.g, self.c]].concat()
    }

    fn f(&self) -> Vec<i64> {
        [self.sizes(|axis| axis.k), vec![self.g, self.c, self.q]].concat()
    }

    fn y(&self) -> Vec<i64> {
        [vec![self.n], self.sizes(|axis| axis.o), vec![self.g, self.q]].concat()
    }

    /// The convolution as the language writes it.
    fn build(&self, b: &mut Builder, x: NodeId, f: NodeId) -> NodeId {
        let rank = self.axes.len();
        let window = self.axes.iter().enumerate().map(|(at, axis)| WindowAxis {
            axis: 1 + at,
            out: Dim::constant(axis.o),
            taps: Taps::New(Dim::constant(axis.k)),
            m: axis.m,
            a: axis.a,
            d: axis.d,
            b: Dim::constant(axis.b),
        });
        let read = b.window(x, window.collect(), 0.0);
        // [n, (o, k).., g, c] and [k.., g, c, q] along [n, (o, k).., g, c, q]
        let mut dims = b.dims(read).to_vec();
        dims.push(Dim::constant(self.q));
        let all = dims.len();
        let left = b.place(read, &dims, &(0..all - 1).collect::<Vec<_>>());
        let taps: Vec<usize> = (0..rank).map(|at| 2 + 2 * at).collect();
        let right = b.place(f, &dims, &[taps.clone(), vec![all - 3, all - 2, all - 1]].concat());
        let product = b.mul(left, right);
        b.sum(product, &[taps, vec![all - 2]].concat())
    }

    /// Visits every product: places in y, x and f.
    fn for_each(&self, mut visit: impl FnMut(&[usize], &[usize], &[usize])) {
        let rank = self.axes.len();
        let sizes = [self.y(), self.sizes(|axis| axis.k), vec![self.c]].concat();
        let sizes: Vec<usize> = sizes.into_iter().map(|size| size as usize).collect();
        for_each_index(&sizes, |at| {
            let (y, rest) = at.split_at(rank + 3);
            let (k, c) = (&rest[..rank], rest[rank]);
            let (g, q) = (y[rank + 1], y[rank + 2]);
            let reads = self.axes.iter().enumerate().map(|(axis, relation)| relation.reads(y[1 + axis], k[axis]));
            if let Some(i) = reads.collect::<Option<Vec<usize>>>() {
                visit(y, &[vec![y[0]], i, vec![g, c]].concat(), &[k.to_vec(), vec![g, c, q]].concat());
            }
        });
    }

    /// `Σ y·w` for given weights, with `x` and `f` as parameters.
    pub(crate) fn harness(&self, seed: u32) -> (Harness, [Value; 3]) {
        let mut given = Given::default();
        let mut b = Builder::new(Graph::default());
        let value = |dims: &[i64], which: u32| {
            let dims = dims.iter().map(|dim| *dim as usize).collect();
            ops::probes(&Op::StopGradient, &[(DType::F32, dims)], seed + which).remove(0)
        };
        let ty = |dims: &[i64]| Ty::new(DType::F32, dims.iter().map(|dim| Dim::constant(*dim)));
        let (x, f, w) = (value(&self.x(), 0), value(&self.f(), 1000), value(&self.y(), 2000));
        let x_node = param(&mut b, &mut given, ty(&self.x()), x.clone());
        let f_node = param(&mut b, &mut given, ty(&self.f()), f.clone());
        let y = self.build(&mut b, x_node, f_node);
        let weights = input(&mut b, &mut given, ty(&self.y()), w.clone());
        let product = b.mul(y, weights);
        let loss = b.sum(product, &(0..self.axes.len() + 3).collect::<Vec<_>>());
        b.graph.outputs.push(Output { role: Role::Value("y".to_owned()), node: y });
        b.graph.outputs.push(Output { role: Role::Loss, node: loss });
        (Harness { graph: b.finish(), given }, [x, f, w])
    }
}

fn close(what: &str, found: &Value, wanted: &Value) {
    assert_eq!(found.dims, wanted.dims, "{what}");
    for (found, wanted) in found.data.iter().zip(&wanted.data) {
        assert!((found - wanted).abs() < 1e-9, "{what}: {found}, loops say {wanted}");
    }
}

#[test]
fn random_windows_agree_with_plain_loops() {
    for seed in 0..300 {
        let conv = Conv::random(&mut Rng::new(seed));
        let (harness, [x, f, w]) = conv.harness(seed);
        let [mut y, mut dx, mut df] = [&w, &x, &f].map(|like| Value::full(&like.dims, 0.0));
        conv.for_each(|at_y, at_x, at_f| {
            let [in_y, in_x, in_f] = [y.offset(at_y), dx.offset(at_x), df.offset(at_f)];
            y.data[in_y] += x.data[in_x] * f.data[in_f];
            dx.data[in_x] += w.data[in_y] * f.data[in_f];
            df.data[in_f] += w.data[in_y] * x.data[in_x];
        });
        let graph = opt::run(&canon::run(&autodiff::gradients(&canon::run(&harness.graph))));
        let what = format!("{seed}: {conv:?}\n{}", print(&graph));
        let outputs = run(&graph, &harness.given).unwrap();
        for (role, value) in &outputs {
            match role {
                Role::Value(_) => close(&format!("y of {what}"), value, &y),
                Role::Grad(id) if id.index() == 0 => close(&format!("dx of {what}"), value, &dx),
                Role::Grad(_) => close(&format!("df of {what}"), value, &df),
                _ => {}
            }
        }
    }
}

#[test]
fn gradients_of_gradients_of_windows_are_those_of_differences() {
    for seed in 0..30 {
        let conv = Conv::random(&mut Rng::new(seed));
        let (harness, _) = conv.harness(seed);
        let second = of_gradients(&Harness { graph: canon::run(&harness.graph), ..harness });
        check(&format!("{seed}: {conv:?}"), &Harness { graph: canon::run(&second.graph), ..second }, 1e-6);
    }
}

#[test]
fn gradients_of_convolutions_are_convolutions() {
    for (stride, dilation, pad, transposed) in [(1, 1, 1, false), (2, 1, 1, false), (1, 2, 2, false), (3, 1, 0, true)] {
        let (k, i) = (3, 9);
        let reach = dilation * (k - 1) + 1;
        let axis = match transposed {
            false => {
                let o = (i + 2 * pad - reach) / stride + 1;
                Relation { i, o, k, m: 1, a: stride, d: dilation, b: -pad }
            }
            true => Relation { i, o: (i - 1) * stride + reach, k, m: stride, a: 1, d: -dilation, b: pad },
        };
        let conv = Conv { axes: vec![axis; 2], n: 2, g: 1, c: 4, q: 5 };
        let (harness, _) = conv.harness(1);
        let graph = opt::run(&canon::run(&autodiff::gradients(&canon::run(&harness.graph))));
        // The transpose is what a gradient by the input is, and has a plain one for its gradient.
        assert_eq!(conv_counts(&graph), "fwd 1 dx 1 dw 1", "{}", print(&graph));
        assert!(!graph.nodes.iter().any(|node| matches!(node.op, Op::ScatterAdd(..))));
        // The gradient by the gradients is made of convolutions alone, too.
        let second = of_gradients(&Harness { graph: canon::run(&harness.graph), ..harness });
        let graph = opt::run(&canon::run(&autodiff::gradients(&canon::run(&second.graph))));
        let windows = graph.nodes.iter().filter(|node| matches!(node.op, Op::Window { .. })).count();
        let contractions = graph.nodes.iter().filter(|node| matches!(node.op, Op::Contract { .. })).count();
        assert!(windows <= contractions, "{}", print(&graph));
        let of_windows = graph.ids().filter(|&id| ops::conv_role(&graph, id).is_some()).count();
        assert_eq!(of_windows, contractions, "{}", print(&graph));
    }
}
