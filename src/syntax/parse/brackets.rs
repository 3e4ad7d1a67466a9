//! Brackets without a partner, found by indentation.
//!
//! In: a draft that the grammar refused. Out: the draft with every bracket closed, and a diagnostic for
//! each that was not. A bracket that is missing shows far from where it should be; the way lines are
//! indented tells where. Where several places would do, the grammar judges them.

use std::ops::Range;

use super::draft::Draft;
use super::judge::{Candidate, Judge, Verdict};
use super::layout::begins_line;
use super::tokens::{Kind, Token, tokens};
use crate::diag::{self, Diagnostic};

/// How many brackets of one draft are mended.
const MOST_TROUBLES: usize = 12;

/// How many places are tried for one.
const MOST_PLACES: usize = 48;

/// The first bracket whose partner is not where it should be. Numbers are token indices.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Trouble {
    /// `opener` should be closed before the token `before`.
    Unclosed { opener: usize, before: usize },
    /// `closer` meets an opener of another kind; `fits` says whether one further out is of its kind.
    Mismatch { opener: usize, closer: usize, fits: bool },
    /// Nothing is open at `closer`.
    Extra { closer: usize },
}

/// Closes what is open and opens what is closed.
pub(super) fn mend(draft: &mut Draft, judge: &mut Judge, found: &mut Vec<Diagnostic>) {
    for _ in 0..MOST_TROUBLES {
        let all = tokens(draft.text());
        let Some(trouble) = first_trouble(draft.text(), &all) else { return };
        let candidates = candidates(draft, &all, trouble);
        let best = choose(draft, judge, &candidates);
        let Some(candidate) = candidates.into_iter().nth(best) else { return };
        *draft = candidate.apply(draft);
        found.push(candidate.diagnostic);
    }
}

/// The first candidate that makes all readable; else one that leaves no further trouble; else the one that
/// the grammar reads furthest with.
fn choose(draft: &Draft, judge: &mut Judge, candidates: &[Candidate]) -> usize {
    let mut best = None;
    for (index, candidate) in candidates.iter().enumerate() {
        let Some(verdict) = judge.try_out(draft, candidate) else { break };
        if verdict == Verdict::RIGHT {
            return index;
        }
        let mended = candidate.apply(draft);
        let balanced = first_trouble(mended.text(), &tokens(mended.text())).is_none();
        let rank = (verdict.reads_all(), balanced, verdict);
        if best.is_none_or(|(_, known)| rank > known) {
            best = Some((index, rank));
        }
    }
    best.map_or(0, |(index, _)| index)
}

/// A bracket that is open.
struct Frame {
    opener: usize,
    /// The indentation of the statement it stands in.
    anchor: u32,
    /// The indentation of the statement that is being read inside.
    inner: u32,
    /// Whether what it holds is indented deeper than its statement, as far as lines tell.
    indented: bool,
}

fn first_trouble(text: &str, all: &[Token]) -> Option<Trouble> {
    if is_balanced(text, all) {
        return None;
    }
    let mut frames: Vec<Frame> = Vec::new();
    let mut outer = 0;
    for (index, token) in all.iter().enumerate() {
        if token.first && begins_line(text, all, index) {
            match frames.last_mut() {
                Some(frame) if all[frame.opener].line < token.line => {
                    if ends_frame(text, all, frame, index) {
                        return Some(Trouble::Unclosed { opener: frame.opener, before: index });
                    }
                    frame.inner = token.indent;
                }
                Some(_) => {}
                None => outer = token.indent,
            }
        }
        match token.kind {
            Kind::Open => {
                let anchor = frames.last().map_or(outer, |frame| frame.inner);
                let next = all.get(index + 1).filter(|next| next.line > token.line);
                let indented = next.is_none_or(|next| next.indent > anchor);
                frames.push(Frame { opener: index, anchor, inner: anchor, indented });
            }
            Kind::Close => {
                let Some(frame) = frames.last() else { return Some(Trouble::Extra { closer: index }) };
                let opener = frame.opener;
                if all[opener].text(text) != partner(token.text(text)) {
                    let kind = partner(token.text(text));
                    let fits = frames.iter().any(|frame| all[frame.opener].text(text) == kind);
                    return Some(Trouble::Mismatch { opener, closer: index, fits });
                }
                // A `}` further out than the statement it would close belongs to an outer one.
                let outdented = token.first && token.is(text, "}") && token.indent < frame.anchor;
                let others = &frames[..frames.len() - 1];
                if outdented && others.iter().any(|other| all[other.opener].is(text, "{")) {
                    return Some(Trouble::Unclosed { opener, before: index });
                }
                frames.pop();
            }
            _ => {}
        }
    }
    frames.last().map(|frame| Trouble::Unclosed { opener: frame.opener, before: all.len() })
}

