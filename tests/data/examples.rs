//! The data of the examples, from the disk.

use std::path::PathBuf;

use tensa::data::{ColumnType, Dataset, Folder, Part, Spec, load};
use tensa::diag::{Code, Diagnostics};

use super::{classes, declaration, floats};

fn example(name: &str) -> Dataset {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples");
    let text = std::fs::read_to_string(folder.join(name)).expect("an example");
    let mut diagnostics = Diagnostics::default();
    let spec = Spec::from_ast(&declaration(&text), &|_| None, &mut diagnostics);
    let dataset = load(&spec, &Folder(folder), 42, None, &mut diagnostics);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    dataset.expect("a dataset without errors")
}

#[test]
fn iris() {
    let data = example("iris.model");
    assert_eq!(Part::ALL.map(|part| data.schema().rows(part)), [105, 23, 22]);
    let ColumnType::Index { names, .. } = &data.schema().columns[1].ty else { panic!() };
    assert_eq!(names, &["setosa", "versicolor", "virginica"]);
    let x = floats(&data, Part::Train, "x");
    for column in 0..4 {
        let all: Vec<f64> = x.chunks(4).map(|row| f64::from(row[column])).collect();
        let mean = all.iter().sum::<f64>() / 105.0;
        let variance = all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 105.0;
        assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-5, "{mean} {variance}");
    }
}

#[test]
fn digits() {
    let data = example("digits.model");
    assert_eq!(Part::ALL.map(|part| data.schema().rows(part)), [7200, 800, 2000]);
    let [x, y] = data.schema().columns.as_slice() else { panic!() };
    assert_eq!(x.shape(), [28, 28]);
    assert!(matches!(y.ty, ColumnType::Index { size: 10, .. }));
    let x = floats(&data, Part::Test, "x");
    assert_eq!(x.iter().copied().fold(0.0, f32::max), 1.0);
    // A tenth to a fifth of a picture is ink.
    let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / x.len() as f64;
    assert!((0.1..0.2).contains(&mean), "{mean}");
}

#[test]
fn photos() {
    let data = example("photos.model");
    assert_eq!(Part::ALL.map(|part| data.schema().rows(part)), [215, 0, 72]);
    let [x, y] = data.schema().columns.as_slice() else { panic!() };
    assert_eq!(x.shape(), [32, 32, 3]);
    let ColumnType::Index { names, .. } = &y.ty else { panic!() };
    assert_eq!(names, &["animals", "food", "household", "plants", "town", "vehicles"]);
    let x = floats(&data, Part::Train, "x");
    for channel in 0..3 {
        let all: Vec<f64> = x.iter().skip(channel).step_by(3).map(|&x| f64::from(x)).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        assert!(mean.abs() < 1e-5, "{mean}");
    }
}

/// The programs of the pages of `tensa explain`, over the real table: the broken one shows its code, the
/// mended one loads.
#[test]
fn pages_show_what_they_say() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/data");
    let run = |text: &str| {
        let mut diagnostics = Diagnostics::default();
        let spec = Spec::from_ast(&declaration(text), &|_| None, &mut diagnostics);
        load(&spec, &Folder(folder.clone()), 42, None, &mut diagnostics);
        diagnostics.sorted()
    };
    let mut programs = 0;
    for code in Code::ALL.iter().filter(|code| matches!(code.as_str().get(1..3), Some("07"))) {
        let page = code.page();
        assert!(page.starts_with(&format!("# {}: {}\n", code.as_str(), code.title())), "{code:?}");
        let (broken, mended) = page.split_once("## Mended").expect("a mended example");
        assert!(broken.contains("## Broken"), "{code:?}");
        let program = |part: &str| {
            part.split_once("```model\n").map(|(_, rest)| rest[..rest.find("```").expect("an end")].to_owned())
        };
        let Some(broken) = program(broken) else { continue };
        programs += 1;
        let found: Vec<&str> = run(&broken).iter().map(|diagnostic| diagnostic.code.as_str()).collect();
        assert_eq!(found, [code.as_str()], "{broken}");
        let mended = program(mended).expect("a mended program");
        assert_eq!(run(&mended), [], "{mended}");
    }
    assert!(programs >= 13);
}

#[test]
fn cells() {
    let data = example("cells.model");
    assert_eq!(Part::ALL.map(|part| data.schema().rows(part)), [36, 0, 12]);
    let [img, label] = data.schema().columns.as_slice() else { panic!() };
    assert_eq!((img.shape(), label.shape()), (vec![48, 48, 1], vec![48, 48]));
    assert!(matches!(label.ty, ColumnType::Index { size: 2, .. }));
    // Cells are lighter than the ground, and take a part of each picture.
    let (img, label) = (floats(&data, Part::Test, "img"), classes(&data, Part::Test, "label"));
    let mean = |class: i32| {
        let of_class: Vec<f32> = img.iter().zip(&label).filter(|(_, is)| **is == class).map(|(x, _)| *x).collect();
        (of_class.len(), of_class.iter().sum::<f32>() / of_class.len() as f32)
    };
    let ((ground, dark), (cells, light)) = (mean(0), mean(1));
    assert!(light > dark + 0.5 && cells * 3 < ground * 2, "{light} {dark}, {cells} of {ground}");
}
