//! Features of tables: buckets, sets, bins, dates, counts, weights, columns like others.

use tensa::data::{Fitted, Memory, Part};
use tensa::diag::Diagnostics;

use super::{classes, column, complaint, floats, loaded, mistake, right, table};

/// Loaded again with what was fitted on other rows.
fn with_fitted(text: &str, first: &Memory, then: &Memory) -> tensa::data::Dataset {
    let kept = Fitted::from_json(&loaded(text, first).fitted().to_json()).expect("its own text");
    let mut told = Diagnostics::default();
    let data = tensa::data::load(&right(text), then, 7, Some(&kept), &mut told);
    data.unwrap_or_else(|| panic!("{told:?}"))
}

#[test]
fn buckets_come_from_the_words_alone() {
    let text = "data D = csv(\"t.csv\") { x = columns(\"a\", \"b\") |> hash[bucket: 7] y = cross(column(\"a\"), column(\"b\")) |> hash[pair: 1000] }";
    let data = loaded(text, &table("a,b\nu,v\nv,u\n,u\nu,v\n"));
    let x = classes(&data, Part::Train, "x");
    assert_eq!((x[0], x[1]), (x[3], x[2]));
    assert!(x.iter().all(|bucket| (0..7).contains(bucket)));
    // The hash of one letter as its authors publish it, to the size.
    let of_a = loaded("data D = csv(\"t.csv\") { x = column(\"a\") |> hash[bucket: 1000003] }", &table("a\na\n"));
    assert_eq!(classes(&of_a, Part::Train, "x"), [(0xaf63_dc4c_8601_ec8c_u64 % 1_000_003) as i32]);
    let y = classes(&data, Part::Train, "y");
    assert_eq!(y[0], y[3]);
    assert_ne!(y[0], y[1], "which column a word stands in counts");
}

