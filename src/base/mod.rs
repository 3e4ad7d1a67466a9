//! What every phase stands on: names, places in text, source files, counter-based randomness.
//!
//! Imports nothing of the crate.

pub mod philox;
mod source;
mod span;
mod symbol;

pub use source::{FileId, LineColumn, SourceFile, SourceMap};
pub use span::{Span, Spanned};
pub use symbol::{Symbol, numbered};

/// Stops at a mistake of the compiler itself, never of the user, and says where it stood: the pass,
/// the operation, the types.
macro_rules! bug {
    ($($message:tt)+) => {
        panic!("compiler bug: {}", format_args!($($message)+))
    };
}
pub(crate) use bug;

/// FNV-1a over the bytes of a text: a name for it that is the same in every run.
pub(crate) fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
