//! Columns whose rows are made when a batch asks for them.
//!
//! In: rows, and an epoch where they are changed at random. Out: their numbers. Class numbers are made as numbers too,
//! which are exact far beyond what an axis is long, and become whole ones where they leave the house of the data.

use crate::base::Symbol;
use crate::tensor::Tensor;

use super::super::Checked;
use super::boxes::{Boxes, Kinds};
use super::column::Pictures;
use super::draws::Epoch;

/// A column that is made.
#[derive(Clone, Debug)]
pub enum Maker {
    /// Pictures, or masks.
    Pictures(Pictures),
    Boxes(Boxes),
    Kinds(Kinds),
}

impl Maker {
    /// Writes rows one after the other; with an epoch they are changed at random.
    pub fn write(&self, rows: &[u32], epoch: Option<Epoch>, into: &mut [f32]) -> Checked<()> {
        match self {
            Maker::Pictures(pictures) => pictures.write(rows, epoch, into),
            Maker::Boxes(boxes) => boxes.write(rows, epoch, into),
            Maker::Kinds(kinds) => kinds.write(rows, epoch, into),
        }
    }

    /// The axis, the number and the words of its classes, where it has some.
    pub fn classes(&self) -> Option<(Option<Symbol>, usize, Vec<String>)> {
        match self {
            Maker::Pictures(pictures) => pictures.classes().map(|(axis, size)| (axis, size, Vec::new())),
            Maker::Boxes(_) => None,
            Maker::Kinds(kinds) => Some(kinds.classes()),
        }
    }

    /// Whether its numbers are classes.
    pub fn has_classes(&self) -> bool {
        match self {
            Maker::Pictures(pictures) => pictures.classes().is_some(),
            Maker::Boxes(_) => false,
            Maker::Kinds(_) => true,
        }
    }

    /// What was written as a tensor of the right type.
    pub fn tensor(&self, shape: &[usize], numbers: Vec<f32>) -> Option<Tensor> {
        match self.has_classes() {
            true => Tensor::from_i32(shape, numbers.into_iter().map(|number| number as i32).collect()),
            false => Tensor::from_f32(shape, numbers),
        }
    }
}
