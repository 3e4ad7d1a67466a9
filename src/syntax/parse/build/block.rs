//! Blocks: statements and one value, at the end.
//!
//! The grammar takes values anywhere in a block. Here the last one is the value, a `param` in the middle is
//! a statement, and every other one is reported.

use super::super::grammar::{Node, Rule};
use super::super::tokens::UNITS;
use super::item::lost;
use super::{Builder, part, parts, two};
use crate::base::Span;
use crate::diag;
use crate::syntax::ast::{Block, Expr, ExprKind, StateVar, Stmt, Target};

impl Builder<'_, '_> {
    /// `block`
    pub(super) fn block(&mut self, node: Node) -> Block {
        let span = self.span(&node);
        let mut stmts = Vec::new();
        let mut value = None;
        // Where the part before this one ends, and on which line values that nothing uses were reported.
        let mut before: Option<usize> = None;
        let mut reported: Option<usize> = None;
        let mut rest = parts(node).peekable();
        while let Some(part) = rest.next() {
            let range = part.as_span().start()..part.as_span().end();
            if part.as_rule() != Rule::expr {
                stmts.push(self.stmt(part));
            } else if rest.peek().is_none() {
                value = Some(self.expr(part));
            } else {
                let same_line = reported.is_some_and(|at| self.on_one_line(at, range.start));
                let next = rest.peek().map(|next| next.as_span().start());
                if self.stray(&mut stmts, part, before, next, same_line) {
                    reported = Some(range.end);
                }
            }
            before = Some(range.end);
        }
        let value = value.unwrap_or_else(|| self.value_of(&stmts, span));
        Block { stmts, value: Box::new(value), span }
    }

    fn stmt(&mut self, node: Node) -> Stmt {
        match node.as_rule() {
            Rule::let_line => Stmt::Let(self.let_line(node)),
            Rule::state => {
                let statement = self.span(&node);
                Stmt::State(parts(node).map(|var| self.state_var(var, statement)).collect())
            }
            Rule::penalty => {
                let (name, value) = two(node);
                Stmt::Penalty { name: self.ident(&name), value: self.expr(value) }
            }
            Rule::assign => {
                let (name, value) = two(node);
                Stmt::Assign { name: self.ident(&name), value: self.expr(value) }
            }
            rule => unreachable!("{rule:?} is no statement"),
        }
    }

    fn state_var(&mut self, node: Node, statement: Span) -> StateVar {
        let mut parts = parts(node);
        let name = self.ident(&part(parts.next()));
        let (mut dtype, mut axes, mut init) = (None, None, None);
        for part in parts {
            match part.as_rule() {
                Rule::ident => dtype = Some(self.ident(&part)),
                Rule::axes => axes = Some(self.axes(part)),
                _ => init = Some(self.expr(part)),
            }
        }
        StateVar { name, dtype, axes, init: part(init), statement }
    }

    /// A value before the end of a block: a `param` statement, what recovery left, or a mistake. Whether
    /// it was reported, or belongs to what was.
    fn stray(
        &mut self,
        stmts: &mut Vec<Stmt>,
        node: Node,
        before: Option<usize>,
        next: Option<usize>,
        known: bool,
    ) -> bool {
        let (text, at) = (node.as_str().to_owned(), node.as_span());
        let (start, end) = (at.start(), at.end());
        let value = self.expr(node);
        let span = value.span;
        match value.kind {
            ExprKind::Param(param) if param.name.is_some() => {
                stmts.push(Stmt::Param(param));
                return false;
            }
            ExprKind::Error => {
                stmts.push(Stmt::Error(span));
                return false;
            }
            _ => stmts.push(Stmt::Error(span)),
        }
        if known {
            return true;
        }
        let draft = self.draft;
        let bracket = |at: usize| draft.text()[at..].get(..1).filter(|c| matches!(*c, "(" | "["));
        let diagnostic = if let Some((before, bracket)) = before.zip(bracket(start))
            && self.on_one_line(before, start)
        {
            diag::syntax::spaced_bracket(draft.span(before..start), bracket)
        } else if let Some((next, bracket)) = next.and_then(|next| Some((next, bracket(next)?)))
            && self.on_one_line(end, next)
        {
            diag::syntax::spaced_bracket(draft.span(end..next), bracket)
        } else if let Some(before) = before
            && UNITS.contains(&text.as_str())
            && draft.text()[..before].ends_with(|c: char| c.is_ascii_digit())
        {
            diag::syntax::unit_on_next_line(span, draft.span(before..start), &text)
        } else if let Some(advice) = diag::syntax::advice_for(&text) {
            diag::syntax::foreign_word(span, &text, advice)
        } else if let ("return", Some(next)) = (text.as_str(), next) {
            diag::syntax::return_value(draft.span(start..next))
        } else if matches!(value.kind, ExprKind::Param(_)) {
            let behind = start + "param".len();
            let gap = draft.text()[behind..end].len() - draft.text()[behind..end].trim_start_matches(' ').len();
            let gap = if bracket(behind + gap).is_some() { gap } else { 0 };
            diag::syntax::param_without_name(span, draft.span(behind..behind + gap))
        } else {
            // Of a value on many lines only the last: what should join it with the next line is missing there.
            let line = draft.text()[start..end].rfind('\n').map_or(start, |at| start + at + 1);
            let blanks = draft.text()[line..end].len() - draft.text()[line..end].trim_start().len();
            let stage = next.filter(|next| is_layer(&draft.text()[*next..])).map(|next| draft.span(next..next));
            diag::syntax::unused_value(draft.span(line + blanks..end), stage)
        };
        self.report(diagnostic);
        true
    }

    fn on_one_line(&self, from: usize, to: usize) -> bool {
        !self.draft.text()[from..to].contains('\n')
    }

    /// The value of a block without one: the `param` it ends with, or an error node.
    fn value_of(&mut self, stmts: &[Stmt], block: Span) -> Expr {
        let brace = Span { start: block.end.saturating_sub(1), ..block };
        if let Some(Stmt::Error(span)) = stmts.last() {
            return lost(*span);
        }
        let name = match stmts.last() {
            Some(Stmt::Let(found)) => match &found.target {
                Target::Names(names) if names.len() == 1 => Some((names[0], found.span)),
                _ => None,
            },
            Some(Stmt::Assign { name, value }) => Some((*name, name.span.to(value.span))),
            _ => None,
        };
        let end = name.map_or(brace, |(_, statement)| statement.after());
        let insert = name.map(|(name, statement)| {
            let line = self.source[..statement.start as usize].rfind('\n').map_or(0, |at| at + 1);
            let head = &self.source[line..statement.start as usize];
            let gap = if head.trim().is_empty() { format!("\n{head}") } else { " ".to_owned() };
            (statement.after(), format!("{gap}{}", name.name), name.name.as_str())
        });
        self.report(diag::syntax::no_value(end, insert));
        lost(brace.before())
    }
}

/// Whether a text begins with the use of a layer: `Dense(10)`.
fn is_layer(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.starts_with(|c: char| c.is_ascii_uppercase()) && text[end..].starts_with('(')
}
