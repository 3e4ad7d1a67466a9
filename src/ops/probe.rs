//! Arguments at which finite differences judge a gradient: away from kinks, jumps and poles.

use super::{MapOp, Op, ReduceOp, Value};
use crate::base::philox::{permutation, philox, uniform};
use crate::ir::DType;

/// Values for each argument of an operation, given their dtypes and sizes. Other seeds give other values.
/// An index is in range, so `ScatterAdd` must have a known size.
pub fn probes(op: &Op, args: &[(DType, Vec<usize>)], seed: u32) -> Vec<Value> {
    let mut values: Vec<Value> = Vec::new();
    for (at, (dtype, dims)) in args.iter().enumerate() {
        let n: usize = dims.iter().product();
        let data: Vec<f64> = (0..n)
            .map(|element| {
                let word = philox([element as u32, at as u32, seed, 0], [0x7072_6f62, 0x6573])[0];
                let u = f64::from(uniform(word));
                match dtype {
                    DType::Bool => f64::from(u8::from(u < 0.5)),
                    DType::I32 | DType::I64 => (u * index_bound(op, args) as f64).floor(),
                    DType::F32 | DType::F64 => real(op, at, element, u, values.first()),
                }
            })
            .collect();
        values.push(Value::new(dims.clone(), data));
    }
    if ranks_elements(op)
        && let [value] = &mut values[..]
    {
        // Elements of a row are a tenth apart, so that a small step changes no order.
        let n = value.data.len();
        let order = permutation(n, [seed, 0], [0, 0]);
        value.data = order.iter().map(|&place| 0.1 * f64::from(place) - 0.05 * n as f64).collect();
    }
    values
}

fn real(op: &Op, at: usize, element: usize, u: f64, first: Option<&Value>) -> f64 {
    let positive = 0.3 + 1.2 * u;
    let sign = if ((u * 4096.0) as u64).is_multiple_of(2) { 1.0 } else { -1.0 };
    let signed = sign * positive;
    match op {
        Op::Map(MapOp::Log | MapOp::Sqrt) => positive,
        Op::Map(MapOp::Pow) if at == 0 => positive,
        // Off the ties with the first argument.
        Op::Map(MapOp::Min | MapOp::Max | MapOp::Cmp(_)) if at == 1 => {
            first.map_or(signed, |first| first.data[element % first.data.len().max(1)] + sign * (0.1 + 0.5 * u))
        }
        // Between a tenth and four tenths above a whole number: no jump of either is near.
        Op::Map(MapOp::Floor | MapOp::Round) => (6.0 * u).floor() - 3.0 + 0.1 + 0.3 * u,
        // With a zero in every row or so, where dividing fails.
        Op::Reduce(ReduceOp::Prod, _) | Op::Prefix { op: ReduceOp::Prod, .. } if element % 5 == 2 => 0.0,
        _ => signed,
    }
}

fn index_bound(op: &Op, args: &[(DType, Vec<usize>)]) -> usize {
    match op {
        Op::Take(axis) | Op::Pick(axis) => args[0].1[*axis],
        Op::ScatterAdd(_, n) => n.as_const().unwrap_or(1) as usize,
        _ => 5,
    }
}

fn ranks_elements(op: &Op) -> bool {
    matches!(
        op,
        Op::Reduce(ReduceOp::Max | ReduceOp::Min, _)
            | Op::Prefix { op: ReduceOp::Max | ReduceOp::Min, .. }
            | Op::ArgReduce(..)
            | Op::Order { .. }
    )
}
