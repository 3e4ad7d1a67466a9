//! The format of NumPy: `x.npy`, and what `a.npz` holds.
//!
//! In: bytes. Out: a column, the first axis of the array its rows. Numbers stay in a type that holds each of them exactly;
//! words are cells. An array that was written by columns is put in order.
//!
//! ```text
//! 93 NUMPY | version | length of the header | {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } | numbers
//! ```

use crate::base::Span;
use crate::diag::{arrays as told, contents};

use super::csv::TextColumn;
use super::idx::{NumberColumn, Numbers};
use super::table::Cells;
use super::{Checked, refuse};

/// Where an array is from, for messages.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    /// `x.npy`, or `a.npz:x`
    pub file: &'a str,
    /// Where the program names the file.
    pub span: Option<Span>,
}

/// What the header says of an array.
struct Header<'a> {
    descr: &'a str,
    by_columns: bool,
    shape: Vec<usize>,
}

/// No array of a training set has more.
const MOST_AXES: usize = 16;
/// Whole numbers up to here are floats of 64 bits too, each another.
const EXACT: i128 = 1 << 53;

/// The rows of an array and how many they are.
pub(super) fn read(bytes: &[u8], origin: Origin<'_>) -> Checked<(Cells, usize)> {
    let Origin { file, span } = origin;
    if bytes.is_empty() {
        return refuse(contents::no_rows(span, file, false));
    }
    let not_npy = || Box::new(told::not_npy(span, file, &bytes[..bytes.len().min(6)]));
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or_else(not_npy)?;
    let (&[major, _], rest) = rest.split_first_chunk().ok_or_else(not_npy)?;
    let (length, rest) = match major {
        1 => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(not_npy)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk().ok_or_else(not_npy)?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        _ => return Err(not_npy()),
    };
    let (text, body) = rest.split_at_checked(length).ok_or_else(not_npy)?;
    let text = std::str::from_utf8(text).map_err(|_| not_npy())?;
    let header = header(text).ok_or_else(|| Box::new(told::npy_header(span, file, text.trim())))?;
    let Some((&rows, item)) = header.shape.split_first() else {
        return refuse(told::array_without_rows(span, file));
    };
    let element = Element::of(header.descr).ok_or_else(|| Box::new(told::array_elements(span, file, header.descr)))?;

    // A header of huge sizes must not make us allocate: its product is compared with what is there.
    let count = header.shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    let expected = count.and_then(|count| count.checked_mul(element.width));
    if expected != Some(body.len()) {
        let shape = header.shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
        return refuse(told::npy_length(span, file, (&shape, header.descr), expected, body.len()));
    }
    if body.is_empty() {
        return refuse(contents::no_rows(span, file, true));
    }
    // Where there is one axis, and where all others have one place, both orders are the same.
    let body = match header.by_columns && item.iter().any(|size| *size > 1) {
        true => &in_rows(body, &header.shape, element.width),
        false => body,
    };
    let cells = match element.kind {
        Kind::Letters | Kind::Bytes => match item {
            [] => Cells::Text(words(body, element)),
            _ => return refuse(told::array_of_words(span, file)),
        },
        _ => {
            let numbers = numbers(body, element).map_err(|value| Box::new(told::array_number(span, file, value)))?;
            Cells::Numbers(NumberColumn { rows, shape: item.to_vec(), numbers })
        }
    };
    Ok((cells, rows))
}

/// The dictionary of a header, written as Python writes it.
fn header(text: &str) -> Option<Header<'_>> {
    let after = |key: &str| {
        let key = text.find(&format!("'{key}'")).or_else(|| text.find(&format!("\"{key}\"")))? + key.len() + 2;
        text[key..].trim_start().strip_prefix(':').map(str::trim_start)
    };
    let descr = after("descr")?;
    let descr = match descr.chars().next()? {
        quote @ ('\'' | '"') => descr[1..].split(quote).next()?,
        // The fields of a structure; what they are is told, and refused.
        _ => descr.split_inclusive(']').next()?,
    };
    let by_columns = match after("fortran_order")? {
        order if order.starts_with("True") => true,
        order if order.starts_with("False") => false,
        _ => return None,
    };
    let sizes = after("shape")?.strip_prefix('(')?.split(')').next()?;
    let sizes = sizes.split(',').map(str::trim).filter(|size| !size.is_empty());
    let shape = sizes.map(|size| size.trim_end_matches('L').parse().ok()).collect::<Option<Vec<usize>>>()?;
    (shape.len() <= MOST_AXES).then_some(Header { descr, by_columns, shape })
}

/// The type of an element.
#[derive(Clone, Copy)]
struct Element {
    kind: Kind,
    /// In bytes.
    width: usize,
    big: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Truth,
    Signed,
    Unsigned,
    Float,
    /// Letters of four bytes each.
    Letters,
    Bytes,
}

