//! What several suites use.

pub mod programs;
