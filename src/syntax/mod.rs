//! Text to tree and back.

pub mod ast;
pub mod blame;
pub mod format;
pub mod parse;
pub mod print;
pub mod unused;
