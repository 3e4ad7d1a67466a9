//! Batches of a part of the data.
//!
//! In: a `Dataset`, a part, the columns that are wanted. Out: batch `index` of `epoch`, as tensors or
//! written where the caller says. The whole state is (epoch, index): any batch can be asked for at any
//! time, and a run that resumes sees what it would have seen.
//!
//! Only the rows of a batch are copied. A batch of a few hundred kilobytes is gathered faster by one
//! thread than work can be handed to others, so there are none here.

use std::sync::{Arc, Mutex};

use crate::base::Symbol;
use crate::base::philox::permutation;
use crate::tensor::Tensor;

use super::dataset::{Dataset, Rowset, Stored};
use super::schema::{Column, Part};
use super::spec::BatchSize;
use super::split::{Purpose, key};

/// Gives the batches of one part.
#[derive(Debug)]
pub struct Loader<'d> {
    dataset: &'d Dataset,
    rowset: &'d Rowset,
    /// Places of the wanted columns in the schema.
    columns: Vec<usize>,
    batch: usize,
    shuffle: bool,
    drop_last: bool,
    /// The order of the epoch that was asked for last: a cache, no state.
    order: Mutex<Option<(u64, Arc<Vec<u32>>)>>,
}

/// Rows of the wanted columns.
#[derive(Clone, PartialEq, Debug)]
pub struct Batch {
    /// How many rows.
    pub rows: usize,
    /// `[batch, …]` by name, in the order they were wanted.
    pub columns: Vec<(Symbol, Tensor)>,
}

/// Where a column of a batch is to be written, row by row.
#[derive(Debug)]
pub enum Target<'a> {
    /// A column of floats.
    F32(&'a mut [f32]),
    /// A column of class numbers.
    I32(&'a mut [i32]),
}

impl Dataset {
    /// The batches of a part with all columns. Training rows are shuffled if the declaration says so; the
    /// rows of other parts come in the order of their file, and none is left out.
    pub fn loader(&self, part: Part) -> Loader<'_> {
        let training = part == Part::Train;
        let rowset = self.part(part);
        let batch = match self.batch {
            BatchSize::Rows(rows) => rows,
            BatchSize::Whole => rowset.rows.len().max(1),
        };
        Loader {
            dataset: self,
            rowset,
            columns: (0..self.schema().columns.len()).collect(),
            batch,
            shuffle: training && self.shuffle,
            drop_last: training && self.drop_last,
            order: Mutex::new(None),
        }
    }
}

impl<'d> Loader<'d> {
    /// Only these columns, in this order; names the data does not have are passed over.
    pub fn only(mut self, names: &[Symbol]) -> Loader<'d> {
        let all = &self.dataset.schema().columns;
        self.columns = names.iter().filter_map(|name| all.iter().position(|column| column.name == *name)).collect();
        self
    }

    /// Batches of another size than the declaration says.
    pub fn batch_size(mut self, rows: usize) -> Loader<'d> {
        self.batch = rows.max(1);
        self
    }

    /// Rows in the order of their file, and all of them: to look at training rows without training.
    pub fn in_file_order(mut self) -> Loader<'d> {
        self.shuffle = false;
        self.drop_last = false;
        self
    }

    /// The columns of a batch.
    pub fn columns(&self) -> impl Iterator<Item = &'d Column> + '_ {
        self.columns.iter().map(|&at| &self.dataset.schema().columns[at])
    }

    /// How many rows the part has.
    pub fn rows(&self) -> usize {
        self.rowset.rows.len()
    }

    /// How many batches an epoch has.
    pub fn batches(&self) -> usize {
        if self.drop_last { self.rows() / self.batch } else { self.rows().div_ceil(self.batch) }
    }

    /// How many rows a batch has: the last of an epoch may have fewer.
    pub fn rows_of(&self, index: usize) -> usize {
        let start = index.saturating_mul(self.batch).min(self.rows());
        if index < self.batches() { self.batch.min(self.rows() - start) } else { 0 }
    }

    /// Batch `index` of `epoch`; without rows past the end of the epoch.
    pub fn batch(&self, epoch: u64, index: usize) -> Batch {
        let order = self.order(epoch);
        let chosen = self.chosen(&order, index);
        let columns = self.columns.iter().map(|&at| {
            let column = &self.dataset.schema().columns[at];
            let mut shape = column.shape();
            let item = shape.iter().product();
            shape.insert(0, chosen.len());
            let tensor = match &self.rowset.store.columns[at] {
                Stored::F32(all) => Tensor::from_f32(&shape, gather(all, chosen, item)),
                Stored::I32(all) => Tensor::from_i32(&shape, gather(all, chosen, item)),
            };
            (column.name, tensor.expect("a batch has as many numbers as its rows have"))
        });
        Batch { rows: chosen.len(), columns: columns.collect() }
    }

    /// Writes batch `index` of `epoch` where the targets say, one for each column; gives the number of
    /// rows. A target may be longer than the batch. None when a target is missing, too short, or of the
    /// other element type.
    pub fn write(&self, epoch: u64, index: usize, targets: &mut [Target<'_>]) -> Option<usize> {
        let order = self.order(epoch);
        let chosen = self.chosen(&order, index);
        if targets.len() != self.columns.len() {
            return None;
        }
        for (&at, target) in self.columns.iter().zip(targets) {
            let item = self.dataset.schema().columns[at].axes.iter().map(|axis| axis.size).product();
            match (&self.rowset.store.columns[at], target) {
                (Stored::F32(all), Target::F32(into)) => copy(all, chosen, item, into)?,
                (Stored::I32(all), Target::I32(into)) => copy(all, chosen, item, into)?,
                (Stored::F32(_), Target::I32(_)) | (Stored::I32(_), Target::F32(_)) => return None,
            }
        }
        Some(chosen.len())
    }

    /// The rows of a batch, as rows of the store.
    fn chosen<'o>(&self, order: &'o [u32], index: usize) -> &'o [u32] {
        let start = index.saturating_mul(self.batch).min(order.len());
        &order[start..start + self.rows_of(index)]
    }

    /// The rows of the part in the order of an epoch.
    fn order(&self, epoch: u64) -> Arc<Vec<u32>> {
        let mut cached = self.order.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        // Without a shuffle, all epochs are the first.
        let epoch = if self.shuffle { epoch } else { 0 };
        if let Some((of, order)) = &*cached
            && *of == epoch
        {
            return order.clone();
        }
        let rows = &self.rowset.rows;
        let order = Arc::new(if self.shuffle {
            let stream = [epoch as u32, (epoch >> 32) as u32];
            let places = permutation(rows.len(), key(self.dataset.seed, Purpose::Shuffle), stream);
            places.into_iter().map(|at| rows[at as usize]).collect()
        } else {
            rows.clone()
        });
        *cached = Some((epoch, order.clone()));
        order
    }
}

fn gather<T: Copy>(all: &[T], rows: &[u32], item: usize) -> Vec<T> {
    let mut numbers = Vec::with_capacity(rows.len() * item);
    for &row in rows {
        numbers.extend_from_slice(&all[row as usize * item..][..item]);
    }
    numbers
}

fn copy<T: Copy>(all: &[T], rows: &[u32], item: usize, into: &mut [T]) -> Option<()> {
    let into = into.get_mut(..rows.len() * item)?;
    if item > 0 {
        for (row, place) in rows.iter().zip(into.chunks_exact_mut(item)) {
            place.copy_from_slice(&all[*row as usize * item..][..item]);
        }
    }
    Some(())
}
