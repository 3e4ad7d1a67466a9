//! Edits of values and definitions that need the words around a mistake: the call it stands in, its definition, the run.
//!
//! In: a place, and what stands there. Out: a diagnostic with the edits that the words there make possible. Only messages
//! ask.

use crate::base::{Span, Symbol};
use crate::diag::offer::{self, Only};
use crate::diag::{ALTERNATIVES, Diagnostic, store, value as told};
use crate::sema::typed::ExprId;
use crate::sema::value::{Callee, Scope, Value};
use crate::syntax::ast::{Arg, Block, Def, DefKind, Expr, ExprKind, Ident, Item, ParamDef, Train};
use crate::syntax::print::print_expr;

use super::checker::Checker;
use super::literal::each;

impl<'a> Checker<'a> {
    fn items(&self, place: Span) -> &'a [Item] {
        self.tree_of(place.file).map_or(&[], |tree| &tree.items)
    }

    /// The first expression of the user's files of which this is true.
    fn find_expr(&self, place: Span, is: impl Fn(&Expr) -> bool) -> Option<&'a Expr> {
        let tree = self.tree_of(place.file)?;
        let mut found = None;
        each(tree, &mut |expr, _| {
            if found.is_none() && is(expr) {
                found = Some(expr);
            }
        });
        found
    }

    /// What stands at a place.
    pub(super) fn expr_at(&self, place: Span) -> Option<&'a Expr> {
        self.find_expr(place, |expr| expr.span == place)
    }

    pub(super) fn run_around(&self, place: Span) -> Option<&'a Train> {
        self.items(place).iter().find_map(|item| match item {
            Item::Train(train) if train.span.holds(place) => Some(train),
            _ => None,
        })
    }

    /// Where a part of a run names this column of its data.
    pub(super) fn column_within(&self, column: usize, part: Span) -> Option<Span> {
        let data = self.run_around(part)?.data.name;
        let name = self.facts.columns(data)?.get(column)?.name;
        let is_it = |expr: &Expr| part.holds(expr.span) && matches!(expr.kind, ExprKind::Name(word) if word == name);
        let found = self.find_expr(part, is_it)?.span;
        // A definition of the user's says what it takes.
        let is_taken = self.find_expr(found, |expr| match &expr.kind {
            ExprKind::Call(callee, args) if args.iter().any(|arg| arg.span() == found) => {
                let of = |item: &Item| matches!((item, &callee.kind), (Item::Def(def), ExprKind::Name(name)) if def.name.name == *name);
                self.items(part).iter().any(of)
            }
            _ => false,
        });
        is_taken.is_none().then_some(found)
    }

    /// The stage before the one at a place, in a pipe.
    pub(super) fn stage_before(&self, place: Span) -> Option<Span> {
        let at = |expr: &Expr| match &expr.kind {
            ExprKind::Pipe(stages) => stages.iter().skip(1).position(|stage| stage.span == place),
            _ => None,
        };
        let pipe = self.find_expr(place, |expr| at(expr).is_some())?;
        match &pipe.kind {
            ExprKind::Pipe(stages) => at(pipe).map(|before| stages[before].span),
            _ => None,
        }
    }

    /// The word that a definition begins with.
    fn word_of(def: &Def, word: &str) -> Span {
        Span { end: def.span.start + word.len() as u32, ..def.span }
    }

    /// The advice to make a function a layer, with all calls of it: what makes a layer is called before it is applied.
    pub(super) fn as_layer(&self, told: Diagnostic, place: Span) -> Diagnostic {
        let Some(def) = self.def_around(place).filter(|def| def.kind == DefKind::Fn) else { return told };
        let name = def.name.name;
        let mut calls = Vec::new();
        for source in self.trees.iter().filter(|source| source.file == place.file && def.config.is_none()) {
            each(source.tree, &mut |expr, _| {
                if let ExprKind::Call(callee, _) = &expr.kind
                    && matches!(callee.kind, ExprKind::Name(called) if called == name)
                {
                    calls.push(callee.span.after());
                }
            });
        }
        offer::layer_of_function(told, name, Self::word_of(def, "fn"), &calls)
    }

    /// A parameter without a name gets one that is free.
    pub(super) fn nameless_param(&self, def: &ParamDef) -> Diagnostic {
        let word = Span { start: def.span.start + "param".len() as u32, ..def.span }.before();
        store::param_needs_name(&self.free_name(def.span, "w"), def.span, word)
    }

    /// Something else where a layer is needed. In a run a layer of its is meant, applied to what is there.
    pub(super) fn no_layer(&self, value: &Value<'a>, span: Span, call: Option<Span>) -> Diagnostic {
        let what = if matches!(value, Value::Function(_)) { "a function" } else { value.describe() };
        let mut told = match self.expr_at(span).map(print_expr).filter(|text| text.len() < 30 && !text.contains('\n')) {
            Some(text) => told::no_layer(&text, what, span),
            None => told::expected("a layer", what, span),
        };
        if let Some(run) = self.run_around(span) {
            let input = self.expr_at(span).filter(|_| matches!(value, Value::Tensor(_))).map(print_expr);
            for model in run.models.iter().filter_map(|made| made.bound()) {
                told = offer::model_of_run(told, model, span, call.zip(input.as_deref()));
            }
            return told;
        }
        match value {
            Value::Int(_) => offer::dense(told, span),
            // What has no parameters is the same, frozen or not.
            Value::Function(function) if matches!(function.callee, Callee::Builtin(_) | Callee::Def(_)) => {
                match call.filter(|call| *call != span) {
                    Some(call) => offer::only(told, Only::Unfrozen, span, call),
                    None => told,
                }
            }
            _ => told,
        }
    }

    /// A number where a whole one is needed: the nearest one from 1 on, if it is written there.
    pub(super) fn no_whole(&self, told: Diagnostic, value: &Value<'a>, span: Span) -> Diagnostic {
        match (value, self.expr_at(span).map(|expr| &expr.kind)) {
            (Value::Float(number), Some(ExprKind::Number(_))) => offer::whole(told, number.round().max(1.0), span),
            _ => told,
        }
    }

    /// What is no function, and is applied.
    pub(super) fn not_callable(&self, value: &Value<'a>, span: Span) -> Diagnostic {
        let told = told::not_callable(value.describe(), span);
        if !matches!(value, Value::Int(_) | Value::Float(_) | Value::Tensor(_)) {
            return told;
        }
        if self.stage_before(span).is_some() {
            return offer::with_what_comes_in(told, span);
        }
        let call = self.find_expr(span, |expr| matches!(&expr.kind, ExprKind::Call(callee, _) if callee.span == span));
        let Some(Expr { kind: ExprKind::Call(_, args), span: whole }) = call else { return told };
        let [Arg::Value(arg)] = &args[..] else { return told };
        let close = Span { start: arg.span.end, ..*whole };
        offer::product(told, span.after().to(arg.span.before()), close, is_atom(arg))
    }

    /// `2 divides x` of a tensor: the remainder says it for each element.
    pub(super) fn divides_elements(&self, (left, right): (Span, Span), span: Span) -> Diagnostic {
        let told = told::divides_needs_sizes(span);
        let text = |place: Span| {
            let expr = self.expr_at(place)?;
            Some(if is_atom(expr) { print_expr(expr) } else { format!("({})", print_expr(expr)) })
        };
        match (text(left), text(right)) {
            (Some(left), Some(right)) => offer::remainder(told, span, (&left, &right)),
            _ => told,
        }
    }

    /// `total(x)` where there is one tensor: the number itself.
    pub(super) fn total_of_one(&self, told: Diagnostic, span: Span) -> Diagnostic {
        match self.expr_at(span) {
            Some(Expr { kind: ExprKind::Call(_, args), .. }) if let [Arg::Value(x)] = &args[..] => {
                offer::only(told, Only::Untotalled, x.span, span)
            }
            _ => told,
        }
    }

    /// The names of tensors that a number depends on, each in the place of what it cannot be derived by.
    pub(super) fn derivable(
        &self,
        mut told: Diagnostic,
        scope: &Scope<'a>,
        y: Option<ExprId>,
        span: Span,
    ) -> Diagnostic {
        let Some(y) = y else { return told };
        let mut names: Vec<&str> = { scope.names() }
            .filter(|name| match scope.find(Symbol::new(name)) {
                Some(Value::Tensor(id)) => *id != y && self.is_variable(*id) && self.depends(y, *id),
                _ => false,
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        for name in names.into_iter().take(ALTERNATIVES) {
            told = offer::derived_by(told, name, span);
        }
        told
    }

    /// More names than values, or fewer: names that nothing uses are taken away, and others are added.
    pub(super) fn count_names(&self, names: &[Ident], count: usize, value: Span) -> Diagnostic {
        let told = told::wrong_count(names.len(), count, value);
        let (Some(last), Some(def)) = (names.last(), self.def_around(value)) else { return told };
        let is_used = |name: Symbol| uses(&def.body, name);
        if names.len() > count && count > 0 {
            let surplus = &names[count..];
            return match surplus.iter().any(|ident| is_used(ident.name)) {
                true => told,
                false => offer::fewer_names(told, names[count - 1].span.after().to(last.span)),
            };
        }
        let taken = |name: &str| {
            let name = Symbol::new(name);
            let params = def.config.iter().flatten().chain(&def.inputs);
            { params }.any(|param| param.name.name == name)
                || names.iter().any(|ident| ident.name == name)
                || is_used(name)
        };
        let free = (names.len()..).map(|at| format!("_{}", at + 1)).filter(|name| !taken(name));
        let more: String = free.take(count - names.len().min(count)).map(|name| format!(", {name}")).collect();
        if more.is_empty() { told } else { offer::more_names(told, last.span, &more) }
    }
}

/// Whether an expression needs no brackets as an operand.
fn is_atom(expr: &Expr) -> bool {
    matches!(
        expr.kind,
        ExprKind::Number(_)
            | ExprKind::Name(_)
            | ExprKind::Call(..)
            | ExprKind::Index(..)
            | ExprKind::Field(..)
            | ExprKind::Hole
    )
}

/// Whether a block names something.
fn uses(block: &Block, name: Symbol) -> bool {
    let mut found = false;
    block.walk(&mut |expr| found |= matches!(expr.kind, ExprKind::Name(other) if other == name));
    found
}
