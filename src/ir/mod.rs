//! The tensor graph: what a program computes, without names, loops or devices.
//!
//! `dim` sizes · `facts` what is supposed of them and what follows · `types` what a value is · `op` the operations as words · `graph` nodes and what is around
//! them · `scan` loops · `attention` what it is · `host` the scalar program of a step · `text` print and parse · `scalar` the primitives of kernels ·
//! `expand` the functions made of them · `special` their references in f64.
//!
//! What an operation means, and so how a node is made and checked, stands in `ops`.
//! Axes are positional here. The named axes of the language end in `lower`; a node keeps the span it
//! came from, for messages and profiles.

pub mod attention;
pub mod dim;
pub mod expand;
pub mod facts;
pub mod graph;
pub mod host;
pub mod op;
pub mod scalar;
pub mod scan;
pub mod special;
pub mod text;
pub mod types;

pub use attention::{Attention, AttentionArg, AttentionResult};
pub use dim::{Dim, SizeId, SizeOverflow};
pub use facts::{Fact, Facts, Truth};
pub use graph::{
    Graph, Input, InputId, LayerId, Node, NodeId, Origin, Output, Param, ParamId, RematId, Role, State, StateId,
};
pub use host::{HostBinary, HostEnv, HostId, HostOp, HostProgram, HostUnary};
pub use scan::{Scan, ScanArg};
pub use types::{DType, Dims, Ty};
