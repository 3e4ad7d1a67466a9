//! The words and signs of a text, without grammar.
//!
//! In: any text. Out: its tokens with their lines and indentation. Needs no valid program: the limits are
//! checked on it before the grammar runs, and recovery finds its way by it afterwards.

/// What a token is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A name or a keyword.
    Word,
    /// A number, its `%` included.
    Number,
    /// Something that begins like a number and is none: `3abc`, `1.`, `.5`.
    BadNumber,
    /// A string.
    Text,
    /// A string that its line ends before its closing quote.
    OpenText,
    /// `(`, `[`, `{`
    Open,
    /// `)`, `]`, `}`
    Close,
    /// Operators and punctuation.
    Sign,
    /// What recovery has written over.
    Lost,
    /// A character the language has no use for.
    Other,
}

/// A word or a sign.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// The number of its line, from 0.
    pub(super) line: u32,
    /// The column of the first token of its line, from 0.
    pub(super) indent: u32,
    /// Whether it is that first token.
    pub(super) first: bool,
    /// Whether it follows the token before it without a gap.
    pub(super) glued: bool,
}

/// Words that are never names.
pub(in crate::syntax) const RESERVED: [&str; 15] = [
    "let", "state", "if", "else", "stack", "scan", "in", "where", "param", "and", "or", "not", "divides", "true",
    "false",
];

/// Words that begin a declaration.
pub(super) const DECLARATIONS: [&str; 12] =
    ["use", "let", "data", "train", "search", "model", "layer", "fn", "loss", "metric", "optimizer", "schedule"];

/// Words for units.
pub(in crate::syntax) const UNITS: [&str; 11] =
    ["epochs", "epoch", "steps", "step", "minutes", "minute", "hours", "hour", "seconds", "second", "deg"];

/// Signs of several characters, longer ones first. Those of other languages are here too, so that each is
/// one token to point at.
const SIGNS: [&str; 27] = [
    "===", "!==", "...", "|>", "||", "&&", ":=", "::", "==", "=>", "!=", "<=", ">=", "<>", "->", "**", "//", "/*",
    "*/", "+=", "-=", "*=", "/=", "++", "..", "^=", "%=",
];

/// The tokens of `text`.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    Lexer::new(text).collect()
}

impl Token {
    /// Its characters.
    pub(super) fn text<'t>(&self, text: &'t str) -> &'t str {
        &text[self.start..self.end]
    }

    /// Whether it is this word, sign or bracket.
    pub(super) fn is(&self, text: &str, what: &str) -> bool {
        self.kind != Kind::Text && self.text(text) == what
    }

    /// Whether it is one of these words.
    pub(super) fn is_word(&self, text: &str, words: &[&str]) -> bool {
        self.kind == Kind::Word && words.contains(&self.text(text))
    }

    /// Whether it is a name.
    pub(super) fn is_name(&self, text: &str) -> bool {
        self.kind == Kind::Word && !RESERVED.contains(&self.text(text)) && self.text(text) != "_"
    }

    /// Whether a value may end with it.
    pub(super) fn ends_value(&self, text: &str) -> bool {
        match self.kind {
            Kind::Word => !RESERVED.contains(&self.text(text)) || self.is_word(text, &["true", "false"]),
            Kind::Number | Kind::BadNumber | Kind::Text | Kind::OpenText | Kind::Close | Kind::Lost => true,
            Kind::Open | Kind::Sign | Kind::Other => false,
        }
    }

    /// Whether a value may begin with it, a glued `-` apart.
    pub(super) fn begins_value(&self, text: &str) -> bool {
        match self.kind {
            Kind::Word => !self.is_word(text, &["let", "state", "else", "in", "where", "and", "or", "divides"]),
            Kind::Number | Kind::BadNumber | Kind::Text | Kind::OpenText | Kind::Open | Kind::Lost => true,
            Kind::Close | Kind::Sign | Kind::Other => false,
        }
    }

    /// Whether it stands between two values.
    pub(super) fn is_infix(&self, text: &str) -> bool {
        match self.kind {
            Kind::Sign => !matches!(self.text(text), "," | "=" | ":" | ":=" | "~" | "->" | "."),
            Kind::Word => self.is_word(text, &["and", "or", "divides", "in"]),
            _ => false,
        }
    }
}

/// Whether `name` is declared among these tokens with `state`, or carried by a `scan`.
pub(super) fn names_state(text: &str, tokens: &[Token], name: &str) -> bool {
    let mut declares = false;
    tokens.iter().any(|token| {
        if token.first || token.is(text, "{") {
            declares = false;
        }
        declares |= token.is_word(text, &["state", "from"]);
        declares && token.is(text, name)
    })
}

/// Cuts a text into tokens, one at a time.
pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    line: u32,
    line_start: usize,
    indent: u32,
    fresh_line: bool,
}

