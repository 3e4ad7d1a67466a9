//! What is wrong with the files that a `data` declaration names: with their bytes, headers, rows and cells.
//!
//! In: facts and places from `data`. Out: diagnostics E0711 … E0730 and W0701. They carry the place of the column in the
//! program as their label, and file, row and line in their words.

use super::data::{Behind, Cell, at, cut, list, more, noted, row};
use super::{Code, Diagnostic, nearest};
use crate::base::Span;

/// Advice to leave a column out that stands among others, where `among` is its name with the comma.
fn left_out(told: Diagnostic, text: &str, among: Option<Span>) -> Diagnostic {
    match among {
        Some(place) => told.fix(text, place, ""),
        None => told,
    }
}

/// A file that cannot be read.
pub fn unreadable(span: Option<Span>, path: &str, why: &str, near: Option<(&str, &str)>) -> Diagnostic {
    let error = at(Code::E0711, span, format!("cannot read `{path}`: {why}"))
        .note("a path is relative to the folder of the program");
    match (near, span) {
        (Some((_, whole)), Some(span)) => error.fix(format!("did you mean `{whole}`?"), span, format!("\"{whole}\"")),
        (Some((name, _)), None) => error.help(format!("there is a `{name}` in that folder")),
        (None, _) => error,
    }
}

/// Compressed bytes that do not unpack.
// No edit: the fault is in the file.
pub fn damaged_gzip(span: Option<Span>, file: &str, why: &str) -> Diagnostic {
    at(Code::E0712, span, format!("`{file}` is compressed with gzip and damaged: {why}"))
        .help("fetch or compress the file again")
}

/// Bytes that are not UTF-8.
// No edit: the fault is in the file.
pub fn not_utf8(span: Option<Span>, file: &str, line: u64, utf16: bool) -> Diagnostic {
    let error = at(Code::E0713, span, format!("line {line} of `{file}` is not UTF-8"));
    if utf16 { error.help("the file is UTF-16; save it as UTF-8") } else { error.help("save the file as UTF-8") }
}

/// A file without rows.
// No edit: the fault is in the file.
pub fn no_rows(span: Option<Span>, file: &str, has_header: bool) -> Diagnostic {
    if has_header {
        at(Code::E0714, span, format!("`{file}` has a header and no rows"))
    } else {
        at(Code::E0714, span, format!("`{file}` is empty"))
    }
}

/// A first row of numbers where the names of the columns are looked for.
// No edit: which of the columns a name means, only who made the file can say.
pub fn no_header(span: Option<Span>, file: &str, first: &str) -> Diagnostic {
    at(Code::E0714, span, format!("`{file}` has no header: its first row is `{}`", cut(first)))
        .help("put the names of the columns in the first row, or mean all columns by their numbers: `column(0)`")
}

/// A row with more or fewer cells than the header.
pub fn ragged(
    span: Option<Span>,
    file: &str,
    number: usize,
    line: u64,
    cells: usize,
    (wanted, has_header): (usize, bool),
    others: usize,
) -> Diagnostic {
    let many = |count: usize| if count == 1 { "1 cell".to_owned() } else { format!("{count} cells") };
    let first = if has_header { "the header" } else { "the first row" };
    let error = at(
        Code::E0715,
        span,
        format!("{} of `{file}` has {}, {first} has {wanted}", row(number, Some(line)), many(cells)),
    )
    .help("a cell that holds the separator stands in double quotes");
    noted(error, more(others, "row"))
}

/// A quoted cell that the end of the file cuts off.
// No edit: the fault is in the file.
pub fn open_quote(span: Option<Span>, file: &str, number: usize, line: u64) -> Diagnostic {
    at(Code::E0715, span, format!("a quote opened in {} of `{file}` is never closed", row(number, Some(line))))
        .help("a quote inside a quoted cell is written twice")
}

/// A column name that the header holds twice.
// No edit: the fault is in the file.
pub fn column_twice(span: Option<Span>, file: &str, column: &str) -> Diagnostic {
    at(Code::E0716, span, format!("the header of `{file}` names `{column}` twice")).help("rename one of the two")
}

