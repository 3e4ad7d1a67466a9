//! Transforms on values: what is fitted, and how it is applied.
//!
//! In: numbers of all rows and the rows to fit on, which are the training rows and no others. Out:
//! statistics as a value (`Fitted`) that travels with the model as JSON, and transformed numbers. A
//! missing number is NaN; statistics pass over it and transforms keep it, until `impute` fills it.
//!
//! Statistics are taken for each column of the file: a table's columns each have their own mean, a
//! picture has one for all its pixels, or with `normalize` one for each channel (`image`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::Symbol;

use super::spec::{Fill, Transform, WindowAxis};
use super::text::Spelling;

/// What was fitted on the training rows, by the name of its place: `x.1.standardize`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fitted {
    /// Statistics by place.
    pub stages: BTreeMap<String, Statistic>,
}

/// What one transform was fitted to. Lists have an element for each column.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "transform", rename_all = "snake_case")]
pub enum Statistic {
    /// `(x - mean) / deviation`
    Standardize {
        /// Of the training rows.
        mean: Vec<f64>,
        /// Of the whole of them, not of a sample; 1 where a column is constant.
        deviation: Vec<f64>,
    },
    /// `(x - min) / range`
    Minmax {
        /// The smallest.
        min: Vec<f64>,
        /// Largest less smallest; 1 where a column is constant.
        range: Vec<f64>,
    },
    /// What stands for a missing value.
    Impute {
        /// For each column.
        value: Vec<f64>,
    },
    /// The words of the classes in order.
    Vocab {
        /// The words.
        classes: Vec<String>,
        /// Whether the last class is that of unknown words; it is not among `classes`.
        unknown: bool,
    },
    /// Class numbers below a size.
    Index {
        /// How many classes there are.
        size: usize,
    },
    /// A tokenizer, so that a trained model needs no file beside its own.
    Tokenizer {
        /// The text of its file.
        json: String,
    },
    /// Between the two.
    Clip {
        /// What is below becomes this.
        low: Vec<f64>,
        /// What is above becomes this.
        high: Vec<f64>,
    },
    /// How many training rows have each word.
    Count {
        /// For each column.
        counts: Vec<BTreeMap<String, u64>>,
    },
    /// How many rows train.
    Rows {
        /// So many.
        rows: u64,
    },
    /// What a row of each class weighs.
    Balance {
        /// By class.
        weights: Vec<f64>,
    },
    /// Where bins begin, from the second on.
    Bin {
        /// For each column.
        edges: Vec<Vec<f64>>,
    },
}

impl Fitted {
    /// As JSON, in the order of the places.
    pub fn to_json(&self) -> String {
        // Names and finite numbers always make JSON.
        serde_json::to_string_pretty(self).expect("statistics are plain data")
    }

    /// From what `to_json` wrote: the same bits.
    pub fn from_json(text: &str) -> Result<Fitted, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// Numbers of all rows.
#[derive(Clone, Debug)]
pub(super) struct Values {
    pub form: Form,
    /// Row by row; NaN is missing.
    pub data: Vec<f32>,
}

/// Class numbers of all rows.
#[derive(Clone, Debug)]
pub(super) struct Classes {
    pub form: Form,
    /// Row by row.
    pub data: Vec<i32>,
    /// The axis they are positions of.
    pub axis: Option<Symbol>,
    pub size: usize,
    /// Their words; empty when they came as numbers.
    pub names: Vec<String>,
    pub spelling: Spelling,
}

/// How the numbers of one row lie.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Form {
    /// The sizes of an item.
    pub shape: Vec<usize>,
    /// A name for each, where one was given.
    pub axes: Vec<Option<Symbol>>,
    /// How many columns of the file make an item, each with a block of equal size.
    pub columns: usize,
}

impl Form {
    /// How many numbers a row has.
    pub fn item(&self) -> usize {
        self.shape.iter().product()
    }

    /// How many numbers of a row belong to one column.
    pub fn block(&self) -> usize {
        self.item() / self.columns.max(1)
    }

