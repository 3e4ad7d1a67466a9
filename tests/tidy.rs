//! Rules of the house that no compiler checks: who may import whom, how long a file may be, where `unsafe`
//! stands, and that every code and every grammar rule is explained and tested.

use std::fs;
use std::path::{Path, PathBuf};

use tensa::diag::{Code, explain};

/// What each top-level module of `src` may import of the crate, `base` and `diag` apart. ARCHITECTURE.md tells
/// the same as a picture. A module that is not here may import nothing.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("diag", &[]),
    ("tensor", &[]),
    ("syntax", &[]),
    ("ir", &[]),
    ("ops", &["ir"]),
    ("sema", &["syntax", "ir", "ops"]),
    ("lower", &["sema", "ir", "ops"]),
    ("canon", &["ir", "ops"]),
    ("autodiff", &["ir", "ops"]),
    ("opt", &["ir", "ops"]),
    ("fuse", &["ir", "ops"]),
    ("step", &["ir", "ops", "autodiff"]),
    ("kernel", &["fuse", "ir", "ops"]),
    ("backend", &["kernel", "ir", "ops"]),
    ("runtime", &["backend", "kernel", "ir", "tensor"]),
    ("data", &["tensor", "syntax"]),
    ("lint", &["sema", "ir", "ops", "canon", "autodiff"]),
    ("gradients", &["sema", "ir", "ops", "backend"]),
    ("stdlib", &["syntax"]),
    ("driver", ALL_ABOVE),
    // The training loop holds what the phases made: it names their types and runs none of them.
    ("train", &["driver", "runtime", "data", "tensor", "sema", "lower", "ir", "kernel", "backend"]),
    ("search", &["sema", "ir"]),
    ("ide", &["driver", "syntax", "sema"]),
    ("lsp", &["ide"]),
    // Commands stand on top of the house and may show any part of it.
    ("cli", ALL_ABOVE),
];

/// Every module of the rows above.
const ALL_ABOVE: &[&str] = &["*"];

/// Modules that all but themselves and each other may import.
const EVERYWHERE: [&str; 2] = ["base", "diag"];

/// The files that may hold `unsafe`, each wrapping one fact in a safe type.
const UNSAFE: [&str; 6] = [
    "src/backend/cpu/jit.rs",
    "src/backend/cpu/gemm.rs",
    "src/backend/cpu/pool.rs",
    "src/backend/cpu/call.rs",
    "src/backend/cpu/conv/run.rs",
    "src/backend/cpu/steps.rs",
];

/// Crates that one folder alone names: the rest of the house does not know them.
const FENCED: [(&str, &str); 3] =
    [("cranelift", "src/backend/cpu"), ("lsp_server", "src/lsp"), ("pest", "src/syntax/parse")];

