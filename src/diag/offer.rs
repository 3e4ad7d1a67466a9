//! Advice that is not of one message: what the words around a mistake make possible.
//!
//! In: a diagnostic, places and words. Out: the diagnostic with one advice more and the edits that follow it.

use super::Diagnostic;
use crate::base::{Span, Symbol};

/// Each place gets the same words.
fn each(told: Diagnostic, places: &[Span], words: &str) -> Diagnostic {
    places.iter().fold(told, |told, place| told.also(*place, words))
}

/// A function becomes a layer, which is called before it is applied; `word` is its keyword, `calls` are the ends of its
/// name in calls.
pub fn layer_of_function(told: Diagnostic, name: Symbol, word: Span, calls: &[Span]) -> Diagnostic {
    each(told.fix(format!("make `{name}` a `layer`"), word, "layer"), calls, "()")
}

/// A model of the run where a layer is needed, applied to what stands there when `input` says what and behind which call.
pub fn model_of_run(told: Diagnostic, model: Symbol, span: Span, input: Option<(Span, &str)>) -> Diagnostic {
    let told = told.fix(format!("`{model}` is one"), span, model.as_str());
    match input {
        Some((call, input)) => told.also(call.after(), format!("({input})")),
        None => told,
    }
}

/// A layer of so many features where their number stands.
pub fn dense(told: Diagnostic, span: Span) -> Diagnostic {
    told.wrap("a layer of that many features is made by `Dense`", "Dense", (span, false))
}

/// What a call holds, without the call: `freeze` around what has no parameters, `total` around one tensor.
pub fn only(told: Diagnostic, why: Only, inner: Span, call: Span) -> Diagnostic {
    let why = match why {
        Only::Unfrozen => "without parameters it is as it is",
        Only::Untotalled => "of one tensor it is the number itself",
    };
    told.fix(why, Span { end: inner.start, ..call }, "").also(Span { start: inner.end, ..call }, "")
}

/// Why a call may go.
pub enum Only {
    /// What it freezes has no parameters.
    Unfrozen,
    /// What it adds is one.
    Untotalled,
}

/// A tensor that is frozen.
pub fn stopped(told: Diagnostic, function: Span) -> Diagnostic {
    told.fix("no gradient flows through `stop_gradient`", function, "stop_gradient")
}

/// The nearest whole number.
pub fn whole(told: Diagnostic, whole: f64, span: Span) -> Diagnostic {
    told.fix(format!("the nearest is {whole}"), span, whole.to_string())
}

/// A number as a stage of a pipe.
pub fn with_what_comes_in(told: Diagnostic, number: Span) -> Diagnostic {
    told.fix("`_` is what comes in: multiply it", number.before(), "_ * ").fix("or add to it", number.before(), "_ + ")
}

/// A block without its input, as a stage of a pipe.
pub fn input_of_block(told: Diagnostic, value: Span) -> Diagnostic {
    told.fix("`_` is what comes in", value.before(), "_ |> ")
}

/// A number applied as if it were a function: `open` is from it to the argument, `close` behind that, and `bare` says that
/// the argument needs no brackets.
pub fn product(told: Diagnostic, open: Span, close: Span, bare: bool) -> Diagnostic {
    let (sign, end) = if bare { (" * ", "") } else { (" * (", ")") };
    told.fix("a product has its sign", open, sign).also(close, end)
}

/// A division of elements where one of sizes is meant.
pub fn remainder(told: Diagnostic, span: Span, (left, right): (&str, &str)) -> Diagnostic {
    told.fix("the remainder tells it of each element", span, format!("{right} % {left} == 0"))
}

/// Another tensor to derive by.
pub fn derived_by(told: Diagnostic, name: &str, span: Span) -> Diagnostic {
    told.fix(format!("by `{name}`, of which it is made"), span, name)
}

/// Names of a list that nothing uses go.
pub fn fewer_names(told: Diagnostic, surplus: Span) -> Diagnostic {
    told.fix("nothing uses the names that are too many", surplus, "")
}

/// A list has more than names.
pub fn more_names(told: Diagnostic, last: Span, more: &str) -> Diagnostic {
    told.fix("give the others names too", last.after(), more)
}

/// The part of a record that has the scores; `end` is within the call, before its bracket.
pub fn scores_of_record(told: Diagnostic, end: Span, words: &str, field: Symbol) -> Diagnostic {
    told.fix("say which of its parts has the scores", end, format!(", pick = argmax[{words}](_.{field})"))
}

/// A number for what lies outside of a tensor.
pub fn fill_of_zero(told: Diagnostic, span: Span) -> Diagnostic {
    told.fix("what lies outside is as a rule 0", span, "0")
}

/// An optimizer where something else stands; a number is its learning rate.
pub fn optimizer(told: Diagnostic, span: Span, is_number: bool) -> Diagnostic {
    match is_number {
        true => told.wrap("a number is its learning rate", "Adam", (span, false)),
        false => told.fix("`Adam` is the usual one", span, "Adam(lr = 1e-3)"),
    }
}
