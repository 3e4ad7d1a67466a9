//! Names, kinds, axes and sizes: the tree becomes a typed program.
//!
//! In: the trees of the user's file and of the standard library, and the facts of the data. Out: a
//! `typed::Program` whose every expression has named axes with identity, and diagnostics.
//!
//! The check *elaborates*: each use of a definition runs its body on the types of that use, so sizes,
//! kinds and static values flow through layers as they do through arithmetic, and what is static
//! (`if`, `stack`, configuration) is gone afterwards. A definition that nothing uses is elaborated on
//! opaque arguments. A mistake becomes one diagnostic and an `Error` value that silences its followers.
//!
//! `resolve` what a name means at the top level · `dims` sizes and their unification · `axes` identity
//! of axes · `primitive` what no definition spells
//! out · `value` what an expression is while it is elaborated, and what it sees · `check` the elaboration · `typed`
//! its result, with `settings` what a run is told beside, `search` what a search varies, `load` what a file gives and `clause` a function whose gradient is tried · `text` its printed form. Nothing here knows positions of axes, files or devices.

mod axes;
mod check;
pub mod clause;
mod dims;
pub mod dtype;
pub mod glob;
pub mod load;
mod primitive;
mod resolve;
pub mod search;
mod settings;
mod text;
pub mod typed;
mod value;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::{FileId, Span, Symbol};
use crate::diag::Diagnostics;
use crate::syntax::ast;

pub use text::{print, show_type};

/// One parsed file.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// Which.
    pub file: FileId,
    /// Its tree.
    pub tree: &'a ast::File,
}

/// What the check starts from.
pub struct Sources<'a> {
    /// The standard library, which sees only itself.
    pub std: Vec<Source<'a>>,
    /// The user's file.
    pub user: Source<'a>,
    /// The files it uses, and those that they use.
    pub used: Vec<Source<'a>>,
    /// The file that each `use` means, by its place; one that means none has been told.
    pub uses: &'a FxHashMap<Span, FileId>,
    /// Files in which names may be missing: what they use could not be read whole.
    pub incomplete: &'a FxHashSet<FileId>,
    /// Values from the command line for top-level `let`s and settings of `train`.
    pub overrides: &'a FxHashMap<Symbol, ast::Expr>,
}

/// What the check asks of the data; the driver answers.
pub trait DataFacts {
    /// The columns of a `data` declaration, or none when they could not be read (reported elsewhere).
    fn columns(&self, data: Symbol) -> Option<Vec<Column>>;
}

/// A column as the model sees it, with the batch axis in front.
#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    /// Its name in the `data` declaration.
    pub name: Symbol,
    /// Whether the batch axis stands in front; a column of a graph has none.
    pub batched: bool,
    /// The axes beside the batch: the name given in brackets, and the size.
    pub axes: Vec<(Option<Symbol>, ColumnSize)>,
    /// What its elements are.
    pub elements: Elements,
    /// The column that it tells something about, and whose axes it has: `ids` of `present(ids)`.
    pub of: Option<Symbol>,
}

/// The size of an axis of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColumnSize {
    /// The same in all rows.
    Known(i64),
    /// Each batch has its own, of 1 at least.
    Open {
        /// The largest in the data at hand.
        longest: i64,
        /// That of all data, where it is known.
        most: Option<i64>,
    },
}

/// What the elements of a column are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Elements {
    /// Floats.
    Floats,
    /// Whole numbers below the size of an axis: its name and its size.
    Index(Option<Symbol>, i64),
    /// Truths.
    Truths,
    /// Whole numbers.
    Counts,
}

/// Checks a program. The result holds what could be typed; it is whole when there is no error.
pub fn check(sources: &Sources<'_>, facts: &dyn DataFacts) -> (typed::Program, Diagnostics) {
    check::program(sources, facts)
}

/// The static values of the top-level `let`s of the user's file, for the `data` section.
pub fn constants(sources: &Sources<'_>) -> FxHashMap<Symbol, f64> {
    check::constants(sources)
}

/// The functions of the user's files, or of the library, that give their gradient themselves, on drawn sizes. The
/// program has been checked.
pub fn clauses(sources: &Sources<'_>, of_library: bool) -> Vec<clause::Clause> {
    check::clauses(sources, of_library)
}

/// The names of the settings of `train`.
pub fn settings() -> impl Iterator<Item = &'static str> {
    check::settings()
}
