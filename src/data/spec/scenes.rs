//! Records of a picture and of what belongs to it: a mask, boxes, the kinds of the boxes.
//!
//! In: fields and a step of their pipeline. Out: fields that go together. A step that moves pixels is one of the picture
//! and of its mask under the same draws; boxes follow the picture as it is after the step, and kinds their boxes. What
//! changes only the colours leaves masks, boxes and kinds as they are.

use crate::base::{Span, Symbol};
use crate::diag::{data, scenes, table, texts};
use crate::syntax::ast::{Expr, ExprKind};

use super::arguments::{Arguments, Call, axes};
use super::columns::Reader;
use super::gives::Gives;
use super::{Boxes, Format, NodeId, NodeKind, PictureStep, Transform, names};

/// Steps of pictures, as a pipeline of a record has them.
const MOVES: &[&str] = &["resize", "crop", "train"];
const COLOURS: &[&str] = &["grayscale", "normalize"];

impl Reader<'_> {
    /// Whether a step of a record leaves this field as it is.
    pub fn passes_by(&self, word: &str, field: NodeId, fields: &[(Symbol, NodeId)]) -> bool {
        let has_boxes = fields.iter().any(|(_, field)| self.gives(*field) == Gives::Boxes);
        match self.gives(field) {
            Gives::Pictures => word == names::PAD && has_boxes,
            Gives::Masks => COLOURS.contains(&word) || word == names::PAD && has_boxes,
            Gives::Boxes => COLOURS.contains(&word) || MOVES.contains(&word),
            Gives::Kinds => COLOURS.contains(&word) || MOVES.contains(&word) || word == names::PAD,
            Gives::Constant
            | Gives::Cells
            | Gives::Numbers
            | Gives::Classes
            | Gives::Words
            | Gives::Sets
            | Gives::Windows
            | Gives::Record
            | Gives::Texts
            | Gives::Padded
            | Gives::Truths
            | Gives::Error => false,
        }
    }

    /// Fields that know the one they follow.
    pub fn tied(&mut self, mut fields: Vec<(Symbol, NodeId)>) -> Vec<(Symbol, NodeId)> {
        let Some(frame) = fields.iter().position(|(_, field)| self.gives(*field) == Gives::Pictures) else {
            return self.with_kinds(fields);
        };
        let picture = fields[frame].1;
        for (at, (_, field)) in fields.iter_mut().enumerate() {
            if at != frame && matches!(self.gives(*field), Gives::Pictures | Gives::Masks | Gives::Boxes) {
                let span = self.node(*field).span;
                *field = self.push(NodeKind::Beside(*field, picture), span);
            }
        }
        self.with_kinds(fields)
    }

    /// Classes in a record of boxes are those of the boxes.
    fn with_kinds(&mut self, mut fields: Vec<(Symbol, NodeId)>) -> Vec<(Symbol, NodeId)> {
        let Some((_, boxes)) = fields.iter().copied().find(|(_, field)| self.gives(*field) == Gives::Boxes) else {
            return fields;
        };
        for (_, field) in &mut fields {
            let span = self.node(*field).span;
            let kinds = match self.gives(*field) {
                Gives::Kinds | Gives::Sets => *field,
                Gives::Classes => self.of_lists(*field),
                _ => continue,
            };
            *field = self.push(NodeKind::Beside(kinds, boxes), span);
        }
        fields
    }

    /// The classes of cells as those of the lists in the cells.
    fn of_lists(&mut self, id: NodeId) -> NodeId {
        let node = self.node(id).clone();
        match node.kind {
            NodeKind::Apply(name, transform @ (Transform::Vocab { .. } | Transform::Hash(_)), cells)
                if self.gives(cells) == Gives::Cells =>
            {
                let span = self.node(cells).span;
                let lists = self.push(NodeKind::Apply(format!("{name}.list"), Transform::Lists, cells), span);
                self.push(NodeKind::Apply(name, transform, lists), node.span)
            }
            NodeKind::Apply(_, Transform::Index(axis), _) if node.piped.is_some() => {
                let axis = axis.map_or(String::new(), |axis| format!("[{}]", axis.name));
                self.fail(node.span, scenes::kinds_of_no_lists(node.span, Some(format!("vocab{axis}"))))
            }
            _ => self.fail(node.span, scenes::kinds_of_no_lists(node.span, None)),
        }
    }

    /// The number of the next draws of a column: one past those it has behind it.
    pub fn draws_of(&self, id: NodeId) -> usize {
        match &self.node(id).kind {
            NodeKind::Apply(_, Transform::Picture(PictureStep::Train(_, number)), of) => {
                (number + 1).max(self.draws_of(*of))
            }
            NodeKind::Apply(_, _, of) | NodeKind::Neg(of) | NodeKind::Beside(of, _) => self.draws_of(*of),
            NodeKind::Arith(_, left, right) => self.draws_of(*left).max(self.draws_of(*right)),
            _ => 0,
        }
    }

    /// `boxes[object, side: 4]`, `boxes[object, side](given = sizes)`
    pub fn boxes(&mut self, call: &Call<'_>, input: NodeId) -> NodeId {
        const WANTED: &str = "the axes of the boxes of a row, as in `boxes[object, side]`; a box has 4 sides, and `pad(20)` \
                              says how many boxes a row has";
        let errors = self.error_count();
        let args = Arguments::sort(call, &["given"], &mut self.diagnostics);
        args.at_most(0, WANTED, &mut self.diagnostics);
        let sizes = match args.named("given") {
            None => false,
            Some(Expr { kind: ExprKind::Name(name), .. }) if name.as_str() == "sizes" => true,
            Some(other) => {
                let wanted =
                    "`given = sizes`, for left and upper edge with width and height, or nothing for four edges";
                self.wrong_word(other, call.word, wanted, &["sizes"]);
                false
            }
        };
        let named = axes(call, usize::MAX, &self.constants, &mut self.diagnostics);
        let axes = match named.as_slice() {
            [] => None,
            [object, side] if object.size.is_none() && side.size.is_none_or(|size| size == 4) => {
                Some([object.name, side.name])
            }
            _ => {
                self.diagnostics.push(data::wrong_argument(call.span, call.word, WANTED));
                None
            }
        };
        if self.error_count() > errors {
            return self.error(call.span);
        }
        match self.gives(input) {
            Gives::Cells => {
                let place = self.place(names::BOXES);
                self.push(NodeKind::Apply(place, Transform::Boxes(Boxes { axes, sizes }), input), call.span)
            }
            Gives::Error => self.error(call.span),
            _ => {
                let (value, has) = (self.node(input).span, self.has(input));
                let wants = "the lists of boxes of a column";
                self.fail(call.span, data::transform_mismatch(call.span, call.word, wants, value, has))
            }
        }
    }

    /// `pad(20)` on boxes.
    pub fn pad_boxes(&mut self, call: &Call<'_>, input: NodeId) -> NodeId {
        const WANTED: &str = "how many boxes every row has, as in `pad(20)`";
        let errors = self.error_count();
        axes(call, 0, &self.constants, &mut self.diagnostics);
        let args = Arguments::sort(call, &[], &mut self.diagnostics);
        let count = args.one(WANTED, &mut self.diagnostics).and_then(|value| {
            let count = self.constants.count(value).filter(|count| *count <= MOST_BOXES);
            if count.is_none() {
                self.diagnostics.push(data::wrong_argument(value.span, call.word, WANTED));
            }
            count
        });
        match count.filter(|_| self.error_count() == errors) {
            Some(count) => {
                let place = self.place(names::PAD);
                self.push(NodeKind::Apply(place, Transform::PadBoxes(count), input), call.span)
            }
            None => self.error(call.span),
        }
    }

    /// The node of a column, or what keeps it from being one.
    pub fn finished(&mut self, id: NodeId, span: Span) -> NodeId {
        match self.gives(id) {
            Gives::Words => self.fail(span, table::words_remain(span)),
            Gives::Sets => self.fail(span, table::sets_remain(span)),
            Gives::Boxes | Gives::Kinds if !self.is_padded(id) => self.fail(span, scenes::boxes_remain(span)),
            Gives::Texts => self.fail(span, texts::not_padded(span)),
            Gives::Padded if self.format == Some(Format::Graph) => {
                self.fail(span, data::unsupported(span, "a text in a graph"))
            }
            Gives::Error | Gives::Windows => id,
            _ if matches!(self.format, Some(Format::Text(_))) => self.fail(span, texts::not_windowed(span)),
            _ => self.of_one_table(id, span),
        }
    }

    /// Whether the boxes of a node are as many in every row.
    fn is_padded(&self, id: NodeId) -> bool {
        match &self.node(id).kind {
            NodeKind::Apply(_, Transform::PadBoxes(_), _) => true,
            NodeKind::Beside(of, with) => match self.gives(*with) {
                Gives::Boxes => self.is_padded(*with),
                _ => self.is_padded(*of),
            },
            _ => false,
        }
    }
}

/// The most boxes of a row that a program may ask for.
const MOST_BOXES: usize = 1 << 16;
