//! The rows of one source, read once: the columns that are used, as the files have them.
//!
//! In: a source and the columns wanted of it. Out: a `Table`. A range of columns is resolved against the
//! header here, and what is missing is reported with the nearest name.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::Span;
use crate::diag::data::Cell;
use crate::diag::{Diagnostics, contents};

use super::csv::TextColumn;
use super::files::Files;
use super::idx::NumberColumn;
use super::spec::{Format, Selector};
use super::{Checked, refuse};

/// Rows with named columns.
pub(super) struct Table {
    pub rows: usize,
    /// The path of the file the rows come from.
    file: String,
    /// As many as the header has; those nobody wants are not read.
    columns: Vec<Option<TableColumn>>,
    header: Vec<String>,
    places: Places,
    /// The way to the files that its cells name, and where the program names its own; there once it is read.
    pub origin: Option<(Arc<dyn Files>, Option<Span>)>,
    /// The part of each row, as a place in `names::PARTS`, where folders say it; else empty.
    pub parts: Vec<u8>,
}

/// Where the rows of a table stand in a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// The row of each, from 0; empty when they stand as they are.
    pub rows: Vec<u32>,
    /// The line of each; empty for binary files.
    pub lines: Vec<u64>,
}

/// The row of no file.
pub(super) const NOWHERE: u32 = u32::MAX;

/// A column of a table.
pub(super) struct TableColumn {
    pub name: String,
    /// The path of its file.
    pub file: String,
    pub cells: Cells,
    /// Where its cells stand, when that is another file than that of the rows.
    pub places: Option<Arc<Places>>,
}

/// The cells of a column.
pub(super) enum Cells {
    Text(TextColumn),
    Numbers(NumberColumn),
}

impl Table {
    /// Rows without columns yet.
    pub fn new(rows: usize, header: Vec<String>, file: String, places: Places) -> Table {
        let columns = header.iter().map(|_| None).collect();
        Table { rows, file, columns, header, places, origin: None, parts: Vec::new() }
    }

    /// The column at a place of the header.
    pub fn put(&mut self, at: usize, column: TableColumn) {
        self.columns[at] = Some(column);
    }

    /// Only these rows, in this order.
    pub fn gather(&mut self, rows: &[u32]) {
        for column in self.columns.iter_mut().flatten() {
            column.cells = match &column.cells {
                Cells::Text(cells) => Cells::Text(cells.gather(rows)),
                Cells::Numbers(numbers) => Cells::Numbers(numbers.gather(rows)),
            };
            column.places = column.places.take().map(|places| Arc::new(places.gather(rows)));
        }
        self.places = self.places.gather(rows);
        self.rows = rows.len();
    }

    /// The columns that selectors which were wanted of this table name.
    pub fn select(&self, selectors: &[Selector]) -> Vec<&TableColumn> {
        let places = selectors.iter().filter_map(|selector| resolve(&self.header, selector, "", None).ok()).flatten();
        places.filter_map(|at| self.columns[at].as_ref()).collect()
    }

