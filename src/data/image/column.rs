//! A column of pictures: where they come from, and the steps to the numbers of a row.
//!
//! In: an album and steps, one by one as the declaration has them. Out: the shape of a row before any is
//! made, statistics of the training rows, and the numbers of rows when they are asked for. Two sizes are
//! followed through the steps, that of training and that of evaluation; in the end they must be one. A size
//! that no step fixes is that of the files, whose heads are read then.
//!
//! What the steps up to the first `train(…)` make of a picture is the same in every epoch. It is kept while
//! there is room, so that small sets are decoded once.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::base::{Span, Symbol};
use crate::diag::scenes::ClassesAt;
use crate::diag::{images, scenes};

use super::super::spec::{Arith, ByChannel, Change, Decode};
use super::super::transform::Form;
use super::super::{Checked, refuse};
use super::album::Album;
use super::draws::{Draws, Epoch};
use super::layer::Layer;
use super::mask::{self, Misfit};
use super::picture::Picture;
use super::sheet::Sheet;

/// Bytes of pictures that a column keeps at most.
const ROOM: usize = 1 << 30;

/// A column of pictures.
#[derive(Clone, Debug)]
pub struct Pictures {
    album: Arc<Album>,
    /// Where the declaration takes the pictures, and where it changes the size of those that train.
    span: Span,
    resized: Option<Span>,
    /// How many channels the album is asked for.
    decoded: usize,
    /// How many there are after the steps.
    channels: usize,
    /// Whether an item has an axis for them.
    has_channels: bool,
    axes: Vec<Symbol>,
    steps: Vec<Step>,
    /// The first of them that is random.
    random: Option<usize>,
    /// Height and width of rows that train, and of others; none as long as they are those of the files.
    train: Option<(usize, usize)>,
    otherwise: Option<(usize, usize)>,
    /// The picture that this one is cropped with, as it is before the step.
    beside: Option<Beside>,
    /// Whether numbers are asked for as the files have them, for a mask.
    as_it_lies: bool,
    /// The axis and the number of classes, where pixels are classes.
    classes: Option<(Option<Symbol>, usize)>,
    kept: Arc<Kept>,
}

/// Another picture of the same row: what it is made of, and its size while training, where a step has given one.
type Beside = (Arc<Album>, Option<(usize, usize)>);

/// A step with all that it needs.
#[derive(Clone, Debug)]
enum Step {
    Resize(usize, usize),
    Crop(usize, usize),
    Grey,
    /// `(x - mean) / deviation`, for each channel or for all alike.
    Normalize(ByChannel),
    /// The number on the right, or on the left.
    Right(Arith, f64),
    Left(f64, Arith),
    /// With the number of its draws.
    Train(Vec<Change>, usize),
    /// The pixels as classes below a size, and where that is said.
    Index(usize, Arc<ClassesAt>),
}

/// What the fixed steps made of the pictures, by row.
#[derive(Debug, Default)]
struct Kept {
    rows: OnceLock<Vec<OnceLock<Layer>>>,
    bytes: AtomicUsize,
}

impl Pictures {
    /// The pictures of files, as `decode` asks for them.
    pub fn of_files(album: Arc<Album>, decode: &Decode, span: Span) -> Pictures {
        let channels = decode.channels.unwrap_or(3);
        Pictures::new(album, channels, decode.axes.len() != 2, decode.axes.clone(), span)
    }

    /// Numbers in the shape of pictures; none when it is another.
    pub fn of_numbers(form: &Form, numbers: Vec<f32>, span: Span) -> Option<Pictures> {
        let (shape, has_channels) = match *form.shape {
            [h, w] => ([h, w, 1], false),
            [h, w, channels] => ([h, w, channels], true),
            _ => return None,
        };
        if form.columns != 1 || shape.contains(&0) {
            return None;
        }
        let axes: Option<Vec<Symbol>> = form.axes.iter().copied().collect();
        let album = Arc::new(Album::Memory { shape, numbers });
        Some(Pictures::new(album, shape[2], has_channels, axes.unwrap_or_default(), span))
    }

