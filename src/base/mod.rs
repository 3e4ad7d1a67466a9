//! What every phase stands on: names, places in text, source files, counter-based randomness.
//!
//! Imports nothing of the crate.

pub mod philox;
mod source;
mod span;
mod symbol;

pub use source::{FileId, LineColumn, SourceFile, SourceMap};
pub use span::{Span, Spanned};
pub use symbol::Symbol;
