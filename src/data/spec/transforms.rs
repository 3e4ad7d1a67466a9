//! What stands after `|>`: the transforms of a column and their arguments.
//!
//! In: a call and the node before it. Out: a node more, when the node gives what the transform takes.

use crate::base::Span;
use crate::diag::{data, images};
use crate::syntax::ast::{Expr, ExprKind};

use super::arguments::{Arguments, Call, axes};
use super::columns::{Gives, Reader};
use super::{Fill, Format, NodeId, NodeKind, PictureStep, Transform, names};

impl Reader<'_> {
    /// A transform by its word, on what stands before it.
    pub fn transform(&mut self, call: &Call<'_>, input: NodeId) -> NodeId {
        let word = call.word;
        if names::LATER_TRANSFORMS.contains(&word) {
            return self.fail(call.span, data::unsupported(call.word_span, &format!("`{word}`")));
        }
        if names::CHANGES.contains(&word) && !names::TRANSFORMS.contains(&word) {
            return self.fail(call.span, images::random_outside_train(call.span, word));
        }
        if !names::TRANSFORMS.contains(&word) {
            return self.fail(call.span, data::unknown_transform(call.word_span, word, names::TRANSFORMS));
        }
        let errors = self.error_count();
        let axis_limit = match word {
            "decode" => usize::MAX,
            "vocab" | "index" | "one_hot" => 1,
            _ => 0,
        };
        let mut axes = axes(call, axis_limit, &self.constants, &mut self.diagnostics).into_iter();
        let transform = match word {
            "standardize" => self.plain(call, Transform::Standardize),
            "minmax" => self.plain(call, Transform::Minmax),
            "log1p" => self.plain(call, Transform::Log1p),
            "scale" => self.scale(call),
            "impute" => self.impute(call),
            "vocab" => self.vocab(call).map(|unknown| Transform::Vocab { axis: axes.next(), unknown }),
            "index" => self.plain(call, Transform::Index(axes.next())),
            "decode" | "resize" | "crop" | "grayscale" | "normalize" | "train" => {
                self.picture(call).map(Transform::Picture)
            }
            _ => {
                let axis = axes.next();
                if let Some(axis) = axis.filter(|axis| axis.size.is_some()) {
                    let wanted = "the name of its axis; `vocab[class: 3]` gives the size";
                    self.diagnostics.push(data::wrong_argument(axis.span, word, wanted));
                }
                self.plain(call, Transform::OneHot(axis.map(|axis| axis.name)))
            }
        };
        let Some(transform) = transform.filter(|_| self.error_count() == errors) else {
            return self.error(call.span);
        };
        self.apply(transform, call.span, input)
    }

    /// Puts a transform on a node, if the node gives what it takes.
    fn apply(&mut self, transform: Transform, span: Span, input: NodeId) -> NodeId {
        let wants = match transform {
            Transform::Vocab { .. } | Transform::Index(_) => "words or numbers",
            Transform::OneHot(_) => "classes",
            Transform::Picture(_) => "pictures",
            Transform::Standardize
            | Transform::Minmax
            | Transform::Log1p
            | Transform::Scale(_)
            | Transform::Impute(_) => "numbers",
        };
        match (self.gives(input), &transform) {
            (Gives::Error, _) => return self.error(span),
            (Gives::Constant, _) => {
                let value = self.node(input).span;
                return self.fail(span, data::not_a_column(value));
            }
            (Gives::Pictures, Transform::Picture(PictureStep::Decode(_))) if !self.is_file(input) => {
                return self.fail(span, images::decode_comes_first(span));
            }
            (Gives::Pictures, Transform::Picture(_) | Transform::Scale(_) | Transform::Standardize) => {}
            (Gives::Pictures, _) => {
                let value = self.node(input).span;
                let error = data::transform_mismatch(span, transform.word(), wants, value, "pictures");
                return self.fail(span, error);
            }
            (gives, Transform::Picture(step))
                if gives == Gives::Classes
                    || self.format != Some(Format::Idx)
                    || matches!(step, PictureStep::Decode(_)) =>
            {
                let has = match (gives, self.format) {
                    (Gives::Classes, _) => "class numbers",
                    (_, Some(Format::Idx)) => "numbers already",
                    (_, Some(Format::Images { .. })) => "a column of words",
                    (_, Some(Format::Table { .. }) | None) => "a column of a table",
                    (_, Some(Format::Synthetic(_))) => "numbers that are made",
                };
                let value = self.node(input).span;
                return self.fail(span, data::transform_mismatch(span, transform.word(), wants, value, has));
            }
            // `one_hot` on words numbers them first.
            (Gives::Cells | Gives::Numbers, Transform::OneHot(_)) => {
                let input = self.apply(Transform::Vocab { axis: None, unknown: false }, span, input);
                return self.apply(transform, span, input);
            }
            (Gives::Classes, Transform::OneHot(_)) | (Gives::Cells | Gives::Numbers, _) => {}
            (Gives::Classes, _) => {
                let value = self.node(input).span;
                let error = data::transform_mismatch(span, transform.word(), wants, value, "class numbers");
                return self.fail(span, error);
            }
        }
        let name = self.place(transform.word());
        self.push(NodeKind::Apply(name, transform, input), span)
    }

    /// A word without arguments.
    pub fn plain<T>(&mut self, call: &Call<'_>, transform: T) -> Option<T> {
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        args.at_most(0, "no arguments", &mut self.diagnostics);
        Some(transform)
    }

    fn scale(&mut self, call: &Call<'_>) -> Option<Transform> {
        const WANTED: &str = "one factor, as in `scale(1 / 255)`";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let factor = args.one(WANTED, &mut self.diagnostics)?;
        match self.constants.number(factor).filter(|factor| factor.is_finite()) {
            Some(value) => Some(Transform::Scale(value)),
            None => {
                self.diagnostics.push(data::wrong_argument(factor.span, call.word, WANTED));
                None
            }
        }
    }

    fn impute(&mut self, call: &Call<'_>) -> Option<Transform> {
        const WANTED: &str = "`mean`, `median` or a number";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let value = args.one(WANTED, &mut self.diagnostics)?;
        let fill = match &value.kind {
            ExprKind::Name(name) if name.as_str() == "mean" => Some(Fill::Mean),
            ExprKind::Name(name) if name.as_str() == "median" => Some(Fill::Median),
            _ => self.constants.number(value).filter(|value| value.is_finite()).map(Fill::Value),
        };
        if fill.is_none() {
            self.diagnostics.push(data::wrong_argument(value.span, call.word, WANTED));
        }
        fill.map(Transform::Impute)
    }

    /// Whether unknown words get a class of their own.
    fn vocab(&mut self, call: &Call<'_>) -> Option<bool> {
        let args = Arguments::sort(call, &["unknown"], &mut self.diagnostics);
        args.at_most(0, "`unknown = own` or nothing", &mut self.diagnostics);
        match args.named("unknown") {
            None => Some(false),
            Some(Expr { kind: ExprKind::Name(name), .. }) if name.as_str() == "own" => Some(true),
            Some(other) => {
                self.diagnostics.push(data::wrong_argument(other.span, call.word, "`unknown = own` or nothing"));
                None
            }
        }
    }
}
