//! Attention, however it was written.
//!
//! `Σ_s softmax_s(score(q·k)) · v`, where q and k have an axis each that the product keeps, is one operation, whose
//! weights are never all in memory. The softmax is `e / Σe` with `e = exp(x - m)` for any m that is the same
//! along s, or `exp(x - logsumexp(x))`; the division stands before the last product or after it. The score is
//! elementwise work between one product `q·k` and x; whatever else it reads is a further argument.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::ir::{Attention, AttentionResult, DType, Dim, Graph, Input, InputId, NodeId, Ty};
use crate::ops::{Builder, MapOp, Op, ReduceOp, splat_value};

/// How large a score may be, and how much it may read beside the product.
const MAX_SCORE: usize = 48;
const MAX_FURTHER: usize = 6;
/// Of fewer weights a batched product is the better way.
const MIN_WEIGHTS: i64 = 256;
/// What keeps a sum from being 0 where all is masked, at most.
const TINY: f64 = 1e-6;

/// Why a softmax and a product with values are not one operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// The weights have no axis of a batch.
    NoBatch,
    /// The weights have not one axis of queries, which the values lack, and one that is summed.
    Weights,
    /// The values have not one axis of their own.
    Values,
    /// Behind the scores is no product of queries and keys with all axes of the batch, over one axis.
    Scores,
    /// The score computes or reads too much beside the product.
    Score,
    /// There are few weights: nothing would be gained.
    Few,
}

/// `Σ_s e·v / Σ_s e`
pub(super) fn of_quotient(b: &mut Builder, above: NodeId, below: NodeId) -> Option<NodeId> {
    let Op::Contract { a, b: other, out } = b.graph.node(above).op.clone() else { return None };
    let args = b.graph.node(above).args.clone();
    let Op::Broadcast { axes, .. } = b.graph.node(below).op.clone() else { return None };
    let total = b.graph.node(below).args[0];
    for (side, labels, rest) in [(0, &a, &other), (1, &other, &a)] {
        let (e, v) = (args[side], args[1 - side]);
        let Ok(roles) = Roles::of(labels, rest, &out) else { continue };
        if sum_of(b, total) != Some((e, roles.s)) {
            continue;
        }
        // The sum is divided by where it belongs: its axes are those of e without s.
        let kept: Vec<u8> = (0..labels.len()).filter(|&at| at != roles.s).map(|at| labels[at]).collect();
        let fits = |(at, axis): (usize, &Option<usize>)| axis.is_none_or(|axis| kept.get(axis) == Some(&out[at]));
        if !axes.iter().enumerate().all(fits) || axes.iter().flatten().count() != kept.len() {
            continue;
        }
        let x = exponent(b, e, roles.s)?;
        return attend(b, x, v, labels, rest, &out, &roles).ok();
    }
    None
}

/// `Σ_s p·v` with p a softmax that is written out.
pub(super) fn of_product(b: &mut Builder, product: NodeId) -> Option<NodeId> {
    let Op::Contract { a, b: other, out } = b.graph.node(product).op.clone() else { return None };
    let args = b.graph.node(product).args.clone();
    for (side, labels, rest) in [(0, &a, &other), (1, &other, &a)] {
        let (p, v) = (args[side], args[1 - side]);
        let Ok(roles) = Roles::of(labels, rest, &out) else { continue };
        if let Some(x) = softmax_of(b, p, roles.s) {
            return attend(b, x, v, labels, rest, &out, &roles).ok();
        }
    }
    None
}

/// What keeps `Σ_s e·v`, with e of the scores x and both with labels, from being an attention; nothing where it is one
/// in some spelling.
pub(super) fn unfit(b: &mut Builder, x: NodeId, v: NodeId, [weights, values, out]: [&[u8]; 3]) -> Option<Unfit> {
    Roles::of(weights, values, out).and_then(|roles| attend(b, x, v, weights, values, out, &roles)).err()
}

/// What the axes of the weights are.
struct Roles {
    /// Places of the axes of the batch, in order.
    batch: Vec<usize>,
    t: usize,
    s: usize,
}

