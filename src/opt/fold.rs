//! What is known when the program is compiled.

use crate::ir::{Builder, DType, HostOp, NodeId};
use crate::ops::{Number, Op, eval_map};

/// The value of an operation on constants, and of a host value that is one.
pub(super) fn constant(b: &mut Builder, op: &Op, args: &[NodeId]) -> Option<NodeId> {
    match op {
        Op::Map(map) => {
            let number = |id: &NodeId| match b.graph.node(*id).op {
                Op::Const(number) => Some(number),
                _ => None,
            };
            let numbers: Vec<Number> = args.iter().map(number).collect::<Option<_>>()?;
            let values: Vec<f64> = numbers.iter().map(|number| number.value()).collect();
            let value = eval_map(*map, &values);
            let dtype = if map.arity() == 3 { numbers[1].dtype } else { result_dtype(*map) };
            // A number that only f64 holds would be ±∞ or 0 had it been computed.
            let fits = dtype != DType::F32 || !value.is_finite() || value == 0.0 || (value as f32).is_normal();
            fits.then(|| b.constant(Number::new(dtype, value)))
        }
        Op::Scalar(id) => match b.graph.host.ops[id.0 as usize] {
            HostOp::Const(value) => Some(b.f32(value)),
            HostOp::Size(ref dim) => {
                let size = dim.as_const()?;
                Some(b.f32(size as f64))
            }
            _ => None,
        },
        _ => None,
    }
}

fn result_dtype(map: crate::ops::MapOp) -> DType {
    use crate::ops::MapOp::{And, Cast, Cmp, Not, Or};
    match map {
        Cmp(_) | And | Or | Not => DType::Bool,
        Cast(to) => to,
        _ => DType::F32,
    }
}
