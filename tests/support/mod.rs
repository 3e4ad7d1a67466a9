//! What several suites use.

pub mod graphs;
pub mod data_text;
pub mod programs;
