//! One mistake where the grammar stops.
//!
//! In: a draft, where reading stopped and what would have gone on. Out: the draft mended, with the
//! diagnostic. First come mistakes that have their own words, then a missing or superfluous sign; each is
//! tried, and the one that lets the grammar read furthest is told. Where none helps, the smallest
//! statement around the place is written over, or else the rest of the region.

use std::ops::Range;

use super::draft::{Draft, LOST};
use super::grammar::Rule;
use super::judge::{Candidate, Judge};
use super::layout::{begins_statement, demands_more, open_brackets, statement};
use super::tokens::{Kind, RESERVED, Token, UNITS, tokens};
use super::words::wanted as words_for;
use crate::base::Span;
use crate::diag::{self, Diagnostic};

/// How much of a token a message quotes.
const MAX_QUOTE: usize = 24;

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
    if let Some((index, verdict)) = judge.best(draft, &candidates)
        && verdict.reach > site.good_reach()
    {
        let candidate = candidates.into_iter().nth(index).expect("the judge chose among them");
        *draft = candidate.apply(draft);
        return (candidate.diagnostic, true);
    }
    let diagnostic = site.tell(draft);
    (diagnostic, site.write_over(draft, judge))
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

    /// The byte that a good mend lets the grammar pass: the end of the statement, or of the head of the
    /// declaration. A mend that leaves a further mistake in the same statement is a guess.
    fn good_reach(&self) -> usize {
        let end = match statement(self.text, self.all, self.next, self.is_after_start()) {
            Some((tokens, _)) => tokens.end.max(self.next + 1),
            None => {
                let brace = (self.next..self.all.len()).find(|&at| self.all[at].is(self.text, "{"));
                brace.map_or(self.all.len(), |brace| brace + 1)
            }
        };
        // At the end of the text only a mend that lets all be read is good.
        if end < self.all.len() { self.all[end - 1].end } else { usize::MAX - 1 }
    }

    /// The bracket right around the mistake.
    fn bracket(&self) -> &str {
        open_brackets(self.all, self.next).last().map_or("", |&open| self.all[open].text(self.text))
    }

    /// The first token of the statement, or of the declaration's line, that the mistake is in.
    fn head(&self) -> usize {
        let inside = statement(self.text, self.all, self.next, self.is_after_start());
        let outside = || (0..=self.next.min(self.all.len().saturating_sub(1))).rev().find(|&at| self.all[at].first);
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
        let Some(next) = self.next() else { return };
        let word = next.text(self.text);
        let span = draft.span(next.start..next.end);
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
        if word == "=" && self.names_state() {
            let say = diag::syntax::instead(span, "=", ":=", diag::syntax::BECOMES_UPDATES);
            list.push(Candidate::new(next.start..next.end, ":=", say));
        }
        if word == ":" && self.bracket() == "[" {
            list.push(Candidate::new(next.start..next.end, "..", diag::syntax::slice(span)));
        }
        let doubled = self.before().is_some_and(|before| before.text(self.text) == word);
        if word == "," && (doubled || self.before().is_some_and(|before| before.kind == Kind::Open)) || doubled {
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
        let name = before.text(self.text);
        let mut declares = false;
        self.all[..self.next - 1].iter().any(|token| {
            if token.first || token.is(self.text, "{") {
                declares = false;
            }
            declares |= token.is_word(self.text, &["state", "from"]);
            declares && token.is(self.text, name)
        })
    }

    /// A keyword that should begin the statement, or stand before the last word.
    fn missing_word(&self, draft: &Draft, list: &mut Vec<Candidate>) {
        let mut begin = |index: usize, word: &str| {
            let Some(token) = self.all.get(index) else { return };
            let at = token.start;
            let before = index.checked_sub(1).map(|before| &self.all[before]);
            let say = match word {
                "let " => diag::syntax::needs_let(draft.span(at..at), token.text(self.text)),
                _ if self.bracket().is_empty() && index == self.next => {
                    diag::syntax::no_declaration(draft.span(at..token.end), token.text(self.text))
                }
                _ => diag::syntax::missing(draft.span(at..at), word, &self.quote(before), &self.quote(Some(token))),
            };
            list.push(Candidate::new(at..at, word, say));
        };
        if self.bracket().is_empty() {
            let varies = self.all[self.next.min(self.all.len())..].iter().any(|token| token.is_word(self.text, &["in"]));
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
            let signs: &[&str] = match self.bracket() {
                "(" | "[" => &[",", " =", ":", " ->"],
                _ => &[" =", " :=", " ~", " where", " ->", ",", ":", " in", " on", " from", " else", " as", " grad"],
            };
            signs.iter().for_each(|sign| insert(sign));
        }
        let say = diag::syntax::missing_value(draft.point(at), &after, &before);
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
        if let Some(first) = self.all.get(head).filter(|first| first.kind == Kind::Word)
            && let Some(advice) = diag::syntax::advice_for(first.text(self.text))
            && head <= self.next
        {
            return diag::syntax::foreign_word(draft.span(first.start..first.end), first.text(self.text), advice);
        }
        let place = self.place(draft);
        let has_if = || self.all[head.min(self.next)..self.next].iter().any(|token| token.is(self.text, "if"));
        if (self.is_next("else") || self.is_next(":")) && has_if() {
            return diag::syntax::foreign_if(place);
        }
        if let Some(next) = self.next()
            && self.bracket().is_empty()
            && self.wanted.contains(&Rule::EOI)
        {
            return diag::syntax::no_declaration(draft.span(next.start..next.end), &self.quote(Some(next)));
        }
        let found = match self.next() {
            Some(next) if !next.first || self.before().is_none() => self.quote(Some(next)),
            _ => String::new(),
        };
        diag::syntax::unexpected(place, &found, &words_for(self.wanted))
    }

    /// Where the mistake is shown: the token at it, or the end of the line before when something is missing there.
    fn place(&self, draft: &Draft) -> Span {
        match self.next() {
            Some(next) if !next.first || self.before().is_none() => draft.span(next.start..next.end),
            _ => draft.point(self.gap_start()),
        }
    }

    // ---- what is written over

    /// Writes over the smallest part around the mistake that lets the grammar pass it.
    fn write_over(&self, draft: &mut Draft, judge: &mut Judge) -> bool {
        let parts = self.parts();
        for part in &parts {
            if part.is_empty() {
                continue;
            }
            let mut over = draft.clone();
            over.blank(part.clone());
            match judge.verdict(&over) {
                Some(verdict) if verdict.reach > part.end => {
                    *draft = over;
                    return true;
                }
                Some(_) => {}
                None => return false,
            }
        }
        false
    }

    /// Parts of the text around the mistake, smallest first.
    fn parts(&self) -> Vec<Range<usize>> {
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
        let end = self.all.len();
        if self.next < end {
            // What follows a complete declaration, up to the next one or to the end of the region.
            parts.push(self.bytes(self.next..end));
        }
        parts.push(self.bytes(0..end));
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
