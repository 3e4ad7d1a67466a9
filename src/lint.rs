//! Warnings that only the graph of a run can give.
//!
//! In: a checked run, its loss as a graph as written and after recognition, its batch. Out: warnings, at the user's text:
//! sums of products and attentions that run slowly where another spelling would not, and parameters that nothing trains,
//! a pass of the run for each loss.
//! Finds nothing itself: `canon` says what it did not recognise, `autodiff` what no gradient reaches. A size below which a
//! spelling does not matter is decided here.

use rustc_hash::FxHashMap;

use crate::autodiff::{Untouched, untouched};
use crate::base::Span;
use crate::canon::{Apart, Unfit, loop_sums, weighted_sums};
use crate::diag::Diagnostics;
use crate::diag::lint::{self as told, InTheWay, NoAttention, NoGradient};
use crate::ir::{DType, Dim, Graph, NodeId};
use crate::ops::{MapOp, Op, ReduceOp};
use crate::sema::typed::{ExprKind, Program, Train};

/// So many products a step are worth another spelling.
const MANY_PRODUCTS: u64 = 1 << 20;
/// So many weights of an attention do not stay in a cache.
const MANY_WEIGHTS: u64 = 1 << 18;

/// What a run's graphs say: `written` are its losses as lowered, one for each pass, `recognised` the same after
/// recognition.
pub fn lints(program: &Program, train: &Train, written: &[&Graph], recognised: &[Graph], batch: i64) -> Diagnostics {
    let mut found = gradients(train, written);
    for graph in recognised {
        found.extend(speed(program, train, graph, batch));
    }
    found
}

/// What runs slowly as it is spelt.
fn speed(program: &Program, train: &Train, recognised: &Graph, batch: i64) -> Diagnostics {
    let mut found = Diagnostics::default();
    let large = |dims: &[Dim], least: u64| -> Option<u64> {
        let count = u64::try_from(Dim::product(dims).ok()?.eval(&|size| train.size_at(batch, size)).ok()?).ok()?;
        (count > least).then_some(count)
    };
    for sum in loop_sums(recognised) {
        if let (Some(count), Some(span)) = (large(&sum.dims, MANY_PRODUCTS), span_of(recognised, sum.sum)) {
            let (why, at) = match sum.why {
                Apart::Term(at) => (InTheWay::Term, at),
                Apart::Choice(at) => (InTheWay::Choice, at),
                Apart::WideFactor(at) => (InTheWay::WideFactor, at),
            };
            let at = span_of(recognised, at).unwrap_or(span);
            found.push(told::loop_sum(&as_written(program, train, span), count, span, why, at));
        }
    }
    for sum in weighted_sums(recognised) {
        if let (Some(count), Some(span)) = (large(&sum.dims, MANY_WEIGHTS), span_of(recognised, sum.product)) {
            let between = sum.between.map(|at| NoAttention::Between(span_of(recognised, at).unwrap_or(span)));
            let why = between.unwrap_or(match sum.unfit {
                Some(Unfit::NoBatch) => NoAttention::NoBatch,
                Some(Unfit::Weights) => NoAttention::Weights,
                Some(Unfit::Values) => NoAttention::Values,
                Some(Unfit::Scores) => NoAttention::Scores,
                Some(Unfit::Score) => NoAttention::Score,
                Some(Unfit::Few) | None => NoAttention::Unknown,
            });
            found.push(told::attention(count, span, span_of(recognised, sum.softmax).unwrap_or(span), why));
        }
    }
    found
}

/// Parameters that are updated and have no gradient in any pass that updates them.
fn gradients(train: &Train, graphs: &[&Graph]) -> Diagnostics {
    if train.params.is_empty() {
        let head = Span { end: train.span.start + "train".len() as u32, ..train.span };
        return Diagnostics::of(told::no_parameters(head));
    }
    // By parameter: the pass and the reason. A pass without a gradient for it loses to one with.
    let mut dead: FxHashMap<usize, Option<(usize, Untouched)>> = FxHashMap::default();
    for (at, (pass, graph)) in train.passes.iter().zip(graphs).enumerate() {
        let here: FxHashMap<usize, Untouched> =
            untouched(graph).into_iter().map(|(param, why)| (param.index(), why)).collect();
        for update in &pass.updates {
            let why = here.get(&update.param).map(|why| (at, *why));
            let known = dead.entry(update.param).or_insert(why);
            *known = known.and(why.map(|why| known.unwrap_or(why)));
        }
    }
    let outside = |param: usize| matches!(dead.get(&param), None | Some(Some((_, Untouched::Outside))));
    // A model of which nothing is in a loss is told as such.
    let model = |param: usize| train.params[param].path.split('.').next();
    let is_idle = |param: usize| {
        let mut own = (0..train.params.len()).filter(|&other| model(other) == model(param));
        own.all(outside)
    };
    let mut used: FxHashMap<usize, Span> = FxHashMap::default();
    for expr in &train.exprs {
        if let ExprKind::Param(at) = expr.kind {
            used.entry(at).or_insert(expr.span);
        }
    }
    let mut places: Vec<(Place, Vec<&str>)> = Vec::new();
    for param in 0..train.params.len() {
        let Some(Some((pass, why))) = dead.get(&param).copied().filter(|_| !is_idle(param)) else { continue };
        let span = used.get(&param).copied().unwrap_or(train.params[param].span);
        let place = match why {
            Untouched::Outside => (span, NoGradient::Outside, None),
            Untouched::EndsAt(at) => (span, reason(graphs[pass], at), span_of(graphs[pass], at)),
        };
        let path = &*train.params[param].path;
        match places.iter_mut().find(|(known, _)| *known == place) {
            Some((_, paths)) => paths.push(path),
            None => places.push((place, vec![path])),
        }
    }
    let mut found = Diagnostics::default();
    for ((span, why, at), paths) in places {
        found.push(told::no_gradient(&paths, span, why, at));
    }
    found
}

/// Where parameters are used, why they have no gradient, and where the way ends.
type Place = (Span, NoGradient, Option<Span>);

/// What ends the way at a node.
fn reason(graph: &Graph, id: NodeId) -> NoGradient {
    match &graph.node(id).op {
        Op::StopGradient => NoGradient::Stopped,
        Op::ArgReduce(..) => NoGradient::Position,
        Op::Map(MapOp::Floor | MapOp::Round) => NoGradient::Steps,
        Op::Map(MapOp::Mul | MapOp::Pow) => NoGradient::Zero,
        _ if graph.ty(id).dtype == DType::I32 => NoGradient::Whole,
        _ => NoGradient::Truth,
    }
}

/// Where a node comes from in the user's text.
fn span_of(graph: &Graph, id: NodeId) -> Option<Span> {
    graph.node(id).origin.span
}

/// `sum[k]` for a sum at a place.
fn as_written(program: &Program, train: &Train, span: Span) -> String {
    let axes = train.exprs.iter().find_map(|expr| match &expr.kind {
        ExprKind::Reduce(ReduceOp::Sum, axes, _) if expr.span == span => Some(axes),
        _ => None,
    });
    let names = axes.into_iter().flatten().filter_map(|axis| program.axes.get(axis.0 as usize));
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.is_empty() { "sum".to_owned() } else { format!("sum[{}]", names.join(", ")) }
}
