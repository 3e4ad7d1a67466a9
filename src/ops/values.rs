//! The values of a graph's nodes, one after the other, by the reference of each operation.
//!
//! In: a graph, the values before a node. Out: its value. A derivative is no function of its two arguments: it is
//! computed by differences of the graph between them, so that what the rules of gradients say has something to agree
//! with.

use super::{Env, Op, Value, eval};
use crate::base::bug;
use crate::ir::{Graph, NodeId, SizeOverflow, Ty};

/// How far a value moves for a derivative. With five points the error is of the fourth power of it, and the rounding
/// of f64 over it, about as small; a derivative of a derivative still has nine digits.
const STEP: f64 = 1e-3;

/// The value of a node of these sizes, given those of its arguments; of a derivative, given all before it.
pub fn value_of(
    graph: &Graph,
    id: NodeId,
    values: &[Option<Value>],
    dims: Vec<usize>,
    env: &Env<'_>,
) -> Result<Value, SizeOverflow> {
    let node = graph.node(id);
    if node.op == Op::Derivative {
        return derivative(graph, (node.args[0], node.args[1]), values, env);
    }
    let args: Vec<&Value> = node.args.iter().filter_map(|arg| values[arg.index()].as_ref()).collect();
    eval(&node.op, &args, &dims, env)
}

/// The sizes of a type.
pub(super) fn bound(ty: &Ty, env: &Env<'_>) -> Result<Vec<usize>, SizeOverflow> {
    ty.dims.iter().map(|dim| Ok(dim.eval(env.sizes)?.max(0) as usize)).collect()
}

/// The derivative of `y` by `x`, by central differences of five points, one element after the other. What stands
/// behind `StopGradient` does not move.
fn derivative(
    graph: &Graph,
    (y, x): (NodeId, NodeId),
    values: &[Option<Value>],
    env: &Env<'_>,
) -> Result<Value, SizeOverflow> {
    let mut moves = vec![false; y.index().max(x.index()) + 1];
    moves[x.index()] = true;
    for at in x.index() + 1..=y.index() {
        let node = &graph.nodes[at];
        moves[at] = node.op != Op::StopGradient && node.args.iter().any(|arg| moves[arg.index()]);
    }
    let mut moved = values.to_vec();
    let there = values[x.index()].clone().unwrap_or_else(|| bug!("a derivative by a value that is not there"));
    let mut result = Value::full(&there.dims, 0.0);
    if !moves[y.index()] {
        return Ok(result);
    }
    for element in 0..there.data.len() {
        let mut at_distance = |distance: f64| -> Result<f64, SizeOverflow> {
            let mut here = there.clone();
            here.data[element] += distance;
            moved[x.index()] = Some(here);
            for at in x.index() + 1..=y.index() {
                if moves[at] {
                    moved[at] =
                        Some(value_of(graph, NodeId(at as u32), &moved, bound(&graph.nodes[at].ty, env)?, env)?);
                }
            }
            Ok(moved[y.index()].as_ref().map_or(f64::NAN, |value| value.data[0]))
        };
        let near = at_distance(STEP)? - at_distance(-STEP)?;
        let far = at_distance(2.0 * STEP)? - at_distance(-2.0 * STEP)?;
        result.data[element] = (8.0 * near - far) / (12.0 * STEP);
    }
    Ok(result)
}
