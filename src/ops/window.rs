//! Windows: reading along axes by the relation `m·i = a·o + d·k + b`.

use super::{Env, Number, Value, WindowAxis};
use crate::base::bug;
use crate::ir::{Dim, Dims, NodeId, SizeOverflow, Ty};
use crate::ops::Builder;

pub(super) fn infer(axes: &[WindowAxis], fill: Number, x: &Ty) -> Result<Ty, String> {
    if axes.iter().any(|axis| axis.axis >= x.rank()) || axes.windows(2).any(|two| two[0].axis >= two[1].axis) {
        return Err("axes of a window that are not there or do not ascend".to_owned());
    }
    if axes.iter().any(|axis| axis.m == 0 || axis.a == 0 || (axis.taps.is_none() && axis.d != 0)) {
        return Err("a relation that has no unique solution".to_owned());
    }
    if fill.dtype != x.dtype {
        return Err("a fill of another dtype".to_owned());
    }
    let mut dims = Dims::new();
    for (at, dim) in x.dims.iter().enumerate() {
        match axes.iter().find(|axis| axis.axis == at) {
            Some(axis) => {
                dims.push(axis.out.clone());
                dims.extend(axis.taps.clone());
            }
            None => dims.push(dim.clone()),
        }
    }
    Ok(Ty { dtype: x.dtype, dims })
}

pub(super) fn eval(
    axes: &[WindowAxis],
    fill: Number,
    x: &Value,
    dims: &[usize],
    env: &Env<'_>,
) -> Result<Value, SizeOverflow> {
    let offsets = axes.iter().map(|axis| axis.b.eval(env.sizes)).collect::<Result<Vec<i64>, _>>()?;
    let mut source = vec![0; x.dims.len()];
    Ok(Value::from_fn(dims, |index| {
        let mut index = index.iter().map(|&at| at as i64);
        let mut next = || index.next().unwrap_or_else(|| bug!("a window with too few axes"));
        let mut inside = true;
        for (at, place) in source.iter_mut().enumerate() {
            let o = next();
            let i = match axes.iter().position(|axis| axis.axis == at) {
                Some(which) => {
                    let axis = &axes[which];
                    let k = if axis.taps.is_some() { next() } else { 0 };
                    let times_m = axis.a * o + axis.d * k + offsets[which];
                    if times_m % axis.m == 0 { times_m / axis.m } else { -1 }
                }
                None => o,
            };
            inside &= 0 <= i && (i as usize) < x.dims[at];
            *place = i as usize;
        }
        if inside { x.at(&source) } else { fill.value() }
    }))
}