    fn new(album: Arc<Album>, channels: usize, has_channels: bool, axes: Vec<Symbol>, span: Span) -> Pictures {
        Pictures {
            album,
            span,
            resized: None,
            decoded: channels,
            channels,
            has_channels,
            axes,
            steps: Vec::new(),
            random: None,
            train: None,
            otherwise: None,
            beside: None,
            as_it_lies: false,
            classes: None,
            kept: Arc::default(),
        }
    }

    /// The same files with other axes and channels; what is in memory stays as it is.
    pub fn decode(&self, decode: &Decode) -> Pictures {
        Pictures::of_files(self.album.clone(), decode, self.span)
    }

    /// `resize(h, w)`
    pub fn resize(&mut self, h: usize, w: usize) {
        (self.train, self.otherwise) = (Some((h, w)), Some((h, w)));
        self.beside = None;
        self.push(Step::Resize(h, w));
    }

    /// `crop(h, w)`, at the place of the step and of what it takes.
    pub fn crop(&mut self, h: usize, w: usize, at: (Span, Span)) -> Checked<()> {
        self.large_enough(self.train, (h, w), at)?;
        self.large_enough(self.otherwise, (h, w), at)?;
        self.like_its_picture(at)?;
        (self.train, self.otherwise) = (Some((h, w)), Some((h, w)));
        self.push(Step::Crop(h, w));
        Ok(())
    }

    /// `grayscale`
    pub fn grayscale(&mut self, span: Span) -> Checked<()> {
        if !matches!(self.channels, 1 | 3 | 4) {
            return refuse(images::no_colour(span, self.channels));
        }
        self.channels = 1;
        self.push(Step::Grey);
        Ok(())
    }

    /// `normalize`, with given or fitted values; `standardize`, with one for all channels.
    pub fn normalize(&mut self, by: ByChannel, (span, is_stage): (Span, bool)) -> Checked<()> {
        let count = by.mean.len();
        if count != 1 && count != self.channels {
            return refuse(images::channel_count(span, is_stage, count, self.channels));
        }
        self.push(Step::Normalize(by));
        Ok(())
    }

    /// `train(…)`
    pub fn train(&mut self, (changes, number): (&[Change], usize), at: (Span, Span)) -> Checked<()> {
        for change in changes {
            if let Change::Crop(h, w) = change {
                self.large_enough(self.train, (*h, *w), at)?;
                self.like_its_picture(at)?;
                (self.train, self.resized) = (Some((*h, *w)), Some(at.0));
            }
        }
        self.random = self.random.or(Some(self.steps.len()));
        self.push(Step::Train(changes.to_vec(), number));
        Ok(())
    }

    /// The pixels as classes: how many there are, as said or as the rows to fit on have them.
    pub fn index(&mut self, (axis, size): (Option<Symbol>, usize), at: ClassesAt) {
        self.as_it_lies = self.steps.is_empty();
        self.classes = Some((axis, size));
        self.push(Step::Index(size, Arc::new(at)));
    }

    /// The number of classes that the pixels of some rows take.
    pub fn count_classes(&self, rows: &[u32], at: &ClassesAt) -> Checked<usize> {
        let plain = Pictures { as_it_lies: self.steps.is_empty(), kept: Arc::default(), ..self.clone() };
        let count = |row: &u32| -> Checked<usize> {
            match plain.row(*row, None)? {
                Layer::Picture(picture) => mask::count(&picture).or_else(|misfit| self.misfit(misfit, None, *row, at)),
                Layer::Mask(_) | Layer::Boxes(_) => Ok(1),
            }
        };
        let counts: Vec<Checked<usize>> = rows.par_iter().map(count).collect();
        counts.into_iter().try_fold(1, |most, count| Ok(most.max(count?)))
    }

