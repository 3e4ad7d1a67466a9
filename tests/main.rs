//! The one integration-test binary: it links once, and its suites share what stands in `support`.

mod support;

mod check;
mod cli;
mod commands;
mod data;
mod derivatives;
mod diagnostics;
mod docs;
mod drawing;
mod edits;
mod formatting;
mod kernels;
mod library;
mod lowering;
mod lsp;
mod ops;
mod programs;
mod reference;
mod suite;
mod syntax;
mod texts;
mod tidy;
mod train;
mod updates;
