//! The `tensa` binary.

fn main() {}
