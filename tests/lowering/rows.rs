//! Gradients of single rows of a batch: what is cut to a length is the gradient that a batch of that row alone has.

use tensa::backend::cpu::Cpu;
use tensa::backend::interp::graph::{Given, run};
use tensa::driver::{self, Stages};
use tensa::ir::{Graph, Role};
use tensa::ops::Value;

use super::random_graphs::{check, given_for, program};
use crate::support::stages as support;

const BATCH: usize = 5;

/// A program with a model, and what limits its gradients.
fn stages(model: &str, data: &str, clip: &str) -> Stages {
    let text = format!(
        "data D = synthetic(20) {{\n{data}\n  y = random.index[batch](class: 3)\n  batch = {BATCH}\n}}\n{model}\n\
         train Net on D {{\n  loss = cross_entropy(Net(x), y)\n  optimizer = SGD(lr = 0.1)\n  clip = {clip}\n  \
         epochs = 1\n}}\n"
    );
    let (_, checked) = support::check(&text);
    assert!(!checked.diagnostics.has_errors(), "{text}\n{:?}", checked.diagnostics);
    driver::stages(&checked.program, &checked.program.trains[0], true)
}

fn given(graph: &Graph, seed: u32) -> Given {
    given_for(graph, BATCH as i64, seed).expect("sizes in range")
}

/// The same for one row.
fn of_row(given: &Given, at: usize) -> Given {
    let row = |value: &Value| {
        let len = value.data.len() / value.dims[0];
        let dims: Vec<usize> = [1].into_iter().chain(value.dims[1..].iter().copied()).collect();
        Value::new(dims, value.data[at * len..][..len].to_vec())
    };
    Given { sizes: vec![1; given.sizes.len()], inputs: given.inputs.iter().map(row).collect(), ..given.clone() }
}

fn gradients(outputs: Vec<(Role, Value)>) -> Vec<Value> {
    let mut found: Vec<(u32, Value)> = outputs
        .into_iter()
        .filter_map(|(role, value)| if let Role::Grad(param) = role { Some((param.0, value)) } else { None })
        .collect();
    found.sort_by_key(|(param, _)| *param);
    found.into_iter().map(|(_, value)| value).collect()
}

/// Holds the gradients of rows, cut to a length, against those of batches of one; and the kernels against the graph.
fn holds(model: &str, data: &str) {
    let most = 0.4;
    let plain = stages(model, data, "norm(1e9)");
    let rows = stages(model, data, &format!("per_example({most})"));
    let [plain, rows] = [&plain.passes[0], &rows.passes[0]];
    let given = given(&rows.step, 7);
    let want = {
        let mut mean: Vec<Value> = Vec::new();
        let mut cut = 0;
        for at in 0..BATCH {
            let row = gradients(run(&plain.grad, &of_row(&given, at)).unwrap());
            let length = row.iter().flat_map(|value| &value.data).map(|x| x * x).sum::<f64>().sqrt();
            let scale = (most / length).min(1.0) / BATCH as f64;
            cut += usize::from(length > most);
            if mean.is_empty() {
                mean = row.iter().map(|value| Value::new(value.dims.clone(), vec![0.0; value.data.len()])).collect();
            }
            for (sum, term) in mean.iter_mut().zip(&row) {
                sum.data.iter_mut().zip(&term.data).for_each(|(sum, term)| *sum += scale * term);
            }
        }
        assert!(cut > 0, "no row of {model} is cut");
        mean
    };
    for graph in [&rows.grad, &rows.step, &rows.opt] {
        let got = gradients(run(graph, &given).unwrap());
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(&want) {
            assert_eq!(got.dims, want.dims);
            for (got, want) in got.data.iter().zip(&want.data) {
                assert!((got - want).abs() < 1e-9, "{model}\n{got} is not {want}");
            }
        }
    }
    check(model, &rows.opt, given, &program(model, &rows.opt), &Cpu::new(2).unwrap());
}

