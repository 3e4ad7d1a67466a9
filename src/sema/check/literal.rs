//! Where a number of the program stands.
//!
//! In: a place and a number. Out: the place of the one literal there that is this number, for an edit. A size comes with
//! the place where it was chosen, a call or a parameter, and an edit speaks of the number in it. Only messages ask.

use crate::base::Span;
use crate::ir::Dim;
use crate::syntax::ast::{self, AxisDecl, Entry, Expr, ExprKind, Item};

use super::checker::Checker;

/// A literal of the program.
#[derive(Clone, Copy)]
pub(super) struct Literal {
    /// Its place.
    pub span: Span,
    /// Whether a signature has it: others rely on that.
    pub is_declared: bool,
}

impl<'a> Checker<'a> {
    /// The literal of this value in a place; none where several are there, or none.
    pub(super) fn literal_of(&self, place: Span, value: &Dim) -> Option<Literal> {
        let value = self.sizes.resolve(value).as_const()? as f64;
        let mut found: Vec<Literal> = Vec::new();
        let tree = self.tree_of(place.file)?;
        each(tree, &mut |expr, is_declared| {
            let ExprKind::Number(number) = &expr.kind else { return };
            let span = expr.span;
            if number.value == value && place.start <= span.start && span.end <= place.end {
                found.push(Literal { span, is_declared });
            }
        });
        match found[..] {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Of two sizes that should be one, the number to change, and to what: one in an expression rather than one in a
    /// signature, and rather the second.
    pub(super) fn mended(&self, left: (Span, &Dim), right: (Span, &Dim)) -> Option<(Span, String)> {
        let change = |(place, size): (Span, &Dim), other: &Dim| {
            let to = self.sizes.resolve(other).as_const()?;
            self.literal_of(place, size).map(|literal| (literal, to.to_string()))
        };
        let both = [change(right, left.1), change(left, right.1)];
        let chosen = both.into_iter().flatten().min_by_key(|(literal, _)| literal.is_declared);
        chosen.map(|(literal, text)| (literal.span, text))
    }
}

/// Visits each expression of a file, with whether it stands in a signature.
pub(super) fn each<'a>(file: &'a ast::File, visit: &mut dyn FnMut(&'a Expr, bool)) {
    for item in &file.items {
        match item {
            Item::Let(binding) => binding.value.walk(&mut |expr| visit(expr, false)),
            Item::Def(def) => {
                let params = def.config.iter().flatten().chain(&def.inputs);
                for ty in params.clone().filter_map(|param| param.ty.as_ref()).chain(&def.result) {
                    ty.kind.each_axis(&mut |decl| {
                        if let AxisDecl::Axis { size: Some(size), .. } = decl {
                            size.walk(&mut |expr| visit(expr, true));
                        }
                    });
                }
                params.filter_map(|param| param.default.as_ref()).for_each(|expr| expr.walk(&mut |x| visit(x, true)));
                def.body.walk(&mut |expr| visit(expr, false));
                def.grad.iter().for_each(|clause| clause.body.walk(&mut |expr| visit(expr, false)));
            }
            Item::Train(train) => {
                train.models.iter().for_each(|made| made.value.walk(&mut |expr| visit(expr, false)));
                train.entries.iter().for_each(|entry| each_of(entry, visit));
            }
            Item::Search(search) => search.entries.iter().for_each(|entry| each_of(entry, visit)),
            Item::Use(_) | Item::Data(_) | Item::Error(_) => {}
        }
    }
}

/// Visits each expression of a line of a section.
fn each_of<'a>(entry: &'a Entry, visit: &mut dyn FnMut(&'a Expr, bool)) {
    match entry {
        Entry::Let(binding) => binding.value.walk(&mut |expr| visit(expr, false)),
        Entry::Setting(setting) => setting.value.walk(&mut |expr| visit(expr, false)),
        Entry::Varied { over, .. } => over.walk(&mut |expr| visit(expr, false)),
        Entry::Update(update) => update.entries.iter().for_each(|entry| each_of(entry, visit)),
        Entry::Error(_) => {}
    }
}
