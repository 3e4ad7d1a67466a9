//! What is wrong with a `data` declaration, as it is written.
//!
//! In: facts and places from `data`. Out: diagnostics E0701 … E0710. What is wrong with the files that it names, is in
//! `contents`; both, and the other files of this range, name a cell and list names as is said here.

use std::fmt;

use super::{Code, Diagnostic, nearest};
use crate::base::Span;

/// A cell of a file, as people find it.
#[derive(Clone, Copy, Debug)]
pub struct Cell<'a> {
    /// The path of the file.
    pub file: &'a str,
    /// The number of the row, from 1, without the header.
    pub row: usize,
    /// The line of the file it begins on; none in a binary file.
    pub line: Option<u64>,
    /// The name of the column.
    pub column: &'a str,
}

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of `{}`", row(self.row, self.line), self.file)
    }
}

pub(super) fn row(row: usize, line: Option<u64>) -> String {
    match line {
        // The header stands above the first row.
        Some(line) if row == 0 => format!("the header (line {line})"),
        Some(line) => format!("row {row} (line {line})"),
        None => format!("item {row}"),
    }
}

/// A label where there is a place for one.
#[track_caller]
pub(super) fn at(code: Code, span: Option<Span>, message: String) -> Diagnostic {
    match span {
        Some(span) => Diagnostic::error(code, span, message),
        None => Diagnostic::without_place(code, message),
    }
}

/// Proposes the nearest of the known names, or lists them.
fn meant<'a>(
    diagnostic: Diagnostic,
    span: Span,
    word: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Diagnostic {
    match nearest(word, known.clone()) {
        Some(near) => diagnostic.fix(format!("did you mean `{near}`?"), span, near),
        None => diagnostic.help(format!("there are {}", list(known))),
    }
}

pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 24;
    let names: Vec<&str> = names.into_iter().collect();
    let mut text = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}

/// A cell's text, cut where it gets long.
pub(super) fn cut(text: &str) -> String {
    const SHOWN: usize = 40;
    if text.chars().count() <= SHOWN {
        return text.to_owned();
    }
    text.chars().take(SHOWN).chain(['…']).collect()
}

pub(super) fn more(count: usize, what: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("one more {what} like it")),
        _ => Some(format!("{count} more {what}s like it")),
    }
}

pub(super) fn noted(diagnostic: Diagnostic, note: Option<String>) -> Diagnostic {
    match note {
        Some(note) => diagnostic.note(note),
        None => diagnostic,
    }
}

/// `cvs("iris.csv")`
pub fn unknown_source(span: Span, word: &str, known: &[&str]) -> Diagnostic {
    let message = format!("there is no source `{word}`");
    meant(Diagnostic::error(Code::E0701, span, message), span, word, known.iter().copied())
}

/// What stands after `data Name =` is no source at all.
pub fn not_a_source(span: Span, known: &[&str]) -> Diagnostic {
    Diagnostic::error(Code::E0701, span, "this is not a source of data")
        .here("a source and its file stand here, as in `csv(\"iris.csv\")`")
        .help(format!("there are {}", list(known.iter().copied())))
}

/// `|> standardise`
pub fn unknown_transform(span: Span, word: &str, known: &[&str]) -> Diagnostic {
    let message = format!("there is no transform `{word}`");
    meant(Diagnostic::error(Code::E0702, span, message), span, word, known.iter().copied())
}

/// A stage of a pipe that is neither a transform nor an expression in `_`.
pub fn not_a_transform(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0702, span, "this is not a transform")
        .help("write the name of a transform, or an expression in `_`: `|> _ / 255`")
}

/// `bach = 32`: neither a setting nor a column.
pub fn unknown_setting(span: Span, word: &str, near: Option<&str>, known: &[&str]) -> Diagnostic {
    let error = Diagnostic::error(Code::E0703, span, format!("there is no setting `{word}`"));
    match near {
        Some(near) => error.fix(format!("did you mean `{near}`?"), span, near),
        None => error
            .help(format!("the settings are {}", list(known.iter().copied())))
            .help(format!("a column is written `{word} = column(\"…\")`")),
    }
}

