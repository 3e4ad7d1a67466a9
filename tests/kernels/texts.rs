//! Text: what kernels and their machine code look like, and what is refused.

use tensa::backend::cpu::Cpu;
use tensa::ir::expand::{self, Emit};
use tensa::ir::scalar::Bin;
use tensa::kernel::ir::{Coef, SizeArg};
use tensa::kernel::{parse, verify};

use super::functions::{column_sums_update, elementwise, softmax};

#[test]
fn softmax_as_text() {
    insta::assert_snapshot!(softmax(10));
}

#[test]
fn relu_as_clif() {
    let kernel = elementwise(Coef::Size(SizeArg(0)), 2, |b, x| {
        let sum = b.add(x[0], x[1]);
        let zero = b.f32(0.0);
        b.bin(Bin::Max, sum, zero)
    });
    insta::assert_snapshot!(format!("{kernel}\n{}", Cpu::new(1).unwrap().clif(&kernel)));
}

#[test]
fn column_sums_as_clif() {
    let kernel = column_sums_update(7).remove(0);
    insta::assert_snapshot!(format!("{kernel}\n{}", Cpu::new(1).unwrap().clif(&kernel)));
}

#[test]
fn an_expansion_is_printed_and_read() {
    let kernel = elementwise(Coef::Const(64), 2, |b, x| expand::pow(b, x[0], x[1]));
    verify::kernel(&kernel).unwrap();
    assert_eq!(parse::kernel(&kernel.to_string()).unwrap(), kernel);
}

/// Each of these breaks one rule of `kernel::verify`.
#[test]
fn broken_kernels_are_refused() {
    let one = |bufs: &str, rowbufs: u16, slots: u16, phases: &str| {
        format!("({bufs}; f32; sizes 1) grid [2] row s0 rowbufs {rowbufs} slots {slots} {{\n{phases}\n}}\n")
    };
    let sound = one(
        "read, write",
        1,
        1,
        "map { v0 = load b0[i] v1 = add v0 v0 b1[g0 + 2*i] <- v1 r0 <- v0 }
        reduce { v0 = row r0 } acc { t0 <- sum v0 } scalar { v0 = slot t0 t0 <- v0 }",
    );
    verify::kernel(&parse::kernel(&sound).unwrap()).unwrap();
    let broken = [
        ("a type", one("read, write", 0, 0, "map { v0 = load b0[i] v1 = iadd v0 v0 b1[i] <- v1 }")),
        (
            "an operand that is not there yet",
            one("read, write", 0, 0, "map { v0 = sqrt v1 v1 = load b0[i] b1[i] <- v1 }"),
        ),
        ("a buffer that is not there", one("read", 0, 0, "map { v0 = load b1[i] }")),
        ("a write into what is read", one("read", 0, 0, "map { v0 = load b0[i] b0[i] <- v0 }")),
        ("a read of what is written", one("write", 0, 0, "map { v0 = load b0[i] b0[i] <- v0 }")),
        ("an update in two places", one("update", 0, 0, "map { v0 = load b0[2*i] b0[i] <- v0 }")),
        (
            "an update in two phases",
            one("update", 0, 0, "map { v0 = load b0[i] b0[i] <- v0 } map { v0 = load b0[i] b0[i] <- v0 }"),
        ),
        ("a mask in memory", one("write", 0, 0, "map { v0 = const mask true b0[i] <- v0 }")),
        ("a size that is not there", one("read", 0, 0, "map { v0 = load b0[s1*g0 + i] }")),
        ("a fold stride in a map", one("read", 0, 0, "map { v0 = load b0[i + k] }")),
        ("a shift by a value", one("write", 0, 0, "map { v0 = index [i] v1 = shl v0 v0 b0[i] <- v1 }")),
        ("a shift by 32", one("write", 0, 0, "map { v0 = index [i] v1 = const i32 32 v2 = shl v0 v1 b0[i] <- v2 }")),
        ("a scratch row before it is written", one("write", 1, 0, "map { v0 = row r0 b0[i] <- v0 }")),
        ("a slot before it is written", one("write", 0, 1, "map { v0 = slot t0 b0[i] <- v0 }")),
        ("a slot from a map", one("read", 0, 1, "map { v0 = load b0[i] t0 <- v0 }")),
        (
            "a scratch row in a scalar phase",
            one("read", 1, 0, "map { v0 = load b0[i] r0 <- v0 } scalar { v0 = row r0 }"),
        ),
        ("a fold that stores", one("read, write", 0, 0, "fold 3 { v0 = load b0[i] b1[i] <- v0 } acc { }")),
        ("two stores to one place", one("read, write", 0, 0, "map { v0 = load b0[i] b1[i] <- v0 b1[i] <- v0 }")),
        ("an accumulator of another type", one("read", 0, 1, "reduce { v0 = load b0[i] } acc { t0 <- imin v0 }")),
        (
            "a scalar argument that is not there",
            "(; ; sizes 0) grid [] row 3 rowbufs 0 slots 0 { map { v0 = arg a0 } }".into(),
        ),
        ("a negative size", "(; ; sizes 0) grid [-1] row 3 rowbufs 0 slots 0 { }".into()),
    ];
    for (rule, text) in broken {
        let kernel = parse::kernel(&text).unwrap_or_else(|fault| panic!("{rule}: {fault}\n{text}"));
        assert!(verify::kernel(&kernel).is_err(), "{rule}\n{text}");
    }
}

#[test]
fn broken_text_is_refused() {
    let sound = softmax(10).to_string();
    for (from, to) in
        [("(read", "(lead"), ("v1 = ", "v3 = "), ("reduce", "induce"), ("sum", "some"), ("}", ""), ("10*g0", "10*g7")]
    {
        let broken = sound.replacen(from, to, 1);
        assert_ne!(broken, sound);
        assert!(parse::kernel(&broken).is_err(), "{broken}");
    }
    assert!(parse::kernel("\"").is_err() && parse::kernel("é").is_err() && parse::kernel("").is_err());
}