    /// The axis of the classes and how many there are, where pixels are classes.
    pub fn classes(&self) -> Option<(Option<Symbol>, usize)> {
        self.classes
    }

    /// How many numbers a pixel has, and whether it has an axis for them.
    pub fn channels(&self) -> (usize, bool) {
        (self.channels, self.has_channels)
    }

    /// In a record, with the picture of the row.
    pub fn beside(mut self, picture: &Pictures) -> Pictures {
        self.beside = Some((picture.album.clone(), picture.train));
        self
    }

    /// A crop takes the same part of a mask and of its picture, so both have one size before it.
    fn like_its_picture(&mut self, at: (Span, Span)) -> Checked<()> {
        let Some((album, size)) = self.beside.take() else { return Ok(()) };
        let sizes = |size: Option<(usize, usize)>, album: &Album| match size {
            Some(size) => Ok(vec![size; album.len()]),
            None => album.sizes(),
        };
        let (own, other) = (sizes(self.train, &self.album)?, sizes(size, &album)?);
        match (0..own.len().min(other.len())).find(|row| own[*row] != other[*row]) {
            Some(row) => {
                let (mask, picture) = ((self.album.path(row), own[row]), (album.path(row), other[row]));
                refuse(scenes::sizes_beside(at, picture, mask))
            }
            None => Ok(()),
        }
    }

    /// `x / 255`
    pub fn arith_right(&mut self, op: Arith, number: f64) {
        self.push(Step::Right(op, number));
    }

    /// `1 - x`
    pub fn arith_left(&mut self, number: f64, op: Arith) {
        self.push(Step::Left(number, op));
    }

    fn push(&mut self, step: Step) {
        self.steps.push(step);
        // Another column may go on with what was kept for the steps so far.
        if self.random.is_none() {
            self.kept = Arc::default();
        }
    }

    fn large_enough(&self, now: Option<(usize, usize)>, crop: (usize, usize), at: (Span, Span)) -> Checked<()> {
        let small = |size: (usize, usize)| size.0 < crop.0 || size.1 < crop.1;
        let found = match now {
            Some(size) => small(size).then_some(("", size)),
            None => {
                let sizes = self.album.sizes()?;
                let row = sizes.iter().position(|&size| small(size));
                row.map(|row| (self.album.path(row), sizes[row]))
            }
        };
        match found {
            Some((path, size)) => refuse(images::smaller_than_crop(at, path, size, crop)),
            None => Ok(()),
        }
    }

    /// The shape of a row, which must be one for all.
    pub fn form(&self) -> Checked<Form> {
        let of_files = || -> Checked<(usize, usize)> {
            let sizes = self.album.sizes()?;
            let first = sizes.first().copied().unwrap_or((1, 1));
            let mut others = (0..sizes.len()).filter(|&row| sizes[row] != first);
            match others.next() {
                None => Ok(first),
                Some(row) => {
                    let (one, other) = ((self.album.path(0), first), (self.album.path(row), sizes[row]));
                    refuse(images::sizes_differ(self.span, one, other, others.count()))
                }
            }
        };
        let (train, otherwise) = match (self.train, self.otherwise) {
            (Some(train), Some(otherwise)) => (train, otherwise),
            (train, otherwise) => {
                let open = of_files()?;
                (train.unwrap_or(open), otherwise.unwrap_or(open))
            }
        };
        if train != otherwise {
            return refuse(images::training_size(self.resized.unwrap_or(self.span), train, otherwise));
        }
        let mut shape = vec![train.0, train.1];
        shape.extend(self.has_channels.then_some(self.channels));
        let mut axes: Vec<Option<Symbol>> = self.axes.iter().copied().map(Some).collect();
        axes.resize(shape.len(), None);
        Ok(Form { shape, axes, columns: 1 })
    }

