//! Parameters and states: their paths, their axes, their first values.
//!
//! A path names one tensor. Elaborating a layer a second time (applied again, or with `training` off)
//! finds what the first time made; two declarations of one path are an error.

use crate::base::{Span, Symbol};
use crate::diag::{name, shape, store as told};
use crate::sema::dtype::DType;
use crate::sema::primitive::Builtin;
use crate::sema::typed::{self, Axis, ExprId, ExprKind, Owner, Type};
use crate::sema::value::{AxisArg, Body, Callee, Function, Given, LiveState, Place, Scope, Value};
use crate::syntax::ast::{self, AxisDecl, ExprKind as Ast};

use super::checker::{Checker, plain, product};

impl<'a> Checker<'a> {
    /// `param w[i, out] ~ glorot[i -> out]`
    pub(super) fn param(
        &mut self,
        scope: &mut Scope<'a>,
        def: &'a ast::ParamDef,
        held_by: Option<ast::Ident>,
    ) -> Value<'a> {
        let Some(ident) = def.name.or(held_by) else { return self.fail(self.nameless_param(def)) };
        if scope.body != Body::Layer {
            let told = told::param_outside_layer(ident.name, def.span);
            return self.fail(self.as_layer(told, def.span));
        }
        let Some(axes) = self.declared_axes(scope, &def.axes) else { return Value::Error };
        let Some(dtype) = self.declared_float(def.name, def.dtype) else { return Value::Error };
        let path = scope.place.join(ident.name.as_str());
        let ty = Type { dtype, ..plain(axes.clone()) };
        let index = match self.store.paths.get(&path).copied() {
            Some(index) => {
                let known = self.store.params[index].clone();
                if known.span != def.span {
                    let free = self.free_name(ident.span, ident.name.as_str());
                    let later = self.uses_after(ident.span, ident.name);
                    return self.fail(told::param_twice(ident.name, ident.span, known.span, (&free, &later)));
                }
                // The same layer on inputs of another size would need another parameter.
                for (old, new) in known.ty.axes.iter().zip(&axes) {
                    if self.sizes.unify(&old.size, &new.size).is_err() {
                        let sizes = (self.sizes.show(&old.size), self.sizes.show(&new.size));
                        let again = self.second_layer(self.user_span(def.span));
                        return self.fail(told::tied_size(&path, &self.axes.show(new.id), sizes, def.span, again));
                    }
                }
                index
            }
            None => {
                let index = self.store.params.len();
                let Some(init) = self.first_value(scope, &def.init, &ty, &path) else { return Value::Error };
                let param = typed::Param {
                    path: path.clone(),
                    ty: ty.clone(),
                    init,
                    span: def.span,
                    trained: false,
                    load: None,
                };
                self.store.params.push(param);
                self.store.paths.insert(path, index);
                index
            }
        };
        self.store.params[index].load = self.store.params[index].load.or(self.loading);
        if let Some(decay) = self.shadow {
            return Value::Tensor(self.follower(index, decay, ty, def.span));
        }
        let value = self.push(ExprKind::Param(index), ty.clone(), def.span);
        if self.frozen > 0 {
            return Value::Tensor(self.push(ExprKind::StopGradient(value), ty, def.span));
        }
        self.store.params[index].trained = true;
        Value::Tensor(value)
    }

    /// The state that follows a parameter: in each update it keeps `decay` of itself.
    fn follower(&mut self, param: usize, decay: f64, ty: Type, span: Span) -> ExprId {
        let known = self.store.shadows.iter().find(|(of, _, kept)| *of == param && *kept == decay);
        let state = match known {
            Some((_, state, _)) => *state,
            None => {
                let followed = self.store.params[param].clone();
                let path = match self.store.shadows.iter().any(|(of, ..)| *of == param) {
                    false => format!("ema/{}", followed.path),
                    true => format!("ema({decay})/{}", followed.path),
                };
                let state = self.kept(path, followed.ty, followed.init, Owner::Layer);
                self.store.shadows.push((param, state, decay));
                state
            }
        };
        self.push(ExprKind::State(state), ty, span)
    }

    /// `penalty l2 = sum(w^2)`: a term of the loss while training.
    pub(super) fn penalty(&mut self, scope: &mut Scope<'a>, ident: ast::Ident, value: &'a ast::Expr) {
        if scope.body != Body::Layer {
            let told = told::penalty_outside_layer(ident.name, ident.span);
            return self.report(self.as_layer(told, ident.span));
        }
        // A frozen layer is as when nothing trains.
        if !self.training || self.frozen > 0 {
            return;
        }
        let term = self.expr(scope, value);
        let Some(id) = self.tensor(term, value.span) else { return };
        if !self.is_scalar(id) {
            let actual = self.show_type(self.ty(id));
            return self.report(told::penalty_not_scalar(ident.name, &actual, value.span));
        }
        let id = self.as_dtype(id, DType::F32, value.span);
        self.store.penalties.push((ident.name, id));
    }

    /// The axes of a declaration; a name that the scope does not know is a new axis of an open size.
    fn declared_axes(&mut self, scope: &mut Scope<'a>, decls: &'a [AxisDecl]) -> Option<Vec<Axis>> {
        let mut axes: Vec<Axis> = Vec::new();
        for decl in decls {
            match decl {
                AxisDecl::Row(span) => match scope.row.clone() {
                    Some(row) => axes.extend(row),
                    None => {
                        let named = decls.iter().filter_map(|decl| match decl {
                            AxisDecl::Axis { name, .. } => Some(name.name),
                            AxisDecl::Row(_) => None,
                        });
                        // A parameter is the same for all rows of a batch.
                        let beside: Vec<Symbol> = named.chain(["batch".into()]).collect();
                        let known = self.input_axes(scope, *span);
                        self.report(self.no_row(*span, &beside, &known));
                        return None;
                    }
                },
                AxisDecl::Axis { name: ident, size } => {
                    let size = match size {
                        Some(size) => self.int_expr(scope, size)?,
                        None => match (scope.axes.get(&ident.name), self.primed_size(scope, ident.name)) {
                            (Some(&id), _) => self.axes.size(id),
                            (None, Some(size)) => size,
                            (None, None) => self.sizes.open(ident.name.as_str()),
                        },
                    };
                    let id = self.intern_axis(scope, ident.name, &size);
                    axes.push(Axis { id, size, from: ident.span });
                }
            }
            let repeated =
                axes.split_last().filter(|(last, rest)| rest.iter().any(|axis| self.same_axis(axis.id, last.id)));
            if let Some((last, _)) = repeated {
                let renamed = shape::Renamed::There(last.from);
                let axis = self.axes.show(last.id);
                self.report(shape::duplicate_axis(&axis, "this declaration".into(), last.from, renamed));
                return None;
            }
        }
        Some(axes)
    }

    /// The dtype before the axes of a parameter or a state: a float, f32 when nothing is written.
    fn declared_float(&mut self, of: Option<ast::Ident>, written: Option<ast::Ident>) -> Option<DType> {
        let Some(word) = written else { return Some(DType::F32) };
        match DType::parse(word.name.as_str()) {
            Some(dtype) if dtype.is_float() => Some(dtype),
            Some(_) => {
                self.report(told::not_a_float(word));
                None
            }
            None => {
                // With the colon before it.
                let surplus = of.map(|name| name.span.after().to(word.span));
                self.report(name::unknown_type(word, surplus));
                None
            }
        }
    }

    /// The first value of a parameter: an initialiser on its fans, or a number.
    fn first_value(&mut self, scope: &mut Scope<'a>, init: &'a ast::Expr, ty: &Type, path: &str) -> Option<ExprId> {
        let axes = &ty.axes[..];
        let (value, fans) = match &init.kind {
            Ast::Index(base, brackets @ ast::Brackets { to: Some(_), .. }) => (self.expr(scope, base), Some(brackets)),
            _ => (self.expr(scope, init), None),
        };
        let id = match value {
            Value::Function(function) => match function.callee {
                Callee::Builtin(Builtin::Filled(value)) => {
                    self.filled(f64::from(value), ty.dtype, axes.to_vec(), init.span)
                }
                Callee::Def(_) => {
                    let fans = self.fans(scope, fans, axes)?;
                    self.initialise(scope, &function, axes, fans, path, init.span)?
                }
                _ => {
                    self.report(told::no_initialiser(init.span));
                    return None;
                }
            },
            Value::Float(value) => self.filled(value, ty.dtype, axes.to_vec(), init.span),
            Value::Error => return None,
            Value::Str(text)
                if self.globals.find(Symbol::new(text), init.span.file).is_some() || Builtin::parse(text).is_some() =>
            {
                self.report(crate::diag::value::quoted("a tensor or a number", text, init.span));
                return None;
            }
            other => self.tensor(other, init.span)?,
        };
        self.shaped(id, ty, init.span)
    }

    /// A value of just this dtype and these axes: repeated along those it lacks.
    fn shaped(&mut self, id: ExprId, wanted: &Type, span: Span) -> Option<ExprId> {
        let id = self.as_dtype(id, wanted.dtype, span);
        let axes = &wanted.axes[..];
        let ty = self.ty(id).clone();
        if ty.axes.iter().any(|axis| self.find_axis(axes, axis.id).is_none()) {
            let told = (self.show_type(&ty), self.show_axes(axes));
            let surplus: Vec<String> = { ty.axes.iter() }
                .filter(|axis| self.find_axis(axes, axis.id).is_none())
                .map(|axis| self.axes.show(axis.id))
                .collect();
            self.report(told::first_value_axes(&told.0, &told.1, &surplus.join(", "), span));
            return None;
        }
        for axis in &ty.axes {
            let own = self.find_axis(axes, axis.id).expect("it was found above").clone();
            if !self.same_size(&own, axis, wanted, &ty, span) {
                return None;
            }
        }
        let same = ty.axes.len() == axes.len() && ty.axes.iter().zip(axes).all(|(a, b)| self.same_axis(a.id, b.id));
        if same {
            return Some(id);
        }
        let kind = if ty.axes.len() == axes.len() { ExprKind::Order(id) } else { ExprKind::Expand(id) };
        Some(self.push(kind, wanted.clone(), span))
    }

    /// The axes that go in and those that come out: as written, else the first and the second of at most two axes;
    /// none where neither says it.
    fn fans(
        &mut self,
        scope: &mut Scope<'a>,
        written: Option<&'a ast::Brackets>,
        axes: &[Axis],
    ) -> Option<Option<[Vec<Axis>; 2]>> {
        Some(match written {
            Some(ast::Brackets { from, to: Some(to), .. }) => {
                let mut axes_of = |list: &'a [ast::Ix]| -> Option<Vec<Axis>> {
                    let ty = plain(axes.to_vec());
                    list.iter()
                        .map(|ix| {
                            let id = self.axis_at(scope, ix, Some(&ty))?;
                            match self.find_axis(axes, id).cloned() {
                                Some(axis) => Some(axis),
                                None => {
                                    let others: Vec<String> = axes.iter().map(|axis| self.axes.show(axis.id)).collect();
                                    let names = (self.axes.show(id), self.show_axes(axes));
                                    self.report(told::fan_axis(&names.0, &names.1, &others, ix.span()));
                                    None
                                }
                            }
                        })
                        .collect()
                };
                Some([axes_of(from)?, axes_of(to)?])
            }
            _ => match axes {
                [] => Some([Vec::new(), Vec::new()]),
                [only] => Some([vec![only.clone()], vec![only.clone()]]),
                [i, out] => Some([vec![i.clone()], vec![out.clone()]]),
                _ => None,
            },
        })
    }

    /// The value of an initialiser. It gets the fans it asks for: as numbers, or as the two axes of a matrix, which
    /// become those of the parameter again, with as many matrices as its other axes have places.
    fn initialise(
        &mut self,
        scope: &mut Scope<'a>,
        function: &Function<'a>,
        axes: &[Axis],
        fans: Option<[Vec<Axis>; 2]>,
        path: &str,
        span: Span,
    ) -> Option<ExprId> {
        let Callee::Def(def) = function.callee else { return None };
        let name = def.name.name;
        let fans = match fans {
            Some(fans) => fans,
            None if def.inputs.is_empty() => Default::default(),
            None => {
                let names: Vec<String> = axes.iter().map(|axis| self.axes.show(axis.id)).collect();
                let (last, others) = names.split_last().expect("more than two axes");
                let fans = format!("{} -> {last}", others.join(", "));
                self.report(told::fans_needed(name, &self.show_axes(axes), &fans, span));
                return None;
            }
        };
        let mut sides = Vec::new();
        for (input, axes) in def.inputs.iter().zip(&fans) {
            let Some(size) = product(axes) else {
                self.report(shape::overflow(span));
                return None;
            };
            let id = self.axes.add(Some(input.name.name), size.clone());
            sides.push(Axis { id, size, from: span });
        }
        let is_matrix = sides.len() == 2 && def.inputs.iter().all(super::call::is_axis);
        let is_of = |side: &[Axis], axis: &Axis| side.iter().any(|other| other.id == axis.id);
        if is_matrix && (fans.iter().any(Vec::is_empty) || fans[0].iter().any(|axis| is_of(&fans[1], axis))) {
            self.report(told::matrix_needed(name, &self.show_axes(axes), span));
            return None;
        }
        let mut row = axes.to_vec();
        if is_matrix {
            row.retain(|axis| !fans.iter().any(|side| is_of(side, axis)));
        }
        let input = |side: &Axis| match is_matrix {
            true => Value::Axis(AxisArg { id: side.id, size: side.size.clone(), span }),
            false => Value::Int(side.size.clone()),
        };
        let call = super::call::Use {
            def,
            brackets: None,
            config: function.config.clone().unwrap_or_default(),
            inputs: sides.iter().map(|side| Given { name: None, value: input(side), span }).collect(),
            row: Some(row.clone()),
            place: Place::new(path.to_owned()),
            span,
        };
        let value = self.elaborate(scope, call);
        let value = self.tensor(value, span)?;
        if !is_matrix {
            return Some(value);
        }
        let matrices: Vec<Axis> = row.iter().chain(&sides).cloned().collect();
        let value = self.shaped(value, &plain(matrices), span)?;
        let apart = row.into_iter().chain(fans.into_iter().flatten()).collect();
        Some(self.push(ExprKind::Reshape(value), plain(apart), span))
    }

    /// Whether an optimizer for parameters of certain axes, `(p: [a, b], g: [a, b])`, is one for this parameter.
    pub(super) fn optimizer_takes(&mut self, def: &'a ast::Def, param: usize, span: Span) -> bool {
        let Some(ast::TypeKind::Tensor { axes, .. }) =
            def.inputs.first().and_then(|p| p.ty.as_ref()).map(|ty| &ty.kind)
        else {
            return true;
        };
        let param = self.store.params[param].clone();
        let has_row = axes.iter().any(|decl| matches!(decl, AxisDecl::Row(_)));
        if has_row || axes.len() == param.ty.axes.len() {
            return true;
        }
        let wanted = super::bind::show_decls(axes);
        let actual = self.show_axes(&param.ty.axes);
        self.report(told::optimizer_axes(def.name.name, &wanted, (&param.path, &actual), span, param.span));
        false
    }

    // ---- states

    /// `state mu[c] = 0`
    pub(super) fn declare_state(&mut self, scope: &mut Scope<'a>, var: &'a ast::StateVar) {
        let owner = match scope.body {
            Body::Layer => Owner::Layer,
            Body::Metric => Owner::Metric,
            Body::Optimizer => Owner::Optimizer,
            Body::Function | Body::Train | Body::Top => {
                let told = told::state_outside(var.name.name, var.name.span);
                self.report(self.as_layer(told, var.name.span));
                return self.bind_name(scope, var.name, Value::Error);
            }
        };
        let value = self.expr(scope, &var.init);
        let Some(init) = self.tensor(value, var.init.span) else {
            return self.bind_name(scope, var.name, Value::Error);
        };
        let axes = match &var.axes {
            Some(decls) => self.declared_axes(scope, decls),
            None => Some(self.ty(init).axes.clone()),
        };
        // Without a word it is of the float of its first value; a number is of f32.
        let dtype = match var.dtype {
            Some(_) => self.declared_float(Some(var.name), var.dtype),
            None if self.exprs[init.0 as usize].host => Some(DType::F32),
            None => Some(self.met(&[init])),
        };
        let ty = axes.zip(dtype).map(|(axes, dtype)| Type { dtype, ..plain(axes) });
        let Some((ty, init)) = ty.and_then(|ty| Some((ty.clone(), self.shaped(init, &ty, var.init.span)?))) else {
            return self.bind_name(scope, var.name, Value::Error);
        };
        let path = scope.place.join(var.name.name.as_str());
        let index = *self.store.state_paths.entry(path.clone()).or_insert_with(|| {
            self.store.states.push(typed::State { path, ty: ty.clone(), init, owner, load: None });
            self.store.states.len() - 1
        });
        if owner == Owner::Layer {
            self.store.states[index].load = self.store.states[index].load.or(self.loading);
        }
        let now = self.push(ExprKind::State(index), ty, var.name.span);
        scope.states.insert(var.name.name, LiveState { index, now, written: false, span: var.name.span });
    }

    /// `mu := …`
    pub(super) fn assign(&mut self, scope: &mut Scope<'a>, ident: ast::Ident, value: Value<'a>, span: Span) {
        if self.assign_carry(scope, ident, &value, span) {
            return;
        }
        let Some(state) = scope.states.get(&ident.name).cloned() else {
            if !matches!(scope.find(ident.name), Some(Value::Error)) {
                let known: Vec<&str> = scope.states.keys().map(|name| name.as_str()).collect();
                self.report(name::not_a_state(ident, &known, span));
                // The state that was meant is written; it is told once.
                let meant = crate::diag::nearest(ident.name.as_str(), known).map(Symbol::new);
                if let Some(state) = meant.and_then(|meant| scope.states.get_mut(&meant)) {
                    state.written = true;
                }
            }
            return;
        };
        let ty = self.ty(state.now).clone();
        let new = self.tensor(value, span).and_then(|new| self.shaped(new, &ty, span));
        // A wrong value was reported; the state counts as written.
        let now = new.unwrap_or(state.now);
        scope.states.insert(ident.name, LiveState { now, written: true, ..state });
    }

    /// Hands the states of a finished body to the section.
    pub(super) fn commit_states(&mut self, scope: &mut Scope<'a>) {
        let mut states: Vec<_> = scope.states.drain().collect();
        states.sort_by_key(|(_, state)| state.index);
        for (name, state) in states {
            match state.written {
                true if self.frozen > 0 => {}
                // A position would have to see what the one before wrote.
                true if !self.scans.is_empty() => self.report(told::state_in_scan(name, state.span)),
                true => self.store.pending.push((state.index, state.now)),
                false => self.report(told::state_unwritten(name, state.span, self.state_word(state.span))),
            }
        }
    }

    /// A scalar type check for what must be one number.
    pub(super) fn is_scalar(&self, id: ExprId) -> bool {
        self.ty(id).axes.is_empty() && self.ty(id).dtype.is_float()
    }

    /// Makes a type's axes the user's where a new tensor of the same type is needed.
    pub(super) fn gradient_of(&mut self, index: usize) -> ExprId {
        let param = self.store.params[index].clone();
        let ty = Type { kind: typed::Kind::Plain, dtype: param.ty.dtype.computed(), ..param.ty };
        self.push(ExprKind::Grad(index), ty, param.span)
    }
}
