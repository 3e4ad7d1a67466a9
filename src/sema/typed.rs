//! The typed program: expressions over named axes in one arena, and what surrounds them.
//!
//! Everything static is gone: definitions are inlined with their arguments, `if` on static values has
//! chosen, numbers are folded. Operations align by axis identity; `lower` turns that into positions.

use std::sync::Arc;

use crate::base::{Span, Symbol};
use crate::ir::Fact;
use crate::ir::{Dim, LayerId, RematId, SizeId};
use crate::ops::{ArgOp, Dist, MapOp, ReduceOp};
use crate::sema::dtype::DType;

use super::load::Load;
use super::search::Search;
pub use super::settings::{
    Checkpoint, Clip, Every, Keep, Length, Precision, Settings, Stop, StopRule, Watched, lower_is_better,
};

/// An axis, by identity.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct AxisId(pub u32);

/// An expression, by its place in the arena.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ExprId(pub u32);

/// An axis of a tensor.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    /// Which.
    pub id: AxisId,
    /// How long it is in this tensor.
    pub size: Dim,
    /// Where that size was chosen, for messages.
    pub from: Span,
}

/// What the elements mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Just numbers.
    Plain,
    /// Unnormalised log-probabilities.
    Logit,
    /// Probabilities.
    Prob,
    /// Whole numbers below the size of an axis.
    Index(AxisId),
}

/// The type of an expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Type {
    /// Of each element.
    pub dtype: DType,
    /// What the elements mean.
    pub kind: Kind,
    /// In order; each identity once.
    pub axes: Vec<Axis>,
}

/// A function of elements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fun {
    /// One the graph knows.
    Map(MapOp),
    /// Only on scalars of the host.
    FloorDiv,
    /// Only on scalars of the host.
    Mod,
}

/// How a window reads one axis: place `i` of it for place `o` of the result, where `m·i = a·o + d·k + b`.
/// The type has the axis of `o` in its place, and that of `k`, if it is a new one, right behind.
#[derive(Clone, PartialEq, Debug)]
pub struct Along {
    /// The axis that is read.
    pub axis: AxisId,
    /// What the sum is divided by.
    pub m: i64,
    /// The factor of the result's place.
    pub a: i64,
    /// What `k` is.
    pub tap: Tap,
    /// The factor of the tap's place; 0 when there is none.
    pub d: i64,
    /// The offset.
    pub b: Dim,
}

/// The tap of a window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tap {
    /// There is none.
    None,
    /// A new axis.
    New,
    /// Another axis of the tensor, read as it is.
    Shared(AxisId),
}

