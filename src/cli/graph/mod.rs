//! `tensa graph`: a drawing of a model, as text for Mermaid or Graphviz or as a picture.
//!
//! `flow` finds what is drawn: boxes, groups and the data between them. `mermaid` and `dot` leave the places to
//! those who read them; `layout` and `ranks` find places, and `svg` draws there.

mod dot;
mod flow;
mod layout;
mod mermaid;
mod ranks;
mod svg;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::{Failure, Outcome, ProgramArgs, chosen_runs, model_names, out, report};
use crate::diag::run as told;

/// The arguments of `tensa graph`.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    program: ProgramArgs,
    /// In which form; without it, what the ending of the file says (`.mmd`, `.dot`, `.gv`, `.svg`), else mermaid
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write to a file
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Of which run, by the name of its model, when the program has several
    #[arg(long, value_name = "NAME")]
    train: Option<String>,
}

/// The forms of a drawing.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A flowchart for Mermaid, which Markdown viewers draw
    Mermaid,
    /// A digraph for Graphviz
    Dot,
    /// A picture
    Svg,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> Outcome {
    let session = args.program.open()?;
    let checked = session.check(None);
    if checked.diagnostics.has_errors() {
        return Err(Failure::Program(Box::new(session), checked.diagnostics));
    }
    let trains = chosen_runs(&checked, args.train.as_deref())?;
    let train = match trains[..] {
        [] => {
            let told = told::nothing_to_run(&session.sources.file(session.file).name);
            return Err(Failure::of(session, told));
        }
        [_, _, ..] if args.train.is_none() => {
            let known: Vec<&str> = trains.iter().flat_map(|train| model_names(train)).collect();
            return Err(Failure::Usage(format!(
                "the program has several runs; `--train NAME` says which to draw: {}",
                known.join(", ")
            )));
        }
        [first, ..] => first,
    };
    let drawing = flow::of_run(&checked.program, train);
    let text = match args.format.or_else(|| of_ending(args.output.as_deref()?)).unwrap_or(Format::Mermaid) {
        Format::Mermaid => mermaid::text(&drawing),
        Format::Dot => dot::text(&drawing),
        Format::Svg => svg::text(&drawing),
    };
    report::show(checked.diagnostics, &session.sources);
    match &args.output {
        None => out(&text),
        Some(path) => {
            let refused = |error: std::io::Error| told::cannot_write(path, &error.to_string());
            std::fs::write(path, text).map_err(refused).map_err(|told| Failure::of(session, told))?;
        }
    }
    Ok(())
}

/// The form that the name of a file asks for.
fn of_ending(path: &Path) -> Option<Format> {
    match path.extension()?.to_str()? {
        "mmd" | "mermaid" => Some(Format::Mermaid),
        "dot" | "gv" => Some(Format::Dot),
        "svg" => Some(Format::Svg),
        _ => None,
    }
}
