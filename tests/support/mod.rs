//! What several suites use.

pub mod data_text;
