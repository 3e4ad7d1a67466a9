//! Rows in order, and the windows over them.
//!
//! In: what a declaration says of its order and its windows, and a table. Out: the table with its series one behind the
//! other, and the rows at which windows begin. A row of the data is then such a beginning: a window is a view of the
//! rows behind it, so that none is copied before a batch asks for it.

use rustc_hash::FxHashMap;

use crate::base::Span;
use crate::diag::{Diagnostics, contents, table};

use super::calendar;
use super::schema::Parts;
use super::spec::{NodeId, Selector, Spec};
use super::table::{Table, TableColumn};

/// The rows at which windows begin.
pub(super) struct Anchors {
    pub rows: Vec<u32>,
    /// How many rows the windows read together, from the first.
    pub span: usize,
    /// Where each series begins and ends.
    pub series: Vec<(usize, usize)>,
}

/// Which rows of a stored column make a row of the data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct View {
    /// From the row itself to the first.
    pub at: usize,
    pub rows: usize,
}

impl View {
    /// The row itself.
    pub const ROW: View = View { at: 0, rows: 1 };

    /// Where the numbers of a row of the data are, which has `item` of them.
    pub fn range(self, row: u32, item: usize) -> std::ops::Range<usize> {
        let start = (row as usize + self.at) * (item / self.rows.max(1));
        start..start + item
    }
}

/// The columns of the file that say the order.
pub(super) fn selectors(spec: &Spec) -> Vec<&Selector> {
    spec.order.iter().chain(by(spec)).collect()
}

/// The column that tells the series of a declaration apart.
fn by(spec: &Spec) -> Option<&Selector> {
    let entries: Vec<NodeId> = spec.entries.iter().map(|entry| entry.node).collect();
    spec.windows(&entries).into_iter().find_map(|window| window.by.as_ref())
}

/// Puts the rows of each series together, in their order.
pub(super) fn arrange(spec: &Spec, table: &mut Table, diagnostics: &mut Diagnostics) -> Option<()> {
    let mut order: Vec<u32> = match &spec.order {
        None => (0..table.rows as u32).collect(),
        Some(selector) => {
            let column = *table.select(std::slice::from_ref(selector)).first()?;
            in_time(selector.span, table, column, diagnostics)?
        }
    };
    if let Some(numbers) = numbers(spec, table) {
        order.sort_by_key(|row| numbers[*row as usize]);
    }
    if !order.is_sorted() {
        table.gather(&order);
    }
    Some(())
}

