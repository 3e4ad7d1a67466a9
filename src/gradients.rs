//! Whether the gradient that a function gives is that of its value.
//!
//! In: the function on drawn sizes, as graphs in which the gradients have been taken: the one that it gives, and the one
//! that the rules make of its body. Out: for each of its inputs how far they are apart at most, over several draws of
//! numbers, in f64. Where they are apart, differences of the value decide, as the rules are wrong themselves where a body
//! says so (`stop_gradient`). Whether a difference is on purpose is not known here.

use std::fmt;

use crate::backend::interp::graph::{self, Given};
use crate::base::philox::philox;
use crate::base::{Span, Symbol};
use crate::diag::{Diagnostic, derivative as told};
use crate::ir::{DType, Graph, ParamId, Role};
use crate::ops::Value;
use crate::sema::clause::{Clause, Drawn, Trial, Untried};
use crate::sema::typed::Kind;

/// From where to where numbers are drawn: around 0, where most functions are defined; and for those that are not,
/// positive, between 0 and 1, above 1.
const RANGES: [(f64, f64); 4] = [(-1.5, 1.5), (0.1, 2.0), (0.05, 0.95), (1.1, 3.0)];
/// How far apart two gradients are that agree, by the greatest of them. Both are sums in f64, and 1e-6 is far above what
/// rounding leaves of them and far below what a wrong sign or factor makes.
const TOLERANCE: f64 = 1e-6;
/// What rounding leaves of a gradient that is 0.
const ROUNDING: f64 = 1e-9;
/// The distances of differences. At the greater one they are exact to ten digits; the smaller one reaches over no kink
/// that is not very near.
const DISTANCES: [f64; 2] = [1e-3, 1e-5];

/// A `grad(dy) { … }`, and what came of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// The name of the function.
    pub name: Symbol,
    /// The `grad(dy) { … }`.
    pub span: Span,
    /// Each input, or why none was tried.
    pub inputs: Result<Vec<ByInput>, NotTried>,
}

/// Why a function was not tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NotTried {
    /// It cannot be by itself.
    Alone(Untried),
    /// Its value was no number for any draw.
    NotFinite,
}

/// The gradients by one input.
#[derive(Clone, PartialEq, Debug)]
pub struct ByInput {
    /// `x`, or `r.a` of a record.
    pub name: String,
    /// Where they are furthest apart.
    pub furthest: Option<Apart>,
}

/// The gradients by one element of an input.
#[derive(Clone, PartialEq, Debug)]
pub struct Apart {
    /// The place along each axis.
    pub at: Vec<(String, usize)>,
    /// What the function gives.
    pub given: f64,
    /// What the rules make of its body.
    pub body: f64,
    /// What differences of the value say, where they were asked.
    pub differences: Option<f64>,
    /// How far apart, by the greatest gradient: infinite where one is no number.
    pub distance: f64,
}

/// A function on one draw of sizes: both gradients of its value, and the value.
pub struct Graphs {
    /// `Grad`s as the function gives them.
    pub given: Graph,
    /// `Grad`s by the rules, of the body.
    pub body: Graph,
    /// The `Loss` alone.
    pub value: Graph,
}

impl Report {
    /// The inputs by which the gradient is another one, the furthest first.
    fn differing(&self) -> Vec<&ByInput> {
        let mut differing: Vec<&ByInput> = self.inputs.iter().flatten().filter(|input| input.differs()).collect();
        differing.sort_by(|a, b| b.distance().total_cmp(&a.distance()));
        differing
    }

    /// What is told of a gradient that differs.
    pub fn diagnostic(&self) -> Option<Diagnostic> {
        let differing = self.differing();
        let (worst, others) = differing.split_first()?;
        let others: Vec<&str> = others.iter().map(|input| input.name.as_str()).collect();
        Some(told::clause_differs(self.name, self.span, &worst.element()?, &others))
    }

    /// Whether the gradient is another one by some input.
    pub fn differs(&self) -> bool {
        self.inputs.as_ref().is_ok_and(|inputs| inputs.iter().any(ByInput::differs))
    }
}

/// `agrees`, or what differs where, or why nothing was tried.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let furthest = match &self.inputs {
            Ok(_) => self.differing().first().and_then(|input| input.element()),
            Err(reason) => return write!(f, "not tried: {reason}"),
        };
        match furthest {
            Some(element) => {
                write!(f, "differs at `{}`: {}; {}", element.place(), element.given(), element.wanted())
            }
            None => f.write_str("agrees"),
        }
    }
}