#[test]
fn of_layers_of_numbers() {
    holds(
        "model Net(x: [batch, f]) -> logit[batch, class] = x |> Dense(8, tanh) |> LayerNorm |> Dense(class)",
        "  x = random.normal[batch, f: 4]",
    );
}

#[test]
fn of_convolutions_and_pools() {
    holds(
        "model Net(x: [batch, h, w, c]) -> logit[batch, class] {
  x |> Conv(4, k = 3, act = tanh) |> MaxPool |> Conv(6, k = 3) |> mean[h, w] |> Dense(class)
}",
        "  x = random.normal[batch, h: 8, w: 8, c: 2]",
    );
}

#[test]
fn of_loops_over_time() {
    holds(
        "model Net(x: [batch, t, f]) -> logit[batch, class] = x |> GRU(d: 5) |> _[t = -1] |> Dense(class)",
        "  x = random.normal[batch, t: 6, f: 3]",
    );
}

#[test]
fn of_words_and_attention() {
    holds(
        "model Net(x: index(word)[batch, t]) -> logit[batch, class] {
  x |> Embedding(d: 8) |> TransformerBlock(2) |> mean[t] |> Dense(class)
}",
        "  x = random.index[batch, t: 6](word: 11)",
    );
}

#[test]
fn of_parameters_that_are_read_twice_and_gradients_that_are_given() {
    holds(
        "fn cut(x: [..]) -> [..] = clip(x, -1, 1) grad(dy) { dy }
model Net(x: [batch, f]) -> logit[batch, class] {
  param w[f, g: f] ~ normal(0.5)
  let once  = sum[f](x * w)
  let twice = sum[g](once * w)
  cut(twice) |> Dense(class)
}",
        "  x = random.normal[batch, f: 4]",
    );
}

#[test]
fn of_dropout_each_row_keeps_its_own_draw() {
    let model = "model Net(x: [batch, f]) -> logit[batch, class] = x |> Dense(8, tanh) |> Dropout(0.5) |> Dense(class)";
    let data = "  x = random.normal[batch, f: 4]";
    // Where nothing is cut, the mean over the rows is the gradient of the batch, of the same draw.
    let [plain, rows] = ["norm(1e9)", "per_example(1e9)"].map(|clip| stages(model, data, clip));
    let [plain, rows] = [&plain.passes[0], &rows.passes[0]];
    let given = given(&rows.step, 3);
    let [want, got] = [&plain.grad, &rows.grad].map(|graph| gradients(run(graph, &given).unwrap()));
    for (want, got) in want.iter().zip(&got) {
        assert!(want.data.iter().zip(&got.data).all(|(x, y)| (x - y).abs() < 1e-9), "{got:?} is not {want:?}");
    }
    check(model, &rows.opt, given, &program(model, &rows.opt), &Cpu::new(2).unwrap());
}

#[test]
fn noise_has_its_spread_and_is_less_of_more_rows() {
    let model = "model Net(x: [batch, f]) -> logit[batch, class] = x |> Dense(200) |> Dense(class)";
    let data = "  x = random.normal[batch, f: 50]";
    let [quiet, loud] = ["per_example(0.5)", "per_example(0.5, noise = 1.5)"].map(|clip| stages(model, data, clip));
    let given = given(&quiet.passes[0].step, 5);
    let [quiet, loud] = [&quiet, &loud].map(|stages| gradients(run(&stages.passes[0].step, &given).unwrap()));
    let noise: Vec<f64> =
        quiet.iter().zip(&loud).flat_map(|(x, y)| x.data.iter().zip(&y.data).map(|(x, y)| y - x)).collect();
    let n = noise.len() as f64;
    let mean = noise.iter().sum::<f64>() / n;
    let spread = (noise.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n).sqrt();
    let want = 1.5 * 0.5 / BATCH as f64;
    // Five standard errors of so many numbers.
    assert!(mean.abs() < 5.0 * want / n.sqrt(), "{mean} of {n}");
    assert!((spread / want - 1.0).abs() < 5.0 / (2.0 * n).sqrt(), "{spread}, not {want}");
}
