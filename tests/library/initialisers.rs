//! First values: their spread against the formulas of the papers, and what makes a matrix orthogonal.

use tensa::ops::Value;

use crate::support::models;

/// The first value of `param w[axes] ~ init`.
fn first(axes: &str, init: &str) -> Value {
    let text = format!(
        "model M(x: [batch, d: 4]) {{
          param w[{axes}] ~ {init}
          mean(x) * sum(w)
        }}"
    );
    let mut model = models::open(&text, "").unwrap_or_else(|told| panic!("{told} in\n{text}"));
    model.param(".w").clone()
}

fn mean(data: &[f64]) -> f64 {
    data.iter().sum::<f64>() / data.len() as f64
}

#[test]
fn first_values_have_the_spread_of_their_papers() {
    // 200 in, 100 out: 20000 numbers, whose variance is known to about 2 percent and whose mean to 1 percent of their
    // deviation.
    let truncated = {
        // The variance of a normal number cut at 2: 1 - 4 phi(2) / (2 Phi(2) - 1).
        let density = (-2.0f64).exp() / (2.0 * std::f64::consts::PI).sqrt();
        1.0 - 4.0 * density / 0.954_499_736_103_642
    };
    for (init, variance, bound) in [
        ("glorot", 2.0 / 300.0, Some((6.0f64 / 300.0).sqrt())),
        ("glorot_normal", 2.0 / 300.0, None),
        ("he", 2.0 / 200.0, Some((6.0f64 / 200.0).sqrt())),
        ("he_normal", 2.0 / 200.0, None),
        ("lecun", 1.0 / 200.0, Some((3.0f64 / 200.0).sqrt())),
        ("lecun_normal", 1.0 / 200.0, None),
        ("normal(0.02)", 0.02 * 0.02, None),
        ("uniform(-0.1, 0.1)", 0.2 * 0.2 / 12.0, Some(0.1)),
        ("truncated_normal(0.5)", 0.25 * truncated, Some(1.0)),
    ] {
        let w = first("i: 200, o: 100", init);
        let (m, square) = (mean(&w.data), mean(&w.data.iter().map(|x| x * x).collect::<Vec<_>>()));
        assert!(m.abs() < 0.03 * variance.sqrt(), "{init}: the mean is {m}");
        assert!((square / variance - 1.0).abs() < 0.06, "{init}: the variance is {square}, not {variance}");
        if let Some(bound) = bound {
            let most = w.data.iter().fold(0.0f64, |most, x| most.max(x.abs()));
            assert!(most <= bound && most > 0.95 * bound, "{init} reaches {most}, not {bound}");
        }
    }
}

/// The largest difference of the products of all pairs of columns, or rows, from those of an orthogonal matrix.
fn skew(at: impl Fn(usize, usize) -> f64, long: usize, short: usize) -> f64 {
    let pairs = (0..short).flat_map(|a| (0..short).map(move |b| (a, b)));
    let product = |(a, b)| (0..long).map(|k| at(k, a) * at(k, b)).sum::<f64>() - f64::from(u8::from(a == b));
    pairs.map(product).fold(0.0, |most: f64, off: f64| most.max(off.abs()))
}

#[test]
fn orthogonal_matrices_are() {
    let w = first("i: 32, o: 32", "orthogonal");
    let off = skew(|k, a| w.at(&[k, a]), 32, 32);
    assert!(off < 1e-5, "square: {off}");
    let w = first("i: 40, o: 12", "orthogonal");
    let off = skew(|k, a| w.at(&[k, a]), 40, 12);
    assert!(off < 1e-5, "tall: {off}");
    let w = first("i: 12, o: 40", "orthogonal");
    let off = skew(|k, a| w.at(&[a, k]), 40, 12);
    assert!(off < 1e-5, "wide: {off}");
    // One matrix for each gate, as a recurrent layer has them, and they differ.
    let w = first("i: 8, gate: 3, o: 8", "orthogonal[i -> o]");
    for gate in 0..3 {
        let off = skew(|k, a| w.at(&[k, gate, a]), 8, 8);
        assert!(off < 1e-5, "gate {gate}: {off}");
    }
    assert_ne!(w.at(&[0, 0, 0]), w.at(&[0, 1, 0]));
    // The taps and channels of a convolution go in together.
    let w = first("k: 3, c: 4, o: 6", "orthogonal[k, c -> o]");
    let off = skew(|k, a| w.at(&[k / 4, k % 4, a]), 12, 6);
    assert!(off < 1e-5, "convolution: {off}");
}

#[test]
fn the_identity_has_ones_where_both_places_are_one() {
    for (dims, axes, init) in [([3, 3], "i: 3, o: 3", "identity"), ([2, 4], "i: 2, o: 4", "identity")] {
        let want = Value::from_fn(&dims, |at| f64::from(u8::from(at[0] == at[1])));
        assert_eq!(first(axes, init), want);
    }
    let want = Value::from_fn(&[3, 2, 3], |at| f64::from(u8::from(at[0] == at[2])));
    assert_eq!(first("i: 3, gate: 2, o: 3", "identity[i -> o]"), want);
}
