//! Byte pair encoding: from the letters of a word to its pieces.
//!
//! In: a word, the numbers of pieces, the merges in their order. Out: numbers. Of all neighbours that make a piece, those
//! whose merge comes first are joined first, the leftmost of equal ones; so until none do.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

/// The pieces of a tokenizer and how they are made.
#[derive(Clone, Debug, Default)]
pub(super) struct Pieces {
    pub numbers: FxHashMap<String, u32>,
    /// The place among the merges of two neighbours, and what they become.
    pub merges: FxHashMap<(u32, u32), (u32, u32)>,
    /// What stands for a letter without a piece.
    pub unknown: Option<u32>,
    /// Whether several such letters in a row are one.
    pub fuse_unknown: bool,
    /// Whether a letter without a piece is the pieces of its bytes.
    pub by_byte: bool,
    /// Whether a word that is a piece is that, whatever the merges make of it.
    pub whole_first: bool,
}

/// A piece of a word while it is joined.
struct Symbol {
    piece: u32,
    previous: usize,
    next: usize,
    is_gone: bool,
}

/// No neighbour.
const NONE: usize = usize::MAX;

impl Pieces {
    /// The pieces of a word; a letter that has none, where nothing stands for such, comes back.
    pub fn of_word(&self, word: &str) -> Result<Vec<u32>, String> {
        if self.whole_first
            && let Some(piece) = self.numbers.get(word)
        {
            return Ok(vec![*piece]);
        }
        Ok(self.merged(&self.letters(word)?))
    }

    fn letters(&self, word: &str) -> Result<Vec<u32>, String> {
        let mut pieces = Vec::new();
        let mut after_unknown = false;
        let mut buffer = [0; 4];
        for letter in word.chars() {
            let letter: &str = letter.encode_utf8(&mut buffer);
            if let Some(piece) = self.numbers.get(letter) {
                pieces.push(*piece);
                after_unknown = false;
                continue;
            }
            let bytes = || letter.bytes().map(|byte| self.numbers.get(&byte_piece(byte)).copied());
            if self.by_byte
                && let Some(bytes) = bytes().collect::<Option<Vec<u32>>>()
            {
                pieces.extend(bytes);
                after_unknown = false;
                continue;
            }
            let unknown = self.unknown.ok_or_else(|| letter.to_owned())?;
            if !(self.fuse_unknown && after_unknown) {
                pieces.push(unknown);
            }
            after_unknown = true;
        }
        Ok(pieces)
    }

    fn merged(&self, letters: &[u32]) -> Vec<u32> {
        let count = letters.len();
        let mut symbols: Vec<Symbol> = letters
            .iter()
            .enumerate()
            .map(|(at, piece)| Symbol {
                piece: *piece,
                previous: at.checked_sub(1).unwrap_or(NONE),
                next: if at + 1 < count { at + 1 } else { NONE },
                is_gone: false,
            })
            .collect();
        // Place of the merge, place of the left symbol, and what the two were when this was noted.
        let mut queue: BinaryHeap<Reverse<(u32, usize, u32, u32)>> = BinaryHeap::new();
        let note = |queue: &mut BinaryHeap<_>, symbols: &[Symbol], left: usize| {
            let (a, next) = (symbols[left].piece, symbols[left].next);
            if next != NONE
                && let Some((rank, _)) = self.merges.get(&(a, symbols[next].piece))
            {
                queue.push(Reverse((*rank, left, a, symbols[next].piece)));
            }
        };
        (0..count).for_each(|at| note(&mut queue, &symbols, at));
        while let Some(Reverse((_, left, a, b))) = queue.pop() {
            let right = symbols[left].next;
            let stale = symbols[left].is_gone || symbols[left].piece != a || right == NONE || symbols[right].piece != b;
            if stale {
                continue;
            }
            symbols[left].piece = self.merges[&(a, b)].1;
            symbols[right].is_gone = true;
            let after = symbols[right].next;
            symbols[left].next = after;
            if after != NONE {
                symbols[after].previous = left;
            }
            note(&mut queue, &symbols, left);
            if symbols[left].previous != NONE {
                note(&mut queue, &symbols, symbols[left].previous);
            }
        }
        symbols.iter().filter(|symbol| !symbol.is_gone).map(|symbol| symbol.piece).collect()
    }
}

/// `<0x0A>`
fn byte_piece(byte: u8) -> String {
    format!("<0x{byte:02X}>")
}

/// The letter that stands for a byte: itself where it can be seen, else one of those from 256 on.
fn letter_of(byte: u8) -> char {
    let seen = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    match seen(byte) {
        true => char::from(byte),
        false => {
            let before = (0..byte).filter(|other| !seen(*other)).count() as u32;
            char::from_u32(256 + before).unwrap_or('\u{fffd}')
        }
    }
}

/// A text as the letters of its bytes.
pub(super) fn letters_of_bytes(text: &str) -> String {
    text.bytes().map(letter_of).collect()
}

/// The bytes of the letters of a piece; a letter that stands for none is itself.
pub(super) fn bytes_of(piece: &str) -> Vec<u8> {
    let byte = |letter: char| (0..=u8::MAX).find(|byte| letter_of(*byte) == letter);
    let mut bytes = Vec::new();
    for letter in piece.chars() {
        match byte(letter) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend(letter.to_string().bytes()),
        }
    }
    bytes
}

/// The bytes of a piece in which `▁` is a space and `<0x0A>` a byte.
pub(super) fn unspaced(piece: &str) -> Vec<u8> {
    let byte = piece.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
    match byte.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
        Some(byte) => vec![byte],
        None => piece.replace('▁', " ").into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_for_each_byte_and_back() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        let letters: String = all.iter().map(|byte| letter_of(*byte)).collect();
        assert_eq!(bytes_of(&letters), all);
        assert_eq!(letters_of_bytes(" a\n"), "ĠaĊ");
    }

    /// The first of the merges wins wherever it stands; of equal ones the leftmost.
    #[test]
    fn merges_go_by_their_order() {
        let numbers = ["a", "b", "c", "ab", "bc", "aa", "aab"];
        let numbers: FxHashMap<String, u32> = numbers.iter().map(|piece| (*piece).to_owned()).zip(0..).collect();
        let merges = [((1, 2), (0, 4)), ((0, 1), (1, 3)), ((0, 0), (2, 5)), ((5, 1), (3, 6))].into_iter().collect();
        let pieces = Pieces { numbers, merges, ..Pieces::default() };
        assert_eq!(pieces.of_word("abc"), Ok(vec![0, 4]));
        assert_eq!(pieces.of_word("abab"), Ok(vec![3, 3]));
        assert_eq!(pieces.of_word("aaa"), Ok(vec![5, 0]));
        assert_eq!(pieces.of_word("aab"), Ok(vec![0, 3]));
        assert_eq!(pieces.of_word("ax"), Err("x".to_owned()));
    }
}
