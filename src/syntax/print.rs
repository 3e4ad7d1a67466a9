//! The text form of the syntax tree.
