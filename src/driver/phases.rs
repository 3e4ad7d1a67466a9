//! From a typed program to kernels: the order of the phases.
//!
//! In: a run of a program. Out: its graphs after each phase, and its kernels. In a debug build each graph is verified, and
//! the phase that broke one is named.

use rustc_hash::FxHashSet;

use crate::ir::{Graph, ParamId, StateId};
use crate::kernel::ir::Program;
use crate::lower::Lowered;
use crate::sema::clause::Trial;
use crate::sema::typed::{self, Precision};
use crate::{autodiff, canon, fuse, gradients, kernel, lower, opt, step};

/// The stages of one run, from the typed program to kernels.
pub struct Stages {
    /// The graphs as lowered.
    pub lowered: Lowered,
    /// What a step computes, in order; at least one.
    pub passes: Vec<PassStages>,
}

/// The stages of one gradient and its updates.
pub struct PassStages {
    /// The training graph after recognition.
    pub canon: Graph,
    /// With gradients, recognised again.
    pub grad: Graph,
    /// One program of a step.
    pub step: Graph,
    /// The same, optimised.
    pub opt: Graph,
}

/// Most runs have one pass, whose stages are the stages of the run.
impl std::ops::Deref for Stages {
    type Target = PassStages;

    fn deref(&self) -> &PassStages {
        &self.passes[0]
    }
}

/// The programs of one run.
pub struct Programs {
    /// First values of parameters and states.
    pub init: Program,
    /// One step of training: a program for each pass, in order.
    pub steps: Vec<Program>,
    /// One batch of evaluation.
    pub evaluation: Program,
    /// One batch of prediction.
    pub prediction: Option<Program>,
}

/// Lowers a run and recognises the operations of its losses: the graphs in which what it costs can be counted.
pub fn recognised(program: &typed::Program, train: &typed::Train) -> (Lowered, Vec<Graph>) {
    let (lowered, recognised) = differentiable(program, train);
    (lowered, recognised.iter().map(autodiff::without_given).collect())
}

/// The same, before the gradients that functions give are forgotten.
fn differentiable(program: &typed::Program, train: &typed::Train) -> (Lowered, Vec<Graph>) {
    let lowered = lower::lower(program, train);
    let recognised = lowered.passes.iter().map(|pass| {
        verified("lower", &pass.training);
        recognise(&pass.training)
    });
    let recognised = recognised.collect();
    (lowered, recognised)
}

/// Recognises the operations of a graph and takes the derivatives that the program asks for, which are recognised
/// as well.
fn recognise(graph: &Graph) -> Graph {
    let canon = canon::run(graph);
    verified("canon", &canon);
    let Some(taken) = autodiff::derivatives(&canon) else { return canon };
    let canon = canon::run(&taken);
    verified("autodiff", &canon);
    canon
}

/// The graphs of a function on drawn sizes: its value, and both gradients of it.
pub(super) fn tried(trial: &Trial) -> gradients::Graphs {
    let lowered = lower::lower_trial(trial);
    let (given, value) = (recognise(&lowered.given), recognise(&lowered.body));
    gradients::Graphs { given: autodiff::gradients(&given), body: autodiff::gradients(&value), value }
}

/// Lowers a run and takes it through the graph passes.
pub fn stages(program: &typed::Program, train: &typed::Train, keep_gradients: bool) -> Stages {
    let (lowered, recognised) = differentiable(program, train);
    let passes = recognised.into_iter().zip(&lowered.passes).zip(&train.passes);
    let passes = passes.map(|((canon, lowered_pass), pass)| {
        let trained: FxHashSet<usize> = pass.updates.iter().map(|update| update.param).collect();
        let wanted = |param: ParamId| keep_gradients || trained.contains(&param.index());
        let by_rows = row_groups(pass);
        let is_by_rows = |param: ParamId| by_rows.iter().any(|(_, params)| params.contains(&param));
        let grad = match by_rows.is_empty() {
            true => autodiff::gradients_by(&canon, wanted),
            false => autodiff::gradients_by(&step::gradients_by_rows(&canon, &by_rows), |param| {
                wanted(param) && !is_by_rows(param)
            }),
        };
        let grad = in_precision(canon::run(&grad), train.settings.precision);
        verified("autodiff", &grad);
        // An optimizer may ask for derivatives as well.
        let updates = autodiff::derivatives(&lowered_pass.update);
        let updates = autodiff::without_given(updates.as_ref().unwrap_or(&lowered_pass.update));
        let update = update(pass, &updates, lowered.first_gradient, keep_gradients);
        let step = step::assemble(&grad, &update);
        verified("step", &step);
        let opt = opt::run(&step);
        verified("opt", &opt);
        PassStages { canon, grad, step, opt }
    });
    let passes = passes.collect();
    Stages { lowered, passes }
}

