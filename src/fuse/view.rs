//! Index maps: which element of a stored value a point of a domain reads, through views.
//!
//! A map gives each axis of the value an affine function of the domain's positions; guards say where a
//! window reads outside. Merging axes is not affine, so a reshape that does is read through the linear
//! index of a stored, contiguous value alone.

use crate::ir::{Dim, Graph, NodeId, SizeOverflow};
use crate::ops::{Number, Op, Taps, WindowAxis, place_in_result, tap_in_result};

/// `base + Σ factor · position(axis)` over axes of a domain.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Index {
    /// The constant part.
    pub base: Dim,
    /// Axis of the domain and its factor; each axis at most once, no factor zero.
    pub terms: Vec<(usize, Dim)>,
}

/// What lies outside of a window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Guard {
    /// This position …
    pub index: Index,
    /// … must be at least 0 and below this, …
    pub size: Dim,
    /// … else the value is this.
    pub fill: Number,
}

/// What an edge reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Read {
    /// The value behind the views.
    pub node: NodeId,
    /// Its position along each of its axes; along one linear axis when a reshape merged axes.
    pub place: Place,
    /// Of the windows on the way, the one nearest to the reader first.
    pub guards: Vec<Guard>,
}

/// Where a read points.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// A position along each axis.
    Axes(Vec<Index>),
    /// A row-major linear index.
    Linear(Index),
}

impl Index {
    /// The position along an axis of the domain itself.
    pub fn axis(axis: usize) -> Index {
        Index { base: Dim::ZERO, terms: vec![(axis, Dim::ONE)] }
    }

    /// The same position everywhere.
    pub fn fixed(base: Dim) -> Index {
        Index { base, terms: Vec::new() }
    }

    /// Whether it is the position along this axis of the domain itself.
    pub fn is_axis(&self, axis: usize) -> bool {
        self.base == Dim::ZERO && self.terms.len() == 1 && self.terms[0] == (axis, Dim::ONE)
    }

    /// `self * factor`
    pub fn scale(&self, factor: &Dim) -> Result<Index, SizeOverflow> {
        if *factor == Dim::ZERO {
            return Ok(Index::fixed(Dim::ZERO));
        }
        let terms = self.terms.iter().map(|(axis, own)| Ok((*axis, own.mul(factor)?)));
        Ok(Index { base: self.base.mul(factor)?, terms: terms.collect::<Result<_, SizeOverflow>>()? })
    }

    /// `self + other`
    pub fn add(&self, other: &Index) -> Result<Index, SizeOverflow> {
        let mut terms = self.terms.clone();
        for (axis, factor) in &other.terms {
            match terms.iter_mut().find(|(own, _)| own == axis) {
                Some((_, own)) => *own = own.add(factor)?,
                None => terms.push((*axis, factor.clone())),
            }
        }
        terms.retain(|(_, factor)| *factor != Dim::ZERO);
        terms.sort();
        Ok(Index { base: self.base.add(&other.base)?, terms })
    }
}

/// The identity on the first axes of a domain.
pub fn identity(rank: usize) -> Vec<Index> {
    (0..rank).map(Index::axis).collect()
}

/// The row-major strides of a contiguous value.
pub fn strides(dims: &[Dim]) -> Result<Vec<Dim>, SizeOverflow> {
    let mut strides = vec![Dim::ONE; dims.len()];
    for axis in (0..dims.len().saturating_sub(1)).rev() {
        strides[axis] = strides[axis + 1].mul(&dims[axis + 1])?;
    }
    Ok(strides)
}

/// The row-major linear index of a position.
pub fn linear(place: &[Index], dims: &[Dim]) -> Result<Index, SizeOverflow> {
    let strides = strides(dims)?;
    let parts = place.iter().zip(&strides).zip(dims);
    // Along an axis of size 1 the position is 0, whatever is written.
    let parts = parts.filter(|(_, dim)| **dim != Dim::ONE);
    parts.map(|((index, stride), _)| index.scale(stride)).try_fold(Index::fixed(Dim::ZERO), |sum, part| sum.add(&part?))
}

/// Whether a node only moves elements.
pub fn is_view(op: &Op) -> bool {
    matches!(
        op,
        Op::Permute(_) | Op::Reshape(_) | Op::Broadcast { .. } | Op::Window { .. } | Op::StopGradient | Op::Remat
    )
}

