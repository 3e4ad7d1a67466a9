//! What a declaration says, without its files.

use tensa::data::Spec;
use tensa::data::spec::{BatchSize, Format, SplitKind};

use super::{edited, line, mistake, right, spec};

fn in_csv(entries: &str) -> String {
    format!("data D = csv(\"t.csv\") {{ {entries} }}")
}

#[test]
fn reads_the_example_of_the_language() {
    let spec = right(
        r#"data Iris = csv("iris.csv") {
             x     = columns("sepal_len", "sepal_wid", "petal_len", "petal_wid") |> standardize
             y     = column("species") |> vocab
             split = stratified(y, train = 70%, valid = 15%, test = 15%)
             batch = 32
           }"#,
    );
    let source = spec.source.as_ref().expect("a source");
    assert_eq!(source.format, Format::Table { separator: b',', quotes: true, header: true });
    assert_eq!(source.files[0].path, "iris.csv");
    let names: Vec<&str> = spec.entries.iter().map(|entry| entry.name.name.as_str()).collect();
    assert_eq!(names, ["x", "y"]);
    assert_eq!(spec.batch, BatchSize::Rows(32));
    assert!(spec.shuffle && !spec.drop_last);
    let SplitKind::Stratified(label, shares) = &spec.split.kind else { panic!("{:?}", spec.split) };
    assert_eq!(label.first, "species");
    assert_eq!(*shares, [0.7, 0.15, 0.15]);
}

