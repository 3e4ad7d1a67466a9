//! Files of weights, as another program would leave them.

use std::path::Path;

use tensa::tensor::safetensors::{self, Stored};
use tensa::tensor::{Named, Tensor};

/// For two layers of 3 × 8 and 8 × 2: `base` with the names of the library, `more` with one beside them, `run` with that
/// and the names of a run, `other` with other names, `turned` with the axes the other way round, `whole` with whole numbers.
pub fn write(folder: &Path) {
    let float = |shape: &[usize]| Tensor::from_f32(shape, vec![0.5; shape.iter().product()]).expect("its size");
    let write = |name: &str, tensors: &[(&str, Tensor)]| {
        let named = tensors.iter().map(|(name, tensor)| {
            let axes = (0..tensor.shape().len()).map(|at| format!("a{at}")).collect();
            ((*name).to_owned(), Named { tensor: tensor.clone(), axes })
        });
        let stored = Stored { tensors: named.collect(), metadata: Default::default() };
        safetensors::write(&folder.join(name), &stored).expect("a writable folder");
    };
    let [w, b, v, c] = [float(&[3, 8]), float(&[8]), float(&[8, 2]), float(&[2])];
    let base = [("Dense.w", w.clone()), ("Dense.b", b.clone()), ("Dense.1.w", v.clone()), ("Dense.1.b", c.clone())];
    write("base.safetensors", &base);
    let run = ["Net.Dense.w", "Net.Dense.b", "Net.Dense.1.w", "Net.Dense.1.b"].into_iter().zip(base.clone());
    let run: Vec<(&str, Tensor)> = run.map(|(path, (_, tensor))| (path, tensor)).collect();
    write("run.safetensors", &[&run[..], &[("head.w", float(&[4]))]].concat());
    write("more.safetensors", &[&base[..], &[("head.w", float(&[4]))]].concat());
    write(
        "other.safetensors",
        &["up.kernel", "up.bias", "down.kernel", "down.bias"]
            .into_iter()
            .zip([w, b.clone(), v, c.clone()])
            .collect::<Vec<_>>(),
    );
    let turned = [float(&[8, 3]), b, float(&[2, 8]), c];
    write(
        "turned.safetensors",
        &["Dense.w", "Dense.b", "Dense.1.w", "Dense.1.b"].into_iter().zip(turned).collect::<Vec<_>>(),
    );
    let whole = Tensor::from_i32(&[3, 8], vec![1; 24]).expect("its size");
    write("whole.safetensors", &[&[("Dense.w", whole)], &base[1..]].concat());
}
