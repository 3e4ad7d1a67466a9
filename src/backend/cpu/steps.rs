//! The steps of a compiled program.
//!
//! In: compiled kernels, the bound sizes, the memory of a step. Out: what the steps write. A program was
//! checked when its sizes were bound (`Bound`), and a step of it checks only that its memory is as long and
//! as writable as that says. A step allocates nothing: `reserve` makes its tables and its scratch (the
//! `gemm` crate packs into memory of its own).
#![expect(unsafe_code, reason = "runs compiled code over the tables of a step")]

use std::sync::{Arc, Mutex};

use super::call::{Across, Launch, Scratch};
use super::emit::{Buf, scratch_words};
use super::jit::CompiledKernel;
use super::pool::Pool;
use super::{conv, gemm, lock, segments};
use crate::backend::Loaded;
use crate::backend::bound::{Bound, BoundLaunch, BoundMatrix, BoundStep};
use crate::backend::memory::{Memory, Segment};
use crate::kernel::ir::{BufId, Program};

/// Words that a copy moves in one chunk.
const COPY: usize = 1 << 16;

/// A compiled program with the tables and the scratch of its steps.
pub(super) struct LoadedProgram {
    program: Arc<Program>,
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
                BoundStep::Gemm { batch, dims, b, epilogue: Some(launch), .. } => {
                    let kernel = self.kernels[launch.kernel.0 as usize].kernel();
                    (gemm::scratch_words(batch, *dims, b, kernel), launch.bufs.len())
                }
                BoundStep::Conv(conv) => {
                    let epilogue = conv.epilogue.as_ref();
                    let kernel = epilogue.map(|launch| self.kernels[launch.kernel.0 as usize].kernel());
                    (conv::scratch_words(conv, kernel), epilogue.map_or(0, |launch| launch.bufs.len()))
                }
                BoundStep::Segments { dims: [updates, rows, _], .. } => (segments::scratch_words(*updates, *rows), 0),
                BoundStep::Gemm { .. } | BoundStep::Copy { .. } => (0, 0),
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
        assert!(bound.is_of(&self.program), "sizes bound for this program");
        self.reserve(bound);
        self.fill(bound, memory);
        assert!(scalars.len() >= bound.scalars().len(), "the words of every scalar");
        let pool = self.pool.clone();
        let mut pool = lock(&pool);
        for step in bound.steps() {
            match step {
                BoundStep::Loop(launch) => {
                    arguments(&mut self.args, &self.table, launch);
                    let launched = loop_launch(launch, &self.args, scalars);
                    let kernel = &self.kernels[launch.kernel.0 as usize];
                    // SAFETY: `Bound` checked the launch against its kernel, with the spots that `fill`
                    // made these buffers of; `reserve` made the scratch.
                    unsafe { kernel.launch(&mut pool, &launched, &mut self.scratch) };
                }
                BoundStep::Gemm { batch, dims, a, b, c, epilogue } => {
                    let buf = |matrix: &BoundMatrix| self.table[matrix.buf.0 as usize].words;
                    let (left, right) = (buf(a).cast_const(), buf(b).cast_const());
                    let result = c.as_ref().map(|c| (buf(c), c));
                    let epilogue = epilogue.as_ref().map(|launch| {
                        arguments(&mut self.args, &self.table, launch);
                        gemm::Epilogue {
                            kernel: &self.kernels[launch.kernel.0 as usize],
                            launch: loop_launch(launch, &self.args, scalars),
                            scratch: &mut self.scratch,
                        }
                    });
                    // SAFETY: `Bound` checked that the matrices are inside their buffers, that the result
                    // is row-major, that what is written overlaps nothing, and that the epilogue has the
                    // size of the result; `reserve` made the scratch.
                    unsafe { gemm::run(batch, *dims, (left, a), (right, b), result, epilogue, &mut pool) };
                }
                BoundStep::Conv(conv) => {
                    let [source, right] = [conv.a, conv.b].map(|buf| self.table[buf.0 as usize]);
                    let result = conv.c.map(|buf| self.table[buf.0 as usize].words);
                    let epilogue = conv.epilogue.as_ref().map(|launch| {
                        arguments(&mut self.args, &self.table, launch);
                        let kernel = &self.kernels[launch.kernel.0 as usize];
                        conv::Epilogue { kernel, launch: loop_launch(launch, &self.args, scalars) }
                    });
                    // SAFETY: `Bound` checked that the result is as long as its rows and columns, that the
                    // epilogue has its size, and that what is written overlaps nothing; `reserve` made the
                    // scratch.
                    unsafe { conv::run(conv, [source, right], result, epilogue, &mut self.scratch, &mut pool) };
                }
                BoundStep::Segments { dims, index, update, out } => {
                    self.segments(*dims, *index, *update, *out, &mut pool);
                }
                BoundStep::Copy { from, to } => self.copy(*from, *to, &mut pool),
            }
        }
    }
}

