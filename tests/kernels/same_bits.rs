//! Random kernels compute the same bits in the interpreter and as machine code.

use tensa::backend::cpu::Cpu;
use tensa::backend::cpu::call::Buffer;
use tensa::backend::cpu::jit::CompiledKernel;
use tensa::backend::cpu::pool::Pool;
use tensa::backend::interp::kernel::{Launch, run};
use tensa::kernel::ir::{Access, BufArg, Elem};
use tensa::kernel::{extent, parse, verify};

use super::random::{Case, case};

/// Two words agree: to the bit, or as NaN.
fn agree(a: u32, b: u32, int: bool) -> bool {
    a == b || (!int && f32::from_bits(a).is_nan() && f32::from_bits(b).is_nan())
}

/// The same for elements of two words.
fn agree_wide(a: &[u32], b: &[u32], int: bool) -> bool {
    let number = |words: &[u32]| f64::from_bits(u64::from(words[0]) | u64::from(words[1]) << 32);
    a == b || (!int && number(a).is_nan() && number(b).is_nan())
}

fn check(case: &Case, code: &CompiledKernel, pools: &mut [Pool], name: &str) {
    let mut want = case.bufs.clone();
    run(&case.kernel, &Launch::whole(&case.kernel, &case.sizes, &case.scalars), &mut want[..]);
    for pool in pools {
        let mut got = case.bufs.clone();
        let mut buffers: Vec<Buffer<'_>> = got
            .iter_mut()
            .zip(&case.kernel.bufs)
            .map(|(words, access)| match access {
                Access::Read => Buffer::Read(words),
                Access::Write | Access::Update => Buffer::Write(words),
            })
            .collect();
        code.call(pool, &mut buffers, &case.sizes, &case.scalars).unwrap();
        for (buf, (want, got)) in want.iter().zip(&got).enumerate() {
            let off = match case.kernel.wide.buf(BufArg(buf as u16)) {
                Elem::Word => want.iter().zip(got).position(|(want, got)| !agree(*want, *got, case.ints[buf])),
                Elem::Wide => {
                    let pairs = want.chunks_exact(2).zip(got.chunks_exact(2));
                    pairs
                        .map(|(want, got)| agree_wide(want, got, case.ints[buf]))
                        .position(|same| !same)
                        .map(|at| 2 * at)
                }
            };
            if let Some(at) = off {
                let (want, got) = (want[at], got[at]);
                panic!(
                    "{name}, {} threads: b{buf}[{at}] is {got:#x} ({:?}), not {want:#x} ({:?})\nsizes {:?} scalars {:x?}\n{}",
                    pool.threads(),
                    f32::from_bits(got),
                    f32::from_bits(want),
                    case.sizes,
                    case.scalars,
                    case.kernel
                );
            }
        }
    }
}

fn check_all(cases: Vec<Case>, threads: &[usize], name: &str) {
    let cpu = Cpu::new(1).unwrap();
    let mut pools: Vec<Pool> = threads.iter().map(|threads| Pool::new(*threads)).collect();
    for (batch, cases) in cases.chunks(64).enumerate() {
        for (at, case) in cases.iter().enumerate() {
            let name = || format!("{name} {}", 64 * batch + at);
            let len = |(buf, words): (usize, &Vec<u32>)| words.len() / case.kernel.wide.buf(BufArg(buf as u16)).words();
            let lens: Vec<usize> = case.bufs.iter().enumerate().map(len).collect();
            let held = verify::kernel(&case.kernel).and_then(|()| extent::check(&case.kernel, &case.sizes, &lens));
            assert_eq!(held, Ok(()), "{}\nsizes {:?} lens {lens:?}\n{}", name(), case.sizes, case.kernel);
            let text = case.kernel.to_string();
            let read = parse::kernel(&text).unwrap_or_else(|fault| panic!("{}: {fault}\n{text}", name()));
            assert_eq!(read, case.kernel, "{}\n{text}", name());
            assert_eq!(read.to_string(), text);
        }
        let kernels: Vec<_> = cases.iter().map(|case| case.kernel.clone()).collect();
        let code = cpu.kernels(&kernels).unwrap();
        for (at, (case, code)) in cases.iter().zip(&code).enumerate() {
            check(case, code, &mut pools, &format!("{name} {}", 64 * batch + at));
        }
    }
}

#[test]
fn two_thousand_random_kernels() {
    check_all((0..2000).map(|seed| case(seed, false, false)).collect(), &[1], "kernel");
}

#[test]
fn random_kernels_on_any_number_of_threads() {
    check_all((5000..5120).map(|seed| case(seed, true, false)).collect(), &[1, 2, 3, 7], "large kernel");
}

#[test]
fn two_thousand_random_kernels_of_both_widths() {
    check_all((10_000..12_000).map(|seed| case(seed, false, true)).collect(), &[1], "wide kernel");
}

#[test]
fn random_kernels_of_both_widths_on_any_number_of_threads() {
    check_all((15_000..15_060).map(|seed| case(seed, true, true)).collect(), &[1, 2, 3, 7], "large wide kernel");
}
