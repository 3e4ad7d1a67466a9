//! Declarations and sections.

use super::super::grammar::{Node, Rule};
use super::{Builder, docs, part, parts, two};
use crate::base::Span;
use crate::diag;
use crate::syntax::ast::{
    Block, Data, Def, DefKind, Entry, Expr, ExprKind, File, GradClause, Item, Let, Made, Param, Search, Setting,
    Target, Train, Update, UpdateTarget, Use,
};

/// Which section a line stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Data,
    Train,
    Search,
    Update,
}

impl Builder<'_, '_> {
    /// `file`
    pub(in super::super) fn file(&mut self, node: Node) -> File {
        File { items: parts(node).map(|item| self.item(item)).collect() }
    }

    fn item(&mut self, node: Node) -> Item {
        match node.as_rule() {
            Rule::use_item => Item::Use(self.use_item(node)),
            Rule::let_line => Item::Let(self.let_line(node)),
            Rule::def => Item::Def(self.def(node)),
            Rule::data => Item::Data(self.data(node)),
            Rule::train => Item::Train(self.train(node)),
            Rule::search => Item::Search(self.search(node)),
            Rule::lost => Item::Error(self.span(&node)),
            rule => unreachable!("{rule:?} is no item"),
        }
    }

    fn use_item(&mut self, node: Node) -> Use {
        let whole = node.clone();
        let mut parts = parts(node);
        let path = part(parts.next());
        let path_span = self.span(&path);
        let alias = parts.next().map(|alias| self.ident(&alias));
        let span = self.extent(&whole, alias.map_or(path_span, |alias| alias.span));
        Use { path: self.text(&path), path_span, alias, span }
    }

    /// `let_line`
    pub(super) fn let_line(&mut self, node: Node) -> Let {
        let span = self.span(&node);
        let (target, value) = two(node);
        let target = match target.as_rule() {
            Rule::fields => Target::Fields(self.idents(target)),
            _ => Target::Names(self.idents(target)),
        };
        Let { target, value: self.expr(value), doc: self.doc(span), span }
    }

    fn doc(&self, span: Span) -> Option<String> {
        docs::above(self.source, span.start as usize)
    }

    fn def(&mut self, node: Node) -> Def {
        let whole = node.clone();
        let mut kind = DefKind::Fn;
        let mut name = None;
        let mut axes = Vec::new();
        let mut lists: Vec<Vec<Param>> = Vec::new();
        let mut result = None;
        let mut facts = Vec::new();
        let mut body = None;
        let mut grad = None;
        let mut head = self.span(&whole);
        for part in parts(node) {
            if let Rule::params = part.as_rule() {
                head = self.span(&part);
            }
            match part.as_rule() {
                Rule::def_word => kind = def_kind(part.as_str()),
                Rule::ident => name = Some(self.ident(&part)),
                Rule::axis_params => axes = self.idents(part),
                Rule::params => lists.push(parts(part).map(|param| self.parameter(param)).collect()),
                Rule::result => result = parts(part).nth(1).map(|ty| self.ty(ty)),
                Rule::facts => facts = parts(part).map(|fact| self.expr(fact)).collect(),
                Rule::block => body = Some(self.block(part)),
                Rule::expr => body = Some(alone(self.expr(part))),
                Rule::grad_clause => grad = Some(self.grad_clause(part)),
                rule => unreachable!("{rule:?} is no part of a definition"),
            }
        }
        let inputs = lists.pop().unwrap_or_default();
        let body: Block = part(body);
        let span = self.extent(&whole, grad.as_ref().map_or(body.span, |grad: &GradClause| grad.span));
        Def {
            kind,
            name: part(name),
            axes,
            config: lists.pop(),
            inputs,
            head: result.as_ref().map_or(head, |ty: &crate::syntax::ast::Type| ty.span),
            result,
            facts,
            body,
            grad,
            doc: self.doc(span),
            span,
        }
    }

    fn parameter(&mut self, node: Node) -> Param {
        let whole = node.clone();
        let mut parts = parts(node);
        let name = self.ident(&part(parts.next()));
        let (mut ty, mut default) = (None, None);
        for part in parts {
            match part.as_rule() {
                Rule::ty => ty = Some(self.ty(part)),
                _ => default = Some(self.expr(part)),
            }
        }
        let last = match (&ty, &default) {
            (_, Some(default)) => default.span,
            (Some(ty), None) => ty.span,
            (None, None) => name.span,
        };
        Param { name, ty, default, span: self.extent(&whole, last) }
    }

