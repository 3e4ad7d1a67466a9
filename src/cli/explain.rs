//! `tensa explain`: the page of a diagnostic's code.

use clap::Args;

use super::{Failure, Outcome, out};
use crate::diag::{Code, explain, nearest};

/// The arguments of `tensa explain`.
#[derive(Args)]
pub(super) struct Explain {
    /// The code in the brackets of a message, such as E0301; without it, all codes are listed
    code: Option<String>,
}

/// Runs the command.
pub(super) fn run(args: &Explain) -> Outcome {
    let Some(text) = &args.code else {
        for code in Code::ALL {
            out(&format!("{}  {}\n", code.as_str(), code.title()));
        }
        return Ok(());
    };
    match Code::parse(text) {
        Some(code) => {
            out(&format!("{}\n", explain::page(code).trim_end()));
            Ok(())
        }
        None => {
            let near = nearest(text, Code::ALL.iter().map(|code| code.as_str()));
            let advice = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
            Err(Failure::Usage(format!("there is no code `{text}`{advice}; `tensa explain` lists all codes")))
        }
    }
}
