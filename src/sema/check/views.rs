//! Primitives that move elements and change no number: names, order, splits, joins, slices.

use crate::base::{Span, bug};
use crate::diag::{name, reading, shape, value as told};
use crate::ir::{Dim, Fact, Truth};
use crate::sema::typed::{Axis, AxisId, ExprId, ExprKind, Kind, Type};
use crate::sema::value::{Callee, Function, Scope, Value};
use crate::syntax::ast::{self, Ix};

use super::builtin::PrimitiveCall;
use super::checker::{Checker, product};
use super::gather::is_fill;
use super::mend::axes_in;

/// The largest axis whose divisors a message looks for.
const MOST_DIVIDED: i64 = 1 << 16;

impl<'a> Checker<'a> {
    /// `rename[t -> s](x)`
    pub(super) fn rename(&mut self, scope: &mut Scope<'a>, call: PrimitiveCall<'_, 'a>) -> Value<'a> {
        let PrimitiveCall { f, args, span } = call;
        let Some(x) = self.first_tensor(args) else { return Value::Error };
        let mut ty = self.ty(x).clone();
        let Some((from, to)) = self.arrow(f, span) else { return Value::Error };
        if from.len() != to.len() {
            return self.fail(told::wrong_count(from.len(), to.len(), f.span));
        }
        let mut new = Vec::new();
        for (from, to) in from.iter().zip(to) {
            let Some(old) = self.axis_of(scope, from, &ty) else { return Value::Error };
            let Ix::Value(ast::Expr { kind: ast::ExprKind::Name(symbol), .. }) = to else {
                return self.fail(name::axis_expected(to.span(), &[]));
            };
            new.push((old.id, self.intern_axis(scope, *symbol, &old.size)));
        }
        for axis in &mut ty.axes {
            if let Some((_, to)) = new.iter().find(|(from, _)| *from == axis.id) {
                axis.id = *to;
            }
        }
        if let Kind::Index(of) = ty.kind
            && let Some((_, to)) = new.iter().find(|(from, _)| self.same_axis(*from, of))
        {
            ty.kind = Kind::Index(*to);
        }
        self.relabelled(x, ty, to.last().map_or(span, Ix::span), span)
    }

    fn relabelled(&mut self, x: ExprId, ty: Type, to: Span, span: Span) -> Value<'a> {
        if let Some(axis) = self.repeated(&ty.axes) {
            return self.fail(shape::duplicate_axis(&axis, "this result".into(), span, shape::Renamed::There(to)));
        }
        Value::Tensor(self.push(ExprKind::Relabel(x), ty, span))
    }

