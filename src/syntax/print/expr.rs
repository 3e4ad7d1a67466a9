//! Values as text, with brackets only where precedence asks for them.

use std::fmt::Write;

use super::{Printer, WIDTH, deeper};
use crate::base::Span;
use crate::syntax::ast::{Arg, BinaryOp, Block, Brackets, Expr, ExprKind, Ix, Scan, UnaryOp};
use crate::syntax::parse::UNITS;

/// What an expression is printed into: how tight it must bind to go without brackets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// Between commas or brackets, where even an open range may stand.
    Inside,
    /// After `=`, before a block, at the end of a block: anything but an open range.
    Open,
    /// A stage of a pipe.
    Stage,
    /// An operand of `or`.
    Or,
    /// An operand of `and`.
    And,
    /// What `not` is before.
    Not,
    /// A side of a range; a range itself has both its sides tighter.
    Compared,
    /// An operand of `+`.
    Sum,
    /// An operand of `*`.
    Product,
    /// The right side of `^`.
    Signed,
    /// What is called, indexed, raised or initialises.
    Primary,
}

impl Printer {
    /// Prints an expression, in brackets where its place asks for something tighter.
    pub(super) fn expr(&mut self, expr: &Expr, place: Place) {
        if binds(&expr.kind) < place {
            self.put("(");
            self.bare(&expr.kind);
            self.put(")");
        } else {
            self.bare(&expr.kind);
        }
    }

    fn bare(&mut self, kind: &ExprKind) {
        match kind {
            ExprKind::Number(number) => self.number(number),
            ExprKind::Bool(value) => self.put(if *value { "true" } else { "false" }),
            ExprKind::Str(text) => self.quoted(text),
            ExprKind::Hole => self.put("_"),
            ExprKind::Name(name) => self.put(name.as_str()),
            ExprKind::Unary(op, operand) => {
                let (sign, place) = match op {
                    UnaryOp::Neg => ("-", Place::Signed),
                    UnaryOp::Not => ("not ", Place::Not),
                };
                self.put(sign);
                self.expr(operand, place);
            }
            ExprKind::Chain(first, rest) => self.chain(first, rest),
            ExprKind::Range(low, high) => {
                for (bound, dots) in [(low, ".."), (high, "")] {
                    if let Some(bound) = bound {
                        self.expr(bound, Place::Sum);
                    }
                    self.put(dots);
                }
            }
            ExprKind::Pipe(stages) => self.pipe(stages),
            ExprKind::Call(callee, args) => {
                self.expr(callee, Place::Primary);
                self.put("(");
                self.list(args, Printer::arg);
                self.put(")");
            }
            ExprKind::Index(base, brackets) => {
                self.expr(base, Place::Primary);
                self.brackets(brackets);
            }
            ExprKind::Field(base, name) => {
                self.expr(base, Place::Primary);
                self.put(".");
                self.ident(*name);
            }
            ExprKind::If(condition, then, otherwise) => self.if_else(condition, then, otherwise),
            ExprKind::Stack { var, over, body } => {
                self.put("stack ");
                if let Some(var) = var {
                    self.ident(*var);
                    self.put(" in ");
                }
                self.expr(over, Place::Open);
                self.put(" ");
                self.block(body);
            }
            ExprKind::Scan(scan) => self.scan(scan),
            ExprKind::Remat(block) => {
                self.put("remat ");
                self.block(block);
            }
            ExprKind::Param(param) => self.param_def(param),
            ExprKind::Record(members) => {
                self.put("{ ");
                self.list(members, |p, (name, value)| {
                    p.key(*name);
                    p.put(": ");
                    p.expr(value, Place::Inside);
                });
                self.put(" }");
            }
            ExprKind::List(members) => {
                self.put("[");
                self.list(members, |p, member| p.expr(member, Place::Inside));
                self.put("]");
            }
            ExprKind::Block(block) => self.block(block),
            ExprKind::Error => self.put("<error>"),
        }
    }

    fn chain(&mut self, first: &Expr, rest: &[(BinaryOp, Span, Expr)]) {
        let Some((op, _, _)) = rest.first() else { return self.expr(first, Place::Primary) };
        let (left, right) = match level(*op) {
            Place::Signed => (Place::Primary, Place::Signed),
            level => (tighter(level), tighter(level)),
        };
        self.expr(first, left);
        for (op, _, operand) in rest {
            let sign = op.sign();
            if sign == "^" {
                self.put(sign);
            } else {
                let _ = write!(self.text, " {sign} ");
            }
            self.expr(operand, right);
        }
    }

    fn pipe(&mut self, stages: &[Expr]) {
        let stages: Vec<String> = stages.iter().map(|stage| self.aside(|p| p.expr(stage, Place::Or))).collect();
        let line = stages.join(" |> ");
        if self.fits(&line) || line.contains('\n') && line.lines().all(|line| self.column() + line.len() <= WIDTH) {
            return self.put(&line);
        }
        for (index, stage) in stages.iter().enumerate() {
            if index == 0 {
                self.put(stage);
                continue;
            }
            self.indent += 1;
            self.line();
            self.put("|> ");
            self.put(&deeper(stage));
            self.indent -= 1;
        }
    }

