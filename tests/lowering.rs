//! Tests of fusion and lowering: random graphs compute as kernels what the graph says, on both backends.

mod attention;
mod dtypes;
mod loops;
mod masked;
mod picks;
mod precision;
mod random_graphs;
mod remat;
mod rows;
mod shapes;
mod wide;
mod windows;
