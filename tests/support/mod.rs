//! What several suites use.
