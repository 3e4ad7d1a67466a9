//! Written types.

use super::super::grammar::{Node, Rule};
use super::{Builder, part, parts, two};
use crate::syntax::ast::{AxisDecl, Ident, Type, TypeKind};

impl Builder<'_, '_> {
    /// `ty`
    pub(super) fn ty(&mut self, node: Node) -> Type {
        let span = self.span(&node);
        let mut word = None;
        let mut of = None;
        let mut axes = None;
        for part in parts(node) {
            match part.as_rule() {
                Rule::record_type => {
                    let fields = parts(part).map(|field| self.field_type(field)).collect();
                    return Type { kind: TypeKind::Record(fields), span };
                }
                Rule::lost => return Type { kind: TypeKind::Error, span },
                Rule::ident => word = Some(self.ident(&part)),
                Rule::of => of = self.idents(part).pop(),
                Rule::axes => axes = Some(self.axes(part)),
                rule => unreachable!("{rule:?} is no part of a type"),
            }
        }
        let kind = match (word, of, axes) {
            (prefix, of, Some(axes)) => TypeKind::Tensor { prefix, of, axes },
            (Some(word), Some(of), None) => TypeKind::Of(word, of),
            (Some(word), None, None) => TypeKind::Named(word),
            (None, _, None) => unreachable!("a type has a word or axes"),
        };
        Type { kind, span }
    }

    fn field_type(&mut self, node: Node) -> (Ident, Type) {
        let (name, ty) = two(node);
        (self.ident(&name), self.ty(ty))
    }

    /// `axes`
    pub(super) fn axes(&mut self, node: Node) -> Vec<AxisDecl> {
        parts(node).map(|axis| self.axis(axis)).collect()
    }

    /// `row` or `named_axis`
    pub(super) fn axis(&mut self, node: Node) -> AxisDecl {
        if node.as_rule() == Rule::row {
            return AxisDecl::Row(self.span(&node));
        }
        let mut parts = parts(node);
        let name = self.ident(&part(parts.next()));
        AxisDecl::Axis { name, size: parts.next().map(|size| self.expr(size)) }
    }
}
