//! Forward, gradients, clipping and update as one program.
//!
//! In: a training graph with its gradients, and the update graph, whose inputs after those of the data
//! are gradients. Out: one graph whose outputs are the loss, the new parameters and the new states. The
//! update's nodes are copied behind the gradients they read; its host program joins the other.
//!
//! A step of a run whose `update` blocks have losses of their own is several such programs, which run in
//! order on one store: each reads the parameters that the one before has left. They share no values, as
//! each differentiates another loss and computes it anew. So a program that runs every second step costs
//! nothing in the others, and one that runs twice is compiled once; the loop says when each runs.
//!
//! Gradients of several batches are summed up in states (`accumulate`). The update is then computed behind
//! each batch and taken behind the last: elementwise work, which is little beside the gradients.
//!
//! Where gradients are cut row by row (`by_rows`), the noise on their mean is added here, behind all that an update is
//! made of, and is less the more rows that are.

mod by_rows;

pub use by_rows::{RowGroup, gradients_by_rows};

use rustc_hash::FxHashMap;

use crate::base::fnv1a;
use crate::ir::{
    DType, Graph, HostBinary, HostId, HostOp, HostProgram, NodeId, Origin, Output, ParamId, Role, StateId,
};
use crate::ops::Builder;
use crate::ops::{Cmp, Dist, MapOp, Op};

/// What to do with large gradients before the update.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Clip {
    /// All gradients of a group together are scaled down to at most this length.
    Norm(f64),
    /// Each element is cut to at most this size.
    Value(f64),
    /// Those of each row have been cut to at most a length (`gradients_by_rows`); what a row may have added to a sum of
    /// gradients is hidden behind normal noise.
    Rows {
        /// The standard deviation of the noise on the sum over the rows.
        noise: f64,
    },
}

/// Gradients of several batches make one update.
#[derive(Clone, PartialEq, Debug)]
pub struct Accumulate {
    /// Of how many.
    pub batches: u64,
    /// The sum of the gradients by each parameter, each times the rows of its batch.
    pub sums: Vec<(ParamId, StateId)>,
    /// How many rows they are of.
    pub rows: StateId,
}

/// The update to put behind a training graph.
pub struct Update<'a> {
    /// `NewParam`s and `NewState`s; an `Input` from `first_gradient` on is the gradient of a parameter.
    pub graph: &'a Graph,
    /// The number of the first such input.
    pub first_gradient: usize,
    /// What to do with large gradients, and whose.
    pub clips: Vec<(Clip, Vec<ParamId>)>,
    /// Whether several batches make one update.
    pub accumulate: Option<Accumulate>,
    /// How many times in a step of the run this program runs; a schedule counts by updates.
    pub runs_per_step: f64,
    /// Whether the gradients, clipped, stay among the outputs.
    pub keep_gradients: bool,
}

/// Assembles the program of a step.
pub fn assemble(training: &Graph, update: &Update<'_>) -> Graph {
    let mut b = Builder::new(training.clone());
    let is_gradient = |role: &Role| matches!(role, Role::Grad(_));
    let mut gradients: FxHashMap<ParamId, NodeId> = FxHashMap::default();
    for output in &training.outputs {
        if let Role::Grad(param) = output.role {
            gradients.insert(param, output.node);
        }
    }
    let batches = update.accumulate.as_ref().map(|accumulate| sum_up(&mut b, &mut gradients, accumulate));
    let rows = batches.as_ref().map(|batches| batches.rows);
    for (clip, params) in &update.clips {
        cut(&mut b, &mut gradients, *clip, params, rows);
    }
    match update.keep_gradients {
        true => {
            for output in b.graph.outputs.iter_mut() {
                if let Role::Grad(param) = output.role {
                    output.node = gradients[&param];
                }
            }
        }
        false => b.graph.outputs.retain(|output| !is_gradient(&output.role)),
    }
    splice(&mut b, update, &gradients, batches.as_ref());
    b.finish()
}

/// Several batches on their way to an update.
struct Batches {
    /// Whether this one is the last: a truth value.
    is_last: NodeId,
    /// How many.
    count: u64,
    /// How many rows all have so far.
    rows: NodeId,
}

