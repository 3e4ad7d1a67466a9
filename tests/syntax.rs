//! Tests of `syntax`.

use std::ops::Range;

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

/// What came of a program with one token deleted.
struct Deletion {
    program: String,
    line: usize,
    token: String,
    found: Vec<Diagnostic>,
    /// Lines from the deletion to the first diagnostic.
    distance: Option<usize>,
}

fn delete(name: &str, text: &str, token: Range<usize>) -> Deletion {
    let mut broken = text.to_owned();
    broken.replace_range(token.clone(), "");
    let mut sources = SourceMap::default();
    let file = sources.add(name, broken.as_str(), false);
    let found = parse::parse(file, &broken).1.sorted();
    let line = sources.file(file).line_of(token.start as u32);
    let distance =
        found.first().and_then(Diagnostic::span).map(|span| sources.file(file).line_of(span.start).abs_diff(line));
    Deletion { program: name.to_owned(), line: line + 1, token: text[token].to_owned(), found, distance }
}

/// Deleting one token gives two diagnostics at most, the first within a line of it nine times in ten.
///
/// Takes every eleventh token, another tenth in each program; `TENSA_THOROUGH=1` takes all.
#[test]
fn a_deleted_token_is_told_once_and_near() {
    let step = if std::env::var_os("TENSA_THOROUGH").is_some() { 1 } else { 11 };
    let programs = programs::all();
    let cases: Vec<_> = programs
        .iter()
        .enumerate()
        .flat_map(|(index, (name, text))| {
            programs::tokens(text).into_iter().skip(index % step).step_by(step).map(move |token| (name, text, token))
        })
        .collect();
    let (left, right) = cases.split_at(cases.len() / 2);
    let run = |part: &[(&String, &String, Range<usize>)]| -> Vec<Deletion> {
        part.iter().map(|(name, text, token)| delete(name, text, token.clone())).collect()
    };
    let mut all = std::thread::scope(|scope| {
        let other = scope.spawn(|| run(left));
        let mut all = run(right);
        all.extend(other.join().expect("no panic"));
        all
    });
    all.retain(|deletion| !deletion.found.is_empty());
    let many: Vec<&Deletion> = all.iter().filter(|deletion| deletion.found.len() > 2).collect();
    let far: Vec<&Deletion> = all.iter().filter(|deletion| deletion.distance.is_some_and(|lines| lines > 1)).collect();
    if std::env::var_os("TENSA_VERBOSE").is_some() {
        for (kind, list) in [("many", &many), ("far", &far)] {
            for deletion in list {
                let messages: Vec<&str> = deletion.found.iter().map(|found| found.message.as_str()).collect();
                let Deletion { program, line, token, distance, .. } = deletion;
                println!("{kind} {program}:{line} `{token}` {distance:?} {messages:?}");
            }
        }
    }
    println!(
        "{} of {} deletions are wrong programs; {} told more than twice, {} told far away",
        all.len(),
        cases.len(),
        many.len(),
        far.len()
    );
    assert!(many.is_empty(), "{} deletions are told more than twice", many.len());
    assert!(far.len() * 10 <= all.len(), "{} of {} deletions are told far away", far.len(), all.len());
}
