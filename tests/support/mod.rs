//! What several suites use.

pub mod graphs;
