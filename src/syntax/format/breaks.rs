//! Where lines end.
//!
//! In: pieces with the new lines of their author. Out: the same with those the style asks for. `settle` makes
//! breaks agree with each other, `shorten` breaks lines that are too long.

use super::WIDTH;
use super::lines::Line;
use crate::syntax::parse::{Piece, Role};

/// Puts statements on lines of their own, both brackets of a pair on lines of their own or neither, and takes
/// away breaks that say nothing.
pub(super) fn settle(pieces: &mut [Piece], partners: &[usize]) {
    // Inner pairs first: a block that holds a broken one is broken itself.
    let mut is_broken = vec![false; pieces.len()];
    for open in (0..pieces.len()).rev() {
        if !pieces[open].role.opens() {
            continue;
        }
        let close = partners[open];
        let first = open + 1;
        if close == first {
            pieces[close].newlines = 0;
            continue;
        }
        is_broken[open] =
            pieces[close].newlines > 0 || members(partners, open).any(|at| pieces[at].newlines > 0 || is_broken[at]);
        let is_apart = match pieces[open].role {
            Role::OpenSection => true,
            Role::OpenBlock | Role::OpenBody => {
                is_broken[open] || members(partners, open).filter(|&at| pieces[at].begins).count() > 1
            }
            _ => pieces[first].newlines > 0 || pieces[first].role == Role::Comment || pieces[close].newlines > 0,
        };
        if !is_apart {
            continue;
        }
        is_broken[open] = true;
        // A comment may stay on the line of the bracket it follows.
        pieces[first].newlines = if pieces[first].role == Role::Comment { pieces[first].newlines.min(1) } else { 1 };
        pieces[close].newlines = 1;
        if pieces[open].role.holds_lines() {
            for at in members(partners, open).skip(1).filter(|&at| pieces[at].begins).collect::<Vec<_>>() {
                pieces[at].newlines = pieces[at].newlines.max(1);
            }
        }
    }
    for index in 0..pieces.len() {
        let piece = pieces[index];
        let Some(before) = index.checked_sub(1).map(|before| pieces[before]) else {
            pieces[index].newlines = 0;
            continue;
        };
        if before.role == Role::Comment {
            pieces[index].newlines = piece.newlines.max(1);
        } else if joins(pieces, partners, index) {
            pieces[index].newlines = 0;
        } else if !piece.begins && piece.role != Role::Comment && before.role != Role::Comma {
            pieces[index].newlines = piece.newlines.min(1);
        }
    }
    space_declarations(pieces, partners);
}

/// The pieces right inside a pair of brackets, not deeper.
fn members(partners: &[usize], open: usize) -> impl Iterator<Item = usize> {
    let close = partners[open];
    let mut at = open + 1;
    std::iter::from_fn(move || {
        let index = (at < close).then_some(at)?;
        at = partners[at].max(at) + 1;
        Some(index)
    })
}

/// Whether a piece stands on the line of the piece before it, whatever its author did.
fn joins(pieces: &[Piece], partners: &[usize], index: usize) -> bool {
    let (before, piece) = (pieces[index - 1], pieces[index]);
    if piece.begins || before.role == Role::Comma || before.role.opens() {
        return false;
    }
    match piece.role {
        Role::Comma | Role::Colon | Role::Equals | Role::Becomes => true,
        Role::OpenTight | Role::OpenBlock | Role::OpenBody | Role::OpenSection => true,
        // `} else`, where the block before it ends on a line of its own.
        Role::Word if piece.text == "else" => pieces[partners[index - 1]].role.holds_lines() && before.newlines > 0,
        _ => before.role == Role::Minus,
    }
}

/// Declarations begin lines, and stand apart by an empty line unless both are short.
fn space_declarations(pieces: &mut [Piece], partners: &[usize]) {
    let mut previous: Option<usize> = None;
    let mut index = 0;
    while index < pieces.len() {
        if pieces[index].begins {
            if let Some(previous) = previous {
                pieces[index].newlines = pieces[index].newlines.max(1);
                let short = |at: usize| matches!(pieces[at].text, "let" | "use");
                let gap = last_of(pieces, previous, index) + 1..=index;
                if !(short(previous) && short(index)) && gap.clone().all(|at| pieces[at].newlines < 2) {
                    let first = gap.clone().find(|&at| pieces[at].newlines > 0);
                    pieces[first.unwrap_or(index)].newlines = 2;
                }
            }
            previous = Some(index);
        }
        index = partners[index].max(index) + 1;
    }
}

/// The last piece of the declaration at `previous` before the one at `next`.
fn last_of(pieces: &[Piece], previous: usize, next: usize) -> usize {
    (previous..next).rev().find(|&at| pieces[at].role != Role::Comment).unwrap_or(previous)
}

/// Breaks each line that is too long at the best place it has.
pub(super) fn shorten(pieces: &mut [Piece], partners: &[usize], lines: &[Line]) {
    for line in lines.iter().filter(|line| line.width() > WIDTH) {
        for at in best_breaks(pieces, partners, line) {
            pieces[at].newlines = 1;
        }
    }
}

/// Where to break a line: before the facts or the result of a head; around blocks; before the stages of a pipe; after
/// the commas of what stands in brackets; in the widest brackets. The first of these that the line has on its
/// outermost level.
fn best_breaks(pieces: &[Piece], partners: &[usize], line: &Line) -> Vec<usize> {
    // Nothing is won by a break at the start of the line, or before a comment at its end.
    let first = line.first;
    let end = if pieces[line.end - 1].role == Role::Comment { line.end - 1 } else { line.end };
    let is_whole = |at: usize| pieces[at].role.opens() && partners[at] < end;
    let mut level: Vec<usize> = Vec::new();
    let mut at = first;
    while at < end {
        level.push(at);
        at = if is_whole(at) { partners[at] + 1 } else { at + 1 };
    }
    let of_role = |role: Role| level.iter().copied().filter(move |&at| pieces[at].role == role && at > first);
    if let Some(head) = of_role(Role::Head).next_back() {
        return vec![head];
    }
    let pipes: Vec<usize> = of_role(Role::Pipe).collect();
    if !pipes.is_empty() {
        return pipes;
    }
    let pairs: Vec<usize> = level.iter().copied().filter(|&at| is_whole(at) && partners[at] > at + 1).collect();
    let blocks = pairs.iter().filter(|&&at| pieces[at].role.holds_lines());
    let around: Vec<usize> = blocks.flat_map(|&open| [open + 1, partners[open]]).collect();
    if !around.is_empty() {
        return around;
    }
    let before = first.checked_sub(1).map(|before| pieces[before].role);
    let in_brackets = before.is_some_and(|role| role == Role::Comma || role.opens() && !role.holds_lines());
    if in_brackets || pieces[first].role == Role::Head {
        let members: Vec<usize> =
            level.iter().copied().filter(|&at| at > first && pieces[at - 1].role == Role::Comma).collect();
        if !members.is_empty() {
            return members;
        }
    }
    let widest = pairs.iter().copied().max_by_key(|&open| partners[open] - open);
    widest.map_or_else(Vec::new, |open| vec![open + 1, partners[open]])
}
