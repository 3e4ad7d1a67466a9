//! What a graph costs in arithmetic, as papers count it: the multiply-adds of its sums of products.
//!
//! In: a node of a recognised graph. Out: how many floating-point operations its multiply-adds are, two each,
//! as a size. A matrix product and a convolution are contractions, and a depthwise convolution or a product with
//! a vector is a sum over elementwise products, so all of them count. Elementwise work, other reductions,
//! random numbers and moved data count nothing: they are bound by memory, not by arithmetic.

use smallvec::SmallVec;

use crate::ir::op::{MapOp, Op, ReduceOp};
use crate::ir::{Attention, AttentionArg, AttentionResult, Dim, Graph, Node, NodeId, SizeOverflow};

/// The floating-point operations of a node's multiply-adds; 0 for most.
pub fn flops(graph: &Graph, id: NodeId) -> Result<Dim, SizeOverflow> {
    let node = graph.node(id);
    let terms = match &node.op {
        // A term for each index over all labels: those of the result, and those summed.
        Op::Contract { a, b, .. } => {
            let own = |label: &u8| !a.contains(label);
            let left = a.iter().zip(&graph.ty(node.args[0]).dims);
            let right = b.iter().zip(&graph.ty(node.args[1]).dims).filter(|(label, _)| own(label));
            let dims: SmallVec<[&Dim; 8]> = left.chain(right).map(|(_, dim)| dim).collect();
            Dim::product(dims)?
        }
        Op::Reduce(ReduceOp::Sum, axes) if !axes.is_empty() && is_product(graph, node.args[0]) => {
            Dim::product(&graph.ty(node.args[0]).dims)?
        }
        Op::Input(_) | Op::Param(_) | Op::State(_) | Op::Const(_) | Op::Scalar(_) | Op::Iota(_) | Op::Random { .. } => {
            return Ok(Dim::ZERO);
        }
        Op::Map(_) | Op::Permute(_) | Op::Reshape(_) | Op::Broadcast { .. } | Op::Window { .. } | Op::Concat(_) => {
            return Ok(Dim::ZERO);
        }
        Op::Reduce(..)
        | Op::ArgReduce(..)
        | Op::Order { .. }
        | Op::LogSumExp(_)
        | Op::Variance(_)
        | Op::Prefix { .. } => {
            return Ok(Dim::ZERO);
        }
        Op::Attention(_, AttentionResult::LogSumExp) => return Ok(Dim::ZERO),
        // The products with the keys and with the values; the gradients make the first and `do·v` once, with that by q.
        Op::Attention(attention, AttentionResult::Mean) => {
            return attention_flops(graph, node, attention, [1, 1]);
        }
        Op::AttentionGrad(attention, AttentionArg::Query) => return attention_flops(graph, node, attention, [2, 1]),
        Op::AttentionGrad(attention, AttentionArg::Key) => return attention_flops(graph, node, attention, [1, 0]),
        Op::AttentionGrad(attention, AttentionArg::Value) => return attention_flops(graph, node, attention, [0, 1]),
        // The loop runs once, whatever is read of it: its first result counts.
        Op::Scan(..) if !is_first_result(graph, id) => return Ok(Dim::ZERO),
        Op::Scan(scan, _) => {
            let body = scan.body.ids().map(|id| flops(&scan.body, id));
            let once = body.collect::<Result<Vec<Dim>, _>>()?.iter().try_fold(Dim::ZERO, |sum, dim| sum.add(dim))?;
            return once.mul(&scan.count);
        }
        Op::Take(_) | Op::ScatterAdd(..) | Op::Pick(_) => return Ok(Dim::ZERO),
        Op::StopGradient | Op::Remat | Op::Variable(_) | Op::Derivative => return Ok(Dim::ZERO),
        Op::WithGradient | Op::Incoming { .. } => return Ok(Dim::ZERO),
    };
    terms.mul(&Dim::constant(2))
}

/// So many products over the axis of queries and keys, and over that of values.
fn attention_flops(
    graph: &Graph,
    node: &Node,
    attention: &Attention,
    [keys, values]: [i64; 2],
) -> Result<Dim, SizeOverflow> {
    let (q, v) = (&graph.ty(node.args[0]).dims, &graph.ty(node.args[2]).dims);
    let widths = q[q.len() - 1].mul(&Dim::constant(2 * keys))?.add(&v[v.len() - 1].mul(&Dim::constant(2 * values))?)?;
    let points = q[..q.len() - 2].iter().chain(&attention.score.inputs[0].ty.dims);
    Dim::product(points)?.mul(&widths)
}

/// Whether no earlier node is a result of the same loop.
fn is_first_result(graph: &Graph, id: NodeId) -> bool {
    let node = graph.node(id);
    let same = |other: &Node| match (&other.op, &node.op) {
        (Op::Scan(a, _), Op::Scan(b, _)) => a == b && other.args == node.args,
        _ => false,
    };
    !graph.nodes[..id.index()].iter().any(same)
}

/// Whether a value is an elementwise product, behind views that keep each of its elements once.
fn is_product(graph: &Graph, mut id: NodeId) -> bool {
    loop {
        let node = graph.node(id);
        match node.op {
            Op::Map(MapOp::Mul) => return true,
            Op::Permute(_) | Op::Reshape(_) => id = node.args[0],
            _ => return false,
        }
    }
}