/// A column the file does not have; `span` is the quoted name.
pub fn missing_column(span: Option<Span>, file: &str, column: &str, header: &[String]) -> Diagnostic {
    let error = at(Code::E0717, span, format!("`{file}` has no column `{column}`"));
    let known = header.iter().map(String::as_str).filter(|name| !name.is_empty());
    match (nearest(column, known.clone()), span) {
        (Some(near), Some(span)) => error.fix(format!("did you mean `{near}`?"), span, format!("\"{near}\"")),
        (Some(near), None) => error.help(format!("did you mean `{near}`?")),
        (None, _) => error.help(format!("its columns are {}", list(known))),
    }
}

/// A table whose header is one cell, in which another sign stands between the names.
pub fn other_separator(span: Option<Span>, file: &str, header: &str, separator: char) -> Diagnostic {
    let separator = separator.escape_default();
    let told =
        at(Code::E0717, span, format!("`{file}` has one column, `{}`: no comma stands in its header", cut(header)));
    let text = format!("between its cells stands `{separator}`: `sep = \"{separator}\"`");
    match span {
        Some(path) => told.fix(text, path.after(), format!(", sep = \"{separator}\"")),
        None => told.help(text),
    }
}

/// A range of columns that runs backwards or has no end.
pub fn column_range(span: Option<Span>, first: &str, last: &str) -> Diagnostic {
    let told = at(Code::E0717, span, format!("the columns from `{first}` to `{last}` run backwards"));
    let forwards = format!("\"{last}\"..\"{first}\"");
    match span {
        Some(span) => told.fix(format!("from the first to the last: `{forwards}`"), span, forwards),
        None => told,
    }
}

/// A cell that is no number.
///
/// `among` is the name of the column where others stand beside it, with the comma, and `meant` a step that takes its words.
// No edit where some of the cells are numbers: what the others should be, only who made the file can say.
pub fn not_a_number(
    span: Span,
    cell: Cell<'_>,
    text: &str,
    others: usize,
    among: Option<Span>,
    meant: Option<Meant>,
) -> Diagnostic {
    let error = Diagnostic::error(
        Code::E0718,
        span,
        format!("`{}` in column `{}`, {cell}, is not a number", cut(text), cell.column),
    );
    let error = left_out(error, "words do not stand among numbers: leave this column out", among);
    let error = match (among, meant) {
        (None, Some(Meant::Parts(behind))) => {
            behind.step(error, "`|> date_parts` makes numbers of dates".to_owned(), "date_parts")
        }
        (None, Some(Meant::Classes(behind, truth))) => {
            truth_of(behind.step(error, "`|> vocab` makes classes of words".to_owned(), "vocab"), behind, truth)
        }
        (None, Some(Meant::Numbers(behind, truth))) => {
            let text = "`|> one_hot` makes numbers of words, a 1 for each class".to_owned();
            truth_of(behind.step(error, text, "one_hot"), behind, truth)
        }
        (None, Some(Meant::Numbered(word))) => error.fix("`vocab` numbers words", word, "vocab"),
        (_, _) => error
            .help("`|> vocab` makes classes of words")
            .help("an empty cell counts as missing, and `|> impute(median)` fills it"),
    };
    noted(error, more(others, "cell"))
}

/// Advice to compare a column of two words with one of them.
fn truth_of(told: Diagnostic, behind: Behind, word: Option<String>) -> Diagnostic {
    let Some(word) = word else { return told };
    behind.written(told, format!("`== \"{word}\"` is 1 where it is this word, and else 0"), &format!("== \"{word}\""))
}

/// What a column of words is meant to become.
pub enum Meant {
    /// Dates: their parts.
    Parts(Behind),
    /// A class for each word; where there are two, also the word of the second.
    Classes(Behind, Option<String>),
    /// A number for each class; likewise.
    Numbers(Behind, Option<String>),
    /// Classes, where this step takes numbers of classes.
    Numbered(Span),
}

/// A class number that is not whole.
pub fn not_whole(span: Span, cell: Cell<'_>, value: f32, behind: Behind) -> Diagnostic {
    let told = Diagnostic::error(
        Code::E0718,
        span,
        format!("{value} in column `{}`, {cell}, is not a whole number", cell.column),
    );
    behind.step(told, "classes are whole numbers or words: `|> round` takes the nearest".to_owned(), "round")
}

