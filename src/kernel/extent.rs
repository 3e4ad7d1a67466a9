//! Which elements a kernel touches when its sizes are known.
//!
//! In: a kernel, its size table, the lengths of its buffers. Out: whether every address is in range.
//! An address is affine, so its least and largest values stand at corners of the loop nest; nothing
//! runs. A masked load is not looked at here, and of a data-dependent one only what row 0 reads: the
//! backends check the address of these when they load.

use super::ir::{Affine, Body, BufArg, Coef, Dst, Inst, Kernel, Phase};
use super::verify::Fault;

/// The value of a coefficient.
pub fn coef(coef: Coef, sizes: &[i64]) -> i64 {
    match coef {
        Coef::Const(value) => value,
        Coef::Size(size) => sizes[usize::from(size.0)],
    }
}

/// How many points a grid has; none when a size is negative or the product is out of range.
pub fn rows(kernel: &Kernel, sizes: &[i64]) -> Option<u64> {
    let mut rows = 1u64;
    for size in &kernel.grid {
        rows = rows.checked_mul(u64::try_from(coef(*size, sizes)).ok()?)?;
    }
    i64::try_from(rows).is_ok().then_some(rows)
}

/// Checks every address of a kernel against the lengths of its buffers.
pub fn check(kernel: &Kernel, sizes: &[i64], lens: &[usize]) -> Result<(), Fault> {
    let fault = |what: &str| Err(Fault(what.to_string()));
    let (Some(rows), row) = (rows(kernel, sizes), coef(kernel.row, sizes)) else {
        return fault("a grid out of range");
    };
    if row < 0 {
        return fault("a negative row");
    }
    if rows == 0 {
        return Ok(());
    }
    let grid: Vec<i64> = kernel.grid.iter().map(|size| coef(*size, sizes)).collect();
    let check = Check { sizes, lens, grid: &grid };
    for phase in &kernel.phases {
        match phase {
            Phase::Map(body) | Phase::Reduce { body, .. } => check.body(body, row, 1)?,
            Phase::Scalar(body) => check.body(body, 1, 1)?,
            Phase::Fold { over, body, acc } => {
                check.body(body, row, coef(*over, sizes))?;
                for (_, _, dst) in acc {
                    check.dst(dst, row)?;
                }
            }
        }
    }
    Ok(())
}

struct Check<'a> {
    sizes: &'a [i64],
    lens: &'a [usize],
    grid: &'a [i64],
}

impl Check<'_> {
    fn body(&self, body: &Body, row: i64, over: i64) -> Result<(), Fault> {
        for inst in &body.insts {
            if let Inst::Load { buf, at, valid: None, .. } = inst {
                self.address(*buf, at, row, over)?;
            }
        }
        body.stores.iter().try_for_each(|(dst, _)| self.dst(dst, row))
    }

    fn dst(&self, dst: &Dst, row: i64) -> Result<(), Fault> {
        match dst {
            Dst::Buf(buf, at) => self.address(*buf, at, row, 1),
            Dst::Row(_) | Dst::Slot(_) => Ok(()),
        }
    }

    fn address(&self, buf: BufArg, at: &Affine, row: i64, over: i64) -> Result<(), Fault> {
        if row <= 0 || over <= 0 {
            return Ok(());
        }
        let base = i128::from(coef(at.base, self.sizes));
        let (mut least, mut most) = (base, base);
        let axes = at.grid.iter().copied().zip(self.grid.iter().copied());
        for (stride, size) in axes.chain([(at.row, row), (at.fold, over)]) {
            // At most 2^126 in size; the sum of a few of them saturates instead of wrapping.
            let reach = i128::from(coef(stride, self.sizes)) * i128::from(size - 1);
            least = least.saturating_add(reach.min(0));
            most = most.saturating_add(reach.max(0));
        }
        let len = self.lens[usize::from(buf.0)] as i128;
        if least < 0 || most >= len {
            return Err(Fault(format!("b{}: elements {least}..={most} of {len}", buf.0)));
        }
        Ok(())
    }
}
