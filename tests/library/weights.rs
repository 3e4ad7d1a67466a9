//! Losses of which each place has a weight.

use super::{assert_close, open};
use crate::support::models::BATCH;

const HEAD: &str = "model M(z: logit[batch, t: 4, class: 3], y: index(class)[batch, t], w: [batch, t]) =";

#[test]
fn places_count_by_their_weights() {
    let model = open(&format!("{HEAD} cross_entropy(z, y, weight = abs(w))"));
    let [z, y, w] = [0, 1, 2].map(|at| &model.given.inputs[at]);
    let (mut sum, mut all) = (0.0, 0.0);
    for (row, t) in (0..BATCH).flat_map(|row| (0..4).map(move |t| (row, t))) {
        let score = |class: usize| z.at(&[row, t, class]);
        let norm = (0..3).map(|class| score(class).exp()).sum::<f64>().ln();
        let weight = w.at(&[row, t]).abs();
        sum += weight * (norm - score(y.at(&[row, t]) as usize));
        all += weight;
    }
    let loss = model.predict();
    assert!((loss.data[0] - sum / all).abs() < 1e-9, "{loss:?}");
}

/// A class whose places weigh nothing is one that is ignored, whatever else the loss is told.
#[test]
fn no_weight_is_to_be_ignored() {
    for more in ["", ", smooth = 0.1", ", weights = concat[class](0.5, 2.0, 1.25)", ", smooth = 0.2, ignore = 0"] {
        let ignored = match more.contains("ignore") {
            true => format!("{HEAD} cross_entropy(z, y{}, weight = y != 0)", more.replace(", ignore = 0", "")),
            false => format!("{HEAD} cross_entropy(z, y{more}, ignore = 2)"),
        };
        let class = if more.contains("ignore") { 0 } else { 2 };
        let weighed = format!("{HEAD} cross_entropy(z, y{more}, weight = y != {class})");
        let value = |text: &str| open(&format!("{text} + 0 * sum(w)")).predict();
        assert_close(&value(&weighed), &value(&ignored));
    }
    let none = open(&format!("{HEAD} cross_entropy(z, y, weight = 0 * w)")).predict();
    assert_eq!(none.data, [0.0]);
}