    fn if_else(&mut self, condition: &Expr, then: &Block, otherwise: &Block) {
        self.put("if ");
        self.expr(condition, Place::Open);
        self.put(" ");
        self.block(then);
        self.put(" else ");
        match &otherwise.value.kind {
            ExprKind::If(condition, then, last) if otherwise.stmts.is_empty() => self.if_else(condition, then, last),
            _ => self.block(otherwise),
        }
    }

    fn scan(&mut self, scan: &Scan) {
        self.put("scan ");
        self.axis(&scan.axis);
        if scan.reversed {
            self.put(" reversed");
        }
        if !scan.carries.is_empty() {
            self.put(" from ");
            self.list(&scan.carries, |p, (name, value)| {
                p.ident(*name);
                p.put(" = ");
                p.expr(value, Place::Open);
            });
        }
        if let Some(until) = &scan.until {
            self.put(" until ");
            self.expr(until, Place::Open);
        }
        self.put(" ");
        self.block(&scan.body);
    }

    fn arg(&mut self, arg: &Arg) {
        match arg {
            Arg::Value(value) => self.expr(value, Place::Inside),
            Arg::Set(name, value) => {
                self.ident(*name);
                self.put(" = ");
                self.expr(value, Place::Inside);
            }
            Arg::Axis(name, value) => {
                self.ident(*name);
                self.put(": ");
                self.expr(value, Place::Inside);
            }
            Arg::Quoted(key, _, value) => {
                self.quoted(key);
                self.put(": ");
                self.expr(value, Place::Inside);
            }
        }
    }

    fn brackets(&mut self, brackets: &Brackets) {
        self.put("[");
        self.list(&brackets.from, Printer::place);
        if let Some(to) = &brackets.to {
            self.put(if brackets.from.is_empty() { "-> " } else { " -> " });
            self.list(to, Printer::place);
        }
        self.put("]");
    }

    fn place(&mut self, place: &Ix) {
        match place {
            Ix::Row(_) => self.put(".."),
            Ix::Value(value) => self.expr(value, Place::Inside),
            Ix::Set(name, value) => {
                self.ident(*name);
                self.put(" = ");
                self.expr(value, Place::Inside);
            }
            Ix::Axis(name, size, value) => {
                self.ident(*name);
                self.put(": ");
                let text = self.aside(|p| p.expr(size, Place::Open));
                match value {
                    // Before a `=` a unit would be read as the name that is set.
                    Some(_) if UNITS.iter().any(|unit| text.ends_with(unit)) => self.put(&format!("({text})")),
                    _ => self.put(&text),
                }
                if let Some(value) = value {
                    self.put(" = ");
                    self.expr(value, Place::Inside);
                }
            }
        }
    }
}

/// The tightest place an expression may stand in without brackets.
fn binds(kind: &ExprKind) -> Place {
    match kind {
        ExprKind::Range(_, None) | ExprKind::Range(None, _) => Place::Inside,
        ExprKind::Pipe(_) => Place::Open,
        ExprKind::Chain(_, rest) => rest.first().map_or(Place::Primary, |(op, _, _)| level(*op)),
        ExprKind::Unary(UnaryOp::Not, _) => Place::Not,
        ExprKind::Range(Some(_), Some(_)) => Place::Compared,
        ExprKind::Unary(UnaryOp::Neg, _) => Place::Signed,
        // They may stand between operators, but a call after them would be theirs.
        ExprKind::If(..) | ExprKind::Stack { .. } | ExprKind::Scan(_) | ExprKind::Remat(_) | ExprKind::Param(_) => {
            Place::Signed
        }
        ExprKind::Number(_) | ExprKind::Record(_) | ExprKind::Block(_) | ExprKind::Bool(_) => Place::Primary,
        ExprKind::Str(_) | ExprKind::Hole | ExprKind::Name(_) | ExprKind::List(_) => Place::Primary,
        ExprKind::Call(..) | ExprKind::Index(..) | ExprKind::Field(..) | ExprKind::Error => Place::Primary,
    }
}

/// The place of a chain of this operator.
fn level(op: BinaryOp) -> Place {
    match op {
        BinaryOp::Or => Place::Or,
        BinaryOp::And => Place::And,
        BinaryOp::Lt | BinaryOp::Le | BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Ge | BinaryOp::Gt | BinaryOp::Divides => {
            Place::Compared
        }
        BinaryOp::Add | BinaryOp::Sub => Place::Sum,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::FloorDiv | BinaryOp::Mod => Place::Product,
        BinaryOp::Pow => Place::Signed,
    }
}

fn tighter(place: Place) -> Place {
    match place {
        Place::Inside => Place::Open,
        Place::Open => Place::Stage,
        Place::Stage => Place::Or,
        Place::Or => Place::And,
        Place::And => Place::Not,
        Place::Not => Place::Compared,
        Place::Compared => Place::Sum,
        Place::Sum => Place::Product,
        Place::Product => Place::Signed,
        Place::Signed | Place::Primary => Place::Primary,
    }
}
