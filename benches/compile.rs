//! How the time of the compiler grows: programs of dense layers, twice as long each time.
//!
//! `cargo bench --bench compile`. Prints the milliseconds of each phase (the best of several runs) for a program
//! given as text, what all of it grew by, and what each phase grew by at the end; 2 is linear.

use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

use tensa::base::FileId;
use tensa::driver::Session;
use tensa::runtime::plan;
use tensa::step::Update;
use tensa::syntax::parse;
use tensa::{autodiff, canon, fuse, kernel, lower, opt, step};

const REPEATS: usize = 5;
const LAYERS: [usize; 3] = [250, 500, 1000];

/// A perceptron with so many hidden layers, as text.
fn program(layers: usize) -> String {
    let mut text = String::from(
        "data Rows = csv(\"rows.csv\") {\n  x = columns(\"a\", \"b\")\n  y = column(\"label\") |> vocab\n  \
         split = random(train = 50%, valid = 25%, test = 25%)\n  batch = 2\n}\n\n\
         model Net(x: [batch, feature]) -> logit[batch, class] {\n  x |> Dense(64, relu)\n",
    );
    for _ in 0..layers {
        text.push_str("    |> Dense(64, relu)\n");
    }
    text.push_str(
        "    |> Dense(class: 2)\n}\n\ntrain Net on Rows {\n  loss = cross_entropy(Net(x), y)\n  \
         optimizer = Adam(lr = 1e-3)\n  epochs = 1\n}\n",
    );
    text
}

/// The phases of one program with their milliseconds.
struct Clock {
    phases: Vec<(&'static str, f64)>,
}

impl Clock {
    /// Runs a phase several times and keeps the fastest.
    fn time<T>(&mut self, phase: &'static str, mut run: impl FnMut() -> T) -> T {
        let mut best = f64::INFINITY;
        let mut result = None;
        for _ in 0..REPEATS {
            let start = Instant::now();
            result = Some(run());
            best = best.min(start.elapsed().as_secs_f64() * 1e3);
        }
        self.phases.push((phase, best));
        result.expect("a phase runs at least once")
    }
}

fn measure(folder: &Path, layers: usize) -> Vec<(&'static str, f64)> {
    let mut clock = Clock { phases: Vec::new() };
    let text = program(layers);
    clock.time("parse", || parse::parse(FileId(0), &text));
    let session = Session::new("chain.model", &text, folder.to_path_buf());
    let checked = clock.time("check", || session.check(None));
    assert!(!checked.diagnostics.has_errors(), "{:?}", checked.diagnostics);
    let train = &checked.program.trains[0];
    let lowered = clock.time("lower", || lower::lower(&checked.program, train));
    let recognised = clock.time("canon", || canon::run(&lowered.passes[0].training));
    let gradients = clock.time("autodiff", || autodiff::gradients(&recognised));
    let gradients = clock.time("canon again", || canon::run(&gradients));
    let update = Update {
        graph: &lowered.passes[0].update,
        first_gradient: lowered.first_gradient,
        clips: Vec::new(),
        accumulate: None,
        runs_per_step: 1.0,
        keep_gradients: false,
    };
    let whole = clock.time("step", || step::assemble(&gradients, &update));
    let small = clock.time("opt", || opt::run(&whole));
    let fused = clock.time("fuse", || fuse::fuse(&small));
    let kernels = clock.time("kernel", || kernel::lower(&fused));
    let lens = kernels.buffers.iter().map(|buffer| buffer.len.eval(&|_| 32).map_or(0, |len| len as usize));
    let lens: Vec<usize> = lens.collect();
    clock.time("plan", || plan::plan(&lens, &plan::lives(&kernels)));
    clock.phases
}

fn main() {
    let folder = std::env::temp_dir().join(format!("tensa-compile-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the data");
    let rows = "a,b,label\n1,2,u\n3,4,v\n5,6,u\n7,8,v\n9,1,u\n2,3,v\n4,5,u\n6,7,v\n";
    std::fs::write(folder.join("rows.csv"), rows).expect("the data");
    let measured: Vec<Vec<(&str, f64)>> = LAYERS.iter().map(|&layers| measure(&folder, layers)).collect();
    // The data has served; a folder that cannot be removed is the system's to clean.
    let _ = std::fs::remove_dir_all(&folder);

    let mut table = format!("{:12}", "phase");
    for layers in LAYERS {
        let _ = write!(table, "{layers:>11}   ");
    }
    table.push_str("  growth\n");
    let mut line = |name: &str, times: &[f64]| {
        let _ = write!(table, "{name:12}");
        for time in times {
            let _ = write!(table, "{time:8.2} ms   ");
        }
        let growth: Vec<String> = times.windows(2).map(|pair| format!("x{:.2}", pair[1] / pair[0])).collect();
        let _ = writeln!(table, "  {}", growth.join(" "));
    };
    for (at, (name, _)) in measured[0].iter().enumerate() {
        let times: Vec<f64> = measured.iter().map(|phases| phases[at].1).collect();
        line(name, &times);
    }
    let all: Vec<f64> = measured.iter().map(|phases| phases.iter().map(|(_, time)| time).sum()).collect();
    line("all", &all);
    print!("{table}");
}
