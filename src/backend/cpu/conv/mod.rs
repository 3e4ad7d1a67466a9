//! Convolutions: tiled implicit matrix products over patches that a window reads.
//!
//! In: a bound convolution, its operands as slices. Out: blocks of rows of its result. A block packs the
//! patches of its rows (`pack`), some positions of `k` at a time, multiplies them by `gemm` and adds up; the
//! whole matrix of patches is never made. `run` shares the blocks out. As everywhere, work is cut by shape
//! alone.
//!
//! Where a position is divided (a gradient by the input of a strided convolution, a transposed one), rows fall
//! in classes by their remainder: in one class, some positions of `k` are whole for every row and the others
//! for none. A block has rows of one class and leaves the others out, so nothing is multiplied by zero.

mod pack;
mod run;

use smallvec::{SmallVec, smallvec};

use super::gemm;
use crate::backend::bound::{BoundConv, BoundMatrix, BoundPatchAxis};
use crate::backend::element::Element;
use crate::kernel::ir::BufId;

pub(super) use run::{Epilogue, run, scratch_words};

/// Numbers for each loop of a role.
type Loops<T> = SmallVec<[T; 6]>;

/// Elements of a block's result: half a megabyte, so that an epilogue finds it in the second-level cache.
const AREA: usize = 1 << 17;
/// The most and the fewest rows of a block. More share the packing of the right operand, fewer feed threads.
const MAX_ROWS: usize = 256;
const MIN_ROWS: usize = 8;
/// Elements of packed patches.
const PACKED: usize = 1 << 17;
/// Fewer blocks than this are made smaller.
const MIN_BLOCKS: usize = 8;

/// A convolution cut into blocks of rows.
#[derive(Clone, Debug)]
pub struct Cut {
    batches: usize,
    /// For each loop of `m`, from one row of a class to the next.
    periods: Loops<usize>,
    classes: usize,
    /// How many of the last loops of `k` the right operand walks by one stride, and no division cuts.
    inner: usize,
    rows: usize,
    blocks_of_class: usize,
    /// Positions of `k` that are packed at a time.
    depth: usize,
}

/// Rows of one class.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    batch: usize,
    /// The first position of the class along each loop of `m`, and how many there are.
    first: Loops<usize>,
    counts: Loops<usize>,
    /// Which rows of the class, in row-major order.
    rows: std::ops::Range<usize>,
}

/// Cuts a convolution.
pub fn cut(conv: &BoundConv) -> Cut {
    let (batches, loops) = (conv.batch.iter().product(), conv.batch.len());
    let mut periods: Loops<usize> = smallvec![1; conv.m.len()];
    for axis in conv.axes.iter().filter(|axis| axis.divisor > 1) {
        for (period, step) in periods.iter_mut().zip(&axis.steps[loops..]) {
            let own = (axis.divisor / gcd(axis.divisor, step.abs())) as usize;
            *period *= own / gcd(own as i64, *period as i64) as usize;
        }
    }
    let classes = periods.iter().product::<usize>();
    let largest: usize = conv.m.iter().zip(&periods).map(|(size, period)| size.div_ceil(*period)).product();
    let inner = inner_loops(conv);
    let inner_len: usize = conv.k[conv.k.len() - inner..].iter().product();
    let mut rows = (AREA / conv.n.max(1)).clamp(MIN_ROWS, MAX_ROWS).min(largest.max(1));
    while rows > MIN_ROWS && batches * classes * largest.div_ceil(rows) < MIN_BLOCKS {
        rows = rows.div_ceil(2).max(MIN_ROWS);
    }
    // Whole turns of the last loop on either side are copied at once.
    let whole = |most: usize, turn: Option<&usize>| match turn {
        Some(turn) if *turn > 0 && *turn <= most => most - most % turn,
        _ => most,
    };
    rows = whole(rows + conv.m.last().map_or(0, |turn| turn - 1), conv.m.last());
    let blocks_of_class = largest.div_ceil(rows);
    let depth = whole((PACKED / rows).min(inner_len).max(1), conv.k.last());
    Cut { batches, periods, classes, inner, rows, blocks_of_class, depth }
}

/// The last loops of `k` that are one walk for the right operand and have no part in a division.
fn inner_loops(conv: &BoundConv) -> usize {
    let before = conv.batch.len() + conv.m.len();
    let divided = |at: usize| conv.axes.iter().any(|axis| axis.divisor > 1 && axis.steps[before + at] != 0);
    let step = |at: usize| conv.b_steps[conv.batch.len() + at];
    let mut inner = 0;
    for at in (0..conv.k.len()).rev() {
        let walks = inner == 0 || step(at) == step(at + 1) * conv.k[at + 1] as i64;
        if divided(at) || !walks {
            break;
        }
        inner += 1;
    }
    inner
}

impl Cut {
    /// How many blocks.
    pub fn blocks(&self) -> usize {
        self.batches * self.classes * self.blocks_of_class
    }

