//! Diagnostics on a terminal, drawn by miette.
//!
//! In: diagnostics and the texts they point into. Out: a report to print: message, the lines with their labels
//! (those of another file after those of the first), notes, help, and each edit as the line it would make.
//! Decides nothing: what is told and where comes from the constructors.

use std::fmt;
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

use super::{Diagnostic, Edit, Label, Severity};
use crate::base::{FileId, SourceFile, SourceMap};

/// How a report looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Whether colours are used.
    pub color: bool,
    /// The width lines are wrapped at.
    pub width: usize,
}

impl Style {
    /// Without colours and of a fixed width: for tests, files and pipes.
    pub const PLAIN: Style = Style { color: false, width: 100 };
}

/// The longest line that is shown whole, in bytes.
const MAX_LINE: usize = 200;
/// How many lines of an edit are shown.
const EDIT_LINES: usize = 4;

/// The report of several diagnostics, one after the other.
pub fn render(diagnostics: &[Diagnostic], sources: &SourceMap, style: Style) -> String {
    let reports: Vec<String> = diagnostics.iter().map(|diagnostic| one(diagnostic, sources, style)).collect();
    reports.join("\n")
}

/// What miette draws: a message over the labels in one file.
#[derive(Debug)]
struct Snippet {
    severity: Severity,
    message: String,
    source: Option<NamedSource<Arc<str>>>,
    labels: Vec<LabeledSpan>,
}

impl fmt::Display for Snippet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Snippet {}

impl miette::Diagnostic for Snippet {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

fn one(diagnostic: &Diagnostic, sources: &SourceMap, style: Style) -> String {
    let first = diagnostic.span().map(|span| span.file);
    let mut report = head(diagnostic, &snippet(diagnostic, sources, first), style);
    for file in other_files(diagnostic, first) {
        // Only the lines are wanted: the message has been told.
        let drawn = head(diagnostic, &snippet(diagnostic, sources, Some(file)), style);
        report.extend(drawn.split_inclusive('\n').skip_while(|line| !line.contains('╭')));
    }
    let paint = |text: &str| if style.color { format!("\u{1b}[36m{text}\u{1b}[0m") } else { text.to_owned() };
    for note in &diagnostic.notes {
        report.push_str(&remark(&paint("note"), "note", note, style));
    }
    for help in &diagnostic.help {
        report.push_str(&remark(&paint("help"), "help", &help.text, style));
        for (number, line) in mended_lines(&help.edits, sources) {
            report.push_str(&format!("  {number:>4} │ {line}\n"));
        }
    }
    report
}

/// `error[E0301]: axis …` over the lines.
fn head(diagnostic: &Diagnostic, snippet: &Snippet, style: Style) -> String {
    let mut theme = if style.color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    theme.characters.error = format!("error[{}]:", diagnostic.code.as_str());
    theme.characters.warning = format!("warning[{}]:", diagnostic.code.as_str());
    let handler = GraphicalReportHandler::new_themed(theme).with_width(style.width).with_context_lines(1);
    let mut drawn = String::new();
    // Writing to a string does not fail, and a snippet that cannot be drawn leaves its message.
    if handler.render_report(&mut drawn, snippet).is_err() {
        drawn = format!("  {}[{}]: {}\n", word(diagnostic.severity), diagnostic.code.as_str(), diagnostic.message);
    }
    let lines = drawn.trim_start_matches('\n');
    let mut report = lines.strip_prefix("  ").unwrap_or(lines).trim_end().to_owned();
    report.push('\n');
    report
}

/// `error` or `warning`.
pub(super) fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn snippet(diagnostic: &Diagnostic, sources: &SourceMap, file: Option<FileId>) -> Snippet {
    let (source, labels) = match file {
        Some(file) => {
            let here: Vec<(usize, &Label)> =
                diagnostic.labels.iter().enumerate().filter(|(_, label)| label.span.file == file).collect();
            let source = sources.file(file);
            let shown = Shown::new(source, &here);
            let labels = here.iter().map(|(index, label)| shown.labeled(label, *index == 0)).collect();
            (Some(NamedSource::new(&source.name, shown.text)), labels)
        }
        None => (None, Vec::new()),
    };
    Snippet { severity: diagnostic.severity, message: diagnostic.message.clone(), source, labels }
}

/// The text of a file as a report shows it: lines that nobody could read are cut behind what is pointed at.
struct Shown {
    text: Arc<str>,
    /// Where a cut line ends in the file, and how many bytes are gone from there on.
    cuts: Vec<(usize, usize)>,
}

impl Shown {
    fn new(source: &SourceFile, labels: &[(usize, &Label)]) -> Shown {
        let text = &source.text;
        if text.lines().all(|line| line.len() <= MAX_LINE) {
            return Shown { text: Arc::clone(text), cuts: Vec::new() };
        }
        let (mut kept, mut cuts, mut gone, mut start) = (String::new(), Vec::new(), 0, 0);
        for line in text.split_inclusive('\n') {
            let content = line.trim_end_matches(['\n', '\r']);
            let pointed = labels.iter().map(|(_, label)| label.span.start as usize);
            let last = pointed.filter(|at| (start..=start + content.len()).contains(at)).map(|at| at - start).max();
            let mut end = content.len().min(MAX_LINE.max(last.unwrap_or(0) + MAX_LINE / 4));
            while !content.is_char_boundary(end) {
                end += 1;
            }
            // What is not longer than the mark of a cut stays.
            if content.len() - end <= '…'.len_utf8() {
                end = content.len();
            }
            kept.push_str(&content[..end]);
            if end < content.len() {
                kept.push('…');
                gone += content.len() - end - '…'.len_utf8();
                cuts.push((start + end, gone));
            }
            kept.push_str(&line[content.len()..]);
            start += line.len();
        }
        Shown { text: kept.into(), cuts }
    }

