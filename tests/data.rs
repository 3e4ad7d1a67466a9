//! Tests of `data`: from the text of a declaration and files in memory to batches.

mod arrays;
mod boxes;
mod csv_files;
mod examples;
mod features;
mod graphs;
mod idx_files;
mod joins;
mod loading;
mod made;
mod masks;
mod parquet_files;
mod picture_changes;
mod picture_files;
mod pictures;
mod random_bytes;
mod records;
mod series;
mod splits;
mod tensors;
mod text;
mod texts;
mod transforms;

use tensa::base::{FileId, Symbol};
use tensa::data::{Batch, Constant, Dataset, Loader, Memory, Part, Spec, load};
use tensa::diag::{Diagnostic, Diagnostics};
use tensa::syntax::{ast, parse};
use tensa::tensor::Tensor;

/// Constants that every test has around its declaration.
fn constants(name: Symbol) -> Option<Constant> {
    match name.as_str() {
        "size" => Some(Constant::Number(8.0)),
        "table" => Some(Constant::Text("t.csv".to_owned())),
        "on" => Some(Constant::Bool(true)),
        _ => None,
    }
}

/// The data declaration of a program.
fn declaration(text: &str) -> ast::Data {
    let (file, diagnostics) = parse::parse(FileId(0), text);
    assert!(diagnostics.is_empty(), "{text}\n{:#?}", diagnostics.sorted());
    let data = file.items.into_iter().find_map(|item| match item {
        ast::Item::Data(data) => Some(data),
        _ => None,
    });
    data.expect("a data declaration")
}

/// Reads a declaration `data D = …`.
fn spec(text: &str) -> (Spec, Vec<Diagnostic>) {
    let mut diagnostics = Diagnostics::default();
    let spec = Spec::from_ast(&declaration(text), &constants, &mut diagnostics);
    (spec, diagnostics.sorted())
}

/// A declaration that must be right.
fn right(text: &str) -> Spec {
    let (spec, diagnostics) = spec(text);
    assert_eq!(diagnostics, [], "{text}");
    assert!(!spec.broken);
    spec
}

/// Loads a declaration over files, with seed 7.
fn try_load(text: &str, files: &Memory) -> (Option<Dataset>, Vec<Diagnostic>) {
    let mut diagnostics = Diagnostics::default();
    let dataset = load(&right(text), files, 7, None, &mut diagnostics);
    (dataset, diagnostics.sorted())
}

/// Loads a declaration that must be right.
fn loaded(text: &str, files: &Memory) -> Dataset {
    let (dataset, diagnostics) = try_load(text, files);
    assert_eq!(diagnostics, [], "{text}");
    dataset.expect("a dataset without errors")
}

/// The only diagnostic of loading, as `E0717 message`.
fn complaint(text: &str, files: &Memory) -> String {
    let (dataset, diagnostics) = try_load(text, files);
    assert!(dataset.is_none(), "an error leaves no dataset");
    assert_eq!(diagnostics.len(), 1, "{diagnostics:#?}");
    line(&diagnostics[0])
}

/// The only diagnostic of a declaration, as `E0702 message`; its edit, put in the text, must mend it.
fn mistake(text: &str) -> String {
    let (spec, diagnostics) = spec(text);
    assert!(spec.broken);
    assert_eq!(diagnostics.len(), 1, "{diagnostics:#?}");
    for advice in diagnostics[0].fixes() {
        right(&advice.apply(text));
    }
    line(&diagnostics[0])
}

fn line(diagnostic: &Diagnostic) -> String {
    format!("{} {}", diagnostic.code.as_str(), diagnostic.message)
}

/// The text after the first fix of a diagnostic.
fn edited(text: &str, diagnostic: &Diagnostic) -> String {
    diagnostic.fixes().next().expect("an advice with edits").apply(text)
}

/// What a diagnostic says to do.
fn advice(diagnostic: &Diagnostic) -> Vec<&str> {
    diagnostic.help.iter().map(|advice| advice.text.as_str()).collect()
}

/// `t.csv` in memory.
fn table(text: &str) -> Memory {
    Memory::default().with("t.csv", text)
}

/// A column of a whole part in the order of its file.
fn column(dataset: &Dataset, part: Part, name: &str) -> Tensor {
    let name = Symbol::new(name);
    let loader = dataset.loader(part).only(&[name]);
    let rows = loader.rows();
    let mut batch = batch(&loader.batch_size(rows).in_file_order(), 0, 0);
    batch.columns.remove(0).1
}

/// A batch without a damaged picture.
fn batch(loader: &Loader<'_>, epoch: u64, index: usize) -> Batch {
    loader.batch(epoch, index).expect("whole pictures")
}

fn floats(dataset: &Dataset, part: Part, name: &str) -> Vec<f32> {
    column(dataset, part, name).f32_slice().expect("floats").to_vec()
}

fn classes(dataset: &Dataset, part: Part, name: &str) -> Vec<i32> {
    column(dataset, part, name).i32_slice().expect("class numbers").to_vec()
}
