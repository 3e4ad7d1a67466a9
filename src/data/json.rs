//! Tables of objects: a JSON object on each line.
//!
//! In: bytes. Out: a header, which is every name that any line has, and the cells as text: a text as it is, a number
//! as it is written, a truth as 1 or 0, `null` and a name that is not there as a missing cell, anything deeper as JSON.

use serde_json::{Map, Value};

use crate::diag::table;

use super::csv::TextColumn;
use super::spec::SourceFile;
use super::{Checked, refuse};

/// The objects of a file, by line.
pub(super) struct Objects {
    /// Every name, in the order of its first line, by letter within one line.
    pub header: Vec<String>,
    rows: Vec<Map<String, Value>>,
    lines: Vec<u64>,
}

/// Reads all lines; blank ones are passed over.
pub(super) fn open(bytes: &[u8], file: &SourceFile) -> Checked<Objects> {
    let mut objects = Objects { header: Vec::new(), rows: Vec::new(), lines: Vec::new() };
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let number = at as u64 + 1;
        let row: Map<String, Value> = match serde_json::from_slice(line) {
            Ok(row) => row,
            Err(error) => {
                // The place within the line is behind `at`; the line is that of the file.
                let why = error.to_string();
                let why = why.split(" at line").next().unwrap_or_default();
                return refuse(table::not_an_object(file.span, &file.path, number, why));
            }
        };
        for name in row.keys() {
            if !objects.header.contains(name) {
                objects.header.push(name.clone());
            }
        }
        objects.rows.push(row);
        objects.lines.push(number);
    }
    if objects.rows.is_empty() {
        return refuse(crate::diag::contents::no_rows(file.span, &file.path, false));
    }
    Ok(objects)
}

impl Objects {
    /// The columns at these places of the header, and the line of each row.
    pub fn rows(self, wanted: &[usize]) -> (Vec<TextColumn>, Vec<u64>) {
        let columns = wanted.iter().map(|at| {
            let mut cells = TextColumn::default();
            self.rows.iter().for_each(|row| cells.push(&text(row.get(&self.header[*at]))));
            cells
        });
        (columns.collect(), self.lines.clone())
    }
}

fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Bool(truth)) => u8::from(*truth).to_string(),
        Some(value @ (Value::Number(_) | Value::Array(_) | Value::Object(_))) => value.to_string(),
    }
}
