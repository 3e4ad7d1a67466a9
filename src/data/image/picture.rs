//! A picture in memory, and what is done to its pixels.
//!
//! In: numbers by row, column, channel. Out: the same of another size or place. Nothing is cut to a range,
//! so that it does not matter whether pixels count to 255 or to 1.

/// Pixels: row by row, the channels of a pixel beside each other.
#[derive(Clone, PartialEq, Debug)]
pub struct Picture {
    pub h: usize,
    pub w: usize,
    pub channels: usize,
    pub data: Vec<f32>,
}

/// From a place in the result to one in the source, around the middles of both: `(y, x)` comes from
/// `(a·y + b·x + dy, c·y + d·x + dx)`.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Warp {
    pub a: f64,
    pub b: f64,
    pub c: f64,
    pub d: f64,
    pub dy: f64,
    pub dx: f64,
}

impl Warp {
    /// Every place from itself.
    pub const NONE: Warp = Warp { a: 1.0, b: 0.0, c: 0.0, d: 1.0, dy: 0.0, dx: 0.0 };

    /// Left to right.
    pub const FLIP: Warp = Warp { d: -1.0, ..Warp::NONE };

    /// By an angle, against the clock.
    pub fn rotate(angle: f64) -> Warp {
        let (sin, cos) = angle.sin_cos();
        Warp { a: cos, b: sin, c: -sin, d: cos, ..Warp::NONE }
    }

    /// By pixels, down and right.
    pub fn shift(down: f64, right: f64) -> Warp {
        Warp { dy: -down, dx: -right, ..Warp::NONE }
    }

    /// Larger by a factor.
    pub fn zoom(factor: f64) -> Warp {
        Warp { a: 1.0 / factor, d: 1.0 / factor, ..Warp::NONE }
    }

    /// From a place to the one that is taken from it.
    pub fn inverse(self) -> Warp {
        let Warp { a, b, c, d, dy, dx } = self;
        // A rotation, a mirror or a factor, each with a determinant other than 0.
        let over = 1.0 / (a * d - b * c);
        let (a, b, c, d) = (d * over, -b * over, -c * over, a * over);
        Warp { a, b, c, d, dy: -(a * dy + b * dx), dx: -(c * dy + d * dx) }
    }

    /// Where a place comes from; both are counted from the middle.
    pub fn place(self, y: f64, x: f64) -> (f64, f64) {
        (self.a * y + self.b * x + self.dy, self.c * y + self.d * x + self.dx)
    }

    /// This one, then another: the places of the second come from those of the first.
    pub fn then(self, next: Warp) -> Warp {
        let Warp { a, b, c, d, dy, dx } = self;
        Warp {
            a: a * next.a + b * next.c,
            b: a * next.b + b * next.d,
            c: c * next.a + d * next.c,
            d: c * next.b + d * next.d,
            dy: a * next.dy + b * next.dx + dy,
            dx: c * next.dy + d * next.dx + dx,
        }
    }
}

impl Picture {
    /// A part of it, which must lie inside.
    pub fn crop(&self, top: usize, left: usize, h: usize, w: usize) -> Picture {
        let Picture { w: width, channels, .. } = *self;
        let row = |y: usize| &self.data[((top + y) * width + left) * channels..][..w * channels];
        Picture { h, w, channels, data: (0..h).flat_map(row).copied().collect() }
    }

    /// Another size. A pixel of the result is the mean of those under it, weighted by a triangle as wide as
    /// two pixels of the coarser of both.
    pub fn resize(self, h: usize, w: usize) -> Picture {
        let across = if w == self.w { self } else { self.resize_rows(w) };
        if h == across.h { across } else { across.resize_columns(h) }
    }

    fn resize_rows(&self, w: usize) -> Picture {
        let taps = taps(self.w, w);
        let channels = self.channels;
        let mut data = Vec::with_capacity(self.h * w * channels);
        for row in self.data.chunks_exact(self.w * channels) {
            for (first, weights) in &taps {
                for channel in 0..channels {
                    let pixels = row[first * channels + channel..].iter().step_by(channels);
                    data.push(weights.iter().zip(pixels).map(|(weight, pixel)| weight * pixel).sum());
                }
            }
        }
        Picture { h: self.h, w, channels, data }
    }

    fn resize_columns(&self, h: usize) -> Picture {
        let row = self.w * self.channels;
        let mut data = vec![0.0; h * row];
        for ((first, weights), into) in taps(self.h, h).iter().zip(data.chunks_exact_mut(row.max(1))) {
            for (weight, from) in weights.iter().zip(self.data[first * row..].chunks_exact(row.max(1))) {
                into.iter_mut().zip(from).for_each(|(into, from)| *into += weight * from);
            }
        }
        Picture { h, w: self.w, channels: self.channels, data }
    }

