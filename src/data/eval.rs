//! Computes the columns of a declaration over the rows of one table.
//!
//! In: a `Spec`, a `Table`, and either rows to fit on or what was fitted before. Out: a value for each
//! column that is wanted. Nodes are computed in their order; an operand that nobody needs any more is
//! changed in place. A node in error stays empty, and so do its users, in silence.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::{Span, Symbol};
use crate::diag::data::Cell;
use crate::diag::{Diagnostics, data};

use super::align::{Aligned, align};
use super::image::Pictures;
use super::spec::{Arith, ClassAxis, Columns, EntrySpec, NodeId, NodeKind, Spec, Transform, names};
use super::table::{Cells, Table, TableColumn};
use super::transform::{self, Classes, Fitted, Form, Statistic, Values, shown};

/// A column as it is computed.
#[derive(Clone)]
pub(super) enum Value<'t> {
    /// As the file has it.
    Cells(Vec<&'t TableColumn>, Form),
    Constant(f64),
    Numbers(Values),
    Classes(Classes),
    /// Made batch by batch.
    Pictures(Pictures),
}

/// A finished column: numbers without gaps, class numbers, or pictures of one shape.
pub(super) enum Finished {
    Numbers(Values),
    Classes(Classes),
    Pictures(Pictures, Form),
}

/// What computing needs.
pub(super) struct Evaluation<'a> {
    pub spec: &'a Spec,
    pub table: &'a Table,
    /// Of random columns.
    pub seed: u64,
    /// The rows to fit on; none when everything is fitted.
    pub fit: Option<&'a [u32]>,
    /// What is fitted so far; fitting adds to it.
    pub fitted: &'a mut Fitted,
    pub diagnostics: &'a mut Diagnostics,
}

impl<'t> Evaluation<'t> {
    /// The columns of these nodes, in their order; none for one that is in error.
    pub fn run(&mut self, wanted: &[NodeId]) -> Vec<Option<Finished>> {
        let order = self.spec.reachable(wanted.iter().copied());
        let mut uses = vec![0usize; self.spec.nodes.len()];
        for &id in &order {
            self.spec.node(id).kind.operands().for_each(|operand| uses[operand.0] += 1);
        }
        wanted.iter().for_each(|id| uses[id.0] += 1);

        let mut values: Vec<Option<Value<'t>>> = vec![None; self.spec.nodes.len()];
        let spec = self.spec;
        for id in order {
            let node = spec.node(id);
            let mut take = |operand: &NodeId| take(&mut values, &mut uses, *operand);
            let value = match &node.kind {
                NodeKind::Column(columns) => self.column(columns, node.span),
                NodeKind::Random(random) => Some(self.random(random)),
                NodeKind::Positions(axis) => Some(self.positions(*axis)),
                NodeKind::Function(function, operand) => {
                    take(operand).and_then(|value| self.function(*function, (value, *operand), id))
                }
                NodeKind::Number(value) => Some(Value::Constant(*value)),
                NodeKind::Neg(operand) => take(operand).and_then(|value| self.negate(value, *operand)),
                NodeKind::Arith(op, left, right) => {
                    let (a, b) = (take(left), take(right));
                    a.zip(b).and_then(|(a, b)| self.arith(*op, (a, *left), (b, *right), id))
                }
                NodeKind::Apply(name, transform, operand) => {
                    take(operand).and_then(|value| self.apply(name, transform, (value, *operand), id))
                }
                NodeKind::Error => None,
            };
            values[id.0] = value;
        }
        wanted.iter().map(|&id| take(&mut values, &mut uses, id).and_then(|value| self.finish(value, id))).collect()
    }

