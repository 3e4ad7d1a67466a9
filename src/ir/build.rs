//! The one way to make a node: typed constructors that check as they build.

/// Builds a graph.
pub struct Builder;
