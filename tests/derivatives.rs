//! Derivatives that a program asks for: against formulas, against differences, to any order, and through a loss.

use std::path::PathBuf;
use std::sync::Arc;

use tensa::backend::cpu::Cpu;
use tensa::backend::interp::graph;
use tensa::driver::{self, Session};
use tensa::ir::{DType, Role};
use tensa::ops::Value;
use tensa::sema::typed::Precision;

use crate::support::models::{self, Alone};
use crate::support::steps;

fn open(text: &str) -> Alone {
    models::open(text, "").unwrap_or_else(|told| panic!("{told} in\n{text}"))
}

#[track_caller]
fn assert_close(got: &Value, want: &Value, tolerance: f64) {
    assert_eq!(got.dims, want.dims);
    for (at, (got, want)) in got.data.iter().zip(&want.data).enumerate() {
        let off = (got - want).abs() / want.abs().max(1.0);
        assert!(off < tolerance, "element {at}: {got}, not {want}");
    }
}

/// What the model predicts by the rules of gradients, in f64.
fn by_rules(model: &Alone) -> Value {
    let graph = driver::forward(model.stages.lowered.prediction.as_ref().expect("a prediction"), Precision::F32);
    graph::run(&graph, &model.given).expect("sizes in range").remove(0).1
}

/// Random parameters instead of first values, which may be 0.
fn roughen(model: &mut Alone) {
    for (index, param) in model.given.params.iter_mut().enumerate() {
        for (at, number) in param.data.iter_mut().enumerate() {
            *number = ((at * 37 + 11 + 5 * index) % 101) as f64 / 70.0 - 0.7;
        }
    }
}

/// The prediction by differences and by rules, and each gradient of its mean against differences of the loss, which
/// itself goes by differences where the program asks for a derivative.
#[track_caller]
fn check(text: &str, tolerance: f64) {
    let mut model = open(text);
    roughen(&mut model);
    assert_close(&by_rules(&model), &model.predict(), tolerance);
    let loss = |model: &Alone| {
        let outputs = graph::run(&model.stages.lowered.passes[0].training, &model.given).expect("sizes in range");
        outputs.into_iter().find(|(role, _)| *role == Role::Loss).expect("a loss").1.data[0]
    };
    let step = model.step();
    for (role, got) in step.iter().filter(|(role, _)| matches!(role, Role::Grad(_))) {
        let Role::Grad(id) = role else { continue };
        for (at, got) in got.data.iter().enumerate() {
            let mut at_distance = |distance: f64| {
                let before = model.given.params[id.index()].data[at];
                model.given.params[id.index()].data[at] += distance;
                let loss = loss(&model);
                model.given.params[id.index()].data[at] = before;
                loss
            };
            let h = 1e-3;
            let near = at_distance(h) - at_distance(-h);
            let far = at_distance(2.0 * h) - at_distance(-2.0 * h);
            let want = (8.0 * near - far) / (12.0 * h);
            let off = (got - want).abs() / want.abs().max(1.0);
            assert!(off < tolerance, "{id:?} at {at}: {got}, differences say {want}, in\n{text}");
        }
    }
}

#[test]
fn a_derivative_is_that_of_the_formula() {
    let model = open("model M(x: [batch, d: 4]) = grad(sum(x^3), x)");
    let x = model.given.inputs[0].clone();
    let want = Value::from_fn(&x.dims, |at| 3.0 * x.at(at).powi(2));
    assert_close(&by_rules(&model), &want, 1e-12);
    assert_close(&model.predict(), &want, 1e-9);
}

#[test]
fn a_derivative_has_derivatives_to_any_order() {
    let text = "model M(x: [batch, d: 3]) {
      let a = grad(sum(x^5 + exp(x)), x)
      let b = grad(sum(a), x)
      let c = grad(sum(b), x)
      grad(sum(c * tanh(x)), x)
    }";
    let model = open(text);
    let x = model.given.inputs[0].clone();
    // The derivative of c·tanh, where c = 60x² + exp(x).
    let want = Value::from_fn(&x.dims, |at| {
        let x = x.at(at);
        (120.0 * x + x.exp()) * x.tanh() + (60.0 * x * x + x.exp()) * (1.0 - x.tanh().powi(2))
    });
    assert_close(&by_rules(&model), &want, 1e-12);
    // Four differences one in another leave few digits, but the ones there are agree.
    assert_close(&model.predict(), &want, 1e-2);
}

