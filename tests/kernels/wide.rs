//! What only kernels and programs with elements of 64 bits have.

use std::sync::Arc;

use tensa::backend::cpu::Cpu;
use tensa::backend::cpu::call::Buffer;
use tensa::backend::cpu::pool::Pool;
use tensa::backend::interp::Interp;
use tensa::backend::{Backend, Bound, Spot};
use tensa::diag::Code;
use tensa::ir::scalar::{Bin, ScalarTy, Un};
use tensa::ir::{ParamId, Role};
use tensa::kernel::ir::Elem;
use tensa::kernel::{parse, verify};
use tensa::runtime::{Env, Executable, Input, Store};

use super::random::Rng;

const TEXT: &str = "sizes [batch]
host h0 = const 0.1
buffer m0 [3 * batch] wide input 0
buffer m1 [3] wide param 0
buffer m2 [3 * batch] wide result value \"y\"
kernel k0 (read, read, write; f64; sizes 1) grid [s0] row 3 rowbufs 0 slots 0 wide [b0, b1, b2] {
  map {
    v0 = load b0[3*g0 + i]
    v1 = load b1[i]
    v2 = arg a0
    v3 = fma v0 v2 v1
    b2[3*g0 + i] <- v3
  }
}
step loop k0 (m0, m1, m2; wide h0; batch)
";

/// Functions of f64 are those of the host, to the bit.
#[test]
fn functions_of_f64_as_machine_code() {
    let mut rng = Rng::new(8);
    let n = 5000;
    let mut numbers = || -> Vec<u32> { (0..n).flat_map(|_| rng.element(Elem::Wide)).collect() };
    let (x, y) = (numbers(), numbers());
    let number = |words: &[u32], at: usize| u64::from(words[2 * at]) | u64::from(words[2 * at + 1]) << 32;
    let unary = [Un::Exp, Un::Log, Un::Tanh, Un::Erf, Un::Sin, Un::Cos, Un::Sqrt, Un::Round, Un::Floor];
    let cpu = Cpu::new(1).unwrap();
    for which in 0..=unary.len() {
        let function = match unary.get(which) {
            Some(un) => format!("{un:?} v0").to_lowercase(),
            None => "pow v0 v1".to_owned(),
        };
        let text = format!(
            "(read, read, write; ; sizes 1) grid [] row s0 rowbufs 0 slots 0 wide [b0, b1, b2] {{\n\
             map {{ v0 = load b0[i] v1 = load b1[i] v2 = {function} b2[i] <- v2 }}\n}}\n"
        );
        let kernel = parse::kernel(&text).unwrap();
        let code = cpu.kernels(&[kernel]).unwrap().remove(0);
        let mut got = vec![0; 2 * n];
        let mut buffers = [Buffer::Read(&x), Buffer::Read(&y), Buffer::Write(&mut got)];
        code.call(&mut Pool::new(2), &mut buffers, &[n as i64], &[]).unwrap();
        for at in 0..n {
            let (a, b) = (number(&x, at), number(&y, at));
            let want = match unary.get(which) {
                Some(un) => un.eval(ScalarTy::F64, a),
                None => Bin::Pow.eval(ScalarTy::F64, a, b),
            };
            let (want, got) = (f64::from_bits(want), f64::from_bits(number(&got, at)));
            let same = got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan();
            assert!(same, "function {which} of {} and {}: {got} {want}", f64::from_bits(a), f64::from_bits(b));
        }
    }
}

fn run(executable: &mut Executable, x: &[f64]) -> Result<Vec<f64>, Code> {
    let mut store = Store::new(&[6], &[]).unwrap();
    for (at, word) in store.param_mut(ParamId(0)).iter_mut().enumerate() {
        let number = [0.25f64, -7.0, 1e-9][at / 2].to_bits();
        *word = (number >> (32 * (at % 2))) as u32;
    }
    let env = Env { inputs: &[Input::F64(x)], sizes: &[2], seed: 0, step: 0, steps_per_epoch: 1 };
    let results = executable.run(&env, &mut store).map_err(|diagnostic| diagnostic.code)?;
    Ok(results.f64(&Role::Value("y".into())).unwrap())
}

