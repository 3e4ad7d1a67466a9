//! The files that cases of the suite may speak of.
//!
//! Here stand those in which all is well; `faulty` has broken ones, `pictures` broken pictures, masks and boxes, and
//! `weights` files of weights.

mod faulty;
mod pictures;
mod weights;

use std::path::PathBuf;
use std::sync::LazyLock;

pub use faulty::array;

/// A folder with all of them.
///
/// `rows.csv`, with the columns `a`, `b`, `c` (numbers) and `label` (`no`, `yes`), forty rows, each number of each row
/// another; `kinds.csv`, with a `weight` for the label `no`; `notes.txt`, two lines of text; `story.txt`, a line of four
/// hundred words.
///
/// `pictures` with two of 8 × 8 in each of the folders `no` and `yes`; `mixed` with two sizes, a damaged picture and notes;
/// two of 8 × 8 in `img`, with a mask in `mask` for each and in `half` for the first; `scenes.jsonl`, which names them, with
/// boxes and their labels.
///
/// `numbers.npy`, forty rows of three numbers, `short.npy`, which lacks some, and `objects.npy` with objects of Python.
///
/// `blocks.model`, with a layer and a constant, `tower.model`, which uses it, `round.model`, which uses itself, and
/// `ring.model` and `link.model`, which use each other.
pub fn folder() -> PathBuf {
    static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut rows = "a,b,c,label\n".to_owned();
        for row in 0..40 {
            let label = if row % 2 == 0 { "no" } else { "yes" };
            rows.push_str(&format!("{row}.5,{},0.{row:02},{label}\n", 100 - row));
        }
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
            std::fs::write(path, bytes).expect("a writable folder");
        };
        write("rows.csv", rows.as_bytes());
        write("notes.txt", b"to be or not to be\n\nthat is the question\n");
        write("story.txt", "and then ".repeat(200).as_bytes());
        write("kinds.csv", b"label,weight\nno,1.5\n");
        write("blocks.model", b"let width = 8\n\nlayer Block(x: [.., d]) -> [.., d] = x + (x |> Dense(d, relu))\n");
        write("tower.model", b"use \"blocks.model\"\n\nlayer Tower(x: [.., d]) -> [.., d] = x |> Block |> Block\n");
        write("round.model", b"use \"round.model\"\n");
        write("ring.model", b"use \"link.model\"\n");
        write("link.model", b"use \"ring.model\"\n");
        let picture = |h: u32, w: u32| {
            let mut bytes = std::io::Cursor::new(Vec::new());
            let pixels = image::RgbImage::from_fn(w, h, |x, y| image::Rgb([x as u8, y as u8, 9]));
            pixels.write_to(&mut bytes, image::ImageFormat::Png).expect("memory");
            bytes.into_inner()
        };
        for name in ["pictures/no/1.png", "pictures/no/2.png", "pictures/yes/1.png", "pictures/yes/2.png"] {
            write(name, &picture(8, 8));
        }
        write("mixed/no/1.png", &picture(8, 8));
        write("mixed/yes/1.png", &picture(8, 9));
        write("mixed/yes/notes.txt", b"yes");
        write("damaged/no/1.png", b"<html>404 Not Found</html>");
        for name in ["img/1.png", "img/2.png", "mask/1.png", "mask/2.png", "half/1.png"] {
            write(name, &picture(8, 8));
        }
        write(
            "scenes.jsonl",
            b"{\"file\": \"1.png\", \"boxes\": [[0, 0, 4, 6], [2, 2, 8, 8]], \"labels\": [\"cat\", \"dog\"]}\n\
              {\"file\": \"2.png\", \"boxes\": [[1, 1, 5, 5]], \"labels\": [\"cat\"]}\n",
        );
        let threes = |descr: &str, body: &[u8]| array(descr, "(40, 3)", body);
        write(
            "numbers.npy",
            &threes("<f4", &(0..120u8).flat_map(|at| f32::from(at).to_le_bytes()).collect::<Vec<_>>()),
        );
        write("short.npy", &threes("<f4", &[0; 100]));
        write("objects.npy", &threes("|O", &[0; 960]));
        faulty::write(&write);
        pictures::write(&write);
        weights::write(folder.path());
        folder
    });
    FOLDER.path().to_path_buf()
}
