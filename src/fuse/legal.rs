//! The few forms that regions know.
//!
//! In: an optimised graph. Out: an equal one in which
//! - a `Reduce` has one axis; log-sum-exp, arg-reductions and picks run along the last axis;
//! - a `Contract` is `[batch] [m] [k] · [batch] [k] n -> [batch] [m] n`, with any number of axes in each
//!   bracket; a window is on its left;
//! - a `ScatterAdd` has one axis of updates, in front, and rows of one axis.
//!
//! A variance, a prefix, an order or an attention is what it is made of. A contraction without free axes on both
//! sides, which no matrix product serves, is a product and a sum.

use std::borrow::Cow;

use super::taps;
use crate::ir::{Dim, Graph, Node, NodeId};
use crate::ops::rewrite::{Site, rebuild, uses};
use crate::ops::{
    ArgOp, Builder, Op, Order, Prefix, Taps, attention_by_definition, order_by_definition, prefix_by_definition,
    variance_by_definition, variance_in_one_walk,
};

/// The longest row that several axes are joined into, in elements.
const MAX_JOINED_ROW: i64 = 1 << 16;

/// Rewrites a graph into legal forms.
pub(super) fn rewrite(graph: &Graph) -> Graph {
    let graph = defined(graph);
    let graph = graph.as_ref();
    let uses = uses(graph);
    rebuild(graph, |b, site| {
        let args = site.args;
        match &site.old.node(site.id).op {
            Op::Reduce(op, axes) => {
                let mut axes = axes.clone();
                axes.sort_unstable();
                let mut result = args[0];
                if let Some((chain, left)) = taps::reduce(b, *op, args[0], &axes) {
                    result = chain;
                    axes.truncate(left);
                } else if let Some(flat) = flattened(b, graph, &uses, site, &axes) {
                    return Some(b.reduce(*op, flat, &[axes[0]]));
                }
                // From the last axis on: a row reduction first, folds of what is left after it, as one where
                // the axes lie side by side.
                while let Some(axis) = axes.pop() {
                    result = one_axis(b, result, axis, |b, x, axis| b.reduce(*op, x, &[axis]));
                    if let Some(first) = merge_last(b, &mut result, &axes) {
                        axes.truncate(axes.len() - (axes[axes.len() - 1] - first));
                    }
                }
                Some(result)
            }
            Op::ArgReduce(op, axes) => {
                taps::arg_reduce(b, *op, args[0], axes).or_else(|| positions(b, *op, args[0], axes))
            }
            Op::LogSumExp(axis) => along_last(b, args[0], *axis, |b, x, last| b.log_sum_exp(x, last)),
            Op::Pick(axis) => along_last(b, args[0], *axis, |b, x, last| b.pick(x, last, args[1])),
            Op::Contract { a, b: other, out } => contract(b, site, [a, other], out),
            Op::ScatterAdd(axis, n) => scatter(b, args, *axis, n),
            _ => None,
        }
    })
}

/// The graph with what is made of others written out: what that is made of is not legal yet itself.
fn defined(graph: &Graph) -> Cow<'_, Graph> {
    let is_made = |node: &Node| {
        matches!(node.op, Op::Variance(_) | Op::Prefix { .. } | Op::Order { .. })
            || matches!(node.op, Op::Attention(..) | Op::AttentionGrad(..))
    };
    if !graph.nodes.iter().any(is_made) {
        return Cow::Borrowed(graph);
    }
    Cow::Owned(rebuild(graph, |b, site| match &site.old.node(site.id).op {
        Op::Variance(axes) => Some(variance(b, site.args[0], axes)),
        op @ (Op::Attention(..) | Op::AttentionGrad(..)) => Some(attention_by_definition(b, op, site.args)),
        &Op::Prefix { op, axis, reversed, exclusive } => {
            Some(prefix_by_definition(b, Prefix { op, axis, reversed, exclusive }, site.args[0]))
        }
        Op::Order { axis, descending, count } => {
            let order = Order { axis: *axis, descending: *descending, count: count.clone() };
            Some(order_by_definition(b, &order, site.args[0]))
        }
        _ => None,
    }))
}