/// What an expression computes.
#[derive(Clone, PartialEq, Debug)]
pub enum ExprKind {
    /// A number without axes, of the type's dtype.
    Const(f64),
    /// A size as a number of the host.
    Size(Dim),
    /// The number of the update, from 1; a number of the host.
    Step,
    /// Steps in an epoch; a number of the host.
    StepsPerEpoch,
    /// A column of the batch.
    Input(usize),
    /// A parameter.
    Param(usize),
    /// A state as it is before the step.
    State(usize),
    /// The gradient of the loss by a parameter; only in updates.
    Grad(usize),
    /// Elementwise; operands align by axis identity with the result.
    Map(Fun, Vec<ExprId>),
    /// Combines along axes.
    Reduce(ReduceOp, Vec<AxisId>, ExprId),
    /// First position of the extreme along an axis.
    ArgReduce(ArgOp, AxisId, ExprId),
    /// Which element along the axis comes at each place when they are sorted: at the axis of the type that stands
    /// where it was.
    Sorted {
        /// What is sorted.
        x: ExprId,
        /// Along which axis.
        axis: AxisId,
        /// From the largest on.
        descending: bool,
    },
    /// `log(sum(exp(x)))` along an axis.
    LogSumExp(AxisId, ExprId),
    /// At each position of an axis the sum of those up to it.
    CumSum(AxisId, ExprId),
    /// The same tensor, axis for axis in order, under the identities of the type.
    Relabel(ExprId),
    /// The same axes in the order of the type.
    Order(ExprId),
    /// Repeated along the axes of the type that it lacks.
    Expand(ExprId),
    /// The same elements in row-major order under the axes of the type: splits and joins.
    Reshape(ExprId),
    /// `table[axis = index]`
    Gather {
        /// What is read.
        table: ExprId,
        /// Along which of its axes.
        axis: AxisId,
        /// Where; aligned with the table on the axes both have.
        index: ExprId,
    },
    /// `sum[a -> to = index](x)`: the axes of the index go, which stand side by side in no order that matters, and
    /// in place of the first of them stands `to`.
    Scatter {
        /// What is summed.
        x: ExprId,
        /// The axis that comes.
        to: AxisId,
        /// Where to; it has just the axes that go.
        index: ExprId,
    },
    /// From a position on, as many as the type says.
    Slice {
        /// What is read.
        x: ExprId,
        /// Along which axis.
        axis: AxisId,
        /// The first position.
        start: Dim,
    },
    /// One position along an axis, which goes.
    Select {
        /// What is read.
        x: ExprId,
        /// Along which axis.
        axis: AxisId,
        /// Which position.
        at: Dim,
    },
    /// Reads along axes by affine relations; what lies outside is `fill`.
    Window {
        /// What is read.
        x: ExprId,
        /// One relation for each axis that is not read as it is, in the order of the axes.
        along: Vec<Along>,
        /// Outside.
        fill: f64,
    },
    /// Joined along an axis that each part has.
    Concat(AxisId, Vec<ExprId>),
    /// Positions along the one axis of the type.
    Pos,
    /// Random numbers of the type's axes.
    Random(Dist, u32),
    /// Itself, without gradient.
    StopGradient(ExprId),
    /// `grad(y, x)`: how fast `of` changes with the value `by`, where all that `by` is made of stands still.
    Derivative {
        /// A number.
        of: ExprId,
        /// What the name stands for.
        by: ExprId,
    },
    /// The value of a function with a `grad(dy)` of its own.
    WithGradient {
        /// The value.
        value: ExprId,
        /// What stands for the gradient by it.
        dy: ExprId,
        /// The inputs, each with the gradient by it, of the same axes in the same order.
        grads: Vec<(ExprId, ExprId)>,
    },
    /// The gradient that a `grad(dy)` names.
    Incoming,
    /// In a loop, the row of a value from outside at the position.
    Row {
        /// The number of the loop.
        scan: u32,
        /// Its axis, which goes.
        axis: AxisId,
        /// What is read.
        x: ExprId,
    },
    /// In a loop, what the position before left.
    Carry {
        /// The number of the loop.
        scan: u32,
        /// Which carry.
        at: usize,
    },
    /// What a loop gives at each position, stacked along its axis, which is the first of the type.
    Scan {
        /// The loop.
        scan: Arc<Scan>,
        /// Which of its values.
        row: usize,
        /// Its axis.
        axis: AxisId,
        /// How many positions.
        count: Dim,
    },
}

/// A loop.
#[derive(Clone, PartialEq, Debug)]
pub struct Scan {
    /// Its number, which rows and carries name it by.
    pub id: u32,
    /// The expressions of its block are this one and later ones.
    pub start: ExprId,
    /// From the last position to the first.
    pub reversed: bool,
    /// The first value of each carry, and what a position makes of it.
    pub carries: Vec<(ExprId, ExprId)>,
    /// What it gives at each position.
    pub rows: Vec<ExprId>,
}

impl ExprKind {
    /// The expressions this one is made of.
    pub fn for_each_part(&self, mut visit: impl FnMut(ExprId)) {
        match self {
            ExprKind::Const(_)
            | ExprKind::Size(_)
            | ExprKind::Step
            | ExprKind::StepsPerEpoch
            | ExprKind::Input(_)
            | ExprKind::Param(_)
            | ExprKind::State(_)
            | ExprKind::Grad(_)
            | ExprKind::Pos
            | ExprKind::Incoming
            | ExprKind::Carry { .. }
            | ExprKind::Random(..) => {}
            ExprKind::Map(_, parts) | ExprKind::Concat(_, parts) => parts.iter().for_each(|part| visit(*part)),
            ExprKind::Reduce(_, _, x)
            | ExprKind::ArgReduce(_, _, x)
            | ExprKind::LogSumExp(_, x)
            | ExprKind::CumSum(_, x)
            | ExprKind::Relabel(x)
            | ExprKind::Order(x)
            | ExprKind::Expand(x)
            | ExprKind::Reshape(x)
            | ExprKind::StopGradient(x)
            | ExprKind::Sorted { x, .. }
            | ExprKind::Row { x, .. }
            | ExprKind::Slice { x, .. }
            | ExprKind::Select { x, .. }
            | ExprKind::Window { x, .. } => visit(*x),
            ExprKind::Gather { table: x, index, .. } | ExprKind::Scatter { x, index, .. } => {
                visit(*x);
                visit(*index);
            }
            ExprKind::Derivative { of, by } => {
                visit(*of);
                visit(*by);
            }
            ExprKind::WithGradient { value, dy, grads } => {
                visit(*value);
                visit(*dy);
                grads.iter().flat_map(|(x, g)| [*x, *g]).for_each(visit);
            }
            ExprKind::Scan { scan, .. } => {
                scan.carries.iter().for_each(|(first, new)| {
                    visit(*first);
                    visit(*new);
                });
                scan.rows.iter().for_each(|row| visit(*row));
            }
        }
    }