/// What reading `node` at `place` reads behind its views. `stop` says where a value is stored although
/// it is a view.
pub fn resolve(
    graph: &Graph,
    node: NodeId,
    place: Vec<Index>,
    stop: &dyn Fn(NodeId) -> bool,
) -> Result<Read, SizeOverflow> {
    let mut read = Read { node, place: Place::Axes(place), guards: Vec::new() };
    loop {
        let id = read.node;
        let (op, dims) = (&graph.node(id).op, &graph.ty(id).dims);
        if stop(id) || !is_view(op) {
            return Ok(read);
        }
        let source = graph.node(id).args[0];
        let source_dims = &graph.ty(source).dims;
        let place = match (&read.place, op) {
            (place, Op::StopGradient | Op::Remat) => place.clone(),
            (Place::Axes(at), Op::Permute(perm)) => {
                let mut source_at = vec![Index::fixed(Dim::ZERO); at.len()];
                for (axis, &from) in perm.iter().enumerate() {
                    source_at[from] = at[axis].clone();
                }
                Place::Axes(source_at)
            }
            (Place::Axes(at), Op::Broadcast { axes, .. }) => {
                let mut source_at = vec![Index::fixed(Dim::ZERO); source_dims.len()];
                for (axis, from) in axes.iter().enumerate() {
                    if let Some(from) = from {
                        source_at[*from] = at[axis].clone();
                    }
                }
                Place::Axes(source_at)
            }
            (Place::Axes(at), Op::Window { axes, fill }) => {
                let Some(source_at) = through_window(at, axes, [source_dims, dims], *fill, &mut read.guards)? else {
                    return Ok(read);
                };
                Place::Axes(source_at)
            }
            (Place::Axes(at), Op::Reshape(_)) => match regroup(at, dims, source_dims)? {
                Some(source_at) => Place::Axes(source_at),
                None => Place::Linear(linear(at, dims)?),
            },
            // The elements keep their linear index.
            (Place::Linear(at), Op::Reshape(_)) => Place::Linear(at.clone()),
            // Below a merge of axes only a contiguous value can be read.
            (Place::Linear(_), _) => return Ok(read),
            (Place::Axes(_), _) => return Ok(read),
        };
        read.node = source;
        read.place = place;
    }
}

/// Whether a window asks for elements between which others are left out: `m·i = …` with `m` beyond ±1.
pub fn divides(op: &Op) -> bool {
    matches!(op, Op::Window { axes, .. } if axes.iter().any(|axis| axis.m.abs() != 1))
}

/// `i = m·(a·o + d·k + b)`, guarded where it may leave the source; none where `m` is not ±1. The sizes are
/// those of the source and of the window.
fn through_window(
    at: &[Index],
    axes: &[WindowAxis],
    [source_dims, dims]: [&[Dim]; 2],
    fill: Number,
    guards: &mut Vec<Guard>,
) -> Result<Option<Vec<Index>>, SizeOverflow> {
    if axes.iter().any(|axis| axis.m.abs() != 1) {
        return Ok(None);
    }
    let mut source_at = Vec::with_capacity(source_dims.len());
    let mut taken: Vec<Guard> = Vec::new();
    for (axis, size) in source_dims.iter().enumerate() {
        let position = &at[place_in_result(axes, axis)];
        let Some(window) = axes.iter().find(|window| window.axis == axis) else {
            source_at.push(position.clone());
            continue;
        };
        // With m = -1 the relation is that of m = 1 with every sign turned.
        let (a, d, b) = (window.m * window.a, window.m * window.d, window.b.mul(&Dim::constant(window.m))?);
        let mut index = position.scale(&Dim::constant(a))?.add(&Index::fixed(b.clone()))?;
        let mut reach = window.out.sub(&Dim::ONE)?.mul(&Dim::constant(a))?;
        if let Some(tap) = tap_in_result(axes, window) {
            let taps = match &window.taps {
                Taps::New(size) => size,
                Taps::None | Taps::Shared(_) => &dims[tap],
            };
            index = index.add(&at[tap].scale(&Dim::constant(d))?)?;
            reach = reach.add(&taps.sub(&Dim::ONE)?.mul(&Dim::constant(d))?)?;
        }
        // A slice stays inside whatever is read; only what may leave is guarded.
        let last = b.add(&reach)?;
        let is_inside = a > 0
            && d >= 0
            && b.as_const().is_some_and(|first| first >= 0)
            && size.sub(&last)?.as_const().is_some_and(|room| room >= 1);
        if !is_inside {
            taken.push(Guard { index: index.clone(), size: size.clone(), fill });
        }
        source_at.push(index);
    }
    guards.extend(taken);
    Ok(Some(source_at))
}

/// A reshape as an affine map, when it only splits axes and adds or drops axes of size 1.
fn regroup(at: &[Index], dims: &[Dim], source_dims: &[Dim]) -> Result<Option<Vec<Index>>, SizeOverflow> {
    let mut source_at = Vec::with_capacity(source_dims.len());
    let mut next = 0;
    for size in source_dims {
        if *size == Dim::ONE {
            source_at.push(Index::fixed(Dim::ZERO));
            continue;
        }
        // The axes of the result that this one was split into.
        let first = next;
        let mut product = Dim::ONE;
        while product != *size {
            if next == dims.len() {
                return Ok(None);
            }
            product = product.mul(&dims[next])?;
            next += 1;
            let overshoots = matches!((product.as_const(), size.as_const()), (Some(a), Some(b)) if a > b);
            if overshoots {
                return Ok(None);
            }
        }
        source_at.push(linear(&at[first..next], &dims[first..next])?);
    }
    let rest_is_one = dims[next..].iter().all(|dim| *dim == Dim::ONE);
    Ok(rest_is_one.then_some(source_at))
}
