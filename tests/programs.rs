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

/// The losses of the epochs of a program of the set, which runs beside small tables. `edits` makes it smaller.
fn losses(name: &str, edits: &[(&str, &str)], settings: &[&str]) -> Vec<f64> {
    let folder = tempfile::tempdir().expect("a folder");
    tables::write(folder.path());
    losses_in(folder.path(), name, name, edits, settings)
}

/// The same in a folder, under another name.
fn losses_in(folder: &Path, name: &str, called: &str, edits: &[(&str, &str)], settings: &[&str]) -> Vec<f64> {
    let here: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/language").join(name);
    let mut text = fs::read_to_string(here).expect("a program");
    for (old, new) in edits {
        assert!(text.contains(old), "{name} holds no `{old}`");
        text = text.replace(old, new);
    }
    fs::write(folder.join(called), text).expect("a program");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tensa"));
    command.current_dir(folder).args(["run", called, "--json"]);
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
        ("00_language_md.model", &[], &["epochs=5"], 0.95),
        (
            "03_vit.model",
            &[
                ("crop(224)", "crop(16)"),
                ("resize(224, 224)", "resize(16, 16)"),
                ("h: 224, w: 224", "h: 16, w: 16"),
                ("t: 197", "t: 17"),
                ("Patches(16", "Patches(4"),
                ("heads = 12, width = 768", "heads = 2, width = 16"),
                ("depth = 6", "depth = 1"),
                ("cosine(1e-3", "cosine(1e-2"),
                ("warmup = 10 epochs", "warmup = 1 epochs"),
                ("batch = 128", "batch = 4"),
            ],
            &["epochs=10"],
            // No loss with `smooth = 0.1` is below 0.2.
            0.7,
        ),
        (
            "17_ctc.model",
            &[
                ("synthetic(200)", "synthetic(16)"),
                ("t: 100, f: 80", "t: 12, f: 8"),
                ("u: 20](vocab: 30", "u: 3](vocab: 6"),
                ("stack 3 { Bidirectional(LSTM(256)) }", "Bidirectional(LSTM(16))"),
                ("beam = 16", "beam = 2"),
                ("lr = 3e-4", "lr = 1e-2"),
            ],
            &["epochs=40"],
            0.3,
        ),
    ] {
        let losses = losses(name, edits, settings);
        let (first, last) = (losses[0], losses[losses.len() - 1]);
        assert!(last < falls_to * first, "{name}: {losses:?}");
    }
}

