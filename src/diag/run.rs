//! What goes wrong while a program runs: numbers, run folders, stored weights.

use std::path::Path;

use super::{Code, Diagnostic};
use crate::base::Span;

/// A loss that is no number any more. `good` is the last epoch whose weights are sound.
pub fn not_finite(loss: f64, epoch: u64, step: u64, good: u64) -> Diagnostic {
    let kept = match good {
        0 => "the weights are those from before the first step".to_owned(),
        _ => format!("the weights are those from the end of epoch {good}"),
    };
    let loss = if loss.is_nan() { "not a number".to_owned() } else { loss.to_string() };
    Diagnostic::without_place(Code::E0821, format!("the loss is {loss} at step {step}, in epoch {epoch}"))
        .note(kept)
        .help("a smaller learning rate, `clip = norm(1.0)`, or standardized columns keep it finite")
}

/// A file of a run that cannot be written.
pub fn cannot_write(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::without_place(Code::E0822, format!("cannot write `{}`: {why}", path.display()))
}

/// A stored file in the words of its reader or writer, which name it.
pub fn stored_file(writing: bool, why: &str) -> Diagnostic {
    Diagnostic::without_place(if writing { Code::E0822 } else { Code::E0823 }, why)
}

/// A file of a run that cannot be read.
pub fn cannot_read(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::without_place(Code::E0823, format!("cannot read `{}`: {why}", path.display()))
        .help("a run is a folder that `tensa run` left, such as `runs/iris-1`")
}

/// A program that left no run.
pub fn no_run_of(program: &Path, runs: &Path) -> Diagnostic {
    Diagnostic::without_place(
        Code::E0823,
        format!("`{}` holds no finished run of `{}`", runs.display(), program.display()),
    )
    .help(format!("`tensa run {}` trains it", program.display()))
}

/// A tensor that a file of weights lacks.
pub fn weights_lack(path: &Path, tensor: &str) -> Diagnostic {
    Diagnostic::without_place(Code::E0824, format!("`{}` holds no `{tensor}`", path.display()))
        .help("the program has changed since this run: train it again, or use the program in the run's folder")
}

/// A tensor of another form than the program's.
pub fn weights_differ(path: &Path, tensor: &str, stored: &str, wanted: &str) -> Diagnostic {
    Diagnostic::without_place(
        Code::E0824,
        format!("`{tensor}` in `{}` is {stored}, and the program has {wanted}", path.display()),
    )
    .help("the program has changed since this run: train it again, or use the program in the run's folder")
}

/// A class number that is none. `row` counts from 1.
pub fn index_outside(column: &str, value: i64, row: usize, below: usize) -> Diagnostic {
    Diagnostic::without_place(
        Code::E0825,
        format!("`{column}` is {value} in row {row}, and its axis has the positions 0 to {}", below.saturating_sub(1)),
    )
}

/// What makes a batch fit.
#[derive(Clone, Copy, Debug)]
pub enum BatchMend {
    /// So many rows.
    Number(i64),
    /// To leave the last one out.
    DropLast,
}

/// A batch of which something does not hold that the program needs: `8 <= batch`, which here is `8 <= 3`; with the place
/// of the number of rows and what mends it.
// No edit where the last batch of other than training is smaller, and where no number of rows fits.
pub fn batch_breaks(needed: &str, here: &str, rows: usize, span: Span, mend: Option<(Span, BatchMend)>) -> Diagnostic {
    let rows = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
    let told = Diagnostic::error(Code::E0831, span, format!("a batch has {rows}, and the program needs `{needed}`"))
        .here(format!("needed here; with this batch it is `{here}`"));
    let told = match mend {
        Some((number, BatchMend::Number(rows))) => {
            told.fix(format!("the nearest that holds is `batch = {rows}`"), number, rows.to_string())
        }
        Some((number, BatchMend::DropLast)) => told.fix(
            "leave a smaller last batch out of training: `drop_last = true`",
            number.after(),
            "\n  drop_last = true",
        ),
        None => told,
    };
    told.help("choose the batch so that it holds; `drop_last = true` leaves out a smaller last batch in training")
}

