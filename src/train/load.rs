//! `load("base.safetensors", Net())` and `init = "weights.safetensors"`: first values out of a file.
//!
//! In: the loads of a run, the folder of its program. Out: the words of each parameter and state that a file
//! gives, checked one by one: what a layer has and the file lacks, what the file has and no layer takes, and
//! shapes that differ are mistakes, told before anything runs.

use std::collections::BTreeSet;
use std::path::Path;

use super::model::Model;
use crate::diag::{Diagnostic, run as told};
use crate::ir::{ParamId, StateId};
use crate::sema::glob;
use crate::sema::typed::{Load, Program, Train, Type};
use crate::tensor::Tensor;
use crate::tensor::safetensors;

/// A parameter or a state with its words out of a file.
pub enum Loaded {
    /// Of a parameter.
    Param(usize, Vec<u32>),
    /// Of a state.
    State(usize, Vec<u32>),
}

/// Reads the files of a run.
pub fn read_loads(program: &Program, train: &Train, folder: &Path) -> Result<Vec<Loaded>, Diagnostic> {
    let mut loaded = Vec::new();
    for (at, load) in train.loads.iter().enumerate() {
        let path = folder.join(&load.file);
        let stored = safetensors::read_any(&path).map_err(|error| told::cannot_load(&error.to_string(), load.span))?;
        let known: Vec<&str> = stored.tensors.keys().map(String::as_str).collect();
        let params = train.params.iter().enumerate().filter(|(_, param)| param.load == Some(at));
        let params = params.map(|(index, param)| (Loaded::Param(index, Vec::new()), &param.path, &param.ty));
        let states = train.states.iter().enumerate().filter(|(_, state)| state.load == Some(at));
        let states = states.map(|(index, state)| (Loaded::State(index, Vec::new()), &state.path, &state.ty));
        let mut taken: BTreeSet<String> = BTreeSet::new();
        let mut lacking: Vec<&str> = Vec::new();
        for (target, path, ty) in params.chain(states) {
            let wanted = wanted(load, path);
            let Some(source) = wanted.into_iter().find(|source| stored.tensors.contains_key(&source.name)) else {
                if !is_excepted(load, path) {
                    lacking.push(path);
                }
                continue;
            };
            let words = words(program, load, &stored.tensors[&source.name].tensor, &source, ty)?;
            taken.insert(source.name);
            loaded.push(match target {
                Loaded::Param(index, _) => Loaded::Param(index, words),
                Loaded::State(index, _) => Loaded::State(index, words),
            });
        }
        if !lacking.is_empty() {
            return Err(match load.is_of_run() {
                true => told::init_lacks(&load.file, &lacking, load.span),
                false => told::load_lacks(&load.file, &lacking, &known, load.span),
            });
        }
        let left = known.into_iter().filter(|name| !taken.contains(*name) && !is_excepted(load, name));
        // A run's file of weights also holds those that follow.
        let left: Vec<&str> = left.filter(|name| !name.starts_with("ema/") && !name.starts_with("ema(")).collect();
        if !left.is_empty() {
            return Err(match load.is_of_run() {
                true => told::init_leaves(&load.file, &left, load.span),
                false => told::load_leaves(&load.file, &left, load.span),
            });
        }
    }
    Ok(loaded)
}

impl Model<'_> {
    /// Gives parameters and states the values of files; what follows a parameter begins where it does.
    pub fn take_loads(&mut self, train: &Train, loaded: &[Loaded]) {
        for value in loaded {
            match value {
                Loaded::Param(index, words) => {
                    self.store.param_mut(ParamId(*index as u32)).copy_from_slice(words);
                    for (_, state) in train.shadows.iter().filter(|(param, _)| param == index) {
                        self.store.state_mut(StateId(*state as u32)).copy_from_slice(words);
                    }
                }
                Loaded::State(index, words) => self.store.state_mut(StateId(*index as u32)).copy_from_slice(words),
            }
        }
    }
}

/// Where a file has a tensor.
struct Source {
    name: String,
    /// The axes in the order of the file, when it is another one.
    axes: Option<Vec<String>>,
}

