//! Files as rows, masks beside pictures, and that both stay on top of each other.

use tensa::base::Symbol;
use tensa::data::{Axis, ColumnType, Dataset, Fitted, Input, Memory, Part, Rows, Spelling, load};
use tensa::diag::Diagnostics;

use super::{batch, classes, complaint, edited, floats, line, loaded, mistake, right, spec, table};

/// A grey PNG by the number of each pixel, of a depth in bits.
fn grey(h: u32, w: u32, depth: png::BitDepth, pixel: impl Fn(u32, u32) -> u16) -> Vec<u8> {
    png(h, w, (png::ColorType::Grayscale, depth), pixel)
}

fn png(h: u32, w: u32, (color, depth): (png::ColorType, png::BitDepth), pixel: impl Fn(u32, u32) -> u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, w, h);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == png::ColorType::Indexed {
        encoder.set_palette((0..=255).flat_map(|at| [at, 128, 255 - at]).collect::<Vec<u8>>());
    }
    let bits = depth as usize;
    let mut packed = Vec::new();
    for y in 0..h {
        let mut row = vec![0u8; (w as usize * bits).div_ceil(8)];
        for x in 0..w as usize {
            let number = pixel(y, x as u32);
            match bits {
                16 => row[2 * x..2 * x + 2].copy_from_slice(&number.to_be_bytes()),
                _ => row[x * bits / 8] |= (number as u8) << (8 - bits - x * bits % 8),
            }
        }
        packed.extend(row);
    }
    let mut writer = encoder.write_header().expect("memory");
    writer.write_image_data(&packed).expect("as many numbers as pixels");
    writer.finish().expect("memory");
    bytes
}

/// White blobs on black, larger than what mixing of pixels blurs.
fn blob(row: u32) -> impl Fn(u32, u32) -> bool {
    move |y, x| {
        let at = |middle_y: i64, middle_x: i64, reach: i64| {
            let (dy, dx) = (i64::from(y) - middle_y, i64::from(x) - middle_x);
            dy * dy + dx * dx <= reach * reach
        };
        at(12 + i64::from(row) * 3, 10, 8) || at(30, 34 - i64::from(row) * 4, 6)
    }
}

const SIDES: (u32, u32) = (44, 48);

/// Four pictures of blobs; each mask is its picture, white and black.
fn cells() -> Memory {
    let (h, w) = SIDES;
    (0..4).fold(Memory::default(), |files, row| {
        let picture = grey(h, w, png::BitDepth::Eight, |y, x| if blob(row)(y, x) { 200 } else { 0 });
        let mask = grey(h, w, png::BitDepth::One, |y, x| u16::from(blob(row)(y, x)));
        files.with(&format!("img/{row}.png"), picture).with(&format!("mask/{row}.png"), mask)
    })
}

