//! The folder of a run: everything to evaluate, predict and go on without the original program.
//!
//! ```text
//! runs/iris-1/program.model            the program with what the command line set
//!             run.json                 where it came from, and what its data was like
//!             fitted.json              what was fitted on the training rows, by data
//!             metrics.jsonl            an object for each epoch, and one for the end
//!             weights.safetensors      parameters and states of layers
//!             optimizer.safetensors    states of the optimizer
//!             checkpoint.safetensors   only while the run is not finished
//!             checkpoints/step-100.safetensors   what `checkpoint = every(100 steps)` keeps
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::checkpoint::Position;
use super::event::Event;
use crate::base::{FileId, Span, Symbol};
use crate::data::{Axis, Column, ColumnType, Dataset, Fitted, Open, Schema, Spelling};
use crate::diag::{Diagnostic, run as told};
use crate::driver::{Checked, Session};

const PROGRAM: &str = "program.model";
const RECORD: &str = "run.json";
const FITTED: &str = "fitted.json";
const METRICS: &str = "metrics.jsonl";
const WEIGHTS: &str = "weights.safetensors";
const OPTIMIZER: &str = "optimizer.safetensors";
const CHECKPOINT: &str = "checkpoint.safetensors";
const CHECKPOINTS: &str = "checkpoints";

/// A run's folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunFolder(PathBuf);

/// How a run has ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// As it should.
    Done {
        /// The epoch of the weights that it kept, from 1; 0 for those of the start.
        epoch: u64,
    },
    /// Its loss is no number, which is told so.
    Diverged(String),
}

/// Where a run came from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Recorded {
    /// The layout of this file.
    pub format: u32,
    /// The version of the compiler.
    pub tensa: String,
    /// The program as it was named.
    pub program: String,
    /// The folder that paths of data start from.
    pub folder: PathBuf,
    /// What the command line set; `program.model` has it in its place.
    pub set: Vec<(String, String)>,
    /// The files the program used, by their paths from its folder.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub used: BTreeMap<String, String>,
    /// Which `train` of the program, from 0.
    pub train: usize,
    /// What each `data` was like.
    pub data: BTreeMap<String, RecordedData>,
}

