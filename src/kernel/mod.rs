//! Regions to loop nests; memory and sizes planned.

pub mod ir;
