//! `generate`: a network applied place by place, each time to what it gave at the place before.
//!
//! A generator is a loop over places. Its network is elaborated once, on one place of the sequence: a tensor along it
//! has one there, and `pos` is the place at hand. What comes from places before is carried: `history[t -> s](x)`, which
//! over a whole sequence is `rename`, is a buffer here that each place writes itself into; a `scan` along the sequence
//! goes on from where it was, and so does `cumsum`. Whatever else looks along the sequence would see one place where
//! it expects them all, and is told (E0522).
//!
//! In: the call. Out: a `Scan` like any other, cut to the places that are new.

use std::sync::Arc;

use crate::base::Span;
use crate::diag::{name, shape, value as told};
use crate::ir::Dim;
use crate::ops::{ArgOp, Cmp, MapOp};
use crate::sema::dtype::DType;
use crate::sema::typed::{self, Axis, AxisId, ExprId, ExprKind, Fun, Kind, Type};
use crate::sema::value::{Function, Given, Scope, Value};

use super::builtin::PrimitiveCall;
use super::checker::{Checker, scalar_type};
use super::store::{ActiveScan, Stream};

/// The arguments of a generator.
struct Wanted<'a> {
    net: std::rc::Rc<Function<'a>>,
    prompt: ExprId,
    /// The axis of the sequence, as long as the prompt.
    axis: Axis,
    count: Dim,
    pick: Option<(std::rc::Rc<Function<'a>>, Span)>,
}

