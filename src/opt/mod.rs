//! Graph to smaller graph: simplify, fold, cse, dce.
