//! `tensa search`: the runs of a program with other values, and which is the best.
//!
//! In: a program with a `search`, or a search that was interrupted. Out: a folder for the search, with its program, a folder
//! for each trial, which is that of a run, and `trials.jsonl`; a line for each trial on stderr, the table of them on stdout. A
//! trial leaves the test rows alone. Every trial starts from the program in the folder, so that a search goes on with
//! what it began with.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use clap::Args;
use serde_json::{Map, Value, json};

use super::progress::number;
use super::run::{one, stem};
use super::timings::Timings;
use super::{Failure, Machine, Outcome, ProgramArgs, interrupt, model_names, open_run, out, report, tell};
use crate::backend::Backend;
use crate::diag::json::events;
use crate::diag::{Diagnostic, Diagnostics, Severity, search as told};
use crate::driver::{Checked, Session};
use crate::search::{self, Record, Trial, Trials};
use crate::sema::search::Search as Searched;
use crate::train::{Control, End, Ending, Recorded, RunFolder};

/// The file of a search's trials in its folder.
const TRIALS: &str = "trials.jsonl";

/// The arguments of `tensa search`.
#[derive(Args)]
pub(super) struct Search {
    /// The program
    #[arg(required_unless_present = "resume")]
    file: Option<PathBuf>,
    /// Set what the search does not vary: a top-level `let`, a setting of `train`, or a default as `Net.width`
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "resume")]
    set: Vec<String>,
    #[command(flatten)]
    machine: Machine,
    /// Print one trial a line, as JSON, and the best in the end
    #[arg(long)]
    pub(super) json: bool,
    /// The folder that gets a folder for this search
    #[arg(long, value_name = "DIR", default_value = "runs", conflicts_with = "resume")]
    out: PathBuf,
    /// Go on with an interrupted search; finished trials are not run again
    #[arg(long, value_name = "SEARCH", conflicts_with = "file")]
    resume: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &Search) -> Outcome {
    let interrupted = interrupt::watch();
    let backend = args.machine.backend().map_err(Failure::Usage)?;
    if let Some(path) = &args.resume {
        let (session, folder, recorded) = open_run(path)?;
        let checked = fine(session)?;
        let is_meant = |search: &&Searched| search.train == recorded.train;
        let found = checked.1.program.searches.iter().position(|search| is_meant(&search));
        let Some(at) = found.filter(|_| folder.file(TRIALS).exists()) else {
            return Err(Failure::of(checked.0, told::no_search_here(path)));
        };
        return trials(args, &folder, &checked, at, backend.as_ref(), interrupted);
    }
    let Some(file) = args.file.clone() else { return Err(Failure::Usage("a program is needed".to_owned())) };
    let opened = fine(ProgramArgs { file: file.clone(), set: args.set.clone() }.open()?)?;
    let (session, checked) = &opened;
    if checked.program.searches.is_empty() {
        return Err(Failure::of(opened.0, told::nothing_to_search(&file.display().to_string())));
    }
    for (at, search) in checked.program.searches.iter().enumerate() {
        let twice =
            search.varied.iter().find(|varied| session.overrides().iter().any(|(name, _)| *name == varied.name));
        if let Some(varied) = twice {
            return Err(Failure::Usage(format!(
                "`--set {0}` gives `{0}` one value, and the search varies it",
                varied.name
            )));
        }
        let made = folder(args, session, checked, search, &file);
        match made {
            Ok(folder) => trials(args, &folder, &opened, at, backend.as_ref(), interrupted)?,
            Err(told) => return Err(Failure::of(opened.0, told)),
        }
    }
    Ok(())
}

/// A program without mistakes, and its data.
fn fine(session: Session) -> Result<(Session, Checked), Failure> {
    let checked = session.check(None);
    if checked.diagnostics.has_errors() {
        return Err(Failure::Program(Box::new(session), checked.diagnostics));
    }
    report::show(checked.diagnostics.clone(), &session.sources);
    Ok((session, checked))
}

