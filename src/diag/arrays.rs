//! What is wrong with files that are no text: arrays, as NumPy writes them, and tables in the Parquet format.
//!
//! In: facts from `data`. Out: diagnostics E0750 … E0755.

use super::data::{at, cut};
use super::{Code, Diagnostic};
use crate::base::Span;

/// A file that is not in the NumPy format.
// No edit: another source reads other formats, and has its columns under other names, which the file has.
pub fn not_npy(span: Option<Span>, file: &str, found: &[u8]) -> Diagnostic {
    let bytes: Vec<String> = found.iter().map(|byte| format!("{byte:02x}")).collect();
    let error =
        at(Code::E0750, span, format!("`{file}` is not in the NumPy format: it begins with `{}`", bytes.join(" ")));
    match found.starts_with(b"PK") {
        true => error.help("this is an archive of arrays, which `npz` reads"),
        false => error.help("`numpy.save` writes such a file"),
    }
}

/// A header that does not say what it must.
// No edit: the fault is in the file.
pub fn npy_header(span: Option<Span>, file: &str, header: &str) -> Diagnostic {
    at(Code::E0750, span, format!("the header of `{file}` says no element, order and shape: `{}`", cut(header)))
        .help("`numpy.save` writes such a file")
}

/// A file whose length does not fit its header; `shape` comes with the type of an element.
// No edit: the fault is in the file.
pub fn npy_length(
    span: Option<Span>,
    file: &str,
    (shape, element): (&str, &str),
    expected: Option<usize>,
    found: usize,
) -> Diagnostic {
    let shape = if shape.is_empty() { "one" } else { shape };
    let says = format!("`{file}` says it holds {shape} of `{element}`");
    let error = match expected {
        Some(expected) => at(Code::E0751, span, format!("{says}, which takes {expected} bytes; it has {found}")),
        None => at(Code::E0751, span, format!("{says}, which no file can")),
    };
    error.help("fetch the file again, or save the array again")
}

/// Elements that are neither numbers, truths nor words.
// No edit: the fault is in the file.
pub fn array_elements(span: Option<Span>, file: &str, descr: &str) -> Diagnostic {
    let error = at(Code::E0752, span, format!("`{file}` has elements of the type `{}`", cut(descr)));
    match descr.trim_start_matches(['<', '>', '|', '=']).chars().next() {
        Some('O') => error
            .note("such an array holds Python objects, and reading them would run what they say")
            .help("save it with a type of its own: `numpy.save(\"x.npy\", x.astype(\"float32\"))`"),
        Some('c') => error.help("save the real and the imaginary parts as two arrays"),
        Some('[') => {
            error.help("save each field as an array of its own: `numpy.savez(\"a.npz\", x = a[\"x\"], y = a[\"y\"])`")
        }
        _ => error.help("a column has numbers, truths or words"),
    }
}

/// An array of words with more than one axis.
// No edit: the fault is in the file.
pub fn array_of_words(span: Option<Span>, file: &str) -> Diagnostic {
    at(Code::E0752, span, format!("`{file}` has several words in a row, and a column has one"))
        .help("save each column of words as an array of its own")
}

/// A whole number that no type of a column holds.
// No edit: the fault is in the file.
pub fn array_number(span: Option<Span>, file: &str, value: i128) -> Diagnostic {
    at(Code::E0752, span, format!("`{file}` has the number {value}, whose last digits would be lost"))
        .help("save numbers that are names as words: `x.astype(str)`")
}

/// An array without axes.
// No edit: the fault is in the file.
pub fn array_without_rows(span: Option<Span>, file: &str) -> Diagnostic {
    at(Code::E0752, span, format!("`{file}` is one number and has no rows"))
        .help("the first axis of an array counts the rows")
}

/// An archive, or a file in it, that is damaged.
// No edit: the fault is in the file.
pub fn archive(span: Option<Span>, file: &str, why: &str) -> Diagnostic {
    at(Code::E0753, span, format!("`{file}` cannot be unpacked: {why}")).help("`numpy.savez` writes such an archive")
}

/// `parquet("rows.parquet")` in a build without it.
// No edit: the program is right, and lacks what reads its file; the same table in another format is another file
// (`data::parquet_files::a_build_without_it_says_so`).
pub fn no_parquet(span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0754, span, "this build of `tensa` does not read Parquet files")
        .help("`cargo install --path . --features parquet` in its source makes one that does")
        .help("or save the table as `csv`: `frame.to_csv(\"rows.csv\", index=False)`")
}

/// A file that is not in the Parquet format, or is damaged.
// No edit: the fault is in the file (`data::parquet_files::broken_files_are_named`, in a build that reads such files).
#[cfg(feature = "parquet")]
pub fn parquet(span: Option<Span>, file: &str, why: &str) -> Diagnostic {
    let why = why.strip_prefix("Parquet error: ").unwrap_or(why);
    at(Code::E0755, span, format!("`{file}` cannot be read as a Parquet file: {}", cut(why)))
        .help("fetch the file again, or save the table again")
}
