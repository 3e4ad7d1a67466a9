//! `tensa check`: everything that can be known before a run.

use clap::Args;

use super::gradients::Gradients;
use super::{Failure, Outcome, ProgramArgs, costs, out, report};
use crate::diag::{Diagnostic, json, sarif};
use crate::driver::{Checked, Session};
use crate::train::read_loads;

/// The arguments of `tensa check`.
#[derive(Args)]
pub(super) struct Check {
    #[command(flatten)]
    program: ProgramArgs,
    /// Print each diagnostic as one JSON object on a line of stdout
    #[arg(long)]
    json: bool,
    /// Print all diagnostics as one SARIF 2.1.0 document on stdout
    #[arg(long, conflicts_with = "json")]
    sarif: bool,
    /// Hold the gradient that each `grad(dy)` of the program gives against that of its value
    #[arg(long)]
    gradients: bool,
    /// A function whose gradient differs on purpose; may be repeated
    #[arg(long, value_name = "NAME", requires = "gradients")]
    allow: Vec<String>,
}

/// Runs the command.
pub(super) fn run(args: &Check) -> Outcome {
    let opened = args.program.open();
    if args.json || args.sarif {
        return machine_readable(opened, args);
    }
    let session = opened?;
    let checked = with_files(&session);
    if checked.diagnostics.has_errors() {
        return Err(Failure::Program(Box::new(session), checked.diagnostics));
    }
    let summary = outcome(&checked);
    let lints = checked.lints();
    let mut told = checked.diagnostics;
    told.extend(lints);
    let gradients = gradients(&session, args)?;
    told.extend(gradients.as_ref().map(Gradients::diagnostics).unwrap_or_default());
    let failed = told.has_errors();
    report::show(told, &session.sources);
    let file = args.program.file.display();
    match &gradients {
        Some(gradients) => out(&format!("{file}: {}\n{}", gradients.title(), gradients.text())),
        None => out(&format!("{file}: {summary}\n")),
    }
    if failed { Err(Failure::Told) } else { Ok(()) }
}

/// The gradients that the program gives, where that is asked.
fn gradients(session: &Session, args: &Check) -> Result<Option<Gradients>, Failure> {
    if !args.gradients {
        return Ok(None);
    }
    Gradients::new(session.gradients(false), &args.allow).map(Some)
}

/// Everything found, as a tool reads it; what the program cannot even be opened for is a finding as well.
fn machine_readable(opened: Result<Session, Failure>, args: &Check) -> Outcome {
    let mut objects = String::new();
    let (sources, diagnostics) = match opened {
        Ok(session) => {
            let checked = with_files(&session);
            let lints = checked.lints();
            let mut told = checked.diagnostics;
            told.extend(lints);
            if !told.has_errors()
                && let Some(gradients) = gradients(&session, args)?
            {
                told.extend(gradients.diagnostics());
                objects = gradients.json(&session.sources);
            }
            (session.sources, told)
        }
        Err(Failure::Program(session, diagnostics)) => (session.sources, diagnostics),
        Err(other) => return Err(other),
    };
    let failed = diagnostics.has_errors();
    let diagnostics = diagnostics.sorted();
    match args.sarif {
        true => out(&sarif::document(&diagnostics, &sources)),
        false => out(&(objects + &json::lines(&diagnostics, &sources))),
    }
    if failed { Err(Failure::Told) } else { Ok(()) }
}

/// The check, with the files of weights that the program loads.
fn with_files(session: &Session) -> Checked {
    let mut checked = session.check(None);
    if !checked.diagnostics.has_errors() {
        let read = |train| read_loads(&checked.program, train, &session.folder).err();
        let told: Vec<Diagnostic> = checked.program.trains.iter().filter_map(read).collect();
        told.into_iter().for_each(|told| checked.diagnostics.push(told));
    }
    checked
}

/// `no errors; trains Net on Iris (515 parameters)`
fn outcome(checked: &Checked) -> String {
    let runs = checked.program.trains.iter().map(|train| {
        let models: Vec<&str> = train.models.iter().map(|name| name.as_str()).collect();
        let count = costs::grouped(costs::numbers(train.params.iter().map(|param| &param.ty)));
        format!("trains {} on {} ({count} parameters)", models.join(", "), train.data)
    });
    let searches = checked.program.searches.iter().map(|search| {
        let train = &checked.program.trains[search.train];
        format!("searches {} on {} ({} trials)", super::model_names(train).join(", "), train.data, search.trials)
    });
    std::iter::once("no errors".to_owned()).chain(runs).chain(searches).collect::<Vec<_>>().join("; ")
}