impl fmt::Display for NotTried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            NotTried::Alone(Untried::Parameter(name, _)) => told::untried_parameter(*name),
            NotTried::Alone(Untried::Sizes(last)) => told::untried_sizes(last),
            NotTried::Alone(Untried::NothingFlows) => told::untried_without_gradient(),
            NotTried::NotFinite => told::untried_value(),
        })
    }
}

impl ByInput {
    fn element(&self) -> Option<told::Element<'_>> {
        let &Apart { ref at, given, body, differences, distance: _ } = self.furthest.as_ref()?;
        Some(told::Element { input: &self.name, at, given, body, differences })
    }

    /// Whether the gradient is another one.
    pub fn differs(&self) -> bool {
        self.distance() > TOLERANCE
    }

    /// How far apart the gradients are at most.
    pub fn distance(&self) -> f64 {
        self.furthest.as_ref().map_or(0.0, |apart| apart.distance)
    }
}

/// What comes of a function; `graphs` takes a draw through the phases.
pub fn report(clause: Clause, graphs: impl Fn(&Trial) -> Graphs) -> Report {
    let compared = clause.trials.map_err(NotTried::Alone).and_then(|trials| compare(&trials, graphs));
    Report { name: clause.name, span: clause.span, inputs: compared }
}

/// Compares the gradients of a function on all draws.
fn compare(trials: &[Trial], graphs: impl Fn(&Trial) -> Graphs) -> Result<Vec<ByInput>, NotTried> {
    let Some(first) = trials.first() else { return Err(NotTried::NotFinite) };
    let names = first.variables.iter().map(|drawn| drawn.name.clone());
    let mut inputs: Vec<ByInput> = names.map(|name| ByInput { name, furthest: None }).collect();
    let mut tried = false;
    for (seed, trial) in trials.iter().enumerate() {
        let graphs = graphs(trial);
        for (range, bounds) in RANGES.iter().enumerate() {
            let numbers = given(trial, &graphs.given, *bounds, (seed * RANGES.len() + range) as u32);
            if loss(&graphs.value, &numbers).is_some() {
                tried = true;
                at_numbers(trial, &graphs, numbers, &mut inputs);
            }
        }
    }
    if tried { Ok(inputs) } else { Err(NotTried::NotFinite) }
}

/// Compares the gradients at some numbers and keeps what is further apart than before.
fn at_numbers(trial: &Trial, graphs: &Graphs, mut numbers: Given, inputs: &mut [ByInput]) {
    let (given, body) = (gradients(&graphs.given, &numbers), gradients(&graphs.body, &numbers));
    let size = loss(&graphs.value, &numbers).map_or(1.0, f64::abs).max(1.0);
    for (at, (given, body)) in given.iter().zip(&body).enumerate() {
        let finite = given.data.iter().chain(&body.data).filter(|number| number.is_finite());
        let greatest = finite.fold(0.0, |most: f64, number| most.max(number.abs()));
        for (element, (&given, &body)) in given.data.iter().zip(&body.data).enumerate() {
            let mut apart = Apart { at: Vec::new(), given, body, differences: None, distance: 0.0 };
            apart.distance = distance(given, body, greatest, ROUNDING * size);
            if apart.distance > TOLERANCE || !body.is_finite() {
                apart.differences = differences(graphs, &mut numbers, (at, element), given);
                let by_differences =
                    apart.differences.map(|true_one| distance(given, true_one, greatest, ROUNDING * size));
                // What neither says is not known: the value is not defined around here.
                apart.distance = match by_differences {
                    Some(by_differences) if body.is_finite() => apart.distance.min(by_differences),
                    Some(by_differences) => by_differences,
                    None if body.is_finite() => apart.distance,
                    None => 0.0,
                };
            }
            if inputs[at].furthest.as_ref().is_none_or(|known| apart.distance > known.distance) {
                apart.at = place(&trial.variables[at], element);
                inputs[at].furthest = Some(apart);
            }
        }
    }
}

