//! Tests of `ops`: gradients against finite differences, passes and texts on random graphs.

pub(crate) mod convolutions;
pub(crate) mod gradients;
mod passes;
mod recognition;
mod text;
mod values;
