//! One step of a program.
//!
//! In: the inputs, the sizes, the seed and the number of the step. Out: parameters and states updated in
//! place, and the results. An index among the inputs is in range: whoever reads data checks it.

use std::collections::HashMap;
use std::sync::Arc;

use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use super::arena::Words;
use super::bind::{ARENA, Binding, MemoryUse, given};
use super::plan::{Life, lives};
use super::state::Store;
use crate::backend::{Backend, Loaded, Memory, Segment};
use crate::diag::{Diagnostic, train};
use crate::ir::host::HostEnv;
use crate::ir::scalar::narrow;
use crate::ir::{Role, SizeId};
use crate::kernel::ir::{BufId, Buffer, Place, Program, ScalarValue};

/// A value given with a batch.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// Numbers.
    F32(&'a [f32]),
    /// Indices.
    I32(&'a [i32]),
    /// Numbers of 64 bits.
    F64(&'a [f64]),
    /// Whole numbers of 64 bits.
    I64(&'a [i64]),
    /// Words of any type.
    Bits(&'a [u32]),
}

/// What a step depends on beside parameters and states.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    /// By `InputId`.
    pub inputs: &'a [Input<'a>],
    /// By `SizeId`.
    pub sizes: &'a [i64],
    /// Of all random numbers.
    pub seed: u64,
    /// The number of the update, from 1; 0 outside of training.
    pub step: u64,
    /// How many steps an epoch has.
    pub steps_per_epoch: u64,
}

/// So many tuples of sizes are kept bound.
const MOST_BINDINGS: usize = 512;

/// A program that is ready to run with any sizes.
pub struct Executable {
    program: Arc<Program>,
    loaded: Box<dyn Loaded>,
    lives: Vec<Life>,
    bindings: HashMap<Vec<i64>, Arc<Binding>, FxBuildHasher>,
    results: Vec<(Role, BufId)>,
    arena: Words,
    /// The values of the host program and the bits of all scalars, kept for their memory.
    host: Vec<f64>,
    scalars: Vec<u64>,
}

impl Executable {
    /// Compiles a program.
    pub fn new(program: Program, backend: &dyn Backend) -> Result<Executable, Diagnostic> {
        let program = Arc::new(program);
        let loaded = backend.compile(&program).map_err(|fault| train::broken_step(&fault.0))?;
        let mut results = Vec::new();
        for (at, buffer) in program.buffers.iter().enumerate() {
            if let Place::Result(role) = &buffer.place {
                results.push((role.clone(), BufId(at as u32)));
            }
        }
        Ok(Executable {
            lives: lives(&program),
            program,
            loaded,
            bindings: HashMap::default(),
            results,
            arena: Words::default(),
            host: Vec::new(),
            scalars: Vec::new(),
        })
    }

    /// The program.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// Binds sizes without running: what `run` does when it sees them first.
    pub fn bind(&mut self, sizes: &[i64], store: &Store) -> Result<Arc<Binding>, Diagnostic> {
        if let Some(binding) = self.bindings.get(sizes) {
            return Ok(binding.clone());
        }
        let binding = Arc::new(Binding::new(&self.program, &self.lives, self.loaded.lanes(), sizes, store)?);
        self.loaded.reserve(&binding.bound);
        if binding.arena_words > self.arena.len() {
            let bytes = 4 * binding.arena_words as u64;
            self.arena = Words::zeroed(binding.arena_words)
                .map_err(|_| train::out_of_memory(bytes, &given(&self.program, sizes)))?;
        }
        self.host.reserve(self.program.host.ops.len());
        self.scalars.reserve(binding.bound.scalars().len());
        // Texts come in any length: what is longest unused is not worth a list of its own, and binding again is cheap.
        if self.bindings.len() >= MOST_BINDINGS {
            self.bindings.clear();
        }
        self.bindings.insert(sizes.to_vec(), binding.clone());
        Ok(binding)
    }

    /// How much memory a step with these sizes takes.
    pub fn memory(&mut self, sizes: &[i64], store: &Store) -> Result<MemoryUse, Diagnostic> {
        Ok(self.bind(sizes, store)?.memory(store))
    }

    /// Runs one step.
    pub fn run(&mut self, env: &Env<'_>, store: &mut Store) -> Result<Results<'_>, Diagnostic> {
        let binding = self.bind(env.sizes, store)?;
        self.fill_scalars(env, &binding)?;
        let mut segments: SmallVec<[Segment<'_>; 32]> = SmallVec::new();
        segments.push(Segment::Write(self.arena.as_mut_slice()));
        segments.push(Segment::Write(store.params.words.as_mut_slice()));
        segments.push(Segment::Write(store.states.words.as_mut_slice()));
        for (at, len) in binding.inputs.iter().enumerate() {
            let segment = match env.inputs.get(at) {
                Some(Input::F32(numbers)) => Segment::Floats(numbers),
                Some(Input::I32(numbers)) => Segment::Ints(numbers),
                Some(Input::F64(numbers)) => Segment::Doubles(numbers),
                Some(Input::I64(numbers)) => Segment::Longs(numbers),
                Some(Input::Bits(words)) => Segment::Bits(words),
                None => Segment::Bits(&[]),
            };
            if len.is_some_and(|len| len != segment.len()) {
                let (want, have) = (len.unwrap_or_default(), segment.len());
                return Err(train::broken_step(&format!("input {at} has {have} words, not {want}")));
            }
            segments.push(segment);
        }
        // A segment may be shorter in another store: parameters are placed by their lengths alone.
        let short = |(segment, len): (&Segment<'_>, &usize)| segment.len() < *len;
        if segments.iter().zip(binding.bound.segments()).any(short) {
            return Err(train::broken_step("parameters of another model"));
        }
        self.loaded.run(&binding.bound, &self.scalars, &mut Memory::new(&mut segments));
        drop(segments);
        Ok(Results { arena: &self.arena, binding, places: &self.results, buffers: &self.program.buffers })
    }

    fn fill_scalars(&mut self, env: &Env<'_>, binding: &Binding) -> Result<(), Diagnostic> {
        let size = |id: SizeId| env.sizes.get(id.0 as usize).copied().unwrap_or_default();
        let host = HostEnv { step: env.step, steps_per_epoch: env.steps_per_epoch, sizes: &size };
        let run = self.program.host.run_into(&host, &mut self.host);
        run.map_err(|_| train::size_out_of_range("in a scalar of the step", None, &given(&self.program, env.sizes)))?;
        self.scalars.clear();
        self.scalars.extend(binding.bound.scalars().iter().map(|value| match value {
            ScalarValue::Host(id) => narrow(self.host[id.0 as usize] as f32),
            ScalarValue::HostWide(id) => self.host[id.0 as usize].to_bits(),
            ScalarValue::Seed => u64::from(env.seed as u32),
            ScalarValue::SeedHigh => env.seed >> 32,
            ScalarValue::Step => u64::from(env.step as u32),
            ScalarValue::Word(word) => u64::from(*word),
        }));
        Ok(())
    }
}

/// What a step computed beside parameters and states; borrowed until the next step.
pub struct Results<'a> {
    arena: &'a Words,
    binding: Arc<Binding>,
    places: &'a [(Role, BufId)],
    buffers: &'a [Buffer],
}

impl Results<'_> {
    /// The words of a result.
    pub fn get(&self, role: &Role) -> Option<&[u32]> {
        let (_, buf) = self.places.iter().find(|(other, _)| other == role)?;
        Some(self.words(*buf))
    }

    fn words(&self, buf: BufId) -> &[u32] {
        let spot = self.binding.bound.spot(buf);
        debug_assert_eq!(spot.segment, ARENA);
        &self.arena.as_slice()[spot.offset..spot.end()]
    }

    /// The first number of a result: a loss, a metric; an f64 rounded.
    pub fn scalar(&self, role: &Role) -> Option<f32> {
        self.numbers(role)?.next().map(|number| number as f32)
    }

    /// All numbers of a result; an f64 rounded.
    pub fn f32(&self, role: &Role) -> Option<Vec<f32>> {
        Some(self.numbers(role)?.map(|number| number as f32).collect())
    }

    /// All numbers of a result.
    pub fn f64(&self, role: &Role) -> Option<Vec<f64>> {
        Some(self.numbers(role)?.collect())
    }

    fn numbers(&self, role: &Role) -> Option<impl Iterator<Item = f64>> {
        let (_, buf) = self.places.iter().find(|(other, _)| other == role)?;
        let number = |words: &[u32]| match *words {
            [low, high] => f64::from_bits(u64::from(low) | u64::from(high) << 32),
            _ => f64::from(f32::from_bits(words[0])),
        };
        let elem = self.buffers[buf.0 as usize].elem;
        Some(self.words(*buf).chunks_exact(elem.words()).map(number))
    }

    /// Every result with its role.
    pub fn iter(&self) -> impl Iterator<Item = (&Role, &[u32])> {
        self.places.iter().map(|(role, buf)| (role, self.words(*buf)))
    }
}
