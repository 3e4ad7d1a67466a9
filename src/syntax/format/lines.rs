//! Pieces as lines: how deep each begins, and what stands below what.
//!
//! In: pieces whose new lines are settled. Out: lines, and their text.

use super::space;
use crate::syntax::parse::{Piece, Role};

/// A line of the result.
pub(super) struct Line {
    /// Its first piece.
    pub(super) first: usize,
    /// Behind its last piece.
    pub(super) end: usize,
    /// Whether an empty line stands before it.
    is_apart: bool,
    indent: usize,
    /// What it says, the comment at its end apart.
    text: String,
    /// The byte of `text` before which its `=` or `:=` may move to the right, to stand below that of the line above.
    sign: Option<usize>,
    /// The comment at its end, and the gap that must be before it.
    comment: Option<(&'static str, String)>,
}

impl Line {
    /// Its columns, without the comment at its end.
    pub(super) fn width(&self) -> usize {
        self.indent + self.text.chars().count()
    }
}

/// An open bracket, or the file.
struct Frame {
    /// How deep lines in it begin.
    inner: usize,
    /// How deep its closing bracket stands on a line of its own.
    outer: usize,
    role: Role,
}

/// The columns of those `if`s whose `else` is still to come, each with the number of frames around it.
#[derive(Default)]
struct Ifs(Vec<(usize, usize)>);

impl Ifs {
    /// The column of a line that begins with an `else`, or with a comment above one: that of its `if`. In a chain of
    /// `else if` all stand below the first.
    fn below(&self, pieces: &[Piece], index: usize) -> Option<usize> {
        let told = pieces[index..].iter().find(|piece| piece.role != Role::Comment)?;
        let (_, column) = self.0.last().filter(|_| is_word(told, "else"))?;
        Some(*column)
    }

    /// Takes the next piece, which stands at `column`.
    fn take(&mut self, pieces: &[Piece], index: usize, depth: usize, column: usize) {
        let piece = &pieces[index];
        if is_word(piece, "if") && !follows_else(pieces, index) {
            self.0.push((depth, column));
        } else if is_word(piece, "else") && pieces.get(index + 1).is_none_or(|next| !is_word(next, "if")) {
            self.0.pop();
        } else if piece.role == Role::Close {
            self.0.retain(|(around, _)| *around < depth);
        }
    }
}

/// Whether a piece is this reserved word.
fn is_word(piece: &Piece, word: &str) -> bool {
    piece.role == Role::Word && piece.text == word
}

/// Whether an `if` goes on a chain: `else if`.
fn follows_else(pieces: &[Piece], index: usize) -> bool {
    index.checked_sub(1).is_some_and(|before| is_word(&pieces[before], "else"))
}

/// Further columns of a line that goes on with the one above.
const STEP: usize = 2;

/// Further columns of a line of the head of a definition.
const HEAD_STEP: usize = 4;

/// Cuts the pieces into lines.
pub(super) fn lay_out(pieces: &[Piece], partners: &[usize]) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut frames = vec![Frame { inner: 0, outer: 0, role: Role::OpenSection }];
    // Where the facts of a head stand: behind its `where`.
    let mut facts = None;
    let mut ifs = Ifs::default();
    for (index, piece) in pieces.iter().enumerate() {
        let before = index.checked_sub(1).map(|before| &pieces[before]);
        if piece.begins {
            facts = None;
        }
        if before.is_none() || piece.newlines > 0 {
            let indent = ifs.below(pieces, index).unwrap_or_else(|| indent(pieces, index, &frames, facts));
            let is_apart = !lines.is_empty() && piece.newlines > 1;
            let line =
                Line { first: index, end: index, is_apart, indent, text: String::new(), sign: None, comment: None };
            lines.push(line);
        } else if let (Some(before), Some(line)) = (before, lines.last_mut()) {
            let gap = space::between(before, piece);
            if piece.role == Role::Comment {
                line.comment = Some((gap, piece.text.to_owned()));
                line.end = index + 1;
                continue;
            }
            line.text.push_str(gap);
        }
        let Some(line) = lines.last_mut() else { continue };
        let column = line.width();
        line.end = index + 1;
        if line.sign.is_none() && signs(pieces, &frames, line.first, index) {
            line.sign = Some(line.text.len());
        }
        line.text.push_str(piece.text);
        ifs.take(pieces, index, frames.len(), column);
        if piece.role == Role::Head && piece.text == "where" {
            facts = Some(column + "where ".len());
        }
        let (indent, column) = (line.indent, line.width());
        if piece.role.opens() {
            frames.push(opened(pieces, index, &frames, indent, column));
        } else if piece.role == Role::Close && partners[index] != index {
            frames.pop();
        }
    }
    align(&mut lines, pieces);
    lines
}

