//! The top level: which declaration a name means.
//!
//! The standard library sees only itself. A user's name hides a library name, with a warning; two
//! declarations of one name in a file are an error.

use rustc_hash::FxHashMap;

use crate::base::Symbol;
use crate::diag::{Diagnostics, name};
use crate::syntax::ast;

use super::Sources;

/// What a name means at the top level.
#[derive(Clone, Copy)]
pub enum Global<'a> {
    /// A definition.
    Def(&'a ast::Def),
    /// A constant; `--set` may replace its value.
    Let(&'a ast::Expr),
}

/// The declarations of a program.
#[derive(Default)]
pub struct Globals<'a> {
    std: FxHashMap<Symbol, Global<'a>>,
    user: FxHashMap<Symbol, Global<'a>>,
    /// By name.
    pub data: FxHashMap<Symbol, &'a ast::Data>,
    /// In order.
    pub trains: Vec<&'a ast::Train>,
}

impl<'a> Globals<'a> {
    /// Collects the declarations, reporting names that are taken.
    pub fn collect(sources: &'a Sources<'a>, diagnostics: &mut Diagnostics) -> Globals<'a> {
        let mut globals = Globals::default();
        for source in &sources.std {
            for item in &source.tree.items {
                if let ast::Item::Def(def) = item {
                    globals.std.insert(def.name.name, Global::Def(def));
                }
            }
        }
        let mut places: FxHashMap<Symbol, ast::Ident> = FxHashMap::default();
        let mut declare = |ident: ast::Ident, diagnostics: &mut Diagnostics| match places.get(&ident.name) {
            Some(first) => diagnostics.push(name::defined_twice(ident.name, ident.span, first.span)),
            None => {
                places.insert(ident.name, ident);
            }
        };
        for item in &sources.user.tree.items {
            match item {
                ast::Item::Def(def) => {
                    declare(def.name, diagnostics);
                    if globals.std.contains_key(&def.name.name) {
                        diagnostics.push(name::hides_library(def.name.name, def.name.span));
                    }
                    globals.user.insert(def.name.name, Global::Def(def));
                }
                ast::Item::Let(binding) => {
                    let (ast::Target::Names(names) | ast::Target::Fields(names)) = &binding.target;
                    if names.len() > 1 || matches!(binding.target, ast::Target::Fields(_)) {
                        diagnostics.push(name::one_constant_per_let(binding.span));
                    }
                    for ident in names {
                        declare(*ident, diagnostics);
                        let value = sources.overrides.get(&ident.name).unwrap_or(&binding.value);
                        globals.user.insert(ident.name, Global::Let(value));
                    }
                }
                ast::Item::Data(data) => {
                    declare(data.name, diagnostics);
                    globals.data.insert(data.name.name, data);
                }
                ast::Item::Train(train) => globals.trains.push(train),
                ast::Item::Use(item) => diagnostics.push(name::not_yet("`use`", item.span)),
                ast::Item::Search(search) => diagnostics.push(name::not_yet("`search`", search.span)),
                ast::Item::Error(_) => {}
            }
        }
        globals
    }

    /// What a name means in the user's file, or within the library.
    pub fn find(&self, name: Symbol, in_std: bool) -> Option<Global<'a>> {
        let user = if in_std { None } else { self.user.get(&name) };
        user.or_else(|| self.std.get(&name)).copied()
    }

    /// All names visible from the user's file or the library, for suggestions.
    pub fn names(&self, in_std: bool) -> impl Iterator<Item = &'static str> {
        let user = self.user.keys().filter(move |_| !in_std);
        user.chain(self.std.keys()).map(|name| name.as_str())
    }
}
