//! Loops with as little in them as can be.
//!
//! In: a graph whose loops have recognised bodies. Out: one in which
//! - what an iteration computes from rows and wholes alone, and is a product or a gather, or not even of its row, is
//!   computed before the loop, for all iterations at once (*hoisted*);
//! - a carry that only sums is a sum after the loop, and a row that ends in a product is that product of all rows after
//!   it (*sunk*): the gradient of a weight is one matrix product over all iterations;
//! - nothing is computed, carried or kept that no result needs.
//!
//! See Note [What leaves a loop].

use std::sync::Arc;

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::base::bug;
use crate::ir::{Dim, Graph, Input, InputId, NodeId, Scan, ScanArg};
use crate::ops::rewrite::{rebuild, uses, without_dead};
use crate::ops::{Batched, Builder, MapOp, Op, ReduceOp, batch};

/// A loop of a graph, with its arguments.
type Loop = (Arc<Scan>, SmallVec<[NodeId; 3]>);

/// Rewrites every loop of a graph.
pub(super) fn run(graph: &Graph) -> Graph {
    if !graph.nodes.iter().any(|node| matches!(node.op, Op::Scan(..))) {
        return graph.clone();
    }
    let uses = uses(graph);
    // By the loop and its arguments, what stands for each of its results.
    let mut made: FxHashMap<Loop, Vec<Option<NodeId>>> = FxHashMap::default();
    rebuild(graph, |b, site| {
        let node = graph.node(site.id);
        let Op::Scan(scan, result) = &node.op else { return None };
        let key = (scan.clone(), node.args.clone());
        let results = made.entry(key).or_insert_with(|| {
            let is_result = |id: &NodeId| {
                let other = graph.node(*id);
                uses[id.index()] > 0
                    && other.args == node.args
                    && matches!(&other.op, Op::Scan(same, _) if same == scan)
            };
            let mut wanted = vec![false; scan.body.outputs.len()];
            for id in graph.ids().filter(is_result) {
                if let Op::Scan(_, result) = graph.node(id).op {
                    wanted[result] = true;
                }
            }
            lighten(b, scan, site.args, &wanted)
        });
        results[*result]
    })
}

/// The results of a loop that are wanted, by a loop with less in it.
fn lighten(b: &mut Builder, scan: &Scan, args: &[NodeId], wanted: &[bool]) -> Vec<Option<NodeId>> {
    let split = Scan { body: split_joined(scan), ..scan.clone() };
    let mut inside = Inside::new(&split, args);
    let hoisted = inside.hoist(b);
    let body = &split.body;

    // What each result is: taken from the loop, or made of rows after it.
    let mut rows: Vec<NodeId> = Vec::new();
    let mut after: Vec<Option<After>> = Vec::new();
    let sums = summing(&split, wanted);
    for (at, output) in body.outputs.iter().enumerate() {
        after.push(match wanted[at] {
            false => None,
            true if at < scan.carries => match sums[at] {
                Some(term) if inside.sum_needs(term, &mut rows) => Some(After::Sum(term)),
                _ => Some(After::Carry),
            },
            true => {
                inside.row_needs(output.node, &mut rows);
                Some(After::Row)
            }
        });
    }
    let carried: Vec<bool> = needed_carries(&split, &hoisted, &rows, &after);
    let sealed = seal(b, &split, args, &inside, &hoisted, &carried, &rows);
    for (at, &row) in rows.iter().enumerate() {
        let stacked = sealed.row(b, at);
        inside.known.insert(row, Batched::Many(stacked));
    }
    let results = after.iter().enumerate().map(|(at, after)| {
        Some(match after.as_ref()? {
            After::Carry => sealed.carry(b, &carried, at),
            After::Row => {
                let value = inside.value(b, body.outputs[at].node)?;
                value.spread(b, &scan.count)
            }
            After::Sum(term) => {
                let sum = inside.sum(b, *term);
                b.add(args[scan.rows + at], sum)
            }
        })
    });
    results.collect()
}

