//! The files that rows name.
//!
//! In: a pattern of a source, or paths of rows. Out: paths of files that are there. No file is opened: folders are
//! listed, each once. A file may be named without its ending, and the one beside another may end otherwise, so that a
//! JPEG finds the PNG of its mask.

use rustc_hash::FxHashMap;

use crate::diag::{Diagnostics, nearest, scenes};

use super::super::files::{self, Files};
use super::super::spec::SourceFile;
use super::folder::{PICTURES, find, is_picture, joined};

/// The pictures of `files("img/*.png")` in the order of their paths. A path without a pattern is that of one picture,
/// or of a folder with pictures at any depth.
pub fn matching(file: &SourceFile, files: &dyn Files, diagnostics: &mut Diagnostics) -> Option<Vec<String>> {
    if !file.path.contains('*') {
        return Some(find(file, (false, None), None, files, diagnostics)?.paths);
    }
    let found = of_pattern(file, files, diagnostics)?;
    if found.is_empty() {
        let other = |ending: &&str| {
            let (stem, _) = file.path.rsplit_once('.')?;
            let path = format!("{stem}.{ending}");
            let other = SourceFile { path: path.clone(), ..file.clone() };
            let found = of_pattern(&other, files, &mut Diagnostics::default())?;
            (!found.is_empty()).then_some(path)
        };
        let other = PICTURES.iter().find_map(other);
        diagnostics.push(scenes::nothing_matches(file.span, &file.path, other.as_deref()));
        return None;
    }
    Some(found)
}

/// The pictures that a pattern means; none where a folder of it cannot be read.
fn of_pattern(file: &SourceFile, files: &dyn Files, diagnostics: &mut Diagnostics) -> Option<Vec<String>> {
    let mut found = vec![String::new()];
    let parts: Vec<&str> = file.path.split('/').collect();
    for (at, part) in parts.iter().enumerate() {
        let is_last = at + 1 == parts.len();
        let mut next = Vec::new();
        for folder in &found {
            let join = |name: &str| if at == 0 { name.to_owned() } else { format!("{folder}/{name}") };
            if !part.contains('*') {
                next.push(join(part));
                continue;
            }
            let names = if is_last { files.list(folder) } else { files.folders(folder) };
            match names {
                Ok(names) => next.extend(names.iter().filter(|name| is_like(name, part)).map(|name| join(name))),
                // A folder that the pattern itself names must be there.
                Err(error) if found.len() == 1 => {
                    let folder = SourceFile { path: folder.clone(), ..file.clone() };
                    diagnostics.push(*files::unreadable(files, &folder, &error));
                    return None;
                }
                Err(_) => {}
            }
        }
        found = next;
    }
    if !parts.last().is_some_and(|part| part.contains('*')) {
        found.retain(|path| files.head(path, 1).is_ok());
    }
    found.retain(|path| is_picture(path));
    found.sort();
    Some(found)
}

/// Whether a name has the texts between the stars of a pattern, in their order. Hidden files are not meant.
fn is_like(name: &str, pattern: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return name == pattern };
    let Some(mut name) = name.strip_prefix(first).filter(|_| !name.starts_with('.')) else { return false };
    let texts: Vec<&str> = rest.split('*').collect();
    let Some((last, inner)) = texts.split_last() else { return true };
    for text in inner {
        match name.find(text) {
            Some(at) => name = &name[at + text.len()..],
            None => return false,
        }
    }
    name.ends_with(last)
}

/// What a path of a row leads to.
#[derive(Debug, PartialEq)]
pub enum Lookup {
    Found(String),
    /// A name of the folder that is near.
    Missing(Option<String>),
    /// Files of the same name with different endings.
    Several(String, String),
}

/// Folders, each listed once.
pub struct Shelf<'f> {
    files: &'f dyn Files,
    folders: FxHashMap<String, Listing>,
}

/// The names in a folder, and for each without the ending of a picture which of them have it.
#[derive(Default)]
struct Listing {
    names: Vec<String>,
    stems: FxHashMap<String, Vec<usize>>,
}

