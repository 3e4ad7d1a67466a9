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
    let place = self::place(&BLOCKS.replace("[.., d]) ->", "[.., d ->"));
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
