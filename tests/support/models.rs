//! A model by itself: a text with `model M(…)` becomes a program over data that is only described, and runs on given
//! numbers, in f64.

use std::path::PathBuf;

use rustc_hash::FxHashMap;
use tensa::backend::interp::graph::{self, Given};
use tensa::base::{FileId, Symbol};
use tensa::data::{Axis, Column, ColumnType, Schema};
use tensa::driver::{self, Session, Stages};
use tensa::ir::{Dim, Graph, Role};
use tensa::ops::Value;
use tensa::syntax::ast::{self, AxisDecl, ExprKind, TypeKind};
use tensa::syntax::parse;

use super::graphs::Rng;

/// The size of an axis that the text does not give.
const SIZE: usize = 5;
/// How many rows a batch has.
pub const BATCH: usize = 3;

/// A model that checks.
pub struct Alone {
    /// Its graphs.
    pub stages: Stages,
    /// What it is given and made of.
    pub given: Given,
}

/// The model of a text, its parameters and states at their first values, its inputs of random numbers; or what is wrong
/// with it. `lines` go into the section of the run.
pub fn open(text: &str, lines: &str) -> Result<Alone, String> {
    let (tree, told) = parse::parse(FileId(0), text);
    assert!(told.is_empty(), "{told:?} in\n{text}");
    let model = tree.items.iter().find_map(|item| match item {
        ast::Item::Def(def) if def.kind == ast::DefKind::Model => Some(def),
        _ => None,
    });
    let model = model.unwrap_or_else(|| panic!("no model in\n{text}"));
    let schema = schema(model);
    let names: Vec<&str> = model.inputs.iter().map(|input| input.name.name.as_str()).collect();
    let columns: String = names.iter().map(|name| format!("  {name} = column(\"{name}\")\n")).collect();
    let optimizer = if lines.contains("optimizer") { "" } else { "  optimizer = SGD(lr = 0.01)\n" };
    let text = format!(
        "{text}\ndata Made = csv(\"made.csv\") {{\n{columns}}}\ntrain {} on Made {{\n  predict = {}({})\n  loss = mean(predict)\n{optimizer}  steps = 1\n{lines}}}\n",
        model.name.name,
        model.name.name,
        names.join(", "),
    );
    let session = Session::new("alone.model", &text, PathBuf::new());
    let checked = session.check_recorded(FxHashMap::from_iter([(schema.name, schema)]));
    if !checked.diagnostics.is_empty() {
        let told = checked.diagnostics.sorted();
        return Err(told.iter().map(|told| format!("{} {}\n", told.code.as_str(), told.message)).collect());
    }
    let stages = driver::stages(&checked.program, &checked.program.trains[0], true);
    let mut given = Given { steps_per_epoch: 1, step: 1, seed: 7, ..Given::default() };
    given.sizes = vec![BATCH as i64; stages.opt.sizes.len()];
    given.inputs = stages.opt.inputs.iter().map(|input| random(input, &given.sizes)).collect();
    first_values(&stages.lowered.init, &mut given);
    Ok(Alone { stages, given })
}

/// Puts first values for the parameters and states into what is given.
pub fn first_values(init: &Graph, given: &mut Given) {
    let zeros = |dims: &[Dim]| Value::full(&bound(dims, &given.sizes), 0.0);
    let params = init.params.iter().map(|param| zeros(&param.ty.dims)).collect();
    let states = init.states.iter().map(|state| zeros(&state.ty.dims)).collect();
    (given.params, given.states) = (params, states);
    for (role, value) in graph::run(init, given).expect("first values") {
        match role {
            Role::NewParam(id) => given.params[id.index()] = value,
            Role::NewState(id) => given.states[id.index()] = value,
            other => panic!("{other:?} among first values"),
        }
    }
}

impl Alone {
    /// What the model makes of its inputs, as evaluation sees it.
    pub fn predict(&self) -> Value {
        let graph = self.stages.lowered.prediction.as_ref().expect("a prediction");
        let (_, value) = graph::run(graph, &self.given).expect("sizes in range").remove(0);
        value
    }

    /// All that a step of training computes.
    pub fn step(&self) -> Vec<(Role, Value)> {
        graph::run(&self.stages.opt, &self.given).expect("sizes in range")
    }

    /// The parameter whose path ends so.
    pub fn param(&mut self, end: &str) -> &mut Value {
        let at = self.stages.opt.params.iter().position(|param| param.path.ends_with(end)).expect("a parameter");
        &mut self.given.params[at]
    }
}

/// The columns that a model's signature asks for.
fn schema(model: &ast::Def) -> Schema {
    let sizes: FxHashMap<Symbol, usize> = model.inputs.iter().flat_map(written).collect();
    let size = |name: Symbol| sizes.get(&name).copied().unwrap_or(SIZE);
    let columns = model.inputs.iter().map(|input| {
        let Some(TypeKind::Tensor { of, axes, .. }) = input.ty.as_ref().map(|ty| &ty.kind) else {
            panic!("an input without axes")
        };
        let names = axes.iter().filter_map(|decl| match decl {
            AxisDecl::Axis { name, .. } if name.name.as_str() != "batch" => Some(name.name),
            _ => None,
        });
        Column {
            name: input.name.name,
            whole: false,
            span: input.span,
            ty: match of {
                Some(of) => ColumnType::Index {
                    axis: Some(of.name),
                    size: size(of.name),
                    names: Vec::new(),
                    spelling: Default::default(),
                },
                None => ColumnType::F32,
            },
            axes: names.map(|name| Axis { name: Some(name), size: size(name), open: None }).collect(),
            of: None,
        }
    });
    Schema { name: Symbol::new("Made"), columns: columns.collect(), rows: [BATCH; 3], batch: BATCH }
}

/// The sizes written in a signature.
fn written(input: &ast::Param) -> Vec<(Symbol, usize)> {
    let Some(TypeKind::Tensor { axes, .. }) = input.ty.as_ref().map(|ty| &ty.kind) else { return Vec::new() };
    let size = |decl: &AxisDecl| match decl {
        AxisDecl::Axis { name, size: Some(size) } => match &size.kind {
            ExprKind::Number(number) => Some((name.name, number.value as usize)),
            _ => None,
        },
        _ => None,
    };
    axes.iter().filter_map(size).collect()
}

fn bound(dims: &[Dim], sizes: &[i64]) -> Vec<usize> {
    dims.iter().map(|dim| dim.eval(&|id| sizes[id.0 as usize]).expect("a size in range") as usize).collect()
}

/// Numbers for an input: whole ones below their axis, or some between -1 and 1.
fn random(input: &tensa::ir::Input, sizes: &[i64]) -> Value {
    let dims = bound(&input.ty.dims, sizes);
    let below = input.below.as_ref().map(|below| bound(std::slice::from_ref(below), sizes)[0]);
    let mut rng = Rng::new(input.name.len() as u32);
    let count: usize = dims.iter().product();
    let number = |_| match below {
        Some(below) => rng.below(below) as f64,
        None => rng.below(2001) as f64 / 1000.0 - 1.0,
    };
    Value::new(dims, (0..count).map(number).collect::<Vec<_>>())
}
