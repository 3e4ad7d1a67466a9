//! What transforms compute, and on which rows they are fitted.

use tensa::base::Symbol;
use tensa::data::{ColumnType, Fitted, Input, Part, Rows, Statistic, load};
use tensa::diag::{Diagnostics, Severity};

use super::{classes, complaint, floats, loaded, right, table, try_load};

/// Train on the first three of four rows, test on the last.
fn text(entries: &str) -> String {
    format!("data D = csv(\"t.csv\") {{ {entries} split = chronological(train = 75%, test = 25%) }}")
}

fn close(a: &[f32], b: &[f32]) {
    assert_eq!(a.len(), b.len(), "{a:?} {b:?}");
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-6 * b.abs().max(1.0)), "{a:?} is not {b:?}");
}

#[test]
fn statistics_come_from_training_rows_only() {
    let files = table("a,b\n1,10\n2,20\n3,60\n100,0\n");
    let data = loaded(&text("x = columns(\"a\", \"b\") |> standardize"), &files);
    // a: mean 2, deviation √(2/3); b: mean 30, deviation √(1400/3).
    let (da, db) = ((2.0f32 / 3.0).sqrt(), (1400.0f32 / 3.0).sqrt());
    close(&floats(&data, Part::Train, "x"), &[-1.0 / da, -20.0 / db, 0.0, -10.0 / db, 1.0 / da, 30.0 / db]);
    close(&floats(&data, Part::Test, "x"), &[98.0 / da, -30.0 / db]);
    let data = loaded(&text("x = column(\"a\") |> minmax"), &files);
    close(&floats(&data, Part::Train, "x"), &[0.0, 0.5, 1.0]);
    close(&floats(&data, Part::Test, "x"), &[49.5]);
}

#[test]
fn missing_values_are_filled() {
    let files = table("a\n1\n\nNA\n");
    assert_eq!(
        floats(&loaded("data D = csv(\"t.csv\") { x = column(\"a\") |> impute(7) }", &files), Part::Train, "x"),
        [1.0, 7.0]
    );
    let files = table("a,b\n1,1\n,1\n5,1\n9,1\n?,1\n,1\n1000,1\n,1\n");
    let of = |fill: &str| {
        let data = loaded(&text(&format!("x = column(\"a\") |> impute({fill})")), &files);
        (floats(&data, Part::Train, "x"), floats(&data, Part::Test, "x"))
    };
    assert_eq!(of("mean"), (vec![1.0, 5.0, 5.0, 9.0, 5.0, 5.0], vec![1000.0, 5.0]));
    assert_eq!(of("median").0[1], 5.0);
    assert_eq!(of("-1").1, [1000.0, -1.0]);
    // Filled after standardizing: statistics pass over what is missing.
    let data = loaded(&text("x = column(\"a\") |> standardize |> impute(0)"), &files);
    let x = floats(&data, Part::Train, "x");
    assert_eq!((x[1], x[2]), (0.0, 0.0));
    assert!(x[0] < -1.0);
}

#[test]
fn arithmetic_goes_row_by_row() {
    let files = table("a,b,c\n6,3,1\n9,-3,2\n");
    let of = |x: &str| floats(&loaded(&format!("data D = csv(\"t.csv\") {{ {x} }}"), &files), Part::Train, "x");
    assert_eq!(of("x = column(\"a\") / column(\"b\")"), [2.0, -3.0]);
    assert_eq!(of("x = 2 * column(\"a\") - column(\"b\") ^ 2"), [3.0, 9.0]);
    assert_eq!(of("x = -column(\"b\") + size"), [5.0, 11.0]);
    assert_eq!(of("let total = column(\"a\") + column(\"b\") x = total / 3"), [3.0, 2.0]);
    assert_eq!(of("x = columns(\"a\", \"b\") * column(\"c\")"), [6.0, 3.0, 18.0, -6.0]);
    assert_eq!(of("x = column(\"c\") - columns(\"a\", \"b\")"), [-5.0, -2.0, -7.0, 5.0]);
    assert_eq!(of("x = columns(\"a\", \"b\") / columns(\"b\", \"c\")"), [2.0, 3.0, -3.0, -1.5]);
    assert_eq!(of("x = 1 - 2 * column(\"c\") |> scale(10)"), [-10.0, -30.0]);
    assert_eq!(of("x = log1p(column(\"c\") - 1)"), [0.0, 2.0f32.ln()]);
}

