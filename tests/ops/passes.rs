//! Passes keep values, on random graphs; and they stay linear.

use tensa::backend::interp::graph::{Given, run};
use tensa::ir::text::print;
use tensa::ir::{DType, Dim, Graph, Input, InputId, Output, Param, ParamId, Role, SizeId, Ty};
use tensa::ops::Builder;
use tensa::ops::verify::verify;
use tensa::ops::{MapOp, Op, Value};
use tensa::{autodiff, canon, opt};

use crate::support::graphs::{random_graph, random_loops};

const GRAPHS: u32 = 1000;
const LOOPS: u32 = 400;

/// Random graphs, and such with loops, by their names.
fn graphs() -> impl Iterator<Item = (String, Graph, Given)> {
    let plain = (0..GRAPHS).map(|seed| (format!("graph {seed}"), random_graph(seed)));
    let loops = (0..LOOPS).map(|seed| (format!("loops {seed}"), random_loops(seed)));
    plain.chain(loops).map(|(name, (graph, given))| (name, graph, given))
}

fn outputs(graph: &Graph, given: &Given) -> Vec<(Role, Value)> {
    run(graph, given).unwrap()
}

/// That a pass left every output its value, within a tolerance.
fn assert_same(what: &str, before: &[(Role, Value)], after: &[(Role, Value)]) {
    for (role, before) in before {
        let (_, after) =
            after.iter().find(|(found, _)| found == role).unwrap_or_else(|| panic!("{what}: lost {role:?}"));
        assert_eq!(before.dims, after.dims, "{what}: sizes of {role:?}");
        for (x, y) in before.data.iter().zip(&after.data) {
            let same = x == y || (x.is_nan() && y.is_nan()) || (x - y).abs() <= 1e-9 * x.abs().max(1.0);
            assert!(same, "{what}: {role:?} was {x}, is {y}");
        }
    }
}

fn checked(what: &str, graph: Graph) -> Graph {
    verify(&graph).unwrap_or_else(|why| panic!("{what}: {why}"));
    graph
}

#[test]
fn canon_keeps_values_and_is_idempotent() {
    for (name, graph, given) in graphs() {
        let what = format!("canon of {name}");
        let after = checked(&what, canon::run(&graph));
        assert_same(&what, &outputs(&graph, &given), &outputs(&after, &given));
        assert_eq!(print(&canon::run(&after)), print(&after), "{what} twice");
    }
}

/// What is said to have no gradient has none, and what plainly has none is said.
#[test]
fn a_parameter_that_no_gradient_reaches_has_a_gradient_of_zeros() {
    let (mut dead, mut alive) = (0, 0);
    for (name, graph, given) in graphs() {
        let told: Vec<ParamId> = autodiff::untouched(&graph).into_iter().map(|(param, _)| param).collect();
        let with = autodiff::gradients(&graph);
        for output in &with.outputs {
            let Role::Grad(param) = output.role else { continue };
            let is_zero = tensa::ops::splat_value(&with, output.node).is_some_and(|number| number.value() == 0.0);
            // A loop is not looked into: it is taken to pass a gradient to all it is given.
            let is_plain = graph.scans().is_empty();
            assert!(
                !is_zero || !is_plain || told.contains(&param),
                "{name}: {param:?} has the gradient 0\n{}",
                print(&graph)
            );
        }
        for (role, value) in outputs(&with, &given) {
            let Role::Grad(param) = role else { continue };
            if told.contains(&param) {
                dead += 1;
                assert!(value.data.iter().all(|x| *x == 0.0), "{name}: {param:?} has a gradient\n{}", print(&graph));
            } else {
                alive += 1;
            }
        }
    }
    assert!(dead > 20 && alive > 20, "{dead} without and {alive} with a gradient show little");
}

#[test]
fn opt_keeps_values_and_is_idempotent() {
    for (name, graph, given) in graphs() {
        let what = format!("opt of {name}");
        let after = checked(&what, opt::run(&graph));
        assert_same(&what, &outputs(&graph, &given), &outputs(&after, &given));
        assert_eq!(print(&opt::run(&after)), print(&after), "{what} twice");
        assert!(
            after.nodes.len() <= graph.nodes.len() + 4,
            "{what} grew from {} to {}",
            graph.nodes.len(),
            after.nodes.len()
        );
    }
}