#[test]
fn only_the_way_through_the_name_counts() {
    // Two names of equal values are two values, whatever makes equal computations one.
    let model = open(
        "model M(x: [batch, d: 3]) {
      let a = 2 * x
      let b = 2 * x
      grad(sum(a * a * b), a)
    }",
    );
    let x = model.given.inputs[0].clone();
    let want = Value::from_fn(&x.dims, |at| 8.0 * x.at(at).powi(2));
    assert_close(&by_rules(&model), &want, 1e-12);
    assert_close(&model.predict(), &want, 1e-9);
    // Inside a definition the name is the argument, outside it is what was given.
    let model = open(
        "fn force(q: [batch, d]) -> [batch, d] = 0 - grad(sum(q^2), q)
    model M(x: [batch, d: 3]) {
      let f = force(x)
      grad(sum(f * x), x)
    }",
    );
    let x = model.given.inputs[0].clone();
    let want = Value::from_fn(&x.dims, |at| -4.0 * x.at(at));
    assert_close(&by_rules(&model), &want, 1e-12);
    assert_close(&model.predict(), &want, 1e-6);
}

#[test]
fn a_loss_of_derivatives_trains() {
    // A gradient penalty.
    check(
        "model M(x: [batch, d: 3]) -> [batch] {
          let y = x |> Dense(h: 4, tanh) |> Dense(one: 1) |> _[one = 0]
          let g = grad(sum(y), x)
          y + (sqrt(sum[d](g^2) + 1e-2) - 1)^2
        }",
        1e-6,
    );
    // The residual of Burgers' equation.
    check(
        "model U(p: [batch, xt: 2]) -> [batch] = p |> stack 2 { Dense(h: 3, tanh) } |> Dense(one: 1) |> _[one = 0]
        model M(p: [batch, xt: 2]) -> [batch] {
          let u   = U()(p)
          let du  = grad(sum(u), p)
          let uxx = grad(sum(du[xt = 0]), p)[xt = 0]
          (du[xt = 1] + u * du[xt = 0] - 0.1 * uxx)^2
        }"
        .replace("model U", "layer U")
        .as_str(),
        1e-5,
    );
    // A step of learning inside of the loss.
    check(
        "model M(x: [batch, d: 3]) -> [batch] {
          let w    = param w[d] ~ ones
          let fit  = mean((tanh(sum[d](x * w)) - 0.3)^2)
          let w2   = w - 0.4 * grad(fit, w)
          (sum[d](x * w2) - 0.5)^2
        }",
        1e-6,
    );
    // Values that are not kept.
    check(
        "model M(x: [batch, d: 3]) -> [batch] {
          let y = remat { x |> Dense(h: 4, tanh) |> Dense(one: 1, tanh) }
          sum[d](grad(sum(y^2), x)^2)
        }",
        1e-6,
    );
    // Attention, of which every part is differentiated twice.
    check(
        "model M(x: [batch, t: 3, d: 4]) -> [batch, t] {
          let y = x |> LayerNorm |> Attention(2) |> Dense(h: 3, gelu)
          sum[d](grad(sum(y^2), x)^2)
        }",
        1e-5,
    );
}

#[test]
fn a_function_may_give_its_gradient() {
    // Straight through a rounding, with what the body named, and into a product.
    let model = open(
        "fn rounded(x: [..]) -> [..] { let y = round(3 * x)  y + 0 * x } grad(dy) { dy * (y + 2) }
    model M(x: [batch, d: 3]) = grad(sum(rounded(2 * x)^2), x)",
    );
    let x = model.given.inputs[0].clone();
    let want = Value::from_fn(&x.dims, |at| {
        let y = (6.0 * x.at(at)).round_ties_even();
        2.0 * y * (y + 2.0) * 2.0
    });
    assert_close(&by_rules(&model), &want, 1e-12);
    // Several inputs, of which one gets nothing; its order of axes is not that of the value.
    let model = open(
        "fn f(x: [batch, d], w: [d]) -> [d, batch] { order[d, batch](x * w) } grad(dy) { w: 0, x: dy * w * 10 }
    model M(x: [batch, d: 3]) -> [batch, d] {
      let v = pos(d) + 1.0
      grad(sum(f(x, v) * v), x) + grad(sum(f(x, v) + 0 * v), v)
    }",
    );
    let want = Value::from_fn(&model.given.inputs[0].dims, |at| 10.0 * (at[1] as f64 + 1.0).powi(2));
    assert_close(&by_rules(&model), &want, 1e-12);
    // It has derivatives, by the rules of what it is made of.
    let model = open(
        "fn cube(x: [..]) -> [..] { x^3 } grad(dy) { dy * 3 * x^2 }
    model M(x: [batch, d: 3]) -> [batch, d] {
      let slope = grad(sum(cube(x)), x)
      grad(sum(slope), x)
    }",
    );
    let x = model.given.inputs[0].clone();
    let want = Value::from_fn(&x.dims, |at| 6.0 * x.at(at));
    assert_close(&by_rules(&model), &want, 1e-12);
    assert_close(&model.predict(), &want, 1e-6);
}

