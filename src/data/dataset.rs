//! All rows of a `data` declaration, ready to be batched.
//!
//! A `Dataset` is the schema, the fitted statistics, and each column as one array a file, or as pictures to be made;
//! `load` makes it. Here too: which columns of a file a declaration wants, and their computation.

use std::sync::Arc;

use crate::base::{Span, Symbol};
use crate::diag::Diagnostics;

use super::evaluation::{Evaluation, Finished};
use super::image::Pictures;
use super::schema::{Axis, Column, ColumnType, Part, Schema};
use super::series::{self, View};
use super::spec::{BatchSize, EntrySpec, NodeId, NodeKind, Selector, Source, Spec, TableStep};
use super::table::Table;
use super::transform::{Fitted, Form};

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

/// The conditions that rows of a source are filtered by.
pub(super) fn conditions(source: &Source) -> impl Iterator<Item = NodeId> {
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
