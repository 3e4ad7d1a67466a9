//! Steps of pictures and of boxes, as a `Spec` holds them.

use crate::base::{Span, Symbol};

/// A step on the way from the file of a picture to its numbers.
#[derive(Clone, PartialEq, Debug)]
pub enum PictureStep {
    /// `decode[h, w, c: 3]`: names for the axes, and how many channels are asked for.
    Decode(Decode),
    /// `resize(h, w)`: to these sizes, whatever the shape was.
    Resize(usize, usize),
    /// `crop(h, w)`: the middle.
    Crop(usize, usize),
    /// `grayscale`: one channel.
    Grayscale,
    /// `normalize`, `normalize(0.5, 0.2)`, `normalize([…], […])`: each channel less its mean over its
    /// deviation, as given or else fitted.
    Normalize(Option<ByChannel>),
    /// `train(flip |> rotate(15 deg))`: only on training rows while training. The number is that of its draws:
    /// columns of a row draw the same under the same number.
    Train(Vec<Change>, usize),
}

/// `decode[h, w, c]`
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Decode {
    /// Names for height, width and, unless the picture is grey without an axis for it, channel.
    pub axes: Vec<Symbol>,
    /// Where the brackets name the axis of channels, with the comma before it.
    pub channel_axis: Option<Span>,
    /// 1, 3 or 4; three when nothing is said.
    pub channels: Option<usize>,
    /// Where the files of a column of names lie: `folder = "photos"`.
    pub folder: Option<String>,
}

/// Means and deviations, one for all channels or one for each.
#[derive(Clone, PartialEq, Debug)]
pub struct ByChannel {
    /// What is subtracted.
    pub mean: Vec<f64>,
    /// What is divided by; none is 0.
    pub deviation: Vec<f64>,
}

/// A random change to a training picture.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Change {
    /// `crop(h, w)`: any part of this size.
    Crop(usize, usize),
    /// `flip`: left to right, every second time.
    Flip,
    /// `rotate(15 deg)`: by up to this angle, in radians, either way.
    Rotate(f64),
    /// `translate(10%)`: by up to this share of height and width, each either way.
    Translate(f64),
    /// `zoom(20%)`: larger or smaller by up to this share.
    Zoom(f64),
    /// `brightness(20%)`: every number times 1 ± this share.
    Brightness(f64),
    /// `contrast(20%)`: the distance of every number from the mean of the picture times 1 ± this share.
    Contrast(f64),
}

/// `boxes[object, side: 4](given = sizes)`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Boxes {
    /// Names for the axes: which box of a row, and which edge of it.
    pub axes: Option<[Symbol; 2]>,
    /// Whether a box has width and height behind its left and upper edge, and not its other edges.
    pub sizes: bool,
}

impl PictureStep {
    /// Its word in the language.
    pub fn word(&self) -> &'static str {
        match self {
            PictureStep::Decode(_) => "decode",
            PictureStep::Resize(..) => "resize",
            PictureStep::Crop(..) => "crop",
            PictureStep::Grayscale => "grayscale",
            PictureStep::Normalize(_) => "normalize",
            PictureStep::Train(..) => "train",
        }
    }
}