impl Roles {
    /// In a product of weights and values: one axis is kept and one summed, the others are the batch's, of which there
    /// is one at least; the values have one of their own.
    fn of(weights: &[u8], values: &[u8], out: &[u8]) -> Result<Roles, Unfit> {
        let places =
            |of: &dyn Fn(&u8) -> bool| -> Vec<usize> { (0..weights.len()).filter(|&at| of(&weights[at])).collect() };
        let batch = places(&|label| values.contains(label) && out.contains(label));
        let t = places(&|label| !values.contains(label));
        let s = places(&|label| values.contains(label) && !out.contains(label));
        let own = values.iter().filter(|label| !weights.contains(label)).count();
        match (&t[..], &s[..]) {
            (&[_], &[_]) if batch.is_empty() => Err(Unfit::NoBatch),
            (&[_], &[_]) if own != 1 => Err(Unfit::Values),
            (&[t], &[s]) => Ok(Roles { batch, t, s }),
            _ => Err(Unfit::Weights),
        }
    }

    /// The order `[batch, t, s]`.
    fn order(&self) -> Vec<usize> {
        self.batch.iter().copied().chain([self.t, self.s]).collect()
    }
}

/// What a value is the sum of, and along which axis; a tiny number may keep it from being 0.
fn sum_of(b: &Builder, id: NodeId) -> Option<(NodeId, usize)> {
    let node = b.graph.node(id);
    match &node.op {
        Op::Reduce(ReduceOp::Sum, axes) if axes.len() == 1 => Some((node.args[0], axes[0])),
        Op::Map(MapOp::Max) => {
            let is_tiny = |id: NodeId| splat_value(&b.graph, id).is_some_and(|n| n.value() > 0.0 && n.value() <= TINY);
            let [x, y] = [node.args[0], node.args[1]];
            if is_tiny(y) {
                sum_of(b, x)
            } else if is_tiny(x) {
                sum_of(b, y)
            } else {
                None
            }
        }
        _ => None,
    }
}

/// x of `exp(x - m)` where m is the same along an axis.
fn exponent(b: &Builder, e: NodeId, axis: usize) -> Option<NodeId> {
    let node = b.graph.node(e);
    let Op::Map(MapOp::Exp) = node.op else { return None };
    let inner = b.graph.node(node.args[0]);
    if let Op::Map(MapOp::Sub) = inner.op
        && is_same_along(b, inner.args[1], axis)
    {
        return Some(inner.args[0]);
    }
    Some(node.args[0])
}

fn is_same_along(b: &Builder, id: NodeId, axis: usize) -> bool {
    matches!(&b.graph.node(id).op, Op::Broadcast { axes, .. } if axes[axis].is_none())
}

/// x of a softmax along an axis.
fn softmax_of(b: &Builder, p: NodeId, axis: usize) -> Option<NodeId> {
    let node = b.graph.node(p);
    match node.op {
        Op::Map(MapOp::Div) => {
            let total = b.graph.node(node.args[1]);
            let Op::Broadcast { axes, .. } = &total.op else { return None };
            let own = (0..axes.len()).filter(|&at| at != axis).map(Some);
            let fits =
                axes[axis].is_none() && axes.iter().flatten().copied().map(Some).eq((0..axes.len() - 1).map(Some));
            if !fits || own.count() + 1 != axes.len() || sum_of(b, total.args[0]) != Some((node.args[0], axis)) {
                return None;
            }
            exponent(b, node.args[0], axis)
        }
        Op::Map(MapOp::Exp) => {
            let inner = b.graph.node(node.args[0]);
            let Op::Map(MapOp::Sub) = inner.op else { return None };
            let repeated = b.graph.node(inner.args[1]);
            let Op::Broadcast { axes, .. } = &repeated.op else { return None };
            let sum = b.graph.node(repeated.args[0]);
            let in_order = axes.iter().flatten().copied().eq(0..axes.len() - 1);
            let is_own = sum.op == Op::LogSumExp(axis) && sum.args[0] == inner.args[0];
            (is_own && in_order && axes[axis].is_none()).then_some(inner.args[0])
        }
        _ => None,
    }
}

