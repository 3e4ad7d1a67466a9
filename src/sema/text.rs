//! The printed form of the typed program: expressions with their named axes.

use std::fmt::Write;

use super::typed::{Expr, ExprId, ExprKind, Kind, Program, Tap, Train, Type};
use crate::ir::SizeId;
use crate::sema::dtype::DType;

/// The text of a typed program.
pub fn print(program: &Program) -> String {
    let mut text = String::new();
    for train in &program.trains {
        print_train(program, train, &mut text).expect("writing to a string does not fail");
    }
    text
}

fn print_train(program: &Program, train: &Train, text: &mut String) -> std::fmt::Result {
    let models: Vec<&str> = train.models.iter().map(|name| name.as_str()).collect();
    writeln!(text, "train {} on {}", models.join(", "), train.data)?;
    for param in &train.params {
        writeln!(text, "  param {}{} ~ {}", param.path, show_type(program, &param.ty), name(param.init))?;
    }
    for state in &train.states {
        writeln!(text, "  state {}{} = {}", state.path, show_type(program, &state.ty), name(state.init))?;
    }
    for (at, expr) in train.exprs.iter().enumerate() {
        let host = if expr.host { "host " } else { "" };
        writeln!(
            text,
            "  {} {host}{} = {}",
            name(ExprId(at as u32)),
            show_type(program, &expr.ty),
            show_expr(program, train, expr)
        )?;
    }
    let passes = train.passes.iter().map(|pass| match pass.name.is_empty() {
        true => ("training".to_owned(), &pass.section),
        false => (format!("training {}", pass.name), &pass.section),
    });
    for (mode, section) in passes.chain([("evaluation".to_owned(), &train.evaluation)]) {
        writeln!(text, "  {mode}")?;
        if let Some(loss) = section.loss {
            writeln!(text, "    loss = {}", name(loss))?;
        }
        for metric in &section.metrics {
            writeln!(text, "    metric {} = {}", metric.name, name(metric.value))?;
        }
        for (field, id) in &section.predict {
            writeln!(text, "    predict {field} = {}", name(*id))?;
        }
        for (state, id) in &section.states {
            writeln!(text, "    {} := {}", train.states[*state].path, name(*id))?;
        }
    }
    for update in train.passes.iter().flat_map(|pass| &pass.updates) {
        writeln!(text, "  update {} := {}", train.params[update.param].path, name(update.value))?;
        for (state, id) in &update.states {
            writeln!(text, "    {} := {}", train.states[*state].path, name(*id))?;
        }
    }
    Ok(())
}

fn name(id: ExprId) -> String {
    format!("e{}", id.0)
}

/// The text of a type in the user's names: `logit[batch, class: 3]`.
pub fn show_type(program: &Program, ty: &Type) -> String {
    let size_name = |id: SizeId| program.sizes.get(id.0 as usize).cloned().unwrap_or_default();
    let axis_name = |id: super::typed::AxisId| program.axes.get(id.0 as usize).cloned().unwrap_or_default();
    let axes: Vec<String> = ty
        .axes
        .iter()
        .map(|axis| {
            let (name, size) = (axis_name(axis.id), axis.size.display(&size_name).to_string());
            // The row of a definition on its own has no size that could be said.
            if name == size || name == ".." { name } else { format!("{name}: {size}") }
        })
        .collect();
    let prefix = match ty.kind {
        Kind::Plain if ty.dtype == DType::F32 => String::new(),
        Kind::Plain => ty.dtype.as_str().to_owned(),
        Kind::Logit => "logit".to_owned(),
        Kind::Prob => "prob".to_owned(),
        Kind::Index(axis) => format!("index({})", axis_name(axis)),
    };
    format!("{prefix}[{}]", axes.join(", "))
}