/// Element `i` is read by each `(o, k)` with `m·i = a·o + d·k + b`: for a known `k` by one `o` at most,
/// so the gradient is a window again, that asks for `o`, and then a sum over `k`. See Note [Taps].
pub(super) fn grad(b: &mut Builder, axes: &[WindowAxis], x: NodeId, dy: NodeId) -> NodeId {
    let mut dims = b.dims(dy);
    // The place in the result of each window axis, and of its taps right behind.
    let place = |at: usize| at + axes.iter().filter(|axis| axis.axis < at && axis.taps.is_some()).count();

    // Taps of unknown number cannot be merged: a diagonal picks them instead.
    if let Some(axis) = axes.iter().find(|axis| axis.taps.as_ref().is_some_and(|taps| taps.as_const().is_none())) {
        return grad_by_diagonal(b, axis, axes, x, dy, place(axis.axis));
    }

    // Pad the taps to a number coprime to `a`.
    let mut paddings = Vec::new();
    for axis in axes {
        let Some(taps) = axis.taps.as_ref().and_then(Dim::as_const) else { continue };
        let padded = (taps.max(1)..).find(|&n| gcd(n, axis.a) == 1).unwrap_or(taps);
        if padded != taps {
            let at = place(axis.axis) + 1;
            paddings.push(WindowAxis::shift(at, Dim::constant(padded), Dim::ZERO));
            dims[at] = Dim::constant(padded);
        }
    }
    let dy = if paddings.is_empty() { dy } else { b.window(dy, paddings, 0.0) };

    // Merge (o, k) to f = o·n + k.
    let mut merged = Dims::new();
    let mut back = Vec::new();
    let mut tap_axes = Vec::new();
    for (at, dim) in b.dims(x).iter().enumerate() {
        let o = place(at);
        let Some(axis) = axes.iter().find(|axis| axis.axis == at) else {
            merged.push(dims[o].clone());
            continue;
        };
        let n = match &axis.taps {
            Some(taps) => {
                tap_axes.push(o + 1);
                merged.push(size(dims[o].mul(&dims[o + 1])));
                (dims[o + 1].as_const().unwrap_or_else(|| bug!("taps of unknown number")), Some(taps.clone()))
            }
            None => {
                merged.push(dims[o].clone());
                (1, None)
            }
        };
        // a·o = m·i - d·k - b, times n, plus a·k: a·f = n·m·i + (a - n·d)·k - n·b
        let (n, taps) = n;
        back.push(WindowAxis {
            axis: at,
            out: dim.clone(),
            d: if taps.is_some() { axis.a - n * axis.d } else { 0 },
            taps,
            m: axis.a,
            a: n * axis.m,
            b: size(axis.b.mul(&Dim::constant(-n))),
        });
    }
    let flat = b.reshape(dy, &merged);
    let gathered = b.window(flat, back, 0.0);
    b.sum(gathered, &tap_axes)
}

/// The gradient by one axis whose taps have no known number, and then by the others: gathers every
/// `(k', k)` and keeps `k' = k`.
fn grad_by_diagonal(
    b: &mut Builder,
    axis: &WindowAxis,
    axes: &[WindowAxis],
    x: NodeId,
    dy: NodeId,
    at: usize,
) -> NodeId {
    let taps = axis.taps.clone().unwrap_or_else(|| bug!("an axis without taps"));
    // [.., o, k, ..] to [.., i, k', k, ..]
    let back = WindowAxis {
        axis: at,
        out: b.ty(x).dims[axis.axis].clone(),
        taps: Some(taps.clone()),
        m: axis.a,
        a: axis.m,
        d: -axis.d,
        b: size(axis.b.mul(&Dim::constant(-1))),
    };
    let gathered = b.window(dy, vec![back], 0.0);
    let dims = b.dims(gathered);
    let asked = b.positions(&dims, at + 1);
    let given = b.positions(&dims, at + 2);
    let diagonal = b.cmp(super::Cmp::Eq, asked, given);
    let zero = b.zeros_like(gathered);
    let kept = b.select(diagonal, gathered, zero);
    let dy = b.sum(kept, &[at + 1, at + 2]);
    let rest: Vec<WindowAxis> = axes.iter().filter(|other| other.axis != axis.axis).cloned().collect();
    if rest.is_empty() { dy } else { grad(b, &rest, x, dy) }
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

fn size(dim: Result<Dim, SizeOverflow>) -> Dim {
    dim.unwrap_or_else(|_| bug!("a size of a window's gradient overflows"))
}

// Note [Taps]
//
// The gradient at `i` sums dy[o, k] over k with a·o = m·i - d·k - b. A window can ask for the `o` of an
// (i, k), but dy has an axis `k` of its own, which must be read at the same k. So (o, k) become one axis
// f = o·n + k, where n is the number of taps, and one relation asks for f directly:
//
//     a·f = n·(a·o) + a·k = n·m·i + (a - n·d)·k - n·b
//
// It has the same solutions if `a` and `n` share no factor: a·f = n·r + a·k with r = m·i - d·k - b has a
// whole f just when a divides n·r, which is when a divides r, which is when o is whole; and f is in
// 0..n·|o| just when o is in its range, since 0 <= k < n. Where they share one (stride 2, 2 taps) the taps
// are padded with zeros to the next number that does not. The sum runs over the true taps alone.
