//! Text to tree, past mistakes.
