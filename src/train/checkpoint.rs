//! Parameters and states as safetensors files.
//!
//! In: a model, or a file. Out: the file, or the model with its values. `weights.safetensors` holds what a
//! trained model needs: parameters and states of layers. `optimizer.safetensors` holds the states of the
//! optimizer. `checkpoint.safetensors` holds everything from which a run goes on to the same bits: all
//! states, the best weights so far, and the position in the metadata; it is one file, so that it is whole
//! or not there. Each file is written to a temporary one first.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::model::{Model, Snapshot};
use super::stop::Seen;
use super::watch::Best;
use crate::diag::{Diagnostic, run as told};
use crate::ir::Ty;
use crate::sema::dtype::DType;
use crate::sema::typed::Owner;
use crate::tensor::safetensors::{self, Stored};
use crate::tensor::{Named, Tensor};

/// A value over the batches of an epoch.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Sum {
    /// The values, each times its rows.
    pub total: f64,
    /// The rows.
    pub rows: u64,
}

/// Where a run stands between two steps.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Position {
    /// Epochs finished.
    pub epoch: u64,
    /// Batches done of the next one.
    pub batch: usize,
    /// Steps done.
    pub step: u64,
    /// What the batches done came to, for each value that is reported of them.
    pub sums: Vec<Sum>,
    /// What `keep` watches.
    pub kept: Option<Best>,
    /// What each rule of `stop` has seen.
    #[serde(default)]
    pub seen: Vec<Seen>,
    /// What the steps came to since `log` was last due.
    #[serde(default)]
    pub logged: Vec<Sum>,
}

/// Paths of the best weights in a checkpoint.
const BEST: &str = "best/";
const POSITION: &str = "position";

