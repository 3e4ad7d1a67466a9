//! Windows: `x[h = 2 * pos(h: n) + pos(k) - 1, fill = 0]` reads along axes by affine relations.
//!
//! In: the entries of brackets that are affine in `pos`, and the value of `fill`. Out: one `Window` expression, each axis read
//! by `m·i = a·o + d·k + b`. Without `fill` every place that is read must be proved to be inside. An index that
//! is a tensor, or rounds, is a gather and stands in `gather`.

use crate::base::{Span, Symbol};
use crate::diag::{name, reading, shape, value as told};
use crate::ir::{Dim, SizeOverflow};
use crate::ops::MapOp;
use crate::sema::dtype::DType;
use crate::sema::typed::{Along, Axis, AxisId, ExprId, ExprKind, Fun, Kind, Tap, Type};
use crate::sema::value::{AxisArg, Scope, Value};
use crate::syntax::ast::{self, BinaryOp, ExprKind as Ast, Ix, UnaryOp};

use super::checker::Checker;

/// `(sum of factor · pos(axis) + offset) / over`
struct Affine {
    /// Each axis once.
    terms: Vec<(Axis, i64)>,
    offset: Dim,
    /// At least 1.
    over: i64,
}

/// An entry as written: the axis that is read, and where.
struct Entry {
    axis: Axis,
    affine: Affine,
    span: Span,
}

/// One relation with the axes it makes.
struct Relation {
    along: Along,
    out: Axis,
    /// The axis of the tap, new or shared.
    tap: Option<Axis>,
    span: Span,
}

impl<'a> Checker<'a> {
    /// Whether an entry of brackets after a tensor is a relation of positions; one that rounds is none.
    pub(super) fn is_window(&self, scope: &Scope<'a>, ix: &Ix) -> bool {
        match ix {
            Ix::Set(_, at) => {
                self.computes_with_pos(scope, at) && !self.rounds(scope, at) && !self.of_place_at_hand(scope, at)
            }
            Ix::Row(_) | Ix::Value(_) | Ix::Axis(..) => false,
        }
    }

    /// A tensor read by the relations of these entries.
    pub(super) fn window(
        &mut self,
        scope: &mut Scope<'a>,
        value: Value<'a>,
        base: Span,
        entries: &[&'a Ix],
        fill: Option<f64>,
        brackets: Span,
    ) -> Value<'a> {
        let Some(mut x) = self.tensor(value, base) else { return Value::Error };
        let ty = self.ty(x).clone();
        let mut pending: Vec<Entry> = Vec::new();
        for ix in entries {
            let Ix::Set(ident, at) = ix else { continue };
            let Some(axis) = self.axis_by_name(scope, *ident, &ty) else { return Value::Error };
            let Some(affine) = self.affine(scope, at) else { return Value::Error };
            if let Some(first) = pending.iter().find(|entry| entry.axis.id == axis.id) {
                let told = name::argument_twice(ident.name, at.span, first.span);
                let before = pending.last().map(|entry| entry.span);
                return self.fail(name::leave_out(told, before, at.span));
            }
            pending.push(Entry { axis, affine, span: at.span });
        }
        let span = base.to(brackets);
        if !can_hold(&ty, fill) {
            x = self.computed(x, span);
        }
        while !pending.is_empty() {
            let (now, later) = self.independent(pending);
            if let Some(first) = later.first().filter(|_| now.is_empty()) {
                let between = match entries {
                    [Ix::Set(_, before), Ix::Set(next, _)] => {
                        let fill = fill.map_or(String::new(), |fill| format!(", fill = {fill}"));
                        Some((Span { end: next.span.start, ..before.span.after() }, format!("{fill}][")))
                    }
                    _ => None,
                };
                return self.fail(reading::window_circle(first.span, between));
            }
            let Some(read) = self.window_step(x, now, fill, brackets, span) else { return Value::Error };
            x = read;
            pending = later;
        }
        Value::Tensor(x)
    }

