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
use crate::backend::element::Element;

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

/// How the last loops of a side go through the tensor: along one axis that divides nothing, `unit` elements at
/// a time that lie one behind the other.
#[derive(Clone, Copy)]
struct Walk {
    axis: usize,
    step: i64,
    unit: usize,
}

/// A stretch of a walk.
struct Run {
    /// The part of the position along each axis that this side has.
    position: Axes,
    /// How many units.
    len: usize,
}

impl Part<'_> {
    /// Packs into the front of `packed`; tells how far a row and a position of `k` go in it.
    pub fn pack<T: Element>(&self, source: &[T], packed: &mut [T]) -> [i64; 2] {
        let (rows, depth) = (self.rows(), self.depth());
        let [row_walk, depth_walk] = [&rows, &depth].map(|side| self.walk(side));
        // The side that walks by the shorter step, and of equal ones that with the longer runs.
        let reach = |walk: Option<Walk>| walk.map_or(i64::MAX, |walk| self.reach(walk) / walk.unit as i64);
        let run = |side: &Side, walk: Option<Walk>| {
            let loops = if walk.is_some_and(|walk| walk.unit > 1) { 2 } else { 1 };
            side.sizes.iter().rev().take(loops).product::<usize>().min(side.range.len())
        };
        let along_rows = (reach(row_walk), run(&depth, depth_walk)) < (reach(depth_walk), run(&rows, row_walk));
        let (slow, fast, walk) = if along_rows { (depth, rows, row_walk) } else { (rows, depth, depth_walk) };
        let pitch = fast.range.len();
        Copies::new(self.conv, &fast, walk).fill(&slow, self.base(), source, packed);
        if along_rows { [1, pitch as i64] } else { [pitch as i64, 1] }
    }

    /// The rows of the block, by the loops of its class.
    fn rows(&self) -> Side {
        let before = self.conv.batch.len();
        let step = |at: usize| {
            let period = self.cut.periods[at] as i64;
            self.conv.axes.iter().map(|axis| axis.steps[before + at] * period).collect()
        };
        Side::new(&self.block.counts, step, self.block.rows.clone())
    }

    /// The positions of the inner loops of `k`.
    fn depth(&self) -> Side {
        let (outer, before) = (self.outer.len(), self.conv.batch.len() + self.conv.m.len());
        let step = |at: usize| self.conv.axes.iter().map(|axis| axis.steps[before + outer + at]).collect();
        Side::new(&self.conv.k[outer..], step, self.inner.clone())
    }

    /// How far the elements of a walk are from each other.
    fn reach(&self, walk: Walk) -> i64 {
        (walk.step * self.conv.axes[walk.axis].stride).abs()
    }

    fn walk(&self, side: &Side) -> Option<Walk> {
        let along = |steps: &Axes| {
            let mut moved = (0..steps.len()).filter(|&axis| steps[axis] != 0);
            let axis = moved.next().filter(|&axis| self.conv.axes[axis].divisor == 1)?;
            moved.next().is_none().then_some(Walk { axis, step: steps[axis], unit: 1 })
        };
        let (steps, outer) = side.steps.split_last()?;
        let inner = along(steps)?;
        // Two loops are one walk where a step of the outer one is the whole of the inner one in memory.
        let unit = side.sizes[outer.len()];
        let axis = &self.conv.axes[inner.axis];
        let alone = axis.base == 0 && axis.steps.iter().filter(|step| **step != 0).count() == 1;
        let whole = alone
            && self.reach(inner) == 1
            && inner.step > 0
            && unit as i64 == axis.size
            && side.range.start.is_multiple_of(unit)
            && side.range.end.is_multiple_of(unit);
        let both = outer.last().filter(|_| whole).and_then(along);
        let both = both.filter(|walk| walk.step > 0 && self.reach(*walk) == unit as i64);
        Some(both.map_or(inner, |walk| Walk { unit, ..walk }))
    }

    /// Where every position of both sides starts from.
    fn base(&self) -> Axes {
        let conv = self.conv;
        let start = unravel(self.block.batch, &conv.batch);
        let at: Loops<usize> =
            start.into_iter().chain(self.block.first.clone()).chain(self.outer.iter().copied()).collect();
        conv.axes.iter().map(|axis| axis.base + super::dot(&at, &axis.steps)).collect()
    }
}

impl Side {
    /// Loops of one position, which go nowhere, are left out.
    fn new(sizes: &[usize], step: impl Fn(usize) -> Axes, range: Range<usize>) -> Side {
        let loops = || (0..sizes.len()).filter(|&at| sizes[at] != 1);
        Side { sizes: loops().map(|at| sizes[at]).collect(), steps: loops().map(step).collect(), range }
    }
}

/// The runs of the fast side, made once, and how each is checked and copied.
struct Copies<'a> {
    conv: &'a BoundConv,
    walk: Option<Walk>,
    runs: SmallVec<[Run; 16]>,
    /// Axes beside the walk along which all runs stand at the same position, and those where they do not.
    fixed: SmallVec<[usize; 6]>,
    varying: SmallVec<[usize; 6]>,
}

