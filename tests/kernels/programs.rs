//! Whole programs: sizes bound at run time, memory planned, both backends to the bit.

use tensa::backend::cpu::Cpu;
use tensa::backend::interp::Interp;
use tensa::backend::{Backend, Stats};
use tensa::base::philox::{philox, uniform};
use tensa::diag::Code;
use tensa::ir::{Dim, InputId, ParamId, Role, SizeId, StateId};
use tensa::kernel::ir::{BufId, Buffer, Coef, Elem, Place, Program, SizeArg};
use tensa::kernel::{parse, verify};
use tensa::runtime::{Env, Executable, Input, Store};

use super::functions::{bias_relu, column_sums_update, noise, softmax};
use super::random::Rng;

const IN: i64 = 20;
const HIDDEN: i64 = 70;
const CLASSES: i64 = 10;

/// Two dense layers, softmax, something like a gradient, an update, noise, an embedding's gradient.
fn program() -> Program {
    let text = "sizes [batch]
host h0 = const 0.5
host h1 = step
host h2 = div h0 h1
host h3 = size batch
host h4 = div h2 h3
buffer m0 [20 * batch] input 0
buffer m1 [batch] input 1
buffer m2 [1400] param 0
buffer m3 [70] param 1
buffer m4 [700] param 2
buffer m5 [10] param 3
buffer m6 [70 * batch] arena
buffer m7 [10 * batch] arena
buffer m8 [10 * batch] result predict \"p\"
buffer m9 [10] arena
buffer m10 [70 * batch] arena
buffer m11 [3 * batch + 2] result value \"noise\"
buffer m12 [350] result value \"segments\"
buffer m13 [10] state 0
buffer m14 [10 * batch] result value \"plain\"
";
    let mut program = parse::program(text).unwrap();
    program.kernels =
        vec![bias_relu(HIDDEN, SizeArg(0), false), bias_relu(CLASSES, SizeArg(0), true), softmax(CLASSES)];
    program.kernels.extend(column_sums_update(CLASSES));
    program.kernels.push(noise(Coef::Size(SizeArg(0))));
    let steps = "
step gemm [1, batch, 70, 20] a m0 [20, 1, 0] b m2 [70, 1, 0] c m10 [70, 1, 0] then k0 (m3, m6; ; batch)
step gemm [1, batch, 10, 70] a m6 [70, 1, 0] b m4 [1, 70, 0] then k1 (m5, m7; ; batch)
step loop k2 (m7, m8; ; batch)
step loop k3 (m8, m9; ; batch)
step copy m9 to m13
step loop k4 (m9, m5; h4; )
step loop k5 (m11; seed, seed_high, step, word 77; 3 * batch + 2)
step segments [batch, 5, 70] index m1 update m10 out m12
step gemm [1, batch, 10, 70] a m6 [70, 1, 0] b m4 [10, 1, 0] c m14 [10, 1, 0]
";
    let text = program.to_string() + steps;
    let program = parse::program(&text).unwrap();
    verify::program(&program).unwrap();
    assert_eq!(parse::program(&program.to_string()).unwrap(), program);
    program
}

fn store() -> Store {
    let mut store = Store::new(&[1400, 70, 700, 10], &[10]).unwrap();
    let mut rng = Rng::new(3);
    for param in 0..4 {
        for word in store.param_mut(ParamId(param)) {
            *word = (rng.word() as i32 as f32 * 2e-10).to_bits();
        }
    }
    store
}

struct Batch {
    x: Vec<f32>,
    labels: Vec<i32>,
}

fn batch(size: usize) -> Batch {
    let mut rng = Rng::new(size as u32 * 2 + 1);
    let x = (0..size * IN as usize).map(|_| rng.word() as i32 as f32 * 4e-10).collect();
    let labels = (0..size).map(|_| rng.below(5) as i32).collect();
    Batch { x, labels }
}

