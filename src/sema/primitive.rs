//! The primitives of the language: what no definition spells out.

use crate::ops::{ArgOp, Dist, MapOp, ReduceOp};

use super::dtype::DType;
use super::typed::Fun;

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
    /// `cumsum[a](x)`
    CumSum,
    /// `topk[a -> k: 2](x)`
    TopK,
    /// `sort[a](x)`
    Sort,
    /// `f32(x)`, `bf16(x)`
    Convert(DType),
    /// `pos(a)`
    Pos,
    /// `zeros[..]`, `ones[..]`, `zeros(p)`
    Filled(u8),
    /// `full[..](v)`
    Full,
    /// `count[..]`
    Count,
    /// `rank(p)`
    Rank,
    /// `total(x)`
    Total,
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
    /// `grad(y, x)`
    Grad,
    /// `freeze(layer)`
    Freeze,
    /// `ema(layer, 0.999)`
    Ema,
    /// `load("base.safetensors", layer)`
    Load,
    /// `history[t -> s](x)`
    History,
    /// `generate[t](net, ids, 200)`
    Generate,
    /// `fresh(layer)`
    Fresh,
    /// `present(ids)`, `length(ids)`
    OfTexts(OfTexts),
    /// `index[a](x)`
    Index,
    /// `random.uniform[..]`
    Random(Dist),
    /// `random.bernoulli[..](p)`
    Bernoulli,
    /// `random.index[..](a)`
    RandomIndex,
}

/// What is asked of a padded column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OfTexts {
    /// Which of its places are there.
    Present,
    /// How many of them.
    Length,
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
            "sin" => Builtin::Unary(Fun::Map(MapOp::Sin)),
            "cos" => Builtin::Unary(Fun::Map(MapOp::Cos)),
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
            "cumsum" => Builtin::CumSum,
            "topk" => Builtin::TopK,
            "sort" => Builtin::Sort,
            "f64" | "f32" | "f16" | "bf16" | "i64" | "i32" | "i8" | "u8" => Builtin::Convert(DType::parse(name)?),
            "pos" => Builtin::Pos,
            "zeros" => Builtin::Filled(0),
            "ones" => Builtin::Filled(1),
            "full" => Builtin::Full,
            "count" => Builtin::Count,
            "rank" => Builtin::Rank,
            "total" => Builtin::Total,
            "rename" => Builtin::Rename,
            "split" => Builtin::Split,
            "join" => Builtin::Join,
            "order" => Builtin::Order,
            "expand" => Builtin::Expand,
            "concat" => Builtin::Concat,
            "unstack" => Builtin::Unstack,
            "mask" => Builtin::Mask,
            "stop_gradient" => Builtin::StopGradient,
            "grad" => Builtin::Grad,
            "freeze" => Builtin::Freeze,
            "ema" => Builtin::Ema,
            "load" => Builtin::Load,
            "history" => Builtin::History,
            "generate" => Builtin::Generate,
            "fresh" => Builtin::Fresh,
            "present" => Builtin::OfTexts(OfTexts::Present),
            "length" => Builtin::OfTexts(OfTexts::Length),
            "index" => Builtin::Index,
            "random.uniform" => Builtin::Random(Dist::Uniform),
            "random.normal" => Builtin::Random(Dist::Normal),
            "random.bernoulli" => Builtin::Bernoulli,
            "random.index" => Builtin::RandomIndex,
            _ => return None,
        })
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        Builtin::NAMES.iter().find(|name| Builtin::parse(name) == Some(self)).copied().unwrap_or("this primitive")
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
        "cumsum",
        "topk",
        "sort",
        "f64",
        "f32",
        "f16",
        "bf16",
        "i64",
        "i32",
        "i8",
        "u8",
        "pos",
        "zeros",
        "ones",
        "full",
        "count",
        "rank",
        "total",
        "rename",
        "split",
        "join",
        "order",
        "expand",
        "concat",
        "unstack",
        "mask",
        "stop_gradient",
        "grad",
        "freeze",
        "ema",
        "load",
        "history",
        "generate",
        "fresh",
        "present",
        "length",
        "index",
        "random",
        "training",
        "pi",
        "inf",
    ];
}
