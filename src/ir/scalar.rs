//! The scalar primitives of kernels: the only list. A backend answers each of these and nothing else.
//!
//! Each has a type and a reference value on bits, which the kernel interpreter and constant folding
//! use and every backend reproduces to the bit (but for the payload of a NaN). Of f32, `exp`, `log`, `tanh`,
//! `erf`, `sin`, `cos`, `pow` and Philox are expansions into them (`expand`), so that every backend computes the same
//! bits; of f64, functions are the host's, which every backend calls.

pub use super::special::erf;

/// The type of a value in a kernel. Its bits stand in a `u64`, those of 32 in the lower half and zeros above.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(missing_docs, reason = "each is its word")]
pub enum ScalarTy {
    F32,
    I32,
    /// All ones or zero, 32 of them.
    Mask,
    F64,
    /// It is stored, compared, chosen, converted, and the least of several found.
    I64,
}

impl ScalarTy {
    /// Every one, for text and tests.
    pub const ALL: &[ScalarTy] = &[ScalarTy::F32, ScalarTy::I32, ScalarTy::Mask, ScalarTy::F64, ScalarTy::I64];

    /// Whether it has 64 bits.
    pub fn is_wide(self) -> bool {
        matches!(self, ScalarTy::F64 | ScalarTy::I64)
    }

    /// Whether it is a float.
    pub fn is_float(self) -> bool {
        matches!(self, ScalarTy::F32 | ScalarTy::F64)
    }
}

/// The bits of a mask that holds not, and of one that does.
pub const MASK: [u64; 2] = [0, u32::MAX as u64];

/// Functions of one value. A float is f32 or f64, and the result is of the same type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Un {
    /// Float.
    Neg,
    /// Float.
    Abs,
    /// Float.
    Sqrt,
    /// Float, to the nearest, ties to even.
    Round,
    /// Float.
    Floor,
    /// f64, as the host has it.
    Exp,
    /// f64, as the host has it.
    Log,
    /// f64, as the host has it.
    Tanh,
    /// f64: `special::erf`.
    Erf,
    /// f64, as the host has it.
    Sin,
    /// f64, as the host has it.
    Cos,
    /// Float to i32, towards zero, saturating, NaN to 0.
    F2I,
    /// i32 to f32, to the nearest.
    I2F,
    /// f32 to f64.
    Widen,
    /// f64 to f32, to the nearest.
    Narrow,
    /// i32 to f64.
    I2D,
    /// f64 to i64, towards zero, saturating, NaN to 0.
    D2L,
    /// i64 to f64, to the nearest.
    L2D,
    /// i32 to i64.
    I2L,
    /// i64 to i32, wrapping.
    L2I,
    /// f32 to i32, the same bits.
    AsInt,
    /// i32 to f32, the same bits.
    AsFloat,
    /// f64 to i64, the same bits.
    AsI64,
    /// i64 to f64, the same bits.
    AsF64,
    /// Mask to i32: 1 or 0.
    MaskToInt,
    /// Mask.
    Not,
}

/// Functions of two values of one type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Bin {
    /// Float.
    Add,
    /// Float.
    Sub,
    /// Float.
    Mul,
    /// Float.
    Div,
    /// Float; NaN wins, -0 is below +0.
    Min,
    /// Float; NaN wins, -0 is below +0.
    Max,
    /// f64, as the host has it.
    Pow,
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
    /// i32: the upper half of the unsigned product.
    MulHi,
    /// i32 or i64, signed.
    IMin,
    /// i32, signed.
    IMax,
}

/// Comparisons: of floats (false with NaN, but for `Ne`) or of whole numbers, signed.
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
    /// Float, from 0.
    Sum,
    /// Float, from 1.
    Prod,
    /// Float, from -∞; NaN wins.
    Max,
    /// Float, from +∞; NaN wins.
    Min,
    /// i32 or i64, from the largest.
    IMin,
}

