//! What is wrong with axes, sizes and kinds.

use super::{ALTERNATIVES, Code, Diagnostic, Label};
use crate::base::{Span, Symbol};

/// One axis with two sizes: each with the tensor that has it and the place where it was chosen.
pub struct TwoSizes {
    /// The axis.
    pub axis: String,
    /// Size, type, place.
    pub left: (String, String, Span),
    /// Size, type, place.
    pub right: (String, String, Span),
}

/// Two operands of which neither has all axes of the other.
pub struct Sides {
    /// Type and place.
    pub left: (String, Span),
    /// Type and place.
    pub right: (String, Span),
    /// Axes that the right lacks.
    pub only_left: Vec<String>,
    /// Axes that the left lacks.
    pub only_right: Vec<String>,
}

/// Axes with their sizes; none when the size is a symbol of that name.
pub type Known = Vec<(String, Option<String>)>;

/// What is known of the sizes at the place, where anything is.
fn with_known(told: Diagnostic, known: &Known) -> Diagnostic {
    let known = || known.iter().filter(|(name, _)| name != "..");
    let symbolic = known().filter(|(_, size)| size.is_none()).map(|(name, _)| name.as_str());
    let symbolic: Vec<&str> = symbolic.collect();
    let mut parts = Vec::new();
    if !symbolic.is_empty() {
        parts.push(format!("{} symbolic", symbolic.join(", ")));
    }
    parts.extend(known().filter_map(|(name, size)| size.as_ref().map(|size| format!("{name} = {size}"))));
    if parts.is_empty() { told } else { told.note(format!("known here: {}", parts.join("; "))) }
}

fn quoted(names: &[String]) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    super::name::list(&names)
}

/// Labels for where both sizes were chosen, when that is not where the conflict is.
fn both_sides(mut told: Diagnostic, sizes: &TwoSizes, span: Span) -> Diagnostic {
    for (size, ty, place) in [&sizes.left, &sizes.right] {
        let inside = place.file == span.file && span.start <= place.start && place.end <= span.end;
        let what = if ty.is_empty() { String::new() } else { format!(" in `{ty}`") };
        if !inside || told.labels.len() == 1 {
            told = told.label(*place, format!("`{}` is {size}{what}", sizes.axis));
        }
    }
    told
}

/// An axis has one size on the left and another on the right; `mended` is a number to change, and to what.
pub fn two_sizes(sizes: TwoSizes, span: Span, known: Known, mended: Option<(Span, String)>) -> Diagnostic {
    let message = format!("axis `{}` has two sizes: {} and {}", sizes.axis, sizes.left.0, sizes.right.0);
    let told = Diagnostic::error(Code::E0301, span, message).here(format!("here `{}` would be both", sizes.axis));
    let help = format!(
        "make both {} or both {}; if they are two different axes, give one another name, as in `{}: {}`",
        sizes.left.0,
        sizes.right.0,
        other_name(&sizes.axis),
        sizes.right.0
    );
    let told = with_known(both_sides(told, &sizes, span), &known);
    match mended {
        Some((place, size)) => told.fix(help, place, size),
        None => told.help(help),
    }
}

/// A name for a second axis of the same sort.
fn other_name(axis: &str) -> String {
    format!("{}2", axis.trim_end_matches('\''))
}

/// Two sizes of which nothing says that they are equal.
///
/// No edit but the `where` line that the caller adds: where they can never be equal, the sizes are the design of the program.
pub fn sizes_unproved(sizes: TwoSizes, span: Span, known: Known) -> Diagnostic {
    let message =
        format!("nothing says that axis `{}` has one size: {} and {}", sizes.axis, sizes.left.0, sizes.right.0);
    let told = Diagnostic::error(Code::E0302, span, message).here("these must be equal");
    with_known(both_sides(told, &sizes, span), &known)
}

