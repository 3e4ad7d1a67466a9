//! Sources, transforms, splits and the loader.
//!
//! In: the tree of a `data` declaration and the files it names. Out: batches of named tensors, and
//! before anything runs the `Schema`: columns, axes, classes, row counts.
//!
//! ```text
//! ast::Data ─ spec::read ─▶ Spec ┐
//! files ─ source (csv, json, join, arrays, image; none for synthetic rows) ─▶ Table ─ series, split ─▶ rows of the parts
//!                                        └ eval (transform: fit on train, apply) ─▶ Dataset ─ loader ─▶ Batch
//! ```
//!
//! Nothing runs when a module is read, and nothing here knows a model. What is fitted on the training
//! rows is a value (`Fitted`) that travels with the model. Numbers and words are read before the first step;
//! pictures are read when a batch asks for them (`image`), on threads that run ahead of it (`ahead`). A window of a
//! series is a view of rows in memory (`series`), and a row of a text as long as it is (`text`), until a batch fills it up.

mod ahead;
mod align;
mod archive;
mod arrays;
mod calendar;
mod classes;
mod csv;
mod dataset;
mod element;
mod eval;
mod evaluation;
mod features;
mod files;
mod graph;
mod idx;
mod image;
mod join;
mod json;
mod load;
mod loader;
mod mend;
mod numpy;
mod order;
mod pairs;
#[cfg(feature = "parquet")]
mod parquet;
mod predict;
mod schema;
mod series;
mod source;
pub mod spec;
mod split;
mod table;
mod text;
mod tokens;
mod transform;

pub use dataset::Dataset;
pub use files::{Files, Folder, Memory};
pub use load::load;
pub use loader::{Batch, Loader, Target};
pub use predict::{Input, Rows};
pub use schema::{Axis, Column, ColumnType, Open, Part, Schema};
pub use spec::{Constant, Spec};
pub use text::Spelling;
pub use transform::{Fitted, Statistic};

use crate::diag::Diagnostic;

/// What reading files gives: the diagnostic is large beside what it stands in for.
pub type Checked<T> = Result<T, Box<Diagnostic>>;

fn refuse<T>(diagnostic: Diagnostic) -> Checked<T> {
    Err(Box::new(diagnostic))
}
