//! A session: sources in, each phase by name, in order.
//!
//! In: the path of a `.model` file and what the command line sets. Out: each stage of the program on
//! demand. `files` where texts come from · `facts` what the check asks of the data · `phases` the order of the phases from
//! a typed program to kernels, named once. It is the only way from text to kernels, and the only place where the front
//! end meets files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::{FileId, SourceMap, Span, Symbol};
use crate::data::{self, Dataset, Fitted, Folder, Schema};
use crate::diag::{Diagnostics, train as told};
use crate::ir::Graph;
use crate::sema::typed;
use crate::sema::{self, Source, Sources};
use crate::stdlib::{STD, STD_TREES};
use crate::syntax::modules::{self, Modules, Reader};
use crate::syntax::sort::sort;
use crate::syntax::{ast, blame, parse, unused};
use crate::{gradients, lint};

mod facts;
mod files;
mod phases;

pub use phases::{PassStages, Programs, Stages, forward, kernels, programs, recognised, stages};

use facts::Facts;
use files::{Disk, Taken, read};
use phases::tried;

/// Stack for the front end: programs nest, and a recursion may be as deep as the parser allows.
const STACK: usize = 256 << 20;

/// One program and where it came from.
pub struct Session {
    /// The library's files and the user's.
    pub sources: SourceMap,
    /// The user's file.
    pub file: FileId,
    /// Its folder, which data paths start from.
    pub folder: PathBuf,
    overrides: FxHashMap<Symbol, ast::Expr>,
    overrides_text: Vec<(String, String)>,
    /// Where the defaults of parameters stand in the file that the command line set.
    defaults: FxHashMap<String, Span>,
    tree: ast::File,
    syntax: Diagnostics,
    modules: Modules,
}

/// A checked program with its data.
pub struct Checked {
    /// The program; whole when there is no error.
    pub program: typed::Program,
    /// The data of each `data` declaration that could be read.
    pub datasets: FxHashMap<Symbol, Dataset>,
    /// Everything found on the way.
    pub diagnostics: Diagnostics,
    /// How long the data took of it.
    pub reading: Duration,
}

impl Checked {
    /// What only the graphs of the runs tell: slow spellings, parameters that nothing trains. Nothing while there are
    /// errors, or for a run whose data could not be read.
    pub fn lints(&self) -> Diagnostics {
        let mut found = Diagnostics::default();
        if self.diagnostics.has_errors() {
            return found;
        }
        for train in &self.program.trains {
            let Some(dataset) = self.datasets.get(&train.data) else { continue };
            let (lowered, recognised) = recognised(&self.program, train);
            let written: Vec<&Graph> = lowered.passes.iter().map(|pass| &pass.training).collect();
            let batch = dataset.schema().batch as i64;
            found.extend(lint::lints(&self.program, train, &written, &recognised, batch));
        }
        found
    }
}

/// A definition as it is written.
pub struct Definition<'a> {
    /// Its name.
    pub name: &'static str,
    /// Its keyword, name, arguments, result and facts.
    pub head: &'a str,
    /// All of it.
    pub text: &'a str,
    /// The `##` comment above it.
    pub doc: Option<&'a str>,
    /// The file it stands in.
    pub file: &'a str,
    /// Its line there, from 1.
    pub line: usize,
    /// Whether it is the user's.
    pub is_own: bool,
}

impl Session {
    /// Opens a program from its text. `name` is its path as the user gave it.
    pub fn new(name: &str, text: &str, folder: PathBuf) -> Session {
        Session::with_files(name, text, folder, &Disk)
    }

    /// Opens a program that a run took down, with the files it used; data lies in `folder`.
    pub fn taken_down(path: &Path, folder: PathBuf, used: &BTreeMap<String, String>) -> Result<Session, Diagnostics> {
        let (name, text) = read(path)?;
        let files = folder.clone();
        Ok(Session::with_files(&name, &text, folder, &Taken(used, &files)))
    }

    /// Opens a program from its text and a reader of the files it uses.
    fn with_files(name: &str, text: &str, folder: PathBuf, files: &dyn Reader) -> Session {
        let mut sources = SourceMap::default();
        for (name, text) in STD {
            sources.add(*name, *text, true);
        }
        let file = sources.add(name, text, false);
        let (tree, syntax) = on_large_stack(|| parse::parse(file, text));
        let own = Path::new(Path::new(name).file_name().unwrap_or_default());
        let modules = modules::load(&mut sources, (file, &tree), own, &folder, files);
        let (overrides, overrides_text, defaults) = Default::default();
        Session { sources, file, folder, overrides, overrides_text, defaults, tree, syntax, modules }
    }

