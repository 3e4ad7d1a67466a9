//! Which of two values of a watched number is better.
//!
//! Decided by the name, which is all a run knows of a metric: what counts mistakes or distances should
//! fall (`loss`, `mse`, `val_error`, `perplexity`), everything else should rise (`accuracy`, `auc`, `f1`).

use super::checkpoint::Best;

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

/// Whether smaller values of a number with this name are better.
pub fn lower_is_better(name: &str) -> bool {
    name.split(['_', '.']).any(|word| LOWER.contains(&word.to_lowercase().as_str()))
}

impl Best {
    /// Takes the value of an epoch; whether it is the best so far. NaN never is, an equal one neither:
    /// of equals the first is kept.
    pub(super) fn update(best: &mut Option<Best>, name: &str, value: f64, epoch: u64) -> bool {
        let better = |old: &Best| if lower_is_better(name) { value < old.value } else { value > old.value };
        let taken = value.is_finite() && best.as_ref().is_none_or(better);
        if taken {
            *best = Some(Best { value, epoch });
        }
        taken
    }
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

    #[test]
    fn the_first_of_equals_is_kept_and_nan_never() {
        let mut best = None;
        assert!(!Best::update(&mut best, "accuracy", f64::NAN, 1));
        assert!(Best::update(&mut best, "accuracy", 0.5, 2));
        assert!(!Best::update(&mut best, "accuracy", 0.5, 3));
        assert!(Best::update(&mut best, "accuracy", 0.75, 4));
        assert!(!Best::update(&mut best, "accuracy", f64::NAN, 5));
        assert_eq!(best, Some(Best { value: 0.75, epoch: 4 }));
    }
}
