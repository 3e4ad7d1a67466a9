//! What is wrong in folders of pictures and in their files: told with the file, never a panic.

use image::ImageFormat;
use proptest::prelude::*;
use tensa::data::{Folder, Memory, Part, load};
use tensa::diag::Diagnostics;

use super::pictures::{counting, pets, picture};
use super::{complaint, line, loaded, right, try_load};

const PETS: &str =
    "data D = images(\"pets\", labels = folder) { x = column(\"image\") y = column(\"label\") |> vocab }";

/// The only diagnostic of reading batches.
fn complaint_later(text: &str, files: &Memory) -> String {
    let data = loaded(text, files);
    let loader = data.loader(Part::Train);
    let told = (0..loader.batches()).find_map(|index| loader.batch(0, index).err());
    line(&told.expect("a picture that is refused"))
}

#[test]
fn a_picture_that_is_none() {
    let html = pets().with("pets/cat/aa.png", "<html>404 Not Found</html>");
    let told = "E0732 cannot read the picture `pets/cat/aa.png`: it is no PNG, JPEG, BMP, GIF or WebP";
    // Open sizes are read from the heads of the files, fixed ones when a batch is made.
    assert_eq!(complaint(PETS, &html), told);
    let fixed = PETS.replace("(\"image\")", "(\"image\") |> resize(4, 4)");
    assert_eq!(complaint_later(&fixed, &html), told);
    let fitted = PETS.replace("(\"image\")", "(\"image\") |> resize(4, 4) |> normalize");
    assert_eq!(complaint(&fitted, &html), told);
    let empty = pets().with("pets/dog/0.jpg", "");
    assert!(complaint(PETS, &empty).starts_with("E0732 cannot read the picture `pets/dog/0.jpg`"));
}

/// Sizes are looked at when a program is checked, and pictures are read when a batch is made.
#[test]
fn a_picture_that_changes_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |h: u32| std::fs::write(folder.path().join("a.png"), counting(h, 4, 0)).expect("a writable folder");
    for step in ["", " |> crop(4, 4)"] {
        write(4);
        let spec = right(&format!("data D = files(\"*.png\") {{ x = decode[h, w, c](path){step} }}"));
        let files = Folder(folder.path().to_path_buf());
        let data = load(&spec, &files, 7, None, &mut Diagnostics::default()).expect("a dataset");
        write(3);
        let told = data.loader(Part::Train).batch(0, 0).expect_err("a picture that has changed");
        assert_eq!(line(&told), "E0733 the picture `a.png` has changed while the program runs");
    }
}

#[test]
fn a_picture_that_is_cut_off() {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, WebP};
    for format in [Bmp, Gif, Jpeg, Png, WebP] {
        let noise = |y: u32, x: u32| [(x * 37 + y * 101) as u8, (x * y) as u8, (x ^ y) as u8, 255];
        let whole = picture(format, 40, 40, noise);
        let cut = whole[..whole.len() * 2 / 3].to_vec();
        let files = Memory::default().with("p/b.png", whole).with("p/a.png", cut);
        let told = complaint_later("data D = images(\"p\") { x = column(\"image\") |> resize(4, 4) }", &files);
        assert!(told.starts_with("E0732 cannot read the picture `p/a.png`: it "), "{format:?}: {told}");
    }
}

