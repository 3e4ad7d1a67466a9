//! Typed tree to graph: named axes become positions.
//!
//! In: a checked `typed::Train`. Out: its graphs: the first values, the loss as training sees it, the
//! update of each parameter, the evaluation, the prediction. An elementwise operand is permuted and
//! broadcast to the order of its result; labels disappear; scalars that no tensor touches move into the
//! host program. What contraction, pick or log-sum-exp hides in the result is for `canon` to see.

mod clause;
mod expr;
mod scan;

use crate::base::Symbol;
use crate::ir::{Graph, Input, InputId, Origin, Output, Param, ParamId, Role, State, StateId, Ty};
use crate::sema::typed::{
    self, Asker, AxisId, Check, Expr, ExprId, Kind, Metric, Owner, Precision, Program, Section, Train, Type,
};

pub use clause::{LoweredTrial, lower_trial};
use expr::Lowering;

/// The graphs of a run. All share inputs, parameters, states and sizes.
pub struct Lowered {
    /// First values: each parameter and state as `NewParam`, `NewState`.
    pub init: Graph,
    /// What a step computes, in order; at least one.
    pub passes: Vec<LoweredPass>,
    /// `Loss`, `Metric`, and `NewState` of metrics.
    pub evaluation: Graph,
    /// `Predict`; none when the run predicts nothing.
    pub prediction: Option<Graph>,
    /// The states that start anew with each evaluation.
    pub metric_states: Vec<StateId>,
    /// What the evaluation reports beside the loss.
    pub metrics: Vec<LoweredMetric>,
    /// What products are computed in, but for those of first values and of optimizers.
    pub precision: Precision,
    /// Of `Input`s of `update`, the first that is a gradient; then one per parameter, in order.
    pub first_gradient: usize,
}

/// A value that the evaluation reports.
pub struct LoweredMetric {
    /// Its name.
    pub name: String,
    /// Whether it keeps states; one that does not is a mean over examples.
    pub kept: bool,
    /// None of a number; one or two of a table.
    pub axes: Vec<MetricAxis>,
}

/// An axis of a table.
pub struct MetricAxis {
    /// In the words of the program.
    pub name: String,
    /// How many places it has.
    pub size: i64,
    /// The column whose class numbers are its places.
    pub input: Option<Symbol>,
}

/// The graphs of one gradient and its updates.
pub struct LoweredPass {
    /// `Loss`, `Metric` of penalties, and `NewState` of layers.
    pub training: Graph,
    /// `NewParam` and `NewState` of the optimizer; `Input` after those of the data are gradients.
    pub update: Graph,
}

