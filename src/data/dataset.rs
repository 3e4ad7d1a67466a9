//! All rows of a `data` declaration, ready to be batched.
//!
//! A `Dataset` is the schema, the fitted statistics, and each column as one array a file, or as what makes its rows;
//! `load` makes it. Here too: which columns of a file a declaration wants, and their computation.

use std::sync::Arc;

use crate::base::{Span, Symbol};
use crate::diag::Diagnostics;

use super::evaluation::{Evaluation, Finished, Texts, Told};
use super::image::Maker;
use super::schema::{Axis, Column, ColumnType, Open, Part, Schema};
use super::series::{self, View};
use super::spec::{BatchSize, EntrySpec, NodeId, NodeKind, Selector, Source, Spec, TableStep};
use super::table::Table;
use super::text::Ragged;
use super::text::Spelling;
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
    pub(super) prefetch: usize,
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
    /// For each column with an open axis, how much of it each row takes; columns with the axis of one name take as much.
    pub open: Vec<Option<Arc<Vec<u32>>>>,
}

impl Store {
    /// The size of the open axis of a column for some rows; at least 1, so that there is something to look at.
    pub fn open_size(&self, at: usize, rows: &[u32]) -> Option<usize> {
        let lengths = self.open[at].as_ref()?;
        Some(rows.iter().map(|row| lengths[*row as usize] as usize).max().unwrap_or(0).max(1))
    }

    /// The columns of rows that a batch fills up, and how many places each row takes at most in one of them.
    pub fn places(&self) -> Vec<u32> {
        let mut all: Vec<u32> = Vec::new();
        for (at, stored) in self.columns.iter().enumerate() {
            let Stored::Texts(of, Told::Numbers, size) = stored else { continue };
            let of_row = |(row, length): (usize, usize)| match (&self.open[at], size) {
                (Some(lengths), _) => lengths[row],
                (None, Some(size)) => *size as u32,
                (None, None) => length as u32,
            };
            all.resize(all.len().max(of.lengths().count()), 0);
            all.iter_mut().zip(of.lengths().enumerate().map(of_row)).for_each(|(most, here)| *most = here.max(*most));
        }
        all
    }
}

/// All rows of one column.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one for each column")]
pub(super) enum Stored {
    F32(Vec<f32>),
    I32(Vec<i32>),
    /// Rows that are made when they are asked for.
    Made(Maker),
    /// Rows of texts, what is told of them, and the size they are filled up to where that is not the batch's.
    Texts(Arc<Ragged>, Told, Option<usize>),
}

impl Stored {
    /// Some rows of a text, `size` places each.
    pub fn write_texts(&self, rows: &[u32], size: usize, into: &mut [i32]) -> Option<()> {
        match self {
            Stored::Texts(of, Told::Numbers, _) => of.write(rows, size, into),
            Stored::Texts(of, Told::Present, _) => of.write_present(rows, size, into),
            Stored::Texts(of, Told::Length, _) => of.write_lengths(rows, into),
            Stored::F32(_) | Stored::I32(_) | Stored::Made(_) => None,
        }
    }
}

impl Dataset {
    /// What a declaration says of batches, around its rows.
    pub(super) fn new(spec: &Spec, schema: Schema, fitted: Fitted, parts: [Rowset; 3], seed: u64) -> Dataset {
        let Spec { batch, shuffle, drop_last, prefetch, .. } = *spec;
        Dataset { schema, fitted, parts, seed, batch, shuffle, drop_last, prefetch }
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
        store.open.push(None);
        match finished {
            Finished::Numbers(values) => {
                columns.push(column(name, span, ColumnType::F32, &values.form));
                store.columns.push(Stored::F32(values.data));
            }
            Finished::Classes(classes) => {
                let ty = ColumnType::Index {
                    axis: classes.axis,
                    size: classes.size,
                    names: classes.names,
                    spelling: classes.spelling,
                };
                columns.push(column(name, span, ty, &classes.form));
                store.columns.push(Stored::I32(classes.data));
            }
            Finished::Made(maker, form) => {
                let ty = match maker.classes() {
                    Some((axis, size, names)) => ColumnType::Index { axis, size, names, spelling: Spelling::Names },
                    None => ColumnType::F32,
                };
                columns.push(column(name, span, ty, &form));
                store.columns.push(Stored::Made(maker));
            }
            Finished::Texts(texts, told) => {
                let of = match spec.node(entry.node).kind {
                    NodeKind::Present(of) | NodeKind::Length(of) => {
                        spec.entries.iter().find(|entry| entry.node == of).map(|entry| entry.name.name)
                    }
                    _ => None,
                };
                columns.push(Column { of, ..text_column(name, span, told, &texts) });
                store.columns.push(Stored::Texts(texts.rows, told, texts.size));
            }
        }
    }
    store.open = open_sizes(&store, &columns);
    Some((Arc::new(store), columns))
}

fn column(name: Symbol, span: Span, ty: ColumnType, form: &Form) -> Column {
    let axes = form.shape.iter().zip(&form.axes).map(|(&size, &name)| Axis { name, size, open: None }).collect();
    Column { name, span, ty, axes, whole: false, of: None }
}

/// A column of texts, or of what is told of them.
fn text_column(name: Symbol, span: Span, told: Told, texts: &Texts) -> Column {
    let longest = texts.rows.lengths().max().unwrap_or(0).max(1);
    let axis = Axis {
        name: texts.along,
        size: texts.size.unwrap_or(longest),
        open: texts.size.is_none().then_some(Open { most: texts.most }),
    };
    let (ty, axes) = match told {
        Told::Numbers => {
            let (axis_of, names, spelling) = (texts.axis, texts.names.clone(), texts.spelling);
            (ColumnType::Index { axis: axis_of, size: names.len(), names, spelling }, vec![axis])
        }
        Told::Present => (ColumnType::Truth, vec![axis]),
        Told::Length => (ColumnType::Count, Vec::new()),
    };
    Column { name, span, ty, axes, whole: false, of: None }
}

/// How much of its open axis each row of a column takes: as much as in any column with an axis of that name. Without a
/// name an axis is that of its texts alone.
fn open_sizes(store: &Store, columns: &[Column]) -> Vec<Option<Arc<Vec<u32>>>> {
    let texts = |at: usize| match &store.columns[at] {
        Stored::Texts(rows, ..) => Some(rows),
        Stored::F32(_) | Stored::I32(_) | Stored::Made(_) => None,
    };
    let open = |at: usize| columns[at].axes.iter().find(|axis| axis.open.is_some());
    let mut made: Vec<Option<Arc<Vec<u32>>>> = Vec::new();
    for at in 0..columns.len() {
        let (Some(axis), Some(rows)) = (open(at), texts(at)) else {
            made.push(None);
            continue;
        };
        let alike = |other: usize| match (axis.name, open(other), texts(other)) {
            (Some(name), Some(axis), _) => axis.name == Some(name),
            (None, Some(axis), Some(others)) => axis.name.is_none() && Arc::ptr_eq(rows, others),
            (_, _, _) => false,
        };
        if let Some(first) = (0..at).find(|other| alike(*other)) {
            made.push(made[first].clone());
            continue;
        }
        let mut lengths: Vec<u32> = rows.lengths().map(|length| length as u32).collect();
        for others in (at + 1..columns.len()).filter(|other| alike(*other)).filter_map(texts) {
            lengths.iter_mut().zip(others.lengths()).for_each(|(most, here)| *most = (here as u32).max(*most));
        }
        made.push(Some(Arc::new(lengths)));
    }
    made
}
