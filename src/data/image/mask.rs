//! The pixels of a mask as classes.
//!
//! In: a picture with one number a pixel. Out: a class for each pixel, or the first that is none. A mask of two classes
//! may have 0 and 255, as programs that draw write black and white; then it has no 1.

use super::picture::Picture;

/// What is no class of a mask.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Misfit {
    pub value: f32,
    /// Row and column of the pixel.
    pub place: (usize, usize),
    /// Whether it would be one, were there no 1 beside it.
    pub beside_one: bool,
}

/// White of two classes.
const WHITE: f32 = 255.0;

/// The classes of a picture, below a size.
pub fn classes(mut mask: Picture, size: usize) -> Result<Picture, Misfit> {
    let white = size == 2 && !mask.data.contains(&1.0);
    let (w, two) = (mask.w.max(1), size == 2);
    for (at, x) in mask.data.iter_mut().enumerate() {
        match *x {
            value if value.fract() == 0.0 && value >= 0.0 && value < size as f32 => {}
            WHITE if white => *x = 1.0,
            value => {
                return Err(Misfit { value, place: (at / w, at % w), beside_one: two && value == WHITE });
            }
        }
    }
    Ok(mask)
}

/// How many classes there must be for a picture.
pub fn count(mask: &Picture) -> Result<usize, Misfit> {
    if mask.data.iter().all(|x| *x == 0.0 || *x == WHITE) {
        return Ok(2);
    }
    let is_class = |x: &f32| x.fract() == 0.0 && *x >= 0.0;
    match mask.data.iter().position(|x| !is_class(x)) {
        Some(at) => {
            let (value, w) = (mask.data[at], mask.w.max(1));
            Err(Misfit { value, place: (at / w, at % w), beside_one: false })
        }
        None => Ok(mask.data.iter().copied().fold(0.0, f32::max) as usize + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(data: &[f32]) -> Picture {
        Picture { h: 1, w: data.len(), channels: 1, data: data.to_vec() }
    }

    #[test]
    fn white_is_the_second_of_two_classes() {
        assert_eq!(classes(mask(&[0.0, 255.0, 0.0]), 2), Ok(mask(&[0.0, 1.0, 0.0])));
        assert_eq!(classes(mask(&[0.0, 1.0]), 2), Ok(mask(&[0.0, 1.0])));
        let misfit = |value, x, beside_one| Err(Misfit { value, place: (0, x), beside_one });
        assert_eq!(classes(mask(&[1.0, 255.0]), 2), misfit(255.0, 1, true));
        assert_eq!(classes(mask(&[0.0, 2.0, 255.0]), 3), misfit(255.0, 2, false));
        assert_eq!(classes(mask(&[0.5]), 2), misfit(0.5, 0, false));
        assert_eq!((count(&mask(&[0.0, 255.0])), count(&mask(&[0.0, 4.0]))), (Ok(2), Ok(5)));
    }
}
