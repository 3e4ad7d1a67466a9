//! Computes the columns of a declaration over the rows of one table.
//!
//! In: a `Spec`, a `Table`, and either rows to fit on or what was fitted before. Out: a value for each
//! column that is wanted. Nodes are computed in their order; an operand that nobody needs any more is
//! changed in place. A node in error stays empty, and so do its users, in silence.

use crate::base::{Span, Symbol};
use crate::diag::contents;
use crate::diag::data::{self, Cell};

use super::align::{Aligned, align};
use super::classes;
use super::evaluation::{Evaluation, Finished, Told, Value, is_missing};
use super::features::{classes_of, multi_hot};
use super::image::Maker;
use super::series::View;
use super::spec::{self, Arith, Columns, EntrySpec, Format, NodeId, NodeKind, Transform, names};
use super::table::{Cells, TableColumn};
use super::transform::{self, Form, Statistic, Values, shown};

impl<'t> Evaluation<'t> {
    /// The columns of these nodes, in their order; none for one that is in error.
    pub fn run(&mut self, wanted: &[NodeId]) -> Vec<Option<(Finished, View)>> {
        let values = self.values(wanted);
        wanted.iter().zip(values).map(|(&id, value)| value.and_then(|value| self.finish(value, id))).collect()
    }

    /// The rows of which a condition holds; what is missing does not.
    pub fn rows_where(mut self, condition: NodeId) -> Option<Vec<u32>> {
        let value = self.values(&[condition]).pop()??;
        let values = self.numbers(value, condition)?;
        if !values.form.shape.is_empty() {
            let (span, shape) = (self.spec.node(condition).span, values.form.shown());
            self.diagnostics.push(data::condition_of_several(span, &shape));
            return None;
        }
        let holds = |row: &u32| !values.data[*row as usize].is_nan() && values.data[*row as usize] != 0.0;
        Some((0..self.table.rows as u32).filter(holds).collect())
    }

