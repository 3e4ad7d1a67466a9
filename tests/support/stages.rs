//! The stages a suite case can run to: one line each.

use tensa::backend::cpu::Cpu;
use tensa::base::{FileId, SourceMap};
use tensa::diag::Diagnostic;
use tensa::driver::{self, Checked, Session, Stages};
use tensa::gradients::Report;
use tensa::ir::Dim;
use tensa::kernel::ir::{BufId, Program, Step};
use tensa::sema;
use tensa::syntax::{ast, parse, print};
use tensa::train::End;
use tensa::{fuse, ir, runtime};

use super::beside;
use super::runs;

/// What came of a program.
#[derive(Default)]
pub struct Outcome {
    /// The texts that the diagnostics point into.
    pub sources: SourceMap,
    /// Which of them is the program.
    pub file: FileId,
    /// All that was told, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The text form of the stage, for stages that have one.
    pub text: Option<String>,
    /// What notes can ask for: `kernels` is `2`, `shape h` is `[batch, d: 10]`.
    pub facts: Vec<(String, String)>,
}

/// A stage by its name.
type Stage = (&'static str, fn(&str) -> Outcome);

/// The batch at which sizes in bytes are told.
const BATCH: i64 = 32;

/// All stages. A case names one in its head; a further stage is a further line.
const STAGES: &[Stage] = &[
    ("parse", parse_stage),
    ("ast", ast_stage),
    ("check", |text| checked(text, |_| None)),
    ("typed", |text| checked(text, |checked| Some(sema::print(&checked.program)))),
    ("run", run_stage),
    ("gradients", gradients_stage),
    ("graph", |text| staged(text, |stages| ir::text::print(&stages.lowered.passes[0].training))),
    ("canon", |text| staged(text, |stages| ir::text::print(&stages.canon))),
    ("grad", |text| staged(text, |stages| ir::text::print(&stages.grad))),
    ("step", |text| staged(text, |stages| ir::text::print(&stages.step))),
    ("opt", |text| staged(text, |stages| ir::text::print(&stages.opt))),
    ("fused", |text| staged(text, |stages| fuse::print(&fuse::fuse(&stages.opt)))),
    ("kernel", |text| staged(text, |stages| driver::kernels(&stages.opt).to_string())),
    ("plan", |text| staged(text, |stages| plan(&driver::kernels(&stages.opt)))),
];

/// The stage of this name.
pub fn find(name: &str) -> Option<fn(&str) -> Outcome> {
    STAGES.iter().find(|(known, _)| *known == name).map(|(_, run)| *run)
}

/// Reads a program under the name `case.model`.
pub fn read(text: &str) -> (SourceMap, ast::File, Vec<Diagnostic>) {
    let mut sources = SourceMap::default();
    let file = sources.add("case.model", text, false);
    let (tree, diagnostics) = parse::parse(file, text);
    (sources, tree, diagnostics.sorted())
}

/// Only what is told.
fn parse_stage(text: &str) -> Outcome {
    let (sources, _, diagnostics) = read(text);
    Outcome { sources, diagnostics, ..Outcome::default() }
}

/// The tree as text.
fn ast_stage(text: &str) -> Outcome {
    let (sources, tree, diagnostics) = read(text);
    Outcome { sources, diagnostics, text: Some(print::print(&tree)), ..Outcome::default() }
}

/// Checks a program that lies beside the data of cases, with what its graphs tell.
pub fn check(text: &str) -> (Session, Checked) {
    let session = Session::new("case.model", text, beside::folder());
    let mut checked = session.check(None);
    let lints = checked.lints();
    checked.diagnostics.extend(lints);
    (session, checked)
}

/// A stage of the checked program; without errors, also what a step of its first run costs.
fn checked(text: &str, show: impl Fn(&Checked) -> Option<String>) -> Outcome {
    let (session, checked) = check(text);
    let failed = checked.diagnostics.has_errors();
    let mut outcome = Outcome { facts: shapes(&checked), ..Outcome::default() };
    if !failed {
        outcome.text = show(&checked);
        outcome.facts.extend(costs(&checked));
    }
    outcome.file = session.file;
    outcome.sources = session.sources;
    outcome.diagnostics = checked.diagnostics.sorted();
    // The folder has another name in each run.
    let folder = format!("{}/", beside::folder().display());
    outcome.diagnostics.iter_mut().for_each(|told| told.message = told.message.replace(&folder, ""));
    outcome
}

/// What is told of the first run of a program, which must check.
fn run_stage(text: &str) -> Outcome {
    let (session, checked) = check(text);
    let mut diagnostics = checked.diagnostics.clone();
    if !diagnostics.has_errors() {
        let cpu = Cpu::new(1).expect("a processor");
        let of = (&checked, &*session.folder);
        match runs::first(of, &cpu, &runs::alone(false), &mut (), |end, _| end) {
            Ok(End::Diverged(told)) => diagnostics.push(*told),
            Ok(End::Done { .. } | End::Interrupted) => {}
            Err(told) => diagnostics.push(told),
        }
    }
    let (file, mut diagnostics) = (session.file, diagnostics.sorted());
    let folder = format!("{}/", beside::folder().display());
    diagnostics.iter_mut().for_each(|told| told.message = told.message.replace(&folder, ""));
    Outcome { file, sources: session.sources, diagnostics, ..Outcome::default() }
}

/// What came of each gradient that the program gives, and what is told where it is another one.
fn gradients_stage(text: &str) -> Outcome {
    let (session, checked) = check(text);
    let mut diagnostics = checked.diagnostics;
    let reports = if diagnostics.has_errors() { Vec::new() } else { session.gradients(false) };
    reports.iter().filter_map(Report::diagnostic).for_each(|told| diagnostics.push(told));
    let lines = reports.iter().map(|report| format!("{}: {report}\n", report.name)).collect();
    let (file, diagnostics) = (session.file, diagnostics.sorted());
    Outcome { file, sources: session.sources, diagnostics, text: Some(lines), ..Outcome::default() }
}

/// A stage of the first run of a program.
fn staged(text: &str, show: impl Fn(&Stages) -> String) -> Outcome {
    checked(text, |checked| {
        let train = checked.program.trains.first()?;
        Some(show(&driver::stages(&checked.program, train, false)))
    })
}

/// The types of what the program names, by name; of a name bound twice, the first.
fn shapes(checked: &Checked) -> Vec<(String, String)> {
    let shape = |binding: &sema::typed::Binding| {
        (format!("shape {}", binding.name), sema::show_type(&checked.program, &binding.ty))
    };
    checked.program.bindings.iter().map(shape).collect()
}

/// What the first run has and what a step of it costs.
///
/// `params`, `states`: how many. `nodes`: of the optimised graph. `kernels`: how many steps there are,
/// kernels, contractions, copies and loops alike, with those inside of loops. `bytes`: what those read and write at a batch of 32, each buffer of each
/// step once; what stays in registers or in L1 is not counted. `convs`: convolutions by their roles.
fn costs(checked: &Checked) -> Vec<(String, String)> {
    let Some(train) = checked.program.trains.first() else { return Vec::new() };
    let stages = driver::stages(&checked.program, train, false);
    let program = driver::kernels(&stages.opt);
    let facts = [
        ("params", train.params.len()),
        ("states", train.states.len()),
        ("nodes", stages.opt.nodes.len()),
        ("kernels", count(&program.steps)),
        ("bytes", traffic(&program, &program.steps)),
    ];
    let convs = ("convs".to_owned(), tensa::ops::conv_counts(&stages.opt));
    facts.map(|(name, value)| (name.to_owned(), value.to_string())).into_iter().chain([convs]).collect()
}

/// How many steps there are, those of a loop once each.
fn count(steps: &[Step]) -> usize {
    let inner = |step: &Step| if let Step::Scan(scan) = step { count(&scan.body) } else { 0 };
    steps.iter().map(|step| 1 + inner(step)).sum()
}

/// The bytes that steps read and write; those of a loop as often as it runs.
fn traffic(program: &Program, steps: &[Step]) -> usize {
    let at_batch = |dim: &Dim| usize::try_from(dim.eval(&|_| BATCH).expect("a size in range")).expect("a size");
    let length = |buf: BufId| 4 * at_batch(&program.buffers[buf.0 as usize].len);
    let mut total = 0;
    for step in steps {
        if let Step::Scan(scan) = step {
            total += at_batch(&scan.count) * traffic(program, &scan.body);
            continue;
        }
        let mut bufs = Vec::new();
        step.visit(&mut |buf| bufs.push(buf));
        bufs.sort_unstable();
        bufs.dedup();
        total += bufs.into_iter().map(length).sum::<usize>();
    }
    total
}

fn plan(program: &Program) -> String {
    let sizes = vec![BATCH; program.sizes.len()];
    runtime::text::print(program, &sizes).expect("a plan for a small batch")
}
