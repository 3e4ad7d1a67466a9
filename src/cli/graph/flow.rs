//! What is drawn of a run: its layers, what stands between them, and the data that flows.
//!
//! In: the typed program of a run in training. Out: boxes, groups that hold boxes, and arrows. A use of a layer
//! that holds others is a group; any other is one box, whatever it computes. Outside of such boxes an expression is
//! drawn only where it joins values of several boxes, such as the `+` of a residual. So every value comes from at
//! most one box, and one walk over the expressions finds all arrows. Parameters and constants have no arrows.

use rustc_hash::FxHashSet;

use crate::cli::costs::{Amount, grouped, own_params};
use crate::cli::model_names;
use crate::cli::summary::results;
use crate::ir::LayerId;
use crate::ops::{Cmp, MapOp};
use crate::sema;
use crate::sema::typed::{Applied, Expr, ExprId, ExprKind, Fun, Program, Train};

/// What is drawn.
pub(super) struct Drawing {
    /// Of the whole.
    pub title: String,
    /// An arrow leads from an earlier box to a later one.
    pub boxes: Vec<Shape>,
    /// A group stands behind the one that holds it.
    pub groups: Vec<Group>,
    /// From box to box, each pair once.
    pub arrows: Vec<(usize, usize)>,
}

/// A box, whatever its form.
pub(super) struct Shape {
    /// Its name in the text forms: letters and digits.
    pub id: String,
    /// What it stands for.
    pub kind: Kind,
    /// What is written in it.
    pub lines: Vec<String>,
    /// The path of a layer.
    pub path: String,
    /// The group that holds it.
    pub group: Option<usize>,
}

/// What a box stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A column of the data.
    Input,
    /// A use of a layer.
    Layer,
    /// An operation on values of several boxes.
    Join,
    /// What the run makes.
    Output,
}

/// A use of a layer that holds others.
pub(super) struct Group {
    /// Its name in the text forms.
    pub id: String,
    /// What is written in it.
    pub lines: Vec<String>,
    /// The path of the layer.
    pub path: String,
    /// The group that holds it.
    pub parent: Option<usize>,
}

/// A step of a walk over a drawing.
pub(super) enum Part<'a> {
    /// A group begins.
    Open(&'a Group),
    /// The group that began last ends.
    Close,
    /// A box.
    Box(&'a Shape),
}

/// A box or a group, by its place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) enum Item {
    /// Of the boxes.
    Box(usize),
    /// Of the groups.
    Group(usize),
}

/// The drawing of a run.
pub(super) fn of_run(program: &Program, train: &Train) -> Drawing {
    let mut flow = Flow {
        program,
        train,
        drawing: Drawing {
            title: format!("{} on {}", model_names(train).join(", "), train.data),
            boxes: Vec::new(),
            groups: Vec::new(),
            arrows: Vec::new(),
        },
        group_of: vec![None; train.layers.len()],
        box_of: vec![None; train.layers.len()],
        params: own_params(train),
        known: FxHashSet::default(),
    };
    flow.groups();
    flow.expressions();
    flow.drawing.without_idle_joins()
}

/// The walk over the expressions of a run.
struct Flow<'a> {
    program: &'a Program,
    train: &'a Train,
    drawing: Drawing,
    /// By layer: its group, when it holds other layers.
    group_of: Vec<Option<usize>>,
    /// By layer: its box, once it was met.
    box_of: Vec<Option<usize>>,
    /// By layer: the numbers in its own parameters, and whether an earlier use has them.
    params: Vec<(Amount, bool)>,
    /// The arrows there are.
    known: FxHashSet<(usize, usize)>,
}

/// What an expression outside of layers belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Nothing of the drawing.
    Nothing,
    /// The loss alone: it is drawn as one box.
    Loss,
    /// A layer or another output.
    Others,
}

