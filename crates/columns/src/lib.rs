//! From JSON Schema to a [`TableSchema`], and from raw records straight into Arrow batches.
//!
//! Owns the type vocabulary, its one Arrow form each, exactness, limits and rejects.
//! Must not know processes, I/O or any target.
//! Entry points: [`table_schema`] maps a SCHEMA, [`BatchBuilder`] takes its records.

mod column_type;
mod limits;
mod table_schema;

pub use arrow_array;
pub use arrow_schema;

pub use column_type::{ColumnType, ParseColumnTypeError, TYPE_METADATA};
pub use limits::{DatePolicy, NanPolicy, NulPolicy, ValueLimits};
pub use table_schema::{Column, StreamName, TableSchema};
