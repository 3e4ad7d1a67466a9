//! Features of tables: `hash`, `words`, `multi_hot`, `bin`, `clip_outliers`, `date_parts`, `weights`, `like`, `cross`.
//!
//! In: calls. Out: transforms, or nodes where a step is no transform of one column.

use crate::base::Span;
use crate::diag::{data, table};
use crate::syntax::ast::{Arg, Expr, ExprKind};
use crate::syntax::print::print_expr;

use super::arguments::{Arguments, Call};
use super::columns::Reader;
use super::gives::Gives;
use super::{Bins, ClassAxis, DatePart, NodeId, NodeKind, Transform};

/// More classes than any table of parameters has.
const MOST_CLASSES: usize = 1 << 24;
/// The buckets of a hash of which nothing else is said.
const BUCKETS: usize = 1000;

impl Reader<'_> {
    /// `hash[bucket: 1000]`
    pub fn hash(&mut self, call: &Call<'_>, axis: Option<ClassAxis>) -> Option<Transform> {
        let wanted = "an axis and its size in brackets, as in `hash[bucket: 10_000]`";
        let count = match call.args {
            [Arg::Value(count)] if axis.is_none() => self.constants.count(count),
            _ => None,
        };
        if let (Some(count), Some(place)) = (count, call.parentheses()) {
            let named = (place, format!("[bucket: {count}]"));
            self.diagnostics.push(data::axis_unnamed(call.span, call.word, wanted, named));
            return None;
        }
        self.plain(call, ())?;
        let sized = axis.filter(|axis| axis.size.is_some_and(|size| i32::try_from(size).is_ok()));
        if sized.is_none() {
            let named = match axis {
                Some(axis) => (axis.span, format!("{}: {BUCKETS}", axis.name)),
                None => (call.word_span.after(), format!("[bucket: {BUCKETS}]")),
            };
            self.diagnostics.push(data::axis_unsized(call.span, call.word, wanted, named));
        }
        sized.map(Transform::Hash)
    }

    /// `words(sep = "|")`
    pub fn words(&mut self, call: &Call<'_>) -> Option<Transform> {
        const WANTED: &str = "what stands between two words, as in `words(sep = \"|\")`";
        let args = Arguments::sort(call, &["sep"], &mut self.diagnostics);
        args.at_most(0, WANTED, &mut self.diagnostics);
        let sep = args.named("sep").map(|sep| (sep.span, self.constants.text(sep).filter(|sep| !sep.is_empty())));
        match sep {
            Some((_, Some(sep))) => Some(Transform::Words(sep)),
            sep => {
                let span = sep.map_or(call.span, |(span, _)| span);
                self.diagnostics.push(data::wrong_argument(span, call.word, WANTED));
                None
            }
        }
    }

    /// `bin(5)`, `bin[age]([18, 65])`
    pub fn bin(&mut self, call: &Call<'_>, axis: Option<ClassAxis>) -> Option<Transform> {
        const WANTED: &str = "how many bins, or where they begin in rising order: `bin(5)`, `bin([18, 65])`";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let value = args.one(WANTED, &mut self.diagnostics)?;
        let bins = match &value.kind {
            ExprKind::List(items) => {
                let edges: Option<Vec<f64>> = items.iter().map(|item| self.constants.number(item)).collect();
                let rising = |edges: &Vec<f64>| !edges.is_empty() && edges.windows(2).all(|pair| pair[0] < pair[1]);
                edges.filter(rising).map(Bins::Edges)
            }
            _ => self.constants.count(value).filter(|bins| (2..=MOST_CLASSES).contains(bins)).map(Bins::Equal),
        };
        if bins.is_none() {
            let told = match (&value.kind, self.constants.number(value)) {
                (_, Some(count)) => {
                    let nearest = count.round().clamp(2.0, MOST_CLASSES as f64).to_string();
                    data::argument_range(value.span, call.word, WANTED, &nearest)
                }
                (ExprKind::List(items), None) => match self.rising(items) {
                    Some(rising) => data::not_rising(value.span, call.word, WANTED, rising),
                    None => data::wrong_argument(value.span, call.word, WANTED),
                },
                (_, None) => data::wrong_argument(value.span, call.word, WANTED),
            };
            self.diagnostics.push(told);
        }
        bins.map(|bins| Transform::Bin(axis.map(|axis| axis.name), bins))
    }

    /// Numbers in rising order, each once, as they are written.
    fn rising(&self, items: &[Expr]) -> Option<String> {
        let numbers: Option<Vec<(f64, &Expr)>> =
            items.iter().map(|item| Some((self.constants.number(item)?, item))).collect();
        let mut numbers = numbers.filter(|numbers| !numbers.is_empty())?;
        numbers.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        numbers.dedup_by(|(a, _), (b, _)| a == b);
        let written: Vec<String> = numbers.into_iter().map(|(_, item)| print_expr(item)).collect();
        Some(format!("[{}]", written.join(", ")))
    }

    /// `clip_outliers`, `clip_outliers(0.5%)`
    pub fn clip(&mut self, call: &Call<'_>) -> Option<Transform> {
        const WANTED: &str = "a share below 50%, as in `clip_outliers(1%)`, or nothing";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        args.at_most(1, WANTED, &mut self.diagnostics);
        let Some(value) = args.values.first() else { return Some(Transform::Clip(0.01)) };
        let share = self.constants.number(value).filter(|share| (0.0..0.5).contains(share));
        if share.is_none() {
            self.wrong_share(value, call.word, WANTED, 50.0);
        }
        share.map(Transform::Clip)
    }

    /// Tells of a value that is no share; below `most` it counts the percent.
    pub fn wrong_share(&mut self, value: &Expr, of: &str, wanted: &str, most: f64) {
        self.diagnostics.push(match self.constants.number(value) {
            Some(percent) if percent >= 1.0 && percent < most => data::percent(value.span, of, wanted, percent),
            _ => data::wrong_argument(value.span, of, wanted),
        });
    }

    /// `date_parts`, `date_parts(month, weekday)`
    pub fn date_parts(&mut self, call: &Call<'_>, axis: Option<ClassAxis>) -> Option<Transform> {
        const WANTED: &str = "some of `year`, `month`, `day`, `weekday`, `yearday`, `hour`, `minute`, or nothing";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let mut parts = Vec::new();
        for value in &args.values {
            let word = match value.kind {
                ExprKind::Name(name) => DatePart::ALL.iter().find(|part| part.word() == name.as_str()),
                _ => None,
            };
            let Some(part) = word else {
                let known: Vec<&str> = DatePart::ALL.iter().map(|part| part.word()).collect();
                self.wrong_word(value, call.word, WANTED, &known);
                return None;
            };
            parts.push(*part);
        }
        if parts.is_empty() {
            parts = vec![DatePart::Year, DatePart::Month, DatePart::Day, DatePart::Weekday];
        }
        Some(Transform::DateParts(axis.map(|axis| axis.name), parts))
    }

    /// `weights(balanced)`
    pub fn weights(&mut self, call: &Call<'_>) -> Option<Transform> {
        const WANTED: &str = "`balanced`: a row weighs more the fewer training rows have its class";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let value = args.one(WANTED, &mut self.diagnostics)?;
        if matches!(value.kind, ExprKind::Name(name) if name.as_str() == "balanced") {
            return Some(Transform::Balance);
        }
        self.wrong_word(value, call.word, WANTED, &["balanced"]);
        None
    }

    /// `like(s)`: the steps of another column, with the statistics of that one.
    pub fn like(&mut self, call: &Call<'_>, input: NodeId) -> NodeId {
        const WANTED: &str = "the name of a column above, as in `like(x)`";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let Some(value) = args.one(WANTED, &mut self.diagnostics) else { return self.error(call.span) };
        let ExprKind::Name(name) = value.kind else {
            return self.fail(call.span, data::wrong_argument(value.span, call.word, WANTED));
        };
        let Some(model) = self.lookup(name) else {
            self.unknown_name(value.span, name, false);
            return self.error(call.span);
        };
        self.models.push(model);
        match self.replay(model, input, call.span) {
            Some(node) => node,
            None if self.gives(model) == Gives::Error => self.error(call.span),
            None => self.fail(call.span, table::no_pipeline(value.span, name.as_str())),
        }
    }

    /// The steps between a column of the file and a node, on another input.
    fn replay(&mut self, model: NodeId, input: NodeId, span: Span) -> Option<NodeId> {
        match self.node(model).kind.clone() {
            NodeKind::Column(_) => Some(input),
            NodeKind::Apply(name, transform, operand) => {
                let operand = self.replay(operand, input, span)?;
                Some(self.push(NodeKind::Apply(name, transform, operand), span))
            }
            NodeKind::Neg(operand) => {
                let operand = self.replay(operand, input, span)?;
                Some(self.push(NodeKind::Neg(operand), span))
            }
            NodeKind::Function(function, operand) => {
                let operand = self.replay(operand, input, span)?;
                Some(self.push(NodeKind::Function(function, operand), span))
            }
            NodeKind::Arith(op, left, right) => {
                let (left, right) = match (self.constant(left), self.constant(right)) {
                    (None, Some(_)) => (self.replay(left, input, span)?, right),
                    (Some(_), None) => (left, self.replay(right, input, span)?),
                    (_, _) => return None,
                };
                Some(self.push(NodeKind::Arith(op, left, right), span))
            }
            NodeKind::Random(_)
            | NodeKind::Positions(_)
            | NodeKind::Number(_)
            | NodeKind::Is(..)
            | NodeKind::Rows(_)
            | NodeKind::Record(_)
            | NodeKind::Stack(_)
            | NodeKind::Cross(_)
            | NodeKind::Present(_)
            | NodeKind::Length(_)
            | NodeKind::Sibling(..)
            | NodeKind::Beside(..)
            | NodeKind::Error => None,
        }
    }

    /// `cross(column("a"), column("b"))`
    pub fn cross(&mut self, call: &Call<'_>, hole: Option<NodeId>) -> NodeId {
        const WANTED: &str = "two columns or more: `cross(column(\"a\"), column(\"b\"))`";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let operands: Vec<NodeId> = args.values.iter().map(|value| self.value(value, hole)).collect();
        if operands.iter().any(|operand| self.gives(*operand) == Gives::Error) {
            return self.error(call.span);
        }
        let fits = |gives| matches!(gives, Gives::Cells | Gives::Numbers | Gives::Words);
        match operands.len() >= 2 && operands.iter().all(|operand| fits(self.gives(*operand))) {
            true => self.push(NodeKind::Cross(operands), call.span),
            false => self.fail(call.span, data::wrong_argument(call.span, call.word, WANTED)),
        }
    }

    /// `column("city") == "Berlin"`: the column and the text, whichever side they stand on.
    pub fn compared(&mut self, left: &Expr, right: &Expr, hole: Option<NodeId>) -> Option<(NodeId, String)> {
        let text = |expr: &Expr| match &expr.kind {
            ExprKind::Str(text) => Some(text.clone()),
            _ => None,
        };
        match (text(left), text(right)) {
            (None, Some(text)) => Some((self.value(left, hole), text)),
            (Some(text), None) => Some((self.value(right, hole), text)),
            (_, _) => None,
        }
    }
}
