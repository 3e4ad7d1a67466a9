//! Calls of compiled code: one kernel on slices, and the steps of a program.
//!
//! In: compiled kernels with their arguments. Out: what they write, computed by as many threads as the
//! work is worth. `CompiledKernel::call` takes slices and checks everything at once; a program was
//! checked when its sizes were bound (`Bound`), and a step of it checks only that its memory is as long
//! and as writable as that says. A step allocates nothing: `reserve` makes its tables and its scratch
//! (the `gemm` crate packs into memory of its own).
#![expect(unsafe_code, reason = "calls compiled code on raw buffers")]

use std::ops::Range;
use std::sync::{Arc, Mutex};

use super::chunks::Chunks;
use super::emit::{Args, Buf, scratch_words};
use super::jit::CompiledKernel;
use super::pool::Pool;
use super::{gemm, lock};
use crate::backend::Loaded;
use crate::backend::bound::{Bound, BoundLaunch, BoundMatrix, BoundStep};
use crate::backend::memory::{Memory, Segment};
use crate::kernel::ir::{Access, BufId, Kernel, Program};
use crate::kernel::{Fault, extent, verify};

/// Words that a copy moves in one chunk.
const COPY: usize = 1 << 16;

/// A buffer given to a call.
pub enum Buffer<'a> {
    /// For an argument that is read.
    Read(&'a [u32]),
    /// For an argument that is written or updated.
    Write(&'a mut [u32]),
}

/// Something that threads share although it holds pointers.
#[derive(Clone, Copy)]
pub(super) struct Across<T>(T);

// SAFETY: whoever makes an `Across` states why its pointers may be used by several threads.
unsafe impl<T> Sync for Across<T> {}

impl<T: Copy> Across<T> {
    /// # Safety
    /// What the pointers in `value` are used for on several threads at once must be free of races.
    pub unsafe fn new(value: T) -> Across<T> {
        Across(value)
    }

    /// The value; a method, so that a closure captures the whole and not the pointer in it.
    pub fn get(&self) -> T {
        self.0
    }
}

/// Working memory for each thread, from a cache line on.
#[derive(Default)]
pub(super) struct Scratch {
    words: Vec<u32>,
    start: usize,
    pitch: usize,
}

impl Scratch {
    /// Makes room for so many words for each of so many threads.
    pub fn reserve(&mut self, threads: usize, words: usize) {
        let pitch = words.next_multiple_of(16);
        if pitch > self.pitch || self.words.is_empty() {
            self.words = vec![0; pitch * threads + 16];
            self.start = self.words.as_ptr().align_offset(64).min(16);
            self.pitch = pitch;
        }
    }

    /// The memory of thread 0, and from one thread's to the next.
    pub fn pointer(&mut self) -> (*mut u32, usize) {
        (self.words[self.start..].as_mut_ptr(), self.pitch)
    }
}

/// What a launch runs on. `bufs` are as the kernel declares them, `sizes` and `scalars` too.
#[derive(Clone, Copy)]
pub(super) struct Launch<'a> {
    pub bufs: &'a [Buf],
    pub sizes: &'a [i64],
    pub scalars: &'a [u32],
    pub rows: u64,
    pub row: u64,
}

impl Launch<'_> {
    /// The arguments of the code, with the scratch of one thread.
    pub fn args(&self, kernel: &CompiledKernel, scratch: *mut u32) -> Args {
        Args {
            bufs: self.bufs.as_ptr(),
            sizes: self.sizes.as_ptr(),
            scalars: self.scalars.as_ptr(),
            constants: kernel.constants.as_ptr(),
            scratch,
            tile: std::ptr::null(),
            tile_stride: 0,
        }
    }
}

