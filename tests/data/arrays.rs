//! Arrays as NumPy writes them, alone and in archives.

use std::io::Write;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use tensa::base::Symbol;
use tensa::data::{Axis, ColumnType, Memory, Part};

use super::idx_files::packed;
use super::{classes, complaint, floats, loaded, mistake};

/// An array of a shape, written like `(2, 3)`.
pub fn npy(descr: &str, shape: &str, body: &[u8]) -> Vec<u8> {
    with_header(&format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}"), body)
}

fn with_header(header: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    // The header fills up to a multiple of 64 bytes and ends with a line.
    let filled = (10 + header.len() + 1).next_multiple_of(64) - 10;
    bytes.extend((filled as u16).to_le_bytes());
    bytes.extend(format!("{header:width$}\n", width = filled - 1).as_bytes());
    bytes.extend(body);
    bytes
}

/// How the sizes of a file in an archive are written.
#[derive(Clone, Copy, PartialEq)]
pub enum Sizes {
    Short,
    /// In eight bytes, apart.
    Long,
}

/// A zip archive of files, packed or as they are.
pub fn zip(files: &[(&str, Vec<u8>)], deflate: bool, sizes: Sizes) -> Vec<u8> {
    let (mut bytes, mut list) = (Vec::new(), Vec::new());
    for (name, body) in files {
        let mut crc = Crc::new();
        crc.update(body);
        let data = match deflate {
            true => {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(body).expect("memory");
                encoder.finish().expect("memory")
            }
            false => body.clone(),
        };
        let start = bytes.len();
        let method = if deflate { 8u16 } else { 0 };
        let long = sizes == Sizes::Long;
        let short = |size: usize| if long { u32::MAX } else { size as u32 };
        // What the head of a file and the list say alike.
        let mut common = 20u16.to_le_bytes().to_vec();
        common.extend([0; 2]);
        common.extend(method.to_le_bytes());
        common.extend([0; 4]);
        common.extend(crc.sum().to_le_bytes());
        common.extend(short(data.len()).to_le_bytes());
        common.extend(short(body.len()).to_le_bytes());
        common.extend((name.len() as u16).to_le_bytes());
        let mut extra = Vec::new();
        if long {
            // Another field first, which is passed over.
            extra.extend([0x0a, 0, 2, 0, 7, 7, 1, 0, 24, 0]);
            [body.len(), data.len(), start].iter().for_each(|size| extra.extend((*size as u64).to_le_bytes()));
        }
        common.extend((extra.len() as u16).to_le_bytes());
        bytes.extend(b"PK\x03\x04");
        bytes.extend(&common);
        bytes.extend(name.as_bytes());
        bytes.extend(&extra);
        bytes.extend(data);
        list.extend(b"PK\x01\x02\x14\0");
        list.extend(&common);
        list.extend([0; 10]);
        list.extend(short(start).to_le_bytes());
        list.extend(name.as_bytes());
        list.extend(extra);
    }
    let at = bytes.len();
    bytes.extend(&list);
    let count = (files.len() as u16).to_le_bytes();
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([count, count].concat());
    bytes.extend((list.len() as u32).to_le_bytes());
    bytes.extend((at as u32).to_le_bytes());
    bytes.extend(b"\x05\0hello");
    bytes
}

const X: &str = "data D = npy(\"x.npy\") { x = column(\"x\") }";

fn alone(bytes: Vec<u8>) -> Memory {
    Memory::default().with("x.npy", bytes)
}

#[test]
fn every_element_type_is_read() {
    let both = |first: &[u8], second: &[u8]| [first, second].concat();
    let cases: [(&str, Vec<u8>, f32); 16] = [
        ("|b1", vec![1, 0], 0.0),
        ("|i1", vec![1, 0xff], -1.0),
        ("|u1", vec![1, 200], 200.0),
        ("<i2", both(&1i16.to_le_bytes(), &(-300i16).to_le_bytes()), -300.0),
        (">i2", both(&1i16.to_be_bytes(), &(-300i16).to_be_bytes()), -300.0),
        ("<u2", both(&1u16.to_le_bytes(), &65_535u16.to_le_bytes()), 65_535.0),
        (">i4", both(&1i32.to_be_bytes(), &(-70_000i32).to_be_bytes()), -70_000.0),
        ("<u4", both(&1u32.to_le_bytes(), &u32::MAX.to_le_bytes()), 4_294_967_295.0),
        ("<i8", both(&1i64.to_le_bytes(), &(-9i64).to_le_bytes()), -9.0),
        (">u8", both(&1u64.to_be_bytes(), &(1u64 << 40).to_be_bytes()), 1_099_511_627_776.0),
        ("<f2", vec![0x00, 0x3c, 0x55, 0xb5], -0.333_251_95),
        (">f2", vec![0x3c, 0x00, 0x00, 0x01], 5.960_464_5e-8),
        ("<f4", both(&1f32.to_le_bytes(), &0.5f32.to_le_bytes()), 0.5),
        (">f4", both(&1f32.to_be_bytes(), &0.5f32.to_be_bytes()), 0.5),
        ("<f8", both(&1f64.to_le_bytes(), &0.25f64.to_le_bytes()), 0.25),
        (">f8", both(&1f64.to_be_bytes(), &0.25f64.to_be_bytes()), 0.25),
    ];
    for (descr, body, second) in cases {
        let data = loaded(X, &alone(npy(descr, "(2,)", &body)));
        assert_eq!(floats(&data, Part::Train, "x"), [1.0, second], "type {descr}");
    }
}

