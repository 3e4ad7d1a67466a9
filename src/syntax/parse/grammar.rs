//! The grammar as pest reads it.
//!
//! In: a text and the rule it should be. Out: pest's pairs, or the place where no rule went further and
//! what would have. The only file that names pest's errors and its limits.

use std::num::NonZeroUsize;
use std::sync::Once;

use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::{Pair, Pairs};

/// How many steps pest may take over one text: about twice what the largest one takes.
const CALL_LIMIT: NonZeroUsize = NonZeroUsize::new(50_000_000).unwrap();

#[derive(pest_derive::Parser)]
#[grammar = "../grammar/model.pest"]
struct Grammar;

/// A piece of text that a rule matched.
pub(super) type Node<'i> = Pair<'i, Rule>;

/// Why a text is not what the rule asks for.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Fault {
    /// No rule goes on from the byte `at`; each of `wanted` would have.
    Stuck { at: usize, wanted: Vec<Rule> },
    /// Reading it took too many steps or too much stack.
    Exhausted,
}

impl Fault {
    /// How far the text was read.
    pub(super) fn at(&self) -> usize {
        match self {
            Fault::Stuck { at, .. } => *at,
            Fault::Exhausted => 0,
        }
    }
}

/// Reads a whole text as `rule`.
pub(super) fn read(rule: Rule, text: &str) -> Result<Pairs<'_, Rule>, Fault> {
    static LIMIT: Once = Once::new();
    LIMIT.call_once(|| pest::set_call_limit(Some(CALL_LIMIT)));
    Grammar::parse(rule, text).map_err(|error| {
        let at = match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
        };
        match error.variant {
            ErrorVariant::ParsingError { positives, .. } => Fault::Stuck { at, wanted: positives },
            ErrorVariant::CustomError { .. } => Fault::Exhausted,
        }
    })
}
