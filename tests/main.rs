//! The one integration-test binary: it links once, and its suites share what stands in `support`.

mod support;

mod data;
mod kernels;
mod lowering;
mod ops;
mod suite;
mod syntax;
