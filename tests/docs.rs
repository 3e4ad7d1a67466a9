//! Pages and programs: every listing of the documentation does what the text around it says.

use std::fs;
use std::path::{Path, PathBuf};

use tensa::diag::{Code, Severity, explain};
use tensa::driver::Session;

use crate::support::stages;

/// What a program is told, as lines: code and message.
fn told(text: &str) -> Vec<String> {
    let (_, checked) = stages::check(text);
    let sorted = checked.diagnostics.sorted();
    sorted.iter().map(|told| format!("{} {}", told.code.as_str(), told.message)).collect()
}

fn errors(text: &str) -> Vec<String> {
    let (_, checked) = stages::check(text);
    let sorted = checked.diagnostics.sorted();
    let errors = sorted.iter().filter(|told| told.severity == Severity::Error);
    errors.map(|told| format!("{} {}", told.code.as_str(), told.message)).collect()
}

/// The broken example of a page shows its code first, the mended one checks. Pages of the data have tests of
/// their own, beside the files they speak of.
#[test]
fn pages_show_what_they_say() {
    let mut wrong = String::new();
    for &code in
        Code::ALL.iter().filter(|code| !matches!(code.as_str().get(..3), Some("E07")) && code.as_str() != "W0701")
    {
        let page = explain::page(code);
        let title = format!("# {}: {}\n", code.as_str(), code.title());
        if !page.starts_with(&title) {
            wrong.push_str(&format!("{}: the page does not begin with its title\n", code.as_str()));
        }
        let examples = explain::examples(page);
        // What happens while a program runs, or lies in the command line, has no program to show.
        if code.as_str().starts_with("E08") {
            continue;
        }
        if examples.broken.is_empty() || examples.mended.is_empty() {
            wrong.push_str(&format!("{}: the page lacks an example\n", code.as_str()));
        }
        for text in &examples.broken {
            let told = told(text);
            if told.first().is_none_or(|first| !first.starts_with(code.as_str())) {
                wrong.push_str(&format!("{}: broken shows {told:#?}\n", code.as_str()));
            }
        }
        for text in &examples.mended {
            let errors = errors(text);
            if !errors.is_empty() {
                wrong.push_str(&format!("{}: mended shows {errors:#?}\n", code.as_str()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The listings fenced as `model` in a page.
fn listings(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut listings = Vec::new();
    let mut listing: Option<String> = None;
    for line in text.lines() {
        match &mut listing {
            Some(done) if line == "```" => {
                listings.push(std::mem::take(done));
                listing = None;
            }
            Some(open) => {
                open.push_str(line);
                open.push('\n');
            }
            None if line == "```model" => listing = Some(String::new()),
            None => {}
        }
    }
    listings
}

/// Every listing of the documentation checks, beside the data of the examples.
#[test]
fn listings_check() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    let mut wrong = String::new();
    for page in ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "docs/language.md", "docs/cli.md"] {
        for listing in listings(&root.join(page)) {
            count += 1;
            let session = Session::new("listing.model", &listing, root.join("examples"));
            let told = session.check(None).diagnostics.sorted();
            let told: Vec<String> =
                told.iter().map(|told| format!("{} {}", told.code.as_str(), told.message)).collect();
            if !told.is_empty() {
                wrong.push_str(&format!("{page}: {told:#?} in\n{listing}\n"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    assert!(count >= 10, "only {count} listings");
}

/// Every definition of the library says what it is.
#[test]
fn the_library_is_documented() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("stdlib");
    let mut folders = vec![root];
    let mut wrong = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).expect("a readable file");
            let lines: Vec<&str> = text.lines().collect();
            for (at, line) in lines.iter().enumerate() {
                let word = line.split(' ').next().unwrap_or_default();
                let defines = ["fn", "layer", "loss", "metric", "optimizer", "schedule"].contains(&word);
                if defines && !(at > 0 && lines[at - 1].starts_with("## ")) {
                    wrong.push(format!("{}: {line}", path.display()));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}
