//! What is wrong with steps on tables, records, series and features.
//!
//! In: facts and places from `data`. Out: diagnostics of the E07 range, beside those of `data`.

use super::data::{Cell, at, list, more, noted};
use super::{ALTERNATIVES, Code, Diagnostic, nearest};
use crate::base::Span;

/// A field that a record has already; `free` is a name that it has not.
pub fn field_twice(span: Span, name: &str, free: &str) -> Diagnostic {
    Diagnostic::error(Code::E0710, span, format!("the record has `{name}` twice")).fix(
        format!("give this one a name of its own: `{free}`"),
        span,
        free,
    )
}

/// `r.a` where `r` is one column; the field stands at `field`.
pub fn no_record(span: Span, name: &str, field: Span) -> Diagnostic {
    Diagnostic::error(Code::E0707, span, format!("`{name}` is one column and has no fields")).fix(
        "the column itself is meant by its name",
        span.after().to(field),
        "",
    )
}

/// A name that no field of a record has; `open` are those that may stand in its place.
// No edit where there are none, or many: which is meant is not to be seen.
pub fn no_field(span: Span, word: &str, known: &[&str], open: &[&str]) -> Diagnostic {
    let told = Diagnostic::error(Code::E0707, span, format!("the record has no field `{word}`"));
    match (nearest(word, open.iter().copied()), open.len()) {
        (Some(near), _) => told.fix(format!("did you mean `{near}`?"), span, near),
        (None, 1..=ALTERNATIVES) => {
            open.iter().fold(told, |told, field| told.fix(format!("it has `{field}`"), span, *field))
        }
        (None, _) => told.help(format!("it has {}", list(known.iter().copied()))),
    }
}

/// `x, y = column("a")`; `apart` are the words of a record of as many columns, where `value` has them.
pub fn several_of_one(names: &[&str], span: Span, value: Span, apart: Option<String>) -> Diagnostic {
    let told = Diagnostic::error(Code::E0707, span, format!("{} names stand here, and one column", names.len()));
    match apart {
        Some(apart) => told.fix("a record gives several", value, apart),
        None => told
            .fix(format!("name it `{}` alone", names[0]), span, names[0])
            .help("a record gives several: `x, y = { x: column(\"a\"), y: column(\"b\") }`"),
    }
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

/// A text beside a column of numbers; it stands at `place`.
// No edit where it is no number: what the numbers should be held against is not to be seen.
pub fn not_words(span: Span, text: &str, place: Span) -> Diagnostic {
    let told = Diagnostic::error(Code::E0709, span, "a text is compared with a column of the file, and this is none");
    match text.parse::<f64>().is_ok() {
        true => told.fix("a number has no quotes", place, text),
        false => told,
    }
}

/// `like(x)` of a column that more than one goes into.
// No edit: which of them it should be like is not to be seen.
pub fn no_pipeline(span: Span, name: &str) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, format!("`{name}` is not one column with steps, so no other can be like it"))
}

/// Windows of one declaration that say different things of the rows; the words make this one like the first.
pub fn windows_differ(span: Span, of: &str, first: Span, (place, words): (Span, String)) -> Diagnostic {
    Diagnostic::error(Code::E0709, span, format!("two windows have another `{of}`"))
        .label(first, "the first stands here")
        .fix("the windows of a declaration move together: as the first says", place, words)
        .help("what they read apart from each other, `at` says")
}

/// A step behind a window; `step` are its words.
// No edit where the window is its argument.
pub fn after_window(span: Span, transform: &str, window: Span, step: &str) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0709, span, format!("`{transform}` stands behind a window")).label(window, "windows");
    let text = format!("`window` is the last step of a column: put `{transform}` before it");
    match span.holds(window) {
        true => told.help(text),
        false => told.fix(text, window.before(), format!("{step} |> ")).also(window.after().to(span), ""),
    }
}

/// No series is as long as what is read of it.
///
/// `shorter` are the first numbers of the windows, made smaller until they fit.
pub fn no_window(span: Span, longest: usize, needs: usize, shorter: Vec<(Span, usize)>) -> Diagnostic {
    let rows = if longest == 1 { "1 row".to_owned() } else { format!("{longest} rows") };
    let told =
        Diagnostic::error(Code::E0735, span, format!("the longest series has {rows}, and the windows read {needs}"));
    if shorter.is_empty() {
        return told.help("make the windows shorter, or give longer series");
    }
    let edits = shorter.into_iter().map(|(place, rows)| (place, rows.to_string()));
    told.fix_all("make the windows shorter, until they fit", edits)
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
// No edit: where a missing cell is in the way, the message about it has one.
pub fn unmatched(span: Span, cell: Cell<'_>, key: &str, table: &str, rows: usize, of: usize) -> Diagnostic {
    Diagnostic::warning(Code::W0703, span, format!("{rows} of {of} rows find no partner in `{table}`"))
        .note(format!("the first is `{key}` in column `{}`, {cell}", cell.column))
        .help("their cells of that table are missing: `|> impute(median)` and `vocab(unknown = own)` take such")
}

/// A condition that no row fulfils.
// No edit: which rows are meant is not to be seen.
pub fn nothing_left(span: Span, rows: usize) -> Diagnostic {
    let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
    Diagnostic::error(Code::E0714, span, format!("the filter leaves none of {rows}"))
}

/// A line that is no object.
// No edit: the fault is in the file.
pub fn not_an_object(span: Option<Span>, file: &str, line: u64, why: &str) -> Diagnostic {
    at(Code::E0715, span, format!("line {line} of `{file}` is not a JSON object: {why}"))
}

/// Fewer groups than parts of the split.
// No edit: the groups are those of the file, and which part could go is not to be seen.
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

/// `nod.column("x")`; the name stands at `span`, with its dot at `dotted`.
pub fn no_table(span: Span, dotted: Span, word: &str, known: &[&str]) -> Diagnostic {
    let told = Diagnostic::error(Code::E0707, span, format!("there is no table `{word}`"));
    match (nearest(word, known.iter().copied()), known.len()) {
        (Some(near), _) => told.fix(format!("did you mean `{near}`?"), span, near),
        (None, 0) => told
            .fix("the source is one table, whose name is not said", dotted, "")
            .help("a source of several tables is written `tables(node = csv(\"nodes.csv\"), …)`"),
        (None, 1..=ALTERNATIVES) => {
            known.iter().fold(told, |told, table| told.fix(format!("there is `{table}`"), span, *table))
        }
        (None, _) => told.help(format!("there are {}", list(known.iter().copied()))),
    }
}

/// A column of a graph that no table goes into.
// No edit: which table's rows it should have is not to be seen.
pub fn of_no_table(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0707, span, "this column belongs to no table, so it has no rows")
}

/// A column of a graph that two tables go into.
// No edit: which columns of the two are the keys is not to be seen.
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
