//! The CPU backend: compiles a program's kernels once and runs its steps.
//!
//! In: a verified program; a `Bound` and memory for each step. Out: the step. A step allocates nothing:
//! the tables and the scratch are made when sizes are bound (the `gemm` crate packs into memory of its
//! own).
#![expect(unsafe_code, reason = "runs compiled code on the segments of a step")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use super::call::{Across, Launch, Scratch};
use super::emit::{Args, Buf, scratch_words};
use super::gemm;
use super::jit::{CompiledKernel, Compiler};
use super::pool::Pool;
use crate::backend::bound::{Bound, BoundLaunch, BoundMatrix, BoundStep};
use crate::backend::memory::{Memory, Segment};
use crate::backend::{Backend, Loaded, Stats};
use crate::kernel::ir::{BufId, Kernel, Program};
use crate::kernel::{Fault, verify};

/// Words that a copy moves in one chunk.
const COPY: usize = 1 << 16;

/// The CPU backend.
pub struct Cpu {
    compiler: Compiler,
    known: Mutex<FxHashMap<Arc<Kernel>, CompiledKernel>>,
    compiled: AtomicU64,
    pool: Arc<Mutex<Pool>>,
}

impl Cpu {
    /// With so many threads; all programs share them.
    pub fn new(threads: usize) -> Result<Cpu, Fault> {
        Ok(Cpu {
            compiler: Compiler::new()?,
            known: Mutex::default(),
            compiled: AtomicU64::new(0),
            pool: Arc::new(Mutex::new(Pool::new(threads))),
        })
    }

    /// The code of kernels, compiled now unless an equal kernel was compiled before.
    pub fn kernels(&self, kernels: &[Kernel]) -> Result<Vec<CompiledKernel>, Fault> {
        let mut known = lock(&self.known);
        let mut missing: Vec<Arc<Kernel>> = Vec::new();
        for kernel in kernels {
            if !known.contains_key(kernel) && !missing.iter().any(|other| **other == *kernel) {
                verify::kernel(kernel)?;
                missing.push(Arc::new(kernel.clone()));
            }
        }
        if !missing.is_empty() {
            let code = self.compiler.compile(&missing)?;
            self.compiled.fetch_add(missing.len() as u64, Ordering::Relaxed);
            known.extend(missing.into_iter().zip(code));
        }
        Ok(kernels.iter().map(|kernel| known[kernel].clone()).collect())
    }

    /// The text of a kernel's CLIF.
    pub fn clif(&self, kernel: &Kernel) -> String {
        self.compiler.clif(kernel)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic left behind is a cache or an idle pool: both are whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn compile(&self, program: &Arc<Program>) -> Result<Box<dyn Loaded>, Fault> {
        verify::program(program)?;
        let kernels = self.kernels(&program.kernels)?;
        Ok(Box::new(LoadedProgram {
            kernels,
            pool: self.pool.clone(),
            scratch: Scratch::default(),
            table: Vec::new(),
            args: Vec::new(),
        }))
    }

    fn stats(&self) -> Stats {
        Stats { compiled: self.compiled.load(Ordering::Relaxed) }
    }
}

struct LoadedProgram {
    kernels: Vec<CompiledKernel>,
    pool: Arc<Mutex<Pool>>,
    scratch: Scratch,
    /// Every buffer of the program, and those of one launch; valid during one run.
    table: Vec<Buf>,
    args: Vec<Buf>,
}

// SAFETY: the pointers in the tables are used during `run` only, which fills them anew from memory that
// it borrows; between runs they are numbers.
unsafe impl Send for LoadedProgram {}

impl Loaded for LoadedProgram {
    fn reserve(&mut self, bound: &Bound) {
        let scratch = |launch: &BoundLaunch| {
            let kernel = self.kernels[launch.kernel.0 as usize].kernel();
            (scratch_words(kernel, launch.row), launch.bufs.len())
        };
        let (mut words, mut args) = (0, 0);
        for step in bound.steps() {
            let (more, bufs) = match step {
                BoundStep::Loop(launch) => scratch(launch),
                BoundStep::Gemm { dims, b, epilogue: Some(launch), .. } => {
                    let (more, bufs) = scratch(launch);
                    (self.cut(*dims, b, launch).words().next_multiple_of(16) + more, bufs)
                }
                BoundStep::Gemm { .. } | BoundStep::Segments { .. } | BoundStep::Copy { .. } => (0, 0),
            };
            words = words.max(more);
            args = args.max(bufs);
        }
        let threads = lock(&self.pool).threads();
        self.scratch.reserve(threads, words);
        self.table.clear();
        self.table.reserve(bound.spots().len());
        self.args.clear();
        self.args.reserve(args);
    }

