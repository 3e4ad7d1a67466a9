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
use crate::backend::bound::{Bound, BoundConv, BoundLaunch, BoundMatrix, BoundRow, BoundScan, BoundStep};
use crate::backend::element::Element;
use crate::backend::memory::{Memory, Segment};
use crate::kernel::ir::{BufId, Elem, Program};

/// Words that a copy moves in one chunk.
const COPY: usize = 1 << 16;

/// A compiled program with the tables and the scratch of its steps.
pub(super) struct LoadedProgram {
    program: Arc<Program>,
    kernels: Vec<CompiledKernel>,
    pool: Arc<Mutex<Pool>>,
    lane: Lane,
    /// For loops whose iterations run at once: one for each thread, with a pool of that thread alone.
    workers: Vec<(Lane, Pool)>,
}

/// What steps that run one after the other work with.
#[derive(Default)]
struct Lane {
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
        let mut need = Need::default();
        need.steps(&self.kernels, bound.steps());
        let threads = self.lanes();
        if need.is_parallel && self.workers.len() < threads {
            self.workers.resize_with(threads, || (Lane::default(), Pool::new(1)));
        }
        self.lane.reserve(threads, &need, bound);
        if need.is_parallel {
            self.workers.iter_mut().for_each(|(lane, _)| lane.reserve(1, &need, bound));
        }
    }

    fn lanes(&self) -> usize {
        lock(&self.pool).threads()
    }

    fn run(&mut self, bound: &Bound, scalars: &[u64], memory: &mut Memory<'_, '_>) {
        assert!(bound.is_of(&self.program), "sizes bound for this program");
        self.reserve(bound);
        self.lane.fill(bound, memory);
        assert!(scalars.len() >= bound.scalars().len(), "the bits of every scalar");
        let pool = self.pool.clone();
        let run = Run { kernels: &self.kernels, scalars };
        run.steps(bound.steps(), &mut self.lane, &mut self.workers, &mut lock(&pool));
    }
}

/// The working memory that some steps need.
#[derive(Default)]
struct Need {
    words: usize,
    args: usize,
    is_parallel: bool,
}

impl Need {
    fn steps(&mut self, kernels: &[CompiledKernel], steps: &[BoundStep]) {
        let kernel_of = |launch: &BoundLaunch| kernels[launch.kernel.0 as usize].kernel();
        for step in steps {
            let (words, args) = match step {
                BoundStep::Loop(launch) => (scratch_words(kernel_of(launch), launch.row), launch.bufs.len()),
                BoundStep::Gemm { elem, batch, dims, b, epilogue: Some(launch), .. } => {
                    (gemm::scratch_words(*elem, batch, *dims, b, kernel_of(launch)), launch.bufs.len())
                }
                BoundStep::Conv(conv) => {
                    let epilogue = conv.epilogue.as_ref();
                    (conv::scratch_words(conv, epilogue.map(kernel_of)), epilogue.map_or(0, |launch| launch.bufs.len()))
                }
                BoundStep::Segments { dims: [updates, rows, _], .. } => (segments::scratch_words(*updates, *rows), 0),
                BoundStep::Gemm { .. } | BoundStep::Copy { .. } => (0, 0),
                BoundStep::Scan(scan) => {
                    self.is_parallel |= scan.lanes > 1;
                    self.steps(kernels, &scan.body);
                    (0, 0)
                }
            };
            self.words = self.words.max(words);
            self.args = self.args.max(args);
        }
    }
}

/// What all steps of a run share.
struct Run<'a> {
    kernels: &'a [CompiledKernel],
    scalars: &'a [u64],
}

