//! Reductions over the few taps of a window, written out.
//!
//! In: a reduction along axes. Out: the same as a chain of elementwise work, one link for each tap, where the
//! axes are taps of a window: a pool, a depthwise convolution, their gradients. Each link reads what is in
//! memory at its own offset, so the window is never made, and a row of channels is worked on as one.

use crate::ir::{Dim, NodeId};
use crate::ops::{ArgOp, Builder, Cmp, MapOp, Number, Op, ReduceOp, Taps, WindowAxis, place_in_result, tap_in_result};

/// The longest chain: a window of 5 × 5.
const MAX_LINKS: i64 = 25;
/// How far down a window is looked for, and taps are put in place.
const MAX_DEPTH: usize = 12;

/// A reduction over taps, which ascend, as a chain, and how many axes are left to be reduced after it: where
/// all are too many, the first ones.
pub(super) fn reduce(b: &mut Builder, op: ReduceOp, x: NodeId, axes: &[usize]) -> Option<(NodeId, usize)> {
    let fits = |from: &usize| links(b, x, &axes[*from..]).is_some();
    let first = (0..axes.len()).find(fits)?;
    let links = values(b, x, &axes[first..])?;
    let map = match op {
        ReduceOp::Sum => MapOp::Add,
        ReduceOp::Max => MapOp::Max,
        ReduceOp::Min => MapOp::Min,
        ReduceOp::Prod => MapOp::Mul,
    };
    let chain = links.into_iter().reduce(|sum, link| b.map(map, &[sum, link]))?;
    Some((chain, first))
}

/// The position of the first extreme over taps, as a chain.
pub(super) fn arg_reduce(b: &mut Builder, op: ArgOp, x: NodeId, axes: &[usize]) -> Option<NodeId> {
    let mut links = values(b, x, axes)?.into_iter();
    let mut best = links.next()?;
    let dims = b.dims(best);
    let mut arg = b.full(&dims, Number::i32(0));
    for (at, link) in links.enumerate() {
        let (map, [low, high]) = match op {
            ArgOp::Max => (MapOp::Max, [best, link]),
            ArgOp::Min => (MapOp::Min, [link, best]),
        };
        // The first NaN is more extreme than every number, and nothing than it.
        let beyond = b.cmp(Cmp::Lt, low, high);
        let (no_number, number) = (b.cmp(Cmp::Ne, link, link), b.cmp(Cmp::Eq, best, best));
        let first_nan = b.map(MapOp::And, &[no_number, number]);
        let better = b.map(MapOp::Or, &[beyond, first_nan]);
        let here = b.full(&dims, Number::i32(at as i32 + 1));
        arg = b.select(better, here, arg);
        best = b.map(map, &[best, link]);
    }
    Some(arg)
}

/// The sizes of some axes, when they are taps of a window and few.
fn links(b: &Builder, x: NodeId, axes: &[usize]) -> Option<Vec<i64>> {
    let dims = &b.ty(x).dims;
    let sizes: Option<Vec<i64>> = axes.iter().map(|&axis| dims[axis].as_const()).collect();
    let count: i64 = sizes.as_ref()?.iter().product();
    // Few first: looking for a window is the longer question.
    let few_taps = (1..=MAX_LINKS).contains(&count) && axes.iter().all(|&axis| is_tap(b, x, axis, 0));
    few_taps.then_some(sizes?)
}

/// Whether an axis of a value is the tap of a window that it reads.
fn is_tap(b: &Builder, x: NodeId, axis: usize, depth: usize) -> bool {
    let node = b.graph.node(x);
    if depth > MAX_DEPTH {
        return false;
    }
    match &node.op {
        Op::Map(_) => node.args.iter().any(|&arg| is_tap(b, arg, axis, depth + 1)),
        Op::Permute(perm) => is_tap(b, node.args[0], perm[axis], depth + 1),
        Op::Broadcast { dims: _, axes } => axes[axis].is_some_and(|axis| is_tap(b, node.args[0], axis, depth + 1)),
        Op::Window { axes, fill: _ } => {
            let source = (0..b.rank(node.args[0])).find(|&at| place_in_result(axes, at) == axis);
            axes.iter().any(|window| tap_in_result(axes, window) == Some(axis))
                || source.is_some_and(|source| is_tap(b, node.args[0], source, depth + 1))
        }
        _ => false,
    }
}

/// The value at each tap, in row-major order of the axes.
fn values(b: &mut Builder, x: NodeId, axes: &[usize]) -> Option<Vec<NodeId>> {
    let sizes = links(b, x, axes)?;
    let count: i64 = sizes.iter().product();
    let place = |mut link: i64| -> Vec<(usize, i64)> {
        let mut fixed: Vec<(usize, i64)> = Vec::new();
        for (&axis, size) in axes.iter().zip(&sizes).rev() {
            fixed.push((axis, link % size));
            link /= size;
        }
        fixed
    };
    (0..count).map(|link| Some(at(b, x, &place(link), 0))).collect()
}

