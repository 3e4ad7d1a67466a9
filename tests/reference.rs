//! Training steps against PyTorch's: the same parameters, the same batch, ten updates.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use safetensors::{Dtype, SafeTensors};
use tensa::backend::Backend;
use tensa::backend::cpu::Cpu;
use tensa::backend::interp::Interp;
use tensa::backend::interp::graph::Given;
use tensa::driver::{self, Session};
use tensa::ir::{DType, Dim, Graph, ParamId, Role};
use tensa::ops::Value;

use crate::support::{models, steps};

/// How far loss, gradients and the first update may be off, by the norm of the tensor.
const FIRST: f64 = 1e-4;
/// How far the change after ten updates may be off.
const TENTH: f64 = 1e-2;
/// How far a gradient may be off that is ten thousand times smaller than its terms.
const CANCELLED: f64 = 1e-2;
/// How far off where the reference is zero everywhere.
const AT_ZERO: f64 = 1e-7;

/// One model and what stands where.
struct Case {
    name: &'static str,
    /// Our path of a parameter, or of a state of a layer; the name in the reference.
    names: fn() -> Vec<(String, String)>,
    /// The table that the checker reads: its header, and row `r` of it.
    header: fn() -> String,
    row: fn(usize) -> String,
    /// Tensors of the reference whose gradients are what is left where large terms cancel.
    cancels: &'static [&'static str],
}

fn features() -> String {
    (0..20).map(|at| format!("x{at},")).collect()
}

fn numbers(row: usize) -> String {
    (0..20).map(|at| format!("{},", (row * 20 + at) % 37)).collect()
}

/// A list of names as `Case` wants it.
fn named(names: &[(&str, &str)]) -> Vec<(String, String)> {
    names.iter().map(|(ours, theirs)| (ours.to_string(), theirs.to_string())).collect()
}

const MLP: Case = Case {
    name: "mlp",
    names: || {
        named(&[
            ("Net.h.Dense.w", "d0.w"),
            ("Net.h.Dense.b", "d0.b"),
            ("Net.h.Dense.1.w", "d1.w"),
            ("Net.h.Dense.1.b", "d1.b"),
            ("Net.h.Dense.2.w", "d2.w"),
            ("Net.h.Dense.2.b", "d2.b"),
        ])
    },
    header: || features() + "y",
    row: |row| format!("{}{}", numbers(row), row % 2),
    cancels: &[],
};

const MLP_WIDE: Case = Case {
    name: "mlp_wide",
    names: || {
        named(&[
            ("Net.Dense.w", "d0.w"),
            ("Net.Dense.b", "d0.b"),
            ("Net.Dense.1.w", "d1.w"),
            ("Net.Dense.1.b", "d1.b"),
            ("Net.Dense.2.w", "d2.w"),
            ("Net.Dense.2.b", "d2.b"),
        ])
    },
    header: || features() + "y",
    row: |row| format!("{}c{}", numbers(row), row % 10),
    cancels: &[],
};

const RECSYS: Case = Case {
    name: "recsys",
    names: || {
        named(&[
            ("Net.u.Embedding.table", "user_emb"),
            ("Net.i.Embedding.table", "item_emb"),
            ("Net.z.Dense.w", "fc.w"),
            ("Net.z.Dense.b", "fc.b"),
        ])
    },
    header: || "user,item,y".to_owned(),
    row: |row| format!("u{row:03},i{:03},{}", row % 50, row % 2),
    cancels: &[],
};

/// The header of a table of pixels with a label.
fn pixels(count: usize) -> String {
    (0..count).map(|at| format!("x{at},")).collect::<String>() + "y"
}

const CNN: Case = Case {
    name: "cnn",
    names: || {
        named(&[
            ("Net.z.Conv.f", "conv1.w"),
            ("Net.z.Conv.b", "conv1.b"),
            ("Net.z.Conv.1.f", "conv2.w"),
            ("Net.z.Conv.1.b", "conv2.b"),
            ("Net.z.Dense.w", "fc1.w"),
            ("Net.z.Dense.b", "fc1.b"),
            ("Net.z.Dense.1.w", "fc2.w"),
            ("Net.z.Dense.1.b", "fc2.b"),
        ])
    },
    header: || pixels(1452),
    row: |row| "0,".repeat(1452) + &(row % 2).to_string(),
    cancels: &[],
};

