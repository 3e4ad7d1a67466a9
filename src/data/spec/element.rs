//! Values that are made rather than read: random numbers, positions, and functions of elements.
//!
//! In: `random.normal[batch, h: 32]`, `pos(t: 16)`, `log(column("a"))`. Out: nodes. The words and brackets are those
//! of the language; here every axis beside the batch has its size written, because no signature is in sight.

use crate::base::{Span, Symbol};
use crate::diag::data;
use crate::syntax::ast::{Arg, Expr, ExprKind, Ix};

use super::arguments::{Arguments, Call};
use super::columns::{Reader, Written};
use super::gives::Gives;
use super::{ClassAxis, Draw, Format, Function, MOST_NUMBERS, NodeId, NodeKind, Random, names};

impl Reader<'_> {
    /// `synthetic(20_000)`
    pub fn synthetic(&mut self, call: &Call<'_>) -> Option<super::Source> {
        const WANTED: &str = "how many rows to make, as in `synthetic(1000)`";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let value = args.one(WANTED, &mut self.diagnostics)?;
        match self.constants.count(value).filter(|rows| *rows <= MOST_NUMBERS) {
            Some(rows) => Some(super::Source::of(Format::Synthetic(rows), Vec::new())),
            None => {
                self.diagnostics.push(data::wrong_argument(value.span, call.word, WANTED));
                None
            }
        }
    }

    /// `random.uniform[batch, xt: 2]`, `random.index[batch](class: 10)`; none when it is something else.
    pub fn random(&mut self, expr: &Expr) -> Option<NodeId> {
        let (of, call) = Call::behind_a_name(expr)?;
        (of.name.as_str() == "random").then(|| self.drawn(&call))
    }

    fn drawn(&mut self, call: &Call<'_>) -> NodeId {
        if !names::DRAWS.contains(&call.word) {
            return self.fail(call.span, data::unknown_transform(call.word_span, call.word, names::DRAWS));
        }
        let (Some(axes), Some(draw)) = (self.made_axes(call), self.draw(call)) else { return self.error(call.span) };
        let place = self.place(call.word);
        self.push(NodeKind::Random(Random { draw, axes, place }), call.span)
    }

    /// The axes behind `batch`, each with its size.
    fn made_axes(&mut self, call: &Call<'_>) -> Option<Vec<(Symbol, usize)>> {
        let wanted =
            format!("`batch` first and a size for each further axis, as in `random.{}[batch, h: 32]`", call.word);
        let mut found = Vec::new();
        // The largest of the sizes, and where it stands.
        let mut largest: Option<(usize, Span)> = None;
        let mut places = call.brackets.iter();
        let is_batch = |place: &Ix| matches!(place, Ix::Value(Expr { kind: ExprKind::Name(name), .. }) if name.as_str() == "batch");
        let mut fits = places.next().is_some_and(is_batch);
        for place in places {
            let axis = match place {
                Ix::Axis(name, size, None) => self.constants.count(size).map(|size| (name.name, size)),
                Ix::Axis(..) | Ix::Value(_) | Ix::Row(_) | Ix::Set(..) => None,
            };
            if let (Some((_, size)), Ix::Axis(_, value, _)) = (axis, place)
                && largest.is_none_or(|(known, _)| known < size)
            {
                largest = Some((size, value.span));
            }
            fits &= axis.is_some_and(|(name, _)| found.iter().all(|(other, _)| *other != name));
            found.extend(axis);
        }
        let numbers = found.iter().fold(self.made_rows() as u128, |all, (_, size)| all.saturating_mul(*size as u128));
        if numbers > MOST_NUMBERS as u128 {
            let smaller = largest.and_then(|(size, place)| {
                let most = MOST_NUMBERS as u128 / (numbers / size as u128);
                (most > 0).then_some((place, most as u64))
            });
            self.diagnostics.push(data::too_many_numbers(call.span, MOST_NUMBERS, smaller));
            return None;
        }
        if !fits {
            let has_batch = call.brackets.iter().any(is_batch);
            let sized = call.brackets.iter().all(|place| matches!(place, Ix::Axis(..)));
            let added = match call.brackets.first() {
                None => Some((call.word_span.after(), "[batch]")),
                Some(first) if sized && !has_batch => Some((first.span().before(), "batch, ")),
                Some(_) => None,
            };
            self.diagnostics.push(match added {
                Some(added) => data::batch_missing(call.span, call.word, &wanted, added),
                None => data::wrong_argument(call.span, call.word, &wanted),
            });
        }
        fits.then_some(found)
    }

    /// The rows that are known before a file is read.
    fn made_rows(&self) -> usize {
        match self.format {
            Some(Format::Synthetic(rows)) => rows,
            _ => 1,
        }
    }

    fn draw(&mut self, call: &Call<'_>) -> Option<Draw> {
        match call.word {
            "uniform" => self.plain(call, Draw::Uniform),
            "normal" => self.plain(call, Draw::Normal),
            "bernoulli" => {
                const WANTED: &str = "a chance from 0 to 1, as in `random.bernoulli[batch](0.5)`";
                let args = Arguments::sort(call, &[], &mut self.diagnostics);
                let value = args.one(WANTED, &mut self.diagnostics)?;
                let chance = self.constants.number(value).filter(|chance| (0.0..=1.0).contains(chance));
                if chance.is_none() {
                    self.wrong_share(value, call.word, WANTED, 100.0);
                }
                chance.map(Draw::Bernoulli)
            }
            _ => {
                const WANTED: &str = "an axis and its size, as in `random.index[batch](class: 10)`";
                let axis = match call.args {
                    [Arg::Axis(name, size)] => {
                        self.constants.count(size).filter(|size| i32::try_from(*size).is_ok()).map(|counted| {
                            ClassAxis { name: name.name, size: Some(counted), span: name.span.to(size.span) }
                        })
                    }
                    _ => None,
                };
                if axis.is_none() {
                    self.diagnostics.push(data::wrong_argument(call.span, call.word, WANTED));
                }
                axis.map(Draw::Index)
            }
        }
    }

    /// `pos(batch)`: the number of a row; `pos(t: 16)`: positions along an axis of every row.
    pub fn positions(&mut self, call: &Call<'_>) -> NodeId {
        const WANTED: &str = "`batch`, or an axis and its size: `pos(t: 16)`";
        let axis = match call.args {
            [Arg::Value(Expr { kind: ExprKind::Name(name), .. })] if name.as_str() == "batch" => Some(None),
            [Arg::Axis(name, size)] => self
                .constants
                .count(size)
                .filter(|size| size.checked_mul(self.made_rows()).is_some_and(|all| all <= MOST_NUMBERS))
                .map(|size| Some((name.name, size))),
            _ => None,
        };
        match axis {
            Some(axis) if call.brackets.is_empty() => self.push(NodeKind::Positions(axis), call.span),
            _ => self.fail(call.span, data::wrong_argument(call.span, call.word, WANTED)),
        }
    }

    /// `log(column("a"))`; the value of its operand is read already.
    pub fn function(
        &mut self,
        function: Function,
        operand: NodeId,
        (span, written): (Span, Option<Written>),
    ) -> NodeId {
        match self.gives(operand) {
            Gives::Constant => match self.constant(operand) {
                Some(value) => self.push(NodeKind::Number(function.eval(value)), span),
                None => self.error(span),
            },
            Gives::Pictures => {
                let value = self.node(operand).span;
                self.fail(span, data::transform_mismatch(span, function.word(), "numbers", value, "pictures"))
            }
            _ if self.numeric(operand, span, written) => self.push(NodeKind::Function(function, operand), span),
            _ => self.error(span),
        }
    }
}
