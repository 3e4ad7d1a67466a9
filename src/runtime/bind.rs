//! Sizes known at run time.
//!
//! In: a program, the values of its symbolic sizes. Out: a `Binding`: every size evaluated, every buffer
//! placed, everything checked, or a diagnostic. Each tuple of sizes is bound once.

use std::sync::Arc;

use super::plan::{self, Life, plan};
use super::state::Store;
use crate::backend::bound::words;
use crate::backend::{BindFault, Bound, Spot};
use crate::diag::{Diagnostic, train};
use crate::ir::SizeId;
use crate::kernel::ir::{Place, Program};

/// The segments of a step: the arena, the parameters, the states, then each input.
pub(super) const ARENA: usize = 0;
pub(super) const PARAMS: usize = 1;
pub(super) const STATES: usize = 2;
pub(super) const INPUTS: usize = 3;

/// A program with the sizes of some step.
#[derive(Debug)]
pub struct Binding {
    pub(super) bound: Bound,
    pub(super) arena_words: usize,
    /// How long each input is, by its id; an input that the program does not read is of any length.
    pub(super) inputs: Vec<Option<usize>>,
}

/// The memory of a step in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MemoryUse {
    /// Values of the step: planned, so that buffers share room.
    pub arena: u64,
    /// The parameters of the model.
    pub params: u64,
    /// The states of the model.
    pub states: u64,
    /// The inputs of the step.
    pub inputs: u64,
}

impl MemoryUse {
    /// All of it.
    pub fn peak(&self) -> u64 {
        self.arena + self.params + self.states + self.inputs
    }
}

impl Binding {
    /// Binds sizes, by `SizeId`, for a backend with so many threads.
    pub fn new(
        program: &Arc<Program>,
        lives: &[Life],
        lanes: usize,
        sizes: &[i64],
        store: &Store,
    ) -> Result<Binding, Diagnostic> {
        let broken = |what: &str| Err(train::broken_step(what));
        if sizes.len() != program.sizes.len() {
            return broken(&format!("{} sizes for {}", sizes.len(), program.sizes.len()));
        }
        let size = |id: SizeId| sizes.get(id.0 as usize).copied().unwrap_or(-1);
        let fault = |fault: BindFault| diagnostic(program, sizes, fault);
        if let Some(at) = sizes.iter().position(|value| *value < 0) {
            return Err(fault(BindFault::Size(crate::ir::Dim::size(SizeId(at as u32)), Some(sizes[at]))));
        }
        let mut lens = program
            .buffers
            .iter()
            .map(|buffer| words(buffer, &size))
            .collect::<Result<Vec<usize>, BindFault>>()
            .map_err(fault)?;
        let locals = plan::loops(program, &mut lens, lives, lanes);
        let arena: Vec<Life> =
            lives.iter().zip(&program.buffers).map(|(life, b)| in_arena(&b.place).then_some(*life)?).collect();
        let Some((locals, plan)) = locals.zip(plan(&lens, &arena)) else {
            let sum: u128 = lens.iter().map(|len| *len as u128).sum();
            return Err(train::out_of_memory((4 * sum).min(u64::MAX.into()) as u64, &given(program, sizes)));
        };
        let mut spots = Vec::with_capacity(lens.len());
        let mut inputs = Vec::new();
        for ((buffer, len), offset) in program.buffers.iter().zip(&lens).zip(&plan.offsets) {
            let kept = |place: Option<(usize, usize)>, segment: usize| match place {
                Some((offset, there)) if there == *len => Ok(Spot { segment, offset, len: *len }),
                _ => Err(train::broken_step(&format!("{:?} is not {len} words long", buffer.place))),
            };
            spots.push(match &buffer.place {
                // Where it is in it follows.
                Place::Row(_) | Place::Local => Spot { segment: ARENA, offset: 0, len: *len },
                Place::Arena | Place::Result(_) => Spot { segment: ARENA, offset: *offset, len: *len },
                Place::Param(id) => kept(store.params.place(id.index()), PARAMS)?,
                Place::State(id) => kept(store.states.place(id.index()), STATES)?,
                Place::Input(id) => {
                    if inputs.len() <= id.index() {
                        inputs.resize(id.index() + 1, None);
                    }
                    if inputs[id.index()].replace(*len).is_some_and(|other| other != *len) {
                        return broken("two lengths for one input");
                    }
                    Spot { segment: INPUTS + id.index(), offset: 0, len: *len }
                }
            });
        }
        plan::inside(program, &locals, &mut spots);
        let bound = Bound::new(program, &size, spots, lanes, &|segment| segment < INPUTS).map_err(fault)?;
        Ok(Binding { bound, arena_words: plan.words, inputs })
    }

    /// The steps with their sizes, and where each buffer lies: the arena is segment 0, parameters 1,
    /// states 2, then each input.
    pub fn bound(&self) -> &Bound {
        &self.bound
    }

    /// How much memory a step takes.
    pub fn memory(&self, store: &Store) -> MemoryUse {
        let (params, states) = store.bytes();
        let inputs = self.inputs.iter().flatten().map(|len| 4 * *len as u64).sum();
        MemoryUse { arena: 4 * self.arena_words as u64, params, states, inputs }
    }
}

fn in_arena(place: &Place) -> bool {
    matches!(place, Place::Arena | Place::Result(_))
}

/// `batch = 31, t = 5`
pub(super) fn given(program: &Program, sizes: &[i64]) -> String {
    let pairs = program.sizes.iter().zip(sizes).map(|(name, value)| format!("{name} = {value}"));
    pairs.collect::<Vec<_>>().join(", ")
}

fn diagnostic(program: &Program, sizes: &[i64], fault: BindFault) -> Diagnostic {
    match fault {
        BindFault::Size(dim, value) => {
            let name = |id: SizeId| program.sizes.get(id.0 as usize).cloned().unwrap_or_else(|| format!("s{}", id.0));
            train::size_out_of_range(&dim.display(&name).to_string(), value, &given(program, sizes))
        }
        BindFault::Fault(fault) => train::broken_step(&fault.0),
    }
}
