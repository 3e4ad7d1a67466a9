//! Tables of text, with what is joined to them.
//!
//! In: a source and its joins. Out: one `Table` with the rows of the first file, in its order, and the columns of all.
//! A row finds the row of a joined table with the same key; one without a partner has missing cells there, which is
//! told with a count. A cell keeps the place it has in its own file.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::Span;
use crate::diag::{Diagnostics, contents, table};

use super::csv::{self, TextColumn};
use super::files::{self, Files};
use super::json;
use super::spec::{Format, Selector, Source, SourceFile, TableStep};
use super::table::{Cells, NOWHERE, Places, Table, TableColumn, resolve_all, taken};
use super::{Checked, refuse};

/// A table whose header is read.
enum Opened<'a> {
    Sheet(csv::Sheet<'a>),
    Objects(json::Objects),
    #[cfg(feature = "parquet")]
    Leaves(super::parquet::Leaves<'a>),
}

/// Some columns of a table.
struct Cut {
    cells: Vec<TextColumn>,
    /// The line of each row; empty for a file without lines.
    lines: Vec<u64>,
    rows: usize,
}

/// A file with what is wanted of it.
struct Part<'a> {
    file: &'a SourceFile,
    /// The key, and where the join is written; none for the first.
    on: Option<(&'a Selector, Span)>,
    opened: Opened<'a>,
    /// Where its columns begin in the header of all.
    start: usize,
    /// The places of its columns in its own header, in that order.
    places: Vec<usize>,
}

/// Reads the first file of a source and what is joined to it.
pub(super) fn read(
    source: &Source,
    wanted: &[&Selector],
    files: &dyn Files,
    diagnostics: &mut Diagnostics,
) -> Option<Table> {
    let main = source.files.first()?;
    let mut sources = vec![(source, main, None)];
    for step in &source.steps {
        if let TableStep::Join { source, on, span } = step {
            sources.push((source.as_ref(), source.files.first()?, Some((on, *span))));
        }
    }
    let mut bytes = Vec::new();
    for (_, file, _) in &sources {
        bytes.push(taken(files::read(files, file), diagnostics)?);
    }
    let mut header: Vec<String> = Vec::new();
    let mut parts: Vec<Part<'_>> = Vec::new();
    for ((source, file, on), bytes) in sources.into_iter().zip(&bytes) {
        let opened = taken(open(source.format, bytes, file), diagnostics)?;
        let own = opened.header();
        if let (Format::Table { separator: b',', quotes: true, .. }, [only]) = (source.format, own)
            && let Some(separator) = separator_of(only, wanted)
        {
            diagnostics.push(contents::other_separator(file.span, &file.path, only, separator));
            return None;
        }
        let places: Vec<usize> =
            (0..own.len()).filter(|at| on.is_none_or(|(on, _): (&Selector, Span)| own[*at] != on.first)).collect();
        let start = header.len();
        header.extend(places.iter().map(|at| own[*at].clone()));
        parts.push(Part { file, on, opened, start, places });
    }
    only_once(&parts, &header, wanted, diagnostics)?;

    let keys: Vec<&Selector> = parts.iter().filter_map(|part| part.on.map(|(on, _)| on)).collect();
    let all: Vec<&Selector> = wanted.iter().copied().chain(keys).collect();
    let used = resolve_all(&header, &all, &main.path, main.span, diagnostics)?;
    let mut table: Option<Table> = None;
    for part in parts {
        let end = part.start + part.places.len();
        let of_part: Vec<usize> = used.iter().copied().filter(|at| (part.start..end).contains(at)).collect();
        match &mut table {
            None => table = Some(part.first(&of_part, &header, diagnostics)?),
            Some(table) => part.join(&of_part, &header, table, diagnostics)?,
        }
    }
    table
}

fn open<'a>(format: Format, bytes: &'a [u8], file: &'a SourceFile) -> Checked<Opened<'a>> {
    match format {
        Format::Table { separator, quotes, header } => {
            csv::open(bytes, (separator, quotes), header, file).map(Opened::Sheet)
        }
        #[cfg(feature = "parquet")]
        Format::Parquet => super::parquet::open(bytes, file).map(Opened::Leaves),
        // A build that does not read it has told so.
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => json::open(bytes, file).map(Opened::Objects),
        Format::Json
        | Format::Text(_)
        | Format::Lines
        | Format::Pairs
        | Format::Arrays(_)
        | Format::Images { .. }
        | Format::Files
        | Format::Graph
        | Format::Synthetic(_) => json::open(bytes, file).map(Opened::Objects),
    }
}

/// What stands between the names of a header, if that makes one of them one that is wanted.
fn separator_of(header: &str, wanted: &[&Selector]) -> Option<char> {
    let names = |separator: char| header.split(separator).map(|name| name.trim().trim_matches('"'));
    let names_one = |separator: &char| {
        header.contains(*separator) && names(*separator).any(|name| wanted.iter().any(|one| one.first == name))
    };
    [';', '\t', '|'].into_iter().find(names_one)
}

/// Reports a wanted column that two of the files have.
fn only_once(parts: &[Part<'_>], header: &[String], wanted: &[&Selector], diagnostics: &mut Diagnostics) -> Option<()> {
    let part = |at: usize| parts.iter().rposition(|part| part.start <= at).unwrap_or(0);
    for selector in wanted {
        for name in [Some(&selector.first), selector.last.as_ref()].into_iter().flatten() {
            let mut places = (0..header.len()).filter(|at| header[*at] == *name);
            if let (Some(first), Some(second)) = (places.next(), places.next())
                && part(first) != part(second)
            {
                let file = |at: usize| parts[part(at)].file.path.as_str();
                diagnostics.push(table::column_of_both(selector.span, name, file(first), file(second)));
                return None;
            }
        }
    }
    Some(())
}

impl Opened<'_> {
    fn header(&self) -> &[String] {
        match self {
            Opened::Sheet(sheet) => &sheet.header,
            Opened::Objects(objects) => &objects.header,
            #[cfg(feature = "parquet")]
            Opened::Leaves(leaves) => &leaves.header,
        }
    }

    fn rows(self, wanted: &[usize]) -> Checked<Cut> {
        let (cells, lines) = match self {
            Opened::Sheet(sheet) => sheet.rows(wanted)?,
            Opened::Objects(objects) => objects.rows(wanted),
            #[cfg(feature = "parquet")]
            Opened::Leaves(leaves) => {
                let (cells, rows) = leaves.rows(wanted)?;
                return Ok(Cut { cells, lines: Vec::new(), rows });
            }
        };
        Ok(Cut { cells, rows: lines.len(), lines })
    }
}

impl Part<'_> {
    /// The first table, with room for the columns of the others.
    fn first(self, used: &[usize], header: &[String], diagnostics: &mut Diagnostics) -> Option<Table> {
        let own: Vec<usize> = used.iter().map(|at| self.places[at - self.start]).collect();
        let Cut { cells, lines, rows } = taken(self.opened.rows(&own), diagnostics)?;
        let places = Places { rows: Vec::new(), lines };
        let mut table = Table::new(rows, header.to_vec(), self.file.path.clone(), places);
        for (at, cells) in used.iter().zip(cells) {
            let file = self.file.path.clone();
            table.put(*at, TableColumn { name: header[*at].clone(), file, cells: Cells::Text(cells), places: None });
        }
        Some(table)
    }

    /// Adds the columns of this table to the first.
    fn join(self, used: &[usize], header: &[String], table: &mut Table, diagnostics: &mut Diagnostics) -> Option<()> {
        let (on, span) = self.on?;
        let mut own: Vec<usize> = used.iter().map(|at| self.places[at - self.start]).collect();
        let Some(key) = self.opened.header().iter().position(|name| *name == on.first) else {
            let error = contents::missing_column(Some(on.span), &self.file.path, &on.first, self.opened.header());
            diagnostics.push(error);
            return None;
        };
        own.push(key);
        let Cut { mut cells, lines, .. } = taken(self.opened.rows(&own), diagnostics)?;
        let keys = cells.pop()?;
        let path = &self.file.path;
        let rows = taken(rows_by_key(&keys, &lines, path, on, span), diagnostics)?;

        let left = *table.select(std::slice::from_ref(on)).first()?;
        let Cells::Text(wanted) = &left.cells else { return None };
        let partners: Vec<u32> = wanted.cells().map(|key| rows.get(key).copied().unwrap_or(NOWHERE)).collect();
        let lost = partners.iter().filter(|partner| **partner == NOWHERE).count();
        if let Some(first) = partners.iter().position(|partner| *partner == NOWHERE) {
            let (place, key) = (table.place(left, first), wanted.cell(first));
            diagnostics.push(table::unmatched(span, place, key, path, lost, partners.len()));
        }
        let at_line = |partner: &u32| lines.get(*partner as usize).copied().unwrap_or(0);
        let at_lines = if lines.is_empty() { Vec::new() } else { partners.iter().map(at_line).collect() };
        let places = Arc::new(Places { lines: at_lines, rows: partners });
        for (at, cells) in used.iter().zip(cells) {
            let cells = Cells::Text(cells.gather(&places.rows));
            let (name, file) = (header[*at].clone(), path.clone());
            table.put(*at, TableColumn { name, file, cells, places: Some(places.clone()) });
        }
        Some(())
    }
}

/// The row of each key.
fn rows_by_key<'k>(
    keys: &'k TextColumn,
    lines: &[u64],
    file: &str,
    on: &Selector,
    span: Span,
) -> Checked<FxHashMap<&'k str, u32>> {
    let mut rows: FxHashMap<&str, u32> = FxHashMap::default();
    let mut twice: Option<(usize, &str)> = None;
    let mut others = 0;
    for (row, key) in keys.cells().enumerate() {
        if rows.insert(key, row as u32).is_some() {
            match twice {
                None => twice = Some((row, key)),
                Some(_) => others += 1,
            }
        }
    }
    match twice {
        None => Ok(rows),
        Some((row, key)) => {
            let line = lines.get(row).copied();
            let cell = crate::diag::data::Cell { file, row: row + 1, line, column: &on.first };
            refuse(table::key_twice(span, cell, key, others))
        }
    }
}
