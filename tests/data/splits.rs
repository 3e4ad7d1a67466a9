//! Which rows train, validate and test.

use std::collections::BTreeSet;

use tensa::data::{Dataset, Memory, Part, load};
use tensa::diag::Diagnostics;

use super::{complaint, floats, loaded, right, table};

fn rows(dataset: &Dataset) -> [usize; 3] {
    Part::ALL.map(|part| dataset.schema().rows(part))
}

/// `x` counts the rows, `y` is one of three classes in turn.
fn counted(rows: usize) -> Memory {
    let lines: String = (0..rows).map(|row| format!("{row},{}\n", ["a", "b", "c"][row % 3])).collect();
    table(&format!("x,y\n{lines}"))
}

fn split(split: &str) -> String {
    format!("data D = csv(\"t.csv\") {{ x = column(\"x\") y = column(\"y\") |> vocab split = {split} }}")
}

/// All rows are there, each once.
fn assert_partition(dataset: &Dataset, rows: usize) {
    let all: Vec<f32> = Part::ALL.iter().flat_map(|part| floats(dataset, *part, "x")).collect();
    assert_eq!(all.len(), rows);
    assert_eq!(all.iter().map(|x| *x as usize).collect::<BTreeSet<_>>().len(), rows);
}

#[test]
fn random_shares_are_exact() {
    let data = loaded(&split("random(train = 80%, valid = 10%, test = 10%)"), &counted(150));
    assert_eq!(rows(&data), [120, 15, 15]);
    assert_partition(&data, 150);
    assert_ne!(floats(&data, Part::Train, "x")[..5], [0.0, 1.0, 2.0, 3.0, 4.0]);
    assert_eq!(rows(&loaded(&split("random(valid = 15%, test = 15%)"), &counted(7))), [5, 1, 1]);
}

#[test]
fn strata_keep_their_shares() {
    let data = loaded(&split("stratified(y, train = 70%, valid = 15%, test = 15%)"), &counted(150));
    assert_eq!(rows(&data), [105, 23, 22]);
    assert_partition(&data, 150);
    for (part, least, most) in [(Part::Train, 35, 35), (Part::Valid, 7, 8), (Part::Test, 7, 8)] {
        let labels = super::classes(&data, part, "y");
        for class in 0..3 {
            let count = labels.iter().filter(|&&label| label == class).count();
            assert!((least..=most).contains(&count), "{part:?} {class}: {count}");
        }
    }
    // Four rows a class and 5 %: every part sees every class all the same.
    let data = loaded(&split("stratified(y, train = 90%, valid = 5%, test = 5%)"), &counted(12));
    assert_eq!(rows(&data), [6, 3, 3]);
}

#[test]
fn the_seed_decides_and_nothing_else() {
    let spec = right(&split("stratified(y, train = 70%, valid = 15%, test = 15%)"));
    let of = |seed| {
        let data = load(&spec, &counted(60), seed, None, &mut Diagnostics::default()).expect("right");
        floats(&data, Part::Test, "x")
    };
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
    assert_ne!(of(1), of(1 | 1 << 40));
}

#[test]
fn the_file_can_say_it() {
    let files = table("x,y,part\n0,a,test\n1,a,train\n2,b,train\n3,b,valid\n");
    let data = loaded(&split("by_column(\"part\")"), &files);
    assert_eq!(floats(&data, Part::Train, "x"), [1.0, 2.0]);
    assert_eq!((floats(&data, Part::Valid, "x"), floats(&data, Part::Test, "x")), (vec![3.0], vec![0.0]));
    let files = table("x,y,part\n0,a,train\n1,a,Train\n");
    let expected = "E0728 `Train` in column `part`, row 2 (line 3) of `t.csv`, names no part of the split";
    assert_eq!(complaint(&split("by_column(\"part\")"), &files), expected);
    let files = table("x,y,part\n0,a,test\n");
    assert_eq!(complaint(&split("by_column(\"part\")"), &files), "E0726 the `train` part of the split is empty");
}

#[test]
fn time_goes_forward() {
    let text = split("chronological(column(\"d\"), train = 50%, valid = 25%, test = 25%)");
    let data = loaded(&text, &table("x,y,d\n0,a,2024-03-01\n1,a,2023-12-31\n2,a,2024-01-15\n3,a,2024-01-02\n"));
    assert_eq!(floats(&data, Part::Train, "x"), [1.0, 3.0]);
    assert_eq!((floats(&data, Part::Valid, "x"), floats(&data, Part::Test, "x")), (vec![2.0], vec![0.0]));
    let data = loaded(&text, &table("x,y,d\n0,a,10\n1,a,9\n2,a,-1\n3,a,2.5\n"));
    assert_eq!(floats(&data, Part::Train, "x"), [2.0, 3.0]);
    let expected = "E0728 `31.12.2023` in column `d`, row 2 (line 3) of `t.csv`, is neither a number nor a date";
    assert_eq!(complaint(&text, &table("x,y,d\n0,a,2024-03-01\n1,a,31.12.2023\n")), expected);
    // Without a column, the file is in order.
    let data = loaded(&split("chronological(train = 75%, test = 25%)"), &counted(8));
    assert_eq!(floats(&data, Part::Test, "x"), [6.0, 7.0]);
}

#[test]
fn parts_from_other_files() {
    let files = counted(20).with("v.csv", "y,x\na,100\n").with("u.csv", "x,y\n200,c\n201,b\n");
    let data = loaded(&split("files(valid = csv(\"v.csv\"), test = csv(\"u.csv\"))"), &files);
    assert_eq!(rows(&data), [20, 1, 2]);
    assert_eq!(floats(&data, Part::Test, "x"), [200.0, 201.0]);
    assert_eq!(super::classes(&data, Part::Test, "y"), [2, 1]);
    let data = loaded(&split("files(test = csv(\"u.csv\"), valid = 10%)"), &files);
    assert_eq!(rows(&data), [18, 2, 2]);
}

#[test]
fn splits_that_cannot_be() {
    assert_eq!(complaint(&split("random(valid = 10%)"), &counted(3)), "E0726 the `valid` part of the split is empty");
    let thirds = split("stratified(y, valid = 10%, test = 10%)");
    assert_eq!(complaint(&thirds, &counted(8)), "E0727 class `c` has 2 rows, too few for 3 parts");
    // `c` is only in the last row, which is not trained on.
    let files = table("x,y\n0,a\n1,b\n2,a\n3,c\n");
    let expected = "E0725 class `c` in column `y`, row 4 (line 5) of `t.csv`, does not occur in the training rows";
    assert_eq!(complaint(&split("chronological(train = 75%, test = 25%)"), &files), expected);
    let files = counted(9).with("u.csv", "x,y\n1,a\n2,d\n");
    let expected = "E0725 class `d` in column `y`, row 2 (line 3) of `u.csv`, does not occur in the training rows";
    assert_eq!(complaint(&split("files(test = csv(\"u.csv\"))"), &files), expected);
}
