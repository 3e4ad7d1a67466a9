//! The time of each phase from the start of the process to the end of the first training step.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::train::{Event, Watch};

static START: OnceLock<Instant> = OnceLock::new();

/// Takes the time; the first thing that `main` does.
pub(super) fn process_started() {
    START.get_or_init(Instant::now);
}

/// Laps.
pub(super) struct Timings {
    laps: Vec<(&'static str, Duration)>,
    last: Instant,
    shown: bool,
}

impl Timings {
    /// From the start of the process.
    pub(super) fn new() -> Timings {
        let start = *START.get_or_init(Instant::now);
        let mut timings = Timings { laps: Vec::new(), last: start, shown: false };
        timings.lap("arguments");
        timings
    }

    /// Ends a phase.
    pub(super) fn lap(&mut self, phase: &'static str) {
        let now = Instant::now();
        self.laps.push((phase, now - self.last));
        self.last = now;
    }

    /// Ends a phase of which a part is another one.
    pub(super) fn lap_with(&mut self, phase: &'static str, part: &'static str, of_it: Duration) {
        self.lap(phase);
        if let Some((_, time)) = self.laps.last_mut() {
            *time = time.saturating_sub(of_it);
            let at = self.laps.len() - 1;
            self.laps.insert(at, (part, of_it));
        }
    }

    /// Watches for the first step, then prints.
    pub(super) fn around<'a>(&'a mut self, inner: &'a mut dyn Watch) -> Around<'a> {
        Around { timings: self, inner }
    }

    fn print(&mut self) {
        self.shown = true;
        let total: Duration = self.laps.iter().map(|(_, time)| *time).sum();
        let sum = ("start to the end of the first step", total);
        let rows = self.laps.iter().copied().filter(|(_, time)| !time.is_zero()).chain([sum]);
        for (phase, time) in rows {
            super::tell(&format!("{phase:36} {:9.2} ms\n", time.as_secs_f64() * 1e3));
        }
    }
}

/// A watch that ends the laps at the first step.
pub(super) struct Around<'a> {
    timings: &'a mut Timings,
    inner: &'a mut dyn Watch,
}

impl Watch for Around<'_> {
    fn on(&mut self, event: &Event<'_>) {
        if matches!(event, Event::Step { .. }) && !self.timings.shown {
            self.timings.lap("first step");
            self.timings.print();
        }
        self.inner.on(event);
    }
}
