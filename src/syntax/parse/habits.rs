//! Words and signs that are none here: other languages' operators, quotes and comments, unfinished texts,
//! numbers that are not written right.
//!
//! Each is one diagnostic and is mended in the draft, so that the grammar can go on.

use super::choice;
use super::draft::{Draft, LOST};
use super::judge::{Candidate, Judge};
use super::tokens::{Kind, Token, UNITS, names_state, tokens};
use crate::base::Span;
use crate::diag::{self, Diagnostic};

/// Operators of other languages and ours.
const FOREIGN: [(&str, &str); 18] = [
    ("&&", "and"),
    ("||", "or"),
    ("!", "not"),
    ("**", "^"),
    ("===", "=="),
    ("!==", "!="),
    ("<>", "!="),
    ("=>", "->"),
    ("...", ".."),
    ("×", "*"),
    ("·", "*"),
    ("−", "-"),
    ("≤", "<="),
    ("≥", ">="),
    ("≠", "!="),
    ("→", "->"),
    ("÷", "/"),
    ("::", "."),
];

/// The letters of formulas, as code spells them.
const GREEK: [(&str, &str); 28] = [
    ("α", "alpha"),
    ("β", "beta"),
    ("γ", "gamma"),
    ("δ", "delta"),
    ("ε", "epsilon"),
    ("ζ", "zeta"),
    ("η", "eta"),
    ("θ", "theta"),
    ("ι", "iota"),
    ("κ", "kappa"),
    ("λ", "lambda_"),
    ("μ", "mu"),
    ("µ", "mu"),
    ("ν", "nu"),
    ("ξ", "xi"),
    ("π", "pi"),
    ("ρ", "rho"),
    ("σ", "sigma"),
    ("τ", "tau"),
    ("φ", "phi"),
    ("χ", "chi"),
    ("ψ", "psi"),
    ("ω", "omega"),
    ("Γ", "Gamma"),
    ("Δ", "Delta"),
    ("Σ", "Sigma"),
    ("Φ", "Phi"),
    ("Ω", "Omega"),
];

/// Signs without a single counterpart: what to do, and what stands in for them while the rest is read.
const STRANGE: [(&str, &str, &str); 6] = [
    ("@", "*", "a matrix product names the axis it sums over: `sum[d](x * w)`"),
    ("+=", ":=", "write `x := x + …` for a state, or give the sum a new name with `let`"),
    ("-=", ":=", "write `x := x - …` for a state, or give the difference a new name with `let`"),
    ("*=", ":=", "write `x := x * …` for a state, or give the product a new name with `let`"),
    ("/=", ":=", "write `x := x / …` for a state, or give the quotient a new name with `let`"),
    ("++", "+", "nothing counts up here; repetition is `stack i in 0..4 { … }`"),
];

/// How many are mended one by one; what comes after them is left to the grammar.
const MOST: usize = 40;

