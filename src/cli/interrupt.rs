//! Signals that ask a run to end.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// A flag that the first Ctrl-C or termination sets; the second one ends the process at once.
pub(super) fn watch() -> &'static AtomicBool {
    for signal in [SIGINT, SIGTERM] {
        // Both handlers of a signal run in this order: at the first signal the flag is not set yet. A
        // system that refuses a handler keeps its own, which ends the process.
        let _ = flag::register_conditional_shutdown(signal, 130, INTERRUPTED.clone());
        let _ = flag::register(signal, INTERRUPTED.clone());
    }
    &INTERRUPTED
}
