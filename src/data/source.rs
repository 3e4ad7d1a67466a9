//! The rows of one source, read once.
//!
//! In: a source, files, and the columns wanted of it. Out: a `Table`, whatever the format; what is joined is there.

use crate::diag::Diagnostics;

use super::csv::TextColumn;
use super::files::Files;
use super::image;
use super::spec::{Format, Selector, Source, SourceFile, Spec, names};
use super::table::{Cells, Places, Table, TableColumn, resolve_all};
use super::transform::Fitted;
use super::{arrays, join, pairs, tokens};

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
        Format::Table { .. } | Format::Json | Format::Parquet => join::read(source, wanted, files, diagnostics),
        Format::Arrays(of) => arrays::read(source, of, wanted, files, diagnostics),
        Format::Pairs => pairs::read(source, wanted, files, diagnostics),
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
            // Of another source the lines of the declaration say nothing.
            let is_main = spec.source.as_ref().is_some_and(|main| main.files == source.files);
            let layout = is_main.then_some(&spec.layout);
            let found = image::find(file, (labels, layout), parts, files, diagnostics)?;
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