    fn column(&mut self, columns: &Columns, span: Span) -> Option<Value<'t>> {
        let found = self.table.select(&columns.names);
        // What is not there was reported when the table was read.
        let first = found.first()?;
        if self.table.album.is_some() && found.iter().any(|column| column.name == names::IMAGE) {
            return self.picture_column(columns, span);
        }
        let inner = match &first.cells {
            Cells::Text(_) => Vec::new(),
            Cells::Numbers(numbers) => numbers.shape.clone(),
        };
        for other in &found[1..] {
            if let Cells::Numbers(numbers) = &other.cells
                && numbers.shape != inner
            {
                self.diagnostics.push(data::shapes_disagree(span, &shown(&inner), &shown(&numbers.shape)));
                return None;
            }
        }
        let mut shape = inner;
        if !columns.single {
            shape.insert(0, found.len());
        }
        let mut axes: Vec<Option<Symbol>> = columns.axes.iter().copied().map(Some).collect();
        if !axes.is_empty() && axes.len() != shape.len() {
            self.diagnostics.push(data::axes_count(span, axes.len(), &shown(&shape)));
            return None;
        }
        axes.resize(shape.len(), None);
        let form = Form { shape, axes, columns: found.len() };
        Some(Value::Cells(found, form))
    }

    /// Cells as numbers.
    pub fn numbers(&mut self, value: Value<'t>, id: NodeId) -> Option<Values> {
        let span = self.spec.node(id).span;
        match value {
            Value::Numbers(values) => Some(values),
            Value::Cells(columns, form) => {
                let (item, block) = (form.item(), form.block());
                let mut data = vec![0.0; self.table.rows * item];
                let mut fine = true;
                for (at, column) in columns.iter().enumerate() {
                    match &column.cells {
                        Cells::Text(_) => {
                            let places = data.iter_mut().skip(at).step_by(item.max(1));
                            fine &= self.parse(column, places, span);
                        }
                        Cells::Numbers(numbers) => {
                            let source = numbers.to_f32();
                            if let Some(bad) = source.iter().position(|x| !x.is_finite()) {
                                let place = self.table.place(column, bad / block.max(1));
                                self.diagnostics.push(data::not_finite(span, place, &source[bad].to_string()));
                                fine = false;
                            }
                            if columns.len() == 1 {
                                data = source;
                                continue;
                            }
                            for (row, part) in source.chunks_exact(block.max(1)).enumerate() {
                                let start = row * item + at * block;
                                data[start..start + block].copy_from_slice(part);
                            }
                        }
                    }
                }
                fine.then_some(Values { form, data })
            }
            // The reader of the declaration keeps both out of arithmetic.
            Value::Constant(_) | Value::Classes(_) | Value::Pictures(_) => None,
        }
    }

    /// The cells of one column of text as numbers; false when one is none, which is reported once.
    fn parse<'d>(&mut self, column: &'t TableColumn, places: impl Iterator<Item = &'d mut f32>, span: Span) -> bool {
        let Cells::Text(cells) = &column.cells else { return true };
        let (mut bad, mut others) = (None, 0);
        for (row, (cell, place)) in cells.cells().zip(places).enumerate() {
            if is_missing(cell) {
                *place = f32::NAN;
                continue;
            }
            let parsed = cell.parse::<f32>();
            *place = *parsed.as_ref().unwrap_or(&0.0);
            if place.is_finite() && parsed.is_ok() {
                continue;
            }
            if bad.is_none() {
                bad = Some((row, parsed.is_ok()));
            } else {
                others += 1;
            }
        }
        let Some((row, infinite)) = bad else { return true };
        let place = self.table.place(column, row);
        self.diagnostics.push(match infinite {
            true => data::not_finite(span, place, cells.cell(row)),
            false => data::not_a_number(span, place, cells.cell(row), others),
        });
        false
    }

    fn negate(&mut self, value: Value<'t>, id: NodeId) -> Option<Value<'t>> {
        if let Value::Pictures(pictures) = value {
            return Some(self.negate_pictures(pictures));
        }
        let mut values = self.numbers(value, id)?;
        values.data.iter_mut().for_each(|x| *x = -*x);
        Some(Value::Numbers(values))
    }

    fn arith(&mut self, op: Arith, a: (Value<'t>, NodeId), b: (Value<'t>, NodeId), id: NodeId) -> Option<Value<'t>> {
        let result = match (a, b) {
            ((Value::Constant(x), _), (Value::Pictures(mut pictures), _)) => {
                pictures.arith_left(x, op);
                return Some(Value::Pictures(pictures));
            }
            ((Value::Pictures(mut pictures), _), (Value::Constant(y), _)) => {
                pictures.arith_right(op, y);
                return Some(Value::Pictures(pictures));
            }
            ((Value::Constant(x), _), (b, b_id)) => {
                let mut b = self.numbers(b, b_id)?;
                b.data.iter_mut().for_each(|y| *y = op.eval(x, f64::from(*y)) as f32);
                b
            }
            ((a, a_id), (Value::Constant(y), _)) => {
                let mut a = self.numbers(a, a_id)?;
                a.data.iter_mut().for_each(|x| *x = op.eval(f64::from(*x), y) as f32);
                a
            }
            ((a, a_id), (b, b_id)) => {
                let (a, b) = (self.numbers(a, a_id)?, self.numbers(b, b_id)?);
                let Some(Aligned { form, places }) = align(&a.form, &b.form, op.joins()) else {
                    let span = self.spec.node(id).span;
                    self.diagnostics.push(data::shapes_disagree(span, &a.form.shown(), &b.form.shown()));
                    return None;
                };
                let (a_item, b_item) = (a.form.item(), b.form.item());
                let rows = 0..self.table.rows;
                let apply = |x: f32, y: f32| op.eval(f64::from(x), f64::from(y)) as f32;
                let row = |row: usize| {
                    let (a, b) = (&a.data[row * a_item..], &b.data[row * b_item..]);
                    places.iter().map(move |&(x, y)| apply(a[x], b[y]))
                };
                Values { data: rows.flat_map(row).collect(), form }
            }
        };
        self.check_finite(result, id).map(Value::Numbers)
    }

    fn apply(
        &mut self,
        name: &str,
        transform: &Transform,
        (value, operand): (Value<'t>, NodeId),
        id: NodeId,
    ) -> Option<Value<'t>> {
        if matches!(value, Value::Pictures(_)) || matches!(transform, Transform::Picture(_)) {
            return self.picture_step(name, transform, (value, operand), id);
        }
        match transform {
            // These are steps of pictures, which were taken above.
            Transform::Picture(_) => None,
            Transform::Standardize | Transform::Minmax | Transform::Impute(_) => {
                let mut values = self.numbers(value, operand)?;
                let statistic = self.statistic(name, transform, &values, id)?;
                if !transform::apply(&statistic, &mut values) {
                    return self.mismatch(name, id);
                }
                Some(Value::Numbers(values))
            }
            Transform::Log1p => {
                let mut values = self.numbers(value, operand)?;
                if let Some(at) = values.data.iter().position(|&x| x <= -1.0) {
                    let x = values.data[at];
                    let error = |span, place: Cell<'_>| data::outside_domain(span, "log1p", place, x);
                    return self.at_value(&values.form, at, id, error);
                }
                values.data.iter_mut().for_each(|x| *x = f64::from(*x).ln_1p() as f32);
                Some(Value::Numbers(values))
            }
            Transform::Scale(factor) => {
                let mut values = self.numbers(value, operand)?;
                values.data.iter_mut().for_each(|x| *x = (f64::from(*x) * factor) as f32);
                self.check_finite(values, id).map(Value::Numbers)
            }
            Transform::Vocab { axis, unknown } => self.vocab(name, *axis, *unknown, (value, operand), id),
            Transform::Index(axis) => self.index(name, *axis, (value, operand), id),
            Transform::OneHot(axis) => match value {
                Value::Classes(classes) => Some(Value::Numbers(one_hot(classes, *axis))),
                Value::Cells(..) | Value::Constant(_) | Value::Numbers(_) | Value::Pictures(_) => None,
            },
        }
    }

    /// What a transform is fitted to: found, or fitted now.
    fn statistic(&mut self, name: &str, transform: &Transform, values: &Values, id: NodeId) -> Option<Statistic> {
        if let Some(found) = self.fitted.stages.get(name) {
            return Some(found.clone());
        }
        let Some(rows) = self.fit else { return self.mismatch(name, id) };
        let span = self.spec.node(id).span;
        match transform::fit(transform, values, rows) {
            Ok(Some(fit)) => {
                for column in fit.constant {
                    let named = self.column_name(id, column);
                    self.diagnostics.push(data::constant_column(span, transform.word(), &named));
                }
                self.fitted.stages.insert(name.to_owned(), fit.statistic.clone());
                Some(fit.statistic)
            }
            Ok(None) => None,
            Err(column) => {
                let named = self.column_name(id, column);
                self.diagnostics.push(data::nothing_to_fit(span, transform.word(), &named));
                None
            }
        }
    }

    /// What was fitted belongs to another program.
    pub fn mismatch<T>(&mut self, name: &str, id: NodeId) -> Option<T> {
        self.diagnostics.push(data::fitted_mismatch(self.spec.node(id).span, name));
        None
    }

    fn vocab(
        &mut self,
        name: &str,
        axis: Option<ClassAxis>,
        unknown: bool,
        (value, operand): (Value<'t>, NodeId),
        id: NodeId,
    ) -> Option<Value<'t>> {
        let span = self.spec.node(id).span;
        let words = self.words(value, operand)?;
        if !self.fitted.stages.contains_key(name) {
            let Some(rows) = self.fit else { return self.mismatch(name, id) };
            let item = words.form.item();
            let seen: FxHashSet<&str> =
                rows.iter().flat_map(|&row| words.of_row(row as usize, item)).filter(|word| !word.is_empty()).collect();
            if seen.is_empty() {
                let named = self.column_name(id, 0);
                self.diagnostics.push(data::nothing_to_fit(span, "vocab", &named));
                return None;
            }
            let classes = transform::in_order(seen.into_iter().map(str::to_owned).collect());
            self.fitted.stages.insert(name.to_owned(), Statistic::Vocab { classes, unknown });
        }
        let Some(Statistic::Vocab { classes, unknown: own }) = self.fitted.stages.get(name).cloned() else {
            return self.mismatch(name, id);
        };
        if own != unknown {
            return self.mismatch(name, id);
        }
        let size = classes.len() + usize::from(own);
        if let Some(ClassAxis { size: Some(said), span, .. }) = axis
            && said != size
        {
            self.diagnostics.push(data::class_count(span, said, size));
            return None;
        }

        let numbers: FxHashMap<&str, i32> = classes.iter().map(String::as_str).zip(0..).collect();
        let mut data = Vec::with_capacity(words.all.len());
        let (mut bad, mut others) = (None, 0);
        for (at, word) in words.all.iter().enumerate() {
            match numbers.get(word.as_ref()) {
                Some(&number) => data.push(number),
                None if own => data.push(classes.len() as i32),
                None => {
                    let missing = word.is_empty();
                    match bad {
                        None => bad = Some((at, missing)),
                        Some((_, kind)) if kind == missing => others += 1,
                        Some(_) => {}
                    }
                    data.push(0);
                }
            }
        }
        if let Some((at, missing)) = bad {
            let word = &words.all[at];
            return self.at_value(&words.form, at, id, |span, place| match missing {
                true => data::missing_cell(span, place, others, true),
                false => data::unseen_class(span, place, word, others),
            });
        }
        let mut names = classes;
        names.extend(own.then(|| "<unknown>".to_owned()));
        let axis = axis.map(|axis| axis.name);
        Some(Value::Classes(Classes { form: words.form, data, axis, size, names }))
    }

    /// Cells as words; numbers as the words of whole numbers.
    fn words(&mut self, value: Value<'t>, id: NodeId) -> Option<Words<'t>> {
        match value {
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
            return self.at_value(&form, at, id, |span, place| data::not_whole(span, place, x));
        }
        let whole = exact.into_iter().map(|x| (!x.is_nan()).then_some(x as i64)).collect();
        Some((form, whole))
    }

    fn index(
        &mut self,
        name: &str,
        axis: Option<ClassAxis>,
        (value, operand): (Value<'t>, NodeId),
        id: NodeId,
    ) -> Option<Value<'t>> {
        let (form, whole) = self.whole(value, operand)?;
        if let Some(at) = whole.iter().position(Option::is_none) {
            return self.at_value(&form, at, id, |span, place| data::missing_cell(span, place, 0, true));
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
            let axis = axis.map(|axis| axis.name.as_str());
            return self.at_value(&form, at, id, |span, place| data::outside_axis(span, place, label, axis, size));
        }
        self.fitted.stages.insert(name.to_owned(), Statistic::Index { size });
        let data = whole.into_iter().flatten().map(|label| label as i32).collect();
        let axis = axis.map(|axis| axis.name);
        Some(Value::Classes(Classes { form, data, axis, size, names: Vec::new() }))
    }

    /// A column as the program gets it: every number is there.
    fn finish(&mut self, value: Value<'t>, id: NodeId) -> Option<Finished> {
        let values = match value {
            Value::Classes(classes) => return Some(Finished::Classes(classes)),
            Value::Pictures(pictures) => return self.finish_pictures(pictures),
            value => self.numbers(value, id)?,
        };
        let missing = values.data.iter().filter(|x| x.is_nan()).count();
        if let Some(at) = values.data.iter().position(|x| x.is_nan()) {
            return self
                .at_value(&values.form, at, id, |span, place| data::missing_cell(span, place, missing - 1, false));
        }
        Some(Finished::Numbers(values))
    }

    /// Reports an infinite result, or a NaN that comes of numbers that were all there.
    fn check_finite(&mut self, values: Values, id: NodeId) -> Option<Values> {
        if values.data.iter().all(|x| x.is_finite()) {
            return Some(values);
        }
        let item = values.form.item().max(1);
        let leaves = self.leaves(id);
        let bad = |(at, x): (usize, &f32)| x.is_infinite() || x.is_nan() && gap(&leaves, at / item).is_none();
        let Some(at) = values.data.iter().enumerate().position(bad) else { return Some(values) };
        let x = values.data[at];
        self.at_value(&values.form, at, id, |span, place| data::result_not_finite(span, place, x))
    }

    /// The columns of the file that a node is made of.
    fn leaves(&self, id: NodeId) -> Vec<&'t TableColumn> {
        let (spec, table) = (self.spec, self.table);
        let columns = spec.reachable([id]).into_iter().filter_map(|id| match &spec.node(id).kind {
            NodeKind::Column(columns) => Some(table.select(&columns.names)),
            _ => None,
        });
        columns.flatten().collect()
    }

    /// The column of the program that a node belongs to.
    fn owner(&self, id: NodeId) -> &'static str {
        let holds = |entry: &&EntrySpec| self.spec.reachable([entry.node]).contains(&id);
        self.spec.entries.iter().find(holds).map_or("", |entry| entry.name.name.as_str())
    }

    fn column_name(&self, id: NodeId, column: usize) -> String {
        let leaves = self.leaves(id);
        leaves.get(column).or(leaves.first()).map_or(String::new(), |leaf| leaf.name.clone())
    }

    /// Reports something about the number at a place in the data of a node.
    pub fn at_value<T>(
        &mut self,
        form: &Form,
        at: usize,
        id: NodeId,
        error: impl FnOnce(Span, Cell<'_>) -> crate::diag::Diagnostic,
    ) -> Option<T> {
        let (row, within) = (at / form.item().max(1), at % form.item().max(1));
        let leaves = self.leaves(id);
        let column = gap(&leaves, row).or(leaves.get(within / form.block().max(1)).copied());
        let place = match column.or(leaves.first().copied()) {
            Some(column) => self.table.place(column, row),
            None => self.table.made(self.owner(id), row),
        };
        let error = error(self.spec.node(id).span, place);
        self.diagnostics.push(error);
        None
    }
}

