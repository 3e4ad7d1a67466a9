//! `tensa lsp`: the language server, over stdin and stdout.

use super::{Failure, Outcome};
use crate::lsp;

/// Runs until the editor says `exit`.
pub(super) fn run() -> Outcome {
    lsp::serve_stdio().map_err(|error| {
        super::tell(&format!("error: {error}\n"));
        Failure::Told
    })
}
