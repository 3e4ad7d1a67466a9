//! Patches of some rows and some positions of `k`, written out.
//!
//! In: the tensor that a window reads, which rows, which positions of `k`. Out: the patches as a matrix, laid
//! out along the side, rows or positions, whose last loop walks the tensor by the shorter step: `c` of an
//! image with channels last, in every role. That side is a list of runs, made once; the other side is walked
//! like a counter.

use std::ops::Range;

use smallvec::{SmallVec, smallvec};

use super::{Block, Cut, Loops, unravel};
use crate::backend::bound::{BoundConv, BoundPatchAxis};

/// A number for each axis of the tensor.
type Axes = SmallVec<[i64; 6]>;

/// What is packed.
pub(super) struct Part<'a> {
    pub conv: &'a BoundConv,
    pub cut: &'a Cut,
    pub block: &'a Block,
    /// The position along each outer loop of `k`.
    pub outer: &'a [usize],
    /// Which positions of the inner loops of `k`, in row-major order.
    pub inner: Range<usize>,
}

/// One side of the matrix: loops with the steps they make along each axis, and a range in row-major order.
struct Side {
    sizes: Loops<usize>,
    steps: Loops<Axes>,
    range: Range<usize>,
}

/// Elements one behind the other along the last loop of a side.
struct Run {
    /// The part of the position along each axis that this side has.
    position: Axes,
    len: usize,
}

/// The last loop of a side, when it walks one axis of the tensor and divides nothing.
#[derive(Clone, Copy)]
struct Walk {
    axis: usize,
    step: i64,
}

impl Part<'_> {
    /// Packs into the front of `packed`; tells how far a row and a position of `k` go in it.
    pub fn pack(&self, source: &[u32], packed: &mut [u32]) -> [i64; 2] {
        let (rows, depth) = (self.rows(), self.depth());
        let [row_walk, depth_walk] = [&rows, &depth].map(|side| self.walk(side));
        let reach = |walk: Option<Walk>| walk.map_or(i64::MAX, |walk| walk.step * self.conv.axes[walk.axis].stride);
        let along_rows = reach(row_walk).abs() < reach(depth_walk).abs();
        let (slow, fast, walk) = if along_rows { (depth, rows, row_walk) } else { (rows, depth, depth_walk) };
        let pitch = fast.range.len();
        let runs = runs(&fast, walk.is_some(), self.conv.axes.len());
        self.fill(&slow, &runs, walk, source, packed);
        if along_rows { [1, pitch as i64] } else { [pitch as i64, 1] }
    }

    /// The rows of the block, by the loops of its class.
    fn rows(&self) -> Side {
        let before = self.conv.batch.len();
        let step = |at: usize| {
            let period = self.cut.periods[at] as i64;
            self.conv.axes.iter().map(|axis| axis.steps[before + at] * period).collect()
        };
        let steps = (0..self.conv.m.len()).map(step).collect();
        Side { sizes: self.block.counts.clone(), steps, range: self.block.rows.clone() }
    }

    /// The positions of the inner loops of `k`.
    fn depth(&self) -> Side {
        let (outer, before) = (self.outer.len(), self.conv.batch.len() + self.conv.m.len());
        let step = |at: usize| self.conv.axes.iter().map(|axis| axis.steps[before + at]).collect();
        let steps = (outer..self.conv.k.len()).map(step).collect();
        Side { sizes: self.conv.k[outer..].iter().copied().collect(), steps, range: self.inner.clone() }
    }

    fn walk(&self, side: &Side) -> Option<Walk> {
        let steps = side.steps.last()?;
        let mut moved = (0..steps.len()).filter(|&axis| steps[axis] != 0);
        let axis = moved.next()?;
        let alone = moved.next().is_none() && self.conv.axes[axis].divisor == 1;
        alone.then_some(Walk { axis, step: steps[axis] })
    }

    /// Where every position of both sides starts from.
    fn base(&self) -> Axes {
        let conv = self.conv;
        let start = unravel(self.block.batch, &conv.batch);
        let at: Loops<usize> =
            start.into_iter().chain(self.block.first.clone()).chain(self.outer.iter().copied()).collect();
        conv.axes.iter().map(|axis| axis.base + super::dot(&at, &axis.steps)).collect()
    }

    fn fill(&self, slow: &Side, runs: &[Run], walk: Option<Walk>, source: &[u32], packed: &mut [u32]) {
        let mut counter = Counter::new(slow, self.base());
        let mut at = 0;
        for _ in slow.range.clone() {
            for run in runs {
                let target = &mut packed[at..at + run.len];
                at += run.len;
                self.copy(&counter.position, run, walk, source, target);
            }
            counter.step(slow);
        }
    }

    /// One run: what lies outside of the tensor, or between its elements, is 0.
    fn copy(&self, start: &Axes, run: &Run, walk: Option<Walk>, source: &[u32], target: &mut [u32]) {
        let mut from = 0;
        for (at, axis) in self.conv.axes.iter().enumerate() {
            if walk.is_some_and(|walk| walk.axis == at) {
                continue;
            }
            let Some(position) = position(axis, start[at] + run.position[at]) else { return target.fill(0) };
            from += position * axis.stride;
        }
        let Some(Walk { axis, step }) = walk else {
            target[0] = source[from as usize];
            return;
        };
        let (first, size, stride) =
            (start[axis] + run.position[axis], self.conv.axes[axis].size, self.conv.axes[axis].stride);
        let inside = inside(first, step, size, run.len);
        target[..inside.start].fill(0);
        target[inside.end..].fill(0);
        if inside.is_empty() {
            return;
        }
        let begin = from + (first + step * inside.start as i64) * stride;
        let target = &mut target[inside];
        if step * stride == 1 {
            let begin = begin as usize;
            target.copy_from_slice(&source[begin..begin + target.len()]);
        } else {
            for (at, word) in target.iter_mut().enumerate() {
                *word = source[(begin + at as i64 * step * stride) as usize];
            }
        }
    }
}

