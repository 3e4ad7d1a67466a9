//! Windows: reading along axes by the relation `m·i = a·o + d·k + b`.

use super::{Env, Number, Taps, Value, WindowAxis};
use crate::base::bug;
use crate::ir::{Dim, Dims, NodeId, SizeOverflow, Ty};
use crate::ops::Builder;

pub(super) fn infer(axes: &[WindowAxis], fill: Number, x: &Ty) -> Result<Ty, String> {
    if axes.iter().any(|axis| axis.axis >= x.rank()) || axes.windows(2).any(|two| two[0].axis >= two[1].axis) {
        return Err("axes of a window that are not there or do not ascend".to_owned());
    }
    if axes.iter().any(|axis| axis.m == 0 || axis.a == 0 || (axis.taps == Taps::None && axis.d != 0)) {
        return Err("a relation that has no unique solution".to_owned());
    }
    let moves = |at: usize| axes.iter().any(|axis| axis.axis == at);
    if axes.iter().any(|axis| matches!(axis.taps, Taps::Shared(with) if with >= x.rank() || moves(with))) {
        return Err("taps along an axis that is not there or moves itself".to_owned());
    }
    if fill.dtype != x.dtype {
        return Err("a fill of another dtype".to_owned());
    }
    let mut dims = Dims::new();
    for (at, dim) in x.dims.iter().enumerate() {
        match axes.iter().find(|axis| axis.axis == at) {
            Some(axis) => {
                dims.push(axis.out.clone());
                if let Taps::New(taps) = &axis.taps {
                    dims.push(taps.clone());
                }
            }
            None => dims.push(dim.clone()),
        }
    }
    Ok(Ty { dtype: x.dtype, dims })
}

/// Where an axis of the argument is in the result; the new taps of an axis stand right behind it.
pub fn place_in_result(axes: &[WindowAxis], at: usize) -> usize {
    at + axes.iter().filter(|axis| axis.axis < at && matches!(axis.taps, Taps::New(_))).count()
}

/// Where the tap of an axis is in the result.
pub fn tap_in_result(axes: &[WindowAxis], axis: &WindowAxis) -> Option<usize> {
    match axis.taps {
        Taps::None => None,
        Taps::New(_) => Some(place_in_result(axes, axis.axis) + 1),
        Taps::Shared(with) => Some(place_in_result(axes, with)),
    }
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
        let mut inside = true;
        for (at, place) in source.iter_mut().enumerate() {
            let o = index[place_in_result(axes, at)] as i64;
            let i = match axes.iter().position(|axis| axis.axis == at) {
                Some(which) => {
                    let axis = &axes[which];
                    let k = tap_in_result(axes, axis).map_or(0, |tap| index[tap] as i64);
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

/// Element `i` is read by each `(o, k)` with `m·i = a·o + d·k + b`: for a known `k` by one `o` at most. So
/// the gradient asks for that `o` along the taps that are there, which is a window again, and sums over
/// those that the window made.
pub(super) fn grad(b: &mut Builder, axes: &[WindowAxis], x: NodeId, dy: NodeId) -> NodeId {
    let dims = b.dims(x);
    let back = axes.iter().map(|axis| WindowAxis {
        axis: place_in_result(axes, axis.axis),
        out: dims[axis.axis].clone(),
        taps: tap_in_result(axes, axis).map_or(Taps::None, Taps::Shared),
        // a·o = m·i - d·k - b
        m: axis.a,
        a: axis.m,
        d: -axis.d,
        b: Dim::ZERO.sub(&axis.b).unwrap_or_else(|_| bug!("the offset of a window's gradient overflows")),
    });
    let gathered = b.window(dy, back.collect(), 0.0);
    let made = |axis: &WindowAxis| matches!(axis.taps, Taps::New(_)).then(|| tap_in_result(axes, axis)).flatten();
    let taps: Vec<usize> = axes.iter().filter_map(made).collect();
    b.sum(gathered, &taps)
}
