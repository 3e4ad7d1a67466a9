//! The files a program uses: `use "blocks.model"`, and what those use in turn.
//!
//! In: the tree of a program and a reader of files. Out: the tree of every used file once, which file each
//! `use` means, and what is wrong with them. Paths are relative to the file that names them. Files come from
//! a `Reader`: nothing here opens one, and what a used file means is for the check.

use std::path::{Component, Path, PathBuf};

use rustc_hash::{FxHashMap, FxHashSet};

use super::ast::{File, Item, Use};
use super::parse;
use crate::base::{FileId, SourceMap, Span};
use crate::diag::{Diagnostics, name as told};

/// Where used files come from.
pub trait Reader {
    /// The text of a file, or why there is none.
    fn read(&self, path: &Path) -> Result<String, String>;
    /// The names of the programs in a folder, for suggestions.
    fn programs(&self, folder: &Path) -> Vec<String>;
}

/// A used file.
pub struct Module {
    /// Its path from the program's folder.
    pub path: PathBuf,
    /// Its text.
    pub file: FileId,
    /// Its tree.
    pub tree: File,
    /// What was found while parsing it.
    pub syntax: Diagnostics,
}

/// All files that a program uses.
#[derive(Default)]
pub struct Modules {
    /// Each once, a file before those that use it.
    pub all: Vec<Module>,
    /// The file that each `use` means, by its place.
    pub uses: FxHashMap<Span, FileId>,
    /// Files in which names may be missing, because one they use could not be read whole.
    pub incomplete: FxHashSet<FileId>,
    /// What is wrong with the `use`s.
    pub diagnostics: Diagnostics,
}

/// Reads what a program uses. `program` is its path from `folder`.
pub fn load(
    sources: &mut SourceMap,
    (file, tree): (FileId, &File),
    program: &Path,
    folder: &Path,
    reader: &dyn Reader,
) -> Modules {
    let mut modules = Modules::default();
    if tree.items.iter().any(|item| matches!(item, Item::Use(_))) {
        let way = vec![plain(program)];
        Walk { sources, folder, reader, modules: &mut modules, known: FxHashMap::default(), way }.file(file, tree);
    }
    modules
}

/// The walk through the files.
struct Walk<'w> {
    sources: &'w mut SourceMap,
    folder: &'w Path,
    reader: &'w dyn Reader,
    modules: &'w mut Modules,
    /// Files that were read.
    known: FxHashMap<PathBuf, FileId>,
    /// From the program to the file that is being walked.
    way: Vec<PathBuf>,
}

impl Walk<'_> {
    fn file(&mut self, file: FileId, tree: &File) {
        let uses = tree.items.iter().filter_map(|item| match item {
            Item::Use(item) => Some(item),
            _ => None,
        });
        for item in uses {
            match self.used(item) {
                Some(used) => {
                    self.modules.uses.insert(item.span, used);
                    let is_broken =
                        self.modules.all.iter().any(|module| module.file == used && module.syntax.has_errors());
                    if is_broken {
                        self.modules.incomplete.insert(file);
                    }
                }
                None => {
                    self.modules.incomplete.insert(file);
                }
            }
        }
    }

    /// The file of a `use`; none when it cannot be had, which is told.
    fn used(&mut self, item: &Use) -> Option<FileId> {
        let from = self.way.last().and_then(|path| path.parent()).unwrap_or(Path::new(""));
        let path = plain(&from.join(&item.path));
        if let Some(start) = self.way.iter().position(|above| *above == path) {
            let shown = |path: &PathBuf| path.display().to_string();
            let circle: Vec<String> = self.way[start..].iter().chain([&path]).map(shown).collect();
            self.modules.diagnostics.push(told::uses_itself(&circle, item.path_span, item.span));
            return None;
        }
        if let Some(known) = self.known.get(&path) {
            return Some(*known);
        }
        let place = self.folder.join(&path);
        let text = match self.reader.read(&place) {
            Ok(text) => text,
            Err(error) => {
                let near = self.reader.programs(place.parent().unwrap_or(Path::new("")));
                self.modules.diagnostics.push(told::cannot_use(&item.path, &error, item.path_span, &near));
                return None;
            }
        };
        let file = self.sources.add(place.display().to_string(), text.as_str(), false);
        let (tree, syntax) = parse::parse(file, &text);
        self.known.insert(path.clone(), file);
        self.way.push(path.clone());
        self.file(file, &tree);
        self.way.pop();
        self.modules.all.push(Module { path, file, tree, syntax });
        Some(file)
    }
}

/// A path without `.` and without a step into a folder and out again, so that one file has one path.
fn plain(path: &Path) -> PathBuf {
    let mut parts = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(parts.components().next_back(), Some(Component::Normal(_))) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_file_has_one_path() {
        for (path, one) in
            [("./a/../b.model", "b.model"), ("a/./b/../c", "a/c"), ("../x/../y", "../y"), ("/a/../b", "/b")]
        {
            assert_eq!(plain(Path::new(path)), Path::new(one), "{path}");
        }
    }
}