/// The attention with scores x.
fn attend(
    b: &mut Builder,
    x: NodeId,
    v: NodeId,
    weights: &[u8],
    values: &[u8],
    out: &[u8],
    roles: &Roles,
) -> Result<NodeId, Unfit> {
    // It runs in f32 alone; scores of f64 are products as any others.
    if b.ty(x).dtype != DType::F32 {
        return Err(Unfit::Few);
    }
    let dims = b.dims(x);
    let sizes: [Dim; 2] = [dims[roles.t].clone(), dims[roles.s].clone()];
    let known = [&sizes[0], &sizes[1]].map(Dim::as_const);
    if let [Some(t), Some(s)] = known
        && t * s < MIN_WEIGHTS
    {
        return Err(Unfit::Few);
    }
    let (fit, q, k) = fit_of(b, x, roles).ok_or(Unfit::Scores)?;
    let mut score = Score::new(b, fit, roles, sizes);
    let attention = score.node(b, x).and_then(|end| score.finish(end)).ok_or(Unfit::Score)?;
    let (further, attention) = (attention.0, Arc::new(attention.1));

    let batch: Vec<u8> = roles.batch.iter().map(|&at| weights[at]).collect();
    let own = *values.iter().find(|label| !weights.contains(label)).ok_or(Unfit::Values)?;
    let v = arranged(b, v, values, &[&batch[..], &[weights[roles.s], own]].concat()).ok_or(Unfit::Values)?;
    let args: Vec<NodeId> = [q, k, v].into_iter().chain(further).collect();
    let mean = b.node(Op::Attention(attention, AttentionResult::Mean), &args);
    arranged(b, mean, &[&batch[..], &[weights[roles.t], own]].concat(), out).ok_or(Unfit::Values)
}

/// A value with axes of these labels in another order.
fn arranged(b: &mut Builder, id: NodeId, labels: &[u8], order: &[u8]) -> Option<NodeId> {
    let perm: Option<Vec<usize>> = order.iter().map(|label| labels.iter().position(|known| known == label)).collect();
    Some(b.permute(id, &perm?))
}

/// The one product behind a score: it, and its operands as queries `[batch, t, e]` and keys `[batch, s, e]`.
fn fit_of(b: &mut Builder, x: NodeId, roles: &Roles) -> Option<(NodeId, NodeId, NodeId)> {
    let dims = b.dims(x);
    let mut seen = vec![x];
    let mut found: Vec<NodeId> = Vec::new();
    let mut next = 0;
    while let Some(&id) = seen.get(next) {
        next += 1;
        if seen.len() > MAX_SCORE {
            return None;
        }
        let node = b.graph.node(id);
        match node.op {
            Op::Map(_) => {
                for &arg in &node.args {
                    if !seen.contains(&arg) {
                        seen.push(arg);
                    }
                }
            }
            Op::Contract { .. } if node.ty.dims == dims => found.push(id),
            _ => {}
        }
    }
    found.into_iter().find_map(|fit| operands(b, fit, roles).map(|(q, k)| (fit, q, k)))
}

fn operands(b: &mut Builder, fit: NodeId, roles: &Roles) -> Option<(NodeId, NodeId)> {
    let node = b.graph.node(fit);
    let Op::Contract { a, b: other, out } = node.op.clone() else { return None };
    let args = node.args.clone();
    let batch: Vec<u8> = roles.batch.iter().map(|&at| out[at]).collect();
    let (t, s) = (out[roles.t], out[roles.s]);
    let summed: Vec<u8> = a.iter().copied().filter(|label| !out.contains(label)).collect();
    let &[e] = &summed[..] else { return None };
    for (q, k, x, y) in [(&a, &other, args[0], args[1]), (&other, &a, args[1], args[0])] {
        let has = |labels: &[u8], own: u8| {
            labels.len() == batch.len() + 2 && batch.iter().chain([&own, &e]).all(|label| labels.contains(label))
        };
        if has(q, t) && has(k, s) {
            let q = arranged(b, x, q, &[&batch[..], &[t, e]].concat())?;
            let k = arranged(b, y, k, &[&batch[..], &[s, e]].concat())?;
            return Some((q, k));
        }
    }
    None
}