impl<'f> Shelf<'f> {
    pub fn of(files: &'f dyn Files) -> Shelf<'f> {
        Shelf { files, folders: FxHashMap::default() }
    }

    /// The file of this path, or the one picture beside it that differs in its ending.
    pub fn find(&mut self, path: &str) -> Lookup {
        let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
        if !self.folders.contains_key(folder) {
            self.folders.insert(folder.to_owned(), Listing::of(self.files, folder));
        }
        let listing = &self.folders[folder];
        if listing.names.binary_search_by(|known| known.as_str().cmp(name)).is_ok() {
            return Lookup::Found(path.to_owned());
        }
        let there = |at: usize| joined(folder, &listing.names[at]);
        match listing.stems.get(stem(name)).map(Vec::as_slice) {
            Some(&[one]) => Lookup::Found(there(one)),
            Some(&[first, second, ..]) => Lookup::Several(there(first), there(second)),
            // A system may know the name in another way, in letters of another case for one.
            _ if self.files.head(path, 1).is_ok() => Lookup::Found(path.to_owned()),
            _ => {
                let near = nearest(name, listing.names.iter().map(String::as_str));
                Lookup::Missing(near.map(|near| joined(folder, near)))
            }
        }
    }
}

impl Listing {
    /// A folder that cannot be read has nothing in it.
    fn of(files: &dyn Files, folder: &str) -> Listing {
        let mut listing = Listing { names: files.list(folder).unwrap_or_default(), ..Listing::default() };
        listing.names.sort();
        for (at, name) in listing.names.iter().enumerate().filter(|(_, name)| is_picture(name)) {
            listing.stems.entry(stem(name).to_owned()).or_default().push(at);
        }
        listing
    }
}

/// `mask/a.png` of `img/a.png`: the last folder is another one.
pub fn beside(path: &str, folder: &str) -> String {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let outer = folders.rsplit_once('/').map_or("", |(outer, _)| outer);
    joined(&joined(outer, folder), name)
}

/// A name without the ending of a picture.
fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, _)) if is_picture(name) => stem,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::files::Memory;
    use super::*;

    #[test]
    fn stars_are_any_text_of_a_name() {
        for (name, pattern, is) in [
            ("a.png", "*.png", true),
            ("a.jpg", "*.png", false),
            (".a.png", "*.png", false),
            ("cell_12_raw.png", "cell_*_raw.*", true),
            ("cell_raw.png", "cell_*_raw.*", false),
            ("aba", "a*a", true),
            ("a", "a*a", false),
            ("abab", "*ab", true),
            ("x", "*", true),
        ] {
            assert_eq!(is_like(name, pattern), is, "{name} {pattern}");
        }
    }

    #[test]
    fn a_file_is_found_by_its_name_or_all_but_its_ending() {
        let files = Memory::default().with("m/a.png", "").with("m/b.png", "").with("m/b.gif", "").with("m/c.txt", "");
        let mut shelf = Shelf::of(&files);
        for (path, found) in [
            ("m/a.png", Lookup::Found("m/a.png".to_owned())),
            ("m/a.jpg", Lookup::Found("m/a.png".to_owned())),
            ("m/a", Lookup::Found("m/a.png".to_owned())),
            ("m/b.png", Lookup::Found("m/b.png".to_owned())),
            ("m/b.jpg", Lookup::Several("m/b.gif".to_owned(), "m/b.png".to_owned())),
            ("m/c.png", Lookup::Missing(Some("m/a.png".to_owned()))),
            ("other/a.png", Lookup::Missing(None)),
        ] {
            assert_eq!(shelf.find(path), found, "{path}");
        }
        assert_eq!(beside("img/a.png", "mask"), "mask/a.png");
        assert_eq!(beside("data/x/img/a.png", "mask"), "data/x/mask/a.png");
        assert_eq!(beside("a.png", "mask"), "mask/a.png");
    }
}
