//! Sequences of letters: how far apart two are, how likely frames say one, which one they say. Against what is counted
//! out: all ways that there are, or a table of beginnings.

use std::collections::BTreeMap;

use tensa::ops::Value;

use super::open;
use crate::support::graphs::Rng;
use crate::support::models::{Alone, BATCH};

/// Rows of letters below `n`, 0 standing for none.
fn letters(rng: &mut Rng, len: usize, n: usize) -> Vec<Vec<usize>> {
    (0..BATCH).map(|_| (0..len).map(|_| rng.below(n)).collect()).collect()
}

fn value(rows: &[Vec<usize>]) -> Value {
    Value::from_fn(&[rows.len(), rows[0].len()], |at| rows[at[0]][at[1]] as f64)
}

/// The classic table, of the letters that are there.
fn distance(a: &[usize], b: &[usize]) -> usize {
    let held = |row: &[usize]| -> Vec<usize> { row.iter().copied().filter(|letter| *letter != 0).collect() };
    let (a, b) = (held(a), held(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            next.push((row[j] + usize::from(x != y)).min(row[j + 1] + 1).min(next[j] + 1));
        }
        row = next;
    }
    row[b.len()]
}

#[test]
fn distances_of_sequences_with_gaps() {
    let pair = "a: index(letter)[batch, t: 6], b: index(letter)[batch, u: 5]";
    let mut far = open(&format!("model M({pair}) -> [batch] = levenshtein[t, u](a, b)"));
    let mut share = open(&format!("model M({pair}) -> [] = edit_distance[t, u](a, b)"));
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let (a, b) = (letters(&mut rng, 6, 4), letters(&mut rng, 5, 4));
        let want: Vec<f64> = a.iter().zip(&b).map(|(a, b)| distance(a, b) as f64).collect();
        far.given.inputs = vec![value(&a), value(&b)];
        assert_eq!(far.predict().data, want, "{a:?} {b:?}");
        share.given.inputs = far.given.inputs.clone();
        let meant = b.iter().flatten().filter(|letter| **letter != 0).count() as f64;
        let got = share.predict().data[0];
        assert!((got - want.iter().sum::<f64>() / meant).abs() < 1e-12, "{got}");
    }
}

/// What frames say: letters that go on count once, and 0 is none.
fn collapsed(frames: &[usize]) -> Vec<usize> {
    let new = |at: &usize| frames[*at] != 0 && (*at == 0 || frames[at - 1] != frames[*at]);
    (0..frames.len()).filter(new).map(|at| frames[at]).collect()
}

/// The logarithms of the shares of each frame.
fn shares(z: &Value, row: usize) -> Vec<Vec<f64>> {
    let [frames, letters] = [z.dims[1], z.dims[2]];
    (0..frames)
        .map(|t| {
            let of_frame: Vec<f64> = (0..letters).map(|letter| z.at(&[row, t, letter])).collect();
            let all = of_frame.iter().map(|x| x.exp()).sum::<f64>().ln();
            of_frame.into_iter().map(|x| x - all).collect()
        })
        .collect()
}

/// Every text that frames may say, and how likely: all ways summed up.
fn texts(shares: &[Vec<f64>]) -> BTreeMap<Vec<usize>, f64> {
    let n = shares[0].len();
    let mut found = BTreeMap::new();
    for way in 0..n.pow(shares.len() as u32) {
        let frames: Vec<usize> = (0..shares.len()).map(|t| way / n.pow(t as u32) % n).collect();
        let likely: f64 = frames.iter().enumerate().map(|(t, letter)| shares[t][*letter]).sum();
        *found.entry(collapsed(&frames)).or_insert(0.0) += likely.exp();
    }
    found
}

fn logits(rng: &mut Rng, frames: usize, n: usize) -> Value {
    Value::from_fn(&[BATCH, frames, n], |_| 2.0 * rng.real())
}

