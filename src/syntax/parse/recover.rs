//! Reading on past mistakes.
//!
//! In: a text that the grammar refused. Out: its tree with `Error` nodes where the mistakes were, and one
//! diagnostic for each. A region that reads well is taken as it is; the others are mended in a draft:
//! strange words and signs first, brackets by indentation next, then one mistake after the other where the
//! grammar stops.

use std::ops::Range;

use super::build::Builder;
use super::draft::Draft;
use super::grammar::{self, Fault, Rule};
use super::judge::Judge;
use super::tokens::tokens;
use super::{brackets, habits, layout, repair};
use crate::base::{FileId, Span};
use crate::diag::{self, Diagnostic, Diagnostics};
use crate::syntax::ast::{File, Item};

/// How many mistakes of one region are told.
const MOST_MISTAKES: usize = 12;

/// How many of one file.
const MOST_IN_FILE: usize = 60;

/// How large a region may be to be mended; a larger one is refused at its first mistake.
const MAX_REGION: usize = 256 << 10;

/// The tree of a text with mistakes.
pub(super) fn recover(file: FileId, source: &str, diagnostics: &mut Diagnostics) -> File {
    let mut judge = Judge::new(source);
    let mut items = Vec::new();
    for region in layout::regions(source, &tokens(source)) {
        let mut found = Vec::new();
        if diagnostics.iter().count() >= MOST_IN_FILE {
            items.push(Item::Error(Span::new(file, region.start, region.end)));
            continue;
        }
        items.extend(read_region(file, source, region, &mut judge, &mut found, diagnostics));
    }
    File { items }
}

fn read_region(
    file: FileId,
    source: &str,
    region: Range<usize>,
    judge: &mut Judge,
    found: &mut Vec<Diagnostic>,
    diagnostics: &mut Diagnostics,
) -> Vec<Item> {
    let mut draft = Draft::new(file, source, region.clone());
    let whole = trimmed(&draft);
    let clean = !draft.text().contains(super::draft::LOST);
    match grammar::read(Rule::file, draft.text()) {
        Ok(_) if clean => return build(&draft, source, diagnostics),
        Err(Fault::Exhausted) => {
            diagnostics.push(diag::syntax::too_much(whole.before()));
            return vec![Item::Error(whole)];
        }
        Err(Fault::Stuck { at, wanted }) if region.len() > MAX_REGION => {
            diagnostics.push(repair::refuse(&draft, at, &wanted));
            return vec![Item::Error(whole)];
        }
        Ok(_) | Err(Fault::Stuck { .. }) => {}
    }
    habits::mend(&mut draft, judge, found);
    brackets::mend(&mut draft, judge, found);
    let readable = mend_rest(&mut draft, judge, found);
    for diagnostic in found.drain(..) {
        diagnostics.push(diagnostic);
    }
    if readable { build(&draft, source, diagnostics) } else { vec![Item::Error(whole)] }
}

/// Mends where the grammar stops until it does not; whether that came to an end.
fn mend_rest(draft: &mut Draft, judge: &mut Judge, found: &mut Vec<Diagnostic>) -> bool {
    let mut told = 0;
    loop {
        match grammar::read(Rule::file, draft.text()) {
            Ok(_) => return true,
            Err(Fault::Exhausted) => {
                found.push(diag::syntax::too_much(draft.span(0..0)));
                return false;
            }
            Err(Fault::Stuck { at, wanted }) => {
                if told == MOST_MISTAKES {
                    return false;
                }
                told += 1;
                let (diagnostic, mended) = repair::mend(draft, at, &wanted, judge);
                found.push(diagnostic);
                if !mended {
                    return false;
                }
            }
        }
    }
}

fn build(draft: &Draft, source: &str, diagnostics: &mut Diagnostics) -> Vec<Item> {
    match grammar::read(Rule::file, draft.text()) {
        Ok(mut pairs) => {
            let file = pairs.next().expect("a text that is read is a file");
            Builder::new(draft, source, diagnostics).file(file).items
        }
        Err(_) => Vec::new(),
    }
}

/// The place of a draft from its first token to its last.
fn trimmed(draft: &Draft) -> Span {
    let all = tokens(draft.text());
    match (all.first(), all.last()) {
        (Some(first), Some(last)) => draft.span(first.start..last.end),
        _ => draft.span(0..0),
    }
}
