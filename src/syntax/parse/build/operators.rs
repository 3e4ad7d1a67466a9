//! Precedence: a flat row of values and operators becomes a tree.
//!
//! From loosest to tightest:
//! `|>` · `or` · `and` · `not` · comparisons and `divides` · `..` · `+ -` · `* / // %` · `-x` · `^`.
//! Rows of one level stay flat. `^` takes the right side first and a signed exponent, as in `2^-x`;
//! `-x^2` is `-(x^2)`. Comparisons and ranges do not chain.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::expr::across;
use super::item::lost;
use crate::base::Span;
use crate::diag::{self, Diagnostics};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, UnaryOp};

/// One piece of the row.
pub(super) enum Piece {
    /// A sign before a value.
    Prefix(UnaryOp, Span),
    /// A value.
    Value(Expr),
    /// An operator between two values.
    Infix(BinaryOp, Span),
    /// `|>`
    Pipe,
    /// `..` between two values.
    Range(Span),
    /// `..` before a value alone.
    From(Span),
    /// `..` after a value alone.
    ToEnd(Span),
}

/// The operator of a sign before a value.
pub(super) fn prefix(sign: &str) -> UnaryOp {
    if sign == "-" { UnaryOp::Neg } else { UnaryOp::Not }
}

/// The piece of a sign between two values.
pub(super) fn infix(sign: &str, span: Span) -> Piece {
    let op = match sign {
        "|>" => return Piece::Pipe,
        ".." => return Piece::Range(span),
        "+" => BinaryOp::Add,
        "-" => BinaryOp::Sub,
        "*" => BinaryOp::Mul,
        "/" => BinaryOp::Div,
        "//" => BinaryOp::FloorDiv,
        "%" => BinaryOp::Mod,
        "^" => BinaryOp::Pow,
        "<" => BinaryOp::Lt,
        "<=" => BinaryOp::Le,
        "==" => BinaryOp::Eq,
        "!=" => BinaryOp::Ne,
        ">=" => BinaryOp::Ge,
        ">" => BinaryOp::Gt,
        "and" => BinaryOp::And,
        "or" => BinaryOp::Or,
        "divides" => BinaryOp::Divides,
        sign => unreachable!("`{sign}` is no operator"),
    };
    Piece::Infix(op, span)
}

/// The tree of a row.
pub(super) fn assemble(pieces: Vec<Piece>, source: &str, diagnostics: &mut Diagnostics) -> Expr {
    let mut row = Row { pieces: pieces.into_iter().peekable(), source, diagnostics };
    let value = row.pipe();
    match row.pieces.next() {
        None => value,
        Some(Piece::Range(span) | Piece::ToEnd(span) | Piece::From(span) | Piece::Infix(_, span)) => {
            row.diagnostics.push(diag::syntax::misplaced_range(span));
            lost(value.span)
        }
        Some(Piece::Pipe | Piece::Prefix(..) | Piece::Value(_)) => unreachable!("a pipe takes all there is"),
    }
}

struct Row<'d> {
    pieces: Peekable<IntoIter<Piece>>,
    source: &'d str,
    diagnostics: &'d mut Diagnostics,
}

