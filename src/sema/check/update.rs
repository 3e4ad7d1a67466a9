//! `update Disc { … }`: which losses a step has, in what order, and what updates each parameter.
//!
//! In: the blocks of a section, the losses as elaborated. Out: the passes of a step. A block with a loss is a
//! pass of its own and trains what it names; the loss of the section trains the rest. A block without one
//! only chooses optimizer and limit for what it names, whatever pass that is in, and the last that names a
//! parameter wins.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::{Span, Symbol};
use crate::diag::{nearest, store as told_store, train as told, value as told_value};
use crate::ops::MapOp;
use crate::sema::dtype::DType;
use crate::sema::glob;
use crate::sema::typed::{
    Accumulate, Axis, Clip, Expr, ExprId, ExprKind, Fun, Owner, Pass, Section, State, Type, Update,
};
use crate::sema::value::{Callee, Function, Given, Place, Value};
use crate::syntax::ast::{self, DefKind, ExprKind as Ast, UpdateTarget};
use crate::syntax::print::{print_entry, print_expr};

use super::checker::{Checker, plain};
use super::section::{self, Block, Lines, Lost, Mode, Planned};

/// The settings of an `update` block.
const SETTINGS: &[&str] = &["loss", "optimizer", "clip", "repeat", "every", "freeze"];

/// Who chose something for a parameter: a block, or the section.
type Chooser = Option<usize>;

impl<'a> Block<'a> {
    /// A setting of the block.
    pub(super) fn get(&self, name: &str) -> Option<&'a ast::Expr> {
        self.settings.get(&Symbol::new(name)).map(|(expr, _)| *expr)
    }

    pub(super) fn names(&self, path: &str) -> bool {
        self.targets.iter().any(|target| names(target, path))
    }
}

/// Whether a target means a parameter of this path.
fn names(target: &UpdateTarget, path: &str) -> bool {
    match target {
        UpdateTarget::Path(idents) => {
            let mut parts = path.split('.');
            idents.iter().all(|ident| parts.next() == Some(ident.name.as_str()))
        }
        UpdateTarget::Glob(text, _) => glob::matches(text, path),
    }
}

/// Where a target stands, and what it says.
pub(super) fn shown(target: &UpdateTarget) -> (Span, String) {
    match target {
        UpdateTarget::Path(idents) => {
            let words: Vec<&str> = idents.iter().map(|ident| ident.name.as_str()).collect();
            (idents[0].span.to(idents[idents.len() - 1].span), words.join("."))
        }
        UpdateTarget::Glob(text, span) => (*span, text.clone()),
    }
}