const RESNET: Case = Case {
    name: "resnet18_cifar",
    names: || {
        let mut names = named(&[("Net.Conv.f", "stem.conv.w"), ("Net.Dense.w", "fc.w"), ("Net.Dense.b", "fc.b")]);
        let mut norm = |ours: String, theirs: String| {
            for (part, name) in [("gain", "gamma"), ("bias", "beta"), ("mu", "mean"), ("var", "var")] {
                names.push((format!("{ours}.{part}"), format!("{theirs}.{name}")));
            }
        };
        norm("Net.BatchNorm".into(), "stem.bn".into());
        let mut convolutions = Vec::new();
        for at in 0..8 {
            let ours = if at == 0 { "Net.BasicBlock".to_owned() } else { format!("Net.BasicBlock.{at}") };
            let theirs = format!("layer{}.{}", at / 2 + 1, at % 2);
            norm(format!("{ours}.body.BatchNorm"), format!("{theirs}.bn1"));
            norm(format!("{ours}.body.BatchNorm.1"), format!("{theirs}.bn2"));
            norm(format!("{ours}.skip.Projection.BatchNorm"), format!("{theirs}.down.bn"));
            convolutions.push((format!("{ours}.body.Conv.f"), format!("{theirs}.conv1.w")));
            convolutions.push((format!("{ours}.body.Conv.1.f"), format!("{theirs}.conv2.w")));
            convolutions.push((format!("{ours}.skip.Projection.Conv.f"), format!("{theirs}.down.conv.w")));
        }
        names.extend(convolutions);
        names
    },
    header: || pixels(768),
    row: |row| "0,".repeat(768) + &format!("c{}", row % 10),
    cancels: &[],
};

/// The parameters of a transformer of so many blocks.
fn gpt_names(blocks: usize) -> Vec<(String, String)> {
    let mut names = named(&[("Net.words", "wte"), ("Net.places", "wpe"), ("Net.LayerNorm.gain", "lnf.g")]);
    for block in 0..blocks {
        for (ours, theirs) in [
            ("LayerNorm.gain", "ln1.g"),
            ("Attention.Dense.w", "attn.qkv"),
            ("Attention.Dense.1.w", "attn.proj"),
            ("LayerNorm.1.gain", "ln2.g"),
            ("Dense.w", "mlp.fc"),
            ("Dense.1.w", "mlp.proj"),
        ] {
            names.push((format!("Net.h.{block}.TransformerBlock.{ours}"), format!("h{block}.{theirs}")));
        }
    }
    names
}

/// The header of a table of so many words and of those that follow them.
fn places(count: usize) -> String {
    let columns = |name: char| (0..count).map(move |at| format!("{name}{at}"));
    columns('x').chain(columns('y')).collect::<Vec<_>>().join(",")
}

const GPT: Case =
    Case { name: "gpt", names: || gpt_names(2), header: || places(16), row: |_| vec!["0"; 32].join(","), cancels: &[] };

const GPT_MEDIUM: Case = Case {
    name: "gpt_medium",
    names: || gpt_names(3),
    header: || places(24),
    row: |_| vec!["0"; 48].join(","),
    cancels: &[],
};

const LSTM: Case = Case {
    name: "lstm",
    names: || {
        named(&[
            ("Net.h.LSTM.w", "lstm.wi"),
            ("Net.h.LSTM.u", "lstm.wh"),
            ("Net.h.LSTM.b", "lstm.b"),
            ("Net.Dense.w", "fc.w"),
            ("Net.Dense.b", "fc.b"),
        ])
    },
    header: || pixels(96),
    row: |row| format!("{}{}", "0,".repeat(96), row % 2),
    cancels: &[],
};

const SEQ2SEQ: Case = Case {
    name: "seq2seq",
    names: || {
        let mut names = named(&[
            ("Net.source", "src_emb"),
            ("Net.target", "tgt_emb"),
            ("Net.first.Dense.w", "bridge.w"),
            ("Net.first.Dense.b", "bridge.b"),
            ("Net.Decoder.wk", "attn.wk"),
            ("Net.Decoder.wq", "attn.wq"),
            ("Net.Decoder.v", "attn.v"),
            ("Net.Decoder.wh", "dec.wh"),
            ("Net.Decoder.bh", "dec.bh"),
            ("Net.Decoder.Dense.w", "dec.wi"),
            ("Net.Decoder.Dense.b", "dec.bi"),
            ("Net.Dense.w", "out.w"),
            ("Net.Dense.b", "out.b"),
        ]);
        for (ours, theirs) in [("there", "fw"), ("back", "bw")] {
            for (own, their) in [("w", "wi"), ("u", "wh"), ("bx", "bi"), ("bh", "bh")] {
                names.push((format!("Net.{ours}.GRU.{own}"), format!("enc.{theirs}.{their}")));
            }
        }
        names
    },
    header: || {
        let columns = |name: char, count| (0..count).map(move |at| format!("{name}{at}"));
        columns('s', 6).chain(columns('t', 5)).chain(columns('u', 5)).collect::<Vec<_>>().join(",")
    },
    row: |_| vec!["0"; 16].join(","),
    // A shift of all scores changes no softmax: of 1e-5 there is 3e-9 left.
    cancels: &["attn.wq"],
};

