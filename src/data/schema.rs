//! What the rest of the program needs to know of the data before anything runs.
//!
//! In: evaluated columns. Out: plain facts, taken from the files and never assumed.

use crate::base::{Span, Symbol};

use super::text::Spelling;

/// The facts of a `data` declaration.
#[derive(Clone, PartialEq, Debug)]
pub struct Schema {
    /// The name of the declaration.
    pub name: Symbol,
    /// The columns it gives, in the order written.
    pub columns: Vec<Column>,
    /// How many rows each part has, in the order of `Part`.
    pub rows: [usize; 3],
    /// How many rows a training batch has; for `batch = whole` all of them.
    pub batch: usize,
}

/// A column of batches: `[batch, axes…]`, or of a graph, `[axes…]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    /// Its name in the program.
    pub name: Symbol,
    /// Where the declaration names it.
    pub span: Span,
    /// What its elements are.
    pub ty: ColumnType,
    /// The axes beside the batch.
    pub axes: Vec<Axis>,
    /// Whether each batch has all of it, and it has no axis of the batch: a column of a graph.
    pub whole: bool,
    /// The column it tells something about, whose axes it has: `ids` of `present(ids)`.
    pub of: Option<Symbol>,
}

/// What the elements of a column are.
#[derive(Clone, PartialEq, Debug)]
pub enum ColumnType {
    /// Floats.
    F32,
    /// Class numbers: positions of an axis.
    Index {
        /// The axis, where brackets named it; else the program binds it.
        axis: Option<Symbol>,
        /// How many classes there are.
        size: usize,
        /// Their words by number; empty when the file has numbers.
        names: Vec<String>,
        /// How several of them make a text.
        spelling: Spelling,
    },
    /// Truths: which places of another column are there.
    Truth,
    /// Whole numbers: how many places of another column are there.
    Count,
}

/// An axis of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Axis {
    /// Its name, where brackets gave one; else the model's signature names it.
    pub name: Option<Symbol>,
    /// Its size; where it is open, the largest of these rows.
    pub size: usize,
    /// Whether each batch has its own, the longest of its rows.
    pub open: Option<Open>,
}

/// An axis whose size each batch says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Open {
    /// No batch of whatever file has more: `truncate(512)`.
    pub most: Option<usize>,
}

/// A part of the split.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Part {
    /// What is trained on.
    Train,
    /// What is looked at after each epoch.
    Valid,
    /// What is looked at in the end.
    Test,
}

impl Part {
    /// All parts in order.
    pub const ALL: [Part; 3] = [Part::Train, Part::Valid, Part::Test];

    /// `train`, `valid`, `test`
    pub fn as_str(self) -> &'static str {
        super::spec::names::PARTS[self as usize]
    }
}

impl Schema {
    /// The column of a name.
    pub fn column(&self, name: Symbol) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// How many rows a part has; 0 when the split has none.
    pub fn rows(&self, part: Part) -> usize {
        self.rows[part as usize]
    }
}

impl Column {
    /// The sizes of an item, where those that are open have this one.
    pub fn shape_at(&self, open: Option<usize>) -> Vec<usize> {
        self.axes.iter().map(|axis| if axis.open.is_some() { open.unwrap_or(axis.size) } else { axis.size }).collect()
    }

    /// The sizes of an item.
    pub fn shape(&self) -> Vec<usize> {
        self.axes.iter().map(|axis| axis.size).collect()
    }
}

/// The rows of train, valid and test.
pub(super) type Parts = [Vec<u32>; 3];
