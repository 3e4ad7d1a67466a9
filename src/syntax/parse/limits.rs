//! What is too large or nested too deep, found before the grammar runs.
//!
//! In: any text. Out: how deep it nests, or the error. A grammar rule inside itself costs stack, here and
//! in every later phase; this file bounds it with a stack of its own. It counts brackets and everything
//! else that nests without them: signs before a value, `^`, `else if`, heads like `if` in a condition, and
//! calls, indices and fields in a row.

use super::tokens::{Kind, Lexer, Token};
use crate::base::{FileId, Span};
use crate::diag::{self, Diagnostic};

/// The largest source text that is read.
pub(super) const MAX_BYTES: usize = 4 << 20;

/// How deep a program may nest.
pub(super) const MAX_DEPTH: u32 = 256;

/// What is open inside one pair of brackets.
#[derive(Default)]
struct Level {
    /// How deep the bracket itself lies.
    base: u32,
    /// Signs before the value that is being read, and `^`s.
    chain: u32,
    /// `if`, `stack`, `scan` and `remat` that have no body yet.
    heads: u32,
    /// `else if`s in a row.
    elses: u32,
    /// Calls, indices and fields in a row.
    posts: u32,
    /// Whether the last token could end a value.
    after_value: bool,
    /// Whether that was a `}`.
    after_brace: bool,
    /// Whether the last token was `else`.
    after_else: bool,
}

impl Level {
    fn depth(&self) -> u32 {
        self.base + self.chain + self.heads + self.elses + self.posts
    }
}

/// How deep `text` nests, if it is not too much.
pub(super) fn check(file: FileId, text: &str) -> Result<u32, Box<Diagnostic>> {
    if text.len() > MAX_BYTES {
        return Err(Box::new(diag::syntax::too_large(Span::new(file, 0, 0), text.len(), MAX_BYTES)));
    }
    let mut levels = vec![Level::default()];
    let mut deepest = 0;
    for token in Lexer::new(text) {
        let depth = enter(&mut levels, text, &token);
        deepest = deepest.max(depth);
        if depth > MAX_DEPTH {
            let span = Span::new(file, token.start, token.end);
            return Err(Box::new(diag::syntax::too_deep(span, token.text(text), MAX_DEPTH)));
        }
    }
    Ok(deepest)
}

/// Counts one token in; how deep it lies.
fn enter(levels: &mut Vec<Level>, text: &str, token: &Token) -> u32 {
    let word = token.text(text);
    if token.kind == Kind::Close {
        if levels.len() > 1 {
            levels.pop();
        }
        let level = levels.last_mut().expect("the outermost level stays");
        (level.after_value, level.after_brace, level.after_else) = (true, word == "}", false);
        return level.depth();
    }
    let level = levels.last_mut().expect("the outermost level stays");
    let after_value = level.after_value;
    if level.after_brace && word != "else" {
        level.elses = 0;
    }
    let is_head = matches!(word, "if" | "stack" | "scan" | "remat") && token.kind == Kind::Word;
    match token.kind {
        Kind::Open if after_value && token.glued && word != "{" => level.posts += 1,
        Kind::Open if after_value && word == "{" => level.heads = level.heads.saturating_sub(1),
        Kind::Open => level.posts = 0,
        Kind::Sign => match word {
            "." => level.posts += 1,
            "-" if !after_value => level.chain += 1,
            "^" | "**" => (level.chain, level.posts) = (level.chain + 1, 0),
            "," | "=" | ":" | ":=" => (level.chain, level.heads, level.posts) = (0, 0, 0),
            "~" => {}
            _ => (level.chain, level.posts) = (0, 0),
        },
        _ if is_head => {
            level.heads += 1;
            level.elses += u32::from(level.after_else);
            level.posts = 0;
        }
        Kind::Word if matches!(word, "not" | "param") => level.chain += 1,
        Kind::Word if matches!(word, "let" | "state") => (level.chain, level.heads, level.posts) = (0, 0, 0),
        Kind::Word if matches!(word, "and" | "or" | "divides") => (level.chain, level.posts) = (0, 0),
        _ if after_value => (level.chain, level.posts) = (0, 0),
        _ => {}
    }
    level.after_value = token.ends_value(text);
    level.after_brace = false;
    level.after_else = token.kind == Kind::Word && word == "else";
    let depth = level.depth();
    if token.kind == Kind::Open {
        levels.push(Level { base: depth + 1, ..Level::default() });
        return depth + 1;
    }
    depth
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(text: &str) -> u32 {
        check(FileId(0), text).expect("within the limits")
    }

    #[test]
    fn flat_rows_are_flat() {
        assert_eq!(depth(&"a + ".repeat(10_000)), 0);
        assert_eq!(depth(&format!("x{}", " |> stack 2 { f }".repeat(10_000))), 1);
        assert_eq!(depth(&"let a = if b { c } else { d }\n".repeat(1000)), 1);
        assert_eq!(depth(&"a.b * c.d - f(x)[i] ".repeat(1000)), 3);
    }

    #[test]
    fn what_nests_is_counted() {
        for piece in
            ["(", "[", "{", "f(", "- ", "not ", "x ^ ", "if a { b } else ", ".f", "()", "if a + ", "param w[a] ~ "]
        {
            let text = format!("let x = y{}", piece.repeat(100_000));
            assert!(check(FileId(0), &text).is_err(), "{piece}");
        }
        assert!(check(FileId(0), &format!("let x = {}y", "-".repeat(100_000))).is_err());
        assert!(check(FileId(0), &format!("let x = {}y", "- ".repeat(100_000))).is_err());
    }
}
