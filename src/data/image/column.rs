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
use crate::diag::images;

use super::super::spec::{Arith, ByChannel, Change, Decode};
use super::super::transform::Form;
use super::super::{Checked, refuse};
use super::album::Album;
use super::draws::{Draws, Epoch};
use super::picture::{Picture, Warp};

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
    kept: Arc<Kept>,
}

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
    Train(Vec<Change>),
}

/// What the fixed steps made of the pictures, by row.
#[derive(Debug, Default)]
struct Kept {
    rows: OnceLock<Vec<OnceLock<Picture>>>,
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
        self.push(Step::Resize(h, w));
    }

    /// `crop(h, w)`
    pub fn crop(&mut self, h: usize, w: usize, span: Span) -> Checked<()> {
        self.large_enough(self.train, (h, w), span)?;
        self.large_enough(self.otherwise, (h, w), span)?;
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
    pub fn normalize(&mut self, by: ByChannel, span: Span) -> Checked<()> {
        let count = by.mean.len();
        if count != 1 && count != self.channels {
            return refuse(images::channel_count(span, count, self.channels));
        }
        self.push(Step::Normalize(by));
        Ok(())
    }

    /// `train(…)`
    pub fn train(&mut self, changes: &[Change], span: Span) -> Checked<()> {
        for change in changes {
            if let Change::Crop(h, w) = change {
                self.large_enough(self.train, (*h, *w), span)?;
                (self.train, self.resized) = (Some((*h, *w)), Some(span));
            }
        }
        self.random = self.random.or(Some(self.steps.len()));
        self.push(Step::Train(changes.to_vec()));
        Ok(())
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

    fn large_enough(&self, now: Option<(usize, usize)>, crop: (usize, usize), span: Span) -> Checked<()> {
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
            Some((path, size)) => refuse(images::smaller_than_crop(span, path, size, crop)),
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
                let picture = self.row(row, None)?;
                Ok((0..groups).map(|at| Moments::of(picture.data.iter().skip(at).step_by(groups))).collect())
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
                let picture = self.row(row, epoch)?;
                if picture.data.len() != into.len() {
                    let path = self.album.path(row as usize);
                    return refuse(images::size_changed(self.album.span(), path));
                }
                into.copy_from_slice(&picture.data);
                Ok(())
            })
            .collect();
        written.into_iter().collect()
    }

    /// A row after all steps.
    fn row(&self, row: u32, epoch: Option<Epoch>) -> Checked<Picture> {
        let fixed = self.random.unwrap_or(self.steps.len());
        let start = self.fixed(row, fixed)?;
        let mut draws = epoch.map(|epoch| Draws::of(epoch, row));
        self.steps[fixed..].iter().try_fold(start, |picture, step| self.apply(step, picture, row, draws.as_mut()))
    }

    /// A row after the first, fixed steps: kept, or made and kept while there is room.
    fn fixed(&self, row: u32, fixed: usize) -> Checked<Picture> {
        let kept = self.kept.rows.get_or_init(|| (0..self.album.len()).map(|_| OnceLock::new()).collect());
        let place = &kept[row as usize];
        if let Some(picture) = place.get() {
            return Ok(picture.clone());
        }
        let start = self.album.picture(row as usize, self.decoded)?;
        let picture =
            self.steps[..fixed].iter().try_fold(start, |picture, step| self.apply(step, picture, row, None))?;
        let bytes = size_of_val(picture.data.as_slice());
        // What is in memory already is not kept twice.
        let is_file = matches!(*self.album, Album::Files(_));
        if is_file && self.kept.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes <= ROOM {
            // Another thread may have been faster, with the same numbers.
            let _ = place.set(picture.clone());
        }
        Ok(picture)
    }

    fn apply(&self, step: &Step, mut picture: Picture, row: u32, draws: Option<&mut Draws>) -> Checked<Picture> {
        match step {
            Step::Resize(h, w) => return Ok(picture.resize(*h, *w)),
            Step::Crop(h, w) if picture.h < *h || picture.w < *w => return self.changed(row),
            Step::Crop(h, w) => return Ok(picture.middle(*h, *w)),
            Step::Grey => return Ok(picture.grey()),
            Step::Train(changes) => {
                return match draws {
                    Some(draws) => self.change(changes, picture, row, draws),
                    None => Ok(picture),
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
        Ok(picture)
    }

    /// Random changes in their order. Moves that follow each other are one, so that pixels are mixed once.
    fn change(&self, changes: &[Change], mut picture: Picture, row: u32, draws: &mut Draws) -> Checked<Picture> {
        let mut warp = Warp::NONE;
        for change in changes {
            let (height, width) = (picture.h as f64, picture.w as f64);
            match *change {
                Change::Flip if draws.unit() < 0.5 => {}
                Change::Flip => warp = warp.then(Warp::FLIP),
                Change::Rotate(reach) => warp = warp.then(Warp::rotate(draws.around(reach))),
                Change::Translate(reach) => {
                    let (down, right) = (draws.around(reach), draws.around(reach));
                    warp = warp.then(Warp::shift(down * height, right * width));
                }
                Change::Zoom(reach) => warp = warp.then(Warp::zoom(1.0 + draws.around(reach))),
                Change::Crop(h, w) if picture.h < h || picture.w < w => return self.changed(row),
                Change::Crop(h, w) => {
                    picture = moved_by(picture, std::mem::replace(&mut warp, Warp::NONE));
                    let (top, left) = (draws.place(picture.h - h), draws.place(picture.w - w));
                    picture = picture.crop(top, left, h, w);
                }
                // A factor on every pixel is the same before and after they are mixed.
                Change::Brightness(reach) => {
                    let factor = 1.0 + draws.around(reach);
                    picture.data.iter_mut().for_each(|x| *x = (f64::from(*x) * factor) as f32);
                }
                Change::Contrast(reach) => {
                    picture = moved_by(picture, std::mem::replace(&mut warp, Warp::NONE));
                    let (mean, factor) = (picture.mean(), 1.0 + draws.around(reach));
                    picture.data.iter_mut().for_each(|x| *x = (mean + (f64::from(*x) - mean) * factor) as f32);
                }
            }
        }
        Ok(moved_by(picture, warp))
    }

    /// A picture that is smaller than when its size was looked at.
    fn changed<T>(&self, row: u32) -> Checked<T> {
        refuse(images::size_changed(self.album.span(), self.album.path(row as usize)))
    }
}

fn moved_by(picture: Picture, warp: Warp) -> Picture {
    if warp == Warp::NONE { picture } else { picture.warp(warp) }
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
