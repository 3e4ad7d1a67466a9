//! Properties of the check: it survives every text, and tells a slip once and near.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use tensa::diag::Diagnostic;
use tensa::driver::Session;

use crate::support::graphs::Rng;
use crate::support::programs;

fn thorough() -> bool {
    std::env::var_os("TENSA_THOROUGH").is_some()
}

fn examples() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// Checks a text that lies beside the examples.
fn check(text: &str) -> (Session, Vec<Diagnostic>) {
    let session = Session::new("mutant.model", text, examples());
    let diagnostics = session.check(None).diagnostics.sorted();
    (session, diagnostics)
}

/// A program with one or two tokens deleted, doubled or exchanged.
fn mutate(text: &str, rng: &mut Rng) -> String {
    let mut text = text.to_owned();
    for _ in 0..1 + rng.below(2) {
        let tokens = programs::tokens(&text);
        if tokens.len() < 2 {
            return text;
        }
        let at = rng.below(tokens.len());
        let token = tokens[at].clone();
        match rng.below(4) {
            0 => text.replace_range(token, ""),
            1 => {
                let copy = format!(" {}", &text[token.clone()]);
                text.insert_str(token.end, &copy);
            }
            2 => {
                let other = tokens[rng.below(tokens.len())].clone();
                let (first, second) = if token.start < other.start { (token, other) } else { (other, token) };
                let (a, b) = (text[first.clone()].to_owned(), text[second.clone()].to_owned());
                text.replace_range(second, &a);
                text.replace_range(first, &b);
            }
            _ => {
                let other = text[tokens[rng.below(tokens.len())].clone()].to_owned();
                text.replace_range(token, &other);
            }
        }
    }
    text
}

/// Checks a text and applies each edit that is offered: the places of one advice lie in the text, apart from each other.
fn apply_edits(text: &str) {
    let (session, found) = check(text);
    for (told, advice) in found.iter().flat_map(|told| told.fixes().map(move |advice| (told, advice))) {
        let mut places: Vec<Range<usize>> = advice.edits.iter().map(|edit| edit.span.range()).collect();
        if advice.edits.iter().any(|edit| edit.span.file != session.file) {
            continue;
        }
        places.sort_by_key(|place| (place.start, place.end));
        let apart = places.windows(2).all(|pair| pair[0].end <= pair[1].start);
        let inside = places.iter().all(|place| text.get(place.clone()).is_some());
        assert!(apart && inside, "`{advice}` of `{}` edits {places:?}", told.message);
        advice.apply(text);
    }
}

/// No mutant of a program makes the check panic, and no edit of what is told of it the one who applies it.
#[test]
fn mutants_are_checked_without_panic() {
    let mut sources = programs::read("tests/data/language");
    // Small data, so that mutants of a program that runs are checked with it.
    sources.extend(programs::read("examples").into_iter().filter(|(name, _)| name == "iris.model"));
    let rounds: u32 = if thorough() { 400 } else { 12 };
    for (at, (name, text)) in sources.iter().enumerate() {
        let rounds = if name == "iris.model" { 10 * rounds } else { rounds };
        for round in 0..rounds {
            let mutant = mutate(text, &mut Rng::new(round * 1000 + at as u32));
            let outcome = catch_unwind(AssertUnwindSafe(|| apply_edits(&mutant)));
            assert!(outcome.is_ok(), "the check panics on this mutant of {name}:\n{mutant}");
        }
    }
}

/// No beginning of a program makes the check panic, nor one with any byte exchanged for another sign.
#[test]
fn beginnings_and_exchanged_signs_are_checked_without_panic() {
    const SIGNS: &[u8] = b"()[]{}=:~,.|>-+*/%^<\"'#\n _a0";
    let rounds: u32 = if thorough() { 400 } else { 8 };
    for (at, (name, text)) in programs::read("tests/data/language").iter().enumerate() {
        let mut rng = Rng::new(0xb17e + at as u32);
        for round in 0..rounds {
            let mut bytes = text.clone().into_bytes();
            let place = rng.below(bytes.len());
            if round % 2 == 0 {
                bytes.truncate(place);
            } else {
                bytes[place] = SIGNS[rng.below(SIGNS.len())];
            }
            // A cut through a character leaves a sign that means nothing.
            let mutant = String::from_utf8_lossy(&bytes);
            let outcome = catch_unwind(AssertUnwindSafe(|| apply_edits(&mutant)));
            assert!(outcome.is_ok(), "the check panics on this mutant of {name}:\n{mutant}");
        }
    }
}

/// Deleting one token gives at most two diagnostics, the first within a line of it nine times in ten.
#[test]
fn a_deleted_token_is_told_once_and_near() {
    let (mut wrong, mut far, mut many) = (0, 0, Vec::new());
    for (name, text) in programs::read("examples") {
        // The pictures of the digits take long to read.
        let step = if name == "iris.model" || thorough() { 1 } else { 9 };
        for token in programs::tokens(&text).into_iter().step_by(step) {
            let (found, distance) = delete(&text, token.clone());
            if found.is_empty() {
                continue;
            }
            wrong += 1;
            let line = text[..token.start].matches('\n').count() + 1;
            let told = || {
                let messages: Vec<String> =
                    found.iter().map(|told| format!("{} {}", told.code.as_str(), told.message)).collect();
                format!("{name}:{line} `{}`: {messages:?}", &text[token.clone()])
            };
            if found.len() > 2 {
                many.push(told());
            }
            if distance.is_none_or(|lines| lines > 1) {
                far += 1;
                if std::env::var_os("TENSA_VERBOSE").is_some() {
                    println!("far {distance:?} {}", told());
                }
            }
        }
    }
    println!("{wrong} deletions are told; {} more than twice, {far} far away", many.len());
    assert!(many.is_empty(), "told more than twice: {many:#?}");
    assert!(far * 10 <= wrong, "{far} of {wrong} deletions are told far away");
}

/// What a program without a token is told, and how many lines from it the first is.
fn delete(text: &str, token: Range<usize>) -> (Vec<Diagnostic>, Option<usize>) {
    let line = text[..token.start].matches('\n').count();
    let mut broken = text.to_owned();
    broken.replace_range(token, "");
    let (session, found) = check(&broken);
    let first = found.first().and_then(Diagnostic::span).filter(|span| span.file == session.file);
    let distance = first.map(|span| session.sources.file(span.file).line_of(span.start).abs_diff(line));
    (found, distance)
}
