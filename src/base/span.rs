//! A place in the text of one source file.

use super::FileId;

/// A half-open range of bytes in one source file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Span {
    /// The file the bytes are in.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes `start..end` of `file`.
    pub fn new(file: FileId, start: usize, end: usize) -> Span {
        // Source files are capped far below 4 GiB before they are parsed.
        Span { file, start: start as u32, end: end as u32 }
    }

    /// The smallest span that holds both. Spans of different files do not join: the left one wins.
    pub fn to(self, other: Span) -> Span {
        if self.file != other.file {
            return self;
        }
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Whether another place lies in this one.
    pub fn holds(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }

    /// The empty place right after this one.
    pub fn after(self) -> Span {
        Span { start: self.end, ..self }
    }

    /// The empty place right before this one.
    pub fn before(self) -> Span {
        Span { end: self.start, ..self }
    }

    /// The empty place before its last byte: before the bracket that closes it.
    pub fn inner_end(self) -> Span {
        let at = self.end.saturating_sub(1).max(self.start);
        Span { start: at, end: at, ..self }
    }

    /// The byte range, for slicing the text of the file.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value and the place it was written at.
#[derive(Clone, PartialEq, Debug)]
pub struct Spanned<T> {
    /// What was written.
    pub node: T,
    /// Where.
    pub span: Span,
}
