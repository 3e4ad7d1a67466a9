//! A softmax of which whole rows are masked.

use tensa::backend::interp::graph::{Given, run};
use tensa::driver::{self, Session};
use tensa::ir::Role;
use tensa::ops::Value;

#[test]
fn a_row_that_is_masked_as_a_whole_is_zero_and_passes_no_gradient() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data.csv"), "a,b,y\n1,2,0\n3,4,1\n").unwrap();
    // The first row of the scores is masked, the second is not.
    let text = "data D = csv(\"data.csv\") {
  x     = columns(\"a\", \"b\")
  y     = column(\"y\")
  split = random(train = 100%)
  batch = 2
}

model Net(x: [batch, feature]) -> [batch] {
  let z = x |> Dense(s: 3)
  let p = softmax[s](mask(expand[t: 2](z), pos(t: 2) > 0))
  sum[t, s](p * p)
}

train Net on D {
  loss      = mse(Net(x), y)
  optimizer = SGD(lr = 0.1)
  epochs    = 1
}
";
    let session = Session::new("masked.model", text, folder.path().to_path_buf());
    let checked = session.check(None);
    assert!(!checked.diagnostics.has_errors(), "{:?}", checked.diagnostics);
    let stages = driver::stages(&checked.program, &checked.program.trains[0], true);
    for graph in [&stages.grad, &stages.opt] {
        let mut given = Given { sizes: vec![2; graph.sizes.len()], steps_per_epoch: 1, step: 1, ..Given::default() };
        let value = |ty: &tensa::ir::Ty| {
            let dims: Vec<usize> = ty.dims.iter().map(|dim| dim.eval(&|_| 2).unwrap() as usize).collect();
            Value::from_fn(&dims, |at| 0.1 + 0.3 * at.iter().sum::<usize>() as f64)
        };
        given.inputs = graph.inputs.iter().map(|input| value(&input.ty)).collect();
        given.params = graph.params.iter().map(|param| value(&param.ty)).collect();
        given.states = graph.states.iter().map(|state| value(&state.ty)).collect();
        let outputs = run(graph, &given).unwrap();
        let finite = |value: &Value| value.data.iter().all(|x| x.is_finite());
        assert!(outputs.iter().all(|(_, value)| finite(value)), "{outputs:?}");
        let gradient = outputs.iter().find(|(role, _)| matches!(role, Role::Grad(_)));
        assert!(gradient.is_some_and(|(_, value)| value.data.iter().any(|x| *x != 0.0)), "{outputs:?}");
    }
}
