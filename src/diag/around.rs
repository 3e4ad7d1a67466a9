//! What is wrong with the settings of a run that are about files and the machine.

use super::{Code, Diagnostic};
use crate::base::Span;

/// A setting that comes back every so often, in another form.
pub fn every_form(name: &str, span: Span) -> Diagnostic {
    let example = match name {
        "checkpoint" => "checkpoint = every(100 steps, keep = 3)",
        _ => "log = every(10 steps)",
    };
    super::train::setting_form(name, example, span)
}

/// `every(100)`
pub fn every_what(count: f64, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0603, span, format!("`every({count})` does not say of what")).here("steps or epochs").fix(
        format!("say so: `{count} steps`"),
        span,
        format!("{count} steps"),
    )
}

/// `log = every(1 epochs)`
pub fn epochs_are_logged(span: Span, line: Span) -> Diagnostic {
    Diagnostic::error(Code::E0603, span, "`log` counts steps, and every epoch is reported without it")
        .here("counts epochs")
        .fix("leave the line out", line, "")
        .fix("write it as in `log = every(10 steps)`", span, "every(10 steps)")
}

/// A device that this version does not run on.
pub fn no_such_device(word: Option<&str>, span: Span, known: &[&str]) -> Diagnostic {
    let message = match word {
        Some(word) => format!("this build of tensa runs on no device `{word}`"),
        None => "`device` is the name of one".to_owned(),
    };
    let told = Diagnostic::error(Code::E0603, span, message).here("not a device of this build");
    match known {
        [only] => told.fix(format!("it has `{only}`"), span, *only),
        known => told.help(format!("it has {}", super::name::list(known))),
    }
}

/// Numbers of fewer or more bits than this version has.
pub fn precision_later(word: &str, span: Span) -> Diagnostic {
    super::name::not_yet(&format!("the precision `{word}`"), span)
        .note("this version computes in `f32`, and with `bf16` rounds to that what it multiplies")
        .fix("write `precision = f32`, or leave the line out", span, "f32")
}

/// A precision that is none.
pub fn no_such_precision(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0603, span, "`precision` is what numbers are computed in, and this is no such thing")
        .here("not a precision")
        .fix("this version has `f32` and `bf16`", span, "f32")
}