impl<'t> Lexer<'t> {
    /// A lexer at the start of `text`.
    pub(super) fn new(text: &'t str) -> Lexer<'t> {
        let at = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
        Lexer { text, at, line: 0, line_start: at, indent: 0, fresh_line: true }
    }

    /// Skips white space and comments; whether there were any.
    fn skip_gap(&mut self) -> bool {
        let bytes = self.text.as_bytes();
        let start = self.at;
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b'\n' => {
                    self.at += 1;
                    self.line += 1;
                    self.line_start = self.at;
                    self.fresh_line = true;
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'#' => self.at = self.text[self.at..].find('\n').map_or(bytes.len(), |end| self.at + end),
                _ => break,
            }
        }
        self.at > start
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let begun = self.at > 0;
        let gap = self.skip_gap();
        let rest = &self.text[self.at..];
        let before = self.text[..self.at].chars().next_back();
        let (kind, length) = cut(rest, before)?;
        let first = std::mem::take(&mut self.fresh_line);
        if first {
            self.indent = (self.at - self.line_start) as u32;
        }
        let start = self.at;
        self.at += length;
        Some(Token { kind, start, end: self.at, line: self.line, indent: self.indent, first, glued: begun && !gap })
    }
}

/// The kind and length of the token that `rest` begins with; `before` is the character before it.
fn cut(rest: &str, before: Option<char>) -> Option<(Kind, usize)> {
    let first = rest.chars().next()?;
    let next = rest[first.len_utf8()..].chars().next();
    let token = match first {
        'a'..='z' | 'A'..='Z' | '_' => {
            let word = span_of(rest, |c| c.is_ascii_alphanumeric() || c == '_');
            (Kind::Word, word + span_of(&rest[word..], |c| c == '\''))
        }
        '0'..='9' => number(rest),
        '.' if next.is_some_and(|c| c.is_ascii_digit()) && !before.is_some_and(continues_value) => {
            let (_, length) = number(&rest[1..]);
            (Kind::BadNumber, 1 + length)
        }
        '"' => string(rest),
        '(' | '[' | '{' => (Kind::Open, 1),
        ')' | ']' | '}' => (Kind::Close, 1),
        '\u{1}' => (Kind::Lost, span_of(rest, |c| c == '\u{1}')),
        '|' | '&' | ':' | '=' | '!' | '<' | '>' | '-' | '*' | '/' | '+' | '.' | '^' | '%' | ',' | '~' | ';' | '@' => {
            let long = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            (Kind::Sign, long.map_or(1, |sign| sign.len()))
        }
        _ => (Kind::Other, first.len_utf8()),
    };
    Some(token)
}

fn continues_value(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '\'' | '.' | ')' | ']' | '}' | '"')
}

/// The length of the longest prefix of characters that `holds`.
fn span_of(text: &str, holds: impl Fn(char) -> bool) -> usize {
    text.find(|c| !holds(c)).unwrap_or(text.len())
}

/// A number as the grammar's `numeral ~ percent?` reads it, or all that is glued to it.
fn number(rest: &str) -> (Kind, usize) {
    let digits = |from: usize| from + span_of(&rest[from..], |c| c.is_ascii_digit() || c == '_');
    let bytes = rest.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut end = digits(0);
    if bytes.get(end) == Some(&b'.') && digit(end + 1) {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if digit(end + 1 + sign) {
            end = end + 1 + sign;
            end += span_of(&rest[end..], |c| c.is_ascii_digit());
        }
    }
    let glued = span_of(&rest[end..], |c| c.is_ascii_alphanumeric() || c == '_' || c == '\'');
    if glued > 0 {
        return (Kind::BadNumber, end + glued);
    }
    // `1.` and `1.2.3`; `0..4` and `x[1].y` have no such dot after a number.
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1) != Some(&b'.') {
        let more = span_of(&rest[end + 1..], |c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        return (Kind::BadNumber, end + 1 + more);
    }
    (Kind::Number, end + usize::from(bytes.get(end) == Some(&b'%')))
}

fn string(rest: &str) -> (Kind, usize) {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\n' => return (Kind::OpenText, rest[..at].trim_end().len()),
            '"' if !escaped => return (Kind::Text, at + 1),
            _ => escaped = c == '\\' && !escaped,
        }
    }
    (Kind::OpenText, rest.trim_end().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        tokens(text).iter().map(|token| (token.kind, token.text(text))).collect()
    }

    #[test]
    fn numbers_and_ranges() {
        use Kind::{BadNumber, Number, Sign};
        assert_eq!(kinds("0..4"), [(Number, "0"), (Sign, ".."), (Number, "4")]);
        assert_eq!(kinds("70% 1e-3 10_000"), [(Number, "70%"), (Number, "1e-3"), (Number, "10_000")]);
        assert_eq!(kinds(".5 1. 3abc"), [(BadNumber, ".5"), (BadNumber, "1."), (BadNumber, "3abc")]);
    }

    #[test]
    fn lines_and_gaps() {
        let text = "let a = f(x) # note\n  b";
        let all = tokens(text);
        assert!(all[4].glued && !all[3].glued);
        let last = all.last().unwrap();
        assert!(last.first && last.line == 1 && last.indent == 2);
    }

    #[test]
    fn unfinished_string_ends_with_its_line() {
        assert_eq!(kinds("\"ab) \nc")[0], (Kind::OpenText, "\"ab)"));
    }
}
