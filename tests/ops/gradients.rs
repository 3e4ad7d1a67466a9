//! Every gradient rule against central differences in f64, and every rule of a rule.

use std::sync::Arc;

use tensa::autodiff;
use tensa::backend::interp::graph::{Given, run};
use tensa::ir::{
    Attention, AttentionResult, DType, Dim, Graph, Input, InputId, NodeId, Output, Param, ParamId, Role, Scan, SizeId,
    Ty,
};
use tensa::ops::{self, ArgOp, Cmp, MapOp, Number, Op, ReduceOp, Taps, Value, WindowAxis};
use tensa::ops::{Builder, verify};

use DType::{Bool, F32, I32};

/// What the one symbolic size is bound to.
const BOUND: i64 = 3;

/// An operation and the types of its arguments.
type Case = (Op, Vec<(DType, Vec<Dim>)>);

fn n() -> Dim {
    Dim::size(SizeId(0))
}

fn dims(sizes: &[i64]) -> Vec<Dim> {
    sizes.iter().map(|&size| Dim::constant(size)).collect()
}

fn floats(shapes: &[&[i64]]) -> Vec<(DType, Vec<Dim>)> {
    shapes.iter().map(|shape| (F32, dims(shape))).collect()
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    // A rounded number has the gradient of the number it stands for, which no difference of steps shows.
    for map in MapOp::ALL.into_iter().filter(|map| !matches!(map, MapOp::Bf16 | MapOp::F16)) {
        for shape in [&[][..], &[1], &[0], &[5], &[2, 3], &[2, 0, 3]] {
            let dtypes = match map {
                MapOp::And | MapOp::Or | MapOp::Not => vec![Bool; map.arity()],
                MapOp::Select => vec![Bool, F32, F32],
                _ => vec![F32; map.arity()],
            };
            cases.push((Op::Map(map), dtypes.into_iter().map(|dtype| (dtype, dims(shape))).collect()));
        }
    }
    cases.push((Op::Map(MapOp::Cast(F32)), vec![(I32, dims(&[3]))]));
    cases.push((Op::Map(MapOp::Select), vec![(Bool, dims(&[3])), (I32, dims(&[3])), (I32, dims(&[3]))]));
    views(&mut cases);
    windows(&mut cases);
    reductions(&mut cases);
    contractions(&mut cases);
    indices(&mut cases);
    attentions(&mut cases);
    cases
}

fn views(cases: &mut Vec<Case>) {
    for (perm, shape) in [(&[1, 0][..], &[2, 3][..]), (&[2, 0, 1], &[2, 1, 3]), (&[], &[]), (&[1, 0], &[0, 2])] {
        cases.push((Op::Permute(perm.to_vec()), floats(&[shape])));
    }
    for (to, shape) in [(&[3, 2][..], &[2, 3][..]), (&[6], &[2, 3]), (&[1, 2, 1], &[2]), (&[0], &[0, 3])] {
        cases.push((Op::Reshape(dims(to)), floats(&[shape])));
    }
    type Repeat<'a> = (&'a [i64], &'a [Option<usize>], &'a [i64]);
    let broadcasts: [Repeat; 6] = [
        (&[2, 3], &[None, Some(0)], &[3]),
        (&[3, 2], &[Some(0), None], &[3]),
        (&[2, 2], &[None, None], &[]),
        (&[2, 0], &[Some(0), None], &[2]),
        (&[1, 4, 2], &[Some(0), None, Some(1)], &[1, 2]),
        (&[3], &[Some(0)], &[3]),
    ];
    for (to, axes, shape) in broadcasts {
        cases.push((Op::Broadcast { dims: dims(to), axes: axes.to_vec() }, floats(&[shape])));
    }
    cases.push((Op::Concat(1), floats(&[&[2, 3], &[2, 1], &[2, 0]])));
    cases.push((Op::Concat(0), floats(&[&[2]])));
    cases.push((Op::Concat(0), vec![(F32, vec![n()]), (F32, dims(&[2])), (F32, vec![n()])]));
}

