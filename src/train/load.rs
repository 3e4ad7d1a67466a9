//! `load("base.safetensors", Net())` and `init = "weights.safetensors"`: first values out of a file.
//!
//! In: the loads of a run, the folder of its program. Out: the words of each parameter and state that a file
//! gives, checked one by one: what a layer has and the file lacks, what the file has and no layer takes, and
//! shapes that differ are mistakes, told before anything runs.

use std::collections::BTreeSet;
use std::path::Path;

use super::model::Model;
use crate::diag::{Diagnostic, nearest, run as told};
use crate::ir::{ParamId, StateId};
use crate::sema::glob;
use crate::sema::load::Load;
use crate::sema::typed::{Program, Train, Type};
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
        let stored = safetensors::read_any(&path)
            .map_err(|error| told::cannot_load(&error.to_string(), near(&load.file, &path).as_deref(), load.span))?;
        let known: Vec<&str> = stored.tensors.keys().map(String::as_str).collect();
        let params = train.params.iter().enumerate().filter(|(_, param)| param.load == Some(at));
        let params = params.map(|(index, param)| (Loaded::Param(index, Vec::new()), &param.path, &param.ty));
        let states = train.states.iter().enumerate().filter(|(_, state)| state.load == Some(at));
        let states = states.map(|(index, state)| (Loaded::State(index, Vec::new()), &state.path, &state.ty));
        let mut taken: BTreeSet<String> = BTreeSet::new();
        let mut lacking: Vec<(&str, &Type)> = Vec::new();
        for (target, path, ty) in params.chain(states) {
            let wanted = wanted(load, path);
            let Some(source) = wanted.into_iter().find(|source| stored.tensors.contains_key(&source.name)) else {
                if !is_excepted(load, path) {
                    lacking.push((path, ty));
                }
                continue;
            };
            let words = words(program, load, &stored.tensors[&source.name].tensor, &source, (path, ty))?;
            taken.insert(source.name);
            loaded.push(match target {
                Loaded::Param(index, _) => Loaded::Param(index, words),
                Loaded::State(index, _) => Loaded::State(index, words),
            });
        }
        let left = known.iter().copied().filter(|name| !taken.contains(*name) && !is_excepted(load, name));
        // A run's file of weights also holds those that follow.
        let left: Vec<&str> = left.filter(|name| !name.starts_with("ema/") && !name.starts_with("ema(")).collect();
        if !lacking.is_empty() {
            let paths: Vec<&str> = lacking.iter().map(|(path, _)| *path).collect();
            let names: Vec<&str> = paths.iter().map(|path| inner(load, path)).collect();
            // What a file gives nothing of at all is not to be left out but another file's.
            let is_there = |name: &str| load.is_of_run() && known.contains(&name);
            let rest: Vec<&str> = names.iter().copied().filter(|name| !is_there(name)).collect();
            let leave_out = match taken.is_empty() && rest.len() == names.len() {
                true => Vec::new(),
                false => load.excepting(&rest),
            };
            return Err(match load.is_of_run() {
                true => told::init_lacks(&load.file, &paths, load.span, leave_out),
                false => {
                    let shapes = |name: &str| stored.tensors[name].tensor.shape().to_vec();
                    let pairs =
                        pairs(load, &lacking, &left.iter().map(|name| (*name, shapes(name))).collect::<Vec<_>>());
                    let named = if pairs.is_empty() { Vec::new() } else { load.naming(&pairs) };
                    told::load_lacks(&load.file, &paths, &known, load.span, [named, leave_out])
                }
            });
        }
        if !left.is_empty() {
            let leave_out = load.excepting(&left);
            return Err(match load.is_of_run() {
                true => told::init_leaves(&load.file, &left, load.span, leave_out),
                false => told::load_leaves(&load.file, &left, load.span, leave_out),
            });
        }
    }
    Ok(loaded)
}

/// The file beside that is called most like one that is not there, as the program would write it.
fn near(written: &str, path: &Path) -> Option<String> {
    let files = path.parent()?.read_dir().ok()?.flatten();
    let names: Vec<String> = files.filter_map(|file| file.file_name().into_string().ok()).collect();
    let (folder, name) =
        written.rsplit_once('/').map_or(("", written), |(_, name)| (&written[..written.len() - name.len()], name));
    let near = nearest(name, names.iter().map(String::as_str).filter(|other| *other != name))?;
    Some(format!("{folder}{near}"))
}