/// The names a tensor may have in the file: the one that `names` gives it, else its own path, with the name of
/// the definition before it, or without the path of the layer.
fn wanted(load: &Load, path: &str) -> Vec<Source> {
    let inner = path.strip_prefix(&load.below).and_then(|rest| rest.strip_prefix('.')).unwrap_or(path);
    for (key, name) in &load.names {
        let captured = glob::captures(key, inner).or_else(|| glob::captures(key, path));
        if let Some(captured) = captured {
            return vec![renamed(key, &captured, name)];
        }
    }
    let names = [path.to_owned(), format!("{}.{inner}", load.layer), inner.to_owned()];
    names.map(|name| Source { name, axes: None }).into()
}

/// `layers.{i}.q_proj.*[out, i]`: each star takes what the star of its kind stood for, `{i}` the last number.
fn renamed(key: &str, captured: &[String], name: &str) -> Source {
    let (name, axes) = match name.strip_suffix(']').and_then(|text| text.rsplit_once('[')) {
        Some((name, axes)) => (name, Some(axes.split(',').map(|axis| axis.trim().to_owned()).collect())),
        None => (name, None),
    };
    let kinds = key.split('.').flat_map(|part| match part {
        "**" => vec![true],
        part => vec![false; part.matches('*').count()],
    });
    let (mut deep, mut flat) = (Vec::new(), Vec::new());
    kinds.zip(captured).for_each(|(is_deep, text)| if is_deep { deep.push(text) } else { flat.push(text) });
    let (mut deep, mut flat) = (deep.into_iter(), flat.into_iter());
    let number = captured.iter().flat_map(|text| text.split('.')).rfind(|part| part.parse::<u64>().is_ok());
    let mut made = String::new();
    let mut rest = name;
    while let Some(at) = rest.find(['*', '{']) {
        made.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("**") {
            made.push_str(deep.next().map_or("", |text| text));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('*') {
            made.push_str(flat.next().map_or("", |text| text));
            rest = after;
        } else {
            made.push_str(number.unwrap_or_default());
            rest = rest.find('}').map_or("", |end| &rest[end + 1..]);
        }
    }
    made.push_str(rest);
    Source { name: made, axes }
}

fn is_excepted(load: &Load, name: &str) -> bool {
    let inner = name.strip_prefix(&load.below).and_then(|rest| rest.strip_prefix('.')).unwrap_or(name);
    load.except.iter().any(|glob| glob::matches(glob, name) || glob::matches(glob, inner))
}

/// The words of a tensor in the order of the program's axes.
fn words(program: &Program, load: &Load, tensor: &Tensor, source: &Source, ty: &Type) -> Result<Vec<u32>, Diagnostic> {
    let axes: Vec<&str> = ty.axes.iter().map(|axis| &*program.axes[axis.id.0 as usize]).collect();
    let shape: Vec<usize> = ty.axes.iter().map(|axis| axis.size.as_const().unwrap_or(0) as usize).collect();
    // For each axis of the program, which of the file's it is.
    let order: Option<Vec<usize>> = match &source.axes {
        None => Some((0..axes.len()).collect()),
        Some(named) if named.len() == axes.len() => {
            axes.iter().map(|axis| named.iter().position(|name| name == axis)).collect()
        }
        Some(_) => None,
    };
    let Some(order) = order else {
        let named = source.axes.clone().unwrap_or_default();
        return Err(told::load_axes(&source.name, &named.join(", "), &axes.join(", "), load.span));
    };
    let stored = tensor.shape();
    let turned: Option<Vec<usize>> = order.iter().map(|&at| stored.get(at).copied()).collect();
    if stored.len() != shape.len() || turned.as_deref() != Some(&shape[..]) {
        let shown =
            |sizes: &[usize]| format!("[{}]", sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", "));
        let flips = stored.len() == 2 && stored[0] == shape[shape.len() - 1] && stored[1] == shape[0];
        let turn = (flips && source.axes.is_none()).then(|| format!("{}[{}, {}]", source.name, axes[1], axes[0]));
        return Err(told::load_shape(&source.name, &shown(stored), &shown(&shape), turn.as_deref(), load.span));
    }
    let turned = tensor.clone().permuted(&order);
    super::words::words(ty.dtype, &turned).ok_or_else(|| told::load_dtype(&source.name, load.span))
}