#[test]
fn gradients_are_the_same_on_every_way() {
    for (name, graph, given) in graphs() {
        let what = format!("gradients of {name}");
        let plain = checked(&what, autodiff::gradients(&graph));
        let values = outputs(&plain, &given);
        assert_same(&what, &outputs(&graph, &given), &values);
        let recognised = checked(&what, autodiff::gradients(&canon::run(&graph)));
        assert_same(&format!("{what} after canon"), &values, &outputs(&recognised, &given));
        let again = checked(&what, canon::run(&recognised));
        assert_same(&format!("{what} between two canons"), &values, &outputs(&again, &given));
        let optimised = checked(&what, opt::run(&again));
        assert_same(&format!("{what} after opt"), &values, &outputs(&optimised, &given));
    }
}

/// A chain of dense layers, each written as the language says it.
fn dense_chain(layers: u32, batch: i64) -> (Graph, Given) {
    let width = Dim::constant(4);
    let n = Dim::size(SizeId(0));
    let mut given = Given { sizes: vec![batch], ..Given::default() };
    let mut b = Builder::new(Graph { sizes: vec!["batch".to_owned()], ..Graph::default() });
    let ty = Ty::new(DType::F32, [n.clone(), width.clone()]);
    b.graph.inputs.push(Input { name: "x".to_owned(), ty, below: None });
    given.inputs.push(Value::full(&[batch as usize, 4], 0.5));
    let mut x = b.node(Op::Input(InputId(0)), &[]);
    for layer in 0..layers {
        let [w, bias] = [vec![width.clone(); 2], vec![width.clone()]].map(|dims| {
            let id = ParamId(b.graph.params.len() as u32);
            given.params.push(Value::full(&vec![4; dims.len()], 0.1));
            let path = format!("p{layer}.{}", dims.len());
            b.graph.params.push(Param { path, ty: Ty::new(DType::F32, dims), axes: Vec::new() });
            b.node(Op::Param(id), &[])
        });
        let all = [n.clone(), width.clone(), width.clone()];
        let x_all = b.place(x, &all, &[0, 1]);
        let w_all = b.place(w, &all, &[1, 2]);
        let product = b.mul(x_all, w_all);
        let sum = b.sum(product, &[1]);
        let bias = b.place(bias, &[n.clone(), width.clone()], &[1]);
        let sum = b.add(sum, bias);
        x = b.map(MapOp::Tanh, &[sum]);
    }
    let sum = b.sum(x, &[0, 1]);
    let size = b.size_of(sum, &n);
    let loss = b.div(sum, size);
    b.graph.outputs.push(Output { role: Role::Loss, node: loss });
    (b.finish(), given)
}

fn compile(graph: &Graph) -> Graph {
    opt::run(&canon::run(&autodiff::gradients(&canon::run(graph))))
}

#[test]
fn a_dense_chain_becomes_contractions_and_its_values_stay() {
    let (graph, given) = dense_chain(3, 5);
    let compiled = checked("chain", compile(&graph));
    assert_same("chain", &outputs(&autodiff::gradients(&graph), &given), &outputs(&compiled, &given));
    let count = |wanted: fn(&Op) -> bool| compiled.nodes.iter().filter(|node| wanted(&node.op)).count();
    // Forward, by the input and by the weights; none by the input of the first layer.
    assert_eq!(count(|op| matches!(op, Op::Contract { .. })), 3 + 2 + 3, "{}", print(&compiled));
    // The loss and the gradients of the biases.
    assert_eq!(count(|op| matches!(op, Op::Reduce(..))), 1 + 3, "{}", print(&compiled));
}

#[test]
fn node_counts_of_chains_are_linear() {
    let sizes = [250, 500, 1000].map(|layers| {
        let (graph, _) = dense_chain(layers, 2);
        let recognised = canon::run(&graph);
        let with_gradients = autodiff::gradients(&recognised);
        let compiled = opt::run(&canon::run(&with_gradients));
        [recognised, with_gradients, compiled].map(|graph| graph.nodes.len())
    });
    for (small, large) in [(sizes[0], sizes[1]), (sizes[1], sizes[2])] {
        for (small, large) in small.iter().zip(large) {
            assert!(large <= 2 * small, "{small} nodes became {large} when the layers doubled");
        }
    }
    assert!(sizes[2][2] <= 15 * 1000, "{} nodes for 1000 layers", sizes[2][2]);
}
