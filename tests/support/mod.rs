//! What several suites use.

pub mod graphs;
pub mod programs;
pub mod steps;
