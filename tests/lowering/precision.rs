//! Products in bfloat16: what they read is rounded, forward and back, and nothing else is.

use tensa::backend::Backend;
use tensa::backend::cpu::Cpu;
use tensa::backend::interp::Interp;
use tensa::backend::interp::graph::{Given, run};
use tensa::driver::{self, Stages};
use tensa::ir::special::bf16;
use tensa::ir::{DType, Graph, NodeId, Role};
use tensa::ops::{MapOp, Op};

use super::random_graphs::{given_for, program};
use crate::support::{stages as support, steps};

const ROWS: usize = 6;

fn stages(model: &str, data: &str, loss: &str) -> Stages {
    let text = format!(
        "data D = synthetic(20) {{\n{data}\n  batch = {ROWS}\n}}\n{model}\ntrain Net on D {{\n  loss = {loss}\n  \
         optimizer = SGD(lr = 0.1)\n  precision = bf16\n  epochs = 1\n}}\n"
    );
    let (_, checked) = support::check(&text);
    assert!(!checked.diagnostics.has_errors(), "{text}\n{:?}", checked.diagnostics);
    driver::stages(&checked.program, &checked.program.trains[0], true)
}

fn given(graph: &Graph) -> Given {
    steps::rounded(given_for(graph, ROWS as i64, 11).expect("sizes in range"))
}

/// Whether a value is rounded, behind views or made of truths.
fn is_rounded(graph: &Graph, mut id: NodeId) -> bool {
    loop {
        let node = graph.node(id);
        match &node.op {
            Op::Map(MapOp::Bf16) => return true,
            Op::Permute(_) | Op::Reshape(_) | Op::Broadcast { .. } | Op::Window { .. } => id = node.args[0],
            Op::Map(MapOp::Cast(DType::F32)) => return graph.ty(node.args[0]).dtype == DType::Bool,
            _ => return false,
        }
    }
}

/// How many products a graph has, in loops as well; all of them read what is rounded.
fn products(graph: &Graph) -> usize {
    let mut count = 0;
    for node in &graph.nodes {
        let factors = match node.op {
            Op::Contract { .. } => 2,
            Op::Attention(..) | Op::AttentionGrad(..) => 3,
            _ => continue,
        };
        count += 1;
        for arg in &node.args[..factors] {
            assert!(is_rounded(graph, *arg), "{:?} reads {:?}", node.op, graph.node(*arg).op);
        }
    }
    count + graph.scans().iter().map(|scan| products(&scan.body)).sum::<usize>()
}

#[test]
fn a_product_is_that_of_rounded_factors_forward_and_back() {
    let stages = stages(
        "model Net(x: [batch, f], c: [batch, g]) -> [] {\n  param w[f, g: 4] ~ normal(0.5)\n  sum(c * sum[f](x * w))\n}",
        "  x = random.normal[batch, f: 5]\n  c = random.normal[batch, g: 4]",
        "Net(x, c)",
    );
    let pass = &stages.passes[0];
    let given = given(&pass.grad);
    let [x, c] = [&given.inputs[0], &given.inputs[1]];
    let w = &given.params[0];
    let outputs = run(&pass.grad, &given).unwrap();
    let value = |role: Role| outputs.iter().find(|(known, _)| *known == role).map(|(_, value)| value.clone()).unwrap();
    let mut loss = 0.0;
    for row in 0..ROWS {
        for g in 0..4 {
            let y: f64 = (0..5).map(|f| bf16(x.at(&[row, f])) * bf16(w.at(&[f, g]))).sum();
            // A sum of products with one number each is no contraction.
            loss += c.at(&[row, g]) * y;
        }
    }
    assert!((value(Role::Loss).data[0] - loss).abs() < 1e-9, "{:?}, not {loss}", value(Role::Loss));
    let slope = value(Role::Grad(tensa::ir::ParamId(0)));
    for (f, g) in (0..5).flat_map(|f| (0..4).map(move |g| (f, g))) {
        let want: f64 = (0..ROWS).map(|row| bf16(x.at(&[row, f])) * bf16(c.at(&[row, g]))).sum();
        assert!((slope.at(&[f, g]) - want).abs() < 1e-9, "{f}, {g}: {}, not {want}", slope.at(&[f, g]));
    }
}

#[test]
fn all_products_of_layers_read_rounded_factors() {
    let cpu = Cpu::new(2).unwrap();
    for (model, data, at_least) in [
        ("x |> Dense(8, relu) |> Dense(class)", "  x = random.normal[batch, f: 5]", 4),
        (
            "x |> Conv(6, k = 3, act = relu) |> MaxPool |> Conv(4, k = 3) |> mean[h, w] |> Dense(class)",
            "  x = random.normal[batch, h: 8, w: 8, c: 2]",
            6,
        ),
        ("x |> LSTM(d: 5) |> _[t = -1] |> Dense(class)", "  x = random.normal[batch, t: 4, f: 3]", 6),
        (
            "x |> Embedding(d: 8) |> TransformerBlock(2) |> mean[t] |> Dense(class)",
            "  x = random.index[batch, t: 6](word: 11)",
            12,
        ),
    ] {
        let column = data.trim().trim_start_matches("x = ");
        let signature = match column.strip_prefix("random.normal") {
            Some(axes) => format!("x: {axes}"),
            None => "x: index(word)[batch, t]".to_owned(),
        };
        let text = format!("model Net({signature}) -> logit[batch, class] = {model}");
        let stages = stages(&text, &format!("{data}\n  y = random.index[batch](class: 3)"), "cross_entropy(Net(x), y)");
        let pass = &stages.passes[0];
        assert!(products(&pass.grad) >= at_least, "{} products of {model}", products(&pass.grad));
        let given = given(&pass.opt);
        let program = program(model, &pass.opt);
        let kernels = steps::run(&pass.opt, &program, &Interp, &given).unwrap();
        let code = steps::run(&pass.opt, &program, &cpu as &dyn Backend, &given).unwrap();
        assert!(kernels == code, "{model}");
    }
}
