//! A whole convolution over the threads of a pool, with the elementwise work on each finished block.
#![expect(unsafe_code, reason = "threads share a result")]

use super::{Cut, cut, multiply};
use crate::backend::bound::BoundConv;
use crate::backend::cpu::call::{Across, Launch, Scratch};
use crate::backend::cpu::emit::{self, Args, Buf};
use crate::backend::cpu::jit::CompiledKernel;
use crate::backend::cpu::pool::Pool;
use crate::backend::element::Element;
use crate::kernel::ir::Kernel;

/// What runs on each finished block.
pub(in crate::backend::cpu) struct Epilogue<'a> {
    /// A kernel whose points are the rows of the result.
    pub kernel: &'a CompiledKernel,
    /// Its arguments.
    pub launch: Launch<'a>,
}

/// How many words of scratch a thread needs.
pub(in crate::backend::cpu) fn scratch_words(conv: &BoundConv, epilogue: Option<&Kernel>) -> usize {
    let [tile, patches] = parts(conv, &cut(conv));
    tile + patches + epilogue.map_or(0, |kernel| emit::scratch_words(kernel, conv.n as u64))
}

/// Words of a block's result and of its patches, each to a cache line.
fn parts(conv: &BoundConv, cut: &Cut) -> [usize; 2] {
    [cut.tile_elements(conv), cut.patch_elements()].map(|count| (count * conv.elem.words()).next_multiple_of(16))
}

/// A whole convolution.
///
/// # Safety
/// `T` is what `conv.elem` says. `source` and `right` are the buffers of the operands, aligned, valid for reads and
/// not written meanwhile; `result`, if there is one, is aligned, valid for writes, as long as the result and overlaps
/// neither. An epilogue's launch is as `CompiledKernel::launch` asks, for the rows of the result, and overlaps
/// neither. `scratch` holds `scratch_words` for each thread of the pool.
pub(in crate::backend::cpu) unsafe fn run<T: Element>(
    conv: &BoundConv,
    [source, right]: [Buf; 2],
    result: Option<*mut T>,
    epilogue: Option<Epilogue<'_>>,
    scratch: &mut Scratch,
    pool: &mut Pool,
) {
    let cut = cut(conv);
    let [tile_words, patch_words] = parts(conv, &cut);
    let epilogue = epilogue.map(|epilogue| (epilogue.kernel, epilogue.launch));
    // SAFETY: the operands are only read, blocks are disjoint rows of the result, an epilogue runs on the rows
    // of its block, and each thread has its own part of the scratch.
    let shared = unsafe { Across::new((source, right, result, epilogue, scratch.pointer())) };
    pool.run(cut.blocks(), &|thread, number| {
        let (source, right, result, epilogue, (scratch, pitch)) = shared.get();
        let block = cut.block(conv, number);
        if block.is_empty() {
            return;
        }
        let own = scratch.wrapping_add(thread * pitch);
        let each = T::ELEM.words();
        let operand = |buf: Buf| (buf.words.cast_const().cast::<T>(), buf.len as usize / each);
        let ((source, source_len), (right, right_len)) = (operand(source), operand(right));
        // SAFETY: the caller's promise; the tile and the patches are this thread's and apart, and every pattern of
        // bits is a float.
        let (source, right, tile, packed) = unsafe {
            (
                std::slice::from_raw_parts(source, source_len),
                std::slice::from_raw_parts(right, right_len),
                std::slice::from_raw_parts_mut(own.cast::<T>(), tile_words / each),
                std::slice::from_raw_parts_mut(own.wrapping_add(tile_words).cast::<T>(), patch_words / each),
            )
        };
        multiply(conv, &cut, &block, [source, right], tile, packed);
        let n = conv.n;
        // As many rows at a time as lie one behind the other in the result.
        let together = if cut.is_contiguous() { block.len() } else { 1 };
        for row in (0..block.len()).step_by(together) {
            let (first, rows) = (cut.row(conv, &block, row), &tile[row * n..][..together * n]);
            if let Some(result) = result {
                // SAFETY: rows of the result that are this block's alone.
                unsafe { std::ptr::copy_nonoverlapping(rows.as_ptr(), result.wrapping_add(first * n), rows.len()) };
            }
            if let Some((kernel, launch)) = epilogue {
                let room = own.wrapping_add(tile_words + patch_words);
                let args = Args { tile: rows.as_ptr().cast(), tile_stride: n as i64, ..launch.args(kernel, room) };
                let points = first as u64..(first + together) as u64;
                // SAFETY: the caller's promise; `rows` holds exactly these points.
                unsafe { kernel.points(&args, points, 0..n as u64) };
            }
        }
    });
}
