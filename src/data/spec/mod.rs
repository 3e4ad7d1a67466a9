//! What a `data` declaration says, read and checked as far as that goes without its files.
//!
//! In: `ast::Data` and the constants of the program. Out: a `Spec`: the source, a list of nodes that
//! compute the columns, the split and the settings. Files are deliberately absent: whether a column
//! exists is found when they are read.

mod arguments;
mod arith;
mod columns;
mod element;
mod features;
mod gives;
mod graphs;
mod images;
mod layout;
mod mend;
pub mod names;
mod pictures;
mod records;
mod scenes;
mod selectors;
mod series;
mod settings;
mod source;
mod steps;
mod texts;
mod transforms;

use crate::base::{Span, Symbol};
use crate::diag::Diagnostics;
use crate::syntax::ast;

pub use arith::{Arith, Draw, Function, Random};
pub use layout::Layout;
pub use pictures::{Boxes, ByChannel, Change, Decode, PictureStep};
pub use texts::{Mark, Tokens, Unit};

/// A value of the program that is known before anything runs: a top-level `let`.
#[derive(Clone, PartialEq, Debug)]
pub enum Constant {
    /// `64`, `1e-3`, `70%` as 0.7
    Number(f64),
    /// `true`
    Bool(bool),
    /// `"iris.csv"`
    Text(String),
}

/// A `data` declaration.
#[derive(Clone, PartialEq, Debug)]
pub struct Spec {
    /// `Iris`
    pub name: ast::Ident,
    /// Where the rows come from; none when that was wrong, and reported.
    pub source: Option<Source>,
    /// What computes the columns; an operand stands before its user.
    pub nodes: Vec<Node>,
    /// The columns it gives, in the order written.
    pub entries: Vec<EntrySpec>,
    /// Which rows train, validate and test.
    pub split: Split,
    /// How many rows make a batch.
    pub batch: BatchSize,
    /// Whether the training rows are put in another order each epoch.
    pub shuffle: bool,
    /// Whether a last, smaller training batch is left out.
    pub drop_last: bool,
    /// How many batches of pictures are made before they are asked for.
    pub prefetch: usize,
    /// What puts the rows of a table in order: `order = column("date")`.
    pub order: Option<Selector>,
    /// Nodes that others take their statistics from, which are fitted whether or not a column shows them.
    pub models: Vec<NodeId>,
    /// Where other words may stand than those that the files do not go with.
    pub layout: Layout,
    /// Whether anything was wrong, and reported. Then nothing can be loaded.
    pub broken: bool,
}

/// The files of the rows.
#[derive(Clone, PartialEq, Debug)]
pub struct Source {
    /// How they are read.
    pub format: Format,
    /// One for a table, an archive or a folder of pictures; one for each array; none for rows that are made.
    pub files: Vec<SourceFile>,
    /// The tables of `tables(…)`, by their axes; else none.
    pub tables: Vec<(Symbol, Source)>,
    /// What is done to the rows before anything else: `|> join(…) |> filter(…)`.
    pub steps: Vec<TableStep>,
}

/// A step on a whole table.
#[derive(Clone, PartialEq, Debug)]
pub enum TableStep {
    /// `join(csv("items.csv"), on = "item_id")`: the columns of the row with the same key.
    Join {
        /// The table whose columns are added.
        source: Box<Source>,
        /// The column that both have.
        on: Selector,
        /// Where it is written.
        span: Span,
    },
    /// `filter(column("open") == 1)`: only the rows of which it holds.
    Filter(NodeId),
}

