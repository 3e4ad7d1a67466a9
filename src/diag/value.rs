//! What is wrong with a value: one thing stands where another is needed.

use super::name::{Named, arguments};
use super::{ALTERNATIVES, Code, Diagnostic};
use crate::base::{Span, Symbol};

/// One kind of value where another is needed.
///
/// No edit by itself: which value of the needed sort is meant is not to be seen. Callers that know more add one.
pub fn expected(wanted: &str, actual: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0401, span, format!("{wanted} is needed here")).here(format!("this is {actual}"))
}

/// What is no layer where one is needed.
pub fn no_layer(text: &str, actual: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0401, span, format!("a layer is needed here, and `{text}` is none"))
        .here(format!("this is {actual}"))
}

/// `present(x)` of what is no column whose rows have a length.
pub fn expected_rows(actual: &str, span: Span) -> Diagnostic {
    expected("a column of the data with an axis beside `batch`", actual, span)
        .help("in a model, take what it tells as an input: `real: bool[batch, t]`")
}

/// An argument of the wrong kind.
// No edit where a record is due: what its fields should hold is said nowhere.
pub fn argument_type(param: Symbol, wanted: &str, actual: &str, span: Span, declared: Span) -> Diagnostic {
    Diagnostic::error(Code::E0401, span, format!("`{param}` takes {wanted}"))
        .here(format!("this is {actual}"))
        .label(declared, "declared here")
}

/// `x: index(class)`, which says no axes.
pub fn type_without_axes(param: Symbol, span: Span) -> Diagnostic {
    let end = Span { start: span.end, ..span };
    Diagnostic::error(Code::E0401, span, format!("the type of `{param}` says no axes"))
        .here("which axes it has stands in brackets behind it")
        .fix("any axes:", end, "[..]")
}

/// A record that lacks a field which a signature asks for.
// No edit: which value the field should have is said nowhere.
pub fn argument_lacks_field(param: Symbol, field: impl Named, known: &[&str], span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0401, span, format!("`{param}` takes a record with `{}`", field.name()))
        .here(format!("this one has `{}`", known.join("`, `")))
        .label(field.span(), "declared here")
}

/// A field of what has none.
pub fn no_fields(actual: &str, span: Span, field: impl Named) -> Diagnostic {
    Diagnostic::error(
        Code::E0401,
        field.span(),
        format!("{actual} has no fields, so `.{}` means nothing", field.name()),
    )
    .here("no such field")
    .label(span, format!("this is {actual}"))
    .fix(format!("it is {actual} itself that is meant"), span.after().to(field.span()), "")
}

/// Numbers where truths are needed; a comparison behind them makes some. `known` is what a number known before the run counts
/// as.
pub fn truth_expected(actual: &str, span: Span, known: Option<bool>) -> Diagnostic {
    let told = expected("true or false", actual, span);
    match known {
        Some(truth) => told.fix(format!("write `{truth}`"), span, truth.to_string()),
        None => told.fix("a comparison makes truths of numbers, as in `x != 0`", span.after(), " != 0"),
    }
}

/// A text where what it says is meant.
pub fn quoted(wanted: &str, text: &str, span: Span) -> Diagnostic {
    expected(wanted, "a text", span).fix(format!("without quotes it is `{text}`"), span, text)
}

/// A function of random numbers that is not called.
pub fn not_drawn(span: Span) -> Diagnostic {
    expected("a tensor or a number", "a function", span).fix(
        "brackets say how many numbers are drawn; `[]` is one",
        span.after(),
        "[]",
    )
}

/// A list of another length.
pub fn wrong_count(wanted: usize, actual: usize, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0402, span, format!("{wanted} are needed here, and there are {actual}"))
        .here(format!("{actual} of them"))
}

/// Something applied that is no function.
pub fn not_callable(actual: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0403, span, format!("{actual} cannot be applied")).here("not a function or a layer")
}

/// A layer applied in one go.
pub fn make_before_apply(layer: Symbol, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0403, span, format!("`{layer}` is made before it is applied"))
        .here("this call makes the layer; its inputs come in a second one")
        .fix("make it first", span, format!("{layer}()"))
        .help(format!("or pipe into it: `x |> {layer}`"))
}

/// An optimizer called as a function.
// No edit: it does nothing to a value, and which run should update by it is not said.
pub fn optimizer_applied(name: Symbol, span: Span) -> Diagnostic {
    Diagnostic::error(
        Code::E0403,
        span,
        format!("`{name}` is an optimizer: `train` applies it, once a step to each parameter"),
    )
    .here("applied here")
    .help(format!("name it in a run: `optimizer = {name}(…)`"))
}

/// A function of one value without one, between the brackets of its call; `inputs` are those of the definition around.
pub fn needs_one_value(span: Span, inputs: &[Symbol]) -> Diagnostic {
    let told = Diagnostic::error(Code::E0207, span, "this function takes one value").here("none is given");
    inputs
        .iter()
        .take(ALTERNATIVES)
        .fold(told, |told, input| told.fix(format!("give it `{input}`"), span.inner_end(), input.as_str()))
}

/// A primitive with another count of arguments.
///
/// No edit for one that lacks what it works on: any tensor in scope could be meant.
pub fn primitive_arguments(name: &str, (least, most): (usize, usize), actual: usize, span: Span) -> Diagnostic {
    let takes = if least == most { arguments(least) } else { format!("{} or more", arguments(least)) };
    Diagnostic::error(Code::E0207, span, format!("`{name}` takes {takes}")).here(format!("{} given", arguments(actual)))
}

/// `generate` without the count of what it writes, behind its prompt.
pub fn how_many(told: Diagnostic, prompt: Span) -> Diagnostic {
    told.fix("say how many are to be written, as in `generate[t](Net, ids, 10)`", prompt.after(), ", 10")
}