    /// The entries that one window can read, and the others. Positions are those of the result, so what reads at
    /// an axis that another entry makes or changes comes after it.
    fn independent(&self, pending: Vec<Entry>) -> (Vec<Entry>, Vec<Entry>) {
        let sources: Vec<AxisId> = pending.iter().map(|entry| entry.axis.id).collect();
        let mut made: Vec<AxisId> = Vec::new();
        let mut waits = |entry: &Entry| {
            let own = |id: AxisId| self.same_axis(id, entry.axis.id);
            let others = || entry.affine.terms.iter().map(|(axis, _)| axis.id).filter(|&id| !own(id));
            let known = |id: AxisId| sources.iter().chain(&made).any(|&other| self.same_axis(other, id));
            let waits = others().any(known);
            if !waits {
                made.extend(others());
            }
            waits
        };
        pending.into_iter().partition(|entry| !waits(entry))
    }

    /// One window of these entries.
    fn window_step(
        &mut self,
        x: ExprId,
        entries: Vec<Entry>,
        fill: Option<f64>,
        brackets: Span,
        span: Span,
    ) -> Option<ExprId> {
        let ty = self.ty(x).clone();
        let mut relations = Vec::new();
        for entry in entries {
            let relation = self.relation(&ty, entry)?;
            if fill.is_none() && !self.stays_inside(&relation, &ty, brackets) {
                return None;
            }
            relations.push(relation);
        }
        let mut axes = Vec::new();
        let mut along = Vec::new();
        for axis in &ty.axes {
            match relations.iter().position(|relation| relation.along.axis == axis.id) {
                Some(at) => {
                    let relation = relations.swap_remove(at);
                    axes.push(relation.out);
                    axes.extend(relation.tap.filter(|_| relation.along.tap == Tap::New));
                    along.push(relation.along);
                }
                None => axes.push(axis.clone()),
            }
        }
        if let Some(axis) = self.repeated(&axes) {
            let renamed = self.renamed_in(&axes, &axis, brackets);
            self.report(shape::duplicate_axis(&axis, "this window".into(), span, renamed));
            return None;
        }
        // Only 0 is known to be below the size of every axis.
        let counts = matches!(ty.kind, Kind::Index(_)) && fill.is_some_and(|fill| fill != 0.0);
        let kind = if counts { Kind::Plain } else { ty.kind };
        let window = ExprKind::Window { x, along, fill: fill.unwrap_or(0.0) };
        Some(self.push(window, Type { axes, kind, ..ty }, span))
    }

    // ---- what is written

    /// Whether an expression is arithmetic on positions: `2 * pos(h: n) - 1`.
    pub(super) fn computes_with_pos(&self, scope: &Scope<'a>, expr: &ast::Expr) -> bool {
        match &expr.kind {
            Ast::Call(callee, _) => is_pos(scope, callee),
            Ast::Unary(UnaryOp::Neg, x) => self.computes_with_pos(scope, x),
            Ast::Chain(first, rest) => {
                let arithmetic = |op: &BinaryOp| {
                    use BinaryOp::{Add, Div, FloorDiv, Mod, Mul, Pow, Sub};
                    matches!(op, Add | Sub | Mul | Div | FloorDiv | Mod | Pow)
                };
                rest.iter().all(|(op, ..)| arithmetic(op))
                    && (self.computes_with_pos(scope, first)
                        || rest.iter().any(|(_, _, x)| self.computes_with_pos(scope, x)))
            }
            _ => false,
        }
    }

    /// A relation of positions one of which is that of a generator, as the places themselves: positions of different axes
    /// join, as in a window. None where there is no such position.
    pub(super) fn places_by_hand(&mut self, scope: &mut Scope<'a>, at: &'a ast::Expr) -> Option<Option<ExprId>> {
        if !self.computes_with_pos(scope, at) || self.rounds(scope, at) || !self.of_place_at_hand(scope, at) {
            return None;
        }
        Some(self.affine(scope, at).and_then(|affine| self.places(affine, at.span)))
    }