fn arguments(args: &mut Vec<Buf>, table: &[Buf], launch: &BoundLaunch) {
    args.clear();
    args.extend(launch.bufs.iter().map(|buf| table[buf.0 as usize]));
}

fn loop_launch<'a>(launch: &'a BoundLaunch, bufs: &'a [Buf], scalars: &'a [u32]) -> Launch<'a> {
    let scalars = &scalars[launch.scalars..];
    Launch { bufs, sizes: &launch.sizes, scalars, rows: launch.rows, row: launch.row }
}

impl LoadedProgram {
    /// A program with the code of its kernels in order.
    pub fn new(program: Arc<Program>, kernels: Vec<CompiledKernel>, pool: Arc<Mutex<Pool>>) -> LoadedProgram {
        LoadedProgram { program, kernels, pool, scratch: Scratch::default(), table: Vec::new(), args: Vec::new() }
    }

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

    /// The updates are sorted by their row, stably; rows of the result are shared out, and each is summed by one
    /// thread in the order of its updates.
    fn segments(&mut self, [updates, rows, row]: [usize; 3], index: BufId, update: BufId, out: BufId, pool: &mut Pool) {
        let buf = |id: BufId| self.table[id.0 as usize].words;
        let (index, update, out) = (buf(index).cast_const(), buf(update).cast_const(), buf(out));
        let (scratch, _) = self.scratch.pointer();
        // SAFETY: `Bound` checked that the index has this many words; `reserve` made so much scratch, and no
        // other thread runs yet.
        let (index, scratch) = unsafe {
            (
                std::slice::from_raw_parts(index, updates),
                std::slice::from_raw_parts_mut(scratch, segments::scratch_words(updates, rows)),
            )
        };
        let sorted = segments::sort(index, rows, scratch);
        let chunks = ((rows + updates) * row / 16_384).clamp(1, 64).min(rows.max(1));
        let each = rows.div_ceil(chunks).max(1);
        // SAFETY: a chunk writes its own rows of the result and reads what nobody writes.
        let shared = unsafe { Across::new((sorted, update, out)) };
        pool.run(chunks, &|_, chunk| {
            let (sorted, update, out) = shared.get();
            let start = (chunk * each).min(rows);
            let mine = start..(start + each).min(rows);
            // SAFETY: `Bound` checked that the buffers hold this many words and do not overlap; f32 and u32 are
            // the same words; rows of other chunks are not touched.
            let (update, out) = unsafe {
                (
                    std::slice::from_raw_parts(update.cast::<f32>(), updates * row),
                    std::slice::from_raw_parts_mut(out.cast::<f32>().wrapping_add(start * row), mine.len() * row),
                )
            };
            out.fill(0.0);
            for (sums, target) in out.chunks_exact_mut(row.max(1)).zip(mine) {
                for &j in sorted.of(target) {
                    let more = &update[j as usize * row..][..row];
                    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
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
