//! Pages and programs: every listing of the documentation does what the text around it says.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tensa::backend::interp::Interp;
use tensa::diag::{Code, Severity, explain};
use tensa::driver::{self, Session};
use tensa::ir::DType;

use crate::support::models::{self, Alone};
use crate::support::{stages, steps};

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

/// What is told of the gradients that a program gives.
fn differing(text: &str) -> Vec<String> {
    let (session, checked) = stages::check(text);
    assert!(checked.diagnostics.is_empty(), "{text}");
    let told = session.gradients(false).into_iter().filter_map(|report| report.diagnostic());
    told.map(|told| format!("{} {}", told.code.as_str(), told.message)).collect()
}

/// What is told of the run of a program.
fn run(text: &str) -> Vec<String> {
    let outcome = stages::find("run").expect("a stage of the suite")(text);
    outcome.diagnostics.iter().map(|told| format!("{} {}", told.code.as_str(), told.message)).collect()
}

/// The broken example of a page shows its code first, the mended one checks. Pages of the data have tests of
/// their own, beside the files they speak of.
#[test]
fn pages_show_what_they_say() {
    let mut wrong = String::new();
    for &code in Code::ALL.iter().filter(|code| code.as_str().get(1..3) != Some("07")) {
        let page = explain::page(code);
        let title = format!("# {}: {}\n", code.as_str(), code.title());
        if !page.starts_with(&title) {
            wrong.push_str(&format!("{}: the page does not begin with its title\n", code.as_str()));
        }
        let examples = explain::examples(page);
        // What lies in files or in the command line has no program to show.
        let is_of_run = code.as_str().starts_with("E08");
        if is_of_run && examples.broken.is_empty() {
            continue;
        }
        if examples.broken.is_empty() || examples.mended.is_empty() {
            wrong.push_str(&format!("{}: the page lacks an example\n", code.as_str()));
        }
        for text in &examples.broken {
            let told = match code {
                Code::E0408 => differing(text),
                _ if is_of_run => run(text),
                _ => told(text),
            };
            if told.first().is_none_or(|first| !first.starts_with(code.as_str())) {
                wrong.push_str(&format!("{}: broken shows {told:#?}\n", code.as_str()));
            }
        }
        for text in &examples.mended {
            let errors = match code {
                Code::E0408 => differing(text),
                _ if is_of_run => run(text),
                _ => errors(text),
            };
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
    for page in
        ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "docs/language.md", "docs/cli.md", "docs/tutorial.md"]
    {
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

/// What the commands of the tutorial print is what it shows: each `sh` listing runs with the program above it as
/// `net.model`, beside the data of the examples and the listing fenced as `blocks`. `./bless docs` writes what they
/// print.
#[test]
fn the_tutorial_shows_what_commands_print() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let page = root.join("docs/tutorial.md");
    let text = fs::read_to_string(&page).expect("the tutorial");
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("data")).expect("a folder for the data");
    fs::copy(root.join("examples/data/iris.csv"), folder.path().join("data/iris.csv")).expect("the data");
    let (mut printed, mut shown) = (None, String::new());
    let mut count = 0;
    // A fence stands at the start of a line; what is printed may have some within its lines.
    for (index, part) in text.split("\n```").enumerate() {
        let (word, body) = if index % 2 == 1 { part.split_once('\n').unwrap_or((part, "")) } else { ("", part) };
        let mut kept = part.to_owned();
        match word {
            "model" | "broken" | "program" => fs::write(folder.path().join("net.model"), body).expect("a program"),
            "blocks" => fs::write(folder.path().join("blocks.model"), body).expect("a program"),
            "sh" => {
                let words: Vec<&str> = body.split_whitespace().skip(1).collect();
                let mut command = Command::new(env!("CARGO_BIN_EXE_tensa"));
                let output =
                    command.current_dir(folder.path()).env("NO_COLOR", "1").args(words).output().expect("a run");
                let all = [output.stdout, output.stderr].concat();
                printed = Some(String::from_utf8(all).expect("a text"));
                count += 1;
            }
            "text" => kept = format!("text\n{}", printed.take().expect("a command above what it prints").trim_end()),
            _ => {}
        }
        shown.push_str(if index == 0 { "" } else { "\n```" });
        shown.push_str(&kept);
    }
    assert!(count >= 5, "only {count} commands");
    if std::env::var_os("TENSA_BLESS").is_some() {
        fs::write(&page, shown).expect("the tutorial");
        return;
    }
    assert_eq!(shown, text);
}

/// A definition of the library with the comment above it.
struct Documented {
    place: String,
    comment: Vec<String>,
}

/// All definitions of the library.
fn library() -> Vec<Documented> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("stdlib");
    let mut folders = vec![root];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).expect("a readable file");
            let mut comment = Vec::new();
            for line in text.lines() {
                if let Some(line) = line.strip_prefix("##") {
                    comment.push(line.strip_prefix(' ').unwrap_or(line).to_owned());
                    continue;
                }
                let comment = std::mem::take(&mut comment);
                let word = line.split(' ').next().unwrap_or_default();
                if ["fn", "layer", "loss", "metric", "optimizer", "schedule"].contains(&word) {
                    found.push(Documented { place: format!("{}: {line}", path.display()), comment });
                }
            }
        }
    }
    found
}

