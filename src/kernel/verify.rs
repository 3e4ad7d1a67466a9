//! What holds for a kernel and for a program, checked after each pass that makes one.
//!
//! In a kernel: every id is in range; an operand comes before its user and has the type it should;
//! `fold` strides stand only in a `Fold`; a shift is by a constant; a scratch row and a slot are
//! written in a phase before they are read, once in a phase; a `Fold` body stores nothing; a `Scalar`
//! phase touches no row; buffers are used as declared; a buffer that is updated is read and written
//! with one address in one phase; a value is as wide as the memory it is stored in.
//!
//! In a program: a launch fits its kernel; what a step reads and writes by element is of one width; what a step writes it names once and is no input; a loop names its rows and
//! locals as what they are.
//!
//! Not checked here: that addresses are in range, which needs the sizes (`extent`), and that two
//! points never write the same element.

use std::fmt;

use super::ir::{
    Access, Affine, Body, BufArg, BufId, Carry, Coef, Dst, Elem, Inst, Kernel, Launch, PatchAxis, Phase, Place,
    Program, ScalarValue, Step, V, Wide,
};
use crate::ir::scalar::{Bin, Comb, MASK, ScalarTy};

/// A mistake of the compiler: what does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault(pub String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn require(holds: bool, what: impl FnOnce() -> String) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(Fault(what())) }
}

/// The type of an instruction's result, given those before it, the scalar arguments and what is wide in memory.
pub fn type_of(inst: &Inst, types: &[ScalarTy], scalars: &[ScalarTy], wide: &Wide) -> Result<ScalarTy, Fault> {
    let ty = |v: V| types.get(v.0 as usize).copied().ok_or_else(|| Fault(format!("v{} is not known here", v.0)));
    let expect = |v: V, want: ScalarTy| {
        let have = ty(v)?;
        require(have == want, || format!("v{} is {have:?}, wanted {want:?}", v.0))
    };
    match inst {
        Inst::Const(bits, ty) => {
            require(*ty != ScalarTy::Mask || MASK.contains(bits), || format!("{bits:#x} is no mask"))?;
            require(ty.is_wide() || *bits >> 32 == 0, || format!("{bits:#x} is no {ty:?}"))?;
            Ok(*ty)
        }
        Inst::Arg(arg) => {
            scalars.get(usize::from(arg.0)).copied().ok_or_else(|| Fault(format!("no scalar argument {}", arg.0)))
        }
        Inst::Index(_) => Ok(ScalarTy::I32),
        Inst::Un(un, a) => {
            let arg = ty(*a)?;
            un.ty(arg).ok_or_else(|| Fault(format!("{un:?} of {arg:?}")))
        }
        Inst::Bin(bin, a, b) => {
            let (left, right) = (ty(*a)?, ty(*b)?);
            bin.ty(left, right).ok_or_else(|| Fault(format!("{bin:?} of {left:?} and {right:?}")))
        }
        Inst::Fma(a, b, c) => {
            let float = ty(*a)?;
            require(float.is_float(), || format!("a product of {float:?}"))?;
            expect(*b, float)?;
            expect(*c, float)?;
            Ok(float)
        }
        Inst::Cmp(cc, a, b) => {
            let (left, right) = (ty(*a)?, ty(*b)?);
            let fits = left == right && left != ScalarTy::Mask;
            require(fits, || format!("{cc:?} of {left:?} and {right:?}")).map(|()| ScalarTy::Mask)
        }
        Inst::Sel(mask, a, b) => {
            expect(*mask, ScalarTy::Mask)?;
            expect(*b, ty(*a)?)?;
            ty(*a)
        }
        Inst::Load { buf, row, valid, .. } => {
            if let Some((v, _)) = row {
                expect(*v, ScalarTy::I32)?;
            }
            if let Some(v) = valid {
                expect(*v, ScalarTy::Mask)?;
            }
            Ok(wide.buf(*buf).ty())
        }
        Inst::Row(row) => Ok(wide.row(*row).ty()),
        Inst::Slot(slot) => Ok(wide.slot(*slot).ty()),
        Inst::Tile => Ok(wide.tile().ty()),
    }
}

