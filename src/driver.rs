//! A session: sources in, each phase by name, in order.
