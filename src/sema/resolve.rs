//! The top level: which declaration a name means.
//!
//! A name means what its file declares, then what the file uses, then what the library declares. The
//! library sees only itself. A name that hides one of the library is told as a warning; one name from two
//! places is an error.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::{FileId, Span, Symbol, numbered};
use crate::diag::{Diagnostics, name};
use crate::syntax::ast;
use crate::syntax::print::print_expr;

use super::{Source, Sources};

/// What a name means at the top level.
#[derive(Clone, Copy)]
pub enum Global<'a> {
    /// A definition.
    Def(&'a ast::Def),
    /// A constant.
    Let(Constant<'a>),
}

/// A top-level `let`.
#[derive(Clone, Copy)]
pub struct Constant<'a> {
    /// Its name, where it is declared.
    pub name: ast::Ident,
    /// Its value, or the one of `--set`.
    pub value: &'a ast::Expr,
}

/// The declarations of a program.
#[derive(Default)]
pub struct Globals<'a> {
    std: FxHashMap<Symbol, Global<'a>>,
    /// By file, the library's apart.
    files: FxHashMap<FileId, Names<'a>>,
    /// The paths of used files, from the folder of the program.
    paths: FxHashMap<FileId, String>,
    /// Files in which names may be missing.
    incomplete: FxHashSet<FileId>,
    /// By name.
    pub data: FxHashMap<Symbol, &'a ast::Data>,
    /// In order.
    pub trains: Vec<&'a ast::Train>,
    /// In order.
    pub searches: Vec<&'a ast::Search>,
}

/// The names of a file.
#[derive(Default)]
struct Names<'a> {
    /// What it declares and thus gives to those that use it, in order.
    own: Vec<(Symbol, Global<'a>)>,
    /// What its names mean: its own and those of the files it uses.
    all: FxHashMap<Symbol, Global<'a>>,
    /// The files behind names: `use "blocks.model" as blocks`.
    behind: FxHashMap<Symbol, FileId>,
}

