//! The settings of a run that are no computation: how long, which seed, when to stop, what to keep.

use rustc_hash::FxHashSet;

use crate::base::{Span, Symbol};
use crate::diag::train as told;
use crate::sema::typed::{Clip, Keep, Length, Metric, Settings, Stop, StopRule, Train, Watched, lower_is_better};
use crate::syntax::ast::{self, ExprKind as Ast};

use super::checker::Checker;

use super::section::{Lines, Lost, Mode};

/// What a run reports and may watch.
pub(super) struct Reported {
    names: Vec<String>,
    /// Those of the names that are no single number, and what they are.
    tables: Vec<(String, String)>,
    /// Those that are a number and fit the place: what a message offers.
    offered: Vec<String>,
}

impl Reported {
    /// What a run that is checked reports.
    fn new(names: Vec<String>, tables: Vec<(String, String)>) -> Reported {
        let is_number = |name: &&String| tables.iter().all(|(table, _)| table != *name);
        let offered = names.iter().filter(is_number).cloned().collect();
        Reported { names, tables, offered }
    }

    /// Offers those alone that fit.
    pub(super) fn only(mut self, fits: impl Fn(&str) -> bool) -> Reported {
        self.offered.retain(|name| fits(name));
        self
    }

    /// What a run that is checked reports.
    pub(super) fn of(checker: &Checker<'_>, train: &Train) -> Reported {
        let sections = train.passes.iter().map(|pass| &pass.section).chain([&train.evaluation]);
        let metrics: Vec<&Metric> = sections.flat_map(|section| &section.metrics).collect();
        let names = metrics.iter().map(|metric| metric.name.clone());
        let ty = |metric: &Metric| &train.exprs[metric.value.0 as usize].ty;
        let tables = metrics.iter().filter(|metric| !ty(metric).axes.is_empty());
        Reported::new(
            std::iter::once("loss".to_owned()).chain(names).collect(),
            tables.map(|metric| (metric.name.clone(), checker.show_type(ty(metric)))).collect(),
        )
    }
}

