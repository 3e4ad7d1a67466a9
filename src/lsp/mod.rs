//! The language server: the protocol only.
