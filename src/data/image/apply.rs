//! Steps on a column of pictures, as an evaluation meets them.
//!
//! In: a value and a step of the declaration. Out: pictures with one step more, or what is wrong. Numbers in
//! the shape of pictures become pictures here; what is fitted is fitted on the training rows as they are
//! when nothing is changed at random.

use std::borrow::Cow;
use std::sync::Arc;

use super::super::evaluation::{Evaluation, Finished, Value, Words, is_missing};
use super::super::spec::{
    Arith, ByChannel, ClassAxis, Columns, Decode, NodeId, NodeKind, PictureStep, Transform, names,
};
use super::super::table::TableColumn;
use super::super::transform::{Statistic, shown};
use super::super::{Checked, refuse};
use super::album::Album;
use super::column::Pictures;
use super::folder::{is_picture, joined};
use super::maker::Maker;
use super::paths::{Lookup, Shelf, beside};
use crate::base::Span;
use crate::diag::images::Shifted;
use crate::diag::scenes::ClassesAt;
use crate::diag::{contents, data, images, scenes};

impl<'t> Evaluation<'t> {
    /// `column[h, w, c]("image")`
    pub fn picture_column(&mut self, columns: &Columns, span: Span) -> Option<Value<'t>> {
        if !columns.single {
            let axes: Vec<&str> = columns.axes.iter().map(|axis| axis.as_str()).collect();
            let axes = if axes.is_empty() { String::new() } else { format!("[{}]", axes.join(", ")) };
            self.diagnostics.push(images::picture_among_columns(span, span, &axes, [names::IMAGE].into_iter()));
            return None;
        }
        let axes = columns.axes.clone();
        let channels = match axes.len() {
            0 | 3 => None,
            2 => Some(1),
            named => {
                self.diagnostics.push(data::axes_count(span, named, "height × width × channels", columns.brackets));
                return None;
            }
        };
        let column = *self.table.select(&columns.names).first()?;
        let paths = (0..self.table.rows).map(|row| column.word(row)).collect();
        // What is wrong with a picture is told where the program names the folder.
        let (files, folder) = self.table.origin.clone()?;
        let album = Album::of_files(paths, files, folder);
        let decode = Decode { axes, channel_axis: None, channels, folder: None };
        Some(Value::Pictures(Pictures::of_files(Arc::new(album), &decode, span)))
    }

    /// `decode[h, w, c]` on the names of files.
    fn named_files(&mut self, decode: &Decode, value: Value<'t>, operand: NodeId, id: NodeId) -> Option<Pictures> {
        let span = self.spec.node(id).span;
        let (files, _) = self.table.origin.clone()?;
        let paths = match value {
            // Files that rows are, or that stand beside them, were found already.
            Value::Words(words) if decode.folder.is_none() => words.all.into_iter().map(Cow::into_owned).collect(),
            value => self.found_files(decode.folder.as_deref(), value, operand, id)?,
        };
        let album = Album::of_files(paths, files, Some(span));
        Some(Pictures::of_files(Arc::new(album), decode, span))
    }

    /// The place of columns that stand side by side, and the names of those that name pictures, or else of all.
    fn columns_of(&self, id: NodeId) -> (Span, Vec<&'t str>) {
        let node = self.spec.node(id);
        let NodeKind::Column(columns) = &node.kind else { return (node.span, Vec::new()) };
        let all = self.table.select(&columns.names);
        let names = |of: &dyn Fn(&TableColumn) -> bool| -> Vec<&'t str> {
            all.iter().filter(|column| of(column)).map(|column| &*column.name).collect()
        };
        let of_pictures = names(&|column| self.table.rows > 0 && is_picture(&column.word(0)));
        (node.span, if of_pictures.is_empty() { names(&|_| true) } else { of_pictures })
    }

    /// The files that the cells of a column name.
    fn found_files(
        &mut self,
        folder: Option<&str>,
        value: Value<'t>,
        operand: NodeId,
        id: NodeId,
    ) -> Option<Vec<String>> {
        let span = self.spec.node(id).span;
        let (files, _) = self.table.origin.clone()?;
        let words = self.words(value, operand)?;
        if !words.form.shape.is_empty() {
            let (place, named) = self.columns_of(operand);
            self.diagnostics.push(images::picture_among_columns(span, place, "", named.into_iter()));
            return None;
        }
        let mut shelf = Shelf::of(&*files);
        let mut paths = Vec::with_capacity(words.all.len());
        let (mut first, mut others) = (None, 0);
        for (row, name) in words.all.iter().enumerate() {
            if is_missing(name) {
                let steps = self.spec.layout.steps;
                return self
                    .at_value(&words.form, row, id, |span, cell| scenes::no_picture_named(span, cell, name, steps));
            }
            let path = folder.map_or(name.to_string(), |folder| joined(folder.trim_end_matches('/'), name));
            match shelf.find(&path) {
                Lookup::Found(path) => paths.push(path),
                Lookup::Several(one, other) => {
                    self.diagnostics.push(scenes::several_pictures(span, &path, &one, &other));
                    return None;
                }
                Lookup::Missing(near) => {
                    others += usize::from(first.is_some());
                    first = first.or(Some((row, path, near)));
                }
            }
        }
        match first {
            None => Some(paths),
            Some((row, path, near)) => self.at_value(&words.form, row, id, |span, place| {
                scenes::no_such_picture(span, place, (&path, folder), near.as_deref(), others)
            }),
        }
    }

    /// `sibling(path, "mask")`
    pub fn sibling(&mut self, folder: &str, value: Value<'t>, operand: NodeId, id: NodeId) -> Option<Value<'t>> {
        let span = self.spec.node(id).span;
        let (files, _) = self.table.origin.clone()?;
        let words = self.words(value, operand)?;
        let mut shelf = Shelf::of(&*files);
        let mut all = Vec::with_capacity(words.all.len());
        let (mut first, mut others) = (None, 0);
        for path in &words.all {
            let wanted = beside(path, folder);
            match shelf.find(&wanted) {
                Lookup::Found(path) => all.push(Cow::Owned(path)),
                Lookup::Several(one, other) => {
                    self.diagnostics.push(scenes::several_pictures(span, &wanted, &one, &other));
                    return None;
                }
                Lookup::Missing(near) => {
                    others += usize::from(first.is_some());
                    first = first.or(Some((path, wanted, near)));
                }
            }
        }
        if let Some((path, wanted, near)) = first {
            self.diagnostics.push(scenes::no_sibling(span, path, &wanted, near.as_deref(), others));
            return None;
        }
        Some(Value::Words(Words { form: words.form, all }))
    }

    /// `-x`
    pub fn negate_pictures(&mut self, mut pictures: Pictures) -> Value<'t> {
        pictures.arith_left(0.0, Arith::Sub);
        Value::Pictures(pictures)
    }

    /// A step of `NodeKind::Apply` whose operand is pictures, or numbers that are to be some.
    pub fn picture_step(
        &mut self,
        name: &str,
        transform: &Transform,
        (value, operand): (Value<'t>, NodeId),
        id: NodeId,
    ) -> Option<Value<'t>> {
        let span = self.spec.node(id).span;
        let mut pictures = match value {
            Value::Pictures(pictures) => pictures,
            value if let Transform::Picture(PictureStep::Decode(decode)) = transform => {
                return self.named_files(decode, value, operand, id).map(Value::Pictures);
            }
            value => {
                let values = self.numbers(value, operand)?;
                let shape = shown(&values.form.shape);
                let Some(pictures) = Pictures::of_numbers(&values.form, values.data, self.spec.node(operand).span)
                else {
                    self.diagnostics.push(images::no_picture(span, transform.word(), &shape));
                    return None;
                };
                pictures
            }
        };
        let done = match transform {
            Transform::Picture(PictureStep::Decode(decode)) => {
                pictures = pictures.decode(decode);
                Ok(())
            }
            Transform::Picture(PictureStep::Resize(h, w)) => {
                pictures.resize(*h, *w);
                Ok(())
            }
            Transform::Picture(PictureStep::Crop(h, w)) => pictures.crop(*h, *w, (span, self.spec.node(operand).span)),
            Transform::Picture(PictureStep::Grayscale) => pictures.grayscale(span),
            Transform::Picture(PictureStep::Train(changes, number)) => {
                pictures.train((changes, *number), (span, self.spec.node(operand).span))
            }
            Transform::Picture(PictureStep::Normalize(Some(given))) => {
                pictures.normalize(given.clone(), (span, self.spec.is_stage(id)))
            }
            Transform::Picture(PictureStep::Normalize(None)) => {
                let by = self.moments(name, &pictures, true, id)?;
                pictures.normalize(by, (span, false))
            }
            Transform::Standardize => {
                let by = self.moments(name, &pictures, false, id)?;
                pictures.normalize(by, (span, false))
            }
            Transform::Scale(factor) => {
                pictures.arith_right(Arith::Mul, *factor);
                Ok(())
            }
            Transform::Index(axis) => self.mask(name, *axis, &mut pictures, id),
            // The reader of the declaration lets none of these at pictures.
            Transform::Minmax
            | Transform::Log1p
            | Transform::Impute(_)
            | Transform::Vocab { .. }
            | Transform::OneHot(_)
            | Transform::Window(_)
            | Transform::Key(_)
            | Transform::Count
            | Transform::Balance
            | Transform::Hash(_)
            | Transform::Words(_)
            | Transform::MultiHot(_)
            | Transform::Bin(..)
            | Transform::Clip(_)
            | Transform::Tokens(_)
            | Transform::Truncate(_)
            | Transform::Pad(_)
            | Transform::Boxes(_)
            | Transform::PadBoxes(_)
            | Transform::Lists
            | Transform::DateParts(..) => return None,
        };
        self.checked(done)?;
        Some(Value::Pictures(pictures))
    }

    /// Where the `decode` that the pictures of a step come from names an axis of channels.
    fn channel_axis(&self, mut id: NodeId) -> Option<Span> {
        while let NodeKind::Apply(_, transform, operand) = &self.spec.node(id).kind {
            if let Transform::Picture(PictureStep::Decode(decode)) = transform {
                return decode.channel_axis;
            }
            id = *operand;
        }
        None
    }

    /// The `decode` that a step comes from, with steps of pictures alone between.
    fn decoded_at(&self, mut id: NodeId) -> Option<Span> {
        loop {
            id = self.spec.node(id).kind.operands().next()?;
            match &self.spec.node(id).kind {
                NodeKind::Apply(_, Transform::Picture(PictureStep::Decode(_)), _) => {
                    return Some(self.spec.node(id).span);
                }
                NodeKind::Apply(_, Transform::Picture(_), _) => {}
                _ => return None,
            }
        }
    }

    /// The `index` of a mask, and where it goes when the steps before it mix pixels.
    fn classes_at(&self, axis: Option<ClassAxis>, id: NodeId) -> ClassesAt {
        let node = self.spec.node(id);
        let words = axis.map_or("index".to_owned(), |axis| match axis.size {
            Some(size) => format!("index[{}: {size}]", axis.name),
            None => format!("index[{}]", axis.name),
        });
        let shifted = |(decode, before): (Span, Span)| Shifted {
            from: before.after().to(node.span),
            to: Some((decode.after(), format!(" |> {words}"))),
        };
        let first = self.decoded_at(id).zip(node.piped).filter(|(decode, before)| decode != before).map(shifted);
        let axis = axis.map(|axis| (axis.span, axis.name));
        ClassesAt { span: node.span, axis, piped: node.piped, first }
    }

    /// `index[class: 2]` on masks.
    fn mask(&mut self, name: &str, axis: Option<ClassAxis>, pictures: &mut Pictures, id: NodeId) -> Checked<()> {
        let span = self.spec.node(id).span;
        if let (channels, true) = pictures.channels() {
            return refuse(scenes::index_of_colour(span, channels, self.channel_axis(id)));
        }
        let at = self.classes_at(axis, id);
        let size = match (self.fitted.stages.get(name), axis.and_then(|axis| axis.size), self.fit) {
            (_, Some(said), _) => said,
            (Some(Statistic::Index { size }), None, _) => *size,
            (None, None, Some(rows)) => pictures.count_classes(rows, &at)?,
            (_, None, _) => return refuse(contents::fitted_mismatch(span, name)),
        };
        self.fitted.stages.insert(name.to_owned(), Statistic::Index { size });
        pictures.index((axis.map(|axis| axis.name), size), at);
        Ok(())
    }

    /// Mean and deviation, found or fitted now.
    fn moments(&mut self, name: &str, pictures: &Pictures, by_channel: bool, id: NodeId) -> Option<ByChannel> {
        match (self.fitted.stages.get(name), self.fit) {
            (Some(Statistic::Standardize { mean, deviation }), _) if mean.len() == deviation.len() => {
                Some(ByChannel { mean: mean.clone(), deviation: deviation.clone() })
            }
            (Some(_), _) | (None, None) => self.mismatch(name, id),
            (None, Some(rows)) => {
                let (by, constant) = self.checked(pictures.fit(rows, by_channel))?;
                let span = self.spec.node(id).span;
                for channel in constant {
                    let named = if by_channel { format!("channel {channel}") } else { "image".to_owned() };
                    let word = if by_channel { "normalize" } else { "standardize" };
                    self.diagnostics.push(contents::constant_column(span, word, &named, None));
                }
                let (mean, deviation) = (by.mean.clone(), by.deviation.clone());
                self.fitted.stages.insert(name.to_owned(), Statistic::Standardize { mean, deviation });
                Some(by)
            }
        }
    }

    fn checked<T>(&mut self, result: Checked<T>) -> Option<T> {
        result.map_err(|diagnostic| self.diagnostics.push(*diagnostic)).ok()
    }

    /// A column of pictures as the program gets it: all rows have one shape.
    pub fn finish_pictures(&mut self, pictures: Pictures) -> Option<Finished> {
        let form = self.checked(pictures.form())?;
        Some(Finished::Made(Maker::Pictures(pictures), form))
    }
}
