//! Numbers of narrow dtypes, as machine code has them, against those of the crate `half` and of Rust.

use half::{bf16, f16};
use tensa::backend::cpu::Cpu;
use tensa::backend::interp::Interp;
use tensa::backend::interp::graph;
use tensa::driver;
use tensa::ir::{DType, Graph, Role};
use tensa::ops::Op;

use super::random_graphs::{given_for, program};
use crate::support::{stages, steps};

const ROWS: usize = 257;

/// The elements of the predictions of a program of two columns, by name: of the machine code, which are those of the
/// interpreter of kernels.
fn predicted(body: &str, names: &[&str]) -> (Vec<[f32; 2]>, Vec<Vec<f64>>) {
    let fields: Vec<String> = names.iter().map(|name| format!("{name}: out.{name}")).collect();
    let text = format!(
        "data D = synthetic(400) {{\n  a = random.normal[batch]\n  b = random.normal[batch]\n  batch = {ROWS}\n}}\n\
         fn all(a: [batch], b: [batch]) {{\n{body}\n}}\n\
         model Net(a: [batch]) -> [batch] {{\n  param w[] ~ zeros\n  a * w\n}}\n\
         train Net on D {{\n  let out = all(a, b)\n  predict = {{ {} }}\n  loss = mean(Net(a)^2)\n  \
         optimizer = SGD(lr = 0.1)\n  epochs = 1\n}}\n",
        fields.join(", ")
    );
    let (_, checked) = stages::check(&text);
    assert!(!checked.diagnostics.has_errors(), "{text}\n{:#?}", checked.diagnostics);
    let train = &checked.program.trains[0];
    let lowered = driver::stages(&checked.program, train, false).lowered;
    let graph = driver::forward(&lowered.prediction.expect("what is predicted"), train.settings.precision);
    let mut given = steps::rounded(given_for(&graph, ROWS as i64, 5).expect("sizes in range"));
    for (value, scale) in given.inputs.iter_mut().zip([300.0, 2.0]) {
        value.data.iter_mut().for_each(|x| *x = f64::from((*x * scale) as f32));
    }
    let program = program("dtypes", &graph);
    let kernels = steps::run(&graph, &program, &Interp, &given).unwrap();
    let code = steps::run(&graph, &program, &Cpu::new(2).unwrap(), &given).unwrap();
    assert!(kernels == code);
    let reference = graph::run(&graph, &given).unwrap();
    let of = |name: &str| -> Vec<f64> {
        let role = Role::Predict(name.to_owned());
        let at = graph.outputs.iter().position(|output| output.role == role).expect(name);
        let dtype = graph.ty(graph.outputs[at].node).dtype;
        let words = steps::elements(&code[at].1, dtype);
        // The reference computes in f64, which holds what f32 holds: rounded to 16 bits both are the same.
        let same = |(x, y): (&f64, &f64)| *x == f64::from(*y as f32) || x.is_nan() && y.is_nan();
        let (_, value) = reference.iter().find(|(known, _)| *known == role).expect(name);
        assert!(words.iter().zip(value.data.iter()).all(same), "{name}");
        words
    };
    let columns = (0..ROWS).map(|row| [0, 1].map(|at| given.inputs[at].data[row] as f32)).collect();
    (columns, names.iter().map(|name| of(name)).collect())
}

#[test]
fn halves_are_those_of_half() {
    let names = ["sum", "product", "quotient", "root", "least", "floor", "cut"];
    let (columns, found) = predicted(
        "  let x = f16(a)\n  let y = f16(b)\n  { sum: x + y, product: x * y, quotient: x / y, root: sqrt(x), least: min(x, y), floor: x // y, cut: min(x, 0.1) }",
        &names,
    );
    for (row, [a, b]) in columns.into_iter().enumerate() {
        let (x, y) = (f16::from_f32(a), f16::from_f32(b));
        let floor = f16::from_f32((x.to_f32() / y.to_f32()).floor());
        let root = f16::from_f32(x.to_f32().sqrt());
        for (at, want) in
            [x + y, x * y, x / y, root, x.min(y), floor, x.min(f16::from_f32(0.1))].into_iter().enumerate()
        {
            let got = found[at][row];
            assert!(
                got == want.to_f64() || got.is_nan() && want.is_nan(),
                "{}({x}, {y}): {got}, not {want}",
                names[at]
            );
        }
    }
}

