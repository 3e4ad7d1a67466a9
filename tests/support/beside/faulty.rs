//! Files in which something is wrong, for the cases that say so.

/// An array as NumPy writes it.
pub fn array(descr: &str, shape: &str, body: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    [b"\x93NUMPY\x01\x00\x76\x00", format!("{header:117}\n").as_bytes(), body].concat()
}

/// `gaps.csv`, eight rows with a `number` and a `word` that are not always there, `none` that never are, a `day`, a
/// `part` that mixes words with numbers, one number that is too `large`, and one that is the `same` in each row.
///
/// `bare.csv` without a header, `header.csv` without rows, `empty.csv`, `list.jsonl` with a list;
/// `quote.csv` with a quote that is never closed,
/// `semicolons.csv` with those for commas, `twice.csv` with a column of one name twice; `damaged.csv`, packed, and not whole.
///
/// `short.idx`, which lacks a number; `pair.npy`, two rows of two numbers, `header.npy` with a header that says too
/// little, `words.npy` with two words in a row, `long.npy` with a number of too many digits, `scalar.npy` without rows.
pub fn write(write: &dyn Fn(&str, &[u8])) {
    let mut gaps = "number,word,none,day,part,large,same\n".to_owned();
    for row in 1..=8 {
        let there = |cell: String| if row % 4 == 2 { String::new() } else { cell };
        let word = there((if row % 2 == 0 { "even" } else { "odd" }).to_owned());
        let part = if row == 5 { "about 5".to_owned() } else { row.to_string() };
        let large = if row == 3 { "1e39" } else { "1" };
        gaps.push_str(&format!("{},{word},,2024-03-0{row},{part},{large},7\n", there(row.to_string())));
    }
    write("gaps.csv", gaps.as_bytes());
    write("bare.csv", b"5.1,3.5,setosa\n4.9,3.0,setosa\n");
    write("header.csv", b"a,b\n");
    write("empty.csv", b"");
    write("list.jsonl", b"[1, 2]\n");
    write("quote.csv", b"a,b\n1,\"no\n2,yes\n");
    write("twice.csv", b"a,a\n1,2\n");
    write("semicolons.csv", b"a;b\n1;2\n3;4\n");
    write("damaged.csv", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03abc");
    write("short.idx", b"\x00\x00\x08\x01\x00\x00\x00\x03\x07\x02");
    write("pair.npy", &array("<f4", "(2, 2)", &[0; 16]));
    write("header.npy", &array("<f4", "unknown", &[0; 4]));
    write("words.npy", &array("|S2", "(1, 2)", b"abcd"));
    write("long.npy", &array("<u8", "(1,)", &[0xff; 8]));
    write("scalar.npy", &array("<f4", "()", &[0; 4]));
}
