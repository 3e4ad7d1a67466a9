//! The way to files: a trait, so that tests read from memory, and gzip.
//!
//! In: paths as the program has them. Out: bytes, unpacked when they are gzip by their first bytes, or
//! what went wrong as a diagnostic.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::PathBuf;

use flate2::read::MultiGzDecoder;

use crate::diag::{data, nearest};

use super::spec::SourceFile;
use super::{Checked, refuse};

/// What reads files. Paths are relative to the folder of the program.
pub trait Files {
    /// The bytes of a file.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;
    /// The names in a folder; `""` is the folder of the program.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;
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

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.0.join(folder))? {
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
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
}

impl Files for Memory {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.0.get(path).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        Ok(self
            .0
            .keys()
            .map(|path| parts(path))
            .filter(|(of, _)| *of == folder)
            .map(|(_, name)| name.to_owned())
            .collect())
    }

    fn shown(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// The bytes of a source's file, unpacked.
pub(super) fn read(files: &dyn Files, file: &SourceFile) -> Checked<Vec<u8>> {
    match files.read(&file.path) {
        Ok(bytes) => unpack(bytes, file),
        Err(error) => {
            let why = match error.kind() {
                io::ErrorKind::NotFound => "there is no such file".to_owned(),
                io::ErrorKind::PermissionDenied => "it may not be read".to_owned(),
                io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
                _ => error.to_string(),
            };
            let (folder, name) = parts(&file.path);
            let others = match error.kind() {
                io::ErrorKind::NotFound => files.list(folder).unwrap_or_default(),
                _ => Vec::new(),
            };
            let near = nearest(name, others.iter().map(String::as_str)).filter(|near| *near != name);
            let whole = near.map(|near| format!("{}{near}", &file.path[..file.path.len() - name.len()]));
            let near = near.zip(whole.as_deref());
            refuse(data::unreadable(file.span, &files.shown(&file.path), &why, near))
        }
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
            refuse(data::damaged_gzip(file.span, &file.path, &why))
        }
    }
}
