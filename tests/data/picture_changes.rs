//! Random changes of training pictures: which rows they meet, and that they come again.

use tensa::data::{Dataset, Memory, Part};

use super::idx_files::idx;
use super::pictures::counting;
use super::{batch, floats, loaded};

/// Six pictures of 6 × 6 that share no pixel value's place.
fn files() -> Memory {
    (0..6).fold(Memory::default(), |files, at| files.with(&format!("p/{at}.png"), counting(6, 6, 30 * at)))
}

fn data(steps: &str) -> Dataset {
    let text = format!(
        "data D = images(\"p\") {{ x = column[h, w](\"image\") |> {steps} split = random(test = 34%) batch = 2 }}"
    );
    loaded(&text, &files())
}

/// The numbers of an epoch in the order of its batches.
fn epoch(data: &Dataset, epoch: u64) -> Vec<f32> {
    let loader = data.loader(Part::Train);
    let of = |index| batch(&loader, epoch, index).columns[0].1.f32_slice().expect("floats").to_vec();
    (0..loader.batches()).flat_map(of).collect()
}

const ALL: &str = "train(flip |> rotate(20 deg) |> translate(10%) |> zoom(10%) |> crop(4) |> brightness(30%) |> contrast(30%)) \
                   |> crop(4) |> scale(1 / 255)";

#[test]
fn only_training_rows_change() {
    let (changed, plain) = (data(ALL), data("crop(4) |> scale(1 / 255)"));
    assert_eq!(floats(&changed, Part::Test, "x"), floats(&plain, Part::Test, "x"));
    // To look at the training rows is not to train on them.
    assert_eq!(floats(&changed, Part::Train, "x"), floats(&plain, Part::Train, "x"));
    let epochs = [0, 1, 2].map(|at| epoch(&changed, at));
    assert_ne!(epochs[0], epochs[1]);
    assert_ne!(epochs[1], epochs[2]);
    assert_eq!(epochs[0].len(), 4 * 16);
    assert_ne!(epochs[0], epoch(&plain, 0));
}

/// Another loader, asked backwards, one row at a time or all at once: the numbers of a row are the same.
#[test]
fn a_row_of_an_epoch_is_always_the_same() {
    let changed = data(ALL);
    let all = [0, 1, 2].map(|at| epoch(&changed, at));
    let loader = changed.loader(Part::Train);
    for at in [2, 1, 0] {
        for index in (0..loader.batches()).rev() {
            let of_batch = batch(&loader, at, index).columns[0].1.f32_slice().expect("floats").to_vec();
            assert_eq!(of_batch, all[at as usize][index * 32..][..of_batch.len()]);
        }
    }
    for rows in [1, 3, 4] {
        let loader = changed.loader(Part::Train).batch_size(rows);
        let of = |index| batch(&loader, 1, index).columns[0].1.f32_slice().expect("floats").to_vec();
        assert_eq!((0..loader.batches()).flat_map(of).collect::<Vec<f32>>(), all[1]);
    }
    // How many are made ahead changes nothing; with none they are made as they are asked for.
    for ahead in ["0", "1", "7"] {
        let steps = format!("{ALL} prefetch = {ahead}");
        assert_eq!([0, 1, 2].map(|at| epoch(&data(&steps), at)), all);
    }
    // A fresh start that goes on from the middle, as a run that is continued.
    assert_eq!(epoch(&data(ALL), 2), all[2]);
}

#[test]
fn a_flip_is_a_mirror() {
    let (flipped, plain) = (data("train(flip)"), data("scale(1)"));
    let mut mirrored = 0;
    for at in 0..8 {
        let (flipped, plain) = (epoch(&flipped, at), epoch(&plain, at));
        for (flipped, plain) in flipped.chunks(36).zip(plain.chunks(36)) {
            let mirror: Vec<f32> = plain.chunks(6).flat_map(|row| row.iter().rev().copied()).collect();
            assert!(flipped == plain || flipped == mirror);
            mirrored += usize::from(flipped == mirror);
        }
    }
    // 32 throws of a coin.
    assert!((8..=24).contains(&mirrored), "{mirrored}");
}

#[test]
fn a_random_crop_is_a_part() {
    let cropped = data("train(crop(4, 5)) |> crop(4, 5)");
    let corners: Vec<f32> = (0..20).flat_map(|at| epoch(&cropped, at)).step_by(20).map(|x| x % 30.0).collect();
    // Three places down and two across, all of them met.
    let mut found: Vec<i32> = corners.iter().map(|x| *x as i32).collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found, [0, 1, 6, 7, 12, 13]);
}

/// A picture and its mask under the same changes.
#[test]
fn columns_of_a_row_draw_the_same() {
    let text = "data D = images(\"p\") {
      x = column[h, w](\"image\") |> train(flip |> rotate(30 deg))
      y = column[h, w](\"image\") |> scale(2) |> train(flip |> rotate(30 deg))
    }";
    let data = loaded(text, &files());
    let batch = batch(&data.loader(Part::Train), 3, 0);
    let [x, y] = [0, 1].map(|at| batch.columns[at].1.f32_slice().expect("floats").to_vec());
    assert!(x.iter().zip(&y).all(|(x, y)| (2.0 * x - y).abs() < 1e-3));
}

#[test]
fn pictures_of_idx_files_change_too() {
    let pixels: Vec<u8> = (0..24).collect();
    let files = Memory::default().with("x", idx(8, &[2, 3, 4], &pixels)).with("y", idx(8, &[2], &[0, 1]));
    let text = "data D = idx(x = \"x\", y = \"y\") {
      x = column[h, w](\"x\") |> scale(1 / 255) |> train(flip) |> standardize
      y = column(\"y\") |> index
      shuffle = false
    }";
    let data = loaded(text, &files);
    assert_eq!(data.schema().columns[0].shape(), [3, 4]);
    let plain = floats(&data, Part::Train, "x");
    assert!(plain.iter().sum::<f32>().abs() < 1e-4);
    let mut seen = [false; 2];
    for at in 0..8 {
        let batch = batch(&data.loader(Part::Train), at, 0);
        let x = batch.columns[0].1.f32_slice().expect("floats");
        assert_eq!(batch.columns[1].1.i32_slice().expect("class numbers"), [0, 1]);
        let mirror: Vec<f32> = plain[..12].chunks(4).flat_map(|row| row.iter().rev().copied()).collect();
        assert!(x[..12] == plain[..12] || x[..12] == mirror);
        seen[usize::from(x[..12] == mirror)] = true;
    }
    assert_eq!(seen, [true, true]);
}
