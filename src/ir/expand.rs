//! Functions of f32 as expansions into the scalar primitives: `exp`, `log`, `tanh`, `erf`, `sin`, `cos`, `pow`,
//! Philox and the random numbers drawn from it.
//!
//! In: an `Emit`, which appends primitives to something. Out: the value of the function. Since every
//! backend answers the primitives to the bit, it answers these to the bit, and none knows them.
//!
//! All are straight-line: special cases are selects. A select by a comparison of the operand with a
//! constant, `Sel(c < x, c, x)`, is one machine instruction and keeps a NaN in `x`.
#![expect(clippy::excessive_precision, reason = "coefficients stand here as they were published")]

use super::scalar::{self, Bin, Cc, ScalarTy, Un};
use crate::base::philox;

/// What expansions append to.
pub trait Emit {
    /// A value.
    type V: Copy;

    /// The bits of a constant.
    fn constant(&mut self, bits: u64, ty: ScalarTy) -> Self::V;
    /// A function of one value.
    fn un(&mut self, un: Un, a: Self::V) -> Self::V;
    /// A function of two values.
    fn bin(&mut self, bin: Bin, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`, rounded once.
    fn fma(&mut self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// A comparison, as a mask.
    fn cmp(&mut self, cc: Cc, a: Self::V, b: Self::V) -> Self::V;
    /// `if mask { a } else { b }`
    fn sel(&mut self, mask: Self::V, a: Self::V, b: Self::V) -> Self::V;

    /// A constant f32.
    fn f32(&mut self, value: f32) -> Self::V {
        self.constant(scalar::narrow(value), ScalarTy::F32)
    }
    /// A constant i32.
    fn i32(&mut self, value: i32) -> Self::V {
        self.constant(u64::from(value as u32), ScalarTy::I32)
    }
    /// A constant f64.
    fn f64(&mut self, value: f64) -> Self::V {
        self.constant(value.to_bits(), ScalarTy::F64)
    }
    /// A constant i64.
    fn i64(&mut self, value: i64) -> Self::V {
        self.constant(value as u64, ScalarTy::I64)
    }
    /// `a + b` of floats.
    fn add(&mut self, a: Self::V, b: Self::V) -> Self::V {
        self.bin(Bin::Add, a, b)
    }
    /// `a - b` of floats.
    fn sub(&mut self, a: Self::V, b: Self::V) -> Self::V {
        self.bin(Bin::Sub, a, b)
    }
    /// `a * b` of floats.
    fn mul(&mut self, a: Self::V, b: Self::V) -> Self::V {
        self.bin(Bin::Mul, a, b)
    }
    /// `a / b` of floats.
    fn div(&mut self, a: Self::V, b: Self::V) -> Self::V {
        self.bin(Bin::Div, a, b)
    }
    /// The bits of an f32.
    fn bits(&mut self, a: Self::V) -> Self::V {
        self.un(Un::AsInt, a)
    }
    /// The f32 of bits.
    fn float(&mut self, a: Self::V) -> Self::V {
        self.un(Un::AsFloat, a)
    }
    /// `bin(a, constant)` of i32.
    fn with(&mut self, bin: Bin, a: Self::V, constant: i32) -> Self::V {
        let constant = self.i32(constant);
        self.bin(bin, a, constant)
    }
    /// The larger of `a` and a constant that is not NaN; a NaN in `a` stays.
    fn at_least(&mut self, a: Self::V, constant: f32) -> Self::V {
        let constant = self.f32(constant);
        let below = self.cmp(Cc::Lt, a, constant);
        self.sel(below, constant, a)
    }
    /// The smaller of `a` and a constant that is not NaN; a NaN in `a` stays.
    fn at_most(&mut self, a: Self::V, constant: f32) -> Self::V {
        let constant = self.f32(constant);
        let above = self.cmp(Cc::Lt, constant, a);
        self.sel(above, constant, a)
    }
    /// `Σ coefficients[i] · x^(n-1-i)` by Horner's rule with fused steps: the highest power first.
    fn poly(&mut self, x: Self::V, coefficients: &[f32]) -> Self::V {
        let mut sum = self.f32(coefficients[0]);
        for &coefficient in &coefficients[1..] {
            let coefficient = self.f32(coefficient);
            sum = self.fma(sum, x, coefficient);
        }
        sum
    }
}

const LOG2_E: f32 = std::f32::consts::LOG2_E;
/// ln 2 in two parts: the high one has 9 bits, so that its product with an exponent is exact.
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
/// `1.5 · 2^23`: adding it rounds to an integer and leaves that integer in the low bits.
const MAGIC: f32 = 12_582_912.0;

/// `e^x`, within 2 units in the last place; gradual underflow, no spurious overflow.
pub fn exp<E: Emit>(e: &mut E, x: E::V) -> E::V {
    // Outside of this the result is 0 or ∞ all the same, and the exponent fits its field.
    let x = e.at_most(x, 89.0);
    let x = e.at_least(x, -104.0);
    exp_of_sum(e, x, None)
}

/// `e^(x + low)` for `x` in -104..=89 and a `low` that is small.
fn exp_of_sum<E: Emit>(e: &mut E, x: E::V, low: Option<E::V>) -> E::V {
    // e^x = (1 + q) · 2^n. One factor 2^n would leave the range of exponents at both ends, two do not:
    // the product with 2^⌊n/2⌋ is exact and the second rounds once. The low 9 bits of `exponents` are
    // n + 254, so those of its halves are the two exponents with their bias of 127, and shifting them
    // to their field drops what is above.
    let (q, exponents) = exp_reduced(e, x, low, 254.0);
    let one = e.f32(1.0);
    let y = e.add(q, one);
    let half = e.with(Bin::Shr, exponents, 1);
    let rest = e.bin(Bin::ISub, exponents, half);
    let (first, second) = (e.with(Bin::Shl, half, 23), e.with(Bin::Shl, rest, 23));
    let (first, second) = (e.float(first), e.float(second));
    let y = e.mul(y, first);
    e.mul(y, second)
}

/// `e^x - 1` for `x` in -87..=88, within 2 units in the last place also near 0.
fn exp_minus_one<E: Emit>(e: &mut E, x: E::V) -> E::V {
    // (1 + q) · 2^n - 1 = q · 2^n + (2^n - 1), and n is 0 where the result is small.
    let (q, exponent) = exp_reduced(e, x, None, 127.0);
    let scale = e.with(Bin::Shl, exponent, 23);
    let scale = e.float(scale);
    let minus_one = e.f32(-1.0);
    let rest = e.add(scale, minus_one);
    e.fma(q, scale, rest)
}

/// `(q, bits)` with `e^(x + low) = (1 + q) · 2^n`, `q` in -0.3..=0.42, and `n + bias` in the low 9 bits.
fn exp_reduced<E: Emit>(e: &mut E, x: E::V, low: Option<E::V>, bias: f32) -> (E::V, E::V) {
    let (log2_e, magic) = (e.f32(LOG2_E), e.f32(MAGIC + bias));
    let shifted = e.fma(x, log2_e, magic);
    let n = e.sub(shifted, magic);
    let (high_ln, low_ln) = (e.f32(-LN_2[0]), e.f32(-LN_2[1]));
    let r = e.fma(n, high_ln, x);
    let mut r = e.fma(n, low_ln, r);
    if let Some(low) = low {
        r = e.add(r, low);
    }
    // e^r - 1 = r + r² · P(r), Cephes.
    let p = e.poly(r, &[1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5.000_000_1e-1]);
    let square = e.mul(r, r);
    (e.fma(p, square, r), e.bits(shifted))
}

/// The natural logarithm, within 2 units in the last place; NaN below 0, -∞ at 0.
pub fn log<E: Emit>(e: &mut E, x: E::V) -> E::V {
    let (f, k) = log_reduced(e, x);
    let square = e.mul(f, f);
    let tail = log_tail(e, f, square);
    // The small parts first: k·ln2_low + f³P(f) - f²/2, then f, then k·ln2_high, which is exact.
    let (low_ln, high_ln, half) = (e.f32(LN_2[1]), e.f32(LN_2[0]), e.f32(-0.5));
    let sum = e.fma(k, low_ln, tail);
    let sum = e.fma(half, square, sum);
    let sum = e.add(f, sum);
    let sum = e.fma(k, high_ln, sum);
    log_edges(e, x, sum)
}

/// `(f, k)` with `x = (1 + f) · 2^k` and `1 + f` in √½ ..= √2, for a positive finite `x`.
fn log_reduced<E: Emit>(e: &mut E, x: E::V) -> (E::V, E::V) {
    // A denormal has no exponent of its own: multiply by 2^23 and take 23 off.
    let (smallest, scale) = (e.f32(f32::MIN_POSITIVE), e.f32(8_388_608.0));
    let denormal = e.cmp(Cc::Lt, x, smallest);
    let scaled = e.mul(x, scale);
    let x = e.sel(denormal, scaled, x);
    let (more, bias) = (e.i32(127 + 23), e.i32(127));
    let bias = e.sel(denormal, more, bias);
    const SQRT_HALF: i32 = 0x3f35_04f3;
    let bits = e.bits(x);
    let bits = e.with(Bin::IAdd, bits, 0x3f80_0000 - SQRT_HALF);
    let exponent = e.with(Bin::Shr, bits, 23);
    let exponent = e.bin(Bin::ISub, exponent, bias);
    let k = e.un(Un::I2F, exponent);
    let mantissa = e.with(Bin::And, bits, 0x007f_ffff);
    let mantissa = e.with(Bin::IAdd, mantissa, SQRT_HALF);
    let m = e.float(mantissa);
    let one = e.f32(1.0);
    (e.sub(m, one), k)
}

/// `log(1 + f) - f + f²/2`, Cephes.
fn log_tail<E: Emit>(e: &mut E, f: E::V, square: E::V) -> E::V {
    let p = e.poly(
        f,
        &[
            7.037_683_6e-2,
            -1.151_461e-1,
            1.167_699_9e-1,
            -1.242_014_1e-1,
            1.424_932_3e-1,
            -1.666_805_8e-1,
            2.000_071_5e-1,
            -2.499_999_4e-1,
            3.333_333_1e-1,
        ],
    );
    let cube = e.mul(f, square);
    e.mul(p, cube)
}

/// The logarithm `y` of `x`, or what it is where `x` is not positive and finite.
fn log_edges<E: Emit>(e: &mut E, x: E::V, y: E::V) -> E::V {
    let (zero, infinity, nan, bottom) = (e.f32(0.0), e.f32(f32::INFINITY), e.f32(f32::NAN), e.f32(f32::NEG_INFINITY));
    // ∞ and NaN are their own.
    let finite = e.cmp(Cc::Lt, x, infinity);
    let y = e.sel(finite, y, x);
    let negative = e.cmp(Cc::Lt, x, zero);
    let y = e.sel(negative, nan, y);
    let none = e.cmp(Cc::Eq, x, zero);
    e.sel(none, bottom, y)
}

/// The hyperbolic tangent, within 3 units in the last place.
pub fn tanh<E: Emit>(e: &mut E, x: E::V) -> E::V {
    // With d = e^(2a) - 1: tanh a = d / (d + 2), which is 1 from 9.02 on.
    let a = e.un(Un::Abs, x);
    let twice = e.add(a, a);
    let twice = e.at_most(twice, 40.0);
    let d = exp_minus_one(e, twice);
    let two = e.f32(2.0);
    let sum = e.add(d, two);
    let y = e.div(d, sum);
    with_sign_of(e, y, x)
}

/// `y`, which has no sign, with the sign of `x`: also of zeros.
fn with_sign_of<E: Emit>(e: &mut E, y: E::V, x: E::V) -> E::V {
    let bits = e.bits(x);
    let sign = e.with(Bin::And, bits, i32::MIN);
    let y = e.bits(y);
    let y = e.bin(Bin::Or, y, sign);
    e.float(y)
}

/// The nearest number of 8 significant bits, ties to even; exact, and a NaN stays one.
pub fn bf16<E: Emit>(e: &mut E, x: E::V) -> E::V {
    // Half of the last place that stays is added to the bits, less by one below an even place, and the rest is cut off.
    let bits = e.bits(x);
    let upper = e.with(Bin::Shr, bits, 16);
    let odd = e.with(Bin::And, upper, 1);
    let half = e.with(Bin::IAdd, odd, 0x7fff);
    let raised = e.bin(Bin::IAdd, bits, half);
    let cut = e.with(Bin::And, raised, !0xffff);
    let rounded = e.float(cut);
    let is_nan = e.cmp(Cc::Ne, x, x);
    e.sel(is_nan, x, rounded)
}

/// The nearest number that binary16 holds, ties to even; exact, and a NaN stays one.
pub fn f16<E: Emit>(e: &mut E, x: E::V) -> E::V {
    // Of an ordinary number 13 of the 23 bits go, as in `bf16`; what then lies beyond the greatest is infinite.
    let bits = e.bits(x);
    let upper = e.with(Bin::Shr, bits, 13);
    let odd = e.with(Bin::And, upper, 1);
    let half = e.with(Bin::IAdd, odd, 0xfff);
    let raised = e.bin(Bin::IAdd, bits, half);
    let cut = e.with(Bin::And, raised, !0x1fff);
    let normal = e.float(cut);
    let size = e.un(Un::Abs, normal);
    let (most, infinity) = (e.f32(65504.0), e.f32(f32::INFINITY));
    let beyond = e.cmp(Cc::Lt, most, size);
    let sign = e.with(Bin::And, bits, i32::MIN);
    let infinite = e.bits(infinity);
    let infinite = e.bin(Bin::Or, infinite, sign);
    let infinite = e.float(infinite);
    let normal = e.sel(beyond, infinite, normal);
    // Below the least ordinary number all have one last place, 2^-24, which is that of 0.75: adding 0.75 rounds to it.
    let magnitude = e.un(Un::Abs, x);
    let anchor = e.f32(0.75);
    let near = e.add(magnitude, anchor);
    let small = e.sub(near, anchor);
    let small = e.bits(small);
    let small = e.bin(Bin::Or, small, sign);
    let small = e.float(small);
    let least = e.f32(6.103_515_6e-5);
    let is_small = e.cmp(Cc::Lt, magnitude, least);
    let rounded = e.sel(is_small, small, normal);
    let is_nan = e.cmp(Cc::Ne, x, x);
    e.sel(is_nan, x, rounded)
}

/// The error function, within 4e-7.
pub fn erf<E: Emit>(e: &mut E, x: E::V) -> E::V {
    // x · P(x²) / Q(x²), the rational minimax approximation of Eigen; beyond 3.8325 the nearest is ±1.
    let t = e.at_most(x, 4.0);
    let t = e.at_least(t, -4.0);
    let square = e.mul(t, t);
    let p = e.poly(
        square,
        &[
            -2.726_142_2e-10,
            2.770_681_4e-8,
            -2.101_024e-6,
            -5.692_506_4e-5,
            -7.349_906_3e-4,
            -2.954_599_8e-3,
            -1.609_603_3e-2,
        ],
    );
    let q = e.poly(square, &[-1.456_607_2e-5, -2.133_740_6e-4, -1.682_827e-3, -7.373_329e-3, -1.426_474e-2]);
    let ratio = e.div(p, q);
    let y = e.mul(t, ratio);
    let (size, limit, one) = (e.un(Un::Abs, x), e.f32(3.832_507), e.f32(1.0));
    let far = e.cmp(Cc::Lt, limit, size);
    let one = with_sign_of(e, one, x);
    e.sel(far, one, y)
}

/// The largest angle that `sin` and `cos` take: beyond it the quotient by a quarter turn is too rough to round.
const MOST_ANGLE: f32 = 1_048_576.0;
/// π/2 in three parts of an f32 each.
const HALF_PI: [f32; 3] = [1.570_796_4, -4.371_139e-8, -1.715_124_5e-15];

/// The sine, within 1.1 units in the last place; NaN beyond ±2^20.
pub fn sin<E: Emit>(e: &mut E, x: E::V) -> E::V {
    let a = e.un(Un::Abs, x);
    let y = quarter_turns(e, a, 0);
    // sin(-x) = -sin(x), also of zeros.
    let bits = e.bits(x);
    let sign = e.with(Bin::And, bits, i32::MIN);
    let y = e.bits(y);
    let y = e.bin(Bin::Xor, y, sign);
    e.float(y)
}

/// The cosine, within 1.1 units in the last place; NaN beyond ±2^20.
pub fn cos<E: Emit>(e: &mut E, x: E::V) -> E::V {
    let a = e.un(Un::Abs, x);
    // cos(x) = sin(x + π/2)
    quarter_turns(e, a, 1)
}

/// `sin(a + ahead · π/2)` for an `a` without a sign.
fn quarter_turns<E: Emit>(e: &mut E, a: E::V, ahead: i32) -> E::V {
    // a = n · π/2 + r + low with |r| ≤ π/4 (Cody and Waite). The first step is exact: n · P0 and a are multiples
    // of the last place of P0, and their difference is below 1. Of the second, `low` keeps what rounding takes: of
    // the product by a fused step, of the sum by Knuth's.
    let (turns, magic) = (e.f32(std::f32::consts::FRAC_2_PI), e.f32(MAGIC));
    let shifted = e.fma(a, turns, magic);
    let n = e.sub(shifted, magic);
    let parts = HALF_PI.map(|part| e.f32(-part));
    let first = e.fma(n, parts[0], a);
    let second = e.mul(n, parts[1]);
    let negated = e.un(Un::Neg, second);
    let low = e.fma(n, parts[1], negated);
    let low = e.fma(n, parts[2], low);
    let r = e.add(first, second);
    let of_second = e.sub(r, first);
    let of_first = e.sub(r, of_second);
    let lost_first = e.sub(first, of_first);
    let lost_second = e.sub(second, of_second);
    let lost = e.add(lost_first, lost_second);
    let low = e.add(low, lost);
    let square = e.mul(r, r);
    // sin(r + low) = r + (r³ · S(r²) + low); cos(r + low) = 1 - r²/2 + (r⁴ · C(r²) - r · low), Cephes.
    let sine = e.poly(square, &[-1.951_529_6e-4, 8.332_161e-3, -1.666_665_5e-1]);
    let cube = e.mul(square, r);
    let sine = e.fma(sine, cube, low);
    let sine = e.add(r, sine);
    let cosine = e.poly(square, &[2.443_315_7e-5, -1.388_731_6e-3, 4.166_664_6e-2]);
    let fourth = e.mul(square, square);
    let negated = e.un(Un::Neg, r);
    let lost = e.mul(negated, low);
    let cosine = e.fma(cosine, fourth, lost);
    let (half, one) = (e.f32(-0.5), e.f32(1.0));
    let near_one = e.fma(square, half, one);
    // What rounding took of 1 - r²/2.
    let back = e.sub(near_one, one);
    let missing = e.mul(square, half);
    let missing = e.sub(missing, back);
    let cosine = e.add(cosine, missing);
    let cosine = e.add(near_one, cosine);

    // n stands in the low bits; each quarter goes sin, cos, -sin, -cos.
    let quarter = e.bits(shifted);
    let quarter = e.with(Bin::IAdd, quarter, ahead);
    let (odd, zero) = (e.with(Bin::And, quarter, 1), e.i32(0));
    let even = e.cmp(Cc::Eq, odd, zero);
    let y = e.sel(even, sine, cosine);
    let sign = e.with(Bin::And, quarter, 2);
    let sign = e.with(Bin::Shl, sign, 30);
    let y = e.bits(y);
    let y = e.bin(Bin::Xor, y, sign);
    let y = e.float(y);
    let (most, nan) = (e.f32(MOST_ANGLE), e.f32(f32::NAN));
    let known = e.cmp(Cc::Le, a, most);
    e.sel(known, y, nan)
}

/// `x^y`, within 4 units in the last place, with the special cases of IEEE 754 `pow`.
pub fn pow<E: Emit>(e: &mut E, x: E::V, y: E::V) -> E::V {
    let (zero, one) = (e.f32(0.0), e.f32(1.0));
    let a = e.un(Un::Abs, x);
    // log a as high + low: a relative error of the logarithm grows by the size of y·log a.
    let (high, low) = log_in_two(e, a);
    // y · (high + low) = product + rest, exactly but for the last term's rounding.
    let product = e.mul(y, high);
    let negated = e.un(Un::Neg, product);
    let rest = e.fma(y, high, negated);
    let rest = e.fma(y, low, rest);
    // Where the product is out of range (or not a number), the rest means nothing.
    let size = e.un(Un::Abs, product);
    let bound = e.f32(128.0);
    let within = e.cmp(Cc::Lt, size, bound);
    let rest = e.sel(within, rest, zero);
    let product = e.at_most(product, 89.0);
    let product = e.at_least(product, -104.0);
    let size = exp_of_sum(e, product, Some(rest));
    // 1^y is 1, also where y·log 1 is 0·∞.
    let unit = e.cmp(Cc::Eq, a, one);
    let size = e.sel(unit, one, size);

    // A negative base: an odd power has its sign, a power that is no integer does not exist.
    let half = e.f32(0.5);
    let halved = e.mul(y, half);
    let floor = e.un(Un::Floor, y);
    let integer = e.cmp(Cc::Eq, floor, y);
    let floor = e.un(Un::Floor, halved);
    let uneven = e.cmp(Cc::Ne, floor, halved);
    let odd = e.bin(Bin::And, integer, uneven);
    let signed = with_sign_of(e, size, x);
    let result = e.sel(odd, signed, size);
    let (bottom, nan) = (e.f32(f32::NEG_INFINITY), e.f32(f32::NAN));
    let negative = e.cmp(Cc::Lt, x, zero);
    let finite = e.cmp(Cc::Lt, bottom, x);
    let broken = e.un(Un::Not, integer);
    let undefined = e.bin(Bin::And, negative, finite);
    let undefined = e.bin(Bin::And, undefined, broken);
    // (-1)^±∞ is 1 and so falls out of the rule: an infinite y counts as an integer.
    let result = e.sel(undefined, nan, result);

    // NaN wins, but for 1^y and x^0.
    let unordered = e.cmp(Cc::Ne, y, y);
    let result = e.sel(unordered, y, result);
    let base_one = e.cmp(Cc::Eq, x, one);
    let result = e.sel(base_one, one, result);
    let no_power = e.cmp(Cc::Eq, y, zero);
    e.sel(no_power, one, result)
}

/// The logarithm of an `a` without a sign as `high + low`, to about 2^-33.
fn log_in_two<E: Emit>(e: &mut E, a: E::V) -> (E::V, E::V) {
    let (f, k) = log_reduced(e, a);
    let square = e.mul(f, f);
    let tail = log_tail(e, f, square);
    // f²/2 exactly, as the rounded square and what rounding took.
    let (half, negated) = (e.f32(0.5), e.un(Un::Neg, square));
    let lost = e.fma(f, f, negated);
    let (halved, lost) = (e.mul(square, half), e.mul(lost, half));
    // Two sums without loss (Dekker): |f| > f²/2, and k·ln2_high is 0 or larger than the rest.
    let first = e.sub(f, halved);
    let taken = e.sub(f, first);
    let first_lost = e.sub(taken, halved);
    let (high_ln, low_ln) = (e.f32(LN_2[0]), e.f32(LN_2[1]));
    let scaled = e.mul(k, high_ln);
    let sum = e.add(scaled, first);
    let back = e.sub(sum, scaled);
    let sum_lost = e.sub(first, back);
    let low = e.sub(tail, lost);
    let low = e.add(low, first_lost);
    let low = e.fma(k, low_ln, low);
    let low = e.add(low, sum_lost);
    // Once more, so that `high` is the logarithm rounded.
    let high = e.add(sum, low);
    let back = e.sub(high, sum);
    let low = e.sub(low, back);
    let high = log_edges(e, a, high);
    let (size, infinity, zero) = (e.un(Un::Abs, high), e.f32(f32::INFINITY), e.f32(0.0));
    let finite = e.cmp(Cc::Lt, size, infinity);
    (high, e.sel(finite, low, zero))
}

/// The first word of `base::philox::philox(counter, key)`.
///
/// A random value of the graph is drawn with the counter `[index, site, step, 0]` and the key
/// `[seed, seed_high]`, where `index` is the linear index of the element: it depends on nothing else.
pub fn philox<E: Emit>(e: &mut E, counter: [E::V; 4], key: [E::V; 2]) -> E::V {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let [mut k0, mut k1] = key;
    let multipliers = philox::MULTIPLIERS.map(|word| e.i32(word as i32));
    for round in 0..philox::ROUNDS {
        if round > 0 {
            k0 = e.with(Bin::IAdd, k0, philox::WEYL[0] as i32);
            k1 = e.with(Bin::IAdd, k1, philox::WEYL[1] as i32);
        }
        let (high0, low0) = (e.bin(Bin::MulHi, multipliers[0], c0), e.bin(Bin::IMul, multipliers[0], c0));
        let (high1, low1) = (e.bin(Bin::MulHi, multipliers[1], c2), e.bin(Bin::IMul, multipliers[1], c2));
        // The key joins the word that varies least, so that both can be computed once for many elements.
        let (left, right) = (e.bin(Bin::Xor, c1, k0), e.bin(Bin::Xor, c3, k1));
        [c0, c1, c2, c3] = [e.bin(Bin::Xor, high1, left), low1, e.bin(Bin::Xor, high0, right), low0];
    }
    c0
}

/// The number in `[0, 1)` of a random word: `base::philox::uniform`.
pub fn uniform<E: Emit>(e: &mut E, word: E::V) -> E::V {
    let top = e.with(Bin::Shr, word, 8);
    let number = e.un(Un::I2F, top);
    let scale = e.f32(1.0 / (1 << 24) as f32);
    e.mul(number, scale)
}

/// The standard normal number of a random word, `special::normal` in f32: by the inverse of the
/// distribution function, M. Giles, "Approximating the erfinv function" (GPU Computing Gems, 2010).
pub fn normal<E: Emit>(e: &mut E, word: E::V) -> E::V {
    // x = 2p - 1 with p the middle of one of 2^23 parts of (0, 1): exact.
    let top = e.with(Bin::Shr, word, 9);
    let odd = e.with(Bin::Shl, top, 1);
    let odd = e.with(Bin::IAdd, odd, 1);
    let number = e.un(Un::I2F, odd);
    let (scale, minus_one, one) = (e.f32(1.0 / (1 << 23) as f32), e.f32(-1.0), e.f32(1.0));
    let x = e.fma(number, scale, minus_one);
    // w = -log(1 - x²)
    let (below, above) = (e.sub(one, x), e.add(one, x));
    let product = e.mul(below, above);
    let logarithm = log(e, product);
    let w = e.un(Un::Neg, logarithm);
    let shift = e.f32(2.5);
    let near = e.sub(w, shift);
    let near = e.poly(
        near,
        &[
            2.810_226_4e-8,
            3.432_739_4e-7,
            -3.523_387_7e-6,
            -4.391_506_5e-6,
            2.185_808_7e-4,
            -1.253_725e-3,
            -4.177_681_6e-3,
            2.466_407_3e-1,
            1.501_409_4,
        ],
    );
    let (root, shift) = (e.un(Un::Sqrt, w), e.f32(3.0));
    let far = e.sub(root, shift);
    let far = e.poly(
        far,
        &[
            -2.002_142_6e-4,
            1.009_505_6e-4,
            1.349_343_2e-3,
            -3.673_428_4e-3,
            5.739_507_7e-3,
            -7.622_461_3e-3,
            9.438_870_5e-3,
            1.001_674_1,
            2.832_976_8,
        ],
    );
    let limit = e.f32(5.0);
    let middle = e.cmp(Cc::Lt, w, limit);
    let p = e.sel(middle, near, far);
    let root_two = e.f32(std::f32::consts::SQRT_2);
    let x = e.mul(x, root_two);
    e.mul(p, x)
}

/// An `Emit` that computes at once: the reference value of an expansion.
pub struct Evaluate;

/// A value of `Evaluate`: bits and their type.
pub type Word = (u64, ScalarTy);

impl Emit for Evaluate {
    type V = Word;

    fn constant(&mut self, bits: u64, ty: ScalarTy) -> Word {
        (bits, ty)
    }
    fn un(&mut self, un: Un, a: Word) -> Word {
        let Some(ty) = un.ty(a.1) else { crate::base::bug!("{un:?} of {:?}", a.1) };
        (un.eval(a.1, a.0), ty)
    }
    fn bin(&mut self, bin: Bin, a: Word, b: Word) -> Word {
        debug_assert!(bin.ty(a.1, b.1).is_some(), "{bin:?}");
        (bin.eval(a.1, a.0, b.0), a.1)
    }
    fn fma(&mut self, a: Word, b: Word, c: Word) -> Word {
        (scalar::fma(a.1, a.0, b.0, c.0), a.1)
    }
    fn cmp(&mut self, cc: Cc, a: Word, b: Word) -> Word {
        debug_assert_eq!(a.1, b.1, "{cc:?}");
        (cc.eval(a.1, a.0, b.0), ScalarTy::Mask)
    }
    fn sel(&mut self, mask: Word, a: Word, b: Word) -> Word {
        debug_assert!(mask.1 == ScalarTy::Mask && a.1 == b.1, "sel");
        if mask.0 != 0 { a } else { b }
    }
}

#[cfg(test)]
#[path = "expand_tests.rs"]
mod tests;
