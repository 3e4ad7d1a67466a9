//! `scan`: a block for each position of an axis, with values carried from one to the next.
//!
//! The block is elaborated once, or again where a number that it begins to carry is repeated along axes that the block
//! gives it (`attempt`). In it a tensor from outside that has the axis stands for its row at the position
//! (`ExprKind::Row`), and a carried name for what the position before left (`ExprKind::Carry`); the expressions of the
//! block lie among all others, and `lower` tells by these two which of them belong to it. The value of the block
//! is stacked along the axis (`ExprKind::Scan`).

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::base::{Span, Symbol};
use crate::diag::{shape, store, value as told};
use crate::ops::{MapOp, ReduceOp};
use crate::sema::dtype::DType;
use crate::sema::typed::{self, Axis, AxisId, Check, ExprId, ExprKind, Fun, Kind, Type};
use crate::sema::value::{Lacks, LiveCarry, Scope, Value};
use crate::syntax::ast::{self, AxisDecl};

use super::checker::{Checker, plain, scalar_type};
use super::store::ActiveScan;

/// As many times a block is elaborated until what it carries has all its axes.
const MAX_ATTEMPTS: usize = 8;

impl<'a> Checker<'a> {
    /// `scan t reversed from h = … until c { … }`
    pub(super) fn scan(&mut self, scope: &mut Scope<'a>, scan: &'a ast::Scan, span: Span) -> Value<'a> {
        let Some(axis) = self.scanned_axis(scope, &scan.axis) else { return Value::Error };
        let mut firsts: Vec<(ast::Ident, ExprId)> = Vec::new();
        for (ident, first) in &scan.carries {
            let value = self.expr(scope, first);
            let Some(first) = self.tensor(value, first.span) else { return Value::Error };
            firsts.push((*ident, self.first_of_carry(first)));
        }
        let is_streamed = self.is_streamed(axis.id);
        if is_streamed && (scan.reversed || scan.until.is_some()) {
            self.sees_along(span);
            return Value::Error;
        }
        // What is carried may turn out to have axes that a number to begin with does not say. Each attempt finds one
        // at least; a block that makes new ones for ever is told what it does.
        let open: Vec<bool> = firsts.iter().map(|(_, first)| !self.says_axes(*first)).collect();
        let may_widen = firsts.iter().any(|(_, first)| self.is_number_everywhere(*first));
        for _ in 0..MAX_ATTEMPTS {
            let mark = (may_widen || open.contains(&true)).then(|| self.mark());
            let (value, lacking) = self.looped(scope, scan, &axis, &firsts, &open, span);
            let Some(mark) = mark.filter(|_| lacking.iter().any(|lacks| !lacks.is_nothing())) else { return value };
            self.back_to(mark);
            for ((_, first), lacks) in firsts.iter_mut().zip(lacking) {
                if !lacks.axes.is_empty() {
                    *first = self.repeated_first(*first, lacks.axes);
                }
                if let Some(dtype) = lacks.dtype {
                    *first = self.as_dtype(*first, dtype, self.exprs[first.0 as usize].span);
                }
            }
        }
        let closed = vec![false; firsts.len()];
        self.looped(scope, scan, &axis, &firsts, &closed, span).0
    }

    /// Whether a value is a number, or one repeated, that says nothing of a dtype: it takes that of what follows it.
    fn is_number_everywhere(&self, id: ExprId) -> bool {
        let expr = &self.exprs[id.0 as usize];
        expr.ty.dtype == DType::F32
            && match expr.kind {
                ExprKind::Expand(x) => self.exprs[x.0 as usize].host,
                _ => expr.host,
            }
    }

    /// A loop from these first values; and for each what it would have to have, axes only if it is `open`.
    fn looped(
        &mut self,
        scope: &mut Scope<'a>,
        scan: &'a ast::Scan,
        axis: &Axis,
        firsts: &[(ast::Ident, ExprId)],
        open: &[bool],
        span: Span,
    ) -> (Value<'a>, Vec<Lacks>) {
        let mut firsts = firsts.to_vec();
        let is_streamed = self.is_streamed(axis.id);
        let mut kept = Vec::new();
        if is_streamed {
            for (_, first) in &mut firsts {
                let Some((old, at)) = self.carried(*first, span) else { return (Value::Error, Vec::new()) };
                *first = old;
                kept.push(at);
            }
        }
        let id = self.scan_count;
        self.scan_count += 1;
        let start = self.exprs.len();
        self.scans.push(ActiveScan { id, axis: axis.clone(), start, rows: FxHashMap::default(), checks: Vec::new() });
        let outer = std::mem::take(&mut scope.carries);
        scope.enter();
        for (at, ((ident, first), open)) in firsts.iter().zip(open).enumerate() {
            let ty = self.ty(*first).clone();
            let widens = self.is_number_everywhere(*first);
            let old = self.push(ExprKind::Carry { scan: id, at }, ty, ident.span);
            let lacks = Lacks::default();
            scope.carries.push(LiveCarry { name: ident.name, old, now: old, holds: None, open: *open, widens, lacks });
            self.bind_name(scope, *ident, Value::Tensor(old));
        }
        let done = scan.until.as_ref().and_then(|until| self.until(scope, until, id, firsts.len()));
        if let Some((_, _, holds)) = done {
            scope.carries.iter_mut().for_each(|carry| carry.holds = Some(holds));
        }
        let value = self.block(scope, &scan.body);
        scope.leave();
        let carries = std::mem::replace(&mut scope.carries, outer);
        let checks = self.scans.pop().map_or_else(Vec::new, |active| active.checks);

        let lacking: Vec<Lacks> = carries.iter().map(|carry| carry.lacks.clone()).collect();
        if lacking.iter().any(|lacks| !lacks.is_nothing()) {
            return (Value::Error, lacking);
        }
        let mut rows = Vec::new();
        let Some(shape) = self.rows_of(value, axis, scan.body.value.span, &mut rows) else {
            return (Value::Error, lacking);
        };
        let mut pairs: Vec<(ExprId, ExprId)> =
            firsts.iter().zip(&carries).map(|((_, first), carry)| (*first, carry.now)).collect();
        pairs.extend(done.map(|(first, _, holds)| (first, holds)));
        let n_rows = rows.len();
        if is_streamed {
            rows.extend(pairs.iter().map(|(_, now)| *now));
        }
        let n_unchecked = rows.len();
        rows.extend(checks.iter().flat_map(|check| [check.least, check.most]));
        let made =
            Arc::new(typed::Scan { id, start: ExprId(start as u32), reversed: scan.reversed, carries: pairs, rows });
        if is_streamed {
            self.gone_on(&made, n_rows, &kept, axis, span);
        }
        self.check_outside(checks, &made, n_unchecked, axis);
        (self.stacked(&shape, &made, axis, span, &mut 0), lacking)
    }

    /// Checks what stands in the block of a loop over all its positions: from `row` on the loop gives the least and the
    /// greatest number that each check has at a position.
    pub(super) fn check_outside(&mut self, checks: Vec<Check>, scan: &Arc<typed::Scan>, row: usize, axis: &Axis) {
        // A check reads along a sequence that is being written, and nothing is made of what it reads.
        let stream = self.stream.take();
        for (at, check) in checks.into_iter().enumerate() {
            let mut extreme = |row, op| {
                let kind = ExprKind::Scan { scan: scan.clone(), row, axis: axis.id, count: axis.size.clone() };
                let all = self.push(kind, plain(vec![axis.clone()]), check.span);
                self.push(ExprKind::Reduce(op, vec![axis.id], all), scalar_type(DType::F32), check.span)
            };
            let row = row + 2 * at;
            let (least, most) = (extreme(row, ReduceOp::Min), extreme(row + 1, ReduceOp::Max));
            self.check_places(Check { least, most, ..check });
        }
        self.stream = stream;
    }

    /// Has a run hold numbers to an axis: those of all positions of the loop at hand, if there is one.
    pub(super) fn check_places(&mut self, check: Check) {
        match self.scans.last_mut() {
            Some(active) => active.checks.push(check),
            None => self.checks.push(check),
        }
    }

    /// Whether a value has the axes it has on purpose: one made of numbers and positions has those it needs.
    fn says_axes(&self, id: ExprId) -> bool {
        let expr = &self.exprs[id.0 as usize];
        match &expr.kind {
            ExprKind::Const(_) | ExprKind::Size(_) | ExprKind::Step | ExprKind::StepsPerEpoch | ExprKind::Pos => false,
            ExprKind::Map(_, parts) => parts.iter().any(|part| self.says_axes(*part)),
            _ => true,
        }
    }

    /// The first value of a carry, repeated along axes that it lacks.
    fn repeated_first(&mut self, first: ExprId, axes: Vec<Axis>) -> ExprId {
        let (mut ty, span) = (self.ty(first).clone(), self.exprs[first.0 as usize].span);
        ty.axes.extend(axes);
        self.push(ExprKind::Expand(first), ty, span)
    }

    /// The axis of a loop: one in scope, or a new one with its size.
    fn scanned_axis(&mut self, scope: &mut Scope<'a>, decl: &'a AxisDecl) -> Option<Axis> {
        let AxisDecl::Axis { name, size } = decl else { return None };
        if let Some(size) = size {
            let count = self.int_expr(scope, size)?;
            let id = self.intern_axis(scope, name.name, &count);
            return Some(Axis { id, size: count, from: name.span });
        }
        match self.name(scope, name.name, name.span) {
            Value::Axis(axis) => Some(Axis { id: axis.id, size: axis.size, from: name.span }),
            Value::Error => None,
            other => {
                self.report(told::expected("an axis", other.describe(), name.span));
                None
            }
        }
    }

    /// The first value of a carry: a number is an f32, as a state's is.
    fn first_of_carry(&mut self, id: ExprId) -> ExprId {
        let ty = self.ty(id).clone();
        let span = self.exprs[id.0 as usize].span;
        let is_number = ty.dtype == DType::I32 && ty.kind == Kind::Plain && self.exprs[id.0 as usize].host;
        if is_number { self.to_float(id, span) } else { id }
    }

    /// The latch of `until`: its first value, what it was, and whether it holds now.
    fn until(
        &mut self,
        scope: &mut Scope<'a>,
        until: &'a ast::Expr,
        scan: u32,
        at: usize,
    ) -> Option<(ExprId, ExprId, ExprId)> {
        let now = match self.expr(scope, until) {
            Value::Tensor(now) if self.ty(now).dtype == DType::Bool => now,
            Value::Error => return None,
            other => {
                self.report(told::expected("a condition on what is carried", other.describe(), until.span));
                return None;
            }
        };
        let ty = Type { kind: Kind::Plain, ..self.ty(now).clone() };
        let never = self.push(ExprKind::Const(0.0), scalar_type(DType::Bool), until.span);
        let first = match ty.axes.is_empty() {
            true => never,
            false => self.push(ExprKind::Expand(never), ty.clone(), until.span),
        };
        let was = self.push(ExprKind::Carry { scan, at }, ty.clone(), until.span);
        let holds = self.push(ExprKind::Map(Fun::Map(MapOp::Or), vec![was, now]), ty, until.span);
        Some((first, was, holds))
    }

    /// `h := …` of a carry; whether the name is one.
    pub(super) fn assign_carry(
        &mut self,
        scope: &mut Scope<'a>,
        ident: ast::Ident,
        value: &Value<'a>,
        span: Span,
    ) -> bool {
        let Some(at) = scope.carries.iter().rposition(|carry| carry.name == ident.name) else { return false };
        let LiveCarry { old, holds, open, .. } = scope.carries[at];
        let ty = self.ty(old).clone();
        let Some(new) = self.tensor(value.clone(), span) else {
            scope.rebind(ident.name, Value::Error);
            return true;
        };
        if open && let Some(lacks) = self.lacking(new, &ty) {
            for axis in lacks {
                let known = &mut scope.carries[at].lacks.axes;
                if self.find_axis(known, axis.id).is_none() {
                    known.push(axis);
                }
            }
            scope.rebind(ident.name, Value::Tensor(new));
            return true;
        }
        let dtype = self.ty(new).dtype;
        if dtype.is_float() && !ty.dtype.holds(dtype) && scope.carries[at].widens {
            scope.carries[at].lacks.dtype = Some(ty.dtype.met(dtype));
            scope.rebind(ident.name, Value::Tensor(new));
            return true;
        }
        let Some(mut new) = self.as_carry(ident.name, new, &ty, span) else {
            // What follows from it stays silent.
            scope.rebind(ident.name, Value::Error);
            return true;
        };
        if let Some(holds) = holds {
            let spans = [span; 3];
            let Some(axes) = self.contain(&[holds, old, new], &spans, "until", span) else { return true };
            if axes.len() != ty.axes.len() {
                let actual = self.show_axes(&axes);
                let wanted = self.show_type(&ty);
                let begin = self.carry_begins(span, ident.name).map(|first| (first, format!("zeros{actual}")));
                let first = self.exprs[old.0 as usize].span;
                self.report(store::carry_changes(ident.name, (&wanted, &actual), span, first, begin));
                return true;
            }
            let chosen = self.map(Fun::Map(MapOp::Select), vec![holds, old, new], axes, ty.dtype, span);
            new = self.as_carry(ident.name, chosen, &ty, span).unwrap_or(old);
        }
        scope.carries[at].now = new;
        scope.rebind(ident.name, Value::Tensor(new));
        true
    }

    /// The axes of a value that a carry of a type lacks; none where it has all, or where no carry can have them.
    fn lacking(&self, new: ExprId, ty: &Type) -> Option<Vec<Axis>> {
        let is_looped = |axis: &Axis| self.scans.last().is_some_and(|scan| self.same_axis(scan.axis.id, axis.id));
        let own = &self.ty(new).axes;
        let lacks: Vec<Axis> = own.iter().filter(|axis| self.find_axis(&ty.axes, axis.id).is_none()).cloned().collect();
        (!lacks.is_empty() && !lacks.iter().any(is_looped)).then_some(lacks)
    }

    /// A value with the type of a carry: its axes in any order, and repeated along what it lacks.
    pub(super) fn as_carry(&mut self, name: Symbol, new: ExprId, ty: &Type, span: Span) -> Option<ExprId> {
        let new = if ty.dtype.is_float() { self.as_dtype(new, ty.dtype, span) } else { new };
        let mut own = self.ty(new).clone();
        let fits = own.dtype == ty.dtype && own.axes.iter().all(|axis| self.find_axis(&ty.axes, axis.id).is_some());
        if !fits {
            let (actual, wanted) = (self.show_type(&own), self.show_type(ty));
            let first =
                self.exprs.iter().rev().find(|expr| matches!(expr.kind, ExprKind::Carry { .. }) && expr.ty == *ty);
            let first = first.map_or(span, |expr| expr.span);
            let begin = self.carry_begins(span, name).filter(|_| own.dtype.is_float() && ty.dtype.is_float());
            let begin = begin.map(|begin| (begin, format!("zeros{}", self.show_axes(&own.axes))));
            self.report(store::carry_changes(name, (&wanted, &actual), span, first, begin));
            return None;
        }
        for axis in &own.axes {
            let wanted = self.find_axis(&ty.axes, axis.id)?.clone();
            if !self.same_size(&wanted, axis, ty, &own, span) {
                return None;
            }
        }
        if !self.fits_kind(new, ty, span) {
            return None;
        }
        let same =
            own.axes.len() == ty.axes.len() && own.axes.iter().zip(&ty.axes).all(|(a, b)| self.same_axis(a.id, b.id));
        own.axes = ty.axes.clone();
        own.kind = ty.kind;
        Some(match (same, self.ty(new).axes.len() == ty.axes.len()) {
            (true, _) if self.ty(new).kind == ty.kind => new,
            (true, _) => self.push(ExprKind::Relabel(new), own, span),
            (false, true) => self.push(ExprKind::Order(new), own, span),
            (false, false) => self.push(ExprKind::Expand(new), own, span),
        })
    }

    /// Whether a value may be carried as a kind: what is more than a number stays what it is.
    fn fits_kind(&mut self, new: ExprId, ty: &Type, span: Span) -> bool {
        let own = self.ty(new).kind;
        let fits = match (own, ty.kind) {
            (Kind::Index(a), Kind::Index(b)) => self.same_axis(a, b),
            (_, Kind::Plain | Kind::Logit) => true,
            (a, b) => a == b,
        };
        if !fits {
            let (actual, wanted) = (self.show_type(&self.ty(new).clone()), self.show_type(ty));
            self.report(told::expected(&format!("`{wanted}`"), &format!("`{actual}`"), span));
        }
        fits
    }

    /// What a value from outside of the loops at hand is inside: its row at the position of each whose axis it has.
    pub(super) fn inside(&mut self, value: Value<'a>) -> Value<'a> {
        if self.scans.is_empty() {
            return value;
        }
        match value {
            Value::Tensor(id) => Value::Tensor(self.row_inside(id)),
            Value::Record(fields) => {
                Value::Record(fields.into_iter().map(|(name, value)| (name, self.inside(value))).collect())
            }
            Value::List(items) => Value::List(items.into_iter().map(|value| self.inside(value)).collect()),
            other => other,
        }
    }

    fn row_inside(&mut self, id: ExprId) -> ExprId {
        let mut row = id;
        for at in 0..self.scans.len() {
            let active = &self.scans[at];
            let (scan, axis) = (active.id, active.axis.id);
            let is_outside = (id.0 as usize) < active.start;
            if is_outside && self.find_axis(&self.ty(row).axes, axis).is_some() {
                row = self.row(at, scan, axis, row);
            }
        }
        row
    }

    /// The row of an expression that has the axis of a loop, at the position.
    pub(super) fn own_row(&mut self, id: ExprId) -> ExprId {
        let mut row = id;
        for at in 0..self.scans.len() {
            let (scan, axis) = (self.scans[at].id, self.scans[at].axis.id);
            if self.find_axis(&self.ty(row).axes, axis).is_some() {
                row = self.row(at, scan, axis, row);
            }
        }
        row
    }

    fn row(&mut self, at: usize, scan: u32, axis: AxisId, x: ExprId) -> ExprId {
        if let Some(&known) = self.scans[at].rows.get(&x) {
            return known;
        }
        let mut ty = self.ty(x).clone();
        ty.axes.retain(|other| !self.same_axis(other.id, axis));
        let span = self.exprs[x.0 as usize].span;
        let row = self.push(ExprKind::Row { scan, axis, x }, ty, span);
        self.scans[at].rows.insert(x, row);
        row
    }

    /// The tensors of the value of a block, and the value with their places in it.
    fn rows_of(&mut self, value: Value<'a>, axis: &Axis, span: Span, rows: &mut Vec<ExprId>) -> Option<Value<'a>> {
        Some(match value {
            Value::Record(fields) => {
                let mut shaped = Vec::new();
                for (name, value) in fields {
                    shaped.push((name, self.rows_of(value, axis, span, rows)?));
                }
                Value::Record(shaped)
            }
            Value::List(items) => {
                let mut shaped = Vec::new();
                for value in items {
                    shaped.push(self.rows_of(value, axis, span, rows)?);
                }
                Value::List(shaped)
            }
            value => {
                let id = self.tensor(value, span)?;
                if self.find_axis(&self.ty(id).axes, axis.id).is_some() {
                    let told = (self.axes.show(axis.id), self.show_type(&self.ty(id).clone()));
                    self.report(shape::scan_keeps_axis(&told.0, &told.1, span, axis.from));
                    return None;
                }
                rows.push(id);
                Value::Tensor(id)
            }
        })
    }

    /// The value of a block with each of its tensors stacked.
    fn stacked(
        &mut self,
        shape: &Value<'a>,
        scan: &Arc<typed::Scan>,
        axis: &Axis,
        span: Span,
        next: &mut usize,
    ) -> Value<'a> {
        match shape {
            Value::Record(fields) => Value::Record(
                fields.iter().map(|(name, value)| (*name, self.stacked(value, scan, axis, span, next))).collect(),
            ),
            Value::List(items) => {
                Value::List(items.iter().map(|value| self.stacked(value, scan, axis, span, next)).collect())
            }
            Value::Tensor(id) => {
                let row = *next;
                *next += 1;
                let mut ty = self.ty(*id).clone();
                ty.axes.insert(0, axis.clone());
                let kind = ExprKind::Scan { scan: scan.clone(), row, axis: axis.id, count: axis.size.clone() };
                Value::Tensor(self.push(kind, ty, span))
            }
            other => other.clone(),
        }
    }
}
