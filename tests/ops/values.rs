//! Reference values at the odd points.

use tensa::backend::interp::graph::{Given, RunError, run};
use tensa::ir::{DType, Dim, Graph, Input, InputId, NodeId, Output, Role, SizeId, Ty};
use tensa::ops::Builder;
use tensa::ops::{
    ArgOp, Cmp, Dist, MapOp, Op, Order, ReduceOp, Taps, Value, WindowAxis, eval_map, order_by_definition,
};

/// The value of what is built from one vector.
fn value_of(x: &[f64], build: impl FnOnce(&mut Builder, NodeId) -> NodeId) -> Vec<f64> {
    let mut b = Builder::new(Graph::default());
    let ty = Ty::new(DType::F32, [Dim::constant(x.len() as i64)]);
    b.graph.inputs.push(Input { name: "x".to_owned(), ty, below: None });
    let input = b.node(Op::Input(InputId(0)), &[]);
    let node = build(&mut b, input);
    b.graph.outputs.push(Output { role: Role::Value(String::new()), node });
    let given = Given { inputs: vec![Value::new([x.len()], x)], seed: 5, ..Given::default() };
    run(&b.finish(), &given).unwrap().remove(0).1.data
}

#[test]
fn elements_at_special_values() {
    let nan = f64::NAN;
    assert!(eval_map(MapOp::Max, &[nan, 1.0]).is_nan() && eval_map(MapOp::Min, &[1.0, nan]).is_nan());
    assert_eq!(eval_map(MapOp::Cmp(Cmp::Ne), &[nan, nan]), 1.0);
    assert_eq!(eval_map(MapOp::Cmp(Cmp::Le), &[nan, nan]), 0.0);
    assert_eq!(eval_map(MapOp::Pow, &[0.0, 0.0]), 1.0);
    assert_eq!(eval_map(MapOp::Round, &[2.5]), 2.0);
    assert_eq!(eval_map(MapOp::Cast(DType::I32), &[-2.7]), -2.0);
    assert_eq!(eval_map(MapOp::Cast(DType::I32), &[1e20]), f64::from(i32::MAX));
    assert_eq!(eval_map(MapOp::Cast(DType::I32), &[nan]), 0.0);
    assert_eq!(eval_map(MapOp::Cast(DType::Bool), &[-0.5]), 1.0);
}

#[test]
fn reductions_of_nothing_and_of_nan() {
    let reduce = |op| move |b: &mut Builder, x: NodeId| b.reduce(op, x, &[0]);
    assert_eq!(value_of(&[], reduce(ReduceOp::Sum)), [0.0]);
    assert_eq!(value_of(&[], reduce(ReduceOp::Prod)), [1.0]);
    assert_eq!(value_of(&[], reduce(ReduceOp::Max)), [f64::NEG_INFINITY]);
    assert!(value_of(&[1.0, f64::NAN, 2.0], reduce(ReduceOp::Max))[0].is_nan());
    let arg = |b: &mut Builder, x: NodeId| b.arg_reduce(ArgOp::Max, x, &[0]);
    assert_eq!(value_of(&[1.0, 5.0, 5.0], arg), [1.0]);
    assert_eq!(value_of(&[1.0, f64::NAN, 5.0], arg), [1.0]);
    let lse = |b: &mut Builder, x: NodeId| b.log_sum_exp(x, 0);
    assert_eq!(value_of(&[], lse), [f64::NEG_INFINITY]);
    assert_eq!(value_of(&[1000.0, 1000.0], lse), [1000.0 + 2f64.ln()]);
}

#[test]
fn orders_are_stable_and_put_nan_last() {
    let order = |descending, count| {
        move |b: &mut Builder, x: NodeId| b.node(Op::Order { axis: 0, descending, count: Dim::constant(count) }, &[x])
    };
    let nan = f64::NAN;
    assert_eq!(value_of(&[2.0, nan, 1.0, 2.0, nan, -0.0, 0.0], order(false, 7)), [5.0, 6.0, 2.0, 0.0, 3.0, 1.0, 4.0]);
    assert_eq!(value_of(&[2.0, nan, 1.0, 2.0, nan], order(true, 5)), [1.0, 4.0, 0.0, 3.0, 2.0]);
    assert_eq!(value_of(&[f64::NEG_INFINITY, 5.0, f64::INFINITY], order(true, 2)), [2.0, 1.0]);
    // What kernels are given is the same order.
    for (descending, count) in [(false, 7), (true, 7), (true, 3)] {
        let by_definition = move |b: &mut Builder, x: NodeId| {
            order_by_definition(b, &Order { axis: 0, descending, count: Dim::constant(count) }, x)
        };
        let x = [2.0, nan, 1.0, 2.0, nan, -0.0, 0.0];
        assert_eq!(value_of(&x, by_definition), value_of(&x, order(descending, count)));
    }
}

