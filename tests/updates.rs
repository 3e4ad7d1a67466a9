//! Tests of what a step does with its losses: `update` blocks in order, groups of parameters, penalties, sums
//! over several batches, weights that follow. What must come out is computed here by the formulas, in f64.

use tensa::backend::cpu::Cpu;
use tensa::diag::Code;
use tensa::driver::Session;
use tensa::train::{self, End, Event, Report, Watch};

use crate::support::runs;

/// Two numbers as models; `x` is 1 in every row, so each model is its number.
const NUMBERS: &str = r#"
data D = csv("rows.csv") {
  x     = column("x")
  split = chronological(train = 50%, valid = 50%)
  batch = 4
}

model A(x: [batch]) -> [] {
  param a[] ~ 0.5
  a * mean(x)
}

model B(x: [batch]) -> [] {
  param b[] ~ 0.25
  b * mean(x)
}
"#;

/// What a run leaves: parameters and states by path, and what it reported.
struct Left {
    values: Vec<(String, Vec<f64>)>,
    train: Report,
    valid: Report,
}

impl Left {
    fn all(&self, path: &str) -> &[f64] {
        let found = self.values.iter().find(|(known, _)| known == path);
        &found.unwrap_or_else(|| panic!("no `{path}` among {:?}", self.values)).1
    }

    /// Holds a number against what the formulas give.
    fn is(&self, path: &str, expected: f64) {
        let value = self.all(path)[0];
        assert!((value - expected).abs() < 1e-6 * expected.abs().max(1.0), "{path} is {value}, not {expected}");
    }
}

/// Takes down the reports of the last epoch.
#[derive(Default)]
struct Last(Vec<(String, Report)>);

impl Watch for Last {
    fn on(&mut self, event: &Event<'_>) {
        if let Event::Epoch { reports, .. } = event {
            self.0 = reports.iter().map(|(split, report)| (split.to_string(), report.clone())).collect();
        }
    }
}

/// Runs a program beside `rows.csv`, 16 ones.
fn run(text: &str) -> Left {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rows.csv"), format!("x\n{}", "1\n".repeat(16))).unwrap();
    run_session(&Session::new("net.model", text, folder.path().to_owned()))
}

fn run_session(session: &Session) -> Left {
    let checked = session.check(None);
    assert!(!checked.diagnostics.has_errors(), "{:#?}", checked.diagnostics);
    let mut last = Last::default();
    let of = (&checked, &*session.folder);
    let (end, values) = runs::first(of, &Cpu::new(2).unwrap(), &runs::alone(false), &mut last, |end, model| {
        let number = |word: &u32| f64::from(f32::from_bits(*word));
        let params = model.param_ids().map(|id| {
            (model.graph.params[id.index()].path.clone(), model.store.param(id).iter().map(number).collect())
        });
        let states = model.state_ids().map(|id| {
            (model.graph.states[id.index()].path.clone(), model.store.state(id).iter().map(number).collect())
        });
        (end, params.chain(states).collect())
    })
    .unwrap();
    assert!(matches!(end, End::Done { .. }), "{end:?}");
    let report = |split: &str| {
        last.0.iter().find(|(known, _)| known == split).map(|(_, report)| report.clone()).unwrap_or_default()
    };
    let (train, valid) = (report("train"), report("valid"));
    Left { values, train, valid }
}

/// Each update sees what the one before has left; `repeat` and `every` say how often it runs.
#[test]
fn updates_run_in_order() {
    let left = run(&format!(
        "{NUMBERS}
train A, B on D {{
  let y = A(x) * B(x)
  update A {{ loss = (y - 2)^2  optimizer = SGD(0.1)  repeat = 2 }}
  update B {{ loss = (y - 3)^2  optimizer = SGD(0.05)  every = 2 }}
  steps = 6
}}"
    ));
    let (mut a, mut b) = (0.5, 0.25);
    for step in 1..=6 {
        for _ in 0..2 {
            a -= 0.1 * 2.0 * (a * b - 2.0) * b;
        }
        if step % 2 == 0 {
            b -= 0.05 * 2.0 * (a * b - 3.0) * a;
        }
    }
    left.is("A.a", a);
    left.is("B.b", b);
    // In evaluation, the losses of the numbers as they are in the end.
    let valid = |name: &str| left.valid.get(name).unwrap();
    let (first, second) = ((a * b - 2.0).powi(2), (a * b - 3.0).powi(2));
    assert!((valid("loss_A") - first).abs() < 1e-5 && (valid("loss_B") - second).abs() < 1e-5, "{:?}", left.valid);
    assert!((valid("loss") - first - second).abs() < 1e-5);
    assert!(left.train.get("loss_A").is_some() && left.train.get("loss_B").is_some(), "{:?}", left.train);
}