/// Class numbers that no float of 32 bits tells apart.
#[test]
fn whole_numbers_are_exact() {
    let ids = [16_777_217i64, 16_777_216, 16_777_217];
    let body: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
    let text = "data D = npy(\"x.npy\") { x = column(\"x\") |> vocab }";
    let data = loaded(text, &alone(npy("<i8", "(3,)", &body)));
    assert_eq!(classes(&data, Part::Train, "x"), [1, 0, 1]);
}

#[test]
fn rows_have_the_shape_behind_the_first_axis() {
    let bytes = npy("|u1", "(2, 2, 3)", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    let text = "data D = npy(\"img/x.npy.gz\") { x = column[h, w](\"x\") small = column(\"x\") |> resize(1, 3) }";
    let data = loaded(text, &Memory::default().with("img/x.npy.gz", packed(&bytes)));
    let x = data.schema().column(Symbol::new("x")).expect("x");
    let axis = |name: &str, size| Axis { name: Some(Symbol::new(name)), size, open: None };
    assert_eq!(x.axes, [axis("h", 2), axis("w", 3)]);
    assert_eq!(floats(&data, Part::Train, "x")[6..], [6.0, 7.0, 8.0, 9.0, 10.0, 11.0]);
    assert_eq!(floats(&data, Part::Train, "small")[..3], [1.5, 2.5, 3.5]);
}

#[test]
fn arrays_that_lie_by_columns_are_read_by_rows() {
    // Rows 1 2 3 and 4 5 6 of two places each, the first axis running fastest.
    let body = [1, 7, 3, 9, 5, 11, 2, 8, 4, 10, 6, 12];
    let header = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }";
    let data = loaded(X, &alone(with_header(header, &body)));
    let wanted: Vec<f32> = (1u8..=12).map(f32::from).collect();
    assert_eq!(floats(&data, Part::Train, "x"), wanted);
    let flat = "{'descr': '<i2', 'fortran_order': True, 'shape': (3,)}";
    let data = loaded(X, &alone(with_header(flat, &[1, 0, 2, 0, 3, 0])));
    assert_eq!(floats(&data, Part::Train, "x"), [1.0, 2.0, 3.0]);
}

