//! Programs written for the whole language: what each is told by this version, as a table, and those that run.
//!
//! The table is a snapshot: a feature that comes takes a code out of it, and a slip puts one in.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tensa::backend::Backend;
use tensa::backend::cpu::Cpu;
use tensa::diag::{Code, Severity};
use tensa::driver::{self, Session};

use crate::support::{programs, stages};

/// What says that a program waits for a later version, or for data that is not here.
const WAITS: [Code; 3] = [Code::E0210, Code::E0705, Code::E0711];

#[test]
fn what_each_program_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/language");
    let mut table = String::new();
    for (name, text) in programs::read("tests/data/language") {
        let session = Session::new(&name, &text, folder.clone());
        let mut counts: BTreeMap<Code, usize> = BTreeMap::new();
        let checked = session.check(None);
        for told in checked.diagnostics.iter().filter(|told| told.severity == Severity::Error) {
            *counts.entry(told.code).or_default() += 1;
        }
        let state = match counts.keys().all(|code| WAITS.contains(code)) {
            _ if counts.is_empty() => "checks",
            true => "waits",
            false => "differs",
        };
        let codes: Vec<String> = counts.iter().map(|(code, count)| format!("{} x{count}", code.as_str())).collect();
        writeln!(table, "{name:24} {state:8} {}", codes.join(", ")).expect("memory");
    }
    let table: Vec<&str> = table.lines().map(str::trim_end).collect();
    insta::assert_snapshot!(table.join("\n"));
}

/// A program of the set with the data it asks for runs to its end, and its loss falls.
#[test]
fn a_linear_regression_runs() {
    let here: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/language/01_linear.model");
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(here, folder.path().join("linear.model")).expect("a program");
    let mut rows = "area,rooms,age,price\n".to_owned();
    for row in 0..200u32 {
        let (area, rooms, age) = (40 + row * 7 % 160, 1 + row * 3 % 6, row * 11 % 90);
        // A gap now and then is for `impute`.
        let shown = if row % 17 == 0 { String::new() } else { age.to_string() };
        writeln!(rows, "{area},{rooms},{shown},{}", 1000 * area + 9000 * rooms - 300 * age).expect("memory");
    }
    fs::write(folder.path().join("houses.csv"), rows).expect("a table");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tensa"));
    let output = command
        .current_dir(folder.path())
        .args(["run", "linear.model", "--json", "--set", "epochs=20"])
        .output()
        .expect("a run");
    let events = String::from_utf8(output.stdout).expect("a text");
    assert!(output.status.success(), "{events}\n{}", String::from_utf8_lossy(&output.stderr));
    let losses: Vec<f64> = events
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|event| event["event"] == "epoch")
        .filter_map(|event| event["train"]["loss"].as_f64())
        .collect();
    assert_eq!(losses.len(), 20, "{events}");
    assert!(losses[19] < 0.2 * losses[0], "{losses:?}");
}

/// How many kernels are compiled for a step of a net of so many equal blocks.
fn kernels_at_depth(depth: usize) -> u64 {
    let text = format!(
        "data Rows = csv(\"rows.csv\") {{
  x     = columns(\"a\", \"b\")
  y     = column(\"c\")
  split = random(train = 80%, valid = 20%)
  batch = 4
}}
layer Block(x: [.., d]) -> [.., d] = x + (x |> LayerNorm |> Dense(4 * d, gelu) |> Dense(d))
model Deep(x: [batch, feature]) -> [batch] {{
  x |> Dense(d: 8) |> stack {depth} {{ Block }} |> Dense(one: 1) |> _[one = 0]
}}
train Deep on Rows {{
  loss      = mse(Deep(x), y)
  optimizer = Adam(lr = 0.001)
  epochs    = 1
}}
"
    );
    let (_, checked) = stages::check(&text);
    assert!(checked.diagnostics.is_empty(), "{:?}", checked.diagnostics);
    let stages = driver::stages(&checked.program, &checked.program.trains[0], false);
    let cpu = Cpu::new(1).expect("a backend");
    for pass in &stages.passes {
        cpu.compile(&Arc::new(driver::kernels(&pass.opt))).expect("a program that compiles");
    }
    cpu.stats().compiled
}

/// Depth is a number: a stack that is eight times as deep runs the same kernels eight times as often.
#[test]
fn a_deeper_stack_compiles_no_more_kernels() {
    let shallow = kernels_at_depth(12);
    assert!(shallow > 5, "{shallow} kernels are too few to show anything");
    assert_eq!(kernels_at_depth(96), shallow);
}
