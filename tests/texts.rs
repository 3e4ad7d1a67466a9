//! Texts from file to prediction: rows of any length train one compiled step, padding counts for nothing, the
//! examples learn, and what a model writes is a text.

use std::fs;
use std::path::Path;
use std::process::Command;

use tensa::backend::Backend;
use tensa::backend::cpu::Cpu;
use tensa::data::Part;
use tensa::driver::{self, Session};
use tensa::train::{Evaluator, Model};

/// A program that weighs the letters of a line, each row by itself, with batches of some size.
fn program(batch: &str) -> String {
    format!(
        "data Lines = lines(\"lines.txt\") {{
  ids   = chars[t, letter] |> pad
  split = random(valid = 50%)
  batch = {batch}
}}
model Net(ids: index(letter)[batch, t]) -> logit[batch, t, letter] {{
  ids |> Embedding(d: 8) |> GRU(8) |> Dense(letter)
}}
train Net on Lines {{
  let missed = logsumexp[letter](Net(ids)) - Net(ids)[letter = ids]
  let real   = present(ids)
  predict    = Net(ids)
  loss       = mean(sum[t](if real {{ missed }} else {{ 0 }}) / length(ids))
  metrics    = {{ long: mean(length(ids)), there: mean(sum[t](real)) }}
  optimizer  = SGD(lr = 0.1)
  epochs     = 2
}}
"
    )
}

/// Forty lines of one to nineteen letters.
fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let line = |row: usize| (0..1 + row * 7 % 19).map(|at| ["a", "b", "c"][(row + at * at) % 3]).collect::<String>();
    let lines: String = (0..40).map(|row| line(row) + "\n").collect();
    fs::write(folder.path().join("lines.txt"), lines).expect("a file");
    folder
}

/// The values that an untrained model has on the validation rows.
fn values(folder: &Path, batch: &str, backend: &dyn Backend) -> Vec<(String, f64)> {
    let session = Session::new("lines.model", &program(batch), folder.to_path_buf());
    let checked = session.check(None);
    assert!(!checked.diagnostics.has_errors(), "{:#?}", checked.diagnostics);
    let train = &checked.program.trains[0];
    let dataset = &checked.datasets[&train.data];
    let stages = driver::stages(&checked.program, train, false);
    let mut model = Model::new(train, &stages.lowered, backend).expect("a model");
    let mut evaluator = Evaluator::new(&model, &stages.lowered, dataset).expect("an evaluator");
    evaluator.run(&mut model, dataset, Part::Valid).expect("a run").expect("rows").values
}

/// How rows are batched, and so how far they are filled up, changes no value that `present` and `length` weigh; and
/// whatever lengths come, what was compiled for the first serves all.
#[test]
fn padding_counts_for_nothing() {
    let folder = place();
    let mut first: Option<(Vec<(String, f64)>, u64)> = None;
    for batch in ["1", "3", "whole", "tokens(30)"] {
        let backend = Cpu::new(2).expect("a backend");
        let values = values(folder.path(), batch, &backend);
        let compiled = backend.stats().compiled;
        let (wanted, count) = first.get_or_insert_with(|| (values.clone(), compiled));
        assert_eq!(compiled, *count, "{batch}");
        for ((name, value), (_, wanted)) in values.iter().zip(wanted.iter()) {
            // Sums of a few dozen f32 in another order.
            assert!((value - wanted).abs() < 1e-5 * wanted.abs(), "{batch}: {name} is {value}, not {wanted}");
        }
        assert_eq!(values[1].1, values[2].1);
    }
}

/// A run of an example in a folder of its own, with its events.
fn run(folder: &Path, name: &str, data: &str, settings: &[&str]) -> Vec<serde_json::Value> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    fs::create_dir(folder.join("data")).expect("a folder");
    for file in [name, data] {
        fs::copy(examples.join(file), folder.join(file)).expect("an example");
    }
    let output = tensa(folder, &[&["run", name, "--json"], settings].concat());
    output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn tensa(folder: &Path, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tensa"));
    let output = command.current_dir(folder).args(args).output().expect("a run");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a text")
}

#[test]
fn reviews_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let events = run(folder.path(), "reviews.model", "data/reviews.tsv", &[]);
    let accuracy = events.last().expect("an end")["test"]["accuracy"].as_f64().expect("a value");
    assert!(accuracy > 0.9, "{accuracy}");
    // New rows have words that no training row has, and lengths of their own.
    let rows =
        "text\nThe soup was not cold at all, and we will come back.\nugly\nThe zebra was rude. I want my money back!\n";
    fs::write(folder.path().join("new.tsv"), rows).expect("a file");
    let told = tensa(folder.path(), &["predict", "reviews.model", "--input", "new.tsv"]);
    let moods: Vec<&str> = told.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(moods, ["happy", "unhappy", "unhappy"]);
    // A row is predicted as it is alone, whatever stands beside it.
    let alone = "text\nugly\n";
    fs::write(folder.path().join("one.tsv"), alone).expect("a file");
    let one = tensa(folder.path(), &["predict", "reviews.model", "--input", "one.tsv"]);
    assert_eq!(one.lines().nth(1), told.lines().nth(2));
}

#[test]
fn a_play_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let events = run(folder.path(), "shakespeare.model", "data/hamlet.txt", &["--set", "epochs=1"]);
    let losses: Vec<f64> = events.iter().filter_map(|event| event["valid"]["loss"].as_f64()).collect();
    // The letters by how often they come have 3.1 nats.
    assert!(losses.last().is_some_and(|loss| *loss < 3.0), "{losses:?}");
    let text = fs::read_to_string(folder.path().join("data/hamlet.txt")).expect("the play");
    fs::write(folder.path().join("new.txt"), &text[1000..1160]).expect("a file");
    let rows = tensa(folder.path(), &["predict", "shakespeare.model", "--input", "new.txt", "--json"]);
    let written: Vec<serde_json::Value> = rows.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    assert_eq!(written.len(), 1);
    let written = written[0]["predict"].as_str().expect("a text");
    assert_eq!(written.chars().count(), 80, "{written:?}");
    assert!(written.contains(' ') && written.chars().all(|letter| text.contains(letter)), "{written:?}");
    fs::write(folder.path().join("short.txt"), "To be").expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tensa"));
    let short =
        command.current_dir(folder.path()).args(["predict", "shakespeare.model", "--input", "short.txt"]).output();
    let told = String::from_utf8(short.expect("a run").stderr).expect("a text");
    assert!(told.contains("E0735"), "{told}");
}

/// What a program costs is counted at the longest text of the data.
#[test]
fn costs_are_those_of_the_longest_text() {
    let folder = place();
    fs::write(folder.path().join("lines.model"), program("4")).expect("a file");
    let flops = || {
        let told = tensa(folder.path(), &["summary", "lines.model"]);
        let line = told.lines().last().expect("a line");
        line.split(' ').next().expect("a number").replace('_', "").parse::<u64>().expect("a number")
    };
    let long = flops();
    let short = fs::read_to_string(folder.path().join("lines.txt")).expect("lines");
    let short: String = short.lines().map(|line| line.chars().take(1).chain(['\n']).collect::<String>()).collect();
    fs::write(folder.path().join("lines.txt"), short).expect("a file");
    // Nineteen places against one.
    assert!(long > 10 * flops(), "{long}");
}