impl Row<'_> {
    fn pipe(&mut self) -> Expr {
        let first = self.or();
        let mut stages = vec![first];
        while self.pieces.next_if(|piece| matches!(piece, Piece::Pipe)).is_some() {
            stages.push(self.or());
        }
        if stages.len() == 1 {
            return stages.swap_remove(0);
        }
        let span = across(&stages[0], &stages[stages.len() - 1]);
        Expr { kind: ExprKind::Pipe(stages), span }
    }

    fn or(&mut self) -> Expr {
        self.chain(|op| op == BinaryOp::Or, Row::and)
    }

    fn and(&mut self) -> Expr {
        self.chain(|op| op == BinaryOp::And, Row::not)
    }

    fn sum(&mut self) -> Expr {
        self.chain(|op| matches!(op, BinaryOp::Add | BinaryOp::Sub), Row::product)
    }

    fn product(&mut self) -> Expr {
        let ops = |op| matches!(op, BinaryOp::Mul | BinaryOp::Div | BinaryOp::FloorDiv | BinaryOp::Mod);
        self.chain(ops, Row::signed)
    }

    /// `operand (op operand)*` for the operators of one level.
    fn chain(&mut self, mine: impl Fn(BinaryOp) -> bool, operand: impl Fn(&mut Self) -> Expr) -> Expr {
        let first = operand(self);
        let mut rest = Vec::new();
        while let Some((op, span)) = self.operator(&mine) {
            rest.push((op, span, operand(self)));
        }
        chained(first, rest)
    }

    fn operator(&mut self, mine: impl Fn(BinaryOp) -> bool) -> Option<(BinaryOp, Span)> {
        match self.pieces.next_if(|piece| matches!(piece, Piece::Infix(op, _) if mine(*op)))? {
            Piece::Infix(op, span) => Some((op, span)),
            _ => None,
        }
    }

    fn not(&mut self) -> Expr {
        let Some(span) = self.sign(UnaryOp::Not) else { return self.comparison() };
        let operand = self.not();
        unary(UnaryOp::Not, span, operand)
    }

    fn sign(&mut self, wanted: UnaryOp) -> Option<Span> {
        match self.pieces.next_if(|piece| matches!(piece, Piece::Prefix(op, _) if *op == wanted))? {
            Piece::Prefix(_, span) => Some(span),
            _ => None,
        }
    }

    fn comparison(&mut self) -> Expr {
        let first = self.range();
        let Some((op, at)) = self.operator(compares) else { return first };
        let second = self.range();
        let mut between = second.span;
        let value = chained(first, vec![(op, at, second)]);
        let mut whole = value.span;
        let mut told = None;
        while let Some((op, at)) = self.operator(compares) {
            let words = &self.source[between.range()];
            told = Some(match told {
                None => diag::syntax::chained_comparison(at, op.sign(), words),
                Some(told) => diag::syntax::chained_further(told, at, words),
            });
            between = self.range().span;
            whole = whole.to(between);
        }
        let Some(told) = told else { return value };
        self.diagnostics.push(told);
        lost(whole)
    }

    fn range(&mut self) -> Expr {
        if let Some(Piece::From(dots)) = self.pieces.next_if(|piece| matches!(piece, Piece::From(_))) {
            let high = self.sum();
            let span = dots.to(high.span);
            return Expr { kind: ExprKind::Range(None, Some(Box::new(high))), span };
        }
        let low = self.sum();
        match self.pieces.next_if(|piece| matches!(piece, Piece::Range(_) | Piece::ToEnd(_))) {
            Some(Piece::Range(_)) => {
                let high = self.sum();
                let span = across(&low, &high);
                Expr { kind: ExprKind::Range(Some(Box::new(low)), Some(Box::new(high))), span }
            }
            Some(Piece::ToEnd(dots)) => {
                let span = low.span.to(dots);
                Expr { kind: ExprKind::Range(Some(Box::new(low)), None), span }
            }
            _ => low,
        }
    }

    fn signed(&mut self) -> Expr {
        if let Some(span) = self.sign(UnaryOp::Neg) {
            let operand = self.signed();
            return unary(UnaryOp::Neg, span, operand);
        }
        if let Some(span) = self.sign(UnaryOp::Not) {
            let operand = self.not();
            let value = unary(UnaryOp::Not, span, operand);
            self.diagnostics.push(diag::syntax::loose_not(span, value.span));
            return value;
        }
        self.power()
    }

    fn power(&mut self) -> Expr {
        let base = match self.pieces.next() {
            Some(Piece::Value(value)) => value,
            _ => unreachable!("the grammar puts a value here"),
        };
        let Some((op, at)) = self.operator(|op| op == BinaryOp::Pow) else { return base };
        let exponent = self.signed();
        chained(base, vec![(op, at, exponent)])
    }
}

fn compares(op: BinaryOp) -> bool {
    use BinaryOp::{Divides, Eq, Ge, Gt, Le, Lt, Ne};
    matches!(op, Lt | Le | Eq | Ne | Ge | Gt | Divides)
}

fn chained(first: Expr, rest: Vec<(BinaryOp, Span, Expr)>) -> Expr {
    let Some((_, _, last)) = rest.last() else { return first };
    let span = across(&first, last);
    Expr { kind: ExprKind::Chain(Box::new(first), rest), span }
}

fn unary(op: UnaryOp, sign: Span, operand: Expr) -> Expr {
    let span = sign.to(operand.span);
    Expr { kind: ExprKind::Unary(op, Box::new(operand)), span }
}
