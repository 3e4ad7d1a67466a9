//! The scalar primitives of kernels: the only list. A backend answers each of these and nothing else.
//!
//! `exp`, `log`, `tanh`, `erf` and Philox are expansions into them (`expand`), so that every backend
//! computes the same bits.

/// The type of a value in a kernel: 32 bits each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "each is its word")]
pub enum ScalarTy {
    F32,
    I32,
    /// All ones or zero.
    Mask,
}

/// Functions of one value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Un {
    /// f32
    Neg,
    /// f32
    Abs,
    /// f32
    Sqrt,
    /// f32, to the nearest, ties to even.
    Round,
    /// f32
    Floor,
    /// f32 to i32, towards zero, saturating, NaN to 0.
    F2I,
    /// i32 to f32, to the nearest.
    I2F,
    /// f32 to i32, the same bits.
    AsInt,
    /// i32 to f32, the same bits.
    AsFloat,
    /// Mask to i32: 1 or 0.
    MaskToInt,
    /// Mask.
    Not,
}

/// Functions of two values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Bin {
    /// f32
    Add,
    /// f32
    Sub,
    /// f32
    Mul,
    /// f32
    Div,
    /// f32; NaN wins, -0 is below +0.
    Min,
    /// f32; NaN wins, -0 is below +0.
    Max,
    /// i32 or mask, bit by bit.
    And,
    /// i32 or mask, bit by bit.
    Or,
    /// i32 or mask, bit by bit.
    Xor,
    /// i32; the right operand is a constant 0..=31.
    Shl,
    /// i32, filling with zeros; the right operand is a constant 0..=31.
    Shr,
    /// i32, wrapping.
    IAdd,
    /// i32, wrapping.
    ISub,
    /// i32, wrapping.
    IMul,
    /// The upper 32 bits of the unsigned product.
    MulHi,
    /// i32, signed.
    IMin,
    /// i32, signed.
    IMax,
}

/// Comparisons: of f32 (false with NaN, but for `Ne`) or of i32, signed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "each is its sign")]
pub enum Cc {
    Lt,
    Le,
    Eq,
    Ne,
}

/// How an accumulator combines, with its neutral element.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Comb {
    /// f32, from 0.
    Sum,
    /// f32, from 1.
    Prod,
    /// f32, from -∞; NaN wins.
    Max,
    /// f32, from +∞; NaN wins.
    Min,
    /// i32, from the largest.
    IMin,
}

/// The error function in f64, to 1e-16: W. J. Cody, "Rational Chebyshev approximations for the error
/// function" (1969).
pub fn erf(x: f64) -> f64 {
    let _ = x;
    unimplemented!("written with the expansions")
}
