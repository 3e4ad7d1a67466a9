//! What a program keeps while it is elaborated: parameters and states by path.

use std::collections::BTreeMap;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::Span;
use crate::base::Symbol;
use crate::ir::{Dim, LayerId};
use crate::sema::load::Load;
use crate::sema::typed::{self, Applied, Axis, AxisId, Check, ExprId};
use crate::sema::value::Place;

/// Everything a program keeps.
#[derive(Default)]
pub(super) struct Store {
    pub params: Vec<typed::Param>,
    pub states: Vec<typed::State>,
    /// Layers in the order applied.
    pub layers: Vec<Applied>,
    /// The use of a layer whose body is being elaborated.
    pub layer: Option<LayerId>,
    /// New values of states in the section being elaborated.
    pub pending: Vec<(usize, ExprId)>,
    /// Parameters by path, in its order.
    pub paths: BTreeMap<String, usize>,
    /// States by path, in its order.
    pub state_paths: BTreeMap<String, usize>,
    /// Penalties of the section being elaborated, by name, once for each use.
    pub penalties: Vec<(Symbol, ExprId)>,
    /// For `ema`: the parameter, the state that follows it, and how much it keeps.
    pub shadows: Vec<(usize, usize, f64)>,
    /// Files that give first values.
    pub loads: Vec<Load>,
    /// Indices that the program says are numbers: `f32(y)`.
    pub meant: FxHashSet<ExprId>,
    /// Whether the section is the first; a layer is listed where it is applied first.
    pub is_first: bool,
    /// How often each path is among the layers.
    listed: FxHashMap<String, u32>,
    /// The layer in whose body each layer is made, by the path of the one that is made.
    makers: FxHashMap<Rc<str>, Rc<str>>,
    sites: FxHashMap<String, u32>,
    /// The places of the random draws of the section, in order.
    drawn: Vec<String>,
    /// What random draws of the section are told apart by.
    salt: String,
}

impl Store {
    /// The name of the next random draw at a place; the passes of a step draw each for themselves.
    pub fn site(&mut self, path: &str) -> String {
        let count = self.sites.entry(path.to_owned()).or_insert(0);
        *count += 1;
        self.drawn.push(path.to_owned());
        match self.salt.is_empty() {
            true => format!("{path}#{count}"),
            false => format!("{}/{path}#{count}", self.salt),
        }
    }

    /// The path of a layer that is made at a place. The second `B` and the second block of a stack in the first are
    /// both `B.1`, so a path that the body of another layer has given away is passed over.
    pub fn path_of(&mut self, place: &Place, name: &str) -> Rc<str> {
        loop {
            let path: Rc<str> = place.child(name).into();
            let maker = self.makers.entry(Rc::clone(&path)).or_insert_with(|| Rc::clone(&place.root));
            if *maker == place.root {
                return path;
            }
        }
    }

    /// Whether a layer keeps anything: it has been applied.
    pub fn keeps(&self, layer: &str) -> bool {
        let below = format!("{layer}.");
        let mut next =
            [&self.paths, &self.state_paths].into_iter().filter_map(|paths| paths.range(below.clone()..).next());
        next.any(|(path, _)| path.starts_with(&below))
    }

    /// The number of a load.
    pub fn load(&mut self, load: &Load) -> usize {
        self.loads.iter().position(|known| known == load).unwrap_or_else(|| {
            self.loads.push(load.clone());
            self.loads.len() - 1
        })
    }

    /// Adds a use of a layer.
    pub fn list(&mut self, applied: Applied) -> LayerId {
        *self.listed.entry(applied.path.clone()).or_insert(0) += 1;
        self.layers.push(applied);
        LayerId(self.layers.len() as u32 - 1)
    }

    /// Whether a use of a layer at this path is listed.
    pub fn is_listed(&self, path: &str) -> bool {
        self.listed.get(path).is_some_and(|&count| count > 0)
    }

    /// Starts a section: no pending states, random draws counted anew. `name` is that of the pass, if any.
    pub fn start_section(&mut self, name: &str) {
        self.pending.clear();
        self.penalties.clear();
        self.sites.clear();
        self.drawn.clear();
        self.salt = name.to_owned();
        self.is_first = self.layers.is_empty();
    }
}

/// How much a program kept at some point.
pub(super) struct StoreMark {
    params: usize,
    states: usize,
    layers: usize,
    pending: usize,
    penalties: usize,
    shadows: usize,
    loads: usize,
    drawn: usize,
}

impl Store {
    /// How much there is.
    pub fn mark(&self) -> StoreMark {
        StoreMark {
            params: self.params.len(),
            states: self.states.len(),
            layers: self.layers.len(),
            pending: self.pending.len(),
            penalties: self.penalties.len(),
            shadows: self.shadows.len(),
            loads: self.loads.len(),
            drawn: self.drawn.len(),
        }
    }

    /// Forgets what has come since.
    pub fn back_to(&mut self, mark: StoreMark) {
        self.params.truncate(mark.params);
        self.states.truncate(mark.states);
        for layer in self.layers.drain(mark.layers..) {
            if let Some(count) = self.listed.get_mut(&layer.path) {
                *count -= 1;
            }
        }
        self.pending.truncate(mark.pending);
        self.penalties.truncate(mark.penalties);
        self.shadows.truncate(mark.shadows);
        self.loads.truncate(mark.loads);
        self.paths.retain(|_, at| *at < mark.params);
        self.state_paths.retain(|_, at| *at < mark.states);
        for path in self.drawn.drain(mark.drawn..) {
            if let Some(count) = self.sites.get_mut(&path) {
                *count -= 1;
            }
        }
    }
}

/// A loop whose block is being elaborated.
pub(super) struct ActiveScan {
    pub id: u32,
    pub axis: Axis,
    /// Expressions from this one on belong to the block.
    pub start: usize,
    /// The rows of values from outside.
    pub rows: FxHashMap<ExprId, ExprId>,
    /// What is checked of the numbers of each position.
    pub checks: Vec<Check>,
}

/// The sequence that a generator writes.
pub(super) struct Stream {
    /// Its axis, of one place.
    pub axis: AxisId,
    /// That axis, and what stands for it in definitions.
    pub axes: FxHashSet<AxisId>,
    /// The place at hand, a number of the loop.
    pub now: ExprId,
    /// How many places there will be.
    pub size: Dim,
    /// The number of the loop.
    pub scan: u32,
    /// What is carried: the first value, and what a place makes of it. The first one is the last word.
    pub kept: Vec<(ExprId, ExprId)>,
    /// Whether what is built now may look along the sequence.
    pub inside: bool,
}

/// The sums over all parameters, while updates are elaborated.
#[derive(Clone, Default)]
pub(super) struct Totals {
    /// Those that are known, by their place.
    pub known: FxHashMap<Site, ExprId>,
    /// The parts that this round has found, in order.
    pub parts: Vec<(Site, ExprId)>,
    /// The parameter at hand has read a sum that is not known; what follows may depend on it.
    pub unknown: bool,
}

/// Where a `total` stands: the calls that lead to it, then itself.
pub(super) type Site = Vec<Span>;