    /// So many rows as one, along an axis in front.
    pub fn windowed(&mut self, rows: usize, axis: WindowAxis) {
        let name = match axis {
            WindowAxis::None => return,
            WindowAxis::Open => None,
            WindowAxis::Named(name) => Some(name),
        };
        self.shape.insert(0, rows);
        self.axes.insert(0, name);
    }

    /// `4`, `28 × 28`, `[]`
    pub fn shown(&self) -> String {
        shown(&self.shape)
    }
}

/// A shape in words.
pub(super) fn shown(shape: &[usize]) -> String {
    if shape.is_empty() {
        return "of one number".to_owned();
    }
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")
}

/// What came of fitting.
pub(super) struct Fit {
    pub statistic: Statistic,
    /// The columns that have one value only.
    pub constant: Vec<usize>,
}

/// Fits a transform of numbers on some rows; `Err` holds a column without any value. A transform that
/// fits nothing gives none.
pub(super) fn fit(transform: &Transform, values: &Values, rows: &[u32]) -> Result<Option<Fit>, usize> {
    let columns = values.form.columns;
    match transform {
        Transform::Standardize => {
            let (mut mean, mut deviation, mut constant) = (Vec::new(), Vec::new(), Vec::new());
            for column in 0..columns {
                let range = Range::of(values, rows, column).ok_or(column)?;
                if range.min == range.max {
                    constant.push(column);
                    mean.push(range.min);
                    deviation.push(1.0);
                    continue;
                }
                let m = range.sum / range.count as f64;
                let squares: f64 = present(values, rows, column).map(|x| (x - m) * (x - m)).sum();
                mean.push(m);
                deviation.push((squares / range.count as f64).sqrt());
            }
            Ok(Some(Fit { statistic: Statistic::Standardize { mean, deviation }, constant }))
        }
        Transform::Minmax => {
            let (mut min, mut width, mut constant) = (Vec::new(), Vec::new(), Vec::new());
            for column in 0..columns {
                let range = Range::of(values, rows, column).ok_or(column)?;
                let is_constant = range.min == range.max;
                min.push(range.min);
                width.push(if is_constant { 1.0 } else { range.max - range.min });
                constant.extend(is_constant.then_some(column));
            }
            Ok(Some(Fit { statistic: Statistic::Minmax { min, range: width }, constant }))
        }
        Transform::Impute(fill) => {
            let value = (0..columns).map(|column| match fill {
                Fill::Value(value) => Ok(*value),
                Fill::Mean => Range::of(values, rows, column).map(|range| range.sum / range.count as f64).ok_or(column),
                Fill::Median => quantile(&sorted(values, rows, column), 0.5).ok_or(column),
            });
            let value = value.collect::<Result<_, _>>()?;
            Ok(Some(Fit { statistic: Statistic::Impute { value }, constant: Vec::new() }))
        }
        Transform::Clip(share) => {
            let (mut low, mut high) = (Vec::new(), Vec::new());
            for column in 0..columns {
                let all = sorted(values, rows, column);
                low.push(quantile(&all, *share).ok_or(column)?);
                high.push(quantile(&all, 1.0 - share).ok_or(column)?);
            }
            Ok(Some(Fit { statistic: Statistic::Clip { low, high }, constant: Vec::new() }))
        }
        Transform::Log1p
        | Transform::Scale(_)
        | Transform::Vocab { .. }
        | Transform::Index(_)
        | Transform::OneHot(_)
        | Transform::Window(_)
        | Transform::Key(_)
        | Transform::Count
        | Transform::Balance
        | Transform::Hash(_)
        | Transform::Words(_)
        | Transform::MultiHot(_)
        | Transform::Bin(..)
        | Transform::Tokens(_)
        | Transform::Truncate(_)
        | Transform::Pad(_)
        | Transform::Boxes(_)
        | Transform::PadBoxes(_)
        | Transform::Lists
        | Transform::DateParts(..)
        | Transform::Picture(_) => Ok(None),
    }
}

