//! What a program keeps while it is elaborated: parameters and states by path.

use rustc_hash::FxHashMap;

use crate::ir::LayerId;
use crate::sema::typed::{self, Applied, ExprId};

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
    /// Parameters by path.
    pub paths: FxHashMap<String, usize>,
    /// States by path.
    pub state_paths: FxHashMap<String, usize>,
    sites: FxHashMap<String, u32>,
}

impl Store {
    /// The name of the next random draw at a place; the sections of a run draw alike.
    pub fn site(&mut self, path: &str) -> String {
        let count = self.sites.entry(path.to_owned()).or_insert(0);
        *count += 1;
        format!("{path}#{count}")
    }

    /// Starts a section: no pending states, random draws counted anew.
    pub fn start_section(&mut self) {
        self.pending.clear();
        self.sites.clear();
    }
}
