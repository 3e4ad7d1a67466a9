//! The pictures below a folder, with their classes and their parts of the split.
//!
//! In: the names in folders. Out: paths in the order of their names, which is the order of the rows. A file
//! that is no picture is left out and told; hidden files and those that systems leave behind are left out
//! in silence. No file is opened.

use crate::base::Span;
use crate::diag::{Diagnostics, images, nearest};

use super::super::files::{self, Files};
use super::super::spec::{Layout, SourceFile, names};

/// The pictures of a source, row by row.
#[derive(Debug, Default)]
pub struct Found {
    pub paths: Vec<String>,
    /// The names of their folders; empty where pictures have no classes.
    pub classes: Vec<String>,
    /// Places in `names::PARTS`; empty where folders are no parts.
    pub parts: Vec<u8>,
}

/// Names of files that are taken for pictures.
pub const PICTURES: [&str; 6] = ["png", "jpg", "jpeg", "bmp", "gif", "webp"];

/// What systems leave in folders.
const LITTER: [&str; 2] = ["thumbs.db", "desktop.ini"];

/// Folders deeper than this are a link to themselves.
const MAX_DEPTH: usize = 16;

/// Finds the pictures of a source. Without labels a path may also be that of one picture.
pub fn find(
    file: &SourceFile,
    (labels, layout): (bool, Option<&Layout>),
    parts: Option<Span>,
    files: &dyn Files,
    diagnostics: &mut Diagnostics,
) -> Option<Found> {
    let mut search =
        Search { files, span: file.span, layout, found: Found::default(), strays: Vec::new(), diagnostics };
    let root = search.look(file)?;
    match parts {
        Some(split) => search.parts(&root, labels, split)?,
        None if labels => search.classes(&root, 0)?,
        None => search.all(&root, 0),
    }
    if search.found.paths.is_empty() {
        search.diagnostics.push(images::no_pictures(file.span, &file.path));
        return None;
    }
    search.tell_strays();
    Some(search.found)
}

struct Search<'a> {
    files: &'a dyn Files,
    span: Option<Span>,
    layout: Option<&'a Layout>,
    found: Found,
    /// What is left out, and why.
    strays: Vec<(String, &'static str)>,
    diagnostics: &'a mut Diagnostics,
}

/// What lies in a folder.
struct Inside {
    path: String,
    folders: Vec<String>,
    pictures: Vec<String>,
    others: Vec<String>,
}

const NO_PICTURE: &str = "its name is not that of a picture";
const BESIDE_CLASSES: &str = "it lies beside the folders of the classes";
const DEEPER: &str = "it is a folder inside of that of a class";

