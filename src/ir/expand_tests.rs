//! The expansions against f64, over the whole range of f32.

use super::*;
use crate::base::philox as reference;
use crate::ir::special;

fn call(function: fn(&mut Evaluate, Word) -> Word, x: f32) -> f32 {
    f32::from_bits(function(&mut Evaluate, (scalar::narrow(x), ScalarTy::F32)).0 as u32)
}

fn call_pow(x: f32, y: f32) -> f32 {
    let word = |value: f32| (scalar::narrow(value), ScalarTy::F32);
    f32::from_bits(pow(&mut Evaluate, word(x), word(y)).0 as u32)
}

/// The distance of `got` from `want` in units of the last place of f32 at `want`.
fn ulps(got: f32, want: f64) -> f64 {
    let nearest = want as f32;
    if got == nearest || (got.is_nan() && nearest.is_nan()) {
        return 0.0;
    }
    if got.is_nan() || nearest.is_nan() {
        return f64::INFINITY;
    }
    // An infinity where the largest number is nearest, or the other way, is one step off.
    let got = if got.is_infinite() { 2f64.powi(128).copysign(f64::from(got)) } else { f64::from(got) };
    let want = if nearest.is_infinite() { 2f64.powi(128).copysign(want) } else { want };
    let exponent = (want.abs().log2().floor() as i32).max(-126);
    (got - want).abs() / 2f64.powi(exponent - 23)
}

/// Every 1009th f32, and all around the places where something changes.
fn samples() -> impl Iterator<Item = f32> {
    let sparse = (0..=u32::MAX / 1009).map(|i| i * 1009);
    let edges =
        [0.0f32, f32::MIN_POSITIVE, 0.625, 0.70710677, 1.0, 4.0, 87.0, 88.72284, 103.9, f32::MAX, f32::INFINITY];
    let dense = edges.into_iter().flat_map(|edge| {
        let bits = edge.to_bits();
        (bits.saturating_sub(3000)..=bits.saturating_add(3000).min(f32::INFINITY.to_bits()))
            .flat_map(|bits| [bits, bits | 1 << 31])
    });
    sparse.chain(dense).map(f32::from_bits)
}

fn worst(function: fn(&mut Evaluate, Word) -> Word, want: fn(f64) -> f64) -> (f64, f32) {
    let mut worst = (0.0, 0.0);
    for x in samples() {
        let off = ulps(call(function, x), want(f64::from(x)));
        if off > worst.0 {
            worst = (off, x);
        }
    }
    worst
}

#[test]
fn exp_is_exact_to_two_units() {
    let (off, at) = worst(exp, f64::exp);
    assert!(off <= 1.5, "{off} at {at}");
}

#[test]
fn log_is_exact_to_two_units() {
    let (off, at) = worst(log, f64::ln);
    assert!(off <= 1.5, "{off} at {at}");
}

#[test]
fn tanh_is_exact_to_three_units() {
    let (off, at) = worst(tanh, f64::tanh);
    assert!(off <= 3.0, "{off} at {at}");
}

#[test]
fn sin_and_cos_are_exact_to_two_units_wherever_they_are_known() {
    let functions: [fn(&mut Evaluate, Word) -> Word; 2] = [sin, cos];
    let wants: [fn(f64) -> f64; 2] = [f64::sin, f64::cos];
    // Near the zeros of both, where most of the angle cancels, and all over the range.
    let near_zeros = (0..60_000u32).map(|n| (f64::from(n * 7) * std::f64::consts::FRAC_PI_2) as f32);
    let all: Vec<f32> = samples().chain(near_zeros.flat_map(|x| [x, x.next_up(), x.next_down()])).collect();
    for (function, want) in functions.into_iter().zip(wants) {
        for &x in &all {
            let got = call(function, x);
            if x.abs() > 1_048_576.0 || x.is_nan() {
                assert!(got.is_nan(), "{x}: {got}");
                continue;
            }
            let off = ulps(got, want(f64::from(x)));
            assert!(off <= 1.1, "{x:?}: {got}, {off} units off");
        }
    }
    assert_eq!([call(sin, 0.0).to_bits(), call(sin, -0.0).to_bits()], [0, 1 << 31]);
    assert_eq!([call(cos, 0.0), call(cos, -0.0)], [1.0, 1.0]);
}

#[test]
fn erf_is_within_half_a_millionth() {
    for x in samples() {
        let (got, want) = (call(erf, x), special::erf(f64::from(x)));
        assert!((f64::from(got) - want).abs() <= 4e-7 || (got.is_nan() && x.is_nan()), "{x}: {got} {want}");
    }
}