/// The folder of a new search, with its program and where it came from.
fn folder(
    args: &Search,
    session: &Session,
    checked: &Checked,
    search: &Searched,
    file: &Path,
) -> Result<RunFolder, Diagnostic> {
    let mut name = stem(file);
    if checked.program.searches.len() > 1 {
        name = format!("{name}-{}", model_names(&checked.program.trains[search.train]).join("-"));
    }
    let folder = RunFolder::create(&args.out, &format!("{name}-search"))?;
    folder.describe(&Recorded::new(session, checked, search.train), &session.resolved(), &checked.datasets)?;
    Trials::create(folder.file(TRIALS))?;
    Ok(folder)
}

/// The trials that are left, then what came out.
fn trials(
    args: &Search,
    folder: &RunFolder,
    (session, checked): &(Session, Checked),
    at: usize,
    backend: &dyn Backend,
    interrupted: &'static AtomicBool,
) -> Outcome {
    let search = &checked.program.searches[at];
    let failed = |told| Failure::Program(Box::new(Session::new("", "", PathBuf::new())), Diagnostics::of(told));
    let mut trials = Trials::open(folder.file(TRIALS)).map_err(failed)?;
    let mut done: Vec<Trial> = Vec::new();
    for record in &trials.done {
        let (names, texts): (Vec<&str>, Vec<String>) =
            record.set.iter().map(|(name, text)| (name.as_str(), text.clone())).unzip();
        let known = search.varied.iter().map(|varied| varied.name.as_str()).eq(names);
        let points = search::points(search, &texts).filter(|_| known);
        let Some(points) = points else { return Err(failed(told::foreign_trial(folder.path(), record.trial))) };
        done.push(Trial { points, value: record.value });
    }
    tell(&format!("{}: {} trials; {}\n", shown(search, checked), search.trials, folder.shown()));
    while let Some(points) = search::next(search, &done) {
        let number = done.len() as u64 + 1;
        let names = search.varied.iter().map(|varied| varied.name.clone());
        let set: Vec<(String, String)> = names.zip(search::texts(search, &points)).collect();
        let record = match trial(folder, at, number, set, backend, interrupted) {
            Ok(record) => record,
            Err(Stop::Interrupted) => {
                tell(&format!(
                    "interrupted in trial {number}; go on with `tensa search --resume {}`\n",
                    folder.shown()
                ));
                return Err(Failure::Interrupted);
            }
            Err(Stop::Told(diagnostic)) => return Err(failed(*diagnostic)),
            Err(Stop::Failed(failure)) => return Err(failure),
        };
        match args.json {
            true => out(&format!("{}\n", event("trial", &record))),
            false => tell(&line(search, &record)),
        }
        done.push(Trial { points, value: record.value });
        trials.push(record).map_err(failed)?;
    }
    let Some(best) = search::best(search, &trials.done, |record| record.value) else {
        let why = trials.done.first().and_then(|record| record.failed.as_deref());
        let told = told::no_trial_worked(trials.done.len(), why, search.span);
        if args.json {
            out(&events(std::slice::from_ref(&told), &session.sources));
        }
        report::show(Diagnostics::of(told), &session.sources);
        return Err(Failure::Told);
    };
    match args.json {
        true => out(&format!("{}\n", event("done", best))),
        false => out(&table(search, &trials.done, best)),
    }
    Ok(())
}

/// Why a search stops before its end.
enum Stop {
    Told(Box<Diagnostic>),
    Failed(Failure),
    Interrupted,
}

impl From<Diagnostic> for Stop {
    fn from(diagnostic: Diagnostic) -> Stop {
        Stop::Told(Box::new(diagnostic))
    }
}

