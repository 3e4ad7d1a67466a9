//! Attention and its gradient. What both are is said by their definitions, loops over the batch whose iterations
//! run at once: so they are also how they are computed, with the weights of one position of the batch at a time.

use std::sync::Arc;

use super::{Cmp, Env, MapOp, Op, ReduceOp, Value, eval as eval_op};
use crate::base::bug;
use crate::ir::{
    Attention, AttentionArg, AttentionResult, DType, Dim, Graph, Input, InputId, NodeId, Scan, SizeOverflow, Ty,
};
use crate::ops::Builder;

/// Below the least sum that is not 0.
const TINY: f64 = 1e-30;

/// Sizes `[t, s]` of the scores of one position of the batch.
fn scores(attention: &Attention) -> Result<[Dim; 2], String> {
    let first = attention.score.inputs.first().ok_or("a score without products")?;
    let dims: Vec<Dim> = first.ty.dims.iter().cloned().collect();
    dims.try_into().map_err(|_| "a score of other axes than two".to_owned())
}

pub(super) fn infer(attention: &Attention, result: AttentionResult, args: &[&Ty]) -> Result<Ty, String> {
    let [t, _] = scores(attention)?;
    let [q, k, v, further @ ..] = args else { return Err("fewer arguments than three".to_owned()) };
    if q.rank() < 2 || further.len() != attention.each.len() || further.len() + 1 != attention.score.inputs.len() {
        return Err(format!(
            "{} further arguments of a score with {} inputs",
            further.len(),
            attention.score.inputs.len()
        ));
    }
    let batch = &q.dims[..q.rank() - 2];
    let (e, f) = (&q.dims[q.rank() - 1], v.dims.last().ok_or("values without axes")?);
    let [_, s] = scores(attention)?;
    let wanted = |tail: &[&Dim]| Ty::new(DType::F32, batch.iter().chain(tail.iter().copied()).cloned());
    for (arg, wanted) in [(q, wanted(&[&t, e])), (k, wanted(&[&s, e])), (v, wanted(&[&s, f]))] {
        if **arg != wanted {
            return Err(format!("an argument {arg:?} in the place of {wanted:?}"));
        }
    }
    for ((arg, each), input) in further.iter().zip(&attention.each).zip(&attention.score.inputs[1..]) {
        let in_front = if *each { batch } else { &[] };
        let wanted = Ty::new(input.ty.dtype, in_front.iter().chain(&input.ty.dims).cloned());
        if **arg != wanted {
            return Err(format!("a further argument {arg:?} in the place of {wanted:?}"));
        }
    }
    Ok(match result {
        AttentionResult::Mean => wanted(&[&t, f]),
        AttentionResult::LogSumExp => wanted(&[&t]),
    })
}

pub(super) fn infer_grad(attention: &Attention, arg: AttentionArg, args: &[&Ty]) -> Result<Ty, String> {
    let Some((first, [mean, sum, gradient])) = args.split_last_chunk() else {
        return Err("fewer arguments than three".to_owned());
    };
    let (wanted, wanted_sum) =
        (infer(attention, AttentionResult::Mean, first)?, infer(attention, AttentionResult::LogSumExp, first)?);
    if **mean != wanted || **gradient != wanted || **sum != wanted_sum {
        return Err("results of another attention".to_owned());
    }
    Ok(first[arg as usize].clone())
}

/// The gradients by q, k and v. `autodiff` sees to it that no other is wanted.
pub(super) fn grad(
    b: &mut Builder,
    attention: &Arc<Attention>,
    args: &[NodeId],
    mean: NodeId,
    dy: NodeId,
    wanted: &[bool],
) -> super::Grads {
    let sum = b.node(Op::Attention(attention.clone(), AttentionResult::LogSumExp), args);
    let given: Vec<NodeId> = args.iter().copied().chain([mean, sum, dy]).collect();
    let mut grads = super::Grads::from_elem(None, args.len());
    for (at, arg) in [AttentionArg::Query, AttentionArg::Key, AttentionArg::Value].into_iter().enumerate() {
        if wanted[at] {
            grads[at] = Some(b.node(Op::AttentionGrad(attention.clone(), arg), &given));
        }
    }
    grads
}

