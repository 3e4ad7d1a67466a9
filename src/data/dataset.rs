//! All rows of a `data` declaration, ready to be batched.
//!
//! In: a `Spec`, files, a seed, and what was fitted before if the model is trained already. Out: a
//! `Dataset`: the schema, the fitted statistics, and each column as one array a file, or as pictures to be made.

use std::sync::Arc;

use crate::base::{Span, Symbol};
use crate::diag::{Diagnostics, data, table as told};

use super::eval::{Evaluation, Finished};
use super::files::Files;
use super::graph;
use super::image::Pictures;
use super::schema::{Axis, Column, ColumnType, Part, Schema};
use super::series::{self, View};
use super::spec::{
    BatchSize, EntrySpec, FilePart, Format, NodeId, NodeKind, Selector, Source, Spec, SplitKind, TableStep,
};
use super::split;
use super::table::Table;
use super::transform::{Fitted, Form, shown};

/// The rows of a declaration.
#[derive(Clone, Debug)]
pub struct Dataset {
    schema: Schema,
    fitted: Fitted,
    parts: [Rowset; 3],
    pub(super) seed: u64,
    pub(super) batch: BatchSize,
    pub(super) shuffle: bool,
    pub(super) drop_last: bool,
}

/// The rows of one part: some rows of the arrays of one file.
#[derive(Clone, Debug, Default)]
pub(super) struct Rowset {
    pub store: Arc<Store>,
    pub rows: Arc<Vec<u32>>,
}

/// The columns of one file, in the order of the schema.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    pub columns: Vec<Stored>,
    /// Which of their rows make a row of the data.
    pub views: Vec<View>,
}

/// All rows of one column.
#[derive(Clone, Debug)]
pub(super) enum Stored {
    F32(Vec<f32>),
    I32(Vec<i32>),
    /// Rows of floats that are made when they are asked for.
    Pictures(Pictures),
}

impl Dataset {
    /// What a declaration says of batches, around its rows.
    pub(super) fn new(spec: &Spec, schema: Schema, fitted: Fitted, parts: [Rowset; 3], seed: u64) -> Dataset {
        let (batch, shuffle, drop_last) = (spec.batch, spec.shuffle, spec.drop_last);
        Dataset { schema, fitted, parts, seed, batch, shuffle, drop_last }
    }

    /// The facts.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// What was fitted on the training rows.
    pub fn fitted(&self) -> &Fitted {
        &self.fitted
    }

    pub(super) fn part(&self, part: Part) -> &Rowset {
        &self.parts[part as usize]
    }
}

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

    let main_columns: Vec<&Selector> = columns.iter().copied().chain(split::selectors(&spec.split)).collect();
    let mut main = read(spec, source, &main_columns, files, diagnostics)?;
    let anchors = series::anchors(spec, &nodes, &mut main, diagnostics)?;
    let parts = split::share_out(spec, &main, &anchors, seed, diagnostics)?;

    let mut found = fitted.cloned().unwrap_or_default();
    let train = anchors.covered(&parts[0]);
    let fit = if fitted.is_none() { Some(train.as_slice()) } else { None };
    let (store, columns_of_main) = evaluate(spec, (&main, &[], seed), fit, &wanted, &mut found, diagnostics)?;
    drop(main);

    let mut rowsets = parts.map(|rows| Rowset { store: store.clone(), rows: Arc::new(rows) });
    if let SplitKind::Files { valid, test } = &spec.split.kind {
        for (part, from) in [(Part::Valid, valid), (Part::Test, test)] {
            let Some(FilePart::Source(source)) = from else { continue };
            let mut table = read(spec, source, &columns, files, diagnostics)?;
            let anchors = series::anchors(spec, &nodes, &mut table, diagnostics)?;
            let (store, described) = evaluate(spec, (&table, &[], seed), None, &wanted, &mut found, diagnostics)?;
            same_shapes(&columns_of_main, &described, source, diagnostics)?;
            rowsets[part as usize] = Rowset { store, rows: Arc::new(anchors.rows) };
        }
    }

    let rows = [0, 1, 2].map(|at| rowsets[at].rows.len());
    let batch = match spec.batch {
        BatchSize::Rows(rows) => rows,
        BatchSize::Whole => rows[0],
    };
    let schema = Schema { name: spec.name.name, columns: columns_of_main, rows, batch };
    Some(Dataset::new(spec, schema, found, rowsets, seed))
}