/// A number that is to be a place of an axis, and is none.
// No edit: what should become of a number outside is not to be seen.
pub fn place_outside(axis: &str, number: f32, size: i64, span: Span) -> Diagnostic {
    let message = format!("a place of `{axis}` is {number}, and it has the places 0 to {}", size.saturating_sub(1));
    Diagnostic::error(Code::E0825, span, message).here("this is held to the axis as it runs")
}

/// A column that the model needs and nobody gives.
pub fn column_not_given(column: &str) -> Diagnostic {
    Diagnostic::without_place(Code::E0826, format!("the model reads the column `{column}`, which is not given"))
}

/// A watched value of a split without rows, which the words give it.
pub fn watched_without_rows(split: &str, name: &str, span: Span, rows: Words) -> Diagnostic {
    let told = Diagnostic::error(
        Code::E0826,
        span,
        format!("`{split}.{name}` is watched, and the data has no rows for `{split}`"),
    )
    .here("nothing to watch");
    let told = told.fix_all(format!("give it some in the data: `split = random(train = 80%, {split} = 20%)`"), rows);
    match split {
        "train" => told,
        _ => told.fix(format!("or watch the rows it trains on: `train.{name}`"), span, format!("train.{name}")),
    }
}

/// A split that is to be evaluated and has no rows.
pub fn split_without_rows(data: &str, split: &str) -> Diagnostic {
    Diagnostic::without_place(Code::E0826, format!("`{data}` has no rows for `{split}`"))
}

/// An epoch without a batch.
pub fn no_batch(data: &str, rows: usize, batch: usize) -> Diagnostic {
    Diagnostic::without_place(
        Code::E0826,
        format!("an epoch over `{data}` has no batch: {rows} training rows, {batch} in a batch"),
    )
    .help("make the batch smaller, or keep the last, smaller one: `drop_last = false`")
}

/// A program without a run.
pub fn nothing_to_run(program: &str) -> Diagnostic {
    Diagnostic::without_place(Code::E0827, format!("`{program}` has no `train` section, so there is nothing to run"))
}

/// A run without a prediction.
pub fn nothing_to_predict(program: &str) -> Diagnostic {
    Diagnostic::without_place(Code::E0827, format!("the run of `{program}` predicts nothing"))
        .help("add a line to its `train` section: `predict = Net(x)`")
}

/// A run that cannot be continued.
pub fn nothing_to_resume(run: &Path) -> Diagnostic {
    Diagnostic::without_place(Code::E0828, format!("`{}` has no checkpoint: the run is finished", run.display()))
}

/// A project that would overwrite something.
pub fn project_exists(path: &Path) -> Diagnostic {
    Diagnostic::without_place(Code::E0829, format!("`{}` is there already", path.display()))
}

/// A name that is no name of a folder.
pub fn project_name(name: &str) -> Diagnostic {
    Diagnostic::without_place(Code::E0829, format!("`{name}` is not a name for a project"))
        .help("letters, digits, `-` and `_`, such as `tensa new flowers`")
}

/// Words and where they go.
type Words = Vec<(Span, String)>;

/// A file that `load` cannot read; `near` is one that is called like it.
// No edit where none is: which file is meant is not to be seen.
pub fn cannot_load(error: &str, near: Option<&str>, span: Span) -> Diagnostic {
    let told = Diagnostic::error(Code::E0830, span, error.to_owned()).here("loaded here");
    match near {
        Some(near) => told.fix(format!("did you mean `{near}`?"), span, format!("\"{near}\"")),
        None => told.help("the path starts from the folder of the program"),
    }
}

