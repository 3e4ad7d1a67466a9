//! What a `data` declaration says, read and checked as far as that goes without its files.
//!
//! In: `ast::Data` and the constants of the program. Out: a `Spec`: the source, a list of nodes that
//! compute the columns, the split and the settings. Files are deliberately absent: whether a column
//! exists is found when they are read.

mod arguments;
mod columns;
mod element;
mod images;
mod settings;
mod source;
mod transforms;

use crate::base::{Span, Symbol};
use crate::diag::Diagnostics;
use crate::syntax::ast;

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
    /// Whether anything was wrong, and reported. Then nothing can be loaded.
    pub broken: bool,
}

/// The files of the rows.
#[derive(Clone, PartialEq, Debug)]
pub struct Source {
    /// How they are read.
    pub format: Format,
    /// One for a table or a folder of pictures; one for each column of an `idx` source; none for rows that are made.
    pub files: Vec<SourceFile>,
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
    },
    /// `idx(images = "images.gz", labels = "labels.gz")`: a column a file.
    Idx,
    /// `images("photos", labels = folder)`: the columns `image` and `label`.
    Images {
        /// Whether the pictures lie in folders by class, which make the column `label`.
        labels: bool,
        /// Whether a folder of each part of the split lies above them: `split = by_folder`.
        parts: bool,
    },
    /// `synthetic(1000)`: so many rows, of numbers that are made.
    Synthetic(usize),
}

/// A file of a source.
#[derive(Clone, PartialEq, Debug)]
pub struct SourceFile {
    /// The column it makes in an `idx` source; else empty.
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
}

/// What stands between the parentheses of `columns`.
#[derive(Clone, PartialEq, Debug)]
pub struct Selector {
    /// One name, or the first of a range.
    pub first: String,
    /// The last of a range, itself included.
    pub last: Option<String>,
    /// Its place, quotes included.
    pub span: Span,
}

/// Numbers that are drawn for every row.
#[derive(Clone, PartialEq, Debug)]
pub struct Random {
    /// How.
    pub draw: Draw,
    /// The axes beside the batch, with their sizes.
    pub axes: Vec<(Symbol, usize)>,
    /// Which draw of the declaration it is: `x.1.normal`.
    pub place: String,
}

/// A distribution.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Draw {
    /// From 0 to 1, without 1.
    Uniform,
    /// Mean 0 and deviation 1.
    Normal,
    /// 1 with this chance, else 0.
    Bernoulli(f64),
    /// Positions of an axis, all alike.
    Index(ClassAxis),
}

/// A function of one number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is its word")]
pub enum Function {
    Abs,
    Cos,
    Exp,
    Floor,
    Log,
    Round,
    Sin,
    Sqrt,
    Tanh,
    Not,
}

impl Function {
    /// All but `not`, which is an operator.
    pub const WORDS: &[Function] = &[
        Function::Abs,
        Function::Cos,
        Function::Exp,
        Function::Floor,
        Function::Log,
        Function::Round,
        Function::Sin,
        Function::Sqrt,
        Function::Tanh,
    ];

    /// Its word in the language.
    pub fn word(self) -> &'static str {
        match self {
            Function::Abs => "abs",
            Function::Cos => "cos",
            Function::Exp => "exp",
            Function::Floor => "floor",
            Function::Log => "log",
            Function::Round => "round",
            Function::Sin => "sin",
            Function::Sqrt => "sqrt",
            Function::Tanh => "tanh",
            Function::Not => "not",
        }
    }

    /// Its value.
    pub fn eval(self, x: f64) -> f64 {
        match self {
            Function::Abs => x.abs(),
            Function::Cos => x.cos(),
            Function::Exp => x.exp(),
            Function::Floor => x.floor(),
            Function::Log => x.ln(),
            // Halves go to the even neighbour, as `round` in a model.
            Function::Round => x.round_ties_even(),
            Function::Sin => x.sin(),
            Function::Sqrt => x.sqrt(),
            Function::Tanh => x.tanh(),
            Function::Not if x.is_nan() => x,
            Function::Not => f64::from(x == 0.0),
        }
    }
}

