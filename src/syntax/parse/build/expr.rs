//! Values: atoms, calls, indices and fields; operators are put together in `operators.rs`.

use super::super::grammar::{Node, Rule};
use super::item::lost;
use super::operators::{self, Piece};
use super::{Builder, MAX_DEPTH, part, parts, two};
use crate::base::{Span, Symbol};
use crate::diag;
use crate::syntax::ast::{Arg, Block, Brackets, Expr, ExprKind, Ident, Ix, ParamDef, Scan};

impl Builder<'_, '_> {
    /// `expr`
    pub(in super::super) fn expr(&mut self, node: Node) -> Expr {
        let span = self.span(&node);
        if self.depth >= MAX_DEPTH {
            self.report(diag::syntax::too_much(span));
            return lost(span);
        }
        self.depth += 1;
        let mut pieces = Vec::new();
        for part in node.into_inner() {
            self.piece(&mut pieces, part);
        }
        self.depth -= 1;
        operators::assemble(pieces, self.source, self.diagnostics)
    }

    fn piece(&mut self, pieces: &mut Vec<Piece>, node: Node) {
        let span = self.span(&node);
        match node.as_rule() {
            Rule::prefix => pieces.push(Piece::Prefix(operators::prefix(node.as_str()), span)),
            Rule::infix => pieces.push(operators::infix(node.as_str(), span)),
            Rule::dots => pieces.push(Piece::From(span)),
            Rule::to_end => pieces.push(Piece::ToEnd(span)),
            Rule::primary => pieces.push(Piece::Value(self.primary(node))),
            Rule::from_start => {
                for part in node.into_inner() {
                    self.piece(pieces, part);
                }
            }
            rule => unreachable!("{rule:?} is no piece of an expression"),
        }
    }

    fn primary(&mut self, node: Node) -> Expr {
        let mut parts = node.into_inner();
        let mut value = self.atom(part(parts.next()));
        for post in parts {
            let span = value.span.to(self.span(&post));
            let base = Box::new(value);
            let kind = match post.as_rule() {
                Rule::call => ExprKind::Call(base, super::parts(post).map(|arg| self.arg(arg)).collect()),
                Rule::index => ExprKind::Index(base, self.brackets(post)),
                _ => ExprKind::Field(base, self.ident(&part(super::parts(post).next()))),
            };
            value = Expr { kind, span };
        }
        value
    }

    pub(super) fn atom(&mut self, node: Node) -> Expr {
        let span = self.span(&node);
        let kind = match node.as_rule() {
            Rule::number => self.number(node),
            Rule::boolean => ExprKind::Bool(node.as_str() == "true"),
            Rule::string => ExprKind::Str(self.text(&node)),
            Rule::hole => ExprKind::Hole,
            Rule::name => ExprKind::Name(Symbol::new(node.as_str())),
            // The brackets belong to the place of the value, so that a message marks all of it.
            Rule::paren => self.expr(part(parts(node).next())).kind,
            Rule::list => ExprKind::List(parts(node).map(|member| self.expr(member)).collect()),
            Rule::record => ExprKind::Record(parts(node).map(|member| self.member(member)).collect()),
            Rule::block => ExprKind::Block(self.block(node)),
            Rule::if_else => return self.if_else(node),
            Rule::stack => self.stack(node),
            Rule::scan => ExprKind::Scan(Box::new(self.scan(node))),
            Rule::remat => ExprKind::Remat(self.block(part(parts(node).next()))),
            Rule::param => ExprKind::Param(self.param(node)),
            Rule::lost => ExprKind::Error,
            rule => unreachable!("{rule:?} is no value"),
        };
        Expr { kind, span }
    }

    fn member(&mut self, node: Node) -> (Ident, Expr) {
        let (key, value) = two(node);
        let name = match key.as_rule() {
            Rule::string => Ident { name: Symbol::new(&self.text(&key)), span: self.span(&key) },
            _ => self.ident(&key),
        };
        (name, self.expr(value))
    }

    /// An `else if` chain is read from its end: each `if` becomes the block of the one before it.
    fn if_else(&mut self, node: Node) -> Expr {
        let head = self.span(&node);
        let has_else = node.clone().into_inner().any(|part| part.as_rule() == Rule::kw_else);
        let mut parts = parts(node);
        let condition = self.expr(part(parts.next()));
        let then = self.block(part(parts.next()));
        if !has_else {
            self.no_else(then.span.after(), head.before().to(condition.span));
        }
        let (otherwise, span) = match parts.next() {
            Some(block) if block.as_rule() == Rule::block => {
                let block = self.block(block);
                let span = head.before().to(block.span);
                (block, span)
            }
            Some(chained) => {
                let value = self.if_else(chained);
                let span = head.before().to(value.span);
                (Block { stmts: Vec::new(), span: value.span, value: Box::new(value) }, span)
            }
            None => {
                let end = then.span.after();
                let block = Block { stmts: Vec::new(), value: Box::new(lost(end)), span: end };
                (block, head.before().to(then.span))
            }
        };
        Expr { kind: ExprKind::If(Box::new(condition), then, otherwise), span }
    }