/// The rows from the earliest to the latest; rows of one moment stay in the order of the file.
pub(super) fn in_time(
    span: Span,
    table: &Table,
    column: &TableColumn,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<u32>> {
    let cells: Vec<String> = (0..table.rows).map(|row| column.word(row)).collect();
    let numbers: Vec<Option<f64>> =
        cells.iter().map(|cell| cell.parse().ok().filter(|x: &f64| x.is_finite())).collect();
    let mut order: Vec<u32> = (0..table.rows as u32).collect();
    if numbers.iter().all(Option::is_some) {
        order.sort_by(|&a, &b| {
            let at = |row: u32| numbers[row as usize].unwrap_or(0.0);
            at(a).total_cmp(&at(b))
        });
        return Some(order);
    }
    // A year such as 2024 is a number too; the first cell says which of the two the column is.
    let dates = calendar::parse(&cells[0]).is_some();
    let fits = |row: usize| if dates { calendar::parse(&cells[row]).is_some() } else { numbers[row].is_some() };
    if let Some(row) = (0..table.rows).find(|&row| !fits(row)) {
        diagnostics.push(contents::not_a_time(span, table.place(column, row), &cells[row]));
        return None;
    }
    // Written year first, dates stand in time as they stand by letter.
    order.sort_by(|&a, &b| cells[a as usize].cmp(&cells[b as usize]));
    Some(order)
}

/// The number of the series of each row; none when there is one series.
fn numbers(spec: &Spec, table: &Table) -> Option<Vec<u32>> {
    let column = *table.select(std::slice::from_ref(by(spec)?)).first()?;
    let mut known: FxHashMap<String, u32> = FxHashMap::default();
    let number = |row| {
        let next = known.len() as u32;
        *known.entry(column.word(row)).or_insert(next)
    };
    Some((0..table.rows).map(number).collect())
}

/// The rows at which all windows of some nodes fit into their series. A series that no window fits into is no part of
/// the data, and leaves the table.
pub(super) fn anchors(spec: &Spec, of: &[NodeId], table: &mut Table, diagnostics: &mut Diagnostics) -> Option<Anchors> {
    let windows = spec.windows(of);
    let mut series = series(spec, table);
    let span = windows.iter().map(|window| window.at + window.rows).max().unwrap_or(1);
    let stride = windows.iter().find_map(|window| window.stride).unwrap_or(1);
    let long = |&&(start, end): &&(usize, usize)| end - start >= span;
    let kept: usize = series.iter().filter(long).map(|(start, end)| end - start).sum();
    if kept > 0 && kept < table.rows {
        let rows: Vec<u32> = series.iter().filter(long).flat_map(|&(start, end)| start as u32..end as u32).collect();
        table.gather(&rows);
        series = self::series(spec, table);
    }
    let mut rows = Vec::new();
    for &(start, end) in &series {
        rows.extend((start..end).step_by(stride).take_while(|row| row + span <= end).map(|row| row as u32));
    }
    if rows.is_empty() {
        let longest = series.iter().map(|(start, end)| end - start).max().unwrap_or(0);
        let is_window = |id: &&NodeId| !spec.windows(&[**id]).is_empty();
        let place = of.iter().find(is_window).map_or(spec.name.span, |id| spec.node(*id).span);
        let excess = span - longest;
        let shorter = windows.iter().map(|window| {
            let (said, place) = window.said?;
            Some((place, said.checked_sub(excess).filter(|rows| *rows > 0)?))
        });
        let shorter: Option<Vec<_>> = shorter.collect();
        diagnostics.push(table::no_window(place, longest, span, shorter.unwrap_or_default()));
        return None;
    }
    Some(Anchors { rows, span, series })
}

fn series(spec: &Spec, table: &Table) -> Vec<(usize, usize)> {
    let Some(numbers) = numbers(spec, table) else { return vec![(0, table.rows)] };
    let mut series = Vec::new();
    let mut start = 0;
    for row in 1..=table.rows {
        if row == table.rows || numbers[row] != numbers[start] {
            series.push((start, row));
            start = row;
        }
    }
    series
}

impl Anchors {
    /// Those of which all rows are in one part. A window that straddles a cut is in none.
    pub fn within(&self, parts: Parts, rows: usize) -> Parts {
        if self.span == 1 && self.rows.len() == rows {
            return parts;
        }
        let mut part_of = vec![u8::MAX; rows];
        for (part, rows) in parts.iter().enumerate() {
            rows.iter().for_each(|row| part_of[*row as usize] = part as u8);
        }
        // The first row behind each that is of another part.
        let mut until = vec![rows; rows];
        for row in (0..rows.saturating_sub(1)).rev() {
            until[row] = if part_of[row] == part_of[row + 1] { until[row + 1] } else { row + 1 };
        }
        let mut found = Parts::default();
        for &row in &self.rows {
            let at = row as usize;
            if at + self.span <= until[at]
                && let Some(part) = found.get_mut(usize::from(part_of[at]))
            {
                part.push(row);
            }
        }
        found
    }

    /// The rows that windows beginning at these read.
    pub fn covered(&self, rows: &[u32]) -> Vec<u32> {
        let mut covered: Vec<u32> = Vec::with_capacity(rows.len());
        for &row in rows {
            let from = covered.last().map_or(0, |last| last + 1).max(row);
            covered.extend(from..row + self.span as u32);
        }
        covered
    }
}
