//! One kernel in the making: its arguments, its phases, and what they are at run time.

use rustc_hash::FxHashMap;

use crate::base::bug;
use crate::fuse::view::Index;
use crate::ir::Dim;
use crate::ir::scalar::ScalarTy;
use crate::kernel::build::BodyBuilder;
use crate::kernel::ir::{
    Access, Affine, Body, BufArg, BufId, Coef, Elem, Inst, Kernel, KernelId, Launch, Phase, RowBuf, ScalarArg,
    ScalarValue, SizeArg, Slot, V, Wide,
};

/// The arguments and phases of a kernel over a domain. The last axis of the domain is the row, the others
/// the grid; an axis one past the last is the position in a fold.
pub(super) struct Draft {
    /// The domain.
    pub domain: Vec<Dim>,
    /// The phases so far.
    pub phases: Vec<Phase>,
    bufs: Vec<BufId>,
    scalars: Vec<(ScalarTy, ScalarValue)>,
    sizes: Vec<Dim>,
    known_sizes: FxHashMap<Dim, SizeArg>,
    slots: u16,
    rowbufs: u16,
    wide: Wide,
}

impl Draft {
    pub(super) fn new(domain: Vec<Dim>) -> Draft {
        Draft {
            domain,
            phases: Vec::new(),
            bufs: Vec::new(),
            scalars: Vec::new(),
            sizes: Vec::new(),
            known_sizes: FxHashMap::default(),
            slots: 0,
            rowbufs: 0,
            wide: Wide::default(),
        }
    }

    /// The argument for a buffer of such elements.
    pub(super) fn buf(&mut self, id: BufId, elem: Elem) -> BufArg {
        let at = self.bufs.iter().position(|&known| known == id).unwrap_or_else(|| {
            if elem == Elem::Wide {
                self.wide.bufs.push(BufArg(self.bufs.len() as u16));
            }
            self.bufs.push(id);
            self.bufs.len() - 1
        });
        BufArg(at as u16)
    }

    /// The tile has such elements.
    pub(super) fn tile(&mut self, elem: Elem) {
        self.wide.tile = elem == Elem::Wide;
    }

    /// What of the memory is wide so far, for a body.
    pub(super) fn wide(&self) -> &Wide {
        &self.wide
    }

    /// The argument for a scalar.
    pub(super) fn scalar(&mut self, ty: ScalarTy, value: ScalarValue) -> ScalarArg {
        let at = self.scalars.iter().position(|known| *known == (ty, value.clone())).unwrap_or_else(|| {
            self.scalars.push((ty, value));
            self.scalars.len() - 1
        });
        ScalarArg(at as u16)
    }

    /// The types of the scalars so far, for a body.
    pub(super) fn scalar_types(&self) -> Vec<ScalarTy> {
        self.scalars.iter().map(|(ty, _)| *ty).collect()
    }

    /// A new scalar of the row, for a value of a type.
    pub(super) fn slot(&mut self, ty: ScalarTy) -> Slot {
        let slot = Slot(self.slots);
        self.slots += 1;
        if ty.is_wide() {
            self.wide.slots.push(slot);
        }
        slot
    }

    /// A new row of scratch, for values of a type.
    pub(super) fn rowbuf(&mut self, ty: ScalarTy) -> RowBuf {
        let row = RowBuf(self.rowbufs);
        self.rowbufs += 1;
        if ty.is_wide() {
            self.wide.rows.push(row);
        }
        row
    }

    /// A size or stride.
    pub(super) fn coef(&mut self, dim: &Dim) -> Coef {
        if let Some(value) = dim.as_const() {
            return Coef::Const(value);
        }
        let next = SizeArg(self.sizes.len() as u16);
        let arg = *self.known_sizes.entry(dim.clone()).or_insert(next);
        if arg == next {
            self.sizes.push(dim.clone());
        }
        Coef::Size(arg)
    }

    /// An affine function of the loops from one of the domain's axes.
    pub(super) fn affine(&mut self, index: &Index) -> Affine {
        let rank = self.domain.len();
        let mut at = Affine {
            base: self.coef(&index.base),
            grid: vec![Coef::Const(0); rank.saturating_sub(1)],
            row: Coef::Const(0),
            fold: Coef::Const(0),
        };
        for (axis, factor) in &index.terms {
            let coef = self.coef(factor);
            match *axis {
                axis if axis == rank => at.fold = coef,
                axis if axis + 1 == rank => at.row = coef,
                axis if axis < rank => at.grid[axis] = coef,
                axis => bug!("axis {axis} of a domain of {rank}"),
            }
        }
        at
    }

    /// The finished kernel and its arguments.
    pub(super) fn finish(mut self) -> (Kernel, Launch) {
        let sizes: Vec<Coef> = self.domain.clone().iter().map(|dim| self.coef(dim)).collect();
        let (grid, row) = match sizes.split_last() {
            Some((row, grid)) => (grid.to_vec(), *row),
            None => (Vec::new(), Coef::Const(1)),
        };
        let bufs = (0..self.bufs.len()).map(|at| self.access(BufArg(at as u16))).collect();
        let kernel = Kernel {
            grid,
            row,
            phases: self.phases,
            rowbufs: self.rowbufs,
            slots: self.slots,
            bufs,
            scalars: self.scalars.iter().map(|(ty, _)| *ty).collect(),
            sizes: self.sizes.len() as u16,
            wide: self.wide,
        };
        let launch = Launch {
            kernel: KernelId(0),
            bufs: self.bufs,
            scalars: self.scalars.into_iter().map(|(_, value)| value).collect(),
            sizes: self.sizes,
        };
        super::collapse::collapse(kernel, launch)
    }

    /// How the phases use a buffer.
    fn access(&self, buf: BufArg) -> Access {
        let mut reads = false;
        let mut writes = false;
        for phase in &self.phases {
            let (Phase::Map(body) | Phase::Scalar(body) | Phase::Reduce { body, .. } | Phase::Fold { body, .. }) =
                phase;
            reads |= body.insts.iter().any(|inst| matches!(inst, Inst::Load { buf: other, .. } if *other == buf));
            writes |= body
                .stores
                .iter()
                .any(|(dst, _)| matches!(dst, crate::kernel::ir::Dst::Buf(other, _) if *other == buf));
            if let Phase::Fold { acc, .. } = phase {
                writes |=
                    acc.iter().any(|(_, _, dst)| matches!(dst, crate::kernel::ir::Dst::Buf(other, _) if *other == buf));
            }
        }
        match (reads, writes) {
            (true, true) => Access::Update,
            (false, true) => Access::Write,
            _ => Access::Read,
        }
    }
}

/// A body and the values of it that are combined.
pub(super) fn finish_body(builder: BodyBuilder, roots: &mut [V]) -> Body {
    builder.finish(roots)
}
