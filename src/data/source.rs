//! The rows of one source, read once.
//!
//! In: a source, files, and the columns wanted of it. Out: a `Table`, whatever the format; what is joined is there.

use crate::diag::{Diagnostics, data};

use super::csv::TextColumn;
use super::files::{self, Files};
use super::image;
use super::spec::{Format, Selector, Source, SourceFile, Spec, names};
use super::table::{Cells, Places, Table, TableColumn, resolve_all, taken};
use super::transform::Fitted;
use super::{idx, join, tokens};

/// Reads the columns that `wanted` selects.
pub(super) fn read(
    spec: &Spec,
    source: &Source,
    wanted: &[&Selector],
    (files, fitted): (&dyn Files, &Fitted),
    diagnostics: &mut Diagnostics,
) -> Option<Table> {
    let mut table = rows(spec, source, wanted, (files, fitted), diagnostics)?;
    table.origin = Some((files.share(), source.files.first().and_then(|file| file.span)));
    Some(table)
}

fn rows(
    spec: &Spec,
    source: &Source,
    wanted: &[&Selector],
    (files, fitted): (&dyn Files, &Fitted),
    diagnostics: &mut Diagnostics,
) -> Option<Table> {
    match source.format {
        Format::Table { .. } | Format::Json => join::read(source, wanted, files, diagnostics),
        Format::Idx => {
            let header: Vec<String> = source.files.iter().map(|file| file.column.clone()).collect();
            let used = resolve_all(&header, wanted, "idx", source.files.first()?.span, diagnostics)?;
            let mut columns: Vec<(usize, TableColumn)> = Vec::new();
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
                let cells = Cells::Numbers(numbers);
                columns.push((at, TableColumn { name, file, cells, places: None }));
            }
            let rows = first.map_or(0, |(_, rows)| rows);
            let file = first.map_or(String::new(), |(file, _)| file.path.clone());
            let mut table = Table::new(rows, header, file, Places::default());
            columns.into_iter().for_each(|(at, column)| table.put(at, column));
            Some(table)
        }
        Format::Text(_) | Format::Lines => {
            let file = source.files.first()?;
            resolve_all(&[names::TEXT.to_owned()], wanted, &file.path, file.span, diagnostics)?;
            tokens::table(source.format, file, spec, files, fitted, diagnostics)
        }
        // Its tables are read one by one.
        Format::Graph => None,
        Format::Synthetic(rows) => Some(Table::new(rows, Vec::new(), "synthetic".to_owned(), Places::default())),
        Format::Images { labels, parts } => {
            let file = source.files.first()?;
            let mut header = vec![names::IMAGE.to_owned()];
            header.extend(labels.then(|| names::LABEL.to_owned()));
            resolve_all(&header, wanted, &file.path, file.span, diagnostics)?;
            let found = image::find(file, labels, parts, files, diagnostics)?;
            let mut table = Table::new(found.paths.len(), header, file.path.clone(), Places::default());
            table.put(0, text_column(names::IMAGE, file, &found.paths));
            if labels {
                table.put(1, text_column(names::LABEL, file, &found.classes));
            }
            table.parts = found.parts;
            Some(table)
        }
        Format::Files => {
            let file = source.files.first()?;
            let header = vec![names::PATH.to_owned()];
            resolve_all(&header, wanted, &file.path, file.span, diagnostics)?;
            let paths = image::matching(file, files, diagnostics)?;
            let mut table = Table::new(paths.len(), header, file.path.clone(), Places::default());
            table.put(0, text_column(names::PATH, file, &paths));
            Some(table)
        }
    }
}

fn text_column(name: &str, file: &SourceFile, words: &[String]) -> TableColumn {
    let mut cells = TextColumn::default();
    words.iter().for_each(|word| cells.push(word));
    TableColumn { name: name.to_owned(), file: file.path.clone(), cells: Cells::Text(cells), places: None }
}
