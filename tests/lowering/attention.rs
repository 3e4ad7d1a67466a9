//! Attention in many spellings: each is one operation, whose values and gradients are those of what was written, on
//! the graph, on interpreted kernels and in machine code.

use std::path::PathBuf;

use tensa::backend::cpu::Cpu;
use tensa::backend::interp::graph::run;
use tensa::driver::{self, Session, Stages};
use tensa::ir::{Graph, Role};
use tensa::ops::{Op, Value};
use tensa::{autodiff, canon, opt};

use super::random_graphs::{check, given_for, program};

/// The scores and the sum, by what they are an example of. In scope: q `[batch, head, t, e]`, k and v
/// `[batch, head, s, ...]`, a mask `seen [batch, s]` of numbers, `slope [head]`.
const SPELLINGS: [(&str, &str); 12] = [
    ("library", "attend(q, k, v)"),
    ("causal", "attend(q, k, v, causal = true)"),
    ("softmax", "sum[s](softmax[s](sum[e](q * k) / sqrt(e)) * v)"),
    ("scaled before", "sum[s](softmax[s](sum[e](q / sqrt(e) * k)) * v)"),
    ("by hand", "{ let w = exp(sum[e](q * k) - max[s](sum[e](q * k)))\n  sum[s](w / sum[s](w) * v) }"),
    ("divided last", "{ let w = exp(0.3 * sum[e](k * q))\n  sum[s](v * w) / sum[s](w) }"),
    ("by logsumexp", "{ let z = sum[e](q * k)\n  sum[s](exp(z - logsumexp[s](z)) * v) }"),
    ("padding", "sum[s](softmax[s](mask(sum[e](q * k) / sqrt(e), seen > 0.2)) * v)"),
    ("causal by if", "sum[s](v * softmax[s](if pos(s) <= pos(t) { sum[e](q * k) } else { -1e9 }))"),
    ("alibi", "sum[s](softmax[s](sum[e](q * k) - slope * abs(expand[s](f32(pos(t))) - f32(pos(s)))) * v)"),
    ("soft cap", "sum[s](softmax[s](5 * tanh(sum[e](q * k) / 5)) * v)"),
    ("learned bias", "sum[s](softmax[s](sum[e](q * k) + param bias[head, t, s] ~ normal(0.5)) * v)"),
];

fn source(body: &str) -> String {
    format!(
        "data D = csv(\"data.csv\") {{
  x     = columns(\"a\", \"b\")
  y     = column(\"y\")
  split = random(train = 100%)
  batch = 2
}}

model Net(x: [batch, feature]) -> [batch] {{
  let q = x |> Dense(side: 102) |> split[side -> head: 2, t: 17, e]
  let k = x |> Dense(side: 114) |> split[side -> head: 2, s: 19, e]
  let v = x |> Dense(side: 152) |> split[side -> head: 2, s: 19, f: 4]
  let seen = x |> Dense(s: 19)
  param slope[head: 2] ~ ones
  let o = {body}
  mean[head, t, f](o * o) + 0 * mean(seen) + 0 * mean(slope)
}}

train Net on D {{
  loss      = mse(Net(x), y)
  optimizer = SGD(lr = 0.1)
  epochs    = 1
}}
"
    )
}

fn stages(name: &str, body: &str) -> Stages {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data.csv"), "a,b,y\n1,2,0\n3,4,1\n").unwrap();
    let session = Session::new("attention.model", &source(body), PathBuf::from(folder.path()));
    let checked = session.check(None);
    let told: Vec<String> = checked.diagnostics.iter().map(|told| format!("{told:?}")).collect();
    assert!(!checked.diagnostics.has_errors(), "{name}: {told:?}");
    driver::stages(&checked.program, &checked.program.trains[0], true)
}

fn attentions(graph: &Graph) -> usize {
    graph.nodes.iter().filter(|node| matches!(node.op, Op::Attention(..))).count()
}

fn assert_close(what: &str, want: &[(Role, Value)], got: &[(Role, Value)]) {
    for (role, want) in want {
        let got = &got.iter().find(|(other, _)| other == role).unwrap_or_else(|| panic!("{what}: no {role:?}")).1;
        let most = want.data.iter().fold(1e-3f64, |most, x| most.max(x.abs()));
        for (x, y) in want.data.iter().zip(&got.data) {
            assert!((x - y).abs() < 1e-8 * most, "{what}: {role:?} is {y}, not {x}");
        }
    }
}

#[test]
fn twelve_spellings_are_one_operation() {
    let cpu = Cpu::new(2).unwrap();
    for (name, body) in SPELLINGS {
        let stages = stages(name, body);
        assert_eq!(attentions(&stages.canon), 1, "{name}\n{}", tensa::ir::text::print(&stages.canon));
        // What was written, expanded, against the operation and its gradient.
        let plain = autodiff::gradients(&stages.lowered.passes[0].training);
        let given = given_for(&plain, 2, 7).unwrap();
        assert_close(name, &run(&plain, &given).unwrap(), &run(&stages.grad, &given).unwrap());
        let text = tensa::ir::text::print(&stages.opt);
        assert_eq!(tensa::ir::text::print(&tensa::ir::text::parse(&text).unwrap()), text, "{name}");
        let graph = opt::run(&stages.grad);
        let kernels = program(name, &graph);
        for batch in [1, 3] {
            check(name, &graph, given_for(&graph, batch, 3).unwrap(), &kernels, &cpu);
        }
    }
}

#[test]
fn a_gradient_of_a_gradient_is_that_of_the_definition() {
    for (name, body) in [SPELLINGS[1], SPELLINGS[9]] {
        let stages = stages(name, body);
        let second = |graph: &Graph| {
            let mut graph = autodiff::gradients(graph);
            let mut b = tensa::ops::Builder::new(Graph { outputs: Vec::new(), ..graph.clone() });
            let mut loss = b.f32(0.0);
            for output in graph.outputs.drain(..).filter(|output| matches!(output.role, Role::Grad(_))) {
                let square = b.mul(output.node, output.node);
                let axes: Vec<usize> = (0..b.rank(square)).collect();
                let sum = b.sum(square, &axes);
                loss = b.add(loss, sum);
            }
            b.graph.outputs.push(tensa::ir::Output { role: Role::Loss, node: loss });
            autodiff::gradients(&canon::run(&b.finish()))
        };
        let plain = second(&stages.lowered.passes[0].training);
        let given = given_for(&plain, 1, 5).unwrap();
        assert_close(name, &run(&plain, &given).unwrap(), &run(&second(&stages.canon), &given).unwrap());
    }
}

#[test]
fn the_weights_of_an_attention_are_nowhere_whole() {
    let stages = stages("causal", SPELLINGS[1].1);
    let kernels = program("causal", &stages.opt);
    let size = |_| 64;
    let longest = kernels.buffers.iter().map(|buffer| buffer.len.eval(&size).unwrap()).max().unwrap();
    // 64 examples of 2 heads of 17 by 19 weights would be 41344; the values are 64 of 152.
    assert_eq!(longest, 64 * 152, "{kernels}");
}
