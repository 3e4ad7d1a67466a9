//! Random graphs as kernels: the interpreter of kernels against the graph in f64, and machine code against
//! the interpreter of kernels, to the bit.

use std::sync::Arc;

use tensa::backend::Backend;
use tensa::backend::cpu::Cpu;
use tensa::backend::interp::Interp;
use tensa::backend::interp::graph::{self, Given};
use tensa::ir::{DType, Graph, Role};
use tensa::kernel::ir::Program;
use tensa::kernel::{self, parse, verify};
use tensa::ops::Value;
use tensa::{autodiff, canon, fuse, opt};

use crate::support::graphs::{Rng, random_graph, random_loops};
use crate::support::steps;

/// How far an f32 result may be from the f64 one, by the largest element of the tensor (at least 1).
const TOLERANCE: f64 = 5e-4;

/// The same for an f64 result: only the order of sums differs.
const TOLERANCE_WIDE: f64 = 1e-12;

/// Other values for the same graph, with another batch.
pub(super) fn given_for(graph: &Graph, batch: i64, seed: u32) -> Option<Given> {
    let mut rng = Rng::new(seed ^ 0x5eed);
    let sizes = vec![batch; graph.sizes.len()];
    let mut given = Given { sizes, seed: 0x1_0000_000b, step: 3, steps_per_epoch: 10, ..Given::default() };
    let mut value = |ty: &tensa::ir::Ty, below: Option<i64>| -> Option<Value> {
        let dims =
            ty.dims.iter().map(|dim| usize::try_from(dim.eval(&|_| batch).ok()?).ok()).collect::<Option<Vec<_>>>()?;
        let n: usize = dims.iter().product();
        let data: Vec<f64> = (0..n)
            .map(|_| match below {
                None => rng.real(),
                Some(below) => rng.below(below as usize) as f64,
            })
            .collect();
        Some(Value::new(dims, data))
    };
    for input in &graph.inputs {
        let below = input.below.as_ref().and_then(|dim| dim.eval(&|_| batch).ok());
        given.inputs.push(value(&input.ty, below)?);
    }
    for param in &graph.params {
        given.params.push(value(&param.ty, None)?);
    }
    for state in &graph.states {
        given.states.push(value(&state.ty, None)?);
    }
    Some(given)
}

pub(super) fn program(what: &str, graph: &Graph) -> Arc<Program> {
    let fused = fuse::fuse(graph);
    tensa::ops::verify::verify(&fused.graph).unwrap_or_else(|why| panic!("{what}: {why}"));
    let program = kernel::lower(&fused);
    verify::program(&program).unwrap_or_else(|why| panic!("{what}: {why}\n{}\n{program}", fuse::print(&fused)));
    let text = program.to_string();
    let again = parse::program(&text).unwrap_or_else(|why| panic!("{what}: {why}\n{text}"));
    assert_eq!(again.to_string(), text, "{what}");
    Arc::new(program)
}

fn assert_close(
    what: &str,
    graph: &Graph,
    want: &[(Role, Value)],
    got: &[(Role, Vec<u32>)],
    text: &dyn Fn() -> String,
) {
    assert_eq!(want.len(), got.len(), "{what}");
    for (((role, want), (_, words)), output) in want.iter().zip(got).zip(&graph.outputs) {
        // Outputs of whole numbers are read as f32 here, as they always were: small ones are near 0.
        let dtype = if graph.ty(output.node).dtype == DType::F64 { DType::F64 } else { DType::F32 };
        let tolerance = if dtype == DType::F64 { TOLERANCE_WIDE } else { TOLERANCE };
        let got = steps::elements(words, dtype);
        assert_eq!(want.data.len(), got.len(), "{what}: {role:?}");
        let most = want.data.iter().filter(|x| x.is_finite()).fold(1.0f64, |most, x| most.max(x.abs()));
        for (at, (x, y)) in want.data.iter().zip(got).enumerate() {
            let unwritten = words[at * words.len() / want.data.len()] == 0x7fc0_dead;
            let same = (x.is_nan() && y.is_nan() && !unwritten) || *x == y || (x - y).abs() <= tolerance * most;
            assert!(same, "{what}: {role:?}[{at}] is {y}, not {x}\n{}", text());
        }
    }
}