#[test]
fn bfloats_are_those_of_half() {
    let names = ["sum", "product", "quotient", "scaled", "mixed"];
    let (columns, found) = predicted(
        "  let x = bf16(a)\n  let y = bf16(b)\n  { sum: x + y, product: x * y, quotient: x / y, scaled: 0.1 * x, mixed: x + b }",
        &names,
    );
    for (row, [a, b]) in columns.into_iter().enumerate() {
        let (x, y) = (bf16::from_f32(a), bf16::from_f32(b));
        let scaled = bf16::from_f32(0.1 * x.to_f32());
        let all = [x + y, x * y, x / y, scaled].map(|value| value.to_f64());
        for (at, want) in all.into_iter().chain([f64::from(x.to_f32() + b)]).enumerate() {
            assert_eq!(found[at][row], want, "{}({x}, {y})", names[at]);
        }
    }
}

#[test]
fn whole_numbers_are_cut_to_what_there_is() {
    let names = ["byte", "small", "int", "again"];
    let (columns, found) = predicted("  { byte: u8(a), small: i8(a), int: i32(b), again: u8(i32(a)) }", &names);
    for (row, [a, b]) in columns.into_iter().enumerate() {
        let want = [f64::from(a as u8), f64::from(a as i8), f64::from(b as i32), f64::from((a as i32).clamp(0, 255))];
        for (at, want) in want.into_iter().enumerate() {
            assert_eq!(found[at][row], want, "{} of {a}, {b}", names[at]);
        }
    }
}

/// Layers on f64: their values are those of the reference to the digits of f64, and a step of training is the same bits
/// as machine code and as the interpreter of kernels.
#[test]
fn layers_compute_in_f64() {
    let cpu = Cpu::new(2).unwrap();
    for (columns, signature, body) in [
        (
            "x = random.normal[batch, f: 16]",
            "x: [batch, f]",
            "x |> Dense(d: 16, gelu) |> LayerNorm |> Dense(d: 8, silu) |> softplus",
        ),
        (
            "x = random.normal[batch, f: 9]",
            "x: [batch, f]",
            "sort[f](x).value |> cumsum[f] |> Dense(d: 4) |> softmax[d] |> log",
        ),
        (
            "x = random.normal[batch, t: 7, f: 5]",
            "x: [batch, t, f]",
            "(x |> max[t] |> _ ^ 2 |> tanh |> erf |> sin) + cos(prod[t](x)) + logsumexp[t](x)",
        ),
        ("x = random.normal[batch, t: 6, f: 3]", "x: [batch, t, f]", "x |> LSTM(d: 5) |> _[t = -1]"),
        ("x = random.normal[batch, t: 6, f: 3]", "x: [batch, t, f]", "x |> Bidirectional(GRU(4)) |> mean[t]"),
        (
            "x = random.normal[batch, h: 8, w: 8, c: 2]",
            "x: [batch, h, w, c]",
            "x |> Conv(6, k = 3, act = relu) |> MaxPool |> Conv(4, k = 3, stride = 2) |> mean[h, w]",
        ),
        (
            "x = random.normal[batch, t: 24, f: 16]",
            "x: [batch, t, f]",
            "x |> Dense(d: 16) |> TransformerBlock(2) |> mean[t]",
        ),
        (
            "x = random.normal[batch, t: 9, f: 4]",
            "x: [batch, t, f]",
            "sum[t -> s = index[s: 3](3 * abs(sin(pos(t))))](x) |> mean[s]",
        ),
    ] {
        let text = format!(
            "data D = synthetic(40) {{\n  {columns}\n  batch = 6\n}}\nmodel Net({signature}) = x |> f64 |> Inner\n\
             layer Inner({signature}) = {body}\n\
             train Net on D {{\n  predict = Net(x)\n  loss = mean(Net(x)^2)\n  optimizer = Adam(1e-2)\n  clip = norm(1.0)\n  epochs = 1\n}}\n",
        );
        let (_, checked) = stages::check(&text);
        assert!(!checked.diagnostics.has_errors(), "{text}\n{:#?}", checked.diagnostics);
        let train = &checked.program.trains[0];
        let all = driver::stages(&checked.program, train, true);
        let graph = driver::forward(&all.lowered.prediction.expect("what is predicted"), train.settings.precision);
        let given = steps::held(&graph, given_for(&graph, 6, 3).expect("sizes in range"));
        let kernels = steps::run(&graph, &program(body, &graph), &Interp, &given).unwrap();
        let code = steps::run(&graph, &program(body, &graph), &cpu, &given).unwrap();
        assert!(kernels == code, "{body}");
        let dtype = graph.ty(graph.outputs[0].node).dtype;
        assert_eq!(dtype, DType::F64, "{body}");
        let got = steps::elements(&code[0].1, dtype);
        let want = &graph::run(&graph, &given).unwrap()[0].1;
        for (got, want) in got.iter().zip(want.data.iter()) {
            assert!((got - want).abs() <= 1e-11 * want.abs().max(1.0), "{body}: {got}, not {want}");
        }
        let step = &all.passes[0].opt;
        let given = steps::held(step, given_for(step, 6, 4).expect("sizes in range"));
        let kernels = steps::run(step, &program(body, step), &Interp, &given).unwrap();
        let code = steps::run(step, &program(body, step), &cpu, &given).unwrap();
        assert!(kernels == code, "a step of {body}");
    }
}

