//! The graph in f64: the outermost oracle.
//!
//! In: a graph, and values for what it is given. Out: its outputs by role. Each node is computed by its
//! reference rule in `ops`, one after the other; nothing is fused, reordered or rounded to f32. A derivative that
//! the program asks for is a quotient of differences here, so that the rules of gradients are judged by none.

use crate::ir::host::HostEnv;
use crate::ir::{Dim, Graph, NodeId, Role, SizeId, SizeOverflow, Ty};
use crate::ops::{self, Env, Op, Value};

/// What a run is given.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// By `InputId`.
    pub inputs: Vec<Value>,
    /// By `ParamId`.
    pub params: Vec<Value>,
    /// By `StateId`.
    pub states: Vec<Value>,
    /// The symbolic sizes, by `SizeId`.
    pub sizes: Vec<i64>,
    /// The key of random numbers.
    pub seed: u64,
    /// The number of the update, from 1; 0 outside of training.
    pub step: u64,
    /// How many steps an epoch has.
    pub steps_per_epoch: u64,
}

/// Why a graph cannot run on what it is given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RunError {
    /// A size has no value, a negative one, or one outside of i64.
    Size(Dim),
    /// Another number of values than the graph has inputs, parameters, states or sizes.
    Count,
    /// A value whose sizes are not those of its declared type.
    Shape {
        /// The name of the input, parameter or state.
        of: String,
        /// The sizes of the declared type, bound.
        declared: Vec<usize>,
        /// The sizes of the value.
        given: Vec<usize>,
    },
}

/// The outputs of a graph, in its order.
pub fn run(graph: &Graph, given: &Given) -> Result<Vec<(Role, Value)>, RunError> {
    let mut wanted = vec![false; graph.nodes.len()];
    for output in &graph.outputs {
        wanted[output.node.index()] = true;
    }
    let values = compute(graph, given, &wanted)?;
    let value = |id: NodeId| values[id.index()].clone();
    let outputs = graph.outputs.iter().filter_map(|output| Some((output.role.clone(), value(output.node)?)));
    Ok(outputs.collect())
}

/// The value of every node, for a look inside.
pub fn run_all(graph: &Graph, given: &Given) -> Result<Vec<Value>, RunError> {
    let values = compute(graph, given, &vec![true; graph.nodes.len()])?;
    Ok(values.into_iter().flatten().collect())
}

/// Computes every node, and keeps those that are wanted.
fn compute(graph: &Graph, given: &Given, wanted: &[bool]) -> Result<Vec<Option<Value>>, RunError> {
    check(graph, given)?;
    let size_of = |id: SizeId| given.sizes[id.0 as usize];
    let host_env = HostEnv { step: given.step, steps_per_epoch: given.steps_per_epoch, sizes: &size_of };
    let host = graph.host.run(&host_env).map_err(|SizeOverflow| RunError::Size(Dim::ZERO))?;
    let env = Env {
        inputs: &given.inputs,
        params: &given.params,
        states: &given.states,
        host: &host,
        sizes: &size_of,
        seed: given.seed,
        step: given.step,
    };

    // A derivative computes again what is between its arguments, from all that this is made of.
    let keeps_all = graph.nodes.iter().any(|node| node.op == Op::Derivative);
    let mut last_use = vec![0; graph.nodes.len()];
    for id in graph.ids() {
        for arg in &graph.node(id).args {
            last_use[arg.index()] = id.index();
        }
    }
    let mut values: Vec<Option<Value>> = Vec::with_capacity(graph.nodes.len());
    for (at, node) in graph.nodes.iter().enumerate() {
        let dims = bind(&node.ty, given)?;
        let value = ops::value_of(graph, NodeId(at as u32), &values, dims, &env);
        let value = value.map_err(|SizeOverflow| RunError::Size(Dim::ZERO))?;
        values.push(Some(value));
        for arg in &node.args {
            if last_use[arg.index()] == at && !wanted[arg.index()] && !keeps_all {
                values[arg.index()] = None;
            }
        }
    }
    Ok(values)
}

fn check(graph: &Graph, given: &Given) -> Result<(), RunError> {
    let counts = [
        (graph.inputs.len(), given.inputs.len()),
        (graph.params.len(), given.params.len()),
        (graph.states.len(), given.states.len()),
        (graph.sizes.len(), given.sizes.len()),
    ];
    if counts.iter().any(|(declared, given)| declared != given) {
        return Err(RunError::Count);
    }
    let inputs = graph.inputs.iter().map(|input| (&input.name, &input.ty)).zip(&given.inputs);
    let params = graph.params.iter().map(|param| (&param.path, &param.ty)).zip(&given.params);
    let states = graph.states.iter().map(|state| (&state.path, &state.ty)).zip(&given.states);
    for ((name, ty), value) in inputs.chain(params).chain(states) {
        let declared = bind(ty, given)?;
        if declared != value.dims {
            return Err(RunError::Shape { of: name.clone(), declared, given: value.dims.clone() });
        }
    }
    Ok(())
}

fn bind(ty: &Ty, given: &Given) -> Result<Vec<usize>, RunError> {
    let size = |dim: &Dim| {
        let value = dim.eval(&|id| given.sizes.get(id.0 as usize).copied().unwrap_or(-1)).ok();
        value.and_then(|value| usize::try_from(value).ok()).ok_or_else(|| RunError::Size(dim.clone()))
    };
    ty.dims.iter().map(size).collect()
}