/// Lowers a run.
pub fn lower(program: &Program, train: &Train) -> Lowered {
    let base = base_graph(program, train);
    let outputs = |graph: &Graph, roots: Vec<(Role, ExprId)>| -> Graph {
        let mut lowering = Lowering::new(&train.exprs, train.inputs.len(), graph.clone());
        for (role, root) in roots {
            let node = lowering.root(root);
            lowering.builder.graph.outputs.push(Output { role, node });
        }
        lowering.builder.finish()
    };
    let state = |(index, id): &(usize, ExprId)| (Role::NewState(StateId(*index as u32)), *id);

    let params = train.params.iter().enumerate().map(|(at, param)| (Role::NewParam(ParamId(at as u32)), param.init));
    let states = train.states.iter().enumerate().map(|(at, kept)| (Role::NewState(StateId(at as u32)), kept.init));
    let init = outputs(&base, params.chain(states).collect());

    let loss = |section: &Section| section.loss.map(|id| (Role::Loss, id));
    let metric = |metric: &Metric| (Role::Metric(metric.name.clone()), metric.value);
    let checks = |section: &Section, of: &[Asker]| -> Vec<(Role, ExprId)> {
        let asked = section.checks.iter().zip(0..).filter(|(check, _)| of.contains(&check.of));
        let both = |(check, at): (&Check, u32)| [(Role::Least(at), check.least), (Role::Most(at), check.most)];
        asked.flat_map(both).collect()
    };
    let metrics = train.evaluation.metrics.iter().map(metric);
    let metric_states = train.evaluation.states.iter().map(state);
    let checked = checks(&train.evaluation, &[Asker::Prediction, Asker::Evaluation]);
    let evaluated = loss(&train.evaluation).into_iter().chain(metrics).chain(metric_states).chain(checked);
    let evaluation = outputs(&base, evaluated.collect());

    let predict: Vec<_> =
        train.evaluation.predict.iter().map(|(field, id)| (Role::Predict(field.clone()), *id)).collect();
    let checked = checks(&train.evaluation, &[Asker::Prediction]);
    let prediction = (!predict.is_empty()).then(|| outputs(&base, predict.into_iter().chain(checked).collect()));

    let mut with_gradients = base.clone();
    with_gradients.inputs.extend(train.params.iter().map(|param| Input {
        name: format!("gradient of {}", param.path),
        ty: graph_type(&param.ty),
        below: None,
    }));
    let passes = train.passes.iter().map(|pass| {
        let Section { metrics, states, .. } = &pass.section;
        let values = loss(&pass.section).into_iter().chain(metrics.iter().map(metric)).chain(states.iter().map(state));
        let values = values.chain(checks(&pass.section, &[Asker::Step]));
        let updates = pass.updates.iter().flat_map(|update| {
            let new = (Role::NewParam(ParamId(update.param as u32)), update.value);
            std::iter::once(new).chain(update.states.iter().map(state))
        });
        LoweredPass { training: outputs(&base, values.collect()), update: outputs(&with_gradients, updates.collect()) }
    });

    let of_metrics = train.states.iter().enumerate().filter(|(_, state)| state.owner == Owner::Metric);
    Lowered {
        init,
        passes: passes.collect(),
        evaluation,
        prediction,
        metric_states: of_metrics.map(|(at, _)| StateId(at as u32)).collect(),
        metrics: train.evaluation.metrics.iter().map(|metric| lowered_metric(program, train, metric)).collect(),
        precision: train.settings.precision,
        first_gradient: train.inputs.len(),
    }
}

fn lowered_metric(program: &Program, train: &Train, metric: &Metric) -> LoweredMetric {
    let name = |id: AxisId| program.axes[id.0 as usize].trim_end_matches('\'').to_owned();
    let axes = train.exprs[metric.value.0 as usize].ty.axes.iter().map(|axis| {
        let counts = |input: &&typed::Input| match input.ty.kind {
            Kind::Index(id) => id == axis.id || name(id) == name(axis.id),
            Kind::Plain | Kind::Logit | Kind::Prob => false,
        };
        let input = train.inputs.iter().find(counts).map(|input| input.name);
        MetricAxis { name: program.axes[axis.id.0 as usize].clone(), size: axis.size.as_const().unwrap_or(0), input }
    });
    LoweredMetric { name: metric.name.clone(), kept: !metric.states.is_empty(), axes: axes.collect() }
}

/// What all graphs of a run share.
fn base_graph(program: &Program, train: &Train) -> Graph {
    let axes = |ty: &Type| ty.axes.iter().map(|axis| program.axes[axis.id.0 as usize].clone()).collect();
    let below = |ty: &Type| match ty.kind {
        Kind::Index(axis) => Some(axis),
        _ => None,
    };
    Graph {
        inputs: train
            .inputs
            .iter()
            .map(|input| Input {
                name: input.name.to_string(),
                ty: graph_type(&input.ty),
                below: below(&input.ty).and_then(|axis| program.axis_sizes.get(axis.0 as usize).cloned()),
            })
            .collect(),
        params: train
            .params
            .iter()
            .map(|param| Param { path: param.path.clone(), ty: graph_type(&param.ty), axes: axes(&param.ty) })
            .collect(),
        states: train
            .states
            .iter()
            .map(|state| State { path: state.path.clone(), ty: graph_type(&state.ty), axes: axes(&state.ty) })
            .collect(),
        sizes: program.sizes.clone(),
        ..Graph::default()
    }
}

fn graph_type(ty: &Type) -> Ty {
    Ty::new(ty.dtype.carrier(), ty.axes.iter().map(|axis| axis.size.clone()))
}

/// The input of the update graph that holds the gradient of a parameter.
pub fn gradient_input(first_gradient: usize, param: usize) -> InputId {
    InputId((first_gradient + param) as u32)
}

/// Where a node of a typed expression comes from.
fn origin(expr: &Expr) -> Origin {
    Origin { span: Some(expr.span), layer: expr.layer, remat: expr.remat }
}
