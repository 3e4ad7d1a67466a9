//! What moves when a picture does: its pixels, those of its mask, its boxes.
//!
//! In: a layer and a step. Out: the layer after it. Random changes draw the same numbers whatever the layer is, so
//! layers of one row stay on top of each other. Pixels of a picture are mixed where they fall between others, those of
//! a mask, which are classes, are taken from the nearest.

use super::super::spec::Change;
use super::draws::Draws;
use super::picture::{Picture, Warp};
use super::sheet::Sheet;

/// A part of a row that follows its picture.
#[derive(Clone, PartialEq, Debug)]
pub enum Layer {
    Picture(Picture),
    Mask(Picture),
    Boxes(Sheet),
}

impl Layer {
    /// Height and width.
    pub fn size(&self) -> (usize, usize) {
        match self {
            Layer::Picture(picture) | Layer::Mask(picture) => (picture.h, picture.w),
            Layer::Boxes(sheet) => (sheet.h, sheet.w),
        }
    }

    pub fn resize(self, h: usize, w: usize) -> Layer {
        match self {
            Layer::Picture(picture) => Layer::Picture(picture.resize(h, w)),
            Layer::Mask(mask) => Layer::Mask(mask.resize_nearest(h, w)),
            Layer::Boxes(sheet) => Layer::Boxes(sheet.resize(h, w)),
        }
    }

    /// The part in the middle; none when there is none of this size.
    pub fn middle(self, h: usize, w: usize) -> Option<Layer> {
        let (height, width) = self.size();
        let (top, left) = (height.checked_sub(h)? / 2, width.checked_sub(w)? / 2);
        Some(self.crop(top, left, h, w))
    }

    fn crop(self, top: usize, left: usize, h: usize, w: usize) -> Layer {
        match self {
            Layer::Picture(picture) => Layer::Picture(picture.crop(top, left, h, w)),
            Layer::Mask(mask) => Layer::Mask(mask.crop(top, left, h, w)),
            Layer::Boxes(sheet) => Layer::Boxes(sheet.crop(top, left, h, w)),
        }
    }

    fn warp(self, warp: Warp) -> Layer {
        match self {
            layer if warp == Warp::NONE => layer,
            Layer::Picture(picture) => Layer::Picture(picture.warp(warp)),
            Layer::Mask(mask) => Layer::Mask(mask.warp_nearest(warp)),
            Layer::Boxes(sheet) => Layer::Boxes(sheet.warp(warp)),
        }
    }

    /// A factor on the distance of the numbers of a picture from a middle of theirs.
    fn colour(&mut self, middle: impl FnOnce(&Picture) -> f64, factor: f64) {
        if let Layer::Picture(picture) = self {
            let middle = middle(picture);
            picture.data.iter_mut().for_each(|x| *x = (middle + (f64::from(*x) - middle) * factor) as f32);
        }
    }

    /// Random changes in their order; none when a crop is larger than the layer. Moves that follow each other are one,
    /// so that pixels are mixed once.
    pub fn change(mut self, changes: &[Change], draws: &mut Draws) -> Option<Layer> {
        let mut warp = Warp::NONE;
        for change in changes {
            let (height, width) = self.size();
            match *change {
                Change::Flip if draws.unit() < 0.5 => {}
                Change::Flip => warp = warp.then(Warp::FLIP),
                Change::Rotate(reach) => warp = warp.then(Warp::rotate(draws.around(reach))),
                Change::Translate(reach) => {
                    let (down, right) = (draws.around(reach), draws.around(reach));
                    warp = warp.then(Warp::shift(down * height as f64, right * width as f64));
                }
                Change::Zoom(reach) => warp = warp.then(Warp::zoom(1.0 + draws.around(reach))),
                Change::Crop(h, w) => {
                    let (down, right) = (height.checked_sub(h)?, width.checked_sub(w)?);
                    let (top, left) = (draws.place(down), draws.place(right));
                    self = self.warp(std::mem::replace(&mut warp, Warp::NONE)).crop(top, left, h, w);
                }
                // A factor on every pixel is the same before and after they are mixed.
                Change::Brightness(reach) => self.colour(|_| 0.0, 1.0 + draws.around(reach)),
                Change::Contrast(reach) => {
                    self = self.warp(std::mem::replace(&mut warp, Warp::NONE));
                    self.colour(Picture::mean, 1.0 + draws.around(reach));
                }
            }
        }
        Some(self.warp(warp))
    }
}
