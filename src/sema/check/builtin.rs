//! Primitives that compute: functions of elements, reductions, constants, random numbers.

use std::rc::Rc;

use crate::base::{Span, fnv1a};
use crate::diag::{derivative, name, reading, shape, value as told};
use crate::ir::HostUnary;
use crate::ops::{ArgOp, Cmp, Dist, MapOp, ReduceOp};
use crate::sema::dtype::DType;
use crate::sema::primitive::{Builtin, Reduction};
use crate::sema::typed::{Axis, AxisId, ExprId, ExprKind, Fun, Kind, Type};
use crate::sema::value::{Body, Callee, Function, Given, Place, Scope, Value};
use crate::syntax::ast::{self, ExprKind as Ast, Ix};

use super::checker::{Checker, plain, product, scalar_type};
use super::mend::axes_in;

/// A primitive with what it is given.
pub(super) struct PrimitiveCall<'f, 'a> {
    /// With its brackets.
    pub f: &'f Function<'a>,
    /// As many as it takes.
    pub args: Vec<Given<'a>>,
    /// The call.
    pub span: Span,
}

impl<'a> Checker<'a> {
    /// Applies a primitive.
    pub(super) fn builtin(
        &mut self,
        scope: &mut Scope<'a>,
        builtin: Builtin,
        f: &Function<'a>,
        args: Vec<Given<'a>>,
        span: Span,
    ) -> Value<'a> {
        let count = match builtin {
            Builtin::Filled(_) => 0..=1,
            Builtin::Random(_) | Builtin::Count => 0..=0,
            Builtin::MinMax(..) => 1..=2,
            Builtin::Mask | Builtin::Ema | Builtin::Grad => 2..=2,
            Builtin::Concat => 1..=usize::MAX,
            _ => 1..=1,
        };
        if let Builtin::Load | Builtin::Generate = builtin {
            let mut inner = f.scope.as_ref().map(|captured| (**captured).clone());
            let scope = inner.as_mut().unwrap_or(scope);
            let call = PrimitiveCall { f, args, span };
            return if builtin == Builtin::Load { self.load(scope, call) } else { self.generate(scope, call) };
        }
        let (args, options) = match builtin {
            Builtin::Sort => {
                args.into_iter().partition(|arg| arg.name.is_none_or(|name| name.name.as_str() != "descending"))
            }
            _ => (args, Vec::new()),
        };
        if let Some((named, value)) = args.iter().find_map(|arg| Some((arg.name?, arg.span))) {
            return self.fail(name::argument_of_primitive(named, value));
        }
        if !count.contains(&args.len()) {
            let told =
                told::primitive_arguments(builtin.name(), (*count.start(), *count.end()), args.len(), f.span.to(span));
            return self.fail(match &args[..] {
                [only] if builtin == Builtin::Grad => self.lacks_variable(scope, told, only.span, (span, "(", ")")),
                [.., before, surplus] if args.len() == count.end().saturating_add(1) => {
                    name::leave_out(told, Some(before.span), surplus.span)
                }
                _ => told,
            });
        }
        // Brackets mean what they mean where the function was written.
        if let Some(captured) = &f.scope {
            let mut inner = (**captured).clone();
            return self.primitive(&mut inner, builtin, PrimitiveCall { f, args, span }, options);
        }
        self.primitive(scope, builtin, PrimitiveCall { f, args, span }, options)
    }

    fn primitive(
        &mut self,
        scope: &mut Scope<'a>,
        builtin: Builtin,
        call: PrimitiveCall<'_, 'a>,
        options: Vec<Given<'a>>,
    ) -> Value<'a> {
        let (f, span) = (call.f, call.span);
        match builtin {
            Builtin::Unary(fun) => self.unary_function(fun, call.args, span),
            Builtin::MinMax(op, _) if call.args.len() == 2 => self.min_max(op, call.args, span),
            Builtin::MinMax(_, op) => self.reduce(scope, Reduction::Fold(op), call),
            Builtin::Reduce(reduction) => self.reduce(scope, reduction, call),
            Builtin::Arg(op) => self.arg_reduce(scope, op, call),
            Builtin::LogSumExp => self.log_sum_exp(scope, call),
            Builtin::CumSum => self.cumulative_sum(scope, call),
            Builtin::TopK => self.top_k(scope, call),
            Builtin::Sort => self.sort(scope, call, options),
            Builtin::Convert(dtype) => {
                let Some(number) = self.conversion(dtype, call.args, span) else { return Value::Error };
                self.store.meant.insert(number);
                Value::Tensor(number)
            }
            Builtin::Pos => self.positions(call.args, span),
            Builtin::OfTexts(what) => self.of_texts(what, call.args),
            Builtin::Filled(value) => {
                let (dtype, axes) = match (&call.args[..], f.brackets) {
                    ([like], None) => match self.tensor(like.value.clone(), like.span) {
                        Some(like) => (self.ty(like).dtype.computed(), self.ty(like).axes.clone()),
                        None => return Value::Error,
                    },
                    _ => match self.written_axes(scope, f.brackets, span) {
                        Some(axes) => (DType::F32, axes),
                        None => return Value::Error,
                    },
                };
                Value::Tensor(self.filled(f64::from(value), dtype, axes, span))
            }
            Builtin::Full => {
                let Some(axes) = self.written_axes(scope, f.brackets, span) else { return Value::Error };
                let Some(x) = self.first_tensor(call.args) else { return Value::Error };
                let ty = self.ty(x).clone();
                if !ty.axes.is_empty() {
                    return self.fail(told::expected("a number", "a tensor", span));
                }
                Value::Tensor(self.push(ExprKind::Expand(x), Type { axes, ..ty }, span))
            }
            Builtin::Count => {
                let Some(axes) = self.written_axes(scope, f.brackets, span) else { return Value::Error };
                match product(&axes) {
                    Some(count) => Value::Int(count),
                    None => self.fail(shape::overflow(span)),
                }
            }
            Builtin::Rank => {
                let Some(x) = self.first_tensor(call.args) else { return Value::Error };
                Value::Int((self.ty(x).axes.len() as i64).into())
            }
            Builtin::Total => self.total(scope.body, call.args, span),
            Builtin::StopGradient => {
                let Some(x) = self.first_tensor(call.args) else { return Value::Error };
                let ty = self.ty(x).clone();
                Value::Tensor(self.push(ExprKind::StopGradient(x), ty, span))
            }
            // `call` and `stage` read its second argument as a name; nothing else can.
            Builtin::Grad => self.fail(derivative::by_no_name("this value", call.args[1].span)),
            Builtin::Freeze => self.freeze(&call, None),
            Builtin::Ema => self.ema(&call),
            Builtin::Load => self.load(scope, call),
            Builtin::History => self.history(scope, call),
            Builtin::Generate => self.generate(scope, call),
            Builtin::Fresh => self.fresh(scope, call.args, call.span),
            Builtin::Index => self.checked_index(scope, call),
            Builtin::Random(dist) => self.random(scope, dist, f, span),
            Builtin::Bernoulli => {
                let Some(p) = self.first_tensor(call.args) else { return Value::Error };
                let Value::Tensor(u) = self.random(scope, Dist::Uniform, f, span) else { return Value::Error };
                let spans = [span, span];
                let Some(axes) = self.contain(&[u, p], &spans, "bernoulli", span) else { return Value::Error };
                Value::Tensor(self.map(Fun::Map(MapOp::Cmp(Cmp::Lt)), vec![u, p], axes, DType::Bool, span))
            }
            Builtin::RandomIndex => self.random_index(scope, call),
            Builtin::Mask => self.mask(call.args, span),
            Builtin::Rename => self.rename(scope, call),
            Builtin::Split => self.split(scope, call),
            Builtin::Join => self.join(scope, call),
            Builtin::Order => self.order(scope, call),
            Builtin::Expand => self.expand(scope, call),
            Builtin::Concat => self.concat(scope, call),
            Builtin::Unstack => self.unstack(scope, call),
        }
    }

    /// `ema(layer, 0.999)`: the layer as when nothing trains, with parameters that follow its own.
    fn ema(&mut self, call: &PrimitiveCall<'_, 'a>) -> Value<'a> {
        let Some(decay) = call.args.last() else { return Value::Error };
        match self.decay(&decay.value, decay.span) {
            Some(decay) => self.freeze(call, Some(decay)),
            None => Value::Error,
        }
    }

    /// `freeze(layer)`: the layer as it is when nothing trains, its parameters without update, its states kept.
    fn freeze(&mut self, call: &PrimitiveCall<'_, 'a>, shadow: Option<f64>) -> Value<'a> {
        let Some(given) = call.args.first() else { return Value::Error };
        match &given.value {
            Value::Function(layer) if holds_layers(layer) => {
                Value::Function(Rc::new(Function { frozen: true, shadow, ..(**layer).clone() }))
            }
            other => {
                let told = self.no_layer(other, given.span, Some(call.span));
                let is_frozen_value = shadow.is_none() && matches!(other, Value::Tensor(_)) && !told.has_fix();
                self.fail(match is_frozen_value {
                    true => crate::diag::offer::stopped(told, call.f.span),
                    false => told,
                })
            }
        }
    }

    /// `fresh(layer)`: a layer of the same making, with weights of its own.
    fn fresh(&mut self, scope: &mut Scope<'a>, args: Vec<Given<'a>>, span: Span) -> Value<'a> {
        let Some(given) = args.into_iter().next() else { return Value::Error };
        match given.value {
            Value::Function(layer) => match &layer.callee {
                Callee::Instance(def, _) => {
                    let path = self.store.path_of(&scope.place, def.name.name.as_str());
                    Value::Function(Rc::new(Function { callee: Callee::Instance(def, path), ..(*layer).clone() }))
                }
                // A constructor makes each of its layers anew.
                Callee::Def(def) if matches!(def.kind, ast::DefKind::Layer | ast::DefKind::Model) => {
                    Value::Function(layer)
                }
                _ => self.fail(self.no_layer(&Value::Function(layer), given.span, Some(span))),
            },
            other => self.fail(self.no_layer(&other, given.span, None)),
        }
    }

    /// The one argument as a tensor.
    pub(super) fn first_tensor(&mut self, args: Vec<Given<'a>>) -> Option<ExprId> {
        let first = args.into_iter().next()?;
        self.tensor(first.value, first.span)
    }

    fn unary_function(&mut self, fun: Fun, args: Vec<Given<'a>>, span: Span) -> Value<'a> {
        let known = match &args[0].value {
            Value::Float(value) => Some(*value),
            Value::Int(dim) => self.sizes.resolve(dim).as_const().map(|value| value as f64),
            _ => None,
        };
        if let Some(value) = known {
            return Value::Float(host_unary(fun).map_or(f64::NAN, |function| function.eval(value)));
        }
        let Some(x) = self.first_tensor(args) else { return Value::Error };
        let axes = self.ty(x).axes.clone();
        Value::Tensor(self.map(fun, vec![x], axes, DType::F32, span))
    }

    fn min_max(&mut self, op: MapOp, args: Vec<Given<'a>>, span: Span) -> Value<'a> {
        let known = |this: &Self, value: &Value<'a>| match value {
            Value::Float(value) => Some(*value),
            Value::Int(dim) => this.sizes.resolve(dim).as_const().map(|value| value as f64),
            _ => None,
        };
        if let (Some(a), Some(b)) = (known(self, &args[0].value), known(self, &args[1].value)) {
            let first = if op == MapOp::Min { a <= b } else { a >= b };
            return args[usize::from(!first)].value.clone();
        }
        let spans = [args[0].span, args[1].span];
        let mut parts = Vec::new();
        for arg in args {
            let Some(x) = self.tensor(arg.value, arg.span) else { return Value::Error };
            parts.push(x);
        }
        let sign = if op == MapOp::Min { "min" } else { "max" };
        let Some(axes) = self.contain(&parts, &spans, sign, span) else { return Value::Error };
        Value::Tensor(self.map(Fun::Map(op), parts, axes, DType::F32, span))
    }

    // ---- reductions

    /// The axes in the brackets of a reduction that the tensor has; all of them without brackets.
    fn reduced_axes(&mut self, scope: &mut Scope<'a>, f: &Function<'a>, ty: &Type, span: Span) -> Option<Vec<AxisId>> {
        let Some(brackets) = f.brackets else { return Some(ty.axes.iter().map(|axis| axis.id).collect()) };
        if brackets.to.is_some() {
            self.report(reading::no_scatter(brackets.span, Span { end: brackets.span.start, ..f.span }));
            return None;
        }
        let mut axes = Vec::new();
        for ix in &brackets.from {
            if let Ix::Row(row_span) = ix {
                let Some(row) = &scope.row else {
                    self.report(self.no_row(*row_span, &axes_in(&brackets.from), &ty.axes));
                    return None;
                };
                axes.extend(row.iter().filter(|axis| self.find_axis(&ty.axes, axis.id).is_some()).map(|axis| axis.id));
                continue;
            }
            let id = self.axis_at(scope, ix, Some(ty))?;
            let Some(axis) = self.find_axis(&ty.axes, id) else {
                let names: Vec<String> = ty.axes.iter().map(|axis| self.axes.show(axis.id)).collect();
                let told = shape::lacks_axis_here(&self.axes.show(id), &self.show_type(ty), ix.span(), span, &names);
                self.report(told);
                return None;
            };
            let id = axis.id;
            if !axes.contains(&id) {
                axes.push(id);
            }
        }
        Some(axes)
    }

    fn reduce(&mut self, scope: &mut Scope<'a>, reduction: Reduction, call: PrimitiveCall<'_, 'a>) -> Value<'a> {
        if let Some(ast::Brackets { to: Some(_), .. }) = call.f.brackets {
            return self.scatter(scope, reduction, call);
        }
        let PrimitiveCall { f, args, span } = call;
        let given = args.first().map_or(span, |given| given.span);
        let Some(x) = self.first_tensor(args) else { return Value::Error };
        let ty = self.ty(x).clone();
        let Some(axes) = self.reduced_axes(scope, f, &ty, span) else { return Value::Error };
        if matches!(reduction, Reduction::Any | Reduction::All) && ty.dtype != DType::Bool {
            return self.fail(told::truth_expected("a tensor of numbers", given, None));
        }
        let x = self.to_float(x, span);
        let dtype = self.ty(x).dtype;
        let x = match reduction {
            Reduction::Fold(ReduceOp::Sum) | Reduction::Mean => self.before_rounding(x),
            Reduction::Fold(_) | Reduction::Any | Reduction::All => x,
        };
        let x = self.computed(x, span);
        let op = match reduction {
            Reduction::Fold(op) => op,
            Reduction::Mean => ReduceOp::Sum,
            Reduction::Any => ReduceOp::Max,
            Reduction::All => ReduceOp::Min,
        };
        let (gone, kept): (Vec<Axis>, Vec<Axis>) = ty.axes.iter().cloned().partition(|axis| axes.contains(&axis.id));
        let folded = match axes.is_empty() {
            true => x,
            false => {
                let ty = Type { dtype: dtype.computed(), kind: Kind::Plain, axes: kept.clone() };
                self.push(ExprKind::Reduce(op, axes, x), ty, span)
            }
        };
        match reduction {
            Reduction::Fold(_) => Value::Tensor(self.as_dtype(folded, dtype, span)),
            Reduction::Mean => {
                let Some(count) = product(&gone) else { return self.fail(shape::overflow(span)) };
                let Some(count) = self.tensor(Value::Int(count), span) else { return Value::Error };
                let mean = self.map(Fun::Map(MapOp::Div), vec![folded, count], kept, DType::F32, span);
                Value::Tensor(self.as_dtype(mean, dtype, span))
            }
            // Truth values are 0 and 1, so their maximum is any and their minimum is all.
            Reduction::Any | Reduction::All => Value::Tensor(self.as_dtype(folded, DType::Bool, span)),
        }
    }

    fn arg_reduce(&mut self, scope: &mut Scope<'a>, op: ArgOp, call: PrimitiveCall<'_, 'a>) -> Value<'a> {
        let span = call.span;
        let Some((x, axis, rest)) = self.along_one(scope, call) else { return Value::Error };
        let ty = Type { dtype: DType::I32, kind: Kind::Index(axis), axes: rest };
        Value::Tensor(self.push(ExprKind::ArgReduce(op, axis, x), ty, span))
    }

    fn log_sum_exp(&mut self, scope: &mut Scope<'a>, call: PrimitiveCall<'_, 'a>) -> Value<'a> {
        let span = call.span;
        let Some((x, axis, rest)) = self.along_one(scope, call) else { return Value::Error };
        let dtype = self.ty(x).dtype;
        let x = self.computed(x, span);
        let ty = Type { dtype: dtype.computed(), kind: Kind::Plain, axes: rest };
        let value = self.push(ExprKind::LogSumExp(axis, x), ty, span);
        Value::Tensor(self.as_dtype(value, dtype, span))
    }

    /// `cumsum[a](x)`: the axes stay as they are.
    fn cumulative_sum(&mut self, scope: &mut Scope<'a>, call: PrimitiveCall<'_, 'a>) -> Value<'a> {
        let span = call.span;
        let Some((x, axis, _)) = self.along_one(scope, call) else { return Value::Error };
        if self.is_streamed(axis) {
            return self.running_sum(x, axis, span).map_or(Value::Error, Value::Tensor);
        }
        let dtype = self.ty(x).dtype;
        let x = self.computed(x, span);
        let ty = Type { kind: Kind::Plain, ..self.ty(x).clone() };
        let sums = self.push(ExprKind::CumSum(axis, x), ty, span);
        Value::Tensor(self.as_dtype(sums, dtype, span))
    }

    /// A tensor of floats, the one axis in the brackets, and the other axes.
    pub(super) fn along_one(
        &mut self,
        scope: &mut Scope<'a>,
        call: PrimitiveCall<'_, 'a>,
    ) -> Option<(ExprId, AxisId, Vec<Axis>)> {
        let PrimitiveCall { f, args, span } = call;
        let x = self.first_tensor(args)?;
        let x = self.to_float(x, span);
        let ty = self.ty(x).clone();
        let axes = self.reduced_axes(scope, f, &ty, span)?;
        let [axis] = axes[..] else {
            self.needs_one_axis(f, &ty, span);
            return None;
        };
        let rest = ty.axes.into_iter().filter(|other| other.id != axis).collect();
        Some((x, axis, rest))
    }

    /// Tells that a function works along one axis, and of which tensor.
    pub(super) fn needs_one_axis(&mut self, f: &Function<'a>, ty: &Type, span: Span) {
        let last = ty.axes.last().filter(|_| f.brackets.is_none()).map(|axis| self.axes.show(axis.id));
        self.report(shape::one_axis(f.span.to(span), &self.show_type(ty), f.span, last.as_deref()));
    }

    // ---- constants and random numbers

    fn positions(&mut self, args: Vec<Given<'a>>, span: Span) -> Value<'a> {
        let given = args.into_iter().next().expect("the count of arguments was checked");
        match given.value {
            Value::Axis(axis) => {
                let at = Axis { id: axis.id, size: axis.size, from: axis.span };
                if self.is_streamed(at.id)
                    && let Some(place) = self.place_at_hand(&at, span)
                {
                    return Value::Tensor(place);
                }
                let ty = Type { dtype: DType::I32, kind: Kind::Index(axis.id), axes: vec![at] };
                let positions = self.push(ExprKind::Pos, ty, span);
                Value::Tensor(self.own_row(positions))
            }
            other => self.fail(told::expected("an axis", other.describe(), given.span)),
        }
    }

    fn random(&mut self, scope: &mut Scope<'a>, dist: Dist, f: &Function<'a>, span: Span) -> Value<'a> {
        let Some(axes) = self.written_axes(scope, f.brackets, span) else { return Value::Error };
        // A site is named by its place in the program, so that another one added leaves it alone.
        let site = fnv1a(&self.store.site(&scope.place.path));
        Value::Tensor(self.push(ExprKind::Random(dist, site), plain(axes), span))
    }

    /// `random.index[..](a)`: positions of an axis, each as likely. A uniform number has 24 bits, so that its product
    /// with a size never rounds up to the size.
    fn random_index(&mut self, scope: &mut Scope<'a>, call: PrimitiveCall<'_, 'a>) -> Value<'a> {
        let PrimitiveCall { f, args, span } = call;
        let Some(given) = args.into_iter().next() else { return Value::Error };
        let axis = match given.value {
            Value::Axis(axis) => axis,
            Value::Error => return Value::Error,
            other => return self.fail(told::expected("an axis", other.describe(), given.span)),
        };
        let Value::Tensor(u) = self.random(scope, Dist::Uniform, f, span) else { return Value::Error };
        let Some(size) = self.tensor(Value::Int(axis.size), given.span) else { return Value::Error };
        let axes = self.ty(u).axes.clone();
        let place = self.map(Fun::Map(MapOp::Mul), vec![u, size], axes.clone(), DType::F32, span);
        let place = self.as_dtype(place, DType::I32, span);
        let ty = Type { dtype: DType::I32, kind: Kind::Index(axis.id), axes };
        Value::Tensor(self.push(ExprKind::Relabel(place), ty, span))
    }

    /// The axes written in brackets: `[.., out]`, `[gate: 4]`; none without brackets.
    pub(super) fn written_axes(
        &mut self,
        scope: &mut Scope<'a>,
        brackets: Option<&'a ast::Brackets>,
        span: Span,
    ) -> Option<Vec<Axis>> {
        let Some(brackets) = brackets else { return Some(Vec::new()) };
        let mut axes: Vec<Axis> = Vec::new();
        for ix in &brackets.from {
            match ix {
                Ix::Row(row_span) => match &scope.row {
                    Some(row) => axes.extend(row.iter().cloned()),
                    None => {
                        let known = self.input_axes(scope, *row_span);
                        self.report(self.no_row(*row_span, &axes_in(&brackets.from), &known));
                        return None;
                    }
                },
                Ix::Axis(ident, size, None) => {
                    let size = self.int_expr(scope, size)?;
                    let id = self.intern_axis(scope, ident.name, &size);
                    axes.push(Axis { id, size, from: ident.span });
                }
                Ix::Value(expr) => {
                    let id = self.axis_at(scope, ix, None)?;
                    axes.push(Axis { id, size: self.axes.size(id), from: expr.span });
                }
                Ix::Set(ident, _) | Ix::Axis(ident, _, Some(_)) => {
                    self.report(name::axis_expected(ident.span, &[]));
                    return None;
                }
            }
        }
        if let Some(axis) = self.repeated(&axes) {
            let renamed = self.renamed_in(&axes, &axis, span);
            self.report(shape::duplicate_axis(&axis, "this list".into(), span, renamed));
            return None;
        }
        Some(axes)
    }

    /// The axis that a place in brackets names.
    pub(super) fn axis_at(&mut self, scope: &mut Scope<'a>, ix: &'a Ix, ty: Option<&Type>) -> Option<AxisId> {
        let span = ix.span();
        let Ix::Value(ast::Expr { kind: Ast::Name(symbol), .. }) = ix else {
            let known: Vec<&str> = { ty.into_iter().flat_map(|ty| &ty.axes) }
                .filter_map(|axis| self.axes.name(axis.id))
                .map(|name| name.as_str())
                .filter(|name| *name != "..")
                .collect();
            self.report(name::axis_expected(span, &known));
            return None;
        };
        if let Some(&id) = scope.axes.get(symbol) {
            return Some(id);
        }
        // An argument of type `axis` has a binder under its name; a local may hold one too.
        match scope.find(*symbol) {
            Some(Value::Axis(axis)) => return Some(axis.id),
            // What has a mistake behind it, or is of an unknown sort in a definition on its own, may be any axis.
            Some(Value::Error) => return None,
            _ => {}
        }
        let in_tensor = ty.and_then(|ty| ty.axes.iter().find(|axis| self.axes.name(axis.id) == Some(*symbol)));
        if let Some(axis) = in_tensor {
            return Some(axis.id);
        }
        if let Some(size) = self.primed_size(scope, *symbol) {
            return Some(self.intern_axis(scope, *symbol, &size));
        }
        // Data that is not known may have any axis.
        if scope.body == Body::Train && self.data_unknown {
            return None;
        }
        let of_tensor = ty.into_iter().flat_map(|ty| &ty.axes).filter_map(|axis| self.axes.name(axis.id));
        let mut known: Vec<&str> = of_tensor.map(|name| name.as_str()).collect();
        known.extend(scope.axes.keys().map(|name| name.as_str()));
        known.retain(|name| *name != "..");
        self.report(name::unknown_axis(symbol.as_str(), span, &known));
        None
    }

    fn mask(&mut self, args: Vec<Given<'a>>, span: Span) -> Value<'a> {
        let spans: Vec<Span> = args.iter().map(|arg| arg.span).collect();
        let mut args = args.into_iter();
        let (Some(x), Some(c)) = (args.next(), args.next()) else { return Value::Error };
        let Some(x) = self.tensor(x.value, x.span) else { return Value::Error };
        let Some(c) = self.truth(c.value, c.span) else { return Value::Error };
        let x = self.to_float(x, span);
        let kind = self.ty(x).kind;
        let floor = self.number(f64::NEG_INFINITY, DType::F32, span);
        let Some(axes) = self.contain(&[x, c], &spans, "mask", span) else { return Value::Error };
        let masked = self.map(Fun::Map(MapOp::Select), vec![c, x, floor], axes, DType::F32, span);
        self.exprs[masked.0 as usize].ty.kind = kind;
        Value::Tensor(masked)
    }

    /// A schedule at the current update; the first update is at 0.
    pub(super) fn run_schedule(&mut self, schedule: &Function<'a>, span: Span) -> Option<ExprId> {
        let Callee::Def(def) = schedule.callee else { return None };
        let step = self.push(ExprKind::Step, scalar_type(DType::F32), span);
        let one = self.number(1.0, DType::F32, span);
        let now = self.map(Fun::Map(MapOp::Sub), vec![step, one], Vec::new(), DType::F32, span);
        let mut caller = Scope::top(def.span.file);
        let value = self.elaborate(
            &mut caller,
            super::call::Use {
                def,
                brackets: None,
                config: schedule.config.clone().unwrap_or_default(),
                inputs: vec![Given { name: None, value: Value::Tensor(now), span }],
                row: None,
                place: Place::new("schedule"),
                span,
            },
        );
        let id = self.tensor(value, span)?;
        if !self.exprs[id.0 as usize].host {
            self.report(told::schedule_needs_numbers(def.name.name, span));
            return None;
        }
        Some(id)
    }
}

/// Whether applying a function applies layers: what it is itself, or may be made of.
fn holds_layers(function: &Function<'_>) -> bool {
    match &function.callee {
        Callee::Def(def) => matches!(def.kind, ast::DefKind::Layer | ast::DefKind::Model),
        Callee::Instance(..) | Callee::Hole(_) | Callee::Compose(_) => true,
        Callee::Builtin(_) => false,
    }
}

/// The host's function of one number.
pub(super) fn host_unary(fun: Fun) -> Option<HostUnary> {
    Some(match fun {
        Fun::Map(MapOp::Exp) => HostUnary::Exp,
        Fun::Map(MapOp::Log) => HostUnary::Log,
        Fun::Map(MapOp::Sqrt) => HostUnary::Sqrt,
        Fun::Map(MapOp::Tanh) => HostUnary::Tanh,
        Fun::Map(MapOp::Erf) => HostUnary::Erf,
        Fun::Map(MapOp::Abs) => HostUnary::Abs,
        Fun::Map(MapOp::Floor) => HostUnary::Floor,
        Fun::Map(MapOp::Round) => HostUnary::Round,
        Fun::Map(MapOp::Sin) => HostUnary::Sin,
        Fun::Map(MapOp::Cos) => HostUnary::Cos,
        _ => return None,
    })
}
