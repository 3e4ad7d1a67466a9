//! Columns of texts: what they are cut into, and how long a row may be.
//!
//! In: texts of all rows. Out: rows of numbers. Characters have numbers in their order, words in the order of how often
//! the training rows have them; one more, the last, stands for all that the training rows lack, and for what fills rows up.
//! The pieces of a tokenizer have the numbers its file gives them; the file is kept with what is fitted.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::Span;
use crate::diag::{Diagnostic, Diagnostics, contents, data, texts};

use super::csv::TextColumn;
use super::evaluation::{Evaluation, Texts, Value};
use super::files::{self, Files};
use super::idx::{NumberColumn, Numbers};
use super::spec::{ClassAxis, Format, Mark, NodeId, NodeKind, SourceFile, Spec, Tokens, Transform, Unit, names};
use super::table::{Cells, Places, Table, TableColumn, taken};
use super::text::{self, Ragged, Spelling, Tokenizer};
use super::transform::{Classes, Fitted, Statistic};
use super::{Checked, refuse};

/// What stands for words that have no number of their own.
const UNKNOWN: &str = "<unknown>";

/// The name that a tokenizer is kept under.
fn kept(file: &SourceFile) -> String {
    format!("bpe({})", file.path)
}

/// Reads the tokenizers of a declaration into what is fitted, where they are not there yet.
pub(super) fn read_tokenizers(
    spec: &Spec,
    files: &dyn Files,
    fitted: &mut Fitted,
    diagnostics: &mut Diagnostics,
) -> Option<()> {
    for file in tokenizers(spec) {
        if fitted.stages.contains_key(&kept(file)) {
            continue;
        }
        let json = taken(utf8(files::read(files, file), file), diagnostics)?;
        if let Err(why) = Tokenizer::read(&json) {
            diagnostics.push(texts::tokenizer(file.span, &file.path, &why));
            return None;
        }
        fitted.stages.insert(kept(file), Statistic::Tokenizer { json });
    }
    Some(())
}

/// The files of tokenizers.
fn tokenizers(spec: &Spec) -> impl Iterator<Item = &SourceFile> {
    spec.nodes.iter().filter_map(|node| match &node.kind {
        NodeKind::Apply(_, Transform::Tokens(tokens), _) => tokens.tokenizer.as_ref(),
        _ => None,
    })
}

/// A file that is kept; what is wrong with it was told when it was read.
fn tokenizer(file: &SourceFile, fitted: &Fitted) -> Option<Tokenizer> {
    match fitted.stages.get(&kept(file)) {
        Some(Statistic::Tokenizer { json }) => Tokenizer::read(json).ok(),
        _ => None,
    }
}

/// A text as the one column of a table: a row for each piece of one long text, or for each line that is not empty.
pub(super) fn table(
    format: Format,
    file: &SourceFile,
    spec: &Spec,
    files: &dyn Files,
    fitted: &Fitted,
    diagnostics: &mut Diagnostics,
) -> Option<Table> {
    let text = taken(utf8(files::read(files, file), file), diagnostics)?;
    let mut cells = TextColumn::default();
    let mut lines = Vec::new();
    let cells = match format {
        Format::Lines => {
            for (line, text) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                lines.push(line as u64 + 1);
                cells.push(text);
            }
            Cells::Text(cells)
        }
        Format::Text(Some(Unit::Pieces)) => {
            let source = tokenizers(spec).next()?;
            let pieces = match tokenizer(source, fitted)?.encode(&text) {
                Ok(pieces) => pieces,
                Err(letter) => {
                    let place = source.span.unwrap_or(spec.name.span);
                    diagnostics.push(texts::no_piece(place, &source.path, &letter));
                    return None;
                }
            };
            let numbers = Numbers::I32(pieces.iter().map(|piece| *piece as i32).collect());
            Cells::Numbers(NumberColumn { rows: pieces.len(), shape: Vec::new(), numbers })
        }
        Format::Text(Some(Unit::Words)) => {
            text::words(&text).iter().for_each(|word| cells.push(word));
            Cells::Text(cells)
        }
        _ => {
            text::chars(&text).for_each(|letter| cells.push(letter));
            Cells::Text(cells)
        }
    };
    let rows = match &cells {
        Cells::Text(cells) => cells.cells().count(),
        Cells::Numbers(numbers) => numbers.rows,
    };
    if rows == 0 {
        diagnostics.push(contents::no_rows(file.span, &file.path, false));
        return None;
    }
    let name = names::TEXT.to_owned();
    let mut table = Table::new(rows, vec![name.clone()], file.path.clone(), Places { rows: Vec::new(), lines });
    table.put(0, TableColumn { name, file: file.path.clone(), cells, places: None });
    Some(table)
}

