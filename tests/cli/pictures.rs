//! A program over a folder of pictures, from `run` to `predict`.

use std::fs;

use image::{ImageFormat, Rgb, RgbImage};

use super::{Place, tensa};

const PROGRAM: &str = "data Stripes = images(\"stripes\", labels = folder) {
  x = column(\"image\") |> decode[h, w, c] |> resize(8, 8) |> train(flip |> translate(10%) |> brightness(20%)) |> normalize
  y = column(\"label\") |> vocab
  split = by_folder(valid = 25%)
  batch = 4
}
model Net(x: [batch, h, w, c]) -> logit[batch, class] = x |> Flatten |> Dense(class: 2)
train Net on Stripes {
  predict   = Net(x)
  loss      = cross_entropy(predict, y)
  metrics   = [accuracy(predict, y)]
  optimizer = Adam(lr = 1e-2)
  epochs    = 12
  seed      = 3
}
";

/// Stripes across and along, bright on dark, of several sizes.
fn stripes() -> Place {
    let place = Place::new();
    fs::write(place.path("stripes.model"), PROGRAM).unwrap();
    for (part, count) in [("train", 8u32), ("test", 3)] {
        for at in 0..count {
            draw(&place, &format!("stripes/{part}/across/{at}.png"), 8 + at, true);
            draw(&place, &format!("stripes/{part}/along/{at}.jpg"), 8 + at, false);
        }
    }
    place
}

fn draw(place: &Place, name: &str, size: u32, across: bool) {
    let path = place.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let bright = |x: u32, y: u32| if (if across { y } else { x } * 4 / size).is_multiple_of(2) { 220 } else { 30 };
    let picture = RgbImage::from_fn(size, size, |x, y| Rgb([bright(x, y); 3]));
    picture.save_with_format(path, ImageFormat::from_path(name).unwrap()).unwrap();
}

#[test]
fn pictures_are_trained_evaluated_and_predicted() {
    let place = stripes();
    let done = place.run(&["run", "stripes.model", "--json"]).with(0).events().pop().unwrap();
    assert_eq!(done["test"]["accuracy"], 1.0);
    let evaluated = place.run(&["eval", "runs/stripes-1", "--json"]).with(0).events().pop().unwrap();
    assert_eq!(evaluated["test"], done["test"]);

    // Neither the training data nor classes are needed to predict.
    fs::rename(place.path("stripes/test"), place.path("new")).unwrap();
    fs::remove_dir_all(place.path("stripes")).unwrap();
    let table = place.run(&["predict", "runs/stripes-1", "--input", "new"]).with(0).stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!((lines.len(), lines[0]), (7, "image,predict,probability"));
    assert!(
        lines[1].starts_with("new/across/0.png,across,0.") && lines[6].starts_with("new/along/2.jpg,along,0."),
        "{table}"
    );
    let one = place.run(&["predict", "runs/stripes-1", "--input", "new/along/1.jpg", "--json"]).with(0).events();
    assert_eq!((one.len(), &one[0]["image"], &one[0]["predict"]), (1, &"new/along/1.jpg".into(), &"along".into()));

    fs::write(place.path("new/across/0.png"), "none").unwrap();
    place.run(&["predict", "runs/stripes-1", "--input", "new"]).says(&["E0732", "new/across/0.png"]);
    place.run(&["predict", "runs/stripes-1", "--input", "old"]).says(&["E0711", "old"]);
}

/// Pictures are made on other threads and ahead of the step: no bit depends on how many there are.
#[test]
fn threads_do_not_change_a_bit() {
    let place = stripes();
    let weights = [("1", "1"), ("4", "3")].map(|(makers, threads)| {
        let args = ["run", "stripes.model", "--threads", threads, "--out", makers];
        let ended = tensa(place.0.path()).args(args).env("RAYON_NUM_THREADS", makers).output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        fs::read(place.path(&format!("{makers}/stripes-1/weights.safetensors"))).unwrap()
    });
    assert!(weights[0] == weights[1]);
}

/// What shows only when a picture is read ends the run with its file.
#[test]
fn a_damaged_picture_ends_the_run() {
    let place = stripes();
    fs::write(place.path("stripes.model"), PROGRAM.replace("normalize", "scale(1 / 255)")).unwrap();
    let path = place.path("stripes/train/along/5.jpg");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 40]).unwrap();
    place.run(&["check", "stripes.model"]).with(0);
    place.run(&["run", "stripes.model"]).says(&["E0732", "stripes/train/along/5.jpg", "ends too early"]);
}

/// A model is shown pictures of the size it was trained on.
#[test]
fn pictures_of_another_size_are_told() {
    let place = stripes();
    let open = PROGRAM.replace(" |> resize(8, 8)", "").replace("\"stripes\"", "\"plain\"");
    fs::write(place.path("stripes.model"), open).unwrap();
    for name in ["train/across", "train/along", "test/across"] {
        for at in 0..4 {
            draw(&place, &format!("plain/{name}/{at}.png"), 8, name.ends_with("across"));
        }
    }
    place.run(&["run", "stripes.model"]).with(0);
    place.run(&["predict", "runs/stripes-1", "--input", "plain/test"]).with(0);
    let other = ["predict", "runs/stripes-1", "--input", "stripes/test/along/1.jpg"];
    place.run(&other).says(&["E0723", "9 × 9 × 3", "8 × 8 × 3", "stripes/test/along/1.jpg"]);
}
