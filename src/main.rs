//! The `tensa` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    tensa::cli::main()
}
