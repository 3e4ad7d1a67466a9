//! How long a check takes: a page of 200 lines, and a program of 20,000 lines with 1,000 layers of its own.
//!
//! `cargo bench --bench check`. Prints the milliseconds of reading, checking, of what the graphs tell (`lints`) and of laying out
//! (the best of several runs) for growing programs, and what each grew by; the lines grow tenfold, so 10 is linear. A check
//! of 200 lines should take below 5 ms, one of 20,000 below a second. Then the texts that were made to be hard to read, of
//! which each should take below 5 ms, the slowest first.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Instant;

use tensa::base::FileId;
use tensa::driver::Session;
use tensa::syntax::{format, parse};

const REPEATS: usize = 5;
const LAYERS: [usize; 3] = [10, 100, 1000];

/// What trains it, on data that lies beside the examples.
const RUN: &str = "
data Iris = csv(\"data/iris.csv\") {
  x     = columns(\"sepal_len\", \"sepal_wid\", \"petal_len\", \"petal_wid\")
  y     = column(\"species\") |> vocab
  split = random(train = 80%, valid = 20%)
  batch = 32
}

train Net on Iris {
  loss      = cross_entropy(Net(x), y)
  optimizer = SGD(lr = 0.1)
  epochs    = 1
}
";

/// A program of so many layers, each with a definition of 19 lines and a use.
fn program(layers: usize) -> String {
    let mut text = String::new();
    for layer in 0..layers {
        let _ = write!(
            text,
            "## The layer with the number {layer}.\n\
             layer Block{layer}(rate = 0.1)(x: [.., d]) -> [.., d] {{\n\
             \x20 param gain[d] ~ ones\n\
             \x20 param bias[d] ~ zeros\n\
             \x20 let m = mean[d](x)\n\
             \x20 let v = mean[d]((x - m)^2)\n\
             \x20 let y = (x - m) / sqrt(v + 1e-5) * gain + bias\n\
             \x20 # Four times as wide between.\n\
             \x20 param up[d, hidden: 4 * d] ~ glorot\n\
             \x20 param down[hidden, d] ~ glorot\n\
             \x20 let wide = sum[d](y * up) |> gelu\n\
             \x20 let narrow = sum[hidden](wide * down)\n\
             \x20 let kept = if rate > 0 {{\n\
             \x20   narrow |> Dropout(rate)\n\
             \x20 }} else {{\n\
             \x20   narrow\n\
             \x20 }}\n\
             \x20 x + kept\n\
             }}\n\n"
        );
    }
    text.push_str("model Net(x: [batch, feature]) -> logit[batch, class] {\n  x |> Dense(d: 64)\n");
    for layer in 0..layers {
        let _ = writeln!(text, "    |> Block{layer}");
    }
    text.push_str("    |> Dense(class: 3)\n}\n");
    text.push_str(RUN);
    text
}

/// The fastest of several runs, in milliseconds.
fn best<T>(mut run: impl FnMut() -> T) -> f64 {
    let times = (0..REPEATS).map(|_| {
        let start = Instant::now();
        let kept = run();
        let time = start.elapsed().as_secs_f64() * 1e3;
        drop(kept);
        time
    });
    times.fold(f64::INFINITY, f64::min)
}

/// The repository.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn main() {
    growing();
    adversarial();
}

/// Programs of more and more layers.
fn growing() {
    let mut before: Option<[f64; 4]> = None;
    println!("{:>8} {:>16} {:>16} {:>16} {:>16}", "lines", "parse", "check", "lints", "format");
    for layers in LAYERS {
        let text = program(layers);
        // The first session reads the library, which serves all later ones.
        let session = Session::new("net.model", &text, root().join("examples"));
        let checked = session.check(None);
        assert!(checked.diagnostics.is_empty(), "{:?}", checked.diagnostics);
        let times = [
            best(|| parse::parse(FileId(0), &text)),
            best(|| session.check(None)),
            best(|| checked.lints()),
            best(|| format::format(FileId(0), &text)),
        ];
        let growth = |at: usize| before.map_or_else(String::new, |before| format!(" x{:.1}", times[at] / before[at]));
        let shown: Vec<String> = (0..4).map(|at| format!("{:.2} ms{}", times[at], growth(at))).collect();
        let lines = text.lines().count();
        println!("{lines:>8} {:>16} {:>16} {:>16} {:>16}", shown[0], shown[1], shown[2], shown[3]);
        before = Some(times);
    }
}

/// Texts that a parser might take long to refuse.
fn adversarial() {
    let folder = root().join("tests/data/language/adversarial");
    let paths = std::fs::read_dir(&folder).expect("the texts").map(|entry| entry.expect("an entry").path());
    let mut times: Vec<(f64, String)> = paths
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a text");
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (best(|| Session::new(&name, &text, folder.clone()).check(None)), name)
        })
        .collect();
    times.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("\n{} texts that are hard to read; the slowest:", times.len());
    for (time, name) in times.iter().take(5) {
        println!("{time:>8.2} ms  {name}");
    }
}
