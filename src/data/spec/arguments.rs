//! The arguments and brackets of a call, and constants.
//!
//! In: `f[a, b: 3](x, key = value)`. Out: its parts, each asked for by name; what nobody asked for is
//! reported.

use crate::base::{Span, Symbol};
use crate::diag::{Diagnostics, data};
use crate::syntax::ast::{Arg, BinaryOp, Expr, ExprKind, Ident, Ix, UnaryOp};

use super::{Arith, ClassAxis, Constant};

/// A word with what follows it: `vocab`, `vocab[class]`, `vocab[class](unknown = own)`.
pub(super) struct Call<'a> {
    pub word: &'static str,
    /// Of the word alone.
    pub word_span: Span,
    pub span: Span,
    pub brackets: &'a [Ix],
    pub args: &'a [Arg],
}

impl<'a> Call<'a> {
    /// Takes an expression apart; none when it is not a word with brackets and arguments.
    pub fn of(expr: &'a Expr) -> Option<Call<'a>> {
        let (head, brackets, args) = taken_apart(expr);
        let ExprKind::Name(name) = head.kind else { return None };
        Some(Call { word: name.as_str(), word_span: head.span, span: expr.span, brackets, args })
    }

    /// `node.column("x")`, `random.normal[batch]`: the name before the dot, and the rest as a call.
    pub fn behind_a_name(expr: &'a Expr) -> Option<(Ident, Call<'a>)> {
        let (head, brackets, args) = taken_apart(expr);
        let ExprKind::Field(of, word) = &head.kind else { return None };
        let ExprKind::Name(name) = of.kind else { return None };
        let call = Call { word: word.name.as_str(), word_span: word.span, span: expr.span, brackets, args };
        Some((Ident { name, span: of.span }, call))
    }
}

/// What is called, what stands in brackets, and the arguments.
fn taken_apart(expr: &Expr) -> (&Expr, &[Ix], &[Arg]) {
    let (callee, args): (&Expr, &[Arg]) = match &expr.kind {
        ExprKind::Call(callee, args) => (callee, args),
        _ => (expr, &[]),
    };
    match &callee.kind {
        // `a -> b` makes no sense on any word of a data declaration; `axes` reports it.
        ExprKind::Index(head, brackets) if brackets.to.is_none() => (head, &brackets.from, args),
        _ => (callee, &[], args),
    }
}

/// The constants of the program around the declaration.
pub(super) struct Constants<'a> {
    pub of: &'a dyn Fn(Symbol) -> Option<Constant>,
}

impl Constants<'_> {
    /// The value of an expression that holds no column.
    pub fn eval(&self, expr: &Expr) -> Option<Constant> {
        match &expr.kind {
            ExprKind::Number(number) if number.unit.is_none() => Some(Constant::Number(number.value)),
            ExprKind::Bool(value) => Some(Constant::Bool(*value)),
            ExprKind::Str(text) => Some(Constant::Text(text.clone())),
            ExprKind::Name(name) => (self.of)(*name),
            ExprKind::Unary(UnaryOp::Neg, operand) => Some(Constant::Number(-self.number(operand)?)),
            ExprKind::Chain(first, rest) => {
                let mut value = self.number(first)?;
                for (op, _, operand) in rest {
                    value = arith(*op)?.eval(value, self.number(operand)?);
                }
                Some(Constant::Number(value))
            }
            _ => None,
        }
    }

    pub fn number(&self, expr: &Expr) -> Option<f64> {
        match self.eval(expr)? {
            Constant::Number(value) => Some(value),
            Constant::Bool(_) | Constant::Text(_) => None,
        }
    }

    pub fn text(&self, expr: &Expr) -> Option<String> {
        match self.eval(expr)? {
            Constant::Text(text) => Some(text),
            Constant::Number(_) | Constant::Bool(_) => None,
        }
    }

    pub fn bool(&self, expr: &Expr) -> Option<bool> {
        match self.eval(expr)? {
            Constant::Bool(value) => Some(value),
            Constant::Number(_) | Constant::Text(_) => None,
        }
    }

    /// A whole number above zero.
    pub fn count(&self, expr: &Expr) -> Option<usize> {
        let value = self.number(expr)?;
        (value >= 1.0 && value.fract() == 0.0 && value <= f64::from(u32::MAX)).then_some(value as usize)
    }
}

