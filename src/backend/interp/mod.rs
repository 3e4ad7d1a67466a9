//! The oracles: the graph in f64, kernels in f32; slow, safe, plain.
//!
//! `graph` runs the tensor graph itself. `kernel` runs one launch, `program` whole steps with it; both
//! compute the bits that every backend has to compute.

pub mod graph;
pub mod kernel;
pub mod program;

pub use program::Interp;
