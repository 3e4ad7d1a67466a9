//! Tests of training: that the examples learn, that noise does not, and that a run has the same bits
//! again, on any number of threads, on the interpreter, and after an interruption.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tensa::backend::cpu::Cpu;
use tensa::backend::interp::Interp;
use tensa::backend::{Backend, Stats};
use tensa::diag::Code;
use tensa::driver::{self, Checked, Session};
use tensa::ir::Role;
use tensa::runtime::Input;
use tensa::runtime::step::Env;
use tensa::train::{self, Control, End, Ended, Evaluator, Event, Job, Model, Recorded, Report, RunFolder, Watch};

use crate::support::runs;

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

fn opened(path: &Path, settings: &[(&str, &str)]) -> Session {
    let mut session = Session::open(path).unwrap_or_else(|told| panic!("{told:?}"));
    for (name, value) in settings {
        session.set(name, value).unwrap_or_else(|told| panic!("{told:?}"));
    }
    session
}

fn checked(session: &Session) -> Checked {
    let checked = session.check(None);
    assert!(!checked.diagnostics.has_errors(), "{:#?}", checked.diagnostics);
    checked
}

/// What a run leaves.
struct Trained {
    end: End,
    params: Vec<u32>,
    states: Vec<u32>,
}

impl Trained {
    fn test(&self, name: &str) -> f64 {
        match &self.end {
            End::Done { test: Some(test) } => test.get(name).expect("a reported value"),
            other => panic!("{other:?}"),
        }
    }
}

/// Trains the first run of a program.
fn train_with(checked: &Checked, backend: &dyn Backend, control: &Control<'_>, watch: &mut dyn Watch) -> Trained {
    // What these programs begin with lies in no file.
    let trained = runs::first((checked, Path::new("")), backend, control, watch, |end, model| Trained {
        end,
        params: model.param_ids().flat_map(|id| model.store.param(id).to_vec()).collect(),
        states: model.state_ids().flat_map(|id| model.store.state(id).to_vec()).collect(),
    });
    trained.unwrap()
}

fn alone() -> Control<'static> {
    runs::alone(true)
}

fn trained(session: &Session, backend: &dyn Backend) -> Trained {
    train_with(&checked(session), backend, &alone(), &mut ())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The median test accuracy of five seeds.
fn accuracy_of_five(path: &Path, settings: &[(&str, &str)]) -> f64 {
    let backend = Cpu::new(2).unwrap();
    let seeds = ["1", "2", "3", "4", "5"].map(|seed| {
        let settings: Vec<(&str, &str)> = settings.iter().copied().chain([("seed", seed)]).collect();
        trained(&opened(path, &settings), &backend).test("accuracy")
    });
    median(seeds.to_vec())
}

#[test]
fn iris_learns() {
    let accuracy = accuracy_of_five(&example("iris.model"), &[]);
    assert!(accuracy >= 0.93, "{accuracy}");
}

/// What a program defines itself learns as well, and is written in no more words than what the library has of its kind.
#[test]
fn ones_own_definitions_learn_and_are_short() {
    let accuracy = accuracy_of_five(&example("own.model"), &[]);
    assert!(accuracy >= 0.93, "{accuracy}");
    let session = opened(&example("own.model"), &[]);
    let definitions = session.definitions();
    let words = |name: &str| {
        let found = definitions.iter().find(|known| known.name == name).unwrap_or_else(|| panic!("no {name}"));
        found.text.split_whitespace().count()
    };
    for (own, of_library) in [("Maxout", "Dense"), ("poly", "focal"), ("AdaBelief", "Adam"), ("triangle", "cosine")] {
        assert!(words(own) <= words(of_library), "{own} has {} words, {of_library} {}", words(own), words(of_library));
    }
}

#[test]
fn digits_learns() {
    let backend = Cpu::new(2).unwrap();
    let accuracy = trained(&opened(&example("digits.model"), &[]), &backend).test("accuracy");
    assert!(accuracy >= 0.94, "{accuracy}");
}

#[test]
fn digits_learns_with_convolutions() {
    let settings = [("epochs", "4"), ("optimizer", "Adam(lr = cosine(4e-3, over = 4 epochs))")];
    let accuracy = accuracy_of_five(&example("digits_cnn.model"), &settings);
    assert!(accuracy >= 0.97, "{accuracy}");
}

/// Numbers in an order that has nothing to do with theirs.
fn shuffled<T: Clone>(all: &[T]) -> Vec<T> {
    let order = tensa::base::philox::permutation(all.len(), [5, 6], [7, 8]);
    order.into_iter().map(|at| all[at as usize].clone()).collect()
}

#[test]
fn iris_with_shuffled_labels_does_not_learn() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let table = std::fs::read_to_string(example("data/iris.csv")).unwrap();
    let (header, rows) = table.split_once('\n').unwrap();
    let rows: Vec<(&str, &str)> = rows.lines().map(|row| row.rsplit_once(',').unwrap()).collect();
    let labels = shuffled(&rows.iter().map(|(_, label)| *label).collect::<Vec<_>>());
    let rows: String = rows.iter().zip(labels).map(|((values, _), label)| format!("{values},{label}\n")).collect();
    std::fs::write(folder.path().join("data/iris.csv"), format!("{header}\n{rows}")).unwrap();
    std::fs::copy(example("iris.model"), folder.path().join("iris.model")).unwrap();
    let accuracy = accuracy_of_five(&folder.path().join("iris.model"), &[]);
    assert!(accuracy < 0.6, "{accuracy}");
}