/// The table of a source: read, filtered, in order.
pub(super) fn read(
    spec: &Spec,
    source: &Source,
    columns: &[&Selector],
    files: &dyn Files,
    diagnostics: &mut Diagnostics,
) -> Option<Table> {
    let mut table = Table::read(source, columns, files, diagnostics)?;
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

/// The conditions that rows of a source are filtered by.
fn conditions(source: &Source) -> impl Iterator<Item = NodeId> {
    source.steps.iter().filter_map(|step| match step {
        TableStep::Filter(condition) => Some(*condition),
        TableStep::Join { .. } => None,
    })
}

/// The columns of a file that entries are made of, and those that say which rows there are and in which order.
pub(super) fn selectors<'a>(spec: &'a Spec, wanted: &[&EntrySpec]) -> Vec<&'a Selector> {
    let roots = wanted.iter().map(|entry| entry.node).chain(spec.models.iter().copied());
    let nodes = spec.reachable(roots.chain(spec.source.iter().flat_map(conditions)));
    let columns = nodes.into_iter().filter_map(|id| match &spec.node(id).kind {
        NodeKind::Column(columns) => Some(&columns.names),
        _ => None,
    });
    columns.flatten().chain(series::selectors(spec)).collect()
}

/// Computes the wanted columns of one table; none on an error.
pub(super) fn evaluate(
    spec: &Spec,
    (table, tables, seed): (&Table, &[Table], u64),
    fit: Option<&[u32]>,
    wanted: &[&EntrySpec],
    fitted: &mut Fitted,
    diagnostics: &mut Diagnostics,
) -> Option<(Arc<Store>, Vec<Column>)> {
    let nodes: Vec<NodeId> = wanted.iter().map(|entry| entry.node).collect();
    let finished = Evaluation { spec, table, tables, seed, fit, fitted, diagnostics }.run(&nodes);
    let mut store = Store::default();
    let mut columns = Vec::new();
    for (entry, finished) in wanted.iter().zip(finished) {
        let (name, span) = (entry.name.name, entry.name.span);
        let (finished, view) = finished?;
        store.views.push(view);
        match finished {
            Finished::Numbers(values) => {
                columns.push(column(name, span, ColumnType::F32, &values.form));
                store.columns.push(Stored::F32(values.data));
            }
            Finished::Classes(classes) => {
                let ty = ColumnType::Index { axis: classes.axis, size: classes.size, names: classes.names };
                columns.push(column(name, span, ty, &classes.form));
                store.columns.push(Stored::I32(classes.data));
            }
            Finished::Pictures(pictures, form) => {
                columns.push(column(name, span, ColumnType::F32, &form));
                store.columns.push(Stored::Pictures(pictures));
            }
        }
    }
    Some((Arc::new(store), columns))
}

fn column(name: Symbol, span: Span, ty: ColumnType, form: &Form) -> Column {
    let axes = form.shape.iter().zip(&form.axes).map(|(&size, &name)| Axis { name, size }).collect();
    Column { name, span, ty, axes, whole: false }
}

fn same_shapes(main: &[Column], other: &[Column], source: &Source, diagnostics: &mut Diagnostics) -> Option<()> {
    for (main, other) in main.iter().zip(other) {
        if main.shape() != other.shape() {
            let file = source.files.first().map_or("", |file| &file.path);
            let (name, main_shape) = (main.name.as_str(), shown(&main.shape()));
            diagnostics.push(data::file_shape(main.span, name, file, &shown(&other.shape()), &main_shape));
            return None;
        }
    }
    Some(())
}