fn windows(cases: &mut Vec<Case>) {
    let mut window = |shape: &[i64], fill: f64, axes: Vec<WindowAxis>| {
        cases.push((Op::Window { axes, fill: Number::f32(fill) }, floats(&[shape])));
    };
    let plain = |axis, out, m, a, b| WindowAxis {
        axis,
        out: Dim::constant(out),
        taps: Taps::None,
        m,
        a,
        d: 0,
        b: Dim::constant(b),
    };
    let tapped = |axis, out, taps, m, a, d, b| WindowAxis {
        taps: Taps::New(Dim::constant(taps)),
        d,
        ..plain(axis, out, m, a, b)
    };
    window(&[5], 0.0, vec![plain(0, 3, 1, 1, 1)]);
    window(&[5], 1.5, vec![plain(0, 9, 1, 1, -2)]);
    window(&[2, 5], 0.0, vec![plain(1, 5, 1, -1, 4)]);
    window(&[7], 0.0, vec![plain(0, 3, 1, 2, 1)]);
    window(&[3], 0.5, vec![plain(0, 6, 2, 1, 0)]);
    window(&[3], 0.0, vec![plain(0, 7, 3, -2, 9)]);
    window(&[0], 0.5, vec![plain(0, 2, 1, 1, 0)]);
    window(&[3], 0.5, vec![plain(0, 0, 1, 1, 0)]);
    // Taps: stride 1, 2 and 3, dilated, reversed, with fractional positions, of number 0 and 1.
    window(&[5], 0.0, vec![tapped(0, 5, 3, 1, 1, 1, -1)]);
    window(&[6], 0.0, vec![tapped(0, 3, 2, 1, 2, 1, 0)]);
    window(&[8], 0.7, vec![tapped(0, 4, 4, 1, 2, 1, -1)]);
    window(&[9], 0.0, vec![tapped(0, 3, 3, 1, 3, 2, -1)]);
    window(&[7], 0.0, vec![tapped(0, 3, 3, 1, 2, -1, 2)]);
    window(&[4], 0.0, vec![tapped(0, 5, 2, 2, 1, 1, -1)]);
    window(&[4], 0.0, vec![tapped(0, 5, 4, 2, -6, 1, 9)]);
    window(&[4], 0.0, vec![tapped(0, 3, 0, 1, 1, 1, 0)]);
    window(&[4], 0.0, vec![tapped(0, 3, 1, 1, 2, 5, 0)]);
    // Two axes, with one between that is read as it is.
    window(&[5, 2, 6], 0.0, vec![tapped(0, 3, 2, 1, 2, 1, 0), tapped(2, 4, 3, 1, 1, 1, 0)]);
    window(&[4, 3], 0.0, vec![tapped(0, 2, 2, 1, 2, 1, 0), plain(1, 2, 1, 1, 1)]);
    // Taps along an axis that is there, before and behind.
    let shared = |axis, with, out, m, a, d, b| WindowAxis { taps: Taps::Shared(with), d, ..plain(axis, out, m, a, b) };
    window(&[5, 3], 0.0, vec![shared(0, 1, 4, 1, 1, 1, -1)]);
    window(&[3, 5], 0.7, vec![shared(1, 0, 4, 2, 1, -1, 1)]);
    window(&[4, 3, 4], 0.0, vec![shared(0, 1, 5, 1, 2, 1, -1), shared(2, 1, 3, 1, -1, 2, 2)]);
    window(&[4, 3, 4], 0.0, vec![shared(0, 1, 5, 1, 2, 1, -1), tapped(2, 2, 2, 1, 2, 1, 0)]);
    // Taps, offset and size are symbols.
    window(&[6], 0.0, vec![WindowAxis { taps: Taps::New(n()), ..tapped(0, 3, 1, 1, 2, 1, -1) }]);
    window(
        &[6, 5],
        0.0,
        vec![WindowAxis { taps: Taps::New(n()), ..tapped(0, 3, 1, 1, 1, 1, 0) }, tapped(1, 2, 2, 1, 2, 1, 0)],
    );
    window(&[6], 0.0, vec![WindowAxis { out: n(), b: n(), ..plain(0, 0, 1, 1, 0) }]);
}

