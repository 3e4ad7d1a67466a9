//! What is wrong with steps on tables, records, series and features.
//!
//! In: facts and places from `data`. Out: diagnostics of the E07 range, beside those of `data`.

use super::data::{Cell, at, list, more, noted};
use super::{Code, Diagnostic, nearest};
use crate::base::Span;

/// A field that a record has already.
pub fn field_twice(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error(Code::E0710, span, format!("the record has `{name}` twice"))
}

/// `r.a` where `r` is one column.
pub fn no_record(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error(Code::E0707, span, format!("`{name}` is one column and has no fields"))
}

/// A name that no field of a record has.
pub fn no_field<'a>(span: Span, word: &str, known: impl Iterator<Item = &'a str> + Clone) -> Diagnostic {
    let error = Diagnostic::error(Code::E0707, span, format!("the record has no field `{word}`"));
    match nearest(word, known.clone()) {
        Some(near) => error.fix(format!("did you mean `{near}`?"), span, near),
        None => error.help(format!("it has {}", list(known))),
    }
}

/// `x, y = column("a")`
pub fn several_of_one(span: Span, names: usize) -> Diagnostic {
    Diagnostic::error(Code::E0707, span, format!("{names} names stand here, and one column"))
        .help("a record gives several: `x, y = { x: column(\"a\"), y: column(\"b\") }`")
}

/// Words at the end of a column.
pub fn words_remain(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, "a column of words is no tensor")
        .fix("`|> vocab` makes classes of words", span.after(), " |> vocab")
        .fix("`|> hash[bucket: 1000]` makes classes without a list of them", span.after(), " |> hash[bucket: 1000]")
}

/// A set at the end of a column.
pub fn sets_remain(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, "the rows of this column hold different numbers of words").fix(
        "`|> multi_hot` makes a number for each class",
        span.after(),
        " |> multi_hot",
    )
}

/// A text beside a column of numbers.
pub fn not_words(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, "a text is compared with a column of the file, and this is none")
}

/// `like(x)` of a column that more than one goes into.
pub fn no_pipeline(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, format!("`{name}` is not one column with steps, so no other can be like it"))
}

/// Windows of one declaration that say different things of the rows.
pub fn windows_differ(span: Span, of: &str, first: Span) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, format!("two windows have another `{of}`"))
        .label(first, "the first stands here")
        .help("the windows of a declaration move together; what they read apart from each other, `at` says")
}

/// A step behind a window.
pub fn after_window(span: Span, transform: &str, window: Span) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, format!("`{transform}` stands behind a window"))
        .label(window, "windows")
        .help(format!("`window` is the last step of a column: put `{transform}` before it"))
}

/// No series is as long as what is read of it.
///
/// `shorter` are the first numbers of the windows, made smaller until they fit.
pub fn no_window(span: Span, longest: usize, needs: usize, shorter: Vec<(Span, usize)>) -> Diagnostic {
    let rows = if longest == 1 { "1 row".to_owned() } else { format!("{longest} rows") };
    let told =
        Diagnostic::error(Code::E0735, span, format!("the longest series has {rows}, and the windows read {needs}"));
    let mut shorter = shorter.into_iter();
    match shorter.next() {
        Some((place, rows)) => shorter.fold(
            told.fix("make the windows shorter, until they fit", place, rows.to_string()),
            |told, (place, rows)| told.also(place, rows.to_string()),
        ),
        None => told.help("make the windows shorter, or give longer series"),
    }
}

/// A column that both tables of a join have.
// No edit: the names of columns stand in the files.
pub fn column_of_both(span: Span, column: &str, first: &str, second: &str) -> Diagnostic {
    Diagnostic::error(Code::E0716, span, format!("`{first}` and `{second}` both have a column `{column}`"))
        .help("rename it in one of the files")
}

/// A key that stands in two rows of the table that is joined.
// No edit: which of the rows counts, only the file can say.
pub fn key_twice(span: Span, cell: Cell<'_>, key: &str, others: usize) -> Diagnostic {
    let error = Diagnostic::error(
        Code::E0736,
        span,
        format!("`{key}` in column `{}`, {cell}, stands in a row above already", cell.column),
    )
    .help("each key stands once in a table that is joined, so that a row finds one other");
    noted(error, more(others, "row"))
}

/// Rows that found no partner.
pub fn unmatched(span: Span, cell: Cell<'_>, key: &str, table: &str, rows: usize, of: usize) -> Diagnostic {
    Diagnostic::warning(Code::W0703, span, format!("{rows} of {of} rows find no partner in `{table}`"))
        .note(format!("the first is `{key}` in column `{}`, {cell}", cell.column))
        .help("their cells of that table are missing: `|> impute(median)` and `vocab(unknown = own)` take such")
}

/// A condition that no row fulfils.
pub fn nothing_left(span: Span, rows: usize) -> Diagnostic {
    let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
    Diagnostic::error(Code::E0714, span, format!("the filter leaves none of {rows}"))
}

/// A line that is no object.
pub fn not_an_object(span: Option<Span>, file: &str, line: u64, why: &str) -> Diagnostic {
    at(Code::E0715, span, format!("line {line} of `{file}` is not a JSON object: {why}"))
}

/// Fewer groups than parts of the split.
pub fn too_few_groups(span: Span, groups: usize, parts: usize) -> Diagnostic {
    Diagnostic::error(Code::E0726, span, format!("{groups} groups are too few for {parts} parts"))
}

/// `column("x")` where there are several tables.
pub fn which_table(span: Span, word: &str, first: &str) -> Diagnostic {
    Diagnostic::error(Code::E0707, span, "it is not said which of the tables has this column").fix(
        format!("write `{first}.{word}(…)`"),
        span.before(),
        format!("{first}."),
    )
}

/// `nod.column("x")`
pub fn no_table<'a>(span: Span, word: &str, known: impl Iterator<Item = &'a str> + Clone) -> Diagnostic {
    let error = Diagnostic::error(Code::E0707, span, format!("there is no table `{word}`"));
    match nearest(word, known.clone()) {
        Some(near) => error.fix(format!("did you mean `{near}`?"), span, near),
        None if known.clone().next().is_none() => {
            error.help("a source of several tables is written `tables(node = csv(\"nodes.csv\"), …)`")
        }
        None => error.help(format!("there are {}", list(known))),
    }
}

/// A column of a graph that no table goes into.
pub fn of_no_table(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0707, span, "this column belongs to no table, so it has no rows")
}

/// A column of a graph that two tables go into.
pub fn of_two_tables(span: Span, first: &str, second: &str) -> Diagnostic {
    Diagnostic::error(
        Code::E0709,
        span,
        format!("`{first}` and `{second}` have rows of their own, and this is of both"),
    )
    .help(format!("`key` finds for each row of `{second}` one of `{first}`, and `x[{first} = …]` reads there"))
}

/// A key that no row of the other table has.
// No edit: the row that is missing is missing in a file.
pub fn key_of_nothing(span: Span, cell: Cell<'_>, key: &str, table: &str, others: usize) -> Diagnostic {
    let error = Diagnostic::error(
        Code::E0737,
        span,
        format!("`{key}` in column `{}`, {cell}, is the key of no row of `{table}`", cell.column),
    );
    noted(error, more(others, "cell"))
}