/// Whether every bracket has a partner of its kind, wherever it stands: then indentation is a matter of taste.
fn is_balanced(text: &str, all: &[Token]) -> bool {
    let mut open = Vec::new();
    for token in all {
        match token.kind {
            Kind::Open => open.push(token.text(text)),
            Kind::Close if open.pop() != Some(partner(token.text(text))) => return false,
            _ => {}
        }
    }
    open.is_empty()
}

/// Whether the token that begins a line cannot stand inside the frame.
fn ends_frame(text: &str, all: &[Token], frame: &Frame, index: usize) -> bool {
    let token = &all[index];
    if all[frame.opener].is(text, "{") {
        return frame.indented && token.indent <= frame.anchor;
    }
    let assigns = token.is_name(text) && all.get(index + 1).is_some_and(|next| next.is(text, ":="));
    token.is_word(text, &["let", "state"]) || assigns || token.indent <= frame.anchor
}

fn partner(bracket: &str) -> &'static str {
    match bracket {
        "(" => ")",
        "[" => "]",
        "{" => "}",
        ")" => "(",
        "]" => "[",
        _ => "{",
    }
}

fn candidates(draft: &Draft, all: &[Token], trouble: Trouble) -> Vec<Candidate> {
    let text = draft.text();
    match trouble {
        Trouble::Unclosed { opener, before } => closings(draft, all, opener, before),
        Trouble::Extra { closer } => {
            let mut list = openings(draft, all, 0, closer);
            list.push(extra(draft, &all[closer]));
            list
        }
        Trouble::Mismatch { opener, closer, fits } => {
            let closed = &all[closer];
            let (open, close) = (all[opener].text(text), partner(all[opener].text(text)));
            let place = draft.span(range(&all[opener]));
            let say = diag::syntax::wrong_closer(draft.span(range(closed)), closed.text(text), place, open, close);
            let wrong = Candidate::new(range(closed), close, say);
            let mut list = Vec::new();
            let round = [open, closed.text(text)].iter().all(|bracket| !matches!(*bracket, "{" | "}"));
            if fits {
                list.extend(closings(draft, all, opener, closer));
                list.extend(openings(draft, all, opener + 1, closer));
                list.push(wrong);
                list.push(extra(draft, closed));
            } else if round {
                list.push(wrong);
                list.extend(openings(draft, all, opener + 1, closer));
                list.push(extra(draft, closed));
            } else {
                list.extend(openings(draft, all, opener + 1, closer));
                list.push(extra(draft, closed));
                list.push(wrong);
            }
            list
        }
    }
}

fn extra(draft: &Draft, closer: &Token) -> Candidate {
    let say = diag::syntax::extra_closer(draft.span(range(closer)), closer.text(draft.text()));
    Candidate::new(range(closer), "", say)
}

/// Places for the missing partner of `opener`: at the end of its line, where the next goes on with an operator,
/// right before where it must be closed, before an `else` or a block, at the ends of lines, and last after any
/// token between.
fn closings(draft: &Draft, all: &[Token], opener: usize, before: usize) -> Vec<Candidate> {
    let text = draft.text();
    let open = all[opener].text(text);
    let close = partner(open);
    let between = || (opener + 1..before).rev();
    let next_is = |index: usize, what: &str| all.get(index + 1).is_some_and(|next| next.is(text, what));
    let ends_line = |index: &usize| all.get(index + 1).is_some_and(|next| next.first);
    let mut places: Vec<usize> = Vec::new();
    if open != "{" {
        let own_line = (opener..before).find(ends_line);
        places.extend(own_line.filter(|&index| {
            all[index].ends_value(text) && all.get(index + 1).is_some_and(|next| next.is_infix(text))
        }));
    }
    places.push(before - 1);
    places.extend(between().filter(|&index| next_is(index, "else")));
    places.extend(between().filter(|&index| open != "{" && next_is(index, "{")));
    places.extend(between().filter(ends_line));
    places.truncate(MOST_PLACES);
    places.extend((opener..before).take(MOST_PLACES));
    each(places)
        .map(|index| {
            let at = all[index].end;
            let say = diag::syntax::unclosed(draft.point(at), draft.span(range(&all[opener])), open, close);
            Candidate::new(at..at, if close == "}" { " }" } else { close }, say)
        })
        .collect()
}

