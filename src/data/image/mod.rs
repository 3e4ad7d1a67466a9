//! Pictures: from a folder of files to the numbers of a batch.
//!
//! In: a folder, or pictures that an `idx` file holds, and the steps of a column. Out: a column that is made
//! when a batch asks for it. When a program is checked only names are read, and the sizes in the heads
//! of the files where no step fixes one; `normalize` alone decodes all training pictures, once.
//!
//! ```text
//! folder ─ folder ─▶ Album: paths, classes, parts        (names; heads where sizes are open)
//! Album, or numbers ─ column: steps, sizes, fit ─▶ Pictures
//! Pictures ─ decode ─▶ Picture ─ steps up to `train(…)`, kept ─ draws, geometry ─▶ numbers of a row
//! ```
//!
//! A row depends on nothing but its file, the steps, and (seed, epoch, row) where it is changed at random:
//! not on the batch it is in, nor on the thread that makes it. Which threads make it is the business of
//! `ahead`. Deliberately absent: the frames of a moving picture after its first, colour profiles, and
//! one draw for several columns under different steps. Columns of one row under the same `train(…)`, such
//! as a picture and its mask, do draw the same, because draws are counted from 0 in each.

mod album;
mod apply;
mod column;
mod decode;
mod draws;
mod folder;
mod picture;

pub(super) use album::Album;
pub(super) use column::Pictures;
pub(super) use draws::Epoch;
pub(super) use folder::find;
