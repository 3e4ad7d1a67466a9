//! Loss and metrics on one split.
//!
//! In: a model, the rows of a split. Out: a `Report`. The loss and every metric without states are means
//! over examples: each batch counts by its rows. A metric with states starts from its first values and is
//! read after the last batch, so that no value depends on how the rows were batched. A metric with axes is a table.

use super::checks;
use super::event::{Report, Table, TableAxis};
use super::feed::Feed;
use super::model::Model;
use crate::data::{ColumnType, Dataset, Part, Schema};
use crate::diag::Diagnostic;
use crate::driver;
use crate::ir::Role;
use crate::lower::{Lowered, MetricAxis};
use crate::runtime::Executable;
use crate::runtime::step::Env;
use crate::sema::typed::Asker;

/// The evaluation program of a model with its inputs.
pub struct Evaluator {
    executable: Executable,
    feed: Feed,
    values: Vec<Value>,
}

/// A reported value while it is collected.
struct Value {
    name: String,
    role: Role,
    /// Kept in states; else a mean over examples.
    kept: bool,
    /// Those of a table; a number has none.
    axes: Vec<TableAxis>,
    /// The last value of one that is kept, else the sum over all rows.
    total: Vec<f64>,
}

impl Evaluator {
    /// Compiles the evaluation of a run.
    pub fn new(model: &Model<'_>, lowered: &Lowered, dataset: &Dataset) -> Result<Evaluator, Diagnostic> {
        let program = driver::kernels(&driver::forward(&lowered.evaluation, lowered.precision));
        let askers = [Asker::Prediction, Asker::Evaluation];
        let feed = Feed::new(&model.graph, &dataset.schema().columns).held_to(&model.demands, &askers);
        let value = |name: &str, role: Role, kept: bool, axes: &[MetricAxis]| {
            let axes: Vec<TableAxis> = axes.iter().map(|axis| table_axis(axis, dataset.schema())).collect();
            let total = vec![0.0; axes.iter().map(|axis| axis.places.len()).product()];
            Value { name: name.to_owned(), role, kept, axes, total }
        };
        let loss = lowered.evaluation.output(&Role::Loss).map(|_| value("loss", Role::Loss, false, &[]));
        let metrics = lowered.metrics.iter();
        let metrics = metrics.map(|met| value(&met.name, Role::Metric(met.name.clone()), met.kept, &met.axes));
        let values = loss.into_iter().chain(metrics).collect();
        Ok(Evaluator { executable: model.compile(program)?, feed, values })
    }

    /// Evaluates a split in the order of its file; none when it has no rows.
    pub fn run(&mut self, model: &mut Model<'_>, dataset: &Dataset, part: Part) -> Result<Option<Report>, Diagnostic> {
        let loader = dataset.loader(part).only(&self.feed.names()).in_file_order();
        if loader.rows() == 0 {
            return Ok(None);
        }
        for (id, words) in &model.fresh {
            model.store.state_mut(*id).copy_from_slice(words);
        }
        self.values.iter_mut().for_each(|value| value.total.fill(0.0));
        for index in 0..loader.batches() {
            let rows = self.feed.load(&loader, 0, index)?;
            let inputs = self.feed.inputs();
            let env = Env { inputs: &inputs, sizes: self.feed.sizes(), seed: model.seed, step: 0, steps_per_epoch: 0 };
            let results = self.executable.run(&env, &mut model.store)?;
            checks::hold(&results, &model.checks, self.feed.sizes())?;
            for value in &mut self.values {
                let now = results.f32(&value.role).unwrap_or_else(|| vec![f32::NAN; value.total.len()]);
                for (total, now) in value.total.iter_mut().zip(now) {
                    match value.kept {
                        true => *total = f64::from(now),
                        false => *total += f64::from(now) * rows as f64,
                    }
                }
            }
        }
        Ok(Some(self.report(loader.rows())))
    }

    /// What the batches came to.
    fn report(&self, rows: usize) -> Report {
        let mut report = Report::default();
        for value in &self.values {
            let share = if value.kept { 1.0 } else { rows as f64 };
            let data: Vec<f64> = value.total.iter().map(|total| total / share).collect();
            match &data[..] {
                [number] if value.axes.is_empty() => report.values.push((value.name.clone(), *number)),
                _ => report.tables.push((value.name.clone(), Table { axes: value.axes.clone(), data })),
            }
        }
        report
    }
}

/// An axis with the words of its classes, where a column of words has them.
fn table_axis(axis: &MetricAxis, schema: &Schema) -> TableAxis {
    let size = usize::try_from(axis.size).unwrap_or(0);
    let words = axis.input.and_then(|input| schema.column(input)).and_then(|column| match &column.ty {
        ColumnType::Index { names, .. } if names.len() == size => Some(names.clone()),
        ColumnType::Index { .. } | ColumnType::F32 | ColumnType::Truth | ColumnType::Count => None,
    });
    let places = words.unwrap_or_else(|| (0..size).map(|place| place.to_string()).collect());
    TableAxis { name: axis.name.clone(), places }
}