fn reductions(cases: &mut Vec<Case>) {
    for reduce in [ReduceOp::Sum, ReduceOp::Max, ReduceOp::Min, ReduceOp::Prod] {
        let mut push = |shape: &[i64], axes: &[usize]| {
            cases.push((Op::Reduce(reduce, axes.to_vec()), floats(&[shape])));
        };
        push(&[3], &[0]);
        push(&[1], &[0]);
        push(&[2, 3], &[0]);
        push(&[2, 3], &[1]);
        push(&[2, 3, 2], &[0, 2]);
        push(&[2, 3], &[0, 1]);
        push(&[2, 3], &[]);
        push(&[0, 3], &[1]);
        push(&[7], &[0]);
        cases.push((Op::Reduce(reduce, vec![1]), vec![(F32, vec![Dim::constant(2), n()])]));
    }
    for reduce in [ReduceOp::Sum, ReduceOp::Prod] {
        cases.push((Op::Reduce(reduce, vec![1]), floats(&[&[2, 0]])));
    }
    for arg in [ArgOp::Max, ArgOp::Min] {
        cases.push((Op::ArgReduce(arg, vec![1]), floats(&[&[2, 3]])));
        cases.push((Op::ArgReduce(arg, vec![0, 2]), floats(&[&[2, 3, 2]])));
    }
    for (count, descending) in [(3, false), (2, true), (0, true)] {
        let count = Dim::constant(count);
        cases.push((Op::Order { axis: 1, descending, count: count.clone() }, floats(&[&[2, 3]])));
        cases.push((Op::Order { axis: 0, descending, count }, floats(&[&[3, 2]])));
    }
    for op in [ReduceOp::Sum, ReduceOp::Prod, ReduceOp::Max, ReduceOp::Min] {
        for (reversed, exclusive) in [(false, false), (false, true), (true, false), (true, true)] {
            // The neutral element of an extreme is infinite, and so would the loss be.
            if exclusive && matches!(op, ReduceOp::Max | ReduceOp::Min) {
                continue;
            }
            for (shape, axis) in [(&[4][..], 0), (&[2, 3], 1), (&[3, 2], 0), (&[1, 2], 0)] {
                cases.push((Op::Prefix { op, axis, reversed, exclusive }, floats(&[shape])));
            }
        }
        cases.push((Op::Prefix { op, axis: 0, reversed: false, exclusive: false }, vec![(F32, vec![n()])]));
    }
    cases.push((Op::Remat, floats(&[&[2, 3]])));
    cases.push((Op::Variable(3), floats(&[&[2, 3]])));
    for (shape, axes) in
        [(&[3][..], &[0][..]), (&[2, 3], &[0]), (&[2, 3], &[1]), (&[2, 3, 2], &[0, 2]), (&[2, 1], &[1])]
    {
        cases.push((Op::Variance(axes.to_vec()), floats(&[shape])));
    }
    for (shape, axis) in [(&[3][..], 0), (&[2, 3], 0), (&[2, 3], 1), (&[2, 1], 1), (&[0, 3], 1)] {
        cases.push((Op::LogSumExp(axis), floats(&[shape])));
    }
}

fn contractions(cases: &mut Vec<Case>) {
    type Product<'a> = (&'a str, &'a str, &'a str, &'a [i64], &'a [i64]);
    let list: [Product; 10] = [
        ("ab", "bc", "ac", &[2, 3], &[3, 4]),
        ("ab", "bc", "ca", &[2, 3], &[3, 4]),
        ("ab", "cb", "ac", &[1, 3], &[2, 3]),
        ("gab", "bgc", "agc", &[2, 2, 3], &[3, 2, 2]),
        ("abc", "bcd", "ad", &[2, 2, 2], &[2, 2, 3]),
        ("a", "a", "", &[4], &[4]),
        ("a", "b", "ab", &[2], &[3]),
        ("", "a", "a", &[], &[3]),
        ("ab", "bc", "ac", &[2, 0], &[0, 3]),
        ("ab", "bc", "ac", &[0, 2], &[2, 3]),
    ];
    for (a, b, out, left, right) in list {
        let labels = |text: &str| text.bytes().map(|c| c - b'a').collect::<Vec<u8>>();
        cases.push((Op::Contract { a: labels(a), b: labels(b), out: labels(out) }, floats(&[left, right])));
    }
}

