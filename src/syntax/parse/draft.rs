//! The text that is being read, and the way back to the text that was written.
//!
//! Recovery mends a copy: it inserts what is missing, takes away what is too much and writes over what
//! makes no sense, then reads it again. Every byte of the copy knows the bytes of the source it stands
//! for, so a tree built from the copy has the places of the source.

use std::borrow::Cow;
use std::ops::Range;

use crate::base::{FileId, Span};

/// What recovery writes over text that makes no sense; the grammar's rule `lost`.
pub(super) const LOST: char = '\u{1}';

/// A text with its origin.
#[derive(Clone, Debug)]
pub(super) struct Draft<'a> {
    file: FileId,
    text: Cow<'a, str>,
    origin: Origin,
}

/// Where the bytes of a draft come from.
#[derive(Clone, Debug)]
enum Origin {
    /// All bytes, moved by this many.
    Same(usize),
    /// For each byte the bytes of the source it stands for: itself, or none for an insertion.
    Each(Vec<(u32, u32)>),
}

impl<'a> Draft<'a> {
    /// The bytes `range` of `source`, as they are.
    pub(super) fn new(file: FileId, source: &'a str, range: Range<usize>) -> Draft<'a> {
        Draft { file, text: Cow::Borrowed(&source[range.clone()]), origin: Origin::Same(range.start) }
    }

    /// The text to read.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The place in the source of a range of bytes of the draft.
    pub(super) fn span(&self, range: Range<usize>) -> Span {
        let (start, end) = match &self.origin {
            Origin::Same(base) => (range.start + base, range.end + base),
            Origin::Each(bytes) => {
                let past = bytes.last().map_or(0, |&(_, to)| to);
                let start = bytes.get(range.start).map_or(past, |&(from, _)| from);
                let end =
                    if range.end > range.start { bytes.get(range.end - 1).map_or(past, |&(_, to)| to) } else { start };
                (start as usize, end.max(start) as usize)
            }
        };
        Span::new(self.file, start, end)
    }

    /// The empty place right before byte `at` of the draft, on the line of what comes before it.
    pub(super) fn point(&self, at: usize) -> Span {
        if at == 0 { self.span(0..0) } else { self.span(at - 1..at).after() }
    }

    /// Replaces a range of bytes.
    pub(super) fn replace(&mut self, range: Range<usize>, by: &str) {
        let bytes = match &mut self.origin {
            Origin::Each(bytes) => bytes,
            Origin::Same(base) => {
                let each = (0..self.text.len()).map(|at| ((at + *base) as u32, (at + *base + 1) as u32)).collect();
                self.origin = Origin::Each(each);
                return self.replace(range, by);
            }
        };
        let (from, to) = match (bytes.get(range.start), range.end.checked_sub(1).and_then(|last| bytes.get(last))) {
            (Some(&(from, _)), Some(&(_, to))) if !range.is_empty() => (from, to),
            (Some(&(from, _)), _) => (from, from),
            (None, _) => bytes.last().map_or((0, 0), |&(_, to)| (to, to)),
        };
        bytes.splice(range.clone(), std::iter::repeat_n((from, to), by.len()));
        self.text.to_mut().replace_range(range, by);
    }

    /// Writes over a range of bytes, new lines apart from nothing.
    pub(super) fn blank(&mut self, range: Range<usize>) {
        self.text.to_mut().replace_range(range.clone(), &LOST.to_string().repeat(range.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_survive_mending() {
        let source = "..let a b 3";
        let mut draft = Draft::new(FileId(0), source, 2..source.len());
        draft.replace(5..5, " =");
        assert_eq!(draft.text(), "let a = b 3");
        draft.blank(8..9);
        draft.replace(9..11, "");
        assert_eq!(draft.text(), "let a = \u{1}");
        assert_eq!(draft.span(8..9), Span::new(FileId(0), 8, 9));
        assert_eq!(draft.span(5..7), Span::new(FileId(0), 7, 7));
        assert_eq!(draft.span(0..9), Span::new(FileId(0), 2, 9));
    }
}
