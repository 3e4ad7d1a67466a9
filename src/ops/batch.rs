//! An operation on many values at once.
//!
//! In: an operation, and arguments some of which are stacked along a new first axis. Out: its results, stacked
//! likewise; none where no operation does that in one piece. What a loop does to each row can so be done to all of
//! them outside of it.

use super::{Op, Taps, WindowAxis};
use crate::ir::{Dim, NodeId};
use crate::ops::Builder;

/// A value of a body, outside of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Batched {
    /// The same for all.
    One(NodeId),
    /// Stacked along a first axis.
    Many(NodeId),
}

impl Batched {
    /// The node, stacked or not.
    pub fn node(self) -> NodeId {
        match self {
            Batched::One(node) | Batched::Many(node) => node,
        }
    }

    /// Stacked, by repetition where it is one for all.
    pub fn spread(self, b: &mut Builder, count: &Dim) -> NodeId {
        match self {
            Batched::Many(node) => node,
            Batched::One(node) => {
                let dims: Vec<Dim> = [count.clone()].into_iter().chain(b.dims(node)).collect();
                let own: Vec<usize> = (1..dims.len()).collect();
                b.place(node, &dims, &own)
            }
        }
    }
}

/// Does an operation for `count` values at once.
pub fn batch(b: &mut Builder, op: &Op, args: &[Batched], count: &Dim) -> Option<Batched> {
    let is_many = |arg: &Batched| matches!(arg, Batched::Many(_));
    if !args.iter().any(is_many) {
        let args: Vec<NodeId> = args.iter().map(|arg| arg.node()).collect();
        return Some(Batched::One(b.node(op.clone(), &args)));
    }
    let behind = |axes: &[usize]| -> Vec<usize> { axes.iter().map(|axis| axis + 1).collect() };
    let first = |dims: &[Dim]| -> Vec<Dim> { [count].into_iter().chain(dims).cloned().collect() };
    let stacked = match op {
        Op::Contract { a, b: other, out } => return contract(b, [a, other], out, args).map(Batched::Many),
        Op::Take(axis) => return take(b, *axis, args).map(Batched::Many),
        Op::ScatterAdd(axis, n) => match args {
            [Batched::One(index), Batched::Many(update)] => {
                return Some(Batched::Many(b.scatter_add(axis + 1, n.clone(), *index, *update)));
            }
            _ => return None,
        },
        Op::Map(_) | Op::StopGradient | Op::Remat => op.clone(),
        Op::Permute(perm) => Op::Permute([0].into_iter().chain(behind(perm)).collect()),
        Op::Reshape(dims) => Op::Reshape(first(dims)),
        Op::Broadcast { dims, axes } => {
            let axes = axes.iter().map(|axis| axis.map(|axis| axis + 1));
            Op::Broadcast { dims: first(dims), axes: [Some(0)].into_iter().chain(axes).collect() }
        }
        Op::Window { axes, fill } => Op::Window { axes: axes.iter().map(window_behind).collect(), fill: *fill },
        Op::Concat(axis) => Op::Concat(axis + 1),
        Op::Reduce(reduce, axes) => Op::Reduce(*reduce, behind(axes)),
        Op::ArgReduce(arg, axes) => Op::ArgReduce(*arg, behind(axes)),
        Op::Order { axis, descending, count } => {
            Op::Order { axis: axis + 1, descending: *descending, count: count.clone() }
        }
        Op::LogSumExp(axis) => Op::LogSumExp(axis + 1),
        Op::Variance(axes) => Op::Variance(behind(axes)),
        &Op::Prefix { op, axis, reversed, exclusive } => Op::Prefix { op, axis: axis + 1, reversed, exclusive },
        Op::Pick(axis) => Op::Pick(axis + 1),
        Op::Input(_) | Op::Param(_) | Op::State(_) | Op::Const(_) | Op::Scalar(_) | Op::Iota(_) => return None,
        Op::Random { .. } | Op::Scan(..) | Op::Attention(..) | Op::AttentionGrad(..) => return None,
        // What a derivative is taken by is one of them.
        Op::Variable(_) | Op::Derivative | Op::WithGradient | Op::Incoming { .. } => return None,
    };
    let args: Vec<NodeId> = args.iter().map(|arg| arg.spread(b, count)).collect();
    Some(Batched::Many(b.node(stacked, &args)))
}

fn window_behind(axis: &WindowAxis) -> WindowAxis {
    let taps = match &axis.taps {
        Taps::Shared(other) => Taps::Shared(other + 1),
        taps => taps.clone(),
    };
    WindowAxis { axis: axis.axis + 1, taps, ..axis.clone() }
}

/// The stacking axis is one more of the batch, or of the side that has it.
fn contract(b: &mut Builder, labels: [&Vec<u8>; 2], out: &[u8], args: &[Batched]) -> Option<NodeId> {
    let new = labels.iter().flat_map(|side| side.iter()).max().map_or(0, |most| most + 1);
    if new >= super::MAX_LABELS {
        return None;
    }
    let side = |at: usize| -> (NodeId, Vec<u8>) {
        match args[at] {
            Batched::Many(node) => (node, [new].iter().chain(labels[at]).copied().collect()),
            Batched::One(node) => (node, labels[at].clone()),
        }
    };
    let (x, y) = (side(0), side(1));
    let out: Vec<u8> = [new].iter().chain(out).copied().collect();
    Some(b.contract((x.0, &x.1), (y.0, &y.1), &out))
}

fn take(b: &mut Builder, axis: usize, args: &[Batched]) -> Option<NodeId> {
    match args {
        [Batched::Many(table), Batched::One(index)] => Some(b.take(*table, axis + 1, *index)),
        [Batched::One(table), Batched::Many(index)] => {
            // The axes of the index stand where `axis` was; the first of them is to come first.
            let taken = b.take(*table, axis, *index);
            let rank = b.rank(taken);
            let perm: Vec<usize> = [axis].into_iter().chain((0..rank).filter(|&other| other != axis)).collect();
            Some(b.permute(taken, &perm))
        }
        _ => None,
    }
}
