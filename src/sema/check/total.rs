//! `total(x)` in an optimizer: the sum of a scalar over all parameters of the update.
//!
//! An optimizer is elaborated for one parameter after the other, and the first needs what the last adds. So the updates
//! are elaborated again until every sum is known: a round finds the parts of those that need no unknown sum, which
//! stand in the next round as they are. Without a `total` there is one round.

use crate::base::Span;
use crate::diag::store as told;
use crate::ops::MapOp;
use crate::sema::dtype::DType;
use crate::sema::typed::Fun;
use crate::sema::value::{Body, Given, Value};

use super::checker::Checker;
use super::store::{Site, Totals};

impl<'a> Checker<'a> {
    /// What `updates` elaborates, with every `total` in it known.
    pub(super) fn with_totals<T>(&mut self, mut updates: impl FnMut(&mut Self) -> T) -> T {
        let mut n_bindings = None;
        self.totals = Some(Totals::default());
        loop {
            let value = updates(self);
            let n_bindings = *n_bindings.get_or_insert(self.bindings.len());
            self.forget_repeated_bindings(n_bindings);
            let parts = self.totals.as_mut().map(|totals| std::mem::take(&mut totals.parts)).unwrap_or_default();
            if parts.is_empty() || self.diagnostics.has_errors() {
                self.totals = None;
                return value;
            }
            for (site, part) in parts {
                let known = self.totals.as_ref().and_then(|totals| totals.known.get(&site).copied());
                let sum = match known {
                    Some(sum) => {
                        let span = self.exprs[part.0 as usize].span;
                        self.map(Fun::Map(MapOp::Add), vec![sum, part], Vec::new(), DType::F32, span)
                    }
                    None => part,
                };
                self.totals.get_or_insert_default().known.insert(site, sum);
            }
            self.store.start_section("");
        }
    }

    /// Another parameter comes.
    pub(super) fn next_parameter(&mut self) {
        if let Some(totals) = &mut self.totals {
            totals.unknown = false;
        }
    }

    /// `total(x)`
    pub(super) fn total(&mut self, body: Body, args: Vec<Given<'a>>, span: Span) -> Value<'a> {
        let given = args.first().map_or(span, |given| given.span);
        let Some(x) = self.first_tensor(args) else { return Value::Error };
        let part = self.to_float(x, span);
        if !self.ty(part).axes.is_empty() {
            let told = told::total_of_tensor(&self.show_type(self.ty(part)), (span, given));
            return self.fail(told);
        }
        let site: Site = self.calls.iter().map(|call| call.span).chain([span]).collect();
        match &mut self.totals {
            Some(totals) => {
                if let Some(&sum) = totals.known.get(&site) {
                    return Value::Tensor(sum);
                }
                if !std::mem::replace(&mut totals.unknown, true) {
                    totals.parts.push((site, part));
                }
                Value::Tensor(part)
            }
            // An optimizer on its own, and what may be a part of one, knows no parameters.
            None if self.alone && matches!(body, Body::Optimizer | Body::Function) => Value::Tensor(part),
            None => self.fail(self.total_of_one(told::total_outside(span), span)),
        }
    }
}
