//! Programs of several files, and what `--set` does to them, as a user runs them.

use std::fs;

use super::Place;

const BLOCKS: &str = "let width = 32\n\nlayer Body(x: [.., d]) -> [.., h] = x |> Dense(h: width, relu)\n";

/// The iris program with its body in a file of its own.
fn place(blocks: &str) -> Place {
    let place = Place::new();
    let text = fs::read_to_string(place.0.path().join("iris.model")).unwrap();
    let used = text.replace("Dense(64, relu)", "Body");
    assert_ne!(text, used, "the example has changed");
    fs::write(place.0.path().join("iris.model"), format!("use \"nets/blocks.model\"\n\n{used}")).unwrap();
    fs::create_dir(place.0.path().join("nets")).unwrap();
    fs::write(place.0.path().join("nets/blocks.model"), blocks).unwrap();
    place
}

#[test]
fn a_run_keeps_the_files_it_used() {
    let place = place(BLOCKS);
    let trained = place.run(&["run", "iris.model", "--set", "epochs=2"]).with(0);
    let test = trained.stdout.lines().next().expect("the test").to_owned();
    fs::remove_dir_all(place.0.path().join("nets")).unwrap();
    assert_eq!(place.run(&["eval", "iris.model"]).with(0).stdout.lines().next(), Some(&*test));
}

#[test]
fn a_mistake_is_told_in_the_file_it_stands_in() {
    let place = place(&BLOCKS.replace("Dense", "Dence"));
    place.run(&["check", "iris.model"]).says(&["E0201", "nets/blocks.model:3:42", "did you mean `Dense`?", "1 error"]);
    let place = self::place(&BLOCKS.replace("relu)", "relu"));
    // What follows from it, names that are missing, is not told again.
    place.run(&["check", "iris.model"]).says(&["nets/blocks.model:3", "1 error"]);
}

#[test]
fn set_fits_the_value_that_was_there() {
    let place = Place::new();
    let text = fs::read_to_string(place.0.path().join("iris.model")).unwrap();
    let text = text.replace("Dense(64, relu)", "Dense(units, relu)");
    fs::write(place.0.path().join("iris.model"), format!("let units = 64\n\n{text}")).unwrap();
    let set = |value: &str| place.run(&["check", "iris.model", "--set", &format!("units={value}")]);
    assert!(set("8").with(0).stdout.contains("67 parameters"));
    set("true").says(&["E0813", "`units` is a number in the program", "iris.model:1:13"]);
    set("").says(&["E0812", "gives `units` no value"]);
    place.run(&["check", "iris.model", "--set", "unit=8"]).says(&["E0812", "did you mean `units`?"]);
    place.run(&["run", "iris.model", "--set", "units=8", "--set", "epochs=1"]).with(0);
    // What was set is in the program of the run: its weights have no other shape.
    place.run(&["eval", "iris.model"]).with(0);
}

/// The weights of one run are the first ones of another; one that moves nothing says the same of the test rows.
#[test]
fn a_run_begins_with_the_weights_of_another() {
    let place = Place::new();
    let first = place.run(&["run", "iris.model", "--set", "epochs=3"]).with(0);
    let text = fs::read_to_string(place.0.path().join("iris.model")).unwrap();
    let again = text
        .replace("train Net on", "train old = load(\"runs/iris-1/weights.safetensors\", Net()) on")
        .replace("Net(x)\n", "old(x)\n");
    assert_ne!(text, again, "the example has changed");
    fs::write(place.0.path().join("again.model"), &again).unwrap();
    assert!(place.run(&["check", "again.model"]).with(0).stdout.contains("trains old on Iris"));
    let second = place.run(&["run", "again.model", "--set", "optimizer=SGD(0)", "--set", "epochs=1"]).with(0);
    let test = |ended: &super::Ended| ended.stdout.lines().next().map(str::to_owned);
    assert_eq!(test(&first), test(&second));
    fs::write(place.0.path().join("again.model"), again.replace("Dense(64, relu)", "Dense(32, relu)")).unwrap();
    place.run(&["check", "again.model"]).says(&["E0830", "`Net.Dense.w` is [4, 64] in the file", "again.model:"]);
}
