//! Special functions in f64, for the reference and for the host: as exact as f64 allows.
//!
//! The f32 versions of kernels are expansions (`expand`) and are judged against these.
#![expect(clippy::excessive_precision, reason = "coefficients stand here as they were published")]

/// `Σ coefficients[i] · x^(n-1-i)`: the highest power comes first.
fn horner(x: f64, coefficients: &[f64]) -> f64 {
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// The nearest number that bfloat16 holds, ties to even: 8 significant bits, exponents from -126 to 127.
pub fn bf16(x: f64) -> f64 {
    rounded(x, 8, [-126, 127])
}

/// The nearest number that IEEE's binary16 holds, ties to even: 11 significant bits, exponents from -14 to 15.
pub fn f16(x: f64) -> f64 {
    rounded(x, 11, [-14, 15])
}

/// The nearest number of so many significant bits, ties to even, with gradual underflow below the least exponent and
/// infinity beyond the greatest.
fn rounded(x: f64, bits: i32, [least, greatest]: [i32; 2]) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    let exponent = (x.abs().log2().floor() as i32).max(least);
    // The logarithm of a number just below a power of two may be that of the power: the last place is then one higher,
    // and the number rounds to the power either way.
    let last_place = f64::from(exponent + 1 - bits).exp2();
    let rounded = (x / last_place).round_ties_even() * last_place;
    if rounded.abs() >= f64::from(greatest + 1).exp2() { f64::INFINITY.copysign(x) } else { rounded }
}

/// The error function, to 1e-16: W. J. Cody, "Rational Chebyshev approximations for the error
/// function" (Mathematics of Computation 23, 1969).
pub fn erf(x: f64) -> f64 {
    let y = x.abs();
    if y <= 0.46875 {
        // erf(x) = x · A(x²) / B(x²)
        let z = y * y;
        let a = horner(
            z,
            &[
                1.857_777_061_846_031_5e-1,
                3.161_123_743_870_565_6,
                1.138_641_541_510_501_6e2,
                3.774_852_376_853_02e2,
                3.209_377_589_138_469_5e3,
            ],
        );
        let b = horner(
            z,
            &[
                1.0,
                2.360_129_095_234_412_2e1,
                2.440_246_379_344_441_7e2,
                1.282_616_526_077_372_3e3,
                2.844_236_833_439_171e3,
            ],
        );
        return x * a / b;
    }
    ((0.5 - erfc_tail(y)) + 0.5).copysign(x)
}

/// `1 - erf(y)` for `y > 0.46875`.
fn erfc_tail(y: f64) -> f64 {
    if y.is_nan() {
        return y;
    }
    if y > 27.0 {
        // Below the smallest f64.
        return 0.0;
    }
    // exp(-y²) with y² split in two, so that the rounding of a large square does not count.
    let high = (y * 16.0).trunc() / 16.0;
    let gauss = (-high * high).exp() * (-(y - high) * (y + high)).exp();
    if y <= 4.0 {
        let c = horner(
            y,
            &[
                2.153_115_354_744_038_5e-8,
                5.641_884_969_886_701e-1,
                8.883_149_794_388_377,
                6.611_919_063_714_163e1,
                2.986_351_381_974_001e2,
                8.819_522_212_417_69e2,
                1.712_047_612_634_070_7e3,
                2.051_078_377_826_071_6e3,
                1.230_339_354_797_997_2e3,
            ],
        );
        let d = horner(
            y,
            &[
                1.0,
                1.574_492_611_070_983_5e1,
                1.176_939_508_913_125e2,
                5.371_811_018_620_099e2,
                1.621_389_574_566_690_3e3,
                3.290_799_235_733_459_7e3,
                4.362_619_090_143_247e3,
                3.439_367_674_143_721_6e3,
                1.230_339_354_803_749_5e3,
            ],
        );
        return gauss * c / d;
    }
    const INVERSE_SQRT_PI: f64 = 5.641_895_835_477_563e-1;
    let z = 1.0 / (y * y);
    let p = horner(
        z,
        &[
            1.631_538_713_730_209_7e-2,
            3.053_266_349_612_323_6e-1,
            3.603_448_999_498_044_5e-1,
            1.257_817_261_112_292_6e-1,
            1.608_378_514_874_227_5e-2,
            6.587_491_615_298_378e-4,
        ],
    );
    let q = horner(
        z,
        &[
            1.0,
            2.568_520_192_289_822,
            1.872_952_849_923_460_4,
            5.279_051_029_514_285e-1,
            6.051_834_131_244_132e-2,
            2.335_204_976_268_691_8e-3,
        ],
    );
    gauss * (INVERSE_SQRT_PI - z * p / q) / y
}