    fn labeled(&self, label: &Label, primary: bool) -> LabeledSpan {
        let place = |at: u32| {
            let at = at as usize;
            let before = self.cuts.iter().rev().find(|(cut, _)| *cut < at).map_or(0, |(_, gone)| *gone);
            (at.saturating_sub(before)).min(self.text.len())
        };
        let start = place(label.span.start);
        let end = place(label.span.end).max(start);
        let text = (!label.text.is_empty()).then(|| label.text.clone());
        let span = start..end;
        if primary { LabeledSpan::new_primary_with_span(text, span) } else { LabeledSpan::new_with_span(text, span) }
    }
}

/// The files of the labels after the first, each once.
fn other_files(diagnostic: &Diagnostic, first: Option<FileId>) -> Vec<FileId> {
    let mut files: Vec<FileId> = Vec::new();
    for label in &diagnostic.labels {
        if Some(label.span.file) != first && !files.contains(&label.span.file) {
            files.push(label.span.file);
        }
    }
    files
}

/// `  help: …`, wrapped.
fn remark(painted: &str, word: &str, text: &str, style: Style) -> String {
    let margin = word.len() + 4;
    let mut report = format!("  {painted}: ");
    let mut column = margin;
    for (index, word) in text.split(' ').enumerate() {
        let width = word.chars().count();
        if index > 0 && column + 1 + width > style.width {
            report.push('\n');
            report.push_str(&" ".repeat(margin));
            column = margin;
        } else if index > 0 {
            report.push(' ');
            column += 1;
        }
        report.push_str(word);
        column += width;
    }
    report.push('\n');
    report
}

/// The lines that edits would make, with their numbers.
fn mended_lines(edits: &[Edit], sources: &SourceMap) -> Vec<(usize, String)> {
    let mut edits: Vec<&Edit> = edits.iter().filter(|edit| !sources.file(edit.span.file).is_std).collect();
    edits.sort_by_key(|edit| edit.span);
    let mut lines = Vec::new();
    let mut rest = edits.as_slice();
    while let Some(first) = rest.first() {
        // Edits on one line, or on lines that an edit joins, make one text.
        let source = sources.file(first.span.file);
        let top = source.line_of(first.span.start);
        let mut bottom = top;
        let together = rest
            .iter()
            .take_while(|edit| {
                let joins = edit.span.file == first.span.file && source.line_of(edit.span.start) <= bottom;
                bottom = if joins { bottom.max(source.line_of(edit.span.end)) } else { bottom };
                joins
            })
            .count();
        lines.extend(mended(source, top, bottom, &rest[..together]));
        rest = &rest[together..];
    }
    lines.truncate(EDIT_LINES);
    lines
}

/// The lines `top..=bottom` of a file after some edits.
fn mended(source: &SourceFile, top: usize, bottom: usize, edits: &[&Edit]) -> Vec<(usize, String)> {
    let before: Vec<&str> = (top..=bottom).map(|line| source.line_text(line)).collect();
    let mut text = before.join("\n");
    let start = source.line_start(top);
    for edit in edits.iter().rev() {
        let range = edit.span.start as usize - start..edit.span.end as usize - start;
        if text.get(range.clone()).is_some() {
            text.replace_range(range, &edit.text);
        }
    }
    text.lines().enumerate().map(|(index, line)| (top + 1 + index, line.trim_end().to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;
    use crate::diag::Code;

    /// A line that nobody could read is cut behind the mark, and marks on later lines stay in place.
    #[test]
    fn long_lines_are_cut() {
        let mut sources = SourceMap::default();
        let first = format!("let a = {}\n", "1 + ".repeat(50_000));
        let text = format!("{first}let b = nothing\n");
        let file = sources.add("long.model", text, false);
        let at = first.len() + "let b = ".len();
        let told =
            Diagnostic::error(Code::E0201, Span::new(file, at, at + "nothing".len()), "nothing here is called so")
                .here("here")
                .label(Span::new(file, 4, 5), "there");
        let report = render(&[told], &sources, Style::PLAIN);
        assert!(report.lines().all(|line| line.chars().count() < 300), "{report}");
        let marked = report.lines().position(|line| line.contains("let b = nothing")).unwrap();
        let line = report.lines().nth(marked).unwrap();
        let below = report.lines().nth(marked + 1).unwrap();
        let column = |line: &str, what: &str| line.find(what).map(|at| line[..at].chars().count());
        assert_eq!(column(line, "nothing"), column(below, "─"), "{report}");
    }
}
