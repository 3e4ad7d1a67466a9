//! Runs of programs that nothing interrupts and that leave no folder.

use std::sync::atomic::AtomicBool;

use tensa::backend::cpu::Cpu;
use tensa::diag::Diagnostic;
use tensa::driver::{self, Checked, Session};
use tensa::train::{self, Control, End, Evaluator, Job, Model};

/// A run that nothing interrupts.
static NEVER: AtomicBool = AtomicBool::new(false);

/// How the first run of a checked program ends.
pub fn first(session: &Session, checked: &Checked) -> Result<End, Diagnostic> {
    let train = &checked.program.trains[0];
    let dataset = &checked.datasets[&train.data];
    let backend = Cpu::new(1).expect("a processor");
    let stages = driver::stages(&checked.program, train, false);
    let mut model = Model::new(train, &stages.lowered, &backend)?;
    model.take_loads(train, &train::read_loads(&checked.program, train, &session.folder)?);
    let steps = stages.passes.iter().map(|pass| model.compile(driver::kernels(&pass.opt)));
    let steps = steps.collect::<Result<_, _>>()?;
    let evaluator = Evaluator::new(&model, &stages.lowered, dataset)?;
    let control = Control { folder: None, resume: false, test: false, interrupted: &NEVER };
    train::run(Job { train, dataset, model: &mut model, steps, evaluator }, &control, &mut ())
}
