//! Contractions: an einsum of two operands.

use super::{Grads, Value, for_each_index};
use crate::ir::{Dim, NodeId, Ty};
use crate::ops::Builder;

/// How many labels there are: the letters of the text form.
pub const MAX_LABELS: u8 = 52;

pub(super) fn infer([a, b, out]: [&[u8]; 3], left: &Ty, right: &Ty) -> Result<Ty, String> {
    if !left.dtype.is_float() || right.dtype != left.dtype {
        return Err("a contraction of whole numbers, or of two dtypes".to_owned());
    }
    if a.len() != left.rank() || b.len() != right.rank() {
        return Err("labels and axes of different number".to_owned());
    }
    for labels in [a, b, out] {
        if labels.iter().enumerate().any(|(at, label)| *label >= MAX_LABELS || labels[..at].contains(label)) {
            return Err("a label that repeats or is no letter".to_owned());
        }
    }
    let size_in = |labels: &[u8], ty: &Ty, label: u8| -> Option<Dim> {
        labels.iter().position(|known| *known == label).map(|at| ty.dims[at].clone())
    };
    for &label in a.iter().chain(b) {
        match (size_in(a, left, label), size_in(b, right, label)) {
            (Some(x), Some(y)) if x != y => return Err("a label of two sizes".to_owned()),
            (Some(_), None) | (None, Some(_)) if !out.contains(&label) => {
                return Err("a label of one operand that is not in the result".to_owned());
            }
            _ => {}
        }
    }
    let mut dims = Vec::new();
    for &label in out {
        let size = size_in(a, left, label).or_else(|| size_in(b, right, label));
        dims.push(size.ok_or("a label of the result that is in no operand")?);
    }
    Ok(Ty::new(left.dtype, dims))
}

pub(super) fn eval([a, b, out]: [&[u8]; 3], left: &Value, right: &Value, dims: &[usize]) -> Value {
    let stride = |labels: &[u8], value: &Value, label: u8| {
        labels.iter().position(|known| *known == label).map_or(0, |at| value.strides()[at])
    };
    let summed: Vec<u8> = a.iter().copied().filter(|label| !out.contains(label)).collect();
    let sizes: Vec<usize> =
        summed.iter().map(|label| left.dims[a.iter().position(|x| x == label).unwrap_or(0)]).collect();
    let strides = |labels: &[u8]| -> Vec<[usize; 2]> {
        labels.iter().map(|&label| [stride(a, left, label), stride(b, right, label)]).collect()
    };
    let (outer, inner) = (strides(out), strides(&summed));
    let place = |index: &[usize], strides: &[[usize; 2]], operand: usize| -> usize {
        index.iter().zip(strides).map(|(at, stride)| at * stride[operand]).sum()
    };
    // The offsets of the summed elements are the same for every element of the result.
    let mut pairs = Vec::new();
    for_each_index(&sizes, |index| pairs.push((place(index, &inner, 0), place(index, &inner, 1))));
    Value::from_fn(dims, |index| {
        let (i, j) = (place(index, &outer, 0), place(index, &outer, 1));
        pairs.iter().map(|&(x, y)| left.data[i + x] * right.data[j + y]).sum()
    })
}

/// d(a·b) = da·b + a·db, each a contraction: the labels of the operand become those of the result.
pub(super) fn grad(
    b: &mut Builder,
    [a, other, out]: [&[u8]; 3],
    args: &[NodeId],
    dy: NodeId,
    wanted: &[bool],
) -> Grads {
    let left = wanted[0].then(|| b.contract((dy, out), (args[1], other), a));
    let right = wanted[1].then(|| b.contract((args[0], a), (dy, out), other));
    Grads::from_iter([left, right])
}
