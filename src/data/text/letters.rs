//! Where a tokenizer cuts a text before its pieces are made.
//!
//! In: a text. Out: its parts in order, nothing lost but what a rule drops. The rules are those of tokenizers that are
//! about, each written as a walk over the characters.

use unicode_general_category::{GeneralCategory, get_general_category};

/// What follows an apostrophe as a part of its own.
const ENDINGS: [&str; 7] = ["s", "t", "re", "ve", "m", "ll", "d"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Number,
    Space,
    Other,
}

fn class(letter: char) -> Class {
    use GeneralCategory::{LowercaseLetter, ModifierLetter, OtherLetter, TitlecaseLetter, UppercaseLetter};
    if letter.is_whitespace() {
        return Class::Space;
    }
    if letter.is_numeric() {
        return Class::Number;
    }
    match get_general_category(letter) {
        LowercaseLetter | ModifierLetter | OtherLetter | TitlecaseLetter | UppercaseLetter => Class::Letter,
        _ => Class::Other,
    }
}

/// Runs of letters, of numbers and of other marks, each with the space before it; English endings behind an apostrophe;
/// runs of white space, of which the last space goes to what follows.
pub(super) fn runs(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    while let Some(first) = text[start..].chars().next() {
        let end = start + run(&text[start..], first);
        parts.push(&text[start..end]);
        start = end;
    }
    parts
}

/// How many bytes the first part of a text has.
fn run(text: &str, first: char) -> usize {
    if first == '\''
        && let Some(ending) = ENDINGS.iter().find(|ending| text[1..].starts_with(**ending))
    {
        return 1 + ending.len();
    }
    let space = usize::from(first == ' ');
    let rest = &text[space..];
    if let Some(next) = rest.chars().next().map(class).filter(|class| *class != Class::Space) {
        return space + length(rest, |letter| class(letter) == next);
    }
    let spaces = length(text, char::is_whitespace);
    // One that something follows is left to it, unless it is the only one.
    let last = text[..spaces].chars().next_back().map_or(0, char::len_utf8);
    match spaces < text.len() && spaces > last {
        true => spaces - last,
        false => spaces,
    }
}

/// Words and runs of other marks, without the white space.
pub(super) fn words(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in text.split_whitespace() {
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            let end = length(rest, |letter| in_word(letter) == in_word(first));
            parts.push(&rest[..end]);
            rest = &rest[end..];
        }
    }
    parts
}

fn in_word(letter: char) -> bool {
    use GeneralCategory::{ConnectorPunctuation, DecimalNumber, EnclosingMark, NonspacingMark, SpacingMark};
    let category = get_general_category(letter);
    let marks = matches!(category, ConnectorPunctuation | DecimalNumber | EnclosingMark | NonspacingMark | SpacingMark);
    letter.is_alphabetic() || marks || matches!(letter, '\u{200c}' | '\u{200d}')
}

/// Digits apart from the rest; each alone where that is asked for.
pub(super) fn digits(text: &str, each: bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_digit = first.is_numeric();
        let end = match is_digit && each {
            true => first.len_utf8(),
            false => length(rest, |letter| letter.is_numeric() == is_digit),
        };
        parts.push(&rest[..end]);
        rest = &rest[end..];
    }
    parts
}

/// Parts that begin at a mark.
pub(super) fn from_marks(text: &str, mark: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(mark) {
        if at > start {
            parts.push(&text[start..at]);
        }
        start = at;
    }
    if start < text.len() {
        parts.push(&text[start..]);
    }
    parts
}

/// How many bytes the first letters of a kind take.
fn length(text: &str, is: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !is(letter)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_keep_every_byte() {
        let text = "I'm  here,\n\nnot at 42\t'there' x";
        assert_eq!(
            runs(text),
            ["I", "'m", " ", " here", ",", "\n", "\n", "not", " at", " 42", "\t", "'t", "here", "'", " x"]
        );
        assert_eq!(runs("end  "), ["end", "  "]);
        assert_eq!(runs(text).concat(), text);
        assert_eq!(words("don't_go  (ü)"), ["don", "'", "t_go", "(", "ü", ")"]);
        assert_eq!(digits("a12b", true), ["a", "1", "2", "b"]);
        assert_eq!(from_marks("a▁b▁▁c", '▁'), ["a", "▁b", "▁", "▁c"]);
    }
}
