//! Batches of a part of the data.
//!
//! In: a `Dataset`, a part, the columns that are wanted. Out: batch `index` of `epoch`, as tensors or
//! written where the caller says. The whole state is (epoch, index): any batch can be asked for at any
//! time, and a run that resumes sees what it would have seen.
//!
//! Only the rows of a batch are copied. A batch of a few hundred kilobytes is gathered faster by one
//! thread than work can be handed to others, so there are none here; pictures come from `ahead`.

use std::sync::OnceLock;

use crate::base::Symbol;
use crate::tensor::Tensor;

use super::Checked;
use super::ahead::{Ahead, Made};
use super::dataset::{Dataset, Rowset, Stored};
use super::order::Order;
use super::schema::{Axis, Column, Part};
use super::series::View;
use super::spec::BatchSize;

/// What is there as a whole is one row.
const WHOLE: &[u32] = &[0];

/// Gives the batches of one part.
#[derive(Debug)]
pub struct Loader<'d> {
    dataset: &'d Dataset,
    rowset: &'d Rowset,
    /// Places of the wanted columns in the schema.
    columns: Vec<usize>,
    order: Order,
    /// Whether rows are changed at random where the declaration says so.
    training: bool,
    /// Made when the first batch is asked for; none without pictures.
    ahead: OnceLock<Option<Ahead>>,
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
    /// The batches of a part with all columns. Training rows are shuffled and changed at random if the
    /// declaration says so; the rows of other parts come in the order of their file, and none is left out.
    pub fn loader(&self, part: Part) -> Loader<'_> {
        let training = part == Part::Train;
        let rowset = self.part(part);
        let (shuffle, drop_last) = (training && self.shuffle, training && self.drop_last);
        let of_rows = |batch| Order::new(rowset.rows.clone(), self.seed, batch, shuffle, drop_last);
        let order = match self.batch {
            BatchSize::Rows(rows) => of_rows(rows),
            BatchSize::Auto => of_rows(BatchSize::auto(self.part(Part::Train).rows.len())),
            BatchSize::Whole => of_rows(rowset.rows.len().max(1)),
            BatchSize::Tokens(most) => Order::of_places(rowset, self.seed, most, shuffle),
        };
        Loader {
            dataset: self,
            rowset,
            columns: (0..self.schema().columns.len()).collect(),
            order,
            training,
            ahead: OnceLock::new(),
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
        self.order.of_rows(rows.max(1));
        self
    }

    /// Rows in the order of their file, all of them, and unchanged: to look at training rows without
    /// training.
    pub fn in_file_order(mut self) -> Loader<'d> {
        (self.order.shuffle, self.order.drop_last, self.training) = (false, false, false);
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
        self.order.batches()
    }

    /// How many rows a batch has: the last of an epoch may have fewer.
    pub fn rows_of(&self, epoch: u64, index: usize) -> usize {
        self.order.rows_of(epoch, index)
    }

    /// The size of the open axis of each wanted column in a batch; none for a column without one.
    pub fn open_sizes(&self, epoch: u64, index: usize) -> Vec<Option<usize>> {
        let chosen = self.order.chosen(epoch, index);
        self.columns.iter().map(|&at| self.rowset.store.open_size(at, &chosen)).collect()
    }

    /// Whether a wanted column has an open axis.
    pub fn has_open_axes(&self) -> bool {
        self.columns.iter().any(|&at| self.rowset.store.open[at].is_some())
    }

    /// Batch `index` of `epoch`; without rows past the end of the epoch. An error is that of a picture.
    pub fn batch(&self, epoch: u64, index: usize) -> Checked<Batch> {
        let chosen = self.order.chosen(epoch, index);
        let mut made = self.made(epoch, index)?.into_iter();
        let columns = self.columns.iter().map(|&at| {
            let column = &self.dataset.schema().columns[at];
            let mut shape = column.shape_at(self.rowset.store.open_size(at, &chosen));
            let item = shape.iter().product();
            let chosen = if column.whole { WHOLE } else { &chosen };
            if !column.whole {
                shape.insert(0, chosen.len());
            }
            let view = self.rowset.store.views[at];
            let tensor = match &self.rowset.store.columns[at] {
                Stored::F32(all) => Tensor::from_f32(&shape, gather(all, chosen, (view, item))),
                Stored::I32(all) => Tensor::from_i32(&shape, gather(all, chosen, (view, item))),
                Stored::Made(maker) => maker.tensor(&shape, made.next().unwrap_or_default()),
                texts @ Stored::Texts(..) => {
                    let mut numbers = vec![0; chosen.len() * item];
                    texts.write_texts(chosen, item, &mut numbers).expect("there is room for the rows");
                    Tensor::from_i32(&shape, numbers)
                }
            };
            (column.name, tensor.expect("a batch has as many numbers as its rows have"))
        });
        Ok(Batch { rows: chosen.len(), columns: columns.collect() })
    }

    /// Writes batch `index` of `epoch` where the targets say, one for each column; gives the number of
    /// rows. A target may be longer than the batch. None when a target is missing, too short, or of the
    /// other element type. An error is that of a picture.
    pub fn write(&self, epoch: u64, index: usize, targets: &mut [Target<'_>]) -> Checked<Option<usize>> {
        let chosen = self.order.chosen(epoch, index);
        let made = self.made(epoch, index)?;
        Ok(self.copy(&chosen, made, targets))
    }

    fn copy(&self, chosen: &[u32], made: Made, targets: &mut [Target<'_>]) -> Option<usize> {
        if targets.len() != self.columns.len() {
            return None;
        }
        let mut made = made.into_iter();
        for (&at, target) in self.columns.iter().zip(targets) {
            let open = self.rowset.store.open_size(at, chosen);
            let axes = &self.dataset.schema().columns[at].axes;
            let size = |axis: &Axis| axis.open.and(open).unwrap_or(axis.size);
            let item = axes.iter().map(size).product();
            let view = self.rowset.store.views[at];
            let chosen = if self.dataset.schema().columns[at].whole { WHOLE } else { chosen };
            match (&self.rowset.store.columns[at], target) {
                (Stored::F32(all), Target::F32(into)) => copy(all, chosen, (view, item), into)?,
                (Stored::I32(all), Target::I32(into)) => copy(all, chosen, (view, item), into)?,
                (Stored::Made(maker), Target::F32(into)) if !maker.has_classes() => {
                    let numbers = made.next()?;
                    into.get_mut(..numbers.len())?.copy_from_slice(&numbers);
                }
                (texts @ Stored::Texts(..), Target::I32(into)) => texts.write_texts(chosen, item, into)?,
                (Stored::Made(maker), Target::I32(into)) if maker.has_classes() => {
                    let numbers = made.next()?;
                    let into = into.get_mut(..numbers.len())?;
                    into.iter_mut().zip(numbers).for_each(|(into, number)| *into = number as i32);
                }
                (Stored::F32(_), Target::I32(_))
                | (Stored::I32(_) | Stored::Texts(..), Target::F32(_))
                | (Stored::Made(_), _) => return None,
            }
        }
        Some(chosen.len())
    }

    /// The pictures of a batch.
    fn made(&self, epoch: u64, index: usize) -> Checked<Made> {
        let ahead = self.ahead.get_or_init(|| {
            let item = |at: usize| self.dataset.schema().columns[at].shape().iter().product();
            let columns: Vec<(usize, usize)> = self.columns.iter().map(|&at| (at, item(at))).collect();
            Ahead::of(&self.rowset.store, &columns, self.order.clone(), self.training, self.dataset.prefetch)
        });
        // Past the end there is nothing to make ahead of.
        match ahead.as_ref().filter(|_| index < self.batches()) {
            Some(ahead) => ahead.take(epoch, index),
            None => Ok(Made::new()),
        }
    }
}

/// The numbers of some rows.
pub(super) fn gather<T: Copy>(all: &[T], rows: &[u32], (view, item): (View, usize)) -> Vec<T> {
    let mut numbers = Vec::with_capacity(rows.len() * item);
    for &row in rows {
        numbers.extend_from_slice(&all[view.range(row, item)]);
    }
    numbers
}

fn copy<T: Copy>(all: &[T], rows: &[u32], (view, item): (View, usize), into: &mut [T]) -> Option<()> {
    let into = into.get_mut(..rows.len() * item)?;
    if item > 0 {
        for (row, place) in rows.iter().zip(into.chunks_exact_mut(item)) {
            place.copy_from_slice(&all[view.range(*row, item)]);
        }
    }
    Some(())
}
