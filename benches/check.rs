//! How long a check takes: a page of 200 lines, and a program of 20,000 lines with 1,000 layers of its own.
//!
//! `cargo bench --bench check`. Prints the milliseconds of reading, checking and laying out (the best of several runs) for
//! growing programs, and what each grew by; the lines grow tenfold, so 10 is linear. A check of 200 lines should take below
//! 5 ms, one of 20,000 below a second.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Instant;

use tensa::base::FileId;
use tensa::driver::Session;
use tensa::syntax::{format, parse};

const REPEATS: usize = 5;
const LAYERS: [usize; 3] = [10, 100, 1000];

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
    text.push_str("model Net(x: [batch, d: 64]) -> logit[batch, class] {\n  x\n");
    for layer in 0..layers {
        let _ = writeln!(text, "    |> Block{layer}");
    }
    text.push_str("    |> Dense(class: 10)\n}\n");
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

fn main() {
    let mut before: Option<[f64; 3]> = None;
    println!("{:>8} {:>12} {:>12} {:>12}", "lines", "parse", "check", "format");
    for layers in LAYERS {
        let text = program(layers);
        // The first session reads the library, which serves all later ones.
        let session = Session::new("net.model", &text, PathBuf::new());
        let checked = session.check(None);
        assert!(checked.diagnostics.is_empty(), "{:?}", checked.diagnostics);
        let times = [
            best(|| parse::parse(FileId(0), &text)),
            best(|| session.check(None)),
            best(|| format::format(FileId(0), &text)),
        ];
        let growth = |at: usize| before.map_or_else(String::new, |before| format!(" x{:.1}", times[at] / before[at]));
        let shown: Vec<String> = (0..3).map(|at| format!("{:.2} ms{}", times[at], growth(at))).collect();
        println!("{:>8} {:>16} {:>16} {:>16}", text.lines().count(), shown[0], shown[1], shown[2]);
        before = Some(times);
    }
}
