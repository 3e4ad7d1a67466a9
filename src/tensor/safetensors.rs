//! Tensors by path in a safetensors file.
//!
//! In: paths, tensors with axis names, free metadata. Out: a file that any safetensors reader opens,
//! byte for byte the same for the same content. The metadata holds `format = 1` and, for each path, its
//! axis names: `axes:net.dense.w` = `i,out`. A file appears whole or not at all.
//!
//! Whether the paths are those a model expects is the caller's question.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use serde_json::json;
use thiserror::Error;

use super::{Named, Tensor};

/// The layout this module writes, and the only one it reads.
pub const FORMAT: &str = "1";

const FORMAT_KEY: &str = "format";
const AXES_PREFIX: &str = "axes:";

/// What a file holds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Stored {
    /// Tensors by path.
    pub tensors: BTreeMap<String, Named>,
    /// Everything else worth keeping, as text. `format` and `axes:…` are not in here.
    pub metadata: BTreeMap<String, String>,
}

/// Why a file could not be written or read.
#[derive(Debug, Error)]
pub enum FileError {
    /// The system refused.
    #[error("cannot {doing} `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// `read` or `write`.
        doing: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// The file ends before its header says, or goes on after it.
    #[error("`{}` is incomplete: its length does not fit its header", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
    },
    /// The bytes are no safetensors file.
    #[error("`{}` is not a safetensors file: {why}", path.display())]
    NotSafetensors {
        /// The file.
        path: PathBuf,
        /// What the reader stumbled over.
        why: String,
    },
    /// A safetensors file that this program did not write, or wrote in another layout.
    #[error("`{}` has format {}, this program reads format {FORMAT}", path.display(), found.as_deref().unwrap_or("none"))]
    Format {
        /// The file.
        path: PathBuf,
        /// What it says of itself.
        found: Option<String>,
    },
    /// A tensor of an element type that the host tensor does not have.
    #[error("`{name}` in `{}` is stored as {dtype}; F64, F32, F16, BF16 and I32 are read", path.display())]
    Dtype {
        /// The file.
        path: PathBuf,
        /// The path of the tensor.
        name: String,
        /// Its element type.
        dtype: String,
    },
    /// Axis names that are missing or do not fit the number of axes.
    #[error("the axis names of `{name}` in `{}` do not fit its {rank} axes", path.display())]
    Axes {
        /// The file.
        path: PathBuf,
        /// The path of the tensor.
        name: String,
        /// How many axes it has.
        rank: usize,
    },
}

/// Writes to a temporary file in the folder of `path`, makes it durable, and renames it.
pub fn write(path: &Path, stored: &Stored) -> Result<(), FileError> {
    let written = || -> io::Result<()> {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut temporary = new_temporary(folder)?;
        temporary.write_all(&to_bytes(stored))?;
        temporary.as_file().sync_all()?;
        temporary.persist(path).map_err(|failed| failed.error)?;
        // The rename is durable once the folder is. Not every system can open a folder; there the
        // rename is as durable as the system makes it.
        if let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
        Ok(())
    };
    written().map_err(|source| FileError::Io { path: path.to_owned(), doing: "write", source })
}

/// Reads a file that `write` made.
pub fn read(path: &Path) -> Result<Stored, FileError> {
    let bytes = std::fs::read(path).map_err(|source| FileError::Io { path: path.to_owned(), doing: "read", source })?;
    from_bytes(&bytes, path)
}

/// Reads a file of any program; axes that it does not name have no names.
pub fn read_any(path: &Path) -> Result<Stored, FileError> {
    let bytes = std::fs::read(path).map_err(|source| FileError::Io { path: path.to_owned(), doing: "read", source })?;
    parsed(&bytes, path, false)
}

