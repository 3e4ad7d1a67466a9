//! A compiled program bound to sizes and memory, and one step of it.
