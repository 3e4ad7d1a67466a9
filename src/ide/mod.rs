//! Editor questions in plain types.
