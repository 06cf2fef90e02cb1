//! The seven `_sdc_` columns of the Meltano SDK: their names, types, and what fills them.

use crate::{Column, ColumnType};

/// When the tap extracted the record.
pub(crate) const EXTRACTED_AT: &str = "_sdc_extracted_at";
/// When tapster read the record.
pub(crate) const RECEIVED_AT: &str = "_sdc_received_at";
/// When the record was put into its batch.
pub(crate) const BATCHED_AT: &str = "_sdc_batched_at";
/// When the record was deleted at its origin; the one of the seven that a record itself may say.
pub const DELETED_AT: &str = "_sdc_deleted_at";
/// Grows with each record.
pub(crate) const SEQUENCE: &str = "_sdc_sequence";
/// The version of the table that the record belongs to, from its RECORD message.
pub const TABLE_VERSION: &str = "_sdc_table_version";
/// When the run began, in milliseconds since 1970.
pub(crate) const SYNC_STARTED_AT: &str = "_sdc_sync_started_at";

/// Names and order of the columns that the SDK's targets add to every table; so do we.
pub const METADATA_COLUMNS: [&str; 7] =
    [EXTRACTED_AT, RECEIVED_AT, BATCHED_AT, DELETED_AT, SEQUENCE, TABLE_VERSION, SYNC_STARTED_AT];

/// Whether a column of that name is filled by tapster. A tap's own property of such a name is replaced or, where
/// the metadata columns are off, left out, as the SDK does.
#[must_use]
pub fn is_metadata_column(name: &str) -> bool {
    name.starts_with("_sdc_") && METADATA_COLUMNS.contains(&name)
}

/// The column of that name.
pub(crate) fn metadata_column(name: &str) -> Column {
    let column_type = match name {
        SEQUENCE | TABLE_VERSION | SYNC_STARTED_AT => ColumnType::Int64,
        _ => ColumnType::TimestampTz,
    };
    Column { name: name.to_owned(), column_type, nullable: true }
}

/// What comes with a record but is not inside it.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// `version` of the RECORD message.
    pub version: Option<i64>,
    /// `time_extracted` of the RECORD message, as it was written.
    pub time_extracted: Option<&'a str>,
    /// When its line was read, in microseconds since 1970-01-01T00:00:00Z.
    pub received: i64,
    /// When the run began, in milliseconds since 1970-01-01T00:00:00Z.
    pub sync_started: i64,
    /// Its place in the run: grows with each record.
    pub sequence: i64,
}