/// A variance along rows by its definition; along other axes in one walk.
fn variance(b: &mut Builder, x: NodeId, axes: &[usize]) -> NodeId {
    let is_row = axes.last().is_some_and(|last| last + 1 == b.rank(x));
    if is_row { variance_by_definition(b, x, axes) } else { variance_in_one_walk(b, x, axes) }
}

/// The argument of a reduction over several last axes with these joined into one row, when that is no more
/// than a view of what is in memory, or elementwise work on such: one pass instead of one for each axis.
fn flattened(b: &mut Builder, graph: &Graph, uses: &[u32], site: &Site<'_>, axes: &[usize]) -> Option<NodeId> {
    let old = graph.node(site.id).args[0];
    let dims = &graph.ty(old).dims;
    let first = *axes.first()?;
    if axes.len() < 2 || first + axes.len() != dims.len() {
        return None;
    }
    let row = Dim::product(&dims[first..]).ok()?;
    // A longer row is better shared out by its parts.
    if row.as_const()? > MAX_JOINED_ROW {
        return None;
    }
    let dims: Vec<Dim> = dims[..first].iter().cloned().chain([row]).collect();
    reshaped(b, graph, uses, (old, site.args[0]), &dims, 0)
}

/// A value with other sizes: by a view of memory at the leaves of elementwise work that nobody else reads.
fn reshaped(
    b: &mut Builder,
    graph: &Graph,
    uses: &[u32],
    (old, new): (NodeId, NodeId),
    dims: &[Dim],
    depth: usize,
) -> Option<NodeId> {
    let node = graph.node(old);
    match &node.op {
        Op::Map(map) if uses[old.index()] == 1 && depth < 8 => {
            // The rules here leave elementwise nodes as they are, so the operands correspond.
            let new_args = b.graph.node(new).args.clone();
            let args: Option<Vec<NodeId>> = node
                .args
                .iter()
                .zip(new_args)
                .map(|(&old, new)| reshaped(b, graph, uses, (old, new), dims, depth + 1))
                .collect();
            Some(b.map(*map, &args?))
        }
        Op::Broadcast { .. } if graph.ty(node.args[0]).rank() == 0 => {
            let scalar = b.graph.node(new).args[0];
            Some(b.splat(scalar, dims))
        }
        op if super::view::is_view(op)
            || matches!(op, Op::Const(_) | Op::Scalar(_) | Op::Iota(_) | Op::Random { .. }) =>
        {
            None
        }
        _ => Some(b.reshape(new, dims)),
    }
}

/// Merges the last of the axes that are still to be reduced with those that stand right before it: what was
/// reduced once is in memory. Tells which axis they are then.
fn merge_last(b: &mut Builder, x: &mut NodeId, axes: &[usize]) -> Option<usize> {
    let last = *axes.last()?;
    let run = axes.iter().rev().enumerate().take_while(|(before, axis)| **axis + before == last).count();
    let first = last + 1 - run;
    if run < 2 || !matches!(b.graph.node(*x).op, Op::Reduce(..)) {
        return None;
    }
    let dims = b.dims(*x);
    let merged = Dim::product(&dims[first..=last]).ok()?;
    let dims: Vec<Dim> =
        dims[..first].iter().cloned().chain([merged]).chain(dims[last + 1..].iter().cloned()).collect();
    *x = b.reshape(*x, &dims);
    Some(first)
}

/// Reduces one axis; what stands behind it with size 1 goes first, so that it is the last.
fn one_axis(b: &mut Builder, x: NodeId, axis: usize, reduce: impl Fn(&mut Builder, NodeId, usize) -> NodeId) -> NodeId {
    let dims = b.dims(x);
    if axis + 1 < dims.len() && dims[axis + 1..].iter().all(|dim| *dim == Dim::ONE) {
        let flat = b.reshape(x, &dims[..=axis]);
        let reduced = reduce(b, flat, axis);
        let mut result = dims.to_vec();
        result.remove(axis);
        return b.reshape(reduced, &result);
    }
    reduce(b, x, axis)
}

