//! What is wrong with a `data` declaration, as it is written.
//!
//! In: facts and places from `data`. Out: diagnostics E0701 … E0710. What is wrong with the files that it names, is in
//! `contents`; both, and the other files of this range, name a cell and list names as is said here.

use std::fmt;

use super::{Code, Diagnostic, grouped, nearest};
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

/// The nearest of the known names to a word, or else to a part of it: `batch` to `batch_size`.
pub fn nearest_in_parts<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = |word: &str| nearest(word, known.iter().copied());
    near(word).or_else(|| word.split('_').find_map(near))
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

/// What stands after `data Name =` is no source at all; `meant` reads what is named there.
// No edit where no file is named, or its ending says nothing.
pub fn not_a_source(span: Span, meant: Option<&str>, known: &[&str]) -> Diagnostic {
    let told = Diagnostic::error(Code::E0701, span, "this is not a source of data")
        .here("a source and its file stand here, as in `csv(\"iris.csv\")`");
    match meant {
        Some("synthetic") => told.wrap("`synthetic` makes so many rows", "synthetic", (span, false)),
        Some(word) => told.wrap(format!("`{word}` reads a file of this kind"), word, (span, false)),
        None => told.help(format!("there are {}", list(known.iter().copied()))),
    }
}

/// `|> standardise`
pub fn unknown_transform(span: Span, word: &str, known: &[&str]) -> Diagnostic {
    let message = format!("there is no transform `{word}`");
    meant(Diagnostic::error(Code::E0702, span, message), span, word, known.iter().copied())
}

/// A stage of a pipe that is neither a transform nor an expression in `_`; `head` is the end of a transform that it
/// begins with.
// No edit where it names no transform: what is to be done with it is not to be seen.
pub fn not_a_transform(span: Span, head: Option<Span>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0702, span, "this is not a transform");
    match head {
        Some(end) => told.fix("what the transform gives is the `_` of a stage of its own", end, " |> _"),
        None => told.help("write the name of a transform, or an expression in `_`: `|> _ / 255`"),
    }
}

/// `|> 255`
pub fn number_as_stage(span: Span) -> Diagnostic {
    super::offer::with_what_comes_in(Diagnostic::error(Code::E0702, span, "a number alone is no transform"), span)
}

/// A stage behind a source that is no call.
// No edit where it is no condition: of tables there are two steps, and neither takes it.
pub fn not_a_table_step(span: Span, is_condition: bool) -> Diagnostic {
    let told = Diagnostic::error(Code::E0702, span, "this is no step of a table");
    match is_condition {
        true => told.wrap("`filter` keeps the rows of which it holds", "filter", (span, false)),
        false => told.help("`filter` keeps rows, and `join` adds the columns of another table"),
    }
}

/// A line that stands elsewhere after an edit.
pub struct Moved {
    /// Where to.
    pub to: Span,
    /// What is written there.
    pub words: String,
    /// Where it stands now, as a whole.
    pub from: Span,
}

/// Advice to move a line.
fn move_line(told: Diagnostic, text: String, line: Moved) -> Diagnostic {
    told.fix(text, line.to, line.words).also(line.from, "")
}

/// `bach = 32`: neither a setting nor a column. `constant` is the line as a constant of the program.
// No edit where no other line names it: what it should set is not to be seen.
pub fn unknown_setting(
    span: Span,
    word: &str,
    near: Option<&str>,
    known: &[&str],
    constant: Option<Moved>,
) -> Diagnostic {
    let error = Diagnostic::error(Code::E0703, span, format!("there is no setting `{word}`"));
    match (near, constant) {
        (Some(near), _) => error.fix(format!("did you mean `{near}`?"), span, near),
        (None, Some(line)) => {
            move_line(error, "a number that columns are computed with stands above the declaration".to_owned(), line)
        }
        (None, None) => error
            .help(format!("the settings are {}", list(known.iter().copied())))
            .help(format!("a column is written `{word} = column(\"…\")`")),
    }
}

/// `stratified(y, trian = 70%)`
///
/// `bare` is the name with its sign where the value alone may be meant.
// No edit where no argument has a name like this: what it should do is not to be seen.
pub fn unknown_argument(span: Span, of: &str, word: &str, known: &[&str], bare: Option<Span>) -> Diagnostic {
    let error = Diagnostic::error(Code::E0704, span, format!("`{of}` has no argument `{word}`"));
    match (bare, nearest_in_parts(word, known)) {
        (Some(bare), _) => error.fix(format!("what `{of}` takes has no name"), bare, ""),
        (None, Some(near)) => error.fix(format!("did you mean `{near}`?"), span, near),
        (None, None) if known.is_empty() => error.help(format!("`{of}` takes no named arguments")),
        (None, None) => match known {
            [only] => error.help(format!("its one argument with a name is `{only}`")),
            known => error.help(format!("its arguments are {}", list(known.iter().copied()))),
        },
    }
}

