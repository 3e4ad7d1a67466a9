//! What is wrong with a name, or with which argument is which.

use super::{ALTERNATIVES, Code, Diagnostic, nearest};
use crate::base::{Span, Symbol};

/// A name in the text and where it stands, as the tree has it.
pub trait Named {
    /// The name.
    fn name(&self) -> Symbol;
    /// Its place.
    fn span(&self) -> Span;
}

/// Adds "did you mean" with the edit, or what there is when nothing is near: each of a few, or all in a list.
fn suggest(diagnostic: Diagnostic, word: &str, span: Span, known: &[&str], what: &str) -> Diagnostic {
    if let Some(near) = nearest(word, known.iter().copied()) {
        return diagnostic.fix(format!("did you mean `{near}`?"), span, near);
    }
    let mut known = known.to_vec();
    known.sort_unstable();
    known.dedup();
    match known.len() {
        0 => diagnostic,
        1..=ALTERNATIVES => {
            known.iter().fold(diagnostic, |told, name| told.fix(format!("{what} `{name}`"), span, *name))
        }
        count if count <= 12 => diagnostic.help(format!("{what} {}", list(&known))),
        _ => diagnostic,
    }
}

/// Advice to take what nothing is called as a further input, where something is still advised; `place` is behind the
/// inputs.
pub fn or_as_input(told: Diagnostic, input: &str, place: Option<Span>) -> Diagnostic {
    match place.filter(|_| !told.has_fix()) {
        Some(place) => told.fix(format!("take it as an input: `{input}`"), place, format!(", {input}")),
        None => told,
    }
}

/// Advice to use the file that declares a name; `place` is behind the last `use`.
pub fn in_file(told: Diagnostic, path: &str, place: Span) -> Diagnostic {
    told.fix(format!("`{path}` declares it: use that too"), place, format!("\nuse \"{path}\""))
}

/// "`a`, `b` and `c`"
pub fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match &quoted[..] {
        [] => "none".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Nothing has this name.
pub fn unknown(word: &str, span: Span, known: &[&str]) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0201, span, format!("nothing here is called `{word}`")).here("not a name in scope");
    suggest(told, word, span, known, "there is")
}

/// A record without this field.
pub fn unknown_field(of: &str, field: impl Named, known: &[&str]) -> Diagnostic {
    let told = Diagnostic::error(Code::E0201, field.span(), format!("{of} has no `{}`", field.name()))
        .here("not one of its names");
    suggest(told, field.name().as_str(), field.span(), known, "it has")
}

/// No axis has this name.
pub fn unknown_axis(word: &str, span: Span, known: &[&str]) -> Diagnostic {
    let told = Diagnostic::error(Code::E0202, span, format!("no axis here is called `{word}`")).here("not an axis");
    suggest(told, word, span, known, "there is")
}

/// Something other than an axis where only an axis can stand; `known` are the axes that could.
pub fn axis_expected(span: Span, known: &[&str]) -> Diagnostic {
    let told = Diagnostic::error(Code::E0202, span, "an axis is expected here").here("not the name of an axis");
    match known.len() {
        1..=ALTERNATIVES => known.iter().fold(told, |told, axis| told.fix(format!("there is `{axis}`"), span, *axis)),
        _ => told.help("write the name of an axis, or a name with its size: `class: 3`"),
    }
}

/// A primitive without the brackets that name its axis, which go behind `function`, or with others. `known` are the axes
/// that it could be.
// No edit where there are none, or many: which is meant is not to be seen.
pub fn brackets_expected(function: Span, brackets: Option<Span>, known: &[String]) -> Diagnostic {
    let message = match brackets {
        None => "this names its axis in brackets, and here is none",
        Some(_) => "this names one axis in brackets, and here is another number of them",
    };
    let told = Diagnostic::error(Code::E0202, function, message).here("which axis?");
    let place = brackets.unwrap_or(function.after());
    match known.len() {
        1..=ALTERNATIVES => {
            known.iter().fold(told, |told, axis| told.fix(format!("it may be `[{axis}]`"), place, format!("[{axis}]")))
        }
        _ => told.help("one axis of the tensor stands there, as in `[class]`"),
    }
}

