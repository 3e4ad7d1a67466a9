//! Where each instruction of a body runs: which values are equal for the whole row, and in which loop
//! the others change.
//!
//! A value that is the same for all elements of the row is computed as a scalar, before the loops when
//! it can be, and spread over a vector where an element needs it.

use crate::ir::scalar::ScalarTy;
use crate::kernel::ir::{Body, Coef, Inst, Kernel, V};
use crate::kernel::verify::type_of;

/// The place of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// Before the loops: once for the row.
    Row,
    /// In the loop over the elements.
    Element,
    /// In the loop of a fold.
    Fold,
}

/// What is known of a body before it is emitted.
pub struct Plan {
    /// The type of each value.
    pub types: Vec<ScalarTy>,
    /// Whether it differs between the elements of a row.
    pub varies: Vec<bool>,
    /// Where it runs.
    pub levels: Vec<Level>,
    /// Whether an element needs it as a vector although it does not vary.
    pub spread: Vec<bool>,
    /// Whether it is the body of a fold.
    pub folds: bool,
    /// About how many machine instructions an element takes.
    pub cost: usize,
}

impl Plan {
    /// Plans a body. `over` is the count of the fold it stands in; `roots` are needed as vectors.
    pub fn new(kernel: &Kernel, body: &Body, over: Option<Coef>, roots: impl Iterator<Item = V>) -> Plan {
        let count = body.insts.len();
        let (mut types, mut varies, mut folds) = (Vec::with_capacity(count), vec![false; count], vec![false; count]);
        // A load that does not depend on `k` may only leave the fold when the fold runs at all.
        let runs = over.is_some_and(|over| matches!(over, Coef::Const(n) if n > 0));
        for (at, inst) in body.insts.iter().enumerate() {
            types.push(type_of(inst, &types, &kernel.scalars, &kernel.wide).expect("a verified kernel"));
            let (mut row, mut fold) = match inst {
                Inst::Index(affine) => (affine.row != Coef::Const(0), affine.fold != Coef::Const(0)),
                Inst::Load { at: affine, .. } => {
                    let fold = affine.fold != Coef::Const(0) || (over.is_some() && !runs);
                    (affine.row != Coef::Const(0), fold)
                }
                Inst::Row(_) | Inst::Tile => (true, false),
                Inst::Const(..)
                | Inst::Arg(_)
                | Inst::Slot(_)
                | Inst::Un(..)
                | Inst::Bin(..)
                | Inst::Fma(..)
                | Inst::Cmp(..)
                | Inst::Sel(..) => (false, false),
            };
            inst.operands(&mut |v| {
                row |= varies[v.0 as usize];
                fold |= folds[v.0 as usize];
            });
            varies[at] = row;
            folds[at] = fold;
        }
        let mut spread = vec![false; count];
        let mut cost = 0;
        for (at, inst) in body.insts.iter().enumerate() {
            if varies[at] {
                inst.operands(&mut |v| spread[v.0 as usize] = !varies[v.0 as usize]);
                cost += match inst {
                    Inst::Load { row: None, valid: None, .. } | Inst::Row(_) | Inst::Tile | Inst::Fma(..) => 1,
                    Inst::Load { .. } => 16,
                    _ => 2,
                };
            }
        }
        for v in roots {
            spread[v.0 as usize] = !varies[v.0 as usize];
        }
        // What has values of 64 bits runs element by element.
        if kernel.is_wide() {
            spread.fill(false);
        }
        let level = |(row, fold): (&bool, &bool)| match (row, fold) {
            (_, true) => Level::Fold,
            (true, false) => Level::Element,
            (false, false) => Level::Row,
        };
        let levels = varies.iter().zip(&folds).map(level).collect();
        Plan { types, varies, levels, spread, folds: over.is_some(), cost }
    }
}
