//! Tests of the binary: what it prints where, how it ends, what it leaves, and what it says of bad input.

mod arrays;
mod dtypes;
mod modules;
mod pictures;
mod reports;
mod search;
mod settings;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with a small program and its data.
struct Place(TempDir);

/// How a command ended.
#[derive(Debug)]
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ended {
    /// As it must end, without a panic and without colours.
    fn with(self, code: i32) -> Ended {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        assert!(!self.stderr.contains('\u{1b}') && !self.stdout.contains('\u{1b}'), "{self:?}");
        self
    }

    /// A failure that says all of these, and nothing as a result.
    fn says(self, parts: &[&str]) {
        let ended = self.with(1);
        for part in parts {
            assert!(ended.stderr.contains(part), "`{part}` is not in\n{}", ended.stderr);
        }
    }

    fn events(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
    }
}

fn tensa(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tensa"));
    command.current_dir(folder).env("NO_COLOR", "1");
    command
}

impl Place {
    /// With the iris example.
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        fs::create_dir(folder.path().join("data")).unwrap();
        for name in ["iris.model", "data/iris.csv"] {
            fs::copy(examples.join(name), folder.path().join(name)).unwrap();
        }
        Place(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Changes a file.
    fn replace(&self, name: &str, from: &str, to: &str) {
        let text = self.text(name);
        assert!(text.contains(from), "{from}");
        fs::write(self.path(name), text.replace(from, to)).unwrap();
    }

    fn run(&self, args: &[&str]) -> Ended {
        let output = tensa(self.0.path()).args(args).output().unwrap();
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

#[test]
fn run_leaves_a_folder_and_prints_the_test() {
    let place = Place::new();
    let ended = place.run(&["run", "iris.model"]).with(0);
    assert!(ended.stdout.starts_with("test  loss 0."), "{}", ended.stdout);
    assert!(ended.stdout.contains("accuracy ") && ended.stdout.ends_with("run   runs/iris-1\n"), "{}", ended.stdout);
    assert_eq!(ended.stderr.lines().filter(|line| line.starts_with("epoch ")).count(), 50);
    let mut files: Vec<String> = fs::read_dir(place.path("runs/iris-1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let wanted =
        ["fitted.json", "metrics.jsonl", "optimizer.safetensors", "program.model", "run.json", "weights.safetensors"];
    assert_eq!(files, wanted);
    assert_eq!(place.text("runs/iris-1/program.model"), place.text("iris.model"));
    assert_eq!(place.text("runs/iris-1/metrics.jsonl").lines().count(), 51);

    let stored = tensa::tensor::safetensors::read(&place.path("runs/iris-1/weights.safetensors")).unwrap();
    let names: Vec<&str> = stored.tensors.keys().map(String::as_str).collect();
    assert_eq!(names.len(), 4);
    assert!(names.iter().all(|name| name.starts_with("Net.")), "{names:?}");
    assert!(stored.tensors.values().all(|named| named.axes.len() == named.tensor.shape().len()));
    let keys: Vec<&str> = stored.metadata.keys().map(String::as_str).collect();
    assert_eq!(keys, ["epoch", "position", "seed", "step"]);
    assert_eq!((&*stored.metadata["epoch"], &*stored.metadata["step"], &*stored.metadata["seed"]), ("50", "200", "42"));

    // Another run takes the next number and leaves the same bits.
    let again = place.run(&["run", "iris.model"]).with(0);
    assert_eq!(again.stdout.replace("iris-2", "iris-1"), ended.stdout);
    for name in ["weights.safetensors", "optimizer.safetensors", "fitted.json", "program.model"] {
        let [first, second] = ["1", "2"].map(|run| fs::read(place.path(&format!("runs/iris-{run}/{name}"))).unwrap());
        assert_eq!(first, second, "{name}");
    }
}

#[test]
fn fmt_lays_files_out() {
    let place = Place::new();
    let neat = place.text("iris.model");
    place.run(&["fmt", "--check", "iris.model"]).with(0);
    fs::write(place.path("ragged.model"), neat.replace(" = ", "=").replace("  ", "\t")).unwrap();
    fs::write(place.path("wrong.model"), "let a = (1\n").unwrap();
    let ended = place.run(&["fmt", "--check", "iris.model", "ragged.model"]).with(1);
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("ragged.model\n", ""));
    // A file with mistakes is told and left alone; the others are laid out all the same.
    place.run(&["fmt", "wrong.model", "ragged.model", "iris.model"]).says(&["E0102", "formatted ragged.model"]);
    assert_eq!(place.text("ragged.model"), neat);
    assert_eq!(place.text("wrong.model"), "let a = (1\n");
    place.run(&["fmt", "nothing.model"]).says(&["E0811", "nothing.model"]);
    place.run(&["fmt"]).with(2);

    // A folder is all programs below it; what a run keeps is as it ran.
    for name in ["deep/er/a.model", "deep/b.model", "deep/.hidden/c.model", "deep/run-1/program.model", "deep/d.txt"] {
        fs::create_dir_all(place.path(name).parent().unwrap()).unwrap();
        fs::write(place.path(name), "let a=1\n").unwrap();
    }
    fs::write(place.path("deep/run-1/run.json"), "{}").unwrap();
    let ended = place.run(&["fmt", "--check", "deep"]).with(1);
    assert_eq!(ended.stdout, "deep/b.model\ndeep/er/a.model\n");

    let mut child =
        tensa(place.0.path()).args(["fmt", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"let a=1 # one").unwrap();
    assert_eq!(child.wait_with_output().unwrap().stdout, b"let a = 1  # one\n");
}

#[test]
fn json_prints_one_event_a_line() {
    let place = Place::new();
    let ended = place.run(&["run", "iris.model", "--json", "--set", "epochs=3"]).with(0);
    assert_eq!(ended.stderr, "");
    let events = ended.events();
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["start", "epoch", "epoch", "epoch", "done"]);
    assert!(ended.stdout.lines().all(|line| line.starts_with("{\"event\":\"")));
    let (start, epoch, done) = (&events[0], &events[2], &events[4]);
    assert_eq!(start["rows"]["train"], 105);
    assert_eq!((start["epochs"].as_u64(), start["steps_per_epoch"].as_u64()), (Some(3), Some(4)));
    assert_eq!((epoch["epoch"].as_u64(), epoch["step"].as_u64()), (Some(2), Some(8)));
    assert!(epoch["train"]["loss"].is_f64() && epoch["valid"]["loss"].is_f64() && epoch["valid"]["accuracy"].is_f64());
    assert!(done["test"]["loss"].is_f64() && done["test"]["accuracy"].is_f64());
    assert_eq!(done["run"], "runs/iris-1");
    let metrics = place.text("runs/iris-1/metrics.jsonl");
    let lines: Vec<&str> = ended.stdout.lines().skip(1).collect();
    assert_eq!(metrics.lines().collect::<Vec<_>>(), lines);
}

#[test]
fn mistakes_are_events_as_well() {
    let place = Place::new();
    fs::copy(place.path("iris.model"), place.path("wrong.model")).unwrap();
    place.replace("wrong.model", "class: 3", "class: 4");
    for command in ["run", "train"] {
        let ended = place.run(&[command, "wrong.model", "--json"]).with(1);
        let events = ended.events();
        assert_eq!(events.len(), 1, "{}", ended.stdout);
        let told = &events[0];
        assert_eq!((told["event"].as_str(), told["code"].as_str()), (Some("error"), Some("E0314")));
        assert_eq!(told["help"][0]["edits"][0]["text"], "3");
        assert!(ended.stderr.starts_with("error[E0314]"));
    }
    let ended = place.run(&["run", "iris.model", "--json", "--set", "optimizer=Adam(lr = 1e30)"]).with(1);
    let names: Vec<String> = ended.events().iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["start", "diverged"]);
    let ended = place.run(&["eval", "runs/nothing", "--json"]).with(1);
    assert_eq!(ended.events()[0]["event"], "error");
}

#[test]
fn train_leaves_the_test_rows_alone_and_tells_times() {
    let place = Place::new();
    let ended = place.run(&["train", "iris.model", "--timings", "--set", "epochs=1", "--out", "here"]).with(0);
    assert_eq!(ended.stdout, "run   here/iris-1\n");
    let total = ended.stderr.lines().find(|line| line.starts_with("start to the end of the first step"));
    assert!(total.is_some_and(|line| line.ends_with(" ms")), "{}", ended.stderr);
    let done = place.run(&["train", "iris.model", "--json", "--set", "epochs=1"]).with(0).events();
    assert!(done.last().unwrap()["test"].is_null());
}

#[test]
fn what_the_command_line_sets_is_in_the_program_of_the_run() {
    let place = Place::new();
    place.replace("iris.model", "Dense(64, relu)", "Dense(width, relu)");
    place.replace("iris.model", "model Net", "let width = 64\n\nmodel Net");
    let args =
        ["run", "iris.model", "--set", "width=8", "--set", "epochs=2", "--set", "keep=best(valid.loss)", "--set"];
    place.run(&[&args[..], &["seed=7"]].concat()).with(0);
    let program = place.text("runs/iris-1/program.model");
    assert!(program.contains("let width = 8\n"), "{program}");
    assert!(program.contains("epochs    = 2\n") && program.contains("seed      = 7\n"), "{program}");
    assert!(program.contains("  keep = best(valid.loss)\n}"), "{program}");
    let record: Value = serde_json::from_str(&place.text("runs/iris-1/run.json")).unwrap();
    assert_eq!(record["set"][0], serde_json::json!(["width", "8"]));
    // That program is whole: it gives the same weights without anything set.
    fs::write(place.path("again.model"), program).unwrap();
    place.run(&["run", "again.model"]).with(0);
    let weights = |run: &str| fs::read(place.path(&format!("runs/{run}/weights.safetensors"))).unwrap();
    assert!(weights("iris-1") == weights("again-1"));
}

#[test]
fn eval_and_predict_need_the_run_only() {
    let place = Place::new();
    let done = place.run(&["run", "iris.model", "--json"]).with(0).events().pop().unwrap();
    let header = "sepal_len,sepal_wid,petal_len,petal_wid\n";
    fs::write(place.path("rows.csv"), format!("{header}5.1,3.5,1.4,0.2\n6.3,3.3,6.0,2.5\n")).unwrap();
    let by_program = place.run(&["predict", "iris.model", "--input", "rows.csv"]).with(0).stdout;
    fs::remove_file(place.path("iris.model")).unwrap();

    let evaluated = place.run(&["eval", "runs/iris-1", "--json"]).with(0).events().pop().unwrap();
    assert_eq!(evaluated["test"], done["test"]);
    let valid = place.run(&["eval", "runs/iris-1", "--split", "valid"]).with(0).stdout;
    assert!(valid.starts_with("valid  loss "), "{valid}");

    // Neither the training data nor labels are needed to predict.
    fs::remove_file(place.path("data/iris.csv")).unwrap();
    let predicted = place.run(&["predict", "runs/iris-1", "--input", "rows.csv"]).with(0).stdout;
    assert_eq!(predicted, by_program);
    let lines: Vec<&str> = predicted.lines().collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0], "predict,probability");
    assert!(lines[1].starts_with("setosa,0.9") && lines[2].starts_with("virginica,0."), "{predicted}");
    let rows = place.run(&["predict", "runs/iris-1", "--input", "rows.csv", "--json"]).with(0).events();
    assert_eq!(rows[1]["predict"], "virginica");
    let sum: f64 = rows[1]["probabilities"].as_object().unwrap().values().map(|p| p.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-12);

    place.run(&["eval", "runs/iris-1"]).says(&["E0711", "data/iris.csv"]);
    fs::write(place.path("rows.csv"), "sepal_len,sepal_wid,petal_len\n5.1,3.5,1.4\n").unwrap();
    place.run(&["predict", "runs/iris-1", "--input", "rows.csv"]).says(&["E0717", "petal_wid", "rows.csv"]);
    fs::write(place.path("rows.csv"), format!("{header}5.1,3.5,many,0.2\n")).unwrap();
    place.run(&["predict", "runs/iris-1", "--input", "rows.csv"]).says(&["E0718", "many", "rows.csv"]);
    place.run(&["predict", "runs/iris-1", "--input", "none.csv"]).says(&["E0711", "none.csv"]);
}

#[test]
fn new_makes_a_project_that_runs() {
    let place = Place::new();
    let ended = place.run(&["new", "flowers"]).with(0);
    assert_eq!(ended.stdout, "flowers/flowers.model\n");
    let done = place.run(&["run", "flowers/flowers.model", "--json"]).with(0).events().pop().unwrap();
    assert!(done["test"]["accuracy"].as_f64().unwrap() > 0.8);
    place.run(&["new", "flowers"]).says(&["E0829", "flowers"]);
    place.run(&["new", "a b"]).says(&["E0829", "a b"]);
}

#[test]
fn bad_data_is_told_with_its_place() {
    let place = Place::new();
    place.replace("iris.model", "data/iris.csv", "data/irs.csv");
    place.run(&["run", "iris.model"]).says(&["E0711", "data/irs.csv", "did you mean", "data/iris.csv"]);
    place.replace("iris.model", "data/irs.csv", "data/iris.csv");
    place.replace("iris.model", "\"petal_wid\"", "\"petal_width\"");
    place.run(&["run", "iris.model"]).says(&["E0717", "petal_width", "petal_wid", "iris.model"]);
    place.replace("iris.model", "\"petal_width\"", "\"petal_wid\"");
    let table = place.text("data/iris.csv");
    let ragged: Vec<String> =
        table.lines().enumerate().map(|(at, row)| format!("{row}{}", if at == 7 { ",1" } else { "" })).collect();
    fs::write(place.path("data/iris.csv"), ragged.join("\n")).unwrap();
    place.run(&["run", "iris.model"]).says(&["E0715", "8", "data/iris.csv"]);
    assert!(!place.path("runs").exists(), "a program that does not check leaves nothing");
}

#[test]
fn bad_programs_are_told() {
    let place = Place::new();
    place.run(&["run", "none.model"]).says(&["E0811", "none.model"]);
    fs::write(place.path("bytes.model"), [0x6d, 0xff, 0xfe]).unwrap();
    place.run(&["run", "bytes.model"]).says(&["E0811", "bytes.model", "UTF-8"]);
    let deep = format!("let a = {}1{}\n", "(".repeat(100_000), ")".repeat(100_000));
    fs::write(place.path("deep.model"), deep).unwrap();
    place.run(&["run", "deep.model"]).says(&["E0103"]);
    fs::write(place.path("empty.model"), "let a = 1\n").unwrap();
    place.run(&["run", "empty.model"]).says(&["E0827", "empty.model"]);
    place.replace("iris.model", "epochs    = 50", "epoch    = 50");
    place.run(&["run", "iris.model"]).says(&["E0601", "`epoch`", "did you mean `epochs`?"]);
    place.replace("iris.model", "epoch    = 50", "epochs   = 50");
    place.run(&["run", "iris.model", "--set", "epoch=3"]).says(&["E0812", "`epoch`", "did you mean `epochs`?"]);
    place.run(&["run", "iris.model", "--set", "epochs=0"]).says(&["E0603", "epochs"]);
    place.replace("iris.model", "Dense(64, relu)", "Dense(9000000000000000000, relu)");
    let ended = place.run(&["run", "iris.model"]).with(1);
    assert!(ended.stderr.contains("error[E0"), "{}", ended.stderr);
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let place = Place::new();
    for args in [
        &["bogus"][..],
        &["run"],
        &["run", "iris.model", "--set", "epochs"],
        &["run", "iris.model", "--threads", "0"],
        &["run", "iris.model", "--device", "abacus"],
        &["predict", "runs/iris-1"],
    ] {
        let ended = place.run(args).with(2);
        assert!(ended.stderr.starts_with("error: "), "{args:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn a_broken_run_is_told() {
    let place = Place::new();
    place.run(&["eval", "runs/iris-9"]).says(&["E0823", "runs/iris-9"]);
    place.run(&["eval", "iris.model"]).says(&["E0823", "tensa run iris.model"]);
    place.run(&["run", "iris.model", "--set", "epochs=1"]).with(0);
    place.run(&["run", "--resume", "runs/iris-1"]).says(&["E0828", "runs/iris-1"]);
    let weights = place.path("runs/iris-1/weights.safetensors");
    let whole = fs::read(&weights).unwrap();
    fs::write(&weights, &whole[..whole.len() - 4]).unwrap();
    place.run(&["eval", "runs/iris-1"]).says(&["E0823", "weights.safetensors"]);
    fs::write(&weights, &whole).unwrap();
    place.replace("runs/iris-1/program.model", "Dense(64", "Dense(65");
    place.run(&["eval", "runs/iris-1"]).says(&["E0824", "Net.Dense", "[4, 64]", "[4, 65]"]);
    fs::write(place.path("runs/iris-1/run.json"), "{").unwrap();
    place.run(&["eval", "runs/iris-1"]).says(&["E0823", "run.json"]);
    fs::write(place.path("file"), "").unwrap();
    place.run(&["run", "iris.model", "--out", "file"]).says(&["E0822", "file"]);
}

#[test]
fn a_loss_that_is_no_number_is_an_error() {
    let place = Place::new();
    let ended = place.run(&["run", "iris.model", "--json", "--set", "optimizer=SGD(lr = 1e20)"]);
    assert_eq!(ended.events().last().unwrap()["event"], "diverged");
    ended.says(&["E0821", "epoch 1", "at step "]);
}

/// Sends a signal to a process.
#[cfg(unix)]
fn interrupt(id: u32) {
    let sent = Command::new("kill").args(["-INT", &id.to_string()]).status().unwrap();
    assert!(sent.success());
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_saves_itself_and_goes_on() {
    let place = Place::new();
    let settings = ["--set", "epochs=4000", "--set", "keep=best(valid.loss)"];
    let child = tensa(place.0.path())
        .args(["run", "iris.model"])
        .args(settings)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let metrics = place.path("runs/iris-1/metrics.jsonl");
    let start = Instant::now();
    while fs::read_to_string(&metrics).map_or(0, |text| text.lines().count()) < 20 {
        assert!(start.elapsed() < Duration::from_secs(60), "the run does not start");
        std::thread::sleep(Duration::from_millis(2));
    }
    interrupt(child.id());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(output.stdout, b"");
    assert!(place.path("runs/iris-1/checkpoint.safetensors").exists());
    // Usable as it is.
    place.run(&["eval", "runs/iris-1"]).with(0);

    place.run(&["run", "--resume", "runs/iris-1"]).with(0);
    assert!(!place.path("runs/iris-1/checkpoint.safetensors").exists());
    place.run(&[&["run", "iris.model"][..], &settings].concat()).with(0);
    for name in ["weights.safetensors", "optimizer.safetensors"] {
        let [parts, whole] = ["1", "2"].map(|run| fs::read(place.path(&format!("runs/iris-{run}/{name}"))).unwrap());
        assert!(parts == whole, "{name}");
    }
    let epochs = |run: &str| {
        place.text(&format!("runs/iris-{run}/metrics.jsonl")).lines().take(4000).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(epochs("1"), epochs("2"));
}

/// What only a batch decides is held against each, for whom it concerns: a step here, and no prediction.
#[test]
fn batches_are_held_to_what_the_program_needs() {
    let place = Place::new();
    let rows: String = (0..20).map(|row| format!("{row},{}\n", row % 3)).collect();
    fs::write(place.path("rows.csv"), format!("a,b\n{rows}")).unwrap();
    let text = "data Rows = csv(\"rows.csv\") {\n  x = columns[d](\"a\", \"b\")\n  split = random(train = 100%)\n  \
                batch = 8\n}\nmodel Net(x: [batch, d]) -> [batch, h] = x |> Dense(h: 1)\ntrain Net on Rows {\n  \
                predict = Net(x)\n  loss = mean(predict[batch = 0..6]^2)\n  optimizer = SGD(lr = 1e-6)\n  epochs = 1\n}\n";
    fs::write(place.path("rows.model"), text).unwrap();
    place.run(&["run", "rows.model"]).says(&["E0831", "a batch has 4 rows", "`6 <= batch`", "`6 <= 4`"]);
    fs::write(place.path("whole.model"), text.replace("batch = 8", "batch = 10")).unwrap();
    place.run(&["run", "whole.model"]).with(0);
    fs::write(place.path("one.csv"), "a,b\n1,2\n").unwrap();
    place.run(&["predict", "whole.model", "--input", "one.csv"]).with(0);
    fs::write(place.path("left.model"), text.replace("batch = 8", "batch = 8\n  drop_last = true")).unwrap();
    place.run(&["run", "left.model"]).with(0);
}

/// Numbers that `index[a]` makes places of are held to the axis as the program runs.
#[test]
fn a_number_that_is_no_place_ends_a_run() {
    let place = Place::new();
    fs::write(place.path("rows.csv"), "a,b\n0,1\n1,2\n3,0\n2,1\n").unwrap();
    let text = "data Rows = csv(\"rows.csv\") {\n  a = column(\"a\")\n  split = random(train = 100%)\n  batch = 4\n}\n\
                layer Net(a: [batch]) -> [batch] = param table[n: 4] ~ zeros |> _[n = index[n](2 * a)]\n\
                train Net on Rows {\n  predict = Net(a)\n  loss = mean((predict - a)^2)\n  optimizer = SGD(lr = 0.1)\n  \
                epochs = 1\n}\n";
    fs::write(place.path("rows.model"), text).unwrap();
    place.run(&["run", "rows.model"]).says(&["E0825", "a place of `n` is 6", "0 to 3"]);
    fs::write(place.path("whole.model"), text.replace("2 * a", "a")).unwrap();
    place.run(&["run", "whole.model"]).with(0);
    fs::write(place.path("more.csv"), "a\n3\n-1\n").unwrap();
    place.run(&["predict", "whole.model", "--input", "more.csv"]).says(&["E0825", "a place of `n` is -1"]);

    // In a loop, those of all its positions.
    let loop_text = "{\n  param table[n: 4] ~ zeros\n  let reads = scan k: 3 from at = a {\n    \
                     let read = table[n = index[n](at)]\n    at := at + 1\n    read\n  }\n  sum[k](reads)\n}";
    let text = text.replace("= param table[n: 4] ~ zeros |> _[n = index[n](2 * a)]", loop_text);
    fs::write(place.path("loop.model"), &text).unwrap();
    place.run(&["run", "loop.model"]).says(&["E0825", "a place of `n` is 5", "0 to 3"]);
    fs::write(place.path("inside.model"), text.replace("at + 1", "min(at + 1, 3)")).unwrap();
    place.run(&["run", "inside.model"]).with(0);
    place.run(&["predict", "inside.model", "--input", "more.csv"]).says(&["E0825", "a place of `n` is -1"]);
}