/// Mends all of them in the draft.
pub(super) fn mend(draft: &mut Draft, judge: &mut Judge, found: &mut Vec<Diagnostic>) {
    let unread = |span| diag::syntax::unknown_character(span, "\u{1}");
    take_out(draft, found, |token, _| token.kind == Kind::Lost, unread);
    take_out(draft, found, |token, text| token.is(text, ";"), diag::syntax::semicolon);
    let mut letters: Vec<(String, Vec<Span>)> = Vec::new();
    let mut at = 0;
    // Each round mends the first strange token from `at` on; what stands before it stays.
    for _ in 0..MOST {
        let Some((index, all)) = next(draft, at) else { break };
        let token = all[index];
        let text = token.text(draft.text()).to_owned();
        let span = draft.span(token.start..token.end);
        let behind = draft.text().len() - token.end;
        let mut replacement = " ".to_owned();
        let diagnostic = match token.kind {
            Kind::OpenText => {
                let candidate = close_text(draft, judge, &token);
                *draft = candidate.apply(draft);
                found.push(candidate.diagnostic);
                at = token.start + 1;
                continue;
            }
            Kind::BadNumber => {
                let right = number(&text);
                replacement = right.clone().unwrap_or_else(|| lost(text.len()));
                diag::syntax::bad_number(span, &text, right.as_deref())
            }
            Kind::Sign if matches!(text.as_str(), "//" | "/*") => {
                replacement = "#".to_owned();
                diag::syntax::foreign_comment(span, &text, "#")
            }
            Kind::Word => {
                let end = element_end(draft.text(), &all, index);
                let range = token.start..end;
                replacement = lost(range.len());
                draft.replace(range, &replacement);
                found.push(diag::syntax::foreign(span, &text, diag::syntax::advice_for("lambda").unwrap_or_default()));
                at = end;
                continue;
            }
            _ => match (FOREIGN.iter().find(|row| row.0 == text), STRANGE.iter().find(|row| row.0 == text)) {
                (Some((_, ours)), _) => {
                    replacement = apart(draft.text(), &token, ours);
                    diag::syntax::foreign_sign(span, &text, &replacement)
                }
                (_, Some((_, stand_in, advice))) => {
                    replacement = (*stand_in).to_owned();
                    update(draft, &all, index).unwrap_or_else(|| diag::syntax::foreign(span, &text, advice))
                }
                _ if text == "?" => {
                    let right = choice::rewritten(draft.text(), &all, index);
                    let told = right.clone().map(|(bytes, right)| (draft.span(bytes), right));
                    found.push(diag::syntax::foreign_if(span, told));
                    let (bytes, by) = right.unwrap_or((token.start..token.end, " ".to_owned()));
                    at = bytes.start;
                    draft.replace(bytes, &by);
                    continue;
                }
                _ if text == "*/" => diag::syntax::end_of_comment(span),
                _ if matches!(text.as_str(), "'" | "‘" | "’" | "“" | "”") => {
                    let Some(length) = quoted(&draft.text()[token.start..]) else {
                        found.push(diag::syntax::unknown_character(span, &text));
                        draft.replace(token.start..token.end, " ");
                        continue;
                    };
                    let range = token.start..token.start + length;
                    let inner = &draft.text()[token.end..range.end];
                    let inner = inner.trim_end_matches(['\'', '’', '”']).replace('"', "\\\"");
                    replacement = format!("\"{inner}\"");
                    let span = draft.span(range.clone());
                    draft.replace(range, &replacement);
                    found.push(diag::syntax::single_quotes(span, &replacement));
                    at = token.start + replacement.len();
                    continue;
                }
                _ if text.chars().all(char::is_alphanumeric) => {
                    // A letter of a name: the name stays one word.
                    draft.replace(token.start..token.end, "x");
                    at = token.start;
                    match letters.iter_mut().find(|(known, _)| *known == text) {
                        Some((_, places)) => places.push(span),
                        None => letters.push((text, vec![span])),
                    }
                    continue;
                }
                _ => diag::syntax::unknown_character(span, &text),
            },
        };
        found.push(diagnostic);
        draft.replace(token.start..token.end, &replacement);
        at = draft.text().len() - behind;
    }
    // Each is told once, and mended everywhere.
    found.extend(letters.into_iter().map(|(letter, places)| match GREEK.iter().find(|(greek, _)| *greek == letter) {
        Some((_, name)) => diag::syntax::letter_with_name(&places, &letter, name),
        None => diag::syntax::unknown_character(places[0], &letter),
    }));
}

/// Takes tokens out wherever they stand; one diagnostic tells of all.
fn take_out(
    draft: &mut Draft,
    found: &mut Vec<Diagnostic>,
    is_meant: impl Fn(&Token, &str) -> bool,
    say: impl Fn(Span) -> Diagnostic,
) {
    let text = draft.text();
    let places: Vec<Token> = tokens(text).into_iter().filter(|token| is_meant(token, text)).collect();
    let mut told: Option<Diagnostic> = None;
    for token in places {
        let range = token.start..token.end;
        let span = draft.span(range.clone());
        told = Some(match told {
            Some(before) => before.also(span, ""),
            None => say(span),
        });
        let blanks = " ".repeat(range.len());
        draft.replace(range, &blanks);
    }
    found.extend(told);
}

/// What is said of `total += x`, where `total` is a state or a carry.
fn update(draft: &Draft, all: &[Token], index: usize) -> Option<Diagnostic> {
    let (text, sign) = (draft.text(), &all[index]);
    let state = index.checked_sub(1).map(|before| &all[before]).filter(|before| before.is_name(text))?;
    let is_update = sign.text(text).ends_with('=') && names_state(text, &all[..index - 1], state.text(text));
    let first = all.get(index + 1).filter(|first| is_update && !first.first)?;
    let end = element_end(text, all, index + 1);
    let is_row = all[index + 1..].iter().take_while(|token| token.end <= end).any(|token| token.is_infix(text));
    let span = draft.span(sign.start..sign.end);
    let value = draft.span(first.start..end);
    Some(diag::syntax::foreign_update(span, sign.text(text), state.text(text), is_row.then_some(value)))
}

