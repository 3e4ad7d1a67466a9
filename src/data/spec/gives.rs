//! What the nodes of a declaration give, as far as that shows before the files are read.
//!
//! In: a node, and what its operands give. Out: numbers, classes, pictures …: what may be done with it next.

use super::{Columns, Draw, Format, NodeId, NodeKind, Random, Selector, Transform, names};

/// What a node gives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    /// The same number for every row.
    Constant,
    /// Cells as the file has them: words or numbers.
    Cells,
    Numbers,
    Classes,
    /// Words that are no cells of a file.
    Words,
    /// Several words or classes a row, of no fixed number.
    Sets,
    /// Rows that follow each other.
    Windows,
    /// Several columns under names.
    Record,
    /// Numbers of texts, as many in each row as it has.
    Texts,
    /// The same, of one length.
    Padded,
    /// Truths: which places are there.
    Truths,
    /// Pictures, which are read from their files batch by batch.
    Pictures,
    /// Pictures whose pixels are classes.
    Masks,
    /// Boxes in pictures, of no fixed number.
    Boxes,
    /// A class for each box.
    Kinds,
    /// Reported.
    Error,
}

impl Gives {
    /// What a node gives, from what its operands give.
    pub fn of(kind: &NodeKind, format: Option<Format>, gives: impl Fn(NodeId) -> Gives) -> Gives {
        let has_pictures = kind.operands().any(|operand| gives(operand) == Gives::Pictures);
        match kind {
            NodeKind::Column(columns) if is_picture(columns, format) => Gives::Pictures,
            NodeKind::Column(_) => Gives::Cells,
            NodeKind::Random(Random { draw: Draw::Index(_), .. }) => Gives::Classes,
            NodeKind::Random(_) | NodeKind::Positions(_) | NodeKind::Function(..) => Gives::Numbers,
            NodeKind::Number(_) => Gives::Constant,
            NodeKind::Apply(_, Transform::Picture(_), of) => match gives(*of) {
                found @ (Gives::Masks | Gives::Boxes | Gives::Kinds) => found,
                _ => Gives::Pictures,
            },
            NodeKind::Apply(_, Transform::Boxes(_) | Transform::PadBoxes(_), _) => Gives::Boxes,
            NodeKind::Apply(_, Transform::Lists, _) => Gives::Sets,
            NodeKind::Apply(_, Transform::Index(_), _) if has_pictures => Gives::Masks,
            NodeKind::Neg(_) | NodeKind::Arith(..) | NodeKind::Apply(..) if has_pictures => Gives::Pictures,
            NodeKind::Apply(_, Transform::Key(_), _) => Gives::Classes,
            NodeKind::Apply(_, Transform::Window(_), _) => Gives::Windows,
            // One long text has a row for each of its pieces.
            NodeKind::Apply(_, Transform::Tokens(_), _) if matches!(format, Some(Format::Text(_))) => Gives::Classes,
            NodeKind::Apply(_, Transform::Tokens(_) | Transform::Truncate(_), _) => Gives::Texts,
            NodeKind::Apply(_, Transform::Pad(_), _) => Gives::Padded,
            NodeKind::Present(_) => Gives::Truths,
            NodeKind::Length(_) => Gives::Numbers,
            NodeKind::Apply(_, Transform::Words(_), _) => Gives::Sets,
            NodeKind::Apply(_, Transform::Vocab { .. } | Transform::Hash(_), of) if gives(*of) == Gives::Sets => {
                Gives::Sets
            }
            NodeKind::Apply(
                _,
                Transform::Vocab { .. } | Transform::Index(_) | Transform::Hash(_) | Transform::Bin(..),
                _,
            ) => Gives::Classes,
            NodeKind::Neg(_) | NodeKind::Arith(..) | NodeKind::Apply(..) | NodeKind::Is(..) | NodeKind::Rows(_) => {
                Gives::Numbers
            }
            NodeKind::Record(_) => Gives::Record,
            NodeKind::Cross(_) | NodeKind::Sibling(..) => Gives::Words,
            NodeKind::Beside(of, _) => match gives(*of) {
                found @ (Gives::Pictures | Gives::Masks | Gives::Boxes) => found,
                _ => Gives::Kinds,
            },
            NodeKind::Stack(fields) => match fields.first().map(|field| gives(*field)) {
                Some(found @ (Gives::Classes | Gives::Windows)) => found,
                _ => Gives::Numbers,
            },
            NodeKind::Error => Gives::Error,
        }
    }
}

/// `column("image")` of a folder of pictures.
fn is_picture(columns: &Columns, format: Option<Format>) -> bool {
    let names_it = |name: &Selector| name.first == names::IMAGE || name.last.is_some();
    matches!(format, Some(Format::Images { .. })) && columns.names.iter().any(names_it)
}
