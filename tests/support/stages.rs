//! The stages a suite case can run to: one line each.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use tensa::base::{FileId, SourceMap};
use tensa::diag::Diagnostic;
use tensa::driver::{self, Checked, Session, Stages};
use tensa::gradients::Report;
use tensa::ir::Dim;
use tensa::kernel::ir::{BufId, Program, Step};
use tensa::sema;
use tensa::syntax::{ast, parse, print};
use tensa::tensor::safetensors::{self, Stored};
use tensa::tensor::{Named, Tensor};
use tensa::train::End;
use tensa::{fuse, ir, runtime};

use super::{faulty, pictures, runs};

/// What came of a program.
#[derive(Default)]
pub struct Outcome {
    /// The texts that the diagnostics point into.
    pub sources: SourceMap,
    /// Which of them is the program.
    pub file: FileId,
    /// All that was told, in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// The text form of the stage, for stages that have one.
    pub text: Option<String>,
    /// What notes can ask for: `kernels` is `2`, `shape h` is `[batch, d: 10]`.
    pub facts: Vec<(String, String)>,
}

/// A stage by its name.
type Stage = (&'static str, fn(&str) -> Outcome);

/// The batch at which sizes in bytes are told.
const BATCH: i64 = 32;

/// All stages. A case names one in its head; a further stage is a further line.
const STAGES: &[Stage] = &[
    ("parse", parse_stage),
    ("ast", ast_stage),
    ("check", |text| checked(text, |_| None)),
    ("typed", |text| checked(text, |checked| Some(sema::print(&checked.program)))),
    ("run", run_stage),
    ("gradients", gradients_stage),
    ("graph", |text| staged(text, |stages| ir::text::print(&stages.lowered.passes[0].training))),
    ("canon", |text| staged(text, |stages| ir::text::print(&stages.canon))),
    ("grad", |text| staged(text, |stages| ir::text::print(&stages.grad))),
    ("step", |text| staged(text, |stages| ir::text::print(&stages.step))),
    ("opt", |text| staged(text, |stages| ir::text::print(&stages.opt))),
    ("fused", |text| staged(text, |stages| fuse::print(&fuse::fuse(&stages.opt)))),
    ("kernel", |text| staged(text, |stages| driver::kernels(&stages.opt).to_string())),
    ("plan", |text| staged(text, |stages| plan(&driver::kernels(&stages.opt)))),
];

/// The stage of this name.
pub fn find(name: &str) -> Option<fn(&str) -> Outcome> {
    STAGES.iter().find(|(known, _)| *known == name).map(|(_, run)| *run)
}

/// Reads a program under the name `case.model`.
pub fn read(text: &str) -> (SourceMap, ast::File, Vec<Diagnostic>) {
    let mut sources = SourceMap::default();
    let file = sources.add("case.model", text, false);
    let (tree, diagnostics) = parse::parse(file, text);
    (sources, tree, diagnostics.sorted())
}

/// Only what is told.
fn parse_stage(text: &str) -> Outcome {
    let (sources, _, diagnostics) = read(text);
    Outcome { sources, diagnostics, ..Outcome::default() }
}

/// The tree as text.
fn ast_stage(text: &str) -> Outcome {
    let (sources, tree, diagnostics) = read(text);
    Outcome { sources, diagnostics, text: Some(print::print(&tree)), ..Outcome::default() }
}

/// A folder with the data that cases may use: `rows.csv`, with the columns `a`, `b`, `c` (numbers) and `label`
/// (`no`, `yes`), forty rows, each number of each row another; `kinds.csv`, with a `weight` for the label `no`; `notes.txt`, two lines of text; `story.txt`, a line of four hundred words; `pictures` with two of 8 × 8 in each of the
/// folders `no` and `yes`; `mixed` with two sizes, a damaged picture and notes; two of 8 × 8 in `img`, with a mask in
/// `mask` for each and in `half` for the first; `scenes.jsonl`, which names them, with boxes and their labels;
/// `numbers.npy`, forty rows of three numbers, `short.npy`, which lacks some, and `objects.npy` with objects of Python;
/// those of `faulty.rs`, and those of `pictures.rs`.
pub fn data_folder() -> PathBuf {
    static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut rows = "a,b,c,label\n".to_owned();
        for row in 0..40 {
            let label = if row % 2 == 0 { "no" } else { "yes" };
            rows.push_str(&format!("{row}.5,{},0.{row:02},{label}\n", 100 - row));
        }
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
            std::fs::write(path, bytes).expect("a writable folder");
        };
        write("rows.csv", rows.as_bytes());
        faulty::write(&write);
        pictures::write(&write);
        write("notes.txt", b"to be or not to be\n\nthat is the question\n");
        write("story.txt", "and then ".repeat(200).as_bytes());
        write("kinds.csv", b"label,weight\nno,1.5\n");
        write("blocks.model", b"let width = 8\n\nlayer Block(x: [.., d]) -> [.., d] = x + (x |> Dense(d, relu))\n");
        write("tower.model", b"use \"blocks.model\"\n\nlayer Tower(x: [.., d]) -> [.., d] = x |> Block |> Block\n");
        write("round.model", b"use \"round.model\"\n");
        write("ring.model", b"use \"link.model\"\n");
        write("link.model", b"use \"ring.model\"\n");
        let picture = |h: u32, w: u32| {
            let mut bytes = std::io::Cursor::new(Vec::new());
            let pixels = image::RgbImage::from_fn(w, h, |x, y| image::Rgb([x as u8, y as u8, 9]));
            pixels.write_to(&mut bytes, image::ImageFormat::Png).expect("memory");
            bytes.into_inner()
        };
        for name in ["pictures/no/1.png", "pictures/no/2.png", "pictures/yes/1.png", "pictures/yes/2.png"] {
            write(name, &picture(8, 8));
        }
        write("mixed/no/1.png", &picture(8, 8));
        write("mixed/yes/1.png", &picture(8, 9));
        write("mixed/yes/notes.txt", b"yes");
        write("damaged/no/1.png", b"<html>404 Not Found</html>");
        for name in ["img/1.png", "img/2.png", "mask/1.png", "mask/2.png", "half/1.png"] {
            write(name, &picture(8, 8));
        }
        write(
            "scenes.jsonl",
            b"{\"file\": \"1.png\", \"boxes\": [[0, 0, 4, 6], [2, 2, 8, 8]], \"labels\": [\"cat\", \"dog\"]}\n\
              {\"file\": \"2.png\", \"boxes\": [[1, 1, 5, 5]], \"labels\": [\"cat\"]}\n",
        );
        let array = |descr: &str, body: &[u8]| faulty::array(descr, "(40, 3)", body);
        write("numbers.npy", &array("<f4", &(0..120u8).flat_map(|at| f32::from(at).to_le_bytes()).collect::<Vec<_>>()));
        write("short.npy", &array("<f4", &[0; 100]));
        weights(folder.path());
        write("objects.npy", &array("|O", &[0; 960]));
        folder
    });
    FOLDER.path().to_path_buf()
}