/// What holds for a kernel.
pub fn kernel(kernel: &Kernel) -> Result<(), Fault> {
    let mut check = Check {
        kernel,
        rows: vec![false; usize::from(kernel.rowbufs)],
        slots: vec![false; usize::from(kernel.slots)],
        updates: vec![None; kernel.bufs.len()],
        phase: 0,
    };
    for size in kernel.grid.iter().chain([&kernel.row]) {
        check.size(*size)?;
    }
    wide(kernel)?;
    for (at, phase) in kernel.phases.iter().enumerate() {
        check.phase = at;
        check.phase(phase).map_err(|fault| Fault(format!("phase {at}: {fault}")))?;
    }
    Ok(())
}

/// What is wide is there and named once, in order, so that equal kernels are equal.
fn wide(kernel: &Kernel) -> Result<(), Fault> {
    let Wide { bufs, rows, slots, tile: _ } = &kernel.wide;
    let bufs: Vec<u16> = bufs.iter().map(|buf| buf.0).collect();
    let rows: Vec<u16> = rows.iter().map(|row| row.0).collect();
    let slots: Vec<u16> = slots.iter().map(|slot| slot.0).collect();
    for (named, count) in [(bufs, kernel.bufs.len()), (rows, kernel.rowbufs.into()), (slots, kernel.slots.into())] {
        require(named.is_sorted_by(|a, b| a < b), || "what is wide out of order".into())?;
        require(named.last().is_none_or(|last| usize::from(*last) < count), || "what is wide is not there".into())?;
    }
    Ok(())
}

/// Where a kernel reads the tile: only an epilogue may.
pub fn uses_tile(kernel: &Kernel) -> bool {
    let in_body = |body: &Body| body.insts.contains(&Inst::Tile);
    kernel.phases.iter().any(|phase| match phase {
        Phase::Map(body) | Phase::Scalar(body) => in_body(body),
        Phase::Reduce { body, .. } | Phase::Fold { body, .. } => in_body(body),
    })
}

struct Check<'a> {
    kernel: &'a Kernel,
    /// Which scratch rows and slots are written by the phases so far.
    rows: Vec<bool>,
    slots: Vec<bool>,
    /// For each updated buffer: in which phase and where.
    updates: Vec<Option<(usize, Affine)>>,
    phase: usize,
}