/// What a layer has and the file lacks; `known` are the tensors of the file. The words name them by what the file has of
/// the same shapes, and leave them out.
// No edit where the file gives nothing at all and has other shapes: it is that of another layer.
pub fn load_lacks(file: &str, paths: &[&str], known: &[&str], span: Span, [named, left_out]: [Words; 2]) -> Diagnostic {
    let told = Diagnostic::error(Code::E0830, span, format!("`{file}` has nothing for {}", few(paths)))
        .here("not all of the layer is in this file");
    let told = match known.is_empty() {
        true => told.note("the file is empty"),
        false => told.note(format!("it holds {}", few(known))),
    };
    let told =
        told.fix_all("say what the file calls them, as in `names = { \"h.*.w\": \"layers.{i}.weight\" }`", named);
    told.fix_all("let them begin as they would without a file: `except`", left_out)
}

/// What a run has and the file that it begins with lacks; the words load its model instead.
// No edit where the file gives nothing at all, where a run has several models, or the command line says `init`: no place is plainly the one.
pub fn init_lacks(file: &str, paths: &[&str], span: Span, loaded: Words) -> Diagnostic {
    let told = Diagnostic::error(Code::E0830, span, format!("`{file}` has nothing for {}", few(paths)))
        .here("a run that begins with a file takes all it has from there");
    told.fix_all(begin_with_a_part(file), loaded)
}

fn begin_with_a_part(file: &str) -> String {
    format!("to begin with a part of it, make the model of the run `load(\"{file}\", Net(), except = [\"…\"])`")
}

/// What the file has that a run begins with, and the run has not; the words load its model instead.
// No edit where a run has several models, or the command line says `init`: no place is plainly the one.
pub fn init_leaves(file: &str, names: &[&str], span: Span, loaded: Words) -> Diagnostic {
    let told = Diagnostic::error(Code::E0830, span, format!("nothing takes {} of `{file}`", few(names)))
        .here("the run has nothing of these names");
    told.fix_all(begin_with_a_part(file), loaded)
}

/// What the file has and no layer takes; the words leave it out.
pub fn load_leaves(file: &str, names: &[&str], span: Span, left_out: Words) -> Diagnostic {
    let told = Diagnostic::error(Code::E0830, span, format!("nothing takes {} of `{file}`", few(names)))
        .here("the layer has nothing of these names");
    told.fix_all("leave them out by `except`, or say by `names` what they are the values of", left_out)
}

/// A tensor of another shape; `turn` is the name under which its axes would fit, and the words that give it that name.
// No edit where turning its axes does not help: the file is that of another layer.
pub fn load_shape(name: &str, stored: &str, wanted: &str, turn: Option<(String, Words)>, span: Span) -> Diagnostic {
    let told =
        Diagnostic::error(Code::E0830, span, format!("`{name}` is {stored} in the file and {wanted} in the program"))
            .here("loaded here");
    match turn {
        Some((turn, words)) => {
            told.fix_all(format!("if the file has its axes the other way round, name it `{turn}`"), words)
        }
        None => told,
    }
}

/// Axes that are not those of the parameter; `orders` are those they may have, with the words that say so.
pub fn load_axes(name: &str, named: &str, axes: &str, span: Span, orders: Vec<(Words, String)>) -> Diagnostic {
    let told = Diagnostic::error(
        Code::E0830,
        span,
        format!("`{name}` is said to have the axes [{named}], and its parameter has [{axes}]"),
    )
    .here("loaded here");
    orders.into_iter().fold(
        told.note("the brackets name each axis of the parameter once, in the order of the file"),
        |told, (words, order)| told.fix_all(format!("in the file it may be `[{order}]`"), words),
    )
}

/// Whole numbers where weights are due.
// No edit: the fault is in the file.
pub fn load_dtype(name: &str, span: Span) -> Diagnostic {
    Diagnostic::error(Code::E0830, span, format!("`{name}` holds whole numbers in the file")).here("loaded here")
}

/// "`a`, `b`, `c` and 5 more"
fn few(names: &[&str]) -> String {
    match names.len() {
        0..=4 => super::name::list(names),
        count => {
            let first: Vec<String> = names[..3].iter().map(|name| format!("`{name}`")).collect();
            format!("{} and {} more", first.join(", "), count - 3)
        }
    }
}
