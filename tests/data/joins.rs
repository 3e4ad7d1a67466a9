//! Tables that are joined and filtered, and tables of objects.

use tensa::base::Symbol;
use tensa::data::{Input, Memory, Part, Rows};
use tensa::diag::Diagnostics;

use super::{classes, complaint, floats, line, loaded, mistake, right, try_load};

fn files() -> Memory {
    Memory::default()
        .with("t.csv", "id,item,n\n1,b,10\n2,a,20\n3,b,30\n4,c,40\n")
        .with("items.csv", "price,item,kind\n1.5,a,x\n2.5,b,y\n3.5,c,x\n")
        .with("kinds.tsv", "kind\trank\nx\t7\ny\t8\n")
}

#[test]
fn a_row_finds_its_partner() {
    let text = "data D = csv(\"t.csv\") |> join(csv(\"items.csv\"), on = \"item\") |> join(tsv(\"kinds.tsv\"), on = column(\"kind\")) {
      total = column(\"price\") * column(\"n\")
      rank  = column(\"rank\")
      item  = column(\"item\") |> vocab
    }";
    let data = loaded(text, &files());
    assert_eq!(floats(&data, Part::Train, "total"), [25.0, 30.0, 75.0, 140.0]);
    assert_eq!(floats(&data, Part::Train, "rank"), [8.0, 7.0, 8.0, 7.0]);
    assert_eq!(classes(&data, Part::Train, "item"), [1, 0, 1, 2]);
}

#[test]
fn rows_without_a_partner_are_told() {
    let files = files().with("items.csv", "item,price\na,1.5\nc,oops\n");
    let text = |steps: &str| {
        format!("data D = csv(\"t.csv\") |> join(csv(\"items.csv\"), on = \"item\") {{ x = column(\"price\"){steps} }}")
    };
    let fine = files.clone().with("items.csv", "item,price\na,1.5\nc,2.5\n");
    let (data, told) = try_load(&text(" |> impute(0)"), &fine);
    assert_eq!(floats(&data.expect("rows"), Part::Train, "x"), [0.0, 1.5, 0.0, 2.5]);
    assert_eq!(told.len(), 1);
    assert_eq!(line(&told[0]), "W0703 2 of 4 rows find no partner in `items.csv`");
    assert_eq!(told[0].notes[0], "the first is `b` in column `item`, row 1 (line 2) of `t.csv`");
    // A cell is told with its place in its own file, one that is in none with the row that looked for it.
    let (_, told) = try_load(&text(" |> impute(0)"), &files);
    assert!(
        told.iter()
            .any(|told| told.message == "`oops` in column `price`, row 2 (line 3) of `items.csv`, is not a number"),
        "{told:?}"
    );
    let (_, told) = try_load(&text(""), &fine);
    assert!(
        told.iter().any(|told| told.message == "column `price` is missing in row 1 (line 2) of `t.csv`"),
        "{told:?}"
    );
}

#[test]
fn rows_are_filtered() {
    let text = |condition: &str| format!("data D = csv(\"t.csv\") |> filter({condition}) {{ x = column(\"id\") }}");
    let kept = |condition: &str| floats(&loaded(&text(condition), &files()), Part::Train, "x");
    assert_eq!(kept("column(\"n\") >= 20 and column(\"n\") != 30"), [2.0, 4.0]);
    assert_eq!(kept("column(\"item\") == \"b\""), [1.0, 3.0]);
    assert_eq!(kept("column(\"item\") != \"b\" or column(\"id\") == 1"), [1.0, 2.0, 4.0]);
}

#[test]
fn places_stay_those_of_the_file() {
    let files = files().with("t.csv", "id,n\n1,5\n2,7\n3,x\n4,oops\n");
    let told = complaint("data D = csv(\"t.csv\") |> filter(column(\"id\") != 3) { x = column(\"n\") }", &files);
    assert_eq!(told, "E0718 `oops` in column `n`, row 4 (line 5) of `t.csv`, is not a number");
}

#[test]
fn mistakes_of_files_are_told() {
    let load = |steps: &str, column: &str, files: &Memory| {
        complaint(&format!("data D = csv(\"t.csv\") {steps} {{ x = column(\"{column}\") }}"), files)
    };
    let twice = files().with("items.csv", "item,price\na,1\nb,2\na,3\na,4\n");
    let join = "|> join(csv(\"items.csv\"), on = \"item\")";
    assert_eq!(
        load(join, "price", &twice),
        "E0736 `a` in column `item`, row 3 (line 4) of `items.csv`, stands in a row above already"
    );
    let both = files().with("items.csv", "item,n\na,1\nb,2\nc,3\n");
    assert_eq!(load(join, "n", &both), "E0716 `t.csv` and `items.csv` both have a column `n`");
    let none = files().with("items.csv", "itm,price\na,1\n");
    assert_eq!(load(join, "price", &none), "E0717 `items.csv` has no column `item`");
    assert_eq!(load("|> join(csv(\"items.csv\"), on = \"itme\")", "n", &files()), "E0717 `t.csv` has no column `itme`");
    assert_eq!(
        load("|> join(csv(\"itms.csv\"), on = \"item\")", "n", &files()),
        "E0711 cannot read `itms.csv`: there is no such file"
    );
    assert_eq!(load("|> filter(column(\"n\") > 100)", "n", &files()), "E0714 the filter leaves none of 4 rows");
}

#[test]
fn mistakes_of_the_text_are_told() {
    let join = "E0704 `join` takes a table and the column both have: `join(csv(\"items.csv\"), on = \"item_id\")`";
    for (source, told) in [
        ("csv(\"t.csv\") |> join(csv(\"items.csv\"))", join),
        ("csv(\"t.csv\") |> join(on = \"item\")", join),
        ("csv(\"t.csv\") |> fliter(column(\"a\") == 1)", "E0702 there is no transform `fliter`"),
        (
            "csv(\"t.csv\") |> filter(3)",
            "E0704 `filter` takes a condition on the columns, as in `filter(column(\"open\") == 1)`",
        ),
        (
            "idx(a = \"a.gz\") |> filter(column(\"a\") == 1)",
            "E0704 `filter` takes a table, as `csv`, `tsv` and `jsonl` read it, before it",
        ),
    ] {
        assert_eq!(mistake(&format!("data D = {source} {{ x = column(\"a\") }}")), told);
    }
}

#[test]
fn objects_are_rows() {
    let text = "data D = jsonl(\"t.jsonl\") { x = columns(\"a\", \"ok\") |> impute(9) y = column(\"name\") |> vocab(unknown = own) }";
    let files = Memory::default().with(
        "t.jsonl",
        "{\"a\": 1.5, \"ok\": true, \"name\": \"cat\"}\n\n{\"name\": \"dog\", \"a\": null, \"ok\": false}\n{\"a\": -2e1, \"name\": \"cat\", \"ok\": true}\r\n",
    );
    let data = loaded(text, &files);
    assert_eq!(floats(&data, Part::Train, "x"), [1.5, 1.0, 9.0, 0.0, -20.0, 1.0]);
    assert_eq!(classes(&data, Part::Train, "y"), [0, 1, 0]);
    let damaged = Memory::default().with("t.jsonl", "{\"a\": 1, \"ok\": 1, \"name\": \"x\"}\n\n{\"a\": 1,}\n");
    assert_eq!(complaint(text, &damaged), "E0715 line 3 of `t.jsonl` is not a JSON object: trailing comma");
    let word = Memory::default().with("t.jsonl", "{\"a\": 1, \"ok\": 1, \"name\": \"x\"}\n\n{\"a\": \"far\"}\n");
    assert_eq!(complaint(text, &word), "E0718 `far` in column `a`, row 2 (line 3) of `t.jsonl`, is not a number");
}

/// Rows to predict on find their partners too.
#[test]
fn predictions_join() {
    let spec = right(
        "data D = csv(\"t.csv\") |> join(csv(\"items.csv\"), on = \"item\") |> filter(column(\"n\") > 0) { x = column(\"price\") }",
    );
    let files = files().with("new.csv", "item,n\nc,1\na,0\na,2\n");
    let mut told = Diagnostics::default();
    let rows =
        Rows::load(&spec, &Default::default(), &Input::Path("new.csv".into()), &[Symbol::new("x")], &files, &mut told);
    let rows = rows.expect("rows");
    assert_eq!(rows.len(), 2);
    let batch = rows.batch(0, 9).expect("a batch");
    assert_eq!(batch.columns[0].1.f32_slice(), Some([3.5, 1.5].as_slice()));
}