/// The value, by the definition.
pub(super) fn eval(op: &Op, args: &[&Value], env: &Env<'_>) -> Result<Value, SizeOverflow> {
    let (Op::Attention(attention, _) | Op::AttentionGrad(attention, _)) = op else { bug!("{op:?} is no attention") };
    let mut b = Builder::new(Graph::default());
    let known = |sizes: &[usize]| -> Vec<Dim> { sizes.iter().map(|size| Dim::constant(*size as i64)).collect() };
    let Ok([t, s]) = scores(attention) else { bug!("a score of other axes than two") };
    let batch = known(&args[0].dims[..args[0].dims.len() - 2]);
    let last = |at: usize| known(&args[at].dims[args[at].dims.len() - 1..]);
    let of = |parts: &[&[Dim]]| Ty::new(DType::F32, parts.concat());
    let (q, k, v) = (
        of(&[&batch, std::slice::from_ref(&t), &last(0)]),
        of(&[&batch, std::slice::from_ref(&s), &last(0)]),
        of(&[&batch, &[s], &last(2)]),
    );
    let mut types = vec![q, k, v.clone()];
    for (input, each) in attention.score.inputs[1..].iter().zip(&attention.each) {
        let in_front: &[Dim] = if *each { &batch } else { &[] };
        types.push(Ty::new(input.ty.dtype, in_front.iter().chain(&input.ty.dims).cloned()));
    }
    let mean = of(&[&batch, std::slice::from_ref(&t), &last(2)]);
    types.extend([mean.clone(), of(&[&batch, &[t]]), mean]);
    types.truncate(args.len());
    let nodes: Vec<NodeId> = types.into_iter().map(|ty| input(&mut b, ty)).collect();
    let result = attention_by_definition(&mut b, op, &nodes);
    let inputs: Vec<Value> = args.iter().map(|arg| (*arg).clone()).collect();
    let graph = b.finish();
    let host_env = crate::ir::HostEnv { step: env.step, steps_per_epoch: 0, sizes: env.sizes };
    let host = graph.host.run(&host_env)?;
    let env = Env { inputs: &inputs, params: &[], states: &[], host: &host, ..*env };
    let mut values: Vec<Value> = Vec::with_capacity(graph.nodes.len());
    for node in &graph.nodes {
        let args: Vec<&Value> = node.args.iter().map(|arg| &values[arg.index()]).collect();
        let dims =
            node.ty.dims.iter().map(|dim| Ok(dim.eval(env.sizes)?.max(0) as usize)).collect::<Result<Vec<_>, _>>()?;
        let value = eval_op(&node.op, &args, &dims, &env)?;
        values.push(value);
    }
    Ok(values.swap_remove(result.index()))
}

/// An attention, or its gradient, in other operations: a loop over the positions of the batch.
pub fn attention_by_definition(b: &mut Builder, op: &Op, args: &[NodeId]) -> NodeId {
    let (attention, result) = match op {
        Op::Attention(attention, result) => (attention, *result as usize),
        Op::AttentionGrad(attention, arg) => (attention, *arg as usize),
        _ => bug!("{op:?} is no attention"),
    };
    let is_gradient = matches!(op, Op::AttentionGrad(..));
    let rank = b.rank(args[0]);
    let batch: Vec<Dim> = b.dims(args[0])[..rank - 2].to_vec();
    let count = Dim::product(&batch).unwrap_or_else(|_| bug!("the size of a batch overflows"));

    // The batch as one axis; what has none of it comes last, and is read whole.
    let has_batch = |at: usize| at < 3 || attention.each.get(at - 3).copied().unwrap_or(true);
    let mut order: Vec<usize> = (0..args.len()).collect();
    order.sort_by_key(|&at| !has_batch(at));
    let mut inner = Builder::new(Graph { sizes: b.graph.sizes.clone(), ..Graph::default() });
    inner.origin = b.origin;
    let mut given = Vec::with_capacity(args.len());
    let mut inputs = vec![NodeId(0); args.len()];
    for &at in &order {
        let ty = b.ty(args[at]).clone();
        let skip = if has_batch(at) { batch.len() } else { 0 };
        let own: Vec<Dim> = ty.dims[skip..].to_vec();
        given.push(match has_batch(at) {
            true => {
                let flat: Vec<Dim> = [count.clone()].into_iter().chain(own.iter().cloned()).collect();
                b.reshape(args[at], &flat)
            }
            false => args[at],
        });
        inputs[at] = input(&mut inner, Ty::new(ty.dtype, own));
    }
    let rows = (0..args.len()).filter(|&at| has_batch(at)).count();
    let ends = match is_gradient {
        false => forward(&mut inner, attention, &inputs).to_vec(),
        true => backward(&mut inner, attention, &inputs).to_vec(),
    };
    inner.graph.outputs = Scan::outputs(ends);
    let scan = Arc::new(Scan { count, reversed: false, rows, carries: 0, body: inner.finish() });
    let dims: Vec<Dim> = batch.iter().chain(&scan.body.ty(scan.output(result)).dims).cloned().collect();
    let flat = b.node(Op::Scan(scan, result), &given);
    b.reshape(flat, &dims)
}

/// The mean and the log-sum-exp at one position of the batch.
fn forward(b: &mut Builder, attention: &Attention, inputs: &[NodeId]) -> [NodeId; 2] {
    let [q, k, v] = [inputs[0], inputs[1], inputs[2]];
    let fit = b.contract((q, &[0, 1]), (k, &[2, 1]), &[0, 2]);
    let mut copied = copy_score(b, attention, fit, &inputs[3..]);
    let x = copied.pop().unwrap_or(fit);
    let most = b.reduce(ReduceOp::Max, x, &[1]);
    let weights = exp_below(b, x, most);
    let sum = b.sum(weights, &[1]);
    // Divided by after the product, which is smaller; only a row that is masked as a whole sums to less than 1.
    let mean = b.contract((weights, &[0, 1]), (v, &[1, 2]), &[0, 2]);
    let tiny = b.full_like(sum, TINY);
    let total = b.map(MapOp::Max, &[sum, tiny]);
    let dims = b.dims(mean);
    let total = b.expand(total, &dims, &[1]);
    let log = b.map(MapOp::Log, &[sum]);
    [b.div(mean, total), b.add(most, log)]
}