/// Everything a run over some batches leaves: results, parameters, states.
fn run(executable: &mut Executable, sizes: &[usize]) -> Vec<u32> {
    let mut store = store();
    let mut all = Vec::new();
    for (step, size) in sizes.iter().enumerate() {
        let batch = batch(*size);
        let inputs = [Input::F32(&batch.x), Input::I32(&batch.labels)];
        let env = Env {
            inputs: &inputs,
            sizes: &[*size as i64],
            seed: 1 << 40 | 5,
            step: step as u64 + 1,
            steps_per_epoch: 9,
        };
        let results = executable.run(&env, &mut store).unwrap();
        all.extend(results.iter().flat_map(|(_, words)| words.to_vec()));
    }
    all.extend((0..4).flat_map(|param| store.param(ParamId(param)).to_vec()));
    all.extend(store.state(StateId(0)));
    all
}

const SIZES: [usize; 6] = [1, 7, 31, 33, 0, 300];

#[test]
fn both_backends_and_any_number_of_threads_compute_the_same_bits() {
    let mut interp = Executable::new(program(), &Interp).unwrap();
    let want = run(&mut interp, &SIZES);
    assert!(want.iter().filter(|word| **word != 0).count() > 10_000);
    for threads in [1, 2, 3, 7] {
        let cpu = Cpu::new(threads).unwrap();
        let mut executable = Executable::new(program(), &cpu).unwrap();
        let got = run(&mut executable, &SIZES);
        let off = got.iter().zip(&want).position(|(got, want)| got != want);
        assert_eq!(off, None, "{threads} threads");
        assert_eq!(got.len(), want.len());
    }
}

#[test]
fn a_new_size_compiles_nothing_and_equal_kernels_compile_once() {
    let cpu = Cpu::new(2).unwrap();
    let mut executable = Executable::new(program(), &cpu).unwrap();
    let compiled = Stats { compiled: 6 };
    assert_eq!(cpu.stats(), compiled);
    run(&mut executable, &[1, 7, 31, 33, 0]);
    Executable::new(program(), &cpu).unwrap();
    assert_eq!(cpu.stats(), compiled);
}

#[test]
fn results_are_what_the_program_says() {
    let cpu = Cpu::new(2).unwrap();
    let mut executable = Executable::new(program(), &cpu).unwrap();
    let (mut store, size) = (store(), 31);
    let batch = batch(size);
    let inputs = [Input::F32(&batch.x), Input::I32(&batch.labels)];
    let env = Env { inputs: &inputs, sizes: &[31], seed: 9, step: 4, steps_per_epoch: 1 };
    let (before, bias) = (store.param_f32(ParamId(3)), store.param_f32(ParamId(1)));
    let (w1, w2) = (store.param_f32(ParamId(0)), store.param_f32(ParamId(2)));
    let results = executable.run(&env, &mut store).unwrap();
    let predicted = results.f32(&Role::Predict("p".into())).unwrap();
    let noise = results.f32(&Role::Value("noise".into())).unwrap();
    let segments = results.f32(&Role::Value("segments".into())).unwrap();
    assert!(results.get(&Role::Loss).is_none());

    // The same in f64, written down plainly.
    let (inner, hidden, classes) = (IN as usize, HIDDEN as usize, CLASSES as usize);
    let mut column = vec![0.0; classes];
    let mut sums = vec![0.0; 5 * hidden];
    for r in 0..size {
        let dot = |w: &[f32], j: usize| -> f64 {
            (0..inner).map(|l| f64::from(batch.x[r * inner + l]) * f64::from(w[l * hidden + j])).sum()
        };
        let plain: Vec<f64> = (0..hidden).map(|j| dot(&w1, j)).collect();
        for j in 0..hidden {
            sums[batch.labels[r] as usize * hidden + j] += plain[j];
        }
        let h: Vec<f64> = plain.iter().zip(&bias).map(|(x, b)| (x + f64::from(*b)).max(0.0)).collect();
        let z: Vec<f64> = (0..classes)
            .map(|c| (0..hidden).map(|j| h[j] * f64::from(w2[c * hidden + j])).sum::<f64>() + f64::from(before[c]))
            .map(|z| z.max(0.0))
            .collect();
        let total = z.iter().sum::<f64>() + 1.0;
        let powers: Vec<f64> = z.iter().map(|z| (z / total).exp()).collect();
        let total: f64 = powers.iter().sum();
        for c in 0..classes {
            let want = powers[c] / total;
            column[c] += want;
            assert!((f64::from(predicted[r * classes + c]) - want).abs() < 1e-5, "{r},{c}");
        }
    }
    for (got, want) in segments.iter().zip(&sums) {
        assert!((f64::from(*got) - want).abs() < 1e-4, "{got} {want}");
    }
    for (c, (after, before)) in store.param_f32(ParamId(3)).iter().zip(&before).enumerate() {
        let want = f64::from(*before) - 0.5 / 4.0 / 31.0 * column[c];
        assert!((f64::from(*after) - want).abs() < 1e-5, "{c}");
        assert!((f64::from(f32::from_bits(store.state(StateId(0))[c])) - column[c]).abs() < 1e-4);
    }
    assert_eq!(noise.len(), 95);
    for (at, number) in noise.iter().enumerate().step_by(2) {
        assert_eq!(*number, uniform(philox([at as u32, 77, 4, 0], [9, 0])[0]));
    }
}

