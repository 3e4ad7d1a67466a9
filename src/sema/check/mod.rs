//! The elaboration of expressions, calls and sections.
//!
//! `scope` what a body can see · `expr` expressions · `arith` numbers and elementwise alignment ·
//! `pipe` stages, `_` and `stack` · `call` arguments and definitions · `bind` signatures against
//! arguments · `builtin` primitives · `views` primitives that move elements · `store` parameters and
//! states · `train` the section of a run · `alone` definitions that nothing uses.

mod alone;
mod arith;
mod bind;
mod builtin;
mod call;
mod expr;
mod pipe;
mod scope;
mod store;
mod train;
mod views;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::{FileId, Span, Symbol};
use crate::diag::{Diagnostic, Diagnostics, shape};
use crate::ir::{DType, Dim};
use crate::syntax::ast;

pub(super) use scope::Scope;

use super::axes::Axes;
use super::dims::Sizes;
use super::resolve::{Global, Globals};
use super::typed::{self, Axis, AxisId, Expr, ExprId, ExprKind, Kind, Type};
use super::value::Value;
use super::{DataFacts, Sources};

/// How deep definitions may use each other.
const MAX_DEPTH: usize = 128;

/// A use of a definition that is being elaborated.
struct CallSite {
    name: Symbol,
    span: Span,
}

/// The state of the check.
pub(super) struct Checker<'a> {
    globals: Globals<'a>,
    overrides: &'a FxHashMap<Symbol, ast::Expr>,
    std_files: FxHashSet<FileId>,
    facts: &'a dyn DataFacts,
    diagnostics: Diagnostics,
    sizes: Sizes,
    axes: Axes,
    store: store::Store,
    exprs: Vec<Expr>,
    bindings: Vec<typed::Binding>,
    /// The value of `training` in what is being elaborated.
    training: bool,
    /// Whether the run being elaborated names data that is not declared.
    data_unknown: bool,
    calls: Vec<CallSite>,
    /// Whether a definition is elaborated on its own: its whole numbers are symbols, so what waits for one
    /// is left to its uses.
    alone: bool,
    /// Definitions of the user's file that something elaborated.
    used: FxHashSet<Symbol>,
    /// Values of top-level `let`s; none while one is being found.
    constants: FxHashMap<Symbol, Option<Value<'a>>>,
}

/// Elaborates a whole program.
pub(super) fn program(sources: &Sources<'_>, facts: &dyn DataFacts) -> (typed::Program, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let globals = Globals::collect(sources, &mut diagnostics);
    let mut checker = Checker::new(sources, globals, facts, diagnostics);
    let mut program = typed::Program::default();
    for train in checker.globals.trains.clone() {
        program.trains.extend(checker.train(train));
    }
    checker.unused_definitions(sources.user.tree);
    checker.unused_constants(sources.user.tree);
    program.axes = checker.axes.names();
    program.axis_sizes = checker.axes.sizes().iter().map(|size| checker.sizes.resolve(size)).collect();
    program.sizes = checker.sizes.names();
    program.bindings = std::mem::take(&mut checker.bindings);
    for binding in &mut program.bindings {
        checker.finish_type(&mut binding.ty);
    }
    (program, checker.diagnostics)
}

/// The settings of `train` that this compiler has.
pub(super) fn settings() -> impl Iterator<Item = &'static str> {
    train::SETTINGS.iter().filter(|(_, known)| *known).map(|(name, _)| *name)
}

/// The numbers among the top-level `let`s.
pub(super) fn constants(sources: &Sources<'_>) -> FxHashMap<Symbol, f64> {
    struct NoData;
    impl DataFacts for NoData {
        fn columns(&self, _: Symbol) -> Option<Vec<super::Column>> {
            None
        }
    }
    let globals = Globals::collect(sources, &mut Diagnostics::default());
    let mut checker = Checker::new(sources, globals, &NoData, Diagnostics::default());
    let mut found = FxHashMap::default();
    for item in &sources.user.tree.items {
        if let ast::Item::Let(ast::Let { target: ast::Target::Names(names), .. }) = item {
            let value = checker.constant(names[0].name);
            let number = match value {
                Value::Int(dim) => dim.as_const().map(|value| value as f64),
                Value::Float(value) => Some(value),
                Value::Bool(value) => Some(f64::from(u8::from(value))),
                _ => None,
            };
            found.extend(number.map(|number| (names[0].name, number)));
        }
    }
    found
}

