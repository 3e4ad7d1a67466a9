//! Tables of text: what is read, and what is wrong with them.

use tensa::base::Symbol;
use tensa::data::{ColumnType, Memory, Part};

use super::{classes, complaint, floats, loaded, table, try_load};

const XY: &str = "data D = csv(\"t.csv\") { x = column(\"x\") y = column(\"y\") |> vocab }";
const X: &str = "data D = csv(\"t.csv\") { x = column(\"x\") }";

#[test]
fn all_ways_of_writing_a_table_give_the_same() {
    for text in [
        "x,y\n1,a\n2,b\n",
        "x,y\n1,a\n2,b",
        "x,y\r\n1,a\r\n2,b\r\n",
        "x,y\r1,a\r2,b\r",
        "\u{feff}x,y\n1,a\n2,b\n",
        "x,y\n\n1,a\n\n\n2,b\n\n",
        "x,y\n   \n1,a\n2,b\n",
        " x , y\n 1 ,a \n2,  b\n",
        "\"x\",\"y\"\n\"1\",\"a\"\n\"2\",\"b\"\n",
        "y,ignored,x\na,?,1\nb,\"any,thing\",2\n",
    ] {
        let data = loaded(XY, &table(text));
        assert_eq!(floats(&data, Part::Train, "x"), [1.0, 2.0], "{text:?}");
        assert_eq!(classes(&data, Part::Train, "y"), [0, 1], "{text:?}");
    }
}

#[test]
fn quoted_cells_hold_separators_quotes_and_lines() {
    let data = loaded(XY, &table("x,y\n1,\"a, \"\"b\"\"\nc\"\n2,é\n"));
    let column = data.schema().column(Symbol::new("y")).expect("y");
    let ColumnType::Index { names, size, .. } = &column.ty else { panic!("{column:?}") };
    assert_eq!((names.as_slice(), *size), (["a, \"b\"\nc".to_owned(), "é".to_owned()].as_slice(), 2));
}

#[test]
fn numbers_are_read_in_all_their_forms() {
    let data = loaded(X, &table("x\n1\n-2.5\n+3\n1e3\n.5\n5.\n1E-2\n"));
    assert_eq!(floats(&data, Part::Train, "x"), [1.0, -2.5, 3.0, 1000.0, 0.5, 5.0, 0.01]);
}

#[test]
fn separators_and_tabs() {
    let text = "data D = csv(\"t.csv\", sep = \";\") { x = column(\"x\") }";
    assert_eq!(floats(&loaded(text, &table("x;y\n1;2\n")), Part::Train, "x"), [1.0]);
    // A quote is a letter like any other in a table of tabs.
    let files = Memory::default().with("t.tsv", "x\ty\n1\t\"a\n2\tb\"\n");
    let data = loaded("data D = tsv(\"t.tsv\") { x = column(\"x\") y = column(\"y\") |> vocab[word] }", &files);
    let ColumnType::Index { names, axis, .. } = &data.schema().columns[1].ty else { panic!() };
    assert_eq!((names.as_slice(), *axis), (["\"a".to_owned(), "b\"".to_owned()].as_slice(), Some(Symbol::new("word"))));
}

#[test]
fn a_packed_table_is_unpacked() {
    let files = Memory::default().with("t.csv", super::idx_files::packed(b"x\n1\n"));
    assert_eq!(floats(&loaded(X, &files), Part::Train, "x"), [1.0]);
}

/// Each file with what is said of it.
const BROKEN: &[(&str, &str)] = &[
    ("", "E0714 `t.csv` is empty"),
    ("\n\n", "E0714 `t.csv` is empty"),
    ("\u{feff}", "E0714 `t.csv` is empty"),
    ("x,y\n", "E0714 `t.csv` has a header and no rows"),
    ("5.1,3.5,setosa\n4.9,3.0,setosa\n", "E0714 `t.csv` has no header: its first row is `5.1,3.5,setosa`"),
    ("x,y\n1,a\n2\n3,c\n", "E0715 row 2 (line 3) of `t.csv` has 1 cell, the header has 2"),
    ("x,y\n1,a\n\"2\n\",b,c\n", "E0715 row 2 (line 3) of `t.csv` has 3 cells, the header has 2"),
    ("x,y\n\n1,a,b\n", "E0715 row 1 (line 3) of `t.csv` has 3 cells, the header has 2"),
    ("x,y\r\n1,a\r\n\r\n2\r\n", "E0715 row 2 (line 4) of `t.csv` has 1 cell, the header has 2"),
    ("x,y\n1,a\n2,\"b\n3,c\n", "E0715 a quote opened in row 2 (line 3) of `t.csv` is never closed"),
    ("x,\"y\n1,a\n", "E0715 a quote opened in the header (line 1) of `t.csv` is never closed"),
    ("x,x,y\n1,2,a\n", "E0716 the header of `t.csv` names `x` twice"),
    ("X1,y\n1,a\n", "E0717 `t.csv` has no column `x`"),
    ("x,y\n1,a\n1.2.3,b\n", "E0718 `1.2.3` in column `x`, row 2 (line 3) of `t.csv`, is not a number"),
    ("x,y\n\"1,5\",a\n", "E0718 `1,5` in column `x`, row 1 (line 2) of `t.csv`, is not a number"),
    ("x,y\ntrue,a\nfalse,a\n", "E0718 `true` in column `x`, row 1 (line 2) of `t.csv`, is not a number"),
    ("x,y\n1,a\n,b\n", "E0719 column `x` is missing in row 2 (line 3) of `t.csv`"),
    ("x,y\n1,a\nNaN,b\n", "E0719 column `x` is missing in row 2 (line 3) of `t.csv`"),
    ("x,y\nn/a,a\n?,b\n", "E0719 column `x` is missing in row 1 (line 2) of `t.csv`"),
    ("x,y\n1,a\n2,\n", "E0719 column `y` is missing in row 2 (line 3) of `t.csv`"),
    ("x,y\n1,a\n-inf,b\n", "E0720 `-inf` in column `x`, row 2 (line 3) of `t.csv`, is not a finite number"),
    ("x,y\n1e39,a\n", "E0720 `1e39` in column `x`, row 1 (line 2) of `t.csv`, is not a finite number"),
];