/// What stands between two columns. A truth is 1 or 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is its sign")]
pub enum Arith {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    Pow,
    Lt,
    Le,
    Eq,
    Ne,
    Ge,
    Gt,
    And,
    Or,
}

impl Arith {
    /// The operation on two numbers.
    pub fn eval(self, a: f64, b: f64) -> f64 {
        match self {
            Arith::Add => a + b,
            Arith::Sub => a - b,
            Arith::Mul => a * b,
            Arith::Div => a / b,
            Arith::FloorDiv => (a / b).floor(),
            Arith::Mod => a - b * (a / b).floor(),
            Arith::Pow => a.powf(b),
            // What is not known is neither larger nor smaller.
            _ if a.is_nan() || b.is_nan() => f64::NAN,
            Arith::Lt => f64::from(a < b),
            Arith::Le => f64::from(a <= b),
            Arith::Eq => f64::from(a == b),
            Arith::Ne => f64::from(a != b),
            Arith::Ge => f64::from(a >= b),
            Arith::Gt => f64::from(a > b),
            Arith::And => f64::from(a != 0.0 && b != 0.0),
            Arith::Or => f64::from(a != 0.0 || b != 0.0),
        }
    }

    /// Whether the result has the axes of both sides: all but what adds, divides or raises.
    pub fn joins(self) -> bool {
        match self {
            Arith::Add | Arith::Sub | Arith::Div | Arith::FloorDiv | Arith::Mod | Arith::Pow => false,
            Arith::Mul | Arith::Lt | Arith::Le | Arith::Eq | Arith::Ne | Arith::Ge | Arith::Gt => true,
            Arith::And | Arith::Or => true,
        }
    }
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
    /// `one_hot[class]`: a further axis, 1 at the class and 0 elsewhere.
    OneHot(Option<Symbol>),
    /// What is done to pictures: `resize(64, 64)`.
    Picture(PictureStep),
}

/// A step on the way from the file of a picture to its numbers.
#[derive(Clone, PartialEq, Debug)]
pub enum PictureStep {
    /// `decode[h, w, c: 3]`: names for the axes, and how many channels are asked for.
    Decode(Decode),
    /// `resize(h, w)`: to these sizes, whatever the shape was.
    Resize(usize, usize),
    /// `crop(h, w)`: the middle.
    Crop(usize, usize),
    /// `grayscale`: one channel.
    Grayscale,
    /// `normalize`, `normalize(0.5, 0.2)`, `normalize([…], […])`: each channel less its mean over its
    /// deviation, as given or else fitted.
    Normalize(Option<ByChannel>),
    /// `train(flip |> rotate(15 deg))`: only on training rows while training.
    Train(Vec<Change>),
}

/// `decode[h, w, c]`
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Decode {
    /// Names for height, width and, unless the picture is grey without an axis for it, channel.
    pub axes: Vec<Symbol>,
    /// 1, 3 or 4; three when nothing is said.
    pub channels: Option<usize>,
}

/// Means and deviations, one for all channels or one for each.
#[derive(Clone, PartialEq, Debug)]
pub struct ByChannel {
    /// What is subtracted.
    pub mean: Vec<f64>,
    /// What is divided by; none is 0.
    pub deviation: Vec<f64>,
}

/// A random change to a training picture.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Change {
    /// `crop(h, w)`: any part of this size.
    Crop(usize, usize),
    /// `flip`: left to right, every second time.
    Flip,
    /// `rotate(15 deg)`: by up to this angle, in radians, either way.
    Rotate(f64),
    /// `translate(10%)`: by up to this share of height and width, each either way.
    Translate(f64),
    /// `zoom(20%)`: larger or smaller by up to this share.
    Zoom(f64),
    /// `brightness(20%)`: every number times 1 ± this share.
    Brightness(f64),
    /// `contrast(20%)`: the distance of every number from the mean of the picture times 1 ± this share.
    Contrast(f64),
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
}

