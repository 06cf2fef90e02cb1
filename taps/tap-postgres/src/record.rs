//! A row as the JSON object of a RECORD message, field by field, without anything in between.

use singer::Json;
use tap_sdk::TapError;

use crate::column_type::ColumnType;
use crate::config::DatePolicy;
use crate::json::{self, Unfit};
use crate::plan::StreamPlan;
use crate::row::Row;
use crate::scalar::Malformed;

/// Writes the records of one stream.
#[derive(Debug)]
pub(crate) struct RecordWriter<'a> {
    stream: &'a str,
    columns: Vec<Property<'a>>,
    dates: DatePolicy,
}

#[derive(Debug)]
struct Property<'a> {
    name: &'a str,
    /// `"name":`, with a comma before all but the first.
    label: Vec<u8>,
    column_type: &'a ColumnType,
}

impl<'a> RecordWriter<'a> {
    pub(crate) fn new(plan: &'a StreamPlan, dates: DatePolicy) -> Self {
        let property = |(at, column): (usize, &'a crate::plan::PlannedColumn)| {
            let comma = if at == 0 { "" } else { "," };
            let label = format!("{comma}{}:", Json::String(column.name.clone())).into_bytes();
            Property { name: &column.name, label, column_type: &column.column_type }
        };
        let columns = plan.columns.iter().enumerate().map(property).collect();
        Self { stream: &plan.id, columns, dates }
    }

    /// Replaces `out` by the row's JSON object.
    pub(crate) fn write(&self, row: &Row<'_>, out: &mut Vec<u8>) -> Result<(), TapError> {
        if row.width() != self.columns.len() {
            return Err(malformed(self.stream, Malformed));
        }
        out.clear();
        out.push(b'{');
        for (at, column) in self.columns.iter().enumerate() {
            out.extend_from_slice(&column.label);
            match row.field(at) {
                None => out.extend_from_slice(b"null"),
                Some(cell) => json::write(column.column_type, cell, self.dates, out)
                    .map_err(|fault| unfit(self.stream, column.name, fault))?,
            }
        }
        out.push(b'}');
        Ok(())
    }
}

/// A cell that cannot be sent.
pub(crate) fn unfit(stream: &str, column: &str, unfit: Unfit) -> TapError {
    let error = TapError::failed(format!("column `{column}` of {stream} {unfit}"));
    match unfit {
        Unfit::Malformed => error.with_hint("this is a fault of tap-postgres: please report it"),
        Unfit::Encoding => error.with_hint(
            "the database's encoding is SQL_ASCII, so that any bytes are text to it: mend the value, or read it as convert_from(column::bytea, 'LATIN1') in `queries`",
        ),
        Unfit::Date => error.with_hint("mend the value, or set `dates` to keep, set_null or clamp"),
        Unfit::Dimensions { .. } => error.with_hint(
            "declare the column with as many `[]` as its values have, or read it as to_jsonb(column) in `queries`",
        ),
    }
}

/// What the server sent is no COPY of ours.
pub(crate) fn malformed(stream: &str, _: Malformed) -> TapError {
    TapError::failed(format!("{stream}: the server sent rows of another form than was asked for"))
        .with_hint("this is a fault of tap-postgres: please report it")
}