#[test]
fn headers_of_other_versions_and_spellings() {
    let header = "{\"shape\":(2L,),\"fortran_order\":False,\"descr\":\"<i2\"}\n";
    for version in [2, 3] {
        let mut bytes = vec![0x93, b'N', b'U', b'M', b'P', b'Y', version, 0];
        bytes.extend((header.len() as u32).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend([5, 0, 6, 0]);
        assert_eq!(floats(&loaded(X, &alone(bytes)), Part::Train, "x"), [5.0, 6.0]);
    }
}

#[test]
fn words_are_cells() {
    let wide = |words: &[&str], bytes: fn(u32) -> [u8; 4]| -> Vec<u8> {
        let letters = words.iter().flat_map(|word| word.chars().map(u32::from).chain([0; 4]).take(4));
        letters.flat_map(bytes).collect()
    };
    let words = ["cat", "öde", "cat"];
    for (descr, body) in [
        ("<U4", wide(&words, u32::to_le_bytes)),
        (">U4", wide(&words, u32::to_be_bytes)),
        ("|S4", b"cat\0\xc3\xb6decat\0".to_vec()),
    ] {
        let data = loaded("data D = npy(\"x.npy\") { x = column(\"x\") |> vocab }", &alone(npy(descr, "(3,)", &body)));
        let ColumnType::Index { names, .. } = &data.schema().columns[0].ty else { panic!() };
        assert_eq!(names, &["cat", "öde"], "type {descr}");
        assert_eq!(classes(&data, Part::Train, "x"), [0, 1, 0]);
    }
}

/// A NaN is how arrays write that a number is missing.
#[test]
fn what_is_no_number_is_missing() {
    let body: Vec<u8> = [1.0f32, f32::NAN, 3.0].iter().flat_map(|number| number.to_le_bytes()).collect();
    let files = alone(npy("<f4", "(3,)", &body));
    assert_eq!(complaint(X, &files), "E0719 column `x` is missing in item 2 of `x.npy`");
    let data = loaded("data D = npy(\"x.npy\") { x = column(\"x\") |> impute(mean) }", &files);
    assert_eq!(floats(&data, Part::Train, "x"), [1.0, 2.0, 3.0]);
    let body: Vec<u8> = [1.0f32, f32::INFINITY].iter().flat_map(|number| number.to_le_bytes()).collect();
    let told = "E0720 `inf` in column `x`, item 2 of `x.npy`, is not a finite number";
    assert_eq!(complaint(X, &alone(npy("<f4", "(2,)", &body))), told);
}

#[test]
fn broken_files_are_named() {
    let two = npy("<i2", "(2, 2)", &[0; 8]);
    let broken: &[(Vec<u8>, &str)] = &[
        (vec![], "E0714 `x.npy` is empty"),
        (b"1,2\n3,4\n".to_vec(), "E0750 `x.npy` is not in the NumPy format: it begins with `31 2c 32 0a 33 2c`"),
        (two[..9].to_vec(), "E0750 `x.npy` is not in the NumPy format: it begins with `93 4e 55 4d 50 59`"),
        (two[..40].to_vec(), "E0750 `x.npy` is not in the NumPy format: it begins with `93 4e 55 4d 50 59`"),
        (
            with_header("{'descr': '<f4'}", &[]),
            "E0750 the header of `x.npy` says no element, order and shape: `{'descr': '<f4'}`",
        ),
        (
            npy("<i2", "(2, x)", &[]),
            "E0750 the header of `x.npy` says no element, order and shape: `{'descr': '<i2', 'fortran_order': False,…`",
        ),
        (two[..two.len() - 1].to_vec(), "E0751 `x.npy` says it holds 2 × 2 of `<i2`, which takes 8 bytes; it has 7"),
        (
            npy("<f8", "(4294967296, 4294967296)", &[]),
            "E0751 `x.npy` says it holds 4294967296 × 4294967296 of `<f8`, which no file can",
        ),
        (npy("<f4", "(0,)", &[]), "E0714 `x.npy` has a header and no rows"),
        (npy("<f4", "()", &[0; 4]), "E0752 `x.npy` is one number and has no rows"),
        (npy("|O", "(1,)", &[0; 8]), "E0752 `x.npy` has elements of the type `|O`"),
        (npy("<c8", "(1,)", &[0; 8]), "E0752 `x.npy` has elements of the type `<c8`"),
        (npy("<M8[ns]", "(1,)", &[0; 8]), "E0752 `x.npy` has elements of the type `<M8[ns]`"),
        (npy("<U0", "(1,)", &[]), "E0752 `x.npy` has elements of the type `<U0`"),
        (
            with_header("{'descr': [('a', '<f4'), ('b', '<i4')], 'fortran_order': False, 'shape': (1,), }", &[0; 8]),
            "E0752 `x.npy` has elements of the type `[('a', '<f4'), ('b', '<i4')]`",
        ),
        (npy("<S2", "(1, 2)", b"abcd"), "E0752 `x.npy` has several words in a row, and a column has one"),
        (
            npy("<u8", "(1,)", &u64::MAX.to_le_bytes()),
            "E0752 `x.npy` has the number 18446744073709551615, whose last digits would be lost",
        ),
    ];
    for (bytes, expected) in broken {
        assert_eq!(complaint(X, &alone(bytes.clone())), *expected);
    }
}

const BOTH: &str = "data D = npz(\"a.npz\") {
  x = column(\"x\") |> standardize
  y = column(\"y\") |> index[digit: 3]
  split = random(test = 50%)
}";

fn both(deflate: bool, sizes: Sizes) -> Vec<u8> {
    let x = npy("<f4", "(4,)", &[1f32, 2.0, 3.0, 4.0].map(f32::to_le_bytes).concat());
    let y = npy("<i8", "(4,)", &[2i64, 0, 1, 2].map(i64::to_le_bytes).concat());
    // What nobody asks for may be anything.
    let other = npy("|O", "()", &[0; 8]);
    zip(&[("x.npy", x), ("other.npy", other), ("y.npy", y)], deflate, sizes)
}

#[test]
fn archives_hold_columns() {
    for (deflate, sizes) in [(false, Sizes::Short), (true, Sizes::Short), (false, Sizes::Long), (true, Sizes::Long)] {
        let data = loaded(BOTH, &Memory::default().with("a.npz", both(deflate, sizes)));
        let (train, test) = (classes(&data, Part::Train, "y"), classes(&data, Part::Test, "y"));
        let mut all = [train, test].concat();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 2]);
        assert_eq!(floats(&data, Part::Train, "x").len(), 2);
    }
}

