//! A search, as checked: what is varied over what, by which method, and what counts.
//!
//! In: nothing. Out: plain types, which the check fills, `search` proposes values for, and `cli` runs. The runs of a
//! search are those of its program, with other values set.

use super::settings::Watched;
use crate::base::Span;

/// `search Net on Iris { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Search {
    /// Which run of the program is tried.
    pub train: usize,
    /// What is varied, in order.
    pub varied: Vec<Varied>,
    /// How values are chosen.
    pub method: Method,
    /// How many runs there are.
    pub trials: u64,
    /// Of the random choices.
    pub seed: u64,
    /// What counts.
    pub goal: Goal,
    /// The whole declaration.
    pub span: Span,
}

/// `lr in log_uniform(1e-4, 1e-2)`
#[derive(Clone, PartialEq, Debug)]
pub struct Varied {
    /// As `--set` takes it: `lr`, `Net.width`.
    pub name: String,
    /// Over what.
    pub over: Over,
    /// The name in the text.
    pub span: Span,
}

/// The values of what is varied.
#[derive(Clone, PartialEq, Debug)]
pub enum Over {
    /// `[64, 128]`, `[relu, tanh]`: their texts, in no order that means anything.
    List(Vec<String>),
    /// `1..6`: whole numbers, both ends among them.
    Whole {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    },
    /// `uniform(0, 0.5)`
    Uniform {
        /// The least.
        low: f64,
        /// The greatest.
        high: f64,
    },
    /// `log_uniform(1e-4, 1e-2)`: every order of magnitude as likely as every other.
    LogUniform {
        /// The least, above 0.
        low: f64,
        /// The greatest.
        high: f64,
    },
}

/// How values are chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// All combinations in order, the last name fastest.
    Grid,
    /// By chance.
    Random,
    /// By chance first, then where good trials lie (`search/tpe.rs`).
    Tpe,
}

/// `min(valid.mae)`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Goal {
    /// What counts.
    pub watch: Watched,
    /// Whether less is better.
    pub least: bool,
}

impl Over {
    /// How many values there are; none when there is no end of them.
    pub fn count(&self) -> Option<u64> {
        match self {
            Over::List(texts) => Some(texts.len() as u64),
            Over::Whole { low, high } => Some(high.abs_diff(*low) + 1),
            Over::Uniform { .. } | Over::LogUniform { .. } => None,
        }
    }
}

impl Search {
    /// How many combinations there are; none when there is no end of them.
    pub fn count(&self) -> Option<u64> {
        self.varied.iter().try_fold(1, |count: u64, varied| Some(count.saturating_mul(varied.over.count()?)))
    }
}