#[test]
fn buffers_share_room_and_the_use_is_told() {
    let cpu = Cpu::new(1).unwrap();
    let mut executable = Executable::new(program(), &cpu).unwrap();
    let store = store();
    let memory = executable.memory(&[256], &store).unwrap();
    let apart: i64 = [70, 10, 10, 70, 3, 10].iter().map(|each| 4 * 256 * each).sum::<i64>() + 4 * (10 + 2 + 350);
    assert!(memory.arena < apart as u64 - 4 * 256 * 9, "{memory:?} against {apart}");
    assert_eq!(memory.inputs, 4 * 256 * 21);
    assert_eq!(memory.peak(), memory.arena + memory.inputs + memory.params + memory.states);
}

#[test]
fn a_size_out_of_range_is_a_diagnostic() {
    let mut executable = Executable::new(program(), &Interp).unwrap();
    let store = store();
    let code = |sizes: &[i64], executable: &mut Executable| executable.bind(sizes, &store).unwrap_err().code;
    assert_eq!(code(&[-1], &mut executable), Code::E0801);
    assert_eq!(code(&[i64::MAX], &mut executable), Code::E0801);
    assert_eq!(code(&[], &mut executable), Code::E0803);
    assert_eq!(code(&[1 << 55], &mut executable), Code::E0802);
    // A formula below zero.
    let mut broken = program();
    let less = Dim::size(SizeId(0)).sub(&Dim::constant(5)).unwrap();
    broken.buffers.push(Buffer { len: less, elem: Elem::Word, place: Place::Arena });
    let mut executable = Executable::new(broken, &Interp).unwrap();
    let diagnostic = executable.bind(&[3], &store).unwrap_err();
    assert_eq!(diagnostic.code, Code::E0801);
    assert_eq!(diagnostic.message, "the size `batch - 5` is -2");
    assert_eq!(diagnostic.notes, ["known here: batch = 3"]);
}

