//! The boxes of a picture, and where they are after its pixels have moved.
//!
//! In: left, upper, right and lower edges, in pixels from the upper left corner. Out: the same in the moved picture: a
//! box that turns becomes the smallest upright one around it, what is outside of the picture is cut off, and a box
//! without area is gone.

use super::picture::Warp;

/// Boxes in a picture of a size.
#[derive(Clone, PartialEq, Debug)]
pub struct Sheet {
    pub h: usize,
    pub w: usize,
    /// What is left of the boxes, with their numbers in the row.
    pub boxes: Vec<(usize, [f64; 4])>,
}

impl Sheet {
    /// The boxes of a row, as far as they lie in the picture.
    pub fn of(boxes: &[[f64; 4]], (h, w): (usize, usize)) -> Sheet {
        Sheet { h, w, boxes: boxes.iter().copied().enumerate().collect() }.cut()
    }

    /// In a picture of another size.
    pub fn resize(mut self, h: usize, w: usize) -> Sheet {
        let (down, across) = (h as f64 / self.h as f64, w as f64 / self.w as f64);
        for (_, [left, top, right, bottom]) in &mut self.boxes {
            (*left, *right) = (*left * across, *right * across);
            (*top, *bottom) = (*top * down, *bottom * down);
        }
        Sheet { h, w, ..self }
    }

    /// In a part of the picture.
    pub fn crop(mut self, top: usize, left: usize, h: usize, w: usize) -> Sheet {
        for (_, edges) in &mut self.boxes {
            *edges = [edges[0] - left as f64, edges[1] - top as f64, edges[2] - left as f64, edges[3] - top as f64];
        }
        Sheet { h, w, ..self }.cut()
    }

    /// Moved with the pixels.
    pub fn warp(mut self, warp: Warp) -> Sheet {
        let (middle_y, middle_x) = (self.h as f64 / 2.0, self.w as f64 / 2.0);
        let back = warp.inverse();
        for (_, edges) in &mut self.boxes {
            let corners = [(1, 0), (1, 2), (3, 0), (3, 2)].map(|(y, x)| {
                let (y, x) = back.place(edges[y] - middle_y, edges[x] - middle_x);
                (y + middle_y, x + middle_x)
            });
            let [first, others @ ..] = corners;
            *edges = [first.1, first.0, first.1, first.0];
            for (y, x) in others {
                *edges = [edges[0].min(x), edges[1].min(y), edges[2].max(x), edges[3].max(y)];
            }
        }
        self.cut()
    }

    /// Only what lies in the picture.
    fn cut(mut self) -> Sheet {
        let (h, w) = (self.h as f64, self.w as f64);
        for (_, edges) in &mut self.boxes {
            *edges = [edges[0].max(0.0), edges[1].max(0.0), edges[2].min(w), edges[3].min(h)];
        }
        self.boxes.retain(|(_, edges)| edges[2] > edges[0] && edges[3] > edges[1]);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(edges: [f64; 4], by: impl FnOnce(Sheet) -> Sheet) -> Vec<[f64; 4]> {
        by(Sheet::of(&[edges], (10, 20))).boxes.into_iter().map(|(_, edges)| edges).collect()
    }

    #[test]
    fn boxes_move_as_pixels_do() {
        let edges = [2.0, 1.0, 6.0, 4.0];
        assert_eq!(moved(edges, |sheet| sheet.warp(Warp::FLIP)), [[14.0, 1.0, 18.0, 4.0]]);
        assert_eq!(moved(edges, |sheet| sheet.warp(Warp::shift(2.0, -3.0))), [[0.0, 3.0, 3.0, 6.0]]);
        assert_eq!(moved(edges, |sheet| sheet.resize(20, 10)), [[1.0, 2.0, 3.0, 8.0]]);
        assert_eq!(moved(edges, |sheet| sheet.crop(2, 3, 4, 4)), [[0.0, 0.0, 3.0, 2.0]]);
        assert_eq!(moved(edges, |sheet| sheet.crop(4, 0, 4, 4)), [[0.0; 4]; 0]);
        let larger = moved([8.0, 4.0, 12.0, 6.0], |sheet| sheet.warp(Warp::zoom(2.0)));
        assert_eq!(larger, [[6.0, 3.0, 14.0, 7.0]]);
    }

    #[test]
    fn a_turned_box_is_upright_again() {
        let eighth = Warp::rotate(std::f64::consts::FRAC_PI_4);
        let [turned] = moved([8.0, 3.0, 12.0, 7.0], |sheet| sheet.warp(eighth))[..] else { panic!("one box") };
        let half = 8.0_f64.sqrt();
        let wanted = [10.0 - half, 5.0 - half, 10.0 + half, 5.0 + half];
        assert!(turned.iter().zip(wanted).all(|(x, wanted)| (x - wanted).abs() < 1e-9), "{turned:?}");
        // A corner goes where its pixel goes: against the clock, the upper right one to the upper left.
        let quarter = Warp::rotate(std::f64::consts::FRAC_PI_2);
        let [turned] = moved([11.0, 3.0, 13.0, 4.0], |sheet| sheet.warp(quarter))[..] else { panic!("one box") };
        assert!(turned.iter().zip([8.0, 2.0, 9.0, 4.0]).all(|(x, wanted)| (x - wanted).abs() < 1e-9), "{turned:?}");
    }
}
