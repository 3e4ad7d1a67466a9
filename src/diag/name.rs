//! What is wrong with a name.