/// A sum of products of 16 bits is one contraction, summed up in f32 and rounded once.
#[test]
fn sums_of_products_are_rounded_once() {
    let text = "data D = synthetic(40) {\n  x = random.normal[batch, f: 9]\n  batch = 6\n}\n\
                layer Line(out: axis)(x: bf16[.., i]) -> bf16[.., out] {\n  param w: bf16[i, out] ~ normal(1)\n  sum[i](x * w)\n}\n\
                model Net(x: [batch, f]) = x |> bf16 |> Line(k: 4)\n\
                train Net on D {\n  predict = Net(x)\n  loss = mean(Net(x)^2)\n  optimizer = SGD(0.1)\n  epochs = 1\n}\n";
    let (_, checked) = stages::check(text);
    assert!(!checked.diagnostics.has_errors(), "{:#?}", checked.diagnostics);
    let train = &checked.program.trains[0];
    let all = driver::stages(&checked.program, train, true);
    let graph = driver::forward(&all.lowered.prediction.expect("what is predicted"), train.settings.precision);
    let contractions = |graph: &Graph| graph.nodes.iter().filter(|node| matches!(node.op, Op::Contract { .. })).count();
    assert_eq!(contractions(&graph), 1);
    assert_eq!(contractions(&all.passes[0].opt), 2, "the value, and the gradient of the weights");
    let mut given = steps::held(&graph, given_for(&graph, 6, 3).expect("sizes in range"));
    let w = &mut given.params[0].data;
    w.iter_mut().for_each(|w| *w = f64::from(bf16::from_f64(*w)));
    let code = steps::run(&graph, &program("bf16", &graph), &Cpu::new(2).unwrap(), &given).unwrap();
    let got = steps::elements(&code[0].1, DType::F32);
    for (row, out) in (0..6).flat_map(|row| (0..4).map(move |out| (row, out))) {
        let x = |f: usize| bf16::from_f64(given.inputs[0].at(&[row, f])).to_f64();
        let sum: f64 = (0..9).map(|f| x(f) * given.params[0].at(&[f, out])).sum();
        // A sum in f32 and one in f64 may lie on two sides of the middle between two numbers.
        let steps = (got[4 * row + out] - sum).abs() / sum.abs().max(1e-3);
        assert!(steps <= 1.0 / 256.0 + 1e-6, "{row}, {out}: {}, not {sum}", got[4 * row + out]);
        assert_eq!(f64::from(bf16::from_f64(got[4 * row + out])), got[4 * row + out]);
    }
}
