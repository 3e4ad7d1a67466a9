//! The programs that many tests run over: the examples of the repository and those of `tests/data/language`.

use std::fs;
use std::path::{Path, PathBuf};

/// All of them: file name and text, in order.
pub fn all() -> Vec<(String, String)> {
    let mut programs = read("tests/data/language");
    programs.extend(read("examples"));
    programs
}

/// The `.model` files of a folder of the repository, if it is there.
pub fn read(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "model"));
    paths.sort();
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), fs::read_to_string(path).expect("a readable program"))).collect()
}

/// The tokens of a program as byte ranges, comments left out: words, numbers, texts and signs.
pub fn tokens(text: &str) -> Vec<std::ops::Range<usize>> {
    const LONG: [&str; 10] = ["|>", ":=", "==", "!=", "<=", ">=", "->", "//", "..", "??"];
    let bytes = text.as_bytes();
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'\'');
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = match rest[0] {
            b' ' | b'\t' | b'\r' | b'\n' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
                continue;
            }
            b'"' => rest[1..].iter().position(|&byte| byte == b'"').map_or(rest.len(), |end| end + 2),
            b'0'..=b'9' => number(text, at),
            byte if word(&byte) => rest.iter().position(|byte| !word(byte)).unwrap_or(rest.len()),
            _ => LONG.iter().find(|sign| text[at..].starts_with(**sign)).map_or(1, |sign| sign.len()),
        };
        tokens.push(at..at + length);
        at += length;
    }
    tokens
}

/// The length of the number at byte `at`, its `%` included.
fn number(text: &str, at: usize) -> usize {
    let rest = &text.as_bytes()[at..];
    let digits = |from: usize| from + rest[from..].iter().take_while(|b| b.is_ascii_digit() || **b == b'_').count();
    let mut end = digits(0);
    if rest.get(end) == Some(&b'.') && rest.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end = digits(end + 1);
    }
    if rest.get(end) == Some(&b'e') {
        end = digits(end + 1 + usize::from(matches!(rest.get(end + 1), Some(b'-' | b'+'))));
    }
    end + usize::from(rest.get(end) == Some(&b'%'))
}
