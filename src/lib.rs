//! Tensa: a declarative language for neural networks and its compiler.
//!
//! The modules stand in reading order, which is the way of the data: a `.model` text becomes a tree
//! (`syntax`), a typed program with named axes (`sema`), a graph with ordered axes (`lower`, `ir`,
//! `ops`), a graph with gradients (`canon`, `autodiff`), one program per step (`step`), a smaller one
//! (`opt`), regions (`fuse`), loop nests (`kernel`), machine code (`backend`) and steps (`runtime`,
//! `train`). `driver` names that order once. ARCHITECTURE.md says what may import what.

pub mod base;
pub mod diag;
pub mod tensor;

pub mod sema;
pub mod syntax;

pub mod autodiff;
pub mod canon;
pub mod ir;
pub mod lower;
pub mod ops;
pub mod opt;
pub mod step;

pub mod backend;
pub mod fuse;
pub mod kernel;
pub mod runtime;

pub mod data;
pub mod gradients;
pub mod lint;
pub mod search;
pub mod train;

pub mod cli;
pub mod driver;
pub mod ide;
pub mod lsp;
mod stdlib;
