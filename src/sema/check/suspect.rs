//! What a run does that is probably not meant.
//!
//! In: the losses as elaborated, the passes of a step. Out: warnings, for the numbers of classes in a loss that takes them for
//! quantities, parameters that nothing updates or that two passes update, models that no loss uses, blocks that choose for
//! none.

use rustc_hash::FxHashMap;

use crate::diag::train as told;
use crate::ops::MapOp;
use crate::sema::typed::{ExprId, ExprKind, Fun, Kind, Pass};
use crate::syntax::ast;
use crate::syntax::print::print_entry;

use super::checker::Checker;
use super::section::Lines;
use super::update::shown;

impl<'a> Checker<'a> {
    /// A loss that takes the numbers of classes for quantities.
    pub(super) fn counts_with_classes(&mut self, loss: ExprId) {
        let mut seen = vec![false; self.exprs.len()];
        let mut stack = vec![loss];
        while let Some(id) = stack.pop() {
            if std::mem::replace(&mut seen[id.0 as usize], true) {
                continue;
            }
            let kind = &self.exprs[id.0 as usize].kind;
            if let ExprKind::Map(Fun::Map(MapOp::Cast(to)), parts) = kind
                && to.is_float()
                && !self.store.meant.contains(&id)
                && let Kind::Index(axis) = self.ty(parts[0]).kind
                && let Some(column) = self.column_shown(parts[0])
                // Two classes are 0 and 1, which may well be a probability.
                && self.sizes.resolve(&self.axes.size(axis)).as_const().is_none_or(|classes| classes > 2)
            {
                let span = self.exprs[id.0 as usize].span;
                let column = self.column_within(column, span);
                return self.report(told::counts_with_classes(&self.axes.show(axis), span, column));
            }
            // A comparison tells classes apart, and measures nothing.
            if !matches!(kind, ExprKind::Map(Fun::Map(MapOp::Cmp(_)), _)) {
                kind.for_each_part(|part| stack.push(part));
            }
        }
    }

    /// The column of the data that an expression shows in another form.
    fn column_shown(&self, mut id: ExprId) -> Option<usize> {
        loop {
            match &self.exprs[id.0 as usize].kind {
                ExprKind::Input(column) => return Some(*column),
                ExprKind::Relabel(x) | ExprKind::Order(x) | ExprKind::Expand(x) | ExprKind::StopGradient(x) => id = *x,
                ExprKind::Slice { x, .. } | ExprKind::Select { x, .. } => id = *x,
                _ => return None,
            }
        }
    }

    /// What is left in the end: parameters that nothing updates, models that no loss uses, blocks that choose for none.
    pub(super) fn left_over(
        &mut self,
        lines: &Lines<'a>,
        train: &'a ast::Train,
        without: &[usize],
        any_optimizer: bool,
        passes: &[Pass],
    ) {
        if !any_optimizer {
            return self.report(told::missing_setting("optimizer", train.span, train.data.span));
        }
        for (at, made) in train.models.iter().enumerate() {
            let Some(name) = made.bound() else { continue };
            // Of data that could not be read nothing is applied to anything.
            if !self.data_unknown && !self.store.is_listed(name.as_str()) {
                // With the comma before it, or behind the first.
                let surplus = match at.checked_sub(1) {
                    Some(before) => Some(train.models[before].span().after().to(made.span())),
                    None => train.models.get(1).map(|next| made.span().to(next.span().before())),
                };
                self.report(told::model_in_no_loss(name, made.value.span, surplus));
            }
        }
        if !without.is_empty() {
            let paths: Vec<&str> = without.iter().map(|&param| &*self.store.params[param].path).collect();
            self.report(told::nothing_updates(&paths, train.data.span, train.span.inner_end()));
        }
        for (at, block) in lines.blocks.iter().enumerate() {
            if block.get("loss").is_some() || block.get("optimizer").is_none() {
                continue;
            }
            let mut mine =
                self.store.params.iter().enumerate().filter(|(_, param)| param.trained && block.names(&param.path));
            let winner = |param: usize| self.chooser(lines, None, param, "optimizer");
            let taken = mine.next().map(|(param, _)| winner(param)).filter(|by| *by != Some(at));
            if let Some(Some(by)) = taken
                && mine.all(|(param, _)| winner(param) != Some(at))
            {
                let is_block =
                    |entry: &&ast::Entry| matches!(entry, ast::Entry::Update(update) if update.span == block.span);
                let text = train.entries.iter().find(is_block).map(print_entry).unwrap_or_default();
                let told = told::update_taken(&shown(&block.targets[0]).1, &text, block.span, lines.blocks[by].span);
                self.report(told);
            }
        }
        // One parameter in two passes is moved by both, each with states of its own.
        let mut first: FxHashMap<usize, usize> = FxHashMap::default();
        let mut twice: Option<(usize, usize, usize)> = None;
        for (at, pass) in passes.iter().enumerate() {
            for update in &pass.updates {
                match first.get(&update.param) {
                    Some(&before) => twice = twice.or(Some((update.param, before, at))),
                    None => {
                        first.insert(update.param, at);
                    }
                }
            }
        }
        if let Some((param, before, after)) = twice {
            let spans = [before, after].map(|at| {
                let name = &passes[at].name;
                let planned = self.plan(lines).into_iter().find(|planned| planned.name == *name);
                planned.and_then(|planned| planned.block).map_or(train.data.span, |at| lines.blocks[at].span)
            });
            self.report(told::updated_twice(&self.store.params[param].path.clone(), spans[0], spans[1]));
        }
    }
}
