//! `train Net on Iris { … }`: the section of a run becomes a typed program of its own.
//!
//! The section is elaborated twice: with `training` true for the loss and what layers keep, with it
//! false for the evaluation. Settings and `let`s may speak of each other in any order.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::{Span, Symbol};
use crate::diag::{nearest, shape, store as told_store, train as told, value as told_value};
use crate::ir::Dim;
use crate::ops::MapOp;
use crate::sema::dtype::DType;
use crate::sema::typed::Axis;
use crate::sema::typed::{Asker, Expr, ExprId, ExprKind, Fun, Metric, Owner, Section, Train};
use crate::sema::value::{Body, Callee, Place, Scope, Value};
use crate::syntax::ast::{self, ExprKind as Ast};
use crate::syntax::print::print_expr;

use super::checker::Checker;
use super::section::{Lines, Lost, Mode, Planned, SETTINGS};
use super::settings::metric_name;

impl<'a> Checker<'a> {
    /// Elaborates a run; none when it lacks what a run needs.
    pub(super) fn train(&mut self, train: &'a ast::Train) -> Option<Train> {
        self.exprs.clear();
        self.store = super::store::Store::default();
        self.demands.clear();
        self.checks.clear();
        let errors_before = self.diagnostics.has_errors();
        let lines = self.lines(train);
        self.told_of.clear();
        self.longest.clear();
        self.data_unknown = !self.globals.data.contains_key(&train.data.name);
        if self.data_unknown {
            let known: Vec<&str> = self.globals.data.keys().map(|name| name.as_str()).collect();
            self.report(told::unknown_data(train.data, &known));
        }
        let (inputs, columns) = self.inputs(train);

        let plan = self.plan(&lines);
        // An axis has one identity in the section, whichever mode met it first.
        let mut axes = FxHashMap::default();
        let mut losses: Vec<Lost> = Vec::new();
        let mut n_bindings = None;
        for planned in &plan {
            (self.training, self.asker) = (true, Asker::Step);
            self.store.start_section(&planned.name);
            let mut mode = self.mode(train, &lines, &columns);
            mode.scope.axes.extend(axes);
            let section = self.trained_section(&mut mode, &lines, train, planned);
            losses.push(Lost { planned: planned.clone(), section });
            n_bindings.get_or_insert(self.bindings.len());
            axes = mode.scope.axes;
        }

        self.training = false;
        self.shadow = self.ema_setting(&lines);
        self.store.start_section("");
        let mut mode = self.mode(train, &lines, &columns);
        mode.scope.axes.extend(axes);
        self.asker = Asker::Prediction;
        let predict = self.predictions(&mut mode, &lines);
        self.asker = Asker::Evaluation;
        let loss = self.evaluated_losses(&mut mode, &lines, train, &plan);
        let (metrics, states) = self.metrics(&mut mode, &lines);
        let metrics = loss.1.into_iter().chain(metrics).collect();
        let checks = std::mem::take(&mut self.checks);
        let evaluation = Section { loss: loss.0, metrics, predict, states, checks };
        self.shadow = None;
        self.forget_repeated_bindings(n_bindings.unwrap_or_default());

        let settings = self.settings(&mut mode, &lines, train, &losses, &evaluation.metrics);
        self.init(&lines, train);
        self.unreached_params(&losses, &evaluation);
        let has_loss = losses.iter().all(|lost| lost.section.loss.is_some());
        let passes = self.passes(&mut mode, &lines, train, losses);
        self.open_sizes();
        self.too_large();
        if self.diagnostics.has_errors() && !errors_before || !has_loss {
            return None;
        }
        let exprs = self.finished();
        let mut store = std::mem::take(&mut self.store);
        let types = store
            .params
            .iter_mut()
            .map(|param| &mut param.ty)
            .chain(store.states.iter_mut().map(|state| &mut state.ty));
        types.for_each(|ty| self.finish_type(ty));
        store.layers.iter_mut().flat_map(|layer| &mut layer.results).for_each(|ty| self.finish_type(ty));
        let mut inputs = inputs;
        inputs.iter_mut().for_each(|input| self.finish_type(&mut input.ty));
        Some(Train {
            models: train.models.iter().filter_map(ast::Made::bound).collect(),
            data: train.data.name,
            inputs,
            params: store.params,
            states: store.states,
            passes,
            evaluation,
            layers: store.layers,
            loads: store.loads,
            shadows: store.shadows.iter().map(|(param, state, _)| (*param, *state)).collect(),
            demands: self.demands_of(train.data.name),
            longest: std::mem::take(&mut self.longest),
            settings,
            exprs,
            span: train.span,
        })
    }

