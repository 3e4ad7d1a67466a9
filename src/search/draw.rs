//! Random numbers of a trial: counted, so that they are the same whenever the trial is chosen.

use crate::base::philox::philox;

/// A stream of random numbers.
pub(super) struct Draws {
    key: [u32; 2],
    trial: u64,
    count: u32,
}

impl Draws {
    /// Those of a trial under a seed.
    pub(super) fn new(seed: u64, trial: u64) -> Draws {
        Draws { key: [seed as u32, (seed >> 32) as u32], trial, count: 0 }
    }

    /// A number in `[0, 1)` with 53 random bits.
    pub(super) fn uniform(&mut self) -> f64 {
        // The last word tells these numbers from those of steps and of shuffled rows.
        let words = philox([self.count, self.trial as u32, (self.trial >> 32) as u32, 0x5ea2_c4ed], self.key);
        self.count += 1;
        let bits = (u64::from(words[0]) << 32 | u64::from(words[1])) >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }

    /// A place of so many.
    pub(super) fn below(&mut self, count: usize) -> usize {
        ((self.uniform() * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// A standard normal number, by Box and Muller.
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}
