//! What is nearly 0, or far from it, keeps its digits: values that mpmath computed, of which a naive form in f32 has none.

use std::sync::Arc;

use tensa::backend::interp::{Interp, graph};
use tensa::driver;
use tensa::ir::DType;
use tensa::ops::Value;
use tensa::sema::typed::Precision;

use crate::support::models;
use crate::support::steps;

/// x, log(1 + exp(x)), 1 / (1 + exp(-x)); by mpmath with 40 digits.
const SOFTPLUS: [(f64, f64, f64); 7] = [
    (-100.0, 3.720_075_976_020_836e-44, 3.720_075_976_020_836e-44),
    (-20.0, 2.061_153_620_314_381e-9, 2.061_153_618_190_203_6e-9),
    (-0.001, 0.692_647_305_559_940_1, 0.499_750_000_020_833_3),
    (0.0, std::f64::consts::LN_2, 0.5),
    (0.001, 0.693_647_305_559_940_1, 0.500_249_999_979_166_7),
    (20.0, 20.000_000_002_061_154, 0.999_999_997_938_846_4),
    (100.0, 100.0, 1.0),
];

/// What a model makes of these rows, in f64 by its graph and in f32 by its kernels.
fn both(model: &str, rows: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut alone = models::open(model, "").unwrap_or_else(|told| panic!("{told} in\n{model}"));
    alone.given.sizes.iter_mut().for_each(|size| *size = rows.len() as i64);
    alone.given.inputs = vec![Value::new(vec![rows.len()], rows.to_vec())];
    let graph = driver::forward(alone.stages.lowered.prediction.as_ref().expect("a prediction"), Precision::F32);
    let exact = graph::run(&graph, &alone.given).expect("sizes in range")[0].1.data.to_vec();
    let program = Arc::new(driver::kernels(&graph));
    let outputs = steps::run(&graph, &program, &Interp, &steps::rounded(alone.given.clone())).expect("sizes in range");
    let single = outputs[0].1.iter().map(|word| steps::element(*word, DType::F32)).collect();
    (exact, single)
}

#[test]
fn softplus_keeps_its_digits_in_both_tails() {
    let rows: Vec<f64> = SOFTPLUS.iter().map(|(x, ..)| *x).collect();
    let values = both("model M(x: [batch]) -> [batch] = softplus(x)", &rows);
    let slopes = both("model M(x: [batch]) -> [batch] = grad(sum(softplus(x)), x)", &rows);
    for (at, (x, value, slope)) in SOFTPLUS.into_iter().enumerate() {
        for ((exact, single), want) in [(&values, value), (&slopes, slope)] {
            // Some roundings; below the smallest normal number of f32 `exp` is 0.
            for (got, rounding) in [(exact[at], 1e-14), (single[at], 5e-7)] {
                let most = (rounding * want).max(f64::from(f32::MIN_POSITIVE));
                assert!((got - want).abs() < most, "at {x}: {got}, not {want}");
            }
        }
    }
}
