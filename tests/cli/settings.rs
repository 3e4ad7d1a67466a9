//! Settings of a run: what ends it early.

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
    assert!((60..200).contains(&step) && step % 15 != 0, "{stopped}");
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