/// A value with some axes at a position each, which go.
fn at(b: &mut Builder, x: NodeId, fixed: &[(usize, i64)], depth: usize) -> NodeId {
    let node = b.graph.node(x).clone();
    let is_fixed = |axis: usize| fixed.iter().any(|(at, _)| *at == axis);
    let kept: Vec<usize> = (0..node.ty.rank()).filter(|&axis| !is_fixed(axis)).collect();
    if fixed.is_empty() || depth > MAX_DEPTH {
        return sliced(b, x, fixed);
    }
    match &node.op {
        Op::Map(map) => {
            let args: Vec<NodeId> = node.args.iter().map(|&arg| at(b, arg, fixed, depth + 1)).collect();
            b.map(*map, &args)
        }
        Op::Permute(perm) => {
            let inner: Vec<(usize, i64)> = fixed.iter().map(|&(axis, place)| (perm[axis], place)).collect();
            let source = at(b, node.args[0], &inner, depth + 1);
            // Where an axis of the argument is among those that are left of it.
            let left = |axis: usize| axis - inner.iter().filter(|(gone, _)| *gone < axis).count();
            let perm: Vec<usize> = kept.iter().map(|&axis| left(perm[axis])).collect();
            b.permute(source, &perm)
        }
        Op::Broadcast { dims, axes } => {
            let inner = fixed.iter().filter_map(|&(axis, place)| Some((axes[axis]?, place)));
            let source = at(b, node.args[0], &inner.collect::<Vec<_>>(), depth + 1);
            let dims: Vec<Dim> = kept.iter().map(|&axis| dims[axis].clone()).collect();
            let there: Vec<usize> = (0..kept.len()).filter(|&at| axes[kept[at]].is_some()).collect();
            b.place(source, &dims, &there)
        }
        // The position at a position.
        Op::Iota(_) => b.constant(Number::i32(fixed[0].1 as i32)),
        Op::Window { axes, fill } => {
            windowed(b, node.args[0], axes, fill.value(), fixed, depth).unwrap_or_else(|| sliced(b, x, fixed))
        }
        _ => sliced(b, x, fixed),
    }
}

/// A window with some of its taps, and of the axes that it reads as they are, at a position each.
fn windowed(
    b: &mut Builder,
    source: NodeId,
    axes: &[WindowAxis],
    fill: f64,
    fixed: &[(usize, i64)],
    depth: usize,
) -> Option<NodeId> {
    let place = |axis: usize| fixed.iter().find(|(at, _)| *at == axis).map(|(_, place)| *place);
    if axes.iter().any(|axis| place(place_in_result(axes, axis.axis)).is_some()) {
        return None;
    }
    let inner: Vec<(usize, i64)> =
        (0..b.rank(source)).filter_map(|axis| Some((axis, place(place_in_result(axes, axis))?))).collect();
    let left = |axis: usize| axis - inner.iter().filter(|(gone, _)| *gone < axis).count();
    let mut relations = Vec::new();
    for axis in axes {
        let tap = tap_in_result(axes, axis).and_then(place);
        let taps = match (&axis.taps, tap) {
            (_, Some(_)) => Taps::None,
            (Taps::Shared(with), None) => Taps::Shared(left(*with)),
            (other, None) => other.clone(),
        };
        let d = if taps == Taps::None { 0 } else { axis.d };
        let shift = Dim::constant(axis.d.checked_mul(tap.unwrap_or(0))?);
        relations.push(WindowAxis { axis: left(axis.axis), taps, d, b: axis.b.add(&shift).ok()?, ..axis.clone() });
    }
    let source = at(b, source, &inner, depth + 1);
    Some(b.window(source, relations, fill))
}

/// The same by slices of one element each.
fn sliced(b: &mut Builder, x: NodeId, fixed: &[(usize, i64)]) -> NodeId {
    if fixed.is_empty() {
        return x;
    }
    let mut axes: Vec<WindowAxis> =
        fixed.iter().map(|&(axis, place)| WindowAxis::shift(axis, Dim::ONE, Dim::constant(place))).collect();
    axes.sort_by_key(|axis| axis.axis);
    let slice = b.window(x, axes, 0.0);
    let dims = b.dims(slice);
    let kept = (0..dims.len()).filter(|axis| fixed.iter().all(|(at, _)| at != axis));
    let dims: Vec<Dim> = kept.map(|axis| dims[axis].clone()).collect();
    b.reshape(slice, &dims)
}