/// Replaces gradients by those of all rows since the last update, which the states hold on to.
fn sum_up(b: &mut Builder, gradients: &mut FxHashMap<ParamId, NodeId>, accumulate: &Accumulate) -> Batches {
    let zero = b.f32(0.0);
    let step = b.graph.host.push(HostOp::Step);
    let batches = b.graph.host.push(HostOp::Const(accumulate.batches as f64));
    let rest = b.graph.host.push(HostOp::Binary(HostBinary::Mod, step, batches));
    let rest = b.push(Op::Scalar(rest), &[], Origin::default());
    let is_last = b.cmp(Cmp::Eq, rest, zero);

    let rows_now = rows_of_batch(b);
    let rows_before = b.push(Op::State(accumulate.rows), &[], Origin::default());
    let rows = b.add(rows_before, rows_now);
    let kept = b.select(is_last, zero, rows);
    b.graph.outputs.push(Output { role: Role::NewState(accumulate.rows), node: kept });

    for (param, state) in &accumulate.sums {
        let Some(gradient) = gradients.get(param).copied() else { continue };
        let (dims, dtype) = (b.dims(gradient), b.ty(gradient).dtype);
        let [weight, all, none] = [rows_now, rows, zero].map(|number| b.cast(number, dtype));
        let [weight, all, none, last] = [weight, all, none, is_last].map(|scalar| b.splat(scalar, &dims));
        let now = b.mul(gradient, weight);
        let before = b.push(Op::State(*state), &[], Origin::default());
        let sum = b.add(before, now);
        let kept = b.select(last, none, sum);
        b.graph.outputs.push(Output { role: Role::NewState(*state), node: kept });
        gradients.insert(*param, b.div(sum, all));
    }
    Batches { is_last, count: accumulate.batches, rows }
}

/// How many rows the batch has, as a number.
fn rows_of_batch(b: &mut Builder) -> NodeId {
    let batch = b.graph.inputs.first().and_then(|input| input.ty.dims.first().cloned());
    let batch = b.graph.host.push(batch.map_or(HostOp::Const(1.0), HostOp::Size));
    b.push(Op::Scalar(batch), &[], Origin::default())
}

/// Cuts gradients down, or hides whose they are. All forms leave a NaN a NaN, so that it is seen.
fn cut(
    b: &mut Builder,
    gradients: &mut FxHashMap<ParamId, NodeId>,
    clip: Clip,
    params: &[ParamId],
    rows: Option<NodeId>,
) {
    match clip {
        Clip::Value(most) => {
            for param in params {
                let gradient = gradients[param];
                let (upper, lower) = (b.full_like(gradient, most), b.full_like(gradient, -most));
                let cut = b.map(MapOp::Min, &[gradient, upper]);
                gradients.insert(*param, b.map(MapOp::Max, &[cut, lower]));
            }
        }
        Clip::Norm(most) => {
            let mut cut: Vec<NodeId> = params.iter().map(|param| gradients[param]).collect();
            scaled_down(b, cut.iter_mut(), most);
            gradients.extend(params.iter().copied().zip(cut));
        }
        Clip::Rows { noise: 0.0 } => {}
        Clip::Rows { noise } => {
            let rows = rows.unwrap_or_else(|| rows_of_batch(b));
            let noise = b.f32(noise);
            let scale = b.div(noise, rows);
            for param in params {
                let gradient = gradients[param];
                let dims = b.dims(gradient);
                let site = fnv1a(&format!("noise/{}", b.graph.params[param.index()].path));
                let dtype = b.ty(gradient).dtype;
                let drawn = b.node(Op::Random { dist: Dist::Normal, site, dims: dims.to_vec() }, &[]);
                let (drawn, scale) = (b.cast(drawn, dtype), b.cast(scale, dtype));
                let scale = b.splat(scale, &dims);
                let noise = b.mul(drawn, scale);
                gradients.insert(*param, b.add(gradient, noise));
            }
        }
    }
}

