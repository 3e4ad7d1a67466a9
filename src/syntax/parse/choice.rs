//! A choice between two values in the words of another language: `x if c else y`, `if c: x else: y`, `c ? x : y`.
//!
//! In: the tokens, and which of them is the `if` or the `?`. Out: where the whole stands, and how it is written here.

use std::ops::Range;

use super::draft::LOST;
use super::layout::begins_line;
use super::tokens::{Kind, Token};

/// The bytes of the whole and what stands in their place, where all three parts are there.
pub(super) fn rewritten(text: &str, all: &[Token], at: usize) -> Option<(Range<usize>, String)> {
    let start = begin(text, all, at);
    let until = |from: usize, sign: &str| {
        let end = value_end(text, all, from, sign);
        all.get(end).is_some_and(|token| token.is(text, sign)).then_some(end)
    };
    let (condition, then, last) = if all[at].is(text, "?") {
        let colon = until(at + 1, ":")?;
        (start..at, at + 1..colon, colon + 1)
    } else if start < at {
        let other = until(at + 1, "else")?;
        (at + 1..other, start..at, other + 1)
    } else {
        let colon = until(at + 1, ":")?;
        let other = until(colon + 1, "else")?;
        let skipped = all.get(other + 1).is_some_and(|token| token.is(text, ":"));
        (at + 1..colon, colon + 1..other, other + 1 + usize::from(skipped))
    };
    let otherwise = last..value_end(text, all, last, ",");
    let bytes = |tokens: &Range<usize>| (!tokens.is_empty()).then(|| all[tokens.start].start..all[tokens.end - 1].end);
    let whole = bytes(&(start..otherwise.end))?;
    let words = |tokens| bytes(&tokens).map(|bytes| &text[bytes]).filter(|words| !words.contains(LOST));
    let (condition, then, otherwise) = (words(condition)?, words(then)?, words(otherwise)?);
    Some((whole, format!("if {condition} {{ {then} }} else {{ {otherwise} }}")))
}

/// The first token of the value that the token `at` stands in.
fn begin(text: &str, all: &[Token], at: usize) -> usize {
    let mut depth = 0u32;
    let mut first = at;
    while first > 0 && (depth > 0 || !(all[first].first && begins_line(text, all, first))) {
        let before = &all[first - 1];
        match before.kind {
            Kind::Close => depth += 1,
            Kind::Open if depth == 0 => break,
            Kind::Open => depth -= 1,
            _ if depth == 0 && [",", "=", ":=", ":", "|>"].iter().any(|sign| before.is(text, sign)) => break,
            _ => {}
        }
        first -= 1;
    }
    first
}

/// The token after the value that begins at `from`: this sign, a comma, a bracket that closes, or a line that begins anew.
pub(super) fn value_end(text: &str, all: &[Token], from: usize, sign: &str) -> usize {
    let mut depth = 0u32;
    let ends = |at: &usize| {
        let token = &all[*at];
        let outside = depth == 0;
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close if outside => return true,
            Kind::Close => depth -= 1,
            _ => {}
        }
        outside
            && (token.is(text, sign) || token.is(text, ",") || *at > from && token.first && begins_line(text, all, *at))
    };
    (from..all.len()).find(ends).unwrap_or(all.len())
}