/// Places for the missing partner of `closer`, from the token `from` on.
fn openings(draft: &Draft, all: &[Token], from: usize, closer: usize) -> Vec<Candidate> {
    let text = draft.text();
    let close = all[closer].text(text);
    let open = partner(close);
    let candidate = |at: usize, text: &str| {
        let say = diag::syntax::unopened(draft.point(at), draft.span(range(&all[closer])), open, close);
        Candidate::new(at..at, text, say)
    };
    // Two values side by side: a bracket may be missing between them.
    let meets = |index: usize| {
        let (this, next) = (&all[index], &all[index + 1]);
        this.ends_value(text) && next.begins_value(text) && !next.first
    };
    if close == "}" {
        let bare = |index: usize| {
            let (this, next) = (&all[index], &all[index + 1]);
            this.is_word(text, &["else", "remat"]) && !next.is(text, "{") && !next.is(text, "if")
        };
        // `= mae: …`, `-> a: [..]` and `let a, b }` want the fields of a record.
        let fields = |index: usize| {
            let key = matches!(all[index + 1].kind, Kind::Word | Kind::Text);
            let colon = all.get(index + 2).is_some_and(|colon| colon.is(text, ":"));
            all[index].is(text, "let") || key && colon && matches!(all[index].kind, Kind::Sign | Kind::Open)
        };
        let apart = |index: usize| meets(index) && !all[index + 1].glued && !all[index + 1].is(text, "{");
        let deeper = |index: usize| all[index + 1].first && all[index + 1].indent > all[index].indent;
        let head = |index: usize| deeper(index) && !matches!(all[index].kind, Kind::Open | Kind::Sign);
        let likely = |index: usize| bare(index) || head(index) || fields(index) || apart(index);
        let mut places: Vec<usize> = (from..closer).rev().filter(|&index| likely(index)).collect();
        places.truncate(MOST_PLACES / 2);
        places.extend((from..closer).rev().filter(|&index| all[index + 1].first && all[index].ends_value(text)));
        return each(places).map(|index| candidate(all[index].end, " {")).collect();
    }
    // A round or square pair lies within one statement.
    let from = (from..closer).rev().find(|&index| all[index].first && begins_line(text, all, index)).unwrap_or(from);
    let between = || (from..closer).rev();
    let mut places: Vec<usize> = Vec::new();
    places.extend(between().filter(|&index| meets(index) && all[index + 1].glued).map(|index| all[index].end));
    places.extend(between().filter(|&index| meets(index)).map(|index| all[index].end));
    places.extend(
        between()
            .filter(|&index| all[index].begins_value(text) || all[index].is(text, ".."))
            .map(|index| all[index].start),
    );
    each(places).map(|at| candidate(at, open)).collect()
}

/// Each place once, in order, up to the limit.
fn each(places: Vec<usize>) -> impl Iterator<Item = usize> {
    let mut seen = Vec::new();
    for place in places {
        if seen.len() < 2 * MOST_PLACES && !seen.contains(&place) {
            seen.push(place);
        }
    }
    seen.into_iter()
}

fn range(token: &Token) -> Range<usize> {
    token.start..token.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::FileId;

    /// The draft after mending and how many troubles there were.
    fn mended(text: &str) -> (String, usize) {
        let mut draft = Draft::new(FileId(0), text, 0..text.len());
        let mut found = Vec::new();
        mend(&mut draft, &mut Judge::new(text), &mut found);
        (draft.text().to_owned(), found.len())
    }

    #[test]
    fn indentation_tells_which_block_is_open() {
        let text = "layer A(x: [..]) {\n  let y = stack 2 {\n    let z = x\n    z\n  let w = y\n  w\n}\n";
        let right = "layer A(x: [..]) {\n  let y = stack 2 {\n    let z = x\n    z }\n  let w = y\n  w\n}\n";
        assert_eq!(mended(text), (right.to_owned(), 1));
    }

    #[test]
    fn the_grammar_chooses_the_place() {
        let text = "fn f(x) = if x { a else { b }\n";
        assert_eq!(mended(text), ("fn f(x) = if x { a } else { b }\n".to_owned(), 1));
        assert_eq!(mended("fn f(x) = sum[a]x * 2)\n"), ("fn f(x) = sum[a](x * 2)\n".to_owned(), 1));
        assert_eq!(mended("fn f(x) = g(x]\n"), ("fn f(x) = g(x)\n".to_owned(), 1));
    }

    #[test]
    fn a_missing_head_brace_is_found_by_the_deeper_line() {
        let text = "layer A(x: [..]) {\n  scan t from h = 0\n    let z = h\n    z\n  }\n}\n";
        let right = "layer A(x: [..]) {\n  scan t from h = 0 {\n    let z = h\n    z\n  }\n}\n";
        assert_eq!(mended(text), (right.to_owned(), 1));
    }
}