fn f32_of(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

/// The bits of an f32, as a value has them.
pub fn narrow(value: f32) -> u64 {
    u64::from(value.to_bits())
}

/// A function of floats on bits of either width.
fn float(ty: ScalarTy, a: u64, f32: fn(f32) -> f32, f64: fn(f64) -> f64) -> u64 {
    if ty == ScalarTy::F64 { f64(f64::from_bits(a)).to_bits() } else { narrow(f32(f32_of(a))) }
}

fn floats(ty: ScalarTy, a: u64, b: u64, f32: fn(f32, f32) -> f32, f64: fn(f64, f64) -> f64) -> u64 {
    match ty {
        ScalarTy::F64 => f64(f64::from_bits(a), f64::from_bits(b)).to_bits(),
        _ => narrow(f32(f32_of(a), f32_of(b))),
    }
}

impl Un {
    /// Every one, for text and tests.
    pub const ALL: &[Un] = &[
        Un::Neg,
        Un::Abs,
        Un::Sqrt,
        Un::Round,
        Un::Floor,
        Un::Exp,
        Un::Log,
        Un::Tanh,
        Un::Erf,
        Un::Sin,
        Un::Cos,
        Un::F2I,
        Un::I2F,
        Un::Widen,
        Un::Narrow,
        Un::I2D,
        Un::D2L,
        Un::L2D,
        Un::I2L,
        Un::L2I,
        Un::AsInt,
        Un::AsFloat,
        Un::AsI64,
        Un::AsF64,
        Un::MaskToInt,
        Un::Not,
    ];

    /// The type of the result, when the argument has a type that it takes.
    pub fn ty(self, a: ScalarTy) -> Option<ScalarTy> {
        use ScalarTy::{F32, F64, I32, I64, Mask};
        let (takes, gives) = match self {
            Un::Neg | Un::Abs | Un::Sqrt | Un::Round | Un::Floor => return a.is_float().then_some(a),
            Un::F2I => return a.is_float().then_some(I32),
            Un::Exp | Un::Log | Un::Tanh | Un::Erf | Un::Sin | Un::Cos => (F64, F64),
            Un::I2F | Un::AsFloat => (I32, F32),
            Un::Widen => (F32, F64),
            Un::Narrow => (F64, F32),
            Un::I2D => (I32, F64),
            Un::D2L | Un::AsI64 => (F64, I64),
            Un::L2D | Un::AsF64 => (I64, F64),
            Un::I2L => (I32, I64),
            Un::L2I => (I64, I32),
            Un::AsInt => (F32, I32),
            Un::MaskToInt => (Mask, I32),
            Un::Not => (Mask, Mask),
        };
        (a == takes).then_some(gives)
    }

    /// The reference value for an argument of a type, on bits.
    pub fn eval(self, ty: ScalarTy, a: u64) -> u64 {
        let double = f64::from_bits(a);
        match self {
            Un::Neg => float(ty, a, |x| -x, |x| -x),
            Un::Abs => float(ty, a, f32::abs, f64::abs),
            Un::Sqrt => float(ty, a, f32::sqrt, f64::sqrt),
            Un::Round => float(ty, a, f32::round_ties_even, f64::round_ties_even),
            Un::Floor => float(ty, a, f32::floor, f64::floor),
            Un::Exp => host::exp(double).to_bits(),
            Un::Log => host::log(double).to_bits(),
            Un::Tanh => host::tanh(double).to_bits(),
            Un::Erf => host::erf(double).to_bits(),
            Un::Sin => host::sin(double).to_bits(),
            Un::Cos => host::cos(double).to_bits(),
            Un::F2I if ty == ScalarTy::F64 => u64::from(double as i32 as u32),
            Un::F2I => u64::from(f32_of(a) as i32 as u32),
            Un::I2F => narrow(a as i32 as f32),
            Un::Widen => f64::from(f32_of(a)).to_bits(),
            Un::Narrow => narrow(double as f32),
            Un::I2D => f64::from(a as i32).to_bits(),
            Un::D2L => (double as i64) as u64,
            Un::L2D => (a as i64 as f64).to_bits(),
            Un::I2L => i64::from(a as i32) as u64,
            Un::L2I => u64::from(a as u32),
            Un::AsInt | Un::AsFloat | Un::AsI64 | Un::AsF64 => a,
            Un::MaskToInt => a & 1,
            Un::Not => u64::from(!(a as u32)),
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
        Bin::Pow,
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
            Bin::Add | Bin::Sub | Bin::Mul | Bin::Div | Bin::Min | Bin::Max => a.is_float(),
            Bin::Pow => a == ScalarTy::F64,
            Bin::And | Bin::Or | Bin::Xor => matches!(a, ScalarTy::I32 | ScalarTy::Mask),
            Bin::IMin => matches!(a, ScalarTy::I32 | ScalarTy::I64),
            Bin::Shl | Bin::Shr | Bin::IAdd | Bin::ISub | Bin::IMul | Bin::MulHi | Bin::IMax => a == ScalarTy::I32,
        };
        (fits && a == b).then_some(a)
    }

    /// The reference value for operands of a type, on bits.
    pub fn eval(self, ty: ScalarTy, a: u64, b: u64) -> u64 {
        let (low, other) = (a as u32, b as u32);
        let word = |word: u32| u64::from(word);
        match self {
            Bin::Add => floats(ty, a, b, |x, y| x + y, |x, y| x + y),
            Bin::Sub => floats(ty, a, b, |x, y| x - y, |x, y| x - y),
            Bin::Mul => floats(ty, a, b, |x, y| x * y, |x, y| x * y),
            Bin::Div => floats(ty, a, b, |x, y| x / y, |x, y| x / y),
            Bin::Min => floats(ty, a, b, least_f32, least_f64),
            // max(x, y) = -min(-x, -y), and so with the zeros.
            Bin::Max => floats(ty, a, b, |x, y| -least_f32(-x, -y), |x, y| -least_f64(-x, -y)),
            Bin::Pow => host::pow(f64::from_bits(a), f64::from_bits(b)).to_bits(),
            Bin::And => a & b,
            Bin::Or => a | b,
            Bin::Xor => a ^ b,
            Bin::Shl => word(low.wrapping_shl(other)),
            Bin::Shr => word(low.wrapping_shr(other)),
            Bin::IAdd => word(low.wrapping_add(other)),
            Bin::ISub => word(low.wrapping_sub(other)),
            Bin::IMul => word(low.wrapping_mul(other)),
            Bin::MulHi => (word(low) * word(other)) >> 32,
            Bin::IMin if ty == ScalarTy::I64 => (a as i64).min(b as i64) as u64,
            Bin::IMin => word((a as i32).min(b as i32) as u32),
            Bin::IMax => word((a as i32).max(b as i32) as u32),
        }
    }
}

/// The smaller one; NaN wins, -0 is below +0.
fn least_f32(x: f32, y: f32) -> f32 {
    if x.is_nan() || y.is_nan() {
        f32::NAN
    } else if x < y || (x == y && x.is_sign_negative()) {
        x
    } else {
        y
    }
}

/// The same of f64.
fn least_f64(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() {
        f64::NAN
    } else if x < y || (x == y && x.is_sign_negative()) {
        x
    } else {
        y
    }
}

/// `a * b + c` of a float type, rounded once, on bits.
pub fn fma(ty: ScalarTy, a: u64, b: u64, c: u64) -> u64 {
    match ty {
        ScalarTy::F64 => f64::from_bits(a).mul_add(f64::from_bits(b), f64::from_bits(c)).to_bits(),
        _ => narrow(f32_of(a).mul_add(f32_of(b), f32_of(c))),
    }
}

impl Cc {
    /// Every one, for text and tests.
    pub const ALL: &[Cc] = &[Cc::Lt, Cc::Le, Cc::Eq, Cc::Ne];

    /// The mask for two values of a type, on bits.
    pub fn eval(self, ty: ScalarTy, a: u64, b: u64) -> u64 {
        fn holds<T: PartialOrd>(cc: Cc, a: T, b: T) -> bool {
            match cc {
                Cc::Lt => a < b,
                Cc::Le => a <= b,
                Cc::Eq => a == b,
                Cc::Ne => a != b,
            }
        }
        let truth = match ty {
            ScalarTy::F32 => holds(self, f32_of(a), f32_of(b)),
            ScalarTy::F64 => holds(self, f64::from_bits(a), f64::from_bits(b)),
            ScalarTy::I32 | ScalarTy::Mask => holds(self, a as i32, b as i32),
            ScalarTy::I64 => holds(self, a as i64, b as i64),
        };
        MASK[usize::from(truth)]
    }
}

impl Comb {
    /// Every one, for text and tests.
    pub const ALL: &[Comb] = &[Comb::Sum, Comb::Prod, Comb::Max, Comb::Min, Comb::IMin];

    /// Whether it combines values of a type.
    pub fn takes(self, ty: ScalarTy) -> bool {
        self.bin().ty(ty, ty).is_some()
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

    /// The bits that values of a type start from: they change nothing but a -0 of a sum.
    pub fn neutral(self, ty: ScalarTy) -> u64 {
        let number = |value: f32| match ty {
            ScalarTy::F64 => f64::from(value).to_bits(),
            _ => narrow(value),
        };
        match self {
            Comb::Sum => number(0.0),
            Comb::Prod => number(1.0),
            Comb::Max => number(f32::NEG_INFINITY),
            Comb::Min => number(f32::INFINITY),
            Comb::IMin if ty == ScalarTy::I64 => i64::MAX as u64,
            Comb::IMin => i32::MAX as u64,
        }
    }

    /// Two values of a type together, on bits.
    pub fn eval(self, ty: ScalarTy, a: u64, b: u64) -> u64 {
        self.bin().eval(ty, a, b)
    }
}

/// Functions of f64 as machine code calls them: one piece of code for all backends, so that their bits agree.
pub mod host {
    /// `e^x`
    pub extern "C" fn exp(x: f64) -> f64 {
        x.exp()
    }
    /// The natural logarithm.
    pub extern "C" fn log(x: f64) -> f64 {
        x.ln()
    }
    /// The hyperbolic tangent.
    pub extern "C" fn tanh(x: f64) -> f64 {
        x.tanh()
    }
    /// The error function.
    pub extern "C" fn erf(x: f64) -> f64 {
        super::erf(x)
    }
    /// The sine.
    pub extern "C" fn sin(x: f64) -> f64 {
        x.sin()
    }
    /// The cosine.
    pub extern "C" fn cos(x: f64) -> f64 {
        x.cos()
    }
    /// `x^y`
    pub extern "C" fn pow(x: f64, y: f64) -> f64 {
        x.powf(y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(bin: Bin, x: f32, y: f32) -> f32 {
        f32_of(bin.eval(ScalarTy::F32, narrow(x), narrow(y)))
    }

    fn double(bin: Bin, x: f64, y: f64) -> f64 {
        f64::from_bits(bin.eval(ScalarTy::F64, x.to_bits(), y.to_bits()))
    }

    #[test]
    fn nan_wins_and_zeros_are_ordered() {
        for (x, y) in [(f32::NAN, 1.0), (1.0, f32::NAN), (f32::NAN, f32::INFINITY)] {
            assert!(float(Bin::Min, x, y).is_nan() && float(Bin::Max, x, y).is_nan());
            let (x, y) = (f64::from(x), f64::from(y));
            assert!(double(Bin::Min, x, y).is_nan() && double(Bin::Max, x, y).is_nan());
        }
        for (x, y) in [(0.0, -0.0), (-0.0, 0.0)] {
            assert!(float(Bin::Min, x, y).is_sign_negative());
            assert!(float(Bin::Max, x, y).is_sign_positive());
            let (x, y) = (f64::from(x), f64::from(y));
            assert!(double(Bin::Min, x, y).is_sign_negative());
            assert!(double(Bin::Max, x, y).is_sign_positive());
        }
    }

    #[test]
    fn conversions_saturate() {
        let cut = |x: f32| Un::F2I.eval(ScalarTy::F32, narrow(x)) as i32;
        assert_eq!([cut(1e20), cut(-1e20), cut(f32::NAN), cut(-1.9)], [i32::MAX, i32::MIN, 0, -1]);
        let cut = |x: f64| Un::F2I.eval(ScalarTy::F64, x.to_bits()) as i32;
        assert_eq!([cut(1e20), cut(-1e20), cut(f64::NAN), cut(-1.9)], [i32::MAX, i32::MIN, 0, -1]);
        let cut = |x: f64| Un::D2L.eval(ScalarTy::F64, x.to_bits()) as i64;
        assert_eq!([cut(1e20), cut(-1e20), cut(f64::NAN), cut(-1.9)], [i64::MAX, i64::MIN, 0, -1]);
        let wrapped = Un::L2I.eval(ScalarTy::I64, (1i64 << 32 | 7) as u64);
        assert_eq!(wrapped, 7);
        assert_eq!(Un::I2L.eval(ScalarTy::I32, u64::from(-3i32 as u32)) as i64, -3);
    }

    /// What has 32 bits leaves the upper half zero, whatever it was computed by.
    #[test]
    fn narrow_values_stay_in_the_lower_half() {
        let types = [ScalarTy::F32, ScalarTy::I32, ScalarTy::Mask];
        let bits = |ty: ScalarTy| if ty == ScalarTy::Mask { MASK.to_vec() } else { vec![0, 5, 1 << 31, 0xffff_fff0] };
        for ty in ScalarTy::ALL.iter().copied() {
            for un in Un::ALL.iter().filter(|un| un.ty(ty).is_some_and(|result| !result.is_wide())) {
                let wide = [1.5f64.to_bits(), (-1.5f64).to_bits(), u64::MAX];
                let all = if ty.is_wide() { wide.to_vec() } else { bits(ty) };
                all.iter().for_each(|a| assert_eq!(un.eval(ty, *a) >> 32, 0, "{un:?} {ty:?}"));
            }
        }
        for (ty, bin) in types.into_iter().flat_map(|ty| Bin::ALL.iter().map(move |bin| (ty, *bin))) {
            if bin.ty(ty, ty).is_some() {
                let pairs = bits(ty).into_iter().flat_map(|a| bits(ty).into_iter().map(move |b| (a, b)));
                pairs.for_each(|(a, b)| assert_eq!(bin.eval(ty, a, b) >> 32, 0, "{bin:?} {ty:?}"));
            }
        }
    }

    #[test]
    fn neutral_elements_change_nothing() {
        let values = [f32::NEG_INFINITY, -1.5, 0.0, f32::MIN_POSITIVE / 2.0, 3.0, f32::INFINITY];
        for (comb, ty) in Comb::ALL.iter().flat_map(|comb| ScalarTy::ALL.iter().map(move |ty| (comb, *ty))) {
            if !comb.takes(ty) {
                continue;
            }
            for value in values {
                let bits = if ty.is_wide() { f64::from(value).to_bits() } else { narrow(value) };
                assert_eq!(comb.eval(ty, comb.neutral(ty), bits), bits, "{comb:?} {ty:?} {value}");
            }
        }
    }
}
