//! Which rows train, validate and test.
//!
//! In: the split of a declaration, the rows of the main table, a seed. Out: the rows of each part, in the
//! order of the file. The same seed gives the same rows on every machine.

use std::collections::BTreeMap;

use crate::base::philox::{permutation, philox};
use crate::diag::{Diagnostics, contents, images, table as told};

use super::schema::Parts;
use super::series::{Anchors, in_time};
use super::spec::{FilePart, Selector, Shares, Spec, Split, SplitKind, names};
use super::table::{Table, TableColumn};

/// What random numbers of the data are for; each has a key of its own under the seed of the run.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Split = 1,
    Shuffle = 2,
    Augment = 3,
    Draw = 4,
    Batches = 5,
}

/// The key of a purpose. The counter lies where no counter of a training step does.
pub(super) fn key(seed: u64, purpose: Purpose) -> [u32; 2] {
    let words = philox([u32::MAX, u32::MAX, u32::MAX, purpose as u32], [seed as u32, (seed >> 32) as u32]);
    [words[0], words[1]]
}

/// The columns of the main table that the split reads.
pub(super) fn selectors(split: &Split) -> Option<&Selector> {
    match &split.kind {
        SplitKind::Stratified(selector, _) | SplitKind::ByColumn(selector) | SplitKind::Group(selector, _) => {
            Some(selector)
        }
        SplitKind::Chronological(selector, _) => selector.as_ref(),
        SplitKind::All
        | SplitKind::Random(_)
        | SplitKind::Folds(..)
        | SplitKind::Files { .. }
        | SplitKind::ByFolder(_) => None,
    }
}

/// Shares the rows of the main table out. A part that comes from another file stays empty here.
///
/// Where windows begin at the rows, what is drawn at random is windows. A split that says where each row belongs, by
/// its time or its group, takes the windows that lie in one part as a whole.
pub(super) fn share_out(
    spec: &Spec,
    table: &Table,
    anchors: &Anchors,
    seed: u64,
    diagnostics: &mut Diagnostics,
) -> Option<Parts> {
    let split = &spec.split;
    let key = key(seed, Purpose::Split);
    let rows = &anchors.rows;
    let whole = |parts: Parts| anchors.within(parts, table.rows);
    let (mut parts, asked) = match &split.kind {
        SplitKind::All => ([rows.clone(), Vec::new(), Vec::new()], [1.0, 0.0, 0.0]),
        SplitKind::Random(shares) => (random(rows, shares, key), *shares),
        SplitKind::Folds(count, fold) => (folds(rows, *count, *fold, key), [1.0, 1.0, 0.0]),
        SplitKind::Files { valid, test } => {
            let share = |part: &Option<FilePart>| part.as_ref().map_or(0.0, FilePart::share);
            let shares = [1.0 - share(valid) - share(test), share(valid), share(test)];
            (random(rows, &shares, key), shares)
        }
        SplitKind::Stratified(selector, shares) => {
            (stratified(split, rows, column(table, selector)?, shares, key, diagnostics)?, *shares)
        }
        SplitKind::ByColumn(selector) => {
            (whole(by_column(split, table, column(table, selector)?, diagnostics)?), [1.0, 0.0, 0.0])
        }
        SplitKind::Group(selector, shares) => {
            (whole(by_group(split, table, column(table, selector)?, shares, key, diagnostics)?), *shares)
        }
        SplitKind::ByFolder(shares) => (by_folder(split, table, shares, key, diagnostics)?, *shares),
        SplitKind::Chronological(selector, shares) => {
            let parts = match selector.as_ref().or(spec.order.as_ref()) {
                Some(selector) => cut(in_time(split.span, table, column(table, selector)?, diagnostics)?, shares),
                // Each series by itself, in the order of the file.
                None => anchors.series.iter().fold(Parts::default(), |mut parts, &(start, end)| {
                    let of_series = cut((start as u32..end as u32).collect(), shares);
                    parts.iter_mut().zip(of_series).for_each(|(part, mut rows)| part.append(&mut rows));
                    parts
                }),
            };
            (whole(parts), *shares)
        }
    };
    for (at, part) in parts.iter_mut().enumerate() {
        if part.is_empty() && asked[at] > 0.0 {
            // Here the number of rows alone decides how many a part gets.
            let by_number = match &split.kind {
                SplitKind::Random(_) => true,
                SplitKind::Chronological(by, _) => {
                    anchors.span == 1 && (by.is_some() || spec.order.is_some() || anchors.series.len() == 1)
                }
                _ => false,
            };
            let enough = if by_number { enough(rows.len(), &asked) } else { None };
            let written = |(at, share): (usize, f64)| Some((names::PARTS[at], split.shares[at]?, percent(share)));
            let mended = enough.into_iter().flat_map(|shares| shares.into_iter().enumerate().filter_map(written));
            let told = contents::empty_split(split.span, names::PARTS[at], rows.len(), mended.collect());
            diagnostics.push(told);
            return None;
        }
        part.sort_unstable();
    }
    Some(parts)
}

