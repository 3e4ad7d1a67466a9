//! The stages a suite case can run to: one line each.

use tensa::base::SourceMap;
use tensa::diag::Diagnostic;
use tensa::syntax::{ast, parse, print};

/// What came of a program.
#[derive(Default)]
pub struct Outcome {
    /// The texts that the diagnostics point into; the program is the first.
    pub sources: SourceMap,
    /// All that was told, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The text form of the stage, for stages that have one.
    pub text: Option<String>,
    /// What notes can ask for: `kernels` is `2`, `shape h` is `[batch, d: 10]`.
    pub facts: Vec<(String, String)>,
}

/// A stage by its name.
type Stage = (&'static str, fn(&str) -> Outcome);

/// All stages. A case names one in its head; a further stage is a further line.
const STAGES: &[Stage] = &[("parse", parse_stage), ("ast", ast_stage)];

/// The stage of this name.
pub fn find(name: &str) -> Option<fn(&str) -> Outcome> {
    STAGES.iter().find(|(known, _)| *known == name).map(|(_, run)| *run)
}

/// Reads a program under the name `case.model`.
pub fn read(text: &str) -> (SourceMap, ast::File, Vec<Diagnostic>) {
    let mut sources = SourceMap::default();
    let file = sources.add("case.model", text, false);
    let (tree, diagnostics) = parse::parse(file, text);
    (sources, tree, diagnostics.sorted())
}

/// Only what is told.
fn parse_stage(text: &str) -> Outcome {
    let (sources, _, diagnostics) = read(text);
    Outcome { sources, diagnostics, ..Outcome::default() }
}

/// The tree as text.
fn ast_stage(text: &str) -> Outcome {
    let (sources, tree, diagnostics) = read(text);
    Outcome { sources, diagnostics, text: Some(print::print(&tree)), ..Outcome::default() }
}