#[test]
fn digits_with_shuffled_labels_does_not_learn() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    for part in ["train-images", "test-images", "test-labels"] {
        let name = format!("data/digits-{part}.gz");
        std::fs::copy(example(&name), folder.path().join(&name)).unwrap();
    }
    let packed = std::fs::File::open(example("data/digits-train-labels.gz")).unwrap();
    let mut labels = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed), &mut labels).unwrap();
    // Eight bytes of header; the loader reads a file that is not packed as it is.
    let body = shuffled(&labels[8..]);
    labels.truncate(8);
    labels.extend(body);
    std::fs::write(folder.path().join("data/digits-train-labels.gz"), labels).unwrap();
    std::fs::copy(example("digits.model"), folder.path().join("digits.model")).unwrap();
    let backend = Cpu::new(2).unwrap();
    let session = opened(&folder.path().join("digits.model"), &[("epochs", "5")]);
    let accuracy = trained(&session, &backend).test("accuracy");
    assert!(accuracy < 0.2, "{accuracy}");
}

#[test]
fn a_run_has_the_same_bits_again_and_on_any_number_of_threads() {
    let session = opened(&example("digits.model"), &[("epochs", "2")]);
    let checked = checked(&session);
    let run = |threads| train_with(&checked, &Cpu::new(threads).unwrap(), &alone(), &mut ());
    let first = run(1);
    assert!(first.params.iter().any(|word| *word != 0));
    for threads in [1, 2, 3, 7] {
        let other = run(threads);
        assert_eq!(first.params, other.params, "{threads} threads");
        assert_eq!(first.states, other.states, "{threads} threads");
        assert_eq!(first.end, other.end, "{threads} threads");
    }
    let seed = opened(&example("digits.model"), &[("epochs", "2"), ("seed", "43")]);
    assert_ne!(first.params, trained(&seed, &Cpu::new(1).unwrap()).params, "another seed");
}

#[test]
fn the_interpreter_trains_to_the_same_bits() {
    let session = opened(&example("iris.model"), &[("epochs", "3")]);
    let checked = checked(&session);
    let compiled = train_with(&checked, &Cpu::new(2).unwrap(), &alone(), &mut ());
    let interpreted = train_with(&checked, &Interp, &alone(), &mut ());
    assert_eq!(compiled.params, interpreted.params);
    assert_eq!(compiled.states, interpreted.states);
    assert_eq!(compiled.end, interpreted.end);
}

