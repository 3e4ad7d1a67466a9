//! What is wrong with places of a tensor: reading at them, windows, and sums that go to them.

use super::{Code, Diagnostic};
use crate::base::{Span, Symbol};

/// A position outside of its axis, or the end of a part; `nearest` is the position that is the nearest to it.
pub fn out_of_range(
    axis: &str,
    (position, size): (String, String),
    (nearest, is_end): (Option<String>, bool),
    span: Span,
) -> Diagnostic {
    let message = format!("`{axis}` has {size} places, and {position} is not one of them");
    let told = Diagnostic::error(Code::E0312, span, message).here("out of range");
    match nearest {
        Some(end) if is_end => told.fix(format!("a part of it ends before {end}"), span, end),
        Some(nearest) => told.fix(format!("places count from 0: {nearest} is the nearest"), span, nearest),
        None => told,
    }
}

/// More places of an order than there are elements.
pub fn too_many_places(axis: &str, (places, size): (String, String), span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0312, span, format!("`{axis}` has {size} elements, of which {places} are asked for"))
        .here("more than there are, or fewer than none")
        .fix(format!("there are {size}"), span, size)
}

/// Arithmetic on positions that is no window.
///
/// No edit: the nearest window reads elsewhere.
pub fn window_form(sign: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0315, span, format!("`{sign}` makes no window of positions"))
        .here("not between these")
        .help("a window reads at sums of positions times whole numbers, divided by one: `(2 * pos(h: n) + pos(k) - 1) / 3`")
}

/// A factor of a position that is 0 or not known; `literal` is the number that says so.
pub fn window_factor(size: &str, span: Span, literal: Option<Span>) -> Diagnostic {
    let told = Diagnostic::error(
        Code::E0315,
        span,
        format!("a window needs whole numbers other than 0 beside `pos`, and this is {size}"),
    )
    .here("not such a number");
    match literal {
        Some(literal) => told.fix("1 reads each place once", literal, "1"),
        None => told,
    }
}

/// More than two positions in one relation.
///
/// No edit: two steps read through an axis between them, whose name and size are to be chosen.
pub fn window_positions(count: usize, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0315, span, format!("a window reads at one or two positions, and here are {count}"))
        .here("too many `pos`")
        .help("read in two steps: first along one axis of the result and one tap, then along the next")
}

/// Relations of one window that each read at an axis the other makes; `between` is what stands between two, and what parts
/// them.
pub fn window_circle(span: Span, between: Option<(Span, String)>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0315, span, "the axes of this window read at each other's positions")
        .here("at an axis that another entry changes, which reads at this one");
    let help = "read along one axis, then along the other: `x[…][…]`";
    match between {
        Some((place, words)) => told.fix(help, place, words),
        None => told.help(help),
    }
}

/// `fill` beside no relation.
pub fn fill_without_window(span: Span, fill: Option<Span>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0315, span, "`fill` belongs to a window, and there is none in these brackets")
        .here("nothing here can lie outside");
    let told = match fill {
        Some(fill) => told.fix("leave it out", fill, ""),
        None => told,
    };
    told.help("a window computes with `pos`: `x[t = pos(t) - 1, fill = 0]`; a part is `x[t = 1..]`")
}

/// A window without `fill` that is not proved to stay inside; `places` are the first and the last it reads,
/// where it divides by nothing, and `outside` says that one of them is surely no place.
pub fn window_outside(
    axis: &str,
    places: Option<(String, String)>,
    last: &str,
    outside: bool,
    span: Span,
    brackets: Span,
) -> Diagnostic {
    let message = match (&places, outside) {
        (None, _) => format!("a window of `{axis}` that divides may fall between its places"),
        (Some(_), false) => format!("nothing says that this window stays inside `{axis}`"),
        (Some((low, high)), true) => {
            format!("this window reads `{axis}` from {low} to {high}, and its places are 0 to {last}")
        }
    };
    let here = match places {
        Some((low, high)) if !outside => format!("it reads from {low} to {high}, and the places are 0 to {last}"),
        _ => "what lies outside has no value".to_owned(),
    };
    Diagnostic::error(Code::E0316, span, message).here(here).fix(
        "say what stands outside: `fill = 0`, or `fill = -inf` before a maximum",
        brackets.inner_end(),
        ", fill = 0",
    )
}

/// An arrow in the brackets of a reduction, and behind it no axis with an index.
/// `indices` are the inputs that count the axis, and `input` is one that the definition could take, with where it goes.
pub fn scatter_form(axis: Span, indices: &[Symbol], input: Option<(String, Span)>) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0202, axis, "an axis with the index of its places is expected behind the arrow")
            .here("no `axis = index`");
    let help = "say where each element goes: `sum[edge -> node = dst](m)`, and for a new axis `node: 10 = dst`";
    match (indices, input) {
        ([], Some((input, place))) => told
            .fix(format!("take the places as an input: `{input}`"), axis.after(), " = places")
            .also(place, format!(", {input}")),
        ([], None) => told.help(help),
        (indices, _) => indices.iter().fold(told, |told, index| {
            told.fix(format!("`{index}` says where each element goes"), axis.after(), format!(" = {index}"))
        }),
    }
}

/// An arrow in the brackets of what scatters nothing; `name` is where it is named.
pub fn no_scatter(span: Span, name: Span) -> Diagnostic {
    Diagnostic::error(Code::E0202, span, "this finds one thing along its axes and sends nothing to places")
        .here("an arrow that means nothing here")
        .fix(
            "`sum`, `mean`, `max`, `min`, `prod`, `any` and `all` take such an arrow; `max` keeps the largest",
            name,
            "max",
        )
}

/// An index of a scatter without an axis that goes.
pub fn scatter_index(axis: &str, actual: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0305, span, format!("the index must say a place for each place of `{axis}`"))
        .here(format!("this is `{actual}`"))
        .wrap(format!("`expand[{axis}](…)` repeats it on purpose"), &format!("expand[{axis}]"), (span, false))
}

/// An index of a scatter with an axis that the tensor lacks; `x` is the tensor.
pub fn scatter_lacks(axis: &str, actual: &str, index: Span, x: Span) -> Diagnostic {
    Diagnostic::error(Code::E0305, index, format!("there is no axis `{axis}` in `{actual}`"))
        .here(format!("this says places for each `{axis}`"))
        .label(x, format!("the tensor is `{actual}`"))
        .wrap(format!("`expand[{axis}](…)` repeats it on purpose"), &format!("expand[{axis}]"), (x, false))
}