/// How a file is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// `csv("iris.csv", sep = ";")`, `tsv("pairs.tsv")`: lines of cells, the first with names.
    Table {
        /// Between two cells; an ASCII character.
        separator: u8,
        /// Whether a cell may stand in double quotes. Those of a `tsv` may not.
        quotes: bool,
        /// Whether the first line names the columns; else they are numbered from 0.
        header: bool,
    },
    /// `jsonl("scenes.jsonl")`: an object a line.
    Json,
    /// `parquet("rows.parquet")`: a table with types.
    Parquet,
    /// `idx(images = "images.gz", labels = "labels.gz")`, `npy("x.npy")`, `npz("a.npz")`: a column an array.
    Arrays(Arrays),
    /// `images("photos", labels = folder)`: the columns `image` and `label`.
    Images {
        /// Whether the pictures lie in folders by class, which make the column `label`.
        labels: bool,
        /// Whether a folder of each part of the split lies above them: `split = by_folder`.
        parts: Option<Span>,
    },
    /// `text("shakespeare.txt")`: one long text; its rows are what it is cut into, once that is known.
    Text(Option<Unit>),
    /// `lines("wiki.txt")`: a text a line.
    Lines,
    /// `pairs(de = "train.de", en = "train.en")`: texts side by side, a line each.
    Pairs,
    /// `files("img/*.png")`: a row for each, with the column `path`.
    Files,
    /// `tables(node = csv("nodes.csv"), edge = csv("edges.csv"))`: an axis of the batch for each.
    Graph,
    /// `synthetic(1000)`: so many rows, of numbers that are made.
    Synthetic(usize),
}

impl Format {
    /// Whether it is a table of named columns, to which others may be joined.
    pub fn is_table(self) -> bool {
        matches!(self, Format::Table { .. } | Format::Json | Format::Parquet)
    }
}

/// What arrays are written in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrays {
    /// `idx(x = "x.gz")`: a file for each.
    Idx,
    /// `npy("x.npy")`, `npy(x = "1.npy", y = "2.npy")`: a file for each.
    Npy,
    /// `npz("a.npz")`: all in one archive, under their names.
    Npz,
}

impl Arrays {
    /// Its word in the language.
    pub fn word(self) -> &'static str {
        match self {
            Arrays::Idx => "idx",
            Arrays::Npy => "npy",
            Arrays::Npz => "npz",
        }
    }
}

/// A file of a source.
#[derive(Clone, PartialEq, Debug)]
pub struct SourceFile {
    /// The column it makes where each file makes one; else empty.
    pub column: String,
    /// As written, relative to the folder of the program.
    pub path: String,
    /// Where it is written; none when it came from the command line.
    pub span: Option<Span>,
}

/// A column that the declaration gives to the program.
#[derive(Clone, PartialEq, Debug)]
pub struct EntrySpec {
    /// Its name.
    pub name: ast::Ident,
    /// What computes it.
    pub node: NodeId,
}

/// A node of a `Spec`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct NodeId(pub usize);

/// One step on the way to a column.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// Which.
    pub kind: NodeKind,
    /// Where it is written.
    pub span: Span,
    /// The stage before it, where it is one of a pipe itself.
    pub piped: Option<Span>,
}

/// The steps on the way to a column.
#[derive(Clone, PartialEq, Debug)]
pub enum NodeKind {
    /// `column("y")`, `columns("i1".."i13")`, as they are in the file.
    Column(Columns),
    /// `random.normal[batch, h: 32]`
    Random(Random),
    /// `pos(batch)`, or an axis of the rows: `pos(t: 16)`
    Positions(Option<(Symbol, usize)>),
    /// `255`
    Number(f64),
    /// `-x`
    Neg(NodeId),
    /// `log(x)`, element by element.
    Function(Function, NodeId),
    /// `column("city") == "Berlin"`, or `!=`: 1 or 0.
    Is(NodeId, String, bool),
    /// `rows`: how many rows train. The name is that of its statistic.
    Rows(String),
    /// `{ a: x, b: y }`
    Record(Vec<(Symbol, NodeId)>),
    /// The fields of a record side by side, as a further axis.
    Stack(Vec<NodeId>),
    /// `cross(x, y)`: the words of several columns as one word.
    Cross(Vec<NodeId>),
    /// `present(ids)`: which places of padded texts are there.
    Present(NodeId),
    /// `length(ids)`: how many places of padded texts are there.
    Length(NodeId),
    /// `sibling(path, "mask")`: the file of the same name in another folder.
    Sibling(NodeId, String),
    /// A field of a record, and the one that it follows: a mask or boxes their picture, kinds their boxes.
    Beside(NodeId, NodeId),
    /// `x / y`, row by row.
    Arith(Arith, NodeId, NodeId),
    /// `x |> standardize`. The name is that of its statistics: `x.1.standardize`.
    Apply(String, Transform, NodeId),
    /// Reported.
    Error,
}