/// `exp(x - level)`, with a level for each row: 0 in a row that is -∞ as a whole.
fn exp_below(b: &mut Builder, x: NodeId, level: NodeId) -> NodeId {
    let (nothing, zero) = (b.full_like(level, f64::NEG_INFINITY), b.zeros_like(level));
    let is_masked = b.cmp(Cmp::Eq, level, nothing);
    let level = b.select(is_masked, zero, level);
    let dims = b.dims(x);
    let level = b.expand(level, &dims, &[1]);
    let distance = b.sub(x, level);
    b.map(MapOp::Exp, &[distance])
}

/// The gradients by q, k and v at one position of the batch. With the weights p and o their mean of v,
/// `dx = p · (do·v - Σ do·o)`: the last term is the same for all of a row.
fn backward(b: &mut Builder, attention: &Attention, inputs: &[NodeId]) -> [NodeId; 3] {
    let [q, k, v] = [inputs[0], inputs[1], inputs[2]];
    let Some((first, &[mean, sum, dy])) = inputs.split_last_chunk() else { bug!("a gradient without its arguments") };
    let fit = b.contract((q, &[0, 1]), (k, &[2, 1]), &[0, 2]);
    let copied = copy_score(b, attention, fit, &first[3..]);
    let x = copied.last().copied().unwrap_or(fit);
    let weights = exp_below(b, x, sum);
    let along = b.contract((dy, &[0, 1]), (v, &[2, 1]), &[0, 2]);
    let product = b.mul(dy, mean);
    let common = b.sum(product, &[1]);
    let dims = b.dims(x);
    let common = b.expand(common, &dims, &[1]);
    let distance = b.sub(along, common);
    let dx = b.mul(weights, distance);
    let dfit = through_score(b, &copied, fit, dx);
    [
        b.contract((dfit, &[0, 1]), (k, &[1, 2]), &[0, 2]),
        b.contract((dfit, &[0, 1]), (q, &[0, 2]), &[1, 2]),
        b.contract((weights, &[0, 1]), (dy, &[0, 2]), &[1, 2]),
    ]
}

/// The nodes of the score, in order up to its output, on the products `fit` and further values.
fn copy_score(b: &mut Builder, attention: &Attention, fit: NodeId, further: &[NodeId]) -> Vec<NodeId> {
    let score = &attention.score;
    let hosts = b.graph.host.append(&score.host);
    let mut new: Vec<NodeId> = Vec::with_capacity(score.nodes.len());
    let end = score.outputs.first().map_or(0, |output| output.node.index());
    for node in &score.nodes[..=end] {
        let args: Vec<NodeId> = node.args.iter().map(|arg| new[arg.index()]).collect();
        new.push(match &node.op {
            Op::Input(InputId(0)) => fit,
            Op::Input(input) => further[input.index() - 1],
            Op::Scalar(host) => b.scalar(hosts[host.0 as usize]),
            op => b.node(op.clone(), &args),
        });
    }
    new
}

/// The gradient by the products, given that by the scores: the reverse walk over elementwise nodes.
fn through_score(b: &mut Builder, nodes: &[NodeId], fit: NodeId, dx: NodeId) -> NodeId {
    let Some(&end) = nodes.last() else { return dx };
    let mut totals: rustc_hash::FxHashMap<NodeId, NodeId> = [(end, dx)].into_iter().collect();
    let mut on_the_way: Vec<NodeId> = vec![fit];
    for &id in nodes {
        let node = b.graph.node(id);
        if node.ty.dtype.is_float() && node.args.iter().any(|arg| on_the_way.contains(arg)) {
            on_the_way.push(id);
        }
    }
    for &id in on_the_way[1..].iter().rev() {
        let Some(&dy) = totals.get(&id) else { continue };
        let args = b.graph.node(id).args.clone();
        let wanted: Vec<bool> = args.iter().map(|arg| on_the_way.contains(arg)).collect();
        for (&arg, term) in args.iter().zip(super::grad(b, id, dy, &wanted)) {
            if let Some(term) = term {
                let total = totals.get(&arg).copied();
                totals.insert(arg, total.map_or(term, |total| b.add(total, term)));
            }
        }
    }
    totals.get(&fit).copied().unwrap_or_else(|| b.zeros_like(fit))
}

fn input(b: &mut Builder, ty: Ty) -> NodeId {
    b.graph.inputs.push(Input { name: String::new(), ty, below: None });
    b.node(Op::Input(InputId(b.graph.inputs.len() as u32 - 1)), &[])
}
