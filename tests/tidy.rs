//! Rules of the house that no compiler checks: who may import whom, how long a file may be, where `unsafe`
//! stands, and that every code and every grammar rule is explained and tested.

use std::fs;
use std::path::{Path, PathBuf};

use tensa::diag::Code;

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
    ("driver", BELOW_DRIVER),
    // The training loop holds what the phases made: it names their types and runs none of them.
    ("train", &["driver", "runtime", "data", "tensor", "sema", "lower", "ir", "kernel", "backend"]),
    ("ide", &["driver", "syntax", "sema"]),
    ("lsp", &["ide"]),
    // Commands stand on top of the house and may show any part of it.
    ("cli", EVERYTHING),
];

/// All phases, which the driver puts in order.
const BELOW_DRIVER: &[&str] = &[
    "tensor", "syntax", "ir", "ops", "sema", "lower", "canon", "autodiff", "opt", "fuse", "step", "kernel", "backend",
    "runtime", "data", "lint",
];

/// All that lies below the commands.
const EVERYTHING: &[&str] = &[
    "tensor", "syntax", "ir", "ops", "sema", "lower", "canon", "autodiff", "opt", "fuse", "step", "kernel", "backend",
    "runtime", "data", "lint", "driver", "train", "ide", "lsp",
];

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
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("{path}: the module `{module}` has no row in the table of tests/tidy.rs"));
            continue;
        };
        for (number, line) in code(&text) {
            for import in imported(line) {
                let is_module = MAY_IMPORT.iter().any(|(name, _)| *name == import);
                let base = EVERYWHERE.contains(&import)
                    && (module == "diag" && import == "base" || !EVERYWHERE.contains(&module));
                if is_module && import != module && !base && !allowed.contains(&import) {
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

#[test]
fn every_code_has_its_page_and_a_test() {
    let cases: String = files("tests", "model").into_iter().map(|(_, text)| text).collect();
    // This file names no code, so it cannot stand in for a test.
    let tests: String = files("tests", "rs").into_iter().map(|(_, text)| text).collect();
    // The unit tests at the end of a file count too.
    let units =
        files("src", "rs").into_iter().filter_map(|(_, text)| Some(text.split_once("#[cfg(test)]")?.1.to_owned()));
    let tests: String = units.chain([tests]).collect();
    let mut wrong = Vec::new();
    for &code in Code::ALL {
        let name = code.as_str();
        let page = code.page();
        if !page.starts_with(&format!("# {name}: ")) || page.lines().count() < 5 {
            wrong.push(format!("src/diag/explain/{name}.md: a page begins with `# {name}: …` and says what it means"));
        }
        if !["## Broken", "## Mended"].iter().all(|heading| page.contains(heading)) {
            wrong.push(format!("src/diag/explain/{name}.md: `## Broken` or `## Mended` is missing"));
        }
        if !cases.contains(name) && !tests.contains(name) {
            wrong.push(format!("{name}: no suite case and no test mentions it"));
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
    const WORDS: [&str; 7] =
        [".here(\"", ".help(\"", ".note(\"", ".here(format!", ".help(format!", ".note(format!", "Label {"];
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
