//! The random numbers of a training picture.
//!
//! In: the seed of a run, an epoch, a row, the number of a `train(…)`. Out: numbers in order: a row of an epoch draws
//! the same in every run, in any order of asking, and whatever else its column has drawn before.

use crate::base::philox::{philox, uniform};

/// An epoch of training: what random changes depend on beside the row.
#[derive(Clone, Copy, Debug)]
pub struct Epoch {
    /// Of the purpose, under the seed of the run.
    pub key: [u32; 2],
    pub number: u64,
}

/// The numbers of one row.
pub struct Draws {
    epoch: Epoch,
    row: u32,
    count: u32,
}

impl Draws {
    /// Those of one `train(…)`.
    pub fn of(epoch: Epoch, row: u32, number: usize) -> Draws {
        // More than a `train(…)` draws, so that the next begins behind it.
        const EACH: u32 = 1 << 16;
        Draws { epoch, row, count: (number as u32).wrapping_mul(EACH) }
    }

    /// In `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        let Epoch { key, number } = self.epoch;
        let words = philox([self.row, self.count, number as u32, (number >> 32) as u32], key);
        self.count += 1;
        f64::from(uniform(words[0]))
    }

    /// In `[-reach, reach)`.
    pub fn around(&mut self, reach: f64) -> f64 {
        (2.0 * self.unit() - 1.0) * reach
    }

    /// One of `0..=last`.
    pub fn place(&mut self, last: usize) -> usize {
        ((self.unit() * (last + 1) as f64) as usize).min(last)
    }
}
