//! What layers of the library and forms of the language compute, against loops written out.

#[path = "library/boxes.rs"]
mod boxes;
#[path = "library/generators.rs"]
mod generators;
#[path = "library/initialisers.rs"]
mod initialisers;
#[path = "library/letters.rs"]
mod letters;
#[path = "library/reference.rs"]
mod reference;
#[path = "library/sequences.rs"]
mod sequences;
#[path = "library/tails.rs"]
mod tails;
#[path = "library/weights.rs"]
mod weights;

use tensa::ops::Value;

use crate::support::models::{self, Alone};

fn open(text: &str) -> Alone {
    models::open(text, "").unwrap_or_else(|told| panic!("{told} in\n{text}"))
}

#[track_caller]
fn assert_close(got: &Value, want: &Value) {
    assert_eq!(got.dims, want.dims);
    for (at, (got, want)) in got.data.iter().zip(&want.data).enumerate() {
        // f64 against f64; `-inf` is equal to itself.
        assert!(got == want || (got - want).abs() < 1e-9, "element {at}: {got}, not {want}");
    }
}

/// An element, or 0 outside.
fn padded(x: &Value, at: &[i64]) -> f64 {
    let inside = at.iter().zip(&x.dims).all(|(at, dim)| (0..*dim as i64).contains(at));
    if inside { x.at(&at.iter().map(|at| *at as usize).collect::<Vec<_>>()) } else { 0.0 }
}

/// A parameter of random numbers instead of its first value.
fn roughen(model: &mut Alone, end: &str) -> Value {
    let param = model.param(end);
    for (at, number) in param.data.iter_mut().enumerate() {
        *number = ((at * 37 + 11) % 101) as f64 / 50.0 - 1.0;
    }
    param.clone()
}

#[test]
fn convolutions_sum_over_windows() {
    for (k, stride, dilation, pad, groups) in [
        (3, 1, 1, 1, 1),
        (3, 2, 1, 0, 1),
        (2, 1, 2, 3, 1),
        (5, 3, 1, 2, 1),
        (1, 2, 1, 0, 1),
        (3, 2, 1, 1, 2),
        (3, 1, 1, 1, 4),
    ] {
        let mut model = open(&format!(
            "model M(x: [batch, h: 9, w: 8, c: 4]) = x |> Conv(8, k = {k}, stride = {stride}, dilation = {dilation}, pad = {pad}, groups = {groups})"
        ));
        let (f, b) = (roughen(&mut model, ".f"), roughen(&mut model, ".b"));
        let x = model.given.inputs[0].clone();
        let places = |n: usize| (n + 2 * pad - dilation * (k - 1) - 1) / stride + 1;
        let want = Value::from_fn(&[models::BATCH, places(9), places(8), 8], |at| {
            let [n, y, z, out] = *at else { panic!() };
            let (each, group) = (4 / groups, out / (8 / groups));
            let mut sum = b.data[out];
            for (ki, kj, i) in (0..k).flat_map(|ki| (0..k).flat_map(move |kj| (0..each).map(move |i| (ki, kj, i)))) {
                let place = |at: usize, tap: usize| (at * stride + tap * dilation) as i64 - pad as i64;
                let from = [n as i64, place(y, ki), place(z, kj), (group * each + i) as i64];
                let weight = match groups {
                    1 => f.at(&[ki, kj, i, out]),
                    _ => f.at(&[ki, kj, group, i, out % (8 / groups)]),
                };
                sum += padded(&x, &from) * weight;
            }
            sum
        });
        assert_close(&model.predict(), &want);
    }
}

