//! The state of the check, how it reports, and the small questions every part of it asks.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::{FileId, Span, Symbol};
use crate::diag::{Diagnostic, Diagnostics, shape};
use crate::ir::{Dim, RematId, SizeId};
use crate::sema::dtype::DType;
use crate::syntax::ast;

use super::draw::Draw;
use super::store::{ActiveScan, Store, Stream, Totals};
use crate::sema::axes::Axes;
use crate::sema::dims::Sizes;
use crate::sema::primitive::OfTexts;
use crate::sema::resolve::{Constant, Globals};
use crate::sema::typed::{self, Asker, Axis, AxisId, Check, Demand, Expr, ExprId, ExprKind, Kind, Type};
use crate::sema::value::{Scope, Value};
use crate::sema::{DataFacts, Source, Sources};

/// How deep definitions may use each other.
pub(super) const MAX_DEPTH: usize = 128;

/// How many uses of definitions and blocks of `stack` are elaborated at most: a program of a thousand layers has some ten
/// thousand, and one in which each definition uses the next twice has as many as it likes.
const MAX_USES: usize = 1 << 19;

/// A use of a definition that is being elaborated.
pub(super) struct CallSite {
    pub name: Symbol,
    pub span: Span,
    /// Where the definition is.
    pub def: Span,
    /// The numbers that the user gave it, by the names of the parameters.
    pub numbers: Vec<(Symbol, Span, i64)>,
}

/// The state of the check.
pub(super) struct Checker<'a> {
    pub(super) globals: Globals<'a>,
    pub(super) overrides: &'a FxHashMap<Symbol, ast::Expr>,
    pub(super) std_files: FxHashSet<FileId>,
    pub(super) user_file: FileId,
    pub(super) facts: &'a dyn DataFacts,
    /// The user's files.
    pub(super) trees: Vec<Source<'a>>,
    pub(super) diagnostics: Diagnostics,
    pub(super) sizes: Sizes,
    pub(super) axes: Axes,
    pub(super) store: Store,
    pub(super) exprs: Vec<Expr>,
    pub(super) bindings: Vec<typed::Binding>,
    /// The value of `training` in what is being elaborated.
    pub(super) training: bool,
    /// The loops whose blocks the expression at hand stands in, the outermost first, and how many there were.
    pub(super) scans: Vec<ActiveScan>,
    pub(super) scan_count: u32,
    /// The sequence that a generator writes, in which the expression at hand stands.
    pub(super) stream: Option<Stream>,
    /// The functions whose `grad(dy)` is being elaborated, by their names' places.
    pub(super) clauses: Vec<Span>,
    /// How many frozen layers the expression at hand stands in; in one, nothing trains.
    pub(super) frozen: usize,
    /// The load that what is being elaborated gets its first values by.
    pub(super) loading: Option<usize>,
    /// Whether parameters are read as `ema` has them, and how much of itself that keeps in an update.
    pub(super) shadow: Option<f64>,
    /// The innermost `remat` block that is being elaborated, and how many there were.
    pub(super) remat: Option<RematId>,
    pub(super) remats: u32,
    /// Where the library makes probabilities for the user, and the place of the scores that it makes them of.
    pub(super) made_probable: FxHashMap<Span, Span>,
    /// What a run checks in the section that is being elaborated.
    pub(super) checks: Vec<Check>,
    /// Facts that only the sizes of a batch decide, and who asks for those that come.
    pub(super) demands: Vec<Demand>,
    pub(super) asker: Asker,
    /// Names that a `let` gives where none can stand, which was told there.
    pub(super) misplaced: FxHashSet<Symbol>,
    /// Whether the run being elaborated names data that is not declared.
    pub(super) data_unknown: bool,
    /// The sizes that batches say beside their own, and how large each is at most in the data.
    pub(super) longest: Vec<(SizeId, i64)>,
    /// Columns of which the data tells something, what that is, and the column that has it.
    pub(super) told_of: Vec<(ExprId, OfTexts, ExprId)>,
    pub(super) calls: Vec<CallSite>,
    /// How many uses and blocks have been elaborated.
    pub(super) n_uses: usize,
    /// The sums over all parameters, while updates are elaborated.
    pub(super) totals: Option<Totals>,
    /// Whether a definition is elaborated on its own: its whole numbers are symbols, so what waits for one
    /// is left to its uses.
    pub(super) alone: bool,
    /// Whether it has a parameter without a type that is a number as far as its signature goes: what is refuted is told,
    /// and what is open waits for its uses.
    pub(super) guesses: bool,
    /// What it is given for each truth.
    pub(super) switches: bool,
    /// The sizes and numbers that a definition on its own is given instead, where its gradient is tried.
    pub(super) draw: Option<Draw>,
    /// The definition that is elaborated on its own, and the sizes that its signature has words for.
    pub(super) own: Option<&'a ast::Def>,
    pub(super) words: FxHashSet<SizeId>,
    /// Definitions that something elaborated, by their names' places.
    pub(super) used: FxHashSet<Span>,
    /// Values of top-level `let`s by the places of their names; none while one is being found.
    pub(super) constants: FxHashMap<Span, Option<Value<'a>>>,
}