impl Documented {
    /// The listing of its comment fenced so.
    fn example(&self, fence: &str) -> Option<String> {
        let opening = format!("```{fence}");
        let from = self.comment.iter().position(|line| *line == opening)? + 1;
        let lines = self.comment[from..].iter().take_while(|line| *line != "```");
        Some(lines.map(|line| format!("{line}\n")).collect())
    }
}

/// Every definition of the library says what it is and shows it. A step of training of what it shows computes numbers,
/// and the kernels compute the same.
#[test]
fn the_library_is_documented() {
    let mut wrong = String::new();
    for definition in library() {
        if definition.comment.first().is_none_or(|line| line.starts_with("```")) {
            writeln!(wrong, "{} is not documented", definition.place).unwrap();
            continue;
        }
        let model = definition.example("model");
        let lines = definition.example("train");
        let text = match (&model, &lines) {
            (Some(model), _) => model,
            (None, Some(_)) => "model M(x: [batch, d: 4]) -> [batch, e: 3] = x |> Dense(e: 3)\n",
            (None, None) => {
                writeln!(wrong, "{} has no example", definition.place).unwrap();
                continue;
            }
        };
        match models::open(text, &lines.unwrap_or_default()) {
            Ok(model) => {
                if let Err(fault) = agrees(&model) {
                    writeln!(wrong, "{}: {fault} in\n{text}", definition.place).unwrap();
                }
            }
            Err(told) => writeln!(wrong, "{}: {told} in\n{text}", definition.place).unwrap(),
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Whether the kernels of a step compute what the graph does, all of it finite.
fn agrees(model: &Alone) -> Result<(), String> {
    let graph = &model.stages.opt;
    let given = steps::rounded(model.given.clone());
    let exact = model.step();
    let kernels = steps::run(graph, &Arc::new(driver::kernels(graph)), &Interp, &given).expect("sizes in range");
    for ((role, exact), (_, words)) in exact.iter().zip(kernels) {
        let got: Vec<f64> = words.into_iter().map(|word| steps::element(word, DType::F32)).collect();
        let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
        let size = norm(&mut exact.data.iter().copied());
        let off = norm(&mut exact.data.iter().zip(&got).map(|(exact, got)| exact - got));
        // The deepest net of the library loses four digits of f32.
        if !size.is_finite() || off > 1e-3 * size + 1e-6 {
            return Err(format!("{role:?} has the norm {size}, and the kernels are off by {off}"));
        }
    }
    Ok(())
}
