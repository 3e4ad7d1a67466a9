//! Reverse mode, graph to graph, without knowledge of any operation.
//!
//! In: a graph with a loss. Out: the same graph with the gradient of the loss by each parameter as further
//! outputs. The rules stand in `ops::grad`; here is only the walk: each node is visited once, after all
//! its users, so the work is linear in the size of the graph. The new nodes are operations like any other,
//! so a gradient has gradients, and so have the derivatives that the program itself asks for, which are taken
//! before (`derivative`). Values of a `remat` block are computed again for it (`remat`); a loop
//! has a loop for its gradient (`scan`).

mod derivative;
mod remat;
mod reverse;
mod scan;
mod untouched;

pub use derivative::{derivatives, without_given};
pub use reverse::grad;
pub use untouched::{Untouched, untouched};

use crate::base::bug;
use crate::ir::{Graph, NodeId, Output, ParamId, Role};
use crate::ops::Builder;
use crate::ops::{Number, Op};

/// Adds the gradient of the loss by every parameter: zeros where the loss does not depend on it.
pub fn gradients(graph: &Graph) -> Graph {
    gradients_by(graph, |_| true)
}

/// Adds the gradient of the loss by those parameters that are `wanted`.
pub fn gradients_by(graph: &Graph, wanted: impl Fn(ParamId) -> bool) -> Graph {
    let Some(loss) = graph.output(&Role::Loss) else { bug!("the gradients of a graph without a loss") };
    let reader = |id: NodeId| match graph.node(id).op {
        Op::Param(param) if wanted(param) => Some((param, id)),
        _ => None,
    };
    let (params, readers): (Vec<ParamId>, Vec<NodeId>) = graph.ids().filter_map(reader).unzip();
    let mut b = Builder::new(graph.clone());
    let grads = grad(&mut b, loss, &readers);
    // A parameter may be read at several nodes; its gradient is the sum over them.
    let mut totals: Vec<Option<NodeId>> = vec![None; graph.params.len()];
    for (param, term) in params.into_iter().zip(grads) {
        let total = &mut totals[param.index()];
        *total = Some(total.map_or(term, |sum| b.add(sum, term)));
    }
    for (at, total) in totals.into_iter().enumerate().filter(|(at, _)| wanted(ParamId(*at as u32))) {
        let ty = &graph.params[at].ty;
        let node = total.unwrap_or_else(|| b.full(&ty.dims, Number::new(ty.dtype, 0.0)));
        b.graph.outputs.push(Output { role: Role::Grad(ParamId(at as u32)), node });
    }
    without_given(&remat::again(b.finish(), graph.nodes.len()))
}