fn column<'t>(table: &'t Table, selector: &Selector) -> Option<&'t TableColumn> {
    table.select(std::slice::from_ref(selector)).first().copied()
}

fn random(rows: &[u32], shares: &Shares, key: [u32; 2]) -> Parts {
    cut(drawn(rows, key), shares)
}

/// The rows in a random order.
fn drawn(rows: &[u32], key: [u32; 2]) -> Vec<u32> {
    permutation(rows.len(), key, [0, 0]).into_iter().map(|at| rows[at as usize]).collect()
}

/// Of so many parts of one size, but for a row, one validates.
fn folds(rows: &[u32], count: usize, fold: usize, key: [u32; 2]) -> Parts {
    let mut parts = Parts::default();
    for (at, row) in drawn(rows, key).into_iter().enumerate() {
        parts[usize::from(at % count == fold)].push(row);
    }
    parts
}

/// Groups in a random order, cut by their number.
fn by_group(
    split: &Split,
    table: &Table,
    column: &TableColumn,
    shares: &Shares,
    key: [u32; 2],
    diagnostics: &mut Diagnostics,
) -> Option<Parts> {
    let mut groups: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    (0..table.rows).for_each(|row| groups.entry(column.word(row)).or_default().push(row as u32));
    let asked = shares.iter().filter(|share| **share > 0.0).count();
    if groups.len() < asked {
        diagnostics.push(told::too_few_groups(split.span, groups.len(), asked));
        return None;
    }
    let groups: Vec<Vec<u32>> = groups.into_values().collect();
    let numbers: Vec<u32> = (0..groups.len() as u32).collect();
    let parts = random(&numbers, shares, key);
    Some(parts.map(|part| part.into_iter().flat_map(|group| groups[group as usize].iter().copied()).collect()))
}

/// Cuts rows in order into parts.
fn cut(order: Vec<u32>, shares: &Shares) -> Parts {
    let counts = apportion(order.len(), shares, &mut [0.0; 3]);
    let (train, rest) = order.split_at(counts[0]);
    let (valid, test) = rest.split_at(counts[1]);
    [train.to_vec(), valid.to_vec(), test.to_vec()]
}

/// Whole numbers that add up to `rows` and are each less than one from their share.
///
/// What is left after rounding down goes to the parts that are owed most: their own remainder, and what
/// earlier calls left them owed. So the totals over many classes are shared out as well as each class.
fn apportion(rows: usize, shares: &Shares, owed: &mut [f64; 3]) -> [usize; 3] {
    let exact = shares.map(|share| share * rows as f64);
    // 0.15 * 20 is just below 3 in binary and means 3.
    let mut counts = exact.map(|exact| (exact + 1e-9).floor() as usize);
    for at in 0..3 {
        owed[at] += exact[at] - counts[at] as f64;
    }
    let mut raised = [false; 3];
    while counts.iter().sum::<usize>() < rows {
        let open = (0..3).filter(|&at| !raised[at] && shares[at] > 0.0);
        let Some(at) = open.reduce(|best, at| if owed[at] > owed[best] + 1e-9 { at } else { best }) else {
            // Three floors lose less than three, so this takes slack in the shares themselves.
            counts[0] += rows - counts.iter().sum::<usize>();
            break;
        };
        counts[at] += 1;
        owed[at] -= 1.0;
        raised[at] = true;
    }
    counts
}

/// A split at random with these shares, as text.
fn shown(shares: &Shares) -> String {
    let asked = names::PARTS.iter().zip(shares).filter(|(_, share)| **share > 0.0);
    let asked = asked.map(|(part, share)| format!("{part} = {}", percent(*share)));
    format!("random({})", asked.collect::<Vec<_>>().join(", "))
}

fn percent(share: f64) -> String {
    format!("{}%", (share * 1e6).round() / 1e4)
}

/// The nearest shares in whole percent that give each part of these a row; what that takes, the largest gives.
fn enough(rows: usize, shares: &Shares) -> Option<Shares> {
    let least = (100.0 / rows as f64).ceil() / 100.0;
    let mut raised = shares.map(|share| if share > 0.0 { share.max(least) } else { 0.0 });
    let largest = (0..3).reduce(|best, at| if raised[at] > raised[best] { at } else { best })?;
    raised[largest] -= raised.iter().sum::<f64>() - 1.0;
    let counts = apportion(rows, &raised, &mut [0.0; 3]);
    let all = (0..3).all(|at| shares[at] == 0.0 || counts[at] > 0 && raised[at] > 0.0);
    all.then_some(raised)
}

