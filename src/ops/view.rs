//! Views: the index of an element changes, its value does not. Windows have a file of their own.

use super::{Grads, Value};
use crate::base::bug;
use crate::ir::{Dim, NodeId, Ty};
use crate::ops::Builder;

// ---- Permute

pub(super) fn infer_permute(perm: &[usize], x: &Ty) -> Result<Ty, String> {
    let mut sorted = perm.to_vec();
    sorted.sort_unstable();
    if !sorted.iter().copied().eq(0..x.rank()) {
        return Err("not a permutation of the axes".to_owned());
    }
    Ok(Ty::new(x.dtype, perm.iter().map(|&axis| x.dims[axis].clone())))
}

pub(super) fn eval_permute(perm: &[usize], x: &Value, dims: &[usize]) -> Value {
    let mut source = vec![0; perm.len()];
    Value::from_fn(dims, |index| {
        for (at, &axis) in perm.iter().enumerate() {
            source[axis] = index[at];
        }
        x.at(&source)
    })
}

pub(super) fn grad_permute(b: &mut Builder, perm: &[usize], dy: NodeId) -> NodeId {
    let inverse = inverse(perm);
    b.permute(dy, &inverse)
}

/// The permutation that undoes one.
pub(crate) fn inverse(perm: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; perm.len()];
    for (at, &axis) in perm.iter().enumerate() {
        inverse[axis] = at;
    }
    inverse
}

// ---- Reshape

pub(super) fn infer_reshape(dims: &[Dim], x: &Ty) -> Result<Ty, String> {
    if Dim::product(dims) != Dim::product(&x.dims) {
        return Err("a reshape to another number of elements".to_owned());
    }
    Ok(Ty::new(x.dtype, dims.iter().cloned()))
}

pub(super) fn grad_reshape(b: &mut Builder, x: NodeId, dy: NodeId) -> NodeId {
    let dims = b.dims(x);
    b.reshape(dy, &dims)
}

// ---- Broadcast

pub(super) fn infer_broadcast(dims: &[Dim], axes: &[Option<usize>], x: &Ty) -> Result<Ty, String> {
    if dims.len() != axes.len() {
        return Err("sizes and axes of different number".to_owned());
    }
    if !axes.iter().flatten().copied().eq(0..x.rank()) {
        return Err("the argument's axes are not all there in order".to_owned());
    }
    if dims.iter().zip(axes).any(|(dim, axis)| axis.is_some_and(|axis| x.dims[axis] != *dim)) {
        return Err("an axis of the argument has another size in the result".to_owned());
    }
    Ok(Ty::new(x.dtype, dims.iter().cloned()))
}

pub(super) fn eval_broadcast(axes: &[Option<usize>], x: &Value, dims: &[usize]) -> Value {
    let mut source = vec![0; x.dims.len()];
    Value::from_fn(dims, |index| {
        for (at, axis) in axes.iter().enumerate() {
            if let Some(axis) = *axis {
                source[axis] = index[at];
            }
        }
        x.at(&source)
    })
}

pub(super) fn grad_broadcast(b: &mut Builder, axes: &[Option<usize>], dy: NodeId) -> NodeId {
    let new: Vec<usize> = (0..axes.len()).filter(|&at| axes[at].is_none()).collect();
    b.sum(dy, &new)
}

// ---- Concat

pub(super) fn infer_concat(axis: usize, parts: &[&Ty]) -> Result<Ty, String> {
    let Some((first, rest)) = parts.split_first() else { return Err("a concat of nothing".to_owned()) };
    if axis >= first.rank() {
        return Err("a concat along an axis that is not there".to_owned());
    }
    let mut ty = (*first).clone();
    for part in rest {
        let same = |at: usize| at == axis || part.dims[at] == first.dims[at];
        if part.dtype != first.dtype || part.rank() != first.rank() || !(0..first.rank()).all(same) {
            return Err("parts of a concat that do not fit".to_owned());
        }
        ty.dims[axis] = ty.dims[axis].add(&part.dims[axis]).map_err(|_| "a size that overflows")?;
    }
    Ok(ty)
}

pub(super) fn eval_concat(axis: usize, parts: &[&Value], dims: &[usize]) -> Value {
    let mut index_in = Vec::new();
    Value::from_fn(dims, |index| {
        index_in.clear();
        index_in.extend_from_slice(index);
        for part in parts {
            if index_in[axis] < part.dims[axis] {
                return part.at(&index_in);
            }
            index_in[axis] -= part.dims[axis];
        }
        bug!("a concat longer than its parts")
    })
}

pub(super) fn grad_concat(b: &mut Builder, axis: usize, parts: &[NodeId], dy: NodeId, wanted: &[bool]) -> Grads {
    let mut start = Dim::ZERO;
    let mut grads = Grads::new();
    for (&part, &wanted) in parts.iter().zip(wanted) {
        let len = b.ty(part).dims[axis].clone();
        grads.push(wanted.then(|| b.slice(dy, axis, start.clone(), len.clone())));
        start = start.add(&len).unwrap_or_else(|_| bug!("the size of a concat overflows"));
    }
    grads
}
