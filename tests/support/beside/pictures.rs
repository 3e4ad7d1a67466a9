//! Pictures, masks and boxes in which something is wrong, for the cases of the suite.
//!
//! In: a function that writes a file. Out: the files below; each name says what is wrong.

use std::io::Cursor;

use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage};

fn png(write_to: impl Fn(&mut Cursor<Vec<u8>>)) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    write_to(&mut bytes);
    bytes.into_inner()
}

/// 8 × 8 in grey.
fn grey(of: impl Fn(u32, u32) -> u8) -> Vec<u8> {
    let pixels = GrayImage::from_fn(8, 8, |x, y| Luma([of(x, y)]));
    png(|bytes| pixels.write_to(bytes, ImageFormat::Png).expect("memory"))
}

/// Writes, each for the two pictures of `img`: masks with the classes 0 and 3 in `levels`, with 0, 1 and 255 in `third`,
/// one row higher than their picture in `taller`, two files of one name in `double`. Pictures without classes in `loose`,
/// in folders for parts in `sorted`; a class without any in `sparse`, a folder without any in `papers`. `sized.jsonl` with
/// boxes by their sizes, `inverted.jsonl` with one that is wrong either way, `unlike.jsonl` with more labels than boxes
/// and no file in its second row, `unnamed.txt` with none in its second line. `planes.npy`, two rows of 2 × 2 pixels of
/// two numbers.
pub fn write(write: &dyn Fn(&str, &[u8])) {
    let colour = |h: u32| {
        let pixels = RgbImage::from_fn(8, h, |x, y| Rgb([x as u8, y as u8, 9]));
        png(|bytes| pixels.write_to(bytes, ImageFormat::Png).expect("memory"))
    };
    for name in ["1.png", "2.png"] {
        write(&format!("levels/{name}"), &grey(|x, _| if x < 4 { 0 } else { 3 }));
        write(&format!("third/{name}"), &grey(|x, _| [0, 1, 255][x as usize % 3]));
        write(&format!("taller/{name}"), &colour(9));
        write(&format!("loose/{name}"), &colour(8));
        write(&format!("sorted/train/no/{name}"), &colour(8));
        write(&format!("sorted/train/yes/{name}"), &colour(8));
        write(&format!("sorted/valid/no/{name}"), &colour(8));
        write(&format!("sparse/no/{name}"), &colour(8));
    }
    for name in ["1.jpg", "1.bmp", "2.jpg", "2.bmp"] {
        write(&format!("double/{name}"), b"");
    }
    write("sparse/yes/notes.txt", b"yes");
    write("papers/notes.txt", b"none");
    write("unnamed.txt", b"1.png\nNA\n");
    write("sized.jsonl", b"{\"boxes\": [[5, 1, 2, 6]], \"kind\": \"cat\"}\n");
    write("inverted.jsonl", b"{\"boxes\": [[5, 1, -2, 6]]}\n");
    write(
        "unlike.jsonl",
        b"{\"file\": \"1.png\", \"boxes\": [[1, 1, 5, 5]], \"labels\": [\"cat\", \"dog\"]}\n\
          {\"file\": \"NA\", \"boxes\": [], \"labels\": []}\n",
    );
    let planes: Vec<u8> = (0..16u8).flat_map(|at| f32::from(at).to_le_bytes()).collect();
    write("planes.npy", &super::faulty::array("<f4", "(2, 2, 2, 2)", &planes));
}