    /// Opens a program from its file.
    pub fn open(path: &Path) -> Result<Session, Diagnostics> {
        let (name, text) = read(path)?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Ok(Session::new(&name, &text, folder))
    }

    /// Sets a top-level `let`, a setting of `train` or the default of a parameter to the value of a text: `lr=3e-4`,
    /// `Net.width=64`.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Diagnostics> {
        let refuse = |told| Err(Diagnostics::of(told));
        if value.is_empty() {
            return refuse(told::set_without_value(name));
        }
        let file = self.sources.add(format!("--set {name}"), value, false);
        let (expr, diagnostics) = parse::parse_expr(file, value);
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        let (own, settings) = self.settable();
        if !own.iter().map(String::as_str).chain(settings.iter().copied()).any(|known| known == name) {
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            return refuse(told::nothing_to_set(name, &own, &settings));
        }
        let declared = self.tree.items.iter_mut().find_map(|item| match item {
            ast::Item::Let(ast::Let { target: ast::Target::Names(names), value, .. }) => {
                names.iter().any(|ident| ident.name.as_str() == name).then_some(value)
            }
            ast::Item::Def(def) => default(def, name),
            _ => None,
        });
        if let Some(declared) = &declared
            && let (Some(was), Some(given)) = (sort(declared), sort(&expr))
            && was != given
        {
            return refuse(told::set_another_sort(name, was, given, expr.span, declared.span));
        }
        match declared.filter(|_| name.contains('.')) {
            Some(default) => {
                self.defaults.entry(name.to_owned()).or_insert(default.span);
                *default = expr;
            }
            None => drop(self.overrides.insert(Symbol::new(name), expr)),
        }
        self.overrides_text.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    /// What the command line set, for the record of a run.
    pub fn overrides(&self) -> &[(String, String)] {
        &self.overrides_text
    }

    /// The files that the program uses, by their paths from its folder, for the record of a run.
    pub fn used(&self) -> BTreeMap<String, String> {
        let text = |module: &modules::Module| self.sources.file(module.file).text.to_string();
        self.modules.all.iter().map(|module| (module.path.display().to_string(), text(module))).collect()
    }

    /// The `use` of the program that brings a file, by itself or by what it uses.
    pub fn brought_by(&self, file: FileId) -> Option<Span> {
        let uses = || self.modules.uses.iter().filter(|(_, used)| **used == file).map(|(place, _)| *place);
        let here = uses().filter(|place| place.file == self.file).min();
        // Files use each other in no circle: a shorter way is left each time.
        here.or_else(|| uses().filter_map(|place| self.brought_by(place.file)).min())
    }

    /// The text of the user's file with what the command line set in its place.
    pub fn resolved(&self) -> String {
        let last: FxHashMap<&str, &str> = self.overrides_text.iter().map(|(name, value)| (&**name, &**value)).collect();
        let is = |name: &str, ident: &ast::Ident| ident.name.as_str() == name;
        let mut edits: Vec<(std::ops::Range<usize>, String)> = Vec::new();
        for (name, value) in last {
            let is_setting = sema::settings().any(|setting| setting == name);
            edits.extend(self.defaults.get(name).map(|span| (span.range(), value.to_owned())));
            for item in &self.tree.items {
                match item {
                    ast::Item::Let(binding) => {
                        let (ast::Target::Names(bound) | ast::Target::Fields(bound)) = &binding.target;
                        if bound.iter().any(|ident| is(name, ident)) {
                            edits.push((binding.value.span.range(), value.to_owned()));
                        }
                    }
                    ast::Item::Train(train) if is_setting => {
                        let line = train.entries.iter().find_map(|entry| match entry {
                            ast::Entry::Setting(setting) if setting.names.iter().any(|ident| is(name, ident)) => {
                                Some(setting.value.span.range())
                            }
                            _ => None,
                        });
                        let end = (train.span.end as usize).saturating_sub(1);
                        edits.push(match line {
                            Some(range) => (range, value.to_owned()),
                            None => (end..end, format!("  {name} = {value}\n")),
                        });
                    }
                    _ => {}
                }
            }
        }
        // From the end on, so that the places before stay; lines at one place in the order of their text.
        edits.sort_by(|(a, x), (b, y)| (b.start, y).cmp(&(a.start, x)));
        let mut text = self.text().to_owned();
        for (range, value) in edits {
            text.replace_range(range, &value);
        }
        text
    }

