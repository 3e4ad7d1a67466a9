//! Diagnostics as SARIF 2.1.0, for services that show findings beside the code.
//!
//! In: diagnostics and the texts they point into. Out: one document with one run: a rule for each code that occurs, with its
//! page as help; a result for each diagnostic, with its places and a fix for each advice that has edits. Lines and columns count from 1,
//! columns in Unicode scalar values, ends are exclusive, as in `json.rs`.

use serde_json::{Value, json};

use super::{Advice, Code, Diagnostic, Label, Severity, explain};
use crate::base::{SourceMap, Span};

/// Where the schema of the format stands.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The document of a check.
pub fn document(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    let mut codes: Vec<Code> = diagnostics.iter().map(|told| told.code).collect();
    codes.sort();
    codes.dedup();
    let rules: Vec<Value> = codes.iter().map(|code| rule(*code)).collect();
    let results: Vec<Value> = diagnostics.iter().map(|told| result(told, &codes, sources)).collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "tensa", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{document:#}\n")
}

fn rule(code: Code) -> Value {
    let page = explain::page(code);
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.title() },
        "help": { "text": page, "markdown": page },
        "defaultConfiguration": { "level": if code.as_str().starts_with('W') { "warning" } else { "error" } },
    })
}

fn result(told: &Diagnostic, codes: &[Code], sources: &SourceMap) -> Value {
    let mut text = told.message.clone();
    text.extend(told.notes.iter().map(|note| format!("\nnote: {note}")));
    text.extend(told.help.iter().map(|help| format!("\nhelp: {help}")));
    let mut result = json!({
        "ruleId": told.code.as_str(),
        "ruleIndex": codes.binary_search(&told.code).unwrap_or_default(),
        "level": match told.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        },
        "message": { "text": text },
        // A finding without a place lies in the program as a whole, or in its data.
        "locations": told.labels.iter().take(1).map(|label| location(label, sources)).collect::<Vec<_>>(),
    });
    let related: Vec<Value> = told.labels.iter().skip(1).map(|label| location(label, sources)).collect();
    if !related.is_empty() {
        result["relatedLocations"] = Value::Array(related);
    }
    if told.has_fix() {
        result["fixes"] = told.fixes().map(|advice| fix(advice, sources)).collect();
    }
    result
}

/// All edits of an advice together, by file.
fn fix(advice: &Advice, sources: &SourceMap) -> Value {
    let mut files: Vec<_> = advice.edits.iter().map(|edit| edit.span.file).collect();
    files.sort();
    files.dedup();
    let changes = files.into_iter().map(|file| {
        let edits = advice.edits.iter().filter(|edit| edit.span.file == file);
        let replacements: Vec<Value> = edits
            .map(
                |edit| json!({ "deletedRegion": region(edit.span, sources), "insertedContent": { "text": edit.text } }),
            )
            .collect();
        json!({ "artifactLocation": { "uri": uri(&sources.file(file).name) }, "replacements": replacements })
    });
    json!({ "description": { "text": advice.text }, "artifactChanges": changes.collect::<Vec<_>>() })
}

fn location(label: &Label, sources: &SourceMap) -> Value {
    let mut location = json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(&sources.file(label.span.file).name) },
            "region": region(label.span, sources),
        },
    });
    if !label.text.is_empty() {
        location["message"] = json!({ "text": label.text });
    }
    location
}

fn region(span: Span, sources: &SourceMap) -> Value {
    let source = sources.file(span.file);
    let (start, end) = (source.line_column(span.start), source.line_column(span.end));
    json!({ "startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column })
}

/// A path as a reference: what has another meaning in one is written in hexadecimal digits.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}
