//! `tensa summary`: the layers of each run with what they make, and what they keep.

use clap::Args;
use comfy_table::{CellAlignment, Table, presets};
use rustc_hash::FxHashSet;

use super::{Failure, Outcome, ProgramArgs, out, report};
use crate::ir::Dim;
use crate::sema::typed::{Applied, Owner, Program, Train, Type};
use crate::sema::{self};

/// The arguments of `tensa summary`.
#[derive(Args)]
pub(super) struct Summary {
    #[command(flatten)]
    program: ProgramArgs,
    /// List every parameter with its shape
    #[arg(long)]
    params: bool,
}

/// Runs the command.
pub(super) fn run(args: &Summary) -> Outcome {
    let session = args.program.open()?;
    let checked = session.check(None);
    if checked.diagnostics.has_errors() {
        return Err(Failure::Program(Box::new(session), checked.diagnostics));
    }
    report::show(checked.diagnostics, &session.sources);
    for (at, train) in checked.program.trains.iter().enumerate() {
        if at > 0 {
            out("\n");
        }
        out(&text(&checked.program, train, args.params));
    }
    Ok(())
}

/// The summary of one run.
fn text(program: &Program, train: &Train, params: bool) -> String {
    let models: Vec<&str> = train.models.iter().map(|name| name.as_str()).collect();
    let mut text = format!("{} on {}\n\n{}\n", models.join(", "), train.data, layers(program, train));
    if params {
        text.push_str(&format!("\n{}\n", parameters(program, train)));
    }
    text.push_str(&format!("\n{}\n", totals(train)));
    text
}

/// A row for each use of a layer, nested as in the program.
fn layers(program: &Program, train: &Train) -> Table {
    let mut table = table(["path", "layer", "result", "parameters"]);
    let top = train.layers.iter().map(|layer| layer.depth).min().unwrap_or(0);
    let mut seen: FxHashSet<&str> = FxHashSet::default();
    for layer in &train.layers {
        let own: Vec<&Type> = own(train, layer).collect();
        let kept = match (own.is_empty(), seen.insert(&layer.path)) {
            (true, _) => String::new(),
            (false, true) => count(own.into_iter()),
            // One layer applied twice has its parameters once.
            (false, false) => "shared".to_owned(),
        };
        let result = layer.ty.as_ref().map_or_else(String::new, |ty| sema::show_type(program, ty));
        let path = format!("{}{}", "  ".repeat(layer.depth - top), layer.path);
        table.add_row([path, layer.layer.to_string(), result, kept]);
    }
    table
}

/// The parameters that a layer makes itself, not in a layer within it.
fn own<'t>(train: &'t Train, layer: &'t Applied) -> impl Iterator<Item = &'t Type> {
    let maker = |path: &str| {
        let makers = train.layers.iter().filter(|layer| holds(&layer.path, path));
        makers.map(|layer| layer.path.len()).max()
    };
    let here = train
        .params
        .iter()
        .filter(move |param| holds(&layer.path, &param.path) && maker(&param.path) == Some(layer.path.len()));
    here.map(|param| &param.ty)
}

/// Whether a path lies below another.
fn holds(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('.'))
}

/// A row for each parameter.
fn parameters(program: &Program, train: &Train) -> Table {
    let mut table = table(["parameter", "shape", "", "numbers"]);
    for param in &train.params {
        let shape = sema::show_type(program, &param.ty);
        table.add_row([param.path.clone(), shape, String::new(), count(std::iter::once(&param.ty))]);
    }
    table
}

/// What the run keeps in all.
fn totals(train: &Train) -> String {
    let params = count(train.params.iter().map(|param| &param.ty));
    let kept = |owner: Owner| {
        let states = train.states.iter().filter(move |state| state.owner == owner);
        states.map(|state| &state.ty)
    };
    let mut text = format!("{params} parameters");
    for (owner, whose) in [(Owner::Layer, "layers"), (Owner::Optimizer, "the optimizer")] {
        if kept(owner).next().is_some() {
            text.push_str(&format!(", {} numbers kept by {whose}", count(kept(owner))));
        }
    }
    text
}

/// How many numbers tensors of these types hold: `1_234`.
pub(super) fn count<'t>(types: impl Iterator<Item = &'t Type>) -> String {
    let mut total = Some(0u64);
    for ty in types {
        // A parameter's size never depends on the batch, so it is known.
        let size = Dim::product(ty.axes.iter().map(|axis| &axis.size)).ok().and_then(|size| size.as_const());
        let size = size.and_then(|size| u64::try_from(size).ok());
        total = total.zip(size).and_then(|(total, size)| total.checked_add(size));
    }
    total.map_or_else(|| "?".to_owned(), grouped)
}

/// `12_345`, as the language writes it.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

fn table(head: [&str; 4]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head);
    if let Some(column) = table.column_mut(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
