//! Groups nodes into regions that run as one kernel.
