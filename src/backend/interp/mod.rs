//! The oracles: the graph in f64, kernels in f32; slow, safe, plain.
//!
//! `kernel` runs one launch, `program` whole steps with it. Both compute the bits that every backend
//! has to compute.

pub mod kernel;
pub mod program;

pub use program::Interp;