/// An argument, a value or a bracket that is missing, too many or of the wrong sort; `wanted` is what
/// stands there in a right program: "a file name in quotes".
// No edit where a value is missing or of another sort: which one is meant is not to be seen.
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

/// One argument too many; `surplus` is what goes with it.
pub fn argument_surplus(span: Span, of: &str, wanted: &str, surplus: Option<Span>) -> Diagnostic {
    let told = wrong_argument(span, of, wanted);
    match surplus {
        Some(surplus) => told.fix("leave it out", surplus, ""),
        None => told,
    }
}

/// `column("a", "b")`; `word` is the place of the word.
pub fn several_in_column(span: Span, of: &str, wanted: &str, word: Span) -> Diagnostic {
    wrong_argument(span, of, wanted).fix("`columns` takes several, which lie side by side", word, "columns")
}

/// `vocab(class: 3)`; `parentheses` are the arguments with them, where nothing else is among them.
pub fn axis_in_parentheses(span: Span, of: &str, parentheses: Option<Span>) -> Diagnostic {
    let told = wrong_argument(span, of, "its axes in brackets");
    match parentheses {
        Some(Span { file, start, end }) => told
            .fix("an axis stands in brackets", Span { file, start, end: start + 1 }, "[")
            .also(Span { file, start: end - 1, end }, "]"),
        None => told,
    }
}

/// `index(10)`, `hash(1000)`: the size of an axis that has no name; `named` are the brackets that stand in its place.
pub fn axis_unnamed(span: Span, of: &str, wanted: &str, (place, named): (Span, String)) -> Diagnostic {
    wrong_argument(span, of, wanted).fix(format!("the axis has a name: `{of}{named}`"), place, named)
}

/// `hash[bucket]`: an axis without its size; `named` is the axis with a usual one.
pub fn axis_unsized(span: Span, of: &str, wanted: &str, (place, named): (Span, String)) -> Diagnostic {
    let text = format!("give it a size: the larger `{named}` is, the fewer words share a class");
    wrong_argument(span, of, wanted).fix(text, place, named)
}

/// A word that is none of those that may stand there.
pub fn wrong_word(span: Span, of: &str, wanted: &str, word: &str, known: &[&str]) -> Diagnostic {
    let told = wrong_argument(span, of, wanted);
    match (nearest(word, known.iter().copied()), known) {
        (Some(near), _) => told.fix(format!("did you mean `{near}`?"), span, near),
        (None, [only]) => told.fix(format!("it may only be `{only}`"), span, *only),
        (None, _) => told,
    }
}

/// `zoom(20)` for `zoom(20%)`.
pub fn percent(span: Span, of: &str, wanted: &str, value: f64) -> Diagnostic {
    wrong_argument(span, of, wanted).fix(format!("write `{value}%`"), span, format!("{value}%"))
}

/// `random.normal[h: 32]`: the axis of the rows is missing; `words` add it.
pub fn batch_missing(span: Span, of: &str, wanted: &str, (place, words): (Span, &str)) -> Diagnostic {
    wrong_argument(span, of, wanted).fix("its first axis is that of the rows, `batch`", place, words)
}

/// Numbers that do not rise; `rising` are the same in order.
pub fn not_rising(span: Span, of: &str, wanted: &str, rising: String) -> Diagnostic {
    wrong_argument(span, of, wanted).fix(format!("in rising order: `{rising}`"), span, rising)
}

/// The same argument twice.
pub fn argument_twice(span: Span, of: &str, word: &str) -> Diagnostic {
    Diagnostic::error(Code::E0704, span, format!("`{of}` is given `{word}` twice"))
}

/// Two files of one name; `named` gives this one another, as an edit.
pub fn file_twice(span: Span, of: &str, word: &str, (place, named, name): (Span, String, &str)) -> Diagnostic {
    argument_twice(span, of, word).fix(format!("give this file a name of its own: `{name}`"), place, named)
}

/// Shares without the parts that they are of; `named` gives each its own, as edits.
pub fn shares_unnamed(span: Span, of: &str, wanted: &str, named: Vec<(Span, String)>) -> Diagnostic {
    wrong_argument(span, of, wanted).fix_all("say which part takes each", named)
}

/// Files without the names that their columns should have; `named` gives each its own, as edits.
pub fn files_unnamed(span: Span, of: &str, wanted: &str, named: Vec<(Span, String)>) -> Diagnostic {
    let told = wrong_argument(span, of, wanted);
    told.fix_all("name each by what its column should be called", named)
}

