//! Definitions elaborated on opaque arguments: what a definition says must hold by its signature, used or not.
//!
//! In: the definitions of a file, after the runs. Out: mistakes alone; what a run has told at a place stands.

use rustc_hash::FxHashMap;

use crate::base::{Span, Symbol};
use crate::diag::{Code, Diagnostic, Severity, name, value as told};
use crate::ir::{Dim, Fact};
use crate::sema::clause::Drawn;
use crate::sema::dtype::DType;
use crate::sema::typed::{Axis, ExprId, ExprKind, Kind, Type};
use crate::sema::value::{AxisArg, Given, Place, Scope, Value};
use crate::syntax::ast::{self, AxisDecl, DefKind, TypeKind};

use super::bind::{Binders, Slot};
use super::call::Use;
use super::checker::{Checker, plain, scalar_type};

/// The opaque axes of a definition by their names.
type Axes = FxHashMap<Symbol, AxisArg>;

impl<'a> Checker<'a> {
    /// Elaborates each definition on its own; editors see the values of one that a run has reached as they are there.
    pub(super) fn definitions_alone(&mut self, file: &'a ast::File) {
        let reached = self.used.clone();
        for item in &file.items {
            let ast::Item::Def(def) = item else { continue };
            if !reached.contains(&def.name.span) {
                self.definition_alone(def);
                continue;
            }
            // What a model reads is as large as the data of its run says, and that was told.
            if def.kind == DefKind::Model {
                continue;
            }
            let before = std::mem::take(&mut self.diagnostics);
            let n_bindings = self.bindings.len();
            self.definition_alone(def);
            self.bindings.truncate(n_bindings);
            let mut found = std::mem::replace(&mut self.diagnostics, before);
            // A name that is missing is told once, wherever a run came upon it first.
            let is_same = |known: &Diagnostic, new: &Diagnostic| {
                new.code == Code::E0201 && (known.code, &known.message) == (new.code, &new.message)
            };
            let is_told = |new: &Diagnostic| {
                self.diagnostics.iter().any(|known| known.span() == new.span() || is_same(known, new))
            };
            found.retain(|new| new.severity == Severity::Error && !is_told(new));
            self.diagnostics.extend(found);
        }
    }

    fn definition_alone(&mut self, def: &'a ast::Def) {
        self.training = true;
        self.alone = true;
        self.own = Some(def);
        self.words.clear();
        self.guesses = def.config.iter().flatten().chain(&def.inputs).any(|param| {
            param.ty.is_none() && param.default.is_none() && !is_in_fact(def, param) && is_size(def, param.name.name)
        });
        // A switch is tried both ways, each for the branches that it chooses.
        let has_switch = def.config.iter().flatten().chain(&def.inputs).any(is_switch);
        for truth in [true, false].into_iter().take(if has_switch { 2 } else { 1 }) {
            self.store = super::store::Store::default();
            self.exprs.clear();
            self.switches = truth;
            self.sizes.facts = crate::ir::Facts::default();
            let _ = self.opaque(def);
        }
        self.sizes.facts = crate::ir::Facts::default();
        self.own = None;
        self.alone = false;
        self.guesses = false;
    }

    /// Elaborates a definition on arguments of which only the declared types are known, or on a draw of them; the
    /// parameter that asks for a value without saying what, where one does.
    pub(super) fn opaque(&mut self, def: &'a ast::Def) -> Result<Value<'a>, &'a ast::Param> {
        let mut axes = Axes::default();
        let mut caller = Scope::top(def.span.file);
        let config_params = def.config.as_deref().unwrap_or_default();
        // What is no tensor first: the sizes of axes speak of it.
        let mut given: Vec<Given<'a>> = Vec::new();
        for tensors in [false, true] {
            if tensors {
                self.written_sizes(def, &given, &mut axes);
            }
            for param in config_params.iter().chain(&def.inputs) {
                if param.default.is_none() && Slot::of(param).is_some() == tensors {
                    let value = self.opaque_argument(def, param, &mut axes).ok_or(param)?;
                    given.push(Given { name: Some(param.name), value, span: param.span });
                }
            }
        }
        let is_config = |given: &Given<'a>| config_params.iter().any(|param| param.span == given.span);
        let (config, inputs) = given.into_iter().partition(is_config);
        let place = Place::new(def.name.name.as_str());
        // An initialiser gets its row from the parameter it fills.
        let row = (def.kind == DefKind::Fn).then(|| vec![self.opaque_axis("..".into(), &mut axes, def.name.span)]);
        let has_row = def.inputs.iter().any(|param| names_row(param.ty.as_ref()));
        let row = row.filter(|_| !has_row);
        let call = Use { def, brackets: None, config, inputs, row, place, span: def.name.span };
        Ok(self.elaborate(&mut caller, call))
    }

