//! Tables in the Parquet format, as pandas, Polars and Spark write them; here with the feature `parquet` only.
//!
//! In: bytes. Out: a header and the cells of the columns that are wanted, as text: a number as it is written, a truth as 1 or 0,
//! a date with its year first, what is not there or no number as a missing cell, anything deeper as JSON.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use bytes::Bytes;
use parquet::basic::{LogicalType, TimeUnit};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::schema::types::Type;
use serde_json::Value;

use crate::diag::{arrays as told, contents};

use super::csv::TextColumn;
use super::spec::SourceFile;
use super::{Checked, refuse};

/// A table whose header is read.
pub(super) struct Leaves<'a> {
    /// The names of its columns.
    pub header: Vec<String>,
    reader: SerializedFileReader<Bytes>,
    file: &'a SourceFile,
}

/// Reads what the end of a file says of its columns.
pub(super) fn open<'a>(bytes: &[u8], file: &'a SourceFile) -> Checked<Leaves<'a>> {
    if bytes.is_empty() {
        return refuse(contents::no_rows(file.span, &file.path, false));
    }
    let reader = guarded(file, || SerializedFileReader::new(Bytes::copy_from_slice(bytes)))?;
    let schema = reader.metadata().file_metadata().schema();
    let header = schema.get_fields().iter().map(|field| field.name().to_owned()).collect();
    if reader.metadata().file_metadata().num_rows() <= 0 {
        return refuse(contents::no_rows(file.span, &file.path, true));
    }
    Ok(Leaves { header, reader, file })
}

impl Leaves<'_> {
    /// The columns at these places of the header, and how many rows there are.
    pub fn rows(self, wanted: &[usize]) -> Checked<(Vec<TextColumn>, usize)> {
        let metadata = self.reader.metadata().file_metadata();
        let (schema, count) = (metadata.schema(), metadata.num_rows() as usize);
        let mut columns: Vec<TextColumn> = wanted.iter().map(|_| TextColumn::default()).collect();
        if wanted.is_empty() {
            return Ok((columns, count));
        }
        // The reader gives fields in the order of the file, each once.
        let mut read = wanted.to_vec();
        read.sort_unstable();
        read.dedup();
        let fields: Vec<_> = read.iter().map(|at| schema.get_fields()[*at].clone()).collect();
        let in_nanoseconds: Vec<bool> = fields.iter().map(|field| is_in_nanoseconds(field)).collect();
        let projected = Type::group_type_builder(schema.name()).with_fields(fields).build();
        guarded(self.file, || {
            let mut rows = 0;
            for row in self.reader.get_row_iter(Some(projected?))? {
                let row = row?;
                let cells = row.get_column_iter().zip(&in_nanoseconds).map(|((_, field), nano)| text(field, *nano));
                let cells: Vec<String> = cells.collect();
                for (column, at) in columns.iter_mut().zip(wanted) {
                    let cell = read.binary_search(at).ok().and_then(|at| cells.get(at));
                    column.push(cell.map_or("", String::as_str));
                }
                rows += 1;
            }
            match rows == count {
                true => Ok((columns, rows)),
                false => Err(ParquetError::General(format!("it has {rows} rows, and says it has {count}"))),
            }
        })
    }
}

thread_local! {
    /// Whether this thread reads a file, so that what fails in the reader is told as a message and not as a crash.
    static READS: Cell<bool> = const { Cell::new(false) };
}

/// What the reader makes of a file. On some damaged files it panics, which is an error of the file like any other.
fn guarded<T>(file: &SourceFile, read: impl FnOnce() -> Result<T, ParquetError>) -> Checked<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !READS.get() {
                before(info);
            }
        }));
    });
    READS.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(read));
    READS.set(false);
    let why = match result {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "what it says of its columns does not fit what is there".to_owned(),
    };
    refuse(told::parquet(file.span, &file.path, &why))
}

/// A moment as pandas has it, which the reader gives as a bare number.
fn is_in_nanoseconds(field: &Type) -> bool {
    let logical = field.get_basic_info().logical_type_ref();
    matches!(logical, Some(LogicalType::Timestamp(moment)) if matches!(moment.unit, TimeUnit::NANOS))
}

fn text(field: &Field, in_nanoseconds: bool) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.trim().to_owned(),
        Field::Bool(truth) => u8::from(*truth).to_string(),
        // JSON has no word for these, and an infinite number is not a missing one.
        Field::Float(number) if number.is_nan() => String::new(),
        Field::Double(number) if number.is_nan() => String::new(),
        Field::Float(number) => number.to_string(),
        Field::Double(number) => number.to_string(),
        Field::Long(moment) if in_nanoseconds => text(&Field::TimestampMicros(moment.div_euclid(1000)), false),
        Field::TimestampMillis(_) | Field::TimestampMicros(_) => {
            let moment = field.to_json_value();
            let moment = moment.as_str().unwrap_or_default();
            moment.strip_suffix(" +00:00").unwrap_or(moment).to_owned()
        }
        other => match other.to_json_value() {
            Value::String(text) => text,
            value => value.to_string(),
        },
    }
}
