//! `tensa check --gradients`: what came of each `grad(dy)` of the program.
//!
//! In: the reports. Out: a line for each, or an object of JSON; and a diagnostic for each that differs and that nobody
//! allowed to.

use serde::Serialize;

use super::Failure;
use crate::base::SourceMap;
use crate::diag::Diagnostics;
use crate::gradients::Report;

/// What a report comes to.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Agrees,
    Differs,
    NotTried,
}

/// The reports, and which of the functions may differ.
pub(super) struct Gradients {
    reports: Vec<Report>,
    allowed: Vec<String>,
}

impl Gradients {
    /// Takes the reports; a name that is allowed to differ is that of one of them.
    pub(super) fn new(reports: Vec<Report>, allowed: &[String]) -> Result<Gradients, Failure> {
        let known: Vec<&str> = reports.iter().map(|report| report.name.as_str()).collect();
        if let Some(name) = allowed.iter().find(|name| !known.contains(&name.as_str())) {
            let known =
                if known.is_empty() { "none does".to_owned() } else { format!("these do: {}", known.join(", ")) };
            return Err(Failure::Usage(format!("`--allow {name}`: no such function gives its gradient; {known}")));
        }
        Ok(Gradients { reports, allowed: allowed.to_vec() })
    }

    /// What is told of those that differ and may not.
    pub(super) fn diagnostics(&self) -> Diagnostics {
        let mut found = Diagnostics::default();
        let reports = self.reports.iter().filter(|report| !self.is_allowed(report));
        reports.filter_map(Report::diagnostic).for_each(|told| found.push(told));
        found
    }

    /// `2 gradients agree, 1 differs, 1 was not tried`
    pub(super) fn title(&self) -> String {
        let (tried, untried): (Vec<&Report>, Vec<&Report>) =
            self.reports.iter().partition(|report| report.inputs.is_ok());
        let differ = tried.iter().filter(|report| report.differs()).count();
        let parts = [
            (tried.len() - differ, "agrees", "agree"),
            (differ, "differs", "differ"),
            (untried.len(), "was not tried", "were not tried"),
        ];
        let parts = parts.iter().filter(|(count, ..)| *count > 0);
        let mut parts: Vec<String> =
            parts.map(|(count, one, more)| format!("{count} {}", if *count == 1 { one } else { more })).collect();
        let Some(first) = parts.first_mut() else { return "no function gives its gradient itself".to_owned() };
        let (count, rest) = first.split_once(' ').unwrap_or((first, ""));
        *first = format!("{count} gradient{} {rest}", if count == "1" { "" } else { "s" });
        parts.join(", ")
    }

    /// A line for each function.
    pub(super) fn text(&self) -> String {
        let width = self.reports.iter().map(|report| report.name.as_str().chars().count()).max().unwrap_or(0);
        self.reports
            .iter()
            .map(|report| format!("  {:width$}  {}\n", report.name.as_str(), self.line(report)))
            .collect()
    }

    fn line(&self, report: &Report) -> String {
        let allowed = if report.differs() && self.is_allowed(report) { " (allowed)" } else { "" };
        format!("{report}{allowed}")
    }

    /// An object for each function, each on its line.
    pub(super) fn json(&self, sources: &SourceMap) -> String {
        self.reports.iter().map(|report| self.object(report, sources) + "\n").collect()
    }

    fn object(&self, report: &Report, sources: &SourceMap) -> String {
        let file = sources.file(report.span.file);
        let place = file.line_column(report.span.start);
        let verdict = match &report.inputs {
            Err(_) => Verdict::NotTried,
            Ok(_) if report.differs() => Verdict::Differs,
            Ok(_) => Verdict::Agrees,
        };
        let inputs = report.inputs.iter().flatten().map(|input| {
            let apart = input.furthest.as_ref();
            InputOut {
                name: &input.name,
                agrees: !input.differs(),
                distance: finite(input.distance()),
                at: apart.map(|apart| apart.at.iter().map(|(_, place)| *place).collect()),
                given: apart.and_then(|apart| finite(apart.given)),
                body: apart.and_then(|apart| finite(apart.body)),
                differences: apart.and_then(|apart| apart.differences),
            }
        });
        let out = Out {
            gradient: report.name.as_str(),
            verdict,
            allowed: self.is_allowed(report),
            file: &file.name,
            line: place.line,
            column: place.column,
            inputs: inputs.collect(),
            reason: report.inputs.as_ref().err().map(ToString::to_string),
        };
        serde_json::to_string(&out).expect("texts and numbers are JSON")
    }

    fn is_allowed(&self, report: &Report) -> bool {
        self.allowed.iter().any(|name| name == report.name.as_str())
    }
}

#[derive(Serialize)]
struct Out<'a> {
    gradient: &'a str,
    verdict: Verdict,
    allowed: bool,
    file: &'a str,
    line: usize,
    column: usize,
    inputs: Vec<InputOut<'a>>,
    reason: Option<String>,
}

#[derive(Serialize)]
struct InputOut<'a> {
    name: &'a str,
    agrees: bool,
    distance: Option<f64>,
    at: Option<Vec<usize>>,
    given: Option<f64>,
    body: Option<f64>,
    differences: Option<f64>,
}

/// JSON has no other numbers.
fn finite(number: f64) -> Option<f64> {
    number.is_finite().then_some(number)
}