/// The parameters of a pass whose gradients are cut row by row.
fn row_groups(pass: &typed::Pass) -> Vec<step::RowGroup> {
    let groups = pass.clips.iter().filter_map(|(clip, params)| match clip {
        typed::Clip::PerExample { most, .. } => {
            Some((*most, params.iter().map(|param| ParamId(*param as u32)).collect()))
        }
        typed::Clip::Norm(_) | typed::Clip::Value(_) => None,
    });
    groups.collect()
}

/// What a pass does with its gradients.
fn update<'g>(pass: &typed::Pass, graph: &'g Graph, first_gradient: usize, keep_gradients: bool) -> step::Update<'g> {
    let id = |param: &usize| ParamId(*param as u32);
    let clips = pass.clips.iter().map(|(clip, params)| {
        let clip = match clip {
            typed::Clip::Norm(most) => step::Clip::Norm(*most),
            typed::Clip::Value(most) => step::Clip::Value(*most),
            typed::Clip::PerExample { most, noise } => step::Clip::Rows { noise: noise * most },
        };
        (clip, params.iter().map(id).collect())
    });
    let accumulate = pass.accumulate.as_ref().map(|accumulate| step::Accumulate {
        batches: accumulate.batches,
        sums: pass.updates.iter().zip(&accumulate.sums).map(|(u, sum)| (id(&u.param), StateId(*sum as u32))).collect(),
        rows: StateId(accumulate.rows as u32),
    });
    let runs_per_step = pass.repeat as f64 / pass.every as f64;
    step::Update { graph, first_gradient, clips: clips.collect(), accumulate, runs_per_step, keep_gradients }
}

/// The kernels of a run.
pub fn programs(stages: &Stages) -> Programs {
    Programs {
        init: kernels(&forward(&stages.lowered.init, Precision::F32)),
        steps: stages.passes.iter().map(|pass| kernels(&pass.opt)).collect(),
        evaluation: kernels(&forward(&stages.lowered.evaluation, stages.lowered.precision)),
        prediction: stages.lowered.prediction.as_ref().map(|graph| kernels(&forward(graph, stages.lowered.precision))),
    }
}

/// A graph without gradients, recognised and optimised, its products in a precision.
pub fn forward(graph: &Graph, precision: Precision) -> Graph {
    let graph = opt::run(&in_precision(autodiff::without_given(&recognise(graph)), precision));
    verified("opt", &graph);
    graph
}

/// A recognised graph whose products are computed in a precision.
fn in_precision(graph: Graph, precision: Precision) -> Graph {
    match precision {
        Precision::F32 => graph,
        Precision::Bf16 => opt::products_in_bf16(&graph),
    }
}

/// An optimised graph as kernels.
pub fn kernels(graph: &Graph) -> Program {
    let fused = fuse::fuse(graph);
    verified("fuse", &fused.graph);
    let program = kernel::lower(&fused);
    if cfg!(debug_assertions)
        && let Err(fault) = kernel::verify::program(&program)
    {
        crate::base::bug!("after kernel: {fault}\n{}", program);
    }
    program
}

/// Stops at a graph that a pass broke; names the pass.
fn verified(pass: &str, graph: &Graph) {
    if cfg!(debug_assertions)
        && let Err(fault) = crate::ops::verify::verify(graph)
    {
        crate::base::bug!("after {pass}: {fault}\n{}", crate::ir::text::print(graph));
    }
}
