//! The few forms that regions know.
//!
//! In: an optimised graph. Out: an equal one in which
//! - a `Reduce` has one axis; log-sum-exp, arg-reductions and picks run along the last axis;
//! - a `Contract` is `[b] m k · [b] k n -> [b] m n` with at most one axis in each role, and some n;
//! - a `ScatterAdd` has one axis of updates, in front, and rows of one axis.
//!
//! A contraction without free axes on both sides, which no matrix product serves, is a product and a sum.

use crate::ir::{Dim, Graph, NodeId};
use crate::ops::Builder;
use crate::ops::Op;
use crate::ops::rewrite::{Site, rebuild};

/// Labels of the legal contraction.
const B: u8 = 0;
const M: u8 = 1;
const K: u8 = 2;
const N: u8 = 3;

/// The longest row that several axes are joined into, in elements.
const MAX_JOINED_ROW: i64 = 1 << 16;

/// Rewrites a graph into legal forms.
pub(super) fn rewrite(graph: &Graph) -> Graph {
    let mut uses = vec![0u32; graph.nodes.len()];
    for node in &graph.nodes {
        node.args.iter().for_each(|arg| uses[arg.index()] += 1);
    }
    graph.outputs.iter().for_each(|output| uses[output.node.index()] += 1);
    rebuild(graph, |b, site| {
        let args = site.args;
        match &site.old.node(site.id).op {
            Op::Reduce(op, axes) => {
                let mut axes = axes.clone();
                axes.sort_unstable();
                let mut result = args[0];
                if let Some(flat) = flattened(b, graph, &uses, site, &axes) {
                    return Some(b.reduce(*op, flat, &[axes[0]]));
                }
                // From the last axis on: a row reduction first, folds of what is left after it.
                for &axis in axes.iter().rev() {
                    result = one_axis(b, result, axis, |b, x, axis| b.reduce(*op, x, &[axis]));
                }
                Some(result)
            }
            Op::ArgReduce(op, axis) => along_last(b, args[0], *axis, |b, x, last| b.arg_reduce(*op, x, last)),
            Op::LogSumExp(axis) => along_last(b, args[0], *axis, |b, x, last| b.log_sum_exp(x, last)),
            Op::Pick(axis) => along_last(b, args[0], *axis, |b, x, last| b.pick(x, last, args[1])),
            Op::Contract { a, b: other, out } => contract(b, site, [a, other], out),
            Op::ScatterAdd(axis, n) => scatter(b, args, *axis, n),
            _ => None,
        }
    })
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

/// The axes of an operand in groups by role, as `[b] m k` or `[b] k n`.
fn contract(b: &mut Builder, site: &Site<'_>, labels: [&Vec<u8>; 2], out: &[u8]) -> Option<NodeId> {
    let (mut left, mut right) = ((site.args[0], labels[0].clone()), (site.args[1], labels[1].clone()));
    let in_both = |label: &u8| labels.iter().all(|side| side.contains(label));
    let batch: Vec<u8> = out.iter().copied().filter(in_both).collect();
    let summed: Vec<u8> = labels[0].iter().copied().filter(|label| !out.contains(label)).collect();
    let free = |side: &[u8]| -> Vec<u8> {
        out.iter().copied().filter(|label| side.contains(label) && !in_both(label)).collect()
    };
    let (mut m, mut n) = (free(&left.1), free(&right.1));
    // The last axis of the result is a column, so that rows are contiguous; a product with a vector on
    // the right is one with it on the left.
    let last_is_left = out.last().is_some_and(|last| m.contains(last));
    if last_is_left || n.is_empty() {
        std::mem::swap(&mut left, &mut right);
        std::mem::swap(&mut m, &mut n);
    }
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

    let group = |b: &mut Builder, side: &(NodeId, Vec<u8>), roles: [&[u8]; 3], names: [u8; 3]| -> (NodeId, Vec<u8>) {
        let node = ordered(b, side, &roles.concat());
        let present = roles.iter().zip(names).filter(|(labels, _)| !labels.is_empty());
        let (dims, labels): (Vec<Dim>, Vec<u8>) = present
            .map(|(labels, name)| (Dim::product(&sizes(b, labels)).expect("a size of a checked program"), name))
            .unzip();
        (b.reshape(node, &dims), labels)
    };
    let (x, x_labels) = group(b, &left, [&batch, &m, &summed], [B, M, K]);
    let (y, y_labels) = group(b, &right, [&batch, &summed, &n], [B, K, N]);
    let roles = [(&batch, B), (&m, M), (&n, N)];
    let result_labels: Vec<u8> = roles.iter().filter(|(labels, _)| !labels.is_empty()).map(|(_, name)| *name).collect();
    let product = b.contract((x, &x_labels), (y, &y_labels), &result_labels);
    let order = [&batch[..], &m, &n].concat();
    let dims = sizes(b, &order);
    let product = b.reshape(product, &dims);
    Some(arranged(b, product, &order, out))
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
