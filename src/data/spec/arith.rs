//! What is computed of columns number by number: functions, signs, distributions.
//!
//! Plain words with their values; which node has which is in `spec`, what they are applied to in `eval`.

use crate::base::Symbol;

use super::ClassAxis;

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