#[test]
fn a_sequence_is_as_likely_as_all_ways_to_say_it() {
    let of = "z: logit[batch, t: 5, letter: 3], y: index(letter)[batch, u: 2], frames: [batch], letters: [batch]";
    let mut loss = open(&format!("model M({of}) -> [] = ctc_loss[t, u](z, y, frames, letters)"));
    let mut slope =
        open(&format!("model M({of}) -> [batch, t, letter] = grad(ctc_loss[t, u](z, y, frames, letters), z)"));
    for seed in 0..10 {
        let mut rng = Rng::new(seed);
        let z = logits(&mut rng, 5, 3);
        let y: Vec<Vec<usize>> = (0..BATCH).map(|_| vec![1 + rng.below(2), 1 + rng.below(2)]).collect();
        let frames: Vec<usize> = (0..BATCH).map(|_| 3 + rng.below(3)).collect();
        let held: Vec<usize> = (0..BATCH).map(|_| rng.below(3)).collect();
        let column = |numbers: &[usize]| Value::from_fn(&[BATCH], |at| numbers[at[0]] as f64);
        let inputs = |z: &Value| vec![z.clone(), value(&y), column(&frames), column(&held)];
        let unlikely = |z: &Value| {
            let of_row = |row: usize| -texts(&shares(z, row)[..frames[row]])[&y[row][..held[row]]].ln();
            (0..BATCH).map(of_row).sum::<f64>() / BATCH as f64
        };
        loss.given.inputs = inputs(&z);
        slope.given.inputs = inputs(&z);
        let (got, want) = (loss.predict().data[0], unlikely(&z));
        assert!((got - want).abs() < 1e-9, "{got}, not {want}");
        let got = slope.predict();
        for at in (0..z.data.len()).step_by(7) {
            let moved = |by: f64| {
                let mut z = z.clone();
                z.data[at] += by;
                unlikely(&z)
            };
            let want = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((got.data[at] - want).abs() < 1e-7, "{at}: {}, not {want}", got.data[at]);
        }
    }
}

/// The best beginnings by a table: of each, how likely its ways are that end in a blank, and in its last letter.
fn best_text(shares: &[Vec<f64>], beam: usize) -> Vec<usize> {
    let mut kept: Vec<(Vec<usize>, [f64; 2])> = vec![(Vec::new(), [1.0, 0.0])];
    for frame in shares {
        let mut next: BTreeMap<Vec<usize>, [f64; 2]> = BTreeMap::new();
        for (text, [ended, open]) in &kept {
            let same = next.entry(text.clone()).or_insert([0.0; 2]);
            same[0] += (ended + open) * frame[0].exp();
            if let Some(last) = text.last() {
                same[1] += open * frame[*last].exp();
            }
            for (letter, share) in frame.iter().enumerate().skip(1) {
                let from = if text.last() == Some(&letter) { *ended } else { ended + open };
                let longer = text.iter().copied().chain([letter]).collect();
                next.entry(longer).or_insert([0.0; 2])[1] += from * share.exp();
            }
        }
        kept = next.into_iter().collect();
        kept.sort_by(|(_, a), (_, b)| (b[0] + b[1]).total_cmp(&(a[0] + a[1])));
        kept.truncate(beam);
    }
    kept.swap_remove(0).0
}

fn said(model: &Alone, row: usize) -> Vec<usize> {
    let texts = model.predict();
    let places = texts.dims[1];
    let row: Vec<usize> = texts.data[row * places..][..places].iter().map(|x| *x as usize).collect();
    let end = row.iter().position(|letter| *letter == 0).unwrap_or(places);
    assert!(row[end..].iter().all(|letter| *letter == 0), "{row:?}");
    row[..end].to_vec()
}

#[test]
fn frames_say_the_likeliest_text() {
    // With room for every beginning the search finds the best of all texts.
    for (beam, frames, n) in [(40, 4, 3), (1, 6, 4), (2, 6, 4), (3, 6, 4), (5, 6, 4)] {
        let mut model = open(&format!(
            "model M(z: logit[batch, t: {frames}, letter: {n}]) -> index(letter)[batch, place: {frames}] = \
             ctc_decode[t](z, beam = {beam})"
        ));
        for seed in 0..8 {
            let z = logits(&mut Rng::new(seed), frames, n);
            model.given.inputs = vec![z.clone()];
            for row in 0..BATCH {
                let shares = shares(&z, row);
                assert_eq!(said(&model, row), best_text(&shares, beam), "beam {beam}, seed {seed}, row {row}");
                if beam == 40 {
                    let all = texts(&shares);
                    let best = all.iter().max_by(|a, b| a.1.total_cmp(b.1)).map(|(text, _)| text.clone());
                    assert_eq!(Some(said(&model, row)), best);
                }
            }
        }
    }
}