impl<'a> Checker<'a> {
    /// Sorts the lines of a block; an unknown setting is an error.
    pub(super) fn update_block(&mut self, update: &'a ast::Update) -> Block<'a> {
        let mut settings: FxHashMap<Symbol, (&'a ast::Expr, Span)> = FxHashMap::default();
        for entry in &update.entries {
            let setting = match entry {
                ast::Entry::Setting(setting) => setting,
                ast::Entry::Let(binding) => {
                    self.report(told::let_in_update(&print_entry(entry), binding.span, update.span));
                    let (ast::Target::Names(names) | ast::Target::Fields(names)) = &binding.target;
                    self.misplaced.extend(names.iter().map(|ident| ident.name));
                    continue;
                }
                ast::Entry::Update(_) | ast::Entry::Varied { .. } | ast::Entry::Error(_) => continue,
            };
            for ident in self.names_of(setting) {
                let mut name = ident.name;
                if !SETTINGS.contains(&name.as_str()) {
                    let of_section: Vec<&str> = section::SETTINGS.iter().map(|(name, _)| *name).collect();
                    self.report(told::unknown_update_setting(*ident, SETTINGS, &of_section, setting.span));
                    // The setting that was meant is there; it is told once.
                    match nearest(name.as_str(), SETTINGS.iter().copied()) {
                        Some(meant) => name = Symbol::new(meant),
                        None => continue,
                    }
                }
                if let Some((_, first)) = settings.insert(name, (&setting.value, ident.span)) {
                    self.report(told::setting_twice(*ident, first, setting.span));
                }
            }
        }
        if !settings.contains_key(&Symbol::new("loss")) {
            for word in ["repeat", "every"] {
                if let Some((value, span)) = settings.get(&Symbol::new(word)) {
                    self.report(told::runs_without_loss(word, *span, span.to(value.span)));
                }
            }
        }
        Block { targets: &update.targets, settings, span: update.span }
    }

    /// The losses of a step in order: that of the section, then those of blocks.
    pub(super) fn plan(&self, lines: &Lines<'a>) -> Vec<Planned> {
        let with_loss: Vec<usize> =
            (0..lines.blocks.len()).filter(|&at| lines.blocks[at].get("loss").is_some()).collect();
        let mut plan = Vec::new();
        if lines.settings.contains_key(&Symbol::new("loss")) || with_loss.is_empty() {
            plan.push(Planned { block: None, name: String::new() });
        }
        plan.extend(with_loss.into_iter().map(|at| Planned { block: Some(at), name: String::new() }));
        if plan.len() > 1 {
            let mut taken: FxHashSet<String> = FxHashSet::default();
            for (number, planned) in plan.iter_mut().enumerate() {
                let target = planned.block.map(|at| &lines.blocks[at].targets[0]);
                let name = match target {
                    Some(UpdateTarget::Path(idents)) => {
                        idents.iter().map(|ident| ident.name.as_str()).collect::<Vec<_>>().join("_")
                    }
                    Some(UpdateTarget::Glob(..)) => (number + 1).to_string(),
                    None => "main".to_owned(),
                };
                planned.name = if taken.insert(name.clone()) { name } else { format!("{name}_{}", number + 1) };
            }
        }
        plan
    }

    /// The passes of a step, from what each loss came to.
    pub(super) fn passes(
        &mut self,
        mode: &mut Mode<'a>,
        lines: &Lines<'a>,
        train: &'a ast::Train,
        losses: Vec<Lost>,
    ) -> Vec<Pass> {
        self.frozen_by_name(lines);
        let known = !self.diagnostics.has_errors();
        if known {
            lines.blocks.iter().for_each(|block| self.targets_are_there(train, block));
        }
        let trained: Vec<usize> = (0..self.store.params.len()).filter(|&at| self.store.params[at].trained).collect();
        if known && trained.is_empty() && !self.store.params.is_empty() {
            let freeze = lines.settings.get(&Symbol::new("freeze")).map(|(value, name)| name.to(value.span));
            self.report(told::nothing_trained(train.models[0].value.span, freeze));
        }
        let accumulate = self.count(mode, "accumulate", self.chosen(lines, None, "accumulate"));
        let mut optimizers: FxHashMap<Chooser, Option<(Rc<Function<'a>>, Span)>> = FxHashMap::default();
        let mut without: Vec<usize> = trained.clone();
        let mut any_optimizer = false;
        let mut passes: Vec<Pass> = Vec::new();
        for lost in losses {
            let block = lost.planned.block.map(|at| &lines.blocks[at]);
            let params = self.trained_by(lines, lost.planned.block, &trained);
            self.learns(lines, train, &lost, &params, known);
            let mut pass = Pass { name: lost.planned.name, section: lost.section, ..Pass::default() };
            pass.repeat = self.count(mode, "repeat", block.and_then(|block| block.get("repeat")));
            pass.every = self.count(mode, "every", block.and_then(|block| block.get("every")));
            let mut clips: Vec<(Chooser, Vec<usize>)> = Vec::new();
            let mut chosen = Vec::new();
            for param in params {
                let chooser = self.chooser(lines, lost.planned.block, param, "optimizer");
                let optimizer = match optimizers.get(&chooser) {
                    Some(known) => known.clone(),
                    None => {
                        let made = self.optimizer(mode, lines, chooser);
                        optimizers.insert(chooser, made.clone());
                        made
                    }
                };
                let Some((optimizer, span)) = optimizer else { continue };
                any_optimizer = true;
                without.retain(|other| *other != param);
                chosen.push((param, optimizer, span));
                let chooser = self.chooser(lines, lost.planned.block, param, "clip");
                match clips.iter_mut().find(|(other, _)| *other == chooser) {
                    Some((_, params)) => params.push(param),
                    None => clips.push((chooser, vec![param])),
                }
            }
            let updates = self.with_totals(|this| {
                let updates = chosen.iter();
                let updates = updates.map(|(param, f, span)| this.update_of(mode, f, *param, &pass.name, *span));
                updates.collect::<Option<Vec<Update>>>()
            });
            let Some(updates) = updates else { return passes };
            pass.updates = updates;
            for (chooser, params) in clips {
                let Some(expr) = self.chosen(lines, chooser, "clip") else { continue };
                let Some(clip) = self.clip(mode, expr) else { continue };
                if let Clip::PerExample { .. } = clip {
                    self.has_rows(&pass.section, train, expr);
                }
                pass.clips.push((clip, params));
            }
            if accumulate > 1 {
                pass.accumulate = Some(self.accumulate(accumulate, &pass, train.span));
            }
            passes.push(pass);
        }
        if known && !self.diagnostics.has_errors() {
            self.left_over(lines, train, &without, any_optimizer || trained.is_empty(), &passes);
        }
        self.follow(&mut passes);
        passes
    }

    /// Reports a loss that has no gradient by each row.
    fn has_rows(&mut self, section: &Section, train: &ast::Train, clip: &ast::Expr) {
        let norm = match &clip.kind {
            Ast::Call(_, args) => match args.first() {
                Some(ast::Arg::Value(most)) => format!("norm({})", print_expr(most)),
                _ => "norm(1.0)".to_owned(),
            },
            _ => "norm(1.0)".to_owned(),
        };
        let clip = clip.span;
        let is_batch = |axis: &Axis| self.axes.show(axis.id) == "batch";
        let is_row =
            |expr: &Expr| matches!(expr.kind, ExprKind::Input(_)) && expr.ty.axes.first().is_some_and(is_batch);
        if let (Some((state, value)), Some(_)) = (section.states.first(), section.loss) {
            let state = self.store.states[*state].path.clone();
            let at = self.exprs[value.0 as usize].span;
            let is_batch_norm = self.is_named_at("BatchNorm", at);
            self.report(told::rows_share_state(&state, clip, at, norm, is_batch_norm));
        } else if !self.data_unknown && !self.exprs.iter().any(is_row) {
            self.report(told::no_rows(clip, train.data.span, norm));
        }
    }

    // ---- who is trained by what

    /// `freeze = "Net.body.**"`: parameters that get no update.
    fn frozen_by_name(&mut self, lines: &Lines<'a>) {
        let of_section = lines.settings.get(&Symbol::new("freeze")).map(|(expr, _)| (*expr, None));
        let of_blocks =
            lines.blocks.iter().enumerate().filter_map(|(at, block)| Some((block.get("freeze")?, Some(at))));
        let all: Vec<(&'a ast::Expr, Chooser)> = of_section.into_iter().chain(of_blocks).collect();
        for (expr, block) in all {
            let globs: Vec<(&'a str, Span)> = match &expr.kind {
                Ast::Str(text) => vec![(text, expr.span)],
                Ast::List(items) if items.iter().all(|item| matches!(item.kind, Ast::Str(_))) => items
                    .iter()
                    .filter_map(|item| match &item.kind {
                        Ast::Str(text) => Some((&**text, item.span)),
                        _ => None,
                    })
                    .collect(),
                _ => {
                    // A part of a run is meant by the text of its path.
                    let named = matches!(expr.kind, Ast::Name(_) | Ast::Field(..));
                    let first = self.store.params.first().and_then(|param| param.path.split('.').next());
                    let path = if named { print_expr(expr) } else { first.unwrap_or("Net").to_owned() };
                    self.report(told::setting_form("freeze", &format!("freeze = \"{path}.**\""), expr.span));
                    continue;
                }
            };
            for (text, span) in globs {
                let of_block = |path: &str| block.is_none_or(|at| lines.blocks[at].names(path));
                let mut found = false;
                for param in &mut self.store.params {
                    if of_block(&param.path) && glob::matches(text, &param.path) {
                        param.trained = false;
                        found = true;
                    }
                }
                if !found && !self.diagnostics.has_errors() {
                    self.no_such_parameter(text, span);
                }
            }
        }
    }

    fn no_such_parameter(&mut self, text: &str, span: Span) {
        let paths: Vec<&str> = self.store.params.iter().map(|param| &*param.path).collect();
        self.report(told::no_parameter_called(text, span, &paths));
    }

    /// A target that means no parameter.
    fn targets_are_there(&mut self, train: &'a ast::Train, block: &Block<'a>) {
        for target in block.targets {
            if self.store.params.iter().any(|param| names(target, &param.path)) {
                continue;
            }
            let (span, text) = shown(target);
            match target {
                UpdateTarget::Path(idents) => {
                    // Everything above a parameter can be named.
                    let parts = |path: &str| path.split('.').take(idents.len()).collect::<Vec<_>>().join(".");
                    let mut known: Vec<String> = self.store.params.iter().map(|param| parts(&param.path)).collect();
                    known.dedup();
                    let models: Vec<&str> =
                        train.models.iter().filter_map(|made| made.bound()).map(|s| s.as_str()).collect();
                    let known: Vec<&str> = known.iter().map(String::as_str).chain(models).collect();
                    self.report(told::no_such_target(&text, span, &known));
                }
                UpdateTarget::Glob(..) => self.no_such_parameter(&text, span),
            }
        }
    }

    /// The parameters that a pass trains.
    fn trained_by(&self, lines: &Lines<'a>, block: Chooser, trained: &[usize]) -> Vec<usize> {
        let path = |param: usize| &*self.store.params[param].path;
        let with_loss = |block: &&Block<'a>| block.get("loss").is_some();
        let is_here = |param: usize| match block {
            Some(at) => lines.blocks[at].names(path(param)),
            None => !lines.blocks.iter().filter(with_loss).any(|block| block.names(path(param))),
        };
        trained.iter().copied().filter(|&param| is_here(param)).collect()
    }

    /// Who chooses a setting for a parameter in a pass: the last block without a loss that names it, else the
    /// block of the pass, else the section.
    pub(super) fn chooser(&self, lines: &Lines<'a>, pass: Chooser, param: usize, setting: &str) -> Chooser {
        let path = &self.store.params[param].path;
        let chooses = |block: &Block<'a>| block.get(setting).is_some();
        let group =
            lines.blocks.iter().rposition(|block| block.get("loss").is_none() && chooses(block) && block.names(path));
        group.or(pass.filter(|&at| chooses(&lines.blocks[at])))
    }

    fn chosen(&self, lines: &Lines<'a>, chooser: Chooser, setting: &str) -> Option<&'a ast::Expr> {
        match chooser {
            Some(at) => lines.blocks[at].get(setting),
            None => lines.settings.get(&Symbol::new(setting)).map(|(expr, _)| *expr),
        }
    }

    /// A loss that depends on nothing it trains.
    fn learns(&mut self, lines: &Lines<'a>, train: &'a ast::Train, lost: &Lost, params: &[usize], known: bool) {
        let Some(loss) = lost.section.loss.filter(|_| known && !self.diagnostics.has_errors()) else { return };
        self.counts_with_classes(loss);
        let reached = self.reached_by(&[loss], false);
        if !params.is_empty() && !params.iter().any(|param| reached.contains(param)) {
            let span = match lost.planned.block {
                Some(at) => lines.blocks[at].get("loss").map_or(lines.blocks[at].span, |loss| loss.span),
                None => {
                    lines.settings.get(&Symbol::new("loss")).map_or(params_span(self, params), |(loss, _)| loss.span)
                }
            };
            let first = self.store.params[params[0]].path.clone();
            let target = lost.planned.block.map(|at| shown(&lines.blocks[at].targets[0]).1);
            let tree = match lost.planned.block {
                Some(at) => lines.blocks[at].get("loss"),
                None => lines.settings.get(&Symbol::new("loss")).map(|(loss, _)| *loss),
            };
            let stopped = tree.and_then(|loss| self.stopped(loss));
            let applied = tree.zip(target.as_ref()).and_then(|(loss, target)| self.other_model(train, target, loss));
            self.report(told::loss_without_target(target.as_deref(), &first, span, stopped, applied));
        }
    }

    // ---- what an update is

    fn optimizer(
        &mut self,
        mode: &mut Mode<'a>,
        lines: &Lines<'a>,
        chooser: Chooser,
    ) -> Option<(Rc<Function<'a>>, Span)> {
        let (value, span) = match chooser {
            None => self.setting(mode, lines, "optimizer".into())?,
            Some(at) => {
                let expr = lines.blocks[at].get("optimizer")?;
                self.needs(mode, lines, expr);
                (self.expr(&mut mode.scope, expr), expr.span)
            }
        };
        match value {
            Value::Function(f) if matches!(f.callee, Callee::Def(def) if def.kind == DefKind::Optimizer) => {
                Some((f, span))
            }
            Value::Error => None,
            other => {
                let told = told_value::expected("an optimizer", other.describe(), span);
                let is_number = matches!(other, Value::Int(_) | Value::Float(_));
                self.report(crate::diag::offer::optimizer(told, span, is_number));
                None
            }
        }
    }

    /// The update of one parameter.
    fn update_of(
        &mut self,
        mode: &mut Mode<'a>,
        optimizer: &Function<'a>,
        param: usize,
        pass: &str,
        span: Span,
    ) -> Option<Update> {
        let Callee::Def(def) = optimizer.callee else { return None };
        self.store.pending.clear();
        self.next_parameter();
        if !self.optimizer_takes(def, param, span) {
            return None;
        }
        let ty = self.store.params[param].ty.clone();
        let p = self.push(ExprKind::Param(param), ty.clone(), span);
        let g = self.gradient_of(param);
        let given = |id| Given { name: None, value: Value::Tensor(id), span };
        let path = &self.store.params[param].path;
        // Two passes may update one parameter, each with states of its own.
        let place = match pass.is_empty() {
            true => Place::new(format!("{}/{path}", def.name.name)),
            false => Place::new(format!("{}/{pass}/{path}", def.name.name)),
        };
        let value = self.elaborate(
            &mut mode.scope,
            super::call::Use {
                def,
                brackets: None,
                config: optimizer.config.clone().unwrap_or_default(),
                inputs: vec![given(p), given(g)],
                row: None,
                place,
                span,
            },
        );
        let new = self.tensor(value, span)?;
        let names: Vec<String> = ty.axes.iter().map(|axis| self.axes.show(axis.id)).collect();
        let new_ty = self.ty(new).clone();
        let fits = new_ty.axes.len() == ty.axes.len()
            && ty.axes.iter().all(|axis| self.find_axis(&new_ty.axes, axis.id).is_some());
        if !fits {
            let told = (self.show_type(&new_ty), format!("[{}]", names.join(", ")));
            self.report(told_store::update_axes(def.name.name, &told.0, &told.1, span));
            return None;
        }
        let new = self.as_dtype(new, ty.dtype, span);
        let new = self.push(ExprKind::Order(new), ty, span);
        Some(Update { param, value: new, states: std::mem::take(&mut self.store.pending) })
    }

    /// The states in which the gradients of several batches are summed up.
    fn accumulate(&mut self, batches: u64, pass: &Pass, span: Span) -> Accumulate {
        let prefix = if pass.name.is_empty() { "sum".to_owned() } else { format!("sum/{}", pass.name) };
        let sums = pass.updates.iter().map(|update| {
            let param = self.store.params[update.param].clone();
            let ty = Type { dtype: param.ty.dtype.computed(), ..param.ty };
            let init = self.filled(0.0, ty.dtype, ty.axes.clone(), param.span);
            self.kept(format!("{prefix}/{}", param.path), ty, init, Owner::Optimizer)
        });
        let sums = sums.collect();
        let none = self.number(0.0, DType::F32, span);
        let rows = self.kept(format!("{prefix}.rows"), plain(Vec::new()), none, Owner::Optimizer);
        Accumulate { batches, sums, rows }
    }

    /// A state that no body declares.
    pub(super) fn kept(&mut self, path: String, ty: Type, init: ExprId, owner: Owner) -> usize {
        *self.store.state_paths.entry(path.clone()).or_insert_with(|| {
            self.store.states.push(State { path, ty, init, owner, load: None });
            self.store.states.len() - 1
        })
    }

    /// Has the shadows of `ema` follow their parameters, behind the last update of each.
    fn follow(&mut self, passes: &mut [Pass]) {
        for (param, state, decay) in self.store.shadows.clone() {
            let Some(update) =
                passes.iter_mut().rev().find_map(|pass| pass.updates.iter_mut().find(|update| update.param == param))
            else {
                continue;
            };
            let (ty, span) = (self.store.states[state].ty.clone(), self.store.params[param].span);
            let dtype = ty.dtype;
            let axes = ty.axes.clone();
            let before = self.push(ExprKind::State(state), ty, span);
            let [keep, take] = [decay, 1.0 - decay].map(|factor| self.number(factor, DType::F32, span));
            let mut map = |op, parts| self.map(Fun::Map(op), parts, axes.clone(), DType::F32, span);
            let kept = map(MapOp::Mul, vec![keep, before]);
            let taken = map(MapOp::Mul, vec![take, update.value]);
            let new = map(MapOp::Add, vec![kept, taken]);
            let new = self.as_dtype(new, dtype, span);
            update.states.push((state, new));
        }
    }

    /// A count of a setting; 1 when it is not there.
    fn count(&mut self, mode: &mut Mode<'a>, name: &str, expr: Option<&'a ast::Expr>) -> u64 {
        let Some(expr) = expr else { return 1 };
        let value = self.expr(&mut mode.scope, expr);
        let Some(number) = self.static_number(&value, expr.span) else { return 1 };
        if number.fract() == 0.0 && (1.0..9e15).contains(&number) {
            return number as u64;
        }
        self.report(told::not_a_count(name, (number, ""), expr.span));
        1
    }

    /// The parameters that values depend on; through `stop_gradient` only when asked.
    pub(super) fn reached_by(&self, roots: &[ExprId], through_stops: bool) -> FxHashSet<usize> {
        let mut seen = vec![false; self.exprs.len()];
        let mut stack = roots.to_vec();
        let mut reached = FxHashSet::default();
        while let Some(id) = stack.pop() {
            if std::mem::replace(&mut seen[id.0 as usize], true) {
                continue;
            }
            let kind = &self.exprs[id.0 as usize].kind;
            match kind {
                ExprKind::Param(index) => {
                    reached.insert(*index);
                }
                ExprKind::StopGradient(_) if !through_stops => continue,
                _ => {}
            }
            kind.for_each_part(|part| stack.push(part));
        }
        reached
    }
}

/// Where the first of some parameters is declared.
fn params_span(checker: &Checker<'_>, params: &[usize]) -> Span {
    checker.store.params[params[0]].span
}
