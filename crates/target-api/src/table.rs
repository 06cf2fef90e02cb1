//! A table as a run wants it, and what became of it.

use std::fmt;

use columns::TableSchema;

use crate::refusal::key_text;

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
    /// The key by which its records are merged from now on, where that was another.
    pub key: Option<KeyChange>,
}

/// Another key than the table's records were merged by. The records that are there allow it, or it is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyChange {
    /// Columns of the key before; empty where records were appended.
    pub from: Vec<String>,
    /// Columns of the key now; empty where records are appended.
    pub to: Vec<String>,
}

impl KeyChange {
    /// The change of a key, in whatever order its columns are named; `None` when there is none.
    #[must_use]
    pub fn between(from: &[String], to: &[String]) -> Option<Self> {
        let same = from.len() == to.len() && from.iter().all(|name| to.contains(name));
        (!same).then(|| Self { from: from.to_vec(), to: to.to_vec() })
    }
}

impl fmt::Display for KeyChange {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "from {} to {}", key_text(&self.from), key_text(&self.to))
    }
}
