//! Which rows a batch has.
//!
//! In: the rows of a part, a seed, the size of a batch. Out: the rows of batch `index` of `epoch`, which no
//! earlier question changes, and which batch comes next.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use crate::base::philox::permutation;

use super::dataset::Rowset;
use super::split::{Purpose, key};

/// The order of the rows of a part.
#[derive(Debug)]
pub(super) struct Order {
    pub rows: Arc<Vec<u32>>,
    pub seed: u64,
    /// Where its batches end.
    cut: Cut,
    pub shuffle: bool,
    pub drop_last: bool,
    /// The epoch that was asked for last: a cache, no state.
    cached: Mutex<Option<(u64, Arc<Vec<u32>>)>>,
}

/// Where batches end.
#[derive(Clone, Debug)]
enum Cut {
    /// After so many rows.
    Rows(usize),
    /// Where another row, filled up as the longest of them, would make too many places. Rows go from the shortest to the
    /// longest, so that rows of a batch are of like length and every epoch is cut in the same way.
    Places {
        /// How many places each row of the store takes.
        lengths: Arc<Vec<u32>>,
        /// The end of each batch among the rows of the part.
        ends: Arc<Vec<usize>>,
    },
}

impl Clone for Order {
    fn clone(&self) -> Order {
        Order { rows: self.rows.clone(), cut: self.cut.clone(), cached: Mutex::new(None), ..*self }
    }
}

impl Order {
    pub fn new(rows: Arc<Vec<u32>>, seed: u64, batch: usize, shuffle: bool, drop_last: bool) -> Order {
        Order { rows, seed, cut: Cut::Rows(batch), shuffle, drop_last, cached: Mutex::new(None) }
    }

    /// Batches of no more than so many places; a row that has more is a batch of its own.
    pub fn of_places(rowset: &Rowset, seed: u64, most: usize, shuffle: bool) -> Order {
        let lengths = rowset.store.places();
        let mut rows = rowset.rows.to_vec();
        rows.sort_by_key(|row| lengths[*row as usize]);
        let mut ends = Vec::new();
        let mut start = 0;
        for (at, row) in rows.iter().enumerate() {
            // They rise, so the row at hand is the longest.
            let places = (at + 1 - start) * (lengths[*row as usize].max(1) as usize);
            if at > start && places > most {
                ends.push(at);
                start = at;
            }
        }
        ends.extend((start < rows.len()).then_some(rows.len()));
        let cut = Cut::Places { lengths: Arc::new(lengths), ends: Arc::new(ends) };
        Order { rows: Arc::new(rows), seed, cut, shuffle, drop_last: false, cached: Mutex::new(None) }
    }

    /// So many rows in a batch.
    pub fn of_rows(&mut self, batch: usize) {
        self.cut = Cut::Rows(batch);
    }

    /// How many rows the largest batch has.
    pub fn most_rows(&self) -> usize {
        match &self.cut {
            Cut::Rows(batch) => *batch,
            Cut::Places { ends, .. } => (0..ends.len()).map(|at| bounds(ends, at).len()).max().unwrap_or(0),
        }
    }

    /// How many batches an epoch has.
    pub fn batches(&self) -> usize {
        match &self.cut {
            Cut::Rows(batch) if self.drop_last => self.rows.len() / batch,
            Cut::Rows(batch) => self.rows.len().div_ceil(*batch),
            Cut::Places { ends, .. } => ends.len(),
        }
    }

    /// Where a batch stands among the rows of an epoch; none past its end.
    fn range(&self, epoch: u64, index: usize) -> Range<usize> {
        if index >= self.batches() {
            return 0..0;
        }
        match &self.cut {
            Cut::Rows(batch) => index * batch..((index + 1) * batch).min(self.rows.len()),
            Cut::Places { ends, .. } if self.shuffle => {
                let stream = [epoch as u32, (epoch >> 32) as u32];
                let places = permutation(ends.len(), key(self.seed, Purpose::Batches), stream);
                bounds(ends, places[index] as usize)
            }
            Cut::Places { ends, .. } => bounds(ends, index),
        }
    }

    /// How many rows a batch has: the last of an epoch may have fewer.
    pub fn rows_of(&self, epoch: u64, index: usize) -> usize {
        self.range(epoch, index).len()
    }

    /// The rows of a batch, as rows of the store; none past the end of an epoch.
    pub fn chosen(&self, epoch: u64, index: usize) -> Vec<u32> {
        self.of(epoch)[self.range(epoch, index)].to_vec()
    }

    /// The rows of the part in the order of an epoch.
    fn of(&self, epoch: u64) -> Arc<Vec<u32>> {
        if !self.shuffle {
            return self.rows.clone();
        }
        let mut cached = self.cached.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((of, order)) = &*cached
            && *of == epoch
        {
            return order.clone();
        }
        let stream = [epoch as u32, (epoch >> 32) as u32];
        let places = permutation(self.rows.len(), key(self.seed, Purpose::Shuffle), stream);
        let mut order: Vec<u32> = places.into_iter().map(|at| self.rows[at as usize]).collect();
        if let Cut::Places { lengths, .. } = &self.cut {
            // Rows of one length stay as they were drawn.
            order.sort_by_key(|row| lengths[*row as usize]);
        }
        let order = Arc::new(order);
        *cached = Some((epoch, order.clone()));
        order
    }
}

fn bounds(ends: &[usize], at: usize) -> Range<usize> {
    let start = if at == 0 { 0 } else { ends[at - 1] };
    start..ends[at]
}