#[test]
fn windows_ask_where_to_read() {
    let axis = |out, taps: Option<i64>, m, a, d, b| WindowAxis {
        axis: 0,
        out: Dim::constant(out),
        taps: taps.map_or(Taps::None, |n| Taps::New(Dim::constant(n))),
        m,
        a,
        d,
        b: Dim::constant(b),
    };
    let window = |axis: WindowAxis| move |b: &mut Builder, x: NodeId| b.window(x, vec![axis], 9.0);
    let x = [0.0, 1.0, 2.0, 3.0];
    assert_eq!(value_of(&x, window(axis(4, None, 1, -1, 0, 3))), [3.0, 2.0, 1.0, 0.0]);
    assert_eq!(value_of(&x, window(axis(6, None, 1, 1, 0, -1))), [9.0, 0.0, 1.0, 2.0, 3.0, 9.0]);
    // Every other position falls between two.
    assert_eq!(value_of(&x, window(axis(4, None, 2, 1, 0, 0))), [0.0, 9.0, 1.0, 9.0]);
    assert_eq!(value_of(&x, window(axis(2, Some(3), 1, 2, 1, -1))), [9.0, 0.0, 1.0, 1.0, 2.0, 3.0]);
}

#[test]
fn random_numbers_are_a_function_of_site_and_step() {
    let random = |dist, site| {
        move |b: &mut Builder, _: NodeId| b.node(Op::Random { dist, site, dims: vec![Dim::constant(1000)] }, &[])
    };
    let uniform = value_of(&[], random(Dist::Uniform, 1));
    assert_eq!(uniform, value_of(&[], random(Dist::Uniform, 1)));
    assert_ne!(uniform, value_of(&[], random(Dist::Uniform, 2)));
    assert!(uniform.iter().all(|u| (0.0..1.0).contains(u)));
    let normal = value_of(&[], random(Dist::Normal, 3));
    let mean = normal.iter().sum::<f64>() / 1000.0;
    let variance = normal.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1000.0;
    assert!(mean.abs() < 0.15 && (variance - 1.0).abs() < 0.2, "mean {mean}, variance {variance}");
}

#[test]
fn what_does_not_fit_is_an_error() {
    let mut b = Builder::new(Graph { sizes: vec!["n".to_owned()], ..Graph::default() });
    let n = Dim::size(SizeId(0));
    let ty = Ty::new(DType::F32, [n.sub(&Dim::constant(2)).unwrap()]);
    b.graph.inputs.push(Input { name: "x".to_owned(), ty, below: None });
    b.node(Op::Input(InputId(0)), &[]);
    let graph = b.finish();
    let given =
        |n: i64, len: usize| Given { inputs: vec![Value::full(&[len], 0.0)], sizes: vec![n], ..Given::default() };
    assert!(run(&graph, &given(5, 3)).is_ok());
    assert!(matches!(run(&graph, &given(1, 3)), Err(RunError::Size(_))));
    assert!(matches!(run(&graph, &given(5, 2)), Err(RunError::Shape { .. })));
    assert_eq!(run(&graph, &Given::default()), Err(RunError::Count));
}

#[test]
fn what_is_made_of_others_has_the_value_of_its_definition() {
    let values: Vec<f64> = (0..24).map(|at| f64::from(at * 37 % 23) / 7.0 - 1.0).collect();
    let shaped = |b: &mut Builder, x: NodeId| b.reshape(x, &[2, 3, 4].map(Dim::constant));
    for axes in [&[0][..], &[1], &[2], &[0, 1], &[0, 2], &[0, 1, 2]] {
        let op = value_of(&values, |b, x| {
            let x = shaped(b, x);
            b.variance(x, axes)
        });
        for definition in [tensa::ops::variance_by_definition, tensa::ops::variance_in_one_walk] {
            let made = value_of(&values, |b, x| {
                let x = shaped(b, x);
                definition(b, x, axes)
            });
            assert!(op.iter().zip(&made).all(|(x, y)| (x - y).abs() < 1e-12), "{axes:?}: {op:?}, {made:?}");
        }
    }
    for op in [ReduceOp::Sum, ReduceOp::Prod, ReduceOp::Max, ReduceOp::Min] {
        for (axis, which) in [(0, 0), (1, 1), (2, 2), (1, 3)] {
            let prefix = tensa::ops::Prefix { op, axis, reversed: which & 1 == 1, exclusive: which & 2 == 2 };
            let [whole, made] = [true, false].map(|whole| {
                value_of(&values, |b, x| {
                    let x = shaped(b, x);
                    match whole {
                        true => b.node(prefix.op(), &[x]),
                        false => tensa::ops::prefix_by_definition(b, prefix, x),
                    }
                })
            });
            assert!(whole.iter().zip(&made).all(|(x, y)| x == y || (x - y).abs() < 1e-9), "{prefix:?}");
        }
    }
}
