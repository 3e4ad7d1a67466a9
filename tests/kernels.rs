//! Kernels: their text, their meaning, their machine code.
//!
//! The interpreter is the meaning; the CPU backend must compute its bits with any number of threads.

#[path = "kernels/functions.rs"]
mod functions;
#[path = "kernels/programs.rs"]
mod programs;
#[path = "kernels/random.rs"]
mod random;
#[path = "kernels/same_bits.rs"]
mod same_bits;
#[path = "kernels/texts.rs"]
mod texts;
#[path = "kernels/wide.rs"]
mod wide;
