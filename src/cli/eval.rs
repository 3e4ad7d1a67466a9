//! `tensa eval`: loss and metrics of a trained model on one split.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::progress::{tables, values};
use super::{Failure, Machine, Outcome, open_run, out, report};
use crate::data::Part;
use crate::diag::{Diagnostic, run as told};
use crate::driver::{Checked, Session};
use crate::lower;
use crate::train::{Evaluator, Model, Report, RunFolder};

/// The arguments of `tensa eval`.
#[derive(Args)]
pub(super) struct Eval {
    /// A run's folder, or a program whose newest run in `runs` is meant
    run: PathBuf,
    /// Which rows
    #[arg(long, value_enum, default_value = "test")]
    split: Split,
    #[command(flatten)]
    machine: Machine,
    /// Print the values as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Split {
    Train,
    Valid,
    Test,
}

/// Runs the command.
pub(super) fn run(args: &Eval) -> Outcome {
    let (session, folder, recorded) = open_run(&args.run)?;
    let fitted = match folder.fitted() {
        Ok(fitted) => fitted,
        Err(diagnostic) => return Err(Failure::of(session, diagnostic)),
    };
    let checked = session.check(Some(&fitted));
    if checked.diagnostics.has_errors() {
        return Err(Failure::Program(Box::new(session), checked.diagnostics));
    }
    report::show(checked.diagnostics.clone(), &session.sources);
    let backend = args.machine.backend().map_err(Failure::Usage)?;
    let part = match args.split {
        Split::Train => Part::Train,
        Split::Valid => Part::Valid,
        Split::Test => Part::Test,
    };
    let report = match evaluate(&session, &folder, &checked, recorded.train, backend.as_ref(), part) {
        Ok(report) => report,
        Err(diagnostic) => return Err(Failure::of(session, diagnostic)),
    };
    match args.json {
        true => {
            let split = part.as_str();
            out(&format!("{}\n", json!({ "event": "done", split: report, "run": folder.shown() })));
        }
        false => out(&format!("{}  {}\n{}", part.as_str(), values(&report), tables(&report))),
    }
    Ok(())
}

fn evaluate(
    session: &Session,
    folder: &RunFolder,
    checked: &Checked,
    train: usize,
    backend: &dyn crate::backend::Backend,
    part: Part,
) -> Result<Report, Diagnostic> {
    let name = || session.sources.file(session.file).name.clone();
    let train = checked.program.trains.get(train).ok_or_else(|| told::nothing_to_run(&name()))?;
    let without_rows = || told::split_without_rows(train.data.as_str(), part.as_str());
    let dataset = checked.datasets.get(&train.data).ok_or_else(without_rows)?;
    let lowered = lower::lower(&checked.program, train);
    let mut model = Model::new(train, &lowered, backend)?;
    model.load_weights(&folder.weights())?;
    let report = Evaluator::new(&model, &lowered, dataset)?.run(&mut model, dataset, part)?;
    report.ok_or_else(without_rows)
}
