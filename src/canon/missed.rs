//! What was almost recognised, for whoever wants to tell it.
//!
//! In: a graph that went through recognition. Out: sums of products that stayed loops although their factors could be
//! those of a matrix product, and products with a softmax that did not become an attention, each with what stands in
//! the way. Changes nothing and knows no sizes: whether one is large enough to matter is asked by the caller.

use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use super::attention::{self, Unfit};
use crate::ir::{Dim, Graph, NodeId};
use crate::ops::{Builder, MapOp, Op, ReduceOp, splat_value};

/// How far elementwise work is followed back.
const MAX_DEPTH: usize = 12;

/// A sum of a product that is made element by element.
#[derive(Clone, Debug)]
pub struct LoopSum {
    /// The sum.
    pub sum: NodeId,
    /// What stands in the way.
    pub why: Apart,
    /// The sizes of what is summed.
    pub dims: Vec<Dim>,
}

/// What keeps a product from being right under its sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Apart {
    /// An addition or a subtraction of something else.
    Term(NodeId),
    /// An `if` whose condition has the axes of one factor at most, which could choose by itself.
    Choice(NodeId),
    /// A factor that has the axes of both.
    WideFactor(NodeId),
}

/// A softmax along an axis over which a product with values sums, and which is no attention.
#[derive(Clone, Debug)]
pub struct WeightedSum {
    /// The product.
    pub product: NodeId,
    /// The exponential in the softmax.
    pub softmax: NodeId,
    /// What is made of the weights before they meet the values.
    pub between: Option<NodeId>,
    /// What else does not fit, if that is known.
    pub unfit: Option<Unfit>,
    /// The sizes of the weights.
    pub dims: Vec<Dim>,
}

/// The sums of products that are loops: of `a·b` where each of the two has an axis that the other lacks, and one that is
/// summed is in both.
pub fn loop_sums(graph: &Graph) -> Vec<LoopSum> {
    let mut found = Vec::new();
    for sum in graph.ids() {
        let node = graph.node(sum);
        let Op::Reduce(ReduceOp::Sum, axes) = &node.op else { continue };
        let summed = axes.iter().fold(0, |set: u64, axis| set | 1 << axis);
        if let Some(why) = product_below(graph, node.args[0], summed, None, 0) {
            found.push(LoopSum { sum, why, dims: graph.ty(node.args[0]).dims.to_vec() });
        }
    }
    found
}

/// The products with a softmax of products that are no attention.
pub fn weighted_sums(graph: &Graph) -> Vec<WeightedSum> {
    let normalised = normalised(graph);
    if normalised.is_empty() {
        return Vec::new();
    }
    let mut trial = Builder::new(graph.clone());
    let mut found = Vec::new();
    for product in graph.ids() {
        let Op::Contract { a, b, out } = &graph.node(product).op else { continue };
        let args = &graph.node(product).args;
        for (weights, values, labels, rest) in [(args[0], args[1], a, b), (args[1], args[0], b, a)] {
            let is_summed = |axis: usize| rest.contains(&labels[axis]) && !out.contains(&labels[axis]);
            let along = |e: NodeId| (0..labels.len()).any(|axis| is_summed(axis) && normalised.contains(&(e, axis)));
            let is_softmax = |e: NodeId| along(e) && has_product(graph, graph.node(e).args[0]);
            let Some(softmax) = elementwise(graph, weights).into_iter().find(|&e| is_softmax(e)) else { continue };
            let between = (softmax != weights).then_some(weights);
            let unfit = attention::unfit(&mut trial, graph.node(softmax).args[0], values, [labels, rest, out]);
            if unfit != Some(Unfit::Few) {
                found.push(WeightedSum { product, softmax, between, unfit, dims: graph.ty(weights).dims.to_vec() });
            }
            break;
        }
    }
    found
}

/// Exponentials that are divided by their sum along an axis, or have the logarithm of it taken off before.
fn normalised(graph: &Graph) -> FxHashSet<(NodeId, usize)> {
    let mut found = FxHashSet::default();
    for id in graph.ids() {
        let node = graph.node(id);
        match &node.op {
            Op::Reduce(ReduceOp::Sum, axes) => {
                if let [axis] = axes[..]
                    && graph.node(node.args[0]).op == Op::Map(MapOp::Exp)
                {
                    found.insert((node.args[0], axis));
                }
            }
            Op::Map(MapOp::Exp) => {
                let inner = graph.node(node.args[0]);
                if inner.op == Op::Map(MapOp::Sub)
                    && let repeated = graph.node(inner.args[1])
                    && matches!(repeated.op, Op::Broadcast { .. })
                    && let sum = graph.node(repeated.args[0])
                    && let Op::LogSumExp(axis) = sum.op
                    && sum.args[0] == inner.args[0]
                {
                    found.insert((id, axis));
                }
            }
            _ => {}
        }
    }
    found
}

