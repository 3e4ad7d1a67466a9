//! What several suites use.

pub mod cases;
pub mod programs;
pub mod stages;
pub mod trees;