#[test]
fn a_long_sum_nests_nothing() {
    let terms = vec!["column(\"a\")"; 2000].join(" + ");
    let data = loaded(&format!("data D = csv(\"t.csv\") {{ x = {terms} }}"), &table("a\n1\n2\n"));
    assert_eq!(floats(&data, Part::Train, "x"), [2000.0, 4000.0]);
}

#[test]
fn what_is_not_defined_is_named() {
    let files = table("a,b\n6,3\n9,0\n");
    let with = |x: &str| complaint(&format!("data D = csv(\"t.csv\") {{ x = {x} }}"), &files);
    assert_eq!(with("column(\"a\") / column(\"b\")"), "E0720 `a` is inf in row 2 (line 3) of `t.csv`");
    assert_eq!(with("column(\"b\") / column(\"b\")"), "E0720 `b` is NaN in row 2 (line 3) of `t.csv`");
    assert_eq!(
        with("column(\"a\") |> scale(10 ^ 30) |> scale(10 ^ 30)"),
        "E0720 `a` is inf in row 1 (line 2) of `t.csv`"
    );
    assert_eq!(
        with("column(\"b\") - 4 |> log1p"),
        "E0720 `log1p` of -1 in column `b`, row 1 (line 2) of `t.csv`, is not defined"
    );
    assert_eq!(with("columns(\"a\", \"b\") + columns(\"a\", \"b\", \"a\")"), "E0709 the shapes 2 and 3 do not agree");
    let expected = "E0719 `impute` finds no value of `a` in the training rows";
    assert_eq!(complaint(&text("x = column(\"a\") |> impute(mean)"), &table("a,b\n,1\n,1\n,1\n4,1\n")), expected);
    // A gap is a gap, also behind arithmetic, and named by its own column.
    let expected = "E0719 column `b` is missing in row 2 (line 3) of `t.csv`";
    assert_eq!(
        complaint("data D = csv(\"t.csv\") { x = column(\"a\") / column(\"b\") }", &table("a,b\n1,1\n2,\n")),
        expected
    );
}

#[test]
fn a_constant_column_is_a_warning() {
    let (dataset, diagnostics) =
        try_load(&text("x = columns(\"a\", \"b\") |> standardize"), &table("a,b\n3,1\n3,2\n3,3\n5,4\n"));
    let dataset = dataset.expect("a warning stops nothing");
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].severity, Severity::Warning);
    assert_eq!(diagnostics[0].message, "`a` has one value in all training rows; `standardize` makes it 0");
    assert_eq!(floats(&dataset, Part::Train, "x")[0], 0.0);
    assert_eq!(floats(&dataset, Part::Test, "x")[0], 2.0);
}

#[test]
fn words_become_classes_in_order() {
    let names = |cells: &str| {
        let data = loaded("data D = csv(\"t.csv\") { y = column(\"y\") |> vocab }", &table(&format!("y\n{cells}")));
        let ColumnType::Index { names, .. } = data.schema().columns[0].ty.clone() else { panic!() };
        (names, classes(&data, Part::Train, "y"))
    };
    assert_eq!(names("b\na\nb\n"), (vec!["a".to_owned(), "b".to_owned()], vec![1, 0, 1]));
    assert_eq!(names("10\n9\n-1\n"), (vec!["-1".to_owned(), "9".to_owned(), "10".to_owned()], vec![2, 1, 0]));
    // Many columns share one vocabulary: there is one axis.
    let data = loaded(
        "data D = csv(\"t.csv\") { y = columns[field](\"a\", \"b\") |> vocab[word] }",
        &table("a,b\nx,y\nz,x\n"),
    );
    assert_eq!(classes(&data, Part::Train, "y"), [0, 1, 2, 0]);
    assert_eq!(data.schema().columns[0].axes[0].name, Some(Symbol::new("field")));
}