/// How far a gradient is from what it should be, by the greatest one; what is left of a 0 counts nothing.
fn distance(given: f64, wanted: f64, greatest: f64, rounding: f64) -> f64 {
    let off = (given - wanted).abs();
    match off.is_finite() {
        true if off <= rounding => 0.0,
        true => off / greatest.max(wanted.abs()),
        false => f64::INFINITY,
    }
}

/// The derivative by an element of a parameter, by central differences of five points; of two distances the one nearer to
/// what is given. None where the value is no number.
fn differences(graphs: &Graphs, numbers: &mut Given, (param, element): (usize, usize), given: f64) -> Option<f64> {
    let here = numbers.params[param].data[element];
    let mut at_distance = |distance: f64| {
        numbers.params[param].data[element] = here + distance;
        let loss = loss(&graphs.value, numbers);
        numbers.params[param].data[element] = here;
        loss
    };
    let slope = |step: f64| {
        let near = at_distance(step)? - at_distance(-step)?;
        let far = at_distance(2.0 * step)? - at_distance(-2.0 * step)?;
        Some((8.0 * near - far) / (12.0 * step))
    };
    let slopes = DISTANCES.map(slope);
    slopes.into_iter().flatten().min_by(|a, b| (a - given).abs().total_cmp(&(b - given).abs()))
}

/// The weighed value, where it is a number.
fn loss(graph: &Graph, numbers: &Given) -> Option<f64> {
    let outputs = graph::run(graph, numbers).ok()?;
    let loss = outputs.into_iter().find(|(role, _)| *role == Role::Loss)?.1;
    loss.data.first().copied().filter(|loss| loss.is_finite())
}

/// The gradients by each parameter.
fn gradients(graph: &Graph, numbers: &Given) -> Vec<Value> {
    let outputs = graph::run(graph, numbers).unwrap_or_default();
    let by = |param: usize| {
        let mut grads = outputs.iter().filter(|(role, _)| *role == Role::Grad(ParamId(param as u32)));
        grads.next().map_or_else(|| Value::full(&[], 0.0), |(_, value)| value.clone())
    };
    (0..graph.params.len()).map(by).collect()
}

/// Numbers for all that a trial is given.
fn given(trial: &Trial, graph: &Graph, (low, high): (f64, f64), seed: u32) -> Given {
    let mut counter = 0;
    let mut part = || {
        counter += 1;
        f64::from(philox([counter, 0, 0, 0], [seed, 1])[0]) / (f64::from(u32::MAX) + 1.0)
    };
    let mut tensor = |drawn: &Drawn| {
        let dims: Vec<usize> =
            drawn.ty.axes.iter().map(|axis| axis.size.as_const().unwrap_or(1).max(0) as usize).collect();
        let places = drawn.below.as_ref().and_then(|size| size.as_const());
        let number = |part: f64| match (drawn.ty.dtype.carrier(), drawn.ty.kind) {
            (DType::Bool, _) => (2.0 * part).floor(),
            (DType::I32 | DType::I64, _) => (part * places.unwrap_or(4) as f64).floor(),
            (DType::F32 | DType::F64, Kind::Prob) => 0.05 + 0.9 * part,
            (DType::F32 | DType::F64, _) => low + (high - low) * part,
        };
        Value::from_fn(&dims, |_| number(part()))
    };
    let params = trial.variables.iter().map(&mut tensor).collect();
    let mut inputs: Vec<Value> = trial.inputs.iter().map(&mut tensor).collect();
    // The weights: each another number of either sign, none of them near 0.
    let weights = graph.inputs.last().map_or_else(Vec::new, |weights| {
        weights.ty.dims.iter().map(|size| size.as_const().unwrap_or(1).max(0) as usize).collect()
    });
    inputs.push(Value::from_fn(&weights, |_| (0.5 + part()) * if part() < 0.5 { -1.0 } else { 1.0 }));
    let sizes = vec![2; graph.sizes.len()];
    Given { inputs, params, sizes, seed: u64::from(seed), step: 1, steps_per_epoch: 1, ..Given::default() }
}

/// The place of an element along each axis.
fn place(drawn: &Drawn, mut element: usize) -> Vec<(String, usize)> {
    let mut places = Vec::new();
    for (axis, name) in drawn.ty.axes.iter().zip(&drawn.axes).rev() {
        let size = axis.size.as_const().unwrap_or(1).max(1) as usize;
        places.push((name.clone(), element % size));
        element /= size;
    }
    places.reverse();
    places
}
