//! What stands after `|>`: the transforms of a column and their arguments.
//!
//! In: a call and the node before it. Out: a node more, when the node gives what the transform takes.

use crate::base::Span;
use crate::diag::{data, images, scenes, table};
use crate::syntax::ast::{Arg, Expr, ExprKind};
use crate::syntax::print::print_expr;

use super::arguments::{Arguments, Call, axes};
use super::columns::Reader;
use super::gives::Gives;
use super::{ClassAxis, Fill, Format, NodeId, NodeKind, PictureStep, Transform, names};

impl Reader<'_> {
    /// A transform by its word, on what stands before it.
    pub fn transform(&mut self, call: &Call<'_>, input: NodeId) -> NodeId {
        let word = call.word;
        match word {
            names::PAD if self.gives(input) == Gives::Boxes => return self.pad_boxes(call, input),
            names::PAD if self.gives(input) == Gives::Error => return self.error(call.span),
            names::BOXES => return self.boxes(call, input),
            _ => {}
        }
        if names::CHANGES.contains(&word) && !names::TRANSFORMS.contains(&word) {
            return self.fail(call.span, images::random_outside_train(call.span, word));
        }
        if !names::TRANSFORMS.contains(&word) {
            return self.fail(call.span, data::unknown_transform(call.word_span, word, names::TRANSFORMS));
        }
        if let Some(fields) = self.fields(input) {
            let step = (word, call.span);
            return self.each_field(fields, step, |reader, field| reader.transform(call, field));
        }
        if word == "like" {
            return self.like(call, input);
        }
        let errors = self.error_count();
        let axis_limit = match word {
            "decode" => usize::MAX,
            _ if self.cuts_texts(call) => 2,
            "vocab" | "index" | "one_hot" | "window" | "hash" | "multi_hot" | "bin" | "date_parts" => 1,
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
            "index" => self.index(call, axes.next()),
            "window" => self.window(call, axes.next()),
            "count" => self.plain(call, Transform::Count),
            "weights" => self.weights(call),
            "key" => self.key(call),
            "hash" => self.hash(call, axes.next()),
            _ if self.cuts_texts(call) => self.tokens(call, axes.collect()),
            "truncate" => self.truncate(call),
            "pad" => self.pad(call),
            "words" => self.words(call),
            "bin" => self.bin(call, axes.next()),
            "clip_outliers" => self.clip(call),
            "date_parts" => self.date_parts(call, axes.next()),
            "decode" | "resize" | "crop" | "grayscale" | "normalize" | "train" => {
                self.picture(call).map(Transform::Picture)
            }
            _ => {
                let axis = axes.next();
                if let Some(axis) = axis.filter(|axis| axis.size.is_some()) {
                    let wanted = "the name of its axis; `vocab[class: 3]` gives the size";
                    self.diagnostics.push(data::wrong_argument(axis.span, word, wanted));
                }
                let axis = axis.map(|axis| axis.name);
                self.plain(call, if word == "one_hot" { Transform::OneHot(axis) } else { Transform::MultiHot(axis) })
            }
        };
        let Some(transform) = transform.filter(|_| self.error_count() == errors) else {
            return self.error(call.span);
        };
        self.apply(transform, call.span, input)
    }

    /// Whether a step cuts texts: `words` does without `sep`, with which it takes a set of words apart.
    fn cuts_texts(&self, call: &Call<'_>) -> bool {
        let is_sep = |arg: &Arg| matches!(arg, Arg::Set(name, _) if name.name.as_str() == "sep");
        names::TOKENS.contains(&call.word) && !(call.word == "words" && call.args.iter().any(is_sep))
    }

    /// Puts a transform on a node, if the node gives what it takes.
    fn apply(&mut self, mut transform: Transform, span: Span, input: NodeId) -> NodeId {
        if let Transform::Window(window) = &mut transform {
            self.along_a_text(window, input);
        }
        let gives = self.gives(input);
        let (wants, fits) = takes(&transform, gives);
        match (gives, &transform) {
            (Gives::Error, _) => return self.error(span),
            (Gives::Constant, _) => {
                let value = self.node(input).span;
                return self.fail(span, data::not_a_column(value, None));
            }
            (Gives::Pictures | Gives::Masks, Transform::Picture(PictureStep::Decode(_))) if !self.is_file(input) => {
                let moved = self.decode_first(input, span);
                return self.fail(span, images::decode_comes_first(span, moved));
            }
            (Gives::Pictures, Transform::Picture(_) | Transform::Index(_)) => {}
            (
                Gives::Masks,
                Transform::Picture(PictureStep::Resize(..) | PictureStep::Crop(..) | PictureStep::Train(..)),
            ) => {}
            // The names of files.
            (Gives::Cells | Gives::Words, Transform::Picture(PictureStep::Decode(_)))
                if !matches!(self.format, Some(Format::Arrays(_) | Format::Synthetic(_))) => {}
            (Gives::Boxes | Gives::Kinds, Transform::Picture(_)) => {
                let told = scenes::no_picture_to_follow(span, transform.word(), self.left_out(span));
                return self.fail(span, told);
            }
            (Gives::Cells | Gives::Numbers, Transform::Picture(step))
                if matches!(self.format, Some(Format::Arrays(_))) && !matches!(step, PictureStep::Decode(_)) => {}
            // What is made of classes numbers words first.
            (Gives::Cells | Gives::Numbers | Gives::Words, Transform::OneHot(_)) => {
                let input = self.apply(Transform::Vocab { axis: None, unknown: false }, span, input);
                return self.apply(transform, span, input);
            }
            (Gives::Sets, Transform::MultiHot(axis)) if !self.is_numbered(input) => {
                let axis = axis.map(|name| ClassAxis { name, size: None, span });
                let input = self.apply(Transform::Vocab { axis, unknown: false }, span, input);
                return self.apply(transform, span, input);
            }
            (_, _) if fits => {}
            (_, _) => {
                let (value, has) = (self.node(input).span, self.has(input));
                let error = match gives {
                    Gives::Windows => {
                        let step = self.expr_at(span).map(print_expr).unwrap_or_default();
                        table::after_window(span, transform.word(), value, &step)
                    }
                    Gives::Classes | Gives::Numbers if !matches!(self.format, Some(Format::Text(_))) => {
                        data::transform_surplus(span, transform.word(), wants, value, has)
                    }
                    _ => data::transform_mismatch(span, transform.word(), wants, value, has),
                };
                let error = match self.step_between(&transform, gives) {
                    Some(step) if !error.has_fix() => data::step_between(error, step, span, value),
                    _ => error,
                };
                return self.fail(span, error);
            }
        }
        let transform = match transform {
            Transform::Picture(PictureStep::Train(changes, _)) => {
                Transform::Picture(PictureStep::Train(changes, self.draws.max(self.draws_of(input))))
            }
            transform => transform,
        };
        let name = self.place(transform.word());
        self.push(NodeKind::Apply(name, transform, input), span)
    }

    /// Whether the words of a set are classes already.
    fn is_numbered(&self, id: NodeId) -> bool {
        matches!(self.node(id).kind, NodeKind::Apply(_, Transform::Vocab { .. } | Transform::Hash(_), _))
    }

    /// What a node gives, in words.
    pub fn has(&self, id: NodeId) -> &'static str {
        match self.gives(id) {
            Gives::Classes => "class numbers",
            Gives::Words => "words",
            Gives::Sets => "a set of words",
            Gives::Windows => "windows",
            Gives::Record => "a record of columns",
            Gives::Pictures => "pictures",
            Gives::Texts => "texts",
            Gives::Padded => "padded texts",
            Gives::Truths => "truths",
            Gives::Masks => "masks, whose pixels are class numbers",
            Gives::Boxes => "boxes",
            Gives::Kinds => "the kinds of boxes",
            Gives::Constant | Gives::Error | Gives::Cells | Gives::Numbers => match self.format {
                Some(Format::Arrays(_)) => "an array",
                Some(Format::Images { .. } | Format::Files) => "a column of words",
                Some(Format::Table { .. } | Format::Json | Format::Parquet) | None => "a column of a table",
                Some(Format::Graph) => "a column of a table",
                Some(Format::Text(_) | Format::Lines | Format::Pairs) => "a text",
                Some(Format::Synthetic(_)) => "numbers that are made",
            },
        }
    }

    /// A word without arguments.
    pub fn plain<T>(&mut self, call: &Call<'_>, transform: T) -> Option<T> {
        if let [Arg::Set(name, _)] = call.args {
            self.diagnostics.push(data::argument_surplus(name.span, call.word, "no arguments", call.surplus(0)));
            return None;
        }
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        args.none(&mut self.diagnostics);
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
            self.wrong_word(value, call.word, WANTED, &["mean", "median"]);
        }
        fill.map(Transform::Impute)
    }

    /// `index[class: 3]`
    fn index(&mut self, call: &Call<'_>, axis: Option<ClassAxis>) -> Option<Transform> {
        self.named_axis(call)?;
        self.plain(call, Transform::Index(axis))
    }

    /// Whether unknown words get a class of their own.
    fn vocab(&mut self, call: &Call<'_>) -> Option<bool> {
        self.named_axis(call)?;
        let args = Arguments::sort(call, &["unknown"], &mut self.diagnostics);
        args.at_most(0, "`unknown = own` or nothing", &mut self.diagnostics);
        match args.named("unknown") {
            None => Some(false),
            Some(Expr { kind: ExprKind::Name(name), .. }) if name.as_str() == "own" => Some(true),
            Some(other) => {
                self.wrong_word(other, call.word, "`unknown = own` or nothing", &["own"]);
                None
            }
        }
    }

    /// Tells of a number of classes whose axis has no name: `index(3)`.
    fn named_axis(&mut self, call: &Call<'_>) -> Option<()> {
        const WANTED: &str = "its axes in brackets";
        let ([Arg::Value(size)], []) = (call.args, call.brackets) else { return Some(()) };
        self.diagnostics.push(match self.constants.count(size).zip(call.parentheses()) {
            Some((counted, place)) => {
                data::axis_unnamed(size.span, call.word, WANTED, (place, format!("[class: {counted}]")))
            }
            None => data::wrong_argument(size.span, call.word, WANTED),
        });
        None
    }

    /// Tells of a value that is none of the words that may stand there.
    pub fn wrong_word(&mut self, value: &Expr, of: &str, wanted: &str, known: &[&str]) {
        let word = match &value.kind {
            ExprKind::Name(word) => Some(word.as_str()),
            ExprKind::Str(word) => Some(word.as_str()),
            ExprKind::Bool(true) => Some("true"),
            _ => None,
        };
        self.diagnostics.push(match word {
            Some(word) => data::wrong_word(value.span, of, wanted, word, known),
            None => data::wrong_argument(value.span, of, wanted),
        });
    }
}

