//! The trials of a search as a file: a line of JSON for each that is done.
//!
//! In: the folder of a search. Out: its trials, and a line more after each. What a trial left lies in a folder of its
//! own.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::diag::{Diagnostic, run as told};

/// A trial that is done.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Which, from 1.
    pub trial: u64,
    /// What it set, in the order of the search.
    pub set: Vec<(String, String)>,
    /// What it came to; none when it failed.
    pub value: Option<f64>,
    /// The epoch of the weights it kept, from 1.
    pub epoch: u64,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Its folder.
    pub run: String,
}

/// The file of a search's trials.
pub struct Trials {
    path: PathBuf,
    /// Those that are done, in order.
    pub done: Vec<Record>,
}

impl Trials {
    /// A file without trials.
    pub fn create(path: PathBuf) -> Result<(), Diagnostic> {
        fs::write(&path, "").map_err(|error| told::cannot_write(&path, &error.to_string()))
    }

    /// Those in a file. A last line that was cut off as it was written is no trial: its run is looked at again.
    pub fn open(path: PathBuf) -> Result<Trials, Diagnostic> {
        let refused = |error: &str| told::cannot_read(&path, error);
        let text = fs::read_to_string(&path).map_err(|error| refused(&error.to_string()))?;
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        if whole.len() < text.len() {
            fs::write(&path, whole).map_err(|error| told::cannot_write(&path, &error.to_string()))?;
        }
        let lines = whole.lines().map(|line| serde_json::from_str(line).map_err(|error| refused(&error.to_string())));
        let done = lines.collect::<Result<Vec<Record>, Diagnostic>>()?;
        Ok(Trials { path, done })
    }

    /// Adds a trial.
    pub fn push(&mut self, record: Record) -> Result<(), Diagnostic> {
        // Names and numbers always make JSON.
        let line = serde_json::to_string(&record).expect("a record is plain data") + "\n";
        let file = fs::OpenOptions::new().create(true).append(true).open(&self.path);
        let written = file.and_then(|mut file| file.write_all(line.as_bytes()));
        written.map_err(|error| told::cannot_write(&self.path, &error.to_string()))?;
        self.done.push(record);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_off_is_no_trial() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("trials.jsonl");
        let record =
            |trial| Record { trial, set: vec![], value: Some(0.5), epoch: 1, failed: None, run: String::new() };
        Trials::create(path.clone()).unwrap();
        let mut trials = Trials::open(path.clone()).unwrap();
        trials.push(record(1)).unwrap();
        trials.push(record(2)).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, &text[..text.len() - 9]).unwrap();
        let mut trials = Trials::open(path.clone()).unwrap();
        assert_eq!(trials.done, [record(1)]);
        trials.push(record(2)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        fs::write(&path, format!("{{}}\n{text}")).unwrap();
        assert!(Trials::open(path).is_err(), "a line that is no trial");
    }
}
