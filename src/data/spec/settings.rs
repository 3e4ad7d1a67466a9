//! The settings of a declaration: `split`, `batch`, `shuffle`, `drop_last`, `order`, `prefetch`.

use crate::base::{Span, Symbol};
use crate::diag::data;
use crate::syntax::ast::{Expr, ExprKind, Ident};

use super::arguments::{Arguments, Call};
use super::columns::Reader;
use super::gives::Gives;
use super::{
    BatchSize, FilePart, Format, NodeId, NodeKind, Selector, Shares, Spec, Split, SplitKind, Transform, names,
};

/// Batches ahead that no memory should be spent on beyond.
const MOST_AHEAD: f64 = 1024.0;

impl Reader<'_> {
    /// Reads one setting into the declaration.
    pub fn setting(&mut self, name: &Ident, value: &Expr, spec: &mut Spec) {
        if let ExprKind::Error = value.kind {
            return;
        }
        match name.name.as_str() {
            "split" => {
                if let Some(kind) = self.split(value, spec) {
                    spec.split = Split { kind, span: value.span, shares: self.shares };
                }
            }
            "batch" => {
                if let Some(batch) = self.batch(value) {
                    spec.batch = batch;
                }
            }
            "order" => match self.format {
                Some(
                    Format::Images { .. } | Format::Graph | Format::Synthetic(_) | Format::Text(_) | Format::Lines,
                ) => {
                    let wanted = "a column of a table, and this source is none";
                    self.diagnostics.push(data::wrong_setting(value.span, "order", wanted));
                }
                Some(
                    Format::Table { .. }
                    | Format::Json
                    | Format::Parquet
                    | Format::Arrays(_)
                    | Format::Pairs
                    | Format::Files,
                )
                | None => {
                    spec.order = self.raw_column(value, "order");
                }
            },
            "prefetch" => match self.constants.number(value) {
                Some(count) if count.fract() == 0.0 && (0.0..=MOST_AHEAD).contains(&count) => {
                    spec.prefetch = count as usize;
                }
                _ => {
                    let wanted = format!("a number of batches from 0 to {MOST_AHEAD}");
                    self.diagnostics.push(data::setting_range(value.span, "prefetch", &wanted, "2"));
                }
            },
            setting => match self.constants.bool(value) {
                Some(on) if setting == "shuffle" => spec.shuffle = on,
                Some(on) => spec.drop_last = on,
                None => self.diagnostics.push(data::wrong_setting(value.span, setting, "`true` or `false`")),
            },
        }
    }

    fn batch(&mut self, value: &Expr) -> Option<BatchSize> {
        match Call::of(value).map(|call| call.word) {
            Some("whole") => return Some(BatchSize::Whole),
            Some("tokens") => return self.tokens_of_batch(value),
            Some("auto") if self.format != Some(Format::Graph) => return Some(BatchSize::Auto),
            _ => {}
        }
        if self.format == Some(Format::Graph) {
            self.diagnostics.push(data::wrong_setting(value.span, "batch", "`whole`: a graph is one batch"));
            return None;
        }
        match self.constants.count(value) {
            Some(rows) => Some(BatchSize::Rows(rows)),
            None => {
                let wanted = "a number of rows above 0, `auto` or `whole`";
                self.diagnostics.push(data::setting_range(value.span, "batch", wanted, "auto"));
                None
            }
        }
    }

    /// `tokens(8192)`
    fn tokens_of_batch(&mut self, value: &Expr) -> Option<BatchSize> {
        const WANTED: &str = "how many places a batch may have, as in `tokens(8192)`";
        let call = Call::of(value)?;
        let args = Arguments::sort(&call, &[], &mut self.diagnostics);
        let count = args.one(WANTED, &mut self.diagnostics)?;
        let Some(places) = self.constants.count(count) else {
            self.diagnostics.push(data::wrong_argument(count.span, call.word, WANTED));
            return None;
        };
        // A column that was told of may have been one.
        if self.entries.iter().any(|entry| matches!(self.gives(entry.node), Gives::Padded | Gives::Error)) {
            return Some(BatchSize::Tokens(places));
        }
        let wanted = "a number of rows: `tokens` counts the places of padded texts, and no column is one";
        self.diagnostics.push(data::wrong_setting(value.span, "batch", wanted));
        None
    }

    fn split(&mut self, value: &Expr, spec: &mut Spec) -> Option<SplitKind> {
        let Some(call) = Call::of(value) else {
            self.diagnostics.push(data::wrong_setting(
                value.span,
                "split",
                "one of `random(…)`, `stratified(…)`, `by_column(…)`, `by_folder`, `chronological(…)`, `group(…)`, \
                 `folds(5)`, `files(…)`",
            ));
            return None;
        };
        match call.word {
            "random" => {
                let args = Arguments::sort(&call, names::PARTS, &mut self.diagnostics);
                if !args.values.is_empty() {
                    const WANTED: &str = "shares, as in `random(train = 80%, valid = 10%, test = 10%)`";
                    let alone = call.args.len() == args.values.len() && args.values.len() <= names::PARTS.len();
                    let named = args.values.iter().zip(names::PARTS);
                    let named = named.map(|(value, part)| (value.span.before(), format!("{part} = ")));
                    let named = if alone { named.collect() } else { Vec::new() };
                    let place = args.values[0].span;
                    self.diagnostics.push(data::shares_unnamed(place, call.word, WANTED, named));
                    return None;
                }
                Some(SplitKind::Random(self.shared(&args, value.span)?))
            }
            "stratified" => {
                let args = Arguments::sort(&call, names::PARTS, &mut self.diagnostics);
                let shares = self.shared(&args, value.span);
                let label = args.one("the column of classes first, as in `stratified(y, …)`", &mut self.diagnostics)?;
                let places = (call.word_span, args.surplus(label));
                Some(SplitKind::Stratified(self.label(label, call.word, places)?, shares?))
            }
            "by_column" => {
                let args = Arguments::sort(&call, &[], &mut self.diagnostics);
                let column = args.one("the name of a column in quotes", &mut self.diagnostics)?;
                Some(SplitKind::ByColumn(self.raw_column(column, call.word)?))
            }
            "chronological" => {
                let args = Arguments::sort(&call, names::PARTS, &mut self.diagnostics);
                let shares = self.shared(&args, value.span);
                args.at_most(1, "one column of dates or numbers", &mut self.diagnostics);
                let column = match args.values.first() {
                    Some(column) => Some(self.raw_column(column, call.word)?),
                    None => None,
                };
                Some(SplitKind::Chronological(column, shares?))
            }
            "group" => {
                let args = Arguments::sort(&call, names::PARTS, &mut self.diagnostics);
                let shares = self.shared(&args, value.span);
                let wanted = "the column that says which rows belong together: `group(column(\"user\"), …)`";
                let column = args.one(wanted, &mut self.diagnostics)?;
                Some(SplitKind::Group(self.raw_column(column, call.word)?, shares?))
            }
            "folds" => self.folds(&call),
            "files" => self.files(&call, spec),
            "by_folder" => Some(SplitKind::ByFolder(self.by_folder(&call, &mut spec.source)?)),
            word => {
                let known = names::SPLITS;
                self.diagnostics.push(data::unknown_argument(call.word_span, "split", word, known, None));
                None
            }
        }
    }

    /// The shares of the three parts. One that is left out takes the rest if it is `train`, else nothing.
    pub fn shared(&mut self, args: &Arguments<'_>, span: Span) -> Option<Shares> {
        let mut shares = [None; 3];
        for (share, part) in shares.iter_mut().zip(names::PARTS) {
            if let Some(value) = args.named(part) {
                *share = Some(self.share(part, value, args)?);
            }
        }
        self.shares = std::array::from_fn(|part| args.named(names::PARTS[part]).map(|value| value.span));
        let sum: f64 = shares.iter().flatten().sum();
        let train = match shares[0] {
            None => 1.0 - sum,
            Some(train) => train,
        };
        // Percentages are not exact in binary; a share is never meant to this precision.
        const SLACK: f64 = 1e-9;
        if sum > 1.0 + SLACK || shares[0].is_some() && sum < 1.0 - SLACK {
            let others = sum - shares[0].unwrap_or(0.0);
            let training = args.named(names::PARTS[0]).map(|value| (value.span, 1.0 - others));
            self.diagnostics.push(data::fractions_sum(span, sum, training));
            return None;
        }
        if train <= SLACK {
            self.diagnostics.push(data::nothing_to_train(span, self.room_to_train(args)));
            return None;
        }
        Some([train, shares[1].unwrap_or(0.0), shares[2].unwrap_or(0.0)])
    }

    fn share(&mut self, part: &str, value: &Expr, all: &Arguments<'_>) -> Option<f64> {
        let number = self.constants.number(value);
        match number {
            Some(share) if (0.0..=1.0).contains(&share) && !is_whole_one(value) => Some(share),
            _ => {
                self.diagnostics.push(data::not_a_fraction(value.span, part, self.percents(all)));
                None
            }
        }
    }

    /// The parts that are given a number, with the places of these.
    fn numbered(&self, args: &Arguments<'_>) -> Vec<(&'static str, Span, f64, bool)> {
        let part = |part: &&'static str| {
            let value = args.named(part)?;
            Some((*part, value.span, self.constants.number(value)?, is_whole_one(value)))
        };
        names::PARTS.iter().filter_map(part).collect()
    }

    /// Shares of those sizes to each other that leave four fifths to train on.
    fn room_to_train(&self, args: &Arguments<'_>) -> Vec<(Span, String)> {
        let numbers = self.numbered(args);
        let others = || numbers.iter().filter(|(part, ..)| *part != names::PARTS[0]);
        let sum: f64 = others().map(|(.., share, _)| share).sum();
        let percent = |share: f64| (share / sum * 20.0).round().max(1.0);
        let taken: f64 = others().map(|(.., share, _)| percent(*share)).sum();
        let mended = |(part, span, share, _): &(&str, Span, f64, bool)| match *part == names::PARTS[0] {
            true => (*span, format!("{}%", 100.0 - taken)),
            false => (*span, format!("{}%", percent(*share))),
        };
        numbers.iter().map(mended).collect()
    }

    /// Numbers that are meant as shares: percent without their sign, or rows of each part.
    fn percents(&self, args: &Arguments<'_>) -> Vec<(Span, String)> {
        let numbers = self.numbered(args);
        let is_share = |share: f64, whole_one: bool| (0.0..=1.0).contains(&share) && !whole_one;
        let percent = |share: f64, whole_one: bool| if is_share(share, whole_one) { share * 100.0 } else { share };
        let sum: f64 = numbers.iter().map(|(.., share, whole_one)| percent(*share, *whole_one)).sum();
        let trains = numbers.iter().any(|(part, ..)| *part == names::PARTS[0]);
        let all_given = names::PARTS.iter().filter(|part| args.named(part).is_some()).count();
        let rounded = |percent: f64| (percent * 1e4).round() / 1e4;
        let fits = match trains {
            true => rounded(sum) == 100.0 && all_given == numbers.len(),
            false => sum > 0.0 && sum < 100.0,
        };
        if fits && numbers.iter().all(|(.., share, _)| *share >= 0.0) {
            let open = numbers.iter().filter(|(.., share, whole_one)| !is_share(*share, *whole_one));
            return open.map(|(_, span, share, _)| (*span, format!("{share}%"))).collect();
        }
        // Rows of all three parts, or of two.
        let are_rows = numbers.iter().all(|(.., rows, whole_one)| *rows > 1.0 || *whole_one);
        if !(trains && are_rows && all_given == numbers.len() && numbers.len() > 1) {
            return Vec::new();
        }
        let of_all = |rows: f64| rounded(rows / sum * 100.0);
        let others: f64 = numbers[1..].iter().map(|(.., rows, _)| of_all(*rows)).sum();
        let first = std::iter::once((numbers[0].1, format!("{}%", rounded(100.0 - others))));
        first.chain(numbers[1..].iter().map(|(_, span, rows, _)| (*span, format!("{}%", of_all(*rows))))).collect()
    }

    /// The column of the file that holds the classes of `y`.
    fn label(&mut self, expr: &Expr, of: &str, (word, first): (Span, Option<Span>)) -> Option<Selector> {
        let ExprKind::Name(name) = expr.kind else { return self.raw_column(expr, of) };
        let Some(mut node) = self.lookup(name) else {
            self.unknown_name(expr.span, name, true);
            return None;
        };
        let mut classes = false;
        while let NodeKind::Apply(_, transform, input) = &self.node(node).kind {
            classes |= matches!(transform, Transform::Vocab { .. } | Transform::Index(_));
            node = *input;
        }
        if let NodeKind::Error = self.node(node).kind {
            return None;
        }
        match self.single(node).filter(|_| classes) {
            Some(selector) => Some(selector),
            None => {
                self.diagnostics.push(data::not_classes(expr.span, of, word, first));
                None
            }
        }
    }

    /// `"day"`, `column("day")`, or the name of a `let` that is one.
    pub fn raw_column(&mut self, expr: &Expr, of: &str) -> Option<Selector> {
        const WANTED: &str = "one column of the file, as in `column(\"day\")`";
        if let Some(node) = self.of_table(expr) {
            return self.single(node);
        }
        let inner = match Call::of(expr) {
            Some(call) if call.word == "column" => {
                Arguments::sort(&call, &[], &mut self.diagnostics).one(WANTED, &mut self.diagnostics)?
            }
            Some(call) => {
                let name = Symbol::new(call.word);
                let found = self.lookup(name).and_then(|node| self.single(node));
                if found.is_some() {
                    return found;
                }
                expr
            }
            None => expr,
        };
        let selector = self.selector(inner).filter(|selector| selector.last.is_none());
        if selector.is_none() {
            self.diagnostics.push(match inner.kind {
                ExprKind::Name(word) if self.lookup(word).is_none() => {
                    data::unquoted(inner.span, of, WANTED, word.as_str())
                }
                _ => data::wrong_argument(expr.span, of, WANTED),
            });
        }
        selector
    }

    /// The one column of the file that a node is.
    pub fn single(&self, node: NodeId) -> Option<Selector> {
        match &self.node(node).kind {
            NodeKind::Column(columns) if columns.single => columns.names.first().cloned(),
            _ => None,
        }
    }

    /// `folds(5, fold = 0)`
    fn folds(&mut self, call: &Call<'_>) -> Option<SplitKind> {
        const WANTED: &str = "how many parts, and which of them validates: `folds(5, fold = 0)`";
        let args = Arguments::sort(call, &["fold"], &mut self.diagnostics);
        let folds = args.one(WANTED, &mut self.diagnostics)?;
        let Some(count) = self.constants.count(folds).filter(|count| *count >= 2) else {
            self.diagnostics.push(match self.constants.number(folds) {
                Some(count) => data::argument_range(folds.span, call.word, WANTED, &count.round().max(2.0).to_string()),
                None => data::wrong_argument(folds.span, call.word, WANTED),
            });
            return None;
        };
        let Some(fold) = args.named("fold") else { return Some(SplitKind::Folds(count, 0)) };
        let number = self.constants.number(fold).filter(|at| *at >= 0.0 && at.fract() == 0.0 && *at < count as f64);
        if number.is_none() {
            let wanted = format!("a fold from 0 to {}", count - 1);
            let given = self.constants.number(fold).unwrap_or_default();
            let nearest = given.round().clamp(0.0, count as f64 - 1.0).to_string();
            self.diagnostics.push(data::argument_range(fold.span, call.word, &wanted, &nearest));
        }
        Some(SplitKind::Folds(count, number? as usize))
    }

    fn files(&mut self, call: &Call<'_>, spec: &Spec) -> Option<SplitKind> {
        const WANTED: &str = "`valid` and `test`, each a file or a share: `files(test = csv(\"t.csv\"), valid = 10%)`";
        let args = Arguments::sort(call, &["valid", "test"], &mut self.diagnostics);
        args.at_most(0, WANTED, &mut self.diagnostics);
        let mut parts = [None, None];
        for (part, name) in parts.iter_mut().zip(["valid", "test"]) {
            let Some(value) = args.named(name) else { continue };
            let is_source = Call::of(value).is_some_and(|call| names::SOURCES.contains(&call.word));
            *part = Some(if is_source {
                let mut source = self.source(value)?;
                if let Some(main) = &spec.source
                    && !alike(main, &source)
                {
                    let wanted = "a file of the same kind as the main one, with the same columns";
                    self.diagnostics.push(data::wrong_argument(value.span, call.word, wanted));
                    return None;
                }
                // The rows of every part go the same way.
                if let Some(main) = &spec.source {
                    if !source.steps.is_empty() {
                        let wanted = "a file alone: its rows take the steps of the main table";
                        self.diagnostics.push(data::wrong_argument(value.span, call.word, wanted));
                        return None;
                    }
                    source.steps.clone_from(&main.steps);
                }
                FilePart::Source(source)
            } else {
                FilePart::Share(self.share(name, value, &args)?)
            });
        }
        let [valid, test] = parts;
        if valid.is_none() && test.is_none() {
            self.diagnostics.push(data::wrong_argument(call.span, call.word, WANTED));
            return None;
        }
        let taken: f64 = [&valid, &test].into_iter().flatten().map(FilePart::share).sum();
        if taken >= 1.0 {
            self.diagnostics.push(data::nothing_to_train(call.span, self.room_to_train(&args)));
            return None;
        }
        Some(SplitKind::Files { valid, test })
    }
}

