//! What runs and is probably not what was meant: slow spellings, and parameters that nothing trains.

use super::{Code, Diagnostic, grouped};
use crate::base::Span;

/// What keeps a product from being right under its sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InTheWay {
    /// Something is added to it.
    Term,
    /// An `if` whose condition one factor could take.
    Choice,
    /// A third factor with the axes of both.
    WideFactor,
}

/// What keeps a softmax and a product with values from being one operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoAttention {
    /// The weights are changed here before they meet the values.
    Between(Span),
    /// No axis but those of queries and keys.
    NoBatch,
    /// More than one axis of queries or of keys, or none.
    Weights,
    /// The values have not one axis of their own.
    Values,
    /// The scores are not one product over one axis, of operands with all axes of the batch.
    Scores,
    /// The score computes or reads too much.
    Score,
    /// Nothing that could be said.
    Unknown,
}

/// Why no gradient reaches a parameter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NoGradient {
    /// What is made of it is not in the loss.
    Outside,
    /// `stop_gradient` stands on the way, or `freeze`.
    Stopped,
    /// A position, as of `argmax`.
    Position,
    /// A function that is constant between its jumps.
    Steps,
    /// A truth: a comparison, `and`, `or`, `not`.
    Truth,
    /// A whole number.
    Whole,
    /// It is multiplied by 0, or taken to the power of 0.
    Zero,
}

// No edit: the same number comes out of several other ways to write it, and none of them is plainly the one to take.
/// A sum of so many products that is no matrix product. `sum` is how it is written.
pub fn loop_sum(sum: &str, products: u64, span: Span, why: InTheWay, at: Span) -> Diagnostic {
    let told = Diagnostic::warning(Code::W0801, span, "this sum of products runs element by element")
        .here(format!("{} products a step", grouped(products)));
    let (label, help) = match why {
        InTheWay::Term => (
            "a product, and something added to it",
            format!("sum each by itself: `{sum}(…) + {sum}(…)`; the sum of the product is then a matrix product"),
        ),
        InTheWay::Choice => (
            "chosen for each product",
            format!("choose in one factor, before the product: `{sum}(a * (if … {{ b }} else {{ 0 }}))`"),
        ),
        InTheWay::WideFactor => (
            "this has the axes of both other factors",
            "a matrix product needs two factors that each lack an axis of the other".to_owned(),
        ),
    };
    further(told, span, at, label).help(help)
}

// No edit: the words say what to change; which of the axes play which part is not to be seen.
/// An attention of so many weights that is not one operation: its last product, and its softmax.
pub fn attention(weights: u64, product: Span, softmax: Span, why: NoAttention) -> Diagnostic {
    let told = Diagnostic::warning(Code::W0802, product, "the weights of this attention are all kept in memory")
        .here(format!("{} weights a step", grouped(weights)));
    let told = if softmax == product { told } else { told.label(softmax, "the softmax") };
    match why {
        NoAttention::Between(at) => further(told, product, at, "the weights are changed before they meet the values")
            .help("change the scores before the softmax, or what the sum makes of the values"),
        NoAttention::NoBatch => told
            .note("the weights have no axes but those of queries and keys")
            .help("with an axis of a batch or of heads in queries, keys and values it is one operation"),
        NoAttention::Weights => told
            .note("one axis of the weights must be the queries' alone, and one be summed")
            .help("join the axes that play one part: `join[h, w -> s](…)`"),
        NoAttention::Values => told
            .note("the values must have one axis that the weights lack")
            .help("join their axes into one before the product: `join[a, b -> e](…)`, and `split` what comes out"),
        NoAttention::Scores => told
            .note("the scores must come from one product of queries and keys, over one axis, both with all axes of the batch")
            .help("`expand` the side that lacks an axis of the batch; `join` axes that are summed together"),
        NoAttention::Score => told.note("the score computes or reads too much beside the product of queries and keys"),
        NoAttention::Unknown => told.help("`attend(q, k, v)` is one operation"),
    }
}

// No edit: whether they should be trained or stay is not to be seen.
/// Parameters that the loss does not depend on, used at one place; where the way to the loss ends.
pub fn no_gradient(paths: &[&str], span: Span, why: NoGradient, at: Option<Span>) -> Diagnostic {
    let told = Diagnostic::warning(Code::W0501, span, format!("nothing trains {}", some(paths)));
    let end = match why {
        NoGradient::Outside => {
            return told
                .here("what is made of it is not in the loss")
                .help("let the loss depend on it, or `freeze` the layer if its first values are to stay");
        }
        NoGradient::Stopped => "no gradient passes here",
        NoGradient::Position => "a position has no gradient",
        NoGradient::Steps => "constant between its jumps: no gradient",
        NoGradient::Truth => "what is true or false has no gradient",
        NoGradient::Whole => "a whole number has no gradient",
        NoGradient::Zero => "0 whatever it is",
    };
    let told = told.here("the loss does not change with it");
    let told = match at.filter(|at| *at != span) {
        Some(at) => told.label(at, end),
        None => told.note(end),
    };
    told.help("let the loss depend on it in another way too, or `freeze` the layer if its first values are to stay")
}

/// A run without parameters.
// No edit: which model the loss should be of is not to be seen.
pub fn no_parameters(span: Span) -> Diagnostic {
    Diagnostic::warning(Code::W0601, span, "this run has no parameters, so it trains nothing")
        .here("nothing it does can make its loss smaller")
        .help("make the loss of what a model with parameters makes of the data: `loss = mse(Net(x), y)`")
}

/// A label unless it is at the place of the first.
fn further(told: Diagnostic, first: Span, span: Span, text: &str) -> Diagnostic {
    if span == first { told.note(text) } else { told.label(span, text) }
}

/// `` `a`, `b` and 3 more ``
fn some(paths: &[&str]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<String> = paths.iter().take(SHOWN).map(|path| format!("`{path}`")).collect();
    match (&shown[..], paths.len().saturating_sub(SHOWN)) {
        ([rest @ .., last], 0) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        (shown, 0) => shown.concat(),
        (shown, more) => format!("{} and {more} more", shown.join(", ")),
    }
}
