//! Suite files: named cases with what is expected of them beside the code.
//!
//! ```text
//! --- case-name stage ---
//! let y = x * w +
//! # error: 16-16 E0101 a value is missing after `+`
//! # help: …
//! ---
//! the text form of the stage, where it has one
//! ```
//! A note belongs to the nearest line above it that is none. `error` and `warning` give the columns from 1,
//! the end exclusive (`5-+1:3` ends in column 3 of the next line), the code and the whole message; `label`
//! (the other places, with the line of the case where it is another), `note` and `help` lines follow, all of
//! them, in order. Other words ask for a fact of the outcome: `# kernels: 2`,
//! `# shape: h [batch, d: 10]`. All errors and warnings must be noted; facts only where they are asked for.
//! The program runs without its notes, so that they move nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tensa::base::Span;
use tensa::diag::{Diagnostic, Label, Severity};

use super::stages::{self, Outcome};

/// Words of notes that are compared with the diagnostics.
const TOLD: [&str; 6] = ["error", "warning", "label", "note", "help", "edit"];
/// Words of notes that ask for a fact.
const FACTS: [&str; 9] = ["shape", "kernels", "bytes", "nodes", "regions", "states", "params", "compiles", "convs"];

/// One case.
pub struct Case {
    pub name: String,
    pub stage: String,
    /// The program without its notes.
    pub source: String,
    notes: Vec<Note>,
    golden: Option<String>,
}

/// A note and the line of the program it belongs to, from 0.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Note {
    line: usize,
    text: String,
}

impl Note {
    fn word(&self) -> &str {
        self.text.split(':').next().unwrap_or_default()
    }
}

/// The suite files of a phase, in order.
pub fn files(suite: &Path) -> Vec<PathBuf> {
    let list = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        entries.map(|entry| entry.expect("a readable folder").path()).collect()
    };
    let mut files: Vec<PathBuf> =
        list(suite).into_iter().filter(|path| path.is_dir()).flat_map(|folder| list(&folder)).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "model"));
    files.sort();
    files
}

/// The cases of a file.
pub fn read(path: &Path) -> Vec<Case> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut cases: Vec<Case> = Vec::new();
    let mut in_golden = false;
    for line in text.lines() {
        if let Some((name, stage)) = head(line) {
            let (name, stage) = (name.to_owned(), stage.to_owned());
            cases.push(Case { name, stage, source: String::new(), notes: Vec::new(), golden: None });
            in_golden = false;
            continue;
        }
        let Some(case) = cases.last_mut() else {
            assert!(line.trim().is_empty(), "{}: text before the first case: {line}", path.display());
            continue;
        };
        if in_golden {
            let golden = case.golden.get_or_insert_default();
            golden.push_str(line);
            golden.push('\n');
        } else if line == "---" {
            in_golden = true;
            case.golden = Some(String::new());
        } else if let Some(text) = note(line) {
            let lines = case.source.lines().count();
            case.notes.push(Note { line: lines.saturating_sub(1), text });
        } else {
            case.source.push_str(line);
            case.source.push('\n');
        }
    }
    for case in &mut cases {
        // Blank lines between cases belong to neither.
        let end = case.source.trim_end().len();
        case.source.truncate(end);
        case.source.push('\n');
        case.golden = case.golden.take().map(|golden| golden.trim_end().to_owned() + "\n");
    }
    cases
}

/// `--- name stage ---`
fn head(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("--- ")?.strip_suffix(" ---")?.split_once(' ')
}

/// The text of a note, its `#` off.
fn note(line: &str) -> Option<String> {
    let text = line.trim_start().strip_prefix("# ")?;
    let word = text.split(':').next()?;
    (text.len() > word.len() && (TOLD.contains(&word) || FACTS.contains(&word))).then(|| text.trim_end().to_owned())
}

impl Case {
    /// The case as it is written.
    pub fn text(&self) -> String {
        self.print(&self.notes, self.golden.as_deref())
    }

    /// What is wrong with the outcome, if anything, and the case as it would be right.
    pub fn check(&self) -> Result<(), (String, String)> {
        let Some(run) = stages::find(&self.stage) else {
            return Err((format!("no stage is called `{}`", self.stage), self.text()));
        };
        let outcome = run(&self.source);
        let mut actual = told(&outcome);
        actual.extend(self.notes.iter().filter(|note| FACTS.contains(&note.word())).map(|note| fact(&outcome, note)));
        actual.sort_by_key(|note| note.line);
        let text = outcome.text.as_ref().map(|text| text.trim_end().to_owned() + "\n");
        if actual == self.notes && text == self.golden {
            return Ok(());
        }
        let right = self.print(&actual, text.as_deref());
        Err((difference(&self.text(), &right), right))
    }

