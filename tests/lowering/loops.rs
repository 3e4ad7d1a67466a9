//! Recurrent layers as programs: how much there is of them does not depend on how long they run.

use tensa::driver::{self, Session, Stages};
use tensa::kernel::ir::Step;

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