/// Programs of the set whose data are made by chance train too. There is little to find in such numbers, so the loss
/// falls by learning them by heart, and of two players against each other it only stays within bounds.
#[test]
fn programs_run_on_numbers_made_by_chance() {
    for (name, edits, settings, falls_to) in [
        (
            "07_bahdanau.model",
            [
                ("synthetic(500)", "synthetic(40)"),
                ("width = 256", "width = 16"),
                ("s: 20](src_vocab: 200", "s: 5](src_vocab: 9"),
                ("t: 21](vocab: 200", "t: 6](vocab: 9"),
                ("k: 50", "k: 5"),
                ("lr = 1e-3", "lr = 1e-2"),
                ("batch = 32", "batch = 8"),
            ]
            .as_slice(),
            "epochs=10",
            0.9,
        ),
        (
            "08_gan.model",
            &[
                ("synthetic(500)", "synthetic(16)"),
                ("h: 32, w: 32", "h: 16, w: 16"),
                ("4 * 4 * 256", "2 * 2 * 8"),
                ("h: 4, w: 4, c: 256", "h: 2, w: 2, c: 8"),
                ("128 // 2^i", "8"),
                ("64 * 2^i", "8"),
                ("batch = 32", "batch = 8"),
            ],
            "epochs=4",
            1.5,
        ),
        (
            "09_vae.model",
            &[
                ("synthetic(500)", "synthetic(32)"),
                ("Dense(400", "Dense(32"),
                ("d: 400", "d: 32"),
                ("step / 2000", "step / 20"),
                ("batch = 64", "batch = 8"),
            ],
            "epochs=10",
            0.995,
        ),
        (
            "10_ddpm.model",
            &[
                ("levels = 1000", "levels = 10"),
                ("synthetic(500)", "synthetic(16)"),
                ("h: 32, w: 32", "h: 8, w: 8"),
                ("pos(f: 128) / 128", "pos(f: 8) / 8"),
                ("d: 256", "d: 16"),
                ("Conv(64)", "Conv(8)"),
                ("ResBlock(64)", "ResBlock(8)"),
                ("ResBlock(128)", "ResBlock(16)"),
                ("lr = 2e-4", "lr = 5e-3"),
                ("batch = 32", "batch = 8"),
                ("Denoise, 16", "Denoise, 2"),
            ],
            "steps=40",
            0.2,
        ),
        (
            "11_moe.model",
            &[(
                "## 11.",
                "data Rows = synthetic(32) {
  x     = random.normal[batch, d: 4]
  y     = random.normal[batch]
  batch = 8
}
model Both(x: [batch, d]) -> [batch] {
  let sparse = rename[batch -> token](x) |> SparseMoE(4, 8, capacity = 6) |> rename[token -> batch]
  x + MoE(4, 8)(x) + sparse |> Dense(one: 1) |> _[one = 0]
}
train Both on Rows { loss = mse(Both(x), y)  optimizer = Adam(lr = 1e-2)  epochs = 5 }
## 11.",
            )],
            "epochs=20",
            0.5,
        ),
        (
            "12_siamese.model",
            &[
                ("synthetic(500)", "synthetic(40)"),
                ("h: 28, w: 28", "h: 8, w: 8"),
                ("Conv(32", "Conv(8"),
                ("Conv(64", "Conv(8"),
                ("batch  = 32", "batch  = 8"),
            ],
            "epochs=10",
            0.5,
        ),
        ("13_two_tower.model", &[("batch = 1024", "batch = 60")], "epochs=5", 0.995),
        (
            "14_clip.model",
            &[
                ("synthetic(100)", "synthetic(16)"),
                ("h: 64, w: 64", "h: 16, w: 16"),
                ("t: 16](vocab: 1000", "t: 8](vocab: 20"),
                ("depth = 12", "depth = 1"),
                ("d: 512", "d: 16"),
                ("batch = 32", "batch = 8"),
                ("warmup = 2000 steps", "warmup = 2 steps"),
                ("5e-4", "5e-3"),
            ],
            "epochs=10",
            0.9,
        ),
        (
            "16_wavenet.model",
            &[
                ("0..30", "0..4"),
                ("synthetic(200)", "synthetic(4)"),
                ("t: 1024](level: 256", "t: 32](level: 8"),
                ("width = 64", "width = 8"),
                ("Dense(256", "Dense(16"),
                ("16000", "8"),
                ("batch = 8", "batch = 2"),
                ("lr = 1e-3", "lr = 1e-2"),
            ],
            "epochs=10",
            0.95,
        ),
        (
            "21_ode.model",
            &[
                (
                    "## 21.",
                    "data Rows = synthetic(32) {
  x     = random.normal[batch, f: 4]
  y     = random.index[batch](class: 2)
  batch = 8
}
train Ode on Rows { loss = cross_entropy(Ode(x), y)  optimizer = Adam(lr = 1e-2)  epochs = 5 }
## 21.",
                ),
                ("Flow(20)", "Flow(4)"),
                ("k: 50", "k: 5"),
            ],
            "epochs=10",
            0.7,
        ),
        ("24_multitask.model", &[], "epochs=5", 0.9),
        (
            "26_optimizers.model",
            &[
                ("synthetic(200)", "synthetic(8)"),
                ("t: 65](vocab: 80", "t: 9](vocab: 8"),
                ("batch = 16", "batch = 4"),
                ("train Finder = GPT()", "train finder = GPT()"),
                ("Finder(", "finder("),
            ],
            "steps=20",
            0.95,
        ),
        (
            "27_distill.model",
            &[
                ("synthetic(200)", "synthetic(16)"),
                ("h: 32, w: 32", "h: 8, w: 8"),
                ("freeze(load(\"big.safetensors\", Big(depth = 24)))", "freeze(Big(depth = 2))"),
                ("Conv(64", "Conv(8"),
                ("batch = 32", "batch = 8"),
                ("lr = 1e-3", "lr = 1e-2"),
            ],
            "epochs=6",
            0.8,
        ),
    ] {
        let losses = losses(name, edits, &[settings]);
        let (first, last) = (losses[0], losses[losses.len() - 1]);
        assert!(last < falls_to * first, "{name}: {losses:?}");
    }
}

/// Adapters are trained beside the weights of another run, which they find under the names of that one.
#[test]
fn adapters_learn_beside_weights_of_a_file() {
    const OTHER: &str =
        "\"**.q.Lora.base.w\": \"h.{i}.attn.q_proj.weight[out, i]\", \"**.q.Lora.base.b\": \"h.{i}.attn.q_proj.bias\",
  \"**.v.Lora.base.w\": \"h.{i}.attn.v_proj.weight[out, i]\", \"**.v.Lora.base.b\": \"h.{i}.attn.v_proj.bias\"";
    let small = [
        ("synthetic(200)", "synthetic(16)"),
        ("t: 65](vocab: 500", "t: 9](vocab: 8"),
        ("t: 65](0.5", "t: 9](0.5"),
        ("batch  = 16", "batch  = 4"),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let plain = [
        ("load(\"base.safetensors\", GPT(proj = Lora), names = {", "GPT()"),
        (OTHER, ""),
        (" },\n  except = [\"**.down.*\", \"**.up.*\"])", ""),
        ("update \"**.down.*\", \"**.up.*\" { optimizer = AdamW(lr = 2e-4) }", "optimizer = AdamW(lr = 1e-2)"),
    ];
    losses_in(folder.path(), "23_lora.model", "base.model", &[&small[..], &plain].concat(), &["epochs=2"]);
    let adapted = [
        ("base.safetensors", "runs/base-1/weights.safetensors"),
        (OTHER, "\"**.q.Lora.base.*\": \"Llm.**.q.Dense.*\", \"**.v.Lora.base.*\": \"Llm.**.v.Dense.*\""),
        ("AdamW(lr = 2e-4)", "AdamW(lr = 2e-2)"),
    ];
    let losses =
        losses_in(folder.path(), "23_lora.model", "lora.model", &[&small[..], &adapted].concat(), &["epochs=10"]);
    assert!(losses[9] < 0.95 * losses[0], "{losses:?}");
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