    /// The axes this expression names itself.
    pub fn for_each_axis(&mut self, mut visit: impl FnMut(&mut AxisId)) {
        match self {
            ExprKind::Reduce(_, axes, _) => axes.iter_mut().for_each(visit),
            ExprKind::ArgReduce(_, axis, _)
            | ExprKind::LogSumExp(axis, _)
            | ExprKind::CumSum(axis, _)
            | ExprKind::Concat(axis, _)
            | ExprKind::Gather { axis, .. }
            | ExprKind::Scatter { to: axis, .. }
            | ExprKind::Sorted { axis, .. }
            | ExprKind::Slice { axis, .. }
            | ExprKind::Row { axis, .. }
            | ExprKind::Scan { axis, .. }
            | ExprKind::Select { axis, .. } => visit(axis),
            ExprKind::Window { along, .. } => along.iter_mut().for_each(|along| {
                visit(&mut along.axis);
                if let Tap::Shared(axis) = &mut along.tap {
                    visit(axis);
                }
            }),
            _ => {}
        }
    }
}

/// An expression.
#[derive(Clone, PartialEq, Debug)]
pub struct Expr {
    /// What it computes.
    pub kind: ExprKind,
    /// Its type.
    pub ty: Type,
    /// The user's text it comes from.
    pub span: Span,
    /// A scalar that depends on no tensor: it runs on the host, in f64.
    pub host: bool,
    /// The innermost use of a layer in whose body it stands; none outside of layers, and in the evaluation.
    pub layer: Option<LayerId>,
    /// The innermost `remat` block in which it stands.
    pub remat: Option<RematId>,
}

/// A parameter.
#[derive(Clone, PartialEq, Debug)]
pub struct Param {
    /// `Net.Dense.w`
    pub path: String,
    /// Its declared axes in order.
    pub ty: Type,
    /// Its first value.
    pub init: ExprId,
    /// Its declaration.
    pub span: Span,
    /// Whether it is used outside of `freeze`: one that is not has no update.
    pub trained: bool,
    /// Which of the run's loads gives its first value.
    pub load: Option<usize>,
}

/// A state of a layer, a metric or an optimizer.
#[derive(Clone, PartialEq, Debug)]
pub struct State {
    /// `Net.BatchNorm.mu`, `accuracy.hits`, `Adam.m/Net.Dense.w`
    pub path: String,
    /// Its axes in order.
    pub ty: Type,
    /// Its first value.
    pub init: ExprId,
    /// Whose it is.
    pub owner: Owner,
    /// Which of the run's loads gives its first value.
    pub load: Option<usize>,
}

/// Who keeps a state, and when it commits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// A layer: commits while training.
    Layer,
    /// A metric: commits while evaluating, reset before.
    Metric,
    /// An optimizer: commits each step.
    Optimizer,
}

/// A column that the program reads.
#[derive(Clone, PartialEq, Debug)]
pub struct Input {
    /// Its name in the data.
    pub name: Symbol,
    /// Its type, the batch first.
    pub ty: Type,
}

/// A use of a layer while training, for summaries and drawings.
#[derive(Clone, PartialEq, Debug)]
pub struct Applied {
    /// `Net.Dense`
    pub path: String,
    /// `Dense`
    pub layer: Symbol,
    /// The types of its results: one, or the tensors of a record or list in order.
    pub results: Vec<Type>,
    /// The use in whose body it stands.
    pub parent: Option<LayerId>,
}

/// A named value, for shape notes and editors.
#[derive(Clone, PartialEq, Debug)]
pub struct Binding {
    /// The name.
    pub name: Symbol,
    /// Where it is bound.
    pub span: Span,
    /// Its type.
    pub ty: Type,
}

/// What a run computes once per batch in one mode.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Section {
    /// The scalar loss.
    pub loss: Option<ExprId>,
    /// Metrics by name.
    pub metrics: Vec<Metric>,
    /// The prediction's fields; one without a name when it is no record. In training, those that the loss has
    /// made on its way.
    pub predict: Vec<(String, ExprId)>,
    /// New values of states.
    pub states: Vec<(usize, ExprId)>,
    /// What is checked on the way.
    pub checks: Vec<Check>,
}

/// A reported value.
#[derive(Clone, PartialEq, Debug)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// A scalar; in an evaluation also a table of one or two axes whose sizes are known.
    pub value: ExprId,
    /// Its states; empty for a mean over examples, which is weighted by the count of each batch.
    pub states: Vec<usize>,
}

