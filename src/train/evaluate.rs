//! Loss and metrics on one split.
//!
//! In: a model, the rows of a split. Out: a `Report`. The loss and every metric without states are means
//! over examples: each batch counts by its rows. A metric with states starts from its first values and is
//! read after the last batch, so that no value depends on how the rows were batched.

use super::checks;
use super::event::Report;
use super::feed::Feed;
use super::model::Model;
use crate::data::{Dataset, Part};
use crate::diag::Diagnostic;
use crate::driver;
use crate::ir::Role;
use crate::lower::Lowered;
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
    /// The last value of one that is kept, else the sum over all rows.
    total: f64,
}

impl Evaluator {
    /// Compiles the evaluation of a run.
    pub fn new(model: &Model<'_>, lowered: &Lowered, dataset: &Dataset) -> Result<Evaluator, Diagnostic> {
        let program = driver::kernels(&driver::forward(&lowered.evaluation));
        let askers = [Asker::Prediction, Asker::Evaluation];
        let feed = Feed::new(&model.graph, &dataset.schema().columns).held_to(&model.demands, &askers);
        let loss = lowered.evaluation.output(&Role::Loss).map(|_| ("loss".to_owned(), Role::Loss, false));
        let metrics = lowered.metrics.iter().map(|(name, kept)| (name.clone(), Role::Metric(name.clone()), *kept));
        let values = loss.into_iter().chain(metrics);
        let values = values.map(|(name, role, kept)| Value { name, role, kept, total: 0.0 }).collect();
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
        self.values.iter_mut().for_each(|value| value.total = 0.0);
        for index in 0..loader.batches() {
            let rows = self.feed.load(&loader, 0, index)?;
            let inputs = self.feed.inputs();
            let env = Env { inputs: &inputs, sizes: self.feed.sizes(), seed: model.seed, step: 0, steps_per_epoch: 0 };
            let results = self.executable.run(&env, &mut model.store)?;
            checks::hold(&results, &model.checks, self.feed.sizes())?;
            for value in &mut self.values {
                let now = f64::from(results.scalar(&value.role).unwrap_or(f32::NAN));
                match value.kept {
                    true => value.total = now,
                    false => value.total += now * rows as f64,
                }
            }
        }
        let rows = loader.rows() as f64;
        let read = |value: &Value| (value.name.clone(), if value.kept { value.total } else { value.total / rows });
        Ok(Some(Report { values: self.values.iter().map(read).collect() }))
    }
}
