//! The section of a run while it is elaborated: its settings, its lines, its losses. What is done with them stands in
//! `train` and `update`.

use rustc_hash::FxHashMap;

use crate::base::{Span, Symbol};
use crate::diag::train as told;
use crate::sema::typed::Section;
use crate::sema::value::{Scope, Value};
use crate::syntax::ast::{self, UpdateTarget};
use crate::syntax::print::print_expr;

use super::checker::Checker;

/// The settings of `train`, with whether other lines may speak of their values.
pub(super) const SETTINGS: &[(&str, bool)] = &[
    ("predict", true),
    ("loss", true),
    ("metrics", true),
    ("optimizer", true),
    ("epochs", true),
    ("steps", true),
    ("seed", true),
    ("stop", true),
    ("keep", true),
    ("clip", true),
    ("checkpoint", false),
    ("accumulate", true),
    ("precision", false),
    ("ema", true),
    ("freeze", true),
    ("init", false),
    ("log", false),
    ("device", false),
];

/// The lines of a section by the names they bind.
#[derive(Default)]
pub(super) struct Lines<'a> {
    pub settings: FxHashMap<Symbol, (&'a ast::Expr, Span)>,
    /// The `update` blocks in order.
    pub blocks: Vec<Block<'a>>,
    pub lets: Vec<&'a ast::Let>,
    /// Which `let` binds a name.
    pub bound: FxHashMap<Symbol, usize>,
}

/// One mode of a section while it is elaborated.
pub(super) struct Mode<'a> {
    pub scope: Scope<'a>,
    /// Settings evaluated; none while one is being found.
    pub values: FxHashMap<Symbol, Option<Value<'a>>>,
    pub lets_done: Vec<bool>,
}

/// An `update` block.
pub(super) struct Block<'a> {
    pub targets: &'a [UpdateTarget],
    pub settings: FxHashMap<Symbol, (&'a ast::Expr, Span)>,
    pub span: Span,
}

/// A loss of a step; none of the blocks for that of the section.
#[derive(Clone)]
pub(super) struct Planned {
    pub block: Option<usize>,
    /// What it is reported under; empty when it is the only one.
    pub name: String,
}

/// What a loss came to.
pub(super) struct Lost {
    pub planned: Planned,
    pub section: Section,
}

impl<'a> Checker<'a> {
    /// The names of a setting, of which there should be one; with several, each is taken for one of its own.
    pub(super) fn names_of(&mut self, setting: &'a ast::Setting) -> &'a [ast::Ident] {
        if setting.names.len() > 1 {
            let value = print_expr(&setting.value);
            let lines: Vec<String> = setting.names.iter().map(|ident| format!("{} = {value}", ident.name)).collect();
            self.report(told::one_name_per_setting(setting.span, &lines.join("\n  ")));
        }
        &setting.names
    }
}