fn assert_same_bits(what: &str, want: &[(Role, Vec<u32>)], got: &[(Role, Vec<u32>)], text: &dyn Fn() -> String) {
    let nan = |word: u32| f32::from_bits(word).is_nan();
    for ((role, want), (_, got)) in want.iter().zip(got) {
        let off = want.iter().zip(got).position(|(x, y)| x != y && !(nan(*x) && nan(*y)));
        if let Some(at) = off {
            let show = |word: u32| f32::from_bits(word);
            panic!("{what}: {role:?}[{at}] is {:e}, not {:e}\n{}", show(got[at]), show(want[at]), text());
        }
    }
}

/// Whether the program says what the graph says, for a batch.
pub(super) fn check(what: &str, graph: &Graph, given: Given, program: &Arc<Program>, cpu: &Cpu) {
    let given = steps::held(graph, given);
    let Ok(want) = graph::run(graph, &given) else { return };
    let text = || {
        format!(
            "sizes {:?}\n{}\n{}\n{program}",
            given.sizes,
            tensa::ir::text::print(graph),
            fuse::print(&fuse::fuse(graph))
        )
    };
    let kernels =
        steps::run(graph, program, &Interp, &given).unwrap_or_else(|why| panic!("{what}: {why:?}\n{}", text()));
    assert_close(what, graph, &want, &kernels, &text);
    let code = steps::run(graph, program, cpu as &dyn Backend, &given).unwrap_or_else(|why| panic!("{what}: {why:?}"));
    assert_same_bits(what, &kernels, &code, &text);
}

pub(super) type Make = fn(u32) -> (Graph, Given);

pub(super) fn check_all(make: Make, seeds: std::ops::Range<u32>, compile: fn(&Graph) -> Graph) {
    let mut failures: Vec<String> = Vec::new();
    let mut cpu = Cpu::new(2).unwrap();
    for seed in seeds.clone() {
        if seed % 64 == 0 {
            cpu = Cpu::new(1 + (seed / 64) as usize % 3).unwrap();
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let (source, given) = make(seed);
            let graph = compile(&source);
            let program = program(&format!("graph {seed}"), &graph);
            check(&format!("graph {seed}"), &graph, given, &program, &cpu);
            for batch in [0, 1, 5, 19] {
                if let Some(given) = given_for(&graph, batch, seed) {
                    check(&format!("graph {seed} at {batch}"), &graph, given, &program, &cpu);
                }
            }
        }));
        if let Err(panic) = outcome {
            failures.push(panic.downcast_ref::<String>().cloned().unwrap_or_else(|| format!("graph {seed}")));
        }
    }
    if let Some(shortest) = failures.iter().min_by_key(|text| text.len()) {
        let firsts: Vec<&str> = failures.iter().filter_map(|text| text.lines().next()).collect();
        panic!("{} of {} fail:\n{}\nthe shortest:\n{shortest}", failures.len(), seeds.len(), firsts.join("\n"));
    }
}

#[test]
fn values_of_random_graphs() {
    check_all(random_graph, 0..300, |graph| opt::run(&canon::run(graph)));
}

#[test]
fn values_of_random_graphs_as_they_are() {
    check_all(random_graph, 2000..2150, opt::run);
}

#[test]
fn gradients_of_random_graphs() {
    check_all(random_graph, 1000..1300, |graph| opt::run(&canon::run(&autodiff::gradients(&canon::run(graph)))));
}

#[test]
fn values_of_random_loops() {
    check_all(random_loops, 0..200, |graph| opt::run(&canon::run(graph)));
}

#[test]
fn values_of_random_loops_as_they_are() {
    check_all(random_loops, 1000..1100, opt::run);
}

#[test]
fn gradients_of_random_loops() {
    check_all(random_loops, 2000..2150, |graph| opt::run(&canon::run(&autodiff::gradients(&canon::run(graph)))));
}
