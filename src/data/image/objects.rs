//! Boxes, lists and records of pictures, as an evaluation meets them.
//!
//! In: cells of the file, which hold lists as JSON, and fields that go together. Out: boxes and kinds that know what
//! they follow, or the first row in which something does not fit.

use crate::diag::scenes;

use super::super::evaluation::{Evaluation, Sets, Value, is_missing};
use super::super::spec::{self, NodeId};
use super::super::table::{Cells, TableColumn};
use super::boxes::{Boxes, Kinds, Lists};

impl<'t> Evaluation<'t> {
    /// `boxes[object, side]`
    pub fn boxes(&mut self, of: spec::Boxes, value: Value<'t>, id: NodeId) -> Option<Value<'t>> {
        let span = self.spec.node(id).span;
        let mut all = Lists::default();
        for row in 0..self.table.rows {
            let (column, cell) = single(&value, row)?;
            let place = self.table.place(column, row);
            let mut boxes: Vec<[f64; 4]> = match serde_json::from_str(cell) {
                Ok(boxes) => boxes,
                Err(_) if is_missing(cell) => Vec::new(),
                Err(_) => {
                    self.diagnostics.push(scenes::no_boxes(span, place, cell));
                    return None;
                }
            };
            if of.sizes {
                boxes.iter_mut().for_each(|[left, top, right, bottom]| {
                    (*right, *bottom) = (*left + *right, *top + *bottom);
                });
            }
            if let Some(edges) = boxes.iter().find(|[left, top, right, bottom]| right < left || bottom < top) {
                let is_size = !of.sizes && edges[2] >= 0.0 && edges[3] >= 0.0;
                let sizes = (is_size && self.spec.is_stage(id)).then_some(span.after());
                self.diagnostics.push(scenes::box_inside_out(span, place, *edges, sizes));
                return None;
            }
            all.edges.extend(boxes);
            all.ends.push(all.edges.len());
        }
        Some(Value::Boxes(Boxes::of(all, of.axes)))
    }

    /// `pad(20)`
    pub fn pad_boxes(&mut self, count: usize, value: Value<'t>, id: NodeId) -> Option<Value<'t>> {
        let Value::Boxes(boxes) = value else { return None };
        let (row, most) = boxes.all().longest();
        if most > count {
            let leaf = *self.leaves(id).first()?;
            let place = (self.spec.node(id).span, self.spec.is_stage(id));
            let error = scenes::more_boxes(place, self.table.place(leaf, row), most, count);
            self.diagnostics.push(error);
            return None;
        }
        Some(Value::Boxes(boxes.padded(count)))
    }

    /// The lists in cells.
    pub fn lists(&mut self, value: Value<'t>, id: NodeId) -> Option<Value<'t>> {
        let mut sets = Sets { words: Vec::new(), ends: Vec::new(), classes: None };
        for row in 0..self.table.rows {
            let (column, cell) = single(&value, row)?;
            let words = match serde_json::from_str::<Vec<serde_json::Value>>(cell) {
                Ok(items) => items.iter().map(word).collect::<Option<Vec<String>>>(),
                Err(_) => is_missing(cell).then(Vec::new),
            };
            let Some(words) = words else {
                let error = scenes::no_list(self.spec.node(id).span, self.table.place(column, row), cell);
                self.diagnostics.push(error);
                return None;
            };
            sets.words.extend(words);
            sets.ends.push(sets.words.len());
        }
        Some(Value::Sets(sets))
    }

    /// A field of a record with the one that it follows.
    pub fn beside(&mut self, (value, id): (Value<'t>, NodeId), with: Value<'t>) -> Option<Value<'t>> {
        match (value, with) {
            (Value::Pictures(mask), Value::Pictures(picture)) => Some(Value::Pictures(mask.beside(&picture))),
            (Value::Boxes(boxes), Value::Pictures(picture)) => Some(Value::Boxes(boxes.following(picture))),
            (Value::Kinds(kinds), Value::Boxes(boxes)) => Some(Value::Kinds(kinds.of_boxes(boxes))),
            (Value::Sets(sets), Value::Boxes(boxes)) => {
                let counts = |row: &usize| (sets.range(*row).len(), boxes.all().range(*row).len());
                if let Some(row) = (0..self.table.rows).find(|row| counts(row).0 != counts(row).1) {
                    let (kinds, boxes) = counts(&row);
                    let leaf = *self.leaves(id).first()?;
                    let place = self.table.place(leaf, row);
                    self.diagnostics.push(scenes::kinds_and_boxes(self.spec.node(id).span, place, kinds, boxes));
                    return None;
                }
                let classes = sets.classes?;
                let of = (classes.axis, classes.size, classes.names);
                Some(Value::Kinds(Kinds::of(boxes, classes.data, of)))
            }
            // The reader of the declaration ties no others.
            (_, _) => None,
        }
    }
}

/// The one cell of a row of text.
fn single<'v, 't>(value: &'v Value<'t>, row: usize) -> Option<(&'t TableColumn, &'t str)> {
    let Value::Cells(columns, _) = value else { return None };
    let column: &'t TableColumn = columns.first()?;
    match &column.cells {
        Cells::Text(cells) => Some((column, cells.cell(row))),
        Cells::Numbers(_) => None,
    }
}

/// An item of a list as a word.
fn word(item: &serde_json::Value) -> Option<String> {
    match item {
        serde_json::Value::String(text) => Some(text.trim().to_owned()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Bool(truth) => Some(u8::from(*truth).to_string()),
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
    }
}
