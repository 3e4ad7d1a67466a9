//! A program over arrays, which is given another one to predict on.

use std::fs;

use super::Place;
use crate::support::beside::array;

const PROGRAM: &str = "data Rows = npy(x = \"x.npy\") {
  x     = column(\"x\")
  split = random(train = 80%, valid = 20%)
  batch = 4
}
model Net(x: [batch, f]) -> [batch] = x |> Dense(one: 1) |> _[one = 0]
train Net on Rows {
  predict   = Net(x)
  loss      = mean(Net(x)^2)
  optimizer = SGD(lr = 0.01)
  epochs    = 1
}
";

/// Ten rows of so many ones.
fn ones(width: usize) -> Vec<u8> {
    let body: Vec<u8> = (0..10 * width).flat_map(|_| 1f32.to_le_bytes()).collect();
    array("<f4", &format!("(10, {width})"), &body)
}

#[test]
fn rows_to_predict_on_have_the_shape_of_those_trained_on() {
    let place = Place::new();
    fs::write(place.path("rows.model"), PROGRAM).unwrap();
    fs::write(place.path("x.npy"), ones(3)).unwrap();
    fs::write(place.path("wide.npy"), ones(5)).unwrap();
    place.run(&["run", "rows.model"]).with(0);
    let table = place.run(&["predict", "runs/rows-1", "--input", "x.npy"]).with(0).stdout;
    assert_eq!(table.lines().count(), 11, "{table}");
    let told = "an item of `x` has the shape 5 in `wide.npy`; the model was trained on 3";
    place.run(&["predict", "runs/rows-1", "--input", "wide.npy"]).says(&["E0723", told]);
}