/// A cell without a value; `filled` is a step that gives it one.
pub fn missing_cell(span: Span, cell: Cell<'_>, others: usize, filled: Option<(Behind, &str)>) -> Diagnostic {
    let error = Diagnostic::error(Code::E0719, span, format!("column `{}` is missing in {cell}", cell.column));
    let error = match filled {
        Some((behind, words)) => behind.step(error, format!("`|> {words}` fills what is missing"), words),
        None => error,
    };
    noted(error, more(others, "cell"))
}

/// A cell without a class; `own` makes one for it, and `sized` is the axis with its size then, where it has one.
pub fn missing_class(
    span: Span,
    cell: Cell<'_>,
    others: usize,
    own: Option<(Span, String)>,
    sized: Option<(Span, String)>,
) -> Diagnostic {
    let error = Diagnostic::error(Code::E0719, span, format!("column `{}` is missing in {cell}", cell.column));
    let text = "`vocab(unknown = own)` gives missing and unknown words a class of their own";
    noted(own_class(error, text, own, sized), more(others, "cell"))
}

/// Advice to have one class more.
fn own_class(told: Diagnostic, text: &str, own: Option<(Span, String)>, sized: Option<(Span, String)>) -> Diagnostic {
    match (own, sized) {
        (None, _) => told.help(text),
        (Some((place, words)), None) => told.fix(text, place, words),
        (Some((place, words)), Some((axis, sized))) => told.fix(text, place, words).also(axis, sized),
    }
}

/// A row that does not say which row of another table it belongs to.
// No edit: the key that is missing is missing in a file.
pub fn missing_key(span: Span, cell: Cell<'_>, others: usize) -> Diagnostic {
    let error = Diagnostic::error(Code::E0719, span, format!("column `{}` is missing in {cell}", cell.column));
    noted(error.help("each row of a table with a key belongs to a row of the other"), more(others, "cell"))
}

/// A cell that is infinite or too large for f32.
// No edit: which number is meant, only who made the file can say.
pub fn not_finite(span: Span, cell: Cell<'_>, text: &str) -> Diagnostic {
    Diagnostic::error(
        Code::E0720,
        span,
        format!("`{}` in column `{}`, {cell}, is not a finite number", cut(text), cell.column),
    )
    .help("a value that is not known is left empty, and `|> impute(median)` fills it")
}

/// A computed value that is infinite or no number.
// No edit: which of the numbers is wrong, or how it should be kept in range, only their meaning says.
pub fn result_not_finite(span: Span, place: Cell<'_>, value: f32) -> Diagnostic {
    Diagnostic::error(Code::E0720, span, format!("`{}` is {value} in {place}", place.column))
        .help("a division by zero, or numbers too large for 32 bits")
}

/// A value outside of what a transform is defined on; `one_more` is the word `log` where `log1p` has a value everywhere.
// No edit where another function is not defined either: how the numbers are to be kept in range, only their meaning says.
pub fn outside_domain(span: Span, transform: &str, place: Cell<'_>, value: f32, one_more: Option<Span>) -> Diagnostic {
    let error = Diagnostic::error(
        Code::E0720,
        span,
        format!("`{transform}` of {value} in column `{}`, {place}, is not defined", place.column),
    );
    match (transform, one_more) {
        ("log", Some(word)) => error.fix("`log1p`, the logarithm of 1 + x, takes 0 as well", word, "log1p"),
        ("log1p", _) => error.help("`log1p(x)` is the logarithm of 1 + x, for x above -1"),
        (_, _) => error,
    }
}

/// A column that has nothing to fit on. `among` is its name with the comma where others stand beside it, and `zero` a step
/// that fills it with a number that is not fitted.
// No edit where the column stands alone: without it nothing would be left.
pub fn nothing_to_fit(
    span: Span,
    transform: &str,
    column: &str,
    among: Option<Span>,
    zero: Option<Span>,
) -> Diagnostic {
    let told = Diagnostic::error(
        Code::E0719,
        span,
        format!("`{transform}` finds no value of `{column}` in the training rows"),
    );
    let told = left_out(told.note("all its cells in them are missing"), "leave the column out", among);
    match zero {
        Some(stage) => told.fix("`impute(0)` needs no value to go by", stage, "impute(0)"),
        None => told,
    }
}