    fn places(&mut self, affine: Affine, span: Span) -> Option<ExprId> {
        if affine.over != 1 {
            self.report(reading::window_form("/", span));
            return None;
        }
        let offset = self.tensor(Value::Int(affine.offset), span)?;
        let mut sum = self.to_float(offset, span);
        for (axis, factor) in affine.terms {
            let position = match self.place_at_hand(&axis, span).filter(|_| self.is_streamed(axis.id)) {
                Some(place) => place,
                None => {
                    let ty = Type { dtype: DType::I32, kind: Kind::Index(axis.id), axes: vec![axis.clone()] };
                    self.push(ExprKind::Pos, ty, span)
                }
            };
            let factor = self.number(factor as f64, DType::F32, span);
            let part = self.map(Fun::Map(MapOp::Mul), vec![position, factor], vec![axis.clone()], DType::F32, span);
            let axes = self.ty(sum).axes.iter().cloned().chain([axis]).collect();
            sum = self.map(Fun::Map(MapOp::Add), vec![sum, part], axes, DType::F32, span);
        }
        Some(sum)
    }

    /// Whether a position is that of a generator, which is a number.
    fn of_place_at_hand(&self, scope: &Scope<'a>, expr: &ast::Expr) -> bool {
        let mut found = false;
        expr.walk(&mut |part| {
            if let Ast::Call(callee, args) = &part.kind
                && is_pos(scope, callee)
                && let [ast::Arg::Value(ast::Expr { kind: Ast::Name(axis), .. })] = &args[..]
            {
                found |= scope.axes.get(axis).is_some_and(|id| self.is_streamed(*id));
            }
        });
        found
    }

    /// Whether a position is divided and rounded down on the way, or a rest is taken of it.
    fn rounds(&self, scope: &Scope<'a>, expr: &ast::Expr) -> bool {
        match &expr.kind {
            Ast::Unary(UnaryOp::Neg, x) => self.rounds(scope, x),
            Ast::Chain(first, rest) => {
                let mut of_pos = self.computes_with_pos(scope, first);
                let mut rounds = self.rounds(scope, first);
                for (op, _, x) in rest {
                    of_pos |= self.computes_with_pos(scope, x);
                    rounds |= of_pos && matches!(op, BinaryOp::FloorDiv | BinaryOp::Mod) || self.rounds(scope, x);
                }
                rounds
            }
            _ => false,
        }
    }

    /// An expression as an affine form of positions; what is none is told.
    fn affine(&mut self, scope: &mut Scope<'a>, expr: &'a ast::Expr) -> Option<Affine> {
        if !self.computes_with_pos(scope, expr) {
            let offset = self.int_expr(scope, expr)?;
            return Some(Affine { terms: Vec::new(), offset: self.sizes.resolve(&offset), over: 1 });
        }
        match &expr.kind {
            Ast::Call(_, args) => {
                let axis = self.pos_axis(scope, args, expr.span)?;
                Some(Affine { terms: vec![(axis, 1)], offset: Dim::ZERO, over: 1 })
            }
            Ast::Unary(_, x) => {
                let x = self.affine(scope, x)?;
                self.sized(x.times(-1), expr.span)
            }
            Ast::Chain(first, rest) => {
                let mut sum = self.affine(scope, first)?;
                for (op, op_span, operand) in rest {
                    let right = self.affine(scope, operand)?;
                    let combined = match op {
                        BinaryOp::Add => self.plus(sum, right),
                        BinaryOp::Sub => right.times(-1).and_then(|right| self.plus(sum, right)),
                        BinaryOp::Mul if right.terms.is_empty() => sum.times(self.factor(right, operand.span)?),
                        BinaryOp::Mul if sum.terms.is_empty() => right.times(self.factor(sum, first.span)?),
                        BinaryOp::Div if right.terms.is_empty() => sum.divided(self.factor(right, operand.span)?),
                        _ => {
                            self.report(reading::window_form(op.sign(), *op_span));
                            return None;
                        }
                    };
                    sum = self.sized(combined, expr.span)?;
                }
                Some(sum)
            }
            _ => crate::base::bug!("no arithmetic on positions at {:?}", expr.span),
        }
    }

