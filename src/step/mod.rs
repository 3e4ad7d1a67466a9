//! Forward, gradients, clipping and update as one program.