#[test]
fn what_does_not_fit_is_refused_before_it_runs() {
    let cpu = Cpu::new(1).unwrap();
    let mut executable = Executable::new(program(), &cpu).unwrap();
    let mut store = store();
    let batch = batch(7);
    let env = |inputs: &[Input<'_>], executable: &mut Executable, store: &mut Store| {
        let env = Env { inputs, sizes: &[7], seed: 0, step: 1, steps_per_epoch: 1 };
        executable.run(&env, store).err().map(|diagnostic| diagnostic.code)
    };
    let (x, labels) = (Input::F32(&batch.x), Input::I32(&batch.labels));
    assert_eq!(env(&[x, labels], &mut executable, &mut store), None);
    assert_eq!(env(&[Input::F32(&batch.x[1..]), labels], &mut executable, &mut store), Some(Code::E0803));
    assert_eq!(env(&[x], &mut executable, &mut store), Some(Code::E0803));
    // A buffer that is too short for its kernel.
    let mut short = program();
    short.buffers[6].len = short.buffers[6].len.sub(&Dim::ONE).unwrap();
    let mut executable = Executable::new(short, &cpu).unwrap();
    assert_eq!(executable.bind(&[7], &store).unwrap_err().code, Code::E0803);
    // A parameter of another length.
    let other = Store::new(&[1400, 70, 701, 10], &[10]).unwrap();
    let mut executable = Executable::new(program(), &cpu).unwrap();
    assert_eq!(executable.bind(&[7], &other).unwrap_err().code, Code::E0803);
    // A step that writes an input.
    let mut wrong = program();
    wrong.buffers[13].place = Place::Input(InputId(4));
    assert_eq!(Executable::new(wrong, &cpu).err().map(|diagnostic| diagnostic.code), Some(Code::E0803));
    assert!(matches!(program().steps[4], tensa::kernel::ir::Step::Copy { to: BufId(13), .. }));
}

/// Contractions of any shape and strides agree with f64, and on both backends to the bit.
#[test]
fn contractions_of_any_strides() {
    let shapes =
        [[1, 1, 1, 1], [3, 5, 9, 4], [2, 1, 70, 33], [2, 70, 1, 33], [1, 40, 300, 17], [4, 6, 5, 0], [0, 3, 3, 3]];
    for [batch, m, n, k] in shapes {
        for turned in 0..4 {
            let a = if turned & 1 == 0 { [k, 1, m * k] } else { [1, m, m * k] };
            // One right operand for all entries of the batch.
            let b = if turned & 2 == 0 { [n, 1, 0] } else { [1, k, 0] };
            let c = [n + 3, 1, m * (n + 3) + 1];
            let len = (c[2] * batch).max(1);
            let text = format!(
                "sizes []\nbuffer m0 [{}] input 0\nbuffer m1 [{}] input 1\nbuffer m2 [{len}] result loss\n\
                 step gemm [{batch}, {m}, {n}, {k}] a m0 {a:?} b m1 {b:?} c m2 {c:?}\n",
                batch * m * k,
                k * n
            );
            let mut rng = Rng::new((batch * 1000 + m * 100 + n * 10 + k) as u32 * 2 + 1);
            let mut numbers = |count: i64| -> Vec<f32> { (0..count).map(|_| f32::from_bits(rng.float())).collect() };
            let (x, y) = (numbers(batch * m * k), numbers(k * n));
            let run = |backend: &dyn Backend| {
                let mut executable = Executable::new(parse::program(&text).unwrap(), backend).unwrap();
                let inputs = [Input::F32(&x), Input::F32(&y)];
                let env = Env { inputs: &inputs, sizes: &[], seed: 0, step: 0, steps_per_epoch: 0 };
                let mut store = Store::new(&[], &[]).unwrap();
                let results = executable.run(&env, &mut store).unwrap();
                results.get(&Role::Loss).unwrap().to_vec()
            };
            let want = run(&Interp);
            assert_eq!(run(&Cpu::new(3).unwrap()), want, "{text}");
            for (e, i, j) in (0..batch).flat_map(|e| (0..m).flat_map(move |i| (0..n).map(move |j| (e, i, j)))) {
                let term = |l: i64| {
                    let left = x[(e * a[2] + i * a[0] + l * a[1]) as usize];
                    f64::from(left) * f64::from(y[(l * b[0] + j * b[1]) as usize])
                };
                let sum: f64 = (0..k).map(term).sum();
                let got = f32::from_bits(want[(e * c[2] + i * c[0] + j) as usize]);
                assert!((f64::from(got) - sum).abs() < 1e-4, "{e},{i},{j}: {got} {sum}\n{text}");
            }
        }
    }
}
