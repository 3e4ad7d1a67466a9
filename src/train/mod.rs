//! The training loop, metrics, checkpoints, the run folder.
