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

/// Stops at a mistake of the compiler itself, never of the user, and says where it stood: the pass,
/// the operation, the types.
macro_rules! bug {
    ($($message:tt)+) => {
        panic!("compiler bug: {}", format_args!($($message)+))
    };
}
pub(crate) use bug;
