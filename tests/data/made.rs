//! Rows that are made: draws, positions, and what is computed of them.

use tensa::data::{Memory, Part};

use super::{classes, column, complaint, floats, loaded, mistake, table};

fn made(entries: &str) -> tensa::data::Dataset {
    loaded(&format!("data D = synthetic(20000) {{ {entries} }}"), &Memory::default())
}

#[test]
fn draws_have_the_moments_of_their_distribution() {
    let data = made(
        "u = random.uniform[batch] n = random.normal[batch, h: 2] b = random.bernoulli[batch](0.25) \
         k = random.index[batch](class: 5)",
    );
    let moments = |name: &str| {
        let all = floats(&data, Part::Train, name);
        let mean = all.iter().map(|x| f64::from(*x)).sum::<f64>() / all.len() as f64;
        let square = all.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / all.len() as f64;
        (mean, square)
    };
    // Of 20,000 draws a mean is off by a hundredth of a deviation or so; four of those are allowed.
    let near = |(mean, variance): (f64, f64), to: (f64, f64)| {
        (mean - to.0).abs() < 0.03 * to.1.sqrt() && (variance / to.1 - 1.0).abs() < 0.06
    };
    assert!(near(moments("u"), (0.5, 1.0 / 12.0)), "{:?}", moments("u"));
    assert!(near(moments("n"), (0.0, 1.0)), "{:?}", moments("n"));
    assert!(near(moments("b"), (0.25, 0.25 * 0.75)), "{:?}", moments("b"));
    let all = floats(&data, Part::Train, "u");
    assert!(all.iter().all(|x| (0.0..1.0).contains(x)));
    let numbers = classes(&data, Part::Train, "k");
    for class in 0..5 {
        let count = numbers.iter().filter(|number| **number == class).count();
        assert!((3800..4200).contains(&count), "{class}: {count}");
    }
    assert_eq!(column(&data, Part::Train, "n").shape(), [20000, 2]);
}

/// A column more, a row more or another order changes no number; another seed or another place does.
#[test]
fn a_draw_depends_on_its_place_alone() {
    let first = made("a = random.normal[batch] b = random.normal[batch]");
    let other =
        made("b = random.normal[batch] c = random.uniform[batch] a = random.normal[batch] split = random(valid = 10%)");
    let short = loaded("data D = synthetic(50) { a = random.normal[batch] }", &Memory::default());
    let a = floats(&first, Part::Train, "a");
    assert_ne!(a, floats(&first, Part::Train, "b"));
    assert_eq!(a[..50], floats(&short, Part::Train, "a"));
    let of_train = floats(&other, Part::Train, "a");
    assert!(of_train.iter().all(|x| a.contains(x)) && of_train.len() == 18000);
}

#[test]
fn columns_are_computed_of_made_ones() {
    let text = "data D = synthetic(4) {
      row  = pos(batch)
      wave = sin(pos(t: 3) * pos(batch)) + 1
      late = pos(batch) >= 2 and not (pos(batch) == 3)
      grid = pos(i: 2) * pos(j: 3)
      rest = pos(batch) % 3 - 7 // 2
    }";
    let data = loaded(text, &Memory::default());
    assert_eq!(floats(&data, Part::Train, "row"), [0.0, 1.0, 2.0, 3.0]);
    let wave: Vec<f32> = (0..12).map(|at| f64::from(at % 3 * (at / 3)).sin() as f32 + 1.0).collect();
    assert_eq!(floats(&data, Part::Train, "wave"), wave);
    assert_eq!(floats(&data, Part::Train, "late"), [0.0, 0.0, 1.0, 0.0]);
    assert_eq!(column(&data, Part::Train, "grid").shape(), [4, 2, 3]);
    assert_eq!(floats(&data, Part::Train, "grid")[..6], [0.0, 0.0, 0.0, 0.0, 1.0, 2.0]);
    assert_eq!(floats(&data, Part::Train, "rest"), [-3.0, -2.0, -1.0, -3.0]);
}

/// Columns of a file take the same functions and comparisons.
#[test]
fn columns_of_a_file_are_compared() {
    let files = table("a,b\n1,4\n2,0\n,9\n");
    let text = "data D = csv(\"t.csv\") { x = column(\"a\") |> impute(3) |> _ < 2.5 y = sqrt(column(\"b\")) |> exp z = log1p(column(\"b\")) }";
    let data = loaded(text, &files);
    assert_eq!(floats(&data, Part::Train, "x"), [1.0, 1.0, 0.0]);
    assert_eq!(floats(&data, Part::Train, "y"), [2.0f64.exp() as f32, 1.0, 3.0f64.exp() as f32]);
    let told = complaint("data D = csv(\"t.csv\") { x = log(column(\"b\")) }", &files);
    assert_eq!(told, "E0720 `log` of 0 in column `b`, row 2 (line 3) of `t.csv`, is not defined");
    let told = complaint("data D = synthetic(9) { x = 1 / (pos(batch) - 4) }", &Memory::default());
    assert_eq!(told, "E0720 `x` is inf in item 5 of `synthetic`");
}

#[test]
fn mistakes_are_told() {
    for (entry, told) in [
        ("x = column(\"a\")", "E0707 the rows of `synthetic` come from no file, so they have no columns to name"),
        ("x = random.gauss[batch]", "E0702 there is no transform `gauss`"),
        ("x = random.nromal[batch]", "E0702 there is no transform `nromal`"),
        (
            "x = random.normal[h: 3]",
            "E0704 `normal` takes `batch` first and a size for each further axis, as in `random.normal[batch, h: 32]`",
        ),
        (
            "x = random.normal[batch, h]",
            "E0704 `normal` takes `batch` first and a size for each further axis, as in `random.normal[batch, h: 32]`",
        ),
        ("x = random.normal[batch, h: 99999, w: 99999]", "E0704 this makes more than 268_435_456 numbers"),
        (
            "x = random.index[batch](10)",
            "E0704 `index` takes an axis and its size, as in `random.index[batch](class: 10)`",
        ),
        (
            "x = random.bernoulli[batch](2)",
            "E0704 `bernoulli` takes a chance from 0 to 1, as in `random.bernoulli[batch](0.5)`",
        ),
        ("x = pos(t)", "E0704 `pos` takes `batch`, or an axis and its size: `pos(t: 16)`"),
        ("x = log(random.index[batch](class: 3))", "E0709 class numbers have no arithmetic"),
    ] {
        assert_eq!(mistake(&format!("data D = synthetic(100) {{ {entry} }}")), told);
    }
    let wanted = "E0704 `synthetic` takes how many rows to make, as in `synthetic(1000)`";
    assert_eq!(mistake("data D = synthetic(0) { x = pos(batch) }"), wanted);
    let told = complaint("data D = synthetic(4) { x = pos(i: 2) + pos(j: 3) }", &Memory::default());
    assert_eq!(told, "E0709 the shapes 2 and 3 do not agree");
    for entry in ["pos(i: 99999) * pos(j: 99999)", "random.index[batch](k: 99999999) |> one_hot"] {
        let told = complaint(&format!("data D = synthetic(4) {{ x = {entry} }}"), &Memory::default());
        assert_eq!(told, "E0704 this makes more than 268_435_456 numbers");
    }
}
