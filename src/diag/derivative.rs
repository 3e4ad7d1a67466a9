//! What is wrong with a derivative, `grad(y, x)`, and with a gradient that a function gives, `grad(dy) { … }`.

use super::name::list;
use super::{Code, Diagnostic, nearest};
use crate::base::{Span, Symbol};

/// The derivative of a tensor with axes; one that a pipe gives stands before the place.
pub fn of_no_number(actual: &str, (span, is_stage): (Span, bool)) -> Diagnostic {
    let told = Diagnostic::error(Code::E0406, span, "`grad` derives one number, and this is a tensor")
        .here(format!("this is `{actual}`"));
    let help =
        "`sum` makes one number of it; each element's derivative comes out where no two share what they are made of";
    told.wrap(help, "sum", (span, is_stage))
}

/// `grad` without what it derives by; `by` are tensors that its value is made of, and behind `place` the argument goes.
pub fn lacks_variable(told: Diagnostic, by: &[&str], place: Span, (open, close): (&str, &str)) -> Diagnostic {
    by.iter()
        .fold(told, |told, by| told.fix(format!("say by what it derives: `{by}`"), place, format!("{open}{by}{close}")))
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
// No edit: where the name should stand in the value is not to be seen.
pub fn is_zero(name: &str, span: Span, of: Span) -> Diagnostic {
    Diagnostic::warning(Code::W0401, span, format!("nothing here depends on `{name}`, so this derivative is 0"))
        .here(format!("`{name}` does not reach the value"))
        .label(of, format!("this is not made of `{name}`"))
        .help("what counts is the way through the name: use it in what is derived, without `stop_gradient`")
}

// No edit: which part of the layer it is the gradient of, the program does not say.
/// A gradient given by what is no function.
pub fn clause_of_no_function(name: Symbol, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0407, span, format!("`{name}` is no `fn`, and only a `fn` gives its gradient itself"))
        .here("this belongs to a `fn`")
        .help("what has parameters or states has more gradients than those by its inputs: put the part without them into a `fn`")
}

// No edit, as for a layer: the program does not say which of them it is about.
/// A gradient given for several results.
pub fn clause_of_several(name: Symbol, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0407, span, format!("`{name}` gives several values, and its gradient is by one"))
        .here("`dy` stands for the gradient by one tensor")
        .help("write a `fn` for each value")
}

/// One value where there are several inputs.
pub fn clause_needs_record(name: Symbol, inputs: &[&str], span: Span) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0407, span, format!("`{name}` has {} inputs, and this is one gradient", inputs.len()))
            .here("which input it is by is not said");
    // Each alternative says by which input it is, and that nothing flows to the others.
    inputs.iter().enumerate().fold(told, |told, (at, input)| {
        let zeros = |inputs: &[&str]| inputs.iter().map(|input| format!("{input}: 0")).collect::<Vec<_>>();
        let before: String = zeros(&inputs[..at]).iter().map(|field| format!("{field}, ")).collect();
        let after: String = zeros(&inputs[at + 1..]).iter().map(|field| format!(", {field}")).collect();
        told.fix(
            format!("it is by `{input}`, and nothing flows to the others"),
            span.before(),
            format!("{{ {before}{input}: "),
        )
        .also(span.after(), format!("{after} }}"))
    })
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
pub fn clause_axes(input: Symbol, wanted: &str, actual: &str, span: Span, call: Option<&str>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0407, span, format!("the gradient by `{input}` must have its axes `{wanted}`"))
        .here(format!("this is `{actual}`"));
    let help = "an axis that the value has and the input lacks is summed; one that it lacks is repeated with `expand`";
    match call {
        Some(call) => told.wrap(help, call, (span, false)),
        None => told.help(help),
    }
}

/// The gradient by one element of an input, as the function gives it and as it should be.
pub struct Element<'a> {
    /// The name of the input.
    pub input: &'a str,
    /// Its place along each axis.
    pub at: &'a [(String, usize)],
    /// What the function gives.
    pub given: f64,
    /// What the rules make of its body.
    pub body: f64,
    /// What differences of its value say.
    pub differences: Option<f64>,
}

impl Element<'_> {
    /// `x[batch = 0, d = 2]`
    pub fn place(&self) -> String {
        let at: Vec<String> = self.at.iter().map(|(axis, place)| format!("{axis} = {place}")).collect();
        if at.is_empty() { self.input.to_owned() } else { format!("{}[{}]", self.input, at.join(", ")) }
    }

    /// What it should be.
    pub fn wanted(&self) -> String {
        match self.differences {
            Some(differences) => {
                format!("the body gives {}, differences of the value {}", number(self.body), number(differences))
            }
            None => format!("the body gives {}", number(self.body)),
        }
    }

    /// What the function gives.
    pub fn given(&self) -> String {
        number(self.given)
    }
}

/// Six digits and no noise: a difference that leaves 1e-14 says 0.
fn number(value: f64) -> String {
    match value.abs() {
        size if size < 1e-9 => "0".to_owned(),
        size if (1e-3..1e6).contains(&size) => {
            let digits = (5 - size.log10().floor() as i32).max(0) as usize;
            let text = format!("{value:.digits$}");
            if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
        }
        _ => format!("{value:.5e}"),
    }
}

// No edit: whether the gradient or the value is wrong is not to be seen.
/// A gradient that is another one than that of the value; `others` are further inputs by which it is.
pub fn clause_differs(name: Symbol, clause: Span, furthest: &Element<'_>, others: &[&str]) -> Diagnostic {
    let message = format!("the gradient that `{name}` gives by `{}` is not that of its value", furthest.input);
    let told = Diagnostic::error(Code::E0408, clause, message)
        .here(format!("at `{}` this gives {}", furthest.place(), furthest.given()))
        .note(furthest.wanted());
    let told = if others.is_empty() { told } else { told.note(format!("it differs by {} as well", list(others))) };
    told.help(format!("if that is on purpose, as where a gradient goes straight through: `--allow {name}`"))
}

/// Why no gradient was compared: a parameter that nothing can be made up for.
pub fn untried_parameter(name: Symbol) -> String {
    format!("nothing can be made up for `{name}`: it has no type, or is a layer or a text")
}

/// Why no gradient was compared: no sizes fit.
pub fn untried_sizes(told: &str) -> String {
    format!("no sizes were found that fit it; of the last ones: {told}")
}

/// Why no gradient was compared: there is none.
pub fn untried_without_gradient() -> String {
    "no tensor of numbers goes in, or none comes out".to_owned()
}

/// Why no gradient was compared: the value is no number.
pub fn untried_value() -> String {
    "its value was no number for any of the numbers between -1.5 and 3 that were tried".to_owned()
}