#[test]
fn convolutions_of_volumes_sum_over_windows() {
    for groups in [1, 2] {
        let mut model = open(&format!(
            "model M(x: [batch, d: 3, h: 4, w: 5, c: 4]) = x |> Conv3d(6, stride = 2, groups = {groups}, bias = false)"
        ));
        let f = roughen(&mut model, ".f");
        let x = model.given.inputs[0].clone();
        let want = Value::from_fn(&[models::BATCH, 2, 2, 3, 6], |at| {
            let [n, z, y, v, out] = *at else { panic!() };
            let (each, group) = (4 / groups, out / (6 / groups));
            let mut sum = 0.0;
            tensa::ops::for_each_index(&[3, 3, 3, each], |tap| {
                let place = |at: usize, tap: usize| (2 * at + tap) as i64 - 1;
                let channel = (group * each + tap[3]) as i64;
                let from = [n as i64, place(z, tap[0]), place(y, tap[1]), place(v, tap[2]), channel];
                let weight = match groups {
                    1 => f.at(&[tap[0], tap[1], tap[2], tap[3], out]),
                    _ => f.at(&[tap[0], tap[1], tap[2], group, tap[3], out % (6 / groups)]),
                };
                sum += padded(&x, &from) * weight;
            });
            sum
        });
        assert_close(&model.predict(), &want);
    }
}

#[test]
fn transposed_convolutions_add_copies() {
    for (k, stride, pad) in [(2, 2, 0), (4, 2, 1), (3, 2, 1), (3, 1, 1), (5, 3, 0), (1, 2, 0)] {
        let mut model = open(&format!(
            "model M(x: [batch, h: 4, w: 5, c: 3]) = x |> ConvTranspose(2, k = {k}, stride = {stride}, pad = {pad}, bias = false)"
        ));
        let f = roughen(&mut model, ".f");
        let x = model.given.inputs[0].clone();
        let places = |n: usize| stride * (n - 1) + k - 2 * pad;
        let mut want = Value::full(&[models::BATCH, places(4), places(5), 2], 0.0);
        tensa::ops::for_each_index(&[models::BATCH, 4, 5, 3, k, k, 2], |at| {
            let [n, y, z, c, ki, kj, out] = *at else { panic!() };
            let to = |at: usize, tap: usize| (at * stride + tap) as i64 - pad as i64;
            let (row, column) = (to(y, ki), to(z, kj));
            if (0..places(4) as i64).contains(&row) && (0..places(5) as i64).contains(&column) {
                let place = want.offset(&[n, row as usize, column as usize, out]);
                want.data[place] += x.at(&[n, y, z, c]) * f.at(&[ki, kj, c, out]);
            }
        });
        assert_close(&model.predict(), &want);
    }
}

#[test]
fn pools_look_at_windows() {
    for (k, stride, pad) in [(2, 2, 0), (3, 2, 1), (3, 1, 0)] {
        let of = |layer: &str| {
            open(&format!("model M(x: [batch, h: 7, w: 6, c: 2]) = x |> {layer}({k}, stride = {stride}, pad = {pad})"))
        };
        let (max, mean) = (of("MaxPool"), of("AvgPool"));
        let x = max.given.inputs[0].clone();
        let places = |n: usize| (n + 2 * pad - k) / stride + 1;
        let window = |at: &[usize]| -> Vec<Option<f64>> {
            let [n, y, z, c] = *at else { panic!() };
            let taps = (0..k).flat_map(|ki| (0..k).map(move |kj| (ki, kj)));
            let element = |(ki, kj)| {
                let from =
                    [n as i64, (y * stride + ki) as i64 - pad as i64, (z * stride + kj) as i64 - pad as i64, c as i64];
                let inside = (0..7).contains(&from[1]) && (0..6).contains(&from[2]);
                inside.then(|| padded(&x, &from))
            };
            taps.map(element).collect()
        };
        let dims = [models::BATCH, places(7), places(6), 2];
        let largest = Value::from_fn(&dims, |at| window(at).into_iter().flatten().fold(f64::NEG_INFINITY, f64::max));
        assert_close(&max.predict(), &largest);
        let average = Value::from_fn(&dims, |at| window(at).into_iter().flatten().sum::<f64>() / (k * k) as f64);
        assert_close(&mean.predict(), &average);
    }
}

