//! Windows of series: which rows they read, where they may lie, what they are fitted on.

use tensa::base::Symbol;
use tensa::data::{Input, Part, Rows};
use tensa::diag::Diagnostics;

use super::{classes, column, complaint, floats, loaded, mistake, right, table};

/// Ten days in a row, each value its day times ten.
fn days() -> tensa::data::Memory {
    table(&format!("day,v\n{}", (0..10).map(|day| format!("{day},{}\n", 10 * day)).collect::<String>()))
}

#[test]
fn windows_are_rows_that_follow_each_other() {
    let text = "data D = csv(\"t.csv\") {
      x    = column(\"v\") |> window[t](3)
      y    = column(\"v\") |> window(3, ahead = 1)
      two  = columns(\"day\", \"v\") |> window[t](2, at = 2)
      k    = column(\"day\") |> index[day: 10] |> window(1, at = 3)
      here = column(\"day\")
    }";
    let data = loaded(text, &days());
    assert_eq!(data.schema().rows(Part::Train), 7);
    assert_eq!(column(&data, Part::Train, "x").shape(), [7, 3]);
    assert_eq!(column(&data, Part::Train, "two").shape(), [7, 2, 2]);
    assert_eq!(column(&data, Part::Train, "y").shape(), [7]);
    let x = floats(&data, Part::Train, "x");
    let y = floats(&data, Part::Train, "y");
    let two = floats(&data, Part::Train, "two");
    let k = classes(&data, Part::Train, "k");
    for row in 0..7 {
        let at = |day: usize| (10 * day) as f32;
        assert_eq!(x[3 * row..][..3], [at(row), at(row + 1), at(row + 2)]);
        assert_eq!(y[row], at(row + 3));
        assert_eq!(two[4 * row..][..4], [(row + 2) as f32, at(row + 2), (row + 3) as f32, at(row + 3)]);
        assert_eq!(k[row], row as i32 + 3);
    }
    assert_eq!(floats(&data, Part::Train, "here"), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

/// Batches of a training epoch are the same windows in another order.
#[test]
fn batches_are_windows() {
    let data = loaded("data D = csv(\"t.csv\") { x = column(\"v\") |> window[t](4, stride = 2) batch = 3 }", &days());
    let loader = data.loader(Part::Train);
    assert_eq!((loader.rows(), loader.batches()), (4, 2));
    let mut seen = Vec::new();
    for index in 0..2 {
        let batch = super::batch(&loader, 3, index);
        let x = batch.columns[0].1.f32_slice().expect("floats").to_vec();
        for window in x.chunks(4) {
            assert!(window.windows(2).all(|pair| pair[1] == pair[0] + 10.0));
            seen.push(window[0] as i32);
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, [0, 20, 40, 60]);
}

/// A split in time drops the windows that lie on both sides of a cut, and nothing of another part is fitted on.
#[test]
fn no_window_straddles_a_cut() {
    let text = |split: &str| {
        format!(
            "data D = csv(\"t.csv\") {{ x = column(\"v\") |> standardize |> window[t](3) y = column(\"v\") |> window(3, ahead = 1) split = {split} }}"
        )
    };
    let data = loaded(&text("chronological(train = 60%, valid = 40%)"), &days());
    assert_eq!(floats(&data, Part::Train, "y"), [30.0, 40.0, 50.0]);
    assert_eq!(floats(&data, Part::Valid, "y"), [90.0]);
    // Mean and deviation of 0, 10, … 50.
    let (mean, deviation) = (25.0, (35.0f64 / 12.0).sqrt() * 10.0);
    let x = floats(&data, Part::Valid, "x");
    for (at, x) in x.iter().enumerate() {
        assert!((f64::from(*x) - (60.0 + 10.0 * at as f64 - mean) / deviation).abs() < 1e-5);
    }
    // Drawn at random, windows are shared out as they are.
    let data = loaded(&text("random(train = 5/7, valid = 2/7)"), &days());
    assert_eq!((data.schema().rows(Part::Train), data.schema().rows(Part::Valid)), (5, 2));
    let parts = format!(
        "day,v,part\n{}",
        (0..10).map(|day| format!("{day},{day},{}\n", if day < 5 { "train" } else { "test" })).collect::<String>()
    );
    let data = loaded(&text("by_column(\"part\")"), &table(&parts));
    assert_eq!((floats(&data, Part::Train, "y"), floats(&data, Part::Test, "y")), (vec![3.0, 4.0], vec![8.0, 9.0]));
}

/// Rows of several series in any order: `by` keeps them apart, in the order of their first rows, and `order`
/// puts them in time.
#[test]
fn series_are_kept_apart() {
    let rows: String = [("b", 2, 12), ("a", 3, 3), ("a", 1, 1), ("b", 1, 11), ("a", 2, 2), ("b", 3, 13), ("c", 1, 0)]
        .map(|(store, day, v)| format!("{store},2024-01-0{day},{v}\n"))
        .concat();
    let text = |split: &str| {
        format!(
            "data D = csv(\"t.csv\") {{
               x     = column(\"v\") |> window[t](2, by = column(\"store\"))
               store = column(\"store\") |> vocab(unknown = own)
               order = column(\"date\")
               {split}
             }}"
        )
    };
    let data = loaded(&text(""), &table(&format!("store,date,v\n{rows}")));
    assert_eq!(floats(&data, Part::Train, "x"), [11.0, 12.0, 12.0, 13.0, 1.0, 2.0, 2.0, 3.0]);
    assert_eq!(classes(&data, Part::Train, "store"), [1, 1, 0, 0]);
    // The cut is at one moment for all series: three of seven rows are of the first day.
    let rows = rows.replace("c,2024-01-01,0\n", "c,2024-01-04,0\nc,2024-01-04,5\n");
    let data =
        loaded(&text("split = chronological(train = 50%, valid = 50%)"), &table(&format!("store,date,v\n{rows}")));
    assert_eq!(floats(&data, Part::Train, "x"), [11.0, 12.0, 1.0, 2.0]);
    assert_eq!(floats(&data, Part::Valid, "x"), [0.0, 5.0]);
}

#[test]
fn windows_of_records_lie_side_by_side() {
    let text = "data D = csv(\"t.csv\") {
      past = { v: column(\"v\") / 10, day: column(\"day\"), sum: column(\"v\") + column(\"day\") } |> window[t](2)
    }";
    let data = loaded(text, &days());
    assert_eq!(column(&data, Part::Train, "past").shape(), [9, 2, 3]);
    assert_eq!(floats(&data, Part::Train, "past")[..6], [0.0, 0.0, 0.0, 1.0, 1.0, 11.0]);
}

/// To predict, only what the prediction reads has to be there.
#[test]
fn a_prediction_needs_its_own_window_alone() {
    let spec = right(
        "data D = csv(\"t.csv\") { x = column(\"v\") |> window[t](3) y = column(\"v\") |> window(3, ahead = 2) order = column(\"day\") }",
    );
    let files = days().with("new.csv", "day,v\n7,70\n6,60\n5,50\n");
    let mut told = Diagnostics::default();
    let input = Input::Path("new.csv".into());
    let rows = Rows::load(&spec, &Default::default(), &input, &[Symbol::new("x")], &files, &mut told).expect("rows");
    assert_eq!(rows.batch(0, 9).expect("a batch").columns[0].1.f32_slice(), Some([50.0, 60.0, 70.0].as_slice()));
}

#[test]
fn mistakes_are_told() {
    for (entries, told) in [
        ("x = column(\"v\") |> window", "E0704 `window` takes how many rows, as in `window[t](24)`"),
        ("x = column(\"v\") |> window(0)", "E0704 `window` takes how many rows, as in `window[t](24)`"),
        ("x = column(\"v\") |> window(2, at = -1)", "E0704 `window` takes a number of rows from 0 as `at`"),
        ("x = column(\"v\") |> window(2, strde = 1)", "E0704 `window` has no argument `strde`"),
        (
            "x = column(\"v\") |> window[t: 3](2)",
            "E0704 `window` takes `t: 2` or `t` in brackets: so many rows has a window",
        ),
        (
            "x = column(\"v\") |> window(2, stride = 2) y = column(\"v\") |> window(2, stride = 3)",
            "E0709 two windows have another `stride`",
        ),
        (
            "x = column(\"v\") |> window(2, by = column(\"s\")) y = column(\"v\") |> window(2)",
            "E0709 two windows have another `by`",
        ),
        ("x = column(\"v\") |> window(2) |> standardize", "E0709 `standardize` stands behind a window"),
        ("x = (column(\"v\") |> window(2)) + 1", "E0709 `arithmetic` takes numbers, and this is windows"),
    ] {
        assert_eq!(mistake(&format!("data D = csv(\"t.csv\") {{ {entries} }}")), told);
    }
    let told = complaint(
        "data D = csv(\"t.csv\") { x = column(\"v\") |> window(9) y = column(\"v\") |> window(2, at = 9) }",
        &days(),
    );
    assert_eq!(told, "E0735 the longest series has 10 rows, and the windows read 11");
    let told = complaint(
        "data D = csv(\"t.csv\") { x = column(\"v\") |> window(6) split = chronological(valid = 50%) }",
        &days(),
    );
    assert_eq!(told, "E0726 the `train` part of the split is empty");
}