#[test]
fn signs_of_zero_and_limits() {
    for function in [tanh, erf] {
        assert_eq!(call(function, -0.0).to_bits(), (-0f32).to_bits());
        assert_eq!(call(function, 0.0).to_bits(), 0f32.to_bits());
        assert_eq!([call(function, f32::INFINITY), call(function, f32::NEG_INFINITY)], [1.0, -1.0]);
        assert!(call(function, f32::NAN).is_nan());
    }
    assert_eq!([call(exp, f32::INFINITY), call(exp, f32::NEG_INFINITY), call(exp, 0.0)], [f32::INFINITY, 0.0, 1.0]);
    assert_eq!([call(log, 0.0), call(log, -0.0), call(log, 1.0)], [f32::NEG_INFINITY, f32::NEG_INFINITY, 0.0]);
    assert_eq!(call(log, f32::INFINITY), f32::INFINITY);
    assert!(call(log, -1.0).is_nan() && call(log, f32::NAN).is_nan() && call(exp, f32::NAN).is_nan());
    assert!(call(log, f32::NEG_INFINITY).is_nan());
}

#[test]
fn pow_is_exact_to_four_units() {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    let mut worst = (0.0, 0.0, 0.0);
    for _ in 0..400_000 {
        let x = f32::from_bits(next() << 7);
        let y = (next() as f32 / 8_388_608.0 - 1.0) * [0.5, 3.0, 40.0][next() as usize % 3];
        let off = ulps(call_pow(x, y), f64::from(x).powf(f64::from(y)));
        if off > worst.0 && x.is_finite() {
            worst = (off, x, y);
        }
    }
    assert!(worst.0 <= 4.0, "{worst:?}");
}

#[test]
fn pow_has_the_special_cases_of_ieee() {
    let inf = f32::INFINITY;
    let values = [
        0.0,
        -0.0,
        0.5,
        -0.5,
        1.0,
        -1.0,
        2.0,
        -2.0,
        3.0,
        -3.0,
        2.5,
        -2.5,
        1e10,
        -1e10,
        1e-40,
        -1e-40,
        16_777_217.0,
        inf,
        -inf,
        f32::NAN,
    ];
    for x in values {
        for y in values {
            let (got, want) = (call_pow(x, y), x.powf(y));
            let same = got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan());
            assert!(same || (ulps(got, f64::from(want)) <= 4.0 && got.is_finite()), "{x}^{y}: {got} {want}");
        }
    }
}

#[test]
fn halves_are_those_of_half() {
    for x in samples() {
        let (got, want) = (call(f16, x), half::f16::from_f32(x).to_f32());
        assert!(got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan(), "{x:e}: {got:e} {want:e}");
        let got = special::f16(f64::from(x));
        assert!(got == f64::from(want) || got.is_nan() && want.is_nan(), "{x:e}: {got:e} {want:e}");
        let (got, want) = (call(bf16, x), half::bf16::from_f32(x).to_f32());
        assert!(got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan(), "{x:e}: {got:e} {want:e}");
    }
}

#[test]
fn philox_is_that_of_base() {
    for (counter, key) in
        [([0; 4], [0; 2]), ([1, 2, 3, 0], [4, 5]), ([u32::MAX; 4], [u32::MAX, 7]), ([9, 0, 1 << 31, 5], [0, 1])]
    {
        let word = |bits: u32| (u64::from(bits), ScalarTy::I32);
        let got = philox(&mut Evaluate, counter.map(word), key.map(word));
        assert_eq!(got.0, u64::from(reference::philox(counter, key)[0]));
        let got = uniform(&mut Evaluate, got);
        assert_eq!(f32::from_bits(got.0 as u32), reference::uniform(reference::philox(counter, key)[0]));
    }
}

#[test]
fn normal_agrees_with_its_reference() {
    for i in 0..=4096 * 8 {
        let word = (i * 131_071u32).wrapping_mul(if i < 4096 { 1 } else { 2_654_435_761 });
        for word in [word, !word, i, !i] {
            let got = f32::from_bits(normal(&mut Evaluate, (u64::from(word), ScalarTy::I32)).0 as u32);
            let want = special::normal(word);
            // Giles' polynomials are fitted to about 3e-7 of the result, and to 5e-7 far out.
            assert!((f64::from(got) - want).abs() <= 1e-6 * want.abs().max(0.01), "{word:#x}: {got} {want}");
        }
    }
}