/// One gradient of a step, and what it updates.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Pass {
    /// What it is reported under, as in `loss_Disc`; empty for the loss of the section.
    pub name: String,
    /// With `training` true: the loss with its penalties, the penalties by name, the layers' states; in the first
    /// pass also what the loss makes of the prediction.
    pub section: Section,
    /// One per parameter that it trains.
    pub updates: Vec<Update>,
    /// Limits for gradients, and for which parameters each is.
    pub clips: Vec<(Clip, Vec<usize>)>,
    /// How often it runs in a step.
    pub repeat: u64,
    /// In which steps it runs: in each that this divides.
    pub every: u64,
    /// Gradients of several batches summed up before an update.
    pub accumulate: Option<Accumulate>,
}

/// `accumulate = 4`
#[derive(Clone, PartialEq, Debug)]
pub struct Accumulate {
    /// Of how many batches.
    pub batches: u64,
    /// The state that holds the sum for each parameter, in the order of the updates.
    pub sums: Vec<usize>,
    /// The state that holds how many rows are in the sums.
    pub rows: usize,
}

/// The update of one parameter.
#[derive(Clone, PartialEq, Debug)]
pub struct Update {
    /// Which.
    pub param: usize,
    /// Its new value.
    pub value: ExprId,
    /// New values of the optimizer's states.
    pub states: Vec<(usize, ExprId)>,
}

/// `train Net on Iris { … }`
#[derive(Clone, PartialEq, Debug)]
pub struct Train {
    /// The names of its models.
    pub models: Vec<Symbol>,
    /// The name of its data.
    pub data: Symbol,
    /// The columns it reads.
    pub inputs: Vec<Input>,
    /// The parameters of its models.
    pub params: Vec<Param>,
    /// All states.
    pub states: Vec<State>,
    /// What a step computes, in order; at least one.
    pub passes: Vec<Pass>,
    /// With `training` false: loss, metrics, prediction.
    pub evaluation: Section,
    /// Layers in the order applied, by `LayerId`; one that stands in another comes after it.
    pub layers: Vec<Applied>,
    /// The files that give first values.
    pub loads: Vec<Load>,
    /// For `ema`: a parameter, and the state that follows it.
    pub shadows: Vec<(usize, usize)>,
    /// What must hold of the sizes of each batch.
    pub demands: Vec<Demand>,
    /// How large each size beside the batch that batches say is at most, in the data at hand.
    pub longest: Vec<(SizeId, i64)>,
    /// The other settings.
    pub settings: Settings,
    /// The expressions of all of the above.
    pub exprs: Vec<Expr>,
    /// The whole declaration.
    pub span: Span,
}

impl Train {
    /// A size at a batch of so many of the longest rows.
    pub fn size_at(&self, batch: i64, size: SizeId) -> i64 {
        self.longest.iter().find(|(id, _)| *id == size).map_or(batch, |(_, longest)| *longest)
    }
}

/// Numbers that are to be places of an axis, which only a run shows.
#[derive(Clone, PartialEq, Debug)]
pub struct Check {
    /// The least of them, a scalar.
    pub least: ExprId,
    /// The greatest.
    pub most: ExprId,
    /// The name of the axis.
    pub axis: String,
    /// How many places it has.
    pub size: Dim,
    /// Who asks.
    pub of: Asker,
    /// The user's text.
    pub span: Span,
}

/// A fact that only the sizes of a batch decide.
#[derive(Clone, PartialEq, Debug)]
pub struct Demand {
    /// What must hold.
    pub fact: Fact,
    /// The same in the user's names: `8 <= batch`.
    pub shown: String,
    /// Who asks.
    pub of: Asker,
    /// What needs it.
    pub span: Span,
    /// How many rows the data puts into a batch, and where its number stands.
    pub batch: Option<(i64, Span)>,
}

/// What a demand is made by. Whoever comes later computes what comes before too, but for a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asker {
    /// A step of training.
    Step,
    /// What is predicted.
    Prediction,
    /// Loss and metrics of an evaluation.
    Evaluation,
}

/// A checked program.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Program {
    /// Each `train` declaration in order.
    pub trains: Vec<Train>,
    /// Each `search` declaration in order.
    pub searches: Vec<Search>,
    /// The names of axes by identity.
    pub axes: Vec<String>,
    /// The sizes of axes by identity.
    pub axis_sizes: Vec<Dim>,
    /// The names of sizes by `SizeId`.
    pub sizes: Vec<String>,
    /// Named values in the user's file, in the order bound.
    pub bindings: Vec<Binding>,
}