    fn run(&mut self, bound: &Bound, scalars: &[u32], memory: &mut Memory<'_, '_>) {
        self.fill(bound, memory);
        assert!(scalars.len() >= bound.scalars().len(), "the words of every scalar");
        let pool = self.pool.clone();
        let mut pool = lock(&pool);
        for step in bound.steps() {
            match step {
                BoundStep::Loop(launch) => {
                    self.arguments(launch);
                    let launched = loop_launch(launch, &self.args, scalars);
                    let kernel = &self.kernels[launch.kernel.0 as usize];
                    // SAFETY: `verify` and `Bound` checked the launch against its kernel, with the spots
                    // that `fill` made these buffers of; `reserve` made the scratch.
                    unsafe { kernel.launch(&mut pool, &launched, &mut self.scratch) };
                }
                BoundStep::Gemm { dims, a, b, c, epilogue } => {
                    self.gemm(*dims, a, b, c.as_ref(), epilogue.as_ref(), scalars, &mut pool);
                }
                BoundStep::Segments { dims, index, update, out } => {
                    self.segments(*dims, *index, *update, *out, &mut pool);
                }
                BoundStep::Copy { from, to } => self.copy(*from, *to, &mut pool),
            }
        }
    }
}

fn loop_launch<'a>(launch: &'a BoundLaunch, bufs: &'a [Buf], scalars: &'a [u32]) -> Launch<'a> {
    let scalars = &scalars[launch.scalars..];
    Launch { bufs, sizes: &launch.sizes, scalars, rows: launch.rows, row: launch.row }
}

impl LoadedProgram {
    /// Points the table at the segments of this run.
    fn fill(&mut self, bound: &Bound, memory: &mut Memory<'_, '_>) {
        let segments = memory.segments();
        assert!(segments.len() >= bound.segments().len(), "every segment is there");
        for ((segment, len), written) in segments.iter().zip(bound.segments()).zip(bound.written()) {
            assert!(segment.len() >= *len, "a segment is as long as its buffers say");
            assert!(!written || matches!(segment, Segment::Write(_)), "what is written may be written");
        }
        self.table.clear();
        for spot in bound.spots() {
            let words = match &mut segments[spot.segment] {
                Segment::Bits(words) => words.as_ptr().cast_mut(),
                Segment::Floats(words) => words.as_ptr().cast::<u32>().cast_mut(),
                Segment::Ints(words) => words.as_ptr().cast::<u32>().cast_mut(),
                Segment::Write(words) => words.as_mut_ptr(),
            };
            self.table.push(Buf { words: words.wrapping_add(spot.offset), len: spot.len as i64 });
        }
    }

    fn arguments(&mut self, launch: &BoundLaunch) {
        self.args.clear();
        self.args.extend(launch.bufs.iter().map(|buf| self.table[buf.0 as usize]));
    }

