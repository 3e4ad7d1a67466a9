//! Diagnostics on a terminal, drawn by miette.