    /// Tells that parts do not fill an axis, and the divisor of it that is nearest to what is written.
    fn uneven(&mut self, ty: &Type, whole: &Axis, parts: &Dim, f: &Function<'a>) -> Value<'a> {
        let size = self.sizes.resolve(&whole.size);
        let shown = (self.sizes.show(&size), self.sizes.show(parts));
        let nearest = match (size.as_const(), parts.as_const()) {
            (Some(size @ 1..=MOST_DIVIDED), Some(parts)) => {
                (1..=size).filter(|divisor| size % divisor == 0).min_by_key(|divisor| (divisor - parts).abs())
            }
            _ => None,
        };
        let place = f.brackets.and_then(|brackets| self.literal_of(brackets.span, parts));
        let divisor = place.map(|literal| literal.span).zip(nearest);
        let axis = self.axes.show(whole.id);
        self.fail(shape::split_uneven(&axis, shown, f.span, self.known_axes(&ty.axes), divisor))
    }

    /// `split[d -> head: heads, e](x)`
    pub(super) fn split(&mut self, scope: &mut Scope<'a>, call: PrimitiveCall<'_, 'a>) -> Value<'a> {
        let PrimitiveCall { f, args, span } = call;
        let Some(x) = self.first_tensor(args) else { return Value::Error };
        let ty = self.ty(x).clone();
        let Some((from, to)) = self.arrow(f, span) else { return Value::Error };
        let [from] = from else { return self.fail(told::wrong_count(1, from.len(), f.span)) };
        let Some(whole) = self.axis_of(scope, from, &ty) else { return Value::Error };

        // At most one part has no size: it takes what is left.
        let mut parts: Vec<(ast::Ident, Option<Dim>)> = Vec::new();
        for ix in to {
            match ix {
                Ix::Axis(ident, size, None) => match self.int_expr(scope, size) {
                    Some(size) => parts.push((*ident, Some(size))),
                    None => return Value::Error,
                },
                Ix::Value(ast::Expr { kind: ast::ExprKind::Name(symbol), span }) => {
                    parts.push((ast::Ident { name: *symbol, span: *span }, None));
                }
                other => return self.fail(name::axis_expected(other.span(), &[])),
            }
        }
        let known = Dim::product(parts.iter().filter_map(|(_, size)| size.as_ref()));
        let open = parts.iter().filter(|(_, size)| size.is_none()).count();
        let Ok(known) = known else { return self.fail(shape::overflow(span)) };
        let (whole_size, known) = (self.sizes.resolve(&whole.size), self.sizes.resolve(&known));
        // What is left over for the open part, or that nothing is.
        let (fact, rest) = match open {
            0 => (Fact::Equal(known.clone(), whole_size.clone()), Ok(Dim::ONE)),
            1 => (Fact::Divides(known.clone(), whole_size.clone()), whole_size.floor_div(&known)),
            _ => return self.uneven(&ty, &whole, &known, f),
        };
        let Ok(rest) = rest else {
            return self.uneven(&ty, &whole, &known, f);
        };
        match self.sizes.judge(&fact) {
            Truth::Proved => {}
            Truth::Refuted => return self.uneven(&ty, &whole, &known, f),
            Truth::Open => {
                let shown = (self.sizes.show(&whole_size), self.sizes.show(&known));
                let told = shape::split_unproved(&self.axes.show(whole.id), shown, fact.sign(), f.span);
                self.ask(&fact, told);
            }
        }
        let rest = self.sizes.resolve(&rest);
        let mut axes = Vec::new();
        for axis in &ty.axes {
            if axis.id != whole.id {
                axes.push(axis.clone());
                continue;
            }
            for (ident, size) in &parts {
                let size = size.clone().unwrap_or_else(|| rest.clone());
                let id = self.intern_axis(scope, ident.name, &size);
                axes.push(Axis { id, size, from: ident.span });
            }
        }
        Value::Tensor(self.push(ExprKind::Reshape(x), Type { axes, ..ty }, span))
    }

    /// `join[head, e -> d](x)`: the axes come together where the first one stands.
    pub(super) fn join(&mut self, scope: &mut Scope<'a>, call: PrimitiveCall<'_, 'a>) -> Value<'a> {
        let PrimitiveCall { f, args, span } = call;
        let Some(x) = self.first_tensor(args) else { return Value::Error };
        let ty = self.ty(x).clone();
        let Some((from, to)) = self.arrow(f, span) else { return Value::Error };
        let Some(joined) = self.axes_of(scope, from, &ty) else { return Value::Error };
        let [Ix::Value(ast::Expr { kind: ast::ExprKind::Name(symbol), span: name_span })] = to else {
            return self.fail(name::axis_expected(to.first().map_or(f.span, Ix::span), &[]));
        };
        let Some(size) = product(&joined) else { return self.fail(shape::overflow(span)) };
        let id = self.intern_axis(scope, *symbol, &size);
        let is_joined = |axis: &Axis| joined.iter().any(|other| other.id == axis.id);
        // No axis joins to one of size 1, at the end.
        let first = ty.axes.iter().position(is_joined).unwrap_or(ty.axes.len());
        let before = ty.axes[..first].iter().cloned();
        let after = ty.axes[first..].iter().filter(|axis| !is_joined(axis)).cloned();
        let ordered: Vec<Axis> = before.clone().chain(joined.iter().cloned()).chain(after.clone()).collect();
        let whole = Axis { id, size, from: *name_span };
        let axes: Vec<Axis> = before.chain([whole]).chain(after).collect();
        let adjacent = self.push(ExprKind::Order(x), Type { axes: ordered, ..ty.clone() }, span);
        Value::Tensor(self.push(ExprKind::Reshape(adjacent), Type { axes, ..ty }, span))
    }

    /// `order[a, b, ..](x)`
    pub(super) fn order(&mut self, scope: &mut Scope<'a>, call: PrimitiveCall<'_, 'a>) -> Value<'a> {
        let PrimitiveCall { f, args, span } = call;
        let Some(x) = self.first_tensor(args) else { return Value::Error };
        let ty = self.ty(x).clone();
        let Some(brackets) = f.brackets else {
            let all: Vec<String> = ty.axes.iter().map(|axis| self.axes.show(axis.id)).collect();
            return self.fail(name::brackets_expected(f.span, None, &[all.join(", ")]));
        };
        let Some(axes) = self.axes_of(scope, &brackets.from, &ty) else { return Value::Error };
        if axes.len() != ty.axes.len() {
            let is_named = |axis: &Axis| axes.iter().any(|named| named.id == axis.id);
            let missing = ty.axes.iter().filter(|axis| !is_named(axis)).map(|axis| self.axes.show(axis.id));
            let missing: Vec<String> = missing.collect();
            let first = brackets.from.first().map_or(brackets.span, Ix::span);
            return self.fail(shape::order_names_all(&self.show_type(&ty), brackets.span, &missing, first));
        }
        Value::Tensor(self.push(ExprKind::Order(x), Type { axes, ..ty }, span))
    }

    /// `expand[a](x)`
    pub(super) fn expand(&mut self, scope: &mut Scope<'a>, call: PrimitiveCall<'_, 'a>) -> Value<'a> {
        let PrimitiveCall { f, args, span } = call;
        let Some(x) = self.first_tensor(args) else { return Value::Error };
        let ty = self.ty(x).clone();
        let Some(new) = self.written_axes(scope, f.brackets, span) else { return Value::Error };
        let mut axes = ty.axes.clone();
        axes.extend(new);
        self.expanded(x, Type { axes, ..ty }, span)
    }

    fn expanded(&mut self, x: ExprId, ty: Type, span: Span) -> Value<'a> {
        if let Some(axis) = self.repeated(&ty.axes) {
            let renamed = self.renamed_in(&ty.axes, &axis, span);
            return self.fail(shape::duplicate_axis(&axis, "`expand`".into(), span, renamed));
        }
        Value::Tensor(self.push(ExprKind::Expand(x), ty, span))
    }

    /// `concat[f](a, b)`: a part that lacks the axis counts as size 1.
    pub(super) fn concat(&mut self, scope: &mut Scope<'a>, call: PrimitiveCall<'_, 'a>) -> Value<'a> {
        let PrimitiveCall { f, args, span } = call;
        let mut parts = Vec::new();
        for arg in args {
            let Some(x) = self.tensor(arg.value, arg.span) else { return Value::Error };
            parts.push((x, arg.span));
        }
        let common = parts.first().map_or(Vec::new(), |(part, _)| self.ty(*part).axes.clone());
        let Some(ast::Brackets { from: along, to: None, .. }) = f.brackets else {
            return self.fail(self.no_axis(f, &common));
        };
        let [Ix::Value(ast::Expr { kind: ast::ExprKind::Name(symbol), span: name_span })] = &along[..] else {
            return self.fail(self.no_axis(f, &common));
        };
        // Places of one axis stay such; all else are numbers.
        let kind = match parts.first().map(|(part, _)| self.ty(*part).kind) {
            Some(Kind::Index(axis)) if parts.iter().all(|(part, _)| self.counts(*part, axis)) => Kind::Index(axis),
            _ => {
                let ids: Vec<ExprId> = parts.iter().map(|(part, span)| self.to_float(*part, *span)).collect();
                let alike = self.alike(&ids);
                parts = alike.into_iter().zip(parts).map(|(part, (_, span))| (part, span)).collect();
                Kind::Plain
            }
        };
        let in_parts = parts
            .iter()
            .flat_map(|(part, _)| &self.ty(*part).axes)
            .find(|axis| self.axes.name(axis.id) == Some(*symbol));
        let known = scope.axes.get(symbol).copied().or(in_parts.map(|axis| axis.id));
        let id = match known {
            Some(id) => id,
            None => self.intern_axis(scope, *symbol, &Dim::ONE),
        };
        let mut total = Dim::ZERO;
        let mut whole = Vec::new();
        let mut rest: Option<Type> = None;
        let Some(widest) = self.widest(&parts, id) else {
            let sides = self.apart(&parts, id);
            return self.fail(shape::concat_differs(symbol.as_str(), sides));
        };
        for (part, part_span) in parts {
            let mut ty = self.ty(part).clone();
            let n_own = ty.axes.len();
            if self.find_axis(&ty.axes, id).is_none() {
                ty.axes.push(Axis { id, size: Dim::ONE, from: part_span });
            }
            let lacks = |axis: &&Axis| self.find_axis(&ty.axes, axis.id).is_none();
            let repeated: Vec<Axis> = widest.iter().filter(lacks).cloned().collect();
            ty.axes.extend(repeated);
            let part = match ty.axes.len() == n_own {
                true => part,
                false => self.push(ExprKind::Expand(part), ty.clone(), part_span),
            };
            let Some(size) = self.find_axis(&ty.axes, id).and_then(|axis| total.add(&axis.size).ok()) else {
                return self.fail(shape::overflow(span));
            };
            total = size;
            let others: Vec<Axis> = ty.axes.iter().filter(|axis| !self.same_axis(axis.id, id)).cloned().collect();
            match &rest {
                None => rest = Some(ty),
                Some(first) => {
                    let first = first.clone();
                    for axis in &others {
                        let known = self.find_axis(&first.axes, axis.id).expect("it was found above").clone();
                        if !self.same_size(&known, axis, &first, &ty, span) {
                            return Value::Error;
                        }
                    }
                }
            }
            whole.push(part);
        }
        let Some(mut ty) = rest else { return Value::Error };
        for axis in &mut ty.axes {
            if self.axes.find(axis.id) == self.axes.find(id) {
                *axis = Axis { id, size: total.clone(), from: *name_span };
            }
        }
        ty.kind = kind;
        Value::Tensor(self.push(ExprKind::Concat(id, whole), ty, span))
    }

    /// The axes of a part of a concat but for the one that is joined along.
    fn other_axes(&self, part: ExprId, along: AxisId) -> Vec<Axis> {
        self.ty(part).axes.iter().filter(|axis| !self.same_axis(axis.id, along)).cloned().collect()
    }

    /// The other axes of the part that has those of all: the parts are repeated along what they lack. None where no
    /// part has.
    fn widest(&self, parts: &[(ExprId, Span)], along: AxisId) -> Option<Vec<Axis>> {
        let holds_all = |axes: &Vec<Axis>| {
            let within = |axis: &Axis| self.find_axis(axes, axis.id).is_some();
            parts.iter().all(|(part, _)| self.other_axes(*part, along).iter().all(within))
        };
        parts.iter().map(|(part, _)| self.other_axes(*part, along)).find(holds_all)
    }

    /// The first two parts that each have an axis which the other lacks.
    fn apart(&self, parts: &[(ExprId, Span)], along: AxisId) -> shape::Sides {
        let only = |mine: ExprId, other: ExprId| -> Vec<String> {
            let theirs = self.other_axes(other, along);
            let missing = |axis: &&Axis| self.find_axis(&theirs, axis.id).is_none();
            self.other_axes(mine, along).iter().filter(missing).map(|axis| self.axes.show(axis.id)).collect()
        };
        let side = |(part, span): (ExprId, Span)| (self.show_type(self.ty(part)), span);
        let pairs = (0..parts.len()).flat_map(|a| (a + 1..parts.len()).map(move |b| (parts[a], parts[b])));
        let sides = pairs.map(|(left, right)| shape::Sides {
            left: side(left),
            right: side(right),
            only_left: only(left.0, right.0),
            only_right: only(right.0, left.0),
        });
        let apart = |sides: &shape::Sides| !sides.only_left.is_empty() && !sides.only_right.is_empty();
        sides.into_iter().find(apart).unwrap_or_else(|| bug!("the parts of a concat do not differ"))
    }

    /// Whether a tensor says places of an axis.
    fn counts(&self, x: ExprId, axis: AxisId) -> bool {
        matches!(self.ty(x).kind, Kind::Index(own) if self.same_axis(own, axis))
    }

    /// `unstack[k](x)`: a list of what stands at each position.
    pub(super) fn unstack(&mut self, scope: &mut Scope<'a>, call: PrimitiveCall<'_, 'a>) -> Value<'a> {
        let PrimitiveCall { f, args, span } = call;
        let Some(x) = self.first_tensor(args) else { return Value::Error };
        let ty = self.ty(x).clone();
        let Some(ast::Brackets { from, to: None, .. }) = f.brackets else {
            return self.fail(self.no_axis(f, &ty.axes));
        };
        let [along] = &from[..] else { return self.fail(self.no_axis(f, &ty.axes)) };
        let Some(axis) = self.axis_of(scope, along, &ty) else { return Value::Error };
        let Some(count) = self.sizes.resolve(&axis.size).as_const() else {
            let name = self.axes.show(axis.id);
            let declared = self.unsized_axis(span, &name).zip(self.bound_by(span));
            return self.fail(shape::unstack_needs_size(&name, span, declared));
        };
        Value::List((0..count).map(|at| self.select(x, &axis, Dim::constant(at), span)).collect())
    }

    fn select(&mut self, x: ExprId, axis: &Axis, at: Dim, span: Span) -> Value<'a> {
        let ty = self.ty(x).clone();
        let axes = ty.axes.iter().filter(|other| other.id != axis.id).cloned().collect();
        Value::Tensor(self.push(ExprKind::Select { x, axis: axis.id, at }, Type { axes, ..ty }, span))
    }

    // ---- x[t = 0], x[t = 1..], wte[vocab = ids]

    /// Brackets after an expression: of a function its axes, of a tensor places to read.
    pub(super) fn index(
        &mut self,
        scope: &mut Scope<'a>,
        base: &'a ast::Expr,
        brackets: &'a ast::Brackets,
        span: Span,
    ) -> Value<'a> {
        let mut value = match self.expr(scope, base) {
            Value::Function(function) => {
                return self.bracketed(scope, &function, brackets, span);
            }
            Value::Error => return Value::Error,
            other => other,
        };
        let (fills, places): (Vec<&'a Ix>, Vec<&'a Ix>) = brackets.from.iter().partition(|ix| is_fill(ix));
        let Ok(fill) = self.fill(scope, &fills) else { return Value::Error };
        let (windows, rest): (Vec<&'a Ix>, Vec<&'a Ix>) = places.into_iter().partition(|ix| self.is_window(scope, ix));
        let mut fills = !windows.is_empty();
        if !windows.is_empty() {
            value = self.window(scope, value, base.span, &windows, fill, brackets.span);
        }
        for ix in rest {
            value = match (ix, value) {
                (_, Value::Error) => return Value::Error,
                (Ix::Set(ident, at), value) => {
                    let Some(x) = self.tensor(value, base.span) else { return Value::Error };
                    let Some(axis) = self.axis_by_name(scope, *ident, &self.ty(x).clone()) else { return Value::Error };
                    if let Some(index) = self.places_by_hand(scope, at) {
                        fills = true;
                        let Some(index) = index else { return Value::Error };
                        self.read_at(scope, x, &axis, (index, at), fill, span)
                    } else {
                        match self.expr(scope, at) {
                            Value::Tensor(index) => {
                                fills = true;
                                self.read_at(scope, x, &axis, (index, at), fill, span)
                            }
                            place => self.index_one(x, &axis, place, at, span),
                        }
                    }
                }
                (other, value) => {
                    let first = match &value {
                        Value::Tensor(x) => self.ty(*x).axes.first(),
                        _ => None,
                    };
                    let first = first.map(|axis| self.axes.show(axis.id));
                    self.fail(name::index_form(other.span(), first.as_deref()))
                }
            };
        }
        match fill {
            Some(_) if !fills && !value.is_error() => {
                // With the comma before it.
                let at = brackets
                    .from
                    .iter()
                    .position(|ix| matches!(ix, Ix::Set(ident, _) if ident.name.as_str() == "fill"));
                let fill =
                    at.filter(|at| *at > 0).map(|at| brackets.from[at - 1].span().after().to(brackets.from[at].span()));
                self.fail(reading::fill_without_window(brackets.span, fill))
            }
            _ => value,
        }
    }

    /// A function with axes in brackets as a value: `zeros[.., out]` alone is already a tensor.
    fn bracketed(
        &mut self,
        scope: &mut Scope<'a>,
        f: &Function<'a>,
        brackets: &'a ast::Brackets,
        span: Span,
    ) -> Value<'a> {
        use crate::sema::primitive::Builtin;
        let with = Function { brackets: Some(brackets), span, ..f.clone() };
        match &f.callee {
            Callee::Builtin(Builtin::Filled(_) | Builtin::Random(_) | Builtin::Count) => {
                self.apply(scope, &with, Vec::new(), span)
            }
            _ => Value::Function(std::rc::Rc::new(Function { scope: Some(std::rc::Rc::new(scope.clone())), ..with })),
        }
    }

    /// A number or a range at an axis.
    fn index_one(&mut self, x: ExprId, axis: &Axis, place: Value<'a>, at: &'a ast::Expr, span: Span) -> Value<'a> {
        let literal_negative = |expr: &ast::Expr| matches!(expr.kind, ast::ExprKind::Unary(ast::UnaryOp::Neg, _));
        match place {
            Value::Int(position) => {
                // Only a literal negative counts from the end.
                let position = match literal_negative(at) {
                    true => axis.size.add(&position),
                    false => Ok(position),
                };
                let Ok(position) = position else { return self.fail(shape::overflow(at.span)) };
                if !self.in_range(&position, axis, false, at.span) {
                    return Value::Error;
                }
                self.select(x, axis, position, span)
            }
            Value::Range(from, to) => self.slice(x, axis, from, to, at, span),
            Value::Error => Value::Error,
            other => self.fail(told::expected("a position, a range or an index tensor", other.describe(), at.span)),
        }
    }

    fn slice(
        &mut self,
        x: ExprId,
        axis: &Axis,
        from: Option<Dim>,
        to: Option<Dim>,
        at: &ast::Expr,
        span: Span,
    ) -> Value<'a> {
        let ty = self.ty(x).clone();
        // `..-1` and `-3..` count from the end.
        let from_end = |dim: Dim| match dim.as_const() {
            Some(value) if value < 0 => axis.size.add(&dim),
            _ => Ok(dim),
        };
        let start = from_end(from.unwrap_or(Dim::ZERO));
        let end = to.map_or(Ok(axis.size.clone()), from_end);
        let (Ok(start), Ok(end)) = (start, end) else { return self.fail(shape::overflow(at.span)) };
        let (first, last) = match &at.kind {
            ast::ExprKind::Range(from, to) => {
                let place = |end: &Option<Box<ast::Expr>>| end.as_ref().map_or(at.span, |end| end.span);
                (place(from), place(to))
            }
            _ => (at.span, at.span),
        };
        if !self.in_range(&start, axis, true, first) || !self.in_range(&end, axis, true, last) {
            return Value::Error;
        }
        let Ok(size) = end.sub(&start) else { return self.fail(shape::overflow(at.span)) };
        let fact = Fact::AtMost(start.clone(), end);
        match self.sizes.judge(&fact) {
            Truth::Proved => {}
            Truth::Refuted => {
                let turned = self.turned(at.span);
                return self.fail(shape::negative_size(&self.sizes.show(&size), at.span, turned));
            }
            Truth::Open => {
                self.settle(vec![fact], at.span, |this| shape::slice_unproved(&this.sizes.show(&size), at.span))
            }
        }
        let mut axes = ty.axes.clone();
        for other in &mut axes {
            if other.id == axis.id {
                *other = Axis { id: axis.id, size: size.clone(), from: at.span };
            }
        }
        Value::Tensor(self.push(ExprKind::Slice { x, axis: axis.id, start }, Type { axes, ..ty }, span))
    }

    /// Whether a position lies within an axis; an end may be one behind the last. What nothing decides is asked of
    /// the signature, or left to the sizes of the run.
    pub(super) fn in_range(&mut self, position: &Dim, axis: &Axis, is_end: bool, span: Span) -> bool {
        let (at, size) = (self.sizes.resolve(position), self.sizes.resolve(&axis.size));
        let low = Fact::AtMost(Dim::ZERO, at.clone());
        let high = if is_end { Fact::AtMost(at, size) } else { Fact::Below(at, size) };
        let truths = [self.sizes.judge(&low), self.sizes.judge(&high)];
        if truths.contains(&Truth::Refuted) {
            let told = (self.sizes.show(position), self.sizes.show(&axis.size));
            let size = self.sizes.resolve(&axis.size);
            let last = if is_end { Ok(size.clone()) } else { size.sub(&Dim::ONE) };
            let nearest = match truths {
                // An axis without a place has no nearest one.
                _ if size.as_const().is_some_and(|size| size < 1) && !is_end => None,
                [Truth::Refuted, _] => Some("0".to_owned()),
                _ => last.ok().map(|last| self.sizes.show(&last)),
            };
            self.report(reading::out_of_range(&self.axes.show(axis.id), told, (nearest, is_end), span));
            return false;
        }
        let open: Vec<Fact> = [low, high]
            .into_iter()
            .zip(truths)
            .filter(|(_, truth)| *truth == Truth::Open)
            .map(|(fact, _)| fact)
            .collect();
        self.settle(open, span, |this| {
            let told = (this.sizes.show(position), this.sizes.show(&axis.size));
            shape::range_unproved(&this.axes.show(axis.id), told, span)
        });
        true
    }

    // ---- axes in brackets

    fn arrow(&mut self, f: &Function<'a>, span: Span) -> Option<(&'a [Ix], &'a [Ix])> {
        match f.brackets {
            Some(ast::Brackets { from, to: Some(to), .. }) => Some((from, to)),
            brackets => {
                let wanted = brackets.and_then(|brackets| self.behind_arrow(f, &brackets.from));
                self.report(name::arrow_expected(f.span.to(span), wanted));
                None
            }
        }
    }

    /// The axis of a tensor that an entry names.
    pub(super) fn axis_of(&mut self, scope: &mut Scope<'a>, ix: &'a Ix, ty: &Type) -> Option<Axis> {
        let id = self.axis_at(scope, ix, Some(ty))?;
        self.has_axis(id, ix.span(), ty)
    }

    fn has_axis(&mut self, id: AxisId, span: Span, ty: &Type) -> Option<Axis> {
        if let Some(axis) = self.find_axis(&ty.axes, id) {
            return Some(axis.clone());
        }
        let names: Vec<String> = ty.axes.iter().map(|axis| self.axes.show(axis.id)).collect();
        self.report(shape::lacks_axis_here(&self.axes.show(id), &self.show_type(ty), span, span, &names));
        None
    }

    pub(super) fn axis_by_name(&mut self, scope: &Scope<'a>, ident: ast::Ident, ty: &Type) -> Option<Axis> {
        let in_tensor = ty.axes.iter().find(|axis| self.axes.name(axis.id) == Some(ident.name));
        match (in_tensor, scope.axes.get(&ident.name)) {
            (Some(axis), _) => Some(axis.clone()),
            (None, Some(&id)) => self.has_axis(id, ident.span, ty),
            (None, None) => {
                let known: Vec<&str> =
                    ty.axes.iter().filter_map(|axis| self.axes.name(axis.id)).map(|name| name.as_str()).collect();
                self.report(name::unknown_axis(ident.name.as_str(), ident.span, &known));
                None
            }
        }
    }

    /// The axes that a list names; `..` is those of the row that the tensor has.
    pub(super) fn axes_of(&mut self, scope: &mut Scope<'a>, list: &'a [Ix], ty: &Type) -> Option<Vec<Axis>> {
        let mut axes: Vec<Axis> = Vec::new();
        for ix in list {
            match ix {
                Ix::Row(span) => {
                    let Some(row) = scope.row.clone() else {
                        self.report(self.no_row(*span, &axes_in(list), &ty.axes));
                        return None;
                    };
                    axes.extend(row.iter().filter_map(|axis| self.find_axis(&ty.axes, axis.id)).cloned());
                }
                _ => axes.push(self.axis_of(scope, ix, ty)?),
            }
        }
        Some(axes)
    }
}
