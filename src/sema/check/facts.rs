//! Facts about sizes: obligations at each use of a definition, suppositions where it is checked on its own.
//!
//! A fact is proved, refuted or open. One that is open while a definition stands alone is asked of its signature, with
//! the `where` that settles it; but an order that a definition used there asks for is inherited, and told at a use where
//! it fails. One that is open in a run speaks of the batch, and each batch is held to it.

use crate::base::{Span, Symbol};
use crate::diag::{Diagnostic, shape, value as told};
use crate::ir::{Dim, Fact, Truth};
use crate::sema::dims::Mismatch;
use crate::sema::typed::Demand;
use crate::sema::value::{AxisArg, Scope, Value};
use crate::syntax::ast::{self, ExprKind as Ast};

use super::arith::fact_of;
use super::bind::Binders;
use super::checker::Checker;
use super::fitting::Failing;

impl<'a> Checker<'a> {
    /// `where heads divides d`
    pub(super) fn check_facts(
        &mut self,
        scope: &mut Scope<'a>,
        binders: &Binders,
        def: &'a ast::Def,
        facts: Vec<&'a ast::Expr>,
        numbers: &dyn Fn() -> Vec<(Symbol, Span)>,
        span: Span,
    ) -> bool {
        let mut holds = true;
        let mut open: Vec<(Fact, Span)> = Vec::new();
        for expr in facts {
            if self.alone {
                self.suppose_exponents(scope, expr);
            }
            let fact = self.fact(scope, expr);
            let refuted = match &fact {
                Some(fact) => self.sizes.judge(fact) == Truth::Refuted,
                None => matches!(self.expr(scope, expr), Value::Bool(false)),
            };
            if refuted {
                let (here, known) = (self.fact_here(scope, expr), self.fact_names(scope, binders, expr));
                let text = crate::syntax::print::print_expr(expr);
                let told = told::fact_fails(def.name.name, (&text, here.as_deref()), &known, span, expr.span);
                let told = match self.use_around(span) {
                    Some((name, place)) => told.label(place, told::in_this_use(name)),
                    None => told,
                };
                let failing = Failing { def, fact: expr, binders, numbers: &numbers(), span };
                let fitting = self.fitting(scope, &failing);
                self.report(match fitting {
                    Some(fits) => told::fits(told, fits),
                    // No edit: no number near one of the program's fits, so the definition is not meant for this.
                    None => told,
                });
                holds = false;
            } else if let Some(fact) = fact.filter(|fact| self.sizes.judge(fact) == Truth::Open) {
                open.push((fact, expr.span));
            }
        }
        let is_own = self.own.is_some_and(|own| own.name.span == def.name.span) && self.calls.len() == 1;
        if is_own {
            open.iter().for_each(|(fact, _)| self.sizes.suppose(fact));
            return holds;
        }
        if self.own.is_some() {
            // Every layer with a pool would have to say how large a picture must be at least.
            open.iter().filter(|(fact, _)| fact.is_order()).for_each(|(fact, _)| self.sizes.suppose(fact));
            open.retain(|(fact, _)| !fact.is_order());
        }
        if let Some(&(_, place)) = open.first() {
            let facts: Vec<Fact> = open.into_iter().map(|(fact, _)| fact).collect();
            let at = self.user_span(span);
            let shown = self.show_facts(&facts);
            self.settle(facts, at, |_| told::fact_open(def.name.name, &shown, at, place));
        }
        holds
    }

    /// A power in a fact is a size, so its exponent is zero or more; a use where it is not is told there.
    fn suppose_exponents(&mut self, scope: &mut Scope<'a>, fact: &'a ast::Expr) {
        let mut exponents: Vec<&'a ast::Expr> = Vec::new();
        fact.walk(&mut |part| {
            if let Ast::Chain(_, links) = &part.kind {
                exponents.extend(links.iter().filter(|(op, ..)| *op == ast::BinaryOp::Pow).map(|(_, _, expr)| expr));
            }
        });
        for exponent in exponents {
            // What is wrong with it is told where the fact is read.
            let known = std::mem::take(&mut self.diagnostics);
            let value = self.expr(scope, exponent);
            self.diagnostics = known;
            let Value::Int(size) = value else { continue };
            let fact = Fact::AtMost(Dim::ZERO, size);
            if self.sizes.judge(&fact) == Truth::Open {
                self.sizes.suppose(&fact);
            }
        }
    }

