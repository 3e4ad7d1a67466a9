//! `tensa predict`: what a trained model says about the rows of a file.
//!
//! Needs the run's folder and the rows, neither the training data nor labels. Out: a CSV table on stdout
//! with a line a row, or a JSON object a row with the probability of every class. A row of pictures begins
//! with the path of its file.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value, json};

use super::{Failure, Machine, Outcome, open_run, out};
use crate::backend::Backend;
use crate::data::{Folder, Input, Rows, Schema, Spelling};
use crate::diag::{Diagnostic, Diagnostics, contents, run as told};
use crate::driver::Session;
use crate::lower;
use crate::train::{Field, Meaning, Model, Predictor, Recorded, RunFolder};

/// The column of the file of a picture.
const IMAGE: &str = "image";

/// Rows in a batch of predictions.
const BATCH: usize = 256;

/// The arguments of `tensa predict`.
#[derive(Args)]
pub(super) struct Predict {
    /// A run's folder, or a program whose newest run in `runs` is meant
    run: PathBuf,
    /// A file of the kind the program reads, or a folder of pictures; labels may be absent
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    #[command(flatten)]
    machine: Machine,
    /// Print a JSON object for each row
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &Predict) -> Outcome {
    let (session, folder, recorded) = open_run(&args.run)?;
    let backend = args.machine.backend().map_err(Failure::Usage)?;
    let mut diagnostics = Diagnostics::default();
    let text = predict(args, &session, &folder, &recorded, backend.as_ref(), &mut diagnostics);
    match text {
        Some(text) => {
            super::report::show(diagnostics.clone(), &session.sources);
            out(&text);
            Ok(())
        }
        None => Err(Failure::Program(Box::new(session), diagnostics)),
    }
}

/// The whole answer; none when something is wrong.
fn predict(
    args: &Predict,
    session: &Session,
    folder: &RunFolder,
    recorded: &Recorded,
    backend: &dyn Backend,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let mut told = |result| match result {
        Ok(value) => Some(value),
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            None
        }
    };
    let fitted = told(folder.fitted().map(Some))??;
    let schemas = recorded.schemas();
    let checked = session.check_recorded(schemas.clone());
    let name = &session.sources.file(session.file).name;
    if checked.diagnostics.has_errors() {
        diagnostics.extend(checked.diagnostics);
        return None;
    }
    let Some(train) = checked.program.trains.get(recorded.train) else {
        diagnostics.push(told::nothing_to_run(name));
        return None;
    };
    let lowered = lower::lower(&checked.program, train);
    let Some(graph) = &lowered.prediction else {
        diagnostics.push(told::nothing_to_predict(name));
        return None;
    };
    let schema = schemas.get(&train.data)?;
    let made = Model::new(train, &lowered, backend).and_then(|mut model| {
        model.load_weights(&folder.weights())?;
        let predictor = Predictor::new(&model, train, graph, schema)?;
        Ok((model, predictor))
    });
    let (mut model, mut predictor) = match made {
        Ok(made) => made,
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            return None;
        }
    };

    let spec = session.spec(train.data, diagnostics).filter(|_| !diagnostics.has_errors())?;
    let fitted = fitted.get(&train.data).cloned().unwrap_or_default();
    let joins = spec.source.as_ref().is_some_and(|source| !source.steps.is_empty());
    // What is joined lies beside the program, the rows where the command is given.
    let (path, here) = match joins {
        true => (std::path::absolute(&args.input).unwrap_or(args.input.clone()), session.folder.clone()),
        false => (args.input.clone(), PathBuf::new()),
    };
    let input = Input::Path(path.display().to_string());
    let here = Folder(here);
    let rows = Rows::load(&spec, &fitted, &input, &predictor.columns(), &here, diagnostics)?;
    if let Some(diagnostic) = other_shape(&rows, schema, &args.input) {
        diagnostics.push(diagnostic);
        return None;
    }
    let mut text = if args.json { String::new() } else { header(predictor.fields(), !rows.paths().is_empty()) };
    let mut start = 0;
    while start < rows.len() {
        let end = rows.alike(start, BATCH);
        let made = rows.batch(start, end).map_err(|diagnostic| *diagnostic);
        let made = made.and_then(|batch| predictor.run(&mut model, &batch).map(|numbers| (batch, numbers)));
        let (batch, numbers) = match made {
            Ok(made) => made,
            Err(diagnostic) => {
                diagnostics.push(diagnostic);
                return None;
            }
        };
        for row in 0..batch.rows {
            let of_row = numbers.iter().map(|all| {
                let item = all.len() / batch.rows;
                &all[row * item..][..item]
            });
            let cells = predictor.fields().iter().zip(of_row);
            text += &match args.json {
                true => object(rows.paths().get(start + row), cells),
                false => line(rows.paths().get(start + row), cells),
            };
        }
        start = end;
    }
    Some(text)
}

