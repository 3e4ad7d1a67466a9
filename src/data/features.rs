//! Features of tables: sets of words, buckets, bins, parts of dates, counts, weights, windows, columns side by side.
//!
//! In: values of all rows. Out: values again. What depends on the training rows is fitted on them and kept under the
//! name of its place.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::base::Symbol;
use crate::diag::contents;
use crate::diag::data::{self, Cell};

use super::calendar;
use super::classes::Unnumbered;
use super::element::hash;
use super::evaluation::{Evaluation, SetClasses, Sets, Value, Words, is_missing};
use super::series::View;
use super::spec::{Bins, ClassAxis, DatePart, NodeId, Window};
use super::table::{Cells, TableColumn};
use super::text::Spelling;
use super::transform::{self, Classes, Form, Statistic, Values};

impl<'t> Evaluation<'t> {
    /// `column("city") == "Berlin"`
    pub fn is(&mut self, text: &str, same: bool, value: Value<'t>) -> Option<Value<'t>> {
        let Value::Cells(columns, form) = value else { return None };
        let mut data = Vec::with_capacity(self.table.rows * columns.len());
        for row in 0..self.table.rows {
            for column in &columns {
                let is = match &column.cells {
                    Cells::Text(cells) => cells.cell(row) == text,
                    Cells::Numbers(_) => false,
                };
                data.push(f32::from(u8::from(is == same)));
            }
        }
        Some(Value::Numbers(Values { form, data }))
    }

    /// `rows`
    pub fn training_rows(&mut self, name: &str, id: NodeId) -> Option<Value<'t>> {
        let rows = match (self.fitted.stages.get(name), self.fit) {
            (Some(Statistic::Rows { rows }), _) => *rows,
            (Some(_), _) | (None, None) => return self.mismatch(name, id),
            (None, Some(rows)) => rows.len() as u64,
        };
        self.fitted.stages.insert(name.to_owned(), Statistic::Rows { rows });
        let form = Form { shape: Vec::new(), axes: Vec::new(), columns: 1 };
        Some(Value::Numbers(Values { form, data: vec![rows as f32; self.table.rows] }))
    }

