//! What a mistake in a declaration is mended with: lines that stand elsewhere, sources and columns that are meant.
//!
//! In: the lines as they are written. Out: places and words, for the messages of `diag::data`.

use crate::base::{Span, Symbol, numbered};
use crate::diag::data::{self, Moved};
use crate::diag::{Diagnostic, nearest};
use crate::syntax::ast::{Entry, Expr, ExprKind, Ident};
use crate::syntax::print::{print_entry, print_expr};

use super::arguments::Call;
use super::columns::Reader;
use super::gives::Gives;
use super::{Format, Transform, names};

/// Which source reads files with this ending.
const ENDINGS: &[(&str, &str)] = &[
    (".csv", "csv"),
    (".tsv", "tsv"),
    (".jsonl", "jsonl"),
    (".parquet", "parquet"),
    (".npy", "npy"),
    (".npz", "npz"),
    (".txt", "lines"),
];

/// The source that a file has by its ending, which may be packed.
pub(super) fn source_of(path: &str) -> Option<&'static str> {
    let path = path.strip_suffix(".gz").unwrap_or(path);
    ENDINGS.iter().find(|(ending, _)| path.ends_with(ending)).map(|(_, source)| *source)
}

/// The names in an expression.
fn names_in(value: &Expr) -> Vec<Symbol> {
    let mut found = Vec::new();
    value.walk(&mut |expr| {
        if let ExprKind::Name(name) = expr.kind {
            found.push(name);
        }
    });
    found
}