#[test]
fn broken_files_are_named_with_their_rows() {
    for (text, expected) in BROKEN {
        assert_eq!(complaint(XY, &table(text)), *expected, "{text:?}");
    }
}

#[test]
fn text_in_other_encodings_is_named() {
    let files = Memory::default().with("t.csv", b"x,y\n1,a\n2,\xe9\n".to_vec());
    assert_eq!(complaint(XY, &files), "E0713 line 3 of `t.csv` is not UTF-8");
    let files = Memory::default().with("t.csv", b"\xff\xfex\0\n\0".to_vec());
    let (_, diagnostics) = try_load(XY, &files);
    assert_eq!(super::advice(&diagnostics[0]), ["the file is UTF-16; save it as UTF-8"]);
}

#[test]
fn more_of_the_same_is_counted() {
    let (_, diagnostics) = try_load(XY, &table("x,y\n1,a\nb,b\nc,c\nd,d\n"));
    assert_eq!(diagnostics[0].notes, ["2 more cells like it"]);
    let (_, diagnostics) = try_load(XY, &table("x,y\n1\n2\n"));
    assert_eq!(diagnostics[0].notes, ["one more row like it"]);
}

#[test]
fn a_missing_file_names_its_neighbour() {
    let files = Memory::default().with("tables/iris.csv", "x\n1\n").with("other.csv", "x\n1\n");
    let text = "data D = csv(\"tables/irs.csv\") { x = column(\"x\") }";
    let (_, diagnostics) = try_load(text, &files);
    assert_eq!(super::line(&diagnostics[0]), "E0711 cannot read `tables/irs.csv`: there is no such file");
    assert_eq!(super::advice(&diagnostics[0]), ["did you mean `tables/iris.csv`?"]);
    loaded(&super::edited(text, &diagnostics[0]), &files);
}

#[test]
fn a_missing_column_names_the_nearest() {
    let text = "data D = csv(\"t.csv\") { x = columns(\"age\", \"incme\") }";
    let files = table("age,income\n1,2\n");
    let (_, diagnostics) = try_load(text, &files);
    assert_eq!(super::line(&diagnostics[0]), "E0717 `t.csv` has no column `incme`");
    loaded(&super::edited(text, &diagnostics[0]), &files);
    // Two that are missing are two messages.
    let (_, diagnostics) = try_load("data D = csv(\"t.csv\") { x = columns(\"foo\", \"bar\") }", &files);
    assert_eq!(diagnostics.len(), 2);
    assert_eq!(super::advice(&diagnostics[0]), ["its columns are `age`, `income`"]);
}

#[test]
fn ranges_count_or_follow_the_header() {
    let range = |range: &str, header: &str| {
        let cells: Vec<String> = (1..=header.split(',').count()).map(|at| at.to_string()).collect();
        let text = format!("data D = csv(\"t.csv\") {{ x = columns({range}) }}");
        let files = table(&format!("{header}\n{}\n", cells.join(",")));
        let (dataset, diagnostics) = try_load(&text, &files);
        match dataset {
            Some(dataset) => format!("{:?}", floats(&dataset, Part::Train, "x")),
            None => super::line(&diagnostics[0]),
        }
    };
    assert_eq!(range("\"i1\"..\"i3\"", "i3,y,i2,i1"), "[4.0, 3.0, 1.0]");
    assert_eq!(range("\"c08\"..\"c10\"", "c08,c09,c10"), "[1.0, 2.0, 3.0]");
    assert_eq!(range("\"b\"..\"d\"", "a,b,c,d,e"), "[2.0, 3.0, 4.0]");
    assert_eq!(range("\"b\"..\"c\", \"a\"", "a,b,c"), "[2.0, 3.0, 1.0]");
    assert_eq!(range("\"i1\"..\"i3\"", "i1,i3,y"), "E0717 `t.csv` has no column `i2`");
    assert_eq!(range("\"i1\"..\"i999999999\"", "i1,i999999999"), "E0717 `t.csv` has no column `i2`");
    assert_eq!(range("\"i3\"..\"i1\"", "i1,i2,i3"), "E0717 the columns from `i3` to `i1` run backwards");
    assert_eq!(range("\"c\"..\"a\"", "a,b,c"), "E0717 the columns from `c` to `a` run backwards");
    // Pixels are often named by their number; that is a header all the same.
    assert_eq!(range("\"0\"..\"2\"", "0,1,2,3"), "[1.0, 2.0, 3.0]");
    assert_eq!(range("\"0\"..\"5\"", "0,1,2,3"), "E0717 `t.csv` has no column `5`");
}
