//! Random bytes in place of files: a message or a dataset, never a panic.

use proptest::prelude::*;
use tensa::data::{Memory, load};
use tensa::diag::Diagnostics;

use super::arrays::{Sizes, npy, zip};
use super::idx_files::{idx, packed};
use super::right;

/// Loads and looks at every batch; an error says something, and only an error leaves nothing.
fn survives(text: &str, files: &Memory) {
    let mut diagnostics = Diagnostics::default();
    let dataset = load(&right(text), files, 3, None, &mut diagnostics);
    assert_eq!(dataset.is_none(), diagnostics.has_errors());
    if let Some(dataset) = dataset {
        for part in tensa::data::Part::ALL {
            let loader = dataset.loader(part);
            let rows: usize =
                (0..loader.batches()).map(|index| loader.batch(0, index).expect("no pictures").rows).sum();
            assert_eq!(rows, loader.rows());
        }
    }
}

const TABLES: &[&str] = &[
    "data D = csv(\"t\") { x = column(\"x\") |> impute(mean) |> standardize split = random(test = 20%) batch = 2 }",
    "data D = csv(\"t\") { x = column(\"x\") |> vocab split = stratified(x, test = 20%) }",
    "data D = tsv(\"t\") { x = columns(\"x\"..\"y\") |> minmax split = chronological(column(\"x\"), test = 50%) }",
    "data D = csv(\"t\") { x = column(\"x\") / column(\"y\") |> log1p split = by_column(\"y\") }",
];

const IDX: &str = "data D = idx(x = \"x\", y = \"y\") {
  x = column(\"x\") |> standardize
  y = column(\"y\") |> vocab(unknown = own)
  split = random(test = 30%)
}";

const NPY: &str = "data D = npy(\"x.npy\") { x = column(\"x\") |> vocab(unknown = own) }";

const NPZ: &str = "data D = npz(\"a.npz\") {
  x = column(\"x\") |> impute(mean) |> standardize
  y = column(\"y\") |> vocab(unknown = own)
  split = random(test = 30%)
}";

/// Text that looks like a table: cells, separators, quotes and ends of lines in any order.
fn tables() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "x",
        "y",
        ",",
        "\t",
        "\n",
        "\r\n",
        "\r",
        "\"",
        "\"\"",
        "1",
        "-2.5",
        "nan",
        "inf",
        "1e99",
        "a b",
        " ",
        "é",
        "\u{feff}",
        "train",
        "test",
        "2024-01-02",
        "\0",
        "\u{1}end of table\u{1}",
        "0.5\n",
        "3,4\n",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| format!("x,y\n{}", pieces.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn any_bytes_as_a_table(bytes in prop::collection::vec(any::<u8>(), 0..200), which in 0..TABLES.len()) {
        survives(TABLES[which], &Memory::default().with("t", bytes));
    }

    #[test]
    fn almost_tables(text in tables(), which in 0..TABLES.len()) {
        survives(TABLES[which], &Memory::default().with("t", text));
    }

    #[test]
    fn any_bytes_as_idx(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        survives(IDX, &Memory::default().with("x", bytes.clone()).with("y", bytes));
    }

    #[test]
    fn almost_idx(
        kind in 7u8..16,
        sizes in prop::collection::vec(0u32..5, 0..4),
        body in prop::collection::vec(any::<u8>(), 0..64),
        cut in 0usize..80,
    ) {
        let mut bytes = idx(kind, &sizes, &body);
        let labels = idx(8, &sizes[..sizes.len().min(1)], &body[..body.len().min(sizes.first().map_or(0, |n| *n as usize))]);
        let files = Memory::default().with("y", labels);
        survives(IDX, &files.clone().with("x", bytes.clone()));
        // The right length for the header.
        let wanted = sizes.iter().product::<u32>() as usize * [1, 1, 1, 1, 2, 4, 4, 8, 1][usize::from(kind - 7)];
        bytes.resize(4 + 4 * sizes.len() + wanted, 1);
        survives(IDX, &files.clone().with("x", bytes.clone()));
        bytes.truncate(cut);
        survives(IDX, &files.with("x", packed(&bytes)));
    }

    #[test]
    fn damaged_arrays(
        descr in prop::sample::select(vec!["<f4", ">i8", "|b1", "<U3", "|S2", "<f2", "<u8"]),
        rows in 0usize..6,
        body in prop::collection::vec(any::<u8>(), 64),
        at in 0usize..400,
        bit in 0u8..8,
        cut in 0usize..400,
    ) {
        let width = [("<f4", 4), (">i8", 8), ("|b1", 1), ("<U3", 12), ("|S2", 2), ("<f2", 2), ("<u8", 8)];
        let width = width.iter().find(|(known, _)| *known == descr).map_or(1, |(_, width)| *width);
        let x = npy(descr, &format!("({rows},)"), &body[..rows * width % 65]);
        survives(NPY, &Memory::default().with("x.npy", x.clone()));
        let y = npy("|u1", &format!("({rows},)"), &body[..rows]);
        let mut bytes = zip(&[("x.npy", x), ("y.npy", y)], bit > 3, if at > 200 { Sizes::Long } else { Sizes::Short });
        survives(NPZ, &Memory::default().with("a.npz", bytes.clone()));
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        survives(NPZ, &Memory::default().with("a.npz", bytes.clone()));
        bytes.truncate(cut);
        survives(NPZ, &Memory::default().with("a.npz", bytes));
    }

    #[test]
    fn damaged_gzip(body in prop::collection::vec(any::<u8>(), 0..64), at in 0usize..100, bit in 0u8..8) {
        let mut bytes = packed(&idx(8, &[body.len() as u32], &body));
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        survives(IDX, &Memory::default().with("x", bytes.clone()).with("y", bytes));
    }
}