/// `0.5·fit + bias`, the bias with or without the batch, or none.
fn attentions(cases: &mut Vec<Case>) {
    let float = |shape: &[i64]| (F32, dims(shape));
    let operands = || floats(&[&[2, 3, 2], &[2, 4, 2], &[2, 4, 3]]);
    let further: [&[(bool, &[i64])]; 3] = [&[], &[(true, &[4])], &[(false, &[3, 4]), (true, &[3])]];
    for list in further {
        let mut b = Builder::new(Graph { sizes: vec!["n".to_owned()], ..Graph::default() });
        let all = dims(&[3, 4]);
        let input = |b: &mut Builder, shape: &[i64]| {
            let id = InputId(b.graph.inputs.len() as u32);
            b.graph.inputs.push(Input { name: String::new(), ty: Ty::new(F32, dims(shape)), below: None });
            b.node(Op::Input(id), &[])
        };
        let fit = input(&mut b, &[3, 4]);
        let mut x = b.scale(fit, 0.5);
        let mut args = operands();
        for (each, shape) in list {
            let value = input(&mut b, shape);
            let own: Vec<usize> = shape.iter().map(|size| usize::from(*size == 4)).collect();
            let value = b.place(value, &all, &own);
            x = b.add(x, value);
            args.push(float(&if *each { [&[2], *shape].concat() } else { shape.to_vec() }));
        }
        b.graph.outputs = Scan::outputs([x]);
        let each = list.iter().map(|(each, _)| *each).collect();
        let attention = Arc::new(Attention { score: b.finish(), each });
        for result in [AttentionResult::Mean, AttentionResult::LogSumExp] {
            cases.push((Op::Attention(attention.clone(), result), args.clone()));
        }
    }
}

fn indices(cases: &mut Vec<Case>) {
    let float = |shape: &[i64]| (F32, dims(shape));
    let index = |shape: &[i64]| (I32, dims(shape));
    cases.push((Op::Take(0), vec![float(&[4, 2]), index(&[3])]));
    cases.push((Op::Take(1), vec![float(&[2, 3]), index(&[2, 2])]));
    cases.push((Op::Take(0), vec![float(&[3]), index(&[])]));
    cases.push((Op::Take(0), vec![float(&[3, 2]), index(&[0])]));
    cases.push((Op::ScatterAdd(0, Dim::constant(3)), vec![index(&[5]), float(&[5, 2])]));
    cases.push((Op::ScatterAdd(1, Dim::constant(2)), vec![index(&[2, 2]), float(&[3, 2, 2])]));
    cases.push((Op::ScatterAdd(0, Dim::constant(4)), vec![index(&[]), float(&[2])]));
    cases.push((Op::ScatterAdd(0, Dim::constant(4)), vec![index(&[0]), float(&[0])]));
    cases.push((Op::Pick(1), vec![float(&[4, 3]), index(&[4])]));
    cases.push((Op::Pick(0), vec![float(&[3, 2, 2]), index(&[2, 2])]));
    cases.push((Op::Pick(0), vec![float(&[3]), index(&[])]));
}

/// A graph whose loss is a weighted sum of the operation's result; its floats are parameters.
pub(crate) struct Harness {
    pub(crate) graph: Graph,
    pub(crate) given: Given,
}

