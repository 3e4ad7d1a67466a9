//! Layers along a sequence, and loops of the language, against loops written out.

use tensa::ops::Value;

use super::{assert_close, open, roughen};
use crate::support::models::BATCH;

#[test]
fn a_recurrent_layer_goes_from_place_to_place() {
    let mut model = open("model M(x: [batch, place: 5, d: 4]) = x |> RNN(h: 3)");
    let [w, u, b] = [".w", ".u", ".b"].map(|end| roughen(&mut model, end));
    let x = model.given.inputs[0].clone();
    let mut want = Value::full(&[BATCH, 5, 3], 0.0);
    for n in 0..BATCH {
        let mut h = [0.0; 3];
        for t in 0..5 {
            let cell = |out: usize| {
                let x: f64 = (0..4).map(|i| x.at(&[n, t, i]) * w.at(&[i, out])).sum();
                let h: f64 = (0..3).map(|i| h[i] * u.at(&[i, out])).sum();
                (x + h + b.at(&[out])).tanh()
            };
            h = [cell(0), cell(1), cell(2)];
            (0..3).for_each(|out| {
                let at = want.offset(&[n, t, out]);
                want.data[at] = h[out];
            });
        }
    }
    assert_close(&model.predict(), &want);
}

#[test]
fn two_directions_are_one_and_the_other_from_the_end() {
    let text = "model M(x: [batch, place: 5, d: 4]) = x |> Bidirectional(RNN(h: 3), RNN(h: 3))";
    let both = open(text);
    let value = both.predict();
    assert_eq!(value.dims, [BATCH, 5, 6]);
    // The second half of the reversed input's result, read from the end.
    for (half, from_end) in [(0, false), (1, true)] {
        let mut one = open("model M(x: [batch, place: 5, d: 4]) = x |> RNN(h: 3)");
        one.given.params = both.given.params[3 * half..][..3].to_vec();
        let x = both.given.inputs[0].clone();
        let place = |t: usize| if from_end { 4 - t } else { t };
        one.given.inputs[0] = Value::from_fn(&x.dims, |at| x.at(&[at[0], place(at[1]), at[2]]));
        let alone = one.predict();
        let want = Value::from_fn(&[BATCH, 5, 3], |at| alone.at(&[at[0], place(at[1]), at[2]]));
        let got = Value::from_fn(&[BATCH, 5, 3], |at| value.at(&[at[0], at[1], 3 * half + at[2]]));
        assert_close(&got, &want);
    }
}

#[test]
fn what_is_carried_stays_once_until_holds() {
    let model = open(
        "model M(x: [batch, d: 4]) = doubled(x)
fn doubled(x: [.., d]) -> [.., d] {
  let steps = scan k: 6 from y = abs(x) + 0.2 until y > 3 {
    y := 2 * y
    y
  }
  steps[k = -1]
}",
    );
    let x = model.given.inputs[0].clone();
    let want = Value::from_fn(&[BATCH, 4], |at| {
        let mut y = x.at(at).abs() + 0.2;
        for _ in 0..6 {
            y *= if y > 3.0 { 1.0 } else { 2.0 };
        }
        y
    });
    assert_close(&model.predict(), &want);
}

#[test]
fn a_loop_in_a_loop_and_a_position_in_both() {
    let model = open(
        "model M(x: [batch, t: 3, s: 2]) = walk(x)
fn walk(x: [.., t, s]) -> [.., t, s] {
  scan t reversed from h = zeros[..] {
    let row = scan s from g = h {
      g := g + x * (pos(s) + 1) + pos(t)
      g
    }
    h := row[s = -1]
    row
  }
}",
    );
    let x = model.given.inputs[0].clone();
    let mut want = Value::full(&[BATCH, 3, 2], 0.0);
    for n in 0..BATCH {
        let mut g = 0.0;
        for (t, s) in [(2, 0), (2, 1), (1, 0), (1, 1), (0, 0), (0, 1)] {
            g += x.at(&[n, t, s]) * (s as f64 + 1.0) + t as f64;
            let at = want.offset(&[n, t, s]);
            want.data[at] = g;
        }
    }
    assert_close(&model.predict(), &want);
}

#[test]
fn positions_are_sines_and_turns() {
    let model = open("model M(x: [batch, t: 5, d: 6]) = sinusoidal(x)");
    let x = model.given.inputs[0].clone();
    let angle = |t: usize, pair: usize, d: f64| t as f64 / 10_000f64.powf(2.0 * pair as f64 / d);
    let want = Value::from_fn(&x.dims, |at| {
        let angle = angle(at[1], at[2] / 2, 6.0);
        x.at(at) + if at[2] % 2 == 0 { angle.sin() } else { angle.cos() }
    });
    assert_close(&model.predict(), &want);

    let model = open("model M(x: [batch, t: 5, head: 2, e: 4]) = rotary(x)");
    let x = model.given.inputs[0].clone();
    // The places stand last but one, as the result is declared.
    let want = Value::from_fn(&[BATCH, 2, 5, 4], |at| {
        let (pair, angle) = (at[3] / 2 * 2, angle(at[2], at[3] / 2, 4.0));
        let (a, b) = (x.at(&[at[0], at[2], at[1], pair]), x.at(&[at[0], at[2], at[1], pair + 1]));
        if at[3] == pair { a * angle.cos() - b * angle.sin() } else { a * angle.sin() + b * angle.cos() }
    });
    assert_close(&model.predict(), &want);
}

#[test]
fn a_tensor_says_where_another_is_read() {
    let model = open(
        "model M(x: [batch, t: 4]) -> [batch, t: 12] = x[t = 3 - pos(t: 12) // 3] + x[t = pos(t: 12) % 4]
                + x[t = pos(t: 12) // 2 - 1, fill = 5]",
    );
    let x = model.given.inputs[0].clone();
    let want = Value::from_fn(&[BATCH, 12], |at| {
        let (n, t) = (at[0], at[1]);
        let shifted = (t / 2).checked_sub(1).filter(|place| *place < 4).map_or(5.0, |place| x.at(&[n, place]));
        x.at(&[n, 3 - t / 3]) + x.at(&[n, t % 4]) + shifted
    });
    assert_close(&model.predict(), &want);

    let model = open("model M(x: [batch, t: 6]) -> [batch, t] = x[t = sort[t](x).index]");
    let x = model.given.inputs[0].clone();
    let sorted: Vec<f64> = (0..BATCH)
        .flat_map(|n| {
            let mut row: Vec<f64> = (0..6).map(|t| x.at(&[n, t])).collect();
            row.sort_by(f64::total_cmp);
            row
        })
        .collect();
    assert_close(&model.predict(), &Value::new([BATCH, 6], sorted));

    // Numbers as places: rounded down, and those outside read the fill.
    let model =
        open("model M(x: [batch, t: 6]) -> [batch, t] = x[t = index[t](abs(x) % 6)] + x[t = floor(3 * x), fill = 0]");
    let x = model.given.inputs[0].clone();
    let want = Value::from_fn(&[BATCH, 6], |at| {
        let number = x.at(at);
        let place = (3.0 * number).floor();
        let other = if (0.0..6.0).contains(&place) { x.at(&[at[0], place as usize]) } else { 0.0 };
        x.at(&[at[0], (number.abs() % 6.0) as usize]) + other
    });
    assert_close(&model.predict(), &want);
}
