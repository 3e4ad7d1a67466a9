//! How a launch is cut for several threads: by its kernel and its sizes alone.
//!
//! A kernel cuts its rows; one that keeps nothing across a row cuts that too, when rows are few. Small
//! launches stay whole: waking a thread costs more than they do.

use std::ops::Range;

use crate::kernel::extent;
use crate::kernel::ir::{Body, Coef, Inst, Kernel, Phase};

/// Below this much work, in nanoseconds, one thread is faster than waking another.
const SERIAL: f64 = 3000.0;
/// What a chunk should take, and how many there are at most.
const CHUNK: f64 = 4000.0;
const CHUNKS: f64 = 256.0;

/// How a launch is cut: a function of the kernel and its sizes alone.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Chunks {
    rows: u64,
    row: u64,
    rows_each: u64,
    elements_each: u64,
}

impl Chunks {
    /// Cuts so many rows of so many elements.
    pub fn new(kernel: &Kernel, sizes: &[i64], rows: u64, row: u64) -> Chunks {
        let whole = Chunks { rows, row, rows_each: rows.max(1), elements_each: row.max(1) };
        let work = cost(kernel, sizes, rows, row);
        if work < SERIAL {
            return whole;
        }
        let wanted = (work / CHUNK).clamp(2.0, CHUNKS) as u64;
        let down = wanted.min(rows);
        let across = if kernel.is_elementwise() { wanted.div_ceil(down) } else { 1 };
        // A cut at a multiple of 64 elements keeps threads off each other's cache lines.
        let elements_each = if across == 1 { row.max(1) } else { row.div_ceil(across).next_multiple_of(64) };
        Chunks { rows_each: rows.div_ceil(down), elements_each, ..whole }
    }

    /// How many side by side in a row.
    fn across(&self) -> u64 {
        self.row.div_ceil(self.elements_each).max(1)
    }

    /// How many.
    pub fn count(&self) -> usize {
        (self.rows.div_ceil(self.rows_each) * self.across()) as usize
    }

    /// The rows and the elements of a chunk.
    pub fn get(&self, chunk: usize) -> (Range<u64>, Range<u64>) {
        let (down, across) = (chunk as u64 / self.across(), chunk as u64 % self.across());
        let (row, element) = (down * self.rows_each, across * self.elements_each);
        (row..(row + self.rows_each).min(self.rows), element..(element + self.elements_each).min(self.row))
    }
}

/// About how many nanoseconds a launch takes on one thread; only its order of magnitude matters.
fn cost(kernel: &Kernel, sizes: &[i64], rows: u64, row: u64) -> f64 {
    let element = |body: &Body| {
        let inst = |inst: &Inst| match inst {
            Inst::Const(..) | Inst::Arg(_) | Inst::Slot(_) => 0.0,
            Inst::Load { row: None, valid: None, at, .. } if matches!(at.row, Coef::Const(0 | 1)) => 0.1,
            Inst::Load { .. } => 0.6,
            _ => 0.1,
        };
        body.insts.iter().map(inst).sum::<f64>() + 0.1 * body.stores.len() as f64
    };
    let phase = |phase: &Phase| match phase {
        Phase::Map(body) => row as f64 * element(body),
        Phase::Reduce { body, acc } => row as f64 * (element(body) + 0.15 * acc.len() as f64) + 15.0,
        Phase::Fold { over, body, .. } => {
            row as f64 * (extent::coef(*over, sizes) as f64).max(1.0) * (element(body) + 0.1)
        }
        Phase::Scalar(body) => 4.0 * element(body),
    };
    rows as f64 * (kernel.phases.iter().map(phase).sum::<f64>() + 3.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::parse;

    #[test]
    fn chunks_cover_every_point_once() {
        let text = "(read, write; ; sizes 2) grid [s0] row s1 rowbufs 0 slots 0 {\n  map {\n    \
                    v0 = load b0[s1*g0 + i]\n    v1 = sqrt v0\n    b1[s1*g0 + i] <- v1\n  }\n}\n";
        let kernel = parse::kernel(text).unwrap();
        for (rows, row) in [(1, 0), (1, 5), (1, 1 << 20), (3, 100_000), (1000, 70), (100_000, 3), (257, 64)] {
            let sizes = [rows as i64, row as i64];
            let chunks = Chunks::new(&kernel, &sizes, rows, row);
            let mut seen = vec![0u8; (rows * row) as usize];
            for chunk in 0..chunks.count() {
                let (some_rows, elements) = chunks.get(chunk);
                assert!(!some_rows.is_empty());
                for point in some_rows {
                    for element in elements.clone() {
                        seen[(point * row + element) as usize] += 1;
                    }
                }
            }
            assert!(seen.iter().all(|count| *count == 1), "{rows} x {row}: {chunks:?}");
            assert_eq!(chunks.count() > 1, rows * row > 10_000, "{rows} x {row}: {chunks:?}");
        }
    }
}
