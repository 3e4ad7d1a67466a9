//! Steps on a column of pictures, as an evaluation meets them.
//!
//! In: a value and a step of the declaration. Out: pictures with one step more, or what is wrong. Numbers in
//! the shape of pictures become pictures here; what is fitted is fitted on the training rows as they are
//! when nothing is changed at random.

use super::super::Checked;
use super::super::evaluation::{Evaluation, Finished, Value};
use super::super::spec::{Arith, ByChannel, Columns, Decode, NodeId, PictureStep, Transform};
use super::super::transform::{Statistic, shown};
use super::Pictures;
use crate::base::Span;
use crate::diag::{data, images};

impl<'t> Evaluation<'t> {
    /// `column[h, w, c]("image")`
    pub fn picture_column(&mut self, columns: &Columns, span: Span) -> Option<Value<'t>> {
        let album = self.table.album.clone()?;
        if !columns.single {
            self.diagnostics.push(images::picture_among_columns(span));
            return None;
        }
        let axes = columns.axes.clone();
        let channels = match axes.len() {
            0 | 3 => None,
            2 => Some(1),
            named => {
                self.diagnostics.push(data::axes_count(span, named, "height × width × channels"));
                return None;
            }
        };
        Some(Value::Pictures(Pictures::of_files(album, &Decode { axes, channels }, span)))
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
            Transform::Picture(PictureStep::Crop(h, w)) => pictures.crop(*h, *w, span),
            Transform::Picture(PictureStep::Grayscale) => pictures.grayscale(span),
            Transform::Picture(PictureStep::Train(changes)) => pictures.train(changes, span),
            Transform::Picture(PictureStep::Normalize(Some(given))) => pictures.normalize(given.clone(), span),
            Transform::Picture(PictureStep::Normalize(None)) => {
                let by = self.moments(name, &pictures, true, id)?;
                pictures.normalize(by, span)
            }
            Transform::Standardize => {
                let by = self.moments(name, &pictures, false, id)?;
                pictures.normalize(by, span)
            }
            Transform::Scale(factor) => {
                pictures.arith_right(Arith::Mul, *factor);
                Ok(())
            }
            // The reader of the declaration lets none of these at pictures.
            Transform::Minmax
            | Transform::Log1p
            | Transform::Impute(_)
            | Transform::Vocab { .. }
            | Transform::Index(_)
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
            | Transform::DateParts(..) => return None,
        };
        self.checked(done)?;
        Some(Value::Pictures(pictures))
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
                    self.diagnostics.push(data::constant_column(span, word, &named));
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
        Some(Finished::Pictures(pictures, form))
    }
}
