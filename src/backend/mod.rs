//! What runs a program of kernels.

pub mod cpu;
pub mod interp;
