//! Axes with identity. A name means an axis within one body; inside a definition the same axis has
//! another name, and two axes of one name may meet in one tensor's row without mixing.

use crate::base::Symbol;
use crate::ir::Dim;

use super::typed::AxisId;

/// All axes of a program.
#[derive(Default)]
pub struct Axes {
    all: Vec<Axis>,
}

struct Axis {
    name: Option<Symbol>,
    size: Dim,
    /// Set when an axis the data left unnamed turned out to be another one.
    same_as: Option<AxisId>,
}

impl Axes {
    /// A new axis; without a name until a signature binds it.
    pub fn add(&mut self, name: Option<Symbol>, size: Dim) -> AxisId {
        self.all.push(Axis { name, size, same_as: None });
        AxisId(self.all.len() as u32 - 1)
    }

    /// The axis that stands for all that turned out to be this one.
    pub fn find(&self, mut id: AxisId) -> AxisId {
        while let Some(other) = self.all[id.0 as usize].same_as {
            id = other;
        }
        id
    }

    /// The name, when it has one.
    pub fn name(&self, id: AxisId) -> Option<Symbol> {
        self.all[self.find(id).0 as usize].name
    }

    /// The size it has by itself; a slice of a tensor may have another along it.
    pub fn size(&self, id: AxisId) -> Dim {
        self.all[self.find(id).0 as usize].size.clone()
    }

    /// Gives an axis another size by itself.
    pub fn resize(&mut self, id: AxisId, size: Dim) {
        let id = self.find(id);
        self.all[id.0 as usize].size = size;
    }

    /// Names an axis that the data left unnamed.
    pub fn name_if_open(&mut self, id: AxisId, name: Symbol) {
        let id = self.find(id);
        self.all[id.0 as usize].name.get_or_insert(name);
    }

    /// Makes an unnamed axis one with another; false when both have names and differ.
    pub fn unite(&mut self, a: AxisId, b: AxisId) -> bool {
        let (a, b) = (self.find(a), self.find(b));
        if a == b {
            return true;
        }
        if self.all[a.0 as usize].name.is_none() {
            self.all[a.0 as usize].same_as = Some(b);
        } else if self.all[b.0 as usize].name.is_none() {
            self.all[b.0 as usize].same_as = Some(a);
        } else {
            return false;
        }
        true
    }

    /// Whether an index of the one axis counts the other: they are one, or one by name but for primes, as `batch` and
    /// `batch'`, which are of one size.
    pub fn counts(&mut self, index: AxisId, axis: AxisId) -> bool {
        if self.unite(index, axis) {
            return true;
        }
        let base = |id: AxisId| self.name(id).map(|name| name.as_str().trim_end_matches('\''));
        base(index).is_some() && base(index) == base(axis)
    }

    /// The name for messages.
    pub fn show(&self, id: AxisId) -> String {
        self.name(id).map_or_else(|| "_".to_owned(), |name| name.to_string())
    }

    /// The sizes by id, for the typed program.
    pub fn sizes(&self) -> Vec<Dim> {
        (0..self.all.len() as u32).map(|id| self.size(AxisId(id))).collect()
    }

    /// The names by id, for the typed program.
    pub fn names(&self) -> Vec<String> {
        (0..self.all.len() as u32).map(|id| self.show(AxisId(id))).collect()
    }
}