impl Flow<'_> {
    /// Makes a group of each use of a layer that holds others.
    fn groups(&mut self) {
        let holds: FxHashSet<LayerId> = self.train.layers.iter().filter_map(|layer| layer.parent).collect();
        for at in 0..self.train.layers.len() {
            let id = LayerId(at as u32);
            if !holds.contains(&id) {
                continue;
            }
            let layer = &self.train.layers[at];
            self.group_of[at] = Some(self.drawing.groups.len());
            let group = Group {
                id: format!("l{at}"),
                lines: self.lines(id),
                path: layer.path.clone(),
                parent: layer.parent.and_then(|parent| self.group_of[parent.index()]),
            };
            self.drawing.groups.push(group);
        }
    }

    /// Makes the boxes and the arrows.
    fn expressions(&mut self) {
        let needs = self.needs();
        let mut source: Vec<Option<usize>> = vec![None; self.train.exprs.len()];
        let mut of_loss: Vec<usize> = Vec::new();
        for (at, expr) in self.train.exprs.iter().enumerate() {
            if needs[at] == Need::Nothing {
                continue;
            }
            let mut from: Vec<usize> = Vec::new();
            expr.kind.for_each_part(|part| from.extend(source[part.0 as usize]));
            from.sort_unstable();
            from.dedup();
            source[at] = match expr.layer.filter(|layer| self.group_of[layer.index()].is_none()) {
                _ if is_given(&expr.kind) => self.input(expr),
                Some(layer) => {
                    let to = self.layer(layer);
                    self.arrows(&from, to);
                    Some(to)
                }
                None if needs[at] == Need::Loss => {
                    of_loss.append(&mut from);
                    None
                }
                None => match from[..] {
                    [] => None,
                    [only] => Some(only),
                    [..] => {
                        let join = self.join(expr);
                        self.arrows(&from, join);
                        Some(join)
                    }
                },
            };
        }
        // A use that computes nothing is there all the same.
        for at in 0..self.train.layers.len() {
            if self.group_of[at].is_none() {
                self.layer(LayerId(at as u32));
            }
        }
        let of = |id: ExprId| source[id.0 as usize];
        let first = &self.train.passes[0].section;
        for (field, id) in &first.predict {
            let name = if field.is_empty() { "predict" } else { field };
            self.output(name, *id, of(*id).into_iter().collect());
        }
        if let Some(loss) = first.loss {
            of_loss.extend(of(loss));
            self.output("loss", loss, of_loss);
        }
    }

    /// For each expression, who needs it.
    fn needs(&self) -> Vec<Need> {
        let exprs = &self.train.exprs;
        let mut needs = vec![Need::Nothing; exprs.len()];
        for (need, expr) in needs.iter_mut().zip(exprs) {
            if expr.layer.is_some() {
                *need = Need::Others;
            }
        }
        let training = &self.train.passes[0].section;
        if let Some(loss) = training.loss.filter(|loss| needs[loss.0 as usize] == Need::Nothing) {
            needs[loss.0 as usize] = Need::Loss;
        }
        training.predict.iter().for_each(|(_, id)| needs[id.0 as usize] = Need::Others);
        // An expression's parts have smaller ids.
        for at in (0..exprs.len()).rev() {
            let need = needs[at];
            exprs[at].kind.for_each_part(|part| {
                let part = &mut needs[part.0 as usize];
                *part = match (need, *part) {
                    (Need::Nothing, known) => known,
                    (Need::Loss, Need::Nothing) => Need::Loss,
                    (Need::Loss, known) => known,
                    (Need::Others, _) => Need::Others,
                };
            });
        }
        needs
    }

    /// The box of a column; parameters and states have none.
    fn input(&mut self, expr: &Expr) -> Option<usize> {
        let ExprKind::Input(at) = expr.kind else { return None };
        let id = format!("in{at}");
        if let Some(known) = self.drawing.boxes.iter().position(|known| known.id == id) {
            return Some(known);
        }
        let input = &self.train.inputs[at];
        let lines = vec![input.name.to_string(), sema::show_type(self.program, &input.ty)];
        Some(self.push(Shape { id, kind: Kind::Input, lines, path: String::new(), group: None }))
    }

    /// The box of a layer.
    fn layer(&mut self, id: LayerId) -> usize {
        if let Some(known) = self.box_of[id.index()] {
            return known;
        }
        let at = self.push(Shape {
            id: format!("l{}", id.0),
            kind: Kind::Layer,
            lines: self.lines(id),
            path: self.train.layers[id.index()].path.clone(),
            group: self.group_around(self.train.layers[id.index()].parent),
        });
        self.box_of[id.index()] = Some(at);
        at
    }

    /// What is written in the box or group of a layer.
    fn lines(&self, id: LayerId) -> Vec<String> {
        let layer = &self.train.layers[id.index()];
        let mut lines = vec![self.name(layer), results(self.program, layer)];
        lines.retain(|line| !line.is_empty());
        match self.params[id.index()] {
            (Some(0), _) => {}
            (_, true) => lines.push("shared parameters".to_owned()),
            (params, false) => lines.push(format!("{} parameters", grouped(params))),
        }
        lines
    }

    /// What its path adds to that of the layer around it: `Dense`, `Dense.1`, `q.Dense`; with the layer's own name
    /// where that is not in it.
    fn name(&self, layer: &Applied) -> String {
        let above = layer.parent.map(|parent| &*self.train.layers[parent.index()].path);
        let below = above.and_then(|above| layer.path.strip_prefix(above)?.strip_prefix('.'));
        let own = below.unwrap_or(&layer.path);
        match own.split('.').any(|word| word == layer.layer.as_str()) {
            true => own.to_owned(),
            false => format!("{own}: {}", layer.layer),
        }
    }

    fn join(&mut self, expr: &Expr) -> usize {
        let id = format!("j{}", self.drawing.boxes.len());
        let group = self.group_around(expr.layer);
        self.push(Shape { id, kind: Kind::Join, lines: vec![sign(&expr.kind)], path: String::new(), group })
    }

    fn output(&mut self, name: &str, value: ExprId, mut from: Vec<usize>) {
        let id = format!("out{}", self.drawing.boxes.len());
        let ty = &self.train.exprs[value.0 as usize].ty;
        let mut lines = vec![name.to_owned()];
        if !ty.axes.is_empty() {
            lines.push(sema::show_type(self.program, ty));
        }
        let to = self.push(Shape { id, kind: Kind::Output, lines, path: String::new(), group: None });
        from.sort_unstable();
        self.arrows(&from, to);
    }

    fn push(&mut self, made: Shape) -> usize {
        self.drawing.boxes.push(made);
        self.drawing.boxes.len() - 1
    }

    fn arrows(&mut self, from: &[usize], to: usize) {
        for &from in from {
            // A box's expressions stand together, after all that they read: an arrow leads onwards.
            if from < to && self.known.insert((from, to)) {
                self.drawing.arrows.push((from, to));
            }
        }
    }

    /// The group that stands for a layer, which holds others.
    fn group_around(&self, layer: Option<LayerId>) -> Option<usize> {
        layer.and_then(|layer| self.group_of[layer.index()])
    }
}