/// Files of weights for two layers of 3 × 8 and 8 × 2: `base` with the names of the library, `more` with one beside
/// them, `run` with that and the names of a run, `other` with other names, `turned` with the axes the other way round, `whole` with whole numbers.
fn weights(folder: &Path) {
    let float = |shape: &[usize]| Tensor::from_f32(shape, vec![0.5; shape.iter().product()]).expect("its size");
    let write = |name: &str, tensors: &[(&str, Tensor)]| {
        let named = tensors.iter().map(|(name, tensor)| {
            let axes = (0..tensor.shape().len()).map(|at| format!("a{at}")).collect();
            ((*name).to_owned(), Named { tensor: tensor.clone(), axes })
        });
        let stored = Stored { tensors: named.collect(), metadata: Default::default() };
        safetensors::write(&folder.join(name), &stored).expect("a writable folder");
    };
    let [w, b, v, c] = [float(&[3, 8]), float(&[8]), float(&[8, 2]), float(&[2])];
    let base = [("Dense.w", w.clone()), ("Dense.b", b.clone()), ("Dense.1.w", v.clone()), ("Dense.1.b", c.clone())];
    write("base.safetensors", &base);
    let run = ["Net.Dense.w", "Net.Dense.b", "Net.Dense.1.w", "Net.Dense.1.b"].into_iter().zip(base.clone());
    let run: Vec<(&str, Tensor)> = run.map(|(path, (_, tensor))| (path, tensor)).collect();
    write("run.safetensors", &[&run[..], &[("head.w", float(&[4]))]].concat());
    write("more.safetensors", &[&base[..], &[("head.w", float(&[4]))]].concat());
    write(
        "other.safetensors",
        &["up.kernel", "up.bias", "down.kernel", "down.bias"]
            .into_iter()
            .zip([w, b.clone(), v, c.clone()])
            .collect::<Vec<_>>(),
    );
    let turned = [float(&[8, 3]), b, float(&[2, 8]), c];
    write(
        "turned.safetensors",
        &["Dense.w", "Dense.b", "Dense.1.w", "Dense.1.b"].into_iter().zip(turned).collect::<Vec<_>>(),
    );
    let whole = Tensor::from_i32(&[3, 8], vec![1; 24]).expect("its size");
    write("whole.safetensors", &[&[("Dense.w", whole)], &base[1..]].concat());
}

/// Checks a program that lies beside this data, with what its graphs tell.
pub fn check(text: &str) -> (Session, Checked) {
    let session = Session::new("case.model", text, data_folder());
    let mut checked = session.check(None);
    let lints = checked.lints();
    checked.diagnostics.extend(lints);
    (session, checked)
}

