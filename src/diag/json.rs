//! Diagnostics as JSON, one a line.
//!
//! In: a diagnostic and the texts it points into. Out: one object on one line. The same for `check --json`
//! and for tools: lines and columns count from 1, columns in Unicode scalar values, ends are exclusive.

use serde::Serialize;

use super::{Diagnostic, render::word};
use crate::base::{SourceMap, Span};

/// A place in a file.
#[derive(Serialize)]
struct Place<'a> {
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
}

#[derive(Serialize)]
struct LabelOut<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    text: &'a str,
}

#[derive(Serialize)]
struct AdviceOut<'a> {
    text: &'a str,
    edits: Vec<LabelOut<'a>>,
}

/// The object of a diagnostic; without a place in a text, the five keys of it are null.
#[derive(Serialize)]
struct Out<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'static str>,
    code: &'static str,
    message: &'a str,
    severity: &'static str,
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
    labels: Vec<LabelOut<'a>>,
    notes: &'a [String],
    help: Vec<AdviceOut<'a>>,
}

/// One diagnostic, without the end of the line.
pub fn line(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    object(diagnostic, sources, None)
}

/// All of them among the events of a run: each says its severity as its `event`.
pub fn events(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    diagnostics.iter().map(|told| object(told, sources, Some(word(told.severity))) + "\n").collect()
}

fn object(diagnostic: &Diagnostic, sources: &SourceMap, event: Option<&'static str>) -> String {
    let first = diagnostic.span().map(|span| place(span, sources));
    let at = |pick: fn(&Place) -> usize| first.as_ref().map(pick);
    let labels =
        diagnostic.labels.iter().map(|label| LabelOut { place: place(label.span, sources), text: &label.text });
    let help = diagnostic.help.iter().map(|advice| AdviceOut {
        text: &advice.text,
        edits: advice
            .edits
            .iter()
            .map(|edit| LabelOut { place: place(edit.span, sources), text: &edit.text })
            .collect(),
    });
    let out = Out {
        event,
        code: diagnostic.code.as_str(),
        message: &diagnostic.message,
        severity: word(diagnostic.severity),
        file: first.as_ref().map(|place| place.file),
        line: at(|place| place.line),
        column: at(|place| place.column),
        end_line: at(|place| place.end_line),
        end_column: at(|place| place.end_column),
        labels: labels.collect(),
        notes: &diagnostic.notes,
        help: help.collect(),
    };
    serde_json::to_string(&out).expect("texts and numbers are JSON")
}

/// All of them, each on its line.
pub fn lines(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    diagnostics.iter().map(|diagnostic| line(diagnostic, sources) + "\n").collect()
}

fn place(span: Span, sources: &SourceMap) -> Place<'_> {
    let source = sources.file(span.file);
    let (start, end) = (source.line_column(span.start), source.line_column(span.end));
    Place { file: &source.name, line: start.line, column: start.column, end_line: end.line, end_column: end.column }
}
