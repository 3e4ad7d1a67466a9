//! Where a line or a value of a run should stand instead, for edits.
//!
//! In: the tree of a section and what is wrong in it. Out: places and words. Only messages ask.

use rustc_hash::FxHashSet;

use crate::base::{Span, Symbol, numbered};
use crate::sema::resolve::Global;
use crate::sema::typed::Demand;
use crate::syntax::ast::{self, ExprKind as Ast};
use crate::syntax::print::print_expr;
use crate::syntax::sort::sort;

use super::checker::Checker;
use super::settings::{metric_name, metric_names};

impl<'a> Checker<'a> {
    /// The argument of the optimizer that a line of the section is, and the words that give it its value there:
    /// `learning_rate = 0.1` is the `lr` of `Adam(lr = 1e-3)`.
    pub(super) fn of_the_optimizer(
        &self,
        train: &'a ast::Train,
        setting: &ast::Setting,
    ) -> Option<(Symbol, Span, String)> {
        let name = setting.names.first()?.name;
        let made = train.setting(Symbol::new("optimizer"))?;
        let Ast::Call(callee, args) = &made.kind else { return None };
        let Ast::Name(callee) = callee.kind else { return None };
        let Global::Def(def) = self.globals.find(callee, made.span.file)? else { return None };
        let letters: String = name.as_str().split('_').filter_map(|word| word.chars().next()).collect();
        let last = name.as_str().rsplit('_').next().unwrap_or_default();
        let is_meant =
            |known: Symbol| known == name || known.as_str() == last || letters.len() > 1 && known.as_str() == letters;
        let argument = def.config.iter().flatten().find(|param| is_meant(param.name.name))?.name.name;
        let value = print_expr(&setting.value);
        let given = args.iter().find_map(|arg| match arg {
            ast::Arg::Set(ident, given) if ident.name == argument => Some(given.span),
            _ => None,
        });
        if let Some(given) = given {
            return Some((argument, given, value));
        }
        // One that is given by its place may be this one.
        let end = Span { start: made.span.end.checked_sub(1)?, ..made.span };
        match &args[..] {
            [] => Some((argument, end.before(), format!("{argument} = {value}"))),
            _ if args.iter().all(|arg| matches!(arg, ast::Arg::Set(..))) => {
                Some((argument, end.before(), format!(", {argument} = {value}")))
            }
            _ => None,
        }
    }

    /// What this run asks of its batches, with the number that its data writes for their rows.
    pub(super) fn demands_of(&mut self, data: Symbol) -> Vec<Demand> {
        let mut demands = std::mem::take(&mut self.demands);
        let batch = self.data_setting(data, "batch").and_then(|value| match value.kind {
            Ast::Number(number) => Some((number.value as i64, value.span)),
            _ => None,
        });
        demands.iter_mut().for_each(|demand| demand.batch = batch);
        demands
    }

    /// The words that give a part of the data rows, in the `split` of the run around a place: a tenth, off the training
    /// rows.
    pub(super) fn rows_for(&self, part: &str, place: Span) -> Vec<(Span, String)> {
        let words = || {
            let split = self.data_setting(self.run_around(place)?.data.name, "split")?;
            let Ast::Call(_, args) = &split.kind else { return None };
            let share = args.iter().find_map(|arg| match arg {
                ast::Arg::Set(ident, ast::Expr { kind: Ast::Number(number), span })
                    if ident.name.as_str() == "train" && number.is_percent && number.value > 0.2 =>
                {
                    Some((*span, (number.value * 100.0).round() - 10.0))
                }
                _ => None,
            })?;
            let (span, percent) = share;
            let end = args.last()?.span().after();
            Some(vec![(span, format!("{percent}%")), (end, format!(", {part} = 10%"))])
        };
        words().unwrap_or_default()
    }