fn harness((op, args): &Case, seed: u32) -> Harness {
    let size = |dim: &Dim| dim.eval(&|_| BOUND).unwrap() as usize;
    let bound: Vec<(DType, Vec<usize>)> = args.iter().map(|(d, dims)| (*d, dims.iter().map(size).collect())).collect();
    let mut given = Given { sizes: vec![BOUND], ..Given::default() };
    let mut b = Builder::new(Graph { sizes: vec!["n".to_owned()], ..Graph::default() });
    let mut nodes = Vec::new();
    for ((dtype, dims), value) in args.iter().zip(ops::probes(op, &bound, seed)) {
        let ty = Ty::new(*dtype, dims.iter().cloned());
        nodes.push(if *dtype == F32 {
            param(&mut b, &mut given, ty, value)
        } else {
            input(&mut b, &mut given, ty, value)
        });
    }
    let result = b.node(op.clone(), &nodes);
    let result = b.cast(result, F32);
    let loss = weighted_sum(&mut b, &mut given, result, seed + 1);
    b.graph.outputs.push(Output { role: Role::Loss, node: loss });
    Harness { graph: b.finish(), given }
}

pub(crate) fn param(b: &mut Builder, given: &mut Given, ty: Ty, value: Value) -> NodeId {
    let id = ParamId(given.params.len() as u32);
    given.params.push(value);
    b.graph.params.push(Param { path: format!("p{}", id.0), ty, axes: Vec::new() });
    b.node(Op::Param(id), &[])
}

pub(crate) fn input(b: &mut Builder, given: &mut Given, ty: Ty, value: Value) -> NodeId {
    let id = InputId(given.inputs.len() as u32);
    given.inputs.push(value);
    b.graph.inputs.push(Input { name: format!("x{}", id.0), ty, below: None });
    b.node(Op::Input(id), &[])
}

/// `Σ x·w` with weights given from outside.
fn weighted_sum(b: &mut Builder, given: &mut Given, x: NodeId, seed: u32) -> NodeId {
    let ty = b.ty(x).clone();
    let bound: Vec<usize> = ty.dims.iter().map(|dim| dim.eval(&|_| BOUND).unwrap() as usize).collect();
    let weights = ops::probes(&Op::StopGradient, &[(F32, bound)], seed).remove(0);
    let weights = input(b, given, ty, weights);
    let product = b.mul(x, weights);
    let axes: Vec<usize> = (0..b.rank(product)).collect();
    b.sum(product, &axes)
}

fn output(graph: &Graph, given: &Given, role: &Role) -> Value {
    let outputs = run(graph, given).unwrap();
    outputs.into_iter().find(|(found, _)| found == role).unwrap().1
}

/// Compares every gradient of the loss with central differences.
pub(crate) fn check(name: &str, harness: &Harness, tolerance: f64) {
    let graph = autodiff::gradients(&harness.graph);
    verify::verify(&graph).unwrap_or_else(|why| panic!("{name}: {why}"));
    for at in 0..harness.given.params.len() {
        let found = output(&graph, &harness.given, &Role::Grad(ParamId(at as u32)));
        assert_eq!(found.dims, harness.given.params[at].dims, "{name}: the sizes of gradient {at}");
        for element in 0..found.data.len() {
            let step = 1e-5;
            let loss = |by: f64| {
                let mut given = harness.given.clone();
                given.params[at].data[element] += by;
                output(&harness.graph, &given, &Role::Loss).data[0]
            };
            let wanted = (loss(step) - loss(-step)) / (2.0 * step);
            let found = found.data[element];
            let error = (found - wanted).abs() / wanted.abs().max(1.0);
            assert!(error < tolerance, "{name}: gradient {at} at {element} is {found}, differences say {wanted}");
        }
    }
}

/// The same program with the weighted sum of its gradients for a loss.
pub(crate) fn of_gradients(harness: &Harness) -> Harness {
    let mut given = harness.given.clone();
    let first = autodiff::gradients(&harness.graph);
    let grads: Vec<NodeId> = first.outputs.iter().filter(|o| matches!(o.role, Role::Grad(_))).map(|o| o.node).collect();
    let mut b = Builder::new(Graph { outputs: Vec::new(), ..first });
    let mut loss = b.f32(0.0);
    for (at, grad) in grads.into_iter().enumerate() {
        let term = weighted_sum(&mut b, &mut given, grad, 100 + at as u32);
        loss = b.add(loss, term);
    }
    b.graph.outputs.push(Output { role: Role::Loss, node: loss });
    Harness { graph: b.finish(), given }
}

