//! Derivatives that a program asks for, and gradients that it gives.

use rustc_hash::FxHashMap;

use super::Grads;
use crate::ir::{NodeId, Ty};
use crate::ops::Builder;

/// A derivative of a number has the axes of what it is taken by.
pub(super) fn infer_derivative(y: &Ty, x: &Ty) -> Result<Ty, String> {
    match y.dims.is_empty() && y.dtype.is_float() && x.dtype.is_float() {
        true => Ok(x.clone()),
        false => Err("a derivative of what is no number, or by what is none".to_owned()),
    }
}

pub(super) fn infer(args: &[&Ty]) -> Result<Ty, String> {
    let [y, dy, pairs @ ..] = args else { return Err("a given gradient of nothing".to_owned()) };
    let fits = pairs.len().is_multiple_of(2) && pairs.chunks(2).all(|pair| pair[0] == pair[1]);
    match fits && y == dy && args.iter().all(|ty| ty.dtype.is_float()) {
        true => Ok((*y).clone()),
        false => Err("given gradients that do not fit what they are by".to_owned()),
    }
}

/// What was given for each argument, with the gradient that arrived in place of the one that stood for it.
pub(super) fn grad(b: &mut Builder, args: &[NodeId], dy: NodeId, wanted: &[bool]) -> Grads {
    let mut grads = Grads::from_elem(None, args.len());
    let mut arrived = FxHashMap::from_iter([(args[1], dy)]);
    for at in (2..args.len()).step_by(2).filter(|&at| wanted[at]) {
        grads[at] = Some(with_arrived(b, args[at + 1], args[1], &mut arrived));
    }
    grads
}

/// A copy of a value in which what was made of the placeholder is made of what arrived; `copies` has what is made.
fn with_arrived(
    b: &mut Builder,
    wanted: NodeId,
    placeholder: NodeId,
    copies: &mut FxHashMap<NodeId, NodeId>,
) -> NodeId {
    let mut depends = vec![false; wanted.index() + 1];
    for at in placeholder.index()..depends.len() {
        let is_made_of_it = b.graph.nodes[at].args.iter().any(|arg| depends[arg.index()]);
        depends[at] = at == placeholder.index() || is_made_of_it;
    }
    // Only what the value needs of that, operands first.
    let mut needed = Vec::new();
    let mut stack = vec![wanted];
    while let Some(id) = stack.pop() {
        if depends[id.index()] && !copies.contains_key(&id) && !needed.contains(&id) {
            needed.push(id);
            stack.extend(&b.graph.node(id).args);
        }
    }
    needed.sort_unstable();
    for id in needed {
        let node = b.graph.node(id).clone();
        let args: Vec<NodeId> = node.args.iter().map(|arg| copies.get(arg).copied().unwrap_or(*arg)).collect();
        let copy = b.push(node.op, &args, node.origin);
        copies.insert(id, copy);
    }
    copies.get(&wanted).copied().unwrap_or(wanted)
}
