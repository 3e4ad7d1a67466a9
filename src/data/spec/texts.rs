//! Texts: `chars[t, vocab]`, `words[t, vocab](most = 20_000)`, `bpe[t, vocab]("tokenizer.json")`, `truncate`, `pad`.
//!
//! In: calls. Out: transforms, and `present(ids)` and `length(ids)` as nodes. In a source that is one text, or a text a
//! line, these steps stand alone: what they cut is the text. One long text has as many rows as it is cut into pieces, so
//! a declaration cuts it in one way, which is found here.

use crate::base::{Span, Symbol};
use crate::diag::{data, texts};
use crate::syntax::ast::{Arg, Expr, ExprKind};
use crate::syntax::print::print_expr;

use super::arguments::{Arguments, Call};
use super::columns::Reader;
use super::gives::Gives;
use super::{
    ClassAxis, EntrySpec, FilePart, Format, NodeId, NodeKind, Selector, Source, SourceFile, Spec, SplitKind, Transform,
    Window, WindowAxis, names,
};

/// What a text is cut into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// `chars`
    Chars,
    /// `words`
    Words,
    /// `bpe`: pieces of a tokenizer.
    Pieces,
}

/// How texts become numbers.
#[derive(Clone, PartialEq, Debug)]
pub struct Tokens {
    /// What a text is cut into.
    pub unit: Unit,
    /// The axis it runs along; else the model's signature names it.
    pub along: Option<Symbol>,
    /// The axis that the numbers are positions of.
    pub axis: Option<ClassAxis>,
    /// `most = 20_000`: only so many words have a number of their own, the most frequent.
    pub most: Option<usize>,
    /// `least = 2`: only words that the training rows have so often.
    pub least: usize,
    /// `"tokenizer.json"`, of `bpe`.
    pub tokenizer: Option<SourceFile>,
    /// What stands in front of each text.
    pub begin: Mark,
    /// What stands behind it.
    pub end: Mark,
}

/// A piece that marks where a text begins or ends.
#[derive(Clone, PartialEq, Debug)]
pub enum Mark {
    /// None.
    No,
    /// `begin = true`: the one that the tokenizer has for it.
    Own,
    /// `begin = "<s>"`
    Named(String),
}

/// More words than any table of parameters has.
const MOST_WORDS: usize = 1 << 24;

