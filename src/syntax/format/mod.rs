//! The one layout of a program, comments included.
//!
//! In: the text of a file. Out: the same words, signs and comments in the same order with the white space
//! of the house style, or the mistakes of a text that does not read. See Note [Pieces, not trees].
//!
//! The style: two spaces a level; a statement a line; a block with statements over several lines, a block that is a value
//! alone where its author put it; what goes on on a further line two spaces deeper, in the head of a definition four; an
//! `else` that begins a line below its `if`; what stands in brackets below the first thing in them, or two spaces deeper
//! on lines of its own. One empty line at most, and one around each declaration longer than a line. The `=` of lines of a
//! section stand below each other, and so do the `:=` of statements and comments at the ends of lines. Lines are broken
//! where their author broke them and, where that leaves more than 120 columns, at the outermost bracket or before each
//! outermost `|>` as well.

mod breaks;
mod lines;
mod space;

use super::parse::{self, Piece};
use crate::base::FileId;
use crate::diag::Diagnostics;

/// The most columns of a line that can be broken.
const WIDTH: usize = 120;

/// The text of a program in the house style; of one with mistakes, the mistakes.
pub fn format(file: FileId, text: &str) -> Result<String, Diagnostics> {
    let mut pieces = parse::pieces(file, text)?;
    let partners = partners(&pieces);
    breaks::settle(&mut pieces, &partners);
    loop {
        let lines = lines::lay_out(&pieces, &partners);
        let settled = pieces.clone();
        breaks::shorten(&mut pieces, &partners, &lines);
        breaks::settle(&mut pieces, &partners);
        if pieces == settled {
            return Ok(lines::text(&lines));
        }
    }
}

/// For each bracket the other one of its pair; for all else itself.
fn partners(pieces: &[Piece]) -> Vec<usize> {
    let mut partners: Vec<usize> = (0..pieces.len()).collect();
    let mut open = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        if piece.role.opens() {
            open.push(index);
        } else if piece.role == parse::Role::Close
            && let Some(partner) = open.pop()
        {
            partners[index] = partner;
            partners[partner] = index;
        }
    }
    partners
}

// Note [Pieces, not trees]
//
// A layout made from the tree has to find a place for each comment, and a comment may stand between any two
// words; what the tree does not hold (a trailing comma, `0.10`, brackets that are not needed) it would have to
// learn to keep. So the layout is made of the text's own pieces, in order: nothing can be lost. What the grammar
// says of each piece (`parse/pieces.rs`) is enough to tell a statement from a line that goes on.
//
// That formatting twice is formatting once holds by construction: the layout is a function of the pieces and of
// the new lines before them, and the new lines are taken to a fixpoint (`settle` and `shorten` only ever add what
// they would add again). The new lines of the result are that fixpoint.
