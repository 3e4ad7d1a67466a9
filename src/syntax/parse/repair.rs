//! One mistake where the grammar stops.
//!
//! In: a draft, where reading stopped and what would have gone on. Out: the draft mended, with the
//! diagnostic. First come mistakes that have their own words, then a missing or superfluous sign; each is
//! tried, and the one that lets the grammar read furthest is told. Where none helps, the smallest
//! statement around the place is written over, or else the rest of the region.

use std::ops::Range;

use super::choice;
use super::draft::{Draft, LOST};
use super::grammar::Rule;
use super::judge::{Candidate, Judge, Verdict};
use super::layout::{begins_statement, declaration, demands_more, open_brackets, statement};
use super::several;
use super::tokens::{Kind, RESERVED, Token, UNITS, names_state, tokens};
use super::words::wanted as words_for;
use crate::base::Span;
use crate::diag::syntax::Wanted;
use crate::diag::{self, Diagnostic};

/// Signs and words that may be missing, and the rules that ask for them; likely ones first.
const SIGNS: &[(&str, Rule)] = &[
    (" =", Rule::equals),
    (" :=", Rule::becomes),
    (" ~", Rule::tilde),
    (" ->", Rule::arrow),
    (" where", Rule::kw_where),
    (",", Rule::comma),
    (":", Rule::colon),
    (" in", Rule::kw_in),
    (" on", Rule::kw_on),
    (" from", Rule::kw_from),
    (" else", Rule::kw_else),
    (" as", Rule::kw_as),
    (" grad", Rule::kw_grad),
];

/// The same between round and square brackets.
const SIGNS_IN_BRACKETS: &[(&str, Rule)] =
    &[(",", Rule::comma), (" =", Rule::equals), (":", Rule::colon), (" ->", Rule::arrow)];

/// What a `let` is called elsewhere.
const LETS: [&str; 3] = ["const", "var", "val"];

/// How much of a token a message quotes.
const MAX_QUOTE: usize = 24;

/// What is given up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Size {
    /// A statement, or its value.
    Statement,
    /// Lines at the top level.
    Declaration,
    /// All that follows, or all.
    Rest,
}

/// Where reading stopped.
struct Site<'t> {
    text: &'t str,
    all: &'t [Token],
    /// The token that could not be read; one past the last at the end of the text.
    next: usize,
    wanted: &'t [Rule],
}

/// Mends the mistake at byte `at`. Whether that was possible at all.
pub(super) fn mend(draft: &mut Draft, at: usize, wanted: &[Rule], judge: &mut Judge) -> (Diagnostic, bool) {
    let text = draft.text().to_owned();
    let all = tokens(&text);
    let next = all.partition_point(|token| token.end <= at);
    let site = Site { text: &text, all: &all, next, wanted };
    let candidates = site.candidates(draft);
    let best = judge.best(draft, &candidates);
    let over = match best {
        Some((_, Verdict::RIGHT)) => None,
        _ => site.write_over(draft, judge),
    };
    // A mend is worth telling when it leaves no more trouble than giving the statement up would.
    let worth = |verdict: Verdict| match &over {
        Some((_, given_up, true)) => verdict >= *given_up,
        _ => verdict.reach > site.good_reach(),
    };
    if let Some((index, verdict)) = best
        && worth(verdict)
    {
        let candidate = candidates.into_iter().nth(index).expect("the judge chose among them");
        *draft = candidate.apply(draft);
        return (candidate.diagnostic, true);
    }
    let diagnostic = site.tell(draft);
    match over {
        Some((over, _, _)) => {
            *draft = over;
            (diagnostic, true)
        }
        None => (diagnostic, false),
    }
}

/// The diagnostic for a mistake that is not mended.
pub(super) fn refuse(draft: &Draft, at: usize, wanted: &[Rule]) -> Diagnostic {
    let text = draft.text();
    let all = tokens(text);
    let next = all.partition_point(|token| token.end <= at);
    Site { text, all: &all, next, wanted }.tell(draft)
}

