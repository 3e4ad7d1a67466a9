//! IDX files, packed and plain.

use std::io::Write;

use tensa::base::Symbol;
use tensa::data::{Axis, ColumnType, Memory, Part};

use super::{classes, complaint, floats, loaded, mistake};

/// Bytes as gzip.
pub fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// A file of bytes.
pub fn idx(kind: u8, sizes: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, sizes.len() as u8];
    sizes.iter().for_each(|size| bytes.extend(size.to_be_bytes()));
    bytes.extend(body);
    bytes
}

/// Three pictures of 2 × 2 and their labels.
fn pictures() -> Memory {
    Memory::default()
        .with("x.gz", packed(&idx(8, &[3, 2, 2], &[0, 51, 102, 255, 1, 2, 3, 4, 9, 9, 9, 9])))
        .with("y", idx(8, &[3], &[2, 0, 2]))
}

const PICTURES: &str = "data D = idx(x = \"x.gz\", y = \"y\") {
  x = column(\"x\") |> scale(1 / 255)
  y = column(\"y\") |> index[digit: 3]
}";

#[test]
fn pictures_and_labels() {
    let data = loaded(PICTURES, &pictures());
    let x = data.schema().column(Symbol::new("x")).expect("x");
    assert_eq!(x.axes, [Axis { name: None, size: 2, open: None }, Axis { name: None, size: 2, open: None }]);
    let y = data.schema().column(Symbol::new("y")).expect("y");
    assert_eq!(
        y.ty,
        ColumnType::Index {
            axis: Some(Symbol::new("digit")),
            size: 3,
            names: Vec::new(),
            spelling: Default::default()
        }
    );
    assert_eq!(y.axes, []);
    let x = floats(&data, Part::Train, "x");
    assert_eq!(x[..4], [0.0, 0.2, 0.4, 1.0]);
    assert_eq!(x.len(), 12);
    assert_eq!(classes(&data, Part::Train, "y"), [2, 0, 2]);
}

#[test]
fn division_is_a_scale() {
    let text = "data D = idx(x = \"x.gz\") { x = column[h, w](\"x\") / 255 z = column(\"x\") |> _ / 255 }";
    let data = loaded(text, &pictures());
    assert_eq!(floats(&data, Part::Train, "x")[3], 1.0);
    assert_eq!(floats(&data, Part::Train, "x"), floats(&data, Part::Train, "z"));
    let names: Vec<_> = data.schema().columns[0].axes.iter().map(|axis| axis.name).collect();
    assert_eq!(names, [Some(Symbol::new("h")), Some(Symbol::new("w"))]);
}

#[test]
fn labels_make_a_vocabulary_by_number() {
    let files = Memory::default().with("y", idx(8, &[4], &[10, 9, 100, 9]));
    let data = loaded("data D = idx(y = \"y\") { y = column(\"y\") |> vocab }", &files);
    let ColumnType::Index { names, .. } = &data.schema().columns[0].ty else { panic!() };
    assert_eq!(names, &["9", "10", "100"]);
    assert_eq!(classes(&data, Part::Train, "y"), [1, 0, 2, 0]);
}

#[test]
fn every_element_type_is_read() {
    let body = |bytes: &[&[u8]]| bytes.concat();
    let cases: [(u8, Vec<u8>); 6] = [
        (0x08, vec![3, 200]),
        (0x09, vec![3, 0xff]),
        (0x0b, body(&[&3i16.to_be_bytes(), &(-300i16).to_be_bytes()])),
        (0x0c, body(&[&3i32.to_be_bytes(), &(-70_000i32).to_be_bytes()])),
        (0x0d, body(&[&3f32.to_be_bytes(), &0.5f32.to_be_bytes()])),
        (0x0e, body(&[&3f64.to_be_bytes(), &0.25f64.to_be_bytes()])),
    ];
    let seconds = [200.0, -1.0, -300.0, -70_000.0, 0.5, 0.25];
    for ((kind, bytes), second) in cases.into_iter().zip(seconds) {
        let files = Memory::default().with("x", idx(kind, &[2], &bytes));
        let data = loaded("data D = idx(x = \"x\") { x = column(\"x\") }", &files);
        assert_eq!(floats(&data, Part::Train, "x"), [3.0, second], "type {kind:#x}");
    }
}

#[test]
fn broken_files_are_named() {
    const X: &str = "data D = idx(x = \"x\") { x = column(\"x\") }";
    let broken: &[(Vec<u8>, &str)] = &[
        (vec![], "E0714 `x` is empty"),
        (vec![0], "E0721 `x` is not an IDX file: it begins with `00`"),
        (b"PK\x03\x04".to_vec(), "E0721 `x` is not an IDX file: it begins with `50 4b 03 04`"),
        (idx(7, &[1], &[1]), "E0721 `x` is not an IDX file: it begins with `00 00 07 01`"),
        (idx(8, &[], &[]), "E0721 `x` is not an IDX file: it begins with `00 00 08 00`"),
        (idx(8, &[1; 9], &[1]), "E0721 `x` is not an IDX file: it begins with `00 00 08 09`"),
        (vec![0, 0, 8, 3, 0, 0], "E0722 `x` says it holds 3 axes, which takes 16 bytes; it has 6"),
        (idx(8, &[2, 2], &[1, 2, 3]), "E0722 `x` says it holds 2 × 2, which takes 16 bytes; it has 15"),
        (idx(8, &[2, 2], &[1, 2, 3, 4, 5]), "E0722 `x` says it holds 2 × 2, which takes 16 bytes; it has 17"),
        (
            idx(0x0e, &[u32::MAX; 3], &[]),
            "E0722 `x` says it holds 4294967295 × 4294967295 × 4294967295, which no file can",
        ),
        (idx(8, &[0, 2], &[]), "E0714 `x` has a header and no rows"),
        (idx(8, &[2, 0], &[]), "E0714 `x` has a header and no rows"),
        (
            idx(0x0d, &[2], &[1f32.to_be_bytes(), f32::NAN.to_be_bytes()].concat()),
            "E0719 column `x` is missing in item 2 of `x`",
        ),
    ];
    for (bytes, expected) in broken {
        assert_eq!(complaint(X, &Memory::default().with("x", bytes.clone())), *expected);
    }
}

#[test]
fn damaged_gzip_is_named() {
    const X: &str = "data D = idx(x = \"x\") { x = column(\"x\") }";
    let whole = packed(&idx(8, &[2, 2], &[1, 2, 3, 4]));
    let cut = Memory::default().with("x", &whole[..whole.len() - 6]);
    assert_eq!(complaint(X, &cut), "E0712 `x` is compressed with gzip and damaged: it ends too early");
    let mut flipped = whole.clone();
    let end = flipped.len() - 6;
    flipped[end] ^= 1;
    assert!(complaint(X, &Memory::default().with("x", flipped)).starts_with("E0712"));
}

#[test]
fn files_that_do_not_fit_together() {
    let files = pictures().with("y", idx(8, &[2], &[1, 2]));
    assert_eq!(complaint(PICTURES, &files), "E0723 `y` holds 2 items, `x.gz` holds 3");
    let text = "data D = idx(x = \"x.gz\") { x = column(\"x\") split = files(test = idx(x = \"t\")) }";
    let files = pictures().with("t", idx(8, &[1, 4], &[1, 2, 3, 4]));
    assert_eq!(complaint(text, &files), "E0723 an item of `x` has the shape 4 in `t` and 2 × 2 in the main file");
}

#[test]
fn labels_stay_on_their_axis() {
    let files = pictures().with("y", idx(8, &[3], &[2, 0, 3]));
    let expected = "E0724 label 3 in column `y`, item 3 of `y`, is outside axis `digit` of size 3";
    assert_eq!(complaint(PICTURES, &files), expected);
    let files = Memory::default().with("y", idx(9, &[2], &[0, 0xff]));
    let text = "data D = idx(y = \"y\") { y = column(\"y\") |> index }";
    assert_eq!(complaint(text, &files), "E0724 label -1 in column `y`, item 2 of `y`, is outside its axis of size 1");
}

#[test]
fn only_the_files_that_are_used_are_read() {
    let data = loaded("data D = idx(x = \"x.gz\", nowhere = \"nowhere\") { x = column(\"x\") }", &pictures());
    assert_eq!(data.schema().rows(Part::Train), 3);
}

#[test]
fn brackets_name_as_many_axes_as_there_are() {
    let text = "data D = idx(x = \"x.gz\") { x = column[h](\"x\") }";
    assert_eq!(complaint(text, &pictures()), "E0709 the brackets name 1 axis, and an item has the shape 2 × 2");
    assert!(
        mistake("data D = idx(x = \"a\", x = \"b\") { x = column(\"x\") }")
            .starts_with("E0704 `idx` is given `x` twice")
    );
}
