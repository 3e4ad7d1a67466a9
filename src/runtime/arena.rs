//! Words of memory that start at a cache line.

/// Words in a cache line: the unit of all offsets.
pub const LINE: usize = 16;

/// A block of 32-bit words, zero at first, whose first word is at a multiple of 64 bytes.
#[derive(Debug, Default)]
pub struct Words {
    all: Vec<u32>,
    start: usize,
}

/// The system did not give the memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfMemory;

impl Words {
    /// So many words.
    pub fn zeroed(len: usize) -> Result<Words, OutOfMemory> {
        let room = len.checked_add(LINE).ok_or(OutOfMemory)?;
        let mut all = Vec::new();
        all.try_reserve_exact(room).map_err(|_| OutOfMemory)?;
        all.resize(room, 0u32);
        // The vector never grows, so its address and this start stay.
        let start = all.as_ptr().align_offset(4 * LINE).min(LINE);
        all.truncate(start + len);
        Ok(Words { all, start })
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.all.len() - self.start
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The words.
    pub fn as_slice(&self) -> &[u32] {
        &self.all[self.start..]
    }

    /// The words, to write.
    pub fn as_mut_slice(&mut self) -> &mut [u32] {
        &mut self.all[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_aligned_and_zero() {
        for len in [0, 1, 15, 16, 1000] {
            let words = Words::zeroed(len).unwrap();
            assert_eq!(words.as_slice().as_ptr() as usize % 64, 0);
            assert_eq!(words.as_slice(), vec![0; len]);
        }
        assert!(matches!(Words::zeroed(usize::MAX - 3), Err(OutOfMemory)));
    }
}