    /// Another size; each pixel is the one that lies under its middle.
    pub fn resize_nearest(self, h: usize, w: usize) -> Picture {
        if (h, w) == (self.h, self.w) {
            return self;
        }
        let under = |place: usize, from: usize, to: usize| (2 * place + 1) * from / (2 * to);
        let columns: Vec<usize> = (0..w).map(|x| under(x, self.w, w)).collect();
        let mut data = Vec::with_capacity(h * w * self.channels);
        for y in 0..h {
            let row = under(y, self.h, h) * self.w;
            for x in &columns {
                data.extend_from_slice(&self.data[(row + x) * self.channels..][..self.channels]);
            }
        }
        Picture { h, w, channels: self.channels, data }
    }

    /// Moved; each pixel is the nearest one.
    pub fn warp_nearest(&self, warp: Warp) -> Picture {
        let Picture { h, w, channels, .. } = *self;
        let mut data = Vec::with_capacity(self.data.len());
        for y in 0..h {
            for x in 0..w {
                let (from_y, from_x) = self.source(warp, y, x);
                let (row, column) = (from_y.round() as usize, from_x.round() as usize);
                data.extend_from_slice(&self.data[(row * w + column) * channels..][..channels]);
            }
        }
        Picture { h, w, channels, data }
    }

    /// Where a pixel of the moved picture comes from, no further out than the edge.
    fn source(&self, warp: Warp, y: usize, x: usize) -> (f64, f64) {
        let (last_y, last_x) = (self.h as f64 - 1.0, self.w as f64 - 1.0);
        let (v, u) = (y as f64 - last_y / 2.0, x as f64 - last_x / 2.0);
        let (from_y, from_x) = warp.place(v, u);
        ((from_y + last_y / 2.0).clamp(0.0, last_y), (from_x + last_x / 2.0).clamp(0.0, last_x))
    }

    /// Moved; what lies outside is taken from the nearest edge.
    pub fn warp(&self, warp: Warp) -> Picture {
        let Picture { h, w, channels, .. } = *self;
        let mut data = Vec::with_capacity(self.data.len());
        for y in 0..h {
            for x in 0..w {
                let (from_y, from_x) = self.source(warp, y, x);
                let (top, left) = (from_y as usize, from_x as usize);
                let (down, right) = ((from_y - top as f64) as f32, (from_x - left as f64) as f32);
                let (bottom, far) = ((top + 1).min(h - 1), (left + 1).min(w - 1));
                for channel in 0..channels {
                    let at = |y: usize, x: usize| self.data[(y * w + x) * channels + channel];
                    let upper = mixed(at(top, left), at(top, far), right);
                    let lower = mixed(at(bottom, left), at(bottom, far), right);
                    data.push(mixed(upper, lower, down));
                }
            }
        }
        Picture { h, w, channels, data }
    }

    /// One channel. Opacity does not count.
    pub fn grey(self) -> Picture {
        if self.channels == 1 {
            return self;
        }
        // How bright the eye finds red, green and blue (ITU-R BT.709).
        let grey = |pixel: &[f32]| 0.2126 * pixel[0] + 0.7152 * pixel[1] + 0.0722 * pixel[2];
        let data = self.data.chunks_exact(self.channels).map(grey).collect();
        Picture { h: self.h, w: self.w, channels: 1, data }
    }

    /// The mean of all numbers.
    pub fn mean(&self) -> f64 {
        self.data.iter().map(|&x| f64::from(x)).sum::<f64>() / self.data.len().max(1) as f64
    }
}

/// `a` at 0 and `b` at 1, both exactly.
fn mixed(a: f32, b: f32, part: f32) -> f32 {
    if part == 0.0 { a } else { a * (1.0 - part) + b * part }
}

