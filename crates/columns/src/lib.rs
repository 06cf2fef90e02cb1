//! From JSON Schema to a [`TableSchema`], and from raw records straight into Arrow batches.
//!
//! Owns the type vocabulary, its one Arrow form each, exactness, limits and rejects.
//! Must not know processes, I/O or any target.
//! Entry points: [`table_schema`] maps a SCHEMA, [`BatchBuilder`] takes its records.

mod absent;
mod builder;
mod column_type;
mod conform;
mod flatten;
mod limits;
mod mapping;
mod memory;
mod metadata;
mod record_validator;
mod refusal;
mod table_schema;
mod value;

pub use arrow_array;
pub use arrow_buffer;
pub use arrow_schema;

pub use absent::{ABSENT, absent_cells, absent_column, absent_in, ever_absent, without_absent};
pub use builder::{BatchBuilder, PropertyFilter};
pub use column_type::{ColumnType, ParseColumnTypeError, TYPE_METADATA};
pub use conform::{ColumnRefused, Conformed};
pub use flatten::{Flattened, flatten};
pub use limits::{DatePolicy, NanPolicy, NulPolicy, ValueLimits, ValuePolicies};
pub use mapping::{SchemaRefused, TableOptions, table_schema};
pub use memory::memory_size;
pub use metadata::{DELETED_AT, Envelope, METADATA_COLUMNS, TABLE_VERSION, is_metadata_column};
pub use record_validator::{draft, record_validator};
pub use refusal::{Found, RecordError, RecordProblem, Refused};
pub use table_schema::{Column, StreamName, TableSchema};
