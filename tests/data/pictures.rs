//! Pictures: folders, formats, sizes, steps, and rows to predict on.

use image::{DynamicImage, ImageFormat, RgbaImage};
use tensa::base::Symbol;
use tensa::data::{Axis, ColumnType, Fitted, Input, Memory, Part, Rows, load};
use tensa::diag::Diagnostics;

use super::{classes, floats, loaded, right, try_load};

/// A picture as a file, by the colour and opacity of each pixel.
pub fn picture(format: ImageFormat, h: u32, w: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> Vec<u8> {
    let image = DynamicImage::from(RgbaImage::from_fn(w, h, |x, y| image::Rgba(pixel(y, x))));
    let image = match format {
        ImageFormat::Jpeg => image.to_rgb8().into(),
        _ => image,
    };
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("memory");
    bytes.into_inner()
}

/// A grey PNG whose pixels count up from a number.
pub fn counting(h: u32, w: u32, from: u8) -> Vec<u8> {
    picture(ImageFormat::Png, h, w, |y, x| {
        let grey = from + (y * w + x) as u8;
        [grey, grey, grey, 255]
    })
}

/// Two cats and a dog of 2 × 3.
pub fn pets() -> Memory {
    Memory::default()
        .with("pets/dog/c.png", counting(2, 3, 200))
        .with("pets/cat/b.png", counting(2, 3, 100))
        .with("pets/cat/a.png", counting(2, 3, 0))
        .with("pets/cat/.DS_Store", "")
        .with("pets/Thumbs.db", "")
}

fn shape(data: &tensa::data::Dataset, name: &str) -> Vec<usize> {
    data.schema().column(Symbol::new(name)).expect("a column").shape()
}

#[test]
fn folders_are_classes() {
    let data = loaded(
        "data D = images(\"pets/\", labels = folder) { x = column(\"image\") y = column(\"label\") |> vocab[pet] }",
        &pets(),
    );
    let x = data.schema().column(Symbol::new("x")).expect("x");
    assert_eq!(x.axes, [2, 3, 3].map(|size| Axis { name: None, size, open: None }));
    let y = data.schema().column(Symbol::new("y")).expect("y");
    let ColumnType::Index { axis, size: 2, names, .. } = &y.ty else { panic!("{:?}", y.ty) };
    assert_eq!((axis, names.as_slice()), (&Some(Symbol::new("pet")), &["cat".to_owned(), "dog".to_owned()][..]));
    // Rows are in the order of the paths, pixels in rows with their channels beside each other.
    assert_eq!(classes(&data, Part::Train, "y"), [0, 0, 1]);
    let x = floats(&data, Part::Train, "x");
    assert_eq!(x.len(), 3 * 18);
    assert_eq!(x[..6], [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    assert_eq!((x[18], x[36], x[53]), (100.0, 200.0, 205.0));
}

#[test]
fn channels_are_as_asked() {
    let files = Memory::default().with("p/a.png", picture(ImageFormat::Png, 1, 2, |_, x| [255, 0, x as u8, 128]));
    for (decode, axes, numbers) in [
        ("decode", 3, &[255.0, 0.0, 0.0, 255.0, 0.0, 1.0][..]),
        ("decode[h, w, c]", 3, &[255.0, 0.0, 0.0, 255.0, 0.0, 1.0]),
        ("decode[h, w, c: 4]", 3, &[255.0, 0.0, 0.0, 128.0, 255.0, 0.0, 1.0, 128.0]),
        ("decode[h, w, c: 1]", 3, &[54.0, 54.0]),
        ("decode[h, w]", 2, &[54.0, 54.0]),
    ] {
        let data = loaded(&format!("data D = images(\"p\") {{ x = column(\"image\") |> {decode} }}"), &files);
        assert_eq!(data.schema().columns[0].axes.len(), axes, "{decode}");
        let named = data.schema().columns[0].axes[0].name;
        assert_eq!(named, decode.contains('[').then(|| Symbol::new("h")), "{decode}");
        assert_eq!(floats(&data, Part::Train, "x"), numbers, "{decode}");
    }
    let named = loaded("data D = images(\"p\") { x = column[h, w](\"image\") }", &files);
    assert_eq!(floats(&named, Part::Train, "x"), [54.0, 54.0]);
    let grey = loaded("data D = images(\"p\") { x = column(\"image\") |> grayscale |> _ / 2 }", &files);
    assert_eq!(shape(&grey, "x"), [1, 2, 1]);
    assert!(floats(&grey, Part::Train, "x").iter().all(|x| (x - 27.1).abs() < 0.1));
}

#[test]
fn formats_are_known_by_what_is_in_them() {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, WebP};
    let mut files = Memory::default();
    for (format, name) in [(Bmp, "0.bmp"), (Gif, "1.GIF"), (Jpeg, "2.jpeg"), (Png, "3.png"), (WebP, "4.webp")] {
        files = files.with(&format!("p/{name}"), picture(format, 4, 5, |_, _| [10, 100, 200, 255]));
    }
    files = files.with("p/5.jpg", picture(Png, 4, 5, |_, _| [10, 100, 200, 255]));
    let data = loaded("data D = images(\"p\") { x = column(\"image\") }", &files);
    let x = floats(&data, Part::Train, "x");
    assert_eq!(x.len(), 6 * 60);
    for (at, pixel) in x.chunks(3).enumerate() {
        let near = pixel.iter().zip([10.0, 100.0, 200.0]).all(|(x, wanted)| (x - wanted).abs() <= 2.0);
        assert!(near, "pixel {at}: {pixel:?}");
    }
}

/// What a camera notes of how it was held: the sixth of the eight ways, a quarter turn.
#[test]
fn pictures_are_turned_as_the_camera_noted() {
    let plain = picture(ImageFormat::Jpeg, 8, 24, |_, x| if x < 12 { [250, 250, 250, 255] } else { [5, 5, 5, 255] });
    let note = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let mut turned = plain[..2].to_vec();
    turned.extend([0xff, 0xe1, 0, note.len() as u8 + 2]);
    turned.extend(note);
    turned.extend(&plain[2..]);
    let files = Memory::default().with("p/a.jpg", turned);
    let data = loaded("data D = images(\"p\") { x = column[h, w](\"image\") }", &files);
    assert_eq!(shape(&data, "x"), [24, 8]);
    let x = floats(&data, Part::Train, "x");
    assert!(x[..8].iter().all(|x| *x > 200.0) && x[23 * 8..].iter().all(|x| *x < 50.0), "{x:?}");
}

#[test]
fn folders_are_parts() {
    let mut files = Memory::default();
    for (folder, count) in [("train/a", 7), ("train/b", 13), ("test/a", 2), ("test/b", 1)] {
        for at in 0..count {
            files = files.with(&format!("p/{folder}/{at:02}.png"), counting(1, 1, at));
        }
    }
    let load = |split: &str| {
        let text = format!(
            "data D = images(\"p\", labels = folder) {{ x = column(\"image\") y = column(\"label\") |> vocab split = {split} }}"
        );
        loaded(&text, &files)
    };
    let data = load("by_folder");
    assert_eq!(Part::ALL.map(|part| data.schema().rows(part)), [20, 0, 3]);
    assert_eq!(classes(&data, Part::Test, "y"), [0, 0, 1]);
    let data = load("by_folder(valid = 20%)");
    assert_eq!(Part::ALL.map(|part| data.schema().rows(part)), [16, 4, 3]);
    let mut both = classes(&data, Part::Train, "y");
    both.extend(classes(&data, Part::Valid, "y"));
    assert_eq!(both.iter().filter(|class| **class == 1).count(), 13);
    // Another folder, as for any source.
    let files = files.clone().with("q/b/1.png", counting(1, 1, 9));
    let text =
        "data D = images(\"p/train\", labels = folder) { x = column[h, w](\"image\") y = column(\"label\") |> vocab
                split = files(test = images(\"q\", labels = folder), valid = 10%) }";
    let data = loaded(text, &files);
    assert_eq!(Part::ALL.map(|part| data.schema().rows(part)), [18, 2, 1]);
    assert_eq!((floats(&data, Part::Test, "x"), classes(&data, Part::Test, "y")), (vec![9.0], vec![1]));
    // Every class is shared out alike.
    let text = "data D = images(\"p/train\", labels = folder) { y = column(\"label\") |> vocab split = stratified(y, test = 50%) }";
    let data = loaded(text, &files);
    assert_eq!(classes(&data, Part::Test, "y").iter().filter(|class| **class == 0).count(), 3);
}

#[test]
fn sizes_become_one() {
    let files = Memory::default().with("p/a.png", counting(4, 4, 0)).with("p/b.png", counting(2, 6, 50));
    let data = loaded("data D = images(\"p\") { x = column[h, w](\"image\") |> resize(2, 3) }", &files);
    assert_eq!(shape(&data, "x"), [2, 3]);
    let data = loaded("data D = images(\"p\") { x = column[h, w](\"image\") |> crop(2) }", &files);
    assert_eq!(floats(&data, Part::Train, "x"), [5.0, 6.0, 9.0, 10.0, 52.0, 53.0, 58.0, 59.0]);
}

#[test]
fn what_is_normalized_travels_with_the_model() {
    let files = Memory::default()
        .with("p/train/a/1.png", picture(ImageFormat::Png, 1, 2, |_, x| [10 * x as u8, 7, 0, 255]))
        .with("p/train/a/2.png", picture(ImageFormat::Png, 1, 2, |_, x| [20 + 10 * x as u8, 7, 100, 255]))
        .with("p/test/a/1.png", picture(ImageFormat::Png, 1, 2, |_, _| [15, 8, 50, 255]));
    let text = "data D = images(\"p\", labels = folder) { x = column(\"image\") |> normalize split = by_folder }";
    let (data, told) = try_load(text, &files);
    // Green is the same everywhere.
    assert_eq!(told.iter().map(|told| told.code.as_str()).collect::<Vec<_>>(), ["W0701"]);
    let data = data.expect("a warning is no error");
    let x = floats(&data, Part::Train, "x");
    for channel in [0, 2] {
        let all: Vec<f64> = x.iter().skip(channel).step_by(3).map(|&x| f64::from(x)).collect();
        let mean = all.iter().sum::<f64>() / 4.0;
        let variance = all.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 4.0;
        assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-6, "{mean} {variance}");
    }
    assert_eq!(floats(&data, Part::Test, "x"), [0.0, 1.0, 0.0, 0.0, 1.0, 0.0]);

    let fitted = Fitted::from_json(&data.fitted().to_json()).expect("own JSON");
    let other = Memory::default().with("p/train/a/1.png", counting(1, 2, 9));
    let mut told = Diagnostics::default();
    let again = load(&right(text), &other, 7, Some(&fitted), &mut told).expect("right");
    assert!(told.is_empty());
    assert_eq!(floats(&again, Part::Train, "x")[1], 2.0);

    let given = loaded(
        "data D = images(\"p\") { x = column(\"image\") |> scale(1 / 255) |> normalize([0.5, 0, 0], [0.5, 1, 2]) }",
        &Memory::default().with("p/a.png", picture(ImageFormat::Png, 1, 1, |_, _| [255, 51, 255, 255])),
    );
    assert_eq!(floats(&given, Part::Train, "x"), [1.0, 0.2, 0.5]);
}

#[test]
fn rows_to_predict_on_are_files() {
    let files = pets().with("new/b.png", counting(2, 3, 7)).with("new/more/a.png", counting(2, 3, 9));
    let spec = right(
        "data D = images(\"pets\", labels = folder) { x = column[h, w](\"image\") y = column(\"label\") |> vocab }",
    );
    let wanted = [Symbol::new("x")];
    let rows = |path: &str| {
        let mut told = Diagnostics::default();
        let input = Input::Path(path.to_owned());
        let rows = Rows::load(&spec, &Fitted::default(), &input, &wanted, &files, &mut told);
        assert!(told.is_empty(), "{told:?}");
        rows.expect("right")
    };
    let folder = rows("new");
    assert_eq!(folder.paths(), ["new/b.png", "new/more/a.png"]);
    let batch = folder.batch(0, 9).expect("whole pictures");
    assert_eq!(batch.columns[0].1.shape(), [2, 2, 3]);
    assert_eq!(batch.columns[0].1.f32_slice().expect("floats")[6], 9.0);
    let one = rows("pets/dog/c.png");
    assert_eq!((one.len(), one.paths()), (1, &["pets/dog/c.png".to_owned()][..]));
}
