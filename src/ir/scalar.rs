//! The scalar primitives of kernels: the only list. A backend answers each of these and nothing else.
//!
//! Each has a type and a reference value on bits, which the kernel interpreter and constant folding
//! use and every backend reproduces to the bit (but for the payload of a NaN). `exp`, `log`, `tanh`,
//! `erf`, `sin`, `cos` and Philox are expansions into them (`expand`), so that every backend computes the same bits.

pub use super::special::erf;

/// The type of a value in a kernel: 32 bits each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "each is its word")]
pub enum ScalarTy {
    F32,
    I32,
    /// All ones or zero.
    Mask,
}

/// The bits of a mask that holds, and of one that does not.
pub const MASK: [u32; 2] = [0, u32::MAX];

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

impl Un {
    /// Every one, for text and tests.
    pub const ALL: &[Un] = &[
        Un::Neg,
        Un::Abs,
        Un::Sqrt,
        Un::Round,
        Un::Floor,
        Un::F2I,
        Un::I2F,
        Un::AsInt,
        Un::AsFloat,
        Un::MaskToInt,
        Un::Not,
    ];

    /// The types of the argument and of the result.
    pub fn ty(self) -> (ScalarTy, ScalarTy) {
        match self {
            Un::Neg | Un::Abs | Un::Sqrt | Un::Round | Un::Floor => (ScalarTy::F32, ScalarTy::F32),
            Un::F2I | Un::AsInt => (ScalarTy::F32, ScalarTy::I32),
            Un::I2F | Un::AsFloat => (ScalarTy::I32, ScalarTy::F32),
            Un::MaskToInt => (ScalarTy::Mask, ScalarTy::I32),
            Un::Not => (ScalarTy::Mask, ScalarTy::Mask),
        }
    }

    /// The reference value on bits.
    pub fn eval(self, a: u32) -> u32 {
        let x = f32::from_bits(a);
        match self {
            Un::Neg => (-x).to_bits(),
            Un::Abs => x.abs().to_bits(),
            Un::Sqrt => x.sqrt().to_bits(),
            Un::Round => x.round_ties_even().to_bits(),
            Un::Floor => x.floor().to_bits(),
            Un::F2I => (x as i32) as u32,
            Un::I2F => (a as i32 as f32).to_bits(),
            Un::AsInt | Un::AsFloat => a,
            Un::MaskToInt => a & 1,
            Un::Not => !a,
        }
    }
}

impl Bin {
    /// Every one, for text and tests.
    pub const ALL: &[Bin] = &[
        Bin::Add,
        Bin::Sub,
        Bin::Mul,
        Bin::Div,
        Bin::Min,
        Bin::Max,
        Bin::And,
        Bin::Or,
        Bin::Xor,
        Bin::Shl,
        Bin::Shr,
        Bin::IAdd,
        Bin::ISub,
        Bin::IMul,
        Bin::MulHi,
        Bin::IMin,
        Bin::IMax,
    ];

    /// The type of the result, when the operands have the types it takes; both are of one type.
    pub fn ty(self, a: ScalarTy, b: ScalarTy) -> Option<ScalarTy> {
        let fits = match self {
            Bin::Add | Bin::Sub | Bin::Mul | Bin::Div | Bin::Min | Bin::Max => a == ScalarTy::F32,
            Bin::And | Bin::Or | Bin::Xor => a != ScalarTy::F32,
            Bin::Shl | Bin::Shr | Bin::IAdd | Bin::ISub | Bin::IMul | Bin::MulHi | Bin::IMin | Bin::IMax => {
                a == ScalarTy::I32
            }
        };
        (fits && a == b).then_some(a)
    }

    /// The reference value on bits.
    pub fn eval(self, a: u32, b: u32) -> u32 {
        let (x, y) = (f32::from_bits(a), f32::from_bits(b));
        let (i, j) = (a as i32, b as i32);
        match self {
            Bin::Add => (x + y).to_bits(),
            Bin::Sub => (x - y).to_bits(),
            Bin::Mul => (x * y).to_bits(),
            Bin::Div => (x / y).to_bits(),
            Bin::Min => least(x, y).to_bits(),
            // max(x, y) = -min(-x, -y), and so with the zeros.
            Bin::Max => (-least(-x, -y)).to_bits(),
            Bin::And => a & b,
            Bin::Or => a | b,
            Bin::Xor => a ^ b,
            Bin::Shl => a.wrapping_shl(b),
            Bin::Shr => a.wrapping_shr(b),
            Bin::IAdd => a.wrapping_add(b),
            Bin::ISub => a.wrapping_sub(b),
            Bin::IMul => a.wrapping_mul(b),
            Bin::MulHi => ((u64::from(a) * u64::from(b)) >> 32) as u32,
            Bin::IMin => i.min(j) as u32,
            Bin::IMax => i.max(j) as u32,
        }
    }
}

