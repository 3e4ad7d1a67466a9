//! Graphs of 64 bits: the random graphs with f64 for f32, and what only wide elements have.

use std::sync::Arc;

use tensa::backend::Backend;
use tensa::backend::cpu::Cpu;
use tensa::backend::interp::Interp;
use tensa::backend::interp::graph::{self, Given};
use tensa::ir::{DType, Dim, Graph, HostOp, NodeId, Origin, Output, Role, Scan, Ty};
use tensa::kernel::ir::Step;
use tensa::ops::{Builder, Dist, MapOp, Number, Op, Value};
use tensa::{autodiff, canon, opt};

use super::random_graphs::{check, check_all, program};
use crate::ops::gradients::input;
use crate::support::graphs::{random_graph, random_loops};
use crate::support::steps;

fn wide_ty(ty: &Ty) -> Ty {
    let dtype = if ty.dtype == DType::F32 { DType::F64 } else { ty.dtype };
    Ty { dtype, ..ty.clone() }
}

fn wide_number(number: Number) -> Number {
    if number.dtype == DType::F32 { Number::new(DType::F64, number.value()) } else { number }
}

/// The same graph with f64 wherever it has f32; scalars of the host and random numbers are converted.
fn widened(graph: &Graph) -> Graph {
    let mut around = graph.clone();
    (around.nodes, around.outputs) = (Vec::new(), Vec::new());
    around.inputs.iter_mut().for_each(|input| input.ty = wide_ty(&input.ty));
    around.params.iter_mut().for_each(|param| param.ty = wide_ty(&param.ty));
    around.states.iter_mut().for_each(|state| state.ty = wide_ty(&state.ty));
    let mut b = Builder::new(around);
    let mut new: Vec<NodeId> = Vec::new();
    for node in &graph.nodes {
        let args: Vec<NodeId> = node.args.iter().map(|arg| new[arg.index()]).collect();
        let op = match &node.op {
            Op::Const(number) => Op::Const(wide_number(*number)),
            Op::Map(MapOp::Cast(DType::F32)) => Op::Map(MapOp::Cast(DType::F64)),
            Op::Window { axes, fill } => Op::Window { axes: axes.clone(), fill: wide_number(*fill) },
            // A normal number of f32 is not that of the reference in f64 to the last place.
            Op::Random { site, dims, .. } => Op::Random { dist: Dist::Uniform, site: *site, dims: dims.clone() },
            Op::Scan(scan, at) => Op::Scan(Arc::new(Scan { body: widened(&scan.body), ..(**scan).clone() }), *at),
            op => op.clone(),
        };
        let id = b.push(op, &args, Origin::default());
        let is_narrow = b.ty(id).dtype == DType::F32;
        new.push(if is_narrow { b.cast(id, DType::F64) } else { id });
    }
    for output in &graph.outputs {
        let node = new[output.node.index()];
        // A loss is an f32, whatever it is made of.
        let node = if output.role == Role::Loss { b.cast(node, DType::F32) } else { node };
        b.graph.outputs.push(Output { role: output.role.clone(), node });
    }
    b.finish()
}

/// What is rounded to 16 bits is f32 alone.
fn rounds(graph: &Graph) -> bool {
    let inner = |op: &Op| if let Op::Scan(scan, _) = op { rounds(&scan.body) } else { false };
    graph.nodes.iter().any(|node| matches!(node.op, Op::Map(MapOp::Bf16 | MapOp::F16)) || inner(&node.op))
}

fn widened_graph(seed: u32) -> (Graph, Given) {
    let (graph, given) = random_graph(seed);
    if rounds(&graph) { (graph, given) } else { (widened(&graph), given) }
}

fn widened_loops(seed: u32) -> (Graph, Given) {
    let (graph, given) = random_loops(seed);
    if rounds(&graph) { (graph, given) } else { (widened(&graph), given) }
}

#[test]
fn values_of_random_graphs() {
    check_all(widened_graph, 0..300, |graph| opt::run(&canon::run(graph)));
}

#[test]
fn gradients_of_random_graphs() {
    check_all(widened_graph, 1000..1200, |graph| opt::run(&canon::run(&autodiff::gradients(&canon::run(graph)))));
}

#[test]
fn values_of_random_loops() {
    check_all(widened_loops, 0..150, |graph| opt::run(&canon::run(graph)));
}

#[test]
fn gradients_of_random_loops() {
    check_all(widened_loops, 2000..2100, |graph| opt::run(&canon::run(&autodiff::gradients(&canon::run(graph)))));
}