#[test]
fn group_norm_has_mean_0_and_variance_1_in_each_group() {
    let model = open("model M(x: [batch, h: 4, w: 4, c: 6]) = x |> GroupNorm(2, eps = 0)");
    let y = model.predict();
    for (n, group) in [(0, 0), (1, 1), (2, 0)] {
        let each = |(at, tap): (usize, usize)| y.at(&[n, at / 4, at % 4, group * 3 + tap]);
        let numbers: Vec<f64> = (0..16).flat_map(|at| (0..3).map(move |tap| (at, tap))).map(each).collect();
        let mean = numbers.iter().sum::<f64>() / 48.0;
        let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 48.0;
        assert!(mean.abs() < 1e-9 && (variance - 1.0).abs() < 1e-9, "{mean} {variance}");
    }
}

#[test]
fn attention_is_causal_where_asked() {
    let mut model = open("model M(x: [batch, t: 6, d: 8]) = x |> TransformerBlock(2, causal = true)");
    let before = model.predict();
    // The last place changes; no other result may.
    let x = &mut model.given.inputs[0];
    let last = x.offset(&[0, 5, 0]);
    x.data[last] += 1.0;
    let after = model.predict();
    tensa::ops::for_each_index(&[models::BATCH, 6, 8], |at| {
        let same = before.at(at) == after.at(at);
        assert!(same || (at[0] == 0 && at[1] == 5), "{at:?} changed");
    });
    assert_ne!(before, after);
}

#[test]
fn a_shared_tap_reads_each_place_by_its_own_relation() {
    let model = open("model M(x: [batch, r: 9, s: 5]) = x[r = pos(t: 5) - pos(s) + 4]");
    let x = model.given.inputs[0].clone();
    let want = Value::from_fn(&[models::BATCH, 5, 5], |at| x.at(&[at[0], 4 + at[1] - at[2], at[2]]));
    assert_close(&model.predict(), &want);
    let model = open("model M(x: [batch, h: 6, w: 6]) = x[h = pos(h: 4) + pos(k: 3), w = pos(w: 4) + pos(k: 3)]");
    let x = model.given.inputs[0].clone();
    let want = Value::from_fn(&[models::BATCH, 4, 3, 4], |at| x.at(&[at[0], at[1] + at[2], at[3] + at[2]]));
    assert_close(&model.predict(), &want);
}

#[test]
fn gathers_share_axes_with_their_table() {
    let model = open("model M(x: [batch, t: 6, d: 2], last: index(t)[batch]) = x[t = last]");
    let [x, last] = [0, 1].map(|at| model.given.inputs[at].clone());
    let want = Value::from_fn(&[models::BATCH, 2], |at| x.at(&[at[0], last.data[at[0]] as usize, at[1]]));
    assert_close(&model.predict(), &want);
    let model = open("model M(x: [batch, t: 6, d: 2], at: index(t)[batch, k: 4]) = x[t = at]");
    let [x, at] = [0, 1].map(|at| model.given.inputs[at].clone());
    let want = Value::from_fn(&[models::BATCH, 4, 2], |i| x.at(&[i[0], at.at(&i[..2]) as usize, i[2]]));
    assert_close(&model.predict(), &want);
}

#[test]
fn scatters_reduce_to_places() {
    let of = |reduction: &str, to: &str| {
        open(&format!(
            "model M(m: [batch, edge: 8, d: 2], dst: index(node)[batch, edge], x: [batch, node: 4]) = {reduction}[edge -> {to} = dst](m)"
        ))
    };
    let reference = |model: &Alone, start: f64, fold: fn(f64, f64) -> f64| {
        let [m, dst] = [0, 1].map(|at| model.given.inputs[at].clone());
        Value::from_fn(&[models::BATCH, 4, 2], |at| {
            let arrives = |edge: &usize| dst.at(&[at[0], *edge]) as usize == at[1];
            (0..8).filter(arrives).map(|edge| m.at(&[at[0], edge, at[2]])).fold(start, fold)
        })
    };
    let sum = of("sum", "node");
    assert_close(&sum.predict(), &reference(&sum, 0.0, |a, b| a + b));
    let named = of("sum", "node: 4");
    assert_close(&named.predict(), &sum.predict());
    let max = of("max", "node");
    assert_close(&max.predict(), &reference(&max, f64::NEG_INFINITY, f64::max));
    let mean = of("mean", "node");
    let (total, count) = (reference(&mean, 0.0, |a, b| a + b), reference(&mean, 0.0, |a, _| a + 1.0));
    let want = Value::from_fn(&total.dims, |at| total.at(at) / count.at(at).max(1.0));
    assert_close(&mean.predict(), &want);
}

