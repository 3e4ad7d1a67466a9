//! Joins adjacent loops that one stride walks, and drops loops of one: `[784, 128]` contiguous is one row
//! of 100,352.
//!
//! The row takes part only where nothing is kept across it. The arguments stay as they are but for the
//! size table, which is rebuilt: equal kernels have equal tables.

use rustc_hash::FxHashMap;

use crate::ir::Dim;
use crate::kernel::ir::{Affine, Body, Coef, Dst, Inst, Kernel, Launch, Phase, SizeArg};

/// The loops of a kernel joined where they may be.
pub(super) fn collapse(mut kernel: Kernel, mut launch: Launch) -> (Kernel, Launch) {
    let has_tile = bodies(&kernel).any(|body| body.insts.contains(&Inst::Tile));
    let dim = |coef: Coef| match coef {
        Coef::Const(value) => Dim::constant(value),
        Coef::Size(at) => launch.sizes[usize::from(at.0)].clone(),
    };
    let mut loops: Vec<Dim> = kernel.grid.iter().chain([&kernel.row]).map(|&coef| dim(coef)).collect();
    // For each address, its strides along the loops.
    let mut strides: Vec<Vec<Dim>> = Vec::new();
    for_each_affine(&mut kernel, &mut |at| {
        strides.push(at.grid.iter().chain([&at.row]).map(|&coef| dim(coef)).collect())
    });

    // The tile has the rows of the result, whatever loops make them.
    let row_joins = kernel.is_elementwise() && !has_tile;
    let mut at = 0;
    while at + 1 < loops.len() {
        let inner_is_row = at + 2 == loops.len();
        let one_outer = loops[at] == Dim::ONE;
        let one_inner = loops[at + 1] == Dim::ONE && row_joins;
        let walks = |strides: &Vec<Dim>| strides[at + 1].mul(&loops[at + 1]).is_ok_and(|stride| stride == strides[at]);
        let joins = (row_joins || !inner_is_row) && strides.iter().all(walks);
        let size = loops[at].mul(&loops[at + 1]);
        match size {
            _ if one_outer => {
                loops.remove(at);
                strides.iter_mut().for_each(|strides| drop(strides.remove(at)));
            }
            _ if one_inner && (inner_is_row || loops[at + 1] == Dim::ONE) => {
                loops.remove(at + 1);
                strides.iter_mut().for_each(|strides| drop(strides.remove(at + 1)));
            }
            Ok(size) if joins => {
                loops[at + 1] = size;
                loops.remove(at);
                strides.iter_mut().for_each(|strides| drop(strides.remove(at)));
                // The joined loop may now join the one before it.
                at = at.saturating_sub(1);
            }
            _ => at += 1,
        }
    }
    let mut add = |dim: &Dim| match dim.as_const() {
        Some(value) => Coef::Const(value),
        None => {
            let known = launch.sizes.iter().position(|size| size == dim).unwrap_or_else(|| {
                launch.sizes.push(dim.clone());
                launch.sizes.len() - 1
            });
            Coef::Size(SizeArg(known as u16))
        }
    };
    let coefs: Vec<Coef> = loops.iter().map(&mut add).collect();
    let mut all = strides.into_iter();
    for_each_affine(&mut kernel, &mut |at| {
        if let Some(strides) = all.next() {
            let mut coefs: Vec<Coef> = strides.iter().map(&mut add).collect();
            at.row = coefs.pop().unwrap_or(Coef::Const(0));
            at.grid = coefs;
        }
    });
    kernel.row = coefs[coefs.len() - 1];
    kernel.grid = coefs[..coefs.len() - 1].to_vec();
    renumber_sizes(&mut kernel, &mut launch);
    (kernel, launch)
}

/// Numbers the entries of the size table by first use and drops the rest.
fn renumber_sizes(kernel: &mut Kernel, launch: &mut Launch) {
    let mut new: FxHashMap<SizeArg, SizeArg> = FxHashMap::default();
    let mut sizes = Vec::new();
    let mut rename = |coef: &mut Coef| {
        if let Coef::Size(at) = coef {
            let next = SizeArg(sizes.len() as u16);
            let renamed = *new.entry(*at).or_insert(next);
            if renamed == next {
                sizes.push(launch.sizes[usize::from(at.0)].clone());
            }
            *at = renamed;
        }
    };
    kernel.grid.iter_mut().for_each(&mut rename);
    rename(&mut kernel.row);
    for phase in &mut kernel.phases {
        if let Phase::Fold { over, .. } = phase {
            rename(over);
        }
    }
    for_each_affine(kernel, &mut |at| {
        rename(&mut at.base);
        at.grid.iter_mut().for_each(&mut rename);
        rename(&mut at.row);
        rename(&mut at.fold);
    });
    for body in bodies_mut(kernel) {
        for inst in &mut body.insts {
            if let Inst::Load { row: Some((_, stride)), .. } = inst {
                rename(stride);
            }
        }
    }
    kernel.sizes = sizes.len() as u16;
    launch.sizes = sizes;
}

fn bodies(kernel: &Kernel) -> impl Iterator<Item = &Body> {
    kernel.phases.iter().map(|phase| match phase {
        Phase::Map(body) | Phase::Scalar(body) | Phase::Reduce { body, .. } | Phase::Fold { body, .. } => body,
    })
}

fn bodies_mut(kernel: &mut Kernel) -> impl Iterator<Item = &mut Body> {
    kernel.phases.iter_mut().map(|phase| match phase {
        Phase::Map(body) | Phase::Scalar(body) | Phase::Reduce { body, .. } | Phase::Fold { body, .. } => body,
    })
}

/// Visits every address and position of a kernel, always in the same order.
fn for_each_affine(kernel: &mut Kernel, visit: &mut dyn FnMut(&mut Affine)) {
    for phase in &mut kernel.phases {
        let (Phase::Map(body) | Phase::Scalar(body) | Phase::Reduce { body, .. } | Phase::Fold { body, .. }) = phase;
        for inst in &mut body.insts {
            match inst {
                Inst::Index(at) | Inst::Load { at, .. } => visit(at),
                _ => {}
            }
        }
        for (dst, _) in &mut body.stores {
            if let Dst::Buf(_, at) = dst {
                visit(at);
            }
        }
        if let Phase::Fold { acc, .. } = phase {
            for (_, _, dst) in acc {
                if let Dst::Buf(_, at) = dst {
                    visit(at);
                }
            }
        }
    }
}