/// The position along an axis, when it is one.
fn position(axis: &BoundPatchAxis, times: i64) -> Option<i64> {
    let position = match axis.divisor {
        1 => times,
        divisor if times % divisor == 0 => times / divisor,
        _ => return None,
    };
    (0 <= position && position < axis.size).then_some(position)
}

/// Which `i` of `0..len` have `first + step·i` in `0..size`.
fn inside(first: i64, step: i64, size: i64, len: usize) -> Range<usize> {
    // The first position is at least 0 from here on, and the last below the size up to there.
    let (low, high) = match step > 0 {
        true => (
            (-first).div_euclid(step) + i64::from((-first).rem_euclid(step) != 0),
            (size - first).div_euclid(step) + i64::from((size - first).rem_euclid(step) != 0),
        ),
        false => {
            let step = -step;
            ((first - size).div_euclid(step) + 1, first.div_euclid(step) + 1)
        }
    };
    let len = len as i64;
    let low = low.clamp(0, len);
    low as usize..high.clamp(low, len) as usize
}

/// The runs of a side: along its last loop, or of one element each.
fn runs(side: &Side, along: bool, axes: usize) -> SmallVec<[Run; 16]> {
    let mut runs = SmallVec::new();
    let mut counter = Counter::new(side, smallvec![0; axes]);
    let mut left = side.range.len();
    while left > 0 {
        let len = match (along, side.sizes.last(), counter.at.last()) {
            (true, Some(size), Some(at)) => (size - at).min(left),
            _ => 1,
        };
        runs.push(Run { position: counter.position.clone(), len });
        left -= len;
        (0..len).for_each(|_| counter.step(side));
    }
    runs
}

/// A place in the loops of a side and the position it makes, kept like the wheels of a counter.
struct Counter {
    at: Loops<usize>,
    position: Axes,
}

impl Counter {
    /// At the first place of a side's range, from a position on.
    fn new(side: &Side, mut position: Axes) -> Counter {
        let at = unravel(side.range.start, &side.sizes);
        for (at, steps) in at.iter().zip(&side.steps) {
            position.iter_mut().zip(steps).for_each(|(position, step)| *position += *at as i64 * step);
        }
        Counter { at, position }
    }

    fn step(&mut self, side: &Side) {
        for axis in (0..self.at.len()).rev() {
            self.at[axis] += 1;
            self.position.iter_mut().zip(&side.steps[axis]).for_each(|(position, step)| *position += step);
            if self.at[axis] < side.sizes[axis] {
                return;
            }
            let size = side.sizes[axis] as i64;
            self.at[axis] = 0;
            self.position.iter_mut().zip(&side.steps[axis]).for_each(|(position, step)| *position -= size * step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_cut_to_what_is_inside() {
        for first in -9..9 {
            for step in [-3i64, -2, -1, 1, 2, 3] {
                for size in 0..6 {
                    for len in 0..7 {
                        let found = inside(first, step, size, len);
                        let is_in = |i: &usize| (0..size).contains(&(first + step * *i as i64));
                        let wanted: Vec<usize> = (0..len).filter(is_in).collect();
                        assert_eq!(found.collect::<Vec<_>>(), wanted, "{first} {step} {size} {len}");
                    }
                }
            }
        }
    }
}
