//! The floats that contractions and sums of rows are made of: f32, in one word, and f64, in two.

use std::ops::AddAssign;

use super::memory::{Memory, Spot};
use crate::kernel::ir::Elem;

/// A float in memory.
pub trait Element: Copy + AddAssign + Send + Sync + 'static {
    /// How wide it is.
    const ELEM: Elem;
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;

    /// From its bits, those of 32 in the lower half.
    fn from_bits(bits: u64) -> Self;
    /// Its bits.
    fn bits(self) -> u64;
}

impl Element for f32 {
    const ELEM: Elem = Elem::Word;
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;

    fn from_bits(bits: u64) -> f32 {
        f32::from_bits(bits as u32)
    }
    fn bits(self) -> u64 {
        u64::from(self.to_bits())
    }
}

impl Element for f64 {
    const ELEM: Elem = Elem::Wide;
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;

    fn from_bits(bits: u64) -> f64 {
        f64::from_bits(bits)
    }
    fn bits(self) -> u64 {
        self.to_bits()
    }
}

/// An element of a buffer.
pub fn get<T: Element>(memory: &Memory<'_, '_>, spot: Spot, at: usize) -> T {
    let words = T::ELEM.words();
    let word = |half: usize| u64::from(memory.get(spot, words * at + half)) << (32 * half);
    T::from_bits((0..words).map(word).sum())
}

/// Writes an element of a buffer.
pub fn set<T: Element>(memory: &mut Memory<'_, '_>, spot: Spot, at: usize, value: T) {
    let words = T::ELEM.words();
    (0..words).for_each(|half| memory.set(spot, words * at + half, (value.bits() >> (32 * half)) as u32));
}

/// The words of some elements.
pub fn words<T: Element>(elements: &[T]) -> Vec<u32> {
    let halves = 0..T::ELEM.words();
    elements.iter().flat_map(|element| halves.clone().map(|half| (element.bits() >> (32 * half)) as u32)).collect()
}
