//! A function that gives its gradient itself, on sizes and numbers that are drawn.
//!
//! In: nothing. Out: plain types, which the check fills and `lower` makes graphs of. What is tried is the function
//! alone, as if its tensors of numbers were parameters and its other tensors columns.

use super::typed::{Expr, ExprId, Type};
use crate::base::{Span, Symbol};
use crate::ir::Dim;

/// A `grad(dy) { … }` behind a function.
#[derive(Clone, PartialEq, Debug)]
pub struct Clause {
    /// The name of the function.
    pub name: Symbol,
    /// The `grad(dy) { … }`.
    pub span: Span,
    /// The function on some draws of sizes, one at least; or why there are none.
    pub trials: Result<Vec<Trial>, Untried>,
}

/// Why a function cannot be tried by itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Untried {
    /// Nothing can be drawn for this parameter.
    Parameter(Symbol, Span),
    /// No draw of sizes was accepted; what the last one was told.
    Sizes(String),
    /// No tensor of numbers goes in, or none comes out.
    NothingFlows,
}

/// A function on one draw of sizes.
#[derive(Clone, PartialEq, Debug)]
pub struct Trial {
    /// All expressions.
    pub exprs: Vec<Expr>,
    /// The value, which has the gradient that the function gives.
    pub given: ExprId,
    /// The same value, whose gradient is that of the body.
    pub body: ExprId,
    /// Its tensors of numbers, by the number of the parameter that stands for each.
    pub variables: Vec<Drawn>,
    /// Its other tensors, by the number of the input.
    pub inputs: Vec<Drawn>,
    /// The names of sizes that nothing says.
    pub sizes: Vec<String>,
}

/// A tensor that a function is given.
#[derive(Clone, PartialEq, Debug)]
pub struct Drawn {
    /// `x`, or `r.a` of a record.
    pub name: String,
    /// The parameter that it is given for.
    pub span: Span,
    /// Its type.
    pub ty: Type,
    /// The names of its axes.
    pub axes: Vec<String>,
    /// For an index, how many places its axis has.
    pub below: Option<Dim>,
}