#[test]
fn a_said_number_of_classes_is_held() {
    let with = |axis: &str| format!("data D = csv(\"t.csv\") {{ y = column(\"y\") |> vocab[{axis}] }}");
    loaded(&with("class: 2"), &table("y\na\nb\n"));
    assert_eq!(
        complaint(&with("class: 3"), &table("y\na\nb\n")),
        "E0729 the training rows have 2 classes, the axis has size 3"
    );
}

#[test]
fn unknown_words_have_a_class_of_their_own() {
    let files = table("y,z\na,1\nb,1\na,1\nc,1\n");
    let data = loaded(&text("y = column(\"y\") |> vocab(unknown = own)"), &files);
    assert_eq!(classes(&data, Part::Test, "y"), [2]);
    let ColumnType::Index { names, size, .. } = &data.schema().columns[0].ty else { panic!() };
    assert_eq!((names.as_slice(), *size), (["a", "b", "<unknown>"].map(str::to_owned).as_slice(), 3));
    let missing = loaded(&text("y = column(\"y\") |> vocab(unknown = own)"), &table("y,z\na,1\nb,1\n,1\na,1\n"));
    assert_eq!(classes(&missing, Part::Train, "y"), [0, 1, 2]);
}

#[test]
fn numbers_stay_class_numbers() {
    let of = |entry: &str, cells: &str| {
        let (dataset, diagnostics) = try_load(&format!("data D = csv(\"t.csv\") {{ {entry} }}"), &table(cells));
        dataset.map(|data| classes(&data, Part::Train, "y")).ok_or_else(|| super::line(&diagnostics[0]))
    };
    assert_eq!(of("y = column(\"y\") |> index[class: 3]", "y\n0\n2\n1.0\n"), Ok(vec![0, 2, 1]));
    // Beyond the digits of f32.
    assert_eq!(of("y = column(\"y\") |> index", "y\n16777217\n"), Ok(vec![16_777_217]));
    assert_eq!(of("y = column(\"y\") - 1 |> index[class: 2]", "y\n1\n2\n"), Ok(vec![0, 1]));
    let outside = "E0724 label 3 in column `y`, row 2 (line 3) of `t.csv`, is outside axis `class` of size 3";
    assert_eq!(of("y = column(\"y\") |> index[class: 3]", "y\n0\n3\n"), Err(outside.to_owned()));
    let half = "E0718 0.5 in column `y`, row 1 (line 2) of `t.csv`, is not a whole number";
    assert_eq!(of("y = column(\"y\") |> index[class: 3]", "y\n0.5\n"), Err(half.to_owned()));
    let word = "E0718 `a` in column `y`, row 1 (line 2) of `t.csv`, is not a number";
    assert_eq!(of("y = column(\"y\") |> index[class: 3]", "y\na\n"), Err(word.to_owned()));
}

