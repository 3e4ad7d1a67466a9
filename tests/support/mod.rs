//! What several suites use.

pub mod beside;
pub mod cases;
pub mod graphs;
pub mod models;
pub mod programs;
pub mod runs;
pub mod stages;
pub mod steps;
pub mod tables;
pub mod trees;
