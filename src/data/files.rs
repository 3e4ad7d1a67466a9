//! The way to files: a trait, so that tests read from memory, and gzip.
//!
//! In: paths as the program has them. Out: bytes, unpacked when they are gzip by their first bytes, or
//! what went wrong as a diagnostic.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use crate::diag::{Diagnostic, contents, nearest};

use super::spec::SourceFile;
use super::{Checked, refuse};

/// What reads files. Paths are relative to the folder of the program.
pub trait Files: Debug + Send + Sync {
    /// The bytes of a file.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;
    /// At most this many of its first bytes.
    fn head(&self, path: &str, limit: u64) -> io::Result<Vec<u8>>;
    /// The names in a folder, in order; `""` is the folder of the program.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;
    /// Those of them that are folders.
    fn folders(&self, folder: &str) -> io::Result<Vec<String>>;
    /// The same files for other threads, which read them when this value may be gone.
    fn share(&self) -> Arc<dyn Files>;
    /// The path as it is tried, for messages.
    fn shown(&self, path: &str) -> String;
}

/// Files of the disk.
#[derive(Clone, Debug)]
pub struct Folder(pub PathBuf);

impl Files for Folder {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.0.join(path))
    }

    fn head(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        std::fs::File::open(self.0.join(path))?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.0.join(folder))? {
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    fn folders(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names = self.list(folder)?;
        names.retain(|name| self.0.join(folder).join(name).is_dir());
        Ok(names)
    }

    fn share(&self) -> Arc<dyn Files> {
        Arc::new(self.clone())
    }

    fn shown(&self, path: &str) -> String {
        self.0.join(path).display().to_string()
    }
}

/// Files in memory, by path.
#[derive(Clone, Debug, Default)]
pub struct Memory(pub BTreeMap<String, Vec<u8>>);

impl Memory {
    /// One more file.
    pub fn with(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Memory {
        self.0.insert(path.to_owned(), bytes.into());
        self
    }

    /// What lies in a folder, and whether it is a folder itself.
    fn below<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = (&'a str, bool)> {
        let inside = self.0.keys().filter_map(move |path| match folder {
            "" => Some(path.as_str()),
            _ => path.strip_prefix(folder)?.strip_prefix('/'),
        });
        inside.map(|rest| rest.split_once('/').map_or((rest, false), |(name, _)| (name, true)))
    }
}

impl Files for Memory {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.0.get(path).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn head(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        let mut bytes = self.read(path)?;
        bytes.truncate(limit as usize);
        Ok(bytes)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names: Vec<String> = self.below(folder).map(|(name, _)| name.to_owned()).collect();
        names.dedup();
        // A folder is there when something lies in it.
        if names.is_empty() && !folder.is_empty() {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        Ok(names)
    }

    fn folders(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names: Vec<String> =
            self.below(folder).filter(|(_, inner)| *inner).map(|(name, _)| name.to_owned()).collect();
        names.dedup();
        Ok(names)
    }

    fn share(&self) -> Arc<dyn Files> {
        Arc::new(self.clone())
    }

    fn shown(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// The bytes of a source's file, unpacked.
pub(super) fn read(files: &dyn Files, file: &SourceFile) -> Checked<Vec<u8>> {
    match files.read(&file.path) {
        Ok(bytes) => unpack(bytes, file),
        Err(error) => Err(unreadable(files, file, &error)),
    }
}

/// Why a file or a folder cannot be read, and what of a similar name is there.
pub(super) fn unreadable(files: &dyn Files, file: &SourceFile, error: &io::Error) -> Box<Diagnostic> {
    let why = why(error);
    let (folder, name) = parts(&file.path);
    let others = match error.kind() {
        io::ErrorKind::NotFound => files.list(folder).unwrap_or_default(),
        _ => Vec::new(),
    };
    let near = nearest(name, others.iter().map(String::as_str)).filter(|near| *near != name);
    let whole = near.map(|near| format!("{}{near}", &file.path[..file.path.len() - name.len()]));
    let near = near.zip(whole.as_deref());
    Box::new(contents::unreadable(file.span, &files.shown(&file.path), &why, near))
}

/// An error of the system in words.
pub(super) fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        io::ErrorKind::NotADirectory => "it is no folder".to_owned(),
        _ => error.to_string(),
    }
}

/// Folder and name of a path.
fn parts(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// More than any training set that fits in memory, less than what a crafted file unpacks to.
const UNPACKED_LIMIT: u64 = 64 << 30;

/// Unpacks gzip, which is known by its first two bytes and not by a name.
fn unpack(bytes: Vec<u8>, file: &SourceFile) -> Checked<Vec<u8>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    match MultiGzDecoder::new(bytes.as_slice()).take(UNPACKED_LIMIT).read_to_end(&mut unpacked) {
        Ok(_) => Ok(unpacked),
        Err(error) => {
            let why = match error.kind() {
                io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
                _ => error.to_string(),
            };
            refuse(contents::damaged_gzip(file.span, &file.path, &why))
        }
    }
}
