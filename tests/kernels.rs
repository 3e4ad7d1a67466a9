//! Tests of `kernels`.
