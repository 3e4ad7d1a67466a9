//! Pipes: what a stage does to the value so far, `_`, composition and `stack`.

use std::rc::Rc;

use crate::base::Span;
use crate::diag::value as told;
use crate::ir::Dim;
use crate::sema::primitive::Builtin;
use crate::sema::value::{Callee, Function, Given, Scope, Value};
use crate::syntax::ast::{self, ExprKind as Ast};

use super::checker::Checker;
use super::expr::function;

/// The most often a `stack` may repeat.
const MAX_STACK: i64 = 100_000;

impl<'a> Checker<'a> {
    /// `x |> f |> g`: applied when the first stage is a value, composed when it is a function.
    pub(super) fn pipe(&mut self, scope: &mut Scope<'a>, stages: &'a [ast::Expr], span: Span) -> Value<'a> {
        let mut value = self.expr(scope, &stages[0]);
        if let Value::Function(first) = &value
            && !self.is_schedule(first)
        {
            let mut parts = vec![Rc::clone(first)];
            for stage in &stages[1..] {
                let part =
                    Function { scope: Some(Rc::new(scope.clone())), ..function(Callee::Hole(stage), stage.span) };
                parts.push(Rc::new(part));
            }
            return Value::Function(Rc::new(function(Callee::Compose(parts), span)));
        }
        for stage in &stages[1..] {
            value = self.stage(scope, stage, value);
        }
        value
    }

    /// Applies an expression to the value before it.
    pub(super) fn stage(&mut self, scope: &mut Scope<'a>, stage: &'a ast::Expr, value: Value<'a>) -> Value<'a> {
        if value.is_error() {
            self.names_of_stage(scope, stage);
            return Value::Error;
        }
        let span = stage.span;
        if let Ast::Stack { var, over, body } = &stage.kind {
            return self.stack(scope, var.as_ref(), over, body, value);
        }
        if let Some(value) = self.constructed(scope, stage, &value) {
            return value;
        }
        if holds_hole(stage) {
            let outer = scope.hole.replace(value);
            let result = self.expr(scope, stage);
            scope.hole = outer;
            return result;
        }
        let given = Given { name: None, value, span };
        match &stage.kind {
            Ast::Pipe(stages) => stages.iter().fold(given.value, |value, stage| self.stage(scope, stage, value)),
            Ast::Block(block) => self.stage_block(scope, block, given.value),
            Ast::If(condition, then, otherwise) => match self.expr(scope, condition) {
                Value::Bool(true) => self.stage_block(scope, then, given.value),
                Value::Bool(false) => self.stage_block(scope, otherwise, given.value),
                Value::Error => Value::Error,
                other => self.fail(told::stage_needs_static_if(
                    other.describe(),
                    condition.span,
                    [then, otherwise].map(|branch| branch.value.span),
                )),
            },
            // `x |> f(2)` gives `x` to a function first; a constructor takes its arguments and is applied.
            Ast::Call(callee, args) => {
                let Some(function) = self.callee(scope, callee) else { return Value::Error };
                if let Callee::Builtin(Builtin::Grad) = function.callee {
                    return self.derivative(scope, Some(given), args, span);
                }
                // `freeze(f)` and `ema(f, 0.9)` are the layer that takes the value.
                if let Callee::Builtin(Builtin::Freeze | Builtin::Ema | Builtin::Load) = function.callee {
                    let args = self.given(scope, args);
                    return match self.apply(scope, &function, args, span) {
                        Value::Function(layer) => self.apply_made(scope, &layer, vec![given], span),
                        other => other,
                    };
                }
                if function.config.is_none() && self.takes_config(&function) {
                    let args = self.given(scope, args);
                    let made = self.make(scope, &function, args, span);
                    self.apply_value(scope, made, vec![given], span)
                } else {
                    let mut all = vec![given];
                    all.extend(self.given(scope, args));
                    self.apply(scope, &function, all, span)
                }
            }
            _ => {
                let Some(function) = self.callee(scope, stage) else { return Value::Error };
                self.apply_made(scope, &function, vec![given], span)
            }
        }
    }

    /// `x |> Dense(3, leaky_relu(_, 0.2))`: what makes a layer is no tensor, so a `_` in it is a function's own.
    fn constructed(&mut self, scope: &mut Scope<'a>, stage: &'a ast::Expr, value: &Value<'a>) -> Option<Value<'a>> {
        let Ast::Call(callee, args) = &stage.kind else { return None };
        if !matches!(callee.kind, Ast::Name(_) | Ast::Field(..)) || !holds_hole(stage) {
            return None;
        }
        let Value::Function(function) = self.expr(scope, callee) else { return None };
        let Callee::Def(ast::Def { config: Some(_), kind: ast::DefKind::Layer | ast::DefKind::Model, .. }) =
            function.callee
        else {
            return None;
        };
        let outer = scope.hole.take();
        let args = self.given(scope, args);
        scope.hole = outer;
        let made = self.make(scope, &function, args, stage.span);
        let given = Given { name: None, value: value.clone(), span: stage.span };
        Some(self.apply_value(scope, made, vec![given], stage.span))
    }

    /// What can be said of a stage without the value before it: whether its names mean anything.
    fn names_of_stage(&mut self, scope: &mut Scope<'a>, stage: &'a ast::Expr) {
        match &stage.kind {
            Ast::Call(callee, _) | Ast::Index(callee, _) => self.names_of_stage(scope, callee),
            Ast::Name(_) => drop(self.expr(scope, stage)),
            Ast::Pipe(stages) => stages.iter().for_each(|stage| self.names_of_stage(scope, stage)),
            _ => {}
        }
    }

    /// A block as a stage: its statements, then its value as a stage.
    fn stage_block(&mut self, scope: &mut Scope<'a>, block: &'a ast::Block, value: Value<'a>) -> Value<'a> {
        scope.enter();
        let outer = scope.hole.replace(value.clone());
        for stmt in &block.stmts {
            self.stmt(scope, stmt);
        }
        scope.hole = outer;
        let result = self.stage(scope, &block.value, value);
        scope.leave();
        result
    }

    /// `stack i in 0..4 { … }`: n-fold composition; what is made inside is made afresh each time.
    fn stack(
        &mut self,
        scope: &mut Scope<'a>,
        var: Option<&ast::Ident>,
        over: &'a ast::Expr,
        body: &'a ast::Block,
        value: Value<'a>,
    ) -> Value<'a> {
        let items: Vec<Value<'a>> = match self.expr(scope, over) {
            Value::List(items) => items,
            Value::Range(from, Some(to)) => {
                let from = from.unwrap_or(Dim::ZERO);
                let ends = (self.sizes.resolve(&from).as_const(), self.sizes.resolve(&to).as_const());
                match ends {
                    (Some(from), Some(to)) if to.saturating_sub(from) <= MAX_STACK => {
                        (from..to).map(|i| Value::Int(i.into())).collect()
                    }
                    (Some(from), Some(to)) => return self.no_count(&to.saturating_sub(from).to_string(), over.span),
                    _ => return self.unknown_count(&to, over.span),
                }
            }
            Value::Int(count) => match self.sizes.resolve(&count).as_const() {
                Some(count) if (0..=MAX_STACK).contains(&count) => (0..count).map(|i| Value::Int(i.into())).collect(),
                Some(count) => return self.no_count(&count.to_string(), over.span),
                None => return self.unknown_count(&count, over.span),
            },
            Value::Error => return Value::Error,
            Value::Str(text) if text.parse::<u32>().is_ok() => {
                return self.fail(told::quoted("a count, a range or a list", text, over.span));
            }
            other => return self.fail(told::expected("a count, a range or a list", other.describe(), over.span)),
        };
        let outer = scope.place.clone();
        let mut value = value;
        for item in items {
            if !self.spend(|most| told::too_many_blocks(most, over.span)) {
                value = Value::Error;
                break;
            }
            scope.place = outer.block();
            scope.enter();
            if let Some(var) = var {
                scope.bind(var.name, item);
            }
            value = self.stage_block(scope, body, value);
            scope.leave();
            if value.is_error() {
                break;
            }
        }
        scope.place = outer;
        value
    }

    /// A count that is not known before the run; in a definition checked on its own, a use may know it.
    fn unknown_count(&mut self, count: &Dim, span: Span) -> Value<'a> {
        if self.alone { Value::Error } else { self.no_count(&self.sizes.show(count), span) }
    }

    /// No count, at the use that brought it here.
    fn no_count(&mut self, given: &str, span: Span) -> Value<'a> {
        let told = told::stack_count(MAX_STACK, given, span);
        let told = self.in_use(told);
        self.fail(told)
    }
}

