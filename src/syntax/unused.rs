//! Names that are declared and never said again.
//!
//! In: a tree that read without mistakes, and its text. Out: warnings. Goes by words alone: a word that stands anywhere
//! a name could be meant counts as a use, an axis of the same name too, so what is told is never used in any sense. Knows no
//! meaning and no other file.
//!
//! A definition is told only in a program that trains something: a file without a run is a library, whose definitions are
//! there to be used from elsewhere.

use rustc_hash::FxHashMap;

use super::ast::{Block, Entry, Expr, ExprKind, File, Item, Let, Stmt, Target};
use super::parse;
use crate::base::Span;
use crate::diag::{Diagnostics, name as told};

/// What a file declares in vain.
pub fn unused(file: &File, text: &str) -> Diagnostics {
    let mut places: FxHashMap<&str, Vec<u32>> = FxHashMap::default();
    for (at, word) in parse::names(text) {
        places.entry(word).or_default().push(at as u32);
    }
    let mut search = Words { places, found: Diagnostics::default() };
    let runs = file.items.iter().any(|item| matches!(item, Item::Train(_) | Item::Search(_)));
    for item in &file.items {
        match item {
            Item::Def(def) => {
                if runs && !search.is_said_outside(def.name.name.as_str(), def.span) {
                    search.found.push(told::unused_definition(&def.name));
                }
                search.block(&def.body);
                def.grad.iter().for_each(|grad| search.block(&grad.body));
            }
            Item::Data(data) => search.section(&data.entries),
            Item::Train(train) => search.section(&train.entries),
            Item::Let(found) => {
                if runs {
                    search.binding(found, |search, name| search.is_said_outside(name, found.span));
                }
                search.within(&found.value);
            }
            Item::Search(_) | Item::Use(_) | Item::Error(_) => {}
        }
    }
    search.found
}

struct Words<'t> {
    /// Where each word stands, in order.
    places: FxHashMap<&'t str, Vec<u32>>,
    found: Diagnostics,
}

impl Words<'_> {
    /// How often a word stands between two places.
    fn count(&self, word: &str, start: u32, end: u32) -> usize {
        let Some(places) = self.places.get(word) else { return 0 };
        places.partition_point(|&at| at < end) - places.partition_point(|&at| at < start)
    }

    fn is_said_outside(&self, word: &str, span: Span) -> bool {
        self.count(word, 0, u32::MAX) > self.count(word, span.start, span.end)
    }

    /// A `let` of which no name is used; one that takes a list or a record apart may have names for what it leaves.
    fn binding(&mut self, found: &Let, is_said: impl Fn(&Self, &str) -> bool) {
        let (Target::Names(names) | Target::Fields(names)) = &found.target;
        // A parameter without use is a mistake, and told as one.
        let holds_parameter = matches!(found.value.kind, ExprKind::Param(_));
        let is_meant = |name: &str| name.starts_with('_') || is_said(self, name);
        if holds_parameter || names.iter().any(|ident| is_meant(ident.name.as_str())) {
            return;
        }
        if let Some(first) = names.first() {
            self.found.push(told::unused_let(first, found.span, matches!(found.target, Target::Fields(_))));
        }
    }

    /// A block and the blocks within it.
    fn block(&mut self, block: &Block) {
        self.bindings(block);
        let mut blocks: Vec<&Block> = Vec::new();
        block.walk(&mut |expr| blocks.extend(expr.blocks()));
        blocks.into_iter().for_each(|block| self.bindings(block));
    }

    /// The `let`s right in a block. Their names can be said behind them alone.
    fn bindings(&mut self, block: &Block) {
        for stmt in &block.stmts {
            if let Stmt::Let(found) = stmt {
                let (start, end) = (found.span.end, block.span.end);
                self.binding(found, |search, name| search.count(name, start, end) > 0);
            }
        }
    }

    /// The lines of a section may use each other in any order.
    fn section(&mut self, entries: &[Entry]) {
        let spans = entries.iter().filter_map(|entry| match entry {
            Entry::Let(found) => Some(found.span),
            Entry::Setting(setting) => Some(setting.span),
            Entry::Update(update) => Some(update.span),
            Entry::Varied { over, .. } => Some(over.span),
            Entry::Error(_) => None,
        });
        let whole = spans.reduce(Span::to);
        for entry in entries {
            match entry {
                Entry::Let(found) => {
                    let around = whole.unwrap_or(found.span);
                    self.binding(found, |search, name| {
                        search.count(name, around.start, around.end)
                            > search.count(name, found.span.start, found.span.end)
                    });
                    self.within(&found.value);
                }
                Entry::Setting(setting) => self.within(&setting.value),
                Entry::Update(update) => self.section(&update.entries),
                Entry::Varied { .. } | Entry::Error(_) => {}
            }
        }
    }

    /// The blocks within an expression.
    fn within(&mut self, expr: &Expr) {
        let mut blocks: Vec<&Block> = Vec::new();
        expr.walk(&mut |expr| blocks.extend(expr.blocks()));
        blocks.into_iter().for_each(|block| self.bindings(block));
    }
}

impl Expr {
    /// The blocks that it has right in it.
    fn blocks(&self) -> Vec<&Block> {
        match &self.kind {
            ExprKind::If(_, then, otherwise) => vec![then, otherwise],
            ExprKind::Stack { body, .. } | ExprKind::Remat(body) | ExprKind::Block(body) => vec![body],
            ExprKind::Scan(scan) => vec![&scan.body],
            _ => Vec::new(),
        }
    }
}
