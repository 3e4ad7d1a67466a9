//! The tensor graph: what a program computes, without names, loops or devices.
//!
//! `dim` sizes · `types` what a value is · `graph` nodes and what is around them · `host` the scalar
//! program of a step · `build` the one way to make a node · `verify` what must hold · `text` print
//! and parse · `rewrite` the walk of every pass · `scalar` the primitives of kernels · `expand` the
//! functions made of them · `special` their references in f64.
//!
//! Axes are positional here. The named axes of the language end in `lower`; a node keeps the span it
//! came from, for messages and profiles.

pub mod build;
pub mod dim;
pub mod expand;
pub mod graph;
pub mod host;
pub mod rewrite;
pub mod scalar;
pub mod special;
pub mod text;
pub mod types;
pub mod verify;

pub use build::Builder;
pub use dim::{Dim, SizeId, SizeOverflow};
pub use graph::{Graph, Input, InputId, Node, NodeId, Origin, Output, Param, ParamId, Role, State, StateId};
pub use host::{HostBinary, HostEnv, HostId, HostOp, HostProgram, HostUnary};
pub use types::{DType, Dims, Ty};
