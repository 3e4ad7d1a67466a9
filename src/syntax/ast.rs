//! The syntax tree: what was written, with its places, before any meaning.
//!
//! A mistake leaves an `Error` node where it stood, already reported; later phases stay silent on it.
//! Chains (`a + b + c`, `x |> f |> g`) are flat lists, so that long ones nest nothing.

use crate::base::{Span, Symbol};

/// A whole source file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct File {
    /// Declarations in the order written.
    pub items: Vec<Item>,
}

/// A name and where it stands.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ident {
    /// The name, primes included: `d'`.
    pub name: Symbol,
    /// Its place.
    pub span: Span,
}

impl crate::diag::name::Named for Ident {
    fn name(&self) -> Symbol {
        self.name
    }

    fn span(&self) -> Span {
        self.span
    }
}

/// A declaration.
#[derive(Clone, PartialEq, Debug)]
pub enum Item {
    /// `use "blocks.model" as blocks`
    Use(Use),
    /// `let units = 64`
    Let(Let),
    /// `layer Dense[i](out: axis(i))(x: [.., i]) -> [.., out] { … }` and its kin.
    Def(Def),
    /// `data Iris = csv("iris.csv") { … }`
    Data(Data),
    /// `train Net on Iris { … }`
    Train(Train),
    /// `search Net on Iris { … }`
    Search(Search),
    /// Text that is no declaration; reported.
    Error(Span),
}

/// `use "blocks.model" as blocks`
#[derive(Clone, PartialEq, Debug)]
pub struct Use {
    /// The path between the quotes.
    pub path: String,
    /// Its place, quotes included.
    pub path_span: Span,
    /// `as name`
    pub alias: Option<Ident>,
    /// The whole.
    pub span: Span,
}

/// `let y = x * 2`, `let a, b = unstack[k](z)`, `let { age, sex } = Multi(x)`
#[derive(Clone, PartialEq, Debug)]
pub struct Let {
    /// What is bound.
    pub target: Target,
    /// The value.
    pub value: Expr,
    /// `## …` above it.
    pub doc: Option<String>,
    /// The whole.
    pub span: Span,
}

/// The left side of a `let`.
#[derive(Clone, PartialEq, Debug)]
pub enum Target {
    /// `a` or `a, b`
    Names(Vec<Ident>),
    /// `{ a, b }`: fields of a record.
    Fields(Vec<Ident>),
}

/// Which word began a definition.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "each is its keyword")]
pub enum DefKind {
    Model,
    Layer,
    Fn,
    Loss,
    Metric,
    Optimizer,
    Schedule,
}

/// A definition of any kind.
#[derive(Clone, PartialEq, Debug)]
pub struct Def {
    /// Its keyword.
    pub kind: DefKind,
    /// Its name.
    pub name: Ident,
    /// Axis parameters: `fn softmax[a](…)`.
    pub axes: Vec<Ident>,
    /// The first of two lists: `(config)(inputs)`. With one list it is the inputs.
    pub config: Option<Vec<Param>>,
    /// The last list.
    pub inputs: Vec<Param>,
    /// After `->`.
    pub result: Option<Type>,
    /// The last part of the head before the facts: the result, or the inputs. A `where` stands behind it.
    pub head: Span,
    /// After `where`.
    pub facts: Vec<Expr>,
    /// `= expr` is a block without statements.
    pub body: Block,
    /// `grad(dy) { … }`
    pub grad: Option<GradClause>,
    /// `## …` above it.
    pub doc: Option<String>,
    /// From the keyword to the end.
    pub span: Span,
}

/// `grad(dy) { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct GradClause {
    /// The name of the incoming gradient.
    pub dy: Ident,
    /// The gradient by the one input, or a record of one for each.
    pub body: Block,
    /// The whole.
    pub span: Span,
}

/// A parameter of a definition: `out: axis(i)`, `act = id`, `x: [.., i]`.
#[derive(Clone, PartialEq, Debug)]
pub struct Param {
    /// Its name.
    pub name: Ident,
    /// After `:`.
    pub ty: Option<Type>,
    /// After `=`.
    pub default: Option<Expr>,
    /// The whole.
    pub span: Span,
}

/// A written type.
#[derive(Clone, PartialEq, Debug)]
pub struct Type {
    /// Which.
    pub kind: TypeKind,
    /// Its place.
    pub span: Span,
}

