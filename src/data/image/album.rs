//! Where the pictures of a column come from: files, or numbers in memory.
//!
//! In: paths and the way to files, or the numbers of an `idx` file. Out: the sizes of all pictures, and each
//! picture. Files are read when a picture is asked for, from any thread.

use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use crate::base::Span;
use crate::diag::{images, scenes};

use super::super::files::{self, Files};
use super::super::{Checked, refuse};
use super::decode::{self, Failure, HEAD, MAX_PIXELS};
use super::picture::Picture;

/// Pictures by row.
#[derive(Debug)]
pub enum Album {
    /// A file for each.
    Files(Paths),
    /// All of one size.
    Memory {
        /// Height, width and channels.
        shape: [usize; 3],
        /// Row by row.
        numbers: Vec<f32>,
    },
}

/// Files of pictures.
#[derive(Debug)]
pub struct Paths {
    paths: Vec<String>,
    files: Arc<dyn Files>,
    /// Where the program names their folder.
    span: Option<Span>,
    /// Filled when the sizes are asked for.
    sizes: OnceLock<Vec<(usize, usize)>>,
}

impl Album {
    /// Pictures in files; none is opened.
    pub fn of_files(paths: Vec<String>, files: Arc<dyn Files>, span: Option<Span>) -> Album {
        Album::Files(Paths { paths, files, span, sizes: OnceLock::new() })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Album::Files(Paths { paths, .. }) => paths.len(),
            Album::Memory { shape, numbers } => numbers.len() / shape.iter().product::<usize>().max(1),
        }
    }

    /// The path of a picture; empty when it has none.
    pub fn path(&self, row: usize) -> &str {
        match self {
            Album::Files(Paths { paths, .. }) => &paths[row],
            Album::Memory { .. } => "",
        }
    }

    /// Where the program names the pictures.
    pub fn span(&self) -> Option<Span> {
        match self {
            Album::Files(Paths { span, .. }) => *span,
            Album::Memory { .. } => None,
        }
    }

    /// Height and width of every picture: reads the heads of all files, once.
    pub fn sizes(&self) -> Checked<Vec<(usize, usize)>> {
        match self {
            Album::Memory { shape: [h, w, _], .. } => Ok(vec![(*h, *w); self.len()]),
            Album::Files(of) => {
                if let Some(sizes) = of.sizes.get() {
                    return Ok(sizes.clone());
                }
                let all: Vec<Checked<(usize, usize)>> = of.paths.par_iter().map(|path| of.size(path)).collect();
                // The first of the failures by row, whichever thread was faster.
                let sizes = all.into_iter().collect::<Checked<Vec<_>>>()?;
                Ok(of.sizes.get_or_init(|| sizes).clone())
            }
        }
    }

    /// Height and width of one picture: reads its head, unless those of all are known.
    pub fn size(&self, row: usize) -> Checked<(usize, usize)> {
        match self {
            Album::Memory { shape: [h, w, _], .. } => Ok((*h, *w)),
            Album::Files(of) => match of.sizes.get() {
                Some(sizes) => Ok(sizes[row]),
                None => of.size(&of.paths[row]),
            },
        }
    }

    /// A picture with one number a pixel, as the file has it.
    pub fn mask(&self, row: usize) -> Checked<Picture> {
        match self {
            Album::Files(of) => of.mask(&of.paths[row]),
            Album::Memory { .. } => self.picture(row, 1),
        }
    }

    /// A picture with so many channels.
    pub fn picture(&self, row: usize, channels: usize) -> Checked<Picture> {
        match self {
            Album::Files(of) => of.picture(&of.paths[row], channels),
            Album::Memory { shape: [h, w, channels], numbers } => {
                let item = h * w * channels;
                let data = numbers[row * item..][..item].to_vec();
                Ok(Picture { h: *h, w: *w, channels: *channels, data })
            }
        }
    }
}

impl Paths {
    fn size(&self, path: &str) -> Checked<(usize, usize)> {
        let head = self.files.head(path, HEAD).or_else(|error| self.unreadable(path, &error))?;
        if let Some(size) = decode::size_by_head(&head) {
            return Ok(size);
        }
        decode::size(&self.read(path)?).or_else(|failure| self.refused(path, failure))
    }

    fn picture(&self, path: &str, channels: usize) -> Checked<Picture> {
        decode::decode(&self.read(path)?, channels).or_else(|failure| self.refused(path, failure))
    }

    fn mask(&self, path: &str) -> Checked<Picture> {
        decode::decode_mask(&self.read(path)?).or_else(|failure| self.refused(path, failure))
    }

    fn read(&self, path: &str) -> Checked<Vec<u8>> {
        self.files.read(path).or_else(|error| self.unreadable(path, &error))
    }

    fn unreadable<T>(&self, path: &str, error: &std::io::Error) -> Checked<T> {
        refuse(images::damaged(self.span, path, &files::why(error)))
    }

    fn refused<T>(&self, path: &str, failure: Failure) -> Checked<T> {
        refuse(match failure {
            Failure::Damaged(why) => images::damaged(self.span, path, &why),
            Failure::Coloured(colour, place) => scenes::coloured_mask(self.span, path, colour, place),
            Failure::TooLarge(h, w) => images::too_large(self.span, path, (h, w), MAX_PIXELS),
        })
    }
}