    /// The names of top-level `let`s and of parameters with defaults, behind that of their definition; then the settings
    /// of runs.
    fn settable(&self) -> (Vec<String>, Vec<&'static str>) {
        let (mut own, mut settings) = (Vec::new(), Vec::new());
        for item in &self.tree.items {
            match item {
                ast::Item::Let(binding) => {
                    let (ast::Target::Names(bound) | ast::Target::Fields(bound)) = &binding.target;
                    own.extend(bound.iter().map(|ident| ident.name.to_string()));
                }
                ast::Item::Train(_) => settings = sema::settings().collect(),
                ast::Item::Def(def) => {
                    let with_default = def.config.iter().flatten().filter(|param| param.default.is_some());
                    own.extend(with_default.map(|param| format!("{}.{}", def.name.name, param.name.name)));
                }
                _ => {}
            }
        }
        (own, settings)
    }

    /// The text of the user's file.
    pub fn text(&self) -> &str {
        &self.sources.file(self.file).text
    }

    /// The syntax tree of the user's file.
    pub fn tree(&self) -> &ast::File {
        &self.tree
    }

    /// The definitions of the library, then those of the user's file.
    pub fn definitions(&self) -> Vec<Definition<'_>> {
        let trees = self.trees();
        let all = trees.std.iter().chain([&trees.user]).flat_map(|source| {
            let file = self.sources.file(source.file);
            source.tree.items.iter().filter_map(move |item| {
                let ast::Item::Def(def) = item else { return None };
                let head = file.text[def.span.start as usize..def.body.span.start as usize].trim_end();
                Some(Definition {
                    name: def.name.name.as_str(),
                    head: head.strip_suffix('=').unwrap_or(head).trim_end(),
                    text: &file.text[def.span.range()],
                    doc: def.doc.as_deref(),
                    file: &file.name,
                    line: file.line_of(def.span.start) + 1,
                    is_own: source.file == self.file,
                })
            })
        });
        all.collect()
    }

    /// What was found while parsing.
    pub fn syntax_diagnostics(&self) -> &Diagnostics {
        &self.syntax
    }

    /// Reads the data and checks the program. `fitted` is what a trained model was fitted to.
    pub fn check(&self, fitted: Option<&FxHashMap<Symbol, Fitted>>) -> Checked {
        on_large_stack(|| self.check_here(fitted))
    }

    /// The gradients that functions of the program, or of the library, give, held against those of their values. The
    /// program has been checked.
    pub fn gradients(&self, of_library: bool) -> Vec<gradients::Report> {
        on_large_stack(|| {
            let clauses = sema::clauses(&self.trees(), of_library);
            clauses.into_iter().map(|clause| gradients::report(clause, tried)).collect()
        })
    }

    /// Checks the program of a trained model without its data: `schemas` is what the data was like.
    pub fn check_recorded(&self, schemas: FxHashMap<Symbol, Schema>) -> Checked {
        on_large_stack(|| {
            let facts = Facts { datasets: FxHashMap::default(), recorded: schemas };
            let (program, told) = sema::check(&self.trees(), &facts);
            let mut diagnostics = self.read_diagnostics();
            diagnostics.extend(told);
            Checked { program, datasets: facts.datasets, diagnostics, reading: Duration::ZERO }
        })
    }

    /// What a `data` declaration asks for.
    pub fn spec(&self, data: Symbol, diagnostics: &mut Diagnostics) -> Option<data::Spec> {
        let constants = on_large_stack(|| sema::constants(&self.trees()));
        let lookup = |name: Symbol| constants.get(&name).map(|value| data::Constant::Number(*value));
        let declared = self.tree.items.iter().find_map(|item| match item {
            ast::Item::Data(declared) if declared.name.name == data => Some(declared),
            _ => None,
        });
        declared.map(|declared| data::Spec::from_ast(declared, &lookup, diagnostics))
    }

    fn check_here(&self, fitted: Option<&FxHashMap<Symbol, Fitted>>) -> Checked {
        let mut found = Diagnostics::default();
        let sources = self.trees();
        let constants = sema::constants(&sources);
        let lookup = |name: Symbol| constants.get(&name).map(|value| data::Constant::Number(*value));

        let start = Instant::now();
        let mut facts = Facts::default();
        for item in &self.tree.items {
            let ast::Item::Data(declared) = item else { continue };
            let mut told = Diagnostics::default();
            let spec = data::Spec::from_ast(declared, &lookup, &mut told);
            let seed = self.seed_of(declared.name.name);
            let known = fitted.and_then(|fitted| fitted.get(&declared.name.name));
            if !told.has_errors()
                && let Some(dataset) = data::load(&spec, &Folder(self.folder.clone()), seed, known, &mut told)
            {
                facts.datasets.insert(declared.name.name, dataset);
            }
            found.extend(told);
        }
        let reading = start.elapsed();
        let (program, told) = sema::check(&sources, &facts);
        found.extend(told);
        // What follows from a text that could not be read stays silent; a misspelt name does not follow.
        let files = self.modules.all.iter().map(|module| (module.file, &module.tree, &module.syntax));
        for (file, tree, syntax) in files.chain([(self.file, &self.tree, &self.syntax)]) {
            let spoilt = blame::spoilt(tree, &self.sources.file(file).text, syntax);
            let follows = |span: Span| {
                span.file == file && spoilt.iter().any(|item| item.start <= span.start && span.end <= item.end)
            };
            let line = |span: Span| self.sources.file(span.file).line_of(span.start);
            let misread: FxHashSet<usize> = syntax.iter().filter_map(|told| told.span().map(line)).collect();
            found.retain(|told| match told.span().filter(|span| follows(*span)) {
                Some(span) => told.knows_the_word() && !misread.contains(&line(span)),
                // A use of what another file could not be read to declare.
                None => file == self.file || !told.labels.iter().any(|label| follows(label.span)),
            });
        }
        let mut diagnostics = self.read_diagnostics();
        diagnostics.extend(found);
        // Beside a mistake, a name without use is most likely the one that was misspelt.
        if !diagnostics.has_errors() {
            diagnostics.extend(unused::unused(&self.tree, self.text()));
        }
        Checked { program, datasets: facts.datasets, diagnostics, reading }
    }

    /// What was found while the program and the files it uses were read.
    fn read_diagnostics(&self) -> Diagnostics {
        let mut diagnostics = self.syntax.clone();
        diagnostics.extend(self.modules.diagnostics.clone());
        self.modules.all.iter().for_each(|module| diagnostics.extend(module.syntax.clone()));
        diagnostics
    }

    /// All trees and what the command line set.
    fn trees(&self) -> Sources<'_> {
        let std = STD_TREES.iter().enumerate().map(|(at, tree)| Source { file: FileId(at as u32), tree });
        let used = self.modules.all.iter().map(|module| Source { file: module.file, tree: &module.tree });
        Sources {
            std: std.collect(),
            user: Source { file: self.file, tree: &self.tree },
            used: used.collect(),
            uses: &self.modules.uses,
            incomplete: &self.modules.incomplete,
            overrides: &self.overrides,
        }
    }

    /// The seed of the first run on some data, which also shuffles and splits it.
    fn seed_of(&self, data: Symbol) -> u64 {
        let seed = Symbol::new("seed");
        let in_file = self.tree.items.iter().find_map(|item| match item {
            ast::Item::Train(train) if train.data.name == data => train.entries.iter().find_map(|entry| match entry {
                ast::Entry::Setting(setting) if setting.names.iter().any(|ident| ident.name == seed) => {
                    Some(&setting.value)
                }
                _ => None,
            }),
            _ => None,
        });
        match self.overrides.get(&seed).or(in_file).map(|expr| &expr.kind) {
            Some(ast::ExprKind::Number(number)) => number.value as u64,
            _ => 0,
        }
    }
}

/// The default of a parameter of a definition that is called as `Net.width`.
fn default<'t>(def: &'t mut ast::Def, name: &str) -> Option<&'t mut ast::Expr> {
    let (_, param) = name.split_once('.').filter(|(definition, _)| *definition == def.name.name.as_str())?;
    def.config.iter_mut().flatten().find(|known| known.name.name.as_str() == param)?.default.as_mut()
}

/// Runs the front end where deep programs have room.
fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        match thread.expect("a thread for the front end").join() {
            Ok(value) => value,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}
