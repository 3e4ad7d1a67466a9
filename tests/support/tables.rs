//! Small tables for the programs of `tests/data/language`: the columns they ask for, with something to be found in them.

use std::fmt::Write;
use std::path::Path;

/// Writes all of them into a folder, with the files that the programs use.
pub fn write(folder: &Path) {
    for (name, text) in [
        ("iris.csv", include_str!("../../examples/data/iris.csv").to_owned()),
        ("houses.csv", houses()),
        ("views.csv", views()),
        ("items.csv", items()),
        ("users.csv", users()),
        ("ads.csv", ads()),
        ("moves.csv", moves()),
        ("stores.csv", stores()),
        ("sales.csv", sales(1, 140)),
        ("sales_2025.csv", sales(5, 90)),
        ("nodes.csv", nodes()),
        ("edges.csv", edges()),
        ("shakespeare.txt", include_str!("../../examples/data/hamlet.txt").chars().take(20_000).collect()),
        ("wiki.txt", wiki()),
        ("de-en.tsv", pairs()),
        ("tokenizer.json", include_str!("../data/tokenizers/bytes.json").to_owned()),
        ("tok.json", include_str!("../data/tokenizers/bytes.json").to_owned()),
    ] {
        std::fs::write(folder.join(name), text).expect("a writable folder");
    }
    let parts = folder.join("parts");
    std::fs::create_dir(&parts).expect("a writable folder");
    for (name, text) in [
        ("gpt.model", include_str!("../data/language/parts/gpt.model")),
        ("vit.model", include_str!("../data/language/parts/vit.model")),
    ] {
        std::fs::write(parts.join(name), text).expect("a writable folder");
    }
    for name in ["img", "mask", "photos"] {
        std::fs::create_dir(folder.join(name)).expect("a writable folder");
    }
    (0..16).for_each(|cell| picture_of_a_cell(folder, cell));
    ["cold", "warm"].iter().for_each(|class| pictures_of_a_class(folder, class));
    scenes(folder);
}

fn save(path: &Path, side: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) {
    let picture = image::RgbImage::from_fn(side, side, |x, y| image::Rgb(pixel(y, x)));
    picture.save(path).expect("a writable folder");
}

/// A bright disc on a grainy ground, and its mask in white.
fn picture_of_a_cell(folder: &Path, cell: u32) {
    let (middle_y, middle_x) = (8 + mixed(cell, 1) % 16, 8 + mixed(cell, 2) % 16);
    let reach = 4 + mixed(cell, 3) % 4;
    let inside = |y: u32, x: u32| y.abs_diff(middle_y).pow(2) + x.abs_diff(middle_x).pow(2) <= reach * reach;
    let grain = |y: u32, x: u32| (mixed(cell * 32 + y, x) % 60) as u8;
    save(&folder.join(format!("img/{cell}.png")), 32, |y, x| [grain(y, x) + if inside(y, x) { 150 } else { 0 }; 3]);
    save(&folder.join(format!("mask/{cell}.png")), 32, |y, x| [if inside(y, x) { 255 } else { 0 }; 3]);
}

/// Pictures of one colour with some grain in a folder of their class, large enough for what is cut out of them.
fn pictures_of_a_class(folder: &Path, class: &str) {
    std::fs::create_dir_all(folder.join("pics").join(class)).expect("a writable folder");
    for at in 0..5 {
        let grain = |y: u32, x: u32| (mixed(at * 240 + y, x) % 60) as u8;
        let (red, blue) = if class == "warm" { (180, 20) } else { (20, 180) };
        save(&folder.join(format!("pics/{class}/{at}.png")), 240, |y, x| [red + grain(y, x), 90, blue]);
    }
}

/// Photos with a box or two, large enough for what is cut out of them.
fn scenes(folder: &Path) {
    let mut lines = String::new();
    for scene in 0..2 {
        save(&folder.join(format!("photos/{scene}.png")), 520, |y, _| [(y / 3) as u8, 90, 30 * scene as u8]);
        let boxes = ["[[40, 60, 200, 220], [300, 310, 480, 500]]", "[[100, 100, 400, 350]]"][scene];
        let labels = ["[\"cat\", \"dog\"]", "[\"dog\"]"][scene];
        writeln!(lines, "{{\"file\": \"photos/{scene}.png\", \"boxes\": {boxes}, \"labels\": {labels}}}")
            .expect("memory");
    }
    std::fs::write(folder.join("scenes.jsonl"), lines).expect("a writable folder");
}

/// A number of a few digits that looks random and is the same in every run.
fn mixed(a: u32, b: u32) -> u32 {
    let mut x = a.wrapping_mul(0x9e37_79b9) ^ b.wrapping_mul(0x85eb_ca6b);
    x ^= x >> 15;
    x = x.wrapping_mul(0x2c1b_3c6d);
    (x ^ x >> 12) % 1000
}

fn table(header: &str, rows: u32, mut row: impl FnMut(&mut String, u32)) -> String {
    let mut text = format!("{header}\n");
    for at in 0..rows {
        row(&mut text, at);
        text.push('\n');
    }
    text
}

