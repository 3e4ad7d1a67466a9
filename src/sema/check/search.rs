//! `search Net on Iris { … }`: which run it tries, what it varies, and what counts.
//!
//! In: the section, after the runs. Out: a `Search` whose values `--set` takes. Whether a program with one of these
//! values is right shows when it is tried.

use std::cmp::Ordering;

use crate::base::{Span, Symbol};
use crate::diag::{search as told, train as told_train};
use crate::sema::resolve::Global;
use crate::sema::search::{Goal, Method, Over, Search, Varied};
use crate::sema::typed::{Train, lower_is_better};
use crate::sema::value::Scope;
use crate::syntax::ast::{self, ExprKind as Ast};
use crate::syntax::print::{print_entry, print_expr};
use crate::syntax::sort::sort;

use super::checker::Checker;
use super::section::SETTINGS;
use super::settings::Reported;

/// The settings of a search.
const OWN: &[&str] = &["method", "trials", "goal", "seed"];

/// What is amiss with limits.
const NOT_WHOLE: &str = "between numbers that are not whole";
const LAST_OUT: &str = "of `1..6` the 6 is left out";
const LOWER_FIRST: &str = "the lower limit comes first";

/// What a name that is varied stands for.
struct Meant<'a> {
    name: String,
    /// The value in the program.
    declared: Option<&'a ast::Expr>,
}

impl<'a> Checker<'a> {
    /// Checks a search; none when it lacks what it needs. `trains` are the runs that came out well.
    pub(super) fn search(&mut self, search: &'a ast::Search, trains: &[Train]) -> Option<Search> {
        let before = self.diagnostics.iter().count();
        let run = self.searched_run(search);
        let train = run.and_then(|run| trains.iter().position(|train| train.span == run.span));
        let mut settings: Vec<(Symbol, &'a ast::Expr)> = Vec::new();
        let mut varied: Vec<Varied> = Vec::new();
        for entry in &search.entries {
            match entry {
                ast::Entry::Varied { name, over } => {
                    let meant = self.meant(name, search, run);
                    let line = over.span;
                    let over = self.over(over, meant.as_ref());
                    let (Some(meant), Some(over), Some(first)) = (meant, over, name.first()) else { continue };
                    match varied.iter().find(|known| known.name == meant.name) {
                        Some(known) => {
                            self.report(told::varied_twice(&meant.name, first.span, known.span, first.span.to(line)))
                        }
                        None => varied.push(Varied { name: meant.name, over, span: first.span }),
                    }
                }
                ast::Entry::Setting(setting) => {
                    for &ident in self.names_of(setting) {
                        if !OWN.contains(&ident.name.as_str()) {
                            self.report(told::unknown_search_setting(
                                ident,
                                OWN,
                                (&print_expr(&setting.value), ident.span.to(setting.value.span)),
                                SETTINGS.iter().any(|(name, _)| *name == ident.name.as_str()),
                            ));
                        } else if let Some((_, first)) = settings.iter().find(|(known, _)| *known == ident.name) {
                            self.report(told_train::setting_twice(ident, first.span, setting.span));
                        } else {
                            settings.push((ident.name, &setting.value));
                        }
                    }
                }
                ast::Entry::Let(binding) => {
                    let line = print_entry(entry) + "\n";
                    self.report(told::let_in_search(line, binding.span, search.span));
                }
                // One here was told when it was read.
                ast::Entry::Update(_) | ast::Entry::Error(_) => {}
            }
        }
        let setting = |name: &str| settings.iter().find(|(known, _)| known.as_str() == name).map(|(_, value)| *value);
        let varies =
            search.entries.iter().any(|entry| matches!(entry, ast::Entry::Varied { .. } | ast::Entry::Error(_)));
        if !varies {
            self.report(told::missing_in_search("varied", search.span, search.data.span));
        }
        let method = match setting("method") {
            Some(expr) => self.method(expr)?,
            None => Method::Random,
        };
        let goal = match setting("goal") {
            Some(expr) => train.and_then(|train| self.goal(expr, &trains[train])),
            None => {
                self.report(told::missing_in_search("goal", search.span, search.data.span));
                None
            }
        };
        let whole = |this: &mut Self, name: &str, least: f64| -> Option<u64> {
            let expr = setting(name)?;
            let value = this.expr(&mut Scope::top(expr.span.file), expr);
            let number = this.static_number(&value, expr.span)?;
            if number.fract() != 0.0 || !(least..9e15).contains(&number) {
                this.report(told_train::not_a_count(name, (number, ""), expr.span));
                return None;
            }
            Some(number as u64)
        };
        let seed = whole(self, "seed", 0.0).unwrap_or(0);
        let trials = whole(self, "trials", 1.0);
        if method == Method::Grid {
            for varied in &varied {
                if let Over::Uniform { low, high } | Over::LogUniform { low, high } = varied.over {
                    let method = setting("method").map_or(varied.span, |expr| expr.span);
                    self.report(told::no_grid(&varied.name, low, high, varied.span, method));
                }
            }
        } else if setting("trials").is_none() {
            self.report(told::missing_in_search("trials", search.span, search.data.span));
        }
        if self.diagnostics.iter().count() > before {
            return None;
        }
        let mut found = Search { train: train?, varied, method, trials: 0, seed, goal: goal?, span: search.span };
        // No search has more trials than there are combinations.
        found.trials = trials.unwrap_or(u64::MAX).min(found.count().unwrap_or(u64::MAX));
        Some(found)
    }

    /// The run of a model on some data.
    fn searched_run(&mut self, search: &ast::Search) -> Option<&'a ast::Train> {
        let runs = self.globals.trains.clone();
        let shown: Vec<String> = runs
            .iter()
            .flat_map(|run| {
                run.models.iter().filter_map(ast::Made::bound).map(|model| format!("{model} on {}", run.data.name))
            })
            .collect();
        let name = match &search.model.kind {
            Ast::Name(name) => Some(*name),
            Ast::Error => return None,
            _ => None,
        };
        let is_meant = |run: &&&ast::Train| {
            run.data.name == search.data.name && run.models.iter().any(|made| made.bound() == name && name.is_some())
        };
        let found = runs.iter().find(is_meant).copied();
        if found.is_none() {
            self.report(told::no_such_run(search.model.span.to(search.data.span), &shown));
        }
        found
    }

