//! A stream's columnar form.

use std::fmt;
use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};

use crate::{ColumnType, absent_column};

/// Name of a Singer stream, as RECORD messages carry it. Cheap to copy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName(Arc<str>);

impl StreamName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for StreamName {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for StreamName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name of the property that it holds, as the tap wrote it.
    pub name: String,
    /// What it may hold.
    pub column_type: ColumnType,
    /// Whether it may be NULL. Only keys are not.
    pub nullable: bool,
}

/// A stream's columns in the order of its SCHEMA, with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSchema {
    /// The stream.
    pub stream: StreamName,
    /// Its columns; `_sdc_` columns stand last.
    pub columns: Vec<Column>,
    /// Names of the key's columns; empty for a keyless stream.
    pub key_properties: Vec<String>,
    /// Whether a property that a record lacks keeps the value that the table has: its batches then say which cells
    /// came, in a column of their own behind the others ([`ABSENT`](crate::ABSENT)).
    pub keeps_absent: bool,
}

impl TableSchema {
    /// The Arrow schema that its batches have.
    #[must_use]
    pub fn arrow(&self) -> SchemaRef {
        let absent = self.keeps_absent.then(absent_column);
        let columns = self.columns.iter().chain(&absent);
        let fields = columns.map(|c| c.column_type.field(&c.name, c.nullable));
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }

    /// The column of that name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether records are told apart by a key.
    #[must_use]
    pub fn is_keyed(&self) -> bool {
        !self.key_properties.is_empty()
    }
}