/// Each path that lacks a tensor with the one of the file that is left over and alone has its shape; none unless all
/// find one.
fn pairs<'a>(load: &Load, lacking: &[(&'a str, &Type)], left: &[(&'a str, Vec<usize>)]) -> Vec<(&'a str, &'a str)> {
    let partner = |(path, ty): &(&'a str, &Type)| {
        // What is said to have another name has none by a further line.
        if wanted(load, path).iter().any(|source| source.by.is_some()) {
            return None;
        }
        let shape: Vec<usize> = sizes(ty);
        let alike = |other: &Type| sizes(other) == shape;
        let mut fits = left.iter().filter(|(_, stored)| *stored == shape);
        let (fit, others) =
            (fits.next()?, fits.next().is_some() || lacking.iter().filter(|(_, ty)| alike(ty)).count() > 1);
        (!others).then_some((inner(load, path), fit.0))
    };
    lacking.iter().map(partner).collect::<Option<Vec<_>>>().unwrap_or_default()
}

fn sizes(ty: &Type) -> Vec<usize> {
    ty.axes.iter().map(|axis| axis.size.as_const().unwrap_or(0) as usize).collect()
}

/// The path of a tensor within its layer; of a run, within its model.
fn inner<'p>(load: &Load, path: &'p str) -> &'p str {
    if load.is_of_run() {
        return path.split_once('.').map_or(path, |(_, rest)| rest);
    }
    path.strip_prefix(&load.below).and_then(|rest| rest.strip_prefix('.')).unwrap_or(path)
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
    /// Which of `names` says so.
    by: Option<usize>,
}

/// The names a tensor may have in the file: the one that `names` gives it, else its own path, with the name of
/// the definition before it, or without the path of the layer.
fn wanted(load: &Load, path: &str) -> Vec<Source> {
    let inner = inner(load, path);
    for (at, (key, name)) in load.names.iter().enumerate() {
        let captured = glob::captures(key, inner).or_else(|| glob::captures(key, path));
        if let Some(captured) = captured {
            return vec![Source { by: Some(at), ..renamed(key, &captured, name) }];
        }
    }
    let names = [path.to_owned(), format!("{}.{inner}", load.layer), inner.to_owned()];
    names.map(|name| Source { name, axes: None, by: None }).into()
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
    Source { name: made, axes, by: None }
}

fn is_excepted(load: &Load, name: &str) -> bool {
    let inner = inner(load, name);
    load.except.iter().any(|glob| glob::matches(glob, name) || glob::matches(glob, inner))
}

/// The words of a tensor in the order of the program's axes.
fn words(
    program: &Program,
    load: &Load,
    tensor: &Tensor,
    source: &Source,
    (path, ty): (&str, &Type),
) -> Result<Vec<u32>, Diagnostic> {
    let axes: Vec<&str> = ty.axes.iter().map(|axis| &*program.axes[axis.id.0 as usize]).collect();
    let shape = sizes(ty);
    // What names the tensor with its axes in another order: as the program says it, with those axes instead.
    let named_with = |axes: &str| {
        let stem = |at: usize| load.names[at].1.split('[').next().unwrap_or_default();
        match source.by {
            Some(at) => load.renaming(at, &format!("{}[{axes}]", stem(at))),
            None => load.naming(&[(inner(load, path), &format!("{}[{axes}]", source.name))]),
        }
    };
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
        let (own, mut turned) = (axes.join(", "), axes.clone());
        turned.reverse();
        let mut orders = vec![own.clone()];
        orders.extend((axes.len() == 2).then(|| turned.join(", ")));
        let mends = orders.into_iter().map(|order| (named_with(&order), order)).collect();
        return Err(told::load_axes(&source.name, &named.join(", "), &own, load.span, mends));
    };
    let stored = tensor.shape();
    let turned: Option<Vec<usize>> = order.iter().map(|&at| stored.get(at).copied()).collect();
    if stored.len() != shape.len() || turned.as_deref() != Some(&shape[..]) {
        let shown =
            |sizes: &[usize]| format!("[{}]", sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", "));
        let flips = stored.len() == 2 && stored[0] == shape[shape.len() - 1] && stored[1] == shape[0];
        let turn = (flips && source.axes.is_none()).then(|| format!("{}, {}", axes[1], axes[0]));
        let turn = turn.map(|turned| (format!("{}[{turned}]", source.name), named_with(&turned)));
        return Err(told::load_shape(&source.name, &shown(stored), &shown(&shape), turn, load.span));
    }
    let turned = tensor.clone().permuted(&order);
    super::words::words(ty.dtype, &turned).ok_or_else(|| told::load_dtype(&source.name, load.span))
}
