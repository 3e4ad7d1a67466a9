//! Regions to loop nests; memory and sizes planned.
//!
//! `ir` the loop nests and programs · `lower` regions to these · `build` the one way to make a body · `verify` what must hold ·
//! `extent` which elements a kernel touches when its sizes are known · `text`, `parse` the text form.

pub mod build;
pub mod extent;
pub mod ir;
mod lex;
pub mod lower;
pub mod parse;
pub mod text;
pub mod verify;

pub use build::BodyBuilder;
pub use lower::lower;
pub use verify::Fault;
