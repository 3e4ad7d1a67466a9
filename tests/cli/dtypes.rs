//! Parameters of other dtypes: in training, in files, from files.

use tensa::tensor::safetensors::{self, Stored};
use tensa::tensor::{Named, Tensor};

use super::*;

const TABLE: &str = r#"data Iris = csv("data/iris.csv") {
  x     = columns("sepal_len", "sepal_wid", "petal_len") |> standardize
  y     = column("petal_wid")
  split = random(train = 80%, valid = 20%)
  batch = 8
}
"#;

/// A regression whose parameters are of a dtype.
fn regression(dtype: &str, net: &str, settings: &str) -> Place {
    let place = Place::new();
    let text = format!(
        r#"{TABLE}
layer Line(out: axis)(x: [.., i]) -> [.., out] {{
  param w: {dtype}[i, out] ~ glorot
  param b: {dtype}[out] ~ zeros
  f32(sum[i](x * w) + b)
}}

model Net(x: [batch, feature]) -> [batch] = x |> Line(one: 1) |> _[one = 0]

train net = {net} on Iris {{
  loss = mse(net(x), y)
{settings}}}
"#
    );
    fs::write(place.path("net.model"), text).unwrap();
    place
}

fn stored(place: &Place, name: &str) -> Stored {
    safetensors::read(&place.path(&format!("runs/net-1/{name}.safetensors"))).unwrap()
}

/// Trains, and tells the loss of the valid split in the end.
fn valid_loss(place: &Place) -> f64 {
    let events = place.run(&["run", "net.model", "--json"]).with(0).events();
    let done = events.iter().rev().find_map(|event| event["valid"]["loss"].as_f64());
    done.unwrap_or_else(|| panic!("{events:#?}"))
}

#[test]
fn parameters_are_of_their_dtype_in_memory_and_in_files() {
    for (dtype, moments) in [("f32", "f32"), ("bf16", "f32"), ("f16", "f32"), ("f64", "f64")] {
        let place = regression(dtype, "Net()", "  optimizer = Adam(lr = 0.05)\n  epochs = 4\n");
        let loss = valid_loss(&place);
        assert!(loss < 0.1, "{dtype}: {loss}");
        let weights = stored(&place, "weights");
        for (path, Named { tensor, .. }) in &weights.tensors {
            assert_eq!(tensor.dtype(), dtype, "{path}");
            assert!(
                tensor.floats().unwrap().iter().all(|value| value.is_finite() && *value != 0.0),
                "{path}: {tensor:?}"
            );
        }
        // What was learned is no number of f32 by chance.
        let w = weights.tensors["net.Line.w"].tensor.floats().unwrap();
        assert_eq!(w.iter().all(|value| f64::from(*value as f32) == *value), dtype != "f64", "{dtype}: {w:?}");
        let optimizer = stored(&place, "optimizer");
        let kept: Vec<_> = optimizer.tensors.iter().filter(|(path, _)| path.contains(".w.")).collect();
        assert!(!kept.is_empty(), "{:?}", optimizer.tensors.keys());
        assert!(kept.iter().all(|(_, named)| named.tensor.dtype() == moments), "{dtype}");
    }
}

#[test]
fn a_run_goes_on_from_weights_of_any_float() {
    let values = [0.5f32, -0.25, 0.125];
    let tensors = [
        Tensor::from_f64(&[3, 1], values.map(f64::from).to_vec()).unwrap(),
        Tensor::from_f32(&[3, 1], values.to_vec()).unwrap(),
        Tensor::from_f16(&[3, 1], values).unwrap(),
        Tensor::from_bf16(&[3, 1], values).unwrap(),
    ];
    for tensor in tensors {
        for dtype in ["f32", "f16", "f64"] {
            let net = r#"load("base.safetensors", Net())"#;
            let place = regression(dtype, net, "  optimizer = SGD(0)\n  steps = 1\n");
            let mut file = Stored::default();
            let bias = Tensor::from_f32(&[1], vec![1.5]).unwrap();
            for (path, tensor, axes) in
                [("net.Line.w", tensor.clone(), vec!["i", "out"]), ("net.Line.b", bias, vec!["out"])]
            {
                let axes = axes.into_iter().map(str::to_owned).collect();
                file.tensors.insert(path.to_owned(), Named { tensor, axes });
            }
            safetensors::write(&place.path("base.safetensors"), &file).unwrap();
            place.run(&["run", "net.model"]).with(0);
            let found = stored(&place, "weights").tensors["net.Line.w"].tensor.clone();
            assert_eq!((found.dtype(), found.floats().unwrap()), (dtype, values.map(f64::from).to_vec()));
        }
    }
}
