//! Which updates go to which row: a counting sort, stable, in memory of the step.

/// The updates in the order of their rows.
#[derive(Clone, Copy)]
pub(super) struct Sorted<'a> {
    /// Where the updates of each row begin, and one more.
    starts: &'a [u32],
    order: &'a [u32],
}

impl<'a> Sorted<'a> {
    /// The updates of a row, in the order in which they were given.
    pub fn of(&self, row: usize) -> &'a [u32] {
        &self.order[self.starts[row] as usize..self.starts[row + 1] as usize]
    }
}

/// How many words sorting takes.
pub(super) fn scratch_words(updates: usize, rows: usize) -> usize {
    rows + 2 + updates
}

/// Sorts updates by their rows; one of no row goes to none.
pub(super) fn sort<'a>(index: &[u32], rows: usize, scratch: &'a mut [u32]) -> Sorted<'a> {
    let (starts, order) = scratch.split_at_mut(rows + 2);
    starts.fill(0);
    let known = |row: u32| (row as usize) < rows;
    // Counts two places on, so that walking them below leaves the starts one place on: where they belong.
    index.iter().filter(|row| known(**row)).for_each(|row| starts[*row as usize + 2] += 1);
    for row in 2..starts.len() {
        starts[row] += starts[row - 1];
    }
    for (update, row) in index.iter().enumerate().filter(|(_, row)| known(**row)) {
        let next = &mut starts[*row as usize + 1];
        order[*next as usize] = update as u32;
        *next += 1;
    }
    Sorted { starts: &starts[..=rows], order }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_come_by_row_in_their_order() {
        let index = [3, 0, 3, 1, 9, 0, 3, u32::MAX];
        let mut scratch = vec![7; scratch_words(index.len(), 5)];
        let sorted = sort(&index, 5, &mut scratch);
        let rows: Vec<&[u32]> = (0..5).map(|row| sorted.of(row)).collect();
        assert_eq!(rows, [&[1, 5][..], &[3], &[], &[0, 2, 6], &[]]);
    }
}
