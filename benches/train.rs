//! How fast the digits example trains: steps in a second, and the time from the start of the process to the end of
//! the first step.
//!
//! `cargo bench --bench train`. Prints the best and the median of several runs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use tensa::backend::cpu::Cpu;
use tensa::driver::{self, Session};
use tensa::train::{self, Control, Evaluator, Event, Job, Model, Watch};

const STARTS: usize = 15;
const RUNS: usize = 5;

fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/digits.model")
}

/// The time between steps of one epoch.
#[derive(Default)]
struct Steps {
    last: Option<Instant>,
    steps: u32,
    time: Duration,
}

impl Watch for Steps {
    fn on(&mut self, event: &Event<'_>) {
        let now = Instant::now();
        self.last = match event {
            Event::Step { .. } => {
                if let Some(last) = self.last {
                    self.steps += 1;
                    self.time += now - last;
                }
                Some(now)
            }
            // What an evaluation takes is no step's time.
            _ => None,
        };
    }
}

fn steps_per_second(threads: usize) -> f64 {
    let mut session = Session::open(&program()).expect("the example");
    session.set("epochs", "4").expect("a setting");
    let checked = session.check(None);
    let train = &checked.program.trains[0];
    let dataset = &checked.datasets[&train.data];
    let backend = Cpu::new(threads).expect("a backend");
    let stages = driver::stages(&checked.program, train, false);
    let mut model = Model::new(train, &stages.lowered, &backend).expect("a model");
    let step = model.compile(driver::kernels(&stages.opt)).expect("a step");
    let evaluator = Evaluator::new(&model, &stages.lowered, dataset).expect("an evaluation");
    let never = AtomicBool::new(false);
    let control = Control { folder: None, resume: false, test: false, interrupted: &never };
    let mut steps = Steps::default();
    train::run(Job { train, dataset, model: &mut model, steps: vec![step], evaluator }, &control, &mut steps)
        .expect("a run");
    f64::from(steps.steps) / steps.time.as_secs_f64()
}

/// Milliseconds to the end of the first step, as `tensa train --timings` prints them.
fn start() -> f64 {
    let runs = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_tensa"))
        .args(["train", "--timings", "--set", "steps=1"])
        .args(["--out".as_ref(), runs.path().as_os_str(), one_step(runs.path()).as_os_str()])
        .output()
        .expect("the binary");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().find(|line| line.starts_with("start to the end of the first step"));
    let number = line.and_then(|line| line.split_whitespace().rev().nth(1)?.parse().ok());
    number.unwrap_or_else(|| panic!("{text}"))
}

/// The program with one step instead of its epochs.
fn one_step(folder: &Path) -> PathBuf {
    let text = std::fs::read_to_string(program()).expect("the example");
    let data = program().with_file_name("data");
    let text = text.replace("epochs    = 15", "").replace("\"data/", &format!("\"{}/", data.display()));
    let path = folder.join("digits.model");
    std::fs::write(&path, text).expect("a file");
    path
}

fn show(what: &str, mut values: Vec<f64>, best_is_least: bool) {
    values.sort_by(f64::total_cmp);
    let best = if best_is_least { values[0] } else { values[values.len() - 1] };
    println!("{what:44} best {best:10.1}   median {:10.1}", values[values.len() / 2]);
}

fn main() {
    show("start to the end of the first step (ms)", (0..STARTS).map(|_| start()).collect(), true);
    for threads in [1, 2] {
        let what = format!("steps of batch 64 in a second, {threads} threads");
        show(&what, (0..RUNS).map(|_| steps_per_second(threads)).collect(), false);
    }
}