    /// `pos(a)`, an axis in scope, or `pos(a: n)`, one of that size.
    pub(super) fn pos_axis(&mut self, scope: &mut Scope<'a>, args: &'a [ast::Arg], span: Span) -> Option<Axis> {
        let mut given = self.given(scope, args).into_iter();
        let (Some(first), None) = (given.next(), given.next()) else {
            self.report(told::primitive_arguments("pos", (1, 1), args.len(), span));
            return None;
        };
        let axis = match first.value {
            Value::Axis(AxisArg { id, size, .. }) => Axis { id, size: self.sizes.resolve(&size), from: first.span },
            Value::Error => return None,
            other => {
                self.report(told::expected("an axis", other.describe(), first.span));
                return None;
            }
        };
        if axis.size.as_const().is_some_and(|size| size < 0) {
            let turned = self.turned(first.span);
            self.report(shape::negative_size(&self.sizes.show(&axis.size), first.span, turned));
            return None;
        }
        Some(axis)
    }

    /// A factor or divisor of positions: a whole number, known and not 0.
    fn factor(&mut self, number: Affine, span: Span) -> Option<i64> {
        match number.offset.as_const() {
            Some(0) => {
                let literal = self.literal_of(span, &Dim::ZERO).map(|literal| literal.span);
                self.report(reading::window_factor("0", span, literal));
            }
            Some(value) if number.over == 1 => return Some(value),
            Some(value) => self.report(shape::not_whole(value as f64 / number.over as f64, span, None)),
            // A definition checked on its own learns its strides at its uses.
            None if self.alone => {}
            None => self.report(reading::window_factor(&self.sizes.show(&number.offset), span, None)),
        }
        None
    }

    fn plus(&self, a: Affine, b: Affine) -> Result<Affine, SizeOverflow> {
        // a / m + b / n = (n·a + m·b) / (m·n)
        let (m, n) = (a.over, b.over);
        let over = m.checked_mul(n).ok_or(SizeOverflow)?;
        let (mut sum, b) = (Affine { over: 1, ..a }.times(n)?, Affine { over: 1, ..b }.times(m)?);
        sum.over = over;
        sum.offset = sum.offset.add(&b.offset)?;
        for (axis, factor) in b.terms {
            match sum.terms.iter_mut().find(|(known, _)| self.same_axis(known.id, axis.id)) {
                Some((_, known)) => *known = known.checked_add(factor).ok_or(SizeOverflow)?,
                None => sum.terms.push((axis, factor)),
            }
        }
        Ok(sum)
    }

    fn sized<T>(&mut self, result: Result<T, SizeOverflow>, span: Span) -> Option<T> {
        if result.is_err() {
            self.report(shape::overflow(span));
        }
        result.ok()
    }

    // ---- what it reads

    /// Which position is the result's and which the tap's: the result's axis is the one called as what is
    /// read, else the first that the tensor does not have.
    fn relation(&mut self, ty: &Type, entry: Entry) -> Option<Relation> {
        let Entry { axis, affine: Affine { mut terms, offset, over }, span } = entry;
        if terms.iter().any(|(_, factor)| *factor == 0) {
            self.report(reading::window_factor("0", span, None));
            return None;
        }
        if terms.len() > 2 {
            self.report(reading::window_positions(terms.len(), span));
            return None;
        }
        let there = |this: &Self, made: &Axis| {
            let others = ty.axes.iter().filter(|known| known.id != axis.id);
            others.into_iter().find(|known| this.same_axis(known.id, made.id)).cloned()
        };
        if let [(first, _), (second, _)] = &terms[..]
            && (self.same_axis(second.id, axis.id) || there(self, first).is_some())
        {
            terms.swap(0, 1);
        }
        let mut terms = terms.into_iter();
        let (out, a) = terms.next()?;
        let (tap, d) = terms.next().unzip();
        let shared = tap.as_ref().and_then(|tap| there(self, tap));
        if let (Some(tap), Some(known)) = (&tap, &shared)
            && !self.same_size(known, tap, ty, ty, span)
        {
            return None;
        }
        let kind = match (&tap, shared) {
            (None, _) => Tap::None,
            (Some(_), None) => Tap::New,
            (Some(_), Some(known)) => Tap::Shared(known.id),
        };
        let along = Along { axis: axis.id, m: over, a, tap: kind, d: d.unwrap_or(0), b: offset };
        Some(Relation { along, out, tap, span })
    }