impl Check<'_> {
    fn phase(&mut self, phase: &Phase) -> Result<(), Fault> {
        match phase {
            Phase::Map(body) => {
                self.body(body, false)?;
                self.stores(body.stores.iter().map(|(dst, _)| dst), |dst| !matches!(dst, Dst::Slot(_)))
            }
            Phase::Reduce { body, acc } => {
                let types = self.body(body, false)?;
                for (comb, v, slot) in acc {
                    self.holds(&Dst::Slot(*slot), accumulated(&types, *v, *comb)?)?;
                }
                let slots: Vec<Dst> = acc.iter().map(|(_, _, slot)| Dst::Slot(*slot)).collect();
                require(body.stores.iter().all(|(dst, _)| !matches!(dst, Dst::Slot(_))), || "a slot in a row".into())?;
                self.stores(body.stores.iter().map(|(dst, _)| dst).chain(&slots), |_| true)
            }
            Phase::Fold { over, body, acc } => {
                self.size(*over)?;
                require(body.stores.is_empty(), || "a fold body stores".into())?;
                let types = self.body(body, true)?;
                for (comb, v, dst) in acc {
                    self.holds(dst, accumulated(&types, *v, *comb)?)?;
                    if let Dst::Buf(_, at) = dst {
                        require(at.fold == Coef::Const(0), || "a fold stride in a store".into())?;
                    }
                }
                self.stores(acc.iter().map(|(_, _, dst)| dst), |dst| !matches!(dst, Dst::Slot(_)))
            }
            Phase::Scalar(body) => {
                let in_row = |inst: &Inst| matches!(inst, Inst::Row(_) | Inst::Tile);
                require(!body.insts.iter().any(in_row), || "a scalar phase reads a row".into())?;
                self.body(body, false)?;
                self.stores(body.stores.iter().map(|(dst, _)| dst), |dst| !matches!(dst, Dst::Row(_)))
            }
        }
    }

    /// The types of a body; its stores are checked but for what they make known.
    fn body(&mut self, body: &Body, fold: bool) -> Result<Vec<ScalarTy>, Fault> {
        let mut types = Vec::with_capacity(body.insts.len());
        for (at, inst) in body.insts.iter().enumerate() {
            let ty = type_of(inst, &types, &self.kernel.scalars, &self.kernel.wide)
                .and_then(|ty| self.inst(inst, body, fold).map(|()| ty))
                .map_err(|fault| Fault(format!("v{at}: {fault}")))?;
            types.push(ty);
        }
        for (dst, v) in &body.stores {
            let ty = types.get(v.0 as usize).ok_or_else(|| Fault(format!("v{} is not known", v.0)))?;
            require(*ty != ScalarTy::Mask, || format!("v{} is a mask and cannot be stored", v.0))?;
            self.holds(dst, *ty)?;
        }
        Ok(types)
    }

    /// A value of a type is as wide as where it is stored.
    fn holds(&self, dst: &Dst, ty: ScalarTy) -> Result<(), Fault> {
        let wide = &self.kernel.wide;
        let elem = match dst {
            Dst::Buf(buf, _) => wide.buf(*buf),
            Dst::Row(row) => wide.row(*row),
            Dst::Slot(slot) => wide.slot(*slot),
        };
        require(elem == Elem::of(ty), || format!("{dst:?} has elements of another width than {ty:?}"))
    }

    fn inst(&mut self, inst: &Inst, body: &Body, fold: bool) -> Result<(), Fault> {
        match inst {
            Inst::Index(at) => self.affine(at, fold),
            Inst::Bin(Bin::Shl | Bin::Shr, _, by) => {
                let constant = matches!(body.insts[by.0 as usize], Inst::Const(0..=31, _));
                require(constant, || "a shift is by a constant 0..=31".into())
            }
            Inst::Load { buf, at, row, valid } => {
                self.affine(at, fold)?;
                if let Some((_, stride)) = row {
                    self.coef(*stride)?;
                }
                match self.access(*buf)? {
                    Access::Read => Ok(()),
                    Access::Write => Err(Fault(format!("b{} is read but only written", buf.0))),
                    Access::Update => {
                        require(row.is_none() && valid.is_none(), || "an update reads exactly what it writes".into())?;
                        self.update(*buf, at)
                    }
                }
            }
            Inst::Row(row) => {
                require(self.rows.get(usize::from(row.0)) == Some(&true), || format!("r{} is not written", row.0))
            }
            Inst::Slot(slot) => {
                require(self.slots.get(usize::from(slot.0)) == Some(&true), || format!("t{} is not written", slot.0))
            }
            Inst::Const(..)
            | Inst::Arg(_)
            | Inst::Un(..)
            | Inst::Bin(..)
            | Inst::Fma(..)
            | Inst::Cmp(..)
            | Inst::Sel(..)
            | Inst::Tile => Ok(()),
        }
    }

    /// Checks where a phase stores, and makes it known to the phases after it.
    fn stores<'d>(
        &mut self,
        stores: impl Iterator<Item = &'d Dst>,
        allowed: impl Fn(&Dst) -> bool,
    ) -> Result<(), Fault> {
        let mut seen = Vec::new();
        for dst in stores {
            require(allowed(dst), || format!("{dst:?} is not for this phase"))?;
            require(!seen.contains(&dst), || format!("{dst:?} is written twice"))?;
            seen.push(dst);
            match dst {
                Dst::Buf(buf, at) => {
                    self.affine(at, false)?;
                    match self.access(*buf)? {
                        Access::Read => return Err(Fault(format!("b{} is written but only read", buf.0))),
                        Access::Write => {}
                        Access::Update => self.update(*buf, at)?,
                    }
                }
                Dst::Row(row) => {
                    let written = self.rows.get_mut(usize::from(row.0));
                    *written.ok_or_else(|| Fault(format!("no scratch row r{}", row.0)))? = true;
                }
                Dst::Slot(slot) => {
                    let written = self.slots.get_mut(usize::from(slot.0));
                    *written.ok_or_else(|| Fault(format!("no slot t{}", slot.0)))? = true;
                }
            }
        }
        Ok(())
    }

    fn update(&mut self, buf: BufArg, at: &Affine) -> Result<(), Fault> {
        let here = (self.phase, at.clone());
        let first = self.updates[usize::from(buf.0)].get_or_insert_with(|| here.clone());
        require(*first == here, || format!("b{} is updated in two places", buf.0))
    }

    fn access(&self, buf: BufArg) -> Result<Access, Fault> {
        self.kernel.bufs.get(usize::from(buf.0)).copied().ok_or_else(|| Fault(format!("no buffer b{}", buf.0)))
    }

    fn affine(&self, at: &Affine, fold: bool) -> Result<(), Fault> {
        require(at.grid.len() == self.kernel.grid.len(), || "an address of another grid".into())?;
        require(fold || at.fold == Coef::Const(0), || "a fold stride outside of a fold".into())?;
        at.grid.iter().chain([&at.base, &at.row, &at.fold]).try_for_each(|coef| self.coef(*coef))
    }

    fn size(&self, size: Coef) -> Result<(), Fault> {
        require(!matches!(size, Coef::Const(n) if n < 0), || "a negative size".into())?;
        self.coef(size)
    }

    fn coef(&self, coef: Coef) -> Result<(), Fault> {
        match coef {
            Coef::Const(_) => Ok(()),
            Coef::Size(size) => require(size.0 < self.kernel.sizes, || format!("no size s{}", size.0)),
        }
    }
}

