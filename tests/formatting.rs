//! Tests of the layout: nothing is lost, nothing is changed, and once is enough.

use std::fs;
use std::path::{Path, PathBuf};

use tensa::base::FileId;
use tensa::syntax::{format, parse};

use crate::support::graphs::Rng;
use crate::support::programs;
use crate::syntax::shape;

fn formatted(text: &str) -> Option<String> {
    format::format(FileId(0), text).ok()
}

/// The comments of a text in order.
fn comments(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| comment_at(line).map(|at| line[at..].trim_end())).collect()
}

/// Where the comment of a line begins. Texts hold no new lines, so a line is enough.
fn comment_at(line: &str) -> Option<usize> {
    let mut in_text = false;
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match c {
            '#' if !in_text => return Some(at),
            '"' if !escaped => in_text = !in_text,
            _ => {}
        }
        escaped = in_text && c == '\\' && !escaped;
    }
    None
}

fn reads(text: &str) -> bool {
    !parse::parse(FileId(0), text).1.has_errors()
}

/// Formats a text that reads, and holds what must hold of any.
fn hold(name: &str, text: &str) {
    let once = formatted(text).unwrap_or_else(|| panic!("{name} reads and is not formatted:\n{text}"));
    assert!(reads(&once), "{name} does not read when it is formatted:\n{once}\nfrom\n{text}");
    assert_eq!(shape(&once), shape(text), "{name} means something else:\n{once}\nfrom\n{text}");
    assert_eq!(comments(&once), comments(text), "{name} has other comments:\n{once}\nfrom\n{text}");
    assert_eq!(formatted(&once).as_deref(), Some(once.as_str()), "{name} is not done at once, from\n{text}");
    for line in once.lines() {
        assert_eq!(line, line.trim_end(), "{name} has white space at the end of a line");
    }
}

/// Every program of the repository that reads: files, cases, and the listings of pages.
fn everything() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in ["examples", "stdlib", "tests", "docs", "src/diag/explain"] {
        walk(&root.join(folder), &mut paths);
    }
    paths.push(root.join("README.md"));
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).expect("a readable file");
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        if name.starts_with("tests/suite") {
            let cases = text.split("\n--- ").enumerate();
            all.extend(cases.filter_map(|(index, case)| {
                let (_, body) = case.split_once('\n')?;
                Some((format!("{name} case {index}"), body.split("\n---").next()?.to_owned()))
            }));
        } else if name.ends_with(".md") {
            let listings = text.split("```model\n").skip(1).enumerate();
            all.extend(listings.filter_map(|(index, listing)| {
                Some((format!("{name} listing {index}"), listing.split("```").next()?.to_owned()))
            }));
        } else {
            all.push((name, text));
        }
    }
    all.retain(|(_, text)| reads(text));
    all
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            walk(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "model" || extension == "md") {
            paths.push(path);
        }
    }
}

#[test]
fn every_program_keeps_its_meaning_and_is_done_at_once() {
    let all = everything();
    assert!(all.len() > 200, "only {} programs were found", all.len());
    for (name, text) in &all {
        hold(name, text);
    }
}

#[test]
fn library_and_examples_are_in_the_house_style() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    walk(&root.join("stdlib"), &mut paths);
    walk(&root.join("examples"), &mut paths);
    for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "model")) {
        let text = fs::read_to_string(path).expect("a readable program");
        assert_eq!(formatted(&text).as_deref(), Some(text.as_str()), "{}", path.display());
    }
}

/// White space is put in and taken out between any two words, and comments put in, wherever the text still reads the same.
#[test]
fn any_spacing_of_a_program_is_laid_out() {
    let mut rng = Rng::new(0x51ce);
    let mut all = programs::all();
    all.extend(programs::read("stdlib"));
    all.extend(programs::read("stdlib/layers"));
    let mut held = 0;
    for (name, text) in &all {
        for round in 0..6 {
            let spaced = respaced(text, &mut rng, round);
            if reads(&spaced) {
                hold(&format!("{name}, round {round}"), &spaced);
                held += 1;
            }
        }
    }
    assert!(held > 100, "only {held} of these texts read");
}

/// A program with other white space: each change is kept only if the text reads on.
fn respaced(text: &str, rng: &mut Rng, round: usize) -> String {
    const GAPS: [&str; 7] = ["", " ", "\n", "\n\n\n", "  # said\n", "\n## told\n", "\t\r\n  "];
    let tokens = programs::tokens(text);
    let mut spaced = String::new();
    let mut at = 0;
    for token in &tokens {
        let gap = &text[at..token.start];
        let replaced = rng.below(8) < 1 + round.min(3);
        // Words must stay apart, comments stay as they are.
        spaced.push_str(match GAPS[rng.below(GAPS.len())] {
            _ if !replaced || gap.contains('#') || gap.is_empty() => gap,
            "" => " ",
            other => other,
        });
        spaced.push_str(&text[token.clone()]);
        at = token.end;
    }
    spaced + &text[at..]
}

#[test]
fn a_text_with_mistakes_is_left_alone() {
    let Err(told) = format::format(FileId(0), "let a = (1\n") else { panic!("a bracket is open") };
    assert!(told.has_errors());
}

/// Wherever the `if` stands, on a line of its own, behind a `let` or an operator, and however deep.
#[test]
fn an_else_that_begins_a_line_stands_below_its_if() {
    let text = "fn f(x: [..], now: float) -> [..] {
let a = if now < 1 { x }
else { 2 * x }
let b = if now < 1 { x }
# why
else if now < 2 { if now < 1.5 { x }
else { 2 * x } }
else { 3 * x }
let c = (if now < 1 { a } else { b }) + if now < 3 { a }
else { b }
if now < 2 { let d = a + b
d }
else if now < 3 { a }
else { c }
}
";
    let want = "fn f(x: [..], now: float) -> [..] {
  let a = if now < 1 { x }
          else { 2 * x }
  let b = if now < 1 { x }
          # why
          else if now < 2 {
            if now < 1.5 { x }
            else { 2 * x }
          } else { 3 * x }
  let c = (if now < 1 { a } else { b }) + if now < 3 { a }
                                          else { b }
  if now < 2 {
    let d = a + b
    d
  } else if now < 3 { a }
  else { c }
}
";
    assert_eq!(formatted(text).as_deref(), Some(want));
}
