//! What the library computes, against values that PyTorch, scikit-learn and Keras computed.
//!
//! `tests/reference/library.py` and `library_keras.py` write the values, the first in f64; here the graphs run in f64 too, so that only the order of
//! sums may differ. What keeps states over many steps runs as kernels as well, in f32.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value as Json;
use tensa::backend::interp::Interp;
use tensa::backend::interp::graph::{self, Given};
use tensa::driver;
use tensa::ir::{DType, Graph, Role};
use tensa::ops::Value;

use crate::support::models::{self, Alone};
use crate::support::steps;

/// How far f64 may be off, by the size of the value or 1. Constants such as SELU's are written with 16 digits.
const EXACT: f64 = 1e-9;
/// How far f32 may be off after ten steps or a hundred rows. Keras computes its layers, losses and metrics in f32.
const SINGLE: f64 = 1e-5;

fn cases(file: &str) -> Vec<Json> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/library").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let Json::Array(cases) = serde_json::from_str(&text).expect("JSON") else { panic!("{file} is no list") };
    cases
}

fn numbers(json: &Json) -> Vec<f64> {
    json.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

fn value(json: &Json) -> Value {
    Value::new(numbers(&json["dims"]).iter().map(|dim| *dim as usize).collect::<Vec<_>>(), numbers(&json["data"]))
}

fn values(json: &Json) -> Vec<Value> {
    json.as_array().expect("a list").iter().map(value).collect()
}

fn text(json: &Json) -> &str {
    json.as_str().expect("a text")
}

/// How far the farthest element is off, by its size or 1; two infinities are equal, and a NaN is farther off than
/// anything.
fn off(got: &[f64], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let off = |(got, want): (&f64, &f64)| match (got - want).abs() / want.abs().max(1.0) {
        _ if got == want => 0.0,
        off if off.is_nan() => f64::INFINITY,
        off => off,
    };
    got.iter().zip(want).map(off).fold(0.0, f64::max)
}

/// A model with these inputs, and the rows they have.
fn open(model: &str, lines: &str, inputs: &[Value]) -> Result<Alone, String> {
    let mut alone = models::open(model, lines)?;
    let rows = inputs[0].dims[0] as i64;
    alone.given.sizes.iter_mut().for_each(|size| *size = rows);
    alone.given.inputs = inputs.to_vec();
    Ok(alone)
}

#[test]
fn functions_layers_and_losses_agree() {
    let mut wrong = String::new();
    let exact = ["values.json", "more.json"].into_iter().flat_map(cases).map(|case| (case, EXACT));
    for (case, most) in exact.chain(cases("keras.json").into_iter().map(|case| (case, SINGLE))) {
        let model = text(&case["model"]);
        let mut alone = match open(model, "", &values(&case["inputs"])) {
            Ok(alone) => alone,
            Err(told) => {
                writeln!(wrong, "{model}\n  {told}").unwrap();
                continue;
            }
        };
        let params = case["params"].as_object().expect("parameters");
        let known: Vec<String> = alone.stages.opt.params.iter().map(|param| param.path.clone()).collect();
        for (end, json) in params {
            let given = value(json);
            let at = known.iter().position(|path| path.ends_with(end));
            let Some(at) = at.filter(|at| alone.given.params[*at].dims == given.dims) else {
                writeln!(wrong, "{model}\n  no `{end}` of {:?} in {known:?}", given.dims).unwrap();
                continue;
            };
            alone.given.params[at] = given;
        }
        let (got, want) = (alone.predict(), value(&case["want"]));
        let off = off(&got.data, &want.data);
        if got.dims != want.dims || off > most {
            writeln!(wrong, "{model}\n  off by {off}: {:?} {:?}", got.dims, want.dims).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The outputs of a graph by role.
type Outputs = Vec<(Role, Vec<f64>)>;

/// Those of its kernels, in f32.
fn by_kernels(graph: &Graph, given: &Given) -> Outputs {
    let program = Arc::new(driver::kernels(graph));
    let outputs = steps::run(graph, &program, &Interp, &steps::rounded(given.clone())).expect("sizes in range");
    let numbers = |words: Vec<u32>| words.into_iter().map(|word| steps::element(word, DType::F32)).collect();
    outputs.into_iter().map(|(role, words)| (role, numbers(words))).collect()
}

fn by_graph(graph: &Graph, given: &Given) -> Outputs {
    let outputs = graph::run(graph, given).expect("sizes in range");
    outputs.into_iter().map(|(role, value)| (role, value.data.to_vec())).collect()
}

/// A metric over rows in batches of this many, as an evaluation computes it.
fn evaluated(alone: &Alone, batch: usize, run: impl Fn(&Graph, &Given) -> Outputs) -> Vec<f64> {
    let lowered = &alone.stages.lowered;
    let graph = driver::forward(&lowered.evaluation, lowered.precision);
    let kept = lowered.metrics[0].kept;
    let rows = alone.given.inputs[0].dims[0];
    let mut given = alone.given.clone();
    let (mut last, mut sum) = (Vec::new(), Vec::new());
    for from in (0..rows).step_by(batch) {
        let count = batch.min(rows - from);
        given.sizes.iter_mut().for_each(|size| *size = count as i64);
        for (part, whole) in given.inputs.iter_mut().zip(&alone.given.inputs) {
            let row = whole.data.len() / rows;
            let mut dims = whole.dims.to_vec();
            dims[0] = count;
            *part = Value::new(dims, whole.data[from * row..(from + count) * row].to_vec());
        }
        for (role, data) in run(&graph, &given) {
            match role {
                Role::Metric(_) => {
                    sum.resize(data.len(), 0.0);
                    sum.iter_mut().zip(&data).for_each(|(sum, now)| *sum += now * count as f64);
                    last = data;
                }
                Role::NewState(id) => {
                    let dims = given.states[id.index()].dims.to_vec();
                    given.states[id.index()] = Value::new(dims, data);
                }
                _ => {}
            }
        }
    }
    if kept { last } else { sum.into_iter().map(|sum| sum / rows as f64).collect() }
}

/// One number, whatever the size of a batch.
#[test]
fn metrics_agree_at_every_batch() {
    let mut wrong = String::new();
    let exact = cases("metrics.json").into_iter().map(|case| (case, EXACT));
    for (case, most) in exact.chain(cases("keras_metrics.json").into_iter().map(|case| (case, SINGLE))) {
        let (model, metric) = (text(&case["model"]), text(&case["metric"]));
        let lines = format!("  metrics = [{metric}]\n");
        let alone = match open(model, &lines, &values(&case["inputs"])) {
            Ok(alone) => alone,
            Err(told) => {
                writeln!(wrong, "{metric}\n  {told}").unwrap();
                continue;
            }
        };
        let want = value(&case["want"]).data;
        for batch in [7, 32, 100] {
            let (exact, single) = (evaluated(&alone, batch, by_graph), evaluated(&alone, batch, by_kernels));
            if off(&exact, &want) > most || off(&single, &want) > SINGLE {
                let told = format!("{exact:?}, {single:?} as kernels, not {want:?}");
                writeln!(wrong, "{metric} in batches of {batch}: {told}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The bound that its comment states: half the share of pairs of which both are in one bin.
#[test]
fn the_histogram_of_auc_keeps_its_bound() {
    let rows = 60;
    let z: Vec<f64> = (0..rows).map(|at| ((at * 37 + 11) % 61) as f64 / 20.0 - 1.5).collect();
    let y: Vec<f64> = (0..rows).map(|at| f64::from((at * 7 + at * at) % 5 < 2)).collect();
    let (mut wins, mut tied, mut pairs) = (0.0, 0.0, 0.0);
    let bin = |z: f64| (10.0 / (1.0 + (-z).exp())).floor();
    for one in (0..rows).filter(|at| y[*at] == 1.0) {
        for zero in (0..rows).filter(|at| y[*at] == 0.0) {
            pairs += 1.0;
            wins += if z[one] > z[zero] { 1.0 } else { 0.0 };
            wins += if z[one] == z[zero] { 0.5 } else { 0.0 };
            tied += if bin(z[one]) == bin(z[zero]) { 1.0 } else { 0.0 };
        }
    }
    let column = |data: &[f64]| Value::new(vec![rows], data.to_vec());
    let model = "model M(z: logit[batch], y: [batch]) -> [batch] = z";
    let lines = "  metrics = [auc(sigmoid(z), y, bins = 10)]\n";
    let alone = open(model, lines, &[column(&z), column(&y)]).unwrap_or_else(|told| panic!("{told}"));
    let got = evaluated(&alone, 7, by_graph)[0];
    let (off, bound) = ((got - wins / pairs).abs(), 0.5 * tied / pairs);
    assert!(off > 0.0 && off <= bound + 1e-12, "{got} is off by {off}, more than {bound}");
}

/// An optimizer of the user's own that looks at all parameters together.
const CLIPPED: &str = "
optimizer Clipped(lr = 0.01, most = 0.1)(p, g) {
  let length = sqrt(total(sum(g^2)))
  p - lr * g * min(1, most / length)
}
";

#[test]
fn optimizers_agree_for_ten_steps() {
    let mut wrong = String::new();
    for case in ["optimizers.json", "keras_optimizers.json"].into_iter().flat_map(cases) {
        let optimizer = text(&case["optimizer"]);
        let own = if optimizer.starts_with("Clipped") { CLIPPED } else { "" };
        let model = format!(
            "model M(x: [batch, i: 4]) -> [batch, o] {{
              param w[i, o: 3] ~ zeros
              param b[o] ~ zeros
              tanh(sum[i](x * w) + b)
            }}{own}"
        );
        let lines = format!("  optimizer = {optimizer}\n");
        let mut alone = match open(&model, &lines, &[value(&case["x"])]) {
            Ok(alone) => alone,
            Err(told) => {
                writeln!(wrong, "{optimizer}\n  {told}").unwrap();
                continue;
            }
        };
        for (end, start) in [".w", ".b"].iter().zip(values(&case["start"])) {
            *alone.param(end) = start;
        }
        for (how, run, most) in
            [("graph", by_graph as fn(&Graph, &Given) -> Outputs, EXACT), ("kernels", by_kernels, SINGLE)]
        {
            let mut given = alone.given.clone();
            for (at, want) in case["steps"].as_array().expect("steps").iter().enumerate() {
                given.step = at as u64 + 1;
                for (role, data) in run(&alone.stages.opt, &given) {
                    let kept = match role {
                        Role::NewParam(id) => &mut given.params[id.index()],
                        Role::NewState(id) => &mut given.states[id.index()],
                        _ => continue,
                    };
                    *kept = Value::new(kept.dims.to_vec(), data);
                }
                let want = values(want);
                let far = given.params.iter().zip(&want).map(|(got, want)| off(&got.data, &want.data));
                let far = far.fold(0.0, f64::max);
                if far > most {
                    writeln!(wrong, "{optimizer}: {far} off after step {} by {how}", at + 1).unwrap();
                    break;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn schedules_agree_at_each_step() {
    let mut wrong = String::new();
    for case in cases("schedules.json") {
        let lr = text(&case["lr"]);
        // Its new parameters are the learning rate itself.
        let model = "model M(x: [batch, d: 4]) -> [batch, e: 3] = x |> Dense(e: 3)
          optimizer Shown(lr = 0.1)(p, g) = 0 * (p + g) + lr";
        let mut alone = match models::open(model, &format!("  optimizer = Shown(lr = {lr})\n")) {
            Ok(alone) => alone,
            Err(told) => {
                writeln!(wrong, "{lr}\n  {told}").unwrap();
                continue;
            }
        };
        for (at, want) in numbers(&case["want"]).into_iter().enumerate() {
            alone.given.step = at as u64 + 1;
            let shown = alone.step().into_iter().find(|(role, _)| matches!(role, Role::NewParam(_)));
            let got = shown.expect("a parameter").1.data[0];
            if off(&[got], &[want]) > EXACT {
                writeln!(wrong, "{lr}: {got} at {at}, not {want}").unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