/// What data was like.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RecordedData {
    rows: [usize; 3],
    batch: usize,
    columns: Vec<RecordedColumn>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct RecordedColumn {
    name: String,
    axes: Vec<(Option<String>, usize)>,
    /// Whether a batch has all of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    whole: bool,
    /// For class numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<RecordedIndex>,
    /// What it is of a padded column: its truths or its lengths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<RecordedTold>,
    /// Whether each batch says the size of its first axis.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    open: bool,
    /// How large that is at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    most: Option<usize>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct RecordedTold {
    of: Option<String>,
    truths: bool,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct RecordedIndex {
    axis: Option<String>,
    size: usize,
    names: Vec<String>,
    #[serde(default)]
    spelling: Spelling,
}

impl RecordedData {
    /// Takes down a schema.
    fn of(schema: &Schema) -> RecordedData {
        let text = |symbol: Option<Symbol>| symbol.map(|symbol| symbol.to_string());
        let columns = schema.columns.iter().map(|column| RecordedColumn {
            name: column.name.to_string(),
            whole: column.whole,
            axes: column.axes.iter().map(|axis| (text(axis.name), axis.size)).collect(),
            index: match &column.ty {
                ColumnType::F32 | ColumnType::Truth | ColumnType::Count => None,
                ColumnType::Index { axis, size, names, spelling } => {
                    let (axis, names) = (text(*axis), names.clone());
                    Some(RecordedIndex { axis, size: *size, names, spelling: *spelling })
                }
            },
            told: match column.ty {
                ColumnType::Truth | ColumnType::Count => {
                    Some(RecordedTold { of: text(column.of), truths: column.ty == ColumnType::Truth })
                }
                ColumnType::F32 | ColumnType::Index { .. } => None,
            },
            open: column.axes.iter().any(|axis| axis.open.is_some()),
            most: column.axes.iter().find_map(|axis| axis.open?.most),
        });
        RecordedData { rows: schema.rows, batch: schema.batch, columns: columns.collect() }
    }

    /// The schema again; its places are those of no text.
    fn schema(&self, name: &str) -> Schema {
        let symbol = |text: &Option<String>| text.as_deref().map(Symbol::new);
        let columns = self.columns.iter().map(|column| Column {
            name: Symbol::new(&column.name),
            whole: column.whole,
            span: Span { file: FileId(0), start: 0, end: 0 },
            ty: match (&column.index, &column.told) {
                (None, None) => ColumnType::F32,
                (None, Some(told)) if told.truths => ColumnType::Truth,
                (None, Some(_)) => ColumnType::Count,
                (Some(RecordedIndex { axis, size, names, spelling }), _) => {
                    ColumnType::Index { axis: symbol(axis), size: *size, names: names.clone(), spelling: *spelling }
                }
            },
            of: column.told.as_ref().and_then(|told| symbol(&told.of)),
            axes: column
                .axes
                .iter()
                .zip(0..)
                .map(|((name, size), at)| {
                    let open = (column.open && at == 0).then_some(Open { most: column.most });
                    Axis { name: symbol(name), size: *size, open }
                })
                .collect(),
        });
        Schema { name: Symbol::new(name), columns: columns.collect(), rows: self.rows, batch: self.batch }
    }
}

impl Recorded {
    /// For a run of a program.
    pub fn new(session: &Session, checked: &Checked, train: usize) -> Recorded {
        // A folder that has no absolute path is gone; then so is the data.
        let folder = if session.folder.as_os_str().is_empty() { Path::new(".") } else { &session.folder };
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| session.folder.clone());
        let data = checked.datasets.iter().map(|(name, data)| (name.to_string(), RecordedData::of(data.schema())));
        Recorded {
            format: 1,
            tensa: env!("CARGO_PKG_VERSION").to_owned(),
            program: session.sources.file(session.file).name.clone(),
            folder,
            set: session.overrides().to_vec(),
            used: session.used(),
            train,
            data: data.collect(),
        }
    }

    /// The schemas of the data, by name.
    pub fn schemas(&self) -> FxHashMap<Symbol, Schema> {
        self.data.iter().map(|(name, data)| (Symbol::new(name), data.schema(name))).collect()
    }
}