/// A view without its arrow; `wanted` is what stands behind the last axis, and where.
pub fn arrow_expected(span: Span, wanted: Option<(Span, String)>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0202, span, "this needs axes on both sides of an arrow")
        .here("no `->` in its brackets");
    if let Some((place, arrow)) = wanted {
        return told.fix(format!("write what becomes what, as in `{}`", arrow.trim_start()), place.after(), arrow);
    }
    told.help("write what becomes what: `rename[t -> s](x)`, `split[d -> head: 8, e](x)`, `join[head, e -> d](x)`")
}

/// Brackets after a tensor that do not say which axis; `first` is the first one it has.
pub fn index_form(span: Span, first: Option<&str>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0202, span, "which axis this reads along is not said").here("no axis is named");
    let help = "name the axis: `x[t = 0]`, `x[t = 1..]`, `table[vocab = ids]`";
    match first {
        Some(first) => told.fix(help, Span { end: span.start, ..span }, format!("{first} = ")),
        None => told.help(help),
    }
}

/// Two declarations of one name; nothing is called `free`.
pub fn defined_twice(name: Symbol, span: Span, first: Span, free: &str) -> Diagnostic {
    Diagnostic::error(Code::E0203, span, format!("`{name}` is declared twice"))
        .here("declared again")
        .label(first, "first declared here")
        .fix(format!("give this one a name of its own: `{free}`"), span, free)
}

/// A name that a used file brings and that is there already.
pub fn from_two_files(name: Symbol, span: Span, first: Span, path: &str) -> Diagnostic {
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".model");
    let alias: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    Diagnostic::error(Code::E0203, span, format!("this file brings a `{name}`, and there is one already"))
        .here(format!("it declares `{name}`"))
        .label(first, format!("this `{name}` is there already"))
        .fix(format!("keep its names behind one: `{alias}.{name}`"), span.after(), format!(" as {alias}"))
}

/// A used file that cannot be read; `beside` are the programs in its folder.
///
/// No edit where none of those is called alike: the file is missing, not a word of the program.
pub fn cannot_use(path: &str, error: &str, span: Span, beside: &[String]) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0211, span, format!("the file `{path}` cannot be read: {error}")).here("used here");
    let (folder, file) = match path.rsplit_once('/') {
        Some((folder, file)) => (format!("{folder}/"), file),
        None => (String::new(), path),
    };
    match nearest(file, beside.iter().map(String::as_str)) {
        Some(near) => told.fix(format!("did you mean `{folder}{near}`?"), span, format!("\"{folder}{near}\"")),
        None => told.help("the path starts from the folder of the file that uses it"),
    }
}

/// Files that use each other; `circle` begins and ends with the same.
/// `whole` is the `use`.
pub fn uses_itself(circle: &[String], span: Span, whole: Span) -> Diagnostic {
    if let [file, _] = circle {
        return Diagnostic::error(Code::E0212, span, format!("`{file}` uses itself"))
            .here("this closes the circle")
            .fix("its own names are there as they are: leave it out", whole, "");
    }
    // No edit: what both need is to be moved, and the program does not say what that is.
    let way: Vec<&str> = circle.iter().map(String::as_str).collect();
    Diagnostic::error(Code::E0212, span, format!("these files use each other: {}", way.join(" → ")))
        .here("this closes the circle")
        .help("put what both need into a file of its own")
}

/// A user's name that hides one of the library.
// No edit: it may well be meant, and another name is its writer's to give.
pub fn hides_library(name: Symbol, span: Span) -> Diagnostic {
    Diagnostic::warning(Code::W0201, span, format!("`{name}` hides the library's `{name}`"))
        .here("from here on this one is meant in this file")
        .help("the library goes on using its own; rename this one if that is not what you want")
}

/// A definition of a program that no run leads to.
// No edit: whether it should go, or be used yet, is not to be seen.
pub fn unused_definition(name: &impl Named) -> Diagnostic {
    Diagnostic::warning(Code::W0202, name.span(), format!("nothing uses `{}`", name.name()))
        .here("defined and never used")
        .help("use it, or delete it")
}

/// A `let` that is never said again; one that `takes_apart` a record has the names of its fields.
pub fn unused_let(name: &impl Named, line: Span, takes_apart: bool) -> Diagnostic {
    let word = name.name();
    let told = Diagnostic::warning(Code::W0203, name.span(), format!("nothing uses `{word}`"))
        .here("computed and never used")
        .fix("leave it out", line, "");
    if takes_apart {
        told
    } else {
        told.fix(format!("call it `_{word}` if it is to stay"), name.span(), format!("_{word}"))
    }
}

