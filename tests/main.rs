//! The one integration-test binary: it links once, and its suites share what stands in `support`.

mod support;

mod check;
mod cli;
mod data;
mod docs;
mod kernels;
mod lsp;
mod lowering;
mod ops;
mod suite;
mod syntax;
mod train;