/// Where a result comes from.
enum After {
    /// The loop's last value.
    Carry,
    /// Rows, stacked, and what is sunk of them.
    Row,
    /// The sum of this node's values over all iterations.
    Sum(NodeId),
}

/// How much of the loop a value depends on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Class {
    /// Nothing: it is the same in all iterations.
    Fixed,
    /// The rows of its position.
    Row,
    /// What is carried.
    Carried,
}

/// The body of a loop seen from outside.
struct Inside<'a> {
    scan: &'a Scan,
    classes: Vec<Class>,
    /// Whether a node can be computed outside of the loop, for all iterations.
    outside: Vec<bool>,
    /// Values of the body that are there outside, stacked or not.
    known: FxHashMap<NodeId, Batched>,
}

impl<'a> Inside<'a> {
    fn new(scan: &'a Scan, args: &[NodeId]) -> Inside<'a> {
        let mut known = FxHashMap::default();
        for id in scan.body.ids() {
            if let Op::Input(input) = scan.body.node(id).op {
                match scan.arg(input.index()) {
                    ScanArg::Row => known.insert(id, Batched::Many(args[input.index()])),
                    ScanArg::Whole => known.insert(id, Batched::One(args[input.index()])),
                    ScanArg::Carry(_) => None,
                };
            }
        }
        let classes = classes(scan);
        let outside = outside(scan, &classes);
        Inside { scan, classes, outside, known }
    }

    fn class(&self, id: NodeId) -> Class {
        self.classes[id.index()]
    }

    /// Computes outside what pays there: tells which nodes of the body come in from there.
    fn hoist(&mut self, b: &mut Builder) -> Vec<NodeId> {
        let body = &self.scan.body;
        let uses = uses(body);
        let mut hoisted = Vec::new();
        for id in body.ids().filter(|id| uses[id.index()] > 0) {
            let op = &body.node(id).op;
            let is_work = self.outside[id.index()]
                && match self.class(id) {
                    Class::Fixed => !is_view(op) && !op_is_leaf(op),
                    Class::Row => matches!(op, Op::Contract { .. } | Op::Take(_)),
                    Class::Carried => false,
                };
            if is_work && self.value(b, id).is_some() {
                hoisted.push(id);
            }
        }
        hoisted
    }

    /// The value of a node outside of the loop; none where it needs what is carried and not kept, or no operation
    /// computes it for all iterations.
    fn value(&mut self, b: &mut Builder, id: NodeId) -> Option<Batched> {
        if let Some(known) = self.known.get(&id) {
            return Some(*known);
        }
        let node = self.scan.body.node(id);
        let args = node.args.iter().map(|&arg| self.value(b, arg)).collect::<Option<Vec<_>>>()?;
        b.origin = node.origin;
        let value = match &node.op {
            Op::Input(_) => return None,
            Op::Scalar(host) => {
                let hosts = b.graph.host.append(&self.scan.body.host);
                Batched::One(b.scalar(hosts[host.0 as usize]))
            }
            op if op_is_leaf(op) => Batched::One(b.node(op.clone(), &[])),
            op => batch(b, op, &args, &self.scan.count)?,
        };
        self.known.insert(id, value);
        Some(value)
    }

    /// Has a node kept as rows, unless it can be computed outside.
    fn needs(&self, id: NodeId, rows: &mut Vec<NodeId>) {
        if !self.outside[id.index()] && !rows.contains(&id) {
            rows.push(id);
        }
    }

    /// The rows that a result needs: itself, or where it is a product behind views, the operands.
    fn row_needs(&self, id: NodeId, rows: &mut Vec<NodeId>) {
        let node = self.scan.body.node(id);
        match &node.op {
            _ if self.outside[id.index()] => {}
            Op::Permute(_) | Op::Reshape(_) => self.row_needs(node.args[0], rows),
            // A product of what has as many elements at most.
            Op::Contract { .. } if !self.is_read_inside(id) => node.args.iter().for_each(|&arg| self.needs(arg, rows)),
            _ => self.needs(id, rows),
        }
    }

    /// Whether the loop itself wants a value: one of its carries is made of it.
    fn is_read_inside(&self, id: NodeId) -> bool {
        let body = &self.scan.body;
        let mut reads = vec![false; body.nodes.len()];
        (0..self.scan.carries).for_each(|at| reads[self.scan.output(at).index()] = true);
        for at in body.ids().rev().filter(|at| *at >= id) {
            if reads[at.index()] {
                body.node(at).args.iter().for_each(|arg| reads[arg.index()] = true);
            }
        }
        reads[id.index()]
    }

    /// The rows that a sum over the iterations needs; whether it can be had so.
    fn sum_needs(&self, id: NodeId, rows: &mut Vec<NodeId>) -> bool {
        let node = self.scan.body.node(id);
        match &node.op {
            Op::Map(MapOp::Add) => node.args.iter().all(|&arg| self.sum_needs(arg, rows)),
            Op::Permute(_) | Op::Reshape(_) | Op::Reduce(ReduceOp::Sum, _) => self.sum_needs(node.args[0], rows),
            Op::Contract { .. } => {
                node.args.iter().for_each(|&arg| self.needs(arg, rows));
                true
            }
            Op::ScatterAdd(0, _) => {
                node.args.iter().for_each(|&arg| self.needs(arg, rows));
                true
            }
            Op::ScatterAdd(..) | Op::Scan(..) => false,
            _ => {
                self.needs(id, rows);
                true
            }
        }
    }

    /// The sum of a node over the iterations.
    fn sum(&mut self, b: &mut Builder, id: NodeId) -> NodeId {
        let node = self.scan.body.node(id);
        let count = self.scan.count.clone();
        match &node.op {
            Op::Map(MapOp::Add) => {
                let (x, y) = (self.sum(b, node.args[0]), self.sum(b, node.args[1]));
                b.add(x, y)
            }
            Op::Permute(perm) => {
                let sum = self.sum(b, node.args[0]);
                b.permute(sum, perm)
            }
            Op::Reshape(dims) => {
                let sum = self.sum(b, node.args[0]);
                b.reshape(sum, dims)
            }
            // From inside out, so that a product below meets its own sum.
            Op::Reduce(ReduceOp::Sum, axes) => match self.scan.body.node(node.args[0]).op {
                Op::Contract { .. } | Op::Map(MapOp::Add) => {
                    let sum = self.sum(b, node.args[0]);
                    b.sum(sum, axes)
                }
                _ => {
                    let all = self.spread(b, node.args[0]);
                    let axes: Vec<usize> = [0].into_iter().chain(axes.iter().map(|axis| axis + 1)).collect();
                    b.sum(all, &axes)
                }
            },
            Op::Contract { a, b: other, out } => {
                let args = [node.args[0], node.args[1]].map(|arg| self.outside(b, arg));
                sum_of_products(b, [a, other], out, args, &count)
            }
            Op::ScatterAdd(0, n) => {
                let (index, update) = (self.spread(b, node.args[0]), self.spread(b, node.args[1]));
                b.scatter_add(0, n.clone(), index, update)
            }
            _ => {
                let all = self.spread(b, id);
                b.sum(all, &[0])
            }
        }
    }

    fn outside(&mut self, b: &mut Builder, id: NodeId) -> Batched {
        self.value(b, id).unwrap_or_else(|| bug!("{id:?} of a loop is not kept"))
    }

    fn spread(&mut self, b: &mut Builder, id: NodeId) -> NodeId {
        let value = self.outside(b, id);
        value.spread(b, &self.scan.count)
    }
}

/// `Σ_t a_t · b_t`: the iterations are one more summed axis.
fn sum_of_products(b: &mut Builder, labels: [&Vec<u8>; 2], out: &[u8], args: [Batched; 2], count: &Dim) -> NodeId {
    let new = labels.iter().flat_map(|side| side.iter()).max().map_or(0, |most| most + 1);
    match args {
        [Batched::Many(x), Batched::Many(y)] => {
            let side = |at: usize| -> Vec<u8> { [new].iter().chain(labels[at]).copied().collect() };
            b.contract((x, &side(0)), (y, &side(1)), out)
        }
        // What is the same for all comes out of the sum.
        [x, y] => {
            let total = |b: &mut Builder, value: Batched, other: Batched| match (value, other) {
                (Batched::Many(node), _) => b.sum(node, &[0]),
                (Batched::One(node), Batched::Many(_)) => node,
                (Batched::One(_), Batched::One(_)) => {
                    let all = value.spread(b, count);
                    b.sum(all, &[0])
                }
            };
            let (left, right) =
                (total(b, x, y), if let Batched::One(_) = x { total(b, y, Batched::Many(x.node())) } else { y.node() });
            b.contract((left, labels[0]), (right, labels[1]), out)
        }
    }
}

fn classes(scan: &Scan) -> Vec<Class> {
    let body = &scan.body;
    let mut classes = Vec::with_capacity(body.nodes.len());
    for node in &body.nodes {
        let own = match node.op {
            Op::Input(input) => match scan.arg(input.index()) {
                ScanArg::Row => Class::Row,
                ScanArg::Carry(_) => Class::Carried,
                ScanArg::Whole => Class::Fixed,
            },
            _ => Class::Fixed,
        };
        let of_args = node.args.iter().map(|arg| classes[arg.index()]).max().unwrap_or(Class::Fixed);
        classes.push(own.max(of_args));
    }
    classes
}

/// Which nodes depend on nothing carried and are operations that `batch` does for all iterations.
fn outside(scan: &Scan, classes: &[Class]) -> Vec<bool> {
    let body = &scan.body;
    let mut outside = vec![false; body.nodes.len()];
    for id in body.ids() {
        let node = body.node(id);
        let is_row = |at: usize| classes[node.args[at].index()] == Class::Row;
        let done = match &node.op {
            Op::Input(input) => !matches!(scan.arg(input.index()), ScanArg::Carry(_)),
            Op::Scan(..) | Op::Variable(_) | Op::Derivative | Op::WithGradient | Op::Incoming { .. } => false,
            Op::Take(_) => !(is_row(0) && is_row(1)),
            Op::ScatterAdd(..) => !is_row(0),
            _ => true,
        };
        outside[id.index()] = done && node.args.iter().all(|arg| outside[arg.index()]);
    }
    outside
}

fn is_view(op: &Op) -> bool {
    matches!(
        op,
        Op::Permute(_) | Op::Reshape(_) | Op::Broadcast { .. } | Op::Window { .. } | Op::StopGradient | Op::Remat
    )
}

fn op_is_leaf(op: &Op) -> bool {
    matches!(op, Op::Input(_) | Op::Const(_) | Op::Scalar(_) | Op::Iota(_))
}

/// `[a, b] · w = a · w_a + b · w_b`, where one of the joined parts leaves the loop by itself.
fn split_joined(scan: &Scan) -> Graph {
    let classes = classes(scan);
    let split = rebuild(&scan.body, |b, site| {
        let old = site.old.node(site.id);
        let Op::Contract { a, b: other, out } = &old.op else { return None };
        let labels = [a, other];
        for side in 0..2 {
            let joined = site.old.node(old.args[side]);
            let Op::Concat(axis) = joined.op else { continue };
            let label = labels[side][axis];
            let apart = joined.args.iter().any(|part| classes[part.index()] != Class::Carried);
            let carried = joined.args.iter().any(|part| classes[part.index()] == Class::Carried);
            if !(apart && carried) || out.contains(&label) {
                continue;
            }
            let parts = b.graph.node(site.args[side]).args.clone();
            let (whole, there) = (site.args[1 - side], labels[1 - side].iter().position(|known| *known == label)?);
            let mut start = Dim::ZERO;
            let mut sum: Option<NodeId> = None;
            for part in parts {
                let len = b.dims(part)[axis].clone();
                let slice = b.slice(whole, there, start.clone(), len.clone());
                start = start.add(&len).ok()?;
                let (x, y) = if side == 0 { (part, slice) } else { (slice, part) };
                let product = b.contract((x, a), (y, other), out);
                sum = Some(sum.map_or(product, |sum| b.add(sum, product)));
            }
            return sum;
        }
        None
    });
    without_dead(&split)
}

/// For each carry that does nothing but sum, what it sums.
fn summing(scan: &Scan, wanted: &[bool]) -> Vec<Option<NodeId>> {
    let body = &scan.body;
    let uses = uses(body);
    let term = |at: usize| {
        let end = scan.output(at);
        let node = body.node(end);
        let is_own = |arg: &NodeId| {
            matches!(body.node(*arg).op, Op::Input(input) if input.index() == scan.rows + at) && uses[arg.index()] == 1
        };
        if node.op != Op::Map(MapOp::Add) || uses[end.index()] != 1 || !wanted[at] {
            return None;
        }
        let readers = body.ids().filter(|id| is_own(id) || matches!(body.node(*id).op, Op::Input(input) if input.index() == scan.rows + at && uses[id.index()] > 0));
        if readers.count() != 1 {
            return None;
        }
        match node.args[..] {
            [x, y] if is_own(&x) && !is_own(&y) => Some(y),
            [x, y] if is_own(&y) && !is_own(&x) => Some(x),
            _ => None,
        }
    };
    (0..scan.carries).map(term).collect()
}

/// Which carries the loop needs for what is still asked of it.
fn needed_carries(scan: &Scan, hoisted: &[NodeId], rows: &[NodeId], after: &[Option<After>]) -> Vec<bool> {
    let body = &scan.body;
    let mut carried: Vec<bool> = (0..scan.carries).map(|at| matches!(after[at], Some(After::Carry))).collect();
    loop {
        let mut reads = vec![false; body.nodes.len()];
        rows.iter().for_each(|row| reads[row.index()] = true);
        (0..scan.carries).filter(|&at| carried[at]).for_each(|at| reads[scan.output(at).index()] = true);
        for id in body.ids().rev() {
            if reads[id.index()] && !hoisted.contains(&id) {
                body.node(id).args.iter().for_each(|arg| reads[arg.index()] = true);
            }
        }
        let mut more = false;
        for id in body.ids().filter(|id| reads[id.index()]) {
            if let Op::Input(input) = body.node(id).op
                && let ScanArg::Carry(at) = scan.arg(input.index())
            {
                more |= !carried[at];
                carried[at] = true;
            }
        }
        if !more {
            return carried;
        }
    }
}

/// A loop with nothing in it but what is needed.
struct Sealed {
    /// None when nothing is left of it.
    scan: Option<Arc<Scan>>,
    args: Vec<NodeId>,
    carries: usize,
}

impl Sealed {
    fn carry(&self, b: &mut Builder, carried: &[bool], at: usize) -> NodeId {
        let place = carried[..at].iter().filter(|carried| **carried).count();
        self.result(b, place)
    }

