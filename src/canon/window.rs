//! Windows in the form in which a convolution is recognised.

use crate::ir::{Dim, NodeId};
use crate::ops::{Builder, Number, Op, Taps, WindowAxis, place_in_result, tap_in_result};

/// A window with one tap along an axis has that tap at 0, and its axis is a repetition: a convolution of
/// size 1 is a matrix product.
pub(super) fn of_one_tap(b: &mut Builder, x: NodeId, axes: &[WindowAxis], fill: Number) -> Option<NodeId> {
    let is_one = |axis: &WindowAxis| axis.taps == Taps::New(Dim::ONE);
    if !axes.iter().any(is_one) {
        return None;
    }
    let untapped = |axis: &WindowAxis| match is_one(axis) {
        true => WindowAxis { taps: Taps::None, d: 0, ..axis.clone() },
        false => axis.clone(),
    };
    let dims = b.dims(x);
    let moves = |axis: &WindowAxis| !axis.is_identity(&dims[axis.axis]);
    let left: Vec<WindowAxis> = axes.iter().map(untapped).filter(moves).collect();
    let read = if left.is_empty() { x } else { b.window(x, left, fill.value()) };
    // In the order of their places, so that each insertion finds those before it done.
    let ones: Vec<usize> =
        axes.iter().filter(|axis| is_one(axis)).filter_map(|axis| tap_in_result(axes, axis)).collect();
    let mut dims = b.dims(read).to_vec();
    ones.iter().for_each(|&at| dims.insert(at, Dim::ONE));
    let there: Vec<usize> = (0..dims.len()).filter(|at| !ones.contains(at)).collect();
    Some(b.place(read, &dims, &there))
}

/// split(W(x)) = W(split(x)), where what is split is no axis that the window makes: channels in groups, whether
/// they were parted before or behind the window.
pub(super) fn split(b: &mut Builder, x: NodeId, dims: &[Dim]) -> Option<NodeId> {
    let window = b.graph.node(x).clone();
    let Op::Window { axes, fill } = &window.op else { return None };
    let source = window.args[0];
    // For each axis of the window, how many axes of the result it is split into.
    let mut parts = Vec::new();
    let mut rest = dims;
    for size in &window.ty.dims {
        let fits = |count: &usize| Dim::product(&rest[..*count]).is_ok_and(|product| product == *size);
        let count = (1..=rest.len()).find(fits)?;
        parts.push(count);
        rest = &rest[count..];
    }
    let is_made = |at: usize| {
        let moved = axes.iter().any(|axis| place_in_result(axes, axis.axis) == at);
        moved || axes.iter().any(|axis| tap_in_result(axes, axis) == Some(at))
    };
    if !rest.is_empty() || (0..parts.len()).any(|at| parts[at] > 1 && is_made(at)) {
        return None;
    }
    let start = |at: usize| parts[..at].iter().sum::<usize>();
    let mut split = Vec::new();
    // Where each axis of the source begins in the split source.
    let mut begins = Vec::new();
    for (axis, size) in b.dims(source).iter().enumerate() {
        begins.push(split.len());
        let at = place_in_result(axes, axis);
        match parts[at] {
            1 => split.push(size.clone()),
            count => split.extend_from_slice(&dims[start(at)..start(at) + count]),
        }
    }
    let moved = axes.iter().map(|axis| {
        let taps = match &axis.taps {
            Taps::Shared(with) => Taps::Shared(begins[*with]),
            other => other.clone(),
        };
        WindowAxis { axis: begins[axis.axis], taps, ..axis.clone() }
    });
    let moved = moved.collect();
    let parted = b.reshape(source, &split);
    Some(b.window(parted, moved, fill.value()))
}
