//! Ways to mend a draft, judged by the grammar.
//!
//! A candidate is an edit with what would be said about it. The one that lets the grammar read furthest is
//! taken, so an edit a message offers has been tried. Trying is bounded: each costs a reading of the
//! draft, and a text has a budget of bytes to read.

use std::ops::Range;

use super::draft::Draft;
use super::grammar::{self, Rule};
use crate::diag::Diagnostic;

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
        edits.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
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

/// Reads drafts as long as the budget lasts.
pub(super) struct Judge {
    left: usize,
}

impl Judge {
    /// A judge with a full budget.
    pub(super) fn new() -> Judge {
        Judge { left: BUDGET }
    }

    /// How far the grammar reads the draft: `usize::MAX` for all of it. None when the budget is spent.
    pub(super) fn reach(&mut self, draft: &Draft) -> Option<usize> {
        self.left = self.left.checked_sub(draft.text().len())?;
        Some(grammar::read(Rule::file, draft.text()).map_or_else(|fault| fault.at(), |_| usize::MAX))
    }

    /// The best candidate: the first that lets all be read, else the one that reaches furthest, in the
    /// bytes of the draft as it is; earlier ones win a tie.
    pub(super) fn best(&mut self, draft: &Draft, candidates: &[Candidate]) -> Option<(usize, usize)> {
        let mut best = None;
        for (index, candidate) in candidates.iter().enumerate() {
            let Some(reach) = self.reach(&candidate.apply(draft)) else { break };
            if reach == usize::MAX {
                return Some((index, reach));
            }
            let reach = reach.saturating_add_signed(-candidate.growth());
            if best.is_none_or(|(_, known)| reach > known) {
                best = Some((index, reach));
            }
        }
        best
    }
}
