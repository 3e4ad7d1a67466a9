//! Where declarations and statements begin, told by words and lines alone.
//!
//! These are the sync points of recovery. They are heuristics: used only on text that the grammar has
//! refused, and what they propose is judged by it.

use std::ops::Range;

use super::tokens::{DECLARATIONS, Kind, RESERVED, Token};

/// Whether the text cannot stop after this token: something must follow.
pub(super) fn demands_more(text: &str, token: &Token) -> bool {
    match token.kind {
        Kind::Sign => true,
        Kind::Open => true,
        Kind::Word => RESERVED.contains(&token.text(text)) && !token.is_word(text, &["true", "false"]),
        _ => false,
    }
}

/// Whether the token `index`, the first of its line, begins something new rather than going on with the
/// line above.
pub(super) fn begins_line(text: &str, all: &[Token], index: usize) -> bool {
    let token = &all[index];
    let Some(before) = index.checked_sub(1).map(|before| &all[before]) else { return true };
    if token.is_word(text, &["let", "state"]) {
        return true;
    }
    if demands_more(text, before) {
        return before.kind == Kind::Open;
    }
    let glued_minus = token.is(text, "-") && all.get(index + 1).is_some_and(|next| next.glued);
    token.kind != Kind::Close
        && (token.kind != Kind::Sign || glued_minus)
        && !token.is_infix(text)
        && !token.is_word(text, &["else", "where"])
}

/// Whether the token `index` begins a statement or a line of a section, wherever it stands on its line.
pub(super) fn begins_statement(text: &str, all: &[Token], index: usize) -> bool {
    let token = &all[index];
    let Some(before) = index.checked_sub(1).map(|before| &all[before]) else { return true };
    if before.is(text, "{") || token.is_word(text, &["let", "state"]) {
        return true;
    }
    if token.first {
        return begins_line(text, all, index);
    }
    let next_is = |sign: &str| all.get(index + 1).is_some_and(|next| next.is(text, sign));
    let named = token.is_name(text) && (next_is(":=") || next_is("="));
    before.ends_value(text) && named && !before.is_word(text, &["from"])
        || token.kind == Kind::Lost && before.ends_value(text)
}

/// The regions of a text: each begins at a declaration keyword at the start of a line, however many
/// brackets are open there.
pub(super) fn regions(text: &str, all: &[Token]) -> Vec<Range<usize>> {
    let heads = (0..all.len()).filter(|&index| all[index].first && is_head(text, all, index));
    let margin = heads.clone().map(|index| all[index].indent).min().unwrap_or(0);
    let mut starts: Vec<usize> = vec![0];
    let mut depth = 0i32;
    let mut counted = 0;
    let mut indented = true;
    for index in heads {
        for at in counted..index {
            depth += i32::from(all[at].kind == Kind::Open) - i32::from(all[at].kind == Kind::Close);
            if depth == 1 && all[at].is(text, "{") {
                indented = all[at + 1].line == all[at].line || all[at + 1].indent > margin;
            }
        }
        counted = index;
        // `let` begins statements too: in a body that is not indented it tells nothing.
        let inside = depth > 0 && all[index].is(text, "let") && !indented;
        if all[index].indent <= margin && !inside {
            // Comments above a declaration go with it only as far as they are on its line: they mean nothing here.
            starts.push(all[index].start);
            depth = 0;
        }
    }
    starts.dedup();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).filter(|region| !region.is_empty()).collect()
}

/// Whether the token `index` looks like the first word of a declaration.
fn is_head(text: &str, all: &[Token], index: usize) -> bool {
    if !all[index].is_word(text, &DECLARATIONS) {
        return false;
    }
    let word = all[index].text(text);
    let Some(next) = all.get(index + 1) else { return false };
    let before = index.checked_sub(1).map(|before| &all[before]);
    match next.kind {
        Kind::Word => next.is_name(text) || word == "let",
        Kind::Text | Kind::OpenText => word == "use",
        Kind::Open => {
            let definition = matches!(word, "model" | "layer" | "fn" | "optimizer" | "schedule" | "let");
            definition && before.is_none_or(|before| !demands_more(text, before))
        }
        _ => word == "let",
    }
}

/// The statement or section line that holds the token `index`, as token indices, and the `{` it stands in.
/// `previous` asks for the one before it when it begins there.
pub(super) fn statement(text: &str, all: &[Token], index: usize, previous: bool) -> Option<(Range<usize>, usize)> {
    let open = enclosing_block(text, all, index)?;
    let close = closing(all, open);
    let starts: Vec<usize> = level(all, open, close).filter(|&at| begins_statement(text, all, at)).collect();
    let mut at = starts.partition_point(|&start| start <= index).checked_sub(1)?;
    if previous && starts[at] == index {
        at = at.checked_sub(1)?;
    }
    let end = starts.get(at + 1).copied().unwrap_or(close);
    Some((starts[at]..end, open))
}

/// The innermost `{` around the token `index` that holds statements, not fields.
fn enclosing_block(text: &str, all: &[Token], index: usize) -> Option<usize> {
    open_brackets(all, index).into_iter().rev().find(|&open| {
        let fields = open > 0 && all[open - 1].is(text, "let");
        let key = all.get(open + 1).is_some_and(|key| matches!(key.kind, Kind::Word | Kind::Text));
        let record = key && all.get(open + 2).is_some_and(|colon| colon.is(text, ":"));
        all[open].is(text, "{") && !fields && !record
    })
}

/// The brackets open right before the token `index`, outermost first.
pub(super) fn open_brackets(all: &[Token], index: usize) -> Vec<usize> {
    let mut open = Vec::new();
    for (at, token) in all.iter().enumerate().take(index) {
        match token.kind {
            Kind::Open => open.push(at),
            Kind::Close => {
                open.pop();
            }
            _ => {}
        }
    }
    open
}

/// The partner of the bracket `open`, or the end.
pub(super) fn closing(all: &[Token], open: usize) -> usize {
    let mut depth = 0u32;
    for (at, token) in all.iter().enumerate().skip(open) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close if depth == 1 => return at,
            Kind::Close => depth -= 1,
            _ => {}
        }
    }
    all.len()
}

/// The tokens right inside a pair of brackets, not deeper.
fn level(all: &[Token], open: usize, close: usize) -> impl Iterator<Item = usize> {
    let mut depth = 0i32;
    (open + 1..close).filter(move |&at| {
        let outside = depth == 0;
        depth += i32::from(all[at].kind == Kind::Open) - i32::from(all[at].kind == Kind::Close);
        outside && all[at].kind != Kind::Close
    })
}
