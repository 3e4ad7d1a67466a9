//! `tensa emit --stage …`: prints a stage of the compiler.

use clap::{Args, ValueEnum};

use super::{Failure, Outcome, ProgramArgs};
use crate::{driver, fuse, ir, sema, syntax};

/// The arguments of `tensa emit`.
#[derive(Args)]
pub(super) struct Emit {
    #[command(flatten)]
    program: ProgramArgs,
    /// Which stage
    #[arg(long, value_enum)]
    stage: Stage,
}

/// The stages, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Stage {
    /// The syntax tree, as text
    Ast,
    /// Expressions with named axes
    Typed,
    /// The training graph as lowered
    Graph,
    /// After recognition
    Canon,
    /// With gradients
    Grad,
    /// One program of a step
    Step,
    /// The same, optimised
    Opt,
    /// In regions
    Fused,
    /// As loop nests
    Kernel,
}

/// Runs the command.
pub(super) fn run(args: &Emit) -> Outcome {
    let session = args.program.open()?;
    if args.stage == Stage::Ast {
        print!("{}", syntax::print::print(session.tree()));
        return match session.syntax_diagnostics().has_errors() {
            true => Err(Failure::Program(
                Box::new(driver::Session::new("", "", Default::default())),
                session.syntax_diagnostics().clone(),
            )),
            false => Ok(()),
        };
    }
    let checked = session.check(None);
    if checked.diagnostics.has_errors() {
        return Err(Failure::Program(Box::new(session), checked.diagnostics));
    }
    if args.stage == Stage::Typed {
        print!("{}", sema::print(&checked.program));
        return Ok(());
    }
    for train in &checked.program.trains {
        let stages = driver::stages(&checked.program, train, false);
        match args.stage {
            Stage::Ast | Stage::Typed => {}
            Stage::Graph => print!("{}", ir::text::print(&stages.lowered.training)),
            Stage::Canon => print!("{}", ir::text::print(&stages.canon)),
            Stage::Grad => print!("{}", ir::text::print(&stages.grad)),
            Stage::Step => print!("{}", ir::text::print(&stages.step)),
            Stage::Opt => print!("{}", ir::text::print(&stages.opt)),
            Stage::Fused => print!("{}", fuse::print(&fuse::fuse(&stages.opt))),
            Stage::Kernel => print!("{}", driver::kernels(&stages.opt)),
        }
    }
    Ok(())
}