/// Moves an axis to the end and works along it there.
fn along_last(
    b: &mut Builder,
    x: NodeId,
    axis: usize,
    run: impl Fn(&mut Builder, NodeId, usize) -> NodeId,
) -> Option<NodeId> {
    let rank = b.rank(x);
    if axis + 1 == rank {
        return None;
    }
    let perm: Vec<usize> = (0..rank).filter(|&other| other != axis).chain([axis]).collect();
    let moved = b.permute(x, &perm);
    Some(run(b, moved, rank - 1))
}

/// The positions of extremes along the last axis, into which the axes are merged.
fn positions(b: &mut Builder, op: ArgOp, x: NodeId, axes: &[usize]) -> Option<NodeId> {
    let dims = b.dims(x);
    if let [axis] = *axes {
        return along_last(b, x, axis, |b, x, last| b.arg_reduce(op, x, &[last]));
    }
    let kept: Vec<usize> = (0..dims.len()).filter(|axis| !axes.contains(axis)).collect();
    let moved = b.permute(x, &[&kept[..], axes].concat());
    let row = Dim::product(axes.iter().map(|&axis| &dims[axis])).expect("a size of a checked program");
    let mut flat: Vec<Dim> = kept.iter().map(|&axis| dims[axis].clone()).collect();
    flat.push(row);
    let flat = b.reshape(moved, &flat);
    Some(b.arg_reduce(op, flat, &[kept.len()]))
}

/// A contraction with the axes of both operands and of its result in groups by role: `[batch] [m] [k]`,
/// `[batch] [k] [n]`, `[batch] [m] [n]`, with one axis of `n`.
fn contract(b: &mut Builder, site: &Site<'_>, labels: [&Vec<u8>; 2], out: &[u8]) -> Option<NodeId> {
    let (mut left, mut right) = ((site.args[0], labels[0].clone()), (site.args[1], labels[1].clone()));
    let in_both = |label: &u8| labels.iter().all(|side| side.contains(label));
    let batch: Vec<u8> = out.iter().copied().filter(in_both).collect();
    let free = |side: &[u8]| -> Vec<u8> {
        out.iter().copied().filter(|label| side.contains(label) && !in_both(label)).collect()
    };
    let (mut m, mut n) = (free(&left.1), free(&right.1));
    // Patches of a window are on the left. Else the last axis of the result is a column, so that rows are
    // contiguous; a product with a vector on the right is one with it on the left.
    let [left_gathers, right_gathers] = [&left, &right].map(|side| is_window(b, side.0));
    let last_is_left = out.last().is_some_and(|last| m.contains(last));
    let swap = match (left_gathers, right_gathers) {
        (true, false) => n.is_empty(),
        (false, true) => !m.is_empty(),
        _ => last_is_left || n.is_empty(),
    };
    if swap {
        std::mem::swap(&mut left, &mut right);
        std::mem::swap(&mut m, &mut n);
    }
    // In the order of the right operand, a weight as a rule, whose rows then lie one behind the other.
    let summed: Vec<u8> = right.1.iter().copied().filter(|label| !out.contains(label)).collect();
    let size_of = |b: &Builder, label: u8| -> Dim {
        let (node, labels) = if left.1.contains(&label) { &left } else { &right };
        let at = labels.iter().position(|other| *other == label).expect("each label is an operand's");
        b.ty(*node).dims[at].clone()
    };
    let sizes = |b: &Builder, labels: &[u8]| -> Vec<Dim> { labels.iter().map(|&label| size_of(b, label)).collect() };
    let ordered = |b: &mut Builder, (node, labels): &(NodeId, Vec<u8>), order: &[u8]| -> NodeId {
        let perm: Vec<usize> =
            order.iter().map(|label| labels.iter().position(|other| other == label).expect("its own label")).collect();
        b.permute(*node, &perm)
    };

    if n.is_empty() || (m.is_empty() && !batch.is_empty()) {
        // No matrix product: multiply along [batch, m, n, k] and sum.
        let all: Vec<u8> = [&batch[..], &m, &n, &summed].concat();
        let dims = sizes(b, &all);
        let mut spread = |side: &(NodeId, Vec<u8>)| {
            let own: Vec<u8> = all.iter().copied().filter(|label| side.1.contains(label)).collect();
            let at: Vec<usize> =
                own.iter().map(|label| all.iter().position(|other| other == label).expect("among all")).collect();
            let node = ordered(b, side, &own);
            b.place(node, &dims, &at)
        };
        let (x, y) = (spread(&left), spread(&right));
        let mut result = b.mul(x, y);
        for axis in (all.len() - summed.len()..all.len()).rev() {
            result = b.sum(result, &[axis]);
        }
        return Some(arranged(b, result, &[&batch[..], &m, &n].concat(), out));
    }

    let x = ordered(b, &left, &[&batch[..], &m, &summed].concat());
    let mut y = ordered(b, &right, &[&batch[..], &summed, &n].concat());
    let column = n[0];
    if n.len() > 1 {
        // The columns of a row are one axis.
        let columns = Dim::product(&sizes(b, &n)).expect("a size of a checked program");
        let mut dims = sizes(b, &[&batch[..], &summed].concat());
        dims.push(columns);
        y = b.reshape(y, &dims);
    }
    let product = b.contract(
        (x, &[&batch[..], &m, &summed].concat()),
        (y, &[&batch[..], &summed, &[column]].concat()),
        &[&batch[..], &m, &[column]].concat(),
    );
    let order = [&batch[..], &m, &n].concat();
    let dims = sizes(b, &order);
    let product = b.reshape(product, &dims);
    Some(arranged(b, product, &order, out))
}