fn show_expr(program: &Program, train: &Train, expr: &Expr) -> String {
    let axis = |id: &super::typed::AxisId| program.axes.get(id.0 as usize).cloned().unwrap_or_default();
    let axes = |ids: &[super::typed::AxisId]| ids.iter().map(axis).collect::<Vec<_>>().join(", ");
    let names = |ids: &[ExprId]| ids.iter().map(|id| name(*id)).collect::<Vec<_>>().join(", ");
    let size_name = |id: SizeId| program.sizes.get(id.0 as usize).cloned().unwrap_or_default();
    match &expr.kind {
        ExprKind::Const(value) => format!("{value}"),
        ExprKind::Size(dim) => format!("size {}", dim.display(&size_name)),
        ExprKind::Step => "step".to_owned(),
        ExprKind::StepsPerEpoch => "steps_per_epoch".to_owned(),
        ExprKind::Input(at) => format!("input {}", train.inputs.get(*at).map_or("?", |input| input.name.as_str())),
        ExprKind::Param(at) => format!("param {}", train.params[*at].path),
        ExprKind::State(at) => format!("state {}", train.states[*at].path),
        ExprKind::Grad(at) => format!("grad {}", train.params[*at].path),
        ExprKind::Map(fun, parts) => format!("{} {}", format!("{fun:?}").to_lowercase(), names(parts)),
        ExprKind::Reduce(op, ids, x) => format!("{}[{}] {}", format!("{op:?}").to_lowercase(), axes(ids), name(*x)),
        ExprKind::ArgReduce(op, id, x) => format!("arg{}[{}] {}", format!("{op:?}").to_lowercase(), axis(id), name(*x)),
        ExprKind::Sorted { x, axis: id, descending } => {
            let mark = if *descending { " descending" } else { "" };
            format!("order[{}]{mark} {}", axis(id), name(*x))
        }
        ExprKind::LogSumExp(id, x) => format!("logsumexp[{}] {}", axis(id), name(*x)),
        ExprKind::CumSum(id, x) => format!("cumsum[{}] {}", axis(id), name(*x)),
        ExprKind::Relabel(x) => format!("relabel {}", name(*x)),
        ExprKind::Order(x) => format!("order {}", name(*x)),
        ExprKind::Expand(x) => format!("expand {}", name(*x)),
        ExprKind::Reshape(x) => format!("reshape {}", name(*x)),
        ExprKind::Gather { table, axis: id, index } => format!("{}[{} = {}]", name(*table), axis(id), name(*index)),
        ExprKind::Scatter { x, to, index } => format!("sum[-> {} = {}] {}", axis(to), name(*index), name(*x)),
        ExprKind::Slice { x, axis: id, start } => {
            format!("{}[{} = {}..]", name(*x), axis(id), start.display(&size_name))
        }
        ExprKind::Select { x, axis: id, at } => format!("{}[{} = {}]", name(*x), axis(id), at.display(&size_name)),
        ExprKind::Window { x, along, fill } => {
            let relations: Vec<String> = along
                .iter()
                .map(|along| {
                    let tap = match along.tap {
                        Tap::None => String::new(),
                        Tap::New => format!(" + {}k", along.d),
                        Tap::Shared(shared) => format!(" + {}{}", along.d, axis(&shared)),
                    };
                    let sum = format!("{}o{tap} + {}", along.a, along.b.display(&size_name));
                    format!("{} = ({sum}) / {}", axis(&along.axis), along.m)
                })
                .collect();
            format!("{}[{}, fill = {fill}]", name(*x), relations.join(", "))
        }
        ExprKind::Row { scan, axis: id, x } => format!("row {} of {} in scan {scan}", axis(id), name(*x)),
        ExprKind::Carry { scan, at } => format!("carry {at} of scan {scan}"),
        ExprKind::Scan { scan, row, axis: id, .. } => {
            let carries: Vec<String> =
                scan.carries.iter().map(|(first, new)| format!("{} := {}", name(*first), name(*new))).collect();
            let reversed = if scan.reversed { " reversed" } else { "" };
            format!(
                "scan {} along {}{reversed} from {}: {}",
                scan.id,
                axis(id),
                carries.join(", "),
                name(scan.rows[*row])
            )
        }
        ExprKind::Concat(id, parts) => format!("concat[{}] {}", axis(id), names(parts)),
        ExprKind::Pos => "pos".to_owned(),
        ExprKind::Random(dist, site) => format!("random {} site {site:#x}", format!("{dist:?}").to_lowercase()),
        ExprKind::WithGradient { value, dy, grads } => {
            let grads: Vec<String> = grads.iter().map(|(x, g)| format!("{}: {}", name(*x), name(*g))).collect();
            format!("{} grad({}) {{ {} }}", name(*value), name(*dy), grads.join(", "))
        }
        ExprKind::Incoming => "incoming".to_owned(),
        ExprKind::Derivative { of, by } => format!("grad {} by {}", name(*of), name(*by)),
        ExprKind::StopGradient(x) => format!("stop_gradient {}", name(*x)),
    }
}
