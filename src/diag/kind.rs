//! What is wrong with kinds and dtypes: scores, probabilities, indices of an axis, truths.

use super::{Code, Diagnostic};
use crate::base::{Span, Symbol};

// No edit for an index where the caller has no axis that it could count.
/// A kind that does not fit; `made` is where probabilities were made of scores, and the scores, `counted` the axis of the
/// caller that an index is to count.
pub fn kind(
    param: Symbol,
    wanted: &str,
    actual: &str,
    place: (Span, bool),
    (made, counted): (Option<(Span, Span)>, Option<&str>),
    declared: Span,
) -> Diagnostic {
    let span = place.0;
    let told = Diagnostic::error(Code::E0313, span, format!("`{param}` takes `{wanted}`"))
        .here(format!("this is `{actual}`"))
        .label(declared, "declared here");
    if wanted == "logit" && actual.starts_with("prob") {
        let help = "these are probabilities already: leave out the `softmax` or `sigmoid` before this";
        return match made {
            Some((whole, scores)) => {
                let before = Span { end: scores.start, ..whole };
                let told = told.fix(help, before, "");
                match scores.end < whole.end {
                    true => told.also(Span { start: scores.end, ..whole }, ""),
                    false => told,
                }
            }
            None => told.help(help),
        };
    }
    if wanted.starts_with("index") {
        let told = told.help("whole numbers below the size of an axis come from `vocab`, `argmax` or `pos`");
        let Some(axis) = counted else { return told };
        return told.wrap(
            format!("numbers become such by `index[{axis}](…)`, to which each run holds them"),
            &format!("index[{axis}]"),
            place,
        );
    }
    if wanted == "prob" {
        return told.help("`softmax` or `sigmoid` makes probabilities");
    }
    told
}

/// A dtype that is not converted by itself, since something would be lost.
pub fn dtype(param: Symbol, wanted: &str, actual: &str, place: (Span, bool), declared: Span) -> Diagnostic {
    Diagnostic::error(Code::E0313, place.0, format!("`{param}` takes `{wanted}`"))
        .here(format!("this is `{actual}`"))
        .label(declared, "declared here")
        .wrap(format!("not all of these are numbers of `{wanted}`; `{wanted}(…)` takes the nearest"), wanted, place)
}

/// An index without its kind.
pub fn index_needs_kind(axis: &str, actual: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0313, span, format!("reading along `{axis}` needs an `index({axis})`"))
        .here(format!("this is `{actual}`"))
        .help("whole numbers below the size of an axis come from `vocab`, `argmax` or `pos`")
        .wrap(
            format!("numbers become such by `index[{axis}](…)`, to which each run holds them"),
            &format!("index[{axis}]"),
            (span, false),
        )
}

/// An index that counts another axis.
/// `of` is where the signature around says what it counts, and `place` the
/// index in a definition.
pub fn index_of_other(
    param: &str,
    (counts, wanted): (&str, &str),
    span: Span,
    declared: Span,
    (of, place): (Option<Span>, Option<(Span, bool)>),
) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0314, span, format!("{param} must count `{wanted}`, and this counts `{counts}`"))
            .here(format!("an `index({counts})`"))
            .label(declared, "needed here");
    match (of, place) {
        (Some(of), _) => told.fix(format!("declare it so: `index({wanted})`"), of, wanted),
        (None, Some(place)) => told.wrap(
            format!("where the numbers are those of `{wanted}`, `index[{wanted}](…)` takes them so"),
            &format!("index[{wanted}]"),
            place,
        ),
        (None, None) => told.help(format!("name the axis of the column so: `vocab[{wanted}]`")),
    }
}

/// An index into an axis of another size; `chosen` is where the axis got its size, when the user wrote it, and `literal` the
/// number there.
pub fn index_size(
    param: Symbol,
    axis: &str,
    (counts, size): (String, String),
    span: Span,
    declared: Span,
    (chosen, literal): (Option<Span>, Option<Span>),
) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0314, span, format!("`{axis}` has {size} places, and `{param}` counts {counts}"))
            .here(format!("its values are below {counts}"))
            .label(declared, "needed here");
    let told = match chosen {
        Some(place) if place != span => told.label(place, format!("`{axis}` is {size} here")),
        _ => told,
    };
    let help = format!("make the axis as large as the data says: `{axis}: {counts}`");
    match literal {
        Some(literal) => told.fix(help, literal, counts),
        None => told.help(help),
    }
}

/// A result of one kind where the signature declares another.
pub fn result_kind(wanted: Symbol, actual: &str, span: Span, declared: Span) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0313, span, format!("the signature declares `{wanted}`, and this is `{actual}`"))
            .here(format!("this is `{actual}`"))
            .label(declared, "declared here");
    match wanted.as_str() {
        "logit" => {
            told.help("these are probabilities already: leave out the `softmax` or `sigmoid`, or declare `prob`")
        }
        "i64" | "i32" | "i8" | "u8" => told.wrap(
            format!("`{wanted}(…)` cuts them towards zero, to the nearest there is"),
            wanted.as_str(),
            (span, false),
        ),
        "bool" => told.fix("a comparison gives truths, as in `x != 0`", span.after(), " != 0"),
        _ => told.help("whole numbers below the size of an axis come from `vocab`, `argmax` or `pos`"),
    }
}