/// What is wrong with rows whose items have another shape than those the model was trained on.
fn other_shape(rows: &Rows, schema: &Schema, input: &Path) -> Option<Diagnostic> {
    rows.columns().iter().find_map(|column| {
        let trained = schema.column(column.name)?;
        let differ = column.shape_at(Some(0)) != trained.shape_at(Some(0));
        let input = input.display().to_string();
        differ.then(|| {
            contents::trained_shape(column.span, column.name.as_str(), &input, &column.shape(), &trained.shape())
        })
    })
}

/// The names of the columns: the file of a picture, then what is predicted. A field of several plain numbers is one cell with spaces between them.
fn header(fields: &[Field], pictures: bool) -> String {
    let names = fields.iter().flat_map(|field| match &field.meaning {
        Meaning::Logits(_) | Meaning::Probabilities(_) => {
            let probability =
                if fields.len() == 1 { "probability".to_owned() } else { format!("{}_probability", field.name) };
            vec![field.name.clone(), probability]
        }
        Meaning::Logit | Meaning::Classes(_) | Meaning::Text(..) | Meaning::Numbers => vec![field.name.clone()],
    });
    let file = pictures.then(|| IMAGE.to_owned());
    let names: Vec<String> = file.into_iter().chain(names).map(|name| quoted(&name)).collect();
    names.join(",") + "\n"
}

fn line<'a>(file: Option<&String>, cells: impl Iterator<Item = (&'a Field, &'a [f64])>) -> String {
    let cells = cells.flat_map(|(field, numbers)| match &field.meaning {
        Meaning::Logits(names) => best(names, &softmax(numbers)),
        Meaning::Probabilities(names) => best(names, numbers),
        Meaning::Logit => vec![shown(logistic(numbers))],
        Meaning::Classes(names) => {
            vec![numbers.iter().map(|class| class_name(names, *class)).collect::<Vec<_>>().join(" ")]
        }
        Meaning::Text(names, spelling) => vec![text_of(names, *spelling, numbers)],
        Meaning::Numbers => vec![numbers.iter().map(|number| shown(*number)).collect::<Vec<_>>().join(" ")],
    });
    let cells: Vec<String> = file.cloned().into_iter().chain(cells).map(|cell| quoted(&cell)).collect();
    cells.join(",") + "\n"
}

fn object<'a>(file: Option<&String>, cells: impl Iterator<Item = (&'a Field, &'a [f64])>) -> String {
    let mut object = Map::new();
    object.extend(file.map(|file| (IMAGE.to_owned(), json!(file))));
    for (field, numbers) in cells {
        let mut classes = |names: &[String], probabilities: &[f64]| {
            let all: Map<String, Value> = names.iter().cloned().zip(probabilities.iter().map(|p| json!(p))).collect();
            let key = if field.name == "predict" {
                "probabilities".to_owned()
            } else {
                format!("{}_probabilities", field.name)
            };
            object.insert(field.name.clone(), json!(best(names, probabilities)[0]));
            object.insert(key, Value::Object(all));
        };
        match &field.meaning {
            Meaning::Logits(names) => classes(names, &softmax(numbers)),
            Meaning::Probabilities(names) => classes(names, numbers),
            Meaning::Logit => {
                object.insert(field.name.clone(), json!(logistic(numbers)));
            }
            Meaning::Classes(names) => {
                let all: Vec<String> = numbers.iter().map(|class| class_name(names, *class)).collect();
                object.insert(field.name.clone(), one_or_all(all));
            }
            Meaning::Text(names, spelling) => {
                object.insert(field.name.clone(), json!(text_of(names, *spelling, numbers)));
            }
            Meaning::Numbers => {
                object.insert(field.name.clone(), one_or_all(numbers.to_vec()));
            }
        }
    }
    format!("{}\n", Value::Object(object))
}

fn one_or_all<T: serde::Serialize>(all: Vec<T>) -> Value {
    match &all[..] {
        [one] => json!(one),
        all => json!(all),
    }
}

/// The likeliest class and its probability.
fn best(names: &[String], probabilities: &[f64]) -> Vec<String> {
    let mut at = 0;
    for (other, probability) in probabilities.iter().enumerate() {
        // The first of equals, as `argmax` has it.
        if *probability > probabilities[at] {
            at = other;
        }
    }
    let name = names.get(at).cloned().unwrap_or_else(|| at.to_string());
    vec![name, probabilities.get(at).map(|probability| shown(*probability)).unwrap_or_default()]
}

fn class_name(names: &[String], class: f64) -> String {
    names.get(class as usize).cloned().unwrap_or_else(|| (class as i64).to_string())
}

/// The text of pieces.
fn text_of(names: &[String], spelling: Spelling, numbers: &[f64]) -> String {
    let piece = |number: &f64| names.get(*number as usize).map_or("", String::as_str);
    spelling.text(&numbers.iter().map(piece).collect::<Vec<_>>())
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|logit| (logit - most).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

fn logistic(numbers: &[f64]) -> f64 {
    numbers.first().map_or(f64::NAN, |logit| 1.0 / (1.0 + (-logit).exp()))
}

/// As many digits as an f32 has.
fn shown(number: f64) -> String {
    format!("{}", number as f32)
}

/// A cell of a CSV table.
fn quoted(cell: &str) -> String {
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}
