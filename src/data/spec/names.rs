//! The names a data declaration knows: the one list for reading it and for suggestions.

use crate::base::Symbol;

/// Sources that are read.
pub const SOURCES: &[&str] = &[
    "csv",
    "tsv",
    "jsonl",
    "text",
    "lines",
    "pairs",
    "parquet",
    "npy",
    "npz",
    "idx",
    "images",
    "files",
    "synthetic",
    "tables",
];
/// Steps between a source and its braces.
pub const TABLE_STEPS: &[&str] = &["join", "filter"];
/// Transforms.
pub const TRANSFORMS: &[&str] = &[
    "standardize",
    "minmax",
    "log1p",
    "scale",
    "impute",
    "vocab",
    "index",
    "one_hot",
    "decode",
    "resize",
    "crop",
    "grayscale",
    "normalize",
    "train",
    "window",
    "count",
    "weights",
    "hash",
    "words",
    "chars",
    "bpe",
    "truncate",
    "pad",
    "multi_hot",
    "bin",
    "clip_outliers",
    "date_parts",
    "like",
    "key",
    BOXES,
];
/// What cuts a text into numbers.
pub const TOKENS: &[&str] = &["chars", "words", "bpe"];
/// What is asked of a column of texts: which places are there, how many they are.
pub const OF_TEXTS: &[&str] = &[PRESENT, LENGTH];
/// Which places of a padded text are there.
pub const PRESENT: &str = "present";
/// How many places of a padded text are there.
pub const LENGTH: &str = "length";
/// The name of a column that goes beside a padded one: `present(ids)`.
pub fn asked(word: &str, column: Symbol) -> Symbol {
    Symbol::new(&format!("{word}({column})"))
}

/// Random changes of pictures, inside of `train(…)`.
pub const CHANGES: &[&str] = &["crop", "flip", "rotate", "translate", "zoom", "brightness", "contrast"];
/// Random numbers of a data declaration: `random.uniform[batch]`.
pub const DRAWS: &[&str] = &["uniform", "normal", "bernoulli", "index"];
/// Positions of rows, or along an axis.
pub const POSITIONS: &str = "pos";
/// The words of several columns as one.
pub const CROSS: &str = "cross";
/// How many rows train.
pub const ROWS: &str = "rows";
/// What takes columns from the file.
pub const COLUMNS: &[&str] = &["column", "columns"];
/// Splits.
pub const SPLITS: &[&str] =
    &["random", "stratified", "by_column", "by_folder", "chronological", "files", "group", "folds"];
/// Settings.
pub const SETTINGS: &[&str] = &["split", "batch", "shuffle", "drop_last", "order", "prefetch"];
/// Which rows of a graph belong to the part that is looked at: a column that every graph has.
pub const CHOSEN: &str = "chosen";
/// The columns of a folder of pictures.
pub const IMAGE: &str = "image";
/// The column of a text, or of a line.
pub const TEXT: &str = "text";
/// The class of a picture.
pub const LABEL: &str = "label";
/// The parts of a split.
pub const PARTS: &[&str] = &["train", "valid", "test"];
/// The column of `files(…)`.
pub const PATH: &str = "path";
/// The file of the same name in another folder.
pub const SIBLING: &str = "sibling";
/// Boxes in pictures.
pub const BOXES: &str = "boxes";
/// As many in every row.
pub const PAD: &str = "pad";