type Tensors = BTreeMap<String, Value>;

fn tensors(bytes: &[u8]) -> Tensors {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let read = |name: &str| {
        let view = file.tensor(name).unwrap();
        let data = view.data();
        let numbers: Vec<f64> = match view.dtype() {
            Dtype::F32 => data.chunks(4).map(|x| f64::from(f32::from_le_bytes(x.try_into().unwrap()))).collect(),
            Dtype::I32 => data.chunks(4).map(|x| f64::from(i32::from_le_bytes(x.try_into().unwrap()))).collect(),
            Dtype::F64 => data.chunks(8).map(|x| f64::from_le_bytes(x.try_into().unwrap())).collect(),
            other => panic!("{name} is of {other:?}"),
        };
        Value::new(view.shape().to_vec(), numbers)
    };
    file.names().into_iter().map(|name| (name.to_owned(), read(name))).collect()
}

/// The norm of a difference by the norm of what it should be, and whether that is within the tolerance.
fn distance(want: &[f64], got: &[f64], tolerance: f64) -> (f64, bool) {
    assert_eq!(want.len(), got.len());
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let size = norm(&mut want.iter().copied());
    let off = norm(&mut want.iter().zip(got).map(|(x, y)| x - y));
    if size == 0.0 {
        let most = got.iter().fold(0.0f64, |most, x| most.max(x.abs()));
        return (0.0, most <= AT_ZERO);
    }
    // A NaN is in no tolerance.
    (off / size, off <= tolerance * size)
}

/// The worst distances of a run, and what was out of tolerance.
#[derive(Default)]
struct Judged {
    worst: BTreeMap<&'static str, f64>,
    faults: String,
}

impl Judged {
    fn compare(&mut self, what: &'static str, name: &str, want: &[f64], got: &[f64], tolerance: f64) {
        let (off, holds) = distance(want, got, tolerance);
        let worst = self.worst.entry(what).or_insert(0.0);
        *worst = worst.max(off);
        if !holds {
            writeln!(self.faults, "{what} of {name}: off by {off:.2e}").unwrap();
        }
    }
}

fn difference(after: &Value, before: &Value) -> Vec<f64> {
    after.data.iter().zip(&before.data).map(|(after, before)| after - before).collect()
}

