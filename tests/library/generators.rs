//! `generate` against the network applied to the whole: each word is the best by the scores of all words before it.

use std::sync::Arc;

use tensa::backend::cpu::Cpu;
use tensa::driver;
use tensa::ops::Value;
use tensa::sema::typed::Precision;

use super::open;
use crate::support::models::{Alone, BATCH};
use crate::support::steps;

/// Eight words after three, as a model of them and of what the whole sequence says of each.
fn generated(network: &str) -> [Alone; 2] {
    let text = |result: &str| {
        format!(
            "{network}
model M(ids: index(word)[batch, t: 3]) {{
  let net = Net()
  let new = generate[t](net, ids, 8)
  let all = concat[t](ids, new)
  let best = argmax[word](net(all))
  f32({result})
}}"
        )
    };
    ["new", "best[t = 2..10]"].map(|result| open(&text(result)))
}

/// Random parameters, far enough from each other that one word does not win everywhere.
fn roughen(model: &mut Alone, seed: u64) {
    let mut state = seed;
    for number in model.given.params.iter_mut().flat_map(|param| &mut param.data) {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *number = (state >> 40) as f64 / f64::from(1u32 << 23) - 1.0;
    }
}

#[track_caller]
fn check(network: &str) {
    let [mut new, mut best] = generated(network);
    let graph = driver::forward(new.stages.lowered.prediction.as_ref().expect("a prediction"), Precision::F32);
    let program = Arc::new(driver::kernels(&graph));
    let mut changes = 0;
    for seed in 0..8 {
        roughen(&mut new, seed);
        roughen(&mut best, seed);
        let (got, want) = (new.predict(), best.predict());
        assert_eq!(got.dims, [BATCH, 8]);
        assert_eq!(got.data, want.data, "{network}");
        changes += got.data.windows(2).filter(|two| two[0] != two[1]).count();

        // The same words from machine code: no two scores are as good as equal here.
        let given = steps::rounded(new.given.clone());
        let code = steps::run(&graph, &program, &Cpu::new(2).expect("threads"), &given).expect("a run");
        let words: Vec<f64> = code[0].1.iter().map(|word| f64::from(f32::from_bits(*word))).collect();
        assert_eq!(words, got.data, "{network}");
    }
    assert!(changes > 20, "one word alone says nothing: {changes} changes in {network}");
}

#[test]
fn attention_over_what_was() {
    check(
        "layer Attend(heads)(x: [.., t, d]) -> [.., t, d] where heads divides d {
  let q = x |> Dense(d) |> split[d -> head: heads, e]
  let k = x |> Dense(d) |> split[d -> head: heads, e] |> history[t -> s]
  let v = x |> Dense(d) |> split[d -> head: heads, e] |> history[t -> s]
  let a = sum[e](q * k) / sqrt(e) |> mask(pos(s) <= pos(t)) |> softmax[s]
  sum[s](a * v) |> join[head, e -> d] |> Dense(d)
}
layer Net(d = 8)(ids: index(word)[batch, t]) -> logit[batch, t, word] where t <= 24 {
  param wte[word, d: d] ~ normal(0.5)
  param wpe[ctx: 24, d: d] ~ normal(0.5)
  let h = wte[word = ids] + wpe[ctx = pos(t)]
    |> stack 2 { residual(LayerNorm |> Attend(2)) |> residual(LayerNorm |> Mlp(4 * d)) }
    |> LayerNorm
  sum[d](h * wte)
}",
    );
}

#[test]
fn loops_go_on_from_where_they_were() {
    check("layer Net(ids: index(word)[batch, t]) = ids |> Embedding(d: 6) |> LSTM(d: 6) |> GRU(d: 6) |> Dense(word)");
}

#[test]
fn sums_so_far_and_places_before() {
    check(
        "layer Net(ids: index(word)[batch, t]) -> [batch, t, word] {
  let x = ids |> Embedding(d: 6)
  let kept = history[t -> s](x)
  let before = kept[s = pos(t) - 1, fill = 0] + 0.5 * kept[s = pos(t) - 3, fill = 0]
  let so_far = cumsum[t](x) / (1 + f32(pos(t)))
  (tanh(before) + so_far) |> Dense(word)
}",
    );
}

/// Places that a network computes, of a word and on the way along them.
#[test]
fn places_are_computed_of_what_was() {
    check(
        "layer Net(ids: index(word)[batch, t]) -> [batch, t, word] {
  param far[n: 7, d: 6] ~ normal(1.0)
  param near[m: 4, d: 6] ~ normal(1.0)
  let x = ids |> Embedding(d: 6)
  let y = x + far[n = index[n](3.5 + 3 * tanh(sum[d](x)))]
  let z = scan t from h = zeros[batch, d] {
    h := 0.5 * h + near[m = index[m](2 + 1.9 * tanh(sum[d](h + y)))]
    h
  }
  y + z |> Dense(word)
}",
    );
}

#[test]
fn the_library_generates() {
    check(
        "layer Net(ids: index(word)[batch, t]) = ids |> Embedding(d: 8) |> TransformerBlock(2, causal = true) |> Dense(word)",
    );
}

#[test]
fn words_are_picked_as_the_program_says() {
    let model = open(
        "layer Net(ids: index(word)[batch, t]) = { scores: ids |> Embedding(d: 6) |> Dense(word), other: f32(ids) }
model M(ids: index(word)[batch, t: 3]) {
  let net = Net()
  let worst = generate[t](net, ids, 4, pick = argmin[word](_.scores))
  let drawn = generate[t](net, ids, 4, pick = draw(_))
  concat[t](f32(worst), f32(drawn))
}
fn draw[word](z: { scores: [.., word] }) -> index(word)[..] =
  argmax[word](z.scores - log(-log(random.uniform[.., word])))",
    );
    let words = model.predict();
    assert_eq!(words.dims, [BATCH, 8]);
    assert!(words.data.iter().all(|word| (0.0..5.0).contains(word) && word.fract() == 0.0));
    // Each place draws anew.
    let drawn = Value::from_fn(&[BATCH, 4], |at| words.at(&[at[0], 4 + at[1]]));
    assert!((0..BATCH).any(|n| (1..4).any(|t| drawn.at(&[n, t]) != drawn.at(&[n, 0]))), "{drawn:?}");
}