/// The longest a source file may be.
const MAX_LINES: usize = 700;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder of the repository with this extension: path from the root, and text.
fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    fn collect(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for entry in entries {
            let path = entry.expect("a readable folder").path();
            if path.is_dir() {
                collect(&path, extension, found);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    let mut paths = Vec::new();
    collect(&root().join(folder), extension, &mut paths);
    paths.sort();
    let name = |path: &PathBuf| path.strip_prefix(root()).unwrap_or(path).display().to_string();
    paths.iter().map(|path| (name(path), fs::read_to_string(path).expect("a readable file"))).collect()
}

/// The lines of a file that are code, numbered from 1: comments left out, and the unit tests at its end.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.take_while(|(_, line)| *line != "#[cfg(test)]").filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The modules that a line names after `crate::`.
fn imported(line: &str) -> Vec<&str> {
    let mut modules = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find("crate::") {
        let inside_word = rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        rest = &rest[at + "crate::".len()..];
        if inside_word {
            continue;
        }
        let list = match rest.strip_prefix('{') {
            // `use crate::{base::Span, diag}`: the first word of each member.
            Some(group) => group.split('}').next().unwrap_or(group).split(',').collect(),
            None => vec![rest],
        };
        for path in list {
            let path = path.trim_start();
            let end = path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
            modules.push(&path[..end]);
        }
    }
    modules
}

#[test]
fn modules_import_downwards() {
    let mut wrong = Vec::new();
    for (path, text) in files("src", "rs") {
        let inside = path.trim_start_matches("src/");
        let module = inside.split(['/', '.']).next().unwrap_or_default();
        if matches!(module, "lib" | "main") {
            continue;
        }
        let row = |module: &str| MAY_IMPORT.iter().position(|(name, _)| *name == module);
        let Some(here) = row(module) else {
            wrong.push(format!("{path}: the module `{module}` has no row in the table of tests/tidy.rs"));
            continue;
        };
        for (number, line) in code(&text) {
            for import in imported(line) {
                let Some(there) = row(import) else { continue };
                let allowed = MAY_IMPORT[here].1;
                let is_allowed = if allowed == ALL_ABOVE { there < here } else { allowed.contains(&import) };
                let base = EVERYWHERE.contains(&import)
                    && (module == "diag" && import == "base" || !EVERYWHERE.contains(&module));
                if import != module && !base && !is_allowed {
                    wrong.push(format!("{path}:{number}: `{module}` may not import `{import}`: {}", line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn fenced_crates_stay_in_their_folder() {
    let mut wrong = Vec::new();
    for (path, text) in files("src", "rs") {
        for (number, line) in code(&text) {
            let named = |name: &str| {
                let uses = [format!("use {name}"), format!(" {name}::"), format!("({name}::"), format!("({name}_")];
                uses.iter().any(|text| line.contains(text.as_str()))
            };
            let out = FENCED.iter().filter(|(name, folder)| named(name) && !path.starts_with(folder));
            wrong.extend(
                out.map(|(name, folder)| format!("{path}:{number}: only {folder} names `{name}`: {}", line.trim())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn unsafe_stands_in_named_files() {
    let mut wrong = Vec::new();
    for (path, text) in files("src", "rs") {
        for (number, line) in code(&text) {
            let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            if words.into_iter().any(|word| word == "unsafe") && !UNSAFE.contains(&path.as_str()) {
                wrong.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "`unsafe` outside the files listed in tests/tidy.rs:\n{}", wrong.join("\n"));
}

#[test]
fn files_are_short() {
    let long = |(path, text): (String, String)| {
        let lines = text.lines().count();
        (lines > MAX_LINES).then(|| format!("{path}: {lines} lines"))
    };
    let wrong: Vec<String> = files("src", "rs").into_iter().chain(files("tests", "rs")).filter_map(long).collect();
    assert!(wrong.is_empty(), "more than {MAX_LINES} lines:\n{}", wrong.join("\n"));
}

#[test]
fn files_say_what_they_are() {
    let silent = |(path, text): (String, String)| (!text.starts_with("//! ")).then_some(path);
    let wrong: Vec<String> = files("src", "rs").into_iter().chain(files("tests", "rs")).filter_map(silent).collect();
    assert!(wrong.is_empty(), "no `//!` header:\n{}", wrong.join("\n"));
}

/// Codes that no program of the suite can show: the test that shows each, and why it takes a test.
const SHOWN_BY_TESTS: &[(&str, &str, &str)] = &[
    ("E0730", "data/transforms::fitted_values_of_another_program_are_refused", "a run of another program"),
    ("E0754", "data/parquet_files::a_build_without_it_says_so", "a build without a feature"),
    ("E0755", "data/parquet_files::broken_files_are_named", "a build with a feature"),
    ("E0801", "kernels/programs::a_size_out_of_range_is_a_diagnostic", "a batch larger than a computer"),
    ("E0802", "kernels/programs::a_size_out_of_range_is_a_diagnostic", "a batch larger than a computer"),
    ("E0803", "kernels/programs::what_does_not_fit_is_refused_before_it_runs", "weights of another program"),
    ("E0811", "commands::a_program_that_cannot_be_read_is_told", "a program that is not there"),
    ("E0812", "commands::set_replaces_constants_and_settings", "a command line"),
    ("E0813", "cli/modules::set_fits_the_value_that_was_there", "a command line"),
    ("E0822", "cli::a_broken_run_is_told", "a folder of a run"),
    ("E0823", "cli::a_broken_run_is_told", "a folder of a run"),
    ("E0824", "cli::a_broken_run_is_told", "a folder of a run"),
    ("E0827", "drawing::what_cannot_be_drawn_is_told", "a command line"),
    ("E0828", "cli::a_broken_run_is_told", "a folder of a run"),
    ("E0829", "cli::new_makes_a_project_that_runs", "a folder that is there already"),
    ("E0832", "cli/search::trials_that_fail_are_left_out", "trials that fail"),
];

/// The codes that the notes of the suite's cases expect.
fn codes_of_the_suite() -> Vec<String> {
    let texts = files("tests/suite", "model");
    let lines = texts.iter().flat_map(|(_, text)| text.lines());
    let notes = lines.filter_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("# error: ").or_else(|| line.strip_prefix("# warning: "))
    });
    // `21-30 E0606 a run watches …`, where the place may be missing.
    let code = |note: &str| note.split_whitespace().take(2).find(|word| Code::parse(word).is_some()).map(str::to_owned);
    notes.filter_map(code).collect()
}

/// Each code is shown by a program of the suite, or by a test that the list above names, never by a mere mention. The
/// examples of the pages are run beside the phases they speak of.
#[test]
fn every_code_has_its_page_and_is_shown() {
    let shown = codes_of_the_suite();
    let mut wrong = Vec::new();
    for &code in Code::ALL {
        let name = code.as_str();
        let page = code.page();
        if !page.starts_with(&format!("# {name}: ")) || page.lines().count() < 5 {
            wrong.push(format!("src/diag/explain/{name}.md: a page begins with `# {name}: …` and says what it means"));
        }
        let examples = explain::examples(page);
        let listed = SHOWN_BY_TESTS.iter().find(|(known, ..)| *known == name);
        let has_both = ["## Broken", "## Mended"].iter().all(|heading| page.contains(heading));
        // What lies in a table is shown as text; a program that could be run would say nothing of it.
        let runs = !examples.broken.is_empty() && !examples.mended.is_empty();
        if !has_both || !runs && listed.is_none() && !name.contains("07") {
            wrong.push(format!("src/diag/explain/{name}.md: `## Broken` or `## Mended` is missing"));
        }
        match listed {
            None if !shown.iter().any(|known| known == name) => {
                wrong.push(format!("{name}: no case of the suite expects it"));
            }
            None => {}
            Some(_) if shown.iter().any(|known| known == name) => {
                wrong.push(format!("{name}: a case of the suite expects it, so it needs no line in tests/tidy.rs"));
            }
            Some((_, test, _)) => {
                let (module, test) = test.rsplit_once("::").unwrap_or((*test, ""));
                let file = fs::read_to_string(root().join("tests").join(format!("{module}.rs"))).unwrap_or_default();
                if !file.contains(name) || !file.contains(&format!("fn {test}")) {
                    wrong.push(format!("{name}: `{test}` of tests/{module}.rs does not show it"));
                }
            }
        }
    }
    for (path, _) in files("src/diag/explain", "md") {
        let name = Path::new(&path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if Code::parse(&name).is_none() {
            wrong.push(format!("{path}: no such code"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_grammar_rule_is_explained() {
    let grammar = fs::read_to_string(root().join("grammar/model.pest")).expect("the grammar");
    let lines: Vec<&str> = grammar.lines().collect();
    let mut rules = 0;
    for (index, line) in lines.iter().enumerate() {
        let name: String = line.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if name.is_empty() || !line[name.len()..].trim_start().starts_with('=') {
            continue;
        }
        rules += 1;
        let above = index.checked_sub(1).map_or("", |above| lines[above]);
        assert!(above.starts_with("/// "), "grammar/model.pest:{}: the rule `{name}` has no comment", index + 1);
    }
    assert!(rules > 50, "only {rules} rules found");
}

/// The cases that answer complaints name tests; they are there, and no complaint is left out.
#[test]
fn tests_that_answer_complaints_are_there() {
    let text = fs::read_to_string(root().join("tests/suite/check/complaints.model")).expect("the cases");
    for number in 1..=20 {
        assert!(text.contains(&format!("# Complaint {number}")), "nothing answers complaint {number}");
    }
    let named = text.split('`').skip(1).step_by(2).filter(|code| code.contains("::") || code.contains('/'));
    let mut count = 0;
    for name in named {
        count += 1;
        let Some((module, test)) = name.rsplit_once("::") else {
            assert!(root().join(name).exists(), "there is no {name}");
            continue;
        };
        let path = root().join("tests").join(format!("{}.rs", module.replace("::", "/")));
        let file = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(file.contains(&format!("fn {test}(")), "there is no test {name}");
    }
    assert!(count >= 8, "only {count} names");
}

/// Diagnostics are made in `diag` alone, and no other file gives one words.
#[test]
fn sentences_for_the_user_stand_in_diag() {
    const MAKERS: [&str; 3] = ["Diagnostic::error(", "Diagnostic::warning(", "Diagnostic::without_place("];
    const WORDS: [&str; 11] = [
        ".here(\"",
        ".help(\"",
        ".note(\"",
        ".fix(\"",
        ".wrap(\"",
        ".here(format!",
        ".help(format!",
        ".note(format!",
        ".fix(format!",
        ".wrap(format!",
        "Label {",
    ];
    let mut wrong = Vec::new();
    let files = files("src", "rs").into_iter().filter(|(path, _)| !path.starts_with("src/diag/"));
    for (path, text) in files {
        for (number, line) in code(&text) {
            let makes = MAKERS.iter().chain(&WORDS).any(|maker| line.contains(maker));
            if makes {
                wrong.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "words for the user outside of src/diag:\n{}", wrong.join("\n"));
}