impl<'a> Checker<'a> {
    pub(super) fn new(
        sources: &Sources<'a>,
        globals: Globals<'a>,
        facts: &'a dyn DataFacts,
        diagnostics: Diagnostics,
    ) -> Checker<'a> {
        Checker {
            globals,
            overrides: sources.overrides,
            std_files: sources.std.iter().map(|source| source.file).collect(),
            user_file: sources.user.file,
            trees: [sources.user].into_iter().chain(sources.used.iter().copied()).collect(),
            facts,
            diagnostics,
            sizes: Sizes::default(),
            axes: Axes::default(),
            store: Store::default(),
            exprs: Vec::new(),
            bindings: Vec::new(),
            training: false,
            remat: None,
            remats: 0,
            scans: Vec::new(),
            scan_count: 0,
            stream: None,
            clauses: Vec::new(),
            frozen: 0,
            loading: None,
            shadow: None,
            checks: Vec::new(),
            demands: Vec::new(),
            asker: Asker::Step,
            misplaced: FxHashSet::default(),
            data_unknown: false,
            longest: Vec::new(),
            told_of: Vec::new(),
            calls: Vec::new(),
            n_uses: 0,
            made_probable: FxHashMap::default(),
            totals: None,
            alone: false,
            guesses: false,
            switches: true,
            draw: None,
            own: None,
            words: FxHashSet::default(),
            used: FxHashSet::default(),
            constants: FxHashMap::default(),
        }
    }

    // ---- reporting

    /// The tree of one of the user's files.
    pub(super) fn tree_of(&self, file: FileId) -> Option<&'a ast::File> {
        self.trees.iter().find(|source| source.file == file).map(|source| source.tree)
    }

    /// Whether a place is in the standard library.
    pub(super) fn is_std(&self, span: Span) -> bool {
        self.std_files.contains(&span.file)
    }

    /// The place in the user's file that led to `span`: itself, or the use of a library definition.
    pub(super) fn user_span(&self, span: Span) -> Span {
        if !self.is_std(span) {
            return span;
        }
        self.calls.iter().rev().map(|call| call.span).find(|&span| !self.is_std(span)).unwrap_or(span)
    }

    /// Reports a mistake. One inside the library is told at the user's use of it.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        let inside = diagnostic.span().filter(|&span| self.is_std(span));
        let call = inside.and_then(|_| self.calls.iter().rev().find(|call| !self.is_std(call.span)));
        let diagnostic = match call {
            Some(call) => shape::told_at_use(diagnostic, call.name, call.span),
            None => diagnostic,
        };
        self.diagnostics.push(diagnostic);
    }

    /// Counts a use or a block; false where there have been too many, which is told once.
    pub(super) fn spend(&mut self, told: impl FnOnce(usize) -> Diagnostic) -> bool {
        self.n_uses += 1;
        if self.n_uses == MAX_USES + 1 {
            self.report(told(MAX_USES));
        }
        self.n_uses <= MAX_USES
    }

    /// Reports a mistake of a value that several uses share: the first of them is told, the others say the same.
    pub(super) fn report_once(&mut self, diagnostic: Diagnostic) {
        let is_same = |known: &Diagnostic| known.code == diagnostic.code && known.message == diagnostic.message;
        if !self.diagnostics.iter().any(is_same) {
            self.report(diagnostic);
        }
    }

    /// Reports a mistake and stands for the value that is not there.
    pub(super) fn fail(&mut self, diagnostic: Diagnostic) -> Value<'a> {
        self.report(diagnostic);
        Value::Error
    }

    // ---- expressions

    pub(super) fn push(&mut self, kind: ExprKind, ty: Type, span: Span) -> ExprId {
        let host = ty.axes.is_empty() && self.runs_on_host(&kind);
        if self.stream.is_some() {
            self.watch_stream(&kind, &ty, span);
        }
        let span = self.user_span(span);
        self.exprs.push(Expr { kind, ty, span, host, layer: self.store.layer, remat: self.remat });
        ExprId(self.exprs.len() as u32 - 1)
    }

    /// Whether a scalar depends on no tensor.
    pub(super) fn runs_on_host(&self, kind: &ExprKind) -> bool {
        match kind {
            ExprKind::Const(_) | ExprKind::Size(_) | ExprKind::Step | ExprKind::StepsPerEpoch => true,
            ExprKind::Map(_, parts) => parts.iter().all(|part| self.exprs[part.0 as usize].host),
            ExprKind::Relabel(x) | ExprKind::StopGradient(x) => self.exprs[x.0 as usize].host,
            _ => false,
        }
    }

    pub(super) fn ty(&self, id: ExprId) -> &Type {
        &self.exprs[id.0 as usize].ty
    }

    /// A number without axes.
    pub(super) fn number(&mut self, value: f64, dtype: DType, span: Span) -> ExprId {
        self.push(ExprKind::Const(value), scalar_type(dtype), span)
    }

    // ---- axes and types as the user reads them

    pub(super) fn same_axis(&self, a: AxisId, b: AxisId) -> bool {
        self.axes.find(a) == self.axes.find(b)
    }

    pub(super) fn find_axis<'t>(&self, axes: &'t [Axis], id: AxisId) -> Option<&'t Axis> {
        axes.iter().find(|axis| self.same_axis(axis.id, id))
    }

    /// The name of the first axis that stands twice.
    pub(super) fn repeated(&self, axes: &[Axis]) -> Option<String> {
        let earlier = |at: usize, id: AxisId| self.find_axis(&axes[..at], id).is_some();
        axes.iter().enumerate().find(|(at, axis)| earlier(*at, axis.id)).map(|(_, axis)| self.axes.show(axis.id))
    }

    pub(super) fn show_axis(&self, axis: &Axis) -> String {
        let name = self.axes.show(axis.id);
        let size = self.sizes.show(&axis.size);
        if size == name || size == "?" || name == ".." { name } else { format!("{name}: {size}") }
    }

    pub(super) fn show_axes(&self, axes: &[Axis]) -> String {
        let parts: Vec<String> = axes.iter().map(|axis| self.show_axis(axis)).collect();
        format!("[{}]", parts.join(", "))
    }

    pub(super) fn show_type(&self, ty: &Type) -> String {
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
    pub(super) fn finish_type(&self, ty: &mut Type) {
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
    pub(super) fn constant(&mut self, constant: Constant<'a>) -> Value<'a> {
        if let Some(known) = self.constants.get(&constant.name.span) {
            // A constant that needs itself is reported where it is declared.
            return known.clone().unwrap_or(Value::Error);
        }
        self.constants.insert(constant.name.span, None);
        let mut scope = Scope::top(constant.name.span.file);
        let value = self.expr(&mut scope, constant.value);
        self.constants.insert(constant.name.span, Some(value.clone()));
        value
    }

    pub(super) fn unused_constants(&mut self, file: FileId) {
        for (_, constant) in self.globals.constants(file) {
            self.constant(constant);
        }
    }
}

/// A type without axes.
pub(super) fn scalar_type(dtype: DType) -> Type {
    Type { dtype, kind: Kind::Plain, axes: Vec::new() }
}

/// A plain f32 type.
pub(super) fn plain(axes: Vec<Axis>) -> Type {
    Type { dtype: DType::F32, kind: Kind::Plain, axes }
}

/// The product of sizes; an overflow is left to the caller to report.
pub(super) fn product(axes: &[Axis]) -> Option<Dim> {
    Dim::product(axes.iter().map(|axis| &axis.size)).ok()
}
