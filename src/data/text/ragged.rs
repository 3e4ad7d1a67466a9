//! Rows of several lengths.
//!
//! In: the numbers of each row. Out: some rows, filled up to one length, and which of their places are there.

/// The numbers of all rows, one behind the other.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in crate::data) struct Ragged {
    data: Vec<i32>,
    /// The end of each row in `data`.
    ends: Vec<usize>,
    /// What stands behind the end of a row.
    pub fill: i32,
}

impl Ragged {
    /// No rows yet.
    pub fn new(fill: i32) -> Ragged {
        Ragged { data: Vec::new(), ends: Vec::new(), fill }
    }

    /// Rows of these lengths.
    pub fn of(data: Vec<i32>, ends: Vec<usize>, fill: i32) -> Ragged {
        Ragged { data, ends, fill }
    }

    /// One row more.
    pub fn push(&mut self, row: impl IntoIterator<Item = i32>) {
        self.data.extend(row);
        self.ends.push(self.data.len());
    }

    /// The numbers of a row.
    pub fn row(&self, row: usize) -> &[i32] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.data[start..self.ends[row]]
    }

    /// How long each row is.
    pub fn lengths(&self) -> impl Iterator<Item = usize> {
        (0..self.ends.len()).map(|row| self.row(row).len())
    }

    /// No row longer than so many.
    pub fn truncated(&self, most: usize) -> Ragged {
        let mut cut = Ragged::new(self.fill);
        (0..self.ends.len()).for_each(|row| cut.push(self.row(row).iter().take(most).copied()));
        cut
    }

    /// Some rows of one length; none when there is no room.
    pub fn write(&self, rows: &[u32], size: usize, into: &mut [i32]) -> Option<()> {
        let into = into.get_mut(..rows.len() * size)?;
        for (row, places) in rows.iter().zip(into.chunks_exact_mut(size.max(1))) {
            let row = self.row(*row as usize);
            let there = row.len().min(size);
            places[..there].copy_from_slice(&row[..there]);
            places[there..].fill(self.fill);
        }
        Some(())
    }

    /// 1 at the places that are there, 0 at the others.
    pub fn write_present(&self, rows: &[u32], size: usize, into: &mut [i32]) -> Option<()> {
        let into = into.get_mut(..rows.len() * size)?;
        for (row, places) in rows.iter().zip(into.chunks_exact_mut(size.max(1))) {
            let there = self.row(*row as usize).len().min(size);
            places[..there].fill(1);
            places[there..].fill(0);
        }
        Some(())
    }

    /// How many places of each row are there.
    pub fn write_lengths(&self, rows: &[u32], into: &mut [i32]) -> Option<()> {
        let into = into.get_mut(..rows.len())?;
        rows.iter().zip(into).for_each(|(row, place)| *place = self.row(*row as usize).len() as i32);
        Some(())
    }
}
