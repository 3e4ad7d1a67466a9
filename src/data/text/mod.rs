//! Texts as numbers: how they are cut, and how pieces are put together again.
//!
//! In: a text, and for `bpe` a tokenizer. Out: characters, words or the numbers of pieces. What a word has for a number is
//! deliberately absent: that is fitted on the training rows (`tokens`).

mod bpe;
mod letters;
mod ragged;
mod spelling;
mod tokenizer;

pub(super) use ragged::Ragged;
pub use spelling::Spelling;
pub(super) use tokenizer::Tokenizer;

/// The characters of a text.
pub(super) fn chars(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().map(|(at, letter)| &text[at..at + letter.len_utf8()])
}

/// The words of a text in small letters: runs of letters and digits, with apostrophes inside, and every other mark alone.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let inside = matches!(letter, '\'' | '’') && !word.is_empty();
        let goes_on = inside && letters.peek().is_some_and(|next| next.is_alphanumeric());
        if letter.is_alphanumeric() || goes_on {
            word.extend(letter.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if !letter.is_whitespace() {
            words.push(letter.to_lowercase().collect());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_small_and_marks_stand_alone() {
        let all = words("It’s 9.5 \"GOOD\", isn't it?!  'tis – Ωmega");
        let wanted =
            ["it’s", "9", ".", "5", "\"", "good", "\"", ",", "isn't", "it", "?", "!", "'", "tis", "–", "ωmega"];
        assert_eq!(all, wanted);
        assert_eq!(chars("aé漢").collect::<Vec<_>>(), ["a", "é", "漢"]);
    }
}
