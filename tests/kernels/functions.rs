//! Kernels that programs are made of, and the expansions as machine code.

use tensa::backend::cpu::Cpu;
use tensa::backend::cpu::call::Buffer;
use tensa::backend::cpu::pool::Pool;
use tensa::ir::expand::{self, Emit, Evaluate};
use tensa::ir::scalar::{Bin, Cc, Comb, ScalarTy, Un};
use tensa::kernel::BodyBuilder;
use tensa::kernel::ir::{
    Access, Affine, Body, BufArg, Coef, Dst, Kernel, Phase, RowBuf, ScalarArg, SizeArg, Slot, V, Wide,
};

use super::random::Rng;

/// `Σ grid · index + row · i`, all known.
pub fn at(grid: &[i64], row: i64) -> Affine {
    let grid = grid.iter().map(|stride| Coef::Const(*stride)).collect();
    Affine { base: Coef::Const(0), grid, row: Coef::Const(row), fold: Coef::Const(0) }
}

pub fn kernel(grid: Vec<Coef>, row: Coef, phases: Vec<Phase>, bufs: Vec<Access>) -> Kernel {
    let slots = phases.iter().map(|phase| match phase {
        Phase::Reduce { acc, .. } => acc.len(),
        Phase::Scalar(body) => body.stores.iter().filter(|(dst, _)| matches!(dst, Dst::Slot(_))).count(),
        Phase::Map(_) | Phase::Fold { .. } => 0,
    });
    let slots = slots.sum::<usize>() as u16;
    Kernel { grid, row, phases, rowbufs: 0, slots, bufs, scalars: vec![], sizes: 0, wide: Wide::default() }
}

/// One value from one element of each of some buffers, the last one written.
pub fn elementwise(row: Coef, inputs: u16, function: impl Fn(&mut BodyBuilder, &[V]) -> V) -> Kernel {
    let mut b = BodyBuilder::new(&[]);
    let loads: Vec<V> = (0..inputs).map(|buf| b.load(BufArg(buf), at(&[], 1))).collect();
    let y = function(&mut b, &loads);
    b.store(Dst::Buf(BufArg(inputs), at(&[], 1)), y);
    let mut bufs = vec![Access::Read; usize::from(inputs)];
    bufs.push(Access::Write);
    let mut kernel = kernel(vec![], row, vec![Phase::Map(b.finish(&mut []))], bufs);
    kernel.sizes = u16::from(matches!(row, Coef::Size(_)));
    kernel
}

fn body(make: impl FnOnce(&mut BodyBuilder) -> Vec<V>) -> (Body, Vec<V>) {
    let mut b = BodyBuilder::new(&[]);
    let mut roots = make(&mut b);
    (b.finish(&mut roots), roots)
}

/// Rows of `classes`: the softmax of each, with the exponentials kept in a row of scratch.
pub fn softmax(classes: i64) -> Kernel {
    let row = |b: &mut BodyBuilder| b.load(BufArg(0), at(&[classes], 1));
    let (most, roots) = body(|b| vec![row(b)]);
    let most = Phase::Reduce { body: most, acc: vec![(Comb::Max, roots[0], Slot(0))] };
    let (powers, roots) = body(|b| {
        let (x, top) = (row(b), b.slot(Slot(0)));
        let x = b.sub(x, top);
        let e = expand::exp(b, x);
        b.store(Dst::Row(RowBuf(0)), e);
        vec![e]
    });
    let powers = Phase::Reduce { body: powers, acc: vec![(Comb::Sum, roots[0], Slot(1))] };
    let (scale, _) = body(|b| {
        let (one, sum) = (b.f32(1.0), b.slot(Slot(1)));
        let inverse = b.div(one, sum);
        b.store(Dst::Slot(Slot(2)), inverse);
        vec![]
    });
    let (result, _) = body(|b| {
        let (e, inverse) = (b.row(RowBuf(0)), b.slot(Slot(2)));
        let y = b.mul(e, inverse);
        b.store(Dst::Buf(BufArg(1), at(&[classes], 1)), y);
        vec![]
    });
    let phases = vec![most, powers, Phase::Scalar(scale), Phase::Map(result)];
    let bufs = vec![Access::Read, Access::Write];
    let rows = Coef::Size(SizeArg(0));
    Kernel { rowbufs: 1, sizes: 1, ..kernel(vec![rows], Coef::Const(classes), phases, bufs) }
}

/// `tile + bias`, then the larger of that and 0: an epilogue over `[batch, m]` rows of `n`. With
/// `normed`, each row is divided by the sum of its elements and 1, which needs whole rows.
pub fn bias_relu(n: i64, m: SizeArg, normed: bool) -> Kernel {
    let stored = |b: &mut BodyBuilder| {
        let (x, bias, zero) = (b.tile(), b.load(BufArg(0), at(&[0, 0], 1)), b.f32(0.0));
        let x = b.add(x, bias);
        b.bin(Bin::Max, x, zero)
    };
    // One batch entry: the row of the result is the second position of the grid.
    let result = Dst::Buf(BufArg(1), at(&[0, n], 1));
    let grid = vec![Coef::Const(1), Coef::Size(m)];
    let bufs = vec![Access::Read, Access::Write];
    let phases = if normed {
        let (sum, roots) = body(|b| vec![stored(b)]);
        let sum = Phase::Reduce { body: sum, acc: vec![(Comb::Sum, roots[0], Slot(0))] };
        let (divided, _) = body(|b| {
            let (x, sum, one) = (stored(b), b.slot(Slot(0)), b.f32(1.0));
            let sum = b.add(sum, one);
            let y = b.div(x, sum);
            b.store(result, y);
            vec![]
        });
        vec![sum, Phase::Map(divided)]
    } else {
        let (one, _) = body(|b| {
            let y = stored(b);
            b.store(result, y);
            vec![]
        });
        vec![Phase::Map(one)]
    };
    Kernel { sizes: 1, ..kernel(grid, Coef::Const(n), phases, bufs) }
}

