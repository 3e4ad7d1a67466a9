//! Class numbers: of words, of whole numbers, and what is made of them.
//!
//! In: values of all rows, and which rows to fit on. Out: classes with their axis. Words are numbered in their order,
//! numbers by size if all are numbers; a word that the training rows lack is an error unless there is a class for it.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::Symbol;
use crate::diag::contents;

use super::evaluation::{Evaluation, Value, Words};
use super::spec::{ClassAxis, NodeId};
use super::table::{Cells, TableColumn};
use super::text::Spelling;
use super::transform::{self, Classes, Form, Statistic, Values};

impl<'t> Evaluation<'t> {
    /// `vocab[class]`
    pub fn vocab(
        &mut self,
        name: &str,
        axis: Option<ClassAxis>,
        unknown: bool,
        words: Words<'_>,
        id: NodeId,
    ) -> Option<Classes> {
        let item = words.form.item();
        let of_rows = |rows: &[u32]| {
            let seen = rows.iter().flat_map(|&row| words.of_row(row as usize, item));
            seen.filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        let vocabulary = self.vocabulary(name, axis, unknown, of_rows, id)?;
        let (data, bad) = vocabulary.numbers(words.all.iter().map(AsRef::as_ref));
        if let Some(Unnumbered { at, missing, others }) = bad {
            let word = &words.all[at];
            let own = self.own_class(id).map(|(place, words)| (place, words.to_owned()));
            let sized = axis.and_then(ClassAxis::with_one_more);
            return self.at_value(&words.form, at, id, |span, place| match missing {
                true => contents::missing_class(span, place, others, own, sized),
                false => contents::unseen_class(span, place, word, others, own, sized),
            });
        }
        let Vocabulary { size, names, .. } = vocabulary;
        let (axis, spelling) = (axis.map(|axis| axis.name), Spelling::Names);
        Some(Classes { form: words.form, data, axis, size, names, spelling })
    }

    /// The classes of a place: found, or those of the training rows.
    pub fn vocabulary(
        &mut self,
        name: &str,
        axis: Option<ClassAxis>,
        unknown: bool,
        of_rows: impl FnOnce(&[u32]) -> FxHashSet<String>,
        id: NodeId,
    ) -> Option<Vocabulary> {
        let span = self.spec.node(id).span;
        if !self.fitted.stages.contains_key(name) {
            let Some(rows) = self.fit else { return self.mismatch(name, id) };
            let seen = of_rows(rows);
            if seen.is_empty() {
                let (named, among) = self.column_named(id, 0);
                self.diagnostics.push(contents::nothing_to_fit(span, "vocab", &named, among, None));
                return None;
            }
            let classes = transform::in_order(seen.into_iter().collect());
            self.fitted.stages.insert(name.to_owned(), Statistic::Vocab { classes, unknown });
        }
        let Some(Statistic::Vocab { classes, unknown: own }) = self.fitted.stages.get(name).cloned() else {
            return self.mismatch(name, id);
        };
        if own != unknown {
            return self.mismatch(name, id);
        }
        let size = classes.len() + usize::from(own);
        if let Some(ClassAxis { size: Some(said), span, name }) = axis
            && said != size
        {
            self.diagnostics.push(contents::class_count(span, name.as_str(), said, size));
            return None;
        }
        let mut names = classes;
        names.extend(own.then(|| "<unknown>".to_owned()));
        Some(Vocabulary { names, own, size })
    }

    /// Cells as words; numbers as the words of whole numbers.
    pub fn words(&mut self, value: Value<'t>, id: NodeId) -> Option<Words<'t>> {
        match value {
            Value::Words(words) => Some(words),
            Value::Cells(columns, form) if columns.iter().all(|column| matches!(column.cells, Cells::Text(_))) => {
                let mut all = Vec::with_capacity(self.table.rows * columns.len());
                for row in 0..self.table.rows {
                    for column in &columns {
                        if let Cells::Text(cells) = &column.cells {
                            all.push(cells.cell(row).into());
                        }
                    }
                }
                Some(Words { form, all })
            }
            value => {
                let (form, whole) = self.whole(value, id)?;
                let word = |number: Option<i64>| number.map_or(String::new(), |number| number.to_string()).into();
                Some(Words { form, all: whole.into_iter().map(word).collect() })
            }
        }
    }

    /// Values as whole numbers, exact; none is missing.
    fn whole(&mut self, value: Value<'t>, id: NodeId) -> Option<(Form, Vec<Option<i64>>)> {
        let (form, exact): (Form, Vec<f64>) = match value {
            Value::Cells(columns, form) => match columns.as_slice() {
                [TableColumn { cells: Cells::Numbers(numbers), .. }] => {
                    (form, (0..self.table.rows * numbers.item()).map(|at| numbers.get(at)).collect())
                }
                // Words are parsed as f32 first for their errors, then again for all their digits.
                _ => {
                    let values = self.numbers(Value::Cells(columns.clone(), form), id)?;
                    let item = values.form.item();
                    let digits = |at: usize| match &columns.get(at % item.max(1))?.cells {
                        Cells::Text(cells) => cells.cell(at / item).parse::<f64>().ok(),
                        Cells::Numbers(_) => None,
                    };
                    let rounded = values.data.iter().enumerate();
                    let exact = rounded.map(|(at, &x)| digits(at).unwrap_or(f64::from(x))).collect();
                    (values.form, exact)
                }
            },
            value => {
                let values = self.numbers(value, id)?;
                (values.form, values.data.into_iter().map(f64::from).collect())
            }
        };
        // Beyond 2^53 the neighbours of a whole number are not told apart any more.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let is_bad = |x: &f64| !x.is_nan() && (x.fract() != 0.0 || x.abs() > EXACT);
        if let Some(at) = exact.iter().position(is_bad) {
            let x = exact[at] as f32;
            let behind = self.behind(id);
            return self.at_value(&form, at, id, |span, place| contents::not_whole(span, place, x, behind));
        }
        let whole = exact.into_iter().map(|x| (!x.is_nan()).then_some(x as i64)).collect();
        Some((form, whole))
    }

    pub fn index(
        &mut self,
        name: &str,
        axis: Option<ClassAxis>,
        (value, operand): (Value<'t>, NodeId),
        id: NodeId,
    ) -> Option<Value<'t>> {
        let (form, whole) = self.whole(value, operand)?;
        if let Some(at) = whole.iter().position(Option::is_none) {
            let others = whole.iter().filter(|number| number.is_none()).count() - 1;
            let own = self.own_index(axis, id);
            return self.at_value(&form, at, id, |span, place| contents::missing_class(span, place, others, own, None));
        }
        let said = axis.and_then(|axis| axis.size);
        let size = match (self.fitted.stages.get(name), said, self.fit) {
            (_, Some(said), _) => said,
            (Some(Statistic::Index { size }), None, _) => *size,
            (None, None, Some(rows)) => {
                let item = form.item();
                let of_rows = rows.iter().flat_map(|&row| &whole[row as usize * item..][..item]);
                let largest = of_rows.flatten().max().copied().unwrap_or(0).max(0);
                // An axis longer than this fits no memory; the range check below names the label.
                usize::try_from(largest).unwrap_or(0).min(i32::MAX as usize - 1) + 1
            }
            (_, None, _) => return self.mismatch(name, id),
        };
        let limit = size.min(i32::MAX as usize) as i64;
        let outside = |label: &Option<i64>| label.is_none_or(|label| label < 0 || label >= limit);
        if let Some(at) = whole.iter().position(outside) {
            let label = whole[at].unwrap_or(0);
            let axis = axis.map(|axis| (axis.name.as_str(), axis.span));
            let numbers = whole.iter().flatten();
            let largest = numbers.clone().max().copied().filter(|_| numbers.clone().all(|number| *number >= 0));
            // An axis longer than this has no class numbers.
            let largest = largest.filter(|largest| *largest < i64::from(i32::MAX));
            return self.at_value(&form, at, id, |span, place| {
                contents::outside_axis(span, place, label, (axis, size), largest)
            });
        }
        self.fitted.stages.insert(name.to_owned(), Statistic::Index { size });
        let data = whole.into_iter().flatten().map(|label| label as i32).collect();
        let axis = axis.map(|axis| axis.name);
        Some(Value::Classes(Classes { form, data, axis, size, names: Vec::new(), spelling: Spelling::Names }))
    }
}

/// The words of classes, by number.
pub(super) struct Vocabulary {
    pub names: Vec<String>,
    /// Whether the last is that of all other words.
    own: bool,
    pub size: usize,
}

/// The first word that has no number, whether it is a missing one, and how many follow like it.
pub(super) struct Unnumbered {
    pub at: usize,
    pub missing: bool,
    pub others: usize,
}

impl Vocabulary {
    /// The number of each word.
    pub fn numbers<'w>(&self, words: impl Iterator<Item = &'w str>) -> (Vec<i32>, Option<Unnumbered>) {
        let known = self.size - usize::from(self.own);
        let numbers: FxHashMap<&str, i32> = self.names[..known].iter().map(String::as_str).zip(0..).collect();
        let mut bad: Option<Unnumbered> = None;
        let data = words.enumerate().map(|(at, word)| match numbers.get(word) {
            Some(&number) => number,
            None if self.own => known as i32,
            None => {
                let missing = word.is_empty();
                match &mut bad {
                    None => bad = Some(Unnumbered { at, missing, others: 0 }),
                    Some(first) if first.missing == missing => first.others += 1,
                    Some(_) => {}
                }
                0
            }
        });
        let data = data.collect();
        (data, bad)
    }
}

/// 1 at the class, 0 elsewhere.
pub(super) fn one_hot(classes: Classes, axis: Option<Symbol>) -> Values {
    let Classes { mut form, data, axis: own, size, .. } = classes;
    let mut numbers = vec![0.0; data.len() * size];
    for (row, class) in numbers.chunks_exact_mut(size.max(1)).zip(data) {
        row[class as usize] = 1.0;
    }
    form.shape.push(size);
    form.axes.push(axis.or(own));
    Values { form, data: numbers }
}
