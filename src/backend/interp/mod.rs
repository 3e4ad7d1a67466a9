//! The oracles: the graph in f64, kernels in f32; slow, safe, plain.

pub mod graph;
