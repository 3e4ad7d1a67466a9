//! What each use of a layer keeps and costs: numbers in parameters, floating-point operations, bytes.
//!
//! In: a checked run and a batch. Out: figures for each use, what stands in layers within it left out, so that
//! they add up; and the totals. Operations are counted in the recognised graph of the loss, where each node knows
//! the layer it is of; this file knows no layer by its name. A figure that no number holds is none.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::driver;
use crate::ir::{Dim, SizeOverflow};
use crate::ops;
use crate::sema::typed::{Owner, Program, Train, Type};

/// A count; none where it is too large.
pub(super) type Amount = Option<u64>;

/// What one use of a layer has itself.
pub(super) struct Own {
    /// The numbers in the parameters it declares.
    pub params: Amount,
    /// Whether an earlier use of the same layer has them already.
    pub shared: bool,
    /// Two for each multiply-add of its sums of products, forward.
    pub flops: Amount,
    /// Of its results, and of its parameters unless an earlier use has them.
    pub bytes: Amount,
}

/// What the layers of a run have, and the run in all.
pub(super) struct Costs {
    /// By `LayerId`.
    pub layers: Vec<Own>,
    /// Of all losses of a step.
    pub flops: Amount,
    /// The part of them that is in no layer.
    pub outside: Amount,
}

/// Counts a run at a batch.
pub(super) fn count(program: &Program, train: &Train, batch: u32) -> Costs {
    let size = |id| train.size_at(i64::from(batch), id);
    let value = |dim: Result<Dim, SizeOverflow>| -> Amount { u64::try_from(dim.ok()?.eval(&size).ok()?).ok() };
    let (_, graphs) = driver::recognised(program, train);
    let mut flops: Vec<Amount> = vec![Some(0); train.layers.len()];
    let mut outside = Some(0);
    for (graph, id) in graphs.iter().flat_map(|graph| graph.ids().map(move |id| (graph, id))) {
        let place = match graph.node(id).origin.layer {
            Some(layer) => &mut flops[layer.index()],
            None => &mut outside,
        };
        *place = plus(*place, value(ops::flops(graph, id)));
    }
    let mut layers: Vec<Own> = own_params(train)
        .into_iter()
        .zip(flops)
        .map(|((params, shared), flops)| Own { params, shared, flops, bytes: Some(0) })
        .collect();
    for (own, layer) in layers.iter_mut().zip(&train.layers) {
        let made = if own.shared { Some(0) } else { own.params.and_then(|params| params.checked_mul(4)) };
        let result = |ty: &Type| value(product(ty))?.checked_mul(ty.dtype.bytes() as u64);
        own.bytes = layer.results.iter().map(result).fold(made, plus);
    }
    let flops = layers.iter().map(|own| own.flops).fold(outside, plus);
    Costs { layers, flops, outside }
}

/// The numbers that parameters or states hold in all. Their sizes never depend on the batch.
pub(super) fn numbers<'t>(types: impl IntoIterator<Item = &'t Type>) -> Amount {
    let one = |ty: &Type| u64::try_from(product(ty).ok()?.as_const()?).ok();
    types.into_iter().map(one).fold(Some(0), plus)
}

/// The types of what layers or the optimizer keep.
pub(super) fn kept(train: &Train, owner: Owner) -> impl Iterator<Item = &Type> {
    train.states.iter().filter(move |state| state.owner == owner).map(|state| &state.ty)
}

/// `12_345`, or `?` where no number holds it.
pub(super) fn grouped(amount: Amount) -> String {
    amount.map_or_else(|| "?".to_owned(), crate::diag::grouped)
}

/// By `LayerId`: the numbers of the parameters that a use declares, and whether an earlier use has declared them.
pub(super) fn own_params(train: &Train) -> Vec<(Amount, bool)> {
    let mut makers: FxHashMap<&str, Amount> = train.layers.iter().map(|layer| (&*layer.path, Some(0))).collect();
    for param in &train.params {
        // The maker is the longest of the paths above: `Net.Block` of `Net.Block.0.w` when no `Net.Block.0` is.
        let above = std::iter::successors(parent(&param.path), |path| parent(path));
        if let Some(maker) = above.into_iter().find(|path| makers.contains_key(path))
            && let Some(known) = makers.get_mut(maker)
        {
            *known = plus(*known, numbers([&param.ty]));
        }
    }
    let mut seen: FxHashSet<&str> = FxHashSet::default();
    train.layers.iter().map(|layer| (makers[&*layer.path], !seen.insert(&layer.path))).collect()
}

/// The path above a path.
fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('.').map(|(above, _)| above)
}

fn product(ty: &Type) -> Result<Dim, SizeOverflow> {
    Dim::product(ty.axes.iter().map(|axis| &axis.size))
}

fn plus(a: Amount, b: Amount) -> Amount {
    a?.checked_add(b?)
}
