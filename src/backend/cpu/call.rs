//! One launch of compiled code: checks, then the calls, over as many threads as the work is worth.
//!
//! In: a compiled kernel with its arguments. Out: its writes. `CompiledKernel::call` takes slices and
//! checks everything; a program is checked when its sizes are bound (`Bound`) and uses `launch`.
#![expect(unsafe_code, reason = "calls compiled code on raw buffers")]

use std::ops::Range;

use super::emit::{Args, Buf, scratch_words};
use super::jit::CompiledKernel;
use super::pool::Pool;
use crate::kernel::ir::{Access, Body, Coef, Inst, Kernel, Phase};
use crate::kernel::{Fault, extent};

/// Below this much work, in nanoseconds, one thread is faster than waking another.
const SERIAL: f64 = 3000.0;
/// What a chunk should take, and how many there are at most.
const CHUNK: f64 = 4000.0;
const CHUNKS: f64 = 256.0;

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
    pub fn args(&self, scratch: *mut u32) -> Args {
        Args {
            bufs: self.bufs.as_ptr(),
            sizes: self.sizes.as_ptr(),
            scalars: self.scalars.as_ptr(),
            scratch,
            tile: std::ptr::null(),
            tile_stride: 0,
        }
    }
}

/// How a launch is cut: a function of the kernel and its sizes alone.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Chunks {
    rows: u64,
    row: u64,
    rows_each: u64,
    elements_each: u64,
}

impl Chunks {
    fn new(kernel: &Kernel, launch: &Launch<'_>) -> Chunks {
        let (rows, row) = (launch.rows, launch.row);
        let whole = Chunks { rows, row, rows_each: rows.max(1), elements_each: row.max(1) };
        let work = cost(kernel, launch.sizes, rows, row);
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

    fn across(&self) -> u64 {
        self.row.div_ceil(self.elements_each).max(1)
    }

    fn count(&self) -> usize {
        (self.rows.div_ceil(self.rows_each) * self.across()) as usize
    }

    fn get(&self, chunk: usize) -> (Range<u64>, Range<u64>) {
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
        if crate::kernel::verify::uses_tile(kernel) {
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
        let chunks = Chunks::new(&self.kernel, launch);
        // SAFETY: chunks are disjoint sets of points, and two points of a kernel never write the same
        // element; each thread has its own part of the scratch.
        let shared = unsafe { Across::new((*launch, scratch.pointer())) };
        pool.run(chunks.count(), &|thread, chunk| {
            let (launch, (scratch, pitch)) = shared.get();
            let (rows, elements) = chunks.get(chunk);
            let args = launch.args(scratch.wrapping_add(thread * pitch));
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
            let launch = Launch { bufs: &[], sizes: &sizes, scalars: &[], rows, row };
            let chunks = Chunks::new(&kernel, &launch);
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
