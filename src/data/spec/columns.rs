//! The columns of a declaration: `let`s and entries, from the top down.
//!
//! In: the entries of the tree. Out: nodes. A name means a `let` or a column above it, else a constant
//! of the program.

use rustc_hash::FxHashMap;

use crate::base::{Span, Symbol};
use crate::diag::data::{self, Behind};
use crate::diag::{Diagnostic, Diagnostics, images, table, texts};
use crate::syntax::ast::{self, Arg, BinaryOp, Entry, Expr, ExprKind, Ident, Target, UnaryOp};

use super::arguments::{Arguments, Call, Constants, arith};
use super::gives::Gives;
use super::{
    BatchSize, Columns, Constant, EntrySpec, Format, Function, Node, NodeId, NodeKind, Selector, Spec, Split,
    SplitKind, names,
};

pub(super) struct Reader<'a> {
    /// The declaration, and which of its lines is being read.
    pub data: &'a ast::Data,
    pub line: Option<usize>,
    pub constants: Constants<'a>,
    /// Of this declaration alone.
    pub diagnostics: Diagnostics,
    /// How the files of the source are read, once that is known.
    pub format: Option<Format>,
    /// The place in the call of the source where a further argument may stand.
    pub source_end: Span,
    /// The tables of a graph.
    pub tables: Vec<Symbol>,
    /// The one whose columns are being read.
    pub table: usize,
    nodes: Vec<Node>,
    /// What each of them gives.
    gives: Vec<Gives>,
    pub entries: Vec<EntrySpec>,
    /// Nodes that `like` takes the statistics of.
    pub models: Vec<NodeId>,
    /// `let`s and columns so far.
    pub known: FxHashMap<Symbol, NodeId>,
    /// Every `let` and column of the declaration, for those used above their definition.
    pub defined: FxHashMap<Symbol, Span>,
    /// The column being read and how many transforms it has so far: the name of the next statistics.
    pub owner: Symbol,
    pub stages: usize,
    /// Where a column is named by number first, and where by name.
    pub numbered: Option<Span>,
    pub named: Option<Span>,
    /// Where the shares of the split are written.
    pub shares: [Option<Span>; 3],
    /// The number of the next draws of a record, whose fields share them.
    pub draws: usize,
    /// The stage of a pipe before the one that is being read.
    pub piped: Option<Span>,
    /// What makes classes of folders, with its comma.
    pub labels: Option<Span>,
}