/// An optimizer counts its own updates: Adam's first two are as in its formula, whatever step they are in.
#[test]
fn an_optimizer_counts_its_updates() {
    let left = run(&format!(
        "{NUMBERS}
train A, B on D {{
  update A {{ loss = (A(x) - 2)^2  optimizer = Adam(0.1)  every = 3 }}
  update B {{ loss = (B(x) - 3)^2  optimizer = SGD(0.1) }}
  steps = 6
}}"
    ));
    let (mut a, mut m, mut v) = (0.5f64, 0.0f64, 0.0f64);
    for update in 1..=2 {
        let g = 2.0 * (a - 2.0);
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        a -= 0.1 * (m / (1.0 - 0.9f64.powi(update))) / ((v / (1.0 - 0.999f64.powi(update))).sqrt() + 1e-8);
    }
    left.is("A.a", a);
    let mut b = 0.25;
    (0..6).for_each(|_| b -= 0.1 * 2.0 * (b - 3.0));
    left.is("B.b", b);
}

/// Blocks without a loss choose the optimizer and the limit; the last that names a parameter wins.
#[test]
fn the_last_group_wins() {
    let left = run(&format!(
        "{NUMBERS}
train A, other = B() on D {{
  loss      = (A(x) - 2)^2 + (other(x) - 3)^2
  optimizer = SGD(1000)
  update \"**\" {{ optimizer = SGD(0.1) }}
  update other {{ optimizer = SGD(0.2)  clip = value(0.5) }}
  steps     = 2
}}"
    ));
    let (mut a, mut b) = (0.5, 0.25);
    for _ in 0..2 {
        a -= 0.1 * 2.0 * (a - 2.0);
        b -= 0.2 * -0.5;
    }
    left.is("A.a", a);
    left.is("other.b", b);
}

#[test]
fn what_is_frozen_by_its_name_stays() {
    let left = run(&format!(
        "{NUMBERS}
train A, B on D {{
  loss      = (A(x) - 2)^2 + (B(x) - 3)^2
  optimizer = SGD(0.1)
  freeze    = \"B.*\"
  steps     = 3
}}"
    ));
    left.is("B.b", 0.25);
    let mut a = 0.5;
    (0..3).for_each(|_| a -= 0.1 * 2.0 * (a - 2.0));
    left.is("A.a", a);
}

/// A penalty is in the loss that is minimised, once for each use, and not in the evaluation.
#[test]
fn penalties_add_up_while_training() {
    let left = run(&format!(
        "{}
train A on D {{
  loss      = (A(x) + A(x) - 2)^2
  optimizer = SGD(0.05)
  steps     = 4
}}",
        NUMBERS.replace("  a * mean(x)", "  penalty size = 0.5 * a^2\n  a * mean(x)")
    ));
    let (mut a, mut sizes, mut losses) = (0.5, Vec::new(), Vec::new());
    for _ in 0..4 {
        sizes.push(2.0 * 0.5 * a * a);
        losses.push((2.0 * a - 2.0f64).powi(2) + a * a);
        a -= 0.05 * (4.0 * (2.0 * a - 2.0) + 2.0 * a);
    }
    left.is("A.a", a);
    // An epoch has two steps, of which the last two were reported.
    let mean = |all: &[f64]| (all[2] + all[3]) / 2.0;
    assert!((left.train.get("size").unwrap() - mean(&sizes)).abs() < 1e-6, "{:?}", left.train);
    assert!((left.train.get("loss").unwrap() - mean(&losses)).abs() < 1e-5, "{:?}", left.train);
    assert!((left.valid.get("loss").unwrap() - (2.0 * a - 2.0).powi(2)).abs() < 1e-5, "{:?}", left.valid);
    assert_eq!(left.valid.get("size"), None);
}