/// Whether elementwise work behind a value comes from a product of its axes.
fn has_product(graph: &Graph, id: NodeId) -> bool {
    elementwise(graph, id).into_iter().any(|id| matches!(graph.node(id).op, Op::Contract { .. }))
}

/// A value and what it is made of element by element.
fn elementwise(graph: &Graph, id: NodeId) -> SmallVec<[NodeId; 8]> {
    let mut seen: SmallVec<[NodeId; 8]> = SmallVec::from_elem(id, 1);
    let mut next = 0;
    while let Some(&id) = seen.get(next) {
        next += 1;
        if let Op::Map(_) = graph.node(id).op
            && seen.len() < 4 * MAX_DEPTH
        {
            for &arg in &graph.node(id).args {
                if !seen.contains(&arg) {
                    seen.push(arg);
                }
            }
        }
    }
    seen
}

/// Why the product of two sides is not right under its sum: what was met on the way to it.
fn product_below(graph: &Graph, id: NodeId, summed: u64, met: Option<Apart>, depth: usize) -> Option<Apart> {
    if depth > MAX_DEPTH {
        return None;
    }
    let mut factors: SmallVec<[(NodeId, u64); 4]> = SmallVec::new();
    collect_factors(graph, id, &mut factors, 0);
    if let Some(both) = two_sides(&factors, summed) {
        let wide = factors.iter().find(|(_, axes)| both & !axes == 0);
        return wide.map_or(met, |&(factor, _)| Some(Apart::WideFactor(factor)));
    }
    factors.iter().find_map(|&(factor, _)| {
        let args = &graph.node(factor).args;
        match graph.node(factor).op {
            Op::Map(MapOp::Add | MapOp::Sub) => {
                let term = met.or(Some(Apart::Term(factor)));
                args.iter().find_map(|&arg| product_below(graph, arg, summed, term, depth + 1))
            }
            Op::Map(MapOp::Select) => {
                // A condition on the axes of both factors leaves no matrix product in any spelling.
                let asks = depends_on(graph, args[0], 0);
                let narrow = |arg: NodeId| {
                    let mut inner: SmallVec<[(NodeId, u64); 4]> = SmallVec::new();
                    collect_factors(graph, arg, &mut inner, 0);
                    asks & summed == 0 || inner.iter().any(|(_, axes)| asks & !axes == 0)
                };
                let choice = met.or(Some(Apart::Choice(factor)));
                let branches = args[1..].iter().filter(|arg| narrow(**arg));
                branches.into_iter().find_map(|&arg| product_below(graph, arg, summed, choice, depth + 1))
            }
            _ => None,
        }
    })
}

/// The axes of two factors that each have one of their own and share one that is summed.
fn two_sides(factors: &[(NodeId, u64)], summed: u64) -> Option<u64> {
    let pairs = factors.iter().enumerate().flat_map(|(at, x)| factors[at + 1..].iter().map(move |y| (x.1, y.1)));
    let sides = |&(x, y): &(u64, u64)| x & !y != 0 && y & !x != 0 && x & y & summed != 0;
    pairs.filter(sides).map(|(x, y)| x | y).next()
}

/// The factors of a value, each with the axes it depends on.
fn collect_factors(graph: &Graph, id: NodeId, factors: &mut SmallVec<[(NodeId, u64); 4]>, depth: usize) {
    let node = graph.node(id);
    match node.op {
        Op::Map(MapOp::Mul) if depth < MAX_DEPTH => {
            node.args.iter().for_each(|&arg| collect_factors(graph, arg, factors, depth + 1));
        }
        Op::Map(MapOp::Div) if depth < MAX_DEPTH => {
            collect_factors(graph, node.args[0], factors, depth + 1);
            factors.push((node.args[1], depends_on(graph, node.args[1], 0)));
        }
        Op::Map(MapOp::Neg) if depth < MAX_DEPTH => collect_factors(graph, node.args[0], factors, depth + 1),
        _ => factors.push((id, depends_on(graph, id, 0))),
    }
}

/// The axes along which a value may change; all of them where that is not plain to see.
fn depends_on(graph: &Graph, id: NodeId, depth: usize) -> u64 {
    let node = graph.node(id);
    let all = || (0..node.ty.rank()).fold(0, |set: u64, axis| set | 1 << axis);
    match &node.op {
        _ if splat_value(graph, id).is_some() => 0,
        Op::Map(_) if depth < MAX_DEPTH => {
            node.args.iter().fold(0, |set, &arg| set | depends_on(graph, arg, depth + 1))
        }
        Op::Broadcast { axes, .. } => {
            let kept = axes.iter().enumerate().filter(|(_, from)| from.is_some());
            kept.fold(0, |set, (axis, _)| set | 1 << axis)
        }
        Op::Permute(perm) if depth < MAX_DEPTH => {
            let before = depends_on(graph, node.args[0], depth + 1);
            perm.iter().enumerate().fold(0, |set, (axis, &from)| set | (before >> from & 1) << axis)
        }
        _ => all(),
    }
}
