//! Tables of text: CSV and TSV.
//!
//! In: bytes. Out: a header, then the cells of the columns that are asked for. A table is UTF-8, with or
//! without a byte order mark; lines end in any way; a quoted cell may hold separators and line ends.
//! Space around a cell does not count, and blank lines are passed over. Numbers are read later, by who
//! knows which cells are numbers.

use csv::{Reader, ReaderBuilder, StringRecord, Trim};

use crate::diag::contents;

use super::spec::SourceFile;
use super::{Checked, refuse};

/// The cells of one column, in one piece of text.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct TextColumn {
    text: String,
    /// The end of each cell in `text`.
    ends: Vec<usize>,
}

impl TextColumn {
    /// One cell more.
    pub fn push(&mut self, cell: &str) {
        self.text.push_str(cell);
        self.ends.push(self.text.len());
    }

    /// The cell of a row.
    pub fn cell(&self, row: usize) -> &str {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.text[start..self.ends[row]]
    }

    /// Cells in another order; a row that is nowhere has an empty one.
    pub fn gather(&self, rows: &[u32]) -> TextColumn {
        let mut cells = TextColumn::default();
        rows.iter()
            .for_each(|row| cells.push(if (*row as usize) < self.ends.len() { self.cell(*row as usize) } else { "" }));
        cells
    }

    /// All cells in order.
    pub fn cells(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).map(|row| self.cell(row))
    }
}

/// A table whose header is read.
pub(super) struct Sheet<'a> {
    /// Whether the names are those of its first line.
    has_header: bool,
    /// The names of the columns.
    pub header: Vec<String>,
    reader: Reader<std::io::Chain<&'a [u8], &'static [u8]>>,
    lines: Lines<'a>,
    file: &'a SourceFile,
}

/// Counts lines along the text. The csv reader's own count is of where it began to look, before blank
/// lines and the second half of a CRLF.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line, from 1, of the record that the reader began to look for at `from`.
    fn of(&mut self, from: u64) -> u64 {
        let from = from as usize;
        while self.at < self.bytes.len() && (self.at < from || matches!(self.bytes[self.at], b'\r' | b'\n')) {
            let ends = match self.bytes[self.at] {
                b'\n' => true,
                b'\r' => self.bytes.get(self.at + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += u64::from(ends);
            self.at += 1;
        }
        self.line
    }
}

/// A last line that no file holds. When it does not come out as a record of its own, a quoted cell has
/// swallowed it: the quote was never closed, which the csv reader itself lets pass.
const END: &str = "\u{1}end of table\u{1}";
const END_LINE: &[u8] = b"\n\x01end of table\x01\n";

/// Checks the text and reads the header. Without one the columns are called by their numbers, and the first line is a
/// row like the others.
pub(super) fn open<'a>(
    bytes: &'a [u8],
    (separator, quotes): (u8, bool),
    has_header: bool,
    file: &'a SourceFile,
) -> Checked<Sheet<'a>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Err(error) = std::str::from_utf8(bytes) {
        let before = &bytes[..error.valid_up_to()];
        let line = before.iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
        let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        return refuse(contents::not_utf8(file.span, &file.path, line, utf16));
    }
    let begin = || {
        ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .quoting(quotes)
            .trim(Trim::All)
            .from_reader(std::io::Read::chain(bytes, END_LINE))
    };
    let mut reader = begin();
    let mut record = StringRecord::new();
    let found = next(&mut reader, &mut record);
    if !found || is_end(&record) {
        return refuse(contents::no_rows(file.span, &file.path, false));
    }
    if record.iter().next_back().is_some_and(|cell| cell.contains(END)) {
        return refuse(contents::open_quote(file.span, &file.path, 0, 1));
    }
    let header = match has_header {
        true => record.iter().map(str::to_owned).collect(),
        false => {
            reader = begin();
            (0..record.len()).map(|at| at.to_string()).collect()
        }
    };
    Ok(Sheet { has_header, header, reader, lines: Lines { bytes, at: 0, line: 1 }, file })
}

impl Sheet<'_> {
    /// Reads the rows: the columns that are `wanted`, by their place in the header, and the line each row
    /// begins on. Every row is checked, whatever is wanted.
    pub fn rows(mut self, wanted: &[usize]) -> Checked<(Vec<TextColumn>, Vec<u64>)> {
        let mut columns = vec![TextColumn::default(); wanted.len()];
        let mut lines = Vec::new();
        let mut ragged: Option<(usize, u64, usize)> = None;
        let mut others = 0;
        let mut record = StringRecord::new();
        loop {
            let number = lines.len() + 1;
            if !next(&mut self.reader, &mut record) || is_end(&record) {
                break;
            }
            let line = self.lines.of(record.position().map_or(0, csv::Position::byte));
            if record.iter().next_back().is_some_and(|cell| cell.contains(END)) {
                return refuse(contents::open_quote(self.file.span, &self.file.path, number, line));
            }
            let blank = record.len() == 1 && record[0].is_empty() && self.header.len() > 1;
            if blank {
                continue;
            }
            lines.push(line);
            if record.len() != self.header.len() {
                match ragged {
                    None => ragged = Some((number, line, record.len())),
                    Some(_) => others += 1,
                }
                continue;
            }
            for (column, &at) in columns.iter_mut().zip(wanted) {
                column.push(&record[at]);
            }
        }
        if let Some((number, line, cells)) = ragged {
            let (span, path) = (self.file.span, &self.file.path);
            let wanted = (self.header.len(), self.has_header);
            return refuse(contents::ragged(span, path, number, line, cells, wanted, others));
        }
        if lines.is_empty() {
            return refuse(contents::no_rows(self.file.span, &self.file.path, true));
        }
        Ok((columns, lines))
    }
}

/// The next record. The text is valid and in memory, so reading cannot fail; were it to, the missing end
/// line would tell.
fn next<R: std::io::Read>(reader: &mut Reader<R>, record: &mut StringRecord) -> bool {
    reader.read_record(record).unwrap_or(false)
}

fn is_end(record: &StringRecord) -> bool {
    record.len() == 1 && &record[0] == END
}
