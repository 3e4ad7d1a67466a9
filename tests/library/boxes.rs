//! Boxes: where anchors lie, and how boxes lie to each other.

use tensa::ops::Value;

use super::{assert_close, open};
use crate::support::models;

/// Three sizes of three shapes around the middle of each cell of three grids.
#[test]
fn anchors_lie_on_three_grids() {
    let model = open("model M(x: [batch, anchor: 756, side: 4]) = x - anchors(64)");
    let mut anchors: Vec<[f64; 4]> = Vec::new();
    for stride in [8, 16, 32] {
        for (row, column) in (0..64 / stride).flat_map(|row| (0..64 / stride).map(move |column| (row, column))) {
            for (shape, size) in (0..3).flat_map(|shape| (0..3).map(move |size| (shape, size))) {
                // Of one area, however wide they are.
                let side = 4.0 * f64::from(stride) * 2.0_f64.powf(f64::from(size) / 3.0);
                let tall = 2.0_f64.powf(f64::from(shape - 1) / 2.0);
                let (y, x) =
                    ((f64::from(row) + 0.5) * f64::from(stride), (f64::from(column) + 0.5) * f64::from(stride));
                let (dy, dx) = (side * tall / 2.0, side / tall / 2.0);
                anchors.push([x - dx, y - dy, x + dx, y + dy]);
            }
        }
    }
    assert_eq!(anchors.len(), 756);
    let x = model.given.inputs[0].clone();
    let want = Value::from_fn(&x.dims, |at| x.at(at) - anchors[at[1]][at[2]]);
    assert_close(&model.predict(), &want);
}

#[test]
fn offsets_lead_to_the_box_again() {
    // Edges in their order: the second half is what a box has beyond the first.
    let whole = |name: &str| format!("concat[side]({name}, {name} + 0.5 + abs({name}))");
    let (a, b) = (whole("p"), whole("q"));
    let signature = "model M(p: [batch, side: 2], q: [batch, side: 2])";
    let offsets = open(&format!("{signature} = box_offsets({a}, {b})"));
    let inputs = offsets.given.inputs.clone();
    let far = |near: f64| near + 0.5 + near.abs();
    let want = Value::from_fn(&[models::BATCH, 4], |at| {
        let (low, high) = ([0, 1].map(|of| inputs[of].at(&[at[0], at[1] % 2])), at[1] >= 2);
        let [width, other] = low.map(|low| far(low) - low);
        match high {
            true => (width / other).ln(),
            false => (low[0] + far(low[0]) - low[1] - far(low[1])) / 2.0 / other,
        }
    });
    assert_close(&offsets.predict(), &want);
    let again = open(&format!("{signature} = box_moved(box_offsets({a}, {b}), {b}) - {a}"));
    assert_close(&again.predict(), &Value::from_fn(&[models::BATCH, 4], |_| 0.0));
}
