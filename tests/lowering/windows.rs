//! Convolutions and pools as kernels: values as the graph says, the same bits on both backends, and no window
//! that is written out.

use tensa::backend::cpu::Cpu;
use tensa::backend::interp::graph::Given;
use tensa::ir::{DType, Dim, Graph, Output, Role, Ty};
use tensa::kernel::ir::{Program, Step};
use tensa::ops::{self, Builder, Op, ReduceOp, Taps, WindowAxis};
use tensa::{autodiff, canon, fuse, opt};

use super::random_graphs::{check, program};
use crate::ops::convolutions::{Conv, Relation};
use crate::ops::gradients::{Harness, input, param};
use crate::support::graphs::Rng;

fn compiled(graph: &Graph) -> Graph {
    opt::run(&canon::run(&autodiff::gradients(&canon::run(graph))))
}

fn convs(program: &Program) -> usize {
    program.steps.iter().filter(|step| matches!(step, Step::Conv(_))).count()
}

#[test]
fn random_convolutions() {
    let cpu = Cpu::new(2).unwrap();
    for seed in 0..200 {
        let conv = Conv::random(&mut Rng::new(seed));
        let (Harness { graph, given }, _) = conv.harness(seed);
        let graph = compiled(&graph);
        let what = format!("{seed}: {conv:?}");
        check(&what, &graph, given, &program(&what, &graph), &cpu);
    }
}

/// As layers have them: `(size, kernel, stride, pad, channels, columns, groups)`.
fn layer([i, k, stride, pad, c, q, g]: [i64; 7]) -> Conv {
    let o = (i + 2 * pad - k) / stride + 1;
    Conv { axes: vec![Relation { i, o, k, m: 1, a: stride, d: 1, b: -pad }; 2], n: 3, g, c, q }
}

#[test]
fn convolutions_of_layers_are_steps_of_their_own() {
    let layers = [
        [22, 3, 1, 0, 3, 8, 1],
        [16, 3, 1, 1, 24, 40, 1],
        [15, 3, 2, 1, 16, 33, 1],
        [14, 5, 3, 2, 7, 9, 1],
        [9, 3, 1, 1, 6, 10, 2],
        [40, 7, 2, 3, 3, 64, 1],
        [4, 3, 1, 1, 300, 70, 1],
    ];
    for (seed, layer_of) in layers.into_iter().enumerate() {
        let (Harness { graph, given }, _) = layer(layer_of).harness(seed as u32);
        let graph = compiled(&graph);
        let what = format!("{layer_of:?}");
        let program = program(&what, &graph);
        assert_eq!(convs(&program), 3, "{what}\n{}\n{program}", fuse::print(&fuse::fuse(&graph)));
        for threads in [1, 3] {
            check(&what, &graph, given.clone(), &program, &Cpu::new(threads).unwrap());
        }
    }
}

#[test]
fn a_strided_convolution_of_size_one_is_not_copied_and_its_gradient_is_small() {
    let (Harness { graph, given }, _) = layer([16, 1, 2, 0, 12, 20, 1]).harness(1);
    let graph = compiled(&graph);
    let program = program("1x1", &graph);
    // Forward and by the weights; by the input it is a product of what was read, put back between zeros.
    assert_eq!(convs(&program), 2, "{program}");
    assert_eq!(program.steps.iter().filter(|step| matches!(step, Step::Gemm { .. })).count(), 1, "{program}");
    check("1x1", &graph, given, &program, &Cpu::new(2).unwrap());
}

/// The reduction of windows of `x[n, h, w, c]`, and the gradient of a weighted sum of it.
fn pool(op: ReduceOp, [size, k, stride, pad]: [i64; 4], depthwise: bool) -> (Graph, Given) {
    let mut given = Given::default();
    let mut b = Builder::new(Graph::default());
    let mut tensor = |b: &mut Builder, dims: &[i64], of: &Op, is_param: bool| {
        let bound = dims.iter().map(|dim| *dim as usize).collect();
        let value = ops::probes(of, &[(DType::F32, bound)], dims.len() as u32).remove(0);
        let ty = Ty::new(DType::F32, dims.iter().map(|dim| Dim::constant(*dim)));
        if is_param { param(b, &mut given, ty, value) } else { input(b, &mut given, ty, value) }
    };
    let o = (size + 2 * pad - k) / stride + 1;
    let reduce = Op::Reduce(ReduceOp::Max, vec![1]);
    let x = tensor(&mut b, &[2, size, size, 5], &reduce, true);
    let axis = |axis| WindowAxis {
        axis,
        out: Dim::constant(o),
        taps: Taps::New(Dim::constant(k)),
        m: 1,
        a: stride,
        d: 1,
        b: Dim::constant(-pad),
    };
    let fill = if op == ReduceOp::Max { f64::NEG_INFINITY } else { 0.0 };
    let mut read = b.window(x, vec![axis(1), axis(2)], fill);
    if depthwise {
        let f = tensor(&mut b, &[k, k, 5], &Op::StopGradient, true);
        let dims = b.dims(read);
        let f = b.place(f, &dims, &[2, 4, 5]);
        read = b.mul(read, f);
    }
    let pooled = b.reduce(op, read, &[2, 4]);
    let weights = tensor(&mut b, &[2, o, o, 5], &Op::StopGradient, false);
    let weighted = b.mul(pooled, weights);
    let loss = b.sum(weighted, &[0, 1, 2, 3]);
    b.graph.outputs.push(Output { role: Role::Value("y".to_owned()), node: pooled });
    b.graph.outputs.push(Output { role: Role::Loss, node: loss });
    (b.finish(), given)
}

/// The longest buffer that the program makes, in elements.
fn longest(program: &Program) -> i64 {
    program.buffers.iter().filter_map(|buffer| buffer.len.as_const()).max().unwrap_or(0)
}

#[test]
fn pools_write_no_window_out() {
    for op in [ReduceOp::Max, ReduceOp::Sum, ReduceOp::Min] {
        for (sizes, steps) in [([12, 2, 2, 0], 3), ([13, 3, 2, 1], 3), ([7, 3, 1, 1], 3), ([8, 4, 4, 0], 3)] {
            let (graph, given) = pool(op, sizes, false);
            let graph = compiled(&graph);
            let what = format!("{op:?} {sizes:?}");
            let program = program(&what, &graph);
            check(&what, &graph, given, &program, &Cpu::new(2).unwrap());
            let text = || format!("{what}\n{}\n{program}", fuse::print(&fuse::fuse(&graph)));
            assert!(longest(&program) <= 2 * sizes[0] * sizes[0] * 5, "{}", text());
            assert!(program.steps.len() <= steps, "{} steps\n{}", program.steps.len(), text());
        }
    }
}

#[test]
fn depthwise_convolutions_write_no_window_out() {
    for sizes in [[12, 3, 1, 1], [13, 3, 2, 1], [14, 7, 1, 3]] {
        let (graph, given) = pool(ReduceOp::Sum, sizes, true);
        let graph = compiled(&graph);
        let what = format!("{sizes:?}");
        let program = program(&what, &graph);
        check(&what, &graph, given, &program, &Cpu::new(2).unwrap());
        let text = || format!("{what}\n{}\n{program}", fuse::print(&fuse::fuse(&graph)));
        assert!(longest(&program) <= 2 * sizes[0] * sizes[0] * 5 * sizes[1], "{}", text());
    }
}