    /// The text of the case with these notes.
    fn print(&self, notes: &[Note], golden: Option<&str>) -> String {
        let mut text = format!("--- {} {} ---\n", self.name, self.stage);
        for (number, line) in self.source.lines().enumerate() {
            text.push_str(line);
            text.push('\n');
            let indent = &line[..line.len() - line.trim_start().len()];
            for note in notes.iter().filter(|note| note.line == number) {
                text.push_str(&format!("{indent}# {}\n", note.text));
            }
        }
        if let Some(golden) = golden {
            text.push_str("---\n");
            text.push_str(golden);
        }
        text
    }
}

/// Writes the cases of a file, blank lines between.
pub fn write(path: &Path, cases: &[String]) {
    fs::write(path, cases.join("\n")).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// The notes that the diagnostics of an outcome make.
fn told(outcome: &Outcome) -> Vec<Note> {
    let mut notes = Vec::new();
    if outcome.diagnostics.is_empty() {
        return notes;
    }
    let program = outcome.sources.file(outcome.file);
    let last = program.line_of(program.text.trim_end().len() as u32);
    for diagnostic in &outcome.diagnostics {
        let span = diagnostic.span().filter(|span| span.file == outcome.file);
        let line = span.map_or(last, |span| program.line_of(span.start).min(last));
        notes.push(Note { line, text: message(outcome, diagnostic, span) });
        let labels = diagnostic.labels.iter().skip(1);
        notes.extend(labels.map(|label| Note { line, text: format!("label: {}", place(outcome, line, label)) }));
        notes.extend(diagnostic.notes.iter().map(|text| Note { line, text: format!("note: {text}") }));
        for advice in &diagnostic.help {
            let word = if advice.edits.is_empty() { "help" } else { "edit" };
            notes.push(Note { line, text: format!("{word}: {advice}") });
        }
    }
    notes
}

/// `5-8 declared here` on the line of the message, `3:5-8 …` on line 3 of the case, `<std>/losses.model …`.
fn place(outcome: &Outcome, line: usize, label: &Label) -> String {
    let file = outcome.sources.file(label.span.file);
    if label.span.file != outcome.file {
        return format!("{} {}", file.name, label.text);
    }
    let (start, end) = (file.line_column(label.span.start), file.line_column(label.span.end));
    let columns = match end.line - start.line {
        0 => format!("{}-{}", start.column, end.column),
        further => format!("{}-+{further}:{}", start.column, end.column),
    };
    let above = if start.line == line + 1 { String::new() } else { format!("{}:", start.line) };
    format!("{above}{columns} {}", label.text)
}

fn message(outcome: &Outcome, diagnostic: &Diagnostic, span: Option<Span>) -> String {
    let word = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let columns = span.map_or(String::new(), |span| {
        let file = outcome.sources.file(span.file);
        let (start, end) = (file.line_column(span.start), file.line_column(span.end));
        match end.line - start.line {
            0 => format!("{}-{} ", start.column, end.column),
            further => format!("{}-+{further}:{} ", start.column, end.column),
        }
    });
    format!("{word}: {columns}{} {}", diagnostic.code.as_str(), diagnostic.message)
}

/// The note with the fact as it is.
fn fact(outcome: &Outcome, note: &Note) -> Note {
    let word = note.word();
    let name = note.text[word.len() + 1..].split_whitespace().next().unwrap_or_default();
    let find = |key: &str| outcome.facts.iter().find(|(known, _)| known == key).map(|(_, value)| value);
    let text = match (find(&format!("{word} {name}")), find(word)) {
        (Some(value), _) => format!("{word}: {name} {value}"),
        (None, Some(value)) => format!("{word}: {value}"),
        (None, None) => format!("{word}: (not known at this stage)"),
    };
    Note { line: note.line, text }
}

/// The lines that differ.
fn difference(wrong: &str, right: &str) -> String {
    let mut counts: BTreeMap<&str, i32> = BTreeMap::new();
    wrong.lines().for_each(|line| *counts.entry(line).or_default() += 1);
    right.lines().for_each(|line| *counts.entry(line).or_default() -= 1);
    let marked = |text: &str, sign: char, side: i32| -> String {
        let lines = text.lines().filter(|line| counts.get(line).is_some_and(|count| count * side > 0));
        lines.map(|line| format!("  {sign} {line}\n")).collect()
    };
    marked(wrong, '-', 1) + &marked(right, '+', -1)
}