#[test]
fn a_scatter_puts_the_new_axis_where_the_first_one_stood() {
    let text = "model M(m: [batch, i: 3, d: 2], dst: index(node)[batch, i], x: [batch, node: 4]) {
      sum[i, batch -> node = dst](order[d, batch, i](m))
    }";
    let model = open(text);
    let [m, dst] = [0, 1].map(|at| model.given.inputs[at].clone());
    let want = Value::from_fn(&[2, 4], |at| {
        let all = (0..models::BATCH).flat_map(|n| (0..3).map(move |i| (n, i)));
        let arrives = |(n, i): &(usize, usize)| dst.at(&[*n, *i]) as usize == at[1];
        all.filter(arrives).map(|(n, i)| m.at(&[n, i, at[0]])).sum()
    });
    assert_close(&model.predict(), &want);
}

#[test]
fn a_cumulative_sum_adds_what_comes_before() {
    let model = open("model M(x: [batch, t: 6, d: 2]) = cumsum[t](x)");
    let x = model.given.inputs[0].clone();
    let want = Value::from_fn(&[models::BATCH, 6, 2], |at| (0..=at[1]).map(|t| x.at(&[at[0], t, at[2]])).sum());
    assert_close(&model.predict(), &want);
}

#[test]
fn sorting_gives_values_in_order_and_where_they_stood() {
    let model = open("model M(x: [batch, t: 5, d: 2]) -> [batch, t, d] = sort[t](x, descending = true).value");
    let x = model.given.inputs[0].clone();
    let want = Value::from_fn(&x.dims, |at| {
        let mut row: Vec<f64> = (0..5).map(|t| x.at(&[at[0], t, at[2]])).collect();
        row.sort_by(f64::total_cmp);
        row[4 - at[1]]
    });
    assert_close(&model.predict(), &want);
    let model = open(
        "model M(x: [batch, d: 5], y: [batch, d]) {
      let best = topk[d -> k: 2](x)
      y[d = best.index] - best.value
    }",
    );
    let [x, y] = [0, 1].map(|at| model.given.inputs[at].clone());
    let want = Value::from_fn(&[models::BATCH, 2], |at| {
        let mut places: Vec<usize> = (0..5).collect();
        places.sort_by(|a, b| x.at(&[at[0], *b]).total_cmp(&x.at(&[at[0], *a])));
        let place = [at[0], places[at[1]]];
        y.at(&place) - x.at(&place)
    });
    assert_close(&model.predict(), &want);
}

#[test]
fn views_move_what_they_say() {
    let model = open(
        "model M(x: [batch, a: 3, b: 3], y: [batch, a]) {
      let z = concat[a](x[b = -1], y, sum[a](y))
      z[a = 1..] - sum[b](rename[a, b -> b, a](x) * pos(b))[a = 0]
    }",
    );
    let [x, y] = [0, 1].map(|at| model.given.inputs[at].clone());
    let want = Value::from_fn(&[models::BATCH, 6], |at| {
        let (n, place) = (at[0], at[1] + 1);
        let z = match place {
            0..3 => x.at(&[n, place, 2]),
            3..6 => y.at(&[n, place - 3]),
            _ => (0..3).map(|a| y.at(&[n, a])).sum(),
        };
        z - (0..3).map(|b| x.at(&[n, b, 0]) * b as f64).sum::<f64>()
    });
    assert_close(&model.predict(), &want);
}

#[test]
fn random_positions_are_places_of_their_axis() {
    let model = open(
        "model M(x: [batch, d: 7]) {
      let at = random.index[batch, draw: 200](d)
      f32(at) + 0 * x[d = at]
    }",
    );
    let mut seen = [0; 7];
    model.predict().data.iter().for_each(|place| seen[*place as usize] += 1);
    assert!(seen.iter().all(|count| *count > 40), "{seen:?} of 600 draws of 7");
}
