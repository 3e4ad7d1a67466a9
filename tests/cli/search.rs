//! `tensa search`: its trials, what is best, and that it goes on.

use super::*;

/// The iris example with a size and a learning rate to vary.
fn place(lines: &str) -> Place {
    let place = Place::new();
    let text = format!(
        r#"let lr = 0.01

data Iris = csv("data/iris.csv") {{
  x     = columns("sepal_len", "sepal_wid", "petal_len", "petal_wid") |> standardize
  y     = column("species") |> vocab
  split = random(train = 70%, valid = 15%, test = 15%)
  batch = 16
}}

model Net(width = 4)(x: [batch, feature]) -> logit[batch, class] {{
  x |> Dense(width, tanh) |> Dense(class: 3)
}}

train Net on Iris {{
  predict   = Net(x)
  loss      = cross_entropy(predict, y)
  metrics   = [accuracy(predict, y)]
  optimizer = Adam(lr = lr)
  epochs    = 3
  seed      = 5
}}

search Net on Iris {{
{lines}}}
"#
    );
    fs::write(place.path("net.model"), text).unwrap();
    place
}

const TPE: &str = "  lr in log_uniform(1e-4, 1)
  Net.width in [4, 16]
  method = tpe
  trials = 8
  goal   = min(valid.loss)
";

#[test]
fn a_search_tries_values_and_says_which_are_best() {
    let place = place(TPE);
    let ended = place.run(&["search", "net.model"]).with(0);
    assert_eq!(ended.stderr.lines().filter(|line| line.starts_with("trial ")).count(), 8, "{}", ended.stderr);
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let head: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(head, ["trial", "lr", "Net.width", "valid.loss", "epoch"]);
    let rows: Vec<Vec<&str>> = lines[1..9].iter().map(|line| line.split_whitespace().collect()).collect();
    let least = rows.iter().min_by(|a, b| a[3].parse::<f64>().unwrap().total_cmp(&b[3].parse().unwrap())).unwrap();
    assert!(ended.stdout.contains(&format!("\nbest  trial {}\n", least[0])), "{}", ended.stdout);
    let set = format!("--set lr={} --set Net.width={}", least[1], least[2]);
    assert!(ended.stdout.contains(&format!("\nset   {set}\n")), "{}", ended.stdout);

    // What it says to set gives the same weights in a run, and a trial can be asked like a run.
    let arguments: Vec<&str> = ["train", "net.model"].into_iter().chain(set.split(' ')).collect();
    place.run(&arguments).with(0);
    let bytes = |run: &str| fs::read(place.path(&format!("runs/{run}/weights.safetensors"))).unwrap();
    let best = format!("net-search-1/trial-{}", least[0]);
    assert_eq!(bytes("net-1"), bytes(&best));
    let text = place.text(&format!("runs/{best}/program.model"));
    assert!(
        text.contains(&format!("let lr = {}\n", least[1])) && text.contains(&format!("Net(width = {})(x", least[2]))
    );
    let eval = place.run(&["eval", &format!("runs/{best}"), "--split", "valid", "--json"]).with(0).events();
    let loss = eval[0]["valid"]["loss"].as_f64().unwrap();
    assert_eq!(format!("{loss:.4}"), least[3]);
    // The test rows were left alone.
    assert!(!place.text(&format!("runs/{best}/metrics.jsonl")).contains("\"test\":{"));

    // The same seed tries the same values, another one others.
    let again = place.run(&["search", "net.model"]).with(0);
    assert_eq!(again.stdout.replace("search-2", "search-1"), ended.stdout);
}

#[test]
fn a_search_goes_on_where_it_was_interrupted() {
    let place = place(TPE);
    let whole = place.run(&["search", "net.model", "--json"]).with(0).events();
    assert_eq!(whole.len(), 9);
    assert_eq!(whole[8]["event"], "done");
    let folder = place.path("runs/net-search-1");
    let trials = place.text("runs/net-search-1/trials.jsonl");
    // As if it had been stopped in the fifth trial, of which the run was not done.
    let four: String = trials.lines().take(4).flat_map(|line| [line, "\n"]).collect();
    fs::write(folder.join("trials.jsonl"), four).unwrap();
    fs::remove_file(folder.join("trial-5/weights.safetensors")).unwrap();
    let metrics = place.text("runs/net-search-1/trial-5/metrics.jsonl");
    let unfinished: String = metrics.lines().take(2).flat_map(|line| [line, "\n"]).collect();
    fs::write(folder.join("trial-5/metrics.jsonl"), unfinished).unwrap();
    // Finished ones are not run again: nothing of theirs is written.
    fs::remove_file(folder.join("trial-1/weights.safetensors")).unwrap();
    let resumed = place.run(&["search", "--resume", "runs/net-search-1", "--json"]).with(0).events();
    assert_eq!(resumed, whole[4..]);
    assert_eq!(place.text("runs/net-search-1/trials.jsonl"), trials);
    assert!(
        folder.join("trial-5/weights.safetensors").exists() && !folder.join("trial-1/weights.safetensors").exists()
    );
    assert_eq!(place.text("runs/net-search-1/trial-5/metrics.jsonl"), metrics);

    // Values that are not of the search, and a folder that is none.
    fs::write(folder.join("trials.jsonl"), trials.replace("\"16\"", "\"17\"").replace("\"4\"", "\"5\"")).unwrap();
    place.run(&["search", "--resume", "runs/net-search-1"]).says(&["error[E0828]: trial 1"]);
    place.run(&["train", "net.model"]).with(0);
    place.run(&["search", "--resume", "runs/net-1"]).says(&["error[E0828]", "not the folder of a search"]);
}

#[test]
fn trials_that_fail_are_left_out() {
    // No size is 2.5, and so large a rate leaves no number.
    let grid = "  Net.width in [2.5, 4]
  lr in [0.01, 3e38]
  method = grid
  goal   = max(valid.accuracy)
";
    let place = place(grid);
    let events = place.run(&["search", "net.model", "--json"]).with(0).events();
    let values: Vec<bool> = events[..4].iter().map(|event| event["value"].is_f64()).collect();
    assert_eq!(values, [false, false, true, false]);
    assert_eq!((&events[4]["event"], &events[4]["trial"]), (&Value::from("done"), &Value::from(3)));
    let why = |at: usize| events[at]["failed"].as_str().unwrap_or_default();
    assert!(why(0).starts_with('E') && why(3).starts_with("the loss is "), "{events:#?}");
    place.replace("net.model", "Net.width in [2.5, 4]", "Net.width in [2.5]");
    place
        .run(&["search", "net.model"])
        .says(&["error[E0832]: none of 2 trials came to a value", "note: the first one: E0"]);
}

#[test]
fn what_is_no_search_is_told() {
    let place = place(TPE);
    place.run(&["search", "iris.model"]).says(&["error[E0827]: `iris.model` has no `search`"]);
    let ended = place.run(&["search", "net.model", "--set", "lr=0.1"]).with(2);
    assert!(ended.stderr.contains("`--set lr` gives `lr` one value"), "{}", ended.stderr);
    // Of a default, a value of another sort.
    place.run(&["check", "net.model", "--set", "Net.width=\"4\""]).says(&["error[E0813]"]);
    place.run(&["check", "net.model", "--set", "Net.widht=4"]).says(&["error[E0812]", "did you mean `Net.width`?"]);
}
