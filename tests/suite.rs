//! Runs `tests/suite/<phase>/*.model`.