/// The gradients that functions of the library give are those of their values.
#[test]
fn gradients_that_the_library_gives_are_those_of_its_functions() {
    for function in ["log1p(0.5 * x)", "expm1(x)", "expm1(3 * x)", "sinh(x) * cosh(x)", "tan(x)", "clip(x, -0.4, 0.6)"]
    {
        check(
            &format!(
                "model M(x: [batch, d: 5]) -> [batch] {{
              let w = param w[d] ~ ones
              let x = 0.9 * x * w
              sum[d]({function} * w)
            }}"
            ),
            1e-6,
        );
    }
}

/// Each of them, on drawn sizes and numbers.
#[test]
fn all_gradients_that_the_library_gives_agree() {
    let reports = Session::new("none.model", "", PathBuf::new()).gradients(true);
    assert!(reports.len() >= 3, "{reports:?}");
    for report in reports {
        assert!(report.inputs.is_ok() && !report.differs(), "{}: {report}", report.name);
    }
}

#[test]
fn machine_code_has_the_derivatives_too() {
    let mut model = open(
        "model M(x: [batch, d: 3]) -> [batch] {
      let y = x |> Dense(h: 8, tanh) |> Dense(one: 1) |> _[one = 0]
      sum[d](grad(sum(y), x)^2)
    }",
    );
    roughen(&mut model);
    let given = steps::rounded(model.given.clone());
    let graph = &model.stages.passes[0].opt;
    let want = graph::run(graph, &given).expect("sizes in range");
    let program = Arc::new(driver::kernels(graph));
    let code = steps::run(graph, &program, &Cpu::new(2).unwrap(), &given).unwrap();
    for ((role, words), (_, want)) in code.iter().zip(&want) {
        for (word, want) in words.iter().zip(&want.data) {
            let got = steps::element(*word, DType::F32);
            // Rounding of f32 over a few sums.
            assert!((got - want).abs() < 1e-4 * want.abs().max(1.0), "{role:?}: {got}, not {want}");
        }
    }
}

#[test]
fn a_loop_may_go_down_a_gradient() {
    // Five steps on Σ (z² - x)² by z, from z = 1: what is carried is the name.
    let text = "model M(x: [batch, d: 3]) -> [batch, d] {
      let a = abs(x) + 0.5
      let steps = scan k: 5 from z = ones[batch, d] {
        let loss = sum((z^2 - a)^2)
        z := z - 0.05 * grad(loss, z)
        z
      }
      steps[k = -1]
    }";
    let model = open(text);
    let x = model.given.inputs[0].clone();
    let want = Value::from_fn(&x.dims, |at| {
        let a = x.at(at).abs() + 0.5;
        (0..5).fold(1.0, |z: f64, _| z - 0.05 * 4.0 * z * (z * z - a))
    });
    assert_close(&by_rules(&model), &want, 1e-12);
    assert_close(&model.predict(), &want, 1e-9);
    // And the gradient through all of it, of a parameter that the inner loss reads.
    check(
        "model M(x: [batch, d: 3]) -> [batch] {
      param w[d] ~ normal(1.0)
      let steps = scan k: 4 from z = ones[batch, d] {
        let loss = sum((tanh(z * w) - x)^2)
        z := z - 0.1 * grad(loss, z)
        z
      }
      sum[d](steps[k = -1]^2)
    }",
        1e-6,
    );
}
