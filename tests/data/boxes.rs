//! Boxes of pictures and their kinds: how they are read, and that they go where their pixels go.

use tensa::base::Symbol;
use tensa::data::{Axis, ColumnType, Dataset, Memory, Part, Spelling};

use super::pictures::picture;
use super::{batch, classes, complaint, floats, loaded, mistake};

/// A picture in which each box is filled with a colour of its own, red and then green.
fn filled(h: u32, w: u32, boxes: &[[u32; 4]]) -> Vec<u8> {
    picture(image::ImageFormat::Png, h, w, |y, x| {
        let inside = |at: usize| {
            let [left, top, right, bottom] = *boxes.get(at)?;
            ((left..right).contains(&x) && (top..bottom).contains(&y)).then_some(200)
        };
        [inside(0).unwrap_or(0), inside(1).unwrap_or(0), 0, 255]
    })
}

const FIRST: [[u32; 4]; 2] = [[10, 6, 24, 20], [40, 24, 58, 44]];
const SECOND: [[u32; 4]; 1] = [[5, 30, 25, 40]];

/// Two pictures of 50 × 64 with a box for each of their kinds.
fn scenes() -> Memory {
    let lines = format!(
        "{{\"file\": \"a.png\", \"boxes\": {FIRST:?}, \"labels\": [\"cat\", \"dog\"]}}\n\
         {{\"file\": \"b.png\", \"boxes\": {SECOND:?}, \"labels\": [\"cat\"]}}\n\
         {{\"file\": \"c.png\", \"boxes\": [], \"labels\": null}}\n"
    );
    Memory::default()
        .with("s.jsonl", lines)
        .with("photos/a.png", filled(50, 64, &FIRST))
        .with("photos/b.png", filled(50, 64, &SECOND))
        .with("photos/c.png", filled(50, 64, &[]))
}

