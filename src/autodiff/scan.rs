//! The gradient of a loop: a loop the other way.
//!
//! In: the results of a loop, and the gradients that arrived at them. Out: the gradients by its arguments, from one
//! more loop, whose body is the reverse of the body. It carries the gradients by the carries, and a sum for
//! each value that iterations read whole; `canon` takes such sums out of the loop where it can.
//!
//! What the reverse reads of an iteration the first loop keeps as rows: it gets further results for them, and its
//! nodes are told of the longer body. Views, comparisons and constants are made again instead.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::base::bug;
use crate::ir::{Graph, Input, InputId, NodeId, Scan, ScanArg, Ty};
use crate::ops::{Builder, Grads, MapOp, Op};

/// The gradients by the arguments of the loop that `id` is a result of, once all that arrive at its results are in
/// `totals`: at the first of them, which comes last on the way back.
pub(super) fn grad(
    b: &mut Builder,
    id: NodeId,
    totals: &[Option<NodeId>],
    wanted: &[bool],
    pull_back: PullBack,
) -> Grads {
    let node = b.graph.node(id);
    let Op::Scan(scan, _) = &node.op else { return Grads::new() };
    let (scan, args) = (scan.clone(), node.args.clone());
    let is_result = |other: &NodeId| {
        let other = b.graph.node(*other);
        other.args == args && matches!(&other.op, Op::Scan(same, _) if *same == scan)
    };
    let results: Vec<NodeId> = b.graph.ids().filter(is_result).collect();
    let none = Grads::from_elem(None, args.len());
    if results.first() != Some(&id) {
        return none;
    }
    let mut arrived: Vec<Option<NodeId>> = vec![None; scan.body.outputs.len()];
    for &result in &results {
        if let (Op::Scan(_, at), Some(Some(total))) = (&b.graph.node(result).op, totals.get(result.index())) {
            arrived[*at] = Some(*total);
        }
    }
    if arrived.iter().all(Option::is_none) {
        return none;
    }
    let reverse = Reverse::of(&scan, &arrived, wanted, pull_back);

    // The rows that the reverse reads are further results.
    let mut longer = Scan::clone(&scan);
    let kept = scan.body.outputs.len();
    let outputs = scan.body.outputs.iter().map(|output| output.node).chain(reverse.kept.iter().copied());
    longer.body.outputs = Scan::outputs(outputs.collect::<Vec<_>>());
    let longer = Arc::new(longer);
    for result in results {
        if let Op::Scan(scan, _) = &mut b.graph.nodes[result.index()].op {
            *scan = longer.clone();
        }
    }
    let mut given: Vec<NodeId> = Vec::new();
    for from in &reverse.rows {
        given.push(match *from {
            Row::Arg(at) => args[at],
            Row::Kept(at) => b.node(Op::Scan(longer.clone(), kept + at), &args),
            Row::Arrived(at) => arrived[at].unwrap_or_else(|| bug!("no gradient arrived at result {at}")),
        });
    }
    for &carry in &reverse.carries {
        given.push(match carry {
            Carried::Gradient(at) => arrived[at].unwrap_or_else(|| b.zeros_like(args[scan.rows + at])),
            Carried::Sum(at) => b.zeros_like(args[at]),
        });
    }
    given.extend(reverse.wholes.iter().map(|&at| args[at]));

    let mut grads = none;
    let body = Arc::new(Scan {
        count: scan.count.clone(),
        reversed: !scan.reversed,
        rows: reverse.rows.len(),
        carries: reverse.carries.len(),
        body: reverse.body,
    });
    let results = reverse.carries.iter().map(|carry| match *carry {
        Carried::Gradient(at) => scan.rows + at,
        Carried::Sum(at) => at,
    });
    for (result, at) in results.chain(reverse.row_grads).enumerate() {
        if wanted[at] {
            grads[at] = Some(b.node(Op::Scan(body.clone(), result), &given));
        }
    }
    grads
}

/// The walk back: the gradients by values, given those by others (`reverse::pull_back`).
type PullBack = fn(&mut Builder, &[(NodeId, NodeId)], &[NodeId]) -> Vec<Option<NodeId>>;

/// What the reverse reads row by row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Row {
    /// An argument of the loop.
    Arg(usize),
    /// A value that the loop keeps, by its place among these.
    Kept(usize),
    /// The gradient by a result.
    Arrived(usize),
}

/// What the reverse carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Carried {
    /// The gradient by a carry.
    Gradient(usize),
    /// The sum of the gradients by an argument that is read whole.
    Sum(usize),
}

/// The body of the loop back.
struct Reverse {
    body: Graph,
    rows: Vec<Row>,
    carries: Vec<Carried>,
    /// Arguments that it reads whole.
    wholes: Vec<usize>,
    /// Nodes of the body whose rows it reads.
    kept: Vec<NodeId>,
    /// The arguments whose gradients it gives as rows.
    row_grads: Vec<usize>,
}

