//! Elaborating a block again: what an attempt has left behind is taken back.
//!
//! The block of a `scan` is elaborated under a guess of what it carries. Where the guess lacks axes, all that the block
//! made goes: expressions, parameters, states, draws, reports. What it learnt of sizes and of which axes are one
//! stays, as the next attempt learns the same and more.

use rustc_hash::FxHashMap;

use crate::base::Span;
use crate::sema::typed::ExprId;
use crate::sema::value::Value;

use super::checker::Checker;
use super::store::{StoreMark, Totals};

/// How far the elaboration had come.
pub(super) struct Mark<'a> {
    exprs: usize,
    diagnostics: usize,
    bindings: usize,
    checks: usize,
    demands: usize,
    scan_count: u32,
    remats: u32,
    /// What the generator at hand carries.
    kept: usize,
    store: StoreMark,
    totals: Option<Totals>,
    constants: FxHashMap<Span, Option<Value<'a>>>,
}

impl<'a> Checker<'a> {
    /// Where the elaboration stands.
    pub(super) fn mark(&self) -> Mark<'a> {
        Mark {
            exprs: self.exprs.len(),
            diagnostics: self.diagnostics.len(),
            bindings: self.bindings.len(),
            checks: self.checks.len(),
            demands: self.demands.len(),
            scan_count: self.scan_count,
            remats: self.remats,
            kept: self.stream.as_ref().map_or(0, |stream| stream.kept.len()),
            store: self.store.mark(),
            totals: self.totals.clone(),
            constants: self.constants.clone(),
        }
    }

    /// Takes back what has been made since.
    pub(super) fn back_to(&mut self, mark: Mark<'a>) {
        let is_left = |id: ExprId| (id.0 as usize) < mark.exprs;
        self.exprs.truncate(mark.exprs);
        self.diagnostics.truncate(mark.diagnostics);
        self.bindings.truncate(mark.bindings);
        self.checks.truncate(mark.checks);
        self.demands.truncate(mark.demands);
        self.scan_count = mark.scan_count;
        self.remats = mark.remats;
        if let Some(stream) = &mut self.stream {
            stream.kept.truncate(mark.kept);
        }
        // An outer loop may have met a row or a check for the first time.
        for scan in &mut self.scans {
            scan.rows.retain(|_, row| is_left(*row));
            scan.checks.retain(|check| is_left(check.least) && is_left(check.most));
        }
        self.store.meant.retain(|id| is_left(*id));
        self.store.back_to(mark.store);
        self.totals = mark.totals;
        self.constants = mark.constants;
    }
}
