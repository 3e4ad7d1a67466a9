//! Settings of a run: what ends it early, what it keeps and tells on the way, what it begins with.

use super::*;

/// A regression on the iris table with further settings.
fn regression(settings: &str) -> Place {
    let place = Place::new();
    let text = format!(
        r#"data Iris = csv("data/iris.csv") {{
  x     = columns("sepal_len", "sepal_wid", "petal_len") |> standardize
  y     = column("petal_wid")
  split = random(train = 80%, valid = 20%)
  batch = 8
}}

model Net(x: [batch, feature]) -> [batch] = x |> Dense(one: 1) |> _[one = 0]

train Net on Iris {{
  loss = mse(Net(x), y)
{settings}}}
"#
    );
    fs::write(place.path("net.model"), text).unwrap();
    place
}

/// The event of a name.
fn event<'e>(events: &'e [Value], name: &str) -> &'e Value {
    events.iter().find(|event| event["event"] == name).unwrap_or_else(|| panic!("no {name} in {events:#?}"))
}

/// A learning rate that grows until the loss does.
const GROWING: &str = "  optimizer = SGD(lr = exponential(1e-3, 3, over = 120 steps))\n  steps = 200\n";

#[test]
fn a_loss_that_grows_ends_a_run_well() {
    let place = regression(&format!("{GROWING}  stop = [patience(valid.loss, 50), diverged(train.loss, 4)]\n"));
    let ended = place.run(&["run", "net.model", "--json"]).with(0);
    let events = ended.events();
    let stopped = event(&events, "stopped");
    let number = |name: &str| stopped[name].as_f64().unwrap_or_else(|| panic!("{stopped}"));
    assert_eq!(stopped["diverged"], "train.loss");
    assert!(number("value") > 4.0 * number("least"), "{stopped}");
    // The end is within an epoch of 15 steps: each step is looked at.
    let step = stopped["step"].as_u64().unwrap();
    assert!((60..200).contains(&step) && !step.is_multiple_of(15), "{stopped}");
    assert_eq!(event(&events, "done")["step"], step);
    let plain = place.run(&["run", "net.model"]).with(0);
    assert!(plain.stderr.contains(&format!("stopped after step {step}: `train.loss` is ")), "{}", plain.stderr);
}

#[test]
fn a_loss_that_is_no_number_ends_a_run_well_where_that_is_asked_for() {
    let wild = "  optimizer = SGD(lr = 50)\n  epochs = 20\n";
    regression(wild).run(&["run", "net.model"]).says(&["error[E0821]"]);
    // So large a multiple is reached by no number before there is none.
    let place = regression(&format!("{wild}  stop = diverged(train.loss, 1e300)\n"));
    let events = place.run(&["run", "net.model", "--json"]).with(0).events();
    let stopped = event(&events, "stopped");
    assert!(stopped["value"].is_null() && stopped["least"].is_f64(), "{stopped}");
    // The weights of the start are the last that are known to be sound.
    assert_eq!(event(&events, "done")["epoch"], 0);
    let valid = place.run(&["eval", "net.model", "--split", "valid", "--json"]).with(0).events();
    assert!(valid[0]["valid"]["loss"].is_f64(), "{valid:?}");
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const SHORT: &str = "  optimizer = Adam(lr = 1e-2)\n  epochs = 4\n";

#[test]
fn checkpoints_stay_and_a_run_goes_on_from_one() {
    let place = regression(&format!("{SHORT}  log = every(7 steps)\n  checkpoint = every(10 steps, keep = 3)\n"));
    place.run(&["run", "net.model"]).with(0);
    let run = place.path("runs/net-1");
    assert_eq!(names(&run.join("checkpoints")), ["step-40.safetensors", "step-50.safetensors", "step-60.safetensors"]);
    assert!(!run.join("checkpoint.safetensors").exists());
    let of_run = |name: &str| fs::read(run.join(name)).unwrap();
    let before = ["weights.safetensors", "optimizer.safetensors", "metrics.jsonl"].map(of_run);
    // Step 40 lies within the third epoch: what came after it is done again, to the same bits.
    let resumed = place.run(&["run", "--resume", "runs/net-1/checkpoints/step-40.safetensors", "--json"]).with(0);
    assert_eq!(event(&resumed.events(), "start")["finished"], 2);
    assert_eq!(["weights.safetensors", "optimizer.safetensors", "metrics.jsonl"].map(of_run), before);
    assert_eq!(names(&run.join("checkpoints")), ["step-40.safetensors", "step-50.safetensors", "step-60.safetensors"]);
    place.run(&["run", "--resume", "runs/net-1"]).says(&["error[E0828]"]);

    let all = regression(&format!("{SHORT}  checkpoint = every(2 epochs)\n"));
    all.run(&["run", "net.model"]).with(0);
    assert_eq!(names(&all.path("runs/net-1/checkpoints")), ["step-30.safetensors", "step-60.safetensors"]);
}

#[test]
fn steps_are_reported_in_between() {
    let place = regression(&format!("{SHORT}  log = every(5 steps)\n"));
    let events = place.run(&["run", "net.model", "--json"]).with(0).events();
    let of = |name: &str| events.iter().filter(|event| event["event"] == name).collect::<Vec<_>>();
    let logs = of("log");
    let steps: Vec<u64> = logs.iter().map(|event| event["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, (1..=12).map(|at| 5 * at).collect::<Vec<_>>());
    // Three reports of five batches of eight rows are an epoch of fifteen.
    for (epoch, logs) in of("epoch").iter().zip(logs.chunks(3)) {
        let loss = |event: &Value| event["train"]["loss"].as_f64().unwrap();
        let mean = logs.iter().map(|event| loss(event)).sum::<f64>() / 3.0;
        assert!((loss(epoch) - mean).abs() < 1e-9, "{epoch} {logs:?}");
    }
    let kept = place.text("runs/net-1/metrics.jsonl");
    assert_eq!(kept.lines().filter(|line| line.contains("\"log\"")).count(), 12);
    let plain = place.run(&["run", "net.model"]).with(0);
    assert!(plain.stderr.contains("\nstep 5   train loss "), "{}", plain.stderr);
}

#[test]
fn a_run_begins_with_the_weights_of_another() {
    let place = regression(SHORT);
    place.run(&["run", "net.model"]).with(0);
    // Nothing moves with a rate of 0, so the weights are those of the file.
    let init = "init=\"runs/net-1/weights.safetensors\"";
    place.run(&["run", "net.model", "--set", init, "--set", "optimizer=SGD(lr = 0)"]).with(0);
    let tensors = |run: &str| {
        let path = place.path(&format!("runs/{run}/weights.safetensors"));
        tensa::tensor::safetensors::read(&path).unwrap().tensors
    };
    assert_eq!(tensors("net-1"), tensors("net-2"));
    // What does not fit is told before anything runs, and by the check.
    place.replace("net.model", "Dense(one: 1)", "LayerNorm |> Dense(one: 1)");
    for command in ["run", "check"] {
        place.run(&[command, "net.model", "--set", init]).says(&["error[E0830]", "has nothing for", "except"]);
    }
    place.replace("net.model", "LayerNorm |> Dense(one: 1)", "Dense(one: 1, bias = false)");
    place
        .run(&["check", "net.model", "--set", init])
        .says(&["error[E0830]: nothing takes `Net.Dense.b` of `runs/net-1/"]);
    place
        .run(&["check", "net.model", "--set", "init=\"none.safetensors\""])
        .says(&["error[E0830]", "none.safetensors"]);
}