/// `stratified(y, trian = 70%)`
pub fn unknown_argument(span: Span, of: &str, word: &str, known: &[&str]) -> Diagnostic {
    let error = Diagnostic::error(Code::E0704, span, format!("`{of}` has no argument `{word}`"));
    if known.is_empty() {
        return error.help(format!("`{of}` takes no named arguments"));
    }
    meant(error, span, word, known.iter().copied())
}

/// An argument, a value or a bracket that is missing, too many or of the wrong sort; `wanted` is what
/// stands there in a right program: "a file name in quotes".
pub fn wrong_argument(span: Span, of: &str, wanted: &str) -> Diagnostic {
    Diagnostic::error(Code::E0704, span, format!("`{of}` takes {wanted}")).here(format!("`{of}` takes {wanted}"))
}

/// An argument that is no number in its range, with the nearest that is one.
pub fn argument_range(span: Span, of: &str, wanted: &str, nearest: &str) -> Diagnostic {
    wrong_argument(span, of, wanted).fix(format!("the nearest is {nearest}"), span, nearest)
}

/// A name where a text in quotes is needed.
pub fn unquoted(span: Span, of: &str, wanted: &str, word: &str) -> Diagnostic {
    wrong_argument(span, of, wanted).fix(format!("in quotes: `\"{word}\"`"), span, format!("\"{word}\""))
}

/// The same argument twice.
pub fn argument_twice(span: Span, of: &str, word: &str) -> Diagnostic {
    Diagnostic::error(Code::E0704, span, format!("`{of}` is given `{word}` twice"))
}

/// Two files of one name; `named` gives this one another, as an edit.
pub fn file_twice(span: Span, of: &str, word: &str, (place, named, name): (Span, String, &str)) -> Diagnostic {
    argument_twice(span, of, word).fix(format!("give this file a name of its own: `{name}`"), place, named)
}

/// Files without the names that their columns should have; `named` gives each its own, as edits.
pub fn files_unnamed(span: Span, of: &str, wanted: &str, named: Vec<(Span, String)>) -> Diagnostic {
    let told = wrong_argument(span, of, wanted);
    let mut named = named.into_iter();
    match named.next() {
        Some((place, words)) => named
            .fold(told.fix("name each by what its column should be called", place, words), |told, (place, words)| {
                told.also(place, words)
            }),
        None => told,
    }
}

/// Part of the language, and not built yet.
// No edit: a program cannot write what is not built; it stands in the file then, as a column of its own.
pub fn unsupported(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error(Code::E0705, span, format!("{what} is not supported yet")).here("not supported yet")
}

/// `column("a")` of `synthetic(1000)`.
pub fn column_of_no_file(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0707, span, "the rows of `synthetic` come from no file, so they have no columns to name")
        .help("`random.normal[batch, h: 32]`, `random.index[batch](class: 10)` and `pos(batch)` make columns")
}

/// A column that no memory holds.
pub fn too_many_numbers(span: Span, most: usize) -> Diagnostic {
    Diagnostic::error(Code::E0704, span, format!("this makes more than {most} numbers"))
        .help("make fewer rows, or smaller ones")
}

/// `tensa predict` on data that is made.
pub fn nothing_to_read(graph: bool) -> Diagnostic {
    if graph {
        return Diagnostic::without_place(
            Code::E0711,
            "a graph is several tables, and one file is given to predict on",
        )
        .help("`tensa eval` looks at the parts of the split");
    }
    Diagnostic::without_place(Code::E0711, "the rows of `synthetic` are made, and no file has any to predict on")
        .help("`tensa eval` looks at the rows that are made")
}

/// Fractions that make more or less than the whole.
pub fn fractions_sum(span: Span, sum: f64, training: Option<(Span, f64)>) -> Diagnostic {
    let rounded = |share: f64| (share * 1e6).round() / 1e4;
    let percent = rounded(sum);
    let told = Diagnostic::error(Code::E0706, span, format!("the fractions of the split make {percent} %, not 100 %"));
    match training {
        Some((place, rest)) if rest > 0.0 => {
            let rest = format!("{}%", rounded(rest));
            told.fix(format!("the others leave {rest} to train on"), place, rest)
        }
        _ => told.help("leave one out: it takes the rest"),
    }
}

