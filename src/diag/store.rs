//! What is wrong with parameters and states.

use super::name::Named;
use super::{ALTERNATIVES, Code, Diagnostic};
use crate::base::{Span, Symbol};

/// A parameter that has no name.
pub fn param_needs_name(free: &str, span: Span, place: Span) -> Diagnostic {
    Diagnostic::error(Code::E0501, span, "a parameter needs a name for its path").here("no name").fix(
        format!("call it `{free}`"),
        place,
        format!(" {free}"),
    )
}

/// A parameter where none can be.
pub fn param_outside_layer(name: Symbol, span: Span) -> Diagnostic {
    let told = format!("only a layer or a model has parameters, and `{name}` is in neither");
    Diagnostic::error(Code::E0501, span, told).here("not in a layer")
}

/// A parameter or a state of no float.
pub fn not_a_float(word: impl Named) -> Diagnostic {
    let told = format!("parameters and states are floats, not `{}`", word.name());
    Diagnostic::error(Code::E0209, word.span(), told).here("no float").fix(
        "without a dtype they are of f32",
        word.span(),
        "f32",
    )
}

/// Two parameters with one path.
pub fn param_twice(name: Symbol, span: Span, first: Span, (free, later): (&str, &[Span])) -> Diagnostic {
    let told = Diagnostic::error(Code::E0502, span, format!("this layer has two parameters called `{name}`"))
        .here("again")
        .label(first, "first declared here")
        .fix(format!("call it `{free}`"), span, free);
    later.iter().fold(told, |told, place| told.also(*place, free))
}

/// A parameter that no output depends on.
pub fn param_unused(path: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0504, span, format!("the parameter `{path}` is never used"))
        .here("neither the loss nor a prediction depends on it")
        .fix("use it, or delete it", span, "")
}

/// One layer on inputs of two sizes.
/// `again` is where the layer is bound with a further one, and its name in this use.
pub fn tied_size(
    path: &str,
    axis: &str,
    (old, new): (String, String),
    span: Span,
    again: Option<((Span, String), (Span, String))>,
) -> Diagnostic {
    let told = Diagnostic::error(
        Code::E0505,
        span,
        format!("`{path}` has `{axis}` = {old}, and this use of the same layer needs {new}"),
    )
    .here("used on another size");
    let help = "make a second layer for the other size";
    match again {
        Some(((bound, line), (used, name))) => told.fix(help, bound, line).also(used, name),
        None => told.help(help),
    }
}

/// Something that makes no first value.
pub fn no_initialiser(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0506, span, "this does not make a first value")
        .here("not an initialiser")
        .fix("what is added begins at `zeros`, as a rule", span, "zeros")
        .fix("what is multiplied by, at `ones`", span, "ones")
        .fix("a weight is drawn: `normal(0.02)`, `glorot`, `he`", span, "normal(0.02)")
}

/// A first value with axes that the tensor lacks.
pub fn first_value_axes(actual: &str, wanted: &str, surplus: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0506, span, format!("this value must fit the axes `{wanted}`"))
        .here(format!("it is `{actual}`"))
        .wrap(
            format!("take the mean over the axes that it has beside them: `mean[{surplus}]`"),
            &format!("mean[{surplus}]"),
            (span, false),
        )
}

/// A fan over an axis that the parameter lacks; `others` are those it has.
pub fn fan_axis(axis: &str, axes: &str, others: &[String], span: Span) -> Diagnostic {
    let told = Diagnostic::error(Code::E0506, span, format!("the parameter `{axes}` has no axis `{axis}` to count"))
        .here("in this fan");
    others.iter().take(ALTERNATIVES).fold(told, |told, other| told.fix(format!("it has `{other}`"), span, other))
}

/// An initialiser that cannot know the fans.
pub fn fans_needed(initialiser: Symbol, axes: &str, fans: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        Code::E0506,
        span,
        format!("`{initialiser}` needs to know which axes of `{axes}` go in and which come out"),
    )
    .here("more than two axes")
    .fix(
        format!("say it; as a rule the last one comes out: `~ {initialiser}[{fans}]`"),
        span.after(),
        format!("[{fans}]"),
    )
}

/// An initialiser that makes a matrix, for a parameter that is none.
pub fn matrix_needed(initialiser: Symbol, axes: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0506, span, format!("`{initialiser}` makes a matrix, and `{axes}` is none"))
        .here("its axes that go in and those that come out must be different ones")
        .fix("a parameter of one axis may begin at `zeros`, `ones`, a number or `normal(0.02)`", span, "normal(0.02)")
}