/// Which rows train, validate and test.
#[derive(Clone, PartialEq, Debug)]
pub struct Split {
    /// How they are chosen.
    pub kind: SplitKind,
    /// Where it is written.
    pub span: Span,
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

/// The names a data declaration knows: the one list for reading it and for suggestions.
pub mod names {
    /// Sources that are read.
    pub const SOURCES: &[&str] = &["csv", "tsv", "idx", "images", "synthetic"];
    /// Sources of the language that are not read yet.
    pub const LATER_SOURCES: &[&str] = &["jsonl", "parquet", "npy", "npz", "text", "lines", "pairs", "tables"];
    /// Steps between a source and its braces; none is there yet.
    pub const LATER_TABLE_STEPS: &[&str] = &["join", "filter"];
    /// Transforms.
    pub const TRANSFORMS: &[&str] = &[
        "standardize",
        "minmax",
        "log1p",
        "scale",
        "impute",
        "vocab",
        "index",
        "one_hot",
        "decode",
        "resize",
        "crop",
        "grayscale",
        "normalize",
        "train",
    ];
    /// Random changes of pictures, inside of `train(…)`.
    pub const CHANGES: &[&str] = &["crop", "flip", "rotate", "translate", "zoom", "brightness", "contrast"];
    /// Transforms of the language that are not there yet.
    pub const LATER_TRANSFORMS: &[&str] = &[
        "clip_outliers",
        "multi_hot",
        "hash",
        "bin",
        "date_parts",
        "cross",
        "chars",
        "words",
        "bpe",
        "pad",
        "truncate",
        "window",
        "key",
        "like",
    ];
    /// Functions of columns of the language that are not there yet.
    pub const LATER_FUNCTIONS: &[&str] = &["present", "length", "count", "sibling"];
    /// Random numbers of a data declaration: `random.uniform[batch]`.
    pub const DRAWS: &[&str] = &["uniform", "normal", "bernoulli", "index"];
    /// Positions of rows, or along an axis.
    pub const POSITIONS: &str = "pos";
    /// What takes columns from the file.
    pub const COLUMNS: &[&str] = &["column", "columns"];
    /// Splits.
    pub const SPLITS: &[&str] = &["random", "stratified", "by_column", "by_folder", "chronological", "files"];
    /// Splits of the language that are not there yet.
    pub const LATER_SPLITS: &[&str] = &["group", "folds"];
    /// Settings.
    pub const SETTINGS: &[&str] = &["split", "batch", "shuffle", "drop_last"];
    /// Settings of the language that are not there yet.
    pub const LATER_SETTINGS: &[&str] = &["prefetch", "weights"];
    /// The columns of a folder of pictures.
    pub const IMAGE: &str = "image";
    /// The class of a picture.
    pub const LABEL: &str = "label";
    /// The parts of a split.
    pub const PARTS: &[&str] = &["train", "valid", "test"];
}

impl Spec {
    /// Reads a declaration. What is wrong goes to `diagnostics`, and the rest is read all the same.
    pub fn from_ast(
        data: &ast::Data,
        constants: &dyn Fn(Symbol) -> Option<Constant>,
        diagnostics: &mut Diagnostics,
    ) -> Spec {
        let (spec, found) = columns::Reader::new(data, constants).read(data);
        diagnostics.extend(found);
        spec
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
        let (first, second) = match self {
            NodeKind::Column(_)
            | NodeKind::Random(_)
            | NodeKind::Positions(_)
            | NodeKind::Number(_)
            | NodeKind::Error => (None, None),
            NodeKind::Neg(operand) | NodeKind::Function(_, operand) | NodeKind::Apply(_, _, operand) => {
                (Some(*operand), None)
            }
            NodeKind::Arith(_, left, right) => (Some(*left), Some(*right)),
        };
        first.into_iter().chain(second)
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
            Transform::OneHot(_) => "one_hot",
            Transform::Picture(step) => step.word(),
        }
    }
}

impl PictureStep {
    /// Its word in the language.
    pub fn word(&self) -> &'static str {
        match self {
            PictureStep::Decode(_) => "decode",
            PictureStep::Resize(..) => "resize",
            PictureStep::Crop(..) => "crop",
            PictureStep::Grayscale => "grayscale",
            PictureStep::Normalize(_) => "normalize",
            PictureStep::Train(_) => "train",
        }
    }
}
