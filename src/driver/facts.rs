//! What the check asks of the data.
//!
//! In: datasets, or the schemas that a run took down. Out: the columns as the check knows them.

use rustc_hash::FxHashMap;

use crate::base::Symbol;
use crate::data::{self, ColumnType, Dataset, Schema};
use crate::sema::{Column, ColumnSize, DataFacts, Elements};

/// The facts of the data that could be read.
#[derive(Default)]
pub(super) struct Facts {
    pub datasets: FxHashMap<Symbol, Dataset>,
    /// Those of data that is not at hand.
    pub recorded: FxHashMap<Symbol, Schema>,
}

impl DataFacts for Facts {
    fn columns(&self, data: Symbol) -> Option<Vec<Column>> {
        let schema = self.datasets.get(&data).map(Dataset::schema).or_else(|| self.recorded.get(&data))?;
        let size = |axis: &data::Axis| match axis.open {
            None => ColumnSize::Known(axis.size as i64),
            Some(open) => ColumnSize::Open { longest: axis.size as i64, most: open.most.map(|most| most as i64) },
        };
        let columns = schema.columns.iter().map(|column| Column {
            name: column.name,
            batched: !column.whole,
            axes: column.axes.iter().map(|axis| (axis.name, size(axis))).collect(),
            elements: match &column.ty {
                ColumnType::F32 => Elements::Floats,
                ColumnType::Index { axis, size, .. } => Elements::Index(*axis, *size as i64),
                ColumnType::Truth => Elements::Truths,
                ColumnType::Count => Elements::Counts,
            },
            of: column.of,
        });
        Some(columns.collect())
    }
}
