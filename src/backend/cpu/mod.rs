//! Native code: CLIF for loop nests, the `gemm` crate for contractions.
//!
//! `emit` kernel to CLIF · `jit` CLIF to executable memory · `call` one launch over threads · `gemm`
//! contractions by blocks · `pool` the threads · `program` whole steps. Work is cut by shape alone, so
//! that any number of threads computes the same bits; they are those of the interpreter.

pub mod call;
pub mod emit;
pub mod gemm;
pub mod jit;
pub mod pool;
pub mod program;

pub use program::Cpu;
