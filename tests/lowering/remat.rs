//! `remat`: the same numbers from less memory.

use std::path::Path;

use tensa::backend::cpu::Cpu;
use tensa::driver::{self, Session};
use tensa::ir::{Graph, ParamId, Role};
use tensa::kernel::ir::{Program, Step};
use tensa::runtime::{Env, Executable, Input, Store};

/// So many rows that what is kept of them outweighs the gradients.
const BATCH: usize = 512;

/// Six blocks of a wide layer and a narrow one, `remat` or not.
fn program(folder: &Path, open: &str) -> (Program, Graph) {
    let text = format!(
        "data D = csv(\"data.csv\") {{
  x     = columns(\"a\", \"b\")
  y     = column(\"y\") |> vocab
  split = random(train = 100%)
  batch = 8
}}

layer Block(x: [.., d: 32]) -> [.., d: 32] {{
  x + {open} {{ x |> Dense(512, gelu) |> Dense(32, tanh) }}
}}

model Net(x: [batch, feature]) -> logit[batch, class] {{
  x |> Dense(32) |> stack 6 {{ Block }} |> Dense(class: 3)
}}

train Net on D {{
  loss      = cross_entropy(Net(x), y)
  optimizer = SGD(lr = 0.1)
  epochs    = 1
}}
"
    );
    // Without the word it is a plain block, which the language has not: parentheses.
    let text = if open.is_empty() { text.replace("{ x |>", "(x |>").replace("tanh) }", "tanh))") } else { text };
    let session = Session::new("remat.model", &text, folder.to_path_buf());
    let checked = session.check(None);
    assert!(!checked.diagnostics.has_errors(), "{:?}\n{text}", checked.diagnostics);
    let train = &checked.program.trains[0];
    let stages = driver::stages(&checked.program, train, true);
    (driver::kernels(&stages.opt), stages.opt.clone())
}

#[test]
fn a_block_is_computed_again_and_its_gradients_stay() {
    let folder = super::shapes::table();
    let outcome = ["", "remat"].map(|open| {
        let (program, graph) = program(folder.path(), open);
        let products = program.steps.iter().filter(|step| matches!(step, Step::Gemm { .. })).count();
        let mut executable = Executable::new(program, &Cpu::new(2).unwrap()).unwrap();
        let mut store = Store::of(&graph).unwrap();
        for param in 0..graph.params.len() as u32 {
            for (at, word) in store.param_mut(ParamId(param)).iter_mut().enumerate() {
                *word = (((at * 7919 + param as usize * 31) % 1009) as f32 / 5000.0 - 0.1).to_bits();
            }
        }
        let x: Vec<f32> = (0..2 * BATCH).map(|at| (at % 16) as f32 / 8.0 - 1.0).collect();
        let y: Vec<i32> = (0..BATCH as i32).map(|at| at % 3).collect();
        let inputs = [Input::F32(&x), Input::I32(&y)];
        let sizes: Vec<i64> =
            executable.program().sizes.iter().map(|name| if name == "batch" { BATCH as i64 } else { 3 }).collect();
        let memory = executable.memory(&sizes, &store).unwrap();
        let env = Env { inputs: &inputs, sizes: &sizes, seed: 0, step: 1, steps_per_epoch: 5 };
        let results = executable.run(&env, &mut store).unwrap();
        let gradients: Vec<(Role, Vec<f32>)> =
            results.iter().map(|(role, _)| (role.clone(), results.f32(role).unwrap())).collect();
        (memory.arena, products, gradients)
    });
    let [(arena, products, gradients), (smaller, more, again)] = outcome;
    // The wide values of one block at a time instead of those of six.
    assert!(2 * smaller < arena, "{smaller} bytes of {arena}");
    // The wide product of each block once more; the narrow one's result is the block's.
    assert_eq!(more - products, 6);
    for ((role, one), (_, other)) in gradients.iter().zip(&again) {
        let off = one.iter().zip(other).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
        let most = one.iter().fold(1e-3f32, |most, x| most.max(x.abs()));
        assert!(off <= 1e-5 * most, "{role:?} is off by {off}");
    }
}