impl Element {
    /// `<f4`, `|b1`, `>i8`, `<U10`
    fn of(descr: &str) -> Option<Element> {
        let (big, rest) = match descr.chars().next()? {
            '>' => (true, &descr[1..]),
            '<' | '|' => (false, &descr[1..]),
            '=' => (cfg!(target_endian = "big"), &descr[1..]),
            _ => (false, descr),
        };
        let (letter, size) = (rest.chars().next()?, rest.get(1..)?);
        let size: usize = size.parse().ok()?;
        let (kind, width) = match (letter, size) {
            ('b', 1) => (Kind::Truth, 1),
            ('i', 1 | 2 | 4 | 8) => (Kind::Signed, size),
            ('u', 1 | 2 | 4 | 8) => (Kind::Unsigned, size),
            ('f', 2 | 4 | 8) => (Kind::Float, size),
            ('U', 1..) => (Kind::Letters, size.checked_mul(4)?),
            ('S' | 'a', 1..) => (Kind::Bytes, size),
            _ => return None,
        };
        Some(Element { kind, width, big })
    }
}

/// Elements by rows that lie by columns.
fn in_rows(body: &[u8], shape: &[usize], width: usize) -> Vec<u8> {
    let mut rows = Vec::with_capacity(body.len());
    let mut place = vec![0; shape.len()];
    for _ in 0..body.len() / width {
        let at = shape.iter().zip(&place).rev().fold(0, |at, (size, place)| at * size + place);
        rows.extend_from_slice(&body[at * width..][..width]);
        for (place, size) in place.iter_mut().zip(shape).rev() {
            *place += 1;
            if *place < *size {
                break;
            }
            *place = 0;
        }
    }
    rows
}

/// The numbers, or one that no type holds.
fn numbers(body: &[u8], element: Element) -> Result<Numbers, i128> {
    let whole = |of: fn(u64) -> i128| -> Result<Numbers, i128> {
        let all: Vec<i128> = body.chunks_exact(element.width).map(|word| of(bits(word, element.big))).collect();
        if all.iter().all(|value| i32::try_from(*value).is_ok()) {
            return Ok(Numbers::I32(all.into_iter().map(|value| value as i32).collect()));
        }
        match all.iter().find(|value| value.abs() > EXACT) {
            Some(value) => Err(*value),
            None => Ok(Numbers::F64(all.into_iter().map(|value| value as f64).collect())),
        }
    };
    let words = || body.chunks_exact(element.width).map(|word| bits(word, element.big));
    match (element.kind, element.width) {
        (Kind::Truth, _) => Ok(Numbers::U8(body.iter().map(|byte| u8::from(*byte != 0)).collect())),
        (Kind::Unsigned, 1) => Ok(Numbers::U8(body.to_vec())),
        (Kind::Signed, 1) => Ok(Numbers::I8(body.iter().map(|byte| *byte as i8).collect())),
        (Kind::Signed, 2) => Ok(Numbers::I16(words().map(|word| word as u16 as i16).collect())),
        (Kind::Signed, 4) => Ok(Numbers::I32(words().map(|word| word as u32 as i32).collect())),
        (Kind::Signed, _) => whole(|word| i128::from(word as i64)),
        (Kind::Unsigned, _) => whole(i128::from),
        (Kind::Float, 2) => Ok(Numbers::F32(words().map(|word| half(word as u16)).collect())),
        (Kind::Float, 4) => Ok(Numbers::F32(words().map(|word| f32::from_bits(word as u32)).collect())),
        (Kind::Float | Kind::Letters | Kind::Bytes, _) => Ok(Numbers::F64(words().map(f64::from_bits).collect())),
    }
}

/// Up to eight bytes as a number without a sign.
fn bits(word: &[u8], big: bool) -> u64 {
    let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if big { word.iter().fold(0, add) } else { word.iter().rev().fold(0, add) }
}

/// A float of 16 bits: a sign, five bits of exponent, ten of the fraction.
fn half(word: u16) -> f32 {
    let sign = if word >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(word >> 10 & 31), f32::from(word & 1023));
    sign * match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + fraction) * 2f32.powi(exponent - 25),
    }
}

/// Words of one width, filled up with zeros. What is no letter shows as one that says so.
fn words(body: &[u8], element: Element) -> TextColumn {
    let mut cells = TextColumn::default();
    for word in body.chunks_exact(element.width) {
        let text = match element.kind {
            Kind::Letters => {
                let letters = word.chunks_exact(4).map(|letter| bits(letter, element.big) as u32);
                letters.map(|letter| char::from_u32(letter).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
            }
            _ => String::from_utf8_lossy(word).into_owned(),
        };
        cells.push(text.trim_end_matches('\0'));
    }
    cells
}
