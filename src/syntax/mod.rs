//! Text to tree and back; the files a program uses.

pub mod ast;
pub mod blame;
pub mod format;
pub mod modules;
pub mod parse;
pub mod print;
pub mod sort;
pub mod unused;
mod walk;