/// The smaller one; NaN wins, -0 is below +0.
fn least(x: f32, y: f32) -> f32 {
    if x.is_nan() || y.is_nan() {
        f32::NAN
    } else if x < y || (x == y && x.is_sign_negative()) {
        x
    } else {
        y
    }
}

/// `a * b + c`, rounded once, on bits.
pub fn fma(a: u32, b: u32, c: u32) -> u32 {
    f32::from_bits(a).mul_add(f32::from_bits(b), f32::from_bits(c)).to_bits()
}

impl Cc {
    /// Every one, for text and tests.
    pub const ALL: &[Cc] = &[Cc::Lt, Cc::Le, Cc::Eq, Cc::Ne];

    /// The mask for two values of a type, on bits.
    pub fn eval(self, ty: ScalarTy, a: u32, b: u32) -> u32 {
        fn holds<T: PartialOrd>(cc: Cc, a: T, b: T) -> bool {
            match cc {
                Cc::Lt => a < b,
                Cc::Le => a <= b,
                Cc::Eq => a == b,
                Cc::Ne => a != b,
            }
        }
        let truth = match ty {
            ScalarTy::F32 => holds(self, f32::from_bits(a), f32::from_bits(b)),
            ScalarTy::I32 | ScalarTy::Mask => holds(self, a as i32, b as i32),
        };
        MASK[usize::from(truth)]
    }
}

impl Comb {
    /// Every one, for text and tests.
    pub const ALL: &[Comb] = &[Comb::Sum, Comb::Prod, Comb::Max, Comb::Min, Comb::IMin];

    /// What it combines.
    pub fn ty(self) -> ScalarTy {
        match self {
            Comb::Sum | Comb::Prod | Comb::Max | Comb::Min => ScalarTy::F32,
            Comb::IMin => ScalarTy::I32,
        }
    }

    /// The function of two values that it is.
    pub fn bin(self) -> Bin {
        match self {
            Comb::Sum => Bin::Add,
            Comb::Prod => Bin::Mul,
            Comb::Max => Bin::Max,
            Comb::Min => Bin::Min,
            Comb::IMin => Bin::IMin,
        }
    }

    /// The bits it starts from: they change nothing but a -0 of a sum.
    pub fn neutral(self) -> u32 {
        match self {
            Comb::Sum => 0f32.to_bits(),
            Comb::Prod => 1f32.to_bits(),
            Comb::Max => f32::NEG_INFINITY.to_bits(),
            Comb::Min => f32::INFINITY.to_bits(),
            Comb::IMin => i32::MAX as u32,
        }
    }

    /// Both together, on bits.
    pub fn eval(self, a: u32, b: u32) -> u32 {
        self.bin().eval(a, b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(bin: Bin, x: f32, y: f32) -> f32 {
        f32::from_bits(bin.eval(x.to_bits(), y.to_bits()))
    }

    #[test]
    fn nan_wins_and_zeros_are_ordered() {
        for (x, y) in [(f32::NAN, 1.0), (1.0, f32::NAN), (f32::NAN, f32::INFINITY)] {
            assert!(float(Bin::Min, x, y).is_nan() && float(Bin::Max, x, y).is_nan());
        }
        for (x, y) in [(0.0, -0.0), (-0.0, 0.0)] {
            assert!(float(Bin::Min, x, y).is_sign_negative());
            assert!(float(Bin::Max, x, y).is_sign_positive());
        }
    }

    #[test]
    fn conversions_saturate() {
        let cut = |x: f32| Un::F2I.eval(x.to_bits()) as i32;
        assert_eq!([cut(1e20), cut(-1e20), cut(f32::NAN), cut(-1.9)], [i32::MAX, i32::MIN, 0, -1]);
    }

    #[test]
    fn neutral_elements_change_nothing() {
        let values = [f32::NEG_INFINITY, -1.5, 0.0, f32::MIN_POSITIVE / 2.0, 3.0, f32::INFINITY];
        for comb in Comb::ALL {
            for value in values {
                assert_eq!(comb.eval(comb.neutral(), value.to_bits()), value.to_bits(), "{comb:?} {value}");
            }
        }
    }
}