/// Scales gradients down together, to at most a length.
fn scaled_down<'g>(b: &mut Builder, gradients: impl Iterator<Item = &'g mut NodeId>, most: f64) {
    let gradients: Vec<&mut NodeId> = gradients.collect();
    let squares = gradients.iter().map(|gradient| {
        let square = b.mul(**gradient, **gradient);
        let all: Vec<usize> = (0..b.rank(square)).collect();
        b.sum(square, &all)
    });
    let squares: Vec<NodeId> = squares.collect();
    // Beside gradients of f64 the length is one too.
    let is_wide = squares.iter().any(|square| b.ty(*square).dtype == DType::F64);
    let dtype = if is_wide { DType::F64 } else { DType::F32 };
    let squares: Vec<NodeId> = squares.into_iter().map(|square| b.cast(square, dtype)).collect();
    let Some(total) = squares.into_iter().reduce(|sum, square| b.add(sum, square)) else { return };
    let norm = b.map(MapOp::Sqrt, &[total]);
    let [limit, one] = [most, 1.0].map(|number| b.number_of(norm, number));
    // min(1, most / norm), without dividing by zero.
    let ratio = b.div(limit, norm);
    let fits = b.cmp(Cmp::Le, norm, limit);
    let scale = b.select(fits, one, ratio);
    for gradient in gradients {
        let (dims, dtype) = (b.dims(*gradient), b.ty(*gradient).dtype);
        let scale = b.cast(scale, dtype);
        let everywhere = b.splat(scale, &dims);
        *gradient = b.mul(*gradient, everywhere);
    }
}

/// Copies the update behind the gradients; of several batches, only the last one's is taken.
fn splice(b: &mut Builder, update: &Update<'_>, gradients: &FxHashMap<ParamId, NodeId>, batches: Option<&Batches>) {
    let count = batches.map_or(1, |batches| batches.count);
    let hosts = splice_host(b, &update.graph.host, count, update.runs_per_step / count as f64);
    let mut new: Vec<NodeId> = Vec::with_capacity(update.graph.nodes.len());
    for node in &update.graph.nodes {
        let args: Vec<NodeId> = node.args.iter().map(|arg| new[arg.index()]).collect();
        let id = match node.op {
            Op::Input(input) if input.index() >= update.first_gradient => {
                gradients[&ParamId((input.index() - update.first_gradient) as u32)]
            }
            Op::Scalar(host) => b.push(Op::Scalar(hosts[host.0 as usize]), &args, node.origin),
            _ => b.push(node.op.clone(), &args, node.origin),
        };
        new.push(id);
    }
    for output in &update.graph.outputs {
        let mut node = new[output.node.index()];
        let old = match output.role {
            Role::NewParam(param) => Some(Op::Param(param)),
            Role::NewState(state) => Some(Op::State(state)),
            _ => None,
        };
        if let (Some(batches), Some(old)) = (batches, old) {
            let old = b.push(old, &[], Origin::default());
            let dims = b.dims(old);
            let is_last = b.splat(batches.is_last, &dims);
            node = b.select(is_last, node, old);
        }
        b.graph.outputs.push(Output { role: output.role.clone(), node });
    }
    b.origin = Origin::default();
}

/// Appends a host program that counts updates: `batches` runs of this program make one, and a step of the run
/// has `updates_per_step`.
fn splice_host(b: &mut Builder, program: &HostProgram, batches: u64, updates_per_step: f64) -> Vec<HostId> {
    b.graph.host.append_with(program, |host, op| match op {
        // (step - 1) // batches + 1
        HostOp::Step if batches > 1 => {
            let step = host.push(HostOp::Step);
            let [one, batches] = [1.0, batches as f64].map(|value| host.push(HostOp::Const(value)));
            let before = host.push(HostOp::Binary(HostBinary::Sub, step, one));
            let updates = host.push(HostOp::Binary(HostBinary::FloorDiv, before, batches));
            Some(host.push(HostOp::Binary(HostBinary::Add, updates, one)))
        }
        HostOp::StepsPerEpoch if updates_per_step != 1.0 => {
            let steps = host.push(HostOp::StepsPerEpoch);
            let updates = host.push(HostOp::Const(updates_per_step));
            Some(host.push(HostOp::Binary(HostBinary::Mul, steps, updates)))
        }
        _ => None,
    })
}