impl Model<'_> {
    /// Writes parameters and states of layers.
    pub fn save_weights(&self, path: &Path, position: &Position) -> Result<(), Diagnostic> {
        let snapshot = self.snapshot();
        let mut tensors = BTreeMap::new();
        self.add(&mut tensors, "", &snapshot, |owner| owner == Owner::Layer, true);
        self.save(path, tensors, position)
    }

    /// Writes the states of the optimizer.
    pub fn save_optimizer(&self, path: &Path, position: &Position) -> Result<(), Diagnostic> {
        let snapshot = self.snapshot();
        let mut tensors = BTreeMap::new();
        self.add(&mut tensors, "", &snapshot, |owner| owner == Owner::Optimizer, false);
        self.save(path, tensors, position)
    }

    /// Writes everything from which the run goes on.
    pub(super) fn save_checkpoint(
        &self,
        path: &Path,
        position: &Position,
        best: Option<&Snapshot>,
    ) -> Result<(), Diagnostic> {
        let mut tensors = BTreeMap::new();
        self.add(&mut tensors, "", &self.snapshot(), |_| true, true);
        if let Some(best) = best {
            self.add(&mut tensors, BEST, best, |_| true, true);
        }
        self.save(path, tensors, position)
    }

    /// Reads what `save_weights` wrote.
    pub fn load_weights(&mut self, path: &Path) -> Result<(), Diagnostic> {
        let stored = read(path)?;
        let mut snapshot = self.snapshot();
        self.take(&mut snapshot, &stored, path, "", |owner| owner == Owner::Layer)?;
        self.restore(&snapshot);
        Ok(())
    }

    /// Reads what `save_checkpoint` wrote.
    pub(super) fn load_checkpoint(&mut self, path: &Path) -> Result<(Position, Option<Snapshot>), Diagnostic> {
        let stored = read(path)?;
        let position = stored.metadata.get(POSITION).and_then(|text| serde_json::from_str::<Position>(text).ok());
        let Some(position) = position else { return Err(told::cannot_read(path, "it is no checkpoint")) };
        let mut snapshot = self.snapshot();
        self.take(&mut snapshot, &stored, path, "", |_| true)?;
        self.restore(&snapshot);
        let has_best = stored.tensors.keys().any(|name| name.starts_with(BEST));
        if has_best {
            self.take(&mut snapshot, &stored, path, BEST, |_| true)?;
        }
        Ok((position, has_best.then_some(snapshot)))
    }

    fn save(&self, path: &Path, tensors: BTreeMap<String, Named>, position: &Position) -> Result<(), Diagnostic> {
        let pairs = [
            ("epoch", position.epoch.to_string()),
            ("step", position.step.to_string()),
            ("seed", self.seed.to_string()),
            // Numbers and names always make JSON.
            (POSITION, serde_json::to_string(position).expect("a position is plain data")),
        ];
        let metadata = pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        safetensors::write(path, &Stored { tensors, metadata })
            .map_err(|error| told::stored_file(true, &error.to_string()))
    }

    /// Adds parameters and some states to the tensors of a file.
    fn add(
        &self,
        tensors: &mut BTreeMap<String, Named>,
        prefix: &str,
        snapshot: &Snapshot,
        wanted: impl Fn(Owner) -> bool,
        params: bool,
    ) {
        if params {
            for ((param, words), dtype) in self.graph.params.iter().zip(&snapshot.params).zip(&self.dtypes.params) {
                tensors.insert(format!("{prefix}{}", param.path), named(*dtype, &param.ty, &param.axes, words));
            }
        }
        let states = self.graph.states.iter().zip(&snapshot.states).zip(&self.dtypes.states).zip(&self.owners);
        for (((state, words), dtype), _) in states.filter(|(_, owner)| wanted(**owner)) {
            tensors.insert(format!("{prefix}{}", state.path), named(*dtype, &state.ty, &state.axes, words));
        }
    }

    /// Takes parameters and some states from the tensors of a file.
    fn take(
        &self,
        snapshot: &mut Snapshot,
        stored: &Stored,
        path: &Path,
        prefix: &str,
        wanted: impl Fn(Owner) -> bool,
    ) -> Result<(), Diagnostic> {
        let params = self.graph.params.iter().zip(&mut snapshot.params).zip(&self.dtypes.params);
        let params = params.map(|((param, words), dtype)| (&param.path, &param.ty, words, *dtype));
        let states = self.graph.states.iter().zip(&mut snapshot.states).zip(&self.dtypes.states).zip(&self.owners);
        let states = states
            .filter(|(_, owner)| wanted(**owner))
            .map(|(((state, words), dtype), _)| (&state.path, &state.ty, words, *dtype));
        for (name, ty, words, dtype) in params.chain(states) {
            let name = format!("{prefix}{name}");
            let Some(found) = stored.tensors.get(&name) else { return Err(told::weights_lack(path, &name)) };
            let wanted = named(dtype, ty, &found.axes, words).tensor;
            if found.tensor.shape() != wanted.shape() || found.tensor.dtype() != wanted.dtype() {
                let shown = |tensor: &Tensor| format!("{}{:?}", tensor.dtype(), tensor.shape());
                return Err(told::weights_differ(path, &name, &shown(&found.tensor), &shown(&wanted)));
            }
            if let Some(stored) = super::words::words(dtype, &found.tensor) {
                *words = stored;
            }
        }
        Ok(())
    }
}

/// Words as a tensor with the names of its axes.
fn named(dtype: DType, ty: &Ty, axes: &[String], words: &[u32]) -> Named {
    let shape: Vec<usize> = ty.dims.iter().map(|dim| dim.as_const().unwrap_or(0) as usize).collect();
    let tensor = super::words::tensor(dtype, &shape, words);
    // A parameter has the length of its type: `Store::of` made it so.
    Named { tensor: tensor.expect("as many words as the type says"), axes: axes.to_vec() }
}

fn read(path: &Path) -> Result<Stored, Diagnostic> {
    safetensors::read(path).map_err(|error| told::stored_file(false, &error.to_string()))
}
