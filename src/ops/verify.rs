//! What must hold of every graph, checked after every pass.
//!
//! - An argument stands before its user.
//! - Each node has the type its operation gives it (`super::infer`), which also finds ids of inputs,
//!   parameters, states and host values that are not there.
//! - A size names a known symbol.
//! - An output is a node of the graph, no role appears twice, a loss is f32 without axes, a metric f32
//!   of known sizes, a gradient and a new value have the type of their parameter or state.
//! - A host operation comes after its operands.
//! - The body of a loop, and the score of an attention, is such a graph, with inputs alone around it, and draws no random numbers.

use rustc_hash::FxHashSet;

use crate::ir::{DType, Dim, Graph, HostId, HostOp, Output, Role, Ty};
use crate::ops::Op;

/// Checks a graph; the error says which node or output breaks which rule.
pub fn verify(graph: &Graph) -> Result<(), String> {
    let given = graph.inputs.iter().map(|input| &input.ty);
    let kept = graph.params.iter().map(|param| &param.ty).chain(graph.states.iter().map(|state| &state.ty));
    for ty in given.chain(kept) {
        verify_sizes(graph, &ty.dims)?;
    }
    for (at, op) in graph.host.ops.iter().enumerate() {
        verify_host(graph, at, op).map_err(|why| format!("host value {at}: {why}"))?;
    }
    for id in graph.ids() {
        let node = graph.node(id);
        let fail = |why: String| format!("{id:?} = {:?} {:?}: {why}", node.op, node.args);
        if node.args.iter().any(|&arg| arg >= id) {
            return Err(fail("an argument that does not stand before its user".to_owned()));
        }
        let ty = super::infer(graph, &node.op, &node.args).map_err(fail)?;
        if ty != node.ty {
            return Err(fail(format!("has the type {:?}, not {ty:?}", node.ty)));
        }
        verify_sizes(graph, &node.ty.dims).map_err(fail)?;
        if let Op::Scan(scan, _) = &node.op {
            verify_body(&scan.body).map_err(|why| fail(format!("in its body, {why}")))?;
        }
        if let Op::Attention(attention, _) | Op::AttentionGrad(attention, _) = &node.op {
            verify_body(&attention.score).map_err(|why| fail(format!("in its score, {why}")))?;
        }
    }
    let mut roles = FxHashSet::default();
    for output in &graph.outputs {
        verify_output(graph, output).map_err(|why| format!("output {:?}: {why}", output.role))?;
        if !roles.insert(&output.role) {
            return Err(format!("output {:?}: appears twice", output.role));
        }
    }
    Ok(())
}

/// The body of a loop is closed: it has inputs alone, and draws nothing.
fn verify_body(body: &Graph) -> Result<(), String> {
    let open = |op: &Op| matches!(op, Op::Param(_) | Op::State(_) | Op::Random { .. });
    if body.nodes.iter().any(|node| open(&node.op)) {
        return Err("a parameter, a state or a random number".to_owned());
    }
    verify(body)
}

fn verify_sizes(graph: &Graph, dims: &[Dim]) -> Result<(), String> {
    match dims.iter().flat_map(Dim::sizes).find(|size| size.0 as usize >= graph.sizes.len()) {
        Some(size) => Err(format!("a size s{} that is not there", size.0)),
        None => Ok(()),
    }
}

fn verify_host(graph: &Graph, at: usize, op: &HostOp) -> Result<(), String> {
    let before = |operands: &[HostId]| match operands.iter().any(|id| id.0 as usize >= at) {
        true => Err("an operand that does not stand before its user".to_owned()),
        false => Ok(()),
    };
    match op {
        HostOp::Const(_) | HostOp::Step | HostOp::StepsPerEpoch => Ok(()),
        HostOp::Size(dim) => verify_sizes(graph, std::slice::from_ref(dim)),
        HostOp::Unary(_, a) => before(&[*a]),
        HostOp::Binary(_, a, b) => before(&[*a, *b]),
        HostOp::Select(c, a, b) => before(&[*c, *a, *b]),
    }
}

fn verify_output(graph: &Graph, output: &Output) -> Result<(), String> {
    let Some(node) = graph.nodes.get(output.node.index()) else {
        return Err("a node that is not there".to_owned());
    };
    let missing = || "a parameter or state that is not there".to_owned();
    let scalar = Ty::scalar(DType::F32);
    let wanted = match &output.role {
        Role::Loss | Role::Least(_) | Role::Most(_) => &scalar,
        Role::Metric(_) => {
            let known = node.ty.dtype == DType::F32 && node.ty.dims.iter().all(|dim| dim.as_const().is_some());
            return if known { Ok(()) } else { Err(format!("has the type {:?}, no f32 of known sizes", node.ty)) };
        }
        Role::Grad(id) | Role::NewParam(id) => &graph.params.get(id.index()).ok_or_else(missing)?.ty,
        Role::NewState(id) => &graph.states.get(id.index()).ok_or_else(missing)?.ty,
        Role::Predict(_) | Role::Value(_) => return Ok(()),
    };
    if node.ty == *wanted { Ok(()) } else { Err(format!("has the type {:?}, not {wanted:?}", node.ty)) }
}
