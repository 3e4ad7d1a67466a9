//! Expressions: names, literals, blocks, statements, `if`.

use std::rc::Rc;

use crate::base::{Span, Symbol};
use crate::diag::{name, shape, value as told};
use crate::ir::{Dim, Fact, RematId};
use crate::ops::MapOp;
use crate::sema::dtype::DType;
use crate::sema::primitive::Builtin;
use crate::sema::resolve::Global;
use crate::sema::typed::{self, ExprId, ExprKind, Fun};
use crate::sema::value::{AxisArg, Body, Callee, Function, Place, Scope, Value};
use crate::syntax::ast::{self, ExprKind as Ast};

use super::checker::{Checker, scalar_type};

impl<'a> Checker<'a> {
    /// The value of an expression.
    pub(super) fn expr(&mut self, scope: &mut Scope<'a>, expr: &'a ast::Expr) -> Value<'a> {
        let span = expr.span;
        match &expr.kind {
            Ast::Number(number) => self.literal(number, span),
            Ast::Bool(value) => Value::Bool(*value),
            Ast::Str(text) => Value::Str(text),
            Ast::Hole => match &scope.hole {
                Some(value) => {
                    let value = value.clone();
                    self.inside(value)
                }
                None => {
                    let inputs = self.input_names(span);
                    self.fail(name::hole_outside(span, &inputs))
                }
            },
            Ast::Name(symbol) => self.name(scope, *symbol, span),
            Ast::Unary(op, operand) => {
                let value = self.expr(scope, operand);
                self.unary(*op, value, span)
            }
            Ast::Chain(first, rest) => {
                let mut value = (self.expr(scope, first), first.span);
                for (op, op_span, operand) in rest {
                    let right = (self.expr(scope, operand), operand.span);
                    let whole = value.1.to(right.1);
                    value = (self.binary(*op, *op_span, value, right), whole);
                }
                value.0
            }
            Ast::Range(from, to) => {
                let mut end = |end: &'a Option<Box<ast::Expr>>| match end {
                    Some(end) => self.int_expr(scope, end).map(Some),
                    None => Some(None),
                };
                match (end(from), end(to)) {
                    (Some(from), Some(to)) => Value::Range(from, to),
                    _ => Value::Error,
                }
            }
            Ast::Pipe(stages) => self.pipe(scope, stages, span),
            Ast::Call(callee, args) => self.call(scope, callee, args, span),
            Ast::Index(base, brackets) => self.index(scope, base, brackets, span),
            Ast::Field(base, field) => self.field(scope, base, *field, span),
            Ast::If(condition, then, otherwise) => self.choose(scope, condition, then, otherwise, span),
            Ast::Remat(block) => self.remat(scope, block, span),
            Ast::Stack { .. } => Value::Function(Rc::new(Function {
                callee: Callee::Hole(expr),
                brackets: None,
                scope: Some(Rc::new(scope.clone())),
                config: None,
                frozen: false,
                shadow: None,
                load: None,
                span,
            })),
            Ast::Scan(scan) => self.scan(scope, scan, span),
            Ast::Param(def) => self.param(scope, def, None),
            Ast::Record(fields) => {
                Value::Record(fields.iter().map(|(field, value)| (field.name, self.expr(scope, value))).collect())
            }
            Ast::List(items) => Value::List(items.iter().map(|item| self.expr(scope, item)).collect()),
            Ast::Block(block) => self.block(scope, block),
            Ast::Error => Value::Error,
        }
    }

    fn literal(&mut self, number: &ast::Number, span: Span) -> Value<'a> {
        let plain = || match number.is_int {
            true => Value::Int(Dim::constant(number.value as i64)),
            false => Value::Float(number.value),
        };
        match number.unit {
            None => plain(),
            Some(ast::Unit::Steps) => Value::Float(number.value),
            Some(ast::Unit::Epochs) => {
                let count = self.number(number.value, DType::F32, span);
                let epoch = self.push(ExprKind::StepsPerEpoch, scalar_type(DType::F32), span);
                Value::Tensor(self.map(Fun::Map(MapOp::Mul), vec![count, epoch], Vec::new(), DType::F32, span))
            }
            Some(ast::Unit::Degrees) => Value::Float(number.value.to_radians()),
            Some(ast::Unit::Seconds | ast::Unit::Minutes | ast::Unit::Hours) => {
                self.fail(name::not_yet("a duration of wall time", span))
            }
        }
    }

    /// The value of a name: a local, an axis, a top-level declaration, a primitive.
    pub(super) fn name(&mut self, scope: &mut Scope<'a>, symbol: Symbol, span: Span) -> Value<'a> {
        if let Some(value) = scope.find(symbol) {
            let value = value.clone();
            return self.inside(value);
        }
        if let Some(state) = scope.states.get(&symbol) {
            return self.inside(Value::Tensor(state.now));
        }
        if let Some(&id) = scope.axes.get(&symbol) {
            return Value::Axis(AxisArg { id, size: self.axes.size(id), span });
        }
        if let Some(size) = self.primed_size(scope, symbol) {
            return Value::Axis(AxisArg { id: self.intern_axis(scope, symbol, &size), size, span });
        }
        if matches!(scope.body, Body::Optimizer | Body::Train) && symbol.as_str() == "step" {
            return Value::Tensor(self.push(ExprKind::Step, scalar_type(DType::F32), span));
        }
        if scope.body == Body::Train && symbol.as_str() == "epoch" {
            return Value::Tensor(self.epoch(span));
        }
        match self.globals.find(symbol, scope.home) {
            Some(Global::Def(def)) => {
                return Value::Function(Rc::new(function(Callee::Def(def), span)));
            }
            Some(Global::Let(value)) => return self.constant(value),
            None => {}
        }
        match symbol.as_str() {
            "training" => Value::Bool(self.training && self.frozen == 0),
            "pi" => Value::Float(std::f64::consts::PI),
            "inf" => Value::Float(f64::INFINITY),
            text => match Builtin::parse(text) {
                Some(builtin) => Value::Function(Rc::new(function(Callee::Builtin(builtin), span))),
                // The columns of data that is not known may have any name.
                None if scope.body == Body::Train && self.data_unknown => Value::Error,
                None if scope.body == Body::Train && self.misplaced.contains(&symbol) => Value::Error,
                // A file that could not be read may have had it.
                None if self.globals.is_incomplete(scope.home) => Value::Error,
                None => {
                    let known: Vec<&str> = scope
                        .names()
                        .chain(self.globals.names(scope.home))
                        .chain(Builtin::NAMES.iter().copied())
                        .collect();
                    let told = name::unknown(text, span, &known);
                    // A definition that says a name often lacks it once.
                    if self.is_told_around(&told) {
                        return Value::Error;
                    }
                    let told = self.unknown_mended(told, symbol, span, scope.home);
                    self.fail(told)
                }
            },
        }
    }

    /// The epoch, from 0; in an evaluation 0 too.
    fn epoch(&mut self, span: Span) -> ExprId {
        let one = self.number(1.0, DType::F32, span);
        let step = self.push(ExprKind::Step, scalar_type(DType::F32), span);
        let steps = self.push(ExprKind::StepsPerEpoch, scalar_type(DType::F32), span);
        let mut scalar = |fun, parts| self.map(fun, parts, Vec::new(), DType::F32, span);
        let step = scalar(Fun::Map(MapOp::Max), vec![step, one]);
        let before = scalar(Fun::Map(MapOp::Sub), vec![step, one]);
        let steps = scalar(Fun::Map(MapOp::Max), vec![steps, one]);
        scalar(Fun::FloorDiv, vec![before, steps])
    }

    /// `random.uniform`, or a field of a record.
    fn field(&mut self, scope: &mut Scope<'a>, base: &'a ast::Expr, field: ast::Ident, span: Span) -> Value<'a> {
        if let Ast::Name(symbol) = base.kind
            && symbol.as_str() == "random"
        {
            let text = format!("random.{}", field.name);
            return match Builtin::parse(&text) {
                Some(builtin) => Value::Function(Rc::new(function(Callee::Builtin(builtin), span))),
                None => self.fail(name::unknown_field("`random`", field, &["uniform", "normal", "bernoulli", "index"])),
            };
        }
        if let Ast::Name(symbol) = base.kind
            && scope.find(symbol).is_none()
            && let Some(file) = self.globals.behind(symbol, scope.home)
        {
            return match self.globals.exported(field.name, file) {
                Some(Global::Def(def)) => Value::Function(Rc::new(function(Callee::Def(def), span))),
                Some(Global::Let(value)) => self.constant(value),
                None if self.globals.is_incomplete(file) => Value::Error,
                None => {
                    let known: Vec<&str> = self.globals.exports(file).collect();
                    self.fail(name::unknown_field(&format!("`{symbol}`"), field, &known))
                }
            };
        }
        match self.expr(scope, base) {
            Value::Record(fields) => match fields.iter().find(|(name, _)| *name == field.name) {
                Some((_, value)) => value.clone(),
                None => {
                    let known: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
                    self.fail(name::unknown_field("the record", field, &known))
                }
            },
            Value::Error => Value::Error,
            other => self.fail(told::no_fields(other.describe(), base.span, field)),
        }
    }

    fn choose(
        &mut self,
        scope: &mut Scope<'a>,
        condition: &'a ast::Expr,
        then: &'a ast::Block,
        otherwise: &'a ast::Block,
        span: Span,
    ) -> Value<'a> {
        let test = match self.expr(scope, condition) {
            Value::Bool(true) => return self.block(scope, then),
            Value::Bool(false) => return self.block(scope, otherwise),
            Value::Tensor(test) if self.ty(test).dtype == DType::Bool => test,
            Value::Error => return Value::Error,
            Value::Tensor(_) => return self.fail(told::truth_expected("a tensor", condition.span, None)),
            other => return self.fail(told::expected("true or false", other.describe(), condition.span)),
        };
        let (yes, no) = self.branches(scope, condition, (then, otherwise));
        let kind = self.common_kind(&yes, &no);
        let (Some(yes), Some(no)) = (self.tensor(yes, then.value.span), self.tensor(no, otherwise.value.span)) else {
            return Value::Error;
        };
        let dtype = self.ty(yes).dtype;
        let spans = [condition.span, then.value.span, otherwise.value.span];
        let Some(axes) = self.contain(&[test, yes, no], &spans, "if", span) else { return Value::Error };
        let chosen = self.map(Fun::Map(MapOp::Select), vec![test, yes, no], axes, dtype, span);
        if let Some(kind) = kind {
            self.exprs[chosen.0 as usize].ty.kind = kind;
        }
        Value::Tensor(chosen)
    }

    /// Both branches of an `if`. In a definition on its own each is held to what the condition says of sizes there.
    fn branches(
        &mut self,
        scope: &mut Scope<'a>,
        condition: &'a ast::Expr,
        (then, otherwise): (&'a ast::Block, &'a ast::Block),
    ) -> (Value<'a>, Value<'a>) {
        // Read once more, which only what makes nothing may be.
        let mut is_plain = true;
        condition.walk(&mut |part| {
            is_plain &= matches!(part.kind, Ast::Name(_) | Ast::Number(_) | Ast::Unary(..) | Ast::Chain(..));
        });
        let fact = if self.alone && is_plain { self.fact(scope, condition) } else { None };
        let Some(fact) = fact else { return (self.block(scope, then), self.block(scope, otherwise)) };
        let fact = fact.map(|dim| self.sizes.resolve(dim));
        let mut inside = |fact: Option<Fact>, block| {
            let before = self.sizes.facts.mark();
            fact.iter().for_each(|fact| self.sizes.facts.suppose(fact));
            let after = self.sizes.facts.mark();
            let value = self.block(scope, block);
            // What was told inside stays supposed, so that it is told once.
            self.sizes.facts.forget(before, after);
            value
        };
        (inside(Some(fact.clone()), then), inside(fact.negated(), otherwise))
    }

    /// The kind both branches of an `if` have.
    fn common_kind(&self, yes: &Value<'a>, no: &Value<'a>) -> Option<typed::Kind> {
        match (yes, no) {
            (Value::Tensor(yes), Value::Tensor(no)) if self.ty(*yes).kind == self.ty(*no).kind => {
                Some(self.ty(*yes).kind)
            }
            _ => None,
        }
    }

    /// The value of a block.
    pub(super) fn block(&mut self, scope: &mut Scope<'a>, block: &'a ast::Block) -> Value<'a> {
        scope.enter();
        for stmt in &block.stmts {
            self.stmt(scope, stmt);
        }
        let value = self.expr(scope, &block.value);
        scope.leave();
        value
    }

    /// `remat { … }`: the value of the block, of which nothing else is kept for the gradient.
    fn remat(&mut self, scope: &mut Scope<'a>, block: &'a ast::Block, span: Span) -> Value<'a> {
        let outer = self.remat.replace(RematId(self.remats));
        self.remats += 1;
        let value = self.block(scope, block);
        self.remat = outer;
        match value {
            // What is applied elsewhere would not be computed in this block.
            Value::Function(_) => {
                let told = told::remat_of_function(span);
                self.fail(match self.stage_before(span) {
                    Some(_) => crate::diag::offer::input_of_block(told, block.value.span),
                    None => told,
                })
            }
            value => value,
        }
    }

    /// Runs a statement.
    pub(super) fn stmt(&mut self, scope: &mut Scope<'a>, stmt: &'a ast::Stmt) {
        match stmt {
            ast::Stmt::Let(binding) => self.bind_let(scope, binding),
            ast::Stmt::State(vars) => vars.iter().for_each(|var| self.declare_state(scope, var)),
            ast::Stmt::Param(def) => {
                let value = self.param(scope, def, None);
                if let Some(ident) = def.name {
                    self.bind_name(scope, ident, value);
                }
            }
            ast::Stmt::Penalty { name: ident, value } => self.penalty(scope, *ident, value),
            ast::Stmt::Assign { name: ident, value } => {
                let new = self.expr(scope, value);
                self.assign(scope, *ident, new, value.span);
            }
            ast::Stmt::Error(_) => {}
        }
    }

    /// `let down = Dense(8)`: a layer that a `let` makes is called by the name alone, so its weight is `down.w`. One
    /// that has been applied already keeps the path that its parameters have.
    fn named(&mut self, scope: &Scope<'a>, inner: &Place, ident: ast::Ident, value: Value<'a>) -> Value<'a> {
        let Value::Function(f) = &value else { return value };
        let Callee::Instance(def, path) = &f.callee else { return value };
        let last = path.strip_prefix(&inner.join(def.name.name.as_str()));
        let is_made_here = last.is_some_and(|last| last.is_empty() || last.starts_with('.'));
        if !is_made_here || self.store.keeps(path) {
            return value;
        }
        let path = self.store.path_of(&scope.place, ident.name.as_str());
        Value::Function(Rc::new(f.moved(def, path)))
    }

    /// `let y = …`
    pub(super) fn bind_let(&mut self, scope: &mut Scope<'a>, binding: &'a ast::Let) {
        match &binding.target {
            ast::Target::Names(names) if names.len() == 1 => {
                // What is made inside carries the name in its path.
                let outer = scope.place.clone();
                scope.place = outer.under(names[0].name.as_str());
                let value = match &binding.value.kind {
                    Ast::Param(def) => {
                        scope.place = outer.clone();
                        self.param(scope, def, Some(names[0]))
                    }
                    _ => self.expr(scope, &binding.value),
                };
                let inner = std::mem::replace(&mut scope.place, outer);
                let value = self.named(scope, &inner, names[0], value);
                self.bind_name(scope, names[0], value);
            }
            ast::Target::Names(names) => {
                let value = self.expr(scope, &binding.value);
                let parts = match value {
                    Value::List(parts) if parts.len() == names.len() => parts,
                    Value::List(parts) => {
                        let told = self.count_names(names, parts.len(), binding.value.span);
                        self.report(told);
                        vec![Value::Error; names.len()]
                    }
                    Value::Error => vec![Value::Error; names.len()],
                    other => {
                        self.report(told::expected("a list", other.describe(), binding.value.span));
                        vec![Value::Error; names.len()]
                    }
                };
                for (ident, part) in names.iter().zip(parts) {
                    self.bind_name(scope, *ident, part);
                }
            }
            ast::Target::Fields(names) => {
                let value = self.expr(scope, &binding.value);
                for ident in names {
                    let part = match &value {
                        Value::Record(fields) => match fields.iter().find(|(name, _)| *name == ident.name) {
                            Some((_, part)) => part.clone(),
                            None => {
                                let known: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
                                self.fail(name::unknown_field("the record", *ident, &known))
                            }
                        },
                        Value::Error => Value::Error,
                        other => self.fail(told::expected("a record", other.describe(), binding.value.span)),
                    };
                    self.bind_name(scope, *ident, part);
                }
            }
        }
    }

    /// Binds a name of a body; one that is an axis there stays the axis.
    pub(super) fn bind_name(&mut self, scope: &mut Scope<'a>, ident: ast::Ident, value: Value<'a>) {
        if scope.axes.contains_key(&ident.name) {
            let free = self.free_name(ident.span, ident.name.as_str());
            self.report(name::hides_axis(ident.name, ident.span, &free, &self.uses_after(ident.span, ident.name)));
            return;
        }
        if let Value::Tensor(id) = value
            && scope.home == self.user_file
        {
            let ty = self.ty(id).clone();
            self.bindings.push(typed::Binding { name: ident.name, span: ident.span, ty });
        }
        scope.bind(ident.name, value);
    }

    // ---- what a place asks for

    /// A value as a tensor expression.
    pub(super) fn tensor(&mut self, value: Value<'a>, span: Span) -> Option<ExprId> {
        match value {
            Value::Tensor(id) => Some(id),
            Value::Int(dim) | Value::Axis(AxisArg { size: dim, .. }) => {
                Some(match self.sizes.resolve(&dim).as_const() {
                    Some(value) => self.number(value as f64, DType::F32, span),
                    None => self.push(ExprKind::Size(dim), scalar_type(DType::F32), span),
                })
            }
            Value::Float(value) => Some(self.number(value, DType::F32, span)),
            Value::Bool(value) => Some(self.number(f64::from(u8::from(value)), DType::Bool, span)),
            Value::Function(function) if self.is_schedule(&function) => self.run_schedule(&function, span),
            Value::Error => None,
            Value::Function(function) if matches!(function.callee, Callee::Builtin(Builtin::Random(_))) => {
                self.report(told::not_drawn(span));
                None
            }
            other => {
                self.report(told::expected("a tensor or a number", other.describe(), span));
                None
            }
        }
    }

    /// An expression as a size.
    pub(super) fn int_expr(&mut self, scope: &mut Scope<'a>, expr: &'a ast::Expr) -> Option<Dim> {
        let value = self.expr(scope, expr);
        if let (Value::Float(number), Ast::Chain(_, rest)) = (&value, &expr.kind)
            && number.fract() != 0.0
            && let [(ast::BinaryOp::Div, sign, _)] = &rest[..]
        {
            self.report(shape::not_whole(*number, expr.span, Some(*sign)));
            return None;
        }
        self.int(value, expr.span)
    }

    /// A value as a size.
    pub(super) fn int(&mut self, value: Value<'a>, span: Span) -> Option<Dim> {
        let told = match value {
            Value::Int(dim) | Value::Axis(AxisArg { size: dim, .. }) => return Some(dim),
            Value::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => {
                return Some(Dim::constant(value as i64));
            }
            Value::Error => return None,
            Value::Float(value) => shape::not_whole(value, span, None),
            other => told::expected("a whole number", other.describe(), span),
        };
        self.report(told);
        None
    }

    /// A value as a number known before anything runs.
    pub(super) fn static_number(&mut self, value: &Value<'a>, span: Span) -> Option<f64> {
        let told = match value {
            Value::Int(dim) => match self.sizes.resolve(dim).as_const() {
                Some(value) => return Some(value as f64),
                None => told::expected("a number known before the run", "a size that is only known when it runs", span),
            },
            Value::Float(value) => return Some(*value),
            Value::Error => return None,
            other => told::expected("a number", other.describe(), span),
        };
        self.report(told);
        None
    }
}

/// A function that nothing has been given to.
pub(super) fn function(callee: Callee<'_>, span: Span) -> Function<'_> {
    Function { callee, brackets: None, scope: None, config: None, frozen: false, shadow: None, load: None, span }
}
