//! What is known before the step: constants when the program is compiled, scalars of the host when it
//! runs.

use crate::ir::host::{HostBinary, HostUnary};
use crate::ir::{DType, HostId, HostOp, NodeId};
use crate::ops::Builder;
use crate::ops::{MapOp, Number, Op, eval_map};

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
            let dtype = match map {
                MapOp::Cmp(_) | MapOp::And | MapOp::Or | MapOp::Not => DType::Bool,
                MapOp::Cast(to) => *to,
                MapOp::Select => numbers[1].dtype,
                _ => numbers[0].dtype,
            };
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

/// f(host scalar) = host scalar: what depends on nothing but host values is computed there, once a step.
pub(super) fn on_host(b: &mut Builder, op: &Op, args: &[NodeId]) -> Option<NodeId> {
    let Op::Map(map) = op else { return None };
    let function = function(*map)?;
    let is_scalar = |id: &NodeId| matches!(b.graph.node(*id).op, Op::Scalar(_));
    let is_known = |id: &NodeId| is_scalar(id) || matches!(b.graph.node(*id).op, Op::Const(_));
    if !args.iter().any(is_scalar) || !args.iter().all(is_known) {
        return None;
    }
    let mut operand = |at: usize| -> HostId {
        match b.graph.node(args[at]).op {
            Op::Scalar(id) => id,
            Op::Const(number) => b.graph.host.push(HostOp::Const(number.value())),
            _ => crate::base::bug!("an operand of the host that it does not know"),
        }
    };
    let op = match function {
        Function::Unary(unary) => HostOp::Unary(unary, operand(0)),
        Function::Binary(binary) => HostOp::Binary(binary, operand(0), operand(1)),
    };
    let id = b.graph.host.push(op);
    Some(b.scalar(id))
}

enum Function {
    Unary(HostUnary),
    Binary(HostBinary),
}

/// The function of the host that is an elementwise one of f32.
fn function(map: MapOp) -> Option<Function> {
    use Function::{Binary, Unary};
    Some(match map {
        MapOp::Add => Binary(HostBinary::Add),
        MapOp::Sub => Binary(HostBinary::Sub),
        MapOp::Mul => Binary(HostBinary::Mul),
        MapOp::Div => Binary(HostBinary::Div),
        MapOp::Pow => Binary(HostBinary::Pow),
        MapOp::Min => Binary(HostBinary::Min),
        MapOp::Max => Binary(HostBinary::Max),
        MapOp::Neg => Unary(HostUnary::Neg),
        MapOp::Abs => Unary(HostUnary::Abs),
        MapOp::Sqrt => Unary(HostUnary::Sqrt),
        MapOp::Exp => Unary(HostUnary::Exp),
        MapOp::Log => Unary(HostUnary::Log),
        MapOp::Tanh => Unary(HostUnary::Tanh),
        MapOp::Erf => Unary(HostUnary::Erf),
        MapOp::Sin => Unary(HostUnary::Sin),
        MapOp::Cos => Unary(HostUnary::Cos),
        MapOp::Floor => Unary(HostUnary::Floor),
        MapOp::Round => Unary(HostUnary::Round),
        MapOp::Bf16 => Unary(HostUnary::Bf16),
        MapOp::F16 => Unary(HostUnary::F16),
        MapOp::Cmp(_) | MapOp::And | MapOp::Or | MapOp::Not | MapOp::Select | MapOp::Cast(_) => {
            return None;
        }
    })
}
