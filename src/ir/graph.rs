//! Nodes in topological order, and what a program has around them: inputs, parameters, states,
//! random sites, outputs.
//!
//! A graph only grows. A pass reads one and builds the next, so an argument always has a smaller id
//! than its user and a walk over `nodes` is a walk in order.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use smallvec::SmallVec;

use super::{Attention, Dim, HostProgram, Scan, SizeId, Ty};
use crate::base::Span;
use crate::ir::op::Op;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $letter:literal)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// As an index.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!($letter, "{}"), self.0)
            }
        }
    )*};
}

ids! {
    /// A node of a graph.
    NodeId "%"
    /// A value given with each batch.
    InputId "in"
    /// A trained tensor.
    ParamId "p"
    /// A tensor that a step updates without a gradient.
    StateId "s"
    /// A use of a layer, by its place among those of a run.
    LayerId "l"
    /// A `remat` block, by its place among those of a run.
    RematId "r"
}

/// Where a node came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// The source text, when there is one.
    pub span: Option<Span>,
    /// The use of a layer whose body asks for it: the innermost one. Passes keep it, so that what a graph costs
    /// can be told by layer; where two uses share a node, it is the first one's.
    pub layer: Option<LayerId>,
    /// The block of the program whose values are computed again for the gradient, when it stands in one.
    pub remat: Option<RematId>,
}

/// One operation and its result.
#[derive(Clone, Debug)]
pub struct Node {
    /// What is computed.
    pub op: Op,
    /// From what.
    pub args: SmallVec<[NodeId; 3]>,
    /// The result.
    pub ty: Ty,
    /// Why.
    pub origin: Origin,
}

/// A value given with each batch.
#[derive(Clone, PartialEq, Debug)]
pub struct Input {
    /// The column's name.
    pub name: String,
    /// Its type; the batch size is symbolic.
    pub ty: Ty,
    /// For an index: every element is below this size, checked before a step.
    pub below: Option<Dim>,
}

/// A trained tensor.
#[derive(Clone, PartialEq, Debug)]
pub struct Param {
    /// Its stable path: `Net.Dense.w`.
    pub path: String,
    /// Its type, in the declared order of axes.
    pub ty: Ty,
    /// The names of its axes.
    pub axes: Vec<String>,
}

/// A tensor that lives from step to step without a gradient: running statistics, moments, counts.
#[derive(Clone, PartialEq, Debug)]
pub struct State {
    /// Its stable path: `Adam.m/Net.Dense.w`, `accuracy.hits`.
    pub path: String,
    /// Its type.
    pub ty: Ty,
    /// The names of its axes.
    pub axes: Vec<String>,
}

/// What an output is for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Role {
    /// The scalar that training lowers.
    Loss,
    /// A reported scalar by its name: a metric, a penalty.
    Metric(String),
    /// What `tensa predict` writes, by field name (empty when there is one).
    Predict(String),
    /// The gradient of the loss by a parameter.
    Grad(ParamId),
    /// The parameter after the step.
    NewParam(ParamId),
    /// The state after the step.
    NewState(StateId),
    /// The least of the numbers that are to be places of an axis, by the number of the check.
    Least(u32),
    /// The greatest of them.
    Most(u32),
    /// A value of a test.
    Value(String),
}

/// A result of the whole program.
#[derive(Clone, PartialEq, Debug)]
pub struct Output {
    /// What for.
    pub role: Role,
    /// Which node.
    pub node: NodeId,
}

/// A program over tensors.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// In topological order.
    pub nodes: Vec<Node>,
    /// Given with each batch.
    pub inputs: Vec<Input>,
    /// Trained.
    pub params: Vec<Param>,
    /// Kept.
    pub states: Vec<State>,
    /// Results.
    pub outputs: Vec<Output>,
    /// The scalars computed on the host once a step, in f64.
    pub host: HostProgram,
    /// Names of the symbolic sizes, by `SizeId`.
    pub sizes: Vec<String>,
}

impl Graph {
    /// The node of an id of this graph.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    /// The type of a node's result.
    pub fn ty(&self, id: NodeId) -> &Ty {
        &self.nodes[id.index()].ty
    }

    /// All ids in order.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u32).map(NodeId)
    }

    /// The node of the first output with a role.
    pub fn output(&self, role: &Role) -> Option<NodeId> {
        self.outputs.iter().find(|output| output.role == *role).map(|output| output.node)
    }

    /// Whether two graphs of inputs alone say the same: where nodes come from, and what things are called, is no part
    /// of it.
    pub fn computes_as(&self, other: &Graph) -> bool {
        self.nodes.len() == other.nodes.len()
            && self.nodes.iter().zip(&other.nodes).all(|(x, y)| x.op == y.op && x.args == y.args && x.ty == y.ty)
            && self.inputs.iter().map(|input| &input.ty).eq(other.inputs.iter().map(|input| &input.ty))
            && self.outputs.iter().map(|output| output.node).eq(other.outputs.iter().map(|output| output.node))
            && self.host == other.host
    }

    /// Hashes what `computes_as` compares.
    pub fn hash_computation<H: Hasher>(&self, state: &mut H) {
        for node in &self.nodes {
            node.op.hash(state);
            node.args.hash(state);
        }
        self.outputs.iter().for_each(|output| output.node.hash(state));
    }

    /// The attentions among its nodes, each once, in order.
    pub fn attentions(&self) -> Vec<Arc<Attention>> {
        let mut attentions: Vec<Arc<Attention>> = Vec::new();
        for node in &self.nodes {
            if let Op::Attention(attention, _) | Op::AttentionGrad(attention, _) = &node.op
                && !attentions.contains(attention)
            {
                attentions.push(attention.clone());
            }
        }
        attentions
    }

    /// The loops among its nodes, each once, in order.
    pub fn scans(&self) -> Vec<Arc<Scan>> {
        let mut scans: Vec<Arc<Scan>> = Vec::new();
        for node in &self.nodes {
            if let Op::Scan(scan, _) = &node.op
                && !scans.contains(scan)
            {
                scans.push(scan.clone());
            }
        }
        scans
    }

    /// The name of a symbolic size.
    pub fn size_name(&self, id: SizeId) -> String {
        self.sizes.get(id.0 as usize).cloned().unwrap_or_else(|| format!("s{}", id.0))
    }

    /// A graph without nodes and outputs that shares everything around them: what a pass starts from.
    pub fn empty_like(&self) -> Graph {
        Graph {
            nodes: Vec::with_capacity(self.nodes.len()),
            inputs: self.inputs.clone(),
            params: self.params.clone(),
            states: self.states.clone(),
            outputs: Vec::new(),
            host: self.host.clone(),
            sizes: self.sizes.clone(),
        }
    }
}