/// Part of the language, and not built yet.
// No edit: a program cannot write what is not built; it stands in the file then, as a column of its own.
pub fn unsupported(span: Span, what: &str) -> Diagnostic {
    Diagnostic::error(Code::E0705, span, format!("{what} is not supported yet")).here("not supported yet")
}

/// `column("a")` of `synthetic(1000)`; `made` draws as many numbers.
pub fn column_of_no_file(span: Span, single: bool, made: String) -> Diagnostic {
    let message = "the rows of `synthetic` come from no file, so they have no columns to name";
    let told = Diagnostic::error(Code::E0707, span, message).fix(
        format!("`{made}` draws numbers with mean 0 and deviation 1"),
        span,
        made,
    );
    match single {
        true => told.fix("`pos(batch)` is the number of the row", span, "pos(batch)"),
        false => told,
    }
}

/// A column that no memory holds; `smaller` is the most that a size may be, and where that size stands.
// No edit where the classes or rows of a file are that many: which of them count is not to be seen.
pub fn too_many_numbers(span: Span, most: usize, smaller: Option<(Span, u64)>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0704, span, format!("this makes more than {} numbers", grouped(most as u64)));
    match smaller {
        Some((place, size)) => {
            let size = grouped(size);
            told.fix(format!("the most that there is room for is {size}"), place, size)
        }
        None => told.help("make fewer rows, or smaller ones"),
    }
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

/// Fractions that leave nothing to train on; `mended` are smaller ones.
pub fn nothing_to_train(span: Span, mended: Vec<(Span, String)>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0706, span, "the split leaves no rows for training");
    told.fix_all("four fifths to train on are usual, and the others share the rest", mended)
}

/// `train = 70` for `train = 70%`; `mended` are all parts as shares.
// No edit where the numbers make no whole: how the rows are meant to be shared is not to be seen.
pub fn not_a_fraction(span: Span, name: &str, mended: Vec<(Span, String)>) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0706, span, format!("`{name}` takes a share of the rows, as in `{name} = 15%`"));
    if mended.is_empty() {
        return told;
    }
    let shares: Vec<String> = mended.iter().map(|(_, share)| format!("`{share}`")).collect();
    told.fix_all(format!("as shares: {}", shares.join(", ")), mended)
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
///
/// With `as_column` a column of the file may stand there.
// No edit where the source has no columns of such names, or the name of a line above must stand.
pub fn unknown_name<'a>(
    span: Span,
    word: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
    as_column: bool,
) -> Diagnostic {
    let error = Diagnostic::error(Code::E0707, span, format!("`{word}` is not defined here"));
    match nearest(word, known.clone()) {
        Some(near) => error.fix(format!("did you mean `{near}`?"), span, near),
        None if as_column => column_of_file(error, span, word),
        None if known.clone().into_iter().next().is_none() => error.help("no line above gives a name"),
        None => error.help(format!("the lines above give {}", list(known))),
    }
}

/// Advice to read a column of the file where a name stands alone.
fn column_of_file(told: Diagnostic, span: Span, word: &str) -> Diagnostic {
    told.fix(format!("a column of the file is written `column(\"{word}\")`"), span, format!("column(\"{word}\")"))
}

/// A name that is defined further down; `moved` is the line that defines it, further up.
// No edit where what it is made of stands further down too.
pub fn used_before(span: Span, word: &str, defined: Span, moved: Option<Moved>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0707, span, format!("`{word}` is used above its definition"))
        .label(defined, "defined here");
    match moved {
        Some(line) => move_line(told, "move the definition up".to_owned(), line),
        None => told.help("each line is made of what stands above it"),
    }
}

/// `x = x / 2`
// No edit where the source has no columns of such names.
pub fn made_of_itself(span: Span, word: &str, as_column: bool) -> Diagnostic {
    let told = Diagnostic::error(Code::E0707, span, format!("`{word}` is made of itself"));
    match as_column {
        true => column_of_file(told, span, word),
        false => told.help("each line is made of what stands above it"),
    }
}

/// A value that holds no column; `meant` is the one that is named in it.
// No edit where it names none.
pub fn not_a_column(span: Span, meant: Option<String>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0707, span, "this is not a column");
    match meant {
        Some(meant) => told.fix(format!("a column of the file is written `{meant}`"), span, meant),
        None => told.help("write `column(\"name\")`, `columns(\"a\", \"b\")`, or arithmetic between columns"),
    }
}

/// `let k = 255` among the columns; `moved` is the line above the declaration.
pub fn constant_among_columns(span: Span, moved: Option<Moved>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0707, span, "this is a number, and no column");
    match moved {
        Some(line) => {
            move_line(told, "a number that columns are computed with stands above the declaration".to_owned(), line)
        }
        None => told,
    }
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