#[test]
fn another_batch_compiles_nothing() {
    let session = opened(&example("iris.model"), &[]);
    let checked = checked(&session);
    let train = &checked.program.trains[0];
    let backend = Cpu::new(2).unwrap();
    let stages = driver::stages(&checked.program, train, false);
    let mut model = Model::new(train, &stages.lowered, &backend).unwrap();
    let mut step = model.compile(driver::kernels(&stages.opt)).unwrap();
    let mut compiled: Option<Stats> = None;
    for (number, rows) in [32usize, 1, 7, 31, 33, 0].into_iter().enumerate() {
        let x = vec![0.5f32; 4 * rows];
        let y: Vec<i32> = (0..rows as i32).map(|row| row % 3).collect();
        let names: Vec<&str> = model.graph.inputs.iter().map(|input| input.name.as_str()).collect();
        assert_eq!(names, ["x", "y"]);
        let inputs = [Input::F32(&x), Input::I32(&y)];
        let step_number = number as u64 + 1;
        let sizes = vec![rows as i64; model.graph.sizes.len()];
        let env = Env { inputs: &inputs, sizes: &sizes, seed: 1, step: step_number, steps_per_epoch: 4 };
        let loss = step.run(&env, &mut model.store).unwrap().scalar(&Role::Loss).unwrap();
        assert_eq!(loss.is_finite(), rows > 0, "{rows} rows: {loss}");
        let stats = backend.stats();
        assert!(stats.compiled > 0);
        assert_eq!(*compiled.get_or_insert(stats), stats, "{rows} rows");
    }
}

/// Sets a flag at a step.
struct StopAt<'a>(u64, &'a AtomicBool);

impl Watch for StopAt<'_> {
    fn on(&mut self, event: &Event<'_>) {
        if matches!(event, Event::Step { step, .. } if *step == self.0) {
            self.1.store(true, Ordering::Relaxed);
        }
    }
}

/// A new run folder in `runs` for a session.
fn folder(runs: &Path, session: &Session, checked: &Checked) -> RunFolder {
    let folder = RunFolder::create(runs, "test").unwrap();
    folder.describe(&Recorded::new(session, checked, 0), &session.resolved(), &checked.datasets).unwrap();
    folder
}

