//! Texts as data: what they are cut into, how rows are filled up, and the numbers of tokenizers.

use serde_json::Value as Json;
use tensa::base::Symbol;
use tensa::data::{ColumnType, Input, Memory, Part, Rows, Spelling};
use tensa::diag::Diagnostics;

use super::{batch, classes, column, complaint, floats, loaded, mistake, right, table};

fn file(name: &str, text: &str) -> Memory {
    Memory::default().with(name, text)
}

fn names(data: &tensa::data::Dataset, name: &str) -> Vec<String> {
    match &data.schema().column(Symbol::new(name)).expect("a column").ty {
        ColumnType::Index { names, .. } => names.clone(),
        other => panic!("{other:?}"),
    }
}

/// The numbers of one row of a padded column, of the batch that has all rows.
fn padded(data: &tensa::data::Dataset, name: &str, row: usize) -> Vec<i32> {
    let tensor = column(data, Part::Train, name);
    let size = tensor.shape()[1];
    tensor.i32_slice().expect("numbers")[row * size..][..size].to_vec()
}

#[test]
fn a_text_is_windows_of_its_characters() {
    let text = "data D = text(\"t.txt\") { ids = chars[t, vocab] |> window(4, stride = 3) split = chronological(train = 60%, valid = 40%) }";
    let data = loaded(text, &file("t.txt", "abcabcabcabcéabd\n"));
    // Ten characters train: what is in the others alone is unknown.
    assert_eq!(names(&data, "ids"), ["a", "b", "c", "<unknown>"]);
    assert_eq!(classes(&data, Part::Train, "ids"), [0, 1, 2, 0, 0, 1, 2, 0, 0, 1, 2, 0]);
    assert_eq!(column(&data, Part::Train, "ids").shape(), [3, 4]);
    assert_eq!(classes(&data, Part::Valid, "ids"), [3, 0, 1, 3]);
    let axis = &data.schema().columns[0].axes[0];
    assert_eq!((axis.name, axis.size, axis.open), (Some(Symbol::new("t")), 4, None));
    let told = complaint("data D = text(\"t.txt\") { ids = chars |> window(40) }", &file("t.txt", "abcabc"));
    assert_eq!(told, "E0735 the longest series has 6 rows, and the windows read 40");
    assert_eq!(complaint(text, &file("t.txt", "")), "E0714 `t.txt` is empty");
    assert_eq!(complaint(text, &file("t.txt", "a")), "E0735 the longest series has 1 row, and the windows read 4");
    let bytes = Memory::default().with("t.txt", [b'a', 0xff]);
    assert_eq!(complaint(text, &bytes), "E0713 line 1 of `t.txt` is not UTF-8");
}

#[test]
fn a_text_is_windows_of_its_words_too() {
    let files = file("t.txt", "The cat. The dog!\nthe end").with("v.txt", "a dog, the end");
    let text = "data D = text(\"t.txt\") {
      ids = words[t, vocab] |> window(2)
      split = files(valid = text(\"v.txt\"))
    }";
    let data = loaded(text, &files);
    assert_eq!(names(&data, "ids"), ["the", "!", ".", "cat", "dog", "end", "<unknown>"]);
    assert_eq!(classes(&data, Part::Train, "ids"), [0, 3, 3, 2, 2, 0, 0, 4, 4, 1, 1, 0, 0, 5]);
    assert_eq!(classes(&data, Part::Valid, "ids"), [6, 4, 4, 6, 6, 0, 0, 5]);
}

/// A row a line: the most frequent words have numbers, the unknown ones one, which also fills up.
#[test]
fn lines_are_rows_and_are_filled_up() {
    let files = file("t.txt", "b a b\n\n  \na c\r\nb\n");
    let text = "data D = lines(\"t.txt\") {
      ids  = words[t, vocab](least = 2) |> pad
      real = present(ids)
      n    = length(ids)
      half = length(ids) / 2
      cut  = words(most = 1) |> truncate(2) |> pad
      all  = chars |> pad(6)
      batch = 2
    }";
    let data = loaded(text, &files);
    assert_eq!(names(&data, "ids"), ["b", "a", "<unknown>"]);
    assert_eq!([0, 1, 2].map(|row| padded(&data, "ids", row)), [[0, 1, 0], [1, 2, 2], [0, 2, 2]]);
    assert_eq!([0, 1, 2].map(|row| padded(&data, "real", row)), [[1, 1, 1], [1, 1, 0], [1, 0, 0]]);
    assert_eq!(classes(&data, Part::Train, "n"), [3, 2, 1]);
    assert_eq!(floats(&data, Part::Train, "half"), [1.5, 1.0, 0.5]);
    assert_eq!([0, 1, 2].map(|row| padded(&data, "cut", row)), [[0, 1], [1, 1], [0, 1]]);
    assert_eq!(names(&data, "all"), [" ", "a", "b", "c", "<unknown>"]);
    assert_eq!(padded(&data, "all", 1), [1, 0, 3, 4, 4, 4]);
    let column = |name: &str| data.schema().column(Symbol::new(name)).expect("a column");
    assert_eq!(column("cut").axes[0].open.and_then(|open| open.most), Some(2));
    assert_eq!(column("all").axes[0].open, None);
    assert_eq!(column("real").of, Some(Symbol::new("ids")));
    // A run finds what it may ask of them beside the columns.
    assert_eq!(column("present(all)").axes, column("all").axes);
    assert_eq!(column("length(cut)").ty, ColumnType::Count);
    // Each batch is as long as the longest of its rows.
    let loader = data.loader(Part::Train).in_file_order();
    assert_eq!(batch(&loader, 0, 0).columns[0].1.shape(), [2, 3]);
    assert_eq!(batch(&loader, 0, 1).columns[0].1.shape(), [1, 1]);
}

