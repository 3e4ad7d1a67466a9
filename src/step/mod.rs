//! Forward, gradients, clipping and update as one program.
//!
//! In: the training graph with its gradients, and the update graph, whose inputs after those of the data
//! are gradients. Out: one graph whose outputs are the loss, the new parameters and the new states. The
//! update's nodes are copied behind the gradients they read; its host program joins the other.

use rustc_hash::FxHashMap;

use crate::ir::{Graph, NodeId, Origin, ParamId, Role};
use crate::ops::Builder;
use crate::ops::{Cmp, MapOp, Op};

/// What to do with large gradients before the update.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Clip {
    /// All gradients together are scaled down to at most this length.
    Norm(f64),
    /// Each element is cut to at most this size.
    Value(f64),
}

/// The update to put behind a training graph.
pub struct Update<'a> {
    /// `NewParam`s and `NewState`s; an `Input` from `first_gradient` on is the gradient of a parameter.
    pub graph: &'a Graph,
    /// The number of the first such input.
    pub first_gradient: usize,
    /// What to do with large gradients.
    pub clip: Option<Clip>,
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
    clip(&mut b, &mut gradients, update.clip);
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
    splice(&mut b, update, &gradients);
    b.finish()
}

/// Cuts gradients down. Both forms leave a NaN a NaN, so that it is seen.
fn clip(b: &mut Builder, gradients: &mut FxHashMap<ParamId, NodeId>, clip: Option<Clip>) {
    let mut params: Vec<ParamId> = gradients.keys().copied().collect();
    params.sort();
    match clip {
        None => {}
        Some(Clip::Value(most)) => {
            for param in params {
                let gradient = gradients[&param];
                let (upper, lower) = (b.full_like(gradient, most), b.full_like(gradient, -most));
                let cut = b.map(MapOp::Min, &[gradient, upper]);
                gradients.insert(param, b.map(MapOp::Max, &[cut, lower]));
            }
        }
        Some(Clip::Norm(most)) => {
            let squares: Vec<NodeId> = params
                .iter()
                .map(|param| {
                    let gradient = gradients[param];
                    let square = b.mul(gradient, gradient);
                    let all: Vec<usize> = (0..b.rank(gradient)).collect();
                    b.sum(square, &all)
                })
                .collect();
            let Some(total) = squares.into_iter().reduce(|sum, square| b.add(sum, square)) else { return };
            let norm = b.map(MapOp::Sqrt, &[total]);
            let limit = b.f32(most);
            let one = b.f32(1.0);
            // min(1, most / norm), without dividing by zero.
            let ratio = b.div(limit, norm);
            let fits = b.cmp(Cmp::Le, norm, limit);
            let scale = b.select(fits, one, ratio);
            for param in params {
                let gradient = gradients[&param];
                let dims = b.dims(gradient);
                let everywhere = b.splat(scale, &dims);
                gradients.insert(param, b.mul(gradient, everywhere));
            }
        }
    }
}

/// Copies the update behind the gradients.
fn splice(b: &mut Builder, update: &Update<'_>, gradients: &FxHashMap<ParamId, NodeId>) {
    let hosts = b.graph.host.append(&update.graph.host);
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
        let node = new[output.node.index()];
        b.graph.outputs.push(crate::ir::Output { role: output.role.clone(), node });
    }
    b.origin = Origin::default();
}