#[test]
fn broken_archives_are_named() {
    let whole = both(true, Sizes::Short);
    let told = |bytes: &[u8]| complaint(BOTH, &Memory::default().with("a.npz", bytes));
    assert_eq!(told(b"x,y\n1,2\n"), "E0753 `a.npz` cannot be unpacked: it is no zip archive");
    let cut = "E0753 `a.npz` cannot be unpacked: the list of its files is not whole";
    assert_eq!(told(&whole[..whole.len() - 30]), cut);
    assert_eq!(told(&whole[..3]), cut);
    let stored = both(false, Sizes::Short);
    let mut changed = stored.clone();
    changed[140] ^= 1;
    assert_eq!(told(&changed), "E0753 `a.npz:x` cannot be unpacked: its bytes are not those that were written");
    let mut encrypted = stored.clone();
    let list = stored.windows(4).position(|bytes| bytes == b"PK\x01\x02").expect("a list");
    encrypted[list + 10] = 99;
    let method = "E0753 `a.npz:x` cannot be unpacked: it is packed in a way that is not read, number 99";
    assert_eq!(told(&encrypted), method);
    let short =
        zip(&[("x.npy", npy("|u1", "(3,)", &[1, 2, 3])), ("y.npy", npy("|u1", "(2,)", &[1, 2]))], false, Sizes::Short);
    assert_eq!(told(&short), "E0723 `a.npz:y` holds 2 items, `a.npz:x` holds 3");
    let text = BOTH.replace("column(\"y\")", "column(\"z\")");
    let missing = complaint(&text, &Memory::default().with("a.npz", whole));
    assert_eq!(missing, "E0717 `a.npz` has no column `z`");
}

#[test]
fn archives_are_made_into_parts_by_file() {
    let text = "data D = npz(\"a.npz\") { x = column(\"x\") split = files(test = npz(\"t.npz\")) }";
    let test = zip(&[("x.npy", npy("|u1", "(1,)", &[9]))], true, Sizes::Short);
    let data = loaded(text, &Memory::default().with("a.npz", both(true, Sizes::Short)).with("t.npz", test));
    assert_eq!(floats(&data, Part::Test, "x"), [9.0]);
    let other = mistake("data D = npz(\"a.npz\") { x = column(\"x\") split = files(test = npy(\"x.npy\")) }");
    assert_eq!(other, "E0704 `files` takes a file of the same kind as the main one, with the same columns");
}

#[test]
fn arrays_are_given_names() {
    let files = alone(npy("|u1", "(2,)", &[1, 2])).with("2.npy", npy("|u1", "(2,)", &[3, 4]));
    let text = "data D = npy(\"x.npy\", y = \"2.npy\") { x = column(\"x\") + column(\"y\") }";
    assert_eq!(floats(&loaded(text, &files), Part::Train, "x"), [4.0, 6.0]);
    assert_eq!(
        mistake("data D = npy(\"a/x.npy\", \"b/x.npy\") { x = column(\"x\") }"),
        "E0704 `npy` is given `x` twice"
    );
    assert_eq!(
        mistake("data D = npy() { x = column(\"x\") }"),
        "E0704 `npy` takes files, as in `npy(\"x.npy\")` or `npy(x = \"1.npy\", y = \"2.npy\")`"
    );
}

const PAIRS: &str = "data D = pairs(de = \"de.txt\", en = \"en.txt\") {
  src = column(\"de\") |> words[s, german] |> pad
  tgt = column(\"en\") |> words[t, english] |> pad
}";

#[test]
fn texts_lie_side_by_side() {
    let files = Memory::default().with("de.txt", "eins zwei\n\nzwei\n").with("en.txt", "one two\n\ntwo\n");
    let data = loaded(PAIRS, &files);
    assert_eq!(data.schema().rows(Part::Train), 2);
    assert_eq!(classes(&data, Part::Train, "src").len(), 4);
    let files = files.with("en.txt", "one two\n");
    assert_eq!(complaint(PAIRS, &files), "E0723 `en.txt` holds 1 items, `de.txt` holds 3");
    let files = files.with("de.txt", "\n").with("en.txt", "\n");
    assert_eq!(complaint(PAIRS, &files), "E0714 `de.txt` is empty");
    assert_eq!(
        mistake("data D = pairs(\"de.txt\", \"en.txt\") { x = column(\"de\") |> words[s, word] |> pad }"),
        "E0704 `pairs` takes named files, as in `pairs(de = \"train.de\", en = \"train.en\")`"
    );
}
