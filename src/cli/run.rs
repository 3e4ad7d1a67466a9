//! `tensa run` and `tensa train`: check, compile, train, test.
//!
//! In: a program, or an interrupted run. Out: a run folder for each `train` section, progress on stderr,
//! results on stdout. `train` leaves the test split alone.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use clap::Args;

use super::progress::{Jsonl, Plain};
use super::timings::Timings;
use super::{Failure, Machine, Outcome, ProgramArgs, interrupt, report};
use crate::backend::Backend;
use crate::diag::{Diagnostic, Diagnostics, run as told};
use crate::driver::{self, Checked, Session};
use crate::sema::typed::Train;
use crate::train::{self, Control, End, Evaluator, Job, Model, Recorded, RunFolder, Watch};

/// The arguments of `tensa run` and `tensa train`.
#[derive(Args)]
pub(super) struct Run {
    /// The program
    #[arg(required_unless_present = "resume")]
    file: Option<PathBuf>,
    /// Set a top-level `let`, a setting of `train` or a default (`Net.width`)
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "resume")]
    set: Vec<String>,
    #[command(flatten)]
    machine: Machine,
    /// Print one event a line, as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// The folder that gets a folder for this run
    #[arg(long, value_name = "DIR", default_value = "runs", conflicts_with = "resume")]
    out: PathBuf,
    /// Go on with an interrupted run, or from one of its checkpoints
    #[arg(long, value_name = "RUN", conflicts_with = "file")]
    resume: Option<PathBuf>,
    /// Print the time of each phase up to the end of the first step
    #[arg(long)]
    timings: bool,
}

/// Runs the command; `test` says whether the test split is evaluated in the end.
pub(super) fn run(args: &Run, test: bool) -> Outcome {
    let interrupted = interrupt::watch();
    let mut timings = Timings::new();
    let (session, resumed) = open(args)?;
    timings.lap("parse");
    // What was fitted is fitted again from the same rows, to the same bits.
    let checked = session.check(None);
    timings.lap_with("check", "read data", checked.reading);
    if checked.diagnostics.has_errors() {
        return Err(Failure::Program(Box::new(session), checked.diagnostics));
    }
    let mut told = checked.diagnostics.clone();
    told.extend(checked.lints());
    timings.lap("lints");
    report::show(told, &session.sources);
    let outcome = trains(args, test, &session, &checked, resumed, interrupted, timings);
    outcome.map_err(|stop| match stop {
        Stop::Told(diagnostic) => Failure::Program(Box::new(session), Diagnostics::of(*diagnostic)),
        // It has been an event of the run.
        Stop::Diverged(diagnostic) => {
            report::show(Diagnostics::of(*diagnostic), &session.sources);
            Failure::Told
        }
        Stop::Interrupted => Failure::Interrupted,
        Stop::Usage(message) => Failure::Usage(message),
    })
}

/// Why the runs of a program stop.
enum Stop {
    Told(Box<Diagnostic>),
    Diverged(Box<Diagnostic>),
    Interrupted,
    Usage(String),
}

impl From<Diagnostic> for Stop {
    fn from(diagnostic: Diagnostic) -> Stop {
        Stop::Told(Box::new(diagnostic))
    }
}

/// A run that goes on, and which `train` of its program it is.
type Resumed = Option<(RunFolder, usize)>;

/// The program of the arguments.
fn open(args: &Run) -> Result<(Session, Resumed), Failure> {
    if let Some(run) = &args.resume {
        let of_checkpoint = match RunFolder::of_checkpoint(run) {
            Some(Err(told)) => return Err(Failure::of(Session::new("", "", PathBuf::new()), told)),
            Some(Ok(folder)) => Some(folder.path().to_owned()),
            None => None,
        };
        let (session, folder, recorded) = super::open_run(of_checkpoint.as_deref().unwrap_or(run))?;
        if !folder.checkpoint().exists() {
            return Err(Failure::of(session, told::nothing_to_resume(run)));
        }
        return Ok((session, Some((folder, recorded.train))));
    }
    let Some(file) = args.file.clone() else { return Err(Failure::Usage("a program is needed".to_owned())) };
    Ok((ProgramArgs { file, set: args.set.clone() }.open()?, None))
}