    /// Mean and deviation over all pixels of some rows, for each channel or for all together; and the channels
    /// that have one value only. Rows count in their order, whichever thread looks at them.
    pub fn fit(&self, rows: &[u32], by_channel: bool) -> Checked<(ByChannel, Vec<usize>)> {
        let groups = if by_channel { self.channels } else { 1 };
        let of_rows: Vec<Checked<Vec<Moments>>> = rows
            .par_iter()
            .map(|&row| {
                let numbers = pixels(self.row(row, None)?);
                Ok((0..groups).map(|at| Moments::of(numbers.iter().skip(at).step_by(groups))).collect())
            })
            .collect();
        let mut all = vec![Moments::default(); groups];
        for of_row in of_rows {
            all.iter_mut().zip(of_row?).for_each(|(all, of_row)| *all = all.join(of_row));
        }
        let constant: Vec<usize> = (0..groups).filter(|&at| all[at].squares == 0.0).collect();
        let deviation = |moments: &Moments| match moments.squares {
            0.0 => 1.0,
            squares => (squares / moments.count).sqrt(),
        };
        let mean = all.iter().map(|moments| moments.mean).collect();
        Ok((ByChannel { mean, deviation: all.iter().map(deviation).collect() }, constant))
    }

    /// Writes rows one after the other; with an epoch they are changed at random. The rows are made by all
    /// threads and do not depend on them. Of several failures the first by row is told.
    pub fn write(&self, rows: &[u32], epoch: Option<Epoch>, into: &mut [f32]) -> Checked<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let item = into.len() / rows.len();
        let written: Vec<Checked<()>> = rows
            .par_iter()
            .zip(into.par_chunks_exact_mut(item.max(1)))
            .map(|(&row, into)| {
                let numbers = pixels(self.row(row, epoch)?);
                if numbers.len() != into.len() {
                    let path = self.album.path(row as usize);
                    return refuse(images::size_changed(self.album.span(), path));
                }
                into.copy_from_slice(&numbers);
                Ok(())
            })
            .collect();
        written.into_iter().collect()
    }

    /// Boxes of a row after all steps of their picture.
    pub fn follow(&self, boxes: &[[f64; 4]], row: u32, epoch: Option<Epoch>) -> Checked<Sheet> {
        let sheet = Sheet::of(boxes, self.album.size(row as usize)?);
        match self.after(&self.steps, Layer::Boxes(sheet), row, epoch)? {
            Layer::Boxes(sheet) => Ok(sheet),
            Layer::Picture(_) | Layer::Mask(_) => Ok(Sheet::of(&[], (1, 1))),
        }
    }

    /// A row after all steps.
    fn row(&self, row: u32, epoch: Option<Epoch>) -> Checked<Layer> {
        let fixed = self.random.unwrap_or(self.steps.len());
        let start = self.fixed(row, fixed)?;
        self.after(&self.steps[fixed..], start, row, epoch)
    }

    /// A row after the first, fixed steps: kept, or made and kept while there is room.
    fn fixed(&self, row: u32, fixed: usize) -> Checked<Layer> {
        let kept = self.kept.rows.get_or_init(|| (0..self.album.len()).map(|_| OnceLock::new()).collect());
        let place = &kept[row as usize];
        if let Some(layer) = place.get() {
            return Ok(layer.clone());
        }
        let start = match self.as_it_lies {
            true => self.album.mask(row as usize)?,
            false => self.album.picture(row as usize, self.decoded)?,
        };
        let layer = self.after(&self.steps[..fixed], Layer::Picture(start), row, None)?;
        let bytes = match &layer {
            Layer::Picture(picture) | Layer::Mask(picture) => size_of_val(picture.data.as_slice()),
            Layer::Boxes(_) => 0,
        };
        // What is in memory already is not kept twice.
        let is_file = matches!(*self.album, Album::Files(_));
        if is_file && self.kept.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= ROOM {
            // Another thread may have been faster, with the same numbers.
            let _ = place.set(layer.clone());
        }
        Ok(layer)
    }

    /// A layer of a row after some steps. Steps of colour leave all but pictures as they are.
    fn after(&self, steps: &[Step], mut layer: Layer, row: u32, epoch: Option<Epoch>) -> Checked<Layer> {
        for step in steps {
            let moved = match step {
                Step::Resize(h, w) => Some(layer.resize(*h, *w)),
                Step::Crop(h, w) => layer.middle(*h, *w),
                Step::Train(changes, number) => match epoch {
                    Some(epoch) => layer.change(changes, &mut Draws::of(epoch, row, *number)),
                    None => Some(layer),
                },
                Step::Grey | Step::Normalize(_) | Step::Right(..) | Step::Left(..) | Step::Index(..) => {
                    Some(match layer {
                        Layer::Picture(picture) => self.colour(step, picture, row)?,
                        layer @ (Layer::Mask(_) | Layer::Boxes(_)) => layer,
                    })
                }
            };
            // A picture that is smaller than when its size was looked at.
            let Some(moved) = moved else {
                return refuse(images::size_changed(self.album.span(), self.album.path(row as usize)));
            };
            layer = moved;
        }
        Ok(layer)
    }

    /// A step that moves no pixel.
    fn colour(&self, step: &Step, mut picture: Picture, row: u32) -> Checked<Layer> {
        match step {
            Step::Resize(..) | Step::Crop(..) | Step::Train(..) => {}
            Step::Grey => return Ok(Layer::Picture(picture.grey())),
            Step::Index(size, at) => {
                return match mask::classes(picture, *size) {
                    Ok(mask) => Ok(Layer::Mask(mask)),
                    Err(misfit) => self.misfit(misfit, Some(*size), row, at),
                };
            }
            Step::Normalize(ByChannel { mean, deviation }) => {
                let each = mean.iter().zip(deviation).cycle();
                picture.data.iter_mut().zip(each).for_each(|(x, (mean, deviation))| {
                    *x = ((f64::from(*x) - mean) / deviation) as f32;
                });
            }
            Step::Right(op, number) => {
                picture.data.iter_mut().for_each(|x| *x = op.eval(f64::from(*x), *number) as f32);
            }
            Step::Left(number, op) => {
                picture.data.iter_mut().for_each(|x| *x = op.eval(*number, f64::from(*x)) as f32);
            }
        }
        Ok(Layer::Picture(picture))
    }

    fn misfit<T>(
        &self,
        Misfit { value, place, beside_one }: Misfit,
        size: Option<usize>,
        row: u32,
        at: &ClassesAt,
    ) -> Checked<T> {
        let path = self.album.path(row as usize);
        refuse(match beside_one {
            true => scenes::black_white_and_one(at, path, place),
            false => scenes::no_class(at, path, (value, place), size),
        })
    }
}

/// The numbers of a picture or a mask; boxes have none.
fn pixels(layer: Layer) -> Vec<f32> {
    match layer {
        Layer::Picture(picture) | Layer::Mask(picture) => picture.data,
        Layer::Boxes(_) => Vec::new(),
    }
}

/// Count, mean, and squared distances from it.
#[derive(Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn of<'a>(numbers: impl Iterator<Item = &'a f32> + Clone) -> Moments {
        let exact = numbers.map(|&x| f64::from(x));
        let count = exact.clone().count() as f64;
        let mean = exact.clone().sum::<f64>() / count.max(1.0);
        Moments { count, mean, squares: exact.map(|x| (x - mean) * (x - mean)).sum() }
    }

    /// Both together, after Chan, Golub and LeVeque (1979).
    fn join(self, other: Moments) -> Moments {
        let count = self.count + other.count;
        if self.count == 0.0 {
            return other;
        }
        let apart = other.mean - self.mean;
        let mean = self.mean + apart * other.count / count;
        let squares = self.squares + other.squares + apart * apart * self.count * other.count / count;
        Moments { count, mean, squares }
    }
}