/// A file that is not in the IDX format.
// No edit: another source reads other formats, and has its columns under other names, which the file has.
pub fn not_idx(span: Option<Span>, file: &str, found: &[u8]) -> Diagnostic {
    let bytes: Vec<String> = found.iter().map(|byte| format!("{byte:02x}")).collect();
    at(Code::E0721, span, format!("`{file}` is not an IDX file: it begins with `{}`", bytes.join(" ")))
        .note("an IDX file begins with 00 00, a type (08 09 0b 0c 0d 0e) and the number of axes")
}

/// An IDX file whose length does not fit its header.
// No edit: the fault is in the file.
pub fn idx_length(span: Option<Span>, file: &str, shape: &str, expected: Option<u64>, found: u64) -> Diagnostic {
    let error = match expected {
        Some(expected) => at(
            Code::E0722,
            span,
            format!("`{file}` says it holds {shape}, which takes {expected} bytes; it has {found}"),
        ),
        None => at(Code::E0722, span, format!("`{file}` says it holds {shape}, which no file can")),
    };
    error.help("fetch the file again")
}

/// Two files with different numbers of items.
// No edit: the fault is in one of the files.
pub fn counts_disagree(span: Option<Span>, file: &str, count: usize, first: &str, first_count: usize) -> Diagnostic {
    at(Code::E0723, span, format!("`{file}` holds {count} items, `{first}` holds {first_count}"))
}

/// A file of the split whose items have another shape.
// No edit: the fault is in one of the files.
pub fn file_shape(span: Span, column: &str, file: &str, shape: &str, main: &str) -> Diagnostic {
    Diagnostic::error(
        Code::E0723,
        span,
        format!("an item of `{column}` has the shape {shape} in `{file}` and {main} in the main file"),
    )
}

/// Rows to predict on whose items have another shape than those of the training rows.
// No edit: the fault is in the file to predict on, of which the program says nothing
// (`cli::arrays::rows_to_predict_on_have_the_shape_of_those_trained_on`).
pub fn trained_shape(span: Span, column: &str, file: &str, found: &[usize], trained: &[usize]) -> Diagnostic {
    let shown = |shape: &[usize]| shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
    let (found, trained) = (shown(found), shown(trained));
    let message =
        format!("an item of `{column}` has the shape {found} in `{file}`; the model was trained on {trained}");
    Diagnostic::error(Code::E0723, span, message)
}

/// A class number below zero or past its axis.
///
/// `axis` is its name and place, and `largest` the largest number, where none is below zero.
pub fn outside_axis(
    span: Span,
    cell: Cell<'_>,
    value: i64,
    (axis, size): (Option<(&str, Span)>, usize),
    largest: Option<i64>,
) -> Diagnostic {
    let named = axis.map_or("its axis".to_owned(), |(axis, _)| format!("axis `{axis}`"));
    let told = Diagnostic::error(
        Code::E0724,
        span,
        format!("label {value} in column `{}`, {cell}, is outside {named} of size {size}", cell.column),
    );
    match (axis, largest) {
        (Some((axis, place)), Some(largest)) => {
            let sized = format!("{axis}: {}", largest + 1);
            told.fix(format!("class numbers count from 0 to one below the size: `{sized}`"), place, sized).fix(
                format!("`vocab` numbers any values: `vocab[{axis}]`"),
                span,
                format!("vocab[{axis}]"),
            )
        }
        (Some((axis, _)), None) => {
            told.fix(format!("`vocab` numbers any values: `vocab[{axis}]`"), span, format!("vocab[{axis}]"))
        }
        (None, _) => told.help("class numbers count from 0 to one below the size; `vocab` numbers any values"),
    }
}

