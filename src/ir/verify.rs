//! What must hold of every graph, checked after every pass.
