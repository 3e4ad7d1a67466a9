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
pub fn shape(text: &str) -> String {
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

/// A hundred thousand of anything gives one clear error or none, and never runs out of stack.
#[test]
fn endless_texts_are_read_or_refused() {
    const MANY: usize = 100_000;
    let deep = [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{ ", "1", " }"),
        ("f(", "1", ")"),
        ("-", "1", ""),
        ("- ", "1", ""),
        ("not ", "a", ""),
        ("2 ^ ", "2", ""),
        ("2 ^ -", "2", ""),
        ("if a { 1 } else ", "{ 2 }", ""),
        ("if a + ", "1", " { 1 } else { 2 }"),
        ("a + if b + ", "1", " { 1 } else { 2 }"),
        ("param w[a] ~ ", "zeros", ""),
        ("stack ", "1", " { f }"),
        ("scan t from h = ", "1", " { h }"),
        ("{ let a = ", "1", " a }"),
        ("{ a: ", "1", " }"),
        ("remat { ", "1", " }"),
        ("x[t = ", "1", "]"),
        ("a ^ (", "1", ")"),
        ("(-", "1", ")"),
    ];
    for (open, middle, close) in deep {
        let text = format!("let x = {}{middle}{}\nlet y = 1\n", open.repeat(MANY), close.repeat(MANY));
        let found = diagnostics(&text);
        let codes: Vec<&str> = found.iter().map(|found| found.code.as_str()).collect();
        assert_eq!(codes, ["E0103"], "{open}");
    }
    let posts = ["()", "[t = 0]", ".a", "(b)[c].d"];
    for post in posts {
        let found = diagnostics(&format!("let x = y{}\n", post.repeat(MANY)));
        assert_eq!(found.len(), 1, "{post}");
        assert_eq!(found[0].code.as_str(), "E0103", "{post}");
    }
    let flat = [
        "a + ",
        "a * ",
        "a and ",
        "a |> ",
        "a < b and ",
        "-a + ",
        "f(a) - ",
        "if a { b } else { c } + ",
        "a |> stack 2 { f } |> ",
    ];
    // As many as the largest text holds.
    let many = |piece: &str| MANY.min((1 << 20) / piece.len() - 1);
    for piece in flat {
        assert_eq!(diagnostics(&format!("let x = {}a\n", piece.repeat(many(piece)))), [], "{piece}");
    }
    let rows =
        [("[", "1, ", "1]"), ("f(", "a = 1, ", "b = 2)"), ("{ ", "a: 1, ", "b: 2 }"), ("{ ", "let a = 1 ", "a }")];
    for (open, piece, close) in rows {
        assert_eq!(diagnostics(&format!("let x = {open}{}{close}\n", piece.repeat(many(piece) - 1))), [], "{piece}");
    }
    // What is wrong in an endless way is told in a few words.
    for piece in [
        "(",
        ")",
        "}",
        "let ",
        "a b ",
        "\"",
        "; ",
        "= ",
        "@ ",
        "\u{1}",
        "é",
        "x = 3\n",
        "model M(x) { ",
        "x )\n",
        "!",
        ",",
    ] {
        let found = diagnostics(&piece.repeat(MANY));
        assert!((1..=60).contains(&found.len()), "{piece}: {}", found.len());
    }
}

#[test]
fn the_largest_text_is_read_and_a_larger_refused() {
    let line = "let abcdefghij = f(x, y) + g(z)[t = 0] * 3.5\n";
    let text = line.repeat((1 << 20) / line.len());
    assert_eq!(diagnostics(&text), []);
    let found = diagnostics(&(text + &" ".repeat(line.len())));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code.as_str(), "E0103");
}

#[test]
fn adversarial_texts_parse_or_fail_at_once() {
    let wrong: Vec<(String, usize)> = programs::read("tests/data/language/adversarial")
        .into_iter()
        .map(|(name, text)| (name, diagnostics(&text).len()))
        .filter(|(_, found)| *found > 0)
        .collect();
    let names: Vec<&str> = wrong.iter().map(|(name, _)| name.as_str()).collect();
    insta::assert_debug_snapshot!(names);
}

#[test]
fn three_independent_mistakes_leave_the_rest_in_the_tree() {
    let text = "fn a(x) = x * * 2\n\nfn b(x) {\n  let y = * x\n  let z = x\n  z\n}\n\nlet = 3\n\nfn good(x) = x\n";
    let (tree, found) = parse::parse(FileId(0), text);
    assert_eq!(found.iter().count(), 3);
    let printed = print::print(&tree);
    assert!(printed.contains("fn good(x) = x") && printed.contains("let z = x"), "{printed}");
}

