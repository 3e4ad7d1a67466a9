//! Where an edit goes that is made of more than the place of the mistake.
//!
//! In: a place, a name. Out: the definition around it, the signature to lengthen, the uses of a name, a name that is
//! free. Only messages ask, so all of it may walk the tree of a file.

use crate::base::{FileId, Span, Symbol, numbered};
use crate::diag::shape::Renamed;
use crate::diag::{Diagnostic, name, shape};
use crate::ir::Dim;
use crate::sema::primitive::Builtin;
use crate::sema::typed::Axis;
use crate::sema::value::{Callee, Function, Scope, Value};
use crate::syntax::ast::{self, AxisDecl, Expr, ExprKind, Ident, Item, Ix, TypeKind};

use super::checker::Checker;

impl<'a> Checker<'a> {
    /// The user's definition that a place stands in.
    pub(super) fn def_around(&self, place: Span) -> Option<&'a ast::Def> {
        let tree = self.tree_of(place.file)?;
        tree.items.iter().find_map(|item| match item {
            Item::Def(def) if def.span.holds(place) => Some(def),
            _ => None,
        })
    }

    /// The inputs of the definition around a place.
    pub(super) fn input_names(&self, place: Span) -> Vec<Symbol> {
        let inputs = self.def_around(place).map_or(&[][..], |def| &def.inputs);
        inputs.iter().map(|input| input.name.name).collect()
    }

    /// The axes of the first tensor among them.
    pub(super) fn input_axes(&self, scope: &Scope<'a>, place: Span) -> Vec<Axis> {
        let tensor = self.input_names(place).into_iter().find_map(|name| match scope.find(name) {
            Some(Value::Tensor(id)) => Some(*id),
            _ => None,
        });
        tensor.map_or_else(Vec::new, |id| self.ty(id).axes.clone())
    }

    /// What a `..` among axes stands for where no signature has one: those of `known` that are not named beside it.
    pub(super) fn no_row(&self, row: Span, beside: &[Symbol], known: &[Axis]) -> Diagnostic {
        let known = known.iter().map(|axis| self.axes.show(axis.id));
        let names: Vec<String> = known.filter(|axis| !beside.contains(&Symbol::new(axis))).collect();
        shape::no_row(row, &names.join(", "))
    }

    /// Where a further input goes in the signature around a place.
    pub(super) fn behind_inputs(&self, place: Span) -> Option<Span> {
        Some(self.def_around(place)?.inputs.last()?.span.after())
    }

    /// The message about an unknown name, with what would make it known: the file that declares it, or an input.
    pub(super) fn unknown_mended(&self, told: Diagnostic, symbol: Symbol, span: Span, home: FileId) -> Diagnostic {
        if told.has_fix() {
            return told;
        }
        let tree = self.tree_of(home);
        let last_use = tree.into_iter().flat_map(|tree| &tree.items).rev().find_map(|item| match item {
            Item::Use(used) => Some(used.span.after()),
            _ => None,
        });
        if home == self.user_file
            && let Some((path, place)) = self.globals.declared_elsewhere(symbol, home).zip(last_use)
        {
            return name::in_file(told, path, place);
        }
        let in_head = self.def_around(span).is_some_and(|def| span.end <= def.body.span.start);
        // What stands in a signature is a size.
        let input = if in_head { format!("{symbol}: int") } else { symbol.to_string() };
        name::or_as_input(told, &input, self.behind_inputs(span))
    }

    /// The message about an argument that is not given, with words that give it: an axis, or a new one with a size; else an
    /// input of the definition around, passed on.
    pub(super) fn argument_given(&self, told: Diagnostic, param: &ast::Param, call: Span) -> Diagnostic {
        let Some((place, open, close)) = self.behind_arguments(call) else { return told };
        let name = param.name.name;
        match (super::call::is_axis(param), self.behind_inputs(call)) {
            (true, _) => {
                let argument = format!("{name}: 64");
                name::give_argument(told, &argument, (place, format!("{open}{argument}{close}")))
            }
            (false, Some(inputs)) => {
                name::pass_argument(told, name, (place, format!("{open}{name} = {name}{close}")), inputs)
            }
            // No edit: in a run nothing says which value is meant.
            (false, None) => told,
        }
    }

    /// Where a further argument of a call goes, and what stands around it.
    pub(super) fn behind_arguments(&self, call: Span) -> Option<(Span, &'static str, &'static str)> {
        let tree = self.tree_of(call.file)?;
        let mut found = None;
        super::literal::each(tree, &mut |expr, _| {
            found = found.or_else(|| match &expr.kind {
                ExprKind::Call(_, args) if expr.span == call => Some(match args.last() {
                    Some(last) => (last.span().after(), ", ", ""),
                    None => (call.inner_end(), "", ""),
                }),
                ExprKind::Name(_) if expr.span == call => Some((call.after(), "(", ")")),
                _ => None,
            });
        });
        found
    }

    /// Where the signature around a place names an axis without a size.
    pub(super) fn unsized_axis(&self, place: Span, axis: &str) -> Option<Span> {
        self.declared_axis(place, axis).filter(|(_, size)| size.is_none()).map(|(ident, _)| ident.span)
    }

    /// Where the data names an axis, when it does so once; of one column, where one is given.
    pub(super) fn named_in_data(&self, axis: &str, of: Option<Symbol>) -> Option<Span> {
        let items = self.trees.iter().flat_map(|source| &source.tree.items);
        let mut found = Vec::new();
        for item in items {
            let Item::Data(data) = item else { continue };
            let lines = data
                .entries
                .iter()
                .filter(|entry| of.is_none_or(|column| entry.names().iter().any(|ident| ident.name == column)));
            for (value, _) in lines.filter_map(ast::Entry::value) {
                value.walk(&mut |expr| {
                    if let ExprKind::Index(_, brackets) = &expr.kind {
                        let named =
                            brackets.from.iter().filter(|ix| ix.axis().is_some_and(|name| name.as_str() == axis));
                        found.extend(named.map(|ix| match ix {
                            Ix::Axis(ident, ..) => ident.span,
                            Ix::Row(_) | Ix::Value(_) | Ix::Set(..) => ix.span(),
                        }));
                    }
                });
            }
        }
        found.pop().filter(|_| found.is_empty())
    }

    /// The size that the signature around a place writes for an axis, when it is one of two, and the other.
    pub(super) fn mended_in_signature(&self, place: Span, (axis, a, b): (&str, &Dim, &Dim)) -> Option<(Span, String)> {
        let size = self.declared_axis(place, axis)?.1?;
        let other = |is: &Dim, other: &Dim| {
            let literal = self.literal_of(size.span, is)?;
            Some((literal.span, self.sizes.resolve(other).as_const()?.to_string()))
        };
        other(a, b).or_else(|| other(b, a))
    }

    /// How many names a `let` binds whose value stands at a place.
    pub(super) fn bound_by(&self, value: Span) -> Option<usize> {
        self.def_around(value)?.body.stmts.iter().find_map(|stmt| match stmt {
            ast::Stmt::Let(ast::Let { target: ast::Target::Names(names), value: bound, .. }) if bound.span == value => {
                Some(names.len())
            }
            _ => None,
        })
    }

    /// The one difference or range of numbers in a place, the other way round.
    pub(super) fn turned(&self, place: Span) -> Option<(Span, String)> {
        let tree = self.tree_of(place.file)?;
        let mut found = Vec::new();
        let shown = crate::syntax::print::print_expr;
        let is_number = |expr: &Expr| matches!(expr.kind, ExprKind::Number(_));
        super::literal::each(tree, &mut |expr, _| match &expr.kind {
            _ if !place.holds(expr.span) => {}
            ExprKind::Chain(left, links) => {
                if let [(ast::BinaryOp::Sub, _, right)] = &links[..]
                    && is_number(left)
                    && is_number(right)
                {
                    found.push((expr.span, format!("{} - {}", shown(right), shown(left))));
                }
            }
            ExprKind::Range(Some(from), Some(to)) => found.push((expr.span, format!("{}..{}", shown(to), shown(from)))),
            _ => {}
        });
        found.pop().filter(|_| found.is_empty())
    }

    /// Of an index in a definition: where the signature says what it counts, if it is an input, and its own place, with
    /// whether it is a stage of a pipe.
    pub(super) fn index_places(&self, place: Span) -> (Option<Span>, Option<(Span, bool)>) {
        if self.def_around(place).is_none() {
            return (None, None);
        }
        let name = self.expr_at(place).and_then(|expr| match expr.kind {
            ExprKind::Name(name) => Some(name),
            _ => None,
        });
        let input = self.inputs_that_count(place).into_iter().find(|(input, _)| Some(*input) == name);
        (input.map(|(_, of)| of.span), Some((place, self.is_stage(place))))
    }

    /// Whether the definition around a mistake is told the same of another place already.
    pub(super) fn is_told_around(&self, new: &Diagnostic) -> bool {
        let Some(def) = new.span().and_then(|span| self.def_around(span)) else { return false };
        let is_same = |known: &Diagnostic| (known.code, &known.message) == (new.code, &new.message);
        let is_there =
            |known: &Diagnostic| known.span().is_some_and(|span| def.span.holds(span) && Some(span) != new.span());
        self.diagnostics.iter().any(|known| is_same(known) && is_there(known))
    }

    /// The uses of a name as a value behind its binding at `place`, in the same definition.
    pub(super) fn uses_after(&self, place: Span, name: Symbol) -> Vec<Span> {
        let Some(def) = self.def_around(place) else { return Vec::new() };
        let (mut uses, mut in_brackets) = (Vec::new(), Vec::new());
        def.body.walk(&mut |expr| match &expr.kind {
            ExprKind::Name(used) if *used == name && place.end <= expr.span.start => uses.push(expr.span),
            // There a name is that of an axis.
            ExprKind::Index(_, brackets) => {
                in_brackets.extend(brackets.from.iter().chain(brackets.to.iter().flatten()).map(Ix::span));
            }
            _ => {}
        });
        uses.retain(|used| !in_brackets.contains(used));
        uses
    }

    /// A name made of another that nothing in the definition around a place is called.
    pub(super) fn free_name(&self, place: Span, base: &str) -> String {
        let mut taken: Vec<Symbol> = Vec::new();
        if let Some(def) = self.def_around(place) {
            taken.extend(def.config.iter().flatten().chain(&def.inputs).map(|param| param.name.name));
            taken.extend(def.axes.iter().map(|axis| axis.name));
            taken.extend(self.declared(def).into_iter().map(|(ident, _)| ident.name));
            def.body.walk(&mut |expr| match &expr.kind {
                ExprKind::Name(name) => taken.push(*name),
                ExprKind::Param(param) => taken.extend(param.name.map(|ident| ident.name)),
                _ => {}
            });
            for stmt in &def.body.stmts {
                match stmt {
                    ast::Stmt::Let(ast::Let {
                        target: ast::Target::Names(names) | ast::Target::Fields(names), ..
                    }) => {
                        taken.extend(names.iter().map(|ident| ident.name));
                    }
                    ast::Stmt::Param(param) => taken.extend(param.name.map(|ident| ident.name)),
                    ast::Stmt::State(vars) => taken.extend(vars.iter().map(|var| var.name.name)),
                    ast::Stmt::Penalty { .. } | ast::Stmt::Assign { .. } | ast::Stmt::Error(_) => {}
                }
            }
        }
        let base = base.trim_end_matches('\'');
        numbered(base, |name| !taken.contains(&Symbol::new(name)))
    }

    /// What could stand behind the arrow that brackets lack, and behind which place it goes.
    pub(super) fn behind_arrow(&self, f: &Function<'a>, from: &[Ix]) -> Option<(Span, String)> {
        let place = from.last()?.span();
        let named = |ix: &Ix| match ix {
            Ix::Value(Expr { kind: ExprKind::Name(name), .. }) => Some(self.free_name(place, name.as_str())),
            _ => None,
        };
        let free: Vec<String> = from.iter().map(named).collect::<Option<_>>()?;
        let first = free.first()?;
        let to = match f.callee {
            Callee::Builtin(Builtin::Split) => format!("{first}: 1, {}", self.free_name(place, first)),
            Callee::Builtin(Builtin::Join) => first.clone(),
            _ => free.join(", "),
        };
        Some((place, format!(" -> {to}")))
    }

    /// The message about brackets that do not name one axis.
    pub(super) fn no_axis(&self, f: &Function<'a>, axes: &[Axis]) -> Diagnostic {
        let known: Vec<String> = axes.iter().map(|axis| self.axes.show(axis.id)).collect();
        name::brackets_expected(f.span, f.brackets.map(|brackets| brackets.span), &known)
    }

    /// Of two axes of one name, the place of the one that words within `span` name.
    pub(super) fn renamed_in(&self, axes: &[Axis], name: &str, span: Span) -> Renamed {
        let named = |axis: &&Axis| self.axes.show(axis.id) == name && span.holds(axis.from);
        axes.iter().rev().find(named).map_or(Renamed::Nowhere, |axis| Renamed::There(axis.from))
    }

    /// The word of the state at a place, where it could be a `let`: one alone, without axes of its own.
    pub(super) fn state_word(&self, place: Span) -> Option<Span> {
        let is_it =
            |stmt: &&ast::Stmt| matches!(stmt, ast::Stmt::State(vars) if vars.iter().any(|var| var.name.span == place));
        match self.def_around(place)?.body.stmts.iter().find(is_it)? {
            ast::Stmt::State(vars) => match &vars[..] {
                [ast::StateVar { axes: None, dtype: None, statement, .. }] => {
                    Some(Span { end: statement.start + "state".len() as u32, ..*statement })
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// A further `let` of the layer that a call applies, behind the first, and its name for the call.
    pub(super) fn second_layer(&self, call: Span) -> Option<((Span, String), (Span, String))> {
        let def = self.def_around(call)?;
        let applied = match &self.expr_at(call)?.kind {
            ExprKind::Call(callee, _) => Some(callee),
            _ => None,
        };
        let ExprKind::Name(name) = applied?.kind else { return None };
        let bound = def.body.stmts.iter().find_map(|stmt| match stmt {
            ast::Stmt::Let(bound) => match &bound.target {
                ast::Target::Names(names) if matches!(&names[..], [only] if only.name == name) => Some(bound),
                _ => None,
            },
            _ => None,
        })?;
        let second = self.free_name(call, name.as_str());
        let line = format!("\n  let {second} = {}", crate::syntax::print::print_expr(&bound.value));
        Some(((bound.span.after(), line), (applied?.span, second)))
    }

    /// The first value of what the loop around a place carries under a name.
    pub(super) fn carry_begins(&self, place: Span, name: Symbol) -> Option<Span> {
        let mut first = None;
        self.def_around(place)?.body.walk(&mut |expr| match &expr.kind {
            ExprKind::Scan(scan) if expr.span.holds(place) => {
                let carry = scan.carries.iter().find(|(carry, _)| carry.name == name);
                first = carry.map(|(_, value)| value.span).or(first);
            }
            _ => {}
        });
        first
    }

    /// Of a reduction that the user writes at a place, the name of this axis and the tensor, and a free name.
    pub(super) fn reduced_along(&self, place: Span, axis: &str) -> Option<(Span, Span, String)> {
        let mut found = None;
        self.def_around(place)?.body.walk(&mut |expr| {
            if let ExprKind::Call(callee, args) = &expr.kind
                && expr.span == place
                && let ExprKind::Index(_, brackets) = &callee.kind
                && let ([Ix::Value(along)], [tensor]) = (&brackets.from[..], &args[..])
                && matches!(along.kind, ExprKind::Name(name) if name.as_str() == axis)
            {
                found = Some((along.span, tensor.span()));
            }
        });
        found.map(|(along, tensor)| (along, tensor, self.free_name(place, axis)))
    }

    /// The axes that a signature declares, inputs first.
    fn declared(&self, def: &'a ast::Def) -> Vec<(Ident, Option<&'a Expr>)> {
        let mut axes = Vec::new();
        let types = def.config.iter().flatten().chain(&def.inputs).filter_map(|param| param.ty.as_ref());
        for ty in types.chain(&def.result) {
            ty.kind.each_axis(&mut |decl| {
                if let AxisDecl::Axis { name, size } = decl {
                    axes.push((*name, size.as_ref()));
                }
            });
        }
        axes
    }

    /// Where the signature around a place first declares an axis, and the size it writes there.
    pub(super) fn declared_axis(&self, place: Span, axis: &str) -> Option<(Ident, Option<&'a Expr>)> {
        self.declared(self.def_around(place)?).into_iter().find(|(ident, _)| ident.name.as_str() == axis)
    }

    /// The inputs of the definition around a place that are tensors of an index.
    pub(super) fn inputs_that_count(&self, place: Span) -> Vec<(Symbol, Ident)> {
        let inputs = self.def_around(place).map_or(&[][..], |def| &def.inputs);
        let counts = |param: &ast::Param| match &param.ty.as_ref()?.kind {
            TypeKind::Tensor { of: Some(of), .. } => Some((param.name.name, *of)),
            _ => None,
        };
        inputs.iter().filter_map(counts).collect()
    }
}

/// The axes that a list names.
pub(super) fn axes_in(list: &[Ix]) -> Vec<Symbol> {
    list.iter().filter_map(Ix::axis).collect()
}