fn check(case: &Case, backend: &dyn Backend) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference");
    let text = std::fs::read_to_string(folder.join(format!("{}.model", case.name))).unwrap();
    let reference = tensors(&std::fs::read(folder.join(format!("{}.safetensors", case.name))).unwrap());

    // The checker learns columns and vocabularies from a table; the batch is the reference's.
    let data = tempfile::tempdir().unwrap();
    let rows: Vec<String> = std::iter::once((case.header)()).chain((0..100).map(case.row)).collect();
    std::fs::write(data.path().join("data.csv"), rows.join("\n") + "\n").unwrap();
    let session = Session::new(&format!("{}.model", case.name), &text, data.path().to_path_buf());
    let checked = session.check(None);
    assert!(!checked.diagnostics.has_errors(), "{:?}", checked.diagnostics);
    let stages = driver::stages(&checked.program, &checked.program.trains[0], true);
    let graph: &Graph = &stages.opt;
    let program = Arc::new(driver::kernels(graph));

    let names: BTreeMap<String, String> = (case.names)().into_iter().collect();
    let name = |id: ParamId| -> &str {
        let path = &graph.params[id.index()].path;
        names.get(path).unwrap_or_else(|| panic!("no name for {path}"))
    };
    let (_, column) = reference.iter().find(|(name, _)| name.starts_with("batch/")).unwrap();
    let batch = column.dims[0];
    let name_at = |id: usize| name(ParamId(id as u32));
    // A gate is an axis of its own here, and part of the columns there.
    let shaped = |(at, param): (usize, &tensa::ir::Param)| {
        Value::new(known(&param.ty.dims), reference[&format!("param/{}", name_at(at))].data.clone())
    };
    let initial: Vec<Value> = graph.params.iter().enumerate().map(shaped).collect();
    // The numbers of a batch under the axes that the program's columns have.
    let input = |input: &tensa::ir::Input| {
        let dims = input.ty.dims.iter().map(|dim| dim.as_const().map_or(batch, |size| size as usize));
        Value::new(dims.collect::<Vec<_>>(), reference[&format!("batch/{}", input.name)].data.clone())
    };
    let mut given = Given {
        inputs: graph.inputs.iter().map(input).collect(),
        sizes: vec![batch as i64; graph.sizes.len()],
        steps_per_epoch: 1,
        ..Given::default()
    };
    models::first_values(&stages.lowered.init, &mut given);
    given.params = initial.clone();

    let first = |name: &str| if case.cancels.contains(&name) { CANCELLED } else { FIRST };
    let mut judged = Judged::default();
    let losses = &reference["losses_f64"].data;
    for step in 1..=10u64 {
        given.step = step;
        let results = steps::run(graph, &program, backend, &given).unwrap();
        let number =
            |words: &[u32]| -> Vec<f64> { words.iter().map(|word| steps::element(*word, DType::F32)).collect() };
        for (role, words) in &results {
            let got = number(words);
            match role {
                Role::Loss => {
                    let tolerance = if step == 1 { FIRST } else { TENTH };
                    let what = if step == 1 { "loss" } else { "loss, later" };
                    judged.compare(what, &format!("step {step}"), &losses[step as usize - 1..][..1], &got, tolerance);
                }
                Role::Grad(id) if step == 1 => {
                    let want = &reference[&format!("grad/{}", name(*id))].data;
                    judged.compare("gradient", name(*id), want, &got, first(name(*id)));
                }
                Role::NewParam(id) => given.params[id.index()].data = got,
                Role::NewState(id) => given.states[id.index()].data = got,
                _ => {}
            }
        }
        for (at, before) in initial.iter().enumerate().filter(|_| step == 1 || step == 10) {
            let after = &reference[&format!("param_step{step}/{}", name_at(at))];
            let (what, tolerance) = if step == 1 { ("update 1", first(name_at(at))) } else { ("update 10", TENTH) };
            let (want, got) = (difference(after, before), difference(&given.params[at], before));
            judged.compare(what, name_at(at), &want, &got, tolerance);
        }
        for (at, state) in graph.states.iter().enumerate().filter(|_| step == 1 || step == 10) {
            let kept = names.get(&state.path).map(|name| &reference[&format!("buffer_step{step}/{name}")]);
            let Some(want) = kept else { continue };
            let (what, tolerance) = if step == 1 { ("state 1", FIRST) } else { ("state 10", TENTH) };
            judged.compare(what, &state.path, &want.data, &given.states[at].data, tolerance);
        }
    }
    println!("{} on {}: {:?}", case.name, backend.name(), judged.worst);
    assert!(judged.faults.is_empty(), "{} on {}:\n{}", case.name, backend.name(), judged.faults);
    let kept = reference.keys().any(|name| name.starts_with("buffer_step1/"));
    assert_eq!(judged.worst.len(), if kept { 7 } else { 5 }, "all was compared");
}

/// Sizes without symbols.
fn known(dims: &[Dim]) -> Vec<usize> {
    dims.iter().map(|dim| dim.as_const().unwrap() as usize).collect()
}

#[test]
fn mlp_trains_as_in_pytorch() {
    check(&MLP, &Interp);
    check(&MLP, &Cpu::new(2).unwrap());
}

#[test]
fn mlp_wide_trains_as_in_pytorch() {
    check(&MLP_WIDE, &Interp);
    check(&MLP_WIDE, &Cpu::new(2).unwrap());
}

#[test]
fn recsys_trains_as_in_pytorch() {
    check(&RECSYS, &Interp);
    check(&RECSYS, &Cpu::new(2).unwrap());
}

#[test]
fn cnn_trains_as_in_pytorch() {
    check(&CNN, &Interp);
    check(&CNN, &Cpu::new(2).unwrap());
}

#[test]
fn resnet18_trains_as_in_pytorch() {
    check(&RESNET, &Interp);
    check(&RESNET, &Cpu::new(2).unwrap());
}

#[test]
fn gpt_trains_as_in_pytorch() {
    check(&GPT, &Interp);
    check(&GPT, &Cpu::new(2).unwrap());
}

#[test]
fn gpt_medium_trains_as_in_pytorch() {
    check(&GPT_MEDIUM, &Interp);
    check(&GPT_MEDIUM, &Cpu::new(2).unwrap());
}

#[test]
fn lstm_trains_as_in_pytorch() {
    check(&LSTM, &Interp);
    check(&LSTM, &Cpu::new(2).unwrap());
}

#[test]
fn seq2seq_trains_as_in_pytorch() {
    check(&SEQ2SEQ, &Interp);
    check(&SEQ2SEQ, &Cpu::new(2).unwrap());
}
