//! Columns while they are computed, and what computing them needs.
//!
//! The steps of the computation stand beside what they know (`classes`, `features`, `element`, `series`, `image`);
//! `eval` goes through the nodes of a declaration.

use std::borrow::Cow;
use std::sync::Arc;

use crate::base::Symbol;
use crate::diag::Diagnostics;

use super::image::{Boxes, Kinds, Maker, Pictures};
use super::series::View;
use super::spec::{Spec, WindowAxis};
use super::table::{Table, TableColumn};
use super::text::{Ragged, Spelling};
use super::transform::{Classes, Fitted, Form, Values};

/// A finished column: numbers without gaps, class numbers, rows of texts, or rows of one shape that are made later.
#[expect(clippy::large_enum_variant, reason = "there is one for each column")]
pub(super) enum Finished {
    Numbers(Values),
    Classes(Classes),
    Made(Maker, Form),
    Texts(Texts, Told),
}

/// Which of the things that are known of texts a column is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    Numbers,
    Present,
    Length,
}

impl Finished {
    /// Its form; that of a row of a text is not known before a batch.
    pub fn form(&mut self) -> Option<&mut Form> {
        match self {
            Finished::Numbers(values) => Some(&mut values.form),
            Finished::Classes(classes) => Some(&mut classes.form),
            Finished::Made(_, form) => Some(form),
            Finished::Texts(..) => None,
        }
    }
}

/// What computing needs.
pub(super) struct Evaluation<'a> {
    pub spec: &'a Spec,
    pub table: &'a Table,
    /// All tables of a graph; else none.
    pub tables: &'a [Table],
    /// Of random columns.
    pub seed: u64,
    /// The rows to fit on; none when everything is fitted.
    pub fit: Option<&'a [u32]>,
    /// What is fitted so far; fitting adds to it.
    pub fitted: &'a mut Fitted,
    pub diagnostics: &'a mut Diagnostics,
}

/// A column as it is computed.
#[derive(Clone)]
pub(super) enum Value<'t> {
    /// As the file has it.
    Cells(Vec<&'t TableColumn>, Form),
    Constant(f64),
    Numbers(Values),
    Classes(Classes),
    /// Words that are no cells.
    Words(Words<'t>),
    /// Several words a row.
    Sets(Sets),
    /// Rows that follow each other, as a view of all rows.
    Windows(Box<Value<'t>>, View, WindowAxis),
    /// As long in each row as it is there.
    Texts(Texts),
    /// Which places of texts are there.
    Present(Texts),
    /// How many are.
    Length(Texts),
    /// Made batch by batch; so are those below.
    Pictures(Pictures),
    Boxes(Boxes),
    Kinds(Kinds),
}

/// Texts as numbers.
#[derive(Clone)]
pub(super) struct Texts {
    pub rows: Arc<Ragged>,
    /// The axis they run along.
    pub along: Option<Symbol>,
    /// The axis that the numbers are positions of.
    pub axis: Option<Symbol>,
    /// The pieces by number.
    pub names: Vec<String>,
    pub spelling: Spelling,
    /// No row is longer, in whatever file.
    pub most: Option<usize>,
    /// The length that all rows are filled up to; else that of the longest in a batch.
    pub size: Option<usize>,
}

/// Words of all rows.
#[derive(Clone)]
pub(super) struct Words<'t> {
    pub form: Form,
    pub all: Vec<Cow<'t, str>>,
}

impl Words<'_> {
    /// Those of one row, which has `item` of them.
    pub fn of_row(&self, row: usize, item: usize) -> impl Iterator<Item = &str> {
        self.all[row * item..(row + 1) * item].iter().map(AsRef::as_ref)
    }
}

/// Words of each row, as many as there are.
#[derive(Clone)]
pub(super) struct Sets {
    pub words: Vec<String>,
    /// The end of each row among them.
    pub ends: Vec<usize>,
    pub classes: Option<SetClasses>,
}

/// The numbers of the words of sets.
#[derive(Clone)]
pub(super) struct SetClasses {
    pub data: Vec<i32>,
    pub axis: Option<Symbol>,
    pub size: usize,
    /// The words by number; empty where there are none.
    pub names: Vec<String>,
}

impl Sets {
    /// Where the words of a row are.
    pub fn range(&self, row: usize) -> std::ops::Range<usize> {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        start..self.ends[row]
    }

    /// The row of a word.
    pub fn row_of(&self, word: usize) -> usize {
        self.ends.partition_point(|end| *end <= word)
    }
}

/// What stands for a number that is not known. `impute` fills it; without, it is an error.
pub(super) fn is_missing(cell: &str) -> bool {
    matches!(cell, "" | "?") || ["na", "n/a", "nan", "null", "none"].iter().any(|word| cell.eq_ignore_ascii_case(word))
}