/// Words of all rows.
struct Words<'t> {
    form: Form,
    all: Vec<std::borrow::Cow<'t, str>>,
}

impl Words<'_> {
    fn of_row(&self, row: usize, item: usize) -> impl Iterator<Item = &str> {
        self.all[row * item..(row + 1) * item].iter().map(AsRef::as_ref)
    }
}

/// The value of an operand; itself when this is its last use.
fn take<'t>(values: &mut [Option<Value<'t>>], uses: &mut [usize], id: NodeId) -> Option<Value<'t>> {
    uses[id.0] -= 1;
    if uses[id.0] == 0 { values[id.0].take() } else { values[id.0].clone() }
}

/// A column of text among these that misses its cell in a row.
fn gap<'t>(leaves: &[&'t TableColumn], row: usize) -> Option<&'t TableColumn> {
    let is_gap = |column: &&TableColumn| match &column.cells {
        Cells::Text(cells) => is_missing(cells.cell(row)),
        Cells::Numbers(_) => false,
    };
    leaves.iter().copied().find(is_gap)
}

/// What stands for a number that is not known. `impute` fills it; without, it is an error.
fn is_missing(cell: &str) -> bool {
    matches!(cell, "" | "?") || ["na", "n/a", "nan", "null", "none"].iter().any(|word| cell.eq_ignore_ascii_case(word))
}

fn one_hot(classes: Classes, axis: Option<Symbol>) -> Values {
    let Classes { mut form, data, axis: own, size, .. } = classes;
    let mut numbers = vec![0.0; data.len() * size];
    for (row, class) in numbers.chunks_exact_mut(size.max(1)).zip(data) {
        row[class as usize] = 1.0;
    }
    form.shape.push(size);
    form.axes.push(axis.or(own));
    Values { form, data: numbers }
}
