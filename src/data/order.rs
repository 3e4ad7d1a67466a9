//! Which rows a batch has.
//!
//! In: the rows of a part, a seed, the size of a batch. Out: the rows of batch `index` of `epoch`, which no
//! earlier question changes, and which batch comes next.

use std::sync::{Arc, Mutex};

use crate::base::philox::permutation;

use super::split::{Purpose, key};

/// The order of the rows of a part.
#[derive(Debug)]
pub(super) struct Order {
    pub rows: Arc<Vec<u32>>,
    pub seed: u64,
    /// How many rows a batch has.
    pub batch: usize,
    pub shuffle: bool,
    pub drop_last: bool,
    /// The epoch that was asked for last: a cache, no state.
    cached: Mutex<Option<(u64, Arc<Vec<u32>>)>>,
}

impl Clone for Order {
    fn clone(&self) -> Order {
        Order { rows: self.rows.clone(), cached: Mutex::new(None), ..*self }
    }
}

impl Order {
    pub fn new(rows: Arc<Vec<u32>>, seed: u64, batch: usize, shuffle: bool, drop_last: bool) -> Order {
        Order { rows, seed, batch, shuffle, drop_last, cached: Mutex::new(None) }
    }

    /// How many batches an epoch has.
    pub fn batches(&self) -> usize {
        if self.drop_last { self.rows.len() / self.batch } else { self.rows.len().div_ceil(self.batch) }
    }

    /// How many rows a batch has: the last of an epoch may have fewer.
    pub fn rows_of(&self, index: usize) -> usize {
        let start = index.saturating_mul(self.batch).min(self.rows.len());
        if index < self.batches() { self.batch.min(self.rows.len() - start) } else { 0 }
    }

    /// The rows of a batch, as rows of the store; none past the end of an epoch.
    pub fn chosen(&self, epoch: u64, index: usize) -> Vec<u32> {
        let order = self.of(epoch);
        let start = index.saturating_mul(self.batch).min(order.len());
        order[start..start + self.rows_of(index)].to_vec()
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
        let order: Arc<Vec<u32>> = Arc::new(places.into_iter().map(|at| self.rows[at as usize]).collect());
        *cached = Some((epoch, order.clone()));
        order
    }
}