impl Search<'_> {
    /// The folder of the source itself; one picture is a folder of its own.
    fn look(&mut self, file: &SourceFile) -> Option<Inside> {
        match self.inside(&file.path) {
            Ok(inside) => Some(inside),
            Err(_) if self.files.head(&file.path, 1).is_ok() => {
                let pictures = vec![file.path.clone()];
                Some(Inside { path: String::new(), folders: vec![], pictures, others: vec![] })
            }
            Err(error) => {
                self.diagnostics.push(*files::unreadable(self.files, file, &error));
                None
            }
        }
    }

    fn inside(&self, path: &str) -> std::io::Result<Inside> {
        let mut inside =
            Inside { path: path.to_owned(), folders: self.files.folders(path)?, pictures: vec![], others: vec![] };
        for name in self.files.list(path)? {
            match () {
                () if is_litter(&name) || inside.folders.contains(&name) => {}
                () if is_picture(&name) => inside.pictures.push(name),
                () => inside.others.push(name),
            }
        }
        inside.folders.retain(|name| !is_litter(name));
        Ok(inside)
    }

    /// A folder below another; one that cannot be read is told.
    fn below(&mut self, outer: &Inside, name: &str) -> Option<Inside> {
        let path = joined(&outer.path, name);
        match self.inside(&path) {
            Ok(inside) => Some(inside),
            Err(error) => {
                let file = SourceFile { column: String::new(), path, span: self.span };
                self.diagnostics.push(*files::unreadable(self.files, &file, &error));
                None
            }
        }
    }

    /// `dir/train/…`, `dir/valid/…`, `dir/test/…`
    fn parts(&mut self, root: &Inside, labels: bool, split: Span) -> Option<()> {
        if !root.folders.iter().any(|name| name == names::PARTS[0]) {
            self.diagnostics.push(images::no_training_folder(self.span, &root.path, split));
            return None;
        }
        let beside = root.folders.iter().filter(|name| !names::PARTS.contains(&name.as_str()));
        for name in beside.chain(&root.pictures).chain(&root.others) {
            self.strays.push((joined(&root.path, name), "it is none of `train`, `valid` and `test`"));
        }
        for (part, name) in names::PARTS.iter().enumerate() {
            if !root.folders.iter().any(|folder| folder == name) {
                continue;
            }
            let inside = self.below(root, name)?;
            match labels {
                true => self.classes(&inside, part)?,
                false => self.all(&inside, 0),
            }
            self.found.parts.resize(self.found.paths.len(), part as u8);
        }
        Some(())
    }

    /// `dir/CLASS/picture.png`
    fn classes(&mut self, root: &Inside, part: usize) -> Option<()> {
        if root.folders.is_empty() {
            let labels = self.layout.and_then(|layout| layout.labels);
            self.diagnostics.push(images::no_classes(self.span, &root.path, root.pictures.len(), labels));
            return None;
        }
        if root.folders.iter().any(|name| name == names::PARTS[0]) {
            let inside = self.below(root, names::PARTS[0])?;
            if inside.pictures.is_empty() && !inside.folders.is_empty() {
                let split = self.layout.and_then(|layout| layout.by_folder);
                self.diagnostics.push(images::parts_as_classes(self.span, &root.path, split));
                return None;
            }
        }
        for name in root.pictures.iter().chain(&root.others) {
            self.strays.push((joined(&root.path, name), BESIDE_CLASSES));
        }
        for class in &root.folders {
            let inside = self.below(root, class)?;
            // A test folder may lack pictures of a class; nothing could be learnt of one without any.
            if inside.pictures.is_empty() && part == 0 {
                self.diagnostics.push(images::empty_class(self.span, &inside.path, class));
                return None;
            }
            self.strays.extend(inside.others.iter().map(|name| (joined(&inside.path, name), NO_PICTURE)));
            self.strays.extend(inside.folders.iter().map(|name| (joined(&inside.path, name), DEEPER)));
            self.found.classes.extend(inside.pictures.iter().map(|_| class.clone()));
            self.take(&inside);
        }
        Some(())
    }

    /// Every picture at any depth.
    fn all(&mut self, root: &Inside, depth: usize) {
        self.strays.extend(root.others.iter().map(|name| (joined(&root.path, name), NO_PICTURE)));
        self.take(root);
        for name in root.folders.iter().filter(|_| depth < MAX_DEPTH) {
            if let Some(inside) = self.below(root, name) {
                self.all(&inside, depth + 1);
            }
        }
    }

    fn take(&mut self, inside: &Inside) {
        self.found.paths.extend(inside.pictures.iter().map(|name| joined(&inside.path, name)));
    }

    fn tell_strays(&mut self) {
        // A folder `val` beside `train` is rather a misspelt part than litter, so its reason comes first.
        let misspelt = |(path, _): &&(String, &str)| {
            let name = path.rsplit('/').next().unwrap_or(path);
            nearest(name, names::PARTS.iter().copied()).is_some() || name == "val"
        };
        let first = self.strays.iter().find(misspelt).or(self.strays.first());
        if let Some((path, why)) = first {
            self.diagnostics.push(images::left_out(self.span, path, why, self.strays.len() - 1));
        }
    }
}

/// A name in a folder, which may be that of the program.
pub fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Whether a name ends as that of a picture.
pub fn is_picture(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.is_some_and(|ending| PICTURES.contains(&ending.as_str()))
}

fn is_litter(name: &str) -> bool {
    name.starts_with('.') || LITTER.contains(&name.to_ascii_lowercase().as_str())
}