fn stratified(
    split: &Split,
    rows: &[u32],
    label: &TableColumn,
    shares: &Shares,
    key: [u32; 2],
    diagnostics: &mut Diagnostics,
) -> Option<Parts> {
    let mut classes: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for &row in rows {
        classes.entry(label.word(row as usize)).or_default().push(row);
    }
    let asked = shares.iter().filter(|&&share| share > 0.0).count();
    let mut parts = Parts::default();
    let mut owed = [0.0; 3];
    for (number, (class, rows)) in classes.into_iter().enumerate() {
        if rows.len() < asked {
            diagnostics.push(contents::rare_class(split.span, &class, rows.len(), asked, shown(shares)));
            return None;
        }
        let mut counts = apportion(rows.len(), shares, &mut owed);
        // Every part sees every class; the largest gives one up.
        for at in 0..3 {
            if shares[at] > 0.0 && counts[at] == 0 {
                let largest = (0..3).reduce(|best, at| if counts[at] > counts[best] { at } else { best }).unwrap_or(0);
                counts[largest] -= 1;
                counts[at] += 1;
                owed[largest] += 1.0;
                owed[at] -= 1.0;
            }
        }
        let order = permutation(rows.len(), key, [1, number as u32]);
        let mut order = order.into_iter().map(|at| rows[at as usize]);
        for (part, count) in parts.iter_mut().zip(counts) {
            part.extend(order.by_ref().take(count));
        }
    }
    Some(parts)
}

fn by_column(split: &Split, table: &Table, column: &TableColumn, diagnostics: &mut Diagnostics) -> Option<Parts> {
    let mut parts = Parts::default();
    for row in 0..table.rows {
        let word = column.word(row);
        match names::PARTS.iter().position(|part| *part == word) {
            Some(part) => parts[part].push(row as u32),
            None => {
                diagnostics.push(contents::unknown_part(split.span, table.place(column, row), &word));
                return None;
            }
        }
    }
    Some(parts)
}

/// Rows by the folders they were found in; shares are taken of the training folder.
fn by_folder(
    split: &Split,
    table: &Table,
    shares: &Shares,
    key: [u32; 2],
    diagnostics: &mut Diagnostics,
) -> Option<Parts> {
    let mut folders = Parts::default();
    for (row, part) in table.parts.iter().enumerate() {
        folders[usize::from(*part)].push(row as u32);
    }
    let mut parts = random(&folders[0], shares, key);
    for at in 1..3 {
        if shares[at] > 0.0 && !folders[at].is_empty() {
            let other = 3 - at;
            let mended = match shares[other] {
                share if share > 0.0 => format!("by_folder({} = {})", names::PARTS[other], percent(share)),
                _ => "by_folder".to_owned(),
            };
            diagnostics.push(images::share_and_folder(split.span, table.file(), names::PARTS[at], mended));
            return None;
        }
        parts[at].append(&mut folders[at]);
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up() {
        assert_eq!(apportion(150, &[0.7, 0.15, 0.15], &mut [0.0; 3]), [105, 23, 22]);
        assert_eq!(apportion(20, &[0.7, 0.15, 0.15], &mut [0.0; 3]), [14, 3, 3]);
        assert_eq!(apportion(1, &[0.8, 0.1, 0.1], &mut [0.0; 3]), [1, 0, 0]);
        assert_eq!(apportion(10, &[1.0, 0.0, 0.0], &mut [0.0; 3]), [10, 0, 0]);
        assert_eq!(apportion(3, &[1.0 / 3.0; 3], &mut [0.0; 3]), [1, 1, 1]);
        for rows in 0..200 {
            let counts = apportion(rows, &[0.62, 0.19, 0.19], &mut [0.0; 3]);
            assert_eq!(counts.iter().sum::<usize>(), rows);
        }
    }

    #[test]
    fn classes_owe_each_other() {
        // 50 · 15 % = 7.5: each class alone would give its spare row to the same part.
        let mut owed = [0.0; 3];
        let counts = [(); 4].map(|()| apportion(50, &[0.7, 0.15, 0.15], &mut owed));
        let valid: usize = counts.iter().map(|counts| counts[1]).sum();
        let test: usize = counts.iter().map(|counts| counts[2]).sum();
        assert_eq!((valid, test), (30, 30));
    }
}