/// The text of a source's file.
pub(super) fn text_of(files: &dyn Files, file: &SourceFile) -> Checked<String> {
    utf8(files::read(files, file), file)
}

/// The text of a file, without the mark that says in which order its bytes are.
fn utf8(bytes: Checked<Vec<u8>>, file: &SourceFile) -> Checked<String> {
    let bytes = bytes?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
            let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
            refuse(contents::not_utf8(file.span, &file.path, line, utf16))
        }
    }
}

/// The pieces that an axis counts.
struct Vocabulary {
    names: Vec<String>,
    spelling: Spelling,
    /// What fills rows up.
    fill: i32,
}

impl<'t> Evaluation<'t> {
    /// `chars[t, vocab]`, `words[t, vocab](…)`, `bpe[t, vocab](…)`
    pub fn tokens(
        &mut self,
        name: &str,
        tokens: &Tokens,
        (value, operand): (Value<'t>, NodeId),
        id: NodeId,
    ) -> Option<Value<'t>> {
        let Value::Cells(columns, form) = value else { return None };
        let [column] = columns[..] else {
            let (span, place) = (self.spec.node(id).span, self.spec.node(operand).span);
            let error = data::transform_mismatch(span, tokens.unit.word(), "one column", place, "several columns");
            self.diagnostics.push(error);
            return None;
        };
        let is_cut = self.spec.source.as_ref().is_some_and(|source| matches!(source.format, Format::Text(_)));
        let (numbers, ends, vocabulary) = match (&tokens.tokenizer, &column.cells) {
            (Some(file), cells) => self.pieces(tokens, file, (column, cells), id)?,
            (None, Cells::Text(cells)) => self.counted(name, tokens, cells, is_cut, id)?,
            (None, Cells::Numbers(_)) => return None,
        };
        let axis = tokens.axis.map(|axis| axis.name);
        let (names, spelling, size) = (vocabulary.names, vocabulary.spelling, tokens.axis);
        self.said(size, names.len())?;
        if is_cut {
            let (data, size) = (numbers, names.len());
            return Some(Value::Classes(Classes { form, data, axis, size, names, spelling }));
        }
        let rows = Arc::new(Ragged::of(numbers, ends, vocabulary.fill));
        Some(Value::Texts(Texts { rows, along: tokens.along, axis, names, spelling, most: None, size: None }))
    }

    /// The numbers of characters or words, and where each row ends.
    fn counted(
        &mut self,
        name: &str,
        tokens: &Tokens,
        cells: &'t TextColumn,
        is_cut: bool,
        id: NodeId,
    ) -> Option<(Vec<i32>, Vec<usize>, Vocabulary)> {
        let mut all: Vec<Cow<'t, str>> = Vec::new();
        let mut ends = Vec::with_capacity(self.table.rows);
        for cell in (0..self.table.rows).map(|row| cells.cell(row)) {
            match tokens.unit {
                _ if is_cut => all.push(cell.into()),
                Unit::Words => all.extend(text::words(cell).into_iter().map(Cow::from)),
                Unit::Chars | Unit::Pieces => all.extend(text::chars(cell).map(Cow::from)),
            }
            ends.push(all.len());
        }
        if !self.fitted.stages.contains_key(name) {
            let Some(rows) = self.fit else { return self.mismatch(name, id) };
            let mut counts: FxHashMap<&str, usize> = FxHashMap::default();
            for row in rows.iter().map(|row| *row as usize) {
                let start = if row == 0 { 0 } else { ends[row - 1] };
                all[start..ends[row]].iter().for_each(|token| *counts.entry(token).or_default() += 1);
            }
            let classes = ordered(counts, tokens);
            if classes.is_empty() {
                let (span, (named, _)) = (self.spec.node(id).span, self.column_named(id, 0));
                self.diagnostics.push(contents::nothing_to_fit(span, tokens.unit.word(), &named, None, None));
                return None;
            }
            self.fitted.stages.insert(name.to_owned(), Statistic::Vocab { classes, unknown: true });
        }
        let Some(Statistic::Vocab { classes, unknown: true }) = self.fitted.stages.get(name) else {
            return self.mismatch(name, id);
        };
        let known: FxHashMap<&str, i32> = classes.iter().map(String::as_str).zip(0..).collect();
        let fill = classes.len() as i32;
        let numbers = all.iter().map(|token| known.get(token.as_ref()).copied().unwrap_or(fill)).collect();
        let spelling = if tokens.unit == Unit::Words { Spelling::Words } else { Spelling::Chars };
        let names = classes.iter().cloned().chain([UNKNOWN.to_owned()]).collect();
        Some((numbers, ends, Vocabulary { names, spelling, fill }))
    }

