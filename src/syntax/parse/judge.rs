//! Ways to mend a draft, judged by the grammar.
//!
//! A candidate is an edit with what would be said about it. The one that lets the grammar read furthest is
//! taken, so an edit a message offers has been tried. Trying is bounded: each costs a reading of the
//! draft, and a text has a budget of bytes to read.

use std::cmp::Reverse;
use std::ops::Range;

use super::build::Builder;
use super::draft::Draft;
use super::grammar::{self, Rule};
use crate::diag::{Diagnostic, Diagnostics};

/// How many bytes may be read in trials for one source text.
const BUDGET: usize = 24 << 20;

/// An edit of the draft and its message.
pub(super) struct Candidate {
    /// Ranges of the draft and what replaces them; they do not overlap.
    pub(super) edits: Vec<(Range<usize>, String)>,
    /// What is said when it is taken.
    pub(super) diagnostic: Diagnostic,
}

impl Candidate {
    /// A candidate that replaces one range.
    pub(super) fn new(range: Range<usize>, by: impl Into<String>, diagnostic: Diagnostic) -> Candidate {
        Candidate { edits: vec![(range, by.into())], diagnostic }
    }

    /// The draft with the edits done.
    pub(super) fn apply<'a>(&self, draft: &Draft<'a>) -> Draft<'a> {
        let mut edits: Vec<_> = self.edits.iter().collect();
        edits.sort_by_key(|(range, _)| Reverse(range.start));
        let mut mended = draft.clone();
        for (range, by) in edits {
            mended.replace(range.clone(), by);
        }
        mended
    }

    /// By how many bytes the edits lengthen the text.
    fn growth(&self) -> isize {
        self.edits.iter().map(|(range, by)| by.len() as isize - range.len() as isize).sum()
    }
}

/// How well a draft reads: how far the grammar comes, `usize::MAX` for all of it, and then how little the
/// builder has to say about it. Greater is better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Verdict {
    pub(super) reach: usize,
    pub(super) complaints: Reverse<usize>,
}

impl Verdict {
    /// Nothing is left to mend.
    pub(super) const RIGHT: Verdict = Verdict { reach: usize::MAX, complaints: Reverse(0) };

    /// Whether the grammar reads all.
    pub(super) fn reads_all(self) -> bool {
        self.reach == usize::MAX
    }
}

/// Reads drafts as long as the budget lasts.
pub(super) struct Judge<'a> {
    source: &'a str,
    left: usize,
}

impl<'a> Judge<'a> {
    /// A judge for drafts of `source`, with a full budget.
    pub(super) fn new(source: &'a str) -> Judge<'a> {
        Judge { source, left: BUDGET }
    }

    /// How well a draft reads. None when the budget is spent.
    pub(super) fn verdict(&mut self, draft: &Draft) -> Option<Verdict> {
        self.left = self.left.checked_sub(draft.text().len())?;
        Some(match grammar::read(Rule::file, draft.text()) {
            Ok(pairs) => {
                let mut complaints = Diagnostics::default();
                for file in pairs {
                    Builder::new(draft, self.source, &mut complaints).file(file);
                }
                Verdict { reach: usize::MAX, complaints: Reverse(complaints.iter().count()) }
            }
            Err(fault) => Verdict { reach: fault.at(), complaints: Reverse(0) },
        })
    }

    /// How well a draft reads with a candidate, reach counted in the draft as it is now.
    pub(super) fn try_out(&mut self, draft: &Draft, candidate: &Candidate) -> Option<Verdict> {
        let mut verdict = self.verdict(&candidate.apply(draft))?;
        if !verdict.reads_all() {
            verdict.reach = verdict.reach.saturating_add_signed(-candidate.growth());
        }
        Some(verdict)
    }

    /// The best candidate and how well the draft reads with it; earlier ones win a tie, and the first that
    /// leaves nothing to mend wins at once.
    pub(super) fn best(&mut self, draft: &Draft, candidates: &[Candidate]) -> Option<(usize, Verdict)> {
        let mut best: Option<(usize, Verdict)> = None;
        for (index, candidate) in candidates.iter().enumerate() {
            let Some(verdict) = self.try_out(draft, candidate) else { break };
            if verdict == Verdict::RIGHT {
                return Some((index, verdict));
            }
            if best.is_none_or(|(_, known)| verdict > known) {
                best = Some((index, verdict));
            }
        }
        best
    }
}