/// `column[h, w]("images")`, `columns[feature]("i1".."i13", "age")`
#[derive(Clone, PartialEq, Debug)]
pub struct Columns {
    /// Which.
    pub names: Vec<Selector>,
    /// `column`: the rows have no axis of columns.
    pub single: bool,
    /// Names for the axes beside the batch.
    pub axes: Vec<Symbol>,
    /// Where those stand, brackets included.
    pub brackets: Option<Span>,
}

/// What stands between the parentheses of `columns`.
#[derive(Clone, PartialEq, Debug)]
pub struct Selector {
    /// One name, or the first of a range.
    pub first: String,
    /// The last of a range, itself included.
    pub last: Option<String>,
    /// Which of several tables has it; 0 where there is one.
    pub table: usize,
    /// Its place, quotes included.
    pub span: Span,
}

/// What stands after `|>`.
#[derive(Clone, PartialEq, Debug)]
pub enum Transform {
    /// `standardize`: mean 0 and deviation 1, fitted for each column.
    Standardize,
    /// `minmax`: from 0 to 1, fitted for each column.
    Minmax,
    /// `log1p`: the logarithm of 1 + x.
    Log1p,
    /// `scale(1 / 255)`: times a factor.
    Scale(f64),
    /// `impute(median)`: a value for what is missing.
    Impute(Fill),
    /// `vocab[class]`: classes from words, in their order.
    Vocab {
        /// `class`, and its size when that was said.
        axis: Option<ClassAxis>,
        /// `unknown = own`: a further class, the last, for missing and unknown words.
        unknown: bool,
    },
    /// `index[class: 10]`: class numbers as they are.
    Index(Option<ClassAxis>),
    /// `key(node.column("id"))`: the row of another table that has this key.
    Key(Selector),
    /// `one_hot[class]`: a further axis, 1 at the class and 0 elsewhere.
    OneHot(Option<Symbol>),
    /// `window[t](24)`: rows that follow each other.
    Window(Window),
    /// `count`: how many training rows have the value.
    Count,
    /// `weights(balanced)`: for each row the weight of its class, in which all classes weigh the same.
    Balance,
    /// `hash[bucket: 1000]`: class numbers from words, without a list of them.
    Hash(ClassAxis),
    /// `words(sep = "|")`: the words of a cell.
    Words(String),
    /// `multi_hot`: 1 at each class of a set, 0 elsewhere.
    MultiHot(Option<Symbol>),
    /// `bin(5)`, `bin([18, 65])`: class numbers from numbers.
    Bin(Option<Symbol>, Bins),
    /// `clip_outliers(1%)`: nothing below or above these shares of the training rows.
    Clip(f64),
    /// `date_parts(month, weekday)`: numbers of a date.
    DateParts(Option<Symbol>, Vec<DatePart>),
    /// `chars[t, vocab]`, `words[t, vocab](most = 20_000)`, `bpe[t, vocab]("tokenizer.json")`: a number for each
    /// character, word or piece.
    Tokens(Tokens),
    /// `truncate(512)`: no more than so many.
    Truncate(usize),
    /// `pad`: as many in each row as in the longest of the batch; `pad(256)`: so many.
    Pad(Option<usize>),
    /// What is done to pictures: `resize(64, 64)`.
    Picture(PictureStep),
    /// `boxes[object, side: 4]`: lists of boxes.
    Boxes(Boxes),
    /// `pad(20)` on boxes: so many in every row.
    PadBoxes(usize),
    /// The lists in the cells of a column, one word for each box.
    Lists,
}

/// `window[t](56, at = 0, stride = 1, by = column("store"))`
#[derive(Clone, PartialEq, Debug)]
pub struct Window {
    /// The axis of its rows; none for the single row of `ahead = 1`.
    pub axis: WindowAxis,
    /// How many rows it has.
    pub rows: usize,
    /// Its first number as the program writes it, and where, unless something else repeats it.
    pub said: Option<(usize, Span)>,
    /// How many rows after that of the window it begins.
    pub at: usize,
    /// From one window to the next, where that is said.
    pub stride: Option<usize>,
    /// The column that tells series apart.
    pub by: Option<Selector>,
}

