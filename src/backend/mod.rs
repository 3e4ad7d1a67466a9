//! What runs a program of kernels.
//!
//! In: a `Program`, once; a `Bound` for each tuple of sizes; words of memory for each step. Out: the
//! step, in that memory. `cpu` compiles to machine code, `interp` walks the kernels and is the oracle;
//! both compute the same bits. A backend plans no memory and evaluates no size: `runtime` does, and
//! `bound` checks the outcome once, so that a step needs no checks.

pub mod bound;
pub mod cpu;
pub mod element;
pub mod interp;
pub mod memory;

use std::sync::Arc;

pub use bound::{BindFault, Bound, BoundConv, BoundLaunch, BoundMatrix, BoundRow, BoundScan, BoundStep};
pub use memory::{Memory, Segment, Spot};

use crate::kernel::Fault;
use crate::kernel::ir::Program;

/// A way to run programs.
pub trait Backend: Send + Sync {
    /// `cpu`
    fn name(&self) -> &'static str;

    /// Makes a program ready. Nothing in it depends on the value of a symbolic size.
    fn compile(&self, program: &Arc<Program>) -> Result<Box<dyn Loaded>, Fault>;

    /// What it did so far.
    fn stats(&self) -> Stats;
}

/// What a backend did so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// How many kernels were compiled; an equal kernel is compiled once.
    pub compiled: u64,
}

/// A program that is ready to run, with the working memory it needs beside its buffers.
pub trait Loaded: Send {
    /// Makes room for steps with these sizes, so that `run` allocates nothing.
    fn reserve(&mut self, bound: &Bound);

    /// On how many threads the iterations of a loop run at once.
    fn lanes(&self) -> usize;

    /// Runs one step. `scalars` holds the bits of every launch's, as `Bound` numbers them.
    fn run(&mut self, bound: &Bound, scalars: &[u64], memory: &mut Memory<'_, '_>);
}
