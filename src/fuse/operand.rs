//! Operands of contractions, as they lie in memory: matrices of one stride for each role, or patches that a
//! window reads.
//!
//! In: a legal contraction (`legal`), whose axes stand in groups by role. Out: what each operand reads, or
//! nothing, and then it is written out first.

use std::ops::Range;

use super::view::{Index, Place, is_view, resolve};
use crate::base::bug;
use crate::ir::{Dim, Graph, NodeId, SizeOverflow};
use crate::ops::{Op, place_in_result, tap_in_result};

/// How many axes of a legal contraction there are in each role; there is one of columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Roles {
    /// In both operands and in the result.
    pub batch: usize,
    /// In the left operand and in the result.
    pub m: usize,
    /// In both operands and summed.
    pub k: usize,
}

/// A matrix for each position of the batch, with one stride for its rows and one for its columns: elements from
/// one position to the next, the axes of a role walked in row-major order.
#[derive(Clone, PartialEq, Debug)]
pub struct Matrix {
    /// What is read.
    pub node: NodeId,
    /// From where on.
    pub offset: Dim,
    /// Of each axis of the batch.
    pub batch: Vec<Dim>,
    /// Of the rows: `m` on the left, `k` on the right.
    pub row: Dim,
    /// Of the columns: `k` on the left, `n` on the right.
    pub col: Dim,
}

/// What a window reads, as a matrix that is nowhere: element by element, by a position along each axis of
/// the source.
#[derive(Clone, PartialEq, Debug)]
pub struct Patches {
    /// What is read.
    pub node: NodeId,
    /// For each axis of it.
    pub axes: Vec<PatchAxis>,
}

/// One axis of the source of patches. Where `index` is not divisible, or the quotient is no position, the
/// element is 0.
#[derive(Clone, PartialEq, Debug)]
pub struct PatchAxis {
    /// How many positions there are.
    pub size: Dim,
    /// Of the axes of the operand.
    pub index: Index,
    /// By which it is divided.
    pub divisor: i64,
    /// Elements from one position to the next.
    pub stride: Dim,
}

/// The roles of a legal contraction.
pub fn roles(op: &Op) -> Roles {
    let Op::Contract { a, b, out } = op else { bug!("{op:?} is no contraction") };
    let batch = out.iter().filter(|label| a.contains(label) && b.contains(label)).count();
    let m = out.len() - batch - 1;
    Roles { batch, m, k: a.len() - batch - m }
}

/// The left or the right operand as a matrix.
pub fn matrix(graph: &Graph, id: NodeId, at: usize, stop: &dyn Fn(NodeId) -> bool) -> Option<Matrix> {
    let node = graph.node(id);
    let Roles { batch, m, k } = roles(&node.op);
    let (rows, cols) = if at == 0 { (m, k) } else { (k, 1) };
    let dims = &graph.ty(node.args[at]).dims;
    let (base, offset, steps) = steps(graph, node.args[at], stop)?;
    let stride = |axes: Range<usize>| merged(&steps[axes.clone()], &dims[axes]);
    Some(Matrix {
        node: base,
        offset,
        batch: steps[..batch].to_vec(),
        row: stride(batch..batch + rows)?,
        col: stride(batch + rows..batch + rows + cols)?,
    })
}

/// What a value reads behind its views, from where on, and how far one step along each of its axes goes there;
/// none where that is not the whole story.
fn steps(graph: &Graph, id: NodeId, stop: &dyn Fn(NodeId) -> bool) -> Option<(NodeId, Dim, Vec<Dim>)> {
    let rank = graph.ty(id).rank();
    let read = resolve(graph, id, (0..rank).map(Index::axis).collect(), stop).ok()?;
    // A view that is not written out and leads no further is nowhere in memory.
    let is_nowhere = is_view(&graph.node(read.node).op) && !stop(read.node);
    if !read.guards.is_empty() || is_nowhere {
        return None;
    }
    let linear = match read.place {
        Place::Linear(index) => index,
        Place::Axes(place) => super::view::linear(&place, &graph.ty(read.node).dims).ok()?,
    };
    let step = |axis: usize| linear.terms.iter().find(|(term, _)| *term == axis).map(|(_, factor)| factor.clone());
    Some((read.node, linear.base.clone(), (0..rank).map(|axis| step(axis).unwrap_or(Dim::ZERO)).collect()))
}

