//! The edits of diagnostics: each of them mends, and a mistake that has none has a reason.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

use tensa::base::FileId;
use tensa::diag::{Code, Diagnostic, Severity, explain};
use tensa::driver::Session;

use crate::support::{cases, stages};

/// The cases of these stages of the suite and the broken programs of the pages, by name, with the stage.
fn texts(wanted: &[&str]) -> Vec<(String, String, String)> {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite");
    let mut texts: Vec<(String, String, String)> = Vec::new();
    for path in cases::files(&suite) {
        texts.extend(
            cases::read(&path)
                .into_iter()
                .filter(|case| wanted.contains(&&*case.stage))
                .map(|case| (case.name, case.stage, case.source)),
        );
    }
    for code in Code::ALL {
        let examples = explain::examples(explain::page(*code));
        let broken = examples.broken.into_iter();
        let stage = if code.as_str().starts_with("E08") { "run" } else { "check" };
        texts.extend(broken.map(|text| (format!("the page of {}", code.as_str()), stage.to_owned(), text)));
    }
    texts
}

/// What is told of a text of this name beside the files that it speaks of, and which file it is.
fn check(name: &str, stage: &str, text: &str) -> (FileId, Vec<Diagnostic>) {
    // What the pages of the data speak of lies beside the examples.
    if name.starts_with("the page of E07") {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
        let session = Session::new("page.model", text, folder);
        let found = session.check(None).diagnostics.sorted();
        return (session.file, found);
    }
    // A case of the parser is checked too.
    let stage = if matches!(stage, "run" | "gradients") { stage } else { "check" };
    let outcome = stages::find(stage).expect("a stage of the suite")(text);
    (outcome.file, outcome.diagnostics)
}

/// A function of `src/diag` that words an error or a warning with a place in the program.
struct Constructor {
    file: String,
    lines: Range<u32>,
    name: String,
    /// Whether it says when it has no edit, and why: a comment with the words `No edit`.
    says_why: bool,
    /// Whether it says so of all of its messages: no words of a program could mend them.
    never: bool,
    /// The test that its comment names, for what no program alone can show.
    test: Option<String>,
}

impl Constructor {
    /// All of them.
    fn all() -> Vec<Constructor> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/diag");
        let files = fs::read_dir(folder).expect("the constructors").flatten();
        files.map(|file| file.path()).filter(|path| path.is_file()).flat_map(|path| Constructor::of(&path)).collect()
    }

    fn of(path: &Path) -> Vec<Constructor> {
        let text = fs::read_to_string(path).expect("a readable file");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let file = format!("src/diag/{}", path.file_name().expect("a name").to_string_lossy());
        let mut end = 1;
        let mut functions = Vec::new();
        for function in text.split_inclusive("\n}\n") {
            let lines = end..end + function.matches('\n').count() as u32;
            end = lines.end;
            let placed = ["Diagnostic::error(", "Diagnostic::warning(", "at(Code"];
            let name = function.split("fn ").nth(1).and_then(|rest| rest.split(['(', '<']).next());
            if let Some(name) = name
                && function.contains("Code::")
                && placed.iter().any(|call| function.contains(call))
            {
                let (says_why, never) = (function.contains("No edit"), function.contains("No edit:"));
                let comments = function.lines().filter(|line| line.starts_with("//")).flat_map(|line| line.split('`'));
                let test =
                    comments.filter_map(|words| words.rsplit_once("::")).next_back().map(|(_, test)| test.to_owned());
                functions.push(Constructor { file: file.clone(), lines, name: name.to_owned(), says_why, never, test });
            }
        }
        functions
    }
}

/// All tests, as text.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("the tests").flatten().map(|entry| entry.path());
    let text = |path: std::path::PathBuf| match path.is_dir() {
        true => sources(&path),
        false if path.extension().is_some_and(|ending| ending == "rs") => {
            fs::read_to_string(path).expect("a readable file")
        }
        false => String::new(),
    };
    entries.map(text).collect()
}

/// Each constructor is shown with an edit, and says why where it has none.
#[test]
fn an_error_without_an_edit_has_a_reason() {
    let constructors = Constructor::all();
    let never_mended = |told: &Diagnostic| {
        let of = |one: &&Constructor| one.file == told.origin.file() && one.lines.contains(&told.origin.line());
        constructors.iter().find(of).is_some_and(|constructor| constructor.never)
    };
    let (mut errors, mut mended) = (0, 0);
    // Of each line that words a message: the first text that shows it with an edit, and without.
    let mut shown: BTreeMap<(&str, u32), [Option<String>; 2]> = BTreeMap::new();
    for (name, stage, text) in texts(&["check", "parse", "ast", "run", "gradients"]) {
        for told in check(&name, &stage, &text).1 {
            let of_program = told.code >= Code::E0201 && !name.starts_with("the page");
            if told.severity == Severity::Error && of_program && !never_mended(&told) {
                errors += 1;
                mended += usize::from(told.has_fix());
            }
            let shown = shown.entry((told.origin.file(), told.origin.line())).or_default();
            shown[usize::from(!told.has_fix())].get_or_insert(format!("{name}: {}", told.message));
        }
    }
    println!("{mended} of {errors} errors that an edit could mend have one");
    assert!(mended * 100 >= errors * 85, "only {mended} of {errors} errors that an edit could mend have one");
    let tests: String = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"));
    let mut wrong = String::new();
    for constructor in &constructors {
        let Constructor { file, lines, name, says_why, never: _, test } = constructor;
        let of_it = shown.iter().filter(|((of, line), _)| of == file && lines.contains(line)).map(|(_, shown)| shown);
        let (mut with, mut without) = (None, None);
        for [a, b] in of_it {
            with = with.or(a.as_ref());
            without = without.or(b.as_ref());
        }
        let why = match (with, without, says_why) {
            (Some(_), Some(text), false) => format!("does not say why it has no edit in {text}"),
            (None, Some(text), false) => format!("has no edit, and does not say why, in {text}"),
            (None, None, false) => "has no case, and does not say why it has no edit".to_owned(),
            (Some(_), None, true) => "says when it has no edit, and has one in all cases".to_owned(),
            (None, None, true) if test.as_ref().is_none_or(|test| !tests.contains(&format!("fn {test}("))) => {
                "has no case, and its comment names no test that shows it".to_owned()
            }
            _ => continue,
        };
        wrong.push_str(&format!("{file}:{} `{name}` {why}\n", lines.start));
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Each edit, applied as a whole, takes its message away and can be read.
#[test]
fn edits_mend() {
    let (mut edits, mut wrong) = (0, String::new());
    for (name, stage, text) in texts(&["check", "parse", "ast", "run"]) {
        let check = |text: &str| check(&name, &stage, text);
        let (file, found) = check(&text);
        for (told, advice) in found.iter().flat_map(|told| told.fixes().map(move |advice| (told, advice))) {
            edits += 1;
            let mut in_order = advice.edits.clone();
            in_order.sort_by_key(|edit| edit.span);
            // What stands in another file is mended there.
            if told.span().is_some_and(|span| span.file != file) {
                continue;
            }
            let outside = in_order.iter().find(|edit| edit.span.file != file);
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
    assert!(edits >= 850, "only {edits} edits");
}