/// A few bytes that ask for gigabytes.
#[test]
fn a_size_that_no_memory_holds() {
    let mut bomb = counting(2, 2, 0);
    bomb[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let check = (8..).find(|at| bomb[*at..].starts_with(b"IHDR")).expect("a head");
    let sum = crc(&bomb[check..check + 17]);
    bomb[check + 17..check + 21].copy_from_slice(&sum.to_be_bytes());
    let files = Memory::default().with("p/a.png", bomb);
    let told = "E0732 the picture `p/a.png` has 65536 × 65536 pixels; at most 64 million are read";
    assert_eq!(complaint_later("data D = images(\"p\") { x = column(\"image\") |> resize(8, 8) }", &files), told);
    assert_eq!(complaint("data D = images(\"p\") { x = column(\"image\") }", &files), told);
}

/// The check sum of a PNG.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

#[test]
fn sizes_that_do_not_fit() {
    let files = pets().with("pets/dog/d.png", counting(3, 3, 0)).with("pets/dog/e.png", counting(9, 9, 0));
    let (data, told) = try_load(PETS, &files);
    assert!(data.is_none());
    assert_eq!(
        line(&told[0]),
        "E0733 pictures have different sizes: `pets/cat/a.png` is 2 × 3, `pets/dog/d.png` is 3 × 3"
    );
    assert_eq!(told[0].notes, ["one more picture like it"]);
    assert_eq!(super::advice(&told[0]), ["`|> resize(2, 3)` gives all one size"]);
    let with = |steps: &str| PETS.replace("(\"image\")", &format!("(\"image\") |> {steps}"));
    assert_eq!(
        complaint(&with("crop(2, 4)"), &files),
        "E0733 `pets/cat/a.png` is 2 × 3, smaller than the crop of 2 × 4"
    );
    assert_eq!(
        complaint(&with("resize(8, 8) |> train(crop(9)) |> resize(8, 8)"), &files),
        "E0733 a picture is 8 × 8, smaller than the crop of 9 × 9"
    );
    assert_eq!(
        complaint(&with("resize(8, 8) |> train(crop(6))"), &files),
        "E0733 a picture is 6 × 6 while training and 8 × 8 otherwise"
    );
    // Training takes a part, evaluation the whole, and both are brought to one size.
    loaded(&with("resize(8, 8) |> train(crop(6)) |> resize(6, 6)"), &files);
    assert_eq!(
        complaint(&with("decode[h, w] |> normalize([1, 2], [1, 2])"), &pets()),
        "E0709 `normalize` is given 2 means, and a picture has 1 channel"
    );
}

#[test]
fn folders_that_do_not_lie_right() {
    let near = "data D = images(\"pet\", labels = folder) { y = column(\"label\") |> vocab }";
    assert_eq!(complaint(near, &pets()), "E0711 cannot read `pet`: there is no such file");
    assert_eq!(
        complaint("data D = images(\"pets/cat\", labels = folder) { y = column(\"label\") |> vocab }", &pets()),
        "E0731 `pets/cat` has no folders, and `labels = folder` makes them classes"
    );
    let empty = pets().with("pets/eel/notes.txt", "");
    assert_eq!(complaint(PETS, &empty), "E0731 class `eel` is empty: `pets/eel` holds no pictures");
    assert_eq!(
        complaint("data D = images(\"q\") { x = column(\"image\") }", &Memory::default().with("q/notes.txt", "")),
        "E0731 `q` holds no pictures"
    );
    let one = counting(1, 1, 0);
    let parts = Memory::default().with("pets/train/cat/a.png", one.clone()).with("pets/test/cat/a.png", one.clone());
    assert_eq!(complaint(PETS, &parts), "E0731 `pets` has a folder for each part of a split, not for each class");
    let by_folder = PETS.replace('}', "split = by_folder }");
    assert_eq!(complaint(&by_folder, &pets()), "E0731 `pets` has no folder `train`");
    let share = PETS.replace('}', "split = by_folder(test = 50%) }");
    assert_eq!(complaint(&share, &parts), "E0706 `test` is a share here and the folder `pets/test` as well");
    let unseen = parts.with("pets/test/eel/a.png", one);
    assert!(complaint(&by_folder, &unseen).starts_with("E0725 class `eel` in column `label`"));
}

#[test]
fn what_is_left_out_is_told() {
    let strays = [
        ("pets/cat/notes.txt", "its name is not that of a picture"),
        ("pets/readme.md", "it lies beside the folders of the classes"),
        ("pets/loose.png", "it lies beside the folders of the classes"),
        ("pets/cat/old/a.png", "it is a folder inside of that of a class"),
    ];
    for (path, why) in strays {
        let (data, told) = try_load(PETS, &pets().with(path, ""));
        assert_eq!(data.expect("a warning is no error").schema().rows(Part::Train), 3);
        let path = path.strip_suffix("/a.png").unwrap_or(path);
        assert_eq!(told.iter().map(line).collect::<Vec<_>>(), [format!("W0702 `{path}` is left out: {why}")]);
    }
    let (_, told) = try_load(PETS, &pets().with("pets/a.txt", "").with("pets/b.txt", "").with("pets/cat/c", ""));
    assert_eq!((told.len(), told[0].notes.as_slice()), (1, &["2 more files like it".to_owned()][..]));
    let parts = Memory::default().with("pets/train/cat/a.png", counting(1, 1, 0)).with("pets/val/cat/a.png", "");
    let (_, told) = try_load(&PETS.replace('}', "split = by_folder }"), &parts);
    assert_eq!(line(&told[0]), "W0702 `pets/val` is left out: it is none of `train`, `valid` and `test`");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Bytes of a picture with some of them changed: a message or numbers, never a panic.
    #[test]
    fn damaged_bytes_survive(
        format in prop::sample::select(vec![
            ImageFormat::Bmp, ImageFormat::Gif, ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP,
        ]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = picture(format, 9, 7, |y, x| [(x * 37) as u8, (y * 51) as u8, (x * y) as u8, 255]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let files = Memory::default().with("p/a.png", bytes);
        for text in [
            "data D = images(\"p\") { x = column(\"image\") |> resize(4, 4) |> normalize }",
            "data D = images(\"p\") { x = column(\"image\") |> train(rotate(9 deg)) }",
        ] {
            let (data, told) = try_load(text, &files);
            prop_assert_eq!(data.is_none(), told.iter().any(|told| told.code.as_str() != "W0701"));
            if let Some(data) = data {
                match data.loader(Part::Train).batch(0, 0) {
                    Ok(batch) => prop_assert_eq!(batch.rows, 1),
                    Err(told) => prop_assert!(matches!(told.code.as_str(), "E0732" | "E0733"), "{:?}", told),
                }
            }
        }
    }
}