/// The axis of a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WindowAxis {
    /// `[t]`
    Named(Symbol),
    /// The model's signature names it.
    Open,
    /// There is none: one row as it is.
    None,
}

/// Where bins lie.
#[derive(Clone, PartialEq, Debug)]
pub enum Bins {
    /// So many, each with as many training rows.
    Equal(usize),
    /// A bin begins at each of these numbers, and one below them all.
    Edges(Vec<f64>),
}

/// A number of a date.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is its word")]
pub enum DatePart {
    Year,
    Month,
    Day,
    /// From 0 for Monday to 6.
    Weekday,
    /// From 1.
    Yearday,
    Hour,
    Minute,
}

impl DatePart {
    /// All of them.
    pub const ALL: &[DatePart] = &[
        DatePart::Year,
        DatePart::Month,
        DatePart::Day,
        DatePart::Weekday,
        DatePart::Yearday,
        DatePart::Hour,
        DatePart::Minute,
    ];

    /// Its word in the language.
    pub fn word(self) -> &'static str {
        match self {
            DatePart::Year => "year",
            DatePart::Month => "month",
            DatePart::Day => "day",
            DatePart::Weekday => "weekday",
            DatePart::Yearday => "yearday",
            DatePart::Hour => "hour",
            DatePart::Minute => "minute",
        }
    }
}

/// `class: 10`
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ClassAxis {
    /// Its name.
    pub name: Symbol,
    /// Its size, when it was said.
    pub size: Option<usize>,
    /// Where it is written.
    pub span: Span,
}

impl ClassAxis {
    /// Its place, and the axis with a size that is larger by one, where it has a size.
    pub fn with_one_more(self) -> Option<(Span, String)> {
        Some((self.span, format!("{}: {}", self.name, self.size? + 1)))
    }
}

/// What `impute` puts where a value is missing.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Fill {
    /// The mean of the training rows.
    Mean,
    /// The median of the training rows.
    Median,
    /// A number.
    Value(f64),
}

/// How many rows make a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchSize {
    /// `batch = 32`
    Rows(usize),
    /// `batch = whole`: all of them.
    Whole,
    /// `batch = tokens(8192)`: as many as have no more places together, those of padding counted.
    Tokens(usize),
    /// As many as the training rows suggest.
    Auto,
}

/// The least and the most rows of a batch that is sized by the data.
const AUTO: (usize, usize) = (16, 512);

impl BatchSize {
    /// The rows of `batch = auto`: the power of two next to a hundredth of the training rows, so that an epoch has about a
    /// hundred steps, within limits where steps are neither too noisy nor too few.
    pub fn auto(training: usize) -> usize {
        let hundredth = (training as f64 / 100.0).max(1.0);
        2_usize.pow(hundredth.log2().round() as u32).clamp(AUTO.0, AUTO.1)
    }
}

/// Which rows train, validate and test.
#[derive(Clone, PartialEq, Debug)]
pub struct Split {
    /// How they are chosen.
    pub kind: SplitKind,
    /// Where it is written.
    pub span: Span,
    /// Where the shares of the parts are written.
    pub shares: [Option<Span>; 3],
}

/// How rows are shared out.
#[derive(Clone, PartialEq, Debug)]
pub enum SplitKind {
    /// No `split`: every row trains.
    All,
    /// `random(train = 80%, valid = 10%, test = 10%)`
    Random(Shares),
    /// `stratified(y, …)`: every class is shared out alike.
    Stratified(Selector, Shares),
    /// `by_column("split")`: the file says it, with the words `train`, `valid`, `test`.
    ByColumn(Selector),
    /// `chronological(column("day"), …)`: the earliest train; without a column, the order of the file.
    Chronological(Option<Selector>, Shares),
    /// `group(column("user"), …)`: all rows of a group are in one part.
    Group(Selector, Shares),
    /// `folds(5, fold = 0)`: the rows in so many parts, of which one validates and the others train.
    Folds(usize, usize),
    /// `files(test = csv("t.csv"), valid = 10%)`
    Files {
        /// `valid`
        valid: Option<FilePart>,
        /// `test`
        test: Option<FilePart>,
    },
    /// `by_folder`, `by_folder(valid = 10%)`: a folder of the pictures for each part, and shares of the
    /// training folder for those that have none.
    ByFolder(Shares),
}

