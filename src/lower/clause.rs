//! A function on drawn sizes, as graphs whose gradients can be compared.
//!
//! In: a `Trial`. Out: two graphs that differ in one thing: whether the value has the gradient that the function gives,
//! or that of its body. Their loss is the value weighed by a further input, so that each element of it counts otherwise.

use crate::ir::{Graph, Input, InputId, Output, Param, Role};
use crate::ops::Op;
use crate::sema::clause::{Drawn, Trial};
use crate::sema::typed::ExprId;

use super::expr::Lowering;
use super::graph_type;

/// The graphs of a trial; both have a `Loss`.
pub struct LoweredTrial {
    /// With the gradient that the function gives.
    pub given: Graph,
    /// With that of its body.
    pub body: Graph,
}

/// Lowers a trial. The weights are its last input.
pub fn lower_trial(trial: &Trial) -> LoweredTrial {
    LoweredTrial { given: weighed(trial, trial.given), body: weighed(trial, trial.body) }
}

fn weighed(trial: &Trial, value: ExprId) -> Graph {
    let ty = graph_type(&trial.exprs[value.0 as usize].ty);
    let input =
        |drawn: &Drawn| Input { name: drawn.name.clone(), ty: graph_type(&drawn.ty), below: drawn.below.clone() };
    let param = |drawn: &Drawn| Param { path: drawn.name.clone(), ty: graph_type(&drawn.ty), axes: drawn.axes.clone() };
    let weights = Input { name: "the weights".to_owned(), ty: ty.clone(), below: None };
    let base = Graph {
        inputs: trial.inputs.iter().map(input).chain([weights]).collect(),
        params: trial.variables.iter().map(param).collect(),
        sizes: trial.sizes.clone(),
        ..Graph::default()
    };
    let mut lowering = Lowering::new(&trial.exprs, trial.inputs.len(), base);
    let value = lowering.root(value);
    let b = &mut lowering.builder;
    let weights = b.node(Op::Input(InputId(trial.inputs.len() as u32)), &[]);
    let product = b.mul(value, weights);
    let axes: Vec<usize> = (0..ty.dims.len()).collect();
    let node = b.sum(product, &axes);
    b.graph.outputs.push(Output { role: Role::Loss, node });
    lowering.builder.finish()
}