    /// Axes whose sizes are written are of those sizes in every argument. A size may speak of whole numbers and of other
    /// axes, in any order. Where it speaks of anything else, the axis is opaque, and what is written is told or supposed
    /// where it is read with all that the signature has (`check_sizes`).
    fn written_sizes(&mut self, def: &'a ast::Def, given: &[Given<'a>], axes: &mut Axes) {
        let mut scope = Scope::top(def.span.file);
        for given in given {
            if let Some(name) = given.name {
                scope.bind(name.name, given.value.clone());
            }
        }
        let mut plain: Vec<ast::Ident> = Vec::new();
        let mut written: Vec<(ast::Ident, &'a ast::Expr)> = Vec::new();
        for param in def.config.iter().flatten().chain(&def.inputs) {
            param.ty.iter().for_each(|ty| {
                ty.kind.each_axis(&mut |decl| match decl {
                    AxisDecl::Axis { name, size: Some(size) } => written.push((*name, size)),
                    AxisDecl::Axis { name, size: None } => plain.push(*name),
                    AxisDecl::Row(_) => {}
                });
            });
        }
        // One that another argument gives a size has it here too.
        for name in plain {
            if written.iter().all(|(other, _)| other.name != name.name) {
                self.opaque_axis(name.name, axes, name.span);
            }
        }
        scope.axes.extend(axes.iter().map(|(name, axis)| (*name, axis.id)));
        // Each round settles one whose size speaks of nothing that waits itself.
        while let Some(at) = written.iter().position(|(_, size)| self.is_settled(&scope, def, &written, size)) {
            let (name, size) = written.remove(at);
            if scope.axes.contains_key(&name.name) {
                continue;
            }
            let Some(size) = self.int_expr(&mut scope, size) else { continue };
            let axis = AxisArg { id: self.axes.add(Some(name.name), size.clone()), size, span: name.span };
            scope.axes.insert(name.name, axis.id);
            axes.insert(name.name, axis);
        }
    }

    /// Whether everything that a written size names has a meaning here. What the signature names hides what the file
    /// names, also while it waits.
    fn is_settled(
        &self,
        scope: &Scope<'a>,
        def: &ast::Def,
        waiting: &[(ast::Ident, &ast::Expr)],
        size: &ast::Expr,
    ) -> bool {
        let is_named = |symbol: Symbol| {
            let mut params = def.config.iter().flatten().chain(&def.inputs);
            params.any(|param| param.name.name == symbol) || waiting.iter().any(|(name, _)| name.name == symbol)
        };
        let mut is_known = true;
        size.walk(&mut |part| {
            if let ast::ExprKind::Name(symbol) = part.kind {
                let is_bound = scope.find(symbol).is_some() || scope.axes.contains_key(&symbol);
                let is_global = || !is_named(symbol) && self.globals.find(symbol, scope.home).is_some();
                is_known &= is_bound || is_global();
            }
        });
        is_known
    }

    /// Whether the use at hand is the one of a definition on its own.
    pub(super) fn is_alone(&self, def: &ast::Def) -> bool {
        self.calls.is_empty() && self.own.is_some_and(|own| own.name.span == def.name.span)
    }

    /// The axes in the brackets of a definition that no argument has: a use gives them there.
    pub(super) fn opaque_brackets(&mut self, scope: &mut Scope<'a>, binders: &mut Binders, def: &ast::Def) {
        let is_named = |axis: Symbol| {
            let mut types = def.config.iter().flatten().chain(&def.inputs).filter_map(|param| param.ty.as_ref());
            types.any(|ty| names_axis(&ty.kind, axis))
        };
        for name in def.axes.iter().filter(|axis| !is_named(axis.name)) {
            let size = self.opaque_size(name.name);
            self.words.extend(size.as_size());
            self.sizes.suppose(&Fact::AtMost(Dim::ONE, size.clone()));
            let outer = self.axes.add(Some(name.name), size.clone());
            self.add_binder(scope, binders, name.name, Some(outer), (size, name.span));
        }
    }

    fn opaque_axis(&mut self, name: Symbol, axes: &mut Axes, span: Span) -> Axis {
        let known = axes.entry(name).or_insert_with(|| {
            let is_row = name == Symbol::new("..");
            // The row is shown as it is written; sizes have names of letters.
            let size = self.opaque_size(if is_row { Symbol::new("rest") } else { name });
            if !is_row {
                self.words.extend(size.as_size());
            }
            // An axis has a place at least; a use with none is checked with what it has.
            self.sizes.suppose(&Fact::AtMost(Dim::ONE, size.clone()));
            AxisArg { id: self.axes.add(Some(name), size.clone()), size, span }
        });
        Axis { id: known.id, size: known.size.clone(), from: span }
    }

    fn opaque_argument(&mut self, def: &'a ast::Def, param: &'a ast::Param, axes: &mut Axes) -> Option<Value<'a>> {
        let span = param.span;
        Some(match param.ty.as_ref().map(|ty| &ty.kind) {
            None => match def.kind {
                DefKind::Optimizer => {
                    let axis = self.opaque_axis("..".into(), axes, span);
                    Value::Tensor(self.opaque_input(param.name.name.as_str(), plain(vec![axis]), span))
                }
                DefKind::Schedule => Value::Tensor(self.push(ExprKind::Step, scalar_type(DType::F32), span)),
                // What a fact or a written size speaks of is a whole number, also where the signature does not say so.
                _ if is_in_fact(def, param) || is_size(def, param.name.name) => self.opaque_number(param),
                _ => return self.unknown(),
            },
            Some(kind @ (TypeKind::Tensor { .. } | TypeKind::Record(_))) => {
                self.opaque_tensors(param.name.name.as_str(), kind, axes, span)?
            }
            Some(TypeKind::Named(ident)) => match ident.name.as_str() {
                "int" => self.opaque_number(param),
                "float" => match self.opaque_float() {
                    Some(number) => number,
                    None => Value::Tensor(self.push(ExprKind::Step, scalar_type(DType::F32), span)),
                },
                "bool" => match &mut self.draw {
                    Some(draw) => Value::Bool(draw.truth()),
                    None => Value::Bool(self.switches),
                },
                "axis" => Value::Axis({
                    let axis = self.opaque_axis(param.name.name, axes, span);
                    AxisArg { id: axis.id, size: axis.size, span }
                }),
                _ => return self.unknown(),
            },
            Some(TypeKind::Of(ident, _)) if ident.name.as_str() == "axis" => Value::Axis({
                let axis = self.opaque_axis(param.name.name, axes, span);
                AxisArg { id: axis.id, size: axis.size, span }
            }),
            Some(TypeKind::Of(word, _)) => {
                self.report(told::type_without_axes(
                    param.name.name,
                    param.ty.as_ref().map_or(word.span, |ty| ty.span),
                ));
                return None;
            }
            Some(TypeKind::Error) => return None,
        })
    }

    /// What stands for a value of which the signature says nothing that sizes and axes follow from: a layer, a function,
    /// a text, yes or no, a number. As behind a mistake, nothing is said of what is computed with it, and everything of
    /// the rest. A draw needs a value.
    fn unknown(&self) -> Option<Value<'a>> {
        self.draw.is_none().then_some(Value::Error)
    }

    fn opaque_number(&mut self, param: &ast::Param) -> Value<'a> {
        let size = match &mut self.draw {
            Some(draw) => draw.count(),
            None => self.sizes.rigid(param.name.name.as_str()),
        };
        self.words.extend(size.as_size());
        Value::Int(size)
    }

    /// A tensor that a definition on its own is given; `name` is how the user calls it.
    pub(super) fn opaque_input(&mut self, name: &str, ty: Type, span: Span) -> ExprId {
        let axes = ty.axes.iter().map(|axis| self.axes.show(axis.id)).collect();
        let below = match ty.kind {
            Kind::Index(axis) => Some(self.axes.size(axis)),
            Kind::Plain | Kind::Logit | Kind::Prob => None,
        };
        let kind = match &mut self.draw {
            Some(draw) => draw.tensor(Drawn { name: name.to_owned(), span, ty: ty.clone(), axes, below }),
            None => ExprKind::Input(0),
        };
        self.push(kind, ty, span)
    }

    /// The size of an axis that a definition on its own is given.
    pub(super) fn opaque_size(&mut self, name: Symbol) -> Dim {
        match &mut self.draw {
            Some(draw) => draw.size(),
            None => self.sizes.rigid(name.as_str()),
        }
    }

    /// A number that a definition on its own is given.
    pub(super) fn opaque_float(&mut self) -> Option<Value<'a>> {
        self.draw.as_mut().map(|draw| Value::Float(draw.number()))
    }

    /// A tensor of a written type, or a record of them.
    fn opaque_tensors(&mut self, name: &str, ty: &'a TypeKind, axes: &mut Axes, span: Span) -> Option<Value<'a>> {
        let (prefix, of, decls) = match ty {
            TypeKind::Tensor { prefix, of, axes } => (prefix, of, axes),
            TypeKind::Record(fields) => {
                let fields = fields.iter().map(|(field, ty)| {
                    let name = format!("{name}.{}", field.name);
                    Some((field.name, self.opaque_tensors(&name, &ty.kind, axes, span)?))
                });
                return fields.collect::<Option<_>>().map(Value::Record);
            }
            _ => return None,
        };
        let mut of_type = Vec::new();
        for decl in decls {
            let name = match decl {
                AxisDecl::Row(_) => Symbol::new(".."),
                AxisDecl::Axis { name, .. } => name.name,
            };
            of_type.push(self.opaque_axis(name, axes, span));
        }
        if let (Some(prefix), Some(of)) = (prefix, of)
            && prefix.name.as_str() != "index"
        {
            self.report(name::counts_no_axis(*prefix, *of));
            return None;
        }
        let (dtype, kind) = match (prefix.as_ref().map(|prefix| prefix.name.as_str()), of) {
            (None, _) => (DType::F32, Kind::Plain),
            (Some("logit"), _) => (DType::F32, Kind::Logit),
            (Some("prob"), _) => (DType::F32, Kind::Prob),
            (Some("index"), Some(of)) => (DType::I32, Kind::Index(self.opaque_axis(of.name, axes, span).id)),
            // An axis without a name may turn out to be any.
            (Some("index"), None) => {
                let size = self.opaque_size(Symbol::new("_"));
                (DType::I32, Kind::Index(self.axes.add(None, size)))
            }
            (Some(word), _) => match DType::parse(word) {
                Some(dtype) => (dtype, Kind::Plain),
                None => {
                    prefix.iter().for_each(|prefix| self.not_a_type(*prefix));
                    return None;
                }
            },
        };
        Some(Value::Tensor(self.opaque_input(name, Type { dtype, kind, axes: of_type }, span)))
    }
}

