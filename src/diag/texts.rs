//! What is wrong with texts as data: sources of text, tokenizers, padding.
//!
//! In: facts and places from `data`. Out: diagnostics of the E07 range, beside those of `data`.

use super::data::{Cell, at, before_step};
use super::{Code, Diagnostic};
use crate::base::Span;

/// A column of texts whose rows have several lengths.
pub fn not_padded(span: Span) -> Diagnostic {
    let end = Span { start: span.end, ..span };
    Diagnostic::error(Code::E0741, span, "rows of texts are of several lengths, those of a tensor of one").fix(
        "fill them up to the longest of a batch with `|> pad`",
        end,
        " |> pad",
    )
}

/// A row that is longer than all shall be; `pad` stands at `span`, what it fills up at `value`.
pub fn longer_than_padding(span: Span, value: Span, cell: Cell<'_>, length: usize, size: usize) -> Diagnostic {
    let step = format!("truncate({size})");
    let told =
        Diagnostic::error(Code::E0741, span, format!("{cell} has {length} places, and all rows shall have {size}"));
    before_step(told, format!("`{step}` before it leaves out what is more"), &step, (span, value))
}

/// One long text that is not cut into windows.
pub fn not_windowed(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0742, span, "a text is one long row, and this takes no part of it").fix(
        "cut it first and take windows of the pieces: `chars[t, vocab] |> window(33)`",
        span.after(),
        " |> window(33)",
    )
}

/// One long text that no column cuts; `end` closes its declaration.
pub fn text_uncut(span: Span, end: Span) -> Diagnostic {
    let line = |cut: &str| format!("  ids = {cut}[t, vocab] |> window(257)\n");
    Diagnostic::error(Code::E0742, span, "nothing says what this text is cut into")
        .fix("a column of characters does", end, line("chars"))
        .fix("or one of words", end, line("words"))
        .help("`bpe` cuts it as a tokenizer of a file does")
}

/// One long text that is cut in two ways; `cut` are the words of the first.
pub fn cut_in_two_ways(span: Span, first: Span, cut: &str) -> Diagnostic {
    Diagnostic::error(Code::E0742, span, "a text is cut in one way, and here in another than above")
        .label(first, "it is cut here")
        .fix(format!("its rows are the pieces, so all columns have the same: `{cut}`"), span, cut)
        .help("`lines` has a row for each line, which may be cut in several ways")
}

/// `begin = true` where there is one text; `surplus` are the arguments that say so, with their commas.
pub fn marks_of_one_text(span: Span, surplus: &[Span]) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0742, span, "a long text that is cut into windows has no marks around its rows");
    told.fix_all("leave the marks out", surplus.iter().map(|place| (*place, ""))).help("`lines` marks each line")
}

/// `column(0)` beside `column("a")`.
// No edit: whether the file has names in its first line is known to who wrote it, and no file is read yet.
pub fn numbers_and_names(number: Span, name: Span) -> Diagnostic {
    Diagnostic::error(Code::E0743, number, "a column is meant by its number here, and by its name elsewhere")
        .label(name, "by name")
        .help("a file whose first line has names takes names, one without takes numbers from 0")
}

/// `drop_last` beside `batch = tokens(…)`; `line` is all of it.
pub fn no_small_batch(span: Span, line: Span) -> Diagnostic {
    Diagnostic::error(
        Code::E0708,
        span,
        "batches of `tokens(…)` all have other numbers of rows, so none is a smaller last one",
    )
    .fix("leave it out", line, "")
}

/// A tokenizer that is none, or of a kind that is not read.
// No edit: the fault is in the file, or its path means another one.
pub fn tokenizer(span: Option<Span>, file: &str, why: &str) -> Diagnostic {
    at(Code::E0744, span, format!("`{file}` is no tokenizer that can be read: {why}"))
        .help("a `tokenizer.json` of Hugging Face with a model of the type `BPE` is read")
}

/// `begin = true` of a tokenizer that has no such piece.
// No edit: which of the file's pieces marks a text is not to be seen (`data::texts::what_a_tokenizer_cannot_do_is_told`).
pub fn no_mark(span: Span, word: &str, file: &str, piece: Option<&str>) -> Diagnostic {
    match piece {
        Some(piece) => Diagnostic::error(Code::E0744, span, format!("`{file}` has no piece `{piece}`")),
        None => Diagnostic::error(Code::E0744, span, format!("`{file}` does not say with which piece a text {word}s"))
            .help(format!("name it: `{word} = \"<s>\"`")),
    }
}

/// A piece of text that the tokenizer has no number for.
// No edit: the fault is in the file (`data::texts::what_a_tokenizer_cannot_do_is_told`).
pub fn no_piece(span: Span, file: &str, piece: &str) -> Diagnostic {
    Diagnostic::error(Code::E0744, span, format!("`{file}` has no piece for `{piece}`, and none for what is unknown"))
}