    fn no_else(&mut self, end: Span, head: Span) {
        let rest = &self.source[end.start as usize..];
        let gap = rest.len() - rest.trim_start().len();
        let diagnostic = match (rest.trim_start().strip_prefix("elif"), diag::syntax::advice_for("elif")) {
            (Some(_), Some(advice)) => {
                let start = end.start as usize + gap;
                diag::syntax::foreign_word(Span::new(end.file, start, start + "elif".len()), "elif", advice)
            }
            _ => diag::syntax::if_without_else(end, head, rest.trim_start().starts_with('{')),
        };
        self.report(diagnostic);
    }

    fn stack(&mut self, node: Node) -> ExprKind {
        let mut var = None;
        let mut over = None;
        let mut body = None;
        for part in parts(node) {
            match part.as_rule() {
                Rule::ident => var = Some(self.ident(&part)),
                Rule::expr => over = Some(Box::new(self.expr(part))),
                _ => body = Some(self.block(part)),
            }
        }
        ExprKind::Stack { var, over: part(over), body: part(body) }
    }

    fn scan(&mut self, node: Node) -> Scan {
        let mut axis = None;
        let mut reversed = false;
        let mut carries = Vec::new();
        let mut until = None;
        let mut body = None;
        for part in parts(node) {
            match part.as_rule() {
                Rule::named_axis => axis = Some(self.axis(part)),
                Rule::kw_reversed => reversed = true,
                Rule::carry => {
                    let (name, value) = two(part);
                    carries.push((self.ident(&name), self.expr(value)));
                }
                Rule::until => until = parts(part).next().map(|condition| self.expr(condition)),
                _ => body = Some(self.block(part)),
            }
        }
        Scan { axis: part(axis), reversed, carries, until, body: part(body) }
    }

    fn param(&mut self, node: Node) -> ParamDef {
        let span = self.span(&node);
        let (mut name, mut dtype, mut init) = (None, None, None);
        let mut axes = Vec::new();
        for part in parts(node) {
            match part.as_rule() {
                Rule::ident if name.is_some() => dtype = Some(self.ident(&part)),
                Rule::ident => name = Some(self.ident(&part)),
                Rule::axes => axes = self.axes(part),
                _ => init = Some(self.primary(part)),
            }
        }
        ParamDef { name, dtype, axes, init: Box::new(part(init)), span }
    }

    fn arg(&mut self, node: Node) -> Arg {
        match node.as_rule() {
            Rule::named => {
                let sized = has_colon(&node);
                let (name, value) = two(node);
                let (name, value) = (self.ident(&name), self.expr(value));
                if sized { Arg::Axis(name, value) } else { Arg::Set(name, value) }
            }
            Rule::quoted => {
                let (key, value) = two(node);
                let span = self.span(&key);
                Arg::Quoted(self.text(&key), span, self.expr(value))
            }
            _ => Arg::Value(self.expr(node)),
        }
    }

    fn brackets(&mut self, node: Node) -> Brackets {
        let span = self.span(&node);
        let mut from = Vec::new();
        let mut to = None;
        for part in parts(node) {
            match part.as_rule() {
                Rule::arrow => to = Some(Vec::new()),
                _ => to.as_mut().unwrap_or(&mut from).extend(parts(part).map(|place| self.place(place))),
            }
        }
        Brackets { from, to, span }
    }

    fn place(&mut self, node: Node) -> Ix {
        match node.as_rule() {
            Rule::row => Ix::Row(self.span(&node)),
            Rule::named_place => {
                let sized = has_colon(&node);
                let mut parts = parts(node);
                let name = self.ident(&part(parts.next()));
                let value = self.expr(part(parts.next()));
                match parts.next() {
                    Some(index) => Ix::Axis(name, value, Some(self.expr(index))),
                    None if sized => Ix::Axis(name, value, None),
                    None => Ix::Set(name, value),
                }
            }
            _ => Ix::Value(self.expr(node)),
        }
    }
}

/// Whether a `:` follows the name that a node begins with.
fn has_colon(node: &Node) -> bool {
    node.clone().into_inner().nth(1).is_some_and(|sign| sign.as_rule() == Rule::colon)
}

/// The place from the first value to the last.
pub(super) fn across(first: &Expr, last: &Expr) -> Span {
    first.span.to(last.span)
}
