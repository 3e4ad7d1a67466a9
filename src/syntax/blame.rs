//! What a mistake in the text may have caused further on.
//!
//! In: a tree and what was told while it was read. Out: which places later messages should not speak of.
//! A declaration that could not be read whole means less than it says, and so do those that name it; a
//! message about them would be about the reading, which has been told. The rest is checked as ever.

use rustc_hash::FxHashSet;

use super::ast::{File, Item};
use crate::base::Span;
use crate::diag::{Diagnostics, Severity};

/// The declarations that a mistake of the text may have spoilt: those it lies in, and those that name one of
/// them, and so on.
pub fn spoilt(tree: &File, text: &str, told: &Diagnostics) -> Vec<Span> {
    let mistakes = told.iter().filter(|told| told.severity == Severity::Error);
    let mistakes: Vec<Span> = mistakes.flat_map(|told| told.labels.iter().map(|label| label.span)).collect();
    if mistakes.is_empty() {
        return Vec::new();
    }
    let words = |span: Span| -> FxHashSet<&str> {
        let text = text.get(span.range()).unwrap_or_default();
        text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect()
    };
    let mut names: FxHashSet<&str> = FxHashSet::default();
    let mut spoilt = vec![false; tree.items.len()];
    for (item, spoilt) in tree.items.iter().zip(&mut spoilt) {
        let span = span(item);
        *spoilt = matches!(item, Item::Error(_)) || mistakes.iter().any(|mistake| meet(span, *mistake));
        match (*spoilt, name(item)) {
            (true, Some(name)) => names.extend([name]),
            // What it declares is not known: any of its words may be a name.
            (true, None) if matches!(item, Item::Error(_)) => names.extend(words(span)),
            _ => {}
        }
    }
    // A mistake between declarations belongs to text that was given up.
    for mistake in &mistakes {
        if !tree.items.iter().any(|item| meet(span(item), *mistake)) {
            let line = text[..(mistake.start as usize).min(text.len())].rfind('\n').map_or(0, |at| at + 1);
            let end = text[line..].find('\n').map_or(text.len(), |at| line + at);
            names.extend(words(Span { start: line as u32, end: end as u32, ..*mistake }));
        }
    }
    loop {
        let mut grew = false;
        for (item, spoilt) in tree.items.iter().zip(&mut spoilt) {
            if !*spoilt && words(span(item)).iter().any(|word| names.contains(word)) {
                *spoilt = true;
                names.extend(name(item));
                grew = true;
            }
        }
        if !grew {
            break;
        }
    }
    tree.items.iter().zip(spoilt).filter(|(_, spoilt)| *spoilt).map(|(item, _)| span(item)).collect()
}

/// Whether two places overlap or touch.
fn meet(a: Span, b: Span) -> bool {
    a.file == b.file && a.start <= b.end && b.start <= a.end
}

fn span(item: &Item) -> Span {
    match item {
        Item::Use(item) => item.span,
        Item::Let(item) => item.span,
        Item::Def(item) => item.span,
        Item::Data(item) => item.span,
        Item::Train(item) => item.span,
        Item::Search(item) => item.span,
        Item::Error(span) => *span,
    }
}

/// The name that an item declares.
fn name(item: &Item) -> Option<&'static str> {
    match item {
        Item::Let(item) => {
            let (super::ast::Target::Names(names) | super::ast::Target::Fields(names)) = &item.target;
            names.first().map(|name| name.name.as_str())
        }
        Item::Def(item) => Some(item.name.name.as_str()),
        Item::Data(item) => Some(item.name.name.as_str()),
        Item::Use(_) | Item::Train(_) | Item::Search(_) | Item::Error(_) => None,
    }
}