#[test]
fn one_hot_makes_an_axis() {
    let data = loaded("data D = csv(\"t.csv\") { x = column(\"y\") |> one_hot[kind] }", &table("y\nb\na\nb\n"));
    assert_eq!(floats(&data, Part::Train, "x"), [0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    let column = &data.schema().columns[0];
    assert_eq!(
        (column.ty.clone(), column.axes[0].name, column.axes[0].size),
        (ColumnType::F32, Some(Symbol::new("kind")), 2)
    );
    // The axis of the classes, unless brackets say another.
    let data = loaded("data D = csv(\"t.csv\") { x = column(\"y\") |> index[class: 4] |> one_hot }", &table("y\n3\n"));
    assert_eq!(data.schema().columns[0].axes[0].name, Some(Symbol::new("class")));
    assert_eq!(floats(&data, Part::Train, "x"), [0.0, 0.0, 0.0, 1.0]);
}

const MODEL: &str = "x = columns(\"a\", \"b\") |> impute(median) |> standardize y = column(\"y\") |> vocab";

#[test]
fn fitted_values_travel_as_json() {
    let files = table("a,b,y\n1,0.1,p\n,0.7,q\n4,0.33,p\n9,9,q\n");
    let data = loaded(&text(MODEL), &files);
    let json = data.fitted().to_json();
    let back = Fitted::from_json(&json).expect("what was written");
    assert_eq!(&back, data.fitted());
    let places: Vec<&str> = back.stages.keys().map(String::as_str).collect();
    assert_eq!(places, ["x.1.impute", "x.2.standardize", "y.1.vocab"]);
    assert_eq!(back.stages["y.1.vocab"], Statistic::Vocab { classes: vec!["p".into(), "q".into()], unknown: false });

    // Rows of another file see the same numbers, and need no labels.
    let spec = right(&text(MODEL));
    let files = files.with("new.csv", "b,a\n0.1,1\n9,\n");
    let mut diagnostics = Diagnostics::default();
    let wanted = [Symbol::new("x")];
    let rows =
        Rows::load(&spec, &back, &Input::Path("new.csv".into()), &wanted, &files, &mut diagnostics).expect("right");
    assert!(diagnostics.is_empty());
    assert_eq!(rows.len(), 2);
    let batch = rows.batch(0, 10).expect("no pictures");
    assert_eq!(batch.rows, 2);
    assert_eq!(batch.columns[0].1.f32_slice().expect("floats")[..2], floats(&data, Part::Train, "x")[..2]);
    assert_eq!(rows.batch(1, 2).expect("no pictures").columns[0].1.shape(), [1, 2]);
    assert_eq!(rows.batch(5, 9).expect("no pictures").rows, 0);

    // Loading with what was fitted fits nothing: other training rows, the same statistics.
    let other = table("a,b,y\n100,5,p\n200,6,q\n300,7,p\n9,9,q\n");
    let again = load(&spec, &other, 7, Some(&back), &mut diagnostics).expect("right");
    assert_eq!(again.fitted(), &back);
    assert_eq!(floats(&again, Part::Test, "x"), floats(&data, Part::Test, "x"));
}

#[test]
fn fitted_values_of_another_program_are_refused() {
    let files = table("a,b,y\n1,0.1,p\n2,0.7,q\n4,0.33,p\n9,9,q\n");
    let fitted = loaded(&text(MODEL), &files).fitted().clone();
    let with = |entries: &str| {
        let mut diagnostics = Diagnostics::default();
        let none = load(&right(&text(entries)), &files, 7, Some(&fitted), &mut diagnostics);
        assert!(none.is_none());
        diagnostics.iter().map(super::line).collect::<Vec<_>>()
    };
    assert_eq!(with("x = column(\"a\") |> minmax"), ["E0730 the model keeps no fitted values for `x.1.minmax`"]);
    assert_eq!(
        with("x = column(\"a\") |> impute(median)"),
        ["E0730 the model keeps no fitted values for `x.1.impute`"]
    );
    assert_eq!(
        with("y = column(\"y\") |> vocab(unknown = own)"),
        ["E0730 the model keeps no fitted values for `y.1.vocab`"]
    );
}

#[test]
fn prediction_names_what_is_missing() {
    let files = table("a,b,y\n1,0.1,p\n2,0.7,q\n4,0.33,p\n9,9,q\n").with("new.csv", "a,c\n1,2\n");
    let spec = right(&text(MODEL));
    let fitted = loaded(&text(MODEL), &files).fitted().clone();
    let with = |path: &str| {
        let mut diagnostics = Diagnostics::default();
        let input = Input::Path(path.to_owned());
        let none = Rows::load(&spec, &fitted, &input, &[Symbol::new("x")], &files, &mut diagnostics);
        assert!(none.is_none());
        diagnostics.iter().map(super::line).collect::<Vec<_>>()
    };
    assert_eq!(with("new.csv"), ["E0717 `new.csv` has no column `b`"]);
    assert_eq!(with("now.csv"), ["E0711 cannot read `now.csv`: there is no such file"]);
}