/// The text of lines.
pub(super) fn text(lines: &[Line]) -> String {
    let mut text = String::new();
    for line in lines {
        if line.is_apart {
            text.push('\n');
        }
        text.extend(std::iter::repeat_n(' ', line.indent));
        text.push_str(&line.text);
        text.push_str(line.comment.as_ref().map_or("", |(_, comment)| comment));
        text.push('\n');
    }
    text
}

/// How deep the line that begins with piece `index` stands.
fn indent(pieces: &[Piece], index: usize, frames: &[Frame], facts: Option<usize>) -> usize {
    let Some(frame) = frames.last() else { return 0 };
    let piece = &pieces[index];
    // A comment stands as deep as what it is above.
    let Some(told) = pieces[index..].iter().find(|piece| piece.role != Role::Comment) else { return frame.inner };
    if told.role == Role::Close {
        return if piece.role == Role::Comment { frame.inner } else { frame.outer };
    }
    if frame.role.holds_lines() {
        return match told {
            told if told.begins => frame.inner,
            told if !told.in_head => frame.inner + STEP,
            told if told.role == Role::Head => frame.inner + HEAD_STEP,
            _ => facts.unwrap_or(frame.inner + HEAD_STEP),
        };
    }
    let said = pieces[..index].iter().rev().find(|piece| piece.role != Role::Comment);
    let begins = said.is_none_or(|said| said.role == Role::Comma || said.role.opens());
    if begins { frame.inner } else { frame.inner + STEP }
}

/// The frame of the bracket `index`, which stands on a line as deep as `indent` and ends before `column`.
fn opened(pieces: &[Piece], index: usize, frames: &[Frame], indent: usize, column: usize) -> Frame {
    let role = pieces[index].role;
    let outer = match (role, frames.last()) {
        // A body stands below the keyword of its definition, however its head is broken.
        (Role::OpenBody | Role::OpenSection, Some(around)) => around.inner,
        _ => indent,
    };
    let next = pieces.get(index + 1);
    let is_apart = next.is_none_or(|next| next.newlines > 0 || next.role == Role::Comment);
    let inner = if is_apart || role.holds_lines() {
        outer + STEP
    } else {
        column + next.map_or(0, |next| space::between(&pieces[index], next).len())
    };
    Frame { inner, outer, role }
}

/// Whether piece `index` is the `=` of a line of a section, or the `:=` of a statement.
fn signs(pieces: &[Piece], frames: &[Frame], first: usize, index: usize) -> bool {
    let in_section = frames.len() > 1 && frames.last().is_some_and(|frame| frame.role == Role::OpenSection);
    let begins = pieces[first].begins;
    begins && (pieces[index].role == Role::Becomes || in_section && pieces[index].role == Role::Equals)
}

/// Puts signs below each other in lines that are whole statements and follow each other, then comments at the ends of lines.
fn align(lines: &mut [Line], pieces: &[Piece]) {
    // A statement over several lines is in no group.
    let whole = |line: &Line| {
        pieces.get(line.end).is_none_or(|next| next.begins || matches!(next.role, Role::Close | Role::Comment))
    };
    let columns = |line: &Line| line.sign.filter(|_| whole(line)).map(|sign| line.text[..sign].chars().count());
    in_groups(lines, columns, |line, missing| {
        if let Some(sign) = line.sign {
            line.text.insert_str(sign, &" ".repeat(missing));
        }
    });
    let ends = |line: &Line| line.comment.as_ref().map(|_| line.text.chars().count());
    in_groups(lines, ends, |line, missing| {
        let gap = line.comment.as_ref().map_or(0, |(gap, _)| gap.len());
        line.text.push_str(&" ".repeat(missing + gap));
    });
}

/// Moves something to one column in each run of neighbouring lines of one depth that have it.
fn in_groups(lines: &mut [Line], column: impl Fn(&Line) -> Option<usize>, mut shift: impl FnMut(&mut Line, usize)) {
    let mut start = 0;
    while start < lines.len() {
        let Some(first) = column(&lines[start]) else {
            start += 1;
            continue;
        };
        let mut widest = first;
        let mut end = start + 1;
        while let Some(next) = lines.get(end)
            && !next.is_apart
            && next.indent == lines[start].indent
            && let Some(further) = column(next)
        {
            widest = widest.max(further);
            end += 1;
        }
        for line in &mut lines[start..end] {
            let missing = widest - column(line).unwrap_or(widest);
            shift(line, missing);
        }
        start = end;
    }
}
