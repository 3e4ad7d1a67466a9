//! Graph to smaller graph: simplify, fold, cse, dce.
//!
//! In: a graph after autodiff and `step`. Out: one with the same outputs and less work. `simplify` holds the
//! algebra of elements, `views` that of indices, `fold` what is known before the step. Common subexpressions
//! become one and dead code goes in the walk itself (`ops::rewrite`).
//!
//! **What a rule may change.** Results stay the same up to rounding. NaN and ±∞ stay where they are: a
//! rule that would lose or make one (`x·0 = 0`, `x - x = 0`, `log(exp(x)) = x`) is not there, or asks
//! whether its operand is known to be finite. There are two exceptions. The sign of a zero is not kept
//! (`x + 0 = x`), nor that of an infinity made by dividing by it. And `x^½ = √x` makes NaN of a base of -∞.
//!
//! `StopGradient` is dropped, so this runs after the last gradient is taken. Recognising larger shapes is
//! for `canon`.

mod fold;
mod precision;
mod simplify;
mod views;

pub use precision::products_in_bf16;

use crate::ir::{Graph, NodeId};
use crate::ops::Builder;
use crate::ops::rewrite::{Site, in_bodies, to_fixpoint};

/// A rule sees its arguments rewritten, so most chains collapse in one round; a few rules make work for
/// others above them.
const MAX_ROUNDS: usize = 8;

/// Simplifies until nothing changes.
pub fn run(graph: &Graph) -> Graph {
    to_fixpoint(&in_bodies(graph, run), MAX_ROUNDS, rewrite)
}

fn rewrite(b: &mut Builder, site: &Site<'_>) -> Option<NodeId> {
    let op = &site.old.node(site.id).op;
    fold::constant(b, op, site.args)
        .or_else(|| views::sink_broadcast(b, op, site.args))
        .or_else(|| simplify::element(b, op, site.args))
        .or_else(|| fold::on_host(b, op, site.args))
        .or_else(|| views::view(b, op, site))
        .or_else(|| views::reduction(b, op, site))
}
