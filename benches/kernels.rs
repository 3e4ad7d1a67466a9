//! How fast kernels run, against the machine and against plain Rust loops: `cargo bench --bench kernels`.
//!
//! Medians of wall time. GB/s counts each word read and written once; GFLOP/s counts a fused
//! multiply-add as two. Needs a quiet machine: threads spin.

use std::hint::black_box;
use std::time::{Duration, Instant};

use tensa::backend::cpu::Cpu;
use tensa::backend::cpu::call::Buffer;
use tensa::backend::cpu::jit::{CompiledKernel, Compiler};
use tensa::backend::cpu::pool::Pool;
use tensa::ir::expand::{self, Emit};
use tensa::ir::scalar::{Bin, Comb};
use tensa::ir::{Dim, InputId, Role};
use tensa::kernel::BodyBuilder;
use tensa::kernel::ir::{
    Access, Affine, BufArg, BufId, Buffer as ProgramBuffer, Coef, Dst, Elem, Kernel, KernelId, Launch, Matrix, Phase,
    Place, Program, RowBuf, SizeArg, Slot, Step, V, Wide,
};
use tensa::runtime::{Env, Executable, Input, Store};

/// One value from another.
type Function = fn(&mut BodyBuilder, V) -> V;

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu = Cpu::new(threads).expect("a compiler for this machine");
    println!("{threads} threads\n");
    compile_time();
    for threads in [1, threads] {
        let mut pool = Pool::new(threads);
        println!("\n{threads} thread(s)");
        fork_join(&mut pool);
        elementwise(&cpu, &mut pool);
        rows(&cpu, &mut pool);
    }
    for threads in [1, threads] {
        println!("\n{threads} thread(s)");
        contractions(threads);
    }
}