/// Every dtype to every other, for ordinary numbers and those at the edges, as Rust converts them.
#[test]
fn casts_of_all_pairs() {
    let numbers = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -1.9,
        2.5,
        7.0,
        16_777_217.0,
        -3e9,
        3e9,
        1e19,
        -1e19,
        1e300,
        1e-300,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        0.1,
    ];
    for from in DType::ALL {
        for to in DType::ALL {
            let mut given = Given::default();
            let mut b = Builder::new(Graph::default());
            let n = numbers.len() as i64;
            let x = Value::new(vec![numbers.len()], numbers.to_vec());
            let x = input(&mut b, &mut given, Ty::new(from, [Dim::constant(n)]), x);
            let y = b.cast(x, to);
            b.graph.outputs.push(Output { role: Role::Value("y".to_owned()), node: y });
            let graph = b.finish();
            let given = steps::held(&graph, given);
            let program = program(&format!("{from:?} to {to:?}"), &graph);
            let kernels = steps::run(&graph, &program, &Interp, &given).unwrap();
            let code = steps::run(&graph, &program, &Cpu::new(1).unwrap(), &given).unwrap();
            assert_eq!(kernels, code, "{from:?} to {to:?}");
            let got = steps::elements(&code[0].1, to);
            for (x, y) in given.inputs[0].data.iter().zip(got) {
                let want = match to {
                    DType::F32 => f64::from(*x as f32),
                    DType::F64 => *x,
                    DType::I32 if from == DType::I64 => f64::from(*x as i64 as i32),
                    DType::I32 => f64::from(*x as i32),
                    DType::I64 => *x as i64 as f64,
                    DType::Bool => f64::from(u8::from(*x != 0.0)),
                };
                assert!(y == want || y.is_nan() && want.is_nan(), "{from:?} {x} to {to:?}: {y}, not {want}");
            }
        }
    }
}

/// A scalar of the host is an f64, and a kernel of f64 has all of it.
#[test]
fn a_scalar_of_the_host_is_not_rounded() {
    let mut given = Given::default();
    let mut b = Builder::new(Graph::default());
    let x =
        input(&mut b, &mut given, Ty::new(DType::F64, [Dim::constant(3)]), Value::new(vec![3], vec![1.0, 2.0, 3.0]));
    let third = b.graph.host.push(HostOp::Const(1.0 / 3.0));
    let third = b.scalar(third);
    let third = b.cast(third, DType::F64);
    let third = b.splat(third, &[Dim::constant(3)]);
    let y = b.mul(x, third);
    b.graph.outputs.push(Output { role: Role::Value("y".to_owned()), node: y });
    let graph = b.finish();
    let program = program("third", &graph);
    for backend in [&Interp as &dyn Backend, &Cpu::new(1).unwrap()] {
        let got = steps::run(&graph, &program, backend, &given).unwrap();
        let third = 1.0 / 3.0;
        assert_eq!(steps::elements(&got[0].1, DType::F64), [third, 2.0 * third, 3.0 * third]);
    }
}

/// A contraction and a convolution of f64 are steps of their own, not loops.
#[test]
fn products_of_f64_are_products() {
    let mut given = Given::default();
    let mut b = Builder::new(Graph::default());
    let number =
        |at: &[usize]| 1.0 / (1.0 + at.iter().enumerate().map(|(axis, i)| (axis + 1) * i).sum::<usize>() as f64);
    let mut tensor = |b: &mut Builder, dims: &[i64]| {
        let sizes: Vec<usize> = dims.iter().map(|dim| *dim as usize).collect();
        let ty = Ty::new(DType::F64, dims.iter().map(|dim| Dim::constant(*dim)));
        input(b, &mut given, ty, Value::from_fn(&sizes, number))
    };
    let (x, w) = (tensor(&mut b, &[70, 130]), tensor(&mut b, &[130, 90]));
    let y = b.contract((x, &[0, 1]), (w, &[1, 2]), &[0, 2]);
    b.graph.outputs.push(Output { role: Role::Value("y".to_owned()), node: y });
    // Images [n, h, w, c] through a window of 3 × 3 with taps [3, 3, c, d].
    let (images, taps) = (tensor(&mut b, &[2, 9, 8, 5]), tensor(&mut b, &[3, 3, 5, 7]));
    let axis = |axis: usize, out: i64| tensa::ops::WindowAxis {
        axis,
        out: Dim::constant(out),
        taps: tensa::ops::Taps::New(Dim::constant(3)),
        m: 1,
        a: 1,
        d: 1,
        b: Dim::constant(-1),
    };
    let windows = b.window(images, vec![axis(1, 9), axis(2, 8)], 0.0);
    let z = b.contract((windows, &[0, 1, 3, 2, 4, 5]), (taps, &[3, 4, 5, 6]), &[0, 1, 2, 6]);
    let z = b.map(MapOp::Tanh, &[z]);
    b.graph.outputs.push(Output { role: Role::Value("z".to_owned()), node: z });
    let graph = opt::run(&canon::run(&b.finish()));
    let program = program("products", &graph);
    let count = |is: fn(&Step) -> bool| program.steps.iter().filter(|step| is(step)).count();
    let counts = [count(|step| matches!(step, Step::Gemm { .. })), count(|step| matches!(step, Step::Conv(_)))];
    assert_eq!(counts, [1, 1], "{program}");
    graph::run(&graph, &given).unwrap();
    check("products", &graph, given, &program, &Cpu::new(2).unwrap());
}
