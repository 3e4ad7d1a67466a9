//! A number of the user's with which a fact holds that fails.
//!
//! In: a fact behind `where` that is refuted, and the arguments of the use. Out: a number to change or to give, and to what.
//! Tried in turn: the numbers given to this use, those given further out that came here under the same name, the
//! defaults of what is not given, and the sizes that a signature of the user's writes. The first that fits is told: what
//! is given last was probably chosen to fit the rest.

use crate::base::{Span, Symbol};
use crate::diag::value::Fits;
use crate::ir::{Dim, Truth};
use crate::sema::value::{AxisArg, Scope, Value};
use crate::syntax::ast::{self, AxisDecl, ExprKind as Ast};

use super::bind::Binders;
use super::checker::Checker;

/// How far from a number that does not fit one that does is looked for.
const AWAY: i64 = 64;

/// A fact that fails in a use of a definition.
pub(super) struct Failing<'a, 'c> {
    pub def: &'a ast::Def,
    pub fact: &'a ast::Expr,
    pub binders: &'c Binders,
    /// The whole numbers given to this use, by the names of the parameters.
    pub numbers: &'c [(Symbol, Span)],
    /// The use.
    pub span: Span,
}

impl<'a> Checker<'a> {
    /// A number near one that the program has, with which the fact holds and no other fact of the definition fails.
    pub(super) fn fitting(&mut self, scope: &mut Scope<'a>, failing: &Failing<'a, '_>) -> Option<Fits> {
        for &(name, place) in failing.numbers.iter().rev() {
            let place = if self.is_std(place) { self.given_outside(scope, name) } else { Some(place) };
            if let Some(place) = place
                && let Some(number) = self.near(scope, failing, name, 0)
            {
                return Some(Fits::Number(name, number, place));
            }
        }
        let is_given = |name: Symbol| failing.numbers.iter().any(|(given, _)| *given == name);
        let params = failing.def.config.iter().flatten().chain(&failing.def.inputs);
        for param in params.filter(|param| param.default.is_some() && !is_given(param.name.name)) {
            let name = param.name.name;
            if let Some((place, open, close)) = self.behind_arguments(failing.span)
                && let Some(number) = self.near(scope, failing, name, 0)
            {
                return Some(Fits::Argument(name, number, place, format!("{open}{name} = {number}{close}")));
            }
        }
        let mut named: Vec<Symbol> = Vec::new();
        failing.fact.walk(&mut |part| {
            if let Ast::Name(name) = part.kind {
                named.push(name);
            }
        });
        for name in named {
            let Some(binder) = failing.binders.get(&name) else { continue };
            let Some(literal) = self.literal_of(binder.from, &binder.size) else { continue };
            if let Some(number) = self.near(scope, failing, name, 1) {
                let axis = binder.outer.map_or_else(|| name.to_string(), |outer| self.axes.show(outer));
                return Some(Fits::Size(axis, number, literal.span));
            }
        }
        None
    }

    /// The nearest number to what a name is that fits in its place.
    fn near(&mut self, scope: &mut Scope<'a>, failing: &Failing<'a, '_>, name: Symbol, least: i64) -> Option<i64> {
        let known = match (scope.find(name), scope.axes.get(&name)) {
            (Some(Value::Int(size) | Value::Axis(AxisArg { size, .. })), _) => size.clone(),
            (None, Some(&axis)) => self.axes.size(axis),
            _ => return None,
        };
        let number = self.sizes.resolve(&known).as_const()?;
        let near = (1..=AWAY).flat_map(|away| [number.saturating_sub(away), number.saturating_add(away)]);
        near.filter(|other| *other >= least).find(|other| self.would_fit(scope, failing, name, *other))
    }

    /// Whether the facts hold where a name is another number, with the defaults and sizes that are computed from it.
    fn would_fit(&mut self, scope: &mut Scope<'a>, failing: &Failing<'a, '_>, name: Symbol, number: i64) -> bool {
        let Failing { def, fact, binders, numbers, .. } = *failing;
        // What a try tells of is no mistake of the program.
        let told = std::mem::take(&mut self.diagnostics);
        scope.enter();
        scope.bind(name, Value::Int(Dim::constant(number)));
        let is_given = |other: Symbol| other == name || numbers.iter().any(|(given, _)| *given == other);
        for param in def.config.iter().flatten().chain(&def.inputs) {
            if let Some(default) = &param.default
                && !is_given(param.name.name)
                && matches!(scope.find(param.name.name), Some(Value::Int(_)))
            {
                let value = self.expr(scope, default);
                scope.bind(param.name.name, value);
            }
        }
        let mut of_result: Vec<(Symbol, &'a ast::Expr)> = Vec::new();
        def.result.iter().for_each(|ty| {
            ty.kind.each_axis(&mut |decl| {
                if let AxisDecl::Axis { name, size: Some(size) } = decl
                    && binders.get(&name.name).is_some_and(|binder| binder.outer.is_none())
                {
                    of_result.push((name.name, size));
                }
            });
        });
        for (axis, size) in of_result {
            let value = self.expr(scope, size);
            scope.bind(axis, value);
        }
        let fits = def.facts.iter().all(|each| match self.fact(scope, each) {
            Some(of) if std::ptr::eq(each, fact) => self.sizes.judge(&of) == Truth::Proved,
            Some(of) => self.sizes.judge(&of) != Truth::Refuted,
            // `depth == 18 or depth == 34`
            None => match self.expr(scope, each) {
                Value::Bool(holds) => holds,
                _ => !std::ptr::eq(each, fact),
            },
        });
        scope.leave();
        self.diagnostics = told;
        fits
    }

    /// The number that the user gave further out, when it has come here under its name.
    fn given_outside(&self, scope: &Scope<'a>, name: Symbol) -> Option<Span> {
        let Some(Value::Int(here)) = scope.find(name) else { return None };
        let here = self.sizes.resolve(here).as_const()?;
        let numbers = self.calls.iter().rev().flat_map(|call| &call.numbers);
        let mut same = numbers.filter(|(given, _, number)| (*given, *number) == (name, here));
        same.next().map(|(_, place, _)| *place)
    }
}