/// The median time of a call.
fn median(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut times = Vec::new();
    call();
    while times.len() < 9 || (start.elapsed() < Duration::from_millis(250) && times.len() < 100_000) {
        let start = Instant::now();
        call();
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn numbers(count: usize, seed: usize) -> Vec<u32> {
    (0..count).map(|at| (((at * 7919 + seed * 104_729) % 10_007) as f32 / 2500.0 - 2.0).to_bits()).collect()
}

fn affine(grid: &[i64], row: i64) -> Affine {
    let grid = grid.iter().map(|stride| Coef::Const(*stride)).collect();
    Affine { base: Coef::Const(0), grid, row: Coef::Const(row), fold: Coef::Const(0) }
}

fn kernel(grid: Vec<Coef>, row: Coef, phases: Vec<Phase>, bufs: Vec<Access>, slots: u16, rowbufs: u16) -> Kernel {
    Kernel { grid, row, phases, rowbufs, slots, bufs, scalars: vec![], sizes: 1, wide: Wide::default() }
}

fn gelu(b: &mut BodyBuilder, x: V) -> V {
    let (third, one, scale, half) = (b.f32(0.044_715), b.f32(1.0), b.f32(0.797_884_6), b.f32(0.5));
    let square = b.mul(x, x);
    let inner = b.fma(square, third, one);
    let inner = b.mul(inner, x);
    let inner = b.mul(inner, scale);
    let t = expand::tanh(b, inner);
    let t = b.add(t, one);
    let x = b.mul(x, half);
    b.mul(x, t)
}

/// `f(x * w + b) + x`
fn pointwise(f: impl Fn(&mut BodyBuilder, V) -> V) -> Kernel {
    let mut b = BodyBuilder::new(&[]);
    let [x, w, bias] = [0, 1, 2].map(|buf| b.load(BufArg(buf), affine(&[], 1)));
    let y = b.fma(x, w, bias);
    let y = f(&mut b, y);
    let y = b.add(y, x);
    b.store(Dst::Buf(BufArg(3), affine(&[], 1)), y);
    let bufs = vec![Access::Read, Access::Read, Access::Read, Access::Write];
    kernel(vec![], Coef::Size(SizeArg(0)), vec![Phase::Map(b.finish(&mut []))], bufs, 0, 0)
}

fn relu(b: &mut BodyBuilder, x: V) -> V {
    let zero = b.f32(0.0);
    b.bin(Bin::Max, x, zero)
}

fn softmax(classes: i64) -> Kernel {
    let mut b = BodyBuilder::new(&[]);
    let mut v = [b.load(BufArg(0), affine(&[classes], 1))];
    let most = Phase::Reduce { body: b.finish(&mut v), acc: vec![(Comb::Max, v[0], Slot(0))] };
    let mut b = BodyBuilder::new(&[]);
    let (x, top) = (b.load(BufArg(0), affine(&[classes], 1)), b.slot(Slot(0)));
    let x = b.sub(x, top);
    let mut v = [expand::exp(&mut b, x)];
    b.store(Dst::Row(RowBuf(0)), v[0]);
    let powers = Phase::Reduce { body: b.finish(&mut v), acc: vec![(Comb::Sum, v[0], Slot(1))] };
    let mut b = BodyBuilder::new(&[]);
    let (e, sum, one) = (b.row(RowBuf(0)), b.slot(Slot(1)), b.f32(1.0));
    let inverse = b.div(one, sum);
    let y = b.mul(e, inverse);
    b.store(Dst::Buf(BufArg(1), affine(&[classes], 1)), y);
    let phases = vec![most, powers, Phase::Map(b.finish(&mut []))];
    kernel(vec![Coef::Size(SizeArg(0))], Coef::Const(classes), phases, vec![Access::Read, Access::Write], 2, 1)
}

fn sums(columns: bool, row: i64) -> Kernel {
    let mut b = BodyBuilder::new(&[]);
    let bufs = vec![Access::Read, Access::Write];
    if columns {
        let mut v = [b.load(BufArg(0), Affine { fold: Coef::Const(row), ..affine(&[], 1) })];
        let (over, body) = (Coef::Size(SizeArg(0)), b.finish(&mut v));
        let fold = Phase::Fold { over, body, acc: vec![(Comb::Sum, v[0], Dst::Buf(BufArg(1), affine(&[], 1)))] };
        return kernel(vec![], Coef::Const(row), vec![fold], bufs, 0, 0);
    }
    let mut v = [b.load(BufArg(0), affine(&[row], 1))];
    let reduce = Phase::Reduce { body: b.finish(&mut v), acc: vec![(Comb::Sum, v[0], Slot(0))] };
    let mut b = BodyBuilder::new(&[]);
    let sum = b.slot(Slot(0));
    b.store(Dst::Buf(BufArg(1), affine(&[1], 0)), sum);
    let phases = vec![reduce, Phase::Scalar(b.finish(&mut []))];
    kernel(vec![Coef::Size(SizeArg(0))], Coef::Const(row), phases, bufs, 1, 0)
}

fn compile_time() {
    let kernels: Vec<std::sync::Arc<Kernel>> = (0..30)
        .map(|at| {
            std::sync::Arc::new(match at % 3 {
                0 => softmax(10 + at),
                1 => sums(false, 10 + at),
                _ => pointwise(|b, x| {
                    let y = gelu(b, x);
                    let c = b.f32(at as f32);
                    b.add(y, c)
                }),
            })
        })
        .collect();
    let start = Instant::now();
    let code = Compiler::new().and_then(|compiler| compiler.compile(&kernels)).expect("kernels compile");
    println!("30 kernels, cold: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
    drop(code);
    let time = median(|| drop(black_box(Compiler::new().and_then(|compiler| compiler.compile(&kernels)))));
    println!("30 kernels, warm: {:.1} ms", time * 1e3);
}

fn fork_join(pool: &mut Pool) {
    let time = median(|| (0..100).for_each(|_| pool.run(2, &|_, _| {})));
    println!("fork and join: {:.2} µs", time * 1e6 / 100.0);
}

fn call(code: &CompiledKernel, pool: &mut Pool, buffers: &mut [Buffer<'_>], size: usize) {
    code.call(pool, buffers, &[size as i64], &[]).expect("a call that fits");
}

fn elementwise(cpu: &Cpu, pool: &mut Pool) {
    let kernels = [pointwise(relu), pointwise(gelu)];
    let code = cpu.kernels(&kernels).expect("kernels compile");
    for (name, code) in ["relu(x*w+b)+x", "gelu(x*w+b)+x"].iter().zip(&code) {
        for count in [2048, 32 << 10, 16 << 20] {
            let [x, w, b] = [1, 2, 3].map(|seed| numbers(count, seed));
            let mut y = vec![0; count];
            let time = median(|| {
                let mut buffers = [Buffer::Read(&x), Buffer::Read(&w), Buffer::Read(&b), Buffer::Write(&mut y)];
                call(code, pool, &mut buffers, count);
            });
            let rate = |time: f64| (count as f64 / time * 1e-9, 16.0 * count as f64 / time * 1e-9);
            let (elements, bytes) = rate(time);
            print!("{name} {count:>9}: {elements:6.2} G/s {bytes:6.1} GB/s");
            if pool.threads() == 1 {
                let floats = |words: &[u32]| words.iter().map(|word| f32::from_bits(*word)).collect::<Vec<f32>>();
                let (x, w, b) = (floats(&x), floats(&w), floats(&b));
                let mut y = vec![0f32; count];
                let relu = name.starts_with("relu");
                let time =
                    median(|| if relu { plain_relu(&x, &w, &b, &mut y) } else { plain_gelu(&x, &w, &b, &mut y) });
                black_box(&y);
                print!("   plain loop {:6.2} G/s", rate(time).0);
            }
            println!();
        }
    }
}

#[inline(never)]
fn plain_relu(x: &[f32], w: &[f32], b: &[f32], y: &mut [f32]) {
    for (((y, x), w), b) in y.iter_mut().zip(x).zip(w).zip(b) {
        *y = (x * w + b).max(0.0) + x;
    }
}

#[inline(never)]
fn plain_gelu(x: &[f32], w: &[f32], b: &[f32], y: &mut [f32]) {
    for (((y, x), w), b) in y.iter_mut().zip(x).zip(w).zip(b) {
        let z = x * w + b;
        *y = 0.5 * z * (1.0 + (0.797_884_6 * z * (1.0 + 0.044_715 * z * z)).tanh()) + x;
    }
}

fn rows(cpu: &Cpu, pool: &mut Pool) {
    let row = 1024;
    let kernels = [softmax(row), sums(false, row), sums(true, row)];
    let code = cpu.kernels(&kernels).expect("kernels compile");
    for (name, code) in ["softmax", "row sums", "column sums"].iter().zip(&code) {
        for count in [32usize, 4096] {
            let words = count * row as usize;
            let x = numbers(words, 1);
            let mut y = vec![0; words];
            let time = median(|| call(code, pool, &mut [Buffer::Read(&x), Buffer::Write(&mut y)], count));
            let bytes = if *name == "softmax" { 8.0 } else { 4.0 } * words as f64;
            println!(
                "{name} {count}x{row}: {:.3} ms {:6.2} G/s {:6.1} GB/s",
                time * 1e3,
                words as f64 / time * 1e-9,
                bytes / time * 1e-9
            );
        }
    }
}

/// A contraction alone, or with a bias and a function on the finished tile.
fn contraction(m: i64, k: i64, n: i64, transposed: bool, epilogue: Option<Function>) -> Program {
    let known = Dim::constant;
    let buffer = |len: i64, place| ProgramBuffer { len: known(len), elem: Elem::Word, place };
    let matrix = |buf, row: i64, col: i64| Matrix {
        buf: BufId(buf),
        row_stride: known(row),
        col_stride: known(col),
        batch_strides: Vec::new(),
        offset: known(0),
    };
    let mut program = Program {
        buffers: vec![
            buffer(m * k, Place::Input(InputId(0))),
            buffer(k * n, Place::Input(InputId(1))),
            buffer(n, Place::Input(InputId(2))),
            buffer(m * n, Place::Result(Role::Loss)),
        ],
        ..Program::default()
    };
    let then = epilogue.map(|function| {
        let mut b = BodyBuilder::new(&[]);
        let (x, bias) = (b.tile(), b.load(BufArg(0), affine(&[0, 0], 1)));
        let x = b.add(x, bias);
        let y = function(&mut b, x);
        b.store(Dst::Buf(BufArg(1), affine(&[0, n], 1)), y);
        let phases = vec![Phase::Map(b.finish(&mut []))];
        let grid = vec![Coef::Const(1), Coef::Const(m)];
        let bufs = vec![Access::Read, Access::Write];
        program.kernels.push(Kernel { sizes: 0, ..kernel(grid, Coef::Const(n), phases, bufs, 0, 0) });
        Launch { kernel: KernelId(0), bufs: vec![BufId(2), BufId(3)], scalars: vec![], sizes: vec![] }
    });
    program.steps.push(Step::Gemm {
        batch: Vec::new(),
        dims: [known(m), known(n), known(k)],
        a: matrix(0, k, 1),
        b: if transposed { matrix(1, 1, k) } else { matrix(1, n, 1) },
        c: then.is_none().then(|| matrix(3, n, 1)),
        epilogue: then,
    });
    program
}

fn contractions(threads: usize) {
    for (m, k, n) in [(256, 784, 2048), (32, 784, 64), (768, 128, 512), (1024, 1024, 1024)] {
        for transposed in [false, true] {
            print!("{m}x{k}x{n} {}:", if transposed { "NT" } else { "NN" });
            let variants: [(&str, Option<Function>); 3] =
                [("plain", None), ("bias+relu", Some(relu)), ("bias+gelu", Some(gelu))];
            for (name, epilogue) in variants {
                let cpu = Cpu::new(threads).expect("a compiler for this machine");
                let program = contraction(m, k, n, transposed, epilogue);
                let mut executable = Executable::new(program, &cpu).expect("a program that compiles");
                let mut store = Store::new(&[], &[]).expect("no memory at all");
                let (a, b, bias) = (numbers((m * k) as usize, 1), numbers((k * n) as usize, 2), numbers(n as usize, 3));
                let inputs = [Input::Bits(&a), Input::Bits(&b), Input::Bits(&bias)];
                let env = Env { inputs: &inputs, sizes: &[], seed: 0, step: 1, steps_per_epoch: 1 };
                let time = median(|| drop(executable.run(&env, &mut store).expect("a step that runs")));
                print!("  {name} {:5.0} GFLOP/s", 2.0 * (m * k * n) as f64 / time * 1e-9);
            }
            println!();
        }
    }
}
