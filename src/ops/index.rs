//! Data-dependent indices.

use super::{Cmp, Grads, Value, for_each_index};
use crate::ir::{DType, Dim, Dims, NodeId, Ty};
use crate::ops::Builder;

// ---- Take

pub(super) fn infer_take(axis: usize, table: &Ty, index: &Ty) -> Result<Ty, String> {
    if axis >= table.rank() || index.dtype != DType::I32 {
        return Err("a take along an axis that is not there, or not by i32".to_owned());
    }
    let dims = table.dims[..axis].iter().chain(&index.dims).chain(&table.dims[axis + 1..]);
    Ok(Ty::new(table.dtype, dims.cloned()))
}

pub(super) fn eval_take(axis: usize, table: &Value, index: &Value, dims: &[usize]) -> Value {
    let rank = index.dims.len();
    Value::from_fn(dims, |at| {
        let row = index.at(&at[axis..axis + rank]);
        let full: Vec<usize> =
            at[..axis].iter().copied().chain([row as usize]).chain(at[axis + rank..].iter().copied()).collect();
        if in_range(row, table.dims[axis]) { table.at(&full) } else { f64::NAN }
    })
}

pub(super) fn grad_take(b: &mut Builder, axis: usize, args: &[NodeId], dy: NodeId, wanted: &[bool]) -> Grads {
    let n = b.ty(args[0]).dims[axis].clone();
    let table = wanted[0].then(|| b.scatter_add(axis, n, args[1], dy));
    Grads::from_iter([table, None])
}

// ---- ScatterAdd

pub(super) fn infer_scatter_add(axis: usize, n: &Dim, index: &Ty, update: &Ty) -> Result<Ty, String> {
    let fits = update.dims.get(axis..axis + index.rank()).is_some_and(|dims| *dims == index.dims[..]);
    if index.dtype != DType::I32 || !update.dtype.is_float() || !fits {
        return Err("an update that does not fit its index".to_owned());
    }
    let dims = update.dims[..axis].iter().chain([n]).chain(&update.dims[axis + index.rank()..]);
    Ok(Ty::new(update.dtype, dims.cloned()))
}

pub(super) fn eval_scatter_add(axis: usize, index: &Value, update: &Value, dims: &[usize]) -> Value {
    let rank = index.dims.len();
    let mut result = Value::full(dims, 0.0);
    for_each_index(&update.dims, |at| {
        let row = index.at(&at[axis..axis + rank]);
        if in_range(row, dims[axis]) {
            let full: Vec<usize> =
                at[..axis].iter().copied().chain([row as usize]).chain(at[axis + rank..].iter().copied()).collect();
            let place = result.offset(&full);
            result.data[place] += update.at(at);
        }
    });
    result
}

pub(super) fn grad_scatter_add(b: &mut Builder, axis: usize, args: &[NodeId], dy: NodeId, wanted: &[bool]) -> Grads {
    let update = wanted[1].then(|| b.take(dy, axis, args[0]));
    Grads::from_iter([None, update])
}

// ---- Pick

pub(super) fn infer_pick(axis: usize, x: &Ty, index: &Ty) -> Result<Ty, String> {
    if axis >= x.rank() || index.dtype != DType::I32 {
        return Err("a pick along an axis that is not there, or not by i32".to_owned());
    }
    let mut dims: Dims = x.dims.clone();
    dims.remove(axis);
    if index.dims != dims {
        return Err("an index that has not the other axes".to_owned());
    }
    Ok(Ty { dtype: x.dtype, dims })
}

pub(super) fn eval_pick(axis: usize, x: &Value, index: &Value, dims: &[usize]) -> Value {
    Value::from_fn(dims, |at| {
        let place = index.at(at);
        let mut full = at.to_vec();
        full.insert(axis, place as usize);
        if in_range(place, x.dims[axis]) { x.at(&full) } else { f64::NAN }
    })
}

/// The gradient stands where the index says, a mask instead of a scatter.
pub(super) fn grad_pick(b: &mut Builder, axis: usize, args: &[NodeId], dy: NodeId, wanted: &[bool]) -> Grads {
    let x = wanted[0].then(|| {
        let dims = b.dims(args[0]);
        let chosen = b.expand(args[1], &dims, &[axis]);
        let here = b.positions(&dims, axis);
        let mask = b.cmp(Cmp::Eq, here, chosen);
        let spread = b.expand(dy, &dims, &[axis]);
        let zero = b.zeros_like(spread);
        b.select(mask, spread, zero)
    });
    Grads::from_iter([x, None])
}

/// Outside of its range an index leaves the element unspecified; the reference shows it as NaN.
fn in_range(index: f64, size: usize) -> bool {
    0.0 <= index && index < size as f64
}
