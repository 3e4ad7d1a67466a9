//! What an expression is while it is elaborated (a tensor expression, or something static) and the scope
//! it is read in: names, axes, the row of a signature, the value at `_`, the place parameters belong to.
//!
//! The two need each other: a function remembers the scope it was written in.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::base::{FileId, Span, Symbol};
use crate::ir::Dim;
use crate::syntax::ast;

use super::dtype::DType;
use super::load::Load;
use super::primitive::Builtin;
use super::typed::{Axis, AxisId, ExprId};

/// A value of the elaboration.
#[derive(Clone)]
pub enum Value<'a> {
    /// A tensor, or a scalar that is known only when it runs.
    Tensor(ExprId),
    /// A whole number; a size may be a symbol.
    Int(Dim),
    /// A number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A text.
    Str(&'a str),
    /// An axis, or `class: 3`, an axis with a size of its own.
    Axis(AxisArg),
    /// A function, not yet applied.
    Function(Rc<Function<'a>>),
    /// Named values.
    Record(Vec<(Symbol, Value<'a>)>),
    /// Values in order.
    List(Vec<Value<'a>>),
    /// `0..4`; an end may be missing.
    Range(Option<Dim>, Option<Dim>),
    /// A mistake that has been reported.
    Error,
}

/// An axis as an argument.
#[derive(Clone)]
pub struct AxisArg {
    /// Which.
    pub id: AxisId,
    /// How long it shall be.
    pub size: Dim,
    /// Where that was written.
    pub span: Span,
}

/// Something that can be applied.
#[derive(Clone)]
pub struct Function<'a> {
    /// What.
    pub callee: Callee<'a>,
    /// Axes from brackets: `softmax[s]`.
    pub brackets: Option<&'a ast::Brackets>,
    /// The scope in which the brackets mean something.
    pub scope: Option<Rc<Scope<'a>>>,
    /// Arguments already given, by configuration.
    pub config: Option<Vec<Given<'a>>>,
    /// Whether it is applied as if nothing trained: `freeze(layer)`.
    pub frozen: bool,
    /// Whether it is applied with the parameters that follow its own: `ema(layer, 0.999)`.
    pub shadow: Option<f64>,
    /// What its parameters get their first values by: `load(file, layer)`.
    pub load: Option<Rc<Load>>,
    /// Where it was written.
    pub span: Span,
}

/// An argument that was given.
#[derive(Clone)]
pub struct Given<'a> {
    /// Its name, when it was given by name.
    pub name: Option<ast::Ident>,
    /// Its value.
    pub value: Value<'a>,
    /// Where.
    pub span: Span,
}

/// The kinds of function.
#[derive(Clone)]
pub enum Callee<'a> {
    /// A definition other than a layer; of a layer, its constructor.
    Def(&'a ast::Def),
    /// A layer that has been made, with its path.
    Instance(&'a ast::Def, Rc<str>),
    /// A primitive.
    Builtin(Builtin),
    /// An expression that holds `_`.
    Hole(&'a ast::Expr),
    /// `f |> g`
    Compose(Vec<Rc<Function<'a>>>),
}

impl<'a> Function<'a> {
    /// A layer under another path, which is also where a file gives it values.
    pub fn moved(&self, def: &'a ast::Def, path: Rc<str>) -> Function<'a> {
        let load = self.load.as_ref().map(|load| Rc::new(Load { below: path.to_string(), ..(**load).clone() }));
        Function { callee: Callee::Instance(def, path), load, ..self.clone() }
    }
}

impl<'a> Value<'a> {
    /// The tensors it is made of.
    pub fn for_each_tensor(&self, visit: &mut impl FnMut(ExprId)) {
        match self {
            Value::Tensor(id) => visit(*id),
            Value::Record(fields) => fields.iter().for_each(|(_, value)| value.for_each_tensor(visit)),
            Value::List(items) => items.iter().for_each(|value| value.for_each_tensor(visit)),
            Value::Int(_)
            | Value::Float(_)
            | Value::Bool(_)
            | Value::Str(_)
            | Value::Axis(_)
            | Value::Function(_)
            | Value::Range(..)
            | Value::Error => {}
        }
    }

    /// What it is, for messages.
    pub fn describe(&self) -> &'static str {
        match self {
            Value::Tensor(_) => "a tensor",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Bool(_) => "true or false",
            Value::Str(_) => "a text",
            Value::Axis(_) => "an axis",
            Value::Function(function) => match &function.callee {
                Callee::Def(def) => match def.kind {
                    ast::DefKind::Layer | ast::DefKind::Model => "a layer",
                    ast::DefKind::Optimizer => "an optimizer",
                    ast::DefKind::Schedule => "a schedule",
                    ast::DefKind::Fn | ast::DefKind::Loss | ast::DefKind::Metric => "a function",
                },
                Callee::Instance(..) => "a layer",
                Callee::Builtin(_) | Callee::Hole(_) | Callee::Compose(_) => "a function",
            },
            Value::Record(_) => "a record",
            Value::List(_) => "a list",
            Value::Range(..) => "a range",
            Value::Error => "an error",
        }
    }

    /// Whether it is a mistake that has been reported.
    pub fn is_error(&self) -> bool {
        matches!(self, Value::Error)
    }
}

/// The scope of one body.
#[derive(Clone)]
pub struct Scope<'a> {
    /// Names by block, the innermost last.
    frames: Vec<FxHashMap<Symbol, Value<'a>>>,
    /// Axes by name.
    pub axes: FxHashMap<Symbol, AxisId>,
    /// What `..` stands for.
    pub row: Option<Vec<Axis>>,
    /// The value at `_`.
    pub hole: Option<Value<'a>>,
    /// The file the body belongs to, which says what its names mean.
    pub home: FileId,
    /// Where parameters and states made here belong.
    pub place: Place,
    /// States declared here.
    pub states: FxHashMap<Symbol, LiveState>,
    /// What the innermost `scan` carries.
    pub carries: Vec<LiveCarry>,
    /// Whose body it is.
    pub body: Body,
}

/// Whose body a scope is, which decides what may stand in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body {
    /// No body: the top level.
    Top,
    /// Of a layer or model: parameters and states.
    Layer,
    /// Of a function, loss, schedule: neither.
    Function,
    /// Of a metric: states.
    Metric,
    /// Of an optimizer: states, and the number of the step.
    Optimizer,
    /// The section of a run.
    Train,
}

/// A state variable while its body is elaborated.
#[derive(Clone)]
pub struct LiveState {
    /// Its place in the store.
    pub index: usize,
    /// Its value now.
    pub now: ExprId,
    /// Whether `:=` has been seen.
    pub written: bool,
    /// Its declaration.
    pub span: Span,
}

/// A carried name while the block of its `scan` is elaborated.
#[derive(Clone)]
pub struct LiveCarry {
    /// The name.
    pub name: Symbol,
    /// What the position before left.
    pub old: ExprId,
    /// Its value now.
    pub now: ExprId,
    /// Whether `until` has held: then it stays.
    pub holds: Option<ExprId>,
    /// Whether its first value says nothing of axes, so that it is repeated along those that a later one has.
    pub open: bool,
    /// Whether its first value is a number everywhere, which is of the float of what follows.
    pub widens: bool,
    /// What a later value has and the first one lacks.
    pub lacks: Lacks,
}

/// What a value that a loop begins with lacks of those that follow.
#[derive(Clone, Default)]
pub struct Lacks {
    /// Axes.
    pub axes: Vec<Axis>,
    /// The float that holds them, where the first one is a number everywhere.
    pub dtype: Option<DType>,
}

impl Lacks {
    /// Whether it is nothing.
    pub fn is_nothing(&self) -> bool {
        self.axes.is_empty() && self.dtype.is_none()
    }
}

/// Where parameters made in a body belong: a path, and how often each layer name occurred under it.
#[derive(Clone)]
pub struct Place {
    /// `Net.body`
    pub path: Rc<str>,
    /// `Net`: the layer whose body it is, which tells places apart that have come to the same path.
    pub root: Rc<str>,
    counts: Rc<RefCell<FxHashMap<String, u32>>>,
}

impl Place {
    /// A place whose names are all free.
    pub fn new(path: impl Into<Rc<str>>) -> Place {
        let path = path.into();
        Place { root: Rc::clone(&path), path, counts: Rc::default() }
    }

    /// The path of a name below this one; from the second use on it carries a number. Layers are given theirs by
    /// `Store::path_of`.
    pub fn child(&self, name: &str) -> String {
        let mut counts = self.counts.borrow_mut();
        let plain = self.join(name);
        let count = counts.entry(plain.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { plain } else { format!("{plain}.{}", *count - 1) }
    }

    /// A number that no block of a `stack` below this place has had.
    fn next_index(&self) -> u32 {
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(format!("{}#", self.path)).or_insert(0);
        *count += 1;
        *count - 1
    }

    /// The path of a name below this one that is not counted: a parameter, a block of a stack.
    pub fn join(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// The same place under one more name, sharing its counts.
    pub fn under(&self, name: &str) -> Place {
        Place { path: self.join(name).into(), root: Rc::clone(&self.root), counts: Rc::clone(&self.counts) }
    }

    /// The place of the next block of a `stack`, in which all names are free again.
    pub fn block(&self) -> Place {
        let path = self.join(&self.next_index().to_string()).into();
        Place { path, root: Rc::clone(&self.root), counts: Rc::default() }
    }
}

impl<'a> Scope<'a> {
    /// The scope of the top level of a file.
    pub fn top(home: FileId) -> Scope<'a> {
        Scope::new(Body::Top, home, Place::new(""))
    }

    /// An empty scope.
    pub fn new(body: Body, home: FileId, place: Place) -> Scope<'a> {
        Scope {
            frames: vec![FxHashMap::default()],
            axes: FxHashMap::default(),
            row: None,
            hole: None,
            home,
            place,
            states: FxHashMap::default(),
            carries: Vec::new(),
            body,
        }
    }

    /// Opens a block.
    pub fn enter(&mut self) {
        self.frames.push(FxHashMap::default());
    }

    /// Closes a block.
    pub fn leave(&mut self) {
        self.frames.pop();
    }

    /// Binds a name in the innermost block.
    pub fn bind(&mut self, name: Symbol, value: Value<'a>) {
        self.frames.last_mut().expect("a scope has a block").insert(name, value);
    }

    /// Gives a bound name another value.
    pub fn rebind(&mut self, name: Symbol, value: Value<'a>) {
        if let Some(bound) = self.frames.iter_mut().rev().find_map(|frame| frame.get_mut(&name)) {
            *bound = value;
        }
    }

    /// The value of a name.
    pub fn find(&self, name: Symbol) -> Option<&Value<'a>> {
        self.frames.iter().rev().find_map(|frame| frame.get(&name))
    }

    /// All names bound here, for suggestions.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let bound = self.frames.iter().flat_map(|frame| frame.keys());
        bound.chain(self.axes.keys()).map(|name| name.as_str())
    }
}