impl Run<'_> {
    fn steps(&self, steps: &[BoundStep], lane: &mut Lane, workers: &mut [(Lane, Pool)], pool: &mut Pool) {
        for step in steps {
            match step {
                BoundStep::Loop(launch) => {
                    arguments(&mut lane.args, &lane.table, launch);
                    let launched = loop_launch(launch, &lane.args, self.scalars);
                    let kernel = &self.kernels[launch.kernel.0 as usize];
                    // SAFETY: `Bound` checked the launch against its kernel, with the spots that `fill`
                    // made these buffers of; `reserve` made the scratch.
                    unsafe { kernel.launch(pool, &launched, &mut lane.scratch) };
                }
                BoundStep::Gemm { elem: Elem::Word, .. } => self.gemm::<f32>(step, lane, pool),
                BoundStep::Gemm { elem: Elem::Wide, .. } => self.gemm::<f64>(step, lane, pool),
                BoundStep::Conv(conv) => match conv.elem {
                    Elem::Word => self.conv::<f32>(conv, lane, pool),
                    Elem::Wide => self.conv::<f64>(conv, lane, pool),
                },
                BoundStep::Segments { elem: Elem::Word, dims, index, update, out } => {
                    lane.segments::<f32>(*dims, [*index, *update, *out], pool);
                }
                BoundStep::Segments { elem: Elem::Wide, dims, index, update, out } => {
                    lane.segments::<f64>(*dims, [*index, *update, *out], pool);
                }
                BoundStep::Copy { from, to } => lane.copy(*from, *to, pool),
                BoundStep::Scan(scan) if scan.lanes > 1 => self.at_once(scan, lane, workers, pool),
                BoundStep::Scan(scan) => self.in_order(scan, lane, workers, pool),
            }
        }
    }

    /// A step `Gemm` of such elements.
    fn gemm<T: Element>(&self, step: &BoundStep, lane: &mut Lane, pool: &mut Pool) {
        let BoundStep::Gemm { batch, dims, a, b, c, epilogue, .. } = step else { return };
        let buf = |matrix: &BoundMatrix| lane.table[matrix.buf.0 as usize].words.cast::<T>();
        let (left, right) = (buf(a).cast_const(), buf(b).cast_const());
        let result = c.as_ref().map(|c| (buf(c), c));
        let epilogue = epilogue.as_ref().map(|launch| {
            arguments(&mut lane.args, &lane.table, launch);
            gemm::Epilogue {
                kernel: &self.kernels[launch.kernel.0 as usize],
                launch: loop_launch(launch, &lane.args, self.scalars),
                scratch: &mut lane.scratch,
            }
        });
        // SAFETY: `Bound` checked that the matrices are inside their buffers, that the result is row-major, that what
        // is written overlaps nothing, and that the epilogue has the size of the result; `fill` that buffers are
        // aligned; `reserve` made the scratch.
        unsafe { gemm::run::<T>(batch, *dims, (left, a), (right, b), result, epilogue, pool) };
    }

    /// A step `Conv` of such elements.
    fn conv<T: Element>(&self, conv: &BoundConv, lane: &mut Lane, pool: &mut Pool) {
        let [source, right] = [conv.a, conv.b].map(|buf| lane.table[buf.0 as usize]);
        let result = conv.c.map(|buf| lane.table[buf.0 as usize].words.cast::<T>());
        let epilogue = conv.epilogue.as_ref().map(|launch| {
            arguments(&mut lane.args, &lane.table, launch);
            let kernel = &self.kernels[launch.kernel.0 as usize];
            conv::Epilogue { kernel, launch: loop_launch(launch, &lane.args, self.scalars) }
        });
        // SAFETY: `Bound` checked that the result is as long as its rows and columns, that the epilogue has its size,
        // and that what is written overlaps nothing; `fill` that buffers are aligned; `reserve` made the scratch.
        unsafe { conv::run::<T>(conv, [source, right], result, epilogue, &mut lane.scratch, pool) };
    }

    /// A loop whose iterations wait for each other.
    fn in_order(&self, scan: &BoundScan, lane: &mut Lane, workers: &mut [(Lane, Pool)], pool: &mut Pool) {
        scan.carries.iter().for_each(|carry| lane.copy(carry.first, carry.old, pool));
        for iteration in 0..scan.count {
            lane.move_rows(scan, iteration);
            self.steps(&scan.body, lane, workers, pool);
            scan.carries.iter().for_each(|carry| lane.table.swap(carry.old.0 as usize, carry.new.0 as usize));
        }
        for carry in &scan.carries {
            carry.last.into_iter().for_each(|last| lane.copy(carry.old, last, pool));
        }
    }

    /// A loop whose iterations wait for nothing: each thread takes some, with locals of its own.
    fn at_once(&self, scan: &BoundScan, lane: &Lane, workers: &mut [(Lane, Pool)], pool: &mut Pool) {
        assert!(workers.len() >= pool.threads().min(scan.lanes), "a lane for each thread");
        for (number, (worker, _)) in workers.iter_mut().take(scan.lanes).enumerate() {
            worker.table.clear();
            worker.table.extend_from_slice(&lane.table);
            for local in &scan.locals {
                let local = &mut worker.table[local.0 as usize];
                local.words = local.words.wrapping_add(number * scan.lane_words);
            }
        }
        // SAFETY: a thread uses the worker of its own number alone; `Bound` checked that what one iteration writes
        // no other uses, and that there is memory for this many lanes.
        let shared = unsafe { Across::new(workers.as_mut_ptr()) };
        pool.run(scan.count, &|thread, iteration| {
            // SAFETY: the pool numbers its threads, and there are as many workers.
            let (worker, own) = unsafe { &mut *shared.get().add(thread) };
            worker.move_rows(scan, iteration);
            self.steps(&scan.body, worker, &mut [], own);
        });
    }
}

