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

use crate::support::{programs, stages, tables};

/// What says that a program waits for a later version, or for data that is not here.
const WAITS: [Code; 3] = [Code::E0210, Code::E0705, Code::E0711];

#[test]
fn what_each_program_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    tables::write(folder.path());
    let mut table = String::new();
    for (name, text) in programs::read("tests/data/language") {
        let session = Session::new(&name, &text, folder.path().to_path_buf());
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

/// The losses of the epochs of a program of the set, which runs beside small tables. `edits` takes out what this
/// version does not have.
fn losses(name: &str, edits: &[(&str, &str)], settings: &[&str]) -> Vec<f64> {
    let here: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/language").join(name);
    let mut text = fs::read_to_string(here).expect("a program");
    for (old, new) in edits {
        assert!(text.contains(old), "{name} holds no `{old}`");
        text = text.replace(old, new);
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(name), text).expect("a program");
    tables::write(folder.path());
    let mut command = Command::new(env!("CARGO_BIN_EXE_tensa"));
    command.current_dir(folder.path()).args(["run", name, "--json"]);
    settings.iter().for_each(|setting| {
        command.args(["--set", setting]);
    });
    let output = command.output().expect("a run");
    let events = String::from_utf8(output.stdout).expect("a text");
    assert!(output.status.success(), "{events}\n{}", String::from_utf8_lossy(&output.stderr));
    let events = events.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    events.filter(|event| event["event"] == "epoch").filter_map(|event| event["train"]["loss"].as_f64()).collect()
}

/// Programs of the set with the data they ask for run to their end, and their loss falls.
#[test]
fn programs_run_on_small_tables() {
    for (name, edits, settings, falls_to) in [
        ("01_linear.model", [].as_slice(), ["epochs=20"].as_slice(), 0.2),
        (
            "02_unet.model",
            &[("resize(256, 256)", "resize(32, 32)"), ("UNet(4, 64)", "UNet(2, 4)")],
            &["epochs=12"],
            0.7,
        ),
        ("15_deepfm.model", &[], &["epochs=20"], 0.7),
        (
            "18_detect.model",
            &[
                (
                    "|> train(flip |> crop(512)) |> resize(512, 512)",
                    "|> resize(104) |> train(flip |> crop(96)) |> resize(96)",
                ),
                ("anchors(512)", "anchors(96)"),
                ("h: 512, w: 512", "h: 96, w: 96"),
                ("Conv(256", "Conv(16"),
                ("Down(256)", "Down(16)"),
                ("Down(512)", "Down(16)"),
                ("64 * 2^i", "8"),
            ],
            &["epochs=12"],
            0.2,
        ),
        ("19_gnn.model", &[], &["epochs=30"], 0.5),
        ("20_pinn.model", &[], &["steps=60"], 0.9),
        ("22_offline_rl.model", &[], &["steps=60"], 0.9),
        ("25_dpsgd.model", &[("lr = 0.1", "lr = 1.0"), ("noise = 1.1", "noise = 0.1")], &["epochs=20"], 0.95),
        (
            "04_bert.model",
            &[
                ("d = 768, depth = 12, heads = 12", "d = 32, depth = 1, heads = 2"),
                ("linear(1e-4", "linear(1e-2"),
                ("warmup = 10000", "warmup = 20"),
            ],
            &["steps=120"],
            0.7,
        ),
        (
            "05_transformer.model",
            &[
                ("d = 512, depth = 6, heads = 8", "d = 32, depth = 1, heads = 2"),
                ("tokens(8192)", "tokens(512)"),
                ("warmup = 4000", "warmup = 40"),
            ],
            &["steps=120"],
            0.7,
        ),
        (
            "06_generate.model",
            &[
                ("d = 256, depth = 6, heads = 8", "d = 16, depth = 1, heads = 2"),
                ("window(257, stride = 128)", "window(65, stride = 64)"),
                ("cosine(3e-4", "cosine(1e-2"),
                ("warmup = 100", "warmup = 1"),
            ],
            &["steps=40"],
            0.9,
        ),
        ("28_series.model", &[], &["width=8", "lr=0.01", "epochs=16"], 0.9),
    ] {
        let losses = losses(name, edits, settings);
        let (first, last) = (losses[0], losses[losses.len() - 1]);
        assert!(last < falls_to * first, "{name}: {losses:?}");
    }
}

/// The example of a series does better than taking tomorrow for today, on the days it has not seen.
#[test]
fn the_weather_is_forecast() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("data")).expect("a folder");
    for name in ["weather.model", "data/seattle_weather.csv"] {
        fs::copy(examples.join(name), folder.path().join(name)).expect("an example");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_tensa"));
    let output = command.current_dir(folder.path()).args(["run", "weather.model", "--json"]).output().expect("a run");
    let events = String::from_utf8(output.stdout).expect("a text");
    let mut events = events.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let test = events.next_back().expect("an event");
    let (off, as_today) = (test["test"]["off"].as_f64(), test["test"]["as_today"].as_f64());
    // What a ridge regression reaches, and what no model at all does.
    assert!(off < Some(2.26) && as_today > Some(2.3), "{test}");
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