/// A size written in a signature, or in an argument of `span`, that the tensor there does not have; `literal` is the number
/// that says it.
pub fn declared_size(sizes: TwoSizes, open: bool, span: Span, literal: Option<Span>) -> Diagnostic {
    let (axis, written, actual) = (&sizes.axis, &sizes.left.0, &sizes.right.0);
    let (place, is_number) = (sizes.left.2, actual.bytes().all(|byte| byte.is_ascii_digit()));
    let told = match open {
        true => Diagnostic::error(Code::E0302, span, format!("nothing says that axis `{axis}` is {written}"))
            .help(format!("declare the size where `{axis}` comes from: `{axis}: {written}`")),
        false => {
            let told =
                Diagnostic::error(Code::E0301, span, format!("axis `{axis}` has two sizes: {written} and {actual}"));
            match literal.or((place != span).then_some(place)).filter(|_| is_number) {
                Some(place) => told.fix(format!("declare what it is: {actual}"), place, actual),
                None => told,
            }
        }
    };
    let told = match place == span {
        true => told.here(format!("{written} is given here, and the tensor has {actual}")),
        false => told.here(format!("`{axis}` is {actual} here")).label(place, format!("{written} is declared here")),
    };
    match sizes.right.2 == span {
        true => told,
        false => told.label(sizes.right.2, format!("`{axis}` is {actual} from here on")),
    }
}

/// A result whose axis has another size than declared; `written` is where the signature names the axis and writes that size, and `literal` the
/// number that made the other.
pub fn result_size(
    sizes: TwoSizes,
    open: bool,
    (written, literal): (Option<(Span, Span)>, Option<Span>),
    span: Span,
    known: Known,
) -> Diagnostic {
    let code = if open { Code::E0302 } else { Code::E0301 };
    let message = format!("axis `{}` of the result is {}, and {} is declared", sizes.axis, sizes.right.0, sizes.left.0);
    let told = Diagnostic::error(code, span, message)
        .here(format!("`{}` is {} here", sizes.axis, sizes.right.0))
        .label(sizes.left.2, "declared here");
    // The axis itself is told above.
    let told = with_known(told, &known);
    let told = match written {
        Some((name, size)) if sizes.right.0 == sizes.axis => {
            told.fix(format!("declare what it is: `{}`", sizes.axis), name.after().to(size), "")
        }
        Some((_, size)) => {
            told.fix(format!("declare what it is: `{}: {}`", sizes.axis, sizes.right.0), size, &*sizes.right.0)
        }
        None => told,
    };
    match literal {
        Some(place) => told.fix(format!("or make what is declared: {}", sizes.left.0), place, sizes.left.0),
        None => told,
    }
}

/// An operation whose sides must agree, and neither holds the other.
pub fn sides_disagree(sign: &str, op_span: Span, sides: Sides, known: Known) -> Diagnostic {
    let message = format!("`{sign}` needs one side to have all axes of the other");
    let lacks =
        |names: &[String]| if names.is_empty() { String::new() } else { format!(", which lacks {}", quoted(names)) };
    let mut told = Diagnostic::error(Code::E0303, op_span, message).here("neither side has all");
    told = told
        .label(sides.left.1, format!("this is `{}`{}", sides.left.0, lacks(&sides.only_right)))
        .label(sides.right.1, format!("this is `{}`{}", sides.right.0, lacks(&sides.only_left)));
    let told = with_known(told, &known);
    let help = "products join axes, sums agree on them";
    if sides.only_left.is_empty() {
        return told.help(help);
    }
    let lacking = sides.only_left.join(", ");
    let right = sides.right.1;
    let help = format!("{help}; `expand[{lacking}](…)` on the right repeats it on purpose");
    told.wrap(help, &format!("expand[{lacking}]"), (right, false))
}

/// An argument whose axes are not those of the signature. A place is told with whether it is a stage of a pipe, which
/// has its argument from the stage before it.
pub fn signature(
    function: Symbol,
    param: Symbol,
    (wanted, actual): (&str, &str),
    missing: Option<Symbol>,
    place: (Span, bool),
    declared: Span,
) -> Diagnostic {
    let span = place.0;
    let told = Diagnostic::error(Code::E0304, span, format!("`{function}` takes `{param}` with the axes `{wanted}`"))
        .here(format!("this is `{actual}`"))
        .label(declared, "declared here");
    match missing {
        Some(axis) => told.wrap(
            format!("no axis is left for `{axis}`: `expand[{axis}: 1](…)` adds one of size 1"),
            &format!("expand[{axis}: 1]"),
            place,
        ),
        None => told,
    }
}

