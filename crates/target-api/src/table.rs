//! A table as a run wants it, and what became of it.

use std::fmt;

use columns::arrow_array::{Array as _, RecordBatch};
use columns::{DELETED_AT, TableSchema};

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
    /// Replaces all that the table holds from before: the first commit after the table was opened empties it, and what
    /// comes is merged or appended from then on.
    Overwrite,
}

impl LoadMethod {
    /// Whether records that have a key are merged by it.
    #[must_use]
    pub fn merges(self) -> bool {
        self != Self::AppendOnly
    }
}

/// What a record does whose `_sdc_deleted_at` is set, and what becomes of records that `ACTIVATE_VERSION` leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Deletes {
    /// Nothing was said: where records are merged by key it sets `_sdc_deleted_at` of the record that is there and
    /// nothing else, elsewhere it is loaded as any other. Records of older versions are removed.
    #[default]
    Unsaid,
    /// The record of its key is removed.
    Hard,
    /// `_sdc_deleted_at` of the record that is there is set and nothing else; so it is for records of older versions.
    Soft,
    /// It is loaded as any other.
    Ignore,
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
    /// What a delete record does.
    pub deletes: Deletes,
    /// Whether other pipelines that say the same may load into it, too.
    pub shared: bool,
    /// Roles that may read it.
    pub grant_select: Vec<String>,
}

impl Table {
    /// A table with all settings as they are when nothing is said of them.
    #[must_use]
    pub fn new(schema: TableSchema, name: TableName) -> Self {
        let (load_method, deletes) = (LoadMethod::default(), Deletes::default());
        Self { schema, name, load_method, deletes, shared: false, grant_select: Vec::new() }
    }

    /// Whether its records are merged by key.
    #[must_use]
    pub fn merges(&self) -> bool {
        self.load_method.merges() && self.schema.is_keyed()
    }

    /// Whether cells that did not come stay as they are in a record of the same key. Where none is replaced they are
    /// NULL.
    #[must_use]
    pub fn keeps_absent(&self) -> bool {
        self.schema.keeps_absent && self.merges()
    }

    /// What a record does whose `_sdc_deleted_at` is set.
    #[must_use]
    pub fn on_delete(&self) -> OnDelete {
        let deleted_at = || self.schema.columns.iter().position(|column| column.name == DELETED_AT);
        match (self.deletes, self.merges(), deleted_at()) {
            (Deletes::Hard, true, Some(column)) => OnDelete::Remove { column },
            (Deletes::Soft | Deletes::Unsaid, true, Some(column)) => OnDelete::Mark { column },
            _ => OnDelete::Load,
        }
    }

    /// Whether a batch of it holds a delete that is more than a record to load.
    #[must_use]
    pub fn holds_deletes(&self, batch: &RecordBatch) -> bool {
        let column = self.on_delete().column().and_then(|column| batch.columns().get(column));
        column.is_some_and(|array| array.null_count() < array.len())
    }

    /// Whether records of older versions are marked rather than removed.
    #[must_use]
    pub fn marks_versions(&self) -> bool {
        self.deletes == Deletes::Soft
    }
}

/// What an `ACTIVATE_VERSION` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// The version whose records stay.
    pub number: i64,
    /// Whether the stream is known to have been emptied: records of older versions go even where none of this one is
    /// there.
    pub truncated: bool,
}

/// What a target does with a record whose `_sdc_deleted_at` is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// Loads it as any other.
    Load,
    /// Removes the record of its key.
    Remove {
        /// Index of `_sdc_deleted_at` among the table's columns.
        column: usize,
    },
    /// Sets `_sdc_deleted_at` of the record of its key, where there is one, and nothing else.
    Mark {
        /// Index of `_sdc_deleted_at` among the table's columns.
        column: usize,
    },
}

impl OnDelete {
    /// The column whose values say which records are deletes; `None` where nothing is done about them.
    #[must_use]
    pub fn column(self) -> Option<usize> {
        match self {
            Self::Load => None,
            Self::Remove { column } | Self::Mark { column } => Some(column),
        }
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
    /// What else people should know: columns that got another beside them.
    pub notes: Vec<String>,
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