/// The shares of train, valid and test; together 1. A part with share 0 is absent.
pub type Shares = [f64; 3];

/// Where a part of `files(…)` comes from.
#[derive(Clone, PartialEq, Debug)]
pub enum FilePart {
    /// A share of the main file, drawn at random.
    Share(f64),
    /// All rows of another file.
    Source(Source),
}

/// The most numbers that a column may have in memory: a gigabyte.
pub const MOST_NUMBERS: usize = 1 << 28;

impl Spec {
    /// Reads a declaration. What is wrong goes to `diagnostics`, and the rest is read all the same.
    pub fn from_ast(
        data: &ast::Data,
        constants: &dyn Fn(Symbol) -> Option<Constant>,
        diagnostics: &mut Diagnostics,
    ) -> Spec {
        let (spec, found) = columns::Reader::new(data, constants).read();
        diagnostics.extend(found);
        spec
    }

    /// Whether a step stands behind what it takes, as a stage of a pipe, and not around it.
    pub fn is_stage(&self, id: NodeId) -> bool {
        let Node { kind, span, .. } = self.node(id);
        !kind.operands().any(|operand| span.holds(self.node(operand).span))
    }

    /// The node of an id of this declaration.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The nodes that `roots` are made of, in an order in which each comes after its operands.
    pub fn reachable(&self, roots: impl IntoIterator<Item = NodeId>) -> Vec<NodeId> {
        let mut needed = vec![false; self.nodes.len()];
        for root in roots {
            needed[root.0] = true;
        }
        // Operands have smaller numbers than their users, so one pass from the end finds all.
        for at in (0..self.nodes.len()).rev() {
            if needed[at] {
                for operand in self.nodes[at].kind.operands() {
                    needed[operand.0] = true;
                }
            }
        }
        (0..self.nodes.len()).filter(|&at| needed[at]).map(NodeId).collect()
    }
}

impl NodeKind {
    /// What the node is computed from.
    pub fn operands(&self) -> impl Iterator<Item = NodeId> {
        let operands = match self {
            NodeKind::Column(_)
            | NodeKind::Random(_)
            | NodeKind::Positions(_)
            | NodeKind::Number(_)
            | NodeKind::Rows(_)
            | NodeKind::Error => Vec::new(),
            NodeKind::Neg(operand)
            | NodeKind::Function(_, operand)
            | NodeKind::Is(operand, ..)
            | NodeKind::Present(operand)
            | NodeKind::Length(operand)
            | NodeKind::Sibling(operand, _)
            | NodeKind::Apply(_, _, operand) => vec![*operand],
            NodeKind::Arith(_, left, right) | NodeKind::Beside(left, right) => vec![*left, *right],
            NodeKind::Stack(operands) | NodeKind::Cross(operands) => operands.clone(),
            NodeKind::Record(fields) => fields.iter().map(|(_, field)| *field).collect(),
        };
        operands.into_iter()
    }
}

impl Transform {
    /// Its word in the language.
    pub fn word(&self) -> &'static str {
        match self {
            Transform::Standardize => "standardize",
            Transform::Minmax => "minmax",
            Transform::Log1p => "log1p",
            Transform::Scale(_) => "scale",
            Transform::Impute(_) => "impute",
            Transform::Vocab { .. } => "vocab",
            Transform::Index(_) => "index",
            Transform::Key(_) => "key",
            Transform::OneHot(_) => "one_hot",
            Transform::Window(_) => "window",
            Transform::Count => "count",
            Transform::Balance => "weights",
            Transform::Hash(_) => "hash",
            Transform::Words(_) => "words",
            Transform::MultiHot(_) => "multi_hot",
            Transform::Bin(..) => "bin",
            Transform::Clip(_) => "clip_outliers",
            Transform::DateParts(..) => "date_parts",
            Transform::Tokens(tokens) => tokens.unit.word(),
            Transform::Truncate(_) => "truncate",
            Transform::Pad(_) => "pad",
            Transform::Picture(step) => step.word(),
            Transform::Boxes(_) => names::BOXES,
            Transform::PadBoxes(_) => names::PAD,
            Transform::Lists => "lists",
        }
    }
}
