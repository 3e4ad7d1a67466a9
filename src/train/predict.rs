//! Predictions for rows.
//!
//! In: a model, the types of what the run predicts, rows. Out: for each field its numbers and what they
//! mean: scores of classes with their names, probabilities, plain numbers.

use super::checks;
use super::feed::Feed;
use super::model::Model;
use super::words;
use crate::base::Symbol;
use crate::data::{Batch, Column, ColumnType, Schema, Spelling};
use crate::diag::Diagnostic;
use crate::driver;
use crate::ir::{Graph, Role};
use crate::kernel::ir::Place;
use crate::runtime::Executable;
use crate::runtime::step::Env;
use crate::sema::dtype::DType;
use crate::sema::typed::{Asker, AxisId, Kind, Train, Type};

/// What the numbers of a field are.
#[derive(Clone, PartialEq, Debug)]
pub enum Meaning {
    /// Scores of classes, as log-probabilities before they are normalised.
    Logits(Vec<String>),
    /// Probabilities of classes.
    Probabilities(Vec<String>),
    /// One score a row whose logistic function is a probability.
    Logit,
    /// A class for each number.
    Classes(Vec<String>),
    /// A piece of a text for each number.
    Text(Vec<String>, Spelling),
    /// Just numbers.
    Numbers,
}

/// A part of a prediction.
#[derive(Clone, PartialEq, Debug)]
pub struct Field {
    /// Its name; `predict` when there is one without.
    pub name: String,
    /// What its numbers are.
    pub meaning: Meaning,
    role: Role,
    dtype: DType,
}

/// The prediction program of a model.
pub struct Predictor {
    executable: Executable,
    feed: Feed,
    wanted: Vec<bool>,
    fields: Vec<Field>,
}

impl Predictor {
    /// Compiles the prediction of a run; `graph` is its graph, `columns` those that will be given.
    pub fn new(model: &Model<'_>, train: &Train, graph: &Graph, schema: &Schema) -> Result<Predictor, Diagnostic> {
        let program = driver::kernels(&driver::forward(graph, train.settings.precision));
        let mut wanted = vec![false; model.graph.inputs.len()];
        for buffer in &program.buffers {
            if let Place::Input(id) = buffer.place {
                wanted[id.index()] = true;
            }
        }
        let fields = train.evaluation.predict.iter().map(|(name, id)| {
            let ty = &train.exprs[id.0 as usize].ty;
            Field {
                name: if name.is_empty() { "predict".to_owned() } else { name.clone() },
                meaning: meaning(ty, train, schema),
                role: Role::Predict(name.clone()),
                dtype: ty.dtype,
            }
        });
        let fields = fields.collect();
        let feed = Feed::new(&model.graph, &schema.columns).held_to(&train.demands, &[Asker::Prediction]);
        Ok(Predictor { executable: model.compile(program)?, feed, wanted, fields })
    }

    /// The columns that the prediction depends on.
    pub fn columns(&self) -> Vec<Symbol> {
        let names = self.feed.names().into_iter().zip(&self.wanted);
        names.filter(|(_, wanted)| **wanted).map(|(name, _)| name).collect()
    }

    /// The parts of a prediction.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The numbers of each field, row by row.
    pub fn run(&mut self, model: &mut Model<'_>, batch: &Batch) -> Result<Vec<Vec<f64>>, Diagnostic> {
        self.feed.set(batch, &self.wanted)?;
        let inputs = self.feed.inputs();
        let env = Env { inputs: &inputs, sizes: self.feed.sizes(), seed: model.seed, step: 0, steps_per_epoch: 0 };
        let results = self.executable.run(&env, &mut model.store)?;
        checks::hold(&results, &model.checks, self.feed.sizes())?;
        let numbers = self.fields.iter().map(|field| {
            let words = results.get(&field.role).unwrap_or_default();
            words::numbers(field.dtype, words)
        });
        Ok(numbers.collect())
    }
}

fn meaning(ty: &Type, train: &Train, schema: &Schema) -> Meaning {
    let axis = match &ty.axes[..] {
        [_, axis] => Some(axis),
        _ => None,
    };
    let names = |id: AxisId, size: usize| {
        class_names(id, train, schema).unwrap_or_else(|| (0..size).map(|class| class.to_string()).collect())
    };
    let size = |axis: &crate::sema::typed::Axis| axis.size.as_const().unwrap_or(0) as usize;
    match (ty.kind, axis) {
        (Kind::Logit, Some(axis)) => Meaning::Logits(names(axis.id, size(axis))),
        (Kind::Prob, Some(axis)) => Meaning::Probabilities(names(axis.id, size(axis))),
        (Kind::Logit, None) if ty.axes.len() == 1 => Meaning::Logit,
        (Kind::Index(id), axis) if axis.is_some() || ty.axes.len() > 1 => match spelling(id, train, schema) {
            Some((names, spelling)) if ty.axes.len() == 2 => Meaning::Text(names, spelling),
            _ => Meaning::Numbers,
        },
        (Kind::Index(id), None) => Meaning::Classes(class_names(id, train, schema).unwrap_or_default()),
        (Kind::Index(_) | Kind::Plain | Kind::Logit | Kind::Prob, _) => Meaning::Numbers,
    }
}

/// The words of the positions of an axis, when a column of words made it.
fn class_names(id: AxisId, train: &Train, schema: &Schema) -> Option<Vec<String>> {
    let input = train.inputs.iter().find(|input| input.ty.kind == Kind::Index(id))?;
    let column: &Column = schema.column(input.name)?;
    match &column.ty {
        ColumnType::Index { names, .. } if !names.is_empty() => Some(names.clone()),
        ColumnType::Index { .. } | ColumnType::F32 | ColumnType::Truth | ColumnType::Count => None,
    }
}

/// The pieces of the positions of an axis, and how they make a text, when a column of texts made it.
fn spelling(id: AxisId, train: &Train, schema: &Schema) -> Option<(Vec<String>, Spelling)> {
    let input = train.inputs.iter().find(|input| input.ty.kind == Kind::Index(id))?;
    match &schema.column(input.name)?.ty {
        ColumnType::Index { names, spelling, .. } if *spelling != Spelling::Names => Some((names.clone(), *spelling)),
        ColumnType::Index { .. } | ColumnType::F32 | ColumnType::Truth | ColumnType::Count => None,
    }
}
