//! Products in less precision: what is multiplied and summed up is rounded to bfloat16 before.
//!
//! In: a graph with its gradients. Out: the same, but that what contractions, convolutions and attentions read is rounded
//! to 8 significant bits, in loops as well; products of two such numbers are exact in f32, and they are summed
//! up in f32. Weights, their updates, sums, means, norms and losses stay as they are. It is what a matrix unit for bfloat16
//! computes, here by numbers of f32: of the precision, not of the speed.
//!
//! A value is rounded where it is made, behind the views through which it is read: a convolution stays one, and what is
//! read twice is rounded once.

use rustc_hash::FxHashMap;

use crate::ir::{DType, Graph, NodeId};
use crate::ops::rewrite::{in_bodies, rebuild};
use crate::ops::{Builder, MapOp, Op};

/// Rounds what products read.
pub fn products_in_bf16(graph: &Graph) -> Graph {
    let mut rounded: FxHashMap<NodeId, NodeId> = FxHashMap::default();
    rebuild(&in_bodies(graph, products_in_bf16), |b, site| {
        let node = site.old.node(site.id);
        let factors = match node.op {
            Op::Contract { .. } => 2,
            // Queries, keys and values; not what the score reads beside them, nor the results.
            Op::Attention(..) | Op::AttentionGrad(..) => 3,
            _ => return None,
        };
        let mut args = site.args.to_vec();
        let upstream = matches!(node.op, Op::AttentionGrad(..)).then_some(args.len() - 1);
        for at in (0..factors).chain(upstream) {
            args[at] = behind_views(b, args[at], &mut rounded);
        }
        Some(b.node(node.op.clone(), &args))
    })
}

/// A value rounded, views of it being views of what is rounded.
fn behind_views(b: &mut Builder, id: NodeId, rounded: &mut FxHashMap<NodeId, NodeId>) -> NodeId {
    if let Some(&known) = rounded.get(&id) {
        return known;
    }
    let node = b.graph.node(id).clone();
    let is_exact = |id: NodeId| matches!(b.graph.node(id).op, Op::Map(MapOp::Bf16)) || holds_truths(b, id);
    let made = match node.op {
        _ if is_exact(id) => id,
        Op::Permute(_) | Op::Reshape(_) | Op::Broadcast { .. } | Op::Window { .. } | Op::StopGradient | Op::Remat => {
            let source = behind_views(b, node.args[0], rounded);
            b.push(node.op, &[source], node.origin)
        }
        _ => b.push(Op::Map(MapOp::Bf16), &[id], node.origin),
    };
    rounded.insert(id, made);
    made
}

/// Whether a value is made of truths: 0 and 1, which every precision holds.
fn holds_truths(b: &Builder, id: NodeId) -> bool {
    let node = b.graph.node(id);
    matches!(node.op, Op::Map(MapOp::Cast(DType::F32))) && b.ty(node.args[0]).dtype == DType::Bool
}
