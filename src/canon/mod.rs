//! Recognition before autodiff: contractions and convolutions, attention, log-sum-exp, variances, picks; loops made light.
//!
//! In: a graph in which a matrix product is a broadcast, a product and a sum, as the language says it.
//! Out: a graph with one operation for it, which has a gradient rule and a kernel of its own. Idempotent; it
//! runs again after autodiff, whose rules write products and sums too.
//!
//! Values: a recognised form has the value of what was written up to rounding, as long as every number on
//! the way is finite in both. Sums of products are multiplied out and summed in another order, so where
//! one overflows, the other may give another of NaN and ±∞, or a number. A log-sum-exp does not overflow,
//! and is -∞ where all is -∞.
//!
//! There is no algebra for its own sake here (that is `opt`), and no decision about loops.

mod attention;
mod contraction;
mod log_sum_exp;
mod missed;
mod pick;
mod product;
mod scan;
mod variance;
mod window;

pub use attention::Unfit;
pub use missed::{Apart, LoopSum, WeightedSum, loop_sums, weighted_sums};

use crate::ir::{Graph, NodeId};
use crate::ops::Builder;
use crate::ops::rewrite::{Site, in_bodies, is_same, to_fixpoint};
use crate::ops::{MapOp, Op, ReduceOp};

/// What one round leaves unused may let the next take more apart; it is rare that two do not suffice.
const MAX_ROUNDS: usize = 4;

/// Recognises what it can.
pub fn run(graph: &Graph) -> Graph {
    let mut graph = to_fixpoint(&in_bodies(graph, run), MAX_ROUNDS, recognise);
    for _ in 0..MAX_ROUNDS {
        if !graph.nodes.iter().any(|node| matches!(node.op, Op::Scan(..))) {
            break;
        }
        // What left a loop meets what is outside of it, and what is left inside may be recognised.
        let next = to_fixpoint(&in_bodies(&scan::run(&graph), run), MAX_ROUNDS, recognise);
        let same = is_same(&next, &graph);
        graph = next;
        if same {
            break;
        }
    }
    graph
}

fn recognise(b: &mut Builder, site: &Site<'_>) -> Option<NodeId> {
    let args = site.args;
    match &site.old.node(site.id).op {
        Op::Reduce(ReduceOp::Sum, axes) => pick::of_masked_sum(b, args[0], axes)
            .or_else(|| Some(contraction::of_sum(b, args[0], axes, site.is_sole_user(0)))),
        Op::Reduce(ReduceOp::Max | ReduceOp::Min, axes) => extreme_of_repeated(b, site, axes),
        Op::Contract { a, b: other, out } => {
            let product = contraction::of_contraction(b, [a, other, out], args);
            Some(attention::of_product(b, product).unwrap_or(product))
        }
        Op::Window { axes, fill } => window::of_one_tap(b, args[0], axes, *fill),
        Op::Reshape(dims) => window::split(b, args[0], dims),
        Op::Map(MapOp::Div) => {
            attention::of_quotient(b, args[0], args[1]).or_else(|| variance::of_mean(b, args[0], args[1]))
        }
        Op::Map(MapOp::Log) => log_sum_exp::of_log(b, args[0]),
        Op::Map(MapOp::Add) => log_sum_exp::of_shifted(b, args[0], args[1]),
        _ => None,
    }
}

/// max over an axis of x repeated along it = x, where the axis is known not to be empty.
fn extreme_of_repeated(b: &mut Builder, site: &Site<'_>, axes: &[usize]) -> Option<NodeId> {
    let Op::Reduce(reduce, _) = site.old.node(site.id).op else { return None };
    let repeated = b.graph.node(site.args[0]);
    let Op::Broadcast { dims, axes: from } = &repeated.op else { return None };
    let dims = dims.clone();
    let dropped =
        |axis: usize| from[axis].is_none() && axes.contains(&axis) && dims[axis].as_const().is_some_and(|n| n > 0);
    let kept: Vec<usize> = (0..dims.len()).filter(|&axis| !dropped(axis)).collect();
    if kept.len() == dims.len() {
        return None;
    }
    let kept_dims: Vec<_> = kept.iter().map(|&axis| dims[axis].clone()).collect();
    let kept_from: Vec<_> = kept.iter().map(|&axis| from[axis]).collect();
    let left: Vec<usize> = (0..kept.len()).filter(|&at| axes.contains(&kept[at])).collect();
    let source = repeated.args[0];
    let smaller = b.broadcast(source, &kept_dims, &kept_from);
    Some(b.reduce(reduce, smaller, &left))
}
