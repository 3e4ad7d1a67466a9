//! What becomes of programs that people write: how many steps and kernels, what is stored, what is copied.

use std::path::Path;

use tensa::driver::{self, Session};
use tensa::fuse::{self, Fused};
use tensa::ir::DType;
use tensa::ir::scalar::Bin;
use tensa::kernel::ir::{Inst, Phase, Program, Step};

fn lowered(name: &str, text: &str, folder: &Path) -> (Fused, Program) {
    let session = Session::new(name, text, folder.to_path_buf());
    let checked = session.check(None);
    assert!(!checked.diagnostics.has_errors(), "{:?}", checked.diagnostics);
    let stages = driver::stages(&checked.program, &checked.program.trains[0], false);
    (fuse::fuse(&stages.opt), driver::kernels(&stages.opt))
}

/// A folder with `data.csv`: two columns of numbers and a class of three.
pub(super) fn table() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let rows: Vec<String> = (0..40).map(|row| format!("{row},{},c{}", row % 7, row % 3)).collect();
    std::fs::write(folder.path().join("data.csv"), format!("a,b,y\n{}\n", rows.join("\n"))).unwrap();
    folder
}

fn iris() -> (Fused, Program) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let text = std::fs::read_to_string(folder.join("iris.model")).unwrap();
    lowered("iris.model", &text, &folder)
}

fn gemms(program: &Program) -> usize {
    program.steps.iter().filter(|step| matches!(step, Step::Gemm { .. })).count()
}

#[test]
fn the_update_rides_on_the_gradients() {
    let (fused, program) = iris();
    let text = fuse::print(&fused);
    // Two products forward, three backward; rows of the loss and its mean; the folds of two biases.
    assert_eq!(gemms(&program), 5, "{text}");
    assert_eq!(program.steps.len(), 9, "{text}");
    assert!(fused.in_place.iter().skip(1).all(|in_place| *in_place), "{text}");
    assert!(!program.steps.iter().any(|step| matches!(step, Step::Copy { .. })), "{program}");
}

#[test]
fn a_dropout_mask_is_drawn_again_and_never_stored() {
    let (fused, program) = iris();
    let draws = |inst: &Inst| matches!(inst, Inst::Bin(Bin::MulHi, ..));
    let drawing = program.kernels.iter().filter(|kernel| {
        kernel.phases.iter().any(|phase| {
            let (Phase::Map(body) | Phase::Scalar(body) | Phase::Reduce { body, .. } | Phase::Fold { body, .. }) =
                phase;
            body.insts.iter().any(draws)
        })
    });
    assert_eq!(drawing.count(), 2, "forward and backward");
    let stored: Vec<DType> =
        fused.graph.ids().filter(|id| fused.stored[id.index()]).map(|id| fused.graph.ty(id).dtype).collect();
    // The mask of the ReLU alone.
    assert_eq!(stored.iter().filter(|dtype| **dtype == DType::Bool).count(), 1, "{}", fuse::print(&fused));
}

#[test]
fn equal_layers_are_equal_kernels() {
    let folder = table();
    let program = |layers: usize| {
        let text = format!(
            "data D = csv(\"data.csv\") {{
  x     = columns(\"a\", \"b\")
  y     = column(\"y\") |> vocab
  split = random(train = 100%)
  batch = 8
}}

model Net(x: [batch, feature]) -> logit[batch, class] {{
  x |> Dense(64, relu) |> stack {layers} {{ Dense(64, relu) }} |> Dense(class: 3)
}}

train Net on D {{
  loss      = cross_entropy(Net(x), y)
  optimizer = Adam(lr = 1e-3)
  epochs    = 1
}}
"
        );
        lowered("layers.model", &text, folder.path()).1
    };
    let (six, twelve) = (program(6), program(12));
    assert_eq!(six.kernels.len(), twelve.kernels.len(), "{six}");
    // A layer more is one product forward, two backward, and the fold of its bias.
    assert_eq!(twelve.steps.len() - six.steps.len(), 6 * 4);
}