    fn grad_clause(&mut self, node: Node) -> GradClause {
        let span = self.span(&node);
        let (dy, body) = two(node);
        let dy = self.ident(&dy);
        // A record stands for the block that has it for a value.
        let body = match body.as_rule() {
            Rule::record => {
                let value = self.atom(body);
                Block { stmts: Vec::new(), span: value.span, value: Box::new(value) }
            }
            _ => self.block(body),
        };
        GradClause { dy, body, span }
    }

    fn data(&mut self, node: Node) -> Data {
        let span = self.span(&node);
        let mut parts = parts(node);
        let name = self.ident(&part(parts.next()));
        let source = self.expr(part(parts.next()));
        Data { name, source, entries: self.section(part(parts.next()), Section::Data), doc: self.doc(span), span }
    }

    fn train(&mut self, node: Node) -> Train {
        let span = self.span(&node);
        let mut models = Vec::new();
        let mut data = None;
        let mut entries = Vec::new();
        for part in parts(node) {
            match part.as_rule() {
                Rule::made => models.push(self.made(part)),
                Rule::ident => data = Some(self.ident(&part)),
                _ => entries = self.section(part, Section::Train),
            }
        }
        Train { models, data: part(data), entries, doc: self.doc(span), span }
    }

    fn made(&mut self, node: Node) -> Made {
        let mut name = None;
        let mut value = None;
        for part in parts(node) {
            match part.as_rule() {
                Rule::ident => name = Some(self.ident(&part)),
                _ => value = Some(self.expr(part)),
            }
        }
        Made { name, value: part(value) }
    }

    fn search(&mut self, node: Node) -> Search {
        let span = self.span(&node);
        let mut parts = parts(node);
        let model = self.expr(part(parts.next()));
        let data = self.ident(&part(parts.next()));
        Search { model, data, entries: self.section(part(parts.next()), Section::Search), span }
    }

    fn section(&mut self, node: Node, section: Section) -> Vec<Entry> {
        parts(node).map(|line| self.entry(line, section)).collect()
    }

    fn entry(&mut self, node: Node, section: Section) -> Entry {
        let span = self.span(&node);
        match node.as_rule() {
            Rule::let_line => Entry::Let(self.let_line(node)),
            Rule::setting => {
                let (names, value) = two(node);
                Entry::Setting(Setting { names: self.idents(names), value: self.expr(value), span })
            }
            Rule::update if section == Section::Train => Entry::Update(self.update(node)),
            Rule::update => {
                self.report(diag::syntax::misplaced_update(span));
                Entry::Error(span)
            }
            Rule::varied if section == Section::Search => {
                let (path, over) = two(node);
                Entry::Varied { name: self.idents(path), over: self.expr(over) }
            }
            Rule::varied => {
                let (path, over) = two(node);
                let name = path.as_str().trim_end();
                let gap = self.idents(path.clone()).last().map_or(span, |last| last.span.after());
                let first = match self.expr(over).kind {
                    ExprKind::List(values) => values.first().map(|first| first.span),
                    _ => None,
                };
                let given = first.map(|first| (gap.to(span.after()), &self.source[first.range()]));
                self.report(diag::syntax::misplaced_variation(span, name, given));
                Entry::Error(span)
            }
            Rule::lost => Entry::Error(span),
            rule => unreachable!("{rule:?} is no line of a section"),
        }
    }

    fn update(&mut self, node: Node) -> Update {
        let span = self.span(&node);
        let mut targets = Vec::new();
        let mut entries = Vec::new();
        for part in parts(node) {
            match part.as_rule() {
                Rule::string => targets.push(UpdateTarget::Glob(self.text(&part), self.span(&part))),
                Rule::path => targets.push(UpdateTarget::Path(self.idents(part))),
                _ => entries = self.section(part, Section::Update),
            }
        }
        Update { targets, entries, span }
    }
}

/// `= expr` as a block.
fn alone(value: Expr) -> Block {
    let span = value.span;
    Block { stmts: Vec::new(), value: Box::new(value), span }
}

fn def_kind(word: &str) -> DefKind {
    match word {
        "model" => DefKind::Model,
        "layer" => DefKind::Layer,
        "fn" => DefKind::Fn,
        "loss" => DefKind::Loss,
        "metric" => DefKind::Metric,
        "optimizer" => DefKind::Optimizer,
        "schedule" => DefKind::Schedule,
        word => unreachable!("`{word}` begins no definition"),
    }
}

/// A value that recovery or a limit has taken the place of.
pub(super) fn lost(span: Span) -> Expr {
    Expr { kind: ExprKind::Error, span }
}