/// Applies fitted statistics in place; false when they are of another transform or another width.
pub(super) fn apply(statistic: &Statistic, values: &mut Values) -> bool {
    let columns = values.form.columns;
    match statistic {
        Statistic::Standardize { mean, deviation } if mean.len() == columns && deviation.len() == columns => {
            each(values, |column, x| ((f64::from(x) - mean[column]) / deviation[column]) as f32);
            true
        }
        Statistic::Minmax { min, range } if min.len() == columns && range.len() == columns => {
            each(values, |column, x| ((f64::from(x) - min[column]) / range[column]) as f32);
            true
        }
        Statistic::Impute { value } if value.len() == columns => {
            each(values, |column, x| if x.is_nan() { value[column] as f32 } else { x });
            true
        }
        Statistic::Clip { low, high } if low.len() == columns && high.len() == columns => {
            // `max` and `min` would take what is missing for the other operand.
            let clipped = |column: usize, x: f32| x.max(low[column] as f32).min(high[column] as f32);
            each(values, |column, x| if x.is_nan() { x } else { clipped(column, x) });
            true
        }
        Statistic::Standardize { .. }
        | Statistic::Minmax { .. }
        | Statistic::Impute { .. }
        | Statistic::Clip { .. }
        | Statistic::Count { .. }
        | Statistic::Rows { .. }
        | Statistic::Balance { .. }
        | Statistic::Bin { .. }
        | Statistic::Tokenizer { .. }
        | Statistic::Vocab { .. }
        | Statistic::Index { .. } => false,
    }
}

/// The words of classes in their order: by number when all are numbers, else by letter.
pub(super) fn in_order(mut classes: Vec<String>) -> Vec<String> {
    let number = |word: &String| word.parse::<f64>().ok().filter(|number| number.is_finite());
    if classes.iter().all(|word| number(word).is_some()) {
        classes.sort_by(|a, b| {
            let (x, y) = (number(a).unwrap_or(0.0), number(b).unwrap_or(0.0));
            x.total_cmp(&y).then_with(|| a.cmp(b))
        });
    } else {
        classes.sort();
    }
    classes
}

/// Replaces every number by a function of it and its column.
pub(super) fn each(values: &mut Values, f: impl Fn(usize, f32) -> f32) {
    let (block, columns) = (values.form.block(), values.form.columns);
    if block == 0 {
        return;
    }
    for (at, block) in values.data.chunks_exact_mut(block).enumerate() {
        let column = at % columns;
        block.iter_mut().for_each(|x| *x = f(column, *x));
    }
}

/// The numbers of one column in some rows that are not missing.
fn present<'a>(values: &'a Values, rows: &'a [u32], column: usize) -> impl Iterator<Item = f64> + 'a {
    let (item, block) = (values.form.item(), values.form.block());
    let blocks = rows.iter().map(move |&row| {
        let start = row as usize * item + column * block;
        &values.data[start..start + block]
    });
    blocks.flatten().filter(|x| !x.is_nan()).map(|&x| f64::from(x))
}

struct Range {
    min: f64,
    max: f64,
    sum: f64,
    count: usize,
}

impl Range {
    /// None when every number is missing.
    fn of(values: &Values, rows: &[u32], column: usize) -> Option<Range> {
        let mut range = Range { min: f64::INFINITY, max: f64::NEG_INFINITY, sum: 0.0, count: 0 };
        for x in present(values, rows, column) {
            range.min = range.min.min(x);
            range.max = range.max.max(x);
            range.sum += x;
            range.count += 1;
        }
        (range.count > 0).then_some(range)
    }
}

/// The numbers of a column in some rows, in their order.
pub(super) fn sorted(values: &Values, rows: &[u32], column: usize) -> Vec<f64> {
    let mut all: Vec<f64> = present(values, rows, column).collect();
    all.sort_by(f64::total_cmp);
    all
}

/// What so large a share of sorted numbers lies below: between two of them, as far along.
pub(super) fn quantile(all: &[f64], share: f64) -> Option<f64> {
    let at = share * all.len().checked_sub(1)? as f64;
    let (below, part) = (at.floor() as usize, at.fract());
    let next = all[(below + 1).min(all.len() - 1)];
    Some(if part == 0.0 { all[below] } else { all[below] + part * (next - all[below]) })
}