impl RunFolder {
    /// Makes the next folder of a name: `runs/iris-3` when `runs/iris-2` is there.
    pub fn create(runs: &Path, name: &str) -> Result<RunFolder, Diagnostic> {
        let refused = |path: &Path, error: std::io::Error| told::cannot_write(path, &error.to_string());
        fs::create_dir_all(runs).map_err(|error| refused(runs, error))?;
        let mut number = last_number(runs, name) + 1;
        loop {
            let path = runs.join(format!("{name}-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(RunFolder(path)),
                // Another process was faster.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(refused(&path, error)),
            }
        }
    }

    /// The folder of a run with this path: new, or as a run that was interrupted left it.
    pub fn at(path: &Path) -> Result<RunFolder, Diagnostic> {
        let folder = RunFolder(path.to_owned());
        if folder.checkpoint().exists() || folder.end().is_some() {
            return Ok(folder);
        }
        // What ended before its first checkpoint begins again.
        let removed = if path.exists() { fs::remove_dir_all(path) } else { Ok(()) };
        removed
            .and_then(|()| fs::create_dir_all(path))
            .map_err(|error| told::cannot_write(path, &error.to_string()))?;
        Ok(folder)
    }

    /// How the run has ended, if it has.
    pub fn end(&self) -> Option<Ending> {
        let lines = self.metrics();
        let is = |line: &&serde_json::Value, event: &str| line["event"] == event;
        if let Some(line) = lines.iter().find(|line| is(line, "diverged")) {
            return Some(Ending::Diverged(line["message"].as_str().unwrap_or_default().to_owned()));
        }
        let done = lines.iter().find(|line| is(line, "done"))?;
        Some(Ending::Done { epoch: done["epoch"].as_u64()? })
    }

    /// What a split reported after an epoch.
    pub fn reported(&self, epoch: u64, split: &str, name: &str) -> Option<f64> {
        let lines = self.metrics();
        let line = lines.iter().find(|line| line["event"] == "epoch" && line["epoch"] == epoch)?;
        line[split][name].as_f64()
    }

    /// The events that were taken down; none when there is no such file.
    fn metrics(&self) -> Vec<serde_json::Value> {
        let text = fs::read_to_string(self.0.join(METRICS)).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// A file of this folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A folder that is a run.
    pub fn open(path: &Path) -> Result<RunFolder, Diagnostic> {
        let folder = RunFolder(path.to_owned());
        folder.read(RECORD)?;
        Ok(folder)
    }

    /// Writes what is known before the first step.
    pub fn describe(
        &self,
        recorded: &Recorded,
        program: &str,
        datasets: &FxHashMap<Symbol, Dataset>,
    ) -> Result<(), Diagnostic> {
        let fitted: BTreeMap<String, &Fitted> =
            datasets.iter().map(|(name, dataset)| (name.to_string(), dataset.fitted())).collect();
        // Names and finite numbers always make JSON.
        let json = |text: Result<String, serde_json::Error>| text.expect("a record is plain data") + "\n";
        self.write(PROGRAM, program)?;
        self.write(FITTED, &json(serde_json::to_string_pretty(&fitted)))?;
        self.write(RECORD, &json(serde_json::to_string_pretty(recorded)))
    }

    /// Where the run came from.
    pub fn recorded(&self) -> Result<Recorded, Diagnostic> {
        let recorded: Recorded = self.parsed(RECORD)?;
        match recorded.format {
            1 => Ok(recorded),
            other => Err(told::cannot_read(&self.0.join(RECORD), &format!("its format is {other}, not 1"))),
        }
    }

    /// What was fitted on the training rows, by data.
    pub fn fitted(&self) -> Result<FxHashMap<Symbol, Fitted>, Diagnostic> {
        let fitted: BTreeMap<String, Fitted> = self.parsed(FITTED)?;
        Ok(fitted.into_iter().map(|(name, fitted)| (Symbol::new(&name), fitted)).collect())
    }

    /// The path as it is shown.
    pub fn shown(&self) -> String {
        self.0.display().to_string()
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The program as it was trained.
    pub fn program(&self) -> PathBuf {
        self.0.join(PROGRAM)
    }

    /// The weights.
    pub fn weights(&self) -> PathBuf {
        self.0.join(WEIGHTS)
    }

    pub(super) fn optimizer(&self) -> PathBuf {
        self.0.join(OPTIMIZER)
    }

    /// From where the run goes on.
    pub fn checkpoint(&self) -> PathBuf {
        self.0.join(CHECKPOINT)
    }

    pub(super) fn remove_checkpoint(&self) -> Result<(), Diagnostic> {
        let path = self.checkpoint();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(told::cannot_write(&path, &error.to_string())),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    pub(super) fn append_metrics(&self, event: &Event<'_>) -> Result<(), Diagnostic> {
        let path = self.0.join(METRICS);
        let file = fs::OpenOptions::new().create(true).append(true).open(&path);
        let line = format!("{}\n", event.to_json());
        file.and_then(|mut file| file.write_all(line.as_bytes()))
            .map_err(|error| told::cannot_write(&path, &error.to_string()))
    }

    /// Keeps a copy of the checkpoint, and of such copies the newest `keep`.
    pub(super) fn keep_checkpoint(&self, step: u64, keep: Option<u64>) -> Result<(), Diagnostic> {
        let folder = self.0.join(CHECKPOINTS);
        let path = folder.join(format!("step-{step}.safetensors"));
        let copied = fs::create_dir_all(&folder).and_then(|()| fs::copy(self.checkpoint(), &path));
        copied.map_err(|error| told::cannot_write(&path, &error.to_string()))?;
        let mut steps = self.kept_checkpoints();
        steps.sort_unstable_by(|a, b| b.cmp(a));
        let keep = keep.and_then(|keep| usize::try_from(keep).ok()).unwrap_or(usize::MAX);
        steps.into_iter().skip(keep).try_for_each(|step| self.remove_kept(step))
    }

    /// The steps of the checkpoints that stay.
    fn kept_checkpoints(&self) -> Vec<u64> {
        let entries = fs::read_dir(self.0.join(CHECKPOINTS)).into_iter().flatten().flatten();
        let step = |entry: fs::DirEntry| {
            let file = entry.file_name().into_string().ok()?;
            file.strip_prefix("step-")?.strip_suffix(".safetensors")?.parse().ok()
        };
        entries.filter_map(step).collect()
    }

    fn remove_kept(&self, step: u64) -> Result<(), Diagnostic> {
        let path = self.0.join(CHECKPOINTS).join(format!("step-{step}.safetensors"));
        fs::remove_file(&path).map_err(|error| told::cannot_write(&path, &error.to_string()))
    }

    /// The run of a checkpoint that stayed, which goes on from there: the file is that of the run again.
    pub fn of_checkpoint(path: &Path) -> Option<Result<RunFolder, Diagnostic>> {
        let checkpoints = path.parent().filter(|folder| folder.file_name().is_some_and(|name| name == CHECKPOINTS))?;
        let opened = RunFolder::open(checkpoints.parent()?);
        Some(opened.and_then(|folder| match fs::copy(path, folder.checkpoint()) {
            Ok(_) => Ok(folder),
            Err(error) => Err(told::cannot_read(path, &error.to_string())),
        }))
    }

    /// Drops what a run that goes on from a position does again: lines of steps and epochs, and checkpoints.
    pub(super) fn keep_until(&self, position: &Position) -> Result<(), Diagnostic> {
        let later = self.kept_checkpoints().into_iter().filter(|step| *step > position.step);
        later.into_iter().try_for_each(|step| self.remove_kept(step))?;
        let path = self.0.join(METRICS);
        if !path.exists() {
            return Ok(());
        }
        let stays = |line: &str| -> Option<bool> {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            let number = |name: &str| line.get(name)?.as_u64();
            Some(match line.get("event")?.as_str()? {
                "epoch" => number("epoch")? <= position.epoch,
                "log" => number("step")? <= position.step,
                _ => false,
            })
        };
        let text = self.read(METRICS)?;
        let kept = text.lines().filter(|line| stays(line) == Some(true));
        let kept: String = kept.flat_map(|line| [line, "\n"]).collect();
        self.write(METRICS, &kept)
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Diagnostic> {
        let path = self.0.join(name);
        let written = || -> std::io::Result<()> {
            let mut file = tempfile::Builder::new().tempfile_in(&self.0)?;
            file.write_all(text.as_bytes())?;
            readable(file.path())?;
            file.persist(&path).map_err(|failed| failed.error)?;
            Ok(())
        };
        written().map_err(|error| told::cannot_write(&path, &error.to_string()))
    }

    fn read(&self, name: &str) -> Result<String, Diagnostic> {
        let path = self.0.join(name);
        fs::read_to_string(&path).map_err(|error| told::cannot_read(&path, &error.to_string()))
    }

    fn parsed<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<T, Diagnostic> {
        let text = self.read(name)?;
        serde_json::from_str(&text).map_err(|error| told::cannot_read(&self.0.join(name), &error.to_string()))
    }
}

/// A temporary file is private; what it becomes is not.
fn readable(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(path, fs::Permissions::from_mode(0o644))?;
    }
    let _ = path;
    Ok(())
}

/// The newest finished run of a name.
pub fn newest(runs: &Path, name: &str) -> Option<RunFolder> {
    let mut numbers = numbers(runs, name);
    numbers.sort_unstable();
    let folders = numbers.into_iter().rev().map(|number| RunFolder(runs.join(format!("{name}-{number}"))));
    folders.into_iter().find(|folder| folder.weights().exists())
}

fn last_number(runs: &Path, name: &str) -> u64 {
    numbers(runs, name).into_iter().max().unwrap_or(0)
}

/// The numbers of the folders of a name.
fn numbers(runs: &Path, name: &str) -> Vec<u64> {
    let Ok(entries) = fs::read_dir(runs) else { return Vec::new() };
    let number = |entry: fs::DirEntry| {
        let file = entry.file_name().into_string().ok()?;
        file.strip_prefix(name)?.strip_prefix('-')?.parse().ok()
    };
    entries.flatten().filter_map(number).collect()
}
