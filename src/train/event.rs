//! What a run tells while it goes on.
//!
//! In: what happened. Out: the same as JSON, one object an event: the lines of `metrics.jsonl` and of
//! `--json`. Whoever shows a run implements `Watch`.

use serde_json::{Map, Value, json};

/// Values reported on one split: the loss, then the metrics.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Report {
    /// By name.
    pub values: Vec<(String, f64)>,
}

impl Report {
    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// `{"loss": 0.1, "accuracy": 0.95}`; what is not finite is null.
    pub fn to_json(&self) -> Value {
        Value::Object(self.values.iter().map(|(name, value)| (name.clone(), json!(value))).collect())
    }
}

/// What is known before the first step.
#[derive(Clone, PartialEq, Debug)]
pub struct Start {
    /// `Net on Iris`
    pub name: String,
    /// The run's folder.
    pub run: String,
    /// Of all random numbers.
    pub seed: u64,
    /// How many numbers are trained.
    pub parameters: usize,
    /// Rows to train, validate and test on.
    pub rows: [usize; 3],
    /// Rows of a batch.
    pub batch: usize,
    /// Steps of an epoch.
    pub steps_per_epoch: u64,
    /// All steps, unless the run stops early.
    pub steps: u64,
    /// All epochs; the last may be cut short.
    pub epochs: u64,
    /// Epochs finished before, when the run goes on from a checkpoint.
    pub finished: u64,
}

/// Something happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Event<'a> {
    /// Everything is compiled and the parameters have their first values.
    Start(&'a Start),
    /// A step is done.
    Step {
        /// Its epoch, from 1.
        epoch: u64,
        /// Its number, from 1.
        step: u64,
        /// The loss before its update.
        loss: f64,
    },
    /// An epoch is done and looked at.
    Epoch {
        /// Which, from 1.
        epoch: u64,
        /// Steps so far.
        step: u64,
        /// What each split reports, in the order train, valid, test.
        reports: &'a [(&'static str, Report)],
        /// Whether the weights of this epoch are the best so far.
        best: bool,
    },
    /// Training ends early: the watched value did not get better.
    Stopped {
        /// The last epoch.
        epoch: u64,
        /// That of the best value.
        best: u64,
    },
    /// The end.
    Done {
        /// On the test split with the weights kept; none without rows or without a wish for it.
        test: Option<&'a Report>,
        /// The epoch of the weights kept.
        epoch: u64,
        /// Steps in all.
        step: u64,
        /// The run's folder.
        run: &'a str,
    },
    /// A signal ended the run; its checkpoint is saved.
    Interrupted {
        /// Epochs finished.
        epoch: u64,
        /// Steps done.
        step: u64,
        /// The run's folder.
        run: &'a str,
    },
}

impl Event<'_> {
    /// As an object with `event` first.
    pub fn to_json(&self) -> Value {
        match self {
            Event::Start(start) => json!({
                "event": "start",
                "train": start.name,
                "run": start.run,
                "seed": start.seed,
                "parameters": start.parameters,
                "rows": { "train": start.rows[0], "valid": start.rows[1], "test": start.rows[2] },
                "batch": start.batch,
                "steps_per_epoch": start.steps_per_epoch,
                "steps": start.steps,
                "epochs": start.epochs,
                "finished": start.finished,
            }),
            Event::Step { epoch, step, loss } => {
                json!({ "event": "step", "epoch": epoch, "step": step, "loss": loss })
            }
            Event::Epoch { epoch, step, reports, best } => {
                let mut object = Map::new();
                object.insert("event".to_owned(), json!("epoch"));
                object.insert("epoch".to_owned(), json!(epoch));
                object.insert("step".to_owned(), json!(step));
                for (split, report) in *reports {
                    object.insert((*split).to_owned(), report.to_json());
                }
                object.insert("best".to_owned(), json!(best));
                Value::Object(object)
            }
            Event::Stopped { epoch, best } => json!({ "event": "stopped", "epoch": epoch, "best": best }),
            Event::Done { test, epoch, step, run } => {
                let test = test.map_or(Value::Null, Report::to_json);
                json!({ "event": "done", "test": test, "epoch": epoch, "step": step, "run": run })
            }
            Event::Interrupted { epoch, step, run } => {
                json!({ "event": "interrupted", "epoch": epoch, "step": step, "run": run })
            }
        }
    }
}

/// Whoever wants to know.
pub trait Watch {
    /// Something happened.
    fn on(&mut self, event: &Event<'_>);
}

/// Nobody.
impl Watch for () {
    fn on(&mut self, _: &Event<'_>) {}
}