#[test]
fn a_lone_expression_is_read_for_the_prompt() {
    let (tree, found) = parse::parse_expr(FileId(0), " 1 + x |> f # why not\n");
    assert!(found.is_empty());
    assert_eq!(print::print_expr(&tree), "1 + x |> f");
    assert_eq!(parse::parse_expr(FileId(0), "1 +").1.iter().count(), 1);
    assert_eq!(parse::parse_expr(FileId(0), &"(".repeat(100_000)).1.iter().count(), 1);
}

/// Applying the edits of all diagnostics gives a text that reads, where every diagnostic has one.
#[test]
fn edits_that_are_offered_read_on() {
    let programs = programs::all();
    let mut tried = 0;
    for (index, (name, text)) in programs.iter().enumerate() {
        for token in programs::tokens(text).into_iter().skip(index % 7).step_by(7) {
            let mut broken = text.clone();
            broken.replace_range(token, "");
            let found = diagnostics(&broken);
            let [only] = found.as_slice() else { continue };
            for advice in only.fixes() {
                assert_eq!(diagnostics(&advice.apply(&broken)), [], "{name}: {}", only.message);
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "only {tried} were tried");
}

mod properties {
    use proptest::prelude::*;
    use tensa::base::FileId;
    use tensa::syntax::{parse, print};

    use super::without_spans;
    use crate::support::{programs, trees};

    /// Every place of a diagnostic lies in the text, on the borders of characters.
    fn read(text: &str) -> Result<(), TestCaseError> {
        let (_, found) = parse::parse(FileId(0), text);
        for diagnostic in found.iter() {
            let edits = diagnostic.fixes().flat_map(|advice| &advice.edits).map(|edit| edit.span);
            for span in diagnostic.labels.iter().map(|label| label.span).chain(edits) {
                prop_assert!(text.get(span.range()).is_some(), "{span:?} of {}", diagnostic.message);
            }
        }
        Ok(())
    }

    /// Every prefix of the first programs, and of all when thorough.
    #[test]
    fn prefixes_never_panic() {
        let thorough = std::env::var_os("TENSA_THOROUGH").is_some();
        for (index, (_, text)) in programs::all().iter().enumerate() {
            let step = if thorough { 1 } else { 23 };
            for end in (index % step..text.len()).step_by(step) {
                if text.is_char_boundary(end) {
                    read(&text[..end]).expect("places in the text");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn mutations_never_panic(pick in 0usize..1000, edits in prop::collection::vec((0.0..1.0f64, any::<prop::sample::Index>(), 0u8..3), 1..4)) {
            const SIGNS: &str = "()[]{}=:~,.|>-+*/%^<!&\"'#@;\\\n _a0é\u{1}\u{0}…";
            let programs = programs::all();
            let mut text: Vec<char> = programs[pick % programs.len()].1.chars().collect();
            for (place, sign, kind) in edits {
                let at = (place * text.len() as f64) as usize;
                let signs: Vec<char> = SIGNS.chars().collect();
                let sign = signs[sign.index(signs.len())];
                match kind {
                    0 => text.insert(at, sign),
                    1 if at < text.len() => text[at] = sign,
                    _ if at < text.len() => drop(text.remove(at)),
                    _ => {}
                }
            }
            read(&text.into_iter().collect::<String>())?;
        }

        #[test]
        fn printed_trees_read_back(tree in trees::file()) {
            let printed = print::print(&tree);
            let (again, found) = parse::parse(FileId(0), &printed);
            prop_assert!(found.is_empty(), "{:?}\n{printed}", found.iter().next());
            prop_assert_eq!(without_spans(&format!("{again:?}")), without_spans(&format!("{tree:?}")), "{}", printed);
        }

        #[test]
        fn any_text_never_panics(text in "(\\PC|[\\x00-\\x1f]){0,200}") {
            read(&text)?;
        }

        #[test]
        fn any_tokens_never_panic(words in prop::collection::vec(prop::sample::select(WORDS), 0..60)) {
            read(&words.join(" "))?;
            read(&words.concat())?;
        }
    }

    const WORDS: &[&str] = &[
        "let",
        "state",
        "param",
        "if",
        "else",
        "stack",
        "scan",
        "in",
        "where",
        "and",
        "not",
        "divides",
        "true",
        "model",
        "fn",
        "train",
        "data",
        "on",
        "use",
        "from",
        "until",
        "grad",
        "update",
        "penalty",
        "x",
        "y'",
        "_",
        "3",
        "70%",
        "1e-3",
        "50 epochs",
        "\"s\"",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "=",
        ":",
        ":=",
        "~",
        "->",
        "|>",
        "+",
        "-",
        "*",
        "^",
        "..",
        ",",
        ".",
        "==",
        "<",
        "#c\n",
        "\n",
        "##d\n",
    ];
}
