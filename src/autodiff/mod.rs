//! Reverse mode, graph to graph, without knowledge of any operation.
