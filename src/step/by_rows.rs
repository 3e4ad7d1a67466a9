//! Gradients of single rows of a batch, each cut to a length.
//!
//! In: a training graph and groups of parameters. Out: the same graph with a gradient for each parameter of a group:
//! the loss of each row on its own is differentiated, the gradients of a row by a group are scaled down together to at
//! most the group's length, and what is left is the mean over the batch.
//!
//! It is a loop over the rows whose body is the graph of the loss for a batch of one, with its gradient behind it, and
//! which carries the sums. No iteration reads what is carried, so recognition (`canon`) takes products out of the
//! loop, for all rows at once, and most often nothing is left of it.
//!
//! A row draws the random numbers that it has in the batch. A loss that writes states has none of one row; the
//! checker has refused it.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::scaled_down;
use crate::autodiff;
use crate::base::bug;
use crate::ir::{
    Dim, Graph, HostId, HostOp, HostProgram, Input, InputId, NodeId, Output, ParamId, Role, Scan, SizeId, Ty,
};
use crate::ops::resize::{resized, resized_dims, resized_host};
use crate::ops::{Builder, Number, Op};

/// Parameters whose gradients by a row are cut together, and the length that they keep at most.
pub type RowGroup = (f64, Vec<ParamId>);

/// Adds the gradients by the parameters of the groups.
pub fn gradients_by_rows(graph: &Graph, groups: &[RowGroup]) -> Graph {
    let Some(loss) = graph.output(&Role::Loss) else { bug!("the gradients of a graph without a loss") };
    let Some(batch) = batch_size(graph) else { bug!("the rows of a graph without a batch") };
    let mut outer = Builder::new(graph.clone());
    let mut row = Row::of(&mut outer, loss, batch);
    let trained: Vec<ParamId> = groups.iter().flat_map(|(_, params)| params.iter().copied()).collect();
    let sums = row.carry_sums(graph, &trained);
    row.compute(graph, loss);

    let readers: Vec<Option<NodeId>> = trained.iter().map(|param| row.params.get(param).copied()).collect();
    let known: Vec<NodeId> = readers.iter().copied().flatten().collect();
    let b = &mut row.body;
    let mut found = autodiff::grad(b, row.loss, &known).into_iter();
    let mut grads: Vec<Option<NodeId>> = readers.iter().map(|reader| reader.and_then(|_| found.next())).collect();
    let mut rest = &mut grads[..];
    for (most, params) in groups {
        let (group, others) = rest.split_at_mut(params.len());
        scaled_down(b, group.iter_mut().flatten(), *most);
        rest = others;
    }
    let ends: Vec<NodeId> =
        sums.iter().zip(&grads).map(|(sum, grad)| grad.map_or(*sum, |grad| b.add(*sum, grad))).collect();
    row.body.graph.outputs = Scan::outputs(ends);

    let firsts: Vec<NodeId> = trained.iter().map(|param| zeros(&mut outer, graph, *param)).collect();
    let args: Vec<NodeId> = row.rows.iter().chain(&firsts).chain(&row.wholes).copied().collect();
    let scan = Arc::new(Scan {
        count: Dim::size(batch),
        reversed: false,
        rows: row.rows.len(),
        carries: firsts.len(),
        body: autodiff::without_given(&row.body.finish()),
    });
    for (at, param) in trained.into_iter().enumerate() {
        let sum = outer.node(Op::Scan(scan.clone(), at), &args);
        let dims = outer.dims(sum);
        let count = outer.size_of(sum, &Dim::size(batch));
        let rows = outer.splat(count, &dims);
        let node = outer.div(sum, rows);
        outer.graph.outputs.push(Output { role: Role::Grad(param), node });
    }
    outer.finish()
}

/// The size of the batch: that of the first axis of what is given with it.
fn batch_size(graph: &Graph) -> Option<SizeId> {
    graph.inputs.iter().find_map(|input| input.ty.dims.first()?.as_size())
}

/// What the computation of a row is to be given.
enum Given {
    /// An element along the first axis of this value outside.
    Row(NodeId),
    /// The value outside as it is.
    Whole,
}

/// The graph of a loss for one row of the batch.
struct Row {
    body: Builder,
    /// What it reads of the values outside: a row of each of these.
    rows: Vec<NodeId>,
    /// All of these.
    wholes: Vec<NodeId>,
    /// The inputs that stand for parameters.
    params: FxHashMap<ParamId, NodeId>,
    /// The loss of the row.
    loss: NodeId,
    /// What stands for the nodes outside that the loss is made of: none yet for those that are computed.
    made: FxHashMap<NodeId, Option<NodeId>>,
    batch: SizeId,
}