/// A stage of the checked program; without errors, also what a step of its first run costs.
fn checked(text: &str, show: impl Fn(&Checked) -> Option<String>) -> Outcome {
    let (session, checked) = check(text);
    let failed = checked.diagnostics.has_errors();
    let mut outcome = Outcome { facts: shapes(&checked), ..Outcome::default() };
    if !failed {
        outcome.text = show(&checked);
        outcome.facts.extend(costs(&checked));
    }
    outcome.file = session.file;
    outcome.sources = session.sources;
    outcome.diagnostics = checked.diagnostics.sorted();
    // The folder has another name in each run.
    let folder = format!("{}/", data_folder().display());
    outcome.diagnostics.iter_mut().for_each(|told| told.message = told.message.replace(&folder, ""));
    outcome
}

/// What is told of the first run of a program, which must check.
fn run_stage(text: &str) -> Outcome {
    let (session, checked) = check(text);
    let mut diagnostics = checked.diagnostics.clone();
    if !diagnostics.has_errors() {
        match runs::first(&session, &checked) {
            Ok(End::Diverged(told)) => diagnostics.push(*told),
            Ok(End::Done { .. } | End::Interrupted) => {}
            Err(told) => diagnostics.push(told),
        }
    }
    let (file, mut diagnostics) = (session.file, diagnostics.sorted());
    let folder = format!("{}/", data_folder().display());
    diagnostics.iter_mut().for_each(|told| told.message = told.message.replace(&folder, ""));
    Outcome { file, sources: session.sources, diagnostics, ..Outcome::default() }
}

/// What came of each gradient that the program gives, and what is told where it is another one.
fn gradients_stage(text: &str) -> Outcome {
    let (session, checked) = check(text);
    let mut diagnostics = checked.diagnostics;
    let reports = if diagnostics.has_errors() { Vec::new() } else { session.gradients(false) };
    reports.iter().filter_map(Report::diagnostic).for_each(|told| diagnostics.push(told));
    let lines = reports.iter().map(|report| format!("{}: {report}\n", report.name)).collect();
    let (file, diagnostics) = (session.file, diagnostics.sorted());
    Outcome { file, sources: session.sources, diagnostics, text: Some(lines), ..Outcome::default() }
}

/// A stage of the first run of a program.
fn staged(text: &str, show: impl Fn(&Stages) -> String) -> Outcome {
    checked(text, |checked| {
        let train = checked.program.trains.first()?;
        Some(show(&driver::stages(&checked.program, train, false)))
    })
}

/// The types of what the program names, by name; of a name bound twice, the first.
fn shapes(checked: &Checked) -> Vec<(String, String)> {
    let shape = |binding: &sema::typed::Binding| {
        (format!("shape {}", binding.name), sema::show_type(&checked.program, &binding.ty))
    };
    checked.program.bindings.iter().map(shape).collect()
}

/// What the first run has and what a step of it costs.
///
/// `params`, `states`: how many. `nodes`: of the optimised graph. `kernels`: how many steps there are,
/// kernels, contractions, copies and loops alike, with those inside of loops. `bytes`: what those read and write at a batch of 32, each buffer of each
/// step once; what stays in registers or in L1 is not counted. `convs`: convolutions by their roles.
fn costs(checked: &Checked) -> Vec<(String, String)> {
    let Some(train) = checked.program.trains.first() else { return Vec::new() };
    let stages = driver::stages(&checked.program, train, false);
    let program = driver::kernels(&stages.opt);
    let facts = [
        ("params", train.params.len()),
        ("states", train.states.len()),
        ("nodes", stages.opt.nodes.len()),
        ("kernels", count(&program.steps)),
        ("bytes", traffic(&program, &program.steps)),
    ];
    let convs = ("convs".to_owned(), tensa::ops::conv_counts(&stages.opt));
    facts.map(|(name, value)| (name.to_owned(), value.to_string())).into_iter().chain([convs]).collect()
}

/// How many steps there are, those of a loop once each.
fn count(steps: &[Step]) -> usize {
    let inner = |step: &Step| if let Step::Scan(scan) = step { count(&scan.body) } else { 0 };
    steps.iter().map(|step| 1 + inner(step)).sum()
}

/// The bytes that steps read and write; those of a loop as often as it runs.
fn traffic(program: &Program, steps: &[Step]) -> usize {
    let at_batch = |dim: &Dim| usize::try_from(dim.eval(&|_| BATCH).expect("a size in range")).expect("a size");
    let length = |buf: BufId| 4 * at_batch(&program.buffers[buf.0 as usize].len);
    let mut total = 0;
    for step in steps {
        if let Step::Scan(scan) = step {
            total += at_batch(&scan.count) * traffic(program, &scan.body);
            continue;
        }
        let mut bufs = Vec::new();
        step.visit(&mut |buf| bufs.push(buf));
        bufs.sort_unstable();
        bufs.dedup();
        total += bufs.into_iter().map(length).sum::<usize>();
    }
    total
}

fn plan(program: &Program) -> String {
    let sizes = vec![BATCH; program.sizes.len()];
    runtime::text::print(program, &sizes).expect("a plan for a small batch")
}