impl CompiledKernel {
    /// The kernel this is the code of.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Runs the whole kernel on slices.
    pub fn call(
        &self,
        pool: &mut Pool,
        buffers: &mut [Buffer<'_>],
        sizes: &[i64],
        scalars: &[u32],
    ) -> Result<(), Fault> {
        let kernel = &*self.kernel;
        let fits = buffers.len() == kernel.bufs.len()
            && sizes.len() == usize::from(kernel.sizes)
            && scalars.len() == kernel.scalars.len();
        if !fits {
            return Err(Fault("a call with other arguments than the kernel has".into()));
        }
        let mut bufs = Vec::with_capacity(buffers.len());
        for (buffer, access) in buffers.iter_mut().zip(&kernel.bufs) {
            let (words, len) = match (buffer, access) {
                (Buffer::Read(words), Access::Read) => (words.as_ptr().cast_mut(), words.len()),
                (Buffer::Write(words), _) => (words.as_mut_ptr(), words.len()),
                (Buffer::Read(_), Access::Write | Access::Update) => {
                    return Err(Fault("a buffer that is only read is written".into()));
                }
            };
            bufs.push(Buf { words, len: len as i64 });
        }
        let lens: Vec<usize> = bufs.iter().map(|buf| buf.len as usize).collect();
        extent::check(kernel, sizes, &lens)?;
        if verify::uses_tile(kernel) {
            return Err(Fault("an epilogue is called by its contraction alone".into()));
        }
        let rows = extent::rows(kernel, sizes).unwrap_or_default();
        let row = extent::coef(kernel.row, sizes) as u64;
        let mut scratch = Scratch::default();
        scratch.reserve(pool.threads(), scratch_words(kernel, row));
        let launch = Launch { bufs: &bufs, sizes, scalars, rows, row };
        // SAFETY: the counts and the lengths are checked above, the borrows of the slices keep what is
        // written apart from all else, and the kernel reads no tile.
        unsafe { self.launch(pool, &launch, &mut scratch) };
        Ok(())
    }

    /// Runs a whole kernel.
    ///
    /// # Safety
    /// `launch` has the buffers, sizes and scalars that the kernel declares; every address the kernel
    /// computes without data is inside its buffer (`extent::check`); what it writes is valid for writes
    /// and overlaps no other buffer; `scratch` holds `scratch_words` for each thread of the pool; the
    /// kernel uses no tile.
    pub(super) unsafe fn launch(&self, pool: &mut Pool, launch: &Launch<'_>, scratch: &mut Scratch) {
        if launch.rows == 0 {
            return;
        }
        let chunks = Chunks::new(&self.kernel, launch.sizes, launch.rows, launch.row);
        // SAFETY: chunks are disjoint sets of points, and two points of a kernel never write the same
        // element; each thread has its own part of the scratch.
        let shared = unsafe { Across::new((*launch, scratch.pointer())) };
        pool.run(chunks.count(), &|thread, chunk| {
            let (launch, (scratch, pitch)) = shared.get();
            let (rows, elements) = chunks.get(chunk);
            let args = launch.args(self, scratch.wrapping_add(thread * pitch));
            // SAFETY: the caller's promise; the ranges lie inside the grid and the row.
            unsafe { self.points(&args, rows, elements) };
        });
    }

    /// Runs some points of a kernel on this thread.
    ///
    /// # Safety
    /// As `launch` asks; `rows` is not empty and inside the grid, `elements` is the whole row unless
    /// the kernel is elementwise; a tile, if the kernel uses one, holds these rows and elements.
    pub(super) unsafe fn points(&self, args: &Args, rows: Range<u64>, elements: Range<u64>) {
        // SAFETY: `entry` is the code of this kernel and is kept alive by `self`; the arguments are as
        // the caller promises.
        unsafe {
            (self.entry)(args, rows.start as i64, rows.end as i64, elements.start as i64, elements.end as i64);
        }
    }
}

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
                BoundStep::Gemm { dims, b, epilogue: Some(launch), .. } => {
                    let kernel = self.kernels[launch.kernel.0 as usize].kernel();
                    (gemm::scratch_words(*dims, b, kernel), launch.bufs.len())
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
                BoundStep::Gemm { dims, a, b, c, epilogue } => {
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
                    unsafe { gemm::run(*dims, (left, a), (right, b), result, epilogue, &mut pool) };
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
