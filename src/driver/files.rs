//! Where the texts of a program come from: the disk, or what a run took down.
//!
//! In: paths. Out: texts, or why there is none.

use std::collections::BTreeMap;
use std::path::Path;

use crate::diag::{Diagnostics, train as told};
use crate::syntax::modules::Reader;

/// Files as the system has them.
pub(super) struct Disk;

impl Reader for Disk {
    fn read(&self, path: &Path) -> Result<String, String> {
        let bytes = std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "there is none".to_owned(),
            _ => error.to_string(),
        })?;
        String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
    }

    fn programs(&self, folder: &Path) -> Vec<String> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| name.ends_with(".model")).collect()
    }
}

/// Files as a run took them down.
pub(super) struct Taken<'a>(pub &'a BTreeMap<String, String>, pub &'a Path);

impl Reader for Taken<'_> {
    fn read(&self, path: &Path) -> Result<String, String> {
        let name = path.strip_prefix(self.1).unwrap_or(path).display().to_string();
        self.0.get(&name).cloned().ok_or_else(|| "the run did not take it down".to_owned())
    }

    fn programs(&self, _: &Path) -> Vec<String> {
        Vec::new()
    }
}

/// A program's name and text.
pub(super) fn read(path: &Path) -> Result<(String, String), Diagnostics> {
    let name = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| Diagnostics::of(told::cannot_read(&name, &error)))?;
    let text = String::from_utf8(bytes)
        .map_err(|error| Diagnostics::of(told::not_utf8(&name, error.utf8_error().valid_up_to())))?;
    Ok((name, text))
}
