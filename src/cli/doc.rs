//! `tensa doc`: what a definition of the library, or of a program, is and does.
//!
//! In: a name, and a program if it has definitions of its own. Out: the definition's head as it is written, which has the
//! shapes; its `##` comment; its example; its text. Reads trees alone: a program need not check to be looked at.

use std::fmt::Write as _;
use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, Outcome, open_file, out};
use crate::diag::nearest;
use crate::driver::{Definition, Session};

/// The arguments of `tensa doc`.
#[derive(Args)]
pub(super) struct Doc {
    /// What to look up, such as Dense; without it, all definitions are listed by the file they stand in
    name: Option<String>,
    /// A program whose definitions are looked up too; they come before those of the library
    file: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &Doc) -> Outcome {
    // `tensa doc net.model` lists what a program has.
    let is_program = |name: &&String| Path::new(name).extension().is_some_and(|extension| extension == "model");
    let (name, file) = match (&args.name, &args.file) {
        (Some(program), None) if is_program(&program) => (None, Some(Path::new(program))),
        (name, file) => (name.as_deref(), file.as_deref()),
    };
    let session = match file {
        Some(file) => open_file(file)?,
        None => Session::new("", "", PathBuf::new()),
    };
    let style =
        Style { is_coloured: stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty()) };
    let all = session.definitions();
    let Some(name) = name else {
        out(&list(&all, file.is_some(), &style));
        return Ok(());
    };
    // The program's own come last, and hide the library's.
    match all.iter().rev().find(|definition| definition.name == name) {
        Some(definition) => out(&page(definition, &style)),
        None => {
            let near = nearest(name, all.iter().map(|definition| definition.name));
            let advice = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            return Err(Failure::Usage(format!("no definition is called `{name}`{advice}; `tensa doc` lists all")));
        }
    }
    Ok(())
}

/// How words are set off.
struct Style {
    is_coloured: bool,
}

impl Style {
    fn strong(&self, text: &str) -> String {
        if self.is_coloured { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    fn faint(&self, text: &str) -> String {
        if self.is_coloured { format!("\u{1b}[2m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Names with the first sentence of each, by file; of a program alone what is its own.
fn list(all: &[Definition], own: bool, style: &Style) -> String {
    let shown = || all.iter().filter(|definition| definition.is_own == own);
    let widest = shown().map(|definition| definition.name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    let mut group = None;
    for definition in shown() {
        if group.replace(definition.file) != Some(definition.file) {
            let gap = if text.is_empty() { "" } else { "\n" };
            let _ = writeln!(text, "{gap}{}", style.strong(group_name(definition.file)));
        }
        let gap = " ".repeat(widest - definition.name.chars().count());
        let told = first_sentence(definition.doc.unwrap_or_default());
        let _ = writeln!(text, "{}", format!("  {}{gap}  {told}", definition.name).trim_end());
    }
    text
}

/// `layers/conv` of `<std>/layers/conv.model`; a file of the user as it is.
fn group_name(file: &str) -> &str {
    file.strip_prefix("<std>/").map_or(file, |file| file.trim_end_matches(".model"))
}

fn first_sentence(doc: &str) -> String {
    let prose = doc.split("```").next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    match prose.find(". ") {
        Some(end) => prose[..=end].to_owned(),
        None => prose,
    }
}

/// All about a definition.
fn page(definition: &Definition, style: &Style) -> String {
    let mut text = format!("{}\n", style.strong(definition.head));
    let doc = definition.doc.unwrap_or_default();
    // Prose and listings take turns.
    for (index, part) in doc.split("```").enumerate() {
        let (word, body) = if index % 2 == 1 { part.split_once('\n').unwrap_or((part, "")) } else { ("", part) };
        if body.trim().is_empty() {
            continue;
        }
        text.push('\n');
        if index % 2 == 1 {
            let heading = if word == "train" { "example, in a run" } else { "example" };
            let _ = writeln!(text, "{}", style.faint(heading));
        }
        for line in body.trim().lines() {
            let _ = writeln!(text, "{}", format!("  {line}").trim_end());
        }
    }
    let _ = writeln!(text, "\n{}", style.faint(&format!("{}:{}", definition.file, definition.line)));
    for line in definition.text.lines() {
        let _ = writeln!(text, "{}", format!("  {line}").trim_end());
    }
    text
}
