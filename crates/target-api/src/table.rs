//! A table as a run wants it, and what became of it.

use std::fmt;

use columns::TableSchema;

/// Where a table is. Without schema it is in the target's default one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    /// Schema, unquoted.
    pub schema: Option<String>,
    /// Table, unquoted.
    pub table: String,
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.table),
            None => f.write_str(&self.table),
        }
    }
}

/// What a record of a known key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoadMethod {
    /// Replaces the one that is there; without a key it is appended.
    #[default]
    Upsert,
    /// Is appended, key or not.
    AppendOnly,
}

/// A table as a run wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its columns and key, under the tap's names.
    pub schema: TableSchema,
    /// Where it shall be.
    pub name: TableName,
    /// What a known key does.
    pub load_method: LoadMethod,
}

impl Table {
    /// Whether its records are merged by key.
    #[must_use]
    pub fn merges(&self) -> bool {
        self.load_method == LoadMethod::Upsert && self.schema.is_keyed()
    }
}

/// What `open` or `plan` found to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableChange {
    /// Where the table is, as people write it.
    pub place: String,
    /// Whether it did not exist.
    pub created: bool,
    /// The statements that make it fit, in order; empty when it fits.
    pub statements: Vec<String>,
}