#[test]
fn settings_have_defaults_and_values() {
    let spec = right(&in_csv(r#"x = column("a")"#));
    assert_eq!((spec.batch, spec.shuffle, spec.drop_last), (BatchSize::Rows(32), true, false));
    assert_eq!(spec.split.kind, SplitKind::All);
    let spec = right(&in_csv(r#"x = column("a") batch = whole shuffle = false drop_last = on"#));
    assert_eq!((spec.batch, spec.shuffle, spec.drop_last), (BatchSize::Whole, false, true));
    assert_eq!(right(&in_csv(r#"x = column("a") batch = size * 2"#)).batch, BatchSize::Rows(16));
}

#[test]
fn constants_of_the_program_stand_for_their_values() {
    let spec = right("data D = csv(table) { x = column(\"a\") / size }");
    assert_eq!(spec.source.expect("a source").files[0].path, "t.csv");
}

#[test]
fn every_split_is_read() {
    let kind = |split: &str| {
        right(&in_csv(&format!(r#"d = column("d") y = column("y") |> vocab split = {split}"#))).split.kind
    };
    assert_eq!(kind("random(valid = 10%, test = 20%)"), SplitKind::Random([1.0 - (0.1 + 0.2), 0.1, 0.2]));
    assert!(matches!(kind("stratified(y, valid = 10%)"), SplitKind::Stratified(..)));
    assert!(matches!(kind("stratified(column(\"y\"), valid = 10%)"), SplitKind::Stratified(..)));
    assert!(matches!(kind("by_column(\"part\")"), SplitKind::ByColumn(..)));
    assert!(matches!(kind("by_column(column(\"part\"))"), SplitKind::ByColumn(..)));
    assert!(matches!(kind("chronological(d, train = 90%, test = 10%)"), SplitKind::Chronological(Some(_), _)));
    assert!(matches!(kind("chronological(train = 90%, test = 10%)"), SplitKind::Chronological(None, _)));
    assert!(matches!(kind("files(test = csv(\"b.csv\"), valid = 10%)"), SplitKind::Files { .. }));
}

/// Each text with the code and the message it gets; where there is an edit, it mends the text.
const MISTAKES: &[(&str, &str)] = &[
    (r#"data D = cvs("t.csv") { x = column("a") }"#, "E0701 there is no source `cvs`"),
    (r#"data D = 5 { x = pos(batch) }"#, "E0701 this is not a source of data"),
    (r#"data D = csv("t.csv") { x = column("a") |> standardise }"#, "E0702 there is no transform `standardise`"),
    (r#"data D = csv("t.csv") { x = colum("a") }"#, "E0702 there is no transform `colum`"),
    (r#"data D = csv("t.csv") { x = column("a") |> 5 }"#, "E0702 a number alone is no transform"),
    (r#"data D = csv("t.csv") { x = column("a") bach = 32 }"#, "E0703 there is no setting `bach`"),
    (r#"data D = csv("t.csv") { x = column("a") shufle = true }"#, "E0703 there is no setting `shufle`"),
    (r#"data D = csv("t.csv") { x = column("a") parts = random(test = 10%) }"#, "E0703 there is no setting `parts`"),
    (r#"data D = csv("t.csv") { x = column("a") rows = whole }"#, "E0703 there is no setting `rows`"),
    (r#"data D = csv("t.csv") { x = column("a") colour = true }"#, "E0703 there is no setting `colour`"),
    (r#"data D = csv() { x = column("a") }"#, "E0704 `csv` takes the path of one file in quotes"),
    (r#"data D = csv { x = column("a") }"#, "E0704 `csv` takes the path of one file in quotes"),
    (r#"data D = csv("a.csv", "b.csv") { x = column("a") }"#, "E0704 `csv` takes the path of one file in quotes"),
    (r#"data D = csv("a.csv", sepp = ";") { x = column("a") }"#, "E0704 `csv` has no argument `sepp`"),
    (
        r#"data D = csv("a.csv", sep = ";;") { x = column("a") }"#,
        "E0704 `csv` takes one ASCII character as `sep`, as in `sep = \";\"`",
    ),
    (
        r#"data D = idx("a.gz") { x = column("a") }"#,
        "E0704 `idx` takes named files, as in `idx(images = \"images.gz\", labels = \"labels.gz\")`",
    ),
    (r#"data D = csv("t.csv") { x = column("a", "b") }"#, "E0704 `column` takes the name of a column in quotes"),
    (r#"data D = csv("t.csv") { x = column(0.5) }"#, "E0704 `column` takes the name of a column in quotes"),
    (r#"data D = csv("t.csv") { x = columns() }"#, "E0704 `columns` takes names of columns in quotes"),
    (
        r#"data D = csv("t.csv") { x = columns[f: 3]("a", "b") }"#,
        "E0704 `columns` takes names of axes; their sizes are in the file",
    ),
    (r#"data D = csv("t.csv") { x = column("a") |> scale }"#, "E0704 `scale` takes one factor, as in `scale(1 / 255)`"),
    (
        r#"data D = csv("t.csv") { x = column("a") |> scale(1 / 0) }"#,
        "E0704 `scale` takes one factor, as in `scale(1 / 255)`",
    ),
    (
        r#"data D = csv("t.csv") { x = column("a") |> impute(mode) }"#,
        "E0704 `impute` takes `mean`, `median` or a number",
    ),
    (r#"data D = csv("t.csv") { x = column("a") |> standardize(2) }"#, "E0704 `standardize` takes no arguments"),
    (r#"data D = csv("t.csv") { x = column("a") |> standardize[f] }"#, "E0704 `standardize` takes no brackets"),
    (
        r#"data D = csv("t.csv") { x = column("a") |> vocab(unknown = drop) }"#,
        "E0704 `vocab` takes `unknown = own` or nothing",
    ),
    (r#"data D = csv("t.csv") { x = column("a") |> vocab(unkown = own) }"#, "E0704 `vocab` has no argument `unkown`"),
    (r#"data D = csv("t.csv") { x = column("a") |> vocab(class: 3) }"#, "E0704 `vocab` takes its axes in brackets"),
    (
        r#"data D = csv("t.csv") { x = column("a") |> vocab[a, b] }"#,
        "E0704 `vocab` takes the name of one axis in brackets",
    ),
    (
        r#"data D = csv("t.csv") { x = column("a") |> index[class: 0] }"#,
        "E0704 `index` takes a whole number above 0 as the size of an axis",
    ),
    (
        r#"data D = csv("t.csv") { x = column("a") |> one_hot[class: 3] }"#,
        "E0704 `one_hot` takes the name of its axis; `vocab[class: 3]` gives the size",
    ),
    (r#"data D = csv("t.csv") { x = column("a") split = rndom(test = 10%) }"#, "E0704 `split` has no argument `rndom`"),
    (
        r#"data D = csv("t.csv") { x = column("a") split = random(trian = 90%, test = 10%) }"#,
        "E0704 `random` has no argument `trian`",
    ),
    (
        r#"data D = csv("t.csv") { x = column("a") split = random(test = 10%, test = 10%) }"#,
        "E0704 `random` is given `test` twice",
    ),
    (
        r#"data D = csv("t.csv") { x = column("a") split = stratified(test = 10%) }"#,
        "E0704 `stratified` takes the column of classes first, as in `stratified(y, …)`",
    ),
    (
        r#"data D = csv("t.csv") { x = column("a") split = files(test = tsv("b.tsv"), valid = idx(a = "a.gz")) }"#,
        "E0704 `files` takes a file of the same kind as the main one, with the same columns",
    ),
    (
        r#"data D = csv("t.csv") { x = column("a") |> train(flip) }"#,
        "E0709 `train` takes pictures, and this is a column of a table",
    ),
    (
        r#"data D = idx(x = "x.gz") { x = column("x") |> decode[h, w, c] }"#,
        "E0709 `decode` takes pictures, and this is an array",
    ),
    (
        r#"data D = images("p", labels = folder) { x = column("label") |> resize(8) }"#,
        "E0709 `resize` takes pictures, and this is a column of words",
    ),
    (
        r#"data D = images("p", labels = folder) { x = column("label") |> vocab |> resize(8) }"#,
        "E0709 `resize` takes pictures, and this is class numbers",
    ),
    (r#"data D = images("p") { x = column("image") |> minmax }"#, "E0709 `minmax` takes numbers, and this is pictures"),
    (
        r#"data D = images("p") { x = column("image") |> resize(8) |> decode[h, w, c] }"#,
        "E0709 `decode` reads the file, so it comes first",
    ),
    (
        r#"data D = images("p", labels = folder) { x = column("image") * column("label") }"#,
        "E0709 pictures have arithmetic with numbers alone, as in `_ / 255`",
    ),
    (
        r#"data D = images("p") { x = column("image") |> flip }"#,
        "E0734 `flip` changes a picture at random, which is for training rows alone",
    ),
    (
        r#"data D = images("p") { x = column("image") |> rotate(10 deg) |> scale(1 / 255) }"#,
        "E0734 `rotate` changes a picture at random, which is for training rows alone",
    ),
    (
        r#"data D = images("p") { x = column("image") |> train(flip |> normalize) }"#,
        "E0734 `normalize` is no random change, and `train(…)` leaves it out where a model is evaluated",
    ),
    (r#"data D = images("p") { x = column("image") |> train(flop) }"#, "E0702 there is no transform `flop`"),
    (r#"data D = images("p") { x = column("image") |> rezise(8, 8) }"#, "E0702 there is no transform `rezise`"),
    (
        r#"data D = images("p") { x = column("image") |> train(rotate(15)) }"#,
        "E0704 `rotate` takes an angle, as in `rotate(15 deg)`",
    ),
    (
        r#"data D = images("p") { x = column("image") |> train(zoom(20)) }"#,
        "E0704 `zoom` takes a share between 0% and 100%, as in `zoom(20%)`",
    ),
    (
        r#"data D = images("p") { x = column("image") |> resize(8, 8, 3) }"#,
        "E0704 `resize` takes height and width, as in `resize(64, 64)`",
    ),
    (
        r#"data D = images("p") { x = column("image") |> resize(100_000) }"#,
        "E0704 `resize` takes height and width, as in `resize(64, 64)`",
    ),
    (
        r#"data D = images("p") { x = column("image") |> decode[h, w, c: 2] }"#,
        "E0704 `decode` takes 1 channel for grey, 3 for colour, or 4 for colour with opacity",
    ),
    (
        r#"data D = images("p") { x = column("image") |> normalize([0.5, 0.5], [0.2, 0]) }"#,
        "E0704 `normalize` takes nothing, or mean and deviation: `normalize([0.5, 0.5, 0.5], [0.2, 0.2, 0.2])`",
    ),
    (
        r#"data D = images("p", labels = yes) { x = column("image") }"#,
        "E0704 `images` takes `labels = folder`, for classes by folder, or no labels",
    ),
    (
        r#"data D = csv("t.csv") { x = column("a") split = by_folder }"#,
        "E0704 `by_folder` splits folders of pictures, and this source is none",
    ),
    (
        r#"data D = csv("t.csv") { x = column("a") prefetch = 1.5 }"#,
        "E0708 `prefetch` takes a number of batches from 0 to 1024",
    ),
    (
        r#"data D = csv("t.csv") { x = column("a") batch = tokens(8192) }"#,
        "E0708 `batch` takes a number of rows: `tokens` counts the places of padded texts, and no column is one",
    ),
    (
        r#"data D = csv("t.csv") { x = column("a") split = random(train = 80%, test = 30%) }"#,
        "E0706 the fractions of the split make 110 %, not 100 %",
    ),
    (
        r#"data D = csv("t.csv") { x = column("a") split = random(train = 70%, test = 15%) }"#,
        "E0706 the fractions of the split make 85 %, not 100 %",
    ),
    (
        r#"data D = csv("t.csv") { x = column("a") split = random(test = 100%) }"#,
        "E0706 the split leaves no rows for training",
    ),
    (
        r#"data D = csv("t.csv") { x = column("a") split = files(test = 60%, valid = 40%) }"#,
        "E0706 the split leaves no rows for training",
    ),
    (
        r#"data D = csv("t.csv") { x = column("a") split = random(test = 15) }"#,
        "E0706 `test` takes a share of the rows, as in `test = 15%`",
    ),
    (
        r#"data D = csv("t.csv") { x = column("a") split = random(test = -1) }"#,
        "E0706 `test` takes a share of the rows, as in `test = 15%`",
    ),
    (r#"data D = csv("t.csv") { price = column("a") x = prize / 2 }"#, "E0707 `prize` is not defined here"),
    (r#"data D = csv("t.csv") { x = age }"#, "E0707 `age` is not defined here"),
    (r#"data D = csv("t.csv") { x = y / 2 y = column("a") }"#, "E0707 `y` is used above its definition"),
    (r#"data D = csv("t.csv") { x = column("a") / "b" }"#, "E0707 this is not a column"),
    (r#"data D = csv("t.csv") { x = 3 epochs * column("a") }"#, "E0707 this is not a column"),
    (r#"data D = csv("t.csv") { x = column("a") let two = 1 + 1 }"#, "E0707 this is a number, and no column"),
    (
        r#"data D = csv("t.csv") { x = column("a") batch = 0 }"#,
        "E0708 `batch` takes a number of rows above 0, `auto` or `whole`",
    ),
    (
        r#"data D = csv("t.csv") { x = column("a") batch = 2.5 }"#,
        "E0708 `batch` takes a number of rows above 0, `auto` or `whole`",
    ),
    (r#"data D = csv("t.csv") { x = column("a") shuffle = 1 }"#, "E0708 `shuffle` takes `true` or `false`"),
    (
        r#"data D = csv("t.csv") { x = column("a") |> vocab |> standardize }"#,
        "E0709 `standardize` takes numbers, and this is class numbers",
    ),
    (r#"data D = csv("t.csv") { x = (column("a") |> vocab) + 1 }"#, "E0709 class numbers have no arithmetic"),
    (
        r#"data D = csv("t.csv") { y = column("a") split = stratified(y, test = 10%) }"#,
        "E0709 `stratified` needs a column of classes",
    ),
    (r#"data D = csv("t.csv") { x = column("a") x = column("b") }"#, "E0710 `x` is given twice"),
    (r#"data D = csv("t.csv") { x = column("a") batch = 4 batch = 8 }"#, "E0710 `batch` is given twice"),
];

#[test]
fn mistakes_are_named() {
    for (text, expected) in MISTAKES {
        assert_eq!(mistake(text), *expected, "{text}");
    }
}

#[test]
fn near_words_come_with_an_edit() {
    for (text, mended) in [
        ("data D = cvs(\"t.csv\") { x = column(\"a\") }", "csv("),
        ("data D = csv(\"t.csv\") { x = column(\"a\") |> standardise }", "|> standardize"),
        ("data D = csv(\"t.csv\") { x = column(\"a\") bach = 32 }", " batch = 32"),
        ("data D = csv(\"t.csv\") { x = column(\"a\") splt = random(test = 10%) }", " split = random"),
        ("data D = csv(\"t.csv\") { x = column(\"a\") split = random(test = 15) }", "test = 15%)"),
        ("data D = csv(\"t.csv\") { price = column(\"a\") x = prize / 2 }", "x = price / 2"),
    ] {
        let (_, diagnostics) = spec(text);
        let after = edited(text, &diagnostics[0]);
        assert!(after.contains(mended), "{after}");
    }
}

#[test]
fn independent_mistakes_are_all_reported() {
    let (spec, diagnostics) =
        spec(r#"data D = csv("t.csv") { x = column("a") |> foo y = column("b") |> bar batch = 0 z = column("c") }"#);
    let lines: Vec<String> = diagnostics.iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "E0702 there is no transform `foo`",
            "E0702 there is no transform `bar`",
            "E0708 `batch` takes a number of rows above 0, `auto` or `whole`",
        ]
    );
    // The names stay known, so that nobody complains about them too.
    assert_eq!(entry_names(&spec), ["x", "y", "z"]);
}

fn entry_names(spec: &Spec) -> Vec<&str> {
    spec.entries.iter().map(|entry| entry.name.name.as_str()).collect()
}