impl<'a> Reader<'a> {
    pub fn new(data: &'a ast::Data, constants: &'a dyn Fn(Symbol) -> Option<Constant>) -> Reader<'a> {
        Reader {
            data,
            line: None,
            constants: Constants { of: constants },
            diagnostics: Diagnostics::default(),
            format: None,
            source_end: data.source.span.inner_end(),
            tables: Vec::new(),
            table: 0,
            nodes: Vec::new(),
            gives: Vec::new(),
            entries: Vec::new(),
            models: Vec::new(),
            known: FxHashMap::default(),
            defined: FxHashMap::default(),
            owner: data.name.name,
            stages: 0,
            numbered: None,
            named: None,
            shares: [None; 3],
            draws: 0,
            piped: None,
            labels: None,
        }
    }

    /// Reads the whole declaration: the source, then the columns, then the settings, which name columns.
    pub fn read(mut self) -> (Spec, Diagnostics) {
        let data = self.data;
        let source = self.source(&data.source);
        self.format = source.as_ref().map(|source| source.format);
        self.tables = source.iter().flat_map(|source| &source.tables).map(|(name, _)| *name).collect();

        let mut settings: Vec<(&Ident, &Expr)> = Vec::new();
        self.collect_names(data);
        for (line, entry) in data.entries.iter().enumerate() {
            self.line = Some(line);
            match entry {
                Entry::Let(binding) => self.binding(binding),
                Entry::Setting(setting) => match setting.names.as_slice() {
                    [name] if names::SETTINGS.contains(&name.name.as_str()) => {
                        match settings.iter().find(|(old, _)| old.name == name.name) {
                            Some((first, _)) => {
                                let twice =
                                    data::setting_twice(name.span, name.name.as_str(), first.span, setting.span);
                                self.diagnostics.push(twice);
                            }
                            None => settings.push((name, &setting.value)),
                        }
                    }
                    [name] => self.entry(*name, &setting.value),
                    names => self.entries_of(names, &setting.value),
                },
                // The grammar gives `update` and `in` to other sections only.
                Entry::Update(update) => self.diagnostics.push(data::not_a_column(update.span, None)),
                Entry::Varied { over, .. } => self.not_a_column(over),
                Entry::Error(_) => {}
            }
        }

        self.line = None;
        let mut spec = Spec {
            name: data.name,
            source,
            nodes: Vec::new(),
            entries: Vec::new(),
            split: Split { kind: SplitKind::All, span: data.name.span, shares: [None; 3] },
            batch: if self.format == Some(Format::Graph) { BatchSize::Whole } else { BatchSize::Rows(32) },
            shuffle: true,
            drop_last: false,
            prefetch: 2,
            order: None,
            models: Vec::new(),
            layout: self.layout(),
            broken: false,
        };
        let drop_last = settings
            .iter()
            .find(|(name, _)| name.name.as_str() == "drop_last")
            .map(|(name, value)| (name.span, value.span));
        for (name, value) in settings {
            self.setting(name, value, &mut spec);
        }
        if let (Some((span, value)), BatchSize::Tokens(_), true) = (drop_last, spec.batch, spec.drop_last) {
            self.diagnostics.push(texts::no_small_batch(span, span.to(value)));
        }
        self.check_windows();
        self.header_of_source(&mut spec);
        self.cut_of_source(&mut spec);
        self.asked_of_texts();
        let silent = data.entries.iter().any(|entry| matches!(entry, Entry::Error(_)))
            || self.nodes.iter().any(|node| node.kind == NodeKind::Error);
        spec.broken = silent || spec.source.is_none() || !self.diagnostics.is_empty();
        spec.nodes = self.nodes;
        spec.entries = self.entries;
        spec.models = self.models;
        (spec, self.diagnostics)
    }

    /// How many nodes there are.
    pub fn count(&self) -> usize {
        self.nodes.len()
    }

    pub fn error_count(&self) -> usize {
        self.diagnostics.iter().count()
    }

    fn collect_names(&mut self, data: &ast::Data) {
        for entry in &data.entries {
            for name in entry.names() {
                self.defined.entry(name.name).or_insert(name.span);
            }
        }
    }

    fn binding(&mut self, binding: &ast::Let) {
        match &binding.target {
            Target::Names(names) if names.len() == 1 => {
                if self.constants.number(&binding.value).is_some() {
                    let moved = self.as_constant(names[0], &binding.value);
                    self.diagnostics.push(data::constant_among_columns(binding.value.span, moved));
                    let node = self.error(binding.value.span);
                    self.define(names[0], node);
                    return;
                }
                let node = self.owned(names[0], &binding.value);
                self.define(names[0], node);
            }
            Target::Names(names) | Target::Fields(names) => {
                for (name, node) in self.several(names, &binding.value) {
                    self.define(name, node);
                }
            }
        }
    }

    fn entry(&mut self, name: Ident, value: &Expr) {
        if let Some(error) = self.misspelt_setting(name, value) {
            self.diagnostics.push(error);
            // What is told of it is not told of its users.
            let node = self.error(value.span);
            self.known.entry(name.name).or_insert(node);
            return;
        }
        let node = self.owned(name, value);
        let node = self.stacked(node);
        let node = self.finished(node, value.span);
        if self.define(name, node) {
            self.entries.push(EntrySpec { name, node });
        }
    }

    pub fn known_name(&self, word: &str) -> bool {
        self.known.contains_key(&Symbol::new(word))
    }

    /// Reads the value of a name, under which its statistics are kept.
    fn owned(&mut self, name: Ident, value: &Expr) -> NodeId {
        self.owner = name.name;
        self.stages = 0;
        let node = self.value(value, None);
        if self.gives(node) == Gives::Constant {
            self.not_a_column(value);
            return self.error(value.span);
        }
        node
    }

    pub fn define(&mut self, name: Ident, node: NodeId) -> bool {
        if self.known.contains_key(&name.name) {
            let first = self.defined.get(&name.name).copied().unwrap_or(name.span);
            let other = self.free_name(name.name);
            self.diagnostics.push(data::name_twice(name.span, name.name.as_str(), first, &other));
            return false;
        }
        self.known.insert(name.name, node);
        true
    }

    /// The node of a `let` or a column, for the settings.
    pub fn lookup(&self, name: Symbol) -> Option<NodeId> {
        self.known.get(&name).copied()
    }

    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    pub fn push(&mut self, kind: NodeKind, span: Span) -> NodeId {
        self.gives.push(Gives::of(&kind, self.format, |operand| self.gives(operand)));
        let piped = self.piped.filter(|_| matches!(kind, NodeKind::Apply(..)));
        self.nodes.push(Node { kind, span, piped });
        NodeId(self.nodes.len() - 1)
    }

    pub fn error(&mut self, span: Span) -> NodeId {
        self.push(NodeKind::Error, span)
    }

    pub fn fail(&mut self, span: Span, diagnostic: Diagnostic) -> NodeId {
        self.diagnostics.push(diagnostic);
        self.error(span)
    }

    /// The name of the next place that keeps something of its own: statistics, or random numbers.
    pub fn place(&mut self, word: &str) -> String {
        self.stages += 1;
        format!("{}.{}.{word}", self.owner, self.stages)
    }

    pub fn constant(&self, id: NodeId) -> Option<f64> {
        match self.node(id).kind {
            NodeKind::Number(value) => Some(value),
            _ => None,
        }
    }

    pub fn gives(&self, id: NodeId) -> Gives {
        self.gives[id.0]
    }

    /// A column expression; `hole` is what `_` stands for.
    pub fn value(&mut self, expr: &Expr, hole: Option<NodeId>) -> NodeId {
        let span = expr.span;
        match &expr.kind {
            ExprKind::Number(number) if number.unit.is_none() => self.push(NodeKind::Number(number.value), span),
            ExprKind::Name(name) => self.name(*name, span),
            ExprKind::Hole => match hole {
                Some(value) => value,
                None => self.fail(span, data::not_a_column(span, None)),
            },
            ExprKind::Unary(UnaryOp::Neg, operand) => {
                let written = written(operand, true);
                let operand = self.value(operand, hole);
                match self.constant(operand) {
                    Some(value) => self.push(NodeKind::Number(-value), span),
                    None if self.numeric(operand, span, written) => self.push(NodeKind::Neg(operand), span),
                    None => self.error(span),
                }
            }
            ExprKind::Chain(first, rest) => {
                if let [(op @ (BinaryOp::Eq | BinaryOp::Ne), _, right)] = rest.as_slice()
                    && let Some((column, text)) = self.compared(first, right, hole)
                {
                    return match self.gives(column) {
                        Gives::Cells => self.push(NodeKind::Is(column, text, *op == BinaryOp::Eq), span),
                        Gives::Error => self.error(span),
                        _ => {
                            let (words, column) = match self.constants.text(right) {
                                Some(_) => (right.span, first.span),
                                None => (first.span, right.span),
                            };
                            self.fail(span, table::not_words(column, &text, words))
                        }
                    };
                }
                let mut left = self.value(first, hole);
                for (op, op_span, operand) in rest {
                    let right = self.value(operand, hole);
                    let Some(op) = arith(*op) else {
                        left = self.fail(span, data::unsupported(*op_span, "this operation between columns"));
                        continue;
                    };
                    left = match (self.constant(left), self.constant(right)) {
                        (Some(a), Some(b)) => self.push(NodeKind::Number(op.eval(a, b)), span),
                        (None, None) if [left, right].iter().any(|side| self.gives(*side) == Gives::Pictures) => {
                            self.fail(span, images::picture_arithmetic(span))
                        }
                        _ if self.numeric(left, first.span, written(first, true))
                            & self.numeric(right, operand.span, written(operand, true)) =>
                        {
                            self.push(NodeKind::Arith(op, left, right), span)
                        }
                        _ => self.error(span),
                    };
                }
                left
            }
            ExprKind::Pipe(stages) => {
                let Some(first) = stages.first() else { return self.error(span) };
                let outer = self.piped.take();
                let mut value = self.value(first, hole);
                for (before, stage) in stages.iter().zip(&stages[1..]) {
                    self.piped = Some(before.span);
                    value = self.stage(stage, value);
                }
                self.piped = outer;
                value
            }
            ExprKind::Call(..) | ExprKind::Index(..) => self.call(expr, hole),
            ExprKind::Record(fields) => self.record(fields, hole, span),
            ExprKind::Field(of, name) => match self.random(expr) {
                Some(node) => node,
                None => self.field(of, *name, span),
            },
            ExprKind::If(..) => self.fail(span, data::unsupported(span, "`if` between columns")),
            ExprKind::Unary(UnaryOp::Not, operand) => {
                let written = written(operand, true);
                let operand = self.value(operand, hole);
                self.function(Function::Not, operand, (span, written))
            }
            ExprKind::Number(_)
            | ExprKind::Bool(_)
            | ExprKind::Str(_)
            | ExprKind::Range(..)
            | ExprKind::Stack { .. }
            | ExprKind::Scan(_)
            | ExprKind::Remat(_)
            | ExprKind::Param(_)
            | ExprKind::List(_)
            | ExprKind::Block(_) => {
                self.not_a_column(expr);
                self.error(span)
            }
            ExprKind::Error => self.error(span),
        }
    }

    fn name(&mut self, name: Symbol, span: Span) -> NodeId {
        if let Some(node) = self.lookup(name) {
            return node;
        }
        if !self.defined.contains_key(&name) {
            match (self.constants.of)(name) {
                Some(Constant::Number(value)) => return self.push(NodeKind::Number(value), span),
                Some(Constant::Bool(_) | Constant::Text(_)) => return self.fail(span, data::not_a_column(span, None)),
                None => {}
            }
        }
        let call = Call::alone(name.as_str(), span);
        if self.cuts_the_source(&call) {
            let input = self.of_source(names::TEXT, span);
            return self.transform(&call, input);
        }
        if let Some(column) = self.source_name(&call) {
            let input = self.of_source(column, span);
            return if call.word == column { input } else { self.transform(&call, input) };
        }
        if name.as_str() == names::ROWS {
            let place = self.place(names::ROWS);
            return self.push(NodeKind::Rows(place), span);
        }
        self.unknown_name(span, name, true);
        self.error(span)
    }

    /// A column that the source has by itself.
    fn of_source(&mut self, name: &str, span: Span) -> NodeId {
        let name = Selector { first: name.to_owned(), last: None, table: self.table, span };
        self.push(NodeKind::Column(Columns { names: vec![name], single: true, axes: Vec::new(), brackets: None }), span)
    }

    /// Whether nothing is done yet to what the file has.
    pub fn is_file(&self, id: NodeId) -> bool {
        match self.node(id).kind {
            NodeKind::Column(_) => true,
            NodeKind::Beside(of, _) => self.is_file(of),
            _ => false,
        }
    }

    /// Whether arithmetic can take the node; silent on what is reported already. `written` is the operand as it stands
    /// there.
    pub fn numeric(&mut self, id: NodeId, span: Span, written: Option<Written>) -> bool {
        // A step behind the last of a pipe goes before what is done with it.
        let last = self.node(id).span;
        let is_in = |written: &Written| written.span.holds(last) && written.span != last;
        let step = match written.filter(|written| !is_in(written)) {
            None => Behind { span: last, brackets: false },
            Some(Written { span, in_chain }) => Behind { span, brackets: in_chain },
        };
        match self.gives(id) {
            Gives::Classes => {
                self.diagnostics.push(data::index_arithmetic(span, step));
                false
            }
            gives @ (Gives::Words | Gives::Sets) => {
                let (value, has) = (self.node(id).span, self.has(id));
                let told = data::transform_mismatch(span, "arithmetic", "numbers", value, has);
                self.diagnostics.push(match gives {
                    Gives::Words => data::numbers_of_words(told, "one_hot", step),
                    _ => data::numbers_of_words(told, "multi_hot", step),
                });
                false
            }
            Gives::Error => false,
            Gives::Windows
            | Gives::Record
            | Gives::Texts
            | Gives::Padded
            | Gives::Truths
            | Gives::Masks
            | Gives::Boxes
            | Gives::Kinds => {
                let (value, has) = (self.node(id).span, self.has(id));
                self.diagnostics.push(data::transform_mismatch(span, "arithmetic", "numbers", value, has));
                false
            }
            Gives::Constant | Gives::Cells | Gives::Numbers | Gives::Pictures => true,
        }
    }

    /// `column("a")`, or a transform in the form of a call: `log1p(column("a"))`.
    fn call(&mut self, expr: &Expr, hole: Option<NodeId>) -> NodeId {
        let span = expr.span;
        if let Some(node) = self.random(expr).or_else(|| self.of_table(expr)) {
            return node;
        }
        let Some(call) = Call::of(expr) else {
            return self.fail(span, data::not_a_column(span, None));
        };
        let word = call.word;
        match word {
            names::POSITIONS => return self.positions(&call),
            names::CROSS => return self.cross(&call, hole),
            _ if names::OF_TEXTS.contains(&word) => return self.of_texts(&call, hole),
            names::SIBLING => return self.sibling(&call, hole),
            _ => {}
        }
        if self.cuts_the_source(&call) {
            let input = self.of_source(names::TEXT, span);
            return self.transform(&call, input);
        }
        if let Some(column) = self.source_name(&call).filter(|column| *column != word) {
            let input = self.of_source(column, span);
            return self.transform(&call, input);
        }
        if let Some(&function) = Function::WORDS.iter().find(|function| function.word() == word) {
            let wanted = format!("one column, as in `{word}(column(\"a\"))`");
            let args = Arguments::sort(&call, &[], &mut self.diagnostics);
            let Some(operand) = args.one(&wanted, &mut self.diagnostics) else { return self.error(span) };
            let written = written(operand, false);
            let operand = self.value(operand, hole);
            return self.function(function, operand, (span, written));
        }
        if names::COLUMNS.contains(&word) {
            if let Some(first) = self.tables.first() {
                return self.fail(span, table::which_table(span, word, first.as_str()));
            }
            return self.columns(&call);
        }
        if names::TRANSFORMS.contains(&word) {
            let Some((Arg::Value(input), rest)) = call.args.split_first() else {
                return self.fail(span, data::wrong_argument(span, word, "a column"));
            };
            let place = Some(input.span);
            // It is no stage itself: its column stands in the parentheses.
            let outer = self.piped.take();
            let input = self.value(input, hole);
            let node = self.transform(&Call { args: rest, input: place, ..call }, input);
            self.piped = outer;
            return node;
        }
        if self.known_name(word) {
            return self.fail(span, data::unsupported(span, "a part of a column"));
        }
        if names::CHANGES.contains(&word) {
            return self.fail(span, images::random_outside_train(span, word));
        }
        let known: Vec<&str> = names::COLUMNS.iter().chain(names::TRANSFORMS).copied().collect();
        self.fail(span, data::unknown_transform(call.word_span, word, &known))
    }

    /// What stands after `|>`.
    fn stage(&mut self, stage: &Expr, input: NodeId) -> NodeId {
        if let Some(fields) = self.fields(input) {
            let word = Call::of(stage).map_or("", |call| call.word);
            return self.each_field(fields, (word, stage.span), |reader, field| reader.stage(stage, field));
        }
        if holds_hole(stage) {
            return self.value(stage, Some(input));
        }
        if matches!(stage.kind, ExprKind::Error) {
            return self.error(stage.span);
        }
        match Call::of(stage) {
            Some(call) => match Function::WORDS.iter().find(|function| function.word() == call.word) {
                Some(function) => {
                    self.plain(&call, ());
                    self.function(*function, input, (stage.span, None))
                }
                None => self.transform(&call, input),
            },
            None => {
                let told = self.not_a_transform(stage);
                self.fail(stage.span, told)
            }
        }
    }
}

/// An operand as it is written.
#[derive(Clone, Copy)]
pub(super) struct Written {
    span: Span,
    /// Whether signs stand beside it.
    in_chain: bool,
}

/// What is written as an operand; nothing where `_` stands for what comes in.
fn written(expr: &Expr, in_chain: bool) -> Option<Written> {
    (!matches!(expr.kind, ExprKind::Hole)).then_some(Written { span: expr.span, in_chain })
}

/// Whether an expression is a function of `_`. Only what a column expression can hold is searched.
fn holds_hole(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Hole => true,
        ExprKind::Unary(_, operand) => holds_hole(operand),
        ExprKind::Chain(first, rest) => holds_hole(first) || rest.iter().any(|(_, _, operand)| holds_hole(operand)),
        ExprKind::Pipe(stages) => stages.first().is_some_and(holds_hole),
        ExprKind::Call(_, args) => args.iter().any(|arg| match arg {
            Arg::Value(value) | Arg::Set(_, value) | Arg::Axis(_, value) | Arg::Quoted(_, _, value) => {
                holds_hole(value)
            }
        }),
        _ => false,
    }
}
