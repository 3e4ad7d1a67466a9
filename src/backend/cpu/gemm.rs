//! Contractions by the `gemm` crate, in blocks whose size is a function of the shape alone.
//!
//! In: two strided matrices. Out: one block of their product, row-major. The crate runs on one thread
//! for each block; which block runs where changes nothing. How a block's sums are ordered is the
//! crate's affair, fixed by the shape of the block, the strides, and the machine.
#![expect(unsafe_code, reason = "the crate takes pointers, and threads share a result")]

use std::ops::Range;

use smallvec::SmallVec;

use super::call::{Across, Launch, Scratch};
use super::emit::{self, Args};
use super::jit::CompiledKernel;
use super::pool::Pool;
use crate::backend::bound::BoundMatrix;
use crate::backend::element::Element;
use crate::kernel::ir::{Elem, Kernel};

/// A contraction cut into blocks of rows and columns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cut {
    batch: SmallVec<[usize; 4]>,
    m: usize,
    n: usize,
    /// Rows of a block.
    pub rows: usize,
    /// Columns of a block.
    pub cols: usize,
}

/// One block of the result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// Of which batch entry, all loops of the batch walked in order.
    pub entry: usize,
    /// Where that is along each loop of the batch.
    pub batch: SmallVec<[usize; 4]>,
    /// Which rows.
    pub rows: Range<usize>,
    /// Which columns.
    pub cols: Range<usize>,
}

/// Elements of a block: half a megabyte, so that an epilogue finds it in the second-level cache.
const AREA: usize = 1 << 17;

/// Cuts a contraction of `[m, n, k]` for each entry of a batch. `whole_rows`: an epilogue needs all columns at once.
///
/// Measured: with contiguous rows of `b`, blocks of 256 × 512 come within 5 % of no cut at all; with
/// strided ones every block packs its part of `b` anew, so tall blocks are twice as fast. Blocks are
/// made smaller while there are few, to feed several threads.
pub fn cut(batch: &[usize], [m, n, k]: [usize; 3], b: &BoundMatrix, whole_rows: bool) -> Cut {
    let entries: usize = batch.iter().product();
    let parts = |whole: usize, most: usize, multiple: usize| {
        let parts = whole.div_ceil(most.max(1)).max(1);
        whole.div_ceil(parts).next_multiple_of(multiple).clamp(1, whole.max(1))
    };
    let tall = b.col_stride != 1;
    let most_rows = match (whole_rows, tall) {
        (true, _) => (AREA / n.max(1)).clamp(4, 1024),
        (false, true) => 1024,
        (false, false) => 256,
    };
    let mut rows = parts(m, most_rows, 12);
    let mut cols = if whole_rows { n.max(1) } else { parts(n, (AREA / rows).max(64), 64) };
    let count = |rows: usize, cols: usize| entries * m.div_ceil(rows) * n.div_ceil(cols);
    loop {
        let (blocks, flops) = (count(rows, cols), 2.0 * rows as f64 * cols as f64 * k as f64);
        if blocks >= 16 || (blocks >= 4 && flops <= 1.6e7) || flops <= 2e6 {
            break;
        }
        let wide = cols > if tall { 64 } else { 128 };
        let smaller = if !whole_rows && wide {
            (rows, parts(cols, cols.div_ceil(2), 64))
        } else if rows > 64 {
            (parts(rows, rows.div_ceil(2), 12), cols)
        } else if !whole_rows && cols > 32 {
            (rows, parts(cols, cols.div_ceil(2), 32))
        } else if rows > 12 {
            (parts(rows, rows.div_ceil(2), 12), cols)
        } else {
            break;
        };
        if smaller == (rows, cols) {
            break;
        }
        (rows, cols) = smaller;
    }
    Cut { batch: batch.into(), m, n, rows, cols }
}

impl Cut {
    /// The numbers of the blocks.
    pub fn blocks(&self) -> Range<usize> {
        if self.m == 0 || self.n == 0 {
            return 0..0;
        }
        0..self.batch.iter().product::<usize>() * self.m.div_ceil(self.rows) * self.n.div_ceil(self.cols)
    }

