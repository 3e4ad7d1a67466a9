//! The edits of diagnostics: each of them mends, and a mistake that has none has a reason.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::Path;

use tensa::diag::{Code, Diagnostic, Severity, explain};
use tensa::driver::Session;

use crate::support::{cases, stages};

/// Codes of which some mistakes have no edit; the constructor of each says why, after the words `No edit`.
const WITHOUT_EDIT: &[&str] = &[
    "E0207", "E0211", "E0302", "E0309", "E0313", "E0315", "E0401", "E0402", "E0403", "E0404", "E0407", "E0509",
    "E0520", "E0521", "E0522", "E0604", "E0605", "E0610", "E0612", "E0705", "E0713", "E0716", "E0720", "E0732",
    "E0736", "E0737", "E0743", "E0744", "E0745", "E0746", "E0750", "E0751", "E0752", "E0753",
];

/// The cases of these stages of the suite and the broken programs of the pages, by name.
fn texts(stages: &[&str]) -> Vec<(String, String)> {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite");
    let mut texts: Vec<(String, String)> = Vec::new();
    for path in cases::files(&suite) {
        texts.extend(
            cases::read(&path)
                .into_iter()
                .filter(|case| stages.contains(&&*case.stage))
                .map(|case| (case.name, case.source)),
        );
    }
    for code in Code::ALL {
        let examples = explain::examples(explain::page(*code));
        texts.extend(examples.broken.into_iter().map(|text| (format!("the page of {}", code.as_str()), text)));
    }
    texts
}

/// Checks a text of this name beside the files that it speaks of.
fn check(name: &str, text: &str) -> (Session, Vec<Diagnostic>) {
    // What the pages of the data speak of lies beside the examples.
    if name.starts_with("the page of E07") {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
        let session = Session::new("page.model", text, folder);
        let found = session.check(None).diagnostics.sorted();
        return (session, found);
    }
    let (session, checked) = stages::check(text);
    (session, checked.diagnostics.sorted())
}

/// Whether a constructor of the code says why it has no edit.
fn is_said(code: &str) -> bool {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diag");
    fs::read_dir(folder).expect("the constructors").flatten().any(|entry| {
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        // A function and the comment above it.
        let mut functions = text.split("\n}\n");
        functions.any(|function| function.contains(&format!("Code::{code}")) && function.contains("No edit"))
    })
}

/// An error of the check has an edit, or its code is one of those whose constructors say why not.
#[test]
fn an_error_without_an_edit_has_a_reason() {
    let (mut errors, mut mended) = (0, 0);
    let mut without: BTreeSet<&str> = BTreeSet::new();
    let mut told = String::new();
    for (name, text) in texts(&["check"]).iter().filter(|(name, _)| !name.starts_with("the page")) {
        let (_, found) = check(name, text);
        for error in found.iter().filter(|told| told.severity == Severity::Error && told.code >= Code::E0201) {
            errors += 1;
            mended += usize::from(error.has_fix());
            let code = error.code.as_str();
            if !error.has_fix() && without.insert(code) && !WITHOUT_EDIT.contains(&code) {
                told.push_str(&format!("{code} in {name}: {}\n", error.message));
            }
        }
    }
    println!("{mended} of {errors} errors have an edit");
    assert!(mended * 100 >= errors * 85, "only {mended} of {errors} errors have an edit");
    assert!(told.is_empty(), "\n{told}");
    let unsaid: Vec<&&str> = WITHOUT_EDIT.iter().filter(|code| !is_said(code)).collect();
    assert!(unsaid.is_empty(), "no constructor says why these have none: {unsaid:?}");
    let stale: Vec<&&str> = WITHOUT_EDIT.iter().filter(|code| !without.contains(**code)).collect();
    assert!(stale.is_empty(), "these have an edit everywhere: {stale:?}");
}

/// Each edit, applied as a whole, takes its message away and can be read.
#[test]
fn edits_mend() {
    let (mut edits, mut wrong) = (0, String::new());
    for (name, text) in texts(&["check", "parse", "ast"]) {
        let check = |text: &str| check(&name, text);
        let (session, found) = check(&text);
        for (told, advice) in found.iter().flat_map(|told| told.fixes().map(move |advice| (told, advice))) {
            edits += 1;
            let mut in_order = advice.edits.clone();
            in_order.sort_by_key(|edit| edit.span);
            // What stands in another file is mended there.
            if told.span().is_some_and(|span| span.file != session.file) {
                continue;
            }
            let outside = in_order.iter().find(|edit| edit.span.file != session.file);
            assert_eq!(outside, None, "{name}: an edit outside of the program");
            let mended = advice.apply(&text);
            // Where the new words stand.
            let mut grown = 0;
            let written = in_order.iter().map(|edit| {
                let start = (edit.span.range().start as isize + grown) as usize;
                grown += edit.text.len() as isize - edit.span.range().len() as isize;
                start..start + edit.text.len()
            });
            let written: Vec<Range<usize>> = written.collect();
            let (_, after) = check(&mended);
            // Two places may be told in the same words: the one of this edit is gone.
            let same = |found: &[Diagnostic]| {
                found.iter().filter(|other| other.code == told.code && other.message == told.message).count()
            };
            let still = same(&after) >= same(&found);
            // A mistake in the new words is one of the edit's own. What was silent before may be told elsewhere.
            // Words that move take the mistakes in them along.
            let is_new = |other: &&Diagnostic| found.iter().all(|old| old.message != other.message);
            let errors = after.iter().filter(|other| other.code >= Code::E0201 && other.severity == Severity::Error);
            let errors = errors.filter(is_new);
            // A case of the parser has no data and no names, so it stands for its syntax alone.
            let own = !name.starts_with("parse-")
                && errors.into_iter().any(|other| {
                    let span = other.span().map(|span| span.range()).unwrap_or_default();
                    written.iter().any(|written| written.contains(&span.start) && !written.is_empty())
                });
            let misread = |found: &[Diagnostic]| found.iter().filter(|told| told.code < Code::E0201).count();
            if still || own || misread(&after) > misread(&found) {
                let after: Vec<&str> = after.iter().map(|told| told.message.as_str()).collect();
                wrong.push_str(&format!("{name}: after `{advice}` of `{}`: {after:?} in\n{mended}\n", told.message));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    println!("{edits} edits");
    assert!(edits >= 600, "only {edits} edits");
}