    /// What a name stands for: a constant, a setting of the run, or a parameter of a model with a default.
    fn meant(&mut self, path: &[ast::Ident], search: &ast::Search, run: Option<&'a ast::Train>) -> Option<Meant<'a>> {
        let file = search.span.file;
        let constants = self.globals.constants(file).into_iter();
        let constants: Vec<_> = constants.filter(|(_, constant)| constant.name.span.file == file).collect();
        match path {
            [ident] => {
                if let Some((_, constant)) = constants.iter().find(|(name, _)| *name == ident.name) {
                    return Some(Meant { name: ident.name.to_string(), declared: Some(constant.value) });
                }
                if SETTINGS.iter().any(|(name, _)| *name == ident.name.as_str()) {
                    let declared = run.and_then(|run| run.setting(ident.name));
                    return Some(Meant { name: ident.name.to_string(), declared });
                }
                // A parameter of the model is said with the model.
                let of_model = match search.model.kind {
                    Ast::Name(model) => self.parameter(file, model, ident.name).is_some().then_some(model),
                    _ => None,
                };
                let known: Vec<&str> = constants.iter().map(|(name, _)| name.as_str()).collect();
                let value = run.and_then(|run| self.argument_of(run, ident.name));
                let value = value.map(|value| (value.span, print_expr(value)));
                self.report(told::nothing_to_vary(*ident, of_model, &known, value, search.span));
                None
            }
            [model, param] => {
                let Some(default) = self.parameter(file, model.name, param.name) else {
                    let known = self.parameters(file, model.name);
                    let known = known.filter(|known| known.default.is_some());
                    let known: Vec<&str> = known.map(|known| known.name.name.as_str()).collect();
                    self.report(told::no_parameter_to_vary(model.name, *param, &known));
                    return None;
                };
                let given = run
                    .into_iter()
                    .flat_map(|run| &run.models)
                    .find_map(|made| given(&made.value, model.name, param.name));
                if let Some((given, alone)) = given {
                    self.report(told::given_by_the_run(*param, given, alone));
                    return None;
                }
                Some(Meant { name: format!("{}.{}", model.name, param.name), declared: Some(default) })
            }
            [first, .., last] => {
                let value = self.deeper(path).and_then(|value| {
                    let is_constant = |name| constants.iter().any(|(known, _)| *known == name);
                    let named = matches!(value.kind, Ast::Name(name) if is_constant(name));
                    (named || sort(value).is_some()).then(|| (value.span, print_expr(value), named))
                });
                self.report(told::too_deep(*last, first.span.to(last.span), value, search.span));
                None
            }
            [] => None,
        }
    }

    /// The default of a parameter of a definition of the file.
    fn parameter(&self, file: crate::base::FileId, definition: Symbol, param: Symbol) -> Option<&'a ast::Expr> {
        self.parameters(file, definition).find(|known| known.name.name == param)?.default.as_ref()
    }