/// The same where it begins at the first element.
pub fn steps_from_start(graph: &Graph, id: NodeId, stop: &dyn Fn(NodeId) -> bool) -> Option<(NodeId, Vec<Dim>)> {
    let (node, offset, steps) = steps(graph, id, stop)?;
    (offset == Dim::ZERO).then_some((node, steps))
}

/// One stride that walks axes in row-major order; none where there is none.
fn merged(steps: &[Dim], dims: &[Dim]) -> Option<Dim> {
    let mut axes = steps.iter().zip(dims).filter(|(_, dim)| **dim != Dim::ONE).rev();
    let Some((last, size)) = axes.next() else { return Some(Dim::ZERO) };
    let mut whole = last.mul(size).ok()?;
    for (step, size) in axes {
        if *step != whole {
            return None;
        }
        whole = step.mul(size).ok()?;
    }
    Some(last.clone())
}

/// The left operand as patches: a window, with zeros outside, of what lies in memory by one stride for each of
/// its axes.
pub fn patches(graph: &Graph, id: NodeId, stop: &dyn Fn(NodeId) -> bool) -> Option<Patches> {
    let arg = graph.node(id).args[0];
    let own = (0..graph.ty(arg).rank()).map(Index::axis).collect();
    // Down to the window, and no further: what it reads has the axes that its positions are checked along.
    let is_window = |id: NodeId| stop(id) || matches!(graph.node(id).op, Op::Window { .. });
    let read = resolve(graph, arg, own, &is_window).ok()?;
    let (Place::Axes(place), Op::Window { axes, fill }) = (&read.place, &graph.node(read.node).op) else { return None };
    if stop(read.node) || fill.value() != 0.0 {
        return None;
    }
    let source = graph.node(read.node).args[0];
    let (node, strides) = steps_from_start(graph, source, stop)?;
    let dims = &graph.ty(source).dims;
    let axes = dims.iter().zip(strides).enumerate().map(|(at, (size, stride))| {
        let (index, divisor) = position(place, axes, at).ok()?;
        Some(PatchAxis { size: size.clone(), index, divisor, stride })
    });
    Some(Patches { node, axes: axes.collect::<Option<_>>()? })
}

/// The value whose window the left operand is, behind permutations.
pub fn window_source(graph: &Graph, id: NodeId) -> Option<NodeId> {
    let mut arg = graph.node(id).args[0];
    while let Op::Permute(_) | Op::Remat = graph.node(arg).op {
        arg = graph.node(arg).args[0];
    }
    matches!(graph.node(arg).op, Op::Window { .. }).then(|| graph.node(arg).args[0])
}

/// `m·i = a·o + d·k + b` along an axis of the source, as what is divided and by what.
fn position(place: &[Index], axes: &[crate::ops::WindowAxis], at: usize) -> Result<(Index, i64), SizeOverflow> {
    let position = &place[place_in_result(axes, at)];
    let Some(axis) = axes.iter().find(|axis| axis.axis == at) else { return Ok((position.clone(), 1)) };
    let sign = Dim::constant(axis.m.signum());
    let mut index = position.scale(&Dim::constant(axis.a))?.add(&Index::fixed(axis.b.clone()))?;
    if let Some(tap) = tap_in_result(axes, axis) {
        index = index.add(&place[tap].scale(&Dim::constant(axis.d))?)?;
    }
    Ok((index.scale(&sign)?, axis.m.abs()))
}
