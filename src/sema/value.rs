//! What an expression is while it is elaborated: a tensor expression, or something static.

use std::rc::Rc;

use crate::base::{Span, Symbol};
use crate::ir::Dim;
use crate::ops::{ArgOp, Dist, MapOp, ReduceOp};
use crate::syntax::ast;

use super::check::Scope;
use super::typed::{AxisId, ExprId, Fun};

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

/// The primitives of the language, by what they need.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Builtin {
    /// `exp(x)`
    Unary(Fun),
    /// `max(a, b)` of two values; of one, or with axes, a reduction.
    MinMax(MapOp, ReduceOp),
    /// `sum[a](x)`
    Reduce(Reduction),
    /// `argmax[a](x)`
    Arg(ArgOp),
    /// `logsumexp[a](x)`
    LogSumExp,
    /// `f32(x)`
    ToF32,
    /// `pos(a)`
    Pos,
    /// `zeros[..]`, `ones[..]`, `zeros(p)`
    Filled(u8),
    /// `full[..](v)`
    Full,
    /// `rename[a -> b](x)`
    Rename,
    /// `split[d -> head: 8, e](x)`
    Split,
    /// `join[head, e -> d](x)`
    Join,
    /// `order[a, b](x)`
    Order,
    /// `expand[a](x)`
    Expand,
    /// `concat[f](a, b)`
    Concat,
    /// `unstack[k](x)`
    Unstack,
    /// `mask(x, c)`
    Mask,
    /// `stop_gradient(x)`
    StopGradient,
    /// `random.uniform[..]`
    Random(Dist),
    /// `random.bernoulli[..](p)`
    Bernoulli,
}

/// What a reduction computes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reduction {
    /// A fold.
    Fold(ReduceOp),
    /// The sum over the count.
    Mean,
    /// Whether one is true.
    Any,
    /// Whether all are true.
    All,
}

impl Builtin {
    /// The primitive of a name.
    pub fn parse(name: &str) -> Option<Builtin> {
        Some(match name {
            "exp" => Builtin::Unary(Fun::Map(MapOp::Exp)),
            "log" => Builtin::Unary(Fun::Map(MapOp::Log)),
            "sqrt" => Builtin::Unary(Fun::Map(MapOp::Sqrt)),
            "tanh" => Builtin::Unary(Fun::Map(MapOp::Tanh)),
            "erf" => Builtin::Unary(Fun::Map(MapOp::Erf)),
            "abs" => Builtin::Unary(Fun::Map(MapOp::Abs)),
            "floor" => Builtin::Unary(Fun::Map(MapOp::Floor)),
            "round" => Builtin::Unary(Fun::Map(MapOp::Round)),
            "sin" => Builtin::Unary(Fun::Sin),
            "cos" => Builtin::Unary(Fun::Cos),
            "min" => Builtin::MinMax(MapOp::Min, ReduceOp::Min),
            "max" => Builtin::MinMax(MapOp::Max, ReduceOp::Max),
            "sum" => Builtin::Reduce(Reduction::Fold(ReduceOp::Sum)),
            "prod" => Builtin::Reduce(Reduction::Fold(ReduceOp::Prod)),
            "mean" => Builtin::Reduce(Reduction::Mean),
            "any" => Builtin::Reduce(Reduction::Any),
            "all" => Builtin::Reduce(Reduction::All),
            "argmax" => Builtin::Arg(ArgOp::Max),
            "argmin" => Builtin::Arg(ArgOp::Min),
            "logsumexp" => Builtin::LogSumExp,
            "f32" => Builtin::ToF32,
            "pos" => Builtin::Pos,
            "zeros" => Builtin::Filled(0),
            "ones" => Builtin::Filled(1),
            "full" => Builtin::Full,
            "rename" => Builtin::Rename,
            "split" => Builtin::Split,
            "join" => Builtin::Join,
            "order" => Builtin::Order,
            "expand" => Builtin::Expand,
            "concat" => Builtin::Concat,
            "unstack" => Builtin::Unstack,
            "mask" => Builtin::Mask,
            "stop_gradient" => Builtin::StopGradient,
            "random.uniform" => Builtin::Random(Dist::Uniform),
            "random.normal" => Builtin::Random(Dist::Normal),
            "random.bernoulli" => Builtin::Bernoulli,
            _ => return None,
        })
    }

    /// The names of all primitives, for suggestions.
    pub const NAMES: &[&str] = &[
        "exp",
        "log",
        "sqrt",
        "tanh",
        "erf",
        "abs",
        "floor",
        "round",
        "sin",
        "cos",
        "min",
        "max",
        "sum",
        "prod",
        "mean",
        "any",
        "all",
        "argmax",
        "argmin",
        "logsumexp",
        "f32",
        "pos",
        "zeros",
        "ones",
        "full",
        "rename",
        "split",
        "join",
        "order",
        "expand",
        "concat",
        "unstack",
        "mask",
        "stop_gradient",
        "random",
        "training",
        "pi",
    ];

    /// What the language has and this compiler does not yet.
    pub const LATER: &[&str] =
        &["cumsum", "topk", "sort", "history", "grad", "generate", "load", "freeze", "ema", "index", "total"];
}

impl<'a> Value<'a> {
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
