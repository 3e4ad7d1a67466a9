//! Tests of `syntax`.

use std::collections::BTreeMap;
use std::fmt::Write;

use tensa::base::{FileId, SourceMap};
use tensa::diag::Diagnostic;
use tensa::syntax::{parse, print};

use crate::support::programs;

fn diagnostics(text: &str) -> Vec<Diagnostic> {
    parse::parse(FileId(0), text).1.sorted()
}

/// The tree without its places.
fn shape(text: &str) -> String {
    let (tree, _) = parse::parse(FileId(0), text);
    without_spans(&format!("{tree:?}"))
}

/// Takes `Span { … }` out of a debug text.
fn without_spans(debug: &str) -> String {
    let mut out = String::with_capacity(debug.len());
    let mut rest = debug;
    while let Some(at) = rest.find("Span { file") {
        out.push_str(&rest[..at]);
        let end = rest[at..].find('}').map_or(rest.len(), |end| at + end + 1);
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

#[test]
fn every_program_parses() {
    for (name, text) in programs::all() {
        assert_eq!(diagnostics(&text), [], "{name}");
    }
}

#[test]
fn printing_and_reading_back_gives_the_same_tree() {
    for (name, text) in programs::all() {
        let (tree, _) = parse::parse(FileId(0), &text);
        let printed = print::print(&tree);
        assert_eq!(shape(&printed), shape(&text), "{name}:\n{printed}");
        let again = print::print(&parse::parse(FileId(0), &printed).0);
        assert_eq!(again, printed, "{name}");
    }
}