impl<'a> Reader<'a> {
    /// What stands at a place of the declaration.
    pub fn expr_at(&self, place: Span) -> Option<&'a Expr> {
        let lines = self.data.entries.iter().filter_map(Entry::value).map(|(value, _)| value);
        let mut found = None;
        lines.chain([&self.data.source]).for_each(|value| {
            value.walk(&mut |expr| {
                if expr.span == place {
                    found = found.or(Some(expr));
                }
            });
        });
        found
    }

    /// The line that gives a name, above the one that is being read; none where that would only move the mistake.
    pub fn moved_up(&self, name: Symbol) -> Option<Moved> {
        let to = self.data.entries.get(self.line?)?.value()?.1.before();
        let giving =
            self.data.entries.iter().skip(self.line? + 1).find(|entry| entry.names().iter().any(|n| n.name == name))?;
        let (value, from) = giving.value()?;
        // What it is made of must be there already.
        let waits = |name: &Symbol| self.defined.contains_key(name) && self.lookup(*name).is_none();
        (!names_in(value).iter().any(waits)).then(|| Moved { to, words: format!("{}\n  ", print_entry(giving)), from })
    }

    /// A line of this name as a constant of the program, above the declaration.
    pub fn as_constant(&self, name: Ident, value: &Expr) -> Option<Moved> {
        let (_, from) = self.data.entries.get(self.line?)?.value()?;
        // What documents the declaration stays with it.
        let (to, before, after) = match self.data.doc {
            None => (self.data.span.before(), "", "\n\n"),
            Some(_) => (self.data.span.after(), "\n\n", ""),
        };
        let words = format!("{before}let {} = {}{after}", name.name, print_expr(value));
        Some(Moved { to, words, from })
    }

    /// Whether a line of the declaration, or its source, reads a name.
    pub fn reads(&self, name: Symbol) -> bool {
        let values = self.data.entries.iter().filter_map(Entry::value).map(|(value, _)| value);
        values.chain([&self.data.source]).any(|value| names_in(value).contains(&name))
    }

    /// Whether the line that is being read gives a name itself.
    pub fn is_given_here(&self, name: Symbol) -> bool {
        let line = self.line.and_then(|line| self.data.entries.get(line));
        line.is_some_and(|entry| entry.names().iter().any(|given| given.name == name))
    }

    /// Whether the source has columns whose names stand in its files.
    pub fn has_named_columns(&self) -> bool {
        match self.format {
            Some(Format::Table { .. } | Format::Json | Format::Parquet | Format::Arrays(_) | Format::Pairs) => true,
            Some(
                Format::Images { .. }
                | Format::Text(_)
                | Format::Lines
                | Format::Files
                | Format::Graph
                | Format::Synthetic(_),
            )
            | None => false,
        }
    }

    /// Tells of what stands where a source is wanted.
    pub fn not_a_source(&mut self, expr: &Expr) {
        let meant = match (self.constants.text(expr), self.constants.count(expr)) {
            (Some(path), _) => source_of(&path),
            (None, Some(_)) => Some("synthetic"),
            (None, None) => None,
        };
        self.diagnostics.push(data::not_a_source(expr.span, meant, names::SOURCES));
    }

    /// What an expression that is no column was to be: the columns of the names in it.
    pub fn columns_meant(&self, expr: &Expr) -> Option<String> {
        if !self.has_named_columns() {
            return None;
        }
        match &expr.kind {
            ExprKind::Str(_) => Some(format!("column({})", print_expr(expr))),
            ExprKind::List(items) if items.iter().all(|item| self.constants.text(item).is_some()) => {
                let items: Vec<String> = items.iter().map(print_expr).collect();
                (!items.is_empty()).then(|| format!("columns({})", items.join(", ")))
            }
            ExprKind::Range(Some(first), Some(last))
                if [first, last].iter().all(|end| self.constants.text(end).is_some()) =>
            {
                Some(format!("columns({})", print_expr(expr)))
            }
            _ => None,
        }
    }

    /// A step that makes what another takes of what it gets.
    pub fn step_between(&self, transform: &Transform, gives: Gives) -> Option<&'static str> {
        let names_files = match self.format {
            Some(Format::Arrays(_) | Format::Synthetic(_)) | None => false,
            Some(format) => (format.is_table() || format == Format::Files) && gives == Gives::Cells,
        };
        match transform {
            Transform::Balance if matches!(gives, Gives::Cells | Gives::Numbers | Gives::Words) => Some("vocab"),
            Transform::Truncate(_) | Transform::Pad(_) if gives == Gives::Cells => Some("words"),
            Transform::Picture(_) if names_files => Some("decode[h, w, c]"),
            Transform::Standardize | Transform::Minmax | Transform::Scale(_) if gives == Gives::Sets => {
                Some("multi_hot")
            }
            _ => None,
        }
    }

    /// Tells of an expression that is no column.
    pub fn not_a_column(&mut self, expr: &Expr) {
        let meant = self.columns_meant(expr);
        self.diagnostics.push(data::not_a_column(expr.span, meant));
    }

    /// `bach = 32`, `splt = random(…)`: a value that can be no column belongs to a setting.
    pub fn misspelt_setting(&self, name: Ident, value: &Expr) -> Option<Diagnostic> {
        let word = name.name.as_str();
        let call = Call::of(value).map(|call| call.word);
        let is_split = call.is_some_and(|call| names::SPLITS.contains(&call));
        let is_constant = self.constants.eval(value).is_some() && call.is_none_or(|call| !self.known_name(call));
        let is_batch = matches!(call, Some("whole" | "tokens" | "auto"));
        if !(is_split || is_constant || is_batch) {
            return None;
        }
        let is_text = self.constants.text(value).is_some();
        let near = if is_split {
            Some("split")
        } else if is_batch {
            Some("batch")
        } else {
            nearest(word, names::SETTINGS.iter().copied())
        };
        if near.is_none() && is_text {
            return Some(data::not_a_column(value.span, self.columns_meant(value)));
        }
        // What other lines compute with is a constant of the program.
        let constant = if self.reads(name.name) { self.as_constant(name, value) } else { None };
        let near = match constant {
            Some(_) => near,
            None => near.or_else(|| data::nearest_in_parts(word, names::SETTINGS)),
        };
        Some(data::unknown_setting(name.span, word, near, names::SETTINGS, constant))
    }

    /// The name with the first number behind it that makes it one of its own.
    pub fn free_name(&self, name: Symbol) -> String {
        numbered(&format!("{name}_"), |name| !self.defined.contains_key(&Symbol::new(name)))
    }

    /// Tells of a name that no line above gives; `as_column` says whether a column of the file may stand in its place.
    pub fn unknown_name(&mut self, span: Span, name: Symbol, as_column: bool) {
        // A step that stands alone lacks its column, and is none itself.
        let as_column = as_column && self.has_named_columns() && !names::TRANSFORMS.contains(&name.as_str());
        // The source stands above all lines.
        let error = match self.defined.get(&name).filter(|_| self.line.is_some()) {
            Some(_) if self.is_given_here(name) => data::made_of_itself(span, name.as_str(), as_column),
            Some(&defined) => data::used_before(span, name.as_str(), defined, self.moved_up(name)),
            None if name.as_str() == names::LABEL
                && matches!(self.format, Some(Format::Images { labels: false, .. })) =>
            {
                data::label_unread(span, self.source_end)
            }
            None => {
                let mut known: Vec<&str> = self.known.keys().map(|name| name.as_str()).collect();
                known.sort_unstable();
                data::unknown_name(span, name.as_str(), known.iter().copied(), as_column)
            }
        };
        self.diagnostics.push(error);
    }

    /// A stage that is none: a number without what it is to be done with, or a transform that goes on to arithmetic.
    pub fn not_a_transform(&self, stage: &Expr) -> Diagnostic {
        if self.constants.number(stage).is_some() {
            return data::number_as_stage(stage.span);
        }
        let head = match &stage.kind {
            ExprKind::Chain(first, _) => Call::of(first).filter(|call| names::TRANSFORMS.contains(&call.word)),
            _ => None,
        };
        data::not_a_transform(stage.span, head.map(|call| call.span.after()))
    }
}