    /// A block by its number; it may have no rows.
    pub fn block(&self, conv: &BoundConv, number: usize) -> Block {
        let (part, rest) = (number % self.blocks_of_class, number / self.blocks_of_class);
        let (mut class, batch) = (rest % self.classes, rest / self.classes);
        let mut first: Loops<usize> = smallvec![0; self.periods.len()];
        for (first, period) in first.iter_mut().zip(&self.periods).rev() {
            (*first, class) = (class % period, class / period);
        }
        let sizes = conv.m.iter().zip(&first).zip(&self.periods);
        let counts: Loops<usize> =
            sizes.map(|((size, first), period)| size.saturating_sub(*first).div_ceil(*period)).collect();
        let all = counts.iter().product::<usize>();
        let start = (part * self.rows).min(all);
        Block { batch, first, counts, rows: start..(start + self.rows).min(all) }
    }

    /// Elements of the largest block of results.
    pub fn tile_elements(&self, conv: &BoundConv) -> usize {
        self.rows * conv.n
    }

    /// Elements of the largest part of patches.
    pub fn patch_elements(&self) -> usize {
        self.rows * self.depth
    }

    /// The row of the result that a row of a block is.
    pub fn row(&self, conv: &BoundConv, block: &Block, row: usize) -> usize {
        let mut rest = block.rows.start + row;
        let mut at: Loops<usize> = smallvec![0; conv.m.len()];
        for (axis, at) in at.iter_mut().enumerate().rev() {
            *at = block.first[axis] + rest % block.counts[axis] * self.periods[axis];
            rest /= block.counts[axis];
        }
        at.iter().zip(&conv.m).fold(block.batch, |row, (at, size)| row * size + at)
    }

    /// Whether the rows of a block lie one behind the other in the result.
    pub fn is_contiguous(&self) -> bool {
        self.classes == 1
    }
}

impl Block {
    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Computes a block into `tile`, row-major; `packed` is room for `Cut::patch_elements`.
pub fn multiply<T: Element>(
    conv: &BoundConv,
    cut: &Cut,
    block: &Block,
    [source, right]: [&[T]; 2],
    tile: &mut [T],
    packed: &mut [T],
) {
    let rows = block.len();
    if rows == 0 || conv.n == 0 {
        return;
    }
    let outer = conv.k.len() - cut.inner;
    let inner_len: usize = conv.k[outer..].iter().product();
    let (batch, k_steps) = conv.b_steps.split_at(conv.batch.len());
    let inner_step = if cut.inner > 0 { k_steps[conv.k.len() - 1] } else { 0 };
    let columns = k_steps[conv.k.len()];
    let batch_start = dot(&unravel(block.batch, &conv.batch), batch);
    let mut is_first = true;
    for number in 0..conv.k[..outer].iter().product::<usize>() {
        let at = unravel(number, &conv.k[..outer]);
        if conv.axes.iter().any(|axis| is_never_whole(conv, block, axis, &at)) {
            continue;
        }
        let start = batch_start + dot(&at, k_steps);
        for first in (0..inner_len).step_by(cut.depth) {
            let depth = cut.depth.min(inner_len - first);
            let part = pack::Part { conv, cut, block, outer: &at, inner: first..first + depth };
            let [row_stride, col_stride] = part.pack(source, packed);
            let whole = gemm::Block { entry: 0, batch: SmallVec::new(), rows: 0..rows, cols: 0..conv.n };
            let matrix = |row_stride, col_stride| BoundMatrix {
                buf: BufId(0),
                row_stride,
                col_stride,
                batch_strides: SmallVec::new(),
                offset: 0,
            };
            let right = &right[(start + first as i64 * inner_step) as usize..];
            let (a, b) = (matrix(row_stride, col_stride), matrix(inner_step, columns));
            gemm::multiply(tile, conv.n, &whole, depth, (packed, &a), (right, &b), !is_first);
            is_first = false;
        }
    }
    if is_first {
        tile[..rows * conv.n].fill(T::ZERO);
    }
}

/// Whether the position along an axis is whole for no row of a block, at these positions of the outer loops of
/// `k`: the inner ones change no remainder.
fn is_never_whole(conv: &BoundConv, block: &Block, axis: &BoundPatchAxis, outer: &[usize]) -> bool {
    if axis.divisor == 1 {
        return false;
    }
    let (batch, rest) = axis.steps.split_at(conv.batch.len());
    let (m, k) = rest.split_at(conv.m.len());
    let position = axis.base + dot(&unravel(block.batch, &conv.batch), batch) + dot(&block.first, m) + dot(outer, k);
    position % axis.divisor != 0
}

/// The position along each loop of a number in row-major order.
fn unravel(mut number: usize, sizes: &[usize]) -> Loops<usize> {
    let mut at: Loops<usize> = smallvec![0; sizes.len()];
    for (at, size) in at.iter_mut().zip(sizes).rev() {
        (*at, number) = (number % size, number / size);
    }
    at
}

fn dot(at: &[usize], steps: &[i64]) -> i64 {
    at.iter().zip(steps).map(|(at, step)| *at as i64 * step).sum()
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs().max(1) } else { gcd(b, a % b) }
}
