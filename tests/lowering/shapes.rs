//! What becomes of programs that people write: how many steps and kernels, what is stored.
