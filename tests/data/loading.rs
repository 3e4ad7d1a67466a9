//! Batches: any of them at any time.

use tensa::base::Symbol;
use tensa::data::{Dataset, Loader, Memory, Part, Target};

use super::{batch, loaded, table};

fn counted(rows: usize) -> Memory {
    table(&format!("x,y\n{}", (0..rows).map(|row| format!("{row},{}\n", row % 2)).collect::<String>()))
}

fn data(settings: &str, rows: usize) -> Dataset {
    let text = format!("data D = csv(\"t.csv\") {{ x = columns(\"x\", \"y\") y = column(\"y\") |> index {settings} }}");
    loaded(&text, &counted(rows))
}

/// The rows of an epoch by their number, batch by batch.
fn epoch(loader: &Loader<'_>, epoch: u64) -> Vec<Vec<usize>> {
    let of = |index| {
        let rows = batch(loader, epoch, index);
        let x = rows.columns[0].1.f32_slice().expect("floats");
        x.chunks(2).map(|row| row[0] as usize).collect()
    };
    (0..loader.batches()).map(of).collect()
}

#[test]
fn an_epoch_holds_each_row_once_in_its_own_order() {
    let data = data("batch = 4", 10);
    let loader = data.loader(Part::Train);
    assert_eq!((loader.batches(), loader.rows()), (3, 10));
    let epochs: Vec<Vec<usize>> = (0..3).map(|at| epoch(&loader, at).concat()).collect();
    for rows in &epochs {
        let mut sorted = rows.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..10).collect::<Vec<_>>());
    }
    assert_ne!(epochs[0], epochs[1]);
    assert_ne!(epochs[1], epochs[2]);
    // The last batch is smaller.
    let sizes: Vec<usize> = (0..4).map(|at| batch(&loader, 0, at).rows).collect();
    assert_eq!(sizes, [4, 4, 2, 0]);
    assert_eq!((0..4).map(|at| loader.rows_of(0, at)).collect::<Vec<_>>(), sizes);
}

#[test]
fn the_state_is_epoch_and_index() {
    let data = data("batch = 4", 10);
    let forward = data.loader(Part::Train);
    let all: Vec<_> = (0..3).map(|at| epoch(&forward, at)).collect();
    // Another loader that is asked backwards gives the same.
    let backward = data.loader(Part::Train);
    for at in (0..3).rev() {
        for index in (0..3).rev() {
            assert_eq!(batch(&backward, at, index), batch(&forward, at, index));
        }
        assert_eq!(epoch(&backward, at), all[at as usize]);
    }
}

#[test]
fn columns_keep_their_rows_together() {
    let data = data("batch = 3", 9);
    let loader = data.loader(Part::Train);
    for index in 0..3 {
        let batch = batch(&loader, 5, index);
        assert_eq!(batch.columns[0].0, Symbol::new("x"));
        assert_eq!((batch.columns[0].1.shape(), batch.columns[1].1.shape()), ([3, 2].as_slice(), [3].as_slice()));
        let x = batch.columns[0].1.f32_slice().expect("floats");
        let y = batch.columns[1].1.i32_slice().expect("class numbers");
        assert!(x.chunks(2).zip(y).all(|(row, label)| row[0] as i32 % 2 == *label && row[1] as i32 == *label));
    }
}

#[test]
fn settings_of_the_loader() {
    let ordered = data("batch = 4 shuffle = false", 10);
    assert_eq!(epoch(&ordered.loader(Part::Train), 9), [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]]);
    let whole = data("batch = whole", 10);
    assert_eq!((whole.schema().batch, whole.loader(Part::Train).batches()), (10, 1));
    let dropped = data("batch = 4 drop_last = true", 10);
    let loader = dropped.loader(Part::Train);
    assert_eq!((loader.batches(), batch(&loader, 0, 2).rows), (2, 0));
    // A power of two near a hundredth of the rows, between 16 and 512.
    for (rows, size) in [(10, 16), (1600, 16), (2500, 32), (6000, 64), (1_000_000, 512)] {
        let sized = data("batch = auto", rows);
        assert_eq!(sized.schema().batch, size);
        assert_eq!(batch(&sized.loader(Part::Train), 0, 0).rows, size.min(rows));
    }
    // More than there are rows.
    assert_eq!(batch(&data("batch = 100", 10).loader(Part::Train), 0, 0).rows, 10);
    assert_eq!(ordered.loader(Part::Train).batch_size(7).batches(), 2);
}

#[test]
fn other_parts_come_in_order_and_whole() {
    let data = data("batch = 4 drop_last = true split = chronological(train = 50%, test = 50%)", 20);
    let test = data.loader(Part::Test);
    assert_eq!(epoch(&test, 0), [vec![10, 11, 12, 13], vec![14, 15, 16, 17], vec![18, 19]]);
    assert_eq!(epoch(&test, 0), epoch(&test, 7));
    let valid = data.loader(Part::Valid);
    assert_eq!((valid.rows(), valid.batches(), batch(&valid, 0, 0).rows), (0, 0, 0));
}

#[test]
fn a_batch_is_written_in_place() {
    let data = data("batch = 4", 10);
    let loader = data.loader(Part::Train).only(&[Symbol::new("y"), Symbol::new("x"), Symbol::new("no such")]);
    assert_eq!(loader.columns().map(|column| column.name.as_str()).collect::<Vec<_>>(), ["y", "x"]);
    let (mut y, mut x) = ([-1; 4], [-1.0; 8]);
    let rows = loader.write(1, 2, &mut [Target::I32(&mut y), Target::F32(&mut x)]).expect("no pictures");
    let batch = batch(&loader, 1, 2);
    assert_eq!(rows, Some(2));
    assert_eq!(batch.columns[0].1.i32_slice(), Some(&y[..2]));
    assert_eq!(batch.columns[1].1.f32_slice(), Some(&x[..4]));
    assert_eq!(x[4..], [-1.0; 4], "nothing past the batch is touched");
    // Targets that do not fit.
    assert_eq!(loader.write(0, 0, &mut [Target::I32(&mut y)]).expect("no pictures"), None);
    assert_eq!(loader.write(0, 0, &mut [Target::I32(&mut y), Target::F32(&mut x[..7])]).expect("no pictures"), None);
    assert_eq!(loader.write(0, 0, &mut [Target::F32(&mut x), Target::I32(&mut y)]).expect("no pictures"), None);
}