impl Row {
    /// With an input for all that a row is given.
    fn of(outer: &mut Builder, loss: NodeId, batch: SizeId) -> Row {
        let needed = behind(&outer.graph, loss);
        let given: Vec<(NodeId, Given)> =
            needed.iter().filter_map(|&id| Some((id, given_of(outer, id, batch)?))).collect();
        let (sizes, host) = (outer.graph.sizes.clone(), HostProgram::default());
        let mut row = Row {
            body: Builder::new(Graph { sizes, host, ..Graph::default() }),
            rows: Vec::new(),
            wholes: Vec::new(),
            params: FxHashMap::default(),
            loss,
            made: needed.into_iter().map(|id| (id, None)).collect(),
            batch,
        };
        for (id, given) in &given {
            if let Given::Row(node) = given {
                let ty = outer.ty(*node);
                let input = row.input(Ty::new(ty.dtype, ty.dims[1..].iter().cloned()));
                row.rows.push(*node);
                let dims = resized_dims(&outer.ty(*id).dims, &one(batch));
                let alone = row.body.reshape(input, &dims);
                row.made.insert(*id, Some(alone));
            }
        }
        row.wholes = given.iter().filter_map(|(id, given)| matches!(given, Given::Whole).then_some(*id)).collect();
        row
    }

    /// The sums that come in from the row before, and behind them the inputs that are read whole.
    fn carry_sums(&mut self, graph: &Graph, trained: &[ParamId]) -> Vec<NodeId> {
        let sums = trained.iter().map(|param| self.input(graph.params[param.index()].ty.clone())).collect();
        let mut wholes: Vec<NodeId> = Vec::new();
        for id in std::mem::take(&mut self.wholes) {
            let node = graph.node(id);
            // A parameter that is read at several places is one value: its gradient is the sum over them.
            let known = match node.op {
                Op::Param(param) => self.params.get(&param).copied(),
                _ => None,
            };
            let input = known.unwrap_or_else(|| {
                wholes.push(id);
                self.input(node.ty.clone())
            });
            if let Op::Param(param) = node.op {
                self.params.insert(param, input);
            }
            self.made.insert(id, Some(input));
        }
        self.wholes = wholes;
        sums
    }

    /// Computes the loss.
    fn compute(&mut self, graph: &Graph, loss: NodeId) {
        let new = one(self.batch);
        let hosts: Vec<HostId> = resized_host(&mut self.body.graph.host, &graph.host, &new);
        for id in graph.ids().filter(|id| *id <= loss) {
            let Some(None) = self.made.get(&id) else { continue };
            let node = graph.node(id);
            let arg = |arg: &NodeId| self.made[arg].unwrap_or_else(|| bug!("{arg:?} comes behind {id:?}"));
            let args: Vec<NodeId> = node.args.iter().map(arg).collect();
            let made = self.body.push(resized(&node.op, &hosts, &new), &args, node.origin);
            self.made.insert(id, Some(made));
        }
        self.loss = self.made[&loss].unwrap_or_else(|| bug!("the loss of a row is not computed"));
    }

    fn input(&mut self, ty: Ty) -> NodeId {
        let inputs = &mut self.body.graph.inputs;
        inputs.push(Input { name: String::new(), ty, below: None });
        let id = InputId(inputs.len() as u32 - 1);
        self.body.node(Op::Input(id), &[])
    }
}

/// A batch of one.
fn one(batch: SizeId) -> impl Fn(SizeId) -> Option<Dim> {
    move |size| (size == batch).then_some(Dim::ONE)
}

/// The nodes that a value is made of, in order, itself among them.
fn behind(graph: &Graph, value: NodeId) -> Vec<NodeId> {
    let mut needed = vec![false; value.index() + 1];
    needed[value.index()] = true;
    for at in (0..needed.len()).rev() {
        if needed[at] {
            graph.nodes[at].args.iter().for_each(|arg| needed[arg.index()] = true);
        }
    }
    graph.ids().filter(|id| needed.get(id.index()) == Some(&true)).collect()
}

/// What stands outside of the loop; none for what each row computes.
fn given_of(outer: &mut Builder, id: NodeId, batch: SizeId) -> Option<Given> {
    let node = outer.graph.node(id).clone();
    let of_batch = node.ty.dims.iter().any(|dim| dim.sizes().contains(&batch));
    match node.op {
        Op::Input(_) if of_batch => Some(Given::Row(id)),
        Op::Random { dist, site, dims } if of_batch => {
            // Where the batch comes first, these are the numbers of the batch itself.
            let alone = resized_dims(&dims, &one(batch));
            let dims = [Dim::size(batch)].into_iter().chain(alone).collect();
            Some(Given::Row(outer.node(Op::Random { dist, site, dims }, &[])))
        }
        Op::Input(_) | Op::Param(_) | Op::State(_) | Op::Random { .. } => Some(Given::Whole),
        Op::Scalar(host) if counts_steps(&outer.graph.host, host) => Some(Given::Whole),
        _ => None,
    }
}

/// Whether a value of the host program reads the number of the step, which no loop does.
fn counts_steps(host: &HostProgram, id: HostId) -> bool {
    match &host.ops[id.0 as usize] {
        HostOp::Step | HostOp::StepsPerEpoch => true,
        HostOp::Const(_) | HostOp::Size(_) => false,
        HostOp::Unary(_, a) => counts_steps(host, *a),
        HostOp::Binary(_, a, b) => counts_steps(host, *a) || counts_steps(host, *b),
        HostOp::Select(c, a, b) => [c, a, b].into_iter().any(|id| counts_steps(host, *id)),
    }
}

fn zeros(b: &mut Builder, graph: &Graph, param: ParamId) -> NodeId {
    let ty = &graph.params[param.index()].ty;
    b.full(&ty.dims, Number::new(ty.dtype, 0.0))
}
