//! The texts of a session, and the way from a byte to a line and a column.

use std::sync::Arc;

/// A source file of a session.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct FileId(pub u32);

/// A place as people count it: line and column from 1, the column in Unicode scalar values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineColumn {
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
}

/// One source text with its line starts.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The path as the user gave it, or `<std>/dense.model` for a file of the standard library.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
    /// Whether the file belongs to the standard library, which a user cannot edit.
    pub is_std: bool,
    line_starts: Vec<u32>,
}

impl SourceFile {
    fn new(name: String, text: Arc<str>, is_std: bool) -> SourceFile {
        let ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n');
        let line_starts = std::iter::once(0).chain(ends.map(|(at, _)| at as u32 + 1)).collect();
        SourceFile { name, text, is_std, line_starts }
    }

    /// The number of the line that holds `byte`, from 0.
    pub fn line_of(&self, byte: u32) -> usize {
        self.line_starts.partition_point(|&start| start <= byte) - 1
    }

    /// Line and column of `byte`.
    pub fn line_column(&self, byte: u32) -> LineColumn {
        let line = self.line_of(byte);
        let start = self.line_starts[line] as usize;
        let end = (byte as usize).min(self.text.len());
        LineColumn { line: line + 1, column: self.text[start..end].chars().count() + 1 }
    }

    /// The first byte of a line, from 0.
    pub fn line_start(&self, line: usize) -> usize {
        self.line_starts[line] as usize
    }

    /// The text of a line, from 0, without its end.
    pub fn line_text(&self, line: usize) -> &str {
        let start = self.line_starts[line] as usize;
        let end = self.line_starts.get(line + 1).map_or(self.text.len(), |&next| next as usize);
        self.text[start..end].trim_end_matches(['\n', '\r'])
    }
}

/// All source texts of a session.
#[derive(Clone, Default, Debug)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

impl SourceMap {
    /// Adds a text under a name.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>, is_std: bool) -> FileId {
        self.files.push(SourceFile::new(name.into(), text.into(), is_std));
        FileId(self.files.len() as u32 - 1)
    }

    /// The file of an id this map gave out.
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// All files in the order they were added.
    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(id, file)| (FileId(id as u32), file))
    }
}