impl Drawing {
    /// What each group holds itself, in the order of the flow; at the end, what no group holds.
    pub(super) fn held(&self) -> Vec<Vec<Item>> {
        let root = self.groups.len();
        let mut held: Vec<Vec<Item>> = vec![Vec::new(); root + 1];
        let mut met = vec![false; root];
        for (at, drawn) in self.boxes.iter().enumerate() {
            let mut item = Item::Box(at);
            let mut around = drawn.group;
            loop {
                held[around.unwrap_or(root)].push(item);
                // A group takes its place when its first box is met.
                match around {
                    Some(group) if !std::mem::replace(&mut met[group], true) => {
                        item = Item::Group(group);
                        around = self.groups[group].parent;
                    }
                    _ => break,
                }
            }
        }
        held
    }

    /// Visits groups and boxes as they are nested. The first number is how deep.
    pub(super) fn nested(&self, visit: &mut impl FnMut(usize, Part<'_>)) {
        let held = self.held();
        let root = held.len() - 1;
        // What is open, with how much of it is done.
        let mut open = vec![(root, 0)];
        while let Some((group, done)) = open.last_mut() {
            let (group, item) = (*group, held[*group].get(*done).copied());
            *done += 1;
            let depth = open.len() - 1;
            match item {
                Some(Item::Box(at)) => visit(depth, Part::Box(&self.boxes[at])),
                Some(Item::Group(at)) => {
                    visit(depth, Part::Open(&self.groups[at]));
                    open.push((at, 0));
                }
                None => {
                    open.pop();
                    if group != root {
                        visit(depth - 1, Part::Close);
                    }
                }
            }
        }
    }

    /// The drawing without joins whose value goes nowhere, such as the next value of a state.
    fn without_idle_joins(mut self) -> Drawing {
        let mut leads: Vec<bool> = self.boxes.iter().map(|drawn| drawn.kind != Kind::Join).collect();
        self.arrows.sort_unstable_by_key(|&(from, to)| (std::cmp::Reverse(from), to));
        for &(from, to) in &self.arrows {
            leads[from] |= leads[to];
        }
        let mut next = 0;
        let place: Vec<Option<usize>> = leads
            .iter()
            .map(|&stays| {
                next += usize::from(stays);
                stays.then(|| next - 1)
            })
            .collect();
        self.arrows = self.arrows.iter().filter_map(|&(from, to)| Some((place[from]?, place[to]?))).collect();
        self.arrows.sort_unstable();
        let mut stays = leads.into_iter();
        self.boxes.retain(|_| stays.next() == Some(true));
        self
    }
}

/// Whether an expression computes nothing but is given.
fn is_given(kind: &ExprKind) -> bool {
    use ExprKind::{Const, Grad, Input, Param, Size, State, Step, StepsPerEpoch};
    matches!(kind, Const(_) | Size(_) | Step | StepsPerEpoch | Input(_) | Param(_) | State(_) | Grad(_))
}

/// The sign of an operation that joins values.
fn sign(kind: &ExprKind) -> String {
    let word = match kind {
        ExprKind::Map(Fun::Map(op), _) => match op {
            MapOp::Add => "+",
            MapOp::Sub => "-",
            MapOp::Mul => "*",
            MapOp::Div => "/",
            MapOp::Pow => "^",
            MapOp::Select => "if",
            MapOp::Cmp(Cmp::Lt) => "<",
            MapOp::Cmp(Cmp::Le) => "<=",
            MapOp::Cmp(Cmp::Eq) => "==",
            MapOp::Cmp(Cmp::Ne) => "!=",
            other => return format!("{other:?}").to_lowercase(),
        },
        ExprKind::Concat(..) => "concat",
        ExprKind::Gather { .. } => "[ ]",
        _ => "join",
    };
    word.to_owned()
}
