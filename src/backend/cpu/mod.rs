//! Native code: CLIF for loop nests, the `gemm` crate for contractions.
//!
//! `program` the backend · `emit` kernel to CLIF · `jit` CLIF to executable memory · `chunks` how a launch
//! is cut · `call` launches of one kernel · `gemm` contractions by
//! blocks · `conv` those that read through a window · `segments` updates by their rows · `steps` a loaded program · `pool` the threads. Work is cut by
//! shape alone, so that any number of threads computes the same bits; they are those of the interpreter.

pub mod call;
mod chunks;
pub mod conv;
pub mod emit;
pub mod gemm;
pub mod jit;
pub mod pool;
mod program;
mod segments;
mod steps;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use program::Cpu;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic left behind is a cache or an idle pool: both are whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
