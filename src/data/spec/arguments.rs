//! The arguments and brackets of a call, and constants.
//!
//! In: `f[a, b: 3](x, key = value)`. Out: its parts, each asked for by name; what nobody asked for is
//! reported.

use crate::base::{Span, Symbol};
use crate::diag::{Diagnostics, data};
use crate::syntax::ast::{Arg, BinaryOp, Brackets, Expr, ExprKind, Ident, Ix, UnaryOp};

use super::{Arith, ClassAxis, Constant, names};

/// A word with what follows it: `vocab`, `vocab[class]`, `vocab[class](unknown = own)`.
pub(super) struct Call<'a> {
    pub word: &'static str,
    /// Of the word alone.
    pub word_span: Span,
    pub span: Span,
    pub brackets: &'a [Ix],
    /// Brackets included.
    pub brackets_span: Option<Span>,
    pub args: &'a [Arg],
    /// What stands between the word with its brackets and the arguments: nothing, or the column of `log1p(x, …)`.
    pub input: Option<Span>,
}

impl<'a> Call<'a> {
    /// Takes an expression apart; none when it is not a word with brackets and arguments.
    pub fn of(expr: &'a Expr) -> Option<Call<'a>> {
        let (head, brackets, args) = taken_apart(expr);
        let ExprKind::Name(name) = head.kind else { return None };
        Some(Call::new((name.as_str(), head.span), expr.span, brackets, args))
    }

    /// `node.column("x")`, `random.normal[batch]`: the name before the dot, and the rest as a call.
    pub fn behind_a_name(expr: &'a Expr) -> Option<(Ident, Call<'a>)> {
        let (head, brackets, args) = taken_apart(expr);
        let ExprKind::Field(of, word) = &head.kind else { return None };
        let ExprKind::Name(name) = of.kind else { return None };
        let call = Call::new((word.name.as_str(), word.span), expr.span, brackets, args);
        Some((Ident { name, span: of.span }, call))
    }

    fn new(
        (word, word_span): (&'static str, Span),
        span: Span,
        brackets: Option<&'a Brackets>,
        args: &'a [Arg],
    ) -> Call<'a> {
        let (places, brackets_span) = match brackets {
            Some(brackets) => (brackets.from.as_slice(), Some(brackets.span)),
            None => (&[][..], None),
        };
        Call { word, word_span, span, brackets: places, brackets_span, args, input: None }
    }

    /// A word alone.
    pub fn alone(word: &'static str, span: Span) -> Call<'a> {
        Call::new((word, span), span, None, &[])
    }

    /// The word with its brackets.
    pub fn head(&self) -> Span {
        self.brackets_span.map_or(self.word_span, |brackets| self.word_span.to(brackets))
    }

    /// The arguments with their parentheses; none where a column stands among them.
    pub fn parentheses(&self) -> Option<Span> {
        (self.input.is_none() && !self.args.is_empty()).then(|| self.head().after().to(self.span.after()))
    }

    /// An argument with the comma that goes with it; of the only one also the parentheses.
    pub fn surplus(&self, at: usize) -> Option<Span> {
        let start = |arg: &Arg| match arg {
            Arg::Set(name, _) | Arg::Axis(name, _) => name.span,
            Arg::Quoted(_, span, _) => *span,
            Arg::Value(value) => value.span,
        };
        let before = at.checked_sub(1).map(|before| self.args[before].span()).or(self.input);
        match (before, self.args.get(at + 1)) {
            (Some(before), _) => Some(before.after().to(self.args[at].span())),
            (None, Some(next)) => Some(start(&self.args[at]).to(start(next).before())),
            (None, None) => self.parentheses(),
        }
    }
}

/// What is called, what stands in brackets, and the arguments.
fn taken_apart(expr: &Expr) -> (&Expr, Option<&Brackets>, &[Arg]) {
    let (callee, args): (&Expr, &[Arg]) = match &expr.kind {
        ExprKind::Call(callee, args) => (callee, args),
        _ => (expr, &[]),
    };
    match &callee.kind {
        // `a -> b` makes no sense on any word of a data declaration; `axes` reports it.
        ExprKind::Index(head, brackets) if brackets.to.is_none() => (head, Some(brackets), args),
        _ => (callee, None, args),
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
    word_span: Span,
    pub values: Vec<&'a Expr>,
    /// What goes where one of the values is too many.
    surplus: Vec<Option<Span>>,
    named: Vec<(&'a Ident, &'a Expr)>,
}

impl<'a> Arguments<'a> {
    /// Sorts arguments by whether they have a name; `known` are the names the call takes.
    pub fn sort(call: &Call<'a>, known: &[&str], diagnostics: &mut Diagnostics) -> Arguments<'a> {
        let (values, surplus) = (Vec::new(), Vec::new());
        let mut sorted =
            Arguments { of: call.word, span: call.span, word_span: call.word_span, values, surplus, named: Vec::new() };
        for (at, arg) in call.args.iter().enumerate() {
            match arg {
                Arg::Value(value) => {
                    sorted.values.push(value);
                    sorted.surplus.push(call.surplus(at));
                }
                Arg::Set(name, value) => {
                    let word = name.name.as_str();
                    if !known.contains(&word) {
                        // Where there are no names, and nothing else is given, the value is the one that is wanted.
                        let bare =
                            (known.is_empty() && call.args.len() == 1).then(|| name.span.to(value.span.before()));
                        diagnostics.push(data::unknown_argument(name.span, call.word, word, known, bare));
                        if bare.is_some() {
                            sorted.values.push(value);
                            sorted.surplus.push(call.surplus(at));
                        }
                    } else if sorted.named.iter().any(|(old, _)| old.name == name.name) {
                        diagnostics.push(data::argument_twice(name.span, call.word, word));
                    } else {
                        sorted.named.push((name, value));
                    }
                }
                Arg::Axis(name, _) => {
                    let parentheses = call.parentheses().filter(|_| call.args.len() == 1 && call.brackets.is_empty());
                    diagnostics.push(data::axis_in_parentheses(name.span, call.word, parentheses));
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

    /// What goes with a value without a name where it is not wanted.
    pub fn surplus(&self, value: &Expr) -> Option<Span> {
        self.values.iter().position(|other| other.span == value.span).and_then(|at| self.surplus[at])
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
                diagnostics.push(match self.of {
                    "column" => data::several_in_column(second.span, self.of, wanted, self.word_span),
                    // A further file holds rows that are meant.
                    of if names::SOURCES.contains(&of) || names::TABLE_STEPS.contains(&of) => {
                        data::wrong_argument(second.span, of, wanted)
                    }
                    of => data::argument_surplus(second.span, of, wanted, self.surplus[1]),
                });
                None
            }
        }
    }

    /// No values at all.
    pub fn none(&self, diagnostics: &mut Diagnostics) {
        if let (Some(extra), Some(surplus)) = (self.values.first(), self.surplus.first()) {
            diagnostics.push(data::argument_surplus(extra.span, self.of, "no arguments", *surplus));
        }
    }

    /// At most `limit` values without a name.
    pub fn at_most(&self, limit: usize, wanted: &str, diagnostics: &mut Diagnostics) {
        if let Some(extra) = self.values.get(limit) {
            // A first one says something that is said in another way.
            let surplus = if limit > 0 { self.surplus[limit] } else { None };
            diagnostics.push(data::argument_surplus(extra.span, self.of, wanted, surplus));
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
            let surplus = match at.checked_sub(1) {
                Some(before) => call.brackets.last().map(|last| call.brackets[before].span().after().to(last.span())),
                None => call.brackets_span,
            };
            let place = surplus.unwrap_or(call.span);
            diagnostics.push(data::argument_surplus(place, call.word, wanted, surplus));
            break;
        }
        axes.extend(axis);
    }
    axes
}
