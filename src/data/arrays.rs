//! Sources of numbers: `idx(x = "x.gz")`, `npy("x.npy")`, `npz("a.npz")`.
//!
//! In: a source and the columns wanted of it. Out: a `Table`. Only what is wanted is read; all of it has as many rows.

use crate::diag::{Diagnostics, arrays as told, contents};

use super::archive::Archive;
use super::files::{self, Files};
use super::numpy::{self, Origin};
use super::spec::{Arrays, Selector, Source, SourceFile};
use super::table::{Cells, Places, Table, TableColumn, resolve_all, taken};
use super::{Checked, idx, refuse};

/// Reads the columns that are wanted.
pub(super) fn read(
    source: &Source,
    arrays: Arrays,
    wanted: &[&Selector],
    files: &dyn Files,
    diagnostics: &mut Diagnostics,
) -> Option<Table> {
    let main = source.files.first()?;
    // An archive is one file; what is in it is found before anything of it is read.
    let whole = match arrays {
        Arrays::Npz => taken(files::read(files, main), diagnostics)?,
        Arrays::Idx | Arrays::Npy => Vec::new(),
    };
    let archive = match arrays {
        Arrays::Npz => Some(taken(open(&whole, main), diagnostics)?),
        Arrays::Idx | Arrays::Npy => None,
    };
    let header: Vec<String> = match &archive {
        Some(archive) => archive.names().map(|name| name.strip_suffix(".npy").unwrap_or(name).to_owned()).collect(),
        None => source.files.iter().map(|file| file.column.clone()).collect(),
    };
    let named = if archive.is_some() { main.path.as_str() } else { arrays.word() };
    let mut columns: Vec<(usize, TableColumn)> = Vec::new();
    let mut first: Option<(String, usize)> = None;
    for at in resolve_all(&header, wanted, named, main.span, diagnostics)? {
        let name = header[at].clone();
        let (path, span, read) = match &archive {
            Some(archive) => {
                let path = format!("{}:{name}", main.path);
                let read = member(archive, at, (main, &path));
                (path, main.span, read)
            }
            None => {
                let file = &source.files[at];
                (file.path.clone(), file.span, array(arrays, file, files))
            }
        };
        let (cells, rows) = taken(read, diagnostics)?;
        let (first_path, first_rows) = first.get_or_insert_with(|| (path.clone(), rows));
        if rows != *first_rows {
            diagnostics.push(contents::counts_disagree(span, &path, rows, first_path, *first_rows));
            return None;
        }
        columns.push((at, TableColumn { name, file: path, cells, places: None }));
    }
    let (file, rows) = first.unwrap_or_default();
    let mut table = Table::new(rows, header, file, Places::default());
    columns.into_iter().for_each(|(at, column)| table.put(at, column));
    Some(table)
}

fn array(arrays: Arrays, file: &SourceFile, files: &dyn Files) -> Checked<(Cells, usize)> {
    let bytes = files::read(files, file)?;
    match arrays {
        Arrays::Idx => {
            let numbers = idx::read(&bytes, file)?;
            let rows = numbers.rows;
            Ok((Cells::Numbers(numbers), rows))
        }
        Arrays::Npy | Arrays::Npz => numpy::read(&bytes, Origin { file: &file.path, span: file.span }),
    }
}

fn open<'a>(bytes: &'a [u8], file: &SourceFile) -> Checked<Archive<'a>> {
    Archive::open(bytes).or_else(|why| refuse(told::archive(file.span, &file.path, &why)))
}

fn member(archive: &Archive<'_>, at: usize, (file, path): (&SourceFile, &str)) -> Checked<(Cells, usize)> {
    let bytes = archive.file(at).or_else(|why| refuse(told::archive(file.span, path, &why)))?;
    numpy::read(&bytes, Origin { file: path, span: file.span })
}
