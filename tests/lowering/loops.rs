//! Recurrent layers as programs: how much there is of them does not depend on how long they run.

use std::sync::Arc;

use tensa::backend::cpu::Cpu;
use tensa::backend::interp::graph;
use tensa::driver::{self, Session, Stages};
use tensa::ir::{DType, Role};
use tensa::kernel::ir::Step;
use tensa::ops::Value;

use crate::support::{models, steps};

/// A step of a run whose model has a recurrent layer over so many places.
fn stages(layer: &str, places: usize) -> Stages {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data.csv"), "a,b,y\n1,2,0\n3,4,1\n").unwrap();
    let text = format!(
        "data D = csv(\"data.csv\") {{
  x     = columns(\"a\", \"b\")
  y     = column(\"y\")
  split = random(train = 100%)
  batch = 2
}}

model Net(x: [batch, feature]) -> [batch] {{
  let h = x |> Dense(side: {}) |> split[side -> t: {places}, d: 4] |> {layer}(8)
  h[t = -1] |> Dense(z: 1) |> sum[z](_)
}}

train Net on D {{
  loss      = mse(Net(x), y)
  optimizer = SGD(lr = 0.1)
  epochs    = 1
}}
",
        4 * places
    );
    let session = Session::new("loops.model", &text, folder.path().to_path_buf());
    let checked = session.check(None);
    assert!(!checked.diagnostics.has_errors(), "{:?}", checked.diagnostics);
    driver::stages(&checked.program, &checked.program.trains[0], true)
}

fn count(steps: &[Step]) -> usize {
    let inner = |step: &Step| if let Step::Scan(scan) = step { count(&scan.body) } else { 0 };
    steps.iter().map(|step| 1 + inner(step)).sum()
}

#[test]
fn a_longer_sequence_has_no_more_steps() {
    for layer in ["RNN", "LSTM", "GRU"] {
        let [short, long] = [6, 60].map(|places| driver::kernels(&stages(layer, places).opt));
        assert_eq!(count(&short.steps), count(&long.steps), "{layer}\n{short}\n{long}");
        assert_eq!(short.kernels.len(), long.kernels.len(), "{layer}");
    }
}

#[test]
fn no_loop_carries_the_gradient_of_a_weight() {
    for (layer, carried) in [("RNN", 1), ("LSTM", 2), ("GRU", 1)] {
        let graph = &stages(layer, 6).opt;
        let carries: Vec<usize> = graph.scans().iter().map(|scan| scan.carries).collect();
        // There and back.
        assert_eq!(carries, [carried, carried], "{layer}\n{}", tensa::ir::text::print(graph));
    }
}

/// A walk over a table whose places are computed on the way; what is read and what leads there.
const WALK: &str = "model M(x: [batch, d: 3]) -> [batch] {
  param table[n: 5] ~ uniform(0.2, 0.9)
  let walk = scan k: 4 from at = x[d = 0] {
    let read = table[n = index[n](4 * abs(sin(at)))]
    at := at + read + x[d = 1]
    at * read
  }
  sum[k](walk)
}";

#[test]
fn places_are_computed_in_a_loop() {
    let model = models::open(WALK, "").unwrap_or_else(|told| panic!("{told}"));
    let (table, x) = (&model.given.params[0], &model.given.inputs[0]);
    let by_hand = Value::from_fn(&[models::BATCH], |row| {
        let (mut at, mut total) = (x.at(&[row[0], 0]), 0.0);
        for _ in 0..4 {
            let read = table.at(&[(4.0 * at.sin().abs()) as usize]);
            at += read + x.at(&[row[0], 1]);
            total += at * read;
        }
        total
    });
    let predicted = model.predict();
    for (got, want) in predicted.data.iter().zip(&by_hand.data) {
        assert!((got - want).abs() < 1e-12, "{got}, not {want}");
    }
    // The extremes of all places of all rows are what a run is held to.
    let training = graph::run(&model.stages.lowered.passes[0].training, &model.given).expect("sizes in range");
    let extreme = |wanted: Role| training.iter().find(|(role, _)| *role == wanted).expect("a check").1.data[0];
    let mut places = Vec::new();
    for row in 0..models::BATCH {
        let mut at = x.at(&[row, 0]);
        for _ in 0..4 {
            places.push(4.0 * at.sin().abs());
            at += table.at(&[(4.0 * at.sin().abs()) as usize]) + x.at(&[row, 1]);
        }
    }
    let (least, most) = places.iter().fold((f64::MAX, f64::MIN), |(low, high), at| (low.min(*at), high.max(*at)));
    assert!((extreme(Role::Least(0)) - least).abs() < 1e-12 && (extreme(Role::Most(0)) - most).abs() < 1e-12);
    assert!(least < 2.0 && most >= 3.0, "one place alone: {places:?}");
}

/// The table has the gradient of each of its places; the step in machine code is that of the reference.
#[test]
fn what_is_read_in_a_loop_has_a_gradient() {
    let mut model = models::open(WALK, "").unwrap_or_else(|told| panic!("{told}"));
    let gradient = |step: &[(Role, Value)]| {
        step.iter().find(|(role, _)| matches!(role, Role::Grad(_))).expect("a gradient").1.clone()
    };
    let got = gradient(&model.step());
    let training = model.stages.lowered.passes[0].training.clone();
    for at in 0..got.data.len() {
        let here = model.given.params[0].data[at];
        // Small steps, so that no place becomes another one.
        let mut loss = |distance: f64| {
            model.given.params[0].data[at] = here + distance;
            let outputs = graph::run(&training, &model.given).expect("sizes in range");
            outputs.into_iter().find(|(role, _)| *role == Role::Loss).expect("a loss").1.data[0]
        };
        let want = (loss(1e-6) - loss(-1e-6)) / 2e-6;
        model.given.params[0].data[at] = here;
        assert!((got.data[at] - want).abs() < 1e-6 * want.abs().max(1.0), "{at}: {}, not {want}", got.data[at]);
    }
    assert!(got.data.iter().filter(|grad| **grad != 0.0).count() >= 2, "{got:?}");
    let given = steps::rounded(model.given.clone());
    let graph = &model.stages.passes[0].opt;
    let want = graph::run(graph, &given).expect("sizes in range");
    let program = Arc::new(driver::kernels(graph));
    let code = steps::run(graph, &program, &Cpu::new(2).unwrap(), &given).unwrap();
    for ((role, words), (_, want)) in code.iter().zip(&want) {
        for (word, want) in words.iter().zip(&want.data) {
            let got = steps::element(*word, DType::F32);
            // Rounding of f32 over a few sums.
            assert!((got - want).abs() < 1e-5 * want.abs().max(1.0), "{role:?}: {got}, not {want}");
        }
    }
}
