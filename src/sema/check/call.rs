//! Calls: which argument is which, constructors, and the elaboration of a definition on its arguments.

use std::rc::Rc;

use crate::base::{Span, Symbol};
use crate::diag::{name, value as told};
use crate::sema::primitive::Builtin;
use crate::sema::resolve::Global;
use crate::sema::typed::{Applied, Axis, Kind};
use crate::sema::value::{AxisArg, Body, Callee, Function, Given, Place, Scope, Value};
use crate::syntax::ast::{self, DefKind, ExprKind as Ast};

use super::bind::{Binders, Slot};
use super::checker::{CallSite, Checker, MAX_DEPTH};
use super::expr::function;
use super::pipe::holds_hole;

/// A definition about to be elaborated on arguments.
pub(super) struct Use<'a> {
    /// Which.
    pub def: &'a ast::Def,
    /// Axes from brackets: `softmax[s]`.
    pub brackets: Option<&'a ast::Brackets>,
    /// Arguments of the first of two lists.
    pub config: Vec<Given<'a>>,
    /// Arguments of the last list.
    pub inputs: Vec<Given<'a>>,
    /// What `..` stands for when no input says it: the axes of a parameter.
    pub row: Option<Vec<Axis>>,
    /// Where what it makes belongs.
    pub place: Place,
    /// The call.
    pub span: Span,
}

