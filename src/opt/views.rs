//! The algebra of indices: chains of views become one, and work is done before it is repeated.

use crate::ir::{Dim, NodeId};
use crate::ops::Builder;
use crate::ops::rewrite::Site;
use crate::ops::{Number, Op, WindowAxis};

/// f(repeat x, repeat y) = repeat f(x, y): along an axis that every argument repeats, an elementwise
/// operation computes the same again and again.
pub(super) fn sink_broadcast(b: &mut Builder, op: &Op, args: &[NodeId]) -> Option<NodeId> {
    let Op::Map(map) = op else { return None };
    let dims = b.dims(args[0]);
    let repeats = |id: NodeId, axis: usize| match &b.graph.node(id).op {
        Op::Broadcast { dims: _, axes } => axes[axis].is_none(),
        _ => false,
    };
    let kept: Vec<usize> = (0..dims.len()).filter(|&axis| !args.iter().all(|&arg| repeats(arg, axis))).collect();
    if kept.len() == dims.len() {
        return None;
    }
    let kept_dims: Vec<Dim> = kept.iter().map(|&axis| dims[axis].clone()).collect();
    let mut smaller = Vec::with_capacity(args.len());
    for &arg in args {
        let node = b.graph.node(arg);
        let Op::Broadcast { dims: _, axes } = &node.op else { return None };
        let axes: Vec<Option<usize>> = kept.iter().map(|&axis| axes[axis]).collect();
        let source = node.args[0];
        smaller.push(b.broadcast(source, &kept_dims, &axes));
    }
    let result = b.map(*map, &smaller);
    Some(b.place(result, &dims, &kept))
}

/// A simpler view.
pub(super) fn view(b: &mut Builder, op: &Op, site: &Site<'_>) -> Option<NodeId> {
    match op {
        Op::Permute(perm) => permute(b, perm, site),
        Op::Reshape(dims) => reshape(b, dims, site.args[0]),
        Op::Broadcast { dims, axes } => broadcast(b, dims, axes, site.args[0]),
        Op::Window { axes, fill } => window(b, axes, *fill, site.args[0]),
        Op::Concat(_) if site.args.len() == 1 => Some(site.args[0]),
        // pos(a) = 0 on an axis of one
        Op::Iota(dim) if *dim == Dim::ONE => Some(b.full(&[Dim::ONE], Number::i32(0))),
        _ => None,
    }
}

fn permute(b: &mut Builder, perm: &[usize], site: &Site<'_>) -> Option<NodeId> {
    // The identity.
    if perm.iter().copied().eq(0..perm.len()) {
        return Some(site.args[0]);
    }
    let inner = b.graph.node(site.args[0]).clone();
    match inner.op {
        // Two in a row.
        Op::Permute(first) => {
            let both: Vec<usize> = perm.iter().map(|&axis| first[axis]).collect();
            Some(b.permute(inner.args[0], &both))
        }
        // permute(repeat x) = repeat(permute x), which moves less.
        Op::Broadcast { dims, axes } => {
            let dims: Vec<Dim> = perm.iter().map(|&axis| dims[axis].clone()).collect();
            let order: Vec<usize> = perm.iter().filter_map(|&axis| axes[axis]).collect();
            let there: Vec<usize> = (0..perm.len()).filter(|&at| axes[perm[at]].is_some()).collect();
            let moved = b.permute(inner.args[0], &order);
            Some(b.place(moved, &dims, &there))
        }
        // A contraction gives its result in any order.
        Op::Contract { a, b: other, out } if site.is_sole_user(0) => {
            let out: Vec<u8> = perm.iter().map(|&axis| out[axis]).collect();
            Some(b.contract((inner.args[0], &a), (inner.args[1], &other), &out))
        }
        _ => None,
    }
}

fn reshape(b: &mut Builder, dims: &[Dim], x: NodeId) -> Option<NodeId> {
    let inner = b.graph.node(x);
    // To the sizes it has.
    if inner.ty.dims[..] == *dims {
        return Some(x);
    }
    match inner.op {
        // Two in a row.
        Op::Reshape(_) => {
            let source = inner.args[0];
            Some(b.reshape(source, dims))
        }
        // One number everywhere.
        Op::Broadcast { .. } if b.rank(inner.args[0]) == 0 => {
            let source = inner.args[0];
            Some(b.splat(source, dims))
        }
        _ => None,
    }
}

fn broadcast(b: &mut Builder, dims: &[Dim], axes: &[Option<usize>], x: NodeId) -> Option<NodeId> {
    // Nothing new.
    if axes.iter().all(Option::is_some) {
        return Some(x);
    }
    let inner = b.graph.node(x);
    // Two in a row.
    let Op::Broadcast { dims: _, axes: first } = &inner.op else { return None };
    let both: Vec<Option<usize>> = axes.iter().map(|axis| axis.and_then(|axis| first[axis])).collect();
    let source = inner.args[0];
    Some(b.broadcast(source, dims, &both))
}

fn window(b: &mut Builder, axes: &[WindowAxis], fill: Number, x: NodeId) -> Option<NodeId> {
    let dims = b.dims(x);
    // i = o over the whole axis is no window.
    let moves = |axis: &&WindowAxis| !axis.is_identity(&dims[axis.axis]);
    let left: Vec<_> = axes.iter().filter(moves).cloned().collect();
    if left.len() == axes.len() {
        return None;
    }
    Some(if left.is_empty() { x } else { b.window(x, left, fill.value()) })
}

/// A simpler reduction.
pub(super) fn reduction(b: &mut Builder, op: &Op, site: &Site<'_>) -> Option<NodeId> {
    let Op::Reduce(reduce, axes) = op else { return None };
    let x = site.args[0];
    // Along no axis.
    if axes.is_empty() {
        return Some(x);
    }
    // Along an axis of one: it goes.
    let dims = b.dims(x);
    let is_one = |axis: usize| axes.contains(&axis) && dims[axis] == Dim::ONE;
    if (0..dims.len()).any(is_one) {
        let kept: Vec<usize> = (0..dims.len()).filter(|&axis| !is_one(axis)).collect();
        let kept_dims: Vec<Dim> = kept.iter().map(|&axis| dims[axis].clone()).collect();
        let left: Vec<usize> = (0..kept.len()).filter(|&at| axes.contains(&kept[at])).collect();
        let smaller = b.reshape(x, &kept_dims);
        return Some(b.reduce(*reduce, smaller, &left));
    }
    // Two of a kind in a row are one over the axes of both.
    let inner = b.graph.node(x);
    let Op::Reduce(first, first_axes) = &inner.op else { return None };
    if first != reduce || !site.is_sole_user(0) {
        return None;
    }
    let source = inner.args[0];
    let kept: Vec<usize> = (0..b.rank(source)).filter(|axis| !first_axes.contains(axis)).collect();
    let both: Vec<usize> = first_axes.iter().copied().chain(axes.iter().map(|&axis| kept[axis])).collect();
    Some(b.reduce(*reduce, source, &both))
}
