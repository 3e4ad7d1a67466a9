//! What is wrong with a derivative, `grad(y, x)`, and with a gradient that a function gives, `grad(dy) { … }`.

use super::name::list;
use super::{Code, Diagnostic, nearest};
use crate::base::{Span, Symbol};

/// The derivative of a tensor with axes; `alone` says that the place holds just that tensor.
pub fn of_no_number(actual: &str, span: Span, alone: bool) -> Diagnostic {
    let told = Diagnostic::error(Code::E0406, span, "`grad` derives one number, and this is a tensor")
        .here(format!("this is `{actual}`"));
    let help =
        "`sum` makes one number of it; each element's derivative comes out where no two share what they are made of";
    match alone {
        true => told.wrap(help, "sum", (span, false)),
        false => told.help(help),
    }
}

/// A derivative by what has no name of its own.
pub fn by_no_name(what: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0406, span, "a derivative is taken by the value of a name")
        .here(format!("{what} has no name, so nothing can be made of it twice"))
        .help("bind it before it is used, and use the name in both places: `let x = …`, then `grad(f(x), x)`")
}

/// A derivative by a name that stands for no tensor of numbers.
pub fn by_no_tensor(name: &str, actual: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0406, span, format!("no derivative can be taken by `{name}`"))
        .here(format!("this is {actual}, not a tensor of numbers"))
        .help("derive by a tensor of f32: an input, a parameter, or a value that a `let` binds")
}

/// A derivative by what the number does not depend on.
pub fn is_zero(name: &str, span: Span, of: Span) -> Diagnostic {
    Diagnostic::warning(Code::W0401, span, format!("nothing here depends on `{name}`, so this derivative is 0"))
        .here(format!("`{name}` does not reach the value"))
        .label(of, format!("this is not made of `{name}`"))
        .help("what counts is the way through the name: use it in what is derived, without `stop_gradient`")
}

/// A gradient given by what is no function.
pub fn clause_of_no_function(name: Symbol, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0407, span, format!("`{name}` is no `fn`, and only a `fn` gives its gradient itself"))
        .here("this belongs to a `fn`")
        .help("what has parameters or states has more gradients than those by its inputs: put the part without them into a `fn`")
}

/// A gradient given for several results.
pub fn clause_of_several(name: Symbol, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0407, span, format!("`{name}` gives several values, and its gradient is by one"))
        .here("`dy` stands for the gradient by one tensor")
        .help("write a `fn` for each value")
}

/// One value where there are several inputs.
pub fn clause_needs_record(name: Symbol, inputs: &[&str], span: Span) -> Diagnostic {
    let fields: Vec<String> = inputs.iter().map(|input| format!("{input}: …")).collect();
    Diagnostic::error(Code::E0407, span, format!("`{name}` has {} inputs, and this is one gradient", inputs.len()))
        .here("which input it is by is not said")
        .help(format!("give a record: `{{ {} }}`", fields.join(", ")))
}

/// A gradient by what is no input.
pub fn clause_by_no_input(name: Symbol, field: Symbol, inputs: &[&str], span: Span) -> Diagnostic {
    let told = Diagnostic::error(Code::E0407, span, format!("`{name}` has no tensor `{field}` to give a gradient by"))
        .here(format!("`{field}` is none of its inputs"));
    match nearest(field.as_str(), inputs.iter().copied()) {
        Some(near) => told.fix(format!("did you mean `{near}`?"), span, near),
        None => told.help(format!("it has {}", list(inputs))),
    }
}

/// An input without a gradient; `last` is the last one that is given.
pub fn clause_leaves_out(name: Symbol, input: Symbol, span: Span, last: Option<Span>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0407, span, format!("the gradient of `{name}` by `{input}` is not given"))
        .here(format!("`{input}` is left out"));
    let help = format!("`{input}: 0` if nothing flows to it");
    match last {
        Some(last) => told.fix(help, last.after(), format!(", {input}: 0")),
        None => told.help(help),
    }
}

/// A gradient with other axes than what it is by.
pub fn clause_axes(input: Symbol, wanted: &str, actual: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0407, span, format!("the gradient by `{input}` must have its axes `{wanted}`"))
        .here(format!("this is `{actual}`"))
        .help("an axis that the value has and the input lacks is summed; one that it lacks is repeated with `expand`")
}