fn arguments(args: &mut Vec<Buf>, table: &[Buf], launch: &BoundLaunch) {
    args.clear();
    args.extend(launch.bufs.iter().map(|buf| table[buf.0 as usize]));
}

fn loop_launch<'a>(launch: &'a BoundLaunch, bufs: &'a [Buf], scalars: &'a [u64]) -> Launch<'a> {
    let scalars = &scalars[launch.scalars..];
    Launch { bufs, sizes: &launch.sizes, scalars, rows: launch.rows, row: launch.row }
}

impl LoadedProgram {
    /// A program with the code of its kernels in order.
    pub fn new(program: Arc<Program>, kernels: Vec<CompiledKernel>, pool: Arc<Mutex<Pool>>) -> LoadedProgram {
        LoadedProgram { program, kernels, pool, lane: Lane::default(), workers: Vec::new() }
    }
}

impl Lane {
    fn reserve(&mut self, threads: usize, need: &Need, bound: &Bound) {
        self.scratch.reserve(threads, need.words);
        self.table.clear();
        self.table.reserve(bound.spots().len());
        self.args.clear();
        self.args.reserve(need.args);
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
        for (spot, elem) in bound.spots().iter().zip(bound.elems()) {
            let words = match &mut segments[spot.segment] {
                // An address that is aligned for any element; nothing is read there.
                segment if segment.is_empty() => std::ptr::dangling_mut::<u64>().cast(),
                Segment::Bits(words) => words.as_ptr().cast_mut(),
                Segment::Floats(words) => words.as_ptr().cast::<u32>().cast_mut(),
                Segment::Ints(words) => words.as_ptr().cast::<u32>().cast_mut(),
                Segment::Doubles(numbers) => numbers.as_ptr().cast::<u32>().cast_mut(),
                Segment::Longs(numbers) => numbers.as_ptr().cast::<u32>().cast_mut(),
                Segment::Write(words) => words.as_mut_ptr(),
            };
            // `Bound` placed what is wide at an even word of its segment.
            assert!((words as usize).is_multiple_of(4 * elem.words()), "a segment is aligned for its elements");
            self.table.push(Buf { words: words.wrapping_add(spot.offset), len: spot.len as i64 });
        }
    }

    /// Points the rows of a loop at the position of an iteration.
    fn move_rows(&mut self, scan: &BoundScan, iteration: usize) {
        let position = if scan.reversed { scan.count - 1 - iteration } else { iteration };
        for BoundRow { row, of, words } in &scan.rows {
            let whole = self.table[of.0 as usize].words;
            self.table[row.0 as usize].words = whole.wrapping_add(position * words);
        }
    }

    /// The updates are sorted by their row, stably; rows of the result are shared out, and each is summed by one
    /// thread in the order of its updates.
    fn segments<T: Element>(
        &mut self,
        [updates, rows, row]: [usize; 3],
        [index, update, out]: [BufId; 3],
        pool: &mut Pool,
    ) {
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
        let shared = unsafe { Across::new((sorted, update.cast::<T>(), out.cast::<T>())) };
        pool.run(chunks, &|_, chunk| {
            let (sorted, update, out) = shared.get();
            let start = (chunk * each).min(rows);
            let mine = start..(start + each).min(rows);
            // SAFETY: `Bound` checked that the buffers hold this many elements and do not overlap, `fill` that they are
            // aligned; every pattern of bits is a float; rows of other chunks are not touched.
            let (update, out) = unsafe {
                (
                    std::slice::from_raw_parts(update, updates * row),
                    std::slice::from_raw_parts_mut(out.wrapping_add(start * row), mine.len() * row),
                )
            };
            out.fill(T::ZERO);
            for (sums, target) in out.chunks_exact_mut(row.max(1)).zip(mine) {
                for &j in sorted.of(target) {
                    let more = &update[j as usize * row..][..row];
                    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += *more);
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
