//! How the time of the middle grows: chains of dense layers, twice as long each time.
//!
//! `cargo bench --bench compile`. Prints milliseconds for each pass (the best of five) and what the whole grew
//! by; 2 is linear.

use std::time::Instant;

use tensa::ir::{DType, Dim, Graph, Input, InputId, Output, Param, ParamId, Role, SizeId, Ty};
use tensa::ops::Builder;
use tensa::ops::{MapOp, Op};
use tensa::{autodiff, canon, opt};

const REPEATS: usize = 5;

/// `x ← tanh(Σ x·w + b)`, again and again, as the language writes it.
fn dense_chain(layers: usize) -> Graph {
    let width = Dim::constant(64);
    let n = Dim::size(SizeId(0));
    let mut b = Builder::new(Graph { sizes: vec!["batch".to_owned()], ..Graph::default() });
    let ty = Ty::new(DType::F32, [n.clone(), width.clone()]);
    b.graph.inputs.push(Input { name: "x".to_owned(), ty, below: None });
    let mut x = b.node(Op::Input(InputId(0)), &[]);
    for layer in 0..layers {
        let [w, bias] = [("w", vec![width.clone(); 2]), ("b", vec![width.clone()])].map(|(name, dims)| {
            let id = ParamId(b.graph.params.len() as u32);
            let ty = Ty::new(DType::F32, dims);
            b.graph.params.push(Param { path: format!("Net.{layer}.{name}"), ty, axes: Vec::new() });
            b.node(Op::Param(id), &[])
        });
        let all = [n.clone(), width.clone(), width.clone()];
        let left = b.place(x, &all, &[0, 1]);
        let right = b.place(w, &all, &[1, 2]);
        let product = b.mul(left, right);
        let sum = b.sum(product, &[1]);
        let bias = b.place(bias, &[n.clone(), width.clone()], &[1]);
        let sum = b.add(sum, bias);
        x = b.map(MapOp::Tanh, &[sum]);
    }
    let sum = b.sum(x, &[0, 1]);
    let size = b.size(&n);
    let loss = b.div(sum, size);
    b.graph.outputs.push(Output { role: Role::Loss, node: loss });
    b.finish()
}

type Pass = fn(&Graph) -> Graph;

/// The result of a pass, and the milliseconds of its fastest run.
fn timed(pass: Pass, graph: &Graph) -> (Graph, f64) {
    let mut best = f64::INFINITY;
    let mut result = Graph::default();
    for _ in 0..REPEATS {
        let start = Instant::now();
        result = pass(graph);
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    (result, best)
}

fn main() {
    let passes: [(&str, Pass); 4] =
        [("canon", canon::run), ("autodiff", autodiff::gradients), ("canon", canon::run), ("opt", opt::run)];
    let mut before: Option<f64> = None;
    for layers in [250, 500, 1000, 2000] {
        let mut graph = dense_chain(layers);
        let mut line = format!("{layers:5} layers");
        let mut total = 0.0;
        for (name, pass) in passes {
            let (result, time) = timed(pass, &graph);
            line += &format!("   {name} {time:7.2} ms");
            total += time;
            graph = result;
        }
        let growth = before.map(|before| format!("   x{:.2}", total / before)).unwrap_or_default();
        println!("{line}   all {total:7.2} ms   {} nodes{growth}", graph.nodes.len());
        before = Some(total);
    }
}
