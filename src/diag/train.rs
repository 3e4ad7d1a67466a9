//! What is wrong with a training run.

use super::{Code, Diagnostic};

/// A size that is out of range when the sizes are bound; `formula` with the names of the sizes,
/// `value` when there is one, `given` as `batch = 31, t = 5`.
pub fn size_out_of_range(formula: &str, value: Option<i64>, given: &str) -> Diagnostic {
    let message = match value {
        Some(value) => format!("the size `{formula}` is {value}"),
        None => format!("the size `{formula}` is too large"),
    };
    let diagnostic = Diagnostic::without_place(Code::E0801, message);
    if given.is_empty() { diagnostic } else { diagnostic.note(format!("known here: {given}")) }
}

/// A step that needs more memory than the system gives.
pub fn out_of_memory(bytes: u64, given: &str) -> Diagnostic {
    let diagnostic = Diagnostic::without_place(
        Code::E0802,
        format!("a step needs {:.1} MiB, which the system does not give", bytes as f64 / f64::from(1 << 20)),
    );
    let diagnostic = if given.is_empty() { diagnostic } else { diagnostic.note(format!("known here: {given}")) };
    diagnostic.help("make the batch smaller; most of a step's memory grows with it")
}

/// A contradiction that is a mistake of the compiler.
pub fn broken_step(fault: &str) -> Diagnostic {
    Diagnostic::without_place(Code::E0803, "the compiled step does not fit what it runs on")
        .note(fault)
        .help("this is a mistake in tensa: please report it with the program")
}