/// A name that two lines give; `other` is one that none gives.
pub fn name_twice(span: Span, word: &str, first: Span, other: &str) -> Diagnostic {
    Diagnostic::error(Code::E0710, span, format!("`{word}` is given twice")).label(first, "first given here").fix(
        format!("give this one a name of its own: `{other}`"),
        span,
        other,
    )
}

/// `column("species") |> vocab |> standardize`
// No edit where no one step makes what is wanted of what is there.
pub fn transform_mismatch(span: Span, transform: &str, wants: &str, value: Span, has: &str) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, format!("`{transform}` takes {wants}, and this is {has}"))
        .label(value, has.to_owned())
}

/// Advice to put a step between a transform and its value, which stands before it or among its arguments.
pub fn step_between(told: Diagnostic, step: &str, transform: Span, value: Span) -> Diagnostic {
    before_step(told, format!("`{step}` goes between them"), step, (transform, value))
}

/// Advice to put a step before another, which stands behind its value or has it among its arguments.
pub(super) fn before_step(told: Diagnostic, text: String, step: &str, (other, value): (Span, Span)) -> Diagnostic {
    match other.holds(value) {
        true => told.fix(text, value.after(), format!(" |> {step}")),
        false => told.fix(text, other.before(), format!("{step} |> ")),
    }
}

/// The same of a column that is whole without it.
pub fn transform_surplus(span: Span, transform: &str, wants: &str, value: Span, has: &str) -> Diagnostic {
    super::name::leave_out(transform_mismatch(span, transform, wants, value, has), Some(value), span)
}

/// A place behind what makes a column.
#[derive(Clone, Copy)]
pub struct Behind {
    /// What stands before the place.
    pub span: Span,
    /// Whether signs stand beside it, so that it goes in brackets with what is written behind it.
    pub brackets: bool,
}

impl Behind {
    /// Advice to write words there.
    pub(super) fn written(self, told: Diagnostic, text: impl Into<String>, words: &str) -> Diagnostic {
        match self.brackets {
            true => told.fix(text, self.span.before(), "(").also(self.span.after(), format!(" {words})")),
            false => told.fix(text, self.span.after(), format!(" {words}")),
        }
    }

    /// Advice to take a further step there.
    pub(super) fn step(self, told: Diagnostic, text: impl Into<String>, step: &str) -> Diagnostic {
        self.written(told, text, &format!("|> {step}"))
    }
}

/// Words in arithmetic, of which a step makes numbers.
pub fn numbers_of_words(told: Diagnostic, step: &str, behind: Behind) -> Diagnostic {
    behind.step(told, format!("`{step}` makes a number for each class of words"), step)
}

/// Class numbers in arithmetic.
pub fn index_arithmetic(span: Span, behind: Behind) -> Diagnostic {
    let told = Diagnostic::error(Code::E0709, span, "class numbers have no arithmetic");
    behind.step(told, "`one_hot` makes numbers of classes", "one_hot")
}

/// The condition of a filter that gives several truths for a row.
// No edit: which of them counts is not to be seen.
pub fn condition_of_several(span: Span, shape: &str) -> Diagnostic {
    let message = format!("a condition says one thing of each row, and this has the shape {shape}");
    Diagnostic::error(Code::E0709, span, message)
        .help("name the columns one by one: `column(\"a\") > 0 and column(\"b\") > 0`")
}

/// Two sides of an arithmetic operation, or columns side by side, that do not fit.
// No edit: which of the two is meant to have another shape is not to be seen.
pub fn shapes_disagree(span: Span, left: &str, right: &str) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, format!("the shapes {left} and {right} do not agree"))
}

/// `column[h, w]("labels")` where an item has no axes.
pub fn axes_count(span: Span, named: usize, shape: &str, brackets: Option<Span>) -> Diagnostic {
    let axes = if named == 1 { "1 axis".to_owned() } else { format!("{named} axes") };
    let told =
        Diagnostic::error(Code::E0709, span, format!("the brackets name {axes}, and an item has the shape {shape}"));
    match brackets {
        Some(brackets) => told.fix(
            "without brackets the axes are named by the input of the model that the column goes into",
            brackets,
            "",
        ),
        None => told,
    }
}

/// `stratified(price, …)` over numbers; `word` is the place of the word, `first` that of its column with the comma.
pub fn not_classes(span: Span, of: &str, word: Span, first: Option<Span>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0709, span, format!("`{of}` needs a column of classes"));
    match first {
        Some(first) => told.fix("`random` splits without regard to classes", word, "random").also(first, ""),
        None => told,
    }
}
