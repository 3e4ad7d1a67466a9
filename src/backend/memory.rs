//! The memory of a step: a few segments of 32-bit words, and where in them each buffer lies.
//!
//! Inputs are borrowed from the caller, in whatever type they have; the arena, the parameters
//! and the states are words that a step may write. What has 64 bits is two words, the lower half first.

/// A piece of memory.
#[derive(Debug)]
pub enum Segment<'a> {
    /// Bits of any type, only read.
    Bits(&'a [u32]),
    /// f32, only read.
    Floats(&'a [f32]),
    /// i32, only read.
    Ints(&'a [i32]),
    /// f64, only read.
    Doubles(&'a [f64]),
    /// i64, only read.
    Longs(&'a [i64]),
    /// Bits of any type, read and written.
    Write(&'a mut [u32]),
}

impl Segment<'_> {
    /// How many words.
    pub fn len(&self) -> usize {
        match self {
            Segment::Bits(words) => words.len(),
            Segment::Floats(words) => words.len(),
            Segment::Ints(words) => words.len(),
            Segment::Doubles(numbers) => 2 * numbers.len(),
            Segment::Longs(numbers) => 2 * numbers.len(),
            Segment::Write(words) => words.len(),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A word.
    pub fn get(&self, at: usize) -> u32 {
        match self {
            Segment::Bits(words) => words[at],
            Segment::Floats(words) => words[at].to_bits(),
            Segment::Ints(words) => words[at] as u32,
            Segment::Doubles(numbers) => half(numbers[at / 2].to_bits(), at),
            Segment::Longs(numbers) => half(numbers[at / 2] as u64, at),
            Segment::Write(words) => words[at],
        }
    }

    /// Writes a word.
    ///
    /// # Panics
    /// When the segment is only read: `Bound` admits no program that writes there.
    pub fn set(&mut self, at: usize, word: u32) {
        match self {
            Segment::Write(words) => words[at] = word,
            Segment::Bits(_) | Segment::Floats(_) | Segment::Ints(_) | Segment::Doubles(_) | Segment::Longs(_) => {
                panic!("a write into what is only read")
            }
        }
    }
}

/// The half of a number that is word `at` of a row of such.
fn half(bits: u64, at: usize) -> u32 {
    (bits >> (32 * (at % 2))) as u32
}

/// Where a buffer lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spot {
    /// In which segment.
    pub segment: usize,
    /// From which word.
    pub offset: usize,
    /// How many words.
    pub len: usize,
}

impl Spot {
    /// The word behind the last.
    pub fn end(&self) -> usize {
        self.offset + self.len
    }

    /// Whether two buffers share a word.
    pub fn overlaps(&self, other: &Spot) -> bool {
        self.segment == other.segment && self.offset.max(other.offset) < self.end().min(other.end())
    }
}

/// The memory of a step.
pub struct Memory<'s, 'a> {
    segments: &'s mut [Segment<'a>],
}

impl<'s, 'a> Memory<'s, 'a> {
    /// Segments in the order that spots number them.
    pub fn new(segments: &'s mut [Segment<'a>]) -> Memory<'s, 'a> {
        Memory { segments }
    }

    /// The segments.
    pub fn segments(&mut self) -> &mut [Segment<'a>] {
        self.segments
    }

    /// A word of a buffer.
    pub fn get(&self, spot: Spot, at: usize) -> u32 {
        assert!(at < spot.len, "element {at} of {}", spot.len);
        self.segments[spot.segment].get(spot.offset + at)
    }

    /// Writes a word of a buffer.
    pub fn set(&mut self, spot: Spot, at: usize, word: u32) {
        assert!(at < spot.len, "element {at} of {}", spot.len);
        self.segments[spot.segment].set(spot.offset + at, word);
    }
}
