//! Texts side by side: `pairs(de = "train.de", en = "train.en")`.
//!
//! In: files of texts, a line each. Out: a `Table` with a column for each file, of which line n of one goes with line n of the
//! others. A line that is empty in all of them is left out; one that is empty in some is an empty text there.

use crate::diag::{Diagnostics, contents};

use super::csv::TextColumn;
use super::files::Files;
use super::spec::{Selector, Source};
use super::table::{Cells, Places, Table, TableColumn, resolve_all, taken};
use super::tokens;

/// Reads the files of the columns that are wanted.
pub(super) fn read(
    source: &Source,
    wanted: &[&Selector],
    files: &dyn Files,
    diagnostics: &mut Diagnostics,
) -> Option<Table> {
    let main = source.files.first()?;
    let header: Vec<String> = source.files.iter().map(|file| file.column.clone()).collect();
    let used = resolve_all(&header, wanted, "pairs", main.span, diagnostics)?;
    let texts = used.iter().map(|at| taken(tokens::text_of(files, &source.files[*at]), diagnostics));
    let texts: Vec<String> = texts.collect::<Option<_>>()?;
    let sides: Vec<Vec<&str>> = texts.iter().map(|text| text.lines().map(str::trim).collect()).collect();
    // Without a column there is nothing to count, as of a table of which no cell is used.
    let rows = sides.first().map_or(0, Vec::len);
    for (side, at) in sides.iter().zip(&used) {
        if side.len() != rows {
            let (file, first) = (&source.files[*at], &source.files[used[0]]);
            diagnostics.push(contents::counts_disagree(file.span, &file.path, side.len(), &first.path, rows));
            return None;
        }
    }
    let there: Vec<usize> = (0..rows).filter(|row| sides.iter().any(|side| !side[*row].is_empty())).collect();
    if there.is_empty() && !used.is_empty() {
        diagnostics.push(contents::no_rows(main.span, &main.path, false));
        return None;
    }
    let lines = there.iter().map(|row| *row as u64 + 1).collect();
    let mut table = Table::new(there.len(), header, main.path.clone(), Places { rows: Vec::new(), lines });
    for (side, at) in sides.iter().zip(used) {
        let file = &source.files[at];
        let mut cells = TextColumn::default();
        there.iter().for_each(|row| cells.push(side[*row]));
        let (name, file) = (file.column.clone(), file.path.clone());
        table.put(at, TableColumn { name, file, cells: Cells::Text(cells), places: None });
    }
    Some(table)
}
