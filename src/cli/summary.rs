//! `tensa summary`: the layers of each run with what they make, keep and cost.

use clap::Args;
use comfy_table::{CellAlignment, Table, presets};

use super::costs::{self, Costs, grouped, kept, numbers};
use super::{Failure, Outcome, ProgramArgs, model_names, out, report};
use crate::sema;
use crate::sema::typed::{Applied, Owner, Program, Train};

/// The arguments of `tensa summary`.
#[derive(Args)]
pub(super) struct Summary {
    #[command(flatten)]
    program: ProgramArgs,
    /// List every parameter with its shape
    #[arg(long)]
    params: bool,
    /// For how many examples flops and bytes are counted
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
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
        out(&text(&checked.program, train, args));
    }
    Ok(())
}

/// The types of the results of a layer, as the program names their axes.
pub(super) fn results(program: &Program, layer: &Applied) -> String {
    let types: Vec<String> = layer.results.iter().map(|ty| sema::show_type(program, ty)).collect();
    types.join(", ")
}

/// The summary of one run.
fn text(program: &Program, train: &Train, args: &Summary) -> String {
    let examples = match args.batch {
        1 => "one example".to_owned(),
        batch => format!("a batch of {batch}"),
    };
    let costs = costs::count(program, train, args.batch);
    let head = format!("{} on {}, {examples} forward", model_names(train).join(", "), train.data);
    let mut text = format!("{head}\n\n{}\n", layers(program, train, &costs));
    if args.params {
        text.push_str(&format!("\n{}\n", parameters(program, train)));
    }
    text.push_str(&format!("\n{}", totals(train, &costs, &examples)));
    text
}

/// A row for each use of a layer, nested as in the program.
fn layers(program: &Program, train: &Train, costs: &Costs) -> Table {
    let mut table = table(&["path", "layer", "result", "parameters", "flops", "bytes"]);
    let mut depths: Vec<usize> = Vec::with_capacity(train.layers.len());
    for (layer, own) in train.layers.iter().zip(&costs.layers) {
        let depth = layer.parent.map_or(0, |parent| depths[parent.index()] + 1);
        depths.push(depth);
        let unless_none = |amount| if amount == Some(0) { String::new() } else { grouped(amount) };
        let params = match own.shared && own.params != Some(0) {
            // One layer applied twice has its parameters once.
            true => "shared".to_owned(),
            false => unless_none(own.params),
        };
        let path = format!("{}{}", "  ".repeat(depth), layer.path);
        let made = results(program, layer);
        table.add_row([path, layer.layer.to_string(), made, params, unless_none(own.flops), grouped(own.bytes)]);
    }
    table
}

/// A row for each parameter.
fn parameters(program: &Program, train: &Train) -> Table {
    let mut table = table(&["parameter", "shape", "", "numbers"]);
    for param in &train.params {
        let shape = sema::show_type(program, &param.ty);
        table.add_row([param.path.clone(), shape, String::new(), grouped(numbers([&param.ty]))]);
    }
    table
}

/// What the run keeps and costs in all, a line each.
fn totals(train: &Train, costs: &Costs, examples: &str) -> String {
    let stored = |amount: costs::Amount| grouped(amount.and_then(|numbers| numbers.checked_mul(4)));
    let params = numbers(train.params.iter().map(|param| &param.ty));
    let mut text = format!("{} parameters, {} bytes\n", grouped(params), stored(params));
    for (owner, whose) in [(Owner::Layer, "layers"), (Owner::Optimizer, "the optimizer")] {
        if kept(train, owner).next().is_some() {
            let held = numbers(kept(train, owner));
            text.push_str(&format!("{} numbers kept by {whose}, {} bytes\n", grouped(held), stored(held)));
        }
    }
    text.push_str(&format!("{} flops forward for {examples}", grouped(costs.flops)));
    if costs.outside != Some(0) {
        text.push_str(&format!(", {} of them in no layer", grouped(costs.outside)));
    }
    text.push('\n');
    text
}

fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head);
    // Names stand left, numbers right.
    for at in 3..head.len() {
        if let Some(column) = table.column_mut(at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