/// The number below which a standard normal one lies with probability `p`, to 1e-16: M. J. Wichura,
/// algorithm AS 241 (Applied Statistics 37, 1988).
pub fn inverse_normal(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        let a = horner(
            r,
            &[
                2.509_080_928_730_122_7e3,
                3.343_057_558_358_813e4,
                6.726_577_092_700_87e4,
                4.592_195_393_154_987e4,
                1.373_169_376_550_946_1e4,
                1.971_590_950_306_551_3e3,
                1.331_416_678_917_843_8e2,
                3.387_132_872_796_366_5,
            ],
        );
        let b = horner(
            r,
            &[
                5.226_495_278_852_854e3,
                2.872_908_573_572_194_3e4,
                3.930_789_580_009_271e4,
                2.121_379_430_158_66e4,
                5.394_196_021_424_751e3,
                6.871_870_074_920_579e2,
                4.231_333_070_160_091e1,
                1.0,
            ],
        );
        return q * a / b;
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = (-tail.ln()).sqrt();
    let value = if r <= 5.0 {
        let r = r - 1.6;
        let c = horner(
            r,
            &[
                7.745_450_142_783_414e-4,
                2.272_384_498_926_918_4e-2,
                2.417_807_251_774_506e-1,
                1.270_458_252_452_368_4,
                3.647_848_324_763_204_5,
                5.769_497_221_460_691,
                4.630_337_846_156_546,
                1.423_437_110_749_683_5,
            ],
        );
        let d = horner(
            r,
            &[
                1.050_750_071_644_416_9e-9,
                5.475_938_084_995_345e-4,
                1.519_866_656_361_645_7e-2,
                1.481_039_764_274_800_8e-1,
                6.897_673_349_851e-1,
                1.676_384_830_183_803_8,
                2.053_191_626_637_759,
                1.0,
            ],
        );
        c / d
    } else {
        let r = r - 5.0;
        let e = horner(
            r,
            &[
                2.010_334_399_292_288_1e-7,
                2.711_555_568_743_487_6e-5,
                1.242_660_947_388_078_4e-3,
                2.653_218_952_657_612_4e-2,
                2.965_605_718_285_048_7e-1,
                1.784_826_539_917_291_3,
                5.463_784_911_164_114,
                6.657_904_643_501_103,
            ],
        );
        let f = horner(
            r,
            &[
                2.044_263_103_389_939_8e-15,
                1.421_511_758_316_446e-7,
                1.846_318_317_510_054_8e-5,
                7.868_691_311_456_133e-4,
                1.487_536_129_085_061_5e-2,
                1.369_298_809_227_358e-1,
                5.998_322_065_558_88e-1,
                1.0,
            ],
        );
        e / f
    };
    value.copysign(q)
}

/// The standard normal number of a random word: `Φ⁻¹` at the middle of one of 2^23 equal parts of
/// `(0, 1)`, so that no word gives an infinity and the numbers are symmetric about zero.
pub fn normal(word: u32) -> f64 {
    inverse_normal((f64::from(word >> 9) + 0.5) / f64::from(1 << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `erf x = 2/√π · exp(-x²) · Σ 2^n x^(2n+1) / (2n+1)!!`: every term is positive, nothing cancels.
    fn erf_series(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for n in 1..400 {
            term *= 2.0 * x * x / f64::from(2 * n + 1);
            sum += term;
        }
        std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
    }

    #[test]
    fn erf_agrees_with_its_series() {
        for step in -400..=400 {
            let x = f64::from(step) / 100.0;
            assert!((erf(x) - erf_series(x)).abs() < 1e-15, "{x}: {} {}", erf(x), erf_series(x));
        }
    }

    #[test]
    fn erf_near_one() {
        // Values of the C library.
        let known = [
            (4.5, 0.9999999998033839),
            (5.11, 0.9999999999995048),
            (5.5, 0.9999999999999927),
            (-5.9, -0.9999999999999999),
        ];
        assert!(known.iter().all(|&(x, value)| (erf(x) - value).abs() < 2e-16));
    }

    #[test]
    fn erf_at_the_edges() {
        assert_eq!(erf(0.0).to_bits(), 0f64.to_bits());
        assert_eq!(erf(-0.0).to_bits(), (-0f64).to_bits());
        assert_eq!([erf(f64::INFINITY), erf(f64::NEG_INFINITY), erf(30.0)], [1.0, -1.0, 1.0]);
        assert!(erf(f64::NAN).is_nan());
        let small = erf(1e-300) / (1e-300 * std::f64::consts::FRAC_2_SQRT_PI);
        assert!((small - 1.0).abs() < 1e-15);
    }

    #[test]
    fn inverse_normal_inverts_the_distribution() {
        // Φ(x) = (1 + erf(x/√2)) / 2; the quotient takes the slope of Φ into account.
        for step in 1..2000 {
            let p = f64::from(step) / 2000.0;
            let x = inverse_normal(p);
            let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
            let back = (1.0 + erf(x / std::f64::consts::SQRT_2)) / 2.0;
            assert!(((back - p) / density).abs() < 1e-14, "{p}: {x}");
        }
        // Far out, where the distribution function itself is too coarse: known values.
        assert!((inverse_normal(1e-5) + 4.264_890_793_922_826).abs() < 1e-13);
        assert!((inverse_normal(1e-20) + 9.262_340_089_798_405).abs() < 1e-12);
        assert!((inverse_normal(1e-12) + 7.034_483_825_301_132).abs() < 1e-12);
    }
}