    /// `count`: a value that no training row has counts as 1, so that there is a logarithm and a quotient.
    pub fn count(&mut self, name: &str, (value, operand): (Value<'t>, NodeId), id: NodeId) -> Option<Value<'t>> {
        let words = self.words(value, operand)?;
        let item = words.form.item();
        if !self.fitted.stages.contains_key(name) {
            let Some(rows) = self.fit else { return self.mismatch(name, id) };
            let mut counts = vec![BTreeMap::new(); item];
            for &row in rows {
                for (word, counts) in words.of_row(row as usize, item).zip(&mut counts) {
                    *counts.entry(word.to_owned()).or_insert(0u64) += 1;
                }
            }
            self.fitted.stages.insert(name.to_owned(), Statistic::Count { counts });
        }
        match self.fitted.stages.get(name) {
            Some(Statistic::Count { counts }) if counts.len() == item => {
                let count = |(at, word): (usize, &Cow<'_, str>)| counts[at % item].get(word.as_ref()).copied();
                let data = words.all.iter().enumerate().map(|word| count(word).unwrap_or(1) as f32).collect();
                Some(Value::Numbers(Values { form: words.form, data }))
            }
            _ => self.mismatch(name, id),
        }
    }

    /// `weights(balanced)`: rows over classes times rows of the class, so that all rows together weigh as many as
    /// there are.
    pub fn balance(&mut self, name: &str, value: Value<'t>, id: NodeId) -> Option<Value<'t>> {
        let Value::Classes(classes) = value else { return None };
        if !self.fitted.stages.contains_key(name) {
            let Some(rows) = self.fit else { return self.mismatch(name, id) };
            let item = classes.form.item();
            let mut counts = vec![0u64; classes.size];
            for &row in rows {
                classes.data[row as usize * item..][..item].iter().for_each(|class| counts[*class as usize] += 1);
            }
            let all: u64 = counts.iter().sum();
            let present = counts.iter().filter(|count| **count > 0).count();
            let weight = |count: u64| if count == 0 { 1.0 } else { all as f64 / (present as f64 * count as f64) };
            let weights = counts.into_iter().map(weight).collect();
            self.fitted.stages.insert(name.to_owned(), Statistic::Balance { weights });
        }
        match self.fitted.stages.get(name) {
            Some(Statistic::Balance { weights }) if weights.len() == classes.size => {
                let data = classes.data.iter().map(|class| weights[*class as usize] as f32).collect();
                Some(Value::Numbers(Values { form: classes.form, data }))
            }
            _ => self.mismatch(name, id),
        }
    }

    /// `hash[bucket: 1000]`
    pub fn hashed(&mut self, axis: ClassAxis, (value, operand): (Value<'t>, NodeId)) -> Option<Value<'t>> {
        let size = axis.size?;
        let bucket = |word: &str| (hash(word.as_bytes()) % size as u64) as i32;
        if let Value::Sets(mut sets) = value {
            let data = sets.words.iter().map(|word| bucket(word)).collect();
            sets.classes = Some(SetClasses { data, axis: Some(axis.name), size, names: Vec::new() });
            return Some(Value::Sets(sets));
        }
        let words = self.words(value, operand)?;
        let data = words.all.iter().map(|word| bucket(word)).collect();
        let (form, axis) = (words.form, Some(axis.name));
        Some(Value::Classes(Classes { form, data, axis, size, names: Vec::new(), spelling: Spelling::Names }))
    }

    /// `words(sep = "|")`
    pub fn sets(&mut self, separator: &str, value: Value<'t>) -> Option<Value<'t>> {
        let Value::Cells(columns, _) = value else { return None };
        let mut sets = Sets { words: Vec::new(), ends: Vec::new(), classes: None };
        for row in 0..self.table.rows {
            for column in &columns {
                if let Cells::Text(cells) = &column.cells
                    && !is_missing(cells.cell(row))
                {
                    let words = cells.cell(row).split(separator).map(str::trim).filter(|word| !word.is_empty());
                    sets.words.extend(words.map(str::to_owned));
                }
            }
            sets.ends.push(sets.words.len());
        }
        Some(Value::Sets(sets))
    }

    /// `vocab` on sets.
    pub fn numbered(
        &mut self,
        name: &str,
        axis: Option<ClassAxis>,
        unknown: bool,
        (mut sets, operand): (Sets, NodeId),
        id: NodeId,
    ) -> Option<Value<'t>> {
        let of_rows =
            |rows: &[u32]| rows.iter().flat_map(|row| sets.words[sets.range(*row as usize)].to_vec()).collect();
        let vocabulary = self.vocabulary(name, axis, unknown, of_rows, id)?;
        let (data, bad) = vocabulary.numbers(sets.words.iter().map(String::as_str));
        if let Some(Unnumbered { at, others, .. }) = bad {
            let form = Form { shape: Vec::new(), axes: Vec::new(), columns: 1 };
            let (row, word) = (sets.row_of(at), &sets.words[at]);
            let own = self.own_class(id).map(|(place, words)| (place, words.to_owned()));
            let sized = axis.and_then(ClassAxis::with_one_more);
            return self.at_value(&form, row, operand, |span, place| {
                contents::unseen_class(span, place, word, others, own, sized)
            });
        }
        let axis = axis.map(|axis| axis.name);
        sets.classes = Some(SetClasses { data, axis, size: vocabulary.size, names: vocabulary.names });
        Some(Value::Sets(sets))
    }

    /// `bin(5)`
    pub fn binned(
        &mut self,
        name: &str,
        axis: Option<Symbol>,
        bins: &Bins,
        (value, operand): (Value<'t>, NodeId),
        id: NodeId,
    ) -> Option<Value<'t>> {
        let values = self.numbers(value, operand)?;
        let columns = values.form.columns;
        if let Some(at) = values.data.iter().position(|x| x.is_nan()) {
            let others = values.data.iter().filter(|x| x.is_nan()).count() - 1;
            return self.missing(&values.form, at, id, others);
        }
        let edges = match (bins, self.fitted.stages.get(name), self.fit) {
            (Bins::Edges(edges), _, _) => vec![edges.clone(); columns],
            (Bins::Equal(_), Some(Statistic::Bin { edges }), _) if edges.len() == columns => edges.clone(),
            (Bins::Equal(_), Some(_), _) | (Bins::Equal(_), None, None) => return self.mismatch(name, id),
            (Bins::Equal(count), None, Some(rows)) => {
                let of_column = |column| {
                    let all = transform::sorted(&values, rows, column);
                    (1..*count).filter_map(|at| transform::quantile(&all, at as f64 / *count as f64)).collect()
                };
                let edges: Vec<Vec<f64>> = (0..columns).map(of_column).collect();
                self.fitted.stages.insert(name.to_owned(), Statistic::Bin { edges: edges.clone() });
                edges
            }
        };
        let size = match bins {
            Bins::Equal(count) => *count,
            Bins::Edges(edges) => edges.len() + 1,
        };
        let block = values.form.block().max(1);
        let bin =
            |(at, x): (usize, &f32)| edges[at / block % columns].partition_point(|edge| *edge <= f64::from(*x)) as i32;
        let data = values.data.iter().enumerate().map(bin).collect();
        Some(Value::Classes(Classes {
            form: values.form,
            data,
            axis,
            size,
            names: Vec::new(),
            spelling: Spelling::Names,
        }))
    }

    /// `date_parts(month, weekday)`
    pub fn date_parts(
        &mut self,
        axis: Option<Symbol>,
        parts: &[DatePart],
        value: Value<'t>,
        id: NodeId,
    ) -> Option<Value<'t>> {
        let Value::Cells(columns, mut form) = value else { return None };
        let span = self.spec.node(id).span;
        let mut data = Vec::with_capacity(self.table.rows * columns.len() * parts.len());
        for row in 0..self.table.rows {
            for column in &columns {
                let Cells::Text(cells) = &column.cells else { return self.no_date(column, row, "a number", id) };
                let cell = cells.cell(row);
                if is_missing(cell) {
                    data.extend(parts.iter().map(|_| f32::NAN));
                    continue;
                }
                let Some(date) = calendar::parse(cell) else {
                    self.diagnostics.push(contents::not_a_time(span, self.table.place(column, row), cell));
                    return None;
                };
                data.extend(parts.iter().map(|part| date.part(*part) as f32));
            }
        }
        // One part of one date is one number.
        if parts.len() > 1 || axis.is_some() {
            form.shape.push(parts.len());
            form.axes.push(axis);
        }
        form.columns = columns.len() * parts.len();
        Some(Value::Numbers(Values { form, data }))
    }

    fn no_date<T>(&mut self, column: &TableColumn, row: usize, text: &str, id: NodeId) -> Option<T> {
        let (span, place): (_, Cell<'_>) = (self.spec.node(id).span, self.table.place(column, row));
        self.diagnostics.push(contents::not_a_time(span, place, text));
        None
    }

    /// `cross(x, y)`
    pub fn cross(&mut self, values: Vec<Value<'t>>, operands: &[NodeId], id: NodeId) -> Option<Value<'t>> {
        let mut crossed: Option<Words<'t>> = None;
        for (value, operand) in values.into_iter().zip(operands) {
            let words = self.words(value, *operand)?;
            crossed = Some(match crossed {
                None => words,
                Some(first) if first.form.item() == words.form.item() => {
                    // What no cell holds stands between the two, so that no other pair makes the same word.
                    let pair = |(a, b): (&Cow<'_, str>, &Cow<'_, str>)| Cow::Owned(format!("{a}\u{1f}{b}"));
                    let all = first.all.iter().zip(&words.all).map(pair).collect();
                    Words { form: first.form, all }
                }
                Some(first) => {
                    let (left, right) = (first.form.shown(), words.form.shown());
                    self.diagnostics.push(data::shapes_disagree(self.spec.node(id).span, &left, &right));
                    return None;
                }
            });
        }
        crossed.map(Value::Words)
    }

    /// `window[t](24)`
    pub fn window(&mut self, window: &Window, (value, operand): (Value<'t>, NodeId)) -> Option<Value<'t>> {
        let rows = match value {
            Value::Classes(classes) => Value::Classes(classes),
            value => Value::Numbers(self.numbers(value, operand)?),
        };
        let view = View { at: window.at, rows: window.rows };
        Some(Value::Windows(Box::new(rows), view, window.axis))
    }

    /// The fields of a record side by side, along a new last axis.
    pub fn stack(&mut self, values: Vec<Value<'t>>, fields: &[NodeId], id: NodeId) -> Option<Value<'t>> {
        let span = self.spec.node(id).span;
        if values.iter().any(|value| matches!(value, Value::Windows(..))) {
            let mut inner = Vec::new();
            let mut view = None;
            for value in values {
                match value {
                    Value::Windows(rows, of, axis) if view.is_none_or(|known| known == (of, axis)) => {
                        view = Some((of, axis));
                        inner.push(*rows);
                    }
                    _ => {
                        self.diagnostics.push(data::shapes_disagree(span, "of a window", "of another"));
                        return None;
                    }
                }
            }
            let (view, axis) = view?;
            let rows = self.stack(inner, fields, id)?;
            return Some(Value::Windows(Box::new(rows), view, axis));
        }
        if let Some(classes) = all_classes(&values) {
            let lists: Vec<&[i32]> = classes.iter().map(|classes| classes.data.as_slice()).collect();
            let first = classes[0];
            let data = interleaved(&lists);
            let (mut form, names) = (first.form.clone(), first.names.clone());
            form.shape.push(classes.len());
            form.axes.push(None);
            return Some(Value::Classes(Classes {
                form,
                data,
                axis: first.axis,
                size: first.size,
                names,
                spelling: first.spelling,
            }));
        }
        let mut all: Vec<Values> = Vec::new();
        for (value, field) in values.into_iter().zip(fields) {
            if let Value::Classes(_) = value {
                let place = self.spec.node(*field).span;
                self.diagnostics.push(data::transform_mismatch(
                    span,
                    "a record under one name",
                    "numbers, or classes of one axis",
                    place,
                    "class numbers",
                ));
                return None;
            }
            let values = self.numbers(value, *field)?;
            if let Some(first) = all.first()
                && first.form.shape != values.form.shape
            {
                self.diagnostics.push(data::shapes_disagree(span, &first.form.shown(), &values.form.shown()));
                return None;
            }
            all.push(values);
        }
        let lists: Vec<&[f32]> = all.iter().map(|values| values.data.as_slice()).collect();
        let data = interleaved(&lists);
        let mut form = all.first()?.form.clone();
        form.columns *= all.len();
        form.shape.push(all.len());
        form.axes.push(None);
        Some(Value::Numbers(Values { form, data }))
    }
}

/// How many classes there are to be members of a set.
pub(super) fn classes_of(value: &Value<'_>) -> usize {
    match value {
        Value::Sets(sets) => sets.classes.as_ref().map_or(0, |classes| classes.size),
        Value::Classes(classes) => classes.size,
        _ => 0,
    }
}

/// `multi_hot`: 1 at each class of a row.
pub(super) fn multi_hot(value: Value<'_>, axis: Option<Symbol>) -> Option<Values> {
    match value {
        Value::Sets(sets) => {
            let classes = sets.classes.as_ref()?;
            let mut data = vec![0.0; sets.ends.len() * classes.size];
            for row in 0..sets.ends.len() {
                classes.data[sets.range(row)].iter().for_each(|class| data[row * classes.size + *class as usize] = 1.0);
            }
            let form = Form { shape: vec![classes.size], axes: vec![axis.or(classes.axis)], columns: 1 };
            Some(Values { form, data })
        }
        Value::Classes(Classes { mut form, data, axis: own, size, .. }) => {
            // The last axis of the rows is that of the members.
            let members = form.shape.pop().unwrap_or(1);
            form.axes.pop();
            let mut numbers = vec![0.0; data.len() / members.max(1) * size];
            for (set, row) in data.chunks_exact(members.max(1)).zip(numbers.chunks_exact_mut(size.max(1))) {
                set.iter().for_each(|class| row[*class as usize] = 1.0);
            }
            form.shape.push(size);
            form.axes.push(axis.or(own));
            form.columns = 1;
            Some(Values { form, data: numbers })
        }
        _ => None,
    }
}

/// The classes of fields that all count one axis and have one form.
fn all_classes<'v>(values: &'v [Value<'_>]) -> Option<Vec<&'v Classes>> {
    let classes: Vec<&Classes> = values
        .iter()
        .map(|value| match value {
            Value::Classes(classes) => Some(classes),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let first = *classes.first()?;
    let alike = |other: &&Classes| {
        (other.axis, other.size, &other.form.shape) == (first.axis, first.size, &first.form.shape)
            && other.names == first.names
    };
    classes.iter().all(alike).then_some(classes)
}

/// The first number of each list, then the second of each.
fn interleaved<T: Copy>(lists: &[&[T]]) -> Vec<T> {
    let len = lists.first().map_or(0, |list| list.len());
    (0..len).flat_map(|at| lists.iter().map(move |list| list[at])).collect()
}
