//! When a run ends early: the rules of `stop`.
//!
//! In: the rules of a run, and what it reports of its steps and epochs. Out: why it ends, the first time that a rule
//! holds. What a rule has seen is part of the position of a run, so that a run that goes on ends where it would have.
//!
//! The loss of a single batch jumps, and of the steps only losses are known. So `diverged` of a loss of training
//! follows a running mean of the steps, which gives each new one a tenth, and looks at it after every step. Everything
//! else is looked at after each epoch.

use serde::{Deserialize, Serialize};

use super::event::Ended;
use super::watch::Best;
use crate::sema::typed::{Stop, StopRule};

/// How much of itself the running mean of the steps keeps in each.
const KEEPS: f64 = 0.9;

/// What a rule has seen so far.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Seen {
    /// The best value and its epoch.
    best: Option<Best>,
    /// The running sum of the steps, and what the weights in it add up to.
    #[serde(default)]
    steps: (f64, f64),
}

impl Seen {
    /// Takes what an epoch came to. `epoch` counts from 1.
    pub(super) fn epoch(&mut self, stop: &Stop, value: f64, epoch: u64) -> Option<Ended> {
        match stop.rule {
            StopRule::Patience(epochs) => {
                Best::update(&mut self.best, &stop.watch.name, value, epoch);
                let best = self.best.map_or(0, |best| best.epoch);
                (epoch - best >= epochs).then_some(Ended::Patience { best })
            }
            StopRule::Diverged(times) => self.grown(stop, times, value, epoch),
        }
    }

    /// Takes the value of a step in an epoch.
    pub(super) fn step(&mut self, stop: &Stop, value: f64, epoch: u64) -> Option<Ended> {
        let StopRule::Diverged(times) = stop.rule else { return None };
        let (sum, weight) = &mut self.steps;
        *sum = KEEPS * *sum + (1.0 - KEEPS) * value;
        *weight = KEEPS * *weight + (1.0 - KEEPS);
        let mean = *sum / *weight;
        self.grown(stop, times, mean, epoch)
    }

    /// Whether a value is so many times the least before it. What lies below zero grows by its distance from there.
    fn grown(&mut self, stop: &Stop, times: f64, value: f64, epoch: u64) -> Option<Ended> {
        let least = self.best.map(|best| best.value);
        Best::update(&mut self.best, &stop.watch.name, value, epoch);
        let grown = least.is_some_and(|least| value > least + (times - 1.0) * least.abs());
        (grown || !value.is_finite()).then(|| Ended::Diverged { watched: stop.watch.shown(), value, least })
    }

    /// The end of a run whose loss is no number, where a rule is there for it.
    pub(super) fn no_number(&self, stop: &Stop, value: f64) -> Ended {
        Ended::Diverged { watched: stop.watch.shown(), value, least: self.best.map(|best| best.value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{FileId, Span};
    use crate::sema::typed::Watched;

    fn rule(rule: StopRule) -> Stop {
        let span = Span { file: FileId(0), start: 0, end: 0 };
        Stop { watch: Watched { split: "train".to_owned(), name: "loss".to_owned(), span, rows: Vec::new() }, rule }
    }

    #[test]
    fn patience_counts_from_the_best_epoch() {
        let stop = rule(StopRule::Patience(2));
        let mut seen = Seen::default();
        let ends: Vec<bool> =
            [3.0, 2.0, 2.5, 1.0, 1.0, 4.0].iter().zip(1..).map(|(v, at)| seen.epoch(&stop, *v, at).is_some()).collect();
        assert_eq!(ends, [false, false, false, false, false, true]);
    }

    #[test]
    fn an_epoch_diverges_beyond_its_multiple_and_without_a_number() {
        let stop = rule(StopRule::Diverged(4.0));
        let mut seen = Seen::default();
        assert_eq!(seen.epoch(&stop, 2.0, 1), None);
        assert_eq!(seen.epoch(&stop, 0.5, 2), None);
        assert_eq!(seen.epoch(&stop, 2.0, 3), None);
        let ended = seen.epoch(&stop, 2.01, 4);
        assert_eq!(ended, Some(Ended::Diverged { watched: "train.loss".to_owned(), value: 2.01, least: Some(0.5) }));
        assert!(seen.epoch(&stop, f64::NAN, 5).is_some());
        // Below zero: from -2, growing by three times the distance ends above 4.
        let mut seen = Seen::default();
        assert_eq!(seen.epoch(&stop, -2.0, 1), None);
        assert_eq!(seen.epoch(&stop, 4.0, 2), None);
        assert!(seen.epoch(&stop, 4.1, 3).is_some());
    }

    /// One bad batch does not end a run, a loss that grows from step to step does.
    #[test]
    fn steps_are_looked_at_by_their_running_mean() {
        let stop = rule(StopRule::Diverged(4.0));
        let mut seen = Seen::default();
        assert!((0..50).all(|_| seen.step(&stop, 1.0, 1).is_none()));
        assert_eq!(seen.step(&stop, 20.0, 1), None);
        assert!((0..50).all(|_| seen.step(&stop, 1.0, 1).is_none()));
        let growing = (1..200).position(|step| seen.step(&stop, 1.1_f64.powi(step), 1).is_some());
        // The mean lags behind: 1.1^15 is the first power over 4, and it takes some steps more.
        assert!(growing.is_some_and(|step| (15..30).contains(&step)), "{growing:?}");
    }
}