/// An argument without an axis that an earlier argument or the brackets bound.
pub fn lacks_axis(param: Symbol, axis: &str, actual: &str, place: (Span, bool), declared: Span) -> Diagnostic {
    Diagnostic::error(Code::E0304, place.0, format!("`{param}` must have the axis `{axis}`"))
        .here(format!("this is `{actual}`"))
        .label(declared, "declared here")
        .wrap(format!("`expand[{axis}](…)` repeats it along `{axis}` on purpose"), &format!("expand[{axis}]"), place)
}

/// An argument that has another axis in the place of one that an earlier argument or the brackets bound.
/// `other` is that axis, and `named` how it gets the name.
pub fn another_axis(
    param: Symbol,
    (axis, other): (&str, &str),
    actual: &str,
    (span, named): (Span, Option<Named>),
    declared: Span,
) -> Diagnostic {
    let told = Diagnostic::error(Code::E0304, span, format!("`{param}` must have the axis `{axis}`"))
        .here(format!("this is `{actual}`"))
        .label(declared, "declared here");
    let rename = format!("rename[{other} -> {axis}]");
    let help = format!("where `{other}` means the same, name it so");
    match named {
        Some(Named::Around(span, is_stage)) => told.wrap(format!("{help}: `{rename}(…)`"), &rename, (span, is_stage)),
        Some(Named::There(place)) => told.fix(format!("{help}: `{axis}`"), place, axis),
        None => told.help(help),
    }
}

/// How a tensor gets another name for an axis.
pub enum Named {
    /// Where it is used, which may be a stage of a pipe.
    Around(Span, bool),
    /// Where the data names it.
    There(Span),
}

/// Two arguments whose rows `..` differ; `lacking` are axes of the first that this one lacks, and `surplus` the other way.
pub fn rows_differ(
    function: Symbol,
    param: Symbol,
    (first, this): (&str, &str),
    (lacking, surplus): (&[String], &[String]),
    place: (Span, bool),
    declared: Span,
) -> Diagnostic {
    let told = Diagnostic::error(
        Code::E0304,
        place.0,
        format!("`..` stands for the same axes in every argument of `{function}`"),
    )
    .here(format!("here it would be `{this}`"))
    .label(declared, format!("`{param}` must have `{first}` for `..`, as the argument before it"));
    let (expand, mean) = (format!("expand[{}]", lacking.join(", ")), format!("mean[{}]", surplus.join(", ")));
    match (lacking, surplus) {
        ([_, ..], []) => told.wrap(
            format!("`{expand}(…)` repeats this on purpose; or select or reduce the axis that the other has too many"),
            &expand,
            place,
        ),
        ([], [_, ..]) => told.wrap(format!("reduce what is too many, as in `{mean}(…)`"), &mean, place),
        _ => told.help("select or reduce the axis that is too many, or `expand` on purpose"),
    }
}

/// An axis that a tensor does not have.
pub fn lacks_axis_here(axis: &str, actual: &str, span: Span, whole: Span, names: &[String]) -> Diagnostic {
    let told = Diagnostic::error(Code::E0305, span, format!("there is no axis `{axis}` in `{actual}`"))
        .here("not an axis of this tensor");
    let told = if whole == span { told } else { told.label(whole, format!("the tensor is `{actual}`")) };
    match (super::nearest(axis, names.iter().map(String::as_str)), names.len()) {
        (Some(near), _) => told.fix(format!("did you mean `{near}`?"), span, near),
        (None, 1..=ALTERNATIVES) if whole != span => {
            names.iter().fold(told, |told, name| told.fix(format!("it has `{name}`"), span, name.as_str()))
        }
        (None, _) => told,
    }
}

/// Where one of two axes of one name can get another.
pub enum Renamed {
    /// Its name stands here.
    There(Span),
    /// It is an axis of the tensor here.
    Of(Span),
    /// It comes out of what a definition makes.
    Nowhere,
}