/// The content of the file. The header is written here and not by the `safetensors` crate, whose
/// metadata comes in the random order of a hash map: equal runs must leave equal files.
pub fn to_bytes(stored: &Stored) -> Vec<u8> {
    let mut metadata = stored.metadata.clone();
    metadata.insert(FORMAT_KEY.to_owned(), FORMAT.to_owned());
    let mut header = BTreeMap::new();
    let mut end = 0;
    for (name, Named { tensor, axes }) in &stored.tensors {
        metadata.insert(format!("{AXES_PREFIX}{name}"), axes.join(","));
        let start = end;
        let (dtype, width) = match tensor {
            Tensor::F64(_) => ("F64", 8),
            Tensor::F32(_) => ("F32", 4),
            Tensor::F16(_) => ("F16", 2),
            Tensor::Bf16(_) => ("BF16", 2),
            Tensor::I32(_) => ("I32", 4),
        };
        end += tensor.len() * width;
        header.insert(name.as_str(), json!({ "dtype": dtype, "shape": tensor.shape(), "data_offsets": [start, end] }));
    }
    header.insert("__metadata__", json!(metadata));

    let mut head = json!(header).to_string().into_bytes();
    head.resize(head.len().next_multiple_of(8), b' ');
    let mut bytes = Vec::with_capacity(8 + head.len() + end);
    bytes.extend((head.len() as u64).to_le_bytes());
    bytes.extend(head);
    for Named { tensor, .. } in stored.tensors.values() {
        // `iter` follows the logical order, whatever the order in memory.
        match tensor {
            Tensor::F64(array) => array.iter().for_each(|value| bytes.extend(value.to_le_bytes())),
            Tensor::F32(array) => array.iter().for_each(|value| bytes.extend(value.to_le_bytes())),
            Tensor::F16(array) => array.iter().for_each(|value| bytes.extend(value.to_le_bytes())),
            Tensor::Bf16(array) => array.iter().for_each(|value| bytes.extend(value.to_le_bytes())),
            Tensor::I32(array) => array.iter().for_each(|value| bytes.extend(value.to_le_bytes())),
        }
    }
    bytes
}

/// The content of a file; `path` is for messages.
pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Stored, FileError> {
    parsed(bytes, path, true)
}

/// The tensors of a file; `is_ours` asks for our layout.
fn parsed(bytes: &[u8], path: &Path, is_ours: bool) -> Result<Stored, FileError> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| not_safetensors(error, path))?;
    let mut metadata: BTreeMap<String, String> = header.metadata().iter().flatten().map(owned).collect();
    let found = metadata.remove(FORMAT_KEY);
    if is_ours && found.as_deref() != Some(FORMAT) {
        return Err(FileError::Format { path: path.to_owned(), found });
    }

    let file = SafeTensors::deserialize(bytes).map_err(|error| not_safetensors(error, path))?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.iter() {
        let (shape, data) = (view.shape(), view.data());
        let tensor = match view.dtype() {
            Dtype::F64 => Tensor::from_f64(shape, elements(data, f64::from_le_bytes).collect()),
            Dtype::F32 => Tensor::from_f32(shape, elements(data, f32::from_le_bytes).collect()),
            Dtype::F16 => Tensor::from_f16(shape, elements(data, f16::from_le_bytes).map(f16::to_f32)),
            Dtype::BF16 => Tensor::from_bf16(shape, elements(data, bf16::from_le_bytes).map(bf16::to_f32)),
            Dtype::I32 => Tensor::from_i32(shape, elements(data, i32::from_le_bytes).collect()),
            other => {
                return Err(FileError::Dtype {
                    path: path.to_owned(),
                    name: name.to_owned(),
                    dtype: format!("{other:?}"),
                });
            }
        };
        let Some(tensor) = tensor else { return Err(FileError::Truncated { path: path.to_owned() }) };
        let axes: Vec<String> = match metadata.remove(&format!("{AXES_PREFIX}{name}")) {
            Some(names) if !names.is_empty() => names.split(',').map(str::to_owned).collect(),
            _ => Vec::new(),
        };
        if is_ours && axes.len() != shape.len() {
            return Err(FileError::Axes { path: path.to_owned(), name: name.to_owned(), rank: shape.len() });
        }
        tensors.insert(name.to_owned(), Named { tensor, axes });
    }
    Ok(Stored { tensors, metadata })
}

/// The elements of so many bytes each; what is left over belongs to none.
fn elements<const WIDTH: usize, T>(data: &[u8], read: fn([u8; WIDTH]) -> T) -> impl Iterator<Item = T> {
    data.as_chunks::<WIDTH>().0.iter().map(move |bytes| read(*bytes))
}

/// A temporary file whose permissions are those of any new file, not of a private one.
fn new_temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
        builder.tempfile_in(folder)
    }
    #[cfg(not(unix))]
    builder.tempfile_in(folder)
}

fn owned((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

fn not_safetensors(error: SafeTensorError, path: &Path) -> FileError {
    let path = path.to_owned();
    match error {
        SafeTensorError::InvalidHeaderLength
        | SafeTensorError::MetadataIncompleteBuffer
        | SafeTensorError::HeaderTooSmall => FileError::Truncated { path },
        other => FileError::NotSafetensors { path, why: other.to_string() },
    }
}
