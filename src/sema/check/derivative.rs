//! `grad(y, x)`: the derivative of a number by the value of a name.
//!
//! In: the arguments as written, since the second is a name before it is a value. Out: an expression with the axes
//! of `x`. The name stands for one expression; what `y` made of that counts, and what that was made of does not.
//!
//! `grad(dy) { … }` behind a function: the gradient by its inputs, in place of the one that its body has.

use crate::base::{Span, Symbol};
use crate::diag::{Diagnostic, derivative as told, value};
use crate::sema::typed::{ExprId, ExprKind, Kind, Type};
use crate::sema::value::{Given, Scope, Value};
use crate::syntax::ast::{Arg, Def, DefKind, Expr, ExprKind as Ast, GradClause, Ident};

use super::checker::Checker;

impl<'a> Checker<'a> {
    /// `grad(y, x)`, or `y |> grad(x)`, where `piped` is `y`.
    pub(super) fn derivative(
        &mut self,
        scope: &mut Scope<'a>,
        piped: Option<Given<'a>>,
        args: &'a [Arg],
        span: Span,
    ) -> Value<'a> {
        let of = match (&piped, args) {
            (Some(_), [_]) => piped.clone(),
            (None, [of, _]) => self.given(scope, std::slice::from_ref(of)).pop(),
            _ => {
                let given = args.len() + usize::from(piped.is_some());
                self.given(scope, args);
                let told = value::primitive_arguments("grad", (2, 2), given, span);
                let told = match args {
                    [only] if piped.is_none() => self.lacks_variable(scope, told, only.span(), (only.span(), ", ", "")),
                    _ => told,
                };
                return self.fail(told);
            }
        };
        let by = self.variable(scope, &args[args.len() - 1]);
        let (Some(of), Some((by, name, by_span))) = (of, by) else { return Value::Error };
        let Some(y) = self.tensor(of.value, of.span) else { return Value::Error };
        let y = self.to_float(y, of.span);
        let y = self.computed(y, of.span);
        if !self.ty(y).axes.is_empty() {
            let shown = self.show_type(self.ty(y));
            return self.fail(told::of_no_number(&shown, of.span, piped.is_none()));
        }
        if !self.depends(y, by) {
            self.report(told::is_zero(&name, by_span, of.span));
        }
        let ty = self.gradient_type(by);
        Value::Tensor(self.push(ExprKind::Derivative { of: y, by }, ty, span))
    }

    /// The message about a `grad` with one argument, at `of`: the tensors that this is made of are what it may derive by.
    pub(super) fn lacks_variable(
        &self,
        scope: &Scope<'a>,
        told: Diagnostic,
        of: Span,
        (place, open, close): (Span, &str, &str),
    ) -> Diagnostic {
        let mut by: Vec<&'static str> = Vec::new();
        if let Some(def) = self.def_around(of) {
            def.body.walk(&mut |part| {
                if let Ast::Name(name) = part.kind
                    && of.holds(part.span)
                    && let Some(Value::Tensor(id)) = scope.find(name)
                    && self.is_variable(*id)
                    && !by.contains(&name.as_str())
                {
                    by.push(name.as_str());
                }
            });
        }
        told::lacks_variable(told, &by, place.after(), (open, close))
    }

    /// What the second argument stands for, how it is called, and where it is written.
    fn variable(&mut self, scope: &mut Scope<'a>, arg: &'a Arg) -> Option<(ExprId, String, Span)> {
        let Arg::Value(expr) = arg else {
            self.given(scope, std::slice::from_ref(arg));
            return None;
        };
        let span = expr.span;
        let Ast::Name(symbol) = expr.kind else {
            if !self.expr(scope, expr).is_error() {
                self.report(told::by_no_name("this", span));
            }
            return None;
        };
        let name = symbol.to_string();
        match self.name(scope, symbol, span) {
            Value::Error => None,
            Value::Tensor(id) if self.exprs[id.0 as usize].host => {
                self.report(told::by_no_tensor(&name, "a number of the host", span));
                None
            }
            Value::Tensor(id) if !self.ty(id).dtype.is_float() => {
                let shown = format!("`{}`", self.show_type(self.ty(id)));
                self.report(told::by_no_tensor(&name, &shown, span));
                None
            }
            Value::Tensor(id) => Some((id, name, span)),
            other => {
                self.report(told::by_no_tensor(&name, other.describe(), span));
                None
            }
        }
    }

    /// The value of a function that gives its gradient itself. The names of the body are known in the clause.
    pub(super) fn with_gradient(&mut self, scope: &mut Scope<'a>, def: &'a Def, clause: &'a GradClause) -> Value<'a> {
        if def.kind != DefKind::Fn {
            self.report(told::clause_of_no_function(def.name.name, clause.span));
            return self.block(scope, &def.body);
        }
        let params = def.config.iter().flatten().chain(&def.inputs);
        let inputs: Vec<(Symbol, ExprId)> = { params }
            .filter_map(|param| match scope.find(param.name.name) {
                Some(Value::Tensor(id)) if self.is_variable(*id) => Some((param.name.name, *id)),
                _ => None,
            })
            .collect();
        scope.enter();
        def.body.stmts.iter().for_each(|stmt| self.stmt(scope, stmt));
        let value = self.expr(scope, &def.body.value);
        let result = match value {
            Value::Tensor(id) if self.is_variable(id) && !inputs.is_empty() => {
                self.given_gradient(scope, def, clause, id, &inputs)
            }
            Value::Record(_) | Value::List(_) => self.fail(told::clause_of_several(def.name.name, clause.span)),
            // A number, or an index: nothing flows through it.
            value => value,
        };
        scope.leave();
        result
    }

    fn given_gradient(
        &mut self,
        scope: &mut Scope<'a>,
        def: &'a Def,
        clause: &'a GradClause,
        value: ExprId,
        inputs: &[(Symbol, ExprId)],
    ) -> Value<'a> {
        let ty = self.ty(value).clone();
        let dy = self.push(ExprKind::Incoming, self.gradient_type(value), clause.dy.span);
        scope.bind(clause.dy.name, Value::Tensor(dy));
        // There the function is what its body says, without a gradient of its own.
        self.clauses.push(def.name.span);
        let given = self.block(scope, &clause.body);
        self.clauses.pop();
        let fields = match given {
            Value::Error => return Value::Error,
            Value::Record(fields) => fields,
            value if inputs.len() == 1 => vec![(inputs[0].0, value)],
            _ => {
                let names: Vec<&str> = inputs.iter().map(|(name, _)| name.as_str()).collect();
                return self.fail(told::clause_needs_record(def.name.name, &names, clause.body.value.span));
            }
        };
        let span = clause.body.value.span;
        let written: &[(Ident, Expr)] = match &clause.body.value.kind {
            Ast::Record(fields) => fields,
            _ => &[],
        };
        if let Some((name, _)) = fields.iter().find(|(name, _)| inputs.iter().all(|(input, _)| input != name)) {
            let known: Vec<&str> = inputs.iter().map(|(name, _)| name.as_str()).collect();
            let place = written.iter().find(|(ident, _)| ident.name == *name).map_or(span, |(ident, _)| ident.span);
            return self.fail(told::clause_by_no_input(def.name.name, *name, &known, place));
        }
        let mut grads = Vec::new();
        for &(name, input) in inputs {
            let Some((_, given)) = fields.iter().find(|(field, _)| *field == name) else {
                return self.fail(told::clause_leaves_out(
                    def.name.name,
                    name,
                    span,
                    written.last().map(|(_, last)| last.span),
                ));
            };
            let Some(given) = self.tensor(given.clone(), span) else { return Value::Error };
            let given = self.as_dtype(given, self.gradient_type(input).dtype, span);
            let Some(given) = self.like(given, input, name, span) else { return Value::Error };
            grads.push((input, given));
        }
        Value::Tensor(self.push(ExprKind::WithGradient { value, dy, grads }, ty, def.body.value.span))
    }

    /// A gradient with the axes of the input it is by, in their order; a number stands for all elements.
    fn like(&mut self, given: ExprId, input: ExprId, name: Symbol, span: Span) -> Option<ExprId> {
        let wanted = self.gradient_type(input);
        let actual: Type = self.ty(given).clone();
        if actual.axes.is_empty() && !wanted.axes.is_empty() && self.exprs[given.0 as usize].host {
            return Some(self.push(ExprKind::Expand(given), wanted, span));
        }
        let has = |axis| self.find_axis(&actual.axes, axis).is_some();
        if actual.axes.len() != wanted.axes.len() || !wanted.axes.iter().all(|axis| has(axis.id)) {
            let shown = (self.show_type(&wanted), self.show_type(&actual));
            self.report(told::clause_axes(name, &shown.0, &shown.1, span));
            return None;
        }
        for axis in &wanted.axes {
            let other = self.find_axis(&actual.axes, axis.id)?.clone();
            if !self.same_size(axis, &other, &wanted, &actual, span) {
                return None;
            }
        }
        Some(self.push(ExprKind::Order(given), wanted, span))
    }

    /// The type of a gradient by a value: of the float in which the value computes.
    fn gradient_type(&self, by: ExprId) -> Type {
        let Type { dtype, axes, .. } = self.ty(by).clone();
        Type { dtype: dtype.computed(), kind: Kind::Plain, axes }
    }

    /// Whether a value can change a little: a tensor of numbers.
    fn is_variable(&self, id: ExprId) -> bool {
        !self.exprs[id.0 as usize].host && self.ty(id).dtype.is_float()
    }

    /// Whether a small change of `x` can change `y`.
    fn depends(&self, y: ExprId, x: ExprId) -> bool {
        let mut seen = vec![false; y.0 as usize + 1];
        let mut stack = vec![y];
        while let Some(id) = stack.pop() {
            if id == x {
                return true;
            }
            // Parts have smaller ids, so nothing before `x` is made of it.
            if id < x || std::mem::replace(&mut seen[id.0 as usize], true) {
                continue;
            }
            let expr = &self.exprs[id.0 as usize];
            let is_constant = !expr.ty.dtype.is_float() || matches!(expr.kind, ExprKind::StopGradient(_));
            if !is_constant {
                expr.kind.for_each_part(|part| stack.push(part));
            }
        }
        false
    }
}