/// Whether an expression holds a `_` that its own pipe stage would fill.
pub(super) fn holds_hole(expr: &ast::Expr) -> bool {
    match &expr.kind {
        Ast::Hole => true,
        Ast::Number(_) | Ast::Bool(_) | Ast::Str(_) | Ast::Name(_) | Ast::Error => false,
        Ast::Unary(_, x) | Ast::Field(x, _) => holds_hole(x),
        Ast::Chain(first, rest) => holds_hole(first) || rest.iter().any(|(_, _, x)| holds_hole(x)),
        Ast::Range(a, b) => [a, b].into_iter().flatten().any(|x| holds_hole(x)),
        // A later stage of an inner pipe fills its own.
        Ast::Pipe(stages) => holds_hole(&stages[0]),
        Ast::Call(callee, args) => {
            holds_hole(callee)
                || args.iter().any(|arg| match arg {
                    ast::Arg::Value(x) | ast::Arg::Set(_, x) | ast::Arg::Axis(_, x) | ast::Arg::Quoted(_, _, x) => {
                        holds_hole(x)
                    }
                })
        }
        Ast::Index(base, brackets) => {
            let all = brackets.from.iter().chain(brackets.to.iter().flatten());
            holds_hole(base) || { all }.any(|ix| match ix {
                ast::Ix::Row(_) => false,
                ast::Ix::Value(x) | ast::Ix::Set(_, x) => holds_hole(x),
                ast::Ix::Axis(_, x, at) => holds_hole(x) || at.as_ref().is_some_and(holds_hole),
            })
        }
        Ast::If(condition, then, otherwise) => {
            holds_hole(condition) || block_holds_hole(then) || block_holds_hole(otherwise)
        }
        Ast::Stack { over, .. } => holds_hole(over),
        Ast::Scan(scan) => scan.carries.iter().any(|(_, x)| holds_hole(x)) || block_holds_hole(&scan.body),
        Ast::Remat(block) | Ast::Block(block) => block_holds_hole(block),
        Ast::Param(def) => holds_hole(&def.init),
        Ast::Record(fields) => fields.iter().any(|(_, x)| holds_hole(x)),
        Ast::List(items) => items.iter().any(holds_hole),
    }
}

fn block_holds_hole(block: &ast::Block) -> bool {
    let in_stmt = |stmt: &ast::Stmt| match stmt {
        ast::Stmt::Let(ast::Let { value, .. }) | ast::Stmt::Penalty { value, .. } | ast::Stmt::Assign { value, .. } => {
            holds_hole(value)
        }
        ast::Stmt::State(vars) => vars.iter().any(|var| holds_hole(&var.init)),
        ast::Stmt::Param(def) => holds_hole(&def.init),
        ast::Stmt::Error(_) => false,
    };
    block.stmts.iter().any(in_stmt) || holds_hole(&block.value)
}
