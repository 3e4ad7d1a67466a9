//! The tree-structured Parzen estimator: values from where good trials lie and others do not.
//!
//! In: a search and its trials. Out: values for the next one. From Bergstra, Bardenet, Bengio, Kégl: "Algorithms for
//! hyper-parameter optimization" (NeurIPS 2011). The best trials are the good ones, all others the bad. For each name by itself
//! a density is put over the values of the good and one over those of the bad; of some values drawn from the first, the one that
//! is most likelier among the good is taken, which is the one of the largest expected improvement. Failed trials are bad.
//!
//! A number has in its density a bell for each trial, and the whole range as one more, so that nothing is ruled out. A bell
//! is as wide as the larger gap to the next trial on either side. Of a list, each member counts how often it was tried,
//! and once more.

use std::f64::consts::{SQRT_2, TAU};

use super::draw::Draws;
use super::{Point, Trial, from_unit, to_unit};
use crate::ir::special::erf;
use crate::sema::search::{Over, Search};

/// The share of the trials that are good.
const GOOD: f64 = 0.15;

/// How many values are drawn for one that is taken.
const CANDIDATES: usize = 24;

/// Values for the next trial. There is one at least.
pub(super) fn propose(search: &Search, done: &[Trial], draws: &mut Draws) -> Vec<Point> {
    let worth = |trial: &Trial| match trial.value {
        Some(value) if value.is_finite() => {
            if search.goal.least {
                value
            } else {
                -value
            }
        }
        _ => f64::INFINITY,
    };
    let mut order: Vec<&Trial> = done.iter().collect();
    order.sort_by(|a, b| worth(a).total_cmp(&worth(b)));
    let count = ((GOOD * done.len() as f64).ceil() as usize).clamp(1, order.len().max(1));
    let worked = order.iter().filter(|trial| worth(trial).is_finite()).count();
    let (good, bad) = order.split_at(count.min(worked));
    let values =
        |trials: &[&Trial], at: usize| trials.iter().filter_map(|trial| trial.points.get(at).copied()).collect();
    let each = search.varied.iter().enumerate().map(|(at, varied)| {
        let (good, bad): (Vec<Point>, Vec<Point>) = (values(good, at), values(bad, at));
        choose(&varied.over, &Density::of(&varied.over, &good), &Density::of(&varied.over, &bad), draws)
    });
    each.collect()
}

/// The likeliest among the good of some values drawn from there.
fn choose(over: &Over, good: &Density, bad: &Density, draws: &mut Draws) -> Point {
    let mut chosen = (f64::NEG_INFINITY, Point::At(0));
    for _ in 0..CANDIDATES {
        let value = good.draw(draws);
        let gain = good.at(value).ln() - bad.at(value).ln();
        if gain > chosen.0 {
            let point = match over {
                Over::List(_) => Point::At(value as usize),
                Over::Whole { .. } | Over::Uniform { .. } | Over::LogUniform { .. } => from_unit(over, value),
            };
            chosen = (gain, point);
        }
    }
    chosen.1
}

/// How likely the values of a name are.
enum Density {
    /// The weight of each member of a list, in all 1.
    Weights(Vec<f64>),
    /// Bells over the range from 0 to 1, all as likely.
    Bells(Vec<Bell>),
}

struct Bell {
    middle: f64,
    width: f64,
    /// How much of it lies within the range.
    inside: f64,
}

impl Density {
    fn of(over: &Over, points: &[Point]) -> Density {
        if let Over::List(texts) = over {
            let mut counts = vec![1.0; texts.len()];
            for point in points {
                if let Point::At(at) = point
                    && let Some(count) = counts.get_mut(*at)
                {
                    *count += 1.0;
                }
            }
            let all: f64 = counts.iter().sum();
            return Density::Weights(counts.into_iter().map(|count| count / all).collect());
        }
        let middles: Vec<f64> = points
            .iter()
            .map(|point| match point {
                Point::Number(number) => to_unit(over, *number),
                Point::At(at) => *at as f64,
            })
            .collect();
        // No bell is so narrow that it says a trial's value was exactly right.
        let least = 1.0 / (middles.len() as f64 + 1.0).min(100.0);
        // That of the whole range stands in the middle, and is a neighbour too.
        let whole = Bell::new(0.5, 1.0);
        let mut all = middles.clone();
        all.push(whole.middle);
        all.sort_by(f64::total_cmp);
        let bell = |middle: &f64| {
            let at = all.partition_point(|other| other < middle);
            let before = at.checked_sub(1).map_or(0.0, |before| middle - all[before]);
            let after = all.get(at + 1).map_or(0.0, |after| after - middle);
            Bell::new(*middle, before.max(after).clamp(least, 1.0))
        };
        Density::Bells(middles.iter().map(bell).chain([whole]).collect())
    }

    fn draw(&self, draws: &mut Draws) -> f64 {
        match self {
            Density::Weights(weights) => {
                let mut left = draws.uniform();
                let at = weights.iter().position(|weight| {
                    left -= weight;
                    left < 0.0
                });
                at.unwrap_or(weights.len().saturating_sub(1)) as f64
            }
            Density::Bells(bells) => {
                let bell = &bells[draws.below(bells.len())];
                // Its middle lies within the range, so a third of it at least does.
                let drawn = (0..64).map(|_| bell.middle + bell.width * draws.normal());
                let within = drawn.into_iter().find(|value| (0.0..=1.0).contains(value));
                within.unwrap_or(bell.middle)
            }
        }
    }

    fn at(&self, value: f64) -> f64 {
        match self {
            Density::Weights(weights) => weights.get(value as usize).copied().unwrap_or(0.0),
            Density::Bells(bells) => bells.iter().map(|bell| bell.at(value)).sum::<f64>() / bells.len() as f64,
        }
    }
}

impl Bell {
    fn new(middle: f64, width: f64) -> Bell {
        let below = |value: f64| 0.5 * (1.0 + erf((value - middle) / (width * SQRT_2)));
        Bell { middle, width, inside: below(1.0) - below(0.0) }
    }

    fn at(&self, value: f64) -> f64 {
        let away = (value - self.middle) / self.width;
        (-0.5 * away * away).exp() / (TAU.sqrt() * self.width * self.inside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a density says of all values adds up to 1, and draws come as often as it says.
    #[test]
    fn a_density_is_one_in_all_and_draws_follow_it() {
        let over = Over::Uniform { low: 0.0, high: 1.0 };
        let points = [0.05, 0.1, 0.7, 0.72].map(Point::Number);
        let density = Density::of(&over, &points);
        let all: f64 = (0..10_000).map(|at| density.at((f64::from(at) + 0.5) / 10_000.0) / 10_000.0).sum();
        assert!((all - 1.0).abs() < 1e-5, "{all}");
        let below: f64 = (0..4_000).map(|at| density.at((f64::from(at) + 0.5) / 10_000.0) / 10_000.0).sum();
        let mut draws = Draws::new(3, 0);
        let drawn = (0..4_000).filter(|_| density.draw(&mut draws) < 0.4).count() as f64 / 4_000.0;
        // Three standard deviations of 4000 draws.
        assert!((below - drawn).abs() < 0.024, "{below} {drawn}");
    }
}
