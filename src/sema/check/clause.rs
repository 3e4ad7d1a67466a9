//! Functions that give their gradient, each by itself on drawn sizes.
//!
//! In: the definitions of files that have been checked. Out: a `Clause` for each `grad(dy)`: the function on some draws
//! of the sizes that its signature leaves open. A draw that its facts or its body refuse is drawn again, so nothing here
//! has to solve what a `where` says.

use std::iter::repeat_n;

use crate::diag::{Diagnostics, Severity};
use crate::sema::clause::{Clause, Trial, Untried};
use crate::sema::typed::{ExprId, ExprKind};
use crate::syntax::ast::{self, DefKind};

use super::checker::Checker;
use super::draw::Draw;

/// How many draws of sizes a function is tried on.
const TRIALS: usize = 3;
/// How often sizes are drawn, and up to what; wide ones come where small ones are refused, and last those that reach
/// over the numbers that the function writes itself.
const ATTEMPTS: [(usize, i64); 3] = [(400, 5), (400, 9), (1200, 17)];
/// The largest size that is drawn.
const MAX_SIZE: i64 = 256;
/// How many elements the tensors of a draw have together at most.
const MAX_ELEMENTS: i64 = 600;

impl<'a> Checker<'a> {
    /// The functions of a file that give their gradient.
    pub(super) fn clauses(&mut self, file: &'a ast::File) -> Vec<Clause> {
        let defs = file.items.iter().filter_map(|item| match item {
            ast::Item::Def(def) if def.kind == DefKind::Fn => Some((def, def.grad.as_ref()?)),
            _ => None,
        });
        let clause = |(def, clause): (&'a ast::Def, &ast::GradClause)| Clause {
            name: def.name.name,
            span: clause.span,
            trials: self.trials(def),
        };
        defs.map(clause).collect()
    }

    fn trials(&mut self, def: &'a ast::Def) -> Result<Vec<Trial>, Untried> {
        let mut trials: Vec<Trial> = Vec::new();
        let mut refused = String::new();
        let [small, medium, (times, wide)] = ATTEMPTS;
        let widest = wide.max(largest_number(def).saturating_add(4)).min(MAX_SIZE);
        let draws = [small, medium, (times, widest)].into_iter().flat_map(|(times, most)| repeat_n(most, times));
        for (seed, most) in draws.enumerate() {
            match self.trial(def, Draw::new(seed as u32, most)) {
                Ok(trial) => trials.push(trial),
                Err(Untried::Sizes(told)) => refused = told,
                Err(other) => return Err(other),
            }
            if trials.len() == TRIALS {
                break;
            }
        }
        if trials.is_empty() { Err(Untried::Sizes(refused)) } else { Ok(trials) }
    }

    /// The function on one draw.
    fn trial(&mut self, def: &'a ast::Def, draw: Draw) -> Result<Trial, Untried> {
        self.training = true;
        self.store = super::store::Store::default();
        self.exprs.clear();
        self.checks.clear();
        self.demands.clear();
        self.diagnostics = Diagnostics::default();
        self.n_uses = 0;
        self.draw = Some(draw);
        let value = self.opaque(def);
        let draw = self.draw.take().unwrap_or_default();
        if let Err(param) = value {
            return Err(Untried::Parameter(param.name.name, param.span));
        }
        let told = std::mem::take(&mut self.diagnostics);
        if let Some(error) = told.iter().find(|told| told.severity == Severity::Error) {
            return Err(Untried::Sizes(error.message.clone()));
        }
        if draw.elements() > MAX_ELEMENTS {
            return Err(Untried::Sizes("its tensors are too large to try each of their elements".to_owned()));
        }
        // That of the function is the last: those of what it uses are parts of its value.
        let is_own = |kind: &ExprKind| matches!(kind, ExprKind::WithGradient { .. });
        let own = self.exprs.iter().rposition(|expr| is_own(&expr.kind) && expr.span == def.body.value.span);
        let Some(own) = own.filter(|_| !draw.variables.is_empty()) else { return Err(Untried::NothingFlows) };
        let ExprKind::WithGradient { value: body, .. } = self.exprs[own].kind else {
            return Err(Untried::NothingFlows);
        };
        Ok(Trial {
            exprs: self.finished(),
            given: ExprId(own as u32),
            body,
            variables: draw.variables,
            inputs: draw.inputs,
            sizes: self.sizes.names(),
        })
    }
}

/// The largest whole number in the facts and the body of a function.
fn largest_number(def: &ast::Def) -> i64 {
    let mut largest = 0;
    let mut see = |part: &ast::Expr| {
        if let ast::ExprKind::Number(number) = &part.kind {
            largest = largest.max(number.value as i64);
        }
    };
    def.facts.iter().for_each(|fact| fact.walk(&mut see));
    def.body.value.walk(&mut see);
    largest
}