/// The forms of a written type.
#[derive(Clone, PartialEq, Debug)]
pub enum TypeKind {
    /// `[batch, d]`, `logit[batch, class]`, `bf16[..]`, `index(vocab)[batch, t]`
    Tensor {
        /// A dtype or a kind before the bracket.
        prefix: Option<Ident>,
        /// `(vocab)` of `index(vocab)`.
        of: Option<Ident>,
        /// Between the brackets.
        axes: Vec<AxisDecl>,
    },
    /// `int`, `axis`, …: a type without brackets.
    Named(Ident),
    /// `axis(i)`, `index(vocab)`: the word and what stands in parentheses.
    Of(Ident, Ident),
    /// `{ logits: logit[..], h: [..] }`
    Record(Vec<(Ident, Type)>),
    /// Reported.
    Error,
}

/// One place between the brackets of a type.
#[derive(Clone, PartialEq, Debug)]
pub enum AxisDecl {
    /// `..`
    Row(Span),
    /// `h: 28` or `h`
    Axis {
        /// The name of the axis.
        name: Ident,
        /// Its size, when given.
        size: Option<Expr>,
    },
}

/// `{ statements… value }`
#[derive(Clone, PartialEq, Debug)]
pub struct Block {
    /// In order.
    pub stmts: Vec<Stmt>,
    /// The value; an `Error` expression when it is missing (reported).
    pub value: Box<Expr>,
    /// Braces included; of the expression alone for `= expr`.
    pub span: Span,
}

/// A statement of a block.
#[derive(Clone, PartialEq, Debug)]
pub enum Stmt {
    /// `let y = …`
    Let(Let),
    /// `state mu[c] = 0, var[c] = 1`
    State(Vec<StateVar>),
    /// `param w[i, out] ~ glorot[i -> out]`
    Param(ParamDef),
    /// `penalty l2 = sum(w^2)`
    Penalty {
        /// The name it is reported under.
        name: Ident,
        /// A scalar.
        value: Expr,
    },
    /// `mu := 0.9 * mu + 0.1 * m`
    Assign {
        /// A state or a carry.
        name: Ident,
        /// Its new value.
        value: Expr,
    },
    /// Reported.
    Error(Span),
}

/// One variable of a `state` statement.
#[derive(Clone, PartialEq, Debug)]
pub struct StateVar {
    /// Its name.
    pub name: Ident,
    /// The dtype before its axes.
    pub dtype: Option<Ident>,
    /// `[c]`; none when the initial value has the axes.
    pub axes: Option<Vec<AxisDecl>>,
    /// After `=`.
    pub init: Expr,
    /// The whole statement, from `state` on.
    pub statement: Span,
}

/// `param w[i, out] ~ glorot[i -> out]`; the name is optional only under a `let`.
#[derive(Clone, PartialEq, Debug)]
pub struct ParamDef {
    /// Its name.
    pub name: Option<Ident>,
    /// The dtype before its axes.
    pub dtype: Option<Ident>,
    /// Its axes.
    pub axes: Vec<AxisDecl>,
    /// After `~`.
    pub init: Box<Expr>,
    /// From `param` on.
    pub span: Span,
}

/// `data Iris = csv("iris.csv") { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Data {
    /// Its name.
    pub name: Ident,
    /// The source and its table steps.
    pub source: Expr,
    /// `let`s and settings in the order written: `x = columns(…)`, `split = …`, `batch = 32`.
    pub entries: Vec<Entry>,
    /// `## …` above it.
    pub doc: Option<String>,
    /// The whole.
    pub span: Span,
}

/// A line of a section.
#[derive(Clone, PartialEq, Debug)]
pub enum Entry {
    /// `let fake = …`
    Let(Let),
    /// `epochs = 50`
    Setting(Setting),
    /// `update Disc { … }`; only in `train`.
    Update(Update),
    /// `units in [32, 64]`; only in `search`.
    Varied {
        /// The constant that varies.
        name: Vec<Ident>,
        /// What it takes.
        over: Expr,
    },
    /// Reported.
    Error(Span),
}

impl Entry {
    /// The names that it gives.
    pub fn names(&self) -> &[Ident] {
        match self {
            Entry::Let(binding) => match &binding.target {
                Target::Names(names) | Target::Fields(names) => names,
            },
            Entry::Setting(setting) => &setting.names,
            Entry::Update(_) | Entry::Varied { .. } | Entry::Error(_) => &[],
        }
    }

    /// What these names have as their value, and the whole line.
    pub fn value(&self) -> Option<(&Expr, Span)> {
        match self {
            Entry::Let(binding) => Some((&binding.value, binding.span)),
            Entry::Setting(setting) => Some((&setting.value, setting.span)),
            Entry::Update(_) | Entry::Varied { .. } | Entry::Error(_) => None,
        }
    }
}

