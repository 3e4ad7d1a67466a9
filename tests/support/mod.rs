//! What several suites use.

pub mod cases;
pub mod faulty;
pub mod graphs;
pub mod models;
pub mod pictures;
pub mod programs;
pub mod runs;
pub mod stages;
pub mod steps;
pub mod tables;
pub mod trees;