    /// The user's use of the user's definition that a place stands in; a definition on its own has none.
    fn use_around(&self, span: Span) -> Option<(Symbol, Span)> {
        let [first, others @ .., _] = &self.calls[..] else { return None };
        let around = others.last().or_else(|| (!self.alone).then_some(first))?;
        (!self.is_std(span) && !self.is_std(around.span)).then_some((around.name, around.span))
    }

    /// What a number of the user's led to in a definition of the user's, with the use that gave it.
    pub(super) fn in_use(&self, told: Diagnostic) -> Diagnostic {
        let uses = &self.calls[usize::from(self.alone).min(self.calls.len())..];
        match uses.last() {
            Some(call) if !self.is_std(call.span) => told.label(call.span, told::in_this_use(call.name)),
            _ => told,
        }
    }

    /// A comparison of two sizes as a fact.
    pub(super) fn fact(&mut self, scope: &mut Scope<'a>, expr: &'a ast::Expr) -> Option<Fact> {
        let Ast::Chain(left, rest) = &expr.kind else { return None };
        let [(op, _, right)] = &rest[..] else { return None };
        fact_of(*op, &Dim::ZERO, &Dim::ZERO)?;
        let mut size = |side: &'a ast::Expr| match self.expr(scope, side) {
            Value::Int(size) | Value::Axis(AxisArg { size, .. }) => Some(size),
            _ => None,
        };
        let (left, right) = (size(left)?, size(right)?);
        fact_of(*op, &left, &right)
    }

    /// Facts that nothing decides: told while a definition stands alone, and taken as given from here on, so that
    /// what follows from them is silent; demanded of each batch in a run.
    pub(super) fn settle(&mut self, facts: Vec<Fact>, span: Span, told: impl FnOnce(&Self) -> Diagnostic) {
        if facts.is_empty() {
            return;
        }
        if self.alone {
            // The columns of a model are as large as its data says, and each run checks them.
            if !self.guesses && self.own.is_some_and(|own| own.kind != ast::DefKind::Model) {
                let told = self.with_where(told(self), &facts);
                self.report(told);
            }
            facts.iter().for_each(|fact| self.sizes.suppose(fact));
            return;
        }
        let (span, of) = (self.user_span(span), self.asker);
        for fact in facts {
            let fact = fact.map(|dim| self.sizes.resolve(dim));
            if self.demands.iter().all(|known| (&known.fact, known.of) != (&fact, of)) {
                let shown = self.show_facts(std::slice::from_ref(&fact));
                self.demands.push(Demand { fact, shown, of, span, batch: None });
            }
        }
    }

    /// Two sizes that are not one; where nothing decides it, with the `where` that would.
    pub(super) fn unequal(&mut self, mismatch: Mismatch, (a, b): (&Dim, &Dim), told: Diagnostic) {
        let told = match mismatch {
            Mismatch::Refuted => told,
            Mismatch::Open if self.guesses => return,
            Mismatch::Open => {
                // Both are the sizes of axes, which have a place at least: `n == 2 * n` never holds.
                let mut known = self.sizes.facts.clone();
                let sides = [a, b].map(|size| self.sizes.resolve(size));
                sides.iter().for_each(|size| known.suppose(&Fact::AtMost(Dim::ONE, size.clone())));
                let [a, b] = sides;
                let fact = Fact::Equal(a, b);
                match known.judge(&fact) {
                    Truth::Refuted => told,
                    Truth::Proved | Truth::Open => self.with_where(told, &[fact]),
                }
            }
        };
        self.report(told);
    }

    /// A fact that no batch may decide, and nothing known does; it is taken as given from here on.
    pub(super) fn ask(&mut self, fact: &Fact, told: Diagnostic) {
        if !self.guesses && !self.own.is_some_and(|own| own.kind == ast::DefKind::Model) {
            let told = self.with_where(told, std::slice::from_ref(fact));
            self.report(told);
        }
        self.sizes.suppose(fact);
    }

    /// `k divides n` where a truth value is asked for and nothing decides it.
    pub(super) fn undecided(&mut self, fact: &Fact, span: Span) -> Value<'a> {
        if self.guesses {
            return Value::Error;
        }
        let shown = self.show_facts(std::slice::from_ref(fact));
        let told = self.with_where(shape::fact_undecided(&shown, span), std::slice::from_ref(fact));
        self.fail(told)
    }

    fn show_facts(&self, facts: &[Fact]) -> String {
        let shown: Vec<String> = facts
            .iter()
            .map(|fact| {
                let (a, b) = fact.sides();
                format!("{} {} {}", self.sizes.show(a), fact.sign(), self.sizes.show(b))
            })
            .collect();
        shown.join(", ")
    }

    /// The message with the `where` that settles these facts, where the signature has words for their sizes.
    pub(super) fn with_where(&self, told: Diagnostic, facts: &[Fact]) -> Diagnostic {
        if self.own.is_none() || facts.iter().any(|fact| self.sizes.judge(fact) == Truth::Refuted) {
            return told;
        }
        let text = self.show_facts(facts);
        let sizes = || facts.iter().flat_map(|fact| [fact.sides().0, fact.sides().1]);
        let written = sizes().flat_map(|dim| self.sizes.resolve(dim).sizes()).all(|id| self.words.contains(&id));
        let Some(own) = self.own.filter(|own| written && !self.is_std(own.span)) else {
            return told.help(shape::say_where(&text));
        };
        let (at, edit) = match own.facts.last() {
            Some(last) => (last.span, format!(", {text}")),
            None => (own.head, format!(" where {text}")),
        };
        let end = Span { start: at.end, ..at };
        told.fix(shape::say_where(&text), end, edit)
    }

    /// A fact with the sizes of this use in it: `5 <= 3`.
    fn fact_here(&mut self, scope: &mut Scope<'a>, fact: &'a ast::Expr) -> Option<String> {
        let Ast::Chain(left, rest) = &fact.kind else { return None };
        let [(op, _, right)] = &rest[..] else { return None };
        let mut shown = |side: &'a ast::Expr| match self.expr(scope, side) {
            Value::Int(size) | Value::Axis(AxisArg { size, .. }) => Some(self.sizes.show(&size)),
            _ => None,
        };
        Some(format!("{} {} {}", shown(left)?, op.sign(), shown(right)?))
    }

    /// The sizes that a fact names, `h = 4`, with the caller's name for an axis where it is another.
    fn fact_names(&mut self, scope: &mut Scope<'a>, binders: &Binders, fact: &'a ast::Expr) -> Vec<String> {
        let mut names: Vec<(Symbol, &'a ast::Expr)> = Vec::new();
        fact.walk(&mut |part| {
            if let Ast::Name(name) = part.kind
                && !names.iter().any(|(known, _)| *known == name)
            {
                names.push((name, part));
            }
        });
        let mut known = Vec::new();
        for (name, part) in names {
            let (Value::Int(size) | Value::Axis(AxisArg { size, .. })) = self.expr(scope, part) else { continue };
            let outer = binders.get(&name).and_then(|binder| self.axes.name(binder.outer?));
            let outer = outer.filter(|outer| *outer != name).map_or_else(String::new, |outer| format!(" (`{outer}`)"));
            known.push(format!("{name}{outer} = {}", self.sizes.show(&size)));
        }
        known
    }
}

/// Whether a fact speaks of an axis that only the result has.
pub(super) fn names_result_axis(def: &ast::Def, binders: &Binders, fact: &ast::Expr) -> bool {
    let Some(ast::TypeKind::Tensor { axes, .. }) = def.result.as_ref().map(|ty| &ty.kind) else { return false };
    let is_result = |symbol: Symbol| {
        let named = |decl: &ast::AxisDecl| matches!(decl, ast::AxisDecl::Axis { name, .. } if name.name == symbol);
        !binders.contains_key(&symbol) && axes.iter().any(named)
    };
    let mut found = false;
    fact.walk(&mut |part| found |= matches!(part.kind, Ast::Name(name) if is_result(name)));
    found
}