/// Runs the `train` sections one after the other.
fn trains(
    args: &Run,
    test: bool,
    session: &Session,
    checked: &Checked,
    resumed: Resumed,
    interrupted: &'static AtomicBool,
    mut timings: Timings,
) -> Result<(), Stop> {
    let trains = &checked.program.trains;
    if trains.is_empty() {
        return Err(told::nothing_to_run(&session.sources.file(session.file).name).into());
    }
    let backend = args.machine.backend().map_err(Stop::Usage)?;
    timings.lap("start the backend");
    let only = resumed.as_ref().map(|(_, train)| *train);
    for (at, train) in trains.iter().enumerate().filter(|(at, _)| only.is_none_or(|only| only == *at)) {
        let folder = match &resumed {
            Some((folder, _)) => folder.clone(),
            None => new_folder(args, session, checked, at)?,
        };
        let control = Control { folder: Some(&folder), resume: resumed.is_some(), test, interrupted };
        let mut console: Box<dyn Watch> = if args.json { Box::new(Jsonl) } else { Box::new(Plain::new()) };
        let end =
            one((session, checked), train, backend.as_ref(), &control, &mut *console, &mut timings, args.timings)?;
        match end {
            End::Done { .. } => {}
            End::Interrupted => return Err(Stop::Interrupted),
            End::Diverged(diagnostic) => return Err(Stop::Diverged(diagnostic)),
        }
    }
    Ok(())
}

/// One `train` section.
pub(super) fn one(
    (session, checked): (&Session, &Checked),
    train: &Train,
    backend: &dyn Backend,
    control: &Control<'_>,
    console: &mut dyn Watch,
    timings: &mut Timings,
    show_timings: bool,
) -> Result<End, Diagnostic> {
    let Some(dataset) = checked.datasets.get(&train.data) else {
        return Err(told::split_without_rows(train.data.as_str(), "train"));
    };
    timings.lap("other");
    let stages = driver::stages(&checked.program, train, false);
    timings.lap("lower, differentiate, optimise");
    let programs: Vec<_> = stages.passes.iter().map(|pass| driver::kernels(&pass.opt)).collect();
    timings.lap("fuse, kernels");
    let mut model = Model::new(train, &stages.lowered, backend)?;
    // A run that goes on has everything in its checkpoint.
    if !control.resume {
        let loaded = train::read_loads(&checked.program, train, &session.folder)?;
        model.take_loads(train, &loaded);
    }
    timings.lap("first values");
    let steps = programs.into_iter().map(|program| model.compile(program)).collect::<Result<_, _>>()?;
    timings.lap("compile the step");
    let evaluator = Evaluator::new(&model, &stages.lowered, dataset)?;
    timings.lap("compile the evaluation");
    let job = Job { train, dataset, model: &mut model, steps, evaluator };
    match show_timings {
        true => train::run(job, control, &mut timings.around(console)),
        false => train::run(job, control, console),
    }
}

/// The folder of a new run, with its program and where it came from.
fn new_folder(args: &Run, session: &Session, checked: &Checked, at: usize) -> Result<RunFolder, Diagnostic> {
    let name = run_name(&session.sources.file(session.file).name, checked, at);
    let folder = RunFolder::create(&args.out, &name)?;
    let recorded = Recorded::new(session, checked, at);
    folder.describe(&recorded, &session.resolved(), &checked.datasets)?;
    Ok(folder)
}

/// The name of the program's file, with that of the model when the program has several runs.
fn run_name(program: &str, checked: &Checked, at: usize) -> String {
    let stem = stem(Path::new(program));
    match &checked.program.trains[..] {
        [_] => stem,
        trains => {
            let models: Vec<&str> = trains[at].models.iter().map(|model| model.as_str()).collect();
            format!("{stem}-{}", models.join("-"))
        }
    }
}

/// `iris` of `examples/iris.model`.
pub(super) fn stem(program: &Path) -> String {
    program.file_stem().map_or_else(|| "run".to_owned(), |stem| stem.to_string_lossy().into_owned())
}

impl Failure {
    /// One message about a program.
    pub(super) fn of(session: Session, diagnostic: Diagnostic) -> Failure {
        let mut diagnostics = Diagnostics::default();
        diagnostics.push(diagnostic);
        Failure::Program(Box::new(session), diagnostics)
    }
}