/// One trial: a run of the program with some values, or what such a run has left.
fn trial(
    search_folder: &RunFolder,
    at: usize,
    number: u64,
    set: Vec<(String, String)>,
    backend: &dyn Backend,
    interrupted: &'static AtomicBool,
) -> Result<Record, Stop> {
    let folder = RunFolder::at(&search_folder.file(&format!("trial-{number}")))?;
    let record = |value: Option<f64>, epoch: u64, failed: Option<String>| {
        Ok(Record { trial: number, set: set.clone(), value, epoch, failed, run: folder.shown() })
    };
    let (mut session, _, _) = open_run(search_folder.path()).map_err(Stop::Failed)?;
    for (name, text) in &set {
        if let Err(told) = session.set(name, text) {
            return record(None, 0, Some(first(&told)));
        }
    }
    let checked = session.check(None);
    if checked.diagnostics.has_errors() {
        return record(None, 0, Some(first(&checked.diagnostics)));
    }
    let search = &checked.program.searches[at];
    let train = &checked.program.trains[search.train];
    if folder.end().is_none() {
        let resume = folder.checkpoint().exists();
        if !resume {
            let recorded = Recorded::new(&session, &checked, search.train);
            folder.describe(&recorded, &session.resolved(), &checked.datasets)?;
        }
        let control = Control { folder: Some(&folder), resume, test: false, interrupted };
        match one((&session, &checked), train, backend, &control, &mut (), &mut Timings::new(), false)? {
            End::Interrupted => return Err(Stop::Interrupted),
            End::Done { .. } | End::Diverged(_) => {}
        }
    }
    match folder.end() {
        Some(Ending::Done { epoch }) => {
            let watch = &search.goal.watch;
            let value = folder.reported(epoch, &watch.split, &watch.name);
            let failed = value.is_none().then(|| format!("`{}` is no number", watch.shown()));
            record(value, epoch, failed)
        }
        Some(Ending::Diverged(message)) => record(None, 0, Some(message)),
        None => record(None, 0, Some("the run has left no end".to_owned())),
    }
}

/// The first mistake, in one line.
fn first(told: &Diagnostics) -> String {
    let error = told.iter().find(|told| told.severity == Severity::Error);
    error.map_or_else(String::new, |told| format!("{}: {}", told.code.as_str(), told.message))
}

/// `search Net on Iris for the least valid.loss`
fn shown(search: &Searched, checked: &Checked) -> String {
    let train = &checked.program.trains[search.train];
    let direction = if search.goal.least { "least" } else { "greatest" };
    format!(
        "search {} on {} for the {direction} {}",
        model_names(train).join(", "),
        train.data,
        search.goal.watch.shown()
    )
}

/// `trial 3/20   width = 64  lr = 0.00123   valid.mae 0.4321`
fn line(search: &Searched, record: &Record) -> String {
    let width = search.trials.to_string().len();
    let set: Vec<String> = record.set.iter().map(|(name, text)| format!("{name} = {text}")).collect();
    let came_to = match (record.value, &record.failed) {
        (Some(value), _) => format!("{} {}", search.goal.watch.shown(), number(value)),
        (None, why) => format!("failed: {}", why.as_deref().unwrap_or("no value")),
    };
    format!("trial {:width$}/{}   {}   {came_to}\n", record.trial, search.trials, set.join("  "))
}

/// The trials below each other, the best of them, and what sets its values.
fn table(search: &Searched, records: &[Record], best: &Record) -> String {
    let names = search.varied.iter().map(|varied| varied.name.clone());
    let mut rows: Vec<Vec<String>> = Vec::new();
    rows.push(
        ["trial".to_owned()].into_iter().chain(names).chain([search.goal.watch.shown(), "epoch".to_owned()]).collect(),
    );
    for record in records {
        let texts = record.set.iter().map(|(_, text)| text.clone());
        let value = record.value.map_or_else(|| "failed".to_owned(), number);
        let epoch = record.value.map_or_else(String::new, |_| record.epoch.to_string());
        rows.push([record.trial.to_string()].into_iter().chain(texts).chain([value, epoch]).collect());
    }
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let lines = rows.iter().map(|row| {
        let cells = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:>width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    });
    let table: String = lines.collect();
    let set: Vec<String> = best.set.iter().map(|(name, text)| setting(name, text)).collect();
    format!("{table}\nbest  trial {}\nset   {}\nrun   {}\n", best.trial, set.join(" "), best.run)
}

/// `--set lr=0.001`, with quotes where a shell would take it apart.
fn setting(name: &str, text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-+".contains(letter);
    match text.chars().all(plain) {
        true => format!("--set {name}={text}"),
        false => format!("--set '{name}={}'", text.replace('\'', "'\\''")),
    }
}

/// A trial as one line of JSON.
fn event(name: &str, record: &Record) -> Value {
    let set: Map<String, Value> = record.set.iter().map(|(name, text)| (name.clone(), json!(text))).collect();
    let mut event = json!({
        "event": name, "trial": record.trial, "set": set, "value": record.value, "epoch": record.epoch, "run": record.run,
    });
    if let (Some(failed), Some(event)) = (&record.failed, event.as_object_mut()) {
        event.insert("failed".to_owned(), json!(failed));
    }
    event
}
