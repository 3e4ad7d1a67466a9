//! What a run is told beside what it computes: how long, when to stop, what to keep.
//!
//! In: nothing. Out: plain types, which the check fills and the training loop reads. What a run computes stands in
//! `typed`.

use crate::base::Span;

/// The settings of a run.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// How long.
    pub length: Length,
    /// Of the random key.
    pub seed: u64,
    /// When to stop early: the first rule that holds ends the run.
    pub stop: Vec<Stop>,
    /// Which weights to keep at the end.
    pub keep: Keep,
    /// When the state of the run is kept, beside what an interrupted run keeps anyway.
    pub checkpoint: Option<Checkpoint>,
    /// What searches go by, which each epoch is looked at for.
    pub goals: Vec<Watched>,
    /// After how many steps their losses are reported, beside those of epochs.
    pub log: Option<u64>,
    /// What products are computed in.
    pub precision: Precision,
}

/// `precision = bf16`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Precision {
    /// All of f32.
    #[default]
    F32,
    /// What products read is rounded to bfloat16; they are summed up in f32, and all else is f32.
    Bf16,
}

/// `checkpoint = every(100 steps, keep = 3)`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// How often.
    pub every: Every,
    /// How many of them stay, the newest; all without it.
    pub keep: Option<u64>,
}

/// How often something is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Every {
    /// After so many steps.
    Steps(u64),
    /// After so many epochs.
    Epochs(u64),
}

/// How long a run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    /// Passes over the training split.
    Epochs(u64),
    /// Updates.
    Steps(u64),
}

/// `valid.loss`: a value reported on a split.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Watched {
    /// `train`, `valid` or `test`.
    pub split: String,
    /// `loss` or a metric.
    pub name: String,
    /// Where it is written.
    pub span: Span,
    /// The words that give the split rows, where they go in the data; none where it has no plain place for them.
    pub rows: Vec<(Span, String)>,
}

impl Watched {
    /// As it is written: `valid.loss`.
    pub fn shown(&self) -> String {
        format!("{}.{}", self.split, self.name)
    }
}

/// A rule that ends a run early.
#[derive(Clone, PartialEq, Debug)]
pub struct Stop {
    /// What it looks at.
    pub watch: Watched,
    /// What must not happen to it.
    pub rule: StopRule,
}

/// What a rule that ends a run asks for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum StopRule {
    /// `patience(valid.loss, 5 epochs)`: nothing better within so many epochs.
    Patience(u64),
    /// `diverged(train.loss, 4)`: so many times its least, or no number.
    Diverged(f64),
}

/// Which weights to keep.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Keep {
    /// Those of the end.
    Last,
    /// Those of the epoch where this was best.
    Best(Watched),
}

/// `clip = norm(1.0)`
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Clip {
    /// All gradients together are scaled down to at most this length.
    Norm(f64),
    /// Each element is cut to at most this size.
    Value(f64),
    /// The gradients of each row of the batch are scaled down to at most this length before they are summed up.
    PerExample {
        /// The length.
        most: f64,
        /// The standard deviation of the normal noise on the sum, in such lengths.
        noise: f64,
    },
}

/// Words of names whose values should fall.
const LOWER: &[&str] = &[
    "loss",
    "mse",
    "mae",
    "rmse",
    "mape",
    "error",
    "errors",
    "err",
    "entropy",
    "nll",
    "perplexity",
    "kl",
    "divergence",
    "distance",
    "penalty",
    "regret",
    "wer",
    "cer",
    "brier",
    "cost",
    "residual",
];

/// Whether smaller values of a number with this name are better. The name is all that is known of a metric: what counts
/// mistakes or distances should fall (`loss`, `mse`, `val_error`, `perplexity`), everything else should rise
/// (`accuracy`, `auc`, `f1`).
pub fn lower_is_better(name: &str) -> bool {
    name.split(['_', '.']).any(|word| LOWER.contains(&word.to_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn direction_follows_the_name() {
        for name in ["loss", "mse", "valid_error", "cross_entropy", "RMSE"] {
            assert!(lower_is_better(name), "{name}");
        }
        for name in ["accuracy", "f1", "auc", "recall", "mercy"] {
            assert!(!lower_is_better(name), "{name}");
        }
    }
}