impl<'a> Checker<'a> {
    fn new(
        sources: &Sources<'a>,
        globals: Globals<'a>,
        facts: &'a dyn DataFacts,
        diagnostics: Diagnostics,
    ) -> Checker<'a> {
        Checker {
            globals,
            overrides: sources.overrides,
            std_files: sources.std.iter().map(|source| source.file).collect(),
            facts,
            diagnostics,
            sizes: Sizes::default(),
            axes: Axes::default(),
            store: store::Store::default(),
            exprs: Vec::new(),
            bindings: Vec::new(),
            training: false,
            data_unknown: false,
            calls: Vec::new(),
            alone: false,
            used: FxHashSet::default(),
            constants: FxHashMap::default(),
        }
    }

    // ---- reporting

    fn is_std(&self, span: Span) -> bool {
        self.std_files.contains(&span.file)
    }

    /// The place in the user's file that led to `span`: itself, or the use of a library definition.
    fn user_span(&self, span: Span) -> Span {
        if !self.is_std(span) {
            return span;
        }
        self.calls.iter().rev().map(|call| call.span).find(|&span| !self.is_std(span)).unwrap_or(span)
    }

    /// Reports a mistake. One inside the library is told at the user's use of it.
    fn report(&mut self, diagnostic: Diagnostic) {
        let inside = diagnostic.span().filter(|&span| self.is_std(span));
        let call = inside.and_then(|_| self.calls.iter().rev().find(|call| !self.is_std(call.span)));
        let diagnostic = match call {
            Some(call) => shape::told_at_use(diagnostic, call.name, call.span),
            None => diagnostic,
        };
        self.diagnostics.push(diagnostic);
    }

    /// Reports a mistake and stands for the value that is not there.
    fn fail(&mut self, diagnostic: Diagnostic) -> Value<'a> {
        self.report(diagnostic);
        Value::Error
    }

    // ---- expressions

    fn push(&mut self, kind: ExprKind, ty: Type, span: Span) -> ExprId {
        let host = ty.axes.is_empty() && self.runs_on_host(&kind);
        let span = self.user_span(span);
        self.exprs.push(Expr { kind, ty, span, host });
        ExprId(self.exprs.len() as u32 - 1)
    }

    /// Whether a scalar depends on no tensor.
    fn runs_on_host(&self, kind: &ExprKind) -> bool {
        match kind {
            ExprKind::Const(_) | ExprKind::Size(_) | ExprKind::Step | ExprKind::StepsPerEpoch => true,
            ExprKind::Map(_, parts) => parts.iter().all(|part| self.exprs[part.0 as usize].host),
            ExprKind::Relabel(x) | ExprKind::StopGradient(x) => self.exprs[x.0 as usize].host,
            _ => false,
        }
    }

    fn ty(&self, id: ExprId) -> &Type {
        &self.exprs[id.0 as usize].ty
    }

    /// A number without axes.
    fn number(&mut self, value: f64, dtype: DType, span: Span) -> ExprId {
        self.push(ExprKind::Const(value), scalar_type(dtype), span)
    }

    // ---- axes and types as the user reads them

    fn same_axis(&self, a: AxisId, b: AxisId) -> bool {
        self.axes.find(a) == self.axes.find(b)
    }

    fn find_axis<'t>(&self, axes: &'t [Axis], id: AxisId) -> Option<&'t Axis> {
        axes.iter().find(|axis| self.same_axis(axis.id, id))
    }

    fn show_axis(&self, axis: &Axis) -> String {
        let name = self.axes.show(axis.id);
        let size = self.sizes.show(&axis.size);
        if size == name || size == "?" { name } else { format!("{name}: {size}") }
    }

    fn show_axes(&self, axes: &[Axis]) -> String {
        let parts: Vec<String> = axes.iter().map(|axis| self.show_axis(axis)).collect();
        format!("[{}]", parts.join(", "))
    }

    fn show_type(&self, ty: &Type) -> String {
        let axes = self.show_axes(&ty.axes);
        match ty.kind {
            Kind::Plain if ty.dtype == DType::F32 => axes,
            Kind::Plain => format!("{}{axes}", ty.dtype.as_str()),
            Kind::Logit => format!("logit{axes}"),
            Kind::Prob => format!("prob{axes}"),
            Kind::Index(axis) => format!("index({}){axes}", self.axes.show(axis)),
        }
    }

    /// Puts everything known into a type.
    fn finish_type(&self, ty: &mut Type) {
        for axis in &mut ty.axes {
            axis.id = self.axes.find(axis.id);
            axis.size = self.sizes.resolve(&axis.size);
        }
        if let Kind::Index(axis) = &mut ty.kind {
            *axis = self.axes.find(*axis);
        }
    }

    // ---- constants

    /// The value of a top-level `let`.
    fn constant(&mut self, name: Symbol) -> Value<'a> {
        if let Some(known) = self.constants.get(&name) {
            // A constant that needs itself is reported where it is declared.
            return known.clone().unwrap_or(Value::Error);
        }
        let Some(Global::Let(expr)) = self.globals.find(name, false) else { return Value::Error };
        self.constants.insert(name, None);
        let mut scope = Scope::top();
        let value = self.expr(&mut scope, expr);
        self.constants.insert(name, Some(value.clone()));
        value
    }

    fn unused_constants(&mut self, file: &'a ast::File) {
        for item in &file.items {
            if let ast::Item::Let(ast::Let { target: ast::Target::Names(names), .. }) = item {
                self.constant(names[0].name);
            }
        }
    }
}

/// A type without axes.
fn scalar_type(dtype: DType) -> Type {
    Type { dtype, kind: Kind::Plain, axes: Vec::new() }
}

/// A plain f32 type.
fn plain(axes: Vec<Axis>) -> Type {
    Type { dtype: DType::F32, kind: Kind::Plain, axes }
}

/// The product of sizes; an overflow is left to the caller to report.
fn product(axes: &[Axis]) -> Option<Dim> {
    Dim::product(axes.iter().map(|axis| &axis.size)).ok()
}
