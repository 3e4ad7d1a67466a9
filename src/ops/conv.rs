//! Convolutions among the contractions: one operand is a window with taps.
//!
//! In: a graph. Out: which of its contractions are convolutions, and what each is for. There is no operation
//! for a convolution: its operands and labels say all of it, and its gradients are convolutions by the same
//! rule (Note [Windows of products] in `canon`).

use super::{Op, Taps, tap_in_result};
use crate::ir::{Graph, NodeId};

/// What a convolution computes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum ConvRole {
    /// `y[o, n] = Σ_{k,c} x[a·o + d·k + b, c] · f[k, c, n]`
    Forward,
    /// The same with taps that run against the positions: what comes out of autodiff for the input, and a
    /// transposed convolution.
    InputGradient,
    /// `df[k, c, n] = Σ_o x[a·o + d·k + b, c] · dy[o, n]`
    WeightGradient,
}

impl ConvRole {
    /// `fwd`, `dx`, `dw`
    pub fn as_str(self) -> &'static str {
        match self {
            ConvRole::Forward => "fwd",
            ConvRole::InputGradient => "dx",
            ConvRole::WeightGradient => "dw",
        }
    }
}

/// The role of a contraction that is a convolution.
pub fn conv_role(graph: &Graph, id: NodeId) -> Option<ConvRole> {
    let node = graph.node(id);
    let Op::Contract { a, b, out } = &node.op else { return None };
    [(a, node.args[0]), (b, node.args[1])].into_iter().find_map(|(labels, arg)| {
        let (window, labels) = behind_permutations(graph, arg, labels);
        let Op::Window { axes, .. } = &graph.node(window).op else { return None };
        let axis = axes.iter().find(|axis| axis.taps != Taps::None)?;
        let tap = labels[tap_in_result(axes, axis)?];
        let against = axis.a.signum() != axis.d.signum();
        Some(match (out.contains(&tap), against) {
            (true, _) => ConvRole::WeightGradient,
            (false, false) => ConvRole::Forward,
            (false, true) => ConvRole::InputGradient,
        })
    })
}

/// How many convolutions a graph has in each role that it has any in: `fwd 5 dx 4 dw 5`.
pub fn conv_counts(graph: &Graph) -> String {
    let mut roles: Vec<ConvRole> = graph.ids().filter_map(|id| conv_role(graph, id)).collect();
    roles.sort_unstable();
    let counts = roles.chunk_by(|a, b| a == b).map(|same| format!("{} {}", same[0].as_str(), same.len()));
    counts.collect::<Vec<_>>().join(" ")
}

/// What a value is behind permutations, with the labels of its axes.
fn behind_permutations(graph: &Graph, mut id: NodeId, labels: &[u8]) -> (NodeId, Vec<u8>) {
    let mut labels = labels.to_vec();
    while let Op::Permute(perm) = &graph.node(id).op {
        let mut before = labels.clone();
        for (at, &axis) in perm.iter().enumerate() {
            before[axis] = labels[at];
        }
        labels = before;
        id = graph.node(id).args[0];
    }
    (id, labels)
}
