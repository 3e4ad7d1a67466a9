//! Our places and diagnostics as the protocol has them: lines from 0, columns in UTF-16 units.

use std::path::{Path, PathBuf};

use gen_lsp_types::{
    Code, CodeAction, CodeActionKind, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, Location, Message,
    Position, Range, TextEdit, Uri, WorkspaceEdit,
};
use line_index::{LineIndex, TextSize, WideEncoding};

use crate::base::Span;
use crate::diag::{Diagnostic as Told, Edit, Severity};
use crate::ide::Analysis;

/// The diagnostics of a document. Those without a place in it stand at its start.
pub(super) fn diagnostics(analysis: &Analysis, uri: &Uri) -> Vec<Diagnostic> {
    let index = LineIndex::new(&analysis.sources.file(analysis.file).text);
    analysis.diagnostics.iter().map(|told| diagnostic(analysis, &index, uri, told)).collect()
}

/// The advices that edits follow, of what is told where a range of the document touches it.
pub(super) fn actions(analysis: &Analysis, uri: &Uri, range: Range) -> Vec<CodeAction> {
    let index = LineIndex::new(&analysis.sources.file(analysis.file).text);
    let mut actions = Vec::new();
    for told in &analysis.diagnostics {
        let shown = diagnostic(analysis, &index, uri, told);
        if shown.range.start > range.end || range.start > shown.range.end {
            continue;
        }
        // What stands in another file is mended there.
        let here = told.fixes().filter(|advice| advice.edits.iter().all(|edit| edit.span.file == analysis.file));
        actions.extend(here.enumerate().map(|(at, advice)| CodeAction {
            title: advice.text.clone(),
            kind: Some(CodeActionKind::QuickFix),
            diagnostics: Some(vec![shown.clone()]),
            // The likeliest stands first.
            is_preferred: Some(at == 0),
            edit: Some(edit(&index, uri, &advice.edits)),
            ..CodeAction::default()
        }));
    }
    actions
}

fn edit(index: &LineIndex, uri: &Uri, edits: &[Edit]) -> WorkspaceEdit {
    let edits = edits.iter().map(|edit| TextEdit { range: range(index, edit.span), new_text: edit.text.clone() });
    WorkspaceEdit { changes: Some([(uri.clone(), edits.collect())].into()), ..WorkspaceEdit::default() }
}

fn diagnostic(analysis: &Analysis, index: &LineIndex, uri: &Uri, told: &Told) -> Diagnostic {
    let here = |span: Span| span.file == analysis.file;
    let span = told.span().filter(|span| here(*span));
    let related = told.labels.iter().skip(1).filter(|label| here(label.span) && !label.text.is_empty());
    let related: Vec<DiagnosticRelatedInformation> = related
        .map(|label| DiagnosticRelatedInformation {
            location: Location { uri: uri.clone(), range: range(index, label.span) },
            message: label.text.clone(),
        })
        .collect();
    Diagnostic {
        range: span.map_or_else(Range::default, |span| range(index, span)),
        severity: Some(match told.severity {
            Severity::Error => DiagnosticSeverity::Error,
            Severity::Warning => DiagnosticSeverity::Warning,
        }),
        code: Some(Code::String(told.code.as_str().to_owned())),
        source: Some("tensa".to_owned()),
        message: Message::String(message(told)),
        related_information: (!related.is_empty()).then_some(related),
        ..Diagnostic::default()
    }
}

/// The message with what an editor shows nowhere else: the first label's words, notes and help.
fn message(told: &Told) -> String {
    let here = told.labels.first().map(|label| label.text.as_str()).filter(|text| !text.is_empty());
    let mut text = told.message.clone();
    text.extend(here.map(|here| format!(": {here}")));
    text.extend(told.notes.iter().map(|note| format!("\n{note}")));
    text.extend(told.help.iter().map(|help| format!("\nhelp: {help}")));
    text
}

/// All of a document.
pub(super) fn whole(text: &str) -> Range {
    let index = LineIndex::new(text);
    Range { start: Position::default(), end: position(&index, text.len() as u32) }
}

fn range(index: &LineIndex, span: Span) -> Range {
    Range { start: position(index, span.start), end: position(index, span.end) }
}

fn position(index: &LineIndex, byte: u32) -> Position {
    let byte = TextSize::from(byte).min(index.len());
    // A place between two bytes of a character is none; its line begins at one.
    let Some(line_col) = index.try_line_col(byte) else { return Position::default() };
    match index.to_wide(WideEncoding::Utf16, line_col) {
        Some(wide) => Position { line: wide.line, character: wide.col },
        None => Position { line: line_col.line, character: 0 },
    }
}

/// The path of a `file:` URI.
pub(super) fn path(uri: &Uri) -> Option<PathBuf> {
    let encoded = uri.0.strip_prefix("file://")?;
    // A host stands before the first slash; ours is empty or `localhost`.
    let encoded = encoded.strip_prefix("localhost").unwrap_or(encoded);
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = tail.get(..2).filter(|_| first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    // `/C:/…` names a drive.
    let drive = text.as_bytes().get(2) == Some(&b':');
    Some(Path::new(if drive { &text[1..] } else { &text }).to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_uris() {
        let shown = |uri: &str| path(&Uri::from(uri)).map(|path| path.display().to_string());
        assert_eq!(shown("file:///a/my%20net.model").as_deref(), Some("/a/my net.model"));
        assert_eq!(shown("file:///C:/net.model").as_deref(), Some("C:/net.model"));
        assert_eq!(shown("file:///a/100%.model").as_deref(), Some("/a/100%.model"));
        assert_eq!(shown("untitled:Untitled-1"), None);
    }

    #[test]
    fn columns_count_utf16_units() {
        // A letter of two bytes and a sign of four, which is two units.
        let index = LineIndex::new("é🦀x\ny");
        assert_eq!(position(&index, 6), Position { line: 0, character: 3 });
        assert_eq!(position(&index, 8), Position { line: 1, character: 0 });
        assert_eq!(position(&index, 99), Position { line: 1, character: 1 });
    }
}
