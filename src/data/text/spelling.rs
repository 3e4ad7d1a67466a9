//! From numbers back to texts.

use super::bpe;

/// How the names of classes make a text, when several stand in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spelling {
    /// They make none: each is a name.
    #[default]
    Names,
    /// Characters, one behind the other.
    Chars,
    /// Words with spaces between them.
    Words,
    /// Pieces whose letters stand for bytes.
    Bytes,
    /// Pieces in which `▁` is a space.
    Spaces,
}

/// What stands for a character that has no number.
const UNKNOWN: &str = "\u{fffd}";

impl Spelling {
    /// The text of pieces.
    pub fn text(self, pieces: &[&str]) -> String {
        match self {
            Spelling::Names | Spelling::Words => pieces.join(" "),
            Spelling::Chars => {
                let letter =
                    |piece: &&str| if piece.chars().count() == 1 { (*piece).to_owned() } else { UNKNOWN.into() };
                pieces.iter().map(letter).collect()
            }
            Spelling::Bytes => {
                let bytes: Vec<u8> = pieces.iter().flat_map(|piece| bpe::bytes_of(piece)).collect();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            Spelling::Spaces => {
                let bytes: Vec<u8> = pieces.iter().flat_map(|piece| bpe::unspaced(piece)).collect();
                let text = String::from_utf8_lossy(&bytes);
                text.strip_prefix(' ').unwrap_or(&text).to_owned()
            }
        }
    }
}