fn bytes(folder: &RunFolder, name: &str) -> Vec<u8> {
    std::fs::read(folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn an_interrupted_run_goes_on_to_the_same_bits() {
    let settings = [
        ("epochs", "8"),
        ("keep", "best(valid.accuracy)"),
        ("stop", "patience(valid.loss, 7 epochs)"),
        ("clip", "norm(1.0)"),
    ];
    goes_on_to_the_same_bits(&opened(&example("iris.model"), &settings));
}

#[test]
fn an_interrupted_run_keeps_the_statistics_of_its_batches() {
    let mut session = iris_with(NORMALISED);
    session.set("epochs", "8").unwrap();
    session.set("keep", "best(valid.loss)").unwrap();
    goes_on_to_the_same_bits(&session);
}

#[test]
fn an_interrupted_run_of_several_losses_goes_on_to_the_same_bits() {
    let text = std::fs::read_to_string(example("iris.model")).unwrap();
    let one = "  loss      = cross_entropy(predict, y)\n";
    assert!(text.contains(one));
    let two = "  update \"**.w\" { loss = cross_entropy(predict, y)  repeat = 2 }
  update \"**.b\" { loss = cross_entropy(predict, y)  every = 3 }
  ema = 0.9
  accumulate = 3
";
    let folder = example("iris.model").parent().unwrap().to_owned();
    let mut session = Session::new("iris.model", &text.replace(one, two), folder);
    session.set("epochs", "8").unwrap();
    session.set("keep", "best(valid.loss_2)").unwrap();
    goes_on_to_the_same_bits(&session);
}

/// A net whose middle does not train, with batch norm before and in it.
const NORMALISED: &str = "x |> Dense(16) |> BatchNorm |> relu |> freeze(Dense(8) |> BatchNorm) |> Dense(class: 3)";

/// The first example with another net.
fn iris_with(net: &str) -> Session {
    let text = std::fs::read_to_string(example("iris.model")).unwrap();
    let old = "x |> Dense(64, relu) |> Dropout(0.2) |> Dense(class: 3)";
    assert!(text.contains(old));
    Session::new("iris.model", &text.replace(old, net), example("iris.model").parent().unwrap().to_owned())
}

#[test]
fn what_is_frozen_stays_and_statistics_follow_the_batches() {
    let session = iris_with(NORMALISED);
    let checked = checked(&session);
    let train = &checked.program.trains[0];
    let dataset = &checked.datasets[&train.data];
    let backend = Cpu::new(2).unwrap();
    let stages = driver::stages(&checked.program, train, false);
    let mut model = Model::new(train, &stages.lowered, &backend).unwrap();
    let snapshot = |model: &Model| -> Vec<(String, Vec<u32>)> {
        let params =
            model.param_ids().map(|id| (model.graph.params[id.index()].path.clone(), model.store.param(id).to_vec()));
        let states =
            model.state_ids().map(|id| (model.graph.states[id.index()].path.clone(), model.store.state(id).to_vec()));
        params.chain(states).collect()
    };
    let before = snapshot(&model);
    let steps = stages.passes.iter().map(|pass| model.compile(driver::kernels(&pass.opt)).unwrap()).collect();
    let evaluator = Evaluator::new(&model, &stages.lowered, dataset).unwrap();
    train::run(Job { train, dataset, model: &mut model, steps, evaluator }, &alone(), &mut ()).unwrap();
    let (mut stayed, mut moved) = (Vec::new(), Vec::new());
    for ((path, before), (_, after)) in before.into_iter().zip(snapshot(&model)) {
        let list = if before == after { &mut stayed } else { &mut moved };
        list.push(path);
    }
    let frozen = |path: &String| path.starts_with("Net.Dense.1.") || path.starts_with("Net.BatchNorm.1.");
    assert!(stayed.iter().all(frozen), "{stayed:?}");
    assert!(!moved.iter().any(frozen), "{moved:?}");
    assert_eq!(stayed.len(), 6, "{stayed:?}");
    let update = |path: &&String| path.starts_with("Adam");
    assert_eq!(moved.iter().filter(update).count(), 12, "two moments of each trained parameter: {moved:?}");
    assert!(moved.contains(&"Net.BatchNorm.mu".to_owned()) && moved.contains(&"Net.BatchNorm.var".to_owned()));
}

/// A run stopped at some steps and resumed ends as one that was not.
fn goes_on_to_the_same_bits(session: &Session) {
    let runs = tempfile::tempdir().unwrap();
    let checked = checked(session);
    let backend = Cpu::new(2).unwrap();
    let whole = folder(runs.path(), session, &checked);
    let control = Control { folder: Some(&whole), ..alone() };
    let uninterrupted = train_with(&checked, &backend, &control, &mut ());
    assert!(!whole.checkpoint().exists());

    // Inside of an epoch, at its end, at the first step.
    for stop in [18, 20, 1] {
        let parts = folder(runs.path(), session, &checked);
        let interrupted = AtomicBool::new(false);
        let control = Control { folder: Some(&parts), interrupted: &interrupted, ..alone() };
        let first = train_with(&checked, &backend, &control, &mut StopAt(stop, &interrupted));
        assert_eq!(first.end, End::Interrupted);
        assert!(parts.checkpoint().exists() && parts.weights().exists());
        let control = Control { folder: Some(&parts), resume: true, ..alone() };
        let resumed = train_with(&checked, &backend, &control, &mut ());
        assert_eq!(resumed.end, uninterrupted.end, "stopped at {stop}");
        assert_eq!(resumed.params, uninterrupted.params, "stopped at {stop}");
        assert_eq!(resumed.states, uninterrupted.states, "stopped at {stop}");
        for name in ["weights.safetensors", "optimizer.safetensors"] {
            assert_eq!(bytes(&parts, name), bytes(&whole, name), "{name}, stopped at {stop}");
        }
        let epochs = |folder| String::from_utf8(bytes(folder, "metrics.jsonl")).unwrap().lines().count();
        assert_eq!(epochs(&parts), epochs(&whole), "stopped at {stop}");
        assert!(!parts.checkpoint().exists());
    }
}

/// Collects the reports of each epoch.
#[derive(Default)]
struct Epochs {
    reports: Vec<Vec<(&'static str, Report)>>,
    stopped: Option<(u64, u64)>,
    kept: u64,
}

impl Watch for Epochs {
    fn on(&mut self, event: &Event<'_>) {
        match event {
            Event::Epoch { reports, .. } => self.reports.push(reports.to_vec()),
            Event::Stopped { epoch, why: Ended::Patience { best }, .. } => self.stopped = Some((*epoch, *best)),
            Event::Done { epoch, .. } => self.kept = *epoch,
            Event::Stopped { why: Ended::Diverged { .. }, .. } | Event::Log { .. } => {}
            Event::Start(_) | Event::Step { .. } | Event::Diverged { .. } | Event::Interrupted { .. } => {}
        }
    }
}

impl Epochs {
    /// A value of each epoch.
    fn values(&self, split: &str, name: &str) -> Vec<f64> {
        let value = |epoch: &Vec<(&'static str, Report)>| {
            epoch.iter().find(|(of, _)| *of == split).and_then(|(_, report)| report.get(name)).expect("a value")
        };
        self.reports.iter().map(value).collect()
    }
}

#[test]
fn the_best_weights_are_kept_and_patience_ends_the_run() {
    let settings = [
        ("epochs", "200"),
        ("optimizer", "Adam(lr = 5e-2)"),
        ("keep", "best(valid.loss)"),
        ("stop", "patience(valid.loss, 6 epochs)"),
    ];
    let session = opened(&example("iris.model"), &settings);
    let checked = checked(&session);
    let mut epochs = Epochs::default();
    train_with(&checked, &Cpu::new(1).unwrap(), &alone(), &mut epochs);
    let losses = epochs.values("valid", "loss");
    let least = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let best = losses.iter().position(|loss| *loss == least).unwrap() as u64 + 1;
    assert!(losses.len() < 200);
    assert_eq!(epochs.stopped, Some((best + 6, best)));
    assert_eq!(epochs.kept, best);
    assert_eq!(losses.len() as u64, best + 6);
}

#[test]
fn evaluation_does_not_depend_on_the_batch() {
    for net in ["x |> Dense(64, relu) |> Dense(class: 3)", NORMALISED] {
        evaluation_is_free_of_the_batch(net);
    }
}

fn evaluation_is_free_of_the_batch(net: &str) {
    let evaluate = |batch: &str| {
        let text = iris_with(net).text().replace("batch = 32", &format!("batch = {batch}"));
        let session = Session::new("iris.model", &text, example("iris.model").parent().unwrap().to_owned());
        let checked = checked(&session);
        let train = &checked.program.trains[0];
        let dataset = &checked.datasets[&train.data];
        let backend = Cpu::new(1).unwrap();
        let lowered = tensa::lower::lower(&checked.program, train);
        let mut model = Model::new(train, &lowered, &backend).unwrap();
        let mut evaluator = Evaluator::new(&model, &lowered, dataset).unwrap();
        evaluator.run(&mut model, dataset, tensa::data::Part::Test).unwrap().expect("test rows")
    };
    let whole = evaluate("22");
    for batch in ["1", "5", "21", "100"] {
        let parts = evaluate(batch);
        for (name, value) in &whole.values {
            let other = parts.get(name).unwrap();
            assert!((value - other).abs() <= 1e-6 * value.abs(), "{name} with {batch}: {other}, not {value}");
        }
    }
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_with_sound_weights() {
    let runs = tempfile::tempdir().unwrap();
    let session = opened(&example("iris.model"), &[("optimizer", "SGD(lr = 1e20)")]);
    let checked = checked(&session);
    let folder = folder(runs.path(), &session, &checked);
    let control = Control { folder: Some(&folder), ..alone() };
    let trained = train_with(&checked, &Cpu::new(1).unwrap(), &control, &mut ());
    let End::Diverged(told) = trained.end else { panic!("{:?}", trained.end) };
    assert_eq!(told.code, Code::E0821);
    assert!(told.message.contains("step ") && told.message.contains("epoch 1"), "{}", told.message);
    assert!(trained.params.iter().all(|word| f32::from_bits(*word).is_finite()));
    assert!(folder.weights().exists());
}

#[test]
fn a_watched_split_needs_rows() {
    let text = std::fs::read_to_string(example("iris.model")).unwrap();
    let text = text.replace("train = 70%, valid = 15%, test = 15%", "train = 70%, test = 30%");
    let folder = example("iris.model").parent().unwrap().to_owned();
    let mut session = Session::new("iris.model", &text, folder);
    session.set("keep", "best(valid.loss)").unwrap();
    let (checked, backend) = (checked(&session), Cpu::new(1).unwrap());
    let told = runs::first((&checked, &session.folder), &backend, &alone(), &mut (), |_, _| ()).unwrap_err();
    assert_eq!(told.code, Code::E0826);
}

#[test]
fn a_run_of_steps_ends_inside_of_an_epoch() {
    let text = std::fs::read_to_string(example("iris.model")).unwrap().replace("epochs    = 50", "steps = 10");
    let session = Session::new("iris.model", &text, example("iris.model").parent().unwrap().to_owned());
    let mut epochs = Epochs::default();
    train_with(&checked(&session), &Cpu::new(1).unwrap(), &alone(), &mut epochs);
    // Four batches an epoch: two whole ones, and half of one.
    assert_eq!(epochs.reports.len(), 3);
}