/// A value under the name of an axis; nothing is called `free`, and `uses` are where the value is meant.
pub fn hides_axis(name: Symbol, span: Span, free: &str, uses: &[Span]) -> Diagnostic {
    let told = Diagnostic::error(Code::E0204, span, format!("`{name}` is an axis here and cannot name a value"))
        .here("an axis has this name")
        .fix(format!("values and axes share one scope; call it `{free}`"), span, free);
    uses.iter().fold(told, |told, used| told.also(*used, free))
}

/// More than one name in a top-level `let`; `apart` is one for each.
// No edit where there are not as many values as names.
pub fn one_constant_per_let(span: Span, apart: Option<String>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0205, span, "a `let` outside of a definition names one constant")
        .here("several names");
    match apart {
        Some(apart) => told.fix("write one `let` for each", span, apart),
        None => told.help("write one `let` for each"),
    }
}

/// An argument name that the function does not have.
pub fn unknown_argument(function: Symbol, ident: impl Named, known: &[&str]) -> Diagnostic {
    let (name, span) = (ident.name(), ident.span());
    let told = Diagnostic::error(Code::E0206, span, format!("`{function}` has no argument `{name}`"))
        .here("not one of its arguments");
    match nearest(name.as_str(), known.iter().copied()) {
        Some(near) => told.fix(format!("did you mean `{near}`?"), span, near),
        // Another of its arguments would take another sort of value.
        None if known.is_empty() => told,
        None => told.help(format!("it takes {}", list(known))),
    }
}

/// An argument of a primitive given by name.
pub fn argument_of_primitive(ident: impl Named, value: Span) -> Diagnostic {
    let span = ident.span();
    Diagnostic::error(Code::E0206, span, "a primitive takes its arguments in order, without names").here("a name").fix(
        "leave the name out",
        Span { end: value.start, ..span },
        "",
    )
}

/// One parameter given twice.
pub fn argument_twice(name: Symbol, span: Span, first: Span) -> Diagnostic {
    Diagnostic::error(Code::E0206, span, format!("the argument `{name}` is given twice"))
        .here("given again")
        .label(first, "first given here")
}

/// Advice to leave an argument out, with the edit where it stands right behind another.
pub fn leave_out(told: Diagnostic, before: Option<Span>, argument: Span) -> Diagnostic {
    match before {
        Some(before) if before.file == argument.file && before.end <= argument.start => {
            told.fix("leave it out", before.after().to(argument), "")
        }
        _ => told,
    }
}

/// More arguments than parameters.
pub fn too_many_arguments(function: Symbol, takes: usize, span: Span, declared: Span) -> Diagnostic {
    Diagnostic::error(Code::E0207, span, format!("`{function}` takes {}", arguments(takes)))
        .here("one too many")
        .label(declared, "declared here")
}

/// A parameter without argument and default.
pub fn missing_argument(function: Symbol, name: Symbol, span: Span, declared: Span) -> Diagnostic {
    Diagnostic::error(Code::E0207, span, format!("`{function}` needs its argument `{name}`"))
        .here(format!("`{name}` is not given"))
        .label(declared, "it has no default")
}

/// Advice to give an argument, with the words of the call and of the argument.
pub fn give_argument(told: Diagnostic, argument: &str, (place, words): (Span, String)) -> Diagnostic {
    told.fix(format!("give it: `{argument}`"), place, words)
}

/// The same of an argument that the definition around takes as an input of its own.
pub fn pass_argument(told: Diagnostic, name: Symbol, (place, words): (Span, String), inputs: Span) -> Diagnostic {
    told.fix(format!("take `{name}` as an input, and give it"), place, words).also(inputs, format!(", {name}"))
}

/// More axes in brackets than axis parameters.
pub fn too_many_axes(function: Symbol, takes: usize, span: Span, surplus: Option<Span>) -> Diagnostic {
    let axes = if takes == 1 { "1 axis".to_owned() } else { format!("{takes} axes") };
    let told = Diagnostic::error(Code::E0207, span, format!("`{function}` takes {axes} in brackets"))
        .here("too many, or an arrow that means nothing here");
    match surplus {
        Some(surplus) => told.fix("the last one is what it works along, as a rule", surplus, ""),
        None => told,
    }
}