impl FilePart {
    /// How much of the main file the part takes.
    pub fn share(&self) -> f64 {
        match self {
            FilePart::Share(share) => *share,
            FilePart::Source(_) => 0.0,
        }
    }
}

/// `train = 1` is one row or one percent to its writer, never everything.
fn is_whole_one(value: &Expr) -> bool {
    matches!(&value.kind, ExprKind::Number(number) if number.is_int && number.value == 1.0)
}

fn alike(main: &super::Source, other: &super::Source) -> bool {
    use super::{Arrays, Format};
    match (main.format, other.format) {
        (format, other) if format.is_table() && other.is_table() => true,
        (Format::Files, Format::Files) => true,
        (Format::Arrays(Arrays::Npz), Format::Arrays(Arrays::Npz)) => true,
        (Format::Arrays(_), Format::Arrays(_)) | (Format::Pairs, Format::Pairs) if main.format == other.format => {
            main.files.iter().all(|file| other.files.iter().any(|o| o.column == file.column))
        }
        (Format::Images { labels, .. }, Format::Images { labels: other, .. }) => labels == other,
        (Format::Text(_), Format::Text(_)) | (Format::Lines, Format::Lines) => true,
        (
            Format::Table { .. }
            | Format::Json
            | Format::Parquet
            | Format::Arrays(_)
            | Format::Images { .. }
            | Format::Text(_)
            | Format::Lines
            | Format::Pairs
            | Format::Files
            | Format::Graph
            | Format::Synthetic(_),
            _,
        ) => false,
    }
}
