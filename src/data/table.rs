//! The rows of one source, read once: the columns that are used, as the files have them.
//!
//! In: a source and the columns wanted of it. Out: a `Table`. A range of columns is resolved against the
//! header here, and what is missing is reported with the nearest name.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::Span;
use crate::diag::data::Cell;
use crate::diag::{Diagnostic, Diagnostics, data};

use super::csv::{self, TextColumn};
use super::files::{self, Files};
use super::idx::{self, NumberColumn};
use super::image::{self, Album};
use super::spec::{Format, Selector, Source, SourceFile, names};
use super::{Checked, refuse};

/// Rows with named columns.
pub(super) struct Table {
    pub rows: usize,
    /// As many as the header has; those nobody wants are not read.
    columns: Vec<Option<TableColumn>>,
    header: Vec<String>,
    /// The line of each row; empty for binary files.
    lines: Vec<u64>,
    /// The pictures of the column `image`, whose cells are paths.
    pub album: Option<Arc<Album>>,
    /// The part of each row, as a place in `names::PARTS`, where folders say it; else empty.
    pub parts: Vec<u8>,
}

/// A column of a table.
pub(super) struct TableColumn {
    pub name: String,
    /// The path of its file.
    pub file: String,
    pub cells: Cells,
}

/// The cells of a column.
pub(super) enum Cells {
    Text(TextColumn),
    Numbers(NumberColumn),
}

impl Table {
    /// Reads the columns that `wanted` selects.
    pub fn read(
        source: &Source,
        wanted: &[&Selector],
        files: &dyn Files,
        diagnostics: &mut Diagnostics,
    ) -> Option<Table> {
        match source.format {
            Format::Table { separator, quotes } => {
                let file = source.files.first()?;
                let bytes = taken(files::read(files, file), diagnostics)?;
                let sheet = taken(csv::open(&bytes, separator, quotes, file), diagnostics)?;
                let header = sheet.header.clone();
                let used = resolve_all(&header, wanted, &file.path, file.span, diagnostics)?;
                let (cells, lines) = taken(sheet.rows(&used), diagnostics)?;
                let mut columns: Vec<Option<TableColumn>> = header.iter().map(|_| None).collect();
                for (at, cells) in used.into_iter().zip(cells) {
                    let (name, file) = (header[at].clone(), file.path.clone());
                    columns[at] = Some(TableColumn { name, file, cells: Cells::Text(cells) });
                }
                Some(Table { rows: lines.len(), columns, header, lines, album: None, parts: Vec::new() })
            }
            Format::Idx => {
                let header: Vec<String> = source.files.iter().map(|file| file.column.clone()).collect();
                let used = resolve_all(&header, wanted, "idx", source.files.first()?.span, diagnostics)?;
                let mut columns: Vec<Option<TableColumn>> = header.iter().map(|_| None).collect();
                let mut first: Option<(&SourceFile, usize)> = None;
                for at in used {
                    let file = &source.files[at];
                    let bytes = taken(files::read(files, file), diagnostics)?;
                    let numbers = taken(idx::read(&bytes, file), diagnostics)?;
                    let (main, rows) = *first.get_or_insert((file, numbers.rows));
                    if numbers.rows != rows {
                        diagnostics.push(data::counts_disagree(file.span, &file.path, numbers.rows, &main.path, rows));
                        return None;
                    }
                    let (name, file) = (header[at].clone(), file.path.clone());
                    columns[at] = Some(TableColumn { name, file, cells: Cells::Numbers(numbers) });
                }
                let rows = first.map_or(0, |(_, rows)| rows);
                Some(Table { rows, columns, header, lines: Vec::new(), album: None, parts: Vec::new() })
            }
            Format::Synthetic(rows) => {
                let (columns, header, lines) = (Vec::new(), Vec::new(), Vec::new());
                Some(Table { rows, columns, header, lines, album: None, parts: Vec::new() })
            }
            Format::Images { labels, parts } => {
                let file = source.files.first()?;
                let mut header = vec![names::IMAGE.to_owned()];
                header.extend(labels.then(|| names::LABEL.to_owned()));
                resolve_all(&header, wanted, &file.path, file.span, diagnostics)?;
                let found = image::find(file, labels, parts, files, diagnostics)?;
                let mut columns = vec![text_column(names::IMAGE, file, &found.paths)];
                columns.extend(labels.then(|| text_column(names::LABEL, file, &found.classes)));
                let (rows, parts) = (found.paths.len(), found.parts);
                let album = Some(Arc::new(Album::of_files(found.paths, files.share(), file.span)));
                Some(Table { rows, columns, header, lines: Vec::new(), album, parts })
            }
        }
    }

    /// The columns that selectors which were wanted of this table name.
    pub fn select(&self, selectors: &[Selector]) -> Vec<&TableColumn> {
        let places = selectors.iter().filter_map(|selector| resolve(&self.header, selector, "", None).ok()).flatten();
        places.filter_map(|at| self.columns[at].as_ref()).collect()
    }

    /// The path of the first column's file.
    pub fn file(&self) -> &str {
        self.columns.iter().flatten().next().map_or("", |column| &column.file)
    }

    /// A value as people find it that was made without a file.
    pub fn made<'a>(&self, column: &'a str, row: usize) -> Cell<'a> {
        Cell { file: "synthetic", row: row + 1, line: None, column }
    }

    /// A cell as people find it; `row` counts from 0 here.
    pub fn place<'a>(&self, column: &'a TableColumn, row: usize) -> Cell<'a> {
        Cell { file: &column.file, row: row + 1, line: self.lines.get(row).copied(), column: &column.name }
    }
}

fn text_column(name: &str, file: &SourceFile, words: &[String]) -> Option<TableColumn> {
    let mut cells = TextColumn::default();
    words.iter().for_each(|word| cells.push(word));
    Some(TableColumn { name: name.to_owned(), file: file.path.clone(), cells: Cells::Text(cells) })
}

fn taken<T>(result: Checked<T>, diagnostics: &mut Diagnostics) -> Option<T> {
    result.map_err(|diagnostic| diagnostics.push(*diagnostic)).ok()
}

/// The places of all wanted columns, each once, in the order of the header.
fn resolve_all(
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
            Some(None) => refuse(data::column_twice(span, file, name)),
            None if looks_like_numbers(header) => refuse(data::no_header(file_span, file, &header.join(","))),
            None => {
                let error = data::missing_column(span, file, name, header);
                // An edit replaces the quotes and all between them: only right for a single name.
                refuse(if selector.last.is_some() { Diagnostic { edits: Vec::new(), ..error } } else { error })
            }
        }
    };
    let first = &selector.first;
    let Some(last) = &selector.last else { return Ok(vec![find(first)?]) };
    if let (Some((stem, from)), Some((last_stem, to))) = (numbered(first), numbered(last))
        && stem == last_stem
    {
        if from > to {
            return refuse(data::column_range(span, first, last));
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
    if from > to { refuse(data::column_range(span, first, last)) } else { Ok((from..=to).collect()) }
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
