//! The same computation under other sizes: an axis of a batch becomes that of one row.
//!
//! In: an operation or a graph, and what some symbolic sizes are replaced by. Out: the same with every size it names
//! replaced, in the bodies of loops and the scores of attentions as well. What is computed is not looked at.

use std::sync::Arc;

use super::{Builder, Op, Taps, WindowAxis};
use crate::base::bug;
use crate::ir::{Attention, Dim, Graph, HostId, HostOp, HostProgram, Input, NodeId, Output, Scan, SizeId, Ty};

/// What a size is replaced by; none keeps it.
pub type NewSizes<'a> = &'a dyn Fn(SizeId) -> Option<Dim>;

/// A size with others for the symbols in it.
pub fn resized_dim(dim: &Dim, new: NewSizes<'_>) -> Dim {
    dim.substitute(new).unwrap_or_else(|_| bug!("{dim:?} overflows under other sizes"))
}

/// Several sizes likewise.
pub fn resized_dims(dims: &[Dim], new: NewSizes<'_>) -> Vec<Dim> {
    dims.iter().map(|dim| resized_dim(dim, new)).collect()
}

/// An operation under other sizes. `hosts` is what the values of the host program are called by then.
pub fn resized(op: &Op, hosts: &[HostId], new: NewSizes<'_>) -> Op {
    match op {
        Op::Scalar(id) => Op::Scalar(hosts[id.0 as usize]),
        Op::Iota(n) => Op::Iota(resized_dim(n, new)),
        Op::Random { dist, site, dims } => Op::Random { dist: *dist, site: *site, dims: resized_dims(dims, new) },
        Op::Incoming { name, ty } => Op::Incoming { name: *name, ty: Ty::new(ty.dtype, resized_dims(&ty.dims, new)) },
        Op::Reshape(dims) => Op::Reshape(resized_dims(dims, new)),
        Op::Broadcast { dims, axes } => Op::Broadcast { dims: resized_dims(dims, new), axes: axes.clone() },
        Op::Window { axes, fill } => {
            Op::Window { axes: axes.iter().map(|axis| resized_window(axis, new)).collect(), fill: *fill }
        }
        Op::Order { axis, descending, count } => {
            Op::Order { axis: *axis, descending: *descending, count: resized_dim(count, new) }
        }
        Op::ScatterAdd(axis, n) => Op::ScatterAdd(*axis, resized_dim(n, new)),
        Op::Attention(attention, result) => Op::Attention(resized_attention(attention, new), *result),
        Op::AttentionGrad(attention, arg) => Op::AttentionGrad(resized_attention(attention, new), *arg),
        Op::Scan(scan, result) => {
            let count = resized_dim(&scan.count, new);
            let body = resized_graph(&scan.body, new);
            Op::Scan(Arc::new(Scan { count, body, ..Scan::clone(scan) }), *result)
        }
        Op::Input(_) | Op::Param(_) | Op::State(_) | Op::Const(_) => op.clone(),
        Op::Map(_) | Op::Permute(_) | Op::Concat(_) | Op::Contract { .. } | Op::Take(_) | Op::Pick(_) => op.clone(),
        Op::Reduce(..) | Op::ArgReduce(..) | Op::LogSumExp(_) | Op::Variance(_) | Op::Prefix { .. } => op.clone(),
        Op::StopGradient | Op::Remat | Op::Variable(_) | Op::Derivative | Op::WithGradient => op.clone(),
    }
}

/// Appends a host program under other sizes; tells what its values are called there.
pub fn resized_host(host: &mut HostProgram, program: &HostProgram, new: NewSizes<'_>) -> Vec<HostId> {
    host.append_with(program, |host, op| match op {
        HostOp::Size(dim) => Some(host.push(HostOp::Size(resized_dim(dim, new)))),
        _ => None,
    })
}

/// A graph of inputs alone under other sizes.
fn resized_graph(graph: &Graph, new: NewSizes<'_>) -> Graph {
    let ty = |ty: &Ty| Ty::new(ty.dtype, resized_dims(&ty.dims, new));
    let inputs = graph.inputs.iter().map(|input| Input {
        name: input.name.clone(),
        ty: ty(&input.ty),
        below: input.below.as_ref().map(|below| resized_dim(below, new)),
    });
    let mut b = Builder::new(Graph { inputs: inputs.collect(), sizes: graph.sizes.clone(), ..Graph::default() });
    let hosts = resized_host(&mut b.graph.host, &graph.host, new);
    let mut made: Vec<NodeId> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let args: Vec<NodeId> = node.args.iter().map(|arg| made[arg.index()]).collect();
        made.push(b.push(resized(&node.op, &hosts, new), &args, node.origin));
    }
    let output = |old: &Output| Output { role: old.role.clone(), node: made[old.node.index()] };
    b.graph.outputs = graph.outputs.iter().map(output).collect();
    b.finish()
}

fn resized_window(axis: &WindowAxis, new: NewSizes<'_>) -> WindowAxis {
    let taps = match &axis.taps {
        Taps::New(count) => Taps::New(resized_dim(count, new)),
        Taps::None | Taps::Shared(_) => axis.taps.clone(),
    };
    WindowAxis { out: resized_dim(&axis.out, new), b: resized_dim(&axis.b, new), taps, ..axis.clone() }
}

fn resized_attention(attention: &Attention, new: NewSizes<'_>) -> Arc<Attention> {
    Arc::new(Attention { score: resized_graph(&attention.score, new), each: attention.each.clone() })
}