/// "2 arguments"
pub fn arguments(count: usize) -> String {
    match count {
        0 => "no arguments".to_owned(),
        1 => "1 argument".to_owned(),
        count => format!("{count} arguments"),
    }
}

/// `_` with nothing it could stand for; `inputs` are those of the definition around.
pub fn hole_outside(span: Span, inputs: &[Symbol]) -> Diagnostic {
    let told = Diagnostic::error(Code::E0208, span, "`_` stands for the value of a pipe, and there is none here")
        .here("no value so far");
    match inputs.len() {
        1..=ALTERNATIVES => inputs
            .iter()
            .fold(told, |told, input| told.fix(format!("name what is meant: `{input}`"), span, input.as_str())),
        _ => told.help("use it in a stage: `x |> _ * 2`, or in an argument that is a function"),
    }
}

/// A dtype or a kind that stands for a type, without the axes behind it.
pub fn type_lacks_axes(ident: impl Named) -> Diagnostic {
    let (name, span) = (ident.name(), ident.span());
    Diagnostic::error(Code::E0209, span, format!("`{name}` is of a tensor, whose axes are not said"))
        .here("no axes")
        .fix(format!("they stand behind it in brackets; `{name}[]` is one number"), span.after(), "[]")
}

/// `f64(d)[..]`: what counts no axis.
pub fn counts_no_axis(prefix: impl Named, of: impl Named) -> Diagnostic {
    let (name, span) = (prefix.name(), of.span());
    Diagnostic::error(
        Code::E0209,
        span,
        format!("only an `index` counts an axis, so `{name}({})` is no type", of.name()),
    )
    .here("not an index")
    .fix("leave it out", Span { start: prefix.span().end, end: span.end + 1, ..span }, "")
}

/// A type the language does not have; one in front of axes may be left out, with all of `surplus`.
pub fn unknown_type(ident: impl Named, surplus: Option<Span>) -> Diagnostic {
    let known = [
        "int", "float", "bool", "string", "layer", "axis", "logit", "prob", "index", "f64", "f32", "f16", "bf16",
        "i64", "i32", "i8", "u8",
    ];
    let (name, span) = (ident.name(), ident.span());
    let told = Diagnostic::error(Code::E0209, span, format!("`{name}` is not a type")).here("unknown type");
    // What it is called elsewhere.
    let ours = match name.as_str() {
        "float64" | "double" => Some("f64"),
        "float32" => Some("f32"),
        "float16" | "half" => Some("f16"),
        "bfloat16" => Some("bf16"),
        "int64" | "long" => Some("i64"),
        "int32" => Some("i32"),
        "int8" => Some("i8"),
        "uint8" | "byte" => Some("u8"),
        _ => None,
    };
    if let Some(ours) = ours {
        return told.fix(format!("it is called `{ours}` here"), span, ours);
    }
    match (nearest(name.as_str(), known), surplus) {
        (Some(near), _) => told.fix(format!("did you mean `{near}`?"), span, near),
        (None, Some(surplus)) => told.fix("axes with nothing before them are of `f32`", surplus, ""),
        // No edit: the type of a number, a layer or a text is not to be guessed.
        (None, None) => told.help(format!("the types are {}", list(&known))),
    }
}

/// `:=` to what is no state; `value` is what is assigned.
pub fn not_a_state(ident: impl Named, known: &[&str], value: Span) -> Diagnostic {
    let (name, span) = (ident.name(), ident.span());
    let told = Diagnostic::error(Code::E0503, span, format!("`{name}` is not a state, so `:=` cannot change it"))
        .here("no `state` of this name");
    match nearest(name.as_str(), known.iter().copied()) {
        Some(near) => told.fix(format!("did you mean `{near}`?"), span, near),
        None => told
            .fix(format!("bind a new value with `let`, or declare it: `state {name} = 0`"), span.before(), "let ")
            .also(Span { end: value.start, ..span.after() }, " = "),
    }
}

/// What the language has and this version does not.
pub fn not_yet(what: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0210, span, format!("{what} is part of the language but not of this version"))
        .here("not supported yet")
}