    /// The numbers of the pieces of a tokenizer, with the marks that are asked for.
    fn pieces(
        &mut self,
        tokens: &Tokens,
        file: &SourceFile,
        (column, cells): (&'t TableColumn, &'t Cells),
        id: NodeId,
    ) -> Option<(Vec<i32>, Vec<usize>, Vocabulary)> {
        let span = self.spec.node(id).span;
        let Some(tokenizer) = tokenizer(file, self.fitted) else { return self.mismatch(&kept(file), id) };
        let begin = self.mark("begin", &tokens.begin, &tokenizer, tokenizer.begin(), (file, span))?;
        let end = self.mark("end", &tokens.end, &tokenizer, tokenizer.end(), (file, span))?;
        let mut numbers: Vec<i32> = Vec::new();
        let mut ends = Vec::with_capacity(self.table.rows);
        for row in 0..self.table.rows {
            match cells {
                Cells::Numbers(pieces) => numbers.push(pieces.get(row) as i32),
                Cells::Text(cells) => {
                    numbers.extend(begin);
                    match tokenizer.encode(cells.cell(row)) {
                        Ok(pieces) => numbers.extend(pieces.iter().map(|piece| *piece as i32)),
                        Err(letter) => {
                            let told = texts::no_piece(span, &file.path, &letter);
                            let place = self.table.place(column, row);
                            self.diagnostics.push(Diagnostic::note(told, format!("in {place}")));
                            return None;
                        }
                    }
                    numbers.extend(end);
                }
            }
            ends.push(numbers.len());
        }
        let (spelling, fill) = (tokenizer.spelling, tokenizer.fill as i32);
        Some((numbers, ends, Vocabulary { names: tokenizer.names, spelling, fill }))
    }

    /// The number of a mark; none within when none is asked for.
    fn mark(
        &mut self,
        word: &str,
        mark: &Mark,
        tokenizer: &Tokenizer,
        own: Option<u32>,
        (file, span): (&SourceFile, Span),
    ) -> Option<Option<i32>> {
        let (number, named) = match mark {
            Mark::No => return Some(None),
            Mark::Own => (own, None),
            Mark::Named(piece) => (tokenizer.number(piece), Some(piece.as_str())),
        };
        if number.is_none() {
            self.diagnostics.push(texts::no_mark(span, word, &file.path, named));
        }
        number.map(|number| Some(number as i32))
    }

    /// Reports a size that brackets say and that is another.
    fn said(&mut self, axis: Option<ClassAxis>, size: usize) -> Option<()> {
        match axis {
            Some(ClassAxis { size: Some(said), span, name }) if said != size => {
                self.diagnostics.push(contents::class_count(span, name.as_str(), said, size));
                None
            }
            _ => Some(()),
        }
    }

    /// `pad`, `pad(256)`
    pub fn padded(&mut self, size: Option<usize>, value: Value<'t>, id: NodeId) -> Option<Value<'t>> {
        let Value::Texts(found) = value else { return None };
        let Some(size) = size else { return Some(Value::Texts(found)) };
        if let Some(row) = found.rows.lengths().position(|length| length > size) {
            let (node, length) = (self.spec.node(id), found.rows.row(row).len());
            let value = match node.kind {
                NodeKind::Apply(_, _, operand) => self.spec.node(operand).span,
                _ => node.span,
            };
            let told = texts::longer_than_padding(node.span, value, self.table.made(names::TEXT, row), length, size);
            self.diagnostics.push(told);
            return None;
        }
        Some(Value::Texts(Texts { size: Some(size), ..found }))
    }
}

impl Texts {
    /// `truncate(512)`
    pub fn truncated(self, most: usize) -> Texts {
        let least = self.most.map_or(most, |known| known.min(most));
        Texts { rows: Arc::new(self.rows.truncated(most)), most: Some(least), ..self }
    }
}

/// The tokens that get numbers, in the order of the numbers.
fn ordered(counts: FxHashMap<&str, usize>, tokens: &Tokens) -> Vec<String> {
    let mut all: Vec<(&str, usize)> = counts.into_iter().filter(|(_, count)| *count >= tokens.least).collect();
    match tokens.unit {
        Unit::Words => all.sort_unstable_by_key(|(word, count)| (Reverse(*count), *word)),
        Unit::Chars | Unit::Pieces => all.sort_unstable(),
    }
    let most = tokens.most.unwrap_or(usize::MAX);
    all.into_iter().take(most).map(|(token, _)| token.to_owned()).collect()
}
