//! From pest's pairs to the tree.
//!
//! In: the pairs of a text that matched. Out: the tree, and what the grammar lets through but the language
//! does not: values in the middle of a block, comparisons in a row, numbers that are too large. Knows
//! nothing of recovery but its mark: a `lost` pair becomes an `Error` node, silently.

mod block;
mod docs;
mod expr;
mod item;
mod literal;
mod operators;
mod ty;

use super::draft::Draft;
use super::grammar::{Node, Rule};
use crate::base::{Span, Symbol};
use crate::diag::{Diagnostic, Diagnostics};
use crate::syntax::ast::Ident;

/// How deep expressions may lie in one another. The limits checked before parsing keep every ordinary text
/// below it; this is for what slips past their counting.
const MAX_DEPTH: u32 = 800;

/// Builds the tree of one text.
pub(super) struct Builder<'a, 'd> {
    draft: &'d Draft<'a>,
    source: &'a str,
    diagnostics: &'d mut Diagnostics,
    depth: u32,
}

impl<'a, 'd> Builder<'a, 'd> {
    /// A builder for a draft of `source`.
    pub(super) fn new(draft: &'d Draft<'a>, source: &'a str, diagnostics: &'d mut Diagnostics) -> Builder<'a, 'd> {
        Builder { draft, source, diagnostics, depth: 0 }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// The place of a node. Exact for rules whose last part is never optional; see [`Builder::extent`].
    fn span(&self, node: &Node) -> Span {
        let span = node.as_span();
        self.draft.span(span.start()..span.end())
    }

    /// The place from the start of `node` to the end of `last`: without the white space that pest has
    /// eaten after the last part.
    fn extent(&self, node: &Node, last: Span) -> Span {
        self.span(node).before().to(last)
    }

    fn ident(&self, node: &Node) -> Ident {
        Ident { name: Symbol::new(node.as_str()), span: self.span(node) }
    }

    /// All names among the parts of a node.
    fn idents(&self, node: Node) -> Vec<Ident> {
        node.into_inner().filter(|part| part.as_rule() == Rule::ident).map(|part| self.ident(&part)).collect()
    }
}

/// The parts of a node that mean something: keywords and signs left out.
fn parts(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    node.into_inner().filter(|part| !is_mark(part.as_rule()))
}

/// The first part and the second, of a rule that has them.
fn two(node: Node<'_>) -> (Node<'_>, Node<'_>) {
    let mut parts = parts(node);
    (part(parts.next()), part(parts.next()))
}

/// A part that the grammar promises.
fn part<T>(found: Option<T>) -> T {
    found.expect("the grammar promises this part")
}

fn is_mark(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::kw_let
            | Rule::kw_state
            | Rule::kw_if
            | Rule::kw_else
            | Rule::kw_stack
            | Rule::kw_scan
            | Rule::kw_in
            | Rule::kw_where
            | Rule::kw_param
            | Rule::kw_not
            | Rule::kw_use
            | Rule::kw_as
            | Rule::kw_data
            | Rule::kw_train
            | Rule::kw_search
            | Rule::kw_on
            | Rule::kw_update
            | Rule::kw_penalty
            | Rule::kw_from
            | Rule::kw_until
            | Rule::kw_remat
            | Rule::kw_grad
            | Rule::comma
            | Rule::equals
            | Rule::colon
            | Rule::becomes
            | Rule::tilde
            | Rule::open_paren
            | Rule::close_paren
            | Rule::open_square
            | Rule::close_square
            | Rule::open_brace
            | Rule::close_brace
            | Rule::EOI
    )
}