/// One name twice in a list of axes.
pub fn duplicate_axis(axis: &str, of: Symbol, span: Span, renamed: Renamed) -> Diagnostic {
    let told = Diagnostic::error(Code::E0306, span, format!("`{axis}` would stand twice in the axes of {of}"))
        .here(format!("two axes called `{axis}`"));
    let rename = format!("rename[{axis} -> {axis}']");
    match renamed {
        Renamed::There(place) => {
            told.fix(format!("call the new one `{axis}'`: an axis of its own, as large"), place, format!("{axis}'"))
        }
        Renamed::Of(tensor) => told.wrap(format!("rename one: `{rename}(…)`"), &rename, (tensor, false)),
        Renamed::Nowhere => told.help(format!("rename one: `{rename}(…)`")),
    }
}

/// A size that nothing fixes; `declared` is where a signature names the axis.
pub fn size_not_fixed(axis: &str, param: &str, span: Span, declared: Option<Span>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0307, span, format!("nothing says how large `{axis}` is"))
        .here(format!("an axis of `{param}`"));
    let help = format!("you forgot to give the size: write it where the axis is made, as in `{axis}: 64`");
    match declared {
        Some(name) => told.fix(help, name.after(), ": 64"),
        None => told.help(help),
    }
}

/// A bare number for an axis that replaces none.
pub fn axis_needs_name(param: Symbol, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0308, span, format!("`{param}` is an axis, and this number gives it no name"))
        .here("only a size")
        .fix(
            format!("give a name with the size, as in `{param}: 64`"),
            Span { end: span.start, ..span },
            format!("{param}: "),
        )
}

/// `..` where no signature has one; `names` are the axes that it may stand for.
// No edit where no axes are there.
pub fn no_row(span: Span, names: &str) -> Diagnostic {
    let told = Diagnostic::error(Code::E0308, span, "`..` stands for the row of a signature, and there is none here")
        .here("no `..` among the inputs");
    match names {
        "" => told.help("name the axes instead"),
        _ => told.fix(format!("name the axes: `{names}`"), span, names),
    }
}

/// Arithmetic on sizes that leaves 64 bits, or divides by zero.
///
/// No edit: which of the numbers is not meant, and what is, is not to be seen.
pub fn overflow(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0309, span, "this size is not a 64-bit number").here("it overflows, or divides by zero")
}

/// A tensor whose elements no 64-bit number counts.
///
/// No edit, as for the sizes themselves.
pub fn too_large(actual: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0309, span, format!("a tensor `{actual}` has more bytes than a 64-bit number counts"))
        .here("too large for any machine")
        .help("one of these sizes is not meant")
}

/// A size below zero; `turned` is the difference or range that makes it the other way round.
pub fn negative_size(size: &str, span: Span, turned: Option<(Span, String)>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0309, span, format!("a size cannot be {size}")).here("below zero");
    match turned {
        Some((place, turned)) => told.fix(format!("the other way round: `{turned}`"), place, turned),
        None => told,
    }
}

/// A number with a fraction as a size; `division` is the sign of the division that made it.
pub fn not_whole(value: f64, span: Span, division: Option<Span>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0309, span, format!("a size is a whole number, and this is {value}"))
        .here("not whole");
    match division {
        Some(sign) => told.fix("`//` divides and rounds down", sign, "//"),
        None => told.help("`//` divides and rounds down"),
    }
}

/// A split that leaves a rest; `divisor` is a number that leaves none, and the place of the one that does.
pub fn split_uneven(
    axis: &str,
    (whole, parts): (String, String),
    span: Span,
    known: Known,
    divisor: Option<(Span, i64)>,
) -> Diagnostic {
    let message = format!("`{axis}` has {whole} places, which {parts} does not divide");
    let told = with_known(Diagnostic::error(Code::E0310, span, message).here("the parts do not fill it"), &known);
    match divisor {
        Some((place, divisor)) => told.fix(format!("{divisor} divides it"), place, divisor.to_string()),
        None => told,
    }
}