impl<'a> Checker<'a> {
    /// `generate[t](net, prompt, 200, pick = …)`: the words that follow a prompt, `index(vocab)[.., t: 200]`.
    pub(super) fn generate(&mut self, scope: &mut Scope<'a>, call: PrimitiveCall<'_, 'a>) -> Value<'a> {
        let span = call.span;
        if self.stream.is_some() {
            return self.fail(name::not_yet("a generator in a generator", span));
        }
        let Some(mut wanted) = self.wanted(scope, call) else { return Value::Error };
        let given = wanted.axis.clone();
        if self.axes.size(given.id) != given.size {
            // A part of a sequence is read by places of its own, since those of the axis are more.
            let axes = self.ty(wanted.prompt).axes.clone();
            let own = Axis { id: self.axes.add(self.axes.name(given.id), given.size.clone()), ..given.clone() };
            wanted.prompt = self.along_another(wanted.prompt, axes, given.id, own.id);
            wanted.axis = own;
        }
        let (Ok(total), Ok(before)) = (wanted.axis.size.add(&wanted.count), wanted.axis.size.sub(&Dim::ONE)) else {
            return self.fail(shape::overflow(span));
        };
        let Ok(steps) = total.sub(&Dim::ONE) else { return self.fail(shape::overflow(span)) };
        let symbol = self.axes.name(wanted.axis.id);
        let places = Axis { id: self.axes.add(symbol, steps.clone()), size: steps, from: span };
        let id = self.scan_count;
        self.scan_count += 1;
        let start = ExprId(self.exprs.len() as u32);
        let (rows, checks) = Default::default();
        self.scans.push(ActiveScan { id, axis: places.clone(), start: start.0 as usize, rows, checks });
        let next = self.word(scope, &wanted, &places, id, total, span);
        let checks = self.scans.pop().map_or_else(Vec::new, |active| active.checks);
        let kept = self.stream.take().map_or_else(Vec::new, |stream| stream.kept);
        let Some(next) = next else { return Value::Error };

        let extremes = checks.iter().flat_map(|check| [check.least, check.most]);
        let rows = [next].into_iter().chain(extremes).collect();
        let made = Arc::new(typed::Scan { id, start, reversed: false, carries: kept, rows });
        self.check_outside(checks, &made, 1, &places);
        let mut ty = self.ty(next).clone();
        ty.axes.insert(0, places.clone());
        let scan = ExprKind::Scan { scan: made, row: 0, axis: places.id, count: places.size.clone() };
        let all = self.push(scan, ty.clone(), span);
        // What was made of the prompt but for its last word is no news.
        ty.axes[0] = Axis { size: wanted.count.clone(), ..places.clone() };
        let new = self.push(ExprKind::Slice { x: all, axis: places.id, start: before }, ty.clone(), span);
        ty.axes[0] = Axis { id: wanted.axis.id, size: wanted.count, from: span };
        let new = self.push(ExprKind::Relabel(new), ty.clone(), span);
        ty.axes = self.ty(wanted.prompt).axes.clone();
        for axis in ty.axes.iter_mut().filter(|axis| axis.id == wanted.axis.id) {
            axis.size = self.ty(new).axes[0].size.clone();
        }
        let axes = ty.axes.clone();
        let all = self.push(ExprKind::Order(new), ty, span);
        Value::Tensor(self.along_another(all, axes, wanted.axis.id, given.id))
    }

    /// A tensor that has one axis under another identity.
    fn along_another(&mut self, x: ExprId, mut axes: Vec<Axis>, from: AxisId, to: AxisId) -> ExprId {
        if from == to {
            return x;
        }
        axes.iter_mut().filter(|axis| axis.id == from).for_each(|axis| axis.id = to);
        let span = self.exprs[x.0 as usize].span;
        let ty = Type { axes, ..self.ty(x).clone() };
        self.push(ExprKind::Relabel(x), ty, span)
    }

    fn wanted(&mut self, scope: &mut Scope<'a>, call: PrimitiveCall<'_, 'a>) -> Option<Wanted<'a>> {
        let PrimitiveCall { f, args, span } = call;
        let (mut in_order, mut pick) = (Vec::new(), None);
        for given in args {
            match given.name {
                None => in_order.push(given),
                Some(ident) if ident.name.as_str() == "pick" => pick = Some(given),
                Some(ident) => {
                    let told = name::unknown_argument("generate".into(), ident, &["pick"]);
                    let before = in_order.last().map(|before: &Given<'a>| before.span);
                    self.report(name::leave_out(told, before, given.span));
                    return None;
                }
            }
        }
        let (n_given, last) = (in_order.len(), in_order.last().map(|given| given.span));
        let Ok([net, prompt, count]) = <[Given<'a>; 3]>::try_from(in_order) else {
            let told = told::primitive_arguments("generate", (3, 3), n_given, f.span.to(span));
            self.report(match (n_given, last) {
                (2, Some(last)) => told::how_many(told, last),
                _ => told,
            });
            return None;
        };
        let net = self.wanted_function(net, "a layer")?.0;
        let pick = match pick {
            Some(pick) => Some(self.wanted_function(pick, "a function of the scores of a place")?),
            None => None,
        };
        let prompt_span = prompt.span;
        let prompt = self.tensor(prompt.value, prompt_span)?;
        let ty = self.ty(prompt).clone();
        if !matches!(ty.kind, Kind::Index(_)) {
            self.report(told::expected("an `index(vocab)[batch, t]`", &self.show_type(&ty), prompt_span));
            return None;
        }
        let brackets = f.brackets.filter(|brackets| brackets.to.is_none() && brackets.from.len() == 1);
        let Some(brackets) = brackets else {
            self.needs_one_axis(f, &ty, span);
            return None;
        };
        let axis = self.axis_of(scope, &brackets.from[0], &ty)?;
        let count = match count.value {
            Value::Int(count) => count,
            Value::Error => return None,
            other => {
                let told = told::expected("a whole number", other.describe(), count.span);
                self.report(self.no_whole(told, &other, count.span));
                return None;
            }
        };
        Some(Wanted { net, prompt, axis, count, pick })
    }

    fn wanted_function(&mut self, given: Given<'a>, what: &str) -> Option<(std::rc::Rc<Function<'a>>, Span)> {
        match given.value {
            Value::Function(function) => Some((function, given.span)),
            Value::Error => None,
            other => {
                self.report(told::expected(what, other.describe(), given.span));
                None
            }
        }
    }

    /// The block of the loop: the word at the place at hand through the network, and the word that follows.
    fn word(
        &mut self,
        scope: &mut Scope<'a>,
        wanted: &Wanted<'a>,
        places: &Axis,
        scan: u32,
        size: Dim,
        span: Span,
    ) -> Option<ExprId> {
        let ty = Type { dtype: DType::I32, kind: Kind::Index(places.id), axes: vec![places.clone()] };
        let now = self.push(ExprKind::Pos, ty, span);
        let now = self.own_row(now);
        let prompt_ty = self.ty(wanted.prompt).clone();
        let Kind::Index(words) = prompt_ty.kind else { return None };
        let own: Vec<Axis> = prompt_ty.axes.iter().filter(|axis| axis.id != wanted.axis.id).cloned().collect();
        let ty = Type { axes: own, ..prompt_ty.clone() };
        let zero = self.push(ExprKind::Const(0.0), scalar_type(DType::I32), span);
        let first = self.push(ExprKind::Expand(zero), ty.clone(), span);
        let last = self.push(ExprKind::Carry { scan, at: 0 }, ty.clone(), span);

        // The prompt as far as it goes.
        let Value::Tensor(given) = self.read_or_fill(wanted.prompt, &wanted.axis, (now, span), 0.0, span) else {
            return None;
        };
        let n = self.tensor(Value::Int(wanted.axis.size.clone()), span)?;
        let (here, n) = (self.to_float(now, span), self.to_float(n, span));
        let is_given = self.map(Fun::Map(MapOp::Cmp(Cmp::Lt)), vec![here, n], Vec::new(), DType::Bool, span);
        let select = Fun::Map(MapOp::Select);
        let word = self.map(select, vec![is_given, given, last], ty.axes.clone(), DType::I32, span);
        let one = Axis { id: self.axes.add(self.axes.name(wanted.axis.id), Dim::ONE), size: Dim::ONE, from: span };
        let along = |axis: &Axis| if axis.id == wanted.axis.id { one.clone() } else { axis.clone() };
        let axes = prompt_ty.axes.iter().map(along).collect();
        let word = self.push(ExprKind::Expand(word), Type { axes, ..prompt_ty }, span);

        let axes = std::iter::once(one.id).collect();
        self.stream = Some(Stream { axis: one.id, axes, now, size, scan, kept: vec![(first, last)], inside: false });
        let input = Given { name: None, value: Value::Tensor(word), span };
        let scores = self.apply_made(scope, &wanted.net, vec![input], span);
        let scores = self.at_this_place(scores, one.id, span)?;
        let picked = match &wanted.pick {
            Some((pick, pick_span)) => {
                let given = Given { name: None, value: scores, span: *pick_span };
                self.apply_made(scope, pick, vec![given], *pick_span)
            }
            None => {
                if let Value::Record(fields) = &scores {
                    let has = |value: &Value<'a>| match value {
                        Value::Tensor(id) => self.find_axis(&self.ty(*id).axes, words).is_some(),
                        _ => false,
                    };
                    let scored = fields.iter().find(|(_, value)| has(value)).map(|(field, _)| *field);
                    let told = told::expected("a tensor or a number", scores.describe(), span);
                    self.report(match scored {
                        Some(field) => {
                            crate::diag::offer::scores_of_record(told, span.inner_end(), &self.axes.show(words), field)
                        }
                        None => told,
                    });
                    return None;
                }
                let scores = self.tensor(scores, span)?;
                let scores_ty = self.ty(scores).clone();
                let Some(axis) = self.find_axis(&scores_ty.axes, words).cloned() else {
                    let told = (self.axes.show(words), self.show_type(&scores_ty));
                    self.report(shape::generates_no_scores(&told.0, &told.1, span));
                    return None;
                };
                let axes = scores_ty.axes.iter().filter(|other| other.id != axis.id).cloned().collect();
                let kind = Type { dtype: DType::I32, kind: Kind::Index(axis.id), axes };
                Value::Tensor(self.push(ExprKind::ArgReduce(ArgOp::Max, axis.id, scores), kind, span))
            }
        };
        let picked_span = wanted.pick.as_ref().map_or(span, |(_, span)| *span);
        let picked = self.tensor(picked, picked_span)?;
        let next = self.as_carry("word".into(), picked, &ty, picked_span)?;
        self.stream.as_mut()?.kept[0].1 = next;
        Some(next)
    }

    /// The tensors of a value at the one place of the sequence.
    fn at_this_place(&mut self, value: Value<'a>, axis: AxisId, span: Span) -> Option<Value<'a>> {
        Some(match value {
            Value::Error => return None,
            Value::Record(fields) => {
                let fields =
                    fields.into_iter().map(|(name, value)| Some((name, self.at_this_place(value, axis, span)?)));
                Value::Record(fields.collect::<Option<_>>()?)
            }
            Value::Tensor(id) => Value::Tensor(self.this_row(id, axis, span)),
            other => other,
        })
    }

    /// A tensor at the place at hand; one that is not along the sequence is the same everywhere.
    fn this_row(&mut self, x: ExprId, axis: AxisId, span: Span) -> ExprId {
        let mut ty = self.ty(x).clone();
        let Some(at) = ty.axes.iter().position(|other| self.same_axis(other.id, axis)) else { return x };
        let axis = ty.axes.remove(at).id;
        self.along(|this| this.push(ExprKind::Select { x, axis, at: Dim::ZERO }, ty, span))
    }

    /// Builds what may look along the sequence.
    fn along<T>(&mut self, build: impl FnOnce(&mut Self) -> T) -> T {
        let was = self.stream.as_mut().map(|stream| std::mem::replace(&mut stream.inside, true));
        let built = build(self);
        if let (Some(stream), Some(was)) = (&mut self.stream, was) {
            stream.inside = was;
        }
        built
    }

    // ---- what a network may do on its way

    /// Whether an axis is that of the sequence which is being generated.
    pub(super) fn is_streamed(&self, axis: AxisId) -> bool {
        self.stream.as_ref().is_some_and(|stream| stream.axes.contains(&self.axes.find(axis)))
    }

    /// The place at hand as positions along the sequence.
    pub(super) fn place_at_hand(&mut self, axis: &Axis, span: Span) -> Option<ExprId> {
        let now = self.stream.as_ref()?.now;
        let ty = Type { dtype: DType::I32, kind: Kind::Index(axis.id), axes: vec![axis.clone()] };
        Some(self.push(ExprKind::Expand(now), ty, span))
    }

    /// What a place keeps for the next: its value so far, and the number that `keep_for_next` changes it by.
    pub(super) fn carried(&mut self, first: ExprId, span: Span) -> Option<(ExprId, usize)> {
        let ty = self.ty(first).clone();
        let stream = self.stream.as_ref()?;
        let (scan, at) = (stream.scan, stream.kept.len());
        let old = self.push(ExprKind::Carry { scan, at }, ty, span);
        self.stream.as_mut()?.kept.push((first, old));
        Some((old, at))
    }

    /// Changes what is carried.
    pub(super) fn keep_for_next(&mut self, at: usize, new: ExprId) {
        if let Some(stream) = &mut self.stream {
            stream.kept[at].1 = new;
        }
    }

    /// `history[t -> s](x)`: over a whole sequence `rename`; in a generator all places so far, in a buffer.
    pub(super) fn history(&mut self, scope: &mut Scope<'a>, call: PrimitiveCall<'_, 'a>) -> Value<'a> {
        let PrimitiveCall { f, args, span } = call;
        let renamed = self.rename(scope, PrimitiveCall { f, args: args.clone(), span });
        let Value::Tensor(renamed) = renamed else { return renamed };
        let Some(x) = self.first_tensor(args) else { return Value::Error };
        let (from, to) = (self.ty(x).clone(), self.ty(renamed).clone());
        let streamed = from.axes.iter().position(|axis| self.is_streamed(axis.id));
        let Some(at) = streamed.filter(|&at| from.axes[at].id != to.axes[at].id) else {
            return Value::Tensor(renamed);
        };
        let Some(stream) = &mut self.stream else { return Value::Error };
        // It was taken for another name of the sequence; it is an axis of its own, as long as all of it.
        stream.axes.remove(&to.axes[at].id);
        let (now, size) = (stream.now, stream.size.clone());
        let mut ty = to;
        self.axes.resize(ty.axes[at].id, size.clone());
        ty.axes[at].size = size;
        let axis = ty.axes[at].clone();
        let zero = self.push(ExprKind::Const(0.0), scalar_type(ty.dtype), span);
        let first = self.push(ExprKind::Expand(zero), ty.clone(), span);
        let Some((old, kept)) = self.carried(first, span) else { return Value::Error };
        let row = self.this_row(x, from.axes[at].id, span);
        let kind = Type { dtype: DType::I32, kind: Kind::Index(axis.id), axes: vec![axis.clone()] };
        let places = self.push(ExprKind::Pos, kind, span);
        let is_here = self.map(Fun::Map(MapOp::Cmp(Cmp::Eq)), vec![places, now], vec![axis], DType::Bool, span);
        let select = Fun::Map(MapOp::Select);
        let new = self.map(select, vec![is_here, row, old], ty.axes.clone(), ty.dtype, span);
        self.exprs[new.0 as usize].ty.kind = ty.kind;
        self.keep_for_next(kept, new);
        Value::Tensor(new)
    }

    /// `cumsum[t](x)` in a generator: the sum so far.
    pub(super) fn running_sum(&mut self, x: ExprId, axis: AxisId, span: Span) -> Option<ExprId> {
        let row = self.this_row(x, axis, span);
        let row_ty = self.ty(row).clone();
        let zero = self.number(0.0, DType::F32, span);
        let first = self.push(ExprKind::Expand(zero), row_ty.clone(), span);
        let (old, kept) = self.carried(first, span)?;
        let sum = self.map(Fun::Map(MapOp::Add), vec![old, row], row_ty.axes, DType::F32, span);
        self.keep_for_next(kept, sum);
        let ty = self.ty(x).clone();
        Some(self.push(ExprKind::Expand(sum), Type { kind: Kind::Plain, ..ty }, span))
    }

    /// What a loop of one place leaves for the next: its carries, which it gives among its rows from `row` on.
    pub(super) fn gone_on(&mut self, scan: &Arc<typed::Scan>, row: usize, kept: &[usize], axis: &Axis, span: Span) {
        for (number, at) in kept.iter().enumerate() {
            let mut ty = self.ty(scan.rows[row + number]).clone();
            ty.axes.insert(0, axis.clone());
            let kind = ExprKind::Scan { scan: scan.clone(), row: row + number, axis: axis.id, count: Dim::ONE };
            let stacked = self.push(kind, ty, span);
            let last = self.this_row(stacked, axis.id, span);
            self.keep_for_next(*at, last);
        }
    }

    /// Tells that something looks along the sequence.
    pub(super) fn sees_along(&mut self, span: Span) {
        let Some(stream) = &self.stream else { return };
        let axis = self.axes.show(stream.axis);
        let along = self.reduced_along(span, &axis);
        let told = shape::sees_along(&axis, self.user_span(span), along);
        self.report(told);
    }

    /// Keeps count of what stands for the sequence, and tells what would see one place for all.
    pub(super) fn watch_stream(&mut self, kind: &ExprKind, ty: &Type, span: Span) {
        let Some(stream) = &self.stream else { return };
        if let ExprKind::Relabel(x) = kind {
            let pairs = self.ty(*x).axes.iter().zip(&ty.axes);
            let new: Vec<AxisId> = pairs.filter(|(old, _)| self.is_streamed(old.id)).map(|(_, new)| new.id).collect();
            let new: Vec<AxisId> = new.into_iter().map(|id| self.axes.find(id)).collect();
            if let Some(stream) = &mut self.stream {
                stream.axes.extend(new);
            }
            return;
        }
        if stream.inside {
            return;
        }
        let mut seen = false;
        match kind {
            ExprKind::Scan { .. } | ExprKind::Row { .. } => {}
            ExprKind::Reshape(x) => {
                let gone = |axis: &Axis| self.is_streamed(axis.id) && self.find_axis(&ty.axes, axis.id).is_none();
                seen = self.ty(*x).axes.iter().any(gone);
            }
            kind => kind.clone().for_each_axis(|axis| seen |= self.is_streamed(*axis)),
        }
        if seen {
            self.sees_along(span);
        }
    }
}
