//! The programs that many tests run over: the examples of the repository and those of `tests/data/language`.

use std::fs;
use std::path::{Path, PathBuf};

/// All of them: file name and text, in order.
pub fn all() -> Vec<(String, String)> {
    let mut programs = read("tests/data/language");
    programs.extend(read("examples"));
    programs
}

/// The `.model` files of a folder of the repository, if it is there.
pub fn read(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "model"));
    paths.sort();
    let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), fs::read_to_string(path).expect("a readable program"))).collect()
}