/// `p -= rate · Σ_k x[k, i]`: a fold over rows, then an update in place.
pub fn column_sums_update(n: i64) -> Vec<Kernel> {
    let mut b = BodyBuilder::new(&[]);
    let row = Affine { fold: Coef::Const(n), ..at(&[], 1) };
    let mut x = [b.load(BufArg(0), row)];
    let folded = Phase::Fold {
        over: Coef::Size(SizeArg(0)),
        body: b.finish(&mut x),
        acc: vec![(Comb::Sum, x[0], Dst::Buf(BufArg(1), at(&[], 1)))],
    };
    let fold = Kernel { sizes: 1, ..kernel(vec![], Coef::Const(n), vec![folded], vec![Access::Read, Access::Write]) };
    let mut b = BodyBuilder::new(&[ScalarTy::F32]);
    let (p, g, rate) = (b.load(BufArg(1), at(&[], 1)), b.load(BufArg(0), at(&[], 1)), b.arg(ScalarArg(0)));
    let rate = b.un(Un::Neg, rate);
    let p = b.fma(rate, g, p);
    b.store(Dst::Buf(BufArg(1), at(&[], 1)), p);
    let update = Phase::Map(b.finish(&mut []));
    let update = Kernel {
        scalars: vec![ScalarTy::F32],
        ..kernel(vec![], Coef::Const(n), vec![update], vec![Access::Read, Access::Update])
    };
    vec![fold, update]
}

/// Random words of `(seed, site, step)`: uniform where the element is even, normal where it is odd.
pub fn noise(n: Coef) -> Kernel {
    let mut b = BodyBuilder::new(&[ScalarTy::I32; 4]);
    let index = b.index(at(&[], 1));
    let [low, high, step, site] = [0, 1, 2, 3].map(|arg| b.arg(ScalarArg(arg)));
    let zero = b.i32(0);
    let word = expand::philox(&mut b, [index, site, step, zero], [low, high]);
    let (uniform, normal) = (expand::uniform(&mut b, word), expand::normal(&mut b, word));
    let last = b.with(Bin::And, index, 1);
    let even = b.cmp(Cc::Eq, last, zero);
    let y = b.sel(even, uniform, normal);
    b.store(Dst::Buf(BufArg(0), at(&[], 1)), y);
    let phases = vec![Phase::Map(b.finish(&mut []))];
    Kernel { scalars: vec![ScalarTy::I32; 4], sizes: 1, ..kernel(vec![], n, phases, vec![Access::Write]) }
}

/// Every expansion is, as machine code, what the reference computes: for odd numbers and many others.
#[test]
fn expansions_as_machine_code() {
    type Function = (&'static str, fn(&mut BodyBuilder, &[V]) -> V, fn(&[u32]) -> u64);
    fn word(bits: u32) -> (u64, ScalarTy) {
        (u64::from(bits), ScalarTy::F32)
    }
    let functions: [Function; 8] = [
        ("exp", |b, x| expand::exp(b, x[0]), |x| expand::exp(&mut Evaluate, word(x[0])).0),
        ("log", |b, x| expand::log(b, x[0]), |x| expand::log(&mut Evaluate, word(x[0])).0),
        ("tanh", |b, x| expand::tanh(b, x[0]), |x| expand::tanh(&mut Evaluate, word(x[0])).0),
        ("erf", |b, x| expand::erf(b, x[0]), |x| expand::erf(&mut Evaluate, word(x[0])).0),
        ("sin", |b, x| expand::sin(b, x[0]), |x| expand::sin(&mut Evaluate, word(x[0])).0),
        ("cos", |b, x| expand::cos(b, x[0]), |x| expand::cos(&mut Evaluate, word(x[0])).0),
        ("bf16", |b, x| expand::bf16(b, x[0]), |x| expand::bf16(&mut Evaluate, word(x[0])).0),
        ("pow", |b, x| expand::pow(b, x[0], x[1]), |x| expand::pow(&mut Evaluate, word(x[0]), word(x[1])).0),
    ];
    let mut rng = Rng::new(0);
    let n = 40_003;
    let wide: Vec<u32> = (0..n).map(|_| rng.float()).collect();
    let near: Vec<u32> = (0..n).map(|_| (rng.word() as i32 as f32 * 3e-9).to_bits()).collect();
    let (mut pool, cpu) = (Pool::new(2), Cpu::new(1).unwrap());
    for (name, make, reference) in functions {
        let kernel = elementwise(Coef::Size(SizeArg(0)), 2, make);
        let code = cpu.kernels(&[kernel]).unwrap().remove(0);
        for (x, y) in [(&wide, &near), (&near, &wide), (&near, &near)] {
            let mut got = vec![0; n];
            let mut buffers = [Buffer::Read(x), Buffer::Read(y), Buffer::Write(&mut got)];
            code.call(&mut pool, &mut buffers, &[n as i64], &[]).unwrap();
            for i in 0..n {
                let want = reference(&[x[i], y[i]]) as u32;
                let nan = f32::from_bits(want).is_nan() && f32::from_bits(got[i]).is_nan();
                let [a, b] = [x[i], y[i]].map(f32::from_bits);
                assert!(got[i] == want || nan, "{name}({a:?}, {b:?}): {:#x} {want:#x}", got[i]);
            }
        }
    }
}
