use std::fmt;

use indexmap::IndexMap;
use serde::Serialize;
use singer::Json;

/// How the tap reads a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReplicationMethod {
    /// All of it, every time.
    FullTable,
    /// From the bookmark of the replication key.
    Incremental,
    /// From the database's log.
    LogBased,
}

impl ReplicationMethod {
    /// As in a catalog.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FullTable => "FULL_TABLE",
            Self::Incremental => "INCREMENTAL",
            Self::LogBased => "LOG_BASED",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::FullTable, Self::Incremental, Self::LogBased]
            .into_iter()
            .find(|method| method.as_str() == text)
    }
}

impl fmt::Display for ReplicationMethod {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What becomes of a record whose key the table already has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadMethod {
    /// It replaces the other.
    Upsert,
    /// It stands beside the other.
    AppendOnly,
    /// The run's records replace all that the table holds, with its success.
    Overwrite,
}

impl LoadMethod {
    /// As in a pipeline file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upsert => "upsert",
            Self::AppendOnly => "append-only",
            Self::Overwrite => "overwrite",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Upsert, Self::AppendOnly, Self::Overwrite].into_iter().find(|method| method.as_str() == text)
    }
}

/// What becomes of values that the target cannot hold. `None` is not said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Values {
    /// Dates that do not exist or are out of range.
    pub dates: Option<OnBadValue>,
    /// NaN and the infinities, where a column cannot hold them.
    pub nan: Option<OnBadValue>,
    /// The character NUL.
    pub nul: Option<OnBadValue>,
}

/// What becomes of one of them; not every word fits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnBadValue {
    /// The record is refused.
    Fail,
    /// It becomes NULL.
    SetNull,
    /// It becomes the nearest that the target holds.
    Clamp,
    /// It becomes U+FFFD.
    Replace,
    /// It goes away.
    Strip,
}

impl OnBadValue {
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "fail" => Self::Fail,
            "set_null" => Self::SetNull,
            "clamp" => Self::Clamp,
            "replace" => Self::Replace,
            "strip" => Self::Strip,
            _ => return None,
        })
    }
}

/// What a record does whose `_sdc_deleted_at` is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deletes {
    /// Removes the record of its key.
    Hard,
    /// Sets `_sdc_deleted_at` of the record of its key, and nothing else.
    Soft,
    /// Is loaded as any other.
    Ignore,
}

impl Deletes {
    /// As in a pipeline file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::Ignore => "ignore",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Hard, Self::Soft, Self::Ignore].into_iter().find(|deletes| deletes.as_str() == text)
    }
}

/// What the files say of one stream, from the defaults and all rules that match it. `None` is not said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StreamSettings {
    /// How the tap reads it.
    pub replication_method: Option<ReplicationMethod>,
    /// The column that INCREMENTAL goes by. `None` when another method was said: an inherited key does nothing then.
    pub replication_key: Option<String>,
    /// The columns that tell one record from another, instead of the catalog's.
    pub key_properties: Option<Vec<String>>,
    /// Further catalog metadata of the stream.
    pub metadata: IndexMap<String, Json>,
    /// The tap need not offer it.
    pub optional: bool,
    /// The schema to load into, its placeholders filled in.
    pub target_schema: Option<String>,
    /// The table to load into, its placeholders filled in.
    pub target_table: Option<String>,
    /// What becomes of a record whose key the table already has. Not said: upsert with a key, append without.
    pub load_method: Option<LoadMethod>,
    /// What a record does whose `_sdc_deleted_at` is set. Not said: it marks where records are merged by key, and is
    /// loaded as any other elsewhere.
    pub deletes: Option<Deletes>,
    /// What becomes of values that the target cannot hold.
    pub values: Values,
    /// Whether the table has the `_sdc_` columns.
    pub metadata_columns: Option<bool>,
    /// How many levels of nested objects become columns.
    pub flatten: Option<usize>,
    /// Whether other pipelines that say the same may load into the table, too.
    pub shared: bool,
    /// Roles that may read the table.
    pub grant_select: Option<Vec<String>>,
}
