//! The elaboration of expressions, calls and sections.
//!
//! `checker` the state of all of it · `expr` expressions · `arith` numbers and elementwise alignment ·
//! `pipe` stages, `_` and `stack` · `call` arguments and definitions · `facts` what `where` says, `fitting` numbers with which it would hold · `bind` signatures against
//! arguments, `result` the way back · `builtin` primitives · `views` primitives that move elements · `window` affine reading, `gather` reading where a tensor says · `scatter` reductions to places · `sort` orders · `derivative` derivatives by a name · `scan` loops, `stream` generators · `store` what is kept, `param` parameters and
//! states · `train` the section of a run, `columns` its inputs, `update` what a step computes and in which order, `total` sums over all parameters, `settings` what in it is no computation · `alone` definitions by their signatures, `induction` recursions there, `clause` those that give their gradient, on sizes that `draw` makes up · `literal` where a number stands, `mend` where an edit goes, `mend_values` values and definitions with the words around them, `mend_runs` lines of a run.

mod alone;
mod arith;
mod around;
mod attempt;
mod bind;
mod builtin;
mod call;
mod cast;
mod checker;
mod clause;
mod columns;
mod derivative;
mod draw;
mod expr;
mod facts;
mod fitting;
mod gather;
mod induction;
mod literal;
mod load;
mod mend;
mod mend_runs;
mod mend_values;
mod param;
mod pipe;
mod result;
mod scan;
mod scatter;
mod search;
mod section;
mod settings;
mod sort;
mod store;
mod stream;
mod suspect;
mod total;
mod train;
mod update;
mod views;
mod window;

use rustc_hash::FxHashMap;

use crate::base::Symbol;
use crate::diag::Diagnostics;
use crate::syntax::ast;
use crate::syntax::print::print_entry;

use super::clause::Clause;
use super::resolve::Globals;
use super::typed;
use super::value::Value;
use super::{DataFacts, Sources};

use checker::Checker;

/// Elaborates a whole program.
pub(super) fn program(sources: &Sources<'_>, facts: &dyn DataFacts) -> (typed::Program, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let globals = Globals::collect(sources, &mut diagnostics);
    let mut checker = Checker::new(sources, globals, facts, diagnostics);
    let mut program = typed::Program::default();
    for train in checker.globals.trains.clone() {
        program.trains.extend(checker.train(train));
    }
    for tree in checker.globals.searches.clone() {
        let Some(search) = checker.search(tree, &program.trains) else { continue };
        if let Some(first) = program.searches.iter().find(|known| known.train == search.train) {
            let varied: Vec<&str> = first.varied.iter().map(|varied| &*varied.name).collect();
            checker.report(crate::diag::search::searched_twice(search_lines(tree, &varied), tree.span, first.span));
            continue;
        }
        program.trains[search.train].settings.goals.push(search.goal.watch.clone());
        program.searches.push(search);
    }
    for source in [&sources.user].into_iter().chain(&sources.used) {
        checker.definitions_alone(source.tree);
        checker.unused_constants(source.file);
    }
    program.axes = checker.axes.names();
    program.axis_sizes = checker.axes.sizes().iter().map(|size| checker.sizes.resolve(size)).collect();
    program.sizes = checker.sizes.names();
    program.bindings = std::mem::take(&mut checker.bindings);
    for binding in &mut program.bindings {
        checker.finish_type(&mut binding.ty);
    }
    (program, checker.diagnostics)
}

/// The settings of `train` that this compiler has.
pub(super) fn settings() -> impl Iterator<Item = &'static str> {
    section::SETTINGS.iter().map(|(name, _)| *name)
}

/// The lines of a search that vary what is not varied yet.
fn search_lines(search: &ast::Search, varied: &[&str]) -> String {
    let is_new = |entry: &&ast::Entry| match entry {
        ast::Entry::Varied { name, .. } => {
            let path: Vec<&str> = name.iter().map(|ident| ident.name.as_str()).collect();
            !varied.contains(&&*path.join("."))
        }
        _ => false,
    };
    search.entries.iter().filter(is_new).map(|entry| format!("  {}\n", print_entry(entry))).collect()
}

/// Where no run is looked at.
struct NoData;

impl DataFacts for NoData {
    fn columns(&self, _: Symbol) -> Option<Vec<super::Column>> {
        None
    }
}

/// The functions of the user's files, or of the library, that give their gradient, on drawn sizes.
pub(super) fn clauses(sources: &Sources<'_>, of_library: bool) -> Vec<Clause> {
    let globals = Globals::collect(sources, &mut Diagnostics::default());
    let mut checker = Checker::new(sources, globals, &NoData, Diagnostics::default());
    let own = [&sources.user].into_iter().chain(&sources.used);
    match of_library {
        true => sources.std.iter().flat_map(|source| checker.clauses(source.tree)).collect(),
        false => own.flat_map(|source| checker.clauses(source.tree)).collect(),
    }
}

/// The numbers among the top-level `let`s.
pub(super) fn constants(sources: &Sources<'_>) -> FxHashMap<Symbol, f64> {
    let globals = Globals::collect(sources, &mut Diagnostics::default());
    let mut checker = Checker::new(sources, globals, &NoData, Diagnostics::default());
    let mut found = FxHashMap::default();
    for (name, constant) in checker.globals.constants(sources.user.file) {
        let number = match checker.constant(constant) {
            Value::Int(dim) => dim.as_const().map(|value| value as f64),
            Value::Float(value) => Some(value),
            Value::Bool(value) => Some(f64::from(u8::from(value))),
            _ => None,
        };
        found.extend(number.map(|number| (name, number)));
    }
    found
}
