//! The best value of a watched number so far.
//!
//! In: the value of an epoch and the name it is reported under, which says whether it should fall or rise. Out: whether
//! it is the best one.

use serde::{Deserialize, Serialize};

use crate::sema::typed::lower_is_better;

/// The best value of a watched number, and its epoch.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Best {
    /// Finite.
    pub value: f64,
    /// From 1.
    pub epoch: u64,
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