impl<'a> Copies<'a> {
    fn new(conv: &'a BoundConv, fast: &Side, walk: Option<Walk>) -> Copies<'a> {
        let runs = runs(fast, walk, conv.axes.len());
        let beside = (0..conv.axes.len()).filter(|&at| walk.is_none_or(|walk| walk.axis != at));
        let varies = |at: &usize| runs.iter().any(|run| run.position[*at] != 0);
        let (varying, fixed) = beside.partition(varies);
        Copies { conv, walk, runs, fixed, varying }
    }

    /// Copies every run for every place of the slow side.
    fn fill<T: Element>(&self, slow: &Side, base: Axes, source: &[T], packed: &mut [T]) {
        let width = |run: &Run| run.len * self.walk.map_or(1, |walk| walk.unit);
        let line: usize = self.runs.iter().map(width).sum();
        let mut counter = Counter::new(slow, base);
        for line in packed.chunks_exact_mut(line.max(1)).take(slow.range.len()) {
            let start = &counter.position;
            match self.offset(&self.fixed, |at| start[at]) {
                None => line.fill(T::ZERO),
                Some(from) => {
                    let mut rest = line;
                    for run in &self.runs {
                        let (target, behind) = rest.split_at_mut(width(run));
                        rest = behind;
                        self.copy(from, start, run, source, target);
                    }
                }
            }
            counter.step(slow);
        }
    }

    /// How far the positions along some axes are into the tensor; none where one is outside.
    fn offset(&self, axes: &[usize], position: impl Fn(usize) -> i64) -> Option<i64> {
        axes.iter().try_fold(0, |sum, &at| {
            let axis = &self.conv.axes[at];
            Some(sum + place(axis, position(at))? * axis.stride)
        })
    }

    /// One run: what lies outside of the tensor, or between its elements, is 0.
    fn copy<T: Element>(&self, from: i64, start: &Axes, run: &Run, source: &[T], target: &mut [T]) {
        let Some(more) = self.offset(&self.varying, |at| start[at] + run.position[at]) else {
            return target.fill(T::ZERO);
        };
        let from = from + more;
        let Some(Walk { axis, step, unit }) = self.walk else {
            target[0] = source[from as usize];
            return;
        };
        let BoundPatchAxis { size, stride, .. } = self.conv.axes[axis];
        let first = start[axis] + run.position[axis];
        let inside = inside(first, step, size, run.len);
        target[..inside.start * unit].fill(T::ZERO);
        target[inside.end * unit..].fill(T::ZERO);
        if inside.is_empty() {
            return;
        }
        let begin = from + (first + step * inside.start as i64) * stride;
        let target = &mut target[inside.start * unit..inside.end * unit];
        if unit > 1 || step * stride == 1 {
            let begin = begin as usize;
            target.copy_from_slice(&source[begin..begin + target.len()]);
        } else {
            for (at, element) in target.iter_mut().enumerate() {
                *element = source[(begin + at as i64 * step * stride) as usize];
            }
        }
    }
}

/// The position along an axis, when it is one.
fn place(axis: &BoundPatchAxis, times: i64) -> Option<i64> {
    let position = match axis.divisor {
        1 => times,
        divisor if times % divisor == 0 => times / divisor,
        _ => return None,
    };
    (0 <= position && position < axis.size).then_some(position)
}

/// Which `i` of `0..len` have `first + step·i` in `0..size`.
fn inside(first: i64, step: i64, size: i64, len: usize) -> Range<usize> {
    let up = |n: i64, step: i64| n.div_euclid(step) + i64::from(n.rem_euclid(step) != 0);
    // The first position is at least 0 from `low` on, and the last below the size up to `high`.
    let (low, high) = match step {
        1 => (-first, size - first),
        step if step > 0 => (up(-first, step), up(size - first, step)),
        step => ((first - size).div_euclid(-step) + 1, first.div_euclid(-step) + 1),
    };
    let len = len as i64;
    let low = low.clamp(0, len);
    low as usize..high.clamp(low, len) as usize
}

/// The runs of a side: along its walk, or of one element each.
fn runs(side: &Side, walk: Option<Walk>, axes: usize) -> SmallVec<[Run; 16]> {
    let mut runs = SmallVec::new();
    let unit = walk.map_or(1, |walk| walk.unit);
    // The loop of the walk: before the last where that one is the unit.
    let walked = side.sizes.len().checked_sub(1 + usize::from(unit > 1)).filter(|_| walk.is_some());
    let mut counter = Counter::new(side, smallvec![0; axes]);
    let mut left = side.range.len() / unit;
    while left > 0 {
        let len = walked.map_or(1, |at| (side.sizes[at] - counter.at[at]).min(left));
        runs.push(Run { position: counter.position.clone(), len });
        left -= len;
        match walked {
            Some(at) => counter.advance(side, at, len),
            None => counter.step(side),
        }
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

    /// To the next place.
    fn step(&mut self, side: &Side) {
        if let Some(last) = side.sizes.len().checked_sub(1) {
            self.advance(side, last, 1);
        }
    }

    /// So many places on along a loop, at most to its end, where it begins again and the one before it goes on.
    fn advance(&mut self, side: &Side, mut axis: usize, mut count: usize) {
        loop {
            self.at[axis] += count;
            let ends = self.at[axis] == side.sizes[axis];
            let moved = if ends { count as i64 - side.sizes[axis] as i64 } else { count as i64 };
            self.position.iter_mut().zip(&side.steps[axis]).for_each(|(position, step)| *position += moved * step);
            if !ends {
                return;
            }
            self.at[axis] = 0;
            if axis == 0 {
                return;
            }
            (axis, count) = (axis - 1, 1);
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
