//! Parameters and states: what lives from step to step.
//!
//! One block of words for the parameters and one for the states, each tensor at a cache line, shared by
//! all programs of a model. A tensor is words: f32, or i32, or a truth value as 0 or 1; f64 and i64 are two
//! words each.

use super::arena::{LINE, OutOfMemory, Words};
use crate::ir::{Graph, ParamId, SizeOverflow, StateId, Ty};
use crate::kernel::ir::Elem;

/// All parameters and states of a model.
#[derive(Debug, Default)]
pub struct Store {
    pub(super) params: Region,
    pub(super) states: Region,
}

/// Tensors one after the other.
#[derive(Debug, Default)]
pub struct Region {
    pub(super) words: Words,
    /// For each tensor: its first word and its length.
    places: Vec<(usize, usize)>,
}

impl Region {
    /// Zeros, for tensors of these lengths.
    pub fn new(lens: &[usize]) -> Result<Region, OutOfMemory> {
        let mut places = Vec::with_capacity(lens.len());
        let mut end = 0usize;
        for len in lens {
            places.push((end, *len));
            let padded = len.checked_next_multiple_of(LINE).ok_or(OutOfMemory)?;
            end = end.checked_add(padded).ok_or(OutOfMemory)?;
        }
        Ok(Region { words: Words::zeroed(end)?, places })
    }

    /// How many tensors.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The first word and the length of a tensor.
    pub fn place(&self, at: usize) -> Option<(usize, usize)> {
        self.places.get(at).copied()
    }

    fn get(&self, at: usize) -> &[u32] {
        let (start, len) = self.places[at];
        &self.words.as_slice()[start..start + len]
    }

    fn get_mut(&mut self, at: usize) -> &mut [u32] {
        let (start, len) = self.places[at];
        &mut self.words.as_mut_slice()[start..start + len]
    }
}

impl Store {
    /// Zeros, for tensors of so many words.
    pub fn new(params: &[usize], states: &[usize]) -> Result<Store, OutOfMemory> {
        Ok(Store { params: Region::new(params)?, states: Region::new(states)? })
    }

    /// Zeros, for the tensors of a graph. Their sizes are known; one that is not has no elements.
    pub fn of(graph: &Graph) -> Result<Store, OutOfMemory> {
        let len = |ty: &Ty| {
            let elements = crate::ir::Dim::product(&ty.dims).and_then(|dim| dim.as_const().ok_or(SizeOverflow));
            let elements = elements.ok().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
            elements.saturating_mul(Elem::of_dtype(ty.dtype).words())
        };
        let params: Vec<usize> = graph.params.iter().map(|param| len(&param.ty)).collect();
        let states: Vec<usize> = graph.states.iter().map(|state| len(&state.ty)).collect();
        Store::new(&params, &states)
    }

    /// How long the parameters and the states are.
    pub fn bytes(&self) -> (u64, u64) {
        (4 * self.params.words.len() as u64, 4 * self.states.words.len() as u64)
    }

    /// The words of a parameter.
    pub fn param(&self, id: ParamId) -> &[u32] {
        self.params.get(id.index())
    }

    /// The words of a parameter, to write.
    pub fn param_mut(&mut self, id: ParamId) -> &mut [u32] {
        self.params.get_mut(id.index())
    }

    /// The words of a state.
    pub fn state(&self, id: StateId) -> &[u32] {
        self.states.get(id.index())
    }

    /// The words of a state, to write.
    pub fn state_mut(&mut self, id: StateId) -> &mut [u32] {
        self.states.get_mut(id.index())
    }

    /// The numbers of a parameter.
    pub fn param_f32(&self, id: ParamId) -> Vec<f32> {
        self.param(id).iter().map(|word| f32::from_bits(*word)).collect()
    }

    /// Sets the numbers of a parameter.
    ///
    /// # Panics
    /// When the lengths differ.
    pub fn set_param_f32(&mut self, id: ParamId, numbers: &[f32]) {
        let words = self.param_mut(id);
        assert_eq!(words.len(), numbers.len(), "the length of {id:?}");
        words.iter_mut().zip(numbers).for_each(|(word, number)| *word = number.to_bits());
    }
}