/// Fractions that leave nothing to train on.
pub fn nothing_to_train(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0706, span, "the split leaves no rows for training")
        .help("`train = 80%` takes a share; left out, it takes the rest")
}

/// `train = 70` for `train = 70%`.
pub fn not_a_fraction(span: Span, name: &str, value: Option<f64>) -> Diagnostic {
    let error =
        Diagnostic::error(Code::E0706, span, format!("`{name}` takes a share of the rows, as in `{name} = 15%`"));
    match value {
        Some(value) if value > 1.0 && value <= 100.0 => {
            error.fix(format!("write `{value}%`"), span, format!("{value}%"))
        }
        _ => error,
    }
}

/// `label` of pictures that have none; `end` is the end of the call of the source.
pub fn label_unread(span: Span, end: Span) -> Diagnostic {
    Diagnostic::error(Code::E0707, span, "these pictures have no `label`").here("the source does not read it").fix(
        "take the folders of the pictures for their classes: `labels = folder`",
        end,
        ", labels = folder",
    )
}

/// A name that is no column, no `let` and no constant.
pub fn unknown_name<'a>(span: Span, word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Diagnostic {
    let error = Diagnostic::error(Code::E0707, span, format!("`{word}` is not defined here"));
    match nearest(word, known) {
        Some(near) => error.fix(format!("did you mean `{near}`?"), span, near),
        None => error.help(format!("a column of the file is written `column(\"{word}\")`")),
    }
}

/// A name that is defined further down.
pub fn used_before(span: Span, word: &str, defined: Span) -> Diagnostic {
    Diagnostic::error(Code::E0707, span, format!("`{word}` is used above its definition"))
        .label(defined, "defined here")
        .help("move the definition up")
}

/// A value that holds no column.
pub fn not_a_column(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0707, span, "this is not a column")
        .help("write `column(\"name\")`, `columns(\"a\", \"b\")`, or arithmetic between columns")
}

/// A setting's value is outside what it allows.
pub fn wrong_setting(span: Span, setting: &str, wanted: &str) -> Diagnostic {
    Diagnostic::error(Code::E0708, span, format!("`{setting}` takes {wanted}"))
}

/// A setting that is no number in its range, with one that is.
pub fn setting_range(span: Span, setting: &str, wanted: &str, usual: &str) -> Diagnostic {
    wrong_setting(span, setting, wanted).fix(format!("write `{setting} = {usual}`"), span, usual)
}

/// A setting that stands there twice; `line` is the second as a whole.
pub fn setting_twice(span: Span, word: &str, first: Span, line: Span) -> Diagnostic {
    Diagnostic::error(Code::E0710, span, format!("`{word}` is given twice")).label(first, "first given here").fix(
        "leave this one out",
        line,
        "",
    )
}

/// A name that two lines give.
pub fn name_twice(span: Span, word: &str, first: Span) -> Diagnostic {
    Diagnostic::error(Code::E0710, span, format!("`{word}` is given twice")).label(first, "first given here")
}

/// `column("species") |> vocab |> standardize`
pub fn transform_mismatch(span: Span, transform: &str, wants: &str, value: Span, has: &str) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, format!("`{transform}` takes {wants}, and this is {has}"))
        .label(value, has.to_owned())
}

/// The same of a column that is whole without it.
pub fn transform_surplus(span: Span, transform: &str, wants: &str, value: Span, has: &str) -> Diagnostic {
    super::name::leave_out(transform_mismatch(span, transform, wants, value, has), Some(value), span)
}

/// Class numbers in arithmetic.
pub fn index_arithmetic(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, "class numbers have no arithmetic").help("`one_hot` makes numbers of classes")
}

/// Two sides of an arithmetic operation, or columns side by side, that do not fit.
pub fn shapes_disagree(span: Span, left: &str, right: &str) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, format!("the shapes {left} and {right} do not agree"))
}

/// `column[h, w]("labels")` where an item has no axes.
pub fn axes_count(span: Span, named: usize, shape: &str) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, format!("the brackets name {named} axes, and an item has the shape {shape}"))
}

/// `stratified(price, …)` over numbers.
pub fn not_classes(span: Span, of: &str) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, format!("`{of}` needs a column of classes"))
        .help("`random(train = 80%, valid = 10%, test = 10%)` splits without classes")
}