/// What a transform takes in words, and whether that is what it gets.
fn takes(transform: &Transform, gives: Gives) -> (&'static str, bool) {
    let plain = matches!(gives, Gives::Cells | Gives::Numbers);
    match transform {
        Transform::Vocab { .. } | Transform::Hash(_) => {
            ("words or numbers", plain || matches!(gives, Gives::Words | Gives::Sets))
        }
        Transform::Count => ("words or numbers", plain || gives == Gives::Words),
        Transform::Index(_) => ("words or numbers", plain),
        Transform::OneHot(_) | Transform::Balance => ("classes", gives == Gives::Classes),
        Transform::MultiHot(_) => ("a set of classes", matches!(gives, Gives::Sets | Gives::Classes)),
        Transform::Key(_) => ("keys of the file", gives == Gives::Cells),
        Transform::Words(_) => ("words of the file", gives == Gives::Cells),
        Transform::Tokens(_) => ("texts of the file", gives == Gives::Cells),
        Transform::Truncate(_) | Transform::Pad(_) => {
            ("texts that `chars`, `words` or `bpe` have cut", gives == Gives::Texts)
        }
        Transform::DateParts(..) => ("dates of the file", gives == Gives::Cells),
        Transform::Picture(_) => ("pictures", false),
        // These are read before this is asked.
        Transform::Boxes(_) | Transform::PadBoxes(_) | Transform::Lists => ("boxes", false),
        Transform::Window(_) => ("numbers or classes", plain || gives == Gives::Classes),
        Transform::Standardize | Transform::Scale(_) => ("numbers", plain || gives == Gives::Pictures),
        Transform::Minmax | Transform::Log1p | Transform::Impute(_) | Transform::Bin(..) | Transform::Clip(_) => {
            ("numbers", plain)
        }
    }
}
