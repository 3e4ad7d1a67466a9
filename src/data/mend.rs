//! What a column that its file does not allow is mended with: where a further step of it is written, and which.
//!
//! In: a node of a declaration, and the cells that it is made of. Out: places and words, for `diag::contents`.

use std::collections::BTreeSet;

use crate::base::Span;
use crate::diag::contents::Meant;
use crate::diag::data::Behind;

use super::calendar;
use super::csv::TextColumn;
use super::evaluation::{Evaluation, is_missing};
use super::spec::{ClassAxis, NodeId, NodeKind, Spec, Transform};
use super::table::{Cells, TableColumn};

/// The nodes that are made of one.
fn users(spec: &Spec, id: NodeId) -> impl Iterator<Item = NodeId> {
    let uses = move |user: &NodeId| spec.node(*user).kind.operands().any(|operand| operand == id);
    (0..spec.nodes.len()).map(NodeId).filter(uses)
}

/// The place behind what makes a node.
fn behind(spec: &Spec, id: NodeId) -> Behind {
    let span = spec.node(id).span;
    let has_signs = |user: &NodeId| {
        let user = spec.node(*user);
        matches!(user.kind, NodeKind::Arith(..) | NodeKind::Neg(_)) && user.span.holds(span)
    };
    Behind { span, brackets: users(spec, id).any(|user| has_signs(&user)) }
}

impl Evaluation<'_> {
    /// The node of a file's column, among those that another is made of.
    fn node_of(&self, column: &TableColumn, within: NodeId) -> Option<NodeId> {
        self.spec.reachable([within]).into_iter().find(|id| match &self.spec.node(*id).kind {
            NodeKind::Column(columns) => {
                self.table.select(&columns.names).into_iter().any(|other| std::ptr::eq(other, column))
            }
            _ => false,
        })
    }

    /// The name of a column that stands among others, with its comma.
    pub fn among(&self, column: &TableColumn, within: NodeId) -> Option<Span> {
        let NodeKind::Column(columns) = &self.spec.node(self.node_of(column, within)?).kind else { return None };
        let selectors = &columns.names;
        let at = selectors.iter().position(|selector| selector.first == column.name && selector.last.is_none())?;
        let this = selectors[at].span;
        match (at.checked_sub(1).map(|before| selectors[before].span), selectors.get(at + 1)) {
            (Some(before), _) => Some(before.after().to(this)),
            (None, Some(next)) => Some(this.to(next.span.before())),
            (None, None) => None,
        }
    }

    /// What fills the gaps of a column, and where: behind the first step that makes numbers of it.
    pub fn filled(&self, column: &TableColumn, within: NodeId) -> Option<(Behind, &'static str)> {
        let node = self.node_of(column, within)?;
        let parts =
            |user: &NodeId| matches!(self.spec.node(*user).kind, NodeKind::Apply(_, Transform::DateParts(..), _));
        let node = users(self.spec, node).find(parts).unwrap_or(node);
        let has_some = (0..self.table.rows).any(|row| match &column.cells {
            Cells::Text(cells) => !is_missing(cells.cell(row)),
            Cells::Numbers(numbers) => !numbers.misses(row),
        });
        Some((behind(self.spec, node), if has_some { "impute(median)" } else { "impute(0)" }))
    }

    /// What makes numbers, or classes, of a column that has words alone.
    pub fn of_words(&self, cells: &TextColumn, id: NodeId) -> Option<Meant> {
        let there: Vec<&str> = cells.cells().filter(|cell| !is_missing(cell)).collect();
        if there.iter().all(|cell| calendar::parse(cell).is_some()) {
            return Some(Meant::Parts(behind(self.spec, id)));
        }
        if there.iter().any(|cell| cell.parse::<f32>().is_ok()) {
            return None;
        }
        let words: BTreeSet<&str> = there.iter().copied().collect();
        let is_plain = |word: &&&str| word.chars().all(|letter| letter.is_alphanumeric() || " -_.".contains(letter));
        let truth = words.last().filter(|_| words.len() == 2).filter(is_plain).map(|word| (*word).to_owned());
        let is_column = self.spec.entries.iter().any(|entry| entry.node == id);
        let user = users(self.spec, id).next();
        let meant = match user.map(|user| (&self.spec.node(user).kind, self.spec.node(user).span)) {
            None if is_column => Meant::Classes,
            Some((NodeKind::Stack(_) | NodeKind::Apply(_, Transform::Window(_), _), _)) => Meant::Classes,
            // The word of the step stands first, whether its column comes before it or in parentheses.
            Some((NodeKind::Apply(_, Transform::Index(_), _), span)) => {
                return Some(Meant::Numbered(Span { end: span.start + "index".len() as u32, ..span }));
            }
            Some((NodeKind::Arith(..) | NodeKind::Neg(_) | NodeKind::Function(..), _)) => Meant::Numbers,
            Some((NodeKind::Apply(_, Transform::Standardize | Transform::Minmax | Transform::Scale(_), _), _)) => {
                Meant::Numbers
            }
            _ => return None,
        };
        Some(meant(behind(self.spec, id), truth))
    }

    /// The place behind a node.
    pub fn behind(&self, id: NodeId) -> Behind {
        behind(self.spec, id)
    }

    /// Where a `vocab` is told to have a class for all other words, and in which words.
    pub fn own_class(&self, id: NodeId) -> Option<(Span, &'static str)> {
        let NodeKind::Apply(name, Transform::Vocab { .. }, _) = &self.spec.node(id).kind else { return None };
        // Where another column takes its classes, they are made.
        let made =
            self.spec.nodes.iter().position(|node| matches!(&node.kind, NodeKind::Apply(of, ..) if of == name))?;
        let NodeKind::Apply(_, _, operand) = self.spec.nodes[made].kind else { return None };
        let span = self.spec.nodes[made].span;
        // A step that makes classes by itself, in which no word says so.
        let is_silent = users(self.spec, NodeId(made)).any(|user| self.spec.node(user).span == span);
        match (is_silent, self.spec.is_stage(NodeId(made))) {
            (true, true) => Some((span.before(), "vocab(unknown = own) |> ")),
            (true, false) => Some((self.spec.node(operand).span.after(), " |> vocab(unknown = own)")),
            (false, true) => Some((span.after(), "(unknown = own)")),
            (false, false) => Some((span.inner_end(), ", unknown = own")),
        }
    }

    /// An `index` as a `vocab` that has a class for what is missing.
    pub fn own_index(&self, axis: Option<ClassAxis>, id: NodeId) -> Option<(Span, String)> {
        let span = self.spec.node(id).span;
        let NodeKind::Apply(_, Transform::Index(_), _) = self.spec.node(id).kind else { return None };
        let axis = axis.map_or(String::new(), |axis| format!("[{}]", axis.name));
        self.spec.is_stage(id).then(|| (span, format!("vocab{axis}(unknown = own)")))
    }

    /// A logarithm of one more, where it has one of every number; `least` is the least of them.
    pub fn log_of_one_more(&self, least: f32, id: NodeId) -> Option<Span> {
        let span = self.spec.node(id).span;
        let word = Span { end: span.start + "log".len() as u32, ..span };
        (least > -1.0 && (span == word || !self.spec.is_stage(id))).then_some(word)
    }

    /// A step that fills what is missing as one that needs no number to do it.
    pub fn filled_with_zero(&self, id: NodeId) -> Option<Span> {
        let NodeKind::Apply(_, Transform::Impute(_), _) = self.spec.node(id).kind else { return None };
        self.spec.is_stage(id).then_some(self.spec.node(id).span)
    }
}