    /// Sorts the lines of a section; an unknown setting is an error.
    fn lines(&mut self, train: &'a ast::Train) -> Lines<'a> {
        let mut lines = Lines::default();
        for entry in &train.entries {
            match entry {
                ast::Entry::Let(binding) => {
                    let (ast::Target::Names(names) | ast::Target::Fields(names)) = &binding.target;
                    lines.bound.extend(names.iter().map(|ident| (ident.name, lines.lets.len())));
                    lines.lets.push(binding);
                }
                ast::Entry::Setting(setting) => {
                    for ident in self.names_of(setting) {
                        self.setting_line(&mut lines, *ident, setting, train);
                    }
                }
                ast::Entry::Update(update) => lines.blocks.push(self.update_block(update)),
                // The parser lets values vary in a `search` alone.
                ast::Entry::Varied { .. } | ast::Entry::Error(_) => {}
            }
        }
        for (setting, expr) in self.overrides {
            let is_setting = SETTINGS.iter().any(|(known, _)| *known == setting.as_str());
            if is_setting && !lines.bound.contains_key(setting) {
                lines.settings.insert(*setting, (expr, expr.span));
            }
        }
        lines
    }

    fn setting_line(
        &mut self,
        lines: &mut Lines<'a>,
        ident: ast::Ident,
        setting: &'a ast::Setting,
        train: &'a ast::Train,
    ) {
        if SETTINGS.iter().all(|(known, _)| *known != ident.name.as_str()) {
            let known: Vec<&str> = SETTINGS.iter().map(|(known, _)| *known).collect();
            let meant = nearest(ident.name.as_str(), known.iter().copied());
            let given = meant.is_some_and(|meant| train.sets(meant));
            let argument = self.of_the_optimizer(train, setting);
            self.report(told::unknown_setting(ident, meant, given, setting.span, argument));
            // The setting that was meant is there; it is told once.
            let other = match meant {
                Some("steps") => "epochs",
                Some("epochs") => "steps",
                _ => "",
            };
            if let Some(meant) = meant.filter(|_| !train.sets(other)) {
                lines.settings.entry(meant.into()).or_insert((&setting.value, ident.span));
            }
            return;
        }
        if let Some((_, first)) = lines.settings.insert(ident.name, (&setting.value, ident.span)) {
            self.report(told::setting_twice(ident, first, setting.span));
        }
    }

    /// The scope of one mode: the columns and the models.
    fn mode(&mut self, train: &'a ast::Train, lines: &Lines<'a>, columns: &[(Symbol, Value<'a>)]) -> Mode<'a> {
        let mut scope = Scope::new(Body::Train, train.span.file, Place::new(""));
        for (name, value) in columns {
            match value {
                // Axes with names are axes of the section.
                Value::Axis(axis) => {
                    scope.axes.insert(*name, axis.id);
                }
                other => scope.bind(*name, other.clone()),
            }
        }
        // A name in the head means what the file says, also where an instance before has the same.
        let made = train.models.iter().map(|made| (made.bound(), self.model_instance(&mut scope, made)));
        for (name, value) in made.collect::<Vec<_>>() {
            if let Some(name) = name {
                scope.bind(name, value);
            }
        }
        Mode { scope, values: FxHashMap::default(), lets_done: vec![false; lines.lets.len()] }
    }

    fn model_instance(&mut self, scope: &mut Scope<'a>, made: &'a ast::Made) -> Value<'a> {
        let span = made.value.span;
        // The name that an instance of another name has of its own is free for others.
        let place = scope.place.clone();
        if made.name.is_some() {
            scope.place = Place::new("");
        }
        let value = match self.expr(scope, &made.value) {
            Value::Function(f) if f.config.is_none() && self.takes_config(&f) => self.make(scope, &f, Vec::new(), span),
            other => other,
        };
        scope.place = place;
        match value {
            Value::Function(f) => match (&f.callee, made.name) {
                (Callee::Instance(def, _), Some(ident)) => {
                    Value::Function(std::rc::Rc::new(f.moved(def, ident.name.as_str().into())))
                }
                (Callee::Instance(..), None) => Value::Function(f),
                _ => self.fail(told_value::expected("a model", "a function", span)),
            },
            Value::Error => Value::Error,
            other => self.fail(told_value::expected("a model", other.describe(), span)),
        }
    }

    // ---- lines that speak of each other

    /// The value of a setting; what it speaks of is found first.
    pub(super) fn setting(
        &mut self,
        mode: &mut Mode<'a>,
        lines: &Lines<'a>,
        name: Symbol,
    ) -> Option<(Value<'a>, Span)> {
        let (expr, _) = *lines.settings.get(&name)?;
        if let Some(known) = mode.values.get(&name) {
            return Some((known.clone().unwrap_or(Value::Error), expr.span));
        }
        mode.values.insert(name, None);
        self.needs(mode, lines, expr);
        let value = self.expr(&mut mode.scope, expr);
        mode.values.insert(name, Some(value.clone()));
        if mode.scope.find(name).is_none() && matches!(value, Value::Tensor(_) | Value::Error) {
            mode.scope.bind(name, value.clone());
        }
        Some((value, expr.span))
    }

    /// Finds the `let`s and settings that an expression speaks of.
    pub(super) fn needs(&mut self, mode: &mut Mode<'a>, lines: &Lines<'a>, expr: &'a ast::Expr) {
        let mut names = Vec::new();
        expr.walk(&mut |part| {
            if let Ast::Name(name) = part.kind {
                names.push((name, part.span));
            }
        });
        for (name, span) in names {
            if let Some(&at) = lines.bound.get(&name) {
                if !std::mem::replace(&mut mode.lets_done[at], true) {
                    self.needs(mode, lines, &lines.lets[at].value);
                    self.bind_let(&mut mode.scope, lines.lets[at]);
                }
            } else if mode.scope.find(name).is_none() && lines.settings.contains_key(&name) && is_value(name) {
                if let Some(None) = mode.values.get(&name) {
                    self.report(told::circular(name, span));
                    mode.scope.bind(name, Value::Error);
                    continue;
                }
                self.setting(mode, lines, name);
            }
        }
    }

    // ---- what a run computes

    fn loss(
        &mut self,
        mode: &mut Mode<'a>,
        lines: &Lines<'a>,
        train: &ast::Train,
        planned: &Planned,
    ) -> Option<ExprId> {
        let of_block = planned.block.and_then(|at| lines.blocks[at].get("loss"));
        let value = match of_block {
            Some(expr) => {
                self.needs(mode, lines, expr);
                Some((self.expr(&mut mode.scope, expr), expr.span))
            }
            None => self.setting(mode, lines, "loss".into()),
        };
        let Some((value, span)) = value else {
            self.report(told::missing_setting("loss", train.span, train.data.span));
            return None;
        };
        let id = self.tensor(value, span)?;
        if !self.is_scalar(id) {
            let told = told::loss_not_scalar(&self.show_type(self.ty(id)), span);
            self.report(told);
            return None;
        }
        // What a run reports is of f32.
        let id = self.as_dtype(id, DType::F32, span);
        Some(id)
    }

    /// A loss with its penalties, while training.
    fn trained_section(
        &mut self,
        mode: &mut Mode<'a>,
        lines: &Lines<'a>,
        train: &ast::Train,
        planned: &Planned,
    ) -> Section {
        let loss = self.loss(mode, lines, train, planned);
        let predict = match self.store.is_first {
            true => predicted_by_the_loss(mode, lines),
            false => Vec::new(),
        };
        let states = self.layer_states();
        let mut penalties: Vec<Metric> = Vec::new();
        for (name, value) in std::mem::take(&mut self.store.penalties) {
            match penalties.iter_mut().find(|penalty| penalty.name == name.as_str()) {
                Some(penalty) => penalty.value = self.sum_of(penalty.value, value),
                None => penalties.push(Metric { name: name.to_string(), value, states: Vec::new() }),
            }
        }
        let loss = loss.map(|loss| penalties.iter().fold(loss, |sum, penalty| self.sum_of(sum, penalty.value)));
        Section { loss, metrics: penalties, predict, states, checks: std::mem::take(&mut self.checks) }
    }

    /// The losses in evaluation: their sum, and each by its name when there are several.
    fn evaluated_losses(
        &mut self,
        mode: &mut Mode<'a>,
        lines: &Lines<'a>,
        train: &ast::Train,
        plan: &[Planned],
    ) -> (Option<ExprId>, Vec<Metric>) {
        let mut sum = None;
        let mut each = Vec::new();
        for planned in plan {
            let Some(loss) = self.loss(mode, lines, train, planned) else { continue };
            sum = Some(sum.map_or(loss, |sum| self.sum_of(sum, loss)));
            if !planned.name.is_empty() {
                each.push(Metric { name: format!("loss_{}", planned.name), value: loss, states: Vec::new() });
            }
        }
        (sum, each)
    }

    /// The sum of two scalars.
    fn sum_of(&mut self, a: ExprId, b: ExprId) -> ExprId {
        let span = self.exprs[a.0 as usize].span;
        self.map(Fun::Map(MapOp::Add), vec![a, b], Vec::new(), DType::F32, span)
    }

    fn layer_states(&mut self) -> Vec<(usize, ExprId)> {
        let pending = std::mem::take(&mut self.store.pending);
        pending.into_iter().filter(|(index, _)| self.store.states[*index].owner == Owner::Layer).collect()
    }

    /// `metrics = [accuracy(predict, y)]` or `{ acc: accuracy(predict, y) }`
    fn metrics(&mut self, mode: &mut Mode<'a>, lines: &Lines<'a>) -> (Vec<Metric>, Vec<(usize, ExprId)>) {
        let Some(&(expr, _)) = lines.settings.get(&Symbol::new("metrics")) else { return Default::default() };
        let named: Vec<(String, &'a ast::Expr)> = match &expr.kind {
            Ast::List(items) => items.iter().map(|item| (metric_name(item), item)).collect(),
            Ast::Record(fields) => fields.iter().map(|(ident, value)| (ident.name.to_string(), value)).collect(),
            _ => vec![(metric_name(expr), expr)],
        };
        let whole = expr;
        let mut last: Option<Span> = None;
        let mut before: Vec<(String, String)> = Vec::new();
        let mut metrics: Vec<Metric> = Vec::new();
        let mut updates = Vec::new();
        for (name, expr) in named {
            let this = (name.clone(), print_expr(expr));
            let again = last.filter(|_| before.contains(&this)).map(|last| last.after().to(expr.span));
            last = Some(expr.span);
            before.push(this);
            if metrics.iter().any(|metric| metric.name == name) || name == "loss" {
                self.report(told::metric_name_taken(&name, expr.span, again, self.with_names(whole, &[])));
                continue;
            }
            self.needs(mode, lines, expr);
            self.store.pending.clear();
            let place = std::mem::replace(&mut mode.scope.place, Place::new(format!("metrics.{name}")));
            let value = self.expr(&mut mode.scope, expr);
            mode.scope.place = place;
            let Some(id) = self.tensor(value, expr.span) else { continue };
            if !self.is_scalar(id) && !self.is_table(id) {
                let told = told::metric_not_scalar(&name, &self.show_type(self.ty(id)), expr.span);
                self.report(told);
                continue;
            }
            let id = self.as_dtype(id, DType::F32, expr.span);
            let pending = std::mem::take(&mut self.store.pending);
            let states = pending.into_iter().filter(|(index, _)| self.store.states[*index].owner == Owner::Metric);
            let states: Vec<(usize, ExprId)> = states.collect();
            metrics.push(Metric { name, value: id, states: states.iter().map(|(index, _)| *index).collect() });
            updates.extend(states);
        }
        (metrics, updates)
    }

    /// One or two axes of sizes that every batch has: what is reported as a table.
    fn is_table(&self, id: ExprId) -> bool {
        let ty = self.ty(id);
        let known = |axis: &Axis| self.sizes.resolve(&axis.size).as_const().is_some();
        ty.dtype.is_float() && matches!(ty.axes.len(), 1 | 2) && ty.axes.iter().all(known)
    }

    fn predictions(&mut self, mode: &mut Mode<'a>, lines: &Lines<'a>) -> Vec<(String, ExprId)> {
        let Some((value, span)) = self.setting(mode, lines, "predict".into()) else { return Vec::new() };
        match value {
            Value::Record(fields) => {
                let parts =
                    fields.into_iter().filter_map(|(name, value)| Some((name.to_string(), self.tensor(value, span)?)));
                parts.collect()
            }
            value => self.tensor(value, span).map(|id| (String::new(), id)).into_iter().collect(),
        }
    }

    // ---- what must hold in the end

    /// A parameter that nothing reads.
    fn unreached_params(&mut self, losses: &[Lost], evaluation: &Section) {
        // Without its loss, what a run reads is not known; that was told.
        if losses.iter().any(|lost| lost.section.loss.is_none()) {
            return;
        }
        let mut roots: Vec<ExprId> = evaluation.loss.into_iter().collect();
        for Lost { section, .. } in losses {
            roots.extend(section.loss.into_iter().chain(section.states.iter().map(|(_, id)| *id)));
        }
        roots.extend(evaluation.metrics.iter().map(|metric| metric.value));
        roots.extend(evaluation.predict.iter().map(|(_, id)| *id));
        if self.diagnostics.has_errors() {
            return;
        }
        let reached = self.reached_by(&roots, true);
        let shadowed: FxHashSet<usize> = self.store.shadows.iter().map(|(param, ..)| *param).collect();
        for index in 0..self.store.params.len() {
            if !reached.contains(&index) && !shadowed.contains(&index) {
                let param = &self.store.params[index];
                let told = told_store::param_unused(&param.path, param.span);
                self.report(told);
            }
        }
    }

    /// Sizes that nothing fixed.
    fn open_sizes(&mut self) {
        let mut told: FxHashSet<String> = FxHashSet::default();
        for index in 0..self.store.params.len() {
            let param = self.store.params[index].clone();
            for axis in &param.ty.axes {
                let name = self.axes.show(axis.id);
                if self.sizes.is_open(&axis.size) && told.insert(name.clone()) && !self.diagnostics.has_errors() {
                    let declared = self.unsized_axis(axis.from, &name);
                    self.report(shape::size_not_fixed(&name, &param.path, axis.from, declared));
                }
            }
        }
    }

    /// A tensor with more elements than a 64-bit number counts, whatever the batch is.
    fn too_large(&mut self) {
        let counts = |expr: &Expr| {
            let sizes: Vec<Dim> = expr.ty.axes.iter().map(|axis| self.sizes.resolve(&axis.size)).collect();
            // Bytes, of four an element.
            Dim::product(&sizes).and_then(|count| count.mul(&Dim::constant(4))).is_ok()
        };
        if let Some(expr) = self.exprs.iter().find(|expr| !counts(expr)) {
            let told = shape::too_large(&self.show_type(&expr.ty), expr.span);
            self.report(told);
        }
    }

    /// All expressions, with everything known put in.
    pub(super) fn finished(&mut self) -> Vec<Expr> {
        let mut exprs = std::mem::take(&mut self.exprs);
        for expr in &mut exprs {
            self.finish_type(&mut expr.ty);
            self.finish_kind(&mut expr.kind);
        }
        exprs
    }

    /// Puts everything known into the sizes an expression holds itself.
    fn finish_kind(&self, kind: &mut ExprKind) {
        match kind {
            ExprKind::Size(dim)
            | ExprKind::Slice { start: dim, .. }
            | ExprKind::Select { at: dim, .. }
            | ExprKind::Scan { count: dim, .. } => *dim = self.sizes.resolve(dim),
            ExprKind::Window { along, .. } => along.iter_mut().for_each(|along| along.b = self.sizes.resolve(&along.b)),
            _ => {}
        }
        kind.for_each_axis(|axis| *axis = self.axes.find(*axis));
    }

    /// The second elaboration binds the same names; the first is the one to show.
    pub(super) fn forget_repeated_bindings(&mut self, keep: usize) {
        let known: FxHashSet<Span> = self.bindings[..keep].iter().map(|binding| binding.span).collect();
        let mut at = 0;
        self.bindings.retain(|binding| {
            at += 1;
            at <= keep || !known.contains(&binding.span)
        });
    }
}

/// What the loss made of the prediction on its way. Nothing is elaborated for it: a use of a layer that only the
/// prediction has is none of training.
fn predicted_by_the_loss(mode: &Mode<'_>, lines: &Lines<'_>) -> Vec<(String, ExprId)> {
    let predict = Symbol::new("predict");
    let known = mode.values.get(&predict).and_then(Option::as_ref);
    let named = || match lines.settings.get(&predict)?.0.kind {
        Ast::Name(name) => mode.scope.find(name),
        _ => None,
    };
    match known.or_else(named) {
        Some(Value::Tensor(id)) => vec![(String::new(), *id)],
        Some(Value::Record(fields)) => {
            let tensor = |(name, value): &(Symbol, Value<'_>)| match value {
                Value::Tensor(id) => Some((name.to_string(), *id)),
                _ => None,
            };
            fields.iter().filter_map(tensor).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether a setting has a value; `log = every(10 steps)` has none, and `log(x)` beside it is the function.
fn is_value(name: Symbol) -> bool {
    SETTINGS.iter().any(|(known, has_value)| *has_value && *known == name.as_str())
}
