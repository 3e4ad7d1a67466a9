//! Places and words for what the files of a declaration, or the order of its steps, turn out to ask for.
//!
//! In: the lines as they are written. Out: a `Layout`, which the reading of files hands to the messages of `diag::images`
//! and `diag::scenes`, and steps as they stand elsewhere in their pipe.

use crate::base::{Span, Symbol};
use crate::diag::images::Shifted;
use crate::syntax::ast::Entry;
use crate::syntax::print::print_expr;

use super::columns::Reader;
use super::{Format, NodeId, NodeKind, PictureStep, Transform, names};

/// What a declaration may say of files that lie otherwise.
#[derive(Clone, PartialEq, Debug)]
pub struct Layout {
    /// The end of the source, where a step on its rows may follow; none where it takes no such steps.
    pub steps: Option<Span>,
    /// What makes folders the parts of the split, and where.
    pub by_folder: Option<(Span, &'static str)>,
    /// What makes folders the classes, with its comma, where no line reads these.
    pub labels: Option<Span>,
}

impl Reader<'_> {
    /// What the lines of the declaration allow.
    pub fn layout(&self) -> Layout {
        let of_split = self.data.setting(Symbol::new("split")).map(|split| (split.span, "by_folder"));
        let last = self.data.entries.last().and_then(Entry::value);
        Layout {
            steps: self.format.is_some_and(Format::is_table).then(|| self.data.source.span.after()),
            by_folder: of_split.or(last.map(|(_, last)| (last.after(), "\n  split = by_folder"))),
            labels: self.labels.filter(|_| !self.reads_labels()),
        }
    }

    /// Whether a line reads the classes of pictures.
    fn reads_labels(&self) -> bool {
        let names_them = |id| match &self.node(NodeId(id)).kind {
            NodeKind::Column(columns) => columns.names.iter().any(|name| name.first == names::LABEL),
            _ => false,
        };
        (0..self.count()).any(names_them) || self.reads(Symbol::new(names::LABEL))
    }

    /// A stage of a pipe with the `|>` before it.
    pub fn left_out(&self, stage: Span) -> Option<Span> {
        self.piped.map(|before| before.after().to(stage))
    }

    /// A `decode` behind other steps as the first of them.
    pub fn decode_first(&self, mut input: NodeId, stage: Span) -> Option<Shifted> {
        let from = self.left_out(stage)?;
        loop {
            match &self.node(input).kind {
                NodeKind::Apply(_, Transform::Picture(PictureStep::Decode(_)), _) => {
                    return Some(Shifted { from, to: None });
                }
                NodeKind::Apply(_, _, of) => input = *of,
                NodeKind::Column(_) => {
                    let to = (self.node(input).span.after(), format!(" |> {}", print_expr(self.expr_at(stage)?)));
                    return Some(Shifted { from, to: Some(to) });
                }
                _ => return None,
            }
        }
    }
}