    /// A setting of data.
    fn data_setting(&self, data: Symbol, name: &str) -> Option<&'a ast::Expr> {
        self.globals.data.get(&data)?.setting(Symbol::new(name))
    }

    /// The metrics as a record in which each has a name of its own, as edits of their text; `penalties` are taken.
    pub(super) fn with_names(&self, metrics: &ast::Expr, penalties: &[String]) -> Vec<(Span, String)> {
        let mut taken: FxHashSet<String> = penalties.iter().cloned().chain(["loss".to_owned()]).collect();
        let mut free = |name: &str| {
            let free = match taken.contains(name) {
                true => numbered(&format!("{name}_"), |name| !taken.contains(name)),
                false => name.to_owned(),
            };
            taken.insert(free.clone());
            free
        };
        let span = metrics.span;
        match &metrics.kind {
            Ast::List(items) => {
                let open = Span { end: span.start + 1, ..span };
                let close = Span { start: span.end - 1, ..span };
                let names = metric_names(metrics);
                let named = items.iter().zip(names).map(|(item, name)| (item.span.before(), free(&name) + ": "));
                let named: Vec<(Span, String)> = named.collect();
                [(open, "{ ".to_owned())].into_iter().chain(named).chain([(close, " }".to_owned())]).collect()
            }
            Ast::Record(fields) => {
                let renamed = fields.iter().map(|(ident, _)| (ident.span, ident.name, free(ident.name.as_str())));
                renamed.filter(|(_, old, new)| old.as_str() != new).map(|(span, _, new)| (span, new)).collect()
            }
            _ => {
                let name = free(&metric_name(metrics));
                vec![(span.before(), format!("{{ {name}: ")), (span.after(), " }".to_owned())]
            }
        }
    }

    /// The one call of `stop_gradient` in an expression, as what to leave out.
    pub(super) fn stopped(&self, loss: &'a ast::Expr) -> Option<Vec<Span>> {
        let mut found = Vec::new();
        let is_stop = |expr: &ast::Expr| matches!(expr.kind, Ast::Name(name) if name.as_str() == "stop_gradient");
        loss.walk(&mut |part| match &part.kind {
            Ast::Call(callee, args) if is_stop(callee) => {
                if let [ast::Arg::Value(inner)] = &args[..] {
                    found.push(vec![
                        part.span.before().to(inner.span.before()),
                        inner.span.after().to(part.span.after()),
                    ]);
                }
            }
            Ast::Pipe(stages) => {
                let pairs = stages.windows(2).filter(|pair| is_stop(&pair[1]));
                found.extend(pairs.map(|pair| vec![pair[0].span.after().to(pair[1].span)]));
            }
            _ => {}
        });
        match &mut found[..] {
            [only] => Some(std::mem::take(only)),
            _ => None,
        }
    }

    /// The one other model that an expression applies.
    pub(super) fn other_model(
        &self,
        train: &'a ast::Train,
        model: &str,
        loss: &'a ast::Expr,
    ) -> Option<(Symbol, Span)> {
        let models: Vec<Symbol> = train.models.iter().filter_map(ast::Made::bound).collect();
        if !models.iter().any(|known| known.as_str() == model) {
            return None;
        }
        let mut applied = Vec::new();
        loss.walk(&mut |part| {
            if let Ast::Name(name) = part.kind
                && models.contains(&name)
            {
                applied.push((name, part.span));
            }
        });
        match applied[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The one literal that a named argument of this name has in a run.
    pub(super) fn argument_of(&self, run: &'a ast::Train, name: Symbol) -> Option<&'a ast::Expr> {
        let mut found = Vec::new();
        let settings = run.entries.iter().filter_map(|entry| match entry {
            ast::Entry::Setting(setting) => Some(&setting.value),
            _ => None,
        });
        for value in run.models.iter().map(|made| &made.value).chain(settings) {
            value.walk(&mut |part| {
                let Ast::Call(_, args) = &part.kind else { return };
                found.extend(args.iter().filter_map(|arg| match arg {
                    ast::Arg::Set(ident, value) if ident.name == name => Some(value),
                    _ => None,
                }));
            });
        }
        match found[..] {
            [only] if sort(only).is_some() => Some(only),
            _ => None,
        }
    }

    /// What `Net.Dense.h` means: the value of `h` in the one use of `Dense` in the body of `Net`.
    pub(super) fn deeper(&self, path: &[ast::Ident]) -> Option<&'a ast::Expr> {
        let [model, layer, name] = path else { return None };
        let Global::Def(def) = self.globals.find(model.name, model.span.file)? else { return None };
        if def.span.file != model.span.file {
            return None;
        }
        let mut found = Vec::new();
        def.body.walk(&mut |part| {
            let Ast::Call(callee, args) = &part.kind else { return };
            if !matches!(callee.kind, Ast::Name(known) if known == layer.name) {
                return;
            }
            found.extend(args.iter().filter_map(|arg| match arg {
                ast::Arg::Set(ident, value) | ast::Arg::Axis(ident, value) if ident.name == name.name => Some(value),
                _ => None,
            }));
        });
        match found[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Whether a layer is named at this place.
    pub(super) fn is_named_at(&self, name: &str, at: Span) -> bool {
        self.expr_at(at).is_some_and(|expr| matches!(expr.kind, Ast::Name(known) if known.as_str() == name))
    }
}
