//! Pictures: from files to the numbers of a batch, and what goes with them: masks, boxes, the kinds of boxes.
//!
//! In: a folder, names of files, or pictures that an `idx` file holds, and the steps of a column. Out: a column that is
//! made when a batch asks for it. When a program is checked only names are read, and the sizes in the heads
//! of the files where no step fixes one; `normalize` and an `index` without a size alone decode all training pictures,
//! once.
//!
//! ```text
//! folder ─ folder, paths ─▶ paths, classes, parts ─▶ Album   (names; heads where sizes are open)
//! Album, or numbers ─ column: steps, sizes, fit ─▶ Pictures ┐
//! lists of edges ─ boxes ─▶ Boxes, which follow Pictures ───┴─ maker ─▶ rows
//! Pictures ─ decode ─▶ Layer ─ steps up to `train(…)`, kept ─ draws, geometry ─▶ numbers of a row
//! ```
//!
//! A row depends on nothing but its file, the steps, and (seed, epoch, row) where it is changed at random:
//! not on the batch it is in, nor on the thread that makes it. Which threads make it is the business of
//! `ahead`. Draws have the number of their `train(…)`, which the fields of a record share, and columns under the same
//! steps have in common. Deliberately absent: the frames of a moving picture after its first, and colour profiles.

mod album;
mod apply;
mod boxes;
mod column;
mod decode;
mod draws;
mod folder;
mod layer;
mod maker;
mod mask;
mod objects;
mod paths;
mod picture;
mod sheet;

pub(super) use boxes::{Boxes, Kinds};
pub(super) use column::Pictures;
pub(super) use draws::Epoch;
pub(super) use folder::find;
pub(super) use maker::Maker;
pub(super) use paths::matching;