fn mentions(fact: &ast::Expr, name: Symbol) -> bool {
    let mut found = false;
    fact.walk(&mut |part| found |= matches!(part.kind, ast::ExprKind::Name(symbol) if symbol == name));
    found
}

fn is_in_fact(def: &ast::Def, param: &ast::Param) -> bool {
    def.facts.iter().any(|fact| mentions(fact, param.name.name))
}

/// Whether a parameter is a truth that each use says.
fn is_switch(param: &ast::Param) -> bool {
    let named = |ty: &ast::Type| matches!(&ty.kind, TypeKind::Named(ident) if ident.name.as_str() == "bool");
    param.default.is_none() && param.ty.as_ref().is_some_and(named)
}

/// Whether a signature writes sizes with a name, which no brackets of the body take for an axis.
fn is_size(def: &ast::Def, name: Symbol) -> bool {
    let mut written = false;
    let types = def.config.iter().flatten().chain(&def.inputs).filter_map(|param| param.ty.as_ref()).chain(&def.result);
    for ty in types {
        ty.kind.each_axis(&mut |decl| {
            written |= matches!(decl, AxisDecl::Axis { size: Some(size), .. } if mentions(size, name));
        });
    }
    let mut is_axis = false;
    def.body.walk(&mut |part| {
        if let ast::ExprKind::Index(_, brackets) = &part.kind {
            let entries = brackets.from.iter().chain(brackets.to.iter().flatten());
            is_axis |= entries.into_iter().any(|entry| matches!(entry, ast::Ix::Value(expr) if mentions(expr, name)));
        }
    });
    written && !is_axis
}

/// Whether the axis stands in a type, or is what an index of it counts.
fn names_axis(ty: &TypeKind, axis: Symbol) -> bool {
    let is_decl = |decl: &AxisDecl| matches!(decl, AxisDecl::Axis { name, .. } if name.name == axis);
    match ty {
        TypeKind::Tensor { of, axes, .. } => of.is_some_and(|of| of.name == axis) || axes.iter().any(is_decl),
        TypeKind::Of(_, of) => of.name == axis,
        TypeKind::Record(fields) => fields.iter().any(|(_, ty)| names_axis(&ty.kind, axis)),
        TypeKind::Named(_) | TypeKind::Error => false,
    }
}

fn names_row(ty: Option<&ast::Type>) -> bool {
    match ty.map(|ty| &ty.kind) {
        Some(TypeKind::Tensor { axes, .. }) => axes.iter().any(|decl| matches!(decl, AxisDecl::Row(_))),
        _ => false,
    }
}
