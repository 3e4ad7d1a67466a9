//! Rows to predict on: another file, with what was fitted before.
//!
//! In: a `Spec`, fitted statistics, the path of a file of the same kind as the source, and the columns
//! that reach `predict`. Out: those columns of all rows. Nothing else of the file is looked at: labels
//! may be absent. For pictures the path is that of one, or of a folder with pictures at any depth.

use crate::base::Symbol;
use crate::diag::{Diagnostics, contents, data};
use crate::tensor::Tensor;

use super::Checked;
use super::dataset::{Stored, evaluate, selectors};
use super::files::Files;
use super::load::read;
use super::loader::{Batch, gather};
use super::schema::Column;
use super::series;
use super::spec::{Arrays, EntrySpec, Format, NodeId, Selector, Source, SourceFile, Spec};
use super::transform::Fitted;

/// Where the rows are.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// One file or folder: a table, pictures, an archive, or the one array that is needed of several.
    Path(String),
    /// Files by the column they hold.
    Named(Vec<(String, String)>),
}

/// Columns of all rows of a file, in the order of the file.
#[derive(Clone, Debug)]
pub struct Rows {
    rows: Vec<u32>,
    columns: Vec<Column>,
    paths: Vec<String>,
    stored: std::sync::Arc<super::dataset::Store>,
}

impl Rows {
    /// Reads the columns that are wanted. What is wrong goes to `diagnostics`.
    pub fn load(
        spec: &Spec,
        fitted: &Fitted,
        input: &Input,
        wanted: &[Symbol],
        files: &dyn Files,
        diagnostics: &mut Diagnostics,
    ) -> Option<Rows> {
        let source = spec.source.as_ref().filter(|_| !spec.broken)?;
        let entry = |name: &Symbol| spec.entries.iter().find(|entry| entry.name.name == *name);
        let wanted: Vec<&EntrySpec> = wanted.iter().filter_map(entry).collect();
        let selected = selectors(spec, &wanted);
        let source = replaced(source, &selected, input, diagnostics)?;
        let mut table = read(spec, &source, &selected, (files, fitted), diagnostics)?;
        let nodes: Vec<NodeId> = wanted.iter().map(|entry| entry.node).collect();
        let rows = series::anchors(spec, &nodes, &mut table, diagnostics)?.rows;
        let (stored, columns) = evaluate(spec, (&table, &[], 0), None, &wanted, &mut fitted.clone(), diagnostics)?;
        let paths = table.paths(source.format);
        Some(Rows { rows, columns, paths, stored })
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none; a file without rows is an error when it is read.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What the columns are.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The file of each row, for pictures; else none.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// The end of the rows from `start` on, at most so many, that need no filling up: what is predicted at each place of
    /// a text is then of that text.
    pub fn alike(&self, start: usize, most: usize) -> usize {
        let open = self.stored.open.iter().flatten();
        let of = |row: usize| open.clone().map(move |lengths| lengths[self.rows[row] as usize]);
        (start + 1..self.len().min(start + most))
            .find(|row| of(*row).ne(of(start)))
            .unwrap_or(self.len().min(start + most))
    }

    /// The rows `start..end`, as far as there are any. An error is that of a picture.
    pub fn batch(&self, start: usize, end: usize) -> Checked<Batch> {
        let (start, end) = (start.min(self.len()), end.min(self.len()));
        let chosen = &self.rows[start..end.max(start)];
        let rows = chosen.len();
        let stored = self.stored.columns.iter().zip(&self.stored.views);
        let columns = self.columns.iter().zip(stored).enumerate().map(|(at, (column, (stored, view)))| -> Checked<_> {
            let mut shape = column.shape_at(self.stored.open_size(at, chosen));
            let item: usize = shape.iter().product();
            shape.insert(0, rows);
            let tensor = match stored {
                Stored::F32(all) => Tensor::from_f32(&shape, gather(all, chosen, (*view, item))),
                Stored::I32(all) => Tensor::from_i32(&shape, gather(all, chosen, (*view, item))),
                Stored::Made(maker) => {
                    let mut numbers = vec![0.0; rows * item];
                    maker.write(chosen, None, &mut numbers)?;
                    maker.tensor(&shape, numbers)
                }
                Stored::Texts(..) => {
                    let mut numbers = vec![0; rows * item];
                    stored.write_texts(chosen, item, &mut numbers).expect("there is room for the rows");
                    Tensor::from_i32(&shape, numbers)
                }
            };
            Ok((column.name, tensor.expect("a batch has as many numbers as its rows have")))
        });
        Ok(Batch { rows, columns: columns.collect::<Checked<_>>()? })
    }
}

/// The source with the paths of the input. A path from the command line has no place in the program.
fn replaced(source: &Source, selected: &[&Selector], input: &Input, diagnostics: &mut Diagnostics) -> Option<Source> {
    let is_used = |file: &&SourceFile| selected.iter().any(|selector| selector.first == file.column);
    let files = match (source.format, input) {
        (
            Format::Table { .. }
            | Format::Json
            | Format::Parquet
            | Format::Text(_)
            | Format::Lines
            | Format::Arrays(Arrays::Npz)
            | Format::Images { .. }
            | Format::Files,
            input,
        ) => match input {
            Input::Path(path) => vec![at(path, "")],
            Input::Named(named) => vec![at(&named.first()?.1, "")],
        },
        (Format::Synthetic(_) | Format::Graph, _) => {
            diagnostics.push(data::nothing_to_read(source.format == Format::Graph));
            return None;
        }
        (Format::Arrays(Arrays::Idx | Arrays::Npy) | Format::Pairs, Input::Named(named)) => {
            named.iter().map(|(column, path)| at(path, column)).collect()
        }
        (Format::Arrays(Arrays::Idx | Arrays::Npy) | Format::Pairs, Input::Path(path)) => {
            let used: Vec<&SourceFile> = source.files.iter().filter(is_used).collect();
            match used.as_slice() {
                [file] => vec![at(path, &file.column)],
                _ => {
                    let names: Vec<&str> = used.iter().map(|file| file.column.as_str()).collect();
                    diagnostics.push(contents::several_files(&names));
                    return None;
                }
            }
        }
    };
    let format = match source.format {
        Format::Images { .. } => Format::Images { labels: false, parts: None },
        format @ (Format::Table { .. }
        | Format::Json
        | Format::Parquet
        | Format::Text(_)
        | Format::Lines
        | Format::Pairs
        | Format::Arrays(_)
        | Format::Files
        | Format::Graph
        | Format::Synthetic(_)) => format,
    };
    Some(Source { format, files, tables: Vec::new(), steps: source.steps.clone() })
}

fn at(path: &str, column: &str) -> SourceFile {
    SourceFile { column: column.to_owned(), path: path.to_owned(), span: None }
}