fn record(steps: &str) -> String {
    format!(
        "data Scenes = jsonl(\"s.jsonl\") {{
  img, box, kind = {{ img: column(\"file\") |> decode[h, w, c](folder = \"photos\"),
                     box: column(\"boxes\") |> boxes[object, side: 4],
                     kind: column(\"labels\") |> vocab[class] }}{steps}
  batch = 2
}}"
    )
}

#[test]
fn boxes_are_lists_of_rows() {
    let data = loaded(&record(" |> pad(3)"), &scenes());
    let column = |name: &str| data.schema().column(Symbol::new(name)).expect("a column").clone();
    let axis = |name: &str, size| Axis { name: Some(Symbol::new(name)), size, open: None };
    assert_eq!(column("box").axes, [axis("object", 3), axis("side", 4)]);
    assert_eq!(column("kind").axes, [axis("object", 3)]);
    let names = ["cat", "dog"].map(str::to_owned).to_vec();
    assert_eq!(
        column("kind").ty,
        ColumnType::Index { axis: Some(Symbol::new("class")), size: 2, names, spelling: Spelling::Names }
    );
    let mut wanted = vec![0.0; 36];
    wanted[..8].copy_from_slice(&FIRST.concat().iter().map(|edge| *edge as f32).collect::<Vec<f32>>());
    wanted[12..16].copy_from_slice(&SECOND[0].map(|edge| edge as f32));
    assert_eq!(floats(&data, Part::Train, "box"), wanted);
    assert_eq!(classes(&data, Part::Train, "kind"), [0, 1, 0, 0, 0, 0, 0, 0, 0]);
    // Alone, and in a table of text.
    let files = Memory::default().with("t.csv", "b\n\"[[1, 2, 3.5, 4]]\"\n\n");
    let data = loaded("data D = csv(\"t.csv\") { b = column(\"b\") |> boxes |> pad(1) }", &files);
    assert_eq!(floats(&data, Part::Train, "b"), [1.0, 2.0, 3.5, 4.0]);
    let sizes = "data D = csv(\"t.csv\") { b = column(\"b\") |> boxes[object, side](given = sizes) |> pad(1) }";
    assert_eq!(floats(&loaded(sizes, &files), Part::Train, "b"), [1.0, 2.0, 4.5, 6.0]);
    assert!(mistake(&sizes.replace("= sizes", "= edges")).starts_with("E0704 `boxes` takes `given = sizes`, for"));
}

/// The epochs of the training rows: for each row its pixels, boxes and kinds.
fn rows(data: &Dataset, epochs: u64) -> Vec<(Vec<f32>, Vec<f32>, Vec<i32>)> {
    let loader = data.loader(Part::Train);
    let mut rows = Vec::new();
    for (epoch, index) in (0..epochs).flat_map(|epoch| (0..loader.batches()).map(move |index| (epoch, index))) {
        let made = batch(&loader, epoch, index);
        let [img, edges, kind] = &made.columns[..] else { panic!("three columns") };
        let (img, edges) = (img.1.f32_slice().expect("floats"), edges.1.f32_slice().expect("floats"));
        let kind = kind.1.i32_slice().expect("class numbers");
        for row in 0..made.rows {
            let part = |all: &[f32]| all.chunks(all.len() / made.rows).nth(row).expect("a row").to_vec();
            let kinds = kind.chunks(kind.len() / made.rows).nth(row).expect("a row").to_vec();
            rows.push((part(img), part(edges), kinds));
        }
    }
    rows
}

/// The edges of the pixels that have more than half of the colour of a kind.
fn around(img: &[f32], w: usize, kind: i32) -> Option<[f32; 4]> {
    let pixels = img.chunks(3).enumerate().filter(|(_, pixel)| pixel[kind as usize] > 100.0);
    let places = pixels.map(|(at, _)| ((at % w) as f32, (at / w) as f32));
    places.fold(None, |edges, (x, y)| {
        let [left, top, right, bottom] = edges.unwrap_or([f32::MAX, f32::MAX, 0.0, 0.0]);
        Some([left.min(x), top.min(y), right.max(x + 1.0), bottom.max(y + 1.0)])
    })
}

/// Each box lies around the pixels of its colour; `reach` is how far mixing, and the corners of what has turned, go.
#[test]
fn boxes_go_with_their_pixels() {
    for (steps, reach) in [
        ("", 0.0),
        (" |> train(flip)", 0.0),
        (" |> train(translate(20%))", 1.0),
        (" |> train(zoom(30%))", 1.5),
        (" |> train(crop(40, 44)) |> crop(40, 44)", 0.0),
        (" |> train(flip |> crop(40)) |> resize(40, 40)", 1.0),
        (" |> resize(100, 96) |> train(flip |> translate(10%))", 2.0),
        (" |> train(rotate(90 deg))", 2.5),
        (" |> train(flip |> zoom(10%)) |> resize(75, 96) |> train(brightness(2%) |> crop(64)) |> crop(64)", 2.5),
    ] {
        let data = loaded(&record(&format!("{steps} |> pad(2)")), &scenes());
        let w = data.schema().columns[0].shape()[1];
        let (mut met, mut dropped) = (0, 0);
        for (img, edges, kinds) in rows(&data, 12) {
            for (edges, kind) in edges.chunks(4).zip(kinds) {
                if edges == [0.0; 4] {
                    assert_eq!(kind, 0, "an empty box is of the first kind");
                    dropped += 1;
                    continue;
                }
                let wanted = around(&img, w, kind);
                // Of a sliver no pixel may be left.
                let thin = edges[2] - edges[0] < reach + 1.0 || edges[3] - edges[1] < reach + 1.0;
                let Some(wanted) = wanted.filter(|_| !thin) else {
                    assert!(thin, "{steps}: {edges:?} of kind {kind} holds nothing");
                    continue;
                };
                let near = edges.iter().zip(wanted).all(|(edge, wanted)| (edge - wanted).abs() <= reach);
                assert!(near, "{steps}: {edges:?} of kind {kind} around {wanted:?}");
                met += 1;
            }
        }
        assert!(met >= 24 && dropped >= 36, "{steps}: {met} boxes met, {dropped} dropped");
    }
}

/// What a crop leaves nothing of is gone, with its kind, and the others move up.
#[test]
fn a_box_outside_is_dropped_with_its_kind() {
    let files = Memory::default()
        .with("s.jsonl", "{\"f\": \"a.png\", \"b\": [[0, 0, 3, 2], [6, 3, 12, 20]], \"l\": [7, 9]}\n")
        .with("a.png", filled(10, 12, &[]));
    let text = "data D = jsonl(\"s.jsonl\") {
      let r = { x: column(\"f\") |> decode, b: column(\"b\") |> boxes, l: column(\"l\") |> vocab } |> crop(4, 4) |> pad(2)
      b = r.b
      l = r.l
    }";
    let data = loaded(text, &files);
    assert_eq!(floats(&data, Part::Train, "b"), [2.0, 0.0, 4.0, 4.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(classes(&data, Part::Train, "l"), [1, 0]);
}

#[test]
fn boxes_that_do_not_fit() {
    let line = |boxes: &str, labels: &str| {
        let text = format!("{{\"file\": \"a\", \"boxes\": {boxes}, \"labels\": {labels}}}\n");
        scenes().with("s.jsonl", text)
    };
    let text = record(" |> pad(1)");
    for (boxes, labels, wanted) in [
        ("[[1, 2, 3]]", "[\"cat\"]", "`[[1,2,3]]` in column `boxes`, row 1 (line 1) of `s.jsonl`, is no list of boxes"),
        ("7", "[\"cat\"]", "`7` in column `boxes`, row 1 (line 1) of `s.jsonl`, is no list of boxes"),
        (
            "[[30, 2, 10, 5]]",
            "[\"cat\"]",
            "a box in column `boxes`, row 1 (line 1) of `s.jsonl`, has its right edge 10 left of its left edge 30",
        ),
        (
            "[[1, 20, 10, 5]]",
            "[\"cat\"]",
            "a box in column `boxes`, row 1 (line 1) of `s.jsonl`, has its lower edge 5 above its upper edge 20",
        ),
        ("[[1, 2, 3, 4]]", "\"cat\"", "`cat` in column `labels`, row 1 (line 1) of `s.jsonl`, is no list of words"),
        (
            "[[1, 2, 3, 4]]",
            "[\"cat\", \"dog\"]",
            "column `labels` has 2 kinds in row 1 (line 1) of `s.jsonl`, which has 1 box",
        ),
    ] {
        assert_eq!(complaint(&text, &line(boxes, labels)), format!("E0747 {wanted}"));
    }
    assert_eq!(
        complaint(&text, &scenes()),
        "E0747 row 1 (line 1) of `s.jsonl` has 2 boxes, and `pad(1)` has room for 1"
    );
    let said = |text: &str, wanted: &str| assert_eq!(mistake(text), wanted, "{text}");
    said(&record(""), "E0709 rows have different numbers of boxes");
    said(
        "data D = jsonl(\"s.jsonl\") { b = column(\"boxes\") |> boxes |> resize(2, 2) |> pad(2) }",
        "E0709 boxes follow the `resize` of their picture, and there is none here",
    );
    said(&record(" |> pad"), "E0704 `pad` takes how many boxes every row has, as in `pad(20)`");
    let lone = record(" |> pad(2)").replace("column(\"labels\") |> vocab[class]", "random.index[batch](class: 3)");
    said(&lone, "E0709 classes beside boxes are one for each box");
    let sized = record(" |> pad(2)").replace("object, side: 4", "object: 3, side: 4");
    assert!(mistake(&sized).starts_with("E0704 `boxes` takes the axes of the boxes of a row"));
}
