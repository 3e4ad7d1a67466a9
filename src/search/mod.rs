//! Which values a search tries next.
//!
//! In: a search, and what its trials so far came to. Out: the values of the next trial. The choice is a function of the
//! seed, the number of the trial and those results, so that a search that goes on tries what it would have tried.
//! `draw` random numbers · `tpe` where good trials lie · `record` the trials of a search in a file. Nothing here runs a
//! trial: `cli` does.

mod draw;
mod record;
mod tpe;

use rustc_hash::FxHashSet;

use crate::sema::search::{Method, Over, Search, Varied};
use draw::Draws;

pub use record::{Record, Trials};

/// How often a random choice that was tried before is drawn again.
const REDRAWS: usize = 64;

/// The value of one name in one trial.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Point {
    /// Which of a list.
    At(usize),
    /// A number.
    Number(f64),
}

/// A trial that is done.
#[derive(Clone, PartialEq, Debug)]
pub struct Trial {
    /// The value of each varied name, in the order of the search.
    pub points: Vec<Point>,
    /// What it came to; none when it failed.
    pub value: Option<f64>,
}

/// The values of the next trial; none when all are tried.
pub fn next(search: &Search, done: &[Trial]) -> Option<Vec<Point>> {
    let number = done.len() as u64;
    if number >= search.trials || search.count().is_some_and(|count| number >= count) {
        return None;
    }
    if search.method == Method::Grid {
        return Some(nth(search, number));
    }
    let tried: FxHashSet<Vec<String>> = done.iter().map(|trial| texts(search, &trial.points)).collect();
    let is_new = |points: &Vec<Point>| !tried.contains(&texts(search, points));
    let mut draws = Draws::new(search.seed, number);
    if search.method == Method::Tpe && number >= by_chance(search.trials) {
        let mut proposed = (0..REDRAWS).map(|_| tpe::propose(search, done, &mut draws));
        if let Some(points) = proposed.find(is_new) {
            return Some(points);
        }
    }
    let mut drawn = (0..REDRAWS).map(|_| search.varied.iter().map(|varied| random(&varied.over, &mut draws)).collect());
    // Where nearly all are tried, chance takes long to find the rest: the first of it is the next.
    drawn.find(is_new).or_else(|| (0..search.count()?).map(|at| nth(search, at)).find(is_new))
}

/// How many trials of a `tpe` come before there is something to go by.
fn by_chance(trials: u64) -> u64 {
    (trials / 4).clamp(4, 10)
}

/// A combination by its number, the last name fastest.
fn nth(search: &Search, mut number: u64) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    for varied in search.varied.iter().rev() {
        // A grid has no others.
        let count = varied.over.count().unwrap_or(1);
        let at = number % count;
        number /= count;
        points.push(match &varied.over {
            Over::Whole { low, .. } => Point::Number((*low + at as i64) as f64),
            Over::List(_) | Over::Uniform { .. } | Over::LogUniform { .. } => Point::At(at as usize),
        });
    }
    points.reverse();
    points
}

/// A value by chance.
fn random(over: &Over, draws: &mut Draws) -> Point {
    match over {
        Over::List(texts) => Point::At(draws.below(texts.len())),
        Over::Whole { .. } | Over::Uniform { .. } | Over::LogUniform { .. } => from_unit(over, draws.uniform()),
    }
}

/// The number at a place between 0 and 1 of a range; with six digits, which is what is shown and set.
fn from_unit(over: &Over, unit: f64) -> Point {
    let between = |low: f64, high: f64| low + unit * (high - low);
    Point::Number(match over {
        Over::List(_) => unit,
        Over::Whole { low, high } => {
            between(*low as f64 - 0.5, *high as f64 + 0.5).round().clamp(*low as f64, *high as f64)
        }
        Over::Uniform { low, high } => six_digits(between(*low, *high)).clamp(*low, *high),
        Over::LogUniform { low, high } => six_digits(between(low.ln(), high.ln()).exp()).clamp(*low, *high),
    })
}

