//! Parameters and states of a run, by name, and their first values.
//!
//! In: a run and its graphs, a backend. Out: a `Store` that the programs of the run share, with the values
//! the initialisers gave. Programs are compiled one by one, by whoever needs them.

use crate::backend::Backend;
use crate::diag::{Diagnostic, train as told};
use crate::driver;
use crate::ir::{Graph, ParamId, StateId};
use crate::kernel::ir::Program;
use crate::lower::Lowered;
use crate::runtime::step::Env;
use crate::runtime::{Executable, Store};
use crate::sema::dtype::DType;
use crate::sema::typed::{Check, Demand, Owner, Precision, Train};

/// A model that can be trained, evaluated, asked.
pub struct Model<'a> {
    /// What compiles and runs its programs.
    pub backend: &'a dyn Backend,
    /// Inputs, parameters, states and sizes, without nodes.
    pub graph: Graph,
    /// Whose each state is.
    pub owners: Vec<Owner>,
    /// In what they are kept.
    pub dtypes: Dtypes,
    /// The values.
    pub store: Store,
    /// Of all random numbers.
    pub seed: u64,
    /// What must hold of the sizes of each batch.
    pub(super) demands: Vec<Demand>,
    /// What an evaluation checks on its way.
    pub(super) checks: Vec<Check>,
    /// The first values of the states of metrics, which each evaluation starts from.
    pub(super) fresh: Vec<(StateId, Vec<u32>)>,
}

/// The dtypes of parameters and states, by their numbers; narrower ones than those that carry them in the graph.
#[derive(Clone, Debug)]
pub struct Dtypes {
    /// Of parameters.
    pub params: Vec<DType>,
    /// Of states.
    pub states: Vec<DType>,
}

/// A copy of all parameters and states.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Snapshot {
    pub params: Vec<Vec<u32>>,
    pub states: Vec<Vec<u32>>,
}

impl<'a> Model<'a> {
    /// Gives all parameters and states their first values.
    pub fn new(train: &Train, lowered: &Lowered, backend: &'a dyn Backend) -> Result<Model<'a>, Diagnostic> {
        let init = driver::kernels(&driver::forward(&lowered.init, Precision::F32));
        let graph = lowered.init.empty_like();
        let mut store = Store::of(&graph).map_err(|_| told::out_of_memory(bytes_of(&graph), ""))?;
        let seed = train.settings.seed;
        // No input has rows yet, and no first value depends on one.
        let sizes = vec![0; graph.sizes.len()];
        let env = Env { inputs: &[], sizes: &sizes, seed, step: 0, steps_per_epoch: 0 };
        Executable::new(init, backend)?.run(&env, &mut store)?;
        let fresh = lowered.metric_states.iter().map(|id| (*id, store.state(*id).to_vec())).collect();
        let owners = train.states.iter().map(|state| state.owner).collect();
        let dtypes = Dtypes {
            params: train.params.iter().map(|param| param.ty.dtype).collect(),
            states: train.states.iter().map(|state| state.ty.dtype).collect(),
        };
        let (demands, checks) = (train.demands.clone(), train.evaluation.checks.clone());
        Ok(Model { backend, graph, owners, dtypes, store, seed, demands, checks, fresh })
    }

    /// Makes a program of this model ready.
    pub fn compile(&self, program: Program) -> Result<Executable, Diagnostic> {
        Executable::new(program, self.backend)
    }

    /// How many numbers are trained.
    pub fn parameters(&self) -> usize {
        let words = |id: ParamId| self.graph.params[id.index()].ty.dtype.bytes() as usize / 4;
        self.param_ids().map(|id| self.store.param(id).len() / words(id)).sum()
    }

    /// Every parameter.
    pub fn param_ids(&self) -> impl Iterator<Item = ParamId> + use<> {
        (0..self.graph.params.len() as u32).map(ParamId)
    }

    /// Every state.
    pub fn state_ids(&self) -> impl Iterator<Item = StateId> + use<> {
        (0..self.graph.states.len() as u32).map(StateId)
    }

    /// Copies everything.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            params: self.param_ids().map(|id| self.store.param(id).to_vec()).collect(),
            states: self.state_ids().map(|id| self.store.state(id).to_vec()).collect(),
        }
    }

    /// Copies everything back.
    pub(super) fn restore(&mut self, snapshot: &Snapshot) {
        for (id, words) in self.param_ids().zip(&snapshot.params) {
            self.store.param_mut(id).copy_from_slice(words);
        }
        for (id, words) in self.state_ids().zip(&snapshot.states) {
            self.store.state_mut(id).copy_from_slice(words);
        }
    }

    /// Whether every parameter is a number.
    pub(super) fn is_finite(&self) -> bool {
        self.param_ids().all(|id| self.store.param(id).iter().all(|word| f32::from_bits(*word).is_finite()))
    }
}

/// How much memory the parameters and states of a graph want.
fn bytes_of(graph: &Graph) -> u64 {
    let tys = graph.params.iter().map(|param| &param.ty).chain(graph.states.iter().map(|state| &state.ty));
    let sizes = tys.map(|ty| ty.dims.iter().map(|dim| dim.as_const().unwrap_or(0) as f64).product::<f64>());
    (4.0 * sizes.sum::<f64>()) as u64
}