    /// The path of the file the rows come from.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The file of each row, where rows are files; else none.
    pub fn paths(&self, format: Format) -> Vec<String> {
        match (format, &self.columns.first()) {
            (Format::Images { .. } | Format::Files, Some(Some(column))) => {
                (0..self.rows).map(|row| column.word(row)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A value as people find it that was made without a file.
    pub fn made<'a>(&'a self, column: &'a str, row: usize) -> Cell<'a> {
        Cell { file: &self.file, row: self.places.row(row) + 1, line: self.places.lines.get(row).copied(), column }
    }

    /// A cell as people find it; `row` counts from 0 here.
    pub fn place<'a>(&'a self, column: &'a TableColumn, row: usize) -> Cell<'a> {
        let joined = column.places.as_deref().filter(|places| places.rows.get(row) != Some(&NOWHERE));
        // A cell that no row of its own file has is missed in the row that looked for it.
        let (file, places) = match (joined, &column.places) {
            (Some(places), _) => (&column.file, places),
            (None, Some(_)) => (&self.file, &self.places),
            (None, None) => (&column.file, &self.places),
        };
        Cell { file, row: places.row(row) + 1, line: places.lines.get(row).copied(), column: &column.name }
    }
}

impl TableColumn {
    /// A cell as a word, whatever it is stored as.
    pub fn word(&self, row: usize) -> String {
        match &self.cells {
            Cells::Text(cells) => cells.cell(row).to_owned(),
            Cells::Numbers(numbers) => {
                let item = numbers.item();
                let words: Vec<String> = (row * item..(row + 1) * item).map(|at| numbers.get(at).to_string()).collect();
                words.join(" ")
            }
        }
    }
}

impl Places {
    fn row(&self, row: usize) -> usize {
        self.rows.get(row).map_or(row, |row| *row as usize)
    }

    fn gather(&self, rows: &[u32]) -> Places {
        let lines = rows.iter().filter_map(|row| self.lines.get(*row as usize).copied());
        Places { rows: rows.iter().map(|row| self.row(*row as usize) as u32).collect(), lines: lines.collect() }
    }
}

/// The value, or its error told.
pub(super) fn taken<T>(result: Checked<T>, diagnostics: &mut Diagnostics) -> Option<T> {
    result.map_err(|diagnostic| diagnostics.push(*diagnostic)).ok()
}

/// The places of all wanted columns, each once, in the order of the header.
pub(super) fn resolve_all(
    header: &[String],
    wanted: &[&Selector],
    file: &str,
    file_span: Option<Span>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<usize>> {
    let mut used = Vec::new();
    let mut complete = true;
    for selector in wanted {
        match resolve(header, selector, file, file_span) {
            Ok(places) => used.extend(places),
            Err(diagnostic) => {
                diagnostics.push(*diagnostic);
                complete = false;
            }
        }
    }
    used.sort_unstable();
    used.dedup();
    complete.then_some(used)
}

/// The places that a selector names in a header.
///
/// `"i1".."i13"` with one stem and two numbers means i1, i2, … i13, wherever they stand; any other range
/// means what stands between the two in the header. Both ends belong to it.
fn resolve(header: &[String], selector: &Selector, file: &str, file_span: Option<Span>) -> Checked<Vec<usize>> {
    let span = Some(selector.span);
    // Where each name stands; none where it stands twice.
    let mut places: FxHashMap<&str, Option<usize>> = FxHashMap::default();
    for (at, name) in header.iter().enumerate() {
        places.entry(name).and_modify(|place| *place = None).or_insert(Some(at));
    }
    let find = |name: &str| {
        match places.get(name) {
            Some(Some(at)) => Ok(*at),
            Some(None) => refuse(contents::column_twice(span, file, name)),
            None if looks_like_numbers(header) => refuse(contents::no_header(file_span, file, &header.join(","))),
            None => {
                let error = contents::missing_column(span, file, name, header);
                // An edit replaces the quotes and all between them: only right for a single name.
                refuse(if selector.last.is_some() { error.keep_fixes(|_| false) } else { error })
            }
        }
    };
    let first = &selector.first;
    let Some(last) = &selector.last else { return Ok(vec![find(first)?]) };
    if let (Some((stem, from)), Some((last_stem, to))) = (numbered(first), numbered(last))
        && stem == last_stem
    {
        if from > to {
            return refuse(contents::column_range(span, first, last));
        }
        // `c01` counts on as `c02`: the first name says how wide a number is.
        let width = first.len() - stem.len();
        // The ends must exist before a long range is written out.
        find(first)?;
        find(last)?;
        if to - from >= header.len() as u64 {
            let missing = (from..=to).map(|n| format!("{stem}{n:0width$}")).find(|name| !places.contains_key(&**name));
            return find(&missing.unwrap_or_else(|| first.clone())).map(|at| vec![at]);
        }
        return (from..=to).map(|n| find(&format!("{stem}{n:0width$}"))).collect();
    }
    let (from, to) = (find(first)?, find(last)?);
    if from > to { refuse(contents::column_range(span, first, last)) } else { Ok((from..=to).collect()) }
}

/// `i13` as `i` and 13; a name without digits at its end, or too many, is none.
fn numbered(name: &str) -> Option<(&str, u64)> {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let digits = &name[stem.len()..];
    Some((stem, digits.parse().ok().filter(|_| digits.len() <= 9)?))
}

/// Whether a header is rather a first row: mostly numbers, and not such as name columns, which are whole
/// and each there once.
fn looks_like_numbers(header: &[String]) -> bool {
    let numbers: Vec<f64> = header.iter().filter_map(|cell| cell.parse().ok()).collect();
    let repeated = |at: usize| numbers[..at].contains(&numbers[at]);
    numbers.len() * 2 > header.len() && (0..numbers.len()).any(|at| numbers[at].fract() != 0.0 || repeated(at))
}