/// Pictures and masks under some steps of their record.
fn record(steps: &str) -> String {
    format!(
        "data Cells = files(\"img/*.png\") {{
  img, label = {{ img: decode[h, w](path), label: decode[h, w](sibling(path, \"mask\")) |> index[class: 2] }}{steps}
  batch = 3
}}"
    )
}

#[test]
fn files_are_rows() {
    let files = cells().with("img/notes.txt", "").with("img/.hidden.png", "").with("img/deep/a.png", "");
    let data = loaded(&record(""), &files);
    assert_eq!(data.schema().rows(Part::Train), 4);
    let [img, label] = ["img", "label"].map(|name| data.schema().column(Symbol::new(name)).expect("a column"));
    let axes = [("h", 44), ("w", 48)].map(|(name, size)| Axis { name: Some(Symbol::new(name)), size, open: None });
    assert_eq!((img.axes.as_slice(), label.axes.as_slice()), (&axes[..], &axes[..]));
    assert_eq!(img.ty, ColumnType::F32);
    assert_eq!(
        label.ty,
        ColumnType::Index { axis: Some(Symbol::new("class")), size: 2, names: Vec::new(), spelling: Spelling::Names }
    );
    let (img, label) = (floats(&data, Part::Train, "img"), classes(&data, Part::Train, "label"));
    assert!(img.iter().zip(&label).all(|(x, class)| *x == 200.0 * *class as f32));
    assert_eq!(
        label.iter().filter(|class| **class == 1).count(),
        label.len() - img.iter().filter(|x| **x == 0.0).count()
    );
    // Patterns go through folders; a path is a column like any other.
    let files = Memory::default().with("a/x/img/2.png", "").with("a/y/img/1.png", "").with("a/y/img/1.txt", "");
    let data = loaded("data D = files(\"a/*/img/*.png\") { y = column(\"path\") |> vocab z = path |> vocab }", &files);
    assert_eq!(classes(&data, Part::Train, "y"), [0, 1]);
    assert_eq!(classes(&data, Part::Train, "z"), [0, 1]);
}

/// The batches of the training rows of some epochs: pixels and classes.
fn epochs(data: &Dataset, count: u64) -> Vec<(Vec<f32>, Vec<i32>)> {
    let loader = data.loader(Part::Train);
    let all = (0..count).flat_map(|epoch| (0..loader.batches()).map(move |index| (epoch, index)));
    all.map(|(epoch, index)| {
        let [img, label] = &batch(&loader, epoch, index).columns[..] else { panic!("two columns") };
        (img.1.f32_slice().expect("floats").to_vec(), label.1.i32_slice().expect("class numbers").to_vec())
    })
    .collect()
}

/// Where a picture is all black or all white, so that nothing was mixed there, its mask says so. `white` is what
/// brightness and contrast have left of the white.
fn aligned(steps: &str, is_clear: impl Fn(f32, &[f32]) -> Option<i32>) {
    let data = loaded(&record(steps), &cells());
    let (mut clear, mut all, mut white) = (0, 0, 0);
    for (img, label) in epochs(&data, 8) {
        let item = data.schema().columns[0].shape().iter().product::<usize>();
        for (img, label) in img.chunks(item).zip(label.chunks(item)) {
            for (x, class) in img.iter().zip(label) {
                if let Some(wanted) = is_clear(*x, img) {
                    assert_eq!(*class, wanted, "{steps}: a pixel of {x}");
                    (clear, white) = (clear + 1, white + wanted);
                }
                all += 1;
            }
        }
    }
    // Most pixels are clear, and not only black ones.
    assert!(clear * 10 > all * 7 && white > 200, "{steps}: {white} and {clear} of {all}");
}

#[test]
fn a_mask_stays_on_its_picture() {
    let plain = |x: f32, _: &[f32]| match x {
        0.0 => Some(0),
        200.0 => Some(1),
        _ => None,
    };
    for steps in [
        " |> train(flip)",
        " |> train(rotate(40 deg))",
        " |> train(translate(20%))",
        " |> train(zoom(30%))",
        " |> train(crop(32, 24)) |> crop(32, 24)",
        " |> train(flip |> rotate(15 deg) |> zoom(20%) |> translate(10%))",
        " |> train(rotate(15 deg) |> crop(30) |> flip |> zoom(10%)) |> crop(30)",
        " |> resize(88, 64) |> train(flip |> rotate(15 deg))",
        " |> train(flip) |> resize(50, 30) |> train(rotate(9 deg)) |> crop(30)",
        " |> resize(96, 96) |> train(flip |> rotate(15 deg)) |> train(crop(64)) |> resize(64, 64)",
    ] {
        aligned(steps, plain);
    }
    // What changes colours draws for the mask as well, and leaves it as it is.
    aligned(" |> train(brightness(30%) |> flip |> translate(20%))", |x, all| {
        let white = all.iter().copied().fold(0.0, f32::max);
        (x == 0.0 || x == white).then_some(i32::from(x == white))
    });
    aligned(" |> train(flip |> contrast(30%) |> rotate(20 deg)) |> normalize(100, 50)", |x, all| {
        let (black, white) = (all.iter().copied().fold(f32::MAX, f32::min), all.iter().copied().fold(-9e9, f32::max));
        (x == black || x == white).then_some(i32::from(x == white))
    });
}

/// A field that was changed at random before goes on with the draws of the record.
#[test]
fn draws_of_a_record_are_those_of_all_fields() {
    let text = record(" |> train(flip)").replace("decode[h, w](path)", "decode[h, w](path) |> train(brightness(20%))");
    let data = loaded(&text, &cells());
    let mut mirrored = 0;
    let plain = classes(&loaded(&record(""), &cells()), Part::Train, "label");
    for (img, label) in epochs(&data, 8) {
        for (img, label) in img.chunks(44 * 48).zip(label.chunks(44 * 48)) {
            assert!(img.iter().zip(label).all(|(x, class)| (*x > 0.0) == (*class == 1)));
            mirrored += usize::from(!plain.chunks(44 * 48).any(|plain| plain == label));
        }
    }
    assert!((8..=24).contains(&mirrored), "{mirrored}");
    // A mask before and after the first `train(…)` of its record does not draw the same twice.
    let twice = loaded(&record(" |> train(flip) |> train(flip)"), &cells());
    let flipped = |data: &Dataset| epochs(data, 8).into_iter().flat_map(|(_, label)| label).collect::<Vec<i32>>();
    assert_ne!(flipped(&twice), flipped(&loaded(&record(""), &cells())));
}

#[test]
fn masks_are_read_as_they_lie() {
    use png::BitDepth::{Eight, Four, One, Sixteen, Two};
    use png::ColorType::{Grayscale, Indexed};
    let load = |mask: Vec<u8>, size: usize| {
        let files = Memory::default().with("m/a.png", mask);
        let text = format!("data D = files(\"m/*\") {{ y = decode[h, w](path) |> index[class: {size}] }}");
        classes(&loaded(&text, &files), Part::Train, "y")
    };
    for (kind, most) in [
        ((Grayscale, One), 2),
        ((Grayscale, Two), 4),
        ((Grayscale, Four), 16),
        ((Grayscale, Eight), 200),
        ((Grayscale, Sixteen), 900),
        ((Indexed, Eight), 200),
        ((Indexed, Four), 16),
    ] {
        let number = |y: u32, x: u32| (y * 11 + x * 7) % most;
        let wanted: Vec<i32> = (0..3).flat_map(|y| (0..13).map(move |x| number(y, x) as i32)).collect();
        assert_eq!(load(png(3, 13, kind, |y, x| number(y, x) as u16), most as usize), wanted, "{kind:?}");
    }
    // Greys that are written as colours; white and black.
    let colours = super::pictures::picture(image::ImageFormat::Png, 1, 3, |_, x| {
        let grey = [0, 255, 0][x as usize];
        [grey, grey, grey, 255]
    });
    assert_eq!(load(colours, 2), [0, 1, 0]);
    // Without a size the training rows say it; a comparison makes classes of any greys.
    let files = Memory::default().with("m/a.png", grey(1, 3, Eight, |_, x| [0, 7, 130][x as usize]));
    for (steps, size, wanted) in [("", 131, [0, 7, 130]), (" > 100", 2, [0, 0, 1])] {
        let data =
            loaded(&format!("data D = files(\"m/*\") {{ y = decode[h, w](path){steps} |> index[class] }}"), &files);
        assert_eq!(classes(&data, Part::Train, "y"), wanted);
        let ColumnType::Index { size: found, .. } = &data.schema().columns[0].ty else { panic!("classes") };
        assert_eq!(*found, if steps.is_empty() { size } else { 2 });
        let mut told = Diagnostics::default();
        let fitted = Fitted::from_json(&data.fitted().to_json()).expect("own JSON");
        let text = format!("data D = files(\"m/*\") {{ y = decode[h, w](path){steps} |> index[class] }}");
        let again = load_fitted(&text, &files, &fitted, &mut told);
        assert_eq!(again.schema().columns, data.schema().columns);
    }
}

fn load_fitted(text: &str, files: &Memory, fitted: &Fitted, told: &mut Diagnostics) -> Dataset {
    load(&right(text), files, 7, Some(fitted), told).expect("a dataset")
}

/// The complaint of a batch.
fn of_batch(text: &str, files: &Memory) -> String {
    let data = loaded(text, files);
    line(&data.loader(Part::Train).batch(0, 0).expect_err("a bad mask"))
}

#[test]
fn masks_that_are_no_classes() {
    let with = |mask: Vec<u8>| Memory::default().with("m/a.png", mask);
    let eight = |numbers: [u16; 4]| with(grey(2, 2, png::BitDepth::Eight, |y, x| numbers[(2 * y + x) as usize]));
    let text = "data D = files(\"m/*\") { y = decode[h, w](path) |> index[class: 2] }";
    assert_eq!(
        of_batch(text, &eight([0, 1, 0, 3])),
        "E0746 the mask `m/a.png` has 3 in row 1, column 1, which is not one of 2 classes"
    );
    assert_eq!(
        of_batch(text, &eight([0, 1, 255, 0])),
        "E0746 the mask `m/a.png` has 255 in row 1, column 0 and 1 elsewhere"
    );
    let three = text.replace("class: 2", "class: 3");
    assert_eq!(
        of_batch(&three, &eight([0, 255, 1, 2])),
        "E0746 the mask `m/a.png` has 255 in row 0, column 1, which is not one of 3 classes"
    );
    let red = super::pictures::picture(image::ImageFormat::Png, 1, 2, |_, x| [x as u8, 0, 0, 255]);
    assert_eq!(of_batch(text, &with(red)), "E0746 the mask `m/a.png` has the colour (1, 0, 0) in row 0, column 1");
    // Before `index` pixels are mixed.
    let late = text.replace("(path)", "(path) |> resize(3, 3)");
    assert!(of_batch(&late, &eight([0, 1, 0, 1])).contains(", which is not one of 2 classes"));
    let open = text.replace(": 2", "").replace("(path)", "(path) / 2");
    assert_eq!(
        complaint(&open, &eight([0, 0, 1, 0])),
        "E0746 the mask `m/a.png` has 0.5 in row 1, column 0, which is not a class number"
    );
    let colours = text.replace("[h, w]", "[h, w, c]");
    assert_eq!(
        complaint(&colours, &eight([0; 4])),
        "E0709 `index` takes one number a pixel, and here are 3 on an axis of their own"
    );
    let later = "data D = files(\"m/*\") { y = decode[h, w](path) |> index[class: 2] |> normalize }";
    assert_eq!(mistake(later), "E0709 `normalize` takes pictures, and this is masks, whose pixels are class numbers");
}

#[test]
fn files_that_are_not_there() {
    let black = || grey(44, 48, png::BitDepth::Eight, |_, _| 0);
    assert_eq!(
        complaint(&record(""), &cells().with("img/7.png", black()).with("img/8.png", black())),
        "E0745 `img/7.png` has no `mask/7.png` beside it"
    );
    // The same name with another ending will do; two of them will not.
    let other = cells().with("img/7.png", black());
    let gif = super::pictures::picture(image::ImageFormat::Gif, 44, 48, |_, _| [0, 0, 0, 255]);
    let data = loaded(&record(""), &other.clone().with("mask/7.gif", gif.clone()));
    assert_eq!(data.schema().rows(Part::Train), 5);
    assert_eq!(
        complaint(&record(""), &other.with("mask/7.gif", gif).with("mask/7.bmp", "")),
        "E0745 `mask/7.png` could be `mask/7.bmp` or `mask/7.gif`"
    );
    assert_eq!(
        complaint("data D = files(\"img/*.jpg\") { x = decode(path) }", &cells()),
        "E0745 no picture is called `img/*.jpg`"
    );
    assert_eq!(
        complaint("data D = files(\"image/*.jpg\") { x = decode(path) }", &cells()),
        "E0711 cannot read `image`: there is no such file"
    );
    let tall = cells().with("mask/2.png", grey(60, 48, png::BitDepth::One, |_, _| 0));
    assert_eq!(
        complaint(&record(" |> train(crop(20)) |> crop(20)"), &tall),
        "E0733 `img/2.png` is 44 × 48, and `mask/2.png` beside it 60 × 48: a crop would take different parts"
    );
    loaded(&record(" |> resize(40, 40) |> train(crop(20)) |> crop(20)"), &tall);
}

#[test]
fn a_table_names_its_pictures() {
    let files = (0..3).fold(Memory::default(), |files, at| {
        files.with(&format!("photos/{at}.png"), super::pictures::counting(1, 2, 10 * at))
    });
    let files = files.with("t.csv", "file,y\n2.png,1\n0,2\n").with("u.csv", "file\nphotos/1.png\n");
    let text =
        "data D = csv(\"t.csv\") { x = column(\"file\") |> decode[h, w](folder = \"photos\") y = column(\"y\") }";
    let data = loaded(text, &files);
    assert_eq!(floats(&data, Part::Train, "x"), [20.0, 21.0, 0.0, 1.0]);
    let whole = "data D = csv(\"u.csv\") { x = column(\"file\") |> decode[h, w] }";
    assert_eq!(floats(&loaded(whole, &files), Part::Train, "x"), [10.0, 11.0]);
    assert_eq!(
        complaint(&text.replace("(folder = \"photos\")", ""), &files),
        "E0745 column `file` names `2.png` in row 1 (line 2) of `t.csv`, and there is no such picture"
    );
    let gap = table("file,y\n,1\n");
    assert_eq!(complaint(text, &gap), "E0719 column `file` names no picture in row 1 (line 2) of `t.csv`");
    assert_eq!(
        mistake("data D = csv(\"t.csv\") { x = column(\"file\") |> resize(2, 2) }"),
        "E0709 `resize` takes pictures, and this is a column of a table"
    );
    assert_eq!(
        mistake("data D = files(\"m/*\") { y = sibling(path) }"),
        "E0704 `sibling` takes paths and the folder beside theirs, as in `sibling(path, \"mask\")`"
    );
}

#[test]
fn files_to_predict_on_need_no_masks() {
    let files = cells().with("new/a.png", grey(44, 48, png::BitDepth::Eight, |_, _| 9));
    let spec = right(&record(" |> train(flip)"));
    for (path, found) in [("new/a.png", "new/a.png"), ("new", "new/a.png"), ("new/*", "new/a.png")] {
        let mut told = Diagnostics::default();
        let input = Input::Path(path.to_owned());
        let rows = Rows::load(&spec, &Fitted::default(), &input, &[Symbol::new("img")], &files, &mut told);
        assert!(told.is_empty(), "{told:?}");
        let rows = rows.expect("rows");
        assert_eq!(rows.paths(), [found]);
        let batch = rows.batch(0, 1).expect("whole pictures");
        assert!(batch.columns[0].1.f32_slice().expect("floats").iter().all(|x| *x == 9.0));
    }
}

/// What the edits of some mistakes lead to.
#[test]
fn edits_mend() {
    let text = "data D = jsonl(\"s.jsonl\") { b = column(\"b\") |> boxes[object, side] }";
    let (_, told) = spec(text);
    assert_eq!(line(&told[0]), "E0709 rows have different numbers of boxes");
    right(&edited(text, &told[0]));
}
