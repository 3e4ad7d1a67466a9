//! Names, kinds, axes and sizes: the tree becomes a typed program.
