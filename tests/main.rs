//! The one integration-test binary: it links once, and its suites share what stands in `support`.

mod support;

mod cli;
mod data;
mod kernels;
mod ops;
mod suite;
mod syntax;
mod train;