/// The type of a value that is combined.
fn accumulated(types: &[ScalarTy], v: V, comb: Comb) -> Result<ScalarTy, Fault> {
    let have = types.get(v.0 as usize).copied();
    let fits = have.filter(|ty| comb.takes(*ty));
    fits.ok_or_else(|| Fault(format!("v{} is {have:?}, accumulated by {comb:?}", v.0)))
}

/// What holds for a program.
pub fn program(program: &Program) -> Result<(), Fault> {
    for (at, one) in program.kernels.iter().enumerate() {
        kernel(one).map_err(|fault| Fault(format!("kernel k{at}: {fault}")))?;
    }
    for (at, one) in program.steps.iter().enumerate() {
        step(program, one).map_err(|fault| Fault(format!("step {at}: {fault}")))?;
    }
    Ok(())
}

fn step(program: &Program, step: &Step) -> Result<(), Fault> {
    match step {
        Step::Loop(launch) => {
            let kernel = self::launch(program, launch)?;
            require(!uses_tile(kernel), || "a tile outside of an epilogue".into())
        }
        Step::Gemm { batch, a, b, c, epilogue, .. } => {
            let fits = [Some(a), Some(b), c.as_ref()].into_iter().flatten();
            let fits = fits.map(|matrix| matrix.batch_strides.len()).all(|strides| strides == batch.len());
            require(fits, || "a matrix of another batch".into())?;
            let mut buffers = vec![(a.buf, false), (b.buf, false)];
            buffers.extend(c.iter().map(|c| (c.buf, true)));
            let elem = alike(program, buffers.iter().map(|(buf, _)| *buf))?;
            if let Some(epilogue) = epilogue {
                buffers.extend(self::epilogue(program, epilogue, elem)?);
            }
            require(c.is_some() || epilogue.is_some(), || "a contraction that nothing wants".into())?;
            written_once(program, &buffers)
        }
        Step::Conv(conv) => {
            let loops = conv.batch.len() + conv.m.len() + conv.k.len();
            let fits = |axis: &PatchAxis| axis.steps.len() == loops && axis.divisor > 0;
            require(conv.a.axes.iter().all(fits), || "patches of other loops".into())?;
            let steps = conv.batch.len() + conv.k.len() + 1;
            require(conv.b_steps.len() == steps, || "a right operand of other loops".into())?;
            let mut buffers = vec![(conv.a.buf, false), (conv.b, false)];
            buffers.extend(conv.c.iter().map(|c| (*c, true)));
            let elem = alike(program, buffers.iter().map(|(buf, _)| *buf))?;
            if let Some(epilogue) = &conv.epilogue {
                buffers.extend(self::epilogue(program, epilogue, elem)?);
            }
            require(conv.c.is_some() || conv.epilogue.is_some(), || "a convolution that nothing wants".into())?;
            written_once(program, &buffers)
        }
        Step::Segments { index, update, out, .. } => {
            require(alike(program, [*index])? == Elem::Word, || "an index of 64 bits".into())?;
            alike(program, [*update, *out])?;
            written_once(program, &[(*index, false), (*update, false), (*out, true)])
        }
        Step::Copy { from, to } => {
            alike(program, [*from, *to])?;
            written_once(program, &[(*from, false), (*to, true)])
        }
        Step::Scan(scan) => {
            let place = |buf: BufId| program.buffers.get(buf.0 as usize).map(|buffer| &buffer.place);
            let rows = scan
                .rows
                .iter()
                .chain(&scan.made)
                .all(|row| matches!(place(*row), Some(Place::Row(of)) if place(*of).is_some()));
            require(rows, || "a row of nothing".into())?;
            for row in scan.rows.iter().chain(&scan.made) {
                if let Some(Place::Row(of)) = place(*row) {
                    alike(program, [*row, *of])?;
                }
            }
            require(scan.locals.iter().all(|local| place(*local) == Some(&Place::Local)), || {
                "a local elsewhere".into()
            })?;
            for Carry { first, old, new, last } in &scan.carries {
                let own = [old, new].into_iter().all(|buf| scan.locals.contains(buf));
                require(own && old != new, || "a carry that is not the loop's own".into())?;
                alike(program, [*first, *old, *new].into_iter().chain(*last))?;
                let both: Vec<(BufId, bool)> = last.iter().map(|last| (*last, true)).chain([(*old, true)]).collect();
                written_once(program, &[&both[..], &[(*first, false)]].concat())?;
            }
            scan.body.iter().try_for_each(|inner| self::step(program, inner))
        }
    }
}