impl Site<'_> {
    fn next(&self) -> Option<&Token> {
        self.all.get(self.next)
    }

    fn before(&self) -> Option<&Token> {
        self.next.checked_sub(1).map(|before| &self.all[before])
    }

    fn is_next(&self, what: &str) -> bool {
        self.next().is_some_and(|token| token.is(self.text, what))
    }

    fn quote(&self, token: Option<&Token>) -> String {
        let text = token.map_or("", |token| token.text(self.text));
        if text.starts_with(LOST) {
            return String::new();
        }
        match text.char_indices().nth(MAX_QUOTE) {
            Some((cut, _)) => format!("{}…", &text[..cut]),
            None => text.to_owned(),
        }
    }

    /// The byte right after the token before the mistake: where something is missing.
    fn gap_start(&self) -> usize {
        self.before().map_or(0, |token| token.end)
    }

    /// The byte that a good mend in the head of a declaration lets the grammar pass: into its body, or all
    /// when it has none.
    fn good_reach(&self) -> usize {
        let brace = self.all[self.next.min(self.all.len())..].iter().find(|token| token.is(self.text, "{"));
        brace.map_or(usize::MAX - 1, |brace| brace.end)
    }

    /// The bracket right around the mistake.
    fn bracket(&self) -> &str {
        open_brackets(self.all, self.next).last().map_or("", |&open| self.all[open].text(self.text))
    }

    /// The first token of the statement, or of the declaration's line, that the mistake is in.
    fn head(&self) -> usize {
        let inside = statement(self.text, self.all, self.next, self.is_after_start());
        let outside = || {
            (0..=self.next.min(self.all.len().saturating_sub(1)))
                .rev()
                .find(|&at| self.all.get(at).is_some_and(|token| token.first))
        };
        inside.map(|(tokens, _)| tokens.start).or_else(outside).unwrap_or(0)
    }

    /// Whether a statement begins where reading stopped, because the one before it is not complete.
    fn is_after_start(&self) -> bool {
        let complete = self.wanted.iter().any(|rule| {
            matches!(rule, Rule::close_brace | Rule::let_line | Rule::setting | Rule::varied | Rule::update)
        });
        let starts = self.next < self.all.len() && begins_statement(self.text, self.all, self.next);
        starts && (!complete || self.before().is_some_and(|before| demands_more(self.text, before)))
    }

    // ---- what may be meant

    fn candidates(&self, draft: &Draft) -> Vec<Candidate> {
        let mut list = Vec::new();
        self.own_words(draft, &mut list);
        self.missing_word(draft, &mut list);
        self.other_sign(draft, &mut list);
        self.missing_sign(draft, &mut list);
        self.missing_before_block(draft, &mut list);
        self.superfluous(draft, &mut list);
        list
    }

    /// Mistakes that are met often enough to have their own message.
    fn own_words(&self, draft: &Draft, list: &mut Vec<Candidate>) {
        // `y [t = 0]`: the bracket around the mistake stands apart from what it should index.
        if let Some(open) = open_brackets(self.all, self.next).pop().filter(|&open| open > 0) {
            let (before, bracket) = (&self.all[open - 1], &self.all[open]);
            let (gap, word) = (before.end..bracket.start, bracket.text(self.text));
            if matches!(word, "(" | "[") && !bracket.first && !gap.is_empty() && before.ends_value(self.text) {
                list.push(Candidate::new(gap.clone(), "", diag::syntax::spaced_bracket(draft.span(gap), word)));
            }
        }
        let Some(next) = self.next() else { return };
        let word = next.text(self.text);
        let span = draft.span(next.start..next.end);
        // `val y = x * 2`: the word is read as a value, and reading stops at `=`.
        let behind = self.next.checked_sub(2).map(|at| &self.all[at]);
        for token in behind.into_iter().chain(self.before()).filter(|token| token.is_word(self.text, &LETS)) {
            let advice = diag::syntax::advice_for(token.text(self.text)).unwrap_or_default();
            let say = diag::syntax::foreign_word(draft.span(token.start..token.end), token.text(self.text), advice);
            list.push(Candidate::new(token.start..token.end, "let", say));
        }
        if let Some(before) = self.before() {
            let gap = before.end..next.start;
            let on_line = !next.first && !gap.is_empty();
            if on_line && matches!(word, "(" | "[") && before.ends_value(self.text) {
                list.push(Candidate::new(gap.clone(), "", diag::syntax::spaced_bracket(draft.span(gap.clone()), word)));
            }
            if next.first && before.kind == Kind::Number && UNITS.contains(&word) {
                let say = diag::syntax::unit_on_next_line(span, draft.span(gap.clone()), word);
                list.push(Candidate::new(gap, " ", say));
            }
        }
        if next.kind == Kind::Word && RESERVED.contains(&word) && super::words::asks_for_name(self.wanted) {
            list.push(Candidate::new(next.end..next.end, "_", diag::syntax::reserved_name(span, word)));
        }
        if word == ","
            && let Some((bytes, lines)) = several::apart(self.text, self.all, self.head())
        {
            let say = diag::syntax::several_values(span, draft.span(bytes.clone()), &lines);
            list.push(Candidate::new(bytes, &lines, say));
        }
        if word == "=" && self.names_state() {
            let say = diag::syntax::instead(span, "=", ":=", diag::syntax::BECOMES_UPDATES);
            list.push(Candidate::new(next.start..next.end, ":=", say));
        }
        if word == ":" && self.bracket() == "[" {
            list.push(Candidate::new(next.start..next.end, "..", diag::syntax::slice(span)));
        }
        let doubled = self.before().is_some_and(|before| before.text(self.text) == word);
        if doubled || word == "," && self.before().is_some_and(|before| before.kind == Kind::Open) {
            list.push(Candidate::new(next.start..next.end, "", diag::syntax::superfluous(span, word)));
        }
    }

    /// One sign for another: `=` for `:`, `==` for `=` and the reverse.
    fn other_sign(&self, draft: &Draft, list: &mut Vec<Candidate>) {
        use diag::syntax::{COLON_GIVES, EQUALS_COMPARES, EQUALS_GIVES};
        let mut swap = |token: Option<&Token>, found: &str, right: &str, why: &str| {
            if let Some(token) = token.filter(|token| token.is(self.text, found)) {
                let say = diag::syntax::instead(draft.span(token.start..token.end), found, right, why);
                list.push(Candidate::new(token.start..token.end, right, say));
            }
        };
        let (before, next) = (self.before(), self.next());
        if self.bracket() == "{" || self.bracket().is_empty() {
            swap(next, "==", "=", EQUALS_GIVES);
            swap(next, ":=", "=", EQUALS_GIVES);
        }
        swap(next, ":", "=", EQUALS_GIVES);
        swap(next, "=", ":", COLON_GIVES);
        swap(next, "=", "==", EQUALS_COMPARES);
        swap(before, ":", "=", EQUALS_GIVES);
        swap(before, "=", ":", COLON_GIVES);
        swap(before, "==", "=", EQUALS_GIVES);
    }

    /// Whether the name before the mistake was declared with `state` or carried by a `scan`.
    fn names_state(&self) -> bool {
        let Some(before) = self.before().filter(|before| before.is_name(self.text)) else { return false };
        names_state(self.text, &self.all[..self.next - 1], before.text(self.text))
    }

    /// A keyword that should begin the statement, or stand before the last word.
    fn missing_word(&self, draft: &Draft, list: &mut Vec<Candidate>) {
        let mut begin = |index: usize, word: &str| {
            let Some(token) = self.all.get(index) else { return };
            let at = token.start;
            let before = index.checked_sub(1).map(|before| &self.all[before]).filter(|_| !token.first);
            let say = match word {
                "let " => diag::syntax::needs_let(draft.span(at..at), token.text(self.text)),
                _ if self.bracket().is_empty() && index == self.next => {
                    // What reads as a layer reads as a model, or as a function.
                    let words: &[&str] = match word.trim_end() {
                        "layer" if token.text(self.text).starts_with(char::is_uppercase) => &["model", "layer"],
                        "layer" => &["fn", "loss", "metric"],
                        _ => &[word.trim_end()],
                    };
                    diag::syntax::no_declaration(draft.span(at..token.end), token.text(self.text), words)
                }
                _ => diag::syntax::missing(draft.span(at..at), word, &self.quote(before), &self.quote(Some(token))),
            };
            list.push(Candidate::new(at..at, word, say));
        };
        if self.bracket().is_empty() {
            let varies =
                self.all[self.next.min(self.all.len())..].iter().any(|token| token.is_word(self.text, &["in"]));
            let section = if varies { ["search ", "train "] } else { ["train ", "search "] };
            for word in ["layer ", "data "].into_iter().chain(section).chain(["let ", "use ", "fn "]) {
                begin(self.next, word);
            }
        }
        let head = self.head();
        if head < self.next {
            let carries = self.all[head..self.next].iter().any(|token| token.is_word(self.text, &["from"]));
            let equals = (head..self.next).find(|&at| self.all[at].is(self.text, "="));
            if carries {
                for at in [Some(head), equals.map(|at| at + 1)].into_iter().flatten() {
                    begin(at, "scan ");
                }
            }
            if self.is_next("else") {
                for at in [Some(head), equals.map(|at| at + 1)].into_iter().flatten() {
                    begin(at, "if ");
                }
            }
            begin(self.next - 1, "stack ");
        }
        for word in ["let ", "state ", "param ", "penalty ", "update "] {
            begin(head, word);
        }
    }

    /// A sign or a value that is missing right before the mistake.
    fn missing_sign(&self, draft: &Draft, list: &mut Vec<Candidate>) {
        let at = self.gap_start();
        let (after, before) = (self.quote(self.before()), self.quote(self.next()));
        let mut insert = |sign: &str| {
            let say = diag::syntax::missing(draft.point(at), sign, &after, &before);
            list.push(Candidate::new(at..at, sign, say));
        };
        let dangling = self.before().is_none_or(|before| demands_more(self.text, before));
        if !dangling {
            let order = if matches!(self.bracket(), "(" | "[") { SIGNS_IN_BRACKETS } else { SIGNS };
            order.iter().filter(|(_, rule)| self.wanted.contains(rule)).for_each(|(sign, _)| insert(sign));
        }
        let say = if self.wanted.contains(&Rule::ty) {
            diag::syntax::missing_type(draft.point(at), &after)
        } else {
            diag::syntax::missing_value(draft.point(at), &after, &before)
        };
        list.push(Candidate::new(at..at, format!(" {LOST} "), say));
    }

    /// A value or an arrow that is missing before an earlier `{`, which was then taken for something else:
    /// `stack { … }`, `until a < { … }`, `(x: [..]) { a: [..] } { … }`.
    fn missing_before_block(&self, draft: &Draft, list: &mut Vec<Candidate>) {
        let opens = (1..self.next.min(self.all.len())).rev().filter(|&at| self.all[at].is(self.text, "{"));
        for at in opens.take(6) {
            let (before, brace) = (&self.all[at - 1], &self.all[at]);
            let key = self.all.get(at + 2).is_some_and(|colon| colon.is(self.text, ":"));
            let point = draft.point(before.end);
            let (after, found) = (before.text(self.text), brace.text(self.text));
            if key && before.is(self.text, ")") {
                let say = diag::syntax::missing(point, " ->", after, found);
                list.push(Candidate::new(before.end..before.end, " ->", say));
            } else if demands_more(self.text, before) && before.kind != Kind::Open && !before.is(self.text, "else") {
                let say = diag::syntax::missing_value(point, after, found);
                list.push(Candidate::new(before.end..before.end, format!(" {LOST} "), say));
            }
        }
    }

    /// Something too much: the token at the mistake, or the sign before it.
    fn superfluous(&self, draft: &Draft, list: &mut Vec<Candidate>) {
        let mut remove = |token: Option<&Token>| {
            if let Some(token) = token.filter(|token| !matches!(token.kind, Kind::Open | Kind::Close | Kind::Lost)) {
                let range = token.start..token.end;
                let say = diag::syntax::superfluous(draft.span(range.clone()), &self.quote(Some(token)));
                list.push(Candidate::new(range, "", say));
            }
        };
        remove(self.next());
        remove(self.before().filter(|before| before.kind == Kind::Sign));
    }

    // ---- what is said when nothing helps

    fn tell(&self, draft: &Draft) -> Diagnostic {
        let head = self.head();
        for token in [self.next(), self.all.get(head).filter(|_| head <= self.next)].into_iter().flatten() {
            let word = token.text(self.text);
            if let Some(advice) = diag::syntax::advice_for(word).filter(|_| token.kind == Kind::Word) {
                return diag::syntax::foreign_word(draft.span(token.start..token.end), word, advice);
            }
        }
        let place = self.place(draft);
        if self.is_next("else") || self.is_next(":") {
            let from = head.min(self.next);
            if let Some(at) = self.all[from..self.next].iter().rposition(|token| token.is(self.text, "if")) {
                let right = choice::rewritten(self.text, self.all, from + at);
                return diag::syntax::foreign_if(place, right.map(|(bytes, text)| (draft.span(bytes), text)));
            }
        }
        if let Some(next) = self.next()
            && self.bracket().is_empty()
            && self.wanted.contains(&Rule::EOI)
        {
            return diag::syntax::no_declaration(draft.span(next.start..next.end), &self.quote(Some(next)), &[]);
        }
        if let Some(before) = self.before().filter(|before| before.is(self.text, "param") && self.is_next("~")) {
            let after = draft.point(before.end);
            return diag::syntax::param_without_name(draft.span(before.start..before.end), after);
        }
        let found = match self.next() {
            Some(next) if !next.first || self.before().is_none() => self.quote(Some(next)),
            _ => String::new(),
        };
        let mut wanted = words_for(self.wanted);
        // After `let` a record could be taken apart; it is a name that is missing.
        if self.before().is_some_and(|before| before.is(self.text, "let")) {
            wanted.retain(|word| *word == Wanted::Name);
        }
        if let ([Wanted::Name], Some(before)) = (wanted.as_slice(), self.before()) {
            return diag::syntax::missing_name(place, &self.quote(Some(before)), &found);
        }
        diag::syntax::unexpected(place, &found, &wanted)
    }

    /// Where the mistake is shown: the token at it, or the end of the line before when something is missing there.
    fn place(&self, draft: &Draft) -> Span {
        match self.next() {
            Some(next) if !next.first || self.before().is_none() => draft.span(next.start..next.end),
            _ => draft.point(self.gap_start()),
        }
    }

    // ---- what is written over

    /// The draft with the smallest part around the mistake written over that lets the grammar pass it, how
    /// well it reads, and whether that part is a statement or less.
    fn write_over<'a>(&self, draft: &Draft<'a>, judge: &mut Judge) -> Option<(Draft<'a>, Verdict, bool)> {
        for (part, size) in self.parts() {
            if part.is_empty() {
                continue;
            }
            let mut over = draft.clone();
            over.blank(part.clone());
            let verdict = judge.verdict(&over)?;
            if verdict.reads_all() || size != Size::Rest && verdict.reach > part.end {
                return Some((over, verdict, size == Size::Statement));
            }
        }
        None
    }

    /// Parts of the text around the mistake, smallest first.
    fn parts(&self) -> Vec<(Range<usize>, Size)> {
        let mut parts = Vec::new();
        let mut index = self.next;
        let mut previous = self.is_after_start() || self.is_next("}");
        for _ in 0..8 {
            let Some((tokens, open)) = statement(self.text, self.all, index, previous) else { break };
            parts.extend(self.value_of(&tokens));
            parts.push(self.bytes(tokens));
            // The other side of the place where two statements meet.
            if let Some((other, _)) = statement(self.text, self.all, index, !previous) {
                parts.push(self.bytes(other));
            }
            (index, previous) = (open, false);
        }
        let mut parts: Vec<_> = parts.into_iter().map(|part| (part, Size::Statement)).collect();
        let end = self.all.len();
        let here = self.next.min(end.saturating_sub(1));
        parts.push((self.bytes(declaration(self.text, self.all, here)), Size::Declaration));
        parts.push((self.bytes(self.next.min(end)..end), Size::Rest));
        parts.push((self.bytes(0..end), Size::Rest));
        parts
    }

    /// The value of a statement, when the mistake lies in it.
    fn value_of(&self, tokens: &Range<usize>) -> Option<Range<usize>> {
        let mut depth = 0i32;
        let sign = tokens.clone().find(|&at| {
            let token = &self.all[at];
            depth += i32::from(token.kind == Kind::Open) - i32::from(token.kind == Kind::Close);
            depth == 0 && ["=", ":=", "~"].iter().any(|sign| token.is(self.text, sign))
        })?;
        (sign + 1 < tokens.end && self.next > sign + 1).then(|| self.bytes(sign + 1..tokens.end))
    }

    fn bytes(&self, tokens: Range<usize>) -> Range<usize> {
        match (self.all.get(tokens.start), tokens.end.checked_sub(1).and_then(|last| self.all.get(last))) {
            (Some(first), Some(last)) if first.start < last.end => first.start..last.end,
            _ => 0..0,
        }
    }
}