    /// The parameters in the first brackets of a definition of the file.
    fn parameters(
        &self,
        file: crate::base::FileId,
        definition: Symbol,
    ) -> impl Iterator<Item = &'a ast::Param> + use<'a> {
        let def = match self.globals.find(definition, file) {
            Some(Global::Def(def)) if def.span.file == file => Some(def),
            _ => None,
        };
        def.into_iter().flat_map(|def| def.config.iter().flatten())
    }

    /// `[64, 128]`, `1..6`, `uniform(0, 0.5)`, `log_uniform(1e-4, 1e-2)`
    fn over(&mut self, expr: &'a ast::Expr, meant: Option<&Meant<'a>>) -> Option<Over> {
        let declared = meant.and_then(|meant| Some((meant.declared?, sort(meant.declared?)?)));
        let fits = |this: &mut Self, given: &ast::Expr, is: Option<&'static str>| {
            if let (Some((declared, was)), Some(is), Some(meant)) = (declared, is, meant)
                && was != is
            {
                let unquoted = match &given.kind {
                    Ast::Str(text) if was == "a number" && text.parse::<f64>().is_ok() => Some(&**text),
                    _ => None,
                };
                this.report(told::varied_sort(
                    &meant.name,
                    (was, is),
                    &print_expr(given),
                    given.span,
                    declared.span,
                    unquoted,
                ));
                return false;
            }
            true
        };
        match &expr.kind {
            Ast::Error => None,
            Ast::List(items) if items.is_empty() => {
                let number = declared.and_then(|(declared, _)| match declared.kind {
                    Ast::Number(number) if number.unit.is_none() && !number.is_percent => Some(number),
                    _ => None,
                });
                let around = number.filter(|number| number.value > 0.0).map(|number| {
                    let half = if number.is_int { (number.value / 2.0).floor() } else { number.value / 2.0 };
                    let values = [half, number.value, 2.0 * number.value].into_iter().filter(|value| *value > 0.0);
                    format!("[{}]", values.map(|value| value.to_string()).collect::<Vec<_>>().join(", "))
                });
                self.report(told::empty_list(expr.span, around));
                None
            }
            Ast::List(items) => {
                let mut fit = true;
                for item in items {
                    fit &= fits(self, item, sort(item));
                }
                let mut texts: Vec<String> = Vec::new();
                items.iter().map(print_expr).for_each(|text| {
                    if !texts.contains(&text) {
                        texts.push(text);
                    }
                });
                fit.then_some(Over::List(texts))
            }
            Ast::Range(Some(from), Some(to)) => {
                let (low, end) = (self.limit(from)?, self.limit(to)?);
                if low.fract() != 0.0 || end.fract() != 0.0 || low.abs().max(end.abs()) > 9e15 || end <= low {
                    let mended = match end.partial_cmp(&low) {
                        Some(Ordering::Greater) if low.fract() != 0.0 || end.fract() != 0.0 => {
                            Some((NOT_WHOLE, format!("uniform({}, {})", print_expr(from), print_expr(to))))
                        }
                        _ if low.fract() != 0.0 || end.fract() != 0.0 => None,
                        Some(Ordering::Equal) => Some((LAST_OUT, format!("{}..{}", print_expr(from), end + 1.0))),
                        Some(Ordering::Less) => {
                            Some((LOWER_FIRST, format!("{}..{}", print_expr(to), print_expr(from))))
                        }
                        _ => None,
                    };
                    self.report(told::over_nothing(&print_expr(expr), expr.span, mended));
                    return None;
                }
                fits(self, expr, Some("a number")).then_some(Over::Whole { low: low as i64, high: end as i64 - 1 })
            }
            Ast::Call(callee, args) => {
                let (Ast::Name(word), [ast::Arg::Value(from), ast::Arg::Value(to)]) = (&callee.kind, &args[..]) else {
                    let list = match callee.kind {
                        Ast::Name(_) => {
                            let values = args.iter().map(|arg| match arg {
                                ast::Arg::Value(value) => Some(print_expr(value)),
                                _ => None,
                            });
                            values.collect::<Option<Vec<_>>>().map(|values| format!("[{}]", values.join(", ")))
                        }
                        _ => None,
                    };
                    self.report(told::over_form(&print_expr(expr), expr.span, list));
                    return None;
                };
                let is_log = match word.as_str() {
                    "uniform" => false,
                    "log_uniform" => true,
                    _ => {
                        let list = format!("[{}, {}]", print_expr(from), print_expr(to));
                        self.report(told::over_form(&print_expr(expr), expr.span, Some(list)));
                        return None;
                    }
                };
                let (low, high) = (self.limit(from)?, self.limit(to)?);
                if !low.is_finite() || !high.is_finite() || low >= high {
                    let finite = low.is_finite() && high.is_finite();
                    let mended = finite.then(|| match low > high {
                        true => (LOWER_FIRST, format!("{word}({}, {})", print_expr(to), print_expr(from))),
                        false => ("it is one value", format!("[{}]", print_expr(from))),
                    });
                    self.report(told::over_nothing(&print_expr(expr), expr.span, mended));
                    return None;
                }
                if is_log && low <= 0.0 {
                    self.report(told::log_of_zero(low, from.span, callee.span));
                    return None;
                }
                fits(self, expr, Some("a number")).then_some(if is_log {
                    Over::LogUniform { low, high }
                } else {
                    Over::Uniform { low, high }
                })
            }
            _ => {
                let is_value = matches!(expr.kind, Ast::Number(_) | Ast::Name(_) | Ast::Str(_) | Ast::Bool(_));
                self.report(told::over_form(
                    &print_expr(expr),
                    expr.span,
                    is_value.then(|| format!("[{}]", print_expr(expr))),
                ));
                None
            }
        }
    }

    fn limit(&mut self, expr: &'a ast::Expr) -> Option<f64> {
        let value = self.expr(&mut Scope::top(expr.span.file), expr);
        self.static_number(&value, expr.span)
    }

    /// `grid`, `random`, `tpe`
    fn method(&mut self, expr: &ast::Expr) -> Option<Method> {
        let word = match &expr.kind {
            Ast::Name(word) => word.as_str(),
            _ => "",
        };
        match word {
            "grid" => Some(Method::Grid),
            "random" => Some(Method::Random),
            "tpe" => Some(Method::Tpe),
            word => {
                self.report(told::no_such_method(word, expr.span));
                None
            }
        }
    }

    /// `min(valid.mae)`
    fn goal(&mut self, expr: &ast::Expr, train: &Train) -> Option<Goal> {
        if let Ast::Call(callee, args) = &expr.kind
            && let (Ast::Name(word), [ast::Arg::Value(watch)]) = (&callee.kind, &args[..])
            && matches!(word.as_str(), "min" | "max")
        {
            let reported = Reported::of(self, train).only(|name| lower_is_better(name) == (word.as_str() == "min"));
            let watch = self.watched(watch, &reported)?;
            if watch.split == "test" {
                self.report(told::goal_on_test(&watch.name, watch.span));
                return None;
            }
            return Some(Goal { watch, least: word.as_str() == "min" });
        }
        self.report(told_train::setting_form("goal", "goal = min(valid.loss)", expr.span));
        None
    }
}

/// Where a run gives a parameter of a model itself: `Net(width = 64)`.
fn given(made: &ast::Expr, model: Symbol, param: Symbol) -> Option<(Span, bool)> {
    let mut found = None;
    made.walk(&mut |part| {
        if let Ast::Call(callee, args) = &part.kind
            && matches!(callee.kind, Ast::Name(name) if name == model)
        {
            let set = args.iter().find_map(|arg| match arg {
                ast::Arg::Set(ident, value) if ident.name == param => {
                    Some((ident.span.to(value.span), args.len() == 1))
                }
                _ => None,
            });
            found = found.or(set);
        }
    });
    found
}