/// The buffers of what runs on a tile of such elements.
fn epilogue(program: &Program, epilogue: &Launch, elem: Elem) -> Result<Vec<(BufId, bool)>, Fault> {
    let kernel = launch(program, epilogue)?;
    require(kernel.wide.tile() == elem || !uses_tile(kernel), || "a tile of another width".into())?;
    Ok(uses(kernel, epilogue))
}

/// How wide the elements of buffers are, which must be alike.
fn alike(program: &Program, bufs: impl IntoIterator<Item = BufId>) -> Result<Elem, Fault> {
    let mut common = None;
    for buf in bufs {
        let buffer = program.buffers.get(buf.0 as usize).ok_or_else(|| Fault(format!("no buffer m{}", buf.0)))?;
        let elem = *common.get_or_insert(buffer.elem);
        require(elem == buffer.elem, || format!("m{} has elements of another width", buf.0))?;
    }
    Ok(common.unwrap_or_default())
}

fn launch<'p>(program: &'p Program, launch: &Launch) -> Result<&'p Kernel, Fault> {
    let kernel = program.kernels.get(launch.kernel.0 as usize);
    let kernel = kernel.ok_or_else(|| Fault(format!("no kernel k{}", launch.kernel.0)))?;
    let (buffers, scalars, sizes) = (launch.bufs.len(), launch.scalars.len(), launch.sizes.len());
    require(buffers == kernel.bufs.len(), || format!("{buffers} buffers for {}", kernel.bufs.len()))?;
    require(scalars == kernel.scalars.len(), || format!("{scalars} scalars for {}", kernel.scalars.len()))?;
    require(sizes == usize::from(kernel.sizes), || format!("{sizes} sizes for {}", kernel.sizes))?;
    for (value, ty) in launch.scalars.iter().zip(&kernel.scalars) {
        let have = match value {
            ScalarValue::Host(id) | ScalarValue::HostWide(id) => {
                require((id.0 as usize) < program.host.ops.len(), || format!("no host value h{}", id.0))?;
                if matches!(value, ScalarValue::Host(_)) { ScalarTy::F32 } else { ScalarTy::F64 }
            }
            ScalarValue::Seed | ScalarValue::SeedHigh | ScalarValue::Step | ScalarValue::Word(_) => ScalarTy::I32,
        };
        require(have == *ty, || format!("{value:?} is {have:?}, wanted {ty:?}"))?;
    }
    for (at, buf) in launch.bufs.iter().enumerate() {
        let elem = alike(program, [*buf])?;
        require(elem == kernel.wide.buf(BufArg(at as u16)), || format!("b{at} and m{} differ in width", buf.0))?;
    }
    written_once(program, &uses(kernel, launch))?;
    Ok(kernel)
}

fn uses(kernel: &Kernel, launch: &Launch) -> Vec<(BufId, bool)> {
    launch.bufs.iter().zip(&kernel.bufs).map(|(buf, access)| (*buf, *access != Access::Read)).collect()
}

/// Each buffer exists; what is written is written under one name, read under no other, and no input.
fn written_once(program: &Program, uses: &[(BufId, bool)]) -> Result<(), Fault> {
    for (at, (buf, written)) in uses.iter().enumerate() {
        let buffer = program.buffers.get(buf.0 as usize).ok_or_else(|| Fault(format!("no buffer m{}", buf.0)))?;
        if *written {
            require(!matches!(buffer.place, Place::Input(_)), || format!("m{} is an input and written", buf.0))?;
            let other = uses.iter().enumerate().any(|(other, (same, _))| other != at && same == buf);
            require(!other, || format!("m{} is written and used under another name", buf.0))?;
        }
    }
    Ok(())
}
