//! A graph: several tables, each an axis of the one batch there is.
//!
//! In: a `Spec` over `tables(…)`, files, a seed, what was fitted before. Out: a `Dataset` of columns that every batch has
//! as a whole. The split shares out the rows of one table, that of its column or else the first; which of them a
//! part has is the column `chosen`, so that a loss weighs them and still sees the whole graph.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::Symbol;
use crate::diag::{Diagnostics, contents, table as told};

use super::dataset::{Dataset, Rowset, Store, Stored, evaluate, selectors};
use super::evaluation::{Evaluation, Value, is_missing};
use super::files::Files;
use super::schema::{Axis, Column, ColumnType, Schema};
use super::series::{Anchors, View};
use super::source;
use super::spec::{EntrySpec, NodeId, NodeKind, Selector, Source, Spec, Transform, names};
use super::split;
use super::table::Cells;
use super::text::Spelling;
use super::transform::{Classes, Fitted};

/// Reads the tables, splits one of them, and computes the columns.
pub(super) fn load(
    spec: &Spec,
    source: &Source,
    files: &dyn Files,
    seed: u64,
    fitted: Option<&Fitted>,
    diagnostics: &mut Diagnostics,
) -> Option<Dataset> {
    let entries: Vec<&EntrySpec> = spec.entries.iter().collect();
    let mut wanted = selectors(spec, &entries);
    wanted.extend(split::selectors(&spec.split));
    wanted.extend(keys(spec));
    let mut tables = Vec::new();
    for (at, (_, source)) in source.tables.iter().enumerate() {
        let of_table: Vec<&Selector> = wanted.iter().copied().filter(|selector| selector.table == at).collect();
        tables.push(source::read(spec, source, &of_table, (files, &Fitted::default()), diagnostics)?);
    }
    let of_split = split::selectors(&spec.split).map_or(0, |selector| selector.table);
    let rows = tables[of_split].rows;
    let anchors = Anchors { rows: (0..rows as u32).collect(), span: 1, series: vec![(0, rows)] };
    let parts = split::share_out(spec, &tables[of_split], &anchors, seed, diagnostics)?;

    let mut found = fitted.cloned().unwrap_or_default();
    let mut made: Vec<Option<(Stored, Column)>> = entries.iter().map(|_| None).collect();
    for (at, table) in tables.iter().enumerate() {
        let name = source.tables[at].0;
        let mine: Vec<usize> = (0..entries.len()).filter(|entry| table_of(spec, entries[*entry].node) == at).collect();
        let of_table: Vec<&EntrySpec> = mine.iter().map(|entry| entries[*entry]).collect();
        let all: Vec<u32> = (0..table.rows as u32).collect();
        let train = if at == of_split { &parts[0] } else { &all };
        let fit = fitted.is_none().then_some(train.as_slice());
        let (store, columns) = evaluate(spec, (table, &tables, seed), fit, &of_table, &mut found, diagnostics)?;
        let stored = Arc::unwrap_or_clone(store).columns;
        for ((entry, stored), mut column) in mine.into_iter().zip(stored).zip(columns) {
            column.axes.insert(0, Axis { name: Some(name), size: table.rows, open: None });
            column.whole = true;
            made[entry] = Some((stored, column));
        }
    }
    let (mut store, mut columns) = (Store::default(), Vec::new());
    for (stored, column) in made.into_iter().flatten() {
        store.columns.push(stored);
        columns.push(column);
    }
    let chosen = Symbol::new(names::CHOSEN);
    let has_chosen = entries.iter().all(|entry| entry.name.name != chosen);
    if has_chosen {
        let axes = vec![Axis { name: Some(source.tables[of_split].0), size: rows, open: None }];
        columns.push(Column { name: chosen, span: spec.split.span, ty: ColumnType::F32, axes, whole: true, of: None });
    }
    store.views = vec![View::ROW; columns.len()];
    store.open = vec![None; columns.len()];
    let counts = [0, 1, 2].map(|at| parts[at].len());
    let rowsets = parts.map(|part| {
        let mut store = store.clone();
        if has_chosen {
            let mut numbers = vec![0.0; rows];
            part.iter().for_each(|row| numbers[*row as usize] = 1.0);
            store.columns.push(Stored::F32(numbers));
        }
        Rowset { store: Arc::new(store), rows: Arc::new(part) }
    });
    let schema = Schema { name: spec.name.name, columns, rows: counts, batch: counts[0] };
    Some(Dataset::new(spec, schema, found, rowsets, seed))
}

/// The columns of other tables that `key` looks into.
fn keys(spec: &Spec) -> impl Iterator<Item = &Selector> {
    spec.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Apply(_, Transform::Key(selector), _) => Some(selector),
        _ => None,
    })
}

/// The table whose rows a column has.
fn table_of(spec: &Spec, node: NodeId) -> usize {
    let nodes = spec.reachable([node]);
    let tables = nodes.into_iter().filter_map(|id| match &spec.node(id).kind {
        NodeKind::Column(columns) => columns.names.first().map(|name| name.table),
        _ => None,
    });
    tables.min().unwrap_or(0)
}

impl<'t> Evaluation<'t> {
    /// `key(node.column("id"))`
    pub fn key(&mut self, selector: &Selector, value: Value<'t>, id: NodeId) -> Option<Value<'t>> {
        let Value::Cells(columns, form) = value else { return None };
        let other = self.tables.get(selector.table)?;
        let span = self.spec.node(id).span;
        let known = *other.select(std::slice::from_ref(selector)).first()?;
        let Cells::Text(keys) = &known.cells else { return None };
        let mut rows: FxHashMap<&str, i32> = FxHashMap::default();
        for (row, key) in keys.cells().enumerate() {
            if rows.insert(key, row as i32).is_some() {
                self.diagnostics.push(told::key_twice(span, other.place(known, row), key, 0));
                return None;
            }
        }
        let mut numbers = Vec::with_capacity(self.table.rows * columns.len());
        let (mut first, mut others) = (None, 0);
        for row in 0..self.table.rows {
            for column in &columns {
                let Cells::Text(cells) = &column.cells else { return None };
                let found = rows.get(cells.cell(row)).copied();
                if found.is_none() {
                    others += usize::from(first.is_some());
                    first = first.or(Some((*column, row)));
                }
                numbers.push(found.unwrap_or(0));
            }
        }
        if let Some((column, row)) = first {
            let place = self.table.place(column, row);
            let error = match &column.cells {
                Cells::Text(cells) if !is_missing(cells.cell(row)) => {
                    told::key_of_nothing(span, place, cells.cell(row), other.file(), others)
                }
                Cells::Text(_) | Cells::Numbers(_) => contents::missing_key(span, place, others),
            };
            self.diagnostics.push(error);
            return None;
        }
        let axis =
            self.spec.source.as_ref().and_then(|source| source.tables.get(selector.table)).map(|(name, _)| *name);
        Some(Value::Classes(Classes {
            form,
            data: numbers,
            axis,
            size: other.rows,
            names: Vec::new(),
            spelling: Spelling::Names,
        }))
    }
}
