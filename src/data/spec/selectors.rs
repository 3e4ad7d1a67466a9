//! Columns of the file: `column("a")`, `columns("i1".."i13", "age")`, by names or by numbers.
//!
//! In: a call. Out: a node that names them. Whether the file has them is found when it is read.

use crate::diag::data;
use crate::syntax::ast::{Expr, ExprKind};

use super::arguments::{Arguments, Call, axes};
use super::columns::Reader;
use super::{Columns, Format, NodeId, NodeKind, Selector};

impl Reader<'_> {
    /// `column("a")`, `columns[feature]("i1".."i13", "age")`
    pub fn columns(&mut self, call: &Call<'_>) -> NodeId {
        const WANTED: &str = "the name of a column in quotes";
        let single = call.word == "column";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let axes = axes(call, usize::MAX, &self.constants, &mut self.diagnostics);
        if let Some(sized) = axes.iter().find(|axis| axis.size.is_some()) {
            self.diagnostics.push(data::wrong_argument(
                sized.span,
                call.word,
                "names of axes; their sizes are in the file",
            ));
        }
        if single {
            args.one(WANTED, &mut self.diagnostics);
        } else if args.values.is_empty() {
            self.diagnostics.push(data::wrong_argument(call.span, call.word, "names of columns in quotes"));
        }
        let mut names = Vec::new();
        for value in args.values {
            match self.selector(value) {
                Some(name) if single && name.last.is_some() => {
                    self.diagnostics.push(data::wrong_argument(value.span, call.word, WANTED));
                }
                Some(name) => names.push(name),
                None => self.diagnostics.push(match value.kind {
                    ExprKind::Name(word) => data::unquoted(value.span, call.word, WANTED, word.as_str()),
                    _ => data::wrong_argument(value.span, call.word, WANTED),
                }),
            }
        }
        if names.is_empty() {
            return self.error(call.span);
        }
        if let Some(Format::Synthetic(_)) = self.format {
            let made = match single {
                true => "random.normal[batch]".to_owned(),
                false => {
                    let axis = axes.first().map_or("feature", |axis| axis.name.as_str());
                    format!("random.normal[batch, {axis}: {}]", names.len())
                }
            };
            return self.fail(call.span, data::column_of_no_file(call.span, single, made));
        }
        let axes = axes.into_iter().map(|axis| axis.name).collect();
        self.push(NodeKind::Column(Columns { names, single, axes, brackets: call.brackets_span }), call.span)
    }

    /// `"age"`, `"i1".."i13"`, or a number where the file has no names
    pub fn selector(&mut self, expr: &Expr) -> Option<Selector> {
        if let Some(selector) = self.numbered_selector(expr) {
            return Some(selector);
        }
        let (first, last) = match &expr.kind {
            ExprKind::Range(Some(first), Some(last)) => (first.as_ref(), Some(self.constants.text(last)?)),
            _ => (expr, None),
        };
        let first = self.constants.text(first)?;
        self.named.get_or_insert(expr.span);
        Some(Selector { first, last, table: self.table, span: expr.span })
    }
}
