//! Typed tree to graph: named axes become positions.
