//! How fast convolutions run in each of their roles, beside a matrix product of the same size:
//! `cargo bench --bench convolutions`.
//!
//! Medians of wall time as GFLOP/s, a fused multiply-add counted as two. The product is what a convolution would
//! take if its patches lay in memory. Needs a quiet machine: threads spin.

use std::time::{Duration, Instant};

use tensa::backend::cpu::Cpu;
use tensa::driver;
use tensa::ir::{DType, Dim, Graph, Input as GraphInput, InputId, NodeId, Output, Role, Ty};
use tensa::ops::{Builder, Op, Taps, WindowAxis};
use tensa::runtime::{Env, Executable, Input, Store};
use tensa::sema::typed::Precision;
use tensa::{autodiff, canon};

/// Pictures of `size`² with `c` channels, `n` of them, by `k`² taps at a stride to `q` channels.
#[derive(Clone, Copy)]
struct Layer {
    n: i64,
    size: i64,
    c: i64,
    q: i64,
    k: i64,
    stride: i64,
}

/// Of networks for small and for large pictures.
const LAYERS: [Layer; 7] = [
    Layer { n: 64, size: 28, c: 1, q: 16, k: 3, stride: 1 },
    Layer { n: 64, size: 14, c: 16, q: 32, k: 3, stride: 1 },
    Layer { n: 32, size: 32, c: 64, q: 64, k: 3, stride: 1 },
    Layer { n: 32, size: 32, c: 64, q: 128, k: 3, stride: 2 },
    Layer { n: 32, size: 8, c: 256, q: 256, k: 3, stride: 1 },
    Layer { n: 32, size: 4, c: 512, q: 512, k: 3, stride: 1 },
    Layer { n: 1, size: 224, c: 3, q: 64, k: 7, stride: 2 },
];

fn main() {
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    for threads in [1, all] {
        println!("\n{threads} thread(s), GFLOP/s{:>34}{:>10}{:>10}{:>10}", "fwd", "dx", "dw", "product");
        let cpu = Cpu::new(threads).expect("a compiler for this machine");
        for layer in LAYERS {
            let Layer { n, size, c, q, k, stride } = layer;
            let out = layer.out();
            let flops = (2 * n * out * out * q * c * k * k) as f64;
            let rates = [0, 1, 2].map(|role| flops / time(&layer.program(role), &cpu) * 1e-9);
            let product = flops / time(&product(n * out * out, c * k * k, q), &cpu) * 1e-9;
            let name = format!("{n:>3} x {size:>3}² x {c:>3} -> {q:>3}, {k}² taps / {stride}");
            println!("{name:<40}{:>10.0}{:>10.0}{:>10.0}{product:>10.0}", rates[0], rates[1], rates[2]);
        }
    }
}

impl Layer {
    /// The size of the result, with padding to keep it at stride 1.
    fn out(&self) -> i64 {
        (self.size + 2 * (self.k / 2) - self.k) / self.stride + 1
    }

    /// The convolution, or its gradient by the picture or the taps, alone.
    fn program(&self, role: usize) -> Graph {
        let mut b = Builder::new(Graph::default());
        let out = self.out();
        let x = input(&mut b, &[self.n, self.size, self.size, self.c]);
        let f = input(&mut b, &[self.k, self.k, self.c, self.q]);
        let axis = |axis| WindowAxis {
            axis,
            out: Dim::constant(out),
            taps: Taps::New(Dim::constant(self.k)),
            m: 1,
            a: self.stride,
            d: 1,
            b: Dim::constant(-(self.k / 2)),
        };
        let read = b.window(x, vec![axis(1), axis(2)], 0.0);
        // [n, h, ki, w, kj, c] · [ki, kj, c, q]
        let y = b.contract((read, &[0, 1, 2, 3, 4, 5]), (f, &[2, 4, 5, 6]), &[0, 1, 3, 6]);
        let result = match role {
            0 => y,
            _ => {
                let weights = input(&mut b, &[self.n, out, out, self.q]);
                let weighted = b.mul(y, weights);
                let loss = b.sum(weighted, &[0, 1, 2, 3]);
                autodiff::grad(&mut b, loss, &[if role == 1 { x } else { f }])[0]
            }
        };
        finished(b, result)
    }
}

fn product(m: i64, k: i64, n: i64) -> Graph {
    let mut b = Builder::new(Graph::default());
    let (x, y) = (input(&mut b, &[m, k]), input(&mut b, &[k, n]));
    let result = b.contract((x, &[0, 1]), (y, &[1, 2]), &[0, 2]);
    finished(b, result)
}

fn input(b: &mut Builder, dims: &[i64]) -> NodeId {
    let id = InputId(b.graph.inputs.len() as u32);
    let ty = Ty::new(DType::F32, dims.iter().map(|dim| Dim::constant(*dim)));
    b.graph.inputs.push(GraphInput { name: format!("x{}", id.0), ty, below: None });
    b.node(Op::Input(id), &[])
}

fn finished(mut b: Builder, node: NodeId) -> Graph {
    b.graph.outputs.push(Output { role: Role::Value(String::new()), node });
    driver::forward(&canon::run(&b.finish()), Precision::F32)
}

/// The median time of a step, in seconds.
fn time(graph: &Graph, cpu: &Cpu) -> f64 {
    let mut executable = Executable::new(driver::kernels(graph), cpu).expect("a program that compiles");
    let mut store = Store::of(graph).expect("no memory at all");
    let numbers: Vec<Vec<f32>> = graph
        .inputs
        .iter()
        .map(|input| {
            let count: i64 = input.ty.dims.iter().filter_map(Dim::as_const).product();
            (0..count).map(|at| (at * 7919 % 1009) as f32 / 500.0 - 1.0).collect()
        })
        .collect();
    let inputs: Vec<Input<'_>> = numbers.iter().map(|numbers| Input::F32(numbers)).collect();
    let env = Env { inputs: &inputs, sizes: &[], seed: 0, step: 1, steps_per_epoch: 1 };
    let begin = Instant::now();
    let mut times = Vec::new();
    while times.len() < 7 || (begin.elapsed() < Duration::from_millis(300) && times.len() < 10_000) {
        let start = Instant::now();
        drop(executable.run(&env, &mut store).expect("a step that runs"));
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
