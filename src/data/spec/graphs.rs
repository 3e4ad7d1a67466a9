//! Several tables at once: `tables(node = csv("nodes.csv"), edge = csv("edges.csv"))`, a graph.
//!
//! In: the source, and columns behind the name of a table: `node.column("id")`. Out: nodes whose selectors know their
//! table. A column is computed of one table; only `key` looks into another.

use crate::base::{Span, Symbol};
use crate::diag::{data, table};
use crate::syntax::ast::{Arg, Expr};

use super::arguments::{Arguments, Call};
use super::columns::Reader;
use super::gives::Gives;
use super::{Format, NodeId, NodeKind, Source, Transform, names};

impl Reader<'_> {
    /// `tables(node = csv("nodes.csv"), edge = csv("edges.csv"))`
    pub fn graph(&mut self, call: &Call<'_>) -> Option<Source> {
        const WANTED: &str =
            "a table for each axis, as in `tables(node = csv(\"nodes.csv\"), edge = csv(\"edges.csv\"))`";
        let mut tables: Vec<(Symbol, Source)> = Vec::new();
        for arg in call.args {
            let Arg::Set(name, value) = arg else {
                self.diagnostics.push(data::wrong_argument(call.span, call.word, WANTED));
                return None;
            };
            if tables.iter().any(|(other, _)| *other == name.name) {
                self.diagnostics.push(data::argument_twice(name.span, call.word, name.name.as_str()));
                return None;
            }
            let source = self.source(value)?;
            if !source.format.is_table() || !source.steps.is_empty() {
                self.diagnostics.push(data::wrong_argument(value.span, call.word, WANTED));
                return None;
            }
            tables.push((name.name, source));
        }
        if tables.is_empty() {
            self.diagnostics.push(data::wrong_argument(call.span, call.word, WANTED));
            return None;
        }
        Some(Source { tables, ..Source::of(Format::Graph, Vec::new()) })
    }

    /// `node.column("x")`; none when it is something else.
    pub fn of_table(&mut self, expr: &Expr) -> Option<NodeId> {
        let (of, call) = Call::behind_a_name(expr)?;
        if !names::COLUMNS.contains(&call.word) {
            return None;
        }
        // What is wrong with the tables is reported.
        if self.format.is_none() {
            return Some(self.error(expr.span));
        }
        let Some(at) = self.tables.iter().position(|table| *table == of.name) else {
            let known: Vec<&str> = self.tables.iter().map(|table| table.as_str()).collect();
            let dotted = of.span.to(call.word_span.before());
            let error = table::no_table(of.span, dotted, of.name.as_str(), &known);
            return Some(self.fail(expr.span, error));
        };
        self.table = at;
        let node = self.columns(&call);
        self.table = 0;
        Some(node)
    }

    /// `key(node.column("id"))`
    pub fn key(&mut self, call: &Call<'_>) -> Option<Transform> {
        const WANTED: &str = "the column of a table that has the keys, as in `key(node.column(\"id\"))`";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let value = args.one(WANTED, &mut self.diagnostics)?;
        let Some(column) = self.of_table(value) else {
            self.diagnostics.push(data::wrong_argument(value.span, call.word, WANTED));
            return None;
        };
        let selector = self.single(column);
        if selector.is_none() && self.gives(column) != Gives::Error {
            self.diagnostics.push(data::wrong_argument(value.span, call.word, WANTED));
        }
        selector.map(Transform::Key)
    }

    /// The node, or what is wrong: a column of a graph is made of the columns of one table.
    pub fn of_one_table(&mut self, id: NodeId, span: Span) -> NodeId {
        if self.tables.is_empty() || self.gives(id) == Gives::Error {
            return id;
        }
        let mut tables = Vec::new();
        self.tables_of(id, &mut tables);
        tables.sort_unstable();
        tables.dedup();
        match tables.as_slice() {
            [_] => id,
            [] => self.fail(span, table::of_no_table(span)),
            [first, second, ..] => {
                let (first, second) = (self.tables[*first], self.tables[*second]);
                self.fail(span, table::of_two_tables(span, first.as_str(), second.as_str()))
            }
        }
    }

    fn tables_of(&self, id: NodeId, tables: &mut Vec<usize>) {
        if let NodeKind::Column(columns) = &self.node(id).kind {
            tables.extend(columns.names.iter().map(|name| name.table));
        }
        self.node(id).kind.operands().for_each(|operand| self.tables_of(operand, tables));
    }
}
