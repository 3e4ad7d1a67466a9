//! Several values behind one `=`, as in `let a, b = x * 2, x * 3`.
//!
//! In: the tokens, and the `let` that they follow. Out: where the names and values stand, and a `let` for each.

use std::ops::Range;

use super::choice::value_end;
use super::tokens::Token;

/// The bytes behind the first name up to the end of the last value, and what stands in their place; none where there are
/// not as many values as names.
pub(super) fn apart(text: &str, all: &[Token], head: usize) -> Option<(Range<usize>, String)> {
    let is = |at: usize, sign: &str| all.get(at).is_some_and(|token| token.is(text, sign));
    let mut names: Vec<&Token> = Vec::new();
    let mut at = head + 1;
    loop {
        names.push(all.get(at).filter(|name| is(head, "let") && name.is_name(text))?);
        at += 2;
        match () {
            () if is(at - 1, ",") => {}
            () if is(at - 1, "=") => break,
            () => return None,
        }
    }
    let mut values: Vec<Range<usize>> = Vec::new();
    loop {
        let end = value_end(text, all, at, ",");
        (at < end).then(|| values.push(all[at].start..all[end - 1].end))?;
        at = end + 1;
        if !is(end, ",") {
            break;
        }
    }
    let (first, last) = (names.first()?, values.last()?);
    let (indent, whole) = (" ".repeat(all[head].indent as usize), first.end..last.end);
    let line = |(at, value): (usize, &Range<usize>)| match at {
        0 => format!(" = {}", &text[value.clone()]),
        _ => format!("\n{indent}let {} = {}", names[at].text(text), &text[value.clone()]),
    };
    let lines: Vec<String> =
        (names.len() > 1 && names.len() == values.len()).then(|| values.iter().enumerate().map(line).collect())?;
    Some((whole, lines.concat()))
}
