//! How a run is shown: a bar on a terminal, a line an epoch elsewhere, or JSON on stdout.

use indicatif::{ProgressBar, ProgressStyle};

use super::tell;
use crate::train::{Event, Report, Watch};

/// One event a line on stdout; steps are left out.
pub(super) struct Jsonl;

impl Watch for Jsonl {
    fn on(&mut self, event: &Event<'_>) {
        if !matches!(event, Event::Step { .. }) {
            super::out(&format!("{}\n", event.to_json()));
        }
    }
}

/// For people: progress on stderr, results on stdout.
pub(super) struct Plain {
    bar: Option<ProgressBar>,
    epochs: u64,
}

impl Plain {
    /// Draws a bar when stderr is a terminal.
    pub(super) fn new() -> Plain {
        Plain { bar: None, epochs: 0 }
    }

    /// A line that stays, above the bar when there is one.
    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| tell(&format!("{text}\n"))),
            None => tell(&format!("{text}\n")),
        }
    }
}

impl Watch for Plain {
    fn on(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(start) => {
                let [train, valid, test] = start.rows;
                self.line(&format!(
                    "{}: {} parameters; {train} rows to train, {valid} to validate, {test} to test; {}",
                    start.name, start.parameters, start.run
                ));
                self.epochs = start.epochs;
                if console_is_terminal() {
                    let bar = ProgressBar::new(start.steps);
                    // The template is constant; one that is wrong leaves the default style.
                    if let Ok(style) = ProgressStyle::with_template("{bar:30} step {pos}/{len}  {per_sec}  {eta} left")
                    {
                        bar.set_style(style);
                    }
                    bar.set_position(start.finished * start.steps_per_epoch);
                    self.bar = Some(bar);
                }
            }
            Event::Step { step, .. } => {
                if let Some(bar) = &self.bar {
                    bar.set_position(*step);
                }
            }
            Event::Epoch { epoch, reports, .. } => {
                let width = self.epochs.to_string().len();
                let splits: Vec<String> =
                    reports.iter().map(|(split, report)| format!("{split} {}", values(report))).collect();
                self.line(&format!("epoch {epoch:width$}/{}   {}", self.epochs, splits.join("   ")));
            }
            Event::Stopped { epoch, best } => {
                self.line(&format!("stopped after epoch {epoch}: nothing better since epoch {best}"));
            }
            Event::Done { test, run, .. } => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
                if let Some(test) = test {
                    super::out(&format!("test  {}\n", values(test)));
                }
                super::out(&format!("run   {run}\n"));
            }
            // Told as an error.
            Event::Diverged { .. } => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
            }
            Event::Interrupted { epoch, step, run } => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
                self.line(&format!(
                    "interrupted after step {step}, {epoch} epochs finished; go on with `tensa run --resume {run}`"
                ));
            }
        }
    }
}

fn console_is_terminal() -> bool {
    std::io::IsTerminal::is_terminal(&std::io::stderr())
}

/// `loss 0.1234  accuracy 0.9565`
pub(super) fn values(report: &Report) -> String {
    let shown = |(name, value): &(String, f64)| {
        let small = *value != 0.0 && value.abs() < 1e-3;
        if small { format!("{name} {value:.3e}") } else { format!("{name} {value:.4}") }
    };
    report.values.iter().map(shown).collect::<Vec<_>>().join("  ")
}