impl<'a> Checker<'a> {
    /// `f(x, act = relu)`
    pub(super) fn call(
        &mut self,
        scope: &mut Scope<'a>,
        callee: &'a ast::Expr,
        args: &'a [ast::Arg],
        span: Span,
    ) -> Value<'a> {
        let Some(function) = self.callee(scope, callee) else {
            // Elaborate the arguments all the same, for their own mistakes.
            self.given(scope, args);
            return Value::Error;
        };
        if let Callee::Builtin(Builtin::Grad) = function.callee {
            return self.derivative(scope, None, args, span);
        }
        let given = self.given(scope, args);
        if function.config.is_none() && self.takes_config(&function) {
            if let Callee::Def(def) = function.callee
                && def.config.is_none()
                && !given.is_empty()
            {
                return self.fail(told::make_before_apply(def.name.name, callee.span));
            }
            return self.make(scope, &function, given, span);
        }
        self.apply(scope, &function, given, span)
    }

    /// An expression in the place of a function; brackets stay for the caller to read.
    pub(super) fn callee(&mut self, scope: &mut Scope<'a>, expr: &'a ast::Expr) -> Option<Rc<Function<'a>>> {
        if let Ast::Index(base, brackets) = &expr.kind
            && let Ast::Name(_) | Ast::Field(..) = &base.kind
            && let Value::Function(inner) = self.expr(scope, base)
        {
            return Some(Rc::new(Function { brackets: Some(brackets), span: expr.span, ..(*inner).clone() }));
        }
        // Applied, `step` is the schedule; alone it is the number of the update.
        if let Ast::Name(symbol) = expr.kind
            && symbol.as_str() == "step"
            && scope.find(symbol).is_none()
            && let Some(Global::Def(def)) = self.globals.find(symbol, scope.home)
        {
            return Some(Rc::new(function(Callee::Def(def), expr.span)));
        }
        match self.expr(scope, expr) {
            Value::Function(function) => Some(function),
            Value::Error => None,
            other => {
                let told = self.not_callable(&other, expr.span);
                self.report(told);
                None
            }
        }
    }

    /// The arguments of a call.
    pub(super) fn given(&mut self, scope: &mut Scope<'a>, args: &'a [ast::Arg]) -> Vec<Given<'a>> {
        let mut given = Vec::with_capacity(args.len());
        for arg in args {
            let (name, value, span) = match arg {
                ast::Arg::Value(expr) => (None, self.argument(scope, expr), expr.span),
                ast::Arg::Set(name, expr) => (Some(*name), self.argument(scope, expr), expr.span),
                ast::Arg::Axis(axis, size) => {
                    let span = axis.span.to(size.span);
                    let value = match self.int_expr(scope, size) {
                        Some(size) => {
                            Value::Axis(AxisArg { id: self.intern_axis(scope, axis.name, &size), size, span })
                        }
                        None => Value::Error,
                    };
                    (None, value, span)
                }
                ast::Arg::Quoted(_, span, _) => (None, self.fail(name::not_yet("a table of names", *span)), *span),
            };
            given.push(Given { name, value, span });
        }
        given
    }

    /// One argument: with `_` and no value for it, a function of that value.
    fn argument(&mut self, scope: &mut Scope<'a>, expr: &'a ast::Expr) -> Value<'a> {
        if scope.hole.is_none() && holds_hole(expr) {
            let captured = Some(Rc::new(scope.clone()));
            return Value::Function(Rc::new(Function { scope: captured, ..function(Callee::Hole(expr), expr.span) }));
        }
        self.expr(scope, expr)
    }

    /// Whether a call of the function gives configuration rather than inputs.
    pub(super) fn takes_config(&self, function: &Function<'a>) -> bool {
        match function.callee {
            Callee::Def(def) => matches!(def.kind, DefKind::Layer | DefKind::Model) || def.config.is_some(),
            _ => false,
        }
    }

    /// Whether the function is a schedule with its configuration, which is a number at each step.
    pub(super) fn is_schedule(&self, function: &Function<'a>) -> bool {
        matches!(function.callee, Callee::Def(def) if def.kind == DefKind::Schedule && function.config.is_some())
    }

    /// Gives a function its configuration; a layer gets a path and is made.
    pub(super) fn make(
        &mut self,
        scope: &mut Scope<'a>,
        made: &Function<'a>,
        config: Vec<Given<'a>>,
        span: Span,
    ) -> Value<'a> {
        let Callee::Def(def) = made.callee else { return Value::Error };
        if config.iter().any(|given| given.value.is_error()) {
            return Value::Error;
        }
        let callee = match def.kind {
            DefKind::Layer | DefKind::Model => {
                Callee::Instance(def, self.store.path_of(&scope.place, def.name.name.as_str()))
            }
            _ => Callee::Def(def),
        };
        Value::Function(Rc::new(Function { callee, config: Some(config), span, ..made.clone() }))
    }

    /// Applies a value that should be a function.
    pub(super) fn apply_value(
        &mut self,
        scope: &mut Scope<'a>,
        value: Value<'a>,
        args: Vec<Given<'a>>,
        span: Span,
    ) -> Value<'a> {
        match value {
            Value::Function(function) => self.apply(scope, &function, args, span),
            Value::Error => Value::Error,
            other => self.fail(self.not_callable(&other, span)),
        }
    }

    /// Applies a function, making it first when it still wants its configuration.
    pub(super) fn apply_made(
        &mut self,
        scope: &mut Scope<'a>,
        f: &Function<'a>,
        args: Vec<Given<'a>>,
        span: Span,
    ) -> Value<'a> {
        if f.config.is_none() && self.takes_config(f) {
            let made = self.make(scope, f, Vec::new(), span);
            return self.apply_value(scope, made, args, span);
        }
        self.apply(scope, f, args, span)
    }

    /// Applies a function to inputs.
    pub(super) fn apply(
        &mut self,
        scope: &mut Scope<'a>,
        f: &Function<'a>,
        args: Vec<Given<'a>>,
        span: Span,
    ) -> Value<'a> {
        if args.iter().any(|arg| arg.value.is_error()) {
            return Value::Error;
        }
        self.frozen += usize::from(f.frozen);
        let (shadow, loading) = (self.shadow, self.loading);
        self.shadow = f.shadow.or(shadow);
        self.loading = f.load.as_ref().map(|load| self.store.load(load)).or(loading);
        let value = self.apply_callee(scope, f, args, span);
        (self.shadow, self.loading) = (shadow, loading);
        self.frozen -= usize::from(f.frozen);
        value
    }

    /// A function of one value that is called without one.
    fn no_value(&mut self, span: Span) -> Value<'a> {
        let inputs = self.input_names(span);
        self.fail(told::needs_one_value(span, &inputs))
    }

    fn apply_callee(&mut self, scope: &mut Scope<'a>, f: &Function<'a>, args: Vec<Given<'a>>, span: Span) -> Value<'a> {
        match &f.callee {
            Callee::Builtin(builtin) => self.builtin(scope, *builtin, f, args, span),
            Callee::Hole(expr) => {
                let Some(captured) = &f.scope else { return Value::Error };
                let mut inner = (**captured).clone();
                inner.hole = None;
                let Some(first) = args.into_iter().next() else { return self.no_value(span) };
                self.stage(&mut inner, expr, first.value)
            }
            Callee::Compose(parts) => {
                let Some(first) = args.into_iter().next() else { return self.no_value(span) };
                parts.iter().fold(first.value, |value, part| {
                    let given = Given { name: None, value, span: first.span };
                    self.apply_made(scope, part, vec![given], span)
                })
            }
            Callee::Def(def) if matches!(def.kind, DefKind::Optimizer) => {
                self.fail(told::optimizer_applied(def.name.name, span))
            }
            Callee::Def(def) => {
                let place = scope.place.clone();
                self.use_def(scope, f, def, place, args, span)
            }
            Callee::Instance(def, path) => {
                let place = Place::new(Rc::clone(path));
                // What an earlier pass has listed is not listed again.
                if !self.training || !self.store.is_first && self.store.is_listed(path) {
                    return self.use_def(scope, f, def, place, args, span);
                }
                let parent = self.store.layer;
                let applied = Applied { path: path.to_string(), layer: def.name.name, results: Vec::new(), parent };
                let layer = self.store.list(applied);
                self.store.layer = Some(layer);
                let value = self.use_def(scope, f, def, place, args, span);
                self.store.layer = parent;
                let mut results = Vec::new();
                value.for_each_tensor(&mut |id| results.push(self.ty(id).clone()));
                self.store.layers[layer.index()].results = results;
                value
            }
        }
    }

    /// Elaborates a definition where the function was written, or here.
    fn use_def(
        &mut self,
        scope: &mut Scope<'a>,
        f: &Function<'a>,
        def: &'a ast::Def,
        place: Place,
        inputs: Vec<Given<'a>>,
        span: Span,
    ) -> Value<'a> {
        let config = f.config.clone().unwrap_or_default();
        let scores = inputs.first().map(|input| input.span);
        let call = Use { def, brackets: f.brackets, config, inputs, row: None, place, span };
        let value = match &f.scope {
            Some(captured) => self.elaborate(&mut (**captured).clone(), call),
            None => self.elaborate(scope, call),
        };
        if let (Value::Tensor(id), Some(scores)) = (&value, scores)
            && self.ty(*id).kind == Kind::Prob
            && self.is_std(def.span)
        {
            self.made_probable.insert(span, scores);
        }
        value
    }

    /// Elaborates a definition on arguments; `caller` gives brackets and result axes their meaning.
    pub(super) fn elaborate(&mut self, caller: &mut Scope<'a>, call: Use<'a>) -> Value<'a> {
        let def = call.def;
        self.used.insert(def.name.span);
        if self.calls.len() >= MAX_DEPTH {
            return self.fail(told::too_deep(def.name.name, MAX_DEPTH, call.span));
        }
        if !self.spend(|most| told::too_many_uses(def.name.name, most, call.span)) {
            return Value::Error;
        }
        let config = def.config.as_deref().unwrap_or_default();
        let Some(config_args) = self.assign_arguments(def, config, call.config, call.span) else { return Value::Error };
        let Some(input_args) = self.assign_arguments(def, &def.inputs, call.inputs, call.span) else {
            return Value::Error;
        };

        let mut scope = Scope::new(body_of(def.kind), def.span.file, call.place);
        scope.row = call.row;
        let mut binders = Binders::default();
        if !self.bind_brackets(caller, def, call.brackets, &mut scope, &mut binders) {
            return Value::Error;
        }
        if self.is_alone(def) {
            self.opaque_brackets(&mut scope, &mut binders, def);
        }
        let given = config.iter().zip(&config_args).chain(def.inputs.iter().zip(&input_args));
        let number = |(param, given): (&ast::Param, &Option<Given<'a>>)| match given.as_ref()? {
            Given { value: Value::Int(size), span, .. } if !self.is_std(*span) => {
                Some((param.name.name, *span, size.as_const()?))
            }
            _ => None,
        };
        let numbers = given.filter_map(number).collect();
        self.calls.push(CallSite { name: def.name.name, span: call.span, def: def.name.span, numbers });
        let value = self.elaborate_body(caller, &mut scope, &mut binders, def, config_args, input_args, call.span);
        self.calls.pop();
        value
    }

    #[expect(clippy::too_many_arguments, reason = "the two halves of one function: the call stack is between them")]
    fn elaborate_body(
        &mut self,
        caller: &mut Scope<'a>,
        scope: &mut Scope<'a>,
        binders: &mut Binders,
        def: &'a ast::Def,
        config_args: Vec<Option<Given<'a>>>,
        input_args: Vec<Option<Given<'a>>>,
        span: Span,
    ) -> Value<'a> {
        let config = def.config.as_deref().unwrap_or_default();
        let params = || config.iter().zip(&config_args).chain(def.inputs.iter().zip(&input_args));
        // Values first, tensors next (they bind axes), then axes and defaults, which may speak of both.
        let mut fits = true;
        for (param, given) in params() {
            if let Some(given) = given
                && Slot::of(param).is_none()
                && !is_axis(param)
            {
                fits &= self.bind_value(scope, param, given);
            }
        }
        let mut sizes = Vec::new();
        for (param, given) in params() {
            if let Some(given) = given
                && let Some(slot) = Slot::of(param)
            {
                match self.bind_tensors(scope, binders, def, slot, given, &mut sizes) {
                    Some(value) => scope.bind(param.name.name, value),
                    None => fits = false,
                }
            }
        }
        if !fits {
            return Value::Error;
        }
        self.size_brackets(binders);
        for (param, given) in params() {
            match given {
                Some(given) if is_axis(param) => fits &= self.bind_axis(scope, binders, param, given),
                None => fits &= self.bind_default(scope, binders, def, param),
                _ => {}
            }
        }
        if !fits || !self.check_sizes(scope, sizes) {
            return Value::Error;
        }
        if self.is_assumed(scope, def) {
            return match self.declare_result_axes(scope, binders, def) {
                true => self.assumed(caller, scope, binders, def, span),
                false => Value::Error,
            };
        }
        // What a fact refuses is told before a size of the result is computed with it.
        let (late, early) = def.facts.iter().partition(|fact| super::facts::names_result_axis(def, binders, fact));
        // Asked for where a fact fails.
        let numbers = || -> Vec<(Symbol, Span)> {
            let number = |(param, given): (&ast::Param, &Option<Given<'a>>)| match given.as_ref()? {
                Given { value: Value::Int(_), span, .. } => Some((param.name.name, *span)),
                _ => None,
            };
            params().filter_map(number).collect()
        };
        if !self.check_facts(scope, binders, def, early, &numbers, span)
            || !self.declare_result_axes(scope, binders, def)
            || !self.check_facts(scope, binders, def, late, &numbers, span)
        {
            return Value::Error;
        }
        let value = match &def.grad {
            Some(clause) if !self.clauses.contains(&def.name.span) => self.with_gradient(scope, def, clause),
            _ => self.block(scope, &def.body),
        };
        self.commit_states(scope);
        self.result(caller, scope, binders, def, value, span)
    }

    /// Puts arguments in the places of parameters: by name, else in order.
    fn assign_arguments(
        &mut self,
        def: &ast::Def,
        params: &'a [ast::Param],
        given: Vec<Given<'a>>,
        span: Span,
    ) -> Option<Vec<Option<Given<'a>>>> {
        let mut places: Vec<Option<Given<'a>>> = vec![None; params.len()];
        let mut next = 0;
        let mut fits = true;
        let mut last: Option<Span> = None;
        for argument in given {
            let before = last.replace(argument.span);
            let at = match argument.name {
                Some(ident) => match params.iter().position(|param| param.name.name == ident.name) {
                    Some(at) => at,
                    None => {
                        let known: Vec<&str> = params.iter().map(|param| param.name.name.as_str()).collect();
                        self.report(name::unknown_argument(def.name.name, ident, &known));
                        fits = false;
                        continue;
                    }
                },
                None => {
                    while next < places.len() && places[next].is_some() {
                        next += 1;
                    }
                    next
                }
            };
            match places.get_mut(at) {
                Some(place @ None) => *place = Some(argument),
                Some(Some(first)) => {
                    let first = first.span;
                    let told = name::argument_twice(params[at].name.name, argument.span, first);
                    self.report(name::leave_out(told, before, argument.span));
                    fits = false;
                }
                None => {
                    let told = name::too_many_arguments(def.name.name, params.len(), argument.span, def.name.span);
                    self.report(name::leave_out(told, before, argument.span));
                    fits = false;
                    break;
                }
            }
        }
        for (param, place) in params.iter().zip(&places) {
            if place.is_none() && param.default.is_none() && fits {
                let told = name::missing_argument(def.name.name, param.name.name, span, param.span);
                self.report(self.argument_given(told, param, span));
                fits = false;
            }
        }
        fits.then_some(places)
    }

    /// The size of `d'`, another axis than `d` and as large.
    pub(super) fn primed_size(&self, scope: &Scope<'a>, name: Symbol) -> Option<crate::ir::Dim> {
        let plain = Symbol::new(name.as_str().strip_suffix('\'')?);
        match scope.axes.get(&plain) {
            Some(&id) => Some(self.axes.size(id)),
            None => self.primed_size(scope, plain),
        }
    }

    /// The axis a name means in a scope; a new one of this size when the name is new there.
    pub(super) fn intern_axis(
        &mut self,
        scope: &mut Scope<'a>,
        name: Symbol,
        size: &crate::ir::Dim,
    ) -> crate::sema::typed::AxisId {
        *scope.axes.entry(name).or_insert_with(|| self.axes.add(Some(name), size.clone()))
    }
}

fn body_of(kind: DefKind) -> Body {
    match kind {
        DefKind::Model | DefKind::Layer => Body::Layer,
        DefKind::Fn | DefKind::Loss | DefKind::Schedule => Body::Function,
        DefKind::Metric => Body::Metric,
        DefKind::Optimizer => Body::Optimizer,
    }
}

/// Whether a parameter is declared `axis` or `axis(i)`.
pub(super) fn is_axis(param: &ast::Param) -> bool {
    match param.ty.as_ref().map(|ty| &ty.kind) {
        Some(ast::TypeKind::Named(ident) | ast::TypeKind::Of(ident, _)) => ident.name.as_str() == "axis",
        _ => false,
    }
}
