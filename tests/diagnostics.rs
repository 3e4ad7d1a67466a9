//! Tests of `diag`: how a report looks, what JSON holds, and that the pages of `explain` are true.

use insta::assert_snapshot;
use tensa::base::{SourceMap, Span};
use tensa::diag::explain::{examples, page};
use tensa::diag::render::{Style, render};
use tensa::diag::{Code, Diagnostic, json};

use crate::support::stages;

/// The plain report of a program, under the program itself.
fn report(text: &str) -> String {
    let (sources, _, diagnostics) = stages::read(text);
    format!("{text}\n{}", render(&diagnostics, &sources, Style::PLAIN))
}

#[test]
fn a_missing_bracket_labels_its_opener() {
    assert_snapshot!(report("fn f(x: [..]) {\n  let y = exp(x - max(x)\n  y / sum(y)\n}\n"));
}

#[test]
fn a_brace_on_another_line_labels_both() {
    assert_snapshot!(report(
        "model Net(x: [batch, d]) -> [batch] {\n  x |> Dense(1)\n\ndata Iris = csv(\"iris.csv\") {\n  batch = 32\n}\n"
    ));
}

#[test]
fn an_edit_is_shown_as_a_line() {
    assert_snapshot!(report("fn f(x, y) = if x > 0 && y > 0 { x ** 2 } else { y }\n"));
}

#[test]
fn an_edit_over_two_lines_is_shown_joined() {
    assert_snapshot!(report("train N on D {\n  stop = patience(loss, 5\n    epochs)\n}\n"));
}

#[test]
fn a_missing_value_names_what_to_end_with() {
    assert_snapshot!(report("layer L(x: [..]) -> [..] {\n  let y = x * 2\n}\n"));
}

#[test]
fn several_mistakes_are_several_reports() {
    assert_snapshot!(report("let a = f(1 2)\nlet = 3\nlr == 4\n"));
}

/// A diagnostic with labels in two files, notes and help, as a later phase makes them.
fn in_two_files() -> (SourceMap, Diagnostic) {
    let mut sources = SourceMap::default();
    let user = sources.add("gpt.model", "let d = 768\nlet y = x |> Dense(512)\nlet z = y + x\n", false);
    let library = sources.add("<std>/dense.model", "layer Dense(out: axis(i))(x: [.., i]) -> [.., out] {\n", true);
    let diagnostic = Diagnostic::error(Code::E0101, Span::new(user, 44, 49), "axis `d` of `y + x` has two sizes")
        .here("768 and 512 meet here")
        .label(Span::new(user, 19, 28), "512 was chosen here")
        .label(Span::new(library, 12, 24), "it becomes the axis `out`")
        .note("known here: batch, t symbolic; d = 768; heads = 12 (divides d)")
        .fix("`Dense(d)` keeps the width", Span::new(user, 31, 34), "d");
    (sources, diagnostic)
}

#[test]
fn labels_in_two_files_are_all_drawn() {
    let (sources, diagnostic) = in_two_files();
    assert_snapshot!(render(&[diagnostic], &sources, Style::PLAIN));
}

#[test]
fn colours_change_no_word() {
    let (sources, diagnostic) = in_two_files();
    let plain = render(std::slice::from_ref(&diagnostic), &sources, Style::PLAIN);
    let coloured = render(&[diagnostic], &sources, Style { color: true, ..Style::PLAIN });
    assert_ne!(plain, coloured);
    let mut bare = String::new();
    let mut escape = false;
    for c in coloured.chars() {
        match c {
            '\u{1b}' => escape = true,
            'm' if escape => escape = false,
            _ if escape => {}
            c => bare.push(c),
        }
    }
    assert_eq!(bare, plain);
}

#[test]
fn a_diagnostic_without_a_place_has_a_message() {
    let diagnostic = Diagnostic::without_place(Code::E0101, "the file `x.csv` is not there").help("check its name");
    assert_snapshot!(render(&[diagnostic], &SourceMap::default(), Style::PLAIN));
}

#[test]
fn json_is_one_object_a_line() {
    let (sources, diagnostic) = in_two_files();
    let without = Diagnostic::without_place(Code::E0103, "no place");
    let text = json::lines(&[diagnostic, without], &sources);
    assert_snapshot!(text);
    let keys =
        ["code", "message", "severity", "file", "line", "column", "end_line", "end_column", "labels", "help", "notes"];
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let object = value.as_object().expect("an object");
        assert_eq!(object.len(), keys.len());
        assert!(keys.iter().all(|key| object.contains_key(*key)), "{line}");
    }
}

/// Runs the programs of the pages: each broken one shows its code, each mended one shows nothing.
///
/// Only syntax codes run here so far; a later phase gives its codes and its way to check to `run_pages`.
#[test]
fn pages_of_syntax_codes_are_true() {
    run_pages(|code| code.as_str().starts_with("E01"), |text| stages::read(text).2);
}

/// Checks the pages of the codes that `mine` picks by running `check` on their programs.
pub fn run_pages(mine: impl Fn(Code) -> bool, check: impl Fn(&str) -> Vec<Diagnostic>) {
    for &code in Code::ALL.iter().filter(|code| mine(**code)) {
        let examples = examples(page(code));
        assert!(!examples.broken.is_empty() && !examples.mended.is_empty(), "{} shows no program", code.as_str());
        for program in &examples.broken {
            let found: Vec<Code> = check(program).iter().map(|diagnostic| diagnostic.code).collect();
            assert!(
                !found.is_empty() && found.iter().all(|found| *found == code),
                "{}: {found:?}\n{program}",
                code.as_str()
            );
        }
        for program in &examples.mended {
            assert_eq!(check(program), [], "{}", code.as_str());
        }
    }
}