/// `img, label = …` or `epochs = 50`
#[derive(Clone, PartialEq, Debug)]
pub struct Setting {
    /// One name, or several for a record of columns.
    pub names: Vec<Ident>,
    /// The value.
    pub value: Expr,
    /// The whole.
    pub span: Span,
}

/// `train Net on Iris { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Train {
    /// `Net` or `S = GPT(depth = 6)`
    pub models: Vec<Made>,
    /// The data it names.
    pub data: Ident,
    /// Lets, settings and updates.
    pub entries: Vec<Entry>,
    /// `## …` above it.
    pub doc: Option<String>,
    /// The whole.
    pub span: Span,
}

/// An instance named in the head of `train`.
#[derive(Clone, PartialEq, Debug)]
pub struct Made {
    /// `S` of `S = GPT(depth = 6)`.
    pub name: Option<Ident>,
    /// A model name or a call that makes one.
    pub value: Expr,
}

impl Train {
    /// Whether the section has a setting of this name.
    pub fn sets(&self, name: &str) -> bool {
        let sets = |entry: &Entry| match entry {
            Entry::Setting(setting) => setting.names.iter().any(|ident| ident.name.as_str() == name),
            Entry::Let(_) | Entry::Update(_) | Entry::Varied { .. } | Entry::Error(_) => false,
        };
        self.entries.iter().any(sets)
    }
}

impl Train {
    /// The value of a setting of the section.
    pub fn setting(&self, name: Symbol) -> Option<&Expr> {
        setting(&self.entries, name)
    }
}

impl Data {
    /// The value of a setting, or of a column.
    pub fn setting(&self, name: Symbol) -> Option<&Expr> {
        setting(&self.entries, name)
    }
}

fn setting(entries: &[Entry], name: Symbol) -> Option<&Expr> {
    entries.iter().find_map(|entry| match entry {
        Entry::Setting(setting) if setting.names.iter().any(|ident| ident.name == name) => Some(&setting.value),
        _ => None,
    })
}

impl Made {
    /// The whole, with its name.
    pub fn span(&self) -> Span {
        self.name.map_or(self.value.span, |name| name.span.to(self.value.span))
    }

    /// The name it has in the section: as written, else that of the model.
    pub fn bound(&self) -> Option<Symbol> {
        match (&self.name, &self.value.kind) {
            (Some(ident), _) => Some(ident.name),
            (None, ExprKind::Name(name)) => Some(*name),
            (None, ExprKind::Field(_, field)) => Some(field.name),
            (None, ExprKind::Call(callee, _)) => match &callee.kind {
                ExprKind::Name(name) => Some(*name),
                ExprKind::Field(_, field) => Some(field.name),
                _ => None,
            },
            _ => None,
        }
    }
}

/// `update Disc { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Update {
    /// Names or globs over parameter paths.
    pub targets: Vec<UpdateTarget>,
    /// Settings.
    pub entries: Vec<Entry>,
    /// The whole.
    pub span: Span,
}

/// What an `update` names.
#[derive(Clone, PartialEq, Debug)]
pub enum UpdateTarget {
    /// `Disc`, `Net.body`
    Path(Vec<Ident>),
    /// `"**.bias"`
    Glob(String, Span),
}

/// `search Net on Iris { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Search {
    /// The model.
    pub model: Expr,
    /// The data it names.
    pub data: Ident,
    /// Varied names and settings.
    pub entries: Vec<Entry>,
    /// The whole.
    pub span: Span,
}

/// An expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// Which.
    pub kind: ExprKind,
    /// Its place.
    pub span: Span,
}

/// The forms of an expression.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// `64`, `1e-3`, `70%`, `50 epochs`
    Number(Number),
    /// `true`
    Bool(bool),
    /// `"iris.csv"`, escapes resolved.
    Str(String),
    /// `_`
    Hole,
    /// `x`
    Name(Symbol),
    /// `-x`, `not x`
    Unary(UnaryOp, Box<Expr>),
    /// `a + b - c`: operators of one precedence, left to right. `^` associates to the right and
    /// comparisons do not chain: both come as one operator.
    Chain(Box<Expr>, Vec<(BinaryOp, Span, Expr)>),
    /// `1..`, `..n`, `0..4`
    Range(Option<Box<Expr>>, Option<Box<Expr>>),
    /// `x |> f |> g`: at least two stages.
    Pipe(Vec<Expr>),
    /// `f(x, act = relu)`
    Call(Box<Expr>, Vec<Arg>),
    /// `x[t = 0]`, `sum[a, b]`, `split[d -> head: 8, e]`
    Index(Box<Expr>, Brackets),
    /// `valid.loss`
    Field(Box<Expr>, Ident),
    /// `if c { a } else { b }`; an `else if` is a block that holds an `if` alone.
    If(Box<Expr>, Block, Block),
    /// `stack i in 0..4 { … }`, `stack 6 { … }`
    Stack {
        /// `i`
        var: Option<Ident>,
        /// `0..4`, `6`, `[400, 200]`
        over: Box<Expr>,
        /// What repeats.
        body: Block,
    },
    /// `scan t from h = zeros[.., out] { … }`
    Scan(Box<Scan>),
    /// `remat { … }`
    Remat(Block),
    /// `param b[out] ~ zeros` inside an expression.
    Param(ParamDef),
    /// `{ mae: …, acc: … }`
    Record(Vec<(Ident, Expr)>),
    /// `[32, 64]`
    List(Vec<Expr>),
    /// `{ let y = …  y }`
    Block(Block),
    /// Reported.
    Error,
}

