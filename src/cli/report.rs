//! How diagnostics are shown, for every command.
//!
//! In: diagnostics and the texts they point into. Out: a report on stderr: with colours on a terminal,
//! plain when piped or when `NO_COLOR` is set. A warning is shown like an error and fails nothing.

use std::io::{IsTerminal, stderr};

use crate::base::SourceMap;
use crate::diag::render::{self, Style};
use crate::diag::{Diagnostics, Severity};

/// The widest report; a line longer than this is hard to read.
const WIDEST: usize = 120;

/// Shows all of them in the order of the text, and how many there are.
pub(super) fn show(diagnostics: Diagnostics, sources: &SourceMap) {
    if diagnostics.is_empty() {
        return;
    }
    let sorted = diagnostics.sorted();
    let count = |severity| sorted.iter().filter(|told| told.severity == severity).count();
    let counted = counted(count(Severity::Error), count(Severity::Warning));
    super::tell(&format!("{}\n{counted}\n", render::render(&sorted, sources, style())));
}

/// `2 errors and 1 warning`
fn counted(errors: usize, warnings: usize) -> String {
    let some = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        count => Some(format!("{count} {word}s")),
    };
    let parts: Vec<String> = [some(errors, "error"), some(warnings, "warning")].into_iter().flatten().collect();
    parts.join(" and ")
}

/// What stderr can show.
fn style() -> Style {
    if !stderr().is_terminal() {
        return Style::PLAIN;
    }
    // <https://no-color.org>: set and not empty means no colours.
    let color = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse::<usize>().ok());
    Style { color, width: columns.map_or(Style::PLAIN.width, |columns| columns.clamp(40, WIDEST)) }
}
