//! What a program checks while it runs: numbers that are to be places of an axis.
//!
//! In: the results of a run of the program, its checks, the sizes of the batch. Out: the first that fails. Outside
//! numbers were taken to the nearest place, so that nothing was read elsewhere; the run ends before they count.

use crate::diag::{Diagnostic, run as told};
use crate::ir::{Role, SizeId};
use crate::runtime::step::Results;
use crate::sema::typed::Check;

/// Holds results to the checks of their program; one that it does not compute holds.
pub(super) fn hold(results: &Results<'_>, checks: &[Check], sizes: &[i64]) -> Result<(), Diagnostic> {
    for (check, at) in checks.iter().zip(0..) {
        let (Some(least), Some(most)) = (results.scalar(&Role::Least(at)), results.scalar(&Role::Most(at))) else {
            continue;
        };
        let size = |id: SizeId| sizes[id.0 as usize];
        let Ok(size) = check.size.eval(&size) else { continue };
        let inside = |number: f32| number >= 0.0 && f64::from(number) < size as f64;
        if let Some(outside) = [least, most].into_iter().find(|number| !inside(*number)) {
            return Err(told::place_outside(&check.axis, outside, size, check.span));
        }
    }
    Ok(())
}
