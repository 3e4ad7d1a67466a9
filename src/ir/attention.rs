//! Attention: for each query a mean of values, weighted by the softmax of how its key fits each other's.
//!
//! Arguments of `Op::Attention`, where `B` is any number of axes that all three share:
//! - `q: [B, t, e]`, `k: [B, s, e]`, `v: [B, s, f]`;
//! - further values that the score reads: with the axes `B` in front where `each` says so, then `t` and `s` or one of
//!   them or none.
//!
//! With `x = score(q·k)` for each position of `B`, an elementwise function over `[t, s]`, the results are
//! `softmax over s of x, times v: [B, t, f]` and the log-sum-exp of x over s, `[B, t]`. A row of x that is -∞ as a
//! whole (all is masked) has the result 0.
//!
//! `Op::AttentionGrad` has these arguments, then both results and the gradient by the first, and gives the gradients
//! by q, k and v without keeping the weights. Other gradients, and gradients of gradients, are those of the
//! definition (`ops::attention_by_definition`).

use std::hash::{Hash, Hasher};

use super::Graph;

/// What an attention is beside its arguments.
#[derive(Clone, Debug)]
pub struct Attention {
    /// The score: its inputs are the products `[t, s]`, then the further values; its output the scores.
    pub score: Graph,
    /// For each further value, whether it has an entry for each position of the batch.
    pub each: Vec<bool>,
}

/// A result of an attention.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum AttentionResult {
    /// The weighted means.
    Mean,
    /// The log-sum-exp of the scores.
    LogSumExp,
}

/// Of which argument `Op::AttentionGrad` is the gradient.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "each is its argument")]
pub enum AttentionArg {
    Query,
    Key,
    Value,
}

impl PartialEq for Attention {
    fn eq(&self, other: &Attention) -> bool {
        self.each == other.each && self.score.computes_as(&other.score)
    }
}

impl Eq for Attention {}

impl Hash for Attention {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.each.hash(state);
        self.score.hash_computation(state);
    }
}
