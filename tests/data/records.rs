//! Records of columns, and columns of columns.

use tensa::data::{Fitted, Part};

use super::{column, complaint, floats, loaded, mistake, right, table};

const ROWS: &str = "a,b,c\n1,10,x\n2,20,y\n3,30,x\n4,40,x\n";

#[test]
fn a_record_goes_through_one_pipeline() {
    let text = "data D = csv(\"t.csv\") {
      let half = column(\"a\") / 2
      both = { half: half, b: column(\"b\"), log: log(column(\"b\")) } |> minmax
      u, v = { v: column(\"a\"), u: column(\"b\") } |> _ * 3 |> scale(2)
    }";
    let data = loaded(text, &table(ROWS));
    assert_eq!(column(&data, Part::Train, "both").shape(), [4, 3]);
    let both = floats(&data, Part::Train, "both");
    for (row, cells) in both.chunks(3).enumerate() {
        let third = row as f32 / 3.0;
        let log = ((10.0 * (row + 1) as f64).ln() - 10f64.ln()) / (40f64.ln() - 10f64.ln());
        assert!((cells[0] - third).abs() < 1e-6 && (cells[1] - third).abs() < 1e-6, "{cells:?}");
        assert!((f64::from(cells[2]) - log).abs() < 1e-6, "{cells:?}");
    }
    assert_eq!(floats(&data, Part::Train, "u"), [60.0, 120.0, 180.0, 240.0]);
    assert_eq!(floats(&data, Part::Train, "v"), [6.0, 12.0, 18.0, 24.0]);
}

#[test]
fn a_record_is_taken_apart() {
    let text = "data D = csv(\"t.csv\") {
      let r = { a: column(\"a\"), b: column(\"b\") } |> standardize
      let { b, a } = r
      x = r.a - a
      y = r.b - b
      z = { one: column(\"c\") |> vocab[w], two: column(\"c\") |> vocab[w] }
    }";
    let data = loaded(text, &table(ROWS));
    assert_eq!(floats(&data, Part::Train, "x"), [0.0; 4]);
    assert_eq!(floats(&data, Part::Train, "y"), [0.0; 4]);
    assert_eq!(super::classes(&data, Part::Train, "z"), [0, 0, 1, 1, 0, 0, 0, 0]);
}

/// `rows` and `count` speak of the training rows, also in a model that is trained already.
#[test]
fn counts_are_of_the_training_rows() {
    let text = "data D = csv(\"t.csv\") {
      share = count(column(\"c\")) / rows
      split = chronological(train = 75%, test = 25%)
    }";
    let data = loaded(text, &table(ROWS));
    let third = |x: f32| (x / 3.0 * 3.0).round();
    let train: Vec<f32> = floats(&data, Part::Train, "share").into_iter().map(|x| third(3.0 * x)).collect();
    assert_eq!(train, [2.0, 1.0, 2.0]);
    assert_eq!(floats(&data, Part::Test, "share"), [2.0 / 3.0]);
    let kept = Fitted::from_json(&data.fitted().to_json()).expect("its own text");
    let other = table("a,b,c\n1,1,new\n1,1,y\n1,1,x\n1,1,x\n");
    let mut told = tensa::diag::Diagnostics::default();
    let again = tensa::data::load(&right(text), &other, 7, Some(&kept), &mut told).expect("rows");
    // A value without a training row counts as one.
    assert_eq!(floats(&again, Part::Train, "share"), [1.0 / 3.0, 1.0 / 3.0, 2.0 / 3.0]);
}

#[test]
fn mistakes_are_told() {
    for (entry, told) in [
        ("x, b = { a: column(\"a\"), b: column(\"b\") }", "E0707 the record has no field `x`"),
        ("x, y = column(\"a\")", "E0707 2 names stand here, and one column"),
        ("x = { a: column(\"a\"), a: column(\"b\") }", "E0710 the record has `a` twice"),
        ("let r = { alpha: column(\"a\") } x = r.alhpa", "E0707 the record has no field `alhpa`"),
        ("let r = column(\"a\") x = r.a", "E0707 `r` is one column and has no fields"),
        ("x = { a: column(\"a\"), b: column(\"b\") } |> standardise", "E0702 there is no transform `standardise`"),
        ("x = 1 + { a: column(\"a\") }", "E0709 `arithmetic` takes numbers, and this is a record of columns"),
        ("x = { a: 1 }", "E0707 this is not a column"),
    ] {
        assert_eq!(mistake(&format!("data D = csv(\"t.csv\") {{ {entry} }}")), told);
    }
    let told =
        complaint("data D = csv(\"t.csv\") { x = { a: column(\"a\"), c: column(\"c\") |> vocab } }", &table(ROWS));
    assert_eq!(
        told,
        "E0709 `a record under one name` takes numbers, or classes of one axis, and this is class numbers"
    );
}