impl Reverse {
    fn of(scan: &Scan, arrived: &[Option<NodeId>], wanted: &[bool], pull_back: PullBack) -> Reverse {
        let body = &scan.body;
        let mut b = Builder::new(body.clone());
        let floats: Vec<usize> =
            (0..scan.carries).filter(|&at| body.inputs[scan.rows + at].ty.dtype.is_float()).collect();
        let is_float = |at: usize| body.inputs[at].ty.dtype.is_float();
        // The gradients that come in: by new carries from the iteration before, by rows from outside.
        let mut seeds = Vec::new();
        let mut from: FxHashMap<NodeId, Incoming> = FxHashMap::default();
        for &at in &floats {
            let seed = new_input(&mut b, body.ty(scan.output(at)).clone());
            from.insert(seed, Incoming::Carry(Carried::Gradient(at)));
            seeds.push((scan.output(at), seed));
        }
        for (at, arrived) in arrived.iter().enumerate().skip(scan.carries) {
            if arrived.is_some() {
                let seed = new_input(&mut b, body.ty(scan.output(at)).clone());
                from.insert(seed, Incoming::Row(Row::Arrived(at)));
                seeds.push((scan.output(at), seed));
            }
        }
        let is_wanted = |at: usize| match scan.arg(at) {
            ScanArg::Carry(_) => true,
            ScanArg::Row | ScanArg::Whole => wanted[at],
        };
        let readers: Vec<(usize, NodeId)> = body
            .ids()
            .filter_map(|id| match body.node(id).op {
                Op::Input(input) if is_float(input.index()) && is_wanted(input.index()) => Some((input.index(), id)),
                _ => None,
            })
            .collect();
        let nodes: Vec<NodeId> = readers.iter().map(|(_, id)| *id).collect();
        let terms = pull_back(&mut b, &seeds, &nodes);
        let mut grads: Vec<Option<NodeId>> = vec![None; body.inputs.len()];
        for ((at, _), term) in readers.iter().zip(terms) {
            if let Some(term) = term {
                grads[*at] = Some(grads[*at].map_or(term, |sum| b.add(sum, term)));
            }
        }

        let mut ends: Vec<NodeId> = Vec::new();
        let mut carries: Vec<Carried> = Vec::new();
        for &at in &floats {
            carries.push(Carried::Gradient(at));
            let ty = body.inputs[scan.rows + at].ty.clone();
            ends.push(grads[scan.rows + at].unwrap_or_else(|| zeros(&mut b, &ty)));
        }
        for (at, grad) in grads.iter().enumerate().skip(scan.rows + scan.carries) {
            if let Some(term) = *grad {
                let sum = new_input(&mut b, body.inputs[at].ty.clone());
                from.insert(sum, Incoming::Carry(Carried::Sum(at)));
                carries.push(Carried::Sum(at));
                ends.push(b.add(sum, term));
            }
        }
        let row_grads: Vec<usize> = (0..scan.rows).filter(|&at| grads[at].is_some()).collect();
        ends.extend(row_grads.iter().filter_map(|&at| grads[at]));

        let mut cut =
            Cut { scan, joint: &b.graph, from, new: FxHashMap::default(), kept: Vec::new(), inputs: Vec::new() };
        let mut out = Builder::new(Graph { sizes: body.sizes.clone(), host: b.graph.host.clone(), ..Graph::default() });
        let ends: Vec<NodeId> = ends.into_iter().map(|end| cut.node(&mut out, end)).collect();
        let Cut { inputs, kept, .. } = cut;
        let rows = inputs.iter().filter_map(|(incoming, _)| incoming.row()).collect();
        let wholes = inputs.iter().filter_map(|(incoming, _)| incoming.whole()).collect();
        out.graph.outputs = Scan::outputs(ends);
        let body = in_order(out.finish(), &inputs, &carries);
        Reverse { body, rows, carries, wholes, kept, row_grads }
    }
}

/// What an input of the reverse is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Incoming {
    Row(Row),
    Carry(Carried),
    Whole(usize),
}

impl Incoming {
    fn row(self) -> Option<Row> {
        if let Incoming::Row(row) = self { Some(row) } else { None }
    }

    fn whole(self) -> Option<usize> {
        if let Incoming::Whole(at) = self { Some(at) } else { None }
    }
}

/// Takes the reverse out of the graph that holds both ways.
struct Cut<'a> {
    scan: &'a Scan,
    joint: &'a Graph,
    /// The inputs that the way back has of its own.
    from: FxHashMap<NodeId, Incoming>,
    new: FxHashMap<NodeId, NodeId>,
    kept: Vec<NodeId>,
    inputs: Vec<(Incoming, Ty)>,
}