/// For each place of a line of `to`: the first of the places of `from` under it, and their weights.
fn taps(from: usize, to: usize) -> Vec<(usize, Vec<f32>)> {
    let step = from as f64 / to as f64;
    let reach = step.max(1.0);
    let of_place = |place: usize| {
        let middle = (place as f64 + 0.5) * step;
        let first = (middle - reach).floor().max(0.0) as usize;
        let last = ((middle + reach).ceil() as usize).min(from);
        let weight = |at: usize| (1.0 - ((at as f64 + 0.5 - middle) / reach).abs()).max(0.0);
        let weights: Vec<f64> = (first..last).map(weight).collect();
        let sum: f64 = weights.iter().sum();
        (first, weights.into_iter().map(|weight| (weight / sum) as f32).collect())
    };
    (0..to).map(of_place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting(h: usize, w: usize, channels: usize) -> Picture {
        Picture { h, w, channels, data: (0..h * w * channels).map(|x| x as f32).collect() }
    }

    #[test]
    fn a_flip_is_exact_and_its_own_inverse() {
        for (h, w) in [(1, 1), (2, 3), (4, 4), (5, 2)] {
            let picture = counting(h, w, 2);
            let flipped = picture.warp(Warp::FLIP);
            let row: Vec<f32> = picture.data[..w * 2].chunks(2).rev().flatten().copied().collect();
            assert_eq!(flipped.data[..w * 2], row);
            assert_eq!(flipped.warp(Warp::FLIP), picture);
            assert_eq!(picture.warp(Warp::NONE), picture);
            assert_eq!(picture.warp(Warp::FLIP.then(Warp::FLIP)), picture);
        }
    }

    #[test]
    fn places_move_as_they_say() {
        let picture = counting(3, 3, 1);
        // A quarter turn against the clock: the right column becomes the top row.
        let turned = picture.warp(Warp::rotate(std::f64::consts::FRAC_PI_2));
        let near = |a: &f32, b: &f32| (a - b).abs() < 1e-5;
        assert!(turned.data.iter().zip(&[2.0, 5.0, 8.0, 1.0, 4.0, 7.0, 0.0, 3.0, 6.0]).all(|(a, b)| near(a, b)));
        assert_eq!(picture.warp(Warp::shift(1.0, 0.0)).data, [0.0, 1.0, 2.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
        assert_eq!(picture.warp(Warp::zoom(2.0)).data, [2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0]);
        // First down, then flipped; the flip does not change what the shift did.
        let both = picture.warp(Warp::shift(1.0, 0.0).then(Warp::FLIP));
        assert_eq!(both, picture.warp(Warp::shift(1.0, 0.0)).warp(Warp::FLIP));
    }

    #[test]
    fn sizes_change_by_means() {
        let picture = counting(4, 4, 1);
        assert_eq!(picture.clone().resize(4, 4), picture);
        let flat = Picture { h: 7, w: 5, channels: 3, data: vec![0.25; 105] };
        for (h, w) in [(1, 1), (3, 9), (14, 10), (2, 2)] {
            let resized = flat.clone().resize(h, w);
            assert_eq!((resized.h, resized.w, resized.data.len()), (h, w, h * w * 3));
            assert!(resized.data.iter().all(|x| (x - 0.25).abs() < 1e-6));
        }
        // The mean of a symmetric picture stays.
        let one = picture.clone().resize(1, 1);
        assert!((f64::from(one.data[0]) - picture.mean()).abs() < 1e-5);
        assert_eq!(counting(1, 2, 1).resize(1, 4).data, [0.0, 0.25, 0.75, 1.0]);
    }

    #[test]
    fn the_nearest_pixels_are_whole() {
        let picture = counting(3, 4, 1);
        assert_eq!(picture.warp_nearest(Warp::FLIP), picture.warp(Warp::FLIP));
        assert_eq!(picture.warp_nearest(Warp::shift(1.0, 0.4)).data[..5], [0.0, 1.0, 2.0, 3.0, 0.0]);
        assert_eq!(picture.clone().resize_nearest(3, 4), picture);
        assert_eq!(counting(1, 2, 1).resize_nearest(1, 4).data, [0.0, 0.0, 1.0, 1.0]);
        assert_eq!(counting(1, 5, 1).resize_nearest(1, 2).data, [1.0, 3.0]);
    }

    /// What is taken from a place lies at that place moved back.
    #[test]
    fn the_way_back_leads_back() {
        let warp = Warp::rotate(0.3).then(Warp::FLIP).then(Warp::shift(2.0, -1.0)).then(Warp::zoom(1.3));
        for (y, x) in [(0.0, 0.0), (1.0, 2.0), (-3.0, 0.5)] {
            let (v, u) = warp.place(y, x);
            let (back_y, back_x) = warp.inverse().place(v, u);
            assert!((back_y - y).abs() < 1e-12 && (back_x - x).abs() < 1e-12);
        }
    }

    #[test]
    fn parts_are_cut_out() {
        let picture = counting(4, 5, 1);
        assert_eq!(picture.crop(1, 2, 2, 2).data, [7.0, 8.0, 12.0, 13.0]);
    }
}
