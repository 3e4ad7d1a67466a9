//! Boxes of the rows, and their kinds.
//!
//! In: lists of edges by row, the picture that they follow, and classes in the same order. Out: a fixed number of boxes a
//! row, those that are left after all steps of the picture first and empty ones behind them; of kinds the same ones,
//! and the first class behind them.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use crate::base::Symbol;

use super::super::Checked;
use super::super::transform::Form;
use super::column::Pictures;
use super::draws::Epoch;
use super::sheet::Sheet;

/// The boxes of a column.
#[derive(Clone, Debug)]
pub struct Boxes {
    all: Arc<Lists>,
    axes: Option<[Symbol; 2]>,
    /// Without one boxes stay where they are.
    picture: Option<Pictures>,
    /// How many a row has in the end.
    count: usize,
}

/// As many of something in each row as there are.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    pub edges: Vec<[f64; 4]>,
    /// The end of each row among them.
    pub ends: Vec<usize>,
}

/// A class for each box.
#[derive(Clone, Debug)]
pub struct Kinds {
    boxes: Boxes,
    all: Arc<Vec<i32>>,
    axis: Option<Symbol>,
    size: usize,
    names: Vec<String>,
}

impl Lists {
    /// Where those of a row are.
    pub fn range(&self, row: usize) -> Range<usize> {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        start..self.ends[row]
    }

    /// The row that has the most, and how many.
    pub fn longest(&self) -> (usize, usize) {
        let counts = (0..self.ends.len()).map(|row| (row, self.range(row).len()));
        counts.fold((0, 0), |most, next| if next.1 > most.1 { next } else { most })
    }
}

impl Boxes {
    pub fn of(all: Lists, axes: Option<[Symbol; 2]>) -> Boxes {
        Boxes { all: Arc::new(all), axes, picture: None, count: 0 }
    }

    pub fn all(&self) -> &Lists {
        &self.all
    }

    /// The same boxes where they are after the steps of a picture.
    pub fn following(self, picture: Pictures) -> Boxes {
        Boxes { picture: Some(picture), ..self }
    }

    /// So many in every row.
    pub fn padded(self, count: usize) -> Boxes {
        Boxes { count, ..self }
    }

    /// The shape of a row.
    pub fn form(&self) -> Form {
        let axes = self.axes.map_or([None; 2], |axes| axes.map(Some));
        Form { shape: vec![self.count, 4], axes: axes.to_vec(), columns: 1 }
    }

    /// Writes rows one after the other.
    pub fn write(&self, rows: &[u32], epoch: Option<Epoch>, into: &mut [f32]) -> Checked<()> {
        self.each(rows, into, |row, into| {
            for (place, (_, edges)) in into.chunks_exact_mut(4).zip(self.left(row, epoch)?) {
                place.iter_mut().zip(edges).for_each(|(into, edge)| *into = edge as f32);
            }
            Ok(())
        })
    }

    /// What is left of the boxes of a row, with their numbers among all of the row.
    fn left(&self, row: u32, epoch: Option<Epoch>) -> Checked<Vec<(usize, [f64; 4])>> {
        let edges = &self.all.edges[self.all.range(row as usize)];
        match &self.picture {
            Some(picture) => picture.follow(edges, row, epoch).map(|Sheet { boxes, .. }| boxes),
            None => Ok(edges.iter().copied().enumerate().collect()),
        }
    }

    /// Fills rows that are 0 before, each by itself; the first failure by row is told.
    fn each(
        &self,
        rows: &[u32],
        into: &mut [f32],
        fill: impl Fn(u32, &mut [f32]) -> Checked<()> + Sync,
    ) -> Checked<()> {
        if rows.is_empty() {
            return Ok(());
        }
        into.fill(0.0);
        let item = into.len() / rows.len();
        let places = into.par_chunks_exact_mut(item.max(1));
        let filled: Vec<Checked<()>> = rows.par_iter().zip(places).map(|(row, into)| fill(*row, into)).collect();
        filled.into_iter().collect()
    }
}

impl Kinds {
    /// Classes of boxes, in their order.
    pub fn of(boxes: Boxes, all: Vec<i32>, (axis, size, names): (Option<Symbol>, usize, Vec<String>)) -> Kinds {
        Kinds { boxes, all: Arc::new(all), axis, size, names }
    }

    /// Those of the same boxes after further steps.
    pub fn of_boxes(self, boxes: Boxes) -> Kinds {
        Kinds { boxes, ..self }
    }

    /// The axis, the number and the words of the classes.
    pub fn classes(&self) -> (Option<Symbol>, usize, Vec<String>) {
        (self.axis, self.size, self.names.clone())
    }

    /// The shape of a row.
    pub fn form(&self) -> Form {
        let mut form = self.boxes.form();
        form.shape.pop();
        form.axes.pop();
        form
    }

    /// Writes rows one after the other.
    pub fn write(&self, rows: &[u32], epoch: Option<Epoch>, into: &mut [f32]) -> Checked<()> {
        self.boxes.each(rows, into, |row, into| {
            let start = self.boxes.all.range(row as usize).start;
            for (into, (number, _)) in into.iter_mut().zip(self.boxes.left(row, epoch)?) {
                *into = self.all[start + number] as f32;
            }
            Ok(())
        })
    }
}