#[test]
fn gradients_are_those_of_central_differences() {
    for case in cases() {
        for seed in [1, 2] {
            check(&format!("{case:?} seed {seed}"), &harness(&case, seed), 1e-7);
        }
    }
}

#[test]
fn gradients_of_gradients_are_those_of_central_differences() {
    for case in cases() {
        check(&format!("second of {case:?}"), &of_gradients(&harness(&case, 1)), 1e-6);
    }
}

/// A recurrent cell over five steps: `h := tanh(x_t·w + h·u)`, a sum of what it was, and rows of both kinds.
fn recurrent(reversed: bool, count: i64, seed: u32) -> Harness {
    let mut given = Given { sizes: vec![BOUND], ..Given::default() };
    let mut b = Builder::new(Graph { sizes: vec!["n".to_owned()], ..Graph::default() });
    let shapes: [&[i64]; 5] = [&[count, 2, 3], &[2, 4], &[2, 4], &[3, 4], &[4, 4]];
    let args: Vec<NodeId> = shapes
        .iter()
        .enumerate()
        .map(|(at, shape)| {
            let bound: Vec<usize> = shape.iter().map(|size| *size as usize).collect();
            let value = ops::probes(&Op::StopGradient, &[(F32, bound)], seed + at as u32).remove(0);
            param(&mut b, &mut given, Ty::new(F32, dims(shape)), value)
        })
        .collect();
    let mut inner = Builder::new(Graph { sizes: vec!["n".to_owned()], ..Graph::default() });
    let inputs: [&[i64]; 5] = [&[2, 3], &[2, 4], &[2, 4], &[3, 4], &[4, 4]];
    let at = |inner: &mut Builder, shape: &[i64]| {
        let id = InputId(inner.graph.inputs.len() as u32);
        inner.graph.inputs.push(Input { name: String::new(), ty: Ty::new(F32, dims(shape)), below: None });
        inner.node(Op::Input(id), &[])
    };
    let [x, h, s, w, u] = inputs.map(|shape| at(&mut inner, shape));
    let left = inner.contract((x, &[0, 1]), (w, &[1, 2]), &[0, 2]);
    let right = inner.contract((h, &[0, 1]), (u, &[1, 2]), &[0, 2]);
    let sum = inner.add(left, right);
    let new = inner.map(MapOp::Tanh, &[sum]);
    let product = inner.mul(h, new);
    let total = inner.add(s, product);
    let row = inner.sum(product, &[1]);
    inner.graph.outputs = Scan::outputs([new, total, new, row]);
    let scan = Arc::new(Scan { count: Dim::constant(count), reversed, rows: 1, carries: 2, body: inner.finish() });
    let mut loss = b.f32(0.0);
    for result in 0..4 {
        let result = b.node(Op::Scan(scan.clone(), result), &args);
        let term = weighted_sum(&mut b, &mut given, result, seed + 20);
        loss = b.add(loss, term);
    }
    b.graph.outputs.push(Output { role: Role::Loss, node: loss });
    Harness { graph: b.finish(), given }
}

#[test]
fn loops_have_the_gradients_of_central_differences() {
    for (reversed, count) in [(false, 5), (true, 5), (false, 1), (true, 0)] {
        let name = format!("loop of {count}, reversed: {reversed}");
        let harness = recurrent(reversed, count, 3);
        check(&name, &harness, 1e-7);
        let second = of_gradients(&harness);
        check(&format!("second of {name}"), &second, 1e-6);
        let light = Harness { graph: tensa::canon::run(&second.graph), given: second.given };
        check(&format!("second of {name}, made light"), &light, 1e-6);
    }
}

