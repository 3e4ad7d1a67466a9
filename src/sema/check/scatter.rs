//! Scatters: `sum[edge -> node = dst](m)` reduces axes into another at the places that an index says.
//!
//! In: a reduction whose brackets have an arrow. Out: for sums a `Scatter`, a product with a mask where the index has
//! axes that stay; for other reductions, the reduction of what a mask leaves. Its brackets say which axes go; the
//! index says where to, and may have axes of the tensor that stay.

use crate::base::{Span, Symbol};
use crate::diag::{Diagnostic, kind, name, reading, shape, value as told};
use crate::ops::{Cmp, MapOp, ReduceOp};
use crate::sema::dtype::DType;
use crate::sema::primitive::Reduction;
use crate::sema::typed::{Axis, AxisId, ExprId, ExprKind, Fun, Kind, Type};
use crate::sema::value::{Scope, Value};
use crate::syntax::ast::{self, Ix};

use super::builtin::PrimitiveCall;
use super::checker::Checker;

/// What a scatter is about.
struct Target {
    /// The axes that go.
    gone: Vec<Axis>,
    /// The one that comes.
    to: Axis,
    /// Where to.
    index: ExprId,
    /// The axes of the result.
    axes: Vec<Axis>,
}

impl<'a> Checker<'a> {
    /// `sum[edge -> node = dst](m)`, and the other reductions so.
    pub(super) fn scatter(
        &mut self,
        scope: &mut Scope<'a>,
        reduction: Reduction,
        call: PrimitiveCall<'_, 'a>,
    ) -> Value<'a> {
        let PrimitiveCall { f, args, span } = call;
        let given = args.first().map_or(span, |given| given.span);
        let Some(x) = self.first_tensor(args) else { return Value::Error };
        let ty = self.ty(x).clone();
        let Some(target) = self.target(scope, f.brackets, &ty, (given, span)) else { return Value::Error };
        if matches!(reduction, Reduction::Any | Reduction::All) && ty.dtype != DType::Bool {
            return self.fail(told::truth_expected("a tensor of numbers", given, None));
        }
        let x = self.to_float(x, span);
        let dtype = self.ty(x).dtype;
        let x = self.computed(x, span);
        let folded = self.scatter_computed(reduction, target, x, span);
        match self.ty(folded).dtype {
            DType::Bool => Value::Tensor(folded),
            // Rounded once, in the end.
            _ => Value::Tensor(self.as_dtype(folded, dtype, span)),
        }
    }

    fn scatter_computed(&mut self, reduction: Reduction, target: Target, x: ExprId, span: Span) -> ExprId {
        match reduction {
            Reduction::Fold(ReduceOp::Sum) => self.scattered_sum(&target, x, span),
            Reduction::Mean => {
                let sum = self.scattered_sum(&target, x, span);
                // Where nothing arrives the sum is 0, and so is the mean.
                let ones = self.filled(1.0, DType::F32, self.ty(target.index).axes.clone(), span);
                let stays =
                    |axis: &&Axis| target.to.id == axis.id || self.find_axis(&self.ty(ones).axes, axis.id).is_some();
                let axes = target.axes.iter().filter(stays).cloned().collect();
                let count = self.scattered_sum(&Target { axes, ..target }, ones, span);
                let one = self.number(1.0, DType::F32, span);
                let count_axes = self.ty(count).axes.clone();
                let count = self.map(Fun::Map(MapOp::Max), vec![count, one], count_axes, DType::F32, span);
                let axes = self.ty(sum).axes.clone();
                self.map(Fun::Map(MapOp::Div), vec![sum, count], axes, DType::F32, span)
            }
            Reduction::Fold(op) => {
                let neutral = match op {
                    ReduceOp::Sum => 0.0,
                    ReduceOp::Prod => 1.0,
                    ReduceOp::Max => f64::NEG_INFINITY,
                    ReduceOp::Min => f64::INFINITY,
                };
                self.masked_fold(&target, op, neutral, x, span)
            }
            Reduction::Any | Reduction::All => {
                let (op, neutral) =
                    if reduction == Reduction::Any { (ReduceOp::Max, 0.0) } else { (ReduceOp::Min, 1.0) };
                let folded = self.masked_fold(&target, op, neutral, x, span);
                self.as_dtype(folded, DType::Bool, span)
            }
        }
    }

    /// What the brackets say: `edge -> node = dst`, `edge -> node: n = dst`.
    fn target(
        &mut self,
        scope: &mut Scope<'a>,
        brackets: Option<&'a ast::Brackets>,
        ty: &Type,
        (given, span): (Span, Span),
    ) -> Option<Target> {
        let Some(ast::Brackets { from, to: Some(to), span: brackets }) = brackets else { return None };
        let (ident, size, at) = match &to[..] {
            [Ix::Set(ident, at)] => (*ident, None, at),
            [Ix::Axis(ident, size, Some(at))] => (*ident, Some(self.int_expr(scope, size)?), at),
            _ => {
                self.report(self.no_index(ty, from, to.first(), *brackets));
                return None;
            }
        };
        let mut gone: Vec<Axis> = Vec::new();
        for axis in self.axes_of(scope, from, ty)? {
            if !gone.iter().any(|known| known.id == axis.id) {
                gone.push(axis);
            }
        }
        let value = self.expr(scope, at);
        let index = self.tensor(value, at.span)?;
        let index_ty = self.ty(index).clone();
        let Kind::Index(counts) = index_ty.kind else {
            let told = kind::index_needs_kind(ident.name.as_str(), &self.show_type(&index_ty), at.span);
            self.report(told);
            return None;
        };
        self.axes.name_if_open(counts, ident.name);
        // The axis of this name here, else the one that the index counts, when it is called so.
        let wanted = match (scope.axes.get(&ident.name).copied(), &size) {
            (Some(id), _) => id,
            (None, Some(size)) => self.intern_axis(scope, ident.name, size),
            (None, None) if self.axes.name(counts) == Some(ident.name) => counts,
            (None, None) => {
                let known = self.axes.show(counts);
                self.report(name::unknown_axis(ident.name.as_str(), ident.span, &[&known]));
                return None;
            }
        };
        if !self.axes.unite(counts, wanted) {
            let told = (self.axes.show(counts), self.axes.show(wanted));
            let places = self.index_places(at.span);
            self.report(kind::index_of_other("the index", (&told.0, &told.1), at.span, ident.span, places));
            return None;
        }
        let counted = self.axes.size(counts);
        if let Some(size) = &size
            && self.sizes.unify(size, &counted).is_err()
        {
            let told = (self.sizes.show(&counted), self.sizes.show(size));
            let axis = ident.name.as_str();
            let literal = self.literal_of(span, size).map(|literal| literal.span);
            self.report(kind::index_size("the index".into(), axis, told, at.span, ident.span, (None, literal)));
            return None;
        }
        let to = Axis { id: self.axes.find(counts), size: counted, from: ident.span };
        self.index_fits(&index_ty, &gone, ty, at.span, (given, span))?;
        let is_gone = |axis: &Axis| gone.iter().any(|other| other.id == axis.id);
        let first = ty.axes.iter().position(is_gone).unwrap_or(0);
        let mut axes = ty.axes.clone();
        axes.insert(first, to.clone());
        axes.retain(|axis| !is_gone(axis));
        if let Some(axis) = self.repeated(&axes) {
            let renamed = shape::Renamed::Of(given);
            self.report(shape::duplicate_axis(&axis, "this result".into(), span, renamed));
            return None;
        }
        Some(Target { gone, to, index, axes })
    }

    /// The message about a scatter without an index, with the inputs that say places of its axis.
    fn no_index(&self, ty: &Type, from: &[Ix], to: Option<&Ix>, brackets: Span) -> Diagnostic {
        let named = |ix: &Ix| match ix {
            Ix::Value(ast::Expr { kind: ast::ExprKind::Name(name), .. }) => Some(*name),
            _ => None,
        };
        let axis = to.map_or(brackets, Ix::span);
        let Some(name) = to.and_then(named) else { return reading::scatter_form(axis, &[], None) };
        let counting = self.inputs_that_count(axis).into_iter().filter(|(_, of)| of.name == name);
        let indices: Vec<Symbol> = counting.map(|(input, _)| input).collect();
        let gone: Vec<String> = from
            .iter()
            .filter_map(|ix| ty.axes.iter().find(|axis| named(ix).is_some() && named(ix) == self.axes.name(axis.id)))
            .map(|axis| self.axes.show(axis.id))
            .collect();
        let input = format!("places: index({name})[{}]", gone.join(", "));
        reading::scatter_form(axis, &indices, self.behind_inputs(axis).map(|place| (input, place)))
    }

    /// Whether an index says a place for each element: it has all axes that go, and no axis the tensor lacks.
    fn index_fits(
        &mut self,
        index: &Type,
        gone: &[Axis],
        ty: &Type,
        at: Span,
        (given, span): (Span, Span),
    ) -> Option<()> {
        if let Some(axis) = gone.iter().find(|axis| self.find_axis(&index.axes, axis.id).is_none()) {
            let told = reading::scatter_index(&self.axes.show(axis.id), &self.show_type(index), at);
            self.report(told);
            return None;
        }
        for axis in &index.axes {
            let Some(known) = self.find_axis(&ty.axes, axis.id).cloned() else {
                let told = reading::scatter_lacks(&self.axes.show(axis.id), &self.show_type(ty), at, given);
                self.report(told);
                return None;
            };
            if !self.same_size(&known, axis, ty, index, span) {
                return None;
            }
        }
        Some(())
    }

    /// The sums: by places where the index has just the axes that go, else by a product with a mask.
    fn scattered_sum(&mut self, target: &Target, x: ExprId, span: Span) -> ExprId {
        let index = self.ty(target.index).axes.clone();
        if index.iter().all(|axis| self.find_axis(&target.gone, axis.id).is_some()) {
            let to = target.to.id;
            let ty = Type { axes: target.axes.clone(), ..self.ty(x).clone() };
            return self.push(ExprKind::Scatter { x, to, index: target.index }, ty, span);
        }
        let here = self.arrives(target, span);
        let mut axes = self.ty(x).axes.clone();
        axes.push(target.to.clone());
        let product = self.map(Fun::Map(MapOp::Mul), vec![x, here], axes, DType::F32, span);
        self.folded(target, ReduceOp::Sum, product, span)
    }

    /// A fold over what arrives at each place, and `neutral` for the rest.
    fn masked_fold(&mut self, target: &Target, op: ReduceOp, neutral: f64, x: ExprId, span: Span) -> ExprId {
        let here = self.arrives(target, span);
        let mut axes = self.ty(x).axes.clone();
        axes.push(target.to.clone());
        let neutral = self.number(neutral, DType::F32, span);
        let kept = self.map(Fun::Map(MapOp::Select), vec![here, x, neutral], axes, DType::F32, span);
        self.folded(target, op, kept, span)
    }

    /// For each place of the index and each of the new axis, whether the one says the other.
    fn arrives(&mut self, target: &Target, span: Span) -> ExprId {
        let kind = Kind::Index(target.to.id);
        let places = Type { dtype: DType::I32, kind, axes: vec![target.to.clone()] };
        let places = self.push(ExprKind::Pos, places, span);
        let mut axes = self.ty(target.index).axes.clone();
        axes.push(target.to.clone());
        self.map(Fun::Map(MapOp::Cmp(Cmp::Eq)), vec![target.index, places], axes, DType::Bool, span)
    }

    /// The axes that go, folded, in the order of the result.
    fn folded(&mut self, target: &Target, op: ReduceOp, x: ExprId, span: Span) -> ExprId {
        let gone: Vec<AxisId> = target.gone.iter().map(|axis| axis.id).collect();
        let rest = self.ty(x).axes.iter().filter(|axis| !gone.contains(&axis.id)).cloned().collect();
        let dtype = self.ty(x).dtype;
        let of = |axes| Type { dtype, kind: Kind::Plain, axes };
        let folded = self.push(ExprKind::Reduce(op, gone, x), of(rest), span);
        self.push(ExprKind::Order(folded), of(target.axes.clone()), span)
    }
}