/// A split of which nothing says that it is even.
pub fn split_unproved(axis: &str, (whole, parts): (String, String), sign: &str, span: Span) -> Diagnostic {
    let message = match sign {
        "divides" => format!("nothing says that {parts} divides `{axis}` = {whole}"),
        _ => format!("nothing says that the parts fill `{axis}`: {parts} and {whole}"),
    };
    Diagnostic::error(Code::E0302, span, message).here("it must, to split here")
}

/// How a fact is given.
pub fn say_where(facts: &str) -> String {
    format!("say so in the definition: `where {facts}`")
}

/// A position of which nothing says that it is one.
pub fn range_unproved(axis: &str, (position, size): (String, String), span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0302, span, format!("nothing says that `{axis}` = {size} reaches to {position}"))
        .here("it must, to be read here")
}

/// A part of which nothing says that it ends behind its beginning.
pub fn slice_unproved(size: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0302, span, format!("nothing says that {size} is a size"))
        .here("this part would have as many places")
}

/// A truth that must be known before the run, and is not.
pub fn fact_undecided(fact: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0302, span, format!("nothing says whether {fact}"))
        .here("this must be known before the run")
}

/// A result without the declared axes; `declared` are the places of the name and of the declared type.
pub fn result_axes(
    function: Symbol,
    wanted: &str,
    actual: &str,
    span: Span,
    (declared, result): (Span, Option<Span>),
) -> Diagnostic {
    let told = Diagnostic::error(Code::E0311, span, format!("`{function}` declares a result with the axes `{wanted}`"))
        .here(format!("this is `{actual}`"))
        .label(declared, "declared here");
    match result {
        _ if wanted.contains("..") && !actual.contains("..") => {
            told.help("`..` stands for the same axes as in the inputs; without a result type, it is inferred")
        }
        Some(place) => told.fix(format!("declare what it is: `{actual}`"), place, actual),
        None => told,
    }
}

/// `order` that leaves axes out; `missing` come first, as they do in the tensor, before what stands at `first`.
pub fn order_names_all(actual: &str, span: Span, missing: &[String], first: Span) -> Diagnostic {
    let told = Diagnostic::error(Code::E0305, span, format!("`order` names each axis of `{actual}` once"))
        .here("some are missing");
    let help = "`..` stands for the rest of the signature's row";
    match missing {
        [] => told.help(help),
        missing => told.fix(
            format!("{} is not there; {help}", quoted(missing)),
            Span { end: first.start, ..first },
            format!("{}, ", missing.join(", ")),
        ),
    }
}

/// Parts of a concat of which none has the other axes of all; `span` is that of the part on the right.
pub fn concat_differs(axis: &str, sides: Sides) -> Diagnostic {
    let (lacking, right) = (sides.only_left.join(", "), sides.right.1);
    let message = format!("`concat[{axis}]` needs one part to have the other axes of all");
    Diagnostic::error(Code::E0303, right, message)
        .here(format!("this is `{}`, which lacks {}", sides.right.0, quoted(&sides.only_left)))
        .label(sides.left.1, format!("this is `{}`, which lacks {}", sides.left.0, quoted(&sides.only_right)))
        .wrap(
            format!("the others are repeated along what they lack; `expand[{lacking}](…)` does so here on purpose"),
            &format!("expand[{lacking}]"),
            (right, false),
        )
}

/// `unstack` along an axis of unknown size; `declared` is where the signature names it, and the size that what is bound says.
pub fn unstack_needs_size(axis: &str, span: Span, declared: Option<(Span, usize)>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0307, span, format!("`unstack` needs to know how large `{axis}` is"))
        .here("its size is only known when it runs");
    match declared {
        Some((name, count)) => told.fix(format!("declare it: `{axis}: {count}`"), name.after(), format!(": {count}")),
        None => told.help(format!("declare the size where `{axis}` comes from, as in `{axis}: 2`")),
    }
}

/// Work along one axis of a tensor that has several or none. `name` is where the function is named, and `last` the last
/// axis of the tensor.
pub fn one_axis(span: Span, actual: &str, name: Span, last: Option<&str>) -> Diagnostic {
    let message = format!("this works along one axis, and `{actual}` has several or none");
    let told = Diagnostic::error(Code::E0305, span, message).here("which axis?");
    match last {
        Some(last) => told.fix(format!("name it in brackets: `[{last}]`"), name.after(), format!("[{last}]")),
        None => told.help("name it in brackets: `argmax[class](z)`"),
    }
}