/// `ema` as a setting: what is evaluated follows the parameters; as a function: what a loss reads does.
#[test]
fn weights_that_follow() {
    let left = run(&format!(
        "{NUMBERS}
train A, B on D {{
  let before = ema(B, 0.5)
  loss       = (A(x) - 2)^2 + (B(x) - 3 * before(x) - 1)^2
  optimizer  = SGD(0.1)
  ema        = 0.9
  steps      = 4
}}"
    ));
    let (mut a, mut b, mut before) = (0.5, 0.25, 0.25);
    let (mut slow_a, mut slow_b) = (a, b);
    for _ in 0..4 {
        a -= 0.1 * 2.0 * (a - 2.0);
        b -= 0.1 * 2.0 * (b - 3.0 * before - 1.0);
        before = 0.5 * before + 0.5 * b;
        slow_a = 0.9 * slow_a + 0.1 * a;
        slow_b = 0.9 * slow_b + 0.1 * b;
    }
    left.is("A.a", a);
    left.is("B.b", b);
    left.is("ema/A.a", slow_a);
    left.is("ema/B.b", before);
    let loss = (slow_a - 2.0f64).powi(2) + (slow_b - 3.0 * before - 1.0f64).powi(2);
    assert!((left.valid.get("loss").unwrap() - loss).abs() < 1e-5, "{:?}, not {loss}", left.valid);
}

/// The iris example with settings, without what is random.
fn iris(settings: &[(&str, &str)], batch: usize) -> Left {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let text = std::fs::read_to_string(examples.join("iris.model")).unwrap();
    let plain = text.replace(" |> Dropout(0.2)", "").replace("batch = 32", &format!("batch = {batch}"));
    let plain =
        plain.replace("  epochs    = 50\n", "").replace("over = 50 epochs, warmup = 2 epochs", "over = 50 steps");
    let mut session = Session::new("iris.model", &plain, examples);
    settings.iter().for_each(|(name, value)| session.set(name, value).unwrap());
    run_session(&session)
}

/// Gradients of four batches of 8 are the gradient of one of 32, to rounding: also under a limit, and with a
/// schedule that counts updates.
#[test]
fn sums_over_batches_are_the_large_batch() {
    for clip in ["norm(0.5)", "value(0.01)"] {
        let large = iris(&[("steps", "3"), ("clip", clip)], 32);
        let small = iris(&[("steps", "12"), ("accumulate", "4"), ("clip", clip)], 8);
        let mut compared = 0;
        for (path, values) in large.values.iter().filter(|(path, _)| path.starts_with("Net.")) {
            for (a, b) in values.iter().zip(small.all(path)) {
                assert!((a - b).abs() <= 1e-5 * (1.0 + a.abs()), "{path}: {a} and {b}");
                compared += 1;
            }
        }
        assert_eq!(compared, 515, "{clip}");
    }
}

/// The digits of two models that train each other come to have as much ink as the real ones.
#[test]
fn two_models_train_each_other() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut session = Session::open(&examples.join("gan.model")).unwrap_or_else(|told| panic!("{told:?}"));
    session.set("epochs", "3").unwrap();
    let left = run_session(&session);
    let valid = |name: &str| left.valid.get(name).unwrap();
    assert!((valid("ink") - valid("real_ink")).abs() < 0.05, "{:?}", left.valid);
    assert!(valid("loss_Disc").is_finite() && valid("loss_Gen").is_finite());
}