/// Columns along an axis of one name are filled up together.
#[test]
fn an_axis_of_one_name_has_one_size() {
    let files = table("a,b\nx,one two three\nx y,one\n");
    let text = "data D = csv(\"t.csv\") {
      a = column(\"a\") |> words[t, w] |> pad
      b = column(\"b\") |> words[t, v] |> pad
      c = column(\"b\") |> words[s, v] |> pad
    }";
    let data = loaded(text, &files);
    assert_eq!(column(&data, Part::Train, "a").shape(), [2, 3]);
    assert_eq!(column(&data, Part::Train, "present(a)").shape(), [2, 3]);
    assert_eq!(padded(&data, "present(a)", 0), [1, 0, 0]);
    let loader = data.loader(Part::Train).batch_size(1).in_file_order();
    let shapes = |index| batch(&loader, 0, index).columns.iter().take(3).map(|(_, t)| t.shape()[1]).collect::<Vec<_>>();
    assert_eq!(shapes(0), [3, 3, 3]);
    assert_eq!(shapes(1), [2, 2, 1]);
}

/// Batches of no more than so many places: every row once, those of like length together, cut alike in every epoch.
#[test]
fn batches_are_cut_by_places() {
    let lengths: Vec<usize> = (0..60).map(|row| 1 + row * 7 % 13).collect();
    let text: String = lengths.iter().map(|length| "a".repeat(*length) + "\n").collect();
    let files = file("t.txt", &text).with("long.txt", format!("{text}{}\n", "b".repeat(50)));
    let declared = |name: &str| format!("data D = lines(\"{name}\") {{ ids = chars[t, v] |> pad batch = tokens(40) }}");
    let data = loaded(&declared("t.txt"), &files);
    let loader = data.loader(Part::Train).only(&[Symbol::new("ids"), Symbol::new("length(ids)")]);
    let mut orders = Vec::new();
    for epoch in 0..3 {
        let mut seen = Vec::new();
        let mut order = Vec::new();
        for index in 0..loader.batches() {
            let batch = batch(&loader, epoch, index);
            assert_eq!(batch.rows, loader.rows_of(epoch, index));
            let shape = batch.columns[0].1.shape().to_vec();
            assert!(batch.rows * shape[1] <= 40, "{shape:?}");
            let here = batch.columns[1].1.i32_slice().expect("counts").to_vec();
            assert_eq!(here.iter().max(), Some(&(shape[1] as i32)));
            order.push(shape);
            seen.extend(here);
        }
        seen.sort_unstable();
        let mut all: Vec<i32> = lengths.iter().map(|length| *length as i32).collect();
        all.sort_unstable();
        assert_eq!(seen, all);
        orders.push(order);
    }
    assert_ne!(orders[0], orders[1]);
    orders.iter_mut().for_each(|order| order.sort());
    assert_eq!(orders[0], orders[1]);
    // Padding is a small part of all places: rows of like length are together.
    let places: usize = orders[0].iter().map(|shape| shape[0] * shape[1]).sum();
    assert!(places * 10 < lengths.iter().sum::<usize>() * 12, "{places}");
    // A row that is longer than a batch may be is one of its own.
    let long = loaded(&declared("long.txt"), &files);
    let loader = long.loader(Part::Train);
    let rows = |index| batch(&loader, 0, index).columns[0].1.shape().to_vec();
    assert!((0..loader.batches()).any(|index| rows(index) == [1, 50]));
    let told = mistake("data D = csv(\"t.csv\") { x = column(\"a\") batch = tokens(40) }");
    assert_eq!(
        told,
        "E0708 `batch` takes a number of rows: `tokens` counts the places of padded texts, and no column is one"
    );
}

/// A table without a header: its columns are numbers from 0, and its first line is a row.
#[test]
fn columns_are_numbered_without_a_header() {
    let files = Memory::default().with("t.tsv", "ein Haus\ta house\t1\nder \"Hund\"\tthe dog\t0\n");
    let text = "data D = tsv(\"t.tsv\") {
      src = column(0) |> words[s, de] |> pad
      n   = columns(2..3)
      k   = columns(2) |> vocab
    }";
    let data = loaded(text, &files);
    assert_eq!(data.schema().rows(Part::Train), 2);
    assert_eq!(floats(&data, Part::Train, "n"), [1.0, 0.0]);
    assert_eq!(names(&data, "src"), ["\"", "der", "ein", "haus", "hund", "<unknown>"]);
    let told = complaint("data D = tsv(\"t.tsv\") { x = column(3) }", &files);
    assert_eq!(told, "E0717 `t.tsv` has no column `3`");
    let told = mistake("data D = tsv(\"t.tsv\") { x = column(0) y = column(\"a\") }");
    assert_eq!(told, "E0743 a column is meant by its number here, and by its name elsewhere");
    let told = mistake("data D = jsonl(\"t.jsonl\") { x = column(0) }");
    assert_eq!(told, "E0704 `column` takes the name of a column in quotes");
    let ragged = Memory::default().with("t.tsv", "a\tb\nc\n");
    let told = complaint("data D = tsv(\"t.tsv\") { x = column(0) |> vocab }", &ragged);
    assert_eq!(told, "E0715 row 2 (line 2) of `t.tsv` has 1 cell, the first row has 2");
}

const TOKENIZERS: [(&str, &str); 5] = [
    ("bytes", include_str!("tokenizers/bytes.json")),
    ("prefixed", include_str!("tokenizers/prefixed.json")),
    ("spaces", include_str!("tokenizers/spaces.json")),
    ("marks", include_str!("tokenizers/marks.json")),
    ("words", include_str!("tokenizers/words.json")),
];

/// Pieces have the numbers that the package `tokenizers` gives them; `tokenizers/make.py` wrote them down.
#[test]
fn pieces_have_the_numbers_of_their_tokenizer() {
    let cases: Json = serde_json::from_str(include_str!("tokenizers/cases.json")).expect("cases");
    let texts: Vec<&str> = cases["texts"].as_array().expect("texts").iter().filter_map(Json::as_str).collect();
    let numbers = |json: &Json| {
        json.as_array().expect("numbers").iter().filter_map(Json::as_i64).map(|n| n as i32).collect::<Vec<_>>()
    };
    for (name, json) in TOKENIZERS {
        let files = file("first.txt", texts[0]).with("tok.json", json);
        let case = &cases["tokenizers"][name];
        for (row, text) in texts.iter().enumerate().filter(|(_, text)| !text.is_empty()) {
            let files = file("t.txt", text).with("tok.json", json);
            let declared = "data D = text(\"t.txt\") { ids = bpe[t, vocab](\"tok.json\") |> window(1) }";
            let wanted = numbers(&case["ids"][row]);
            if wanted.is_empty() {
                assert_eq!(complaint(declared, &files), "E0714 `t.txt` is empty", "{name}: {text:?}");
            } else {
                assert_eq!(classes(&loaded(declared, &files), Part::Train, "ids"), wanted, "{name}: {text:?}");
            }
        }
        let declared = |marks: &str| {
            format!("data D = lines(\"first.txt\") {{ ids = bpe[t, vocab](\"tok.json\"{marks}) |> pad }}")
        };
        let data = loaded(&declared(""), &files);
        let pieces = names(&data, "ids");
        assert_eq!(Some(pieces.len() as u64), case["size"].as_u64());
        let ColumnType::Index { spelling, .. } = data.schema().columns[0].ty else { panic!() };
        let first = padded(&data, "ids", 0);
        assert_eq!(first, numbers(&case["ids"][0]), "{name}");
        let first: Vec<&str> = first.iter().map(|number| pieces[*number as usize].as_str()).collect();
        assert_eq!(Some(spelling.text(&first).as_str()), case["decoded"].as_str(), "{name}");
        let marks = match name {
            "prefixed" | "marks" => ", begin = true, end = true",
            "spaces" => ", begin = true",
            _ => "",
        };
        assert_eq!(padded(&loaded(&declared(marks), &files), "ids", 0), numbers(&case["marked"]), "{name}");
    }
}

/// What fills up is the mark that the tokenizer has for it, and a model keeps the tokenizer it was trained with.
#[test]
fn a_tokenizer_travels_with_the_model() {
    let text = "data D = lines(\"t.txt\") { ids = bpe[t, vocab](\"tok.json\", begin = \"<s>\", end = false) |> truncate(3) |> pad }";
    let files = file("t.txt", "to be\nt").with("tok.json", TOKENIZERS[1].1);
    let data = loaded(text, &files);
    assert_eq!(padded(&data, "ids", 1)[2], 2);
    assert_eq!(padded(&data, "ids", 0)[0], 0);
    let mut told = Diagnostics::default();
    let spec = right(text);
    let new = file("new.txt", "to be");
    let wanted = [Symbol::new("ids"), Symbol::new("present(ids)")];
    let rows = Rows::load(&spec, data.fitted(), &Input::Path("new.txt".into()), &wanted, &new, &mut told);
    let found = rows.expect("rows").batch(0, 1).expect("a batch");
    assert_eq!(found.columns[0].1.i32_slice(), Some(&padded(&data, "ids", 0)[..]));
    assert_eq!(found.columns[1].1.i32_slice(), Some([1, 1, 1].as_slice()));
}

/// One long text is windows of pieces as well.
#[test]
fn a_long_text_is_windows_of_pieces() {
    let files = file("t.txt", "To be, or not to be: that is the question.").with("tok.json", TOKENIZERS[0].1);
    let cases: Json = serde_json::from_str(include_str!("tokenizers/cases.json")).expect("cases");
    let data = loaded("data D = text(\"t.txt\") { ids = bpe[t, vocab](\"tok.json\") |> window(3) }", &files);
    let all: Vec<i32> = cases["tokenizers"]["bytes"]["ids"][0]
        .as_array()
        .expect("numbers")
        .iter()
        .filter_map(Json::as_i64)
        .map(|n| n as i32)
        .collect();
    let windows: Vec<i32> = all.windows(3).flatten().copied().collect();
    assert_eq!(classes(&data, Part::Train, "ids"), windows);
    assert_eq!(data.schema().columns[0].shape(), [3]);
}

#[test]
fn what_a_tokenizer_cannot_do_is_told() {
    let of = |json: &str| {
        let files = file("t.txt", "ab x").with("tok.json", json);
        complaint("data D = lines(\"t.txt\") { ids = bpe[t, vocab](\"tok.json\") |> pad }", &files)
    };
    let model = |rest: &str| {
        format!("{{\"model\": {{\"type\": \"BPE\", \"vocab\": {{\"a\": 0, \"b\": 1}}, \"merges\": []{rest}}}")
    };
    let told = |why: &str| format!("E0744 `tok.json` is no tokenizer that can be read: {why}");
    assert!(of("nothing").starts_with("E0744 `tok.json` is no tokenizer that can be read: it is not JSON: "));
    assert_eq!(of("{}"), told("it has no `model`"));
    assert_eq!(of("{\"model\": {\"type\": \"Unigram\"}}"), told("its model is of the type `Unigram`"));
    assert_eq!(of(&(model(", \"dropout\": 0.1") + "}")), told("its model drops merges at random"));
    assert_eq!(of(&(model(", \"end_of_word_suffix\": \"</w>\"") + "}")), told("its model has a `end_of_word_suffix`"));
    let normalizer = ", \"normalizer\": {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFKC\"}]}}";
    assert_eq!(of(&(model("") + normalizer)), told("its normalizer `NFKC` is not one of those read"));
    let split = ", \"pre_tokenizer\": {\"type\": \"Split\"}}";
    assert_eq!(of(&(model("") + split)), told("its pre-tokenizer `Split` is not one of those read"));
    let merges = "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"b\": 1}, \"merges\": [\"a b\"]}}";
    assert_eq!(of(merges), told("no piece `ab` for a merge"));
    let far = "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 4000000000}, \"merges\": []}}";
    assert_eq!(of(far), told("its pieces are not numbered from 0"));
    assert_eq!(of(&(model("") + "}")), "E0744 `tok.json` has no piece for ` `, and none for what is unknown");
    let marked = |mark: &str| {
        let files = file("t.txt", "ab").with("tok.json", model("") + "}");
        complaint(&format!("data D = lines(\"t.txt\") {{ ids = bpe(\"tok.json\", {mark}) |> pad }}"), &files)
    };
    assert_eq!(marked("begin = true"), "E0744 `tok.json` does not say with which piece a text begins");
    assert_eq!(marked("end = \"x\""), "E0744 `tok.json` has no piece `x`");
    let missing = complaint("data D = lines(\"t.txt\") { ids = bpe(\"tok.json\") |> pad }", &file("t.txt", "a"));
    assert_eq!(missing, "E0711 cannot read `tok.json`: there is no such file");
}

#[test]
fn mistakes_are_told() {
    for (source, entries, told) in [
        ("lines", "ids = chars", "E0741 rows of texts are of several lengths, those of a tensor of one"),
        ("text", "ids = chars[t, v]", "E0742 a text is one long row, and this takes no part of it"),
        (
            "text",
            "ids = chars |> pad",
            "E0709 `pad` takes texts that `chars`, `words` or `bpe` have cut, and this is class numbers",
        ),
        ("text", "", "E0742 nothing says what this text is cut into"),
        (
            "text",
            "a = chars |> window(2) b = words |> window(2)",
            "E0742 a text is cut in one way, and here in another than above",
        ),
        (
            "text",
            "a = bpe(\"tok.json\", end = true) |> window(2)",
            "E0742 a long text that is cut into windows has no marks around its rows",
        ),
        (
            "lines",
            "ids = chars[t] |> pad",
            "E0704 `chars` takes two axes in brackets, what a text runs along and what is counted, as in `[t, vocab]`",
        ),
        ("lines", "ids = words(most = 0) |> pad", "E0704 `words` takes a whole number above 0 as `most`"),
        (
            "lines",
            "ids = words(3) |> pad",
            "E0704 `words` takes `most`, how many words it counts, and `least`, how often a word must be there",
        ),
        (
            "lines",
            "ids = bpe |> pad",
            "E0704 `bpe` takes the path of a tokenizer in quotes, as in `bpe(\"tokenizer.json\")`",
        ),
        ("lines", "ids = bpe(\"t\", begin = 3) |> pad", "E0704 `bpe` takes `true` or a piece in quotes as `begin`"),
        ("lines", "ids = chars |> pad(0)", "E0704 `pad` takes nothing, or how long all rows shall be: `pad(256)`"),
        (
            "lines",
            "ids = chars |> truncate |> pad",
            "E0704 `truncate` takes how long a text may be, as in `truncate(512)`",
        ),
        (
            "lines",
            "ids = chars |> pad |> truncate(3)",
            "E0709 `truncate` takes texts that `chars`, `words` or `bpe` have cut, and this is padded texts",
        ),
        (
            "lines",
            "ids = column(\"text\") |> vocab real = present(ids)",
            "E0709 `present` takes padded texts, and this is class numbers",
        ),
        ("lines", "ids = chars |> pad x = ids + 1", "E0709 `arithmetic` takes numbers, and this is padded texts"),
        ("lines", "ids = chars |> pad x = present(ids) + 1", "E0709 `arithmetic` takes numbers, and this is truths"),
        ("lines", "ids = chars |> window(3)", "E0709 `window` takes numbers or classes, and this is texts"),
        (
            "lines",
            "ids = chars |> pad batch = tokens(9) drop_last = true",
            "E0708 batches of `tokens(…)` all have other numbers of rows, so none is a smaller last one",
        ),
        ("csv", "ids = chars |> pad", "E0707 `chars` is not defined here"),
    ] {
        assert_eq!(mistake(&format!("data D = {source}(\"t.txt\") {{ {entries} }}")), told, "{entries}");
    }
    let files = file("t.txt", "ab\nabcd\n");
    let told = complaint("data D = lines(\"t.txt\") { ids = chars |> pad(3) }", &files);
    assert_eq!(told, "E0741 row 2 (line 2) of `t.txt` has 4 places, and all rows shall have 3");
    let told = complaint("data D = lines(\"t.txt\") { ids = chars[t, v: 9] |> pad }", &files);
    assert_eq!(told, "E0729 the training rows have 5 classes, the axis has size 9");
    let told = complaint("data D = lines(\"t.txt\") { ids = words(least = 2) |> pad }", &files);
    assert!(told.starts_with("E0719 "), "{told}");
}

#[test]
fn pieces_make_texts_again() {
    assert_eq!(Spelling::Chars.text(&["a", " ", "<unknown>", "é"]), "a \u{fffd}é");
    assert_eq!(Spelling::Words.text(&["a", "b"]), "a b");
    assert_eq!(Spelling::Bytes.text(&["Ġa", "Ã", "©"]), " aé");
    assert_eq!(Spelling::Spaces.text(&["▁a", "▁", "<0xC3>", "<0xA9>"]), "a é");
}
