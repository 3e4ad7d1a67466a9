//! Pictures in a declaration: the sources `images(…)` and `files(…)`, paths, the split `by_folder`, and the steps of a picture.
//!
//! In: calls. Out: a source, shares, a `PictureStep`. What changes a picture at random stands inside of
//! `train(…)` and everything else outside of it, so that nothing random reaches validation and nothing
//! that evaluation needs is done in training alone. That is held here, where the words are read.

use crate::base::Span;
use crate::diag::{data, images};
use crate::syntax::ast::{Arg, Expr, ExprKind, Unit};
use crate::syntax::print::print_expr;

use super::arguments::{Arguments, Call, axes};
use super::columns::Reader;
use super::gives::Gives;
use super::{ByChannel, Change, Decode, Format, NodeId, NodeKind, PictureStep, Shares, Source, names};

/// The longest side of a picture that a program may ask for.
const MAX_SIDE: usize = 1 << 14;

impl Reader<'_> {
    /// `images("photos", labels = folder)`
    pub fn images(&mut self, call: &Call<'_>) -> Option<Source> {
        const WANTED: &str = "the path of one folder in quotes";
        self.source_end = call.span.inner_end();
        let args = Arguments::sort(call, &["labels"], &mut self.diagnostics);
        let path = args.one(WANTED, &mut self.diagnostics)?;
        let labels = match args.named("labels") {
            None => false,
            Some(Expr { kind: ExprKind::Name(name), .. }) if name.as_str() == "folder" => true,
            Some(other) => {
                let wanted = "`labels = folder`, for classes by folder, or no labels";
                self.wrong_word(other, call.word, wanted, &["folder"]);
                return None;
            }
        };
        match self.file(String::new(), path) {
            Some(mut file) => {
                // `photos/` and `photos` are one folder.
                file.path.truncate(file.path.trim_end_matches('/').len().max(1));
                let is_labels = |arg: &Arg| matches!(arg, Arg::Set(name, _) if name.name.as_str() == "labels");
                self.labels = call.args.iter().position(is_labels).and_then(|at| call.surplus(at));
                Some(Source::of(Format::Images { labels, parts: None }, vec![file]))
            }
            None => {
                self.wrong_path(path, call.word, WANTED);
                None
            }
        }
    }

    /// `files("img/*.png")`
    pub fn files_of(&mut self, call: &Call<'_>) -> Option<Source> {
        const WANTED: &str = "the paths of pictures in quotes, as in `files(\"img/*.png\")`";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let path = args.one(WANTED, &mut self.diagnostics)?;
        let file = self.file(String::new(), path);
        if file.is_none() {
            self.diagnostics.push(data::wrong_argument(path.span, call.word, WANTED));
        }
        file.map(|file| Source::of(Format::Files, vec![file]))
    }

    /// The column that a word means where the rows are pictures: `path`, `image`, `label`, or the pictures that a
    /// `decode` without a column reads.
    pub fn source_name(&self, call: &Call<'_>) -> Option<&'static str> {
        let takes_column = call.args.iter().any(|arg| matches!(arg, Arg::Value(_)));
        match (self.format?, call.word) {
            (Format::Files, "decode") if !takes_column => Some(names::PATH),
            (Format::Images { .. }, "decode") if !takes_column => Some(names::IMAGE),
            (Format::Files, names::PATH) => Some(names::PATH),
            (Format::Images { .. }, names::IMAGE) => Some(names::IMAGE),
            (Format::Images { labels: true, .. }, names::LABEL) => Some(names::LABEL),
            _ => None,
        }
    }

    /// `sibling(path, "mask")`
    pub fn sibling(&mut self, call: &Call<'_>, hole: Option<NodeId>) -> NodeId {
        const WANTED: &str = "paths and the folder beside theirs, as in `sibling(path, \"mask\")`";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let [of, folder] = args.values.as_slice() else {
            return self.fail(call.span, data::wrong_argument(call.span, call.word, WANTED));
        };
        let of = self.value(of, hole);
        let usable = |text: &String| !text.is_empty() && text.split('/').all(|part| !part.is_empty());
        let Some(folder_name) = self.constants.text(folder).filter(usable) else {
            let told = match &folder.kind {
                ExprKind::Name(word) => data::unquoted(folder.span, call.word, WANTED, word.as_str()),
                _ => data::wrong_argument(folder.span, call.word, WANTED),
            };
            return self.fail(folder.span, told);
        };
        match self.gives(of) {
            Gives::Cells => self.push(NodeKind::Sibling(of, folder_name), call.span),
            Gives::Error => self.error(call.span),
            _ => {
                let (value, has) = (self.node(of).span, self.has(of));
                let wants = "the paths of a column";
                self.fail(call.span, data::transform_mismatch(call.span, call.word, wants, value, has))
            }
        }
    }

    /// `by_folder`, `by_folder(valid = 10%)`: the shares taken of the training folder.
    pub fn by_folder(&mut self, call: &Call<'_>, source: &mut Option<Source>) -> Option<Shares> {
        let args = Arguments::sort(call, &["valid", "test"], &mut self.diagnostics);
        args.at_most(0, "`valid` or `test` with a share, or nothing", &mut self.diagnostics);
        let shares = self.shared(&args, call.span)?;
        match source.as_mut().map(|source| &mut source.format) {
            Some(Format::Images { parts, .. }) => *parts = Some(call.span),
            Some(
                Format::Table { .. }
                | Format::Json
                | Format::Parquet
                | Format::Text(_)
                | Format::Lines
                | Format::Pairs
                | Format::Arrays(_)
                | Format::Files
                | Format::Graph
                | Format::Synthetic(_),
            ) => {
                self.diagnostics.push(images::by_folder_of_files(call.span));
                return None;
            }
            // What is wrong with the source is reported.
            None => {}
        }
        Some(shares)
    }

    /// A step of a picture; its word is one of `TRANSFORMS`.
    pub fn picture(&mut self, call: &Call<'_>) -> Option<PictureStep> {
        match call.word {
            "decode" => self.decode(call),
            "resize" => self.sides(call).map(|(h, w)| PictureStep::Resize(h, w)),
            "crop" => self.sides(call).map(|(h, w)| PictureStep::Crop(h, w)),
            "grayscale" => self.plain(call, PictureStep::Grayscale),
            "normalize" => self.normalize(call),
            _ => self.train(call),
        }
    }

    fn decode(&mut self, call: &Call<'_>) -> Option<PictureStep> {
        const WANTED: &str = "the axes of a picture in brackets: `decode[h, w, c]`, `decode[h, w, c: 1]`, or `decode[h, w]` \
                              for grey";
        let args = Arguments::sort(call, &["folder"], &mut self.diagnostics);
        args.at_most(0, WANTED, &mut self.diagnostics);
        let folder = match args.named("folder") {
            None => None,
            Some(value) => match self.constants.text(value) {
                Some(path) => Some(path),
                None => {
                    let wanted = "the path of a folder in quotes as `folder`";
                    self.diagnostics.push(data::wrong_argument(value.span, call.word, wanted));
                    return None;
                }
            },
        };
        let named = axes(call, usize::MAX, &self.constants, &mut self.diagnostics);
        if let Some(sized) = named.iter().take(2).find(|axis| axis.size.is_some()) {
            let wanted = "names for height and width; their sizes are in the files, and `resize(h, w)` changes them";
            self.diagnostics.push(data::wrong_argument(sized.span, call.word, wanted));
            return None;
        }
        let channels = match named.as_slice() {
            [] => None,
            [_, _] => Some(1),
            [_, _, channel] => channel.size,
            _ => {
                self.diagnostics.push(data::wrong_argument(call.span, call.word, WANTED));
                return None;
            }
        };
        if let (Some(other), Some(axis)) = (channels, named.last())
            && !matches!(other, 1 | 3 | 4)
        {
            let wanted = "1 channel for grey, 3 for colour, or 4 for colour with opacity";
            self.diagnostics.push(data::wrong_argument(axis.span, call.word, wanted));
            return None;
        }
        let axes = named.iter().map(|axis| axis.name).collect();
        let channel_axis = match named.as_slice() {
            [_, width, channel] => Some(width.span.after().to(channel.span)),
            _ => None,
        };
        Some(PictureStep::Decode(Decode { axes, channel_axis, channels, folder }))
    }

    /// `(64, 48)`: height and width; `(64)` for a square.
    fn sides(&mut self, call: &Call<'_>) -> Option<(usize, usize)> {
        let wanted = format!("height and width, as in `{}(64, 64)`", call.word);
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let side = |value: &Expr| self.constants.count(value).filter(|side| *side <= MAX_SIDE);
        let sides: Vec<Option<usize>> = args.values.iter().map(|value| side(value)).collect();
        match sides.as_slice() {
            [Some(side)] => Some((*side, *side)),
            [Some(h), Some(w)] => Some((*h, *w)),
            _ => {
                let bad = sides.iter().position(Option::is_none).or((sides.len() > 2).then_some(2));
                let span = bad.map_or(call.span, |at| args.values[at].span);
                self.diagnostics.push(data::wrong_argument(span, call.word, &wanted));
                None
            }
        }
    }

    fn normalize(&mut self, call: &Call<'_>) -> Option<PictureStep> {
        const WANTED: &str = "nothing, or mean and deviation: `normalize([0.5, 0.5, 0.5], [0.2, 0.2, 0.2])`";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        if args.values.is_empty() {
            return Some(PictureStep::Normalize(None));
        }
        let lists: Vec<Option<Vec<f64>>> = args.values.iter().map(|value| self.numbers(value)).collect();
        match lists.as_slice() {
            [Some(mean), Some(deviation)] if mean.len() == deviation.len() && !deviation.contains(&0.0) => {
                let (mean, deviation) = (mean.clone(), deviation.clone());
                Some(PictureStep::Normalize(Some(ByChannel { mean, deviation })))
            }
            _ => {
                self.diagnostics.push(data::wrong_argument(call.span, call.word, WANTED));
                None
            }
        }
    }

    /// `0.5` or `[0.5, 0.4, 0.3]`
    fn numbers(&self, value: &Expr) -> Option<Vec<f64>> {
        let number = |value: &Expr| self.constants.number(value).filter(|number| number.is_finite());
        match &value.kind {
            ExprKind::List(items) => items.iter().map(number).collect(),
            _ => number(value).map(|number| vec![number]),
        }
    }

    /// `train(flip |> rotate(15 deg))`
    fn train(&mut self, call: &Call<'_>) -> Option<PictureStep> {
        const WANTED: &str = "the changes of a training picture, as in `train(flip |> rotate(15 deg))`";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let inside = args.one(WANTED, &mut self.diagnostics)?;
        let whole = call.span;
        let stages = match &inside.kind {
            ExprKind::Pipe(stages) => stages.as_slice(),
            _ => std::slice::from_ref(inside),
        };
        let mut changes = Vec::new();
        for (at, stage) in stages.iter().enumerate() {
            // The step with the `|>` that goes with it.
            let apart = match (at.checked_sub(1).and_then(|before| stages.get(before)), stages.get(at + 1)) {
                (Some(before), _) => Some(before.span.after().to(stage.span)),
                (None, Some(next)) => Some(stage.span.to(next.span.before())),
                (None, None) => None,
            };
            let Some(call) = Call::of(stage) else {
                let is_angle = matches!(&stage.kind, ExprKind::Number(number) if number.unit == Some(Unit::Degrees));
                self.diagnostics.push(images::not_a_change(stage.span, is_angle, names::CHANGES));
                return None;
            };
            axes(&call, 0, &self.constants, &mut self.diagnostics);
            changes.push(self.change(&call, (apart, whole), stage)?);
        }
        Some(PictureStep::Train(changes, 0))
    }

    fn change(&mut self, call: &Call<'_>, places: (Option<Span>, Span), stage: &Expr) -> Option<Change> {
        match call.word {
            "crop" => self.sides(call).map(|(h, w)| Change::Crop(h, w)),
            "flip" => self.plain(call, Change::Flip),
            "rotate" => self.angle(call).map(Change::Rotate),
            "translate" => self.portion(call).map(Change::Translate),
            "zoom" => self.portion(call).map(Change::Zoom),
            "brightness" => self.portion(call).map(Change::Brightness),
            "contrast" => self.portion(call).map(Change::Contrast),
            word if names::TRANSFORMS.contains(&word) => {
                self.diagnostics.push(images::fixed_inside_train(
                    call.span,
                    word,
                    names::CHANGES,
                    places,
                    &print_expr(stage),
                ));
                None
            }
            word => {
                self.diagnostics.push(data::unknown_transform(call.word_span, word, names::CHANGES));
                None
            }
        }
    }

    /// `(15 deg)`, in radians.
    fn angle(&mut self, call: &Call<'_>) -> Option<f64> {
        let wanted = format!("an angle, as in `{}(15 deg)`", call.word);
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let value = args.one(&wanted, &mut self.diagnostics)?;
        match &value.kind {
            ExprKind::Number(number)
                if number.unit == Some(Unit::Degrees) && number.value > 0.0 && number.value <= 180.0 =>
            {
                Some(number.value.to_radians())
            }
            ExprKind::Number(number) if number.unit.is_none() && number.value > 0.0 && number.value <= 180.0 => {
                self.diagnostics.push(images::angle_without_unit(value.span, call.word, number.value));
                None
            }
            _ => {
                self.diagnostics.push(data::wrong_argument(value.span, call.word, &wanted));
                None
            }
        }
    }

    /// `(20%)`: above nothing and below the whole.
    fn portion(&mut self, call: &Call<'_>) -> Option<f64> {
        let wanted = format!("a share between 0% and 100%, as in `{}(20%)`", call.word);
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let value = args.one(&wanted, &mut self.diagnostics)?;
        let share = self.constants.number(value).filter(|share| *share > 0.0 && *share < 1.0);
        if share.is_none() {
            self.wrong_share(value, call.word, &wanted, 100.0);
        }
        share
    }
}
