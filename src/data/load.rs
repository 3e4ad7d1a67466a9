//! Reads a declaration's files into its rows.
//!
//! In: a `Spec`, files, a seed, and what was fitted before if the model is trained already. Out: a `Dataset`. A source is
//! read, filtered and put in order; its rows are shared out; its columns are computed.

use std::sync::Arc;

use crate::diag::{Diagnostics, contents, table as told};

use super::dataset::{Dataset, Rowset, conditions, evaluate, selectors};
use super::evaluation::Evaluation;
use super::files::Files;
use super::order::Order;
use super::schema::{Column, Part, Schema};
use super::spec::{BatchSize, EntrySpec, FilePart, Format, NodeId, Selector, Source, Spec, SplitKind};
use super::table::Table;
use super::transform::{Fitted, shown};
use super::{graph, series, source, split, tokens};

/// Reads the files of a declaration, splits the rows, and computes the columns.
///
/// With `fitted` nothing is fitted: a trained model is evaluated with the statistics it was trained
/// with. What is wrong goes to `diagnostics`; on an error there is no dataset.
pub fn load(
    spec: &Spec,
    files: &dyn Files,
    seed: u64,
    fitted: Option<&Fitted>,
    diagnostics: &mut Diagnostics,
) -> Option<Dataset> {
    let source = spec.source.as_ref().filter(|_| !spec.broken)?;
    if source.format == Format::Graph {
        return graph::load(spec, source, files, seed, fitted, diagnostics);
    }
    let wanted: Vec<&EntrySpec> = spec.entries.iter().collect();
    let nodes: Vec<NodeId> = wanted.iter().map(|entry| entry.node).collect();
    let columns = selectors(spec, &wanted);

    let mut found = fitted.cloned().unwrap_or_default();
    tokens::read_tokenizers(spec, files, &mut found, diagnostics)?;
    let main_columns: Vec<&Selector> = columns.iter().copied().chain(split::selectors(&spec.split)).collect();
    let mut main = read(spec, source, &main_columns, (files, &found), diagnostics)?;
    let anchors = series::anchors(spec, &nodes, &mut main, diagnostics)?;
    let parts = split::share_out(spec, &main, &anchors, seed, diagnostics)?;

    let train = anchors.covered(&parts[0]);
    let fit = if fitted.is_none() { Some(train.as_slice()) } else { None };
    let (store, columns_of_main) = evaluate(spec, (&main, &[], seed), fit, &wanted, &mut found, diagnostics)?;
    drop(main);

    let mut rowsets = parts.map(|rows| Rowset { store: store.clone(), rows: Arc::new(rows) });
    if let SplitKind::Files { valid, test } = &spec.split.kind {
        for (part, from) in [(Part::Valid, valid), (Part::Test, test)] {
            let Some(FilePart::Source(source)) = from else { continue };
            let mut table = read(spec, source, &columns, (files, &found), diagnostics)?;
            let anchors = series::anchors(spec, &nodes, &mut table, diagnostics)?;
            let (store, described) = evaluate(spec, (&table, &[], seed), None, &wanted, &mut found, diagnostics)?;
            same_shapes(&columns_of_main, &described, source, diagnostics)?;
            rowsets[part as usize] = Rowset { store, rows: Arc::new(anchors.rows) };
        }
    }

    let rows = [0, 1, 2].map(|at| rowsets[at].rows.len());
    let batch = match spec.batch {
        BatchSize::Rows(rows) => rows,
        BatchSize::Auto => BatchSize::auto(rows[0]),
        BatchSize::Whole => rows[0],
        BatchSize::Tokens(most) => Order::of_places(&rowsets[0], 0, most, false).most_rows(),
    };
    let schema = Schema { name: spec.name.name, columns: columns_of_main, rows, batch };
    Some(Dataset::new(spec, schema, found, rowsets, seed))
}

/// The table of a source: read, filtered, in order.
pub(super) fn read(
    spec: &Spec,
    source: &Source,
    columns: &[&Selector],
    (files, fitted): (&dyn Files, &Fitted),
    diagnostics: &mut Diagnostics,
) -> Option<Table> {
    let mut table = source::read(spec, source, columns, (files, fitted), diagnostics)?;
    for id in conditions(source) {
        let all: Vec<u32> = (0..table.rows as u32).collect();
        let mut fitted = Fitted::default();
        let evaluation =
            Evaluation { spec, table: &table, tables: &[], seed: 0, fit: Some(&all), fitted: &mut fitted, diagnostics };
        let kept = evaluation.rows_where(id)?;
        if kept.is_empty() {
            diagnostics.push(told::nothing_left(spec.node(id).span, table.rows));
            return None;
        }
        table.gather(&kept);
    }
    series::arrange(spec, &mut table, diagnostics)?;
    Some(table)
}

fn same_shapes(main: &[Column], other: &[Column], source: &Source, diagnostics: &mut Diagnostics) -> Option<()> {
    for (main, other) in main.iter().zip(other) {
        if main.shape_at(Some(0)) != other.shape_at(Some(0)) {
            let file = source.files.first().map_or("", |file| &file.path);
            let (name, main_shape) = (main.name.as_str(), shown(&main.shape()));
            diagnostics.push(contents::file_shape(main.span, name, file, &shown(&other.shape()), &main_shape));
            return None;
        }
    }
    Some(())
}
