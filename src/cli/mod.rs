//! The command line: one file per command.
//!
//! Results go to stdout, progress and messages to stderr. Exit status: 0 fine, 1 the program or the data
//! is wrong, 2 the command is, 130 interrupted.

mod check;
mod costs;
mod doc;
mod emit;
mod eval;
mod explain;
mod fmt;
mod gradients;
mod graph;
mod interrupt;
mod lsp;
mod new;
mod predict;
mod progress;
mod report;
mod run;
mod search;
mod summary;
mod timings;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::backend::Backend;
use crate::backend::cpu::Cpu;
use crate::diag::{Diagnostics, json, run as told};
use crate::driver::{Checked, Session};
use crate::sema::typed::Train;
use crate::train::{Recorded, RunFolder, newest};

/// A declarative language for neural networks: one `.model` file holds data, model, loss and training.
///
/// Results go to stdout, progress and messages to stderr. Exit status: 0 fine, 1 the program or the data is
/// wrong, 2 the command line is, 130 interrupted. NO_COLOR turns colours off.
#[derive(Parser)]
#[command(name = "tensa", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check, train, test
    Run(run::Run),
    /// Check and train; the test rows are left alone
    Train(run::Run),
    /// Run a program with other values, and say which are the best
    Search(search::Search),
    /// Evaluate a trained model
    Eval(eval::Eval),
    /// Predict for the rows of a file
    Predict(predict::Predict),
    /// Make a small project that runs
    New(new::New),
    /// Check a program and its data without running anything
    Check(check::Check),
    /// List the layers of a program: what they make, how many parameters they have, what they cost
    Summary(summary::Summary),
    /// Draw the layers of a program and the data between them
    Graph(graph::Args),
    /// Print a stage of the compiler
    Emit(emit::Emit),
    /// Look up a definition of the library or of a program
    Doc(doc::Doc),
    /// Lay programs out in the house style
    Fmt(fmt::Fmt),
    /// Explain the code of a message, with an example and its mend
    Explain(explain::Explain),
    /// Serve an editor over stdin and stdout (Language Server Protocol)
    Lsp,
}

/// What runs the programs.
#[derive(Args)]
pub(super) struct Machine {
    /// How many threads; all cores without it. The results are the same
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// On what
    #[arg(long, value_enum, default_value = "cpu")]
    device: Device,
}

/// Devices.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Device {
    /// The processor
    Cpu,
}

impl Machine {
    /// Starts the backend; what stops it is of the machine, not of the program.
    pub(super) fn backend(&self) -> Result<Box<dyn Backend>, String> {
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = self.threads.map_or_else(all, usize::from);
        match self.device {
            Device::Cpu => Cpu::new(threads).map(|cpu| Box::new(cpu) as Box<dyn Backend>).map_err(|fault| fault.0),
        }
    }
}

/// What every command on a program takes.
#[derive(Args)]
pub(super) struct ProgramArgs {
    /// The program: a `.model` file
    pub file: PathBuf,
    /// Set a top-level `let`, a setting of `train` or a default (`Net.width`) to a value; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}

/// How a command ended.
pub(super) type Outcome = Result<(), Failure>;

/// Why a command did not do what was asked.
pub(super) enum Failure {
    /// The program or the data is wrong; told already.
    Told,
    /// The program or the data is wrong.
    Program(Box<Session>, Diagnostics),
    /// The command line is wrong.
    Usage(String),
    /// A signal ended it; told already.
    Interrupted,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    timings::process_started();
    let cli = Cli::parse();
    let as_events = cli.command.prints_events();
    let outcome = match cli.command {
        Command::Run(args) => run::run(&args, true),
        Command::Train(args) => run::run(&args, false),
        Command::Search(args) => search::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::New(args) => new::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Summary(args) => summary::run(&args),
        Command::Graph(args) => graph::run(&args),
        Command::Emit(args) => emit::run(&args),
        Command::Doc(args) => doc::run(&args),
        Command::Fmt(args) => fmt::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Lsp => lsp::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Told) => ExitCode::from(1),
        Err(Failure::Program(session, diagnostics)) => {
            if as_events {
                out(&json::events(&diagnostics.clone().sorted(), &session.sources));
            }
            report::show(diagnostics, &session.sources);
            ExitCode::from(1)
        }
        Err(Failure::Interrupted) => ExitCode::from(130),
        Err(Failure::Usage(message)) => {
            tell(&format!("error: {message}\n"));
            ExitCode::from(2)
        }
    }
}

impl Command {
    /// Whether stdout is for a tool that reads an event a line.
    fn prints_events(&self) -> bool {
        match self {
            Command::Run(args) | Command::Train(args) => args.json,
            Command::Search(args) => args.json,
            Command::Eval(args) => args.json,
            _ => false,
        }
    }
}

impl ProgramArgs {
    /// Opens the program with what the command line sets.
    pub(super) fn open(&self) -> Result<Session, Failure> {
        let mut session = open_file(&self.file)?;
        for setting in &self.set {
            let Some((name, value)) = setting.split_once('=') else {
                return Err(Failure::Usage(format!("`--set {setting}` is not of the form NAME=VALUE")));
            };
            if let Err(told) = session.set(name.trim(), value.trim()) {
                return Err(Failure::Program(Box::new(session), told));
            }
        }
        Ok(session)
    }
}

/// Opens a program.
pub(super) fn open_file(path: &Path) -> Result<Session, Failure> {
    Session::open(path).map_err(|told| Failure::Program(Box::new(Session::new("", "", PathBuf::new())), told))
}

/// The runs asked for: those of a model, or all.
pub(super) fn chosen_runs<'c>(checked: &'c Checked, name: Option<&str>) -> Result<Vec<&'c Train>, Failure> {
    let trains = &checked.program.trains;
    let Some(name) = name else { return Ok(trains.iter().collect()) };
    let chosen: Vec<&Train> = trains.iter().filter(|train| model_names(train).contains(&name)).collect();
    if chosen.is_empty() {
        let known: Vec<&str> = trains.iter().flat_map(model_names).collect();
        return Err(Failure::Usage(format!("no run trains `{name}`; the program trains {}", known.join(", "))));
    }
    Ok(chosen)
}

/// The models of a run.
pub(super) fn model_names(train: &Train) -> Vec<&'static str> {
    train.models.iter().map(|name| name.as_str()).collect()
}

/// Writes results to stdout. Whoever closes the pipe has seen enough.
pub(super) fn out(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

/// Writes progress and messages to stderr. Whoever closes that does not want them.
pub(super) fn tell(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

/// Opens a run by its folder, or the newest run of a program, with the program it was trained with.
pub(super) fn open_run(path: &Path) -> Result<(Session, RunFolder, Recorded), Failure> {
    let failed = |diagnostic| Failure::of(Session::new("", "", PathBuf::new()), diagnostic);
    let folder = match path.is_file() {
        true => {
            let runs = Path::new("runs");
            newest(runs, &run::stem(path)).ok_or_else(|| failed(told::no_run_of(path, runs)))?
        }
        false => RunFolder::open(path).map_err(failed)?,
    };
    let recorded = folder.recorded().map_err(failed)?;
    let opened = Session::taken_down(&folder.program(), recorded.folder.clone(), &recorded.used);
    let session = opened.map_err(|told| Failure::Program(Box::new(Session::new("", "", PathBuf::new())), told))?;
    Ok((session, folder, recorded))
}
