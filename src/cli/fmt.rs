//! `tensa fmt`: programs in the house style.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, Outcome, out, report, tell};
use crate::base::SourceMap;
use crate::diag::{Diagnostic, Diagnostics, run, train};
use crate::syntax::format::format;

/// The arguments of `tensa fmt`.
#[derive(Args)]
pub(super) struct Fmt {
    /// Programs, and folders with programs; `-` reads one from stdin and prints it
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Write nothing: name the files that are not in the house style, and fail if there are any
    #[arg(long)]
    check: bool,
}

/// Runs the command: every file is tried, whatever the others are.
pub(super) fn run(args: &Fmt) -> Outcome {
    let mut failed = false;
    let mut files = Vec::new();
    args.files.iter().for_each(|path| programs(path, &mut files));
    for path in &files {
        match one(path, args.check) {
            Ok(is_right) => failed |= !is_right,
            Err((diagnostics, sources)) => {
                report::show(diagnostics, &sources);
                failed = true;
            }
        }
    }
    if failed { Err(Failure::Told) } else { Ok(()) }
}

/// A file, or all programs in a folder and below. Hidden folders are left out, and runs, which keep their programs as they
/// ran.
fn programs(path: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(path) else { return found.push(path.to_owned()) };
    if path.join("run.json").exists() {
        return;
    }
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    let is_hidden = |path: &Path| path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    for path in entries.iter().filter(|path| !is_hidden(path) && !path.is_symlink()) {
        if path.is_dir() {
            programs(path, found);
        } else if path.extension().is_some_and(|extension| extension == "model") {
            found.push(path.clone());
        }
    }
}

/// Formats a file; whether it is as it should be.
fn one(path: &Path, check: bool) -> Result<bool, (Diagnostics, SourceMap)> {
    let mut sources = SourceMap::default();
    let from_stdin = path == Path::new("-");
    let text = match read(path, from_stdin) {
        Ok(text) => text,
        Err(diagnostic) => return Err((Diagnostics::of(diagnostic), sources)),
    };
    let name = if from_stdin { "stdin".to_owned() } else { path.display().to_string() };
    let file = sources.add(name.as_str(), text.as_str(), false);
    let formatted = match format(file, &text) {
        Ok(formatted) => formatted,
        Err(diagnostics) => return Err((diagnostics, sources)),
    };
    if check {
        if formatted != text {
            out(&format!("{name}\n"));
        }
        return Ok(formatted == text);
    }
    if from_stdin {
        out(&formatted);
    } else if formatted != text {
        if let Err(error) = std::fs::write(path, &formatted) {
            return Err((Diagnostics::of(run::cannot_write(path, &error.to_string())), sources));
        }
        tell(&format!("formatted {name}\n"));
    }
    Ok(true)
}

fn read(path: &Path, from_stdin: bool) -> Result<String, Diagnostic> {
    let mut bytes = Vec::new();
    let name = path.display().to_string();
    let read = match from_stdin {
        true => std::io::stdin().read_to_end(&mut bytes).map(drop),
        false => std::fs::read(path).map(|read| bytes = read),
    };
    read.map_err(|error| train::cannot_read(&name, &error))?;
    String::from_utf8(bytes).map_err(|error| train::not_utf8(&name, error.utf8_error().valid_up_to()))
}
