//! Host tensors and their files.

use std::path::Path;

use proptest::prelude::*;
use tensa::tensor::safetensors::{FileError, Stored, from_bytes, read, to_bytes, write};
use tensa::tensor::{Named, Tensor};

fn named(tensor: Option<Tensor>, axes: &[&str]) -> Named {
    Named { tensor: tensor.expect("a shape that fits"), axes: axes.iter().map(|axis| (*axis).to_owned()).collect() }
}

fn stored() -> Stored {
    let mut stored = Stored::default();
    let w = Tensor::from_f32(&[2, 3], vec![1.0, -0.0, f32::NAN, f32::INFINITY, 1e-45, 6.0]);
    stored.tensors.insert("net.dense.w".into(), named(w, &["i", "out"]));
    stored.tensors.insert("net.count".into(), named(Tensor::from_i32(&[2], vec![i32::MIN, 7]), &["k"]));
    stored.tensors.insert("step".into(), named(Some(Tensor::scalar(3.0)), &[]));
    stored.tensors.insert("none".into(), named(Tensor::from_f32(&[0, 4], vec![]), &["a", "b'"]));
    stored.metadata.insert("epoch".into(), "3".into());
    stored
}

/// Equal bit for bit, NaN included.
fn assert_same(a: &Stored, b: &Stored) {
    assert_eq!(a.metadata, b.metadata);
    assert_eq!(to_bytes(a), to_bytes(b));
}

#[test]
fn what_is_written_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.safetensors");
    write(&path, &Stored::default()).expect("written");
    write(&path, &stored()).expect("written over the old one");
    let back = read(&path).expect("read");
    assert_same(&back, &stored());
    assert_eq!(back.tensors["net.dense.w"].axes, ["i", "out"]);
    assert_eq!(back.tensors["net.count"].tensor, stored().tensors["net.count"].tensor);
    // No temporary file stays.
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[test]
fn equal_content_is_equal_bytes() {
    assert_eq!(to_bytes(&stored()), to_bytes(&stored()));
    assert_eq!(to_bytes(&stored()).len() % 4, 0);
}

#[test]
fn a_permuted_array_is_written_in_its_logical_order() {
    let array = ndarray::arr2(&[[1.0f32, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    let transposed = Tensor::F32(array.reversed_axes().into_dyn());
    let mut stored = Stored::default();
    stored.tensors.insert("w".into(), named(Some(transposed), &["a", "b"]));
    let back = from_bytes(&to_bytes(&stored), Path::new("w")).expect("right");
    assert_eq!(back.tensors["w"].tensor.f32_slice(), Some([1.0, 3.0, 5.0, 2.0, 4.0, 6.0].as_slice()));
}

#[test]
fn broken_files_say_how() {
    let path = Path::new("w.safetensors");
    let bytes = to_bytes(&stored());
    let said = |bytes: &[u8]| from_bytes(bytes, path).expect_err("broken").to_string();
    for cut in [0, 7, 40, bytes.len() - 1] {
        let expected = "`w.safetensors` is incomplete: its length does not fit its header";
        assert_eq!(said(&bytes[..cut]), expected, "cut at {cut}");
    }
    assert!(said(&[bytes.as_slice(), &[0]].concat()).contains("incomplete"));
    assert!(said(b"\x02\0\0\0\0\0\0\0[]").contains("is not a safetensors file"));

    let text = String::from_utf8_lossy(&bytes);
    let start = text.find("\"format\":\"1\"").expect("the format") + "\"format\":\"".len();
    let mut other = bytes.clone();
    other[start] = b'2';
    assert_eq!(said(&other), "`w.safetensors` has format 2, this program reads format 1");
    let foreign = b"\x02\0\0\0\0\0\0\0{}";
    assert_eq!(said(foreign), "`w.safetensors` has format none, this program reads format 1");

    let header =
        br#"{"__metadata__":{"format":"1","axes:w":"a"},"w":{"dtype":"U64","shape":[1],"data_offsets":[0,8]}}"#;
    let wide = [&(header.len() as u64).to_le_bytes(), header.as_slice(), &[0; 8]].concat();
    assert_eq!(said(&wide), "`w` in `w.safetensors` is stored as U64; F64, F32, F16, BF16 and I32 are read");
    let header =
        br#"{"__metadata__":{"format":"1","axes:w":"a,b"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let axes = [&(header.len() as u64).to_le_bytes(), header.as_slice(), &[0; 4]].concat();
    assert_eq!(said(&axes), "the axis names of `w` in `w.safetensors` do not fit its 1 axes");

    let error = read(Path::new("no/such/file")).expect_err("missing");
    assert!(matches!(error, FileError::Io { doing: "read", .. }), "{error}");
}

#[test]
fn shapes_and_numbers_must_fit() {
    assert_eq!(Tensor::from_f32(&[2, 2], vec![1.0; 3]), None);
    assert_eq!(Tensor::from_i32(&[], vec![1]).expect("a scalar").shape(), [0usize; 0]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = from_bytes(&bytes, Path::new("w"));
    }

    #[test]
    fn flipped_bytes_never_panic(at in 0usize..2000, value in any::<u8>()) {
        let mut bytes = to_bytes(&stored());
        let at = at % bytes.len();
        bytes[at] = value;
        let _ = from_bytes(&bytes, Path::new("w"));
    }
}