impl<'a> Checker<'a> {
    pub(super) fn settings(
        &mut self,
        mode: &mut Mode<'a>,
        lines: &Lines<'a>,
        train: &ast::Train,
        losses: &[Lost],
        metrics: &[Metric],
    ) -> Settings {
        let whole = |this: &mut Self, mode: &mut Mode<'a>, name: &str, least: f64| -> Option<u64> {
            let (value, span) = this.setting(mode, lines, name.into())?;
            let number = this.static_number(&value, span)?;
            if number.fract() != 0.0 || number < least || number > 9e15 {
                this.report(told::not_a_count(name, (number, ""), span));
                return None;
            }
            Some(number as u64)
        };
        let seed = whole(self, mode, "seed", 0.0).unwrap_or(0);
        let length = match (lines.settings.get(&Symbol::new("epochs")), lines.settings.get(&Symbol::new("steps"))) {
            (Some((of_epochs, epochs)), Some((of_steps, steps))) => {
                let line = |ident: &Span, value: &ast::Expr| (*ident, ident.to(value.span));
                self.report(told::epochs_and_steps(line(epochs, of_epochs), line(steps, of_steps)));
                Length::Epochs(1)
            }
            (_, Some(_)) => Length::Steps(whole(self, mode, "steps", 1.0).unwrap_or(1)),
            (Some(_), None) => Length::Epochs(whole(self, mode, "epochs", 1.0).unwrap_or(1)),
            (None, None) => {
                self.report(told::missing_setting("epochs", train.span, train.data.span));
                Length::Epochs(1)
            }
        };
        let reported = Reported::new(self.reported(lines, losses), self.tables(metrics));
        let stop = lines.settings.get(&Symbol::new("stop")).map(|(expr, _)| self.stop(mode, expr, &reported));
        let keep = lines.settings.get(&Symbol::new("keep")).and_then(|(expr, _)| self.keep(expr, &reported));
        let (checkpoint, log) = (self.checkpoint(mode, lines), self.log(lines));
        let (stop, keep) = (stop.unwrap_or_default(), keep.unwrap_or(Keep::Last));
        let precision = self.machine(lines);
        Settings { length, seed, stop, keep, checkpoint, log, precision, goals: Vec::new() }
    }

    /// One rule, or a list of them.
    fn stop(&mut self, mode: &mut Mode<'a>, expr: &'a ast::Expr, reported: &Reported) -> Vec<Stop> {
        match &expr.kind {
            Ast::List(rules) => rules.iter().filter_map(|rule| self.stop_rule(mode, rule, reported)).collect(),
            _ => self.stop_rule(mode, expr, reported).into_iter().collect(),
        }
    }

    /// `patience(valid.loss, 5 epochs)` or `diverged(train.loss, 4)`
    fn stop_rule(&mut self, mode: &mut Mode<'a>, expr: &'a ast::Expr, reported: &Reported) -> Option<Stop> {
        if let Ast::Call(callee, args) = &expr.kind
            && let Ast::Name(name) = callee.kind
            && let [ast::Arg::Value(watch), ast::Arg::Value(limit)] = &args[..]
        {
            match name.as_str() {
                "patience" => {
                    let watch = self.watched(watch, reported)?;
                    return Some(Stop { watch, rule: StopRule::Patience(self.patience(mode, limit)?) });
                }
                "diverged" => {
                    let watch = self.watched(watch, reported)?;
                    if !lower_is_better(&watch.name) {
                        self.report(told::diverges_upwards(&watch.name, watch.span));
                        return None;
                    }
                    let value = self.expr(&mut mode.scope, limit);
                    let times = self.static_number(&value, limit.span)?;
                    if times > 1.0 && times.is_finite() {
                        return Some(Stop { watch, rule: StopRule::Diverged(times) });
                    }
                    self.report(told::diverged_at_once(times, limit.span));
                    return None;
                }
                _ => {}
            }
        }
        self.report(told::setting_form("stop", "patience(valid.loss, 5 epochs)", expr.span));
        None
    }

    /// How many epochs: `5 epochs` or `5`.
    fn patience(&mut self, mode: &mut Mode<'a>, count: &'a ast::Expr) -> Option<u64> {
        let (epochs, unit) = match &count.kind {
            Ast::Number(ast::Number { value, unit: Some(ast::Unit::Epochs), .. }) => (*value, " epochs"),
            _ => {
                let value = self.expr(&mut mode.scope, count);
                (self.static_number(&value, count.span)?, "")
            }
        };
        if epochs.fract() == 0.0 && (1.0..9e15).contains(&epochs) {
            return Some(epochs as u64);
        }
        self.report(told::not_a_count("patience", (epochs, unit), count.span));
        None
    }

    /// `best(valid.accuracy)` or `last`
    fn keep(&mut self, expr: &'a ast::Expr, reported: &Reported) -> Option<Keep> {
        match &expr.kind {
            Ast::Name(name) if name.as_str() == "last" => return Some(Keep::Last),
            Ast::Call(callee, args) => {
                if let (Ast::Name(name), [ast::Arg::Value(watch)]) = (&callee.kind, &args[..])
                    && name.as_str() == "best"
                {
                    return Some(Keep::Best(self.watched(watch, reported)?));
                }
            }
            _ => {}
        }
        self.report(told::setting_form("keep", "best(valid.accuracy)", expr.span));
        None
    }

    /// The names of all values that the run reports.
    fn reported(&mut self, lines: &Lines<'a>, losses: &[Lost]) -> Vec<String> {
        let mut known = vec!["loss".to_owned()];
        let of_losses = losses.iter().filter(|lost| !lost.planned.name.is_empty());
        known.extend(of_losses.map(|lost| format!("loss_{}", lost.planned.name)));
        if let Some((metrics, _)) = lines.settings.get(&Symbol::new("metrics")) {
            known.extend(metric_names(metrics));
        }
        let penalties = losses.iter().flat_map(|lost| &lost.section.metrics);
        let names: Vec<String> = penalties.clone().map(|penalty| penalty.name.clone()).collect();
        for Metric { name, value, .. } in penalties {
            if known.contains(name) {
                let span = self.exprs[value.0 as usize].span;
                let metrics = lines.settings.get(&Symbol::new("metrics"));
                let naming = metrics.map_or_else(Vec::new, |(metrics, _)| self.with_names(metrics, &names));
                self.report(told::metric_name_taken(name, span, None, naming));
            }
        }
        let penalties: FxHashSet<String> =
            losses.iter().flat_map(|lost| &lost.section.metrics).map(|penalty| penalty.name.clone()).collect();
        known.extend(penalties);
        known
    }

    /// The metrics that are tables, with their types.
    fn tables(&self, metrics: &[Metric]) -> Vec<(String, String)> {
        let tables = metrics.iter().filter(|metric| !self.is_scalar(metric.value));
        tables.map(|metric| (metric.name.clone(), self.show_type(self.ty(metric.value)))).collect()
    }

    /// `valid.loss`
    pub(super) fn watched(&mut self, expr: &ast::Expr, reported: &Reported) -> Option<Watched> {
        if let Ast::Field(base, field) = &expr.kind
            && let Ast::Name(split) = base.kind
        {
            let splits = ["train", "valid", "test"];
            if !splits.contains(&split.as_str()) {
                self.report(told::unknown_split(split.as_str(), base.span, &splits));
                return None;
            }
            let Reported { names, tables, offered } = reported;
            let offered: Vec<&str> = offered.iter().map(String::as_str).collect();
            if let Some((_, ty)) = tables.iter().find(|(name, _)| name == field.name.as_str()) {
                self.report(told::watched_table(*field, ty, &offered));
                return None;
            }
            if !names.iter().any(|name| name == field.name.as_str()) {
                // What is a table would be the next mistake.
                self.report(told::unknown_watched(*field, &offered));
                return None;
            }
            let rows = self.rows_for(split.as_str(), expr.span);
            return Some(Watched { split: split.to_string(), name: field.name.to_string(), span: expr.span, rows });
        }
        self.report(told::setting_form("a watched value", "valid.loss", expr.span));
        None
    }

    /// `ema = 0.999`: how much the weights that are evaluated keep of themselves in each update.
    pub(super) fn ema_setting(&mut self, lines: &Lines<'a>) -> Option<f64> {
        let (expr, _) = *lines.settings.get(&Symbol::new("ema"))?;
        let value = self.expr(&mut crate::sema::value::Scope::top(expr.span.file), expr);
        self.decay(&value, expr.span)
    }

    /// A share from 0 up to 1, 1 excluded.
    pub(super) fn decay(&mut self, value: &crate::sema::value::Value<'a>, span: Span) -> Option<f64> {
        let number = self.static_number(value, span)?;
        if (0.0..1.0).contains(&number) {
            return Some(number);
        }
        self.report(told::not_a_decay(number, span));
        None
    }

    /// `norm(1.0)`, `value(0.5)` or `per_example(1.0, noise = 1.1)`
    pub(super) fn clip(&mut self, mode: &mut Mode<'a>, expr: &'a ast::Expr) -> Option<Clip> {
        if let Ast::Call(callee, args) = &expr.kind
            && let Ast::Name(name) = callee.kind
            && let [ast::Arg::Value(most), rest @ ..] = &args[..]
        {
            match (name.as_str(), rest) {
                ("norm", []) => return self.largest_gradient(mode, most).map(Clip::Norm),
                ("value", []) => return self.largest_gradient(mode, most).map(Clip::Value),
                ("per_example", []) => {
                    return self.largest_gradient(mode, most).map(|most| Clip::PerExample { most, noise: 0.0 });
                }
                ("per_example", [ast::Arg::Set(ident, noise)]) if ident.name.as_str() == "noise" => {
                    let most = self.largest_gradient(mode, most)?;
                    let value = self.expr(&mut mode.scope, noise);
                    let number = self.static_number(&value, noise.span)?;
                    if number >= 0.0 {
                        return Some(Clip::PerExample { most, noise: number });
                    }
                    self.report(told::noise_negative(number, noise.span));
                    return None;
                }
                ("per_example", _) => {
                    self.report(told::setting_form("clip", "per_example(1.0, noise = 1.1)", expr.span));
                    return None;
                }
                _ => {}
            }
        }
        self.report(told::setting_form("clip", "norm(1.0)", expr.span));
        None
    }

    /// How large gradients may be.
    fn largest_gradient(&mut self, mode: &mut Mode<'a>, expr: &'a ast::Expr) -> Option<f64> {
        let value = self.expr(&mut mode.scope, expr);
        let number = self.static_number(&value, expr.span)?;
        if number > 0.0 {
            return Some(number);
        }
        self.report(told::clip_not_positive(number, expr.span));
        None
    }
}

/// The names that metrics are reported under.
pub(super) fn metric_names(metrics: &ast::Expr) -> Vec<String> {
    match &metrics.kind {
        Ast::List(items) => items.iter().map(metric_name).collect(),
        Ast::Record(fields) => fields.iter().map(|(ident, _)| ident.name.to_string()).collect(),
        _ => vec![metric_name(metrics)],
    }
}

/// The name a metric is reported under: that of its function.
pub(super) fn metric_name(expr: &ast::Expr) -> String {
    match &expr.kind {
        Ast::Call(callee, _) | Ast::Index(callee, _) => metric_name(callee),
        Ast::Name(name) => name.to_string(),
        Ast::Pipe(stages) => stages.last().map_or_else(|| "metric".to_owned(), metric_name),
        _ => "metric".to_owned(),
    }
}