    /// A block by its number: columns change first.
    pub fn block(&self, number: usize) -> Block {
        let (across, down) = (self.n.div_ceil(self.cols), self.m.div_ceil(self.rows));
        let (row, col) = (number / across % down * self.rows, number % across * self.cols);
        let entry = number / (across * down);
        let mut batch: SmallVec<[usize; 4]> = self.batch.clone();
        let mut rest = entry;
        for at in batch.iter_mut().rev() {
            (*at, rest) = (rest % *at, rest / *at);
        }
        Block { entry, batch, rows: row..(row + self.rows).min(self.m), cols: col..(col + self.cols).min(self.n) }
    }

    /// Elements of the largest block.
    pub fn elements(&self) -> usize {
        self.rows.min(self.m) * self.cols.min(self.n)
    }
}

/// The least and the largest element that a block reads of an operand, when it reads any.
fn reach(matrix: &BoundMatrix, batch: &[usize], rows: &Range<usize>, cols: &Range<usize>) -> Option<(i64, i64)> {
    if rows.is_empty() || cols.is_empty() {
        return None;
    }
    let corner =
        |row: usize, col: usize| matrix.start(batch) + row as i64 * matrix.row_stride + col as i64 * matrix.col_stride;
    let (last_row, last_col) = (rows.end - 1, cols.end - 1);
    let corners = [
        corner(rows.start, cols.start),
        corner(rows.start, last_col),
        corner(last_row, cols.start),
        corner(last_row, last_col),
    ];
    Some((corners.into_iter().min()?, corners.into_iter().max()?))
}

/// Computes a block into `tile`, whose rows are `stride` apart, or adds it to what is there. The operands are
/// whole buffers.
pub fn multiply<T: Element>(
    tile: &mut [T],
    stride: usize,
    block: &Block,
    k: usize,
    (left, a): (&[T], &BoundMatrix),
    (right, b): (&[T], &BoundMatrix),
    add: bool,
) {
    if block.rows.is_empty() || block.cols.is_empty() {
        return;
    }
    assert!(stride >= block.cols.len() || block.rows.len() == 1, "rows of a block do not overlap");
    assert!((block.rows.len() - 1) * stride + block.cols.len() <= tile.len(), "a block fits its tile");
    let inside = |elements: &[T], reach: Option<(i64, i64)>| {
        reach.is_none_or(|(least, most)| least >= 0 && (most as usize) < elements.len())
    };
    assert!(inside(left, reach(a, &block.batch, &block.rows, &(0..k))), "the left operand is in its buffer");
    assert!(inside(right, reach(b, &block.batch, &(0..k), &block.cols)), "the right operand is in its buffer");
    // SAFETY: checked just above: the block is inside `tile` with rows apart, the operands are inside
    // their slices, and `tile` is borrowed alone.
    unsafe { multiply_raw(tile.as_mut_ptr(), stride, block, k, (left.as_ptr(), a), (right.as_ptr(), b), add) }
}

