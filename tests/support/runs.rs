//! Runs of programs, as `tensa run` makes them.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use tensa::backend::Backend;
use tensa::diag::Diagnostic;
use tensa::driver::{self, Checked};
use tensa::train::{self, Control, End, Evaluator, Job, Model, Watch};

/// What never interrupts a run.
static NEVER: AtomicBool = AtomicBool::new(false);

/// A run that leaves no folder and that nothing interrupts.
pub fn alone(test: bool) -> Control<'static> {
    Control { folder: None, resume: false, test, interrupted: &NEVER }
}

/// Makes the first run of a checked program whose files lie in `folder`; `then` looks at what it leaves.
pub fn first<T>(
    (checked, folder): (&Checked, &Path),
    backend: &dyn Backend,
    control: &Control<'_>,
    watch: &mut dyn Watch,
    then: impl FnOnce(End, &Model<'_>) -> T,
) -> Result<T, Diagnostic> {
    let train = &checked.program.trains[0];
    let dataset = &checked.datasets[&train.data];
    let stages = driver::stages(&checked.program, train, false);
    let mut model = Model::new(train, &stages.lowered, backend)?;
    model.take_loads(train, &train::read_loads(&checked.program, train, folder)?);
    let steps = stages.passes.iter().map(|pass| model.compile(driver::kernels(&pass.opt)));
    let steps = steps.collect::<Result<_, _>>()?;
    let evaluator = Evaluator::new(&model, &stages.lowered, dataset)?;
    let end = train::run(Job { train, dataset, model: &mut model, steps, evaluator }, control, watch)?;
    Ok(then(end, &model))
}