#[test]
fn a_program_of_f64_computes_in_f64() {
    let program = parse::program(TEXT).unwrap();
    assert_eq!(program.to_string(), TEXT);
    let x: [f64; 6] = [1.0, 1.0 / 3.0, -1e100, 0.0, 2.5, 1e-300];
    let want: Vec<f64> = x.iter().zip([0.25, -7.0, 1e-9].iter().cycle()).map(|(x, p)| x.mul_add(0.1, *p)).collect();
    for backend in [&Interp as &dyn Backend, &Cpu::new(2).unwrap()] {
        let mut executable = Executable::new(program.clone(), backend).unwrap();
        assert_eq!(run(&mut executable, &x), Ok(want.clone()));
        assert_eq!(run(&mut executable, &x[1..]), Err(Code::E0803), "an input that is too short");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let cpu = Cpu::new(1).unwrap();
    let code = |text: &str| {
        assert_ne!(text, TEXT);
        Executable::new(parse::program(text).unwrap(), &cpu).err().map(|diagnostic| diagnostic.code)
    };
    // A buffer of words for a kernel of wide elements, and a host value that was rounded.
    assert_eq!(code(&TEXT.replace("buffer m0 [3 * batch] wide", "buffer m0 [3 * batch]")), Some(Code::E0803));
    assert_eq!(code(&TEXT.replace("; wide h0;", "; h0;")), Some(Code::E0803));
    // A parameter with as many words as it has elements.
    let mut executable = Executable::new(parse::program(TEXT).unwrap(), &cpu).unwrap();
    assert_eq!(executable.bind(&[2], &Store::new(&[3], &[]).unwrap()).unwrap_err().code, Code::E0803);
    // Buffers that are half as long as they should be, and one that starts within an element.
    let program = Arc::new(parse::program(TEXT).unwrap());
    let spot = |segment: usize, offset: usize, len: usize| Spot { segment, offset, len };
    let bound = |spots: [Spot; 3]| Bound::new(&program, &|_| 2, spots.to_vec(), 1, &|_| true);
    let whole = [spot(0, 0, 12), spot(1, 0, 6), spot(2, 0, 12)];
    assert!(bound(whole).is_ok());
    for (at, wrong) in [(0, spot(0, 0, 6)), (1, spot(1, 0, 5)), (2, spot(2, 0, 11)), (2, spot(2, 1, 12))] {
        let mut spots = whole;
        spots[at] = wrong;
        assert!(bound(spots).is_err(), "{wrong:?}");
    }
}

/// Each of these breaks one rule of `kernel::verify` about widths.
#[test]
fn broken_widths_are_refused() {
    let one = |wide: &str, body: &str| {
        format!("(read, write; f32, f64; sizes 0) grid [] row 3 rowbufs 1 slots 1 wide [{wide}] {{\n{body}\n}}\n")
    };
    let sound = "map { v0 = load b0[i] v1 = add v0 v0 b1[i] <- v1 r0 <- v0 }
        reduce { v0 = row r0 v1 = asi64 v0 } acc { t0 <- imin v1 } scalar { v0 = slot t0 t0 <- v0 }";
    verify::kernel(&parse::kernel(&one("b0, b1, r0, t0", sound)).unwrap()).unwrap();
    let broken = [
        ("named out of order", one("b1, b0, r0, t0", sound)),
        ("named twice", one("b0, b0, b1, r0, t0", sound)),
        ("a buffer that is not there", one("b0, b1, b2, r0, t0", sound)),
        ("a buffer of words", one("b0, r0, t0", sound)),
        ("a row of words", one("b0, b1, t0", sound)),
        ("a slot of a word", one("b0, b1, r0", sound)),
        ("a sum of two widths", one("b0, b1", "map { v0 = load b0[i] v1 = arg a0 v2 = add v0 v1 b1[i] <- v2 }")),
        ("arithmetic on i64", one("b0, b1", "map { v0 = load b0[i] v1 = asi64 v0 v2 = iadd v1 v1 b1[i] <- v2 }")),
        ("a function of f32", one("b1", "map { v0 = load b0[i] v1 = exp v0 b1[i] <- v1 }")),
        ("a sum of i64", one("b0, t0", "reduce { v0 = load b0[i] v1 = asi64 v0 } acc { t0 <- sum v1 }")),
    ];
    for (rule, text) in broken {
        let kernel = parse::kernel(&text).unwrap_or_else(|fault| panic!("{rule}: {fault}\n{text}"));
        assert!(verify::kernel(&kernel).is_err(), "{rule}\n{text}");
    }
}
