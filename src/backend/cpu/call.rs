//! Calls of one compiled kernel.
//!
//! In: a kernel with its arguments. Out: what it writes, computed by as many threads as the work is worth.
//! `CompiledKernel::call` takes slices and checks everything at once; `launch` is for those who have.
#![expect(unsafe_code, reason = "calls compiled code on raw buffers")]

use std::ops::Range;

use super::chunks::Chunks;
use super::emit::{Args, Buf, scratch_words};
use super::jit::CompiledKernel;
use super::pool::Pool;
use crate::kernel::ir::{Access, BufArg, Kernel};
use crate::kernel::{Fault, extent, verify};

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
    pub scalars: &'a [u64],
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
        scalars: &[u64],
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
        let len = |(at, buf): (usize, &Buf)| buf.len as usize / kernel.wide.buf(BufArg(at as u16)).words();
        let lens: Vec<usize> = bufs.iter().enumerate().map(len).collect();
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