/// The place of a number in its range.
fn to_unit(over: &Over, number: f64) -> f64 {
    let within = |low: f64, high: f64, value: f64| ((value - low) / (high - low)).clamp(0.0, 1.0);
    match over {
        Over::List(_) => number,
        Over::Whole { low, high } => within(*low as f64 - 0.5, *high as f64 + 0.5, number),
        Over::Uniform { low, high } => within(*low, *high, number),
        Over::LogUniform { low, high } => within(low.ln(), high.ln(), number.ln()),
    }
}

fn six_digits(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// Values as `--set` takes them.
pub fn texts(search: &Search, points: &[Point]) -> Vec<String> {
    search.varied.iter().zip(points).map(|(varied, point)| text(varied, *point)).collect()
}

fn text(varied: &Varied, point: Point) -> String {
    match (&varied.over, point) {
        (Over::List(texts), Point::At(at)) => texts.get(at).cloned().unwrap_or_default(),
        (_, Point::Number(number)) => number.to_string(),
        (_, Point::At(at)) => at.to_string(),
    }
}

/// The values again; none where the search does not try one.
pub fn points(search: &Search, texts: &[String]) -> Option<Vec<Point>> {
    if texts.len() != search.varied.len() {
        return None;
    }
    let point = |(varied, text): (&Varied, &String)| match &varied.over {
        Over::List(texts) => texts.iter().position(|known| known == text).map(Point::At),
        Over::Whole { .. } | Over::Uniform { .. } | Over::LogUniform { .. } => text.parse().ok().map(Point::Number),
    };
    search.varied.iter().zip(texts).map(point).collect()
}

/// The best trial, the first of equals.
pub fn best<'t, T>(search: &Search, trials: &'t [T], value: impl Fn(&T) -> Option<f64>) -> Option<&'t T> {
    let mut best: Option<(&T, f64)> = None;
    for trial in trials {
        let Some(now) = value(trial) else { continue };
        let better = |old: f64| if search.goal.least { now < old } else { now > old };
        if best.is_none_or(|(_, old)| better(old)) {
            best = Some((trial, now));
        }
    }
    best.map(|(trial, _)| trial)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{FileId, Span};
    use crate::sema::search::Goal;
    use crate::sema::typed::Watched;

    fn search(method: Method, trials: u64, over: &[Over]) -> Search {
        let span = Span { file: FileId(0), start: 0, end: 0 };
        let varied = over.iter().zip("abcdef".chars());
        let varied = varied.map(|(over, name)| Varied { name: name.to_string(), over: over.clone(), span });
        let watch = Watched { split: "valid".to_owned(), name: "loss".to_owned(), span, rows: Vec::new() };
        let goal = Goal { watch, least: true };
        Search { train: 0, varied: varied.collect(), method, trials, seed: 0, goal, span }
    }

    fn list(texts: &[&str]) -> Over {
        Over::List(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    /// All trials of a search for the least of a function.
    fn run(search: &Search, f: impl Fn(&[Point]) -> Option<f64>) -> Vec<Trial> {
        let mut done = Vec::new();
        while let Some(points) = next(search, &done) {
            let value = f(&points);
            done.push(Trial { points, value });
        }
        done
    }

    fn number(point: Point) -> f64 {
        match point {
            Point::Number(number) => number,
            Point::At(at) => at as f64,
        }
    }

    #[test]
    fn a_grid_is_every_combination_in_order() {
        let search = search(Method::Grid, 100, &[list(&["relu", "tanh"]), Over::Whole { low: 1, high: 3 }]);
        let tried: Vec<String> =
            run(&search, |_| None).iter().map(|trial| texts(&search, &trial.points).join(" ")).collect();
        assert_eq!(tried, ["relu 1", "relu 2", "relu 3", "tanh 1", "tanh 2", "tanh 3"]);
    }

    /// Nothing is tried twice, and everything in the end, by every method.
    #[test]
    fn a_search_ends_when_all_is_tried() {
        for method in [Method::Random, Method::Tpe] {
            let search = search(method, 1000, &[list(&["relu", "tanh", "gelu"]), Over::Whole { low: -3, high: 6 }]);
            let trials = run(&search, |points| Some(number(points[1])));
            let tried: FxHashSet<Vec<String>> = trials.iter().map(|trial| texts(&search, &trial.points)).collect();
            assert_eq!((trials.len(), tried.len()), (30, 30));
        }
    }

    #[test]
    fn chance_fills_a_range_evenly() {
        let search = search(
            Method::Random,
            2000,
            &[Over::Uniform { low: 2.0, high: 3.0 }, Over::LogUniform { low: 1e-4, high: 1e-2 }, list(&["a", "b"])],
        );
        let trials = run(&search, |_| None);
        let share = |is: &dyn Fn(&Trial) -> bool| trials.iter().filter(|trial| is(trial)).count() as f64 / 2000.0;
        // Three standard deviations of 2000 draws are 0.034.
        for share in [
            share(&|trial| number(trial.points[0]) < 2.5),
            share(&|trial| number(trial.points[1]) < 1e-3),
            share(&|trial| trial.points[2] == Point::At(0)),
        ] {
            assert!((share - 0.5).abs() < 0.034, "{share}");
        }
        let inside = |trial: &Trial| {
            (2.0..=3.0).contains(&number(trial.points[0])) && (1e-4..=1e-2).contains(&number(trial.points[1]))
        };
        assert!(trials.iter().all(inside));
    }

    /// A search that stops and goes on tries what it would have tried, from the texts that were taken down.
    #[test]
    fn a_search_goes_on_where_it_was() {
        let search = search(Method::Tpe, 30, &[Over::LogUniform { low: 1e-5, high: 1.0 }, list(&["a", "b"])]);
        let f = |given: &[Point]| Some((number(given[0]).log10() + 2.0).powi(2) + number(given[1]));
        let whole = run(&search, f);
        let half = whole[..17].iter().map(|trial| {
            let texts = texts(&search, &trial.points);
            Trial { points: points(&search, &texts).expect("values of the search"), value: trial.value }
        });
        let half: Vec<Trial> = half.collect();
        assert_eq!(half, whole[..17]);
        assert_eq!(next(&search, &half).expect("a next one"), whole[17].points);
        assert_eq!(points(&search, &["x".to_owned(), "a".to_owned()]), None);
        assert_eq!(points(&search, &["0.1".to_owned(), "c".to_owned()]), None);
    }

    /// A function of four names whose least value is 0. The last one is a trap: a search that finds the others with `b`
    /// stays half a unit above. Where the first is large, trials fail.
    fn known(points: &[Point]) -> Option<f64> {
        let (x, rate, n) = (number(points[0]), number(points[1]).log10(), number(points[2]));
        if x > 0.95 {
            return None;
        }
        let above = [0.0, 0.5, 1.0][number(points[3]) as usize];
        Some((4.0 * (x - 0.3)).powi(2) + (rate + 3.0).powi(2) + ((n - 7.0) / 4.0).powi(2) + above)
    }

    #[test]
    fn tpe_comes_closer_to_a_known_least_than_chance() {
        let over = [
            Over::Uniform { low: 0.0, high: 1.0 },
            Over::LogUniform { low: 1e-6, high: 1.0 },
            Over::Whole { low: 1, high: 20 },
            list(&["a", "b", "c"]),
        ];
        // Of so many seeds the mean is known to a tenth of itself; a single search may fall for the trap.
        let mean = |method: Method| {
            let bests = (0..40).map(|seed| {
                let search = Search { seed, ..search(method, 60, &over) };
                let trials = run(&search, known);
                assert_eq!(trials.len(), 60);
                best(&search, &trials, |trial| trial.value).and_then(|trial| trial.value).expect("a trial that worked")
            });
            bests.sum::<f64>() / 40.0
        };
        let (by_tpe, by_chance) = (mean(Method::Tpe), mean(Method::Random));
        assert!(by_tpe < 0.5 * by_chance, "tpe {by_tpe}, by chance {by_chance}");
    }

    /// The same upside down: a goal that is to grow.
    #[test]
    fn tpe_climbs_as_well() {
        let mut search = search(Method::Tpe, 40, &[Over::Uniform { low: -1.0, high: 1.0 }]);
        search.goal.least = false;
        let trials = run(&search, |points| Some(-(number(points[0]) - 0.4).abs()));
        let late = trials[20..].iter().filter(|trial| (number(trial.points[0]) - 0.4).abs() < 0.25).count();
        // By chance it would be a quarter of them, five.
        assert!(late >= 12, "{late} of 20");
    }
}