#[test]
fn sets_become_ones() {
    let text = "data D = csv(\"t.csv\") {
      g = column(\"g\") |> words(sep = \"|\") |> vocab[genre](unknown = own) |> multi_hot
      h = column(\"g\") |> words(sep = \"|\") |> multi_hot[word]
      both = columns(\"a\", \"b\") |> vocab[w] |> multi_hot
    }";
    let data = loaded(text, &table("g,a,b\nx|y,p,q\n,q,q\ny | z|y,r,p\n"));
    assert_eq!(floats(&data, Part::Train, "g"), [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0]);
    assert_eq!(floats(&data, Part::Train, "h"), [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
    assert_eq!(floats(&data, Part::Train, "both"), [1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);
    let axes: Vec<_> =
        data.schema().columns.iter().map(|column| column.axes[0].name.map(|name| name.to_string())).collect();
    assert_eq!(axes, [Some("genre".to_owned()), Some("word".to_owned()), Some("w".to_owned())]);
    let text =
        "data D = csv(\"t.csv\") { h = column(\"g\") |> words(sep = \"|\") |> multi_hot split = by_column(\"s\") }";
    let told = complaint(text, &table("g,s\nx|y,train\nx|new,test\n"));
    assert_eq!(told, "E0725 class `new` in column `g`, row 2 (line 3) of `t.csv`, does not occur in the training rows");
}

#[test]
fn bins_are_filled_alike_or_as_said() {
    let rows: String = (0..100).map(|at| format!("{}\n", at * at)).collect();
    let text = "data D = csv(\"t.csv\") { q = column(\"a\") |> bin[part](4) e = column(\"a\") |> bin([25, 100.5]) }";
    let data = loaded(text, &table(&format!("a\n{rows}")));
    let q = classes(&data, Part::Train, "q");
    for bin in 0..4 {
        assert_eq!(q.iter().filter(|of| **of == bin).count(), 25);
    }
    let e = classes(&data, Part::Train, "e");
    let expected: Vec<i32> = (0..100).map(|at| i32::from(at * at >= 25) + i32::from(at * at > 100)).collect();
    assert_eq!(e, expected);
    // The edges are those of the training rows, wherever the next rows lie.
    let again = with_fitted(text, &table(&format!("a\n{rows}")), &table("a\n-5\n1e6\n2500\n"));
    assert_eq!(classes(&again, Part::Train, "q"), [0, 3, 2]);
}

/// Outliers end at quantiles, as numpy's `quantile` takes them: 2% of 0..100 is 1.98.
#[test]
fn outliers_are_clipped() {
    let rows: String = (0..100).map(|at| format!("{at}\n")).collect();
    let text = "data D = csv(\"t.csv\") { x = column(\"a\") |> clip_outliers(2%) |> impute(7) }";
    let files = table(&format!("a\n{rows}"));
    let x = floats(&loaded(text, &files), Part::Train, "x");
    assert_eq!((x[0], x[50], x[99]), (1.98, 50.0, 97.02));
    assert_eq!(
        floats(&with_fitted(text, &files, &table("a,b\n-9,\n,\n3,\n999,\n")), Part::Train, "x"),
        [1.98, 7.0, 3.0, 97.02]
    );
}

#[test]
fn dates_come_apart() {
    let files = table("d,e\n2024-02-29,\n2024/12/30 18:05,\n,\n");
    let text = "data D = csv(\"t.csv\") {
      all  = column(\"d\") |> date_parts[part] |> impute(0)
      day  = column(\"d\") |> date_parts(weekday) |> impute(0) |> index[weekday: 7]
      hour = column(\"d\") |> date_parts(hour, minute, yearday) |> impute(-1)
    }";
    let data = loaded(text, &files);
    assert_eq!(
        floats(&data, Part::Train, "all"),
        [2024.0, 2.0, 29.0, 3.0, 2024.0, 12.0, 30.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    );
    assert_eq!(classes(&data, Part::Train, "day"), [3, 0, 0]);
    assert_eq!(column(&data, Part::Train, "day").shape(), [3]);
    assert_eq!(floats(&data, Part::Train, "hour"), [0.0, 0.0, 60.0, 18.0, 5.0, 365.0, -1.0, -1.0, -1.0]);
    let text = "data D = csv(\"t.csv\") { x = column(\"d\") |> date_parts(day) }";
    let told = complaint(text, &table("d\n2024-02-29\n29.2.2024\n"));
    assert_eq!(told, "E0728 `29.2.2024` in column `d`, row 2 (line 3) of `t.csv`, is neither a number nor a date");
}

/// As scikit-learn's `class_weight = "balanced"`: rows over classes times rows of the class.
#[test]
fn weights_balance_classes() {
    let text = "data D = csv(\"t.csv\") { y = column(\"a\") |> vocab w = y |> weights(balanced) }";
    let data = loaded(text, &table("a\nx\nx\nx\ny\n"));
    assert_eq!(floats(&data, Part::Train, "w"), [4.0 / 6.0, 4.0 / 6.0, 4.0 / 6.0, 2.0]);
}

#[test]
fn a_column_is_like_another() {
    let text = "data D = csv(\"t.csv\") {
      let now = column(\"a\") |> impute(0) |> -_ |> standardize
      then = column(\"b\") |> like(now)
      u    = column(\"s\") |> vocab[word]
      v    = column(\"t\") |> like(u)
    }";
    let data = loaded(text, &table("a,b,s,t\n1,3,x,y\n3,,y,y\n"));
    assert_eq!(floats(&data, Part::Train, "then"), [-1.0, 2.0]);
    assert_eq!(classes(&data, Part::Train, "v"), [1, 1]);
}

#[test]
fn groups_and_folds_split() {
    let rows: String = (0..60).map(|at| format!("{at},{}\n", at % 12)).collect();
    let files = table(&format!("a,g\n{rows}"));
    let data = loaded(
        "data D = csv(\"t.csv\") { x = column(\"g\") split = group(column(\"g\"), train = 50%, valid = 25%, test = 25%) }",
        &files,
    );
    let groups = Part::ALL.map(|part| {
        let mut groups = floats(&data, part, "x");
        groups.sort_by(f32::total_cmp);
        assert_eq!(groups.len(), [30, 15, 15][part as usize]);
        groups.dedup();
        groups
    });
    assert_eq!(groups.each_ref().map(Vec::len), [6, 3, 3]);
    let mut all = groups.concat();
    all.sort_by(f32::total_cmp);
    assert_eq!(all, (0..12).map(|group| group as f32).collect::<Vec<_>>());

    let mut seen: Vec<f32> = Vec::new();
    for fold in 0..4 {
        let text = format!("data D = csv(\"t.csv\") {{ x = column(\"a\") split = folds(4, fold = {fold}) }}");
        let data = loaded(&text, &files);
        assert_eq!((data.schema().rows(Part::Train), data.schema().rows(Part::Valid)), (45, 15));
        seen.extend(floats(&data, Part::Valid, "x"));
    }
    seen.sort_by(f32::total_cmp);
    assert_eq!(seen, (0..60).map(|at| at as f32).collect::<Vec<_>>());
    let told = complaint(
        "data D = csv(\"t.csv\") { x = column(\"a\") split = group(column(\"g\"), valid = 10%, test = 10%) }",
        &table("a,g\n1,x\n2,y\n"),
    );
    assert_eq!(told, "E0726 2 groups are too few for 3 parts");
}

#[test]
fn mistakes_are_told() {
    let bins = "E0704 `bin` takes how many bins, or where they begin in rising order: `bin(5)`, `bin([18, 65])`";
    for (entries, told) in [
        (
            "x = column(\"a\") |> hash",
            "E0704 `hash` takes an axis and its size in brackets, as in `hash[bucket: 10_000]`",
        ),
        (
            "x = column(\"a\") |> words(sep = \"\")",
            "E0704 `words` takes what stands between two words, as in `words(sep = \"|\")`",
        ),
        ("x = column(\"a\") |> words(sep = \"|\")", "E0709 the rows of this column hold different numbers of words"),
        (
            "x = column(\"a\") |> words(sep = \"|\") |> standardize",
            "E0709 `standardize` takes numbers, and this is a set of words",
        ),
        ("x = column(\"a\") |> multi_hot", "E0709 `multi_hot` takes a set of classes, and this is a column of a table"),
        ("x = column(\"a\") |> bin(1)", bins),
        ("x = column(\"a\") |> bin([2, 1])", bins),
        (
            "x = column(\"a\") |> clip_outliers(60%)",
            "E0704 `clip_outliers` takes a share below 50%, as in `clip_outliers(1%)`, or nothing",
        ),
        (
            "x = column(\"a\") |> date_parts(week)",
            "E0704 `date_parts` takes some of `year`, `month`, `day`, `weekday`, `yearday`, `hour`, `minute`, or nothing",
        ),
        ("x = column(\"a\") |> weights(balanced)", "E0709 `weights` takes classes, and this is a column of a table"),
        ("x = cross(column(\"a\"), column(\"b\"))", "E0709 a column of words is no tensor"),
        ("x = cross(column(\"a\"))", "E0704 `cross` takes two columns or more: `cross(column(\"a\"), column(\"b\"))`"),
        ("x = column(\"a\") y = column(\"b\") |> like(z)", "E0707 `z` is not defined here"),
        (
            "x = column(\"a\") * column(\"b\") y = column(\"b\") |> like(x)",
            "E0709 `x` is not one column with steps, so no other can be like it",
        ),
        ("x = column(\"a\") + 1 == \"b\"", "E0709 a text is compared with a column of the file, and this is none"),
        (
            "x = column(\"a\") split = folds(1)",
            "E0704 `folds` takes how many parts, and which of them validates: `folds(5, fold = 0)`",
        ),
        ("x = column(\"a\") split = folds(3, fold = 3)", "E0704 `folds` takes a fold from 0 to 2"),
    ] {
        assert_eq!(mistake(&format!("data D = csv(\"t.csv\") {{ {entries} }}")), told);
    }
}