/// A word in the place of a sign, with a blank where it would grow into its neighbours.
fn apart(text: &str, sign: &Token, ours: &str) -> String {
    let word = ours.starts_with(|c: char| c.is_ascii_alphabetic());
    let blank = |neighbour: Option<char>| if word && neighbour.is_some_and(|c| !c.is_whitespace()) { " " } else { "" };
    let before = blank(text[..sign.start].chars().next_back().filter(|c| !matches!(c, '(' | '[')));
    let after = blank(text[sign.end..].chars().next());
    format!("{before}{ours}{after}")
}

/// The first token from byte `at` on that is none of the language, with all tokens.
fn next(draft: &Draft, at: usize) -> Option<(usize, Vec<Token>)> {
    let text = draft.text();
    let all = tokens(text);
    let index = all.iter().position(|token| token.start >= at && is_strange(text, token))?;
    Some((index, all))
}

fn is_strange(text: &str, token: &Token) -> bool {
    match token.kind {
        Kind::OpenText | Kind::BadNumber | Kind::Other => true,
        Kind::Sign => {
            let sign = token.text(text);
            sign == "/*"
                || sign == "//" && token.first
                || FOREIGN.iter().any(|row| row.0 == sign)
                || matches!(sign, "*/" | "?")
                || STRANGE.iter().any(|row| row.0 == sign)
        }
        Kind::Word => token.text(text) == "lambda" && is_lambda(&text[token.end..]),
        Kind::Number | Kind::Text | Kind::Open | Kind::Close | Kind::Lost => false,
    }
}

/// Whether names and a colon follow on the line.
fn is_lambda(rest: &str) -> bool {
    let line = rest.split('\n').next().unwrap_or(rest);
    let head = line.split(':').next().unwrap_or(line);
    head.len() < line.len() && head.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ',' | ' '))
}

/// Where the argument or the line that token `index` begins ends.
fn element_end(text: &str, all: &[Token], index: usize) -> usize {
    let mut depth = 0u32;
    let mut end = all[index].end;
    let colon = all[index..].iter().position(|token| token.is(text, ":")).map_or(index, |at| index + at);
    for (at, token) in all.iter().enumerate().skip(index) {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close if depth == 0 => break,
            Kind::Close => depth -= 1,
            _ if depth == 0 && at > index && token.first => break,
            _ if depth == 0 && at > colon && token.is(text, ",") => break,
            _ => {}
        }
        end = token.end;
    }
    end
}

/// Closes a text where the rest of its line makes most sense.
fn close_text(draft: &Draft, judge: &mut Judge, token: &Token) -> Candidate {
    let body = token.text(draft.text());
    // The end of the line first, then before each sign that may follow a text.
    let ends = body.char_indices().rev().filter(|(at, c)| *at > 0 && matches!(c, ')' | ',' | ']' | '}' | ' ' | ':'));
    let mut places: Vec<usize> = std::iter::once(body.len()).chain(ends.map(|(at, _)| at)).take(12).collect();
    places.sort_unstable();
    let candidates: Vec<Candidate> = places
        .into_iter()
        .map(|place| {
            let at = token.start + place;
            let diagnostic = diag::syntax::unfinished_text(draft.span(token.start..at), draft.point(at));
            Candidate::new(at..at, "\"", diagnostic)
        })
        .collect();
    let best = judge.best(draft, &candidates).map_or(candidates.len() - 1, |(index, _)| index);
    candidates.into_iter().nth(best).expect("one candidate at least")
}

/// The number that is meant, when it is plain.
fn number(text: &str) -> Option<String> {
    if let Some(fraction) = text.strip_prefix('.') {
        return is_digits(fraction).then(|| format!("0.{fraction}"));
    }
    if let Some(whole) = text.strip_suffix('.') {
        return is_digits(whole).then(|| format!("{whole}.0"));
    }
    let letters = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (digits, word) = text.split_at(letters);
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'_'));
    match word {
        _ if !plain => None,
        word if UNITS.contains(&word) => Some(format!("{digits} {word}")),
        "f" | "F" | "f32" | "f64" | "L" | "l" => Some(digits.to_owned()),
        "k" | "K" => Some(format!("{digits}_000")).filter(|_| is_digits(digits)),
        "M" => Some(format!("{digits}_000_000")).filter(|_| is_digits(digits)),
        _ => None,
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The length of a text in other quotes that `rest` begins with.
fn quoted(rest: &str) -> Option<usize> {
    let line = rest.split('\n').next().unwrap_or(rest);
    let open = line.chars().next()?;
    let closing: &[char] = if matches!(open, '“' | '”') { &['”', '“', '"'] } else { &['\'', '’', '‘'] };
    let at = line[open.len_utf8()..].find(closing)? + open.len_utf8();
    line[at..].chars().next().map(|close| at + close.len_utf8())
}

/// What is written over `length` bytes.
fn lost(length: usize) -> String {
    LOST.to_string().repeat(length)
}