    fn values(&mut self, wanted: &[NodeId]) -> Vec<Option<Value<'t>>> {
        // What others take their statistics from is fitted though no column may show it.
        let models: &[NodeId] = if self.fit.is_some() { &self.spec.models } else { &[] };
        let order = self.spec.reachable(wanted.iter().chain(models).copied());
        let mut uses = vec![0usize; self.spec.nodes.len()];
        for &id in &order {
            self.spec.node(id).kind.operands().for_each(|operand| uses[operand.0] += 1);
        }
        wanted.iter().chain(models).for_each(|id| uses[id.0] += 1);

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
                NodeKind::Present(operand) => match take(operand) {
                    Some(Value::Texts(texts)) => Some(Value::Present(texts)),
                    _ => None,
                },
                NodeKind::Length(operand) => match take(operand) {
                    Some(Value::Texts(texts)) => Some(Value::Length(texts)),
                    _ => None,
                },
                NodeKind::Is(operand, text, same) => take(operand).and_then(|value| self.is(text, *same, value)),
                NodeKind::Rows(name) => self.training_rows(name, id),
                NodeKind::Stack(fields) => {
                    let values: Option<Vec<Value<'t>>> = fields.iter().map(&mut take).collect();
                    values.and_then(|values| self.stack(values, fields, id))
                }
                NodeKind::Cross(operands) => {
                    let values: Option<Vec<Value<'t>>> = operands.iter().map(&mut take).collect();
                    values.and_then(|values| self.cross(values, operands, id))
                }
                NodeKind::Sibling(operand, folder) => {
                    take(operand).and_then(|value| self.sibling(folder, value, *operand, id))
                }
                NodeKind::Beside(of, with) => {
                    let (value, with) = (take(of), take(with));
                    value.zip(with).and_then(|(value, with)| self.beside((value, *of), with))
                }
                // Its fields are what columns are made of.
                NodeKind::Record(_) | NodeKind::Error => None,
            };
            values[id.0] = value;
        }
        wanted.iter().map(|&id| take(&mut values, &mut uses, id)).collect()
    }

    fn column(&mut self, columns: &Columns, span: Span) -> Option<Value<'t>> {
        let found = self.table.select(&columns.names);
        // What is not there was reported when the table was read.
        let first = found.first()?;
        let has_pictures = matches!(self.spec.source.as_ref()?.format, Format::Images { .. });
        if has_pictures && found.iter().any(|column| column.name == names::IMAGE) {
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
            self.diagnostics.push(data::axes_count(span, axes.len(), &shown(&shape), columns.brackets));
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
                            fine &= self.parse(column, places, id);
                        }
                        Cells::Numbers(numbers) => {
                            let source = numbers.to_f32();
                            // A NaN is how arrays write that a number is missing.
                            if let Some(bad) = source.iter().position(|x| x.is_infinite()) {
                                let place = self.table.place(column, bad / block.max(1));
                                self.diagnostics.push(contents::not_finite(span, place, &source[bad].to_string()));
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
            Value::Length(texts) => {
                let form = Form { shape: Vec::new(), axes: Vec::new(), columns: 1 };
                Some(Values { form, data: texts.rows.lengths().map(|length| length as f32).collect() })
            }
            // The reader of the declaration keeps these out of arithmetic.
            Value::Constant(_)
            | Value::Texts(_)
            | Value::Present(_)
            | Value::Classes(_)
            | Value::Words(_)
            | Value::Sets(_)
            | Value::Windows(..)
            | Value::Boxes(_)
            | Value::Kinds(_)
            | Value::Pictures(_) => None,
        }
    }

    /// The cells of one column of text as numbers; false when one is none, which is reported once.
    fn parse<'d>(&mut self, column: &'t TableColumn, places: impl Iterator<Item = &'d mut f32>, id: NodeId) -> bool {
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
        let span = self.spec.node(id).span;
        let (among, meant) = (self.among(column, id), self.of_words(cells, id));
        let place = self.table.place(column, row);
        self.diagnostics.push(match infinite {
            true => contents::not_finite(span, place, cells.cell(row)),
            false => contents::not_a_number(span, place, cells.cell(row), others, among, meant),
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
                let Some(Aligned { form, left, right }) = align(&a.form, &b.form, op.joins()) else {
                    let span = self.spec.node(id).span;
                    self.diagnostics.push(data::shapes_disagree(span, &a.form.shown(), &b.form.shown()));
                    return None;
                };
                self.room(form.item(), id)?;
                let places: Vec<(usize, usize)> = (0..form.item()).map(|at| (left.of(at), right.of(at))).collect();
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
            Transform::Standardize | Transform::Minmax | Transform::Impute(_) | Transform::Clip(_) => {
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
                    let error = |span, place: Cell<'_>| contents::outside_domain(span, "log1p", place, x, None);
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
            Transform::Vocab { axis, unknown } => match value {
                Value::Sets(sets) => self.numbered(name, *axis, *unknown, (sets, operand), id),
                value => {
                    let words = self.words(value, operand)?;
                    self.vocab(name, *axis, *unknown, words, id).map(Value::Classes)
                }
            },
            Transform::Index(axis) => self.index(name, *axis, (value, operand), id),
            Transform::OneHot(axis) => match value {
                Value::Classes(classes) => {
                    self.room(classes.form.item() * classes.size, id)?;
                    Some(Value::Numbers(classes::one_hot(classes, *axis)))
                }
                _ => None,
            },
            Transform::Window(window) => self.window(window, (value, operand)),
            Transform::Key(selector) => self.key(selector, value, id),
            Transform::Boxes(boxes) => self.boxes(*boxes, value, id),
            Transform::PadBoxes(count) => self.pad_boxes(*count, value, id),
            Transform::Lists => self.lists(value, id),
            Transform::Count => self.count(name, (value, operand), id),
            Transform::Balance => self.balance(name, value, id),
            Transform::Hash(axis) => self.hashed(*axis, (value, operand)),
            Transform::Tokens(tokens) => self.tokens(name, tokens, (value, operand), id),
            Transform::Truncate(most) => match value {
                Value::Texts(texts) => Some(Value::Texts(texts.truncated(*most))),
                _ => None,
            },
            Transform::Pad(size) => self.padded(*size, value, id),
            Transform::Words(separator) => self.sets(separator, value),
            Transform::MultiHot(axis) => {
                self.room(classes_of(&value), id)?;
                multi_hot(value, *axis).map(Value::Numbers)
            }
            Transform::Bin(axis, bins) => self.binned(name, *axis, bins, (value, operand), id),
            Transform::DateParts(axis, parts) => self.date_parts(*axis, parts, value, id),
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
                    let (named, among) = self.column_named(id, column);
                    self.diagnostics.push(contents::constant_column(span, transform.word(), &named, among));
                }
                self.fitted.stages.insert(name.to_owned(), fit.statistic.clone());
                Some(fit.statistic)
            }
            Ok(None) => None,
            Err(column) => {
                let (named, among) = self.column_named(id, column);
                let zero = self.filled_with_zero(id);
                self.diagnostics.push(contents::nothing_to_fit(span, transform.word(), &named, among, zero));
                None
            }
        }
    }

    /// What was fitted belongs to another program.
    pub fn mismatch<T>(&mut self, name: &str, id: NodeId) -> Option<T> {
        self.diagnostics.push(contents::fitted_mismatch(self.spec.node(id).span, name));
        None
    }

    /// A column as the program gets it: every number is there.
    fn finish(&mut self, value: Value<'t>, id: NodeId) -> Option<(Finished, View)> {
        let values = match value {
            Value::Classes(classes) => return Some((Finished::Classes(classes), View::ROW)),
            Value::Texts(texts) => return Some((Finished::Texts(texts, Told::Numbers), View::ROW)),
            Value::Present(texts) => return Some((Finished::Texts(texts, Told::Present), View::ROW)),
            Value::Length(texts) => return Some((Finished::Texts(texts, Told::Length), View::ROW)),
            Value::Pictures(pictures) => return Some((self.finish_pictures(pictures)?, View::ROW)),
            Value::Boxes(boxes) => {
                let form = boxes.form();
                return Some((Finished::Made(Maker::Boxes(boxes), form), View::ROW));
            }
            Value::Kinds(kinds) => {
                let form = kinds.form();
                return Some((Finished::Made(Maker::Kinds(kinds), form), View::ROW));
            }
            Value::Windows(rows, view, axis) => {
                let (mut finished, _) = self.finish(*rows, id)?;
                finished.form()?.windowed(view.rows, axis);
                return Some((finished, view));
            }
            value => self.numbers(value, id)?,
        };
        let missing = values.data.iter().filter(|x| x.is_nan()).count();
        if let Some(at) = values.data.iter().position(|x| x.is_nan()) {
            return self.missing(&values.form, at, id, missing - 1);
        }
        Some((Finished::Numbers(values), View::ROW))
    }

    /// Reports an infinite result, or a NaN that comes of numbers that were all there.
    pub fn check_finite(&mut self, values: Values, id: NodeId) -> Option<Values> {
        if values.data.iter().all(|x| x.is_finite()) {
            return Some(values);
        }
        let item = values.form.item().max(1);
        let leaves = self.leaves(id);
        let bad = |(at, x): (usize, &f32)| x.is_infinite() || x.is_nan() && gap(&leaves, at / item).is_none();
        let Some(at) = values.data.iter().enumerate().position(bad) else { return Some(values) };
        let x = values.data[at];
        self.at_value(&values.form, at, id, |span, place| contents::result_not_finite(span, place, x))
    }

    /// Reports a column of more numbers than memory is meant to hold.
    fn room(&mut self, item: usize, id: NodeId) -> Option<()> {
        if item.checked_mul(self.table.rows).is_some_and(|numbers| numbers <= spec::MOST_NUMBERS) {
            return Some(());
        }
        self.diagnostics.push(data::too_many_numbers(self.spec.node(id).span, spec::MOST_NUMBERS, None));
        None
    }

    /// The columns of the file that a node is made of.
    pub fn leaves(&self, id: NodeId) -> Vec<&'t TableColumn> {
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

    /// The name of a column that a node is made of, and its place where it stands among others.
    pub fn column_named(&self, id: NodeId, column: usize) -> (String, Option<Span>) {
        let leaves = self.leaves(id);
        let leaf = leaves.get(column).or(leaves.first());
        leaf.map_or((String::new(), None), |leaf| (leaf.name.clone(), self.among(leaf, id)))
    }

    /// Reports that the number at a place in the data of a node is missing, and so are `others`.
    pub fn missing<T>(&mut self, form: &Form, at: usize, id: NodeId, others: usize) -> Option<T> {
        let leaves = self.leaves(id);
        let filled = gap(&leaves, at / form.item().max(1)).and_then(|column| self.filled(column, id));
        self.at_value(form, at, id, |span, place| contents::missing_cell(span, place, others, filled))
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

/// The value of an operand; itself when this is its last use.
fn take<'t>(values: &mut [Option<Value<'t>>], uses: &mut [usize], id: NodeId) -> Option<Value<'t>> {
    uses[id.0] -= 1;
    if uses[id.0] == 0 { values[id.0].take() } else { values[id.0].clone() }
}

/// A column among these that misses a number in a row.
fn gap<'t>(leaves: &[&'t TableColumn], row: usize) -> Option<&'t TableColumn> {
    let is_gap = |column: &&TableColumn| match &column.cells {
        Cells::Text(cells) => is_missing(cells.cell(row)),
        Cells::Numbers(numbers) => numbers.misses(row),
    };
    leaves.iter().copied().find(is_gap)
}
