//! The command line: one file per command.
//!
//! Results go to stdout, progress and messages to stderr. Exit status: 0 fine, 1 the program or the data
//! is wrong, 2 the command is, 130 interrupted.

mod check;
mod emit;
mod explain;
mod lsp;
mod report;
mod summary;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::diag::Diagnostics;
use crate::driver::Session;

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
    /// Check a program and its data without running anything
    Check(check::Check),
    /// List the layers of a program, what they make and how many parameters they have
    Summary(summary::Summary),
    /// Print a stage of the compiler
    Emit(emit::Emit),
    /// Explain the code of a message, with an example and its mend
    Explain(explain::Explain),
    /// Serve an editor over stdin and stdout (Language Server Protocol)
    Lsp,
}

/// What every command on a program takes.
#[derive(Args)]
pub(super) struct ProgramArgs {
    /// The program: a `.model` file
    pub file: PathBuf,
    /// Set a top-level `let` or a setting of `train` to a value; may be repeated
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
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Check(args) => check::run(&args),
        Command::Summary(args) => summary::run(&args),
        Command::Emit(args) => emit::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Lsp => lsp::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Told) => ExitCode::from(1),
        Err(Failure::Program(session, diagnostics)) => {
            report::show(diagnostics, &session.sources);
            ExitCode::from(1)
        }
        Err(Failure::Usage(message)) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

impl ProgramArgs {
    /// Opens the program with what the command line sets.
    pub(super) fn open(&self) -> Result<Session, Failure> {
        let mut session = Session::open(&self.file).map_err(|told| Failure::Program(Box::new(Session::new("", "", PathBuf::new())), told))?;
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