/// A number as written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Number {
    /// Its value; `70%` is 0.7.
    pub value: f64,
    /// Written without point, exponent and `%`, and exact in i64.
    pub is_int: bool,
    /// Written with `%`.
    pub is_percent: bool,
    /// The unit after it.
    pub unit: Option<Unit>,
}

/// `50 epochs`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is its word")]
pub enum Unit {
    Epochs,
    Steps,
    Seconds,
    Minutes,
    Hours,
    Degrees,
}

/// `-`, `not`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is its sign")]
pub enum UnaryOp {
    Neg,
    Not,
}

/// `+ - * / // % ^ < <= == != >= > and or divides`
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "each is its sign")]
pub enum BinaryOp {
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
    Divides,
}

impl BinaryOp {
    /// The operator as written.
    pub fn sign(self) -> &'static str {
        match self {
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::FloorDiv => "//",
            BinaryOp::Mod => "%",
            BinaryOp::Pow => "^",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Ge => ">=",
            BinaryOp::Gt => ">",
            BinaryOp::And => "and",
            BinaryOp::Or => "or",
            BinaryOp::Divides => "divides",
        }
    }
}

/// An argument of a call.
#[derive(Clone, PartialEq, Debug)]
pub enum Arg {
    /// `x`
    Value(Expr),
    /// `act = relu`
    Set(Ident, Expr),
    /// `class: 3`: an axis with its size.
    Axis(Ident, Expr),
    /// `"h.*.w": "layers.{i}.w"`
    Quoted(String, Span, Expr),
}

impl Arg {
    /// The place of its value.
    pub fn span(&self) -> Span {
        match self {
            Arg::Value(value) | Arg::Set(_, value) | Arg::Axis(_, value) | Arg::Quoted(_, _, value) => value.span,
        }
    }
}

/// What stands in brackets after an expression: `a, b` or `d -> head: 8, e`.
#[derive(Clone, PartialEq, Debug)]
pub struct Brackets {
    /// Before `->`, or all.
    pub from: Vec<Ix>,
    /// After `->`.
    pub to: Option<Vec<Ix>>,
    /// Brackets included.
    pub span: Span,
}

/// One place in such brackets.
#[derive(Clone, PartialEq, Debug)]
pub enum Ix {
    /// `..`
    Row(Span),
    /// `t`, `ki`, `32`: an axis alone, or a value.
    Value(Expr),
    /// `t = 0`, `vocab = ids`, `fill = 0`
    Set(Ident, Expr),
    /// `head: 8`, `node: n = dst`
    Axis(Ident, Expr, Option<Expr>),
}

impl Ix {
    /// The axis that it names.
    pub fn axis(&self) -> Option<Symbol> {
        match self {
            Ix::Value(Expr { kind: ExprKind::Name(name), .. }) => Some(*name),
            Ix::Axis(ident, ..) => Some(ident.name),
            Ix::Row(_) | Ix::Value(_) | Ix::Set(..) => None,
        }
    }

    /// Its place.
    pub fn span(&self) -> Span {
        match self {
            Ix::Row(span) => *span,
            Ix::Value(expr) => expr.span,
            Ix::Set(ident, value) | Ix::Axis(ident, value, _) => ident.span.to(value.span),
        }
    }
}

/// `scan t reversed from h = zeros[.., out] until c { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Scan {
    /// `t`, or `k: n` for a new axis.
    pub axis: AxisDecl,
    /// `reversed`
    pub reversed: bool,
    /// `from h = …, c = …`
    pub carries: Vec<(Ident, Expr)>,
    /// `until c`
    pub until: Option<Expr>,
    /// One iteration.
    pub body: Block,
}