/// The score of one position of the batch in the making.
struct Score<'a> {
    roles: &'a Roles,
    inner: Builder,
    sizes: [Dim; 2],
    new: FxHashMap<NodeId, NodeId>,
    further: Vec<NodeId>,
    each: Vec<bool>,
}

impl<'a> Score<'a> {
    fn new(b: &Builder, fit: NodeId, roles: &'a Roles, sizes: [Dim; 2]) -> Score<'a> {
        let mut inner = Builder::interning(Graph { sizes: b.graph.sizes.clone(), ..Graph::default() });
        let products = input(&mut inner, Ty::new(DType::F32, sizes.clone()));
        let new = [(fit, products)].into_iter().collect();
        Score { roles, inner, sizes, new, further: Vec::new(), each: Vec::new() }
    }

    fn node(&mut self, b: &mut Builder, id: NodeId) -> Option<NodeId> {
        if let Some(&known) = self.new.get(&id) {
            return Some(known);
        }
        if self.new.len() > MAX_SCORE {
            return None;
        }
        let node = b.graph.node(id).clone();
        let made = match &node.op {
            Op::Map(map) => {
                let args = node.args.iter().map(|&arg| self.node(b, arg)).collect::<Option<Vec<_>>>()?;
                self.inner.map(*map, &args)
            }
            _ => match splat_value(&b.graph, id) {
                Some(number) => self.inner.full(&self.sizes.clone(), number),
                None => self.leaf(b, id)?,
            },
        };
        self.new.insert(id, made);
        Some(made)
    }

    /// What the score reads beside the product: positions are its own, the rest comes from outside.
    fn leaf(&mut self, b: &mut Builder, id: NodeId) -> Option<NodeId> {
        let node = b.graph.node(id);
        let order = self.roles.order();
        let rank = order.len();
        // Which axis of the source each of `[batch, t, s]` is.
        let (source, axes): (NodeId, Vec<Option<usize>>) = match &node.op {
            Op::Broadcast { axes, .. } => (node.args[0], order.iter().map(|&at| axes[at]).collect()),
            _ => (id, order.iter().map(|&at| Some(at)).collect()),
        };
        let own: Vec<usize> = (0..2).filter(|at| axes[rank - 2 + at].is_some()).collect();
        let has_batch = axes[..rank - 2].iter().any(Option::is_some);
        if let (Op::Iota(dim), [axis]) = (&b.graph.node(source).op, &own[..]) {
            let positions = self.inner.node(Op::Iota(dim.clone()), &[]);
            return Some(self.inner.place(positions, &self.sizes.clone(), &[*axis]));
        }
        if self.further.len() == MAX_FURTHER {
            return None;
        }
        let perm: Vec<usize> = axes.iter().flatten().copied().collect();
        let mut value = b.permute(source, &perm);
        if has_batch {
            let all = b.dims(id);
            let mut dims: Vec<Dim> = self.roles.batch.iter().map(|&at| all[at].clone()).collect();
            let mut at: Vec<usize> = (0..rank - 2).filter(|&at| axes[at].is_some()).collect();
            for &axis in &own {
                at.push(dims.len());
                dims.push(self.sizes[axis].clone());
            }
            value = b.place(value, &dims, &at);
        }
        self.further.push(value);
        self.each.push(has_batch);
        let dims: Vec<Dim> = own.iter().map(|&axis| self.sizes[axis].clone()).collect();
        let read = input(&mut self.inner, Ty::new(b.ty(id).dtype, dims));
        Some(self.inner.place(read, &self.sizes.clone(), &own))
    }

    fn finish(mut self, end: NodeId) -> Option<(Vec<NodeId>, Attention)> {
        self.inner.graph.outputs = crate::ir::Scan::outputs([end]);
        let score = crate::ops::rewrite::without_dead(&self.inner.finish());
        Some((self.further, Attention { score, each: self.each }))
    }
}

fn input(b: &mut Builder, ty: Ty) -> NodeId {
    b.graph.inputs.push(Input { name: String::new(), ty, below: None });
    b.node(Op::Input(InputId(b.graph.inputs.len() as u32 - 1)), &[])
}