    /// Whether every place that is read is proved to be one of the axis; told when it is not.
    fn stays_inside(&mut self, relation: &Relation, ty: &Type, brackets: Span) -> bool {
        let Relation { along, out, tap, span } = relation;
        let span = *span;
        let size = self.find_axis(&ty.axes, along.axis).map(|axis| self.sizes.resolve(&axis.size));
        let Some(size) = size else { return true };
        let axis = self.axes.show(along.axis);
        let Ok((low, high)) = reach(along, out, tap.as_ref()) else {
            self.report(shape::overflow(span));
            return false;
        };
        let left = size.sub(&Dim::ONE).and_then(|last| last.sub(&high));
        let inside = along.m == 1
            && self.sizes.facts.is_nonnegative(&low)
            && left.is_ok_and(|left| self.sizes.facts.is_nonnegative(&left));
        if inside {
            return true;
        }
        let places = (along.m == 1).then(|| (self.sizes.show(&low), self.sizes.show(&high)));
        let outside = low.as_const().is_some_and(|low| low < 0)
            || high.sub(&size).is_ok_and(|over| over.as_const().is_some_and(|over| over >= 0));
        let last = size.sub(&Dim::ONE).map_or_else(|_| String::new(), |last| self.sizes.show(&last));
        self.report(reading::window_outside(&axis, places, &last, outside, span, brackets));
        false
    }
}

impl Affine {
    fn times(mut self, factor: i64) -> Result<Affine, SizeOverflow> {
        for (_, known) in &mut self.terms {
            *known = known.checked_mul(factor).ok_or(SizeOverflow)?;
        }
        self.offset = self.offset.mul(&Dim::constant(factor))?;
        Ok(self)
    }

    fn divided(mut self, by: i64) -> Result<Affine, SizeOverflow> {
        let over = by.checked_abs().and_then(|by| self.over.checked_mul(by)).ok_or(SizeOverflow)?;
        self = self.times(by.signum())?;
        self.over = over;
        Ok(self)
    }
}

/// The first and the last place that a relation with `m = 1` reads.
fn reach(along: &Along, out: &Axis, tap: Option<&Axis>) -> Result<(Dim, Dim), SizeOverflow> {
    let (mut low, mut high) = (along.b.clone(), along.b.clone());
    for (factor, axis) in [(along.a, Some(out)), (along.d, tap)] {
        let Some(axis) = axis else { continue };
        let far = axis.size.sub(&Dim::ONE)?.mul(&Dim::constant(factor))?;
        let end = if factor < 0 { &mut low } else { &mut high };
        *end = end.add(&far)?;
    }
    Ok((low, high))
}

/// Whether the elements of a type can be this fill.
pub(super) fn can_hold(ty: &Type, fill: Option<f64>) -> bool {
    let Some(fill) = fill else { return true };
    match ty.dtype {
        DType::F64 | DType::F32 => true,
        dtype => dtype.nearest(fill) == fill,
    }
}

/// Whether a callee is the primitive `pos`.
fn is_pos(scope: &Scope<'_>, callee: &ast::Expr) -> bool {
    matches!(callee.kind, Ast::Name(name) if name == Symbol::new("pos") && scope.find(name).is_none())
}