fn houses() -> String {
    table("area,rooms,age,price", 200, |text, row| {
        let (area, rooms, age) = (40 + row * 7 % 160, 1 + row * 3 % 6, row * 11 % 90);
        // A gap now and then is for `impute`.
        let shown = if row % 17 == 0 { String::new() } else { age.to_string() };
        write!(text, "{area},{rooms},{shown},{}", 1000 * area + 9000 * rooms - 300 * age).expect("memory");
    })
}

/// Sentences of several lengths in which words follow each other in a fixed way.
fn wiki() -> String {
    let words = ["the", "king", "of", "the", "sea", "and", "the", "queen", "of", "the", "hills", "sat", "at", "noon"];
    let line =
        |row: usize| words.iter().cycle().skip(row % 7).take(3 + row * 5 % 11).copied().collect::<Vec<_>>().join(" ");
    (0..400).map(|row| line(row) + ".\n").collect()
}

/// Numbers in words, in two languages, without a header.
fn pairs() -> String {
    let words = [("eins", "one"), ("zwei", "two"), ("drei", "three"), ("vier", "four")];
    let mut text = String::new();
    for row in 0..300 {
        let row: Vec<(&str, &str)> = (0..1 + row % 5).map(|at| words[mixed(row, at) as usize % 4]).collect();
        let joined =
            |of: fn(&(&'static str, &'static str)) -> &'static str| row.iter().map(of).collect::<Vec<_>>().join(" ");
        writeln!(text, "{}\t{}", joined(|word| word.0), joined(|word| word.1)).expect("memory");
    }
    text
}

/// A user looks at items of the category that goes with its number.
fn views() -> String {
    table("time,user_id,item_id", 600, |text, row| {
        let user = mixed(row, 1) % 20;
        let item = 10 * (user % 3) + mixed(row, 2) % 10;
        write!(text, "{row},u{user},i{item}").expect("memory");
    })
}

fn items() -> String {
    table("item_id,category", 30, |text, item| write!(text, "i{item},c{}", item / 10).expect("memory"))
}

fn users() -> String {
    table("user_id,country", 20, |text, user| write!(text, "u{user},{}", user % 4).expect("memory"))
}

/// Who clicks is said by the first number and the first word.
fn ads() -> String {
    let mut header = "day,click,genres".to_owned();
    (1..=13).for_each(|at| write!(header, ",i{at}").expect("memory"));
    (1..=26).for_each(|at| write!(header, ",c{at}").expect("memory"));
    table(&header, 400, |text, row| {
        let (first, word) = (mixed(row, 1) % 10, mixed(row, 14) % 5);
        let click = u32::from(first > 4) ^ u32::from(word == 0);
        let genres = ["drama", "crime|drama", "", "comedy|crime|war"][(mixed(row, 50) % 4) as usize];
        write!(text, "{},{click},{genres}", row / 4).expect("memory");
        (1..=13).for_each(|at| write!(text, ",{}", if at == 1 { first } else { mixed(row, at) % 10 }).expect("memory"));
        (1..=26).for_each(|at| write!(text, ",w{}", mixed(row, 13 + at) % 5).expect("memory"));
    })
}

fn moves() -> String {
    let mut header = "action,reward,done".to_owned();
    (0..8).for_each(|at| write!(header, ",s{at}").expect("memory"));
    (0..8).for_each(|at| write!(header, ",n{at}").expect("memory"));
    table(&header, 300, |text, row| {
        write!(text, "{},{},{}", mixed(row, 1) % 4, mixed(row, 2) % 3, u32::from(row % 25 == 24)).expect("memory");
        (0..16).for_each(|at| write!(text, ",{}", mixed(row + at / 8, 3 + at % 8)).expect("memory"));
    })
}

fn stores() -> String {
    table("store,city", 3, |text, store| write!(text, "s{store},t{}", store % 2).expect("memory"))
}

/// Days of three stores, with the rhythm of a week; every seventh day is closed.
fn sales(month: u32, days: u32) -> String {
    table("date,store,open,units,revenue,promo,holiday", 3 * days, |text, row| {
        let (day, store) = (row / 3, row % 3);
        let units = 20 + 5 * store + 3 * (day % 7) + mixed(row, month) % 3;
        let (open, promo) = (u32::from(day % 7 != 6), u32::from(day % 14 < 3));
        let date = format!("2024-{:02}-{:02}", month + day / 28, 1 + day % 28);
        write!(text, "{date},s{store},{open},{units},{},{promo},{}", 4 * units, u32::from(day % 30 == 0))
            .expect("memory");
    })
}

/// Papers of three topics; the topic says which of the first words are there.
fn nodes() -> String {
    let mut header = "id,topic".to_owned();
    (0..1433).for_each(|at| write!(header, ",w{at}").expect("memory"));
    table(&header, 60, |text, node| {
        write!(text, "p{node},t{}", node % 3).expect("memory");
        (0..1433).for_each(|at| write!(text, ",{}", u32::from(at < 9 && at % 3 == node % 3)).expect("memory"));
    })
}

/// Papers speak of papers of their topic.
fn edges() -> String {
    table("from,to", 150, |text, row| {
        write!(text, "p{},p{}", row % 60, (row + 3 * (1 + mixed(row, 7) % 9)) % 60).expect("memory");
    })
}