impl Cut<'_> {
    /// The node of the reverse for one of both ways; what it is made of comes first.
    fn node(&mut self, out: &mut Builder, wanted: NodeId) -> NodeId {
        let mut stack = vec![wanted];
        while let Some(&id) = stack.last() {
            if self.new.contains_key(&id) {
                stack.pop();
                continue;
            }
            let node = self.joint.node(id);
            let made = match self.incoming(id) {
                Some(incoming) => self.input(out, incoming, node.ty.clone()),
                None => {
                    let missing: Vec<NodeId> =
                        node.args.iter().copied().filter(|arg| !self.new.contains_key(arg)).collect();
                    if !missing.is_empty() {
                        stack.extend(missing);
                        continue;
                    }
                    let args: Vec<NodeId> = node.args.iter().map(|arg| self.new[arg]).collect();
                    out.push(node.op.clone(), &args, node.origin)
                }
            };
            self.new.insert(id, made);
            stack.pop();
        }
        self.new[&wanted]
    }

    /// What comes in from outside in the place of a node, unless the reverse computes it.
    fn incoming(&mut self, id: NodeId) -> Option<Incoming> {
        if let Some(own) = self.from.get(&id) {
            return Some(*own);
        }
        let node = self.joint.node(id);
        if id.index() >= self.scan.body.nodes.len() || is_made_again(&node.op) {
            return None;
        }
        if let Op::Input(input) = node.op {
            match self.scan.arg(input.index()) {
                ScanArg::Row => return Some(Incoming::Row(Row::Arg(input.index()))),
                ScanArg::Whole => return Some(Incoming::Whole(input.index())),
                ScanArg::Carry(_) => {}
            }
        }
        let at = self.kept.iter().position(|known| *known == id).unwrap_or_else(|| {
            self.kept.push(id);
            self.kept.len() - 1
        });
        Some(Incoming::Row(Row::Kept(at)))
    }

    fn input(&mut self, out: &mut Builder, incoming: Incoming, ty: Ty) -> NodeId {
        let at = self.inputs.iter().position(|(known, _)| *known == incoming).unwrap_or_else(|| {
            self.inputs.push((incoming, ty.clone()));
            out.graph.inputs.push(Input { name: String::new(), ty, below: None });
            self.inputs.len() - 1
        });
        out.node(Op::Input(InputId(at as u32)), &[])
    }
}

/// Whether the reverse makes a value again rather than have it kept: no arithmetic is in it.
fn is_made_again(op: &Op) -> bool {
    match op {
        Op::Const(_) | Op::Scalar(_) | Op::Iota(_) => true,
        Op::Permute(_) | Op::Reshape(_) | Op::Broadcast { .. } | Op::StopGradient | Op::Remat => true,
        Op::Map(map) => matches!(map, MapOp::Cmp(_) | MapOp::And | MapOp::Or | MapOp::Not | MapOp::Cast(_)),
        _ => false,
    }
}

/// The body with its inputs in the order of a loop: rows, carries, wholes. A carry that nothing reads has one too.
fn in_order(mut body: Graph, inputs: &[(Incoming, Ty)], carries: &[Carried]) -> Graph {
    let mut order: SmallVec<[Incoming; 16]> =
        inputs.iter().map(|(incoming, _)| *incoming).filter(|i| i.row().is_some()).collect();
    order.extend(carries.iter().map(|carry| Incoming::Carry(*carry)));
    order.extend(inputs.iter().map(|(incoming, _)| *incoming).filter(|i| i.whole().is_some()));
    let carry_ty = |incoming: &Incoming| {
        let Incoming::Carry(carry) = incoming else { return None };
        let at = carries.iter().position(|known| known == carry)?;
        Some(body.ty(body.outputs[at].node).clone())
    };
    let known = |incoming: &Incoming| inputs.iter().find(|(other, _)| other == incoming).map(|(_, ty)| ty.clone());
    let types: Vec<Ty> = order.iter().filter_map(|incoming| known(incoming).or_else(|| carry_ty(incoming))).collect();
    let place = |at: usize| order.iter().position(|incoming| *incoming == inputs[at].0).unwrap_or_default();
    for node in &mut body.nodes {
        if let Op::Input(input) = &mut node.op {
            *input = InputId(place(input.index()) as u32);
        }
    }
    body.inputs = types.into_iter().map(|ty| Input { name: String::new(), ty, below: None }).collect();
    body
}

fn new_input(b: &mut Builder, ty: Ty) -> NodeId {
    b.graph.inputs.push(Input { name: String::new(), ty, below: None });
    b.node(Op::Input(InputId(b.graph.inputs.len() as u32 - 1)), &[])
}

fn zeros(b: &mut Builder, ty: &Ty) -> NodeId {
    b.full(&ty.dims, crate::ops::Number::new(ty.dtype, 0.0))
}
