//! Tests of `ops`: gradients against finite differences, passes and texts on random graphs.

mod convolutions;
mod gradients;
mod passes;
mod recognition;
mod text;
mod values;
