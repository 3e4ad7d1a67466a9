//! What a run tells while it goes on.
//!
//! In: what happened. Out: the same as JSON, one object an event: the lines of `metrics.jsonl` and of
//! `--json`. Whoever shows a run implements `Watch`.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Values reported on one split: the loss, then the metrics.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Report {
    /// Numbers by name.
    pub values: Vec<(String, f64)>,
    /// Tables by name.
    pub tables: Vec<(String, Table)>,
}

/// A metric with one or two axes.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Table {
    /// The axes, outermost first.
    pub axes: Vec<TableAxis>,
    /// Row by row.
    pub data: Vec<f64>,
}

/// An axis of a table.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct TableAxis {
    /// Its name in the program.
    pub name: String,
    /// What its places are called: classes by their words, else by number.
    pub places: Vec<String>,
}

impl Table {
    /// The numbers as rows; a table of one axis is one row.
    pub fn rows(&self) -> impl Iterator<Item = &[f64]> {
        let width = self.axes.last().map_or(1, |axis| axis.places.len());
        self.data.chunks(width.max(1))
    }
}

impl Serialize for Table {
    /// `[[5.0, 1.0], [0.0, 7.0]]`
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.axes.len() {
            2 => serializer.collect_seq(self.rows()),
            _ => serializer.collect_seq(&self.data),
        }
    }
}

impl Report {
    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }
}

impl Serialize for Report {
    /// `{"loss": 0.1, "accuracy": 0.95}`, tables as nested lists; what is not finite is null.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.values.len() + self.tables.len()))?;
        for (name, value) in &self.values {
            map.serialize_entry(name, value)?;
        }
        for (name, table) in &self.tables {
            map.serialize_entry(name, table)?;
        }
        map.end()
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

/// Why a run ended early.
#[derive(Clone, PartialEq, Debug)]
pub enum Ended {
    /// Nothing better within the epochs of `patience`.
    Patience {
        /// The epoch of the best value.
        best: u64,
    },
    /// `diverged`: a loss has grown.
    Diverged {
        /// Which: `train.loss`.
        watched: String,
        /// What it came to; of steps their running mean.
        value: f64,
        /// Its least before; none when it never was a number.
        least: Option<f64>,
    },
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
    /// As many steps are done as `log` asks for.
    Log {
        /// The epoch, from 1.
        epoch: u64,
        /// The last step, from 1.
        step: u64,
        /// Means over the steps since the last such event.
        report: &'a Report,
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
    /// Training ends early, as `stop` asks.
    Stopped {
        /// The last epoch, which may be cut short.
        epoch: u64,
        /// Steps so far.
        step: u64,
        /// Which rule it was.
        why: &'a Ended,
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
    /// The loss is no number; the last sound weights are saved.
    Diverged {
        /// The epoch, from 1.
        epoch: u64,
        /// The step, from 1.
        step: u64,
        /// What it is told as.
        message: &'a str,
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
    /// As one line of JSON without its end.
    pub fn to_json(&self) -> String {
        // Names and numbers always make JSON.
        serde_json::to_string(self).expect("an event is plain data")
    }

    fn name(&self) -> &'static str {
        match self {
            Event::Start(_) => "start",
            Event::Step { .. } => "step",
            Event::Log { .. } => "log",
            Event::Epoch { .. } => "epoch",
            Event::Stopped { .. } => "stopped",
            Event::Done { .. } => "done",
            Event::Diverged { .. } => "diverged",
            Event::Interrupted { .. } => "interrupted",
        }
    }
}

impl Serialize for Event<'_> {
    /// An object with `event` first and the rest in the order of reading.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("event", self.name())?;
        match self {
            Event::Start(start) => {
                map.serialize_entry("train", &start.name)?;
                map.serialize_entry("run", &start.run)?;
                map.serialize_entry("seed", &start.seed)?;
                map.serialize_entry("parameters", &start.parameters)?;
                let [train, valid, test] = start.rows;
                map.serialize_entry("rows", &BTreeMap::from([("train", train), ("valid", valid), ("test", test)]))?;
                map.serialize_entry("batch", &start.batch)?;
                map.serialize_entry("steps_per_epoch", &start.steps_per_epoch)?;
                map.serialize_entry("steps", &start.steps)?;
                map.serialize_entry("epochs", &start.epochs)?;
                map.serialize_entry("finished", &start.finished)?;
            }
            Event::Step { epoch, step, loss } => {
                map.serialize_entry("epoch", epoch)?;
                map.serialize_entry("step", step)?;
                map.serialize_entry("loss", loss)?;
            }
            Event::Log { epoch, step, report } => {
                map.serialize_entry("epoch", epoch)?;
                map.serialize_entry("step", step)?;
                map.serialize_entry("train", report)?;
            }
            Event::Epoch { epoch, step, reports, best } => {
                map.serialize_entry("epoch", epoch)?;
                map.serialize_entry("step", step)?;
                for (split, report) in *reports {
                    map.serialize_entry(split, report)?;
                }
                map.serialize_entry("best", best)?;
            }
            Event::Stopped { epoch, step, why } => {
                map.serialize_entry("epoch", epoch)?;
                map.serialize_entry("step", step)?;
                match why {
                    Ended::Patience { best } => map.serialize_entry("best", best)?,
                    Ended::Diverged { watched, value, least } => {
                        map.serialize_entry("diverged", watched)?;
                        map.serialize_entry("value", value)?;
                        map.serialize_entry("least", least)?;
                    }
                }
            }
            Event::Done { test, epoch, step, run } => {
                map.serialize_entry("epoch", epoch)?;
                map.serialize_entry("step", step)?;
                map.serialize_entry("test", test)?;
                map.serialize_entry("run", run)?;
            }
            Event::Diverged { epoch, step, message, run } => {
                map.serialize_entry("epoch", epoch)?;
                map.serialize_entry("step", step)?;
                map.serialize_entry("message", message)?;
                map.serialize_entry("run", run)?;
            }
            Event::Interrupted { epoch, step, run } => {
                map.serialize_entry("epoch", epoch)?;
                map.serialize_entry("step", step)?;
                map.serialize_entry("run", run)?;
            }
        }
        map.end()
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