#[test]
fn what_a_loop_need_not_do_itself_is_done_outside() {
    let graph = tensa::canon::run(&autodiff::gradients(&tensa::canon::run(&recurrent(false, 5, 3).graph)));
    let scans = graph.scans();
    let products = |graph: &Graph| graph.nodes.iter().filter(|node| matches!(node.op, Op::Contract { .. })).count();
    // h·u on the way there, and its gradient by h on the way back; that by the weights is no carry.
    assert_eq!(scans.iter().map(|scan| products(&scan.body)).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(scans.iter().map(|scan| scan.carries).collect::<Vec<_>>(), [1, 1]);
    // x·w, and the gradients by w, u and x, for all steps at once.
    assert_eq!(products(&graph), 4, "{}", tensa::ir::text::print(&graph));
}

#[test]
fn every_operation_with_arguments_has_a_case() {
    // Exhaustive, so that a new operation does not compile before it has a place here.
    let class = |op: &Op| match op {
        Op::Input(_) | Op::Param(_) | Op::State(_) | Op::Const(_) | Op::Scalar(_) | Op::Iota(_) | Op::Random { .. } => {
            None
        }
        // Its gradient is not that of its value; see below.
        Op::Attention(..) | Op::AttentionGrad(..) => Some(16),
        // A loop has cases of its own, above.
        Op::StopGradient | Op::Scan(..) => None,
        Op::Remat => Some(15),
        Op::Variable(_) => Some(16),
        Op::Order { .. } => Some(17),
        // No function of its arguments: `tests/derivatives.rs`.
        Op::Derivative | Op::WithGradient | Op::Incoming { .. } => None,
        Op::Map(_) => Some(0),
        Op::Permute(_) => Some(1),
        Op::Reshape(_) => Some(2),
        Op::Broadcast { .. } => Some(3),
        Op::Window { .. } => Some(4),
        Op::Concat(_) => Some(5),
        Op::Reduce(..) => Some(6),
        Op::ArgReduce(..) => Some(7),
        Op::LogSumExp(_) => Some(8),
        Op::Contract { .. } => Some(9),
        Op::Take(_) => Some(10),
        Op::ScatterAdd(..) => Some(11),
        Op::Pick(_) => Some(12),
        Op::Variance(_) => Some(13),
        Op::Prefix { .. } => Some(14),
    };
    let found: Vec<usize> = cases().iter().filter_map(|(op, _)| class(op)).collect();
    assert!((0..=17).all(|class| found.contains(&class)));
}

/// The gradient at chosen points, where differences do not reach.
fn gradient_at(op: &Op, args: &[f64]) -> Vec<f64> {
    let mut given = Given::default();
    let mut b = Builder::new(Graph::default());
    let nodes: Vec<NodeId> =
        args.iter().map(|&x| param(&mut b, &mut given, Ty::scalar(F32), Value::scalar(x))).collect();
    let node = b.node(op.clone(), &nodes);
    b.graph.outputs.push(Output { role: Role::Loss, node });
    let graph = autodiff::gradients(&b.finish());
    (0..args.len()).map(|at| output(&graph, &given, &Role::Grad(ParamId(at as u32))).data[0]).collect()
}

#[test]
fn gradients_at_kinks_and_poles() {
    let at = |map: MapOp, args: &[f64]| gradient_at(&Op::Map(map), args);
    assert_eq!(at(MapOp::Max, &[1.0, 1.0]), [0.5, 0.5]);
    assert_eq!(at(MapOp::Min, &[1.0, 1.0]), [0.5, 0.5]);
    assert_eq!(at(MapOp::Max, &[2.0, 1.0]), [1.0, 0.0]);
    assert_eq!(at(MapOp::Min, &[2.0, 1.0]), [0.0, 1.0]);
    assert_eq!(at(MapOp::Abs, &[0.0]), [0.0]);
    assert_eq!(at(MapOp::Pow, &[0.0, 2.0]), [0.0, 0.0]);
    assert_eq!(at(MapOp::Pow, &[0.0, 1.0]), [1.0, 0.0]);
    assert_eq!(at(MapOp::Sqrt, &[0.0]), [f64::INFINITY]);
    assert_eq!(gradient_at(&Op::StopGradient, &[2.0]), [0.0]);
}

/// Runs a graph over one vector parameter and gives the gradient of its loss.
fn gradient_of(x: &[f64], build: impl FnOnce(&mut Builder, NodeId) -> NodeId) -> Vec<f64> {
    let mut given = Given::default();
    let mut b = Builder::new(Graph::default());
    let ty = Ty::new(F32, [Dim::constant(x.len() as i64)]);
    let node = param(&mut b, &mut given, ty, Value::new([x.len()], x));
    let result = build(&mut b, node);
    let axes: Vec<usize> = (0..b.rank(result)).collect();
    let loss = b.sum(result, &axes);
    b.graph.outputs.push(Output { role: Role::Loss, node: loss });
    let graph = autodiff::gradients(&b.finish());
    output(&graph, &given, &Role::Grad(ParamId(0))).data
}

#[test]
fn a_guarded_pole_passes_no_gradient() {
    // where(x > 0, f(x), x)
    for map in [MapOp::Sqrt, MapOp::Log] {
        let grad = gradient_of(&[4.0, 0.0, -1.0], |b, x| {
            let zero = b.zeros_like(x);
            let above = b.cmp(Cmp::Lt, zero, x);
            let y = b.map(map, &[x]);
            b.select(above, y, x)
        });
        assert_eq!(grad, [0.25, 1.0, 1.0]);
    }
    // where(x < 700, exp(x), x): no ∞·0
    let grad = gradient_of(&[0.0, 800.0], |b, x| {
        let limit = b.full_like(x, 700.0);
        let below = b.cmp(Cmp::Lt, x, limit);
        let y = b.map(MapOp::Exp, &[x]);
        b.select(below, y, x)
    });
    assert_eq!(grad, [1.0, 1.0]);
    // where(x != 0, 1 / x, x)
    let grad = gradient_of(&[2.0, 0.0], |b, x| {
        let zero = b.zeros_like(x);
        let some = b.cmp(Cmp::Ne, x, zero);
        let one = b.full_like(x, 1.0);
        let y = b.div(one, x);
        b.select(some, y, x)
    });
    assert_eq!(grad, [-0.25, 1.0]);
}

#[test]
fn a_zero_gradient_does_not_hide_the_second_derivative() {
    // (exp(x) - 1)² has the slope 0 and the curvature 2 at 0.
    let second = gradient_of(&[0.0], |b, x| {
        let one = b.full_like(x, 1.0);
        let exp = b.map(MapOp::Exp, &[x]);
        let rest = b.sub(exp, one);
        let square = b.mul(rest, rest);
        let loss = b.sum(square, &[0]);
        autodiff::grad(b, loss, &[x])[0]
    });
    assert_eq!(second, [2.0]);
}

#[test]
fn ties_of_a_reduction_go_to_the_first() {
    let of = |reduce| move |b: &mut Builder, x: NodeId| b.reduce(reduce, x, &[0]);
    assert_eq!(gradient_of(&[1.0, 3.0, 3.0], of(ReduceOp::Max)), [0.0, 1.0, 0.0]);
    assert_eq!(gradient_of(&[1.0, 3.0, 1.0], of(ReduceOp::Min)), [1.0, 0.0, 0.0]);
    assert_eq!(gradient_of(&[0.0, 3.0, 2.0], of(ReduceOp::Prod)), [6.0, 0.0, 0.0]);
    assert_eq!(gradient_of(&[0.0, 3.0, 0.0], of(ReduceOp::Prod)), [0.0, 0.0, 0.0]);
}

#[test]
fn log_sum_exp_of_a_masked_row_has_gradient_zero() {
    let low = f64::NEG_INFINITY;
    let of = |b: &mut Builder, x: NodeId| b.log_sum_exp(x, 0);
    assert_eq!(gradient_of(&[low, low], of), [0.0, 0.0]);
    assert_eq!(gradient_of(&[low, 1.0], of), [0.0, 1.0]);
}