/// A class that the training rows do not have.
///
/// `own` makes one for it, and `sized` is the axis with the size that it has then, where it has a size.
pub fn unseen_class(
    span: Span,
    cell: Cell<'_>,
    class: &str,
    others: usize,
    own: Option<(Span, String)>,
    sized: Option<(Span, String)>,
) -> Diagnostic {
    let error = Diagnostic::error(
        Code::E0725,
        span,
        format!("class `{}` in column `{}`, {cell}, does not occur in the training rows", cut(class), cell.column),
    )
    .help("`stratified` puts every class in every part");
    let error = own_class(error, "`vocab(unknown = own)` gives unknown words a class of their own", own, sized);
    noted(error, more(others, "cell"))
}

/// A part of the split that got no rows.
///
/// `mended` has shares that give each part a row, each with its part and where it is written.
// No edit where the groups, folders or windows decide: how many rows go where is found in the files.
pub fn empty_split(span: Span, part: &str, rows: usize, mended: Vec<(&str, Span, String)>) -> Diagnostic {
    let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
    let told = Diagnostic::error(Code::E0726, span, format!("the `{part}` part of the split is empty"))
        .note(format!("there are {rows} to share"));
    if mended.is_empty() {
        return told.help("give it a larger share");
    }
    let shares: Vec<String> = mended.iter().map(|(part, _, share)| format!("{part} = {share}")).collect();
    let edits = mended.into_iter().map(|(_, place, share)| (place, share));
    told.fix_all(format!("give it more: `{}`", shares.join(", ")), edits)
}

/// A class with fewer rows than the split has parts.
///
/// `random` is the split with the same shares, without regard to classes.
pub fn rare_class(span: Span, class: &str, rows: usize, parts: usize, random: String) -> Diagnostic {
    let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
    Diagnostic::error(Code::E0727, span, format!("class `{}` has {rows}, too few for {parts} parts", cut(class))).fix(
        format!("`{random}` splits without regard to classes"),
        span,
        random,
    )
}

/// A word in the split column that names no part.
pub fn unknown_part(span: Span, cell: Cell<'_>, text: &str) -> Diagnostic {
    Diagnostic::error(
        Code::E0728,
        span,
        format!("`{}` in column `{}`, {cell}, names no part of the split", cut(text), cell.column),
    )
    .help("the parts are `train`, `valid`, `test`")
    .fix(
        "if no column of the file says them, share the rows out at random",
        span,
        "random(train = 80%, valid = 10%, test = 10%)",
    )
}

/// A moment that cannot be put in order.
// No edit: how a date is written, stands in the file.
pub fn not_a_time(span: Span, cell: Cell<'_>, text: &str) -> Diagnostic {
    Diagnostic::error(
        Code::E0728,
        span,
        format!("`{}` in column `{}`, {cell}, is neither a number nor a date", cut(text), cell.column),
    )
    .help("dates are written year first: `2024-03-31` or `2024-03-31 18:00`")
}

/// `vocab[class: 3]` over four words.
pub fn class_count(span: Span, axis: &str, said: usize, found: usize) -> Diagnostic {
    Diagnostic::error(Code::E0729, span, format!("the training rows have {found} classes, the axis has size {said}"))
        .fix(format!("give it the size that they have: `{axis}: {found}`"), span, format!("{axis}: {found}"))
}

/// Fitted statistics of another program.
// No edit: the program is right, and the model is of another
// (`data::transforms::fitted_values_of_another_program_are_refused`).
pub fn fitted_mismatch(span: Span, stage: &str) -> Diagnostic {
    Diagnostic::error(Code::E0730, span, format!("the model keeps no fitted values for `{stage}`"))
        .note("what is fitted on the training rows travels with the model")
        .help("train the model again with this program")
}

/// One path for predictions that need several files.
pub fn several_files(columns: &[&str]) -> Diagnostic {
    Diagnostic::without_place(
        Code::E0717,
        format!("prediction needs {}, and one file is given", list(columns.iter().copied())),
    )
    .help("name a file for each")
}

/// A column with one value only; `among` is its name with the comma where others stand beside it.
// No edit where the column stands alone: without it nothing would be left.
pub fn constant_column(span: Span, transform: &str, column: &str, among: Option<Span>) -> Diagnostic {
    let message = format!("`{column}` has one value in all training rows; `{transform}` makes it 0");
    left_out(Diagnostic::warning(Code::W0701, span, message), "it tells nothing: leave it out", among)
}
