//! What is wrong with axes, sizes and kinds.
