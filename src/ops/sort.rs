//! Orders: which element of a row comes at each place when the row is sorted. Values are gathered by it, so their
//! gradient is that of the gather.

use super::{Cmp, MapOp, ReduceOp, Value};
use crate::ir::{DType, Dim, NodeId, Ty};
use crate::ops::Builder;

/// `Op::Order`, as a value.
#[derive(Clone)]
pub struct Order {
    /// Along which axis.
    pub axis: usize,
    /// From the largest on.
    pub descending: bool,
    /// How many places.
    pub count: Dim,
}

pub(super) fn infer(order: &Order, x: &Ty) -> Result<Ty, String> {
    if order.axis >= x.rank() || !x.dtype.is_float() {
        return Err("an order along an axis that is not there, or of no floats".to_owned());
    }
    let mut dims = x.dims.clone();
    dims[order.axis] = order.count.clone();
    Ok(Ty { dtype: DType::I32, dims })
}

/// The first of equal elements comes first either way; NaN is larger than all.
pub(super) fn eval(order: &Order, x: &Value, dims: &[usize]) -> Value {
    let mut result = Value::full(dims, 0.0);
    let mut rows: Vec<usize> = dims.to_vec();
    rows[order.axis] = 1;
    super::for_each_index(&rows, |at| {
        let mut full = at.to_vec();
        let mut element = |place: usize| {
            full[order.axis] = place;
            x.at(&full)
        };
        let row: Vec<f64> = (0..x.dims[order.axis]).map(&mut element).collect();
        let mut places: Vec<usize> = (0..row.len()).collect();
        places.sort_by(|&a, &b| {
            let (a, b) = if order.descending { (b, a) } else { (a, b) };
            row[a].is_nan().cmp(&row[b].is_nan()).then(row[a].partial_cmp(&row[b]).unwrap_or(std::cmp::Ordering::Equal))
        });
        let mut full = at.to_vec();
        for (place, &from) in places.iter().take(dims[order.axis]).enumerate() {
            full[order.axis] = place;
            let offset = result.offset(&full);
            result.data[offset] = from as f64;
        }
    });
    result
}

/// An order in other operations. The rank of an element is how many come before it, and at a place stands the one
/// whose rank it is: both are sums over a square that is never in memory.
pub fn order_by_definition(b: &mut Builder, order: &Order, x: NodeId) -> NodeId {
    let axis = order.axis;
    let dims = b.dims(x).to_vec();
    // [.., i, j, ..]: whether j comes before i.
    let mut square = dims.clone();
    square.insert(axis, dims[axis].clone());
    let (mine, other) = (b.expand(x, &square, &[axis + 1]), b.expand(x, &square, &[axis]));
    let (low, high) = if order.descending { (mine, other) } else { (other, mine) };
    let below = b.cmp(Cmp::Lt, low, high);
    let (low_is_nan, high_is_nan) = (b.cmp(Cmp::Ne, low, low), b.cmp(Cmp::Ne, high, high));
    let low_is_number = b.map(MapOp::Not, &[low_is_nan]);
    let below_nan = b.map(MapOp::And, &[high_is_nan, low_is_number]);
    let ahead = b.map(MapOp::Or, &[below, below_nan]);
    let equal = b.cmp(Cmp::Eq, mine, other);
    let both_nan = b.map(MapOp::And, &[low_is_nan, high_is_nan]);
    let equal = b.map(MapOp::Or, &[equal, both_nan]);
    let (i, j) = (b.positions(&square, axis), b.positions(&square, axis + 1));
    let earlier = b.cmp(Cmp::Lt, j, i);
    let tied = b.map(MapOp::And, &[equal, earlier]);
    let before = b.map(MapOp::Or, &[ahead, tied]);
    let before = b.cast(before, DType::F32);
    let rank = b.reduce(ReduceOp::Sum, before, &[axis + 1]);
    // [.., place, i, ..]: whether i is of the rank of the place.
    let mut places = dims.clone();
    places.insert(axis, order.count.clone());
    let rank = b.expand(rank, &places, &[axis]);
    let place = b.positions(&places, axis);
    let place = b.cast(place, DType::F32);
    let here = b.cmp(Cmp::Eq, rank, place);
    let element = b.positions(&places, axis + 1);
    let element = b.cast(element, DType::F32);
    let zero = b.zeros_like(element);
    let element = b.select(here, element, zero);
    let index = b.reduce(ReduceOp::Sum, element, &[axis + 1]);
    b.cast(index, DType::I32)
}