    fn row(&self, b: &mut Builder, at: usize) -> NodeId {
        self.result(b, self.carries + at)
    }

    fn result(&self, b: &mut Builder, at: usize) -> NodeId {
        match &self.scan {
            Some(scan) => b.node(Op::Scan(scan.clone(), at), &self.args),
            None => bug!("result {at} of a loop that is gone"),
        }
    }
}

/// Builds the loop of the carries and rows that are needed; hoisted values come in from outside.
fn seal(
    b: &mut Builder,
    scan: &Scan,
    args: &[NodeId],
    inside: &Inside<'_>,
    hoisted: &[NodeId],
    carried: &[bool],
    rows: &[NodeId],
) -> Sealed {
    let carries = carried.iter().filter(|carried| **carried).count();
    if carries + rows.len() == 0 {
        return Sealed { scan: None, args: Vec::new(), carries };
    }
    let body = &scan.body;
    let ends: Vec<NodeId> =
        (0..scan.carries).filter(|&at| carried[at]).map(|at| scan.output(at)).chain(rows.iter().copied()).collect();
    let mut reads = vec![false; body.nodes.len()];
    ends.iter().for_each(|end| reads[end.index()] = true);
    for id in body.ids().rev() {
        if reads[id.index()] && !hoisted.contains(&id) {
            body.node(id).args.iter().for_each(|arg| reads[arg.index()] = true);
        }
    }
    // What comes in: each node of the body that stands for it, and its argument.
    let mut incoming: [Vec<(NodeId, NodeId)>; 3] = Default::default();
    for id in body.ids().filter(|id| reads[id.index()]) {
        match body.node(id).op {
            Op::Input(input) => match scan.arg(input.index()) {
                ScanArg::Row => incoming[0].push((id, args[input.index()])),
                ScanArg::Whole => incoming[2].push((id, args[input.index()])),
                ScanArg::Carry(_) => {}
            },
            _ if hoisted.contains(&id) => match inside.known[&id] {
                Batched::Many(node) => incoming[0].push((id, node)),
                Batched::One(node) => incoming[2].push((id, node)),
            },
            _ => {}
        }
    }
    let mut inner =
        Builder::interning(Graph { sizes: body.sizes.clone(), host: body.host.clone(), ..Graph::default() });
    let mut new: Vec<Option<NodeId>> = vec![None; body.nodes.len()];
    let mut given: Vec<NodeId> = Vec::new();
    let mut input = |inner: &mut Builder, ty: crate::ir::Ty, from: NodeId| -> NodeId {
        given.push(from);
        inner.graph.inputs.push(Input { name: String::new(), ty, below: None });
        inner.node(Op::Input(InputId(given.len() as u32 - 1)), &[])
    };
    for &(id, from) in &incoming[0] {
        new[id.index()] = Some(input(&mut inner, body.ty(id).clone(), from));
    }
    for at in (0..scan.carries).filter(|&at| carried[at]) {
        let number = scan.rows + at;
        let made = input(&mut inner, body.inputs[number].ty.clone(), args[number]);
        for id in body.ids() {
            if matches!(body.node(id).op, Op::Input(input) if input.index() == number) {
                new[id.index()] = Some(made);
            }
        }
    }
    for &(id, from) in &incoming[2] {
        new[id.index()] = Some(input(&mut inner, body.ty(id).clone(), from));
    }
    for id in body.ids().filter(|id| reads[id.index()]) {
        if new[id.index()].is_none() {
            let node = body.node(id);
            let args: Vec<NodeId> = node.args.iter().filter_map(|arg| new[arg.index()]).collect();
            new[id.index()] = Some(inner.push(node.op.clone(), &args, node.origin));
        }
    }
    inner.graph.outputs = Scan::outputs(ends.iter().filter_map(|end| new[end.index()]));
    let scan = Scan {
        count: scan.count.clone(),
        reversed: scan.reversed,
        rows: incoming[0].len(),
        carries,
        body: inner.finish(),
    };
    let args = given;
    b.origin = Default::default();
    Sealed { scan: Some(Arc::new(scan)), args, carries }
}

// Note [What leaves a loop]
//
// With x_t a row, w whole and h carried, `x_t · w` for all t is one product of the stacked rows, so it is hoisted; so
// are gathers of rows, and whatever is the same in all iterations. Elementwise work on rows stays: inside it is
// part of a kernel that runs anyway.
//
// A carry `s := s + f_t` that nothing else reads is `s_0 + Σ_t f_t` at the end. Where f_t = Σ_k a_tk · b_tk, the
// iterations are one more summed axis of the product of stacked a and b. Sums and views pass this on: what is
// summed over a batch inside is summed over iterations and batch outside. What remains is kept as rows and summed; so a
// sum that looks at nothing carried leaves nothing behind.
//
// A row that ends in a product nobody in the loop reads is that product of all rows: the gradient by x of x_t · w.
//
// Rounding differs, as it does between any two orders of a sum.