/// A parameter of another count of axes than an optimizer is for.
pub fn optimizer_axes(
    optimizer: Symbol,
    wanted: &str,
    (path, axes): (&str, &str),
    span: Span,
    param: Span,
) -> Diagnostic {
    let like = path.rsplit('.').next().map_or_else(|| path.to_owned(), |name| format!("**.{name}"));
    Diagnostic::error(Code::E0304, span, format!("`{optimizer}` updates parameters with the axes `{wanted}`"))
        .here(format!("`{path}` is `{axes}`"))
        .label(param, "this parameter")
        .help(format!("an optimizer of any `(p, g)` may ask for `rank(p)`, and do as `{optimizer}` where it fits"))
        .fix(
            "or let another one take such parameters",
            span.after(),
            format!("\n  update \"{like}\" {{ optimizer = Adam() }}"),
        )
}

/// `total` of more than a number.
pub fn total_of_tensor(actual: &str, (span, given): (Span, Span)) -> Diagnostic {
    Diagnostic::error(Code::E0401, span, "`total` adds one number of each parameter")
        .here(format!("this is `{actual}`"))
        .wrap("sum it first: `total(sum(…))`", "sum", (given, given == span))
}

/// `total` where no parameters are updated.
pub fn total_outside(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0403, span, "`total` adds over all parameters of an update")
        .here("here is no update")
        .help("it stands in an `optimizer`, as in `sqrt(total(sum(g^2)))`")
}

/// A state where none can be.
pub fn state_outside(name: Symbol, span: Span) -> Diagnostic {
    Diagnostic::error(
        Code::E0507,
        span,
        format!("a function keeps nothing from step to step, so `{name}` cannot be a state"),
    )
    .here("not in a layer, a metric or an optimizer")
    .help("use `let` for a value of this step")
}

/// A state that never changes; `word` is what makes it a state, where it stands alone in its statement.
pub fn state_unwritten(name: Symbol, span: Span, word: Option<Span>) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0508, span, format!("the state `{name}` is never written")).here("no `:=` changes it");
    let help = format!("update it with `{name} := …`, or make it a `let`");
    match word {
        Some(word) => told.fix(help, word, "let"),
        // No edit: with axes of its own it is no `let`, and what it should become is not to be seen.
        None => told.help(help),
    }
}

/// A carry that an iteration would make another type of.
/// `begin` is the first value, and another of the type it becomes.
pub fn carry_changes(
    name: Symbol,
    (wanted, actual): (&str, &str),
    span: Span,
    first: Span,
    begin: Option<(Span, String)>,
) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0520, span, format!("`{name}` is carried as `{wanted}` and becomes `{actual}`"))
            .here("this is what the next position would find")
            .label(first, format!("`{name}` begins as `{wanted}`"));
    match begin {
        Some((place, begin)) => told.fix(
            format!("begin with a value of the type it becomes, `{begin}`, or reduce what is assigned"),
            place,
            begin,
        ),
        // No edit: a value of that type is not to be made of nothing.
        None => told.help("begin with a value of the type it becomes, or reduce what is assigned"),
    }
}

/// A state that a layer writes in the block of a `scan`.
///
/// No edit: whether the layer goes before the loop or behind it, or another takes its place, is the design of the program.
pub fn state_in_scan(name: Symbol, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0521, span, format!("the state `{name}` would be written at each position of a `scan`"))
        .here("a state is written once a step")
        .help("apply the layer before the `scan` or to its result, or carry the value: `from value = …`")
}

/// An optimizer whose result does not fit its parameter.
///
/// No edit: its formula is at fault, and not a word of it.
pub fn update_axes(optimizer: Symbol, actual: &str, wanted: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0509, span, format!("`{optimizer}` must return a new parameter with the axes `{wanted}`"))
        .here(format!("it returns `{actual}`"))
}

/// `penalty` in what is no layer.
pub fn penalty_outside_layer(name: Symbol, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0510, span, format!("the penalty `{name}` stands outside of a layer"))
        .here("only a layer or a model has penalties")
        .help("add it to the `loss` of the run, or move it into the layer whose parameters it is about")
}

/// A penalty that is no scalar.
pub fn penalty_not_scalar(name: Symbol, actual: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0510, span, format!("the penalty `{name}` is one number"))
        .here(format!("this is `{actual}`"))
        .fix("take the sum: `sum(…)`", span.before(), "sum(")
        .also(span.after(), ")")
}
