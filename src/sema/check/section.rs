//! The section of a run while it is elaborated: its settings, its lines, its losses. What is done with them stands in
//! `train` and `update`.

use rustc_hash::FxHashMap;

use crate::base::{Span, Symbol};
use crate::sema::typed::Section;
use crate::sema::value::{Scope, Value};
use crate::syntax::ast::{self, UpdateTarget};
use crate::syntax::print::print_expr;

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

/// A setting of several names as one of each.
pub(super) fn apart(setting: &ast::Setting) -> String {
    let value = print_expr(&setting.value);
    let lines: Vec<String> = setting.names.iter().map(|ident| format!("{} = {value}", ident.name)).collect();
    lines.join("\n  ")
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
