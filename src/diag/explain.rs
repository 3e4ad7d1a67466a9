//! The pages of `tensa explain`.