/// The same by pointers.
///
/// # Safety
/// The block's elements at `tile`, rows `stride` apart and not overlapping, are valid for writes (and for reads
/// where it adds) and nobody else's; every element of the operands that the block needs is valid for reads
/// and not written meanwhile.
pub(super) unsafe fn multiply_raw<T: Element>(
    tile: *mut T,
    stride: usize,
    block: &Block,
    k: usize,
    (left, a): (*const T, &BoundMatrix),
    (right, b): (*const T, &BoundMatrix),
    add: bool,
) {
    let left_start = a.start(&block.batch) + block.rows.start as i64 * a.row_stride;
    let right_start = b.start(&block.batch) + block.cols.start as i64 * b.col_stride;
    // The crate prefers a column-major result: compute the transpose, n × m = Bᵀ·Aᵀ. With a row of the
    // result contiguous and at least one element to the next it does not turn it once more.
    // SAFETY: as the caller promises; the starts are addresses of the first elements.
    unsafe {
        gemm::gemm(
            block.cols.len(),
            block.rows.len(),
            k,
            tile,
            stride.max(1) as isize,
            1,
            add,
            right.wrapping_offset(right_start as isize),
            b.row_stride as isize,
            b.col_stride as isize,
            left.wrapping_offset(left_start as isize),
            a.row_stride as isize,
            a.col_stride as isize,
            if add { T::ONE } else { T::ZERO },
            T::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// What runs on each finished block.
pub(super) struct Epilogue<'a> {
    /// A kernel whose points are the rows of all batch entries and whose row is `n`.
    pub kernel: &'a CompiledKernel,
    /// Its arguments.
    pub launch: Launch<'a>,
    /// For each thread: room for `scratch_words`.
    pub scratch: &'a mut Scratch,
}

/// How many words of scratch a thread needs for a block and the rows of its epilogue.
pub(super) fn scratch_words(elem: Elem, batch: &[usize], dims: [usize; 3], b: &BoundMatrix, kernel: &Kernel) -> usize {
    let cut = cut(batch, dims, b, !kernel.is_elementwise());
    tile_words(elem, &cut) + emit::scratch_words(kernel, dims[1] as u64)
}

/// Words of the largest block, to a cache line.
fn tile_words(elem: Elem, cut: &Cut) -> usize {
    (cut.elements() * elem.words()).next_multiple_of(16)
}

/// A whole contraction, over the threads of a pool.
///
/// # Safety
/// Every element of the operands is valid for reads; those of the result `c` are valid for writes,
/// row-major and apart from each other (`Bound`), and overlap no operand; all are aligned. An epilogue's launch is as
/// `CompiledKernel::launch` asks, of `batch · m` rows of `n` elements, and overlaps no operand.
pub(super) unsafe fn run<T: Element>(
    batch: &[usize],
    dims: [usize; 3],
    (left, a): (*const T, &BoundMatrix),
    (right, b): (*const T, &BoundMatrix),
    c: Option<(*mut T, &BoundMatrix)>,
    epilogue: Option<Epilogue<'_>>,
    pool: &mut Pool,
) {
    let [m, _, k] = dims;
    let result = c;
    let Some(Epilogue { kernel, launch, scratch }) = epilogue else {
        let Some(result) = result else { return };
        let cut = cut(batch, dims, b, false);
        // SAFETY: the operands are only read, and blocks are disjoint parts of the result.
        let shared = unsafe { Across::new((left, right, result)) };
        pool.run(cut.blocks().len(), &|_, number| {
            let (left, right, (result, c)) = shared.get();
            let block = cut.block(number);
            let start = result.wrapping_add(result_start(&block, c));
            // SAFETY: the caller's promise, for one block of it.
            unsafe { multiply_raw(start, c.row_stride as usize, &block, k, (left, a), (right, b), false) };
        });
        return;
    };
    let cut = cut(batch, dims, b, !kernel.kernel().is_elementwise());
    // SAFETY: as above; an epilogue runs on the points of its block, and each thread has a scratch.
    let shared = unsafe { Across::new((left, right, result, launch, scratch.pointer())) };
    pool.run(cut.blocks().len(), &|thread, number| {
        let (left, right, result, launch, (scratch, pitch)) = shared.get();
        let block = cut.block(number);
        let own = scratch.wrapping_add(thread * pitch);
        let tile = own.cast::<T>();
        let stride = block.cols.len();
        // SAFETY: as above; the scratch has room for the largest block.
        unsafe { multiply_raw(tile, stride, &block, k, (left, a), (right, b), false) };
        if let Some((result, c)) = result {
            for row in 0..block.rows.len() {
                let start = result_start(&block, c) + row * c.row_stride as usize;
                let from = tile.wrapping_add(row * stride);
                // SAFETY: a row of the tile, and the row of the result at the same place.
                unsafe { std::ptr::copy_nonoverlapping(from, result.wrapping_add(start), stride) };
            }
        }
        let rows_of_scratch = own.wrapping_add(tile_words(T::ELEM, &cut));
        let args = Args { tile: own.cast_const(), tile_stride: stride as i64, ..launch.args(kernel, rows_of_scratch) };
        let first = (block.entry * m + block.rows.start) as u64;
        let points = first..first + block.rows.len() as u64;
        // SAFETY: the caller's promise; the tile holds exactly these points, and columns are cut only
        // when the kernel is elementwise.
        unsafe { kernel.points(&args, points, block.cols.start as u64..block.cols.end as u64) };
    });
}

/// The place of a block's first element in the result.
fn result_start(block: &Block, c: &BoundMatrix) -> usize {
    let start = c.start(&block.batch) + block.rows.start as i64 * c.row_stride;
    start as usize + block.cols.start
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ir::BufId;

    fn matrix(row_stride: i64, col_stride: i64, batch_stride: i64) -> BoundMatrix {
        BoundMatrix {
            buf: BufId(0),
            row_stride,
            col_stride,
            batch_strides: [batch_stride].into_iter().collect(),
            offset: 0,
        }
    }

    #[test]
    fn blocks_cover_the_result_once() {
        for [batch, m, n, k] in [
            [1, 1, 1, 1],
            [1, 256, 2048, 784],
            [3, 17, 70, 9],
            [1, 2048, 10, 256],
            [1, 1000, 1000, 1000],
            [2, 5, 100_000, 3],
        ] {
            for (col_stride, whole_rows) in [(1, false), (5, false), (1, true)] {
                let cut = cut(&[batch], [m, n, k], &matrix(1, col_stride, 0), whole_rows);
                let mut seen = vec![0u8; batch * m * n];
                for block in cut.blocks().map(|number| cut.block(number)) {
                    assert!(block.rows.len() * block.cols.len() <= cut.elements());
                    assert!(!whole_rows || block.cols == (0..n));
                    for row in block.rows.clone() {
                        for col in block.cols.clone() {
                            seen[(block.entry * m + row) * n + col] += 1;
                        }
                    }
                }
                assert!(seen.iter().all(|count| *count == 1), "{m}x{n}x{k}: {cut:?}");
            }
        }
    }

    #[test]
    fn agrees_with_f64_for_any_strides() {
        agrees::<f32>(|x| x as f32, f64::from, 1e-4);
        agrees::<f64>(|x| x, |x| x, 1e-13);
    }

    fn agrees<T: Element>(from: fn(f64) -> T, to: fn(T) -> f64, tolerance: f64) {
        let (m, n, k) = (37, 29, 53);
        let value = |at: usize| from((at * 7919 % 1009) as f64 / 512.0 - 1.0);
        let left: Vec<T> = (0..m * k).map(value).collect();
        let right: Vec<T> = (0..n * k).map(|at| value(at + 13)).collect();
        for a in [matrix(k as i64, 1, 0), matrix(1, m as i64, 0)] {
            for b in [matrix(n as i64, 1, 0), matrix(1, k as i64, 0), matrix(0, 1, 0)] {
                let mut tile = vec![T::ZERO; m * n];
                let block = Block { entry: 0, batch: SmallVec::new(), rows: 0..m, cols: 0..n };
                multiply(&mut tile, n, &block, k, (&left, &a), (&right, &b), false);
                for i in 0..m {
                    for j in 0..n {
                        let term = |l: usize| {
                            let x = left[(i as i64 * a.row_stride + l as i64 * a.col_stride) as usize];
                            let y = right[(l as i64 * b.row_stride + j as i64 * b.col_stride) as usize];
                            to(x) * to(y)
                        };
                        let want: f64 = (0..k).map(term).sum();
                        let got = to(tile[i * n + j]);
                        assert!((got - want).abs() < tolerance, "{i},{j}: {got} {want}");
                    }
                }
            }
        }
    }
}