    fn cut(&self, dims: [usize; 4], b: &BoundMatrix, epilogue: &BoundLaunch) -> gemm::Cut {
        gemm::cut(dims, b, !self.kernels[epilogue.kernel.0 as usize].kernel().is_elementwise())
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one step")]
    fn gemm(
        &mut self,
        dims: [usize; 4],
        a: &BoundMatrix,
        b: &BoundMatrix,
        c: Option<&BoundMatrix>,
        epilogue: Option<&BoundLaunch>,
        scalars: &[u32],
        pool: &mut Pool,
    ) {
        let [_, m, _, k] = dims;
        let words = |buf: BufId| self.table[buf.0 as usize].words;
        let (left, right) = (words(a.buf).cast_const(), words(b.buf).cast_const());
        let result = c.map(|c| (words(c.buf), *c));
        let Some(launch) = epilogue else {
            let Some(result) = result else { return };
            let cut = gemm::cut(dims, b, false);
            // SAFETY: the operands are only read, and blocks are disjoint parts of the result.
            let shared = unsafe { Across::new((left, right, result)) };
            pool.run(cut.blocks().len(), &|_, number| {
                let (left, right, (result, c)) = shared.get();
                let block = cut.block(number);
                let start = result_start(&block, &c);
                // SAFETY: `Bound` checked that all elements of the three matrices are in their buffers,
                // that rows of the result do not overlap, and that the result overlaps no operand.
                unsafe {
                    let start = result.wrapping_add(start);
                    gemm::multiply_raw(start, c.row_stride as usize, &block, k, (left, a), (right, b));
                }
            });
            return;
        };
        self.arguments(launch);
        let cut = self.cut(dims, b, launch);
        let kernel = &self.kernels[launch.kernel.0 as usize];
        let launched = loop_launch(launch, &self.args, scalars);
        // SAFETY: as above; an epilogue runs on the points of its block, and each thread has a scratch.
        let shared = unsafe { Across::new((left, right, result, launched, self.scratch.pointer())) };
        pool.run(cut.blocks().len(), &|thread, number| {
            let (left, right, result, launched, (scratch, pitch)) = shared.get();
            let block = cut.block(number);
            let tile = scratch.wrapping_add(thread * pitch);
            let stride = block.cols.len();
            // SAFETY: as above; `reserve` made room for the largest block and the rows behind it.
            unsafe { gemm::multiply_raw(tile, stride, &block, k, (left, a), (right, b)) };
            if let Some((result, c)) = result {
                for row in 0..block.rows.len() {
                    let start = result_start(&block, &c) + row * c.row_stride as usize;
                    // SAFETY: a row of the tile, and the row of the result that `Bound` checked.
                    unsafe {
                        let from = tile.wrapping_add(row * stride);
                        std::ptr::copy_nonoverlapping(from, result.wrapping_add(start), stride);
                    }
                }
            }
            let rows_at = cut.words().next_multiple_of(16);
            let args = Args {
                tile: tile.cast_const(),
                tile_stride: stride as i64,
                ..launched.args(tile.wrapping_add(rows_at))
            };
            let first = (block.batch * m + block.rows.start) as u64;
            let points = first..first + block.rows.len() as u64;
            // SAFETY: `Bound` checked the launch and that its grid is [batch, m] and its row n; the tile
            // holds exactly these points; columns are cut only when the kernel is elementwise.
            unsafe { kernel.points(&args, points, block.cols.start as u64..block.cols.end as u64) };
        });
    }

    /// Rows of the result are shared out; each is summed by one thread in the order of the updates.
    fn segments(&mut self, [updates, rows, row]: [usize; 3], index: BufId, update: BufId, out: BufId, pool: &mut Pool) {
        let buf = |id: BufId| self.table[id.0 as usize].words;
        let (index, update, out) = (buf(index).cast_const(), buf(update).cast_const(), buf(out));
        let work = (rows + updates) * row;
        let chunks = (work / 16_384).clamp(1, 64).min(rows.max(1));
        let each = rows.div_ceil(chunks).max(1);
        // SAFETY: a chunk writes its own rows of the result and reads what nobody writes.
        let shared = unsafe { Across::new((index, update, out)) };
        pool.run(chunks, &|_, chunk| {
            let (index, update, out) = shared.get();
            let start = (chunk * each).min(rows);
            let mine = start..(start + each).min(rows);
            // SAFETY: `Bound` checked that the three buffers hold this many words and do not overlap;
            // f32 and u32 are the same words; rows of other chunks are not touched.
            let (index, update, out) = unsafe {
                (
                    std::slice::from_raw_parts(index, updates),
                    std::slice::from_raw_parts(update.cast::<f32>(), updates * row),
                    std::slice::from_raw_parts_mut(out.cast::<f32>().wrapping_add(start * row), mine.len() * row),
                )
            };
            out.fill(0.0);
            for (j, target) in index.iter().enumerate() {
                if let Some(target) = (*target as usize).checked_sub(mine.start).filter(|at| *at < mine.len()) {
                    let sums = &mut out[target * row..][..row];
                    for (sum, more) in sums.iter_mut().zip(&update[j * row..][..row]) {
                        *sum += more;
                    }
                }
            }
        });
    }

    fn copy(&mut self, from: BufId, to: BufId, pool: &mut Pool) {
        let (from, to) = (self.table[from.0 as usize], self.table[to.0 as usize]);
        let len = to.len as usize;
        // SAFETY: chunks are disjoint, and nobody writes what is read.
        let shared = unsafe { Across::new((from.words.cast_const(), to.words)) };
        pool.run(len.div_ceil(COPY), &|_, chunk| {
            let (from, to) = shared.get();
            let (start, count) = (chunk * COPY, COPY.min(len - chunk * COPY));
            // SAFETY: `Bound` checked that both have this length and do not overlap.
            unsafe { std::ptr::copy_nonoverlapping(from.wrapping_add(start), to.wrapping_add(start), count) };
        });
    }
}

/// The place of a block's first element in the result.
fn result_start(block: &gemm::Block, c: &BoundMatrix) -> usize {
    let start = block.batch as i64 * c.batch_stride + block.rows.start as i64 * c.row_stride;
    start as usize + block.cols.start
}