/// A file of weights, as another program would leave it.
fn weights(folder: &std::path::Path, tensors: &[(&str, &[usize], &[f32])]) {
    use tensa::tensor::safetensors::{Stored, write};
    use tensa::tensor::{Named, Tensor};
    let mut stored = Stored { tensors: Default::default(), metadata: Default::default() };
    for (name, shape, values) in tensors {
        let tensor = Tensor::from_f32(shape, values.to_vec()).unwrap();
        let axes = (0..shape.len()).map(|at| format!("a{at}")).collect();
        stored.tensors.insert((*name).to_owned(), Named { tensor, axes });
    }
    write(&folder.join("base.safetensors"), &stored).unwrap();
}

const STACKED: &str = r#"
data D = csv("rows.csv") {
  x     = columns("x", "z")
  split = chronological(train = 50%, valid = 50%)
  batch = 4
}

model Net(x: [batch, d]) -> [batch, d] = x |> stack i in 0..2 { Dense(3, bias = false) |> Dense(2, bias = false) }
"#;

/// Names with stars and numbers, axes the other way round, and what may be left out.
#[test]
fn first_values_come_out_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rows.csv"), format!("x,z\n{}", "1,2\n".repeat(16))).unwrap();
    let first: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let second: [f32; 6] = [7.0, 8.0, 9.0, 10.0, 11.0, 12.0];
    let tensors: &[(&str, &[usize], &[f32])] = &[
        ("layers.0.up.weight", &[3, 2], &first),
        ("layers.0.down.weight", &[2, 3], &second),
        ("layers.1.up.weight", &[3, 2], &second),
        ("layers.1.down.weight", &[2, 3], &first),
        ("lm_head.weight", &[2], &[0.0, 0.0]),
    ];
    weights(folder.path(), tensors);
    let session = |load: &str| {
        let text = format!(
            "{STACKED}
train net = {load} on D {{ loss = mean(net(x)^2)  optimizer = SGD(0)  ema = 0.5  steps = 2 }}"
        );
        Session::new("net.model", &text, folder.path().to_owned())
    };
    let names =
        r#"names = { "*.Dense.w": "layers.*.up.weight[out, i]", "*.Dense.1.w": "layers.{i}.down.weight[out, i]" }"#;
    let told = |load: &str| {
        let session = session(load);
        let checked = session.check(None);
        assert!(!checked.diagnostics.has_errors(), "{:#?}", checked.diagnostics);
        train::read_loads(&checked.program, &checked.program.trains[0], &session.folder).map(|_| ()).map_err(|told| {
            assert_eq!(told.code, Code::E0830);
            told.message
        })
    };
    let whole = format!(r#"load("base.safetensors", Net(), {names}, except = ["lm_head.*"])"#);
    assert_eq!(told(&whole), Ok(()));
    let session = session(&whole);
    let left = run_session(&session);
    // Row by row the columns of the file: it has `[out, i]`, the program `[i, out]`.
    let turned = |values: &[f32; 6], rows: usize, columns: usize| -> Vec<f64> {
        (0..columns).flat_map(|column| (0..rows).map(move |row| f64::from(values[row * columns + column]))).collect()
    };
    assert_eq!(left.all("net.0.Dense.w"), turned(&first, 3, 2));
    assert_eq!(left.all("net.0.Dense.1.w"), turned(&second, 2, 3));
    assert_eq!(left.all("net.1.Dense.w"), turned(&second, 3, 2));
    assert_eq!(left.all("net.1.Dense.1.w"), turned(&first, 2, 3));
    assert_eq!(left.all("ema/net.1.Dense.1.w"), left.all("net.1.Dense.1.w"), "what follows begins where it does");

    let refused = |load: &str, part: &str| {
        let message = told(load).expect_err(load);
        assert!(message.contains(part), "`{part}` is not in {message}");
    };
    refused(r#"load("base.safetensors", Net())"#, "has nothing for `net.0.Dense.w`");
    refused(&format!(r#"load("base.safetensors", Net(), {names})"#), "nothing takes `lm_head.weight`");
    refused(&whole.replace("up.weight[out, i]", "up.weight"), "is [3, 2] in the file and [2, 3] in the program");
    refused(&whole.replace("up.weight[out, i]", "up.weight[out, d]"), "the axes [out, d]");
    refused(&whole.replace("base.", "bas."), "bas.safetensors");
}
