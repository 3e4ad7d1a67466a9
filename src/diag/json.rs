//! Diagnostics as JSON, one a line.
