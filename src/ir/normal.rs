//! The inverse of the normal distribution function, which turns uniform random numbers into normal
//! ones.
//!
//! M. Giles, "Approximating the erfinv function" (GPU Computing Gems, 2011), the single-precision
//! form: two polynomials in `w = -log(1 - x²)`. The coefficients stand here once, for the f64 reference
//! and for the expansion into kernel primitives; both evaluate by Horner's rule from the first.

/// Of `w - 2.5`, where `w < SPLIT`; the highest power first.
pub const CENTRAL: [f64; 9] = [
    2.81022636e-08,
    3.43273939e-07,
    -3.5233877e-06,
    -4.39150654e-06,
    0.00021858087,
    -0.00125372503,
    -0.00417768164,
    0.246640727,
    1.50140941,
];

/// Of `sqrt(w) - 3`, elsewhere; the highest power first.
pub const TAIL: [f64; 9] = [
    -0.000200214257,
    0.000100950558,
    0.00134934322,
    -0.00367342844,
    0.00573950773,
    -0.0076224613,
    0.00943887047,
    1.00167406,
    2.83297682,
];

/// Where the polynomials meet.
pub const SPLIT: f64 = 5.0;

/// Half a step of the 24-bit grid of uniform numbers: it moves them off 0 and makes them symmetric
/// around one half. In f32, `2u - 1 + 2·HALF_STEP` is exact.
pub const HALF_STEP: f64 = 1.0 / (1u64 << 25) as f64;

/// The normal number for a uniform one in `[0, 1)` on the 24-bit grid: `√2 · erfinv(2(u + 2^-25) - 1)`.
pub fn normal_from_uniform(u: f64) -> f64 {
    let x = 2.0 * (u + HALF_STEP) - 1.0;
    let w = -((1.0 - x) * (1.0 + x)).ln();
    let (at, coefficients) = if w < SPLIT { (w - 2.5, &CENTRAL) } else { (w.sqrt() - 3.0, &TAIL) };
    let polynomial = coefficients.iter().fold(0.0, |sum, c| sum * at + c);
    std::f64::consts::SQRT_2 * (polynomial * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Quantiles of the standard normal distribution, from tables.
    #[test]
    fn known_quantiles() {
        for (p, z) in [(0.5, 0.0), (0.841344746, 1.0), (0.977249868, 2.0), (0.998650102, 3.0), (0.999968329, 4.0)] {
            for (u, wanted) in [(p, z), (1.0 - p, -z)] {
                let got = normal_from_uniform(u - HALF_STEP);
                assert!((got - wanted).abs() < 1e-5, "quantile of {u}: {got}, not {wanted}");
            }
        }
    }

    #[test]
    fn ends_of_the_grid_are_finite_and_symmetric() {
        let last = 1.0 - 2.0 * HALF_STEP;
        assert!(normal_from_uniform(0.0).is_finite());
        assert!((normal_from_uniform(0.0) + normal_from_uniform(last)).abs() < 1e-12);
    }
}
