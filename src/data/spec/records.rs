//! Records of columns: several columns that go through one pipeline.
//!
//! In: `{ price: …, units: … } |> standardize`. Out: a node that holds its fields; a transform on it is one on each.
//! A record under one name becomes its fields side by side; under several names each takes its field.

use crate::base::{Span, Symbol, numbered};
use crate::diag::{data, table};
use crate::syntax::ast::{Arg, Expr, ExprKind, Ident};
use crate::syntax::print::{is_name, print_expr};

use super::arguments::Call;
use super::columns::Reader;
use super::gives::Gives;
use super::{EntrySpec, NodeId, NodeKind};

impl Reader<'_> {
    /// `{ a: column("a"), b: column("b") }`
    pub fn record(&mut self, fields: &[(Ident, Expr)], hole: Option<NodeId>, span: Span) -> NodeId {
        let mut found: Vec<(Symbol, NodeId)> = Vec::new();
        for (name, value) in fields {
            let node = self.value(value, hole);
            if found.iter().any(|(other, _)| *other == name.name) {
                let is_free = |free: &str| fields.iter().all(|(field, _)| field.name.as_str() != free);
                let free = numbered(&format!("{}_", name.name), is_free);
                self.diagnostics.push(table::field_twice(name.span, name.name.as_str(), &free));
            }
            let node = match self.gives(node) {
                Gives::Constant | Gives::Record => self.fail(value.span, data::not_a_column(value.span, None)),
                _ => node,
            };
            found.push((name.name, node));
        }
        match found.is_empty() {
            true => self.fail(span, data::not_a_column(span, None)),
            false => {
                let fields = self.tied(found);
                self.push(NodeKind::Record(fields), span)
            }
        }
    }

    /// The fields of a node that is a record.
    pub fn fields(&self, id: NodeId) -> Option<Vec<(Symbol, NodeId)>> {
        match &self.node(id).kind {
            NodeKind::Record(fields) => Some(fields.clone()),
            _ => None,
        }
    }

    /// The same on every field. Random changes draw for all of them at once; what a step with this word does not
    /// concern is passed by.
    pub fn each_field(
        &mut self,
        fields: Vec<(Symbol, NodeId)>,
        (word, span): (&str, Span),
        mut of: impl FnMut(&mut Self, NodeId) -> NodeId,
    ) -> NodeId {
        // What is wrong with a field is told, and other fields may have been meant to follow it.
        if fields.iter().any(|(_, field)| self.gives(*field) == Gives::Error) {
            return self.error(span);
        }
        let next = fields.iter().map(|(_, field)| self.draws_of(*field)).max().unwrap_or(0);
        let outer = std::mem::replace(&mut self.draws, next);
        let mut made = Vec::new();
        for (name, node) in &fields {
            let errors = self.error_count();
            let field = if self.passes_by(word, *node, &fields) { *node } else { of(self, *node) };
            made.push((*name, field));
            if self.error_count() > errors {
                // What is wrong with a step is wrong for every field.
                self.draws = outer;
                return self.error(span);
            }
        }
        self.draws = outer;
        let made = self.tied(made);
        self.push(NodeKind::Record(made), span)
    }

    /// `r.a`
    pub fn field(&mut self, of: &Expr, name: Ident, span: Span) -> NodeId {
        let ExprKind::Name(record) = of.kind else { return self.fail(span, data::not_a_column(span, None)) };
        let Some(node) = self.lookup(record) else {
            self.unknown_name(of.span, record, false);
            return self.error(span);
        };
        let Some(fields) = self.fields(node) else {
            return match self.gives(node) {
                Gives::Error => self.error(span),
                _ => self.fail(span, table::no_record(of.span, record.as_str(), name.span)),
            };
        };
        match fields.iter().find(|(field, _)| *field == name.name) {
            Some((_, field)) => *field,
            None => {
                let known: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
                let open: Vec<&str> = known.iter().copied().filter(|field| is_name(field)).collect();
                self.fail(span, table::no_field(name.span, name.name.as_str(), &known, &open))
            }
        }
    }

    /// `x, y = { x: …, y: … }`, `let { x, y } = r`: the names with their fields; empty on an error.
    pub fn several(&mut self, names: &[Ident], value: &Expr) -> Vec<(Ident, NodeId)> {
        let (Some(first), Some(last)) = (names.first(), names.last()) else { return Vec::new() };
        self.owner = first.name;
        self.stages = 0;
        let node = self.value(value, None);
        let Some(fields) = self.fields(node) else {
            if self.gives(node) != Gives::Error {
                let words: Vec<&str> = names.iter().map(|name| name.name.as_str()).collect();
                let told = table::several_of_one(&words, first.span.to(last.span), value.span, apart(&words, value));
                self.diagnostics.push(told);
            }
            return names.iter().map(|name| (*name, self.error(name.span))).collect();
        };
        let mut found = Vec::new();
        for name in names {
            let node = match fields.iter().find(|(field, _)| *field == name.name) {
                Some((_, node)) => *node,
                None => {
                    let known: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
                    let is_open =
                        |field: &&str| is_name(field) && names.iter().all(|name| name.name.as_str() != *field);
                    let open: Vec<&str> = known.iter().copied().filter(is_open).collect();
                    self.fail(name.span, table::no_field(name.span, name.name.as_str(), &known, &open))
                }
            };
            found.push((*name, node));
        }
        found
    }

    /// Several columns of one record.
    pub fn entries_of(&mut self, names: &[Ident], value: &Expr) {
        let fields = self.several(names, value);
        let errors = self.error_count();
        for (name, node) in fields {
            // What keeps one field from being a column is told once.
            let node = match self.error_count() == errors {
                true => self.finished(node, value.span),
                false => self.error(value.span),
            };
            if self.define(name, node) {
                self.entries.push(EntrySpec { name, node });
            }
        }
    }

    /// A record as one column: its fields side by side.
    pub fn stacked(&mut self, node: NodeId) -> NodeId {
        match self.fields(node) {
            Some(fields) => {
                let span = self.node(node).span;
                self.push(NodeKind::Stack(fields.into_iter().map(|(_, field)| field).collect()), span)
            }
            None => node,
        }
    }
}

/// `x, y = columns("a", "b")` as a record of as many columns.
fn apart(names: &[&str], value: &Expr) -> Option<String> {
    let call = Call::of(value).filter(|call| call.word == "columns" && call.args.len() == names.len())?;
    let fields = names.iter().zip(call.args).map(|(name, arg)| match arg {
        Arg::Value(text @ Expr { kind: ExprKind::Str(_), .. }) => Some(format!("{name}: column({})", print_expr(text))),
        _ => None,
    });
    Some(format!("{{ {} }}", fields.collect::<Option<Vec<_>>>()?.join(", ")))
}