impl Reader<'_> {
    /// `chars[t, vocab]`, `words[t, vocab](…)`, `bpe[t, vocab](…)`
    pub fn tokens(&mut self, call: &Call<'_>, axes: Vec<ClassAxis>) -> Option<Transform> {
        const WANTED: &str = "two axes in brackets, what a text runs along and what is counted, as in `[t, vocab]`";
        let (along, axis) = match axes.as_slice() {
            [] => (None, None),
            [along, axis] if along.size.is_none() => (Some(along.name), Some(*axis)),
            _ => {
                self.diagnostics.push(data::wrong_argument(call.span, call.word, WANTED));
                return None;
            }
        };
        let plain =
            |unit| Tokens { unit, along, axis, most: None, least: 1, tokenizer: None, begin: Mark::No, end: Mark::No };
        let tokens = match call.word {
            "chars" => self.plain(call, plain(Unit::Chars))?,
            "words" => self.counted_words(call, plain(Unit::Words))?,
            _ => self.pieces(call, plain(Unit::Pieces))?,
        };
        Some(Transform::Tokens(tokens))
    }

    /// `words(most = 20_000, least = 2)`
    fn counted_words(&mut self, call: &Call<'_>, tokens: Tokens) -> Option<Tokens> {
        let args = Arguments::sort(call, &["most", "least", "sep"], &mut self.diagnostics);
        let wanted = "`most`, how many words it counts, and `least`, how often a word must be there";
        args.at_most(0, wanted, &mut self.diagnostics);
        let mut count = |name: &str| match args.named(name) {
            None => Some(None),
            Some(value) => match self.constants.count(value).filter(|count| *count <= MOST_WORDS) {
                Some(count) => Some(Some(count)),
                None => {
                    let wanted = format!("a whole number above 0 as `{name}`");
                    self.diagnostics.push(data::wrong_argument(value.span, call.word, &wanted));
                    None
                }
            },
        };
        let (most, least) = (count("most")?, count("least")?.unwrap_or(1));
        Some(Tokens { most, least, ..tokens })
    }

    /// `bpe("tokenizer.json", begin = true, end = "</s>")`
    fn pieces(&mut self, call: &Call<'_>, tokens: Tokens) -> Option<Tokens> {
        const WANTED: &str = "the path of a tokenizer in quotes, as in `bpe(\"tokenizer.json\")`";
        let args = Arguments::sort(call, &["begin", "end"], &mut self.diagnostics);
        let path = args.one(WANTED, &mut self.diagnostics)?;
        let Some(tokenizer) = self.file(String::new(), path) else {
            self.diagnostics.push(data::wrong_argument(path.span, call.word, WANTED));
            return None;
        };
        let mut mark = |name: &str| {
            let Some(value) = args.named(name) else { return Some(Mark::No) };
            match (self.constants.bool(value), self.constants.text(value)) {
                (Some(false), _) => Some(Mark::No),
                (Some(true), _) => Some(Mark::Own),
                (_, Some(piece)) => Some(Mark::Named(piece)),
                (None, None) => {
                    let wanted = format!("`true` or a piece in quotes as `{name}`");
                    self.diagnostics.push(data::wrong_argument(value.span, call.word, &wanted));
                    None
                }
            }
        };
        let (begin, end) = (mark("begin")?, mark("end")?);
        Some(Tokens { tokenizer: Some(tokenizer), begin, end, ..tokens })
    }

    /// `truncate(512)`
    pub fn truncate(&mut self, call: &Call<'_>) -> Option<Transform> {
        const WANTED: &str = "how long a text may be, as in `truncate(512)`";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let value = args.one(WANTED, &mut self.diagnostics)?;
        let most = self.places(value, call, WANTED)?;
        Some(Transform::Truncate(most))
    }

    /// `pad`, `pad(256)`
    pub fn pad(&mut self, call: &Call<'_>) -> Option<Transform> {
        const WANTED: &str = "nothing, or how long all rows shall be: `pad(256)`";
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        args.at_most(1, WANTED, &mut self.diagnostics);
        match args.values.first() {
            None => Some(Transform::Pad(None)),
            Some(value) => Some(Transform::Pad(Some(self.places(value, call, WANTED)?))),
        }
    }

    fn places(&mut self, value: &Expr, call: &Call<'_>, wanted: &str) -> Option<usize> {
        let places = self.constants.count(value).filter(|places| *places <= super::MOST_NUMBERS);
        if places.is_none() {
            self.diagnostics.push(data::wrong_argument(value.span, call.word, wanted));
        }
        places
    }

    /// Whether a step that cuts texts stands without a column: the source is a text, or one a line.
    pub fn cuts_the_source(&self, call: &Call<'_>) -> bool {
        let is_column = |arg: &Arg| matches!(arg, Arg::Value(value) if self.constants.eval(value).is_none());
        names::TOKENS.contains(&call.word)
            && matches!(self.format, Some(Format::Text(_) | Format::Lines))
            && !call.args.iter().any(is_column)
    }

    /// A window of a long text runs along the axis that the text runs along.
    pub fn along_a_text(&self, window: &mut Window, of: NodeId) {
        if let NodeKind::Apply(_, Transform::Tokens(Tokens { along: Some(along), .. }), _) = &self.node(of).kind
            && window.axis == WindowAxis::Open
        {
            window.axis = WindowAxis::Named(*along);
        }
    }

    /// `present(ids)`, `length(ids)`
    pub fn of_texts(&mut self, call: &Call<'_>, hole: Option<NodeId>) -> NodeId {
        let wanted = format!("one column of texts, as in `{}(ids)`", call.word);
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let Some(operand) = args.one(&wanted, &mut self.diagnostics) else { return self.error(call.span) };
        let node = self.value(operand, hole);
        match (self.gives(node), call.word) {
            (Gives::Error, _) => self.error(call.span),
            (Gives::Padded, names::PRESENT) => self.push(NodeKind::Present(node), call.span),
            (Gives::Padded | Gives::Texts, names::LENGTH) => self.push(NodeKind::Length(node), call.span),
            (_, word) => {
                let wants = if word == names::PRESENT { "padded texts" } else { "texts" };
                let (value, has) = (self.node(node).span, self.has(node));
                self.fail(call.span, data::transform_mismatch(call.span, word, wants, value, has))
            }
        }
    }

    /// What a run may ask of a padded column, beside the column: `present(ids)` and `length(ids)` under these names.
    pub fn asked_of_texts(&mut self) {
        let padded: Vec<EntrySpec> =
            self.entries.iter().filter(|entry| self.gives(entry.node) == Gives::Padded).cloned().collect();
        for entry in padded {
            let span = entry.name.span;
            for (word, kind) in
                [(names::PRESENT, NodeKind::Present(entry.node)), (names::LENGTH, NodeKind::Length(entry.node))]
            {
                let name = names::asked(word, entry.name.name);
                let node = self.push(kind, span);
                self.entries.push(EntrySpec { name: crate::syntax::ast::Ident { name, span }, node });
            }
        }
    }

    /// Finds what one long text is cut into, and tells when it is nothing, or two things.
    pub fn cut_of_source(&mut self, spec: &mut Spec) {
        let Some(source) = spec.source.as_ref().filter(|source| matches!(source.format, Format::Text(_))) else {
            return;
        };
        let place = source.files.first().and_then(|file| file.span).unwrap_or(spec.name.span);
        let mut first: Option<(Tokens, Span)> = None;
        for id in 0..self.count() {
            let node = self.node(NodeId(id));
            let NodeKind::Apply(_, Transform::Tokens(tokens), _) = &node.kind else { continue };
            let (tokens, span) = (tokens.clone(), node.span);
            let path = |tokens: &Tokens| tokens.tokenizer.as_ref().map(|file| file.path.clone());
            if (&tokens.begin, &tokens.end) != (&Mark::No, &Mark::No) {
                let surplus = self.expr_at(span).map(marks).unwrap_or_default();
                self.diagnostics.push(texts::marks_of_one_text(span, &surplus));
                return;
            }
            match &first {
                None => first = Some((tokens, span)),
                Some((known, place)) if known.unit != tokens.unit || path(known) != path(&tokens) => {
                    let cut = self.expr_at(*place).map(print_expr).unwrap_or_default();
                    self.diagnostics.push(texts::cut_in_two_ways(span, *place, &cut));
                    return;
                }
                Some(_) => {}
            }
        }
        let Some((tokens, _)) = first else {
            if self.diagnostics.is_empty() {
                self.diagnostics.push(texts::text_uncut(place, self.data.span.inner_end()));
            }
            return;
        };
        every_source(spec, |source| source.format = Format::Text(Some(tokens.unit)));
    }

    /// Whether columns are named by number: then the first line of a table is a row.
    pub fn header_of_source(&mut self, spec: &mut Spec) {
        match (self.numbered, self.named) {
            (Some(number), Some(name)) => self.diagnostics.push(texts::numbers_and_names(number, name)),
            (Some(_), None) => every_source(spec, |source| {
                if let Format::Table { header, .. } = &mut source.format {
                    *header = false;
                }
            }),
            (None, _) => {}
        }
    }

    /// `column(0)`: the number of a column of a table; a range leaves its end out, as elsewhere.
    pub fn numbered_selector(&mut self, expr: &Expr) -> Option<Selector> {
        let number = |expr: &Expr| {
            let number = self.constants.number(expr)?;
            (number >= 0.0 && number.fract() == 0.0 && number < f64::from(u32::MAX)).then_some(number as u64)
        };
        let (first, last) = match &expr.kind {
            ExprKind::Range(Some(first), Some(end)) => {
                let (first, end) = (number(first)?, number(end)?);
                (first, Some(end.checked_sub(1).filter(|last| *last >= first)?))
            }
            _ => (number(expr)?, None),
        };
        if !matches!(self.format, None | Some(Format::Table { .. })) {
            return None;
        }
        self.numbered.get_or_insert(expr.span);
        let last = last.map(|last| last.to_string());
        Some(Selector { first: first.to_string(), last, table: self.table, span: expr.span })
    }
}

/// The source of a declaration, and the others that parts of its split come from.
fn every_source(spec: &mut Spec, mut change: impl FnMut(&mut Source)) {
    spec.source.iter_mut().for_each(&mut change);
    if let SplitKind::Files { valid, test } = &mut spec.split.kind {
        for part in [valid, test].into_iter().flatten() {
            if let FilePart::Source(source) = part {
                change(source);
            }
        }
    }
}

impl Unit {
    /// Its word in the language.
    pub fn word(self) -> &'static str {
        match self {
            Unit::Chars => "chars",
            Unit::Words => "words",
            Unit::Pieces => "bpe",
        }
    }
}

/// The arguments of a step that put marks around texts, with their commas.
fn marks(step: &Expr) -> Vec<Span> {
    let Some(call) = Call::of(step) else { return Vec::new() };
    let is_mark = |arg: &Arg| matches!(arg, Arg::Set(name, _) if matches!(name.name.as_str(), "begin" | "end"));
    match call.args.iter().all(is_mark) {
        true => call.parentheses().into_iter().collect(),
        false => (0..call.args.len()).filter(|&at| is_mark(&call.args[at])).filter_map(|at| call.surplus(at)).collect(),
    }
}
