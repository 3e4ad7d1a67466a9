//! `tensa new`: a small project that runs.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, Outcome, out};
use crate::diag::run as told;
use crate::driver::Session;

const PROGRAM: &str = include_str!("../../examples/iris.model");
const DATA: &str = include_str!("../../examples/data/iris.csv");

/// The arguments of `tensa new`.
#[derive(Args)]
pub(super) struct New {
    /// The folder to make; its last part names the program
    name: PathBuf,
}

/// Runs the command.
pub(super) fn run(args: &New) -> Outcome {
    let failed = |diagnostic| Failure::of(Session::new("", "", PathBuf::new()), diagnostic);
    let folder = &args.name;
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let fits = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || !name.chars().all(fits) {
        return Err(failed(told::project_name(&folder.display().to_string())));
    }
    if folder.exists() {
        return Err(failed(told::project_exists(folder)));
    }
    let program = folder.join(format!("{name}.model"));
    let files: [(&Path, &str); 3] =
        [(&program, PROGRAM), (&folder.join("data/iris.csv"), DATA), (&folder.join(".gitignore"), "runs/\n")];
    fs::create_dir_all(folder.join("data")).map_err(|error| failed(told::cannot_write(folder, &error.to_string())))?;
    for (path, text) in files {
        fs::write(path, text).map_err(|error| failed(told::cannot_write(path, &error.to_string())))?;
    }
    out(&format!("{}\n", program.display()));
    super::tell(&format!("run it: tensa run {}\n", program.display()));
    Ok(())
}