/// What sees one place of a sequence that is being generated, where it means all. `along` are the name of the axis and the
/// tensor in a reduction that the user writes, and a name for the axis of what was.
///
/// No edit in the library's text, or where it is no reduction.
pub fn sees_along(axis: &str, span: Span, along: Option<(Span, Span, String)>) -> Diagnostic {
    let told = Diagnostic::error(
        Code::E0522,
        span,
        format!("while a sequence is generated, this sees one place of `{axis}` for all"),
    )
    .here(format!("it looks along `{axis}`"));
    let help = |past: &str| {
        format!("`history[{axis} -> {past}](x)` keeps what places before were; `scan {axis}` goes on from them")
    };
    match along {
        Some((name, tensor, past)) => {
            let call = format!("history[{axis} -> {past}](");
            told.fix(help(&past), name, &*past).also(tensor.before(), call).also(tensor.after(), ")")
        }
        None => told.help(help(&format!("{axis}2"))),
    }
}

/// A network whose result has no score for each word.
// No edit: what of its result should be the scores is not to be seen.
pub fn generates_no_scores(words: &str, actual: &str, span: Span) -> Diagnostic {
    Diagnostic::error(
        Code::E0305,
        span,
        format!("what is generated from must have a score for each place of `{words}`"),
    )
    .here(format!("the network gives `{actual}`"))
    .help(format!("`pick` chooses otherwise: `pick = argmax[{words}](_.logits)`"))
}

/// An axis that is given by name where a tensor has another in its place.
pub fn axis_of_other(param: Symbol, given: &str, there: &str, span: Span, declared: Span) -> Diagnostic {
    Diagnostic::error(Code::E0304, span, format!("`{param}` is given as `{given}`, and a tensor has `{there}` there"))
        .here(format!("`{given}` is another axis"))
        .label(declared, "declared here")
        .fix(format!("give `{there}`, or rename the tensor's: `rename[{there} -> {given}](…)`"), span, there)
}

/// Two columns that give one axis two sizes, at the data of a run; the second names it at `place`.
pub fn data_axis_sizes(
    axis: Symbol,
    column: Symbol,
    (known, size): (String, String),
    (data, place): (Span, Option<Span>),
) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0301, data, format!("axis `{axis}` of this data has two sizes: {known} and {size}"))
            .here(format!("it is {size} in the column `{column}`, and {known} in one before it"));
    match place {
        Some(place) => told.fix(format!("give this one another name: `{axis}2`"), place, format!("{axis}2")),
        None => told.help("name the two axes differently in the brackets of their transforms"),
    }
}

/// A mistake inside the library, told where the user's use of it led there.
pub fn told_at_use(mut diagnostic: Diagnostic, name: Symbol, span: Span) -> Diagnostic {
    let text = match diagnostic.labels.first().map(|label| label.text.clone()) {
        Some(inner) if !inner.is_empty() => format!("in this use of `{name}`: {inner}"),
        _ => format!("in this use of `{name}`"),
    };
    if let Some(first) = diagnostic.labels.first_mut() {
        first.text = "the library needs it here".to_owned();
    }
    // A place is told once, and the library's text is not the user's to edit.
    diagnostic.labels.retain(|label| label.span != span);
    diagnostic.labels.insert(0, Label { span, text });
    diagnostic.keep_fixes(|edit| edit.span.file == span.file)
}

/// The value of a `scan` that still has the axis it runs along.
pub fn scan_keeps_axis(axis: &str, ty: &str, span: Span, scan: Span) -> Diagnostic {
    Diagnostic::error(Code::E0320, span, format!("the value of a `scan` along `{axis}` cannot have `{axis}` itself"))
        .here(format!("this is `{ty}`"))
        .label(scan, "the values are stacked along this")
        .wrap(
            format!("inside, what comes from outside is its row at one `{axis}`; what is made with `{axis}` gets another name"),
            &format!("rename[{axis} -> {axis}']"),
            (span, false),
        )
}