/// Whether a value is, behind permutations, a window with taps.
fn is_window(b: &Builder, mut id: NodeId) -> bool {
    while let Op::Permute(_) | Op::Remat = b.graph.node(id).op {
        id = b.graph.node(id).args[0];
    }
    matches!(&b.graph.node(id).op, Op::Window { axes, .. } if axes.iter().any(|axis| axis.taps != Taps::None))
}

/// A value whose axes have these labels, in the order of others.
fn arranged(b: &mut Builder, x: NodeId, labels: &[u8], out: &[u8]) -> NodeId {
    let perm: Vec<usize> =
        out.iter().map(|label| labels.iter().position(|other| other == label).expect("the same labels")).collect();
    b.permute(x, &perm)
}

/// `ScatterAdd` with its updates in front and each row flat.
fn scatter(b: &mut Builder, args: &[NodeId], axis: usize, n: &Dim) -> Option<NodeId> {
    let (index, update) = (args[0], args[1]);
    let (index_dims, update_dims) = (b.dims(index), b.dims(update));
    let at_front: Vec<usize> = (axis..axis + index_dims.len()).collect();
    let rest: Vec<usize> = (0..update_dims.len()).filter(|axis| !at_front.contains(axis)).collect();
    if axis == 0 && index_dims.len() == 1 && rest.len() == 1 {
        return None;
    }
    let rest_dims: Vec<Dim> = rest.iter().map(|&axis| update_dims[axis].clone()).collect();
    let count = Dim::product(&index_dims[..]).expect("a size of a checked program");
    let row = Dim::product(&rest_dims).expect("a size of a checked program");
    let moved = b.permute(update, &[at_front, rest].concat());
    let rows = b.reshape(moved, &[count.clone(), row]);
    let flat = b.reshape(index, &[count]);
    let sums = b.scatter_add(0, n.clone(), flat, rows);
    let mut dims = vec![n.clone()];
    dims.extend(rest_dims);
    let spread = b.reshape(sums, &dims);
    // The new axis stands where the index's axes stood.
    let perm: Vec<usize> = (1..=axis).chain([0]).chain(axis + 1..dims.len()).collect();
    Some(b.permute(spread, &perm))
}