/// The operation between columns of an operator, where there is one.
pub(super) fn arith(op: BinaryOp) -> Option<Arith> {
    match op {
        BinaryOp::Add => Some(Arith::Add),
        BinaryOp::Sub => Some(Arith::Sub),
        BinaryOp::Mul => Some(Arith::Mul),
        BinaryOp::Div => Some(Arith::Div),
        BinaryOp::Pow => Some(Arith::Pow),
        BinaryOp::FloorDiv => Some(Arith::FloorDiv),
        BinaryOp::Mod => Some(Arith::Mod),
        BinaryOp::Lt => Some(Arith::Lt),
        BinaryOp::Le => Some(Arith::Le),
        BinaryOp::Eq => Some(Arith::Eq),
        BinaryOp::Ne => Some(Arith::Ne),
        BinaryOp::Ge => Some(Arith::Ge),
        BinaryOp::Gt => Some(Arith::Gt),
        BinaryOp::And => Some(Arith::And),
        BinaryOp::Or => Some(Arith::Or),
        BinaryOp::Divides => None,
    }
}

/// The arguments of a call, sorted.
pub(super) struct Arguments<'a> {
    of: &'static str,
    span: Span,
    pub values: Vec<&'a Expr>,
    named: Vec<(&'a Ident, &'a Expr)>,
}

impl<'a> Arguments<'a> {
    /// Sorts arguments by whether they have a name; `known` are the names the call takes.
    pub fn sort(call: &Call<'a>, known: &[&str], diagnostics: &mut Diagnostics) -> Arguments<'a> {
        let mut sorted = Arguments { of: call.word, span: call.span, values: Vec::new(), named: Vec::new() };
        for arg in call.args {
            match arg {
                Arg::Value(value) => sorted.values.push(value),
                Arg::Set(name, value) => {
                    let word = name.name.as_str();
                    if !known.contains(&word) {
                        diagnostics.push(data::unknown_argument(name.span, call.word, word, known));
                    } else if sorted.named.iter().any(|(old, _)| old.name == name.name) {
                        diagnostics.push(data::argument_twice(name.span, call.word, word));
                    } else {
                        sorted.named.push((name, value));
                    }
                }
                Arg::Axis(name, _) => {
                    diagnostics.push(data::wrong_argument(name.span, call.word, "its axes in brackets"));
                }
                Arg::Quoted(_, span, _) => {
                    diagnostics.push(data::wrong_argument(*span, call.word, "no renaming"));
                }
            }
        }
        sorted
    }

    /// The value given under a name.
    pub fn named(&self, name: &str) -> Option<&'a Expr> {
        self.named.iter().find(|(given, _)| given.name.as_str() == name).map(|(_, value)| *value)
    }

    /// The only value without a name, or a report of what was wanted.
    pub fn one(&self, wanted: &str, diagnostics: &mut Diagnostics) -> Option<&'a Expr> {
        match self.values.as_slice() {
            [value] => Some(value),
            [] => {
                diagnostics.push(data::wrong_argument(self.span, self.of, wanted));
                None
            }
            [_, second, ..] => {
                diagnostics.push(data::wrong_argument(second.span, self.of, wanted));
                None
            }
        }
    }

    /// At most `limit` values without a name.
    pub fn at_most(&self, limit: usize, wanted: &str, diagnostics: &mut Diagnostics) {
        if let Some(extra) = self.values.get(limit) {
            diagnostics.push(data::wrong_argument(extra.span, self.of, wanted));
        }
    }
}

/// The axes in the brackets of a call, at most `limit` of them.
pub(super) fn axes(
    call: &Call<'_>,
    limit: usize,
    constants: &Constants<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<ClassAxis> {
    let mut axes = Vec::new();
    for (at, place) in call.brackets.iter().enumerate() {
        let wanted = match limit {
            0 => "no brackets",
            1 => "the name of one axis in brackets",
            _ => "names of axes in brackets",
        };
        let axis = match place {
            Ix::Value(Expr { kind: ExprKind::Name(name), span }) => {
                Some(ClassAxis { name: *name, size: None, span: *span })
            }
            Ix::Axis(name, size, None) => {
                let counted = constants.count(size);
                if counted.is_none() {
                    diagnostics.push(data::wrong_argument(
                        size.span,
                        call.word,
                        "a whole number above 0 as the size of an axis",
                    ));
                }
                counted.map(|counted| ClassAxis { name: name.name, size: Some(counted), span: name.span.to(size.span) })
            }
            Ix::Value(_) | Ix::Row(_) | Ix::Set(..) | Ix::Axis(..) => {
                diagnostics.push(data::wrong_argument(call.span, call.word, wanted));
                None
            }
        };
        if at >= limit {
            diagnostics.push(data::wrong_argument(call.span, call.word, wanted));
            break;
        }
        axes.extend(axis);
    }
    axes
}
