//! The commands that run nothing: `check`, `summary`, `emit`, `explain`, as a user calls them.

use std::path::PathBuf;
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

/// Runs `tensa` in the root of the repository.
fn tensa(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tensa"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(args).output().expect("a command that starts")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// A program in a file of its own.
fn program(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("net.model");
    std::fs::write(&path, text).expect("a writable folder");
    let name = path.display().to_string();
    (folder, name)
}

const MISSPELT: &str = "model Net(x: [batch, d]) -> [batch, h] {\n  x |> Dence(h: 8)\n}\n";

#[test]
fn check_says_what_is_fine() {
    let output = tensa(&["check", "examples/iris.model"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "examples/iris.model: no errors; trains Net on Iris (515 parameters)\n");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn check_shows_mistakes_on_stderr_plainly_when_piped() {
    let (_folder, name) = program(MISSPELT);
    let output = tensa(&["check", &name]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    let report = text(&output.stderr);
    assert!(report.starts_with("error[E0201]: nothing here is called `Dence`"), "{report}");
    assert!(report.contains("did you mean `Dense`?") && report.ends_with("1 error\n"), "{report}");
    assert!(!report.contains('\u{1b}'), "colours in a pipe");
}

#[test]
fn check_prints_json_for_tools() {
    let (_folder, name) = program(MISSPELT);
    let output = tensa(&["check", "--json", &name]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stderr), "");
    let lines: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["code"], "E0201");
    assert_eq!([&lines[0]["line"], &lines[0]["column"], &lines[0]["end_column"]], [2, 8, 13]);
    assert_eq!(lines[0]["help"][0]["edits"][0]["text"], "Dense");

    let fine = tensa(&["check", "--json", "examples/iris.model"]);
    assert_eq!((fine.status.code(), text(&fine.stdout)), (Some(0), ""));
}

#[test]
fn a_warning_fails_nothing() {
    let (_folder, name) = program("fn relu(x: [..]) -> [..] = max(x, 0.1 * x)\n");
    let output = tensa(&["check", &name]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stderr).starts_with("warning[W0201]"), "{}", text(&output.stderr));
}

#[test]
fn a_program_that_cannot_be_read_is_told() {
    let missing = tensa(&["check", "examples/iris.modle"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(
        text(&missing.stderr).starts_with("error[E0811]: cannot read `examples/iris.modle`"),
        "{}",
        text(&missing.stderr)
    );
    let json = tensa(&["check", "--json", "examples/iris.modle"]);
    let line: Value = serde_json::from_str(text(&json.stdout)).expect("one line of JSON");
    assert_eq!((&line["code"], &line["file"]), (&Value::from("E0811"), &Value::Null));

    let (folder, name) = program("");
    std::fs::write(folder.path().join("net.model"), b"let a = \xff").expect("a writable folder");
    let binary = tensa(&["check", &name]);
    assert_eq!(binary.status.code(), Some(1));
    assert!(text(&binary.stderr).contains("is not UTF-8 text"), "{}", text(&binary.stderr));
}

#[test]
fn set_replaces_constants_and_settings() {
    let (_folder, name) = program("let width = 8\nmodel Net(x: [batch, d]) = x |> Dense(h: width)\n");
    assert_eq!(tensa(&["check", &name, "--set", "width=16"]).status.code(), Some(0));
    assert_eq!(tensa(&["check", &name, "--set", "width=2.5"]).status.code(), Some(1));
    let unknown = tensa(&["check", &name, "--set", "widht=16"]);
    assert_eq!(unknown.status.code(), Some(1));
    let report = text(&unknown.stderr);
    assert!(report.contains("E0812") && report.contains("did you mean `width`?"), "{report}");
    let form = tensa(&["check", &name, "--set", "width"]);
    assert_eq!(form.status.code(), Some(2));
    assert!(text(&form.stderr).contains("NAME=VALUE"), "{}", text(&form.stderr));
}

#[test]
fn summary_lists_layers_and_parameters() {
    let output = tensa(&["summary", "--params", "examples/iris.model"]);
    assert_eq!(output.status.code(), Some(0));
    let rows: Vec<Vec<&str>> = text(&output.stdout).lines().map(|line| line.split_whitespace().collect()).collect();
    let expected: [&[&str]; 5] = [
        &["Net.Dense", "Dense", "[batch,", "feature:", "64]", "320", "512", "1_536"],
        &["Net.Dropout", "Dropout", "[batch,", "feature:", "64]", "256"],
        &["Net.Dense.1", "Dense", "[batch,", "class:", "3]", "195", "384", "792"],
        &["Net.Dense.1.w", "[i:", "64,", "out:", "3]", "192"],
        &["515", "parameters,", "2_060", "bytes"],
    ];
    for row in expected {
        assert!(rows.iter().any(|found| found == row), "{row:?} is not in\n{}", text(&output.stdout));
    }
}

#[test]
fn every_stage_has_a_text() {
    for stage in ["ast", "typed", "graph", "canon", "grad", "step", "opt", "fused", "kernel", "plan", "clif", "asm"] {
        let output = tensa(&["emit", "--stage", stage, "examples/iris.model"]);
        assert_eq!(output.status.code(), Some(0), "{stage}: {}", text(&output.stderr));
        assert!(text(&output.stdout).lines().count() > 5, "{stage}");
    }
    // The peak of a plan grows with the batch.
    let peak = |batch: &str| {
        let output = tensa(&["emit", "--stage", "plan", "--batch", batch, "examples/iris.model"]);
        let last = text(&output.stdout).lines().last().expect("a last line").to_owned();
        assert!(last.ends_with(&format!("for batch = {batch}")), "{last}");
        last.split(' ').nth(2).and_then(|bytes| bytes.parse::<u64>().ok()).expect("a number")
    };
    assert!(peak("64") > peak("8"));
}

#[test]
fn emit_shows_what_could_be_read_and_names_runs() {
    let (_folder, name) = program("let a = 1\nlet b = (2\n");
    let broken = tensa(&["emit", "--stage", "ast", &name]);
    assert_eq!(broken.status.code(), Some(1));
    assert!(text(&broken.stdout).starts_with("let a = 1"), "{}", text(&broken.stdout));
    let known = tensa(&["emit", "--stage", "opt", "--train", "Net", "examples/iris.model"]);
    assert_eq!(known.status.code(), Some(0));
    let unknown = tensa(&["emit", "--stage", "opt", "--train", "Nat", "examples/iris.model"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("the program trains Net"), "{}", text(&unknown.stderr));
}

#[test]
fn explain_prints_the_page_of_a_code() {
    let output = tensa(&["explain", "e0301"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).starts_with("# E0301: an axis has two sizes\n"));
    let all = tensa(&["explain"]);
    assert_eq!(text(&all.stdout).lines().count(), tensa::diag::Code::ALL.len());
    let unknown = tensa(&["explain", "E9999"]);
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn a_wrong_command_line_is_refused() {
    assert_eq!(tensa(&[]).status.code(), Some(2));
    assert_eq!(tensa(&["chekc", "a.model"]).status.code(), Some(2));
    assert_eq!(tensa(&["emit", "examples/iris.model", "--stage", "magic"]).status.code(), Some(2));
    let help = tensa(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    for word in ["check", "summary", "graph", "emit", "explain", "lsp"] {
        assert!(text(&help.stdout).contains(word), "{word}");
    }
}

/// The way of the README on a fresh machine is the way of the examples' folder.
#[test]
fn examples_check() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples");
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "model") {
            let output = tensa(&["check", &path.display().to_string()]);
            assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        }
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tensa"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["emit", "--stage", "asm", "examples/iris.model"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().expect("a command that starts");
    // Whoever reads has seen enough before anything came.
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("a command that ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

#[test]
fn messages_that_nobody_reads_stop_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wrong.model");
    std::fs::write(&path, "fn f(x: [..]) -> [..] = widht\n").unwrap();
    for (program, code) in [(path.to_str().unwrap(), 1), ("examples/iris.model", 0)] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tensa"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["check", program]);
        let mut child = command.stderr(std::process::Stdio::piped()).spawn().expect("a command that starts");
        drop(child.stderr.take());
        assert_eq!(child.wait().expect("a command that ends").code(), Some(code), "{program}");
    }
}
