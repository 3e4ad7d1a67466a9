//! Graphs: several tables, of which each batch has all.

use tensa::base::Symbol;
use tensa::data::{ColumnType, Memory, Part};

use super::{batch, complaint, loaded, mistake};

fn files() -> Memory {
    Memory::default()
        .with("nodes.csv", "id,a,b,topic\nn9,1,2,x\nn7,3,4,y\nn8,5,6,x\nn1,7,8,y\n")
        .with("edges.csv", "from,to,weight\nn7,n8,0.5\nn8,n9,1.5\nn1,n1,2.5\n")
}

const TEXT: &str = "data D = tables(node = csv(\"nodes.csv\"), edge = csv(\"edges.csv\")) {
  x     = node.columns(\"a\"..\"b\") |> minmax
  y     = node.column(\"topic\") |> vocab[class]
  src   = edge.column(\"from\") |> key(node.column(\"id\"))
  dst   = edge.column(\"to\") |> key(node.column(\"id\"))
  far   = edge.column(\"weight\") * 2
  split = stratified(y, train = 50%, test = 50%)
  batch = whole
}";

#[test]
fn each_batch_is_the_graph() {
    let data = loaded(TEXT, &files());
    let axes = |name: &str| {
        let column = data.schema().column(Symbol::new(name)).expect("a column");
        assert!(column.whole);
        column.axes.iter().map(|axis| (axis.name.map(|name| name.to_string()), axis.size)).collect::<Vec<_>>()
    };
    let node = (Some("node".to_owned()), 4);
    let edge = (Some("edge".to_owned()), 3);
    assert_eq!(axes("x"), [node.clone(), (None, 2)]);
    assert_eq!(axes("chosen"), [node]);
    assert_eq!((axes("far"), axes("src")), (vec![edge.clone()], vec![edge]));
    let ty = &data.schema().column(Symbol::new("src")).expect("a column").ty;
    assert_eq!(
        *ty,
        ColumnType::Index { axis: Some(Symbol::new("node")), size: 4, names: Vec::new(), spelling: Default::default() }
    );
    assert_eq!(data.schema().rows, [2, 0, 2]);

    let (train, test) = (data.loader(Part::Train), data.loader(Part::Test));
    assert_eq!((train.batches(), train.rows(), test.batches()), (1, 2, 1));
    let (train, test) = (batch(&train, 4, 0), batch(&test, 0, 0));
    let tensor = |batch: &tensa::data::Batch, name: &str| {
        let found = batch.columns.iter().find(|(column, _)| *column == Symbol::new(name));
        found.expect("a column").1.clone()
    };
    assert_eq!(tensor(&train, "src").i32_slice(), Some([1, 2, 3].as_slice()));
    assert_eq!(tensor(&test, "dst").i32_slice(), Some([2, 0, 3].as_slice()));
    assert_eq!(tensor(&train, "far").f32_slice(), Some([1.0, 3.0, 5.0].as_slice()));
    assert_eq!(tensor(&train, "x").shape(), [4, 2]);
    let chosen = |batch| tensor(batch, "chosen").f32_slice().expect("numbers").to_vec();
    let both: Vec<f32> = chosen(&train).iter().zip(chosen(&test)).map(|(a, b)| a + b).collect();
    assert_eq!(both, [1.0; 4], "each node is in one part");
    // Only the nodes that train are fitted on.
    let rows: Vec<usize> = (0..4).filter(|row| chosen(&train)[*row] == 1.0).collect();
    let (low, high) = ((2 * rows[0] + 1) as f32, (2 * rows[1] + 1) as f32);
    let x = tensor(&train, "x").f32_slice().expect("numbers").to_vec();
    assert_eq!(x[0], (1.0 - low) / (high - low));
}

#[test]
fn mistakes_are_told() {
    let tables = "data D = tables(node = csv(\"nodes.csv\"), edge = csv(\"edges.csv\"))";
    for (entries, told) in [
        ("x = nod.column(\"a\")", "E0707 there is no table `nod`"),
        ("x = column(\"a\")", "E0707 it is not said which of the tables has this column"),
        (
            "x = node.column(\"a\") + edge.column(\"weight\")",
            "E0709 `node` and `edge` have rows of their own, and this is of both",
        ),
        ("x = random.normal[batch]", "E0707 this column belongs to no table, so it has no rows"),
        (
            "x = edge.column(\"to\") |> key",
            "E0704 `key` takes the column of a table that has the keys, as in `key(node.column(\"id\"))`",
        ),
        ("x = node.column(\"a\") batch = 2", "E0708 `batch` takes `whole`: a graph is one batch"),
    ] {
        assert_eq!(mistake(&format!("{tables} {{ {entries} }}")), told);
    }
    let wanted = "E0704 `tables` takes a table for each axis, as in `tables(node = csv(\"nodes.csv\"), edge = csv(\"edges.csv\"))`";
    assert_eq!(mistake("data D = tables(csv(\"nodes.csv\")) { x = node.column(\"a\") }"), wanted);
    assert_eq!(mistake("data D = csv(\"t.csv\") { x = node.column(\"a\") }"), "E0707 there is no table `node`");

    let wrong = files().with("edges.csv", "from,to,weight\nn7,n8,1\nn3,n9,1\nn4,n8,1\n");
    assert_eq!(
        complaint(TEXT, &wrong),
        "E0737 `n3` in column `from`, row 2 (line 3) of `edges.csv`, is the key of no row of `nodes.csv`"
    );
    let twice = files().with("nodes.csv", "id,a,b,topic\nn9,1,2,x\nn7,3,4,y\nn8,5,6,x\nn7,7,8,y\n");
    let text = TEXT.replace("  dst   = edge.column(\"to\") |> key(node.column(\"id\"))\n", "");
    assert_eq!(
        complaint(&text, &twice),
        "E0736 `n7` in column `id`, row 4 (line 5) of `nodes.csv`, stands in a row above already"
    );
}
