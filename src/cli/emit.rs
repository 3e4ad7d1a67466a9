//! `tensa emit --stage …`: the text form of a stage of the compiler.

use clap::{Args, ValueEnum};

use super::{Failure, Outcome, ProgramArgs, chosen_runs, model_names, out, report, tell};
use crate::backend::cpu::Cpu;
use crate::driver::{self, PassStages, Session};
use crate::ir::{Graph, NodeId, SizeId};
use crate::lower::LoweredPass;
use crate::sema::typed::Train;
use crate::{fuse, ir, kernel, ops, runtime, sema, syntax};

/// The arguments of `tensa emit`.
#[derive(Args)]
pub(super) struct Emit {
    #[command(flatten)]
    program: ProgramArgs,
    /// The stage to print
    #[arg(long, value_enum)]
    stage: Stage,
    /// Of which run, by the name of its model, when the program has several
    #[arg(long, value_name = "NAME")]
    train: Option<String>,
    /// For which batch a plan is made
    #[arg(long, default_value_t = 32, value_name = "N")]
    batch: u32,
}

/// The stages, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Stage {
    /// The syntax tree, as text in the house format
    Ast,
    /// Expressions with named axes: layers inlined, static choices made
    Typed,
    /// The training graph as lowered: ordered axes, the loss
    Graph,
    /// After recognition: contractions, log-sum-exp, picks
    Canon,
    /// With gradients
    Grad,
    /// One program of a step: loss, gradients, update
    Step,
    /// The same, simplified
    Opt,
    /// In regions, each of which becomes one kernel
    Fused,
    /// As loop nests over buffers
    Kernel,
    /// Where the buffers of a step lie in memory, for one batch size
    Plan,
    /// The kernels in Cranelift's intermediate form
    Clif,
    /// The kernels as instructions of this machine
    Asm,
}

/// Runs the command.
pub(super) fn run(args: &Emit) -> Outcome {
    let session = args.program.open()?;
    if args.stage == Stage::Ast {
        return ast(session);
    }
    let checked = session.check(None);
    if checked.diagnostics.has_errors() {
        return Err(Failure::Program(Box::new(session), checked.diagnostics));
    }
    let trains = chosen_runs(&checked, args.train.as_deref())?;
    if args.stage == Stage::Typed {
        out(&sema::print(&checked.program));
    } else {
        for &train in &trains {
            if trains.len() > 1 {
                out(&format!("# {} on {}\n", model_names(train).join(", "), train.data));
            }
            let stages = driver::stages(&checked.program, train, false);
            for ((pass, lowered), stages) in train.passes.iter().zip(&stages.lowered.passes).zip(&stages.passes) {
                if !pass.name.is_empty() {
                    out(&format!("# the update of {}\n", pass.name));
                }
                out(&text(args, train, lowered, stages)?);
            }
        }
    }
    report::show(checked.diagnostics, &session.sources);
    Ok(())
}

/// The tree of what could be read, also when not all could.
fn ast(session: Session) -> Outcome {
    out(&syntax::print::print(session.tree()));
    let told = session.syntax_diagnostics().clone();
    if told.has_errors() {
        return Err(Failure::Program(Box::new(session), told));
    }
    report::show(told, &session.sources);
    Ok(())
}

/// The text of a graph that says which of its contractions are convolutions, and how many there are.
fn with_convolutions(graph: &Graph) -> String {
    let mut text = String::new();
    for line in ir::text::print(graph).lines() {
        let id = line.strip_prefix('%').and_then(|rest| rest.split(':').next()?.parse().ok());
        let role = id.and_then(|id| ops::conv_role(graph, NodeId(id)));
        let note = role.map_or_else(String::new, |role| format!("  # conv {}", role.as_str()));
        text.push_str(&format!("{line}{note}\n"));
    }
    match ops::conv_counts(graph) {
        counts if counts.is_empty() => text,
        counts => format!("# convs: {counts}\n{text}"),
    }
}

fn text(args: &Emit, train: &Train, lowered: &LoweredPass, stages: &PassStages) -> Result<String, Failure> {
    Ok(match args.stage {
        Stage::Ast | Stage::Typed => String::new(),
        Stage::Graph => ir::text::print(&lowered.training),
        Stage::Canon => ir::text::print(&stages.canon),
        Stage::Grad => ir::text::print(&stages.grad),
        Stage::Step => ir::text::print(&stages.step),
        Stage::Opt => with_convolutions(&stages.opt),
        Stage::Fused => fuse::print(&fuse::fuse(&stages.opt)),
        Stage::Kernel => driver::kernels(&stages.opt).to_string(),
        Stage::Plan => {
            let program = driver::kernels(&stages.opt);
            let size = |at| train.size_at(i64::from(args.batch), SizeId(at));
            let sizes: Vec<i64> = (0..program.sizes.len() as u32).map(size).collect();
            let too_large = || Failure::Usage(format!("no memory holds a batch of {}", args.batch));
            runtime::text::print(&program, &sizes).ok_or_else(too_large)?
        }
        Stage::Clif | Stage::Asm => {
            let told = |fault: kernel::Fault| {
                tell(&format!("error: {fault}\n"));
                Failure::Told
            };
            let cpu = Cpu::new(1).map_err(told)?;
            let program = driver::kernels(&stages.opt);
            let text = |kernel| match args.stage {
                Stage::Asm => cpu.asm(kernel),
                _ => Ok(cpu.clif(kernel)),
            };
            program.kernels.iter().map(text).collect::<Result<Vec<_>, _>>().map_err(told)?.join("\n")
        }
    })
}
