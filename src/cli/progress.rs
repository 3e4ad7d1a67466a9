//! How a run is shown: a bar on a terminal, a line an epoch elsewhere, or JSON on stdout.

use indicatif::{ProgressBar, ProgressStyle};

use super::tell;
use crate::train::{Ended, Event, Report, Table, Watch};

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
            Event::Log { step, report, .. } => self.line(&format!("step {step}   train {}", values(report))),
            Event::Epoch { epoch, reports, .. } => {
                let width = self.epochs.to_string().len();
                let splits: Vec<String> =
                    reports.iter().map(|(split, report)| format!("{split} {}", values(report))).collect();
                self.line(&format!("epoch {epoch:width$}/{}   {}", self.epochs, splits.join("   ")));
            }
            Event::Stopped { epoch, step, why } => self.line(&match why {
                Ended::Patience { best } => format!("stopped after epoch {epoch}: nothing better since epoch {best}"),
                Ended::Diverged { watched, value, least } => {
                    let least = least.map_or_else(String::new, |least| format!(", and was {}", number(least)));
                    format!("stopped after step {step}: `{watched}` is {}{least}", number(*value))
                }
            }),
            Event::Done { test, run, .. } => {
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
                if let Some(test) = test {
                    super::out(&format!("test  {}\n{}", values(test), tables(test)));
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
    let shown = |(name, value): &(String, f64)| format!("{name} {}", number(*value));
    report.values.iter().map(shown).collect::<Vec<_>>().join("  ")
}

/// `0.1234`, `1.234e-5`
pub(super) fn number(value: f64) -> String {
    let small = value != 0.0 && value.abs() < 1e-3;
    if small { format!("{value:.3e}") } else { format!("{value:.4}") }
}

/// The tables of a report, each below its name; empty without any.
pub(super) fn tables(report: &Report) -> String {
    report.tables.iter().map(|(name, table)| format!("\n{name}\n{}\n", laid_out(table))).collect()
}

/// Columns under the names of the last axis, to the right; in front of each row its place on the first.
///
/// ```text
/// class \ class'  cat  dog
/// cat              12    1
/// dog               0    7
/// ```
fn laid_out(table: &Table) -> String {
    let Some(across) = table.axes.last() else { return String::new() };
    let (corner, down) = match &table.axes[..] {
        [down, across] => (format!("{} \\ {}", down.name, across.name), down.places.clone()),
        _ => (across.name.clone(), vec![String::new()]),
    };
    let number = |number: &f64| if number.fract() == 0.0 { number.to_string() } else { format!("{number:.4}") };
    let rows: Vec<Vec<String>> = table.rows().map(|row| row.iter().map(number).collect()).collect();
    let width = |at: usize| {
        let cells = rows.iter().map(|row| row[at].as_str()).chain([across.places[at].as_str()]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..across.places.len()).map(width).collect();
    let first = down.iter().chain([&corner]).map(|cell| cell.chars().count()).max().unwrap_or(0);
    let line = |head: &str, cells: &[String]| {
        let cells = cells.iter().zip(&widths).map(|(cell, width)| format!("  {cell:>width$}"));
        format!("{head:first$}{}\n", cells.collect::<String>())
    };
    let rows = down.iter().zip(&rows).map(|(head, row)| line(head, row));
    std::iter::once(line(&corner, &across.places)).chain(rows).collect()
}