/// Definitions that use each other without end.
// No edit: how deep it should go, and what stands at the end, is said nowhere.
pub fn too_deep(name: Symbol, most: usize, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0404, span, format!("`{name}` uses itself more than {most} deep"))
        .here("this use would go deeper")
        .help("a recursion needs an `if` on a static value that ends it")
}

/// Definitions that use each other more than once each, many levels deep.
// No edit: two uses of a layer have parameters of their own, so one in their place would be another network.
pub fn too_many_uses(name: Symbol, most: usize, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0404, span, format!("the uses of `{name}` and what uses it are more than {most}"))
        .here("this use is one too many")
        .help("a definition that uses another twice doubles what that one expands to: bind it once with `let`")
}

/// A `where` line that does not hold.
pub fn fact_fails(
    name: Symbol,
    (fact_text, here): (&str, Option<&str>),
    known: &[String],
    span: Span,
    fact: Span,
) -> Diagnostic {
    let here = here.map_or_else(String::new, |here| format!(", and here that is `{here}`"));
    let told = Diagnostic::error(Code::E0405, span, format!("`{name}` needs `{fact_text}`{here}"));
    let told = if known.is_empty() { told } else { told.note(format!("known here: {}", known.join("; "))) };
    told.here("used here").label(fact, "this does not hold")
}

/// A number with which a fact would hold, and where it goes.
pub enum Fits {
    /// In the place of one that is given for a parameter.
    Number(Symbol, i64, Span),
    /// As a further argument, with its words.
    Argument(Symbol, i64, Span, String),
    /// In the place of a size that a signature writes.
    Size(String, i64, Span),
}

/// Advice to take that number.
pub fn fits(told: Diagnostic, fits: Fits) -> Diagnostic {
    match fits {
        Fits::Number(name, number, place) => told.fix(format!("`{name} = {number}` fits"), place, number.to_string()),
        Fits::Argument(name, number, place, words) => told.fix(format!("`{name} = {number}` fits"), place, words),
        Fits::Size(axis, number, place) => {
            told.fix(format!("`{axis}: {number}` fits, where it is to be had"), place, number.to_string())
        }
    }
}

/// What led to a mistake in the body of a definition.
pub fn in_this_use(name: Symbol) -> String {
    format!("in this use of `{name}`")
}

/// A `where` line of which nothing says that it holds.
pub fn fact_open(name: Symbol, facts: &str, span: Span, fact: Span) -> Diagnostic {
    Diagnostic::error(Code::E0302, span, format!("`{name}` needs `{facts}`, and nothing says so"))
        .here("used here")
        .label(fact, "needed here")
}

/// A stage that depends on what runs.
pub fn stage_needs_static_if(actual: &str, span: Span, branches: [Span; 2]) -> Diagnostic {
    Diagnostic::error(Code::E0401, span, "which stage a pipe takes must be known before it runs")
        .here(format!("this is {actual}"))
        .fix("to choose between two results, apply both: `if c { f(_) } else { g(_) }`", branches[0].after(), "(_)")
        .also(branches[1].after(), "(_)")
}

/// A `stack` without a count; `given` is what stands in its place: `-2`, `batch`.
// No edit: how many layers are meant is not to be seen.
pub fn stack_count(most: i64, given: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0402, span, format!("`stack` needs a count known before the run, from 0 to {most}"))
        .here(format!("this is {given}"))
}

/// `stack`s in each other that repeat more than anything needs.
// No edit: which count was meant is not to be seen.
pub fn too_many_blocks(most: usize, span: Span) -> Diagnostic {
    Diagnostic::error(
        Code::E0402,
        span,
        format!("the blocks of this `stack` and what else is expanded are more than {most}"),
    )
    .here("repeats what repeats")
    .help("`scan` goes through as many steps as it likes: its block is there once")
}

/// `divides` between tensors.
pub fn divides_needs_sizes(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0401, span, "`divides` compares two sizes").here("not both are sizes")
}

/// A schedule that depends on a tensor.
// No edit: which number should stand for the tensor is not to be seen.
pub fn schedule_needs_numbers(name: Symbol, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0401, span, format!("the schedule `{name}` must be a number at each step"))
        .here("its value depends on a tensor")
}

/// A `remat` block that makes a function: what applies it stands outside.
pub fn remat_of_function(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0401, span, "`remat` holds a computation, not a function")
        .here("this makes a function and computes nothing")
        .help("give it its input: `remat { x |> Dense(64) }`, or `remat { _ |> Dense(64) }` as a stage of a pipe")
}

/// A record with other fields than the signature declares; `declare` are the words that make the signature say what is, and
/// `give` those that make the record what it says.
pub fn record_fields(
    name: Symbol,
    (field, is_missing): (Symbol, bool),
    span: Span,
    declared: Span,
    declare: Option<(Span, String)>,
    give: Option<(Span, String)>,
) -> Diagnostic {
    let message = match is_missing {
        true => format!("`{name}` declares a result with `{field}`, which is not here"),
        false => format!("`{name}` declares no `{field}` in its result"),
    };
    let told = Diagnostic::error(Code::E0402, span, message)
        .here(if is_missing { "this record lacks it" } else { "one field too many" })
        .label(declared, "declared here");
    let told = match give {
        Some((place, words)) if is_missing => told.fix(format!("give the `{field}` that is there"), place, words),
        Some((place, words)) => told.fix(format!("leave `{field}` out"), place, words),
        None => told,
    };
    match declare {
        Some((place, words)) => told.fix("declare what it gives", place, words),
        None => told,
    }
}