impl<'a> Globals<'a> {
    /// Collects the declarations, reporting names that are taken.
    pub fn collect(sources: &'a Sources<'a>, diagnostics: &mut Diagnostics) -> Globals<'a> {
        let mut globals = Globals { incomplete: sources.incomplete.clone(), ..Globals::default() };
        for source in &sources.std {
            for item in &source.tree.items {
                if let ast::Item::Def(def) = item {
                    globals.std.insert(def.name.name, Global::Def(def));
                }
            }
        }
        // A used file stands before those that use it.
        for source in sources.used.iter().chain([&sources.user]) {
            globals.file(source, sources, diagnostics);
        }
        for source in sources.used.iter().chain([&sources.user]).rev() {
            let folder = globals.paths.get(&source.file).and_then(|path| path.rsplit_once('/'));
            let folder = folder.map_or(String::new(), |(folder, _)| format!("{folder}/"));
            for item in &source.tree.items {
                if let ast::Item::Use(used) = item
                    && let Some(&file) = sources.uses.get(&used.span)
                {
                    globals.paths.insert(file, format!("{folder}{}", used.path));
                }
            }
        }
        globals
    }

    /// The path of a file other than `home` that declares a name.
    pub fn declared_elsewhere(&self, name: Symbol, home: FileId) -> Option<&str> {
        let declares = |names: &Names<'a>| names.own.iter().any(|(own, _)| *own == name);
        let others = self.files.iter().filter(|(file, names)| **file != home && declares(names));
        // Of several the first by its path, whatever order they come in.
        others.filter_map(|(file, _)| self.paths.get(file)).min().map(String::as_str)
    }

    /// Takes up a file whose used files have been taken up.
    fn file(&mut self, source: &Source<'a>, sources: &Sources<'a>, diagnostics: &mut Diagnostics) {
        let is_user = source.file == sources.user.file;
        let mut names = Names::default();
        let mut places: FxHashMap<Symbol, Span> = FxHashMap::default();
        let mut declare = |ident: ast::Ident, diagnostics: &mut Diagnostics| match places.get(&ident.name) {
            Some(first) => {
                let free = numbered(ident.name.as_str(), |name| !places.contains_key(&Symbol::new(name)));
                diagnostics.push(name::defined_twice(ident.name, ident.span, *first, &free));
            }
            None => {
                places.insert(ident.name, ident.span);
            }
        };
        for item in &source.tree.items {
            match item {
                ast::Item::Def(def) => {
                    declare(def.name, diagnostics);
                    if self.std.contains_key(&def.name.name) {
                        diagnostics.push(name::hides_library(def.name.name, def.name.span));
                    }
                    names.own.push((def.name.name, Global::Def(def)));
                }
                ast::Item::Let(binding) => {
                    let (ast::Target::Names(idents) | ast::Target::Fields(idents)) = &binding.target;
                    if idents.len() > 1 || matches!(binding.target, ast::Target::Fields(_)) {
                        diagnostics.push(name::one_constant_per_let(binding.span, apart(binding)));
                    }
                    for ident in idents {
                        declare(*ident, diagnostics);
                        let set = sources.overrides.get(&ident.name).filter(|_| is_user);
                        let constant = Constant { name: *ident, value: set.unwrap_or(&binding.value) };
                        names.own.push((ident.name, Global::Let(constant)));
                    }
                }
                ast::Item::Data(data) => {
                    declare(data.name, diagnostics);
                    if is_user {
                        self.data.insert(data.name.name, data);
                    }
                }
                // A file that is used gives its definitions; its own runs are for when it is run.
                ast::Item::Train(train) if is_user => self.trains.push(train),
                ast::Item::Search(search) if is_user => self.searches.push(search),
                ast::Item::Use(ast::Use { alias: Some(alias), .. }) => declare(*alias, diagnostics),
                ast::Item::Use(_) | ast::Item::Train(_) | ast::Item::Search(_) | ast::Item::Error(_) => {}
            }
        }
        names.all = names.own.iter().copied().collect();
        for item in &source.tree.items {
            let ast::Item::Use(used) = item else { continue };
            let Some(&file) = sources.uses.get(&used.span) else { continue };
            if let Some(alias) = used.alias {
                names.behind.insert(alias.name, file);
                continue;
            }
            for &(symbol, global) in self.files.get(&file).into_iter().flat_map(|used| &used.own) {
                match places.get(&symbol) {
                    Some(first) => diagnostics.push(name::from_two_files(symbol, used.path_span, *first, &used.path)),
                    None => {
                        places.insert(symbol, used.path_span);
                        names.all.insert(symbol, global);
                    }
                }
            }
        }
        self.files.insert(source.file, names);
    }

    /// What a name means in a file.
    pub fn find(&self, name: Symbol, home: FileId) -> Option<Global<'a>> {
        let own = self.files.get(&home).and_then(|names| names.all.get(&name));
        own.or_else(|| self.std.get(&name)).copied()
    }

    /// All names visible from a file, for suggestions.
    pub fn names(&self, home: FileId) -> impl Iterator<Item = &'static str> {
        let own = self.files.get(&home).into_iter().flat_map(|names| names.all.keys().chain(names.behind.keys()));
        own.chain(self.std.keys()).map(|name| name.as_str())
    }

    /// The file behind a name of another file.
    pub fn behind(&self, name: Symbol, home: FileId) -> Option<FileId> {
        self.files.get(&home)?.behind.get(&name).copied()
    }

    /// What a file declares under a name.
    pub fn exported(&self, name: Symbol, file: FileId) -> Option<Global<'a>> {
        let own = &self.files.get(&file)?.own;
        own.iter().find(|(known, _)| *known == name).map(|(_, global)| *global)
    }

    /// The names that a file declares.
    pub fn exports(&self, file: FileId) -> impl Iterator<Item = &'static str> {
        self.files.get(&file).into_iter().flat_map(|names| &names.own).map(|(name, _)| name.as_str())
    }

    /// The constants a file can name.
    pub fn constants(&self, file: FileId) -> Vec<(Symbol, Constant<'a>)> {
        let all = self.files.get(&file).into_iter().flat_map(|names| &names.all);
        let mut constants: Vec<(Symbol, Constant<'a>)> = all
            .filter_map(|(name, global)| match global {
                Global::Let(constant) => Some((*name, *constant)),
                Global::Def(_) => None,
            })
            .collect();
        constants.sort_by_key(|(_, constant)| (constant.name.span.file, constant.name.span.start));
        constants
    }

    /// Whether names may be missing in a file.
    pub fn is_incomplete(&self, file: FileId) -> bool {
        self.incomplete.contains(&file)
    }
}

/// `let a, b = [1, 2]` as one `let` for each; none where the values do not stand there one by one.
fn apart(binding: &ast::Let) -> Option<String> {
    let (ast::Target::Names(names), ast::ExprKind::List(values)) = (&binding.target, &binding.value.kind) else {
        return None;
    };
    let line = |(name, value): (&ast::Ident, &ast::Expr)| format!("let {} = {}", name.name, print_expr(value));
    let lines: Vec<String> = names.iter().zip(values).map(line).collect();
    (names.len() == values.len()).then(|| lines.join("\n"))
}
