//! The IDX format of the MNIST files: a header of sizes, then the items.
//!
//! In: bytes. Out: a column of numbers with the shape of an item, in the element type of the file, so
//! that pictures stay a byte a pixel until they are used.
//!
//! ```text
//! 00 00 | type | number of axes | a size of 4 bytes for each axis, big-endian | numbers, big-endian
//! ```

use crate::diag::contents;

use super::spec::SourceFile;
use super::{Checked, refuse};

/// Items of numbers, all of one shape.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct NumberColumn {
    /// How many items.
    pub rows: usize,
    /// The sizes of an item.
    pub shape: Vec<usize>,
    pub numbers: Numbers,
}

/// Numbers in the element type of the file.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Numbers {
    U8(Vec<u8>),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    F32(Vec<f32>),
    F64(Vec<f64>),
}

impl NumberColumn {
    /// How many numbers an item has.
    pub fn item(&self) -> usize {
        self.shape.iter().product()
    }

    /// Items in another order.
    pub fn gather(&self, rows: &[u32]) -> NumberColumn {
        let item = self.item();
        let numbers = match &self.numbers {
            Numbers::U8(all) => Numbers::U8(gather(all, rows, item)),
            Numbers::I8(all) => Numbers::I8(gather(all, rows, item)),
            Numbers::I16(all) => Numbers::I16(gather(all, rows, item)),
            Numbers::I32(all) => Numbers::I32(gather(all, rows, item)),
            Numbers::F32(all) => Numbers::F32(gather(all, rows, item)),
            Numbers::F64(all) => Numbers::F64(gather(all, rows, item)),
        };
        NumberColumn { rows: rows.len(), shape: self.shape.clone(), numbers }
    }

    /// One number of all, exact.
    pub fn get(&self, at: usize) -> f64 {
        match &self.numbers {
            Numbers::U8(all) => f64::from(all[at]),
            Numbers::I8(all) => f64::from(all[at]),
            Numbers::I16(all) => f64::from(all[at]),
            Numbers::I32(all) => f64::from(all[at]),
            Numbers::F32(all) => f64::from(all[at]),
            Numbers::F64(all) => all[at],
        }
    }

    /// Whether a number of an item is missing, which a NaN says.
    pub fn misses(&self, row: usize) -> bool {
        let item = row * self.item()..(row + 1) * self.item();
        match &self.numbers {
            Numbers::F32(all) => all[item].iter().any(|number| number.is_nan()),
            Numbers::F64(all) => all[item].iter().any(|number| number.is_nan()),
            Numbers::U8(_) | Numbers::I8(_) | Numbers::I16(_) | Numbers::I32(_) => false,
        }
    }

    /// All numbers, as f32.
    pub fn to_f32(&self) -> Vec<f32> {
        match &self.numbers {
            Numbers::U8(all) => all.iter().map(|&value| f32::from(value)).collect(),
            Numbers::I8(all) => all.iter().map(|&value| f32::from(value)).collect(),
            Numbers::I16(all) => all.iter().map(|&value| f32::from(value)).collect(),
            Numbers::I32(all) => all.iter().map(|&value| value as f32).collect(),
            Numbers::F32(all) => all.clone(),
            Numbers::F64(all) => all.iter().map(|&value| value as f32).collect(),
        }
    }
}

/// No real file has more; the format allows 255.
const MAX_AXES: usize = 8;

/// Reads a whole file.
pub(super) fn read(bytes: &[u8], file: &SourceFile) -> Checked<NumberColumn> {
    let not_idx = || Box::new(contents::not_idx(file.span, &file.path, &bytes[..bytes.len().min(4)]));
    if bytes.is_empty() {
        return refuse(contents::no_rows(file.span, &file.path, false));
    }
    let (&[0, 0, kind, axes], rest) = bytes.split_first_chunk().ok_or_else(not_idx)? else {
        return Err(not_idx());
    };
    let width = match kind {
        0x08 | 0x09 => 1,
        0x0b => 2,
        0x0c | 0x0d => 4,
        0x0e => 8,
        _ => return Err(not_idx()),
    };
    let axes = usize::from(axes);
    if axes == 0 || axes > MAX_AXES {
        return Err(not_idx());
    }
    let length = bytes.len() as u64;
    let Some((header, body)) = rest.split_at_checked(4 * axes) else {
        let shape = format!("{axes} axes");
        return refuse(contents::idx_length(file.span, &file.path, &shape, Some(4 + 4 * axes as u64), length));
    };
    let sizes: Vec<u64> = words(header).map(u32::from_be_bytes).map(u64::from).collect();

    // A header of huge sizes must not make us allocate: its product is compared with what is there.
    let shape = sizes.iter().map(u64::to_string).collect::<Vec<_>>().join(" × ");
    let expected = sizes.iter().try_fold(width as u64, |product, &size| product.checked_mul(size));
    let expected = expected.and_then(|bytes| bytes.checked_add(4 + 4 * axes as u64));
    if expected != Some(length) {
        return refuse(contents::idx_length(file.span, &file.path, &shape, expected, length));
    }
    let rows = sizes[0] as usize;
    if body.is_empty() {
        return refuse(contents::no_rows(file.span, &file.path, true));
    }

    let numbers = match kind {
        0x08 => Numbers::U8(body.to_vec()),
        0x09 => Numbers::I8(words(body).map(i8::from_be_bytes).collect()),
        0x0b => Numbers::I16(words(body).map(i16::from_be_bytes).collect()),
        0x0c => Numbers::I32(words(body).map(i32::from_be_bytes).collect()),
        0x0d => Numbers::F32(words(body).map(f32::from_be_bytes).collect()),
        _ => Numbers::F64(words(body).map(f64::from_be_bytes).collect()),
    };
    Ok(NumberColumn { rows, shape: sizes[1..].iter().map(|&size| size as usize).collect(), numbers })
}

fn gather<T: Copy>(all: &[T], rows: &[u32], item: usize) -> Vec<T> {
    rows.iter().flat_map(|row| all[*row as usize * item..][..item].iter().copied()).collect()
}

/// The bytes in groups of `N`; their number is known to divide.
fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}
